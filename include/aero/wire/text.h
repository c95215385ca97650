/* String operations on the wire: codes and flags.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_TEXT_H
#define AERO_WIRE_TEXT_H

typedef enum aero_string_code {
#define STRING_OP(name, code, mode, args, type, text)                         \
    AERO_STRING_##name = code,
#include "aero/wire/tables/string.def"
#undef STRING_OP
    AERO_STRING_CODES
} aero_string_code;

enum {
    AERO_STRING_MODIFIES = 50 /* the first of the codes that do */
};

#endif

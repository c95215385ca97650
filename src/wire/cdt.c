/* The rows of the list and map operations, by code.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "aero/wire/cdt.h"

enum {
    READ = 0,
    MODIFY = 1
};

static const aero_cdt_row rows[AERO_CDT_CODES] = {
#define CDT_OP(kind, name, code, mode, args, text)                            \
    [code] = {#kind "_" #name, args, text, mode, false},
#define CDT_OP_LATER(kind, name, code, mode, args, text)                      \
    [code] = {#kind "_" #name, args, text, mode, true},
#include "aero/wire/tables/list.def"
#include "aero/wire/tables/map.def"
};

const aero_cdt_row *
aero_cdt_row_of(uint64_t code)
{
    if (code >= AERO_CDT_CODES || rows[code].name == NULL) {
        return NULL;
    }
    return &rows[code];
}

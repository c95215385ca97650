/* Bit operations on the wire: codes and flags.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_BITS_H
#define AERO_WIRE_BITS_H

typedef enum aero_bit_code {
#define BIT_OP(name, code, mode, args, flags, text)    AERO_BIT_##name = code,
#define BIT_OP_82(name, code, mode, args, flags, text) AERO_BIT_##name = code,
#include "aero/wire/tables/bit.def"
#undef BIT_OP
#undef BIT_OP_82
    AERO_BIT_CODES
} aero_bit_code;

typedef enum aero_bit_write {
    AERO_BIT_CREATE_ONLY = 1,
    AERO_BIT_UPDATE_ONLY = 2,
    AERO_BIT_NO_FAIL = 4,
    AERO_BIT_PARTIAL = 8 /* cut a range at the end of the blob */
} aero_bit_write;

typedef enum aero_bit_resize {
    AERO_BIT_FROM_FRONT = 1,
    AERO_BIT_GROW_ONLY = 2,
    AERO_BIT_SHRINK_ONLY = 4
} aero_bit_resize;

/* Of integers; without SATURATE and WRAP an overflow fails. */
typedef enum aero_bit_arithmetic {
    AERO_BIT_SIGNED = 1,
    AERO_BIT_SATURATE = 2,
    AERO_BIT_WRAP = 4
} aero_bit_arithmetic;

#endif

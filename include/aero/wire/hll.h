/* HyperLogLog operations on the wire: codes and flags.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_HLL_H
#define AERO_WIRE_HLL_H

typedef enum aero_hll_code {
#define HLL_OP(name, code, mode, args, flags, text) AERO_HLL_##name = code,
#include "aero/wire/tables/hll.def"
#undef HLL_OP
    AERO_HLL_CODES
} aero_hll_code;

typedef enum aero_hll_write {
    AERO_HLL_CREATE_ONLY = 1,
    AERO_HLL_UPDATE_ONLY = 2,
    AERO_HLL_NO_FAIL = 4,
    AERO_HLL_ALLOW_FOLD = 8 /* a union may lower the bin's bits */
} aero_hll_write;

enum {
    AERO_HLL_NOT_GIVEN = -1 /* index or minhash bits */
};

#endif

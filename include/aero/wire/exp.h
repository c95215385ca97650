/* Expressions on the wire: codes, types, flags of the operations.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_EXP_H
#define AERO_WIRE_EXP_H

typedef enum aero_exp_code {
#define EXP_OP(name, code, args, type, text)    AERO_EXP_##name = code,
#define EXP_OP_82(name, code, args, type, text) AERO_EXP_##name = code,
#include "aero/wire/tables/exp.def"
#undef EXP_OP
#undef EXP_OP_82
    AERO_EXP_CODES = 128
} aero_exp_code;

typedef enum aero_exp_type {
#define EXP_TYPE(name, code, particle) AERO_EXP_TYPE_##name = code,
#include "aero/wire/tables/exp.def"
#undef EXP_TYPE
    AERO_EXP_TYPES
} aero_exp_type;

/* Flags of EXP_READ (only the last) and EXP_MODIFY. */
typedef enum aero_exp_flags {
    AERO_EXP_CREATE_ONLY = 1,
    AERO_EXP_UPDATE_ONLY = 2,
    AERO_EXP_ALLOW_DELETE = 4,
    AERO_EXP_POLICY_NO_FAIL = 8,
    AERO_EXP_EVAL_NO_FAIL = 16
} aero_exp_flags;

/* What a call works on. */
typedef enum aero_exp_system {
    AERO_EXP_CDT = 0,
    AERO_EXP_BITS = 1,
    AERO_EXP_HLL = 2,
    AERO_EXP_STRING = 3, /* from 8.2 on */
    AERO_EXP_MODIFY = 0x40
} aero_exp_system;

enum {
    AERO_EXP_DEPTH_MAX = 512, /* expressions inside expressions */
    AERO_EXP_NODES_MAX = 65536
};

#endif

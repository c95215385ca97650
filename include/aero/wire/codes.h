/* The enums that expand from the tables: every code of the protocol once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_CODES_H
#define AERO_WIRE_CODES_H

#include <stdbool.h>
#include <stdint.h>

/* Result codes; AERO_ERR_OK is 0, the client's own are negative. */
typedef enum aero_result {
#define RESULT(name, code, exception, text) AERO_ERR_##name = code,
#define RESULT_NAMED(name, code, exception, text, public)                     \
    AERO_ERR_##name = code,
#include "aero/wire/tables/result.def"
#undef RESULT
#undef RESULT_NAMED
} aero_result;

typedef enum aero_particle {
#define PARTICLE(name, code, text) AERO_PARTICLE_##name = code,
#include "aero/wire/tables/particle.def"
#undef PARTICLE
} aero_particle;

typedef enum aero_field_type {
#define FIELD(name, code, text) AERO_FIELD_##name = code,
#include "aero/wire/tables/field.def"
#undef FIELD
} aero_field_type;

typedef enum aero_op_type {
#define OP(name, code, mode, text) AERO_OP_##name = code,
#include "aero/wire/tables/op.def"
#undef OP
} aero_op_type;

/* AERO_INFO1_READ and so on. */
typedef enum aero_info_bit {
#define INFO_BIT(byte, name, bit, text) AERO_INFO##byte##_##name = bit,
#include "aero/wire/tables/info_bits.def"
#undef INFO_BIT
} aero_info_bit;

typedef enum aero_admin_code {
#define ADMIN_COMMAND(name, code)           AERO_ADMIN_##name = code,
#define ADMIN_FIELD(name, code)             AERO_ADMIN_FIELD_##name = code,
#define PRIVILEGE(name, code, text, scoped) AERO_PRIVILEGE_##name = code,
#include "aero/wire/tables/admin.def"
#undef ADMIN_COMMAND
#undef ADMIN_FIELD
#undef PRIVILEGE
} aero_admin_code;

enum {
    AERO_DIGEST_SIZE = 20,
    AERO_PARTITIONS = 4096,
    AERO_NAMESPACE_MAX = 31, /* bytes */
    AERO_SET_MAX = 63,
    AERO_BIN_NAME_MAX = 15,
    AERO_OPS_MAX = 32768, /* operations of one message */
    AERO_NEST_MAX = 512   /* containers inside containers */
};

/* "RECORD_NOT_FOUND", or NULL for a code the table does not have. */
const char *aero_result_name(int code);
/* "record not found", or "unknown result code". */
const char *aero_result_text(int code);
/* The Rust package's name for it; NULL: it has none. */
const char *aero_result_short(int code);
const char *aero_particle_text(int code);
const char *aero_field_text(int code);
const char *aero_op_text(int code);
/* -1 for an operation the table does not have. */
int aero_op_is_write(int code);

#endif

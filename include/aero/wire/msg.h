/* A message: what a frame of type 3 holds, once or many times.
 *
 *    0      1     2     3     4      5     6 ....  10 ...  14 ...  18   20
 *   +------+-----+-----+-----+------+-----+-------+-------+-------+----+----+
 *   | 22   | inf | inf | inf | info | res | gene- | ttl,  | txn   | n  | n  |
 *   |      | o1  | o2  | o3  | 4    | ult | ration| void  | ttl   | fld| op |
 *   +------+-----+-----+-----+------+-----+-------+-------+-------+----+----+
 *   then the fields   | size u32 | type u8 | data, size - 1            |
 *   then the ops      | size u32 | op u8 | particle u8 | flags u8 |
 *                     | name length u8 | name | value                  |
 *
 * put and take stand in pairs and serve both the client and the server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_MSG_H
#define AERO_WIRE_MSG_H

#include "aero/base/buf.h"
#include "aero/base/status.h"
#include "aero/wire/codes.h"

enum {
    AERO_MSG_HEAD = 22
};

typedef struct aero_msg {
    uint8_t info1;
    uint8_t info2;
    uint8_t info3;
    uint8_t info4;
    uint8_t result;      /* replies */
    uint32_t generation; /* in a partition message: the partition */
    uint32_t ttl;        /* request: seconds; reply: void time */
    uint32_t budget;     /* request: the server's time, ms; batch: the row */
    uint16_t n_fields;
    uint16_t n_ops;
} aero_msg;

typedef struct aero_field {
    uint8_t type;
    aero_span data; /* borrowed */
} aero_field;

typedef struct aero_op {
    uint8_t op;
    uint8_t particle;
    aero_span name;  /* borrowed */
    aero_span value; /* borrowed */
} aero_op;

/* Put the head; gives its place, for the patches. */
size_t aero_msg_put(aero_buf *out, const aero_msg *msg);
aero_rc aero_msg_take(aero_span *in, aero_msg *msg, aero_status *st);

/* What is known only after the fields and operations were put. */
void aero_msg_patch_counts(aero_buf *out, size_t at, uint16_t n_fields,
                           uint16_t n_ops);
void aero_msg_patch_budget(aero_buf *out, size_t at, uint32_t budget_ms);

/* A field in one go, or opened and closed around its data. */
void aero_field_put(aero_buf *out, aero_field_type type, aero_span data);
void aero_field_put_u32(aero_buf *out, aero_field_type type, uint32_t data);
void aero_field_put_u64(aero_buf *out, aero_field_type type, uint64_t data);
size_t aero_field_open(aero_buf *out, aero_field_type type);
void aero_field_close(aero_buf *out, size_t mark);
aero_rc aero_field_take(aero_span *in, aero_field *field, aero_status *st);

/* An operation is opened with its name, the value is put straight behind it,
 * and closing it writes the size.  The name has been checked to be at most 15
 * bytes; one of more than 255 fails the buffer. */
size_t aero_op_open(aero_buf *out, aero_op_type op, uint8_t particle,
                    aero_span name);
/* For a particle known only after the value was put. */
void aero_op_patch_particle(aero_buf *out, size_t mark, uint8_t particle);
void aero_op_close(aero_buf *out, size_t mark);
void aero_op_put(aero_buf *out, aero_op_type op, uint8_t particle,
                 aero_span name, aero_span value);
aero_rc aero_op_take(aero_span *in, aero_op *op, aero_status *st);

#endif

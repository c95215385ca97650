/* Batches: many rows in one request, one message a row in the reply.
 *
 *   parent message: info1 BATCH, fields [filter], batch
 *   field 41:  | rows u32 | flags u8 | row | row ...
 *   row:       | index u32 | digest 20 | flags u8 |  then unless REPEAT:
 *              | info1 | info2 info3 | info4 | gen u16 | ttl u32 |
 *                        (present as the flags say)
 *              | n fields u16 | n ops u16 | fields | ops |
 *   the namespace is the first field, then the set
 *
 * In the reply a message's budget is the row's index; the last message alone
 * has LAST set and is no row.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_BATCH_H
#define AERO_WIRE_BATCH_H

#include "aero/wire/msg.h"

/* Flags of the batch. */
enum {
    AERO_BATCH_INLINE = 0x01,
    AERO_BATCH_INLINE_SSD = 0x02,
    AERO_BATCH_RESPOND_ALL = 0x04,
    AERO_BATCH_SHOW_FAILED = 0x08
};

/* Flags of a row. */
enum {
    AERO_ROW_REPEAT = 0x01,
    AERO_ROW_INFO = 0x02, /* info2 and info3 follow info1 */
    AERO_ROW_GENERATION = 0x04,
    AERO_ROW_TTL = 0x08,
    AERO_ROW_INFO4 = 0x10
};

typedef struct aero_batch_put {
    aero_buf *out;
    size_t frame_at;
    size_t msg_at;
    size_t field_at;
    size_t count_at;
    uint32_t count;
    size_t last_at; /* the newest full row's body, for REPEAT */
    size_t last_len;
    size_t last_end; /* where the next row begins */
    bool may_repeat;
    const uint8_t *last_body; /* given by the newest aero_batch_put_body */
} aero_batch_put;

/* Begin a whole request: frame, parent head, filter (may be empty), field.
 * `info1` is added to BATCH. */
void aero_batch_open(aero_batch_put *b, aero_buf *out, uint8_t info1,
                     aero_span filter, uint8_t flags);

/* Begin a row: its index and digest.  Behind it the caller puts the row's
 * body (head, fields, operations) into b->out. */
void aero_batch_open_row(aero_batch_put *b, uint32_t index,
                         const uint8_t digest[AERO_DIGEST_SIZE]);
/* The body is there: one that repeats the row before is dropped and flagged,
 * unless `has_key` (a user key is the row's own). */
void aero_batch_close_row(aero_batch_put *b, bool has_key);

/* Instead of putting a body and closing: one that is made already.  Of rows
 * that share the same bytes (the same pointer) only the first is written. */
void aero_batch_put_body(aero_batch_put *b, aero_span body, bool has_key);

/* The head of a row's body; fields and operations follow. */
void aero_batch_put_head(aero_buf *out, const aero_msg *row);

/* Sizes and counts. */
void aero_batch_close(aero_batch_put *b);

/* ---- taken apart again ---- */

typedef struct aero_batch_row {
    uint32_t index;
    const uint8_t *digest; /* borrowed */
    uint8_t flags;
} aero_batch_row;

/* The front of the field; false when it is cut, as below. */
bool aero_batch_take(aero_span *in, uint32_t *count, uint8_t *flags);
/* The front of a row.  Unless it is a REPEAT, its head follows, then fields
 * and operations. */
bool aero_batch_take_row(aero_span *in, aero_batch_row *row);
/* Sets in `msg` what the row says; the rest is left as it is. */
bool aero_batch_take_head(aero_span *in, uint8_t flags, aero_msg *msg);

#endif

/* Batch requests.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/batch.h"
#include "aero/wire/frame.h"

enum {
    ROW_HEAD = 4 + AERO_DIGEST_SIZE /* what stands before a row's flags */
};

void
aero_batch_open(aero_batch_put *b, aero_buf *out, uint8_t info1,
                aero_span filter, uint8_t flags)
{
    aero_msg msg = {.info1 = (uint8_t)(AERO_INFO1_BATCH | info1),
                    .n_fields = filter.len != 0 ? 2 : 1};

    b->out = out;
    b->count = 0;
    b->may_repeat = false;
    b->last_body = NULL;
    b->frame_at = aero_frame_open(out, AERO_FRAME_MESSAGE);
    b->msg_at = aero_msg_put(out, &msg);
    if (filter.len != 0) {
        aero_field_put(out, AERO_FIELD_FILTER, filter);
    }
    b->field_at = aero_field_open(out, AERO_FIELD_BATCH);
    b->count_at = aero_buf_mark_u32(out);
    aero_buf_put_u8(out, flags);
}

void
aero_batch_open_row(aero_batch_put *b, uint32_t index,
                    const uint8_t digest[AERO_DIGEST_SIZE])
{
    aero_buf_put_u32(b->out, index);
    aero_buf_put(b->out, digest, AERO_DIGEST_SIZE);
    b->count++;
}

void
aero_batch_put_head(aero_buf *out, const aero_msg *row)
{
    bool writes = (row->info2 & AERO_INFO2_WRITE) != 0;
    uint8_t flags = AERO_ROW_INFO | AERO_ROW_TTL;

    if (writes) {
        flags |= AERO_ROW_GENERATION;
    }
    if (row->info4 != 0) {
        flags |= AERO_ROW_INFO4;
    }
    aero_buf_put_u8(out, flags);
    aero_buf_put_u8(out, row->info1);
    aero_buf_put_u8(out, row->info2);
    aero_buf_put_u8(out, row->info3);
    if ((flags & AERO_ROW_INFO4) != 0) {
        aero_buf_put_u8(out, row->info4);
    }
    if (writes) {
        aero_buf_put_u16(out, (uint16_t)row->generation);
    }
    aero_buf_put_u32(out, row->ttl);
    aero_buf_put_u16(out, row->n_fields);
    aero_buf_put_u16(out, row->n_ops);
}

void
aero_batch_close_row(aero_batch_put *b, bool has_key)
{
    aero_buf *out = b->out;
    size_t at = b->count == 1 ? b->count_at + 5 + ROW_HEAD : b->last_end;
    size_t len;

    if (out->failed) {
        return;
    }
    if (b->count != 1) {
        at += ROW_HEAD;
    }
    len = out->len - at;
    if (b->may_repeat && !has_key && len == b->last_len &&
        memcmp(out->ptr + at, out->ptr + b->last_at, len) == 0) {
        out->len = at;
        aero_buf_put_u8(out, AERO_ROW_REPEAT);
    }
    else {
        b->last_at = at;
        b->last_len = len;
        b->may_repeat = !has_key;
    }
    b->last_end = out->len;
}

void
aero_batch_put_body(aero_batch_put *b, aero_span body, bool has_key)
{
    if (body.ptr == b->last_body && b->may_repeat && !has_key) {
        aero_buf_put_u8(b->out, AERO_ROW_REPEAT);
        b->last_end = b->out->len;
        return;
    }
    b->last_body = body.ptr;
    aero_buf_put_span(b->out, body);
    aero_batch_close_row(b, has_key);
}

void
aero_batch_close(aero_batch_put *b)
{
    aero_buf *out = b->out;

    if (out->failed) {
        return;
    }
    aero_set_u32(out->ptr + b->count_at, b->count);
    aero_field_close(out, b->field_at);
    aero_frame_close(out, b->frame_at);
}

/* ---- taken apart again ---- */

bool
aero_batch_take(aero_span *in, uint32_t *count, uint8_t *flags)
{
    if (in->len < 4 + 1) {
        return false;
    }
    *count = aero_get_u32(in->ptr);
    *flags = in->ptr[4];
    *in = aero_span_skip(*in, 4 + 1);
    return true;
}

bool
aero_batch_take_row(aero_span *in, aero_batch_row *row)
{
    enum {
        FLAGS_AT = 4 + AERO_DIGEST_SIZE
    };

    if (in->len <= FLAGS_AT) {
        return false;
    }
    row->index = aero_get_u32(in->ptr);
    row->digest = in->ptr + 4;
    row->flags = in->ptr[FLAGS_AT];
    *in = aero_span_skip(*in, FLAGS_AT + 1);
    return true;
}

bool
aero_batch_take_head(aero_span *in, uint8_t flags, aero_msg *msg)
{
    size_t len = 1 + ((flags & AERO_ROW_INFO) != 0 ? 2 : 0) +
                 ((flags & AERO_ROW_INFO4) != 0 ? 1 : 0) +
                 ((flags & AERO_ROW_GENERATION) != 0 ? 2 : 0) +
                 ((flags & AERO_ROW_TTL) != 0 ? 4 : 0) + 2 + 2;
    const uint8_t *at = in->ptr;

    if (in->len < len) {
        return false;
    }
    msg->info1 = *at++;
    if ((flags & AERO_ROW_INFO) != 0) {
        msg->info2 = *at++;
        msg->info3 = *at++;
    }
    if ((flags & AERO_ROW_INFO4) != 0) {
        msg->info4 = *at++;
    }
    if ((flags & AERO_ROW_GENERATION) != 0) {
        msg->generation = aero_get_u16(at);
        at += 2;
    }
    if ((flags & AERO_ROW_TTL) != 0) {
        msg->ttl = aero_get_u32(at);
        at += 4;
    }
    msg->n_fields = aero_get_u16(at);
    msg->n_ops = aero_get_u16(at + 2);
    *in = aero_span_skip(*in, len);
    return true;
}

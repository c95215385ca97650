/* Messages, fields and operations.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/msg.h"

enum {
    BUDGET_AT = 14,
    COUNTS_AT = 18,
    OP_HEAD = 4,    /* what stands between the size and the name */
    OP_HAS_LUT = 1, /* flag: eight more bytes behind the name */
    LUT_SIZE = 8
};

size_t
aero_msg_put(aero_buf *out, const aero_msg *msg)
{
    size_t at = out->len;
    uint8_t *p;

    if (!aero_buf_reserve(out, AERO_MSG_HEAD)) {
        return at;
    }
    p = out->ptr + at;
    p[0] = AERO_MSG_HEAD;
    p[1] = msg->info1;
    p[2] = msg->info2;
    p[3] = msg->info3;
    p[4] = msg->info4;
    p[5] = msg->result;
    aero_set_u32(p + 6, msg->generation);
    aero_set_u32(p + 10, msg->ttl);
    aero_set_u32(p + BUDGET_AT, msg->budget);
    aero_set_u16(p + COUNTS_AT, msg->n_fields);
    aero_set_u16(p + COUNTS_AT + 2, msg->n_ops);
    out->len += AERO_MSG_HEAD;
    return at;
}

aero_rc
aero_msg_take(aero_span *in, aero_msg *msg, aero_status *st)
{
    const uint8_t *p = in->ptr;

    if (in->len < AERO_MSG_HEAD) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "message is cut: %zu bytes of its head", in->len);
    }
    msg->info1 = p[1];
    msg->info2 = p[2];
    msg->info3 = p[3];
    msg->info4 = p[4];
    msg->result = p[5];
    msg->generation = aero_get_u32(p + 6);
    msg->ttl = aero_get_u32(p + 10);
    msg->budget = aero_get_u32(p + BUDGET_AT);
    msg->n_fields = aero_get_u16(p + COUNTS_AT);
    msg->n_ops = aero_get_u16(p + COUNTS_AT + 2);
    *in = aero_span_skip(*in, AERO_MSG_HEAD);
    return AERO_OK;
}

void
aero_msg_patch_counts(aero_buf *out, size_t at, uint16_t n_fields,
                      uint16_t n_ops)
{
    if (!out->failed) {
        aero_set_u16(out->ptr + at + COUNTS_AT, n_fields);
        aero_set_u16(out->ptr + at + COUNTS_AT + 2, n_ops);
    }
}

void
aero_msg_patch_budget(aero_buf *out, size_t at, uint32_t budget_ms)
{
    if (!out->failed) {
        aero_set_u32(out->ptr + at + BUDGET_AT, budget_ms);
    }
}

size_t
aero_field_open(aero_buf *out, aero_field_type type)
{
    size_t mark = aero_buf_mark_u32(out);

    aero_buf_put_u8(out, (uint8_t)type);
    return mark;
}

void
aero_field_close(aero_buf *out, size_t mark)
{
    aero_buf_patch_u32(out, mark);
}

void
aero_field_put(aero_buf *out, aero_field_type type, aero_span data)
{
    if (aero_buf_reserve(out, 5 + data.len)) {
        uint8_t *p = out->ptr + out->len;

        aero_set_u32(p, (uint32_t)data.len + 1);
        p[4] = (uint8_t)type;
        if (data.len != 0) {
            memcpy(p + 5, data.ptr, data.len);
        }
        out->len += 5 + data.len;
    }
}

void
aero_field_put_u32(aero_buf *out, aero_field_type type, uint32_t data)
{
    size_t mark = aero_field_open(out, type);

    aero_buf_put_u32(out, data);
    aero_field_close(out, mark);
}

void
aero_field_put_u64(aero_buf *out, aero_field_type type, uint64_t data)
{
    size_t mark = aero_field_open(out, type);

    aero_buf_put_u64(out, data);
    aero_field_close(out, mark);
}

aero_rc
aero_field_take(aero_span *in, aero_field *field, aero_status *st)
{
    uint32_t size;

    if (in->len < 5) {
        return aero_fail(st, AERO_ERR_CLIENT, "field is cut");
    }
    size = aero_get_u32(in->ptr);
    if (size == 0 || size > in->len - 4) {
        return aero_fail(st, AERO_ERR_CLIENT, "field claims %u bytes of %zu",
                         size, in->len - 4);
    }
    field->type = in->ptr[4];
    field->data = aero_span_of(in->ptr + 5, size - 1);
    *in = aero_span_skip(*in, 4 + (size_t)size);
    return AERO_OK;
}

size_t
aero_op_open(aero_buf *out, aero_op_type op, uint8_t particle, aero_span name)
{
    size_t mark = out->len;

    if (name.len > UINT8_MAX) {
        out->failed = true;
        return mark;
    }
    if (aero_buf_reserve(out, 4 + OP_HEAD + name.len)) {
        uint8_t *p = out->ptr + mark;

        aero_set_u32(p, 0);
        p[4] = (uint8_t)op;
        p[5] = particle;
        p[6] = 0;
        p[7] = (uint8_t)name.len;
        if (name.len != 0) {
            memcpy(p + 8, name.ptr, name.len);
        }
        out->len += 4 + OP_HEAD + name.len;
    }
    return mark;
}

void
aero_op_patch_particle(aero_buf *out, size_t mark, uint8_t particle)
{
    if (!out->failed) {
        out->ptr[mark + 5] = particle;
    }
}

void
aero_op_close(aero_buf *out, size_t mark)
{
    aero_buf_patch_u32(out, mark);
}

void
aero_op_put(aero_buf *out, aero_op_type op, uint8_t particle, aero_span name,
            aero_span value)
{
    size_t mark = aero_op_open(out, op, particle, name);

    aero_buf_put_span(out, value);
    aero_op_close(out, mark);
}

aero_rc
aero_op_take(aero_span *in, aero_op *op, aero_status *st)
{
    uint32_t size;
    size_t before; /* what stands between the size and the value */

    if (in->len < 4 + OP_HEAD) {
        return aero_fail(st, AERO_ERR_CLIENT, "operation is cut");
    }
    size = aero_get_u32(in->ptr);
    if (size < OP_HEAD || size > in->len - 4) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "operation claims %u bytes of %zu", size,
                         in->len - 4);
    }
    before = OP_HEAD + (size_t)in->ptr[7];
    op->op = in->ptr[4];
    op->particle = in->ptr[5];
    op->name = aero_span_of(in->ptr + 8, in->ptr[7]);
    if ((in->ptr[6] & OP_HAS_LUT) != 0) {
        before += LUT_SIZE;
    }
    if (before > size) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "operation's name claims more than its %u bytes",
                         size);
    }
    op->value = aero_span_of(in->ptr + 4 + before, size - before);
    *in = aero_span_skip(*in, 4 + (size_t)size);
    return AERO_OK;
}

/* Queries.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/query.h"

enum {
    PARTITION_SIZE = 2,
    BVAL_SIZE = 8
};

/* ---- the request ---- */

void
aero_query_put_range(aero_buf *out, const aero_query_range *range)
{
    if (range->bin.len > UINT8_MAX) {
        out->failed = true;
        return;
    }
    aero_buf_put_u8(out, 1);
    aero_buf_put_u8(out, (uint8_t)range->bin.len);
    aero_buf_put_span(out, range->bin);
    aero_buf_put_u8(out, range->particle);
    aero_buf_put_u32(out, (uint32_t)range->begin.len);
    aero_buf_put_span(out, range->begin);
    aero_buf_put_u32(out, (uint32_t)range->end.len);
    aero_buf_put_span(out, range->end);
}

static bool
take_bytes(aero_span *in, size_t len, aero_span *out)
{
    if (in->len < len) {
        return false;
    }
    *out = aero_span_of(in->ptr, len);
    *in = aero_span_skip(*in, len);
    return true;
}

static bool
take_sized(aero_span *in, aero_span *out)
{
    aero_span size;

    return take_bytes(in, 4, &size) &&
           take_bytes(in, aero_get_u32(size.ptr), out);
}

aero_rc
aero_query_take_range(aero_span data, aero_query_range *range, aero_status *st)
{
    aero_span head;
    aero_span particle;

    if (!take_bytes(&data, 2, &head) || head.ptr[0] != 1 ||
        !take_bytes(&data, head.ptr[1], &range->bin) ||
        !take_bytes(&data, 1, &particle) ||
        !take_sized(&data, &range->begin) || !take_sized(&data, &range->end) ||
        data.len != 0) {
        return aero_fail(st, AERO_ERR_CLIENT, "malformed index range");
    }
    range->particle = particle.ptr[0];
    return AERO_OK;
}

void
aero_query_put_partition(aero_buf *out, uint32_t id)
{
    if (aero_buf_reserve(out, PARTITION_SIZE)) {
        aero_set_u16le(out->ptr + out->len, (uint16_t)id);
        out->len += PARTITION_SIZE;
    }
}

aero_rc
aero_query_take_partition(aero_span *data, uint32_t *id, aero_status *st)
{
    aero_span entry;

    if (data->len == 0) {
        return AERO_MORE;
    }
    if (!take_bytes(data, PARTITION_SIZE, &entry) ||
        (*id = aero_get_u16le(entry.ptr)) >= AERO_PARTITIONS) {
        return aero_fail(st, AERO_ERR_CLIENT, "malformed list of partitions");
    }
    return AERO_OK;
}

void
aero_query_put_bval(aero_buf *out, uint64_t bval)
{
    if (aero_buf_reserve(out, BVAL_SIZE)) {
        aero_set_u64le(out->ptr + out->len, bval);
        out->len += BVAL_SIZE;
    }
}

aero_rc
aero_query_take_bval(aero_span *data, uint64_t *bval, aero_status *st)
{
    aero_span entry;

    if (data->len == 0) {
        return AERO_MORE;
    }
    if (!take_bytes(data, BVAL_SIZE, &entry)) {
        return aero_fail(st, AERO_ERR_CLIENT, "malformed list of values");
    }
    *bval = aero_get_u64le(entry.ptr);
    return AERO_OK;
}

/* ---- the reply ---- */

size_t
aero_query_open_record(aero_buf *out, const aero_query_item *item)
{
    aero_msg msg = {.generation = item->generation, .ttl = item->void_time};
    size_t mark = aero_msg_put(out, &msg);

    aero_field_put(out, AERO_FIELD_NAMESPACE, item->ns);
    aero_field_put(out, AERO_FIELD_DIGEST,
                   aero_span_of(item->digest, AERO_DIGEST_SIZE));
    if (item->set.len != 0) {
        aero_field_put(out, AERO_FIELD_SET, item->set);
    }
    if (item->key_particle != AERO_PARTICLE_NIL) {
        size_t key = aero_field_open(out, AERO_FIELD_KEY);

        aero_buf_put_u8(out, item->key_particle);
        aero_buf_put_span(out, item->key);
        aero_field_close(out, key);
    }
    if (item->has_bval) {
        size_t bval = aero_field_open(out, AERO_FIELD_BVALS);

        aero_query_put_bval(out, item->bval);
        aero_field_close(out, bval);
    }
    aero_msg_patch_counts(out, mark,
                          (uint16_t)(2 + (item->set.len != 0) +
                                     (item->key_particle != 0) +
                                     item->has_bval),
                          0);
    return mark;
}

void
aero_query_close_record(aero_buf *out, size_t mark, uint16_t n_ops)
{
    if (!out->failed) {
        aero_set_u16(out->ptr + mark + AERO_MSG_HEAD - 2, n_ops);
    }
}

void
aero_query_put_mark(aero_buf *out, const aero_query_item *item)
{
    aero_msg msg = {.result = item->result};

    if (item->kind == AERO_QUERY_PARTITION) {
        msg.info3 = AERO_INFO3_PARTITION_DONE;
        msg.generation = item->partition;
    }
    else {
        msg.info3 = AERO_INFO3_LAST;
    }
    aero_msg_put(out, &msg);
}

static aero_rc
take_field(const aero_field *field, aero_query_item *item, aero_status *st)
{
    aero_span data = field->data;

    switch (field->type) {
    case AERO_FIELD_NAMESPACE:
        item->ns = data;
        break;
    case AERO_FIELD_SET:
        item->set = data;
        break;
    case AERO_FIELD_DIGEST:
        if (data.len != AERO_DIGEST_SIZE) {
            return aero_fail(st, AERO_ERR_CLIENT, "digest of %zu bytes",
                             data.len);
        }
        item->digest = data.ptr;
        break;
    case AERO_FIELD_KEY:
        if (data.len != 0) {
            item->key_particle = data.ptr[0];
            item->key = aero_span_skip(data, 1);
        }
        break;
    case AERO_FIELD_BVALS:
        item->has_bval = true;
        return aero_query_take_bval(&data, &item->bval, st) == AERO_OK
                   ? AERO_OK
                   : aero_fail(st, AERO_ERR_CLIENT,
                               "value of an index is cut");
    default:
        break;
    }
    return AERO_OK;
}

static void
set_kind(const aero_msg *msg, aero_query_item *item)
{
    item->result = msg->result;
    if ((msg->info3 & AERO_INFO3_PARTITION_DONE) != 0) {
        item->kind = AERO_QUERY_PARTITION;
        item->partition = msg->generation;
    }
    else if ((msg->info3 & AERO_INFO3_LAST) != 0 || msg->result != 0) {
        item->kind = AERO_QUERY_END;
    }
    else {
        item->kind = AERO_QUERY_RECORD;
    }
}

aero_rc
aero_query_take(aero_span *in, aero_query_item *item, aero_status *st)
{
    aero_msg msg;
    aero_rc rc = aero_msg_take(in, &msg, st);

    memset(item, 0, sizeof *item);
    if (rc != AERO_OK) {
        return rc;
    }
    set_kind(&msg, item);
    item->generation = msg.generation;
    item->void_time = msg.ttl;
    item->n_ops = msg.n_ops;
    for (unsigned i = 0; rc == AERO_OK && i < msg.n_fields; i++) {
        aero_field field;

        rc = aero_field_take(in, &field, st);
        if (rc == AERO_OK) {
            rc = take_field(&field, item, st);
        }
    }
    item->ops = *in;
    for (unsigned i = 0; rc == AERO_OK && i < msg.n_ops; i++) {
        aero_op op;

        rc = aero_op_take(in, &op, st);
    }
    item->ops.len -= in->len;
    return rc;
}

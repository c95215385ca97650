/* The floor's requests, and just enough reading to count what came.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "aero/base/alloc.h"
#include "aero/wire/frame.h"
#include "aero/wire/msg.h"
#include "floor.h"

enum {
    ROW_REPEAT = 0x01,
    ROW_READ = 0x0a,  /* all info bytes, ttl */
    ROW_WRITE = 0x0e, /* and the generation */
    BATCH_INLINE = 0x01,
    BATCH_RESPOND_ALL = 0x04,
    BATCH_FAILED_ROWS = 0x08,
    TIMEOUT_MS = 10000,
    BINS = 5
};

void
floor_data_init(floor_data *data, const char *ns, const char *set,
                size_t count)
{
    data->ns = aero_span_str(ns);
    data->set = aero_span_str(set);
    data->count = count;
    data->digests = aero_alloc_array(count, sizeof *data->digests);
    if (data->digests == NULL) {
        floor_die("no memory");
    }
    for (size_t i = 0; i < count; i++) {
        aero_key key;

        aero_key_set_int(&key, (int64_t)i);
        aero_digest(data->set, key.particle, key.value, data->digests[i]);
    }
}

void
floor_data_fini(floor_data *data)
{
    aero_free(data->digests);
}

static void
put_place(aero_buf *out, const floor_data *data)
{
    aero_field_put(out, AERO_FIELD_NAMESPACE, data->ns);
    aero_field_put(out, AERO_FIELD_SET, data->set);
}

static void
put_digest(aero_buf *out, const floor_data *data, size_t key)
{
    aero_field_put(out, AERO_FIELD_DIGEST,
                   aero_span_of(data->digests[key], AERO_DIGEST_SIZE));
}

/* The record of all workloads: 2 integers, a float, 20 bytes of text and 50
 * of a blob. */
static void
put_bins(aero_buf *out, size_t key)
{
    static const char text[] = "twenty letters long!";
    static const uint8_t blob[50] = {0xff};
    uint8_t number[8];
    uint8_t real[8] = {0x3f, 0xf8};

    aero_set_u64(number, key);
    aero_op_put(out, AERO_OP_WRITE, AERO_PARTICLE_INTEGER, aero_span_str("a"),
                aero_span_of(number, 8));
    aero_set_u64(number, key * 1000003);
    aero_op_put(out, AERO_OP_WRITE, AERO_PARTICLE_INTEGER, aero_span_str("b"),
                aero_span_of(number, 8));
    aero_op_put(out, AERO_OP_WRITE, AERO_PARTICLE_FLOAT, aero_span_str("c"),
                aero_span_of(real, 8));
    aero_op_put(out, AERO_OP_WRITE, AERO_PARTICLE_STRING, aero_span_str("d"),
                aero_span_str(text));
    aero_op_put(out, AERO_OP_WRITE, AERO_PARTICLE_BLOB, aero_span_str("e"),
                aero_span_of(blob, sizeof blob));
}

void
floor_put_get(aero_buf *out, const floor_data *data, size_t key)
{
    size_t frame = aero_frame_open(out, AERO_FRAME_MESSAGE);
    aero_msg msg = {.info1 = AERO_INFO1_READ | AERO_INFO1_GET_ALL,
                    .budget = TIMEOUT_MS,
                    .n_fields = 3};

    aero_msg_put(out, &msg);
    put_place(out, data);
    put_digest(out, data, key);
    aero_frame_close(out, frame);
}

void
floor_put_write(aero_buf *out, const floor_data *data, size_t key)
{
    size_t frame = aero_frame_open(out, AERO_FRAME_MESSAGE);
    aero_msg msg = {.info2 = AERO_INFO2_WRITE,
                    .budget = TIMEOUT_MS,
                    .n_fields = 3,
                    .n_ops = BINS};

    aero_msg_put(out, &msg);
    put_place(out, data);
    put_digest(out, data, key);
    put_bins(out, key);
    aero_frame_close(out, frame);
}

/* ---- batches ---- */

static size_t
open_batch(aero_buf *out, size_t rows)
{
    aero_msg msg = {
        .info1 = AERO_INFO1_BATCH, .budget = TIMEOUT_MS, .n_fields = 1};
    size_t mark;

    aero_msg_put(out, &msg);
    mark = aero_field_open(out, AERO_FIELD_BATCH);
    aero_buf_put_u32(out, (uint32_t)rows);
    aero_buf_put_u8(out, BATCH_INLINE | BATCH_RESPOND_ALL | BATCH_FAILED_ROWS);
    return mark;
}

static void
open_row(aero_buf *out, const floor_data *data, size_t first, size_t row,
         uint8_t flags)
{
    aero_buf_put_u32(out, (uint32_t)row);
    aero_buf_put(out, data->digests[(first + row) % data->count],
                 AERO_DIGEST_SIZE);
    aero_buf_put_u8(out, flags);
}

void
floor_put_batch_read(aero_buf *out, const floor_data *data, size_t first,
                     size_t rows)
{
    size_t frame = aero_frame_open(out, AERO_FRAME_MESSAGE);
    size_t mark = open_batch(out, rows);

    for (size_t i = 0; i < rows; i++) {
        if (i != 0) {
            open_row(out, data, first, i, ROW_REPEAT);
            continue;
        }
        open_row(out, data, first, i, ROW_READ);
        aero_buf_put_u8(out, AERO_INFO1_READ | AERO_INFO1_GET_ALL);
        aero_buf_put_zero(out, 2 + 4);
        aero_buf_put_u16(out, 2);
        aero_buf_put_u16(out, 0);
        put_place(out, data);
    }
    aero_field_close(out, mark);
    aero_frame_close(out, frame);
}

void
floor_put_batch_write(aero_buf *out, const floor_data *data, size_t first,
                      size_t rows)
{
    size_t frame = aero_frame_open(out, AERO_FRAME_MESSAGE);
    size_t mark = open_batch(out, rows);

    for (size_t i = 0; i < rows; i++) {
        open_row(out, data, first, i, ROW_WRITE);
        aero_buf_put_u8(out, 0);
        aero_buf_put_u8(out, AERO_INFO2_WRITE | AERO_INFO2_RESPOND_ALL_OPS);
        aero_buf_put_zero(out, 1 + 2 + 4);
        aero_buf_put_u16(out, 2);
        aero_buf_put_u16(out, BINS);
        put_place(out, data);
        put_bins(out, (first + i) % data->count);
    }
    aero_field_close(out, mark);
    aero_frame_close(out, frame);
}

void
floor_put_query(aero_buf *out, const floor_data *data)
{
    size_t frame = aero_frame_open(out, AERO_FRAME_MESSAGE);
    aero_msg msg = {.info1 = AERO_INFO1_READ,
                    .info3 = AERO_INFO3_PARTITION_DONE,
                    .ttl = UINT32_MAX,
                    .n_fields = 4};
    size_t mark;

    aero_msg_put(out, &msg);
    put_place(out, data);
    aero_field_put_u64(out, AERO_FIELD_QUERY_ID,
                       (uint64_t)random() << 32 | (uint64_t)random() | 1);
    mark = aero_field_open(out, AERO_FIELD_PARTITIONS);
    for (unsigned i = 0; i < AERO_PARTITIONS; i++) {
        uint8_t *id;

        aero_buf_put_zero(out, 2);
        id = out->ptr + out->len - 2;
        aero_set_u16le(id, (uint16_t)i);
    }
    aero_field_close(out, mark);
    aero_frame_close(out, frame);
}

/* ---- replies ---- */

size_t
floor_frame_size(aero_span in)
{
    aero_frame frame;

    switch (aero_frame_peek(in, &frame, NULL)) {
    case AERO_OK:
        return AERO_FRAME_HEAD + (size_t)frame.size;
    case AERO_MORE:
        return 0;
    default:
        floor_die("bad frame");
        return 0;
    }
}

bool
floor_count(aero_span body, size_t *records)
{
    while (body.len != 0) {
        aero_msg msg;

        if (aero_msg_take(&body, &msg, NULL) != AERO_OK) {
            floor_die("bad message");
        }
        for (unsigned i = 0; i < (unsigned)msg.n_fields + msg.n_ops; i++) {
            uint32_t size = body.len < 4 ? 0 : aero_get_u32(body.ptr);

            if (body.len < 4 || size > body.len - 4) {
                floor_die("bad message");
            }
            body = aero_span_skip(body, 4 + (size_t)size);
        }
        if (msg.result != 0) {
            floor_die("the server refused a row");
        }
        if ((msg.info3 & AERO_INFO3_LAST) != 0) {
            return true;
        }
        *records += (msg.info3 & AERO_INFO3_PARTITION_DONE) == 0;
    }
    return false;
}

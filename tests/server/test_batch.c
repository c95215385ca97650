/* Batches: rows, errors, blocks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

enum {
    INLINE = 0x01,
    REPORT_ALL = 0x04,
    REPORT_ERROR = 0x08,
    ROW_REPEAT = 0x01,
    ROW_INFO23 = 0x02,
    ROW_TTL = 0x08
};

typedef struct rows {
    aero_buf buf;
    uint32_t count;
} rows;

static void
rows_init(rows *r)
{
    memset(r, 0, sizeof *r);
    aero_buf_put_u32(&r->buf, 0);
    aero_buf_put_u8(&r->buf, 0);
}

static void
row_head(rows *r, int64_t number, uint8_t flags)
{
    uint8_t wire[8];
    uint8_t digest[AERO_DIGEST_SIZE];

    aero_set_u64(wire, (uint64_t)number);
    aero_digest(aero_span_str("s"), AERO_PARTICLE_INTEGER,
                aero_span_of(wire, 8), digest);
    aero_buf_put_u32(&r->buf, r->count++);
    aero_buf_put(&r->buf, digest, sizeof digest);
    aero_buf_put_u8(&r->buf, flags);
}

static void
row_names(rows *r, const char *ns, uint16_t n_ops)
{
    aero_buf_put_u16(&r->buf, 2);
    aero_buf_put_u16(&r->buf, n_ops);
    aero_field_put(&r->buf, AERO_FIELD_NAMESPACE, aero_span_str(ns));
    aero_field_put(&r->buf, AERO_FIELD_SET, aero_span_str("s"));
}

static void
row_read(rows *r, int64_t number, const char *ns)
{
    row_head(r, number, 0);
    aero_buf_put_u8(&r->buf, AERO_INFO1_READ | AERO_INFO1_GET_ALL);
    row_names(r, ns, 0);
}

static void
row_write(rows *r, int64_t number, uint32_t ttl, uint8_t info2)
{
    uint8_t wire[8] = {0};

    row_head(r, number, ROW_INFO23 | ROW_TTL);
    aero_buf_put_u8(&r->buf, 0);
    aero_buf_put_u8(&r->buf, AERO_INFO2_WRITE | info2);
    aero_buf_put_u8(&r->buf, 0);
    aero_buf_put_u32(&r->buf, ttl);
    row_names(r, "test", 1);
    aero_op_put(&r->buf, AERO_OP_WRITE, AERO_PARTICLE_INTEGER,
                aero_span_str("n"), aero_span_of(wire, 8));
}

/* Send the rows and forget them. */
static void
rows_send(kit *k, rows *r, uint8_t flags, kit_counts *counts)
{
    aero_set_u32(r->buf.ptr, r->count);
    r->buf.ptr[4] = flags | INLINE;
    kit_begin(k, AERO_INFO1_BATCH, 0, 0);
    kit_field(k, AERO_FIELD_BATCH, aero_buf_span(&r->buf));
    kit_send(k);
    CHECK(kit_count(k, counts));
    CHECK_INT(counts->lasts, 1);
    aero_buf_fini(&r->buf);
}

/* The n-th message of the answer. */
static aero_msg
message(const kit *k, unsigned n)
{
    aero_span in = aero_buf_span(&k->out);
    aero_msg msg = {0};
    aero_frame frame;
    aero_span body;

    while (in.len != 0 &&
           aero_frame_take(&in, &frame, &body, NULL) == AERO_OK) {
        while (body.len != 0 && aero_msg_take(&body, &msg, NULL) == AERO_OK) {
            aero_field field;
            aero_op op;

            if (n-- == 0) {
                return msg;
            }
            for (unsigned i = 0; i < msg.n_fields; i++) {
                aero_field_take(&body, &field, NULL);
            }
            for (unsigned i = 0; i < msg.n_ops; i++) {
                aero_op_take(&body, &op, NULL);
            }
        }
    }
    memset(&msg, 0xff, sizeof msg);
    return msg;
}

TEST(rows_are_answered_in_their_order_with_their_number)
{
    kit k;
    rows r;
    kit_counts counts;

    REQUIRE(kit_open(&k));
    kit_put(&k, "s", 1, 1, 0);
    rows_init(&r);
    row_read(&r, 1, "test");
    row_read(&r, 2, "test");
    row_write(&r, 2, 0, 0);
    row_head(&r, 3, ROW_REPEAT);
    rows_send(&k, &r, REPORT_ALL, &counts);
    CHECK_INT(message(&k, 0).result, AERO_ERR_OK);
    CHECK_INT(message(&k, 1).result, AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(message(&k, 2).result, AERO_ERR_OK);
    CHECK_INT(message(&k, 3).result, AERO_ERR_OK);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_INT(message(&k, i).budget, i);
    }
    CHECK_INT(message(&k, 4).info3, AERO_INFO3_LAST);
    CHECK_INT(k.core.ns[0]->objects, 3);
    kit_close(&k);
}

/* Three rows, the second of which fails. */
static void
send_failing(kit *k, uint8_t flags, kit_counts *counts)
{
    rows r;

    rows_init(&r);
    row_write(&r, 1, 0, 0);
    row_write(&r, 1, 0, AERO_INFO2_CREATE_ONLY);
    row_write(&r, 2, 0, 0);
    rows_send(k, &r, flags, counts);
}

TEST(a_row_that_fails_ends_the_batch_unless_all_are_wanted)
{
    kit k;
    kit_counts counts;

    REQUIRE(kit_open(&k));
    send_failing(&k, 0, &counts); /* nothing but the code */
    CHECK_INT(message(&k, 0).info3, AERO_INFO3_LAST);
    CHECK_INT(counts.code, AERO_ERR_RECORD_EXISTS);
    send_failing(&k, REPORT_ERROR, &counts);
    CHECK_INT(message(&k, 1).result, AERO_ERR_RECORD_EXISTS);
    CHECK_INT(counts.code, AERO_ERR_RECORD_EXISTS);
    send_failing(&k, REPORT_ALL, &counts);
    CHECK_INT(message(&k, 1).result, AERO_ERR_RECORD_EXISTS);
    CHECK_INT(message(&k, 2).result, AERO_ERR_OK);
    CHECK_INT(counts.code, AERO_ERR_OK);
    CHECK_INT(k.core.ns[0]->objects, 2);
    kit_close(&k);
}

TEST(a_repeated_row_has_lost_a_life_that_there_was_not_to_keep)
{
    kit k;
    rows r;
    kit_counts counts;

    REQUIRE(kit_open(&k));
    k.core.ns[0]->config[SRV_NS_default_ttl] = 100;
    kit_put(&k, "s", 2, 1, UINT32_MAX);
    rows_init(&r);
    row_write(&r, 1, UINT32_MAX - 1, 0);
    row_head(&r, 2, ROW_REPEAT);
    rows_send(&k, &r, REPORT_ALL, &counts);
    CHECK(message(&k, 0).ttl != 0);
    CHECK(message(&k, 1).ttl != 0); /* it was endless before */
    kit_close(&k);
}

TEST(a_row_of_an_unknown_namespace_is_answered_and_ends_the_rows)
{
    kit k;
    rows r;
    kit_counts counts;

    REQUIRE(kit_open(&k));
    rows_init(&r);
    row_write(&r, 1, 0, 0);
    row_read(&r, 1, "nope");
    row_write(&r, 2, 0, 0);
    rows_send(&k, &r, REPORT_ALL, &counts);
    CHECK_INT(counts.code, AERO_ERR_REQUEST_INVALID);
    CHECK_INT(k.core.ns[0]->objects, 1);
    kit_close(&k);
}

TEST(rows_that_are_cut_off_count_for_nothing)
{
    kit k;
    rows r;
    kit_counts counts;

    REQUIRE(kit_open(&k));
    rows_init(&r);
    row_write(&r, 1, 0, 0);
    row_write(&r, 2, 0, 0);
    r.buf.len -= 3;
    rows_send(&k, &r, REPORT_ALL, &counts);
    CHECK_INT(message(&k, 0).info3, AERO_INFO3_LAST);
    CHECK_INT(counts.code, AERO_ERR_REQUEST_INVALID);
    CHECK_INT(k.core.ns[0]->objects, 1); /* the first was run */
    kit_close(&k);
}

TEST(batches_have_a_limit_and_may_be_switched_off)
{
    kit k;
    rows r;
    kit_counts counts;

    REQUIRE(kit_open(&k));
    k.core.service[SRV_SERVICE_batch_max_requests] = 1;
    rows_init(&r);
    row_read(&r, 1, "test");
    row_read(&r, 2, "test");
    rows_send(&k, &r, REPORT_ALL, &counts);
    CHECK_INT(counts.code, AERO_ERR_BATCH_MAX_REQUESTS_EXCEEDED);
    k.core.service[SRV_SERVICE_batch_index_threads] = 0;
    rows_init(&r);
    row_read(&r, 1, "test");
    rows_send(&k, &r, REPORT_ALL, &counts);
    CHECK_INT(counts.code, AERO_ERR_BATCH_DISABLED);
    kit_close(&k);
}

TEST(a_large_batch_is_answered_in_blocks)
{
    static kit_counts counts;
    static const uint8_t bytes[1000];
    kit k;
    rows r;

    REQUIRE(kit_open(&k));
    kit_begin(&k, 0, AERO_INFO2_WRITE, 0);
    kit_key(&k, "s", 1);
    kit_op(&k, AERO_OP_WRITE, AERO_PARTICLE_BLOB, "b",
           aero_span_of(bytes, sizeof bytes));
    CHECK_INT(kit_send(&k), AERO_ERR_OK);
    rows_init(&r);
    row_read(&r, 1, "test");
    for (unsigned i = 1; i < 1000; i++) {
        row_head(&r, 1, ROW_REPEAT);
    }
    rows_send(&k, &r, 0, &counts);
    CHECK_INT(counts.ops, 1000);
    CHECK(k.out.len > 1000 * sizeof bytes);
    kit_close(&k);
}

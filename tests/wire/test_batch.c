/* Batch requests: rows, what they share, and the sizes around them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/batch.h"
#include "aero/wire/frame.h"
#include "captures.h"
#include "test.h"

/* The rows of a recorded request, and where they begin. */
static aero_span
rows_of(aero_span body)
{
    aero_msg msg;
    aero_field field;

    if (aero_msg_take(&body, &msg, NULL) != AERO_OK ||
        aero_field_take(&body, &field, NULL) != AERO_OK) {
        return aero_span_of(NULL, 0);
    }
    return field.data;
}

TEST(request_is_put_as_the_official_client_puts_it)
{
    const capture *want = captures_find("batch.read-bins", false);
    aero_span rows = rows_of(want->body);
    aero_buf out = AERO_BUF_INIT;
    aero_batch_put put;

    /* count 4, flags 1, index 4, digest 20, row flags and so on */
    REQUIRE(rows.len > 60);
    CHECK_INT(aero_get_u32(rows.ptr), 2);
    aero_batch_open(&put, &out, 0, aero_span_of(NULL, 0), rows.ptr[4]);
    aero_batch_open_row(&put, 0, rows.ptr + 9);
    aero_buf_put_span(&out, aero_span_of(rows.ptr + 29, rows.len - 29 - 25));
    aero_batch_close_row(&put, false);
    aero_batch_open_row(&put, 1, rows.ptr + rows.len - 21);
    aero_buf_put_span(&out, aero_span_of(rows.ptr + 29, rows.len - 29 - 25));
    aero_batch_close_row(&put, false);
    aero_batch_close(&put);
    aero_msg_patch_budget(&out, put.msg_at, 1000);
    CHECK_BYTES(aero_buf_span(&out), want->frame);
    aero_buf_fini(&out);
}

static const uint8_t digests[3][AERO_DIGEST_SIZE] = {{1}, {2}, {3}};

static void
put_row(aero_batch_put *put, uint32_t index, const char *name, bool has_key)
{
    aero_batch_open_row(put, index, digests[index % 3]);
    aero_batch_put_head(put->out, &(aero_msg){.info1 = 3, .n_ops = 1});
    aero_op_put(put->out, AERO_OP_READ, 0, aero_span_str(name),
                aero_span_of(NULL, 0));
    aero_batch_close_row(put, has_key);
}

TEST(row_that_repeats_the_one_before_is_one_byte)
{
    aero_buf out = AERO_BUF_INIT;
    aero_batch_put put;
    size_t before;

    aero_batch_open(&put, &out, 0, aero_span_of(NULL, 0), 0);
    put_row(&put, 0, "a", false);
    before = out.len;
    put_row(&put, 1, "a", false);
    CHECK_INT(out.len - before, 4 + 20 + 1);
    CHECK_INT(out.ptr[out.len - 1], AERO_ROW_REPEAT);
    before = out.len;
    put_row(&put, 2, "b", false); /* another body */
    CHECK(out.len - before > 25);
    before = out.len;
    put_row(&put, 3, "b", true); /* a user key is a row's own */
    CHECK(out.len - before > 25);
    before = out.len;
    put_row(&put, 4, "b", false); /* and is not inherited */
    CHECK(out.len - before > 25);
    before = out.len;
    put_row(&put, 5, "b", false);
    CHECK_INT(out.len - before, 25);
    aero_batch_close(&put);
    CHECK_INT(aero_get_u32(out.ptr + put.count_at), 6);
    aero_buf_fini(&out);
}

TEST(bodies_that_share_their_bytes_are_written_once)
{
    static const uint8_t one[] = {0x0a, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t same[] = {0x0a, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    aero_span body = aero_span_of(one, sizeof one);
    aero_buf out = AERO_BUF_INIT;
    aero_batch_put put;
    size_t before;

    aero_batch_open(&put, &out, 0, aero_span_of(NULL, 0), 0);
    aero_batch_open_row(&put, 0, digests[0]);
    aero_batch_put_body(&put, body, false);
    before = out.len;
    aero_batch_open_row(&put, 1, digests[1]);
    aero_batch_put_body(&put, body, false);
    CHECK_INT(out.len - before, 25);
    before = out.len;
    aero_batch_open_row(&put, 2, digests[2]);
    aero_batch_put_body(&put, aero_span_of(same, sizeof same), false);
    CHECK_INT(out.len - before, 25); /* equal bytes elsewhere, too */
    before = out.len;
    aero_batch_open_row(&put, 3, digests[0]);
    aero_batch_put_body(&put, body, true);
    CHECK_INT(out.len - before, 24 + sizeof one);
    aero_batch_close(&put);
    aero_buf_fini(&out);
}

TEST(head_of_a_row_has_what_its_flags_name)
{
    aero_buf out = AERO_BUF_INIT;

    aero_batch_put_head(&out, &(aero_msg){.info1 = 1, .ttl = 2, .n_ops = 3});
    CHECK_HEX(aero_buf_span(&out), "0a 01 00 00 00000002 0000 0003");
    out.len = 0;
    aero_batch_put_head(&out, &(aero_msg){.info2 = AERO_INFO2_WRITE,
                                          .info4 = 4,
                                          .generation = 0x10005,
                                          .n_fields = 1});
    CHECK_HEX(aero_buf_span(&out), "1e 00 01 00 04 0005 00000000 0001 0000");
    aero_buf_fini(&out);
}

TEST(rows_are_taken_as_they_were_put)
{
    static const uint8_t digest[AERO_DIGEST_SIZE] = {7, 8};
    const aero_msg put = {.info1 = 2,
                          .info2 = AERO_INFO2_WRITE,
                          .info3 = 3,
                          .info4 = 4,
                          .generation = 5,
                          .ttl = 6,
                          .n_fields = 7,
                          .n_ops = 8};
    aero_buf out = AERO_BUF_INIT;
    aero_batch_row row;
    aero_msg got = {0};
    aero_span in;

    aero_buf_put_u32(&out, 9);
    aero_buf_put(&out, digest, sizeof digest);
    aero_batch_put_head(&out, &put);
    REQUIRE(!out.failed);
    in = aero_buf_span(&out);
    CHECK(aero_batch_take_row(&in, &row));
    CHECK_INT(row.index, 9);
    CHECK(memcmp(row.digest, digest, sizeof digest) == 0);
    CHECK(aero_batch_take_head(&in, row.flags, &got));
    CHECK_INT(got.info1 | got.info2 << 4 | got.info3 << 8 | got.info4 << 12,
              0x4312);
    CHECK_INT(got.generation, 5);
    CHECK_INT(got.ttl, 6);
    CHECK_INT(got.n_fields, 7);
    CHECK_INT(got.n_ops, 8);
    CHECK_INT(in.len, 0);
    for (size_t cut = 0; cut < out.len; cut++) {
        in = aero_span_of(out.ptr, cut);
        CHECK(!aero_batch_take_row(&in, &row) ||
              !aero_batch_take_head(&in, row.flags, &got));
    }
    aero_buf_fini(&out);
}

TEST(filter_of_all_rows_stands_in_front_of_them)
{
    aero_buf out = AERO_BUF_INIT;
    aero_batch_put put;
    aero_span in;
    aero_frame frame;
    aero_span body;
    aero_msg msg;
    aero_field field;

    aero_batch_open(&put, &out, AERO_INFO1_READ, test_hex("c3"),
                    AERO_BATCH_INLINE);
    put_row(&put, 0, "a", false);
    aero_batch_close(&put);
    in = aero_buf_span(&out);
    REQUIRE(aero_frame_take(&in, &frame, &body, NULL) == AERO_OK);
    CHECK_INT(in.len, 0);
    REQUIRE(aero_msg_take(&body, &msg, NULL) == AERO_OK);
    CHECK_INT(msg.info1, AERO_INFO1_BATCH | AERO_INFO1_READ);
    CHECK_INT(msg.n_fields, 2);
    REQUIRE(aero_field_take(&body, &field, NULL) == AERO_OK);
    CHECK_INT(field.type, AERO_FIELD_FILTER);
    CHECK_HEX(field.data, "c3");
    REQUIRE(aero_field_take(&body, &field, NULL) == AERO_OK);
    CHECK_INT(field.type, AERO_FIELD_BATCH);
    CHECK_INT(body.len, 0);
    aero_buf_fini(&out);
}

TEST(batch_survives_each_failing_allocation)
{
    WITH_EACH_ALLOC_FAILING({
        aero_buf out = AERO_BUF_INIT;
        aero_batch_put put;

        aero_batch_open(&put, &out, 0, aero_span_of(NULL, 0), 0);
        for (uint32_t i = 0; i < 300; i++) {
            put_row(&put, i, i % 2 == 0 ? "a" : "b", i % 5 == 0);
        }
        aero_batch_close(&put);
        CHECK(!out.failed || test_alloc_failed());
        aero_buf_fini(&out);
    });
}

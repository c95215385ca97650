/* Queries on the wire: the ranges of real requests, replies cut at every
 * byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "aero/wire/query.h"
#include "test.h"
#include "vectors.h"

static aero_query_range
range_of(const char *bin, uint8_t particle, aero_span begin, aero_span end)
{
    aero_query_range range = {aero_span_str(bin), particle, begin, end};

    return range;
}

static void
check_range(const char *id, const aero_query_range *want)
{
    aero_buf out = AERO_BUF_INIT;
    vectors v;
    bool found = false;

    vectors_init_group(&v, "query");
    aero_query_put_range(&out, want);
    for (size_t i = 0; i < v.count; i++) {
        if (strcmp(v.at[i].id, id) == 0) {
            CHECK_BYTES(aero_buf_span(&out), v.at[i].payload);
            found = true;
        }
    }
    CHECK(found);
    vectors_fini(&v);
    aero_buf_fini(&out);
}

TEST(range_is_put_as_in_real_requests)
{
    aero_query_range ints =
        range_of("n", AERO_PARTICLE_INTEGER, test_hex("0000000000000001"),
                 test_hex("0000000000000003"));
    aero_query_range texts = range_of(
        "s", AERO_PARTICLE_STRING, aero_span_str("s2"), aero_span_str("s2"));
    aero_span shape =
        aero_span_str("{\"type\":\"Point\",\"coordinates\":[1,1]}");
    aero_query_range geo = range_of("r", AERO_PARTICLE_GEOJSON, shape, shape);

    check_range("query.int_between.1", &ints);
    check_range("query.str_equals.1", &texts);
    check_range("query.contains_geojson_point.2", &geo);
}

TEST(range_of_a_real_request_is_taken_and_put_again)
{
    vectors v;

    vectors_init_group(&v, "query");
    CHECK_INT(v.count, 12);
    for (size_t i = 0; i < v.count; i++) {
        aero_buf out = AERO_BUF_INIT;
        aero_query_range range;

        REQUIRE(aero_query_take_range(v.at[i].payload, &range, NULL) ==
                AERO_OK);
        aero_query_put_range(&out, &range);
        CHECK_BYTES(aero_buf_span(&out), v.at[i].payload);
        for (size_t cut = 0; cut < v.at[i].payload.len; cut++) {
            CHECK(aero_query_take_range(aero_span_of(v.at[i].payload.ptr, cut),
                                        &range, NULL) == AERO_ERROR);
        }
        aero_buf_fini(&out);
    }
    vectors_fini(&v);
}

TEST(partitions_and_values_are_little_endian)
{
    aero_buf out = AERO_BUF_INIT;
    aero_span in;
    uint32_t id;
    uint64_t bval;

    aero_query_put_partition(&out, 1);
    aero_query_put_partition(&out, 4095);
    CHECK_HEX(aero_buf_span(&out), "0100 ff0f");
    in = aero_buf_span(&out);
    CHECK(aero_query_take_partition(&in, &id, NULL) == AERO_OK && id == 1);
    CHECK(aero_query_take_partition(&in, &id, NULL) == AERO_OK && id == 4095);
    CHECK(aero_query_take_partition(&in, &id, NULL) == AERO_MORE);
    in = test_hex("0010");
    CHECK(aero_query_take_partition(&in, &id, NULL) == AERO_ERROR);
    out.len = 0;
    aero_query_put_bval(&out, 0x0102030405060708);
    CHECK_HEX(aero_buf_span(&out), "0807060504030201");
    in = aero_buf_span(&out);
    CHECK(aero_query_take_bval(&in, &bval, NULL) == AERO_OK);
    CHECK(bval == 0x0102030405060708);
    aero_buf_fini(&out);
}

/* ---- replies ---- */

static void
put_record(aero_buf *out, const aero_query_item *item, unsigned n_bins)
{
    size_t mark = aero_query_open_record(out, item);

    for (unsigned i = 0; i < n_bins; i++) {
        aero_op_put(out, AERO_OP_READ, AERO_PARTICLE_STRING,
                    aero_span_str("bin"), aero_span_str("value"));
    }
    aero_query_close_record(out, mark, (uint16_t)n_bins);
}

static void
put_reply(aero_buf *out)
{
    uint8_t digest[AERO_DIGEST_SIZE] = {7, 3, 1};
    aero_query_item full = {.generation = 5,
                            .void_time = 1000,
                            .digest = digest,
                            .ns = aero_span_str("test"),
                            .set = aero_span_str("demo"),
                            .key_particle = AERO_PARTICLE_STRING,
                            .key = aero_span_str("user"),
                            .has_bval = true,
                            .bval = 42};
    aero_query_item bare = {.digest = digest, .ns = aero_span_str("test")};
    aero_query_item gone = {.kind = AERO_QUERY_PARTITION,
                            .partition = 4095,
                            .result = AERO_ERR_CLUSTER};
    aero_query_item end = {.kind = AERO_QUERY_END};

    put_record(out, &full, 3);
    put_record(out, &bare, 0);
    aero_query_put_mark(out, &gone);
    aero_query_put_mark(out, &end);
}

TEST(reply_is_taken_as_it_was_put)
{
    aero_buf out = AERO_BUF_INIT;
    aero_query_item item;
    aero_span in;

    put_reply(&out);
    in = aero_buf_span(&out);
    REQUIRE(aero_query_take(&in, &item, NULL) == AERO_OK);
    CHECK(item.kind == AERO_QUERY_RECORD && item.generation == 5);
    CHECK(item.void_time == 1000 && item.digest[1] == 3);
    CHECK(aero_span_is(item.ns, "test") && aero_span_is(item.set, "demo"));
    CHECK(aero_span_is(item.key, "user") &&
          item.key_particle == AERO_PARTICLE_STRING);
    CHECK(item.has_bval && item.bval == 42 && item.n_ops == 3);
    CHECK_INT(item.ops.len, 3 * (8 + 3 + 5));
    REQUIRE(aero_query_take(&in, &item, NULL) == AERO_OK);
    CHECK(item.kind == AERO_QUERY_RECORD && item.set.len == 0);
    CHECK(item.key_particle == AERO_PARTICLE_NIL && !item.has_bval);
    CHECK(item.n_ops == 0 && item.ops.len == 0);
    REQUIRE(aero_query_take(&in, &item, NULL) == AERO_OK);
    CHECK(item.kind == AERO_QUERY_PARTITION && item.partition == 4095);
    REQUIRE(aero_query_take(&in, &item, NULL) == AERO_OK);
    CHECK(item.kind == AERO_QUERY_END && item.result == 0 && in.len == 0);
    aero_buf_fini(&out);
}

TEST(an_error_ends_a_reply_without_being_marked_last)
{
    aero_buf out = AERO_BUF_INIT;
    aero_msg msg = {.result = AERO_ERR_INDEX_NOT_FOUND};
    aero_query_item item;
    aero_span in;

    aero_msg_put(&out, &msg);
    in = aero_buf_span(&out);
    CHECK(aero_query_take(&in, &item, NULL) == AERO_OK);
    CHECK(item.kind == AERO_QUERY_END);
    CHECK_INT(item.result, AERO_ERR_INDEX_NOT_FOUND);
    aero_buf_fini(&out);
}

TEST(reply_that_is_cut_anywhere_is_an_error)
{
    aero_buf out = AERO_BUF_INIT;

    put_reply(&out);
    for (size_t cut = 0; cut < out.len; cut++) {
        uint8_t *copy = memcpy(malloc(cut + 1), out.ptr, cut);
        aero_span in = aero_span_of(copy, cut);
        aero_query_item item;
        aero_rc rc = AERO_OK;

        while (rc == AERO_OK && in.len != 0) {
            rc = aero_query_take(&in, &item, NULL);
        }
        CHECK(rc == AERO_ERROR || in.len == 0);
        free(copy);
    }
    aero_buf_fini(&out);
}

TEST(reply_of_any_bytes_does_no_harm)
{
    uint64_t seed = 11;
    aero_buf out = AERO_BUF_INIT;

    put_reply(&out);
    for (int round = 0; round < 20000; round++) {
        uint8_t *copy = memcpy(malloc(out.len), out.ptr, out.len);
        aero_span in = aero_span_of(copy, out.len);
        aero_query_item item;

        for (int i = 0; i < 3; i++) {
            copy[test_random(&seed) % out.len] = (uint8_t)test_random(&seed);
        }
        while (in.len != 0 && aero_query_take(&in, &item, NULL) == AERO_OK) {
            CHECK(item.ops.len <= out.len);
        }
        free(copy);
    }
    aero_buf_fini(&out);
}

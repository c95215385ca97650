/* Queries over the primary index.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "kit.h"

static kit_counts counts; /* large */

static void
fill(kit *k, const char *set, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        kit_put(k, set, i, i, 0);
    }
}

/* Ask for partitions `from` to `to`, or name none if `from` is behind `to`;
 * options may follow, then ask(). */
static void
begin(kit *k, const char *set, unsigned from, unsigned to, uint8_t info1)
{
    aero_buf pids = {0};

    kit_begin(k, AERO_INFO1_READ | info1, 0, AERO_INFO3_PARTITION_DONE);
    kit_field(k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
    if (set != NULL) {
        kit_field(k, AERO_FIELD_SET, aero_span_str(set));
    }
    for (unsigned i = from; i < to; i++) {
        aero_buf_put_u8(&pids, (uint8_t)i); /* little-endian */
        aero_buf_put_u8(&pids, (uint8_t)(i >> 8));
    }
    if (from <= to) {
        kit_field(k, AERO_FIELD_PARTITIONS, aero_buf_span(&pids));
    }
    aero_buf_fini(&pids);
}

static void
number(kit *k, aero_field_type type, uint64_t value, unsigned size)
{
    uint8_t wire[8];

    aero_set_u64(wire, value);
    kit_field(k, type, aero_span_of(wire + 8 - size, size));
}

static int
ask(kit *k)
{
    kit_send(k);
    return kit_count(k, &counts) ? counts.code : -1;
}

TEST(a_query_gives_the_records_of_the_set_it_names)
{
    kit k;

    REQUIRE(kit_open(&k));
    fill(&k, "a", 0, 50);
    fill(&k, "b", 50, 80);
    begin(&k, "a", 0, AERO_PARTITIONS, 0);
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(counts.records, 50);
    CHECK_INT(counts.lasts, 1);
    begin(&k, NULL, 0, AERO_PARTITIONS, 0);
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(counts.records, 80);
    begin(&k, "nope", 0, AERO_PARTITIONS, 0);
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(counts.records, 0);
    kit_close(&k);
}

TEST(only_partitions_that_are_asked_for_are_read)
{
    kit k;
    unsigned total = 0;

    REQUIRE(kit_open(&k));
    fill(&k, "a", 0, 300);
    for (unsigned i = 0; i < AERO_PARTITIONS; i += 1024) {
        begin(&k, "a", i, i + 1024, 0);
        CHECK_INT(ask(&k), AERO_ERR_OK);
        for (unsigned r = 0; r < counts.records; r++) {
            unsigned pid = aero_partition_of(counts.digests[r]);

            CHECK(pid >= i && pid < i + 1024);
        }
        total += counts.records;
    }
    CHECK_INT(total, 300);
    kit_close(&k);
}

/* Put all in one partition. */
static void
fill_partition(kit *k, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t digest[AERO_DIGEST_SIZE] = {0};

        digest[5] = (uint8_t)(i * 37);
        digest[6] = (uint8_t)(i >> 3);
        kit_begin(k, 0, AERO_INFO2_WRITE, 0);
        kit_field(k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
        kit_field(k, AERO_FIELD_DIGEST, aero_span_of(digest, sizeof digest));
        kit_int_op(k, AERO_OP_WRITE, "n", i);
        CHECK_INT(kit_send(k), AERO_ERR_OK);
    }
}

TEST(a_partition_is_read_downwards_and_resumed_below_a_digest)
{
    kit k;
    uint8_t last[AERO_DIGEST_SIZE] = {0};
    unsigned total = 0;

    REQUIRE(kit_open(&k));
    fill_partition(&k, 100);
    for (unsigned round = 0; round < 20; round++) {
        begin(&k, NULL, round == 0 ? 0 : 2, 1, 0);
        if (round != 0) {
            kit_field(&k, AERO_FIELD_DIGESTS, aero_span_of(last, sizeof last));
        }
        number(&k, AERO_FIELD_MAX_RECORDS, 7, 8);
        CHECK_INT(ask(&k), AERO_ERR_OK);
        for (unsigned i = 0; i < counts.records; i++) {
            CHECK((round == 0 && i == 0) ||
                  memcmp(counts.digests[i], last, sizeof last) < 0);
            memcpy(last, counts.digests[i], sizeof last);
        }
        total += counts.records;
        if (counts.records < 7) {
            break;
        }
    }
    CHECK_INT(total, 100);
    kit_close(&k);
}

TEST(bins_are_chosen_or_left_out)
{
    kit k;

    REQUIRE(kit_open(&k));
    fill(&k, "a", 0, 10);
    begin(&k, "a", 0, AERO_PARTITIONS, AERO_INFO1_GET_NO_BINS);
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(counts.records, 10);
    CHECK_INT(counts.ops, 0);
    CHECK_INT(kit_head(&k).info1, AERO_INFO1_GET_NO_BINS);
    begin(&k, "a", 0, AERO_PARTITIONS, 0);
    kit_op(&k, AERO_OP_READ, 0, "n", aero_span_of(NULL, 0));
    kit_op(&k, AERO_OP_READ, 0, "m", aero_span_of(NULL, 0));
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(counts.records, 10);
    CHECK_INT(counts.ops, 10);
    begin(&k, "a", 0, AERO_PARTITIONS, 0);
    kit_op(&k, AERO_OP_READ, 0, "m", aero_span_of(NULL, 0));
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(counts.records, 0);
    begin(&k, "a", 0, AERO_PARTITIONS, 0);
    kit_int_op(&k, AERO_OP_WRITE, "n", 1);
    CHECK_INT(ask(&k), AERO_ERR_REQUEST_INVALID);
    kit_close(&k);
}

TEST(partitions_of_other_nodes_are_unavailable)
{
    static const char *const names[] = {"test"};
    aero_server_config config = {0};
    kit k;
    unsigned total = 0;
    unsigned away = 0;

    config.nodes = 3;
    config.replication_factor = 1;
    config.namespaces = names;
    config.n_namespaces = 1;
    REQUIRE(kit_open_with(&k, &config));
    fill(&k, "a", 0, 100);
    for (k.node = 0; k.node < 3; k.node++) {
        begin(&k, "a", 0, AERO_PARTITIONS, 0);
        CHECK_INT(ask(&k), AERO_ERR_OK);
        total += counts.records;
        for (aero_span in = aero_buf_span(&k.out); in.len != 0;) {
            aero_frame frame;
            aero_span body;
            aero_msg msg = {0};
            aero_field field;
            aero_op op;

            REQUIRE(aero_frame_take(&in, &frame, &body, NULL) == AERO_OK);
            while (body.len != 0 &&
                   aero_msg_take(&body, &msg, NULL) == AERO_OK) {
                away += (msg.info3 & AERO_INFO3_PARTITION_DONE) != 0 &&
                        msg.result == AERO_ERR_CLUSTER;
                for (unsigned i = 0; i < msg.n_fields; i++) {
                    aero_field_take(&body, &field, NULL);
                }
                for (unsigned i = 0; i < msg.n_ops; i++) {
                    aero_op_take(&body, &op, NULL);
                }
            }
        }
    }
    CHECK_INT(total, 100);
    CHECK_INT(away, 2 * AERO_PARTITIONS);
    k.node = 0;
    kit_close(&k);
}

TEST(records_that_die_or_come_meanwhile_harm_nothing)
{
    kit k;
    srv_call call;
    srv_stream *stream;
    uint32_t wait_ms;
    aero_rc rc = AERO_MORE;
    unsigned steps = 0;
    static const uint8_t bytes[2000];

    REQUIRE(kit_open(&k));
    for (unsigned i = 0; i < 500; i++) {
        kit_begin(&k, 0, AERO_INFO2_WRITE, 0);
        kit_key(&k, "a", i);
        kit_op(&k, AERO_OP_WRITE, AERO_PARTICLE_BLOB, "b",
               aero_span_of(bytes, sizeof bytes));
        kit_send(&k);
    }
    begin(&k, "a", 0, AERO_PARTITIONS, 0);
    kit_end(&k);
    {
        aero_buf body = {0};
        aero_buf out = {0};

        aero_buf_put_span(&body, aero_buf_span(&k.ask));
        call = kit_call(&k);
        stream = srv_serve(&call, aero_buf_span(&body), &out);
        REQUIRE(stream != NULL);
        while (rc == AERO_MORE) {
            rc = stream->step(stream, &out, &wait_ms);
            steps++;
            CHECK(out.len < 2 * SRV_QUERY_BLOCK);
            out.len = 0;
            srv_ns_truncate(k.core.ns[0], 0, UINT64_MAX);
            fill(&k, "z", steps * 10, steps * 10 + 10);
        }
        stream->close(stream);
        aero_buf_fini(&body);
        aero_buf_fini(&out);
    }
    CHECK(rc == AERO_OK);
    CHECK(steps >= 2);
    kit_close(&k);
}

TEST(a_rate_is_kept)
{
    kit k;
    srv_call call;
    srv_stream *stream;
    uint32_t wait_ms = 0;
    aero_buf out = {0};

    REQUIRE(kit_open(&k));
    fill(&k, "a", 0, 10);
    begin(&k, "a", 0, AERO_PARTITIONS, 0);
    number(&k, AERO_FIELD_RECORDS_PER_SECOND, 10, 4);
    kit_end(&k);
    call = kit_call(&k);
    stream = srv_serve(&call, aero_buf_span(&k.ask), &out);
    REQUIRE(stream != NULL);
    CHECK(stream->step(stream, &out, &wait_ms) == AERO_MORE);
    CHECK(wait_ms > 50 && wait_ms <= 100);
    stream->close(stream);
    aero_buf_fini(&out);
    kit_close(&k);
}

TEST(what_a_query_cannot_be_is_refused)
{
    kit k;

    REQUIRE(kit_open(&k));
    fill(&k, "a", 0, 1);
    begin(&k, "a", 0, 0, 0);
    CHECK_INT(ask(&k), AERO_ERR_REQUEST_INVALID);
    begin(&k, "a", 0, 1, 0);
    number(&k, AERO_FIELD_MAX_RECORDS, 1, 4);
    CHECK_INT(ask(&k), AERO_ERR_REQUEST_INVALID);
    begin(&k, "a", 0, 1, AERO_INFO1_SHORT_QUERY);
    number(&k, AERO_FIELD_RECORDS_PER_SECOND, 1, 4);
    CHECK_INT(ask(&k), AERO_ERR_REQUEST_INVALID);
    begin(&k, "a", 0, 1, 0);
    kit_field(&k, AERO_FIELD_INDEX_RANGE,
              test_hex("01 01 61 01 00000008 0000000000000001"
                       "00000008 0000000000000001"));
    CHECK_INT(ask(&k), AERO_ERR_INDEX_NOT_FOUND);
    k.ask.ptr[3] &= (uint8_t)~AERO_INFO3_PARTITION_DONE;
    CHECK_INT(ask(&k), AERO_ERR_UNSUPPORTED_FEATURE);
    kit_close(&k);
}

TEST(long_queries_are_listed_and_short_ones_are_not)
{
    kit k;

    REQUIRE(kit_open(&k));
    fill(&k, "a", 0, 5);
    begin(&k, "a", 0, AERO_PARTITIONS, AERO_INFO1_SHORT_QUERY);
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_TEXT(kit_info(&k, "query-show"), "");
    begin(&k, "a", 0, AERO_PARTITIONS, 0);
    number(&k, AERO_FIELD_QUERY_ID, 77, 8);
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK(strstr(kit_info(&k, "query-show:id=77"), "status=done") != NULL);
    CHECK(strstr(kit_info(&k, "query-show"), "trid=77:") != NULL);
    kit_close(&k);
}

TEST(a_query_that_is_aborted_ends_with_its_code)
{
    kit k;
    srv_call call;
    srv_stream *stream;
    uint32_t wait_ms;
    aero_buf body = {0};
    aero_buf out = {0};

    REQUIRE(kit_open(&k));
    fill(&k, "a", 0, 5);
    begin(&k, "a", 0, AERO_PARTITIONS, 0);
    number(&k, AERO_FIELD_QUERY_ID, 78, 8);
    number(&k, AERO_FIELD_RECORDS_PER_SECOND, 1, 4);
    kit_end(&k);
    aero_buf_put_span(&body, aero_buf_span(&k.ask));
    call = kit_call(&k);
    stream = srv_serve(&call, aero_buf_span(&body), &out);
    REQUIRE(stream != NULL);
    CHECK(stream->step(stream, &out, &wait_ms) == AERO_MORE);
    CHECK_TEXT(kit_info(&k, "query-abort:trid=78"), "ok");
    out.len = 0;
    CHECK(stream->step(stream, &out, &wait_ms) == AERO_OK);
    CHECK_INT(out.ptr[out.len - AERO_MSG_HEAD + 5], AERO_ERR_SCAN_ABORTED);
    stream->close(stream);
    aero_buf_fini(&body);
    aero_buf_fini(&out);
    kit_close(&k);
}

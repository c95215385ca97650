/* Queries that run behind the requests, and queries by stream functions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/value.h"
#include "kit.h"
#include "script.h"

static const char module[] =
    "function inc(rec, by) rec.n = rec.n + by aerospike:update(rec) end\n"
    "function fail(rec) error('no') end\n"
    "function remove(rec) aerospike:remove(rec) end\n"
    "local function n(rec) return rec.n end\n"
    "function total(stream) return stream : map(n) : reduce(math.sum) end\n"
    "function broken(stream) return stream : map(function(rec) return "
    "rec.n.x end) end\n";

enum {
    RECORDS = 60
};

static void
fill(kit *k)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        kit_put(k, "s", i, i, 0);
    }
    kit_put(k, "other", 1, 1000, 0);
}

static void
work(kit *k)
{
    while (srv_core_rest_ms(&k->core) != UINT32_MAX) {
        srv_core_work(&k->core);
    }
}

static int64_t
sum(kit *k)
{
    int64_t total = 0;

    for (unsigned i = 0; i < RECORDS; i++) {
        aero_op op;

        if (kit_get(k, "s", i) == AERO_ERR_OK && script_op(k, &op)) {
            total += (int64_t)aero_get_u64(op.value.ptr);
        }
    }
    return total;
}

static void
begin(kit *k, const char *set, uint64_t id, uint8_t info2)
{
    uint8_t wire[8];

    kit_begin(k, 0, info2, 0);
    kit_field(k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
    kit_field(k, AERO_FIELD_SET, aero_span_str(set));
    aero_set_u64(wire, id);
    kit_field(k, AERO_FIELD_QUERY_ID, aero_span_of(wire, 8));
}

static void
add_function(kit *k, uint8_t op, const char *name, aero_span args)
{
    kit_field(k, AERO_FIELD_UDF_OP, aero_span_of(&op, 1));
    kit_field(k, AERO_FIELD_UDF_PACKAGE, aero_span_str("m"));
    kit_field(k, AERO_FIELD_UDF_FUNCTION, aero_span_str(name));
    kit_field(k, AERO_FIELD_UDF_ARGS, args);
}

TEST(operations_run_on_every_record_of_the_set)
{
    kit k;

    REQUIRE(kit_open(&k));
    fill(&k);
    begin(&k, "s", 7, AERO_INFO2_WRITE);
    kit_int_op(&k, AERO_OP_INCR, "n", 10);
    CHECK_INT(kit_send(&k), AERO_ERR_OK);
    CHECK((kit_head(&k).info3 & AERO_INFO3_LAST) != 0);
    CHECK(strstr(kit_info(&k, "query-show:id=7"), "status=active") != NULL);
    work(&k);
    CHECK_INT(sum(&k), RECORDS * (RECORDS - 1) / 2 + 10 * RECORDS);
    CHECK(strstr(kit_info(&k, "query-show:id=7"),
                 ":status=done(ok):job-progress=100.00:") != NULL);
    CHECK(strstr(kit_info(&k, "query-show:id=7"),
                 ":recs-succeeded=60:recs-failed=0:") != NULL);
    CHECK(strstr(kit_info(&k, "query-show:id=7"),
                 ":job-type=background-ops:") != NULL);
    kit_close(&k);
}

TEST(a_record_that_moves_in_its_index_is_changed_once)
{
    static const uint8_t by_one[] = {0x91, 1};
    kit k;

    REQUIRE(script_open(&k, module));
    fill(&k);
    CHECK_TEXT(kit_info(&k, "sindex-create:ns=test;set=s;indexname=n;bin=n;"
                            "type=numeric"),
               "ok");
    begin(&k, "s", 8, AERO_INFO2_WRITE);
    kit_field(&k, AERO_FIELD_INDEX_RANGE,
              test_hex("01 01 6e 01 00000008 0000000000000000"
                       "00000008 0000000000001000"));
    add_function(&k, 2, "inc", aero_span_of(by_one, 2));
    CHECK_INT(kit_send(&k), AERO_ERR_OK);
    work(&k);
    CHECK_INT(sum(&k), RECORDS * (RECORDS - 1) / 2 + RECORDS);
    CHECK(strstr(kit_info(&k, "query-show:id=8"),
                 ":job-type=background-udf:") != NULL);
    CHECK(strstr(kit_info(&k, "query-show:id=8"),
                 ":udf-filename=m:udf-function=inc:") != NULL);
    kit_close(&k);
}

TEST(failures_filters_and_removals_are_counted)
{
    kit k;

    REQUIRE(script_open(&k, module));
    fill(&k);
    begin(&k, "s", 1, AERO_INFO2_WRITE);
    add_function(&k, 2, "fail", aero_span_of("\x90", 1));
    CHECK_INT(kit_send(&k), AERO_ERR_OK);
    work(&k);
    CHECK(strstr(kit_info(&k, "query-show:id=1"),
                 ":recs-succeeded=0:recs-failed=60:") != NULL);
    begin(&k, "s", 2, AERO_INFO2_WRITE);
    /* [3, [81, 2, "n"], 9]: bin n above 9 */
    kit_field(&k, AERO_FIELD_FILTER, test_hex("93 03 93 51 02 a1 6e 09"));
    add_function(&k, 2, "remove", aero_span_of("\x90", 1));
    CHECK_INT(kit_send(&k), AERO_ERR_OK);
    work(&k);
    CHECK(strstr(kit_info(&k, "query-show:id=2"),
                 ":recs-filtered-bins=10:recs-succeeded=50:") != NULL);
    CHECK_INT(sum(&k), 45);
    CHECK_INT(kit_get(&k, "other", 1), AERO_ERR_OK);
    kit_close(&k);
}

TEST(what_a_background_query_cannot_be_is_refused)
{
    kit k;

    REQUIRE(script_open(&k, module));
    fill(&k);
    begin(&k, "s", 1, AERO_INFO2_WRITE);
    CHECK_INT(kit_send(&k), AERO_ERR_REQUEST_INVALID);
    begin(&k, "s", 1, AERO_INFO2_WRITE);
    kit_op(&k, AERO_OP_READ, 0, "n", aero_span_of(NULL, 0));
    CHECK_INT(kit_send(&k), AERO_ERR_REQUEST_INVALID);
    begin(&k, "nope", 1, AERO_INFO2_WRITE);
    kit_int_op(&k, AERO_OP_INCR, "n", 1);
    CHECK_INT(kit_send(&k), AERO_ERR_RECORD_NOT_FOUND);
    begin(&k, "s", 1, AERO_INFO2_WRITE);
    kit_field(&k, AERO_FIELD_RECORDS_PER_SECOND, test_hex("00002711"));
    kit_int_op(&k, AERO_OP_INCR, "n", 1);
    CHECK_INT(kit_send(&k), AERO_ERR_REQUEST_INVALID);
    begin(&k, "s", 1, AERO_INFO2_WRITE);
    add_function(&k, 9, "inc", aero_span_of("\x90", 1));
    CHECK_INT(kit_send(&k), AERO_ERR_REQUEST_INVALID);
    CHECK_INT(srv_core_rest_ms(&k.core), UINT32_MAX);
    kit_close(&k);
}

TEST(a_background_query_keeps_its_rate_and_can_be_aborted)
{
    kit k;

    REQUIRE(kit_open(&k));
    fill(&k);
    begin(&k, "s", 5, AERO_INFO2_WRITE);
    kit_field(&k, AERO_FIELD_RECORDS_PER_SECOND, test_hex("00000001"));
    kit_int_op(&k, AERO_OP_INCR, "n", 1);
    CHECK_INT(kit_send(&k), AERO_ERR_OK);
    CHECK_INT(kit_send(&k), AERO_ERR_REQUEST_INVALID); /* the same id */
    while (srv_core_rest_ms(&k.core) == 0) {
        srv_core_work(&k.core);
    }
    CHECK(srv_core_rest_ms(&k.core) <= 1000);
    CHECK_INT(sum(&k), RECORDS * (RECORDS - 1) / 2 + 1);
    CHECK_TEXT(kit_info(&k, "query-abort:id=5"), "ok");
    work(&k);
    CHECK(strstr(kit_info(&k, "query-show:id=5"),
                 ":status=done(user-aborted):") != NULL);
    CHECK_INT(sum(&k), RECORDS * (RECORDS - 1) / 2 + 1);
    kit_close(&k);
}

/* The job of a node stops with the node; the others go on with theirs. */
TEST(each_node_works_on_the_partitions_it_is_master_of)
{
    static const char *const names[] = {"test"};
    aero_server_config config = {0};
    kit k;

    config.nodes = 3;
    config.namespaces = names;
    config.n_namespaces = 1;
    REQUIRE(kit_open_with(&k, &config));
    fill(&k);
    for (k.node = 0; k.node < 3; k.node++) {
        begin(&k, "s", 5, AERO_INFO2_WRITE);
        kit_int_op(&k, AERO_OP_INCR, "n", 1);
        CHECK_INT(kit_send(&k), AERO_ERR_OK);
    }
    work(&k);
    k.node = 0;
    CHECK_INT(sum(&k), RECORDS * (RECORDS - 1) / 2 + RECORDS);
    kit_close(&k);
}

/* ---- stream functions ---- */

/* The sum of all integers that were answered. */
static int64_t
sum_of_answers(const kit *k, int *code)
{
    aero_span in = aero_buf_span(&k->out);
    int64_t total = 0;
    aero_frame frame;
    aero_span body;

    while (aero_frame_take(&in, &frame, &body, NULL) == AERO_OK) {
        while (body.len != 0) {
            aero_msg msg;
            aero_op op;

            if (aero_msg_take(&body, &msg, NULL) != AERO_OK) {
                return -1;
            }
            *code = msg.result;
            if (msg.n_ops == 1 && aero_op_take(&body, &op, NULL) == AERO_OK &&
                aero_span_is(op.name, "SUCCESS")) {
                total += (int64_t)aero_get_u64(op.value.ptr);
            }
        }
        if (in.len == 0) {
            break;
        }
    }
    return total;
}

TEST(a_stream_function_answers_with_what_the_client_reduces)
{
    kit k;
    int code = -1;

    REQUIRE(script_open(&k, module));
    fill(&k);
    begin(&k, "s", 3, 0);
    k.ask.ptr[k.at + 1] = AERO_INFO1_READ;
    add_function(&k, 1, "total", aero_span_of("\x90", 1));
    kit_send(&k);
    CHECK_INT(sum_of_answers(&k, &code), RECORDS * (RECORDS - 1) / 2);
    CHECK_INT(code, AERO_ERR_OK);
    CHECK(strstr(kit_info(&k, "query-show:id=3"),
                 ":recs-succeeded=60:recs-failed=0:") != NULL);
    CHECK(strstr(kit_info(&k, "query-show:id=3"), ":job-type=aggregation:") !=
          NULL);
    begin(&k, "s", 4, 0);
    add_function(&k, 1, "broken", aero_span_of("\x90", 1));
    kit_send(&k);
    CHECK(strstr(script_failure(&k),
                 "UDF: Execution Error 2 : m.lua:6: attempt to index a number "
                 "value") != NULL);
    sum_of_answers(&k, &code);
    CHECK_INT(code, AERO_ERR_SERVER);
    begin(&k, "nope", 5, 0);
    add_function(&k, 1, "total", aero_span_of("\x90", 1));
    CHECK_INT(kit_send(&k), AERO_ERR_RECORD_NOT_FOUND);
    begin(&k, "s", 5, 0);
    kit_field(&k, AERO_FIELD_FILTER, test_hex("93 03 93 51 02 a1 6e 09"));
    add_function(&k, 1, "total", aero_span_of("\x90", 1));
    CHECK_INT(kit_send(&k), AERO_ERR_UNSUPPORTED_FEATURE);
    kit_close(&k);
}

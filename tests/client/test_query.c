/* Queries over local servers: every record once, whatever happens to nodes,
 * connections and replies on the way.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/query.h"
#include "aero/wire/value.h"
#include "fakenet.h"
#include "rig.h"

enum {
    RECORDS = 900
};

typedef struct search {
    aero_query q;
    unsigned seen[RECORDS];
    unsigned total;
} search;

static void
search_init(search *s)
{
    static const aero_msg msg = {.info1 = AERO_INFO1_READ | AERO_INFO1_GET_ALL,
                                 .info3 = AERO_INFO3_PARTITION_DONE};
    aero_policy policy;

    memset(s, 0, sizeof *s);
    aero_policy_init(&policy, AERO_POLICY_QUERY);
    policy.total_timeout = 5000;
    aero_query_init(&s->q);
    aero_query_open(&s->q, aero_span_str("test"), aero_span_str("rig"),
                    &policy, &msg);
    s->q.parts = aero_parts_new(0, AERO_PARTITIONS);
}

static void
note(search *s, const aero_query_item *item)
{
    aero_span ops = item->ops;
    int64_t n = -1;
    aero_op op;

    CHECK(item->kind == AERO_QUERY_RECORD && item->n_ops == 1);
    if (aero_op_take(&ops, &op, NULL) == AERO_OK &&
        aero_integer_take(op.value, &n) && n >= 0 && n < RECORDS) {
        s->seen[n]++;
        s->total++;
    }
}

/* Take all, and call `midway` after so many. */
static aero_query_took
take_all(search *s, rig *r, unsigned after, const char *line)
{
    for (;;) {
        aero_query_item item;
        aero_query_took took = aero_query_take_item(&s->q, &item);

        if (took == AERO_QUERY_ITEM) {
            note(s, &item);
            if (line != NULL && s->total == after) {
                rig_control(r, "%s", line);
                line = NULL;
            }
        }
        else if (took == AERO_QUERY_WAIT) {
            aero_sync_task(&s->q.task, NULL);
        }
        else {
            r->st = s->q.st;
            return took;
        }
    }
}

static bool
begin(search *s, rig *r)
{
    return aero_query_begin(&s->q, r->cluster, NULL, aero_clock_now()) ==
           AERO_OK;
}

static void
check_each_once(const search *s)
{
    unsigned missing = 0;
    unsigned twice = 0;

    for (unsigned i = 0; i < RECORDS; i++) {
        missing += s->seen[i] == 0;
        twice += s->seen[i] > 1;
    }
    CHECK_INT(missing, 0);
    CHECK_INT(twice, 0);
}

static bool
open_filled(rig *r, unsigned nodes)
{
    if (!rig_open(r, &(rig_options){
                         .nodes = nodes, .tender = true, .tend_ms = 20})) {
        return false;
    }
    for (int i = 0; i < RECORDS; i++) {
        if (rig_write(r, i, i, NULL) != 0) {
            return false;
        }
    }
    return true;
}

TEST(every_record_comes_once)
{
    static search s;
    rig r;

    for (unsigned nodes = 1; nodes <= 4; nodes++) {
        REQUIRE(open_filled(&r, nodes));
        search_init(&s);
        REQUIRE(begin(&s, &r));
        CHECK(take_all(&s, &r, 0, NULL) == AERO_QUERY_OVER);
        check_each_once(&s);
        CHECK(aero_parts_are_done(s.q.parts));
        aero_query_fini(&s.q);
        rig_close(&r);
    }
}

TEST(node_that_is_lost_on_the_way_costs_no_record)
{
    static const char *const lines[] = {
        "down node=1",
        "restart node=1",
        "fault kind=drop class=query times=2",
        "fault kind=cut bytes=3000 class=query times=2",
        "fault kind=garbage class=query times=1",
        "fault kind=code code=11 class=query times=2"};
    static const unsigned after[] = {1, 200, 600};
    static search s;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        for (size_t j = 0; j < 3; j++) {
            rig r;
            aero_query_took took;

            REQUIRE(open_filled(&r, 3));
            search_init(&s);
            s.q.policy.max_concurrent_nodes = j == 1 ? 1 : 0;
            REQUIRE(begin(&s, &r));
            took = take_all(&s, &r, after[j], lines[i]);
            if (took == AERO_QUERY_OVER) {
                check_each_once(&s);
            }
            else if (strstr(lines[i], "garbage") == NULL) {
                test_failed(__FILE__, __LINE__, "%s after %u: %s", lines[i],
                            after[j], s.q.st.text);
            }
            aero_query_fini(&s.q);
            rig_close(&r);
        }
    }
}

TEST(reply_cut_after_any_byte_costs_no_record)
{
    static search s;
    rig r;

    REQUIRE(open_filled(&r, 2));
    for (unsigned bytes = 0; bytes < 400; bytes += 7) {
        search_init(&s);
        rig_control(&r, "fault kind=cut bytes=%u class=query times=1", bytes);
        REQUIRE(begin(&s, &r));
        CHECK(take_all(&s, &r, 0, NULL) == AERO_QUERY_OVER);
        check_each_once(&s);
        aero_query_fini(&s.q);
        rig_control(&r, "clear");
    }
    rig_close(&r);
}

TEST(silence_is_a_timeout_of_the_socket_and_is_retried)
{
    static search s;
    rig r;

    REQUIRE(open_filled(&r, 2));
    search_init(&s);
    s.q.policy.socket_timeout = 60;
    rig_control(&r, "fault kind=stall bytes=2000 class=query times=1");
    REQUIRE(begin(&s, &r));
    CHECK(take_all(&s, &r, 0, NULL) == AERO_QUERY_OVER);
    check_each_once(&s);
    aero_query_fini(&s.q);
    rig_close(&r);
}

TEST(total_timeout_ends_a_query)
{
    static search s;
    uint64_t from;
    rig r;

    REQUIRE(open_filled(&r, 2));
    search_init(&s);
    s.q.policy.total_timeout = 100;
    rig_control(&r, "fault kind=stall bytes=2000 class=query");
    from = aero_clock_now();
    REQUIRE(begin(&s, &r));
    CHECK(take_all(&s, &r, 0, NULL) == AERO_QUERY_FAILED);
    CHECK_INT(s.q.st.code, AERO_ERR_TIMEOUT);
    CHECK(rig_ms_since(from) >= 99 && rig_ms_since(from) < 10000);
    aero_query_fini(&s.q);
    rig_close(&r);
}

TEST(retries_that_bring_nothing_end_with_their_reason)
{
    static search s;
    rig r;

    REQUIRE(open_filled(&r, 2));
    search_init(&s);
    s.q.policy.max_retries = 2;
    rig_control(&r, "fault kind=drop class=query");
    REQUIRE(begin(&s, &r));
    CHECK(take_all(&s, &r, 0, NULL) == AERO_QUERY_FAILED);
    CHECK_INT(s.q.st.code, AERO_ERR_CONNECTION);
    CHECK(s.q.st.node[0] != '\0');
    aero_query_fini(&s.q);
    rig_close(&r);
}

TEST(error_that_does_not_pass_ends_a_query_at_once)
{
    static search s;
    rig r;

    REQUIRE(open_filled(&r, 3));
    search_init(&s);
    rig_control(&r, "fault kind=code code=4 class=query node=1");
    REQUIRE(begin(&s, &r));
    CHECK(take_all(&s, &r, 0, NULL) == AERO_QUERY_FAILED);
    CHECK_INT(s.q.st.code, 4);
    CHECK(s.q.st.from_server);
    aero_query_fini(&s.q);
    rig_close(&r);
}

TEST(maximum_of_records_is_kept_and_resumed_behind)
{
    static search s;
    static search rest;
    rig r;

    REQUIRE(open_filled(&r, 3));
    search_init(&s);
    s.q.max_records = 100;
    REQUIRE(begin(&s, &r));
    CHECK(take_all(&s, &r, 0, NULL) == AERO_QUERY_OVER);
    CHECK_INT(s.total, 100);
    search_init(&rest);
    aero_parts_release(rest.q.parts);
    rest.q.parts = aero_parts_acquire(s.q.parts);
    REQUIRE(begin(&rest, &r));
    CHECK(take_all(&rest, &r, 0, NULL) == AERO_QUERY_OVER);
    for (unsigned i = 0; i < RECORDS; i++) {
        s.seen[i] += rest.seen[i];
    }
    check_each_once(&s);
    aero_query_fini(&s.q);
    aero_query_fini(&rest.q);
    rig_close(&r);
}

TEST(query_that_is_left_gives_its_connections_up)
{
    static search s;
    aero_query_item item;
    aero_pool_stats stats;
    rig r;

    REQUIRE(open_filled(&r, 1));
    for (int how = 0; how < 3; how++) {
        search_init(&s);
        REQUIRE(begin(&s, &r));
        while (aero_query_take_item(&s.q, &item) != AERO_QUERY_ITEM) {
            aero_sync_task(&s.q.task, NULL);
        }
        if (how == 1) {
            aero_query_cancel(&s.q, AERO_ERR_CLIENT_ABORT, "enough");
        }
        else if (how == 2) {
            aero_query_close(&s.q);
            CHECK(aero_sync_task(&s.q.task, NULL) == AERO_OK);
            CHECK(aero_query_take_item(&s.q, &item) == AERO_QUERY_OVER);
        }
        aero_query_fini(&s.q);
        aero_pool_get_stats(r.cluster->map->nodes[0]->pool, &stats);
        CHECK_INT(stats.in_use, 0);
    }
    rig_close(&r);
}

/* ---- replies that no server gives ---- */

static void
check_reply(const char *hex, int code, const char *text)
{
    static search s;
    aero_buf reply = AERO_BUF_INIT;
    size_t mark = aero_frame_open(&reply, AERO_FRAME_MESSAGE);
    aero_query_item item;
    aero_query_took took;
    fakenet net;

    aero_buf_put_span(&reply, test_hex(hex));
    aero_frame_close(&reply, mark);
    REQUIRE(fake_init(&net, 1) && fake_add_conn(&net, 0));
    net.reply = aero_buf_span(&reply);
    search_init(&s);
    aero_parts_release(s.q.parts);
    s.q.parts = aero_parts_new(0, 4);
    s.q.policy.max_retries = 0;
    REQUIRE(aero_query_begin(&s.q, net.cluster, NULL, aero_clock_now()) ==
            AERO_OK);
    while ((took = aero_query_take_item(&s.q, &item)) != AERO_QUERY_OVER &&
           took != AERO_QUERY_FAILED) {
        fake_run(&s.q.task);
    }
    CHECK_INT(took == AERO_QUERY_OVER ? 0 : s.q.st.code, code);
    if (strstr(s.q.st.text, text) == NULL) {
        test_failed(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", s.q.st.text,
                    text);
    }
    aero_query_fini(&s.q);
    fake_fini(&net);
    aero_buf_fini(&reply);
}

#define HEAD(info3, result, generation)                                       \
    "16 00 00 " info3 " 00 " result " " generation                            \
    " 00000000 00000000 0000 0000"

TEST(replies_that_break_the_protocol_end_a_query)
{
    check_reply(HEAD("01", "00", "00000000"), 0, "");
    check_reply(HEAD("01", "04", "00000000"), 4, "");
    /* a partition that was not asked for */
    check_reply(HEAD("04", "0b", "00000fff") HEAD("01", "00", "00000000"),
                AERO_ERR_CLIENT, "not asked for");
    /* a record without a digest */
    check_reply(HEAD("00", "00", "00000000") HEAD("01", "00", "00000000"),
                AERO_ERR_CLIENT, "not asked for");
    /* half a message */
    check_reply("16 00 00 00 00", AERO_ERR_CLIENT, "cut");
    /* a field that is longer than its message */
    check_reply("16 00 00 00 00 00 00000000 00000000 00000000 0001 0000"
                "000000ff 00 aa",
                AERO_ERR_CLIENT, "claims");
}

TEST(queries_survive_each_failing_allocation)
{
    rig r;

    REQUIRE(open_filled(&r, 2));
    WITH_EACH_ALLOC_FAILING_HERE({
        static search s;

        search_init(&s);
        s.q.policy.max_retries = 0;
        s.q.policy.total_timeout = 2000;
        if (s.q.parts != NULL && begin(&s, &r)) {
            if (take_all(&s, &r, 0, NULL) == AERO_QUERY_OVER) {
                check_each_once(&s);
            }
        }
        aero_query_fini(&s.q);
    });
    rig_close(&r);
}

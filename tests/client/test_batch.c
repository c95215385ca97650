/* Batches: rows and nodes, rounds and retries, replies that do not fit.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/batch.h"
#include "fakenet.h"
#include "rig.h"

enum {
    ROWS = 200
};

/* A batch about the numbers from 0 on, reading or writing bin "n". */
typedef struct order {
    aero_batch batch;
    aero_row rows[ROWS];
    aero_buf body;
} order;

static void
put_body(aero_buf *out, bool write)
{
    aero_msg head = {.info1 = write ? 0 : AERO_INFO1_READ | AERO_INFO1_GET_ALL,
                     .info2 = write ? AERO_INFO2_WRITE : 0,
                     .n_fields = 2,
                     .n_ops = write};

    aero_batch_put_head(out, &head);
    aero_field_put(out, AERO_FIELD_NAMESPACE, aero_span_str("test"));
    aero_field_put(out, AERO_FIELD_SET, aero_span_str("rig"));
    if (write) {
        aero_op_put(out, AERO_OP_WRITE, AERO_PARTICLE_INTEGER,
                    aero_span_str("n"), test_hex("0000000000000007"));
    }
}

static void
order_init(order *o, unsigned count, bool write)
{
    aero_batch_init(&o->batch);
    o->batch.rows = o->rows;
    o->batch.n_rows = count;
    o->batch.policy.max_retries = 0;
    o->batch.policy.timeout_delay = 0;
    o->batch.policy.total_timeout = 3000;
    o->batch.flags = aero_batch_flags(&o->batch.policy);
    aero_buf_init(&o->body);
    put_body(&o->body, write);
    memset(o->rows, 0, count * sizeof o->rows[0]);
    for (unsigned i = 0; i < count; i++) {
        aero_key key;

        rig_key(&key, i);
        memcpy(o->rows[i].digest, key.digest, AERO_DIGEST_SIZE);
        o->rows[i].ns = aero_span_str("test");
        o->rows[i].body = aero_buf_span(&o->body);
        o->rows[i].is_write = write;
    }
}

static void
order_fini(order *o)
{
    aero_batch_fini(&o->batch);
    aero_buf_fini(&o->body);
}

static void
run(rig *r, order *o)
{
    aero_batch_begin(&o->batch, r->cluster, NULL, aero_clock_now());
    CHECK(aero_sync_task(&o->batch.task, NULL) == AERO_OK);
    r->st = o->batch.st;
}

/* How many rows ended with this result. */
static unsigned
count(const order *o, int32_t result)
{
    unsigned n = 0;

    for (size_t i = 0; i < o->batch.n_rows; i++) {
        n += o->rows[i].result == result;
    }
    return n;
}

static unsigned
count_in_doubt(const order *o)
{
    unsigned n = 0;

    for (size_t i = 0; i < o->batch.n_rows; i++) {
        n += o->rows[i].in_doubt;
    }
    return n;
}

TEST(rows_of_all_nodes_are_answered_each_with_its_own)
{
    static order o;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
    order_init(&o, ROWS, true);
    run(&r, &o);
    CHECK_INT(o.batch.result, 0);
    CHECK_INT(count(&o, 0), ROWS);
    order_fini(&o);
    order_init(&o, ROWS, false);
    memset(o.rows[5].digest, 1, AERO_DIGEST_SIZE);
    run(&r, &o);
    CHECK_INT(o.batch.result, 0); /* a record that is not there is no error */
    CHECK_INT(o.rows[5].result, AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(count(&o, 0), ROWS - 1);
    for (unsigned i = 0; i < ROWS; i++) {
        aero_span parts = aero_row_parts(&o.batch, &o.rows[i]);
        aero_op op;

        if (i != 5) {
            REQUIRE(aero_op_take(&parts, &op, NULL) == AERO_OK);
            CHECK_HEX(op.value, "0000000000000007");
            CHECK_INT(o.rows[i].generation, 1);
        }
    }
    order_fini(&o);
    rig_close(&r);
}

TEST(nodes_in_turn_give_the_same_as_side_by_side)
{
    static order o;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
    order_init(&o, ROWS, true);
    o.batch.one_by_one = true;
    run(&r, &o);
    CHECK_INT(count(&o, 0), ROWS);
    CHECK_INT(rig_count(&r, "batch"), 3);
    order_fini(&o);
    rig_close(&r);
}

TEST(batch_of_no_row_is_done_at_once)
{
    static order o;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1}));
    order_init(&o, 0, false);
    run(&r, &o);
    CHECK_INT(o.batch.result, 0);
    CHECK_INT(rig_count(&r, "batch"), 0);
    order_fini(&o);
    rig_close(&r);
}

TEST(row_of_an_unknown_namespace_fails_alone)
{
    static order o;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2}));
    order_init(&o, 10, true);
    o.rows[3].ns = aero_span_str("nowhere");
    run(&r, &o);
    CHECK_INT(o.rows[3].result, AERO_ERR_NAMESPACE_NOT_FOUND);
    CHECK_INT(count(&o, 0), 9);
    CHECK_INT(o.batch.result, AERO_ERR_BATCH_FAILED);
    order_fini(&o);
    rig_close(&r);
}

/* ---- rounds ---- */

TEST(only_the_rows_of_the_node_that_failed_are_sent_again)
{
    static order o;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
    order_init(&o, ROWS, true);
    o.batch.policy.max_retries = 1;
    rig_control(&r, "fault kind=drop class=batch node=1 times=1");
    run(&r, &o);
    CHECK_INT(o.batch.result, 0);
    CHECK_INT(count(&o, 0), ROWS);
    CHECK_INT(o.batch.try_no, 1);
    for (unsigned i = 0; i < ROWS; i++) {
        CHECK(o.rows[i].result == 0);
    }
    order_fini(&o);
    /* Each was written once, or the generation would be 2. */
    order_init(&o, ROWS, false);
    run(&r, &o);
    for (unsigned i = 0; i < ROWS; i++) {
        CHECK_INT(o.rows[i].generation, 1);
    }
    order_fini(&o);
    rig_close(&r);
}

TEST(without_retries_rows_say_why_and_whether_they_are_in_doubt)
{
    static order o;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
    for (int write = 0; write < 2; write++) {
        unsigned failed;

        order_init(&o, ROWS, write != 0);
        rig_control(&r, "fault kind=drop-after class=batch node=2 times=1");
        run(&r, &o);
        failed = count(&o, AERO_ERR_CONNECTION);
        CHECK(failed > 30 && failed < 120);
        CHECK_INT(count(&o, write ? 0 : 2), ROWS - failed);
        CHECK_INT(count_in_doubt(&o), write ? failed : 0);
        CHECK_INT(o.batch.result, AERO_ERR_CONNECTION);
        CHECK(strstr(o.batch.st.text, "closed the connection") != NULL);
        order_fini(&o);
    }
    rig_close(&r);
}

TEST(retries_end_when_they_are_used_up)
{
    static order o;
    uint64_t from;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2}));
    order_init(&o, ROWS, false);
    o.batch.policy.max_retries = 3;
    o.batch.policy.sleep_between_retries = 20;
    rig_control(&r, "fault kind=drop class=batch");
    from = aero_clock_now();
    run(&r, &o);
    CHECK(rig_ms_since(from) >= 60);
    CHECK_INT(o.batch.try_no, 3);
    CHECK_INT(count(&o, AERO_ERR_CONNECTION), ROWS);
    CHECK_INT(rig_count(&r, "batch"), 2 * 4);
    order_fini(&o);
    rig_close(&r);
}

TEST(total_timeout_ends_all_rounds)
{
    static const char *const kinds[] = {"stall bytes=0", "stall bytes=100",
                                        "delay ms=3000"};
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2}));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        static order o;
        uint64_t from = aero_clock_now();

        order_init(&o, ROWS, false);
        o.batch.policy.total_timeout = 100;
        o.batch.policy.socket_timeout = 30;
        o.batch.policy.max_retries = 100;
        rig_control(&r, "fault kind=%s class=batch", kinds[i]);
        from = aero_clock_now();
        run(&r, &o);
        CHECK(rig_ms_since(from) >= 90 && rig_ms_since(from) < 10000);
        CHECK(o.batch.result == AERO_ERR_TIMEOUT);
        CHECK(count(&o, AERO_ERR_TIMEOUT) > 0);
        rig_control(&r, "clear");
        order_fini(&o);
    }
    rig_close(&r);
}

TEST(node_that_is_gone_is_replaced_by_the_other_copy)
{
    static order o;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
    order_init(&o, ROWS, true);
    run(&r, &o);
    order_fini(&o);
    rig_control(&r, "down node=0"); /* and nobody tends */
    order_init(&o, ROWS, false);
    o.batch.policy.max_retries = 2;
    run(&r, &o);
    CHECK_INT(count(&o, 0), ROWS);
    CHECK(o.batch.try_no >= 1);
    order_fini(&o);
    rig_close(&r);
}

TEST(reply_cut_anywhere_leaves_the_rows_that_came)
{
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1}));
    for (unsigned bytes = 0; bytes < 700; bytes += 13) {
        static order o;

        order_init(&o, 20, true);
        rig_control(&r, "fault kind=cut bytes=%u class=batch times=1", bytes);
        run(&r, &o);
        CHECK(count(&o, 0) + count(&o, AERO_ERR_CONNECTION) == 20);
        CHECK(count_in_doubt(&o) == count(&o, AERO_ERR_CONNECTION));
        rig_control(&r, "clear");
        order_fini(&o);
    }
    rig_close(&r);
}

TEST(whole_batch_that_is_refused_gives_its_code)
{
    static order o;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1}));
    order_init(&o, 10, true);
    rig_control(&r, "fault kind=code code=150 class=batch");
    run(&r, &o);
    CHECK_INT(o.batch.result, 150);
    CHECK(o.batch.st.from_server);
    CHECK_INT(count(&o, 0), 0);
    order_fini(&o);
    rig_close(&r);
}

TEST(cluster_without_a_node_fails_every_row)
{
    static order o;
    aero_cluster_config config;
    rig r = {0};

    aero_cluster_config_init(&config);
    r.cluster = aero_cluster_new(&config, NULL);
    REQUIRE(r.cluster != NULL);
    order_init(&o, 10, true);
    run(&r, &o);
    CHECK_INT(o.batch.result, AERO_ERR_CLUSTER);
    CHECK_INT(count(&o, AERO_ERR_CLUSTER), 10);
    order_fini(&o);
    aero_cluster_release(r.cluster);
}

/* ---- replies that no server gives ---- */

static void
put_answer(aero_buf *out, uint32_t index, uint8_t result, bool last)
{
    aero_msg msg = {.info3 = last ? AERO_INFO3_LAST : 0,
                    .result = result,
                    .budget = index};

    aero_msg_put(out, &msg);
}

/* A node that answers with rows `indexes` (-1: LAST) to a batch of four. */
static void
check_answer(const int *indexes, unsigned n, int32_t batch_result,
             unsigned answered, const char *text)
{
    static order o;
    aero_buf reply = AERO_BUF_INIT;
    size_t mark = aero_frame_open(&reply, AERO_FRAME_MESSAGE);
    fakenet net;

    for (unsigned i = 0; i < n; i++) {
        put_answer(&reply, (uint32_t)indexes[i], 0, indexes[i] == -1);
    }
    aero_frame_close(&reply, mark);
    REQUIRE(fake_init(&net, 1) && fake_add_conn(&net, 0));
    net.reply = aero_buf_span(&reply);
    order_init(&o, 4, false);
    aero_batch_begin(&o.batch, net.cluster, NULL, aero_clock_now());
    CHECK(fake_run(&o.batch.task) == AERO_OK);
    CHECK_INT(o.batch.result, batch_result);
    CHECK_INT(count(&o, 0), answered);
    if (strstr(o.batch.st.text, text) == NULL) {
        test_failed(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", o.batch.st.text,
                    text);
    }
    order_fini(&o);
    fake_fini(&net);
    aero_buf_fini(&reply);
}

TEST(answers_that_were_not_asked_for_are_errors)
{
    check_answer((int[]){0, 1, 2, 3, -1}, 5, 0, 4, "");
    check_answer((int[]){3, 2, 1, 0, -1}, 5, 0, 4, "");
    check_answer((int[]){0, 1, -1}, 3, AERO_ERR_BATCH_FAILED, 2, "");
    check_answer((int[]){0, 1, 4, -1}, 4, AERO_ERR_CLIENT, 2, "row 4 of 4");
    check_answer((int[]){0, 0, -1}, 3, AERO_ERR_CLIENT, 1,
                 "row 0, which it was not asked");
    check_answer((int[]){0, 1, 2, 3}, 4, 0, 4, ""); /* all that counts */
}

TEST(batches_survive_each_failing_allocation)
{
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
    WITH_EACH_ALLOC_FAILING_HERE({
        static order o;

        order_init(&o, 40, true);
        aero_batch_begin(&o.batch, r.cluster, NULL, aero_clock_now());
        aero_sync_task(&o.batch.task, NULL);
        CHECK(o.batch.result == 0 || test_alloc_failed());
        order_fini(&o);
        for (int i = 0; i < 3; i++) {
            aero_pool_trim(r.cluster->map->nodes[i]->pool, UINT64_MAX, 0);
        }
    });
    rig_close(&r);
}

/* Single commands against a local server that does what it should not: their
 * connections, and what goes over them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/cluster/drain.h"
#include "aero/wire/value.h"
#include "cmd_kit.h"

TEST(all_connections_in_use_is_an_error_of_its_own)
{
    aero_policy policy = reads(3000, 0, 0);
    aero_cmd first;
    uint64_t from;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1, .max_conns = 1}));
    rig_control(&r, "fault kind=delay ms=500 class=read times=1");
    aero_cmd_init(&first);
    rig_put_get(&first, 1, NULL);
    aero_cmd_begin(&first, r.cluster, NULL, aero_clock_now());
    while (!first.x.sent) {
        CHECK(aero_cmd_step(&first) == AERO_MORE);
    }
    from = aero_clock_now();
    CHECK_INT(rig_write(&r, 1, 1, &policy), AERO_ERR_NO_MORE_CONNECTIONS);
    CHECK(rig_ms_since(from) < 2000);
    CHECK(!r.st.in_doubt);
    check_pool(&r, 1, 0);
    CHECK(aero_sync_job(&first.job, NULL) == AERO_OK);
    check_pool(&r, 0, 1);
    CHECK_INT(rig_write(&r, 1, 1, &policy), 0);
    aero_cmd_fini(&first);
    rig_close(&r);
}

TEST(too_many_errors_open_the_breaker_until_the_next_window)
{
    aero_policy policy = reads(1000, 0, 0);
    long before;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1, .max_error_rate = 3}));
    rig_control(&r, "fault kind=drop class=read times=3");
    for (int i = 0; i < 3; i++) {
        CHECK_INT(rig_get(&r, 1, &policy), AERO_ERR_CONNECTION);
    }
    before = rig_count(&r, "read");
    CHECK_INT(rig_get(&r, 1, &policy), AERO_ERR_MAX_ERROR_RATE);
    check_text(&r, "too many errors");
    CHECK_INT(rig_count(&r, "read"), before);
    check_pool(&r, 0, 0);
    rig_tend(&r);
    CHECK_INT(rig_get(&r, 1, &policy), AERO_ERR_RECORD_NOT_FOUND);
    rig_close(&r);
}

TEST(connection_that_was_idle_is_looked_at_before_a_write)
{
    aero_policy policy = writes(1000, 0, 0);
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1}));
    CHECK_INT(rig_write(&r, 1, 1, &policy), 0);
    r.cluster->map->nodes[0]->pool->idle->used_at = 0; /* long ago */
    rig_control(&r, "restart node=0");                 /* closes it */
    usleep(20000);
    CHECK_INT(rig_write(&r, 1, 1, &policy), 0);
    rig_close(&r);
}

TEST(other_connections_of_a_broken_one_are_looked_at)
{
    aero_policy policy = writes(1000, 0, 0);
    aero_cmd both[2];
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1}));
    rig_control(&r, "fault kind=delay ms=30 class=read times=2");
    for (int i = 0; i < 2; i++) {
        aero_cmd_init(&both[i]);
        rig_put_get(&both[i], 1, NULL);
        aero_cmd_begin(&both[i], r.cluster, NULL, aero_clock_now());
        while (!both[i].x.sent) {
            CHECK(aero_cmd_step(&both[i]) == AERO_MORE);
        }
    }
    for (int i = 0; i < 2; i++) {
        CHECK(aero_sync_job(&both[i].job, NULL) == AERO_OK);
        aero_cmd_fini(&both[i]);
    }
    check_pool(&r, 0, 2);
    rig_control(&r, "restart node=0");
    usleep(20000);
    CHECK_INT(rig_write(&r, 1, 1, &policy), AERO_ERR_CONNECTION);
    CHECK_INT(rig_write(&r, 1, 1, &policy), 0); /* not by the second stale */
    rig_close(&r);
}

TEST(late_reply_is_read_out_and_its_connection_used_again)
{
    aero_policy policy = writes(1000, 40, 0);
    uint64_t from = aero_clock_now();
    aero_pool_stats stats;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1, .tender = true}));
    policy.timeout_delay = 3000;
    rig_control(&r, "fault kind=delay ms=120 class=write times=1");
    CHECK_INT(rig_write(&r, 1, 1, &policy), AERO_ERR_TIMEOUT);
    CHECK(r.st.in_doubt);
    while (atomic_load(&r.cluster->n_recovered) == 0 &&
           rig_ms_since(from) < 3000) {
        usleep(5000);
    }
    CHECK_INT(atomic_load(&r.cluster->n_recovered), 1);
    CHECK_INT(atomic_load(&r.cluster->n_recovering), 0);
    CHECK_INT(rig_write(&r, 1, 1, &policy), 0);
    aero_pool_get_stats(r.cluster->map->nodes[0]->pool, &stats);
    CHECK_INT(stats.opened, 1);
    rig_close(&r);
}

TEST(late_reply_that_never_comes_is_given_up)
{
    static const char *const kinds[] = {"stall bytes=0", "stall bytes=20"};
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1, .tender = true}));
    for (unsigned i = 0; i < 2; i++) {
        aero_policy policy = reads(1000, 30, 0);
        uint64_t from = aero_clock_now();

        policy.timeout_delay = 60;
        rig_control(&r, "fault kind=%s class=read times=1", kinds[i]);
        CHECK(rig_get(&r, 1, &policy) != 0);
        rig_control(&r, "clear");
        while (atomic_load(&r.cluster->n_recovering) != 0 &&
               rig_ms_since(from) < 3000) {
            usleep(5000);
        }
        check_pool(&r, 0, 0);
    }
    CHECK_INT(atomic_load(&r.cluster->n_aborted), 2);
    CHECK_INT(atomic_load(&r.cluster->n_recovered), 0);
    rig_close(&r);
}

TEST(cluster_is_closed_while_late_replies_are_awaited)
{
    aero_policy policy = reads(1000, 20, 0);
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1, .tender = true}));
    policy.timeout_delay = 3000;
    rig_control(&r, "fault kind=stall bytes=0 class=read");
    for (int i = 0; i < 5; i++) {
        CHECK_INT(rig_get(&r, 1, &policy), AERO_ERR_TIMEOUT);
    }
    CHECK_INT(atomic_load(&r.cluster->n_recovering), 5);
    rig_close(&r);
}

TEST(cancelled_command_gives_its_connection_up)
{
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1}));
    for (int steps = 0; steps < 4; steps++) {
        aero_policy policy = writes(1000, 0, 0);
        aero_cmd cmd;

        rig_control(&r, "fault kind=stall bytes=0 class=write");
        aero_cmd_init(&cmd);
        rig_put_write(&cmd, 1, 1, &policy);
        aero_cmd_begin(&cmd, r.cluster, NULL, aero_clock_now());
        for (int i = 0; i < steps; i++) {
            CHECK(aero_cmd_step(&cmd) == AERO_MORE);
            usleep(1000);
        }
        aero_cmd_cancel(&cmd, AERO_ERR_CLIENT_ABORT, "enough");
        CHECK_INT(cmd.st.code, AERO_ERR_CLIENT_ABORT);
        CHECK(cmd.st.in_doubt == (cmd.n_sent != 0));
        CHECK(cmd.state == AERO_CMD_DONE && cmd.rc == AERO_ERROR);
        aero_cmd_cancel(&cmd, AERO_ERR_TIMEOUT, "again"); /* nothing more */
        CHECK_INT(cmd.st.code, AERO_ERR_CLIENT_ABORT);
        aero_cmd_fini(&cmd);
        check_pool(&r, 0, 0);
        rig_control(&r, "clear");
    }
    rig_close(&r);
}

TEST(refused_session_is_renewed_by_the_next_tend)
{
    aero_policy policy = reads(1000, 0, 0);
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1, .user = "writer"}));
    rig_control(&r, "fault kind=code code=80 class=read times=1");
    CHECK_INT(rig_get(&r, 1, &policy), AERO_ERR_NOT_AUTHENTICATED);
    CHECK(atomic_load(&r.cluster->map->nodes[0]->login->due));
    check_pool(&r, 0, 0);
    rig_tend(&r);
    CHECK(!atomic_load(&r.cluster->map->nodes[0]->login->due));
    CHECK_INT(rig_get(&r, 1, &policy), AERO_ERR_RECORD_NOT_FOUND);
    rig_close(&r);
}

/* ---- what is sent ---- */

static uint32_t
budget_sent(fakenet *net)
{
    return aero_get_u32(net->sent.ptr + AERO_FRAME_HEAD + 14);
}

TEST(server_is_told_how_much_time_it_has)
{
    static const struct {
        uint32_t total;
        uint32_t socket;
        uint32_t budget;
    } rows[] = {{1000, 0, 1000},
                {1000, 30000, 1000},
                {1000, 200, 200},
                {0, 500, 500},
                {0, 0, 0}};
    aero_span found = test_hex("0203000000000016 16 00000000 02 00000000"
                               "00000000 00000000 0000 0000");

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_policy policy = reads(rows[i].total, rows[i].socket, 0);
        aero_cmd cmd;
        fakenet net;

        REQUIRE(fake_init(&net, 1) && fake_add_conn(&net, 0));
        net.reply = found;
        aero_cmd_init(&cmd);
        rig_put_get(&cmd, 1, &policy);
        aero_cmd_begin(&cmd, net.cluster, NULL, aero_clock_now());
        CHECK(cmd.job.step(&cmd.job) == AERO_OK);
        CHECK_INT(cmd.result, AERO_ERR_RECORD_NOT_FOUND);
        CHECK_INT(budget_sent(&net), rows[i].budget);
        aero_cmd_fini(&cmd);
        fake_fini(&net);
    }
}

TEST(reply_that_is_no_message_is_an_error)
{
    static const char *const bad[] = {"0203000000000000",
                                      "0203000000000005 1600000000"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        aero_policy policy = reads(1000, 0, 0);
        aero_cmd cmd;
        fakenet net;

        REQUIRE(fake_init(&net, 1) && fake_add_conn(&net, 0));
        net.reply = test_hex(bad[i]);
        aero_cmd_init(&cmd);
        rig_put_get(&cmd, 1, &policy);
        aero_cmd_begin(&cmd, net.cluster, NULL, aero_clock_now());
        CHECK(cmd.job.step(&cmd.job) == AERO_ERROR);
        CHECK_INT(cmd.st.code, AERO_ERR_CLIENT);
        aero_cmd_fini(&cmd);
        fake_fini(&net);
    }
}

TEST(compressed_requests_and_replies_are_understood)
{
    aero_policy policy;
    aero_key key;
    aero_single s;
    aero_cmd cmd;
    aero_msg msg = {0};
    static const uint8_t zeros[20000];
    const int racks[] = {1}; /* makes it an Enterprise server */
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1, .racks = racks}));
    aero_policy_init(&policy, AERO_POLICY_WRITE);
    policy.compress = true;
    rig_key(&key, 5);
    aero_cmd_init(&cmd);
    aero_policy_put_write(&policy, 0, 0, &msg);
    aero_single_open(&s, &cmd, &key, &policy, &msg);
    aero_op_put(&cmd.out, AERO_OP_WRITE, AERO_PARTICLE_BLOB,
                aero_span_str("b"), aero_span_of(zeros, sizeof zeros));
    aero_single_close(&s, 1);
    CHECK(rig_run(&r, &cmd) == AERO_OK && cmd.result == 0);
    CHECK(cmd.out.len < 1000);
    aero_cmd_reset(&cmd);
    msg = (aero_msg){.info1 = AERO_INFO1_GET_ALL};
    aero_policy_put_read(&policy, &msg);
    aero_single_open(&s, &cmd, &key, &policy, &msg);
    aero_single_close(&s, 0);
    CHECK(rig_run(&r, &cmd) == AERO_OK && cmd.result == 0);
    CHECK(aero_cmd_body(&cmd).len > 20000);
    CHECK(cmd.x.received < 1000);
    aero_cmd_fini(&cmd);
    rig_close(&r);
}

TEST(commands_survive_each_failing_allocation)
{
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1, .user = "writer"}));
    WITH_EACH_ALLOC_FAILING_HERE({
        int code = rig_write(&r, 1, 1, NULL);

        CHECK(code == 0 || test_alloc_failed());
        aero_pool_trim(r.cluster->map->nodes[0]->pool, UINT64_MAX, 0);
    });
    WITH_EACH_ALLOC_FAILING_HERE({
        aero_policy policy = reads(20, 0, 1);

        policy.timeout_delay = 1000;
        rig_control(&r, "fault kind=stall bytes=0 class=read times=1");
        rig_get(&r, 1, &policy); /* its late reply is read out, or not */
        test_fail_alloc_here(-1);
        rig_control(&r, "clear");
        aero_drain_free_all(aero_drain_collect(r.cluster));
        if (n_ > 60) {
            break;
        }
    });
    rig_close(&r);
}

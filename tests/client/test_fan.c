/* The same request to every node, and settling.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/settle.h"
#include "rig.h"

static aero_rc
ask(rig *r, aero_fan *fan, const char *command, uint32_t ms)
{
    aero_rc rc = aero_fan_begin(fan, r->cluster, NULL, aero_span_str(command),
                                ms, aero_clock_now(), &r->st);

    return rc == AERO_OK ? aero_sync_task(&fan->task, NULL) : rc;
}

TEST(every_node_is_asked_and_answers_for_itself)
{
    aero_fan fan;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 4}));
    CHECK(ask(&r, &fan, "node", 1000) == AERO_OK);
    CHECK_INT(fan.count, 4);
    for (size_t i = 0; i < fan.count; i++) {
        aero_span value;

        CHECK(aero_fan_value(&fan.cmds[i], &value, &r.st) == AERO_OK);
        CHECK(aero_span_is(value, fan.cmds[i].st.node));
    }
    aero_fan_fini(&fan);
    rig_close(&r);
}

TEST(error_of_a_node_has_its_code_text_and_name)
{
    aero_fan fan;
    aero_span value;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2}));
    CHECK(ask(&r, &fan, "no-such-command", 1000) == AERO_OK);
    for (size_t i = 0; i < 2; i++) {
        CHECK(aero_fan_value(&fan.cmds[i], &value, &r.st) == AERO_ERROR);
        CHECK_INT(r.st.code, AERO_ERR_REQUEST_INVALID);
        CHECK(r.st.from_server);
        CHECK(strstr(r.st.text, fan.cmds[i].st.node) != NULL);
    }
    aero_fan_fini(&fan);
    rig_close(&r);
}

TEST(node_that_does_not_answer_fails_alone_and_in_time)
{
    aero_fan fan;
    aero_span value;
    unsigned answered = 0;
    uint64_t from;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
    rig_control(&r, "fault kind=stall bytes=4 class=info node=1");
    from = aero_clock_now();
    CHECK(ask(&r, &fan, "build", 80) == AERO_OK);
    CHECK(rig_ms_since(from) >= 79 && rig_ms_since(from) < 10000);
    for (size_t i = 0; i < 3; i++) {
        if (aero_fan_value(&fan.cmds[i], &value, &r.st) == AERO_OK) {
            answered++;
        }
        else {
            CHECK_INT(r.st.code, AERO_ERR_TIMEOUT);
        }
    }
    CHECK_INT(answered, 2);
    aero_fan_fini(&fan);
    rig_close(&r);
}

TEST(cluster_without_a_node_cannot_be_asked)
{
    aero_cluster_config config;
    aero_fan fan;
    rig r = {0};

    aero_cluster_config_init(&config);
    r.cluster = aero_cluster_new(&config, NULL);
    REQUIRE(r.cluster != NULL);
    CHECK(ask(&r, &fan, "build", 100) == AERO_ERROR);
    CHECK_INT(r.st.code, AERO_ERR_CLUSTER);
    aero_cluster_release(r.cluster);
}

/* ---- settling ---- */

static void
put_build(void *ctx, const aero_node *node, aero_buf *out)
{
    (void)ctx;
    (void)node;
    aero_buf_put_str(out, "build");
}

/* Done when it was looked at so many times. */
static aero_look
count_looks(void *ctx, const aero_cmd *cmd, aero_status *st)
{
    int *left = ctx;

    (void)cmd;
    if (*left < 0) {
        aero_fail(st, AERO_ERR_SERVER, "it will never be");
        return AERO_LOOK_FAILED;
    }
    return --*left > 0 ? AERO_LOOK_NOT_YET : AERO_LOOK_DONE;
}

static aero_rc
settle(rig *r, int *looks)
{
    aero_settle s;
    aero_rc rc;

    aero_settle_init(&s);
    s.ask =
        (aero_fan_how){.put = put_build, .one_node = true, .timeout_ms = 500};
    s.look = (aero_fan_how){.put = put_build, .timeout_ms = 500};
    s.judge = count_looks;
    s.ctx = looks;
    aero_settle_begin(&s, r->cluster, NULL);
    rc = aero_sync_task(&s.task, NULL);
    r->st = s.st;
    aero_settle_fini(&s);
    return rc;
}

TEST(nodes_are_looked_at_until_all_are_done)
{
    int looks = 7;
    int never = -1;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2}));
    CHECK(settle(&r, &looks) == AERO_OK);
    CHECK(looks <= 0);
    CHECK(settle(&r, &never) == AERO_ERROR);
    CHECK(strstr(r.st.text, "never be") != NULL);
    rig_close(&r);
}

TEST(fans_survive_each_failing_allocation)
{
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
    WITH_EACH_ALLOC_FAILING_HERE({
        aero_fan fan;
        int looks = 2;

        ask(&r, &fan, "build", 1000);
        aero_fan_fini(&fan);
        settle(&r, &looks);
        for (int i = 0; i < 3; i++) {
            aero_pool_trim(r.cluster->map->nodes[i]->pool, UINT64_MAX, 0);
        }
    });
    rig_close(&r);
}

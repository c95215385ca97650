/* Policies: what they begin with, and the bits they set.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/cmd.h"
#include "test.h"

TEST(limits_begin_as_documented)
{
    static const struct {
        aero_policy_kind kind;
        uint32_t total;
        uint32_t socket;
        uint32_t retries;
    } rows[] = {
        {AERO_POLICY_READ, 1000, 30000, 2},
        {AERO_POLICY_WRITE, 1000, 30000, 0},
        {AERO_POLICY_OPERATE, 1000, 30000, 0},
        {AERO_POLICY_REMOVE, 1000, 30000, 0},
        {AERO_POLICY_APPLY, 1000, 30000, 0},
        {AERO_POLICY_BATCH, 1000, 30000, 2},
        {AERO_POLICY_BATCH_PARENT_WRITE, 1000, 30000, 0},
        {AERO_POLICY_QUERY, 0, 30000, 5},
        {AERO_POLICY_SCAN, 0, 30000, 5},
        {AERO_POLICY_TXN_VERIFY, 10000, 3000, 5},
        {AERO_POLICY_TXN_ROLL, 10000, 3000, 5},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_policy policy;

        aero_policy_init(&policy, rows[i].kind);
        CHECK_INT(policy.total_timeout, rows[i].total);
        CHECK_INT(policy.socket_timeout, rows[i].socket);
        CHECK_INT(policy.max_retries, rows[i].retries);
        CHECK_INT(policy.timeout_delay, 3000);
        CHECK_INT(policy.given, 0);
    }
}

static aero_msg
write_with(uint8_t gen, uint8_t exists, bool durable, uint8_t commit)
{
    aero_policy policy;
    aero_msg msg = {0};

    aero_policy_init(&policy, AERO_POLICY_WRITE);
    policy.gen = gen;
    policy.exists = exists;
    policy.durable_delete = durable;
    policy.commit_level = commit;
    aero_policy_put_write(&policy, 77, 88, &msg);
    return msg;
}

TEST(writes_carry_what_their_policy_says)
{
    aero_msg msg = write_with(AERO_GEN_IGNORE, AERO_EXISTS_UPDATE, false, 0);

    CHECK_INT(msg.info2, AERO_INFO2_WRITE);
    CHECK_INT(msg.info3, 0);
    CHECK_INT(msg.generation, 0);
    CHECK_INT(msg.ttl, 88);
    msg = write_with(AERO_GEN_EQ, AERO_EXISTS_CREATE_ONLY, true, 1);
    CHECK_INT(msg.info2, AERO_INFO2_WRITE | AERO_INFO2_GENERATION |
                             AERO_INFO2_CREATE_ONLY |
                             AERO_INFO2_DURABLE_DELETE);
    CHECK_INT(msg.info3, AERO_INFO3_COMMIT_LEVEL_MASTER);
    CHECK_INT(msg.generation, 77);
    msg = write_with(AERO_GEN_GT, AERO_EXISTS_UPDATE_ONLY, false, 0);
    CHECK_INT(msg.info2, AERO_INFO2_WRITE | AERO_INFO2_GENERATION_GT);
    CHECK_INT(msg.info3, AERO_INFO3_UPDATE_ONLY);
    msg = write_with(0, AERO_EXISTS_CREATE_OR_REPLACE, false, 0);
    CHECK_INT(msg.info3, AERO_INFO3_CREATE_OR_REPLACE);
    msg = write_with(0, AERO_EXISTS_REPLACE_ONLY, false, 0);
    CHECK_INT(msg.info3, AERO_INFO3_REPLACE_ONLY);
}

TEST(reads_carry_what_their_policy_says)
{
    static const struct {
        uint8_t mode_sc;
        unsigned info3;
    } rows[] = {
        {AERO_READ_SC_SESSION, 0},
        {AERO_READ_SC_LINEARIZE, AERO_INFO3_SC_READ_TYPE},
        {AERO_READ_SC_ALLOW_REPLICA, AERO_INFO3_SC_READ_RELAX},
        {AERO_READ_SC_ALLOW_UNAVAILABLE,
         AERO_INFO3_SC_READ_RELAX | AERO_INFO3_SC_READ_TYPE},
    };
    aero_policy policy;
    aero_msg msg = {0};

    aero_policy_init(&policy, AERO_POLICY_READ);
    policy.read_touch_ttl_percent = 80;
    policy.read_mode_ap = 1;
    policy.compress = true;
    aero_policy_put_read(&policy, &msg);
    CHECK_INT(msg.info1, AERO_INFO1_READ | AERO_INFO1_READ_MODE_AP_ALL |
                             AERO_INFO1_COMPRESS_RESPONSE);
    CHECK_INT(msg.ttl, 80);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        msg = (aero_msg){0};
        policy.read_mode_sc = rows[i].mode_sc;
        aero_policy_put_read(&policy, &msg);
        CHECK_INT(msg.info3, rows[i].info3);
    }
}

TEST(reading_within_a_write_leaves_its_time_to_live_alone)
{
    aero_policy policy;
    aero_msg msg = {0};

    aero_policy_init(&policy, AERO_POLICY_OPERATE);
    policy.read_touch_ttl_percent = 80;
    aero_policy_put_write(&policy, 0, 500, &msg);
    aero_policy_put_read(&policy, &msg);
    CHECK_INT(msg.ttl, 500);
}

TEST(socket_timeout_is_never_above_the_total)
{
    static const uint32_t rows[][3] = {/* total, socket, what it is then */
                                       {1000, 30000, 1000},
                                       {1000, 0, 1000},
                                       {1000, 200, 200},
                                       {0, 0, 0},
                                       {0, 700, 700}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_policy policy;
        aero_cmd cmd;

        aero_policy_init(&policy, AERO_POLICY_READ);
        policy.total_timeout = rows[i][0];
        policy.socket_timeout = rows[i][1];
        aero_cmd_init(&cmd);
        aero_cmd_set_policy(&cmd, &policy);
        CHECK_INT(cmd.socket_ms, rows[i][2]);
        aero_cmd_fini(&cmd);
    }
}

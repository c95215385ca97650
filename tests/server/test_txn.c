/* Transactions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "../../src/server/txn.h"
#include "aero/wire/value.h"
#include "kit.h"

enum {
    ONE = 1111,
    TWO = 2222
};

static bool
open_consistent(kit *k)
{
    static const char *const names[] = {"test", "bar"};
    aero_server_config config = {0};

    config.enterprise = true;
    config.namespaces = names;
    config.n_namespaces = 2;
    config.consistent = names;
    config.n_consistent = 1;
    return kit_open_with(k, &config);
}

static void
add_txn(kit *k, uint64_t txn)
{
    uint8_t wire[8];

    if (txn == 0) {
        return;
    }
    aero_set_u64le(wire, txn);
    kit_field(k, AERO_FIELD_TXN_ID, aero_span_of(wire, 8));
    aero_set_u32le(wire, srv_clock_s(&k->core.clock) + 10);
    kit_field(k, AERO_FIELD_TXN_DEADLINE, aero_span_of(wire, 4));
}

static int
put(kit *k, uint64_t txn, int64_t number, int64_t value)
{
    kit_begin(k, 0, AERO_INFO2_WRITE, 0);
    kit_key(k, "s", number);
    add_txn(k, txn);
    kit_int_op(k, AERO_OP_WRITE, "n", value);
    return kit_send(k);
}

static int
drop(kit *k, uint64_t txn, int64_t number, uint8_t durable)
{
    kit_begin(k, 0, AERO_INFO2_WRITE | AERO_INFO2_DELETE | durable, 0);
    kit_key(k, "s", number);
    add_txn(k, txn);
    return kit_send(k);
}

/* The value of bin n; -code when there is none. */
static int64_t
get(kit *k, uint64_t txn, int64_t number)
{
    aero_span in;
    aero_msg msg;
    aero_field field;
    aero_op op;
    int code;

    kit_begin(k, AERO_INFO1_READ | AERO_INFO1_GET_ALL, 0, 0);
    kit_key(k, "s", number);
    add_txn(k, txn);
    code = kit_send(k);
    if (code != AERO_ERR_OK) {
        return -code;
    }
    in = aero_span_skip(aero_buf_span(&k->out), AERO_FRAME_HEAD);
    aero_msg_take(&in, &msg, NULL);
    for (unsigned i = 0; i < msg.n_fields; i++) {
        aero_field_take(&in, &field, NULL);
    }
    return aero_op_take(&in, &op, NULL) == AERO_OK
               ? (int64_t)aero_get_u64(op.value.ptr)
               : -1;
}

/* The data of a field of the answer; empty: it is not there. */
static aero_span
answered(const kit *k, aero_field_type type)
{
    aero_span in = aero_span_skip(aero_buf_span(&k->out), AERO_FRAME_HEAD);
    aero_msg msg;
    aero_field field;

    aero_msg_take(&in, &msg, NULL);
    for (unsigned i = 0; i < msg.n_fields; i++) {
        aero_field_take(&in, &field, NULL);
        if (field.type == type) {
            return field.data;
        }
    }
    return aero_span_of(NULL, 0);
}

static int
roll(kit *k, uint64_t txn, int64_t number, uint8_t how)
{
    kit_begin(k, 0, AERO_INFO2_WRITE | AERO_INFO2_DURABLE_DELETE, 0);
    k->ask.ptr[k->at + 4] = how;
    kit_key(k, "s", number);
    add_txn(k, txn);
    return kit_send(k);
}

static int
verify(kit *k, int64_t number, aero_span version)
{
    uint8_t kept[SRV_VERSION_SIZE];

    memcpy(kept, version.ptr, sizeof kept);
    kit_begin(k, AERO_INFO1_READ | AERO_INFO1_GET_NO_BINS, 0,
              AERO_INFO3_SC_READ_TYPE);
    k->ask.ptr[k->at + 4] = AERO_INFO4_TXN_VERIFY_READ;
    kit_key(k, "s", number);
    kit_field(k, AERO_FIELD_VERSION, aero_span_of(kept, sizeof kept));
    return kit_send(k);
}

/* ---- monitors ---- */

static void
begin_monitor(kit *k, uint64_t txn, uint8_t info2)
{
    kit_begin(k, 0, AERO_INFO2_WRITE | info2, 0);
    kit_key(k, SRV_MONITOR_SET, (int64_t)txn);
}

static int
announce(kit *k, uint64_t txn, bool first)
{
    /* [append, blob of 20 bytes, ordered, flags] */
    static const char append[] = "94 01 b5 04 0102030405060708090a"
                                 "0b0c0d0e0f1011121314 01 0d";

    begin_monitor(k, txn, AERO_INFO2_RESPOND_ALL_OPS);
    if (first) {
        kit_int_op(k, AERO_OP_WRITE, "id", (int64_t)txn);
    }
    kit_op(k, AERO_OP_CDT_MODIFY, AERO_PARTICLE_BLOB, "keyds",
           test_hex(append));
    return kit_send(k);
}

static int
mark(kit *k, uint64_t txn)
{
    begin_monitor(k, txn, 0);
    kit_op(k, AERO_OP_WRITE, AERO_PARTICLE_BOOL, "fwd", aero_span_of("\1", 1));
    return kit_send(k);
}

static int
close_monitor(kit *k, uint64_t txn)
{
    begin_monitor(k, txn, AERO_INFO2_DELETE | AERO_INFO2_DURABLE_DELETE);
    return kit_send(k);
}

/* ---- what others see ---- */

TEST(what_a_transaction_writes_is_its_own_until_it_is_rolled_forward)
{
    kit k;

    REQUIRE(open_consistent(&k));
    put(&k, 0, 1, 10);
    CHECK_INT(put(&k, ONE, 1, 11), AERO_ERR_OK);
    CHECK_INT(put(&k, ONE, 2, 22), AERO_ERR_OK);
    CHECK_INT(get(&k, ONE, 1), 11);
    CHECK_INT(get(&k, ONE, 2), 22);
    CHECK_INT(get(&k, 0, 1), 10);
    CHECK_INT(get(&k, 0, 2), -AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(get(&k, TWO, 1), -AERO_ERR_MRT_BLOCKED);
    CHECK_INT(put(&k, TWO, 1, 5), AERO_ERR_MRT_BLOCKED);
    CHECK_INT(put(&k, 0, 1, 5), AERO_ERR_MRT_BLOCKED);
    CHECK(strstr(kit_info(&k, "namespace/test"), ";mrt_provisionals=2;") !=
          NULL);
    CHECK_INT(roll(&k, ONE, 1, AERO_INFO4_TXN_ROLL_FORWARD), AERO_ERR_OK);
    CHECK_INT(roll(&k, ONE, 2, AERO_INFO4_TXN_ROLL_FORWARD), AERO_ERR_OK);
    CHECK_INT(roll(&k, ONE, 2, AERO_INFO4_TXN_ROLL_FORWARD), AERO_ERR_OK);
    CHECK_INT(get(&k, 0, 1), 11);
    CHECK_INT(get(&k, 0, 2), 22);
    kit_close(&k);
}

TEST(what_is_rolled_back_never_was)
{
    kit k;

    REQUIRE(open_consistent(&k));
    put(&k, 0, 1, 10);
    put(&k, ONE, 1, 11);
    put(&k, ONE, 1, 12);
    put(&k, ONE, 2, 22);
    CHECK_INT(drop(&k, ONE, 1, 0), AERO_ERR_FAIL_FORBIDDEN);
    CHECK_INT(drop(&k, ONE, 1, AERO_INFO2_DURABLE_DELETE), AERO_ERR_OK);
    CHECK_INT(get(&k, ONE, 1), -AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(get(&k, 0, 1), 10);
    CHECK_INT(roll(&k, ONE, 1, AERO_INFO4_TXN_ROLL_BACK), AERO_ERR_OK);
    CHECK_INT(roll(&k, ONE, 2, AERO_INFO4_TXN_ROLL_BACK), AERO_ERR_OK);
    CHECK_INT(get(&k, 0, 1), 10);
    CHECK_INT(kit_head(&k).generation, 1);
    CHECK_INT(get(&k, 0, 2), -AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(put(&k, 0, 1, 5), AERO_ERR_OK);
    kit_close(&k);
}

TEST(queries_and_indexes_see_what_is_committed)
{
    kit k;

    REQUIRE(open_consistent(&k));
    CHECK_TEXT(kit_info(&k, "sindex-create:ns=test;set=s;indexname=i;bin=n;"
                            "type=numeric"),
               "ok");
    put(&k, 0, 1, 10);
    put(&k, ONE, 2, 22);
    CHECK(strncmp(kit_info(&k, "sindex-stat:ns=test;indexname=i"),
                  "entries=1;", 10) == 0);
    roll(&k, ONE, 2, AERO_INFO4_TXN_ROLL_FORWARD);
    CHECK(strncmp(kit_info(&k, "sindex-stat:ns=test;indexname=i"),
                  "entries=2;", 10) == 0);
    kit_close(&k);
}

/* ---- versions ---- */

TEST(what_was_read_is_verified_by_its_version)
{
    uint8_t version[SRV_VERSION_SIZE];
    aero_span seen;
    kit k;

    REQUIRE(open_consistent(&k));
    put(&k, 0, 1, 10);
    get(&k, ONE, 1);
    seen = answered(&k, AERO_FIELD_VERSION);
    REQUIRE(seen.len == SRV_VERSION_SIZE);
    memcpy(version, seen.ptr, sizeof version);
    seen = aero_span_of(version, sizeof version);
    CHECK_INT(verify(&k, 1, seen), AERO_ERR_OK);
    put(&k, ONE, 1, 11);
    CHECK_INT(answered(&k, AERO_FIELD_VERSION).len, 0);
    CHECK_INT(verify(&k, 1, seen), AERO_ERR_MRT_BLOCKED);
    get(&k, ONE, 1);
    CHECK_INT(answered(&k, AERO_FIELD_VERSION).len, 0);
    roll(&k, ONE, 1, AERO_INFO4_TXN_ROLL_BACK);
    CHECK_INT(verify(&k, 1, seen), AERO_ERR_OK);
    put(&k, 0, 1, 12);
    CHECK_INT(verify(&k, 1, seen), AERO_ERR_MRT_VERSION_MISMATCH);
    kit_begin(&k, 0, AERO_INFO2_WRITE, 0);
    kit_key(&k, "s", 1);
    add_txn(&k, ONE);
    kit_field(&k, AERO_FIELD_VERSION, seen);
    kit_int_op(&k, AERO_OP_WRITE, "n", 1);
    CHECK_INT(kit_send(&k), AERO_ERR_MRT_VERSION_MISMATCH);
    CHECK_INT(get(&k, 0, 1), 12);
    kit_close(&k);
}

TEST(a_write_may_insist_on_being_the_first)
{
    kit k;

    REQUIRE(open_consistent(&k));
    put(&k, ONE, 1, 10);
    kit_begin(&k, 0, AERO_INFO2_WRITE, 0);
    k.ask.ptr[k.at + 4] = AERO_INFO4_TXN_ON_LOCKING_ONLY;
    kit_key(&k, "s", 1);
    add_txn(&k, ONE);
    kit_int_op(&k, AERO_OP_WRITE, "n", 11);
    CHECK_INT(kit_send(&k), AERO_ERR_MRT_ALREADY_LOCKED);
    CHECK_INT(get(&k, ONE, 1), 10);
    kit_close(&k);
}

/* ---- monitors ---- */

TEST(a_monitor_says_its_deadline_and_knows_its_state)
{
    kit k;
    aero_span deadline;

    REQUIRE(open_consistent(&k));
    CHECK_INT(announce(&k, ONE, true), AERO_ERR_OK);
    deadline = answered(&k, AERO_FIELD_TXN_DEADLINE);
    REQUIRE(deadline.len == 4);
    CHECK_INT(aero_get_u32le(deadline.ptr) - srv_clock_s(&k.core.clock), 10);
    CHECK_INT(announce(&k, ONE, true), AERO_ERR_MRT_MONITOR_EXISTS);
    CHECK_INT(announce(&k, ONE, false), AERO_ERR_OK);
    CHECK_INT(announce(&k, TWO, false), AERO_ERR_MRT_EXPIRED);
    CHECK_INT(mark(&k, ONE), AERO_ERR_OK);
    CHECK_INT(mark(&k, ONE), AERO_ERR_MRT_COMMITTED);
    CHECK_INT(announce(&k, ONE, false), AERO_ERR_MRT_COMMITTED);
    CHECK_INT(close_monitor(&k, ONE), AERO_ERR_OK);
    CHECK_INT(mark(&k, ONE), AERO_ERR_MRT_ABORTED);
    kit_close(&k);
}

TEST(a_transaction_whose_time_is_over_is_ended)
{
    kit k;

    REQUIRE(open_consistent(&k));
    put(&k, 0, 1, 10);
    announce(&k, ONE, true);
    put(&k, ONE, 1, 11);
    announce(&k, TWO, true);
    put(&k, TWO, 2, 22);
    CHECK_INT(mark(&k, TWO), AERO_ERR_OK);
    put(&k, 3333, 3, 33); /* not announced */
    k.core.clock.ahead_ms = 11000;
    CHECK_INT(announce(&k, ONE, false), AERO_ERR_MRT_EXPIRED);
    srv_core_tick(&k.core);
    CHECK_INT(get(&k, 0, 1), 10);
    CHECK_INT(get(&k, 0, 2), 22);
    CHECK_INT(put(&k, 0, 1, 12), AERO_ERR_OK);
    CHECK_INT(put(&k, 0, 3, 30), AERO_ERR_OK);
    CHECK_INT(mark(&k, ONE), AERO_ERR_MRT_ABORTED);
    k.core.clock.ahead_ms = 100000;
    srv_core_tick(&k.core);
    CHECK(strstr(kit_info(&k, "namespace/test"), ";mrt_monitors=0;") != NULL);
    kit_close(&k);
}

TEST(closing_a_monitor_ends_what_is_left)
{
    kit k;

    REQUIRE(open_consistent(&k));
    announce(&k, ONE, true);
    put(&k, ONE, 1, 11);
    mark(&k, ONE);
    close_monitor(&k, ONE);
    CHECK_INT(get(&k, 0, 1), 11);
    announce(&k, TWO, true);
    put(&k, TWO, 1, 12);
    close_monitor(&k, TWO);
    CHECK_INT(get(&k, 0, 1), 11);
    CHECK(strstr(kit_info(&k, "namespace/test"), ";mrt_provisionals=0;") !=
          NULL);
    kit_close(&k);
}

/* ---- where there are none ---- */

TEST(transactions_need_a_consistent_namespace_of_the_enterprise_edition)
{
    kit k;

    REQUIRE(kit_open(&k));
    CHECK_INT(put(&k, ONE, 1, 11), AERO_ERR_ENTERPRISE_ONLY);
    CHECK_INT(get(&k, ONE, 1), -AERO_ERR_ENTERPRISE_ONLY);
    CHECK_INT(roll(&k, ONE, 1, AERO_INFO4_TXN_ROLL_BACK),
              AERO_ERR_ENTERPRISE_ONLY);
    kit_close(&k);
    REQUIRE(open_consistent(&k));
    k.core.enterprise = true;
    kit_begin(&k, 0, AERO_INFO2_WRITE, 0);
    kit_field(&k, AERO_FIELD_NAMESPACE, aero_span_str("bar"));
    kit_field(&k, AERO_FIELD_DIGEST, aero_span_of("12345678901234567890", 20));
    add_txn(&k, ONE);
    kit_int_op(&k, AERO_OP_WRITE, "n", 1);
    CHECK_INT(kit_send(&k), AERO_ERR_UNSUPPORTED_FEATURE);
    CHECK(strncmp(kit_info(&k, "replicas"), "test:1,1,", 9) == 0);
    CHECK(strstr(kit_info(&k, "replicas"), ";bar:0,1,") != NULL);
    kit_close(&k);
}

/* What single commands do, rule by rule.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

enum {
    READ_ALL = AERO_INFO1_READ | AERO_INFO1_GET_ALL,
    OK = AERO_ERR_OK
};

#define SET "s"

static int
remove_it(kit *k, int64_t number)
{
    kit_begin(k, 0, AERO_INFO2_WRITE | AERO_INFO2_DELETE, 0);
    kit_key(k, SET, number);
    return kit_send(k);
}

/* A write of one operation without a value. */
static int
write_op(kit *k, int64_t number, uint8_t info1, uint8_t info2, uint8_t info3,
         aero_op_type op, const char *bin)
{
    kit_begin(k, info1, info2 | AERO_INFO2_WRITE, info3);
    kit_key(k, SET, number);
    kit_op(k, op, AERO_PARTICLE_NIL, bin, aero_span_of(NULL, 0));
    return kit_send(k);
}

static int
write_int(kit *k, int64_t number, uint8_t info2, uint8_t info3,
          uint32_t generation, int64_t value)
{
    kit_begin(k, 0, info2 | AERO_INFO2_WRITE, info3);
    kit_set_generation(k, generation);
    kit_key(k, SET, number);
    kit_int_op(k, AERO_OP_WRITE, "n", value);
    return kit_send(k);
}

TEST(a_record_is_written_read_and_removed)
{
    kit k;
    kit_counts counts;

    REQUIRE(kit_open(&k));
    CHECK_INT(kit_get(&k, SET, 1), AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(kit_put(&k, SET, 1, 7, 0), OK);
    CHECK_INT(kit_head(&k).generation, 1);
    CHECK_INT(kit_get(&k, SET, 1), OK);
    CHECK_INT(kit_head(&k).generation, 1);
    REQUIRE(kit_count(&k, &counts));
    CHECK_INT(counts.ops, 1);
    CHECK_INT(remove_it(&k, 1), OK);
    CHECK_INT(kit_head(&k).generation, 0);
    CHECK_INT(remove_it(&k, 1), AERO_ERR_RECORD_NOT_FOUND);
    kit_close(&k);
}

TEST(policies_of_existence_decide)
{
    kit k;

    REQUIRE(kit_open(&k));
    CHECK_INT(write_int(&k, 1, 0, AERO_INFO3_UPDATE_ONLY, 0, 1),
              AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(write_int(&k, 1, 0, AERO_INFO3_REPLACE_ONLY, 0, 1),
              AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(write_int(&k, 1, AERO_INFO2_CREATE_ONLY, 0, 0, 1), OK);
    CHECK_INT(write_int(&k, 1, AERO_INFO2_CREATE_ONLY, 0, 0, 1),
              AERO_ERR_RECORD_EXISTS);
    CHECK_INT(write_int(&k, 1, 0, AERO_INFO3_UPDATE_ONLY, 0, 2), OK);
    CHECK_INT(write_int(&k, 1, 0, AERO_INFO3_REPLACE_ONLY, 0, 2), OK);
    CHECK_INT(kit_head(&k).generation, 3);
    kit_close(&k);
}

TEST(generations_are_compared_and_wrap_past_zero)
{
    kit k;

    REQUIRE(kit_open(&k));
    CHECK_INT(write_int(&k, 1, AERO_INFO2_GENERATION, 0, 0, 1), OK);
    CHECK_INT(write_int(&k, 1, AERO_INFO2_GENERATION, 0, 2, 1),
              AERO_ERR_RECORD_GENERATION);
    CHECK_INT(kit_head(&k).generation, 1);
    CHECK_INT(write_int(&k, 1, AERO_INFO2_GENERATION_GT, 0, 1, 1),
              AERO_ERR_RECORD_GENERATION);
    CHECK_INT(write_int(&k, 1, AERO_INFO2_GENERATION_GT, 0, 2, 1), OK);
    for (int i = 0; i < 65535 - 2; i++) {
        write_int(&k, 1, 0, 0, 0, i);
    }
    CHECK_INT(kit_head(&k).generation, 65535);
    write_int(&k, 1, 0, 0, 0, 0);
    CHECK_INT(kit_head(&k).generation, 1);
    kit_close(&k);
}

TEST(replacing_forgets_the_other_bins)
{
    kit k;
    kit_counts counts;

    REQUIRE(kit_open(&k));
    kit_put(&k, SET, 1, 7, 0);
    kit_begin(&k, 0, AERO_INFO2_WRITE, AERO_INFO3_CREATE_OR_REPLACE);
    kit_key(&k, SET, 1);
    kit_int_op(&k, AERO_OP_WRITE, "other", 1);
    CHECK_INT(kit_send(&k), OK);
    kit_get(&k, SET, 1);
    REQUIRE(kit_count(&k, &counts));
    CHECK_INT(counts.ops, 1);
    CHECK_INT(
        write_op(&k, 1, 0, 0, AERO_INFO3_CREATE_OR_REPLACE, AERO_OP_TOUCH, ""),
        AERO_ERR_REQUEST_INVALID);
    kit_close(&k);
}

TEST(a_record_without_bins_is_gone)
{
    kit k;

    REQUIRE(kit_open(&k));
    kit_put(&k, SET, 1, 7, 0);
    CHECK_INT(write_op(&k, 1, 0, 0, 0, AERO_OP_WRITE, "n"), OK);
    CHECK_INT(kit_head(&k).generation, 0);
    CHECK_INT(kit_get(&k, SET, 1), AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(write_op(&k, 1, 0, 0, 0, AERO_OP_WRITE, "n"),
              AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(write_op(&k, 1, AERO_INFO1_XDR, 0, 0, AERO_OP_WRITE, "n"), OK);
    CHECK_INT(k.core.ns[0]->objects, 0);
    kit_close(&k);
}

TEST(bin_names_have_at_most_fifteen_bytes_and_may_be_empty)
{
    kit k;

    REQUIRE(kit_open(&k));
    kit_begin(&k, 0, AERO_INFO2_WRITE, 0);
    kit_key(&k, SET, 1);
    kit_int_op(&k, AERO_OP_WRITE, "", 1);
    kit_int_op(&k, AERO_OP_WRITE, "123456789012345", 1);
    CHECK_INT(kit_send(&k), OK);
    CHECK_INT(
        write_op(&k, 1, READ_ALL, 0, 0, AERO_OP_READ, "1234567890123456"),
        AERO_ERR_BIN_NAME);
    kit_begin(&k, AERO_INFO1_READ, 0, 0);
    kit_key(&k, SET, 1);
    kit_op(&k, AERO_OP_READ, 0, "1234567890123456", aero_span_of(NULL, 0));
    CHECK_INT(kit_send(&k), AERO_ERR_BIN_NAME);
    kit_close(&k);
}

TEST(answers_to_operations_follow_the_flag)
{
    kit k;
    kit_counts counts;

    REQUIRE(kit_open(&k));
    kit_put(&k, SET, 1, 7, 0);
    for (unsigned all = 0; all < 2; all++) {
        kit_begin(&k, AERO_INFO1_READ,
                  AERO_INFO2_WRITE | (all ? AERO_INFO2_RESPOND_ALL_OPS : 0),
                  0);
        kit_key(&k, SET, 1);
        kit_int_op(&k, AERO_OP_INCR, "n", 1);
        kit_op(&k, AERO_OP_READ, 0, "n", aero_span_of(NULL, 0));
        kit_op(&k, AERO_OP_READ, 0, "missing", aero_span_of(NULL, 0));
        kit_op(&k, AERO_OP_TOUCH, 0, "", aero_span_of(NULL, 0));
        CHECK_INT(kit_send(&k), OK);
        REQUIRE(kit_count(&k, &counts));
        CHECK_INT(counts.ops, all ? 3 : 1);
    }
    kit_close(&k);
}

TEST(reads_inside_writes_need_their_flag)
{
    kit k;

    REQUIRE(kit_open(&k));
    kit_put(&k, SET, 1, 7, 0);
    CHECK_INT(write_op(&k, 1, 0, 0, 0, AERO_OP_READ, "n"),
              AERO_ERR_REQUEST_INVALID);
    CHECK_INT(write_op(&k, 1, AERO_INFO1_READ, 0, 0, AERO_OP_READ, "n"), OK);
    CHECK_INT(write_op(&k, 1, READ_ALL, 0, 0, AERO_OP_READ, "n"),
              AERO_ERR_REQUEST_INVALID);
    CHECK_INT(write_op(&k, 1, READ_ALL, 0, 0, AERO_OP_READ, ""), OK);
    CHECK_INT(write_op(&k, 1, READ_ALL, AERO_INFO2_RESPOND_ALL_OPS, 0,
                       AERO_OP_READ, ""),
              AERO_ERR_REQUEST_INVALID);
    kit_close(&k);
}

TEST(an_error_within_leaves_the_record_as_it_was)
{
    kit k;

    REQUIRE(kit_open(&k));
    kit_put(&k, SET, 1, 7, 0);
    kit_begin(&k, 0, AERO_INFO2_WRITE, 0);
    kit_key(&k, SET, 1);
    kit_int_op(&k, AERO_OP_WRITE, "n", 8);
    kit_op(&k, AERO_OP_APPEND, AERO_PARTICLE_STRING, "n",
           aero_span_str("text"));
    CHECK_INT(kit_send(&k), AERO_ERR_BIN_INCOMPATIBLE_TYPE);
    CHECK_INT(kit_head(&k).generation, 1);
    kit_get(&k, SET, 1);
    CHECK(memchr(k.out.ptr + AERO_FRAME_HEAD + AERO_MSG_HEAD, 8,
                 k.out.len - AERO_FRAME_HEAD - AERO_MSG_HEAD) == NULL);
    kit_close(&k);
}

/* ---- lives ---- */

static void
pass(kit *k, unsigned seconds)
{
    k->core.clock.ahead_ms += (uint64_t)seconds * 1000;
}

/* Clients are told of lives by their own clock, which nothing puts ahead. */
static uint32_t
clients_now(void)
{
    const srv_clock clock = {0};

    return srv_clock_s(&clock);
}

TEST(records_end_when_their_time_has_come)
{
    kit k;

    REQUIRE(kit_open(&k));
    CHECK_INT(kit_put(&k, SET, 1, 7, 100), OK);
    CHECK_INT(kit_head(&k).ttl, clients_now() + 100);
    pass(&k, 99);
    CHECK_INT(kit_get(&k, SET, 1), OK);
    pass(&k, 3);
    CHECK_INT(kit_get(&k, SET, 1), AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(kit_head(&k).generation, 1);
    CHECK_INT(k.core.ns[0]->objects, 1);
    CHECK_INT(remove_it(&k, 1), OK);
    kit_put(&k, SET, 2, 7, 100);
    pass(&k, 102);
    srv_core_tick(&k.core);
    CHECK_INT(k.core.ns[0]->objects, 0);
    CHECK_INT(remove_it(&k, 2), AERO_ERR_RECORD_NOT_FOUND);
    kit_close(&k);
}

TEST(lives_are_kept_made_endless_and_taken_from_the_default)
{
    kit k;

    REQUIRE(kit_open(&k));
    k.core.ns[0]->config[SRV_NS_default_ttl] = 50;
    kit_put(&k, SET, 1, 7, 0);
    CHECK_INT(kit_head(&k).ttl, clients_now() + 50);
    pass(&k, 10);
    kit_put(&k, SET, 1, 7, UINT32_MAX - 1);
    CHECK_INT(kit_head(&k).ttl, clients_now() + 40);
    kit_put(&k, SET, 1, 7, UINT32_MAX);
    CHECK_INT(kit_head(&k).ttl, 0);
    CHECK_INT(kit_put(&k, SET, 1, 7, 10 * 365 * 24 * 3600), OK);
    CHECK_INT(kit_put(&k, SET, 1, 7, 10 * 365 * 24 * 3600 + 1),
              AERO_ERR_REQUEST_INVALID);
    kit_put(&k, SET, 2, 7, UINT32_MAX - 1);
    CHECK_INT(kit_head(&k).ttl, clients_now() + 50);
    k.core.ns[0]->config[SRV_NS_nsup_period] = 0;
    CHECK_INT(kit_put(&k, SET, 3, 7, 10), AERO_ERR_FAIL_FORBIDDEN);
    kit_close(&k);
}

static int
touching_read(kit *k, uint32_t share)
{
    kit_begin(k, READ_ALL, 0, 0);
    kit_set_ttl(k, share);
    kit_key(k, SET, 1);
    return kit_send(k);
}

TEST(reads_prolong_a_life_that_is_nearly_over)
{
    kit k;

    REQUIRE(kit_open(&k));
    kit_put(&k, SET, 1, 7, 100);
    pass(&k, 50);
    CHECK_INT(touching_read(&k, 101), AERO_ERR_REQUEST_INVALID);
    touching_read(&k, 40);
    touching_read(&k, 0);
    kit_get(&k, SET, 1);
    CHECK_INT(kit_head(&k).ttl, clients_now() + 50);
    CHECK_INT(touching_read(&k, 80), OK);
    kit_get(&k, SET, 1);
    CHECK_INT(kit_head(&k).ttl, clients_now() + 100);
    CHECK_INT(kit_head(&k).generation, 1);
    kit_close(&k);
}

/* ---- keys, sets, sizes ---- */

TEST(a_key_that_is_kept_must_match)
{
    kit k;

    REQUIRE(kit_open(&k));
    for (unsigned i = 0; i < 3; i++) {
        kit_begin(&k, 0, AERO_INFO2_WRITE, 0);
        kit_key(&k, SET, 1);
        kit_field(&k, AERO_FIELD_KEY,
                  aero_span_str(i < 2 ? "\3one" : "\3two"));
        kit_int_op(&k, AERO_OP_WRITE, "n", i);
        CHECK_INT(kit_send(&k), i < 2 ? OK : AERO_ERR_RECORD_KEY_MISMATCH);
    }
    kit_begin(&k, READ_ALL, 0, 0);
    kit_key(&k, SET, 1);
    kit_field(&k, AERO_FIELD_KEY, aero_span_str("\3two"));
    CHECK_INT(kit_send(&k), AERO_ERR_RECORD_KEY_MISMATCH);
    kit_close(&k);
}

TEST(a_set_that_is_sent_must_be_the_record_s)
{
    kit k;
    uint8_t digest[AERO_DIGEST_SIZE] = {1};

    REQUIRE(kit_open(&k));
    for (unsigned i = 0; i < 3; i++) {
        kit_begin(&k, 0, AERO_INFO2_WRITE, 0);
        kit_field(&k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
        if (i < 2) {
            kit_field(&k, AERO_FIELD_SET, aero_span_str(i == 0 ? "a" : "b"));
        }
        kit_field(&k, AERO_FIELD_DIGEST, aero_span_of(digest, sizeof digest));
        kit_int_op(&k, AERO_OP_WRITE, "n", 1);
        CHECK_INT(kit_send(&k), i == 0 ? OK : AERO_ERR_REQUEST_INVALID);
    }
    kit_begin(&k, READ_ALL, 0, 0); /* a read need not say it */
    kit_field(&k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
    kit_field(&k, AERO_FIELD_DIGEST, aero_span_of(digest, sizeof digest));
    CHECK_INT(kit_send(&k), OK);
    kit_close(&k);
}

TEST(records_may_be_one_mebibyte_large)
{
    static const uint8_t zeros[1 << 20];
    kit k;

    REQUIRE(kit_open(&k));
    for (unsigned i = 0; i < 2; i++) {
        kit_begin(&k, 0, AERO_INFO2_WRITE, 0);
        kit_key(&k, SET, 1);
        kit_op(&k, AERO_OP_WRITE, AERO_PARTICLE_BLOB, "b",
               aero_span_of(zeros, sizeof zeros - (i == 0 ? 1000 : 10)));
        CHECK_INT(kit_send(&k), i == 0 ? OK : AERO_ERR_RECORD_TOO_BIG);
    }
    CHECK_INT(kit_head(&k).generation, 1);
    kit_close(&k);
}

TEST(a_set_may_be_full)
{
    kit k;

    REQUIRE(kit_open(&k));
    kit_put(&k, SET, 1, 1, 0);
    k.core.ns[0]->sets[0].config[SRV_SET_stop_writes_count] = 1;
    CHECK_INT(kit_put(&k, SET, 1, 2, 0), OK);
    CHECK_INT(kit_put(&k, SET, 2, 2, 0), AERO_ERR_FAIL_FORBIDDEN);
    kit_close(&k);
}

/* ---- what the Community edition does not do ---- */

TEST(the_community_edition_refuses_what_it_lacks)
{
    kit k;

    REQUIRE(kit_open(&k));
    kit_put(&k, SET, 1, 1, 0);
    kit_begin(&k, 0,
              AERO_INFO2_WRITE | AERO_INFO2_DELETE | AERO_INFO2_DURABLE_DELETE,
              0);
    kit_key(&k, SET, 1);
    CHECK_INT(kit_send(&k), AERO_ERR_ENTERPRISE_ONLY);
    kit_begin(&k, READ_ALL, 0, AERO_INFO3_SC_READ_TYPE);
    kit_key(&k, SET, 1);
    CHECK_INT(kit_send(&k), AERO_ERR_ENTERPRISE_ONLY);
    kit_begin(&k, READ_ALL, 0, 0);
    kit_key(&k, SET, 1);
    kit_field(&k, AERO_FIELD_TXN_ID, aero_span_str("12345678"));
    CHECK_INT(kit_send(&k), AERO_ERR_ENTERPRISE_ONLY);
    k.core.enterprise = true;
    kit_begin(&k, 0,
              AERO_INFO2_WRITE | AERO_INFO2_DELETE | AERO_INFO2_DURABLE_DELETE,
              0);
    kit_key(&k, SET, 1);
    CHECK_INT(kit_send(&k), OK);
    kit_close(&k);
}

TEST(every_outcome_is_counted)
{
    kit k;
    const uint64_t *counts;

    REQUIRE(kit_open(&k));
    counts = k.core.ns[0]->counts;
    kit_put(&k, SET, 1, 1, 0);
    kit_get(&k, SET, 1);
    kit_get(&k, SET, 2);
    write_int(&k, 1, AERO_INFO2_CREATE_ONLY, 0, 0, 1);
    remove_it(&k, 1);
    remove_it(&k, 1);
    CHECK_INT(counts[SRV_COUNT_client_write_success], 1);
    CHECK_INT(counts[SRV_COUNT_client_write_error], 1);
    CHECK_INT(counts[SRV_COUNT_client_read_success], 1);
    CHECK_INT(counts[SRV_COUNT_client_read_not_found], 1);
    CHECK_INT(counts[SRV_COUNT_client_delete_success], 1);
    CHECK_INT(counts[SRV_COUNT_client_delete_not_found], 1);
    kit_close(&k);
}

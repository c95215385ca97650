/* Messages, fields and operations: real ones are taken and put again byte for
 * byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/frame.h"
#include "aero/wire/msg.h"
#include "captures.h"
#include "hostile.h"

static aero_rc
copy_message(aero_span *in, aero_buf *out)
{
    aero_msg msg;
    aero_rc rc = aero_msg_take(in, &msg, NULL);

    if (rc == AERO_OK) {
        aero_msg_put(out, &msg);
    }
    for (unsigned i = 0; rc == AERO_OK && i < msg.n_fields; i++) {
        aero_field field;

        rc = aero_field_take(in, &field, NULL);
        if (rc == AERO_OK) {
            aero_field_put(out, (aero_field_type)field.type, field.data);
        }
    }
    for (unsigned i = 0; rc == AERO_OK && i < msg.n_ops; i++) {
        aero_op op;

        rc = aero_op_take(in, &op, NULL);
        if (rc == AERO_OK) {
            aero_op_put(out, (aero_op_type)op.op, op.particle, op.name,
                        op.value);
        }
    }
    return rc;
}

/* A message that ends where it is cut must say so. */
static void
copy_cut(void *ctx, aero_span body)
{
    size_t whole = *(const size_t *)ctx;
    aero_buf out = AERO_BUF_INIT;
    aero_rc rc = AERO_OK;
    aero_span in = body;

    while (rc == AERO_OK && in.len != 0) {
        rc = copy_message(&in, &out);
    }
    CHECK(rc == AERO_OK || body.len < whole);
    aero_buf_fini(&out);
}

TEST(captured_messages_are_taken_and_put_again_the_same)
{
    const captures *all = captures_read();
    unsigned messages = 0;

    for (size_t i = 0; i < all->count; i++) {
        aero_buf out = AERO_BUF_INIT;
        aero_span in = all->at[i].body;
        size_t whole = in.len;

        if (all->at[i].frame.ptr[1] != AERO_FRAME_MESSAGE) {
            continue;
        }
        while (in.len != 0) {
            REQUIRE(copy_message(&in, &out) == AERO_OK);
            messages++;
        }
        CHECK_BYTES(aero_buf_span(&out), all->at[i].body);
        hostile_cut(all->at[i].body, copy_cut, &whole);
        aero_buf_fini(&out);
    }
    CHECK(messages > 90);
}

static void
copy_any(void *ctx, aero_span body)
{
    aero_buf *out = ctx;

    out->len = 0;
    while (body.len != 0 && copy_message(&body, out) == AERO_OK) {
    }
}

TEST(changed_messages_are_read_or_refused)
{
    const captures *all = captures_read();
    aero_buf out = AERO_BUF_INIT;

    for (size_t i = 0; i < all->count; i++) {
        hostile_mutate(all->at[i].body, 300, copy_any, &out);
    }
    aero_buf_fini(&out);
}

TEST(head_has_its_bytes_where_the_protocol_says)
{
    aero_msg msg = {.info1 = 1,
                    .info2 = 2,
                    .info3 = 3,
                    .info4 = 4,
                    .result = 5,
                    .generation = 0x01020304,
                    .ttl = 0x05060708,
                    .budget = 0x090a0b0c,
                    .n_fields = 0x0d0e,
                    .n_ops = 0x0f10};
    aero_buf out = AERO_BUF_INIT;
    size_t at;

    aero_buf_put_u8(&out, 0xee);
    at = aero_msg_put(&out, &msg);
    CHECK_INT(at, 1);
    CHECK_HEX(aero_buf_span(&out),
              "ee 16 01 02 03 04 05 01020304 05060708 090a0b0c 0d0e 0f10");
    aero_msg_patch_counts(&out, at, 1, 2);
    aero_msg_patch_budget(&out, at, 7);
    CHECK_HEX(aero_buf_span(&out),
              "ee 16 01 02 03 04 05 01020304 05060708 00000007 0001 0002");
    aero_buf_fini(&out);
}

TEST(requests_are_put_as_the_official_client_puts_them)
{
    aero_msg msg = {.info2 = AERO_INFO2_WRITE | AERO_INFO2_CREATE_ONLY,
                    .budget = 1000};
    const capture *want = captures_find("put.create-only", false);
    aero_span in = want->body;
    aero_buf out = AERO_BUF_INIT;
    aero_msg theirs;
    aero_field field;

    REQUIRE(aero_msg_take(&in, &theirs, NULL) == AERO_OK);
    msg.n_fields = 3;
    msg.n_ops = 1;
    aero_msg_put(&out, &msg);
    for (int i = 0; i < 3; i++) {
        REQUIRE(aero_field_take(&in, &field, NULL) == AERO_OK);
        aero_field_put(&out, (aero_field_type)field.type, field.data);
    }
    CHECK_INT(field.type, AERO_FIELD_DIGEST);
    aero_op_put(&out, AERO_OP_WRITE, AERO_PARTICLE_INTEGER, aero_span_str("a"),
                test_hex("0000000000000001"));
    CHECK_BYTES(aero_buf_span(&out), want->body);
    aero_buf_fini(&out);
}

TEST(fields_of_numbers_are_big_endian)
{
    aero_buf out = AERO_BUF_INIT;
    size_t mark;

    aero_field_put_u32(&out, AERO_FIELD_SOCKET_TIMEOUT, 30000);
    aero_field_put_u64(&out, AERO_FIELD_QUERY_ID, 0x0102030405060708);
    mark = aero_field_open(&out, AERO_FIELD_SET);
    aero_buf_put_str(&out, "xy");
    aero_field_close(&out, mark);
    CHECK_HEX(aero_buf_span(&out), "00000005 09 00007530"
                                   "00000009 07 0102030405060708"
                                   "00000003 01 7879");
    aero_buf_fini(&out);
}

TEST(operation_is_closed_behind_its_value)
{
    aero_buf out = AERO_BUF_INIT;
    size_t mark =
        aero_op_open(&out, AERO_OP_WRITE, AERO_PARTICLE_NIL, test_hex("61"));

    aero_buf_put_str(&out, "hi");
    aero_op_patch_particle(&out, mark, AERO_PARTICLE_STRING);
    aero_op_close(&out, mark);
    CHECK_HEX(aero_buf_span(&out), "00000007 02 03 00 01 61 6869");
    aero_buf_fini(&out);
}

TEST(name_that_has_no_length_byte_fails_the_buffer)
{
    static const uint8_t name[256];
    aero_buf out = AERO_BUF_INIT;

    aero_op_put(&out, AERO_OP_READ, 0, aero_span_of(name, 255),
                aero_span_of(NULL, 0));
    CHECK(!out.failed);
    aero_op_put(&out, AERO_OP_READ, 0, aero_span_of(name, 256),
                aero_span_of(NULL, 0));
    CHECK(out.failed);
    aero_op_patch_particle(&out, 1000, 1); /* harmless by now */
    aero_buf_fini(&out);
}

TEST(sizes_that_lie_are_refused)
{
    static const char *const fields[] = {
        "00000000 00",      /* smaller than its type */
        "00000003 00 61",   /* more than there is */
        "ffffffff 00 6161", /* much more */
        "00000001",         /* no type */
    };
    static const char *const ops[] = {
        "00000003 01 01 00",             /* smaller than its head */
        "00000005 01 01 00 02 61",       /* the name is longer */
        "00000006 01 01 01 01 61 00",    /* the update time is missing */
        "ffffffff 01 01 00 00 00 00",    /* more than there is */
        "00000009 01 01 00 00 00000000", /* the same */
    };
    aero_status st;

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        aero_span in = test_hex(fields[i]);
        aero_field field;

        CHECK(aero_field_take(&in, &field, &st) == AERO_ERROR);
    }
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        aero_span in = test_hex(ops[i]);
        aero_op op;

        CHECK(aero_op_take(&in, &op, &st) == AERO_ERROR);
    }
}

TEST(update_time_in_front_of_a_value_is_skipped)
{
    aero_span in = test_hex("0000000f 01 01 01 01 61 0102030405060708 2a2b");
    aero_op op;

    REQUIRE(aero_op_take(&in, &op, NULL) == AERO_OK);
    CHECK_HEX(op.name, "61");
    CHECK_HEX(op.value, "2a2b");
    CHECK_INT(in.len, 0);
}

TEST(message_survives_each_failing_allocation)
{
    WITH_EACH_ALLOC_FAILING({
        aero_buf out = AERO_BUF_INIT;
        size_t at = aero_msg_put(&out, &(aero_msg){0});

        for (int i = 0; i < 50; i++) {
            aero_field_put_u64(&out, AERO_FIELD_QUERY_ID, 1);
            aero_op_put(&out, AERO_OP_READ, 0, aero_span_str("name"),
                        aero_span_str("value"));
        }
        aero_msg_patch_counts(&out, at, 50, 50);
        aero_msg_patch_budget(&out, at, 1);
        CHECK(out.failed || out.len == 22 + 50 * (13 + 17));
        aero_buf_fini(&out);
    });
}

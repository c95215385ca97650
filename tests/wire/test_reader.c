/* The reader: what its sinks are given, and when it stops.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "aero/wire/reader.h"
#include "aero/wire/value.h"
#include "captures.h"
#include "hostile.h"

/* Everything it was given, as text. */
typedef struct recorder {
    char text[8192];
    size_t len;
    int stop_after; /* calls; -1: never */
} recorder;

static aero_rc
say(recorder *r, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    r->len += (size_t)vsnprintf(r->text + r->len, sizeof r->text - r->len, fmt,
                                args);
    va_end(args);
    if (r->len > sizeof r->text - 1) {
        r->len = sizeof r->text - 1;
    }
    return r->stop_after-- == 0 ? AERO_MORE : AERO_OK;
}

static aero_rc
on_message(void *ctx, const aero_msg *msg, aero_status *st)
{
    (void)st;
    return say(ctx, "message result=%u gen=%u;", msg->result, msg->generation);
}

static aero_rc
on_field(void *ctx, const aero_field *field, aero_status *st)
{
    (void)st;
    return say(ctx, "field %u of %zu;", field->type, field->data.len);
}

static aero_rc
on_op(void *ctx, const aero_op *op, aero_status *st)
{
    (void)st;
    return say(ctx, "op %u %.*s particle=%u of %zu;", op->op,
               (int)op->name.len, op->name.ptr, op->particle, op->value.len);
}

static aero_rc
on_end(void *ctx, aero_status *st)
{
    (void)st;
    return say(ctx, "end;");
}

static const aero_sink all_parts = {on_message, on_field, on_op, on_end};
static const aero_sink no_parts = {NULL, NULL, NULL, NULL};

static void
check_reply(const char *label, const char *want)
{
    recorder r = {.stop_after = -1};

    CHECK(aero_reader_body(captures_find(label, true)->body, &all_parts, &r,
                           NULL) == AERO_OK);
    if (strcmp(r.text, want) != 0) {
        test_failed(__FILE__, __LINE__, "%s\n    got  %s\n    want %s", label,
                    r.text, want);
    }
}

TEST(captured_replies_are_read_as_they_were_meant)
{
    check_reply("put.int", "message result=0 gen=1;end;");
    check_reply("get.missing", "message result=2 gen=0;end;");
    check_reply("put.generation", "message result=3 gen=1;end;");
    check_reply("put.create-only", "message result=5 gen=1;end;");
    check_reply("increment.text", "message result=12 gen=5;end;");
    check_reply("get.int", "message result=0 gen=1;"
                           "op 1 bin particle=1 of 8;end;");
    check_reply("get.flag", "message result=0 gen=1;"
                            "op 1 bin particle=17 of 1;end;");
    check_reply("get.one", "message result=0 gen=1;op 1 a particle=1 of 8;"
                           "op 1 b particle=3 of 1;end;");
    check_reply("operate", "message result=0 gen=6;op 1 a particle=1 of 8;"
                           "op 1 b particle=3 of 4;end;");
    check_reply("batch.read-bins",
                "message result=0 gen=6;op 1 a particle=1 of 8;end;"
                "message result=0 gen=1;end;");
}

TEST(reading_needs_no_sink)
{
    const captures *all = captures_read();

    for (size_t i = 0; i < all->count; i++) {
        if (all->at[i].frame.ptr[1] == AERO_FRAME_MESSAGE) {
            CHECK(aero_reader_body(all->at[i].body, &no_parts, NULL, NULL) ==
                  AERO_OK);
        }
    }
}

TEST(sink_that_has_enough_ends_the_reading)
{
    aero_span body = captures_find("query", true)->body;
    recorder whole = {.stop_after = -1};

    REQUIRE(aero_reader_body(body, &all_parts, &whole, NULL) == AERO_OK);
    for (int calls = 0;; calls++) {
        recorder r = {.stop_after = calls};

        if (aero_reader_body(body, &all_parts, &r, NULL) == AERO_OK) {
            CHECK(calls > 4);
            break;
        }
        CHECK(strncmp(r.text, whole.text, r.len) == 0);
        CHECK(r.len < whole.len || r.stop_after == -1);
    }
}

static void
read_any(void *ctx, aero_span body)
{
    recorder r = {.stop_after = -1};

    (void)ctx;
    aero_reader_body(body, &all_parts, &r, NULL);
}

TEST(bodies_cut_and_changed_are_read_or_refused)
{
    const captures *all = captures_read();

    for (size_t i = 0; i < all->count; i++) {
        hostile_cut(all->at[i].body, read_any, NULL);
        hostile_mutate(all->at[i].body, 200, read_any, NULL);
    }
}

/* ---- memory ---- */

static aero_rc
add_up(void *ctx, const aero_op *op, aero_status *st)
{
    uint64_t *sum = ctx;
    aero_span in = op->value;
    aero_token token;
    int64_t number;

    (void)st;
    *sum += op->name.len;
    if (op->particle == AERO_PARTICLE_LIST ||
        op->particle == AERO_PARTICLE_MAP) {
        if (!aero_token_check(in)) {
            return AERO_ERROR;
        }
        while (aero_token_take(&in, &token)) {
            *sum += (uint64_t)token.kind;
        }
    }
    else if (aero_integer_take(in, &number)) {
        *sum += (uint64_t)number;
    }
    return AERO_OK;
}

TEST(records_are_decoded_without_a_single_allocation)
{
    static const aero_sink adder = {NULL, NULL, add_up, NULL};
    aero_buf record = AERO_BUF_INIT;
    uint64_t sum = 0;
    long before;

    aero_msg_put(&record, &(aero_msg){.n_ops = 5});
    aero_op_put(&record, AERO_OP_READ, AERO_PARTICLE_INTEGER,
                aero_span_str("int"), test_hex("000000000000002a"));
    aero_op_put(&record, AERO_OP_READ, AERO_PARTICLE_STRING,
                aero_span_str("text"), aero_span_str("some text"));
    aero_op_put(&record, AERO_OP_READ, AERO_PARTICLE_FLOAT,
                aero_span_str("float"), test_hex("4004000000000000"));
    aero_op_put(&record, AERO_OP_READ, AERO_PARTICLE_LIST,
                aero_span_str("list"), test_hex("9301a40374776f9102"));
    aero_op_put(&record, AERO_OP_READ, AERO_PARTICLE_MAP, aero_span_str("map"),
                test_hex("82a2036101a203629403040506"));
    before = test_alloc_count();
    for (int i = 0; i < 1000; i++) {
        CHECK(aero_reader_body(aero_buf_span(&record), &adder, &sum, NULL) ==
              AERO_OK);
    }
    CHECK_INT(test_alloc_count() - before, 0);
    CHECK(sum > 42000);
    aero_buf_fini(&record);
}

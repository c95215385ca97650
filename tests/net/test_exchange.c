/* One request and its reply: in any pieces, of any form, from peers that keep
 * to the protocol and from others.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/net/exchange.h"
#include "captures.h"
#include "fakenet.h"
#include "hostile.h"

/* A connection over memory, and an exchange on it. */
typedef struct talk {
    fakenet net;
    aero_conn conn;
    aero_buf in;
    aero_exchange x;
} talk;

static void
talk_open(talk *t, aero_span reply, uint8_t type)
{
    memset(t, 0, sizeof *t);
    t->net.io.recv = fake_recv;
    t->net.io.send = fake_send;
    t->net.reply = reply;
    t->conn.fd = -1;
    t->conn.io = &t->net.io;
    aero_exchange_init(&t->x, &t->conn, aero_span_str("request"), &t->in,
                       type);
}

static void
talk_close(talk *t)
{
    aero_exchange_fini(&t->x);
    aero_buf_fini(&t->in);
    aero_buf_fini(&t->net.sent);
}

static aero_rc
run(aero_span reply, uint8_t type, size_t piece, aero_span *body)
{
    static uint8_t copy[1 << 16];
    talk t;
    aero_rc rc;

    talk_open(&t, reply, type);
    t.net.piece = piece;
    rc = aero_exchange_step(&t.x, NULL);
    CHECK(aero_span_is(aero_buf_span(&t.net.sent), "request"));
    CHECK(t.x.sent && t.x.started);
    if (rc == AERO_OK) {
        *body = aero_exchange_body(&t.x);
        memcpy(copy, body->ptr, body->len);
        body->ptr = copy;
    }
    talk_close(&t);
    return rc;
}

TEST(reply_is_the_same_in_pieces_of_any_size)
{
    const capture *want = captures_find("get.list", true);
    aero_span body;

    for (size_t piece = 1; piece <= want->frame.len; piece++) {
        REQUIRE(run(want->frame, AERO_FRAME_MESSAGE, piece, &body) == AERO_OK);
        CHECK_BYTES(body, want->body);
    }
}

TEST(reply_cut_at_any_byte_is_an_error)
{
    const capture *want = captures_find("get.list", true);
    aero_span body;

    for (size_t cut = 0; cut < want->frame.len; cut++) {
        CHECK(run(aero_span_of(want->frame.ptr, cut), AERO_FRAME_MESSAGE, 0,
                  &body) == AERO_ERROR);
    }
}

TEST(silence_is_waited_for_at_any_byte)
{
    const capture *want = captures_find("get.list", true);

    for (size_t cut = 0; cut < want->frame.len; cut++) {
        talk t;

        talk_open(&t, aero_span_of(want->frame.ptr, cut), AERO_FRAME_MESSAGE);
        t.net.silent_end = true;
        CHECK(aero_exchange_step(&t.x, NULL) == AERO_MORE);
        CHECK_INT(t.conn.want, AERO_WANT_READ);
        CHECK_INT(t.x.received, cut);
        t.net.reply = aero_span_skip(want->frame, cut);
        CHECK(aero_exchange_step(&t.x, NULL) == AERO_OK);
        CHECK_BYTES(aero_exchange_body(&t.x), want->body);
        talk_close(&t);
    }
}

static void
check_refused(const char *hex, uint8_t type, const char *text)
{
    aero_status st;
    talk t;

    aero_status_clear(&st);
    talk_open(&t, test_hex(hex), type);
    CHECK(aero_exchange_step(&t.x, &st) == AERO_ERROR);
    if (strstr(st.text, text) == NULL) {
        test_failed(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", st.text, text);
    }
    talk_close(&t);
}

TEST(reply_that_is_none_is_refused_with_the_reason)
{
    check_refused("4854545020f00f00", AERO_FRAME_MESSAGE, "version 72");
    check_refused("0201000000000000", AERO_FRAME_MESSAGE,
                  "frame type 1 where 3");
    check_refused("0204000000000000", AERO_FRAME_INFO, "frame type 4 where 1");
    check_refused("0203000000000001 aabb", AERO_FRAME_MESSAGE,
                  "1 bytes came behind");
    check_refused("0203000008000001", AERO_FRAME_MESSAGE, "over the limit");
    check_refused("0204000000000001 aa", AERO_FRAME_MESSAGE, "cut");
    check_refused("", AERO_FRAME_MESSAGE, "closed the connection");
}

TEST(reply_over_the_limit_of_this_exchange_is_refused)
{
    talk t;
    aero_status st;

    talk_open(&t, test_hex("0201000000000010"), AERO_FRAME_INFO);
    t.x.limit = 15;
    CHECK(aero_exchange_step(&t.x, &st) == AERO_ERROR);
    CHECK(strstr(st.text, "limit of 15") != NULL);
    talk_close(&t);
}

/* ---- several frames ---- */

typedef struct taker {
    aero_exchange *x;
    unsigned frames;
    unsigned last; /* the number of the last one */
    bool hold;
    aero_rc bad;
} taker;

static aero_rc
take_frame(void *ctx, aero_span body, aero_status *st)
{
    taker *t = ctx;

    (void)st;
    CHECK_INT(body.len, 1);
    CHECK_INT(body.ptr[0], t->frames);
    t->frames++;
    if (t->bad != AERO_OK) {
        return t->bad;
    }
    if (t->hold) {
        t->x->held = true;
        return AERO_MORE;
    }
    return t->frames == t->last ? AERO_OK : AERO_MORE;
}

static aero_span
many_frames(unsigned count)
{
    static uint8_t bytes[9 * 64];

    for (unsigned i = 0; i < count; i++) {
        uint8_t *p = bytes + (size_t)9 * i;

        memset(p, 0, 9);
        p[0] = 2;
        p[1] = 3;
        p[7] = 1;
        p[8] = (uint8_t)i;
    }
    return aero_span_of(bytes, (size_t)9 * count);
}

TEST(frames_are_handed_over_in_any_pieces)
{
    for (size_t piece = 0; piece < 40; piece++) {
        taker taken = {.last = 20};
        talk t;

        talk_open(&t, many_frames(20), AERO_FRAME_MESSAGE);
        t.net.piece = piece;
        t.x.on_frame = take_frame;
        t.x.ctx = &taken;
        CHECK(aero_exchange_step(&t.x, NULL) == AERO_OK);
        CHECK_INT(taken.frames, 20);
        talk_close(&t);
    }
}

TEST(bytes_behind_the_last_frame_are_an_error)
{
    taker taken = {.last = 19};
    talk t;

    talk_open(&t, many_frames(20), AERO_FRAME_MESSAGE);
    t.x.on_frame = take_frame;
    t.x.ctx = &taken;
    CHECK(aero_exchange_step(&t.x, NULL) == AERO_ERROR);
    talk_close(&t);
}

TEST(taker_that_fails_ends_the_exchange)
{
    taker taken = {.bad = AERO_ERROR};
    talk t;

    talk_open(&t, many_frames(20), AERO_FRAME_MESSAGE);
    t.x.on_frame = take_frame;
    t.x.ctx = &taken;
    CHECK(aero_exchange_step(&t.x, NULL) == AERO_ERROR);
    CHECK_INT(taken.frames, 1);
    talk_close(&t);
}

TEST(frame_that_is_held_stops_the_reading_until_its_release)
{
    for (size_t piece = 0; piece < 20; piece++) {
        taker taken = {.hold = true};
        talk t;
        aero_rc rc = AERO_MORE;

        talk_open(&t, many_frames(8), AERO_FRAME_MESSAGE);
        t.net.piece = piece;
        taken.x = &t.x;
        t.x.on_frame = take_frame;
        t.x.ctx = &taken;
        for (unsigned n = 1; n <= 8; n++) {
            CHECK(aero_exchange_step(&t.x, NULL) == AERO_MORE);
            CHECK(t.x.held);
            CHECK(aero_exchange_step(&t.x, NULL) == AERO_MORE);
            CHECK_INT(taken.frames, n);
            aero_exchange_release(&t.x, n == 8 ? AERO_OK : AERO_MORE);
        }
        rc = aero_exchange_step(&t.x, NULL);
        CHECK(rc == AERO_OK);
        talk_close(&t);
    }
}

/* ---- compressed, and without memory ---- */

static void
put_compressed_reply(aero_buf *out)
{
    size_t mark = aero_frame_open(out, AERO_FRAME_MESSAGE);

    aero_buf_put_zero(out, 2000);
    aero_frame_close(out, mark);
    aero_frame_deflate(out, mark);
}

TEST(compressed_reply_is_unpacked_in_its_place)
{
    aero_buf reply = AERO_BUF_INIT;
    aero_span body;

    put_compressed_reply(&reply);
    CHECK_INT(reply.ptr[1], AERO_FRAME_COMPRESSED);
    for (size_t piece = 0; piece < 30; piece++) {
        REQUIRE(run(aero_buf_span(&reply), AERO_FRAME_MESSAGE, piece, &body) ==
                AERO_OK);
        CHECK_INT(body.len, 2000);
    }
    aero_buf_fini(&reply);
}

TEST(exchange_survives_each_failing_allocation)
{
    aero_buf reply = AERO_BUF_INIT;

    put_compressed_reply(&reply);
    WITH_EACH_ALLOC_FAILING({
        talk t;

        talk_open(&t, aero_buf_span(&reply), AERO_FRAME_MESSAGE);
        CHECK(aero_exchange_step(&t.x, NULL) == AERO_OK ||
              test_alloc_failed());
        talk_close(&t);
    });
    aero_buf_fini(&reply);
}

static void
answer_any(void *ctx, aero_span bytes)
{
    aero_span body;

    (void)ctx;
    run(bytes, AERO_FRAME_MESSAGE, 0, &body);
}

TEST(changed_replies_are_taken_or_refused)
{
    const capture *reply = captures_find("batch.read", true);
    aero_buf packed = AERO_BUF_INIT;

    put_compressed_reply(&packed);
    hostile_mutate(reply->frame, 2000, answer_any, NULL);
    hostile_mutate(aero_buf_span(&packed), 2000, answer_any, NULL);
    aero_buf_fini(&packed);
}

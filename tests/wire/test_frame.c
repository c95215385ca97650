/* Frames: heads, cuts, limits, and the compressed form.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/frame.h"
#include "captures.h"
#include "hostile.h"

TEST(frame_is_version_type_and_size_of_its_body)
{
    aero_buf out = AERO_BUF_INIT;
    size_t mark = aero_frame_open(&out, AERO_FRAME_INFO);

    aero_buf_put_str(&out, "build\n");
    aero_frame_close(&out, mark);
    CHECK_HEX(aero_buf_span(&out), "02 01 000000000006 6275696c640a");
    CHECK_BYTES(aero_buf_span(&out), captures_find("info", false)->frame);
    aero_buf_fini(&out);
}

TEST(captured_frames_are_taken_whole_and_never_before)
{
    const captures *all = captures_read();

    for (size_t i = 0; i < all->count; i++) {
        aero_span whole = all->at[i].frame;
        aero_frame frame;
        aero_span body;

        for (size_t cut = 0; cut < whole.len; cut++) {
            aero_span in = aero_span_of(whole.ptr, cut);

            CHECK(aero_frame_take(&in, &frame, &body, NULL) == AERO_MORE);
            CHECK_INT(in.len, cut);
        }
        CHECK(aero_frame_take(&whole, &frame, &body, NULL) == AERO_OK);
        CHECK_INT(whole.len, 0);
        CHECK_BYTES(body, all->at[i].body);
    }
}

TEST(frames_behind_each_other_are_taken_in_turn)
{
    aero_span in = test_hex("0201000000000001aa 0203000000000000 02");
    aero_frame frame;
    aero_span body;

    CHECK(aero_frame_take(&in, &frame, &body, NULL) == AERO_OK);
    CHECK_HEX(body, "aa");
    CHECK(aero_frame_take(&in, &frame, &body, NULL) == AERO_OK);
    CHECK_INT(frame.type, AERO_FRAME_MESSAGE);
    CHECK_INT(body.len, 0);
    CHECK(aero_frame_take(&in, &frame, &body, NULL) == AERO_MORE);
    CHECK_INT(in.len, 1);
}

TEST(head_that_cannot_be_is_refused_with_its_fault)
{
    static const struct {
        const char *hex;
        const char *text;
    } rows[] = {
        {"0303000000000000", "version 3"},
        {"0003000000000000", "version 0"},
        {"0200000000000000", "type 0"},
        {"0205000000000000", "type 5"},
        {"0203000008000001", "134217729 bytes"},
        {"0203ffffffffffff", "281474976710655 bytes"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_frame frame;
        aero_status st;

        aero_status_clear(&st);
        CHECK(aero_frame_peek(test_hex(rows[i].hex), &frame, &st) ==
              AERO_ERROR);
        CHECK(strstr(st.text, rows[i].text) != NULL);
    }
    CHECK(aero_frame_peek(test_hex("0203000008000000"), &(aero_frame){0},
                          NULL) == AERO_OK);
}

TEST(body_over_the_limit_fails_the_buffer)
{
    aero_buf out = AERO_BUF_INIT;
    size_t mark = aero_frame_open(&out, AERO_FRAME_MESSAGE);

    aero_buf_put_zero(&out, AERO_FRAME_MAX);
    aero_frame_close(&out, mark);
    CHECK(!out.failed);
    aero_buf_put_u8(&out, 0);
    aero_frame_close(&out, mark);
    CHECK(out.failed);
    aero_buf_fini(&out);
}

/* ---- compressed ---- */

/* A frame of `len` bytes that compress well behind three of something else. */
static void
put_compressed(aero_buf *out, size_t len)
{
    size_t mark;

    aero_buf_put_str(out, "abc");
    mark = aero_frame_open(out, AERO_FRAME_MESSAGE);
    for (size_t i = 0; i < len; i++) {
        aero_buf_put_u8(out, (uint8_t)(i % 7));
    }
    aero_frame_close(out, mark);
    aero_frame_deflate(out, mark);
}

TEST(deflated_frame_inflates_to_what_it_was)
{
    aero_buf packed = AERO_BUF_INIT;
    aero_buf plain = AERO_BUF_INIT;
    aero_frame frame;
    aero_span in;
    aero_span body;

    put_compressed(&packed, 10000);
    CHECK(packed.len < 200);
    in = aero_span_skip(aero_buf_span(&packed), 3);
    REQUIRE(aero_frame_take(&in, &frame, &body, NULL) == AERO_OK);
    CHECK_INT(frame.type, AERO_FRAME_COMPRESSED);
    CHECK_INT(in.len, 0);
    REQUIRE(aero_frame_inflate(body, &plain, NULL) == AERO_OK);
    CHECK_INT(plain.len, AERO_FRAME_HEAD + 10000);
    for (size_t i = 0; i < 10000; i++) {
        CHECK(plain.ptr[AERO_FRAME_HEAD + i] == i % 7);
    }
    aero_buf_fini(&packed);
    aero_buf_fini(&plain);
}

TEST(frame_that_would_not_become_smaller_stays)
{
    aero_buf out = AERO_BUF_INIT;
    uint64_t seed = 3;
    size_t mark = aero_frame_open(&out, AERO_FRAME_MESSAGE);

    for (int i = 0; i < 100; i++) {
        aero_buf_put_u64(&out, test_random(&seed));
    }
    aero_frame_close(&out, mark);
    aero_frame_deflate(&out, mark);
    CHECK_INT(out.len, AERO_FRAME_HEAD + 800);
    CHECK_INT(out.ptr[1], AERO_FRAME_MESSAGE);
    aero_buf_fini(&out);
}

static aero_rc
inflate(aero_span body)
{
    aero_buf plain = AERO_BUF_INIT;
    aero_status st;
    aero_rc rc = aero_frame_inflate(body, &plain, &st);

    aero_buf_fini(&plain);
    return rc;
}

static void
inflate_any(void *ctx, aero_span body)
{
    int *well = ctx;

    *well += inflate(body) == AERO_OK;
}

TEST(compressed_frame_cut_or_changed_is_refused)
{
    aero_buf packed = AERO_BUF_INIT;
    aero_span body;
    int well = 0;

    put_compressed(&packed, 1000);
    body = aero_span_skip(aero_buf_span(&packed), 3 + AERO_FRAME_HEAD);
    hostile_cut(body, inflate_any, &well);
    CHECK_INT(well, 1); /* all of it */
    hostile_mutate(body, 3000, inflate_any, &well);
    aero_buf_fini(&packed);
}

/* A compressed body whose inner frame is what the test says. */
static aero_rc
inflate_inner(uint8_t type, uint64_t claims, size_t len)
{
    aero_buf out = AERO_BUF_INIT;
    aero_rc rc;

    aero_buf_put_u64(&out, (uint64_t)AERO_FRAME_VERSION << 56 |
                               (uint64_t)type << 48 | claims);
    aero_buf_put_zero(&out, len);
    aero_frame_deflate(&out, 0);
    rc = inflate(aero_span_skip(aero_buf_span(&out), AERO_FRAME_HEAD));
    aero_buf_fini(&out);
    return rc;
}

TEST(compressed_frame_holds_one_plain_whole_frame)
{
    CHECK(inflate_inner(AERO_FRAME_MESSAGE, 500, 500) == AERO_OK);
    CHECK(inflate_inner(AERO_FRAME_MESSAGE, 499, 500) == AERO_ERROR);
    CHECK(inflate_inner(AERO_FRAME_MESSAGE, 501, 500) == AERO_ERROR);
    CHECK(inflate_inner(AERO_FRAME_COMPRESSED, 500, 500) == AERO_ERROR);
    CHECK(inflate_inner(9, 500, 500) == AERO_ERROR);
    /* sizes that cannot be are refused before memory is asked for */
    CHECK(inflate(test_hex("ffffffffffffffff 789c")) == AERO_ERROR);
    CHECK(inflate(test_hex("0000000000000007 789c")) == AERO_ERROR);
}

TEST(compressing_survives_each_failing_allocation)
{
    WITH_EACH_ALLOC_FAILING({
        aero_buf packed = AERO_BUF_INIT;
        aero_buf plain = AERO_BUF_INIT;

        put_compressed(&packed, 1000);
        if (!packed.failed && packed.len < 900) {
            aero_frame_inflate(
                aero_span_skip(aero_buf_span(&packed), 3 + AERO_FRAME_HEAD),
                &plain, NULL);
        }
        aero_buf_fini(&packed);
        aero_buf_fini(&plain);
    });
}

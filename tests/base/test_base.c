/* Buffers, arenas, base64, spans, the status and the clock.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/arena.h"
#include "aero/base/b64.h"
#include "aero/base/clock.h"
#include "aero/base/status.h"
#include "test.h"

TEST(buffer_grows_and_keeps_what_was_put)
{
    aero_buf buf = AERO_BUF_INIT;

    for (unsigned i = 0; i < 5000; i++) {
        aero_buf_put_u32(&buf, i);
    }
    REQUIRE(!buf.failed && buf.len == 20000);
    for (unsigned i = 0; i < 5000; i++) {
        CHECK(aero_get_u32(buf.ptr + (size_t)4 * i) == i);
    }
    aero_buf_fini(&buf);
}

TEST(buffer_refuses_to_pass_its_limit_and_stays_failed)
{
    aero_buf buf = AERO_BUF_INIT;

    aero_buf_put_u8(&buf, 1);
    CHECK(!aero_buf_reserve(&buf, AERO_BUF_MAX));
    CHECK(buf.failed);
    aero_buf_put_u8(&buf, 2);
    CHECK_INT(buf.len, 1);
    aero_buf_reset(&buf, 0);
    aero_buf_put_u8(&buf, 3);
    CHECK(!buf.failed);
    aero_buf_fini(&buf);
}

TEST(buffer_grown_step_by_step_stops_at_its_limit_too)
{
    aero_buf buf = AERO_BUF_INIT;
    const size_t step = (size_t)1 << 20;

    for (size_t n = 0; n < AERO_BUF_MAX / step; n++) {
        aero_buf_put_zero(&buf, step);
    }
    CHECK_INT(buf.len, AERO_BUF_MAX);
    CHECK(!buf.failed);
    aero_buf_put_u8(&buf, 0);
    CHECK(buf.failed);
    aero_buf_fini(&buf);
}

TEST(mark_is_patched_with_what_stands_behind_it)
{
    aero_buf buf = AERO_BUF_INIT;
    size_t mark;

    aero_buf_put_u16(&buf, 0xffff);
    mark = aero_buf_mark_u32(&buf);
    aero_buf_put_str(&buf, "abc");
    aero_buf_patch_u32(&buf, mark);
    CHECK_HEX(aero_buf_span(&buf), "ffff 00000003 616263");
    aero_buf_fini(&buf);
}

TEST(buffer_survives_each_failing_allocation)
{
    WITH_EACH_ALLOC_FAILING({
        aero_buf buf = AERO_BUF_INIT;

        for (unsigned i = 0; i < 2000; i++) {
            aero_buf_put_u64(&buf, i);
        }
        aero_buf_printf(&buf, "%s", "text");
        CHECK(buf.failed || buf.len == 16004);
        aero_buf_fini(&buf);
    });
}

TEST(arena_gives_aligned_memory_and_takes_it_back)
{
    aero_arena arena;
    aero_span copy;

    aero_arena_init(&arena);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 9000; size += 37) {
            uint8_t *p = aero_arena_alloc(&arena, size);

            REQUIRE(p != NULL);
            CHECK((uintptr_t)p % 16 == 0);
            memset(p, 0xaa, size);
        }
        copy = aero_arena_copy(&arena, aero_span_str("name"));
        CHECK(aero_span_is(copy, "name"));
        aero_arena_reset(&arena);
    }
    CHECK(aero_arena_array(&arena, SIZE_MAX / 2, 16) == NULL);
    aero_arena_fini(&arena);
}

TEST(base64_gives_back_what_it_was_given)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        aero_buf text = AERO_BUF_INIT;
        aero_buf back = AERO_BUF_INIT;

        aero_b64_put(&text, aero_span_str(pairs[i][0]));
        CHECK_BYTES(aero_buf_span(&text), aero_span_str(pairs[i][1]));
        CHECK(aero_b64_take(aero_buf_span(&text), &back));
        CHECK_BYTES(aero_buf_span(&back), aero_span_str(pairs[i][0]));
        aero_buf_fini(&text);
        aero_buf_fini(&back);
    }
}

TEST(base64_refuses_nonsense)
{
    static const char *const bad[] = {
        "Z", "Zg=", "Z===", "Zg==Zg==", "Z\n==", "=g==", "Zm9*"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        aero_buf back = AERO_BUF_INIT;

        CHECK(!aero_b64_take(aero_span_str(bad[i]), &back));
        aero_buf_fini(&back);
    }
}

TEST(span_is_cut_at_its_mark)
{
    aero_span rest = aero_span_str("a=b=c");

    CHECK(aero_span_is(aero_span_cut(&rest, '='), "a"));
    CHECK(aero_span_is(aero_span_cut(&rest, '='), "b"));
    CHECK(aero_span_is(aero_span_cut(&rest, '='), "c"));
    CHECK_INT(rest.len, 0);
    CHECK_INT(aero_span_cut(&rest, '=').len, 0);
}

TEST(status_keeps_code_and_text_and_takes_a_prefix)
{
    aero_status st;
    char longer[3 * AERO_STATUS_TEXT];

    aero_status_clear(&st);
    CHECK(aero_fail(&st, -10, "no %s", "route") == AERO_ERROR);
    aero_status_prefix(&st, "node %d", 7);
    CHECK_INT(st.code, -10);
    CHECK(strcmp(st.text, "node 7: no route") == 0);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    aero_fail(&st, 1, "%s", longer);
    CHECK_INT(strlen(st.text), AERO_STATUS_TEXT - 1);
    aero_status_prefix(&st, "front");
    CHECK_INT(strlen(st.text), AERO_STATUS_TEXT - 1);
    CHECK(memcmp(st.text, "front: xx", 9) == 0);
    CHECK(aero_fail(NULL, 1, "nobody listens") == AERO_ERROR);
}

TEST(clock_counts_down_to_a_deadline)
{
    CHECK_INT(aero_clock_poll_ms(0, AERO_NEVER), -1);
    CHECK_INT(aero_clock_poll_ms(10, 5), 0);
    CHECK_INT(aero_clock_poll_ms(0, 1), 1);
    CHECK_INT(aero_clock_poll_ms(0, 5 * AERO_NS_PER_MS), 5);
    CHECK(aero_clock_after(7, 0) == AERO_NEVER);
    CHECK_INT(aero_clock_ttl(0, 100), UINT32_MAX);
    CHECK_INT(aero_clock_ttl(150, 100), 50);
    CHECK_INT(aero_clock_ttl(90, 100), 1);
}

/* Lists and maps of the server: every recorded answer of a real one, byte for
 * byte; the rules one by one; and payloads that nobody would send.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "aero/server/exp.h"
#include "test.h"
#include "vectors.h"

static const char *const cases = "server/golden/cdt.txt";

static int
apply(const vector *v, aero_made *reply, aero_made *after)
{
    aero_val bin = aero_val_of(v->before.particle, v->before.bytes);
    aero_exp_paths paths;
    int rc;

    aero_exp_paths_init(&paths, 0);
    rc = aero_cdt_apply_path(bin, v->op == AERO_OP_CDT_MODIFY, v->payload,
                             &paths.eval, reply, after);
    aero_exp_paths_fini(&paths);
    return rc;
}

/* ---- recorded answers ---- */

static void
check_value(const char *id, const char *what, const aero_made *got,
            const vector_value *want)
{
    bool is_nil = !got->present || got->particle == AERO_PARTICLE_NIL;
    bool no_value = !want->there || want->particle == AERO_PARTICLE_NIL;

    if (is_nil && no_value) {
        return;
    }
    if (is_nil != no_value || got->particle != want->particle) {
        test_failed(__FILE__, __LINE__, "%s: %s is of particle %d, not %d", id,
                    what, is_nil ? 0 : got->particle, want->particle);
        return;
    }
    test_check_bytes(id, 0, what, aero_buf_span(&got->bytes), want->bytes);
}

/* The bin as it is then, also if it did not change. */
static void
check_after(const vector *v, aero_made *after)
{
    aero_made whole = {.present = v->before.there,
                       .particle = v->before.particle};

    if (after->present) {
        check_value(v->id, "after", after, &v->after);
        return;
    }
    aero_buf_put_span(&whole.bytes, v->before.bytes);
    check_value(v->id, "after", &whole, &v->after);
    aero_made_fini(&whole);
}

static void
check_vector(const vector *v, aero_made *reply, aero_made *after)
{
    int rc = apply(v, reply, after);

    if (rc != v->rc) {
        test_failed(v->id, 0, "result code is %d, not %d", rc, v->rc);
        return;
    }
    if (rc == AERO_ERR_OK) {
        check_value(v->id, "reply", reply, &v->reply);
        check_after(v, after);
    }
}

static bool
is_cdt(const vector *v)
{
    return strcmp(v->kind, "op") == 0 &&
           (v->op == AERO_OP_CDT_READ || v->op == AERO_OP_CDT_MODIFY);
}

static void
check_all(vectors *all, size_t at_least)
{
    aero_made reply = {0};
    aero_made after = {0};
    size_t n = 0;

    for (size_t i = 0; i < all->count; i++) {
        if (is_cdt(&all->at[i])) {
            check_vector(&all->at[i], &reply, &after);
            n++;
        }
    }
    CHECK(n >= at_least);
    aero_made_fini(&reply);
    aero_made_fini(&after);
    vectors_fini(all);
}

static void
check_group(const char *group, size_t at_least)
{
    vectors all;

    vectors_init_group(&all, group);
    check_all(&all, at_least);
}

TEST(list_operations_answer_as_recorded)
{
    check_group("list", 263);
}

TEST(map_operations_answer_as_recorded)
{
    check_group("map", 291);
}

TEST(paths_answer_as_recorded)
{
    check_group("path", 22);
}

TEST(probes_answer_as_recorded)
{
    check_group("probe", 413);
}

TEST(what_once_differed_and_random_operations_answer_as_recorded)
{
    vectors all;

    vectors_init(&all, cases);
    check_all(&all, 1200);
}

static void
check_writes(const char *group, size_t at_least)
{
    aero_made stored = {0};
    vectors all;
    size_t n = 0;

    vectors_init_group(&all, group);
    for (size_t i = 0; i < all.count; i++) {
        const vector *v = &all.at[i];
        int rc;

        if (v->op != AERO_OP_WRITE || (v->particle != AERO_PARTICLE_LIST &&
                                       v->particle != AERO_PARTICLE_MAP)) {
            continue;
        }
        n++;
        rc = aero_cdt_normalize((uint8_t)v->particle, v->payload, &stored);
        if (rc != v->rc) {
            test_failed(v->id, 0, "result code is %d, not %d", rc, v->rc);
        }
        else if (rc == AERO_ERR_OK) {
            check_value(v->id, "stored", &stored, &v->after);
        }
    }
    CHECK(n >= at_least);
    aero_made_fini(&stored);
    vectors_fini(&all);
}

TEST(whole_bins_are_stored_as_recorded)
{
    check_writes("particle", 12);
    check_writes("probe", 23);
}

/* ---- what nobody would send ---- */

/* The payload and the bin in blocks of their exact size, so that a sanitizer
 * sees one byte too far. */
static void
survive(const vector *v, aero_span payload, aero_span bin, aero_made *reply,
        aero_made *after)
{
    vector copy = *v;
    uint8_t *blocks[2] = {malloc(payload.len + (payload.len == 0)),
                          malloc(bin.len + (bin.len == 0))};

    if (payload.len != 0) {
        memcpy(blocks[0], payload.ptr, payload.len);
    }
    if (bin.len != 0) {
        memcpy(blocks[1], bin.ptr, bin.len);
    }
    copy.payload = aero_span_of(blocks[0], payload.len);
    copy.before.bytes = aero_span_of(blocks[1], bin.len);
    apply(&copy, reply, after);
    free(blocks[0]);
    free(blocks[1]);
}

static void
survive_cuts(const char *path, bool group)
{
    aero_made reply = {0};
    aero_made after = {0};
    vectors all;

    if (group) {
        vectors_init_group(&all, path);
    }
    else {
        vectors_init(&all, path);
    }
    for (size_t i = 0; i < all.count; i++) {
        const vector *v = &all.at[i];

        for (size_t n = 0; is_cdt(v) && n < v->payload.len; n++) {
            survive(v, aero_span_of(v->payload.ptr, n), v->before.bytes,
                    &reply, &after);
        }
    }
    aero_made_fini(&reply);
    aero_made_fini(&after);
    vectors_fini(&all);
}

TEST(a_payload_cut_at_any_byte_does_no_harm)
{
    survive_cuts("list", true);
    survive_cuts("map", true);
    survive_cuts("path", true);
    survive_cuts("probe", true);
    survive_cuts(cases, false);
}

/* Bytes that mean something. */
static uint8_t
telling_byte(uint64_t *seed)
{
    static const uint8_t bytes[] = {
        0x00, 0x01, 0x10, 0x7f, 0x80, 0x81, 0x90, 0x91, 0x9f, 0xa0, 0xa1,
        0xc0, 0xc3, 0xc4, 0xc7, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0,
        0xd3, 0xd4, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xfe, 0xff};

    return bytes[test_random(seed) % sizeof bytes];
}

static aero_span
mutated(aero_span bytes, uint8_t *out, size_t cap, uint64_t *seed)
{
    size_t len = bytes.len < cap ? bytes.len : cap;

    if (len != 0) {
        memcpy(out, bytes.ptr, len);
    }
    for (uint64_t n = test_random(seed) % 3; len != 0 && n-- > 0;) {
        size_t at = test_random(seed) % len;

        if (test_random(seed) % 4 == 0) {
            memmove(out + at, out + at + 1, len - at - 1);
            len--;
        }
        else {
            out[at] = test_random(seed) % 2 == 0 ? telling_byte(seed)
                                                 : (uint8_t)test_random(seed);
        }
    }
    return aero_span_of(out, len);
}

static void
survive_mutations(vectors *all, int times, uint64_t seed)
{
    static uint8_t payload[2048];
    static uint8_t bin[2048];
    aero_made reply = {0};
    aero_made after = {0};

    for (int i = 0; i < times;) {
        const vector *v = &all->at[test_random(&seed) % all->count];

        if (is_cdt(v)) {
            i++;
            survive(v, mutated(v->payload, payload, sizeof payload, &seed),
                    i % 4 == 0
                        ? mutated(v->before.bytes, bin, sizeof bin, &seed)
                        : v->before.bytes,
                    &reply, &after);
        }
    }
    aero_made_fini(&reply);
    aero_made_fini(&after);
    vectors_fini(all);
}

TEST(two_hundred_thousand_mutated_payloads_do_no_harm)
{
    static const char *const groups[] = {"list", "map", "path", "probe"};
    vectors all;

    for (uint64_t i = 0; i < 4; i++) {
        vectors_init_group(&all, groups[i]);
        survive_mutations(&all, 40000, i);
    }
    vectors_init(&all, cases);
    survive_mutations(&all, 60000, 5);
}

TEST(every_failing_allocation_is_a_result_code)
{
    vectors all;

    vectors_init(&all, cases);
    for (size_t i = 0; i < all.count; i += 5) {
        const vector *v = &all.at[i];

        WITH_EACH_ALLOC_FAILING({
            aero_made reply = {0};
            aero_made after = {0};
            int rc = apply(v, &reply, &after);

            CHECK(rc == v->rc ||
                  (test_alloc_failed() && rc == AERO_ERR_SERVER));
            if (rc == AERO_ERR_OK && !test_alloc_failed()) {
                check_value(v->id, "reply", &reply, &v->reply);
            }
            aero_made_fini(&reply);
            aero_made_fini(&after);
        });
    }
    vectors_fini(&all);
}

TEST(a_failing_allocation_never_stores_half_a_value)
{
    aero_span bytes = test_hex("83 a20362 9302d1000591c0 a20361 c7000082 "
                               "0201 0102 01 cb3ff8000000000000");

    WITH_EACH_ALLOC_FAILING({
        aero_made stored = {0};
        int rc = aero_cdt_normalize(AERO_PARTICLE_MAP, bytes, &stored);

        CHECK(rc == AERO_ERR_OK || rc == AERO_ERR_SERVER);
        aero_made_fini(&stored);
    });
}

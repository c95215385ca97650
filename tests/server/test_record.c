/* Bins and the size of records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "../../src/server/store.h"
#include "aero/base/alloc.h"
#include "test.h"

static const uint8_t digest[AERO_DIGEST_SIZE];

static void
add(srv_bins *bins, const char *name, uint8_t particle, const char *bytes)
{
    srv_bin *bin = srv_bins_add(bins, aero_span_str(name));

    bin->val = aero_val_of(particle, aero_span_str(bytes));
}

TEST(a_record_gives_back_its_key_and_bins)
{
    aero_arena arena;
    srv_bins bins;
    srv_bins again;
    srv_record *rec;

    aero_arena_init(&arena);
    REQUIRE(srv_bins_load(&bins, NULL, 3, &arena));
    add(&bins, "a", AERO_PARTICLE_STRING, "x");
    add(&bins, "", AERO_PARTICLE_BLOB, "");
    add(&bins, "fifteen-letters", AERO_PARTICLE_STRING, "long value");
    rec = srv_record_new(digest, aero_span_str("\3key"), &bins);
    REQUIRE(rec != NULL);
    CHECK(aero_span_is(srv_record_key(rec), "\3key"));
    REQUIRE(srv_bins_load(&again, rec, 0, &arena));
    CHECK_INT(again.count, 3);
    CHECK(aero_span_is(srv_bins_find(&again, aero_span_str("a"))->val.bytes,
                       "x"));
    CHECK_INT(srv_bins_find(&again, aero_span_str(""))->val.particle,
              AERO_PARTICLE_BLOB);
    CHECK(srv_bins_find(&again, aero_span_str("b")) == NULL);
    aero_free(rec);
    aero_arena_fini(&arena);
}

TEST(the_last_bin_takes_the_place_of_a_removed_one)
{
    aero_arena arena;
    srv_bins bins;

    aero_arena_init(&arena);
    REQUIRE(srv_bins_load(&bins, NULL, 4, &arena));
    add(&bins, "a", AERO_PARTICLE_STRING, "");
    add(&bins, "b", AERO_PARTICLE_STRING, "");
    add(&bins, "c", AERO_PARTICLE_STRING, "");
    srv_bins_remove(&bins, srv_bins_find(&bins, aero_span_str("a")));
    CHECK_INT(bins.count, 2);
    CHECK(aero_span_is(bins.list[0].name, "c"));
    CHECK(aero_span_is(bins.list[1].name, "b"));
    srv_bins_remove(&bins, &bins.list[1]);
    CHECK_INT(bins.count, 1);
    aero_arena_fini(&arena);
}

static size_t
size_with_int(int64_t value)
{
    aero_arena arena;
    srv_bins bins;
    uint8_t wire[8];
    size_t size;

    aero_arena_init(&arena);
    srv_bins_load(&bins, NULL, 1, &arena);
    aero_set_u64(wire, (uint64_t)value);
    srv_bins_add(&bins, aero_span_str("n"))->val =
        aero_val_of(AERO_PARTICLE_INTEGER, aero_span_of(wire, 8));
    size = srv_bins_flat_size(&bins, 0, 0, 0);
    aero_arena_fini(&arena);
    return size;
}

TEST(sizes_are_those_of_the_real_storage)
{
    aero_arena arena;
    srv_bins bins;

    aero_arena_init(&arena);
    REQUIRE(srv_bins_load(&bins, NULL, 1, &arena));
    /* A record that a real server counted as 59 bytes before rounding. */
    add(&bins, "a", AERO_PARTICLE_STRING, "x");
    CHECK_INT(srv_bins_flat_size(&bins, 1, 6, 0), 59);
    CHECK_INT(srv_bins_flat_size(&bins, 0, 6, 0), 55);
    CHECK_INT(srv_bins_flat_size(&bins, 0, 0, 0), 48);
    CHECK_INT(srv_bins_flat_size(&bins, 0, 0, 9), 58);
    CHECK_INT(srv_bins_flat_size(&bins, 0, 0, 200), 250);
    CHECK_INT(size_with_int(1) + 1, size_with_int(256));
    CHECK_INT(size_with_int(1) + 3, size_with_int(65536));
    CHECK_INT(size_with_int(1) + 7, size_with_int(-1));
    aero_arena_fini(&arena);
}

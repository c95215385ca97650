/* Values from the wire, and changing them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "../../src/server/particle.h"
#include "test.h"

static aero_arena arena;

/* Take a value; gives the code, and the kept bytes as hex are checked when
 * `want` is not NULL. */
static int
take(uint8_t particle, const char *hex, const char *want)
{
    aero_val val;
    int code = srv_particle_take(particle, test_hex(hex), &arena, &val);

    if (code == AERO_ERR_OK && want != NULL) {
        CHECK_HEX(val.bytes, want);
    }
    return code;
}

TEST(integers_are_widened_without_their_sign)
{
    aero_arena_init(&arena);
    CHECK_INT(take(1, "ff", "00000000000000ff"), 0);
    CHECK_INT(take(1, "ffff", "000000000000ffff"), 0);
    CHECK_INT(take(1, "80000000", "0000000080000000"), 0);
    CHECK_INT(take(1, "ffffffffffffffff", "ffffffffffffffff"), 0);
    CHECK_INT(take(1, "", NULL), AERO_ERR_REQUEST_INVALID);
    CHECK_INT(take(1, "000000", NULL), AERO_ERR_REQUEST_INVALID);
    aero_arena_fini(&arena);
}

TEST(values_of_a_wrong_size_or_type_are_refused)
{
    aero_arena_init(&arena);
    CHECK_INT(take(2, "3ff8000000000000", "3ff8000000000000"), 0);
    CHECK_INT(take(2, "3ff80000", NULL), AERO_ERR_REQUEST_INVALID);
    CHECK_INT(take(17, "01", "01"), 0);
    CHECK_INT(take(17, "02", NULL), AERO_ERR_REQUEST_INVALID);
    CHECK_INT(take(17, "", NULL), AERO_ERR_REQUEST_INVALID);
    CHECK_INT(take(3, "", ""), 0);
    CHECK_INT(take(9, "80", "80"), 0);
    CHECK_INT(take(16, "00", "00"), 0);
    for (int particle = 0; particle < 256; particle++) {
        bool known = particle != 0 && particle != 5 && particle != 6 &&
                     (particle < 13 || particle == 16 || particle == 17 ||
                      particle == 18 || particle == 19 || particle == 20 ||
                      particle == 23);

        if (!known) {
            CHECK_INT(take((uint8_t)particle, "00", NULL),
                      AERO_ERR_REQUEST_INVALID);
        }
    }
    aero_arena_fini(&arena);
}

typedef int (*change_fn)(aero_val old, const aero_op *op, aero_arena *a,
                         aero_val *out);

static int
change(change_fn fn, uint8_t old_particle, const char *old, uint8_t particle,
       const char *by, const char *want)
{
    aero_op op = {.particle = particle, .value = test_hex(by)};
    aero_val out;
    int code = fn(aero_val_of(old_particle, test_hex(old)), &op, &arena, &out);

    if (code == AERO_ERR_OK) {
        CHECK_HEX(out.bytes, want);
    }
    return code;
}

TEST(increments_add_and_wrap)
{
    aero_arena_init(&arena);
    CHECK_INT(change(srv_particle_incr, 1, "0000000000000005", 1,
                     "ffffffffffffffff", "0000000000000004"),
              0);
    CHECK_INT(change(srv_particle_incr, 1, "7fffffffffffffff", 1, "01",
                     "8000000000000000"),
              0);
    CHECK_INT(change(srv_particle_incr, 2, "3ff0000000000000", 2,
                     "3ff0000000000000", "4000000000000000"),
              0);
    CHECK_INT(change(srv_particle_incr, 0, "", 3, "6162", "6162"), 0);
    aero_arena_fini(&arena);
}

TEST(an_increment_of_sixteen_bytes_stops_at_zero)
{
    aero_arena_init(&arena);
    CHECK_INT(change(srv_particle_incr, 1, "0000000000000005", 1,
                     "fffffffffffffffa 0000000000000000", "0000000000000000"),
              0);
    CHECK_INT(change(srv_particle_incr, 1, "0000000000000005", 1,
                     "fffffffffffffffc 0000000000000000", "0000000000000001"),
              0);
    aero_arena_fini(&arena);
}

TEST(what_cannot_be_added_or_joined_is_refused)
{
    aero_arena_init(&arena);
    CHECK_INT(change(srv_particle_incr, 1, "0000000000000005", 2,
                     "3ff0000000000000", NULL),
              AERO_ERR_BIN_INCOMPATIBLE_TYPE);
    CHECK_INT(change(srv_particle_incr, 3, "61", 1, "01", NULL),
              AERO_ERR_BIN_INCOMPATIBLE_TYPE);
    CHECK_INT(
        change(srv_particle_incr, 1, "0000000000000005", 1, "000000", NULL),
        AERO_ERR_REQUEST_INVALID);
    CHECK_INT(
        change(srv_particle_append, 1, "0000000000000005", 3, "61", NULL),
        AERO_ERR_BIN_INCOMPATIBLE_TYPE);
    CHECK_INT(change(srv_particle_append, 3, "61", 4, "62", NULL),
              AERO_ERR_BIN_INCOMPATIBLE_TYPE);
    CHECK_INT(change(srv_particle_append, 3, "61", 0, "", NULL),
              AERO_ERR_REQUEST_INVALID);
    CHECK_INT(change(srv_particle_append, 23, "00", 23, "00", NULL),
              AERO_ERR_SERVER);
    aero_arena_fini(&arena);
}

TEST(strings_and_blobs_grow_at_either_end)
{
    aero_arena_init(&arena);
    CHECK_INT(change(srv_particle_append, 3, "61", 3, "62", "6162"), 0);
    CHECK_INT(change(srv_particle_prepend, 3, "61", 3, "62", "6261"), 0);
    CHECK_INT(change(srv_particle_append, 9, "61", 9, "", "61"), 0);
    CHECK_INT(change(srv_particle_prepend, 0, "", 3, "62", "62"), 0);
    aero_arena_fini(&arena);
}

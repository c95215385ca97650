/* The ordered set.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../../src/server/ordered.h"
#include "test.h"

static srv_entry
entry_of(uint32_t number)
{
    uint8_t digest[AERO_DIGEST_SIZE] = {0};

    digest[3] = (uint8_t)(number % 7);
    return srv_entry_of((int64_t)(number % 500) - 250, digest);
}

/* Whether it is in order, both ways, and holds so many. */
static bool
is_sound(const srv_ordered *set, uint64_t count)
{
    srv_place place = {0, 0};
    const srv_entry *last = NULL;
    const srv_entry *entry;
    uint64_t forth = 0;
    uint64_t back = 0;

    while ((entry = srv_ordered_next(set, &place)) != NULL) {
        if (last != NULL && srv_entry_compare(last, entry) >= 0) {
            return false;
        }
        last = entry;
        forth++;
    }
    place = srv_ordered_end(set);
    while (srv_ordered_prev(set, &place) != NULL) {
        back++;
    }
    return forth == count && back == count && set->count == count;
}

TEST(it_is_what_a_plain_list_of_marks_says)
{
    enum {
        MANY = 3500
    };
    static bool there[MANY];
    srv_ordered set = {0};
    uint64_t count = 0;

    srand(7);
    for (unsigned round = 0; round < 20000; round++) {
        uint32_t number = (uint32_t)rand() % MANY;
        srv_entry entry = entry_of(number);
        bool added;

        if (rand() % (round < 10000 ? 3 : 2) != 0) {
            CHECK(srv_ordered_add(&set, &entry, &added));
            CHECK(added != there[number]);
            count += added;
            there[number] = true;
        }
        else {
            CHECK(srv_ordered_remove(&set, &entry) == there[number]);
            count -= there[number];
            there[number] = false;
        }
        if (round % 1000 == 0) {
            CHECK(is_sound(&set, count));
        }
    }
    CHECK(is_sound(&set, count));
    for (uint32_t number = 0; number < MANY; number++) {
        srv_entry entry = entry_of(number);

        CHECK(srv_ordered_has(&set, &entry) == there[number]);
        srv_ordered_remove(&set, &entry);
    }
    CHECK(is_sound(&set, 0));
    CHECK(set.leaves == NULL);
}

TEST(seeking_ends_in_front_of_the_first_that_is_not_below)
{
    srv_ordered set = {0};
    srv_entry want;
    srv_place place;
    bool added;

    for (int64_t i = 0; i < 1000; i++) {
        static const uint8_t digest[AERO_DIGEST_SIZE];
        srv_entry entry = srv_entry_of(i * 10, digest);

        REQUIRE(srv_ordered_add(&set, &entry, &added));
    }
    for (int64_t i = -5; i < 9990; i += 3) {
        static const uint8_t digest[AERO_DIGEST_SIZE];
        int64_t above = i <= 0 ? 0 : (i + 9) / 10 * 10;

        want = srv_entry_of(i, digest);
        place = srv_ordered_seek(&set, &want);
        CHECK_INT(srv_ordered_next(&set, &place)->bval, above);
        place = srv_ordered_seek(&set, &want);
        CHECK((srv_ordered_prev(&set, &place) == NULL) == (i <= 0));
    }
    srv_ordered_fini(&set);
}

TEST(without_memory_nothing_is_added)
{
    for (unsigned limit = 0; limit < 40; limit++) {
        srv_ordered set = {0};
        uint32_t number = 0;
        bool added = true;

        test_fail_alloc(limit);
        while (number < 600) {
            srv_entry entry = entry_of(number);

            if (!srv_ordered_add(&set, &entry, &added)) {
                break;
            }
            number++;
        }
        test_fail_alloc(-1);
        CHECK(!added || number == 600);
        CHECK(is_sound(&set, number));
        srv_ordered_fini(&set);
    }
}

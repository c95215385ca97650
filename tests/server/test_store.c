/* Partitions, sets, expiry and truncation.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../../src/server/store.h"
#include "test.h"

static void
set_digest(uint8_t digest[AERO_DIGEST_SIZE], uint64_t number)
{
    aero_ripemd160(aero_span_of(&number, sizeof number), digest);
    digest[0] = 7; /* all in one of sixteen partitions */
    digest[1] &= 0xf0;
}

static bool
put(srv_ns *ns, uint64_t number, uint32_t void_time, uint16_t set)
{
    uint8_t digest[AERO_DIGEST_SIZE];
    srv_bins none = {0};
    srv_record *rec;

    set_digest(digest, number);
    rec = srv_record_new(digest, aero_span_of("key", 3), &none);
    if (rec == NULL) {
        return false;
    }
    rec->void_time = void_time;
    rec->lut = number;
    rec->set = set;
    rec->used = 16;
    return srv_ns_put(ns, rec);
}

TEST(records_of_a_partition_stand_in_falling_order)
{
    srv_ns *ns = srv_ns_new("test");
    const srv_partition *part = &ns->parts[7];

    for (uint64_t i = 0; i < 500; i++) {
        CHECK(put(ns, i % 400, 0, 0));
    }
    CHECK_INT(ns->objects, 400);
    CHECK_INT(part->count, 400);
    for (uint32_t i = 1; i < part->count; i++) {
        CHECK(memcmp(part->slots[i - 1].rec->digest,
                     part->slots[i].rec->digest, AERO_DIGEST_SIZE) > 0);
    }
    srv_ns_free(ns);
}

TEST(a_record_is_found_until_it_is_dropped)
{
    srv_ns *ns = srv_ns_new("test");
    uint8_t digest[AERO_DIGEST_SIZE];

    for (uint64_t i = 0; i < 300; i++) {
        put(ns, i, 0, 0);
    }
    for (uint64_t i = 0; i < 300; i += 2) {
        set_digest(digest, i);
        srv_ns_drop(ns, digest);
    }
    for (uint64_t i = 0; i < 300; i++) {
        set_digest(digest, i);
        CHECK_INT(srv_ns_get(ns, digest) != NULL, i % 2);
    }
    CHECK_INT(ns->objects, 150);
    CHECK_INT(ns->used, 150 * 16);
    srv_ns_free(ns);
}

TEST(a_query_resumes_behind_any_digest_there_or_not)
{
    srv_ns *ns = srv_ns_new("test");
    const srv_partition *part = &ns->parts[7];
    uint8_t digest[AERO_DIGEST_SIZE];

    for (uint64_t i = 0; i < 100; i++) {
        put(ns, i, 0, 0);
    }
    CHECK_INT(srv_partition_after(part, NULL), 0);
    for (uint64_t i = 0; i < 200; i++) {
        uint32_t at;

        set_digest(digest, i);
        at = srv_partition_after(part, digest);
        CHECK(at == part->count || memcmp(part->slots[at].rec->digest, digest,
                                          AERO_DIGEST_SIZE) < 0);
        CHECK(at == 0 || memcmp(part->slots[at - 1].rec->digest, digest,
                                AERO_DIGEST_SIZE) >= 0);
    }
    srv_ns_free(ns);
}

TEST(what_has_expired_goes_and_the_rest_stays)
{
    srv_ns *ns = srv_ns_new("test");

    for (uint64_t i = 0; i < 100; i++) {
        put(ns, i, i < 50 ? (uint32_t)(100 + i) : 0, 0);
    }
    srv_ns_expire(ns, 100);
    CHECK_INT(ns->objects, 100);
    srv_ns_expire(ns, 111);
    CHECK_INT(ns->objects, 89); /* void times 100 to 110 lie behind */
    srv_ns_expire(ns, 1000);
    CHECK_INT(ns->objects, 50);
    CHECK_INT(ns->expired, 50);
    CHECK_INT(ns->parts[7].expires, 0);
    srv_ns_free(ns);
}

TEST(truncation_takes_a_set_up_to_a_moment)
{
    srv_ns *ns = srv_ns_new("test");
    uint16_t a = srv_set_make(ns, aero_span_str("a"));
    uint16_t b = srv_set_make(ns, aero_span_str("b"));

    for (uint64_t i = 0; i < 100; i++) {
        put(ns, i, 0, i % 2 == 0 ? a : b);
    }
    srv_ns_truncate(ns, a, 50);
    CHECK_INT(srv_set_of(ns, a)->objects, 24);
    CHECK_INT(srv_set_of(ns, b)->objects, 50);
    srv_ns_truncate(ns, 0, UINT64_MAX);
    CHECK_INT(ns->objects, 0);
    CHECK_INT(srv_set_of(ns, b)->used, 0);
    srv_ns_free(ns);
}

TEST(sets_have_a_number_a_longest_name_and_a_limit)
{
    srv_ns *ns = srv_ns_new("test");
    char name[80];

    memset(name, 'x', sizeof name);
    CHECK_INT(srv_set_make(ns, aero_span_of(name, 64)), 0);
    CHECK_INT(srv_set_make(ns, aero_span_of(name, 63)), 1);
    CHECK_INT(srv_set_find(ns, aero_span_of(name, 63)), 1);
    CHECK_INT(srv_set_find(ns, aero_span_of(name, 62)), 0);
    for (int i = 1; i < SRV_SETS_MAX; i++) {
        snprintf(name, sizeof name, "set%d", i);
        CHECK(srv_set_make(ns, aero_span_str(name)) != 0);
    }
    CHECK_INT(srv_set_make(ns, aero_span_str("one more")), 0);
    CHECK_INT(srv_set_find(ns, aero_span_str("set4094")), 4095);
    srv_ns_free(ns);
}

static bool
note_change(void *ctx, srv_ns *ns, const srv_record *before,
            const srv_record *after)
{
    int *changes = ctx;

    (void)ns;
    changes[(before != NULL) * 2 + (after != NULL)]++;
    return true;
}

TEST(every_change_is_told)
{
    srv_ns *ns = srv_ns_new("test");
    int changes[4] = {0};

    ns->on_change = note_change;
    ns->on_change_ctx = changes;
    put(ns, 1, 0, 0);
    put(ns, 2, 5, 0);
    put(ns, 1, 0, 0);
    srv_ns_expire(ns, 10);
    srv_ns_truncate(ns, 0, 100);
    CHECK_INT(changes[1], 2);
    CHECK_INT(changes[3], 1);
    CHECK_INT(changes[2], 2);
    srv_ns_free(ns);
}

static void
fill(void)
{
    srv_ns *ns = srv_ns_new("test");

    if (ns == NULL) {
        return;
    }
    for (uint64_t i = 0; i < 20; i++) {
        put(ns, i, 0, srv_set_make(ns, aero_span_str("a")));
    }
    CHECK(ns->objects <= 20);
    srv_ns_free(ns);
}

TEST(a_store_without_memory_loses_nothing_it_has)
{
    WITH_EACH_ALLOC_FAILING(fill());
}

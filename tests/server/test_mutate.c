/* Requests as no client sends them: cut, changed, served without memory.
 * Whatever comes, the answer is well formed or there is none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "aero/base/alloc.h"
#include "hostile.h"
#include "kit.h"

enum {
    SEEDS_MAX = 4000,
    QUERY_SEEDS = 40,
    MUTATIONS = 100000
};

typedef struct seeds {
    aero_span list[SEEDS_MAX];
    unsigned count;
} seeds;

static seeds all;

static void
load(const char *path)
{
    aero_span text = test_file(path);

    while (text.len != 0 && all.count < SEEDS_MAX) {
        aero_span rest = aero_span_cut(&text, '\n');
        aero_span ask = aero_span_cut(&rest, ' ');
        char hex[8192];

        if (ask.len < 44 || ask.ptr[0] == '#' || ask.len >= sizeof hex) {
            continue;
        }
        memcpy(hex, ask.ptr, ask.len);
        hex[ask.len] = '\0';
        all.list[all.count++] = test_hex(hex);
    }
}

/* A query, which the files do not hold. */
static aero_span
make_query(kit *k, uint64_t *seed)
{
    static uint8_t copies[QUERY_SEEDS][512];
    static unsigned next;
    uint8_t pids[16] = {0};
    uint8_t *copy = copies[next++ % QUERY_SEEDS];

    kit_begin(k, (uint8_t)(AERO_INFO1_READ | (test_random(seed) & 0x24)), 0,
              AERO_INFO3_PARTITION_DONE);
    kit_field(k, AERO_FIELD_NAMESPACE, aero_span_str("test"));
    kit_field(k, AERO_FIELD_PARTITIONS, aero_span_of(pids + 8, 2));
    kit_field(k, AERO_FIELD_MAX_RECORDS, aero_span_of(pids, 8));
    kit_field(k, AERO_FIELD_FILTER, test_hex("9303935102a16105"));
    if (test_random(seed) % 2 == 0) {
        kit_field(k, AERO_FIELD_INDEX_RANGE,
                  test_hex("01 01 61 01 00000008 0000000000000001"
                           "00000008 0000000000000001"));
    }
    kit_op(k, AERO_OP_READ, 0, "a", aero_span_of(NULL, 0));
    kit_end(k);
    memcpy(copy, k->ask.ptr, k->ask.len);
    return aero_span_of(copy, k->ask.len);
}

static void
load_all(kit *k)
{
    uint64_t seed = 1;

    all.count = 0;
    load("server/golden/commands.txt");
    load("server/golden/batches.txt");
    load("server/golden/operations.txt");
    for (unsigned i = 0; i < QUERY_SEEDS; i++) {
        all.list[all.count++] = make_query(k, &seed);
    }
}

/* Serve an exact copy, so that a read behind its end is noticed. */
static void
serve(kit *k, aero_span body)
{
    static kit_counts counts;
    uint8_t *copy = malloc(body.len + 1);

    if (copy == NULL) {
        return;
    }
    if (body.len != 0) {
        memcpy(copy, body.ptr, body.len);
    }
    kit_serve(k, aero_span_of(copy, body.len));
    if (!k->out.failed && !kit_count(k, &counts)) {
        test_failed(__FILE__, __LINE__, "an answer is not well formed");
    }
    free(copy);
}

TEST(requests_cut_anywhere_are_answered)
{
    kit k;
    uint64_t seed = 5;

    REQUIRE(kit_open(&k));
    load_all(&k);
    for (unsigned i = 0; i < all.count; i += 1 + test_random(&seed) % 20) {
        aero_span body = all.list[i];

        for (size_t len = 0; len <= body.len; len++) {
            serve(&k, aero_span_of(body.ptr, len));
        }
    }
    kit_close(&k);
}

TEST(a_hundred_thousand_changed_requests_are_answered)
{
    kit k;
    uint64_t seed = 11;
    static uint8_t bytes[8192];

    REQUIRE(kit_open(&k));
    load_all(&k);
    for (unsigned i = 0; i < MUTATIONS; i++) {
        aero_span from = all.list[test_random(&seed) % all.count];

        memcpy(bytes, from.ptr, from.len);
        serve(&k, aero_span_of(bytes, hostile_change(bytes, from.len, &seed)));
    }
    kit_close(&k);
}

TEST(no_memory_is_answered_or_ends_the_connection)
{
    kit k;
    uint64_t seed = 13;

    REQUIRE(kit_open(&k));
    load_all(&k);
    for (unsigned i = 0; i < all.count; i += 1 + test_random(&seed) % 30) {
        WITH_EACH_ALLOC_FAILING({
            aero_buf_fini(&k.out);
            kit_serve(&k, all.list[i]);
        });
    }
    kit_close(&k);
}

TEST(a_core_is_not_made_without_memory)
{
    kit k;
    static const char *const names[] = {"test", "bar"};
    aero_server_config config = {0};

    config.namespaces = names;
    config.n_namespaces = 2;
    config.enterprise = true;
    config.security = true;
    WITH_EACH_ALLOC_FAILING({
        if (kit_open_with(&k, &config)) {
            kit_close(&k);
        }
    });
}

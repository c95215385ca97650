/* The tracker of partitions against a model: some records on some nodes that
 * answer in order, stop in the middle, refuse partitions, and go away.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "aero/base/alloc.h"
#include "aero/client/partitions.h"
#include "aero/wire/key.h"
#include "test.h"

enum {
    NODES = 3,
    RECORDS = 6000
};

typedef struct model_record {
    uint8_t digest[AERO_DIGEST_SIZE];
    uint64_t bval;
    unsigned seen;
} model_record;

static model_record records[RECORDS]; /* in the order of the server */

static int
compare(const void *a, const void *b)
{
    uint32_t pa = aero_partition_of(a);
    uint32_t pb = aero_partition_of(b);

    if (pa != pb) {
        return pa < pb ? -1 : 1;
    }
    return -memcmp(a, b, AERO_DIGEST_SIZE); /* the largest first */
}

static void
make_records(void)
{
    for (int i = 0; i < RECORDS; i++) {
        aero_key key = {.set = aero_span_str("set")};

        aero_key_set_int(&key, i);
        aero_digest(key.set, key.particle, key.value, records[i].digest);
        records[i].bval = (uint64_t)i;
        records[i].seen = 0;
    }
    qsort(records, RECORDS, sizeof records[0], compare);
}

/* Two copies of each partition, on two of the nodes. */
static aero_cluster *
make_cluster(void)
{
    aero_cluster_config config;
    aero_cluster *cluster;
    aero_map *map = aero_map_new(NODES, 1);
    aero_table *table = aero_zalloc(sizeof *table);
    aero_addr addr;

    aero_cluster_config_init(&config);
    cluster = aero_cluster_new(&config, NULL);
    aero_addr_parse(aero_span_str("127.0.0.1"), 1, &addr);
    for (unsigned i = 0; i < NODES; i++) {
        char name[3] = {'N', (char)('0' + i), 0};

        map->nodes[i] = aero_node_new(aero_span_str(name), &addr, "", i, 10);
        atomic_store(&map->nodes[i]->active, true);
        map->n_nodes++;
    }
    memcpy(table->ns, "test", 4);
    table->ns_len = 4;
    table->n_replicas = 2;
    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        table->owner[0][p] = map->nodes[p % NODES];
        table->owner[1][p] = map->nodes[(p + 1) % NODES];
    }
    map->tables[0] = table;
    map->n_tables = 1;
    aero_cluster_publish(cluster, map);
    return cluster;
}

static aero_assignment
assignment(aero_cluster *cluster, uint64_t most)
{
    aero_assignment how = {.cluster = cluster,
                           .ns = aero_span_str("test"),
                           .replica = AERO_REPLICA_SEQUENCE,
                           .most = most};

    return how;
}

/* ---- a server ---- */

typedef struct node_plan {
    uint64_t breaks_after; /* records; UINT64_MAX: it does not */
    uint32_t refuses;      /* every so many partitions; 0: none */
} node_plan;

typedef struct asked {
    bool whole;
    const uint8_t *behind; /* NULL: from the beginning */
    uint64_t bval;
} asked;

/* What the fields of the share ask for. */
static void
read_request(const aero_parts *parts, const aero_share *shares, uint16_t share,
             asked *list, aero_buf *out)
{
    aero_span in;
    aero_span digests = {NULL, 0};
    aero_field field;
    uint32_t id;

    memset(list, 0, AERO_PARTITIONS * sizeof *list);
    aero_parts_put(parts, shares, share, true, out);
    in = aero_buf_span(out);
    while (in.len != 0) {
        REQUIRE(aero_field_take(&in, &field, NULL) == AERO_OK);
        if (field.type == AERO_FIELD_PARTITIONS) {
            while (aero_query_take_partition(&field.data, &id, NULL) ==
                   AERO_OK) {
                CHECK(!list[id].whole);
                list[id].whole = true;
            }
        }
        else if (field.type == AERO_FIELD_DIGESTS) {
            digests = field.data;
        }
        else {
            CHECK_INT(field.type, AERO_FIELD_BVALS);
            CHECK_INT(field.data.len / 8, digests.len / AERO_DIGEST_SIZE);
        }
    }
    for (; digests.len != 0;
         digests = aero_span_skip(digests, AERO_DIGEST_SIZE)) {
        id = aero_partition_of(digests.ptr);
        CHECK(!list[id].whole && list[id].behind == NULL);
        list[id].behind = digests.ptr;
    }
}

/* Answer one share.  False: the connection broke. */
static bool
answer(aero_parts *parts, aero_share *shares, uint16_t share,
       const node_plan *plan)
{
    static asked list[AERO_PARTITIONS];
    aero_buf out = AERO_BUF_INIT;
    bool fine = true;
    uint64_t sent = 0;

    read_request(parts, shares, share, list, &out);
    for (uint32_t p = 0; plan->refuses != 0 && p < AERO_PARTITIONS; p++) {
        if ((list[p].whole || list[p].behind != NULL) &&
            p % plan->refuses == 1) {
            CHECK(aero_parts_refuse(parts, share, p, shares[share].node));
            memset(&list[p], 0, sizeof list[p]);
        }
    }
    for (int i = 0; i < RECORDS && fine; i++) {
        uint32_t p = aero_partition_of(records[i].digest);
        aero_query_item item = {.digest = records[i].digest,
                                .bval = records[i].bval};

        if (!list[p].whole &&
            (list[p].behind == NULL ||
             memcmp(records[i].digest, list[p].behind, 20) >= 0)) {
            continue;
        }
        if (shares[share].most != 0 && sent == shares[share].most) {
            break;
        }
        fine = sent++ < plan->breaks_after;
        if (fine) {
            CHECK(aero_parts_accept(parts, share, &item));
            shares[share].got++;
            records[i].seen++;
        }
    }
    aero_buf_fini(&out);
    return fine;
}

/* One round; gives how many records came. */
static uint64_t
run_round(aero_parts *parts, aero_cluster *cluster, uint64_t most,
          const node_plan *plans)
{
    aero_assignment how = assignment(cluster, most);
    aero_share *shares;
    size_t count;
    uint64_t got = 0;

    if (aero_parts_assign(parts, &how, &shares, &count, NULL) != AERO_OK) {
        CHECK(count == 0);
        aero_shares_free(shares, count);
        return 0;
    }
    for (uint16_t i = 0; i < count; i++) {
        const node_plan *plan = &plans[shares[i].node->slot];

        if (answer(parts, shares, i, plan)) {
            aero_parts_close(parts, shares, i);
        }
        else {
            aero_parts_fail(parts, shares, i);
        }
        got += shares[i].got;
    }
    aero_shares_free(shares, count);
    return got;
}

static void
check_all_seen_once(void)
{
    unsigned wrong = 0;

    for (int i = 0; i < RECORDS; i++) {
        wrong += records[i].seen != 1;
    }
    CHECK_INT(wrong, 0);
}

static const node_plan fine_plans[NODES] = {
    {UINT64_MAX, 0}, {UINT64_MAX, 0}, {UINT64_MAX, 0}};

TEST(one_round_reads_every_record_once)
{
    aero_cluster *cluster = make_cluster();
    aero_parts *parts = aero_parts_new(0, AERO_PARTITIONS);

    make_records();
    CHECK_INT(run_round(parts, cluster, 0, fine_plans), RECORDS);
    check_all_seen_once();
    CHECK(aero_parts_are_done(parts));
    aero_parts_release(parts);
    aero_cluster_release(cluster);
}

TEST(nodes_that_break_and_refuse_lose_and_repeat_nothing)
{
    aero_cluster *cluster = make_cluster();
    uint64_t seed = 5;

    for (int run = 0; run < 20; run++) {
        aero_parts *parts = aero_parts_new(0, AERO_PARTITIONS);

        make_records();
        for (int round = 0; round < 200 && !aero_parts_are_done(parts);
             round++) {
            node_plan plans[NODES];

            for (int i = 0; i < NODES; i++) {
                bool breaks = test_random(&seed) % 3 != 0;

                plans[i].breaks_after =
                    breaks ? test_random(&seed) % 900 : UINT64_MAX;
                plans[i].refuses = (uint32_t)(test_random(&seed) % 7);
            }
            run_round(parts, cluster, 0, plans);
        }
        CHECK(aero_parts_are_done(parts));
        check_all_seen_once();
        aero_parts_release(parts);
    }
    aero_cluster_release(cluster);
}

TEST(a_node_that_failed_is_not_asked_next)
{
    aero_cluster *cluster = make_cluster();
    aero_parts *parts = aero_parts_new(0, AERO_PARTITIONS);
    aero_assignment how = assignment(cluster, 0);
    aero_share *shares;
    size_t count;

    REQUIRE(aero_parts_assign(parts, &how, &shares, &count, NULL) == AERO_OK);
    CHECK_INT(count, NODES);
    aero_parts_fail(parts, shares, 1);
    aero_parts_close(parts, shares, 0);
    aero_parts_close(parts, shares, 2);
    aero_shares_free(shares, count);
    REQUIRE(aero_parts_assign(parts, &how, &shares, &count, NULL) == AERO_OK);
    CHECK_INT(count, 1);
    CHECK(strcmp(shares[0].node->name, "N2") == 0);
    CHECK_INT(shares[0].n_new, 1365);
    aero_shares_free(shares, count);
    aero_parts_release(parts);
    aero_cluster_release(cluster);
}

TEST(pages_of_any_size_give_each_record_once)
{
    aero_cluster *cluster = make_cluster();
    static const uint64_t sizes[] = {2, 7, 100, 999, 6000, 7000};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        aero_parts *parts = aero_parts_new(0, AERO_PARTITIONS);

        make_records();
        while (!aero_parts_are_done(parts)) {
            run_round(parts, cluster, sizes[i], fine_plans);
        }
        check_all_seen_once();
        aero_parts_release(parts);
    }
    aero_cluster_release(cluster);
}

TEST(shares_of_a_limit_add_up_to_it)
{
    aero_cluster *cluster = make_cluster();

    for (uint64_t most = 0; most < 10; most++) {
        aero_parts *parts = aero_parts_new(0, AERO_PARTITIONS);
        aero_assignment how = assignment(cluster, most);
        aero_share *shares;
        size_t count;
        uint64_t sum = 0;

        REQUIRE(aero_parts_assign(parts, &how, &shares, &count, NULL) ==
                AERO_OK);
        for (size_t i = 0; i < count; i++) {
            sum += shares[i].most;
            CHECK(most == 0 || shares[i].most != 0);
        }
        CHECK_INT(sum, most == 0 || most >= NODES ? most : NODES);
        aero_shares_free(shares, count);
        aero_parts_release(parts);
    }
    aero_cluster_release(cluster);
}

TEST(a_cursor_goes_on_where_it_was_made)
{
    aero_cluster *cluster = make_cluster();
    aero_parts *parts = aero_parts_new(0, AERO_PARTITIONS);

    make_records();
    while (!aero_parts_are_done(parts)) {
        aero_buf cursor = AERO_BUF_INIT;

        run_round(parts, cluster, 500, fine_plans);
        aero_parts_put_cursor(parts, &cursor);
        aero_parts_release(parts);
        parts = aero_parts_take_cursor(aero_buf_span(&cursor), NULL);
        REQUIRE(parts != NULL);
        aero_buf_fini(&cursor);
    }
    check_all_seen_once();
    aero_parts_release(parts);
    aero_cluster_release(cluster);
}

TEST(a_damaged_cursor_is_refused)
{
    aero_parts *parts = aero_parts_new(10, 20);
    aero_buf cursor = AERO_BUF_INIT;
    uint8_t digest[AERO_DIGEST_SIZE] = {12, 0};
    uint64_t seed = 3;

    aero_part_resume(aero_parts_find(parts, 12), digest, 77);
    aero_parts_put_cursor(parts, &cursor);
    for (size_t cut = 0; cut < cursor.len; cut++) {
        aero_parts_release(
            aero_parts_take_cursor(aero_span_of(cursor.ptr, cut), NULL));
    }
    for (int i = 0; i < 20000; i++) {
        uint8_t copy[256];

        memcpy(copy, cursor.ptr, cursor.len);
        copy[test_random(&seed) % cursor.len] = (uint8_t)test_random(&seed);
        aero_parts_release(
            aero_parts_take_cursor(aero_span_of(copy, cursor.len), NULL));
    }
    CHECK(aero_parts_take_cursor(aero_span_str("AQ"), NULL) == NULL);
    aero_buf_fini(&cursor);
    aero_parts_release(parts);
}

TEST(only_one_node_is_read_when_one_is_named)
{
    aero_cluster *cluster = make_cluster();
    aero_parts *parts = aero_parts_new(0, AERO_PARTITIONS);
    aero_assignment how = assignment(cluster, 0);
    aero_share *shares;
    size_t count;

    how.only = "N1";
    REQUIRE(aero_parts_assign(parts, &how, &shares, &count, NULL) == AERO_OK);
    CHECK_INT(count, 1);
    aero_parts_close(parts, shares, 0);
    CHECK(aero_parts_are_done(parts));
    aero_shares_free(shares, count);
    aero_parts_release(parts);
    aero_cluster_release(cluster);
}

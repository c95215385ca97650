/* The map: claims are merged by regime, and every policy finds its node.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fakenet.h"
#include "test.h"

static aero_replicas
claim_of(uint32_t regime, uint32_t count)
{
    aero_replicas claim = {.regime = regime, .count = count};

    return claim;
}

typedef struct losses {
    const aero_node *who;
    unsigned count;
} losses;

static void
note_loss(void *ctx, aero_node *node)
{
    losses *l = ctx;

    l->who = node;
    l->count++;
}

TEST(newer_regime_takes_a_partition_and_an_older_one_does_not)
{
    static aero_table table;
    aero_node a = {0};
    aero_node b = {0};
    aero_replicas claim = claim_of(5, 1);
    losses lost = {NULL, 0};

    memset(&table, 0, sizeof table);
    table.n_replicas = 1;
    aero_bitmap_add(claim.bits[0], 7);
    CHECK(aero_table_merge(&table, &claim, &a, note_loss, &lost));
    CHECK(table.owner[0][7] == &a && table.owner[0][8] == NULL);
    CHECK_INT(lost.count, 0);
    CHECK(!aero_table_merge(&table, &claim, &a, note_loss, &lost));
    claim.regime = 4;
    CHECK(!aero_table_merge(&table, &claim, &b, note_loss, &lost));
    CHECK(table.owner[0][7] == &a && table.regime[7] == 5);
    claim.regime = 5; /* of two that claim the same, the later */
    CHECK(aero_table_merge(&table, &claim, &b, note_loss, &lost));
    CHECK(table.owner[0][7] == &b && lost.who == &a && lost.count == 1);
    claim.regime = 6;
    CHECK(aero_table_merge(&table, &claim, &a, NULL, NULL));
    CHECK(table.owner[0][7] == &a && table.regime[7] == 6);
}

TEST(number_of_replicas_follows_the_claims)
{
    static aero_table table;
    aero_node a = {0};
    aero_replicas claim = claim_of(0, 3);

    memset(&table, 0, sizeof table);
    table.n_replicas = 1;
    for (unsigned r = 0; r < 3; r++) {
        aero_bitmap_add(claim.bits[r], r);
    }
    CHECK(aero_table_merge(&table, &claim, &a, NULL, NULL));
    CHECK_INT(table.n_replicas, 3);
    CHECK(table.owner[2][2] == &a);
    claim.count = 2;
    CHECK(aero_table_merge(&table, &claim, &a, NULL, NULL));
    CHECK_INT(table.n_replicas, 2);
    CHECK(table.owner[2][2] == NULL);
    claim.count = 0; /* before the first balance: nothing is known */
    CHECK(!aero_table_merge(&table, &claim, &a, NULL, NULL));
    CHECK_INT(table.n_replicas, 2);
}

TEST(node_that_is_forgotten_is_mentioned_nowhere)
{
    static aero_table table;
    aero_node a = {0};
    aero_node b = {0};
    aero_replicas claim = claim_of(0, 2);

    memset(&table, 0, sizeof table);
    table.n_replicas = 2;
    aero_bitmap_add(claim.bits[1], 4095);
    aero_table_merge(&table, &claim, &a, NULL, NULL);
    aero_bitmap_add(claim.bits[0], 0);
    claim.bits[1][AERO_BITMAP_SIZE - 1] = 0;
    aero_table_merge(&table, &claim, &b, NULL, NULL);
    CHECK(aero_table_mentions(&table, &a) && aero_table_mentions(&table, &b));
    aero_table_forget(&table, &a);
    CHECK(!aero_table_mentions(&table, &a) && aero_table_mentions(&table, &b));
}

TEST(partition_that_nobody_has_left_is_free_for_any_claim)
{
    static aero_table table;
    aero_node a = {0};
    aero_node b = {0};
    aero_replicas claim = claim_of(9, 1);

    memset(&table, 0, sizeof table);
    table.n_replicas = 1;
    aero_bitmap_add(claim.bits[0], 1);
    aero_table_merge(&table, &claim, &a, NULL, NULL);
    claim.regime = 2; /* of another cluster, or a restarted one */
    CHECK(!aero_table_merge(&table, &claim, &b, NULL, NULL));
    aero_table_forget(&table, &a);
    CHECK(aero_table_merge(&table, &claim, &b, NULL, NULL));
    CHECK(table.owner[0][1] == &b && table.regime[1] == 2);
}

/* ---- routing: three nodes, partition p on node p % 3, then (p + 1) % 3 ----
 */

typedef struct routes {
    fakenet net;
    aero_map *map;
    const aero_table *table;
} routes;

static bool
routes_open(routes *t)
{
    if (!fake_init(&t->net, 3)) {
        return false;
    }
    t->map = aero_cluster_map(t->net.cluster);
    t->table = aero_map_table(t->map, aero_span_str("test"));
    return t->table != NULL;
}

static void
routes_close(routes *t)
{
    aero_map_release(t->map);
    fake_fini(&t->net);
}

/* The number of the node that partition 0 is routed to; -1: none. */
static int
to(const routes *t, aero_route route)
{
    const aero_node *node = aero_map_route(t->map, t->table, 0, &route);

    return node == NULL ? -1 : node->name[1] - '0';
}

TEST(map_knows_nodes_and_namespaces_by_name)
{
    routes t;

    REQUIRE(routes_open(&t));
    CHECK(aero_map_table(t.map, aero_span_str("tes")) == NULL);
    CHECK(aero_map_table(t.map, aero_span_str("testx")) == NULL);
    CHECK(aero_map_node(t.map, aero_span_str("N2")) == t.map->nodes[2]);
    CHECK(aero_map_node(t.map, aero_span_str("N3")) == NULL);
    routes_close(&t);
}

TEST(sequence_goes_from_copy_to_copy)
{
    routes t;

    REQUIRE(routes_open(&t));
    for (uint32_t n = 0; n < 4; n++) {
        CHECK_INT(
            to(&t, (aero_route){.policy = AERO_REPLICA_SEQUENCE, .try_no = n}),
            n % 2);
    }
    atomic_store(&t.map->nodes[0]->active, false);
    CHECK_INT(to(&t, (aero_route){.policy = AERO_REPLICA_SEQUENCE}), 1);
    atomic_store(&t.map->nodes[1]->active, false);
    CHECK_INT(to(&t, (aero_route){.policy = AERO_REPLICA_SEQUENCE}), -1);
    routes_close(&t);
}

TEST(master_is_the_first_copy_or_nothing)
{
    routes t;

    REQUIRE(routes_open(&t));
    CHECK_INT(to(&t, (aero_route){.policy = AERO_REPLICA_MASTER}), 0);
    CHECK_INT(to(&t, (aero_route){.policy = AERO_REPLICA_MASTER, .try_no = 1}),
              0);
    atomic_store(&t.map->nodes[0]->active, false);
    CHECK_INT(to(&t, (aero_route){.policy = AERO_REPLICA_MASTER}), -1);
    routes_close(&t);
}

TEST(any_goes_round_the_copies_but_not_for_writes)
{
    routes t;

    REQUIRE(routes_open(&t));
    for (uint32_t turn = 0; turn < 4; turn++) {
        CHECK_INT(
            to(&t, (aero_route){.policy = AERO_REPLICA_ANY, .turn = turn}),
            turn % 2);
        CHECK_INT(to(&t, (aero_route){.policy = AERO_REPLICA_ANY,
                                      .turn = turn,
                                      .is_write = true}),
                  0);
        CHECK_INT(to(&t, (aero_route){.policy = AERO_REPLICA_ANY,
                                      .turn = turn,
                                      .linearize = true}),
                  0);
    }
    routes_close(&t);
}

TEST(reads_of_a_session_ask_the_master_of_a_strong_namespace)
{
    aero_route route = {
        .policy = AERO_REPLICA_ANY, .turn = 1, .session = true};
    routes t;

    REQUIRE(routes_open(&t));
    CHECK_INT(to(&t, route), 1); /* it is not strong */
    t.map->tables[0]->strong = true;
    CHECK_INT(to(&t, route), 0);
    route.try_no = 1;
    CHECK_INT(to(&t, route), 0);
    route.policy = AERO_REPLICA_SEQUENCE;
    route.is_write = true;
    CHECK_INT(to(&t, route), 1);
    route.is_write = false;
    route.session = false; /* relaxed */
    CHECK_INT(to(&t, route), 1);
    route.policy = AERO_REPLICA_PREFER_RACK;
    route.linearize = true;
    CHECK_INT(to(&t, route), 1); /* as a sequence */
    routes_close(&t);
}

TEST(random_takes_any_node_that_is_there)
{
    routes t;

    REQUIRE(routes_open(&t));
    for (uint32_t turn = 0; turn < 6; turn++) {
        CHECK_INT(
            to(&t, (aero_route){.policy = AERO_REPLICA_RANDOM, .turn = turn}),
            turn % 3);
    }
    atomic_store(&t.map->nodes[1]->active, false);
    CHECK_INT(to(&t, (aero_route){.policy = AERO_REPLICA_RANDOM, .turn = 1}),
              2);
    for (int i = 0; i < 3; i++) {
        atomic_store(&t.map->nodes[i]->active, false);
    }
    CHECK_INT(to(&t, (aero_route){.policy = AERO_REPLICA_RANDOM}), -1);
    routes_close(&t);
}

static int
to_rack(const routes *t, const int32_t *racks, size_t n, uint32_t try_no,
        int previous)
{
    return to(t,
              (aero_route){.policy = AERO_REPLICA_PREFER_RACK,
                           .rack_ids = racks,
                           .n_rack_ids = n,
                           .try_no = try_no,
                           .previous =
                               previous < 0 ? NULL : t->map->nodes[previous]});
}

TEST(racks_are_preferred_in_their_order)
{
    static const int32_t second[] = {20};
    static const int32_t both[] = {30, 20, 10};
    static const int32_t none[] = {77};
    routes t;

    REQUIRE(routes_open(&t));
    t.map->racks = aero_alloc_array(3, sizeof *t.map->racks);
    REQUIRE(t.map->racks != NULL);
    for (int i = 0; i < 3; i++) {
        t.map->racks[i] = 10 * (i + 1); /* node 0 in rack 10, and so on */
    }
    CHECK_INT(to_rack(&t, second, 1, 0, -1), 1);
    CHECK_INT(to_rack(&t, both, 3, 0, -1), 1); /* rack 30 has no copy */
    CHECK_INT(to_rack(&t, none, 1, 0, -1), 0);
    CHECK_INT(to_rack(&t, none, 1, 1, -1), 1);
    CHECK_INT(to_rack(&t, second, 1, 1, 1), 0); /* it has just failed */
    CHECK_INT(to_rack(&t, both, 3, 1, 1), 0);
    atomic_store(&t.map->nodes[0]->active, false);
    CHECK_INT(to_rack(&t, second, 1, 1, 1), 1); /* there is no other */
    routes_close(&t);
}

TEST(without_racks_prefer_rack_is_a_sequence)
{
    static const int32_t racks[] = {1};
    routes t;

    REQUIRE(routes_open(&t));
    CHECK_INT(to_rack(&t, racks, 1, 0, -1), 0);
    CHECK_INT(to_rack(&t, racks, 1, 1, 0), 1);
    CHECK_INT(to_rack(&t, NULL, 0, 0, -1), 0);
    routes_close(&t);
}

TEST(map_survives_each_failing_allocation)
{
    WITH_EACH_ALLOC_FAILING({
        fakenet net;

        fake_init(&net, 3);
        fake_fini(&net);
    });
}

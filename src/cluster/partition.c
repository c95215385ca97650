/* The map of partitions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/cluster/partition.h"

aero_map *
aero_map_new(size_t n_nodes, size_t n_tables)
{
    aero_map *map = aero_zalloc(sizeof *map);

    if (map == NULL) {
        return NULL;
    }
    atomic_init(&map->refs, 1);
    map->nodes = aero_zalloc((n_nodes + 1) * sizeof *map->nodes);
    map->tables = aero_zalloc((n_tables + 1) * sizeof *map->tables);
    if (map->nodes == NULL || map->tables == NULL) {
        aero_map_release(map);
        return NULL;
    }
    return map;
}

aero_map *
aero_map_acquire(aero_map *map)
{
    atomic_fetch_add_explicit(&map->refs, 1, memory_order_relaxed);
    return map;
}

void
aero_map_release(aero_map *map)
{
    if (map == NULL ||
        atomic_fetch_sub_explicit(&map->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < map->n_tables; i++) {
        aero_free(map->tables[i]);
    }
    for (size_t i = 0; i < map->n_nodes; i++) {
        aero_node_release(map->nodes[i]);
    }
    aero_free(map->tables);
    aero_free(map->nodes);
    aero_free(map->racks);
    aero_free(map);
}

const aero_table *
aero_map_table(const aero_map *map, aero_span ns)
{
    for (size_t i = 0; i < map->n_tables; i++) {
        const aero_table *table = map->tables[i];

        if (table->ns_len == ns.len &&
            memcmp(table->ns, ns.ptr, ns.len) == 0) {
            return table;
        }
    }
    return NULL;
}

aero_node *
aero_map_node(const aero_map *map, aero_span name)
{
    for (size_t i = 0; i < map->n_nodes; i++) {
        if (aero_span_is(name, map->nodes[i]->name)) {
            return map->nodes[i];
        }
    }
    return NULL;
}

static bool
claim_one(aero_table *table, uint32_t replica, uint32_t partition,
          aero_node *node, void (*lost)(void *ctx, aero_node *), void *ctx)
{
    aero_node *before = table->owner[replica][partition];

    if (before == node) {
        return false;
    }
    if (before != NULL && lost != NULL) {
        lost(ctx, before);
    }
    table->owner[replica][partition] = node;
    return true;
}

bool
aero_table_merge(aero_table *table, const aero_replicas *claim,
                 aero_node *node, void (*lost)(void *ctx, aero_node *),
                 void *ctx)
{
    bool changed = false;

    if (claim->count != 0 && claim->count != table->n_replicas) {
        for (uint32_t r = claim->count; r < table->n_replicas; r++) {
            memset(table->owner[r], 0, sizeof table->owner[r]);
        }
        table->n_replicas = (uint8_t)claim->count;
        changed = true;
    }
    for (uint32_t r = 0; r < claim->count; r++) {
        for (uint32_t p = 0; p < AERO_PARTITIONS; p++) {
            if (!aero_bitmap_has(claim->bits[r], p) ||
                claim->regime < table->regime[p]) {
                continue;
            }
            table->regime[p] = claim->regime;
            changed |= claim_one(table, r, p, node, lost, ctx);
        }
    }
    return changed;
}

void
aero_table_forget(aero_table *table, const aero_node *node)
{
    for (uint32_t p = 0; p < AERO_PARTITIONS; p++) {
        bool owned = false;

        for (uint32_t r = 0; r < AERO_REPLICAS_MAX; r++) {
            if (table->owner[r][p] == node) {
                table->owner[r][p] = NULL;
            }
            owned = owned || table->owner[r][p] != NULL;
        }
        if (!owned) {
            table->regime[p] = 0; /* any claim is newer than none */
        }
    }
}

bool
aero_table_mentions(const aero_table *table, const aero_node *node)
{
    for (uint32_t r = 0; r < table->n_replicas; r++) {
        for (uint32_t p = 0; p < AERO_PARTITIONS; p++) {
            if (table->owner[r][p] == node) {
                return true;
            }
        }
    }
    return false;
}

/* ---- routing ---- */

static bool
is_usable(const aero_node *node)
{
    return node != NULL &&
           atomic_load_explicit(&node->active, memory_order_relaxed);
}

/* The replica number `first`, or the next that has a node. */
static aero_node *
in_sequence(const aero_table *table, uint32_t partition, uint32_t first)
{
    for (uint32_t i = 0; i < table->n_replicas; i++) {
        uint32_t r = (first + i) % table->n_replicas;
        aero_node *node = table->owner[r][partition];

        if (is_usable(node)) {
            return node;
        }
    }
    return NULL;
}

static int32_t
rack_of(const aero_map *map, const aero_table *table, const aero_node *node)
{
    size_t t = 0;
    size_t n = 0;

    if (map->racks == NULL) {
        return AERO_RACK_NONE;
    }
    while (t < map->n_tables && map->tables[t] != table) {
        t++;
    }
    while (n < map->n_nodes && map->nodes[n] != node) {
        n++;
    }
    if (t == map->n_tables || n == map->n_nodes) {
        return AERO_RACK_NONE;
    }
    return map->racks[t * map->n_nodes + n];
}

/* The first preferred rack that has a replica which did not just fail; then
 * any replica that did not; then the one that did. */
static aero_node *
prefer_rack(const aero_map *map, const aero_table *table, uint32_t partition,
            const aero_route *route)
{
    for (size_t i = 0; i < route->n_rack_ids; i++) {
        for (uint32_t k = 0; k < table->n_replicas; k++) {
            uint32_t r = (route->try_no + k) % table->n_replicas;
            aero_node *node = table->owner[r][partition];

            if (is_usable(node) && node != route->previous &&
                rack_of(map, table, node) == route->rack_ids[i]) {
                return node;
            }
        }
    }
    for (uint32_t k = 0; k < table->n_replicas; k++) {
        uint32_t r = (route->try_no + k) % table->n_replicas;
        aero_node *node = table->owner[r][partition];

        if (is_usable(node) && node != route->previous) {
            return node;
        }
    }
    return in_sequence(table, partition, route->try_no);
}

static aero_node *
any_node(const aero_map *map, uint32_t turn)
{
    for (size_t i = 0; i < map->n_nodes; i++) {
        aero_node *node = map->nodes[(turn + i) % map->n_nodes];

        if (is_usable(node)) {
            return node;
        }
    }
    return NULL;
}

aero_node *
aero_map_route(const aero_map *map, const aero_table *table,
               uint32_t partition, const aero_route *route)
{
    aero_replica policy = route->policy;

    if (table->strong && route->session && !route->is_write) {
        policy = AERO_REPLICA_MASTER;
    }
    if (route->linearize &&
        (policy == AERO_REPLICA_PREFER_RACK || policy == AERO_REPLICA_ANY)) {
        policy = AERO_REPLICA_SEQUENCE;
    }
    if (route->is_write && policy == AERO_REPLICA_ANY) {
        policy = AERO_REPLICA_SEQUENCE;
    }
    switch (policy) {
    case AERO_REPLICA_MASTER:
        return is_usable(table->owner[0][partition])
                   ? table->owner[0][partition]
                   : NULL;
    case AERO_REPLICA_ANY:
        return in_sequence(table, partition, route->turn);
    case AERO_REPLICA_PREFER_RACK:
        return prefer_rack(map, table, partition, route);
    case AERO_REPLICA_RANDOM:
        return any_node(map, route->turn);
    case AERO_REPLICA_SEQUENCE:
        break;
    }
    return in_sequence(table, partition, route->try_no);
}

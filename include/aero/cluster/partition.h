/* The map: which node holds which partition.
 *
 * The tender keeps tables that it changes (aero_table) and publishes a map
 * that nobody changes (aero_map): counted, so that a command may hold the one
 * it began with.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_PARTITION_H
#define AERO_CLUSTER_PARTITION_H

#include "aero/cluster/node.h"
#include "aero/wire/info.h"

/* One namespace. */
typedef struct aero_table {
    char ns[AERO_NAMESPACE_MAX + 1];
    uint8_t ns_len;
    bool strong;                      /* strong consistency */
    uint8_t n_replicas;               /* 1 to AERO_REPLICAS_MAX */
    uint32_t regime[AERO_PARTITIONS]; /* of the newest claim */
    /* Borrowed from the list of nodes beside it; NULL: nobody. */
    aero_node *owner[AERO_REPLICAS_MAX][AERO_PARTITIONS];
} aero_table;

typedef struct aero_map {
    atomic_uint refs;
    aero_node **nodes; /* counted, owned array */
    size_t n_nodes;
    aero_table **tables; /* owned */
    size_t n_tables;
    int32_t *racks; /* [table * n_nodes + node], or NULL; AERO_RACK_NONE */
} aero_map;

enum {
    AERO_RACK_NONE = -1
};

/* Gives an empty map. */
aero_map *aero_map_new(size_t n_nodes, size_t n_tables);
aero_map *aero_map_acquire(aero_map *map);
void aero_map_release(aero_map *map); /* NULL is fine */

/* NULL: no node has named this namespace. */
const aero_table *aero_map_table(const aero_map *map, aero_span ns);
aero_node *aero_map_node(const aero_map *map, aero_span name);

/* Merge what `node` claims: a claim counts when its regime is not older.  The
 * nodes that lost a partition by it are told to `lost`, which may be NULL.
 * True when something changed. */
bool aero_table_merge(aero_table *table, const aero_replicas *claim,
                      aero_node *node, void (*lost)(void *ctx, aero_node *),
                      void *ctx);

/* The node is gone: nothing points at it any more, and a partition that
 * nobody has left is free for any claim. */
void aero_table_forget(aero_table *table, const aero_node *node);
bool aero_table_mentions(const aero_table *table, const aero_node *node);

/* ---- which node is asked ---- */

typedef enum aero_replica {
    AERO_REPLICA_MASTER,
    AERO_REPLICA_ANY,
    AERO_REPLICA_SEQUENCE,
    AERO_REPLICA_PREFER_RACK,
    AERO_REPLICA_RANDOM
} aero_replica;

typedef struct aero_route {
    aero_replica policy;
    bool is_write;
    bool linearize;
    bool session;    /* a read of a strong namespace asks the master only */
    uint32_t try_no; /* which replica in a sequence: 0, 1, ... */
    uint32_t turn;   /* a number that goes round, for ANY and RANDOM */
    const int32_t *rack_ids; /* borrowed; preferred first */
    size_t n_rack_ids;
    const aero_node *previous; /* the one that failed, or NULL */
} aero_route;

/* Borrowed from the map; NULL when no node serves the partition. */
aero_node *aero_map_route(const aero_map *map, const aero_table *table,
                          uint32_t partition, const aero_route *route);

#endif

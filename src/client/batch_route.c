/* Batches: which node gets which rows of a round.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/wire/key.h"
#include "batch_parts.h"

void
aero_batch_free_groups(aero_batch *batch)
{
    for (uint32_t i = 0; i < batch->n_groups; i++) {
        aero_batch_group *group = &batch->groups[i];

        aero_cmd_cancel(&group->cmd, AERO_ERR_CLIENT_ABORT, "given up");
        aero_node_release(group->cmd.node);
        group->cmd.node = NULL;
        aero_cmd_fini(&group->cmd);
        aero_node_release(group->node);
    }
    aero_free(batch->groups);
    aero_free(batch->jobs);
    batch->groups = NULL;
    batch->jobs = NULL;
    batch->n_groups = 0;
}

/* What routing of a round keeps in hand. */
typedef struct routing {
    aero_batch *batch;
    aero_map *map; /* counted */
    const aero_table *table;
    aero_span ns;      /* of the table */
    aero_node **nodes; /* of the groups; borrowed from the map */
    uint32_t *counts;  /* rows of each */
    uint32_t n;
} routing;

static const aero_table *
table_for(routing *r, aero_span ns)
{
    if (r->table == NULL || r->ns.ptr != ns.ptr || r->ns.len != ns.len) {
        r->ns = ns;
        r->table = aero_map_table(r->map, ns);
    }
    return r->table;
}

static bool
group_for(routing *r, aero_node *node, uint32_t *group)
{
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->nodes[i] == node) {
            *group = i;
            r->counts[i]++;
            return true;
        }
    }
    if (r->n == r->map->n_nodes) {
        return false;
    }
    *group = r->n;
    r->nodes[r->n] = node;
    r->counts[r->n++] = 1;
    return true;
}

static void
fail_row(aero_row *row, int32_t code)
{
    row->done = true;
    row->result = code;
}

static void
route_row(routing *r, aero_row *row)
{
    const aero_batch *batch = r->batch;
    aero_route how = {
        .policy = (aero_replica)batch->policy.replica,
        .is_write = row->is_write,
        .linearize = batch->linearize,
        .session = batch->policy.read_mode_sc == AERO_READ_SC_SESSION,
        .try_no = batch->replica_no,
        .rack_ids = batch->cluster->config.rack_ids,
        .n_rack_ids = batch->cluster->config.n_rack_ids,
    };
    const aero_table *table = table_for(r, row->ns);
    aero_node *node;

    if (table == NULL) {
        fail_row(row, AERO_ERR_NAMESPACE_NOT_FOUND);
        return;
    }
    if (how.policy == AERO_REPLICA_ANY || how.policy == AERO_REPLICA_RANDOM) {
        how.turn = aero_cluster_turn(batch->cluster);
    }
    node = aero_map_route(r->map, table, aero_partition_of(row->digest), &how);
    if (node == NULL || !group_for(r, node, &row->group)) {
        fail_row(row, AERO_ERR_INVALID_NODE);
    }
}

/* Rows in the order of their groups, each group's in the order given. */
static bool
sort_rows(routing *r)
{
    aero_batch *batch = r->batch;
    uint32_t next = 0;

    if (batch->order == NULL) {
        batch->order =
            aero_alloc_array(batch->n_rows + 1, sizeof *batch->order);
        if (batch->order == NULL) {
            return false;
        }
    }
    for (uint32_t i = 0; i < r->n; i++) {
        batch->groups[i].first = next;
        next += r->counts[i];
    }
    for (size_t i = 0; i < batch->n_rows; i++) {
        aero_row *row = &batch->rows[i];

        if (!row->done) {
            aero_batch_group *group = &batch->groups[row->group];

            batch->order[group->first + group->count++] = (uint32_t)i;
        }
    }
    return true;
}

static bool
make_groups(routing *r)
{
    aero_batch *batch = r->batch;

    aero_batch_free_groups(batch);
    batch->groups = aero_zalloc((r->n + 1) * sizeof *batch->groups);
    batch->jobs = aero_alloc_array(r->n + 1, sizeof *batch->jobs);
    if (batch->groups == NULL || batch->jobs == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < r->n; i++) {
        aero_batch_group *group = &batch->groups[i];

        aero_cmd_init(&group->cmd);
        group->batch = batch;
        group->node = aero_node_acquire(r->nodes[i]);
        batch->jobs[i] = &group->cmd.job;
        batch->n_groups++;
    }
    return sort_rows(r);
}

aero_rc
aero_batch_route(aero_batch *batch)
{
    routing r = {.batch = batch, .map = aero_cluster_map(batch->cluster)};
    aero_rc rc = AERO_OK;

    if (r.map == NULL || r.map->n_nodes == 0) {
        aero_map_release(r.map);
        return aero_fail(&batch->st, AERO_ERR_CLUSTER,
                         "the cluster has no node");
    }
    r.nodes = aero_alloc_array(r.map->n_nodes, sizeof *r.nodes);
    r.counts = aero_alloc_array(r.map->n_nodes, sizeof *r.counts);
    if (r.nodes != NULL && r.counts != NULL) {
        for (size_t i = 0; i < batch->n_rows; i++) {
            if (!batch->rows[i].done) {
                route_row(&r, &batch->rows[i]);
            }
        }
    }
    if (r.nodes == NULL || r.counts == NULL || !make_groups(&r)) {
        rc = aero_fail(&batch->st, AERO_ERR_CLIENT, "no memory for a batch");
    }
    aero_free(r.nodes);
    aero_free(r.counts);
    aero_map_release(r.map);
    return rc;
}

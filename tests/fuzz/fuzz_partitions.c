/* Partition maps, and their merging into a table.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/cluster/partition.h"
#include "fuzz.h"

static aero_table table;
static aero_node nodes[2];

static void
lost(void *ctx, aero_node *node)
{
    MUST(ctx == &table && node != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static aero_replicas claim;
    aero_span value = aero_span_of(data, size);
    aero_status st;
    unsigned turn = 0;

    memset(&table, 0, sizeof table);
    table.n_replicas = 1;
    while (aero_replicas_take(&value, &claim, &st) == AERO_OK) {
        aero_node *node = &nodes[turn++ % 2];

        MUST(claim.ns.len > 0 && claim.ns.len <= AERO_NAMESPACE_MAX);
        MUST(claim.count <= AERO_REPLICAS_MAX);
        aero_table_merge(&table, &claim, node, lost, &table);
        MUST(table.n_replicas >= 1 && table.n_replicas <= AERO_REPLICAS_MAX);
        /* The same again changes nothing. */
        MUST(!aero_table_merge(&table, &claim, node, lost, &table));
    }
    return 0;
}

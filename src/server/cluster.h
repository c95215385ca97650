/* The nodes' view of each other: who is there, who owns which partition, and
 * the generations by which clients notice that this has changed.
 *
 *   replica r of partition p is alive[(p + r) mod number alive]
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_CLUSTER_H
#define SRV_CLUSTER_H

#include "aero/base/buf.h"
#include "aero/server/server.h"
#include "aero/wire/info.h"

enum {
    SRV_NODE_ID_MAX = 17
};

/* Who is up, in order: all that ownership follows from. */
typedef struct srv_view {
    unsigned alive[AERO_SERVER_NODES_MAX]; /* indexes of the nodes */
    unsigned n_alive;
    unsigned replicas; /* that each partition has now */
} srv_view;

typedef struct srv_node {
    unsigned index;
    char id[SRV_NODE_ID_MAX];
    char address[80];     /* host:port, as clients are told */
    char tls_address[80]; /* empty: no TLS */
    uint16_t port;
    uint16_t tls_port;
    int rack;
    bool up;
    uint64_t partition_generation;
    uint64_t rebalance_generation;
    uint64_t peers_generation;
    uint64_t peer_changed[AERO_SERVER_NODES_MAX]; /* at which generation */
    bool peer_known[AERO_SERVER_NODES_MAX];       /* it was ever there */
    /* statistics */
    uint64_t opened;
    uint64_t closed;
    uint64_t infos;
    uint64_t malformed;
    uint64_t early_errors;
    uint64_t batches;
    uint64_t batches_done;
    uint64_t batches_failed;
    uint64_t requests[8]; /* by class, see fault.h */
} srv_node;

typedef struct srv_cluster {
    srv_node nodes[AERO_SERVER_NODES_MAX];
    unsigned count;
    unsigned replication; /* that is wanted */
    srv_view view;
    uint64_t key; /* of the cluster; changes whenever the nodes do */
    uint64_t changes;
    uint64_t changed_ms;
    const char *tls_name; /* borrowed from the server; NULL: no TLS */
} srv_cluster;

void srv_cluster_init(srv_cluster *cluster, unsigned count,
                      unsigned replication);
/* Each gives false when the node is in that state already. */
bool srv_cluster_down(srv_cluster *cluster, unsigned node);
bool srv_cluster_up(srv_cluster *cluster, unsigned node);

/* The last node that is up begins again. */
void srv_cluster_restart_last(srv_cluster *cluster, unsigned node);

/* Which replica of the partition the node is: 0 the master, -1 none. */
int srv_view_replica(const srv_view *view, unsigned node, unsigned partition);

/* The values of the info commands. */
void srv_cluster_put_peers(const srv_cluster *cluster, const srv_node *node,
                           aero_buf *out, bool tls, uint64_t since,
                           bool also_gone);
void srv_cluster_put_services(const srv_cluster *cluster, const srv_node *node,
                              aero_buf *out, bool also_gone);
/* The bitmap of one replica, in base64. */
void srv_view_put_map(const srv_view *view, unsigned node, unsigned replica,
                      aero_buf *out);

#endif

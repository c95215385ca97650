/* Nodes come and go.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/b64.h"
#include "aero/wire/key.h"
#include "cluster.h"

enum {
    ARRIVAL_STEPS = 2, /* the real server counts a peer, then its address */
    KEY_BITS = 48
};

/* A new key, as like the last one as chance would have it. */
static void
change_key(srv_cluster *cluster)
{
    uint64_t z = cluster->key + UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    cluster->key = (z ^ z >> 31) >> (64 - KEY_BITS);
    cluster->changes++;
}

static void
count_alive(srv_cluster *cluster)
{
    srv_view *view = &cluster->view;

    view->n_alive = 0;
    for (unsigned i = 0; i < cluster->count; i++) {
        if (cluster->nodes[i].up) {
            view->alive[view->n_alive++] = i;
        }
    }
    view->replicas = cluster->replication < view->n_alive
                         ? cluster->replication
                         : view->n_alive;
}

/* What a node knows when it has just joined. */
static void
begin_node(srv_cluster *cluster, srv_node *node)
{
    node->partition_generation = 0;
    node->rebalance_generation = 1;
    node->peers_generation = 0;
    for (unsigned i = 0; i < cluster->count; i++) {
        node->peer_known[i] = i != node->index && cluster->nodes[i].up;
        if (node->peer_known[i]) {
            node->peers_generation += ARRIVAL_STEPS;
        }
        node->peer_changed[i] = node->peers_generation;
    }
}

/* What the others notice. */
static void
tell_others(srv_cluster *cluster, unsigned changed, unsigned steps)
{
    for (unsigned i = 0; i < cluster->count; i++) {
        srv_node *node = &cluster->nodes[i];

        if (i == changed || !node->up) {
            continue;
        }
        node->partition_generation++;
        node->rebalance_generation++;
        node->peers_generation += steps;
        node->peer_changed[changed] = node->peers_generation;
        node->peer_known[changed] = true;
    }
}

void
srv_cluster_init(srv_cluster *cluster, unsigned count, unsigned replication)
{
    cluster->count = count;
    cluster->replication = replication;
    for (unsigned i = 0; i < count; i++) {
        srv_node *node = &cluster->nodes[i];

        node->index = i;
        node->up = true;
        snprintf(node->id, sizeof node->id, "BB9%012X", i + 1);
    }
    for (unsigned i = 0; i < count; i++) {
        begin_node(cluster, &cluster->nodes[i]);
    }
    count_alive(cluster);
    change_key(cluster);
}

bool
srv_cluster_down(srv_cluster *cluster, unsigned node)
{
    if (!cluster->nodes[node].up) {
        return false;
    }
    cluster->nodes[node].up = false;
    count_alive(cluster);
    change_key(cluster);
    tell_others(cluster, node, 1);
    return true;
}

bool
srv_cluster_up(srv_cluster *cluster, unsigned node)
{
    if (cluster->nodes[node].up) {
        return false;
    }
    cluster->nodes[node].up = true;
    count_alive(cluster);
    change_key(cluster);
    begin_node(cluster, &cluster->nodes[node]);
    tell_others(cluster, node, ARRIVAL_STEPS);
    return true;
}

void
srv_cluster_restart_last(srv_cluster *cluster, unsigned node)
{
    change_key(cluster);
    begin_node(cluster, &cluster->nodes[node]);
}

int
srv_view_replica(const srv_view *view, unsigned node, unsigned partition)
{
    for (unsigned r = 0; r < view->replicas; r++) {
        if (view->alive[(partition + r) % view->n_alive] == node) {
            return (int)r;
        }
    }
    return -1;
}

/* ---- what clients are told ---- */

static const char *
address_of(const srv_node *node, bool tls)
{
    return tls ? node->tls_address : node->address;
}

/* The default port is left out, as the real server does: as text. */
static aero_span
short_address(const char *address)
{
    static const char suffix[] = ":3000";
    aero_span text = aero_span_str(address);
    size_t cut = sizeof suffix - 1;

    if (text.len > cut &&
        memcmp(text.ptr + text.len - cut, suffix, cut) == 0) {
        text.len -= cut;
    }
    return text;
}

static void
put_peer(const srv_cluster *cluster, const srv_node *peer, aero_buf *out,
         bool tls, bool gone)
{
    aero_buf_printf(out, "[%s,", peer->id);
    if (gone) {
        aero_buf_put_str(out, ",]");
        return;
    }
    if (tls) {
        aero_buf_put_str(out, cluster->tls_name);
    }
    aero_buf_put_str(out, ",[");
    aero_buf_put_span(out, short_address(address_of(peer, tls)));
    aero_buf_put_str(out, "]]");
}

void
srv_cluster_put_peers(const srv_cluster *cluster, const srv_node *node,
                      aero_buf *out, bool tls, uint64_t since, bool also_gone)
{
    const char *comma = "";

    aero_buf_printf(out, "%llu,3000,[",
                    (unsigned long long)node->peers_generation);
    for (unsigned i = 0; i < cluster->count; i++) {
        const srv_node *peer = &cluster->nodes[i];

        if (!node->peer_known[i] || (!peer->up && !also_gone) ||
            node->peer_changed[i] <= since ||
            address_of(peer, tls)[0] == '\0') {
            continue;
        }
        aero_buf_put_str(out, comma);
        put_peer(cluster, peer, out, tls, since != 0 && !peer->up);
        comma = ",";
    }
    aero_buf_put_str(out, "]");
}

void
srv_cluster_put_services(const srv_cluster *cluster, const srv_node *node,
                         aero_buf *out, bool also_gone)
{
    const char *mark = "";

    for (unsigned i = 0; i < cluster->count; i++) {
        const srv_node *peer = &cluster->nodes[i];

        if (node->peer_known[i] && (peer->up || also_gone)) {
            aero_buf_printf(out, "%s%s", mark, peer->address);
            mark = ";";
        }
    }
}

void
srv_view_put_map(const srv_view *view, unsigned node, unsigned replica,
                 aero_buf *out)
{
    uint8_t bits[AERO_BITMAP_SIZE] = {0};

    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        if (srv_view_replica(view, node, p) == (int)replica) {
            aero_bitmap_add(bits, p);
        }
    }
    aero_b64_put(out, aero_span_of(bits, sizeof bits));
}

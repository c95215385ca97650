/* A cluster whose nodes are scripts: connections read from memory, and what is
 * sent is kept.  No socket, no clock: for fuzzing, for failing allocations,
 * and for replies that no server would give.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_TESTS_FAKENET_H
#define AERO_TESTS_FAKENET_H

#include <stdio.h>

#include "aero/base/alloc.h"
#include "aero/cluster/cluster.h"

enum {
    FAKE_NODES_MAX = 4
};

/* What every connection of the cluster answers, one after the other.  All
 * fields but the last two are the test's to set. */
typedef struct fakenet {
    aero_conn_io io;       /* first: conn->io is this */
    aero_span reply;       /* borrowed; what is still to be received */
    size_t piece;          /* bytes of one recv; 0: as many as fit */
    bool silent_end;       /* at the end AERO_MORE, else the peer closes */
    aero_cluster *cluster; /* owned */
    aero_buf sent;         /* owned; all that was sent */
} fakenet;

static inline aero_rc
fake_recv(aero_conn *conn, void *buf, size_t cap, size_t *got, aero_status *st)
{
    fakenet *net = (fakenet *)conn->io;
    size_t len = net->reply.len < cap ? net->reply.len : cap;

    if (len == 0 && net->silent_end) {
        conn->want = AERO_WANT_READ;
        return AERO_MORE;
    }
    if (len == 0) {
        return aero_fail(st, AERO_ERR_CONNECTION,
                         "the peer closed the connection");
    }
    if (net->piece != 0 && len > net->piece) {
        len = net->piece;
    }
    memcpy(buf, net->reply.ptr, len);
    net->reply = aero_span_skip(net->reply, len);
    *got = len;
    return AERO_OK;
}

static inline aero_rc
fake_send(aero_conn *conn, const void *buf, size_t len, size_t *sent,
          aero_status *st)
{
    fakenet *net = (fakenet *)conn->io;

    (void)st;
    aero_buf_put(&net->sent, buf, len);
    *sent = len;
    return AERO_OK;
}

static inline void
fake_fini(fakenet *net)
{
    aero_cluster_release(net->cluster);
    aero_buf_fini(&net->sent);
}

static inline bool
fake_fill_map(aero_map *map, unsigned n_nodes)
{
    aero_table *table = aero_zalloc(sizeof *table);
    aero_addr addr;

    if (table == NULL) {
        return false;
    }
    map->tables[map->n_tables++] = table;
    memcpy(table->ns, "test", 5);
    table->ns_len = 4;
    table->n_replicas = n_nodes > 1 ? 2 : 1;
    aero_addr_parse(aero_span_str("127.0.0.1"), 1, &addr);
    for (unsigned i = 0; i < n_nodes; i++) {
        char name[AERO_NODE_NAME_MAX];
        aero_node *node;

        snprintf(name, sizeof name, "N%u", i);
        node = aero_node_new(aero_span_str(name), &addr, "", i, 100);
        if (node == NULL) {
            return false;
        }
        map->nodes[map->n_nodes++] = node;
    }
    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        for (unsigned r = 0; r < table->n_replicas; r++) {
            table->owner[r][p] = map->nodes[(p + r) % n_nodes];
        }
    }
    return true;
}

/* Namespace "test", with two copies of each partition when there are several
 * nodes: the first on node p % n.  False without memory (then call fini). */
static inline bool
fake_init(fakenet *net, unsigned n_nodes)
{
    aero_cluster_config config;
    aero_map *map;

    memset(net, 0, sizeof *net);
    net->io.recv = fake_recv;
    net->io.send = fake_send;
    aero_cluster_config_init(&config);
    config.max_error_rate = 0;
    net->cluster = aero_cluster_new(&config, NULL);
    if (net->cluster == NULL || (map = aero_map_new(n_nodes, 1)) == NULL) {
        return false;
    }
    if (!fake_fill_map(map, n_nodes)) {
        aero_map_release(map);
        return false;
    }
    aero_cluster_publish(net->cluster, map);
    return true;
}

/* A command leaves the io of a secure connection alone, and these pass for
 * one: the session is never looked into, and is gone before it is freed. */
static inline void
fake_closed(aero_conn *conn)
{
    conn->tls = NULL;
}

/* An idle connection for node `i` (borrowed from the map).  False without
 * memory. */
static inline bool
fake_add_conn(fakenet *net, unsigned i)
{
    aero_map *map = aero_cluster_map(net->cluster);
    aero_conn *conn = aero_zalloc(sizeof *conn);

    if (conn != NULL) {
        conn->fd = -1;
        conn->connected = true;
        conn->ready = true;
        conn->io = &net->io;
        conn->tls = (aero_tls *)net;
        conn->on_close = fake_closed;
        conn->epoch = atomic_load(&map->nodes[i]->epoch);
        aero_pool_add(map->nodes[i]->pool, conn, aero_clock_now());
    }
    aero_map_release(map);
    return conn != NULL;
}

/* Close what is idle: a connection that has been used once is as good as
 * fresh only until another one breaks. */
static inline void
fake_drop_conns(fakenet *net)
{
    aero_map *map = aero_cluster_map(net->cluster);

    for (size_t i = 0; i < map->n_nodes; i++) {
        aero_pool_trim(map->nodes[i]->pool, UINT64_MAX, 0);
    }
    aero_map_release(map);
}

/* Run rounds of a task until it ends, or a round has nothing that goes on. */
static inline aero_rc
fake_run(aero_task *task)
{
    aero_rc rc;

    while ((rc = task->next(task)) == AERO_MORE) {
        bool ended = false;

        for (size_t i = 0; i < task->n_jobs; i++) {
            ended |= task->jobs[i]->step(task->jobs[i]) != AERO_MORE;
        }
        if (!ended) {
            return AERO_MORE;
        }
    }
    return rc;
}

#endif

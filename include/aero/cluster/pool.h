/* A pool of connections to one node: last in, first out, with a limit.
 *
 * The lock is held for a few instructions and never while waiting.  A pool of
 * an event loop uses the same code; others take its lock to count only.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_POOL_H
#define AERO_CLUSTER_POOL_H

#include <pthread.h>
#include <stdatomic.h>

#include "aero/net/conn.h"

typedef struct aero_pool aero_pool;
struct aero_pool {
    atomic_uint refs;
    pthread_mutex_t lock;
    aero_conn *idle;   /* lock; owned; the newest first */
    uint32_t n_idle;   /* lock */
    uint32_t n_open;   /* lock; idle, in use, and being opened */
    uint32_t max;      /* connections that may be open */
    uint64_t n_opened; /* lock; since the beginning */
    uint64_t n_closed; /* lock */
    bool closed;       /* lock */
    /* Those of event loops to the same node: the lock of the first of them,
     * which is the node's own. */
    aero_pool *beside;
    uint64_t n_past; /* lock; opened by pools that have left */
    /* Called without the lock, from any thread, after a connection or a place
     * has become free.  NULL: nobody waits. */
    void (*notify)(void *ctx);
    void *notify_ctx;
};

/* Counted: a connection that is drained keeps its pool. */
aero_pool *aero_pool_new(uint32_t max);
aero_pool *aero_pool_acquire(aero_pool *pool);
void aero_pool_release(aero_pool *pool); /* NULL is fine */
/* Closes the idle ones; those in use are closed when they come back. */
void aero_pool_close(aero_pool *pool);

/* AERO_OK: *conn is an idle connection; the caller looks whether it is still
 * good.  AERO_MORE: none is idle, but one may be opened: its place is taken,
 * and aero_pool_drop(pool, NULL) gives it back.  AERO_ERROR: all are in use.
 */
aero_rc aero_pool_take(aero_pool *pool, aero_conn **conn);

/* Back into the pool.  Takes `conn`. */
void aero_pool_give(aero_pool *pool, aero_conn *conn, uint64_t now);

/* Out of the pool for good.  Takes `conn`, which may be NULL: a place that was
 * taken for one that could not be opened. */
void aero_pool_drop(aero_pool *pool, aero_conn *conn);

/* Take one that is idle out of the pool for good, wherever it stands; false if
 * it is not there. */
bool aero_pool_remove(aero_pool *pool, aero_conn *conn);

/* A new connection that nobody asked for joins as idle, if there is room.
 * Takes `conn`. */
void aero_pool_add(aero_pool *pool, aero_conn *conn, uint64_t now);

/* Close what was not used since `before`, but keep `keep` connections. */
void aero_pool_trim(aero_pool *pool, uint64_t before, uint32_t keep);

typedef struct aero_pool_stats {
    uint32_t in_use;
    uint32_t idle;
    uint64_t opened;
    uint64_t closed;
} aero_pool_stats;

void aero_pool_get_stats(aero_pool *pool, aero_pool_stats *out);

/* A pool of an event loop stands beside the node's own, so that its
 * connections are counted with them, until it leaves (before it is closed). */
void aero_pool_join(aero_pool *own, aero_pool *pool);
void aero_pool_leave(aero_pool *own, aero_pool *pool);
void aero_pool_get_all_stats(aero_pool *own, aero_pool_stats *out);

/* After fork, in the child: close the sockets without a word to the server
 * and without the lock, whose holder may not exist here. */
void aero_pool_abandon(aero_pool *pool);

#endif

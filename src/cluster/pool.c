/* Pools.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "aero/base/alloc.h"
#include "aero/cluster/pool.h"

aero_pool *
aero_pool_new(uint32_t max)
{
    aero_pool *pool = aero_zalloc(sizeof *pool);

    if (pool != NULL) {
        atomic_init(&pool->refs, 1);
        pthread_mutex_init(&pool->lock, NULL);
        pool->max = max;
    }
    return pool;
}

aero_pool *
aero_pool_acquire(aero_pool *pool)
{
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    return pool;
}

void
aero_pool_release(aero_pool *pool)
{
    if (pool != NULL &&
        atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) == 1) {
        aero_pool_close(pool);
        pthread_mutex_destroy(&pool->lock);
        aero_free(pool);
    }
}

static void
notify(const aero_pool *pool)
{
    if (pool->notify != NULL) {
        pool->notify(pool->notify_ctx);
    }
}

static void
free_all(aero_conn *conn)
{
    while (conn != NULL) {
        aero_conn *next = conn->next;

        aero_conn_free(conn);
        conn = next;
    }
}

void
aero_pool_close(aero_pool *pool)
{
    aero_conn *idle;

    pthread_mutex_lock(&pool->lock);
    idle = pool->idle;
    pool->idle = NULL;
    pool->n_open -= pool->n_idle;
    pool->n_closed += pool->n_idle;
    pool->n_idle = 0;
    pool->closed = true;
    pthread_mutex_unlock(&pool->lock);
    free_all(idle);
}

aero_rc
aero_pool_take(aero_pool *pool, aero_conn **conn)
{
    aero_rc rc = AERO_OK;

    *conn = NULL;
    pthread_mutex_lock(&pool->lock);
    if (pool->idle != NULL) {
        *conn = pool->idle;
        pool->idle = (*conn)->next;
        pool->n_idle--;
    }
    else if (pool->n_open < pool->max && !pool->closed) {
        pool->n_open++;
        pool->n_opened++;
        rc = AERO_MORE;
    }
    else {
        rc = AERO_ERROR;
    }
    pthread_mutex_unlock(&pool->lock);
    return rc;
}

void
aero_pool_give(aero_pool *pool, aero_conn *conn, uint64_t now)
{
    bool closed;

    conn->used_at = now;
    pthread_mutex_lock(&pool->lock);
    closed = pool->closed;
    if (!closed) {
        conn->next = pool->idle;
        pool->idle = conn;
        pool->n_idle++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (closed) {
        aero_pool_drop(pool, conn);
    }
    else {
        notify(pool);
    }
}

void
aero_pool_drop(aero_pool *pool, aero_conn *conn)
{
    pthread_mutex_lock(&pool->lock);
    pool->n_open--;
    pool->n_closed++;
    pthread_mutex_unlock(&pool->lock);
    aero_conn_free(conn);
    notify(pool);
}

bool
aero_pool_remove(aero_pool *pool, aero_conn *conn)
{
    aero_conn **at = &pool->idle;
    bool found;

    pthread_mutex_lock(&pool->lock);
    while (*at != NULL && *at != conn) {
        at = &(*at)->next;
    }
    found = *at != NULL;
    if (found) {
        *at = conn->next;
        pool->n_idle--;
    }
    pthread_mutex_unlock(&pool->lock);
    if (found) {
        aero_pool_drop(pool, conn);
    }
    return found;
}

void
aero_pool_add(aero_pool *pool, aero_conn *conn, uint64_t now)
{
    bool room;

    pthread_mutex_lock(&pool->lock);
    room = pool->n_open < pool->max && !pool->closed;
    if (room) {
        pool->n_open++;
        pool->n_opened++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (room) {
        aero_pool_give(pool, conn, now);
    }
    else {
        aero_conn_free(conn);
    }
}

void
aero_pool_trim(aero_pool *pool, uint64_t before, uint32_t keep)
{
    aero_conn **at;
    aero_conn *old = NULL;
    uint32_t left = keep;

    pthread_mutex_lock(&pool->lock);
    if (pool->n_open - pool->n_idle < keep) {
        left = keep - (pool->n_open - pool->n_idle);
    }
    else {
        left = 0;
    }
    at = &pool->idle;
    while (*at != NULL && (left > 0 || (*at)->used_at >= before)) {
        left -= left > 0;
        at = &(*at)->next;
    }
    /* Newest first: all behind are older. */
    old = *at;
    *at = NULL;
    for (aero_conn *c = old; c != NULL; c = c->next) {
        pool->n_idle--;
        pool->n_open--;
        pool->n_closed++;
    }
    pthread_mutex_unlock(&pool->lock);
    free_all(old);
}

void
aero_pool_get_stats(aero_pool *pool, aero_pool_stats *out)
{
    pthread_mutex_lock(&pool->lock);
    out->in_use = pool->n_open - pool->n_idle;
    out->idle = pool->n_idle;
    out->opened = pool->n_opened;
    out->closed = pool->n_closed;
    pthread_mutex_unlock(&pool->lock);
}

/* ---- pools beside each other ---- */

void
aero_pool_join(aero_pool *own, aero_pool *pool)
{
    pthread_mutex_lock(&own->lock);
    pool->beside = own->beside;
    own->beside = pool;
    pthread_mutex_unlock(&own->lock);
}

void
aero_pool_leave(aero_pool *own, aero_pool *pool)
{
    pthread_mutex_lock(&own->lock);
    for (aero_pool **at = &own->beside; *at != NULL; at = &(*at)->beside) {
        if (*at == pool) {
            *at = pool->beside;
            own->n_past += pool->n_opened;
            break;
        }
    }
    pthread_mutex_unlock(&own->lock);
}

void
aero_pool_get_all_stats(aero_pool *own, aero_pool_stats *out)
{
    aero_pool_stats stats;

    aero_pool_get_stats(own, out);
    pthread_mutex_lock(&own->lock);
    out->opened += own->n_past;
    out->closed += own->n_past;
    for (aero_pool *pool = own->beside; pool != NULL; pool = pool->beside) {
        aero_pool_get_stats(pool, &stats);
        out->in_use += stats.in_use;
        out->idle += stats.idle;
        out->opened += stats.opened;
        out->closed += stats.closed;
    }
    pthread_mutex_unlock(&own->lock);
}

void
aero_pool_abandon(aero_pool *pool)
{
    for (aero_conn *c = pool->idle; c != NULL; c = c->next) {
        close(c->fd);
        c->fd = -1;
    }
    pool->idle = NULL;
    pool->n_idle = 0;
    pool->closed = true;
}

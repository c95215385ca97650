/* The connections of an event loop: watchers, pools, and the lines of those
 * who wait for one.
 *
 * A pool starts with few connections and lets few be opened at a time; the
 * rest wait in line, inside their deadlines.  It grows only where those that
 * are there turn round slowly while others wait: many sockets do not make a
 * near server faster, but they do make a far one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/cluster/drain.h"
#include "loop_parts.h"

enum {
    OPENING_MAX = 4, /* of a node, at a time */
    LOOK_MS = 5,     /* how long a line is watched before more are opened */
    SLOW_US = 1000,  /* a connection that takes longer for one command */
    SLOW_LOOKS = 3,  /* one behind the other make a slow node */
    BLIND_MS = 10,   /* a look that comes so late says nothing of the node */
    GROW_LEAST = 4,
    SWEEP_MAX = 64 /* sockets in one turn; the rest stay readable */
};

struct node_pool {
    aero_loop *loop;
    aero_pool *pool; /* counted */
    aero_node *node; /* counted */
    aero_cmd *first; /* waiting, in order */
    aero_cmd *last;
    uint32_t limit;     /* connections it may have now */
    uint32_t n_opening; /* of them are being opened */
    uint32_t n_served;  /* commands that gave theirs back, since: */
    uint64_t since;
    uint32_t n_slow; /* looks, one behind the other */
    bool ready;      /* something became free: in the ready list */
    node_pool *next_ready;
};

typedef struct aero_watcher {
    uv_poll_t poll; /* first: the handle is this */
    aero_loop *loop;
    aero_conn *conn;    /* borrowed; NULL once it is closed */
    aero_pool *pool;    /* borrowed: a pool outlives its connections here */
    node_pool *opening; /* whose count it is in; NULL: it is open */
    aero_slot *slot;    /* who waits for it; NULL: it is idle */
    int events;
} aero_watcher;

/* ---- how many ---- */

/* The pool itself only knows a number: what is open, and a few more. */
static void
set_max(node_pool *np)
{
    uint32_t open = np->pool->n_open - np->n_opening;

    np->pool->max =
        open + OPENING_MAX < np->limit ? open + OPENING_MAX : np->limit;
}

/* A place or a connection has become free. */
static void
become_ready(node_pool *np)
{
    if (!np->ready && np->first != NULL) {
        np->ready = true;
        np->next_ready = np->loop->ready;
        np->loop->ready = np;
    }
}

static void
on_free(void *ctx)
{
    node_pool *np = ctx;

    np->n_served++;
    become_ready(np);
}

static void
end_opening(aero_watcher *watcher)
{
    node_pool *np = watcher->opening;

    if (np != NULL) {
        watcher->opening = NULL;
        np->n_opening--;
        set_max(np);
        become_ready(np);
    }
}

/* ---- watchers ---- */

static void
free_watcher(uv_handle_t *handle)
{
    aero_watcher *watcher = (aero_watcher *)handle;

    watcher->loop->n_handles--;
    aero_free(watcher);
}

/* The connection is about to be closed. */
static void
on_close(aero_conn *conn)
{
    aero_watcher *watcher = conn->watcher;

    conn->watcher = NULL;
    conn->on_close = NULL;
    watcher->conn = NULL;
    if (watcher->slot != NULL) {
        watcher->slot->watcher = NULL;
        watcher->slot = NULL;
    }
    end_opening(watcher);
    uv_close((uv_handle_t *)&watcher->poll, free_watcher);
    watcher->loop->fresh = true; /* libuv acts on it in its next turn */
}

static void
on_event(uv_poll_t *poll, int status, int events)
{
    aero_watcher *watcher = (aero_watcher *)poll;

    (void)status;
    (void)events;
    if (watcher->loop->n_swept++ >= SWEEP_MAX) {
        return;
    }
    if (watcher->slot != NULL) {
        aero_slot_step(watcher->slot);
    }
    else if (watcher->conn != NULL) {
        /* Nobody asked: the server has closed it, or worse. */
        aero_pool_remove(watcher->pool, watcher->conn);
    }
}

static void
arm(aero_watcher *watcher, int events)
{
    if (watcher->events != events) {
        watcher->events = events;
        watcher->loop->fresh = true;
        uv_poll_start(&watcher->poll, events, on_event);
    }
}

void
aero_slot_unwatch(aero_slot *slot)
{
    /* Its connection may have gone to another that waits for it now. */
    if (slot->watcher != NULL && slot->watcher->slot == slot) {
        slot->watcher->slot = NULL;
    }
    slot->watcher = NULL;
}

void
aero_slot_suspend(aero_slot *slot)
{
    aero_conn *conn = slot->job->conn;

    if (conn != NULL && conn->watcher != NULL) {
        aero_watcher *watcher = conn->watcher;

        watcher->events = 0;
        uv_poll_stop(&watcher->poll);
    }
    aero_slot_unwatch(slot);
    deadlines_drop(&slot->run->loop->late, slot);
}

void
aero_slot_watch(aero_slot *slot)
{
    aero_watcher *watcher =
        slot->job->conn == NULL ? NULL : slot->job->conn->watcher;

    if (slot->watcher != watcher) {
        aero_slot_unwatch(slot);
    }
    if (watcher == NULL) {
        return;
    }
    if (watcher->slot != NULL) {
        watcher->slot->watcher = NULL; /* a late reply was handed on */
    }
    slot->watcher = watcher;
    watcher->slot = slot;
    /* Reading is always watched: nothing is to be changed between commands. */
    arm(watcher, slot->job->want == AERO_WANT_WRITE ? UV_READABLE | UV_WRITABLE
                                                    : UV_READABLE);
}

/* ---- pools ---- */

static node_pool *
new_pool(aero_loop *loop, aero_node *node)
{
    node_pool *np = aero_zalloc(sizeof *np);

    if (np == NULL ||
        (np->pool = aero_pool_new(loop->config.warm_conns)) == NULL) {
        aero_free(np);
        return NULL;
    }
    np->loop = loop;
    np->node = aero_node_acquire(node);
    np->limit = loop->config.warm_conns;
    np->pool->notify = on_free;
    np->pool->notify_ctx = np;
    set_max(np);
    aero_pool_join(node->pool, np->pool);
    loop->pools[node->slot] = np;
    return np;
}

static node_pool *
pool_for(aero_loop *loop, aero_node *node)
{
    if (node->slot >= loop->n_pools) {
        size_t count = node->slot + 8;
        node_pool **more =
            aero_resize(loop->pools, count * sizeof(node_pool *));

        if (more == NULL) {
            return NULL;
        }
        memset(more + loop->n_pools, 0,
               (count - loop->n_pools) * sizeof(node_pool *));
        loop->pools = more;
        loop->n_pools = count;
    }
    return loop->pools[node->slot] != NULL ? loop->pools[node->slot]
                                           : new_pool(loop, node);
}

/* ---- the source of commands ---- */

static aero_pool *
pool_of(void *ctx, aero_node *node)
{
    node_pool *np = pool_for(ctx, node);

    return np == NULL ? NULL : aero_pool_acquire(np->pool);
}

static void
opened(void *ctx, aero_conn *conn, aero_pool *pool)
{
    aero_loop *loop = ctx;
    aero_watcher *watcher = aero_zalloc(sizeof *watcher);

    if (watcher == NULL ||
        uv_poll_init(&loop->uv, &watcher->poll, conn->fd) != 0) {
        aero_free(watcher); /* the command then runs into its deadline */
        return;
    }
    watcher->loop = loop;
    watcher->conn = conn;
    watcher->pool = pool;
    watcher->opening = pool->notify_ctx;
    watcher->opening->n_opening++;
    conn->watcher = watcher;
    conn->on_close = on_close;
    loop->n_handles++;
    set_max(watcher->opening);
}

static void
is_open(void *ctx, aero_conn *conn)
{
    (void)ctx;
    if (conn->watcher != NULL) {
        end_opening(conn->watcher);
    }
}

static void
begin_line(node_pool *np)
{
    aero_loop *loop = np->loop;

    np->n_served = 0;
    np->n_slow = 0;
    np->since = aero_clock_now();
    if (loop->look_at == AERO_NEVER) {
        loop->look_at = np->since + LOOK_MS * AERO_NS_PER_MS;
    }
}

static aero_rc
wait_in(void *ctx, aero_cmd *cmd, aero_pool *pool)
{
    node_pool *np = pool_for(ctx, cmd->node);

    if (np == NULL || np->pool != pool) {
        return AERO_ERROR;
    }
    cmd->next_queued = NULL;
    if (np->first == NULL) {
        np->first = cmd;
        begin_line(np);
    }
    else {
        np->last->next_queued = cmd;
    }
    np->last = cmd;
    return AERO_MORE;
}

static void
leave(void *ctx, aero_cmd *cmd)
{
    aero_loop *loop = ctx;
    node_pool *np;
    aero_cmd *before = NULL;

    if (cmd->gathered != NULL) {
        aero_gather_leave(loop->gather, cmd);
        return;
    }
    np = pool_for(loop, cmd->node);
    if (np == NULL) {
        return;
    }
    for (aero_cmd **at = &np->first; *at != NULL;
         before = *at, at = &(*at)->next_queued) {
        if (*at == cmd) {
            *at = cmd->next_queued;
            if (np->last == cmd) {
                np->last = before;
            }
            return;
        }
    }
}

/* ---- late replies ---- */

typedef struct draining {
    aero_run run; /* first: the run is this */
    aero_task task;
    aero_job *jobs[1];
    aero_drain *drain; /* owned */
} draining;

static aero_rc
drain_next(aero_task *task)
{
    draining *d = (draining *)((char *)task - offsetof(draining, task));

    return d->run.n_slots == 0 ? AERO_MORE : d->run.one.rc;
}

static void
drain_done(aero_run *run)
{
    draining *d = (draining *)run;

    aero_drain_finish(d->drain, run->rc);
    aero_free(d);
}

static void
drain(void *ctx, aero_drain *late)
{
    aero_loop *loop = ctx;
    draining *d = loop->closing ? NULL : aero_zalloc(sizeof *d);

    if (d == NULL) {
        aero_drain_finish(late, AERO_ERROR);
        return;
    }
    d->drain = late;
    d->jobs[0] = &late->job;
    d->task.next = drain_next;
    d->task.jobs = d->jobs;
    d->task.n_jobs = 1;
    d->run.task = &d->task;
    d->run.on_done = drain_done;
    aero_loop_submit(loop, &d->run);
}

/* ---- the lines ---- */

/* Is there anything for the next of the line? */
static bool
has_room(const node_pool *np)
{
    return np->pool->n_idle != 0 || np->pool->n_open < np->pool->max;
}

void
aero_pools_serve(aero_loop *loop)
{
    while (loop->ready != NULL) {
        node_pool *np = loop->ready;
        aero_cmd *cmd;

        loop->ready = np->next_ready;
        np->ready = false;
        cmd = np->first;
        if (cmd == NULL || !has_room(np)) {
            continue;
        }
        np->first = cmd->next_queued;
        if (np->first == NULL) {
            np->last = NULL;
        }
        aero_cmd_unqueue(cmd);
        aero_slot_step(cmd->job.slot);
        if (has_room(np)) {
            become_ready(np);
        }
    }
}

/* Did its connections take long for what they did since the last look? */
static bool
is_slow(const node_pool *np, uint64_t now)
{
    uint64_t each = (now - np->since) / 1000 * np->pool->n_open;

    return np->pool->n_open >= np->limit && np->n_opening == 0 &&
           each > (uint64_t)np->n_served * SLOW_US;
}

static void
grow(node_pool *np)
{
    uint32_t more = np->limit / 4 > GROW_LEAST ? np->limit / 4 : GROW_LEAST;
    uint32_t most = np->loop->config.max_conns;

    np->limit = np->limit + more < most ? np->limit + more : most;
    set_max(np);
    if (has_room(np)) {
        become_ready(np);
    }
}

void
aero_pools_look(aero_loop *loop, uint64_t now)
{
    uint64_t step = LOOK_MS * AERO_NS_PER_MS;

    if (now < loop->look_at) {
        return;
    }
    loop->look_at = AERO_NEVER;
    for (size_t i = 0; i < loop->n_pools; i++) {
        node_pool *np = loop->pools[i];

        if (np == NULL || np->first == NULL) {
            continue;
        }
        if (now - np->since >= step) {
            /* Whoever was kept from turning the loop finds everything slow. */
            bool blind = now - np->since > BLIND_MS * AERO_NS_PER_MS;

            np->n_slow = !blind && is_slow(np, now) ? np->n_slow + 1 : 0;
            if (np->n_slow >= SLOW_LOOKS) {
                grow(np);
            }
            np->since = now;
            np->n_served = 0;
        }
        loop->look_at = now + step;
    }
}

void
aero_pools_trim(aero_loop *loop, uint64_t now)
{
    uint64_t idle = loop->config.max_idle_ms * AERO_NS_PER_MS;

    for (size_t i = 0; i < loop->n_pools; i++) {
        node_pool *np = loop->pools[i];

        if (np != NULL) {
            uint32_t warm = loop->config.warm_conns;

            aero_pool_trim(np->pool, now > idle ? now - idle : 0, 0);
            np->limit = np->pool->n_open > warm ? np->pool->n_open : warm;
            set_max(np);
        }
    }
}

/* ---- beginning and end ---- */

void
aero_pools_init(aero_loop *loop)
{
    loop->source = (aero_source){
        .pool_of = pool_of,
        .wait = wait_in,
        .leave = leave,
        .opened = opened,
        .is_open = is_open,
        .drain = drain,
        .ctx = loop,
    };
    loop->look_at = AERO_NEVER;
}

void
aero_pools_fini(aero_loop *loop)
{
    for (size_t i = 0; i < loop->n_pools; i++) {
        node_pool *np = loop->pools[i];

        if (np != NULL) {
            np->pool->notify = NULL;
            aero_pool_leave(np->node->pool, np->pool);
            aero_pool_close(np->pool);
            aero_pool_release(np->pool);
            aero_node_release(np->node);
            aero_free(np);
        }
    }
    aero_free(loop->pools);
    loop->pools = NULL;
    loop->n_pools = 0;
}

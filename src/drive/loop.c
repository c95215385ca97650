/* The event loop's side: slots, watchers, pools, deadlines.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/cluster/drain.h"
#include "aero/drive/loop.h"
#include "deadlines.h"
#include "loop_parts.h"

enum {
    TRIM_EVERY_MS = 5000
};

typedef struct aero_watcher {
    uv_poll_t poll; /* first: the handle is this */
    aero_loop *loop;
    aero_conn *conn; /* borrowed; NULL once it is closed */
    aero_pool *pool; /* borrowed: a pool outlives its connections here */
    aero_slot *slot; /* who waits for it; NULL: it is idle */
    int events;
} aero_watcher;

/* The connections to one node, and who waits for one. */
typedef struct node_pool {
    aero_loop *loop;
    aero_pool *pool; /* counted */
    aero_node *node; /* counted */
    aero_cmd *first; /* waiting, in order */
    aero_cmd *last;
    bool ready; /* something became free: in the ready list */
    struct node_pool *next_ready;
} node_pool;

struct aero_loop {
    uv_loop_t uv;
    uv_timer_t
        timer; /* of aero_loop_wait: others turn it in time themselves */
    aero_cluster *cluster; /* counted */
    aero_loop_config config;
    aero_source source;
    node_pool **pools; /* owned; by the node's slot */
    size_t n_pools;
    node_pool *ready;
    aero_gather *gather; /* owned; NULL: reads are not coalesced */
    bool gathering;      /* something is to be flushed */
    deadlines late;
    aero_run *done; /* oldest first */
    aero_run *done_last;
    uint64_t trim_at;
    size_t n_handles;
    bool closing;
    bool turning;
    bool fresh; /* a watcher was made since the last turn */
};

static void after_step(aero_slot *slot);

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
    uv_close((uv_handle_t *)&watcher->poll, free_watcher);
    watcher->loop->fresh = true; /* libuv acts on it in its next turn */
}

static void
step_slot(aero_slot *slot)
{
    slot->rc = slot->job->step(slot->job);
    after_step(slot);
}

static void
on_event(uv_poll_t *poll, int status, int events)
{
    aero_watcher *watcher = (aero_watcher *)poll;

    (void)status;
    (void)events;
    if (watcher->slot != NULL) {
        step_slot(watcher->slot);
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
    conn->watcher = watcher;
    conn->on_close = on_close;
    loop->n_handles++;
}

/* ---- pools ---- */

/* A place or a connection has become free. */
static void
on_free(void *ctx)
{
    node_pool *np = ctx;

    if (!np->ready && np->first != NULL) {
        np->ready = true;
        np->next_ready = np->loop->ready;
        np->loop->ready = np;
    }
}

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
    np->pool->notify = on_free;
    np->pool->notify_ctx = np;
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

static aero_pool *
pool_of(void *ctx, aero_node *node)
{
    node_pool *np = pool_for(ctx, node);

    return np == NULL ? NULL : aero_pool_acquire(np->pool);
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

/* Those who wait get what became free, in their order. */
static void
serve_waiting(aero_loop *loop)
{
    while (loop->ready != NULL) {
        node_pool *np = loop->ready;
        aero_cmd *cmd;

        loop->ready = np->next_ready;
        np->ready = false;
        cmd = np->first;
        if (cmd == NULL) {
            continue;
        }
        np->first = cmd->next_queued;
        if (np->first == NULL) {
            np->last = NULL;
        }
        aero_cmd_unqueue(cmd);
        step_slot(cmd->job.slot);
        if (np->first != NULL && np->pool->n_idle != 0) {
            on_free(np);
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

/* ---- runs ---- */

static void
finish_run(aero_run *run, aero_rc rc)
{
    aero_loop *loop = run->loop;

    run->rc = rc;
    run->ended = true;
    if (run->slots != &run->one) {
        aero_free(run->slots);
        run->slots = &run->one;
    }
    if (run->on_done != NULL) {
        run->on_done(run);
        return;
    }
    run->next = NULL;
    if (loop->done == NULL) {
        loop->done = run;
    }
    else {
        loop->done_last->next = run;
    }
    loop->done_last = run;
}

static bool
make_slots(aero_run *run)
{
    size_t count = run->task->n_jobs;

    if (run->slots != &run->one) {
        aero_free(run->slots);
    }
    run->slots = &run->one;
    if (count > 1) {
        run->slots = aero_alloc_array(count, sizeof *run->slots);
        if (run->slots == NULL) {
            run->slots = &run->one;
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        aero_slot *slot = &run->slots[i];

        slot->job = run->task->jobs[i];
        slot->job->io = NULL;
        slot->job->slot = slot;
        slot->run = run;
        slot->watcher = NULL;
        slot->heap_at = 0;
        slot->rc = AERO_MORE;
    }
    run->n_slots = count;
    run->n_live = count;
    return true;
}

static void
unwatch(aero_slot *slot)
{
    /* Its connection may have gone to another that waits for it now. */
    if (slot->watcher != NULL && slot->watcher->slot == slot) {
        slot->watcher->slot = NULL;
    }
    slot->watcher = NULL;
}

/* Its job is not stepped for a while but keeps its connection: unread bytes
 * shall not wake anybody. */
static void
suspend(aero_slot *slot)
{
    aero_conn *conn = slot->job->conn;

    if (conn != NULL && conn->watcher != NULL) {
        aero_watcher *watcher = conn->watcher;

        watcher->events = 0;
        uv_poll_stop(&watcher->poll);
    }
    unwatch(slot);
    deadlines_drop(&slot->run->loop->late, slot);
}

static void
watch(aero_slot *slot)
{
    aero_watcher *watcher =
        slot->job->conn == NULL ? NULL : slot->job->conn->watcher;

    if (slot->watcher != watcher) {
        unwatch(slot);
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

/* Those that have not ended are left as they are. */
static void
end_round(aero_run *run)
{
    for (size_t i = 0; i < run->n_slots; i++) {
        if (run->slots[i].rc == AERO_MORE) {
            suspend(&run->slots[i]);
        }
    }
    run->n_live = 0;
}

/* The first steps of a round.  A job that was suspended has a connection
 * already, which is watched again whatever its step does. */
static void
step_all(aero_run *run)
{
    size_t count = run->n_slots;

    run->stepping = true;
    for (size_t i = 0; i < count && run->n_live != 0; i++) {
        if (run->slots[i].job->conn != NULL) {
            watch(&run->slots[i]);
        }
        step_slot(&run->slots[i]);
    }
    run->stepping = false;
}

/* Begin rounds until one has something to wait for, or the task ends. */
static void
advance(aero_run *run)
{
    while (run->n_live == 0) {
        aero_rc rc = run->task->next(run->task);

        if (rc != AERO_MORE) {
            finish_run(run, rc);
            return;
        }
        if (!make_slots(run)) {
            finish_run(run, AERO_ERROR);
            return;
        }
        step_all(run);
    }
}

static void
after_step(aero_slot *slot)
{
    aero_run *run = slot->run;
    aero_task *task = run->task;

    if (slot->rc == AERO_MORE) {
        watch(slot);
        deadlines_set(&run->loop->late, slot);
        return;
    }
    if (slot->job->held) {
        suspend(slot);
    }
    unwatch(slot);
    deadlines_drop(&run->loop->late, slot);
    run->n_live--;
    if (run->n_live != 0 && task->enough != NULL &&
        task->enough(task, slot->job)) {
        end_round(run);
    }
    if (run->n_live == 0 && !run->stepping) {
        advance(run);
    }
}

/* What follows from steps that were made outside a turn. */
static void
settle(aero_loop *loop)
{
    serve_waiting(loop);
    if (loop->fresh && !loop->turning) {
        /* libuv registers new watchers only when it is turned. */
        loop->fresh = false;
        uv_run(&loop->uv, UV_RUN_NOWAIT);
    }
}

void
aero_loop_submit(aero_loop *loop, aero_run *run)
{
    run->loop = loop;
    run->slots = &run->one;
    run->n_slots = 0;
    run->n_live = 0;
    run->ended = false;
    run->stepping = false;
    advance(run);
    settle(loop);
}

void
aero_loop_submit_read(aero_loop *loop, aero_run *run, aero_cmd *cmd)
{
    aero_slot *slot = &run->one;

    if (loop->gather == NULL) {
        aero_loop_submit(loop, run);
        return;
    }
    run->loop = loop;
    run->slots = slot;
    run->ended = false;
    run->stepping = false;
    make_slots(run);
    loop->gathering = true;
    aero_gather_add(loop->gather, cmd);
}

bool
aero_loop_is_gathering(const aero_loop *loop)
{
    return loop->gathering;
}

void
aero_loop_flush(aero_loop *loop)
{
    if (loop->gathering) {
        loop->gathering = false;
        aero_gather_flush(loop->gather);
        settle(loop);
    }
}

void
aero_slot_step(aero_slot *slot)
{
    step_slot(slot);
}

void
aero_slot_stepped(aero_slot *slot, aero_rc rc)
{
    slot->rc = rc;
    after_step(slot);
}

void
aero_slot_wait(aero_slot *slot)
{
    deadlines_set(&slot->run->loop->late, slot);
}

void
aero_loop_forget(aero_loop *loop, aero_run *run)
{
    if (run->ended) {
        return;
    }
    for (size_t i = 0; i < run->n_slots; i++) {
        suspend(&run->slots[i]);
    }
    if (run->slots != &run->one) {
        aero_free(run->slots);
        run->slots = &run->one;
    }
    run->n_slots = 0;
    run->n_live = 0;
    run->ended = true;
    serve_waiting(loop);
}

void
aero_loop_end(aero_loop *loop, aero_run *run)
{
    aero_loop_forget(loop, run);
    finish_run(run, AERO_ERROR);
}

aero_run *
aero_loop_take_done(aero_loop *loop)
{
    aero_run *run = loop->done;

    if (run != NULL) {
        loop->done = run->next;
    }
    return run;
}

/* ---- turning ---- */

static void
step_late(aero_loop *loop)
{
    uint64_t now = aero_clock_now();
    aero_slot *slot;

    while ((slot = deadlines_first(&loop->late)) != NULL &&
           slot->job->by <= now) {
        step_slot(slot);
    }
    if (now >= loop->trim_at) {
        uint64_t idle = loop->config.max_idle_ms * AERO_NS_PER_MS;

        loop->trim_at = now + TRIM_EVERY_MS * AERO_NS_PER_MS;
        for (size_t i = 0; i < loop->n_pools; i++) {
            if (loop->pools[i] != NULL) {
                aero_pool_trim(loop->pools[i]->pool,
                               now > idle ? now - idle : 0, 0);
            }
        }
    }
}

static void
turn(aero_loop *loop, uv_run_mode mode)
{
    loop->turning = true;
    loop->fresh = false;
    uv_run(&loop->uv, mode);
    step_late(loop);
    serve_waiting(loop);
    while (loop->fresh) {
        loop->fresh = false;
        uv_run(&loop->uv, UV_RUN_NOWAIT);
        serve_waiting(loop);
    }
    loop->turning = false;
}

void
aero_loop_turn(aero_loop *loop)
{
    turn(loop, UV_RUN_NOWAIT);
}

static void
on_timer(uv_timer_t *timer)
{
    (void)timer; /* waking up is all it is for */
}

void
aero_loop_wait(aero_loop *loop)
{
    uint64_t by = aero_loop_deadline(loop);

    if (by != AERO_NEVER) {
        uv_update_time(&loop->uv);
        uv_timer_start(&loop->timer, on_timer,
                       (uint64_t)aero_clock_poll_ms(aero_clock_now(), by), 0);
    }
    turn(loop, UV_RUN_ONCE);
    uv_timer_stop(&loop->timer);
}

uint64_t
aero_loop_deadline(const aero_loop *loop)
{
    const aero_slot *slot = deadlines_first(&loop->late);

    return slot == NULL ? AERO_NEVER : slot->job->by;
}

int
aero_loop_fd(const aero_loop *loop)
{
    return uv_backend_fd(&loop->uv);
}

uv_loop_t *
aero_loop_uv(aero_loop *loop)
{
    return &loop->uv;
}

const aero_source *
aero_loop_source(aero_loop *loop)
{
    return &loop->source;
}

/* ---- beginning and end ---- */

aero_loop *
aero_loop_new(aero_cluster *cluster, const aero_loop_config *config)
{
    aero_loop *loop = aero_zalloc(sizeof *loop);

    if (loop == NULL || uv_loop_init(&loop->uv) != 0) {
        aero_free(loop);
        return NULL;
    }
    if (config->coalesce) {
        loop->gather = aero_gather_new(loop);
    }
    uv_timer_init(&loop->uv, &loop->timer);
    loop->cluster = aero_cluster_acquire(cluster);
    loop->config = *config;
    loop->source = (aero_source){pool_of, wait_in, leave, opened, drain, loop};
    loop->trim_at = aero_clock_now() + TRIM_EVERY_MS * AERO_NS_PER_MS;
    return loop;
}

static void
close_pools(aero_loop *loop)
{
    for (size_t i = 0; i < loop->n_pools; i++) {
        node_pool *np = loop->pools[i];

        if (np != NULL) {
            np->pool->notify = NULL;
            aero_pool_close(np->pool);
            aero_pool_release(np->pool);
            aero_node_release(np->node);
            aero_free(np);
        }
    }
    aero_free(loop->pools);
}

/* What the loop itself runs (late replies, coalesced requests) ends here; what
 * others run was cancelled by them and is forgotten. */
static void
end_runs(aero_loop *loop)
{
    aero_slot *slot;

    while ((slot = deadlines_first(&loop->late)) != NULL) {
        aero_run *run = slot->run;

        aero_loop_forget(loop, run);
        if (run->on_done != NULL) {
            run->rc = AERO_ERROR;
            run->on_done(run);
        }
    }
}

void
aero_loop_free(aero_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    loop->closing = true;
    end_runs(loop);
    close_pools(loop);
    aero_gather_free(loop->gather);
    uv_close((uv_handle_t *)&loop->timer, NULL);
    while (loop->n_handles != 0) {
        uv_run(&loop->uv, UV_RUN_ONCE);
    }
    uv_run(&loop->uv, UV_RUN_NOWAIT);
    uv_loop_close(&loop->uv);
    deadlines_fini(&loop->late);
    aero_cluster_release(loop->cluster);
    aero_free(loop);
}

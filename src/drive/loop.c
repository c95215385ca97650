/* The event loop's side: runs, their slots and deadlines, and turns.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/wire/codes.h"
#include "loop_parts.h"

enum {
    TRIM_EVERY_MS = 5000,
    BLIND_MAX = 64,       /* attempts of a job that nothing can wake */
    LATE_EACH = 16,       /* late ones between two looks at the clock */
    HOLD_NS = 1000 * 1000 /* they take no longer than this in one turn */
};

static void after_step(aero_slot *slot);

static void
step_slot(aero_slot *slot)
{
    slot->rc = slot->job->step(slot->job);
    after_step(slot);
}

/* ---- runs ---- */

static void
leave_gate(aero_run *run)
{
    if (run->gate != NULL && run->pass.state != AERO_PASS_NONE) {
        aero_gate_leave(run->gate, &run->pass, &run->loop->port);
    }
}

static void
finish_run(aero_run *run, aero_rc rc)
{
    aero_loop *loop = run->loop;

    run->rc = rc;
    run->ended = true;
    run->n_slots = 0; /* its jobs may be gone when it is looked at again */
    leave_gate(run);
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

/* Those that have not ended are left as they are. */
static void
end_round(aero_run *run)
{
    for (size_t i = 0; i < run->n_slots; i++) {
        if (run->slots[i].rc == AERO_MORE) {
            aero_slot_suspend(&run->slots[i]);
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
            aero_slot_watch(&run->slots[i]);
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
        aero_rc rc =
            run->refused != 0 ? AERO_ERROR : run->task->next(run->task);

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

/* False when nothing would ever wake it: there was no memory. */
static bool
wait_for(aero_slot *slot)
{
    const aero_conn *conn = slot->job->conn;

    aero_slot_watch(slot);
    return deadlines_set(&slot->run->loop->late, slot) &&
           (conn == NULL || conn->watcher != NULL);
}

/* True when the job waits for something.  One that cannot be woken is late at
 * once, as often as it may try again, but not for ever. */
static bool
is_waiting(aero_slot *slot)
{
    for (int i = 0; slot->rc == AERO_MORE; i++) {
        if (wait_for(slot) || i == BLIND_MAX) {
            return true;
        }
        slot->job->by = 0;
        slot->rc = slot->job->step(slot->job);
    }
    return false;
}

static void
after_step(aero_slot *slot)
{
    aero_run *run = slot->run;
    aero_task *task = run->task;

    if (is_waiting(slot)) {
        return;
    }
    if (slot->job->held) {
        aero_slot_suspend(slot);
    }
    aero_slot_unwatch(slot);
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

/* ---- the gate ---- */

static aero_rc
give_up(aero_job *job)
{
    aero_run *run = (aero_run *)((char *)job - offsetof(aero_run, wait));

    if (aero_clock_now() < job->by) {
        return AERO_MORE;
    }
    run->refused =
        job->by < run->total_by ? AERO_ERR_ASYNC_QUEUE_FULL : AERO_ERR_TIMEOUT;
    return AERO_ERROR;
}

/* All places are taken: it waits in line, as a job that has only a limit. */
static void
park(aero_run *run)
{
    aero_slot *slot = &run->one;

    memset(&run->wait, 0, sizeof run->wait);
    run->wait.step = give_up;
    run->wait.fd = -1;
    run->wait.slot = slot;
    run->wait.by =
        aero_gate_patience(run->gate, aero_clock_now(), run->total_by);
    *slot = (aero_slot){.job = &run->wait, .run = run, .rc = AERO_MORE};
    run->n_slots = 1;
    run->n_live = 1;
    deadlines_set(&run->loop->late, slot);
}

static void
start(aero_run *run)
{
    aero_loop *loop = run->loop;

    if (run->is_read && loop->gather != NULL) {
        make_slots(run);
        loop->gathering = true;
        aero_gather_add(loop->gather, run->cmd);
        return;
    }
    run->n_slots = 0;
    run->n_live = 0;
    advance(run);
}

/* Those whose turn it is now; they may end at once, and call others. */
static void
start_called(aero_loop *loop)
{
    aero_gate *gate = loop->config.gate;
    aero_pass *pass;

    while (gate != NULL &&
           (pass = aero_gate_take_called(gate, &loop->port)) != NULL) {
        aero_run *run = (aero_run *)((char *)pass - offsetof(aero_run, pass));
        uint64_t now = aero_clock_now();

        deadlines_drop(&loop->late, &run->one);
        if (now >= run->wait.by) {
            step_slot(&run->one); /* too late */
            continue;
        }
        if (run->cmd != NULL) {
            aero_cmd_extend(run->cmd, now);
            run->cmd->waited = true;
        }
        start(run);
        aero_pools_serve(loop);
    }
}

static void
serve(aero_loop *loop)
{
    aero_pools_serve(loop);
    start_called(loop);
}

/* What follows from steps that were made outside a turn. */
static void
settle(aero_loop *loop)
{
    if (loop->closing) {
        return;
    }
    serve(loop);
    if (loop->turning) {
        return;
    }
    /* libuv registers new watchers only when it is turned; what is called
     * meanwhile may make more of them. */
    loop->turning = true;
    while (loop->fresh) {
        loop->fresh = false;
        uv_run(&loop->uv, UV_RUN_NOWAIT);
        serve(loop);
    }
    loop->turning = false;
}

void
aero_loop_submit(aero_loop *loop, aero_run *run)
{
    run->loop = loop;
    run->slots = &run->one;
    run->ended = false;
    run->stepping = false;
    run->refused = 0;
    if (run->gate != NULL &&
        !aero_gate_join(run->gate, &run->pass, &loop->port)) {
        park(run);
        return;
    }
    start(run);
    settle(loop);
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

/* Nothing of the run is watched or waited for any more. */
static void
detach(aero_run *run)
{
    for (size_t i = 0; i < run->n_slots; i++) {
        aero_slot_suspend(&run->slots[i]);
    }
    if (run->slots != &run->one) {
        aero_free(run->slots);
        run->slots = &run->one;
    }
    run->n_slots = 0;
    run->n_live = 0;
    run->ended = true;
    leave_gate(run);
}

void
aero_loop_cancel(aero_loop *loop, aero_run *run, void (*cancel)(aero_run *))
{
    run->loop = loop;
    detach(run); /* first: its jobs may not outlive the cancelling */
    cancel(run);
    settle(loop);
}

void
aero_loop_end(aero_loop *loop, aero_run *run, void (*cancel)(aero_run *))
{
    aero_loop_cancel(loop, run, cancel);
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

/* Those whose time has come; a long list in slices, because whoever turns the
 * loop has other things to do. */
static void
step_late(aero_loop *loop, uint64_t now)
{
    aero_slot *slot;
    unsigned count = 0;

    while ((slot = deadlines_first(&loop->late)) != NULL &&
           slot->job->by <= now) {
        step_slot(slot);
        if (++count % LATE_EACH == 0 && aero_clock_now() - now > HOLD_NS) {
            return;
        }
    }
}

static void
turn(aero_loop *loop, uv_run_mode mode)
{
    uint64_t now;

    loop->turning = true;
    loop->fresh = false;
    loop->n_swept = 0;
    uv_run(&loop->uv, mode);
    now = aero_clock_now();
    step_late(loop, now);
    aero_pools_look(loop, now);
    if (now >= loop->trim_at) {
        loop->trim_at = now + TRIM_EVERY_MS * AERO_NS_PER_MS;
        aero_pools_trim(loop, now);
    }
    serve(loop);
    if (loop->gathering) {
        loop->gathering = false;
        aero_gather_flush(loop->gather);
        serve(loop);
    }
    while (loop->fresh) {
        loop->fresh = false;
        uv_run(&loop->uv, UV_RUN_NOWAIT);
        serve(loop);
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
        /* Repeating: libuv looks at its timers before it waits, and one that
         * is due by then would not end the wait. */
        uv_timer_start(&loop->timer, on_timer,
                       (uint64_t)aero_clock_poll_ms(aero_clock_now(), by), 1);
    }
    turn(loop, UV_RUN_ONCE);
    uv_timer_stop(&loop->timer);
}

uint64_t
aero_loop_deadline(const aero_loop *loop)
{
    const aero_slot *slot = deadlines_first(&loop->late);
    uint64_t by = slot == NULL ? AERO_NEVER : slot->job->by;

    return by < loop->look_at ? by : loop->look_at;
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

/* Another thread has left the gate: the turn looks who is called. */
static void
on_bell(uv_async_t *bell)
{
    (void)bell;
}

static void
ring(aero_gate_port *port)
{
    aero_loop *loop = (aero_loop *)((char *)port - offsetof(aero_loop, port));

    uv_async_send(&loop->bell);
}

static bool
init_uv(aero_loop *loop, const aero_gate *gate)
{
    if (uv_loop_init(&loop->uv) != 0) {
        return false;
    }
    if (gate != NULL && uv_async_init(&loop->uv, &loop->bell, on_bell) != 0) {
        uv_loop_close(&loop->uv);
        return false;
    }
    uv_timer_init(&loop->uv, &loop->timer);
    uv_run(&loop->uv, UV_RUN_NOWAIT); /* the bell can be heard from now on */
    return true;
}

aero_loop *
aero_loop_new(aero_cluster *cluster, const aero_loop_config *config)
{
    aero_loop *loop = aero_zalloc(sizeof *loop);

    if (loop == NULL || !init_uv(loop, config->gate)) {
        aero_free(loop);
        return NULL;
    }
    loop->cluster = aero_cluster_acquire(cluster);
    loop->config = *config;
    if (config->gate != NULL) {
        aero_gate_acquire(config->gate);
        loop->port.ring = ring;
    }
    if (config->coalesce) {
        loop->gather = aero_gather_new(loop);
    }
    aero_pools_init(loop);
    loop->trim_at = aero_clock_now() + TRIM_EVERY_MS * AERO_NS_PER_MS;
    return loop;
}

void
aero_loop_stop(aero_loop *loop)
{
    loop->closing = true;
}

/* What the loop itself runs (late replies, coalesced requests) ends here; what
 * others run was cancelled by them. */
static void
end_runs(aero_loop *loop)
{
    aero_slot *slot;

    while ((slot = deadlines_first(&loop->late)) != NULL) {
        aero_run *run = slot->run;

        detach(run);
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
    aero_loop_stop(loop);
    end_runs(loop);
    aero_pools_fini(loop);
    aero_gather_free(loop->gather);
    uv_close((uv_handle_t *)&loop->timer, NULL);
    if (loop->config.gate != NULL) {
        uv_close((uv_handle_t *)&loop->bell, NULL);
        aero_gate_release(loop->config.gate);
    }
    while (loop->n_handles != 0) {
        uv_run(&loop->uv, UV_RUN_ONCE);
    }
    uv_run(&loop->uv, UV_RUN_NOWAIT);
    uv_loop_close(&loop->uv);
    deadlines_fini(&loop->late);
    aero_cluster_release(loop->cluster);
    aero_free(loop);
}

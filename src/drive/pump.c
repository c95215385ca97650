/* Pumps.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "aero/drive/pump.h"
#include "internal.h"

struct aero_pump {
    aero_pump_kind kind;
    bool coalesces;
    aero_loop *loop; /* owned; in thread mode the thread's */
    /* thread mode */
    pthread_t thread;
    pthread_mutex_t lock;
    uv_async_t bell;       /* wakes the thread */
    int done_pipe[2];      /* wakes asyncio */
    aero_run *orders;      /* lock; what is to be submitted or cancelled */
    aero_run *orders_last; /* lock */
    aero_run *done;        /* lock; oldest first */
    aero_run *done_last;   /* lock */
    bool rung;             /* lock; asyncio has been told */
    bool stop;             /* lock */
    bool stopped;          /* of asyncio's thread */
    aero_run *taken;       /* of asyncio's thread: a batch being taken */
};

aero_pump_kind
aero_pump_default(void)
{
#if defined(__linux__)
    return AERO_PUMP_EMBEDDED;
#else
    return AERO_PUMP_THREAD; /* a kqueue inside a kqueue is not safe */
#endif
}

/* ---- the thread ---- */

/* It has ended: an order to cancel it comes too late.  The lock is held. */
static void
drop_order(aero_pump *pump, aero_run *run)
{
    aero_run **at = &pump->orders;
    aero_run *before = NULL;

    while (*at != run) {
        before = *at;
        at = &(*at)->next_order;
    }
    *at = run->next_order;
    if (pump->orders_last == run) {
        pump->orders_last = before;
    }
    run->ordered = false;
}

static void
report(aero_pump *pump)
{
    aero_run *run;
    bool ring = false;

    pthread_mutex_lock(&pump->lock);
    while ((run = aero_loop_take_done(pump->loop)) != NULL) {
        run->next = NULL;
        run->reported = true;
        if (run->ordered) {
            drop_order(pump, run);
        }
        if (pump->done == NULL) {
            pump->done = run;
        }
        else {
            pump->done_last->next = run;
        }
        pump->done_last = run;
        ring = ring || !pump->rung;
        pump->rung = true;
    }
    pthread_mutex_unlock(&pump->lock);
    if (ring) {
        ssize_t n = write(pump->done_pipe[1], "", 1);

        (void)n;
    }
}

/* What the thread is to do with a run. */
typedef struct order {
    aero_run *run;
    bool submit;
    void (*cancel)(aero_run *run); /* NULL: go on */
} order;

/* False: there is none. */
static bool
take_order(aero_pump *pump, order *out)
{
    aero_run *run;

    pthread_mutex_lock(&pump->lock);
    run = pump->stop ? NULL : pump->orders;
    if (run != NULL) {
        pump->orders = run->next_order;
        *out = (order){run, !run->submitted, run->cancel};
        run->ordered = false;
        run->submitted = true;
        run->cancel = NULL;
    }
    pthread_mutex_unlock(&pump->lock);
    return run != NULL;
}

static void
obey(aero_pump *pump, const order *given)
{
    aero_run *run = given->run;

    if (given->cancel == NULL) {
        aero_loop_submit(pump->loop, run);
    }
    else if (given->submit || !run->ended) {
        aero_loop_end(pump->loop, run, given->cancel);
    }
}

static bool
is_stopped(aero_pump *pump)
{
    bool stop;

    pthread_mutex_lock(&pump->lock);
    stop = pump->stop;
    pthread_mutex_unlock(&pump->lock);
    return stop;
}

static void
on_bell(uv_async_t *bell)
{
    (void)bell; /* waking up is all it is for */
}

/* False: there was no order. */
static bool
obey_all(aero_pump *pump)
{
    order given;

    if (!take_order(pump, &given)) {
        return false;
    }
    do {
        obey(pump, &given);
    } while (take_order(pump, &given));
    aero_loop_flush(pump->loop);
    return true;
}

static void *
run_thread(void *arg)
{
    aero_pump *pump = arg;

    while (!is_stopped(pump)) {
        /* To obey may turn the loop, which then has heard the bell of what
         * came meanwhile: only after a look that found nothing it is still to
         * be heard, and this does not wait too long. */
        if (!obey_all(pump)) {
            aero_loop_wait(pump->loop);
        }
        report(pump);
    }
    return NULL;
}

static bool
launch(aero_pump *pump)
{
    sigset_t all;
    sigset_t before;
    bool fine;

    if (uv_async_init(aero_loop_uv(pump->loop), &pump->bell, on_bell) != 0) {
        return false;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    fine = pthread_create(&pump->thread, NULL, run_thread, pump) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return fine;
}

/* NULL as `cancel`: submit it.  The bell is the caller's. */
static void
give_order(aero_pump *pump, aero_run *run, void (*cancel)(aero_run *run))
{
    pthread_mutex_lock(&pump->lock);
    run->cancel = cancel;
    if (!run->ordered && !run->reported) {
        run->ordered = true;
        run->next_order = NULL;
        if (pump->orders == NULL) {
            pump->orders = run;
        }
        else {
            pump->orders_last->next_order = run;
        }
        pump->orders_last = run;
    }
    pthread_mutex_unlock(&pump->lock);
}

/* ---- both ---- */

aero_pump *
aero_pump_new(aero_cluster *cluster, aero_pump_kind kind,
              const aero_loop_config *config, aero_status *st)
{
    aero_pump *pump = aero_zalloc(sizeof *pump);

    if (pump == NULL) {
        aero_fail(st, AERO_ERR_CLIENT, "no memory for an event loop");
        return NULL;
    }
    pump->kind = kind;
    pump->coalesces = config->coalesce;
    pump->done_pipe[0] = pump->done_pipe[1] = -1;
    pthread_mutex_init(&pump->lock, NULL);
    pump->loop = aero_loop_new(cluster, config);
    if (pump->loop == NULL ||
        (kind == AERO_PUMP_THREAD &&
         (!aero_pipe(pump->done_pipe) || !launch(pump)))) {
        aero_fail(st, AERO_ERR_CLIENT, "cannot set up an event loop");
        aero_loop_free(pump->loop);
        pthread_mutex_destroy(&pump->lock);
        aero_free(pump);
        return NULL;
    }
    return pump;
}

static void
stop_thread(aero_pump *pump)
{
    pthread_mutex_lock(&pump->lock);
    pump->stop = true;
    pthread_mutex_unlock(&pump->lock);
    uv_async_send(&pump->bell);
    pthread_join(pump->thread, NULL);
    uv_close((uv_handle_t *)&pump->bell, NULL);
    uv_run(aero_loop_uv(pump->loop), UV_RUN_NOWAIT);
    report(pump);
}

void
aero_pump_stop(aero_pump *pump)
{
    if (pump->stopped) {
        return;
    }
    pump->stopped = true;
    if (pump->kind == AERO_PUMP_THREAD) {
        stop_thread(pump);
    }
    aero_loop_stop(pump->loop);
}

void
aero_pump_drop(aero_pump *pump, aero_run *run, void (*cancel)(aero_run *run))
{
    if (!run->ended) {
        aero_loop_cancel(pump->loop, run, cancel);
    }
}

void
aero_pump_free(aero_pump *pump)
{
    if (pump == NULL) {
        return;
    }
    aero_pump_stop(pump);
    aero_loop_free(pump->loop);
    if (pump->kind == AERO_PUMP_THREAD) {
        close(pump->done_pipe[0]);
        close(pump->done_pipe[1]);
    }
    pthread_mutex_destroy(&pump->lock);
    aero_free(pump);
}

const aero_source *
aero_pump_source(aero_pump *pump)
{
    return aero_loop_source(pump->loop);
}

int
aero_pump_fd(const aero_pump *pump)
{
    return pump->kind == AERO_PUMP_THREAD ? pump->done_pipe[0]
                                          : aero_loop_fd(pump->loop);
}

void
aero_pump_turn(aero_pump *pump)
{
    char bytes[64];

    if (pump->kind == AERO_PUMP_EMBEDDED) {
        aero_loop_turn(pump->loop);
        return;
    }
    while (read(pump->done_pipe[0], bytes, sizeof bytes) > 0) {
    }
}

aero_run *
aero_pump_take_done(aero_pump *pump)
{
    aero_run *run;

    if (pump->kind == AERO_PUMP_EMBEDDED) {
        return aero_loop_take_done(pump->loop);
    }
    if (pump->taken == NULL) {
        pthread_mutex_lock(&pump->lock);
        pump->taken = pump->done;
        pump->done = NULL;
        pump->rung = false;
        pthread_mutex_unlock(&pump->lock);
    }
    run = pump->taken;
    if (run != NULL) {
        pump->taken = run->next;
    }
    return run;
}

uint64_t
aero_pump_deadline(const aero_pump *pump)
{
    return pump->kind == AERO_PUMP_EMBEDDED ? aero_loop_deadline(pump->loop)
                                            : AERO_NEVER;
}

bool
aero_pump_submit(aero_pump *pump, aero_run *run)
{
    run->ended = false;
    run->submitted = false;
    run->reported = false;
    run->cancel = NULL;
    if (pump->kind == AERO_PUMP_THREAD) {
        give_order(pump, run, NULL);
        if (run->is_read && pump->coalesces) {
            return true; /* the bell is rung at the end of the pass */
        }
        uv_async_send(&pump->bell);
        return false;
    }
    aero_loop_submit(pump->loop, run);
    return aero_loop_is_gathering(pump->loop);
}

void
aero_pump_flush(aero_pump *pump)
{
    if (pump->kind == AERO_PUMP_EMBEDDED) {
        aero_loop_flush(pump->loop);
    }
    else {
        uv_async_send(&pump->bell);
    }
}

bool
aero_pump_cancel(aero_pump *pump, aero_run *run, void (*cancel)(aero_run *run))
{
    if (pump->kind == AERO_PUMP_THREAD) {
        give_order(pump, run, cancel);
        uv_async_send(&pump->bell);
        return false;
    }
    if (run->ended) {
        return false; /* it is among the done ones */
    }
    aero_loop_cancel(pump->loop, run, cancel);
    return true;
}

/* The gate.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "aero/drive/gate.h"
#include "internal.h"

struct aero_gate {
    atomic_uint refs;
    uint32_t limit;
    uint32_t wait_ms;
    pthread_mutex_t lock;
    uint32_t n_inside; /* lock; run, or are called */
    aero_pass *first;  /* lock; the line */
    aero_pass *last;   /* lock */
};

aero_gate *
aero_gate_new(uint32_t limit, uint32_t wait_ms)
{
    aero_gate *gate = aero_zalloc(sizeof *gate);

    if (gate != NULL) {
        atomic_init(&gate->refs, 1);
        pthread_mutex_init(&gate->lock, NULL);
        gate->limit = limit;
        gate->wait_ms = wait_ms;
    }
    return gate;
}

aero_gate *
aero_gate_acquire(aero_gate *gate)
{
    atomic_fetch_add_explicit(&gate->refs, 1, memory_order_relaxed);
    return gate;
}

void
aero_gate_release(aero_gate *gate)
{
    if (gate != NULL &&
        atomic_fetch_sub_explicit(&gate->refs, 1, memory_order_acq_rel) == 1) {
        pthread_mutex_destroy(&gate->lock);
        aero_free(gate);
    }
}

uint32_t
aero_gate_limit(const aero_gate *gate)
{
    return gate->limit;
}

uint32_t
aero_gate_wait_ms(const aero_gate *gate)
{
    return gate->wait_ms;
}

/* ---- lists ---- */

static void
append(aero_pass **first, aero_pass **last, aero_pass *pass)
{
    pass->next = NULL;
    pass->before = *last;
    if (*first == NULL) {
        *first = pass;
    }
    else {
        (*last)->next = pass;
    }
    *last = pass;
}

static void
take_out(aero_pass **first, aero_pass **last, aero_pass *pass)
{
    if (pass->before == NULL) {
        *first = pass->next;
    }
    else {
        pass->before->next = pass->next;
    }
    if (pass->next == NULL) {
        *last = pass->before;
    }
    else {
        pass->next->before = pass->before;
    }
}

/* ---- in and out ---- */

bool
aero_gate_join(aero_gate *gate, aero_pass *pass, aero_gate_port *port)
{
    bool runs;

    pass->port = port;
    pthread_mutex_lock(&gate->lock);
    runs = gate->n_inside < gate->limit && gate->first == NULL;
    pass->state = runs ? AERO_PASS_RUNS : AERO_PASS_WAITS;
    if (runs) {
        gate->n_inside++;
    }
    else if (port != NULL) {
        append(&gate->first, &gate->last, pass);
    }
    else {
        pass->state = AERO_PASS_NONE;
    }
    pthread_mutex_unlock(&gate->lock);
    return runs;
}

/* A place is free: the first of the line has it.  The lock is held. */
static void
call_next(aero_gate *gate, const aero_gate_port *here)
{
    aero_pass *pass = gate->first;

    if (pass == NULL) {
        return;
    }
    take_out(&gate->first, &gate->last, pass);
    gate->n_inside++;
    pass->state = AERO_PASS_CALLED;
    append(&pass->port->called, &pass->port->called_last, pass);
    if (pass->port != here) {
        pass->port->ring(pass->port);
    }
}

void
aero_gate_leave(aero_gate *gate, aero_pass *pass, aero_gate_port *here)
{
    pthread_mutex_lock(&gate->lock);
    if (pass->state == AERO_PASS_WAITS) {
        take_out(&gate->first, &gate->last, pass);
    }
    else if (pass->state != AERO_PASS_NONE) {
        if (pass->state == AERO_PASS_CALLED) {
            take_out(&pass->port->called, &pass->port->called_last, pass);
        }
        gate->n_inside--;
        call_next(gate, here);
    }
    pass->state = AERO_PASS_NONE;
    pthread_mutex_unlock(&gate->lock);
}

aero_pass *
aero_gate_take_called(aero_gate *gate, aero_gate_port *port)
{
    aero_pass *pass;

    pthread_mutex_lock(&gate->lock);
    pass = port->called;
    if (pass != NULL) {
        take_out(&port->called, &port->called_last, pass);
        pass->state = AERO_PASS_RUNS;
    }
    pthread_mutex_unlock(&gate->lock);
    return pass;
}

uint64_t
aero_gate_patience(const aero_gate *gate, uint64_t now, uint64_t by)
{
    uint64_t mine = aero_clock_after(now, gate->wait_ms);

    return mine < by ? mine : by;
}

/* ---- a thread that waits ---- */

typedef struct waiter {
    aero_job job; /* first: a job of this is this */
    aero_gate_port port;
    aero_gate *gate;
    int fds[2];
} waiter;

static void
ring(aero_gate_port *port)
{
    waiter *w = (waiter *)((char *)port - offsetof(waiter, port));
    ssize_t n = write(w->fds[1], "", 1);

    (void)n;
}

static aero_rc
look(aero_job *job)
{
    waiter *w = (waiter *)job;

    if (aero_gate_take_called(w->gate, &w->port) != NULL) {
        return AERO_OK;
    }
    return aero_clock_now() >= job->by ? AERO_ERROR : AERO_MORE;
}

aero_rc
aero_gate_wait(aero_gate *gate, aero_pass *pass, uint64_t by,
               const aero_wait *wait)
{
    waiter w = {
        .job = {.step = look, .want = AERO_WANT_READ, .by = by},
        .port = {.ring = ring},
        .gate = gate,
    };
    aero_rc rc;

    if (aero_gate_join(gate, pass, NULL)) {
        return AERO_OK;
    }
    if (!aero_pipe(w.fds)) {
        return AERO_ERROR;
    }
    w.job.fd = w.fds[0];
    rc = aero_gate_join(gate, pass, &w.port) ? AERO_OK
                                             : aero_sync_job(&w.job, wait);
    if (rc != AERO_OK) {
        aero_gate_leave(gate, pass, NULL);
    }
    close(w.fds[0]);
    close(w.fds[1]);
    return rc;
}

/* Runs tasks on an event loop (libuv) that somebody else turns.
 *
 * Everything here belongs to one thread: the one that turns the loop. Each
 * loop has connections of its own; they stay watched while they are pooled, so
 * that a command that goes well costs one send and its share of one wake.
 *
 *   submit -> step -> (readable: step) ... -> done list -> whoever takes it
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_DRIVE_LOOP_H
#define AERO_DRIVE_LOOP_H

#include <uv.h>

#include "aero/client/cmd.h"
#include "aero/drive/gate.h"

typedef struct aero_loop aero_loop;
typedef struct aero_run aero_run;

/* A job while it runs. */
typedef struct aero_slot {
    aero_job *job;
    aero_run *run;
    struct aero_watcher *watcher; /* of the connection it waits for */
    size_t heap_at;               /* place among the deadlines, from 1 */
    aero_rc rc;
} aero_slot;

/* A task while it runs.  The owner's memory, all zero but for what is set
 * before submit: */
struct aero_run {
    aero_task *task;   /* borrowed */
    aero_cmd *cmd;     /* borrowed; it is only this command, or NULL */
    bool is_read;      /* the command may travel with others */
    aero_gate *gate;   /* borrowed; where it has to pass, or NULL */
    uint64_t total_by; /* of the whole, for the wait at the gate */
    void (*on_done)(aero_run *run); /* instead of the done list, or NULL */
    void *owner;                    /* whoever submitted it */

    aero_rc rc; /* how it ended */
    /* It waited at the gate for too long and did not run: TIMEOUT when that
     * was its total limit, else ASYNC_QUEUE_FULL. */
    int32_t refused;
    bool ended;
    aero_slot one;    /* of tasks with one job */
    aero_slot *slots; /* &one, or owned */
    size_t n_slots;
    size_t n_live;
    bool stepping; /* its jobs are being stepped one after the other */
    aero_loop *loop;
    aero_run *next; /* in the done list */
    aero_pass pass; /* at the gate */
    /* On its way to a pump's thread; the pump's lock. */
    aero_run *next_order;
    void (*cancel)(aero_run *run);
    bool ordered;
    bool submitted;
    bool reported; /* among the done ones of the pump: no order comes now */
    aero_job wait; /* while it waits there */
};

typedef struct aero_loop_config {
    uint32_t warm_conns; /* of a node; more only where these are slow */
    uint32_t max_conns;  /* of a node */
    uint32_t max_idle_ms;
    bool coalesce;        /* reads of one pass travel together */
    uint32_t max_rows;    /* of them in one request */
    uint32_t max_flights; /* such requests under way to a node */
    aero_gate *gate;      /* counted by the loop; NULL: none */
} aero_loop_config;

aero_loop *aero_loop_new(aero_cluster *cluster,
                         const aero_loop_config *config);
/* Close all connections; what runs was cancelled by its owners. */
void aero_loop_free(aero_loop *loop);

/* The source to begin commands with. */
const aero_source *aero_loop_source(aero_loop *loop);

/* Start a task; its first steps are made here, unless it waits at the gate, or
 * is a read that waits for the flush at the end of the pass.  It may have
 * ended already. */
void aero_loop_submit(aero_loop *loop, aero_run *run);
bool aero_loop_is_gathering(const aero_loop *loop);
void aero_loop_flush(aero_loop *loop);

/* It is not wanted any more: `cancel` is called to end its jobs, and may free
 * them.  Not for one that has ended. */
void aero_loop_cancel(aero_loop *loop, aero_run *run,
                      void (*cancel)(aero_run *run));

/* The same, but it joins the done list, failed. */
void aero_loop_end(aero_loop *loop, aero_run *run,
                   void (*cancel)(aero_run *run));

/* It is about to be freed: nothing new is begun or sent. */
void aero_loop_stop(aero_loop *loop);

/* Handle what is ready, and what is late, without waiting. */
void aero_loop_turn(aero_loop *loop);
/* The same, waiting for something to happen (the pump's own thread). */
void aero_loop_wait(aero_loop *loop);

/* Take one that has ended; NULL: no more. */
aero_run *aero_loop_take_done(aero_loop *loop);

/* When it must be turned at the latest. */
uint64_t aero_loop_deadline(const aero_loop *loop);
/* Readable when it should be turned. */
int aero_loop_fd(const aero_loop *loop);

uv_loop_t *aero_loop_uv(aero_loop *loop);

/* The version of libuv that runs, as text. */
const char *aero_loop_library(void);

#endif

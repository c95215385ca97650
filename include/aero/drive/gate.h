/* How many operations may run at once: those that come when all places are
 * taken wait in one line, first come, first served, whether they are a
 * thread's or an event loop's.
 *
 *   join -> (a place is free) -> runs -> leave: the first of the line is next
 *        -> (none) waits -> called -> runs
 *
 * Any thread may call; the lock is held for a few instructions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_DRIVE_GATE_H
#define AERO_DRIVE_GATE_H

#include "aero/drive/sync.h"

typedef struct aero_gate aero_gate;
typedef struct aero_pass aero_pass;
typedef struct aero_gate_port aero_gate_port;

/* Who waits: one of an event loop, or one of a thread.  `ring` is called with
 * the gate's lock held, by the thread that left, and may only wake. */
struct aero_gate_port {
    void (*ring)(aero_gate_port *port);
    aero_pass *called; /* gate's lock; those that have a place now */
    aero_pass *called_last;
};

typedef enum aero_pass_state {
    AERO_PASS_NONE,
    AERO_PASS_WAITS,
    AERO_PASS_CALLED, /* has a place, among the called ones of its port */
    AERO_PASS_RUNS
} aero_pass_state;

/* A place, or the wish for one.  The owner's memory; all zero at first. */
struct aero_pass {
    aero_pass_state state; /* gate's lock while it waits */
    aero_gate_port *port;  /* borrowed */
    aero_pass *next;
    aero_pass *before;
};

/* Counted.  `limit`: places, at least 1; `wait_ms`: how long one waits at
 * most, 0: for ever. */
aero_gate *aero_gate_new(uint32_t limit, uint32_t wait_ms);
aero_gate *aero_gate_acquire(aero_gate *gate);
void aero_gate_release(aero_gate *gate); /* NULL is fine */
uint32_t aero_gate_limit(const aero_gate *gate);
uint32_t aero_gate_wait_ms(const aero_gate *gate);

/* True: it may run.  False: it waits; its port is rung when it is called; with
 * NULL as `port` it does not wait. */
bool aero_gate_join(aero_gate *gate, aero_pass *pass, aero_gate_port *port);

/* It does not want its place any more, whatever its state: the first of the
 * line has it now.  `here` (or NULL) is not rung: the caller looks there. */
void aero_gate_leave(aero_gate *gate, aero_pass *pass, aero_gate_port *here);

/* The next of the port that was called; it runs from now on.  NULL: none. */
aero_pass *aero_gate_take_called(aero_gate *gate, aero_gate_port *port);

/* When one that joins at `now` has waited for too long; never after `by`. */
uint64_t aero_gate_patience(const aero_gate *gate, uint64_t now, uint64_t by);

/* Join and wait on this thread.  AERO_OK: it may run.  AERO_ERROR: the time
 * has passed.  AERO_MORE: ended from outside.  It has left in both cases. */
aero_rc aero_gate_wait(aero_gate *gate, aero_pass *pass, uint64_t by,
                       const aero_wait *wait);

#endif

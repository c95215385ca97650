/* Who turns an event loop that lives beside asyncio.
 *
 *   embedded   asyncio's own thread: libuv's descriptor is one of those that
 *              asyncio watches; nothing is handed over, nothing is locked
 *   thread     a thread of its own, which rings when something is done: where
 *              a poll set inside a poll set is not safe (macOS)
 *
 * All functions are called by asyncio's thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_DRIVE_PUMP_H
#define AERO_DRIVE_PUMP_H

#include "aero/drive/loop.h"

typedef struct aero_pump aero_pump;

typedef enum aero_pump_kind {
    AERO_PUMP_EMBEDDED,
    AERO_PUMP_THREAD
} aero_pump_kind;

/* What this platform should use. */
aero_pump_kind aero_pump_default(void);

aero_pump *aero_pump_new(aero_cluster *cluster, aero_pump_kind kind,
                         const aero_loop_config *config, aero_status *st);
/* Nothing is begun, sent or stepped any more: the owner drops what runs. */
void aero_pump_stop(aero_pump *pump);
/* Cancel one that has not ended; after stop. */
void aero_pump_drop(aero_pump *pump, aero_run *run,
                    void (*cancel)(aero_run *run));
/* Closes everything; what runs was dropped before. */
void aero_pump_free(aero_pump *pump);

/* The source to begin commands with, before they are submitted. */
const aero_source *aero_pump_source(aero_pump *pump);

/* Readable: call turn, then take what is done. */
int aero_pump_fd(const aero_pump *pump);
void aero_pump_turn(aero_pump *pump);
aero_run *aero_pump_take_done(aero_pump *pump);
/* When turn must be called at the latest; AERO_NEVER: only by the fd. */
uint64_t aero_pump_deadline(const aero_pump *pump);

/* Start.  One that ends in its first step is reported like any other.  True:
 * reads are gathered, and aero_pump_flush is to be called at the end of this
 * pass of the loop. */
bool aero_pump_submit(aero_pump *pump, aero_run *run);
void aero_pump_flush(aero_pump *pump);

/* Stop it: `cancel` is called, by whoever turns the loop, to cancel its jobs.
 * True: that is done and it is not reported; false: it will be. */
bool aero_pump_cancel(aero_pump *pump, aero_run *run,
                      void (*cancel)(aero_run *run));

#endif

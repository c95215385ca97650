/* Runs jobs and tasks on the caller's thread: the one place, with the event
 * loops, that waits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_DRIVE_SYNC_H
#define AERO_DRIVE_SYNC_H

#include "aero/net/conn.h"

typedef struct aero_wait {
    /* A signal has come: true when the wait shall end.  May be NULL. */
    bool (*interrupted)(void *ctx);
    void *ctx;
    int wake_fd; /* readable: the wait shall end; -1: none */
} aero_wait;

/* Step until the job ends: what step returned at the end, or AERO_MORE when
 * the wait was ended from outside; the job is then its owner's to cancel. */
aero_rc aero_sync_job(aero_job *job, const aero_wait *wait);

/* Run all rounds of a task.  AERO_MORE as above. */
aero_rc aero_sync_task(aero_task *task, const aero_wait *wait);

/* Step the jobs until `by`, or until one of them has ended, or the wake_fd is
 * readable.  Those that have ended have rcs[i] != AERO_MORE. */
void aero_sync_some(aero_job **jobs, aero_rc *rcs, size_t count, uint64_t by,
                    const aero_wait *wait);

#endif

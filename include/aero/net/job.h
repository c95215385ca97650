/* A job is all that a driver knows: a function that does what it can without
 * waiting and says what it lacks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_NET_JOB_H
#define AERO_NET_JOB_H

#include <stddef.h>

#include "aero/base/clock.h"
#include "aero/base/status.h"

typedef enum aero_want {
    AERO_WANT_NOTHING = 0, /* only time */
    AERO_WANT_READ = 1,
    AERO_WANT_WRITE = 2
} aero_want;

struct aero_conn;
struct aero_conn_io;

typedef struct aero_job aero_job;
struct aero_job {
    /* AERO_MORE: call again when `fd` is ready for `want`, or at `by`, or any
     * time.  AERO_OK or AERO_ERROR: ended; it is not called again. */
    aero_rc (*step)(aero_job *job);
    int fd; /* -1: none */
    struct aero_conn
        *conn;    /* whose fd it is, for drivers that watch; or NULL */
    void *slot;   /* the driver's */
    uint8_t want; /* aero_want */
    /* Ended only for this round: its connection stays its own, and is not to
     * be watched until a later round has it again. */
    bool held;
    uint64_t by; /* AERO_NEVER: no limit */
    /* How a clear connection of this job reads and writes: set by a driver
     * that may wait inside (drive/sync with one job); NULL: never waiting. */
    const struct aero_conn_io *io;
};

/* A task is a series of rounds: jobs that run side by side, then a decision.
 * One get is a task of one job; a batch has a job a node and a round a retry;
 * tending has a round a question. */
typedef struct aero_task aero_task;
struct aero_task {
    /* Called first, and whenever all jobs of the round have ended.  AERO_MORE:
     * run `jobs`, `n_jobs` of them (at least one); AERO_OK or AERO_ERROR:
     * ended, the reason is the owner's business. */
    aero_rc (*next)(aero_task *task);
    aero_job **jobs; /* borrowed from the task's owner */
    size_t n_jobs;
    /* Called after each job of the round has ended; true: that is enough, the
     * others need not go on: they are neither stepped nor watched unless a
     * later round has them again.  May be NULL. */
    bool (*enough)(aero_task *task, aero_job *ended);
};

#endif

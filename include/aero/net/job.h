/* A job is all that a driver knows: a function that does what it can without
 * waiting and says what it lacks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_NET_JOB_H
#define AERO_NET_JOB_H

#include "aero/base/clock.h"
#include "aero/base/status.h"

typedef enum aero_want {
    AERO_WANT_NOTHING = 0, /* only time */
    AERO_WANT_READ = 1,
    AERO_WANT_WRITE = 2
} aero_want;

struct aero_conn_io;

typedef struct aero_job aero_job;
struct aero_job {
    /* AERO_MORE: call again when `fd` is ready for `want`, or at `by`, or any
     * time.  AERO_OK or AERO_ERROR: ended; it is not called again. */
    aero_rc (*step)(aero_job *job);
    int fd;       /* -1: none */
    uint8_t want; /* aero_want */
    uint64_t by;  /* AERO_NEVER: no limit */
    /* How a clear connection of this job reads and writes: set by a driver
     * that may wait inside (drive/sync with one job); NULL: never waiting. */
    const struct aero_conn_io *io;
};

#endif

/* The hash of a password, made by a thread: it takes a good part of a tenth of
 * a second, and whoever waits for it may have better things to do.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_DRIVE_HASH_H
#define AERO_DRIVE_HASH_H

#include "aero/cluster/auth.h"

typedef struct aero_hash_job {
    aero_job job; /* first: a job of this is this */
    void *handle; /* owned; shared with the thread; NULL: none */
    char hash[AERO_HASH_SIZE + 1];
    aero_status st;
} aero_hash_job;

/* Start; the job then ends with the hash, or with `st`.  AERO_ERROR: there is
 * no memory or no thread. */
aero_rc aero_hash_begin(aero_hash_job *hash, const char *password,
                        aero_status *st);
/* At any time; the hash is wiped. */
void aero_hash_fini(aero_hash_job *hash);

#endif

/* The end of a transaction: commit or abort.
 *
 *   commit: verify -> mark -> roll forward -> close
 *                 \-> roll back -> close, and it has failed
 *   abort:  roll back -> close
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_TXN_END_H
#define AERO_CLIENT_TXN_END_H

#include "aero/client/batch.h"
#include "aero/client/txn.h"

/* How it went where there was no error, by the numbers of the constants
 * COMMIT_... and ABORT_...; the server completes what was abandoned. */
enum {
    AERO_TXN_END_OK = 0,
    AERO_COMMIT_ALREADY_COMMITTED = 1,
    AERO_COMMIT_ROLL_FORWARD_ABANDONED = 5,
    AERO_COMMIT_CLOSE_ABANDONED = 6,
    AERO_ABORT_ALREADY_ABORTED = 1,
    AERO_ABORT_ROLL_BACK_ABANDONED = 3,
    AERO_ABORT_CLOSE_ABANDONED = 4,
    AERO_ABORT_COMMIT_FAILED = 5
};

typedef struct aero_txn_end {
    aero_task task; /* first: a task of this is this */
    aero_job *jobs[1];
    aero_txn *txn;             /* borrowed */
    aero_cluster *cluster;     /* borrowed */
    const aero_source *source; /* borrowed */
    aero_policy verify;
    aero_policy roll;
    bool commit;
    bool forward;
    bool cmd_runs; /* cmd was begun */
    int phase;
    aero_batch batch;
    aero_cmd cmd;
    aero_row *rows; /* owned */
    size_t n_rows;
    aero_buf bodies; /* owned; of the rows */
    int outcome;
    aero_status st; /* code 0: no error */
} aero_txn_end;

/* Run the task from here. */
void aero_txn_end_begin(aero_txn_end *end, aero_txn *txn, bool commit,
                        const aero_policy *verify, const aero_policy *roll,
                        aero_cluster *cluster, const aero_source *source);
void aero_txn_end_cancel(aero_txn_end *end);
/* What has not ended is cancelled. */
void aero_txn_end_fini(aero_txn_end *end);

#endif

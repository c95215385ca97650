/* A batch: rows for many nodes, one request a node, all side by side.
 *
 * A task of rounds.  Rows are routed, each node gets its own in one request,
 * and what a node does not answer is routed again in the next round, until the
 * retries or the time are used up.  Every row ends with a result of its own.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_BATCH_H
#define AERO_CLIENT_BATCH_H

#include "aero/client/cmd.h"
#include "aero/wire/batch.h"

typedef struct aero_row {
    uint8_t digest[AERO_DIGEST_SIZE];
    uint32_t group; /* which request carries it in this round */
    aero_span ns;   /* borrowed; for routing */
    aero_span body; /* borrowed: head, fields, operations (wire/batch.h);
                     * neighbours that share it share the pointer */
    bool has_key;   /* the body carries a user key */
    bool is_write;
    bool done;     /* it is not sent (again) */
    bool answered; /* by the server */
    bool in_doubt;
    uint16_t n_fields; /* of the reply */
    uint16_t n_ops;
    int32_t result; /* the server's, or the client's own */
    uint32_t generation;
    uint32_t void_time;
    size_t reply_at; /* fields and operations, in the batch's store */
    uint32_t reply_len;
} aero_row;

typedef struct aero_batch aero_batch;
struct aero_batch {
    aero_task task;            /* first: a task of this is this */
    aero_cluster *cluster;     /* borrowed */
    const aero_source *source; /* borrowed */
    aero_row *rows;            /* borrowed */
    size_t n_rows;
    uint8_t flags;      /* AERO_BATCH_... */
    uint8_t info1;      /* of the parent message */
    aero_span filter;   /* borrowed; for rows without their own */
    bool one_by_one;    /* nodes in turn instead of side by side */
    uint32_t retry_max; /* how often rows that failed for the moment are sent
                         * again, on top of the policy's max_retries */
    bool linearize;
    aero_policy policy;
    /* Called with each row that is answered, from whatever thread runs the
     * task; `parts` are its fields and operations.  NULL: they are kept in
     * the store, and the row says where. */
    aero_rc (*on_row)(void *ctx, aero_batch *batch, aero_row *row,
                      aero_span parts, aero_status *st);
    void *ctx;
    aero_buf store; /* owned */

    /* How it goes. */
    aero_cmd *monitor; /* owned; announces the writes of a transaction */
    aero_job *monitor_jobs[1];
    struct aero_batch_group *groups; /* owned */
    uint32_t n_groups;
    uint32_t at;     /* the group that runs, when one by one */
    uint32_t *order; /* owned; rows sorted by group */
    aero_job **jobs; /* owned */
    aero_job nap;    /* the pause before a retry */
    uint32_t try_no;
    uint32_t replica_no;
    uint64_t total_by;
    int state;

    /* How it ended: 0; the code of the first request that failed as a whole;
     * or AERO_ERR_BATCH_FAILED when only rows failed. */
    int32_t result;
    uint32_t retry_no;   /* retries of rows that were made */
    bool retry_cut;      /* the time was up before all were made */
    uint32_t unresolved; /* rows that another one might have helped */
    aero_status st;
};

/* Everything empty; rows, flags and policy are the caller's to set. */
void aero_batch_init(aero_batch *batch);
/* Cancels what runs. */
void aero_batch_fini(aero_batch *batch);

/* Run again from here; the clock starts. */
void aero_batch_begin(aero_batch *batch, aero_cluster *cluster,
                      const aero_source *source, uint64_t now);
void aero_batch_cancel(aero_batch *batch);

/* Whether a row that ended so may succeed when it is sent again. */
bool aero_batch_may_retry(int32_t result);

/* Flags of the batch's policy. */
uint8_t aero_batch_flags(const aero_policy *policy);

static inline aero_span
aero_row_parts(const aero_batch *batch, const aero_row *row)
{
    return aero_span_of(batch->store.ptr + row->reply_at, row->reply_len);
}

#endif

/* Queries that run or have run: what query-show tells and query-abort ends.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_JOB_H
#define SRV_JOB_H

#include "aero/base/buf.h"
#include "aero/wire/codes.h"

typedef enum srv_job_kind {
    SRV_JOB_BASIC,
    SRV_JOB_AGGREGATION,
    SRV_JOB_BACKGROUND_UDF,
    SRV_JOB_BACKGROUND_OPS
} srv_job_kind;

/* What is known of one query; owned by the list, for as long as it shows. */
typedef struct srv_job {
    struct srv_job *next; /* the older one */
    uint64_t id;
    char ns[AERO_NAMESPACE_MAX + 1];
    char set[AERO_SET_MAX + 1];
    char index[64]; /* empty: the primary one */
    char from[64];
    srv_job_kind kind;
    char package[128]; /* of a function */
    char function[128];
    unsigned node;
    bool active;
    uint8_t abandoned; /* result code; 0: ended well or still runs */
    uint32_t n_pids;
    uint32_t n_digests;
    uint32_t rps;
    uint32_t socket_timeout;
    uint32_t partition; /* reached */
    uint64_t started_ns;
    uint64_t ended_ns;
    uint64_t throttled;
    uint64_t filtered;
    uint64_t succeeded;
    uint64_t failed;
    uint64_t bytes;
} srv_job;

typedef struct srv_jobs {
    srv_job *first; /* owned; the newest */
    uint32_t next_id;
} srv_jobs;

/* Gives (borrowed) a new active job; NULL: no memory. */
srv_job *srv_jobs_add(srv_jobs *jobs, uint64_t id, unsigned node);
/* It has ended; the oldest of a node beyond `keep` are forgotten. */
void srv_jobs_end(srv_jobs *jobs, srv_job *job, uint32_t keep);
srv_job *srv_jobs_find(const srv_jobs *jobs, uint64_t id, unsigned node);
void srv_jobs_fini(srv_jobs *jobs);

/* The line of query-show. */
void srv_job_put(const srv_job *job, aero_buf *out);

#endif

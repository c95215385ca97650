/* A query that answers with records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_QUERY_RUN_H
#define SRV_QUERY_RUN_H

#include "command.h"
#include "walk.h"

typedef struct srv_query {
    srv_stream stream;
    srv_core *core;
    srv_node *node;
    srv_req req; /* its spans are borrowed from the session */
    srv_walk walk;
    srv_job *job; /* borrowed from the list of jobs, or own */
    srv_job own;  /* of a short query, which is not listed */
    bool is_short;
    bool no_bins;
    bool compress;
    uint64_t most; /* records; 0: no limit */
    uint64_t given;
    uint64_t ends_ns; /* of a short query */
} srv_query;

/* Put the record if the filter lets it pass; `number` of a secondary index. */
void srv_query_visit(srv_query *q, srv_record *rec, int64_t number,
                     aero_buf *out);

/* How many milliseconds the job is ahead of the rate it was given. */
uint32_t srv_job_ahead_ms(const srv_job *job, uint64_t done);

/* Gives (borrowed) the job of the query in the list of jobs.  A result code:
 * 4 when there is one of that id. */
int srv_query_begin_job(const srv_call *call, const srv_req *req,
                        const srv_walk *walk, uint64_t id, srv_job **job);

/* Give the stream of a query by a stream function.  A result code. */
int srv_aggregation_open(const srv_call *call, const srv_req *req, srv_ns *ns,
                         srv_stream **out);

#endif

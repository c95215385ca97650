/* Queries that answer with records: partition by partition, in blocks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/alloc.h"
#include "background.h"
#include "query_run.h"
#include "security.h"
#include "aero/wire/frame.h"

enum {
    SHORT_MS = 1000
};

/* ---- a partition ---- */

static bool
is_full(const srv_query *q)
{
    return q->most != 0 && q->given >= q->most;
}

uint32_t
srv_job_ahead_ms(const srv_job *job, uint64_t done)
{
    uint64_t due;
    uint64_t spent;

    if (job->rps == 0) {
        return 0;
    }
    spent = (aero_clock_now() - job->started_ns) / AERO_NS_PER_MS;
    due = done * 1000 / job->rps;
    return due > spent ? (uint32_t)(due - spent) : 0;
}

/* AERO_MORE: the block is full, or the query must wait. */
static aero_rc
run_partition(srv_query *q, aero_buf *out, size_t limit, uint32_t *wait_ms)
{
    int64_t number = 0;

    while (!is_full(q)) {
        srv_record *rec = srv_walk_next(&q->walk, &number);

        if (rec == NULL) {
            break;
        }
        srv_query_visit(q, rec, number, out);
        *wait_ms = srv_job_ahead_ms(q->job, q->given);
        if (*wait_ms != 0) {
            q->job->throttled++;
        }
        if (*wait_ms != 0 || out->len >= limit || out->failed) {
            return AERO_MORE;
        }
    }
    return AERO_OK;
}

static void
put_unavailable(srv_query *q, aero_buf *out)
{
    aero_msg head = {0};

    head.info3 = AERO_INFO3_PARTITION_DONE;
    head.result = AERO_ERR_CLUSTER;
    head.generation = q->walk.partition;
    aero_msg_put(out, &head);
}

/* Go on until the block is full or all is done. */
static aero_rc
run_partitions(srv_query *q, aero_buf *out, size_t limit, uint32_t *wait_ms)
{
    const srv_view *view = &q->core->cluster.view;
    srv_walk *walk = &q->walk;

    for (; walk->partition < AERO_PARTITIONS; srv_walk_leave(walk)) {
        q->job->partition = walk->partition;
        if (q->job->abandoned != 0) {
            break;
        }
        if (!walk->pids.asked[walk->partition]) {
            continue;
        }
        if (!walk->inside &&
            srv_view_replica(view, q->node->index, walk->partition) < 0) {
            put_unavailable(q, out);
            continue;
        }
        if (q->is_short && aero_clock_now() > q->ends_ns) {
            q->job->abandoned = AERO_ERR_TIMEOUT;
            break;
        }
        if (run_partition(q, out, limit, wait_ms) != AERO_OK) {
            return AERO_MORE;
        }
    }
    return AERO_OK;
}

/* ---- the stream ---- */

static void
put_end(srv_query *q, aero_buf *out)
{
    aero_msg head = {0};

    head.info3 = AERO_INFO3_LAST;
    head.result = q->job->abandoned;
    aero_msg_put(out, &head);
}

static aero_rc
query_step(srv_stream *stream, aero_buf *out, uint32_t *wait_ms)
{
    srv_query *q = (srv_query *)stream;
    size_t mark = aero_frame_open(out, AERO_FRAME_MESSAGE);
    aero_rc rc;

    *wait_ms = 0;
    rc = run_partitions(q, out, mark + SRV_QUERY_BLOCK, wait_ms);
    if (rc == AERO_OK && q->is_short) {
        put_end(q, out);
    }
    if (out->len == mark + AERO_FRAME_HEAD) {
        out->len = mark;
    }
    else {
        srv_close_data(out, mark, q->compress);
    }
    if (rc == AERO_OK && !q->is_short) {
        srv_put_head(out, AERO_INFO3_LAST, q->job->abandoned, 0);
    }
    q->job->bytes += out->len - mark;
    return rc;
}

/* Complete, abandoned, failed: by primary and secondary index, short and
 * long. */
static const srv_count end_counts[2][2][3] = {
    {{SRV_COUNT_pi_query_long_basic_complete,
      SRV_COUNT_pi_query_long_basic_abort,
      SRV_COUNT_pi_query_long_basic_error},
     {SRV_COUNT_pi_query_short_basic_complete,
      SRV_COUNT_pi_query_short_basic_timeout,
      SRV_COUNT_pi_query_short_basic_error}},
    {{SRV_COUNT_si_query_long_basic_complete,
      SRV_COUNT_si_query_long_basic_abort,
      SRV_COUNT_si_query_long_basic_error},
     {SRV_COUNT_si_query_short_basic_complete,
      SRV_COUNT_si_query_short_basic_timeout,
      SRV_COUNT_si_query_short_basic_error}},
};

static void
count_end(srv_query *q)
{
    bool ended = q->walk.partition == AERO_PARTITIONS;
    int how = q->job->abandoned != 0 ? 1 : ended ? 0 : 2;

    q->walk.ns->counts[end_counts[srv_walk_is_secondary(&q->walk)][q->is_short]
                                 [how]]++;
}

static void
query_close(srv_stream *stream)
{
    srv_query *q = (srv_query *)stream;

    if (q->job != NULL) {
        count_end(q);
        if (q->walk.partition < AERO_PARTITIONS && q->job->abandoned == 0) {
            q->job->abandoned = AERO_ERR_SERVER; /* the client has gone */
        }
    }
    if (q->job != NULL && q->job != &q->own) {
        srv_jobs_end(&q->core->jobs, q->job,
                     (uint32_t)q->core->service[SRV_SERVICE_query_max_done]);
    }
    srv_walk_fini(&q->walk);
    aero_free(q);
}

/* ---- opening ---- */

static int
check_ops(const srv_query *q)
{
    aero_span ops = q->req.ops;
    bool has_list = srv_req_has(&q->req, AERO_FIELD_QUERY_BINS);
    aero_op op;

    if (has_list && (q->req.msg.n_ops != 0 ||
                     srv_req_field(&q->req, AERO_FIELD_QUERY_BINS).len == 0)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    while (srv_op_next(&ops, &op)) {
        const srv_op_kind *kind = srv_op_kind_of(op.op);

        if (!srv_bin_name_is_valid(op.name) || kind == NULL || !kind->reads) {
            return AERO_ERR_REQUEST_INVALID;
        }
    }
    return AERO_ERR_OK;
}

/* What the fields say, in the order in which the real server finds fault. */
static int
read_fields(srv_query *q, uint64_t *id, uint64_t *rps, uint64_t *timeout)
{
    const srv_req *req = &q->req;
    srv_range range;
    int code = srv_query_take_pids(req, &q->walk.pids);

    if (srv_req_field(req, AERO_FIELD_SET).len > AERO_SET_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (code == AERO_ERR_OK) {
        code = srv_query_take_range(req, &range);
    }
    if (code == AERO_ERR_OK && q->is_short &&
        srv_req_has(req, AERO_FIELD_RECORDS_PER_SECOND)) {
        code = AERO_ERR_REQUEST_INVALID;
    }
    if (code == AERO_ERR_OK) {
        code =
            srv_query_take_number(req, AERO_FIELD_RECORDS_PER_SECOND, 4, rps);
    }
    if (code == AERO_ERR_OK && q->walk.pids.count == 0) {
        code = AERO_ERR_UNSUPPORTED_FEATURE;
    }
    if (code == AERO_ERR_OK) {
        code = srv_walk_open(&q->walk, req);
    }
    if (code == AERO_ERR_OK) {
        code =
            srv_query_take_number(req, AERO_FIELD_SOCKET_TIMEOUT, 4, timeout);
    }
    if (code == AERO_ERR_OK) {
        code = srv_query_take_number(req, AERO_FIELD_MAX_RECORDS, 8, &q->most);
    }
    if (code == AERO_ERR_OK && srv_req_has(req, AERO_FIELD_FILTER)) {
        const aero_exp *filter;

        code = srv_core_filter(q->core, srv_req_field(req, AERO_FIELD_FILTER),
                               &filter);
    }
    if (code == AERO_ERR_OK && !q->no_bins) {
        code = check_ops(q);
    }
    if (code == AERO_ERR_OK && srv_query_take_number(req, AERO_FIELD_QUERY_ID,
                                                     8, id) != AERO_ERR_OK) {
        *id = 0;
    }
    return code;
}

static void
describe(srv_job *job, const srv_call *call, const srv_req *req,
         const srv_walk *walk)
{
    aero_span set = srv_req_field(req, AERO_FIELD_SET);
    aero_span package = srv_req_field(req, AERO_FIELD_UDF_PACKAGE);
    aero_span function = srv_req_field(req, AERO_FIELD_UDF_FUNCTION);

    strcpy(job->ns, walk->ns->name);
    memcpy(job->set, set.ptr != NULL ? set.ptr : (const uint8_t *)"", set.len);
    if (srv_walk_is_secondary(walk)) {
        strcpy(job->index, walk->index->name);
    }
    snprintf(job->from, sizeof job->from, "%s", call->from);
    for (char *p = job->from; *p != '\0'; p++) {
        *p = *p == ':' ? '+' : *p;
    }
    snprintf(job->package, sizeof job->package, "%.*s", (int)package.len,
             (const char *)package.ptr);
    snprintf(job->function, sizeof job->function, "%.*s", (int)function.len,
             (const char *)function.ptr);
    job->n_pids = walk->pids.count;
    job->n_digests = walk->pids.n_digests;
}

int
srv_query_begin_job(const srv_call *call, const srv_req *req,
                    const srv_walk *walk, uint64_t id, srv_job **job)
{
    srv_jobs *jobs = &call->core->jobs;

    if (id != 0 && srv_jobs_find(jobs, id, call->node->index) != NULL) {
        return AERO_ERR_REQUEST_INVALID;
    }
    *job = srv_jobs_add(jobs, id, call->node->index);
    if (*job == NULL) {
        return AERO_ERR_SERVER;
    }
    describe(*job, call, req, walk);
    return AERO_ERR_OK;
}

static int
begin_job(srv_query *q, const srv_call *call, uint64_t id, uint64_t rps,
          uint64_t timeout)
{
    uint32_t budget = q->req.msg.budget;
    int code = AERO_ERR_OK;

    if (q->is_short) {
        q->job = &q->own;
        q->job->started_ns = aero_clock_now();
        q->ends_ns = aero_clock_after(q->job->started_ns,
                                      budget != 0 ? budget : SHORT_MS);
    }
    else {
        code = srv_query_begin_job(call, &q->req, &q->walk, id, &q->job);
    }
    if (code == AERO_ERR_OK) {
        q->job->rps = (uint32_t)rps;
        q->job->socket_timeout = (uint32_t)timeout;
        q->stream.stall_ms = (uint32_t)timeout;
    }
    return code;
}

static int
open_basic(srv_query *q, const srv_call *call)
{
    const aero_msg *msg = &q->req.msg;
    uint64_t id = 0;
    uint64_t rps = 0;
    uint64_t timeout = SRV_STALL_MS;
    int code;

    if ((msg->info3 & AERO_INFO3_PARTITION_DONE) == 0) {
        return AERO_ERR_UNSUPPORTED_FEATURE;
    }
    q->is_short = (msg->info1 & AERO_INFO1_SHORT_QUERY) != 0 &&
                  q->walk.ns->config[SRV_NS_force_long_queries] == 0;
    q->no_bins = (msg->info1 & AERO_INFO1_GET_NO_BINS) != 0;
    q->compress = srv_may_compress(q->core, msg);
    code = read_fields(q, &id, &rps, &timeout);
    return code == AERO_ERR_OK ? begin_job(q, call, id, rps, timeout) : code;
}

/* Gives a stream; a result code. */
static int
start_basic(const srv_call *call, const srv_req *req, srv_ns *ns,
            srv_stream **out)
{
    srv_query *q = aero_zalloc(sizeof *q);
    int code;

    if (q == NULL) {
        return AERO_ERR_SERVER;
    }
    q->core = call->core;
    q->node = call->node;
    q->req = *req;
    q->walk.core = call->core;
    q->walk.node = call->node->index;
    q->walk.ns = ns;
    q->stream.step = query_step;
    q->stream.close = query_close;
    code = open_basic(q, call);
    if (code != AERO_ERR_OK) {
        query_close(&q->stream);
        return code;
    }
    *out = &q->stream;
    return AERO_ERR_OK;
}

/* ---- kinds of queries ---- */

typedef enum kind {
    BASIC,
    AGGREGATION,
    BACKGROUND,
    NO_KIND
} kind;

enum {
    UDF_AGGREGATES = 1, /* in the field about it */
    UDF_BACKGROUND = 2
};

static kind
kind_of(const srv_req *req)
{
    aero_span op = srv_req_field(req, AERO_FIELD_UDF_OP);

    if (!srv_req_has(req, AERO_FIELD_UDF_OP)) {
        return (req->msg.info2 & AERO_INFO2_WRITE) != 0 ? BACKGROUND : BASIC;
    }
    return op.len != 1                   ? NO_KIND
           : op.ptr[0] == UDF_AGGREGATES ? AGGREGATION
           : op.ptr[0] == UDF_BACKGROUND ? BACKGROUND
                                         : NO_KIND;
}

static unsigned
right_for(const srv_req *req, kind what)
{
    bool script = srv_req_has(req, AERO_FIELD_UDF_OP);

    switch (what) {
    case BACKGROUND:
        return script ? SRV_MAY_UDF : SRV_MAY_WRITE;
    case AGGREGATION:
        return SRV_MAY_READ | SRV_MAY_UDF;
    default:
        return SRV_MAY_READ;
    }
}

static int
start_query(const srv_call *call, const srv_req *req, srv_stream **out)
{
    srv_ns *ns =
        srv_core_ns(call->core, srv_req_field(req, AERO_FIELD_NAMESPACE));
    aero_span set = srv_req_field(req, AERO_FIELD_SET);
    kind what = kind_of(req);
    int code;

    if (ns == NULL) {
        return AERO_ERR_NAMESPACE_NOT_FOUND;
    }
    code = srv_security_check_data(call->core, call->who, ns, set,
                                   right_for(req, what));
    if (code != AERO_ERR_OK) {
        return code;
    }
    switch (what) {
    case BASIC:
        return start_basic(call, req, ns, out);
    case AGGREGATION:
        return srv_aggregation_open(call, req, ns, out);
    case BACKGROUND:
        return srv_background_open(call, req, ns);
    default:
        return AERO_ERR_REQUEST_INVALID;
    }
}

srv_stream *
srv_query_open(const srv_call *call, const srv_req *req, aero_buf *out)
{
    srv_stream *stream = NULL;
    int code = start_query(call, req, &stream);

    if (code != AERO_ERR_OK) {
        call->node->early_errors++;
        srv_put_head(out, 0, code, 0);
    }
    else if (stream == NULL) {
        srv_put_head(out, AERO_INFO3_LAST, AERO_ERR_OK, 0);
    }
    return stream;
}

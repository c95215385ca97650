/* Queries over the primary index: partition by partition, each from its
 * largest digest down, in blocks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/alloc.h"
#include "command.h"
#include "query.h"
#include "security.h"
#include "aero/wire/frame.h"

enum {
    SHORT_MS = 1000
};

typedef struct query {
    srv_stream stream;
    srv_core *core;
    srv_node *node;
    srv_ns *ns;
    srv_req req; /* its spans are borrowed from the session */
    srv_pids pids;
    srv_job *job; /* borrowed from the list of jobs, or own */
    srv_job own;  /* of a short query, which is not listed */
    uint16_t set; /* 0: every set */
    bool no_such_set;
    bool is_short;
    bool no_bins;
    bool compress;
    uint64_t most; /* records; 0: no limit */
    uint64_t given;
    uint64_t ends_ns; /* of a short query */
    uint32_t partition;
    bool inside; /* of the partition; `last` was the last record looked at */
    uint8_t last[AERO_DIGEST_SIZE];
} query;

/* ---- one record ---- */

static unsigned
put_fields(query *q, const srv_record *rec, aero_buf *out)
{
    aero_span set = srv_set_name(q->ns, rec->set);
    unsigned count = 2;

    aero_field_put(out, AERO_FIELD_NAMESPACE, aero_span_str(q->ns->name));
    aero_field_put(out, AERO_FIELD_DIGEST,
                   aero_span_of(rec->digest, AERO_DIGEST_SIZE));
    if (set.len != 0) {
        aero_field_put(out, AERO_FIELD_SET, set);
        count++;
    }
    if (rec->key_len != 0) {
        aero_field_put(out, AERO_FIELD_KEY, srv_record_key(rec));
        count++;
    }
    return count;
}

/* The bins of the old field 40: at least one must be there. */
static int
run_bin_list(srv_cmd *cmd)
{
    aero_span list = srv_req_field(cmd->req, AERO_FIELD_QUERY_BINS);
    unsigned count = list.ptr[0];

    list = aero_span_skip(list, 1);
    for (unsigned i = 0; i < count && list.len > list.ptr[0]; i++) {
        aero_op op = {.op = AERO_OP_READ};
        const srv_bin *bin;

        op.name = aero_span_of(list.ptr + 1, list.ptr[0]);
        list = aero_span_skip(list, 1 + op.name.len);
        bin = srv_bins_find(&cmd->bins, op.name);
        if (bin != NULL) {
            srv_cmd_answer(cmd, &op, &bin->val);
        }
        if (list.len == 0) {
            break;
        }
    }
    return cmd->n_answers != 0 ? AERO_ERR_OK : AERO_ERR_BIN_NOT_FOUND;
}

static int
run_projection(srv_cmd *cmd)
{
    aero_span ops = cmd->req->ops;
    aero_op op;
    int code = AERO_ERR_OK;

    if (srv_req_field(cmd->req, AERO_FIELD_QUERY_BINS).len != 0) {
        return run_bin_list(cmd);
    }
    if (cmd->req->msg.n_ops == 0) {
        srv_cmd_answer_bins(cmd);
        return AERO_ERR_OK;
    }
    while (code == AERO_ERR_OK && srv_op_next(&ops, &op)) {
        code = srv_op_kind_of(op.op)->run(cmd, &op);
    }
    if (code == AERO_ERR_OK && cmd->n_answers == 0) {
        code = AERO_ERR_BIN_NOT_FOUND;
    }
    return code;
}

/* A record none of whose bins are wanted is not put, and counts all the
 * same. */
static void
put_record(query *q, srv_cmd *cmd)
{
    aero_msg head = {0};
    size_t at;
    unsigned n_fields;
    int code = AERO_ERR_OK;

    head.info1 = q->no_bins ? AERO_INFO1_GET_NO_BINS : 0;
    head.generation = cmd->rec->generation;
    head.ttl = cmd->rec->void_time;
    at = aero_msg_put(cmd->out, &head);
    n_fields = put_fields(q, cmd->rec, cmd->out);
    if (!q->no_bins) {
        code = srv_bins_load(&cmd->bins, cmd->rec, 0, &q->core->arena)
                   ? run_projection(cmd)
                   : AERO_ERR_SERVER;
    }
    if (code != AERO_ERR_OK && !cmd->out->failed) {
        cmd->out->len = at;
    }
    else {
        aero_msg_patch_counts(cmd->out, at, (uint16_t)n_fields,
                              (uint16_t)cmd->n_answers);
    }
    if (code != AERO_ERR_OK && code != AERO_ERR_BIN_NOT_FOUND) {
        q->job->failed++;
    }
    else {
        q->job->succeeded++;
    }
}

static void
visit(query *q, srv_record *rec, aero_buf *out)
{
    srv_cmd cmd = {0};

    cmd.core = q->core;
    cmd.node = q->node;
    cmd.req = &q->req;
    cmd.ns = q->ns;
    cmd.rec = rec;
    cmd.digest = rec->digest;
    cmd.set = rec->set;
    cmd.out = out;
    cmd.now = srv_clock_s(&q->core->clock);
    cmd.respond_all = (q->req.msg.info2 & AERO_INFO2_RESPOND_ALL_OPS) != 0;
    cmd.generation = rec->generation;
    cmd.void_time = rec->void_time;
    cmd.lut = rec->lut;
    if ((q->set != 0 && rec->set != q->set) ||
        srv_record_is_dead(rec, cmd.now)) {
        return;
    }
    if (srv_cmd_check_filter(&cmd) != AERO_ERR_OK) {
        q->job->filtered++;
    }
    else {
        q->given++;
        put_record(q, &cmd);
    }
    aero_arena_reset(&q->core->arena);
}

/* ---- a partition ---- */

static bool
is_full(const query *q)
{
    return q->most != 0 && q->given >= q->most;
}

/* How many milliseconds the query is ahead of the rate it was given. */
static uint32_t
ahead_ms(const query *q)
{
    uint64_t due;
    uint64_t spent;

    if (q->job->rps == 0) {
        return 0;
    }
    spent = (aero_clock_now() - q->job->started_ns) / AERO_NS_PER_MS;
    due = q->given * 1000 / q->job->rps;
    return due > spent ? (uint32_t)(due - spent) : 0;
}

static const uint8_t *
resume_point(const query *q)
{
    uint16_t place = q->pids.resume[q->partition];

    if (q->inside) {
        return q->last;
    }
    return place == 0
               ? NULL
               : q->pids.digests.ptr + (size_t)(place - 1) * AERO_DIGEST_SIZE;
}

/* AERO_MORE: the block is full, or the query must wait. */
static aero_rc
run_partition(query *q, aero_buf *out, size_t limit, uint32_t *wait_ms)
{
    srv_partition *part = &q->ns->parts[q->partition];
    uint32_t at = srv_partition_after(part, resume_point(q));

    for (; at < part->count && !is_full(q); at++) {
        srv_record *rec = part->slots[at].rec;

        visit(q, rec, out);
        memcpy(q->last, rec->digest, sizeof q->last);
        q->inside = true;
        *wait_ms = ahead_ms(q);
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
put_unavailable(query *q, aero_buf *out)
{
    aero_msg head = {0};

    head.info3 = AERO_INFO3_PARTITION_DONE;
    head.result = AERO_ERR_CLUSTER;
    head.generation = q->partition;
    aero_msg_put(out, &head);
}

/* Go on until the block is full or all is done. */
static aero_rc
run_partitions(query *q, aero_buf *out, size_t limit, uint32_t *wait_ms)
{
    const srv_view *view = &q->core->cluster.view;

    for (; q->partition < AERO_PARTITIONS; q->partition++) {
        q->job->partition = q->partition;
        if (q->job->abandoned != 0) {
            break;
        }
        if (!q->pids.asked[q->partition]) {
            continue;
        }
        if (!q->inside &&
            srv_view_replica(view, q->node->index, q->partition) < 0) {
            put_unavailable(q, out);
            continue;
        }
        if (q->is_short && aero_clock_now() > q->ends_ns) {
            q->job->abandoned = AERO_ERR_TIMEOUT;
            break;
        }
        if (!q->no_such_set &&
            run_partition(q, out, limit, wait_ms) != AERO_OK) {
            return AERO_MORE;
        }
        q->inside = false;
    }
    return AERO_OK;
}

/* ---- the stream ---- */

static void
put_end(query *q, aero_buf *out)
{
    aero_msg head = {0};

    head.info3 = AERO_INFO3_LAST;
    head.result = q->job->abandoned;
    aero_msg_put(out, &head);
}

static aero_rc
query_step(srv_stream *stream, aero_buf *out, uint32_t *wait_ms)
{
    query *q = (query *)stream;
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

static void
count_end(query *q)
{
    static const srv_count long_counts[] = {
        SRV_COUNT_pi_query_long_basic_complete,
        SRV_COUNT_pi_query_long_basic_abort,
        SRV_COUNT_pi_query_long_basic_error};
    static const srv_count short_counts[] = {
        SRV_COUNT_pi_query_short_basic_complete,
        SRV_COUNT_pi_query_short_basic_timeout,
        SRV_COUNT_pi_query_short_basic_error};
    const srv_count *counts = q->is_short ? short_counts : long_counts;
    bool ended = q->partition == AERO_PARTITIONS;

    q->ns->counts[q->job->abandoned != 0 ? counts[1]
                  : ended                ? counts[0]
                                         : counts[2]]++;
}

static void
query_close(srv_stream *stream)
{
    query *q = (query *)stream;

    if (q->job != NULL) {
        count_end(q);
        if (q->partition < AERO_PARTITIONS && q->job->abandoned == 0) {
            q->job->abandoned = AERO_ERR_SERVER; /* the client has gone */
        }
    }
    if (q->job != NULL && q->job != &q->own) {
        srv_jobs_end(&q->core->jobs, q->job,
                     (uint32_t)q->core->service[SRV_SERVICE_query_max_done]);
    }
    aero_free(q);
}

/* ---- opening ---- */

static int
find_set(query *q)
{
    aero_span name = srv_req_field(&q->req, AERO_FIELD_SET);

    if (name.len > AERO_SET_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    q->set = srv_set_find(q->ns, name);
    q->no_such_set = name.len != 0 && q->set == 0;
    return AERO_ERR_OK;
}

static int
check_ops(const query *q)
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
read_fields(query *q, uint64_t *id, uint64_t *rps, uint64_t *timeout)
{
    const srv_req *req = &q->req;
    srv_range range;
    int code = find_set(q);

    if (code == AERO_ERR_OK) {
        code = srv_query_take_pids(req, &q->pids);
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
    if (code == AERO_ERR_OK && q->pids.count == 0) {
        code = AERO_ERR_UNSUPPORTED_FEATURE;
    }
    if (code == AERO_ERR_OK && srv_req_has(req, AERO_FIELD_INDEX_RANGE)) {
        code = AERO_ERR_INDEX_NOT_FOUND;
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

static int
begin_job(query *q, const srv_call *call, uint64_t id, uint64_t rps,
          uint64_t timeout)
{
    srv_job *job = &q->own;
    aero_span set = srv_req_field(&q->req, AERO_FIELD_SET);

    if (q->is_short) {
        uint32_t budget = q->req.msg.budget;

        job->started_ns = aero_clock_now();
        q->ends_ns =
            aero_clock_after(job->started_ns, budget != 0 ? budget : SHORT_MS);
    }
    else {
        if (id != 0 &&
            srv_jobs_find(&q->core->jobs, id, q->node->index) != NULL) {
            return AERO_ERR_REQUEST_INVALID;
        }
        job = srv_jobs_add(&q->core->jobs, id, q->node->index);
        if (job == NULL) {
            return AERO_ERR_SERVER;
        }
    }
    strcpy(job->ns, q->ns->name);
    memcpy(job->set, set.ptr != NULL ? set.ptr : (const uint8_t *)"", set.len);
    snprintf(job->from, sizeof job->from, "%s", call->from);
    for (char *p = job->from; *p != '\0'; p++) {
        *p = *p == ':' ? '+' : *p;
    }
    job->n_pids = q->pids.count;
    job->n_digests = q->pids.n_digests;
    job->rps = (uint32_t)rps;
    job->socket_timeout = (uint32_t)timeout;
    q->stream.stall_ms = (uint32_t)timeout;
    q->job = job;
    return AERO_ERR_OK;
}

static int
open_basic(query *q, const srv_call *call)
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
                  q->ns->config[SRV_NS_force_long_queries] == 0;
    q->no_bins = (msg->info1 & AERO_INFO1_GET_NO_BINS) != 0;
    q->compress = srv_may_compress(q->core, msg);
    code = read_fields(q, &id, &rps, &timeout);
    return code == AERO_ERR_OK ? begin_job(q, call, id, rps, timeout) : code;
}

static int
open_query(query *q, const srv_call *call)
{
    const aero_msg *msg = &q->req.msg;
    bool changes = (msg->info2 & AERO_INFO2_WRITE) != 0;
    int code;

    q->ns = srv_core_ns(q->core, srv_req_field(&q->req, AERO_FIELD_NAMESPACE));
    if (q->ns == NULL) {
        return AERO_ERR_NAMESPACE_NOT_FOUND;
    }
    code = srv_security_check_data(q->core, call->who, q->ns,
                                   srv_req_field(&q->req, AERO_FIELD_SET),
                                   changes ? SRV_MAY_WRITE : SRV_MAY_READ);
    if (code != AERO_ERR_OK) {
        return code;
    }
    if (changes || srv_req_has(&q->req, AERO_FIELD_UDF_PACKAGE)) {
        return AERO_ERR_UNSUPPORTED_FEATURE; /* jobs come later */
    }
    return open_basic(q, call);
}

srv_stream *
srv_query_open(const srv_call *call, const srv_req *req, aero_buf *out)
{
    query *q = aero_zalloc(sizeof *q);
    int code;

    if (q == NULL) {
        out->failed = true;
        return NULL;
    }
    q->core = call->core;
    q->node = call->node;
    q->req = *req;
    q->stream.step = query_step;
    q->stream.close = query_close;
    code = open_query(q, call);
    if (code == AERO_ERR_OK) {
        return &q->stream;
    }
    call->node->early_errors++;
    query_close(&q->stream);
    srv_put_head(out, 0, code, 0);
    return NULL;
}

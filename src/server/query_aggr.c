/* Queries that answer with what a stream function makes of the records: each
 * partition is a stream of its own, and the client reduces what all give.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/alloc.h"
#include "query_run.h"
#include "udf.h"
#include "aero/wire/frame.h"

enum {
    STREAM_MAX = 512, /* records; a larger partition is several streams */
    STREAM_MS = 2000, /* that one of them may take */
    SLICE_MS = 5,
    YIELD_MS = 1
};

typedef struct aggregation {
    srv_stream stream;
    srv_core *core;
    srv_node *node;
    srv_req req; /* borrowed from the session */
    srv_walk walk;
    srv_job *job; /* borrowed from the list */
    aero_lua_call call;
    aero_span package;
    aero_buf views; /* aero_lua_record, of one stream */
} aggregation;

/* ---- answers ---- */

static void
put_value(aero_buf *out, const char *name, uint8_t particle, aero_span bytes)
{
    aero_msg head = {.n_ops = 1};

    aero_msg_put(out, &head);
    aero_op_put(out, AERO_OP_READ, particle, aero_span_str(name), bytes);
}

static void
put_values(const aero_lua_result *result, aero_buf *out)
{
    aero_span in = aero_buf_span(&result->values);

    while (in.len >= 5) {
        uint32_t size = aero_get_u32(in.ptr + 1);

        put_value(out, "SUCCESS", in.ptr[0], aero_span_of(in.ptr + 5, size));
        in = aero_span_skip(in, 5 + (size_t)size);
    }
}

static void
put_failure(const aero_lua_result *result, aero_buf *out)
{
    bool named = strncmp(result->text, "UDF:", 4) == 0;
    char text[AERO_LUA_TEXT_MAX + 32];

    snprintf(text, sizeof text, "%s%s",
             named ? "" : "UDF: Execution Error 2 : ", result->text);
    put_value(out, "FAILURE", AERO_PARTICLE_STRING, aero_span_str(text));
}

/* ---- one stream ---- */

/* Whether there is more in the partition than one stream takes. */
static bool
collect(aggregation *a)
{
    int64_t number;

    aero_buf_reset(&a->views, SIZE_MAX);
    for (unsigned i = 0; i < STREAM_MAX; i++) {
        aero_lua_record view = {0};
        srv_record *rec = srv_walk_next(&a->walk, &number);

        if (rec == NULL) {
            return false;
        }
        if (!srv_udf_view(a->core, a->walk.ns, rec, &a->core->arena, &view)) {
            a->views.failed = true;
            return false;
        }
        aero_buf_put(&a->views, &view, sizeof view);
    }
    return true;
}

static void
run_stream(aggregation *a, aero_buf *out)
{
    bool more = collect(a);
    size_t count = a->views.len / sizeof(aero_lua_record);
    const aero_lua_result *result;

    if (a->views.failed) {
        out->failed = true;
    }
    else if (count != 0) {
        a->call.records = (const void *)a->views.ptr;
        a->call.n_records = count;
        result = srv_modules_call(&a->core->modules, &a->call, a->package);
        srv_udf_log(a->core, result);
        a->job->succeeded += count;
        if (result->code == AERO_ERR_OK) {
            put_values(result, out);
        }
        else {
            put_failure(result, out);
            a->job->abandoned = AERO_ERR_UDF;
        }
    }
    aero_arena_reset(&a->core->arena);
    if (!more) {
        srv_walk_leave(&a->walk);
    }
}

/* ---- the stream of answers ---- */

static bool
is_over(const aggregation *a)
{
    return a->walk.partition == AERO_PARTITIONS ||
           a->job->abandoned != AERO_ERR_OK;
}

/* Until the block is full, or for a while. */
static void
run_partitions(aggregation *a, aero_buf *out, size_t limit)
{
    uint64_t until = aero_clock_after(aero_clock_now(), SLICE_MS);
    const srv_view *view = &a->core->cluster.view;

    while (!is_over(a) && out->len < limit && !out->failed &&
           aero_clock_now() < until) {
        a->job->partition = a->walk.partition;
        if (!a->walk.inside &&
            srv_view_replica(view, a->node->index, a->walk.partition) != 0) {
            srv_walk_leave(&a->walk);
        }
        else {
            run_stream(a, out);
        }
    }
}

static aero_rc
aggregation_step(srv_stream *stream, aero_buf *out, uint32_t *wait_ms)
{
    aggregation *a = (aggregation *)stream;
    size_t mark = aero_frame_open(out, AERO_FRAME_MESSAGE);
    uint8_t result = a->job->abandoned;

    run_partitions(a, out, mark + SRV_QUERY_BLOCK);
    if (out->len == mark + AERO_FRAME_HEAD) {
        out->len = mark;
    }
    else {
        aero_frame_close(out, mark);
    }
    *wait_ms = 0;
    if (!is_over(a)) {
        *wait_ms = out->len == mark ? YIELD_MS : 0;
        a->job->bytes += out->len - mark;
        return AERO_MORE;
    }
    result = a->job->abandoned == AERO_ERR_UDF ? AERO_ERR_SERVER
                                               : a->job->abandoned;
    srv_put_head(out, AERO_INFO3_LAST, result, 0);
    a->job->bytes += out->len - mark;
    return AERO_OK;
}

static void
aggregation_close(srv_stream *stream)
{
    static const srv_count counts[2][3] = {
        {SRV_COUNT_pi_query_aggr_complete, SRV_COUNT_pi_query_aggr_abort,
         SRV_COUNT_pi_query_aggr_error},
        {SRV_COUNT_si_query_aggr_complete, SRV_COUNT_si_query_aggr_abort,
         SRV_COUNT_si_query_aggr_error}};
    aggregation *a = (aggregation *)stream;

    if (a->job != NULL) {
        if (!is_over(a)) {
            a->job->abandoned = AERO_ERR_SERVER; /* the client has gone */
        }
        a->walk.ns->counts[counts[srv_walk_is_secondary(
            &a->walk)][a->job->abandoned == AERO_ERR_OK             ? 0
                       : a->job->abandoned == AERO_ERR_SCAN_ABORTED ? 1
                                                                    : 2]]++;
        srv_jobs_end(&a->core->jobs, a->job,
                     (uint32_t)a->core->service[SRV_SERVICE_query_max_done]);
    }
    srv_walk_fini(&a->walk);
    aero_buf_fini(&a->views);
    aero_free(a);
}

/* ---- opening ---- */

static int
open_aggregation(aggregation *a, const srv_call *call)
{
    const srv_req *req = &a->req;
    uint64_t id = 0;
    uint64_t timeout = SRV_STALL_MS;
    int code = srv_udf_take(req, &a->call, &a->package);

    if (code == AERO_ERR_OK &&
        (req->msg.info1 & AERO_INFO1_SHORT_QUERY) != 0) {
        code = AERO_ERR_REQUEST_INVALID;
    }
    if (code == AERO_ERR_OK) {
        code = srv_walk_open(&a->walk, req);
    }
    if (code == AERO_ERR_OK && a->walk.set == 0 &&
        srv_req_field(req, AERO_FIELD_SET).len != 0) {
        code = AERO_ERR_RECORD_NOT_FOUND;
    }
    if (code == AERO_ERR_OK && srv_req_has(req, AERO_FIELD_FILTER)) {
        code = AERO_ERR_UNSUPPORTED_FEATURE;
    }
    if (code == AERO_ERR_OK) {
        code =
            srv_query_take_number(req, AERO_FIELD_SOCKET_TIMEOUT, 4, &timeout);
    }
    if (code != AERO_ERR_OK) {
        return code;
    }
    if (srv_query_take_number(req, AERO_FIELD_QUERY_ID, 8, &id) !=
        AERO_ERR_OK) {
        id = 0;
    }
    code = srv_query_begin_job(call, req, &a->walk, id, &a->job);
    if (code == AERO_ERR_OK) {
        a->job->kind = SRV_JOB_AGGREGATION;
        a->job->socket_timeout = (uint32_t)timeout;
        a->stream.stall_ms = (uint32_t)timeout;
        a->call.stream = AERO_LUA_STREAM_SERVER;
        a->call.ms = STREAM_MS;
    }
    return code;
}

int
srv_aggregation_open(const srv_call *call, const srv_req *req, srv_ns *ns,
                     srv_stream **out)
{
    aggregation *a = aero_zalloc(sizeof *a);
    int code;

    if (a == NULL) {
        return AERO_ERR_SERVER;
    }
    a->core = call->core;
    a->node = call->node;
    a->req = *req;
    a->walk.core = call->core;
    a->walk.node = call->node->index;
    a->walk.ns = ns;
    a->stream.step = aggregation_step;
    a->stream.close = aggregation_close;
    code = open_aggregation(a, call);
    if (code != AERO_ERR_OK) {
        aggregation_close(&a->stream);
        return code;
    }
    *out = &a->stream;
    return AERO_ERR_OK;
}

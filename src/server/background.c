/* Background queries.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "background.h"
#include "command.h"
#include "query_run.h"
#include "udf.h"

enum {
    SLICE_MS = 5,       /* of all of them, before requests have their turn */
    SLICE_RECORDS = 64, /* of one, before the next */
    DONE = UINT32_MAX
};

struct srv_background {
    struct srv_background *next;
    srv_core *core;
    srv_node *node;
    aero_buf body; /* owned: the request's fields and operations */
    srv_req req;   /* taken from it, as each record's command sees it */
    srv_walk walk;
    srv_job *job;   /* borrowed from the list */
    uint64_t done;  /* records, of any outcome */
    bool is_script; /* else operations */
    aero_buf out;   /* answers that nobody gets */
};

typedef struct srv_background background;

/* ---- one record ---- */

static void
count(background *b, int code)
{
    static const srv_count counts[2][3] = {
        {SRV_COUNT_ops_sub_write_success, SRV_COUNT_ops_sub_write_error,
         SRV_COUNT_ops_sub_write_filtered_out},
        {SRV_COUNT_udf_sub_udf_complete, SRV_COUNT_udf_sub_udf_error,
         SRV_COUNT_udf_sub_udf_filtered_out}};
    int what = code == AERO_ERR_OK ? 0 : code == AERO_ERR_FILTERED_OUT ? 2 : 1;

    b->walk.ns->counts[counts[b->is_script][what]]++;
    b->job->succeeded += what == 0;
    b->job->failed += what == 1;
    b->job->filtered += what == 2;
}

/* The command names the record's own set, whatever the query named. */
static void
visit(background *b, srv_record *rec)
{
    uint8_t digest[AERO_DIGEST_SIZE];
    srv_req *req = &b->req;
    srv_cmd cmd = {0};

    memcpy(digest, rec->digest, sizeof digest);
    req->field[AERO_FIELD_SET] = srv_set_name(b->walk.ns, rec->set);
    req->has |= UINT64_C(1) << AERO_FIELD_SET;
    cmd.core = b->core;
    cmd.node = b->node;
    cmd.req = req;
    cmd.ns = b->walk.ns;
    cmd.digest = digest;
    cmd.writes = true;
    cmd.is_sub = true;
    cmd.now = srv_clock_s(&b->core->clock);
    cmd.out = &b->out;
    aero_buf_reset(&b->out, SRV_QUERY_BLOCK);
    count(b, b->is_script ? srv_udf_run(&cmd) : srv_write_run(&cmd));
    aero_arena_reset(&b->core->arena);
}

/* ---- working ---- */

static const srv_count end_counts[2][2][3] = {
    {{SRV_COUNT_pi_query_ops_bg_complete, SRV_COUNT_pi_query_ops_bg_abort,
      SRV_COUNT_pi_query_ops_bg_error},
     {SRV_COUNT_pi_query_udf_bg_complete, SRV_COUNT_pi_query_udf_bg_abort,
      SRV_COUNT_pi_query_udf_bg_error}},
    {{SRV_COUNT_si_query_ops_bg_complete, SRV_COUNT_si_query_ops_bg_abort,
      SRV_COUNT_si_query_ops_bg_error},
     {SRV_COUNT_si_query_udf_bg_complete, SRV_COUNT_si_query_udf_bg_abort,
      SRV_COUNT_si_query_udf_bg_error}},
};

/* Takes `b`. */
static void
end(background *b)
{
    srv_core *core = b->core;

    if (b->job != NULL) {
        int how = b->job->abandoned == AERO_ERR_OK             ? 0
                  : b->job->abandoned == AERO_ERR_SCAN_ABORTED ? 1
                                                               : 2;

        b->walk.ns->counts[end_counts[srv_walk_is_secondary(&b->walk)]
                                     [b->is_script][how]]++;
        srv_jobs_end(&core->jobs, b->job,
                     (uint32_t)core->service[SRV_SERVICE_query_max_done]);
    }
    srv_walk_fini(&b->walk);
    aero_buf_fini(&b->body);
    aero_buf_fini(&b->out);
    aero_free(b);
}

static bool
is_over(background *b)
{
    if (!b->node->up && b->job->abandoned == AERO_ERR_OK) {
        b->job->abandoned = AERO_ERR_SERVER;
    }
    return b->walk.partition == AERO_PARTITIONS ||
           b->job->abandoned != AERO_ERR_OK;
}

/* To the first partition from here on of which the node is master. */
static void
find_partition(background *b)
{
    const srv_view *view = &b->core->cluster.view;

    while (b->walk.partition < AERO_PARTITIONS && !b->walk.inside &&
           srv_view_replica(view, b->node->index, b->walk.partition) != 0) {
        srv_walk_leave(&b->walk);
    }
    b->job->partition = b->walk.partition;
}

static void
work_on(background *b)
{
    int64_t number;

    for (int i = 0; i < SLICE_RECORDS && !is_over(b) &&
                    srv_job_ahead_ms(b->job, b->done) == 0;
         i++) {
        srv_record *rec;

        find_partition(b);
        if (b->walk.partition == AERO_PARTITIONS) {
            return;
        }
        rec = srv_walk_next(&b->walk, &number);
        if (rec == NULL) {
            srv_walk_leave(&b->walk);
            continue;
        }
        b->done++;
        b->job->throttled++;
        visit(b, rec);
    }
}

void
srv_background_work(srv_core *core)
{
    uint64_t until = aero_clock_after(aero_clock_now(), SLICE_MS);
    bool busy = true;

    while (busy && aero_clock_now() < until) {
        struct srv_background **link = &core->background;

        busy = false;
        while (*link != NULL) {
            background *b = *link;

            work_on(b);
            if (is_over(b)) {
                *link = b->next;
                end(b);
                continue;
            }
            busy = busy || srv_job_ahead_ms(b->job, b->done) == 0;
            link = &b->next;
        }
    }
}

uint32_t
srv_background_rest_ms(const srv_core *core)
{
    uint32_t least = DONE;

    for (const background *b = core->background; b != NULL; b = b->next) {
        uint32_t ahead = b->job->abandoned != AERO_ERR_OK
                             ? 0
                             : srv_job_ahead_ms(b->job, b->done);

        least = ahead < least ? ahead : least;
    }
    return least;
}

void
srv_background_fini(srv_core *core)
{
    while (core->background != NULL) {
        background *b = core->background;

        core->background = b->next;
        b->job->abandoned = AERO_ERR_SERVER;
        end(b);
    }
}

/* ---- opening ---- */

static int
check_ops(const srv_req *req)
{
    aero_span ops = req->ops;
    aero_op op;

    if (req->msg.n_ops == 0 || (req->msg.info1 & AERO_INFO1_READ) != 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    while (srv_op_next(&ops, &op)) {
        const srv_op_kind *kind = srv_op_kind_of(op.op);

        if (kind == NULL || kind->reads || !srv_bin_name_is_valid(op.name)) {
            return AERO_ERR_REQUEST_INVALID;
        }
    }
    return AERO_ERR_OK;
}

static int
check_what(background *b)
{
    aero_lua_call call;
    aero_span package;

    return b->is_script ? srv_udf_take(&b->req, &call, &package)
                        : check_ops(&b->req);
}

/* Each record's command is an update of a record that is there. */
static void
make_update(srv_req *req)
{
    req->msg.info1 = 0;
    req->msg.info2 =
        AERO_INFO2_WRITE | (req->msg.info2 & AERO_INFO2_DURABLE_DELETE);
    req->msg.info3 = AERO_INFO3_UPDATE_ONLY;
    req->msg.info4 = 0;
    req->has &= ~(UINT64_C(1) << AERO_FIELD_KEY);
}

/* The request outlives its connection: everything it points to is copied. */
static bool
keep_request(background *b, const srv_req *req)
{
    size_t at = 0;

    for (unsigned type = 0; type < SRV_FIELDS; type++) {
        if (srv_req_has(req, (aero_field_type)type)) {
            aero_buf_put_span(&b->body, req->field[type]);
        }
    }
    aero_buf_put_span(&b->body, req->ops);
    if (b->body.failed) {
        return false;
    }
    b->req = *req;
    for (unsigned type = 0; type < SRV_FIELDS; type++) {
        if (srv_req_has(req, (aero_field_type)type)) {
            b->req.field[type] =
                aero_span_of(b->body.ptr + at, req->field[type].len);
            at += req->field[type].len;
        }
    }
    b->req.ops = aero_span_of(b->body.ptr + at, req->ops.len);
    return true;
}

/* How fast it may go: as it is told, or as the namespace says. */
static int
take_rate(const background *b, uint64_t *rps)
{
    uint64_t most =
        (uint64_t)b->walk.ns->config[SRV_NS_background_query_max_rps];
    int code =
        srv_query_take_number(&b->req, AERO_FIELD_RECORDS_PER_SECOND, 4, rps);

    if (code == AERO_ERR_OK && *rps == 0) {
        *rps = most;
    }
    return code != AERO_ERR_OK || *rps > most ? AERO_ERR_REQUEST_INVALID
                                              : AERO_ERR_OK;
}

static int
begin(background *b, const srv_call *call)
{
    const aero_exp *filter;
    uint64_t id = 0;
    uint64_t rps = 0;
    uint64_t timeout = SRV_STALL_MS;
    int code = take_rate(b, &rps);

    if (code == AERO_ERR_OK &&
        (b->req.msg.info1 & AERO_INFO1_SHORT_QUERY) != 0) {
        code = AERO_ERR_REQUEST_INVALID;
    }
    if (code == AERO_ERR_OK) {
        code = check_what(b);
    }
    if (code == AERO_ERR_OK) {
        code = srv_walk_open(&b->walk, &b->req);
    }
    if (code == AERO_ERR_OK && b->walk.no_such_set && b->walk.set == 0 &&
        srv_req_field(&b->req, AERO_FIELD_SET).len != 0) {
        code = AERO_ERR_RECORD_NOT_FOUND;
    }
    if (code == AERO_ERR_OK) {
        code = srv_query_take_number(&b->req, AERO_FIELD_SOCKET_TIMEOUT, 4,
                                     &timeout);
    }
    if (code == AERO_ERR_OK && srv_req_has(&b->req, AERO_FIELD_FILTER)) {
        code = srv_core_filter(
            b->core, srv_req_field(&b->req, AERO_FIELD_FILTER), &filter);
    }
    if (code != AERO_ERR_OK) {
        return code;
    }
    if (srv_query_take_number(&b->req, AERO_FIELD_QUERY_ID, 8, &id) !=
        AERO_ERR_OK) {
        id = 0;
    }
    code = srv_query_begin_job(call, &b->req, &b->walk, id, &b->job);
    if (code == AERO_ERR_OK) {
        b->job->rps = (uint32_t)rps;
        b->job->socket_timeout = (uint32_t)timeout;
        b->job->kind =
            b->is_script ? SRV_JOB_BACKGROUND_UDF : SRV_JOB_BACKGROUND_OPS;
        make_update(&b->req);
    }
    return code;
}

int
srv_background_open(const srv_call *call, const srv_req *req, srv_ns *ns)
{
    background *b = aero_zalloc(sizeof *b);
    struct srv_background **link = &call->core->background;
    int code = AERO_ERR_SERVER;

    if (b == NULL) {
        return code;
    }
    b->core = call->core;
    b->node = call->node;
    b->walk.core = call->core;
    b->walk.node = call->node->index;
    b->walk.ns = ns;
    b->walk.changes = true;
    b->is_script = srv_req_has(req, AERO_FIELD_UDF_OP);
    if (keep_request(b, req)) {
        code = begin(b, call);
    }
    if (code != AERO_ERR_OK) {
        end(b);
        return code;
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = b;
    return AERO_ERR_OK;
}

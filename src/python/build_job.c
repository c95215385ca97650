/* Builders of the jobs that servers do by themselves: functions or operations
 * for each record, and what is known about them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "query.h"
#include "settled.h"

/* ---- starting ---- */

/* Was it taken?  The reply is one message with a result; a node that has no
 * record of the set does not find it, and has nothing to do. */
static aero_rc
accept_job(void *ctx, const aero_cmd *cmd, aero_status *st)
{
    (void)ctx;
    *st = cmd->st;
    if (cmd->rc != AERO_OK) {
        return AERO_ERROR;
    }
    if (cmd->result == AERO_ERR_OK ||
        cmd->result == AERO_ERR_RECORD_NOT_FOUND) {
        return AERO_OK;
    }
    st->from_server = true;
    return aero_fail(st, cmd->result, "%s", aero_result_text(cmd->result));
}

/* ---- how far it is ---- */

static void
put_show(void *ctx, const aero_node *node, aero_buf *out)
{
    const Settled *s = ctx;

    aero_buf_printf(out, "query-show:%s=%llu",
                    aero_node_is_build(node, 8, 1, 0) ? "id" : "trid",
                    (unsigned long long)s->id);
}

static bool
is_done(aero_span value)
{
    aero_span status;

    return aero_info_pair(value, ':', "status", &status) && status.len >= 4 &&
           memcmp(status.ptr, "done", 4) == 0;
}

/* A node that does not know the job has forgotten it. */
static aero_look
judge_job(void *ctx, const aero_cmd *cmd, aero_status *st)
{
    aero_span value;

    (void)ctx;
    if (aero_fan_value(cmd, &value, st) != AERO_OK) {
        return st->code == AERO_ERR_RECORD_NOT_FOUND ? AERO_LOOK_DONE
                                                     : AERO_LOOK_FAILED;
    }
    return is_done(value) ? AERO_LOOK_DONE : AERO_LOOK_NOT_YET;
}

/* The number stands in the request, and in what is returned. */
static int
begin_job(Call *call, const aero_source *source, uint64_t now)
{
    Settled *s = call->more;

    s->id = aero_query_new_id(call->cluster);
    if (!s->ask.failed) {
        aero_set_u64(s->ask.ptr + s->id_at, s->id);
    }
    return settled_begin(call, source, now);
}

static bool
may_have_written(const Call *call)
{
    return aero_settle_may_have_written(&((Settled *)call->more)->settle);
}

static PyObject *
finish_job(Call *call)
{
    Settled *s = call->more;

    return settled_check(call) < 0 ? NULL : PyLong_FromUnsignedLongLong(s->id);
}

int
job_build(Call *call, Query *q, aero_policy_kind kind, PyObject *policy,
          bool wait)
{
    Settled *s;
    size_t id_at;

    if (query_put_background(q, call, kind, policy, &id_at) < 0) {
        return -1;
    }
    if (call->cmd.out.failed) {
        raise_param_value(call->state,
                          "the request does not fit a message of 128 MiB");
        return -1;
    }
    s = settled_new(call);
    if (s == NULL) {
        return -1;
    }
    s->id_at = id_at;
    aero_buf_put_span(&s->ask, aero_buf_span(&call->cmd.out));
    s->settle.ask.is_message = true;
    s->settle.ask.one_node = false;
    s->settle.accept = accept_job;
    s->settle.look.put = wait ? put_show : NULL;
    s->settle.judge = judge_job;
    call->begin = begin_job;
    call->finish = finish_job;
    call->may_have_written = may_have_written;
    return 0;
}

/* ---- a whole job in one call ---- */

/* Where, and what; objects are borrowed from the arguments. */
typedef struct ApplyWish {
    PyObject *ns;
    PyObject *set;
    PyObject *predicate; /* NULL: a scan */
    PyObject *module;
    PyObject *function;
    PyObject *args;
    PyObject *policy;
} ApplyWish;

static int
check_text(const Call *call, PyObject *value, bool may_be_none,
           const char *what)
{
    if (PyUnicode_Check(value) || (may_be_none && value == Py_None)) {
        return 0;
    }
    raise_param_type(call->state, "%s", what);
    return -1;
}

static int
check_apply(const Call *call, const ApplyWish *wish)
{
    if (!PyUnicode_Check(wish->ns)) {
        PyErr_Format(PyExc_TypeError, "the namespace must be str, not %s",
                     Py_TYPE(wish->ns)->tp_name);
        return -1;
    }
    if (check_text(call, wish->set, true, "Set name should be string") < 0 ||
        check_text(call, wish->module, false, "Module name should be string") <
            0 ||
        check_text(call, wish->function, false,
                   "Function name should be string") < 0) {
        return -1;
    }
    if (wish->args != NULL && wish->args != Py_None &&
        !PyList_Check(wish->args)) {
        raise_param_type(call->state, "Arguments should be a list");
        return -1;
    }
    return 0;
}

static int
build_apply_job(Call *call, const ApplyWish *wish)
{
    bool is_scan = wish->predicate == NULL;
    WhereBy by = {.predicate = wish->predicate};
    Query *q;
    int rc;

    if (check_apply(call, wish) < 0) {
        return -1;
    }
    q = query_new(call->client, wish->ns, wish->set, is_scan);
    if (q == NULL) {
        return -1;
    }
    rc = is_scan ? 0 : query_where(q, &by);
    rc = rc < 0 ? rc
                : query_set_udf(q, wish->module, wish->function, wish->args);
    rc = rc < 0 ? rc
                : job_build(call, q,
                            is_scan ? AERO_POLICY_SCAN : AERO_POLICY_WRITE,
                            wish->policy, true);
    Py_DECREF(q);
    return rc;
}

int
build_query_apply(Call *call)
{
    ApplyWish wish = {.ns = call->argv[0],
                      .set = call->argv[1],
                      .predicate = call->argv[2],
                      .module = call->argv[3],
                      .function = call->argv[4],
                      .args = call->argv[5],
                      .policy = call->argv[6]};

    if (call->face->strict && wish.args == Py_None) {
        raise_param_type(call->state, "Arguments should be a list");
        return -1;
    }
    return build_apply_job(call, &wish);
}

int
build_scan_apply(Call *call)
{
    ApplyWish wish = {.ns = call->argv[0],
                      .set = call->argv[1],
                      .module = call->argv[2],
                      .function = call->argv[3],
                      .args = call->argv[4],
                      .policy = call->argv[5]};
    aero_policy unused;

    if (query_take_options(call->state, call->argv[6], &unused) < 0) {
        return -1;
    }
    return build_apply_job(call, &wish);
}

/* ---- job_info ---- */

typedef struct JobInfo {
    uint64_t records;
    long percent; /* of the slowest node; -1: none knows it */
    bool active;
} JobInfo;

static void
add_node(JobInfo *info, aero_span value)
{
    aero_span text;
    aero_span whole;
    int64_t number;

    if (aero_info_pair(value, ':', "recs-succeeded", &text) &&
        aero_info_number(text, &number)) {
        info->records += (uint64_t)number;
    }
    if (aero_info_pair(value, ':', "job-progress", &text)) {
        whole = aero_span_cut(&text, '.');
        if (aero_info_number(whole, &number) &&
            (info->percent < 0 || number < info->percent)) {
            info->percent = (long)number;
        }
    }
    info->active |= !is_done(value);
}

static PyObject *
finish_job_info(Call *call)
{
    Settled *s = call->more;
    JobInfo info = {.percent = -1};

    if (settled_check(call) < 0) {
        return NULL;
    }
    for (size_t i = 0; i < s->settle.fan.count; i++) {
        aero_span value;
        aero_status st;

        if (aero_fan_value(&s->settle.fan.cmds[i], &value, &st) == AERO_OK) {
            add_node(&info, value);
        }
    }
    return Py_BuildValue("{s:l,s:K,s:i}", "progress_pct",
                         info.percent < 0 ? 0 : info.percent, "records_read",
                         (unsigned long long)info.records, "status",
                         info.active ? 1 : 2);
}

/* That a node does not know the job is an answer too. */
static aero_rc
accept_show(void *ctx, const aero_cmd *cmd, aero_status *st)
{
    aero_span value;

    (void)ctx;
    if (aero_fan_value(cmd, &value, st) == AERO_OK ||
        st->code == AERO_ERR_RECORD_NOT_FOUND) {
        return AERO_OK;
    }
    return AERO_ERROR;
}

int
build_job_info(Call *call)
{
    PyObject *id = call->argv[0];
    PyObject *module = call->argv[1];
    Settled *s;

    if (!PyLong_Check(id) || !PyUnicode_Check(module)) {
        PyErr_Format(
            PyExc_TypeError, "job_info() argument %d must be %s, not %s",
            PyLong_Check(id) ? 2 : 1, PyLong_Check(id) ? "str" : "int",
            Py_TYPE(PyLong_Check(id) ? module : id)->tp_name);
        return -1;
    }
    if (PyUnicode_CompareWithASCIIString(module, "query") != 0 &&
        PyUnicode_CompareWithASCIIString(module, "scan") != 0) {
        raise_param_value(call->state,
                          "Module can have only two values: "
                          "aerospike.JOB_SCAN or aerospike.JOB_QUERY");
        return -1;
    }
    if (call_take_policy(call, call->argv[2], AERO_POLICY_INFO) < 0) {
        return -1;
    }
    s = settled_new(call);
    if (s == NULL) {
        return -1;
    }
    s->id = PyLong_AsUnsignedLongLongMask(id);
    s->settle.ask.put = put_show;
    s->settle.ask.one_node = false;
    s->settle.look.put = NULL;
    s->settle.accept = accept_show;
    call->finish = finish_job_info;
    return 0;
}

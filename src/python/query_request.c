/* Requests of query objects: what they have collected, and what the policy of
 * one run adds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "query.h"

enum {
    NO_TOUCH = -1 /* a query never renews the life of what it reads */
};

/* ---- arguments of a run ---- */

static int
take_option(ModState *state, PyObject *options, const char *name, bool *out)
{
    PyObject *value = PyDict_GetItemString(options, name);

    if (value == NULL || value == Py_None) {
        return 0;
    }
    if (!PyBool_Check(value)) {
        raise_param_type(state, "%s value must be a bool", name);
        return -1;
    }
    *out = value == Py_True;
    return 0;
}

int
query_take_options(ModState *state, PyObject *options, aero_policy *policy)
{
    bool no_bins = false;
    bool concurrent;

    if (options == NULL || options == Py_None) {
        return 0;
    }
    if (!PyDict_Check(options)) {
        raise_param_type(state, "query options must be a dictionary");
        return -1;
    }
    if (take_option(state, options, "nobins", &no_bins) < 0 ||
        take_option(state, options, "concurrent", &concurrent) < 0) {
        return -1;
    }
    if (no_bins) {
        policy->include_bin_data = false;
    }
    return 0;
}

/* The strict face's scans know two options and no more. */
static int
check_scan_options(const Query *q, PyObject *options)
{
    Py_ssize_t pos = 0;
    PyObject *name;
    PyObject *value;

    if (!q->is_scan || !q->face->strict || options == NULL ||
        !PyDict_Check(options)) {
        return 0;
    }
    while (PyDict_Next(options, &pos, &name, &value)) {
        if (!PyUnicode_Check(name) ||
            (PyUnicode_CompareWithASCIIString(name, "nobins") != 0 &&
             PyUnicode_CompareWithASCIIString(name, "concurrent") != 0)) {
            raise_param_value(q->state, "Invalid value for scan options");
            return -1;
        }
    }
    return 0;
}

static int
take_nodename(const Query *q, PyObject *nodename, aero_query *out)
{
    aero_cluster *cluster;
    aero_map *map;
    aero_span name;
    bool known;

    if (nodename == NULL || nodename == Py_None) {
        return 0;
    }
    if (!PyUnicode_Check(nodename)) {
        raise_param_type(q->state, "nodename must be a string");
        return -1;
    }
    cluster = client_cluster(q->client);
    if (cluster == NULL || value_as_text(q->state, nodename, &name) < 0) {
        aero_cluster_release(cluster);
        return -1;
    }
    map = aero_cluster_map(cluster);
    known = map != NULL && aero_map_node(map, name) != NULL;
    aero_map_release(map);
    aero_cluster_release(cluster);
    if (!known) {
        raise_param_value(q->state, "Invalid node name: %U", nodename);
        return -1;
    }
    memcpy(out->only, name.ptr, name.len);
    return 0;
}

/* The filter's partitions, or those where the query stands. */
static int
take_filter(Query *q, PyObject *filter)
{
    bool has_status = PyDict_Check(filter) &&
                      PyDict_GetItemString(filter, "partition_status") != NULL;
    aero_parts *parts;

    if (q->paginates && q->parts != NULL && !has_status) {
        return 0;
    }
    parts = parts_of_filter(q->state, filter);
    if (parts == NULL && q->face->strict && q->is_scan) {
        PyErr_Clear(); /* the official scan reads all, then */
        parts = aero_parts_new(0, AERO_PARTITIONS);
        if (parts == NULL) {
            PyErr_NoMemory();
        }
    }
    if (parts == NULL) {
        return -1;
    }
    aero_parts_release(q->parts);
    q->parts = parts;
    return 0;
}

static int
choose_parts(Query *q, const aero_policy *policy, const QueryWish *wish,
             Stream *stream)
{
    PyObject *filter = policy->partition_filter;
    aero_parts *parts = wish->parts;

    if (parts == NULL && filter != NULL) {
        if (take_filter(q, filter) < 0) {
            return -1;
        }
        parts = q->parts;
        stream->with_ids = wish->with_ids && PyDict_Check(filter);
    }
    else if (parts == NULL && q->paginates) {
        if (q->parts == NULL) {
            q->parts = aero_parts_new(0, AERO_PARTITIONS);
        }
        parts = q->parts;
    }
    stream->query.parts = parts != NULL ? aero_parts_acquire(parts)
                                        : aero_parts_new(0, AERO_PARTITIONS);
    if (stream->query.parts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* ---- fields ---- */

static void
put_u8(aero_query *out, aero_field_type type, uint8_t value)
{
    aero_query_put_field(out, type, aero_span_of(&value, 1));
}

static void
put_text(aero_query *out, aero_field_type type, PyObject *text)
{
    Py_ssize_t len;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &len);

    /* It was read when it was set: it cannot fail now. */
    aero_query_put_field(out, type, aero_span_of(utf8, (size_t)len));
}

static void
put_index(const Query *q, aero_query *out)
{
    if (!q->has_where) {
        return;
    }
    if (q->index_type != AERO_INDEX_DEFAULT) {
        put_u8(out, AERO_FIELD_INDEX_TYPE, q->index_type);
    }
    aero_query_put_field(out, AERO_FIELD_INDEX_RANGE,
                         aero_buf_span(&q->range));
    if (q->context.len != 0) {
        aero_query_put_field(out, AERO_FIELD_INDEX_CONTEXT,
                             aero_buf_span(&q->context));
    }
    if (q->index != NULL) {
        put_text(out, AERO_FIELD_INDEX_NAME, q->index);
    }
    if (q->index_exp.len != 0) {
        aero_query_put_field(out, AERO_FIELD_INDEX_EXPRESSION,
                             aero_buf_span(&q->index_exp));
    }
    out->has_range = true;
}

static void
put_udf(const Query *q, aero_query_udf what, aero_query *out)
{
    put_u8(out, AERO_FIELD_UDF_OP, (uint8_t)what);
    put_text(out, AERO_FIELD_UDF_PACKAGE, q->module);
    put_text(out, AERO_FIELD_UDF_FUNCTION, q->function);
    aero_query_put_field(out, AERO_FIELD_UDF_ARGS, aero_buf_span(&q->args));
}

static void
put_filter(const aero_policy *policy, aero_query *out)
{
    if (policy->filter.len != 0) {
        aero_query_put_field(out, AERO_FIELD_FILTER, policy->filter);
    }
}

/* Namespace, set and all that stands in front of the partitions. */
static int
open_request(const Query *q, const aero_policy *policy, const aero_msg *msg,
             aero_query *out)
{
    aero_span ns;
    aero_span set = {NULL, 0};

    if (value_as_text(q->state, q->ns, &ns) < 0 ||
        (q->set != Py_None && value_as_text(q->state, q->set, &set) < 0)) {
        return -1;
    }
    aero_query_open(out, ns, set, policy, msg);
    put_index(q, out);
    return 0;
}

/* ---- operations ---- */

static int
put_bin_names(const Query *q, aero_query *out)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(q->bins); i++) {
        aero_span name;

        if (value_as_text(q->state, PyList_GET_ITEM(q->bins, i), &name) < 0) {
            return -1;
        }
        aero_op_put(&out->tail, AERO_OP_READ, AERO_PARTICLE_NIL, name,
                    aero_span_of(NULL, 0));
        out->n_ops++;
    }
    return 0;
}

static int
put_ops(const Query *q, Call *call, aero_query *out, OpsIn *ops)
{
    *ops = ops_begin(call, &out->tail);
    if (ops_put(q->ops, ops) < 0) {
        return -1;
    }
    out->n_ops = (uint16_t)(out->n_ops + ops->count);
    return 0;
}

static int
put_projection(const Query *q, Call *call, aero_query *out)
{
    OpsIn ops;

    if (q->bins != NULL && put_bin_names(q, out) < 0) {
        return -1;
    }
    if (q->ops == NULL) {
        return 0;
    }
    if (put_ops(q, call, out, &ops) < 0) {
        return -1;
    }
    if (ops.writes) {
        raise_error(q->state, EXC_ParamServerError,
                    "operations that write belong to execute_background()");
        return -1;
    }
    return 0;
}

/* ---- foreground ---- */

static aero_msg
read_head(const Query *q, const aero_policy *policy)
{
    aero_msg msg = {0};
    bool is_short = policy->short_query ||
                    policy->expected_duration == AERO_DURATION_SHORT;

    aero_policy_put_read(policy, &msg);
    msg.ttl = (uint32_t)NO_TOUCH;
    if (!policy->include_bin_data) {
        msg.info1 |= AERO_INFO1_GET_NO_BINS;
    }
    if (q->module != NULL) {
        return msg;
    }
    if (is_short) {
        msg.info1 |= AERO_INFO1_SHORT_QUERY;
    }
    if (policy->expected_duration == AERO_DURATION_LONG_RELAX_AP) {
        msg.info2 |= AERO_INFO2_RELAX_AP_LONG_QUERY;
    }
    if (q->ops != NULL) {
        msg.info2 |= AERO_INFO2_RESPOND_ALL_OPS;
    }
    msg.info3 |= AERO_INFO3_PARTITION_DONE;
    return msg;
}

static void
take_limits(const Query *q, const QueryWish *wish, aero_policy *policy)
{
    if (!aero_policy_has(policy, AERO_POLICY_BIT_max_records)) {
        policy->max_records =
            q->max_records != 0 ? q->max_records : policy->max_records;
    }
    if (wish->page_size != 0) {
        policy->max_records = wish->page_size;
    }
    if (!aero_policy_has(policy, AERO_POLICY_BIT_records_per_second) &&
        q->records_per_second != 0) {
        policy->records_per_second = q->records_per_second;
    }
    if (policy->replica == AERO_REPLICA_RANDOM) {
        policy->replica = AERO_REPLICA_SEQUENCE; /* only holders can answer */
    }
}

int
query_put(Query *q, Call *call, const QueryWish *wish, Stream *stream)
{
    aero_query *out = &stream->query;
    aero_policy *policy = &call->policy;
    aero_msg msg;

    if (call_take_policy(call, wish->policy,
                         q->is_scan ? AERO_POLICY_SCAN : AERO_POLICY_QUERY) <
            0 ||
        check_scan_options(q, wish->options) < 0 ||
        query_take_options(q->state, wish->options, policy) < 0 ||
        take_nodename(q, wish->nodename, out) < 0) {
        return -1;
    }
    take_limits(q, wish, policy);
    msg = read_head(q, policy);
    if (open_request(q, policy, &msg, out) < 0) {
        return -1;
    }
    if (q->module != NULL) {
        put_udf(q, AERO_QUERY_UDF_STREAM, out);
        out->max_records = 0;
    }
    else if (choose_parts(q, policy, wish, stream) < 0) {
        return -1;
    }
    put_filter(policy, out);
    return policy->include_bin_data ? put_projection(q, call, out) : 0;
}

/* ---- background ---- */

static aero_msg
write_head(const Query *q, const aero_policy *policy)
{
    aero_msg msg = {.info2 = AERO_INFO2_WRITE};

    msg.ttl = q->ttl != 0 ? q->ttl : policy->ttl;
    if (msg.ttl == AERO_TTL_OF_CLIENT) {
        msg.ttl = q->client->defaults[AERO_POLICY_WRITE].ttl;
    }
    if (msg.ttl == AERO_TTL_OF_CLIENT) {
        msg.ttl = AERO_TTL_DEFAULT;
    }
    if (policy->durable_delete) {
        msg.info2 |= AERO_INFO2_DURABLE_DELETE;
    }
    return msg;
}

static int
put_work(Query *q, Call *call, aero_query *out)
{
    OpsIn ops;

    if (q->module != NULL) {
        put_udf(q, AERO_QUERY_UDF_BACKGROUND, out);
        return 0;
    }
    if (q->ops != NULL) {
        return put_ops(q, call, out, &ops);
    }
    raise_param_value(q->state, "Background function or ops is required");
    return -1;
}

int
query_put_background(Query *q, Call *call, aero_policy_kind kind,
                     PyObject *policy_obj, size_t *id_at)
{
    aero_policy *policy = &call->policy;
    aero_buf *frame = &call->cmd.out;
    aero_query out;
    aero_msg msg;
    int rc = -1;

    aero_query_init(&out);
    if (call_take_policy(call, policy_obj, kind) < 0) {
        goto done;
    }
    if (!aero_policy_has(policy, AERO_POLICY_BIT_records_per_second)) {
        policy->records_per_second = q->records_per_second;
    }
    msg = write_head(q, policy);
    if (open_request(q, policy, &msg, &out) < 0 ||
        put_work(q, call, &out) < 0) {
        goto done;
    }
    put_filter(policy, &out);
    aero_buf_put_span(frame, aero_buf_span(&out.head));
    aero_buf_put_span(frame, aero_buf_span(&out.tail));
    frame->failed = frame->failed || out.head.failed || out.tail.failed;
    aero_msg_patch_counts(frame, out.msg_at, out.n_fields, out.n_ops);
    aero_msg_patch_budget(frame, out.msg_at, policy->total_timeout);
    aero_frame_close(frame, 0);
    *id_at = out.id_at;
    rc = 0;

done:
    aero_query_fini(&out);
    return rc;
}

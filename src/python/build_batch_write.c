/* The builder of batch_write: records of bins, or rows that each do what they
 * say.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

/* What a row of the official helpers does, as it says itself. */
enum {
    ROW_READ,
    ROW_WRITE,
    ROW_APPLY,
    ROW_REMOVE,
    ROW_TYPES
};

/* ---- records of bins ---- */

/* Take (key, bins) or (key, bins, meta) apart; the parts are borrowed. */
static int
split_record(Call *call, Py_ssize_t i, PyObject *record, PyObject **parts)
{
    ModState *state = call->state;
    Py_ssize_t count;

    if (!PyTuple_Check(record)) {
        raise_param_type(state,
                         "record %zd must be a tuple of key and bins, not %s",
                         i, Py_TYPE(record)->tp_name);
        return -1;
    }
    count = PyTuple_GET_SIZE(record);
    if (count < 2 || count > 3) {
        raise_param_value(state,
                          "record %zd must have at least 2 elements, key and "
                          "bins, and at most 3, not %zd",
                          i, count);
        return -1;
    }
    parts[0] = PyTuple_GET_ITEM(record, 0);
    parts[1] = PyTuple_GET_ITEM(record, 1);
    parts[2] = count == 3 ? PyTuple_GET_ITEM(record, 2) : NULL;
    if (!PyDict_Check(parts[1])) {
        raise_param_type(state, "record %zd: bins must be a dict, not %s", i,
                         Py_TYPE(parts[1])->tp_name);
        return -1;
    }
    if (parts[2] != NULL && parts[2] != Py_None && !PyDict_Check(parts[2])) {
        raise_param_type(state, "record %zd: meta element must be a dict", i);
        return -1;
    }
    return 0;
}

static int
put_bins_row(Call *call, BatchIn *in, size_t i, PyObject *const *parts,
             const aero_policy *shared)
{
    aero_policy policy = *shared;
    MetaIn meta = {0};
    RowIn row = {.policy = &policy};
    Encoder enc = call_encoder(call, true);

    if (batch_take_meta(call, parts[2], &policy, &meta) < 0) {
        return -1;
    }
    in->ops.len = 0;
    if (bins_put(&enc, call->client->strict_types, parts[1], &in->ops,
                 &row.n_ops) < 0) {
        return -1;
    }
    row.ops = aero_buf_span(&in->ops);
    aero_policy_put_write(
        &policy, meta.gen,
        batch_ttl(call, &meta, &policy, AERO_POLICY_BATCH_WRITE), &row.msg);
    row.msg.info2 |= AERO_INFO2_RESPOND_ALL_OPS;
    return batch_put_row(call, in, i, &row);
}

int
batch_take_retry(Call *call, PyObject *retry, BatchIn *in)
{
    long count;

    if (retry == NULL || retry == Py_None) {
        return 0;
    }
    if (!PyLong_Check(retry)) {
        raise_param_type(call->state, "retry must be an int, not %s",
                         Py_TYPE(retry)->tp_name);
        return -1;
    }
    count = PyLong_AsLong(retry);
    if (count < 0 || count > UINT16_MAX) {
        PyErr_Clear();
        raise_error(call->state, EXC_ParamOverflowError,
                    "retry must be an int from 0 to %d", UINT16_MAX);
        return -1;
    }
    in->batch.retry_max = (uint32_t)count;
    return 0;
}

static int
build_bins(Call *call)
{
    PyObject *records = call->argv[0];
    PyObject *shared = call->argv[1];
    PyObject *parts[3];
    aero_policy policy;
    BatchIn *in;

    if (batch_parent_policy(call, shared, true, AERO_POLICY_BATCH_WRITE) < 0) {
        return -1;
    }
    in = batch_in(call, PyList_GET_SIZE(records));
    if (in == NULL || batch_take_retry(call, call->argv[2], in) < 0 ||
        batch_row_policy(call, in, shared, NULL, AERO_POLICY_BATCH_WRITE,
                         &policy) < 0) {
        return -1;
    }
    for (size_t i = 0; i < in->n; i++) {
        if (split_record(call, (Py_ssize_t)i,
                         PyList_GET_ITEM(records, (Py_ssize_t)i), parts) < 0 ||
            batch_set_key(call, in, (Py_ssize_t)i, parts[0]) < 0) {
            return -1;
        }
        if (put_bins_row(call, in, i, parts, &policy) < 0) {
            raise_about(call->state, "record %zd: ", (Py_ssize_t)i);
            return -1;
        }
    }
    batch_digest(in);
    call->finish = batch_finish_result;
    return 0;
}

/* ---- rows of the official helpers ---- */

/* An attribute of a row (borrowed: the row keeps it while we build); NULL
 * with an exception. */
static PyObject *
attr_of(PyObject *row, PyObject *name)
{
    PyObject *value = PyObject_GetAttr(row, name);

    Py_XDECREF(value);
    return value;
}

static int
row_type(Call *call, Py_ssize_t i, PyObject *row)
{
    PyObject *type = PyObject_GetAttr(row, call->state->str__type);
    long number =
        type != NULL && PyLong_Check(type) ? PyLong_AsLong(type) : -1;

    Py_XDECREF(type);
    PyErr_Clear();
    if (number < 0 || number >= ROW_TYPES) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "batch_record must be a BatchRecord class instance",
                       "batch_records[%zd] is no Read, Write, Apply or "
                       "Remove, but %s",
                       i, Py_TYPE(row)->tp_name);
        return -1;
    }
    return (int)number;
}

/* What the official client calls a row with such a policy. */
static const char *
row_name(aero_policy_kind kind)
{
    return kind == AERO_POLICY_BATCH_READ    ? "Read"
           : kind == AERO_POLICY_BATCH_WRITE ? "Write"
           : kind == AERO_POLICY_BATCH_APPLY ? "Apply"
                                             : "Remove";
}

/* The row's own policy over the defaults of its kind. */
static int
take_row_policy(Call *call, BatchIn *in, PyObject *row, aero_policy_kind kind,
                aero_policy *policy)
{
    PyObject *own = attr_of(row, call->state->str_policy);

    if (own == NULL) {
        return -1;
    }
    if (batch_row_policy(call, in, NULL, own, kind, policy) < 0) {
        if (call->face->strict && !call->client->validate_keys) {
            raise_about(call->state,
                        "batch_type: %s, failed to convert policy -> ",
                        row_name(kind));
        }
        return -1;
    }
    return 0;
}

static int
check_ops(Call *call, PyObject *ops)
{
    if (!PyList_Check(ops) || PyList_GET_SIZE(ops) == 0) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "py_ops_list is NULL or not a list, ops must be a "
                       "list of aerospike operation dicts",
                       "ops must be a list of at least one operation");
        return -1;
    }
    return 0;
}

static int
put_read(Call *call, BatchIn *in, size_t i, PyObject *from)
{
    ModState *state = call->state;
    PyObject *ops = attr_of(from, state->str_ops);
    PyObject *all = attr_of(from, state->str_read_all_bins);
    int read_all = all == NULL ? -1 : PyObject_IsTrue(all);
    aero_policy policy;
    RowIn row = {.policy = &policy};

    if (ops == NULL || read_all < 0 ||
        take_row_policy(call, in, from, AERO_POLICY_BATCH_READ, &policy) < 0) {
        return -1;
    }
    policy.key = 0;
    if (ops != Py_None && !PyList_Check(ops)) {
        raise_argument(state, EXC_ParamTypeError,
                       "py_ops_list is NULL or not a list, ops must be a "
                       "list of aerospike operation dicts",
                       "ops must be a list or None");
        return -1;
    }
    if (call->face->strict && ops != Py_None && check_ops(call, ops) < 0) {
        return -1;
    }
    if (read_all || ops == Py_None) {
        row.msg.info1 = read_all ? AERO_INFO1_GET_ALL : AERO_INFO1_GET_NO_BINS;
        aero_policy_put_read(&policy, &row.msg);
    }
    else if (check_ops(call, ops) < 0 ||
             batch_put_ops(call, in, ops, &policy, 0, 0, &row) < 0) {
        return -1;
    }
    if ((row.msg.info2 & AERO_INFO2_WRITE) != 0) {
        raise_param_value(state, "a Read has an operation that writes");
        return -1;
    }
    return batch_put_row(call, in, i, &row);
}

static int
put_write(Call *call, BatchIn *in, size_t i, PyObject *from)
{
    ModState *state = call->state;
    PyObject *ops = attr_of(from, state->str_ops);
    PyObject *meta_obj = attr_of(from, state->str_meta);
    aero_policy policy;
    MetaIn meta = {0};
    RowIn row = {.policy = &policy};

    if (ops == NULL || meta_obj == NULL || check_ops(call, ops) < 0 ||
        take_row_policy(call, in, from, AERO_POLICY_BATCH_WRITE, &policy) <
            0 ||
        batch_take_meta(call, meta_obj, &policy, &meta) < 0 ||
        batch_put_ops(call, in, ops, &policy, meta.gen,
                      batch_ttl(call, &meta, &policy, AERO_POLICY_BATCH_WRITE),
                      &row) < 0) {
        return -1;
    }
    return batch_put_row(call, in, i, &row);
}

static int
put_apply(Call *call, BatchIn *in, size_t i, PyObject *from)
{
    ModState *state = call->state;
    PyObject *module = attr_of(from, state->str_module);
    PyObject *function = attr_of(from, state->str_function);
    PyObject *args = attr_of(from, state->str_args);
    aero_policy policy;

    if (module == NULL || function == NULL || args == NULL ||
        take_row_policy(call, in, from, AERO_POLICY_BATCH_APPLY, &policy) <
            0) {
        return -1;
    }
    return batch_put_function(
        call, in, i, module, function, args, &policy,
        batch_ttl(call, NULL, &policy, AERO_POLICY_BATCH_APPLY));
}

static int
put_remove(Call *call, BatchIn *in, size_t i, PyObject *from)
{
    aero_policy policy;
    RowIn row = {0};

    if (take_row_policy(call, in, from, AERO_POLICY_BATCH_REMOVE, &policy) <
        0) {
        return -1;
    }
    batch_put_remove(&policy, policy.generation, &row);
    return batch_put_row(call, in, i, &row);
}

/* One row: its key, then what it does. */
static int
put_row(Call *call, BatchIn *in, size_t i, PyObject *row)
{
    static const char *const names[] = {"Read", "Write", "Apply", "Remove"};
    static int (*const put[])(Call *, BatchIn *, size_t, PyObject *) = {
        put_read, put_write, put_apply, put_remove};
    int type = row_type(call, (Py_ssize_t)i, row);
    PyObject *key = type < 0 ? NULL : attr_of(row, call->state->str_key);

    if (key == NULL || batch_set_key(call, in, (Py_ssize_t)i, key) < 0) {
        return -1;
    }
    PyTuple_SET_ITEM(in->targets, (Py_ssize_t)i, Py_NewRef(row));
    if (put[type](call, in, i, row) < 0) {
        if (call->face->strict) {
            return -1; /* the official texts do not say where */
        }
        raise_about(call->state, "batch_records[%zd], %s: ", (Py_ssize_t)i,
                    names[type]);
        return -1;
    }
    return 0;
}

static int
build_rows(Call *call, PyObject *list)
{
    BatchIn *in;

    if (batch_parent_policy(call, call->argv[1], true,
                            AERO_POLICY_BATCH_WRITE) < 0) {
        return -1;
    }
    in = batch_in(call, PyList_GET_SIZE(list));
    if (in == NULL || batch_take_retry(call, call->argv[2], in) < 0) {
        return -1;
    }
    in->target = Py_NewRef(call->argv[0]);
    in->targets = PyTuple_New(PyList_GET_SIZE(list));
    if (in->targets == NULL) {
        return -1;
    }
    for (size_t i = 0; i < in->n; i++) {
        PyObject *row;
        int rc;

        if ((size_t)PyList_GET_SIZE(list) != in->n) {
            raise_error(call->state, EXC_ClientError,
                        "batch_records changed while they were read");
            return -1;
        }
        row = Py_NewRef(PyList_GET_ITEM(list, (Py_ssize_t)i));
        rc = put_row(call, in, i, row);
        Py_DECREF(row);
        if (rc < 0) {
            return -1;
        }
    }
    batch_digest(in);
    call->finish = batch_finish_official;
    return 0;
}

int
build_batch_write(Call *call)
{
    PyObject *arg = call->argv[0];
    PyObject *list;
    int rc;

    if (!call->face->strict && PyList_Check(arg)) {
        return build_bins(call);
    }
    list = PyObject_GetAttr(arg, call->state->str_batch_records);
    if (list == NULL) {
        PyErr_Clear();
        raise_param_type(call->state,
                         call->face->strict
                             ? "batch_records must be an aerospike_helpers."
                               "batch.records.BatchRecords instance"
                             : "records must be a list or BatchRecords");
        return -1;
    }
    if (!PyList_Check(list)) {
        raise_param_type(call->state,
                         "batch_records must be a list of BatchRecord");
        rc = -1;
    }
    else {
        rc = build_rows(call, list);
    }
    Py_DECREF(list);
    return rc;
}

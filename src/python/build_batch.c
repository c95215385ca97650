/* Builders of batches that do the same to all their records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cells.h"
#include "lazy.h"

/* ---- reads ---- */

/* The operations that read the bins of a list or tuple. */
static int
put_names(Call *call, PyObject *bins, BatchIn *in, RowIn *row)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(bins);

    if (count > AERO_OPS_MAX) {
        raise_param_value(call->state, "more than %d bins", AERO_OPS_MAX);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        aero_span name;

        if (build_take_bin(call->state, call->face, call->client->strict_types,
                           PySequence_Fast_GET_ITEM(bins, i),
                           "Bin name should be a string or unicode string.",
                           &name) < 0) {
            return -1;
        }
        aero_op_put(&in->ops, AERO_OP_READ, AERO_PARTICLE_NIL, name,
                    aero_span_of(NULL, 0));
    }
    row->ops = aero_buf_span(&in->ops);
    row->n_ops = (uint16_t)count;
    return 0;
}

static int
check_bins(Call *call, PyObject *bins)
{
    if (bins == NULL || bins == Py_None || PyList_Check(bins) ||
        (!call->face->strict && PyTuple_Check(bins))) {
        return 0;
    }
    raise_param_type(call->state, "Bins argument should be a list.");
    return -1;
}

/* All bins (NULL), none ([]), or those of a list. */
static int
build_reads(Call *call, PyObject *bins, bool none, PyObject *policy_arg)
{
    PyObject *keys = call->argv[0];
    aero_policy policy;
    BatchIn *in;
    RowIn row = {.policy = &policy};

    if (check_bins(call, bins) < 0 ||
        batch_parent_policy(call, policy_arg, false, AERO_POLICY_BATCH_READ) <
            0 ||
        batch_take_keys(call, keys, &in) < 0) {
        return -1;
    }
    policy = call->policy;
    policy.filter = aero_span_of(NULL, 0);
    policy.key = 0;
    if (bins == Py_None) {
        bins = NULL;
    }
    in->no_bins =
        none || (bins != NULL && PySequence_Fast_GET_SIZE(bins) == 0);
    row.msg.info1 = in->no_bins    ? AERO_INFO1_GET_NO_BINS
                    : bins == NULL ? AERO_INFO1_GET_ALL
                                   : 0;
    aero_policy_put_read(&policy, &row.msg);
    if (bins != NULL && put_names(call, bins, in, &row) < 0) {
        return -1;
    }
    return batch_put_same(call, in, &row);
}

/* Reads into arrays: the fields of the dtype are the bins. */
static int
build_columns(Call *call)
{
    PyObject *keys = call->argv[0];
    PyObject *out = call->argv[4] == Py_None ? NULL : call->argv[4];
    Columns *columns;
    BatchIn *in;

    if (!PyList_Check(keys)) {
        raise_param_type(call->state,
                         "keys should be a list of aerospike key tuples");
        return -1;
    }
    columns = columns_new(call->state, call->argv[3], out, call->argv[5],
                          (size_t)PyList_GET_SIZE(keys));
    if (columns == NULL ||
        build_reads(call, call->argv[1], false, call->argv[2]) < 0) {
        columns_free(columns);
        return -1;
    }
    in = call->more;
    in->columns = columns;
    in->batch.on_row = columns_on_row;
    in->batch.ctx = columns;
    call->finish = batch_finish_numpy;
    return 0;
}

int
build_batch_read(Call *call)
{
    bool has_dtype = call->argv[3] != NULL && call->argv[3] != Py_None;
    bool has_out = call->argv[4] != NULL && call->argv[4] != Py_None;

    if (call->face->strict) {
        call->finish = batch_finish_official;
        return build_reads(call, call->argv[1], false, call->argv[2]);
    }
    if (has_dtype || has_out) {
        return build_columns(call);
    }
    call->finish = batch_finish_lazy;
    return build_reads(call, call->argv[1], false, call->argv[2]);
}

int
build_get_many(Call *call)
{
    call->finish = batch_finish_records;
    return build_reads(call, NULL, false, call->argv[1]);
}

int
build_select_many(Call *call)
{
    PyObject *bins = call->argv[1];

    if (!PyList_Check(bins) && !PyTuple_Check(bins)) {
        raise_param_type(call->state, "Bins argument should be a list.");
        return -1;
    }
    call->finish = batch_finish_records;
    return build_reads(call, bins, false, call->argv[2]);
}

int
build_exists_many(Call *call)
{
    call->finish = batch_finish_exists;
    return build_reads(call, NULL, true, call->argv[1]);
}

/* ---- operations ---- */

/* Pack the operations once, and what they mean for a row's message. */
int
batch_put_ops(Call *call, BatchIn *in, PyObject *list,
              const aero_policy *policy, uint32_t gen, uint32_t ttl,
              RowIn *row)
{
    OpsIn ops = ops_begin(call, &in->ops);

    in->ops.len = 0;
    if (ops_put(list, &ops) < 0) {
        return -1;
    }
    row->policy = policy;
    row->ops = aero_buf_span(&in->ops);
    row->n_ops = ops.count;
    if (ops.writes) {
        aero_policy_put_write(policy, gen, ops.has_ttl ? ops.ttl : ttl,
                              &row->msg);
    }
    if (ops.reads) {
        aero_policy_put_read(policy, &row->msg);
    }
    if (ops.read_all) {
        row->msg.info1 |= AERO_INFO1_GET_ALL;
    }
    else if (ops.writes || ops.respond_all) {
        row->msg.info2 |= AERO_INFO2_RESPOND_ALL_OPS;
    }
    return 0;
}

/* Whether any of the operations writes: it decides on the defaults. */
static int
any_writes(Call *call, PyObject *list, bool *writes)
{
    aero_buf out = AERO_BUF_INIT;
    OpsIn ops = ops_begin(call, &out);
    int rc;

    if (!PyList_Check(list)) {
        raise_param_type(call->state, "Operations should be of type list");
        return -1;
    }
    rc = ops_put(list, &ops);
    if (rc == 0 && ops.count == 0) {
        raise_param_value(call->state, "Operations must not be empty");
        rc = -1;
    }
    *writes = ops.writes;
    aero_buf_fini(&out);
    return rc;
}

/* The ttl of a row: that of its meta, of the policy, of the defaults. */
uint32_t
batch_ttl(const Call *call, const MetaIn *meta, const aero_policy *policy,
          aero_policy_kind kind)
{
    bool own = meta != NULL && meta->has_ttl &&
               (meta->ttl != AERO_TTL_OF_CLIENT || !call->face->strict);
    uint32_t ttl = own ? meta->ttl : policy->ttl;

    if (ttl == AERO_TTL_OF_CLIENT) {
        ttl = call->client->defaults[kind].ttl;
    }
    return ttl == AERO_TTL_OF_CLIENT ? AERO_TTL_DEFAULT : ttl;
}

static int
build_operations(Call *call, PyObject *policy_write, PyObject *ttl_arg)
{
    PyObject *shared = call->argv[2];
    aero_policy policy;
    BatchIn *in;
    RowIn row = {.policy = &policy};
    MetaIn meta = {0};
    bool writes;

    if (any_writes(call, call->argv[1], &writes) < 0 ||
        batch_parent_policy(call, shared, writes, AERO_POLICY_BATCH_WRITE) <
            0 ||
        batch_take_keys(call, call->argv[0], &in) < 0 ||
        batch_row_policy(call, in, shared, policy_write,
                         AERO_POLICY_BATCH_WRITE, &policy) < 0) {
        return -1;
    }
    if (ttl_arg != NULL && ttl_arg != Py_None) {
        if (!PyLong_Check(ttl_arg)) {
            raise_param_type(call->state, "ttl must be an integer");
            return -1;
        }
        if (ttl_take(call->state, call->face, ttl_arg, "ttl", &meta.ttl) < 0) {
            return -1;
        }
        meta.has_ttl = true;
    }
    if (!writes) {
        policy.read_touch_ttl_percent = call->policy.read_touch_ttl_percent;
        policy.read_mode_ap = call->policy.read_mode_ap;
        policy.read_mode_sc = call->policy.read_mode_sc;
    }
    if (batch_put_ops(call, in, call->argv[1], &policy, 0,
                      batch_ttl(call, &meta, &policy, AERO_POLICY_BATCH_WRITE),
                      &row) < 0) {
        return -1;
    }
    return batch_put_same(call, in, &row);
}

int
build_batch_operate(Call *call)
{
    call->finish =
        call->face->strict ? batch_finish_official : batch_finish_result;
    return build_operations(call, call->argv[3], call->argv[4]);
}

int
build_batch_get_ops(Call *call)
{
    call->finish = batch_finish_records;
    return build_operations(call, NULL, NULL);
}

/* ---- items: keys, or keys with meta ---- */

/* Take an item apart; the meta is borrowed, NULL: none. */
static PyObject *
split_item(const Call *call, PyObject *item, PyObject **meta)
{
    *meta = NULL;
    if (!call->face->strict && PyTuple_Check(item) &&
        PyTuple_GET_SIZE(item) == 2 &&
        PyTuple_Check(PyTuple_GET_ITEM(item, 0))) {
        *meta = PyTuple_GET_ITEM(item, 1);
        return PyTuple_GET_ITEM(item, 0);
    }
    return item;
}

static int
take_items(Call *call, PyObject *items, BatchIn **made)
{
    BatchIn *in;

    if (!PyList_Check(items)) {
        raise_param_type(call->state,
                         "keys should be a list of aerospike key tuples");
        return -1;
    }
    in = batch_in(call, PyList_GET_SIZE(items));
    if (in == NULL) {
        return -1;
    }
    *made = in;
    for (size_t i = 0; i < in->n; i++) {
        PyObject *meta;

        if (batch_set_key(call, in, (Py_ssize_t)i,
                          split_item(call, PyList_GET_ITEM(items, i), &meta)) <
            0) {
            return -1;
        }
    }
    batch_digest(in);
    return 0;
}

/* ---- remove ---- */

/* The message of a removal. */
void
batch_put_remove(const aero_policy *policy, uint32_t gen, RowIn *row)
{
    row->policy = policy;
    aero_policy_put_write(policy, gen, 0, &row->msg);
    row->msg.info2 |= AERO_INFO2_DELETE | AERO_INFO2_RESPOND_ALL_OPS;
}

/* Meta of one row over the shared policy. */
int
batch_take_meta(Call *call, PyObject *obj, aero_policy *policy, MetaIn *meta)
{
    policy->given = 0; /* a row's meta outranks the batch's policy */
    if (meta_take(call->state, call->face, obj, meta, policy,
                  call->client->validate_keys) < 0) {
        return -1;
    }
    if (meta->has_gen && policy->gen == AERO_GEN_IGNORE &&
        !call->face->strict) {
        policy->gen = AERO_GEN_EQ;
    }
    return 0;
}

static int
put_remove_row(Call *call, BatchIn *in, size_t i, PyObject *meta_obj,
               const aero_policy *shared)
{
    aero_policy policy = *shared;
    MetaIn meta = {0};
    RowIn row = {.policy = &policy};

    if (batch_take_meta(call, meta_obj, &policy, &meta) < 0) {
        raise_about(call->state, "key %zd: ", (Py_ssize_t)i);
        return -1;
    }
    batch_put_remove(&policy, meta.has_gen ? meta.gen : policy.generation,
                     &row);
    return batch_put_row(call, in, i, &row);
}

int
build_batch_remove(Call *call)
{
    PyObject *items = call->argv[0];
    aero_policy policy;
    BatchIn *in;

    if (batch_parent_policy(call, call->argv[1], true,
                            AERO_POLICY_BATCH_REMOVE) < 0 ||
        take_items(call, items, &in) < 0 ||
        batch_row_policy(call, in, call->argv[1], call->argv[2],
                         AERO_POLICY_BATCH_REMOVE, &policy) < 0) {
        return -1;
    }
    for (size_t i = 0; i < in->n; i++) {
        PyObject *meta;

        split_item(call, PyList_GET_ITEM(items, i), &meta);
        if (put_remove_row(call, in, i, meta, &policy) < 0) {
            return -1;
        }
    }
    call->finish =
        call->face->strict ? batch_finish_official : batch_finish_result;
    return 0;
}

/* ---- functions ---- */

/* What is called: borrowed. */
typedef struct Function {
    PyObject *module;
    PyObject *name;
    PyObject *args; /* NULL: none */
} Function;

static int
check_function(Call *call, const Function *function)
{
    if (!PyUnicode_Check(function->module)) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "module must be a string", "module should be a str");
        return -1;
    }
    if (!PyUnicode_Check(function->name)) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "function must be a string",
                       "function should be a str");
        return -1;
    }
    if (function->args != NULL && !PyList_Check(function->args)) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "args must be a list of arguments for the UDF",
                       "args should be a list");
        return -1;
    }
    return 0;
}

int
batch_put_function(Call *call, BatchIn *in, size_t i, PyObject *module,
                   PyObject *name, PyObject *args, const aero_policy *policy,
                   uint32_t ttl)
{
    bool none = args == Py_None && !call->face->strict;
    Function function = {module, name, none ? NULL : args};
    Encoder enc = call_encoder(call, false);
    aero_field fields[3] = {{.type = AERO_FIELD_UDF_PACKAGE},
                            {.type = AERO_FIELD_UDF_FUNCTION},
                            {.type = AERO_FIELD_UDF_ARGS}};
    RowIn row = {.policy = policy, .fields = fields, .n_fields = 3};

    if (check_function(call, &function) < 0 ||
        value_as_text(call->state, module, &fields[0].data) < 0 ||
        value_as_text(call->state, name, &fields[1].data) < 0) {
        return -1;
    }
    in->ops.len = 0; /* the arguments */
    if (function.args == NULL) {
        aero_pack_list(&in->ops, 0);
    }
    else if (value_pack(&enc, function.args, &in->ops) < 0) {
        return -1;
    }
    fields[2].data = aero_buf_span(&in->ops);
    aero_policy_put_write(policy, 0, ttl, &row.msg);
    return batch_put_row(call, in, i, &row);
}

/* What a key's meta says in place of the arguments. */
static int
read_function_meta(Call *call, PyObject *meta, Function *function,
                   aero_policy *policy, MetaIn *row_meta)
{
    static const char *const names[] = {"module", "function", "args"};
    PyObject **to[] = {&function->module, &function->name, &function->args};
    PyObject *rest;
    int rc = 0;

    if (!PyDict_Check(meta)) {
        raise_param_type(call->state, "meta element must be a dict");
        return -1;
    }
    rest = PyDict_Copy(meta);
    for (int i = 0; rest != NULL && i < 3; i++) {
        PyObject *value = PyDict_GetItemString(meta, names[i]);

        if (value != NULL) {
            *to[i] = value;
            if (PyDict_DelItemString(rest, names[i]) < 0) {
                rc = -1;
            }
        }
    }
    if (rest == NULL || rc < 0) {
        Py_XDECREF(rest);
        return -1;
    }
    rc = batch_take_meta(call, rest, policy, row_meta);
    Py_DECREF(rest);
    return rc;
}

static int
put_apply_row(Call *call, BatchIn *in, size_t i, PyObject *meta,
              const aero_policy *shared)
{
    Function function = {call->argv[1], call->argv[2], call->argv[3]};
    aero_policy policy = *shared;
    MetaIn row_meta = {0};

    if (meta != NULL &&
        read_function_meta(call, meta, &function, &policy, &row_meta) < 0) {
        raise_about(call->state, "key %zd: ", (Py_ssize_t)i);
        return -1;
    }
    return batch_put_function(
        call, in, i, function.module, function.name, function.args, &policy,
        batch_ttl(call, &row_meta, &policy, AERO_POLICY_BATCH_APPLY));
}

int
build_batch_apply(Call *call)
{
    PyObject *items = call->argv[0];
    Function function = {call->argv[1], call->argv[2], call->argv[3]};
    aero_policy policy;
    BatchIn *in;

    if (function.args == Py_None) {
        function.args = NULL;
    }
    if (check_function(call, &function) < 0 ||
        batch_parent_policy(call, call->argv[4], true,
                            AERO_POLICY_BATCH_APPLY) < 0 ||
        take_items(call, items, &in) < 0 ||
        batch_row_policy(call, in, call->argv[4], call->argv[5],
                         AERO_POLICY_BATCH_APPLY, &policy) < 0) {
        return -1;
    }
    for (size_t i = 0; i < in->n; i++) {
        PyObject *meta;

        split_item(call, PyList_GET_ITEM(items, i), &meta);
        if (put_apply_row(call, in, i, meta, &policy) < 0) {
            return -1;
        }
    }
    call->finish =
        call->face->strict ? batch_finish_official : batch_finish_result;
    return 0;
}

/* What query objects collect before anything is asked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "query.h"
#include "query_work.h"

PyObject *
query_select(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Query *q = (Query *)self;
    PyObject *bins;

    if (q->bins != NULL && q->face->strict && !q->is_scan) {
        return raise_error(q->state, EXC_ClientError,
                           "Query.select() cannot be called more than once "
                           "on the same instance.");
    }
    if (q->bins != NULL && q->face->strict) {
        return Py_NewRef(self); /* a scan keeps to its first choice */
    }
    bins = q->bins == NULL ? PyList_New(0)
                           : PyList_GetSlice(q->bins, 0, PY_SSIZE_T_MAX);
    for (Py_ssize_t i = 0; bins != NULL && i < nargs; i++) {
        PyObject *name = args[i];
        aero_span text;
        int rc;

        if (PyByteArray_Check(name) && q->face->strict) {
            name = PyUnicode_DecodeUTF8(PyByteArray_AS_STRING(name),
                                        PyByteArray_GET_SIZE(name), NULL);
        }
        else {
            Py_INCREF(name);
        }
        rc = name == NULL
                 ? -1
                 : build_take_bin(q->state, q->face, q->client->strict_types,
                                  name, "Bin name should be of type string",
                                  &text);
        if (rc < 0 || PyList_Append(bins, name) < 0) {
            Py_CLEAR(bins);
        }
        Py_XDECREF(name);
    }
    if (bins == NULL) {
        return NULL;
    }
    if (PyList_GET_SIZE(bins) > AERO_OPS_MAX) {
        Py_DECREF(bins);
        return raise_param_value(q->state, "more than %d bins", AERO_OPS_MAX);
    }
    Py_XSETREF(q->bins, bins);
    return Py_NewRef(self);
}

/* ---- the records, and how they are found ---- */

static PyObject *
self_if(PyObject *self, int rc)
{
    return rc < 0 ? NULL : Py_NewRef(self);
}

PyObject *
query_do_where(Query *q, PyObject *const *argv)
{
    WhereBy by = {.predicate = argv[0], .context = argv[1]};

    return self_if((PyObject *)q, query_where(q, &by));
}

PyObject *
query_do_where_index(Query *q, PyObject *const *argv)
{
    WhereBy by = {.predicate = argv[1], .index = argv[0]};

    return self_if((PyObject *)q, query_where(q, &by));
}

PyObject *
query_do_where_expr(Query *q, PyObject *const *argv)
{
    WhereBy by = {.predicate = argv[1], .exp = argv[0]};

    return self_if((PyObject *)q, query_where(q, &by));
}

/* The strict face says at once what is wrong with an operation; values for a
 * serializer are looked at later. */
static int
check_operations(Query *q, PyObject *ops)
{
    PyObject *bytes;

    if (PyList_GET_SIZE(ops) == 0 || q->client->serializer != NULL) {
        return 0;
    }
    bytes = ops_bytes(q->state, q->face, ops);
    if (bytes == NULL) {
        errors_reword(q->state, EXC_ParamError, "Failed to convert ops. -> ");
        return -1;
    }
    Py_DECREF(bytes);
    return 0;
}

PyObject *
query_do_add_ops(Query *q, PyObject *const *argv)
{
    if (!query_is_connected(q, ".")) {
        return NULL;
    }
    if (!PyList_Check(argv[0])) {
        return raise_error(q->state, EXC_ClientError, "Ops must be list.");
    }
    if (q->face->strict && check_operations(q, argv[0]) < 0) {
        return NULL;
    }
    Py_XSETREF(q->ops, PyList_GetSlice(argv[0], 0, PY_SSIZE_T_MAX));
    return q->ops == NULL ? NULL : Py_NewRef((PyObject *)q);
}

static int
client_error(const Query *q, const char *text)
{
    raise_error(q->state, EXC_ClientError, "%s", text);
    return -1;
}

/* What a UDF cannot be given says so in one way, at any depth. */
static int
pack_args(Query *q, PyObject *list, aero_buf *out)
{
    Encoder enc = {.state = q->state,
                   .face = q->face,
                   .bool_as_int = q->client->bool_as_int};

    if (list == NULL || list == Py_None) {
        aero_buf_put_u8(out, 0x90); /* no items */
        return 0;
    }
    if (!PyList_Check(list)) {
        return client_error(q, "udf function arguments must be enclosed in a "
                               "list");
    }
    if (value_pack(&enc, list, out) == 0) {
        return 0;
    }
    return q->face->strict
               ? client_error(q, "udf function argument type must be "
                                 "supported by Aerospike")
               : -1;
}

int
query_set_udf(Query *q, PyObject *module, PyObject *function, PyObject *args)
{
    aero_buf packed = AERO_BUF_INIT;
    aero_span text;
    int rc;

    if (!PyUnicode_Check(module) || !PyUnicode_Check(function)) {
        return client_error(q, PyUnicode_Check(module)
                                   ? "function name must be a string"
                                   : "udf module argument must be a string");
    }
    rc = value_as_text(q->state, module, &text);
    rc = rc < 0 ? rc : value_as_text(q->state, function, &text);
    rc = rc < 0 ? rc : pack_args(q, args, &packed);
    if (rc == 0 && packed.failed) {
        PyErr_NoMemory();
        rc = -1;
    }
    if (rc < 0) {
        aero_buf_fini(&packed);
        return -1;
    }
    aero_buf_fini(&q->args);
    q->args = packed;
    Py_XSETREF(q->module, Py_NewRef(module));
    Py_XSETREF(q->function, Py_NewRef(function));
    return 0;
}

PyObject *
query_do_apply(Query *q, PyObject *const *argv)
{
    return query_is_connected(q, ".")
               ? self_if((PyObject *)q,
                         query_set_udf(q, argv[0], argv[1], argv[2]))
               : NULL;
}

PyObject *
query_do_paginate(Query *q, PyObject *const *argv)
{
    (void)argv;
    if (!query_is_connected(q, ".")) {
        return NULL;
    }
    q->paginates = true;
    Py_RETURN_TRUE;
}

PyObject *
query_do_is_done(Query *q, PyObject *const *argv)
{
    (void)argv;
    return PyBool_FromLong(q->parts != NULL && aero_parts_are_done(q->parts));
}

PyObject *
query_do_status(Query *q, PyObject *const *argv)
{
    (void)argv;
    return q->parts == NULL ? PyDict_New() : parts_show(q->parts);
}

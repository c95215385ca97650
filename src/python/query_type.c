/* The types of query and scan objects, of both clients and faces.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "method.h"
#include "query.h"
#include "query_arrow.h"
#include "query_methods.inc"
#include "query_work.h"

/* ---- making ---- */

typedef struct TypeChoice {
    bool is_scan;
    bool is_async;
    bool strict;
} TypeChoice;

static PyTypeObject *
type_of(ModState *state, TypeChoice choice)
{
    size_t at = 3 * (size_t)choice.is_scan;

    at += choice.is_async ? 1 : choice.strict ? 2 : 0;
    return state->QueryTypes[at];
}

Query *
query_new(Client *client, PyObject *ns, PyObject *set, bool is_scan)
{
    ModState *state = client->state;
    TypeChoice choice = {is_scan, client->is_async, client->face->strict};
    PyTypeObject *type;
    Query *q;

    if (!PyUnicode_Check(ns)) {
        return raise_param_type(state, "Namespace should be a string");
    }
    if (set == NULL || set == Py_None) {
        set = Py_None;
    }
    else if (!PyUnicode_Check(set)) {
        return raise_param_type(state, "Set should be string, unicode or "
                                       "None");
    }
    type = type_of(state, choice);
    q = (Query *)type->tp_alloc(type, 0);
    if (q == NULL) {
        return NULL;
    }
    q->state = state;
    q->face = client->face;
    q->client = (Client *)Py_NewRef(client);
    q->is_scan = is_scan;
    q->ns = Py_NewRef(ns);
    q->set = Py_NewRef(set);
    return q;
}

/* What binding had to say becomes a ParamError, as both peers do here. */
static void *
bad_arguments(Client *client, bool is_scan)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    if (client->face->strict) {
        return raise_param_type(
            client->state, is_scan ? "Parameters are incorrect"
                                   : "query() expects atleast 1 parameter");
    }
    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    raise_param_type(client->state, "%S", exc);
    Py_XDECREF(type);
    Py_XDECREF(exc);
    Py_XDECREF(trace);
    return NULL;
}

PyObject *
query_make(Client *client, const Signature *sig, bool is_scan,
           PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    aero_cluster *cluster = client_cluster(client);
    PyObject *argv[ARGS_MAX];

    if (cluster == NULL) {
        return NULL;
    }
    aero_cluster_release(cluster);
    if (args_bind(client->state, sig, args, nargs, kwnames, argv) < 0) {
        return bad_arguments(client, is_scan);
    }
    return (PyObject *)query_new(client, argv[0], argv[1], is_scan);
}

/* ---- the methods ---- */

static PyObject *
plain(PyObject *self, const Signature *sigs,
      PyObject *(*work)(Query *, PyObject *const *), PyObject *const *args,
      Py_ssize_t nargs, PyObject *kwnames)
{
    Query *q = (Query *)self;
    PyObject *argv[ARGS_MAX];

    if (args_bind(q->state, &sigs[q->face->index], args, nargs, kwnames,
                  argv) < 0) {
        return NULL;
    }
    return errors_told(q->state, q->face, work(q, argv));
}

#define DEFINE(name, how, work)                                               \
    static PyObject *m_##name(PyObject *self, PyObject *const *args,          \
                              Py_ssize_t nargs, PyObject *kwnames)            \
    {                                                                         \
        return how(self, sig_##name, work, args, nargs, kwnames);             \
    }

/* ident, method, how it is called, what does it */
#define COMMON_METHODS(X)                                                     \
    X(q_add_ops, add_ops, plain, query_do_add_ops)                            \
    X(q_stream, stream, plain, query_do_stream)                               \
    X(q__stream_with_ids, _stream_with_ids, plain, query_do_stream_with_ids)  \
    X(q_execute_background, execute_background, query_run,                    \
      query_build_background)                                                 \
    X(q_pages, pages, plain, query_do_pages)                                  \
    X(q__page, _page, query_run, query_build_page)                            \
    X(q_arrow, arrow, plain, query_do_arrow)                                  \
    X(q__arrow_stream, _arrow_stream, plain, query_do_arrow_stream)           \
    X(q__arrow_table, _arrow_table, query_run, query_build_arrow_table)       \
    X(q_paginate, paginate, plain, query_do_paginate)                         \
    X(q_is_done, is_done, plain, query_do_is_done)                            \
    X(q_get_partitions_status, get_partitions_status, plain, query_do_status) \
    X(q_get_parts, get_parts, plain, query_do_status)
#define QUERY_METHODS(X)                                                      \
    X(Query_where, where, plain, query_do_where)                              \
    X(Query_where_with_index_name, where_with_index_name, plain,              \
      query_do_where_index)                                                   \
    X(Query_where_with_expr, where_with_expr, plain, query_do_where_expr)     \
    X(Query_apply, apply, plain, query_do_apply)                              \
    X(Query_results, results, query_run_results, query_build_results)         \
    X(Query__values, _values, query_run, query_build_results)                 \
    X(Query__aggregation, _aggregation, plain, query_do_aggregation)          \
    X(Query__decode, _decode, plain, query_do_decode)                         \
    X(Query_foreach, foreach, plain, query_do_foreach)
#define SCAN_METHODS(X)                                                       \
    X(Scan_apply, apply, plain, query_do_apply)                               \
    X(Scan_results, results, query_run, query_build_scan_results)             \
    X(Scan_foreach, foreach, plain, query_do_foreach)

#define DEFINE_ROW(ident, name, how, work) DEFINE(ident, how, work)
COMMON_METHODS(DEFINE_ROW)
QUERY_METHODS(DEFINE_ROW)
SCAN_METHODS(DEFINE_ROW)

#define ENTRY(ident, name, how, work)                                         \
    {#name, (PyCFunction)(void (*)(void))m_##ident,                           \
     METH_FASTCALL | METH_KEYWORDS, doc_##ident},
#define SELECT                                                                \
    {                                                                         \
        "select", (PyCFunction)(void (*)(void))query_select, METH_FASTCALL,   \
            doc_q_select                                                      \
    }

/* First, because asynchronous types go without: they cannot wait there. */
#define ARROW                                                                 \
    {                                                                         \
        "__arrow_c_stream__",                                                 \
            (PyCFunction)(void (*)(void))query_arrow_capsule,                 \
            METH_FASTCALL | METH_KEYWORDS, arrow_stream_doc                   \
    }

static PyMethodDef query_methods[] = {
    ARROW, SELECT,
    COMMON_METHODS(ENTRY) QUERY_METHODS(ENTRY){NULL, NULL, 0, NULL}};
static PyMethodDef scan_methods[] = {
    ARROW, SELECT,
    COMMON_METHODS(ENTRY) SCAN_METHODS(ENTRY){NULL, NULL, 0, NULL}};

/* Of the main face, in place of what the slots gave. */
static const PyMethodDef query_functions[] = {
    COMMON_METHODS(ENTRY) QUERY_METHODS(ENTRY){NULL, NULL, 0, NULL}};
static const PyMethodDef scan_functions[] = {
    COMMON_METHODS(ENTRY) SCAN_METHODS(ENTRY){NULL, NULL, 0, NULL}};

/* Of the asynchronous kinds, in place of these. */
static const PyMethodDef async_query_coroutines[] = {
    ENTRY(Query_results, results, , ) ENTRY(Query_foreach, foreach, , ) ENTRY(
        q_execute_background, execute_background, , ){NULL, NULL, 0, NULL}};
static const PyMethodDef async_scan_coroutines[] = {
    ENTRY(Scan_results, results, , ) ENTRY(Scan_foreach, foreach, , ) ENTRY(
        q_execute_background, execute_background, , ){NULL, NULL, 0, NULL}};

int
query_intern_params(ModState *state)
{
#define INTERN(ident, name, how, work)                                        \
    if (args_intern(state, &sig_##ident[0]) < 0 ||                            \
        args_intern(state, &sig_##ident[1]) < 0) {                            \
        return -1;                                                            \
    }
    COMMON_METHODS(INTERN)
    QUERY_METHODS(INTERN)
    SCAN_METHODS(INTERN)
    return 0;
#undef INTERN
}

/* ---- attributes ---- */

static int
set_number(Query *q, PyObject *value, const char *what, uint64_t most,
           uint64_t *out)
{
    uint64_t number;

    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot delete %s", what);
        return -1;
    }
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be an int", what);
        return -1;
    }
    number = PyLong_AsUnsignedLongLong(value);
    if (PyErr_Occurred() || number > most) {
        PyErr_Clear();
        raise_error(q->state, EXC_ParamOverflowError,
                    "%s must be between 0 and %llu", what,
                    (unsigned long long)most);
        return -1;
    }
    *out = number;
    return 0;
}

static PyObject *
get_max_records(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(((Query *)self)->max_records);
}

static int
set_max_records(PyObject *self, PyObject *value, void *unused)
{
    Query *q = (Query *)self;

    (void)unused;
    return set_number(q, value, "max_records", INT64_MAX, &q->max_records);
}

static PyObject *
get_u32(PyObject *self, void *offset)
{
    return PyLong_FromUnsignedLong(
        *(uint32_t *)((char *)self + (size_t)offset));
}

static int
set_u32(PyObject *self, PyObject *value, void *offset)
{
    uint64_t number;

    if (set_number((Query *)self, value,
                   (size_t)offset == offsetof(Query, ttl)
                       ? "ttl"
                       : "records_per_second",
                   UINT32_MAX, &number) < 0) {
        return -1;
    }
    *(uint32_t *)((char *)self + (size_t)offset) = (uint32_t)number;
    return 0;
}

static PyGetSetDef query_getset[] = {
    {"max_records", get_max_records, set_max_records,
     "Stop after about so many records; 0: all.", NULL},
    {"records_per_second", get_u32, set_u32,
     "Records a second and node; 0: no limit.",
     (void *)offsetof(Query, records_per_second)},
    {"ttl", get_u32, set_u32, "Time to live that background writes set.",
     (void *)offsetof(Query, ttl)},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef query_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Query, weakrefs), READONLY,
     NULL},
    {NULL, 0, 0, 0, NULL},
};

/* ---- the types ---- */

static int
query_traverse(PyObject *self, visitproc visit, void *arg)
{
    Query *q = (Query *)self;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(q->client);
    Py_VISIT(q->bins);
    Py_VISIT(q->ops);
    return 0;
}

static int
query_clear(PyObject *self)
{
    Py_CLEAR(((Query *)self)->ops);
    return 0;
}

static void
query_dealloc(PyObject *self)
{
    Query *q = (Query *)self;
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    if (q->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    aero_parts_release(q->parts);
    aero_buf_fini(&q->args);
    aero_buf_fini(&q->range);
    aero_buf_fini(&q->context);
    aero_buf_fini(&q->index_exp);
    query_clear(self);
    Py_CLEAR(q->index);
    Py_CLEAR(q->module);
    Py_CLEAR(q->function);
    Py_CLEAR(q->bins);
    Py_CLEAR(q->ns);
    Py_CLEAR(q->set);
    Py_CLEAR(q->client);
    type->tp_free(self);
    Py_DECREF(type);
}

#define TYPE_SLOTS(methods, iter_slot, doc)                                   \
    {Py_tp_doc, doc}, {iter_slot, query_start},                               \
        {Py_tp_dealloc, query_dealloc}, {Py_tp_traverse, query_traverse},     \
        {Py_tp_clear, query_clear}, {Py_tp_methods, methods},                 \
        {Py_tp_getset, query_getset}, {Py_tp_members, query_members},         \
    {                                                                         \
        0, NULL                                                               \
    }

static PyType_Slot query_slots[] = {TYPE_SLOTS(
    query_methods, Py_tp_iter, "Records of a set, all or by an index.")};
static PyType_Slot scan_slots[] = {
    TYPE_SLOTS(scan_methods, Py_tp_iter, "All records of a set.")};
static PyType_Slot async_query_slots[] = {TYPE_SLOTS(
    query_methods + 1, Py_am_aiter, "Records of a set, all or by an index.")};
static PyType_Slot async_scan_slots[] = {
    TYPE_SLOTS(scan_methods + 1, Py_am_aiter, "All records of a set.")};

#define SPEC(module, kind, its_slots)                                         \
    {                                                                         \
        .name = module "." kind, .basicsize = sizeof(Query),                  \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |                    \
                 Py_TPFLAGS_DISALLOW_INSTANTIATION,                           \
        .slots = its_slots                                                    \
    }

/* In the order of type_of. */
static PyType_Spec specs[QUERY_TYPES] = {
    SPEC("aerospike_py._aerospike", "Query", query_slots),
    SPEC("aerospike_py._aerospike", "AsyncQuery", async_query_slots),
    SPEC("aerospike", "Query", query_slots),
    SPEC("aerospike_py._aerospike", "Scan", scan_slots),
    SPEC("aerospike_py._aerospike", "AsyncScan", async_scan_slots),
    SPEC("aerospike", "Scan", scan_slots),
};

int
query_setup_types(PyObject *module)
{
    static const char *const names[QUERY_TYPES] = {
        "Query", "AsyncQuery", "OfficialQuery",
        "Scan",  "AsyncScan",  "OfficialScan"};
    ModState *state = PyModule_GetState(module);

    for (int i = 0; i < QUERY_TYPES; i++) {
        if (client_add_type(module, &specs[i], names[i],
                            &state->QueryTypes[i]) < 0) {
            return -1;
        }
    }
    if (methods_add(state, state->QueryTypes[0], query_functions, false) < 0 ||
        methods_add(state, state->QueryTypes[1], query_functions, false) < 0 ||
        methods_add(state, state->QueryTypes[3], scan_functions, false) < 0 ||
        methods_add(state, state->QueryTypes[4], scan_functions, false) < 0 ||
        methods_add(state, state->QueryTypes[1], async_query_coroutines,
                    true) < 0 ||
        methods_add(state, state->QueryTypes[4], async_scan_coroutines, true) <
            0) {
        return -1;
    }
    if (client_add_type(module, &stream_spec, "RecordStream",
                        &state->StreamType) < 0 ||
        client_add_type(module, &async_stream_spec, "AsyncRecordStream",
                        &state->AsyncStreamType) < 0) {
        return -1;
    }
    return client_add_type(module, &ready_spec, "Ready", &state->ReadyType);
}

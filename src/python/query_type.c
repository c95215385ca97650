/* The query and scan objects of both clients and faces: what they collect, and
 * what starts them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "query.h"
#include "query_methods.inc"

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

/* ---- calls that ask the cluster ---- */

static bool
is_connected(const Query *q, const char *text)
{
    aero_cluster *cluster = client_peek(q->client);

    if (cluster == NULL && q->face->strict) {
        raise_error(q->state, EXC_NotConnected,
                    "No connection to aerospike cluster%s", text);
        return false;
    }
    aero_cluster_release(cluster);
    return true;
}

static PyObject *
run(PyObject *self, const Signature *sigs, call_build build,
    PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Query *q = (Query *)self;
    const Signature *sig = &sigs[q->face->index];
    Call *call;

    if (q->client->is_async) {
        return op_new_of(q->client, self, sig, build, args, nargs, kwnames);
    }
    if (!is_connected(q, "")) {
        return NULL;
    }
    call = call_new(q->client, sig);
    if (call == NULL) {
        return NULL;
    }
    call->self = self;
    if (args_bind(q->state, sig, args, nargs, kwnames, call->argv) < 0 ||
        build(call) < 0) {
        call_free(call);
        return NULL;
    }
    return call_run(call);
}

static int
build_collect(Call *call, const QueryWish *wish)
{
    Stream *stream = stream_new((Query *)call->self, call, wish);

    return stream == NULL ? -1 : stream_collect(call, stream);
}

static int
build_query_results(Call *call)
{
    QueryWish wish = {.policy = call->argv[0], .options = call->argv[1]};

    return build_collect(call, &wish);
}

static int
build_scan_results(Call *call)
{
    QueryWish wish = {.policy = call->argv[0], .nodename = call->argv[1]};

    return build_collect(call, &wish);
}

static int
build_background(Call *call)
{
    Query *q = (Query *)call->self;

    return job_build(call, q,
                     q->is_scan ? AERO_POLICY_SCAN : AERO_POLICY_WRITE,
                     call->argv[0], false);
}

/* ---- pages ---- */

static int
check_size(const Query *q, PyObject *size, uint64_t *out)
{
    int64_t number = 0;

    if (!PyLong_Check(size)) {
        raise_param_type(q->state, "the size of a page must be an int");
        return -1;
    }
    if (value_as_int64(q->state, size, "size", &number) < 0) {
        return -1;
    }
    if (number <= 0) {
        raise_param_value(q->state, "the size of a page must be positive");
        return -1;
    }
    *out = (uint64_t)number;
    return 0;
}

/* Where the page begins: behind the last one, or as the policy says. */
static aero_parts *
page_parts(const Query *q, PyObject *cursor, PyObject *policy)
{
    PyObject *filter = NULL;
    aero_parts *parts;

    if (cursor != NULL && cursor != Py_None) {
        if (PyBytes_Check(cursor)) {
            return parts_of_filter(q->state, cursor);
        }
        return raise_param_type(q->state, "a cursor is bytes");
    }
    if (policy != NULL && PyDict_Check(policy)) {
        filter = PyDict_GetItemString(policy, "partition_filter");
    }
    if (filter != NULL && filter != Py_None) {
        return parts_of_filter(q->state, filter);
    }
    parts = aero_parts_new(0, AERO_PARTITIONS);
    return parts != NULL ? parts : (aero_parts *)PyErr_NoMemory();
}

/* (records, cursor or None) */
static PyObject *
finish_page(Call *call)
{
    Stream *stream = (Stream *)call->hold;
    PyObject *records = stream_finish_collect(call);
    PyObject *cursor;

    if (records == NULL) {
        return NULL;
    }
    cursor = aero_parts_are_done(stream->query.parts)
                 ? Py_NewRef(Py_None)
                 : parts_cursor(stream->query.parts);
    return result_tuple(&PyTuple_Type, 2, records, cursor);
}

static int
build_page(Call *call)
{
    Query *q = (Query *)call->self;
    QueryWish wish = {.policy = call->argv[2]};
    int rc;

    if (check_size(q, call->argv[0], &wish.page_size) < 0) {
        return -1;
    }
    if (q->module != NULL) {
        raise_param_value(q->state, "what a stream UDF gives has no pages");
        return -1;
    }
    wish.parts = page_parts(q, call->argv[1], call->argv[2]);
    if (wish.parts == NULL) {
        return -1;
    }
    rc = build_collect(call, &wish);
    aero_parts_release(wish.parts);
    call->finish = finish_page;
    return rc;
}

/* ---- what only collects ---- */

static PyObject *
q_select(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Query *q = (Query *)self;
    PyObject *bins;

    if (q->bins != NULL && q->face->strict) {
        return raise_error(q->state, EXC_ClientError,
                           "select() was called already");
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

static PyObject *
self_if(PyObject *self, int rc)
{
    return rc < 0 ? NULL : Py_NewRef(self);
}

static PyObject *
do_where(Query *q, PyObject *const *argv)
{
    WhereBy by = {.predicate = argv[0], .context = argv[1]};

    return self_if((PyObject *)q, query_where(q, &by));
}

static PyObject *
do_where_index(Query *q, PyObject *const *argv)
{
    WhereBy by = {.predicate = argv[1], .index = argv[0]};

    return self_if((PyObject *)q, query_where(q, &by));
}

static PyObject *
do_where_expr(Query *q, PyObject *const *argv)
{
    WhereBy by = {.predicate = argv[1], .exp = argv[0]};

    return self_if((PyObject *)q, query_where(q, &by));
}

static PyObject *
do_add_ops(Query *q, PyObject *const *argv)
{
    if (!is_connected(q, ".")) {
        return NULL;
    }
    if (!PyList_Check(argv[0])) {
        return raise_error(q->state, EXC_ClientError, "Ops must be list.");
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

static PyObject *
do_apply(Query *q, PyObject *const *argv)
{
    return is_connected(q, ".")
               ? self_if((PyObject *)q,
                         query_set_udf(q, argv[0], argv[1], argv[2]))
               : NULL;
}

static PyObject *
do_paginate(Query *q, PyObject *const *argv)
{
    (void)argv;
    if (!is_connected(q, ".")) {
        return NULL;
    }
    q->paginates = true;
    Py_RETURN_TRUE;
}

static PyObject *
do_is_done(Query *q, PyObject *const *argv)
{
    (void)argv;
    return PyBool_FromLong(q->parts != NULL && aero_parts_are_done(q->parts));
}

static PyObject *
do_status(Query *q, PyObject *const *argv)
{
    (void)argv;
    return q->parts == NULL ? PyDict_New() : parts_show(q->parts);
}

/* ---- what starts a stream ---- */

static PyObject *
start_stream(Query *q, const QueryWish *wish)
{
    static const Signature sig = {.method = "stream"};
    Call *call;
    Stream *stream;

    if (!is_connected(q, "")) {
        return NULL;
    }
    call = call_new(q->client, &sig);
    if (call == NULL) {
        return NULL;
    }
    stream = stream_new(q, call, wish);
    call_free(call);
    return (PyObject *)stream;
}

static PyObject *
do_stream(Query *q, PyObject *const *argv)
{
    QueryWish wish = {
        .policy = argv[0], .options = argv[1], .nodename = argv[2]};

    return start_stream(q, &wish);
}

static PyObject *
do_stream_with_ids(Query *q, PyObject *const *argv)
{
    QueryWish wish = {.policy = argv[0],
                      .options = argv[1],
                      .nodename = argv[2],
                      .with_ids = true};

    return start_stream(q, &wish);
}

static PyObject *
query_iter(PyObject *self)
{
    const QueryWish wish = {0};

    return start_stream((Query *)self, &wish);
}

/* ---- what is written in Python ---- */

static PyObject *
call_python(const char *name, PyObject *const *args, size_t count)
{
    PyObject *module = PyImport_ImportModule("aerospike_py._query");
    PyObject *function =
        module == NULL ? NULL : PyObject_GetAttrString(module, name);
    PyObject *made = function == NULL
                         ? NULL
                         : PyObject_Vectorcall(function, args, count, NULL);

    Py_XDECREF(module);
    Py_XDECREF(function);
    return made;
}

static PyObject *
or_none(PyObject *obj)
{
    return obj == NULL ? Py_None : obj;
}

/* argv: callback, policy, options and, of a scan, nodename */
static PyObject *
do_foreach(Query *q, PyObject *const *argv)
{
    PyObject *args[] = {(PyObject *)q,
                        argv[0],
                        or_none(argv[1]),
                        or_none(argv[2]),
                        q->is_scan ? or_none(argv[3]) : Py_None,
                        q->face->strict ? Py_True : Py_False};

    return call_python(q->client->is_async ? "foreach_async" : "foreach", args,
                       6);
}

static PyObject *
do_pages(Query *q, PyObject *const *argv)
{
    PyObject *args[] = {(PyObject *)q, argv[0], or_none(argv[1]),
                        or_none(argv[2])};
    uint64_t size;

    if (check_size(q, argv[0], &size) < 0) {
        return NULL;
    }
    return call_python(q->client->is_async ? "AsyncPages" : "Pages", args, 4);
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
    return work(q, argv);
}

#define DEFINE(name, how, work)                                               \
    static PyObject *m_##name(PyObject *self, PyObject *const *args,          \
                              Py_ssize_t nargs, PyObject *kwnames)            \
    {                                                                         \
        return how(self, sig_##name, work, args, nargs, kwnames);             \
    }

/* ident, method, how it is called, what does it */
#define COMMON_METHODS(X)                                                     \
    X(q_add_ops, add_ops, plain, do_add_ops)                                  \
    X(q_stream, stream, plain, do_stream)                                     \
    X(q__stream_with_ids, _stream_with_ids, plain, do_stream_with_ids)        \
    X(q_execute_background, execute_background, run, build_background)        \
    X(q_pages, pages, plain, do_pages)                                        \
    X(q__page, _page, run, build_page)                                        \
    X(q_paginate, paginate, plain, do_paginate)                               \
    X(q_is_done, is_done, plain, do_is_done)                                  \
    X(q_get_partitions_status, get_partitions_status, plain, do_status)       \
    X(q_get_parts, get_parts, plain, do_status)
#define QUERY_METHODS(X)                                                      \
    X(Query_where, where, plain, do_where)                                    \
    X(Query_where_with_index_name, where_with_index_name, plain,              \
      do_where_index)                                                         \
    X(Query_where_with_expr, where_with_expr, plain, do_where_expr)           \
    X(Query_apply, apply, plain, do_apply)                                    \
    X(Query_results, results, run, build_query_results)                       \
    X(Query_foreach, foreach, plain, do_foreach)
#define SCAN_METHODS(X)                                                       \
    X(Scan_apply, apply, plain, do_apply)                                     \
    X(Scan_results, results, run, build_scan_results)                         \
    X(Scan_foreach, foreach, plain, do_foreach)

#define DEFINE_ROW(ident, name, how, work) DEFINE(ident, how, work)
COMMON_METHODS(DEFINE_ROW)
QUERY_METHODS(DEFINE_ROW)
SCAN_METHODS(DEFINE_ROW)

#define ENTRY(ident, name, how, work)                                         \
    {#name, (PyCFunction)(void (*)(void))m_##ident,                           \
     METH_FASTCALL | METH_KEYWORDS, doc_##ident},
#define SELECT                                                                \
    {                                                                         \
        "select", (PyCFunction)(void (*)(void))q_select, METH_FASTCALL,       \
            doc_q_select                                                      \
    }

static PyMethodDef query_methods[] = {
    SELECT, COMMON_METHODS(ENTRY) QUERY_METHODS(ENTRY){NULL, NULL, 0, NULL}};
static PyMethodDef scan_methods[] = {
    SELECT, COMMON_METHODS(ENTRY) SCAN_METHODS(ENTRY){NULL, NULL, 0, NULL}};

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
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot delete %s", what);
        return -1;
    }
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be an int", what);
        return -1;
    }
    *out = PyLong_AsUnsignedLongLong(value);
    if (PyErr_Occurred() || *out > most) {
        PyErr_Clear();
        raise_error(q->state, EXC_ParamOverflowError,
                    "%s must be between 0 and %llu", what,
                    (unsigned long long)most);
        return -1;
    }
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
    {Py_tp_doc, doc}, {iter_slot, query_iter},                                \
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
    query_methods, Py_am_aiter, "Records of a set, all or by an index.")};
static PyType_Slot async_scan_slots[] = {
    TYPE_SLOTS(scan_methods, Py_am_aiter, "All records of a set.")};

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
    if (client_add_type(module, &stream_spec, "RecordStream",
                        &state->StreamType) < 0 ||
        client_add_type(module, &async_stream_spec, "AsyncRecordStream",
                        &state->AsyncStreamType) < 0) {
        return -1;
    }
    return client_add_type(module, &ready_spec, "Ready", &state->ReadyType);
}

/* What starts a query: for all records, a page, a stream, or as a job.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "query.h"
#include "query_work.h"

/* ---- calls that ask the cluster ---- */

bool
query_is_connected(const Query *q, const char *text)
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

PyObject *
query_run(PyObject *self, const Signature *sigs, call_build build,
          PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Query *q = (Query *)self;
    const Signature *sig = &sigs[q->face->index];
    Call *call;

    if (q->client->is_async) {
        return op_new_of(q->client, self, sig, build, args, nargs, kwnames);
    }
    if (!query_is_connected(q, "")) {
        return errors_told(q->state, q->face, NULL);
    }
    call = call_new(q->client);
    if (call == NULL) {
        return NULL;
    }
    call->sig = sig;
    call->self = self;
    if (args_bind(q->state, sig, args, nargs, kwnames, call->argv) < 0 ||
        build(call) < 0) {
        call_free(call);
        return errors_told(q->state, q->face, NULL);
    }
    return errors_told(q->state, q->face, call_run(call));
}

static int
build_collect(Call *call, const QueryWish *wish)
{
    Stream *stream = stream_new((Query *)call->self, call, wish);

    return stream == NULL ? -1 : stream_collect(call, stream);
}

int
query_build_results(Call *call)
{
    QueryWish wish = {.policy = call->argv[0], .options = call->argv[1]};

    return build_collect(call, &wish);
}

int
query_build_scan_results(Call *call)
{
    QueryWish wish = {.policy = call->argv[0], .nodename = call->argv[1]};

    return build_collect(call, &wish);
}

int
query_build_background(Call *call)
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

int
query_build_page(Call *call)
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

/* ---- what starts a stream ---- */

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

/* An iterator over what a stream UDF gives. */
static PyObject *
start_values(Query *q, const QueryWish *wish)
{
    PyObject *args[] = {(PyObject *)q, or_none(wish->policy),
                        or_none(wish->options)};

    return call_python(q->client->is_async ? "AsyncValues" : "Values", args,
                       3);
}

static PyObject *
start_stream(Query *q, const QueryWish *wish)
{
    Call *call;
    Stream *stream;

    if (!query_is_connected(q, "")) {
        return NULL;
    }
    if (q->module != NULL) {
        return start_values(q, wish);
    }
    call = call_new(q->client);
    if (call == NULL) {
        return NULL;
    }
    stream = stream_new(q, call, wish);
    call_free(call);
    return (PyObject *)stream;
}

PyObject *
query_do_stream(Query *q, PyObject *const *argv)
{
    QueryWish wish = {
        .policy = argv[0], .options = argv[1], .nodename = argv[2]};

    return start_stream(q, &wish);
}

PyObject *
query_do_stream_with_ids(Query *q, PyObject *const *argv)
{
    QueryWish wish = {.policy = argv[0],
                      .options = argv[1],
                      .nodename = argv[2],
                      .with_ids = true};

    return start_stream(q, &wish);
}

PyObject *
query_start(PyObject *self)
{
    const QueryWish wish = {0};

    return start_stream((Query *)self, &wish);
}

/* argv: callback, policy, options and, of a scan, nodename */
PyObject *
query_do_foreach(Query *q, PyObject *const *argv)
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

PyObject *
query_do_pages(Query *q, PyObject *const *argv)
{
    PyObject *args[] = {(PyObject *)q, argv[0], or_none(argv[1]),
                        or_none(argv[2])};
    uint64_t size;

    if (check_size(q, argv[0], &size) < 0) {
        return NULL;
    }
    return call_python(q->client->is_async ? "AsyncPages" : "Pages", args, 4);
}

/* ---- stream UDFs ---- */

PyObject *
query_run_results(PyObject *self, const Signature *sigs, call_build build,
                  PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Query *q = (Query *)self;
    PyObject *argv[ARGS_MAX];
    PyObject *given[3];

    if (q->module == NULL) {
        return query_run(self, sigs, build, args, nargs, kwnames);
    }
    if (args_bind(q->state, &sigs[q->face->index], args, nargs, kwnames,
                  argv) < 0) {
        return NULL;
    }
    given[0] = self;
    given[1] = or_none(argv[0]);
    given[2] = or_none(argv[1]);
    return call_python(q->client->is_async ? "aggregate_async" : "aggregate",
                       given, 3);
}

/* (module, function, packed arguments, folder or None, client) */
PyObject *
query_do_aggregation(Query *q, PyObject *const *argv)
{
    PyObject *folder =
        PyDict_GetItemString(q->client->config, "lua_user_path");

    (void)argv;
    if (folder == NULL && q->face->strict) {
        return Py_BuildValue("OOy#sO", q->module, q->function,
                             (const char *)q->args.ptr,
                             (Py_ssize_t)q->args.len, ".", q->client);
    }
    return Py_BuildValue("OOy#OO", q->module, q->function,
                         (const char *)q->args.ptr, (Py_ssize_t)q->args.len,
                         or_none(folder), q->client);
}

/* Pairs of particle and bytes to values. */
PyObject *
query_do_decode(Query *q, PyObject *const *argv)
{
    Decoder dec = {.state = q->state, .face = q->face};
    PyObject *list = PyList_New(0);

    if (list != NULL && !PyList_Check(argv[0])) {
        PyErr_SetString(PyExc_TypeError, "pairs must be a list");
        Py_CLEAR(list);
    }
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(argv[0]); i++) {
        unsigned char particle;
        const char *bytes;
        Py_ssize_t len;
        PyObject *value = NULL;

        if (PyArg_ParseTuple(PyList_GET_ITEM(argv[0], i), "by#", &particle,
                             &bytes, &len)) {
            value =
                value_take(&dec, particle, aero_span_of(bytes, (size_t)len));
        }
        if (value == NULL || PyList_Append(list, value) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(value);
    }
    return list;
}

PyObject *
query_call_python(const char *name, Query *q, PyObject *const *argv,
                  size_t count)
{
    PyObject *args[ARGS_MAX + 1] = {(PyObject *)q};

    for (size_t i = 0; i < count; i++) {
        args[i + 1] = or_none(argv[i]);
    }
    return call_python(name, args, count + 1);
}

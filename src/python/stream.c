/* Streams: the records of one run of a query, one at a time or all of them.
 *
 * A frame is decoded record by record, with the interpreter's lock, as they
 * are asked for; when it is used up a call lets the task go on to the next
 * one.  Connections are closed by whoever runs the task, never by the one who
 * happens to drop the last reference.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "build.h"
#include "query.h"

/* Between two frames a stream holds no place among the operations that may
 * run at once. */
static const Signature sig_next = {.method = "__anext__"};
static const Signature sig_close = {.method = "aclose"};

/* ---- making ---- */

static void
evict(Guest *guest)
{
    Stream *s = (Stream *)((char *)guest - offsetof(Stream, guest));

    s->evicted = true;
    aero_query_cancel(&s->query, AERO_ERR_CLIENT_ABORT,
                      "the client was "
                      "closed");
}

/* The client's half of a stream UDF, from the part that knows Lua. */
static PyObject *
make_reducer(const Query *q)
{
    ModState *state = q->state;
    PyObject *path = PyDict_GetItemString(q->client->config, "lua_user_path");
    PyObject *module = PyImport_ImportModule("aerospike_py._lua");
    PyObject *factory =
        module == NULL ? NULL : PyObject_GetAttrString(module, "Reducer");
    Decoder dec = {.state = state, .face = q->face};
    PyObject *args;
    PyObject *made;

    Py_XDECREF(module);
    if (factory == NULL) {
        return raise_error(state, EXC_ClientError,
                           "stream UDFs need the Lua part of aerospike_py, "
                           "which is not there");
    }
    args = value_unpack(&dec, aero_buf_span(&q->args));
    made = args == NULL ? NULL
                        : PyObject_CallFunctionObjArgs(
                              factory, q->module, q->function, args,
                              path != NULL ? path : Py_None, NULL);
    Py_XDECREF(args);
    Py_DECREF(factory);
    return made;
}

Stream *
stream_new(Query *q, Call *call, const QueryWish *wish)
{
    PyTypeObject *type =
        q->client->is_async ? q->state->AsyncStreamType : q->state->StreamType;
    Stream *s = (Stream *)type->tp_alloc(type, 0);
    Decoder dec;

    if (s == NULL) {
        return NULL;
    }
    s->state = q->state;
    s->owner = (Query *)Py_NewRef(q);
    s->is_async = q->client->is_async;
    s->guest.evict = evict;
    s->pid = (long)getpid();
    aero_query_init(&s->query);
    if (query_put(q, call, wish, s) < 0) {
        Py_DECREF(s);
        return NULL;
    }
    dec = call_decoder(call);
    if (record_maker_init(&s->maker, &dec, q->ns, q->set) < 0 ||
        (q->module != NULL && (s->reducer = make_reducer(q)) == NULL)) {
        Py_DECREF(s);
        return NULL;
    }
    return s;
}

/* ---- taking ---- */

/* Something went wrong on our side: first the query is closed, then this is
 * raised. */
static void
fail_later(Stream *s)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    if (trace != NULL) {
        PyException_SetTraceback(exc, trace);
    }
    Py_XSETREF(s->error, exc);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    aero_query_close(&s->query);
}

static bool
is_named(const aero_op *op, const char *name)
{
    return aero_span_is(op->name, name);
}

/* A value that a node's half of a stream UDF gave. */
static int
feed(Stream *s, const aero_query_item *item)
{
    aero_span ops = item->ops;
    aero_status st;
    aero_op op;
    PyObject *value;
    PyObject *done;

    if (item->n_ops == 0) {
        return 0;
    }
    if (aero_op_take(&ops, &op, &st) != AERO_OK) {
        raise_status(s->state, &st);
        return -1;
    }
    value = value_take(&s->maker.dec, op.particle, op.value);
    if (value == NULL) {
        return -1;
    }
    if (is_named(&op, "FAILURE")) {
        raise_error(s->state, EXC_UDFError, "%S", value);
        Py_DECREF(value);
        return -1;
    }
    done = PyObject_CallMethodOneArg(s->reducer, s->state->str_add, value);
    Py_DECREF(value);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *
make_item(Stream *s, const aero_query_item *item)
{
    PyObject *record = record_make(&s->maker, item);

    if (record == NULL || !s->with_ids) {
        return record;
    }
    return result_tuple(
        &PyTuple_Type, 2,
        PyLong_FromUnsignedLong(aero_partition_of(item->digest)), record);
}

static PyObject *
raise_end(Stream *s)
{
    const aero_status *st = &s->query.st;

    if (s->error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(s->error), s->error);
        Py_CLEAR(s->error);
        return NULL;
    }
    if (s->evicted) {
        return raise_error(s->state, EXC_NotConnected,
                           "The client was closed");
    }
    return st->from_server ? raise_result(s->state, s->owner->face, st->code,
                                          st, NULL, NULL)
                           : raise_status(s->state, st);
}

/* Nothing more comes from the nodes. */
static PyObject *
take_end(Stream *s, bool failed)
{
    PyObject *made;

    s->over = true;
    if (failed || s->error != NULL) {
        return raise_end(s);
    }
    if (s->reducer == NULL) {
        return NULL;
    }
    made = PyObject_CallMethodNoArgs(s->reducer, s->state->str_finish);
    s->values = made == NULL ? NULL : PyObject_GetIter(made);
    Py_XDECREF(made);
    return s->values == NULL ? NULL : PyIter_Next(s->values);
}

/* The next record or value.  NULL: an exception; or, with *wait, the task has
 * to run first; or the end. */
static PyObject *
take(Stream *s, bool *wait)
{
    aero_query_item item;
    PyObject *made;

    *wait = false;
    if (s->values != NULL) {
        return PyIter_Next(s->values);
    }
    while (!s->over) {
        switch (aero_query_take_item(&s->query, &item)) {
        case AERO_QUERY_WAIT:
            *wait = true;
            return NULL;
        case AERO_QUERY_OVER:
            return take_end(s, false);
        case AERO_QUERY_FAILED:
            return take_end(s, true);
        case AERO_QUERY_ITEM:
            break;
        }
        if (s->reducer == NULL) {
            made = make_item(s, &item);
            if (made != NULL) {
                return made;
            }
        }
        else if (feed(s, &item) == 0) {
            continue;
        }
        fail_later(s);
        *wait = true;
        return NULL;
    }
    return NULL;
}

/* ---- calls that run the task ---- */

static int
begin_first(Stream *s, Call *call, const aero_source *source, uint64_t now)
{
    if (aero_query_begin(&s->query, call->cluster, source, now) != AERO_OK) {
        raise_status(s->state, &s->query.st);
        return -1;
    }
    s->cluster = aero_cluster_acquire(call->cluster);
    if (call->pump != NULL) {
        s->pump = (Pump *)Py_NewRef(call->pump);
        pump_enter(s->pump, &s->guest);
    }
    return 0;
}

static int
begin(Call *call, const aero_source *source, uint64_t now)
{
    Stream *s = (Stream *)call->hold;

    if (s->cluster == NULL && begin_first(s, call, source, now) < 0) {
        return -1;
    }
    if (s->pump != call->pump) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the query runs on another event loop");
        return -1;
    }
    if (s->cluster != call->cluster) {
        evict(&s->guest); /* the client was closed and connected again */
    }
    s->running = call;
    return 0;
}

static void
leave(Call *call)
{
    Stream *s = (Stream *)call->hold;

    if (s->running == call) {
        s->running = NULL;
    }
}

/* Whoever waited for the next record has gone; the stream stays as it is. */
static void
cancel_next(Call *call)
{
    aero_query_suspend(&((Stream *)call->hold)->query);
}

static void
cancel_all(Call *call)
{
    aero_query_cancel(&((Stream *)call->hold)->query, AERO_ERR_CLIENT_ABORT,
                      "cancelled");
}

/* Prepare `call` to run the stream.  Takes `s`. */
static void
run_stream(Call *call, Stream *s, call_finish finish,
           void (*cancel)(Call *call))
{
    call->hold = (PyObject *)s;
    call->task = &s->query.task;
    call->begin = begin;
    call->finish = finish;
    call->cancel = cancel;
    call->free_more = leave;
}

static int
check_free(Stream *s)
{
    if (s->running != NULL && !s->running->abandoned) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the stream of records is being awaited already");
        return -1;
    }
    return 0;
}

static PyObject *
finish_next(Call *call)
{
    Stream *s = (Stream *)call->hold;
    PyObject *made;

    if (PyErr_Occurred()) {
        return NULL; /* interrupted */
    }
    made = take(s, &call->again);
    if (made == NULL && !call->again && s->is_async && !PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
    }
    return made;
}

static int
build_next(Call *call)
{
    Stream *s = (Stream *)call->self;

    if (check_free(s) < 0) {
        return -1;
    }
    run_stream(call, (Stream *)Py_NewRef(s), finish_next, cancel_next);
    if (s->over) {
        call->task = NULL;
    }
    return 0;
}

static PyObject *
finish_close(Call *call)
{
    Stream *s = (Stream *)call->hold;

    if (call->task != NULL && s->query.state != AERO_QUERY_ENDED) {
        call->again = true; /* a frame was held */
        return NULL;
    }
    s->over = true;
    Py_CLEAR(s->values);
    Py_RETURN_NONE;
}

static int
build_close(Call *call)
{
    Stream *s = (Stream *)call->self;

    if (check_free(s) < 0) {
        return -1;
    }
    aero_query_close(&s->query);
    run_stream(call, (Stream *)Py_NewRef(s), finish_close, cancel_all);
    if (s->cluster == NULL || s->query.state == AERO_QUERY_ENDED) {
        call->task = NULL;
    }
    return 0;
}

/* What came before an error goes with it. */
static PyObject *
keep_partial(Stream *s)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    if (exc != NULL &&
        PyObject_SetAttr(exc, s->state->str_partial, s->list) < 0) {
        PyErr_Clear();
    }
    PyErr_Restore(type, exc, trace);
    return NULL;
}

PyObject *
stream_finish_collect(Call *call)
{
    Stream *s = (Stream *)call->hold;

    while (!PyErr_Occurred()) {
        PyObject *made = take(s, &call->again);
        int rc;

        if (made == NULL && (call->again || !PyErr_Occurred())) {
            return call->again ? NULL : Py_NewRef(s->list);
        }
        if (made == NULL) {
            break;
        }
        rc = PyList_Append(s->list, made);
        Py_DECREF(made);
        if (rc < 0) {
            fail_later(s);
            call->again = true;
            return NULL;
        }
    }
    return keep_partial(s);
}

int
stream_collect(Call *call, Stream *s)
{
    s->list = PyList_New(0);
    run_stream(call, s, stream_finish_collect, cancel_all);
    return s->list == NULL ? -1 : 0;
}

/* ---- the synchronous iterator ---- */

static bool
enter(Stream *s)
{
    if (atomic_exchange(&s->busy, true)) {
        PyErr_SetString(PyExc_ValueError,
                        "the stream of records is used by another thread");
        return false;
    }
    return true;
}

/* Wait for the next frame. */
static PyObject *
wait_for_next(Stream *s)
{
    Call *call = call_new(s->owner->client, &sig_next);

    if (call == NULL) {
        return NULL;
    }
    run_stream(call, (Stream *)Py_NewRef(s), finish_next, cancel_next);
    return call_run(call);
}

static PyObject *
stream_next(PyObject *self)
{
    Stream *s = (Stream *)self;
    PyObject *made;
    bool wait;

    if (!enter(s)) {
        return NULL;
    }
    made = take(s, &wait);
    if (wait) {
        made = wait_for_next(s);
    }
    atomic_store(&s->busy, false);
    return made;
}

static PyObject *
stream_close(PyObject *self, PyObject *unused)
{
    Stream *s = (Stream *)self;

    (void)unused;
    if (!enter(s)) {
        return NULL;
    }
    aero_query_cancel(&s->query, AERO_ERR_CLIENT_ABORT, "closed");
    s->over = true;
    Py_CLEAR(s->values);
    atomic_store(&s->busy, false);
    Py_RETURN_NONE;
}

static PyObject *
stream_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(self);
}

static PyObject *
stream_exit(PyObject *self, PyObject *args)
{
    (void)args;
    return stream_close(self, NULL);
}

/* ---- the asynchronous iterator ---- */

/* An awaitable that has its value already. */
typedef struct Ready {
    PyObject_HEAD
    PyObject *value; /* owned; NULL once it was given */
} Ready;

static PySendResult
ready_send(PyObject *self, PyObject *arg, PyObject **result)
{
    Ready *ready = (Ready *)self;

    (void)arg;
    *result = ready->value;
    ready->value = NULL;
    if (*result == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot reuse already awaited __anext__()");
        return PYGEN_ERROR;
    }
    return PYGEN_RETURN;
}

static PyObject *
ready_next(PyObject *self)
{
    PyObject *value;
    PyObject *stop;

    if (ready_send(self, NULL, &value) != PYGEN_RETURN) {
        return NULL;
    }
    stop = PyObject_CallOneArg(PyExc_StopIteration, value);
    Py_DECREF(value);
    if (stop != NULL) {
        PyErr_SetObject(PyExc_StopIteration, stop);
        Py_DECREF(stop);
    }
    return NULL;
}

static int
ready_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Ready *)self)->value);
    return 0;
}

static int
ready_clear(PyObject *self)
{
    Py_CLEAR(((Ready *)self)->value);
    return 0;
}

static void
ready_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    ready_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* One awaitable serves again and again while nobody keeps it.  Takes
 * `value`. */
static PyObject *
make_ready(Stream *s, PyObject *value)
{
    PyTypeObject *type = s->state->ReadyType;

    if (s->ready == NULL || Py_REFCNT(s->ready) != 1) {
        Py_XSETREF(s->ready, type->tp_alloc(type, 0));
    }
    if (s->ready == NULL) {
        Py_DECREF(value);
        return NULL;
    }
    Py_XSETREF(((Ready *)s->ready)->value, value);
    return Py_NewRef(s->ready);
}

static PyObject *
async_next(PyObject *self)
{
    Stream *s = (Stream *)self;
    PyObject *made;
    bool wait = true;

    if (s->running == NULL && !s->over) {
        made = take(s, &wait);
        if (made != NULL) {
            return make_ready(s, made);
        }
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    return op_new_of(s->owner->client, self, &sig_next, build_next, NULL, 0,
                     NULL);
}

static PyObject *
async_close(PyObject *self, PyObject *unused)
{
    Stream *s = (Stream *)self;

    (void)unused;
    return op_new_of(s->owner->client, self, &sig_close, build_close, NULL, 0,
                     NULL);
}

static PyObject *
async_exit(PyObject *self, PyObject *args)
{
    (void)args;
    return async_close(self, NULL);
}

static PyObject *
async_enter(PyObject *self, PyObject *unused)
{
    Stream *s = (Stream *)self;

    (void)unused;
    return make_ready(s, Py_NewRef(self));
}

/* ---- the end of the object ---- */

static bool
has_connections(const Stream *s)
{
    return s->cluster != NULL && s->query.state != AERO_QUERY_ENDED &&
           s->pid == (long)getpid();
}

static PyObject *
close_alone(PyObject *self, PyObject *unused)
{
    PyObject *op = async_close(self, NULL);

    (void)unused;
    if (op == NULL) {
        return NULL;
    }
    op_run_alone(op);
    Py_DECREF(op);
    Py_RETURN_NONE;
}

/* Connections of an event loop are closed by its thread: the object lives on
 * until that is done. */
static void
async_finalize(PyObject *self)
{
    Stream *s = (Stream *)self;
    PyObject *done = NULL;
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    if (s->pump == NULL || !has_connections(s)) {
        return;
    }
    PyErr_Fetch(&type, &exc, &trace);
    pump_end_if_closed(s->pump);
    if (s->evicted) {
        done = Py_NewRef(Py_None);
    }
    else if (pump_is_here(s->pump)) {
        done = close_alone(self, NULL);
    }
    else {
        PyObject *method = PyObject_GetAttrString(self, "_close_alone");

        if (method != NULL) {
            done = PyObject_CallMethodOneArg(
                s->pump->loop, s->state->str_call_soon_threadsafe, method);
            Py_DECREF(method);
        }
    }
    if (done == NULL) {
        PyErr_WriteUnraisable(self);
    }
    Py_XDECREF(done);
    PyErr_Restore(type, exc, trace);
}

static int
stream_traverse(PyObject *self, visitproc visit, void *arg)
{
    Stream *s = (Stream *)self;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(s->owner);
    Py_VISIT(s->pump);
    Py_VISIT(s->ready);
    Py_VISIT(s->reducer);
    Py_VISIT(s->values);
    Py_VISIT(s->list);
    Py_VISIT(s->error);
    return 0;
}

static int
stream_clear(PyObject *self)
{
    Stream *s = (Stream *)self;

    Py_CLEAR(s->reducer);
    Py_CLEAR(s->values);
    Py_CLEAR(s->error);
    return 0;
}

static void
stream_dealloc(PyObject *self)
{
    Stream *s = (Stream *)self;
    PyTypeObject *type = Py_TYPE(self);

    if (PyObject_CallFinalizerFromDealloc(self) < 0) {
        return;
    }
    PyObject_GC_UnTrack(self);
    if (s->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    if (s->pump != NULL) {
        pump_leave(s->pump, &s->guest);
    }
    if (s->pid == (long)getpid()) {
        aero_query_fini(&s->query); /* else the sockets are the parent's */
    }
    aero_cluster_release(s->cluster);
    record_maker_fini(&s->maker);
    stream_clear(self);
    Py_CLEAR(s->list);
    Py_CLEAR(s->ready);
    Py_CLEAR(s->pump);
    Py_CLEAR(s->owner);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- the types ---- */

static PyMethodDef stream_methods[] = {
    {"close", stream_close, METH_NOARGS,
     "close($self, /)\n--\n\nStop reading and close what is open."},
    {"__enter__", stream_enter, METH_NOARGS, NULL},
    {"__exit__", stream_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef async_methods[] = {
    {"aclose", async_close, METH_NOARGS,
     "aclose($self, /)\n--\n\nStop reading and close what is open."},
    {"_close_alone", close_alone, METH_NOARGS, NULL},
    {"__aenter__", async_enter, METH_NOARGS, NULL},
    {"__aexit__", async_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef stream_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Stream, weakrefs), READONLY,
     NULL},
    {"_with_ids", T_BOOL, offsetof(Stream, with_ids), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot stream_slots[] = {
    {Py_tp_doc, "Records of a query, as they arrive."},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, stream_next},
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_traverse, stream_traverse},
    {Py_tp_clear, stream_clear},
    {Py_tp_methods, stream_methods},
    {Py_tp_members, stream_members},
    {0, NULL},
};

PyType_Spec stream_spec = {
    .name = "aerospike_py._aerospike.RecordStream",
    .basicsize = sizeof(Stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = stream_slots,
};

static PyType_Slot async_slots[] = {
    {Py_tp_doc, "Records of a query, as they arrive."},
    {Py_am_aiter, PyObject_SelfIter},
    {Py_am_anext, async_next},
    {Py_tp_finalize, async_finalize},
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_traverse, stream_traverse},
    {Py_tp_clear, stream_clear},
    {Py_tp_methods, async_methods},
    {Py_tp_members, stream_members},
    {0, NULL},
};

PyType_Spec async_stream_spec = {
    .name = "aerospike_py._aerospike.AsyncRecordStream",
    .basicsize = sizeof(Stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = async_slots,
};

static PyType_Slot ready_slots[] = {
    {Py_am_await, PyObject_SelfIter}, {Py_am_send, ready_send},
    {Py_tp_iter, PyObject_SelfIter},  {Py_tp_iternext, ready_next},
    {Py_tp_dealloc, ready_dealloc},   {Py_tp_traverse, ready_traverse},
    {Py_tp_clear, ready_clear},       {0, NULL},
};

PyType_Spec ready_spec = {
    .name = "aerospike_py._aerospike.Ready",
    .basicsize = sizeof(Ready),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = ready_slots,
};

/* The types of streams: iterators for both clients, and how they end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "build.h"
#include "query.h"
#include "query_arrow.h"

static const Signature sig_next = {"__anext__", 0,      0,    0,
                                   {NULL},      {NULL}, NULL, false};
static const Signature sig_close = {"aclose", 0,      0,    0,
                                    {NULL},   {NULL}, NULL, false};

/* ---- the synchronous iterator ---- */

bool
stream_enter(Stream *s)
{
    if (atomic_exchange(&s->busy, true)) {
        PyErr_SetString(PyExc_ValueError,
                        "the stream of records is used by another thread");
        return false;
    }
    return true;
}

void
stream_leave(Stream *s)
{
    atomic_store(&s->busy, false);
}

static PyObject *
stream_next(PyObject *self)
{
    Stream *s = (Stream *)self;
    PyObject *made;
    bool wait;

    if (!stream_enter(s)) {
        return NULL;
    }
    made = stream_take(s, &wait);
    if (wait) {
        made = stream_wait(s);
    }
    stream_leave(s);
    return made;
}

static PyObject *
stream_close(PyObject *self, PyObject *unused)
{
    Stream *s = (Stream *)self;

    (void)unused;
    if (!stream_enter(s)) {
        return NULL;
    }
    aero_query_cancel(&s->query, AERO_ERR_CLIENT_ABORT, "closed");
    s->over = true;
    stream_leave(s);
    Py_RETURN_NONE;
}

static PyObject *
enter_context(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(self);
}

static PyObject *
exit_context(PyObject *self, PyObject *args)
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

/* Takes `value`. */
static PyObject *
new_ready(const Stream *s, PyObject *value)
{
    PyTypeObject *type = s->state->ReadyType;
    Ready *ready = (Ready *)type->tp_alloc(type, 0);

    if (ready == NULL) {
        Py_DECREF(value);
        return NULL;
    }
    ready->value = value;
    return (PyObject *)ready;
}

/* One awaitable serves again and again while nobody keeps it.  Takes
 * `value`. */
static PyObject *
make_ready(Stream *s, PyObject *value)
{
    if (s->ready != NULL && Py_REFCNT(s->ready) == 1) {
        Py_XSETREF(((Ready *)s->ready)->value, value);
    }
    else {
        Py_XSETREF(s->ready, new_ready(s, value));
    }
    return Py_XNewRef(s->ready);
}

/* A record that nobody got is the next one. */
static void
give_back(PyObject *self, PyObject *record)
{
    Py_XSETREF(((Stream *)self)->returned, Py_NewRef(record));
}

/* The last one was never awaited, and nobody can await it any more. */
static bool
is_unclaimed(const Stream *s)
{
    return s->ready != NULL && Py_REFCNT(s->ready) == 1 &&
           ((Ready *)s->ready)->value != NULL;
}

static PyObject *
async_next(PyObject *self)
{
    Stream *s = (Stream *)self;
    PyObject *made;
    bool wait = true;

    if (is_unclaimed(s)) {
        return Py_NewRef(s->ready);
    }
    if (s->running == NULL && !s->over) {
        made = stream_take(s, &wait);
        if (made != NULL) {
            return make_ready(s, made);
        }
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    made = op_new_of(s->owner->client, self, &sig_next, stream_build_next,
                     NULL, 0, NULL);
    if (made != NULL) {
        ((Op *)made)->give_back = give_back;
    }
    return made;
}

static PyObject *
async_close(PyObject *self, PyObject *unused)
{
    Stream *s = (Stream *)self;

    (void)unused;
    return op_new_of(s->owner->client, self, &sig_close, stream_build_close,
                     NULL, 0, NULL);
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
    return new_ready(s, Py_NewRef(self));
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
    Py_VISIT(s->returned);
    Py_VISIT(s->list);
    Py_VISIT(s->error);
    return 0;
}

static int
stream_clear(PyObject *self)
{
    Stream *s = (Stream *)self;

    Py_CLEAR(s->returned);
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
    query_free_table(s->table);
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
    {"__enter__", enter_context, METH_NOARGS, NULL},
    {"__exit__", exit_context, METH_VARARGS, NULL},
    {"__arrow_c_stream__", (PyCFunction)(void (*)(void))stream_arrow_capsule,
     METH_FASTCALL | METH_KEYWORDS, arrow_stream_doc},
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

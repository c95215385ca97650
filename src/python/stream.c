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
    record_maker_init(&s->maker, &dec, q->ns, q->set);
    s->is_raw = q->module != NULL;
    return s;
}

/* ---- taking ---- */

/* Something went wrong on our side: first the query is closed, then this is
 * raised. */
static void
fail_later(Stream *s)
{
    Py_XSETREF(s->error, errors_take());
    aero_query_close(&s->query);
}

/* What a node's half of a stream UDF gave: (particle, bytes), for the half
 * that is here.  What Lua had to complain about is raised. */
static PyObject *
make_raw(Stream *s, const aero_query_item *item)
{
    aero_span ops = item->ops;
    aero_status st;
    aero_op op;

    aero_status_clear(&st);
    if (aero_op_take(&ops, &op, &st) != AERO_OK) {
        return raise_status(s->state, &st);
    }
    if (aero_span_is(op.name, "FAILURE")) {
        st.from_server = true;
        aero_fail(&st, AERO_ERR_UDF, "%.*s", (int)op.value.len, op.value.ptr);
        return raise_status(s->state, &st);
    }
    return Py_BuildValue("By#", op.particle, (const char *)op.value.ptr,
                         (Py_ssize_t)op.value.len);
}

static PyObject *
make_item(Stream *s, const aero_query_item *item)
{
    PyObject *record;

    if (s->is_raw) {
        return make_raw(s, item);
    }
    record = record_make(&s->maker, item);
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
    s->over = true;
    return failed || s->error != NULL ? raise_end(s) : NULL;
}

/* The next record or value.  NULL: an exception; or, with *wait, the task has
 * to run first; or the end. */
PyObject *
stream_take(Stream *s, bool *wait)
{
    aero_query_item item;
    PyObject *made;

    *wait = false;
    if (s->returned != NULL) {
        made = s->returned;
        s->returned = NULL;
        return made;
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
        if (s->is_raw && item.n_ops == 0) {
            continue;
        }
        if (s->sink != NULL && s->sink(s, &item) == 0) {
            continue;
        }
        made = s->sink != NULL ? NULL : make_item(s, &item);
        if (made != NULL) {
            return made;
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
    made = stream_take(s, &call->again);
    if (made == NULL && !call->again && s->is_async && !PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
    }
    return made;
}

int
stream_build_next(Call *call)
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
    Py_RETURN_NONE;
}

int
stream_build_close(Call *call)
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

static PyObject *
collect(Call *call, Stream *s)
{
    while (!PyErr_Occurred()) {
        PyObject *made = stream_take(s, &call->again);
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

PyObject *
stream_finish_collect(Call *call)
{
    Stream *s = (Stream *)call->hold;
    bool paused = collector_pause(&s->maker.dec);
    PyObject *made = collect(call, s);

    collector_resume(paused);
    return made;
}

int
stream_collect(Call *call, Stream *s)
{
    s->list = PyList_New(0);
    run_stream(call, s, stream_finish_collect, cancel_all);
    return s->list == NULL ? -1 : 0;
}

/* Wait for the next frame. */
PyObject *
stream_wait(Stream *s)
{
    Call *call = call_new(s->owner->client);

    if (call == NULL) {
        return NULL;
    }
    run_stream(call, (Stream *)Py_NewRef(s), finish_next, cancel_next);
    return call_run(call);
}

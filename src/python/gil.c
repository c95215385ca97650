/* The clock of the interpreter's lock, and the time of a call's two halves:
 * compiled only for the benchmark, see gil.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "gil.h"

#ifdef AERO_GIL_CLOCK

#include "methods.inc"

typedef struct GilClock {
    uint64_t held;
    uint64_t waited; /* for the lock, after it was let go */
    uint64_t entries;
    uint64_t since;
    unsigned depth;
} GilClock;

static _Thread_local GilClock here;

void
gil_enter(void)
{
    if (here.depth++ == 0) {
        here.since = aero_clock_now();
    }
}

void
gil_leave(void)
{
    if (--here.depth == 0) {
        here.held += aero_clock_now() - here.since;
        here.entries++;
    }
}

PyThreadState *
gil_save(void)
{
    here.held += aero_clock_now() - here.since;
    return PyEval_SaveThread();
}

void
gil_restore(PyThreadState *thread)
{
    uint64_t wanted = aero_clock_now();

    PyEval_RestoreThread(thread);
    here.since = aero_clock_now();
    here.waited += here.since - wanted;
}

PyDoc_STRVAR(gil_clock_doc,
             "gil_clock($module, /)\n--\n\n"
             "This thread's (held, waited, entries): nanoseconds that our "
             "code held the\ninterpreter's lock, and waited for it.");

static PyObject *
gil_clock(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return Py_BuildValue("KKK", (unsigned long long)here.held,
                         (unsigned long long)here.waited,
                         (unsigned long long)here.entries);
}

/* ---- the halves of a call ---- */

#define METHOD_ROW(name) {#name, sig_##name, build_##name},

static const Method methods[] = {METHODS_CALL(METHOD_ROW){NULL, NULL, NULL}};

typedef struct Timed {
    Client *client;
    const Method *method;
    PyObject *args; /* borrowed tuple */
    Py_ssize_t count;
} Timed;

static Call *
build_one(const Timed *timed)
{
    Client *client = timed->client;
    const Signature *sig = &timed->method->sigs[client->face->index];
    Call *call = call_new(client);

    if (call == NULL) {
        return NULL;
    }
    if (args_bind(client->state, sig, &PyTuple_GET_ITEM(timed->args, 0),
                  PyTuple_GET_SIZE(timed->args), NULL, call->argv) < 0 ||
        timed->method->build(call) < 0) {
        call_free(call);
        return NULL;
    }
    return call;
}

static int
time_build(const Timed *timed, double *ns)
{
    uint64_t began = aero_clock_now();

    for (Py_ssize_t i = 0; i < timed->count; i++) {
        Call *call = build_one(timed);

        if (call == NULL) {
            return -1;
        }
        call_free(call);
    }
    *ns = (double)(aero_clock_now() - began) / (double)timed->count;
    return 0;
}

/* As if the reply (a whole frame) had just come. */
static int
time_finish(const Timed *timed, aero_span reply, double *ns)
{
    Call *call = build_one(timed);
    uint64_t began;
    int rc = -1;

    if (call == NULL) {
        return -1;
    }
    aero_buf_put_span(&call->cmd.in, reply);
    call->cmd.x.in = &call->cmd.in;
    call->cmd.rc = AERO_OK;
    call->cmd.result = reply.ptr[AERO_FRAME_HEAD + 5];
    began = aero_clock_now();
    for (Py_ssize_t i = 0; i < timed->count; i++) {
        PyObject *result = call->finish(call);

        if (result == NULL) {
            goto done;
        }
        Py_DECREF(result);
    }
    *ns = (double)(aero_clock_now() - began) / (double)timed->count;
    rc = 0;

done:
    call_free(call);
    return rc;
}

PyDoc_STRVAR(time_call_doc,
             "time_call($module, client, method, args, reply, count, /)\n--"
             "\n\nNanoseconds to build the method's request, and to make its "
             "result of the\nreply (a frame, or None).");

static PyObject *
time_call(PyObject *module, PyObject *args)
{
    Timed timed = {.method = methods};
    const char *name;
    Py_buffer reply;
    double build = 0;
    double finish = 0;
    int rc;

    (void)module;
    if (!PyArg_ParseTuple(args, "OsO!z*n:time_call", &timed.client, &name,
                          &PyTuple_Type, &timed.args, &reply, &timed.count)) {
        return NULL;
    }
    while (timed.method->name != NULL &&
           strcmp(timed.method->name, name) != 0) {
        timed.method++;
    }
    if (timed.method->name == NULL) {
        PyBuffer_Release(&reply);
        return PyErr_Format(PyExc_AttributeError, "no method %s", name);
    }
    rc = time_build(&timed, &build);
    if (rc == 0 && reply.buf != NULL) {
        rc = time_finish(&timed, aero_span_of(reply.buf, (size_t)reply.len),
                         &finish);
    }
    PyBuffer_Release(&reply);
    return rc < 0 ? NULL : Py_BuildValue("dd", build, finish);
}

PyMethodDef gil_functions[] = {
    {"gil_clock", gil_clock, METH_NOARGS, gil_clock_doc},
    {"time_call", time_call, METH_VARARGS, time_call_doc},
    {NULL, NULL, 0, NULL},
};

#endif

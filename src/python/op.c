/* The awaitable of the asynchronous client: what a method returns.
 *
 * It is a coroutine to everybody who asks (send, throw, close, __await__, and
 * registered as one).  Nothing is looked at or sent before its first step;
 * then the request goes out at once and it waits on a future of the loop.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "client.h"
#include "gil.h"

PyObject *
op_new(Client *client, const Signature *sig, call_build build,
       PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return op_new_of(client, NULL, sig, build, args, nargs, kwnames);
}

PyObject *
op_new_of(Client *client, PyObject *self, const Signature *sig,
          call_build build, PyObject *const *args, Py_ssize_t nargs,
          PyObject *kwnames)
{
    PyTypeObject *type = client->state->OpType;
    PyObject *argv[ARGS_MAX];
    Op *op;

    if (args_bind(client->state, sig, args, nargs, kwnames, argv) < 0) {
        return NULL;
    }
    op = (Op *)type->tp_alloc(type, 0);
    if (op == NULL) {
        return NULL;
    }
    op->client = (Client *)Py_NewRef(client);
    op->self = Py_XNewRef(self);
    op->sig = sig;
    op->build = build;
    for (int i = 0; i < sig->count; i++) {
        op->argv[i] = Py_XNewRef(argv[i]);
    }
    return (PyObject *)op;
}

/* ---- the end ---- */

static void
release_call(Op *op)
{
    call_free(op->call);
    op->call = NULL;
}

static void
set_future(Op *op, PyObject *method, PyObject *value)
{
    ModState *state = op->client->state;
    PyObject *done = PyObject_CallMethodOneArg(op->future, method, value);

    if (done == NULL) {
        /* It was cancelled meanwhile, and its task will hear of that. */
        if (!PyErr_ExceptionMatches(state->InvalidStateError)) {
            PyErr_WriteUnraisable(op->future);
        }
        PyErr_Clear();
    }
    Py_XDECREF(done);
}

static void
set_future_exception(Op *op)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    if (trace != NULL) {
        PyException_SetTraceback(exc, trace);
    }
    set_future(op, op->client->state->str_set_exception, exc);
    Py_XDECREF(type);
    Py_XDECREF(exc);
    Py_XDECREF(trace);
}

bool
op_complete(Op *op)
{
    PyObject *result;

    if (!op->abandoned) {
        op->call->again = false;
        result = op->call->finish(op->call);
        if (op->call->again) {
            aero_pump_submit(op->pump->pump, &op->run);
            return false;
        }
        if (result == NULL) {
            set_future_exception(op);
        }
        else {
            set_future(op, op->client->state->str_set_result, result);
            Py_DECREF(result);
        }
    }
    release_call(op);
    return true;
}

void
op_fail(Op *op, exc_id type, const char *text)
{
    if (!op->abandoned) {
        raise_error(op->client->state, type, "%s", text);
        set_future_exception(op);
    }
    release_call(op);
}

/* ---- the first step ---- */

/* Build the request; errors of arguments come out here. */
static int
build_call(Op *op)
{
    Call *call = call_new(op->client);

    if (call == NULL) {
        return -1;
    }
    for (int i = 0; i < op->sig->count; i++) {
        call->argv[i] = op->argv[i];
    }
    call->self = op->self;
    op->call = call;
    if (op->build(call) < 0) {
        release_call(op);
        return -1;
    }
    return 0;
}

/* 0: it runs; 1: it is over and *result is set; -1: an exception. */
static int
start(Op *op, PyObject **result)
{
    Call *call;

    if (build_call(op) < 0) {
        return -1;
    }
    call = op->call;
    if (call->task == NULL) {
        *result = call->finish(call);
        release_call(op);
        return *result == NULL ? -1 : 1;
    }
    if (call->cluster == NULL) {
        call->cluster = client_cluster(op->client);
    }
    if (call->cluster == NULL) {
        release_call(op);
        return -1;
    }
    op->pump = pump_of(op->client, call->cluster);
    if (op->pump == NULL) {
        release_call(op);
        return -1;
    }
    Py_INCREF(op->pump);
    call->pump = op->pump;
    if (call_begin(call, aero_pump_source(op->pump->pump)) < 0) {
        Py_CLEAR(op->pump);
        release_call(op);
        return -1;
    }
    op->future = PyObject_CallMethodNoArgs(
        op->pump->loop, op->client->state->str_create_future);
    op->waiter = op->future == NULL ? NULL : PyObject_GetIter(op->future);
    if (op->waiter == NULL) {
        Py_CLEAR(op->pump);
        release_call(op);
        return -1;
    }
    op->run.task = call->task;
    op->run.owner = op;
    pump_start(op->pump, op);
    return 0;
}

void
op_run_alone(PyObject *self)
{
    Op *op = (Op *)self;
    PyObject *result = NULL;

    op->stage = OP_RUNNING;
    op->abandoned = true;
    if (start(op, &result) < 0) {
        PyErr_WriteUnraisable(self);
    }
    Py_XDECREF(result);
    op->stage = OP_ENDED;
}

static void
forget(Op *op)
{
    op->stage = OP_ENDED;
    for (int i = 0; i < ARGS_MAX; i++) {
        Py_CLEAR(op->argv[i]);
    }
    Py_CLEAR(op->waiter);
    Py_CLEAR(op->future);
    Py_CLEAR(op->pump);
    Py_CLEAR(op->self);
}

/* ---- stepping ---- */

static PySendResult
step_op(PyObject *self, PyObject *arg, PyObject **result)
{
    Op *op = (Op *)self;
    PySendResult sent;
    int rc;

    *result = NULL;
    if (op->stage == OP_ENDED) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot reuse already awaited coroutine");
        return PYGEN_ERROR;
    }
    if (op->stage == OP_NEW) {
        if (arg != NULL && arg != Py_None) {
            PyErr_SetString(PyExc_TypeError,
                            "can't send non-None value to a just-started "
                            "coroutine");
            return PYGEN_ERROR;
        }
        op->stage = OP_RUNNING;
        rc = start(op, result);
        if (rc != 0) {
            forget(op);
            return rc < 0 ? PYGEN_ERROR : PYGEN_RETURN;
        }
    }
    sent = PyIter_Send(op->waiter, arg == NULL ? Py_None : arg, result);
    if (sent != PYGEN_NEXT) {
        forget(op);
    }
    return sent;
}

static PySendResult
op_send(PyObject *self, PyObject *arg, PyObject **result)
{
    PySendResult sent;

    GIL_ENTER();
    sent = step_op(self, arg, result);
    GIL_LEAVE();
    return sent;
}

/* Whoever awaited it has gone: the command is drained or its connection is
 * closed; a write that was sent may have happened, and the exception on its
 * way says so. */
static void
abandon(Op *op)
{
    if (op->call == NULL) {
        return;
    }
    op->abandoned = true;
    op->call->abandoned = true;
    pump_cancel(op->pump, op);
}

static void
say_in_doubt(Op *op, bool in_doubt)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    if (!in_doubt) {
        return;
    }
    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    if (exc != NULL &&
        PyObject_SetAttr(exc, op->client->state->str_in_doubt, Py_True) < 0) {
        PyErr_Clear();
    }
    PyErr_Restore(type, exc, trace);
}

static PyObject *
op_throw(PyObject *self, PyObject *args)
{
    Op *op = (Op *)self;
    PyObject *type;
    PyObject *value = NULL;
    PyObject *trace = NULL;
    PyObject *method;
    PyObject *result;

    if (!PyArg_ParseTuple(args, "O|OO:throw", &type, &value, &trace)) {
        return NULL;
    }
    if (op->stage != OP_RUNNING) {
        if (op->stage == OP_NEW) {
            forget(op);
        }
        if (PyExceptionInstance_Check(type)) {
            PyErr_SetObject((PyObject *)Py_TYPE(type), type);
        }
        else {
            PyErr_SetObject(type, value == Py_None ? NULL : value);
        }
        return NULL;
    }
    method = PyObject_GetAttrString(op->waiter, "throw");
    result = method == NULL ? NULL : PyObject_Call(method, args, NULL);
    Py_XDECREF(method);
    if (result == NULL) {
        bool in_doubt = op->call != NULL && op->call->cmd.is_write &&
                        (op->call->cmd.n_sent != 0 || op->call->cmd.x.sent);

        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
            say_in_doubt(op, in_doubt);
        }
        {
            PyObject *t;
            PyObject *v;
            PyObject *tb;

            PyErr_Fetch(&t, &v, &tb);
            abandon(op);
            PyErr_Restore(t, v, tb);
        }
        forget(op);
    }
    return result;
}

static PyObject *
op_close(PyObject *self, PyObject *unused)
{
    Op *op = (Op *)self;

    (void)unused;
    if (op->stage == OP_RUNNING) {
        abandon(op);
    }
    forget(op);
    Py_RETURN_NONE;
}

static PyObject *
op_send_method(PyObject *self, PyObject *arg)
{
    PyObject *result;

    switch (op_send(self, arg, &result)) {
    case PYGEN_NEXT:
        return result;
    case PYGEN_RETURN:
        if (result == Py_None) {
            PyErr_SetNone(PyExc_StopIteration);
        }
        else {
            PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, result);

            if (stop != NULL) {
                PyErr_SetObject(PyExc_StopIteration, stop);
                Py_DECREF(stop);
            }
        }
        Py_DECREF(result);
        return NULL;
    case PYGEN_ERROR:
        break;
    }
    return NULL;
}

static PyObject *
op_next(PyObject *self)
{
    return op_send_method(self, Py_None);
}

static PyObject *
op_await(PyObject *self)
{
    if (((Op *)self)->stage != OP_NEW) {
        PyErr_SetString(PyExc_RuntimeError,
                        ((Op *)self)->stage == OP_ENDED
                            ? "cannot reuse already awaited coroutine"
                            : "coroutine is being awaited already");
        return NULL;
    }
    return Py_NewRef(self);
}

/* ---- the object ---- */

static PyObject *
op_name(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(((Op *)self)->sig->method);
}

static const char *
owner_name(const Op *op)
{
    const char *name;

    if (op->self == NULL) {
        return "AsyncClient";
    }
    name = strrchr(Py_TYPE(op->self)->tp_name, '.');
    return name == NULL ? Py_TYPE(op->self)->tp_name : name + 1;
}

static PyObject *
op_qualname(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromFormat("%s.%s", owner_name((Op *)self),
                                ((Op *)self)->sig->method);
}

static PyObject *
op_running(PyObject *self, void *unused)
{
    (void)self;
    (void)unused;
    Py_RETURN_FALSE;
}

static PyObject *
op_none(PyObject *self, void *unused)
{
    (void)self;
    (void)unused;
    Py_RETURN_NONE;
}

static PyObject *
op_cr_await(PyObject *self, void *unused)
{
    PyObject *future = ((Op *)self)->future;

    (void)unused;
    return Py_NewRef(future != NULL ? future : Py_None);
}

static PyObject *
op_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<coroutine object %s.%s at %p>",
                                owner_name((Op *)self),
                                ((Op *)self)->sig->method, self);
}

static int
op_traverse(PyObject *self, visitproc visit, void *arg)
{
    Op *op = (Op *)self;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(op->client);
    Py_VISIT(op->self);
    Py_VISIT(op->pump);
    Py_VISIT(op->future);
    Py_VISIT(op->waiter);
    for (int i = 0; i < ARGS_MAX; i++) {
        Py_VISIT(op->argv[i]);
    }
    return 0;
}

static int
op_clear(PyObject *self)
{
    Op *op = (Op *)self;

    if (op->call == NULL) {
        forget(op);
    }
    return 0;
}

static void
op_finalize(PyObject *self)
{
    Op *op = (Op *)self;
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    if (op->stage != OP_NEW) {
        return;
    }
    PyErr_Fetch(&type, &exc, &trace);
    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                         "coroutine '%s.%s' was never awaited",
                         owner_name(op), op->sig->method) < 0) {
        PyErr_WriteUnraisable(self);
    }
    PyErr_Restore(type, exc, trace);
}

static void
op_dealloc(PyObject *self)
{
    Op *op = (Op *)self;
    PyTypeObject *type = Py_TYPE(self);

    if (PyObject_CallFinalizerFromDealloc(self) < 0) {
        return;
    }
    GIL_ENTER();
    PyObject_GC_UnTrack(self);
    if (op->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    release_call(op);
    forget(op);
    Py_CLEAR(op->client);
    type->tp_free(self);
    Py_DECREF(type);
    GIL_LEAVE();
}

static PyMethodDef op_methods[] = {
    {"send", op_send_method, METH_O, "send(value): step the coroutine."},
    {"throw", op_throw, METH_VARARGS, "throw(exception): raise it inside."},
    {"close", op_close, METH_NOARGS, "close(): give it up."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef op_getset[] = {
    {"__name__", op_name, NULL, NULL, NULL},
    {"__qualname__", op_qualname, NULL, NULL, NULL},
    {"cr_running", op_running, NULL, NULL, NULL},
    {"cr_frame", op_none, NULL, NULL, NULL},
    {"cr_code", op_none, NULL, NULL, NULL},
    {"cr_origin", op_none, NULL, NULL, NULL},
    {"cr_await", op_cr_await, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef op_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Op, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot op_slots[] = {
    {Py_am_await, op_await},
    {Py_am_send, op_send},
    {Py_tp_iternext, op_next},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_repr, op_repr},
    {Py_tp_dealloc, op_dealloc},
    {Py_tp_finalize, op_finalize},
    {Py_tp_traverse, op_traverse},
    {Py_tp_clear, op_clear},
    {Py_tp_methods, op_methods},
    {Py_tp_getset, op_getset},
    {Py_tp_members, op_members},
    {0, NULL},
};

PyType_Spec op_spec = {
    .name = "aerospike_py._aerospike.Operation",
    .basicsize = sizeof(Op),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = op_slots,
};

/* The awaitable of the asynchronous client: what a method returns.
 *
 * It is a coroutine to everybody who asks (send, throw, close, __await__, and
 * registered as one).  Nothing is looked at or sent before its first step;
 * then the request goes out at once and it waits on a future of the loop.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "client.h"
#include "metrics.h"
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

/* False: it was cancelled meanwhile, and its task will hear of that. */
static bool
set_future(Op *op, PyObject *method, PyObject *value)
{
    ModState *state = op->client->state;
    PyObject *done = PyObject_CallMethodOneArg(op->future, method, value);

    if (done == NULL) {
        if (!PyErr_ExceptionMatches(state->InvalidStateError)) {
            PyErr_WriteUnraisable(op->future);
        }
        PyErr_Clear();
        return false;
    }
    Py_DECREF(done);
    return true;
}

static void
hand_over(Op *op, PyObject *result)
{
    if (!set_future(op, op->client->state->str_set_result, result) &&
        op->give_back != NULL) {
        op->give_back(op->self, result);
    }
}

/* The result is there, but whoever awaited it was told to stop first. */
static void
take_back(Op *op)
{
    PyObject *result;

    if (op->give_back == NULL || op->future == NULL || op->call != NULL) {
        return;
    }
    result = PyObject_CallMethod(op->future, "result", NULL);
    if (result != NULL) {
        op->give_back(op->self, result);
        Py_DECREF(result);
    }
    PyErr_Clear(); /* there was none, but an error */
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

/* A write of which something was sent, or may have been. */
static bool
may_have_written(const Op *op)
{
    const Call *call = op->call;

    if (call == NULL) {
        return op->wrote;
    }
    if (call->task != &call->cmd.task) {
        return call->may_have_written != NULL && call->may_have_written(call);
    }
    return call->cmd.is_write && call->cmd.n_sent != 0;
}

bool
op_complete(Op *op)
{
    PyObject *result;

    op->wrote = may_have_written(op);
    if (!op->abandoned) {
        op->call->again = false;
        result = op->run.refused != 0
                     ? call_raise_refused(op->call, op->run.refused)
                     : call_finish_now(op->call);
        if (op->call->again) {
            op->run.gate = NULL; /* it has passed, and given back its place */
            aero_pump_submit(op->pump->pump, &op->run);
            return false;
        }
        if (result == NULL) {
            set_future_exception(op);
        }
        else {
            hand_over(op, result);
            Py_DECREF(result);
        }
    }
    release_call(op);
    return true;
}

static void
say_in_doubt(ModState *state)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    if (exc != NULL &&
        PyObject_SetAttr(exc, state->str_in_doubt, Py_True) < 0) {
        PyErr_Clear();
    }
    PyErr_Restore(type, exc, trace);
}

void
op_fail(Op *op, exc_id type, const char *text)
{
    ModState *state = op->client->state;

    op->wrote = may_have_written(op);
    if (!op->abandoned) {
        raise_error(state, type, "%s", text);
        if (op->wrote) {
            say_in_doubt(state);
        }
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
    uint64_t from;

    if (call == NULL) {
        return -1;
    }
    for (int i = 0; i < op->sig->count; i++) {
        call->argv[i] = op->argv[i];
    }
    call->self = op->self;
    call->sig = op->sig;
    op->call = call;
    from = metrics_stage_begin(call->state);
    if (op->build(call) < 0) {
        release_call(op);
        return -1;
    }
    metrics_stage_end(call, STAGE_KEY_PARSE, from);
    return 0;
}

/* Hand what was built to the pump of the running loop. */
static int
submit(Op *op)
{
    Call *call = op->call;

    if (call->cluster == NULL) {
        call->cluster = client_cluster(op->client);
    }
    if (call->cluster == NULL) {
        return -1;
    }
    op->pump = pump_of(op->client, call->cluster);
    call->pump = op->pump;
    if (op->pump == NULL ||
        call_begin(call, aero_pump_source(op->pump->pump)) < 0) {
        return -1;
    }
    op->future = PyObject_CallMethodNoArgs(
        op->pump->loop, op->client->state->str_create_future);
    op->waiter = op->future == NULL ? NULL : PyObject_GetIter(op->future);
    if (op->waiter == NULL) {
        return -1;
    }
    op->stage = OP_RUNNING;
    pump_start(op->pump, op);
    return 0;
}

/* In the child of a fork the client connects first. */
static int
reopen(Op *op)
{
    PyObject *coroutine =
        PyObject_CallMethod((PyObject *)op->client, "_reopen", NULL);

    op->waiter = coroutine == NULL
                     ? NULL
                     : PyObject_CallMethod(coroutine, "__await__", NULL);
    Py_XDECREF(coroutine);
    op->stage = OP_OPENING;
    return op->waiter == NULL ? -1 : 0;
}

/* 0: it waits for something; 1: it is over and *result is set; -1: an
 * exception. */
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
        return *result == NULL ? -1 : 1;
    }
    return op->client->reopens ? reopen(op) : submit(op);
}

void
op_run_alone(PyObject *self)
{
    Op *op = (Op *)self;
    PyObject *result = NULL;

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

/* It ends without having been handed to a pump. */
static void
end_early(Op *op)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    PyErr_Fetch(&type, &exc, &trace);
    release_call(op);
    forget(op);
    PyErr_Restore(type, exc, trace);
}

/* ---- stepping ---- */

/* The first step, or an exception that it cannot be made. */
static int
first_step(Op *op, PyObject *arg, PyObject **result)
{
    int rc;

    if (arg != NULL && arg != Py_None) {
        PyErr_SetString(PyExc_TypeError, "can't send non-None value to a "
                                         "just-started coroutine");
        return -1;
    }
    rc = start(op, result);
    if (rc != 0) {
        end_early(op);
    }
    return rc;
}

static PySendResult
step_op(PyObject *self, PyObject *arg, PyObject **result)
{
    Op *op = (Op *)self;
    PySendResult sent;

    *result = NULL;
    if (op->stage == OP_ENDED) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot reuse already awaited coroutine");
        return PYGEN_ERROR;
    }
    if (op->stage == OP_NEW) {
        int rc = first_step(op, arg, result);

        if (rc != 0) {
            return rc < 0 ? PYGEN_ERROR : PYGEN_RETURN;
        }
    }
    sent = PyIter_Send(op->waiter, arg == NULL ? Py_None : arg, result);
    if (op->stage == OP_OPENING && sent == PYGEN_RETURN) {
        Py_CLEAR(*result);
        Py_CLEAR(op->waiter);
        if (submit(op) < 0) {
            end_early(op);
            return PYGEN_ERROR;
        }
        sent = PyIter_Send(op->waiter, Py_None, result);
    }
    if (sent != PYGEN_NEXT) {
        end_early(op);
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

/* Its end before the operation's, whatever exception is on its way. */
static void
end_now(Op *op)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    PyErr_Fetch(&type, &exc, &trace);
    take_back(op);
    if (op->stage == OP_RUNNING) {
        abandon(op);
    }
    else {
        release_call(op);
    }
    forget(op);
    PyErr_Restore(type, exc, trace);
}

static PyObject *
throw_outside(PyObject *type, PyObject *value)
{
    if (PyExceptionInstance_Check(type)) {
        PyErr_SetObject((PyObject *)Py_TYPE(type), type);
    }
    else {
        PyErr_SetObject(type, value == Py_None ? NULL : value);
    }
    return NULL;
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
    if (op->stage == OP_NEW || op->stage == OP_ENDED) {
        forget(op);
        return throw_outside(type, value);
    }
    method = PyObject_GetAttrString(op->waiter, "throw");
    result = method == NULL ? NULL : PyObject_Call(method, args, NULL);
    Py_XDECREF(method);
    if (result == NULL) {
        /* What it failed with itself says so already; a cancellation does
         * not. */
        if (may_have_written(op) &&
            !PyErr_ExceptionMatches(
                op->client->state->exc[EXC_AerospikeError])) {
            say_in_doubt(op->client->state);
        }
        end_now(op);
    }
    return result;
}

static PyObject *
op_close(PyObject *self, PyObject *unused)
{
    Op *op = (Op *)self;
    PyObject *done = NULL;

    (void)unused;
    if (op->stage == OP_OPENING) {
        done = PyObject_CallMethod(op->waiter, "close", NULL);
        if (done == NULL) {
            PyErr_WriteUnraisable(op->waiter);
        }
        Py_XDECREF(done);
    }
    end_now(op);
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
                         "coroutine '%s.%s' was never awaited", owner_name(op),
                         op->sig->method) < 0) {
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

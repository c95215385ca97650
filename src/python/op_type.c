/* The awaitable as an object: send, throw, close, and what it says of itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "gil.h"
#include "op.h"
#include "reply.h"

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
    rc = op_start(op, result);
    if (rc != 0) {
        op_end_early(op);
    }
    return rc;
}

/* What has come, or the reply itself as what is waited for. */
static PySendResult
look(Op *op, PyObject **result)
{
    Reply *reply = op->reply;

    if (reply->state != REPLY_PENDING) {
        return reply_take(reply, result) < 0 ? PYGEN_ERROR : PYGEN_RETURN;
    }
    if (op->yielded) {
        PyErr_SetString(PyExc_RuntimeError, "await wasn't used with future");
        return PYGEN_ERROR;
    }
    op->yielded = true;
    reply->blocking = 1;
    *result = Py_NewRef(reply);
    return PYGEN_NEXT;
}

/* The client connects again first.  PYGEN_RETURN: that is done. */
static PySendResult
step_opening(Op *op, PyObject *arg, PyObject **result)
{
    PySendResult sent =
        PyIter_Send(op->opening, arg == NULL ? Py_None : arg, result);

    if (sent == PYGEN_RETURN) {
        Py_CLEAR(*result);
        Py_CLEAR(op->opening);
        return op_submit(op) < 0 ? PYGEN_ERROR : PYGEN_RETURN;
    }
    return sent;
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
    sent =
        op->stage == OP_OPENING ? step_opening(op, arg, result) : PYGEN_RETURN;
    if (sent == PYGEN_RETURN) {
        sent = look(op, result);
    }
    if (sent != PYGEN_NEXT) {
        op_end_early(op);
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
    op_take_back(op);
    if (op->stage == OP_RUNNING) {
        abandon(op);
    }
    else {
        op_release_call(op);
    }
    op_forget(op);
    PyErr_Restore(type, exc, trace);
}

static PyObject *
throw_outside(PyObject *type, PyObject *value, PyObject *trace)
{
    if (PyExceptionInstance_Check(type)) {
        PyErr_SetObject((PyObject *)Py_TYPE(type), type);
    }
    else {
        PyErr_SetObject(type, value == Py_None ? NULL : value);
    }
    if (trace != NULL && PyTraceBack_Check(trace)) {
        PyObject *exc;
        PyObject *before;

        PyErr_Fetch(&type, &exc, &before);
        Py_XDECREF(before);
        PyErr_Restore(type, exc, Py_NewRef(trace));
    }
    return NULL;
}

/* Into whatever it waits for. */
static PyObject *
throw_inside(Op *op, PyObject *args)
{
    PyObject *method =
        PyObject_GetAttr(op->opening, op->client->state->str_throw);
    PyObject *result =
        method == NULL ? NULL : PyObject_Call(method, args, NULL);

    Py_XDECREF(method);
    return result;
}

static PyObject *
op_throw(PyObject *self, PyObject *args)
{
    Op *op = (Op *)self;
    PyObject *type;
    PyObject *value = NULL;
    PyObject *trace = NULL;
    PyObject *result;

    if (!PyArg_ParseTuple(args, "O|OO:throw", &type, &value, &trace)) {
        return NULL;
    }
    if (op->stage == OP_NEW || op->stage == OP_ENDED) {
        op_forget(op);
        return throw_outside(type, value, trace);
    }
    result = op->stage == OP_OPENING ? throw_inside(op, args)
                                     : throw_outside(type, value, trace);
    if (result == NULL) {
        /* What it failed with itself says so already; a cancellation does
         * not. */
        if (op_may_have_written(op) &&
            !PyErr_ExceptionMatches(
                op->client->state->exc[EXC_AerospikeError])) {
            op_say_in_doubt(op->client->state);
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
        done = PyObject_CallMethod(op->opening, "close", NULL);
        if (done == NULL) {
            PyErr_WriteUnraisable(op->opening);
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

/* `inspect.iscoroutine` asks for the class. */
static PyObject *
op_class(PyObject *self, void *unused)
{
    (void)self;
    (void)unused;
    return Py_NewRef(&PyCoro_Type);
}

static PyObject *
op_suspended(PyObject *self, void *unused)
{
    int stage = ((Op *)self)->stage;

    (void)unused;
    return PyBool_FromLong(stage != OP_NEW && stage != OP_ENDED);
}

static PyObject *
op_running(PyObject *self, void *unused)
{
#if PY_VERSION_HEX >= 0x030b0000
    (void)self;
    (void)unused;
    Py_RETURN_FALSE;
#else
    /* Without a frame nothing else can say that it has begun. */
    return op_suspended(self, unused);
#endif
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
    Op *op = (Op *)self;

    (void)unused;
    return Py_NewRef(op->reply != NULL     ? (PyObject *)op->reply
                     : op->opening != NULL ? op->opening
                                           : Py_None);
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
    Py_VISIT(op->reply);
    Py_VISIT(op->opening);
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
        op_forget(op);
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
    op_release_call(op);
    op_forget(op);
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
    {"__class__", op_class, NULL, NULL, NULL},
    {"__name__", op_name, NULL, NULL, NULL},
    {"__qualname__", op_qualname, NULL, NULL, NULL},
    {"cr_running", op_running, NULL, NULL, NULL},
    {"cr_suspended", op_suspended, NULL, NULL, NULL},
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

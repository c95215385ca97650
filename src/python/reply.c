/* What an operation waits on, and the waking of its task.
 *
 * To the task it is a future.  asyncio's own ask the loop to call the task
 * back, each by a handle and a pass of the loop; here those who were woken by
 * one turn of the pump stand in a line, and go on one after the other within
 * the pump's callback.  Only asyncio's C tasks do: others, and all of them
 * while the loop is in debug mode, are called back by the loop.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include "gil.h"

Reply *
reply_new(Pump *pump)
{
    PyTypeObject *type = pump->state->ReplyType;
    Reply *reply = (Reply *)type->tp_alloc(type, 0);

    if (reply != NULL) {
        reply->pump = (Pump *)Py_NewRef(pump);
    }
    return reply;
}

/* ---- the line ---- */

/* Is it the step of a task, which lets nothing out but what stops a loop? */
static bool
is_task_step(PyObject *callback)
{
    return PyCFunction_CheckExact(callback) &&
           strcmp(((PyCFunctionObject *)callback)->m_ml->ml_name,
                  "task_wakeup") == 0;
}

/* loop.call_soon(callback, reply, context=context) */
static void
call_back(Reply *reply, PyObject *callback, PyObject *context)
{
    ModState *state = reply->pump->state;
    PyObject *args[] = {reply->pump->loop, callback, (PyObject *)reply,
                        context};
    PyObject *handle = PyObject_VectorcallMethod(
        state->str_call_soon, args, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET,
        context == NULL ? NULL : state->context_name);

    if (handle == NULL) {
        PyErr_WriteUnraisable(callback);
    }
    Py_XDECREF(handle);
}

static void
enter_line(Pump *pump, Reply *reply)
{
    reply->next = NULL;
    if (pump->line == NULL) {
        pump->line = (Reply *)Py_NewRef(reply);
    }
    else {
        pump->line_last->next = (Reply *)Py_NewRef(reply);
    }
    pump->line_last = reply;
}

static void
see_to_waking(Reply *reply)
{
    PyObject *callback = reply->callback;
    PyObject *context = reply->context;

    if (callback == NULL) {
        return;
    }
    if (!reply->pump->polite && reply->state != REPLY_CANCELLED &&
        is_task_step(callback)) {
        enter_line(reply->pump, reply);
        return;
    }
    reply->callback = NULL;
    reply->context = NULL;
    call_back(reply, callback, context);
    Py_DECREF(callback);
    Py_XDECREF(context);
}

static int
wake(Reply *reply)
{
    PyObject *callback = reply->callback;
    PyObject *context = reply->context;
    PyObject *done = NULL;

    reply->callback = NULL;
    reply->context = NULL;
    if (context == NULL || PyContext_Enter(context) == 0) {
        GIL_LEAVE();
        done = PyObject_CallOneArg(callback, (PyObject *)reply);
        GIL_ENTER();
        if (context != NULL && PyContext_Exit(context) < 0) {
            Py_CLEAR(done);
        }
    }
    Py_DECREF(callback);
    Py_XDECREF(context);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static Reply *
leave_line(Pump *pump)
{
    Reply *reply = pump->line;

    pump->line = reply->next;
    reply->next = NULL;
    return reply;
}

int
reply_wake(Pump *pump, uint64_t until)
{
    bool before = pump->waking;
    int rc = 0;

    pump->waking = true;
    while (rc == 0 && pump->line != NULL) {
        Reply *reply = leave_line(pump);

        if (reply->callback != NULL) {
            rc = wake(reply);
        }
        Py_DECREF(reply);
        if (aero_clock_now() > until) {
            break;
        }
    }
    pump->waking = before;
    return rc;
}

void
reply_drop_line(Pump *pump)
{
    while (pump->line != NULL) {
        Py_DECREF(leave_line(pump));
    }
}

/* ---- the end ---- */

bool
reply_set(Reply *reply, int state, PyObject *value)
{
    if (reply->state != REPLY_PENDING) {
        return false;
    }
    reply->state = state;
    reply->value = Py_XNewRef(value);
    see_to_waking(reply);
    return true;
}

static void
raise_cancelled(const Reply *reply)
{
    PyObject *type = reply->pump->state->CancelledError;

    if (reply->message == NULL || reply->message == Py_None) {
        PyErr_SetNone(type);
    }
    else {
        PyErr_SetObject(type, reply->message);
    }
}

int
reply_take(Reply *reply, PyObject **result)
{
    switch (reply->state) {
    case REPLY_RESULT:
        *result = Py_NewRef(reply->value);
        return 0;
    case REPLY_EXCEPTION:
        PyErr_SetObject((PyObject *)Py_TYPE(reply->value), reply->value);
        return -1;
    case REPLY_CANCELLED:
        raise_cancelled(reply);
        return -1;
    default:
        PyErr_SetString(reply->pump->state->InvalidStateError,
                        "Result is not set.");
        return -1;
    }
}

/* ---- what a task asks of a future ---- */

static PyObject *
reply_result(PyObject *self, PyObject *unused)
{
    PyObject *result = NULL;

    (void)unused;
    reply_take((Reply *)self, &result);
    return result;
}

static PyObject *
reply_exception(PyObject *self, PyObject *unused)
{
    Reply *reply = (Reply *)self;
    PyObject *result = NULL;

    (void)unused;
    if (reply->state == REPLY_EXCEPTION) {
        return Py_NewRef(reply->value);
    }
    if (reply_take(reply, &result) < 0) {
        return NULL;
    }
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static PyObject *
reply_get_loop(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(((Reply *)self)->pump->loop);
}

static PyObject *
reply_done(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((Reply *)self)->state != REPLY_PENDING);
}

static PyObject *
reply_cancelled(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((Reply *)self)->state == REPLY_CANCELLED);
}

/* The one keyword, or the default. */
static PyObject *
keyword(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return kwnames != NULL && PyTuple_GET_SIZE(kwnames) == 1 ? args[nargs]
                                                             : NULL;
}

static PyObject *
reply_add_done_callback(PyObject *self, PyObject *const *args,
                        Py_ssize_t nargs, PyObject *kwnames)
{
    Reply *reply = (Reply *)self;
    PyObject *context = keyword(args, nargs, kwnames);

    if (nargs != 1) {
        PyErr_SetString(PyExc_TypeError,
                        "add_done_callback() takes a function");
        return NULL;
    }
    if (reply->callback != NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "an operation is awaited by one task only");
        return NULL;
    }
    if (context == Py_None) {
        context = NULL;
    }
    if (reply->state != REPLY_PENDING) {
        call_back(reply, args[0], context);
        Py_RETURN_NONE;
    }
    reply->callback = Py_NewRef(args[0]);
    reply->context = Py_XNewRef(context);
    Py_RETURN_NONE;
}

/* Gives how many were removed. */
static PyObject *
reply_remove_done_callback(PyObject *self, PyObject *callback)
{
    Reply *reply = (Reply *)self;
    int same =
        reply->callback == NULL
            ? 0
            : PyObject_RichCompareBool(reply->callback, callback, Py_EQ);

    if (same < 0) {
        return NULL;
    }
    if (same != 0) {
        Py_CLEAR(reply->callback);
        Py_CLEAR(reply->context);
    }
    return PyLong_FromLong(same);
}

static PyObject *
reply_cancel(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    Reply *reply = (Reply *)self;
    PyObject *message = nargs > 0 ? args[0] : keyword(args, nargs, kwnames);

    if (reply->state != REPLY_PENDING) {
        Py_RETURN_FALSE;
    }
    Py_XSETREF(reply->message, Py_XNewRef(message));
    reply_set(reply, REPLY_CANCELLED, NULL);
    Py_RETURN_TRUE;
}

static PyObject *
reply_repr(PyObject *self)
{
    static const char *const words[] = {"pending", "finished", "failed",
                                        "cancelled"};

    return PyUnicode_FromFormat("<Reply %s>", words[((Reply *)self)->state]);
}

/* ---- the object ---- */

static int
reply_traverse(PyObject *self, visitproc visit, void *arg)
{
    Reply *reply = (Reply *)self;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(reply->pump);
    Py_VISIT(reply->value);
    Py_VISIT(reply->message);
    Py_VISIT(reply->callback);
    Py_VISIT(reply->context);
    return 0;
}

static int
reply_clear(PyObject *self)
{
    Reply *reply = (Reply *)self;

    Py_CLEAR(reply->value);
    Py_CLEAR(reply->message);
    Py_CLEAR(reply->callback);
    Py_CLEAR(reply->context);
    return 0;
}

static void
reply_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    reply_clear(self);
    Py_CLEAR(((Reply *)self)->pump);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef reply_methods[] = {
    {"result", reply_result, METH_NOARGS, NULL},
    {"exception", reply_exception, METH_NOARGS, NULL},
    {"get_loop", reply_get_loop, METH_NOARGS, NULL},
    {"done", reply_done, METH_NOARGS, NULL},
    {"cancelled", reply_cancelled, METH_NOARGS, NULL},
    {"add_done_callback", (PyCFunction)(void (*)(void))reply_add_done_callback,
     METH_FASTCALL | METH_KEYWORDS, NULL},
    {"remove_done_callback", reply_remove_done_callback, METH_O, NULL},
    {"cancel", (PyCFunction)(void (*)(void))reply_cancel,
     METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef reply_members[] = {
    {"_asyncio_future_blocking", T_BOOL, offsetof(Reply, blocking), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot reply_slots[] = {
    {Py_tp_dealloc, reply_dealloc},
    {Py_tp_traverse, reply_traverse},
    {Py_tp_clear, reply_clear},
    {Py_tp_repr, reply_repr},
    {Py_tp_methods, reply_methods},
    {Py_tp_members, reply_members},
    {0, NULL},
};

PyType_Spec reply_spec = {
    .name = "aerospike_py._aerospike.Reply",
    .basicsize = sizeof(Reply),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = reply_slots,
};

/* The awaitable of the asynchronous client: what a method returns.
 *
 * It is a coroutine to everybody who asks (send, throw, close, __await__, and
 * registered as one).  Nothing is looked at or sent before its first step;
 * then the request goes out at once and it waits on its reply.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "client.h"
#include "metrics.h"
#include "op.h"
#include "reply.h"

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

void
op_release_call(Op *op)
{
    call_free(op->call);
    op->call = NULL;
}

static void
hand_over(Op *op, PyObject *result)
{
    if (!reply_set(op->reply, REPLY_RESULT, result) && op->give_back != NULL) {
        op->give_back(op->self, result);
    }
}

void
op_take_back(Op *op)
{
    if (op->give_back != NULL && op->reply != NULL && op->call == NULL &&
        op->reply->state == REPLY_RESULT) {
        op->give_back(op->self, op->reply->value);
    }
}

static void
hand_over_exception(Op *op)
{
    PyObject *exc = errors_take();

    reply_set(op->reply, REPLY_EXCEPTION, exc);
    Py_XDECREF(exc);
}

/* A write of which something was sent, or may have been. */
bool
op_may_have_written(const Op *op)
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

    op->wrote = op_may_have_written(op);
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
            hand_over_exception(op);
        }
        else {
            hand_over(op, result);
            Py_DECREF(result);
        }
    }
    op_release_call(op);
    return true;
}

void
op_say_in_doubt(ModState *state)
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

    op->wrote = op_may_have_written(op);
    if (!op->abandoned) {
        raise_error(state, type, "%s", text);
        if (op->wrote) {
            op_say_in_doubt(state);
        }
        hand_over_exception(op);
    }
    op_release_call(op);
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
        op_release_call(op);
        return -1;
    }
    metrics_stage_end(call, STAGE_KEY_PARSE, from);
    return 0;
}

/* Hand what was built to the pump of the running loop. */
int
op_submit(Op *op)
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
    op->reply = reply_new(op->pump);
    if (op->reply == NULL) {
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

    op->opening = coroutine == NULL
                      ? NULL
                      : PyObject_CallMethod(coroutine, "__await__", NULL);
    Py_XDECREF(coroutine);
    op->stage = OP_OPENING;
    return op->opening == NULL ? -1 : 0;
}

/* 0: it waits for something; 1: it is over and *result is set; -1: an
 * exception. */
int
op_start(Op *op, PyObject **result)
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
    return op->client->reopens ? reopen(op) : op_submit(op);
}

void
op_run_alone(PyObject *self)
{
    Op *op = (Op *)self;
    PyObject *result = NULL;

    op->abandoned = true;
    if (op_start(op, &result) < 0) {
        PyErr_WriteUnraisable(self);
    }
    Py_XDECREF(result);
    op->stage = OP_ENDED;
}

void
op_forget(Op *op)
{
    op->stage = OP_ENDED;
    for (int i = 0; i < ARGS_MAX; i++) {
        Py_CLEAR(op->argv[i]);
    }
    Py_CLEAR(op->opening);
    Py_CLEAR(op->reply);
    Py_CLEAR(op->pump);
    Py_CLEAR(op->self);
}

/* It ends without having been handed to a pump. */
void
op_end_early(Op *op)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    PyErr_Fetch(&type, &exc, &trace);
    op_release_call(op);
    op_forget(op);
    PyErr_Restore(type, exc, trace);
}

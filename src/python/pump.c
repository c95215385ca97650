/* The meeting of asyncio and the core: one for each client and event loop.
 *
 * Embedded, libuv's descriptor is one of the loop's readers: a wake turns
 * libuv, which steps what is ready and sends what waited; then the results of
 * all that ended are made and their tasks go on, with the interpreter's lock
 * kept throughout (releasing it costs a switch interval whenever another
 * thread computes).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "client.h"
#include "gil.h"
#include "reply.h"

enum {
    EACH = 8,            /* results between two looks at the clock */
    HOLD_NS = 400 * 1000 /* the loop is not held for longer than this */
};

/* ---- the ring of what runs ---- */

static void
enter_ring(Pump *pump, Op *op)
{
    Py_INCREF(op);
    op->behind = pump->running;
    op->before = NULL;
    if (pump->running != NULL) {
        pump->running->before = op;
    }
    pump->running = op;
}

static void
leave_ring(Pump *pump, Op *op)
{
    if (op->before != NULL) {
        op->before->behind = op->behind;
    }
    else {
        pump->running = op->behind;
    }
    if (op->behind != NULL) {
        op->behind->before = op->before;
    }
    op->before = NULL;
    op->behind = NULL;
    Py_DECREF(op);
}

/* ---- results ---- */

static void
ask_soon(Pump *pump, PyObject *callback)
{
    PyObject *handle = PyObject_CallMethodOneArg(
        pump->loop, pump->state->str_call_soon, callback);

    if (handle == NULL) {
        PyErr_WriteUnraisable(pump->loop);
    }
    Py_XDECREF(handle);
}

static void
ask_pass(Pump *pump)
{
    if (!pump->pass_asked && pump->on_pass != NULL) {
        pump->pass_asked = true;
        ask_soon(pump, pump->on_pass);
    }
}

/* Make the results of a few that have ended.  False: there are no more, or
 * others shall go first. */
static bool
make_results(Pump *pump)
{
    for (unsigned i = 0; i < EACH; i++) {
        aero_run *run =
            pump->pump == NULL ? NULL : aero_pump_take_done(pump->pump);
        Op *op;

        if (run == NULL) {
            return false;
        }
        op = run->owner;
        if (!op_complete(op)) {
            ask_soon(pump, pump->on_ready); /* a part of it, and others wait */
            return false;
        }
        leave_ring(pump, op);
    }
    return true;
}

/* What ended by what a task has just done.  Its results are made; others are
 * woken later. */
static void
see_to_ended(Pump *pump)
{
    if (make_results(pump) || (pump->line != NULL && !pump->waking)) {
        ask_pass(pump);
    }
}

/* What stops a loop leaves by a callback of its own: uvloop hears it from
 * those of its passes, but not from those of descriptors. */
static void
keep_stopper(Pump *pump)
{
    Py_XSETREF(pump->stopper, errors_take());
    ask_pass(pump);
}

static void
flush(Pump *pump)
{
    if (pump->gathered && pump->pump != NULL) {
        pump->gathered = false;
        aero_pump_flush(pump->pump);
        see_to_ended(pump);
    }
}

/* ---- the timer ---- */

static void
drop_timer(Pump *pump)
{
    PyObject *done;

    if (pump->timer == NULL) {
        return;
    }
    done = PyObject_CallMethodNoArgs(pump->timer, pump->state->str_cancel);
    if (done == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(done);
    Py_CLEAR(pump->timer);
}

/* asyncio learns of the nearest deadline; a timer is moved only forward. */
static void
set_timer(Pump *pump)
{
    uint64_t by =
        pump->pump == NULL ? AERO_NEVER : aero_pump_deadline(pump->pump);
    uint64_t now;
    PyObject *delay;

    if (by == AERO_NEVER || (pump->timer != NULL && pump->timer_at <= by)) {
        return;
    }
    drop_timer(pump);
    now = aero_clock_now();
    delay = PyFloat_FromDouble(by > now ? (double)(by - now) / 1e9 : 0.0);
    if (delay != NULL) {
        pump->timer =
            PyObject_CallMethodObjArgs(pump->loop, pump->state->str_call_later,
                                       delay, pump->on_late, NULL);
        Py_DECREF(delay);
    }
    pump->timer_at = by;
    if (pump->timer == NULL) {
        PyErr_WriteUnraisable(pump->loop);
    }
}

/* Results, and the tasks that wait for them, in turns.  What does not fit into
 * the time goes on in the next pass, after others. */
static void
go_on(Pump *pump)
{
    uint64_t until = aero_clock_now() + HOLD_NS;
    bool more = true;

    while (more || pump->line != NULL) {
        more = more && make_results(pump);
        if (reply_wake(pump, until) < 0) {
            keep_stopper(pump);
            break;
        }
        if (aero_clock_now() > until) {
            if (more || pump->line != NULL) {
                ask_pass(pump);
            }
            break;
        }
    }
    flush(pump);
    set_timer(pump);
}

static PyObject *
pump_ready(PyObject *self, PyObject *unused)
{
    Pump *pump = (Pump *)self;

    (void)unused;
    GIL_ENTER();
    Py_INCREF(self);
    if (pump->pump != NULL) {
        aero_pump_turn(pump->pump);
    }
    go_on(pump);
    Py_DECREF(self);
    GIL_LEAVE();
    Py_RETURN_NONE;
}

static PyObject *
pump_late(PyObject *self, PyObject *unused)
{
    Pump *pump = (Pump *)self;

    (void)unused;
    Py_CLEAR(pump->timer);
    return pump_ready(self, NULL);
}

static PyObject *
raise_stopper(Pump *pump)
{
    PyObject *exc = pump->stopper;

    pump->stopper = NULL;
    ask_pass(pump); /* for the others */
    PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
    Py_DECREF(exc);
    return NULL;
}

/* The pass is over: what it gathered goes out, what was left goes on. */
static PyObject *
pump_pass(PyObject *self, PyObject *unused)
{
    Pump *pump = (Pump *)self;

    (void)unused;
    pump->pass_asked = false;
    if (pump->stopper != NULL) {
        return raise_stopper(pump);
    }
    GIL_ENTER();
    Py_INCREF(self);
    flush(pump);
    go_on(pump);
    Py_DECREF(self);
    GIL_LEAVE();
    Py_RETURN_NONE;
}

/* ---- operations ---- */

static void
fill_run(Op *op)
{
    Call *call = op->call;
    aero_run *run = &op->run;

    run->task = call->task;
    run->owner = op;
    run->cmd = call->task == &call->cmd.task ? &call->cmd : NULL;
    run->is_read = call->is_read;
    run->gate = call_gate(call);
    if (run->gate != NULL) {
        run->total_by = call_total_by(call);
    }
}

void
pump_start(Pump *pump, Op *op)
{
    fill_run(op);
    enter_ring(pump, op);
    if (aero_pump_submit(pump->pump, &op->run)) {
        pump->gathered = true;
        if (!pump->waking) {
            ask_pass(pump);
        }
    }
    see_to_ended(pump);
    if (!pump->waking) {
        set_timer(pump);
    }
}

static void
cancel_run(aero_run *run)
{
    Op *op = run->owner;
    Call *call = op->call;

    if (call->task == &call->cmd.task) {
        aero_cmd_cancel(&call->cmd, AERO_ERR_CLIENT_ABORT, "cancelled");
    }
    else if (call->cancel != NULL) {
        call->cancel(call);
    }
}

void
pump_cancel(Pump *pump, Op *op)
{
    if (pump->pump != NULL &&
        aero_pump_cancel(pump->pump, &op->run, cancel_run)) {
        op_complete(op);
        leave_ring(pump, op);
    }
    see_to_ended(pump);
    set_timer(pump);
}

/* ---- closing ---- */

static void
stop_reading(Pump *pump)
{
    PyObject *fd = PyLong_FromLong(aero_pump_fd(pump->pump));
    PyObject *done = NULL;

    if (fd != NULL) {
        done = PyObject_CallMethodOneArg(pump->loop,
                                         pump->state->str_remove_reader, fd);
        Py_DECREF(fd);
    }
    if (done == NULL) {
        PyErr_Clear(); /* the loop is closed: it reads nothing more */
    }
    Py_XDECREF(done);
    drop_timer(pump);
}

bool
pump_loop_is_closed(const Pump *pump)
{
    PyObject *closed =
        PyObject_CallMethodNoArgs(pump->loop, pump->state->str_is_closed);
    bool yes = closed == NULL || closed == Py_True;

    if (closed == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(closed);
    return yes;
}

void
pump_enter(Pump *pump, Guest *guest)
{
    guest->before = NULL;
    guest->behind = pump->guests;
    if (pump->guests != NULL) {
        pump->guests->before = guest;
    }
    pump->guests = guest;
}

void
pump_leave(Pump *pump, Guest *guest)
{
    if (guest->before != NULL) {
        guest->before->behind = guest->behind;
    }
    else if (pump->guests == guest) {
        pump->guests = guest->behind;
    }
    if (guest->behind != NULL) {
        guest->behind->before = guest->before;
    }
    guest->before = NULL;
    guest->behind = NULL;
}

/* What has ended already has its result still. */
static void
hand_over_last(Pump *pump, aero_pump *core, bool loop_is_closed)
{
    aero_run *run;

    while ((run = aero_pump_take_done(core)) != NULL) {
        Op *op = run->owner;

        op->abandoned = op->abandoned || loop_is_closed;
        if (run->cmd != NULL) { /* others may be only a part of something */
            op_complete(op);
            leave_ring(pump, op);
        }
    }
}

void
pump_shut(Pump *pump, bool loop_is_closed)
{
    aero_pump *core = pump->pump;

    if (core == NULL) {
        return;
    }
    if (!loop_is_closed) {
        stop_reading(pump);
    }
    else {
        Py_CLEAR(pump->timer);
    }
    pump->pump = NULL;
    Py_CLEAR(pump->entry);
    Py_BEGIN_ALLOW_THREADS;
    aero_pump_stop(core); /* from here on all of it is ours */
    Py_END_ALLOW_THREADS;
    hand_over_last(pump, core, loop_is_closed);
    for (Op *op = pump->running; op != NULL; op = op->behind) {
        aero_pump_drop(core, &op->run, cancel_run);
    }
    while (pump->guests != NULL) {
        Guest *guest = pump->guests;

        pump_leave(pump, guest);
        guest->evict(guest);
    }
    aero_pump_free(core);
    while (pump->running != NULL) {
        Op *op = pump->running;

        op->abandoned = op->abandoned || loop_is_closed;
        op_fail(op, EXC_NotConnected, "The client was closed");
        leave_ring(pump, op);
    }
    aero_cluster_release(pump->cluster);
    pump->cluster = NULL;
    if (pump->line != NULL && !loop_is_closed) {
        ask_pass(pump);
    }
}

void
pump_end_if_closed(Pump *pump)
{
    if (pump_loop_is_closed(pump)) {
        pump_shut(pump, true);
    }
}

static PyObject *
call_shut(PyObject *self, PyObject *unused)
{
    (void)unused;
    pump_shut((Pump *)self, false);
    Py_RETURN_NONE;
}

/* ---- the object ---- */

static int
pump_traverse(PyObject *self, visitproc visit, void *arg)
{
    Pump *pump = (Pump *)self;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(pump->loop);
    Py_VISIT(pump->on_ready);
    Py_VISIT(pump->on_late);
    Py_VISIT(pump->on_pass);
    Py_VISIT(pump->timer);
    Py_VISIT(pump->stopper);
    for (Reply *reply = pump->line; reply != NULL; reply = reply->next) {
        Py_VISIT(reply);
    }
    for (Op *op = pump->running; op != NULL; op = op->behind) {
        Py_VISIT(op);
    }
    return 0;
}

static int
pump_clear(PyObject *self)
{
    Pump *pump = (Pump *)self;

    Py_CLEAR(pump->on_ready);
    Py_CLEAR(pump->on_late);
    Py_CLEAR(pump->on_pass);
    Py_CLEAR(pump->timer);
    Py_CLEAR(pump->stopper);
    reply_drop_line(pump);
    return 0;
}

static void
pump_dealloc(PyObject *self)
{
    Pump *pump = (Pump *)self;
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    pump_shut(pump, true);
    pump_clear(self);
    Py_CLEAR(pump->entry);
    Py_CLEAR(pump->loop);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef pump_methods[] = {
    {"_ready", pump_ready, METH_NOARGS, NULL},
    {"_late", pump_late, METH_NOARGS, NULL},
    {"_pass", pump_pass, METH_NOARGS, NULL},
    {"_shut", call_shut, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot pump_slots[] = {
    {Py_tp_dealloc, pump_dealloc},
    {Py_tp_traverse, pump_traverse},
    {Py_tp_clear, pump_clear},
    {Py_tp_methods, pump_methods},
    {0, NULL},
};

PyType_Spec pump_spec = {
    .name = "aerospike_py._aerospike.Pump",
    .basicsize = sizeof(Pump),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = pump_slots,
};

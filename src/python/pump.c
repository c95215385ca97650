/* The meeting of asyncio and the core: one for each client and event loop.
 *
 * Embedded, libuv's descriptor is one of the loop's readers: a wake turns
 * libuv, which steps what is ready and sends what waited; then the results of
 * all that ended are made and handed to their futures, with the interpreter's
 * lock kept throughout (releasing it costs a switch interval whenever another
 * thread computes).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "client.h"
#include "gil.h"

enum {
    LOOK_EVERY = 32,       /* results between two looks at the clock */
    HOLD_NS = 1000 * 1000, /* the loop is not held for longer than this */
    IDLE_MS = 55000
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

/* Hand over what has ended; a long list in slices. */
static void
hand_over(Pump *pump)
{
    uint64_t began = 0;
    unsigned count = 0;
    aero_run *run;

    while (pump->pump != NULL &&
           (run = aero_pump_take_done(pump->pump)) != NULL) {
        Op *op = run->owner;

        if (!op_complete(op)) {
            ask_soon(pump, pump->on_ready); /* a part of it, and others wait */
            return;
        }
        leave_ring(pump, op);
        if (++count % LOOK_EVERY == 0) {
            uint64_t now = aero_clock_now();

            if (began == 0) {
                began = now;
            }
            else if (now - began > HOLD_NS) {
                ask_soon(pump, pump->on_ready);
                return;
            }
        }
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

static void
turn(Pump *pump)
{
    if (pump->pump == NULL) {
        return;
    }
    aero_pump_turn(pump->pump);
    hand_over(pump);
    set_timer(pump);
}

static PyObject *
pump_ready(PyObject *self, PyObject *unused)
{
    (void)unused;
    GIL_ENTER();
    Py_INCREF(self);
    turn((Pump *)self);
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

/* The pass is over: what it gathered goes out. */
static PyObject *
pump_pass(PyObject *self, PyObject *unused)
{
    Pump *pump = (Pump *)self;

    (void)unused;
    pump->pass_asked = false;
    if (pump->pump != NULL) {
        aero_pump_flush(pump->pump);
        hand_over(pump);
        set_timer(pump);
    }
    Py_RETURN_NONE;
}

/* ---- operations ---- */

void
pump_start(Pump *pump, Op *op)
{
    enter_ring(pump, op);
    if (!op->call->is_read) {
        aero_pump_submit(pump->pump, &op->run);
    }
    else if (aero_pump_submit_read(pump->pump, &op->run, &op->call->cmd) &&
             !pump->pass_asked) {
        pump->pass_asked = true;
        ask_soon(pump, pump->on_pass);
    }
    hand_over(pump);
    set_timer(pump);
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
    hand_over(pump);
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

static bool
is_closed(Pump *pump)
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

/* Everything that runs fails; then the core's pump goes. */
static void
shut(Pump *pump, bool loop_is_closed)
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
    Py_BEGIN_ALLOW_THREADS;
    aero_pump_stop(core); /* from here on all of it is ours */
    Py_END_ALLOW_THREADS;
    for (Op *op = pump->running; op != NULL; op = op->behind) {
        cancel_run(&op->run);
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
}

void
pump_end_if_closed(Pump *pump)
{
    if (is_closed(pump)) {
        shut(pump, true);
    }
}

static PyObject *
pump_shut(PyObject *self, PyObject *unused)
{
    (void)unused;
    shut((Pump *)self, false);
    Py_RETURN_NONE;
}

static PyObject *
running_loop(ModState *state)
{
    if (state->get_running_loop == NULL) {
        PyObject *asyncio = PyImport_ImportModule("asyncio");

        if (asyncio == NULL) {
            return NULL;
        }
        state->InvalidStateError =
            PyObject_GetAttrString(asyncio, "InvalidStateError");
        state->get_running_loop =
            PyObject_GetAttrString(asyncio, "get_running_loop");
        Py_DECREF(asyncio);
        if (state->get_running_loop == NULL) {
            return NULL;
        }
    }
    return PyObject_CallNoArgs(state->get_running_loop);
}

bool
pump_is_here(Pump *pump)
{
    PyObject *loop = running_loop(pump->state);

    if (loop == NULL) {
        PyErr_Clear();
        return false;
    }
    Py_DECREF(loop);
    return loop == pump->loop;
}

static Pump *
take_pumps(Client *client)
{
    Pump *pumps;

    pthread_mutex_lock(&client->lock);
    pumps = client->pumps;
    client->pumps = NULL;
    pthread_mutex_unlock(&client->lock);
    return pumps;
}

/* A pump belongs to the thread of its loop: others ask it to end. */
static void
shut_from_anywhere(Pump *pump, PyObject *here)
{
    PyObject *method;
    PyObject *handle = NULL;

    if (is_closed(pump)) {
        shut(pump, true);
        return;
    }
    if (pump->loop == here) {
        shut(pump, false);
        return;
    }
    method = PyObject_GetAttrString((PyObject *)pump, "_shut");
    if (method != NULL) {
        handle = PyObject_CallMethodOneArg(
            pump->loop, pump->state->str_call_soon_threadsafe, method);
        Py_DECREF(method);
    }
    if (handle == NULL) {
        PyErr_Clear(); /* it was closed at this very moment */
        shut(pump, true);
    }
    Py_XDECREF(handle);
}

void
pump_close_all(Client *client)
{
    Pump *pumps = take_pumps(client);
    PyObject *here;
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    if (pumps == NULL) {
        return;
    }
    PyErr_Fetch(&type, &exc, &trace);
    here = running_loop(client->state);
    PyErr_Clear();
    while (pumps != NULL) {
        Pump *pump = pumps;

        pumps = pump->next;
        pump->next = NULL;
        shut_from_anywhere(pump, here);
        Py_DECREF(pump);
    }
    Py_XDECREF(here);
    PyErr_Restore(type, exc, trace);
}

void
pump_abandon_all(Client *client)
{
    /* Sockets and threads are the parent's; what the pumps own is left. */
    client->pumps = NULL;
}

/* ---- finding and making ---- */

static aero_pump_kind
wanted_kind(void)
{
    const char *wish = getenv("AEROSPIKE_PY_PUMP");

    if (wish != NULL && strcmp(wish, "thread") == 0) {
        return AERO_PUMP_THREAD;
    }
    if (wish != NULL && strcmp(wish, "embedded") == 0) {
        return AERO_PUMP_EMBEDDED;
    }
    return aero_pump_default();
}

static int
start_reading(Pump *pump)
{
    PyObject *fd = PyLong_FromLong(aero_pump_fd(pump->pump));
    PyObject *done = NULL;

    if (fd != NULL) {
        done = PyObject_CallMethodObjArgs(
            pump->loop, pump->state->str_add_reader, fd, pump->on_ready, NULL);
        Py_DECREF(fd);
    }
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static Pump *
make_pump(Client *client, aero_cluster *cluster, PyObject *loop)
{
    PyTypeObject *type = client->state->PumpType;
    aero_loop_config config = {client->warm_conns, client->max_conns, IDLE_MS,
                               client->coalesce};
    aero_status st;
    Pump *pump = (Pump *)type->tp_alloc(type, 0);

    if (pump == NULL) {
        return NULL;
    }
    aero_status_clear(&st);
    pump->state = client->state;
    pump->loop = Py_NewRef(loop);
    pump->on_ready = PyObject_GetAttrString((PyObject *)pump, "_ready");
    pump->on_late = PyObject_GetAttrString((PyObject *)pump, "_late");
    pump->on_pass = PyObject_GetAttrString((PyObject *)pump, "_pass");
    if (pump->on_ready == NULL || pump->on_late == NULL ||
        pump->on_pass == NULL) {
        Py_DECREF(pump);
        return NULL;
    }
    pump->pump = aero_pump_new(cluster, wanted_kind(), &config, &st);
    if (pump->pump == NULL) {
        raise_status(client->state, &st);
        Py_DECREF(pump);
        return NULL;
    }
    pump->cluster = aero_cluster_acquire(cluster);
    if (start_reading(pump) < 0) {
        shut(pump, false);
        Py_DECREF(pump);
        return NULL;
    }
    return pump;
}

/* Take out those whose loop has ended, or whose cluster is another's. */
static Pump *
take_stale(Client *client, aero_cluster *cluster)
{
    Pump *stale = NULL;
    Pump **at = &client->pumps;

    pthread_mutex_lock(&client->lock);
    while (*at != NULL) {
        Pump *pump = *at;

        if (pump->cluster != cluster || is_closed(pump)) {
            *at = pump->next;
            pump->next = stale;
            stale = pump;
        }
        else {
            at = &pump->next;
        }
    }
    pthread_mutex_unlock(&client->lock);
    return stale;
}

Pump *
pump_of(Client *client, aero_cluster *cluster)
{
    PyObject *loop = running_loop(client->state);
    Pump *pump;
    Pump *stale;

    if (loop == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&client->lock);
    for (pump = client->pumps; pump != NULL; pump = pump->next) {
        if (pump->loop == loop && pump->cluster == cluster &&
            pump->pump != NULL) {
            break;
        }
    }
    pthread_mutex_unlock(&client->lock);
    if (pump != NULL) {
        Py_DECREF(loop);
        return pump;
    }
    stale = take_stale(client, cluster);
    while (stale != NULL) {
        Pump *next = stale->next;

        stale->next = NULL;
        shut_from_anywhere(stale, loop);
        Py_DECREF(stale);
        stale = next;
    }
    pump = make_pump(client, cluster, loop);
    Py_DECREF(loop);
    if (pump != NULL) {
        pthread_mutex_lock(&client->lock);
        pump->next = client->pumps;
        client->pumps = pump;
        pthread_mutex_unlock(&client->lock);
    }
    return pump;
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
    return 0;
}

static void
pump_dealloc(PyObject *self)
{
    Pump *pump = (Pump *)self;
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    shut(pump, true);
    pump_clear(self);
    Py_CLEAR(pump->loop);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef pump_methods[] = {
    {"_ready", pump_ready, METH_NOARGS, NULL},
    {"_late", pump_late, METH_NOARGS, NULL},
    {"_pass", pump_pass, METH_NOARGS, NULL},
    {"_shut", pump_shut, METH_NOARGS, NULL},
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

/* The pumps of a client: one for each event loop that it serves.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "client.h"
#include "gil.h"

/* What is needed of asyncio; the function last, by which it is known. */
static int
take_asyncio(ModState *state)
{
    PyObject *asyncio = PyImport_ImportModule("asyncio");

    if (asyncio == NULL) {
        return -1;
    }
    Py_XSETREF(state->InvalidStateError,
               PyObject_GetAttrString(asyncio, "InvalidStateError"));
    Py_XSETREF(state->CancelledError,
               PyObject_GetAttrString(asyncio, "CancelledError"));
    Py_XSETREF(state->context_name, Py_BuildValue("(s)", "context"));
    if (state->InvalidStateError != NULL && state->CancelledError != NULL &&
        state->context_name != NULL) {
        state->get_running_loop =
            PyObject_GetAttrString(asyncio, "get_running_loop");
    }
    Py_DECREF(asyncio);
    return state->get_running_loop == NULL ? -1 : 0;
}

static PyObject *
running_loop(ModState *state)
{
    if (state->get_running_loop == NULL && take_asyncio(state) < 0) {
        return NULL;
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

/* ---- closing ---- */

/* A pump belongs to the thread of its loop: others ask it to end. */
static void
shut_from_anywhere(Pump *pump, PyObject *here)
{
    PyObject *method;
    PyObject *handle = NULL;

    if (pump_loop_is_closed(pump)) {
        pump_shut(pump, true);
        return;
    }
    if (pump->loop == here) {
        pump_shut(pump, false);
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
        pump_shut(pump, true);
    }
    Py_XDECREF(handle);
}

/* Takes the pumps of the list. */
static void
shut_list(Pump *pumps, PyObject *here)
{
    while (pumps != NULL) {
        Pump *pump = pumps;

        pumps = pump->next;
        pump->next = NULL;
        shut_from_anywhere(pump, here);
        Py_DECREF(pump);
    }
}

void
pump_close_all(Client *client)
{
    PyObject *here;
    PyObject *type;
    PyObject *exc;
    PyObject *trace;
    Pump *pumps;

    OWN_LOCK(&client->lock);
    pumps = client->pumps;
    client->pumps = NULL;
    OWN_UNLOCK(&client->lock);
    if (pumps == NULL) {
        return;
    }
    PyErr_Fetch(&type, &exc, &trace);
    here = running_loop(client->state);
    PyErr_Clear();
    shut_list(pumps, here);
    Py_XDECREF(here);
    PyErr_Restore(type, exc, trace);
}

void
pump_abandon_all(Client *client)
{
    /* Sockets and threads are the parent's: what the pumps own is left.  The
     * pumps stay, to know the parent's loops by. */
    for (Pump *pump = client->pumps; pump != NULL; pump = pump->next) {
        pump->pump = NULL;
        pump->cluster = NULL;
        pump->is_parents = true;
    }
}

/* ---- finding ---- */

/* Gives the pump of the loop, or NULL. */
static Pump *
find_pump(Client *client, const aero_cluster *cluster, const PyObject *loop)
{
    Pump *pump;

    OWN_LOCK(&client->lock);
    for (pump = client->pumps; pump != NULL; pump = pump->next) {
        if (pump->loop == loop &&
            (pump->is_parents ||
             (pump->cluster == cluster && pump->pump != NULL))) {
            Py_INCREF(pump);
            break;
        }
    }
    OWN_UNLOCK(&client->lock);
    return pump;
}

/* Gives the pump at the place in the list, or NULL. */
static Pump *
pump_at(Client *client, size_t place)
{
    Pump *pump;

    OWN_LOCK(&client->lock);
    pump = client->pumps;
    while (pump != NULL && place-- != 0) {
        pump = pump->next;
    }
    Py_XINCREF(pump);
    OWN_UNLOCK(&client->lock);
    return pump;
}

/* True: it was in the list, whose reference is the caller's now. */
static bool
take_out(Client *client, Pump *pump)
{
    Pump **at = &client->pumps;
    bool found;

    OWN_LOCK(&client->lock);
    while (*at != NULL && *at != pump) {
        at = &(*at)->next;
    }
    found = *at != NULL;
    if (found) {
        *at = pump->next;
        pump->next = NULL;
    }
    OWN_UNLOCK(&client->lock);
    return found;
}

/* End those whose loop has ended, or whose cluster is another's.  Loops are
 * asked without the lock: that runs Python code. */
static void
shut_stale(Client *client, const aero_cluster *cluster, PyObject *here)
{
    size_t place = 0;
    Pump *pump;

    while ((pump = pump_at(client, place)) != NULL) {
        bool stale = pump_loop_is_closed(pump) ||
                     (!pump->is_parents && pump->cluster != cluster);

        if (stale && take_out(client, pump)) {
            shut_list(pump, here);
        }
        else {
            place++;
        }
        Py_DECREF(pump);
    }
}

/* ---- making ---- */

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

static bool
is_in_debug_mode(ModState *state, PyObject *loop)
{
    PyObject *debug = PyObject_CallMethodNoArgs(loop, state->str_get_debug);
    bool yes = debug == Py_True;

    if (debug == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(debug);
    return yes;
}

static Pump *
make_pump(Client *client, aero_cluster *cluster, PyObject *loop)
{
    PyTypeObject *type = client->state->PumpType;
    aero_loop_config config = {
        .warm_conns = client->warm_conns,
        .max_conns = client->max_conns,
        .max_idle_ms = client->max_idle_ms,
        .coalesce = client->coalesce,
        .max_rows = client->max_rows,
        .max_flights = client->max_flights,
        .gate = client->gate,
    };
    aero_status st;
    Pump *pump = (Pump *)type->tp_alloc(type, 0);

    if (pump == NULL) {
        return NULL;
    }
    aero_status_clear(&st);
    pump->state = client->state;
    pump->loop = Py_NewRef(loop);
    pump->polite = is_in_debug_mode(client->state, loop);
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
        pump_shut(pump, false);
        Py_DECREF(pump);
        return NULL;
    }
    return pump;
}

/* Before Python 3.12 asyncio asks the kernel for the number of the process
 * whenever it is asked for the running loop.  The entry of the thread's dict
 * that it reads is another object for each run of a loop: one that was met
 * before needs no second look.  Borrowed; NULL: not known. */
static PyObject *
running_entry(ModState *state)
{
#if PY_VERSION_HEX < 0x030c0000
    PyObject *dict = PyThreadState_GetDict();

    return dict == NULL ? NULL
                        : PyDict_GetItemWithError(
                              dict, state->str___asyncio_running_event_loop__);
#else
    (void)state;
    return NULL;
#endif
}

/* Gives the pump that was found by this entry before, or NULL. */
static Pump *
find_by_entry(Client *client, const aero_cluster *cluster,
              const PyObject *entry)
{
    Pump *pump;

    if (entry == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&client->lock);
    pump = client->pumps;
    while (pump != NULL && (pump->entry != entry || pump->is_parents ||
                            pump->cluster != cluster || pump->pump == NULL)) {
        pump = pump->next;
    }
    Py_XINCREF(pump);
    pthread_mutex_unlock(&client->lock);
    return pump;
}

Pump *
pump_of(Client *client, aero_cluster *cluster)
{
    PyObject *entry = running_entry(client->state);
    Pump *pump = find_by_entry(client, cluster, entry);
    PyObject *loop;

    if (pump != NULL) {
        return pump;
    }
    loop = running_loop(client->state);
    if (loop == NULL) {
        return NULL;
    }
    pump = find_pump(client, cluster, loop);
    if (pump != NULL && pump->is_parents) {
        raise_error(client->state, EXC_ClientError,
                    "This event loop is the parent process's: after a fork, "
                    "use the client in a new one");
        Py_CLEAR(pump);
    }
    else if (pump == NULL) {
        shut_stale(client, cluster, loop);
        pump = make_pump(client, cluster, loop);
        if (pump != NULL) {
            OWN_LOCK(&client->lock);
            pump->next = client->pumps;
            client->pumps = (Pump *)Py_NewRef(pump);
            OWN_UNLOCK(&client->lock);
        }
    }
    if (pump != NULL) {
        Py_XSETREF(pump->entry, Py_XNewRef(entry));
    }
    Py_DECREF(loop);
    return pump;
}

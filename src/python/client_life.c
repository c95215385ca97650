/* A client's life: connecting, the first use, closing, and after a fork.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include "aero/drive/tender.h"

/* ---- connecting ---- */

static bool
check_signals(void *ctx)
{
    PyThreadState **thread = ctx;
    bool stop;

    PyEval_RestoreThread(*thread);
    stop = PyErr_CheckSignals() < 0;
    *thread = PyEval_SaveThread();
    return stop;
}

/* Make the cluster and wait for its first tend.  NULL with an exception. */
static aero_cluster *
make_cluster(Client *client, PyObject *user, PyObject *password)
{
    aero_cluster *cluster = client_new_cluster(client, user, password);
    PyThreadState *thread;
    aero_wait wait = {check_signals, &thread, -1};
    aero_status st;
    aero_rc rc;

    if (cluster == NULL) {
        return NULL;
    }
    aero_status_clear(&st);
    thread = PyEval_SaveThread();
    rc = aero_tender_start(cluster, &wait, &st);
    PyEval_RestoreThread(thread);
    if (rc == AERO_OK && !PyErr_Occurred()) {
        return cluster;
    }
    if (rc == AERO_OK) {
        client_stop(cluster);
    }
    aero_cluster_release(cluster);
    if (!PyErr_Occurred()) {
        raise_status(client->state, &st);
    }
    return NULL;
}

void
client_stop(aero_cluster *cluster)
{
    Py_BEGIN_ALLOW_THREADS;
    aero_tender_stop(cluster);
    Py_END_ALLOW_THREADS;
}

int
client_enter(Client *client, bool explicit_call)
{
    bool strict = client->face->strict;
    bool was_first_use;
    int before;

    OWN_LOCK(&client->lock);
    before = client->life;
    was_first_use = explicit_call && !client->explicit_connect;
    if (before == LIFE_NEW || before == LIFE_CLOSED) {
        client->life = LIFE_CONNECTING;
    }
    else if (before == LIFE_CONNECTED && was_first_use) {
        client->explicit_connect = true;
    }
    OWN_UNLOCK(&client->lock);
    if (before == LIFE_NEW || before == LIFE_CLOSED) {
        return 0;
    }
    if (before == LIFE_CONNECTED && (strict || was_first_use)) {
        return 1;
    }
    raise_error(client->state, EXC_ClientError,
                before == LIFE_CONNECTED
                    ? "Client is already connected. Call close() first."
                    : "Client is already connected or being connected.");
    return -1;
}

/* A configuration file is looked at from now on. */
static void
say_connected(Client *client)
{
    PyObject *watched = PyDict_GetItemString(client->config, "watched");
    PyObject *module;
    PyObject *done;

    if (watched != Py_True) {
        return;
    }
    module = PyImport_ImportModule("aerospike_py._dynamic");
    done = module == NULL
               ? NULL
               : PyObject_CallMethod(module, "watch", "O", (PyObject *)client);
    if (done == NULL) {
        PyErr_WriteUnraisable((PyObject *)client);
    }
    Py_XDECREF(done);
    Py_XDECREF(module);
}

void
client_leave(Client *client, aero_cluster *cluster, bool explicit_call)
{
    OWN_LOCK(&client->lock);
    client->cluster = cluster;
    client->life = cluster != NULL ? LIFE_CONNECTED
                   : explicit_call ? LIFE_CLOSED
                                   : LIFE_NEW;
    client->explicit_connect = cluster != NULL && explicit_call;
    client->reopens = client->reopens && cluster == NULL;
    OWN_UNLOCK(&client->lock);
    if (cluster != NULL) {
        say_connected(client);
    }
}

PyObject *
client_connect_as(Client *client, PyObject *user, PyObject *password)
{
    int entered = client_enter(client, true);
    aero_cluster *cluster;

    if (entered != 0) {
        return entered < 0 ? NULL : Py_NewRef((PyObject *)client);
    }
    cluster = make_cluster(client, user, password);
    client_leave(client, cluster, true);
    return cluster == NULL ? NULL : Py_NewRef((PyObject *)client);
}

aero_cluster *
client_peek(Client *client)
{
    aero_cluster *cluster;

    OWN_LOCK(&client->lock);
    cluster = client->cluster;
    if (cluster != NULL) {
        aero_cluster_acquire(cluster);
    }
    OWN_UNLOCK(&client->lock);
    return cluster;
}

void *
client_raise_not_connected(Client *client)
{
    PyObject *msg;

    raise_error(client->state, EXC_NotConnected,
                "No connection to aerospike cluster");
    if (client->face->strict) {
        return NULL;
    }
    /* str() says it as the users of the main face know it. */
    msg =
        PyUnicode_FromString("Client is not connected. Call connect() first.");
    if (msg != NULL) {
        PyObject *type;
        PyObject *exc;
        PyObject *trace;

        PyErr_Fetch(&type, &exc, &trace);
        PyErr_NormalizeException(&type, &exc, &trace);
        if (PyObject_SetAttr(exc, client->state->str__text, msg) < 0) {
            PyErr_Clear();
        }
        PyErr_Restore(type, exc, trace);
        Py_DECREF(msg);
    }
    return NULL;
}

/* The failure of a first use says that the client is not connected, and why.
 */
static void
wrap_first_use(Client *client)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;
    PyObject *why;

    if (!PyErr_ExceptionMatches(client->state->exc[EXC_AerospikeError]) ||
        client->face->strict) {
        return;
    }
    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    why = PyObject_Str(exc);
    PyErr_Restore(type, exc, trace);
    if (why != NULL) {
        raise_error(client->state, EXC_NotConnected,
                    "Client is not connected: %U", why);
        Py_DECREF(why);
    }
}

/* A client that was never connected connects at its first use; others who
 * come meanwhile wait for the one who does it. */
static aero_cluster *
connect_first(Client *client)
{
    aero_cluster *cluster;
    int entered;

    Py_BEGIN_ALLOW_THREADS;
    pthread_mutex_lock(&client->connect);
    Py_END_ALLOW_THREADS;
    cluster = client_peek(client);
    if (cluster == NULL) {
        entered = client_enter(client, false);
        if (entered == 0) {
            cluster = make_cluster(client, NULL, NULL);
            client_leave(client, cluster, false);
            if (cluster == NULL) {
                wrap_first_use(client);
            }
            else {
                aero_cluster_acquire(cluster);
            }
        }
    }
    pthread_mutex_unlock(&client->connect);
    return cluster;
}

aero_cluster *
client_cluster(Client *client)
{
    aero_cluster *cluster = client_peek(client);
    int life;

    if (cluster != NULL) {
        return cluster;
    }
    OWN_LOCK(&client->lock);
    life = client->life;
    OWN_UNLOCK(&client->lock);
    if (client->config == NULL) {
        return raise_param(client->state, "Invalid aerospike object");
    }
    if (life == LIFE_CLOSED || client->is_async) {
        return client_raise_not_connected(client);
    }
    return connect_first(client);
}

/* ---- closing ---- */

/* Take the cluster out of the client, for whoever stops it.  -1: it is being
 * connected. */
static int
take_out(Client *client, aero_cluster **cluster)
{
    bool busy;

    *cluster = NULL;
    OWN_LOCK(&client->lock);
    busy = client->life == LIFE_CONNECTING;
    if (!busy) {
        *cluster = client->cluster;
        client->cluster = NULL;
        client->life = LIFE_CLOSED;
        client->explicit_connect = false;
        client->reopens = false;
    }
    OWN_UNLOCK(&client->lock);
    if (busy) {
        raise_error(client->state, EXC_ClientError,
                    "Client is currently connecting");
        return -1;
    }
    return 0;
}

/* Let whoever watches the client stop (client._at_close). */
static void
say_close(Client *client)
{
    PyObject *self = (PyObject *)client;
    PyObject *hook = client->dict == NULL
                         ? NULL
                         : PyDict_GetItemString(client->dict, "_at_close");
    PyObject *done;

    if (hook == NULL) {
        return;
    }
    Py_INCREF(hook);
    done = PyObject_CallOneArg(hook, self);
    if (done == NULL) {
        PyErr_WriteUnraisable(hook);
    }
    Py_XDECREF(done);
    Py_DECREF(hook);
}

PyObject *
client_close_now(Client *client)
{
    aero_cluster *cluster;

    say_close(client);
    if (take_out(client, &cluster) < 0) {
        return NULL;
    }
    pump_close_all(client);
    if (cluster != NULL) {
        client_stop(cluster);
        aero_cluster_release(cluster);
    }
    Py_RETURN_NONE;
}

/* ---- after a fork ---- */

/* In the child of a fork: threads and sockets are the parent's. */
PyObject *
client_after_fork(PyObject *op, PyObject *unused)
{
    Client *client = (Client *)op;
    aero_cluster *cluster = client->cluster;
    bool was = client->life != LIFE_NEW && client->life != LIFE_CLOSED;

    (void)unused;
    pthread_mutex_init(&client->lock, NULL);
    pthread_mutex_init(&client->connect, NULL);
    client->cluster = NULL;
    client->spare = NULL;
    client->n_spare = 0;
    pump_abandon_all(client);
    if (client->gate != NULL) {
        /* Those inside are the parent's; the old one may be locked. */
        client->gate = aero_gate_new(aero_gate_limit(client->gate),
                                     aero_gate_wait_ms(client->gate));
    }
    if (was) {
        client->life = LIFE_NEW;
        client->explicit_connect = false;
        client->reopens = client->is_async;
    }
    if (cluster != NULL) {
        aero_tender_abandon(cluster);
    }
    return PyBool_FromLong(was);
}

/* ---- what the Python side asks and sets ---- */

PyObject *
client_setting(PyObject *op, PyObject *name)
{
    PyObject *config = ((Client *)op)->config;
    PyObject *value =
        config == NULL ? NULL : PyDict_GetItemWithError(config, name);

    return value == NULL && PyErr_Occurred()
               ? NULL
               : Py_NewRef(value != NULL ? value : Py_None);
}

PyObject *
client_force_policies(PyObject *op, PyObject *policies)
{
    Client *client = (Client *)op;
    PyObject *before;

    if (policies != Py_None && !PyDict_Check(policies)) {
        PyErr_SetString(PyExc_TypeError, "policies must be a dict");
        return NULL;
    }
    OWN_LOCK(&client->lock);
    before = client->forced;
    client->forced = policies == Py_None ? NULL : Py_NewRef(policies);
    OWN_UNLOCK(&client->lock);
    Py_XDECREF(before);
    Py_RETURN_NONE;
}

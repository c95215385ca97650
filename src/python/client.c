/* The client types: their lives, and the methods by their rows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "client.h"
#include "gil.h"
#include "method.h"
#include "methods.inc"
#include "metrics.h"
#include "query.h"

#include "aero/base/alloc.h"
#include "aero/cluster/auth.h"
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
    Py_BEGIN_ALLOW_THREADS aero_tender_stop(cluster);
    Py_END_ALLOW_THREADS
}

int
client_enter(Client *client, bool explicit_call)
{
    int before;

    pthread_mutex_lock(&client->lock);
    before = client->life;
    if (before == LIFE_NEW || before == LIFE_CLOSED) {
        client->life = LIFE_CONNECTING;
    }
    else if (before == LIFE_CONNECTED && explicit_call &&
             !client->explicit_connect) {
        client->explicit_connect = true; /* the first use had connected it */
        before = LIFE_CONNECTED;
        pthread_mutex_unlock(&client->lock);
        return 1;
    }
    pthread_mutex_unlock(&client->lock);
    if (before == LIFE_NEW || before == LIFE_CLOSED) {
        return 0;
    }
    if (client->face->strict && before == LIFE_CONNECTED) {
        return 1;
    }
    raise_error(client->state, EXC_ClientError,
                "Client is already connected or being connected.");
    if (before == LIFE_CONNECTED) {
        PyErr_Clear();
        raise_error(client->state, EXC_ClientError,
                    "Client is already connected. Call close() first.");
    }
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
    pthread_mutex_lock(&client->lock);
    client->cluster = cluster;
    client->life = cluster != NULL ? LIFE_CONNECTED
                   : explicit_call ? LIFE_CLOSED
                                   : LIFE_NEW;
    client->explicit_connect = cluster != NULL && explicit_call;
    client->reopens = client->reopens && cluster == NULL;
    pthread_mutex_unlock(&client->lock);
    if (cluster != NULL) {
        say_connected(client);
    }
}

static PyObject *
client_connect(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    Client *client = (Client *)op;
    PyObject *argv[ARGS_MAX];
    aero_cluster *cluster;
    int entered;

    if (args_bind(client->state, &sig_connect[client->face->index], args,
                  nargs, kwnames, argv) < 0) {
        return NULL;
    }
    entered = client_enter(client, true);
    if (entered != 0) {
        return entered < 0 ? NULL : Py_NewRef(op);
    }
    cluster = make_cluster(client, argv[0], argv[1]);
    client_leave(client, cluster, true);
    return cluster == NULL ? NULL : Py_NewRef(op);
}

aero_cluster *
client_peek(Client *client)
{
    aero_cluster *cluster;

    pthread_mutex_lock(&client->lock);
    cluster = client->cluster;
    if (cluster != NULL) {
        aero_cluster_acquire(cluster);
    }
    pthread_mutex_unlock(&client->lock);
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

    Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&client->connect);
    Py_END_ALLOW_THREADS cluster = client_peek(client);
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
    pthread_mutex_lock(&client->lock);
    life = client->life;
    pthread_mutex_unlock(&client->lock);
    if (client->config == NULL) {
        return raise_param(client->state, "Invalid aerospike object");
    }
    if (life == LIFE_CLOSED || client->is_async) {
        return client_raise_not_connected(client);
    }
    return connect_first(client);
}

/* Take the cluster out of the client, for whoever stops it.  -1: it is being
 * connected. */
int
client_take_out(Client *client, aero_cluster **cluster)
{
    bool busy;

    *cluster = NULL;
    pthread_mutex_lock(&client->lock);
    busy = client->life == LIFE_CONNECTING;
    if (!busy) {
        *cluster = client->cluster;
        client->cluster = NULL;
        client->life = LIFE_CLOSED;
        client->explicit_connect = false;
        client->reopens = false;
    }
    pthread_mutex_unlock(&client->lock);
    if (busy) {
        raise_error(client->state, EXC_ClientError,
                    "Client is currently connecting");
        return -1;
    }
    return 0;
}

void
client_say_close(Client *client)
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
    pthread_mutex_lock(&client->lock);
    before = client->forced;
    client->forced = policies == Py_None ? NULL : Py_NewRef(policies);
    pthread_mutex_unlock(&client->lock);
    Py_XDECREF(before);
    Py_RETURN_NONE;
}

static PyObject *
client_close(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    Client *client = (Client *)op;
    PyObject *argv[ARGS_MAX];
    aero_cluster *cluster;

    if (args_bind(client->state, &sig_close[client->face->index], args, nargs,
                  kwnames, argv) < 0) {
        return NULL;
    }
    client_say_close(client);
    if (client_take_out(client, &cluster) < 0) {
        return NULL;
    }
    if (cluster != NULL) {
        client_stop(cluster);
        aero_cluster_release(cluster);
    }
    Py_RETURN_NONE;
}

static PyObject *
client_enter_with(PyObject *op, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(op);
}

static PyObject *
client_exit_with(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *done;

    (void)args;
    (void)nargs;
    done = client_close(op, NULL, 0, NULL);
    if (done == NULL) {
        return NULL;
    }
    Py_DECREF(done);
    Py_RETURN_FALSE;
}

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

/* ---- methods ---- */

static PyObject *
call_method(PyObject *op, const Signature *sigs, call_build build,
            PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Client *client = (Client *)op;
    const Signature *sig = &sigs[client->face->index];
    uint64_t from = metrics_stage_begin(client->state);
    Call *call;

    if (client->face->strict) {
        aero_cluster *cluster = client_cluster(client);

        if (cluster == NULL) {
            return NULL; /* this comes before any argument */
        }
        aero_cluster_release(cluster);
    }
    call = call_new(client);
    if (call == NULL) {
        return NULL;
    }
    call->sig = sig;
    if (args_bind(client->state, sig, args, nargs, kwnames, call->argv) < 0 ||
        build(call) < 0) {
        call_free(call);
        return NULL;
    }
    metrics_stage_end(call, STAGE_KEY_PARSE, from);
    return call_run(call);
}

PyObject *
client_plain(PyObject *op, const Signature *sigs,
             PyObject *(*run)(Client *, PyObject *const *),
             PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Client *client = (Client *)op;
    PyObject *argv[ARGS_MAX];

    if (args_bind(client->state, &sigs[client->face->index], args, nargs,
                  kwnames, argv) < 0) {
        return NULL;
    }
    return run(client, argv);
}

#define DEFINE_CALL(name)                                                     \
    static PyObject *client_##name(PyObject *op, PyObject *const *args,       \
                                   Py_ssize_t nargs, PyObject *kwnames)       \
    {                                                                         \
        PyObject *result;                                                     \
                                                                              \
        GIL_ENTER();                                                          \
        result =                                                              \
            call_method(op, sig_##name, build_##name, args, nargs, kwnames);  \
        GIL_LEAVE();                                                          \
        return result;                                                        \
    }
#define DEFINE_PLAIN(name)                                                    \
    static PyObject *client_##name(PyObject *op, PyObject *const *args,       \
                                   Py_ssize_t nargs, PyObject *kwnames)       \
    {                                                                         \
        return client_plain(op, sig_##name, plain_##name, args, nargs,        \
                            kwnames);                                         \
    }

METHODS_CALL(DEFINE_CALL)
METHODS_PLAIN(DEFINE_PLAIN)

static PyObject *
client_query(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    Client *client = (Client *)op;

    return query_make(client, &sig_query[client->face->index], false, args,
                      nargs, kwnames);
}

static PyObject *
client_scan(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames)
{
    Client *client = (Client *)op;

    return query_make(client, &sig_scan[client->face->index], true, args,
                      nargs, kwnames);
}

#define METHOD_ENTRY(name)                                                    \
    {#name, (PyCFunction)(void (*)(void))client_##name,                       \
     METH_FASTCALL | METH_KEYWORDS, doc_##name},

static const PyMethodDef client_functions[] = {
    METHODS_CUSTOM(METHOD_ENTRY) METHODS_PLAIN(METHOD_ENTRY)
        METHODS_CALL(METHOD_ENTRY){NULL, NULL, 0, NULL}};

static PyMethodDef client_methods[] = {
    METHODS_CUSTOM(METHOD_ENTRY) METHODS_PLAIN(METHOD_ENTRY)
        METHODS_CALL(METHOD_ENTRY){"__enter__", client_enter_with, METH_NOARGS,
                                   "__enter__($self, /)\n--\n\n"},
    {"__exit__", (PyCFunction)(void (*)(void))client_exit_with, METH_FASTCALL,
     "__exit__($self, exc_type, exc, tb, /)\n--\n\n"},
    CLIENT_WATCHED,
    {NULL, NULL, 0, NULL},
};

/* ---- the types ---- */

static PyObject *
client_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return client_alloc(type, args, kwargs, &main_face, false);
}

static PyObject *
strict_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return client_alloc(type, args, kwargs, &strict_face, false);
}

static int
client_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    (void)op;
    (void)args;
    (void)kwargs;
    return 0;
}

/* The strict client connects when it is made. */
static int
strict_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    Client *client = (Client *)op;
    PyObject *done;

    (void)args;
    (void)kwargs;
    if (client->config == NULL) {
        raise_param(client->state, "No config argument");
        return -1;
    }
    done = client_connect(op, NULL, 0, NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static void
free_spare(Client *client)
{
    while (client->spare != NULL) {
        Call *call = client->spare;

        client->spare = call->next;
        aero_cmd_fini(&call->cmd);
        aero_buf_fini(&call->filter);
        aero_free(call);
    }
}

int
client_traverse(PyObject *op, visitproc visit, void *arg)
{
    Client *client = (Client *)op;

    Py_VISIT(Py_TYPE(op));
    Py_VISIT(client->module);
    Py_VISIT(client->dict);
    Py_VISIT(client->config);
    Py_VISIT(client->forced);
    Py_VISIT(client->serializer);
    Py_VISIT(client->deserializer);
    for (Pump *pump = client->pumps; pump != NULL; pump = pump->next) {
        Py_VISIT(pump);
    }
    return 0;
}

int
client_clear(PyObject *op)
{
    Client *client = (Client *)op;

    pump_close_all(client);
    Py_CLEAR(client->dict);
    Py_CLEAR(client->config);
    Py_CLEAR(client->forced);
    Py_CLEAR(client->serializer);
    Py_CLEAR(client->deserializer);
    return 0;
}

void
client_dealloc(PyObject *op)
{
    Client *client = (Client *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject *module = client->module;

    PyObject_GC_UnTrack(op);
    if (client->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    pump_close_all(client);
    if (client->cluster != NULL) {
        client_stop(client->cluster);
        aero_cluster_release(client->cluster);
    }
    free_spare(client);
    aero_gate_release(client->gate);
    client_clear(op);
    pthread_mutex_destroy(&client->lock);
    pthread_mutex_destroy(&client->connect);
    type->tp_free(op);
    Py_XDECREF(module);
    Py_DECREF(type);
}

PyMemberDef client_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(Client, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Client, weakrefs), READONLY,
     NULL},
    {NULL, 0, 0, 0, NULL},
};

#define CLIENT_SLOTS(make, init)                                              \
    {Py_tp_new, make}, {Py_tp_init, init}, {Py_tp_dealloc, client_dealloc},   \
        {Py_tp_traverse, client_traverse}, {Py_tp_clear, client_clear},       \
        {Py_tp_methods, client_methods}, {Py_tp_members, client_members},     \
        {Py_tp_doc, (void *)client_doc},                                      \
    {                                                                         \
        0, NULL                                                               \
    }

static const char client_doc[] =
    "A client of a cluster; see aerospike_py.client.";

static PyType_Slot client_slots[] = {CLIENT_SLOTS(client_new, client_init)};
static PyType_Slot strict_slots[] = {CLIENT_SLOTS(strict_new, strict_init)};

static PyType_Spec client_spec = {
    .name = "aerospike_py._aerospike.Client",
    .basicsize = sizeof(Client),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = client_slots,
};

static PyType_Spec strict_spec = {
    .name = "aerospike.Client",
    .basicsize = sizeof(Client),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = strict_slots,
};

static int
intern_params(ModState *state)
{
#define INTERN(name)                                                          \
    if (args_intern(state, &sig_##name[0]) < 0 ||                             \
        args_intern(state, &sig_##name[1]) < 0) {                             \
        return -1;                                                            \
    }
    state->param_names = PyMem_Calloc(PARAM_NAMES + 1, sizeof(PyObject *));
    if (state->param_names == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    METHODS_CUSTOM(INTERN)
    METHODS_PLAIN(INTERN)
    METHODS_CALL(INTERN)
    return query_intern_params(state);
#undef INTERN
}

void
client_forget_params(ModState *state)
{
    for (int i = 0; state->param_names != NULL && i < PARAM_NAMES; i++) {
        Py_CLEAR(state->param_names[i]);
    }
    PyMem_Free(state->param_names);
    state->param_names = NULL;
}

int
client_add_type(PyObject *module, PyType_Spec *spec, const char *name,
                PyTypeObject **to)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);

    if (type == NULL) {
        return -1;
    }
    *to = (PyTypeObject *)type; /* owned by the state */
    return PyModule_AddObjectRef(module, name, type);
}

int
client_setup_types(PyObject *module)
{
    ModState *state = PyModule_GetState(module);

    if (intern_params(state) < 0 ||
        client_add_type(module, &client_spec, "Client", &state->ClientType) <
            0 ||
        methods_add(state, state->ClientType, client_functions, false) < 0) {
        return -1;
    }
    return client_add_type(module, &strict_spec, "OfficialClient",
                           &state->StrictClientType);
}

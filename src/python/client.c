/* The synchronous client types, and their methods by the rows.
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

/* ---- connecting ---- */

static PyObject *
client_connect(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    Client *client = (Client *)op;
    PyObject *argv[ARGS_MAX];

    if (client->face->strict && client->life == LIFE_CONNECTED) {
        return Py_NewRef(op); /* whatever the arguments */
    }
    if (args_bind(client->state, &sig_connect[client->face->index], args,
                  nargs, kwnames, argv) < 0) {
        return NULL;
    }
    return errors_told(client->state, client->face,
                       client_connect_as(client, argv[0], argv[1]));
}

static PyObject *
client_close(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    Client *client = (Client *)op;
    PyObject *argv[ARGS_MAX];

    if (args_bind(client->state, &sig_close[client->face->index], args, nargs,
                  kwnames, argv) < 0) {
        return NULL;
    }
    return client_close_now(client);
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
    done = client_close_now((Client *)op);
    if (done == NULL) {
        return NULL;
    }
    Py_DECREF(done);
    Py_RETURN_FALSE;
}

/* ---- methods ---- */

/* On the strict face this comes before any value of an argument. */
static int
check_connected(Client *client)
{
    aero_cluster *cluster;

    if (!client->face->strict) {
        return 0;
    }
    cluster = client_cluster(client);
    if (cluster == NULL) {
        return -1;
    }
    aero_cluster_release(cluster);
    return 0;
}

static PyObject *
call_method(PyObject *op, const Signature *sigs, call_build build,
            PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Client *client = (Client *)op;
    const Signature *sig = &sigs[client->face->index];
    uint64_t from = metrics_stage_begin(client->state);
    Call *call;

    call = call_new(client);
    if (call == NULL) {
        return NULL;
    }
    call->sig = sig;
    if (args_bind(client->state, sig, args, nargs, kwnames, call->argv) < 0 ||
        check_connected(client) < 0 || build(call) < 0) {
        call_free(call);
        return errors_told(client->state, client->face, NULL);
    }
    metrics_stage_end(call, STAGE_KEY_PARSE, from);
    return errors_told(client->state, client->face, call_run(call));
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
    return errors_told(client->state, client->face, run(client, argv));
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

    return errors_told(client->state, client->face,
                       query_make(client, &sig_query[client->face->index],
                                  false, args, nargs, kwnames));
}

static PyObject *
client_scan(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames)
{
    Client *client = (Client *)op;

    return errors_told(client->state, client->face,
                       query_make(client, &sig_scan[client->face->index], true,
                                  args, nargs, kwnames));
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
    done = client_connect_as(client, NULL, NULL);
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

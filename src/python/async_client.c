/* The asynchronous client: the same rows, the same builders; each method
 * returns an awaitable.  Connecting and closing are finished in Python
 * (aerospike_py/_async.py), which can wait.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "client.h"
#include "gil.h"
#include "method.h"
#include "methods.inc"
#include "query.h"

#include "aero/drive/tender.h"

extern PyType_Spec op_spec;
extern PyType_Spec pump_spec;
extern PyType_Spec reply_spec;

#define DEFINE_CALL(name)                                                     \
    static PyObject *async_##name(PyObject *op, PyObject *const *args,        \
                                  Py_ssize_t nargs, PyObject *kwnames)        \
    {                                                                         \
        PyObject *made;                                                       \
                                                                              \
        GIL_ENTER();                                                          \
        made = op_new((Client *)op, &sig_##name[0], build_##name, args,       \
                      nargs, kwnames);                                        \
        GIL_LEAVE();                                                          \
        return made;                                                          \
    }
#define DEFINE_PLAIN(name)                                                    \
    static PyObject *async_##name(PyObject *op, PyObject *const *args,        \
                                  Py_ssize_t nargs, PyObject *kwnames)        \
    {                                                                         \
        return client_plain(op, sig_##name, plain_##name, args, nargs,        \
                            kwnames);                                         \
    }

METHODS_CALL(DEFINE_CALL)
METHODS_PLAIN(DEFINE_PLAIN)

/* ---- connecting, in parts ---- */

static void
give_up(Client *client)
{
    aero_cluster *cluster = client->connecting;

    client->connecting = NULL;
    client_stop(cluster);
    aero_cluster_release(cluster);
    client_leave(client, NULL, true);
}

/* Begin: gives the descriptor that becomes readable. */
static PyObject *
async_begin_connect(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    Client *client = (Client *)op;
    aero_cluster *cluster;
    aero_status st;
    aero_rc rc;

    if (client_enter(client, true) != 0) {
        return NULL;
    }
    cluster = client_new_cluster(client, nargs > 0 ? args[0] : NULL,
                                 nargs > 1 ? args[1] : NULL);
    if (cluster == NULL) {
        client_leave(client, NULL, true);
        return NULL;
    }
    aero_status_clear(&st);
    rc = aero_tender_begin(cluster, &st);
    if (rc != AERO_OK) {
        aero_cluster_release(cluster);
        client_leave(client, NULL, true);
        return raise_status(client->state, &st);
    }
    client->connecting = cluster;
    return PyLong_FromLong(aero_tender_fd(cluster));
}

/* True: connected; False: not yet; an exception: it failed. */
static PyObject *
async_poll_connect(PyObject *op, PyObject *unused)
{
    Client *client = (Client *)op;
    aero_cluster *cluster = client->connecting;
    aero_status st;
    aero_rc rc;

    (void)unused;
    if (cluster == NULL) {
        return client_raise_not_connected(client);
    }
    aero_status_clear(&st);
    rc = aero_tender_poll(cluster, &st);
    if (rc == AERO_MORE) {
        Py_RETURN_FALSE;
    }
    if (rc == AERO_ERROR) {
        give_up(client);
        return raise_status(client->state, &st);
    }
    client->connecting = NULL;
    client_leave(client, cluster, true);
    Py_RETURN_TRUE;
}

static PyObject *
async_abort_connect(PyObject *op, PyObject *unused)
{
    Client *client = (Client *)op;

    (void)unused;
    if (client->connecting != NULL) {
        give_up(client);
    }
    Py_RETURN_NONE;
}

static PyObject *
async_close_now(PyObject *op, PyObject *unused)
{
    (void)unused;
    return client_close_now((Client *)op);
}

static PyObject *
async_reopens(PyObject *op, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((Client *)op)->reopens);
}

#define METHOD_ENTRY(name)                                                    \
    {#name, (PyCFunction)(void (*)(void))async_##name,                        \
     METH_FASTCALL | METH_KEYWORDS, doc_##name},

static PyObject *
async_query(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames)
{
    return query_make((Client *)op, &sig_query[0], false, args, nargs,
                      kwnames);
}

static PyObject *
async_scan(PyObject *op, PyObject *const *args, Py_ssize_t nargs,
           PyObject *kwnames)
{
    return query_make((Client *)op, &sig_scan[0], true, args, nargs, kwnames);
}

static const PyMethodDef async_coroutines[] = {
    METHODS_CALL(METHOD_ENTRY){NULL, NULL, 0, NULL}};

static const PyMethodDef async_plain[] = {METHODS_PLAIN(
    METHOD_ENTRY) METHOD_ENTRY(query) METHOD_ENTRY(scan){NULL, NULL, 0, NULL}};

static PyMethodDef async_methods[] = {
    {"_begin_connect", (PyCFunction)(void (*)(void))async_begin_connect,
     METH_FASTCALL, NULL},
    {"_poll_connect", async_poll_connect, METH_NOARGS, NULL},
    {"_abort_connect", async_abort_connect, METH_NOARGS, NULL},
    {"_close_now", async_close_now, METH_NOARGS, NULL},
    {"_reopens", async_reopens, METH_NOARGS, NULL},
    CLIENT_WATCHED,
    {NULL, NULL, 0, NULL},
};

static PyObject *
async_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return client_alloc(type, args, kwargs, &main_face, true);
}

static int
async_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    (void)op;
    (void)args;
    (void)kwargs;
    return 0;
}

static PyType_Slot async_slots[] = {
    {Py_tp_new, async_new},          {Py_tp_init, async_init},
    {Py_tp_dealloc, client_dealloc}, {Py_tp_traverse, client_traverse},
    {Py_tp_clear, client_clear},     {Py_tp_methods, async_methods},
    {Py_tp_members, client_members}, {0, NULL},
};

static PyType_Spec async_spec = {
    .name = "aerospike_py._aerospike.AsyncClient",
    .basicsize = sizeof(Client),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = async_slots,
};

/* An operation is a coroutine to whoever asks by isinstance. */
static int
register_coroutine(PyTypeObject *type)
{
    PyObject *abc = PyImport_ImportModule("collections.abc");
    PyObject *coroutine =
        abc == NULL ? NULL : PyObject_GetAttrString(abc, "Coroutine");
    PyObject *done =
        coroutine == NULL
            ? NULL
            : PyObject_CallMethod(coroutine, "register", "O", type);

    Py_XDECREF(abc);
    Py_XDECREF(coroutine);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int
async_setup_types(PyObject *module)
{
    ModState *state = PyModule_GetState(module);

    if (client_add_type(module, &op_spec, "Operation", &state->OpType) < 0 ||
        client_add_type(module, &pump_spec, "Pump", &state->PumpType) < 0 ||
        client_add_type(module, &reply_spec, "Reply", &state->ReplyType) < 0 ||
        client_add_type(module, &async_spec, "_AsyncClient",
                        &state->AsyncClientType) < 0 ||
        methods_add(state, state->AsyncClientType, async_coroutines, true) <
            0 ||
        methods_add(state, state->AsyncClientType, async_plain, false) < 0) {
        return -1;
    }
    return register_coroutine(state->OpType);
}

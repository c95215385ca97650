/* The extension aerospike_py._server: the local server for Python.
 *
 * One type, Server, made by `start(...)`.  What it means to users is in
 * aerospike_py/server.py; here are only arguments and results.  The GIL is
 * given up whenever the server's thread is waited for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "slots.h"

#include "aero/server/server.h"
#include "aero/wire/codes.h"

typedef struct module_state {
    PyTypeObject *server_type; /* owned */
} module_state;

typedef struct server_object {
    PyObject_HEAD
    aero_server *server; /* owned; NULL once stopped */
} server_object;

/* ---- errors ---- */

static PyObject *
raise_status(const aero_status *st)
{
    PyErr_SetString(st->code == AERO_ERR_PARAM ? PyExc_ValueError
                                               : PyExc_OSError,
                    st->text[0] != '\0' ? st->text : "the server failed");
    return NULL;
}

/* ---- arguments ---- */

/* Everything that the configuration borrows from Python objects. */
typedef struct borrowed {
    const char **namespaces;
    aero_server_user *users;
    const char **roles; /* of all users, one behind the other */
    int *racks;
    const char **consistent;
} borrowed;

static void
borrowed_fini(borrowed *b)
{
    PyMem_Free(b->namespaces);
    PyMem_Free(b->users);
    PyMem_Free(b->roles);
    PyMem_Free(b->racks);
    PyMem_Free(b->consistent);
}

/* A tuple of str; the texts live as long as it does. */
static int
read_texts(PyObject *tuple, const char **out)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        out[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(tuple, i));
        if (out[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

static void *
new_array(Py_ssize_t count, size_t size)
{
    void *array = PyMem_Calloc((size_t)count + 1, size);

    if (array == NULL) {
        PyErr_NoMemory();
    }
    return array;
}

static int
read_namespaces(PyObject *tuple, borrowed *b, aero_server_config *config)
{
    b->namespaces = new_array(PyTuple_GET_SIZE(tuple), sizeof(char *));
    if (b->namespaces == NULL || read_texts(tuple, b->namespaces) != 0) {
        return -1;
    }
    config->namespaces = b->namespaces;
    config->n_namespaces = (size_t)PyTuple_GET_SIZE(tuple);
    return 0;
}

static int
read_consistent(PyObject *tuple, borrowed *b, aero_server_config *config)
{
    b->consistent = new_array(PyTuple_GET_SIZE(tuple), sizeof(char *));
    if (b->consistent == NULL || read_texts(tuple, b->consistent) != 0) {
        return -1;
    }
    config->consistent = b->consistent;
    config->n_consistent = (size_t)PyTuple_GET_SIZE(tuple);
    return 0;
}

/* A tuple of (name, password, (role, ...)). */
static int
read_users(PyObject *tuple, borrowed *b, aero_server_config *config)
{
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    Py_ssize_t n_roles = 0;

    for (Py_ssize_t i = 0; i < count; i++) {
        n_roles +=
            PyTuple_GET_SIZE(PyTuple_GET_ITEM(PyTuple_GET_ITEM(tuple, i), 2));
    }
    b->users = new_array(count, sizeof *b->users);
    b->roles = new_array(n_roles, sizeof(char *));
    if (b->users == NULL || b->roles == NULL) {
        return -1;
    }
    config->users = b->users;
    config->n_users = (size_t)count;
    n_roles = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        PyObject *roles;

        if (!PyArg_ParseTuple(item, "ssO!", &b->users[i].name,
                              &b->users[i].password, &PyTuple_Type, &roles) ||
            read_texts(roles, b->roles + n_roles) != 0) {
            return -1;
        }
        b->users[i].roles = b->roles + n_roles;
        b->users[i].n_roles = (size_t)PyTuple_GET_SIZE(roles);
        n_roles += PyTuple_GET_SIZE(roles);
    }
    return 0;
}

static int
read_racks(PyObject *tuple, borrowed *b, aero_server_config *config)
{
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);

    if (count == 0) {
        return 0;
    }
    b->racks = new_array(count, sizeof *b->racks);
    if (b->racks == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        b->racks[i] = (int)PyLong_AsLong(PyTuple_GET_ITEM(tuple, i));
    }
    config->racks = b->racks;
    return PyErr_Occurred() ? -1 : 0;
}

/* ---- log lines ---- */

/* On the server's thread, without the GIL. */
static void
print_line(void *data, const char *line)
{
    (void)data;
    fprintf(stderr, "%s\n", line);
}

/* ---- Server ---- */

static int
check_open(server_object *self)
{
    if (self->server == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the server is stopped");
        return -1;
    }
    return 0;
}

static PyObject *
server_stop(PyObject *op, PyObject *ignored)
{
    server_object *self = (server_object *)op;
    aero_server *server = self->server;

    (void)ignored;
    self->server = NULL;
    Py_BEGIN_ALLOW_THREADS;
    aero_server_stop(server);
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

/* The thread of a server does not exist in a forked child: let go of it. */
static PyObject *
server_abandon(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    ((server_object *)op)->server = NULL;
    Py_RETURN_NONE;
}

static PyObject *
server_control(PyObject *op, PyObject *arg)
{
    server_object *self = (server_object *)op;
    const char *line = PyUnicode_AsUTF8(arg);
    aero_buf reply = AERO_BUF_INIT;
    aero_status st;
    PyObject *out = NULL;
    aero_rc rc;

    if (line == NULL || check_open(self) != 0) {
        return NULL;
    }
    aero_status_clear(&st);
    Py_BEGIN_ALLOW_THREADS;
    rc = aero_server_control(self->server, line, &reply, &st);
    Py_END_ALLOW_THREADS;
    if (rc != AERO_OK) {
        raise_status(&st);
    }
    else if (reply.failed) {
        PyErr_NoMemory();
    }
    else {
        out = PyUnicode_DecodeUTF8((const char *)reply.ptr,
                                   (Py_ssize_t)reply.len, "replace");
    }
    aero_buf_fini(&reply);
    return out;
}

typedef uint16_t (*port_fn)(const aero_server *server, unsigned node);

static PyObject *
ports_of(PyObject *op, port_fn port)
{
    server_object *self = (server_object *)op;
    PyObject *out;

    if (check_open(self) != 0) {
        return NULL;
    }
    out = PyTuple_New((Py_ssize_t)aero_server_nodes(self->server));
    for (unsigned i = 0; out != NULL && i < aero_server_nodes(self->server);
         i++) {
        PyObject *number = PyLong_FromLong(port(self->server, i));

        if (number == NULL) {
            Py_CLEAR(out);
            break;
        }
        PyTuple_SET_ITEM(out, (Py_ssize_t)i, number);
    }
    return out;
}

static PyObject *
server_ports(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    return ports_of(op, aero_server_port);
}

static PyObject *
server_tls_ports(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    return ports_of(op, aero_server_tls_port);
}

static void
server_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    aero_server *server = ((server_object *)op)->server;

    if (server != NULL) {
        Py_BEGIN_ALLOW_THREADS;
        aero_server_stop(server);
        Py_END_ALLOW_THREADS;
    }
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef server_methods[] = {
    {"stop", server_stop, METH_NOARGS, NULL},
    {"abandon", server_abandon, METH_NOARGS, NULL},
    {"control", server_control, METH_O, NULL},
    {"ports", server_ports, METH_NOARGS, NULL},
    {"tls_ports", server_tls_ports, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot server_slots[] = {
    {Py_tp_dealloc, server_dealloc},
    {Py_tp_methods, server_methods},
    {0, NULL},
};

static PyType_Spec server_spec = {
    .name = "aerospike_py._server.Server",
    .basicsize = sizeof(server_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = server_slots,
};

/* ---- start ---- */

/* Takes `config` filled; gives a Server. */
static PyObject *
start_server(module_state *state, const aero_server_config *config)
{
    server_object *self;
    aero_status st;

    self =
        (server_object *)state->server_type->tp_alloc(state->server_type, 0);
    if (self == NULL) {
        return NULL;
    }
    aero_status_clear(&st);
    Py_BEGIN_ALLOW_THREADS;
    self->server = aero_server_start(config, &st);
    Py_END_ALLOW_THREADS;
    if (self->server == NULL) {
        Py_DECREF(self);
        return raise_status(&st);
    }
    return (PyObject *)self;
}

static PyObject *
module_start(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {
        "host",         "access_host", "port",        "tls_port",
        "nodes",        "namespaces",  "default_ttl", "replication_factor",
        "cluster_name", "enterprise",  "security",    "control",
        "verbose",      "users",       "session_ttl", "tls_certfile",
        "tls_keyfile",  "tls_cafile",  "tls_name",    "racks",
        "lua_library",  "consistent",  NULL};
    aero_server_config config = {0};
    borrowed b = {0};
    PyObject *namespaces;
    PyObject *users;
    PyObject *racks;
    PyObject *consistent;
    PyObject *out = NULL;
    int enterprise;
    int security;
    int control;
    int verbose;

    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "$zzHHIO!IIzppppO!IzzzzO!zO!", names, &config.host,
            &config.access_host, &config.port, &config.tls_port, &config.nodes,
            &PyTuple_Type, &namespaces, &config.default_ttl,
            &config.replication_factor, &config.cluster_name, &enterprise,
            &security, &control, &verbose, &PyTuple_Type, &users,
            &config.session_ttl, &config.tls_certfile, &config.tls_keyfile,
            &config.tls_cafile, &config.tls_name, &PyTuple_Type, &racks,
            &config.lua_library, &PyTuple_Type, &consistent)) {
        return NULL;
    }
    config.enterprise = enterprise != 0;
    config.security = security != 0;
    config.control = control != 0;
    config.log = verbose != 0 ? print_line : NULL;
    if (read_namespaces(namespaces, &b, &config) == 0 &&
        read_users(users, &b, &config) == 0 &&
        read_racks(racks, &b, &config) == 0 &&
        read_consistent(consistent, &b, &config) == 0) {
        out = start_server(PyModule_GetState(module), &config);
    }
    borrowed_fini(&b);
    return out;
}

/* ---- the module ---- */

static int
module_exec(PyObject *module)
{
    module_state *state = PyModule_GetState(module);

    state->server_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &server_spec, NULL);
    return state->server_type == NULL
               ? -1
               : PyModule_AddType(module, state->server_type);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    module_state *state = PyModule_GetState(module);

    Py_VISIT(state->server_type);
    return 0;
}

static int
module_clear(PyObject *module)
{
    module_state *state = PyModule_GetState(module);

    Py_CLEAR(state->server_type);
    return 0;
}

static PyMethodDef module_methods[] = {
    {"start", (PyCFunction)(void (*)(void))module_start,
     METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = MODULE_SLOTS(module_exec);

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "aerospike_py._server",
    .m_doc = "The local server; see aerospike_py.server.",
    .m_size = sizeof(module_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyMODINIT_FUNC PyInit__server(void);

PyMODINIT_FUNC
PyInit__server(void)
{
    return PyModuleDef_Init(&module_def);
}

/* The Lua extension as Python sees it: what `api` holds is for other
 * extensions (aero/lua/lua.h), `run` for whoever has bytes in Python.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "slots.h"

#include "aero/lua/lua.h"

PyDoc_STRVAR(
    run_doc,
    "run($module, modules, module, function, args, values, /, ms=0)\n--\n\n"
    "Run the client's part of a stream function.\n\n"
    "Parameters\n----------\n"
    "modules : dict of str to bytes\n    sources by name\n"
    "module, function : str\n"
    "args : bytes\n    a packed list\n"
    "values : list of (int, bytes)\n    particle types and bytes\n"
    "ms : int, milliseconds\n    0: a second\n\n"
    "Returns\n-------\nlist of (int, bytes)\n\n"
    "Raises\n------\nRuntimeError\n    with the text of the script's error");

static bool
add_modules(const aero_lua_api *api, aero_lua *lua, PyObject *modules)
{
    PyObject *name;
    PyObject *source;
    Py_ssize_t pos = 0;

    while (PyDict_Next(modules, &pos, &name, &source)) {
        Py_ssize_t len;
        const char *text = PyUnicode_AsUTF8AndSize(name, &len);

        if (text == NULL) {
            return false;
        }
        if (!PyBytes_Check(source)) {
            PyErr_SetString(PyExc_TypeError, "modules: sources must be bytes");
            return false;
        }
        if (!api->add(lua, aero_span_of(text, (size_t)len),
                      aero_span_of(PyBytes_AS_STRING(source),
                                   (size_t)PyBytes_GET_SIZE(source)))) {
            PyErr_NoMemory();
            return false;
        }
    }
    return true;
}

/* Gives the values, which borrow from the list; NULL: an exception. */
static aero_lua_value *
take_values(PyObject *list)
{
    Py_ssize_t count = PyList_GET_SIZE(list);
    aero_lua_value *values = PyMem_Calloc((size_t)count + 1, sizeof *values);

    if (values == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *pair = PyList_GET_ITEM(list, i);
        unsigned char particle;
        const char *bytes;
        Py_ssize_t len;

        if (!PyTuple_Check(pair) ||
            !PyArg_ParseTuple(pair, "by#;values: pairs of int and bytes",
                              &particle, &bytes, &len)) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_TypeError,
                                "values: pairs of int and bytes");
            }
            PyMem_Free(values);
            return NULL;
        }
        values[i].particle = particle;
        values[i].bytes = aero_span_of(bytes, (size_t)len);
    }
    return values;
}

static PyObject *
give_values(const aero_lua_result *result)
{
    aero_span in = aero_buf_span(&result->values);
    PyObject *list = PyList_New(0);

    while (list != NULL && in.len != 0) {
        uint32_t size = aero_get_u32(in.ptr + 1);
        PyObject *pair = Py_BuildValue(
            "By#", in.ptr[0], (const char *)in.ptr + 5, (Py_ssize_t)size);

        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
        in = aero_span_skip(in, 5 + (size_t)size);
    }
    return list;
}

static PyObject *
call(aero_lua *lua, const aero_lua_call *asked)
{
    const aero_lua_api *api = aero_lua_get();
    aero_lua_result result;
    PyObject *out = NULL;

    memset(&result, 0, sizeof result);
    Py_BEGIN_ALLOW_THREADS;
    api->call(lua, asked, &result);
    Py_END_ALLOW_THREADS;
    if (result.code == AERO_ERR_OK) {
        out = give_values(&result);
    }
    else {
        PyErr_SetString(PyExc_RuntimeError, result.text);
    }
    api->result_fini(&result);
    return out;
}

static PyObject *
lua_run(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "", "", "", "", "ms", NULL};
    const aero_lua_api *api = aero_lua_get();
    aero_lua_call asked = {.stream = AERO_LUA_STREAM_CLIENT};
    aero_lua_value *values = NULL;
    PyObject *modules;
    PyObject *list;
    PyObject *out = NULL;
    const char *text[3];
    Py_ssize_t len[3];
    unsigned int ms = 0;
    aero_lua *lua;

    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!s#s#y#O!|$I:run", names,
                                     &PyDict_Type, &modules, &text[0], &len[0],
                                     &text[1], &len[1], &text[2], &len[2],
                                     &PyList_Type, &list, &ms)) {
        return NULL;
    }
    lua = api->open(0);
    if (lua == NULL) {
        return PyErr_NoMemory();
    }
    asked.module = aero_span_of(text[0], (size_t)len[0]);
    asked.function = aero_span_of(text[1], (size_t)len[1]);
    asked.args = aero_span_of(text[2], (size_t)len[2]);
    asked.ms = ms;
    if (add_modules(api, lua, modules) &&
        (values = take_values(list)) != NULL) {
        asked.values = values;
        asked.n_values = (size_t)PyList_GET_SIZE(list);
        out = call(lua, &asked);
    }
    PyMem_Free(values);
    Py_BEGIN_ALLOW_THREADS;
    api->close(lua);
    Py_END_ALLOW_THREADS;
    return out;
}

static int
module_exec(PyObject *module)
{
    PyObject *capsule =
        PyCapsule_New((void *)aero_lua_get(), "aerospike_py._lua.api", NULL);
    int rc;

    if (capsule == NULL) {
        return -1;
    }
    rc = PyModule_AddObjectRef(module, "api", capsule);
    Py_DECREF(capsule);
    return rc;
}

static PyMethodDef module_methods[] = {
    {"run", (PyCFunction)(void (*)(void))lua_run, METH_VARARGS | METH_KEYWORDS,
     run_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = MODULE_SLOTS(module_exec);

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "aerospike_py._lua",
    .m_doc = "Lua for aggregations and for the local server.",
    .m_size = 0,
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__lua(void);

PyMODINIT_FUNC
PyInit__lua(void)
{
    return PyModuleDef_Init(&module_def);
}

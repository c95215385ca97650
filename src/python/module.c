/* The extension aerospike_py._aerospike: only wires the parts together.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "client.h"
#include "encode.h"
#include "gil.h"
#include "key.h"
#include "lazy.h"
#include "method.h"
#include "metrics.h"
#include "slots.h"

/* ---- functions ---- */

static ModState *
state_of_module(PyObject *module)
{
    return PyModule_GetState(module);
}

PyDoc_STRVAR(digest_doc,
             "digest($module, namespace, set, key, strict, /)\n--\n\n"
             "The 20 bytes a record is found by.");

static PyObject *
module_digest(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    ModState *state = state_of_module(module);
    aero_key key;

    if (nargs != 4) {
        PyErr_SetString(PyExc_TypeError, "digest() takes 4 arguments");
        return NULL;
    }
    if (key_take_parts(state, args[3] == Py_True ? &strict_face : &main_face,
                       args[0], args[1], args[2], &key) < 0) {
        return NULL;
    }
    return PyByteArray_FromStringAndSize((const char *)key.digest,
                                         AERO_DIGEST_SIZE);
}

PyDoc_STRVAR(serializers_doc,
             "set_serializers($module, serializer, deserializer, /)\n--\n\n"
             "Set the process-wide callables; ... leaves one as it is.");

static PyObject *
module_set_serializers(PyObject *module, PyObject *const *args,
                       Py_ssize_t nargs)
{
    ModState *state = state_of_module(module);

    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError,
                        "set_serializers() takes 2 arguments");
        return NULL;
    }
    if (args[0] != Py_Ellipsis) {
        Py_XSETREF(state->serializer,
                   args[0] == Py_None ? NULL : Py_NewRef(args[0]));
    }
    if (args[1] != Py_Ellipsis) {
        Py_XSETREF(state->deserializer,
                   args[1] == Py_None ? NULL : Py_NewRef(args[1]));
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(log_level_doc, "set_log_level($module, level, /)\n--\n\n"
                            "Lines above the level are not made.");

static PyObject *
module_set_log_level(PyObject *module, PyObject *level)
{
    int number = PyLong_AsInt(level);

    if (number == -1 && PyErr_Occurred()) {
        return NULL;
    }
    atomic_store(&log_logger(state_of_module(module))->level, number);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(flush_doc, "flush_log($module, /)\n--\n\n"
                        "Deliver the lines that wait.");

static PyObject *
module_flush_log(PyObject *module, PyObject *unused)
{
    (void)unused;
    log_flush(state_of_module(module));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(dropped_doc, "dropped_log_count($module, /)\n--\n\n"
                          "How many log lines found no room.");

static PyObject *
module_dropped(PyObject *module, PyObject *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLong(log_dropped(state_of_module(module)));
}

PyDoc_STRVAR(close_log_doc, "close_log($module, /)\n--\n\n"
                            "The interpreter ends: no more lines.");

static PyObject *
module_close_log(PyObject *module, PyObject *unused)
{
    (void)unused;
    log_close(state_of_module(module));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(short_name_doc, "short_name($module, code, /)\n--\n\n"
                             "What metrics call a result code.");

static PyObject *
module_short_name(PyObject *module, PyObject *code)
{
    int number = PyLong_AsInt(code);
    const char *name;

    if (number == -1 && PyErr_Occurred()) {
        return NULL;
    }
    name = aero_result_short(number);
    if (name != NULL) {
        return PyUnicode_FromString(name);
    }
    return PyObject_GetAttrString(
        errors_class(state_of_module(module), number), "__name__");
}

PyDoc_STRVAR(compile_doc, "compile_expression($module, expression, /)\n--\n\n"
                          "An Expression of any spelling of one.");

static PyObject *
module_compile(PyObject *module, PyObject *expr)
{
    return expression_compile(state_of_module(module), &main_face, expr);
}

PyDoc_STRVAR(pack_doc,
             "pack_operations($module, operations, strict, /)\n--\n\n"
             "What a list of operations is in a request.");

static PyObject *
module_pack(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError,
                        "pack_operations() takes 2 arguments");
        return NULL;
    }
    return ops_bytes(state_of_module(module),
                     args[1] == Py_True ? &strict_face : &main_face, args[0]);
}

PyDoc_STRVAR(versions_doc, "versions($module, /)\n--\n\n"
                           "What the extension was built with and runs with.");

static PyMethodDef module_functions[] = {
    {"digest", (PyCFunction)(void (*)(void))module_digest, METH_FASTCALL,
     digest_doc},
    {"set_serializers", (PyCFunction)(void (*)(void))module_set_serializers,
     METH_FASTCALL, serializers_doc},
    {"set_log_level", module_set_log_level, METH_O, log_level_doc},
    {"flush_log", module_flush_log, METH_NOARGS, flush_doc},
    {"dropped_log_count", module_dropped, METH_NOARGS, dropped_doc},
    {"close_log", module_close_log, METH_NOARGS, close_log_doc},
    {"compile_expression", module_compile, METH_O, compile_doc},
    {"pack_operations", (PyCFunction)(void (*)(void))module_pack,
     METH_FASTCALL, pack_doc},
    {"short_name", module_short_name, METH_O, short_name_doc},
    {"versions", module_versions, METH_NOARGS, versions_doc},
    {"dump", module_dump, METH_O, dump_doc},
    {NULL, NULL, 0, NULL},
};

/* ---- set-up ---- */

static int
import_class(const char *module_name, const char *name, PyTypeObject **to)
{
    PyObject *module = PyImport_ImportModule(module_name);

    *to = module == NULL
              ? NULL
              : (PyTypeObject *)PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return *to == NULL ? -1 : 0;
}

static int
import_parts(ModState *state)
{
#define X(from, name)                                                         \
    if (import_class("aerospike_py." #from, #name, &state->name) < 0) {       \
        return -1;                                                            \
    }
    PYTHON_CLASSES(X)
#undef X
#define X(name)                                                               \
    state->str_##name = PyUnicode_InternFromString(#name);                    \
    if (state->str_##name == NULL) {                                          \
        return -1;                                                            \
    }
    INTERNED(X)
#undef X
    state->config_module = PyImport_ImportModule("aerospike_py._config");
    return state->config_module == NULL ? -1 : 0;
}

static int
module_exec(PyObject *module)
{
    ModState *state = state_of_module(module);

    state->module = module;
    if (import_parts(state) < 0 || errors_setup(module, state) < 0 ||
        policy_setup(state) < 0 || log_setup(state) < 0 ||
        metrics_setup(module, state) < 0 || module_add_constants(module) < 0) {
        return -1;
    }
    if (method_setup_type(module) < 0 || expression_setup_type(module) < 0 ||
        node_setup_type(module) < 0 || transaction_setup_type(module) < 0 ||
        lazy_setup_types(module) < 0 || client_setup_types(module) < 0 ||
        query_setup_types(module) < 0) {
        return -1;
    }
#ifdef AERO_GIL_CLOCK
    if (PyModule_AddFunctions(module, gil_functions) < 0) {
        return -1;
    }
#endif
    return async_setup_types(module);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    ModState *state = state_of_module(module);

    for (int i = 0; i < EXC_COUNT; i++) {
        Py_VISIT(state->exc[i]);
    }
    Py_VISIT(state->ClientType);
    Py_VISIT(state->StrictClientType);
    Py_VISIT(state->AsyncClientType);
    Py_VISIT(state->MethodType);
    Py_VISIT(state->OpType);
    Py_VISIT(state->PumpType);
    Py_VISIT(state->ReplyType);
    Py_VISIT(state->ExpressionType);
    Py_VISIT(state->NodeType);
    Py_VISIT(state->TransactionType);
    Py_VISIT(state->LazyType);
    Py_VISIT(state->RowIterType);
    Py_VISIT(state->official_exc);
    Py_VISIT(state->batch_module);
    Py_VISIT(state->numpy_module);
    for (int i = 0; i < QUERY_TYPES; i++) {
        Py_VISIT(state->QueryTypes[i]);
    }
    Py_VISIT(state->StreamType);
    Py_VISIT(state->AsyncStreamType);
    Py_VISIT(state->ReadyType);
    Py_VISIT(state->expr_builders);
    Py_VISIT(state->op_entries);
    Py_VISIT(state->get_running_loop);
    Py_VISIT(state->InvalidStateError);
    Py_VISIT(state->CancelledError);
    Py_VISIT(state->context_name);
#define X(from, name) Py_VISIT(state->name);
    PYTHON_CLASSES(X)
#undef X
    Py_VISIT(state->policy_index);
    Py_VISIT(state->config_module);
    Py_VISIT(state->serializer);
    Py_VISIT(state->deserializer);
    return 0;
}

/* What users gave us may refer to anything.  The rest is needed by objects
 * that may end after this; the collector finds its way through the types. */
static int
module_clear(PyObject *module)
{
    ModState *state = state_of_module(module);

    Py_CLEAR(state->serializer);
    Py_CLEAR(state->deserializer);
    return 0;
}

static void
forget_all(ModState *state)
{
    for (int i = 0; i < EXC_COUNT; i++) {
        Py_CLEAR(state->exc[i]);
    }
    Py_CLEAR(state->ClientType);
    Py_CLEAR(state->StrictClientType);
    Py_CLEAR(state->AsyncClientType);
    Py_CLEAR(state->MethodType);
    Py_CLEAR(state->OpType);
    Py_CLEAR(state->PumpType);
    Py_CLEAR(state->ReplyType);
    Py_CLEAR(state->ExpressionType);
    Py_CLEAR(state->NodeType);
    Py_CLEAR(state->TransactionType);
    Py_CLEAR(state->LazyType);
    Py_CLEAR(state->RowIterType);
    Py_CLEAR(state->official_exc);
    Py_CLEAR(state->batch_module);
    Py_CLEAR(state->numpy_module);
    for (int i = 0; i < QUERY_TYPES; i++) {
        Py_CLEAR(state->QueryTypes[i]);
    }
    Py_CLEAR(state->StreamType);
    Py_CLEAR(state->AsyncStreamType);
    Py_CLEAR(state->ReadyType);
    Py_CLEAR(state->expr_builders);
    Py_CLEAR(state->op_entries);
    Py_CLEAR(state->get_running_loop);
    Py_CLEAR(state->InvalidStateError);
    Py_CLEAR(state->CancelledError);
    Py_CLEAR(state->context_name);
#define X(from, name) Py_CLEAR(state->name);
    PYTHON_CLASSES(X)
#undef X
#define X(name) Py_CLEAR(state->str_##name);
    INTERNED(X)
#undef X
    Py_CLEAR(state->policy_index);
    Py_CLEAR(state->config_module);
    for (int i = 0; i < NAME_CACHE; i++) {
        PyObject *name = atomic_exchange(&state->names[i], NULL);

        Py_XDECREF(name);
    }
    for (int i = 0; i < META_CACHE; i++) {
        PyObject *meta = atomic_exchange(&state->metas[i], NULL);

        Py_XDECREF(meta);
    }
#ifndef Py_GIL_DISABLED
    for (int i = 0; i < KEY_CACHE; i++) {
        Py_CLEAR(state->keys[i].text);
    }
#endif
}

static void
module_free(void *module)
{
    ModState *state = state_of_module(module);

    module_clear(module);
    forget_all(state);
    client_forget_params(state);
    log_teardown(state);
    metrics_teardown(state);
}

static PyModuleDef_Slot module_slots[] = MODULE_SLOTS(module_exec);

PyModuleDef aerospike_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "aerospike_py._aerospike",
    .m_doc = "The C part of aerospike_py.",
    .m_size = sizeof(ModState),
    .m_methods = module_functions,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__aerospike(void);

PyMODINIT_FUNC
PyInit__aerospike(void)
{
    return PyModuleDef_Init(&aerospike_module);
}

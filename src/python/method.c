/* Methods that look like functions of Python: `inspect` and `unittest.mock`
 * ask a function what it takes and whether its result is to be awaited, and a
 * method descriptor of C cannot answer.  A call costs what it costs there.
 *
 * What a function has and C has not (code, defaults, globals) comes from its
 * face, a function with an empty body that aerospike_py/_signatures.py makes
 * when somebody asks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "method.h"

#include <stddef.h>
#include <structmember.h>

typedef PyObject *(*MethodCall)(PyObject *self, PyObject *const *args,
                                Py_ssize_t nargs, PyObject *kwnames);

typedef struct Method {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    MethodCall call;
    const PyMethodDef *def;   /* borrowed: static */
    PyTypeObject *owner;      /* owned */
    _Atomic(PyObject *) face; /* owned; NULL until somebody asks */
    bool coroutine;
} Method;

static const char SIGNATURE_END[] = "\n--\n\n";

/* The name without the module. */
static const char *
owner_name(const Method *m)
{
    const char *dot = strrchr(m->owner->tp_name, '.');

    return dot != NULL ? dot + 1 : m->owner->tp_name;
}

/* ---- calling ---- */

static PyObject *
refuse(const Method *m, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) {
        return PyErr_Format(PyExc_TypeError,
                            "unbound method %s.%s() needs an argument",
                            owner_name(m), m->def->ml_name);
    }
    return PyErr_Format(
        PyExc_TypeError, "method '%s' is for '%s' objects, not for '%s'",
        m->def->ml_name, owner_name(m), Py_TYPE(args[0])->tp_name);
}

static PyObject *
method_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf,
                  PyObject *kwnames)
{
    const Method *m = (const Method *)callable;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);

    if (nargs == 0 || !PyObject_TypeCheck(args[0], m->owner)) {
        return refuse(m, args, nargs);
    }
    return m->call(args[0], args + 1, nargs - 1, kwnames);
}

static PyObject *
method_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    (void)type;
    if (obj == NULL) {
        return Py_NewRef(self);
    }
    return PyMethod_New(self, obj);
}

/* ---- what it says of itself ---- */

/* The face; borrowed.  NULL with an exception. */
static PyObject *
face_of(Method *m)
{
    PyObject *face = m->face;
    PyObject *none = NULL;
    const char *text = m->def->ml_doc + strlen(m->def->ml_name);
    PyObject *module;

    if (face != NULL) {
        return face;
    }
    module = PyImport_ImportModule("aerospike_py._signatures");
    if (module == NULL) {
        return NULL;
    }
    face =
        PyObject_CallMethod(module, "face", "ss#O", m->def->ml_name, text,
                            (Py_ssize_t)(strstr(text, SIGNATURE_END) - text),
                            m->coroutine ? Py_True : Py_False);
    Py_DECREF(module);
    if (face == NULL) {
        return NULL;
    }
    if (!atomic_compare_exchange_strong(&m->face, &none, face)) {
        Py_DECREF(face); /* another thread was faster */
    }
    return m->face;
}

static PyObject *
method_of_face(PyObject *self, void *name)
{
    PyObject *face = face_of((Method *)self);

    return face != NULL ? PyObject_GetAttrString(face, name) : NULL;
}

static PyObject *
method_class(PyObject *self, void *unused)
{
    (void)self;
    (void)unused;
    return Py_NewRef(&PyFunction_Type);
}

static PyObject *
method_doc(PyObject *self, void *unused)
{
    const char *end = strstr(((Method *)self)->def->ml_doc, SIGNATURE_END);

    (void)unused;
    return PyUnicode_FromString(end + strlen(SIGNATURE_END));
}

static PyObject *
method_name(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(((Method *)self)->def->ml_name);
}

static PyObject *
method_qualname(PyObject *self, void *unused)
{
    const Method *m = (const Method *)self;

    (void)unused;
    return PyUnicode_FromFormat("%s.%s", owner_name(m), m->def->ml_name);
}

static PyObject *
method_module(PyObject *self, void *unused)
{
    (void)self;
    (void)unused;
    return PyUnicode_FromString("aerospike_py");
}

static PyObject *
method_repr(PyObject *self)
{
    const Method *m = (const Method *)self;

    return PyUnicode_FromFormat("<method '%s' of '%s' objects>",
                                m->def->ml_name, owner_name(m));
}

/* A pickle names it, as it names a function. */
static PyObject *
method_reduce(PyObject *self, PyObject *unused)
{
    return method_qualname(self, unused);
}

/* ---- the type ---- */

static int
method_traverse(PyObject *self, visitproc visit, void *arg)
{
    Method *m = (Method *)self;
    PyObject *face = m->face;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(m->owner);
    Py_VISIT(face);
    return 0;
}

static int
method_clear(PyObject *self)
{
    Method *m = (Method *)self;
    PyObject *face = atomic_exchange(&m->face, NULL);

    Py_XDECREF(face);
    return 0;
}

static void
method_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyTypeObject *owner = ((Method *)self)->owner;

    PyObject_GC_UnTrack(self);
    method_clear(self);
    type->tp_free(self);
    Py_DECREF(owner);
    Py_DECREF(type);
}

#define OF_FACE(name)                                                         \
    {                                                                         \
        name, method_of_face, NULL, NULL, name                                \
    }

static PyGetSetDef method_getset[] = {
    {"__class__", method_class, NULL, NULL, NULL},
    {"__doc__", method_doc, NULL, NULL, NULL},
    {"__name__", method_name, NULL, NULL, NULL},
    {"__qualname__", method_qualname, NULL, NULL, NULL},
    {"__module__", method_module, NULL, NULL, NULL},
    OF_FACE("__code__"),
    OF_FACE("__defaults__"),
    OF_FACE("__kwdefaults__"),
    OF_FACE("__annotations__"),
    OF_FACE("__globals__"),
    OF_FACE("__closure__"),
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef method_methods[] = {
    {"__reduce__", method_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef method_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Method, vectorcall),
     READONLY, NULL},
    {"__objclass__", T_OBJECT, offsetof(Method, owner), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot method_slots[] = {
    {Py_tp_call, PyVectorcall_Call},   {Py_tp_descr_get, method_descr_get},
    {Py_tp_repr, method_repr},         {Py_tp_dealloc, method_dealloc},
    {Py_tp_traverse, method_traverse}, {Py_tp_clear, method_clear},
    {Py_tp_getset, method_getset},     {Py_tp_methods, method_methods},
    {Py_tp_members, method_members},   {0, NULL},
};

/* Immutable, and a method descriptor: so the interpreter calls it with the
 * object in front, and makes no bound method. */
static PyType_Spec method_spec = {
    .name = "aerospike_py._aerospike.Method",
    .basicsize = sizeof(Method),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = method_slots,
};

int
method_setup_type(PyObject *module)
{
    ModState *state = PyModule_GetState(module);
    PyObject *type = PyType_FromModuleAndSpec(module, &method_spec, NULL);

    state->MethodType = (PyTypeObject *)type; /* owned by the state */
    return type == NULL ? -1 : 0;
}

static PyObject *
method_new(ModState *state, PyTypeObject *owner, const PyMethodDef *def,
           bool coroutine)
{
    PyTypeObject *type = state->MethodType;
    Method *m = (Method *)type->tp_alloc(type, 0);

    if (m == NULL) {
        return NULL;
    }
    m->vectorcall = method_vectorcall;
    m->call = (MethodCall)(void (*)(void))def->ml_meth;
    m->def = def;
    m->owner = (PyTypeObject *)Py_NewRef(owner);
    m->coroutine = coroutine;
    return (PyObject *)m;
}

int
methods_add(ModState *state, PyTypeObject *type, const PyMethodDef *defs,
            bool coroutine)
{
    for (; defs->ml_name != NULL; defs++) {
        PyObject *m = method_new(state, type, defs, coroutine);
        int rc = m == NULL ? -1
                           : PyObject_SetAttrString((PyObject *)type,
                                                    defs->ml_name, m);

        Py_XDECREF(m);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

/* Node: what the helpers' expressions are made of.  An object takes its parts
 * once, copies of whatever could change, and keeps the bytes that it was
 * packed to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr_node.h"

typedef struct Node {
    PyObject_HEAD
    PyObject *op; /* all owned; NULL: the class says it */
    PyObject *rt;
    PyObject *fixed;    /* NULL: None */
    PyObject *children; /* NULL: () */
    PyObject *packed;   /* bytes; NULL: not packed yet */
} Node;

/* ---- values that cannot change ---- */

static PyObject *freeze(ModState *state, PyObject *value);

static PyObject *
freeze_list(ModState *state, PyObject *list)
{
    PyObject *made = PyList_GetSlice(list, 0, PyList_GET_SIZE(list));

    for (Py_ssize_t i = 0; made != NULL && i < PyList_GET_SIZE(made); i++) {
        PyObject *item = freeze(state, PyList_GET_ITEM(made, i));

        if (item == NULL) {
            Py_CLEAR(made);
        }
        else {
            PyList_SetItem(made, i, item);
        }
    }
    return made;
}

static PyObject *
freeze_tuple(ModState *state, PyObject *tuple)
{
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    PyObject *made = PyTuple_New(count);

    for (Py_ssize_t i = 0; made != NULL && i < count; i++) {
        PyObject *item = freeze(state, PyTuple_GET_ITEM(tuple, i));

        if (item == NULL) {
            Py_CLEAR(made);
        }
        else {
            PyTuple_SET_ITEM(made, i, item);
        }
    }
    return made;
}

/* Values only: keys are hashable. */
static PyObject *
freeze_dict(ModState *state, PyObject *dict)
{
    PyObject *made = PyDict_New();
    PyObject *name;
    PyObject *value;
    Py_ssize_t pos = 0;

    while (made != NULL && PyDict_Next(dict, &pos, &name, &value)) {
        PyObject *kept = freeze(state, value);

        if (kept == NULL || PyDict_SetItem(made, name, kept) < 0) {
            Py_CLEAR(made);
        }
        Py_XDECREF(kept);
    }
    return made;
}

static PyObject *
deep_copy(PyObject *value)
{
    PyObject *module = PyImport_ImportModule("copy");
    PyObject *made = module == NULL
                         ? NULL
                         : PyObject_CallMethod(module, "deepcopy", "O", value);

    Py_XDECREF(module);
    return made;
}

static bool
cannot_change(ModState *state, PyObject *value)
{
    return value == Py_None || PyLong_Check(value) || PyFloat_Check(value) ||
           PyUnicode_CheckExact(value) || PyBytes_Check(value) ||
           PyObject_TypeCheck(value, state->NodeType) ||
           Py_IS_TYPE(value, state->ExpressionType);
}

/* The value, or a copy if it could change. */
static PyObject *
freeze(ModState *state, PyObject *value)
{
    PyObject *made;

    if (cannot_change(state, value)) {
        return Py_NewRef(value);
    }
    if (Py_EnterRecursiveCall(" in an expression") != 0) {
        return NULL;
    }
    if (PyList_CheckExact(value)) {
        made = freeze_list(state, value);
    }
    else if (PyTuple_CheckExact(value)) {
        made = freeze_tuple(state, value);
    }
    else if (PyDict_CheckExact(value)) {
        made = freeze_dict(state, value);
    }
    else {
        made = deep_copy(value);
    }
    Py_LeaveRecursiveCall();
    return made;
}

/* ---- parts ---- */

static ModState *
state_of(PyObject *self)
{
    return state_of_type(Py_TYPE(self));
}

static PyObject **
slot_of(ModState *state, Node *self, PyObject *name)
{
    PyObject *names[] = {state->str__fixed, state->str__children,
                         state->str__op, state->str__rt};
    PyObject **slots[] = {&self->fixed, &self->children, &self->op, &self->rt};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (name == names[i]) { /* both are interned */
            return slots[i];
        }
    }
    return NULL;
}

/* Code and type come first. */
static bool
is_late(Node *self, PyObject **slot)
{
    return (slot == &self->op || slot == &self->rt) &&
           (self->fixed != NULL || self->children != NULL);
}

/* A tuple or dict that the constructor has made: it is kept as it is if
 * nothing in it can change. */
static bool
is_frozen(ModState *state, PyObject *part)
{
    PyObject *name;
    PyObject *value;
    Py_ssize_t pos = 0;

    if (PyTuple_CheckExact(part)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(part); i++) {
            if (!cannot_change(state, PyTuple_GET_ITEM(part, i))) {
                return false;
            }
        }
        return true;
    }
    if (!PyDict_CheckExact(part)) {
        return false;
    }
    while (PyDict_Next(part, &pos, &name, &value)) {
        if (!cannot_change(state, value)) {
            return false;
        }
    }
    return true;
}

/* Each part is set once, while the object is made. */
static int
node_setattro(PyObject *obj, PyObject *name, PyObject *value)
{
    ModState *state = state_of(obj);
    PyObject **slot;

    if (state == NULL) {
        return -1;
    }
    slot = slot_of(state, (Node *)obj, name);
    if (slot == NULL || *slot != NULL || value == NULL ||
        is_late((Node *)obj, slot)) {
        PyErr_Format(PyExc_AttributeError,
                     "an expression cannot be changed: %U", name);
        return -1;
    }
    *slot = is_frozen(state, value) ? Py_NewRef(value) : freeze(state, value);
    return *slot == NULL ? -1 : 0;
}

static PyObject *
node_part(PyObject *obj, void *offset)
{
    PyObject *part = *(PyObject **)((char *)obj + (size_t)offset);

    if (part != NULL) {
        return Py_NewRef(part);
    }
    if ((size_t)offset == offsetof(Node, children)) {
        return PyTuple_New(0);
    }
    return (size_t)offset == offsetof(Node, op) ? PyLong_FromLong(0)
                                                : Py_NewRef(Py_None);
}

/* A part as the object has it, or as its class does (a new reference). */
static PyObject *
part_or_class(PyObject *obj, PyObject *part, PyObject *name)
{
    return part != NULL ? Py_NewRef(part) : PyObject_GetAttr(obj, name);
}

int
node_read(ModState *state, PyObject *value, ExprNode *out)
{
    Node *self = (Node *)value;
    PyObject *op;

    if (!PyObject_TypeCheck(value, state->NodeType)) {
        return 0;
    }
    op = part_or_class(value, self->op, state->str__op);
    *out = (ExprNode){
        .op = op == NULL ? -1 : PyLong_AsLong(op),
        .rt = part_or_class(value, self->rt, state->str__rt),
        .fixed = Py_NewRef(self->fixed != NULL ? self->fixed : Py_None),
        .children = self->children != NULL ? Py_NewRef(self->children)
                                           : PyTuple_New(0),
    };
    Py_XDECREF(op);
    if (PyErr_Occurred() || !PyTuple_Check(out->children)) {
        expr_node_fini(out);
        if (!PyErr_Occurred()) {
            raise_param(state, "expression is malformed");
        }
        return -1;
    }
    out->count = PyTuple_GET_SIZE(out->children);
    return 1;
}

/* ---- bytes ---- */

bool
node_packed(ModState *state, PyObject *value, aero_span *packed)
{
    PyObject *bytes;

    if (!PyObject_TypeCheck(value, state->NodeType)) {
        return false;
    }
    bytes = ((Node *)value)->packed;
    if (bytes == NULL) {
        return false;
    }
    *packed = aero_span_of(PyBytes_AS_STRING(bytes),
                           (size_t)PyBytes_GET_SIZE(bytes));
    return true;
}

int
node_keep(ModState *state, PyObject *value, aero_span packed)
{
    if (!PyObject_TypeCheck(value, state->NodeType)) {
        return 0;
    }
    Py_XSETREF(((Node *)value)->packed,
               PyBytes_FromStringAndSize((const char *)packed.ptr,
                                         (Py_ssize_t)packed.len));
    return ((Node *)value)->packed == NULL ? -1 : 0;
}

/* ---- the flat list ---- */

/* The tuple of a node; its children go onto the stack, the first on top. */
static PyObject *
flat_node(ModState *state, PyObject *value, PyObject *stack)
{
    Node *self = (Node *)value;
    Py_ssize_t count =
        self->children == NULL ? 0 : PyTuple_GET_SIZE(self->children);
    PyObject *op = part_or_class(value, self->op, state->str__op);
    PyObject *rt = part_or_class(value, self->rt, state->str__rt);
    PyObject *fixed =
        freeze(state, self->fixed != NULL ? self->fixed : Py_None);

    for (Py_ssize_t i = count; i > 0; i--) {
        if (PyList_Append(stack, PyTuple_GET_ITEM(self->children, i - 1)) <
            0) {
            Py_CLEAR(op);
            break;
        }
    }
    if (op == NULL || rt == NULL || fixed == NULL) {
        Py_XDECREF(op);
        Py_XDECREF(rt);
        Py_XDECREF(fixed);
        return NULL;
    }
    return Py_BuildValue("(NNNn)", op, rt, fixed, count);
}

static PyObject *
flat_value(ModState *state, PyObject *value)
{
    PyObject *kept = freeze(state, value);

    return kept == NULL ? NULL
                        : Py_BuildValue("(iO{s:N}i)", OP_LITERAL, Py_None,
                                        "val", kept, 0);
}

static PyObject *
node_compile(PyObject *obj, PyObject *unused)
{
    ModState *state = state_of(obj);
    PyObject *found = PyList_New(0);
    PyObject *stack = PyList_New(0);

    (void)unused;
    if (state == NULL) {
        Py_CLEAR(found);
    }
    if (found == NULL || stack == NULL || PyList_Append(stack, obj) < 0) {
        Py_CLEAR(found);
    }
    while (found != NULL && PyList_GET_SIZE(stack) > 0) {
        Py_ssize_t last = PyList_GET_SIZE(stack) - 1;
        PyObject *item = Py_NewRef(PyList_GET_ITEM(stack, last));
        PyObject *tuple = NULL;

        if (PyList_SetSlice(stack, last, last + 1, NULL) == 0) {
            tuple = PyObject_TypeCheck(item, state->NodeType)
                        ? flat_node(state, item, stack)
                        : flat_value(state, item);
        }
        if (tuple == NULL || PyList_Append(found, tuple) < 0) {
            Py_CLEAR(found);
        }
        Py_XDECREF(tuple);
        Py_DECREF(item);
    }
    Py_XDECREF(stack);
    return found;
}

/* ---- the type ---- */

static int
node_traverse(PyObject *obj, visitproc visit, void *arg)
{
    Node *self = (Node *)obj;

    Py_VISIT(Py_TYPE(obj));
    Py_VISIT(self->op);
    Py_VISIT(self->rt);
    Py_VISIT(self->fixed);
    Py_VISIT(self->children);
    return 0;
}

static int
node_clear(PyObject *obj)
{
    Node *self = (Node *)obj;

    Py_CLEAR(self->op);
    Py_CLEAR(self->rt);
    Py_CLEAR(self->fixed);
    Py_CLEAR(self->children);
    Py_CLEAR(self->packed);
    return 0;
}

static void
node_dealloc(PyObject *obj)
{
    PyTypeObject *type = Py_TYPE(obj);

    PyObject_GC_UnTrack(obj);
    Py_TRASHCAN_BEGIN(obj, node_dealloc);
    node_clear(obj);
    type->tp_free(obj);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

PyDoc_STRVAR(node_doc,
             "Node()\n--\n\n"
             "What expressions of the helpers are made of.\n\n"
             "Its parts are set once. It keeps the bytes it was packed to.");

PyDoc_STRVAR(node_compile_doc,
             "compile($self, /)\n--\n\n"
             "The tree as a flat list.\n\n"
             "Returns\n"
             "-------\n"
             "list of tuple\n"
             "    ``(code, type of the result, entries, number of\n"
             "    operands)`` of every node, each in front of its operands.");

static PyMethodDef node_methods[] = {
    {"compile", node_compile, METH_NOARGS, node_compile_doc},
    {NULL, NULL, 0, NULL},
};

#define PART(name)                                                            \
    {                                                                         \
        "_" #name, node_part, NULL, NULL, (void *)offsetof(Node, name)        \
    }

static PyGetSetDef node_getset[] = {
    PART(op),
    PART(rt),
    PART(fixed),
    PART(children),
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot node_slots[] = {
    {Py_tp_doc, (void *)node_doc},   {Py_tp_dealloc, node_dealloc},
    {Py_tp_traverse, node_traverse}, {Py_tp_clear, node_clear},
    {Py_tp_setattro, node_setattro}, {Py_tp_methods, node_methods},
    {Py_tp_getset, node_getset},     {0, NULL},
};

static PyType_Spec node_spec = {
    .name = "aerospike_py._aerospike.Node",
    .basicsize = sizeof(Node),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = node_slots,
};

int
node_setup_type(PyObject *module)
{
    ModState *state = PyModule_GetState(module);
    PyObject *type = PyType_FromModuleAndSpec(module, &node_spec, NULL);

    if (type == NULL) {
        return -1;
    }
    state->NodeType = (PyTypeObject *)type;
    return PyModule_AddType(module, state->NodeType);
}

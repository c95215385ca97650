/* Expression: a compiled expression, immutable.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr.h"

#include "aero/base/b64.h"

typedef struct Expression {
    PyObject_HEAD
    ModState *state;  /* borrowed: the type keeps its module alive */
    PyObject *packed; /* owned bytes */
} Expression;

static PyObject *
make(PyTypeObject *type, ModState *state, aero_span packed)
{
    Expression *self;

    self = (Expression *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->state = state;
    self->packed = PyBytes_FromStringAndSize((const char *)packed.ptr,
                                             (Py_ssize_t)packed.len);
    if (self->packed == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

bool
expression_packed(ModState *state, PyObject *value, aero_span *packed)
{
    PyObject *bytes;

    if (!Py_IS_TYPE(value, state->ExpressionType)) {
        return false;
    }
    bytes = ((Expression *)value)->packed;
    *packed = aero_span_of(PyBytes_AS_STRING(bytes),
                           (size_t)PyBytes_GET_SIZE(bytes));
    return true;
}

PyObject *
expression_compile(ModState *state, const Face *face, PyObject *expr)
{
    Encoder enc = {.state = state, .face = face};
    aero_buf out = AERO_BUF_INIT;
    PyObject *made = NULL;

    if (Py_IS_TYPE(expr, state->ExpressionType)) {
        return Py_NewRef(expr);
    }
    if (expr_pack_any(&enc, expr, &out) == 0) {
        made = make(state->ExpressionType, state, aero_buf_span(&out));
    }
    aero_buf_fini(&out);
    return made;
}

/* From the text of to_base64. */
static PyObject *
from_base64(PyTypeObject *type, PyObject *text)
{
    ModState *state = PyType_GetModuleState(type);
    aero_buf out = AERO_BUF_INIT;
    PyObject *made = NULL;
    aero_span span;

    if (!PyUnicode_Check(text)) {
        return raise_param_type(state, "base64 must be a str, not %s",
                                Py_TYPE(text)->tp_name);
    }
    if (value_as_text(state, text, &span) < 0) {
        return NULL;
    }
    if (!aero_b64_take(span, &out) || out.len == 0 ||
        out.len > EXPRESSION_MAX || !aero_token_check(aero_buf_span(&out))) {
        raise_param_value(state, "base64 is no expression");
    }
    else {
        made = make(type, state, aero_buf_span(&out));
    }
    aero_buf_fini(&out);
    return made;
}

static PyObject *
expression_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *text;
    static char *names[] = {"base64", NULL};

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Expression", names,
                                     &text)) {
        return NULL;
    }
    return from_base64(type, text);
}

static void
expression_dealloc(PyObject *obj)
{
    PyTypeObject *type = Py_TYPE(obj);

    PyObject_GC_UnTrack(obj);
    Py_CLEAR(((Expression *)obj)->packed);
    type->tp_free(obj);
    Py_DECREF(type);
}

static int
expression_traverse(PyObject *obj, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(obj));
    return 0;
}

static PyObject *
expression_base64(PyObject *obj, PyObject *unused)
{
    Expression *self = (Expression *)obj;
    aero_buf out = AERO_BUF_INIT;
    PyObject *text;
    aero_span packed;

    (void)unused;
    expression_packed(self->state, obj, &packed);
    aero_b64_put(&out, packed);
    text = out.failed ? PyErr_NoMemory()
                      : PyUnicode_FromStringAndSize((const char *)out.ptr,
                                                    (Py_ssize_t)out.len);
    aero_buf_fini(&out);
    return text;
}

static PyObject *
expression_bytes(PyObject *obj, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(((Expression *)obj)->packed);
}

static PyObject *
expression_reduce(PyObject *obj, PyObject *unused)
{
    PyObject *text = expression_base64(obj, unused);

    return text == NULL ? NULL : Py_BuildValue("O(N)", Py_TYPE(obj), text);
}

static PyObject *
expression_repr(PyObject *obj)
{
    Expression *self = (Expression *)obj;
    aero_buf out = AERO_BUF_INIT;
    PyObject *text;
    aero_span packed;

    expression_packed(self->state, obj, &packed);
    if (!expr_show(packed, &out)) {
        aero_buf_fini(&out);
        text = expression_base64(obj, NULL);
        if (text != NULL) {
            Py_SETREF(text, PyUnicode_FromFormat("Expression(%R)", text));
        }
        return text;
    }
    text = out.failed ? PyErr_NoMemory()
                      : PyUnicode_DecodeUTF8((const char *)out.ptr,
                                             (Py_ssize_t)out.len, "replace");
    if (text != NULL) {
        Py_SETREF(text, PyUnicode_FromFormat("<Expression %U>", text));
    }
    aero_buf_fini(&out);
    return text;
}

static Py_hash_t
expression_hash(PyObject *obj)
{
    return PyObject_Hash(((Expression *)obj)->packed);
}

static PyObject *
expression_compare(PyObject *left, PyObject *right, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !Py_IS_TYPE(right, Py_TYPE(left))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyObject_RichCompare(((Expression *)left)->packed,
                                ((Expression *)right)->packed, op);
}

PyDoc_STRVAR(expression_doc,
             "Expression(base64)\n--\n\n"
             "A compiled expression.\n\n"
             "It cannot change, is hashable, can be pickled, and is taken\n"
             "wherever an expression is; its bytes are made only once.\n"
             "exp.compile() makes one, and so does this class from the\n"
             "base64 text of another.\n\n"
             "Parameters\n"
             "----------\n"
             "base64 : str\n"
             "    What to_base64() or Client.get_expression_base64() gave.\n\n"
             "Raises\n"
             "------\n"
             "ParamError\n"
             "    -2: the text is no base64, or not of one expression.");

PyDoc_STRVAR(base64_doc, "to_base64($self, /)\n--\n\n"
                         "The bytes as base64 text, as info commands take\n"
                         "them.\n\n"
                         "Returns\n"
                         "-------\n"
                         "str");

PyDoc_STRVAR(bytes_doc, "__bytes__($self, /)\n--\n\n"
                        "The bytes that travel.\n\n"
                        "Returns\n"
                        "-------\n"
                        "bytes");

static PyMethodDef expression_methods[] = {
    {"to_base64", expression_base64, METH_NOARGS, base64_doc},
    {"__bytes__", expression_bytes, METH_NOARGS, bytes_doc},
    {"__reduce__", expression_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot expression_slots[] = {
    {Py_tp_doc, (void *)expression_doc},
    {Py_tp_new, expression_new},
    {Py_tp_dealloc, expression_dealloc},
    {Py_tp_traverse, expression_traverse},
    {Py_tp_methods, expression_methods},
    {Py_tp_repr, expression_repr},
    {Py_tp_hash, expression_hash},
    {Py_tp_richcompare, expression_compare},
    {0, NULL},
};

static PyType_Spec expression_spec = {
    .name = "aerospike_py._aerospike.Expression",
    .basicsize = sizeof(Expression),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = expression_slots,
};

int
expression_setup_type(PyObject *module)
{
    ModState *state = PyModule_GetState(module);
    PyObject *type = PyType_FromModuleAndSpec(module, &expression_spec, NULL);

    if (type == NULL) {
        return -1;
    }
    state->ExpressionType = (PyTypeObject *)type;
    if (expr_setup(state) < 0 || data_op_setup(state) < 0) {
        return -1;
    }
    return PyModule_AddType(module, state->ExpressionType);
}

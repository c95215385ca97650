/* Expressions on their way to bytes, whatever their spelling.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr_node.h"

/* ---- shared ---- */

int
expr_enter(ExprOut *to)
{
    if (to->depth == AERO_EXP_DEPTH_MAX) {
        raise_param_value(to->enc->state, "expression exceeds the depth of %d",
                          AERO_EXP_DEPTH_MAX);
        return -1;
    }
    to->depth++;
    return 0;
}

void
expr_leave(ExprOut *to)
{
    to->depth--;
}

int
expr_literal(ExprOut *to, PyObject *value)
{
    Encoder enc = *to->enc;

    enc.allow_special = true;
    enc.bool_as_int = false;
    if (PyList_Check(value) || (PyTuple_Check(value) && !enc.face->strict)) {
        aero_pack_list(to->out, 2);
        aero_pack_int(to->out, AERO_EXP_QUOTE);
    }
    return value_pack(&enc, value, to->out);
}

int
expr_name(ExprOut *to, PyObject *name, const char *what, size_t most)
{
    aero_span text;

    if (name == NULL || !PyUnicode_Check(name)) {
        raise_param_type(to->enc->state, "%s in an expression must be a str",
                         what);
        return -1;
    }
    if (value_as_text(to->enc->state, name, &text) < 0) {
        return -1;
    }
    if (text.len > most) {
        raise_param_value(to->enc->state,
                          "%s in an expression is longer than %zu bytes", what,
                          most);
        return -1;
    }
    aero_pack_name(to->out, text);
    return 0;
}

/* Whether it is of a type that can be nothing but a plain value. */
static bool
is_plain(PyObject *value)
{
    return PyLong_CheckExact(value) || PyUnicode_CheckExact(value) ||
           PyFloat_CheckExact(value) || PyBytes_CheckExact(value) ||
           PyList_CheckExact(value) || PyBool_Check(value) || value == Py_None;
}

static int
has_builder(const Encoder *enc, PyObject *dict)
{
    return PyDict_GetItemWithError(dict, enc->state->str___expr__) != NULL;
}

static int
put_operand(ExprOut *to, PyObject *value)
{
    aero_span packed;
    int rc;

    if (is_plain(value)) {
        return expr_literal(to, value);
    }
    if (PyDict_Check(value)) {
        if (has_builder(to->enc, value)) {
            return expr_put_dict(to, value);
        }
        return PyErr_Occurred() ? -1 : expr_literal(to, value);
    }
    if (expression_packed(to->enc->state, value, &packed)) {
        aero_buf_put_span(to->out, packed);
        return 0;
    }
    rc = expr_put_object(to, value);
    if (rc != 0) {
        return rc < 0 ? -1 : 0;
    }
    return expr_literal(to, value);
}

int
expr_operand(ExprOut *to, PyObject *value)
{
    int rc;

    Py_INCREF(value);
    rc = put_operand(to, value);
    Py_DECREF(value);
    return rc;
}

/* ---- entry ---- */

/* An object of the helpers; one that cannot change is packed only once. */
static int
put_top_object(ExprOut *to, PyObject *expr)
{
    ModState *state = to->enc->state;
    size_t from = to->out->len;
    aero_span packed;
    int rc;

    if (node_packed(state, expr, &packed)) {
        aero_buf_put_span(to->out, packed);
        return 1;
    }
    rc = expr_put_object(to, expr);
    if (rc > 0 && to->enc->serializer == NULL && !to->out->failed &&
        node_keep(state, expr,
                  aero_span_of(to->out->ptr + from, to->out->len - from)) <
            0) {
        return -1;
    }
    return rc;
}

static int
put_top(ExprOut *to, PyObject *expr)
{
    aero_span packed;
    int rc;

    if (expression_packed(to->enc->state, expr, &packed)) {
        aero_buf_put_span(to->out, packed);
        return 0;
    }
    if (PyList_Check(expr)) {
        return expr_put_flat(to, expr);
    }
    if (PyDict_Check(expr) && has_builder(to->enc, expr)) {
        return expr_put_dict(to, expr);
    }
    rc = to->compiled_only || PyErr_Occurred() ? 0 : put_top_object(to, expr);
    if (rc > 0) {
        return 0;
    }
    if (!PyErr_Occurred()) {
        raise_param_type(to->enc->state, "%s is no compiled expression",
                         Py_TYPE(expr)->tp_name);
    }
    return -1;
}

static int
pack(const Encoder *enc, PyObject *expr, bool compiled_only, aero_buf *out)
{
    ExprOut to = {.enc = enc, .out = out, .compiled_only = compiled_only};
    size_t from = out->len;

    if (put_top(&to, expr) < 0) {
        return -1;
    }
    if (out->failed) {
        PyErr_NoMemory();
        return -1;
    }
    if (out->len - from > EXPRESSION_MAX) {
        raise_param_value(enc->state, "expression is larger than %d bytes",
                          EXPRESSION_MAX);
        return -1;
    }
    return 0;
}

int
expr_pack(const Encoder *enc, PyObject *expr, aero_buf *out)
{
    return pack(enc, expr, enc->face->strict, out);
}

int
expr_pack_any(const Encoder *enc, PyObject *expr, aero_buf *out)
{
    return pack(enc, expr, false, out);
}

/* Expressions in the spelling of the module exp: dicts with an __expr__
 * entry.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr_node.h"

typedef enum Shape {
    SHAPE_VALUE,    /* val: a value of the type `code` */
    SHAPE_SPECIAL,  /* nil, infinity, wildcard */
    SHAPE_BIN,      /* name: a bin of the type `code` */
    SHAPE_BIN_NAME, /* name */
    SHAPE_EXISTS,   /* name: whether its type is not 0 */
    SHAPE_BARE,     /* nothing */
    SHAPE_KEY,      /* exp_type */
    SHAPE_MODULO,   /* modulo */
    SHAPE_TWO,      /* left, right */
    SHAPE_ONE,      /* expr */
    SHAPE_MANY,     /* exprs */
    SHAPE_COND,     /* exprs: an odd number */
    SHAPE_LET,      /* exprs: definitions and an expression */
    SHAPE_DEF,      /* name, value; inside SHAPE_LET */
    SHAPE_VAR,      /* name */
    SHAPE_REGEX     /* flags, regex, bin */
} Shape;

typedef struct Builder {
    const char *name;
    uint8_t shape;
    uint8_t code;
} Builder;

static const Builder builders[] = {
#define EXPR(name, shape, code) {#name, SHAPE_##shape, AERO_EXP_##code},
#include "expr.def"
#undef EXPR
};

int
expr_setup(ModState *state)
{
    state->expr_builders = PyDict_New();
    if (state->expr_builders == NULL) {
        return -1;
    }
    for (size_t i = 0; i < sizeof builders / sizeof builders[0]; i++) {
        PyObject *row = PyLong_FromSize_t(i);
        int rc = row == NULL ? -1
                             : PyDict_SetItemString(state->expr_builders,
                                                    builders[i].name, row);

        Py_XDECREF(row);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

/* An entry of the dict (borrowed), or an exception that it is missing. */
static PyObject *
field(ExprOut *to, PyObject *dict, const Builder *builder, PyObject *name)
{
    PyObject *value = PyDict_GetItemWithError(dict, name);

    if (value == NULL && !PyErr_Occurred()) {
        raise_param_value(to->enc->state, "expression %s needs %U",
                          builder->name, name);
    }
    return value;
}

static int
field_int(ExprOut *to, PyObject *dict, const Builder *builder, PyObject *name,
          int64_t *out)
{
    PyObject *value = field(to, dict, builder, name);

    if (value == NULL) {
        return -1;
    }
    if (!PyLong_Check(value)) {
        raise_param_type(to->enc->state, "%U of expression %s must be an int",
                         name, builder->name);
        return -1;
    }
    return value_as_int64(to->enc->state, value, builder->name, out);
}

static int
value_is_of(PyObject *value, uint8_t type)
{
    switch (type) {
    case AERO_EXP_TYPE_BOOL:
        return PyBool_Check(value);
    case AERO_EXP_TYPE_INT:
        return PyIndex_Check(value);
    case AERO_EXP_TYPE_STR:
        return PyUnicode_Check(value);
    case AERO_EXP_TYPE_LIST:
        return PyList_Check(value) || PyTuple_Check(value);
    case AERO_EXP_TYPE_MAP:
        return PyDict_Check(value);
    case AERO_EXP_TYPE_BLOB:
        return PyBytes_Check(value) || PyByteArray_Check(value);
    case AERO_EXP_TYPE_FLOAT:
        return PyFloat_Check(value) || PyIndex_Check(value);
    default: /* GEO: a text or an object that has one */
        return 1;
    }
}

static int
put_geo(ExprOut *to, PyObject *value)
{
    aero_span text;

    if (!PyUnicode_Check(value)) {
        return expr_literal(to, value);
    }
    if (value_as_text(to->enc->state, value, &text) < 0) {
        return -1;
    }
    aero_pack_raw(to->out, AERO_PARTICLE_GEOJSON, text);
    return 0;
}

static int
put_value(ExprOut *to, PyObject *dict, const Builder *builder)
{
    PyObject *value = field(to, dict, builder, to->enc->state->str_val);
    int64_t number;
    double real;

    if (value == NULL) {
        return -1;
    }
    if (!value_is_of(value, builder->code)) {
        raise_param_type(to->enc->state, "val of expression %s cannot be %s",
                         builder->name, Py_TYPE(value)->tp_name);
        return -1;
    }
    switch (builder->code) {
    case AERO_EXP_TYPE_INT:
        if (value_as_int64(to->enc->state, value, builder->name, &number) <
            0) {
            return -1;
        }
        aero_pack_int(to->out, number);
        return 0;
    case AERO_EXP_TYPE_FLOAT:
        real = PyFloat_AsDouble(value);
        if (real == -1.0 && PyErr_Occurred()) {
            return -1;
        }
        aero_pack_double(to->out, real);
        return 0;
    case AERO_EXP_TYPE_GEO:
        return put_geo(to, value);
    default:
        return expr_literal(to, value);
    }
}

static int
put_bin(ExprOut *to, PyObject *dict, const Builder *builder)
{
    PyObject *name = field(to, dict, builder, to->enc->state->str_name);

    if (name == NULL) {
        return -1;
    }
    if (builder->shape == SHAPE_EXISTS) {
        aero_pack_list(to->out, 3);
        aero_pack_int(to->out, AERO_EXP_NE);
    }
    aero_pack_list(to->out, builder->shape == SHAPE_BIN ? 3 : 2);
    if (builder->shape == SHAPE_BIN) {
        aero_pack_int(to->out, AERO_EXP_BIN);
    }
    aero_pack_int(to->out, builder->code);
    if (expr_name(to, name, "a bin name", AERO_BIN_NAME_MAX) < 0) {
        return -1;
    }
    if (builder->shape == SHAPE_EXISTS) {
        aero_pack_int(to->out, 0);
    }
    return 0;
}

static int
put_number(ExprOut *to, PyObject *dict, const Builder *builder)
{
    ModState *state = to->enc->state;
    int64_t number;

    if (field_int(to, dict, builder,
                  builder->shape == SHAPE_KEY ? state->str_exp_type
                                              : state->str_modulo,
                  &number) < 0) {
        return -1;
    }
    aero_pack_list(to->out, 2);
    aero_pack_int(to->out, builder->code);
    aero_pack_int(to->out, number);
    return 0;
}

static int
put_pair(ExprOut *to, PyObject *dict, const Builder *builder)
{
    PyObject *side;

    aero_pack_list(to->out, 3);
    aero_pack_int(to->out, builder->code);
    side = field(to, dict, builder, to->enc->state->str_left);
    if (side == NULL || expr_operand(to, side) < 0) {
        return -1;
    }
    side = field(to, dict, builder, to->enc->state->str_right);
    return side == NULL ? -1 : expr_operand(to, side);
}

static int
put_one(ExprOut *to, PyObject *dict, const Builder *builder)
{
    PyObject *inner = field(to, dict, builder, to->enc->state->str_expr);

    if (inner == NULL) {
        return -1;
    }
    aero_pack_list(to->out, 2);
    aero_pack_int(to->out, builder->code);
    return expr_operand(to, inner);
}

/* A definition: its name and value, two elements of the let around it. */
static int
put_def(ExprOut *to, PyObject *dict)
{
    ModState *state = to->enc->state;
    const Builder builder = {"def", SHAPE_DEF, 0};
    PyObject *value;

    if (expr_name(to, PyDict_GetItemWithError(dict, state->str_name),
                  "a variable's name", UINT16_MAX) < 0) {
        return -1;
    }
    value = field(to, dict, &builder, state->str_value);
    return value == NULL ? -1 : expr_operand(to, value);
}

static bool
is_def(ExprOut *to, PyObject *dict)
{
    PyObject *name =
        PyDict_Check(dict)
            ? PyDict_GetItemWithError(dict, to->enc->state->str___expr__)
            : NULL;

    return name != NULL && PyUnicode_Check(name) &&
           PyUnicode_CompareWithASCIIString(name, "def") == 0;
}

/* An entry of a list that has `count` of them (borrowed). */
static PyObject *
entry_at(ExprOut *to, PyObject *exprs, Py_ssize_t i, Py_ssize_t count)
{
    if (PySequence_Fast_GET_SIZE(exprs) != count) {
        return raise_error(to->enc->state, EXC_ClientError,
                           "list changed while it was encoded");
    }
    return PySequence_Fast_GET_ITEM(exprs, i);
}

static int
put_let(ExprOut *to, const Builder *builder, PyObject *exprs)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(exprs);
    PyObject *entry;
    int rc;

    if (count < 2) {
        raise_param_value(to->enc->state,
                          "expression let needs definitions and an "
                          "expression");
        return -1;
    }
    aero_pack_list(to->out, (uint32_t)(count - 1) * 2 + 2);
    aero_pack_int(to->out, builder->code);
    for (Py_ssize_t i = 0; i < count - 1; i++) {
        entry = entry_at(to, exprs, i, count);
        if (entry == NULL || !is_def(to, entry)) {
            return entry == NULL
                       ? -1
                       : (raise_param_type(to->enc->state,
                                           "expression let: entry %zd is no "
                                           "def",
                                           i),
                          -1);
        }
        Py_INCREF(entry);
        rc = put_def(to, entry);
        Py_DECREF(entry);
        if (rc < 0) {
            return -1;
        }
    }
    entry = entry_at(to, exprs, count - 1, count);
    return entry == NULL ? -1 : expr_operand(to, entry);
}

static int
put_entries(ExprOut *to, const Builder *builder, PyObject *exprs)
{
    Py_ssize_t count;

    if (!PyList_Check(exprs) && !PyTuple_Check(exprs)) {
        raise_param_type(to->enc->state,
                         "exprs of expression %s must be a "
                         "list",
                         builder->name);
        return -1;
    }
    if (builder->shape == SHAPE_LET) {
        return put_let(to, builder, exprs);
    }
    count = PySequence_Fast_GET_SIZE(exprs);
    if (builder->shape == SHAPE_COND && (count < 3 || count % 2 == 0)) {
        raise_param_value(to->enc->state,
                          "expression cond needs an odd number of "
                          "expressions, at least 3");
        return -1;
    }
    aero_pack_list(to->out, (uint32_t)count + 1);
    aero_pack_int(to->out, builder->code);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *entry = entry_at(to, exprs, i, count);

        if (entry == NULL || expr_operand(to, entry) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
put_many(ExprOut *to, PyObject *dict, const Builder *builder)
{
    PyObject *exprs = field(to, dict, builder, to->enc->state->str_exprs);
    int rc;

    if (exprs == NULL) {
        return -1;
    }
    Py_INCREF(exprs);
    rc = put_entries(to, builder, exprs);
    Py_DECREF(exprs);
    return rc;
}

static int
put_regex(ExprOut *to, PyObject *dict, const Builder *builder)
{
    ModState *state = to->enc->state;
    PyObject *bin;
    int64_t flags;

    if (field_int(to, dict, builder, state->str_flags, &flags) < 0) {
        return -1;
    }
    aero_pack_list(to->out, 4);
    aero_pack_int(to->out, builder->code);
    aero_pack_int(to->out, flags);
    if (expr_name(to, PyDict_GetItemWithError(dict, state->str_regex),
                  "a pattern", UINT16_MAX) < 0) {
        return -1;
    }
    bin = field(to, dict, builder, state->str_bin);
    return bin == NULL ? -1 : expr_operand(to, bin);
}

static void
put_special(ExprOut *to, const Builder *builder)
{
    if (builder->code == AERO_EXP_TYPE_NIL) {
        aero_pack_nil(to->out);
    }
    else if (builder->name[0] == 'i') {
        aero_pack_infinite(to->out);
    }
    else {
        aero_pack_wildcard(to->out);
    }
}

static int
put_shape(ExprOut *to, PyObject *dict, const Builder *builder)
{
    switch ((Shape)builder->shape) {
    case SHAPE_VALUE:
        return put_value(to, dict, builder);
    case SHAPE_SPECIAL:
        put_special(to, builder);
        return 0;
    case SHAPE_BIN:
    case SHAPE_BIN_NAME:
    case SHAPE_EXISTS:
        return put_bin(to, dict, builder);
    case SHAPE_BARE:
        aero_pack_list(to->out, 1);
        aero_pack_int(to->out, builder->code);
        return 0;
    case SHAPE_KEY:
    case SHAPE_MODULO:
        return put_number(to, dict, builder);
    case SHAPE_TWO:
        return put_pair(to, dict, builder);
    case SHAPE_ONE:
        return put_one(to, dict, builder);
    case SHAPE_MANY:
    case SHAPE_COND:
    case SHAPE_LET:
        return put_many(to, dict, builder);
    case SHAPE_VAR:
        aero_pack_list(to->out, 2);
        aero_pack_int(to->out, builder->code);
        return expr_name(
            to, PyDict_GetItemWithError(dict, to->enc->state->str_name),
            "a variable's name", UINT16_MAX);
    case SHAPE_REGEX:
        return put_regex(to, dict, builder);
    case SHAPE_DEF:
        break;
    }
    raise_param_value(to->enc->state, "expression def stands outside of let");
    return -1;
}

int
expr_put_dict(ExprOut *to, PyObject *dict)
{
    ModState *state = to->enc->state;
    PyObject *name = PyDict_GetItemWithError(dict, state->str___expr__);
    PyObject *row = name == NULL || !PyUnicode_Check(name)
                        ? NULL
                        : PyDict_GetItemWithError(state->expr_builders, name);
    int rc;

    if (row == NULL) {
        if (!PyErr_Occurred()) {
            raise_param_value(state, "Unknown expression op: %R",
                              name != NULL ? name : Py_None);
        }
        return -1;
    }
    if (expr_enter(to) < 0) {
        return -1;
    }
    rc = put_shape(to, dict, &builders[PyLong_AsSize_t(row)]);
    expr_leave(to);
    return rc;
}

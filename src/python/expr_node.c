/* Expressions of the helpers: objects with _op, _rt, _fixed and _children, or
 * the same as a flat list of tuples in prefix order.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr_node.h"

void
expr_node_fini(ExprNode *node)
{
    Py_CLEAR(node->rt);
    Py_CLEAR(node->fixed);
    Py_CLEAR(node->children);
}

/* The main face's numbers of the helpers are shifted, out of the way of its
 * own. */
static long
unshift(long code)
{
    return code >= AERO_OP_SHIFT ? code - AERO_OP_SHIFT : code;
}

int
expr_malformed(const ExprSource *from)
{
    if (!PyErr_Occurred()) {
        raise_param(from->to->enc->state, "expression is malformed");
    }
    return -1;
}

/* ---- reading nodes ---- */

int
expr_read_tuple(ExprSource *from, ExprNode *node)
{
    PyObject *tuple;

    if (from->at >= PyList_GET_SIZE(from->flat)) {
        return expr_malformed(from);
    }
    tuple = PyList_GET_ITEM(from->flat, from->at++);
    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) != 4 ||
        !PyLong_Check(PyTuple_GET_ITEM(tuple, 0)) ||
        !PyLong_Check(PyTuple_GET_ITEM(tuple, 3))) {
        return expr_malformed(from);
    }
    *node = (ExprNode){
        .op = unshift(PyLong_AsLong(PyTuple_GET_ITEM(tuple, 0))),
        .rt = Py_NewRef(PyTuple_GET_ITEM(tuple, 1)),
        .fixed = Py_NewRef(PyTuple_GET_ITEM(tuple, 2)),
        .count = PyLong_AsSsize_t(PyTuple_GET_ITEM(tuple, 3)),
    };
    if (PyErr_Occurred() || node->count < 0 ||
        node->count > PyList_GET_SIZE(from->flat) - from->at) {
        expr_node_fini(node);
        return expr_malformed(from);
    }
    return 0;
}

int
expr_read_object(ModState *state, PyObject *value, ExprNode *node)
{
    int rc = node_read(state, value, node);
    PyObject *op;

    if (rc != 0) {
        node->op = rc < 0 ? -1 : unshift(node->op);
        return rc;
    }
    op = PyObject_GetAttr(value, state->str__op);
    if (op == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    *node = (ExprNode){
        .op = unshift(PyLong_AsLong(op)),
        .rt = PyObject_GetAttr(value, state->str__rt),
        .fixed = PyObject_GetAttr(value, state->str__fixed),
        .children = PyObject_GetAttr(value, state->str__children),
    };
    Py_DECREF(op);
    if (PyErr_Occurred() || !PyTuple_Check(node->children)) {
        expr_node_fini(node);
        if (!PyErr_Occurred()) {
            raise_param(state, "expression is malformed");
        }
        return -1;
    }
    node->count = PyTuple_GET_SIZE(node->children);
    return 1;
}

PyObject *
expr_fixed(const ExprNode *node, PyObject *name)
{
    return PyDict_Check(node->fixed)
               ? PyDict_GetItemWithError(node->fixed, name)
               : NULL;
}

int
expr_fixed_int(const ExprSource *from, const ExprNode *node, PyObject *name,
               int64_t *out)
{
    PyObject *value = expr_fixed(node, name);

    if (value == NULL && PyErr_Occurred()) {
        return -1;
    }
    if (value == NULL || !PyLong_Check(value)) {
        raise_param_type(from->to->enc->state,
                         "%U in an expression must be an integer", name);
        return -1;
    }
    return value_as_int64(from->to->enc->state, value, PyUnicode_AsUTF8(name),
                          out);
}

int
expr_type(const ExprSource *from, PyObject *value, int64_t *out)
{
    if (value == NULL || !PyLong_Check(value)) {
        if (!PyErr_Occurred()) {
            raise_param_type(from->to->enc->state,
                             "a type in an expression must be a ResultType");
        }
        return -1;
    }
    return value_as_int64(from->to->enc->state, value, "type", out);
}

/* ---- children ---- */

int
expr_put_child(ExprSource *from, const ExprNode *node, Py_ssize_t i)
{
    ExprNode child;
    int rc;

    if (node->children != NULL) {
        return expr_operand(from->to, PyTuple_GET_ITEM(node->children, i));
    }
    if (expr_read_tuple(from, &child) < 0) {
        return -1;
    }
    rc = expr_put_node(from, &child);
    expr_node_fini(&child);
    return rc;
}

/* The number of children before the END that closes a list of them. */
static int
count_variadic(ExprSource *from, const ExprNode *node, Py_ssize_t *count)
{
    ExprNode last;
    int rc;

    *count = node->count;
    if (node->children == NULL) {
        *count -= 1; /* a flat list always has it */
        return *count < 0 ? expr_malformed(from) : 0;
    }
    if (*count == 0) {
        return 0;
    }
    rc = expr_read_object(from->to->enc->state,
                          PyTuple_GET_ITEM(node->children, *count - 1), &last);
    if (rc > 0) {
        *count -= last.op == OP_END;
        expr_node_fini(&last);
    }
    return rc < 0 ? -1 : 0;
}

/* Take the END that stands behind the children in a flat list. */
static int
take_end(ExprSource *from, const ExprNode *node)
{
    ExprNode end;
    bool good;

    if (node->children != NULL) {
        return 0;
    }
    if (expr_read_tuple(from, &end) < 0) {
        return -1;
    }
    good = end.op == OP_END;
    expr_node_fini(&end);
    return good ? 0 : expr_malformed(from);
}

static int
put_variadic(ExprSource *from, const ExprNode *node)
{
    aero_buf *out = from->to->out;
    Py_ssize_t count;

    if (count_variadic(from, node, &count) < 0) {
        return -1;
    }
    /* each definition of a LET is two elements */
    aero_pack_list(out, (uint32_t)(node->op == AERO_EXP_LET && count > 0
                                       ? count * 2
                                       : count + 1));
    aero_pack_int(out, node->op);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (expr_put_child(from, node, i) < 0) {
            return -1;
        }
    }
    return take_end(from, node);
}

static int
put_children(ExprSource *from, const ExprNode *node, long code)
{
    aero_pack_list(from->to->out, (uint32_t)node->count + 1);
    aero_pack_int(from->to->out, code);
    for (Py_ssize_t i = 0; i < node->count; i++) {
        if (expr_put_child(from, node, i) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the other nodes ---- */

static int
put_bin(ExprSource *from, const ExprNode *node)
{
    ExprOut *to = from->to;
    int64_t type;

    if (node->op == OP_BIN_EXISTS) {
        aero_pack_list(to->out, 3);
        aero_pack_int(to->out, AERO_EXP_NE);
    }
    aero_pack_list(to->out, node->op == AERO_EXP_BIN ? 3 : 2);
    if (node->op == AERO_EXP_BIN) {
        if (expr_type(from, node->rt, &type) < 0) {
            return -1;
        }
        aero_pack_int(to->out, AERO_EXP_BIN);
        aero_pack_int(to->out, type);
    }
    else {
        aero_pack_int(to->out, AERO_EXP_BIN_TYPE);
    }
    if (expr_name(to, expr_fixed(node, to->enc->state->str_bin), "a bin name",
                  AERO_BIN_NAME_MAX) < 0) {
        return -1;
    }
    if (node->op == OP_BIN_EXISTS) {
        aero_pack_int(to->out, 0);
    }
    return 0;
}

static int
put_regex(ExprSource *from, const ExprNode *node)
{
    ExprOut *to = from->to;
    ModState *state = to->enc->state;
    int64_t flags;

    if (expr_fixed_int(from, node, state->str_regex_options, &flags) < 0) {
        return -1;
    }
    if (node->count != 1) {
        return expr_malformed(from);
    }
    aero_pack_list(to->out, 4);
    aero_pack_int(to->out, AERO_EXP_REGEX);
    aero_pack_int(to->out, flags);
    if (expr_name(to, expr_fixed(node, state->str_val), "a pattern",
                  UINT16_MAX) < 0) {
        return -1;
    }
    return expr_put_child(from, node, 0);
}

/* A code and one number: what a key is, a divisor. */
static int
put_numbered(ExprSource *from, const ExprNode *node)
{
    int64_t number;

    if (node->op == AERO_EXP_KEY) {
        if (expr_type(from, node->rt, &number) < 0) {
            return -1;
        }
    }
    else if (expr_fixed_int(from, node, from->to->enc->state->str_val,
                            &number) < 0) {
        return -1;
    }
    aero_pack_list(from->to->out, 2);
    aero_pack_int(from->to->out, node->op);
    aero_pack_int(from->to->out, number);
    return 0;
}

/* What a loop looks at, by the helpers' number. */
static int
put_loopvar(ExprSource *from, const ExprNode *node)
{
    static const uint8_t types[] = {
        AERO_EXP_TYPE_FLOAT, AERO_EXP_TYPE_INT, AERO_EXP_TYPE_LIST,
        AERO_EXP_TYPE_MAP,   AERO_EXP_TYPE_STR, AERO_EXP_TYPE_BLOB,
        AERO_EXP_TYPE_BOOL,  AERO_EXP_TYPE_NIL, AERO_EXP_TYPE_GEO,
        AERO_EXP_TYPE_HLL,
    };
    int64_t number;

    if (expr_fixed_int(from, node, from->to->enc->state->str_val, &number) <
        0) {
        return -1;
    }
    aero_pack_list(from->to->out, 3);
    aero_pack_int(from->to->out, AERO_EXP_LOOPVAR);
    aero_pack_int(from->to->out, types[node->op - OP_LOOPVARS]);
    aero_pack_int(from->to->out, number);
    return 0;
}

static int
put_variable(ExprSource *from, const ExprNode *node)
{
    ExprOut *to = from->to;
    PyObject *name = expr_fixed(node, to->enc->state->str_val);

    if (node->op == AERO_EXP_VAR) {
        aero_pack_list(to->out, 2);
        aero_pack_int(to->out, AERO_EXP_VAR);
    }
    if (expr_name(to, name, "a variable's name", UINT16_MAX) < 0) {
        return -1;
    }
    if (node->op == AERO_EXP_VAR) {
        return 0;
    }
    return node->count == 1 ? expr_put_child(from, node, 0)
                            : expr_malformed(from);
}

static int
put_fixed_value(ExprSource *from, const ExprNode *node)
{
    PyObject *value = expr_fixed(node, from->to->enc->state->str_val);

    if (value == NULL) {
        return expr_malformed(from);
    }
    return expr_literal(from->to, value);
}

/* The wire code of what the helpers number otherwise. */
static long
wire_code(long op)
{
    switch (op) {
    case OP_VOID_TIME:
        return AERO_EXP_VOID_TIME;
    case OP_TTL:
        return AERO_EXP_TTL;
    case OP_SET_NAME:
        return AERO_EXP_SET_NAME;
    case OP_KEY_EXISTS:
        return AERO_EXP_KEY_EXISTS;
    case OP_SINCE_UPDATE:
        return AERO_EXP_SINCE_UPDATE;
    case OP_TO_STRING:
        return AERO_EXP_TO_STRING;
    default:
        return op;
    }
}

static bool
is_variadic(long op)
{
    return op == AERO_EXP_AND || op == AERO_EXP_OR ||
           op == AERO_EXP_EXCLUSIVE ||
           (op >= AERO_EXP_ADD && op <= AERO_EXP_DIV) ||
           (op >= AERO_EXP_INT_AND && op <= AERO_EXP_INT_XOR) ||
           op == AERO_EXP_MIN || op == AERO_EXP_MAX || op == AERO_EXP_COND ||
           op == AERO_EXP_LET;
}

static int
put_by_op(ExprSource *from, const ExprNode *node)
{
    if (is_variadic(node->op)) {
        return put_variadic(from, node);
    }
    switch (node->op) {
    case AERO_EXP_REGEX:
        return put_regex(from, node);
    case AERO_EXP_DIGEST_MOD:
    case AERO_EXP_KEY:
        return put_numbered(from, node);
    case AERO_EXP_BIN:
    case AERO_EXP_BIN_TYPE:
    case OP_BIN_EXISTS:
        return put_bin(from, node);
    case AERO_EXP_VAR:
    case OP_DEF:
        return put_variable(from, node);
    case OP_VALUE:
    case OP_LITERAL:
        return put_fixed_value(from, node);
    case OP_SELECT_BY_PATH:
    case OP_MODIFY_BY_PATH:
        return expr_put_path(from, node);
    case OP_TO_STRING:
        return put_children(from, node, AERO_EXP_TO_STRING);
    default:
        break;
    }
    if (node->op >= OP_LOOPVARS && node->op < OP_LOOPVARS_END) {
        return put_loopvar(from, node);
    }
    if (node->op >= OP_CALLS) {
        return expr_put_call(from, node);
    }
    if (node->op < 0 || node->op > AERO_EXP_MAP_VALUES) {
        return expr_malformed(from);
    }
    return put_children(from, node, wire_code(node->op));
}

int
expr_put_node(ExprSource *from, const ExprNode *node)
{
    int rc;

    if (expr_enter(from->to) < 0) {
        return -1;
    }
    rc = put_by_op(from, node);
    expr_leave(from->to);
    return rc;
}

/* ---- entries ---- */

int
expr_put_flat(ExprOut *to, PyObject *list)
{
    ExprSource from = {.to = to, .flat = list};
    ExprNode root;
    int rc;

    if (expr_read_tuple(&from, &root) < 0) {
        return -1;
    }
    rc = expr_put_node(&from, &root);
    expr_node_fini(&root);
    if (rc == 0 && from.at != PyList_GET_SIZE(list)) {
        return expr_malformed(&from);
    }
    return rc;
}

int
expr_put_object(ExprOut *to, PyObject *value)
{
    ExprSource from = {.to = to};
    ExprNode node;
    int rc = expr_read_object(to->enc->state, value, &node);

    if (rc <= 0) {
        return rc;
    }
    rc = expr_put_node(&from, &node);
    expr_node_fini(&node);
    return rc < 0 ? -1 : 1;
}

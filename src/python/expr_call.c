/* Calls in expressions: operations on lists, maps, bits, sketches and
 * strings, and paths.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr_node.h"

#include "aero/wire/bits.h"
#include "aero/wire/cdt.h"
#include "aero/wire/hll.h"
#include "aero/wire/text.h"

/* How a call is framed and what it gives. */
typedef struct CallForm {
    uint8_t system;
    uint8_t wire;
    bool modifies;
    bool returns; /* has a return type */
    int64_t return_type;
    int64_t type; /* of what it gives */
} CallForm;

static bool
is_single(uint8_t wire)
{
    return wire == AERO_LIST_GET_BY_INDEX || wire == AERO_LIST_GET_BY_RANK ||
           wire == AERO_MAP_GET_BY_KEY || wire == AERO_MAP_GET_BY_INDEX ||
           wire == AERO_MAP_GET_BY_RANK;
}

/* The type of what a selection gives. */
static int
selection_type(const ExprSource *from, const ExprNode *node, CallForm *form)
{
    ModState *state = from->to->enc->state;
    bool single = is_single(form->wire);
    PyObject *declared = expr_fixed(node, state->str_value_type);
    int64_t value_type = AERO_EXP_TYPE_LIST;

    if (single && expr_type(from, declared, &value_type) < 0) {
        return -1;
    }
    switch (form->return_type & AERO_RETURN_MASK) {
    case AERO_RETURN_NONE:
        form->type = AERO_EXP_TYPE_NIL;
        return 0;
    case AERO_RETURN_COUNT:
        form->type = AERO_EXP_TYPE_INT;
        break;
    case AERO_RETURN_EXISTS:
        form->type = AERO_EXP_TYPE_BOOL;
        break;
    case AERO_RETURN_INDEX:
    case AERO_RETURN_REVERSE_INDEX:
    case AERO_RETURN_RANK:
    case AERO_RETURN_REVERSE_RANK:
        form->type = single ? AERO_EXP_TYPE_INT : AERO_EXP_TYPE_LIST;
        break;
    case AERO_RETURN_KEY_VALUE:
    case AERO_RETURN_UNORDERED_MAP:
    case AERO_RETURN_ORDERED_MAP:
        form->type = AERO_EXP_TYPE_MAP;
        break;
    case AERO_RETURN_VALUE:
    case AERO_RETURN_KEY:
        form->type = value_type;
        return 0;
    default:
        raise_param_value(state,
                          "return_type %lld in an expression is "
                          "invalid",
                          (long long)form->return_type);
        return -1;
    }
    if (single && value_type != form->type) {
        raise_param_value(state,
                          "value_type %lld does not fit return_type %lld, "
                          "which gives %lld",
                          (long long)value_type, (long long)form->return_type,
                          (long long)form->type);
        return -1;
    }
    return 0;
}

static int
cdt_form(const ExprSource *from, const ExprNode *node, CallForm *form)
{
    ModState *state = from->to->enc->state;
    const aero_cdt_row *row = aero_cdt_row_of(form->wire);
    PyObject *ctx = expr_fixed(node, state->str_ctx);
    int in_list;

    form->modifies = row->modifies;
    form->returns = row->args[0] == 'r';
    if (form->returns && expr_fixed(node, state->str_return_type) != NULL &&
        expr_fixed_int(from, node, state->str_return_type,
                       &form->return_type) < 0) {
        return -1;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    if (!form->modifies) {
        form->type = form->wire == AERO_LIST_JOIN ? AERO_EXP_TYPE_STR
                                                  : AERO_EXP_TYPE_INT;
        return form->returns ? selection_type(from, node, form) : 0;
    }
    form->type =
        form->wire < AERO_CDT_MAPS ? AERO_EXP_TYPE_LIST : AERO_EXP_TYPE_MAP;
    if (ctx != NULL && ctx != Py_None) {
        in_list = ctx_begins_with_list(from->to->enc, ctx);
        if (in_list < 0) {
            return -1;
        }
        form->type = in_list ? AERO_EXP_TYPE_LIST : AERO_EXP_TYPE_MAP;
    }
    return 0;
}

static void
bits_form(CallForm *form)
{
    form->modifies = form->wire < AERO_BIT_GET;
    form->type = form->modifies || form->wire == AERO_BIT_GET
                     ? AERO_EXP_TYPE_BLOB
                 : form->wire == AERO_BIT_B64_ENCODE ? AERO_EXP_TYPE_STR
                                                     : AERO_EXP_TYPE_INT;
}

static void
hll_form(CallForm *form)
{
    form->modifies = form->wire < AERO_HLL_COUNT;
    form->type = form->modifies || form->wire == AERO_HLL_GET_UNION
                     ? AERO_EXP_TYPE_HLL
                 : form->wire == AERO_HLL_SIMILARITY ? AERO_EXP_TYPE_FLOAT
                 : form->wire == AERO_HLL_DESCRIBE   ? AERO_EXP_TYPE_LIST
                                                     : AERO_EXP_TYPE_INT;
}

static void
string_form(CallForm *form)
{
    static const uint8_t types[AERO_STRING_CODES] = {
#define STRING_OP(name, code, mode, args, type, text)                         \
    [code] = AERO_EXP_TYPE_##type,
#include "aero/wire/tables/string.def"
#undef STRING_OP
    };

    form->modifies = form->wire >= AERO_STRING_MODIFIES;
    form->type = types[form->wire];
}

static int
call_form(const ExprSource *from, const ExprNode *node, CallForm *form)
{
    *form = (CallForm){0};
    if (!data_op_call(node->op, &form->system, &form->wire)) {
        return expr_malformed(from);
    }
    switch (form->system) {
    case AERO_EXP_CDT:
        return cdt_form(from, node, form);
    case AERO_EXP_BITS:
        bits_form(form);
        return 0;
    case AERO_EXP_HLL:
        hll_form(form);
        return 0;
    default:
        string_form(form);
        return 0;
    }
}

/* Order and flags of a policy, as arguments. */
static int
put_policy(ExprSource *from, const ExprNode *call, const ExprNode *node,
           int *count)
{
    ModState *state = from->to->enc->state;
    bool map = node->op == OP_MAP_POLICY;
    PyObject *policy =
        expr_fixed(node, map ? state->str_map_policy : state->str_list_policy);
    const Place place = {-1, NULL};
    uint8_t system;
    uint8_t wire;
    int64_t order;
    int64_t flags;

    if (policy == NULL || policy == Py_None ||
        (PyDict_Check(policy) && PyDict_GET_SIZE(policy) == 0)) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (op_policy_read(from->to->enc, &place, policy, map, &order, &flags) <
        0) {
        return -1;
    }
    if (node->op != OP_LIST_FLAGS) {
        aero_pack_int(from->to->out, order);
        *count += 1;
    }
    data_op_call(call->op, &system, &wire);
    if (wire != AERO_MAP_INCREMENT && wire != AERO_MAP_DECREMENT) {
        aero_pack_int(from->to->out, flags);
        *count += 1;
    }
    return 0;
}

/* An argument that is a node: policies become one or two elements. */
static int
put_argument_node(ExprSource *from, const ExprNode *call, const ExprNode *node,
                  int *count)
{
    ModState *state = from->to->enc->state;
    int64_t flags;

    switch (node->op) {
    case OP_LIST_POLICY:
    case OP_LIST_FLAGS:
    case OP_MAP_POLICY:
        return put_policy(from, call, node, count);
    case OP_BIT_FLAGS:
        if (expr_fixed_int(from, node, state->str_val, &flags) < 0) {
            return -1;
        }
        aero_pack_int(from->to->out, flags);
        *count += 1;
        return 0;
    default:
        *count += 1;
        return expr_put_node(from, node);
    }
}

static int
put_argument(ExprSource *from, const ExprNode *call, Py_ssize_t i, int *count)
{
    PyObject *value;
    ExprNode node;
    int rc;

    if (call->children == NULL) {
        if (expr_read_tuple(from, &node) < 0) {
            return -1;
        }
    }
    else {
        value = PyTuple_GET_ITEM(call->children, i);
        if (PyLong_CheckExact(value) || PyUnicode_CheckExact(value)) {
            *count += 1;
            return expr_literal(from->to, value);
        }
        rc = expr_read_object(from->to->enc->state, value, &node);
        if (rc <= 0) {
            *count += 1;
            return rc < 0 ? -1 : expr_operand(from->to, value);
        }
    }
    rc = put_argument_node(from, call, &node, count);
    expr_node_fini(&node);
    return rc;
}

/* Arguments that the helpers keep beside the children. */
static int
put_fixed_argument(ExprSource *from, const ExprNode *node,
                   const CallForm *form, int *count)
{
    ModState *state = from->to->enc->state;
    int64_t flags;
    PyObject *separator;

    if (form->system != AERO_EXP_CDT) {
        return 0;
    }
    if (form->returns) {
        aero_pack_int(from->to->out, form->return_type);
        *count += 1;
    }
    if (form->wire == AERO_LIST_SORT) {
        if (expr_fixed_int(from, node, state->str_list_order, &flags) < 0) {
            return -1;
        }
        aero_pack_int(from->to->out, flags);
        *count += 1;
    }
    separator = form->wire == AERO_LIST_JOIN
                    ? expr_fixed(node, state->str_separator)
                    : NULL;
    if (separator == NULL || separator == Py_None) {
        return PyErr_Occurred() ? -1 : 0;
    }
    *count += 1;
    return expr_operand(from->to, separator);
}

/* [code, argument, ...]: all children but the last. */
static int
put_call_array(ExprSource *from, const ExprNode *node, const CallForm *form)
{
    const Place place = {-1, NULL};
    aero_buf *out = from->to->out;
    size_t head = out->len;
    int count = 1;

    if (form->system == AERO_EXP_STRING) {
        return data_op_string_array(from->to->enc, &place, node->op,
                                    node->fixed, out);
    }
    aero_pack_list(out, 0);
    aero_pack_int(out, form->wire);
    if (put_fixed_argument(from, node, form, &count) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < node->count - 1; i++) {
        if (put_argument(from, node, i, &count) < 0) {
            return -1;
        }
    }
    if (count > 15) {
        return expr_malformed(from);
    }
    aero_list_patch(out, head, (uint8_t)count);
    return 0;
}

int
expr_put_call(ExprSource *from, const ExprNode *node)
{
    ExprOut *to = from->to;
    const Place place = {-1, NULL};
    PyObject *ctx = expr_fixed(node, to->enc->state->str_ctx);
    CallForm form;

    if (PyErr_Occurred() || call_form(from, node, &form) < 0) {
        return -1;
    }
    if (node->count < 1) {
        return expr_malformed(from);
    }
    aero_pack_list(to->out, 5);
    aero_pack_int(to->out, AERO_EXP_CALL);
    aero_pack_int(to->out, form.type);
    aero_pack_int(to->out,
                  form.system | (form.modifies ? AERO_EXP_MODIFY : 0));
    if (ctx != NULL && ctx != Py_None) {
        aero_pack_list(to->out, 3);
        aero_pack_int(to->out, AERO_CDT_CONTEXT);
        if (ctx_pack(to->enc, &place, ctx, 0, to->out) < 0) {
            return -1;
        }
    }
    if (put_call_array(from, node, &form) < 0) {
        return -1;
    }
    return expr_put_child(from, node, node->count - 1);
}

int
expr_put_path(ExprSource *from, const ExprNode *node)
{
    ExprOut *to = from->to;
    ModState *state = to->enc->state;
    const Place place = {-1, NULL};
    bool modify = node->op == OP_MODIFY_BY_PATH;
    PyObject *ctx = expr_fixed(node, state->str_ctx);
    int64_t type;
    int64_t flags;

    if (expr_type(from, expr_fixed(node, state->str_value_type), &type) < 0 ||
        expr_fixed_int(from, node, state->str_cdt_flags, &flags) < 0) {
        return -1;
    }
    if (node->count != 1) {
        return expr_malformed(from);
    }
    aero_pack_list(to->out, 5);
    aero_pack_int(to->out, AERO_EXP_CALL);
    aero_pack_int(to->out, type);
    aero_pack_int(to->out, modify ? AERO_EXP_MODIFY : 0);
    aero_pack_list(to->out, modify ? 4 : 3);
    aero_pack_int(to->out, AERO_CDT_PATH);
    if (ctx_pack(to->enc, &place, ctx != NULL ? ctx : Py_None, 0, to->out) <
        0) {
        return -1;
    }
    aero_pack_int(to->out, flags | (modify ? AERO_PATH_APPLY : 0));
    if (modify) {
        PyObject *change = expr_fixed(node, state->str_mod_exp);

        if (change == NULL) {
            return expr_malformed(from);
        }
        if (expr_pack_any(to->enc, change, to->out) < 0) {
            return -1;
        }
    }
    return expr_put_child(from, node, 0);
}

/* Contexts: lists of cdt_ctx steps to the array of types and values.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "encode.h"

#include "aero/wire/cdt.h"

enum {
    /* ids that stand for a step and how it is created */
    STEP_LIST_INDEX_CREATE = 0x14,
    STEP_MAP_KEY_CREATE = 0x24
};

/* One step, as the helpers keep it. */
typedef struct Step {
    long id;
    PyObject *value; /* owned */
    PyObject *extra; /* owned; None: none */
} Step;

static void
step_fini(Step *step)
{
    Py_CLEAR(step->value);
    Py_CLEAR(step->extra);
}

static int
step_read(const Encoder *enc, const Place *place, PyObject *obj, Step *step)
{
    ModState *state = enc->state;
    PyObject *id = PyObject_GetAttr(obj, state->str_id);

    *step = (Step){0, NULL, NULL};
    if (id != NULL && PyLong_Check(id)) {
        step->id = PyLong_AsLong(id);
        step->value = PyObject_GetAttr(obj, state->str_value);
        step->extra = PyObject_GetAttr(obj, state->str_extra_args);
    }
    Py_XDECREF(id);
    if (step->value == NULL || step->extra == NULL) {
        PyErr_Clear();
        step_fini(step);
        return place_fail(enc, place, EXC_ParamTypeError,
                          "ctx entries must be made by the functions of "
                          "cdt_ctx, not %s",
                          Py_TYPE(obj)->tp_name);
    }
    return 0;
}

/* An entry of extra_args as a number; 0 when it is absent. */
static int
extra_number(const Encoder *enc, const Place *place, PyObject *extra,
             PyObject *name, long *out)
{
    PyObject *value =
        PyDict_Check(extra) ? PyDict_GetItemWithError(extra, name) : NULL;

    *out = 0;
    if (value == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (PyLong_Check(value)) {
        *out = PyLong_AsLong(value);
    }
    if (!PyLong_Check(value) || (*out == -1 && PyErr_Occurred())) {
        PyErr_Clear();
        return place_fail(enc, place, EXC_ParamTypeError,
                          "ctx: order and pad must be constants");
    }
    return 0;
}

/* The type of a step on the wire, or -1. */
static long
wire_type(const Encoder *enc, const Place *place, const Step *step)
{
    long order;
    long pad;

    if (step->id != STEP_LIST_INDEX_CREATE &&
        step->id != STEP_MAP_KEY_CREATE) {
        return step->id;
    }
    if (extra_number(enc, place, step->extra, enc->state->str_order_key,
                     &order) < 0 ||
        extra_number(enc, place, step->extra, enc->state->str_pad_key, &pad) <
            0) {
        return -1;
    }
    if (step->id == STEP_MAP_KEY_CREATE) {
        return AERO_STEP_MAP | AERO_STEP_KEY |
               (order == 0   ? AERO_STEP_CREATE_UNORDERED
                : order == 1 ? AERO_STEP_CREATE_K_ORDERED
                             : AERO_STEP_CREATE_KV_ORDERED);
    }
    return AERO_STEP_LIST | AERO_STEP_INDEX |
           (order != 0 ? AERO_STEP_CREATE_ORDERED
            : pad != 0 ? AERO_STEP_CREATE_PADDED
                       : AERO_STEP_CREATE_UNORDERED);
}

/* An expression: that of a filter, or true for all children. */
static int
pack_filter(const Encoder *enc, const Place *place, const Step *step,
            aero_buf *out)
{
    PyObject *expr;

    if (step->extra == Py_None && (step->id & AERO_STEP_AND) == 0) {
        aero_pack_bool(out, true);
        return 0;
    }
    expr =
        PyDict_Check(step->extra)
            ? PyDict_GetItemWithError(step->extra, enc->state->str_filter_expr)
            : NULL;
    if (expr == NULL) {
        return PyErr_Occurred()
                   ? -1
                   : place_fail(enc, place, EXC_ParamTypeError,
                                "ctx: a filter needs an expression");
    }
    return expr_pack(enc, expr, out);
}

static int
pack_step_value(const Encoder *enc, const Place *place, const Step *step,
                aero_buf *out)
{
    Encoder any = *enc;

    any.allow_special = true;
    switch (step->id & AERO_STEP_BASE) {
    case AERO_STEP_EXPRESSION:
        if (step->id == STEP_LIST_INDEX_CREATE) {
            break;
        }
        if (step->id == STEP_MAP_KEY_CREATE) {
            return value_pack(&any, step->value, out);
        }
        return pack_filter(enc, place, step, out);
    case AERO_STEP_KEY_LIST:
        if (!PyList_Check(step->value)) {
            return place_fail(enc, place, EXC_ParamTypeError,
                              "ctx: keys must be a list");
        }
        return value_pack(&any, step->value, out);
    case AERO_STEP_KEY:
    case AERO_STEP_VALUE:
        return value_pack(&any, step->value, out);
    default:
        break;
    }
    if (!PyLong_Check(step->value)) {
        return place_fail(enc, place, EXC_ParamTypeError,
                          "ctx: an index or rank must be an integer");
    }
    return value_pack(enc, step->value, out);
}

static int
pack_step(const Encoder *enc, const Place *place, PyObject *obj,
          uint32_t create, aero_buf *out)
{
    Step step;
    long type;
    int rc;

    if (step_read(enc, place, obj, &step) < 0) {
        return -1;
    }
    type = wire_type(enc, place, &step);
    if (type < 0 || type > UINT16_MAX) {
        step_fini(&step);
        return PyErr_Occurred()
                   ? -1
                   : place_fail(enc, place, EXC_ParamValueError,
                                "ctx: there is no step %ld", type);
    }
    aero_pack_int(out, type | (long)create);
    rc = pack_step_value(enc, place, &step, out);
    step_fini(&step);
    return rc;
}

int
ctx_pack(const Encoder *enc, const Place *place, PyObject *ctx,
         uint32_t create, aero_buf *out)
{
    Py_ssize_t count;

    if (!PyList_Check(ctx)) {
        return place_fail(enc, place, EXC_ParamTypeError,
                          "ctx must be a list");
    }
    count = PyList_GET_SIZE(ctx);
    if (count == 0) {
        return place_fail(enc, place, EXC_ParamValueError,
                          "cdt ctx list entries are empty");
    }
    if (count > AERO_NEST_MAX) {
        return place_fail(enc, place, EXC_ParamValueError,
                          "ctx is deeper than %d levels", AERO_NEST_MAX);
    }
    aero_pack_list(out, (uint32_t)count * 2);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *obj;
        int rc;

        if (PyList_GET_SIZE(ctx) != count) {
            return place_fail(enc, place, EXC_ClientError,
                              "ctx changed while it was encoded");
        }
        obj = Py_NewRef(PyList_GET_ITEM(ctx, i));
        rc = pack_step(enc, place, obj, i == count - 1 ? create : 0, out);
        Py_DECREF(obj);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

int
ctx_begins_with_list(const Encoder *enc, PyObject *ctx)
{
    PyObject *first =
        PyList_Check(ctx) && PyList_GET_SIZE(ctx) > 0
            ? PyObject_GetAttr(PyList_GET_ITEM(ctx, 0), enc->state->str_id)
            : NULL;
    long id;

    if (first == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    id = PyLong_AsLong(first);
    Py_DECREF(first);
    if (id == -1 && PyErr_Occurred()) {
        return -1;
    }
    return (id & AERO_STEP_LIST) != 0;
}

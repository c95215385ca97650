/* Arguments of operations: entries of a dict to elements of a payload.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op_args.h"

#include "aero/wire/cdt.h"

/* ---- reading entries ---- */

int
entry_fail(const OpIn *in, exc_id id, const char *what, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);

    if (text == NULL) {
        return -1;
    }
    return place_fail(in->enc, in->place, id, what, text);
}

int
entry_missing(const OpIn *in, const OpArg *arg)
{
    ModState *state = in->enc->state;
    PyObject *name = entry_name(in, arg->name);

    if (arg->kind == ARG_KEY || name == state->str_key) {
        return place_fail(in->enc, in->place, EXC_ParamValueError,
                          "Operation requires key parameter");
    }
    if (name == state->str_range) {
        return place_fail(in->enc, in->place, EXC_ParamValueError,
                          "Range should be given");
    }
    if (name == state->str_index) {
        return place_fail(in->enc, in->place, EXC_ParamValueError,
                          "Operation needs an index value");
    }
    if (name == state->str_val) {
        return place_fail(in->enc, in->place, EXC_ParamValueError,
                          "Value should be given");
    }
    return entry_fail(in, EXC_ParamValueError, "%s should be given", name);
}

/* The argument's entry, or -1 with an exception that says it is missing. */
PyObject *
entry_required(const OpIn *in, const OpArg *arg)
{
    PyObject *value = entry_of(in, arg);

    if (value == NULL) {
        entry_missing(in, arg);
    }
    return value;
}

int
entry_integer(const OpIn *in, PyObject *value, PyObject *name, int64_t *out)
{
    PyObject *number;
    int rc;

    if (PyLong_CheckExact(value)) {
        return value_as_int64(in->enc->state, value, PyUnicode_AsUTF8(name),
                              out);
    }
    if (!PyIndex_Check(value)) {
        return entry_fail(in, EXC_ParamTypeError, "%s must be an integer",
                          name);
    }
    number = PyNumber_Index(value);
    if (number == NULL) {
        return -1;
    }
    rc = value_as_int64(in->enc->state, number, PyUnicode_AsUTF8(name), out);
    Py_DECREF(number);
    return rc;
}

/* An entry of a policy dict as an integer; 0 when it is absent or None. */
int
entry_policy_number(const OpIn *in, PyObject *policy, PyObject *name,
                    PyObject *other, int64_t *out)
{
    PyObject *value = PyDict_GetItemWithError(policy, name);

    *out = 0;
    if (value == NULL && !PyErr_Occurred() && other != NULL) {
        value = PyDict_GetItemWithError(policy, other);
    }
    if (value == NULL || value == Py_None) {
        return PyErr_Occurred() ? -1 : 0;
    }
    return entry_integer(in, value, name, out);
}

int
entry_flag(const OpIn *in, PyObject *value, PyObject *name, bool *out)
{
    *out = value == Py_True;
    return value == NULL || PyBool_Check(value)
               ? 0
               : entry_fail(in, EXC_ParamTypeError, "%s must be a bool", name);
}

/* ---- arguments: each gives the number of elements it put, or -1 ---- */

int
op_put_integer(const OpIn *in, const OpArg *arg, bool optional)
{
    PyObject *value = entry_of(in, arg);
    int64_t number;

    if (optional && (value == NULL || value == Py_None)) {
        return 0;
    }
    if (value == NULL) {
        return entry_missing(in, arg);
    }
    if (entry_integer(in, value, entry_name(in, arg->name), &number) < 0) {
        return -1;
    }
    aero_pack_int(in->out, number);
    return 1;
}

static int
put_value(const OpIn *in, const OpArg *arg)
{
    PyObject *value = entry_required(in, arg);
    Encoder enc = *in->enc;

    if (value == NULL) {
        return -1;
    }
    enc.allow_special = true; /* the server refuses to store them */
    return value_pack(&enc, value, in->out) < 0 ? -1 : 1;
}

static int
put_list(const OpIn *in, const OpArg *arg)
{
    PyObject *value = entry_required(in, arg);
    Encoder enc = *in->enc;
    int rc;

    if (value == NULL) {
        return -1;
    }
    if (!PyList_Check(value) &&
        (in->enc->face->strict || !PyTuple_Check(value))) {
        return entry_fail(in, EXC_ParamTypeError, "%s must be a list",
                          entry_name(in, arg->name));
    }
    enc.allow_special = true;
    value = PyList_Check(value) ? Py_NewRef(value) : PySequence_List(value);
    rc = value == NULL ? -1 : value_pack(&enc, value, in->out);
    Py_XDECREF(value);
    return rc < 0 ? -1 : 1;
}

static int
put_items(const OpIn *in, const OpArg *arg)
{
    PyObject *value = entry_required(in, arg);

    if (value == NULL) {
        return -1;
    }
    if (!PyDict_Check(value)) {
        return entry_fail(in, EXC_ParamTypeError, "%s must be a dict",
                          entry_name(in, arg->name));
    }
    return value_pack_items(in->enc, value, in->out) < 0 ? -1 : 1;
}

static bool
is_return_type(int64_t number)
{
    int64_t kind = number & ~(int64_t)AERO_CDT_INVERTED;

    return kind >= AERO_RETURN_NONE && kind <= AERO_RETURN_ORDERED_MAP &&
           (kind <= AERO_RETURN_EXISTS || kind >= AERO_RETURN_UNORDERED_MAP);
}

static int
put_return(const OpIn *in, const OpArg *arg)
{
    ModState *state = in->enc->state;
    PyObject *value = entry_of(in, arg);
    PyObject *inverted = in->entries->at[ENTRY_inverted];
    int64_t number;
    int truth;

    if (value == NULL) {
        return place_fail(in->enc, in->place, EXC_ParamValueError,
                          "Return type should be given");
    }
    if (!PyLong_Check(value)) {
        return place_fail(in->enc, in->place, EXC_ParamTypeError,
                          "Return type must be an integer");
    }
    if (value_as_int64(state, value, "return_type", &number) < 0) {
        return -1;
    }
    if (!in->enc->face->strict && !is_return_type(number)) {
        return place_fail(in->enc, in->place, EXC_ParamValueError,
                          "there is no return_type %lld", (long long)number);
    }
    if (inverted != NULL) {
        truth = PyObject_IsTrue(inverted);
        if (truth < 0) {
            return -1;
        }
        number |= truth ? AERO_CDT_INVERTED : 0;
    }
    aero_pack_int(in->out, number);
    return 1;
}

static int
put_begin(const OpIn *in, const OpArg *arg)
{
    PyObject *value = entry_of(in, arg);
    Encoder enc = *in->enc;

    if (value == NULL && in->enc->face->strict &&
        entry_name(in, arg->name) == in->enc->state->str_key) {
        return entry_missing(in, arg);
    }
    enc.allow_special = true;
    if (value == NULL) {
        aero_pack_nil(in->out);
        return 1;
    }
    return value_pack(&enc, value, in->out) < 0 ? -1 : 1;
}

static int
put_end(const OpIn *in, const OpArg *arg)
{
    PyObject *value = entry_of(in, arg);
    Encoder enc = *in->enc;

    if (arg->kind == ARG_END_NIL && value == NULL) {
        return entry_missing(in, arg);
    }
    if (arg->kind == ARG_END && (value == NULL || value == Py_None)) {
        return 0;
    }
    enc.allow_special = true;
    return value_pack(&enc, value, in->out) < 0 ? -1 : 1;
}

static int
read_persist(const OpIn *in, PyObject *policy, bool *persist)
{
    PyObject *name = in->enc->state->str_persist_index;
    PyObject *value = PyDict_GetItemWithError(policy, name);

    return value == NULL && PyErr_Occurred()
               ? -1
               : entry_flag(in, value, name, persist);
}

int
op_policy_read(const Encoder *enc, const Place *place, PyObject *policy,
               bool map, int64_t *order, int64_t *flags)
{
    ModState *state = enc->state;
    OpIn in = {.enc = enc, .place = place};
    bool persist = false;

    if (!PyDict_Check(policy)) {
        return entry_fail(&in, EXC_ParamTypeError, "%s must be a dictionary",
                          map ? state->str_map_policy
                              : state->str_list_policy);
    }
    if (entry_policy_number(&in, policy,
                            map ? state->str_map_order : state->str_list_order,
                            state->str_order, order) < 0 ||
        entry_policy_number(
            &in, policy,
            map ? state->str_map_write_flags : state->str_write_flags,
            map ? state->str_write_mode : state->str_flags, flags) < 0 ||
        (map && read_persist(&in, policy, &persist) < 0)) {
        return -1;
    }
    *order |= persist ? AERO_CDT_PERSIST_INDEX : 0;
    return 0;
}

static int
put_list_policy(const OpIn *in, const OpArg *arg)
{
    PyObject *policy = entry_of(in, arg);
    int64_t order;
    int64_t flags;

    if (policy == NULL || policy == Py_None) {
        return 0;
    }
    if (op_policy_read(in->enc, in->place, policy, false, &order, &flags) <
        0) {
        return -1;
    }
    if (arg->kind == ARG_LIST_POLICY) {
        aero_pack_int(in->out, order);
    }
    aero_pack_int(in->out, flags);
    return arg->kind == ARG_LIST_POLICY ? 2 : 1;
}

static int
put_map_policy(const OpIn *in, const OpArg *arg)
{
    PyObject *policy = entry_of(in, arg);
    int64_t order = 0;
    int64_t flags = 0;

    if (policy == NULL || policy == Py_None) {
        if (arg->kind == ARG_MAP_TYPE &&
            (policy == NULL || !in->enc->face->strict)) {
            return entry_missing(in, arg);
        }
    }
    else if (op_policy_read(in->enc, in->place, policy, true, &order, &flags) <
             0) {
        return -1;
    }
    aero_pack_int(in->out, order);
    if (arg->kind != ARG_MAP_POLICY || flags == 0) {
        return 1;
    }
    aero_pack_int(in->out, flags);
    return 2;
}

/* Flags that stand alone and may be left out: 0 then. */
int
op_put_number_or(const OpIn *in, const OpArg *arg, int64_t number)
{
    PyObject *value = entry_of(in, arg);

    if (value != NULL && value != Py_None &&
        entry_integer(in, value, entry_name(in, arg->name), &number) < 0) {
        return -1;
    }
    aero_pack_int(in->out, number);
    return 1;
}

/* The order of a new container; with a context its last step says it too
 * (`ctx_last_of`). */
static int
put_create(const OpIn *in, const OpArg *arg)
{
    ModState *state = in->enc->state;
    PyObject *const *at = in->entries->at;
    PyObject *value = entry_required(in, arg);
    int64_t order;
    bool persist;
    bool pad;

    if (value == NULL ||
        entry_integer(in, value, entry_name(in, arg->name), &order) < 0 ||
        entry_flag(in, at[ENTRY_persist_index], state->str_persist_index,
                   &persist) < 0 ||
        entry_flag(in, at[ENTRY_pad], state->str_pad, &pad) < 0) {
        return -1;
    }
    if (persist && in->ctx == NULL) {
        order |= AERO_CDT_PERSIST_INDEX;
    }
    aero_pack_int(in->out, order);
    return 1;
}

int
op_arg_put(OpIn *in, const OpArg *arg)
{
    switch ((ArgKind)arg->kind) {
    case ARG_INT:
        return op_put_integer(in, arg, false);
    case ARG_COUNT:
        return op_put_integer(in, arg, true);
    case ARG_VALUE:
    case ARG_LOOKUP:
    case ARG_KEY:
        return put_value(in, arg);
    case ARG_LIST:
        return put_list(in, arg);
    case ARG_ITEMS:
        return put_items(in, arg);
    case ARG_RETURN:
        return put_return(in, arg);
    case ARG_BEGIN:
        return put_begin(in, arg);
    case ARG_END:
    case ARG_END_NIL:
        return put_end(in, arg);
    case ARG_LIST_POLICY:
    case ARG_LIST_FLAGS:
        return put_list_policy(in, arg);
    case ARG_MAP_POLICY:
    case ARG_MAP_ORDER:
    case ARG_MAP_TYPE:
        return put_map_policy(in, arg);
    case ARG_ORDER:
    case ARG_SORT:
        return op_put_number_or(in, arg, 0);
    case ARG_CREATE_LIST:
    case ARG_CREATE_MAP:
        return put_create(in, arg);
    default:
        return op_arg_put_more(in, arg);
    }
}

/* Arguments of operations on bits, sketches and strings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op_args.h"

#include "aero/wire/bits.h"
#include "aero/wire/hll.h"

/* Bytes.  The helpers' value_byte_size says nothing that they do not. */
static int
put_bytes(const OpIn *in, const OpArg *arg)
{
    PyObject *value = entry_required(in, arg);
    aero_span bytes;

    if (value == NULL) {
        return -1;
    }
    if (PyBytes_Check(value)) {
        bytes = aero_span_of(PyBytes_AS_STRING(value),
                             (size_t)PyBytes_GET_SIZE(value));
    }
    else if (PyByteArray_Check(value)) {
        bytes = aero_span_of(PyByteArray_AS_STRING(value),
                             (size_t)PyByteArray_GET_SIZE(value));
    }
    else {
        return entry_fail(in, EXC_ParamTypeError,
                          "%s must be bytes or a bytearray",
                          entry_name(in, arg->name));
    }
    aero_pack_raw(in->out, AERO_PARTICLE_BLOB, bytes);
    return 1;
}

/* The strict face takes nothing but bools. */
static int
take_truth(const OpIn *in, PyObject *value, uint8_t name)
{
    if (in->enc->face->strict && !PyBool_Check(value)) {
        return entry_fail(in, EXC_ParamTypeError,
                          "key %s does not point to a boolean in the dict",
                          entry_name(in, name));
    }
    return PyObject_IsTrue(value);
}

static int
put_truth(const OpIn *in, const OpArg *arg)
{
    PyObject *value = entry_required(in, arg);
    int truth;

    if (value == NULL) {
        return -1;
    }
    truth = take_truth(in, value, arg->name);
    if (truth < 0) {
        return -1;
    }
    aero_pack_bool(in->out, truth);
    return 1;
}

/* 1 behind the size when it is signed, else nothing. */
static int
put_signed(const OpIn *in, const OpArg *arg)
{
    PyObject *value = entry_of(in, arg);
    int truth = value == NULL ? 0 : take_truth(in, value, arg->name);

    if (truth < 0) {
        return -1;
    }
    if (truth) {
        aero_pack_int(in->out, AERO_BIT_SIGNED);
    }
    return truth;
}

static int
put_bit_action(const OpIn *in, const OpArg *arg)
{
    const OpArg either = {ENTRY_sign, ENTRY_signed, ARG_SIGNED};
    PyObject *action = entry_of(in, arg);
    PyObject *sign = entry_of(in, &either);
    int64_t number = 0;
    int truth = sign == NULL ? 0 : take_truth(in, sign, ENTRY_sign);

    if (truth < 0) {
        return -1;
    }
    if (action != NULL &&
        entry_integer(in, action, entry_name(in, arg->name), &number) < 0) {
        return -1;
    }
    aero_pack_int(in->out, number | (truth ? AERO_BIT_SIGNED : 0));
    return 1;
}

/* Write flags: a number, or a dict with the entry `inner`.  The strict face
 * takes numbers for strings alone. */
static int
put_flags(const OpIn *in, const OpArg *arg, PyObject *inner, PyObject *other)
{
    PyObject *policy = entry_of(in, arg);
    int64_t flags = 0;

    if (policy == NULL || policy == Py_None) {
        ; /* none */
    }
    else if (PyDict_Check(policy)) {
        if (entry_policy_number(in, policy, inner, other, &flags) < 0) {
            return -1;
        }
    }
    else if (!PyLong_Check(policy) ||
             (in->enc->face->strict && arg->kind != ARG_STR_FLAGS &&
              arg->kind != ARG_STR_FLAGS_IF)) {
        return entry_fail(in, EXC_ParamTypeError, "%s must be a dictionary",
                          entry_name(in, arg->name));
    }
    else if (entry_integer(in, policy, entry_name(in, arg->name), &flags) <
             0) {
        return -1;
    }
    aero_pack_int(in->out, flags);
    return 1;
}

/* Write flags of strings: a StringPolicy, a dict or a number. */
static int
put_string_flags(const OpIn *in, const OpArg *arg)
{
    ModState *state = in->enc->state;
    PyObject *policy = entry_of(in, arg);
    PyObject *flags;
    int64_t number;
    int rc;

    if (policy == NULL || policy == Py_None || PyDict_Check(policy) ||
        PyLong_Check(policy)) {
        return put_flags(in, arg, state->str_write_flags, state->str_flags);
    }
    flags = PyObject_GetAttr(policy, state->str_write_flags);
    if (flags == NULL) {
        PyErr_Clear();
        return entry_fail(in, EXC_ParamTypeError, "%s must be a StringPolicy",
                          entry_name(in, arg->name));
    }
    rc = entry_integer(in, flags, state->str_write_flags, &number);
    Py_DECREF(flags);
    if (rc < 0) {
        return -1;
    }
    aero_pack_int(in->out, number);
    return 1;
}

static int
put_b64_range(const OpIn *in, const OpArg *arg)
{
    ModState *state = in->enc->state;
    PyObject *size = in->entries->at[ENTRY_byte_size];
    int64_t number;
    bool invert;

    if (op_put_number_or(in, arg, 0) < 0 ||
        entry_flag(in, in->entries->at[ENTRY_invert_size],
                   state->str_invert_size, &invert) < 0) {
        return -1;
    }
    if (size == NULL || size == Py_None) {
        return 1;
    }
    if (entry_integer(in, size, state->str_byte_size, &number) < 0) {
        return -1;
    }
    aero_pack_int(in->out, number);
    if (invert) {
        aero_pack_int(in->out, 1);
    }
    return 2 + invert;
}

/* ---- strings ---- */

static int
pack_text(const OpIn *in, PyObject *value, PyObject *name)
{
    aero_span text;

    if (!PyUnicode_Check(value)) {
        return entry_fail(in, EXC_ParamTypeError, "%s must be a str", name);
    }
    if (value_as_text(in->enc->state, value, &text) < 0) {
        return -1;
    }
    aero_pack_raw(in->out, AERO_PARTICLE_STRING, text);
    return 1;
}

static int
put_text(const OpIn *in, const OpArg *arg, bool optional)
{
    PyObject *value = entry_of(in, arg);

    if (optional && (value == NULL || value == Py_None)) {
        return 0;
    }
    if (value == NULL) {
        return entry_missing(in, arg);
    }
    return pack_text(in, value, entry_name(in, arg->name));
}

/* A list inside an expression would be taken for an operation of it. */
static void
quote(const OpIn *in)
{
    if (in->quoted) {
        aero_pack_list(in->out, 2);
        aero_pack_int(in->out, 126);
    }
}

static int
put_texts(const OpIn *in, const OpArg *arg)
{
    PyObject *list = entry_required(in, arg);

    if (list == NULL) {
        return -1;
    }
    if (!PyList_Check(list) && !PyTuple_Check(list)) {
        return entry_fail(in, EXC_ParamTypeError, "%s must be a list of str",
                          entry_name(in, arg->name));
    }
    quote(in);
    aero_pack_list(in->out, (uint32_t)PySequence_Fast_GET_SIZE(list));
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list); i++) {
        if (pack_text(in, PySequence_Fast_GET_ITEM(list, i),
                      entry_name(in, arg->name)) < 0) {
            return -1;
        }
    }
    return 1;
}

static int
put_pair(const OpIn *in, const OpArg *arg)
{
    PyObject *first = in->entries->at[arg->name];
    PyObject *second = in->entries->at[arg->other];

    if (first == NULL || second == NULL) {
        return entry_fail(
            in, EXC_ParamValueError, "%s should be given",
            entry_name(in, first == NULL ? arg->name : arg->other));
    }
    quote(in);
    aero_pack_list(in->out, 2);
    if (pack_text(in, first, entry_name(in, arg->name)) < 0) {
        return -1;
    }
    return pack_text(in, second, entry_name(in, arg->other));
}

static int
put_string_arg(OpIn *in, const OpArg *arg)
{
    int rc;

    switch ((ArgKind)arg->kind) {
    case ARG_TEXT:
        return put_text(in, arg, false);
    case ARG_OPT_TEXT:
        return put_text(in, arg, true);
    case ARG_OPT_INT:
        rc = op_put_integer(in, arg, true);
        in->pair_ends = rc > 0;
        return rc;
    case ARG_TEXTS:
        return put_texts(in, arg);
    case ARG_PAIR:
        return put_pair(in, arg);
    case ARG_STR_FLAGS_IF:
        return in->pair_ends ? put_string_flags(in, arg) : 0;
    default: /* ARG_STR_FLAGS */
        return put_string_flags(in, arg);
    }
}

int
op_arg_put_more(OpIn *in, const OpArg *arg)
{
    ModState *state = in->enc->state;

    switch ((ArgKind)arg->kind) {
    case ARG_BYTES:
        return put_bytes(in, arg);
    case ARG_TRUTH:
        return put_truth(in, arg);
    case ARG_BIT_FLAGS:
        return put_flags(in, arg, state->str_bit_write_flags,
                         state->str_flags);
    case ARG_BIT_ACTION:
        return put_bit_action(in, arg);
    case ARG_SIGNED:
        return put_signed(in, arg);
    case ARG_RESIZE:
        return op_put_number_or(in, arg, 0);
    case ARG_B64_RANGE:
        return put_b64_range(in, arg);
    case ARG_BITS_OR_NONE:
        return op_put_number_or(in, arg, AERO_HLL_NOT_GIVEN);
    case ARG_HLL_FLAGS:
        return put_flags(in, arg, state->str_flags, NULL);
    default:
        return put_string_arg(in, arg);
    }
}

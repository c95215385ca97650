/* Operations: dicts with a code, a bin and what the code needs, to the
 * operations of a message.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

/* The plain operations, by the numbers of each face. */
typedef struct PlainOp {
    uint8_t codes[2]; /* main, strict */
    uint8_t wire;     /* aero_op_type */
    bool needs_value;
    bool has_bin;
} PlainOp;

static const PlainOp plain_ops[] = {
    {{1, 0}, AERO_OP_READ, false, true},
    {{2, 1}, AERO_OP_WRITE, true, true},
    {{5, 6}, AERO_OP_INCR, true, true},
    {{9, 9}, AERO_OP_APPEND, true, true},
    {{10, 10}, AERO_OP_PREPEND, true, true},
    {{11, 11}, AERO_OP_TOUCH, false, false},
    {{12, 14}, AERO_OP_DELETE_ALL, false, false},
};

static const PlainOp *
find_plain(const Face *face, long code)
{
    for (size_t i = 0; i < sizeof plain_ops / sizeof plain_ops[0]; i++) {
        if (plain_ops[i].codes[face->index] == code) {
            return &plain_ops[i];
        }
    }
    return NULL;
}

/* What an exception says about the place of an operation in its list. */
static int
at_place(Call *call, Py_ssize_t place, exc_id id, const char *what)
{
    if (call->face->strict) {
        raise_error(call->state, id, "%s", what);
    }
    else {
        raise_error(call->state, id, "operation %zd: %s", place, what);
    }
    return -1;
}

/* ---- checks of values ---- */

static int
check_value(Call *call, Py_ssize_t place, const PlainOp *op, PyObject *value)
{
    bool text = PyUnicode_Check(value) || PyBytes_Check(value) ||
                PyByteArray_Check(value);
    bool nil =
        value == Py_None || PyObject_TypeCheck(value, call->state->null);
    PyObject *plain;
    bool number;

    if (!call->client->strict_types || nil) {
        return 0;
    }
    if (op->wire == AERO_OP_APPEND || op->wire == AERO_OP_PREPEND) {
        return text ? 0
                    : at_place(call, place, EXC_ParamBinTypeError,
                               "Cannot concatenate 'str' and 'non-str' "
                               "objects");
    }
    if (op->wire != AERO_OP_INCR) {
        return 0;
    }
    plain = value_unwrap(call->state, value);
    if (plain == NULL) {
        return -1;
    }
    number = (PyLong_Check(plain) || PyFloat_Check(plain)) &&
             (call->face->strict || !PyBool_Check(plain));
    Py_DECREF(plain);
    return number ? 0
                  : at_place(call, place, EXC_ParamTypeError,
                             "Unsupported operand type(s) for +: only 'int' "
                             "allowed");
}

/* ---- one operation ---- */

/* A dict of an operation has only entries that are known: a slip of the pen
 * shall not change what happens. */
static int
check_entries(Call *call, Py_ssize_t place, PyObject *dict)
{
    ModState *state = call->state;
    Py_ssize_t pos = 0;
    PyObject *name;
    PyObject *value;

    while (PyDict_Next(dict, &pos, &name, &value)) {
        if (name != state->str_op && name != state->str_bin &&
            name != state->str_val &&
            !(PyUnicode_Check(name) &&
              (PyUnicode_Compare(name, state->str_op) == 0 ||
               PyUnicode_Compare(name, state->str_bin) == 0 ||
               PyUnicode_Compare(name, state->str_val) == 0))) {
            return at_place(call, place, EXC_ParamValueError,
                            "Operation can contain only op, bin, index, key, "
                            "val, return_type and map_policy keys");
        }
    }
    return 0;
}

static int
take_op_bin(Call *call, Py_ssize_t place, PyObject *dict, aero_span *name)
{
    PyObject *bin = PyDict_GetItemWithError(dict, call->state->str_bin);

    if (bin == NULL) {
        return PyErr_Occurred() ? -1
                                : at_place(call, place, EXC_ParamValueError,
                                           "Bin is not given");
    }
    if (PyByteArray_Check(bin)) {
        *name = aero_span_of(PyByteArray_AS_STRING(bin),
                             (size_t)PyByteArray_GET_SIZE(bin));
        return 0;
    }
    return build_take_bin(call, bin, "Bin name should be of type string",
                          name);
}

/* READ without a bin reads them all. */
static int
put_read_all(Call *call, OpsIn *ops)
{
    ops->reads = true;
    ops->read_all = true;
    ops->count++;
    aero_op_put(&call->cmd.out, AERO_OP_READ, AERO_PARTICLE_NIL,
                aero_span_of(NULL, 0), aero_span_of(NULL, 0));
    return 0;
}

static int
take_touch_ttl(Call *call, Py_ssize_t place, PyObject *val, OpsIn *ops)
{
    if (val == NULL || val == Py_None) {
        return 0;
    }
    if (!PyLong_Check(val)) {
        return at_place(call, place, EXC_ParamTypeError,
                        "Unsupported operand type(s) for touch : only int or "
                        "long allowed");
    }
    if (ttl_take(call->state, call->face, val, "val", &ops->ttl) < 0) {
        return -1;
    }
    if (ops->ttl == AERO_TTL_OF_CLIENT) {
        ops->ttl = call->client->defaults[AERO_POLICY_OPERATE].ttl;
    }
    ops->has_ttl = true;
    return 0;
}

static int
put_plain(Call *call, Py_ssize_t place, PyObject *dict, const PlainOp *op,
          OpsIn *ops)
{
    aero_buf *out = &call->cmd.out;
    PyObject *val = PyDict_GetItemWithError(dict, call->state->str_val);
    aero_span name = {NULL, 0};
    uint8_t particle = AERO_PARTICLE_NIL;
    size_t mark;

    if ((val == NULL && PyErr_Occurred()) ||
        check_entries(call, place, dict) < 0) {
        return -1;
    }
    if (op->wire == AERO_OP_READ && !call->face->strict &&
        PyDict_GetItemWithError(dict, call->state->str_bin) == NULL) {
        return put_read_all(call, ops);
    }
    if (op->has_bin && take_op_bin(call, place, dict, &name) < 0) {
        return -1;
    }
    if (op->needs_value && val == NULL) {
        return at_place(call, place, EXC_ParamValueError,
                        "Value should be given");
    }
    if (op->wire == AERO_OP_TOUCH &&
        take_touch_ttl(call, place, val, ops) < 0) {
        return -1;
    }
    mark = aero_op_open(out, (aero_op_type)op->wire, AERO_PARTICLE_NIL, name);
    if (op->needs_value && (check_value(call, place, op, val) < 0 ||
                            value_put(&ops->enc, val, out, &particle) < 0)) {
        return -1;
    }
    aero_op_patch_particle(out, mark, particle);
    aero_op_close(out, mark);
    ops->reads |= op->wire == AERO_OP_READ;
    ops->writes |= op->wire != AERO_OP_READ;
    ops->count++;
    return 0;
}

static int
put_op(Call *call, Py_ssize_t place, PyObject *dict, OpsIn *ops)
{
    PyObject *code_obj = PyDict_GetItemWithError(dict, call->state->str_op);
    const PlainOp *plain;
    long code;

    if (code_obj == NULL) {
        return PyErr_Occurred()
                   ? -1
                   : at_place(call, place, EXC_ParamValueError,
                              "Operation must contain an \"op\" entry");
    }
    if (!PyLong_Check(code_obj)) {
        return at_place(call, place, EXC_ParamTypeError,
                        "Operation must be an integer");
    }
    code = PyLong_AsLong(code_obj);
    if (code == -1 && PyErr_Occurred()) {
        PyErr_Clear();
    }
    plain = find_plain(call->face, code);
    if (plain != NULL) {
        return put_plain(call, place, dict, plain, ops);
    }
    return at_place(call, place, EXC_ParamValueError,
                    call->face->strict ? "Invalid operation given"
                                       : "Unsupported operation code");
}

int
ops_put(Call *call, PyObject *list, OpsIn *ops)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *dict = PyList_GET_ITEM(list, i);
        int rc;

        if (!PyDict_Check(dict) && ops->skip_odd) {
            continue;
        }
        if (!PyDict_Check(dict)) {
            return at_place(call, i, EXC_ParamTypeError,
                            "Operation must be a dict");
        }
        if (ops->count == AERO_OPS_MAX) {
            return at_place(call, i, EXC_ParamValueError,
                            "there are too many");
        }
        Py_INCREF(dict);
        rc = put_op(call, i, dict, ops);
        Py_DECREF(dict);
        if (rc < 0) {
            return -1;
        }
    }
    if (ops->count == 0) {
        raise_error(call->state, EXC_ParamServerError,
                    "No operations defined");
        return -1;
    }
    return 0;
}

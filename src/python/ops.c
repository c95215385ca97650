/* Operations: dicts with a code, a bin and what the code needs, to the
 * operations of a message.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

enum {
    OP_TO_STRING = 1239
};

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
    uint8_t index = face->index;

    if (code >= AERO_OP_SHIFT) {
        code -= AERO_OP_SHIFT;
        index = 1;
    }
    for (size_t i = 0; i < sizeof plain_ops / sizeof plain_ops[0]; i++) {
        if (plain_ops[i].codes[index] == code) {
            return &plain_ops[i];
        }
    }
    return NULL;
}

/* ---- checks of values ---- */

static int
check_value(const OpsIn *ops, const PlainOp *op, PyObject *value)
{
    bool text = PyUnicode_Check(value) || PyBytes_Check(value) ||
                PyByteArray_Check(value);
    bool nil =
        value == Py_None || PyObject_TypeCheck(value, ops->enc.state->null);
    PyObject *plain;
    bool number;

    if (!ops->strict_types || nil) {
        return 0;
    }
    if (op->wire == AERO_OP_APPEND || op->wire == AERO_OP_PREPEND) {
        return text ? 0
                    : place_fail(&ops->enc, &ops->place, EXC_ParamBinTypeError,
                                 "Cannot concatenate 'str' and 'non-str' "
                                 "objects");
    }
    if (op->wire != AERO_OP_INCR) {
        return 0;
    }
    plain = value_unwrap(ops->enc.state, value);
    if (plain == NULL) {
        return -1;
    }
    number = (PyLong_Check(plain) || PyFloat_Check(plain)) &&
             (ops->enc.face->strict || !PyBool_Check(plain));
    Py_DECREF(plain);
    return number ? 0
                  : place_fail(&ops->enc, &ops->place, EXC_ParamTypeError,
                               "Unsupported operand type(s) for +: only 'int' "
                               "allowed");
}

/* ---- one operation ---- */

/* A dict of an operation has only entries that some operation knows: a slip of
 * the pen shall not change what happens. */
static int
check_entries(const OpsIn *ops, const Entries *entries)
{
    if (entries->odd == NULL) {
        return 0;
    }
    place_fail(&ops->enc, &ops->place, EXC_ParamValueError,
               "Operation can contain only op, bin, index, key, val, "
               "return_type and map_policy keys");
    errors_place(ops->enc.state, "%R", entries->odd);
    return -1;
}

/* Note which way an operation goes. */
static void
count_op(OpsIn *ops, uint8_t type)
{
    bool writes = aero_op_is_write(type) == 1;

    ops->reads |= !writes;
    ops->writes |= writes;
    ops->count++;
}

static int
take_op_bin(const OpsIn *ops, const Entries *entries, aero_span *name)
{
    PyObject *bin = entries->at[ENTRY_bin];

    if (bin == NULL) {
        return place_fail(&ops->enc, &ops->place, EXC_ParamValueError,
                          "Bin is not given");
    }
    if (PyByteArray_Check(bin)) {
        *name = aero_span_of(PyByteArray_AS_STRING(bin),
                             (size_t)PyByteArray_GET_SIZE(bin));
        return build_check_bin(ops->enc.state, ops->enc.face,
                               ops->strict_types, bin, *name);
    }
    return build_take_bin(ops->enc.state, ops->enc.face, ops->strict_types,
                          bin, "Bin name should be of type string", name) < 0
               ? place_add(&ops->enc, &ops->place, ops->enc.state->str_bin)
               : 0;
}

/* READ without a bin reads them all. */
static int
put_read_all(OpsIn *ops)
{
    ops->reads = true;
    ops->read_all = true;
    ops->count++;
    aero_op_put(ops->out, AERO_OP_READ, AERO_PARTICLE_NIL,
                aero_span_of(NULL, 0), aero_span_of(NULL, 0));
    return 0;
}

static int
take_touch_ttl(PyObject *val, OpsIn *ops)
{
    if (val == NULL || val == Py_None) {
        return 0;
    }
    if (!PyLong_Check(val)) {
        return place_fail(
            &ops->enc, &ops->place, EXC_ParamTypeError,
            "Unsupported operand type(s) for touch : only int or "
            "long allowed");
    }
    if (ttl_take(ops->enc.state, ops->enc.face, val, "val", &ops->ttl) < 0) {
        return -1;
    }
    if (ops->ttl == AERO_TTL_OF_CLIENT) {
        ops->ttl = ops->default_ttl;
    }
    ops->has_ttl = true;
    return 0;
}

static int
put_plain(const Entries *entries, const PlainOp *op, OpsIn *ops)
{
    aero_buf *out = ops->out;
    PyObject *val = entries->at[ENTRY_val];
    aero_span name = {NULL, 0};
    uint8_t particle = AERO_PARTICLE_NIL;
    size_t mark;

    if (check_entries(ops, entries) < 0) {
        return -1;
    }
    if (op->wire == AERO_OP_READ && !ops->enc.face->strict &&
        entries->at[ENTRY_bin] == NULL) {
        return put_read_all(ops);
    }
    if (op->has_bin && take_op_bin(ops, entries, &name) < 0) {
        return -1;
    }
    if (op->needs_value && val == NULL) {
        return place_fail(&ops->enc, &ops->place, EXC_ParamValueError,
                          "Value should be given");
    }
    if (op->wire == AERO_OP_TOUCH && take_touch_ttl(val, ops) < 0) {
        return -1;
    }
    mark = aero_op_open(out, (aero_op_type)op->wire, AERO_PARTICLE_NIL, name);
    if (op->needs_value && (check_value(ops, op, val) < 0 ||
                            value_put(&ops->enc, val, out, &particle) < 0)) {
        return place_add(&ops->enc, &ops->place, ops->enc.state->str_val);
    }
    aero_op_patch_particle(out, mark, particle);
    aero_op_close(out, mark);
    count_op(ops, op->wire);
    return 0;
}

/* The helpers' to_string, which has no payload. */
static bool
is_to_string(const Face *face, long code)
{
    return code == OP_TO_STRING + AERO_OP_SHIFT ||
           (code == OP_TO_STRING && face->index == 1);
}

/* Lists, maps, bits, sketches, strings, paths and expressions: each of them
 * answers, so that every operation's answer can be told apart. */
static int
put_data(const Entries *entries, long code, OpsIn *ops)
{
    const DataOp *data = data_op_find(ops->enc.face, code);
    SpecialOp special = SPECIAL_NONE;
    aero_span name = {NULL, 0};
    uint8_t type;

    ops->official |= code >= AERO_OP_SHIFT;
    if (data == NULL) {
        special = special_op_find(ops->enc.face, code);
        if (special == SPECIAL_NONE && !is_to_string(ops->enc.face, code)) {
            return place_fail(&ops->enc, &ops->place, EXC_ParamValueError,
                              ops->enc.face->strict
                                  ? "Invalid operation given"
                                  : "Unsupported operation code %ld",
                              code);
        }
    }
    if (check_entries(ops, entries) < 0 ||
        take_op_bin(ops, entries, &name) < 0) {
        return -1;
    }
    if (data != NULL) {
        if (data_op_put(&ops->enc, &ops->place, data, entries, name, ops->out,
                        &type) < 0) {
            return -1;
        }
        ops->respond_all |= data_op_answers(data);
    }
    else if (special != SPECIAL_NONE) {
        if (special_op_put(&ops->enc, &ops->place, special, entries, name,
                           ops->out, &type) < 0) {
            return -1;
        }
        ops->respond_all = true;
    }
    else {
        type = AERO_OP_TO_STRING;
        aero_op_put(ops->out, AERO_OP_TO_STRING, AERO_PARTICLE_NIL, name,
                    aero_span_of(NULL, 0));
    }
    count_op(ops, type);
    return 0;
}

static int
put_op(const Entries *entries, OpsIn *ops)
{
    PyObject *code_obj = entries->at[ENTRY_op];
    const PlainOp *plain;
    long code;

    if (code_obj == NULL) {
        return place_fail(&ops->enc, &ops->place, EXC_ParamValueError,
                          "Operation must contain an \"op\" entry");
    }
    if (!PyLong_Check(code_obj)) {
        return place_fail(&ops->enc, &ops->place, EXC_ParamTypeError,
                          "Operation must be an integer");
    }
    code = PyLong_AsLong(code_obj);
    if (code == -1 && PyErr_Occurred()) {
        PyErr_Clear();
    }
    plain = find_plain(ops->enc.face, code);
    return plain != NULL ? put_plain(entries, plain, ops)
                         : put_data(entries, code, ops);
}

int
ops_put(PyObject *list, OpsIn *ops)
{
    Entries entries = {0};

    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *dict = PyList_GET_ITEM(list, i);
        int rc;

        ops->place = (Place){i, NULL};
        if (!PyDict_Check(dict) && ops->skip_odd) {
            continue;
        }
        if (!PyDict_Check(dict)) {
            return place_fail(&ops->enc, &ops->place, EXC_ParamTypeError,
                              "Operation must be a dict");
        }
        if (ops->count == AERO_OPS_MAX) {
            return place_fail(&ops->enc, &ops->place, EXC_ParamValueError,
                              "there are too many");
        }
        entries_take(ops->enc.state, dict, &entries);
        rc = put_op(&entries, ops);
        entries_let_go(&entries);
        if (rc < 0) {
            return -1;
        }
    }
    if (ops->count == 0) {
        raise_error(ops->enc.state, EXC_ParamServerError,
                    "No operations defined");
        return -1;
    }
    return 0;
}

OpsIn
ops_begin(const Call *call, aero_buf *out)
{
    return (OpsIn){
        .enc = call_encoder(call, false),
        .out = out,
        .strict_types = call->client->strict_types,
        .default_ttl = call->client->defaults[AERO_POLICY_OPERATE].ttl,
    };
}

PyObject *
ops_bytes(ModState *state, const Face *face, PyObject *list)
{
    aero_buf out = AERO_BUF_INIT;
    OpsIn ops = {.enc = {.state = state, .face = face},
                 .out = &out,
                 .strict_types = true};
    PyObject *bytes = NULL;

    if (!PyList_Check(list)) {
        return raise_param_type(state, "Operations should be of type list");
    }
    if (ops_put(list, &ops) == 0) {
        bytes = out.failed ? PyErr_NoMemory()
                           : PyBytes_FromStringAndSize((const char *)out.ptr,
                                                       (Py_ssize_t)out.len);
    }
    aero_buf_fini(&out);
    return bytes;
}

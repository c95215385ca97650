/* Builders of the methods that write one record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build_single.h"

/* ---- arguments ---- */

int
build_take_bin(ModState *state, const Face *face, bool strict_types,
               PyObject *obj, const char *what, aero_span *name)
{
    if (!PyUnicode_Check(obj)) {
        raise_param_type(state, "%s", what);
        return -1;
    }
    if (value_as_text(state, obj, name) < 0) {
        return -1;
    }
    return build_check_bin(state, face, strict_types, obj, *name);
}

int
build_check_bin(ModState *state, const Face *face, bool strict_types,
                PyObject *obj, aero_span name)
{
    if (name.len > AERO_BIN_NAME_MAX && strict_types) {
        raise_argument(state, EXC_BinNameValueError,
                       "A bin name should not exceed 15 characters limit",
                       "Bin name '%S' exceeds the 15-byte limit", obj);
        return -1;
    }
    if (name.len == 0 && !face->strict) {
        raise_error(state, EXC_BinNameValueError,
                    "Bin name must not be empty");
        return -1;
    }
    return 0;
}

int
build_take_written_bin(ModState *state, const Face *face, bool strict_types,
                       PyObject *obj, const char *what, aero_span *name)
{
    if (face->strict && !PyUnicode_Check(obj)) {
        raise_error(state, EXC_ClientError, "%s", what);
        return -1;
    }
    return build_take_bin(state, face, strict_types, obj, what, name);
}

/* The official client takes a bytearray as well, where one bin is named. */
static int
take_one_bin(Call *call, PyObject *obj, aero_span *name)
{
    bool strict_types = call->client->strict_types;

    if (call->face->strict && PyByteArray_Check(obj)) {
        *name = aero_span_of(PyByteArray_AS_STRING(obj),
                             (size_t)PyByteArray_GET_SIZE(obj));
        return build_check_bin(call->state, call->face, strict_types, obj,
                               *name);
    }
    return build_take_bin(call->state, call->face, strict_types, obj,
                          "Bin name should be of type string", name);
}

static uint32_t
choose_ttl(const Call *call, const MetaIn *meta, aero_policy_kind kind)
{
    const aero_policy *policy = &call->policy;
    uint32_t ttl = policy->ttl;

    /* Here the policy outranks meta; on the strict face it is the other way,
     * unless meta leaves it to the client. */
    if (meta->has_ttl &&
        (call->face->strict ? meta->ttl != AERO_TTL_OF_CLIENT
                            : !aero_policy_has(policy, AERO_POLICY_BIT_ttl))) {
        ttl = meta->ttl;
    }
    if (ttl == AERO_TTL_OF_CLIENT) {
        ttl = call->client->defaults[kind].ttl;
    }
    return ttl == AERO_TTL_OF_CLIENT ? AERO_TTL_DEFAULT : ttl;
}

int
build_take_meta(Call *call, PyObject *obj, aero_policy_kind kind,
                WriteWish *wish)
{
    aero_policy *policy = &call->policy;
    MetaIn meta;

    if (meta_take(call->state, call->face, obj, &meta, policy,
                  call->client->validate_keys) < 0) {
        return -1;
    }
    /* On the main face a generation alone means: only this one. */
    if (meta.has_gen && !call->face->strict &&
        !aero_policy_has(policy, AERO_POLICY_BIT_gen)) {
        policy->gen = AERO_GEN_EQ;
    }
    wish->gen = meta.gen;
    wish->ttl = choose_ttl(call, &meta, kind);
    return 0;
}

/* Key, policy and meta of a method that writes. */
int
single_take_write(Call *call, PyObject *meta, PyObject *policy,
                  aero_policy_kind kind, WriteWish *wish)
{
    if (call_take_policy(call, policy, kind) < 0) {
        return -1;
    }
    return build_take_meta(call, meta, kind, wish);
}

void
single_open_write(Call *call, aero_single *s, const WriteWish *wish)
{
    aero_msg msg = {0};

    aero_policy_put_write(&call->policy, wish->gen, wish->ttl, &msg);
    aero_single_open(s, &call->cmd, &call->key, &call->policy, &msg);
}

/* ---- results ---- */

static PyObject *
finish_zero(Call *call)
{
    return result_check(call, NULL) < 0 ? NULL : PyLong_FromLong(0);
}

/* For errors about one bin, or about the bins that were put. */
static PyObject *
finish_bin(Call *call)
{
    return result_check(call, call->argv[1]) < 0 ? NULL : PyLong_FromLong(0);
}

/* ---- whole records ---- */

/* Which serializer `put` uses: by its own argument on top of the client's. */
static int
choose_serializer(Call *call, PyObject *wish, Encoder *enc)
{
    long number;

    *enc = call_encoder(call, false);
    enc->in_put = true;
    if (wish == NULL || !PyLong_Check(wish)) {
        return 0;
    }
    number = PyLong_AsLong(wish);
    if (number == 0) { /* SERIALIZER_NONE */
        enc->serializer = NULL;
        return 0;
    }
    if (number == (call->face->strict ? 3 : 2)) { /* SERIALIZER_USER */
        *enc = call_encoder(call, true);
        enc->in_put = true;
        if (enc->serializer != NULL) {
            return 0;
        }
        raise_error(call->state, EXC_ClientError,
                    "No serializer callback registered");
        return -1;
    }
    PyErr_Clear();
    raise_error(call->state, EXC_ClientError, "Unsupported serializer");
    return -1;
}

int
build_put(Call *call)
{
    PyObject *bins = call->argv[1];
    WriteWish wish;
    aero_single s;
    Encoder enc;
    uint16_t count;

    if (call_take_key(call, call->argv[0]) < 0) {
        return -1;
    }
    if (!PyDict_Check(bins)) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "Record should be passed as bin-value pair",
                       "bins must be a dict, not %s", Py_TYPE(bins)->tp_name);
        return -1;
    }
    if (single_take_write(call, call->argv[2], call->argv[3],
                          AERO_POLICY_WRITE, &wish) < 0 ||
        choose_serializer(call, call->argv[4], &enc) < 0) {
        return -1;
    }
    single_open_write(call, &s, &wish);
    if (bins_put(&enc, call->client->strict_types, bins, &call->cmd.out,
                 &count) < 0) {
        return -1;
    }
    aero_single_close(&s, count);
    call->finish = finish_bin;
    return 0;
}

static bool
has_generation(Call *call, PyObject *meta)
{
    PyObject *gen = meta != NULL && PyDict_Check(meta)
                        ? PyDict_GetItemWithError(meta, call->state->str_gen)
                        : NULL;

    return gen != NULL && PyLong_Check(gen);
}

int
build_remove(Call *call)
{
    PyObject *meta = call->argv[1];
    PyObject *policy = call->argv[2];
    aero_policy *p = &call->policy;
    WriteWish wish;
    aero_single s;

    if (call_take_key(call, call->argv[0]) < 0) {
        return -1;
    }
    if (call->face->strict && meta != NULL && meta != Py_None &&
        PyErr_WarnEx(PyExc_DeprecationWarning,
                     "meta of remove() is deprecated: use the key generation "
                     "of the remove policy",
                     1) < 0) {
        return -1;
    }
    /* The strict face looks at meta only beside a policy, and only at a
     * generation that is an int. */
    if (call->face->strict &&
        (policy == NULL || policy == Py_None || !has_generation(call, meta))) {
        meta = NULL;
    }
    if (single_take_write(call, meta, policy, AERO_POLICY_REMOVE, &wish) < 0) {
        return -1;
    }
    if (aero_policy_has(p, AERO_POLICY_BIT_generation)) {
        wish.gen = p->generation;
    }
    wish.ttl = 0;
    single_open_write(call, &s, &wish);
    s.msg.info2 |= AERO_INFO2_DELETE;
    aero_single_close(&s, 0);
    call->finish = finish_zero;
    return 0;
}

/* The strict face calls a wrong policy of remove_bin() another error. */
static int
reword_policy(Call *call)
{
    if (call->face->strict) {
        errors_reword(call->state, EXC_ClientError, "Incorrect policy -> ");
    }
    return -1;
}

int
build_remove_bin(Call *call)
{
    PyObject *names = call->argv[1];
    WriteWish wish;
    aero_single s;

    if (call_take_key(call, call->argv[0]) < 0) {
        return -1;
    }
    if (!PyList_Check(names)) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "Bins should be a list",
                       "bin_names must be a list of str, not %s",
                       Py_TYPE(names)->tp_name);
        return -1;
    }
    if (call_take_policy(call, call->argv[3], AERO_POLICY_WRITE) < 0) {
        return reword_policy(call);
    }
    if (build_take_meta(call, call->argv[2], AERO_POLICY_WRITE, &wish) < 0) {
        return -1;
    }
    single_open_write(call, &s, &wish);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(names); i++) {
        aero_span name;

        if (build_take_written_bin(
                call->state, call->face, call->client->strict_types,
                PyList_GET_ITEM(names, i),
                "Invalid bin name, bin name should be a string or "
                "unicode string",
                &name) < 0) {
            return -1;
        }
        aero_op_put(&call->cmd.out, AERO_OP_WRITE, AERO_PARTICLE_NIL, name,
                    aero_span_of(NULL, 0));
    }
    aero_single_close(&s, (uint16_t)PyList_GET_SIZE(names));
    call->finish = finish_zero;
    return 0;
}

/* ---- one operation ---- */

int
build_touch(Call *call)
{
    PyObject *val = call->argv[1];
    WriteWish wish;
    aero_single s;
    uint32_t ttl = 0;

    if (call_take_key(call, call->argv[0]) < 0) {
        return -1;
    }
    if (val != NULL && !PyLong_Check(val)) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "Unsupported operand type(s) for touch "
                       ": only int or long allowed",
                       "val must be an int, not %s", Py_TYPE(val)->tp_name);
        return -1;
    }
    if (val != NULL &&
        ttl_take(call->state, call->face, val, "val", &ttl) < 0) {
        return -1;
    }
    if (single_take_write(call, call->argv[2], call->argv[3],
                          AERO_POLICY_OPERATE, &wish) < 0) {
        return -1;
    }
    if (ttl != 0) {
        wish.ttl = ttl == AERO_TTL_OF_CLIENT
                       ? call->client->defaults[AERO_POLICY_OPERATE].ttl
                       : ttl;
    }
    single_open_write(call, &s, &wish);
    aero_op_put(&call->cmd.out, AERO_OP_TOUCH, AERO_PARTICLE_NIL,
                aero_span_of(NULL, 0), aero_span_of(NULL, 0));
    aero_single_close(&s, 1);
    call->finish = finish_zero;
    return 0;
}

/* append, prepend and increment: `check` says whether the value will do. */
static int
build_modify(Call *call, aero_op_type type,
             int (*check)(Call *call, PyObject *value))
{
    aero_buf *out = &call->cmd.out;
    Encoder enc = call_encoder(call, false);
    WriteWish wish;
    aero_single s;
    aero_span name;
    uint8_t particle;
    size_t mark;

    if (call_take_key(call, call->argv[0]) < 0 ||
        take_one_bin(call, call->argv[1], &name) < 0 ||
        (call->client->strict_types && check(call, call->argv[2]) < 0) ||
        single_take_write(call, call->argv[3], call->argv[4],
                          AERO_POLICY_OPERATE, &wish) < 0) {
        return -1;
    }
    single_open_write(call, &s, &wish);
    mark = aero_op_open(out, type, AERO_PARTICLE_NIL, name);
    if (value_put(&enc, call->argv[2], out, &particle) < 0) {
        errors_place(call->state, type == AERO_OP_INCR ? "offset" : "val");
        return -1;
    }
    aero_op_patch_particle(out, mark, particle);
    aero_op_close(out, mark);
    aero_single_close(&s, 1);
    call->finish = finish_bin;
    return 0;
}

static int
check_text(Call *call, PyObject *value)
{
    if (PyUnicode_Check(value) || PyBytes_Check(value) ||
        PyByteArray_Check(value)) {
        return 0;
    }
    raise_argument(call->state, EXC_ParamBinTypeError,
                   "Cannot concatenate 'str' and 'non-str' objects",
                   "val must be a str, bytes or bytearray, not %s",
                   Py_TYPE(value)->tp_name);
    return -1;
}

static int
check_number(Call *call, PyObject *value)
{
    PyObject *plain = value_unwrap(call->state, value);
    bool fine;

    if (plain == NULL) {
        return -1;
    }
    fine = (PyLong_Check(plain) || PyFloat_Check(plain)) &&
           (call->face->strict || !PyBool_Check(plain));
    Py_DECREF(plain);
    if (!fine) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "Unsupported operand type(s) for +: only 'int' allowed",
                       "offset must be an int or float, not %s",
                       Py_TYPE(value)->tp_name);
        return -1;
    }
    return 0;
}

int
build_append(Call *call)
{
    return build_modify(call, AERO_OP_APPEND, check_text);
}

int
build_prepend(Call *call)
{
    return build_modify(call, AERO_OP_PREPEND, check_text);
}

int
build_increment(Call *call)
{
    return build_modify(call, AERO_OP_INCR, check_number);
}

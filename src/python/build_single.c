/* Builders of the methods about one record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "record.h"

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
    if (name->len > AERO_BIN_NAME_MAX && strict_types) {
        raise_argument(state, EXC_BinNameValueError,
                       "A bin name should not exceed 15 characters limit",
                       "Bin name '%U' exceeds the 15-byte limit", obj);
        return -1;
    }
    if (name->len == 0 && !face->strict) {
        raise_error(state, EXC_BinNameValueError,
                    "Bin name must not be empty");
        return -1;
    }
    return 0;
}

static uint32_t
choose_ttl(const Call *call, const MetaIn *meta, aero_policy_kind kind)
{
    const aero_policy *policy = &call->policy;
    uint32_t ttl = policy->ttl;

    /* Here the policy outranks meta; on the strict face it is the other way.
     */
    if (meta->has_ttl && (call->face->strict ||
                          !aero_policy_has(policy, AERO_POLICY_BIT_ttl))) {
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
static int
take_write(Call *call, PyObject *meta, PyObject *policy, aero_policy_kind kind,
           WriteWish *wish)
{
    if (call_take_policy(call, policy, kind) < 0) {
        return -1;
    }
    return build_take_meta(call, meta, kind, wish);
}

static void
open_write(Call *call, aero_single *s, const WriteWish *wish)
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

/* The message's head, with the fields behind it skipped. */
static int
take_head(Call *call, aero_span *body, aero_msg *msg)
{
    aero_status *st = &call->cmd.st;

    *body = aero_cmd_body(&call->cmd);
    if (aero_msg_take(body, msg, st) != AERO_OK) {
        raise_status(call->state, st);
        return -1;
    }
    for (unsigned i = 0; i < msg->n_fields; i++) {
        aero_field field;

        if (aero_field_take(body, &field, st) != AERO_OK) {
            raise_status(call->state, st);
            return -1;
        }
    }
    return 0;
}

static PyObject *
finish_bins(Call *call, bool skip_nil)
{
    Decoder dec;
    aero_span body;
    aero_msg msg;
    PyObject *bins;

    if (result_check(call, NULL) < 0 || take_head(call, &body, &msg) < 0) {
        return NULL;
    }
    dec = call_decoder(call);
    dec.skip_nil = skip_nil;
    bins = record_bins(&dec, body, msg.n_ops);
    if (bins == NULL) {
        errors_record(call->state, call->cmd.st.node, call->argv[0]);
        return NULL;
    }
    return result_record(
        call, result_meta(call->state, call->face, msg.generation, msg.ttl),
        bins);
}

static PyObject *
finish_record(Call *call)
{
    return finish_bins(call, false);
}

static PyObject *
finish_answers(Call *call)
{
    return finish_bins(call, true);
}

static PyObject *
take_ordered(Call *call, aero_span body, unsigned count, bool skip_nil)
{
    Decoder dec = call_decoder(call);
    PyTypeObject *type =
        call->face->strict ? &PyTuple_Type : call->state->BinTuple;
    PyObject *list = PyList_New(0);

    for (unsigned i = 0; list != NULL && i < count; i++) {
        aero_op op;
        PyObject *pair = NULL;

        if (aero_op_take(&body, &op, &call->cmd.st) != AERO_OK) {
            raise_status(call->state, &call->cmd.st);
        }
        else if (skip_nil && op.particle == AERO_PARTICLE_NIL) {
            continue;
        }
        else {
            pair = result_tuple(type, 2, value_name(call->state, op.name),
                                value_take(&dec, op.particle, op.value));
        }
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
    }
    return list;
}

static PyObject *
finish_pairs(Call *call, bool skip_nil)
{
    aero_span body;
    aero_msg msg;
    PyObject *list;
    PyTypeObject *type =
        call->face->strict ? &PyTuple_Type : call->state->OperateOrderedResult;

    if (result_check(call, NULL) < 0 || take_head(call, &body, &msg) < 0) {
        return NULL;
    }
    list = take_ordered(call, body, msg.n_ops, skip_nil);
    if (list == NULL) {
        errors_record(call->state, call->cmd.st.node, call->argv[0]);
        return NULL;
    }
    return result_tuple(
        type, 3,
        key_make(call->state, call->face, &call->parts, call->echo_key,
                 call->key.digest),
        result_meta(call->state, call->face, msg.generation, msg.ttl), list);
}

static PyObject *
finish_ordered(Call *call)
{
    return finish_pairs(call, false);
}

static PyObject *
finish_ordered_answers(Call *call)
{
    return finish_pairs(call, true);
}

static PyObject *
finish_exists(Call *call)
{
    aero_span body;
    aero_msg msg;
    PyObject *meta;
    PyTypeObject *type =
        call->face->strict ? &PyTuple_Type : call->state->ExistsResult;

    if (call->cmd.rc == AERO_OK &&
        call->cmd.result == AERO_ERR_RECORD_NOT_FOUND) {
        meta = Py_NewRef(Py_None);
    }
    else if (result_check(call, NULL) < 0 ||
             take_head(call, &body, &msg) < 0) {
        return NULL;
    }
    else {
        meta = result_meta(call->state, call->face, msg.generation, msg.ttl);
    }
    return result_tuple(type, 2,
                        key_make(call->state, call->face, &call->parts,
                                 call->echo_key, call->key.digest),
                        meta);
}

/* ---- reads ---- */

/* Does the result repeat the caller's user key? */
static void
choose_echo(Call *call)
{
    if (call->face->strict) {
        call->echo_key = call->policy.key != 0;
    }
    else {
        call->echo_key = call->policy.key != 0 ||
                         !aero_policy_has(&call->policy, AERO_POLICY_BIT_key);
    }
}

static int
build_read(Call *call, PyObject *policy, uint8_t info1, aero_single *s)
{
    aero_msg msg = {.info1 = info1};

    if (call_take_key(call, call->argv[0]) < 0 ||
        call_take_policy(call, policy, AERO_POLICY_READ) < 0) {
        return -1;
    }
    aero_policy_put_read(&call->policy, &msg);
    aero_single_open(s, &call->cmd, &call->key, &call->policy, &msg);
    call->is_read = call->txn == NULL;
    return 0;
}

int
build_get(Call *call)
{
    aero_single s;

    if (build_read(call, call->argv[1], AERO_INFO1_GET_ALL, &s) < 0) {
        return -1;
    }
    choose_echo(call);
    aero_single_close(&s, 0);
    call->finish = finish_record;
    return 0;
}

int
build_exists(Call *call)
{
    aero_single s;

    if (build_read(call, call->argv[1], AERO_INFO1_GET_NO_BINS, &s) < 0) {
        return -1;
    }
    aero_single_close(&s, 0);
    call->finish = finish_exists;
    return 0;
}

/* A name of select: the strict face cuts what is too long. */
static int
take_select_name(Call *call, PyObject *obj, aero_span *name)
{
    if (call->face->strict && PyUnicode_Check(obj)) {
        if (value_as_text(call->state, obj, name) < 0) {
            return -1;
        }
        if (name->len > AERO_BIN_NAME_MAX) {
            name->len = AERO_BIN_NAME_MAX;
        }
        return 0;
    }
    return build_take_bin(call->state, call->face, call->client->strict_types,
                          obj, "Bin name must be a string", name);
}

int
build_select(Call *call)
{
    PyObject *bins = call->argv[1];
    aero_single s;
    Py_ssize_t count;

    if (!PyList_Check(bins) && !PyTuple_Check(bins)) {
        raise_argument(call->state, EXC_ParamTypeError, "not a list or tuple",
                       "bins must be a list or tuple of str, not %s",
                       Py_TYPE(bins)->tp_name);
        return -1;
    }
    if (build_read(call, call->argv[2], 0, &s) < 0) {
        return -1;
    }
    count = PySequence_Fast_GET_SIZE(bins);
    if (count > AERO_OPS_MAX) {
        raise_param_value(call->state, "more than %d bins", AERO_OPS_MAX);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        aero_span name;

        if (take_select_name(call, PySequence_Fast_GET_ITEM(bins, i), &name) <
            0) {
            return -1;
        }
        aero_single_put_names(&s, &name, 1);
    }
    aero_single_close(&s, (uint16_t)count);
    call->finish = finish_record;
    return 0;
}

/* ---- writes ---- */

/* Which serializer `put` uses: by its own argument on top of the client's. */
static int
choose_serializer(Call *call, PyObject *wish, Encoder *enc)
{
    long number;

    *enc = call_encoder(call, false);
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
    if (take_write(call, call->argv[2], call->argv[3], AERO_POLICY_WRITE,
                   &wish) < 0 ||
        choose_serializer(call, call->argv[4], &enc) < 0) {
        return -1;
    }
    open_write(call, &s, &wish);
    if (bins_put(&enc, call->client->strict_types, bins, &call->cmd.out,
                 &count) < 0) {
        return -1;
    }
    aero_single_close(&s, count);
    call->finish = finish_bin;
    return 0;
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
    /* The strict face looks at meta only beside a policy. */
    if (call->face->strict && (policy == NULL || policy == Py_None)) {
        meta = NULL;
    }
    if (take_write(call, meta, policy, AERO_POLICY_REMOVE, &wish) < 0) {
        return -1;
    }
    if (aero_policy_has(p, AERO_POLICY_BIT_generation)) {
        wish.gen = p->generation;
    }
    wish.ttl = 0;
    open_write(call, &s, &wish);
    s.msg.info2 |= AERO_INFO2_DELETE;
    aero_single_close(&s, 0);
    call->finish = finish_zero;
    return 0;
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
    if (take_write(call, call->argv[2], call->argv[3], AERO_POLICY_WRITE,
                   &wish) < 0) {
        return -1;
    }
    open_write(call, &s, &wish);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(names); i++) {
        aero_span name;

        if (build_take_bin(call->state, call->face, call->client->strict_types,
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
    if (take_write(call, call->argv[2], call->argv[3], AERO_POLICY_OPERATE,
                   &wish) < 0) {
        return -1;
    }
    if (ttl != 0) {
        wish.ttl = ttl == AERO_TTL_OF_CLIENT
                       ? call->client->defaults[AERO_POLICY_OPERATE].ttl
                       : ttl;
    }
    open_write(call, &s, &wish);
    aero_op_put(&call->cmd.out, AERO_OP_TOUCH, AERO_PARTICLE_NIL,
                aero_span_of(NULL, 0), aero_span_of(NULL, 0));
    aero_single_close(&s, 1);
    call->finish = finish_bin;
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
        build_take_bin(call->state, call->face, call->client->strict_types,
                       call->argv[1], "Bin name should be of type string",
                       &name) < 0 ||
        (call->client->strict_types && check(call, call->argv[2]) < 0) ||
        take_write(call, call->argv[3], call->argv[4], AERO_POLICY_OPERATE,
                   &wish) < 0) {
        return -1;
    }
    open_write(call, &s, &wish);
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

/* ---- operate ---- */

static int
build_operations(Call *call, bool skip_odd, bool *official)
{
    PyObject *list = call->argv[1];
    OpsIn ops = ops_begin(call, &call->cmd.out);
    WriteWish wish;
    aero_msg msg = {0};
    aero_single s;

    if (call_take_key(call, call->argv[0]) < 0) {
        return -1;
    }
    if (!PyList_Check(list)) {
        raise_argument(call->state, EXC_ParamTypeError,
                       "Operations should be of type list",
                       "ops must be a list of dicts, not %s",
                       Py_TYPE(list)->tp_name);
        return -1;
    }
    if (take_write(call, call->argv[2], call->argv[3], AERO_POLICY_OPERATE,
                   &wish) < 0) {
        return -1;
    }
    ops.skip_odd = skip_odd;
    aero_single_open(&s, &call->cmd, &call->key, &call->policy, &msg);
    if (ops_put(list, &ops) < 0) {
        return -1;
    }
    *official = ops.official || call->face != &main_face;
    if (ops.writes) {
        aero_policy_put_write(&call->policy, wish.gen,
                              ops.has_ttl ? ops.ttl : wish.ttl, &msg);
    }
    if (ops.reads) {
        aero_policy_put_read(&call->policy, &msg);
    }
    if (ops.read_all) {
        msg.info1 |= AERO_INFO1_GET_ALL;
    }
    else if (ops.respond_all) {
        msg.info2 |= AERO_INFO2_RESPOND_ALL_OPS;
    }
    msg.n_fields = s.msg.n_fields;
    s.msg = msg;
    aero_single_close(&s, ops.count);
    return 0;
}

/* An operation that answers nothing sends nil: None where its words are the
 * official client's, left out where they are the Rust package's. */
int
build_operate(Call *call)
{
    bool official;

    if (build_operations(call, call->face->strict, &official) < 0) {
        return -1;
    }
    call->finish = official ? finish_record : finish_answers;
    return 0;
}

int
build_operate_ordered(Call *call)
{
    bool official;

    if (build_operations(call, false, &official) < 0) {
        return -1;
    }
    call->finish = official ? finish_ordered : finish_ordered_answers;
    return 0;
}

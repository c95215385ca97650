/* Policies and meta.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "errors.h"
#include "key.h"
#include "value.h"

/* ---- the rows ---- */

enum {
    READ = 1 << AERO_POLICY_READ,
    WRITE = 1 << AERO_POLICY_WRITE,
    OPERATE = 1 << AERO_POLICY_OPERATE,
    REMOVE = 1 << AERO_POLICY_REMOVE,
    APPLY = 1 << AERO_POLICY_APPLY,
    QUERY = 1 << AERO_POLICY_QUERY,
    SCAN = 1 << AERO_POLICY_SCAN,
    BATCH = 1 << AERO_POLICY_BATCH | 1 << AERO_POLICY_BATCH_PARENT_WRITE |
            1 << AERO_POLICY_TXN_VERIFY | 1 << AERO_POLICY_TXN_ROLL,
    BATCH_READ = 1 << AERO_POLICY_BATCH_READ,
    BATCH_WRITE = 1 << AERO_POLICY_BATCH_WRITE,
    BATCH_APPLY = 1 << AERO_POLICY_BATCH_APPLY,
    BATCH_REMOVE = 1 << AERO_POLICY_BATCH_REMOVE,
    INFO = 1 << AERO_POLICY_INFO,
    ADMIN = 1 << AERO_POLICY_ADMIN,
    WRITES = WRITE | OPERATE | REMOVE | APPLY,
    BASE = READ | WRITES | QUERY | SCAN | BATCH,
    BATCH_ROW = BATCH_READ | BATCH_WRITE | BATCH_APPLY | BATCH_REMOVE
};

typedef enum RowType {
    TYPE_MS,
    TYPE_COUNT,
    TYPE_COUNT64,
    TYPE_GENERATION,
    TYPE_FLAG,
    TYPE_TTL,
    TYPE_PERCENT,
    TYPE_REPLICA,
    TYPE_KEY,
    TYPE_GEN,
    TYPE_EXISTS,
    TYPE_COMMIT,
    TYPE_MODE_AP,
    TYPE_MODE_SC,
    TYPE_DURATION,
    TYPE_DETAIL,
    TYPE_CONCURRENCY,
    TYPE_OBJECT
} RowType;

typedef struct Row {
    const char *key;
    RowType type;
    uint32_t kinds;
    size_t at; /* in aero_policy */
} Row;

static const Row rows[] = {
#define POLICY(key, type, kinds, initial, text)                               \
    {#key, TYPE_##type, kinds, offsetof(aero_policy, key)},
#define POLICY_INITIAL(kind, key, value)
#include "aero/wire/tables/policy.def"
#undef POLICY
#undef POLICY_INITIAL
};

/* The highest number of the plain enums. */
static const uint8_t highest[] = {
    [TYPE_KEY] = 1,     [TYPE_GEN] = 2,         [TYPE_COMMIT] = 1,
    [TYPE_MODE_AP] = 1, [TYPE_MODE_SC] = 3,     [TYPE_DURATION] = 2,
    [TYPE_DETAIL] = 3,  [TYPE_CONCURRENCY] = 1,
};

#define NONE 0xff /* no such number */

#define MAIN_NUMBERS                                                          \
    .index = 0,                                                               \
    .replica = {AERO_REPLICA_MASTER,                                          \
                AERO_REPLICA_SEQUENCE,                                        \
                AERO_REPLICA_PREFER_RACK,                                     \
                NONE,                                                         \
                AERO_REPLICA_RANDOM,                                          \
                AERO_REPLICA_ANY,                                             \
                NONE,                                                         \
                NONE},                                                        \
    .exists = {AERO_EXISTS_UPDATE,                                            \
               AERO_EXISTS_UPDATE_ONLY,                                       \
               AERO_EXISTS_CREATE_OR_REPLACE,                                 \
               AERO_EXISTS_REPLACE_ONLY,                                      \
               AERO_EXISTS_CREATE_ONLY,                                       \
               NONE,                                                          \
               NONE,                                                          \
               NONE}

const Face main_face = {.strict = false, MAIN_NUMBERS};
const Face compat_face = {.strict = true, MAIN_NUMBERS};

const Face strict_face = {
    .strict = true,
    .index = 1,
    .replica = {AERO_REPLICA_MASTER, AERO_REPLICA_ANY, AERO_REPLICA_SEQUENCE,
                AERO_REPLICA_PREFER_RACK, AERO_REPLICA_RANDOM, NONE, NONE,
                NONE},
    .exists = {AERO_EXISTS_UPDATE, AERO_EXISTS_CREATE_ONLY,
               AERO_EXISTS_UPDATE_ONLY, AERO_EXISTS_REPLACE_ONLY,
               AERO_EXISTS_CREATE_OR_REPLACE, NONE, NONE, NONE},
};

const char *
policy_kind_name(aero_policy_kind kind)
{
    static const char *const names[AERO_POLICY_KINDS] = {
        [AERO_POLICY_READ] = "read",
        [AERO_POLICY_WRITE] = "write",
        [AERO_POLICY_OPERATE] = "operate",
        [AERO_POLICY_REMOVE] = "remove",
        [AERO_POLICY_APPLY] = "apply",
        [AERO_POLICY_QUERY] = "query",
        [AERO_POLICY_SCAN] = "scan",
        [AERO_POLICY_BATCH] = "batch",
        [AERO_POLICY_BATCH_PARENT_WRITE] = "batch_parent_write",
        [AERO_POLICY_BATCH_READ] = "batch_read",
        [AERO_POLICY_BATCH_WRITE] = "batch_write",
        [AERO_POLICY_BATCH_APPLY] = "batch_apply",
        [AERO_POLICY_BATCH_REMOVE] = "batch_remove",
        [AERO_POLICY_TXN_VERIFY] = "txn_verify",
        [AERO_POLICY_TXN_ROLL] = "txn_roll",
        [AERO_POLICY_INFO] = "info",
        [AERO_POLICY_ADMIN] = "admin",
    };

    return names[kind];
}

int
policy_setup(ModState *state)
{
    state->policy_index = PyDict_New();
    if (state->policy_index == NULL) {
        return -1;
    }
    for (size_t i = 0; i < AERO_POLICY_KEYS; i++) {
        PyObject *name = PyUnicode_InternFromString(rows[i].key);
        PyObject *number = PyLong_FromSize_t(i);
        int rc = name == NULL || number == NULL
                     ? -1
                     : PyDict_SetItem(state->policy_index, name, number);

        Py_XDECREF(name);
        Py_XDECREF(number);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- values ---- */

static int
invalid(ModState *state, const char *key, exc_id id)
{
    raise_error(state, id, "%s is invalid", key);
    return -1;
}

/* Any int; a bool counts as one. */
static int
take_int(ModState *state, const Face *face, PyObject *value, const char *key,
         int64_t *out)
{
    PyObject *plain;
    int overflow = 0;

    plain = value_unwrap(state, value);
    if (plain == NULL) {
        return -1;
    }
    if (!PyLong_Check(plain)) {
        Py_DECREF(plain);
        return invalid(state, key, EXC_ParamTypeError);
    }
    *out = PyLong_AsLongLongAndOverflow(plain, &overflow);
    Py_DECREF(plain);
    if (overflow != 0 && face->strict) {
        raise_error(state, EXC_ClientError,
                    "Unable to fetch long value from policy field");
        return -1;
    }
    return overflow == 0 ? 0 : invalid(state, key, EXC_ParamOverflowError);
}

int
ttl_take(ModState *state, const Face *face, PyObject *value, const char *what,
         uint32_t *out)
{
    int64_t ttl;

    if (take_int(state, face, value, what, &ttl) < 0) {
        return -1;
    }
    if (ttl < (face->strict ? INT32_MIN : -3) || ttl > UINT32_MAX) {
        return invalid(state, what, EXC_ParamOverflowError);
    }
    *out = (uint32_t)ttl;
    return 0;
}

static int
take_number(ModState *state, const Face *face, const Row *row, int64_t number,
            void *to)
{
    int64_t most = row->type == TYPE_GENERATION ? UINT16_MAX
                   : row->type == TYPE_COUNT64  ? INT64_MAX
                                                : UINT32_MAX;

    /* The strict face lets numbers wrap, as a C assignment does. */
    if ((number < 0 || number > most) && !face->strict) {
        return invalid(state, row->key, EXC_ParamOverflowError);
    }
    if (row->type == TYPE_COUNT64) {
        *(uint64_t *)to = (uint64_t)number;
    }
    else {
        *(uint32_t *)to = (uint32_t)number & (uint32_t)most;
    }
    return 0;
}

static int
take_enum(ModState *state, const Face *face, const Row *row, int64_t number,
          uint8_t *to)
{
    const uint8_t *map = row->type == TYPE_REPLICA  ? face->replica
                         : row->type == TYPE_EXISTS ? face->exists
                                                    : NULL;

    if (map != NULL) {
        if (number < 0 || number > 7 || map[number] == NONE) {
            return invalid(state, row->key, EXC_ParamValueError);
        }
        *to = map[number];
        return 0;
    }
    if (number < 0 || number > highest[row->type]) {
        return invalid(state, row->key, EXC_ParamValueError);
    }
    *to = (uint8_t)number;
    return 0;
}

/* What compile() of an expression of the helpers gives. */
static bool
is_compiled(PyObject *value)
{
    PyObject *first;

    if (!PyList_Check(value) || PyList_GET_SIZE(value) == 0) {
        return false;
    }
    first = PyList_GET_ITEM(value, 0);
    return PyTuple_Check(first) && PyTuple_GET_SIZE(first) == 4;
}

static int
take_row(ModState *state, const Face *face, const Row *row, PyObject *value,
         aero_policy *policy)
{
    void *to = (char *)policy + row->at;
    int64_t number;

    if (row == &rows[AERO_POLICY_BIT_txn] &&
        (value != Py_None || face->strict) &&
        !PyObject_TypeCheck(value, state->TransactionType)) {
        raise_param_type(state, "txn is not of type aerospike.Transaction");
        return -1;
    }
    if (row == &rows[AERO_POLICY_BIT_expressions] && face->strict &&
        !is_compiled(value)) {
        raise_param_type(state,
                         "Expressions must be a non empty list of 4 element "
                         "tuples, generated by a compiled aerospike "
                         "expression. For Query.where_with_expr(), it can "
                         "also be a base64 string.");
        return -1;
    }
    if (row->type == TYPE_OBJECT) {
        *(void **)to = value == Py_None ? NULL : value;
        return 0;
    }
    if (row->type == TYPE_TTL) {
        return ttl_take(state, face, value, row->key, to);
    }
    if (take_int(state, face, value, row->key, &number) < 0) {
        return -1;
    }
    switch (row->type) {
    case TYPE_MS:
    case TYPE_COUNT:
    case TYPE_COUNT64:
    case TYPE_GENERATION:
        return take_number(state, face, row, number, to);
    case TYPE_FLAG:
        *(bool *)to = number != 0;
        return 0;
    case TYPE_PERCENT:
        if (number < -1 || number > 100) {
            return invalid(state, row->key, EXC_ParamValueError);
        }
        *(int32_t *)to = (int32_t)number;
        return 0;
    default:
        return take_enum(state, face, row, number, to);
    }
}

/* The row of a key; NULL without an exception: there is none. */
static const Row *
find_row(ModState *state, PyObject *name)
{
    PyObject *at = PyDict_GetItemWithError(state->policy_index, name);

    return at == NULL ? NULL : &rows[PyLong_AsSize_t(at)];
}

static int
unknown_key(ModState *state, PyObject *name, const char *where)
{
    raise_param_value(state, "\"%S\" is an invalid %s dictionary key", name,
                      where);
    return -1;
}

int
policy_take(ModState *state, const Face *face, PyObject *obj, uint32_t kinds,
            bool validate, aero_policy *policy)
{
    Py_ssize_t pos = 0;
    PyObject *name;
    PyObject *value;

    if (obj == NULL || obj == Py_None) {
        return 0;
    }
    if (!PyDict_Check(obj)) {
        raise_param_type(state, "policy must be a dict");
        return -1;
    }
    while (PyDict_Next(obj, &pos, &name, &value)) {
        const Row *row = find_row(state, name);

        if (row == NULL && PyErr_Occurred()) {
            return -1;
        }
        if (row == NULL ||
            ((validate || face->strict) && (row->kinds & kinds) == 0)) {
            if (validate) {
                return unknown_key(state, name, "policy");
            }
            continue;
        }
        if (take_row(state, face, row, value, policy) < 0) {
            return -1;
        }
        policy->given |= UINT64_C(1) << (row - rows);
    }
    return 0;
}

/* ---- meta ---- */

static int
take_gen(ModState *state, const Face *face, PyObject *value, MetaIn *meta)
{
    int64_t gen;

    if (!PyLong_Check(value)) {
        raise_argument(
            state, EXC_ParamTypeError, "Generation should be an int or long",
            "gen of meta must be an int, not %s", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (value_as_int64(state, value, "gen", &gen) < 0) {
        return -1;
    }
    if ((gen < 0 || gen > UINT32_MAX) && !face->strict) {
        raise_argument(state, EXC_ParamOverflowError,
                       "Generation should be an int or long",
                       "gen of meta must be from 0 to 4294967295, not %S",
                       value);
        return -1;
    }
    meta->gen = (uint32_t)gen & UINT16_MAX;
    meta->has_gen = true;
    return 0;
}

static int
take_ttl(ModState *state, const Face *face, PyObject *value, MetaIn *meta)
{
    int64_t ttl;

    if (!PyLong_Check(value)) {
        raise_argument(
            state, EXC_ParamTypeError, "Ttl should be an int or long",
            "ttl of meta must be an int, not %s", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (face->strict && value_as_int64(state, value, "ttl", &ttl) < 0) {
        return -1;
    }
    if (ttl_take(state, face, value, "ttl", &meta->ttl) < 0) {
        return -1;
    }
    meta->has_ttl = true;
    return 0;
}

/* Keys of a policy that the main face reads from meta as well; the policy
 * outranks them. */
static int
take_meta_policy(ModState *state, const Face *face, PyObject *name,
                 PyObject *value, aero_policy *policy)
{
    static const unsigned allowed[] = {
        AERO_POLICY_BIT_key, AERO_POLICY_BIT_exists,
        AERO_POLICY_BIT_commit_level, AERO_POLICY_BIT_durable_delete};
    const Row *row = face->strict ? NULL : find_row(state, name);

    for (size_t i = 0; row != NULL && i < 4; i++) {
        if (row == &rows[allowed[i]]) {
            return aero_policy_has(policy, allowed[i])
                       ? 0
                       : take_row(state, face, row, value, policy);
        }
    }
    return 1;
}

static int
take_meta_item(ModState *state, const Face *face, PyObject *name,
               PyObject *value, MetaIn *meta, aero_policy *policy,
               bool validate)
{
    int rc;

    if (PyUnicode_Check(name)) {
        if (PyUnicode_Compare(name, state->str_gen) == 0) {
            return value == Py_None && !face->strict
                       ? 0
                       : take_gen(state, face, value, meta);
        }
        if (PyUnicode_Compare(name, state->str_ttl) == 0) {
            return value == Py_None && !face->strict
                       ? 0
                       : take_ttl(state, face, value, meta);
        }
        rc = take_meta_policy(state, face, name, value, policy);
        if (rc <= 0) {
            return rc;
        }
    }
    return validate ? unknown_key(state, name, "record metadata") : 0;
}

int
meta_take(ModState *state, const Face *face, PyObject *obj, MetaIn *meta,
          aero_policy *policy, bool validate)
{
    Py_ssize_t pos = 0;
    PyObject *name;
    PyObject *value;

    memset(meta, 0, sizeof *meta);
    if (obj == NULL || obj == Py_None) {
        return 0;
    }
    if (PyObject_TypeCheck(obj, state->RecordMetadata) &&
        PyTuple_GET_SIZE(obj) == 2) {
        if (take_gen(state, face, PyTuple_GET_ITEM(obj, 0), meta) < 0) {
            return -1;
        }
        return take_ttl(state, face, PyTuple_GET_ITEM(obj, 1), meta);
    }
    if (!PyDict_Check(obj)) {
        raise_argument(state, EXC_ParamTypeError,
                       "Metadata should be of type dictionary",
                       "meta must be a dict, not %s", Py_TYPE(obj)->tp_name);
        return -1;
    }
    while (PyDict_Next(obj, &pos, &name, &value)) {
        if (take_meta_item(state, face, name, value, meta, policy, validate) <
            0) {
            return -1;
        }
    }
    return 0;
}

/* ---- showing ---- */

static PyObject *
show_row(const Face *face, const Row *row, const aero_policy *policy)
{
    const void *from = (const char *)policy + row->at;
    const uint8_t *map = row->type == TYPE_REPLICA  ? face->replica
                         : row->type == TYPE_EXISTS ? face->exists
                                                    : NULL;

    if (map != NULL) {
        for (long i = 0; i < 8; i++) {
            if (map[i] == *(const uint8_t *)from) {
                return PyLong_FromLong(i);
            }
        }
        Py_RETURN_NONE;
    }
    switch (row->type) {
    case TYPE_COUNT64:
        return PyLong_FromUnsignedLongLong(*(const uint64_t *)from);
    case TYPE_MS:
    case TYPE_COUNT:
    case TYPE_GENERATION:
        return PyLong_FromUnsignedLong(*(const uint32_t *)from);
    case TYPE_TTL:
        return face->strict
                   ? PyLong_FromUnsignedLong(*(const uint32_t *)from)
                   : PyLong_FromLong(*(const int32_t *)from < 0
                                         ? *(const int32_t *)from
                                         : (long)*(const uint32_t *)from);
    case TYPE_FLAG:
        return PyBool_FromLong(*(const bool *)from);
    case TYPE_PERCENT:
        return PyLong_FromLong(*(const int32_t *)from);
    default:
        return PyLong_FromLong(*(const uint8_t *)from);
    }
}

PyObject *
policy_show(ModState *state, const Face *face, aero_policy_kind kind,
            const aero_policy *policy)
{
    PyObject *dict = PyDict_New();

    (void)state;
    for (size_t i = 0; dict != NULL && i < AERO_POLICY_KEYS; i++) {
        PyObject *value;

        if ((rows[i].kinds >> kind & 1) == 0 || rows[i].type == TYPE_OBJECT) {
            continue;
        }
        value = show_row(face, &rows[i], policy);
        if (value == NULL ||
            PyDict_SetItemString(dict, rows[i].key, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    return dict;
}

/* Python objects to bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "aero/base/alloc.h"
#include "errors.h"
#include "value.h"

typedef enum Kind {
    KIND_NIL,
    KIND_BOOL,
    KIND_INT,
    KIND_FLOAT,
    KIND_STR,
    KIND_BYTES,
    KIND_BYTEARRAY,
    KIND_LIST,
    KIND_TUPLE,
    KIND_DICT,
    KIND_ORDERED,
    KIND_GEO,
    KIND_HLL,
    KIND_INFINITE,
    KIND_WILDCARD,
    KIND_NUMPY,
    KIND_OTHER
} Kind;

static bool
is_numpy_scalar(PyObject *value)
{
    const char *name = Py_TYPE(value)->tp_name;

    return strncmp(name, "numpy.", 6) == 0 && strcmp(name, "numpy.ndarray");
}

/* Everything that is not of one of the exact common types. */
static Kind
classify_rest(ModState *state, PyObject *value)
{
    if (value == Py_True || value == Py_False) {
        return KIND_BOOL;
    }
    if (is_numpy_scalar(value)) {
        return KIND_NUMPY;
    }
    if (PyObject_TypeCheck(value, state->GeoJSON) ||
        PyObject_TypeCheck(value, state->Geospatial)) {
        return KIND_GEO;
    }
    if (PyObject_TypeCheck(value, state->HyperLogLog)) {
        return KIND_HLL;
    }
    if (PyDict_Check(value)) {
        return PyObject_TypeCheck(value, state->KeyOrderedDict) ? KIND_ORDERED
                                                                : KIND_DICT;
    }
    if (PyLong_Check(value)) {
        return KIND_INT;
    }
    if (PyUnicode_Check(value)) {
        return KIND_STR;
    }
    if (PyFloat_Check(value)) {
        return KIND_FLOAT;
    }
    if (PyBytes_Check(value)) {
        return KIND_BYTES;
    }
    if (PyByteArray_Check(value)) {
        return KIND_BYTEARRAY;
    }
    if (PyList_Check(value)) {
        return KIND_LIST;
    }
    if (PyTuple_Check(value)) {
        return KIND_TUPLE;
    }
    if (PyObject_TypeCheck(value, state->null)) {
        return KIND_NIL;
    }
    if (PyObject_TypeCheck(value, state->CDTInfinite)) {
        return KIND_INFINITE;
    }
    return PyObject_TypeCheck(value, state->CDTWildcard) ? KIND_WILDCARD
                                                         : KIND_OTHER;
}

static inline Kind
classify(ModState *state, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);

    if (type == &PyLong_Type) {
        return KIND_INT;
    }
    if (type == &PyUnicode_Type) {
        return KIND_STR;
    }
    if (type == &PyFloat_Type) {
        return KIND_FLOAT;
    }
    if (type == &PyBytes_Type) {
        return KIND_BYTES;
    }
    if (value == Py_None) {
        return KIND_NIL;
    }
    if (type == &PyList_Type) {
        return KIND_LIST;
    }
    if (type == &PyDict_Type) {
        return KIND_DICT;
    }
    return classify_rest(state, value);
}

int
value_as_text(ModState *state, PyObject *value, aero_span *out)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(value, &len);

    if (text == NULL) {
        raise_error(state, EXC_ClientError,
                    "Unicode value not encoded in utf-8.");
        return -1;
    }
    *out = aero_span_of(text, (size_t)len);
    return 0;
}

int
value_as_int64(ModState *state, PyObject *value, const char *what,
               int64_t *out)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);

    if (overflow != 0) {
        raise_error(state, EXC_ParamOverflowError,
                    "integer value%s%s exceeds sys.maxsize",
                    what != NULL ? " for " : "", what != NULL ? what : "");
        return -1;
    }
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    *out = number;
    return 0;
}

PyObject *
value_unwrap(ModState *state, PyObject *value)
{
    PyObject *plain;

    if (!is_numpy_scalar(value)) {
        return Py_NewRef(value);
    }
    plain = PyObject_CallMethodNoArgs(value, state->str_item);
    if (plain != NULL && is_numpy_scalar(plain)) {
        /* longdouble, datetime64 and the like have no plain form */
        raise_param_type(state, "cannot store a %s", Py_TYPE(value)->tp_name);
        Py_CLEAR(plain);
    }
    return plain;
}

/* The bytes of a kind that is bytes; `hold` keeps what was made for it. */
static int
bytes_of(const Encoder *enc, PyObject *value, Kind kind, aero_span *out,
         PyObject **hold)
{
    PyObject *text;

    *hold = NULL;
    switch (kind) {
    case KIND_STR:
        return value_as_text(enc->state, value, out);
    case KIND_BYTES:
    case KIND_HLL:
        *out = aero_span_of(PyBytes_AS_STRING(value),
                            (size_t)PyBytes_GET_SIZE(value));
        return 0;
    case KIND_BYTEARRAY:
        *out = aero_span_of(PyByteArray_AS_STRING(value),
                            (size_t)PyByteArray_GET_SIZE(value));
        return 0;
    default: /* KIND_GEO */
        text = PyObject_Str(value);
        if (text == NULL || value_as_text(enc->state, text, out) < 0) {
            Py_XDECREF(text);
            return -1;
        }
        *hold = text;
        return 0;
    }
}

static uint8_t
particle_of(Kind kind)
{
    switch (kind) {
    case KIND_STR:
        return AERO_PARTICLE_STRING;
    case KIND_GEO:
        return AERO_PARTICLE_GEOJSON;
    case KIND_HLL:
        return AERO_PARTICLE_HLL;
    default:
        return AERO_PARTICLE_BLOB;
    }
}

/* ---- other types: the serializer, or no ---- */

/* A new reference to the bytes object that stands for the value. */
static PyObject *
serialize(const Encoder *enc, PyObject *value)
{
    PyObject *text;
    PyObject *bytes;

    if (enc->serializer == NULL) {
        if (enc->face->strict) {
            return raise_param(enc->state,
                               "Cannot serialize: SERIALIZER_NONE selected");
        }
        return raise_param_type(
            enc->state,
            "Unsupported type for Aerospike value: %s (Cannot serialize: "
            "SERIALIZER_NONE selected)",
            Py_TYPE(value)->tp_name);
    }
    text = PyObject_CallOneArg(enc->serializer, value);
    if (text == NULL) {
        return raise_error(enc->state, EXC_ClientError,
                           "Unable to call user's registered serializer "
                           "callback");
    }
    if (PyBytes_Check(text)) {
        return text;
    }
    if (!PyUnicode_Check(text)) {
        Py_DECREF(text);
        return raise_error(enc->state, EXC_ClientError,
                           "serializer must return a str or bytes");
    }
    bytes = PyUnicode_AsUTF8String(text);
    Py_DECREF(text);
    return bytes;
}

/* ---- packed ---- */

static int pack(const Encoder *enc, PyObject *value, aero_buf *out, int depth);

static int
check_depth(const Encoder *enc, int depth)
{
    if (depth < AERO_NEST_MAX) {
        return 0;
    }
    raise_param_value(enc->state,
                      "Value nesting exceeds the maximum depth of %d levels",
                      AERO_NEST_MAX);
    return -1;
}

static int
check_count(const Encoder *enc, Py_ssize_t count)
{
    if ((size_t)count < UINT32_MAX) {
        return 0;
    }
    raise_param_value(enc->state, "container is too large");
    return -1;
}

static int
pack_sequence(const Encoder *enc, PyObject *seq, aero_buf *out, int depth)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(seq);

    if (check_depth(enc, depth) < 0 || check_count(enc, count) < 0) {
        return -1;
    }
    aero_pack_list(out, (uint32_t)count);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item;
        int rc;

        if (PySequence_Fast_GET_SIZE(seq) != count) {
            raise_error(enc->state, EXC_ClientError,
                        "list changed while it was encoded");
            return -1;
        }
        item = Py_NewRef(PySequence_Fast_GET_ITEM(seq, i));
        rc = pack(enc, item, out, depth + 1);
        Py_DECREF(item);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

/* Where a pair begins, and its key. */
typedef struct Pair {
    size_t at;
    size_t end;
    size_t key_end;
    const aero_buf *buf;
} Pair;

/* The order of map keys: integers, strings, blobs (and any other by their
 * bytes, for the server to refuse). */
static int
compare_keys(aero_span a, aero_span b)
{
    aero_token x;
    aero_token y;

    if (!aero_token_take(&a, &x) || !aero_token_take(&b, &y)) {
        return 0;
    }
    if (x.kind != y.kind) {
        return x.kind < y.kind ? -1 : 1;
    }
    if (x.kind == AERO_TOKEN_INT) {
        return (x.number > y.number) - (x.number < y.number);
    }
    if (x.kind == AERO_TOKEN_RAW) {
        return aero_span_compare(x.bytes, y.bytes);
    }
    return 0;
}

static int
compare_pairs(const void *left, const void *right)
{
    const Pair *a = left;
    const Pair *b = right;

    return compare_keys(aero_span_of(a->buf->ptr + a->at, a->key_end - a->at),
                        aero_span_of(b->buf->ptr + b->at, b->key_end - b->at));
}

static bool
is_sorted(const Pair *pairs, Py_ssize_t count)
{
    for (Py_ssize_t i = 1; i < count; i++) {
        if (compare_pairs(&pairs[i - 1], &pairs[i]) > 0) {
            return false;
        }
    }
    return true;
}

/* Put the pairs that stand at the end of `out` into the order of their keys.
 */
static int
sort_pairs(const Encoder *enc, aero_buf *out, Pair *pairs, Py_ssize_t count)
{
    size_t first = count == 0 ? out->len : pairs[0].at;
    aero_buf sorted = AERO_BUF_INIT;

    if (out->failed || count < 2 || is_sorted(pairs, count)) {
        return 0;
    }
    qsort(pairs, (size_t)count, sizeof *pairs, compare_pairs);
    for (Py_ssize_t i = 0; i < count; i++) {
        aero_buf_put(&sorted, out->ptr + pairs[i].at,
                     pairs[i].end - pairs[i].at);
    }
    if (sorted.failed) {
        aero_buf_fini(&sorted);
        PyErr_NoMemory();
        return -1;
    }
    memcpy(out->ptr + first, sorted.ptr, sorted.len);
    aero_buf_fini(&sorted);
    (void)enc;
    return 0;
}

static int
pack_key(const Encoder *enc, PyObject *key, aero_buf *out, int depth)
{
    switch (classify(enc->state, key)) {
    case KIND_INT:
    case KIND_STR:
    case KIND_BYTES:
    case KIND_BYTEARRAY:
    case KIND_NUMPY:
        return pack(enc, key, out, depth);
    default:
        raise_param_type(enc->state,
                         "map key must be an int, str or bytes, not %s",
                         Py_TYPE(key)->tp_name);
        return -1;
    }
}

static int
pack_pairs(const Encoder *enc, PyObject *dict, aero_buf *out, Pair *pairs,
           Py_ssize_t count, int depth)
{
    Py_ssize_t pos = 0;
    Py_ssize_t n = 0;
    PyObject *key;
    PyObject *value;

    while (PyDict_Next(dict, &pos, &key, &value)) {
        Pair *pair = &pairs[n];
        int rc;

        if (n == count) {
            break;
        }
        Py_INCREF(key);
        Py_INCREF(value);
        pair->buf = out;
        pair->at = out->len;
        rc = pack_key(enc, key, out, depth + 1);
        pair->key_end = out->len;
        if (rc == 0) {
            rc = pack(enc, value, out, depth + 1);
        }
        pair->end = out->len;
        Py_DECREF(key);
        Py_DECREF(value);
        if (rc < 0) {
            return -1;
        }
        n++;
    }
    if (n != count || PyDict_GET_SIZE(dict) != count) {
        raise_error(enc->state, EXC_ClientError,
                    "dict changed while it was encoded");
        return -1;
    }
    return sort_pairs(enc, out, pairs, count);
}

static int
pack_dict(const Encoder *enc, PyObject *dict, bool ordered, aero_buf *out,
          int depth)
{
    Py_ssize_t count = PyDict_GET_SIZE(dict);
    Pair few[32];
    Pair *pairs = few;
    int rc;

    if (check_depth(enc, depth) < 0 || check_count(enc, count) < 0) {
        return -1;
    }
    if (count > 32) {
        pairs = aero_alloc_array((size_t)count, sizeof *pairs);
        if (pairs == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    aero_pack_map(out, (uint32_t)count + ordered);
    if (ordered) {
        aero_pack_map_flags(out, AERO_MAP_K_ORDERED);
    }
    rc = pack_pairs(enc, dict, out, pairs, count, depth);
    if (pairs != few) {
        aero_free(pairs);
    }
    return rc;
}

static int
pack_bytes(const Encoder *enc, PyObject *value, Kind kind, aero_buf *out)
{
    PyObject *hold;
    aero_span bytes;

    if (bytes_of(enc, value, kind, &bytes, &hold) < 0) {
        return -1;
    }
    aero_pack_raw(out, particle_of(kind), bytes);
    Py_XDECREF(hold);
    return 0;
}

static int
pack_other(const Encoder *enc, PyObject *value, Kind kind, aero_buf *out,
           int depth)
{
    PyObject *plain;
    int rc;

    if (kind == KIND_NUMPY) {
        plain = value_unwrap(enc->state, value);
        rc = plain == NULL ? -1 : pack(enc, plain, out, depth);
        Py_XDECREF(plain);
        return rc;
    }
    if (kind == KIND_TUPLE && enc->serializer == NULL && !enc->face->strict) {
        return pack_sequence(enc, value, out, depth);
    }
    if (enc->serializer == NULL && enc->face->strict) {
        raise_error(enc->state, EXC_ClientError,
                    "Unable to serialize unknown Python native type.");
        return -1;
    }
    plain = serialize(enc, value);
    if (plain == NULL) {
        return -1;
    }
    rc = pack_bytes(enc, plain, KIND_BYTES, out);
    Py_DECREF(plain);
    return rc;
}

static int
pack_special(const Encoder *enc, Kind kind, aero_buf *out)
{
    if (!enc->allow_special) {
        raise_error(enc->state, EXC_ClientError, "Invalid value type: 14");
        return -1;
    }
    if (kind == KIND_INFINITE) {
        aero_pack_infinite(out);
    }
    else {
        aero_pack_wildcard(out);
    }
    return 0;
}

static int
pack(const Encoder *enc, PyObject *value, aero_buf *out, int depth)
{
    Kind kind = classify(enc->state, value);
    int64_t number;

    switch (kind) {
    case KIND_NIL:
        aero_pack_nil(out);
        return 0;
    case KIND_BOOL:
        if (enc->bool_as_int) {
            aero_pack_int(out, value == Py_True);
        }
        else {
            aero_pack_bool(out, value == Py_True);
        }
        return 0;
    case KIND_INT:
        if (value_as_int64(enc->state, value, NULL, &number) < 0) {
            return -1;
        }
        aero_pack_int(out, number);
        return 0;
    case KIND_FLOAT:
        aero_pack_double(out, PyFloat_AS_DOUBLE(value));
        return 0;
    case KIND_STR:
    case KIND_BYTES:
    case KIND_BYTEARRAY:
    case KIND_GEO:
    case KIND_HLL:
        return pack_bytes(enc, value, kind, out);
    case KIND_LIST:
        return pack_sequence(enc, value, out, depth);
    case KIND_DICT:
    case KIND_ORDERED:
        return pack_dict(enc, value, kind == KIND_ORDERED, out, depth);
    case KIND_INFINITE:
    case KIND_WILDCARD:
        return pack_special(enc, kind, out);
    case KIND_TUPLE:
    case KIND_NUMPY:
    case KIND_OTHER:
        break;
    }
    return pack_other(enc, value, kind, out, depth);
}

int
value_pack(const Encoder *enc, PyObject *value, aero_buf *out)
{
    return pack(enc, value, out, 0);
}

int
value_pack_items(const Encoder *enc, PyObject *dict, aero_buf *out)
{
    return pack_dict(enc, dict, false, out, 0);
}

/* ---- particles ---- */

static int
put_bytes(const Encoder *enc, PyObject *value, Kind kind, aero_buf *out,
          uint8_t *particle)
{
    PyObject *hold;
    aero_span bytes;

    if (bytes_of(enc, value, kind, &bytes, &hold) < 0) {
        return -1;
    }
    *particle = particle_of(kind);
    if (kind == KIND_GEO) {
        aero_geojson_put(out, bytes);
    }
    else {
        aero_buf_put_span(out, bytes);
    }
    Py_XDECREF(hold);
    return 0;
}

static int
put_other(const Encoder *enc, PyObject *value, Kind kind, aero_buf *out,
          uint8_t *particle)
{
    PyObject *plain;
    int rc;

    if (kind == KIND_NUMPY) {
        plain = value_unwrap(enc->state, value);
        rc = plain == NULL ? -1 : value_put(enc, plain, out, particle);
        Py_XDECREF(plain);
        return rc;
    }
    if (kind == KIND_TUPLE && enc->serializer == NULL && !enc->face->strict) {
        *particle = AERO_PARTICLE_LIST;
        return pack_sequence(enc, value, out, 0);
    }
    plain = serialize(enc, value);
    rc = plain == NULL ? -1 : put_bytes(enc, plain, KIND_BYTES, out, particle);
    Py_XDECREF(plain);
    return rc;
}

int
value_put(const Encoder *enc, PyObject *value, aero_buf *out,
          uint8_t *particle)
{
    Kind kind = classify(enc->state, value);
    int64_t number;

    switch (kind) {
    case KIND_NIL:
        *particle = AERO_PARTICLE_NIL;
        return 0;
    case KIND_BOOL:
        *particle = AERO_PARTICLE_BOOL;
        if (enc->bool_as_int) {
            *particle = AERO_PARTICLE_INTEGER;
            aero_buf_put_u64(out, value == Py_True);
        }
        else {
            aero_buf_put_u8(out, value == Py_True);
        }
        return 0;
    case KIND_INT:
        if (value_as_int64(enc->state, value, NULL, &number) < 0) {
            return -1;
        }
        *particle = AERO_PARTICLE_INTEGER;
        aero_buf_put_u64(out, (uint64_t)number);
        return 0;
    case KIND_FLOAT:
        *particle = AERO_PARTICLE_FLOAT;
        aero_buf_put_f64(out, PyFloat_AS_DOUBLE(value));
        return 0;
    case KIND_STR:
    case KIND_BYTES:
    case KIND_BYTEARRAY:
    case KIND_GEO:
    case KIND_HLL:
        return put_bytes(enc, value, kind, out, particle);
    case KIND_LIST:
        *particle = AERO_PARTICLE_LIST;
        return pack_sequence(enc, value, out, 0);
    case KIND_DICT:
    case KIND_ORDERED:
        *particle = AERO_PARTICLE_MAP;
        return pack_dict(enc, value, kind == KIND_ORDERED, out, 0);
    case KIND_INFINITE:
    case KIND_WILDCARD:
        raise_error(enc->state, EXC_ClientError, "Invalid value type: 14");
        return -1;
    case KIND_TUPLE:
    case KIND_NUMPY:
    case KIND_OTHER:
        break;
    }
    return put_other(enc, value, kind, out, particle);
}

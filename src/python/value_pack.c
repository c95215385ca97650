/* Python objects to packed items of lists, maps and arguments.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "errors.h"
#include "value_kind.h"

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
sort_pairs(aero_buf *out, Pair *pairs, Py_ssize_t count)
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
    return sort_pairs(out, pairs, count);
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
    plain = value_serialize(enc, value);
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
        if (kind_int(enc, value, &number) < 0) {
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
value_pack_sequence(const Encoder *enc, PyObject *seq, aero_buf *out)
{
    return pack_sequence(enc, seq, out, 0);
}

int
value_pack_map(const Encoder *enc, PyObject *dict, bool ordered, aero_buf *out)
{
    return pack_dict(enc, dict, ordered, out, 0);
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

/* Bytes to Python objects.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "errors.h"
#include "value.h"

static PyObject *
bad_bytes(const Decoder *dec, const char *what)
{
    return raise_error(dec->state, EXC_ClientError,
                       "the server sent a malformed %s", what);
}

/* ---- names ---- */

static inline uint64_t
load_8(const uint8_t *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof word);
    return word;
}

static inline uint32_t
load_4(const uint8_t *from)
{
    uint32_t word;

    memcpy(&word, from, sizeof word);
    return word;
}

/* Names have at most 15 bytes: their first and their last word, which may
 * overlap, are all of it. */
static inline size_t
hash_name(aero_span name)
{
    uint64_t words = name.len;

    if (name.len >= 8) {
        words += load_8(name.ptr) ^ load_8(name.ptr + name.len - 8) << 1;
    }
    else if (name.len >= 4) {
        words +=
            (uint64_t)load_4(name.ptr) << 32 | load_4(name.ptr + name.len - 4);
    }
    else {
        for (size_t i = 0; i < name.len; i++) {
            words = words << 8 | name.ptr[i];
        }
    }
    return (size_t)(words * UINT64_C(0x9e3779b97f4a7c15) >> 40);
}

static inline bool
same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
    if (len > 16) {
        return memcmp(a, b, len) == 0;
    }
    if (len >= 8) {
        return load_8(a) == load_8(b) &&
               load_8(a + len - 8) == load_8(b + len - 8);
    }
    if (len >= 4) {
        return load_4(a) == load_4(b) &&
               load_4(a + len - 4) == load_4(b + len - 4);
    }
    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

static inline bool
is_name(PyObject *known, aero_span name)
{
    return PyUnicode_IS_COMPACT_ASCII(known) &&
           (size_t)PyUnicode_GET_LENGTH(known) == name.len &&
           same_bytes(PyUnicode_DATA(known), name.ptr, name.len);
}

PyObject *
value_name(ModState *state, aero_span name)
{
    _Atomic(PyObject *) *slot =
        &state->names[hash_name(name) & (NAME_CACHE - 1)];
    PyObject *known = atomic_load_explicit(slot, memory_order_acquire);
    PyObject *made;

    if (known != NULL && is_name(known, name)) {
        return Py_NewRef(known);
    }
    made = PyUnicode_DecodeUTF8((const char *)name.ptr, (Py_ssize_t)name.len,
                                "replace");
    if (made == NULL) {
        return NULL;
    }
    PyUnicode_InternInPlace(&made);
    if (known == NULL && PyUnicode_IS_COMPACT_ASCII(made)) {
        PyObject *nobody = NULL;

        Py_INCREF(made);
        if (!atomic_compare_exchange_strong(slot, &nobody, made)) {
            Py_DECREF(made);
        }
    }
    return made;
}

/* ---- scalars ---- */

static PyObject *
take_text(const Decoder *dec, aero_span bytes)
{
    PyObject *text = PyUnicode_DecodeUTF8((const char *)bytes.ptr,
                                          (Py_ssize_t)bytes.len, NULL);

    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        return raise_error(dec->state, EXC_ClientError,
                           "a string of the record is not UTF-8");
    }
    return text;
}

static PyObject *
new_bytes(aero_span bytes)
{
    return PyBytes_FromStringAndSize((const char *)bytes.ptr,
                                     (Py_ssize_t)bytes.len);
}

/* What the deserializer makes of it, or the bytes if it cannot. */
static PyObject *
take_blob(const Decoder *dec, aero_span bytes)
{
    PyObject *text;
    PyObject *made = NULL;

    if (dec->deserializer == NULL) {
        return new_bytes(bytes);
    }
    text = PyUnicode_DecodeUTF8((const char *)bytes.ptr, (Py_ssize_t)bytes.len,
                                NULL);
    if (text != NULL) {
        made = PyObject_CallOneArg(dec->deserializer, text);
        Py_DECREF(text);
    }
    if (made == NULL && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear();
        return new_bytes(bytes);
    }
    return made;
}

static PyObject *
take_geo(const Decoder *dec, aero_span text)
{
    PyTypeObject *type =
        dec->face->strict ? dec->state->Geospatial : dec->state->GeoJSON;
    PyObject *str = take_text(dec, text);
    PyObject *made;

    if (str == NULL) {
        return NULL;
    }
    made = PyObject_CallMethodOneArg((PyObject *)type, dec->state->str__read,
                                     str);
    Py_DECREF(str);
    return made;
}

static PyObject *
take_hll(const Decoder *dec, aero_span bytes)
{
    PyObject *plain = new_bytes(bytes);
    PyObject *made;

    if (plain == NULL) {
        return NULL;
    }
    made = PyObject_CallOneArg((PyObject *)dec->state->HyperLogLog, plain);
    Py_DECREF(plain);
    return made;
}

/* ---- packed ---- */

static PyObject *take_token(const Decoder *dec, aero_span *in, int depth);

static PyObject *
take_raw(const Decoder *dec, aero_span raw)
{
    aero_span bytes;

    if (raw.len == 0) {
        return new_bytes(raw); /* no type byte: an empty blob */
    }
    bytes = aero_span_skip(raw, 1);
    switch (raw.ptr[0]) {
    case AERO_PARTICLE_STRING:
        return take_text(dec, bytes);
    case AERO_PARTICLE_GEOJSON:
        return take_geo(dec, bytes);
    case AERO_PARTICLE_HLL:
        return take_hll(dec, bytes);
    default:
        return take_blob(dec, bytes);
    }
}

static PyObject *
take_list(const Decoder *dec, aero_span *in, uint32_t count, int depth)
{
    uint8_t flags;
    PyObject *list;

    if (depth >= AERO_NEST_MAX) {
        return bad_bytes(dec, "list: it is nested too deep");
    }
    if (!aero_token_take_flags(in, false, &count, &flags)) {
        return bad_bytes(dec, "list");
    }
    list = PyList_New(count);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = take_token(dec, in, depth + 1);

        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static int
add_pair(const Decoder *dec, PyObject *dict, PyObject *key, PyObject *value)
{
    int rc = PyDict_SetItem(dict, key, value);

    if (rc < 0 && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        raise_error(dec->state, EXC_ClientError,
                    "Unable to use unhashable type as a dictionary key");
    }
    return rc;
}

/* Pairs in the order of a result: (key, value) tuples, or one flat list on the
 * strict face. */
static int
append_pair(const Decoder *dec, PyObject *list, PyObject *key, PyObject *value)
{
    PyObject *pair;
    int rc;

    if (dec->face->strict) {
        return PyList_Append(list, key) < 0 ? -1 : PyList_Append(list, value);
    }
    pair = PyTuple_Pack(2, key, value);
    rc = pair == NULL ? -1 : PyList_Append(list, pair);
    Py_XDECREF(pair);
    return rc;
}

static PyObject *
take_pairs(const Decoder *dec, aero_span *in, uint32_t count, PyObject *into,
           int depth)
{
    bool is_list = PyList_Check(into);

    for (uint32_t i = 0; i < count; i++) {
        PyObject *key = take_token(dec, in, depth + 1);
        PyObject *value = key == NULL ? NULL : take_token(dec, in, depth + 1);
        int rc = -1;

        if (value != NULL) {
            rc = is_list ? append_pair(dec, into, key, value)
                         : add_pair(dec, into, key, value);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (rc < 0) {
            Py_DECREF(into);
            return NULL;
        }
    }
    return into;
}

static PyObject *
take_map(const Decoder *dec, aero_span *in, uint32_t count, int depth)
{
    uint8_t flags;
    PyObject *into;

    if (depth >= AERO_NEST_MAX) {
        return bad_bytes(dec, "map: it is nested too deep");
    }
    if (!aero_token_take_flags(in, true, &count, &flags)) {
        return bad_bytes(dec, "map");
    }
    if ((flags & AERO_MAP_PRESERVE_ORDER) != 0) {
        into = PyList_New(0);
    }
    else if ((flags & (AERO_MAP_K_ORDERED | AERO_MAP_V_ORDERED)) ==
             AERO_MAP_K_ORDERED) {
        into = PyObject_CallNoArgs((PyObject *)dec->state->KeyOrderedDict);
    }
    else {
        into = PyDict_New();
    }
    return into == NULL ? NULL : take_pairs(dec, in, count, into, depth);
}

static PyObject *
take_ext(const Decoder *dec, const aero_token *token)
{
    if (token->ext_type == AERO_EXT_SPECIAL && token->bytes.len == 1) {
        PyTypeObject *type = token->bytes.ptr[0] == AERO_EXT_INFINITE
                                 ? dec->state->CDTInfinite
                                 : dec->state->CDTWildcard;

        return PyObject_CallNoArgs((PyObject *)type);
    }
    return new_bytes(token->bytes);
}

static PyObject *
take_token(const Decoder *dec, aero_span *in, int depth)
{
    aero_token token;

    if (!aero_token_take(in, &token)) {
        return bad_bytes(dec, "list or map");
    }
    switch (token.kind) {
    case AERO_TOKEN_NIL:
        return Py_NewRef(Py_None);
    case AERO_TOKEN_BOOL:
        return PyBool_FromLong(token.truth);
    case AERO_TOKEN_INT:
        return PyLong_FromLongLong(token.number);
    case AERO_TOKEN_UINT:
        return PyLong_FromUnsignedLongLong(token.big);
    case AERO_TOKEN_DOUBLE:
        return PyFloat_FromDouble(token.real);
    case AERO_TOKEN_RAW:
        return take_raw(dec, token.bytes);
    case AERO_TOKEN_LIST:
        return take_list(dec, in, token.count, depth);
    case AERO_TOKEN_MAP:
        return take_map(dec, in, token.count, depth);
    case AERO_TOKEN_EXT:
        break;
    }
    return take_ext(dec, &token);
}

PyObject *
value_unpack(const Decoder *dec, aero_span packed)
{
    PyObject *value = take_token(dec, &packed, 0);

    if (value != NULL && packed.len != 0) {
        Py_DECREF(value);
        return bad_bytes(dec, "value: bytes are left over");
    }
    return value;
}

/* ---- particles ---- */

PyObject *
value_take(const Decoder *dec, uint8_t particle, aero_span bytes)
{
    int64_t number;
    aero_span text;

    switch (particle) {
    case AERO_PARTICLE_NIL:
        return Py_NewRef(Py_None);
    case AERO_PARTICLE_INTEGER:
        return aero_integer_take(bytes, &number) ? PyLong_FromLongLong(number)
                                                 : bad_bytes(dec, "integer");
    case AERO_PARTICLE_FLOAT:
        return bytes.len == 8 ? PyFloat_FromDouble(aero_get_f64(bytes.ptr))
                              : bad_bytes(dec, "float");
    case AERO_PARTICLE_STRING:
        return take_text(dec, bytes);
    case AERO_PARTICLE_BOOL:
        return bytes.len == 1 ? PyBool_FromLong(bytes.ptr[0])
                              : bad_bytes(dec, "bool");
    case AERO_PARTICLE_HLL:
        return take_hll(dec, bytes);
    case AERO_PARTICLE_GEOJSON:
        return aero_geojson_take(bytes, &text) ? take_geo(dec, text)
                                               : bad_bytes(dec, "GeoJSON");
    case AERO_PARTICLE_LIST:
    case AERO_PARTICLE_MAP:
        return dec->packed ? new_bytes(bytes) : value_unpack(dec, bytes);
    case AERO_PARTICLE_BLOB:
        return take_blob(dec, bytes);
    default: /* blobs of other languages, and what is yet to come */
        return new_bytes(bytes);
    }
}

/* Packed lists and maps to Python objects, in one pass over the bytes.
 *
 * What records are full of (integers, strings, doubles, short containers) is
 * told by its first byte here; the rest goes through wire's tokens.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "errors.h"
#include "value_out.h"

#include "aero/base/bytes.h"

static PyObject *take_item(const Decoder *dec, aero_span *in, int depth);

static inline PyObject *
new_int(int64_t number)
{
    return sizeof(long) == sizeof number ? PyLong_FromLong((long)number)
                                         : PyLong_FromLongLong(number);
}

static PyObject *
take_raw(const Decoder *dec, aero_span raw)
{
    aero_span bytes;

    if (raw.len == 0) {
        return value_bytes(raw); /* no type byte: an empty blob */
    }
    bytes = aero_span_skip(raw, 1);
    switch (raw.ptr[0]) {
    case AERO_PARTICLE_STRING:
        return value_text(dec, bytes);
    case AERO_PARTICLE_GEOJSON:
        return value_geo(dec, bytes);
    case AERO_PARTICLE_HLL:
        return value_hll(dec, bytes);
    default:
        return value_blob(dec, bytes);
    }
}

static PyObject *
take_list(const Decoder *dec, aero_span *in, uint32_t count, int depth)
{
    uint8_t flags;
    PyObject *list;

    if (depth >= AERO_NEST_MAX) {
        return value_malformed(dec, "list: it is nested too deep");
    }
    if (!aero_token_take_flags(in, false, &count, &flags)) {
        return value_malformed(dec, "list");
    }
    list = PyList_New(count);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = take_item(dec, in, depth + 1);

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

/* Mostly a short string, which may have been seen before. */
static inline PyObject *
take_key(const Decoder *dec, aero_span *in, int depth)
{
    size_t len = in->len == 0 ? 0 : in->ptr[0] - (size_t)0xa0;

    /* a1 to bf: so many bytes, of which the first is the particle */
    if (len - 1 < 0x1f && len < in->len &&
        in->ptr[1] == AERO_PARTICLE_STRING) {
        aero_span text = {in->ptr + 2, len - 1};

        *in = aero_span_skip(*in, 1 + len);
        return value_key(dec, text);
    }
    return take_item(dec, in, depth);
}

static PyObject *
take_pairs(const Decoder *dec, aero_span *in, uint32_t count, PyObject *into,
           int depth)
{
    bool is_list = PyList_Check(into);

    for (uint32_t i = 0; i < count; i++) {
        PyObject *key = take_key(dec, in, depth + 1);
        PyObject *value = key == NULL ? NULL : take_item(dec, in, depth + 1);
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
        return value_malformed(dec, "map: it is nested too deep");
    }
    if (!aero_token_take_flags(in, true, &count, &flags)) {
        return value_malformed(dec, "map");
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
    return value_bytes(token->bytes);
}

static PyObject *
take_token(const Decoder *dec, aero_span *in, int depth)
{
    aero_token token;

    if (!aero_token_take(in, &token)) {
        return value_malformed(dec, "list or map");
    }
    switch (token.kind) {
    case AERO_TOKEN_NIL:
        return Py_NewRef(Py_None);
    case AERO_TOKEN_BOOL:
        return PyBool_FromLong(token.truth);
    case AERO_TOKEN_INT:
        return new_int(token.number);
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

/* An integer of a known size; false: it is another item, or cut. */
static inline bool
take_int(aero_span *in, int64_t *number)
{
    const uint8_t *p = in->ptr + 1;
    uint8_t lead = in->ptr[0];
    unsigned size = 1U << (lead & 3);

    if (in->len <= size) {
        return false;
    }
    switch (lead) {
    case 0xcc:
        *number = p[0];
        break;
    case 0xcd:
        *number = aero_get_u16(p);
        break;
    case 0xce:
        *number = aero_get_u32(p);
        break;
    case 0xd0:
        *number = (int8_t)p[0];
        break;
    case 0xd1:
        *number = (int16_t)aero_get_u16(p);
        break;
    case 0xd2:
        *number = (int32_t)aero_get_u32(p);
        break;
    case 0xd3:
        *number = (int64_t)aero_get_u64(p);
        break;
    default:
        return false;
    }
    *in = aero_span_skip(*in, 1 + (size_t)size);
    return true;
}

static PyObject *
take_item(const Decoder *dec, aero_span *in, int depth)
{
    uint8_t lead;
    int64_t number;

    if (in->len == 0) {
        return value_malformed(dec, "list or map");
    }
    lead = in->ptr[0];
    if (lead < 0x80 || lead >= 0xe0) {
        *in = aero_span_skip(*in, 1);
        return PyLong_FromLong((int8_t)lead);
    }
    if (lead > 0xa0 && lead < 0xc0 && (lead & 0x1f) < in->len) {
        aero_span raw = {in->ptr + 1, lead & 0x1f};

        *in = aero_span_skip(*in, 1 + raw.len);
        return take_raw(dec, raw);
    }
    if (lead >= 0xcc && take_int(in, &number)) {
        return new_int(number);
    }
    if (lead == 0xcb && in->len > 8) {
        double real = aero_get_f64(in->ptr + 1);

        *in = aero_span_skip(*in, 9);
        return PyFloat_FromDouble(real);
    }
    return take_token(dec, in, depth);
}

PyObject *
value_unpack(const Decoder *dec, aero_span packed)
{
    PyObject *value = take_item(dec, &packed, 0);

    if (value != NULL && packed.len != 0) {
        Py_DECREF(value);
        return value_malformed(dec, "value: bytes are left over");
    }
    return value;
}

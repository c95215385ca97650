/* Python objects to particles.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "errors.h"
#include "value_kind.h"

/* Everything that is not of one of the exact common types. */
Kind
value_classify_rest(ModState *state, PyObject *value)
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

int
value_as_text(ModState *state, PyObject *value, aero_span *out)
{
    Py_ssize_t len;
    const char *text;

    if (PyUnicode_Check(value) && PyUnicode_IS_COMPACT_ASCII(value)) {
        *out = aero_span_of(PyUnicode_DATA(value),
                            (size_t)PyUnicode_GET_LENGTH(value));
        return 0;
    }
    text = PyUnicode_AsUTF8AndSize(value, &len);
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

/* ---- other types: the serializer, or no ---- */

/* A new reference to the bytes object that stands for the value. */
PyObject *
value_serialize(const Encoder *enc, PyObject *value)
{
    PyObject *text;
    PyObject *bytes;

    if (enc->serializer == NULL) {
        if (enc->face->strict && enc->in_put) {
            return raise_param(enc->state,
                               "Cannot serialize: SERIALIZER_NONE selected");
        }
        if (enc->face->strict) {
            return raise_error(
                enc->state, EXC_ClientError,
                "Unable to serialize unknown Python native type.");
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
        return value_pack_sequence(enc, value, out);
    }
    plain = value_serialize(enc, value);
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
        if (kind_int(enc, value, &number) < 0) {
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
        return value_pack_sequence(enc, value, out);
    case KIND_DICT:
    case KIND_ORDERED:
        *particle = AERO_PARTICLE_MAP;
        return value_pack_map(enc, value, kind == KIND_ORDERED, out);
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

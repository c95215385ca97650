/* What kind of value a Python object is, and the bytes of those that are
 * bytes: what value_in.c and value_pack.c share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_VALUE_KIND_H
#define AERO_PYTHON_VALUE_KIND_H

#include <string.h>

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

static inline bool
is_numpy_scalar(PyObject *value)
{
    const char *name = Py_TYPE(value)->tp_name;

    return strncmp(name, "numpy.", 6) == 0 && strcmp(name, "numpy.ndarray");
}

/* Everything that is not of one of the exact common types. */
Kind value_classify_rest(ModState *state, PyObject *value);

/* A new reference to the bytes object by which the serializer stands for the
 * value; NULL with an exception. */
PyObject *value_serialize(const Encoder *enc, PyObject *value);

/* value_as_int64, without a call for what fits. */
static inline int
kind_int(const Encoder *enc, PyObject *value, int64_t *out)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);

    if (number != -1 && overflow == 0) {
        *out = number;
        return 0;
    }
    return value_as_int64(enc->state, value, NULL, out);
}

/* A sequence (list or tuple) or dict with nothing around it. */
int value_pack_sequence(const Encoder *enc, PyObject *seq, aero_buf *out);
int value_pack_map(const Encoder *enc, PyObject *dict, bool ordered,
                   aero_buf *out);

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
    return value_classify_rest(state, value);
}

/* The bytes of a kind that is bytes; `hold` keeps what was made for it. */
static inline int
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

static inline uint8_t
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

#endif

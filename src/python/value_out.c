/* Values of bins to Python objects.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "errors.h"
#include "value_out.h"

PyObject *
value_malformed(const Decoder *dec, const char *what)
{
    return raise_error(dec->state, EXC_ClientError,
                       "the server sent a malformed %s", what);
}

/* ---- scalars ---- */

PyObject *
value_bytes(aero_span bytes)
{
    return PyBytes_FromStringAndSize((const char *)bytes.ptr,
                                     (Py_ssize_t)bytes.len);
}

/* What the deserializer makes of it, or the bytes if it cannot. */
PyObject *
value_blob(const Decoder *dec, aero_span bytes)
{
    PyObject *text;
    PyObject *made = NULL;

    if (dec->deserializer == NULL) {
        return value_bytes(bytes);
    }
    text = PyUnicode_DecodeUTF8((const char *)bytes.ptr, (Py_ssize_t)bytes.len,
                                NULL);
    if (text != NULL) {
        made = PyObject_CallOneArg(dec->deserializer, text);
        Py_DECREF(text);
    }
    if (made == NULL && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear();
        return value_bytes(bytes);
    }
    return made;
}

PyObject *
value_geo(const Decoder *dec, aero_span text)
{
    PyTypeObject *type =
        dec->face->strict ? dec->state->Geospatial : dec->state->GeoJSON;
    PyObject *str = value_text(dec, text);
    PyObject *made;

    if (str == NULL) {
        return NULL;
    }
    made = PyObject_CallMethodOneArg((PyObject *)type, dec->state->str__read,
                                     str);
    Py_DECREF(str);
    return made;
}

PyObject *
value_hll(const Decoder *dec, aero_span bytes)
{
    PyObject *plain = value_bytes(bytes);
    PyObject *made;

    if (plain == NULL) {
        return NULL;
    }
    made = PyObject_CallOneArg((PyObject *)dec->state->HyperLogLog, plain);
    Py_DECREF(plain);
    return made;
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
        return aero_integer_take(bytes, &number)
                   ? PyLong_FromLongLong(number)
                   : value_malformed(dec, "integer");
    case AERO_PARTICLE_FLOAT:
        return bytes.len == 8 ? PyFloat_FromDouble(aero_get_f64(bytes.ptr))
                              : value_malformed(dec, "float");
    case AERO_PARTICLE_STRING:
        return value_text(dec, bytes);
    case AERO_PARTICLE_BOOL:
        return bytes.len == 1 ? PyBool_FromLong(bytes.ptr[0])
                              : value_malformed(dec, "bool");
    case AERO_PARTICLE_HLL:
        return value_hll(dec, bytes);
    case AERO_PARTICLE_GEOJSON:
        return aero_geojson_take(bytes, &text)
                   ? value_geo(dec, text)
                   : value_malformed(dec, "GeoJSON");
    case AERO_PARTICLE_LIST:
    case AERO_PARTICLE_MAP:
        return dec->packed ? value_bytes(bytes) : value_unpack(dec, bytes);
    case AERO_PARTICLE_BLOB:
        return value_blob(dec, bytes);
    default: /* blobs of other languages, and what is yet to come */
        return value_bytes(bytes);
    }
}

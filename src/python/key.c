/* Keys.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "errors.h"
#include "key.h"
#include "value.h"

static int
take_name(ModState *state, PyObject *obj, const char *what, aero_span *out)
{
    if (!PyUnicode_Check(obj)) {
        raise_param_type(state, "%s must be a string", what);
        return -1;
    }
    return value_as_text(state, obj, out);
}

/* The strict face cuts texts at a NUL, as that client does with keys. */
static aero_span
cut_at_nul(const Face *face, aero_span text)
{
    const void *nul =
        face->strict && text.len != 0 ? memchr(text.ptr, 0, text.len) : NULL;

    if (nul != NULL) {
        text.len = (size_t)((const uint8_t *)nul - text.ptr);
    }
    return text;
}

static int
take_int_key(ModState *state, PyObject *user, aero_key *key)
{
    int64_t number;

    if (value_as_int64(state, user, "KEY", &number) < 0) {
        return -1;
    }
    aero_key_set_int(key, number);
    return 0;
}

static int
take_other_key(ModState *state, const Face *face, PyObject *user,
               aero_key *key)
{
    PyObject *plain;
    int rc = -1;

    if (face->strict && PyByteArray_Check(user) &&
        PyByteArray_GET_SIZE(user) == 0) {
        raise_param_value(state, "Byte array size cannot be 0");
        return -1;
    }
    if (PyByteArray_Check(user) && PyByteArray_GET_SIZE(user) > 0) {
        key->particle = AERO_PARTICLE_BLOB;
        key->value = aero_span_of(PyByteArray_AS_STRING(user),
                                  (size_t)PyByteArray_GET_SIZE(user));
        return 0;
    }
    if (PyBytes_Check(user)) {
        /* bytes hash as a string does: both peers agree on it. */
        key->particle = AERO_PARTICLE_STRING;
        key->value =
            cut_at_nul(face, aero_span_of(PyBytes_AS_STRING(user),
                                          (size_t)PyBytes_GET_SIZE(user)));
        return 0;
    }
    plain = value_unwrap(state, user); /* NumPy integers */
    if (plain == NULL) {
        return -1;
    }
    if (plain != user && PyLong_CheckExact(plain)) {
        rc = take_int_key(state, plain, key);
    }
    else {
        raise_param_value(state, "key is invalid");
    }
    Py_DECREF(plain);
    return rc;
}

static int
take_user_key(ModState *state, const Face *face, PyObject *user, aero_key *key)
{
    aero_span text;

    if (PyUnicode_Check(user)) {
        if (value_as_text(state, user, &text) < 0) {
            return -1;
        }
        key->particle = AERO_PARTICLE_STRING;
        key->value = cut_at_nul(face, text);
        return 0;
    }
    if (PyLong_Check(user) && (face->strict || !PyBool_Check(user))) {
        return take_int_key(state, user, key);
    }
    return take_other_key(state, face, user, key);
}

static int
take_digest(ModState *state, const Face *face, PyObject *digest, aero_key *key)
{
    const char *bytes = NULL;
    Py_ssize_t len = 0;

    if (PyByteArray_Check(digest)) {
        bytes = PyByteArray_AS_STRING(digest);
        len = PyByteArray_GET_SIZE(digest);
    }
    else if (PyBytes_Check(digest) && !face->strict) {
        bytes = PyBytes_AS_STRING(digest);
        len = PyBytes_GET_SIZE(digest);
    }
    else {
        raise_param_type(state, "digest is invalid. expected a bytearray");
        return -1;
    }
    if (len != AERO_DIGEST_SIZE) {
        raise_param_value(
            state,
            "digest size is invalid. should be %d bytes, but received %zd",
            AERO_DIGEST_SIZE, len);
        return -1;
    }
    memcpy(key->digest, bytes, AERO_DIGEST_SIZE);
    return 0;
}

static int
take_place(ModState *state, const Face *face, PyObject *ns, PyObject *set,
           aero_key *key)
{
    if (take_name(state, ns, "namespace", &key->ns) < 0) {
        return -1;
    }
    if (face->strict && key->ns.len > AERO_NAMESPACE_MAX) {
        raise_param_value(state, "key is invalid");
        return -1;
    }
    if (key->ns.len > AERO_NAMESPACE_MAX) {
        raise_error(state, EXC_NamespaceNotFound,
                    "namespace '%U' is longer than %d bytes", ns,
                    AERO_NAMESPACE_MAX);
        return -1;
    }
    key->set = aero_span_of(NULL, 0);
    if (set != Py_None && take_name(state, set, "set", &key->set) < 0) {
        return -1;
    }
    if (face->strict && key->set.len > AERO_SET_MAX) {
        raise_param_value(state, "key is invalid");
        return -1;
    }
    return 0;
}

int
key_take_parts(ModState *state, const Face *face, PyObject *ns, PyObject *set,
               PyObject *user, aero_key *key)
{
    if (take_place(state, face, ns, set, key) < 0 ||
        take_user_key(state, face, user, key) < 0) {
        return -1;
    }
    aero_digest(key->set, key->particle, key->value, key->digest);
    return 0;
}

static int
take_tuple(ModState *state, const Face *face, PyObject *tuple, aero_key *key,
           KeyParts *parts)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);

    if (size != 3 && size != 4) {
        raise_param_value(state, "key tuple must be (Namespace, Set, Key) or "
                                 "(Namespace, Set, None, Digest)");
        return -1;
    }
    parts->ns = PyTuple_GET_ITEM(tuple, 0);
    parts->set = PyTuple_GET_ITEM(tuple, 1);
    parts->user = PyTuple_GET_ITEM(tuple, 2);
    if (parts->user != Py_None) {
        return take_place(state, face, parts->ns, parts->set, key) < 0
                   ? -1
                   : take_user_key(state, face, parts->user, key);
    }
    if (take_place(state, face, parts->ns, parts->set, key) < 0) {
        return -1;
    }
    if (size == 3 || PyTuple_GET_ITEM(tuple, 3) == Py_None) {
        raise_param_value(state, "either key or digest is required");
        return -1;
    }
    key->particle = AERO_PARTICLE_NIL;
    return take_digest(state, face, PyTuple_GET_ITEM(tuple, 3), key);
}

/* {"ns": ..., "set": ..., "key": ..., "digest": ...}: what the official
 * client's single-record methods take as well. */
static int
take_dict(ModState *state, const Face *face, PyObject *dict, aero_key *key,
          KeyParts *parts)
{
    static const char *const names[] = {"ns", "set", "key", "digest"};
    PyObject *items[4];
    PyObject *tuple;
    int rc;

    for (int i = 0; i < 4; i++) {
        PyObject *item = PyDict_GetItemString(dict, names[i]);

        items[i] = item != NULL ? item : Py_None;
    }
    tuple = PyTuple_Pack(4, items[0], items[1], items[2], items[3]);
    if (tuple == NULL) {
        return -1;
    }
    rc = take_tuple(state, face, tuple, key, parts);
    Py_DECREF(tuple); /* the dict holds the parts */
    return rc;
}

int
key_read(ModState *state, const Face *face, PyObject *obj, aero_key *key,
         KeyParts *parts)
{
    if (PyTuple_Check(obj)) {
        return take_tuple(state, face, obj, key, parts);
    }
    if (PyDict_Check(obj)) {
        return take_dict(state, face, obj, key, parts);
    }
    raise_param_type(state, "key is invalid");
    return -1;
}

int
key_take(ModState *state, const Face *face, PyObject *obj, aero_key *key,
         KeyParts *parts)
{
    if (key_read(state, face, obj, key, parts) < 0) {
        return -1;
    }
    if (key->particle != AERO_PARTICLE_NIL) {
        aero_digest(key->set, key->particle, key->value, key->digest);
    }
    return 0;
}

void
tuple_untrack(PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        if (PyObject_IS_GC(PyTuple_GET_ITEM(tuple, i))) {
            return;
        }
    }
    PyObject_GC_UnTrack(tuple);
}

/* The user key as the strict face gives it back: bytes as the string that they
 * are hashed as, a bool as an int. */
static PyObject *
echoed(const Face *face, PyObject *user)
{
    if (face->strict && PyBool_Check(user)) {
        return PyLong_FromLong(user == Py_True);
    }
    if (face->strict && PyBytes_Check(user)) {
        aero_span text =
            cut_at_nul(face, aero_span_of(PyBytes_AS_STRING(user),
                                          (size_t)PyBytes_GET_SIZE(user)));
        PyObject *str = PyUnicode_DecodeUTF8((const char *)text.ptr,
                                             (Py_ssize_t)text.len, NULL);

        if (str != NULL) {
            return str;
        }
        PyErr_Clear();
    }
    return Py_NewRef(user);
}

PyObject *
key_make(ModState *state, const Face *face, const KeyParts *parts, bool echo,
         const uint8_t digest[AERO_DIGEST_SIZE])
{
    const char *bytes = (const char *)digest;
    PyTypeObject *type = face->strict ? &PyTuple_Type : state->AerospikeKey;
    PyObject *set = parts->set;
    PyObject *last =
        face->strict ? PyByteArray_FromStringAndSize(bytes, AERO_DIGEST_SIZE)
                     : PyBytes_FromStringAndSize(bytes, AERO_DIGEST_SIZE);
    PyObject *user = echo ? echoed(face, parts->user) : Py_NewRef(Py_None);
    PyObject *key;

    if (last == NULL || user == NULL) {
        Py_XDECREF(last);
        Py_XDECREF(user);
        return NULL;
    }
    key = face->strict ? PyTuple_New(4) : type->tp_alloc(type, 4);
    if (key == NULL) {
        Py_DECREF(last);
        Py_DECREF(user);
        return NULL;
    }
    if (face->strict && PyUnicode_Check(set) &&
        PyUnicode_GET_LENGTH(set) == 0) {
        set = Py_None;
    }
    PyTuple_SET_ITEM(key, 0, Py_NewRef(parts->ns));
    PyTuple_SET_ITEM(key, 1, Py_NewRef(set));
    PyTuple_SET_ITEM(key, 2, user);
    PyTuple_SET_ITEM(key, 3, last);
    tuple_untrack(key);
    return key;
}

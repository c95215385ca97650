/* Partitions as users see them: filters, statuses and cursors.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

static aero_parts *
no_memory(void)
{
    PyErr_NoMemory();
    return NULL;
}

/* ---- numbers ---- */

/* An int of a dict or object; `initial` if it is not there.  False with an
 * exception that says `text`. */
static bool
take_bounded(ModState *state, PyObject *value, long least, long most,
             const char *text, long *out)
{
    if (value == NULL) {
        return true;
    }
    *out = PyLong_Check(value) ? PyLong_AsLong(value) : least - 1;
    PyErr_Clear();
    if (*out < least || *out > most) {
        raise_param_value(state, "%s", text);
        return false;
    }
    return true;
}

static aero_parts *
new_range(ModState *state, PyObject *begin_obj, PyObject *count_obj,
          long least)
{
    long begin = 0;
    long count;
    aero_parts *parts;

    if (!take_bounded(state, begin_obj, 0, AERO_PARTITIONS - 1,
                      "invalid partition_filter policy begin, begin must be "
                      "an int between 0 and 4095 inclusive",
                      &begin)) {
        return NULL;
    }
    count = AERO_PARTITIONS - begin;
    if (!take_bounded(state, count_obj, least, AERO_PARTITIONS,
                      "invalid partition_filter policy count, count must be "
                      "an int between 1 and 4096 inclusive",
                      &count)) {
        return NULL;
    }
    if (begin + count > AERO_PARTITIONS) {
        return raise_param_value(
            state,
            "invalid partition filter range, begin: %ld count: %ld, valid "
            "range when begin + count <= 4096",
            begin, count);
    }
    parts = aero_parts_new((uint32_t)begin, (uint32_t)count);
    return parts != NULL ? parts : no_memory();
}

/* ---- digests ---- */

static bool
take_digest(ModState *state, aero_parts *parts, PyObject *value)
{
    const char *bytes = NULL;
    Py_ssize_t len = 0;
    aero_part *part;

    if (PyBytes_Check(value)) {
        bytes = PyBytes_AS_STRING(value);
        len = PyBytes_GET_SIZE(value);
    }
    else if (PyByteArray_Check(value)) {
        bytes = PyByteArray_AS_STRING(value);
        len = PyByteArray_GET_SIZE(value);
    }
    else if (PyUnicode_Check(value)) { /* the official form: a str of bytes */
        bytes = PyUnicode_AsUTF8AndSize(value, &len);
    }
    if (bytes == NULL || len != AERO_DIGEST_SIZE) {
        raise_param_value(state, "invalid partition_filter policy digest: "
                                 "value must be 20 bytes");
        return false;
    }
    part = aero_parts_find(parts, aero_partition_of((const uint8_t *)bytes));
    if (part == NULL) {
        raise_param_value(state, "the digest's partition is not among those "
                                 "of the partition_filter");
        return false;
    }
    aero_part_resume(part, (const uint8_t *)bytes, 0);
    return true;
}

/* {"init": 1, "value": digest} */
static bool
take_digest_dict(ModState *state, aero_parts *parts, PyObject *digest)
{
    PyObject *init;
    PyObject *value;

    if (!PyDict_Check(digest)) {
        return take_digest(state, parts, digest);
    }
    init = PyDict_GetItemString(digest, "init");
    value = PyDict_GetItemString(digest, "value");
    if (init == NULL || !PyLong_Check(init)) {
        raise_param_value(state, "invalid partition_filter policy digest: "
                                 "init must be an int");
        return false;
    }
    if (PyObject_IsTrue(init) == 0) {
        return true;
    }
    return take_digest(state, parts, value != NULL ? value : Py_None);
}

/* ---- the official status ---- */

static bool
take_flag(ModState *state, PyObject *status, const char *name, bool *out)
{
    PyObject *value = PyDict_GetItemString(status, name);

    if (value == NULL) {
        raise_param_value(state, "partition_status dict missing key '%s'",
                          name);
        return false;
    }
    if (!PyLong_Check(value)) {
        raise_param_value(
            state, "partition_status dict key '%s' must be an int", name);
        return false;
    }
    *out = PyObject_IsTrue(value) == 1;
    return true;
}

static bool
bad_entry(ModState *state, const char *what, long id)
{
    raise_param_value(state, "invalid %s for part_id: %ld", what, id);
    return false;
}

/* (id, init, retry, digest[, bval]) */
static bool
take_entry(ModState *state, aero_part *part, long id, PyObject *entry,
           bool all)
{
    PyObject *digest;
    long long bval = 0;
    bool init;

    if (!PyTuple_Check(entry) || PyTuple_GET_SIZE(entry) < 4) {
        return bad_entry(state, "tuple", id);
    }
    if (!PyLong_Check(PyTuple_GET_ITEM(entry, 1))) {
        return bad_entry(state, "init", id);
    }
    if (!PyLong_Check(PyTuple_GET_ITEM(entry, 2))) {
        return bad_entry(state, "retry", id);
    }
    init = PyObject_IsTrue(PyTuple_GET_ITEM(entry, 1)) == 1;
    digest = PyTuple_GET_ITEM(entry, 3);
    if (!PyByteArray_Check(digest) ||
        PyByteArray_GET_SIZE(digest) != AERO_DIGEST_SIZE) {
        return bad_entry(state, "digest value", id);
    }
    if (PyTuple_GET_SIZE(entry) > 4) {
        PyObject *value = PyTuple_GET_ITEM(entry, 4);

        bval = PyLong_Check(value) ? PyLong_AsLongLong(value) : -1;
        if (!PyLong_Check(value) || PyErr_Occurred()) {
            PyErr_Clear();
            return bad_entry(state, "bval", id);
        }
    }
    part->open = all || PyObject_IsTrue(PyTuple_GET_ITEM(entry, 2)) == 1;
    if (init) {
        aero_part_resume(part, (const uint8_t *)PyByteArray_AS_STRING(digest),
                         (uint64_t)bval);
    }
    return true;
}

static bool
take_status(ModState *state, aero_parts *parts, PyObject *status)
{
    bool all;
    bool done;

    if (!PyDict_Check(status)) {
        raise_param_type(state, "invalid partition_filter policy: "
                                "partition_status must be a dict");
        return false;
    }
    if (PyDict_GET_SIZE(status) == 0) {
        return true;
    }
    if (!take_flag(state, status, "done", &done) ||
        !take_flag(state, status, "retry", &all)) {
        return false;
    }
    for (uint32_t i = 0; i < parts->count; i++) {
        long id = (long)(parts->begin + i);
        PyObject *key = PyLong_FromLong(id);
        PyObject *entry =
            key == NULL ? NULL : PyDict_GetItemWithError(status, key);

        Py_XDECREF(key);
        if (entry == NULL && PyErr_Occurred()) {
            return false;
        }
        if (entry != NULL &&
            !take_entry(state, &parts->at[i], id, entry, all)) {
            return false;
        }
        if (done) {
            parts->at[i].open = false;
        }
    }
    return true;
}

static aero_parts *
of_dict(ModState *state, PyObject *filter)
{
    PyObject *digest = PyDict_GetItemString(filter, "digest");
    PyObject *status = PyDict_GetItemString(filter, "partition_status");
    aero_parts *parts = new_range(state, PyDict_GetItemString(filter, "begin"),
                                  PyDict_GetItemString(filter, "count"), 1);

    if (parts == NULL) {
        return NULL;
    }
    if ((digest != NULL && !take_digest_dict(state, parts, digest)) ||
        (status != NULL && status != Py_None &&
         !take_status(state, parts, status))) {
        aero_parts_release(parts);
        return NULL;
    }
    return parts;
}

/* ---- handles and cursors ---- */

static bool
take_attr(PyObject *obj, const char *name, PyObject **out)
{
    *out = PyObject_GetAttrString(obj, name);
    if (*out == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        return true;
    }
    if (*out == Py_None) {
        Py_CLEAR(*out);
    }
    return *out != NULL || !PyErr_Occurred();
}

static aero_parts *
of_handle(ModState *state, PyObject *filter)
{
    PyObject *begin = NULL;
    PyObject *count = NULL;
    PyObject *digest = NULL;
    aero_parts *parts = NULL;

    if (take_attr(filter, "begin", &begin) &&
        take_attr(filter, "count", &count) &&
        take_attr(filter, "digest", &digest)) {
        if (begin == NULL || count == NULL) {
            raise_param_type(state, "invalid partition_filter policy, "
                                    "partition_filter must be a dict, a "
                                    "PartitionFilter or a cursor");
        }
        else {
            parts = new_range(state, begin, count, 0);
        }
        if (parts != NULL && digest != NULL &&
            !take_digest(state, parts, digest)) {
            aero_parts_release(parts);
            parts = NULL;
        }
    }
    Py_XDECREF(begin);
    Py_XDECREF(count);
    Py_XDECREF(digest);
    return parts;
}

static aero_parts *
of_cursor(ModState *state, PyObject *cursor)
{
    aero_status st;
    aero_parts *parts =
        aero_parts_take_cursor(aero_span_of(PyBytes_AS_STRING(cursor),
                                            (size_t)PyBytes_GET_SIZE(cursor)),
                               &st);

    if (parts == NULL) {
        raise_param_value(state, "%s", st.text);
    }
    return parts;
}

aero_parts *
parts_of_filter(ModState *state, PyObject *filter)
{
    if (PyDict_Check(filter)) {
        return of_dict(state, filter);
    }
    return PyBytes_Check(filter) ? of_cursor(state, filter)
                                 : of_handle(state, filter);
}

/* ---- showing ---- */

PyObject *
parts_cursor(const aero_parts *parts)
{
    aero_buf out = AERO_BUF_INIT;
    PyObject *made = NULL;

    aero_parts_put_cursor(parts, &out);
    if (out.failed) {
        PyErr_NoMemory();
    }
    else {
        made = PyBytes_FromStringAndSize((const char *)out.ptr,
                                         (Py_ssize_t)out.len);
    }
    aero_buf_fini(&out);
    return made;
}

static PyObject *
show_part(const aero_part *part, long id)
{
    return result_tuple(&PyTuple_Type, 5, PyLong_FromLong(id),
                        PyBool_FromLong(part->started),
                        PyBool_FromLong(part->open),
                        PyByteArray_FromStringAndSize(
                            (const char *)part->digest, AERO_DIGEST_SIZE),
                        PyLong_FromLongLong((long long)part->bval));
}

static int
add_part(PyObject *dict, const aero_part *part, long id)
{
    PyObject *key = PyLong_FromLong(id);
    PyObject *value = key == NULL ? NULL : show_part(part, id);
    int rc = value == NULL ? -1 : PyDict_SetItem(dict, key, value);

    Py_XDECREF(key);
    Py_XDECREF(value);
    return rc;
}

PyObject *
parts_show(const aero_parts *parts)
{
    PyObject *dict = PyDict_New();
    bool done = aero_parts_are_done(parts);

    if (dict == NULL ||
        PyDict_SetItemString(dict, "done", done ? Py_True : Py_False) < 0 ||
        PyDict_SetItemString(dict, "retry", Py_False) < 0) {
        Py_CLEAR(dict);
    }
    for (uint32_t i = 0; dict != NULL && i < parts->count; i++) {
        if (add_part(dict, &parts->at[i], (long)(parts->begin + i)) < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

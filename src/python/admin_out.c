/* Users and roles of an answer, as Python objects.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"

/* One record, with the data of its fields (empty where it has none). */
enum {
    FIELDS = AERO_ADMIN_FIELD_CONNECTIONS + 1
};

typedef struct Row {
    aero_span field[FIELDS];
    bool has[FIELDS];
} Row;

/* 1, 0 at the end, or -1 with an exception. */
static int
take_row(ModState *state, aero_span *in, Row *row)
{
    aero_admin head;
    aero_status st;

    memset(row, 0, sizeof *row);
    if (in->len == 0) {
        return 0;
    }
    aero_status_clear(&st);
    if (aero_admin_take(in, &head, &st) != AERO_OK) {
        raise_status(state, &st);
        return -1;
    }
    for (unsigned i = 0; i < head.n_fields; i++) {
        aero_field field;

        if (aero_admin_take_field(in, &field, &st) != AERO_OK) {
            raise_status(state, &st);
            return -1;
        }
        if (field.type < FIELDS) {
            row->field[field.type] = field.data;
            row->has[field.type] = true;
        }
    }
    return 1;
}

/* ---- pieces ---- */

static PyObject *
text_of(aero_span text)
{
    return PyUnicode_DecodeUTF8((const char *)text.ptr, (Py_ssize_t)text.len,
                                "replace");
}

static PyObject *
number_of(const Row *row, aero_admin_code id)
{
    aero_span data = row->field[id];

    return PyLong_FromUnsignedLong(data.len == 4 ? aero_get_u32(data.ptr) : 0);
}

/* Usage is a quota, then single records, then records of queries, each a
 * second, then queries without a limit: how many records it comes to. */
static PyObject *
usage_of(const Row *row, aero_admin_code id)
{
    aero_span data = row->field[id];
    unsigned long sum = 0;

    for (size_t i = 1; i <= 2 && data.len >= 1 + 4 * (i + 1); i++) {
        sum += aero_get_u32(data.ptr + 1 + 4 * i);
    }
    return PyLong_FromUnsignedLong(sum);
}

/* A list of what `take` finds, as many as the first byte says. */
static PyObject *
list_of(ModState *state, aero_span data,
        PyObject *(*take)(aero_span *in, aero_status *st))
{
    PyObject *list = PyList_New(0);
    unsigned count = data.len == 0 ? 0 : data.ptr[0];
    aero_status st;

    aero_status_clear(&st);
    if (data.len != 0) {
        data = aero_span_skip(data, 1);
    }
    for (unsigned i = 0; list != NULL && i < count; i++) {
        PyObject *item = take(&data, &st);

        if (item == NULL && !PyErr_Occurred()) {
            raise_status(state, &st);
        }
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *
take_name(aero_span *in, aero_status *st)
{
    aero_span name;

    return aero_admin_take_name(in, &name, st) == AERO_OK ? text_of(name)
                                                          : NULL;
}

static PyObject *
take_privilege(aero_span *in, aero_status *st)
{
    aero_privilege p;

    if (aero_admin_take_privilege(in, &p, st) != AERO_OK) {
        return NULL;
    }
    return Py_BuildValue("{s:N,s:N,s:i}", "ns", text_of(p.ns), "set",
                         text_of(p.set), "code", p.code);
}

/* Addresses that stand between commas. */
static PyObject *
whitelist_of(aero_span text)
{
    PyObject *list = PyList_New(0);

    while (list != NULL && text.len != 0) {
        PyObject *item = text_of(aero_span_cut(&text, ','));

        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

/* ---- users ---- */

static PyObject *
user_of(ModState *state, const Row *row, int strict)
{
    PyObject *dict = Py_BuildValue(
        "{s:N,s:N,s:N,s:N}", "read_info",
        usage_of(row, AERO_ADMIN_FIELD_READ_INFO), "write_info",
        usage_of(row, AERO_ADMIN_FIELD_WRITE_INFO), "conns_in_use",
        number_of(row, AERO_ADMIN_FIELD_CONNECTIONS), "roles",
        list_of(state, row->field[AERO_ADMIN_FIELD_ROLES], take_name));

    if (dict != NULL && !strict) {
        PyObject *name = text_of(row->field[AERO_ADMIN_FIELD_USER]);

        if (name == NULL || PyDict_SetItemString(dict, "user", name) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(name);
    }
    return dict;
}

/* Put `item` (taken; NULL fails) into a list, or a dict by its name. */
static int
add(PyObject *all, aero_span name, PyObject *item)
{
    PyObject *key;
    int rc = -1;

    if (item != NULL && PyList_Check(all)) {
        rc = PyList_Append(all, item);
    }
    else if (item != NULL && (key = text_of(name)) != NULL) {
        rc = PyDict_SetItem(all, key, item);
        Py_DECREF(key);
    }
    Py_XDECREF(item);
    return rc;
}

/* All records, each made by `make`, in `all` (taken; NULL fails) under the
 * name that stands in the field. */
static PyObject *
add_all(ModState *state, aero_span records, PyObject *all, int field,
        PyObject *(*make)(ModState *state, const Row *row, int how), int how)
{
    Row row;
    int rc = all == NULL ? -1 : 1;

    while (rc == 1 && (rc = take_row(state, &records, &row)) == 1) {
        if (add(all, row.field[field], make(state, &row, how)) < 0) {
            rc = -1;
        }
    }
    if (rc < 0) {
        Py_CLEAR(all);
    }
    return all;
}

PyObject *
admin_users(ModState *state, aero_span records, bool strict)
{
    return add_all(state, records, strict ? PyDict_New() : PyList_New(0),
                   AERO_ADMIN_FIELD_USER, user_of, strict);
}

PyObject *
admin_user(ModState *state, aero_span records, bool strict)
{
    Row row;
    int rc = take_row(state, &records, &row);

    if (rc == 0) {
        raise_error(state, EXC_InvalidUser, "the node knows no such user");
    }
    return rc == 1 ? user_of(state, &row, strict) : NULL;
}

/* ---- roles ---- */

static PyObject *
role_of(ModState *state, const Row *row, int shape)
{
    PyObject *privileges = list_of(
        state, row->field[AERO_ADMIN_FIELD_PRIVILEGES], take_privilege);
    PyObject *dict;

    if (shape == ROLE_PRIVILEGES || privileges == NULL) {
        return privileges;
    }
    dict = Py_BuildValue(
        "{s:N,s:N,s:N,s:N}", "privileges", privileges,
        shape == ROLE_NAMED ? "allowlist" : "whitelist",
        whitelist_of(row->field[AERO_ADMIN_FIELD_WHITELIST]), "read_quota",
        number_of(row, AERO_ADMIN_FIELD_READ_QUOTA), "write_quota",
        number_of(row, AERO_ADMIN_FIELD_WRITE_QUOTA));
    if (dict != NULL && shape == ROLE_NAMED) {
        PyObject *name = text_of(row->field[AERO_ADMIN_FIELD_ROLE]);

        if (name == NULL || PyDict_SetItemString(dict, "name", name) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(name);
    }
    return dict;
}

PyObject *
admin_roles(ModState *state, aero_span records, RoleShape shape)
{
    return add_all(state, records,
                   shape == ROLE_NAMED ? PyList_New(0) : PyDict_New(),
                   AERO_ADMIN_FIELD_ROLE, role_of, shape);
}

PyObject *
admin_role(ModState *state, aero_span records, RoleShape shape)
{
    Row row;
    int rc = take_row(state, &records, &row);

    if (rc == 0) {
        raise_error(state, EXC_InvalidRole, "the node knows no such role");
    }
    return rc == 1 ? role_of(state, &row, shape) : NULL;
}

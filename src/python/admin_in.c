/* Arguments of the methods about users and roles, into their requests.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"

enum {
    NAME_MAX_LEN = 63, /* of users, roles and passwords */
    LIST_MAX = 255     /* of roles and privileges: the count is a byte */
};

static int
take_text(Call *call, PyObject *obj, const char *what, aero_span *text)
{
    if (obj == NULL || !PyUnicode_Check(obj)) {
        raise_param_type(call->state, "%s", what);
        return -1;
    }
    return value_as_text(call->state, obj, text);
}

static int
put_text(Call *call, PyObject *obj, aero_admin_code id, const char *what)
{
    aero_span text;

    if (take_text(call, obj, what, &text) < 0) {
        return -1;
    }
    aero_admin_put_text(&((Admin *)call->more)->ask, id, text);
    return 0;
}

int
admin_put_user(Call *call, PyObject *obj)
{
    return put_text(call, obj, AERO_ADMIN_FIELD_USER,
                    "Username should be a string");
}

int
admin_put_role(Call *call, PyObject *obj, const char *what)
{
    return put_text(call, obj, AERO_ADMIN_FIELD_ROLE, what);
}

/* Where the C library cannot make it, Python's package does. */
static int
make_hash_now(Call *call, Admin *admin)
{
    PyObject *made = PyObject_CallMethod(
        call->state->config_module, "hash_password", "s", admin->password);
    const char *text = made == NULL ? NULL : PyUnicode_AsUTF8(made);

    if (text != NULL && !call->cmd.out.failed) {
        memcpy(call->cmd.out.ptr + admin->hash_at, text, AERO_HASH_SIZE);
    }
    Py_XDECREF(made);
    return text == NULL ? -1 : 0;
}

int
admin_put_password(Call *call, const char *password, size_t len,
                   aero_admin_code id)
{
    Admin *admin = call->more;

    if (len > NAME_MAX_LEN || strlen(password) != len) {
        raise_error(call->state, EXC_ClientError,
                    len > NAME_MAX_LEN ? "password is longer than 63 bytes"
                                       : "password has a NUL inside");
        return -1;
    }
    admin->password = password;
    admin->hash_at = aero_admin_put_hash(&admin->ask, id);
    return aero_auth_can_hash() ? 0 : make_hash_now(call, admin);
}

int
admin_take_password(Call *call, PyObject *obj)
{
    aero_span text;

    if (take_text(call, obj, "Password should be a string", &text) < 0) {
        return -1;
    }
    return admin_put_password(call, (const char *)text.ptr, text.len,
                              AERO_ADMIN_FIELD_PASSWORD);
}

/* Something about an element of a list is wrong. */
static int
bad_element(Call *call, exc_id id, const char *what, Py_ssize_t i)
{
    raise_error(call->state, call->face->strict ? EXC_ClientError : id,
                "%s, at index %zd", what, i);
    return -1;
}

static int
check_list(Call *call, PyObject *list, const char *what)
{
    if (list == NULL || !PyList_Check(list)) {
        raise_param_type(call->state, "%s should be a list", what);
        return -1;
    }
    if (PyList_GET_SIZE(list) > LIST_MAX) {
        raise_param_value(call->state, "%s should be 255 at most", what);
        return -1;
    }
    return 0;
}

int
admin_put_role_names(Call *call, PyObject *list)
{
    aero_admin_ask *ask = &((Admin *)call->more)->ask;
    size_t at;

    if (check_list(call, list, "Roles") < 0) {
        return -1;
    }
    at = aero_admin_open_field(ask, AERO_ADMIN_FIELD_ROLES);
    aero_buf_put_u8(&call->cmd.out, (uint8_t)PyList_GET_SIZE(list));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        aero_span name;

        if (!PyUnicode_Check(item)) {
            return bad_element(call, EXC_ParamTypeError,
                               "a role's name should be a string", i);
        }
        if (value_as_text(call->state, item, &name) < 0) {
            return -1;
        }
        if (name.len > NAME_MAX_LEN) {
            return bad_element(call, EXC_ParamValueError,
                               "a role's name has 63 bytes at most", i);
        }
        aero_admin_put_name(&call->cmd.out, name);
    }
    aero_admin_close_field(ask, at);
    return 0;
}

/* ---- privileges ---- */

static int
code_of_name(Call *call, PyObject *name)
{
    static const struct {
        const char *name;
        int code;
    } known[] = {
#define ADMIN_COMMAND(name, code)
#define ADMIN_FIELD(name, code)
#define PRIVILEGE(name, code, text, scoped) {text, code},
#include "aero/wire/tables/admin.def"
#undef ADMIN_COMMAND
#undef ADMIN_FIELD
#undef PRIVILEGE
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (PyUnicode_CompareWithASCIIString(name, known[i].name) == 0) {
            return known[i].code;
        }
    }
    raise_param_value(call->state, "there is no privilege %R", name);
    return -1;
}

static int
take_code(Call *call, PyObject *dict, uint8_t *out)
{
    PyObject *value = PyDict_GetItem(dict, call->state->str_code);
    int64_t number;

    if (value != NULL && PyUnicode_Check(value) && !call->face->strict) {
        int code = code_of_name(call, value);

        *out = (uint8_t)code;
        return code < 0 ? -1 : 0;
    }
    if (value == NULL || !PyLong_Check(value)) {
        raise_param_type(call->state, "a privilege needs an integer 'code'");
        return -1;
    }
    if (value_as_int64(call->state, value, "the code of a privilege",
                       &number) < 0) {
        return -1;
    }
    if (number < 0 || number > UINT8_MAX) {
        raise_param_value(call->state, "there is no privilege %R", value);
        return -1;
    }
    *out = (uint8_t)number;
    return 0;
}

/* A namespace or set; nothing where it is not named. */
static int
take_scope(Call *call, PyObject *dict, const char *name, aero_span *out)
{
    PyObject *value = PyDict_GetItemString(dict, name);

    *out = aero_span_of("", 0);
    if (value == NULL || value == Py_None) {
        return 0;
    }
    if (!PyUnicode_Check(value)) {
        raise_param_type(call->state, "'%s' of a privilege should be a string",
                         name);
        return -1;
    }
    return value_as_text(call->state, value, out);
}

int
admin_put_privileges(Call *call, PyObject *list)
{
    aero_admin_ask *ask = &((Admin *)call->more)->ask;
    size_t at;

    if (check_list(call, list, "Privileges") < 0) {
        return -1;
    }
    at = aero_admin_open_field(ask, AERO_ADMIN_FIELD_PRIVILEGES);
    aero_buf_put_u8(&call->cmd.out, (uint8_t)PyList_GET_SIZE(list));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        aero_privilege privilege;

        if (!PyDict_Check(item)) {
            raise_param_type(call->state,
                             "a privilege should be a dict, at index %zd", i);
            return -1;
        }
        if (take_code(call, item, &privilege.code) < 0 ||
            take_scope(call, item, "ns", &privilege.ns) < 0 ||
            take_scope(call, item, "set", &privilege.set) < 0) {
            return -1;
        }
        aero_admin_put_privilege(&call->cmd.out, &privilege);
    }
    aero_admin_close_field(ask, at);
    return 0;
}

/* ---- limits of roles ---- */

/* Addresses, separated by commas; nothing clears the list. */
int
admin_put_whitelist(Call *call, PyObject *list)
{
    aero_admin_ask *ask = &((Admin *)call->more)->ask;
    size_t at;

    if (list == NULL || list == Py_None) {
        return 0;
    }
    if (!PyList_Check(list)) {
        raise_param_type(call->state, "Whitelist must be a list");
        return -1;
    }
    if (PyList_GET_SIZE(list) == 0) {
        return 0;
    }
    at = aero_admin_open_field(ask, AERO_ADMIN_FIELD_WHITELIST);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        aero_span text;

        if (take_text(call, PyList_GET_ITEM(list, i),
                      "Whitelist must consist of strings", &text) < 0) {
            return -1;
        }
        if (i != 0) {
            aero_buf_put_u8(&call->cmd.out, ',');
        }
        aero_buf_put_span(&call->cmd.out, text);
    }
    aero_admin_close_field(ask, at);
    return 0;
}

static int
put_quota(Call *call, PyObject *obj, const char *name, aero_admin_code id)
{
    int64_t number = 0;

    if (obj != NULL) {
        if (!PyLong_Check(obj)) {
            raise_param_type(call->state, "%s must be an integer.", name);
            return -1;
        }
        if (value_as_int64(call->state, obj, name, &number) < 0) {
            return -1;
        }
    }
    if (number < 0 || number > UINT32_MAX) {
        raise_param_value(call->state, "%s does not fit 32 bits", name);
        return -1;
    }
    aero_admin_put_number(&((Admin *)call->more)->ask, id, (uint32_t)number);
    return 0;
}

int
admin_put_quotas(Call *call, PyObject *read, PyObject *write)
{
    return put_quota(call, read, "read_quota", AERO_ADMIN_FIELD_READ_QUOTA) < 0
               ? -1
               : put_quota(call, write, "write_quota",
                           AERO_ADMIN_FIELD_WRITE_QUOTA);
}

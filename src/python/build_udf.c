/* Builders of the methods about Lua modules.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "build.h"
#include "query.h"
#include "settled.h"

#include "aero/base/b64.h"

enum {
    FILE_MAX = 1 << 20, /* a module has less */
    NAME_MAX_LEN = 510
};

/* ---- errors in answers ---- */

/* A value that begins with "error=" is what went wrong, with its details
 * behind it; the message of a compiler is base64. */
static bool
find_error(aero_span value, aero_buf *text)
{
    aero_span what = {NULL, 0};
    aero_span part;
    aero_span head = value;

    head = aero_span_cut(&head, ';');
    if (!aero_info_pair(head, ';', "error", &what)) {
        return false;
    }
    aero_buf_put_span(text, what);
    if (aero_info_pair(value, ';', "file", &part)) {
        aero_buf_printf(text, ": %.*s", (int)part.len, part.ptr);
    }
    if (aero_info_pair(value, ';', "line", &part)) {
        aero_buf_printf(text, ":%.*s", (int)part.len, part.ptr);
    }
    if (aero_info_pair(value, ';', "message", &part)) {
        aero_buf_put_str(text, ": ");
        (void)aero_b64_take(part, text);
    }
    return true;
}

/* The value of an answer; what is wrong with the module as a UDFError. */
static aero_rc
take_value(const aero_cmd *cmd, aero_span *value, aero_status *st)
{
    aero_buf text = AERO_BUF_INIT;
    aero_rc rc = aero_fan_value(cmd, value, st);

    if (rc == AERO_OK && find_error(*value, &text)) {
        st->from_server = true;
        rc = aero_fail(st, AERO_ERR_UDF, "%.*s", (int)text.len,
                       text.ptr == NULL ? (uint8_t *)"" : text.ptr);
    }
    aero_buf_fini(&text);
    return rc;
}

static aero_rc
accept_udf(void *ctx, const aero_cmd *cmd, aero_status *st)
{
    aero_span value;

    (void)ctx;
    return take_value(cmd, &value, st);
}

/* ---- arguments ---- */

static int
check_type(Call *call, PyObject *type, const char *what)
{
    if (type == NULL) {
        return 0;
    }
    if (!PyLong_Check(type)) {
        PyErr_Format(PyExc_TypeError, "%s must be int, not %s", what,
                     Py_TYPE(type)->tp_name);
        return -1;
    }
    if (PyLong_AsLong(type) != 0) { /* UDF_TYPE_LUA */
        PyErr_Clear();
        raise_error(call->state, EXC_ClientError, "Invalid %s", what);
        return -1;
    }
    return 0;
}

static aero_span
base_name(aero_span path)
{
    size_t at = path.len;

    while (at > 0 && path.ptr[at - 1] != '/') {
        at--;
    }
    return aero_span_skip(path, at);
}

/* ---- udf_put ---- */

static int
no_file(Call *call, const char *what)
{
    raise_error(call->state, EXC_LuaFileNotFound, "%s", what);
    return -1;
}

static int
read_file(Call *call, const char *path, aero_buf *out)
{
    FILE *file = fopen(path, "rb");
    size_t got;

    if (file == NULL) {
        return no_file(call, "cannot open script file");
    }
    if (!aero_buf_reserve(out, FILE_MAX)) {
        fclose(file);
        PyErr_NoMemory();
        return -1;
    }
    got = fread(out->ptr + out->len, 1, FILE_MAX, file);
    out->len += got;
    if (ferror(file) || got == 0 || got == FILE_MAX) {
        fclose(file);
        return no_file(call, got == FILE_MAX
                                 ? "the script file has 1 MiB or more"
                                 : "cannot read script file");
    }
    fclose(file);
    return 0;
}

/* Stream UDFs are finished here: their modules are wanted in a folder. */
static int
keep_copy(Call *call, PyObject *path)
{
    PyObject *folder =
        call->client->config == NULL
            ? NULL
            : PyDict_GetItemString(call->client->config, "lua_user_path");
    PyObject *module;
    PyObject *done = NULL;

    if (folder == NULL && !call->face->strict) {
        return 0;
    }
    module = PyImport_ImportModule("aerospike_py._query");
    if (module != NULL) {
        done = folder == NULL
                   ? PyObject_CallMethod(module, "copy_module", "Os", path, "")
                   : PyObject_CallMethod(module, "copy_module", "OO", path,
                                         folder);
    }
    Py_XDECREF(module);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Has this node what was put? */
static aero_look
judge_put(void *ctx, const aero_cmd *cmd, aero_status *st)
{
    const Settled *s = ctx;
    aero_span value;
    aero_span content;

    if (aero_fan_value(cmd, &value, st) != AERO_OK) {
        return AERO_LOOK_FAILED;
    }
    return aero_info_pair(value, ';', "content", &content) &&
                   aero_span_equal(content, aero_buf_span(&s->expected))
               ? AERO_LOOK_DONE
               : AERO_LOOK_NOT_YET;
}

static int
put_module(Call *call, const char *path, Settled *s)
{
    aero_buf content = AERO_BUF_INIT;
    aero_buf names = AERO_BUF_INIT;
    aero_span name = base_name(aero_span_str(path));
    int rc = read_file(call, path, &content);

    if (rc == 0) {
        rc = info_put_text(call->state, &names, "filename", name);
    }
    if (rc == 0) {
        aero_span filename = aero_span_skip(aero_buf_span(&names), 1);

        aero_b64_put(&s->expected, aero_buf_span(&content));
        aero_buf_put_str(&s->ask, "udf-put:");
        aero_buf_put_span(&s->ask, filename);
        aero_buf_put_str(&s->ask, ";content=");
        aero_buf_put_span(&s->ask, aero_buf_span(&s->expected));
        aero_buf_printf(&s->ask, ";content-len=%zu;udf-type=LUA;",
                        s->expected.len);
        aero_buf_put_str(&s->look, "udf-get:");
        aero_buf_put_span(&s->look, filename);
    }
    aero_buf_fini(&content);
    aero_buf_fini(&names);
    return rc;
}

/* A path as bytes (new reference), checked. */
static PyObject *
take_path(Call *call, PyObject *filename)
{
    PyObject *path;
    aero_span name;

    if (!PyUnicode_Check(filename) &&
        (call->face->strict || PyLong_Check(filename) ||
         filename == Py_None)) {
        return raise_param_type(call->state, "Filename should be a string");
    }
    if (!PyUnicode_FSConverter(filename, &path)) {
        PyErr_Clear();
        return raise_param_type(call->state, "Filename should be a string");
    }
    name = base_name(aero_span_str(PyBytes_AS_STRING(path)));
    if (name.len == 0 || PyBytes_GET_SIZE(path) >= NAME_MAX_LEN) {
        Py_DECREF(path);
        return raise_param_value(call->state, name.len == 0
                                                  ? "Empty udf filename"
                                                  : "udf filename too long");
    }
    return path;
}

int
build_udf_put(Call *call)
{
    PyObject *path;
    Settled *s;
    int rc = -1;

    if (check_type(call, call->argv[1], "UDF language") < 0 ||
        call_take_policy(call, call->argv[2], AERO_POLICY_INFO) < 0) {
        return -1;
    }
    path = take_path(call, call->argv[0]);
    s = path == NULL ? NULL : settled_new(call);
    if (s != NULL && put_module(call, PyBytes_AS_STRING(path), s) == 0) {
        rc = keep_copy(call, path);
        s->settle.accept = accept_udf;
        s->settle.judge = judge_put;
    }
    Py_XDECREF(path);
    return rc;
}

/* ---- udf_remove ---- */

static bool
is_listed(aero_span list, aero_span name)
{
    while (list.len != 0) {
        aero_span entry = aero_span_cut(&list, ';');
        aero_span found;

        if (aero_info_pair(entry, ',', "filename", &found) &&
            aero_span_equal(found, name)) {
            return true;
        }
    }
    return false;
}

static aero_look
judge_removed(void *ctx, const aero_cmd *cmd, aero_status *st)
{
    const Settled *s = ctx;
    aero_span value;

    if (aero_fan_value(cmd, &value, st) != AERO_OK) {
        return AERO_LOOK_FAILED;
    }
    return is_listed(value, aero_buf_span(&s->expected)) ? AERO_LOOK_NOT_YET
                                                         : AERO_LOOK_DONE;
}

static bool
ends_with_lua(aero_span name)
{
    return name.len > 4 && memcmp(name.ptr + name.len - 4, ".lua", 4) == 0;
}

int
build_udf_remove(Call *call)
{
    aero_buf name = AERO_BUF_INIT;
    aero_span given;
    Settled *s;
    int rc;

    if (!PyUnicode_Check(call->argv[0])) {
        raise_param_type(call->state, "Filename should be a string");
        return -1;
    }
    if (value_as_text(call->state, call->argv[0], &given) < 0 ||
        call_take_policy(call, call->argv[1], AERO_POLICY_INFO) < 0) {
        return -1;
    }
    s = settled_new(call);
    if (s == NULL) {
        return -1;
    }
    aero_buf_put_span(&s->expected, given);
    if (!ends_with_lua(given) && !call->face->strict) {
        aero_buf_put_str(&s->expected, ".lua");
    }
    rc = info_put_text(call->state, &name, "filename",
                       aero_buf_span(&s->expected));
    if (rc == 0) {
        aero_buf_put_str(&s->ask, "udf-remove:");
        aero_buf_put_span(&s->ask, aero_span_skip(aero_buf_span(&name), 1));
        aero_buf_put_u8(&s->ask, ';');
        aero_buf_put_str(&s->look, "udf-list");
        s->settle.judge = judge_removed;
    }
    aero_buf_fini(&name);
    return rc;
}

/* ---- udf_list and udf_get ---- */

/* Ask one node, and that is all. */
static Settled *
ask_once(Call *call, call_finish finish)
{
    Settled *s = settled_new(call);

    if (s != NULL) {
        s->settle.look.put = NULL;
        s->settle.accept = accept_udf;
        call->finish = finish;
    }
    return s;
}

static PyObject *
make_listed(aero_span entry)
{
    aero_span name = {NULL, 0};
    aero_span hash = {NULL, 0};

    if (!aero_info_pair(entry, ',', "filename", &name)) {
        name = aero_span_of("", 0);
    }
    if (!aero_info_pair(entry, ',', "hash", &hash)) {
        hash = aero_span_of("", 0);
    }
    return Py_BuildValue("{s:N,s:N,s:i,s:N}", "name",
                         PyUnicode_DecodeUTF8((const char *)name.ptr,
                                              (Py_ssize_t)name.len, "replace"),
                         "hash",
                         PyByteArray_FromStringAndSize((const char *)hash.ptr,
                                                       (Py_ssize_t)hash.len),
                         "type", 0, "content",
                         PyByteArray_FromStringAndSize("", 0));
}

static PyObject *
finish_list(Call *call)
{
    Settled *s = call->more;
    PyObject *list;
    aero_span value;
    aero_status st;

    if (settled_check(call) < 0) {
        return NULL;
    }
    if (take_value(&s->settle.fan.cmds[0], &value, &st) != AERO_OK) {
        return raise_status(call->state, &st);
    }
    list = PyList_New(0);
    while (list != NULL && value.len != 0) {
        aero_span entry = aero_span_cut(&value, ';');
        PyObject *item = entry.len == 0 ? NULL : make_listed(entry);

        if (entry.len != 0 &&
            (item == NULL || PyList_Append(list, item) < 0)) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

int
build_udf_list(Call *call)
{
    Settled *s;

    if (call_take_policy(call, call->argv[0], AERO_POLICY_INFO) < 0) {
        return -1;
    }
    s = ask_once(call, finish_list);
    if (s == NULL) {
        return -1;
    }
    aero_buf_put_str(&s->ask, "udf-list");
    return 0;
}

static PyObject *
finish_get(Call *call)
{
    Settled *s = call->more;
    aero_buf text = AERO_BUF_INIT;
    PyObject *made = NULL;
    aero_span value;
    aero_span content;
    aero_status st;

    if (settled_check(call) < 0) {
        return NULL;
    }
    if (take_value(&s->settle.fan.cmds[0], &value, &st) != AERO_OK) {
        return raise_status(call->state, &st);
    }
    if (!aero_info_pair(value, ';', "content", &content) ||
        !aero_b64_take(content, &text)) {
        raise_error(call->state, EXC_ClientError,
                    "the answer to udf-get has no content");
    }
    else {
        made = PyUnicode_DecodeUTF8((const char *)text.ptr,
                                    (Py_ssize_t)text.len, "replace");
    }
    aero_buf_fini(&text);
    return made;
}

int
build_udf_get(Call *call)
{
    aero_buf name = AERO_BUF_INIT;
    aero_span text;
    Settled *s;
    int rc;

    if (!PyUnicode_Check(call->argv[0])) {
        raise_error(call->state, EXC_ClientError,
                    "Module name should be a string");
        return -1;
    }
    if (value_as_text(call->state, call->argv[0], &text) < 0 ||
        check_type(call, call->argv[1], "language") < 0 ||
        call_take_policy(call, call->argv[2], AERO_POLICY_INFO) < 0) {
        return -1;
    }
    s = ask_once(call, finish_get);
    if (s == NULL) {
        return -1;
    }
    rc = info_put_text(call->state, &name, "filename", text);
    if (rc == 0) {
        aero_buf_put_str(&s->ask, "udf-get:");
        aero_buf_put_span(&s->ask, aero_span_skip(aero_buf_span(&name), 1));
    }
    aero_buf_fini(&name);
    return rc;
}

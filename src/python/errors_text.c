/* What exceptions that are raised already say: where, of whom, in whose words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "errors.h"

void
errors_place(ModState *state, const char *fmt, ...)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;
    PyObject *place;
    PyObject *text;
    va_list args;

    if (!PyErr_ExceptionMatches(state->exc[EXC_AerospikeError])) {
        return;
    }
    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    va_start(args, fmt);
    place = PyUnicode_FromFormatV(fmt, args);
    va_end(args);
    text = place == NULL ? NULL : PyUnicode_FromFormat("%U: %S", place, exc);
    if (text == NULL || PyObject_SetAttr(exc, state->str__text, text) < 0) {
        PyErr_Clear(); /* the error itself counts more than its place */
    }
    Py_XDECREF(place);
    Py_XDECREF(text);
    PyErr_Restore(type, exc, trace);
}

/* Set `name` of the exception to the prefix and its old text. */
static int
set_unless(PyObject *exc, PyObject *name, PyObject *value)
{
    PyObject *old = PyObject_GetAttr(exc, name);
    int rc = old == NULL || value == NULL ? -1
             : old != Py_None             ? 0
                                          : PyObject_SetAttr(exc, name, value);

    Py_XDECREF(old);
    return rc;
}

void
errors_record(ModState *state, const char *node, PyObject *key)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;
    PyObject *name;

    if (!PyErr_ExceptionMatches(state->exc[EXC_AerospikeError])) {
        return;
    }
    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    name = PyUnicode_DecodeUTF8(node, (Py_ssize_t)strlen(node), "replace");
    if (set_unless(exc, state->str_node, name) < 0 ||
        set_unless(exc, state->str_key, key) < 0) {
        PyErr_Clear();
    }
    Py_XDECREF(name);
    PyErr_Restore(type, exc, trace);
}

static int
prefix_attr(PyObject *exc, PyObject *name, PyObject *prefix)
{
    PyObject *old = PyObject_GetAttr(exc, name);
    PyObject *text =
        old == NULL ? NULL : PyUnicode_FromFormat("%U%S", prefix, old);
    int rc = text == NULL ? -1 : PyObject_SetAttr(exc, name, text);

    Py_XDECREF(old);
    Py_XDECREF(text);
    return rc;
}

/* args repeats the message. */
static int
renew_args(ModState *state, PyObject *exc)
{
    PyObject *args = PyObject_GetAttr(exc, state->str_args);
    PyObject *msg = PyObject_GetAttr(exc, state->str_msg);
    PyObject *list = args == NULL ? NULL : PySequence_List(args);
    PyObject *tuple = NULL;
    int rc = -1;

    if (msg != NULL && list != NULL && PyList_GET_SIZE(list) > 1 &&
        PyList_SetItem(list, 1, Py_NewRef(msg)) == 0) {
        tuple = PyList_AsTuple(list);
    }
    if (tuple != NULL) {
        rc = PyObject_SetAttr(exc, state->str_args, tuple);
    }
    Py_XDECREF(args);
    Py_XDECREF(msg);
    Py_XDECREF(list);
    Py_XDECREF(tuple);
    return rc;
}

void
raise_about(ModState *state, const char *fmt, ...)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;
    PyObject *prefix;
    va_list args;

    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    va_start(args, fmt);
    prefix = PyUnicode_FromFormatV(fmt, args);
    va_end(args);
    if (prefix == NULL ||
        PyObject_IsInstance(exc, state->exc[EXC_AerospikeError]) != 1 ||
        prefix_attr(exc, state->str_msg, prefix) < 0 ||
        prefix_attr(exc, state->str__text, prefix) < 0 ||
        renew_args(state, exc) < 0) {
        PyErr_Clear();
    }
    Py_XDECREF(prefix);
    PyErr_Restore(type, exc, trace);
}

void
errors_reword(ModState *state, exc_id id, const char *prefix)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;
    PyObject *msg;

    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    msg = PyObject_GetAttr(exc, state->str_msg);
    if (msg == NULL) {
        PyErr_Clear(); /* it is none of ours */
    }
    raise_error(state, id, "%s%S", prefix, msg != NULL ? msg : exc);
    Py_XDECREF(msg);
    Py_XDECREF(type);
    Py_XDECREF(exc);
    Py_XDECREF(trace);
}

/* Let str() of an exception say the official text as well. */
static int
say_both(ModState *state, PyObject *exc)
{
    PyObject *msg = PyObject_GetAttr(exc, state->str_msg);
    PyObject *text = PyObject_Str(exc);
    PyObject *both = NULL;
    int rc = -1;

    if (msg != NULL && text != NULL) {
        rc = PyUnicode_Check(msg) ? PyUnicode_Contains(text, msg) : 1;
    }
    if (rc == 0) {
        both = PyUnicode_FromFormat("%U: %U", msg, text);
        rc = both == NULL ? -1 : PyObject_SetAttr(exc, state->str__text, both);
    }
    Py_XDECREF(msg);
    Py_XDECREF(text);
    Py_XDECREF(both);
    return rc;
}

/* Make it the strict face's own class, where that has one. */
static int
give_official_class(ModState *state, PyObject *exc)
{
    PyObject *type =
        PyDict_GetItemWithError(state->official_exc, (PyObject *)Py_TYPE(exc));

    if (type == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    return PyObject_SetAttrString(exc, "__class__", type);
}

PyObject *
errors_told(ModState *state, const Face *face, PyObject *result)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    if (result != NULL || !face->strict ||
        !PyErr_ExceptionMatches(state->exc[EXC_AerospikeError])) {
        return result;
    }
    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    if (say_both(state, exc) < 0 || give_official_class(state, exc) < 0) {
        PyErr_Clear(); /* the error itself counts more than its text */
    }
    Py_SETREF(type, Py_NewRef((PyObject *)Py_TYPE(exc)));
    PyErr_Restore(type, exc, trace);
    return NULL;
}

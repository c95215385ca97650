/* The exception classes, made from the table, and raising them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "errors.h"

typedef struct ExcRow {
    const char *name;
    const char *shown;
    const char *bases; /* separated by blanks */
} ExcRow;

static const ExcRow exc_rows[EXC_COUNT] = {
#define EXC(name, bases)                    {#name, #name, bases},
#define EXC_BOTH(name, bases)               {#name, #name, bases},
#define EXC_OFFICIAL(name, bases, official) {#name, #name, bases},
#define EXC_HIDDEN(name, bases, shown)      {#name, #shown, bases},
#define EXC_ALIAS(alias, name, deprecated)
#include "aero/wire/tables/exception.def"
#undef EXC
#undef EXC_BOTH
#undef EXC_OFFICIAL
#undef EXC_HIDDEN
#undef EXC_ALIAS
};

typedef struct ResultRow {
    int code;
    exc_id exc;
} ResultRow;

static const ResultRow result_rows[] = {
#define RESULT(name, code, exception, text) {code, EXC_##exception},
#define RESULT_NAMED(name, code, exception, text, public)                     \
    RESULT(name, code, exception, text)
#include "aero/wire/tables/result.def"
#undef RESULT
#undef RESULT_NAMED
};

enum {
    RESULT_ROWS = sizeof result_rows / sizeof result_rows[0]
};

/* ---- the classes ---- */

static PyObject *
find_base(ModState *state, const char *name, size_t len)
{
    PyObject *found;

    if (name[0] == '.') {
        char text[40];

        snprintf(text, sizeof text, "%.*s", (int)len - 1, name + 1);
        return PyDict_GetItemString(PyEval_GetBuiltins(), text);
    }
    for (int i = 0; i < EXC_COUNT; i++) {
        if (strlen(exc_rows[i].name) == len &&
            memcmp(exc_rows[i].name, name, len) == 0) {
            found = state->exc[i];
            return found;
        }
    }
    return NULL;
}

static PyObject *
make_bases(ModState *state, const char *names)
{
    PyObject *list = PyList_New(0);
    PyObject *tuple;

    while (list != NULL && *names != '\0') {
        size_t len = strcspn(names, " ");
        PyObject *base = find_base(state, names, len);

        if (base == NULL || PyList_Append(list, base) < 0) {
            if (base == NULL) {
                PyErr_Format(PyExc_SystemError, "no base class for %s", names);
            }
            Py_CLEAR(list);
            break;
        }
        names += len;
        names += *names == ' ';
    }
    if (list == NULL) {
        return NULL;
    }
    tuple = PyList_AsTuple(list);
    Py_DECREF(list);
    return tuple;
}

/* The first row of the results that names a class gives it its code. */
static const ResultRow *
code_of(int id)
{
    if (id == EXC_AerospikeError || id == EXC_RecordError ||
        id == EXC_AdminError || id == EXC_InvalidArgError) {
        return NULL;
    }
    for (int i = 0; i < RESULT_ROWS; i++) {
        if (result_rows[i].exc == (exc_id)id) {
            return &result_rows[i];
        }
    }
    return NULL;
}

static PyObject *
make_class(ModState *state, int id)
{
    const ExcRow *row = &exc_rows[id];
    const ResultRow *result = code_of(id);
    PyObject *bases = make_bases(state, row->bases);
    PyObject *dict = PyDict_New();
    PyObject *made = NULL;
    PyObject *code = NULL;

    if (bases == NULL || dict == NULL) {
        goto done;
    }
    /* Two classes have no code, not even that of their base. */
    if (result != NULL || id == EXC_RecordError || id == EXC_AdminError) {
        code = result != NULL ? PyLong_FromLong(result->code)
                              : Py_NewRef(Py_None);
        if (code == NULL || PyDict_SetItem(dict, state->str_code, code) < 0) {
            goto done;
        }
    }
    made = PyObject_CallFunction((PyObject *)&PyType_Type, "sOO", row->shown,
                                 bases, dict);
    if (made != NULL && strcmp(row->shown, row->name) != 0) {
        PyObject *qualname = PyUnicode_FromString(row->name);

        if (qualname == NULL ||
            PyObject_SetAttrString(made, "_hidden_name", qualname) < 0) {
            Py_CLEAR(made);
        }
        Py_XDECREF(qualname);
    }

done:
    Py_XDECREF(code);
    Py_XDECREF(bases);
    Py_XDECREF(dict);
    return made;
}

static int
set_class_code(ModState *state, int id, int code)
{
    PyObject *number = PyLong_FromLong(code);
    int rc = number == NULL
                 ? -1
                 : PyObject_SetAttr(state->exc[id], state->str_code, number);

    Py_XDECREF(number);
    return rc;
}

int
errors_setup(PyObject *module, ModState *state)
{
    PyObject *root = PyImport_ImportModule("aerospike_py._errors");
    PyObject *made = PyDict_New();
    PyObject *where = PyUnicode_FromString("aerospike_py.exception");
    int rc = -1;

    state->official_exc = PyDict_New();
    if (root == NULL || made == NULL || where == NULL ||
        state->official_exc == NULL) {
        goto done;
    }
    state->exc[0] = PyObject_GetAttrString(root, "AerospikeError");
    if (state->exc[0] == NULL) {
        goto done;
    }
    for (int i = 0; i < EXC_COUNT; i++) {
        if (i > 0) {
            state->exc[i] = make_class(state, i);
        }
        if (state->exc[i] == NULL ||
            PyObject_SetAttrString(state->exc[i], "__module__", where) < 0 ||
            PyDict_SetItemString(made, exc_rows[i].name, state->exc[i]) < 0) {
            goto done;
        }
    }
    if (set_class_code(state, EXC_NotConnected, AERO_ERR_CLUSTER) < 0 ||
        PyModule_AddObjectRef(module, "AerospikeError", state->exc[0]) < 0 ||
        PyModule_AddObjectRef(module, "exceptions", made) < 0 ||
        PyModule_AddObjectRef(module, "official_exceptions",
                              state->official_exc) < 0) {
        goto done;
    }
    rc = 0;

done:
    Py_XDECREF(root);
    Py_XDECREF(made);
    Py_XDECREF(where);
    return rc;
}

PyObject *
errors_class(ModState *state, int code)
{
    for (int i = 0; i < RESULT_ROWS; i++) {
        if (result_rows[i].code == code) {
            return state->exc[result_rows[i].exc];
        }
    }
    return state->exc[code < 0 ? EXC_ClientError : EXC_ServerError];
}

/* ---- raising ---- */

typedef struct Fault {
    PyObject *type; /* borrowed */
    int code;
    bool own; /* the client's own: no result of a server */
    bool in_doubt;
    unsigned attempts;
    const char *node; /* NULL: none */
    PyObject *msg;    /* borrowed */
    PyObject *text;   /* borrowed; what str() says */
    PyObject *key;    /* borrowed or NULL */
    PyObject *bin;
} Fault;

static int
set_attr(PyObject *exc, PyObject *name, PyObject *value)
{
    int rc;

    if (value == NULL) {
        return -1;
    }
    rc = PyObject_SetAttr(exc, name, value);
    Py_DECREF(value);
    return rc;
}

static PyObject *
or_none(PyObject *value)
{
    return Py_NewRef(value != NULL ? value : Py_None);
}

static int
set_attributes(ModState *state, PyObject *exc, const Fault *fault)
{
    if (set_attr(exc, state->str_code, PyLong_FromLong(fault->code)) < 0 ||
        set_attr(exc, state->str_msg, Py_NewRef(fault->msg)) < 0 ||
        set_attr(exc, state->str__text, Py_NewRef(fault->text)) < 0) {
        return -1;
    }
    if (fault->code > 0 && !fault->own &&
        set_attr(exc, state->str_result_code, PyLong_FromLong(fault->code)) <
            0) {
        return -1;
    }
    if (set_attr(exc, state->str_in_doubt, PyBool_FromLong(fault->in_doubt)) <
        0) {
        return -1;
    }
    if (fault->node != NULL && fault->node[0] != '\0' &&
        set_attr(exc, state->str_node, PyUnicode_FromString(fault->node)) <
            0) {
        return -1;
    }
    if (fault->attempts > 1 &&
        set_attr(exc, state->str_attempts,
                 PyLong_FromUnsignedLong(fault->attempts)) < 0) {
        return -1;
    }
    if (fault->key != NULL &&
        set_attr(exc, state->str_key, or_none(fault->key)) < 0) {
        return -1;
    }
    return fault->bin == NULL
               ? 0
               : set_attr(exc, state->str_bin, or_none(fault->bin));
}

/* An exception that is already set becomes the context. */
static void *
raise_fault(ModState *state, const Fault *fault)
{
    PyObject *context_type = NULL;
    PyObject *context = NULL;
    PyObject *trace = NULL;
    PyObject *args = NULL;
    PyObject *exc = NULL;

    PyErr_Fetch(&context_type, &context, &trace);
    PyErr_NormalizeException(&context_type, &context, &trace);
    args = Py_BuildValue("(iOOOO)", fault->code, fault->msg, Py_None, Py_None,
                         fault->in_doubt ? Py_True : Py_False);
    if (args != NULL) {
        exc = PyObject_CallObject(fault->type, args);
    }
    if (exc != NULL && set_attributes(state, exc, fault) == 0) {
        if (context != NULL) {
            PyException_SetContext(exc, Py_NewRef(context));
        }
        PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
    }
    Py_XDECREF(exc);
    Py_XDECREF(args);
    Py_XDECREF(context_type);
    Py_XDECREF(context);
    Py_XDECREF(trace);
    return NULL;
}

void *
raise_record(ModState *state, const aero_status *st, PyObject *key,
             PyObject *bin)
{
    Fault fault = {.type = errors_class(state, st->code),
                   .code = st->code,
                   .in_doubt = st->in_doubt,
                   .attempts = st->attempts,
                   .node = st->node,
                   .key = key,
                   .bin = bin};
    PyObject *msg;
    PyObject *text;

    if (st->code == AERO_ERR_CLIENT_ABORT && PyErr_Occurred()) {
        return NULL; /* what the signal's handler raised */
    }
    msg = PyUnicode_DecodeUTF8(st->text, (Py_ssize_t)strlen(st->text),
                               "replace");
    text = msg == NULL
               ? NULL
               : PyUnicode_FromFormat("AEROSPIKE_ERR (%d): %U", st->code, msg);
    if (text != NULL) {
        fault.msg = msg;
        fault.text = text;
        raise_fault(state, &fault);
    }
    Py_XDECREF(msg);
    Py_XDECREF(text);
    return NULL;
}

void *
raise_status(ModState *state, const aero_status *st)
{
    return raise_record(state, st, NULL, NULL);
}

void *
raise_result(ModState *state, const Face *face, int result,
             const aero_status *st, PyObject *key, PyObject *bin)
{
    Fault fault = {.type = errors_class(state, result),
                   .code = result,
                   .in_doubt = st->in_doubt,
                   .attempts = st->attempts,
                   .node = st->node,
                   .key = key,
                   .bin = bin};
    const char *name = aero_result_name(result);
    const char *brief = aero_result_short(result);
    char unknown[32];
    PyObject *msg;
    PyObject *text;

    (void)face;
    snprintf(unknown, sizeof unknown, "Unknown(%d)", result);
    msg = name != NULL ? PyUnicode_FromFormat("AEROSPIKE_ERR_%s", name)
                       : PyUnicode_FromFormat("result code %d", result);
    text = PyUnicode_FromFormat(
        "AEROSPIKE_ERR (%d): Server error: %s, In Doubt: %s, Node: %s (%s)",
        result, brief != NULL ? brief : unknown,
        st->in_doubt ? "true" : "false", st->node, aero_result_text(result));
    if (msg != NULL && text != NULL) {
        fault.msg = msg;
        fault.text = text;
        raise_fault(state, &fault);
    }
    Py_XDECREF(msg);
    Py_XDECREF(text);
    return NULL;
}

/* An error of the client: the code is that of the class.  Takes both texts. */
static void *
raise_texts(ModState *state, exc_id id, PyObject *msg, PyObject *text)
{
    Fault fault = {
        .type = state->exc[id], .own = true, .msg = msg, .text = text};
    PyObject *type;
    PyObject *exc;
    PyObject *trace;
    PyObject *code = NULL;

    if (msg == NULL || text == NULL) {
        goto done; /* no memory for the text, which is said instead */
    }
    /* What is raised already is the context, and no failure of the look-up. */
    PyErr_Fetch(&type, &exc, &trace);
    code = PyObject_GetAttr(fault.type, state->str_code);
    if (code != NULL) {
        fault.code =
            code == Py_None ? AERO_ERR_CLIENT : (int)PyLong_AsLong(code);
        PyErr_Restore(type, exc, trace);
        raise_fault(state, &fault);
    }
    else {
        Py_XDECREF(type);
        Py_XDECREF(exc);
        Py_XDECREF(trace);
    }
done:
    Py_XDECREF(msg);
    Py_XDECREF(text);
    Py_XDECREF(code);
    return NULL;
}

void *
raise_error(ModState *state, exc_id id, const char *fmt, ...)
{
    PyObject *msg;
    va_list args;

    va_start(args, fmt);
    msg = PyUnicode_FromFormatV(fmt, args);
    va_end(args);
    return raise_texts(state, id, msg, Py_XNewRef(msg));
}

void *
raise_argument(ModState *state, exc_id id, const char *msg, const char *fmt,
               ...)
{
    PyObject *text;
    va_list args;

    va_start(args, fmt);
    text = PyUnicode_FromFormatV(fmt, args);
    va_end(args);
    return raise_texts(state, id, PyUnicode_FromString(msg), text);
}

PyObject *
errors_take(void)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;

    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    if (trace != NULL) {
        PyException_SetTraceback(exc, trace);
    }
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return exc;
}

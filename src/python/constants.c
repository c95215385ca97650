/* The constants of both faces, from the tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "encode.h"

typedef struct ConstRow {
    const char *name;
    int64_t main;
    int64_t official;
    bool on_main;
    bool on_official;
} ConstRow;

static const ConstRow numbers[] = {
#define CONST(name, value)              {#name, value, value, true, true},
#define CONST_TWO(name, main, official) {#name, main, official, true, true},
#define CONST_MAIN(name, value)         {#name, value, 0, true, false},
#define CONST_SHIFTED(name, official)                                         \
    {#name, AERO_OP_SHIFT + (official), official, true, true},
#define CONST_TEXT(name, text)
#include "aero/wire/tables/constant.def"
#undef CONST
#undef CONST_TWO
#undef CONST_MAIN
#undef CONST_SHIFTED
#undef CONST_TEXT
#define RESULT(name, code, exception, text)
#define RESULT_NAMED(name, code, exception, text, public)                     \
    {"AEROSPIKE_" #public, code, 0, true, false},
#include "aero/wire/tables/result.def"
#undef RESULT
#undef RESULT_NAMED
};

static const char *const texts[][2] = {
#define CONST(name, value)
#define CONST_TWO(name, main, official)
#define CONST_MAIN(name, value)
#define CONST_SHIFTED(name, official)
#define CONST_TEXT(name, text) {#name, text},
#include "aero/wire/tables/constant.def"
#undef CONST
#undef CONST_TWO
#undef CONST_MAIN
#undef CONST_SHIFTED
#undef CONST_TEXT
};

static int
add(PyObject *dict, const char *name, PyObject *value)
{
    int rc = value == NULL ? -1 : PyDict_SetItemString(dict, name, value);

    Py_XDECREF(value);
    return rc;
}

static int
fill(PyObject *main, PyObject *official)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const ConstRow *row = &numbers[i];

        if ((row->on_main &&
             add(main, row->name, PyLong_FromLongLong(row->main)) < 0) ||
            (row->on_official &&
             add(official, row->name, PyLong_FromLongLong(row->official)) <
                 0)) {
            return -1;
        }
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (add(main, texts[i][0], PyUnicode_FromString(texts[i][1])) < 0 ||
            add(official, texts[i][0], PyUnicode_FromString(texts[i][1])) <
                0) {
            return -1;
        }
    }
    return 0;
}

int
module_add_constants(PyObject *module)
{
    PyObject *main = PyDict_New();
    PyObject *official = PyDict_New();
    int rc = -1;

    if (main != NULL && official != NULL && fill(main, official) == 0 &&
        PyModule_AddObjectRef(module, "constants", main) == 0) {
        rc = PyModule_AddObjectRef(module, "official_constants", official);
    }
    Py_XDECREF(main);
    Py_XDECREF(official);
    return rc;
}

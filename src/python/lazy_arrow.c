/* Batches as Arrow: an array and a stream of one array, in capsules.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "arrow.h"
#include "lazy.h"

/* ---- capsules ---- */

static void
free_schema(PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");

    if (schema->release != NULL) {
        schema->release(schema);
    }
    aero_free(schema);
}

static void
free_array(PyObject *capsule)
{
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");

    if (array->release != NULL) {
        array->release(array);
    }
    aero_free(array);
}

static void
free_stream(PyObject *capsule)
{
    struct ArrowArrayStream *stream =
        PyCapsule_GetPointer(capsule, "arrow_array_stream");

    if (stream->release != NULL) {
        stream->release(stream);
    }
    aero_free(stream);
}

PyObject *
arrow_stream_capsule(struct ArrowArrayStream **stream)
{
    PyObject *capsule;

    *stream = aero_zalloc(sizeof **stream);
    if (*stream == NULL) {
        return PyErr_NoMemory();
    }
    capsule = PyCapsule_New(*stream, "arrow_array_stream", free_stream);
    if (capsule == NULL) {
        aero_free(*stream);
    }
    return capsule;
}

/* Both capsules of what the table has. */
static PyObject *
make_capsules(Table *table)
{
    struct ArrowSchema *schema = aero_zalloc(sizeof *schema);
    struct ArrowArray *array = aero_zalloc(sizeof *array);
    PyObject *first = NULL;
    PyObject *second = NULL;
    PyObject *pair;

    if (schema == NULL || array == NULL) {
        aero_free(schema);
        aero_free(array);
        return PyErr_NoMemory();
    }
    first = PyCapsule_New(schema, "arrow_schema", free_schema);
    second = PyCapsule_New(array, "arrow_array", free_array);
    if (first == NULL || second == NULL || !table_schema(table, schema) ||
        !table_take(table, array)) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        if (first == NULL) {
            aero_free(schema);
        }
        if (second == NULL) {
            aero_free(array);
        }
        Py_XDECREF(first);
        Py_XDECREF(second);
        return NULL;
    }
    pair = PyTuple_Pack(2, first, second);
    Py_DECREF(first);
    Py_DECREF(second);
    return pair;
}

/* ---- rows ---- */

/* A user key as a particle; `bytes` has room for an integer. */
static int
key_particle(PyObject *user, TableRow *row, uint8_t *bytes)
{
    if (user == Py_None) {
        row->key_particle = AERO_PARTICLE_NIL;
    }
    else if (PyUnicode_Check(user)) {
        Py_ssize_t len;
        const char *text = PyUnicode_AsUTF8AndSize(user, &len);

        if (text == NULL) {
            return -1;
        }
        row->key_particle = AERO_PARTICLE_STRING;
        row->key = aero_span_of(text, (size_t)len);
    }
    else if (PyBytes_Check(user)) {
        row->key_particle = AERO_PARTICLE_BLOB;
        row->key = aero_span_of(PyBytes_AS_STRING(user),
                                (size_t)PyBytes_GET_SIZE(user));
    }
    else if (PyByteArray_Check(user)) {
        row->key_particle = AERO_PARTICLE_BLOB;
        row->key = aero_span_of(PyByteArray_AS_STRING(user),
                                (size_t)PyByteArray_GET_SIZE(user));
    }
    else {
        PyObject *number = PyNumber_Index(user);
        int64_t value = number == NULL ? -1 : PyLong_AsLongLong(number);

        Py_XDECREF(number);
        if (value == -1 && PyErr_Occurred()) {
            return -1;
        }
        aero_set_u64(bytes, (uint64_t)value);
        row->key_particle = AERO_PARTICLE_INTEGER;
        row->key = aero_span_of(bytes, 8);
    }
    return 0;
}

static int
fill_table(const BatchOut *out, Table *table)
{
    uint32_t now = aero_clock_void_now();

    for (size_t i = 0; i < out->n; i++) {
        const aero_row *from = &out->rows[i];
        bool found = batch_found(from);
        uint8_t bytes[8];
        TableRow row = {.digest = from->digest,
                        .result = from->result,
                        .generation = from->generation,
                        .found = found};

        row.ttl = from->void_time == 0 ? UINT32_MAX
                                       : aero_clock_ttl(from->void_time, now);
        if (key_particle(batch_user_key(out, i), &row, bytes) < 0) {
            return -1;
        }
        if (found) {
            row.ops = batch_ops(out, i);
            row.n_ops = from->n_ops;
        }
        if (!table_add(table, &row)) {
            PyErr_SetString(PyExc_TypeError, table->error);
            return -1;
        }
    }
    return 0;
}

const char lazy_arrow_array_doc[] =
    "__arrow_c_array__($self, requested_schema=None, /)\n--\n\n"
    "The rows as an Arrow struct array: ``_key``, ``_digest``, ``_result``, "
    "``_generation``, ``_ttl``\nand a column for each bin.\n\n"
    "Raises\n------\nTypeError\n    A bin holds values of several types.";

int
arrow_take_wish(PyObject *schema, Table *table)
{
    const struct ArrowSchema *wish;

    if (schema == NULL || schema == Py_None) {
        return 0;
    }
    wish = PyCapsule_GetPointer(schema, "arrow_schema");
    if (wish == NULL) {
        return -1;
    }
    if (wish->release == NULL || !table_wish(table, wish)) {
        PyErr_SetString(PyExc_ValueError, wish->release == NULL
                                              ? "the schema was released"
                                              : table->error);
        return -1;
    }
    return 0;
}

int
arrow_bind_wish(const char *method, PyObject *const *args, Py_ssize_t nargs,
                PyObject *kwnames, PyObject **schema)
{
    Py_ssize_t named = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);

    if (nargs + named > 1 || (named == 1 && PyUnicode_CompareWithASCIIString(
                                                PyTuple_GET_ITEM(kwnames, 0),
                                                "requested_schema") != 0)) {
        PyErr_Format(PyExc_TypeError,
                     "%s() takes one argument, requested_schema", method);
        return -1;
    }
    *schema = nargs + named == 0 ? NULL : args[0];
    return 0;
}

PyObject *
lazy_arrow_array(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames)
{
    PyObject *schema;
    Table table;
    PyObject *pair = NULL;

    if (arrow_bind_wish("__arrow_c_array__", args, nargs, kwnames, &schema) <
        0) {
        return NULL;
    }
    table_init(&table);
    if (arrow_take_wish(schema, &table) == 0 &&
        fill_table(&((Lazy *)self)->out, &table) == 0) {
        pair = make_capsules(&table);
    }
    table_fini(&table);
    return pair;
}

/* ---- a stream of one array ---- */

static int
stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    return table_schema(stream->private_data, out) ? 0 : ENOMEM;
}

static int
stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    Table *table = stream->private_data;

    if (table->frozen) { /* it was given */
        memset(out, 0, sizeof *out);
        return 0;
    }
    table->frozen = true;
    return table_take(table, out) ? 0 : ENOMEM;
}

static const char *
stream_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "no memory";
}

static void
stream_release(struct ArrowArrayStream *stream)
{
    table_fini(stream->private_data);
    aero_free(stream->private_data);
    stream->release = NULL;
}

PyObject *
arrow_table_stream(Table *table)
{
    struct ArrowArrayStream *stream;
    PyObject *capsule = arrow_stream_capsule(&stream);

    if (capsule == NULL) {
        return NULL;
    }
    stream->private_data = table;
    stream->get_schema = stream_schema;
    stream->get_next = stream_next;
    stream->get_last_error = stream_error;
    stream->release = stream_release;
    return capsule;
}

const char lazy_arrow_stream_doc[] =
    "__arrow_c_stream__($self, requested_schema=None, /)\n--\n\n"
    "The same as a stream of one record batch.";

PyObject *
lazy_arrow_stream(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                  PyObject *kwnames)
{
    PyObject *capsule = NULL;
    PyObject *schema;
    Table *table;

    if (arrow_bind_wish("__arrow_c_stream__", args, nargs, kwnames, &schema) <
        0) {
        return NULL;
    }
    table = aero_zalloc(sizeof *table);
    if (table == NULL) {
        return PyErr_NoMemory();
    }
    table_init(table);
    if (arrow_take_wish(schema, table) == 0 &&
        fill_table(&((Lazy *)self)->out, table) == 0) {
        capsule = arrow_table_stream(table);
    }
    if (capsule == NULL) {
        table_fini(table);
        aero_free(table);
    }
    return capsule;
}

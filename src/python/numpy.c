/* Batches to and from NumPy.  What a dtype and an array are, Python asks
 * (aerospike_py/numpy_batch.py); here are only addresses.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "cells.h"
#include "lazy.h"

enum {
    /* of the tuple that _prepare gives */
    PART_FIELDS,
    PART_ARRAY,
    PART_META,
    PART_CODES,
    PART_MISSING
};

struct Columns {
    Cells cells;
    PyObject *parts; /* owned; the arrays among them */
};

void
columns_free(Columns *columns)
{
    if (columns != NULL) {
        aero_free(columns->cells.cells);
        Py_XDECREF(columns->parts);
        aero_free(columns);
    }
}

/* numpy_batch (borrowed), which is loaded only when arrays are asked for. */
PyObject *
columns_module(ModState *state)
{
    if (state->numpy_module == NULL) {
        state->numpy_module =
            PyImport_ImportModule("aerospike_py.numpy_batch");
    }
    return state->numpy_module;
}

static PyObject *
ask_arrays(ModState *state, PyObject *dtype, PyObject *out, size_t count)
{
    PyObject *module = columns_module(state);

    return module == NULL
               ? NULL
               : PyObject_CallMethod(module, "_prepare", "OOn",
                                     dtype == NULL ? Py_None : dtype,
                                     out == NULL ? Py_None : out,
                                     (Py_ssize_t)count);
}

Cell *
columns_fields(PyObject *fields, size_t *n)
{
    Py_ssize_t count = PyTuple_GET_SIZE(fields);
    Cell *cells = aero_zalloc(((size_t)count + 1) * sizeof *cells);

    if (cells == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        Cell *cell = &cells[i];
        Py_ssize_t len;
        int kind;
        int is_array;

        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(fields, i), "y#IIIip",
                              &cell->name, &len, &cell->offset, &cell->size,
                              &cell->count, &kind, &is_array)) {
            aero_free(cells);
            return NULL;
        }
        cell->name_len = (size_t)len;
        cell->kind = (char)kind;
        cell->is_array = is_array != 0;
    }
    *n = (size_t)count;
    return cells;
}

int
columns_place(PyObject *array, bool writes, void **data, ptrdiff_t *stride)
{
    Py_buffer view;
    int flags = PyBUF_STRIDES | (writes ? PyBUF_WRITABLE : 0);

    if (PyObject_GetBuffer(array, &view, flags) < 0) {
        return -1;
    }
    *data = view.buf;
    *stride = view.strides[0];
    PyBuffer_Release(&view);
    return 0;
}

/* Where the arrays' bytes are; they stay, because the arrays do. */
static int
take_places(const PyObject *parts, Cells *cells)
{
    void *data[4];
    ptrdiff_t stride;

    for (int i = 0; i < 4; i++) {
        if (columns_place(PyTuple_GET_ITEM(parts, PART_ARRAY + i), true,
                          &data[i], i == 0 ? &cells->stride : &stride) < 0) {
            return -1;
        }
    }
    cells->data = data[0];
    cells->meta = data[1];
    cells->codes = data[2];
    cells->missing = data[3];
    return 0;
}

/* "raise" (or none) or "code". */
static int
take_on_error(ModState *state, PyObject *on_error, bool *code)
{
    if (on_error == NULL || on_error == Py_None) {
        return 0;
    }
    if (PyUnicode_Check(on_error)) {
        *code = PyUnicode_CompareWithASCIIString(on_error, "code") == 0;
        if (*code ||
            PyUnicode_CompareWithASCIIString(on_error, "raise") == 0) {
            return 0;
        }
    }
    raise_param_value(state, "on_error must be 'raise' or 'code', not %R",
                      on_error);
    return -1;
}

static int
prepare(Columns *columns, ModState *state, PyObject *dtype, PyObject *out,
        PyObject *on_error, size_t count)
{
    Cells *cells = &columns->cells;

    if (take_on_error(state, on_error, &cells->code_on_error) < 0) {
        return -1;
    }
    columns->parts = ask_arrays(state, dtype, out, count);
    if (columns->parts == NULL) {
        return -1;
    }
    cells->cells = columns_fields(
        PyTuple_GET_ITEM(columns->parts, PART_FIELDS), &cells->n_cells);
    cells->void_now = aero_clock_void_now();
    return cells->cells == NULL ? -1 : take_places(columns->parts, cells);
}

Columns *
columns_new(ModState *state, PyObject *dtype, PyObject *out,
            PyObject *on_error, size_t count)
{
    Columns *columns = aero_zalloc(sizeof *columns);

    if (columns == NULL) {
        PyErr_NoMemory();
    }
    else if (prepare(columns, state, dtype, out, on_error, count) < 0) {
        columns_free(columns);
        columns = NULL;
    }
    return columns;
}

Cells *
columns_cells(Columns *columns)
{
    return &columns->cells;
}

/* ---- the end ---- */

static const char *
particle_text(uint8_t particle)
{
    switch (particle) {
    case AERO_PARTICLE_INTEGER:
        return "an integer";
    case AERO_PARTICLE_FLOAT:
        return "a float";
    case AERO_PARTICLE_STRING:
        return "a string";
    case AERO_PARTICLE_BOOL:
        return "a bool";
    case AERO_PARTICLE_LIST:
        return "a list";
    case AERO_PARTICLE_MAP:
        return "a map";
    case AERO_PARTICLE_GEOJSON:
        return "a GeoJSON value";
    default:
        return "bytes";
    }
}

static void
raise_fault(const Cells *cells, PyObject *tuples)
{
    const Cell *cell = cells->fault_cell;
    PyObject *tuple = PyTuple_GET_ITEM(tuples, (Py_ssize_t)cells->fault_row);
    PyObject *key =
        PyTuple_GET_SIZE(tuple) > 2 ? PyTuple_GET_ITEM(tuple, 2) : Py_None;
    PyObject *where = PyUnicode_FromFormat("bin '%s' of row %zu (key %R)",
                                           cell->name, cells->fault_row, key);
    const char *what = particle_text(cells->fault_particle);
    unsigned bits = cell->size * 8;

    if (where == NULL) {
        return;
    }
    switch (cells->fault) {
    case CELL_RANGE:
        PyErr_Format(PyExc_OverflowError,
                     "%U: %lld does not fit a field of kind='%c' with %u "
                     "bits",
                     where, (long long)cells->fault_number, cell->kind, bits);
        break;
    case CELL_LENGTH:
        PyErr_Format(PyExc_ValueError,
                     "%U: the list has another length than the field, which "
                     "has %u",
                     where, cell->count);
        break;
    case CELL_TYPE:
        PyErr_Format(PyExc_TypeError,
                     "%U: %s cannot be in a field of kind='%c'", where, what,
                     cell->kind);
        break;
    case CELL_BYTES:
    case CELL_FINE:
        PyErr_Format(PyExc_ValueError, "%U: %s is malformed", where, what);
        break;
    }
    Py_DECREF(where);
}

PyObject *
columns_finish(ModState *state, const Columns *columns, PyObject *tuples)
{
    PyObject *module;
    PyObject *parts = columns->parts;

    if (columns->cells.fault != CELL_FINE) {
        raise_fault(&columns->cells, tuples);
        return NULL;
    }
    module = columns_module(state);
    return module == NULL
               ? NULL
               : PyObject_CallMethod(module, "NumpyBatchRecords", "OOOOO",
                                     PyTuple_GET_ITEM(parts, PART_ARRAY),
                                     PyTuple_GET_ITEM(parts, PART_META),
                                     PyTuple_GET_ITEM(parts, PART_CODES),
                                     tuples,
                                     PyTuple_GET_ITEM(parts, PART_MISSING));
}

/* ---- straight from the reply ---- */

aero_rc
columns_on_row(void *ctx, aero_batch *batch, aero_row *row, aero_span parts,
               aero_status *st)
{
    Columns *columns = ctx;

    for (unsigned f = 0; f < row->n_fields; f++) {
        aero_field field;

        if (aero_field_take(&parts, &field, st) != AERO_OK) {
            return AERO_ERROR;
        }
    }
    cells_write(&columns->cells, (size_t)(row - batch->rows), row, parts);
    return AERO_OK;
}

PyObject *
batch_finish_numpy(Call *call)
{
    BatchIn *in = call->more;

    if (batch_check(call, in) < 0) {
        return NULL;
    }
    for (size_t i = 0; i < in->n; i++) {
        if (!in->rows[i].answered) {
            in->columns->cells.codes[i] = in->rows[i].result;
        }
    }
    return columns_finish(call->state, in->columns, in->tuples);
}

/* ---- from what has come ---- */

const char lazy_to_numpy_doc[] =
    "to_numpy($self, /, dtype=None, *, out=None, on_error=None)\n--\n\n"
    "The records as the rows of a structured array.\n\n"
    "Parameters\n----------\n"
    "dtype : numpy.dtype\n"
    "    A field for each bin: integers, floats, bool, ``S``, ``V``, and "
    "sub-arrays of these.\n"
    "out : numpy.ndarray, shape (number of keys,), optional\n"
    "    An array to fill; its dtype is taken.\n"
    "on_error : str, optional\n"
    "    ``\"raise\"`` (default), or ``\"code\"``: a value that does not fit "
    "leaves zero and gives its\n    row the result code 12.\n\n"
    "Returns\n-------\nNumpyBatchRecords\n\n"
    "Raises\n------\n"
    "TypeError\n    The dtype cannot hold bins, or not the type of one; it "
    "names bin and row.\n"
    "OverflowError\n    An integer does not fit.\n"
    "ValueError\n    A list has another length than its field.";

PyObject *
lazy_to_numpy(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"dtype", "out", "on_error", NULL};
    const Lazy *lazy = (Lazy *)self;
    const BatchOut *out = &lazy->out;
    PyObject *dtype = NULL;
    PyObject *array = NULL;
    PyObject *on_error = NULL;
    Columns *columns;
    PyObject *made;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$OO:to_numpy", names,
                                     &dtype, &array, &on_error)) {
        return NULL;
    }
    array = array == Py_None ? NULL : array;
    if (dtype == NULL && array == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "to_numpy() missing required argument 'dtype'");
        return NULL;
    }
    columns = columns_new(out->dec.state, dtype, array, on_error, out->n);
    if (columns == NULL) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS;
    for (size_t i = 0; i < out->n; i++) {
        cells_write(&columns->cells, i, &out->rows[i], batch_ops(out, i));
    }
    Py_END_ALLOW_THREADS;
    made = columns_finish(out->dec.state, columns, out->tuples);
    columns_free(columns);
    return made;
}

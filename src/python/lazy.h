/* What a batch of reads has brought.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_LAZY_H
#define AERO_PYTHON_LAZY_H

#include "batch.h"

typedef struct Lazy {
    PyObject_HEAD
    BatchOut out;   /* into what follows; its tuples are owned */
    aero_row *rows; /* owned */
    aero_buf store; /* owned */
    int32_t result;
    size_t n_found;
    PyObject *dict; /* owned; made once for the views; or NULL */
    PyObject *list; /* owned; the BatchRecords; or NULL */
} Lazy;

int lazy_setup_types(PyObject *module);
/* Takes the batch of the call over. */
PyObject *lazy_new(Call *call);

/* ---- numpy.c ---- */

/* Arrays that rows are written into. */
Columns *columns_new(ModState *state, PyObject *dtype, PyObject *out,
                     PyObject *on_error, size_t count);
void columns_free(Columns *columns); /* NULL is fine */
struct Cells *columns_cells(Columns *columns);
/* The fields that numpy_batch tells of (owned), and how many; NULL with an
 * exception. */
struct Cell *columns_fields(PyObject *fields, size_t *n);
/* Where an array's first row is, and how far the next. */
int columns_place(PyObject *array, bool writes, void **data,
                  ptrdiff_t *stride);
PyObject *columns_module(ModState *state); /* numpy_batch, borrowed */
/* A batch's on_row. */
aero_rc columns_on_row(void *ctx, aero_batch *batch, aero_row *row,
                       aero_span parts, aero_status *st);
/* NumpyBatchRecords, or the exception of the first value that did not fit. */
PyObject *columns_finish(ModState *state, const Columns *columns,
                         PyObject *tuples);
PyObject *batch_finish_numpy(Call *call);

PyObject *lazy_to_numpy(PyObject *self, PyObject *args, PyObject *kwargs);
extern const char lazy_to_numpy_doc[];

/* ---- lazy_arrow.c ---- */

struct ArrowArrayStream;

PyObject *lazy_arrow_array(PyObject *self, PyObject *const *args,
                           Py_ssize_t nargs, PyObject *kwnames);
PyObject *lazy_arrow_stream(PyObject *self, PyObject *const *args,
                            Py_ssize_t nargs, PyObject *kwnames);
extern const char lazy_arrow_array_doc[];
extern const char lazy_arrow_stream_doc[];

struct Table;

/* The schema that a reader asks for (borrowed; NULL or None: none), into the
 * table; and the one argument of an __arrow_c method. */
int arrow_take_wish(PyObject *schema, struct Table *table);
int arrow_bind_wish(const char *method, PyObject *const *args,
                    Py_ssize_t nargs, PyObject *kwnames, PyObject **schema);
/* An empty stream in its capsule; set it up before anything can fail. */
PyObject *arrow_stream_capsule(struct ArrowArrayStream **stream);

/* A stream of one batch, which the table has; it takes the table (heap), but
 * not if it fails. */
PyObject *arrow_table_stream(struct Table *table);

#endif

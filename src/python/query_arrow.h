/* Queries as Arrow streams.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_QUERY_ARROW_H
#define AERO_PYTHON_QUERY_ARROW_H

#include "query.h"

struct Table;

void query_free_table(struct Table *table); /* NULL is fine */

/* A stream that runs the query while it is read, in its capsule. */
PyObject *query_do_arrow_stream(Query *q, PyObject *const *argv);
/* The same as a method of queries and of streams that were not read yet. */
PyObject *query_arrow_capsule(PyObject *self, PyObject *const *args,
                              Py_ssize_t nargs, PyObject *kwnames);
PyObject *stream_arrow_capsule(PyObject *self, PyObject *const *args,
                               Py_ssize_t nargs, PyObject *kwnames);
extern const char arrow_stream_doc[];
/* All records as a stream of one batch. */
int query_build_arrow_table(Call *call);
PyObject *query_do_arrow(Query *q, PyObject *const *argv);

#endif

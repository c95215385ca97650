/* The work of the methods of query objects: between the table of their type
 * and what it calls.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_QUERY_WORK_H
#define AERO_PYTHON_QUERY_WORK_H

#include "query.h"

/* ---- query_collect.c: plain methods ---- */

PyObject *query_select(PyObject *self, PyObject *const *args,
                       Py_ssize_t nargs);
PyObject *query_do_where(Query *q, PyObject *const *argv);
PyObject *query_do_where_index(Query *q, PyObject *const *argv);
PyObject *query_do_where_expr(Query *q, PyObject *const *argv);
PyObject *query_do_add_ops(Query *q, PyObject *const *argv);
PyObject *query_do_apply(Query *q, PyObject *const *argv);
PyObject *query_do_paginate(Query *q, PyObject *const *argv);
PyObject *query_do_is_done(Query *q, PyObject *const *argv);
PyObject *query_do_status(Query *q, PyObject *const *argv);

/* ---- query_run.c ---- */

/* False on the strict face, with its exception, for a client that was closed;
 * its text ends with `end`. */
bool query_is_connected(const Query *q, const char *end);
/* A method that asks the cluster: it runs, or gives what is awaited. */
PyObject *query_run(PyObject *self, const Signature *sigs, call_build build,
                    PyObject *const *args, Py_ssize_t nargs,
                    PyObject *kwnames);
int query_build_results(Call *call);
int query_build_scan_results(Call *call);
int query_build_background(Call *call);
int query_build_page(Call *call);
PyObject *query_do_stream(Query *q, PyObject *const *argv);
PyObject *query_do_stream_with_ids(Query *q, PyObject *const *argv);
PyObject *query_do_foreach(Query *q, PyObject *const *argv);
PyObject *query_do_pages(Query *q, PyObject *const *argv);
PyObject *query_start(PyObject *self);
/* The same, in Python if a stream UDF is applied. */
PyObject *query_run_results(PyObject *self, const Signature *sigs,
                            call_build build, PyObject *const *args,
                            Py_ssize_t nargs, PyObject *kwnames);
/* A function of aerospike_py._query, with the query and its arguments. */
PyObject *query_call_python(const char *name, Query *q, PyObject *const *argv,
                            size_t count);
PyObject *query_do_aggregation(Query *q, PyObject *const *argv);
PyObject *query_do_decode(Query *q, PyObject *const *argv);

#endif

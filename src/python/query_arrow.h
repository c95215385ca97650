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
/* All records as a stream of one batch. */
int query_build_arrow_table(Call *call);
PyObject *query_do_arrow(Query *q, PyObject *const *argv);

#endif

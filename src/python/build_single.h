/* What the builders of methods about one record share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_BUILD_SINGLE_H
#define AERO_PYTHON_BUILD_SINGLE_H

#include "build.h"

/* ---- build_single.c ---- */

/* The message's head, with the fields behind it skipped. */
int single_take_head(Call *call, aero_span *body, aero_msg *msg);
/* The bins of the reply as a Record. */
PyObject *single_finish_record(Call *call);
/* The same without answers that are nil. */
PyObject *single_finish_answers(Call *call);

/* ---- build_write.c ---- */

/* Policy and meta of a method that writes. */
int single_take_write(Call *call, PyObject *meta, PyObject *policy,
                      aero_policy_kind kind, WriteWish *wish);
void single_open_write(Call *call, aero_single *s, const WriteWish *wish);

#endif

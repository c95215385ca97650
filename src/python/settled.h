/* Calls that ask something of the cluster and wait until it is so: the
 * binding's half of aero/client/settle.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_SETTLED_H
#define AERO_PYTHON_SETTLED_H

#include "call.h"

#include "aero/client/settle.h"

typedef struct Settled {
    aero_settle settle; /* first: its ctx is this */
    /* What the texts of the questions are made of; owned. */
    aero_buf ask;
    aero_buf ask_old; /* for nodes that know only older words, where asked */
    aero_buf look;
    aero_buf expected; /* an answer, or a part of one */
    uint32_t missing;  /* times in a row that something was not there */
    uint64_t id;       /* of a job */
    size_t id_at;      /* where it stands in the request */
} Settled;

/* One for the call, which owns it and runs it; its questions put `ask` and
 * `look` as they are.  NULL with an exception. */
Settled *settled_new(Call *call);

/* Leave out asking or looking by setting their `put` to NULL. */

/* What call->begin is, unless there is more to do. */
int settled_begin(Call *call, const aero_source *source, uint64_t now);

/* How it ended: 0, or -1 with the exception. */
int settled_check(Call *call);

/* For call->finish: 0, or the exception. */
PyObject *settled_finish_zero(Call *call);

/* A name as a part of an info command.  -1 with ParamError. */
int info_put_name(ModState *state, aero_buf *out, const char *key,
                  PyObject *value, const char *what);
int info_put_text(ModState *state, aero_buf *out, const char *key,
                  aero_span text);

#endif

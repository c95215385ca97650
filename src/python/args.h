/* Binding of arguments by a method's signature row.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_ARGS_H
#define AERO_PYTHON_ARGS_H

#include "state.h"

enum {
    ARGS_MAX = 8
};

typedef struct Signature {
    const char *method;
    uint16_t first; /* of its names in state->param_names; aliases behind */
    uint8_t count;
    uint8_t required;
    const char *names[ARGS_MAX + 1];
    const char *aliases[ARGS_MAX + 1]; /* NULL: none */
    const char *measured; /* as what its time is counted; NULL: not */
    bool is_data;         /* counts among those that may run at once */
    bool takes_any;       /* arguments, and looks at none */
} Signature;

/* Fill the ARGS_MAX places of `out` with borrowed references, NULL for those
 * that were not given, or that a face does not have.
 * -1 with a TypeError that names the argument. */
int args_bind(ModState *state, const Signature *sig, PyObject *const *args,
              Py_ssize_t nargs, PyObject *kwnames, PyObject **out);

/* Make the interned names of one signature. */
int args_intern(ModState *state, const Signature *sig);

#endif

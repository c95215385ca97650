/* Methods that look like functions of Python.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_METHOD_H
#define AERO_PYTHON_METHOD_H

#include "state.h"

int method_setup_type(PyObject *module);

/* Give `type` the methods of `defs`, all METH_FASTCALL | METH_KEYWORDS, the
 * docstring opening with the signature; the array must outlive the type.
 * `coroutine`: calling one gives a coroutine. */
int methods_add(ModState *state, PyTypeObject *type, const PyMethodDef *defs,
                bool coroutine);

#endif

/* How the extensions say what they bear: other interpreters, and no lock.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_SLOTS_H
#define AERO_PYTHON_SLOTS_H

#include <Python.h>

#ifdef Py_mod_multiple_interpreters
#define SLOT_INTERPRETERS                                                     \
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#else
#define SLOT_INTERPRETERS
#endif

#ifdef Py_mod_gil
#define SLOT_LOCK {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#else
#define SLOT_LOCK
#endif

/* The slots of a module that `exec` fills. */
#define MODULE_SLOTS(exec)                                                    \
    {                                                                         \
        {Py_mod_exec, exec}, SLOT_INTERPRETERS SLOT_LOCK                      \
        {                                                                     \
            0, NULL                                                           \
        }                                                                     \
    }

#endif

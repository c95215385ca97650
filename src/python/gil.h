/* Letting go of the interpreter's lock and taking it back; and, in a build
 * with AERO_GIL_CLOCK, a clock of how long our code holds it.
 *
 * Time counts from GIL_ENTER to GIL_LEAVE, less what lies between GIL_SAVE and
 * GIL_RESTORE, on each thread for itself.  In other builds nothing is left of
 * this.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_GIL_H
#define AERO_PYTHON_GIL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#ifdef AERO_GIL_CLOCK

void gil_enter(void);
void gil_leave(void);
PyThreadState *gil_save(void);
void gil_restore(PyThreadState *thread);

/* gil_clock() and time_call(), for the benchmark. */
extern PyMethodDef gil_functions[];

#define GIL_ENTER()         gil_enter()
#define GIL_LEAVE()         gil_leave()
#define GIL_SAVE()          gil_save()
#define GIL_RESTORE(thread) gil_restore(thread)

#else

#define GIL_ENTER()         ((void)0)
#define GIL_LEAVE()         ((void)0)
#define GIL_SAVE()          PyEval_SaveThread()
#define GIL_RESTORE(thread) PyEval_RestoreThread(thread)

#endif
#endif

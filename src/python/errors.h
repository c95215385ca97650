/* From a status to an exception, in one place.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_ERRORS_H
#define AERO_PYTHON_ERRORS_H

#include "state.h"

/* Each sets an exception and returns NULL, so that `return raise_...` reads
 * well; with -1 as an int where that is wanted. */

/* The class of the code, with everything the status knows. */
void *raise_status(ModState *state, const aero_status *st);
/* The same with more attributes of the record it is about (borrowed, or
 * NULL). */
void *raise_record(ModState *state, const aero_status *st, PyObject *key,
                   PyObject *bin);
/* A code of the server that came in a reply. */
void *raise_result(ModState *state, const Face *face, int result,
                   const aero_status *st, PyObject *key, PyObject *bin);

/* An argument is wrong: `id` is one of the Param... classes.  The code is
 * that of the class; the text is printf's. */
void *raise_error(ModState *state, exc_id id, const char *fmt, ...);

/* The same for an argument of which both peers say something: `msg` is the
 * official text, what str() says is printf's and names the argument. */
void *raise_argument(ModState *state, exc_id id, const char *msg,
                     const char *fmt, ...);

/* Let str() of the exception that is set begin with where it was found. */
void errors_place(ModState *state, const char *fmt, ...);
/* Take the exception that is set, with its traceback (new reference). */
PyObject *errors_take(void);

/* Put a prefix before both texts of the exception that is set: where in a list
 * it happened.  Exceptions that are not ours stay as they are. */
void raise_about(ModState *state, const char *fmt, ...);

/* Raise `id` in place of the exception that is set: the prefix, and what that
 * one says. */
void errors_reword(ModState *state, exc_id id, const char *prefix);

/* Say of the exception that is set which record and node it is about, as far
 * as it does not. */
void errors_record(ModState *state, const char *node, PyObject *key);

/* Gives `result`, which a method is to return.  On the strict face str() of
 * what is raised holds the official text, too, and its class has the official
 * name: programs look for them there. */
PyObject *errors_told(ModState *state, const Face *face, PyObject *result);

#define raise_param(state, ...) raise_error(state, EXC_ParamError, __VA_ARGS__)
#define raise_param_type(state, ...)                                          \
    raise_error(state, EXC_ParamTypeError, __VA_ARGS__)
#define raise_param_value(state, ...)                                         \
    raise_error(state, EXC_ParamValueError, __VA_ARGS__)

/* The class for a code (borrowed). */
PyObject *errors_class(ModState *state, int code);

#endif

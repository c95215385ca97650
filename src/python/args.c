/* Binding of arguments.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "args.h"

int
args_intern(ModState *state, const Signature *sig)
{
    for (int i = 0; i < sig->count; i++) {
        PyObject **at = &state->param_names[sig->first + i];
        const char *alias = sig->aliases[i];

        at[0] = PyUnicode_InternFromString(sig->names[i]);
        if (at[0] == NULL) {
            return -1;
        }
        at[sig->count] =
            alias == NULL ? NULL : PyUnicode_InternFromString(alias);
        if (alias != NULL && at[sig->count] == NULL) {
            return -1;
        }
    }
    return 0;
}

/* The place of a keyword, by identity first; -1: unknown. */
static int
find_param(ModState *state, const Signature *sig, PyObject *name)
{
    PyObject **known = &state->param_names[sig->first];
    int total = 2 * sig->count;

    for (int i = 0; i < total; i++) {
        if (known[i] == name) {
            return i % sig->count;
        }
    }
    for (int i = 0; i < total; i++) {
        if (known[i] != NULL && PyUnicode_Compare(known[i], name) == 0) {
            return i % sig->count;
        }
    }
    return -1;
}

static int
too_many(const Signature *sig, Py_ssize_t given)
{
    PyErr_Format(PyExc_TypeError,
                 "%s() takes at most %d argument%s (%zd given)", sig->method,
                 sig->count, sig->count == 1 ? "" : "s", given);
    return -1;
}

int
args_bind(ModState *state, const Signature *sig, PyObject *const *args,
          Py_ssize_t nargs, PyObject *kwnames, PyObject **out)
{
    Py_ssize_t named = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    PyObject *unknown = NULL;

    if (sig->takes_any) {
        nargs = named = 0;
    }
    if (nargs + named > sig->count) {
        return too_many(sig, nargs + named);
    }
    for (int i = 0; i < ARGS_MAX; i++) {
        /* all of it: the other face's signature may be longer */
        out[i] = i < nargs ? args[i] : NULL;
    }
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        int at = find_param(state, sig, name);

        if (at < 0) {
            unknown = name;
            continue;
        }
        if (out[at] != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "argument for %s() given by name ('%s') and position "
                         "(%d)",
                         sig->method, sig->names[at], at + 1);
            return -1;
        }
        out[at] = args[nargs + i];
    }
    for (int i = 0; i < sig->required; i++) {
        if (out[i] == NULL) {
            PyErr_Format(PyExc_TypeError,
                         "%s() missing required argument '%s' (pos %d)",
                         sig->method, sig->names[i], i + 1);
            return -1;
        }
    }
    if (unknown != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'%U' is an invalid keyword argument for %s()", unknown,
                     sig->method);
        return -1;
    }
    return 0;
}

/* The entries of an operation's dict, found in one pass over it.
 *
 * Names are told by their places in INTERNED; what stands here stays alive
 * whatever happens to the dict meanwhile.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_ENTRIES_H
#define AERO_PYTHON_ENTRIES_H

#include <stddef.h>

#include "state.h"

typedef enum EntryName {
#define X(name) ENTRY_##name,
    INTERNED(X)
#undef X
    ENTRY_NAMES,
    ENTRY_NONE = ENTRY_NAMES
} EntryName;

_Static_assert(ENTRY_NAMES < UINT8_MAX, "places fit a byte, and one is free");

typedef struct Entries {
    PyObject *at[ENTRY_NAMES]; /* owned; NULL: absent */
    uint8_t used[ENTRY_NAMES]; /* places that are not NULL */
    int n_used;
    PyObject *odd; /* owned: a name that no operation knows; NULL: none */
} Entries;

/* Say which names operations know. */
int entries_know(ModState *state, EntryName name);

/* Read all entries of a dict; `entries` is zeroed, or was let go. */
void entries_take(ModState *state, PyObject *dict, Entries *entries);
void entries_let_go(Entries *entries);

static inline PyObject *
entry_text(ModState *state, EntryName name)
{
    return ((PyObject **)((char *)state + offsetof(ModState, str_gen)))[name];
}

#endif

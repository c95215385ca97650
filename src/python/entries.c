/* One pass over an operation's dict.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "entries.h"

static inline uint8_t *
slot_of(ModState *state, PyObject *name)
{
    size_t slot = (size_t)((uintptr_t)name >> 4) % ENTRY_SLOTS;
    uint8_t *slots = state->entry_slots;

    while (slots[slot] != 0 && entry_text(state, slots[slot] - 1) != name) {
        slot = (slot + 1) % ENTRY_SLOTS;
    }
    return &slots[slot];
}

int
entries_know(ModState *state, EntryName name)
{
    PyObject *text = entry_text(state, name);
    PyObject *place = PyLong_FromLong(name);
    int rc;

    if (place == NULL) {
        return -1;
    }
    rc = PyDict_SetItem(state->op_entries, text, place);
    Py_DECREF(place);
    *slot_of(state, text) = (uint8_t)(name + 1);
    return rc;
}

/* A name that equals one of ours, or none. */
static EntryName
find_equal(ModState *state, PyObject *name)
{
    PyObject *place = PyDict_GetItemWithError(state->op_entries, name);

    if (place == NULL) {
        PyErr_Clear();
        return ENTRY_NONE;
    }
    return (EntryName)PyLong_AsLong(place);
}

static void
add(ModState *state, PyObject *name, PyObject *value, Entries *entries)
{
    uint8_t known = *slot_of(state, name);
    EntryName at =
        known != 0 ? (EntryName)(known - 1) : find_equal(state, name);

    if (at == ENTRY_NONE) {
        Py_XSETREF(entries->odd, Py_NewRef(name));
        return;
    }
    if (entries->at[at] == NULL) {
        entries->used[entries->n_used++] = (uint8_t)at;
    }
    Py_XSETREF(entries->at[at], Py_NewRef(value));
}

void
entries_take(ModState *state, PyObject *dict, Entries *entries)
{
    Py_ssize_t pos = 0;
    PyObject *name;
    PyObject *value;

    STATE_LOCK(dict);
    while (PyDict_Next(dict, &pos, &name, &value)) {
        Py_INCREF(name);
        Py_INCREF(value);
        add(state, name, value, entries);
        Py_DECREF(value);
        Py_DECREF(name);
    }
    STATE_UNLOCK();
}

void
entries_let_go(Entries *entries)
{
    while (entries->n_used > 0) {
        uint8_t at = entries->used[--entries->n_used];

        Py_CLEAR(entries->at[at]);
    }
    Py_CLEAR(entries->odd);
}

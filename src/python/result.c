/* Pieces of results.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/clock.h"
#include "call.h"

PyObject *
result_tuple(PyTypeObject *type, Py_ssize_t count, ...)
{
    PyObject *tuple = type == &PyTuple_Type ? PyTuple_New(count)
                                            : type->tp_alloc(type, count);
    va_list items;

    va_start(items, count);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = va_arg(items, PyObject *);

        if (tuple == NULL) {
            Py_XDECREF(item);
        }
        else if (item == NULL) {
            Py_CLEAR(tuple);
        }
        else {
            PyTuple_SET_ITEM(tuple, i, item);
        }
    }
    va_end(items);
    return tuple;
}

static PyObject *
new_meta(ModState *state, uint32_t gen, uint32_t ttl)
{
    PyObject *meta =
        result_tuple(state->RecordMetadata, 2, PyLong_FromUnsignedLong(gen),
                     PyLong_FromUnsignedLong(ttl));

    if (meta != NULL) {
        PyObject_GC_UnTrack(meta); /* no part of it can refer to anything */
    }
    return meta;
}

/* The metadata of a record that lives for ever never changes: those of the
 * first generations are made once. */
static PyObject *
lasting_meta(ModState *state, uint32_t gen)
{
    _Atomic(PyObject *) *slot;
    PyObject *nobody = NULL;
    PyObject *known;

    if (gen >= META_CACHE) {
        return new_meta(state, gen, UINT32_MAX);
    }
    slot = &state->metas[gen];
    known = atomic_load_explicit(slot, memory_order_acquire);
    if (known != NULL) {
        return Py_NewRef(known);
    }
    known = new_meta(state, gen, UINT32_MAX);
    if (known != NULL &&
        atomic_compare_exchange_strong(slot, &nobody, known)) {
        Py_INCREF(known);
    }
    return known;
}

static PyObject *
meta_dict(ModState *state, uint32_t gen, uint32_t ttl)
{
    PyObject *gen_obj = PyLong_FromUnsignedLong(gen);
    PyObject *ttl_obj = PyLong_FromUnsignedLong(ttl);
    PyObject *meta = PyDict_New();

    if (meta == NULL || gen_obj == NULL || ttl_obj == NULL ||
        PyDict_SetItem(meta, state->str_ttl, ttl_obj) < 0 ||
        PyDict_SetItem(meta, state->str_gen, gen_obj) < 0) {
        Py_CLEAR(meta);
    }
    Py_XDECREF(gen_obj);
    Py_XDECREF(ttl_obj);
    return meta;
}

PyObject *
result_meta(ModState *state, const Face *face, uint32_t gen,
            uint32_t void_time)
{
    uint32_t ttl = void_time == 0
                       ? UINT32_MAX
                       : aero_clock_ttl(void_time, aero_clock_void_now());

    if (face->strict) {
        return meta_dict(state, gen, ttl);
    }
    return void_time == 0 ? lasting_meta(state, gen)
                          : new_meta(state, gen, ttl);
}

int
result_set_bin(const Face *face, PyObject *bins, PyObject *name,
               PyObject *value)
{
    if (value == Py_None && !face->strict) {
        int known = PyDict_Contains(bins, name);

        if (known != 0) {
            return known < 0 ? -1 : 0;
        }
    }
    return PyDict_SetItem(bins, name, value);
}

PyObject *
result_record(Call *call, PyObject *meta, PyObject *bins)
{
    PyObject *key = key_make(call->state, call->face, &call->parts,
                             call->echo_key, call->key.digest);
    PyTypeObject *type =
        call->face->strict ? &PyTuple_Type : call->state->Record;

    return result_tuple(type, 3, key, meta, bins);
}

int
result_check(Call *call, PyObject *bin)
{
    aero_cmd *cmd = &call->cmd;

    if (cmd->rc == AERO_OK && cmd->result == AERO_ERR_OK) {
        return 0;
    }
    if (cmd->rc == AERO_OK) {
        raise_result(call->state, call->face, cmd->result, &cmd->st,
                     call->argv[0], bin);
    }
    else if (cmd->st.from_server) {
        raise_result(call->state, call->face, cmd->st.code, &cmd->st,
                     call->argv[0], bin);
    }
    else {
        raise_record(call->state, &cmd->st, call->argv[0], bin);
    }
    return -1;
}

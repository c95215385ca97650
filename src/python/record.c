/* Records of replies with many of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "call.h"
#include "record.h"

void
record_maker_init(RecordMaker *maker, const Decoder *dec, PyObject *ns,
                  PyObject *set)
{
    memset(maker, 0, sizeof *maker);
    maker->dec = *dec;
    maker->ns = Py_NewRef(ns);
    maker->set = Py_NewRef(set);
}

void
record_maker_fini(RecordMaker *maker)
{
    Py_CLEAR(maker->ns);
    Py_CLEAR(maker->set);
}

/* The same text as last time, mostly (new reference). */
static PyObject *
text_like(PyObject **known, aero_span text)
{
    PyObject *made;

    if (PyUnicode_Check(*known)) {
        Py_ssize_t len;
        const char *utf8 = PyUnicode_AsUTF8AndSize(*known, &len);

        if (utf8 == NULL) {
            return NULL;
        }
        if ((size_t)len == text.len && memcmp(utf8, text.ptr, text.len) == 0) {
            return Py_NewRef(*known);
        }
    }
    made = PyUnicode_DecodeUTF8((const char *)text.ptr, (Py_ssize_t)text.len,
                                "replace");
    if (made != NULL) {
        Py_SETREF(*known, Py_NewRef(made));
    }
    return made;
}

static PyObject *
set_of(RecordMaker *maker, const aero_query_item *item)
{
    if (item->set.len != 0) {
        return text_like(&maker->set, item->set);
    }
    if (maker->dec.face->strict) {
        return Py_NewRef(Py_None);
    }
    return PyUnicode_New(0, 0);
}

static PyObject *
user_key(const RecordMaker *maker, const aero_query_item *item)
{
    if (item->key_particle == AERO_PARTICLE_NIL) {
        return Py_NewRef(Py_None);
    }
    if (item->key_particle == AERO_PARTICLE_BLOB) {
        /* bytes would hash as a string does: this one leads to the record. */
        return PyByteArray_FromStringAndSize((const char *)item->key.ptr,
                                             (Py_ssize_t)item->key.len);
    }
    return value_take(&maker->dec, item->key_particle, item->key);
}

static PyObject *
make_key(RecordMaker *maker, const aero_query_item *item)
{
    const char *digest = (const char *)item->digest;
    bool strict = maker->dec.face->strict;
    PyTypeObject *type =
        strict ? &PyTuple_Type : maker->dec.state->AerospikeKey;
    PyObject *key = result_tuple(
        type, 4, text_like(&maker->ns, item->ns), set_of(maker, item),
        user_key(maker, item),
        strict ? PyByteArray_FromStringAndSize(digest, AERO_DIGEST_SIZE)
               : PyBytes_FromStringAndSize(digest, AERO_DIGEST_SIZE));

    if (key != NULL) {
        PyObject_GC_UnTrack(key); /* no part of it can refer to anything */
    }
    return key;
}

PyObject *
record_bins(const Decoder *dec, aero_span ops, unsigned count)
{
    PyObject *bins = PyDict_New();
    aero_status st;

    aero_status_clear(&st);
    for (unsigned i = 0; bins != NULL && i < count; i++) {
        aero_op op;
        PyObject *name;
        PyObject *value;

        if (aero_op_take(&ops, &op, &st) != AERO_OK) {
            raise_status(dec->state, &st);
            Py_CLEAR(bins);
            break;
        }
        if (dec->skip_nil && op.particle == AERO_PARTICLE_NIL) {
            continue;
        }
        name = value_name(dec->state, op.name);
        value = name == NULL ? NULL : value_take(dec, op.particle, op.value);
        if (value == NULL ||
            result_set_bin(dec->face, bins, name, value) < 0) {
            Py_CLEAR(bins);
        }
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return bins;
}

PyObject *
record_make(RecordMaker *maker, const aero_query_item *item)
{
    PyTypeObject *type =
        maker->dec.face->strict ? &PyTuple_Type : maker->dec.state->Record;
    PyObject *key = make_key(maker, item);
    PyObject *meta = key == NULL
                         ? NULL
                         : result_meta(maker->dec.state, maker->dec.face,
                                       item->generation, item->void_time);
    PyObject *bins =
        meta == NULL ? NULL : record_bins(&maker->dec, item->ops, item->n_ops);

    if (bins == NULL) {
        Py_XDECREF(key);
        Py_XDECREF(meta);
        return NULL;
    }
    return result_tuple(type, 3, key, meta, bins);
}

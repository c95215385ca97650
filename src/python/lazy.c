/* LazyBatchRecords: what a batch of reads has brought, as it came.  Python
 * objects are made when somebody asks for them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "batch.h"
#include "lazy.h"
#include "record.h"

typedef struct RowIter {
    PyObject_HEAD
    Lazy *lazy; /* owned */
    size_t next;
} RowIter;

PyObject *
lazy_new(Call *call)
{
    BatchIn *in = call->more;
    PyTypeObject *type = call->state->LazyType;
    Lazy *lazy = (Lazy *)type->tp_alloc(type, 0);

    if (lazy == NULL) {
        return NULL;
    }
    lazy->out = batch_out(call);
    Py_XINCREF(lazy->out.dec.deserializer);
    lazy->result = in->batch.result;
    lazy->rows = in->rows;
    lazy->store = in->batch.store;
    in->rows = NULL;
    in->n = 0;
    in->tuples = NULL;
    memset(&in->batch.store, 0, sizeof in->batch.store);
    for (size_t i = 0; i < lazy->out.n; i++) {
        lazy->n_found += batch_found(&lazy->rows[i]);
    }
    return (PyObject *)lazy;
}

static int
lazy_traverse(PyObject *self, visitproc visit, void *arg)
{
    Lazy *lazy = (Lazy *)self;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(lazy->out.tuples);
    Py_VISIT(lazy->out.dec.deserializer);
    Py_VISIT(lazy->dict);
    Py_VISIT(lazy->list);
    return 0;
}

static int
lazy_clear(PyObject *self)
{
    Lazy *lazy = (Lazy *)self;

    Py_CLEAR(lazy->dict);
    Py_CLEAR(lazy->list);
    Py_CLEAR(lazy->out.dec.deserializer);
    return 0;
}

static void
lazy_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Lazy *lazy = (Lazy *)self;

    PyObject_GC_UnTrack(self);
    (void)lazy_clear(self);
    Py_CLEAR(lazy->out.tuples);
    aero_free(lazy->rows);
    aero_buf_fini(&lazy->store);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- dicts and lists ---- */

/* A user key as a dict's key: bytearrays are no such thing. */
static PyObject *
hashable(PyObject *key)
{
    return PyByteArray_Check(key) ? PyBytes_FromObject(key) : Py_NewRef(key);
}

static int
add_row(const BatchOut *out, size_t i, PyObject *dict)
{
    PyObject *user = batch_user_key(out, i);
    PyObject *key;
    PyObject *bins;
    int rc = -1;

    if (!batch_found(&out->rows[i]) || user == Py_None) {
        return 0;
    }
    key = hashable(user);
    bins = key == NULL ? NULL : batch_bins(out, i);
    if (bins != NULL) {
        rc = PyDict_SetItem(dict, key, bins);
    }
    Py_XDECREF(key);
    Py_XDECREF(bins);
    return rc;
}

static PyObject *
make_dict(const Lazy *lazy)
{
    PyObject *dict = PyDict_New();
    bool paused = collector_pause(&lazy->out.dec);

    for (size_t i = 0; dict != NULL && i < lazy->out.n; i++) {
        if (add_row(&lazy->out, i, dict) < 0) {
            Py_CLEAR(dict);
        }
    }
    collector_resume(paused);
    return dict;
}

/* The dict that stays (new reference). */
static PyObject *
kept_dict(Lazy *lazy)
{
    PyObject *dict;

    STATE_LOCK(lazy);
    if (lazy->dict == NULL) {
        lazy->dict = make_dict(lazy);
    }
    dict = Py_XNewRef(lazy->dict);
    STATE_UNLOCK();
    return dict;
}

PyDoc_STRVAR(to_dict_doc,
             "to_dict($self, /)\n--\n\n"
             "Bins by user key, of the records that were found: a new dict "
             "each time.\n\n"
             "Returns\n-------\ndict\n"
             "    Of equal keys the last counts; a record that was asked for "
             "by its digest alone\n    is left out.");

static PyObject *
lazy_to_dict(PyObject *self, PyObject *unused)
{
    (void)unused;
    return make_dict((Lazy *)self);
}

PyDoc_STRVAR(to_list_doc,
             "to_list($self, /)\n--\n\n"
             "Bins in the order of the keys.\n\n"
             "Returns\n-------\nlist\n"
             "    A dict for each key, or None where the record is missing or "
             "could not be read.");

static PyObject *
lazy_to_list(PyObject *self, PyObject *unused)
{
    const BatchOut *out = &((Lazy *)self)->out;
    PyObject *list = PyList_New((Py_ssize_t)out->n);

    (void)unused;
    for (size_t i = 0; list != NULL && i < out->n; i++) {
        PyObject *bins = batch_found(&out->rows[i]) ? batch_bins(out, i)
                                                    : Py_NewRef(Py_None);

        if (bins == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, bins);
    }
    return list;
}

PyDoc_STRVAR(keys_doc, "all_user_keys($self, /)\n--\n\n"
                       "All user keys in the order they were given, None for "
                       "those known by digest alone.\n\n"
                       "Returns\n-------\nlist");

static PyObject *
lazy_all_user_keys(PyObject *self, PyObject *unused)
{
    const BatchOut *out = &((Lazy *)self)->out;
    PyObject *list = PyList_New((Py_ssize_t)out->n);

    (void)unused;
    for (size_t i = 0; list != NULL && i < out->n; i++) {
        PyList_SET_ITEM(list, (Py_ssize_t)i,
                        Py_NewRef(batch_user_key(out, i)));
    }
    return list;
}

PyDoc_STRVAR(found_doc, "found_count($self, /)\n--\n\n"
                        "How many records were found; makes nothing.\n\n"
                        "Returns\n-------\nint");

static PyObject *
lazy_found_count(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyLong_FromSize_t(((Lazy *)self)->n_found);
}

PyDoc_STRVAR(release_doc, "release_cache($self, /)\n--\n\n"
                          "Drop the dict and the list that were made.\n\n"
                          "Returns\n-------\nNone");

static PyObject *
lazy_release_cache(PyObject *self, PyObject *unused)
{
    Lazy *lazy = (Lazy *)self;
    PyObject *dict;
    PyObject *list;

    (void)unused;
    STATE_LOCK(lazy);
    dict = lazy->dict;
    list = lazy->list;
    lazy->dict = NULL;
    lazy->list = NULL;
    STATE_UNLOCK();
    Py_XDECREF(dict);
    Py_XDECREF(list);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(merge_doc,
             "merge_to_dict(handles, /)\n--\n\n"
             "The dict of each of several results.\n\n"
             "Parameters\n----------\nhandles : list of LazyBatchRecords\n\n"
             "Returns\n-------\nlist of dict\n\n"
             "Raises\n------\nTypeError\n    An item is something else.");

static PyObject *
lazy_merge(PyObject *cls, PyObject *handles)
{
    PyObject *list = PySequence_List(handles);
    PyObject *made = list == NULL ? NULL : PyList_New(0);

    for (Py_ssize_t i = 0; made != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        PyObject *dict = NULL;

        if ((PyObject *)Py_TYPE(item) != cls) {
            PyErr_Format(PyExc_TypeError,
                         "item %zd of handles is not LazyBatchRecords", i);
        }
        else {
            dict = make_dict((Lazy *)item);
        }
        if (dict == NULL || PyList_Append(made, dict) < 0) {
            Py_CLEAR(made);
        }
        Py_XDECREF(dict);
    }
    Py_XDECREF(list);
    return made;
}

/* ---- records ---- */

static PyObject *
lazy_records(PyObject *self, void *closure)
{
    Lazy *lazy = (Lazy *)self;
    PyObject *list;

    (void)closure;
    STATE_LOCK(lazy);
    if (lazy->list == NULL) {
        lazy->list = batch_rows(&lazy->out);
    }
    list = Py_XNewRef(lazy->list);
    STATE_UNLOCK();
    return list;
}

static PyObject *
lazy_result(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(((Lazy *)self)->result);
}

PyDoc_STRVAR(iter_doc, "iter_records($self, /)\n--\n\n"
                       "The records one at a time, without a list of them.\n\n"
                       "Returns\n-------\nIterator of BatchRecord");

static PyObject *
lazy_iter_records(PyObject *self, PyObject *unused)
{
    PyTypeObject *type = ((Lazy *)self)->out.dec.state->RowIterType;
    RowIter *iter = (RowIter *)type->tp_alloc(type, 0);

    (void)unused;
    if (iter != NULL) {
        iter->lazy = (Lazy *)Py_NewRef(self);
    }
    return (PyObject *)iter;
}

static PyObject *
iter_next(PyObject *self)
{
    RowIter *iter = (RowIter *)self;

    if (iter->next >= iter->lazy->out.n) {
        return NULL;
    }
    return batch_row(&iter->lazy->out, iter->next++);
}

static int
iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((RowIter *)self)->lazy);
    return 0;
}

static void
iter_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    Py_DECREF(((RowIter *)self)->lazy);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- as a mapping ---- */

/* Call a method of the kept dict. */
static PyObject *
ask_dict(PyObject *self, const char *method)
{
    PyObject *dict = kept_dict((Lazy *)self);
    PyObject *answer =
        dict == NULL ? NULL : PyObject_CallMethod(dict, method, NULL);

    Py_XDECREF(dict);
    return answer;
}

PyDoc_STRVAR(dict_keys_doc, "keys($self, /)\n--\n\n"
                            "User keys of the records that were found.");
PyDoc_STRVAR(dict_values_doc, "values($self, /)\n--\n\n"
                              "Bins of the records that were found.");
PyDoc_STRVAR(dict_items_doc, "items($self, /)\n--\n\n"
                             "User keys and bins of the records found.");
PyDoc_STRVAR(dict_get_doc, "get($self, key, default=None, /)\n--\n\n"
                           "The bins of a record, or the default.");

static PyObject *
lazy_keys(PyObject *self, PyObject *unused)
{
    (void)unused;
    return ask_dict(self, "keys");
}

static PyObject *
lazy_values(PyObject *self, PyObject *unused)
{
    (void)unused;
    return ask_dict(self, "values");
}

static PyObject *
lazy_items(PyObject *self, PyObject *unused)
{
    (void)unused;
    return ask_dict(self, "items");
}

/* The value (new reference); NULL without an exception if there is none. */
static PyObject *
find(PyObject *self, PyObject *key)
{
    PyObject *dict = kept_dict((Lazy *)self);
    PyObject *value =
        dict == NULL ? NULL : Py_XNewRef(PyDict_GetItemWithError(dict, key));

    Py_XDECREF(dict);
    return value;
}

static PyObject *
lazy_get(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *value;

    if (nargs < 1 || nargs > 2) {
        PyErr_SetString(PyExc_TypeError, "get() takes 1 or 2 arguments");
        return NULL;
    }
    value = find(self, args[0]);
    if (value == NULL && !PyErr_Occurred()) {
        value = Py_NewRef(nargs == 2 ? args[1] : Py_None);
    }
    return value;
}

static PyObject *
lazy_subscript(PyObject *self, PyObject *key)
{
    PyObject *value = find(self, key);

    if (value == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_KeyError, key);
    }
    return value;
}

static int
lazy_contains(PyObject *self, PyObject *key)
{
    PyObject *value = find(self, key);

    if (value == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    Py_DECREF(value);
    return 1;
}

static PyObject *
lazy_iter(PyObject *self)
{
    PyObject *dict = kept_dict((Lazy *)self);
    PyObject *iter = dict == NULL ? NULL : PyObject_GetIter(dict);

    Py_XDECREF(dict);
    return iter;
}

static Py_ssize_t
lazy_length(PyObject *self)
{
    return (Py_ssize_t)((Lazy *)self)->n_found;
}

static PyObject *
lazy_compare(PyObject *self, PyObject *other, int op)
{
    PyObject *dict;
    PyObject *answer;

    if ((op != Py_EQ && op != Py_NE) || self == other ||
        !PyDict_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    dict = kept_dict((Lazy *)self);
    answer = dict == NULL ? NULL : PyObject_RichCompare(dict, other, op);
    Py_XDECREF(dict);
    return answer;
}

static Py_hash_t
lazy_hash(PyObject *self)
{
    return (Py_hash_t)((uintptr_t)self >> 4);
}

static PyObject *
lazy_repr(PyObject *self)
{
    Lazy *lazy = (Lazy *)self;

    return PyUnicode_FromFormat("<LazyBatchRecords: %zu of %zu found>",
                                lazy->n_found, lazy->out.n);
}

/* ---- types ---- */

static PyMethodDef lazy_methods[] = {
    {"to_dict", lazy_to_dict, METH_NOARGS, to_dict_doc},
    {"to_list", lazy_to_list, METH_NOARGS, to_list_doc},
    {"to_numpy", (PyCFunction)(void (*)(void))lazy_to_numpy,
     METH_VARARGS | METH_KEYWORDS, lazy_to_numpy_doc},
    {"__arrow_c_array__", (PyCFunction)(void (*)(void))lazy_arrow_array,
     METH_FASTCALL | METH_KEYWORDS, lazy_arrow_array_doc},
    {"__arrow_c_stream__", (PyCFunction)(void (*)(void))lazy_arrow_stream,
     METH_FASTCALL | METH_KEYWORDS, lazy_arrow_stream_doc},
    {"all_user_keys", lazy_all_user_keys, METH_NOARGS, keys_doc},
    {"found_count", lazy_found_count, METH_NOARGS, found_doc},
    {"release_cache", lazy_release_cache, METH_NOARGS, release_doc},
    {"iter_records", lazy_iter_records, METH_NOARGS, iter_doc},
    {"merge_to_dict", lazy_merge, METH_O | METH_CLASS, merge_doc},
    {"keys", lazy_keys, METH_NOARGS, dict_keys_doc},
    {"values", lazy_values, METH_NOARGS, dict_values_doc},
    {"items", lazy_items, METH_NOARGS, dict_items_doc},
    {"get", (PyCFunction)(void (*)(void))lazy_get, METH_FASTCALL,
     dict_get_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef lazy_getset[] = {
    {"batch_records", lazy_records, NULL,
     "All rows as BatchRecord, in the order of the keys.", NULL},
    {"result", lazy_result, NULL,
     "0; -16 if rows failed; else what ended the batch.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(lazy_doc,
             "What ``batch_read`` has brought, as it came: Python objects are "
             "made when they are asked for.\n\n"
             "It reads like the dict of the records that were found, from "
             "user key to bins.");

static PyType_Slot lazy_slots[] = {
    {Py_tp_doc, (void *)lazy_doc},   {Py_tp_traverse, lazy_traverse},
    {Py_tp_clear, lazy_clear},       {Py_tp_dealloc, lazy_dealloc},
    {Py_tp_methods, lazy_methods},   {Py_tp_getset, lazy_getset},
    {Py_tp_iter, lazy_iter},         {Py_tp_repr, lazy_repr},
    {Py_tp_hash, lazy_hash},         {Py_tp_richcompare, lazy_compare},
    {Py_mp_length, lazy_length},     {Py_mp_subscript, lazy_subscript},
    {Py_sq_contains, lazy_contains}, {0, NULL},
};

static PyType_Spec lazy_spec = {
    .name = "aerospike_py._aerospike.LazyBatchRecords",
    .basicsize = sizeof(Lazy),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_MAPPING,
    .slots = lazy_slots,
};

static PyType_Slot iter_slots[] = {
    {Py_tp_traverse, iter_traverse},
    {Py_tp_dealloc, iter_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, iter_next},
    {0, NULL},
};

static PyType_Spec iter_spec = {
    .name = "aerospike_py._aerospike.BatchRecordIterator",
    .basicsize = sizeof(RowIter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = iter_slots,
};

/* It reads like a mapping; let isinstance know. */
static int
register_mapping(PyObject *type)
{
    PyObject *module = PyImport_ImportModule("collections.abc");
    PyObject *mapping =
        module == NULL ? NULL : PyObject_GetAttrString(module, "Mapping");
    PyObject *done = mapping == NULL
                         ? NULL
                         : PyObject_CallMethod(mapping, "register", "O", type);

    Py_XDECREF(module);
    Py_XDECREF(mapping);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int
lazy_setup_types(PyObject *module)
{
    ModState *state = PyModule_GetState(module);

    state->LazyType =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &lazy_spec, NULL);
    state->RowIterType =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &iter_spec, NULL);
    if (state->LazyType == NULL || state->RowIterType == NULL) {
        return -1;
    }
    return register_mapping((PyObject *)state->LazyType) < 0
               ? -1
               : PyModule_AddType(module, state->LazyType);
}

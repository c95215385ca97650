/* Rows of batches as Python objects.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "lazy.h"
#include "record.h"

BatchOut
batch_out(const Call *call)
{
    const BatchIn *in = call->more;
    BatchOut out = {.dec = call_decoder(call),
                    .rows = in->rows,
                    .n = in->n,
                    .store = in->batch.store.ptr,
                    .tuples = in->tuples,
                    .no_bins = in->no_bins};

    return out;
}

/* A result that a server gives for what was asked, and no sign that nobody
 * was there to ask. */
static bool
is_answer(int result)
{
    return result > 0 && result != AERO_ERR_TIMEOUT &&
           result != AERO_ERR_CLUSTER &&
           result != AERO_ERR_NAMESPACE_NOT_FOUND;
}

int
batch_check(Call *call, const BatchIn *in)
{
    const aero_status *st = &in->batch.st;

    if (call->face->strict || in->n == 0) {
        return 0;
    }
    for (size_t i = 0; i < in->n; i++) {
        if (in->rows[i].answered) {
            return 0;
        }
    }
    if (call->txn == NULL &&
        is_answer(st->code != 0 ? st->code : in->rows[0].result)) {
        return 0; /* a node refused them all: the rows say why */
    }
    if (st->code != 0) {
        raise_status(call->state, st);
    }
    else {
        aero_status row = {0};

        aero_fail(&row, in->rows[0].result, "%s",
                  aero_result_text(in->rows[0].result));
        raise_status(call->state, &row);
    }
    return -1;
}

/* ---- pieces ---- */

static PyObject *
tuple_of(const BatchOut *out, size_t i)
{
    return PyTuple_GET_ITEM(out->tuples, (Py_ssize_t)i);
}

PyObject *
batch_user_key(const BatchOut *out, size_t i)
{
    PyObject *tuple = tuple_of(out, i);

    return PyTuple_GET_SIZE(tuple) > 2 ? PyTuple_GET_ITEM(tuple, 2) : Py_None;
}

static PyObject *
make_key(const BatchOut *out, size_t i)
{
    PyObject *tuple = tuple_of(out, i);
    KeyParts parts = {PyTuple_GET_ITEM(tuple, 0), PyTuple_GET_ITEM(tuple, 1),
                      batch_user_key(out, i)};

    return key_make(out->dec.state, out->dec.face, &parts, true,
                    out->rows[i].digest);
}

/* Step over the fields of a row's reply; its operations are left. */
aero_span
batch_ops(const BatchOut *out, size_t i)
{
    const aero_row *row = &out->rows[i];
    aero_span parts = aero_span_of(out->store + row->reply_at, row->reply_len);
    aero_status st;
    aero_field field;

    for (unsigned f = 0; f < row->n_fields; f++) {
        /* they were stepped over when they came */
        (void)aero_field_take(&parts, &field, &st);
    }
    return parts;
}

PyObject *
batch_bins(const BatchOut *out, size_t i)
{
    return record_bins(&out->dec, batch_ops(out, i), out->rows[i].n_ops);
}

/* ---- what rows have in common ---- */

/* Made once for the rows that follow each other and are equal in it. */
typedef struct Common {
    PyObject *meta; /* owned; NULL: none yet */
    uint32_t generation;
    uint32_t void_time;
    PyObject *nothing;   /* owned; bins that are all None, or NULL */
    aero_span no_values; /* the operations that it was made of */
} Common;

static void
common_fini(Common *common)
{
    Py_CLEAR(common->meta);
    Py_CLEAR(common->nothing);
}

/* On the main face metadata never changes, so that rows can share it. */
static PyObject *
make_meta(const BatchOut *out, size_t i, Common *common)
{
    const aero_row *row = &out->rows[i];
    PyObject *meta;

    if (common->meta != NULL && common->generation == row->generation &&
        common->void_time == row->void_time) {
        return Py_NewRef(common->meta);
    }
    meta = result_meta(out->dec.state, out->dec.face, row->generation,
                       row->void_time);
    if (meta != NULL && !out->dec.face->strict) {
        Py_XSETREF(common->meta, Py_NewRef(meta));
        common->generation = row->generation;
        common->void_time = row->void_time;
    }
    return meta;
}

/* Whether a reply names bins and has a value for none: that of a write. */
static bool
has_no_values(aero_span ops, unsigned count)
{
    aero_status st;
    aero_op op;

    for (unsigned i = 0; i < count; i++) {
        if (aero_op_take(&ops, &op, &st) != AERO_OK ||
            op.particle != AERO_PARTICLE_NIL) {
            return false;
        }
    }
    return count != 0;
}

/* Rows of a batch of writes mostly write the same bins: each gets a copy. */
static PyObject *
make_bins(const BatchOut *out, size_t i, Common *common)
{
    aero_span ops = batch_ops(out, i);
    unsigned count = out->rows[i].n_ops;
    PyObject *bins;

    if (common->nothing != NULL && aero_span_equal(ops, common->no_values)) {
        return PyDict_Copy(common->nothing);
    }
    bins = record_bins(&out->dec, ops, count);
    if (bins != NULL && has_no_values(ops, count)) {
        PyObject *copy = PyDict_Copy(bins); /* the row's own may change */

        if (copy == NULL) {
            Py_CLEAR(bins);
        }
        Py_XSETREF(common->nothing, copy);
        common->no_values = ops;
    }
    return bins;
}

/* (key, meta, bins), the key taken (NULL fails); on the strict face without
 * bins that were not wanted.  No code runs while an exception is set. */
static PyObject *
make_record(const BatchOut *out, size_t i, PyObject *key, Common *common)
{
    const Face *face = out->dec.face;
    PyObject *meta = key == NULL ? NULL : make_meta(out, i, common);

    if (face->strict && out->no_bins) {
        return result_tuple(&PyTuple_Type, 2, key, meta);
    }
    return result_tuple(face->strict ? &PyTuple_Type : out->dec.state->Record,
                        3, key, meta,
                        meta == NULL ? NULL : make_bins(out, i, common));
}

/* What a function that failed says; None: nothing. */
static PyObject *
function_failure(const BatchOut *out, size_t i)
{
    aero_span ops = batch_ops(out, i);
    aero_status st;
    aero_op op;

    for (unsigned k = 0; k < out->rows[i].n_ops; k++) {
        if (aero_op_take(&ops, &op, &st) != AERO_OK) {
            break;
        }
        if (aero_span_equal(op.name, aero_span_of("FAILURE", 7)) &&
            op.particle == AERO_PARTICLE_STRING) {
            return PyUnicode_DecodeUTF8((const char *)op.value.ptr,
                                        (Py_ssize_t)op.value.len, "replace");
        }
    }
    return Py_NewRef(Py_None);
}

static PyObject *
make_message(const BatchOut *out, size_t i)
{
    const aero_row *row = &out->rows[i];
    PyObject *message;

    if (row->result == AERO_ERR_UDF && row->answered) {
        message = function_failure(out, i);
        if (message == NULL || message != Py_None) {
            return message;
        }
        Py_DECREF(message);
    }
    if (out->dec.face->strict && row->answered) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(aero_result_text(row->result));
}

static PyObject *
make_row(const BatchOut *out, size_t i, Common *common)
{
    ModState *state = out->dec.state;
    const aero_row *row = &out->rows[i];
    PyObject *key = make_key(out, i);
    PyObject *record = key == NULL || !batch_found(row)
                           ? Py_NewRef(Py_None)
                           : make_record(out, i, Py_NewRef(key), common);
    PyObject *made =
        result_tuple(state->BatchRecord, 4, key, PyLong_FromLong(row->result),
                     record, PyBool_FromLong(row->in_doubt));
    PyObject *message;

    if (made == NULL || batch_found(row)) {
        return made;
    }
    message = make_message(out, i);
    if (message == NULL ||
        PyObject_SetAttr(made, state->str_message, message) < 0) {
        Py_CLEAR(made);
    }
    Py_XDECREF(message);
    return made;
}

PyObject *
batch_row(const BatchOut *out, size_t i)
{
    Common common = {0};
    PyObject *made = make_row(out, i, &common);

    common_fini(&common);
    return made;
}

/* A list of what `make` gives for each row. */
static PyObject *
make_list(const BatchOut *out,
          PyObject *(*make)(const BatchOut *out, size_t i, Common *common))
{
    PyObject *list = PyList_New((Py_ssize_t)out->n);
    bool paused = collector_pause(&out->dec);
    Common common = {0};

    for (size_t i = 0; list != NULL && i < out->n; i++) {
        PyObject *item = make(out, i, &common);

        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    common_fini(&common);
    collector_resume(paused);
    return list;
}

PyObject *
batch_rows(const BatchOut *out)
{
    return make_list(out, make_row);
}

/* ---- results ---- */

PyObject *
batch_finish_lazy(Call *call)
{
    return batch_check(call, call->more) < 0 ? NULL : lazy_new(call);
}

static PyObject *
make_retry(const Call *call, const aero_batch *batch)
{
    return result_tuple(call->state->BatchRetryInfo, 4,
                        PyLong_FromUnsignedLong(batch->retry_no + 1ul),
                        PyLong_FromUnsignedLong(batch->retry_max + 1ul),
                        PyBool_FromLong(batch->retry_cut),
                        PyLong_FromUnsignedLong(batch->unresolved));
}

PyObject *
batch_finish_result(Call *call)
{
    const BatchIn *in = call->more;
    BatchOut out = batch_out(call);
    PyObject *made;
    bool paused;

    if (batch_check(call, in) < 0) {
        return NULL;
    }
    paused = collector_pause(&out.dec);
    made = result_tuple(call->state->BatchWriteResult, 2, batch_rows(&out),
                        make_retry(call, &in->batch));
    collector_resume(paused);
    return made;
}

/* (key, meta, bins), with None for meta and bins where there is none. */
static PyObject *
make_old_record(const BatchOut *out, size_t i, Common *common)
{
    if (batch_found(&out->rows[i])) {
        return make_record(out, i, make_key(out, i), common);
    }
    return result_tuple(
        out->dec.face->strict ? &PyTuple_Type : out->dec.state->Record, 3,
        make_key(out, i), Py_NewRef(Py_None), Py_NewRef(Py_None));
}

static PyObject *
make_exists(const BatchOut *out, size_t i, Common *common)
{
    PyTypeObject *type =
        out->dec.face->strict ? &PyTuple_Type : out->dec.state->ExistsResult;

    return result_tuple(type, 2, make_key(out, i),
                        batch_found(&out->rows[i]) ? make_meta(out, i, common)
                                                   : Py_NewRef(Py_None));
}

PyObject *
batch_finish_records(Call *call)
{
    BatchOut out = batch_out(call);

    return batch_check(call, call->more) < 0
               ? NULL
               : make_list(&out, make_old_record);
}

PyObject *
batch_finish_exists(Call *call)
{
    BatchOut out = batch_out(call);

    return batch_check(call, call->more) < 0 ? NULL
                                             : make_list(&out, make_exists);
}

/* ---- objects of the official helpers ---- */

PyObject *
batch_official(ModState *state, const char *name)
{
    PyObject *found;

    if (state->batch_module == NULL) {
        state->batch_module =
            PyImport_ImportModule("aerospike_py.helpers.batch.records");
        if (state->batch_module == NULL) {
            return NULL;
        }
    }
    found = PyObject_GetAttrString(state->batch_module, name);
    Py_XDECREF(found); /* its module keeps it */
    return found;
}

/* Set an attribute to what is given (taken; NULL fails). */
static int
set_taken(PyObject *obj, PyObject *name, PyObject *value)
{
    int rc = value == NULL ? -1 : PyObject_SetAttr(obj, name, value);

    Py_XDECREF(value);
    return rc;
}

static int
fill_row(const BatchOut *out, size_t i, PyObject *row, Common *common)
{
    ModState *state = out->dec.state;
    const aero_row *from = &out->rows[i];
    bool found = batch_found(from);

    if (set_taken(row, state->str_result, PyLong_FromLong(from->result)) < 0 ||
        set_taken(row, state->str_record,
                  found ? make_record(out, i, make_key(out, i), common)
                        : Py_NewRef(Py_None)) < 0 ||
        set_taken(row, state->str_in_doubt, PyBool_FromLong(from->in_doubt)) <
            0 ||
        set_taken(row, state->str_subcode, PyLong_FromLong(0)) < 0) {
        return -1;
    }
    return set_taken(row, state->str_message,
                     found || from->result == AERO_ERR_RECORD_NOT_FOUND
                         ? Py_NewRef(Py_None)
                         : make_message(out, i));
}

static PyObject *
new_official_row(const BatchOut *out, size_t i, Common *common)
{
    PyObject *type = batch_official(out->dec.state, "BatchRecord");
    PyObject *key = type == NULL ? NULL : make_key(out, i);
    PyObject *row = key == NULL ? NULL : PyObject_CallOneArg(type, key);

    Py_XDECREF(key);
    if (row != NULL && fill_row(out, i, row, common) < 0) {
        Py_CLEAR(row);
    }
    return row;
}

/* The rows of the caller's own object. */
static int
fill_rows(const BatchOut *out, const BatchIn *in)
{
    bool paused = collector_pause(&out->dec);
    Common common = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < out->n; i++) {
        rc = fill_row(out, i, PyTuple_GET_ITEM(in->targets, (Py_ssize_t)i),
                      &common);
    }
    common_fini(&common);
    collector_resume(paused);
    return rc;
}

PyObject *
batch_finish_official(Call *call)
{
    BatchIn *in = call->more;
    BatchOut out = batch_out(call);
    PyObject *records = Py_XNewRef(in->target);

    if (batch_check(call, in) < 0) {
        Py_XDECREF(records);
        return NULL;
    }
    if (records == NULL) {
        PyObject *type = batch_official(call->state, "BatchRecords");
        PyObject *list =
            type == NULL ? NULL : make_list(&out, new_official_row);

        records = list == NULL ? NULL : PyObject_CallOneArg(type, list);
        Py_XDECREF(list);
    }
    else if (fill_rows(&out, in) < 0) {
        Py_CLEAR(records);
    }
    if (records != NULL && set_taken(records, call->state->str_result,
                                     PyLong_FromLong(in->batch.result)) < 0) {
        Py_CLEAR(records);
    }
    return records;
}

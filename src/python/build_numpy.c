/* The builder of batch_write_numpy: rows of a structured array as records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "cells.h"
#include "lazy.h"

enum {
    /* of the tuple that _columns gives */
    PART_FIELDS,
    PART_DATA,
    PART_COUNT,
    PART_KEY
};

/* The array while its rows are read. */
typedef struct Rows {
    const Cell *cells; /* borrowed */
    size_t n_cells;
    size_t key_at; /* of the cells */
    const uint8_t *data;
    ptrdiff_t stride;
    PyObject *ns;  /* borrowed */
    PyObject *set; /* borrowed */
} Rows;

static uint64_t
read_unsigned(const uint8_t *from, uint32_t size)
{
    uint64_t value = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&value, from, size);
#else
    memcpy((uint8_t *)&value + 8 - size, from, size);
#endif
    return value;
}

/* False: it is above the greatest int64. */
static bool
read_integer(const Cell *cell, const uint8_t *from, int64_t *out)
{
    uint64_t value = read_unsigned(from, cell->size);
    unsigned unused = 64 - cell->size * 8;

    if (cell->kind == 'u') {
        *out = (int64_t)value;
        return value <= INT64_MAX;
    }
    *out = (int64_t)(value << unused) >> unused;
    return true;
}

static double
read_real(const Cell *cell, const uint8_t *from)
{
    double wide;
    float single;
    uint16_t half;

    switch (cell->size) {
    case 8:
        memcpy(&wide, from, sizeof wide);
        return wide;
    case 4:
        memcpy(&single, from, sizeof single);
        return single;
    default:
        memcpy(&half, from, sizeof half);
        return half_to_double(half);
    }
}

/* One bin of one row; false: a number is too great. */
static bool
put_cell(aero_buf *out, const Cell *cell, const uint8_t *from)
{
    aero_span name = aero_span_of(cell->name, cell->name_len);
    uint8_t bytes[8];
    int64_t number;
    double real;

    if (cell->is_array || cell->kind == 'S' || cell->kind == 'V') {
        aero_op_put(out, AERO_OP_WRITE, AERO_PARTICLE_BLOB, name,
                    aero_span_of(from, (size_t)cell->size * cell->count));
        return true;
    }
    switch (cell->kind) {
    case 'f':
        real = read_real(cell, from);
        memcpy(&number, &real, sizeof number);
        aero_set_u64(bytes, (uint64_t)number);
        aero_op_put(out, AERO_OP_WRITE, AERO_PARTICLE_FLOAT, name,
                    aero_span_of(bytes, 8));
        return true;
    case 'b':
        bytes[0] = *from != 0;
        aero_op_put(out, AERO_OP_WRITE, AERO_PARTICLE_BOOL, name,
                    aero_span_of(bytes, 1));
        return true;
    default:
        if (!read_integer(cell, from, &number)) {
            return false;
        }
        aero_set_u64(bytes, (uint64_t)number);
        aero_op_put(out, AERO_OP_WRITE, AERO_PARTICLE_INTEGER, name,
                    aero_span_of(bytes, 8));
        return true;
    }
}

static void
raise_too_great(const Cell *cell, size_t i)
{
    PyErr_Format(PyExc_OverflowError,
                 "field '%s' of row %zu is above the greatest int64",
                 cell->name, i);
}

/* (namespace, set, user key) of a row. */
static PyObject *
make_key(const Rows *rows, size_t i)
{
    const Cell *cell = &rows->cells[rows->key_at];
    const uint8_t *from =
        rows->data + (ptrdiff_t)i * rows->stride + cell->offset;
    int64_t number;
    PyObject *user;
    PyObject *key;

    if (cell->kind == 'S') {
        Py_ssize_t len = cell->size;

        while (len > 0 && from[len - 1] == 0) {
            len--;
        }
        user = PyUnicode_DecodeUTF8((const char *)from, len, NULL);
    }
    else if (read_integer(cell, from, &number)) {
        user = PyLong_FromLongLong(number);
    }
    else {
        raise_too_great(cell, i);
        user = NULL;
    }
    key = user == NULL ? NULL : PyTuple_Pack(3, rows->ns, rows->set, user);
    Py_XDECREF(user);
    return key;
}

static int
put_row(Call *call, BatchIn *in, const Rows *rows, size_t i,
        const aero_policy *policy)
{
    const uint8_t *from = rows->data + (ptrdiff_t)i * rows->stride;
    PyObject *key = make_key(rows, i);
    RowIn row = {.policy = policy};
    int rc = key == NULL ? -1 : batch_set_key(call, in, (Py_ssize_t)i, key);

    Py_XDECREF(key);
    if (rc < 0) {
        return -1;
    }
    in->ops.len = 0;
    for (size_t k = 0; k < rows->n_cells; k++) {
        const Cell *cell = &rows->cells[k];

        if (k == rows->key_at || cell->name[0] == '_') {
            continue;
        }
        if (!put_cell(&in->ops, cell, from + cell->offset)) {
            raise_too_great(cell, i);
            return -1;
        }
        row.n_ops++;
    }
    row.ops = aero_buf_span(&in->ops);
    aero_policy_put_write(
        policy, 0, batch_ttl(call, NULL, policy, AERO_POLICY_BATCH_WRITE),
        &row.msg);
    row.msg.info2 |= AERO_INFO2_RESPOND_ALL_OPS;
    return batch_put_row(call, in, i, &row);
}

static int
check_fields(Call *call, const Rows *rows)
{
    for (size_t k = 0; k < rows->n_cells; k++) {
        const Cell *cell = &rows->cells[k];

        if (k != rows->key_at && cell->name[0] != '_' &&
            cell->name_len > AERO_BIN_NAME_MAX) {
            raise_error(call->state, EXC_BinNameValueError,
                        "Bin name '%s' exceeds the 15-byte limit", cell->name);
            return -1;
        }
    }
    return 0;
}

static int
put_rows(Call *call, const Rows *rows, size_t count)
{
    PyObject *shared = call->argv[5];
    aero_policy policy;
    BatchIn *in;

    if (check_fields(call, rows) < 0 ||
        batch_parent_policy(call, shared, true, AERO_POLICY_BATCH_WRITE) < 0) {
        return -1;
    }
    in = batch_in(call, (Py_ssize_t)count);
    if (in == NULL || batch_take_retry(call, call->argv[6], in) < 0 ||
        batch_row_policy(call, in, shared, NULL, AERO_POLICY_BATCH_WRITE,
                         &policy) < 0) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (put_row(call, in, rows, i, &policy) < 0) {
            return -1;
        }
    }
    batch_digest(in);
    call->finish = batch_finish_result;
    return 0;
}

static PyObject *
ask_columns(Call *call)
{
    PyObject *module = columns_module(call->state);
    PyObject *dtype = call->argv[3] == NULL ? Py_None : call->argv[3];

    if (module == NULL) {
        return NULL;
    }
    if (call->argv[4] == NULL) {
        return PyObject_CallMethod(module, "_columns", "OOs", call->argv[0],
                                   dtype, "_key");
    }
    return PyObject_CallMethod(module, "_columns", "OOO", call->argv[0], dtype,
                               call->argv[4]);
}

int
build_batch_write_numpy(Call *call)
{
    PyObject *parts = ask_columns(call);
    Rows rows = {.ns = call->argv[1], .set = call->argv[2]};
    Cell *cells;
    void *data;
    int rc;

    if (parts == NULL) {
        return -1;
    }
    cells =
        columns_fields(PyTuple_GET_ITEM(parts, PART_FIELDS), &rows.n_cells);
    if (cells == NULL || columns_place(PyTuple_GET_ITEM(parts, PART_DATA),
                                       false, &data, &rows.stride) < 0) {
        aero_free(cells);
        Py_DECREF(parts);
        return -1;
    }
    rows.cells = cells;
    rows.data = data;
    rows.key_at = PyLong_AsSize_t(PyTuple_GET_ITEM(parts, PART_KEY));
    rc = put_rows(call, &rows,
                  PyLong_AsSize_t(PyTuple_GET_ITEM(parts, PART_COUNT)));
    aero_free(cells);
    Py_DECREF(parts);
    return rc;
}

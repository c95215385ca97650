/* Predicates: tuples of either face to the range of an index.
 *
 *   ("equals", bin, value)                      aerospike_py.predicates
 *   (0, 4, bin, value, None, index type)        the official client's
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "query.h"

#include "aero/base/b64.h"

enum {
    STRING_MAX = 2048, /* of the server, for strings and blobs */
    GEO_MAX = 1 << 20
};

/* A predicate taken apart; objects are borrowed from the tuple. */
typedef struct Range {
    PyObject *bin;
    PyObject *begin; /* the value, or the lower end */
    PyObject *end;   /* NULL: equality */
    bool is_geo;
    PyObject *index_type; /* NULL: default */
    PyObject *made;       /* owned; a shape made from numbers */
} Range;

static int
bad(const Query *q, const char *what)
{
    raise_param_value(q->state, "%s",
                      q->face->strict ? "Failed to add predicate" : what);
    return -1;
}

static int
bad_type(const Query *q, const char *what)
{
    raise_param_type(q->state, "%s",
                     q->face->strict ? "Failed to add predicate" : what);
    return -1;
}

/* ---- shapes from numbers ---- */

static bool
is_number(PyObject *value)
{
    return PyFloat_Check(value) ||
           (PyLong_Check(value) && !PyBool_Check(value));
}

static PyObject *
make_point(PyObject *const *numbers)
{
    return PyUnicode_FromFormat(
        "{\"type\": \"Point\", \"coordinates\": [%R, %R]}", numbers[0],
        numbers[1]);
}

static PyObject *
make_circle(PyObject *const *numbers)
{
    return PyUnicode_FromFormat(
        "{\"type\": \"AeroCircle\", \"coordinates\": [[%R, %R], %R]}",
        numbers[0], numbers[1], numbers[2]);
}

/* ---- tuples of the main face ---- */

typedef struct Predicate {
    const char *name;
    uint8_t n_values;   /* behind the bin and the index type */
    bool has_type;      /* the index type stands behind the bin */
    bool may_have_type; /* it may stand at the end */
    bool is_geo;
    PyObject *(*make)(PyObject *const *numbers); /* of a shape; or NULL */
} Predicate;

static const Predicate predicates[] = {
    {"equals", 1, false, false, false, NULL},
    {"between", 2, false, false, false, NULL},
    {"contains", 1, true, false, false, NULL},
    {"range", 2, true, false, false, NULL},
    {"geo_within_geojson_region", 1, false, true, true, NULL},
    {"geo_contains_geojson_point", 1, false, true, true, NULL},
    {"geo_within_radius", 3, false, true, true, make_circle},
    {"geo_contains_point", 2, false, true, true, make_point},
};

static const Predicate *
find_predicate(PyObject *name)
{
    for (size_t i = 0; i < sizeof predicates / sizeof predicates[0]; i++) {
        if (PyUnicode_CompareWithASCIIString(name, predicates[i].name) == 0) {
            return &predicates[i];
        }
    }
    return NULL;
}

static int
make_shape(const Query *q, const Predicate *row, PyObject *const *values,
           Range *range)
{
    for (int i = 0; i < row->n_values; i++) {
        if (!is_number(values[i])) {
            return bad(q, "coordinates and radius must be numbers");
        }
    }
    range->made = row->make(values);
    range->begin = range->made;
    return range->made == NULL ? -1 : 0;
}

static int
take_named(const Query *q, PyObject *tuple, Range *range)
{
    const Predicate *row = find_predicate(PyTuple_GET_ITEM(tuple, 0));
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    Py_ssize_t at = 2;
    PyObject *const *values;

    if (row == NULL) {
        raise_param_value(q->state, "unknown predicate %R",
                          PyTuple_GET_ITEM(tuple, 0));
        return -1;
    }
    at += row->has_type;
    if (size != at + row->n_values &&
        !(row->may_have_type && size == at + row->n_values + 1)) {
        raise_param_value(q->state,
                          "predicate '%s' takes %zd elements, not %zd",
                          row->name, at + row->n_values, size);
        return -1;
    }
    values = &PyTuple_GET_ITEM(tuple, at);
    range->bin = PyTuple_GET_ITEM(tuple, 1);
    range->is_geo = row->is_geo;
    range->begin = values[0];
    if (row->has_type) {
        range->index_type = PyTuple_GET_ITEM(tuple, 2);
    }
    else if (size > at + row->n_values) {
        range->index_type = PyTuple_GET_ITEM(tuple, size - 1);
    }
    if (row->make != NULL) {
        return make_shape(q, row, values, range);
    }
    if (row->n_values == 2) {
        range->end = values[1];
    }
    return 0;
}

/* ---- the official tuples ---- */

enum {
    OFFICIAL_EQUAL = 0,
    OFFICIAL_RANGE = 1,
    OFFICIAL_STRING = 0,
    OFFICIAL_NUMERIC = 1,
    OFFICIAL_GEO = 2,
    OFFICIAL_BLOB = 3,
    OFFICIAL_INTEGER = 4
};

static bool
fits_type(PyObject *value, long type)
{
    switch (type) {
    case OFFICIAL_STRING:
    case OFFICIAL_GEO:
        return PyUnicode_Check(value);
    case OFFICIAL_BLOB:
        return PyBytes_Check(value) || PyByteArray_Check(value);
    default:
        return PyLong_Check(value);
    }
}

static int
take_official(const Query *q, PyObject *tuple, Range *range)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    long kind = PyLong_AsLong(PyTuple_GET_ITEM(tuple, 0));
    long type = PyLong_Check(PyTuple_GET_ITEM(tuple, 1))
                    ? PyLong_AsLong(PyTuple_GET_ITEM(tuple, 1))
                    : -1;
    PyObject *value = PyTuple_GET_ITEM(tuple, 3);
    PyObject *end = size > 4 ? PyTuple_GET_ITEM(tuple, 4) : Py_None;
    bool numeric = type == OFFICIAL_NUMERIC || type == OFFICIAL_INTEGER;

    PyErr_Clear(); /* numbers beyond long fit nothing below */
    if (type < 0 || type > OFFICIAL_INTEGER || !fits_type(value, type) ||
        !((kind == OFFICIAL_EQUAL && type != OFFICIAL_GEO) ||
          (kind == OFFICIAL_RANGE && (numeric || type == OFFICIAL_GEO)))) {
        return bad(q, "the predicate's kind, type and value do not fit");
    }
    if (kind == OFFICIAL_RANGE && numeric && !fits_type(end, type)) {
        return bad(q, "the predicate has no upper end");
    }
    range->bin = PyTuple_GET_ITEM(tuple, 2);
    range->begin = value;
    range->end = kind == OFFICIAL_RANGE && numeric ? end : NULL;
    range->is_geo = type == OFFICIAL_GEO;
    range->index_type = size > 5 ? PyTuple_GET_ITEM(tuple, 5) : NULL;
    return 0;
}

static int
take_tuple(const Query *q, PyObject *tuple, Range *range)
{
    if (!PyTuple_Check(tuple)) {
        raise_param_type(q->state, q->face->strict
                                       ? "predicate is invalid."
                                       : "predicate must be a tuple");
        return -1;
    }
    if (PyTuple_GET_SIZE(tuple) < 3 || PyTuple_GET_SIZE(tuple) > 6) {
        raise_param_value(q->state, "predicate is invalid.");
        return -1;
    }
    if (PyUnicode_Check(PyTuple_GET_ITEM(tuple, 0)) && !q->face->strict) {
        return take_named(q, tuple, range);
    }
    if (!PyLong_Check(PyTuple_GET_ITEM(tuple, 0)) ||
        PyTuple_GET_SIZE(tuple) < 4) {
        raise_param_value(q->state, "predicate is invalid.");
        return -1;
    }
    return take_official(q, tuple, range);
}

/* ---- to bytes ---- */

static int
take_bin(const Query *q, PyObject *bin, bool is_named_otherwise,
         aero_span *name)
{
    *name = aero_span_of(NULL, 0);
    if (is_named_otherwise) {
        return 0; /* the index knows its bin */
    }
    if (!PyUnicode_Check(bin)) {
        return bad_type(q, "a bin name must be a string");
    }
    if (value_as_text(q->state, bin, name) < 0) {
        return -1;
    }
    if (name->len == 0 || name->len > AERO_BIN_NAME_MAX) {
        return bad(q, "a bin name has 1 to 15 bytes");
    }
    return 0;
}

/* Integers are written to `number`. */
static int
take_value(const Query *q, const Range *range, PyObject *value,
           uint8_t number[8], aero_query_range *out, aero_span *bytes)
{
    int64_t integer;

    if (PyUnicode_Check(value)) {
        out->particle =
            range->is_geo ? AERO_PARTICLE_GEOJSON : AERO_PARTICLE_STRING;
        if (value_as_text(q->state, value, bytes) < 0) {
            return -1;
        }
        return bytes->len <= (range->is_geo ? GEO_MAX : STRING_MAX)
                   ? 0
                   : bad(q, "the predicate's value is too long");
    }
    if (range->is_geo) {
        return bad(q, "a shape must be a GeoJSON text");
    }
    if (PyBytes_Check(value) || PyByteArray_Check(value)) {
        out->particle = AERO_PARTICLE_BLOB;
        *bytes = PyBytes_Check(value)
                     ? aero_span_of(PyBytes_AS_STRING(value),
                                    (size_t)PyBytes_GET_SIZE(value))
                     : aero_span_of(PyByteArray_AS_STRING(value),
                                    (size_t)PyByteArray_GET_SIZE(value));
        return bytes->len <= STRING_MAX
                   ? 0
                   : bad(q, "the predicate's value is too long");
    }
    if (!PyLong_Check(value) || (PyBool_Check(value) && !q->face->strict)) {
        return bad(q, "a predicate compares with an int, str or bytes");
    }
    if (value_as_int64(q->state, value, "predicate", &integer) < 0) {
        return -1;
    }
    out->particle = AERO_PARTICLE_INTEGER;
    aero_set_u64(number, (uint64_t)integer);
    *bytes = aero_span_of(number, 8);
    return 0;
}

static int
take_index_type(const Query *q, PyObject *obj, uint8_t *type)
{
    long number = AERO_INDEX_DEFAULT;

    if (obj != NULL && obj != Py_None) {
        if (!PyLong_Check(obj)) {
            return bad_type(q, "the index type must be one of INDEX_TYPE_*");
        }
        number = PyLong_AsLong(obj);
        PyErr_Clear();
    }
    if (number < AERO_INDEX_DEFAULT || number > AERO_INDEX_MAP_VALUES) {
        return bad(q, "the index type is none of INDEX_TYPE_*");
    }
    *type = (uint8_t)number;
    return 0;
}

static int
put_range(Query *q, const Range *range, bool is_named_otherwise)
{
    aero_query_range out;
    uint8_t numbers[2][8];

    if (range->end != NULL &&
        (!PyLong_Check(range->begin) || !PyLong_Check(range->end))) {
        return bad(q, "the ends of a range must be integers");
    }
    if (take_bin(q, range->bin, is_named_otherwise, &out.bin) < 0 ||
        take_index_type(q, range->index_type, &q->index_type) < 0 ||
        take_value(q, range, range->begin, numbers[0], &out, &out.begin) < 0) {
        return -1;
    }
    out.end = out.begin;
    if (range->end != NULL &&
        take_value(q, range, range->end, numbers[1], &out, &out.end) < 0) {
        return -1;
    }
    aero_query_put_range(&q->range, &out);
    return 0;
}

static void
forget(Query *q)
{
    q->range.len = 0;
    q->context.len = 0;
    q->index_exp.len = 0;
    Py_CLEAR(q->index);
}

int
index_put_context(const Encoder *enc, PyObject *ctx, aero_buf *out)
{
    const Place nowhere = {-1, NULL};

    if (!PyList_Check(ctx)) {
        raise_param_type(enc->state, "ctx must be a list of cdt_ctx objects");
        return -1;
    }
    if (PyList_GET_SIZE(ctx) == 0) {
        raise_param_value(enc->state, "cdt ctx list entries are empty");
        return -1;
    }
    return ctx_pack(enc, &nowhere, ctx, 0, out);
}

int
index_put_expression(const Encoder *enc, PyObject *obj, aero_buf *out)
{
    aero_span text;

    if (!PyUnicode_Check(obj)) {
        return expr_pack(enc, obj, out);
    }
    if (value_as_text(enc->state, obj, &text) < 0) {
        return -1;
    }
    if (text.len == 0 || !aero_b64_take(text, out)) {
        raise_param_value(enc->state, "an expression as text must be base64");
        return -1;
    }
    return 0;
}

static int
put_index(Query *q, const WhereBy *by)
{
    Encoder enc = {.state = q->state, .face = q->face};
    aero_span name;

    if (by->context != NULL && by->context != Py_None &&
        index_put_context(&enc, by->context, &q->context) < 0) {
        return -1;
    }
    if (by->exp != NULL &&
        index_put_expression(&enc, by->exp, &q->index_exp) < 0) {
        return -1;
    }
    if (by->index == NULL) {
        return 0;
    }
    if (!PyUnicode_Check(by->index)) {
        raise_param_type(q->state, "Index name must be a string");
        return -1;
    }
    q->index = Py_NewRef(by->index);
    return value_as_text(q->state, by->index, &name);
}

int
query_where(Query *q, const WhereBy *by)
{
    Range range = {0};
    int rc;

    if (q->has_where) {
        return bad(q, "the query has a predicate already");
    }
    rc = take_tuple(q, by->predicate, &range);
    if (rc == 0) {
        rc = put_range(q, &range, by->index != NULL || by->exp != NULL);
    }
    if (rc == 0) {
        rc = put_index(q, by);
    }
    Py_XDECREF(range.made);
    if (rc == 0 &&
        (q->range.failed || q->context.failed || q->index_exp.failed)) {
        PyErr_NoMemory();
        rc = -1;
    }
    if (rc < 0) {
        forget(q);
    }
    q->has_where = rc == 0;
    return rc;
}

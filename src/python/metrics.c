/* Histograms of operations.
 *
 * One table per interpreter, under a lock that is held for a few instructions.
 * A row is found by namespace, set, operation and result code.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include "aero/base/alloc.h"
#include "batch.h"
#include "query.h"

enum {
    BOUNDS = 9,
    STAGE_BOUNDS = 13,
    CAP_FIRST = 64,
    CAP_MAX = 1 << 16 /* rows: beyond, operations are not counted */
};

/* Upper ends of the buckets, nanoseconds; one more without an end follows. */
static const uint64_t bounds[BOUNDS] = {1000000,    5000000,    10000000,
                                        50000000,   100000000,  500000000,
                                        1000000000, 5000000000, 10000000000};
static const uint64_t stage_bounds[STAGE_BOUNDS] = {
    1000,    5000,     10000,    50000,     100000,    500000,    1000000,
    5000000, 10000000, 50000000, 100000000, 500000000, 1000000000};

static const char *const stage_names[STAGES] = {"key_parse", "limiter_wait",
                                                "io", "into_pyobject"};

typedef struct Histogram {
    uint64_t count;
    uint64_t total; /* nanoseconds */
    uint64_t buckets[STAGE_BOUNDS + 1];
} Histogram;

typedef struct Series {
    const char *op; /* of a signature: lives for ever; NULL: free */
    int code;       /* 0, or that of the exception */
    uint8_t ns_len;
    uint8_t set_len;
    char ns[AERO_NAMESPACE_MAX];
    char set[AERO_SET_MAX];
    Histogram times;
} Series;

typedef struct StageSeries {
    const char *op;
    Histogram times[STAGES];
} StageSeries;

enum {
    STAGE_OPS = 64
};

struct Metrics {
    atomic_bool on;
    atomic_bool stages_on;
    pthread_mutex_t lock;
    Series *series;                /* owned; a hash table; lock */
    size_t count;                  /* lock */
    size_t cap;                    /* lock; a power of two */
    size_t newest;                 /* lock; where the last call was counted */
    StageSeries stages[STAGE_OPS]; /* lock */
};

/* ---- counting ---- */

static void
count_in(Histogram *times, const uint64_t *ends, int n, uint64_t ns)
{
    int at = 0;

    while (at < n && ns > ends[at]) {
        at++;
    }
    times->count++;
    times->total += ns;
    times->buckets[at]++;
}

static size_t
hash_of(const Label *label, const char *op, int code)
{
    uint64_t hash =
        UINT64_C(0xcbf29ce484222325) ^ ((uint64_t)(uint32_t)code << 32);

    /* By its text: each face's table may have a copy of its own. */
    for (; *op != '\0'; op++) {
        hash = (hash ^ (uint8_t)*op) * UINT64_C(0x100000001b3);
    }
    for (size_t i = 0; i < label->ns.len; i++) {
        hash = (hash ^ label->ns.ptr[i]) * UINT64_C(0x100000001b3);
    }
    for (size_t i = 0; i < label->set.len; i++) {
        hash = (hash ^ label->set.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(hash ^ hash >> 32);
}

static Label
label_of(const Series *s)
{
    Label label = {aero_span_of(s->ns, s->ns_len),
                   aero_span_of(s->set, s->set_len)};

    return label;
}

static bool
counts_in(const Series *s, const Label *label, const char *op, int code)
{
    Label own = label_of(s);

    return s->code == code && (s->op == op || strcmp(s->op, op) == 0) &&
           aero_span_equal(own.ns, label->ns) &&
           aero_span_equal(own.set, label->set);
}

static Series *
find(const Metrics *m, const Label *label, const char *op, int code)
{
    size_t at = hash_of(label, op, code) & (m->cap - 1);

    for (;; at = (at + 1) & (m->cap - 1)) {
        Series *s = &m->series[at];

        if (s->op == NULL || counts_in(s, label, op, code)) {
            return s;
        }
    }
}

/* Calls mostly come in runs that are counted in one place. */
static Series *
find_near(Metrics *m, const Label *label, const char *op, int code)
{
    Series *s = &m->series[m->newest];

    if (s->op != op || !counts_in(s, label, op, code)) {
        s = find(m, label, op, code);
        m->newest = (size_t)(s - m->series);
    }
    return s;
}

static bool
grow(Metrics *m)
{
    Series *before = m->series;
    size_t cap = m->cap;

    if (m->count < cap / 2) {
        return true;
    }
    if (cap == CAP_MAX ||
        (m->series = aero_zalloc(2 * cap * sizeof *before)) == NULL) {
        m->series = before;
        return false;
    }
    m->cap = 2 * cap;
    m->newest = 0;
    for (size_t i = 0; i < cap; i++) {
        if (before[i].op != NULL) {
            Label label = label_of(&before[i]);

            *find(m, &label, before[i].op, before[i].code) = before[i];
        }
    }
    aero_free(before);
    return true;
}

static void
cut(aero_span *text, size_t most)
{
    text->len = text->len > most ? most : text->len;
}

static void
count(Metrics *m, Label label, const char *op, int code, uint64_t ns)
{
    Series *s;

    cut(&label.ns, AERO_NAMESPACE_MAX);
    cut(&label.set, AERO_SET_MAX);
    OWN_LOCK(&m->lock);
    s = grow(m) ? find_near(m, &label, op, code) : NULL;
    if (s != NULL && s->op == NULL) {
        s->op = op;
        s->code = code;
        s->ns_len = (uint8_t)label.ns.len;
        s->set_len = (uint8_t)label.set.len;
        if (label.ns.len != 0) {
            memcpy(s->ns, label.ns.ptr, label.ns.len);
        }
        if (label.set.len != 0) {
            memcpy(s->set, label.set.ptr, label.set.len);
        }
        m->count++;
    }
    if (s != NULL) {
        count_in(&s->times, bounds, BOUNDS, ns);
    }
    OWN_UNLOCK(&m->lock);
}

/* ---- calls ---- */

static aero_span
text_of(PyObject *obj)
{
    Py_ssize_t len = 0;
    const char *text = obj != NULL && PyUnicode_Check(obj)
                           ? PyUnicode_AsUTF8AndSize(obj, &len)
                           : "";

    if (text == NULL) {
        PyErr_Clear();
        text = "";
    }
    return aero_span_of(text, (size_t)len);
}

/* Namespace and set of the key, of the first of its keys, or of the query;
 * borrowed from what lives as long as the call. */
static Label
label_of_call(const Call *call)
{
    Label label = {call->key.ns, call->key.set};

    if (call->self != NULL) {
        const Query *q = (const Query *)call->self;

        label.ns = text_of(q->ns);
        label.set = text_of(q->set);
    }
    else if (strncmp(call->sig->measured, "batch", 5) == 0) {
        const BatchIn *in = call->more;
        PyObject *key = in == NULL || in->n == 0 || in->tuples == NULL
                            ? NULL
                            : PyTuple_GET_ITEM(in->tuples, 0);

        label.ns = label.set = aero_span_of("", 0);
        if (key != NULL && PyTuple_Check(key) && PyTuple_GET_SIZE(key) > 1) {
            label.ns = text_of(PyTuple_GET_ITEM(key, 0));
            label.set = text_of(PyTuple_GET_ITEM(key, 1));
        }
    }
    return label;
}

void
metrics_begin(Call *call, uint64_t now)
{
    call->began_at = 0;
    if (call->sig == NULL || call->sig->measured == NULL ||
        !atomic_load_explicit(&call->state->metrics->on,
                              memory_order_relaxed)) {
        return;
    }
    call->label = label_of_call(call);
    call->began_at = now;
}

/* The code of the exception that is set. */
static int
code_of_exception(const ModState *state)
{
    PyObject *type;
    PyObject *exc;
    PyObject *trace;
    PyObject *code;
    int number = AERO_ERR_CLIENT;

    PyErr_Fetch(&type, &exc, &trace);
    PyErr_NormalizeException(&type, &exc, &trace);
    code = exc == NULL ? NULL : PyObject_GetAttr(exc, state->str_code);
    if (code != NULL && PyLong_Check(code)) {
        number = PyLong_AsInt(code);
    }
    Py_XDECREF(code);
    PyErr_Clear();
    PyErr_Restore(type, exc, trace);
    return number;
}

void
metrics_end(Call *call, PyObject *result)
{
    if (call->began_at == 0) {
        return;
    }
    count(call->state->metrics, call->label, call->sig->measured,
          result != NULL ? 0 : code_of_exception(call->state),
          aero_clock_now() - call->began_at);
    call->began_at = 0;
}

uint64_t
metrics_stage_begin(const ModState *state)
{
    return atomic_load_explicit(&state->metrics->stages_on,
                                memory_order_relaxed)
               ? aero_clock_now()
               : 0;
}

void
metrics_stage_end(const Call *call, Stage stage, uint64_t from)
{
    Metrics *m = call->state->metrics;
    const char *op = call->sig == NULL ? NULL : call->sig->measured;
    uint64_t took;

    if (from == 0 || op == NULL) {
        return;
    }
    took = aero_clock_now() - from;
    OWN_LOCK(&m->lock);
    for (int i = 0; i < STAGE_OPS; i++) {
        StageSeries *s = &m->stages[i];

        if (s->op == NULL) {
            s->op = op;
        }
        if (strcmp(s->op, op) == 0) {
            count_in(&s->times[stage], stage_bounds, STAGE_BOUNDS, took);
            break;
        }
    }
    OWN_UNLOCK(&m->lock);
}

/* ---- showing ---- */

static PyObject *
buckets_of(const Histogram *times, int n)
{
    PyObject *list = PyList_New(n + 1);

    for (int i = 0; list != NULL && i <= n; i++) {
        PyObject *number = PyLong_FromUnsignedLongLong(times->buckets[i]);

        if (number == NULL) {
            Py_CLEAR(list);
        }
        else {
            PyList_SET_ITEM(list, i, number);
        }
    }
    return list;
}

static PyObject *
text_or_empty(const char *text, size_t len)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, "replace");
}

/* Appends what `item` is; takes it. */
static int
append(PyObject *list, PyObject *item)
{
    int rc = item == NULL ? -1 : PyList_Append(list, item);

    Py_XDECREF(item);
    return rc;
}

/* A copy of the table, so that no object is made under the lock. */
static Series *
copy_series(Metrics *m, size_t *count)
{
    Series *copy;
    size_t n = 0;

    OWN_LOCK(&m->lock);
    copy = aero_alloc((m->count + 1) * sizeof *copy);
    for (size_t i = 0; copy != NULL && i < m->cap; i++) {
        if (m->series[i].op != NULL) {
            copy[n++] = m->series[i];
        }
    }
    OWN_UNLOCK(&m->lock);
    *count = n;
    return copy;
}

static PyObject *
module_snapshot(PyObject *module, PyObject *unused)
{
    ModState *state = PyModule_GetState(module);
    size_t count;
    Series *copy = copy_series(state->metrics, &count);
    PyObject *list = copy == NULL ? PyErr_NoMemory() : PyList_New(0);

    (void)unused;
    for (size_t i = 0; list != NULL && i < count; i++) {
        const Series *s = &copy[i];

        if (append(list,
                   Py_BuildValue("(NNsiKdN)", text_or_empty(s->ns, s->ns_len),
                                 text_or_empty(s->set, s->set_len), s->op,
                                 s->code, (unsigned long long)s->times.count,
                                 (double)s->times.total / 1e9,
                                 buckets_of(&s->times, BOUNDS))) < 0) {
            Py_CLEAR(list);
        }
    }
    aero_free(copy);
    return list;
}

static PyObject *
module_stage_snapshot(PyObject *module, PyObject *unused)
{
    ModState *state = PyModule_GetState(module);
    StageSeries *copy = aero_alloc(sizeof state->metrics->stages);
    PyObject *list = copy == NULL ? PyErr_NoMemory() : PyList_New(0);

    (void)unused;
    if (copy != NULL) {
        pthread_mutex_lock(&state->metrics->lock);
        memcpy(copy, state->metrics->stages, sizeof state->metrics->stages);
        pthread_mutex_unlock(&state->metrics->lock);
    }
    for (int i = 0; list != NULL && i < STAGE_OPS; i++) {
        for (int j = 0; copy[i].op != NULL && j < STAGES; j++) {
            const Histogram *times = &copy[i].times[j];

            if (times->count != 0 && list != NULL &&
                append(list,
                       Py_BuildValue("(ssKdN)", stage_names[j], copy[i].op,
                                     (unsigned long long)times->count,
                                     (double)times->total / 1e9,
                                     buckets_of(times, STAGE_BOUNDS))) < 0) {
                Py_CLEAR(list);
            }
        }
    }
    aero_free(copy);
    return list;
}

static PyObject *
set_flag(atomic_bool *flag, PyObject *value)
{
    int on = PyObject_IsTrue(value);

    if (on < 0) {
        return NULL;
    }
    atomic_store(flag, on != 0);
    Py_RETURN_NONE;
}

static PyObject *
module_set_metrics(PyObject *module, PyObject *value)
{
    return set_flag(&((ModState *)PyModule_GetState(module))->metrics->on,
                    value);
}

static PyObject *
module_set_stages(PyObject *module, PyObject *value)
{
    return set_flag(
        &((ModState *)PyModule_GetState(module))->metrics->stages_on, value);
}

/* Of queries whose records are called back with, which no call stands for. */
static PyObject *
module_count_query(PyObject *module, PyObject *args)
{
    ModState *state = PyModule_GetState(module);
    const Query *q = NULL;
    PyObject *query;
    double seconds;
    int code;

    if (!PyArg_ParseTuple(args, "Oid:count_query", &query, &code, &seconds)) {
        return NULL;
    }
    for (int i = 0; i < QUERY_TYPES && q == NULL; i++) {
        if (Py_IS_TYPE(query, state->QueryTypes[i])) {
            q = (const Query *)query;
        }
    }
    if (q == NULL || !(seconds >= 0)) {
        PyErr_SetString(PyExc_TypeError, "count_query: a query and its time");
        return NULL;
    }
    if (atomic_load_explicit(&state->metrics->on, memory_order_relaxed)) {
        count(state->metrics, (Label){text_of(q->ns), text_of(q->set)},
              "query", code, (uint64_t)(seconds * 1e9));
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"count_query", module_count_query, METH_VARARGS,
     "count_query(query, code, seconds, /)\n--\n\nCount a query that has "
     "ended."},
    {"set_metrics", module_set_metrics, METH_O,
     "set_metrics(enabled, /)\n--\n\nCount operations, or not."},
    {"set_stage_metrics", module_set_stages, METH_O,
     "set_stage_metrics(enabled, /)\n--\n\nMeasure stages, or not."},
    {"metrics_snapshot", module_snapshot, METH_NOARGS,
     "metrics_snapshot()\n--\n\nNamespace, set, operation, code, count, "
     "seconds and buckets of each row."},
    {"stage_snapshot", module_stage_snapshot, METH_NOARGS,
     "stage_snapshot()\n--\n\nStage, operation, count, seconds and buckets of "
     "each row."},
    {NULL, NULL, 0, NULL},
};

int
metrics_setup(PyObject *module, ModState *state)
{
    Metrics *m = aero_zalloc(sizeof *m);

    if (m == NULL ||
        (m->series = aero_zalloc(CAP_FIRST * sizeof *m->series)) == NULL) {
        aero_free(m);
        PyErr_NoMemory();
        return -1;
    }
    m->cap = CAP_FIRST;
    atomic_init(&m->on, true);
    atomic_init(&m->stages_on, false);
    pthread_mutex_init(&m->lock, NULL);
    state->metrics = m;
    return PyModule_AddFunctions(module, functions);
}

void
metrics_teardown(ModState *state)
{
    Metrics *m = state->metrics;

    if (m != NULL) {
        state->metrics = NULL;
        pthread_mutex_destroy(&m->lock);
        aero_free(m->series);
        aero_free(m);
    }
}

/* Queries as Arrow streams: records become columns straight from the frames.
 *
 * Whoever reads the stream may do so without the interpreter's lock, from any
 * thread: what it owns knows no Python.  The columns are those of the first
 * batch; a later record that does not fit them ends the stream with an error.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "aero/drive/sync.h"
#include "build.h"
#include "lazy.h"
#include "query_arrow.h"
#include "query_work.h"

#include "arrow.h"

enum {
    ROWS = 65536 /* of a batch, if nothing else is said */
};

typedef struct Source {
    aero_query query;
    aero_cluster *cluster; /* counted */
    Table table;
    int64_t most; /* rows of a batch */
    bool primed;  /* the first batch, and with it the schema, is there */
    bool over;
    long pid;
    char error[AERO_STATUS_TEXT];
} Source;

static bool
add_row(Table *table, const aero_query_item *item)
{
    TableRow row = {.key_particle = item->key_particle,
                    .key = item->key,
                    .digest = item->digest,
                    .generation = item->generation,
                    .found = true,
                    .ops = item->ops,
                    .n_ops = item->n_ops};

    row.ttl = item->void_time == 0
                  ? UINT32_MAX
                  : aero_clock_ttl(item->void_time, aero_clock_void_now());
    return table_add(table, &row);
}

/* ---- the stream ---- */

static bool
fail(Source *s, const char *text)
{
    snprintf(s->error, sizeof s->error, "%s", text);
    s->over = true;
    aero_query_cancel(&s->query, AERO_ERR_CLIENT_ABORT, text);
    return false;
}

/* Read records until a batch is full. */
static bool
fill(Source *s, const aero_wait *wait)
{
    aero_query_item item;

    if (s->pid != (long)getpid()) {
        return fail(s, "the process was forked");
    }
    while (!s->over && s->table.root.length < s->most) {
        switch (aero_query_take_item(&s->query, &item)) {
        case AERO_QUERY_WAIT:
            if (aero_sync_task(&s->query.task, wait) == AERO_MORE) {
                return fail(s, "interrupted");
            }
            break;
        case AERO_QUERY_OVER:
            s->over = true;
            break;
        case AERO_QUERY_FAILED:
            return fail(s, s->query.st.text);
        case AERO_QUERY_ITEM:
            if (!add_row(&s->table, &item)) {
                return fail(s, s->table.error);
            }
            break;
        }
    }
    return true;
}

static bool
prime(Source *s, const aero_wait *wait)
{
    if (!s->primed) {
        s->primed = true;
        if (!table_begin(&s->table)) {
            return fail(s, "no memory");
        }
        (void)fill(s, wait);
        s->table.frozen = true;
    }
    return s->error[0] == '\0';
}

/* Waiting is done without the interpreter's lock, if the reader holds it. */
typedef struct Unlocked {
    PyThreadState *thread; /* NULL: it did not */
    aero_wait wait;
} Unlocked;

static bool
check_signals(void *ctx)
{
    Unlocked *unlocked = ctx;
    bool stop;

    PyEval_RestoreThread(unlocked->thread);
    stop = PyErr_CheckSignals() < 0;
    PyErr_Clear(); /* the stream's reader raises its own */
    unlocked->thread = PyEval_SaveThread();
    return stop;
}

static PyThreadState *
present_thread(void)
{
#if PY_VERSION_HEX >= 0x030d0000
    PyThreadState *present = PyThreadState_GetUnchecked();
#else
    PyThreadState *present = _PyThreadState_UncheckedGet();
#endif
    return present == PyGILState_GetThisThreadState() ? present : NULL;
}

static void
unlock(Unlocked *unlocked)
{
    unlocked->thread = present_thread();
    unlocked->wait = (aero_wait){.wake_fd = -1};
    if (unlocked->thread != NULL) {
        unlocked->thread = PyEval_SaveThread();
        unlocked->wait.interrupted = check_signals;
        unlocked->wait.ctx = unlocked;
    }
}

static void
lock(Unlocked *unlocked)
{
    if (unlocked->thread != NULL) {
        PyEval_RestoreThread(unlocked->thread);
    }
}

static int
get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    Source *s = stream->private_data;
    Unlocked unlocked;
    bool good;

    unlock(&unlocked);
    good = prime(s, &unlocked.wait);
    lock(&unlocked);
    if (!good) {
        return EIO;
    }
    return table_schema(&s->table, out) ? 0 : ENOMEM;
}

static int
get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    Source *s = stream->private_data;
    Unlocked unlocked;
    bool good;

    memset(out, 0, sizeof *out);
    unlock(&unlocked);
    good = prime(s, &unlocked.wait) &&
           (s->table.root.length != 0 || fill(s, &unlocked.wait));
    lock(&unlocked);
    if (!good) {
        return EIO;
    }
    if (s->table.root.length == 0) {
        return 0; /* the end */
    }
    return table_take(&s->table, out) ? 0 : ENOMEM;
}

static const char *
get_error(struct ArrowArrayStream *stream)
{
    const Source *s = stream->private_data;

    return s->error[0] != '\0' ? s->error : "no memory";
}

static void
free_source(Source *s)
{
    if (s->pid == (long)getpid()) {
        aero_query_fini(&s->query); /* else the sockets are the parent's */
    }
    aero_cluster_release(s->cluster);
    table_fini(&s->table);
    aero_free(s);
}

static void
release(struct ArrowArrayStream *stream)
{
    free_source(stream->private_data);
    stream->release = NULL;
}

/* ---- making it ---- */

static int
take_size(const Query *q, PyObject *obj, int64_t *out)
{
    *out = 0;
    if (!PyLong_Check(obj)) {
        raise_param_type(q->state, "batch_size must be an int");
        return -1;
    }
    if (value_as_int64(q->state, obj, "batch_size", out) < 0) {
        return -1;
    }
    if (*out <= 0) {
        raise_param_value(q->state, "batch_size must be positive");
        return -1;
    }
    return 0;
}

static int
refuse_values(const Query *q)
{
    if (q->module == NULL) {
        return 0;
    }
    raise_param_value(q->state, "what a stream UDF gives has no columns");
    return -1;
}

/* The stream's query changes hands before it has begun. */
static Source *
take_query(Stream *stream, int64_t most, PyObject *schema)
{
    Source *s = aero_zalloc(sizeof *s);
    Query *q = stream->owner;

    if (s == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    aero_query_move(&s->query, &stream->query);
    table_init(&s->table);
    s->most = most;
    s->pid = (long)getpid();
    s->cluster = client_cluster(q->client);
    if (s->cluster == NULL || arrow_take_wish(schema, &s->table) < 0) {
        free_source(s);
        return NULL;
    }
    if (aero_query_begin(&s->query, s->cluster, NULL, aero_clock_now()) !=
        AERO_OK) {
        raise_status(q->state, &s->query.st);
        free_source(s);
        return NULL;
    }
    return s;
}

static PyObject *
make_capsule(Stream *from, int64_t most, PyObject *schema)
{
    struct ArrowArrayStream *stream;
    PyObject *capsule = arrow_stream_capsule(&stream);

    if (capsule == NULL) {
        return NULL;
    }
    stream->private_data = take_query(from, most, schema);
    if (stream->private_data == NULL) {
        Py_DECREF(capsule);
        return NULL;
    }
    stream->get_schema = get_schema;
    stream->get_next = get_next;
    stream->get_last_error = get_error;
    stream->release = release;
    return capsule;
}

PyObject *
query_do_arrow_stream(Query *q, PyObject *const *argv)
{
    QueryWish wish = {.policy = argv[0], .options = argv[1]};
    int64_t most = ROWS;
    Stream *stream;
    PyObject *capsule;
    Call *call;

    if (refuse_values(q) < 0 || (argv[2] != NULL && argv[2] != Py_None &&
                                 take_size(q, argv[2], &most) < 0)) {
        return NULL;
    }
    call = call_new(q->client);
    stream = call == NULL ? NULL : stream_new(q, call, &wish);
    call_free(call);
    capsule = stream == NULL ? NULL : make_capsule(stream, most, argv[3]);
    Py_XDECREF(stream);
    return capsule;
}

const char arrow_stream_doc[] =
    "__arrow_c_stream__($self, requested_schema=None, /)\n--\n\n"
    "The records as an Arrow stream, which is read from the cluster.";

PyObject *
query_arrow_capsule(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                    PyObject *kwnames)
{
    PyObject *argv[4] = {NULL, NULL, NULL, NULL};

    if (arrow_bind_wish("__arrow_c_stream__", args, nargs, kwnames, &argv[3]) <
        0) {
        return NULL;
    }
    return query_do_arrow_stream((Query *)self, argv);
}

PyObject *
stream_arrow_capsule(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                     PyObject *kwnames)
{
    Stream *s = (Stream *)self;
    PyObject *capsule = NULL;
    PyObject *schema;

    if (arrow_bind_wish("__arrow_c_stream__", args, nargs, kwnames, &schema) <
            0 ||
        !stream_enter(s)) {
        return NULL;
    }
    if (s->cluster != NULL || s->over) {
        PyErr_SetString(PyExc_ValueError,
                        "records of the stream were read already");
    }
    else if (refuse_values(s->owner) == 0) {
        s->over = true;
        capsule = make_capsule(s, ROWS, schema);
    }
    stream_leave(s);
    return capsule;
}

/* ---- all records at once ---- */

void
query_free_table(struct Table *table)
{
    if (table != NULL) {
        table_fini(table);
        aero_free(table);
    }
}

static int
sink(Stream *stream, const aero_query_item *item)
{
    if (!add_row(stream->table, item)) {
        PyErr_SetString(PyExc_TypeError, stream->table->error);
        return -1;
    }
    return 0;
}

static PyObject *
finish_table(Call *call)
{
    Stream *stream = (Stream *)call->hold;
    PyObject *done = stream_finish_collect(call);
    PyObject *capsule;

    if (done == NULL) {
        return NULL;
    }
    Py_DECREF(done);
    capsule = arrow_table_stream(stream->table);
    if (capsule != NULL) {
        stream->table = NULL; /* handed over */
    }
    return capsule;
}

int
query_build_arrow_table(Call *call)
{
    Query *q = (Query *)call->self;
    QueryWish wish = {.policy = call->argv[0], .options = call->argv[1]};
    Stream *stream;

    if (refuse_values(q) < 0) {
        return -1;
    }
    stream = stream_new(q, call, &wish);
    if (stream == NULL || stream_collect(call, stream) < 0) {
        return -1; /* the call holds the stream */
    }
    call->finish = finish_table;
    stream->sink = sink;
    stream->table = aero_zalloc(sizeof *stream->table);
    if (stream->table == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    table_init(stream->table);
    if (arrow_take_wish(call->argv[2], stream->table) < 0) {
        return -1;
    }
    if (!table_begin(stream->table)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

PyObject *
query_do_arrow(Query *q, PyObject *const *argv)
{
    int64_t most;

    if (refuse_values(q) < 0 ||
        (argv[2] != NULL && take_size(q, argv[2], &most) < 0)) {
        return NULL;
    }
    return query_call_python(
        q->client->is_async ? "fetch_arrow" : "ArrowRecords", q, argv, 4);
}

/* Log lines of the core, on their way to Python's logging.
 *
 * The core writes from threads that know nothing of the interpreter: lines
 * wait in a short queue until the main thread runs Python code again.  A full
 * queue drops the newest and counts them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "state.h"

enum {
    LINES = 256,
    TEXT = 512
};

typedef struct Line {
    int level;
    int line;
    const char *func; /* static texts of the core */
    const char *file;
    char text[TEXT];
} Line;

struct LogQueue {
    aero_logger logger;
    pthread_mutex_t lock;
    Line lines[LINES];     /* lock */
    unsigned first;        /* lock */
    unsigned count;        /* lock */
    unsigned long dropped; /* lock */
    bool scheduled;        /* lock; a pending call is on its way */
    bool closed;           /* lock */
    bool main;             /* pending calls run in this interpreter */
    PyObject *deliver;     /* owned; aerospike_py._logging.deliver */
};

static bool
pop(LogQueue *queue, Line *line)
{
    bool found;

    pthread_mutex_lock(&queue->lock);
    found = queue->count != 0;
    if (found) {
        *line = queue->lines[queue->first];
        queue->first = (queue->first + 1) % LINES;
        queue->count--;
    }
    else {
        queue->scheduled = false;
    }
    pthread_mutex_unlock(&queue->lock);
    return found;
}

/* Runs in the main thread, with the interpreter's lock. */
static int
drain(void *data)
{
    LogQueue *queue = data;
    Line line;

    while (pop(queue, &line)) {
        PyObject *done;

        if (queue->deliver == NULL) {
            continue;
        }
        done =
            PyObject_CallFunction(queue->deliver, "issis", line.level,
                                  line.func, line.file, line.line, line.text);
        if (done == NULL) {
            PyErr_WriteUnraisable(queue->deliver);
        }
        Py_XDECREF(done);
    }
    return 0;
}

static void
push(LogQueue *queue, aero_log_level level, const char *func, const char *file,
     int line, const char *text)
{
    Line *to;

    if (queue->count == LINES) {
        queue->dropped++;
        return;
    }
    to = &queue->lines[(queue->first + queue->count++) % LINES];
    to->level = level;
    to->line = line;
    to->func = func;
    to->file = file;
    strncpy(to->text, text, TEXT - 1);
    to->text[TEXT - 1] = '\0';
}

static void
write_line(void *data, aero_log_level level, const char *func,
           const char *file, int line, const char *text)
{
    LogQueue *queue = data;
    bool schedule;

    pthread_mutex_lock(&queue->lock);
    if (!queue->closed) {
        push(queue, level, func, file, line, text);
    }
    schedule = !queue->closed && queue->main && !queue->scheduled;
    queue->scheduled = queue->scheduled || schedule;
    pthread_mutex_unlock(&queue->lock);
    if (schedule && Py_AddPendingCall(drain, queue) < 0) {
        pthread_mutex_lock(&queue->lock);
        queue->scheduled = false; /* tried again with the next line */
        pthread_mutex_unlock(&queue->lock);
    }
}

int
log_setup(ModState *state)
{
    LogQueue *queue = PyMem_RawCalloc(1, sizeof *queue);
    PyObject *module = PyImport_ImportModule("aerospike_py._logging");

    state->log = queue;
    if (queue == NULL || module == NULL) {
        Py_XDECREF(module);
        return queue == NULL ? (PyErr_NoMemory(), -1) : -1;
    }
    pthread_mutex_init(&queue->lock, NULL);
    queue->main = PyInterpreterState_Get() == PyInterpreterState_Main();
    queue->logger.write = write_line;
    queue->logger.data = queue;
    atomic_init(&queue->logger.level, AERO_LOG_WARN);
    queue->deliver = PyObject_GetAttrString(module, "deliver");
    Py_DECREF(module);
    return queue->deliver == NULL ? -1 : 0;
}

aero_logger *
log_logger(ModState *state)
{
    return &state->log->logger;
}

/* Deliver what waits, for interpreters without pending calls and at exit. */
void
log_flush(ModState *state)
{
    drain(state->log);
}

unsigned long
log_dropped(ModState *state)
{
    unsigned long dropped;

    pthread_mutex_lock(&state->log->lock);
    dropped = state->log->dropped;
    pthread_mutex_unlock(&state->log->lock);
    return dropped;
}

void
log_close(ModState *state)
{
    pthread_mutex_lock(&state->log->lock);
    state->log->closed = true;
    pthread_mutex_unlock(&state->log->lock);
}

/* No cluster is left that could write. */
void
log_teardown(ModState *state)
{
    if (state->log != NULL) {
        log_close(state);
        Py_CLEAR(state->log->deliver);
        pthread_mutex_destroy(&state->log->lock);
        PyMem_RawFree(state->log);
        state->log = NULL;
    }
}

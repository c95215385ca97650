/* What an operation waits on.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_REPLY_H
#define AERO_PYTHON_REPLY_H

#include "client.h"

enum {
    REPLY_PENDING,
    REPLY_RESULT,
    REPLY_EXCEPTION,
    REPLY_CANCELLED
};

/* A future as far as a task looks at it, for one that waits. */
struct Reply {
    PyObject_HEAD
    Pump *pump;         /* owned */
    int state;          /* REPLY_... */
    char blocking;      /* of asyncio: it was yielded and not yet seen */
    PyObject *value;    /* owned; the result, or the exception */
    PyObject *message;  /* owned; of the cancellation, or NULL */
    PyObject *callback; /* owned; whom to wake, or NULL */
    PyObject *context;  /* owned; to wake it in, or NULL */
    Reply *next;        /* in the pump's line; owned by it */
};

Reply *reply_new(Pump *pump);

/* It is over: whoever waits is woken, in the pump's time.  False: it was
 * cancelled before, and the task will hear of that. */
bool reply_set(Reply *reply, int state, PyObject *value);

/* What it came to: 0, or -1 with the exception. */
int reply_take(Reply *reply, PyObject **result);

/* Wake those of the line, each in its own context, until this moment, but one
 * at least.  0; or -1 with the exception that one stopped the loop with. */
int reply_wake(Pump *pump, uint64_t until);
/* Nobody is woken any more. */
void reply_drop_line(Pump *pump);

#endif

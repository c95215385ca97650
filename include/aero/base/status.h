/* How a function says that it failed, and why.
 *
 * A fallible function returns `aero_rc` and takes an `aero_status *` last.
 * The first who fails writes it through `aero_fail`; the layers above pass it
 * on and may add what only they know (node, attempts, in_doubt).  It becomes
 * an exception in one place, python/errors.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_BASE_STATUS_H
#define AERO_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum aero_rc {
    AERO_OK = 0,    /* done */
    AERO_MORE = 1,  /* not an error: more bytes or more time are needed */
    AERO_ERROR = -1 /* failed: see the status */
} aero_rc;

enum {
    AERO_NODE_NAME_MAX = 20,
    AERO_STATUS_TEXT = 1000
};

typedef struct aero_status {
    int32_t code;      /* 0 none; > 0 the server's; < 0 the client's own */
    uint32_t attempts; /* requests that were completely written */
    bool in_doubt;     /* a write may have happened */
    bool from_server;  /* the code came in a reply */
    char node[AERO_NODE_NAME_MAX]; /* NUL-terminated, empty if unknown */
    char text[AERO_STATUS_TEXT];   /* NUL-terminated */
} aero_status;

#if defined(__GNUC__)
#define AERO_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define AERO_PRINTF(fmt, args)
#endif

/* Forget what was said.  Cheap: the texts are cut, not wiped. */
void aero_status_clear(aero_status *st);

/* Say why: always returns AERO_ERROR, so that `return aero_fail(...)` reads
 * well.  A text that does not fit is cut.  `st` may be NULL. */
aero_rc aero_fail(aero_status *st, int32_t code, const char *fmt, ...)
    AERO_PRINTF(3, 4);

/* Put "before: " in front of what is said already. */
void aero_status_prefix(aero_status *st, const char *fmt, ...)
    AERO_PRINTF(2, 3);

#endif

/* Frames that the official client and a server exchanged
 * (tests/wire/golden/captures.txt, recorded by tools/capture_wire.py).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CAPTURES_H
#define TESTS_CAPTURES_H

#include "aero/base/span.h"

typedef struct capture {
    char label[32];
    bool is_reply;
    aero_span frame; /* head and body */
    aero_span body;
} capture;

typedef struct captures {
    capture at[160];
    size_t count;
} captures;

/* All of them; valid until the test ends. */
const captures *captures_read(void);
/* The first of this label and way; a test without it fails at once. */
const capture *captures_find(const char *label, bool is_reply);

#endif

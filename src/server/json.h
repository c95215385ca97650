/* A strict reader of JSON texts: check a text once, then walk over it with
 * cursors.  No tree is built and no memory taken.
 *
 * As strict as the server's own: UTF-8 without NUL, no control characters in
 * strings, integers of 64 bits, no more than 2,048 levels.  Of equal members
 * the last counts.  Private to the server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_JSON_H
#define AERO_SERVER_JSON_H

#include "aero/base/span.h"

/* Whether `text` is one value; if so, gives it without blanks around.  All
 * functions below want such a value, or one they gave. */
bool json_check(aero_span text, aero_span *value);

static inline bool
json_is(aero_span value, char first)
{
    return value.ptr[0] == (uint8_t)first;
}

/* The value of an object's last member of that name.  False: there is none,
 * or it is no object. */
bool json_member(aero_span object, const char *name, aero_span *value);

/* What stands inside an array, for json_next; nothing if it is none. */
aero_span json_open(aero_span array);
/* Take the next element. */
bool json_next(aero_span *inside, aero_span *value);
size_t json_count(aero_span array);

/* False when it is no number. */
bool json_number(aero_span value, double *out);
/* Whether it is a string with this text, escapes resolved. */
bool json_text_is(aero_span value, const char *text);

#endif

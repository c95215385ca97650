/* The status: a code and a text, written once by whoever fails first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "aero/base/status.h"

void
aero_status_clear(aero_status *st)
{
    st->code = 0;
    st->attempts = 0;
    st->in_doubt = false;
    st->from_server = false;
    st->node[0] = '\0';
    st->text[0] = '\0';
}

aero_rc
aero_fail(aero_status *st, int32_t code, const char *fmt, ...)
{
    va_list args;

    if (st == NULL) {
        return AERO_ERROR;
    }
    st->code = code;
    va_start(args, fmt);
    vsnprintf(st->text, sizeof st->text, fmt, args);
    va_end(args);
    return AERO_ERROR;
}

void
aero_status_prefix(aero_status *st, const char *fmt, ...)
{
    char head[AERO_STATUS_TEXT];
    va_list args;
    size_t head_len;
    size_t text_len;
    size_t room = sizeof st->text - 1;

    va_start(args, fmt);
    vsnprintf(head, sizeof head, fmt, args);
    va_end(args);
    head_len = strlen(head);
    if (head_len + 2 > room) {
        return;
    }
    text_len = strlen(st->text);
    if (text_len > room - head_len - 2) {
        text_len = room - head_len - 2;
    }
    memmove(st->text + head_len + 2, st->text, text_len);
    memcpy(st->text, head, head_len);
    memcpy(st->text + head_len, ": ", 2);
    st->text[head_len + 2 + text_len] = '\0';
}

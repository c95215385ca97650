/* The growing buffer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "aero/base/alloc.h"
#include "aero/base/buf.h"

void
aero_buf_fini(aero_buf *buf)
{
    size_t max = buf->max;

    aero_free(buf->ptr);
    aero_buf_init(buf);
    buf->max = max;
}

bool
aero_buf_grow(aero_buf *buf, size_t more)
{
    size_t max = buf->max == 0 ? AERO_BUF_MAX : buf->max;
    size_t want;
    size_t cap;
    uint8_t *ptr;

    if (buf->failed) {
        return false;
    }
    if (more > max - buf->len) {
        buf->failed = true;
        return false;
    }
    want = buf->len + more;
    if (want <= buf->cap) {
        return true;
    }
    cap = buf->cap < 256 ? 256 : buf->cap;
    while (cap < want) {
        cap += cap / 2;
    }
    if (cap > max) {
        cap = max; /* not a byte more, or nobody would stop it */
    }
    ptr = aero_resize(buf->ptr, cap);
    if (ptr == NULL) {
        buf->failed = true;
        return false;
    }
    buf->ptr = ptr;
    buf->cap = cap;
    return true;
}

void
aero_buf_reset(aero_buf *buf, size_t keep)
{
    if (buf->cap > keep) {
        aero_buf_fini(buf);
    }
    buf->len = 0;
    buf->failed = false;
}

void
aero_buf_printf(aero_buf *buf, const char *fmt, ...)
{
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0 || !aero_buf_reserve(buf, (size_t)len + 1)) {
        return;
    }
    va_start(args, fmt);
    vsnprintf((char *)buf->ptr + buf->len, (size_t)len + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)len;
}

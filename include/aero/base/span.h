/* Borrowed bytes: a pointer and a length, never NUL-terminated.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_BASE_SPAN_H
#define AERO_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct aero_span {
    const uint8_t *ptr;
    size_t len;
} aero_span;

static inline aero_span
aero_span_of(const void *ptr, size_t len)
{
    aero_span span = {(const uint8_t *)ptr, len};

    return span;
}

static inline aero_span
aero_span_str(const char *text)
{
    return aero_span_of(text, strlen(text));
}

static inline bool
aero_span_equal(aero_span a, aero_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool
aero_span_is(aero_span span, const char *text)
{
    return aero_span_equal(span, aero_span_str(text));
}

/* Bytewise order; of two where one begins the other, the shorter first. */
static inline int
aero_span_compare(aero_span a, aero_span b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The caller has checked that `count` bytes are there. */
static inline aero_span
aero_span_skip(aero_span span, size_t count)
{
    return aero_span_of(span.ptr + count, span.len - count);
}

/* Cut `span` at the first `mark`: gives what stands before it and leaves what
 * stands behind; without a mark gives all and leaves nothing. */
static inline aero_span
aero_span_cut(aero_span *span, char mark)
{
    aero_span head = *span;
    const uint8_t *at =
        span->len == 0 ? NULL : memchr(span->ptr, mark, span->len);

    if (at == NULL) {
        *span = aero_span_of(span->ptr + span->len, 0);
        return head;
    }
    head.len = (size_t)(at - span->ptr);
    *span = aero_span_skip(*span, head.len + 1);
    return head;
}

#endif

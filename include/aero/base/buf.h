/* A growing byte buffer with a sticky failure: put what you like, look at
 * `failed` once at the end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_BASE_BUF_H
#define AERO_BASE_BUF_H

#include "aero/base/bytes.h"
#include "aero/base/span.h"

typedef struct aero_buf {
    uint8_t *ptr; /* owned */
    size_t len;
    size_t cap;
    bool
        failed; /* no memory, or the limit was passed; later puts do nothing */
    size_t max; /* 0: AERO_BUF_MAX */
} aero_buf;

/* No buffer grows beyond this unless its owner says so: the protocol's frame
 * limit and some slack. */
#define AERO_BUF_MAX ((size_t)160 << 20)

#define AERO_BUF_INIT                                                         \
    {                                                                         \
        NULL, 0, 0, false, 0                                                  \
    }

static inline void
aero_buf_init(aero_buf *buf)
{
    memset(buf, 0, sizeof *buf);
}

void aero_buf_fini(aero_buf *buf);

/* Make room for `more` bytes behind the end.  False (and failed) if none. */
bool aero_buf_grow(aero_buf *buf, size_t more);

/* Empty it; memory above `keep` bytes is given back. */
void aero_buf_reset(aero_buf *buf, size_t keep);

/* printf at the end. */
void aero_buf_printf(aero_buf *buf, const char *fmt, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

static inline bool
aero_buf_reserve(aero_buf *buf, size_t more)
{
    if (!buf->failed && buf->cap - buf->len >= more) {
        return true;
    }
    return aero_buf_grow(buf, more);
}

static inline aero_span
aero_buf_span(const aero_buf *buf)
{
    return aero_span_of(buf->ptr, buf->len);
}

static inline void
aero_buf_put(aero_buf *buf, const void *ptr, size_t len)
{
    if (len != 0 && aero_buf_reserve(buf, len)) {
        memcpy(buf->ptr + buf->len, ptr, len);
        buf->len += len;
    }
}

static inline void
aero_buf_put_span(aero_buf *buf, aero_span span)
{
    aero_buf_put(buf, span.ptr, span.len);
}

static inline void
aero_buf_put_str(aero_buf *buf, const char *text)
{
    aero_buf_put(buf, text, strlen(text));
}

static inline void
aero_buf_put_zero(aero_buf *buf, size_t len)
{
    if (len != 0 && aero_buf_reserve(buf, len)) {
        memset(buf->ptr + buf->len, 0, len);
        buf->len += len;
    }
}

static inline void
aero_buf_put_u8(aero_buf *buf, uint8_t v)
{
    if (aero_buf_reserve(buf, 1)) {
        buf->ptr[buf->len++] = v;
    }
}

static inline void
aero_buf_put_u16(aero_buf *buf, uint16_t v)
{
    if (aero_buf_reserve(buf, 2)) {
        aero_set_u16(buf->ptr + buf->len, v);
        buf->len += 2;
    }
}

static inline void
aero_buf_put_u32(aero_buf *buf, uint32_t v)
{
    if (aero_buf_reserve(buf, 4)) {
        aero_set_u32(buf->ptr + buf->len, v);
        buf->len += 4;
    }
}

static inline void
aero_buf_put_u64(aero_buf *buf, uint64_t v)
{
    if (aero_buf_reserve(buf, 8)) {
        aero_set_u64(buf->ptr + buf->len, v);
        buf->len += 8;
    }
}

static inline void
aero_buf_put_f64(aero_buf *buf, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    aero_buf_put_u64(buf, bits);
}

/* Leave four bytes open for a size that is known later. */
static inline size_t
aero_buf_mark_u32(aero_buf *buf)
{
    size_t at = buf->len;

    aero_buf_put_u32(buf, 0);
    return at;
}

/* Fill the mark with the number of bytes put behind it. */
static inline void
aero_buf_patch_u32(aero_buf *buf, size_t at)
{
    if (!buf->failed) {
        aero_set_u32(buf->ptr + at, (uint32_t)(buf->len - at - 4));
    }
}

#endif

/* Frames and their compressed form.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <zlib.h>

#include "aero/wire/frame.h"

size_t
aero_frame_open(aero_buf *out, aero_frame_type type)
{
    size_t mark = out->len;

    aero_buf_put_u64(out, (uint64_t)AERO_FRAME_VERSION << 56 | (uint64_t)type
                                                                   << 48);
    return mark;
}

void
aero_frame_close(aero_buf *out, size_t mark)
{
    size_t size;

    if (out->failed) {
        return;
    }
    size = out->len - mark - AERO_FRAME_HEAD;
    if (size > AERO_FRAME_MAX) {
        out->failed = true;
        return;
    }
    aero_set_u32(out->ptr + mark + 4, (uint32_t)size);
}

aero_rc
aero_frame_peek(aero_span in, aero_frame *out, aero_status *st)
{
    uint64_t size;

    if (in.len < AERO_FRAME_HEAD) {
        return AERO_MORE;
    }
    if (in.ptr[0] != AERO_FRAME_VERSION) {
        return aero_fail(st, AERO_ERR_CLIENT, "bad frame version %u",
                         in.ptr[0]);
    }
    if (in.ptr[1] < AERO_FRAME_INFO || in.ptr[1] > AERO_FRAME_COMPRESSED) {
        return aero_fail(st, AERO_ERR_CLIENT, "bad frame type %u", in.ptr[1]);
    }
    size = aero_get_u64(in.ptr) & UINT64_C(0xffffffffffff);
    if (size > AERO_FRAME_MAX) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "frame of %llu bytes is over the limit of %d",
                         (unsigned long long)size, AERO_FRAME_MAX);
    }
    out->type = in.ptr[1];
    out->size = (uint32_t)size;
    return AERO_OK;
}

aero_rc
aero_frame_take(aero_span *in, aero_frame *out, aero_span *body,
                aero_status *st)
{
    aero_rc rc = aero_frame_peek(*in, out, st);

    if (rc != AERO_OK) {
        return rc;
    }
    if (in->len - AERO_FRAME_HEAD < out->size) {
        return AERO_MORE;
    }
    *in = aero_span_skip(*in, AERO_FRAME_HEAD);
    *body = aero_span_of(in->ptr, out->size);
    *in = aero_span_skip(*in, out->size);
    return AERO_OK;
}

void
aero_frame_deflate(aero_buf *out, size_t mark)
{
    aero_buf packed = AERO_BUF_INIT;
    size_t plain = out->len - mark;
    uLongf room;
    size_t head;

    if (out->failed || plain > AERO_FRAME_MAX) {
        return;
    }
    room = compressBound((uLong)plain);
    head = aero_frame_open(&packed, AERO_FRAME_COMPRESSED);
    aero_buf_put_u64(&packed, plain);
    if (aero_buf_reserve(&packed, room) &&
        compress2(packed.ptr + packed.len, &room, out->ptr + mark,
                  (uLong)plain, Z_BEST_SPEED) == Z_OK) {
        packed.len += room;
        aero_frame_close(&packed, head);
        if (!packed.failed && packed.len < plain) {
            out->len = mark;
            aero_buf_put(out, packed.ptr, packed.len);
        }
    }
    aero_buf_fini(&packed);
}

aero_rc
aero_frame_inflate(aero_span body, aero_buf *out, aero_status *st)
{
    uint64_t plain;
    uLongf size;
    aero_frame inner;

    out->len = 0;
    if (body.len < 8) {
        return aero_fail(st, AERO_ERR_CLIENT, "compressed frame is cut");
    }
    plain = aero_get_u64(body.ptr);
    if (plain < AERO_FRAME_HEAD || plain > AERO_FRAME_HEAD + AERO_FRAME_MAX) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "compressed frame claims %llu bytes",
                         (unsigned long long)plain);
    }
    if (!aero_buf_reserve(out, plain)) {
        return aero_fail(st, AERO_ERR_CLIENT, "no memory to inflate a frame");
    }
    size = (uLongf)plain;
    if (uncompress(out->ptr, &size, body.ptr + 8, (uLong)(body.len - 8)) !=
            Z_OK ||
        size != plain) {
        return aero_fail(st, AERO_ERR_CLIENT, "compressed frame is damaged");
    }
    out->len = size;
    if (aero_frame_peek(aero_buf_span(out), &inner, st) != AERO_OK) {
        return AERO_ERROR;
    }
    if (inner.type == AERO_FRAME_COMPRESSED ||
        inner.size != plain - AERO_FRAME_HEAD) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "compressed frame holds no whole message");
    }
    return AERO_OK;
}

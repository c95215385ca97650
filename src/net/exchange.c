/* The exchange.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/net/exchange.h"

enum {
    FIRST_READ = 4096, /* room for the first recv: most replies at once */
    BIG_READ = 64 << 10,
    STEP_READ = 512 << 10 /* of one step: whoever steps has others to see to */
};

void
aero_exchange_init(aero_exchange *x, aero_conn *conn, aero_span request,
                   aero_buf *in, uint8_t reply_type)
{
    x->conn = conn;
    x->left = request;
    x->in = in;
    x->reply_type = reply_type;
    x->limit = AERO_FRAME_MAX;
    x->started = false;
    x->sent = false;
    x->is_watched = false;
    x->held = false;
    x->front = 0;
    x->received = 0;
    x->on_frame = NULL;
    x->ctx = NULL;
    aero_buf_init(&x->inflated);
    in->len = 0;
    in->failed = false;
}

void
aero_exchange_fini(aero_exchange *x)
{
    aero_buf_fini(&x->inflated);
}

static aero_rc
send_request(aero_exchange *x, aero_status *st)
{
    size_t before = x->left.len;
    aero_rc rc = aero_conn_send(x->conn, &x->left, st);

    x->started = x->started || x->left.len != before;
    if (rc == AERO_OK) {
        x->sent = true;
    }
    return rc;
}

/* Drop the frame at the front; what came behind it moves up. */
static void
drop_frame(aero_buf *in, size_t whole)
{
    in->len -= whole;
    if (in->len != 0) {
        memmove(in->ptr, in->ptr + whole, in->len);
    }
}

static aero_rc
check_frame(const aero_exchange *x, const aero_frame *frame, aero_status *st)
{
    if (frame->size > x->limit) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "reply of %u bytes is over the limit of %u",
                         frame->size, x->limit);
    }
    if (frame->type == x->reply_type ||
        (frame->type == AERO_FRAME_COMPRESSED &&
         x->reply_type == AERO_FRAME_MESSAGE)) {
        return AERO_OK;
    }
    return aero_fail(st, AERO_ERR_CLIENT,
                     "reply has frame type %u where %u was expected",
                     frame->type, x->reply_type);
}

/* The plain body of the frame; a compressed one is unpacked beside it, or in
 * its place when it is the only one. */
static aero_rc
plain_body(aero_exchange *x, const aero_frame *frame, aero_span *body,
           aero_status *st)
{
    *body = aero_span_of(x->in->ptr + AERO_FRAME_HEAD, frame->size);
    if (frame->type != AERO_FRAME_COMPRESSED) {
        return AERO_OK;
    }
    if (aero_frame_inflate(*body, &x->inflated, st) != AERO_OK) {
        return AERO_ERROR;
    }
    *body = aero_span_skip(aero_buf_span(&x->inflated), AERO_FRAME_HEAD);
    return AERO_OK;
}

/* The only frame: it stays in `in`. */
static aero_rc
keep_frame(aero_exchange *x, const aero_frame *frame, size_t whole,
           aero_status *st)
{
    aero_span body;

    if (x->in->len != whole) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "%zu bytes came behind the reply",
                         x->in->len - whole);
    }
    if (frame->type == AERO_FRAME_COMPRESSED) {
        aero_buf packed = *x->in;

        if (plain_body(x, frame, &body, st) != AERO_OK) {
            return AERO_ERROR;
        }
        *x->in = x->inflated;
        x->inflated = packed;
    }
    return AERO_OK;
}

/* A frame was dealt with: AERO_MORE when another follows. */
static aero_rc
after_frame(aero_exchange *x, size_t whole, aero_rc rc, aero_status *st)
{
    if (rc == AERO_ERROR) {
        return rc;
    }
    drop_frame(x->in, whole);
    if (rc == AERO_OK && x->in->len != 0) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "%zu bytes came behind the reply", x->in->len);
    }
    return rc;
}

/* The frame at the front, if it is whole: its size, else AERO_MORE with room
 * for the rest of it. */
static aero_rc
find_frame(aero_exchange *x, aero_frame *frame, size_t *whole, aero_status *st)
{
    aero_rc rc = aero_frame_peek(aero_buf_span(x->in), frame, st);

    if (rc == AERO_OK) {
        rc = check_frame(x, frame, st);
    }
    if (rc != AERO_OK) {
        return rc;
    }
    *whole = AERO_FRAME_HEAD + (size_t)frame->size;
    if (x->in->len >= *whole) {
        return AERO_OK;
    }
    if (!aero_buf_reserve(x->in, *whole - x->in->len)) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "no memory for a reply of %u bytes", frame->size);
    }
    return AERO_MORE;
}

/* Hand on what is whole. */
static aero_rc
take_frames(aero_exchange *x, aero_status *st)
{
    for (;;) {
        aero_frame frame;
        aero_span body;
        size_t whole;
        aero_rc rc = find_frame(x, &frame, &whole, st);

        if (rc != AERO_OK) {
            return rc;
        }
        if (x->on_frame == NULL) {
            return keep_frame(x, &frame, whole, st);
        }
        rc = plain_body(x, &frame, &body, st);
        if (rc == AERO_OK) {
            rc = x->on_frame(x->ctx, body, st);
        }
        if (x->held && rc == AERO_MORE) {
            x->front = whole;
            return AERO_MORE;
        }
        rc = after_frame(x, whole, rc, st);
        if (rc != AERO_MORE) {
            return rc;
        }
    }
}

/* What was held has been released. */
static aero_rc
go_on(aero_exchange *x, aero_status *st)
{
    size_t whole = x->front;
    aero_rc rc;

    x->front = 0;
    rc = after_frame(x, whole, x->verdict, st);
    return rc == AERO_MORE ? take_frames(x, st) : rc;
}

static aero_rc
receive(aero_exchange *x, aero_status *st)
{
    aero_buf *in = x->in;
    size_t room = x->on_frame == NULL ? FIRST_READ : BIG_READ;
    size_t sum = 0;

    for (;;) {
        size_t got = 0;
        aero_rc rc;

        if ((in->cap < FIRST_READ || in->cap == in->len) &&
            !aero_buf_grow(in, room)) {
            return aero_fail(st, AERO_ERR_CLIENT, "no memory for a reply");
        }
        rc = aero_conn_recv(x->conn, in->ptr + in->len, in->cap - in->len,
                            &got, st);
        if (rc != AERO_OK) {
            return rc;
        }
        in->len += got;
        x->received += got;
        rc = take_frames(x, st);
        if (rc != AERO_MORE || x->held) {
            return rc;
        }
        sum += got;
        if (sum >= STEP_READ &&
            (x->conn->tls == NULL || !aero_tls_has_bytes(x->conn->tls))) {
            x->conn->want = AERO_WANT_READ;
            return AERO_MORE;
        }
    }
}

aero_rc
aero_exchange_step(aero_exchange *x, aero_status *st)
{
    if (!x->sent) {
        aero_rc rc = send_request(x, st);

        if (rc == AERO_OK && x->is_watched) {
            x->conn->want = AERO_WANT_READ;
            rc = AERO_MORE; /* it cannot be there yet */
        }
        if (rc != AERO_OK) {
            return rc;
        }
    }
    if (x->front != 0 && !x->held) {
        aero_rc rc = go_on(x, st);

        if (rc != AERO_MORE) {
            return rc;
        }
    }
    return x->held ? AERO_MORE : receive(x, st);
}

aero_span
aero_exchange_body(const aero_exchange *x)
{
    return aero_span_of(x->in->ptr + AERO_FRAME_HEAD,
                        x->in->len - AERO_FRAME_HEAD);
}

/* One request and its reply on one connection.
 *
 *   OPEN -> SEND -> RECV -> done
 *
 * The request is a whole frame; the reply is one frame or several, each handed
 * over as it becomes whole.  It does not know what they mean, who asked, or
 * what happens when it fails.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_NET_EXCHANGE_H
#define AERO_NET_EXCHANGE_H

#include "aero/net/conn.h"
#include "aero/wire/frame.h"

typedef struct aero_exchange aero_exchange;
struct aero_exchange {
    aero_conn *conn;    /* borrowed */
    aero_span left;     /* borrowed; of the request, not yet sent */
    aero_buf *in;       /* borrowed; what was received and not yet handed on */
    uint32_t limit;     /* of a reply's body; AERO_FRAME_MAX at most */
    uint8_t reply_type; /* aero_frame_type that is expected */
    bool started;       /* the first byte was sent */
    bool sent;          /* the last byte was sent */
    bool is_watched;    /* whoever drives it hears of the reply: no look now */
    bool held;          /* a frame waits for its release */
    aero_rc verdict;    /* of the frame that was released */
    size_t front;       /* bytes of the frame that is, or was, held */
    uint64_t received;  /* bytes of the reply */
    /* Called with each whole frame, inflated if it was compressed.  AERO_OK:
     * that was all; AERO_MORE: another follows; an error ends the exchange
     * and the connection.  NULL: one frame, left in `in` for the owner.
     *
     * It may set `held` and return AERO_MORE: the frame then stays where it
     * is, nothing more is read, and steps do nothing until its release. */
    aero_rc (*on_frame)(void *ctx, aero_span body, aero_status *st);
    void *ctx;
    aero_buf inflated; /* owned */
};

/* `in` is emptied. */
void aero_exchange_init(aero_exchange *x, aero_conn *conn, aero_span request,
                        aero_buf *in, uint8_t reply_type);
void aero_exchange_fini(aero_exchange *x);

/* AERO_OK: answered, the connection is free again.  AERO_MORE: see conn.
 * AERO_ERROR: the connection is of no more use. */
aero_rc aero_exchange_step(aero_exchange *x, aero_status *st);

/* The frame that was held has been dealt with: `verdict` as on_frame would
 * have returned it.  What follows from it is done by the next step. */
static inline void
aero_exchange_release(aero_exchange *x, aero_rc verdict)
{
    x->held = false;
    x->verdict = verdict;
}

/* The body of the one frame that an exchange without on_frame received. */
aero_span aero_exchange_body(const aero_exchange *x);

#endif

/* From the body of a message to its answer: which kind it is, and answers
 * that come piece by piece.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_SERVE_H
#define SRV_SERVE_H

#include "core.h"
#include "request.h"

struct srv_login;

/* Who asks whom. */
typedef struct srv_call {
    srv_core *core;
    srv_node *node;
    struct srv_login *who;
    const char *from; /* host:port of the client */
} srv_call;

/* An answer of several frames. */
typedef struct srv_stream srv_stream;
struct srv_stream {
    /* Put the next whole frames behind what `out` holds.  AERO_OK: they were
     * the last; AERO_MORE: call again when they have been sent, and not
     * before `*wait_ms` have passed. */
    aero_rc (*step)(srv_stream *stream, aero_buf *out, uint32_t *wait_ms);
    void (*close)(srv_stream *stream); /* takes; at any time */
    uint32_t stall_ms; /* how long the client may leave it unread; 0: ever */
};

enum {
    SRV_STALL_MS = 10000,
    SRV_BATCH_BLOCK = 128 << 10,
    SRV_QUERY_BLOCK = 128 << 10
};

/* Answer a body of type 3: whole frames are put into `out`, or a stream is
 * given (it borrows `body` until it is closed).  No memory: out->failed. */
srv_stream *srv_serve(const srv_call *call, aero_span body, aero_buf *out);

/* ---- between the files ---- */

/* `body` is borrowed by the stream. */
srv_stream *srv_batch_open(const srv_call *call, aero_span body,
                           aero_buf *out);
/* `req` was taken from bytes that the stream borrows. */
srv_stream *srv_query_open(const srv_call *call, const srv_req *req,
                           aero_buf *out);

/* A frame with one message that is nothing but a head. */
void srv_put_head(aero_buf *out, uint8_t info3, int code, uint32_t generation);
/* Close a frame of data; compressed if the request allowed it. */
void srv_close_data(aero_buf *out, size_t mark, bool compress);
/* Whether answers to this request may be compressed. */
static inline bool
srv_may_compress(const srv_core *core, const aero_msg *msg)
{
    return core->enterprise &&
           (msg->info1 & AERO_INFO1_COMPRESS_RESPONSE) != 0;
}

#endif

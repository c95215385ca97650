/* A connection: a socket, TLS over it if wanted, and what it waits for.
 *
 * Nothing here waits.  AERO_MORE says: come back when `fd` is ready for
 * `want`.  One request is in flight on a connection, so bytes that nobody
 * asked for mean that it is broken.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_NET_CONN_H
#define AERO_NET_CONN_H

#include "aero/net/addr.h"
#include "aero/net/job.h"
#include "aero/net/tls.h"

typedef struct aero_conn aero_conn;

/* How clear bytes travel.  AERO_OK with *got or *sent above 0; AERO_MORE with
 * conn->want set; an error, which is also the end of the stream. */
typedef struct aero_conn_io {
    aero_rc (*recv)(aero_conn *conn, void *buf, size_t cap, size_t *got,
                    aero_status *st);
    aero_rc (*send)(aero_conn *conn, const void *buf, size_t len, size_t *sent,
                    aero_status *st);
} aero_conn_io;

struct aero_conn {
    int fd; /* owned; -1: closed */
    uint8_t want;
    bool connected;
    bool ready;    /* TLS and login are behind it */
    aero_tls *tls; /* owned; NULL: clear */
    const aero_conn_io *io;
    /* For drive/sync's blocking read: how long the first recv may wait, 0 for
     * not at all, and what the socket's timeout is set to now. */
    uint32_t patience_ms;
    uint32_t timeout_ms;
    uint64_t used_at; /* when it was put back */
    uint32_t epoch;   /* of its node when it was put back */
    aero_conn *next;  /* in whatever list holds it */
    /* Of a driver that watches the socket: told before it is closed. */
    void (*on_close)(aero_conn *conn);
    void *watcher;
};

/* The clear io that never waits. */
extern const aero_conn_io aero_conn_plain;

/* Begin to connect.  With a context, TLS follows, and `tls_name` (borrowed
 * during the call) is what the peer must be called.  Gives a connection that
 * aero_conn_step_open completes, or NULL. */
aero_conn *aero_conn_new(const aero_addr *addr, aero_tls_context *tls,
                         const char *tls_name, aero_status *st);
/* A connection over a socket that was accepted; takes `fd`. */
aero_conn *aero_conn_adopt(int fd, aero_tls_context *tls, aero_status *st);
void aero_conn_free(aero_conn *conn); /* closes; NULL is fine */

/* Complete connect and handshake. */
aero_rc aero_conn_step_open(aero_conn *conn, aero_status *st);

aero_rc aero_conn_recv(aero_conn *conn, void *buf, size_t cap, size_t *got,
                       aero_status *st);
/* Send from the front of `*left` until it is empty (AERO_OK) or the socket is
 * full (AERO_MORE). */
aero_rc aero_conn_send(aero_conn *conn, aero_span *left, aero_status *st);

/* A pooled connection must be open and silent: one look, without waiting. */
bool aero_conn_is_silent(aero_conn *conn);

/* "connection to 10.0.0.1:3000 refused" and so on, from errno. */
aero_rc aero_conn_fail(aero_status *st, const char *what, int error);

#endif

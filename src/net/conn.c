/* Connections.
 *
 * Sockets of clear connections are in blocking mode and are used with
 * MSG_DONTWAIT, so that drive/sync can wait inside recv; under TLS they are
 * non-blocking, because OpenSSL reads them itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "aero/net/conn.h"
#include "aero/wire/codes.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE instead */
#endif

aero_rc
aero_conn_fail(aero_status *st, const char *what, int error)
{
    char reason[120] = "";

#if defined(__GLIBC__) && defined(_GNU_SOURCE)
    const char *text = strerror_r(error, reason, sizeof reason);
#else
    const char *text = reason;

    strerror_r(error, reason, sizeof reason);
#endif
    return aero_fail(st, AERO_ERR_CONNECTION, "%s: %s", what, text);
}

static aero_rc
plain_recv(aero_conn *conn, void *buf, size_t cap, size_t *got,
           aero_status *st)
{
    for (;;) {
        ssize_t n = recv(conn->fd, buf, cap, MSG_DONTWAIT);

        if (n > 0) {
            *got = (size_t)n;
            return AERO_OK;
        }
        if (n == 0) {
            return aero_fail(st, AERO_ERR_CONNECTION,
                             "the peer closed the connection");
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            conn->want = AERO_WANT_READ;
            return AERO_MORE;
        }
        if (errno != EINTR) {
            return aero_conn_fail(st, "receive", errno);
        }
    }
}

static aero_rc
plain_send(aero_conn *conn, const void *buf, size_t len, size_t *sent,
           aero_status *st)
{
    for (;;) {
        ssize_t n = send(conn->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0) {
            *sent = (size_t)n;
            return AERO_OK;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            conn->want = AERO_WANT_WRITE;
            return AERO_MORE;
        }
        if (errno != EINTR) {
            return aero_conn_fail(st, "send", errno);
        }
    }
}

static aero_rc
secure_recv(aero_conn *conn, void *buf, size_t cap, size_t *got,
            aero_status *st)
{
    return aero_tls_recv(conn->tls, buf, cap, got, &conn->want, st);
}

static aero_rc
secure_send(aero_conn *conn, const void *buf, size_t len, size_t *sent,
            aero_status *st)
{
    return aero_tls_send(conn->tls, buf, len, sent, &conn->want, st);
}

const aero_conn_io aero_conn_plain = {plain_recv, plain_send};
static const aero_conn_io secure = {secure_recv, secure_send};

static void
set_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);

    fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static void
set_options(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
#endif
}

/* Takes `fd`. */
static aero_conn *
wrap(int fd, aero_tls_context *tls, const char *tls_name, aero_status *st)
{
    aero_conn *conn = aero_zalloc(sizeof *conn);

    if (conn == NULL) {
        close(fd);
        aero_fail(st, AERO_ERR_CLIENT, "no memory for a connection");
        return NULL;
    }
    conn->fd = fd;
    conn->io = &aero_conn_plain;
    set_blocking(fd, false);
    set_options(fd);
    if (tls != NULL) {
        conn->tls = aero_tls_new(tls, fd, tls_name, st);
        conn->io = &secure;
        if (conn->tls == NULL) {
            aero_conn_free(conn);
            return NULL;
        }
    }
    return conn;
}

static int
new_socket(int family)
{
#ifdef SOCK_CLOEXEC
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
#else
    int fd = socket(family, SOCK_STREAM, 0);

    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return fd;
#endif
}

aero_conn *
aero_conn_new(const aero_addr *addr, aero_tls_context *tls,
              const char *tls_name, aero_status *st)
{
    aero_conn *conn;
    int fd = new_socket(addr->sa.ss_family);

    if (fd < 0) {
        aero_conn_fail(st, "socket", errno);
        return NULL;
    }
    conn = wrap(fd, tls, tls_name, st);
    if (conn == NULL) {
        return NULL;
    }
    if (connect(fd, (const struct sockaddr *)&addr->sa, addr->len) == 0) {
        conn->connected = true;
    }
    else if (errno != EINPROGRESS && errno != EINTR) {
        aero_conn_fail(st, "connect", errno);
        aero_conn_free(conn);
        return NULL;
    }
    conn->want = AERO_WANT_WRITE;
    return conn;
}

aero_conn *
aero_conn_adopt(int fd, aero_tls_context *tls, aero_status *st)
{
    aero_conn *conn = wrap(fd, tls, NULL, st);

    if (conn != NULL) {
        conn->connected = true;
    }
    return conn;
}

void
aero_conn_free(aero_conn *conn)
{
    if (conn == NULL) {
        return;
    }
    if (conn->on_close != NULL) {
        conn->on_close(conn);
    }
    aero_tls_free(conn->tls);
    if (conn->fd >= 0) {
        close(conn->fd);
    }
    aero_free(conn);
}

static aero_rc
finish_connect(aero_conn *conn, aero_status *st)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    if (error != 0) {
        return aero_conn_fail(st, "connect", error);
    }
    if (getpeername(conn->fd, (struct sockaddr *)&peer, &len) != 0) {
        if (errno != ENOTCONN) {
            return aero_conn_fail(st, "connect", errno);
        }
        conn->want = AERO_WANT_WRITE;
        return AERO_MORE;
    }
    conn->connected = true;
    return AERO_OK;
}

aero_rc
aero_conn_step_open(aero_conn *conn, aero_status *st)
{
    aero_rc rc = AERO_OK;

    if (!conn->connected) {
        rc = finish_connect(conn, st);
    }
    if (rc != AERO_OK) {
        return rc;
    }
    if (conn->tls != NULL) {
        return aero_tls_handshake(conn->tls, &conn->want, st);
    }
    set_blocking(conn->fd, true);
    return AERO_OK;
}

aero_rc
aero_conn_recv(aero_conn *conn, void *buf, size_t cap, size_t *got,
               aero_status *st)
{
    return conn->io->recv(conn, buf, cap, got, st);
}

aero_rc
aero_conn_send(aero_conn *conn, aero_span *left, aero_status *st)
{
    while (left->len != 0) {
        size_t sent = 0;
        aero_rc rc = conn->io->send(conn, left->ptr, left->len, &sent, st);

        if (rc != AERO_OK) {
            return rc;
        }
        *left = aero_span_skip(*left, sent);
    }
    return AERO_OK;
}

bool
aero_conn_is_silent(aero_conn *conn)
{
    char byte;
    ssize_t n;

    if (conn->tls != NULL && aero_tls_has_bytes(conn->tls)) {
        return false;
    }
    do {
        n = recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
        /* Under TLS 1.3 a server's session tickets may still wait: they are
         * read here, and silence is looked for again. */
        size_t got;
        uint8_t want;

        return n > 0 && conn->tls != NULL &&
               aero_tls_recv(conn->tls, &byte, 1, &got, &want, NULL) ==
                   AERO_MORE;
    }
    return true;
}

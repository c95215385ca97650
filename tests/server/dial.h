/* A client of the tests: a socket that waits, but never for ever.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_TESTS_SERVER_DIAL_H
#define AERO_TESTS_SERVER_DIAL_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "aero/server/server.h"
#include "aero/wire/frame.h"
#include "aero/wire/key.h"
#include "aero/wire/msg.h"
#include "text.h"

enum {
    DIAL_PATIENCE_S = 20
};

/* Gives a socket; -1 when the port does not answer. */
static inline int
dial(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct timeval patience = {.tv_sec = DIAL_PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;

    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline bool
dial_send(int fd, aero_span bytes)
{
    while (bytes.len != 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (n <= 0) {
            return false;
        }
        bytes = aero_span_skip(bytes, (size_t)n);
    }
    return true;
}

/* How many of `len` bytes came before the end. */
static inline size_t
dial_recv(int fd, void *to, size_t len)
{
    size_t have = 0;

    while (have < len) {
        ssize_t n = recv(fd, (uint8_t *)to + have, len - have, 0);

        if (n <= 0) {
            break;
        }
        have += (size_t)n;
    }
    return have;
}

/* Whether the other side has closed and sent nothing before. */
static inline bool
dial_is_closed(int fd)
{
    uint8_t byte;

    return dial_recv(fd, &byte, 1) == 0;
}

/* One frame's body; false when the connection ended. */
static inline bool
dial_frame(int fd, aero_buf *body)
{
    uint8_t head[AERO_FRAME_HEAD];
    aero_frame frame;

    aero_buf_reset(body, SIZE_MAX);
    if (dial_recv(fd, head, sizeof head) != sizeof head ||
        aero_frame_peek(aero_span_of(head, sizeof head), &frame, NULL) !=
            AERO_OK ||
        !aero_buf_reserve(body, frame.size)) {
        return false;
    }
    body->len = frame.size;
    return dial_recv(fd, body->ptr, frame.size) == frame.size;
}

/* ---- frames to send ---- */

/* A command on a number in set "s" of namespace test; a value is written to
 * bin "n", without one the record is read. */
static inline void
dial_put(aero_buf *out, int64_t number, uint8_t info1, uint8_t particle,
         aero_span value)
{
    aero_msg msg = {.info1 = info1};
    uint8_t wire[8];
    uint8_t digest[AERO_DIGEST_SIZE];
    size_t mark = aero_frame_open(out, AERO_FRAME_MESSAGE);
    size_t at;

    aero_set_u64(wire, (uint64_t)number);
    aero_digest(aero_span_str("s"), AERO_PARTICLE_INTEGER,
                aero_span_of(wire, 8), digest);
    msg.info2 = value.ptr != NULL ? AERO_INFO2_WRITE : 0;
    at = aero_msg_put(out, &msg);
    aero_field_put(out, AERO_FIELD_NAMESPACE, aero_span_str("test"));
    aero_field_put(out, AERO_FIELD_SET, aero_span_str("s"));
    aero_field_put(out, AERO_FIELD_DIGEST,
                   aero_span_of(digest, sizeof digest));
    if (value.ptr != NULL) {
        aero_op_put(out, AERO_OP_WRITE, particle, aero_span_str("n"), value);
    }
    aero_msg_patch_counts(out, at, 3, value.ptr != NULL);
    aero_frame_close(out, mark);
}

/* Write the number itself, or read. */
static inline void
dial_put_command(aero_buf *out, int64_t number, bool write)
{
    uint8_t wire[8];

    aero_set_u64(wire, (uint64_t)number);
    if (write) {
        dial_put(out, number, 0, AERO_PARTICLE_INTEGER, aero_span_of(wire, 8));
    }
    else {
        dial_put(out, number, AERO_INFO1_READ | AERO_INFO1_GET_ALL, 0,
                 aero_span_of(NULL, 0));
    }
}

static inline void
dial_put_info(aero_buf *out, const char *command)
{
    size_t mark = aero_frame_open(out, AERO_FRAME_INFO);

    aero_buf_printf(out, "%s\n", command);
    aero_frame_close(out, mark);
}

/* The result code of a get or put; -1 when the connection ended. */
static inline int
dial_command(int fd, int64_t number, bool write)
{
    aero_buf buf = {0};
    int code = -1;

    dial_put_command(&buf, number, write);
    if (dial_send(fd, aero_buf_span(&buf)) && dial_frame(fd, &buf) &&
        buf.len >= AERO_MSG_HEAD) {
        code = buf.ptr[5];
    }
    aero_buf_fini(&buf);
    return code;
}

/* The answer to an info command in `out` with a NUL; false at the end. */
static inline bool
dial_info(int fd, const char *command, aero_buf *out)
{
    aero_buf_reset(out, SIZE_MAX);
    dial_put_info(out, command);
    if (!dial_send(fd, aero_buf_span(out)) || !dial_frame(fd, out)) {
        return false;
    }
    aero_buf_put_u8(out, 0);
    return true;
}

#endif

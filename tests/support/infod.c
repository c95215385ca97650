/* One thread, poll() over the listener and all connections.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aero/base/b64.h"
#include "aero/net/addr.h"
#include "aero/wire/frame.h"
#include "aero/wire/info.h"
#include "infod.h"

enum {
    CONNS = 64,
    ANSWERS = 24,
    BODY = 4096
};

typedef struct answer {
    char command[64];
    char value[2048];
    unsigned asked;
} answer;

struct infod {
    pthread_t thread;
    pthread_mutex_t lock;
    uint16_t port;
    int halt[2];
    struct pollfd fds[CONNS + 2]; /* of the thread: halt, listener, others */
    nfds_t n_fds;
    answer answers[ANSWERS]; /* lock */
    unsigned n_answers;      /* lock */
    unsigned accepted;       /* lock */
    const void *raw;         /* lock */
    size_t raw_len;          /* lock */
    bool silent;             /* lock */
    uint8_t out[1 << 16];    /* lock; the answer that is made */
};

const char *
infod_all_partitions(unsigned regime)
{
    static _Thread_local char text[1024];
    uint8_t bits[AERO_BITMAP_SIZE];
    aero_buf out = AERO_BUF_INIT;

    memset(bits, 0xff, sizeof bits);
    aero_b64_put(&out, aero_span_of(bits, sizeof bits));
    snprintf(text, sizeof text, "test:%u,1,%.*s", regime, (int)out.len,
             (char *)out.ptr);
    aero_buf_fini(&out);
    return text;
}

static answer *
find(infod *node, aero_span command)
{
    for (unsigned i = 0; i < node->n_answers; i++) {
        if (aero_span_is(command, node->answers[i].command)) {
            return &node->answers[i];
        }
    }
    return NULL;
}

static bool
send_all(int fd, const void *bytes, size_t len)
{
    return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool
answer_body(infod *node, int fd, aero_span body)
{
    uint8_t *out = node->out;
    size_t len = AERO_FRAME_HEAD;
    aero_span command;
    bool fine;

    pthread_mutex_lock(&node->lock);
    while (aero_info_take_command(&body, &command)) {
        answer *known = find(node, command);

        len +=
            (size_t)snprintf((char *)out + len, sizeof node->out - len,
                             "%.*s\t%s\n", (int)command.len, command.ptr,
                             known != NULL ? known->value : "ERROR:4:unknown");
        if (known != NULL) {
            known->asked++;
        }
    }
    memset(out, 0, AERO_FRAME_HEAD);
    out[0] = AERO_FRAME_VERSION;
    out[1] = AERO_FRAME_INFO;
    aero_set_u32(out + 4, (uint32_t)(len - AERO_FRAME_HEAD));
    fine = node->silent ||
           (node->raw != NULL ? send_all(fd, node->raw, node->raw_len)
                              : send_all(fd, out, len));
    pthread_mutex_unlock(&node->lock);
    return fine;
}

/* One request; false when the connection is to be closed. */
static bool
serve(infod *node, int fd)
{
    uint8_t bytes[BODY];
    aero_frame frame;

    if (recv(fd, bytes, AERO_FRAME_HEAD, MSG_WAITALL) != AERO_FRAME_HEAD ||
        aero_frame_peek(aero_span_of(bytes, AERO_FRAME_HEAD), &frame, NULL) !=
            AERO_OK ||
        frame.size > sizeof bytes ||
        recv(fd, bytes, frame.size, MSG_WAITALL) != (ssize_t)frame.size) {
        return false;
    }
    return answer_body(node, fd, aero_span_of(bytes, frame.size));
}

static void
accept_one(infod *node)
{
    int fd = accept(node->fds[1].fd, NULL, NULL);

    if (fd < 0) {
        return;
    }
    if (node->n_fds == CONNS + 2) {
        close(fd);
        return;
    }
    pthread_mutex_lock(&node->lock);
    node->accepted++;
    pthread_mutex_unlock(&node->lock);
    node->fds[node->n_fds++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void *
run(void *arg)
{
    infod *node = arg;

    while (poll(node->fds, node->n_fds, -1) >= 0 &&
           node->fds[0].revents == 0) {
        for (nfds_t i = 2; i < node->n_fds; i++) {
            if (node->fds[i].revents != 0 && !serve(node, node->fds[i].fd)) {
                close(node->fds[i].fd);
                node->fds[i--] = node->fds[--node->n_fds];
            }
        }
        if (node->fds[1].revents != 0) {
            accept_one(node);
        }
    }
    return NULL;
}

static int
listen_on(const char *host, uint16_t port, uint16_t *got)
{
    aero_addr addr;
    socklen_t len = sizeof addr.sa;
    int one = 1;
    int fd;

    if (!aero_addr_parse(aero_span_str(host), port, &addr)) {
        return -1;
    }
    fd = socket(addr.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr.sa, addr.len) != 0 ||
        listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr.sa, &len) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    *got = aero_addr_port(&addr);
    return fd;
}

infod *
infod_start(const char *host, uint16_t port, const char *name)
{
    infod *node = calloc(1, sizeof *node);
    int fd = node == NULL ? -1 : listen_on(host, port, &node->port);

    if (fd < 0 || pipe(node->halt) != 0) {
        free(node);
        return NULL;
    }
    pthread_mutex_init(&node->lock, NULL);
    node->fds[0] = (struct pollfd){.fd = node->halt[0], .events = POLLIN};
    node->fds[1] = (struct pollfd){.fd = fd, .events = POLLIN};
    node->n_fds = 2;
    infod_say(node, "node", "%s", name);
    infod_say(node, "build", "8.1.2.0");
    infod_say(node, "cluster-name", "infod");
    infod_say(node, "partition-generation", "1");
    infod_say(node, "peers-generation", "1");
    infod_say(node, "rebalance-generation", "1");
    infod_say(node, "service-clear-std", "%s:%u", host, node->port);
    infod_say(node, "peers-clear-std", "1,3000,[]");
    infod_say(node, "replicas:max=3", "%s", infod_all_partitions(0));
    if (pthread_create(&node->thread, NULL, run, node) != 0) {
        abort();
    }
    return node;
}

void
infod_stop(infod *node)
{
    if (node == NULL) {
        return;
    }
    if (write(node->halt[1], "", 1) != 1) {
        abort();
    }
    pthread_join(node->thread, NULL);
    for (nfds_t i = 0; i < node->n_fds; i++) {
        close(node->fds[i].fd);
    }
    close(node->halt[1]);
    pthread_mutex_destroy(&node->lock);
    free(node);
}

uint16_t
infod_port(const infod *node)
{
    return node->port;
}

void
infod_say(infod *node, const char *command, const char *fmt, ...)
{
    answer *known;
    va_list args;

    pthread_mutex_lock(&node->lock);
    known = find(node, aero_span_str(command));
    if (known == NULL) {
        if (node->n_answers == ANSWERS) {
            abort();
        }
        known = &node->answers[node->n_answers++];
        snprintf(known->command, sizeof known->command, "%s", command);
    }
    va_start(args, fmt);
    vsnprintf(known->value, sizeof known->value, fmt, args);
    va_end(args);
    pthread_mutex_unlock(&node->lock);
}

void
infod_say_raw(infod *node, const void *bytes, size_t len)
{
    pthread_mutex_lock(&node->lock);
    node->raw = bytes;
    node->raw_len = len;
    pthread_mutex_unlock(&node->lock);
}

void
infod_be_silent(infod *node, bool silent)
{
    pthread_mutex_lock(&node->lock);
    node->silent = silent;
    pthread_mutex_unlock(&node->lock);
}

unsigned
infod_connections(infod *node)
{
    unsigned n;

    pthread_mutex_lock(&node->lock);
    n = node->accepted;
    pthread_mutex_unlock(&node->lock);
    return n;
}

unsigned
infod_asked(infod *node, const char *command)
{
    const answer *known;
    unsigned n;

    pthread_mutex_lock(&node->lock);
    known = find(node, aero_span_str(command));
    n = known == NULL ? 0 : known->asked;
    pthread_mutex_unlock(&node->lock);
    return n;
}

/* The floor's ways to work, each printed as one line of JSON:
 *
 *   floor get|put|load|threads|epoll|batch_read|batch_write|query
 *         HOST PORT NAMESPACE SET RECORDS SECONDS SIZE
 *   floor echo
 *
 * SIZE is the number of threads, sockets or rows.  `load` writes all records
 * once.  `echo` prints a port and sends back what comes there until its
 * standard input ends.  One node is talked to; keys are known beforehand.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "aero/base/clock.h"
#include "aero/wire/frame.h"
#include "floor.h"

enum {
    LAPS_MAX = 1 << 22,
    REPLY_MAX = 4 << 20,
    RESULT_AT = AERO_FRAME_HEAD + 5,
    SOCKETS_MAX = 1024
};

typedef struct run {
    const char *host;
    const char *port;
    floor_data data;
    uint64_t seconds_ns;
    size_t size;
    uint32_t *laps; /* owned; nanoseconds of each request */
    size_t n_laps;
    size_t done; /* operations or records */
    bool put;
} run;

void
floor_die(const char *what)
{
    fprintf(stderr, "floor: %s%s%s\n", what, errno != 0 ? ": " : "",
            errno != 0 ? strerror(errno) : "");
    exit(1);
}

static int
dial(const run *r)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int one = 1;
    int fd;

    if (getaddrinfo(r->host, r->port, &hints, &found) != 0) {
        floor_die("no such host");
    }
    fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        floor_die("connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    freeaddrinfo(found);
    return fd;
}

static void
send_all(int fd, const aero_buf *out)
{
    size_t at = 0;

    while (at < out->len) {
        ssize_t n = send(fd, out->ptr + at, out->len - at, MSG_NOSIGNAL);

        if (n <= 0) {
            floor_die("send");
        }
        at += (size_t)n;
    }
}

static void
make_request(const run *r, aero_buf *out, size_t key)
{
    out->len = 0;
    if (r->put) {
        floor_put_write(out, &r->data, key);
    }
    else {
        floor_put_get(out, &r->data, key);
    }
}

static void
add_lap(run *r, uint64_t ns)
{
    if (r->n_laps < LAPS_MAX) {
        r->laps[r->n_laps++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
    }
}

/* Receive until the small reply is whole; true when it has come. */
static bool
take_small(int fd, uint8_t *in, size_t *have, int flags)
{
    ssize_t n = recv(fd, in + *have, 4096 - *have, flags);
    size_t whole;

    if (n <= 0) {
        floor_die("receive");
    }
    *have += (size_t)n;
    whole = floor_frame_size(aero_span_of(in, *have));
    if (whole == 0 || whole > *have) {
        return false;
    }
    if (in[RESULT_AT] != 0) {
        floor_die("the server refused an operation; were records loaded?");
    }
    return true;
}

/* ---- one request after the other ---- */

static void
serve_one(const run *r, int fd, aero_buf *out, size_t key)
{
    uint8_t in[4096];
    size_t have = 0;

    make_request(r, out, key);
    send_all(fd, out);
    while (!take_small(fd, in, &have, 0)) {
    }
}

static void
run_serial(run *r)
{
    uint64_t last = aero_clock_now();
    uint64_t end = last + r->seconds_ns;
    aero_buf out = AERO_BUF_INIT;
    int fd = dial(r);

    for (size_t key = 0; last < end; key = (key + 7919) % r->data.count) {
        uint64_t now;

        serve_one(r, fd, &out, key);
        now = aero_clock_now();
        add_lap(r, now - last);
        last = now;
        r->done++;
    }
    close(fd);
    aero_buf_fini(&out);
}

static void *
run_thread(void *arg)
{
    run_serial(arg);
    return NULL;
}

static void
run_threads(run *r)
{
    run *each = aero_alloc_array(r->size, sizeof *each);
    pthread_t *threads = aero_alloc_array(r->size, sizeof *threads);

    for (size_t i = 0; i < r->size; i++) {
        each[i] = *r;
        each[i].laps = aero_alloc_array(LAPS_MAX, sizeof *r->laps);
        pthread_create(&threads[i], NULL, run_thread, &each[i]);
    }
    for (size_t i = 0; i < r->size; i++) {
        pthread_join(threads[i], NULL);
        r->done += each[i].done;
        for (size_t lap = 0; lap < each[i].n_laps; lap++) {
            add_lap(r, each[i].laps[lap]);
        }
        aero_free(each[i].laps);
    }
    aero_free(each);
    aero_free(threads);
}

static void
run_load(run *r)
{
    aero_buf out = AERO_BUF_INIT;
    int fd = dial(r);

    r->put = true;
    for (size_t key = 0; key < r->data.count; key++) {
        serve_one(r, fd, &out, key);
    }
    r->done = r->data.count;
    close(fd);
    aero_buf_fini(&out);
}

/* ---- many sockets, one thread ---- */

typedef struct line {
    int fd;
    uint64_t sent_at;
    size_t have;
    uint8_t in[4096];
} line;

static void
ask(const run *r, line *l, aero_buf *out, size_t key)
{
    make_request(r, out, key);
    l->have = 0;
    l->sent_at = aero_clock_now();
    send_all(l->fd, out);
}

static void
run_epoll(run *r)
{
    uint64_t end = aero_clock_now() + r->seconds_ns;
    line *lines = aero_zalloc(r->size * sizeof *lines);
    struct epoll_event ready[64];
    aero_buf out = AERO_BUF_INIT;
    int set = epoll_create1(0);
    size_t key = 0;

    for (size_t i = 0; i < r->size; i++) {
        struct epoll_event want = {.events = EPOLLIN, .data.ptr = &lines[i]};

        lines[i].fd = dial(r);
        epoll_ctl(set, EPOLL_CTL_ADD, lines[i].fd, &want);
        ask(r, &lines[i], &out, i % r->data.count);
    }
    while (aero_clock_now() < end) {
        int n = epoll_wait(set, ready, 64, 1000);

        for (int i = 0; i < n; i++) {
            line *l = ready[i].data.ptr;

            if (take_small(l->fd, l->in, &l->have, MSG_DONTWAIT)) {
                add_lap(r, aero_clock_now() - l->sent_at);
                r->done++;
                key = (key + 7919) % r->data.count;
                ask(r, l, &out, key);
            }
        }
    }
    for (size_t i = 0; i < r->size; i++) {
        close(lines[i].fd);
    }
    close(set);
    aero_free(lines);
    aero_buf_fini(&out);
}

/* ---- many records at once ---- */

/* Read frames until the last one, counting records. */
static void
read_stream(run *r, int fd, uint8_t *in)
{
    size_t have = 0;
    bool last = false;

    while (!last) {
        aero_span left;
        size_t whole;
        ssize_t n = recv(fd, in + have, REPLY_MAX - have, 0);

        if (n <= 0) {
            floor_die("receive");
        }
        have += (size_t)n;
        left = aero_span_of(in, have);
        while ((whole = floor_frame_size(left)) != 0 && whole <= left.len) {
            last = floor_count(aero_span_of(left.ptr + AERO_FRAME_HEAD,
                                            whole - AERO_FRAME_HEAD),
                               &r->done);
            left = aero_span_skip(left, whole);
        }
        memmove(in, left.ptr, left.len);
        have = left.len;
    }
}

typedef void (*stream_request)(aero_buf *out, const floor_data *data,
                               size_t first, size_t rows);

static void
put_query(aero_buf *out, const floor_data *data, size_t first, size_t rows)
{
    (void)first;
    (void)rows;
    floor_put_query(out, data);
}

static void
run_stream(run *r, stream_request put_request)
{
    uint64_t last = aero_clock_now();
    uint64_t end = last + r->seconds_ns;
    uint8_t *in = aero_alloc(REPLY_MAX);
    aero_buf out = AERO_BUF_INIT;
    int fd = dial(r);
    size_t first = 0;

    while (last < end) {
        uint64_t now;

        out.len = 0;
        put_request(&out, &r->data, first, r->size);
        send_all(fd, &out);
        read_stream(r, fd, in);
        first = (first + r->size) % r->data.count;
        now = aero_clock_now();
        add_lap(r, now - last);
        last = now;
    }
    close(fd);
    aero_free(in);
    aero_buf_fini(&out);
}

/* ---- an echo ---- */

static void
serve_echo(int fd)
{
    uint8_t bytes[4096];
    int one = 1;
    ssize_t n;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        if (send(fd, bytes, (size_t)n, MSG_NOSIGNAL) != n) {
            break;
        }
    }
    close(fd);
}

static void *
echo_thread(void *arg)
{
    serve_echo((int)(intptr_t)arg);
    return NULL;
}

static int
run_echo(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd wait[2] = {{listener, POLLIN, 0}, {0, POLLIN, 0}};

    if (bind(listener, (struct sockaddr *)&addr, len) != 0 ||
        listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&addr, &len) != 0) {
        floor_die("listen");
    }
    printf("%d\n", ntohs(addr.sin_port));
    fflush(stdout);
    while (poll(wait, 2, -1) > 0 && wait[1].revents == 0) {
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0 && pthread_create(&thread, NULL, echo_thread,
                                      (void *)(intptr_t)fd) == 0) {
            pthread_detach(thread);
        }
    }
    return 0;
}

/* ---- the result ---- */

static int
by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double
seconds_of(struct timeval tv)
{
    return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static double
lap_at(const run *r, double share)
{
    return r->n_laps == 0
               ? 0
               : r->laps[(size_t)(share * (double)(r->n_laps - 1))] / 1e3;
}

static void
print_result(run *r, uint64_t wall, const struct rusage *before)
{
    struct rusage after;

    getrusage(RUSAGE_SELF, &after);
    qsort(r->laps, r->n_laps, sizeof *r->laps, by_size);
    printf("{\"ops\": %zu, \"errors\": 0, \"wall\": %.6f, \"user\": %.6f, "
           "\"system\": %.6f, \"p50\": %.3f, \"p99\": %.3f, \"p999\": %.3f}\n",
           r->done, (double)wall / 1e9,
           seconds_of(after.ru_utime) - seconds_of(before->ru_utime),
           seconds_of(after.ru_stime) - seconds_of(before->ru_stime),
           lap_at(r, 0.5), lap_at(r, 0.99), lap_at(r, 0.999));
}

static void
run_way(run *r, const char *way)
{
    r->put = strcmp(way, "put") == 0 || strcmp(way, "put_threads") == 0;
    if (strcmp(way, "get") == 0 || strcmp(way, "put") == 0) {
        run_serial(r);
    }
    else if (strcmp(way, "threads") == 0 || strcmp(way, "put_threads") == 0) {
        run_threads(r);
    }
    else if (strcmp(way, "epoll") == 0) {
        run_epoll(r);
    }
    else if (strcmp(way, "load") == 0) {
        run_load(r);
    }
    else if (strcmp(way, "batch_read") == 0) {
        run_stream(r, floor_put_batch_read);
    }
    else if (strcmp(way, "batch_write") == 0) {
        run_stream(r, floor_put_batch_write);
    }
    else if (strcmp(way, "query") == 0) {
        run_stream(r, put_query);
    }
    else {
        floor_die("unknown way to work");
    }
}

int
main(int argc, char **argv)
{
    run r = {0};
    struct rusage before;
    uint64_t began;

    if (argc == 2 && strcmp(argv[1], "echo") == 0) {
        return run_echo();
    }
    if (argc != 9) {
        floor_die("takes WAY HOST PORT NAMESPACE SET RECORDS SECONDS SIZE");
    }
    r.host = argv[2];
    r.port = argv[3];
    r.seconds_ns = (uint64_t)(strtod(argv[7], NULL) * 1e9);
    r.size = strtoul(argv[8], NULL, 10);
    if (r.size == 0 ||
        (strcmp(argv[1], "epoll") == 0 && r.size > SOCKETS_MAX)) {
        floor_die("SIZE is out of range");
    }
    r.laps = aero_alloc_array(LAPS_MAX, sizeof *r.laps);
    floor_data_init(&r.data, argv[4], argv[5], strtoul(argv[6], NULL, 10));
    srandom((unsigned)getpid());
    getrusage(RUSAGE_SELF, &before);
    began = aero_clock_now();
    run_way(&r, argv[1]);
    print_result(&r, aero_clock_now() - began, &before);
    floor_data_fini(&r.data);
    aero_free(r.laps);
    return 0;
}

/* Names to addresses.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "aero/wire/codes.h"
#include "internal.h"

/* Held by the one who asks and by the thread; the last lets go. */
typedef struct lookup {
    pthread_mutex_t lock;
    int refs;               /* lock */
    bool done;              /* lock */
    int error;              /* lock; of getaddrinfo */
    struct addrinfo *found; /* lock; owned */
    int pipe[2];            /* owned */
    char host[AERO_HOST_MAX];
    char port[8];
} lookup;

bool
aero_pipe(int fds[2])
{
    if (pipe(fds) != 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

static void
let_go(lookup *look)
{
    bool last;

    pthread_mutex_lock(&look->lock);
    last = --look->refs == 0;
    pthread_mutex_unlock(&look->lock);
    if (!last) {
        return;
    }
    if (look->found != NULL) {
        freeaddrinfo(look->found);
    }
    close(look->pipe[0]);
    close(look->pipe[1]);
    pthread_mutex_destroy(&look->lock);
    aero_free(look);
}

static void *
run(void *arg)
{
    lookup *look = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(look->host, look->port, &hints, &found);
    ssize_t n;

    pthread_mutex_lock(&look->lock);
    look->error = error;
    look->found = found;
    look->done = true;
    pthread_mutex_unlock(&look->lock);
    n = write(look->pipe[1], "", 1);
    (void)n; /* a full pipe is readable as well */
    let_go(look);
    return NULL;
}

static bool
launch(lookup *look)
{
    pthread_attr_t attr;
    pthread_t thread;
    bool fine;

    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    fine = pthread_create(&thread, &attr, run, look) == 0;
    pthread_attr_destroy(&attr);
    return fine;
}

static void *
start(const char *host, uint16_t port, int *fd)
{
    lookup *look = aero_zalloc(sizeof *look);

    if (look == NULL || !aero_pipe(look->pipe)) {
        aero_free(look);
        return NULL;
    }
    pthread_mutex_init(&look->lock, NULL);
    snprintf(look->host, sizeof look->host, "%s", host);
    snprintf(look->port, sizeof look->port, "%u", port);
    look->refs = 2;
    *fd = look->pipe[0];
    if (!launch(look)) {
        look->refs = 1;
        let_go(look);
        return NULL;
    }
    return look;
}

static size_t
copy_addrs(const struct addrinfo *found, aero_addr *out, size_t max)
{
    size_t n = 0;

    for (; found != NULL && n < max; found = found->ai_next) {
        if (found->ai_family == AF_INET || found->ai_family == AF_INET6) {
            aero_addr_set(&out[n++], found->ai_addr, found->ai_addrlen);
        }
    }
    return n;
}

static aero_rc
poll_lookup(void *handle, aero_addr *out, size_t max, size_t *count,
            aero_status *st)
{
    lookup *look = handle;
    aero_rc rc = AERO_MORE;

    *count = 0;
    pthread_mutex_lock(&look->lock);
    if (look->done && look->error == 0) {
        *count = copy_addrs(look->found, out, max);
        rc = AERO_OK;
    }
    else if (look->done) {
        rc = aero_fail(st, AERO_ERR_INVALID_HOST, "cannot resolve: %s",
                       gai_strerror(look->error));
    }
    pthread_mutex_unlock(&look->lock);
    return rc;
}

static void
drop(void *handle)
{
    let_go(handle);
}

const aero_resolver aero_thread_resolver = {start, poll_lookup, drop};

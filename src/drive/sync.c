/* The synchronous driver.
 *
 * With a single job the first read of a clear connection waits inside recv:
 * a command that goes well is then two system calls.  Everything else is
 * poll() over all jobs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "aero/base/alloc.h"
#include "aero/drive/sync.h"
#include "aero/wire/codes.h"

/* ---- reading that waits ---- */

typedef struct sync_io {
    aero_conn_io io; /* first: conn->io is this */
    const aero_wait *wait;
} sync_io;

static void
set_timeout(aero_conn *conn, uint32_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000,
                         .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    if (conn->timeout_ms != ms) {
        setsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        conn->timeout_ms = ms;
    }
}

static bool
is_interrupted(const aero_wait *wait)
{
    return wait != NULL && wait->interrupted != NULL &&
           wait->interrupted(wait->ctx);
}

static aero_rc
patient_recv(aero_conn *conn, void *buf, size_t cap, size_t *got,
             aero_status *st)
{
    const sync_io *self = (const sync_io *)conn->io;
    ssize_t n;

    if (conn->patience_ms == 0) {
        return aero_conn_plain.recv(conn, buf, cap, got, st);
    }
    set_timeout(conn, conn->patience_ms);
    conn->patience_ms = 0; /* later reads are polled for */
    n = recv(conn->fd, buf, cap, 0);
    if (n > 0) {
        *got = (size_t)n;
        return AERO_OK;
    }
    if (n == 0) {
        return aero_fail(st, AERO_ERR_CONNECTION,
                         "the peer closed the connection");
    }
    if (errno == EINTR && is_interrupted(self->wait)) {
        return aero_fail(st, AERO_ERR_CLIENT_ABORT, "interrupted");
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        return aero_conn_fail(st, "receive", errno);
    }
    conn->want = AERO_WANT_READ;
    return AERO_MORE;
}

/* ---- one job ---- */

static short
poll_events(uint8_t want)
{
    return (short)((want & AERO_WANT_READ ? POLLIN : 0) |
                   (want & AERO_WANT_WRITE ? POLLOUT : 0));
}

/* Wait for any of `fds`.  False: ended from outside. */
static bool
wait_for(struct pollfd *fds, nfds_t count, uint64_t by, const aero_wait *wait)
{
    for (;;) {
        int n = poll(fds, count, aero_clock_poll_ms(aero_clock_now(), by));

        if (n >= 0 || errno != EINTR) {
            return true;
        }
        if (is_interrupted(wait)) {
            return false;
        }
    }
}

aero_rc
aero_sync_job(aero_job *job, const aero_wait *wait)
{
    sync_io io = {.io = {patient_recv, aero_conn_plain.send}, .wait = wait};

    job->io = wait == NULL || wait->wake_fd < 0 ? &io.io : NULL;
    for (;;) {
        struct pollfd fds[2];
        nfds_t count = 0;
        aero_rc rc = job->step(job);

        if (rc != AERO_MORE) {
            return rc;
        }
        if (job->fd >= 0 && job->want != 0) {
            fds[count].fd = job->fd;
            fds[count++].events = poll_events(job->want);
        }
        if (wait != NULL && wait->wake_fd >= 0) {
            fds[count].fd = wait->wake_fd;
            fds[count].revents = 0;
            fds[count++].events = POLLIN;
        }
        if (!wait_for(fds, count, job->by, wait)) {
            return AERO_MORE;
        }
        if (wait != NULL && wait->wake_fd >= 0 &&
            (fds[count - 1].revents & POLLIN) != 0) {
            return AERO_MORE;
        }
    }
}

/* ---- many jobs ---- */

enum {
    FEW = 32 /* jobs whose lists fit on the stack */
};

typedef struct round_lists {
    struct pollfd few_fds[FEW + 1];
    aero_rc few_rcs[FEW];
    struct pollfd *fds;
    aero_rc *rcs;
} round_lists;

static void
lists_fini(round_lists *lists, size_t count)
{
    if (count > FEW) {
        aero_free(lists->fds);
        aero_free(lists->rcs);
    }
}

static bool
lists_init(round_lists *lists, size_t count)
{
    lists->fds = lists->few_fds;
    lists->rcs = lists->few_rcs;
    if (count > FEW) {
        lists->fds = aero_alloc_array(count + 1, sizeof *lists->fds);
        lists->rcs = aero_alloc_array(count, sizeof *lists->rcs);
    }
    if (lists->fds == NULL || lists->rcs == NULL) {
        lists_fini(lists, count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        lists->rcs[i] = AERO_MORE;
    }
    return true;
}

static uint64_t
fill_fds(aero_job **jobs, const aero_rc *rcs, size_t count, struct pollfd *fds)
{
    uint64_t by = AERO_NEVER;

    for (size_t i = 0; i < count; i++) {
        bool waits =
            rcs[i] == AERO_MORE && jobs[i]->fd >= 0 && jobs[i]->want != 0;

        fds[i].fd = waits ? jobs[i]->fd : -1;
        fds[i].events = waits ? poll_events(jobs[i]->want) : 0;
        fds[i].revents = 0;
        if (rcs[i] == AERO_MORE && jobs[i]->by < by) {
            by = jobs[i]->by;
        }
    }
    return by;
}

/* Step those that are ready or late; true when one has ended. */
static bool
step_ready(aero_job **jobs, aero_rc *rcs, size_t count,
           const struct pollfd *fds)
{
    uint64_t now = aero_clock_now();
    bool ended = false;

    for (size_t i = 0; i < count; i++) {
        if (rcs[i] == AERO_MORE &&
            (fds == NULL || fds[i].revents != 0 || now >= jobs[i]->by)) {
            rcs[i] = jobs[i]->step(jobs[i]);
            ended |= rcs[i] != AERO_MORE;
        }
    }
    return ended;
}

/* One wait over all jobs.  False: ended from outside. */
static bool
wait_round(aero_job **jobs, const aero_rc *rcs, size_t count,
           struct pollfd *fds, uint64_t limit, const aero_wait *wait)
{
    uint64_t by = fill_fds(jobs, rcs, count, fds);
    nfds_t n = count;

    if (limit < by) {
        by = limit;
    }
    if (wait != NULL && wait->wake_fd >= 0) {
        fds[n].fd = wait->wake_fd;
        fds[n].events = POLLIN;
        fds[n++].revents = 0;
    }
    if (!wait_for(fds, n, by, wait)) {
        return false;
    }
    return n == count || (fds[count].revents & POLLIN) == 0;
}

static bool
all_ended(const aero_rc *rcs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rcs[i] == AERO_MORE) {
            return false;
        }
    }
    return true;
}

/* Tell the task of those that ended just now; true when that is enough. */
static bool
is_enough(aero_task *task, const aero_rc *rcs, bool *told, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rcs[i] != AERO_MORE && !told[i]) {
            told[i] = true;
            if (task->enough(task, task->jobs[i])) {
                return true;
            }
        }
    }
    return false;
}

static aero_rc
run_round(aero_task *task, const aero_wait *wait)
{
    size_t count = task->n_jobs;
    round_lists lists;
    bool few_told[FEW] = {false};
    bool *told = few_told;
    aero_rc rc = AERO_OK;

    if (!lists_init(&lists, count)) {
        return AERO_ERROR;
    }
    if (count > FEW && (told = aero_zalloc(count)) == NULL) {
        lists_fini(&lists, count);
        return AERO_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        task->jobs[i]->io = NULL;
    }
    step_ready(task->jobs, lists.rcs, count, NULL);
    while (!all_ended(lists.rcs, count)) {
        if (task->enough != NULL && is_enough(task, lists.rcs, told, count)) {
            break;
        }
        if (!wait_round(task->jobs, lists.rcs, count, lists.fds, AERO_NEVER,
                        wait)) {
            rc = AERO_MORE;
            break;
        }
        step_ready(task->jobs, lists.rcs, count, lists.fds);
    }
    lists_fini(&lists, count);
    if (count > FEW) {
        aero_free(told);
    }
    return rc;
}

aero_rc
aero_sync_task(aero_task *task, const aero_wait *wait)
{
    for (;;) {
        aero_rc rc = task->next(task);

        if (rc != AERO_MORE) {
            return rc;
        }
        if (task->n_jobs == 1) {
            if (aero_sync_job(task->jobs[0], wait) == AERO_MORE) {
                return AERO_MORE;
            }
        }
        else {
            rc = run_round(task, wait);
            if (rc != AERO_OK) {
                return rc;
            }
        }
    }
}

void
aero_sync_some(aero_job **jobs, aero_rc *rcs, size_t count, uint64_t by,
               const aero_wait *wait)
{
    round_lists lists;

    if (!lists_init(&lists, count)) {
        return;
    }
    if (!step_ready(jobs, rcs, count, NULL)) {
        while (wait_round(jobs, rcs, count, lists.fds, by, wait) &&
               !step_ready(jobs, rcs, count, lists.fds) &&
               aero_clock_now() < by) {
        }
    }
    lists_fini(&lists, count);
}

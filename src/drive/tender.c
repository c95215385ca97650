/* The tender's thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "aero/cluster/drain.h"
#include "aero/drive/tender.h"
#include "internal.h"

enum {
    DRAINS_MAX = 1024 /* read out side by side */
};

typedef struct aero_tender {
    aero_cluster *cluster; /* counted */
    aero_tend *tend;       /* owned; of the thread */
    pthread_t thread;
    int wake[2]; /* owned; a late reply was handed over, or the end has come */
    int halt[2]; /* owned; the end has come */
    int news[2]; /* owned; the first tend is over */
    pthread_mutex_t lock;
    bool stop;                      /* lock */
    bool first_done;                /* lock */
    aero_rc first_rc;               /* lock */
    aero_status first_st;           /* lock */
    aero_drain *drains[DRAINS_MAX]; /* owned; of the thread */
    size_t n_drains;
} aero_tender;

static void
ring(int fd)
{
    ssize_t n = write(fd, "", 1);

    (void)n; /* full: it rings already */
}

static void
hush(int fd)
{
    char bytes[64];

    while (read(fd, bytes, sizeof bytes) > 0) {
    }
}

static bool
should_stop(aero_tender *tender)
{
    bool stop;

    pthread_mutex_lock(&tender->lock);
    stop = tender->stop;
    pthread_mutex_unlock(&tender->lock);
    return stop;
}

/* ---- late replies ---- */

static void
collect_drains(aero_tender *tender)
{
    aero_drain *list = aero_drain_collect(tender->cluster);

    while (list != NULL) {
        aero_drain *next = list->next;

        list->next = NULL;
        if (tender->n_drains < DRAINS_MAX) {
            tender->drains[tender->n_drains++] = list;
        }
        else {
            aero_drain_finish(list, AERO_ERROR);
        }
        list = next;
    }
}

static void
end_drains(aero_tender *tender, const aero_rc *rcs)
{
    size_t kept = 0;

    for (size_t i = 0; i < tender->n_drains; i++) {
        if (rcs[i] == AERO_MORE) {
            tender->drains[kept++] = tender->drains[i];
        }
        else {
            aero_drain_finish(tender->drains[i], rcs[i]);
        }
    }
    tender->n_drains = kept;
}

/* Until the next tend there is only this to do. */
static void
drain_until(aero_tender *tender, uint64_t by)
{
    aero_wait wait = {.wake_fd = tender->wake[0]};
    aero_job *jobs[DRAINS_MAX];
    aero_rc rcs[DRAINS_MAX];

    do {
        hush(tender->wake[0]);
        collect_drains(tender);
        for (size_t i = 0; i < tender->n_drains; i++) {
            jobs[i] = &tender->drains[i]->job;
            rcs[i] = AERO_MORE;
        }
        aero_sync_some(jobs, rcs, tender->n_drains, by, &wait);
        end_drains(tender, rcs);
    } while (aero_clock_now() < by && !should_stop(tender));
}

/* ---- tending ---- */

static void
say_first(aero_tender *tender)
{
    aero_rc rc;

    pthread_mutex_lock(&tender->lock);
    aero_status_clear(&tender->first_st);
    rc = aero_tend_result(tender->tend, &tender->first_st);
    tender->first_rc = rc;
    tender->first_done = true;
    pthread_mutex_unlock(&tender->lock);
    ring(tender->news[1]);
}

static void
tend_once(aero_tender *tender)
{
    const aero_cluster_config *config = &tender->cluster->config;
    aero_wait wait = {.wake_fd = tender->halt[0]};
    uint64_t by =
        aero_clock_after(aero_clock_now(), config->connect_timeout_ms);

    aero_sync_task(aero_tend_begin(tender->tend, by), &wait);
}

static void *
run(void *arg)
{
    aero_tender *tender = arg;
    uint32_t interval = tender->cluster->config.tend_interval_ms;

    while (!should_stop(tender)) {
        uint64_t next = aero_clock_after(aero_clock_now(), interval);

        tend_once(tender);
        if (!tender->first_done) {
            say_first(tender);
        }
        if (!should_stop(tender)) {
            drain_until(tender, next);
        }
    }
    return NULL;
}

static void
wake(aero_cluster *cluster)
{
    ring(cluster->tender->wake[1]);
}

/* ---- beginning and end ---- */

static void
close_both(const int fds[2])
{
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

static void
free_tender(aero_tender *tender)
{
    if (tender == NULL) {
        return;
    }
    for (size_t i = 0; i < tender->n_drains; i++) {
        aero_drain_finish(tender->drains[i], AERO_ERROR);
    }
    aero_tend_free(tender->tend);
    close_both(tender->wake);
    close_both(tender->halt);
    close_both(tender->news);
    pthread_mutex_destroy(&tender->lock);
    aero_cluster_release(tender->cluster);
    aero_free(tender);
}

static aero_tender *
new_tender(aero_cluster *cluster)
{
    aero_tender *tender = aero_zalloc(sizeof *tender);

    if (tender == NULL) {
        return NULL;
    }
    tender->cluster = aero_cluster_acquire(cluster);
    tender->wake[0] = tender->wake[1] = -1;
    tender->halt[0] = tender->halt[1] = -1;
    tender->news[0] = tender->news[1] = -1;
    pthread_mutex_init(&tender->lock, NULL);
    tender->tend = aero_tend_new(cluster, &aero_thread_resolver);
    if (tender->tend == NULL || !aero_pipe(tender->wake) ||
        !aero_pipe(tender->halt) || !aero_pipe(tender->news)) {
        free_tender(tender);
        return NULL;
    }
    return tender;
}

/* Signals are for the threads that know what to do with them. */
static bool
launch(aero_tender *tender)
{
    sigset_t all;
    sigset_t before;
    bool fine;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    fine = pthread_create(&tender->thread, NULL, run, tender) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return fine;
}

aero_rc
aero_tender_begin(aero_cluster *cluster, aero_status *st)
{
    aero_tender *tender = new_tender(cluster);

    if (tender == NULL) {
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for the tender");
    }
    cluster->tender = tender;
    cluster->wake = wake;
    if (!launch(tender)) {
        cluster->tender = NULL;
        cluster->wake = NULL;
        free_tender(tender);
        return aero_fail(st, AERO_ERR_CLIENT, "cannot start a thread");
    }
    return AERO_OK;
}

aero_rc
aero_tender_poll(aero_cluster *cluster, aero_status *st)
{
    aero_tender *tender = cluster->tender;
    aero_rc rc = AERO_MORE;

    pthread_mutex_lock(&tender->lock);
    if (tender->first_done) {
        rc = tender->first_rc;
        if (rc == AERO_ERROR && !cluster->config.fail_if_not_connected) {
            rc = AERO_OK;
        }
        if (rc == AERO_ERROR) {
            *st = tender->first_st;
        }
    }
    pthread_mutex_unlock(&tender->lock);
    return rc;
}

int
aero_tender_fd(const aero_cluster *cluster)
{
    return cluster->tender->news[0];
}

/* Waiting for the first tend is a job like any other. */
typedef struct first_tend {
    aero_job job;
    aero_cluster *cluster;
    aero_status *st;
} first_tend;

static aero_rc
step_first(aero_job *job)
{
    first_tend *first = (first_tend *)job;
    aero_rc rc = aero_tender_poll(first->cluster, first->st);

    if (rc == AERO_MORE && aero_clock_now() >= job->by) {
        return aero_fail(first->st, AERO_ERR_CONNECTION,
                         "Failed to connect: no answer in time");
    }
    return rc;
}

aero_rc
aero_tender_start(aero_cluster *cluster, const aero_wait *wait,
                  aero_status *st)
{
    first_tend first = {.cluster = cluster, .st = st};
    aero_rc rc = aero_tender_begin(cluster, st);

    if (rc != AERO_OK) {
        return rc;
    }
    first.job.step = step_first;
    first.job.fd = aero_tender_fd(cluster);
    first.job.want = AERO_WANT_READ;
    /* The tend ends by itself; the margin is for a thread that is late. */
    first.job.by = aero_clock_after(
        aero_clock_now(), 2 * cluster->config.connect_timeout_ms + 100);
    rc = aero_sync_job(&first.job, wait);
    if (rc == AERO_MORE) {
        rc = aero_fail(st, AERO_ERR_CLIENT_ABORT, "interrupted");
    }
    if (rc == AERO_ERROR) {
        aero_tender_stop(cluster);
    }
    return rc;
}

static void
close_pools(aero_cluster *cluster, void (*how)(aero_pool *pool))
{
    aero_map *map = aero_cluster_map(cluster);

    for (size_t i = 0; map != NULL && i < map->n_nodes; i++) {
        how(map->nodes[i]->pool);
    }
    aero_map_release(map);
}

void
aero_tender_stop(aero_cluster *cluster)
{
    aero_tender *tender = cluster->tender;

    if (tender == NULL) {
        return;
    }
    pthread_mutex_lock(&tender->lock);
    tender->stop = true;
    pthread_mutex_unlock(&tender->lock);
    ring(tender->halt[1]);
    ring(tender->wake[1]);
    pthread_join(tender->thread, NULL);
    pthread_mutex_lock(&cluster->lock);
    cluster->tender = NULL;
    cluster->wake = NULL;
    pthread_mutex_unlock(&cluster->lock);
    close_pools(cluster, aero_pool_close);
    free_tender(tender);
}

void
aero_tender_abandon(aero_cluster *cluster)
{
    /* Locks may be held by threads that do not exist here: none is taken, and
     * what the thread owned is left alone. */
    aero_map *map = cluster->map;

    cluster->tender = NULL;
    cluster->wake = NULL;
    for (size_t i = 0; map != NULL && i < map->n_nodes; i++) {
        aero_pool_abandon(map->nodes[i]->pool);
    }
}

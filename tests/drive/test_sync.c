/* Running jobs and tasks on the caller's thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "aero/drive/sync.h"
#include "test.h"

/* A job that ends after so many steps, or when its time has come. */
typedef struct napper {
    aero_job job;
    int steps; /* made */
    int need;  /* 0: only time */
    uint64_t until;
    aero_rc rc;
} napper;

static aero_rc
nap(aero_job *job)
{
    napper *n = (napper *)job;

    n->steps++;
    if (n->need != 0) {
        return n->steps >= n->need ? n->rc : AERO_MORE;
    }
    return aero_clock_now() >= n->until ? n->rc : AERO_MORE;
}

static void
napper_init(napper *n, uint32_t ms, aero_rc rc)
{
    memset(n, 0, sizeof *n);
    n->job.step = nap;
    n->job.fd = -1;
    n->until = aero_clock_now() + ms * AERO_NS_PER_MS;
    n->job.by = n->until;
    n->rc = rc;
}

static double
ms_since(uint64_t from)
{
    return (double)(aero_clock_now() - from) / (double)AERO_NS_PER_MS;
}

TEST(job_is_stepped_at_its_time)
{
    napper n;
    uint64_t from = aero_clock_now();

    napper_init(&n, 30, AERO_OK);
    CHECK(aero_sync_job(&n.job, NULL) == AERO_OK);
    CHECK(ms_since(from) >= 30 && ms_since(from) < 1000);
    CHECK(n.steps >= 2 && n.steps < 10); /* it waits, it does not spin */
    napper_init(&n, 0, AERO_ERROR);
    CHECK(aero_sync_job(&n.job, NULL) == AERO_ERROR);
}

/* A job that wants a byte. */
typedef struct reader {
    aero_job job;
    char byte;
} reader;

static aero_rc
read_byte(aero_job *job)
{
    reader *r = (reader *)job;

    return read(r->job.fd, &r->byte, 1) == 1 ? AERO_OK : AERO_MORE;
}

static bool
reader_init(reader *r, int fds[2])
{
    memset(r, 0, sizeof *r);
    if (pipe(fds) != 0) {
        return false;
    }
    r->job.step = read_byte;
    r->job.fd = fds[0];
    r->job.want = AERO_WANT_READ;
    r->job.by = AERO_NEVER;
    return true;
}

static void *
write_later(void *arg)
{
    usleep(20000);
    return write(*(int *)arg, "x", 1) == 1 ? NULL : arg;
}

static void
close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

TEST(wait_is_ended_from_outside_by_a_descriptor)
{
    int fds[2];
    int wake[2];
    napper n;
    aero_wait wait = {0};
    pthread_t thread;
    uint64_t from = aero_clock_now();

    REQUIRE(pipe(fds) == 0 && pipe(wake) == 0);
    wait.wake_fd = wake[0];
    napper_init(&n, 5000, AERO_OK);
    pthread_create(&thread, NULL, write_later, &wake[1]);
    CHECK(aero_sync_job(&n.job, &wait) == AERO_MORE);
    CHECK(ms_since(from) < 2000);
    pthread_join(thread, NULL);
    close_both(fds);
    close_both(wake);
}

/* ---- signals ---- */

static volatile sig_atomic_t signals;

static void
on_signal(int number)
{
    (void)number;
    signals++;
}

static bool
after_three(void *ctx)
{
    (void)ctx;
    return signals >= 3;
}

static void *
signal_it(void *arg)
{
    for (int i = 0; i < 3; i++) {
        usleep(10000);
        pthread_kill(*(pthread_t *)arg, SIGUSR1);
    }
    return NULL;
}

TEST(signal_ends_a_wait_when_its_owner_says_so)
{
    struct sigaction act = {.sa_handler = on_signal};
    struct sigaction before;
    aero_wait wait = {.interrupted = after_three, .wake_fd = -1};
    pthread_t self = pthread_self();
    pthread_t thread;
    uint64_t from = aero_clock_now();
    napper n;

    signals = 0;
    sigaction(SIGUSR1, &act, &before);
    napper_init(&n, 5000, AERO_OK);
    pthread_create(&thread, NULL, signal_it, &self);
    CHECK(aero_sync_job(&n.job, &wait) == AERO_MORE);
    CHECK(ms_since(from) >= 25 && ms_since(from) < 2000);
    CHECK_INT(signals, 3);
    pthread_join(thread, NULL);
    sigaction(SIGUSR1, &before, NULL);
}

/* ---- tasks ---- */

enum {
    MANY = 200 /* more than fit on the stack */
};

typedef struct crowd {
    aero_task task;
    napper jobs[MANY];
    aero_job *list[MANY];
    size_t count;
    int rounds;
    int rounds_wanted;
    size_t told;
    size_t told_enough; /* 0: never */
} crowd;

static aero_rc
next_round(aero_task *task)
{
    crowd *c = (crowd *)task;

    if (c->rounds == c->rounds_wanted) {
        return AERO_OK;
    }
    c->rounds++;
    for (size_t i = 0; i < c->count; i++) {
        napper_init(&c->jobs[i], (uint32_t)(i % 20), AERO_OK);
        c->list[i] = &c->jobs[i].job;
    }
    c->task.jobs = c->list;
    c->task.n_jobs = c->count;
    return AERO_MORE;
}

static bool
told(aero_task *task, aero_job *ended)
{
    crowd *c = (crowd *)task;

    CHECK(ended->step == nap);
    return ++c->told == c->told_enough;
}

static void
crowd_init(crowd *c, size_t count, int rounds)
{
    memset(c, 0, sizeof *c);
    c->task.next = next_round;
    c->count = count;
    c->rounds_wanted = rounds;
}

TEST(jobs_of_a_round_run_side_by_side)
{
    static const size_t counts[] = {1, 2, 31, 32, 33, MANY};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        static crowd c;
        uint64_t from = aero_clock_now();

        crowd_init(&c, counts[i], 3);
        CHECK(aero_sync_task(&c.task, NULL) == AERO_OK);
        CHECK_INT(c.rounds, 3);
        CHECK(ms_since(from) < 1500);
        for (size_t k = 0; k < counts[i]; k++) {
            CHECK(c.jobs[k].steps >= 1 && c.jobs[k].steps < 10);
        }
    }
}

TEST(round_ends_early_when_that_is_enough)
{
    static crowd c;

    crowd_init(&c, 40, 1);
    c.task.enough = told;
    c.told_enough = 5;
    CHECK(aero_sync_task(&c.task, NULL) == AERO_OK);
    CHECK_INT(c.told, 5);
    crowd_init(&c, 40, 1);
    c.task.enough = told;
    CHECK(aero_sync_task(&c.task, NULL) == AERO_OK);
    CHECK(c.told <= 40);
}

TEST(task_without_a_round_is_done)
{
    static crowd c;

    crowd_init(&c, 5, 0);
    CHECK(aero_sync_task(&c.task, NULL) == AERO_OK);
}

TEST(tasks_survive_each_failing_allocation)
{
    WITH_EACH_ALLOC_FAILING({
        static crowd c;

        crowd_init(&c, MANY, 2);
        CHECK(aero_sync_task(&c.task, NULL) ==
              (test_alloc_failed() ? AERO_ERROR : AERO_OK));
    });
}

/* ---- some of them ---- */

TEST(some_are_stepped_until_one_has_ended_or_time_is_up)
{
    napper n[3];
    aero_job *jobs[3];
    aero_rc rcs[3] = {AERO_MORE, AERO_MORE, AERO_MORE};
    uint64_t from = aero_clock_now();

    for (int i = 0; i < 3; i++) {
        napper_init(&n[i], i == 1 ? 20 : 3000, AERO_OK);
        jobs[i] = &n[i].job;
    }
    aero_sync_some(jobs, rcs, 3, aero_clock_after(from, 2000), NULL);
    CHECK(rcs[1] == AERO_OK && rcs[0] == AERO_MORE && rcs[2] == AERO_MORE);
    CHECK(ms_since(from) >= 20 && ms_since(from) < 1000);
    from = aero_clock_now();
    rcs[1] = AERO_MORE;
    napper_init(&n[1], 3000, AERO_OK);
    aero_sync_some(jobs, rcs, 3, aero_clock_after(from, 30), NULL);
    CHECK(rcs[1] == AERO_MORE);
    CHECK(ms_since(from) >= 30 && ms_since(from) < 1000);
}

TEST(some_wake_by_their_descriptors)
{
    int fds[2];
    reader r;
    aero_job *jobs[1] = {&r.job};
    aero_rc rcs[1] = {AERO_MORE};
    pthread_t thread;
    uint64_t from = aero_clock_now();

    REQUIRE(reader_init(&r, fds));
    pthread_create(&thread, NULL, write_later, &fds[1]);
    /* The pipe would wait: it is not stepped before it is readable. */
    r.job.step = read_byte;
    CHECK(aero_clock_poll_ms(0, AERO_NEVER) == -1);
    usleep(30000);
    aero_sync_some(jobs, rcs, 1, aero_clock_after(from, 3000), NULL);
    CHECK(rcs[0] == AERO_OK && r.byte == 'x');
    pthread_join(thread, NULL);
    close_both(fds);
}

TEST(none_at_all_is_only_a_wait)
{
    uint64_t from = aero_clock_now();

    aero_sync_some(NULL, NULL, 0, aero_clock_after(from, 20), NULL);
    CHECK(ms_since(from) >= 19 && ms_since(from) < 1000);
}

TEST(some_survive_each_failing_allocation)
{
    static napper n[MANY];
    static aero_job *jobs[MANY];
    static aero_rc rcs[MANY];

    WITH_EACH_ALLOC_FAILING({
        for (int i = 0; i < MANY; i++) {
            napper_init(&n[i], 0, AERO_OK);
            jobs[i] = &n[i].job;
            rcs[i] = AERO_MORE;
        }
        aero_sync_some(jobs, rcs, MANY, n->until + AERO_NS_PER_MS, NULL);
        CHECK(rcs[0] == AERO_OK || test_alloc_failed());
    });
}

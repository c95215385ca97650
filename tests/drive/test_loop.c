/* The event loop and its pumps: many commands at once, few connections,
 * cancelling, late replies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "aero/client/batch.h"
#include "aero/drive/pump.h"
#include "rig.h"

enum {
    COMMANDS = 300
};

typedef struct flight {
    aero_run run;
    aero_cmd cmd;
    bool reported;
} flight;

static flight flights[COMMANDS];

static const aero_loop_config usual = {
    .warm_conns = 4, .max_conns = 4, .max_idle_ms = 55000};

static void
launch(aero_pump *pump, rig *r, flight *f, int64_t number, bool write,
       const aero_policy *policy)
{
    memset(f, 0, sizeof *f);
    aero_cmd_init(&f->cmd);
    if (write) {
        rig_put_write(&f->cmd, number, number, policy);
    }
    else {
        rig_put_get(&f->cmd, number, policy);
    }
    f->run.task = &f->cmd.task;
    f->run.cmd = &f->cmd;
    f->run.is_read = !write;
    f->run.owner = f;
    aero_cmd_begin(&f->cmd, r->cluster, aero_pump_source(pump),
                   aero_clock_now());
    if (aero_pump_submit(pump, &f->run)) {
        aero_pump_flush(pump);
    }
}

static unsigned
take_done(aero_pump *pump)
{
    aero_run *run;
    unsigned n = 0;

    while ((run = aero_pump_take_done(pump)) != NULL) {
        flight *f = run->owner;

        CHECK(!f->reported && run->ended);
        f->reported = true;
        n++;
    }
    return n;
}

/* Turn until so many were reported; false after 5 s. */
static bool
turn_until(aero_pump *pump, unsigned wanted)
{
    uint64_t from = aero_clock_now();
    unsigned n = take_done(pump);

    while (n < wanted && rig_ms_since(from) < 5000) {
        struct pollfd fd = {.fd = aero_pump_fd(pump), .events = POLLIN};
        int ms =
            aero_clock_poll_ms(aero_clock_now(), aero_pump_deadline(pump));

        poll(&fd, 1, ms < 0 || ms > 50 ? 50 : ms);
        aero_pump_turn(pump);
        n += take_done(pump);
    }
    return n == wanted;
}

static void
fini_all(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        aero_cmd_fini(&flights[i].cmd);
    }
}

static const aero_pump_kind kinds[] = {AERO_PUMP_EMBEDDED, AERO_PUMP_THREAD};

static bool
open_pump(rig *r, const rig_options *options, aero_pump_kind kind,
          const aero_loop_config *config, aero_pump **pump)
{
    aero_status st;

    if (!rig_open(r, options)) {
        return false;
    }
    *pump = aero_pump_new(r->cluster, kind, config, &st);
    return *pump != NULL;
}

TEST(many_commands_share_few_connections)
{
    for (int k = 0; k < 2; k++) {
        aero_pump *pump;
        rig r;

        REQUIRE(open_pump(&r, &(rig_options){.nodes = 2}, kinds[k], &usual,
                          &pump));
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < COMMANDS; i++) {
                launch(pump, &r, &flights[i], i, round == 0, NULL);
            }
            CHECK(turn_until(pump, COMMANDS));
            for (int i = 0; i < COMMANDS; i++) {
                CHECK(flights[i].run.rc == AERO_OK);
                CHECK_INT(flights[i].cmd.result, 0);
            }
            fini_all(COMMANDS);
        }
        CHECK(rig_count(&r, "connections") <= 2 * 4 + 2);
        aero_pump_free(pump);
        rig_close(&r);
    }
}

static void
launch_reads(aero_pump *pump, rig *r, int count)
{
    for (int i = 0; i < count; i++) {
        launch(pump, r, &flights[i], 1, false, NULL);
    }
}

/* Whoever turns the loop is not held for long by many who are ready. */
TEST(one_turn_answers_some_of_many_who_are_ready)
{
    enum {
        MANY = 200,
        SWEEP = 64
    };
    aero_loop_config config = usual;
    aero_pump *pump;
    unsigned ended;
    rig r;

    config.warm_conns = config.max_conns = MANY;
    REQUIRE(open_pump(&r, &(rig_options){.nodes = 1, .max_conns = MANY},
                      AERO_PUMP_EMBEDDED, &config, &pump));
    CHECK_INT(rig_write(&r, 1, 1, NULL), 0);
    rig_control(&r, "fault kind=delay ms=200 class=read");
    for (int i = 0; i < 50 && rig_count(&r, "connections") < MANY; i++) {
        launch_reads(pump, &r, MANY);
        CHECK(turn_until(pump, MANY));
        fini_all(MANY);
    }
    launch_reads(pump, &r, MANY); /* each by a connection that is there */
    usleep(400 * 1000);
    aero_pump_turn(pump);
    ended = take_done(pump);
    CHECK(ended <= SWEEP);
    CHECK(turn_until(pump, MANY - ended));
    fini_all(MANY);
    aero_pump_free(pump);
    rig_close(&r);
}

TEST(reads_that_travel_together_are_answered_each)
{
    aero_loop_config config = usual;
    aero_pump *pump;
    rig r;

    config.coalesce = true;
    config.max_rows = 100;
    config.max_flights = 2;
    REQUIRE(open_pump(&r, &(rig_options){.nodes = 2}, AERO_PUMP_EMBEDDED,
                      &config, &pump));
    for (int i = 0; i < COMMANDS; i += 2) {
        CHECK_INT(rig_write(&r, i, i, NULL), 0);
    }
    for (int i = 0; i < COMMANDS; i++) {
        launch(pump, &r, &flights[i], i, false, NULL);
    }
    aero_pump_flush(pump);
    CHECK(turn_until(pump, COMMANDS));
    for (int i = 0; i < COMMANDS; i++) {
        CHECK(flights[i].run.rc == AERO_OK);
        CHECK_INT(flights[i].cmd.result,
                  i % 2 == 0 ? 0 : AERO_ERR_RECORD_NOT_FOUND);
    }
    fini_all(COMMANDS);
    aero_pump_free(pump);
    rig_close(&r);
}

TEST(deadlines_hold_also_for_those_that_wait_for_a_connection)
{
    for (int k = 0; k < 2; k++) {
        aero_policy policy;
        aero_pump *pump;
        uint64_t from;
        rig r;

        REQUIRE(open_pump(&r, &(rig_options){.nodes = 1}, kinds[k], &usual,
                          &pump));
        aero_policy_init(&policy, AERO_POLICY_READ);
        policy.total_timeout = 80;
        policy.max_retries = 0;
        policy.timeout_delay = 0;
        rig_control(&r, "fault kind=stall bytes=0 class=read");
        from = aero_clock_now();
        for (int i = 0; i < 20; i++) {
            launch(pump, &r, &flights[i], i, false, &policy);
        }
        CHECK(turn_until(pump, 20));
        CHECK(rig_ms_since(from) >= 79 && rig_ms_since(from) < 1000);
        for (int i = 0; i < 20; i++) {
            CHECK_INT(flights[i].cmd.st.code, AERO_ERR_TIMEOUT);
        }
        fini_all(20);
        aero_pump_free(pump);
        rig_close(&r);
    }
}

/* A job that has nothing but a limit. */
typedef struct limit {
    aero_job job;
    aero_task task;
    aero_job *jobs[1];
    aero_run run;
    bool over;
} limit;

static aero_rc
step_limit(aero_job *job)
{
    limit *l = (limit *)job;

    l->over = aero_clock_now() >= job->by;
    return l->over ? AERO_OK : AERO_MORE;
}

static aero_rc
run_limit(aero_task *task)
{
    const limit *l = (limit *)((char *)task - offsetof(limit, task));

    return l->over ? AERO_OK : AERO_MORE;
}

/* libuv runs a timer that is due before it polls: the wait must not be for
 * ever then. */
TEST(wait_for_a_limit_that_has_passed_already_ends)
{
    flight *f = &flights[0];
    aero_loop *loop;
    limit l = {0};
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1}));
    loop = aero_loop_new(r.cluster, &usual);
    REQUIRE(loop != NULL);
    alarm(10); /* the end of this program, if it comes to that */
    /* A connection that is watched, or libuv has nothing to wait for. */
    memset(f, 0, sizeof *f);
    aero_cmd_init(&f->cmd);
    rig_put_get(&f->cmd, 1, NULL);
    f->run.task = &f->cmd.task;
    aero_cmd_begin(&f->cmd, r.cluster, aero_loop_source(loop),
                   aero_clock_now());
    aero_loop_submit(loop, &f->run);
    while (aero_loop_take_done(loop) == NULL) {
        aero_loop_wait(loop);
    }
    aero_cmd_fini(&f->cmd);
    l.job.step = step_limit;
    l.job.fd = -1;
    l.job.by = aero_clock_now() + AERO_NS_PER_MS;
    l.jobs[0] = &l.job;
    l.task.next = run_limit;
    l.task.jobs = l.jobs;
    l.task.n_jobs = 1;
    l.run.task = &l.task;
    aero_loop_submit(loop, &l.run);
    usleep(5000);
    aero_loop_wait(loop);
    alarm(0);
    CHECK(aero_loop_take_done(loop) == &l.run);
    aero_loop_free(loop);
    rig_close(&r);
}

static void
cancel(aero_run *run)
{
    flight *f = run->owner;

    aero_cmd_cancel(&f->cmd, AERO_ERR_CLIENT_ABORT, "cancelled");
}

TEST(cancelled_commands_are_reported_once_at_most)
{
    for (int k = 0; k < 2; k++) {
        aero_policy policy;
        aero_pump *pump;
        unsigned gone = 0;
        rig r;

        REQUIRE(open_pump(&r, &(rig_options){.nodes = 1}, kinds[k], &usual,
                          &pump));
        aero_policy_init(&policy, AERO_POLICY_WRITE);
        policy.total_timeout = 3000;
        rig_control(&r, "fault kind=delay ms=60 class=write times=20");
        for (int i = 0; i < 20; i++) {
            launch(pump, &r, &flights[i], i, true, &policy);
        }
        usleep(5000);
        for (int i = 0; i < 20; i += 2) {
            gone += aero_pump_cancel(pump, &flights[i].run, cancel);
        }
        CHECK(turn_until(pump, 20 - gone));
        for (int i = 1; i < 20; i += 2) {
            CHECK(flights[i].reported && flights[i].run.rc == AERO_OK);
        }
        fini_all(20);
        /* Their connections are not lost: all can be used again. */
        for (int i = 0; i < 20; i++) {
            launch(pump, &r, &flights[i], i, true, &policy);
        }
        CHECK(turn_until(pump, 20));
        for (int i = 0; i < 20; i++) {
            CHECK(flights[i].run.rc == AERO_OK);
        }
        fini_all(20);
        aero_pump_free(pump);
        rig_close(&r);
    }
}

TEST(pump_is_freed_with_everything_under_way)
{
    for (int k = 0; k < 2; k++) {
        aero_pump *pump;
        rig r;

        REQUIRE(open_pump(&r, &(rig_options){.nodes = 2}, kinds[k], &usual,
                          &pump));
        rig_control(&r, "fault kind=stall bytes=0 class=write");
        for (int i = 0; i < 30; i++) {
            launch(pump, &r, &flights[i], i, true, NULL);
        }
        aero_pump_turn(pump);
        aero_pump_stop(pump);
        for (int i = 0; i < 30; i++) {
            if (!flights[i].run.ended) {
                cancel(&flights[i].run);
            }
        }
        aero_pump_free(pump);
        fini_all(30);
        rig_close(&r);
    }
}

TEST(idle_connection_that_the_server_closes_is_dropped)
{
    aero_policy policy;
    aero_pump *pump;
    rig r;

    REQUIRE(open_pump(&r, &(rig_options){.nodes = 1}, AERO_PUMP_EMBEDDED,
                      &usual, &pump));
    aero_policy_init(&policy, AERO_POLICY_WRITE);
    for (int round = 0; round < 5; round++) {
        launch(pump, &r, &flights[0], 1, true, &policy);
        CHECK(turn_until(pump, 1));
        CHECK(flights[0].run.rc == AERO_OK);
        fini_all(1);
        rig_control(&r, "restart node=0");
        usleep(10000);
        aero_pump_turn(pump); /* sees that it is closed */
    }
    aero_pump_free(pump);
    rig_close(&r);
}

TEST(faults_of_every_kind_end_each_command_once)
{
    static const char *const faults[] = {
        "drop",         "drop-after",    "garbage",    "cut bytes=11",
        "code code=18", "stall bytes=3", "delay ms=30"};

    for (int k = 0; k < 2; k++) {
        aero_pump *pump;
        aero_policy policy;
        rig r;

        REQUIRE(open_pump(&r, &(rig_options){.nodes = 2}, kinds[k], &usual,
                          &pump));
        aero_policy_init(&policy, AERO_POLICY_READ);
        policy.total_timeout = 1000;
        policy.socket_timeout = 100;
        policy.max_retries = 5;
        policy.timeout_delay = 0;
        for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++) {
            rig_control(&r, "fault kind=%s class=read times=25", faults[f]);
            for (int i = 0; i < 60; i++) {
                launch(pump, &r, &flights[i], i, false, &policy);
            }
            CHECK(turn_until(pump, 60));
            for (int i = 0; i < 60; i++) {
                CHECK(flights[i].cmd.state == AERO_CMD_DONE);
            }
            fini_all(60);
            rig_control(&r, "clear");
        }
        aero_pump_free(pump);
        rig_close(&r);
    }
}

TEST(loops_survive_each_failing_allocation)
{
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1}));
    WITH_EACH_ALLOC_FAILING_HERE({
        aero_status st;
        aero_pump *pump =
            aero_pump_new(r.cluster, AERO_PUMP_EMBEDDED, &usual, &st);

        if (pump != NULL) {
            aero_policy policy;
            unsigned n = 0;

            aero_policy_init(&policy, AERO_POLICY_WRITE);
            policy.total_timeout = 50;
            for (int i = 0; i < 8; i++) {
                memset(&flights[i], 0, sizeof flights[i]);
                aero_cmd_init(&flights[i].cmd);
                rig_put_write(&flights[i].cmd, i, i, &policy);
                if (flights[i].cmd.out.failed) {
                    continue;
                }
                aero_cmd_fini(&flights[i].cmd);
                launch(pump, &r, &flights[i], i, true, &policy);
                n++;
            }
            CHECK(turn_until(pump, n));
            fini_all(8);
        }
        aero_pump_free(pump);
    });
    rig_close(&r);
}

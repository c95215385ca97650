/* A cage's thread.  What it works on belongs to a job, of which caller and
 * thread each hold one half: whoever lets go last frees it.  So a caller that
 * has waited long enough can go, and the thread ends when its script does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "aero/base/alloc.h"
#include "aero/base/clock.h"
#include "internal.h"

enum {
    GRACE_MS = 500 /* for a script to notice that its time is over */
};

typedef enum job_kind {
    JOB_NONE,
    JOB_CHECK,
    JOB_CALL,
    JOB_END
} job_kind;

struct aero_lua {
    lua_cage cage; /* the thread's while a job runs, else the caller's */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    /* under the lock: */
    job_kind kind;
    bool done;
    bool left; /* the caller has gone; the thread frees all */
    /* of the job: */
    aero_arena arena;
    aero_span name;
    aero_lua_call call;
    aero_lua_result result;
    aero_lua_fault fault;
    bool good;
};

/* ---- on the thread ---- */

static void
free_lua(aero_lua *lua)
{
    lua_cage_fini(&lua->cage);
    aero_arena_fini(&lua->arena);
    aero_buf_fini(&lua->result.values);
    aero_buf_fini(&lua->result.bins);
    aero_buf_fini(&lua->result.log);
    pthread_cond_destroy(&lua->changed);
    pthread_mutex_destroy(&lua->lock);
    aero_free(lua);
}

static void
run_job(aero_lua *lua, job_kind kind)
{
    if (kind == JOB_CHECK) {
        lua->good = lua_run_check(&lua->cage, lua->name, &lua->fault);
    }
    else if (kind == JOB_CALL) {
        lua_run_call(&lua->cage, &lua->call, &lua->result);
    }
}

static void *
work(void *arg)
{
    aero_lua *lua = arg;
    bool left = false;

    pthread_mutex_lock(&lua->lock);
    while (!left && lua->kind != JOB_END) {
        if (lua->kind == JOB_NONE || lua->done) {
            pthread_cond_wait(&lua->changed, &lua->lock);
            continue;
        }
        pthread_mutex_unlock(&lua->lock);
        run_job(lua, lua->kind);
        pthread_mutex_lock(&lua->lock);
        lua->done = true;
        left = lua->left;
        pthread_cond_broadcast(&lua->changed);
    }
    pthread_mutex_unlock(&lua->lock);
    if (left) {
        free_lua(lua);
    }
    return NULL;
}

/* ---- the caller ---- */

/* Signals are for the threads of the process that knows what to do. */
static bool
start_thread(aero_lua *lua)
{
    sigset_t all;
    sigset_t old;
    bool good;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    good = pthread_create(&lua->thread, NULL, work, lua) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return good;
}

static aero_lua *
open_lua(size_t memory)
{
    aero_lua *lua = aero_zalloc(sizeof *lua);
    pthread_condattr_t attr;

    if (lua == NULL) {
        return NULL;
    }
    aero_arena_init(&lua->arena);
    pthread_mutex_init(&lua->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&lua->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (!lua_cage_init(&lua->cage, memory) || !start_thread(lua)) {
        free_lua(lua);
        return NULL;
    }
    return lua;
}

static void
close_lua(aero_lua *lua)
{
    bool left;

    if (lua == NULL) {
        return;
    }
    pthread_mutex_lock(&lua->lock);
    left = lua->kind != JOB_NONE && !lua->done; /* the job was lost */
    if (left) {
        lua->left = true;
    }
    else {
        lua->kind = JOB_END;
    }
    pthread_cond_broadcast(&lua->changed);
    pthread_mutex_unlock(&lua->lock);
    if (left) {
        pthread_detach(lua->thread);
        return;
    }
    pthread_join(lua->thread, NULL);
    free_lua(lua);
}

/* Hand over a job and wait; false: it was not done in time. */
static bool
run_and_wait(aero_lua *lua, job_kind kind, uint32_t ms)
{
    struct timespec until;
    bool done;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * AERO_NS_PER_MS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&lua->lock);
    lua->kind = kind;
    lua->done = false;
    pthread_cond_broadcast(&lua->changed);
    while (!lua->done && pthread_cond_timedwait(&lua->changed, &lua->lock,
                                                &until) != ETIMEDOUT) {
    }
    done = lua->done;
    if (done) {
        lua->kind = JOB_NONE;
    }
    pthread_mutex_unlock(&lua->lock);
    return done;
}

static bool
is_lost(aero_lua *lua)
{
    bool lost;

    pthread_mutex_lock(&lua->lock);
    lost = lua->kind != JOB_NONE;
    pthread_mutex_unlock(&lua->lock);
    return lost;
}

static bool
add_module(aero_lua *lua, aero_span name, aero_span source)
{
    return !is_lost(lua) && lua_cage_add(&lua->cage, name, source);
}

static bool
check_module(aero_lua *lua, aero_span name, aero_lua_fault *fault)
{
    bool lost = is_lost(lua);

    memset(fault, 0, sizeof *fault);
    if (!lost) {
        aero_arena_reset(&lua->arena);
        lua->name = aero_arena_copy(&lua->arena, name);
        lost = lua->name.ptr == NULL ||
               !run_and_wait(lua, JOB_CHECK, AERO_LUA_MS + GRACE_MS);
    }
    if (lost) {
        memcpy(fault->text, "the module ran too long", 24);
        return false;
    }
    *fault = lua->fault;
    return lua->good;
}

/* ---- copying what is borrowed ---- */

static bool
copy_span(aero_arena *arena, aero_span *span)
{
    if (span->len != 0) {
        *span = aero_arena_copy(arena, *span);
    }
    return span->len == 0 || span->ptr != NULL;
}

static bool
copy_record(aero_arena *arena, aero_lua_record *rec)
{
    const aero_lua_bin *from = rec->bins;
    aero_lua_bin *bins =
        aero_arena_array(arena, rec->n_bins + 1, sizeof *bins);
    bool good = bins != NULL && copy_span(arena, &rec->set) &&
                copy_span(arena, &rec->key.bytes);

    for (uint32_t i = 0; good && i < rec->n_bins; i++) {
        bins[i] = from[i];
        good = copy_span(arena, &bins[i].name) &&
               copy_span(arena, &bins[i].value.bytes);
    }
    rec->bins = bins;
    return good;
}

static bool
copy_call(aero_lua *lua, const aero_lua_call *call)
{
    aero_arena *arena = &lua->arena;
    aero_lua_record *records;
    aero_lua_value *values;
    bool good;

    aero_arena_reset(arena);
    lua->call = *call;
    records = aero_arena_array(arena, call->n_records + 1, sizeof *records);
    values = aero_arena_array(arena, call->n_values + 1, sizeof *values);
    good = records != NULL && values != NULL &&
           copy_span(arena, &lua->call.module) &&
           copy_span(arena, &lua->call.function) &&
           copy_span(arena, &lua->call.args);
    for (size_t i = 0; good && i < call->n_records; i++) {
        records[i] = call->records[i];
        good = copy_record(arena, &records[i]);
    }
    for (size_t i = 0; good && i < call->n_values; i++) {
        values[i] = call->values[i];
        good = copy_span(arena, &values[i].bytes);
    }
    lua->call.records = records;
    lua->call.values = values;
    return good;
}

/* The buffers change hands, so that neither is allocated anew. */
static void
empty_result(aero_lua_result *result)
{
    aero_buf values = result->values;
    aero_buf bins = result->bins;
    aero_buf log = result->log;

    memset(result, 0, sizeof *result);
    aero_buf_reset(&values, AERO_LUA_MEMORY);
    aero_buf_reset(&bins, AERO_LUA_MEMORY);
    aero_buf_reset(&log, AERO_LUA_MEMORY);
    result->values = values;
    result->bins = bins;
    result->log = log;
}

static void
fail(aero_lua_result *result, int code, const char *text)
{
    result->code = code;
    memcpy(result->text, text, strlen(text) + 1);
}

static void
call_lua(aero_lua *lua, const aero_lua_call *call, aero_lua_result *result)
{
    uint32_t ms = call->ms != 0 ? call->ms : AERO_LUA_MS;
    aero_lua_result done;

    empty_result(result);
    if (is_lost(lua)) {
        result->lost = true;
        fail(result, AERO_ERR_UDF, "an earlier script does not end");
        return;
    }
    empty_result(&lua->result);
    if (!copy_call(lua, call)) {
        fail(result, AERO_ERR_SERVER, "no memory for the call");
        return;
    }
    if (!run_and_wait(lua, JOB_CALL, ms + GRACE_MS)) {
        result->lost = true;
        fail(result, AERO_ERR_UDF, "the script ran too long");
        return;
    }
    done = lua->result;
    lua->result = *result;
    *result = done;
}

static void
fini_result(aero_lua_result *result)
{
    aero_buf_fini(&result->values);
    aero_buf_fini(&result->bins);
    aero_buf_fini(&result->log);
}

const aero_lua_api *
aero_lua_get(void)
{
    static const aero_lua_api api = {
        AERO_LUA_VERSION, open_lua, close_lua,   add_module,
        check_module,     call_lua, fini_result,
    };

    return &api;
}

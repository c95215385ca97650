/* Tending.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/alloc.h"
#include "tend.h"

/* ---- members ---- */

static bool
grow(void *list, size_t count, size_t *cap, size_t size)
{
    void **array = list;
    void *more;
    size_t want = *cap == 0 ? 8 : *cap * 2;

    if (count < *cap) {
        return true;
    }
    more = aero_resize(*array, want * size);
    if (more == NULL) {
        return false;
    }
    *array = more;
    *cap = want;
    return true;
}

aero_member *
aero_tend_member(aero_tend *tend, aero_span name)
{
    for (size_t i = 0; i < tend->n_members; i++) {
        if (aero_span_is(name, tend->members[i]->node->name)) {
            return tend->members[i];
        }
    }
    return NULL;
}

static void
free_member(aero_member *member)
{
    if (member != NULL) {
        aero_ask_fini(&member->ask);
        aero_node_release(member->node);
        aero_free(member->racks);
        aero_free(member);
    }
}

void
aero_tend_drop(aero_tend *tend, size_t at, const char *why)
{
    aero_member *member = tend->members[at];

    AERO_LOG(tend->cluster->logger, AERO_LOG_INFO, "node %s is removed: %s",
             member->node->name, why);
    for (size_t i = 0; i < tend->n_tables; i++) {
        aero_table_forget(tend->tables[i], member->node);
    }
    atomic_store(&member->node->active, false);
    aero_pool_close(member->node->pool);
    tend->members[at] = tend->members[--tend->n_members];
    tend->changed = true;
    free_member(member);
}

/* A probe that went well becomes a member; its connection goes with it. */
void
aero_tend_adopt(aero_tend *tend, aero_probe *probe)
{
    aero_cluster *cluster = tend->cluster;
    aero_member *member;

    if (aero_tend_member(tend, aero_span_str(probe->name)) != NULL ||
        !grow(&tend->members, tend->n_members, &tend->members_cap,
              sizeof *tend->members)) {
        return;
    }
    member = aero_zalloc(sizeof *member);
    if (member == NULL) {
        return;
    }
    member->node = aero_node_new(
        aero_span_str(probe->name), &probe->ask.addr, probe->tls_name,
        atomic_fetch_add(&cluster->next_slot, 1), cluster->config.max_conns);
    if (member->node == NULL) {
        aero_free(member);
        return;
    }
    memcpy(member->node->build, probe->build, sizeof probe->build);
    aero_node_end_window(member->node, cluster->config.max_error_rate);
    member->node->login = probe->login;
    probe->login = NULL;
    aero_ask_init(&member->ask, cluster, &probe->ask.addr,
                  member->node->tls_name, member->node->login);
    member->ask.conn = probe->ask.conn;
    probe->ask.conn = NULL;
    if (aero_node_is_build(member->node, 8, 1, 0)) {
        member->ask.agent = cluster->config.agent;
        member->ask.agent_due = member->ask.agent != NULL;
    }
    member->peers_generation = UNKNOWN_GENERATION;
    member->partition_generation = UNKNOWN_GENERATION;
    member->rebalance_generation = UNKNOWN_GENERATION;
    member->is_new = true;
    member->since = tend->round;
    tend->members[tend->n_members++] = member;
    tend->changed = true;
    AERO_LOG(cluster->logger, AERO_LOG_INFO, "node %s is added",
             member->node->name);
}

/* ---- rounds ---- */

bool
aero_tend_add_job(aero_tend *tend, aero_job *job)
{
    if (!grow(&tend->jobs, tend->task.n_jobs, &tend->jobs_cap,
              sizeof *tend->jobs)) {
        return false;
    }
    tend->task.jobs = tend->jobs;
    tend->jobs[tend->task.n_jobs++] = job;
    return true;
}

bool
aero_tend_add_probe(aero_tend *tend, aero_probe *probe)
{
    if (probe == NULL || !grow(&tend->probes, tend->n_probes,
                               &tend->probes_cap, sizeof *tend->probes)) {
        aero_probe_free(probe);
        return false;
    }
    tend->probes[tend->n_probes++] = probe;
    return aero_tend_add_job(tend, &probe->job);
}

void
aero_tend_free_probes(aero_tend *tend)
{
    while (tend->n_probes != 0) {
        aero_probe_free(tend->probes[--tend->n_probes]);
    }
}

void
aero_tend_ask(aero_tend *tend, aero_member *member,
              const char *const *commands, size_t count)
{
    aero_ask_set(&member->ask, commands, count, tend->by);
    aero_tend_add_job(tend, &member->ask.job);
}

aero_rc
aero_tend_find(aero_span body, const char *command, aero_span *value,
               aero_status *st)
{
    aero_span text;
    int code;

    /* not authenticated and the like: one line answers them all */
    if (!aero_info_find(body, command, value) &&
        !aero_info_find(body, "", value)) {
        return aero_fail(st, AERO_ERR_CLIENT, "no answer to %s", command);
    }
    if (aero_info_error(*value, &code, &text)) {
        return aero_fail(st, code, "%s is refused: %.*s (%d)", command,
                         (int)text.len, text.ptr, code);
    }
    return AERO_OK;
}

aero_rc
aero_tend_generation(aero_span body, const char *command, int64_t *out,
                     aero_status *st)
{
    aero_span value;

    if (aero_tend_find(body, command, &value, st) != AERO_OK) {
        return AERO_ERROR;
    }
    if (!aero_info_number(value, out)) {
        return aero_fail(st, AERO_ERR_CLIENT, "%s is no number", command);
    }
    return AERO_OK;
}

void
aero_tend_fail(aero_tend *tend, aero_member *member, const char *what)
{
    member->failures++;
    aero_node_count_error(member->node);
    aero_ask_close(&member->ask);
    AERO_LOG(tend->cluster->logger, AERO_LOG_WARN,
             "tending node %s failed: %s", member->node->name, what);
}

/* Where a session is about to end, or was refused, the next question comes on
 * a new connection, which logs in. */
static void
renew_sessions(aero_tend *tend)
{
    for (size_t i = 0; i < tend->n_members; i++) {
        aero_member *member = tend->members[i];
        aero_login *login = member->node->login;
        aero_session *session =
            login == NULL ? NULL : aero_login_session(login);

        if (session != NULL && aero_clock_now() >= session->renew_at) {
            atomic_store(&login->due, true);
        }
        aero_session_release(session);
        if (login != NULL && atomic_load(&login->due)) {
            aero_ask_close(&member->ask);
        }
    }
}

/* ---- the machine ---- */

/* What follows `phase`, and its jobs. */
static void
enter(aero_tend *tend, tend_phase phase)
{
    tend->phase = phase;
    tend->task.n_jobs = 0;
    tend->task.enough = NULL;
    switch (phase) {
    case TEND_SEEDS:
        tend->task.enough = aero_tend_seed_is_enough;
        aero_tend_begin_seeds(tend);
        break;
    case TEND_LOGINS:
        aero_tend_begin_logins(tend);
        break;
    case TEND_REFRESH:
        aero_tend_begin_refresh(tend);
        break;
    case TEND_PEERS:
        aero_tend_begin_peers(tend);
        break;
    case TEND_PROBES: /* aero_tend_end_peers has made them */
        for (size_t i = 0; i < tend->n_probes; i++) {
            aero_tend_add_job(tend, &tend->probes[i]->job);
        }
        break;
    case TEND_TABLES:
        aero_tend_begin_tables(tend);
        break;
    case TEND_WARM:
        aero_tend_remove_members(tend);
        aero_tend_publish(tend);
        aero_tend_keep_house(tend);
        aero_tend_begin_warm(tend);
        break;
    case TEND_DONE:
        break;
    }
}

/* The jobs of the phase have ended: conclude, and say what comes next. */
static tend_phase
leave(aero_tend *tend)
{
    switch (tend->phase) {
    case TEND_SEEDS:
        aero_tend_end_seeds(tend);
        return tend->n_members == 0 ? TEND_DONE : TEND_REFRESH;
    case TEND_LOGINS:
        aero_tend_end_logins(tend);
        return TEND_REFRESH;
    case TEND_REFRESH:
        aero_tend_end_refresh(tend);
        return TEND_PEERS;
    case TEND_PEERS:
        aero_tend_end_peers(tend);
        return TEND_PROBES;
    case TEND_PROBES:
        aero_tend_end_probes(tend);
        /* Newcomers are asked all there is to ask, but not for ever. */
        return aero_tend_has_new_members(tend) && tend->loops++ < LOOPS_MAX
                   ? TEND_REFRESH
                   : TEND_TABLES;
    case TEND_TABLES:
        aero_tend_end_tables(tend);
        return TEND_WARM;
    case TEND_WARM:
        aero_tend_end_warm(tend);
        return TEND_DONE;
    case TEND_DONE:
        break;
    }
    return TEND_DONE;
}

static aero_rc
next(aero_task *task)
{
    aero_tend *tend = (aero_tend *)task;

    do {
        if (tend->started) {
            enter(tend, leave(tend));
        }
        else {
            tend->started = true;
            enter(tend, tend->n_members == 0 ? TEND_SEEDS : TEND_LOGINS);
        }
    } while (tend->task.n_jobs == 0 && tend->phase != TEND_DONE);
    return tend->phase == TEND_DONE ? AERO_OK : AERO_MORE;
}

aero_tend *
aero_tend_new(aero_cluster *cluster, const aero_resolver *resolver)
{
    aero_tend *tend = aero_zalloc(sizeof *tend);

    if (tend != NULL) {
        tend->cluster = cluster;
        tend->resolver = resolver;
        tend->task.next = next;
    }
    return tend;
}

void
aero_tend_free(aero_tend *tend)
{
    if (tend == NULL) {
        return;
    }
    aero_tend_end_warm(tend);
    aero_tend_free_probes(tend);
    for (size_t i = 0; i < tend->n_members; i++) {
        aero_pool_close(tend->members[i]->node->pool);
        free_member(tend->members[i]);
    }
    for (size_t i = 0; i < tend->n_tables; i++) {
        aero_free(tend->tables[i]);
    }
    aero_free(tend->members);
    aero_free(tend->probes);
    aero_free(tend->jobs);
    aero_free(tend);
}

aero_task *
aero_tend_begin(aero_tend *tend, uint64_t by)
{
    aero_tend_free_probes(tend);
    renew_sessions(tend);
    tend->by = by;
    tend->round++;
    tend->loops = 0;
    tend->peers_changed = tend->someone_is_lonely;
    tend->someone_is_lonely = false;
    tend->started = false;
    return &tend->task;
}

aero_rc
aero_tend_result(const aero_tend *tend, aero_status *st)
{
    if (tend->n_members != 0) {
        return AERO_OK;
    }
    /* What a server said, say of a password, is the reason; silence is not. */
    return aero_fail(st,
                     tend->seeds_code > 0 &&
                             tend->seeds_code != AERO_ERR_TIMEOUT
                         ? tend->seeds_code
                         : AERO_ERR_CONNECTION,
                     "Failed to connect: %s",
                     tend->seeds_text[0] != '\0' ? tend->seeds_text
                                                 : "no seed is configured");
}

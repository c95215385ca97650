/* Tending: which nodes there are; seeds, generations, peers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "tend.h"

static const char *const refresh_commands[] = {"node", "peers-generation",
                                               "partition-generation",
                                               "rebalance-generation"};

/* ---- seeds ---- */

void
aero_tend_begin_seeds(aero_tend *tend)
{
    const aero_cluster_config *config = &tend->cluster->config;

    for (size_t i = 0; i < config->n_seeds; i++) {
        const aero_seed *seed = &config->seeds[i];
        aero_probe *probe =
            aero_probe_new(tend->cluster, tend->resolver, tend->by);

        if (probe != NULL) {
            aero_probe_add_host(probe, aero_span_str(seed->host), seed->port,
                                aero_span_str(seed->tls_name));
        }
        aero_tend_add_probe(tend, probe);
    }
}

/* The first seed that knows its peers is enough; one that knows none waits a
 * little for the others, which may know more. */
bool
aero_tend_seed_is_enough(aero_task *task, aero_job *ended)
{
    aero_tend *tend = (aero_tend *)task;
    aero_probe *probe = (aero_probe *)ended;
    uint64_t soon = aero_clock_now() + LONE_SEED_NS;

    if (probe->rc != AERO_OK) {
        return false;
    }
    if (probe->has_peers) {
        return true;
    }
    for (size_t i = 0; i < tend->n_probes; i++) {
        aero_probe *other = tend->probes[i];

        if (other->rc == AERO_MORE && other->ends_at > soon) {
            other->ends_at = soon;
            other->job.by = soon;
        }
    }
    return false;
}

void
aero_tend_end_seeds(aero_tend *tend)
{
    bool some_know = false;

    tend->seeds_text[0] = '\0';
    tend->seeds_code = 0;
    for (size_t i = 0; i < tend->n_probes; i++) {
        some_know |=
            tend->probes[i]->rc == AERO_OK && tend->probes[i]->has_peers;
    }
    for (size_t i = 0; i < tend->n_probes; i++) {
        aero_probe *probe = tend->probes[i];
        size_t used = strlen(tend->seeds_text);

        if (probe->rc == AERO_OK) {
            if (probe->has_peers || !some_know) {
                aero_tend_adopt(tend, probe);
            }
            continue;
        }
        snprintf(tend->seeds_text + used, sizeof tend->seeds_text - used,
                 "%s%s", used != 0 ? "; " : "", probe->st.text);
        if (probe->st.code != 0) {
            tend->seeds_code = probe->st.code;
        }
    }
    aero_tend_free_probes(tend);
}

/* ---- sessions ---- */

void
aero_tend_begin_logins(aero_tend *tend)
{
    for (size_t i = 0; i < tend->n_members && tend->n_warm < WARM_MAX; i++) {
        aero_node *node = tend->members[i]->node;
        aero_warm *warm = &tend->warm[tend->n_warm];

        if (node->login == NULL || !node->login->has_tls_addr ||
            !atomic_load(&node->login->due)) {
            continue;
        }
        tend->n_warm++;
        warm->node = aero_node_acquire(node);
        aero_ask_init(&warm->ask, tend->cluster, &node->login->tls_addr,
                      node->tls_name, node->login);
        aero_ask_use_tls(&warm->ask);
        aero_ask_set(&warm->ask, NULL, 0, tend->by);
        aero_tend_add_job(tend, &warm->ask.job);
    }
}

void
aero_tend_end_logins(aero_tend *tend)
{
    while (tend->n_warm != 0) {
        aero_warm *warm = &tend->warm[--tend->n_warm];

        if (warm->ask.rc == AERO_ERROR) {
            AERO_LOG(tend->cluster->logger, AERO_LOG_WARN,
                     "logging in to node %s failed: %s", warm->node->name,
                     warm->ask.st.text);
        }
        aero_ask_fini(&warm->ask);
        aero_node_release(warm->node);
    }
}

/* ---- generations ---- */

void
aero_tend_begin_refresh(aero_tend *tend)
{
    size_t count = tend->cluster->config.rack_aware ? 4 : 3;

    /* Later in the same tend only newcomers are asked: what the others said
     * of each other still stands. */
    for (size_t i = 0; i < tend->n_members; i++) {
        aero_member *member = tend->members[i];

        member->asked_state = tend->loops == 0 || member->is_new;
        if (member->asked_state) {
            member->friends = 0;
            member->responded = false;
            member->has_listed = false;
            aero_tend_ask(tend, member, refresh_commands, count);
        }
    }
}

/* The list of peers has a lower number than before: the node was restarted. */
static void
note_restart(aero_member *member)
{
    atomic_store(&member->node->errors, 0);
    atomic_fetch_add(&member->node->epoch, 1);
    member->partition_generation = UNKNOWN_GENERATION;
}

static void
read_refresh(aero_tend *tend, aero_member *member)
{
    aero_span body = aero_ask_body(&member->ask);
    aero_span name;
    int64_t peers;
    int64_t partitions;
    int64_t rebalance;
    aero_status st;

    aero_status_clear(&st);
    if (aero_tend_find(body, "node", &name, &st) != AERO_OK ||
        aero_tend_generation(body, "peers-generation", &peers, &st) !=
            AERO_OK ||
        aero_tend_generation(body, "partition-generation", &partitions, &st) !=
            AERO_OK) {
        aero_tend_fail(tend, member, st.text);
        return;
    }
    if (!aero_span_is(name, member->node->name)) {
        atomic_store(&member->node->active,
                     false); /* the address was reused */
        return;
    }
    member->responded = true;
    member->failures = 0;
    if (peers != member->peers_generation) {
        if (member->peers_generation > peers) {
            note_restart(member);
        }
        tend->peers_changed = true;
    }
    member->wants_table = partitions != member->partition_generation;
    if (aero_tend_generation(body, "rebalance-generation", &rebalance, NULL) ==
            AERO_OK &&
        rebalance != member->rebalance_generation) {
        member->rebalance_generation = rebalance;
        member->wants_racks = true;
    }
}

void
aero_tend_end_refresh(aero_tend *tend)
{
    tend->n_responded = 0;
    for (size_t i = 0; i < tend->n_members; i++) {
        aero_member *member = tend->members[i];

        if (member->asked_state && member->ask.rc == AERO_OK) {
            read_refresh(tend, member);
        }
        else if (member->asked_state) {
            aero_tend_fail(tend, member, member->ask.st.text);
        }
        tend->n_responded += member->responded;
        /* Is it still listed by those that do answer? */
        tend->peers_changed |= member->failures != 0;
    }
}

/* ---- peers ---- */

static bool
wants_peers(const aero_tend *tend, const aero_member *member)
{
    if (tend->cluster->config.force_single_node || member->failures != 0 ||
        !atomic_load(&member->node->active)) {
        return false;
    }
    return member->is_new || (tend->peers_changed && tend->loops == 0);
}

void
aero_tend_begin_peers(aero_tend *tend)
{
    const char *command = aero_cluster_names(&tend->cluster->config)->peers;

    for (size_t i = 0; i < tend->n_members; i++) {
        aero_member *member = tend->members[i];

        member->asked_peers = wants_peers(tend, member);
        member->is_new = false;
        if (member->asked_peers) {
            aero_tend_ask(tend, member, &command, 1);
        }
    }
}

static aero_probe *
probe_of(aero_tend *tend, aero_span name)
{
    for (size_t i = 0; i < tend->n_probes; i++) {
        if (aero_span_is(name, tend->probes[i]->expected)) {
            return tend->probes[i];
        }
    }
    return NULL;
}

/* A probe of the hosts that the peer is listed with; NULL when one of them is
 * where it is known to be already, or without memory. */
static aero_probe *
probe_peer(aero_tend *tend, aero_peer *peer, uint16_t port,
           const aero_member *known)
{
    const aero_cluster_config *config = &tend->cluster->config;
    uint64_t now = aero_clock_now();
    /* One that is silent leaves time to ask the others for their tables. */
    uint64_t by = tend->by == AERO_NEVER || tend->by <= now
                      ? tend->by
                      : now + (tend->by - now) / 2;
    aero_probe *probe = aero_probe_new(tend->cluster, tend->resolver, by);
    aero_span host;
    uint16_t host_port;

    if (probe == NULL) {
        return NULL;
    }
    memcpy(probe->expected, peer->node.ptr, peer->node.len);
    while (aero_peer_take_host(peer, port, &host, &host_port)) {
        const aero_seed *added = &probe->hosts[probe->n_hosts];
        size_t before = probe->n_hosts;
        aero_addr addr;

        aero_probe_add_host(probe, host, host_port, peer->tls_name);
        if (known != NULL && probe->n_hosts != before &&
            aero_addr_parse(aero_cluster_map_host(config, added->host),
                            host_port, &addr) &&
            aero_addr_equal(&addr, &known->node->addr)) {
            aero_probe_free(probe);
            return NULL;
        }
    }
    return probe;
}

/* A peer that is not known, or one that is in trouble and may have moved. */
static void
meet_peer(aero_tend *tend, aero_peer *peer, uint16_t port)
{
    aero_member *known = aero_tend_member(tend, peer->node);
    aero_probe *probe;

    if (peer->hosts.len == 0) {
        return; /* it has left */
    }
    if (known != NULL) {
        known->friends++;
        if (known->failures == 0) {
            return;
        }
    }
    if (probe_of(tend, peer->node) != NULL) {
        return;
    }
    probe = probe_peer(tend, peer, port, known);
    if (probe != NULL) {
        aero_tend_add_probe(tend, probe);
    }
}

static void
read_peers(aero_tend *tend, aero_member *member)
{
    const char *command = aero_cluster_names(&tend->cluster->config)->peers;
    aero_status st;
    aero_span value;
    aero_peers peers;
    aero_peer peer;
    aero_rc rc;

    aero_status_clear(&st);
    member->n_peers = 0;
    rc = aero_tend_find(aero_ask_body(&member->ask), command, &value, &st);
    if (rc == AERO_OK) {
        rc = aero_peers_open(value, &peers, &st);
    }
    while (rc == AERO_OK &&
           (rc = aero_peers_take(&peers, &peer, &st)) == AERO_OK) {
        member->n_peers++;
        meet_peer(tend, &peer, peers.port);
    }
    if (rc == AERO_ERROR) {
        aero_tend_fail(tend, member, st.text);
        return;
    }
    member->listed_generation = peers.generation;
    member->has_listed = true;
}

void
aero_tend_end_peers(aero_tend *tend)
{
    tend->task.n_jobs = 0;
    for (size_t i = 0; i < tend->n_members; i++) {
        aero_member *member = tend->members[i];

        if (!member->asked_peers) {
            continue;
        }
        if (member->ask.rc == AERO_OK) {
            read_peers(tend, member);
        }
        else {
            aero_tend_fail(tend, member, member->ask.st.text);
        }
    }
}

/* The same node at another address replaces the one we had. */
static void
replace_member(aero_tend *tend, aero_probe *probe)
{
    for (size_t i = 0; i < tend->n_members; i++) {
        const aero_node *node = tend->members[i]->node;

        if (strcmp(node->name, probe->name) == 0) {
            if (aero_addr_equal(&node->addr, &probe->ask.addr)) {
                return;
            }
            aero_tend_drop(tend, i, "it has another address now");
            break;
        }
    }
    aero_tend_adopt(tend, probe);
}

void
aero_tend_end_probes(aero_tend *tend)
{
    bool all_met = true;
    unsigned n_invalid = 0;

    for (size_t i = 0; i < tend->n_probes; i++) {
        aero_probe *probe = tend->probes[i];

        if (probe->rc == AERO_OK) {
            replace_member(tend, probe);
            continue;
        }
        all_met = false;
        n_invalid++;
        AERO_LOG(tend->cluster->logger, AERO_LOG_WARN,
                 "peer %s cannot be reached: %s%s", probe->expected,
                 probe->st.text,
                 tend->cluster->config.use_alternate
                     ? ""
                     : " (behind address translation, try "
                       "use_services_alternate)");
    }
    atomic_store(&tend->cluster->n_invalid, n_invalid);
    for (size_t i = 0; i < tend->n_members; i++) {
        aero_member *member = tend->members[i];

        /* The number is kept only when everybody on the list was met. */
        if (member->asked_peers && member->failures == 0) {
            member->peers_generation =
                all_met ? member->listed_generation : UNKNOWN_GENERATION;
        }
        member->asked_peers = false;
    }
    aero_tend_free_probes(tend);
}

bool
aero_tend_has_new_members(const aero_tend *tend)
{
    for (size_t i = 0; i < tend->n_members; i++) {
        if (tend->members[i]->is_new) {
            return true;
        }
    }
    return false;
}

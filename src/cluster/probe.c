/* Probes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/alloc.h"
#include "aero/cluster/probe.h"
#include "internal.h"

enum {
    LEAST_MAJOR = 4, /* of a server's build */
    LEAST_MINOR = 9
};

aero_probe *
aero_probe_new(aero_cluster *cluster, const aero_resolver *resolver,
               uint64_t ends_at)
{
    aero_probe *probe = aero_zalloc(sizeof *probe);
    aero_job *job;

    if (probe == NULL) {
        return NULL;
    }
    probe->cluster = cluster;
    probe->resolver = resolver;
    probe->ends_at = ends_at;
    probe->rc = AERO_MORE;
    job = &probe->job;
    job->step = aero_probe_step;
    job->fd = -1;
    job->by = ends_at;
    return probe;
}

static void
copy_text(char *out, size_t cap, aero_span text)
{
    size_t len = text.len < cap ? text.len : cap - 1;

    memcpy(out, text.ptr, len);
    out[len] = '\0';
}

void
aero_probe_add_host(aero_probe *probe, aero_span host, uint16_t port,
                    aero_span tls_name)
{
    aero_seed *seed;

    if (probe->n_hosts == AERO_PROBE_HOSTS || host.len == 0 ||
        host.len >= AERO_HOST_MAX || tls_name.len >= AERO_HOST_MAX) {
        return;
    }
    seed = &probe->hosts[probe->n_hosts++];
    copy_text(seed->host, sizeof seed->host, host);
    copy_text(seed->tls_name, sizeof seed->tls_name,
              tls_name.len != 0 ? tls_name : host);
    seed->port = port;
}

static void
drop_ask(aero_probe *probe)
{
    if (probe->has_ask) {
        aero_ask_fini(&probe->ask);
        probe->has_ask = false;
    }
}

void
aero_probe_free(aero_probe *probe)
{
    if (probe == NULL) {
        return;
    }
    drop_ask(probe);
    if (probe->has_front) {
        aero_ask_fini(&probe->front);
    }
    if (probe->resolving != NULL) {
        probe->resolver->drop(probe->resolving);
    }
    aero_login_release(probe->login);
    aero_free(probe);
}

/* Remember one more reason. */
static void
note(aero_probe *probe, const aero_addr *addr, const aero_status *why)
{
    char at[AERO_HOST_MAX + 16];
    size_t used = strlen(probe->st.text);
    int32_t code = why->code != 0 ? why->code : AERO_ERR_CLIENT;

    if (addr != NULL) {
        aero_addr_text(addr, at);
    }
    else {
        const aero_seed *host = &probe->hosts[probe->host];

        snprintf(at, sizeof at, "%s:%u", host->host, host->port);
    }
    snprintf(probe->st.text + used, sizeof probe->st.text - used, "%s%s: %s",
             used != 0 ? "; " : "", at, why->text);
    if (probe->st.code == 0 || code > 0) {
        probe->st.code = code;
    }
}

/* ---- addresses ---- */

/* With more to try behind it, one that is silent may not use up all the
 * time. */
static uint64_t
share_of_time(const aero_probe *probe, size_t addrs_left)
{
    size_t left = addrs_left + probe->n_hosts - probe->host - 1;
    uint64_t now = aero_clock_now();

    if (probe->ends_at == AERO_NEVER || probe->ends_at <= now || left < 2) {
        return probe->ends_at;
    }
    return now + (probe->ends_at - now) / left;
}

static aero_rc
take_resolved(aero_probe *probe)
{
    aero_status st;
    aero_rc rc;

    aero_status_clear(&st);
    rc = probe->resolver->poll(probe->resolving, probe->addrs,
                               AERO_PROBE_ADDRS, &probe->n_addrs, &st);
    if (rc == AERO_MORE && aero_clock_now() < probe->resolve_by) {
        return AERO_MORE;
    }
    if (rc == AERO_MORE) {
        rc = aero_fail(&st, AERO_ERR_INVALID_HOST,
                       "cannot resolve: no answer in time");
    }
    probe->resolver->drop(probe->resolving);
    probe->resolving = NULL;
    if (rc == AERO_ERROR) {
        note(probe, NULL, &st);
        probe->n_addrs = 0;
    }
    return AERO_OK;
}

/* The next host's addresses. */
static aero_rc
find_addrs(aero_probe *probe)
{
    const aero_seed *host = &probe->hosts[probe->host];
    aero_span mapped =
        aero_cluster_map_host(&probe->cluster->config, host->host);
    char name[AERO_HOST_MAX];

    probe->next_addr = 0;
    probe->n_addrs = 0;
    copy_text(name, sizeof name, mapped);
    if (aero_addr_parse(mapped, host->port, &probe->addrs[0])) {
        probe->n_addrs = 1;
        return AERO_OK;
    }
    probe->resolving =
        probe->resolver->start(name, host->port, &probe->job.fd);
    if (probe->resolving == NULL) {
        aero_status st;

        aero_status_clear(&st);
        aero_fail(&st, AERO_ERR_INVALID_HOST, "cannot begin to resolve");
        note(probe, NULL, &st);
        return AERO_OK;
    }
    probe->resolve_by = share_of_time(probe, 1);
    probe->job.by = probe->resolve_by;
    probe->job.want = AERO_WANT_READ;
    return AERO_MORE;
}

/* ---- questions ---- */

/* The login is a node's: each host that is tried begins with its own, what
 * stands behind it goes on with that. */
static bool
renew_login(aero_probe *probe)
{
    if (!aero_auth_needed(probe->cluster) || probe->behind) {
        return true;
    }
    aero_login_release(probe->login);
    probe->login = aero_login_new();
    return probe->login != NULL;
}

static void
begin_ask(aero_probe *probe)
{
    const aero_cluster_config *config = &probe->cluster->config;
    const aero_names *names = aero_cluster_names(config);
    const char *commands[] = {"node",         "build",
                              "cluster-name", "partition-generation",
                              names->service, names->peers};
    const aero_addr *addr = &probe->addrs[probe->next_addr++];
    const aero_seed *host = &probe->hosts[probe->host];
    uint64_t share =
        share_of_time(probe, probe->n_addrs - probe->next_addr + 1);

    if (!renew_login(probe)) {
        return; /* without memory the next address is tried */
    }
    aero_ask_init(&probe->ask, probe->cluster, addr, host->tls_name,
                  probe->login);
    if (config->tls_login_only && !probe->behind) {
        aero_ask_use_tls(&probe->ask);
    }
    probe->has_ask = true;
    aero_ask_set(&probe->ask, commands, 6, share);
}

static bool
read_build(aero_span text, uint32_t build[4])
{
    int parts = 0;

    memset(build, 0, 4 * sizeof *build);
    while (parts < 4 && text.len != 0) {
        aero_span part = aero_span_cut(&text, '.');
        int64_t n;

        part = aero_span_cut(&part, '-');
        if (!aero_info_number(part, &n) || n < 0 || n > UINT32_MAX) {
            break;
        }
        build[parts++] = (uint32_t)n;
    }
    return parts >= 3;
}

static aero_rc
check_identity(aero_probe *probe, aero_span body, aero_status *st)
{
    const char *wanted = probe->cluster->config.cluster_name;
    aero_span value;
    int64_t generation;

    if (!aero_info_find(body, "node", &value) || value.len == 0 ||
        value.len >= sizeof probe->name) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "the node does not say its name");
    }
    copy_text(probe->name, sizeof probe->name, value);
    if (probe->expected[0] != '\0' &&
        strcmp(probe->expected, probe->name) != 0) {
        return aero_fail(st, AERO_ERR_CLIENT, "node %s answers in place of %s",
                         probe->name, probe->expected);
    }
    if (!aero_info_find(body, "build", &value) ||
        !read_build(value, probe->build)) {
        return aero_fail(st, AERO_ERR_CLIENT, "node %s does not say its build",
                         probe->name);
    }
    if (probe->build[0] < LEAST_MAJOR ||
        (probe->build[0] == LEAST_MAJOR && probe->build[1] < LEAST_MINOR)) {
        return aero_fail(st, AERO_ERR_UNSUPPORTED_FEATURE,
                         "node %s runs %u.%u, at least %d.%d is needed",
                         probe->name, probe->build[0], probe->build[1],
                         LEAST_MAJOR, LEAST_MINOR);
    }
    if (!aero_info_find(body, "partition-generation", &value) ||
        !aero_info_number(value, &generation) || generation < 0) {
        return aero_fail(st, AERO_ERR_CLIENT, "node %s is not ready yet",
                         probe->name);
    }
    if (wanted != NULL && (!aero_info_find(body, "cluster-name", &value) ||
                           !aero_span_is(value, wanted))) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "node %s belongs to cluster '%.*s', not '%s'",
                         probe->name, (int)value.len, value.ptr, wanted);
    }
    return AERO_OK;
}

/* Not authenticated and the like: the whole body is the error. */
static aero_rc
check_whole(aero_span body, aero_status *st)
{
    aero_span command;
    aero_span value;
    aero_span text;
    int code;

    if (aero_info_take_line(&body, &command, &value, st) != AERO_OK) {
        return aero_fail(st, AERO_ERR_CLIENT, "the answer is no info text");
    }
    if (command.len == 0 && aero_info_error(value, &code, &text)) {
        return aero_fail(st, code, "%.*s", (int)text.len, text.ptr);
    }
    return AERO_OK;
}

/* Did we reach the node under an address that it does not list?  Then it may
 * be a balancer, behind which another node may answer next time: gives the
 * listed addresses.  After a login over TLS these are the clear ones, where
 * all else goes. */
static bool
is_balanced(aero_probe *probe, aero_span body)
{
    const aero_cluster_config *config = &probe->cluster->config;
    aero_span listed;
    size_t n = 0;

    if (probe->behind ||
        (!config->tls_login_only &&
         (probe->expected[0] != '\0' ||
          aero_addr_is_loopback(&probe->ask.addr))) ||
        !aero_info_find(body, aero_cluster_names(config)->service, &listed)) {
        return false;
    }
    while (listed.len != 0 && n < AERO_PROBE_ADDRS) {
        aero_span item = aero_span_cut(&listed, ',');
        aero_span host;
        char text[AERO_HOST_MAX];
        uint16_t port = 0;

        if (!aero_info_address(item, &host, &port) ||
            host.len >= sizeof text) {
            continue;
        }
        copy_text(text, sizeof text, host);
        if (!aero_addr_parse(aero_cluster_map_host(config, text), port,
                             &probe->addrs[n])) {
            continue;
        }
        if (aero_addr_equal(&probe->addrs[n], &probe->ask.addr)) {
            return false;
        }
        n++;
    }
    if (n == 0) {
        return false;
    }
    probe->n_addrs = n;
    probe->next_addr = 0;
    return true;
}

static aero_rc
finish(aero_probe *probe)
{
    const aero_seed *host = &probe->hosts[probe->host];

    strcpy(probe->tls_name, host->tls_name);
    probe->rc = AERO_OK;
    return AERO_OK;
}

static void
look_at_peers(aero_probe *probe, aero_span body)
{
    aero_span value;
    aero_peers peers;
    aero_peer peer;

    probe->has_peers =
        aero_info_find(body,
                       aero_cluster_names(&probe->cluster->config)->peers,
                       &value) &&
        aero_peers_open(value, &peers, NULL) == AERO_OK &&
        aero_peers_take(&peers, &peer, NULL) == AERO_OK;
}

/* It goes on behind what has answered: with the clear addresses after a login
 * over TLS, or with the node itself after its balancer. */
static void
go_behind(aero_probe *probe)
{
    strcpy(probe->expected, probe->name);
    if (probe->login != NULL) {
        probe->login->has_tls_addr = probe->cluster->config.tls_login_only;
        probe->login->tls_addr = probe->ask.addr;
    }
    probe->front = probe->ask;
    probe->has_front = true;
    probe->has_ask = false;
    probe->behind = true;
}

/* An address has answered, or not. */
static aero_rc
conclude_ask(aero_probe *probe)
{
    aero_ask *ask = &probe->ask;

    if (ask->rc == AERO_OK) {
        aero_span body = aero_ask_body(ask);

        if (check_whole(body, &ask->st) == AERO_OK &&
            check_identity(probe, body, &ask->st) == AERO_OK) {
            look_at_peers(probe, body);
            if (is_balanced(probe, body)) {
                go_behind(probe);
                return AERO_MORE;
            }
            if (!probe->cluster->config.tls_login_only || probe->behind) {
                return finish(probe);
            }
            aero_fail(&ask->st, AERO_ERR_CLIENT,
                      "node %s lists no address without TLS", probe->name);
        }
    }
    note(probe, &ask->addr, &ask->st);
    drop_ask(probe);
    return AERO_MORE;
}

/* Nothing is left to try at this host. */
static aero_rc
next_host(aero_probe *probe)
{
    bool must_switch = probe->cluster->config.tls_login_only;

    if (probe->has_front && must_switch) {
        aero_ask_fini(&probe->front); /* nothing but the login goes there */
        probe->has_front = false;
        probe->behind = false;
    }
    if (probe->has_front) {
        probe->ask = probe->front; /* the balancer must do */
        probe->has_front = false;
        probe->has_ask = true;
        return finish(probe);
    }
    probe->host++;
    probe->n_addrs = 0;
    probe->next_addr = 0;
    if (probe->host < probe->n_hosts) {
        return find_addrs(probe);
    }
    probe->host = probe->n_hosts == 0 ? 0 : probe->n_hosts - 1;
    probe->rc = AERO_ERROR;
    return AERO_ERROR;
}

static aero_rc
give_up(aero_probe *probe)
{
    aero_status st;

    aero_status_clear(&st);
    aero_fail(&st, AERO_ERR_TIMEOUT, "no answer in time");
    note(probe, probe->has_ask ? &probe->ask.addr : NULL, &st);
    probe->rc = AERO_ERROR;
    return AERO_ERROR;
}

static aero_rc
step_ask(aero_probe *probe)
{
    aero_rc rc = probe->ask.job.step(&probe->ask.job);

    if (rc == AERO_MORE) {
        probe->job.fd = probe->ask.job.fd;
        probe->job.want = probe->ask.job.want;
        probe->job.by = probe->ask.job.by < probe->ends_at ? probe->ask.job.by
                                                           : probe->ends_at;
        return AERO_MORE;
    }
    return AERO_OK;
}

aero_rc
aero_probe_step(aero_job *job)
{
    aero_probe *probe = (aero_probe *)job;
    aero_rc rc = AERO_OK;

    if (aero_clock_now() >= probe->ends_at) {
        return give_up(probe);
    }
    if (probe->n_addrs == 0 && probe->resolving == NULL && !probe->has_ask &&
        probe->host == 0) {
        if (probe->n_hosts == 0) {
            return next_host(probe);
        }
        rc = find_addrs(probe);
    }
    else if (probe->resolving != NULL) {
        rc = take_resolved(probe);
    }
    while (rc == AERO_OK) {
        if (probe->has_ask) {
            rc = step_ask(probe);
            if (rc == AERO_OK && conclude_ask(probe) == AERO_OK) {
                return AERO_OK;
            }
        }
        else if (probe->next_addr < probe->n_addrs) {
            begin_ask(probe);
        }
        else {
            rc = next_host(probe);
            if (probe->rc != AERO_MORE) {
                return probe->rc;
            }
        }
    }
    return rc;
}

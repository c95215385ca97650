/* The core comes and goes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/alloc.h"
#include "background.h"
#include "core.h"
#include "info.h"
#include "security.h"
#include "sindex.h"
#include "txn.h"

enum {
    MRT_DURATION = 10 /* seconds that a transaction has */
};

srv_ns *
srv_core_ns(const srv_core *core, aero_span name)
{
    for (unsigned i = 0; i < core->n_ns; i++) {
        if (aero_span_is(name, core->ns[i]->name)) {
            return core->ns[i];
        }
    }
    return NULL;
}

static aero_rc
add_ns(srv_core *core, const char *name, const aero_server_config *config,
       aero_status *st)
{
    srv_ns *ns;

    if (name[0] == '\0' || strlen(name) > AERO_NAMESPACE_MAX) {
        return aero_fail(st, AERO_ERR_PARAM,
                         "namespace name '%s' is not 1 to %d bytes long", name,
                         AERO_NAMESPACE_MAX);
    }
    if (srv_core_ns(core, aero_span_str(name)) != NULL) {
        return aero_fail(st, AERO_ERR_PARAM, "namespace '%s' is named twice",
                         name);
    }
    ns = srv_ns_new(name);
    if (ns == NULL) {
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for a namespace");
    }
    ns->indexes = srv_indexes_new(ns);
    if (ns->indexes == NULL) {
        srv_ns_free(ns);
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for a namespace");
    }
    srv_config_ns_defaults(ns);
    ns->config[SRV_NS_default_ttl] = config->default_ttl;
    ns->config[SRV_NS_replication_factor] = core->cluster.replication;
    core->ns[core->n_ns++] = ns;
    return AERO_OK;
}

/* Only there are transactions. */
static aero_rc
make_consistent(srv_core *core, const char *name, aero_status *st)
{
    srv_ns *ns = srv_core_ns(core, aero_span_str(name));

    if (ns == NULL) {
        return aero_fail(st, AERO_ERR_PARAM,
                         "there is no namespace '%s' to be consistent", name);
    }
    if (ns->txns == NULL) {
        ns->txns = srv_txns_new();
    }
    if (ns->txns == NULL) {
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for a namespace");
    }
    ns->config[SRV_NS_strong_consistency] = 1;
    ns->config[SRV_NS_mrt_duration] = MRT_DURATION;
    return AERO_OK;
}

static aero_rc
add_namespaces(srv_core *core, const aero_server_config *config,
               aero_status *st)
{
    static const char *const usual[] = {"test"};
    const char *const *names = config->namespaces;
    size_t count = config->n_namespaces;
    aero_rc rc = AERO_OK;

    if (count == 0) {
        names = usual;
        count = 1;
    }
    if (count > AERO_SERVER_NAMESPACES_MAX) {
        return aero_fail(st, AERO_ERR_PARAM, "more than %d namespaces",
                         AERO_SERVER_NAMESPACES_MAX);
    }
    for (size_t i = 0; rc == AERO_OK && i < count; i++) {
        rc = add_ns(core, names[i], config, st);
    }
    for (size_t i = 0; rc == AERO_OK && i < config->n_consistent; i++) {
        rc = make_consistent(core, config->consistent[i], st);
    }
    return rc;
}

static aero_rc
check_config(const aero_server_config *config, aero_status *st)
{
    if (config->nodes > AERO_SERVER_NODES_MAX) {
        return aero_fail(st, AERO_ERR_PARAM, "more than %d nodes",
                         AERO_SERVER_NODES_MAX);
    }
    if (config->cluster_name != NULL &&
        strlen(config->cluster_name) >= sizeof((srv_core *)0)->cluster_name) {
        return aero_fail(st, AERO_ERR_PARAM, "cluster name is too long");
    }
    if ((config->security || config->tls_certfile != NULL ||
         config->racks != NULL || config->n_consistent != 0) &&
        !config->enterprise) {
        return aero_fail(st, AERO_ERR_PARAM,
                         "security, TLS, racks and strong consistency need "
                         "the enterprise edition");
    }
    return AERO_OK;
}

bool
srv_core_init(srv_core *core, const aero_server_config *config,
              aero_status *st)
{
    unsigned nodes = config->nodes != 0 ? config->nodes : 1;
    unsigned replication = config->replication_factor;

    memset(core, 0, sizeof *core);
    aero_arena_init(&core->arena);
    if (check_config(config, st) != AERO_OK) {
        return false;
    }
    core->enterprise = config->enterprise;
    core->control = config->control;
    core->modules.linked = config->lua;
    snprintf(core->modules.path, sizeof core->modules.path, "%s",
             config->lua_library != NULL ? config->lua_library : "");
    snprintf(core->cluster_name, sizeof core->cluster_name, "%s",
             config->cluster_name != NULL ? config->cluster_name : "local");
    srv_config_defaults(core);
    if (replication == 0) {
        replication = nodes > 1 ? 2 : 1;
    }
    srv_cluster_init(&core->cluster, nodes, replication);
    for (unsigned i = 0; config->racks != NULL && i < nodes; i++) {
        core->cluster.nodes[i].rack = config->racks[i];
    }
    core->started_ms = srv_clock_ms(&core->clock);
    core->cluster.changed_ms = core->started_ms;
    if (config->security) {
        core->security = srv_security_new(config, st);
    }
    return (!config->security || core->security != NULL) &&
           add_namespaces(core, config, st) == AERO_OK;
}

void
srv_core_fini(srv_core *core)
{
    srv_background_fini(core);
    for (unsigned i = 0; i < core->n_ns; i++) {
        core->ns[i]->on_change = NULL;
        srv_indexes_free(core->ns[i]->indexes);
        srv_txns_free(core->ns[i]->txns);
        srv_ns_free(core->ns[i]);
    }
    core->n_ns = 0;
    srv_jobs_fini(&core->jobs);
    srv_modules_fini(&core->modules);
    srv_security_free(core->security);
    core->security = NULL;
    aero_arena_fini(&core->arena);
    aero_made_fini(&core->bin);
    aero_made_fini(&core->answer);
    aero_exp_free(core->filter);
    core->filter = NULL;
    aero_buf_fini(&core->filter_bytes);
}

void
srv_core_tick(srv_core *core)
{
    uint32_t now = srv_clock_s(&core->clock);

    for (unsigned i = 0; i < core->n_ns; i++) {
        if (core->ns[i]->config[SRV_NS_nsup_period] != 0) {
            srv_ns_expire(core->ns[i], now);
        }
        srv_txns_tick(core, core->ns[i]);
    }
}

void
srv_core_work(srv_core *core)
{
    for (unsigned i = 0; i < core->n_ns; i++) {
        srv_indexes_build(core->ns[i]->indexes);
    }
    srv_background_work(core);
}

uint32_t
srv_core_rest_ms(const srv_core *core)
{
    for (unsigned i = 0; i < core->n_ns; i++) {
        if (core->ns[i]->indexes->unbuilt != 0) {
            return 0;
        }
    }
    return srv_background_rest_ms(core);
}

/* Info commands about the node, its peers and its partitions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "info.h"

#define BUILD "8.1.2.0"

enum {
    COMPATIBILITY = 15
};

static void
put_text(srv_info *info, const char *text)
{
    aero_buf_put_str(info->out, text);
}

static void
put_u64(srv_info *info, uint64_t number)
{
    aero_buf_printf(info->out, "%llu", (unsigned long long)number);
}

static const srv_node *
node_of(const srv_info *info)
{
    return info->call->node;
}

static const srv_cluster *
cluster_of(const srv_info *info)
{
    return &info->call->core->cluster;
}

/* ---- answers without a question ---- */

void
srv_info_nothing(srv_info *info)
{
    (void)info;
}

void
srv_info_refused(srv_info *info)
{
    srv_info_error(info, AERO_ERR_UNSUPPORTED_FEATURE, "not served");
}

#define TEXTS(X)                                                              \
    X(best_practices, "failed_best_practices=none")                           \
    X(build, BUILD)                                                           \
    X(build_arch, "x86_64")                                                   \
    X(build_os, "debian12")                                                   \
    X(build_sha, "0000000000000000000000000000000000000000")                  \
    X(build_time, "Thu Apr 16 19:20:12 UTC 2026")                             \
    X(connection, "admin=false")                                              \
    X(digests, "RIPEMD160")                                                   \
    X(partitions, "4096")

#define TEXT(name, text)                                                      \
    void srv_info_##name(srv_info *info)                                      \
    {                                                                         \
        put_text(info, text);                                                 \
    }
TEXTS(TEXT)

/* ---- the node ---- */

static const char *
edition(const srv_info *info)
{
    return info->call->core->enterprise ? "Aerospike Enterprise Edition"
                                        : "Aerospike Community Edition";
}

void
srv_info_edition(srv_info *info)
{
    put_text(info, edition(info));
}

void
srv_info_version(srv_info *info)
{
    aero_buf_printf(info->out, "%s build " BUILD, edition(info));
}

void
srv_info_release(srv_info *info)
{
    aero_buf_printf(info->out,
                    "edition=%s;version=" BUILD ";os=debian12;arch=x86_64;sha="
                    "0000000000000000000000000000000000000000",
                    edition(info));
}

void
srv_info_features(srv_info *info)
{
    put_text(info,
             "batch-any;batch-index;blob-bits;cdt-index;cdt-list;cdt-map;"
             "cluster-stable;float;geo;sindex-exists;peers;pipelining;pquery;"
             "pscans;query-show;relaxed-sc;replicas;replicas-all;"
             "replicas-master;replicas-max;truncate-namespace;udf");
    if (info->call->core->enterprise) {
        put_text(info, ";xdr");
    }
}

void
srv_info_compatibility_id(srv_info *info)
{
    put_u64(info, COMPATIBILITY);
}

void
srv_info_node(srv_info *info)
{
    put_text(info, node_of(info)->id);
}

void
srv_info_cluster_name(srv_info *info)
{
    put_text(info, info->call->core->cluster_name);
}

void
srv_info_partition_generation(srv_info *info)
{
    put_u64(info, node_of(info)->partition_generation);
}

void
srv_info_rebalance_generation(srv_info *info)
{
    put_u64(info, node_of(info)->rebalance_generation);
}

void
srv_info_peers_generation(srv_info *info)
{
    put_u64(info, node_of(info)->peers_generation);
}

void
srv_info_namespaces(srv_info *info)
{
    const srv_core *core = info->call->core;

    for (unsigned i = 0; i < core->n_ns; i++) {
        aero_buf_printf(info->out, "%s%s", i == 0 ? "" : ";",
                        core->ns[i]->name);
    }
}

/* ---- addresses ---- */

void
srv_info_service(srv_info *info)
{
    put_text(info, node_of(info)->address);
}

void
srv_info_service_tls(srv_info *info)
{
    put_text(info, node_of(info)->tls_address);
}

void
srv_info_services(srv_info *info)
{
    srv_cluster_put_services(cluster_of(info), node_of(info), info->out,
                             false);
}

void
srv_info_services_alumni(srv_info *info)
{
    srv_cluster_put_services(cluster_of(info), node_of(info), info->out, true);
}

static void
put_peers(srv_info *info, bool tls)
{
    static const char since[] = "generation=";
    aero_span params = info->params;
    size_t skip = sizeof since - 1;
    char digits[24] = "";
    bool delta = params.len >= skip && memcmp(params.ptr, since, skip) == 0;

    if (delta) {
        size_t len = params.len - skip;

        memcpy(digits, params.ptr + skip,
               len < sizeof digits ? len : sizeof digits - 1);
    }
    srv_cluster_put_peers(cluster_of(info), node_of(info), info->out, tls,
                          strtoull(digits, NULL, 10), delta);
}

void
srv_info_peers_clear(srv_info *info)
{
    put_peers(info, false);
}

void
srv_info_peers_tls(srv_info *info)
{
    put_peers(info, true);
}

void
srv_info_alumni(srv_info *info)
{
    srv_cluster_put_peers(cluster_of(info), node_of(info), info->out, false, 0,
                          true);
}

/* Nobody has an alternate address. */
void
srv_info_peers_alt(srv_info *info)
{
    aero_buf_printf(info->out, "%llu,3000,[]",
                    (unsigned long long)node_of(info)->peers_generation);
}

void
srv_info_endpoints(srv_info *info)
{
    const srv_node *node = node_of(info);
    const char *colon = strrchr(node->address, ':');
    int len = (int)(colon - node->address);

    aero_buf_printf(info->out,
                    "service.port=%u;service.addresses=%.*s;"
                    "service.access-port=%u;service.access-addresses=%.*s;"
                    "service.alternate-access-port=%u;"
                    "service.alternate-access-addresses=null;",
                    node->port, len, node->address, node->port, len,
                    node->address, node->port);
    aero_buf_printf(info->out,
                    "service.tls-port=%u;service.tls-addresses=%.*s",
                    node->tls_port, node->tls_port != 0 ? len : 4,
                    node->tls_port != 0 ? node->address : "null");
}

/* ---- the cluster ---- */

void
srv_info_succession(srv_info *info)
{
    const srv_view *view = &cluster_of(info)->view;

    for (unsigned i = view->n_alive; i-- > 0;) {
        aero_buf_printf(info->out, "%s%s", i + 1 == view->n_alive ? "" : ",",
                        cluster_of(info)->nodes[view->alive[i]].id);
    }
}

void
srv_info_recluster(srv_info *info)
{
    const srv_view *view = &cluster_of(info)->view;
    bool principal = view->alive[view->n_alive - 1] == node_of(info)->index;

    put_text(info, principal ? "ok" : "ignored-by-non-principal");
}

void
srv_info_cluster_stable(srv_info *info)
{
    aero_span text;
    uint64_t size;
    srv_param found = srv_info_param(info, "size", 3, false, &text);

    if (found == SRV_PARAM_GIVEN && !srv_info_u64(text, &size)) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "bad size");
        return;
    }
    if (found == SRV_PARAM_GIVEN && size != cluster_of(info)->view.n_alive) {
        srv_info_error(info, AERO_ERR_CLUSTER_CHANGE,
                       "cluster not specified size");
        return;
    }
    if (found == SRV_PARAM_BAD) {
        return;
    }
    found = srv_info_param(info, "ignore-migrations", 5, false, &text);
    if (found == SRV_PARAM_GIVEN && !aero_span_is(text, "true") &&
        !aero_span_is(text, "false")) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID,
                       "bad ignore migrations");
        return;
    }
    if (found != SRV_PARAM_GIVEN || aero_span_is(text, "false")) {
        srv_info_ns(info, NULL, false, &found);
    }
    if (found != SRV_PARAM_BAD) {
        aero_buf_printf(info->out, "%llX",
                        (unsigned long long)cluster_of(info)->key);
    }
}

/* ---- partitions ---- */

/* What the node says of its partitions: the truth, or what a test wants. */
static void
put_maps(srv_info *info, bool regime, unsigned most)
{
    const srv_core *core = info->call->core;
    srv_view view = core->cluster.view;
    unsigned who = node_of(info)->index;
    unsigned count;

    if (info->hooks->view != NULL) {
        info->hooks->view(info->hooks->ctx, node_of(info), &view, &who);
    }
    count = view.replicas != 0 ? view.replicas : 1;
    count = most != 0 && count > most ? most : count;
    for (unsigned i = 0; i < core->n_ns; i++) {
        const char *of_ns =
            core->ns[i]->config[SRV_NS_strong_consistency] != 0 ? "1," : "0,";

        aero_buf_printf(info->out, "%s%s:%s%u", i == 0 ? "" : ";",
                        core->ns[i]->name, regime ? of_ns : "", count);
        for (unsigned r = 0; r < count; r++) {
            aero_buf_put_str(info->out, ",");
            srv_view_put_map(&view, who, r, info->out);
        }
    }
}

void
srv_info_replicas(srv_info *info)
{
    aero_span text;
    uint64_t most = 0;
    srv_param found = srv_info_param(info, "max", 3, false, &text);

    if (found == SRV_PARAM_GIVEN && !srv_info_u64(text, &most)) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "bad max");
    }
    else if (found != SRV_PARAM_BAD) {
        put_maps(info, true, (unsigned)most);
    }
}

void
srv_info_replicas_all(srv_info *info)
{
    put_maps(info, false, 0);
}

void
srv_info_replicas_master(srv_info *info)
{
    const srv_core *core = info->call->core;

    for (unsigned i = 0; i < core->n_ns; i++) {
        aero_buf_printf(info->out, "%s%s:", i == 0 ? "" : ";",
                        core->ns[i]->name);
        srv_view_put_map(&core->cluster.view, node_of(info)->index, 0,
                         info->out);
    }
}

static void
put_partition(srv_info *info, const srv_ns *ns, unsigned p)
{
    const srv_cluster *cluster = cluster_of(info);
    const srv_view *view = &cluster->view;
    int replica = srv_view_replica(view, node_of(info)->index, p);
    const char *master = cluster->nodes[view->alive[p % view->n_alive]].id;

    aero_buf_printf(
        info->out,
        ";%s:%u:%c:%u:%d:%u:0:%s:%s:0:0:0:%u:0:0:1:"
        "%llx.0.%s:%llx.0.%s",
        ns->name, p, replica >= 0 ? 'S' : 'A', view->replicas,
        replica >= 0 ? replica : (int)view->replicas, 0U, master,
        replica == 0 ? node_of(info)->id : "0", ns->parts[p].count,
        (unsigned long long)cluster->key, replica == 0 ? "mp-" : "-p-",
        (unsigned long long)cluster->key, replica == 0 ? "mp-" : "-p-");
}

void
srv_info_partition_info(srv_info *info)
{
    const srv_core *core = info->call->core;

    put_text(info, "namespace:partition:state:n_replicas:replica:succession:"
                   "n_dupl:working_master:proxy_dst:emigrates:lead_emigrates:"
                   "immigrates:records:tombstones:regime:tree_id:version:"
                   "final_version");
    for (unsigned i = 0; i < core->n_ns; i++) {
        for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
            put_partition(info, core->ns[i], p);
        }
    }
}

/* ---- racks ---- */

void
srv_info_rack_ids(srv_info *info)
{
    const srv_core *core = info->call->core;

    for (unsigned i = 0; i < core->n_ns; i++) {
        aero_buf_printf(info->out, "%s%s:%d", i == 0 ? "" : ";",
                        core->ns[i]->name, node_of(info)->rack);
    }
}

/* The nodes of one rack, if it was not named before. */
static void
put_rack(srv_info *info, unsigned first)
{
    const srv_cluster *cluster = cluster_of(info);
    const srv_view *view = &cluster->view;
    int rack = cluster->nodes[view->alive[first]].rack;
    const char *mark = "";

    for (unsigned i = 0; i < first; i++) {
        if (cluster->nodes[view->alive[i]].rack == rack) {
            return;
        }
    }
    aero_buf_printf(info->out, ":rack_%d=", rack);
    for (unsigned i = first; i < view->n_alive; i++) {
        const srv_node *node = &cluster->nodes[view->alive[i]];

        if (node->rack == rack) {
            aero_buf_printf(info->out, "%s%s", mark, node->id);
            mark = ",";
        }
    }
}

void
srv_info_racks(srv_info *info)
{
    const srv_core *core = info->call->core;
    srv_param found;
    const srv_ns *only = srv_info_ns(info, NULL, false, &found);
    const char *mark = "";

    for (unsigned i = 0; found != SRV_PARAM_BAD && i < core->n_ns; i++) {
        if (only != NULL && only != core->ns[i]) {
            continue;
        }
        aero_buf_printf(info->out, "%sns=%s", mark, core->ns[i]->name);
        mark = ";";
        for (unsigned n = 0; n < cluster_of(info)->view.n_alive; n++) {
            put_rack(info, n);
        }
    }
}

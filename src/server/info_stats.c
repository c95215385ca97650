/* Statistics of nodes, namespaces and sets.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "info.h"
#include "sindex.h"
#include "txn.h"

enum {
    INDEX_ENTRY = 64,    /* bytes of the real server's index */
    DATA_TOTAL = 1 << 30 /* what it would be given */
};

uint64_t
srv_stats_objects(const srv_core *core, const srv_node *node, const srv_ns *ns,
                  int replica)
{
    uint64_t sum = 0;

    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        int has = srv_view_replica(&core->cluster.view, node->index, p);

        if (has == 0 ? replica == 0 : has > 0 && replica > 0) {
            sum += ns->parts[p].count;
        }
    }
    return sum;
}

/* ---- of a namespace ---- */

typedef struct ns_call {
    const srv_core *core;
    const srv_node *node;
    const srv_ns *ns;
} ns_call;

static uint64_t
ns_cluster_size(const ns_call *c)
{
    return c->core->cluster.view.n_alive;
}

static uint64_t
ns_replication(const ns_call *c)
{
    return c->core->cluster.view.replicas;
}

static uint64_t
ns_master_objects(const ns_call *c)
{
    return srv_stats_objects(c->core, c->node, c->ns, 0);
}

static uint64_t
ns_prole_objects(const ns_call *c)
{
    return srv_stats_objects(c->core, c->node, c->ns, 1);
}

static uint64_t
ns_objects(const ns_call *c)
{
    return ns_master_objects(c) + ns_prole_objects(c);
}

static uint64_t
ns_now(const ns_call *c)
{
    return srv_clock_s(&c->core->clock);
}

static uint64_t
ns_immortals(const ns_call *c)
{
    uint64_t sum = 0;

    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        const srv_partition *part = &c->ns->parts[p];

        for (uint32_t at = 0; part->expires != 0 && at < part->count; at++) {
            sum += part->slots[at].rec->void_time == 0;
        }
        sum += part->expires == 0 ? part->count : 0;
    }
    return sum;
}

static uint64_t
ns_expired(const ns_call *c)
{
    return c->ns->expired;
}

static uint64_t
ns_truncate_lut(const ns_call *c)
{
    return c->ns->truncate_lut;
}

static uint64_t
ns_index_used(const ns_call *c)
{
    return ns_objects(c) * INDEX_ENTRY;
}

static uint64_t
used_by_indexes(const ns_call *c, bool of_sets)
{
    uint64_t used = 0;

    for (const srv_index *index = c->ns->indexes->first; index != NULL;
         index = index->next) {
        if ((index->def.kind == SRV_INDEX_SET) == of_sets) {
            used += srv_index_used(index, index->entries);
        }
    }
    return used;
}

static uint64_t
ns_provisionals(const ns_call *c)
{
    return c->ns->txns != NULL ? c->ns->txns->n_locks : 0;
}

static uint64_t
ns_monitors(const ns_call *c)
{
    return c->ns->txns != NULL ? c->ns->txns->n_monitors : 0;
}

static uint64_t
ns_sindex_used(const ns_call *c)
{
    return used_by_indexes(c, false);
}

static uint64_t
ns_set_index_used(const ns_call *c)
{
    return used_by_indexes(c, true);
}

static uint64_t
ns_data_total(const ns_call *c)
{
    (void)c;
    return DATA_TOTAL;
}

static uint64_t
ns_data_used(const ns_call *c)
{
    return c->ns->used;
}

static uint64_t
ns_data_used_pct(const ns_call *c)
{
    uint64_t pct = c->ns->used * 100 / DATA_TOTAL;

    return pct > 100 ? 100 : pct;
}

typedef struct ns_row {
    const char *name;
    uint64_t (*call)(const ns_call *c); /* NULL: counted, or a text */
    const char *text;                   /* NULL: counted */
    srv_count count;
} ns_row;

static const ns_row ns_rows[] = {
#define STAT_COUNT(name)      {#name, NULL, NULL, SRV_COUNT_##name},
#define STAT_CALL(name, fn)   {#name, ns_##fn, NULL, 0},
#define STAT_TEXT(name, text) {#name, NULL, text, 0},
#define STAT_ZERO(name)       {#name, NULL, "0", 0},
#include "tables/stat_ns.def"
#undef STAT_COUNT
#undef STAT_CALL
#undef STAT_TEXT
#undef STAT_ZERO
};

void
srv_stats_put_ns(const srv_call *call, const srv_ns *ns, aero_buf *out)
{
    ns_call c = {call->core, call->node, ns};

    for (size_t i = 0; i < sizeof ns_rows / sizeof ns_rows[0]; i++) {
        const ns_row *row = &ns_rows[i];

        if (row->text != NULL) {
            aero_buf_printf(out, "%s=%s;", row->name, row->text);
            continue;
        }
        aero_buf_printf(out, "%s=%llu;", row->name,
                        (unsigned long long)(row->call != NULL
                                                 ? row->call(&c)
                                                 : ns->counts[row->count]));
    }
}

/* ---- of a node ---- */

typedef const srv_call *node_call;

static void
put_u64(aero_buf *out, uint64_t number)
{
    aero_buf_printf(out, "%llu", (unsigned long long)number);
}

#define NODE_NUMBER(fn, value)                                                \
    static void node_##fn(node_call c, aero_buf *out)                         \
    {                                                                         \
        put_u64(out, value);                                                  \
    }

NODE_NUMBER(cluster_size, c->core->cluster.view.n_alive)
NODE_NUMBER(cluster_generation, c->core->cluster.changes)
NODE_NUMBER(uptime,
            (srv_clock_ms(&c->core->clock) - c->core->started_ms) / 1000)
NODE_NUMBER(connections, c->node->opened - c->node->closed)
NODE_NUMBER(opened, c->node->opened)
NODE_NUMBER(closed, c->node->closed)
NODE_NUMBER(infos, c->node->infos)
NODE_NUMBER(malformed, c->node->malformed)
NODE_NUMBER(early_errors, c->node->early_errors)
NODE_NUMBER(batches, c->node->batches)
NODE_NUMBER(batches_done, c->node->batches_done)
NODE_NUMBER(batches_failed, c->node->batches_failed)
NODE_NUMBER(rebalanced,
            (srv_clock_ms(&c->core->clock) - c->core->cluster.changed_ms) /
                1000)

static void
node_cluster_key(node_call c, aero_buf *out)
{
    aero_buf_printf(out, "%llX", (unsigned long long)c->core->cluster.key);
}

static void
node_principal(node_call c, aero_buf *out)
{
    const srv_cluster *cluster = &c->core->cluster;

    aero_buf_put_str(
        out,
        cluster->nodes[cluster->view.alive[cluster->view.n_alive - 1]].id);
}

static void
node_objects(node_call c, aero_buf *out)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < c->core->n_ns; i++) {
        sum += srv_stats_objects(c->core, c->node, c->core->ns[i], 0) +
               srv_stats_objects(c->core, c->node, c->core->ns[i], 1);
    }
    put_u64(out, sum);
}

static void
node_queries(node_call c, aero_buf *out)
{
    uint64_t sum = 0;

    for (const srv_job *job = c->core->jobs.first; job != NULL;
         job = job->next) {
        sum += job->active && job->node == c->node->index;
    }
    put_u64(out, sum);
}

static const struct {
    const char *name;
    void (*put)(node_call c, aero_buf *out); /* NULL: a text */
    const char *text;
} node_rows[] = {
#define STAT_CALL(name, fn)   {#name, node_##fn, NULL},
#define STAT_TEXT(name, text) {#name, NULL, text},
#define STAT_ZERO(name)       {#name, NULL, "0"},
#include "tables/stat_node.def"
#undef STAT_CALL
#undef STAT_TEXT
#undef STAT_ZERO
};

void
srv_stats_put_node(const srv_call *call, aero_buf *out)
{
    for (size_t i = 0; i < sizeof node_rows / sizeof node_rows[0]; i++) {
        aero_buf_printf(out, "%s=", node_rows[i].name);
        if (node_rows[i].put != NULL) {
            node_rows[i].put(call, out);
        }
        else {
            aero_buf_put_str(out, node_rows[i].text);
        }
        aero_buf_put_str(out, ";");
    }
}

/* ---- the commands ---- */

static void
chomp(aero_buf *out)
{
    if (!out->failed && out->len != 0 && out->ptr[out->len - 1] == ';') {
        out->len--;
    }
}

void
srv_info_statistics(srv_info *info)
{
    srv_stats_put_node(info->call, info->out);
    chomp(info->out);
}

void
srv_info_namespace_stats(srv_info *info)
{
    srv_ns *ns = srv_core_ns(info->call->core, info->params);

    if (ns == NULL) {
        aero_buf_put_str(info->out, "type=unknown");
        return;
    }
    srv_stats_put_ns(info->call, ns, info->out);
    srv_config_put_ns(ns, info->out);
    chomp(info->out);
}

void
srv_info_objects(srv_info *info)
{
    node_objects(info->call, info->out);
}

void
srv_info_get_stats(srv_info *info)
{
    aero_span context;

    if (srv_info_param(info, "context", 1023, true, &context) ==
        SRV_PARAM_GIVEN) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "unknown context");
    }
}

static void
put_set(const srv_ns *ns, const srv_set *set, aero_buf *out)
{
    uint16_t id = (uint16_t)(set - ns->sets + 1);
    const srv_index *index = srv_index_of_set(ns->indexes, id);

    aero_buf_printf(
        out,
        "objects=%llu:tombstones=0:data_used_bytes=%llu:"
        "truncate_lut=%llu:sindexes=%u:index_populating=%s:"
        "truncating=false",
        (unsigned long long)set->objects, (unsigned long long)set->used,
        (unsigned long long)set->truncate_lut,
        srv_indexes_count(ns->indexes, id),
        index != NULL && !srv_index_is_built(index) ? "true" : "false");
    srv_config_put_set(set, out);
    aero_buf_put_str(out, ";");
}

static void
put_sets(const srv_ns *ns, aero_buf *out)
{
    for (uint32_t i = 0; i < ns->n_sets; i++) {
        aero_buf_printf(out, "ns=%s:set=%s:", ns->name, ns->sets[i].name);
        put_set(ns, &ns->sets[i], out);
    }
}

void
srv_info_sets(srv_info *info)
{
    const srv_core *core = info->call->core;
    aero_span set = info->params;
    bool one = set.len != 0 && memchr(set.ptr, '/', set.len) != NULL;
    aero_span name = aero_span_cut(&set, '/');
    const srv_ns *ns = srv_core_ns(core, name);
    uint16_t id;

    if (info->params.len == 0) {
        for (unsigned i = 0; i < core->n_ns; i++) {
            put_sets(core->ns[i], info->out);
        }
    }
    else if (ns == NULL) {
        aero_buf_put_str(info->out, "ns_type=unknown");
    }
    else if (!one) {
        put_sets(ns, info->out);
    }
    else {
        id = srv_set_find(ns, set);
        if (id != 0) {
            put_set(ns, srv_set_of(ns, id), info->out);
        }
    }
}

/* ---- latencies: the real server's rows, without figures ---- */

void
srv_info_latencies(srv_info *info)
{
    static const char *const rows[] = {
        "read",           "write",           "udf",
        "batch-sub-read", "batch-sub-write", "batch-sub-udf",
        "pi-query",       "si-query",
    };
    const srv_core *core = info->call->core;
    aero_span hist;
    srv_param found = srv_info_param(info, "hist", 99, false, &hist);

    if (found == SRV_PARAM_GIVEN) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "bad hist name");
    }
    if (found != SRV_PARAM_MISSING) {
        return;
    }
    aero_buf_put_str(info->out, "batch-index:");
    for (unsigned i = 0; i < core->n_ns; i++) {
        for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
            aero_buf_printf(info->out, ";{%s}-%s:", core->ns[i]->name,
                            rows[r]);
        }
    }
}

void
srv_info_index_pressure(srv_info *info)
{
    const srv_core *core = info->call->core;

    for (unsigned i = 0; i < core->n_ns; i++) {
        aero_buf_printf(info->out, "%s%s:0:0", i == 0 ? "" : ";",
                        core->ns[i]->name);
    }
}

/* The configuration: asking for it and setting it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <strings.h>

#include "info.h"
#include "sindex.h"

typedef enum kind {
    BOOL,
    NUM,
    TIME, /* seconds, or with a unit */
    TEXT,
    CALL
} kind;

typedef enum may {
    FIXED,
    OPEN,
    EE
} may;

typedef struct row {
    const char *name;
    kind kind;
    may may;
    int64_t value; /* by default */
    int64_t least;
    int64_t most;
    const char *text;
    void (*put)(const srv_call *call, aero_buf *out);
} row;

/* ---- what is worked out ---- */

static void
put_cluster_name(const srv_call *call, aero_buf *out)
{
    aero_buf_put_str(out, call->core->cluster_name);
}

static void
put_node_id(const srv_call *call, aero_buf *out)
{
    aero_buf_put_str(out, call->node->id);
}

static void
put_port(const srv_call *call, aero_buf *out)
{
    aero_buf_printf(out, "%u", call->node->port);
}

static void
put_tls_port(const srv_call *call, aero_buf *out)
{
    aero_buf_printf(out, "%u", call->node->tls_port);
}

static void
put_tls_name(const srv_call *call, aero_buf *out)
{
    const char *name = call->core->cluster.tls_name;

    aero_buf_put_str(out, name != NULL ? name : "null");
}

static void
put_host(const srv_call *call, aero_buf *out)
{
    aero_span host = aero_span_str(call->node->address);

    while (host.len != 0 && host.ptr[host.len - 1] != ':') {
        host.len--;
    }
    aero_buf_put(out, host.ptr, host.len != 0 ? host.len - 1 : 0);
}

/* ---- the tables ---- */

#define CONFIG_BOOL(id, name, value, may)                                     \
    {name, BOOL, may, value, 0, 1, NULL, NULL},
#define CONFIG_NUM(id, name, value, least, most, may)                         \
    {name, NUM, may, value, least, most, NULL, NULL},
#define CONFIG_TIME(id, name, value, least, most, may)                        \
    {name, TIME, may, value, least, most, NULL, NULL},
#define CONFIG_TEXT(id, name, text) {name, TEXT, FIXED, 0, 0, 0, text, NULL},
#define CONFIG_CALL(id, name, fn)   {name, CALL, FIXED, 0, 0, 0, NULL, put_##fn},

static const row service_rows[] = {
#include "tables/config_service.def"
};
static const row network_rows[] = {
#include "tables/config_network.def"
};
static const row ns_rows[] = {
#include "tables/config_ns.def"
};
static const row set_rows[] = {
#include "tables/config_set.def"
};

#undef CONFIG_BOOL
#undef CONFIG_NUM
#undef CONFIG_TIME
#undef CONFIG_TEXT
#undef CONFIG_CALL

static void
set_defaults(const row *rows, size_t count, int64_t *values)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = rows[i].value;
    }
}

void
srv_config_defaults(srv_core *core)
{
    set_defaults(service_rows, SRV_SERVICE_CONFIGS, core->service);
    set_defaults(network_rows, SRV_NETWORK_CONFIGS, core->network);
}

void
srv_config_ns_defaults(srv_ns *ns)
{
    set_defaults(ns_rows, SRV_NS_CONFIGS, ns->config);
}

/* ---- asking ---- */

static void
put_value(const row *r, int64_t value, const srv_call *call, aero_buf *out)
{
    switch (r->kind) {
    case BOOL:
        aero_buf_put_str(out, value != 0 ? "true" : "false");
        break;
    case TEXT:
        aero_buf_put_str(out, r->text);
        break;
    case CALL:
        r->put(call, out);
        break;
    default:
        if (r->least < 0) {
            value = (uint32_t)value; /* -1 is printed so */
        }
        aero_buf_printf(out, "%lld", (long long)value);
    }
}

static void
put_rows(const row *rows, size_t count, const int64_t *values,
         const srv_call *call, aero_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        aero_buf_printf(out, "%s=", rows[i].name);
        put_value(&rows[i], values[i], call, out);
        aero_buf_put_str(out, ";");
    }
}

void
srv_config_put_service(const srv_call *call, aero_buf *out)
{
    put_rows(service_rows, SRV_SERVICE_CONFIGS, call->core->service, call,
             out);
}

void
srv_config_put_network(const srv_call *call, aero_buf *out)
{
    put_rows(network_rows, SRV_NETWORK_CONFIGS, call->core->network, call,
             out);
}

void
srv_config_put_ns(const srv_ns *ns, aero_buf *out)
{
    put_rows(ns_rows, SRV_NS_CONFIGS, ns->config, NULL, out);
}

void
srv_config_put_set(const srv_set *set, aero_buf *out)
{
    for (size_t i = 0; i < SRV_SET_CONFIGS; i++) {
        aero_buf_printf(out, ":%s=", set_rows[i].name);
        put_value(&set_rows[i], set->config[i], NULL, out);
    }
}

static void
chomp(aero_buf *out)
{
    if (!out->failed && out->len != 0 && out->ptr[out->len - 1] == ';') {
        out->len--;
    }
}

void
srv_info_get_config(srv_info *info)
{
    aero_span context;
    srv_param found;
    srv_ns *ns;

    if (info->params.len == 0) {
        srv_config_put_service(info->call, info->out);
        srv_config_put_network(info->call, info->out);
    }
    else if (srv_info_param(info, "context", 1023, true, &context) !=
             SRV_PARAM_GIVEN) {
        return;
    }
    else if (aero_span_is(context, "service")) {
        srv_config_put_service(info->call, info->out);
    }
    else if (aero_span_is(context, "network")) {
        srv_config_put_network(info->call, info->out);
    }
    else if (aero_span_is(context, "namespace")) {
        ns = srv_info_ns(info, "id", true, &found);
        if (ns != NULL) {
            srv_config_put_ns(ns, info->out);
        }
    }
    else if (!aero_span_is(context, "security") &&
             !aero_span_is(context, "xdr")) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "invalid context");
    }
    chomp(info->out);
}

/* ---- setting ---- */

/* A number and the unit behind it. */
static bool
read_number(aero_span text, const char *units, const int64_t *factors,
            int64_t *out)
{
    int64_t factor = 1;
    const char *unit;

    if (text.len == 0) {
        return false;
    }
    unit = strchr(units, text.ptr[text.len - 1] | 0x20);
    if (unit != NULL && *unit != '\0') {
        factor = factors[unit - units];
        text.len--;
    }
    if (!aero_info_number(text, out) || *out > INT64_MAX / factor ||
        *out < INT64_MIN / factor) {
        return false;
    }
    *out *= factor;
    return true;
}

static bool
read_value(const row *r, aero_span text, int64_t *out)
{
    static const int64_t sizes[] = {1 << 10, 1 << 20, 1 << 30};
    static const int64_t times[] = {1, 60, 3600, 86400};

    if (r->kind == BOOL) {
        *out = aero_span_is(text, "true");
        return *out != 0 || aero_span_is(text, "false");
    }
    if (r->kind == TIME) {
        if (aero_span_is(text, "-1")) {
            *out = UINT32_MAX;
        }
        else if (!read_number(text, "smhd", times, out)) {
            return false;
        }
        return *out >= r->least && *out <= r->most;
    }
    if (!read_number(text, "kmg", sizes, out)) {
        return false;
    }
    if (*out < 0 && r->least == 0 && r->most == UINT32_MAX) {
        *out = (uint32_t)*out; /* the real server lets it wrap */
    }
    return *out >= r->least && *out <= r->most;
}

/* Rows of the storage engine are set without its name, and those of other
 * groups within a namespace with a dash for the dot. */
static bool
names_row(const row *r, aero_span name)
{
    static const char engine[] = "storage-engine.";
    static const char geo[] = "geo2dsphere-within.";

    if (strncmp(r->name, engine, sizeof engine - 1) == 0) {
        return aero_span_is(name, r->name + sizeof engine - 1);
    }
    if (strncmp(r->name, geo, sizeof geo - 1) == 0) {
        return name.len == strlen(r->name) &&
               name.ptr[sizeof geo - 2] == '-' &&
               memcmp(name.ptr, geo, sizeof geo - 2) == 0 &&
               aero_span_is(aero_span_skip(name, sizeof geo - 1),
                            r->name + sizeof geo - 1);
    }
    return aero_span_is(name, r->name);
}

/* Set the first row that a parameter names. */
static bool
set_row(const srv_core *core, const row *rows, size_t count, int64_t *values,
        aero_span params)
{
    while (params.len != 0) {
        aero_span value = aero_span_cut(&params, ';');
        aero_span name = aero_span_cut(&value, '=');

        for (size_t i = 0; i < count; i++) {
            if (names_row(&rows[i], name)) {
                return rows[i].may != FIXED &&
                       (rows[i].may != EE || core->enterprise) &&
                       rows[i].kind < TEXT &&
                       read_value(&rows[i], value, &values[i]);
            }
        }
    }
    return false;
}

static bool
set_set(const srv_core *core, srv_ns *ns, aero_span name, aero_span params)
{
    uint16_t id = name.len != 0 ? srv_set_make(ns, name) : 0;

    if (id == 0 || !set_row(core, set_rows, SRV_SET_CONFIGS,
                            srv_set_of(ns, id)->config, params)) {
        return false;
    }
    return srv_index_keep_set(
        ns->indexes, id, srv_set_of(ns, id)->config[SRV_SET_enable_index]);
}

static bool
set_ns(srv_info *info, srv_ns *ns)
{
    const srv_core *core = info->call->core;
    int64_t old[SRV_NS_CONFIGS];
    aero_span set;

    if (aero_info_pair(info->params, ';', "set", &set)) {
        return set_set(core, ns, set, info->params);
    }
    memcpy(old, ns->config, sizeof old);
    if (!set_row(core, ns_rows, SRV_NS_CONFIGS, ns->config, info->params)) {
        memcpy(ns->config, old, sizeof old);
        return false;
    }
    if (ns->config[SRV_NS_default_ttl] != 0 &&
        ns->config[SRV_NS_nsup_period] == 0 &&
        ns->config[SRV_NS_allow_ttl_without_nsup] == 0) {
        memcpy(ns->config, old, sizeof old);
        return false;
    }
    return true;
}

static bool
set_service(srv_info *info)
{
    srv_core *core = info->call->core;
    aero_span name;

    if (aero_info_pair(info->params, ';', "cluster-name", &name)) {
        if (name.len == 0 || name.len >= sizeof core->cluster_name) {
            return false;
        }
        memcpy(core->cluster_name, name.ptr, name.len);
        core->cluster_name[name.len] = '\0';
        return true;
    }
    return set_row(core, service_rows, SRV_SERVICE_CONFIGS, core->service,
                   info->params);
}

/* The contexts that the Enterprise edition alone has. */
static bool
set_other(srv_info *info, aero_span context, bool *answered)
{
    *answered = true;
    if (!aero_span_is(context, "security") && !aero_span_is(context, "xdr")) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID, "invalid context");
    }
    else if (!info->call->core->enterprise) {
        srv_info_error(info, AERO_ERR_ENTERPRISE_ONLY, "enterprise only");
    }
    else {
        *answered = false;
    }
    return false;
}

void
srv_info_set_config(srv_info *info)
{
    srv_core *core = info->call->core;
    aero_span context;
    bool answered = false;
    bool good = false;

    if (srv_info_param(info, "context", 1023, true, &context) !=
        SRV_PARAM_GIVEN) {
        return;
    }
    if (aero_span_is(context, "service")) {
        good = set_service(info);
    }
    else if (aero_span_is(context, "network")) {
        good = set_row(core, network_rows, SRV_NETWORK_CONFIGS, core->network,
                       info->params);
    }
    else if (aero_span_is(context, "namespace")) {
        srv_param found;
        srv_ns *ns = srv_info_ns(info, "id", true, &found);

        answered = ns == NULL;
        good = ns != NULL && set_ns(info, ns);
    }
    else {
        good = set_other(info, context, &answered);
    }
    if (good) {
        srv_info_ok(info);
    }
    else if (!answered) {
        srv_info_error(info, AERO_ERR_REQUEST_INVALID,
                       "invalid set-config parameter");
    }
}

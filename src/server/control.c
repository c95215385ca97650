/* The control language: one line, one verb.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "host.h"

typedef struct request {
    aero_server *server;
    aero_span words; /* behind the verb */
    aero_buf *reply;
    aero_status *st;
} request;

typedef aero_rc (*verb_fn)(request *r);

/* ---- words ---- */

/* The value of a key among the words; false if it is not there. */
static bool
word(const request *r, const char *name, aero_span *value)
{
    aero_span words = r->words;
    aero_span key;

    while (srv_words_take(&words, &key, value)) {
        if (aero_span_is(key, name)) {
            return true;
        }
    }
    return false;
}

static aero_rc
number(const request *r, const char *name, bool needed, int64_t most,
       int64_t *out)
{
    aero_span value;

    if (!word(r, name, &value)) {
        return needed
                   ? aero_fail(r->st, AERO_ERR_PARAM, "%s= is missing", name)
                   : AERO_OK;
    }
    if (!aero_info_number(value, out) || *out < 0 || *out > most) {
        return aero_fail(r->st, AERO_ERR_PARAM, "bad %s=%.*s", name,
                         (int)value.len, value.ptr);
    }
    return AERO_OK;
}

/* Which node is meant; -1 for all if none need be named. */
static aero_rc
node_of(const request *r, bool needed, int64_t *node)
{
    *node = -1;
    return number(r, "node", needed,
                  (int64_t)r->server->core.cluster.count - 1, node);
}

/* ---- faults ---- */

static aero_rc
run_fault(request *r)
{
    unsigned id = srv_faults_add(&r->server->faults, &r->server->core.cluster,
                                 r->words, r->st);

    if (id == 0) {
        return AERO_ERROR;
    }
    aero_buf_printf(r->reply, "id=%u", id);
    return AERO_OK;
}

static aero_rc
run_clear(request *r)
{
    int64_t id = 0;
    int64_t node;

    if (number(r, "id", false, UINT32_MAX, &id) != AERO_OK ||
        node_of(r, false, &node) != AERO_OK) {
        return AERO_ERROR;
    }
    aero_buf_printf(
        r->reply, "cleared=%u",
        srv_faults_clear(&r->server->faults, (unsigned)id, (int)node));
    return AERO_OK;
}

static aero_rc
run_faults(request *r)
{
    srv_faults_put(&r->server->faults, r->reply);
    return AERO_OK;
}

/* ---- nodes ---- */

static aero_rc
take_down(request *r, unsigned node)
{
    srv_cluster *cluster = &r->server->core.cluster;

    if (cluster->view.n_alive == 1 && cluster->nodes[node].up) {
        return aero_fail(r->st, AERO_ERR_PARAM,
                         "node %u is the last that is up", node);
    }
    if (!srv_cluster_down(cluster, node)) {
        return aero_fail(r->st, AERO_ERR_PARAM, "node %u is down already",
                         node);
    }
    cluster->changed_ms = srv_clock_ms(&r->server->core.clock);
    srv_listeners_pause(r->server, node);
    srv_sessions_close(r->server, (int)node);
    return AERO_OK;
}

static aero_rc
bring_up(request *r, unsigned node)
{
    srv_cluster *cluster = &r->server->core.cluster;

    if (cluster->nodes[node].up) {
        return aero_fail(r->st, AERO_ERR_PARAM, "node %u is up already", node);
    }
    if (srv_listeners_resume(r->server, node, r->st) != AERO_OK) {
        srv_listeners_pause(r->server, node);
        return AERO_ERROR;
    }
    srv_cluster_up(cluster, node);
    cluster->changed_ms = srv_clock_ms(&r->server->core.clock);
    return AERO_OK;
}

static aero_rc
run_down(request *r)
{
    int64_t node;

    return node_of(r, true, &node) == AERO_OK ? take_down(r, (unsigned)node)
                                              : AERO_ERROR;
}

static aero_rc
run_up(request *r)
{
    int64_t node;

    return node_of(r, true, &node) == AERO_OK ? bring_up(r, (unsigned)node)
                                              : AERO_ERROR;
}

/* The only node of a cluster cannot leave it, but it can begin again. */
static aero_rc
run_restart(request *r)
{
    srv_cluster *cluster = &r->server->core.cluster;
    int64_t node;

    if (node_of(r, true, &node) != AERO_OK) {
        return AERO_ERROR;
    }
    if (cluster->view.n_alive == 1) {
        srv_sessions_close(r->server, (int)node);
        srv_cluster_restart_last(cluster, (unsigned)node);
        return AERO_OK;
    }
    return take_down(r, (unsigned)node) == AERO_OK
               ? bring_up(r, (unsigned)node)
               : AERO_ERROR;
}

/* ---- data and time ---- */

static aero_rc
run_flush(request *r)
{
    srv_core *core = &r->server->core;
    aero_span name;
    aero_span set;
    bool one = word(r, "ns", &name);
    bool one_set = word(r, "set", &set);

    if (one && srv_core_ns(core, name) == NULL) {
        return aero_fail(r->st, AERO_ERR_PARAM, "there is no namespace %.*s",
                         (int)name.len, name.ptr);
    }
    for (unsigned i = 0; i < core->n_ns; i++) {
        srv_ns *ns = core->ns[i];
        uint16_t id = one_set ? srv_set_find(ns, set) : 0;

        if ((!one || aero_span_is(name, ns->name)) && (!one_set || id != 0)) {
            srv_ns_truncate(ns, id, UINT64_MAX);
        }
    }
    return AERO_OK;
}

static aero_rc
run_advance(request *r)
{
    enum {
        TEN_YEARS = 10 * 366 * 86400
    };
    srv_core *core = &r->server->core;
    int64_t seconds;

    if (number(r, "seconds", true, TEN_YEARS, &seconds) != AERO_OK) {
        return AERO_ERROR;
    }
    core->clock.ahead_ms += (uint64_t)seconds * 1000;
    srv_core_tick(core);
    return AERO_OK;
}

/* ---- asking ---- */

static void
put_counts(const srv_node *node, uint64_t counts[SRV_CLASSES + 1])
{
    for (int i = 0; i < SRV_CLASSES; i++) {
        counts[i] += node->requests[i];
    }
    counts[SRV_CLASSES] += node->opened - node->closed;
}

static aero_rc
run_counts(request *r)
{
    const srv_cluster *cluster = &r->server->core.cluster;
    uint64_t counts[SRV_CLASSES + 1] = {0};
    int64_t node;

    if (node_of(r, false, &node) != AERO_OK) {
        return AERO_ERROR;
    }
    for (unsigned i = 0; i < cluster->count; i++) {
        if (node < 0 || (unsigned)node == i) {
            put_counts(&cluster->nodes[i], counts);
        }
    }
    for (int i = 0; i < SRV_CLASSES; i++) {
        aero_buf_printf(r->reply, "%s=%llu ", srv_class_name((srv_class)i),
                        (unsigned long long)counts[i]);
    }
    aero_buf_printf(r->reply, "connections=%llu",
                    (unsigned long long)counts[SRV_CLASSES]);
    return AERO_OK;
}

/* ---- the table ---- */

static const struct {
    const char *verb;
    verb_fn run;
} verbs[] = {
    {"fault", run_fault}, {"clear", run_clear},     {"faults", run_faults},
    {"down", run_down},   {"up", run_up},           {"restart", run_restart},
    {"flush", run_flush}, {"advance", run_advance}, {"counts", run_counts},
};

aero_rc
srv_control_run(aero_server *server, aero_span line, aero_buf *reply,
                aero_status *st)
{
    request r = {server, line, reply, st};
    aero_span verb;
    aero_span value;

    reply->len = 0;
    if (!srv_words_take(&r.words, &verb, &value)) {
        return aero_fail(st, AERO_ERR_PARAM, "there is no verb");
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (aero_span_is(verb, verbs[i].verb)) {
            return verbs[i].run(&r);
        }
    }
    return aero_fail(st, AERO_ERR_PARAM, "unknown verb '%.*s'", (int)verb.len,
                     verb.ptr);
}

/* ---- from info requests ---- */

static void
control_hook(void *ctx, aero_span line, aero_buf *out)
{
    aero_buf reply = AERO_BUF_INIT;
    aero_status st;

    aero_status_clear(&st);
    if (srv_control_run(ctx, line, &reply, &st) == AERO_OK) {
        aero_buf_put_str(out, reply.len != 0 ? "" : "ok");
        aero_buf_put_span(out, aero_buf_span(&reply));
    }
    else {
        aero_buf_printf(out, "ERROR:%d:%s", AERO_ERR_REQUEST_INVALID, st.text);
    }
    out->failed = out->failed || reply.failed;
    aero_buf_fini(&reply);
}

static void
user_agents_hook(void *ctx, unsigned node, aero_buf *out)
{
    const aero_server *server = ctx;
    const char *mark = "";

    for (const srv_session *s = server->sessions; s != NULL; s = s->next) {
        if (s->node == node && s->agent[0] != '\0') {
            aero_buf_printf(out, "%suser-agent=%s:count=1", mark, s->agent);
            mark = ";";
        }
    }
}

static bool
view_hook(void *ctx, const srv_node *node, srv_view *view, unsigned *who)
{
    aero_server *server = ctx;

    return srv_faults_view(&server->faults, &server->core.cluster, node, view,
                           who);
}

void
srv_hooks_init(aero_server *server)
{
    server->hooks.control = control_hook;
    server->hooks.user_agents = user_agents_hook;
    server->hooks.view = view_hook;
    server->hooks.ctx = server;
}

void
srv_log(aero_server *server, const char *fmt, ...)
{
    char line[256];
    va_list args;

    if (server->log == NULL) {
        return;
    }
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    server->log(server->log_data, line);
}

void
srv_log_script(void *data, int level, const char *text)
{
    static const char *const levels[] = {"warning", "info", "debug", "trace"};

    srv_log(data, "script: %s: %s",
            level >= 1 && level <= 4 ? levels[level - 1] : "info", text);
}

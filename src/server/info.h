/* The info protocol: lines of commands, lines of answers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_INFO_H
#define SRV_INFO_H

#include "serve.h"

/* Where the parts of the server that stand above this one are reached. */
typedef struct srv_info_hooks {
    /* "local:...": run a line of the control language. */
    void (*control)(void *ctx, aero_span line, aero_buf *out);
    /* The clients that connected: "<b64>=<count>;..." is put. */
    void (*user_agents)(void *ctx, unsigned node, aero_buf *out);
    /* What the node says of its partitions: true when it is not the truth. */
    bool (*view)(void *ctx, const srv_node *node, srv_view *view,
                 unsigned *who);
    void *ctx;
} srv_info_hooks;

typedef struct srv_info {
    const srv_call *call;
    const srv_info_hooks *hooks;
    aero_span user_agent; /* what the connection has said; empty: nothing */
    char *agent_room;     /* where it is kept: SRV_AGENT_MAX bytes */
    aero_span params;     /* of the command that is answered */
    aero_buf *out;
} srv_info;

enum {
    SRV_AGENT_MAX = 88 /* what is kept of it, with a NUL */
};

/* Answer a body of type 1 with one whole frame.  The parts of `info` that
 * the caller sets are call, hooks, user_agent and agent_room. */
void srv_info_answer(srv_info *info, aero_span body, aero_buf *out);

/* ---- between the files ---- */

void srv_info_error(srv_info *info, int code, const char *fmt, ...)
    AERO_PRINTF(3, 4);
void srv_info_ok(srv_info *info);

typedef enum srv_param {
    SRV_PARAM_GIVEN,
    SRV_PARAM_MISSING,
    SRV_PARAM_BAD /* the error was answered */
} srv_param;

/* Values that are longer than `most` or empty are answered with an error, and
 * so is a missing one that is needed. */
srv_param srv_info_param(srv_info *info, const char *name, size_t most,
                         bool needed, aero_span *value);
/* The same for a name and its old name; errors say the first. */
srv_param srv_info_param_alias(srv_info *info, const char *name,
                               const char *alias, size_t most, bool needed,
                               aero_span *value);
/* NULL: the error was answered, or none was given and none is needed. */
srv_ns *srv_info_ns(srv_info *info, const char *alias, bool needed,
                    srv_param *param);
/* "12", "0x1f", "017" */
bool srv_info_u64(aero_span text, uint64_t *out);

/* "key=value;" of the configurations and statistics. */
void srv_config_put_service(const srv_call *call, aero_buf *out);
void srv_config_put_network(const srv_call *call, aero_buf *out);
void srv_config_put_ns(const srv_ns *ns, aero_buf *out);
void srv_config_put_set(const srv_set *set, aero_buf *out);
void srv_config_defaults(srv_core *core);
void srv_config_ns_defaults(srv_ns *ns);
void srv_stats_put_ns(const srv_call *call, const srv_ns *ns, aero_buf *out);
void srv_stats_put_node(const srv_call *call, aero_buf *out);
/* The objects of which the node is master (0) or has another replica (1). */
uint64_t srv_stats_objects(const srv_core *core, const srv_node *node,
                           const srv_ns *ns, int replica);

#define INFO(name, fn, kind, need) void srv_info_##fn(srv_info *info);
#include "tables/info.def"
#undef INFO

#endif

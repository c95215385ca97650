/* What the files of a command share: cmd_begin.c (before the first step),
 * cmd.c (the states), cmd_fail.c (what comes of a failure) and cmd_gather.c (a
 * row of a request of others).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_CMD_PARTS_H
#define AERO_CLIENT_CMD_PARTS_H

#include "aero/client/cmd.h"

enum {
    AERO_CMD_RESULT_AT = 5 /* in a message */
};

static inline void
aero_cmd_release_map(aero_cmd *cmd)
{
    aero_map_release(cmd->map);
    cmd->map = NULL;
}

static inline void
aero_cmd_release_node(aero_cmd *cmd)
{
    if (cmd->node != NULL && !cmd->node_is_given) {
        aero_node_release(cmd->node);
        cmd->node = NULL;
    }
}

/* An attempt begins at `from`. */
static inline void
aero_cmd_limit_attempt(aero_cmd *cmd, uint64_t from)
{
    cmd->attempt_by = aero_clock_after(from, cmd->socket_ms);
    if (cmd->attempt_by > cmd->total_by) {
        cmd->attempt_by = cmd->total_by;
    }
}

/* Where this command is counted; NULL: nobody wants to know. */
static inline aero_ns_metrics *
aero_cmd_metrics(const aero_cmd *cmd)
{
    if (!atomic_load_explicit(&cmd->cluster->metrics.on,
                              memory_order_relaxed) ||
        cmd->node == NULL) {
        return NULL;
    }
    return aero_metrics_row(&cmd->node->metrics, &cmd->cluster->metrics,
                            aero_span_of(cmd->ns, cmd->ns_len));
}

/* ---- cmd.c ---- */

/* aero_cmd_step as the step of its job. */
aero_rc aero_cmd_step_job(aero_job *job);
/* Take the map as it is now and look for the node in it (borrowed). */
aero_node *aero_cmd_look_up(aero_cmd *cmd, const aero_table **table);
/* It has no connection any more, and no place in a queue. */
void aero_cmd_end_attempt(aero_cmd *cmd);
/* May another attempt bring another answer than this result? */
bool aero_cmd_is_retryable(uint8_t result);
aero_rc aero_cmd_end(aero_cmd *cmd, aero_rc rc);

/* ---- cmd_fail.c: AERO_OK where another attempt follows ---- */

/* The connection is broken: others of this node may be, too. */
void aero_cmd_drop_conn(aero_cmd *cmd);
/* It ends with what st says. */
aero_rc aero_cmd_fail(aero_cmd *cmd);
/* The attempt failed for a reason that may pass: try again or end. */
aero_rc aero_cmd_try_again(aero_cmd *cmd, int32_t code);
aero_rc aero_cmd_time_out(aero_cmd *cmd);
/* The connection, or what came over it, is no good. */
aero_rc aero_cmd_lose_conn(aero_cmd *cmd);

#endif

/* How an attempt fails, and what comes of it: another one, or the end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/cluster/drain.h"
#include "cmd_parts.h"

enum {
    DRAIN_LEAST_MS = 1 /* a delay of 0 means: do not drain */
};

/* ---- the connection ---- */

/* The connection is broken: others of this node may be, too. */
void
aero_cmd_drop_conn(aero_cmd *cmd)
{
    if (cmd->pool != NULL) {
        if (cmd->conn != NULL) {
            atomic_fetch_add(&cmd->node->epoch, 1);
        }
        aero_pool_drop(cmd->pool, cmd->conn);
    }
    aero_cmd_end_attempt(cmd);
}

/* The reply is still to come and nobody waits for it. */
static void
leave_conn(aero_cmd *cmd)
{
    aero_drain *drain = NULL;

    if (cmd->conn != NULL && cmd->state == AERO_CMD_EXCHANGE && cmd->x.sent &&
        cmd->delay_ms >= DRAIN_LEAST_MS && !cmd->no_drain) {
        drain = aero_drain_new(
            cmd->cluster, cmd->node, cmd->pool, cmd->conn, &cmd->x,
            cmd->is_batch, aero_clock_after(aero_clock_now(), cmd->delay_ms));
    }
    if (cmd->conn != NULL && cmd->state == AERO_CMD_EXCHANGE) {
        aero_exchange_fini(&cmd->x); /* the drain has taken what it needs */
    }
    if (drain == NULL) {
        aero_cmd_drop_conn(cmd);
        return;
    }
    aero_cmd_end_attempt(cmd);
    if (cmd->source != NULL) {
        cmd->source->drain(cmd->source->ctx, drain);
    }
    else {
        aero_drain_submit(drain);
    }
}

/* ---- the command ---- */

static bool
is_in_doubt(const aero_cmd *cmd, int32_t code)
{
    return cmd->is_write &&
           (cmd->n_sent > 1 ||
            (cmd->n_sent == 1 && (code == AERO_ERR_TIMEOUT || code <= 0)));
}

aero_rc
aero_cmd_fail(aero_cmd *cmd)
{
    cmd->st.in_doubt = is_in_doubt(cmd, cmd->st.code);
    return aero_cmd_end(cmd, AERO_ERROR);
}

/* Replicas go round; but a write that may only have been slow stays where it
 * is. */
static bool
moves_on(const aero_cmd *cmd, int32_t code)
{
    bool slow = code == AERO_ERR_TIMEOUT ||
                code == AERO_ERR_NO_MORE_CONNECTIONS ||
                code == AERO_ERR_MAX_ERROR_RATE;

    return !(slow && (cmd->is_write || cmd->linearize));
}

/* The attempt failed for a reason that may pass: try again or end. */
aero_rc
aero_cmd_try_again(aero_cmd *cmd, int32_t code)
{
    uint64_t now = aero_clock_now();
    uint64_t from = now;
    bool moved = moves_on(cmd, code);

    if (cmd->no_retry || cmd->try_no >= cmd->max_retries ||
        now >= cmd->total_by) {
        return aero_cmd_fail(cmd);
    }
    /* The pause is skipped when the first retry goes to another copy. */
    if (cmd->pause_ms != 0 &&
        !(cmd->try_no == 0 && moved && !cmd->node_is_given)) {
        from = aero_clock_after(now, cmd->pause_ms);
    }
    if (from >= cmd->total_by) {
        return aero_cmd_fail(cmd);
    }
    cmd->try_no++;
    cmd->replica_no += moved;
    atomic_fetch_add_explicit(&cmd->cluster->n_retries, 1,
                              memory_order_relaxed);
    aero_cmd_limit_attempt(cmd, from);
    cmd->state = from > now ? AERO_CMD_PAUSE : AERO_CMD_ROUTE;
    cmd->job.fd = -1;
    cmd->job.want = AERO_WANT_NOTHING;
    cmd->job.by = from > now ? from : cmd->attempt_by;
    return AERO_OK;
}

/* ---- reasons ---- */

static void
count_failure(const aero_cmd *cmd, bool is_timeout)
{
    aero_ns_metrics *row = aero_cmd_metrics(cmd);

    if (row != NULL) {
        atomic_fetch_add(is_timeout ? &row->timeouts : &row->errors, 1);
    }
}

static bool
is_final(int32_t code)
{
    return code == AERO_ERR_CLIENT_ABORT || code == AERO_ERR_PARAM ||
           code == AERO_ERR_NAMESPACE_NOT_FOUND;
}

static const char *
what_it_did(const aero_cmd *cmd)
{
    switch (cmd->state) {
    case AERO_CMD_CONNECT:
        return "waiting for a connection";
    case AERO_CMD_OPEN:
        return "opening a connection";
    case AERO_CMD_GATHERED:
        return "waiting for a coalesced reply";
    case AERO_CMD_EXCHANGE:
        return cmd->x.sent ? "waiting for the reply" : "sending the request";
    default:
        return "waiting to try again";
    }
}

aero_rc
aero_cmd_time_out(aero_cmd *cmd)
{
    bool total = aero_clock_now() >= cmd->total_by;

    aero_fail(&cmd->st, AERO_ERR_TIMEOUT,
              "timeout: %s of %u ms has passed in attempt %u, %s%s%s",
              total ? "total_timeout" : "socket_timeout",
              total ? cmd->total_ms : cmd->socket_ms, cmd->try_no + 1,
              what_it_did(cmd), cmd->node != NULL ? " of node " : "",
              cmd->node != NULL ? cmd->node->name : "");
    if (cmd->node != NULL && cmd->state != AERO_CMD_CONNECT) {
        atomic_fetch_add(&cmd->node->n_timeouts, 1);
        count_failure(cmd, true);
        aero_node_count_error(cmd->node);
    }
    leave_conn(cmd);
    return aero_cmd_try_again(cmd, AERO_ERR_TIMEOUT);
}

/* The connection, or what came over it, is no good. */
aero_rc
aero_cmd_lose_conn(aero_cmd *cmd)
{
    count_failure(cmd, false);
    aero_node_count_error(cmd->node);
    aero_cmd_drop_conn(cmd);
    if (is_final(cmd->st.code)) {
        return aero_cmd_fail(cmd);
    }
    if (cmd->node != NULL && cmd->st.code < 0) {
        char at[AERO_ADDR_TEXT_MAX];

        aero_addr_text(&cmd->node->addr, at);
        aero_status_prefix(&cmd->st, "node %s at %s", cmd->node->name, at);
    }
    return aero_cmd_try_again(cmd, cmd->st.code);
}

void
aero_cmd_cancel(aero_cmd *cmd, int32_t code, const char *why)
{
    if (cmd->state == AERO_CMD_DONE) {
        return;
    }
    aero_fail(&cmd->st, code, "%s", why);
    leave_conn(cmd);
    aero_cmd_fail(cmd);
}

void
aero_cmd_refuse(aero_cmd *cmd, const aero_status *st)
{
    cmd->st = *st;
    aero_cmd_end(cmd, AERO_ERROR);
    memcpy(cmd->st.node, st->node, sizeof cmd->st.node);
}

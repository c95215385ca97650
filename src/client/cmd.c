/* The states of a command that goes well.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/admin.h"
#include "cmd_parts.h"

enum {
    FRESH_MS = 1000 /* a connection idle for longer is looked at */
};

void
aero_cmd_leave_queue(aero_cmd *cmd)
{
    if (cmd->queued) {
        cmd->source->leave(cmd->source->ctx, cmd);
        cmd->queued = false;
    }
}

/* ---- giving the connection back ---- */

void
aero_cmd_end_attempt(aero_cmd *cmd)
{
    aero_cmd_leave_queue(cmd);
    if (cmd->greeting_runs) {
        aero_greeting_fini(&cmd->greeting);
        cmd->greeting_runs = false;
    }
    cmd->conn = NULL;
    cmd->job.conn = NULL;
    cmd->job.fd = -1;
    aero_pool_release(cmd->pool);
    cmd->pool = NULL;
}

static void
give_conn(aero_cmd *cmd)
{
    if (cmd->conn == NULL) {
        return;
    }
    cmd->conn->epoch =
        atomic_load_explicit(&cmd->node->epoch, memory_order_relaxed);
    aero_pool_give(cmd->pool, cmd->conn, cmd->looked_at);
    aero_cmd_end_attempt(cmd);
}

/* ---- metrics ---- */

/* A reply has come, with this result. */
static void
count_reply(const aero_cmd *cmd, uint8_t result)
{
    aero_ns_metrics *row = aero_cmd_metrics(cmd);

    if (row == NULL) {
        return;
    }
    atomic_fetch_add(&row->bytes_in, cmd->x.received);
    atomic_fetch_add(&row->bytes_out, cmd->out.len);
    aero_metrics_time(row,
                      cmd->latency == AERO_LATENCY_READ && cmd->is_write
                          ? AERO_LATENCY_WRITE
                          : (aero_latency)cmd->latency,
                      aero_clock_now() - cmd->sent_at);
    switch (result) {
    case AERO_ERR_OK:
    case AERO_ERR_RECORD_NOT_FOUND:
    case AERO_ERR_FILTERED_OUT:
        break;
    case AERO_ERR_TIMEOUT:
        atomic_fetch_add(&row->timeouts, 1);
        break;
    case AERO_ERR_RECORD_BUSY:
        atomic_fetch_add(&row->busy, 1);
        break;
    default:
        atomic_fetch_add(&row->errors, 1);
    }
}

/* ---- the states ---- */

aero_rc
aero_cmd_end(aero_cmd *cmd, aero_rc rc)
{
    cmd->state = AERO_CMD_DONE;
    cmd->rc = rc;
    cmd->job.fd = -1;
    cmd->job.want = AERO_WANT_NOTHING;
    cmd->st.attempts = cmd->n_sent;
    if (cmd->node != NULL) {
        memcpy(cmd->st.node, cmd->node->name, sizeof cmd->st.node);
    }
    aero_cmd_release_node(cmd);
    aero_cmd_release_map(cmd);
    return rc;
}

static aero_span
ns_of(const aero_cmd *cmd)
{
    return aero_span_of(cmd->ns, cmd->ns_len);
}

/* Take the map as it is now and look for the node in it (borrowed). */
aero_node *
aero_cmd_look_up(aero_cmd *cmd, const aero_table **table)
{
    aero_route how = {
        .policy = cmd->replica,
        .is_write = cmd->is_write,
        .linearize = cmd->linearize,
        .session = cmd->session,
        .try_no = cmd->replica_no,
        .rack_ids = cmd->rack_ids,
        .n_rack_ids = cmd->n_rack_ids,
        .previous = cmd->node,
    };

    if (how.policy == AERO_REPLICA_ANY || how.policy == AERO_REPLICA_RANDOM) {
        how.turn = aero_cluster_turn(cmd->cluster);
    }
    aero_cmd_release_map(cmd);
    cmd->map = aero_cluster_map(cmd->cluster);
    *table = cmd->map == NULL ? NULL : aero_map_table(cmd->map, ns_of(cmd));
    return *table == NULL
               ? NULL
               : aero_map_route(cmd->map, *table, cmd->partition, &how);
}

static aero_rc
route(aero_cmd *cmd)
{
    aero_span ns = ns_of(cmd);
    const aero_table *table;
    aero_node *node;

    if (cmd->node_is_given) {
        cmd->state = AERO_CMD_CONNECT;
        return AERO_OK;
    }
    node = aero_cmd_look_up(cmd, &table);
    aero_cmd_release_node(cmd);
    if (node != NULL) {
        cmd->node = aero_node_acquire(node);
        cmd->state = AERO_CMD_CONNECT;
        return AERO_OK;
    }
    if (table == NULL && cmd->map != NULL && cmd->map->n_nodes != 0) {
        aero_fail(&cmd->st, AERO_ERR_NAMESPACE_NOT_FOUND,
                  "Invalid namespace: %.*s", (int)ns.len, ns.ptr);
        return aero_cmd_fail(cmd);
    }
    aero_fail(&cmd->st, AERO_ERR_INVALID_NODE,
              "no node serves partition %u of namespace '%.*s'",
              cmd->partition, (int)ns.len, ns.ptr);
    return aero_cmd_try_again(cmd, AERO_ERR_INVALID_NODE);
}

/* A connection that was idle for long, or since before another one broke, is
 * looked at: a stale one would put a first write in doubt. */
static bool
is_good(const aero_cmd *cmd, aero_conn *conn)
{
    if (conn->epoch ==
            atomic_load_explicit(&cmd->node->epoch, memory_order_relaxed) &&
        cmd->began_at < conn->used_at + FRESH_MS * AERO_NS_PER_MS) {
        return true;
    }
    return aero_conn_is_silent(conn);
}

static aero_rc
open_new(aero_cmd *cmd)
{
    cmd->conn_is_new = true;
    cmd->sent_at = aero_clock_now();
    if (!aero_node_may_try(cmd->node)) {
        aero_pool_drop(cmd->pool, NULL);
        aero_cmd_end_attempt(cmd);
        aero_fail(&cmd->st, AERO_ERR_MAX_ERROR_RATE,
                  "node %s has had too many errors", cmd->node->name);
        return aero_cmd_try_again(cmd, AERO_ERR_MAX_ERROR_RATE);
    }
    cmd->conn = aero_conn_new(&cmd->node->addr,
                              aero_cluster_tls(&cmd->cluster->config),
                              cmd->node->tls_name, &cmd->st);
    if (cmd->conn == NULL) {
        return aero_cmd_lose_conn(cmd);
    }
    if (cmd->source != NULL) {
        cmd->source->opened(cmd->source->ctx, cmd->conn, cmd->pool);
    }
    aero_greeting_init(&cmd->greeting, cmd->cluster, cmd->node->login, false);
    cmd->greeting_runs = true;
    cmd->state = AERO_CMD_OPEN;
    cmd->job.conn = cmd->conn;
    cmd->job.fd = cmd->conn->fd;
    if (cmd->connect_ms != 0) {
        uint64_t by = aero_clock_after(aero_clock_now(), cmd->connect_ms);

        cmd->job.by = by < cmd->attempt_by ? by : cmd->attempt_by;
    }
    return AERO_OK;
}

static void
begin_exchange(aero_cmd *cmd)
{
    uint64_t now =
        cmd->try_no == 0 && !cmd->waited ? cmd->began_at : aero_clock_now();
    uint64_t left_ms = 0;

    cmd->sent_at = now;
    if (cmd->attempt_by != AERO_NEVER) {
        left_ms = cmd->attempt_by > now
                      ? (cmd->attempt_by - now) / AERO_NS_PER_MS
                      : 1;
    }
    if (cmd->head_at >= 0) {
        uint64_t total_ms = cmd->total_by == AERO_NEVER
                                ? 0
                                : (cmd->total_by - now) / AERO_NS_PER_MS;
        uint32_t budget =
            cmd->socket_ms != 0 && (total_ms == 0 || cmd->socket_ms < total_ms)
                ? cmd->socket_ms
                : (uint32_t)total_ms;

        aero_msg_patch_budget(&cmd->out, (size_t)cmd->head_at, budget);
    }
    if (cmd->conn->tls == NULL) {
        cmd->conn->io = cmd->job.io != NULL ? cmd->job.io : &aero_conn_plain;
    }
    cmd->conn->patience_ms = (uint32_t)left_ms;
    aero_exchange_init(&cmd->x, cmd->conn, aero_buf_span(&cmd->out), &cmd->in,
                       cmd->frame_type);
    cmd->x.is_watched = cmd->source != NULL;
    cmd->x.on_frame = cmd->on_frame;
    cmd->x.ctx = cmd->ctx;
    cmd->state = AERO_CMD_EXCHANGE;
    cmd->job.conn = cmd->conn;
    cmd->job.fd = cmd->conn->fd;
    cmd->job.by = cmd->attempt_by;
}

static aero_rc
take_conn(aero_cmd *cmd)
{
    aero_rc rc;

    if (cmd->queued) {
        return AERO_MORE;
    }
    cmd->pool = cmd->source != NULL
                    ? cmd->source->pool_of(cmd->source->ctx, cmd->node)
                    : aero_pool_acquire(cmd->node->pool);
    if (cmd->pool == NULL) {
        aero_fail(&cmd->st, AERO_ERR_CLIENT, "no memory for a pool");
        return aero_cmd_fail(cmd);
    }
    while ((rc = aero_pool_take(cmd->pool, &cmd->conn)) == AERO_OK &&
           !is_good(cmd, cmd->conn)) {
        aero_pool_drop(cmd->pool, cmd->conn);
        cmd->conn = NULL;
    }
    if (rc == AERO_OK) {
        cmd->conn_is_new = false;
        begin_exchange(cmd);
        return AERO_OK;
    }
    if (rc == AERO_MORE) {
        return open_new(cmd);
    }
    if (cmd->source != NULL) {
        rc = cmd->source->wait(cmd->source->ctx, cmd, cmd->pool);
    }
    aero_cmd_end_attempt(cmd);
    cmd->queued = rc == AERO_MORE;
    if (rc == AERO_MORE) {
        return AERO_MORE;
    }
    aero_fail(&cmd->st, AERO_ERR_NO_MORE_CONNECTIONS,
              "all connections to node %s are in use", cmd->node->name);
    return aero_cmd_try_again(cmd, AERO_ERR_NO_MORE_CONNECTIONS);
}

static aero_rc
open_conn(aero_cmd *cmd)
{
    aero_rc rc = aero_greeting_step(&cmd->greeting, cmd->conn, &cmd->st);
    aero_ns_metrics *row;

    if (rc == AERO_MORE) {
        cmd->job.want = cmd->conn->want;
        return AERO_MORE;
    }
    aero_greeting_fini(&cmd->greeting);
    cmd->greeting_runs = false;
    if (rc == AERO_ERROR) {
        return aero_cmd_lose_conn(cmd);
    }
    row = aero_cmd_metrics(cmd);
    if (row != NULL) {
        aero_metrics_time(row, AERO_LATENCY_CONN,
                          aero_clock_now() - cmd->sent_at);
    }
    if (cmd->source != NULL) {
        cmd->source->is_open(cmd->source->ctx, cmd->conn);
    }
    cmd->waited = true;
    begin_exchange(cmd);
    return AERO_OK;
}

bool
aero_cmd_is_retryable(uint8_t result)
{
    return result == AERO_ERR_TIMEOUT || result == AERO_ERR_CLUSTER ||
           result == AERO_ERR_DEVICE_OVERLOAD;
}

static aero_rc
conclude_admin(aero_cmd *cmd)
{
    aero_span body = aero_cmd_body(cmd);
    aero_admin head;

    if (aero_admin_take(&body, &head, &cmd->st) != AERO_OK) {
        return aero_cmd_lose_conn(cmd);
    }
    cmd->result = head.result;
    if (cmd->result == AERO_ERR_NOT_AUTHENTICATED) {
        aero_node_wants_login(cmd->node);
        aero_cmd_drop_conn(cmd);
    }
    else {
        give_conn(cmd);
    }
    return aero_cmd_end(cmd, AERO_OK);
}

/* A whole reply is there. */
static aero_rc
conclude(aero_cmd *cmd)
{
    aero_span body;

    aero_exchange_fini(&cmd->x);
    if (cmd->frame_type == AERO_FRAME_ADMIN && cmd->on_frame == NULL) {
        return conclude_admin(cmd);
    }
    if (cmd->on_frame != NULL || cmd->frame_type != AERO_FRAME_MESSAGE) {
        count_reply(cmd, AERO_ERR_OK);
        give_conn(cmd);
        return aero_cmd_end(cmd, AERO_OK);
    }
    body = aero_cmd_body(cmd);
    if (body.len < AERO_MSG_HEAD) {
        aero_fail(&cmd->st, AERO_ERR_CLIENT,
                  "reply of %zu bytes is no message", body.len);
        return aero_cmd_lose_conn(cmd);
    }
    cmd->result = body.ptr[AERO_CMD_RESULT_AT];
    count_reply(cmd, cmd->result);
    if (cmd->result == AERO_ERR_NOT_AUTHENTICATED) {
        aero_node_wants_login(cmd->node);
        aero_cmd_drop_conn(cmd);
        return aero_cmd_end(cmd, AERO_OK);
    }
    give_conn(cmd);
    if (cmd->result == AERO_ERR_RECORD_BUSY) {
        atomic_fetch_add(&cmd->node->n_busy, 1);
    }
    if (!aero_cmd_is_retryable(cmd->result)) {
        return aero_cmd_end(cmd, AERO_OK);
    }
    aero_node_count_error(cmd->node);
    cmd->st.from_server = true;
    aero_fail(&cmd->st, cmd->result, "%s", aero_result_text(cmd->result));
    return aero_cmd_try_again(cmd, cmd->result);
}

static aero_rc
exchange(aero_cmd *cmd)
{
    bool was_sent = cmd->x.sent;
    aero_rc rc = aero_exchange_step(&cmd->x, &cmd->st);

    if (cmd->x.sent && !was_sent) {
        cmd->n_sent++;
    }
    if (rc == AERO_MORE) {
        cmd->job.want = cmd->conn->want;
        return AERO_MORE;
    }
    if (rc == AERO_OK) {
        return conclude(cmd);
    }
    aero_exchange_fini(&cmd->x);
    return aero_cmd_lose_conn(cmd);
}

aero_rc
aero_cmd_step(aero_cmd *cmd)
{
    aero_job *job = &cmd->job;
    aero_rc rc = AERO_OK;

    /* The first step needs no look at the clock. */
    if (cmd->state != AERO_CMD_ROUTE) {
        cmd->looked_at = aero_clock_now();
    }
    if (cmd->state != AERO_CMD_ROUTE && cmd->looked_at >= job->by) {
        if (cmd->state == AERO_CMD_PAUSE) {
            cmd->state = AERO_CMD_ROUTE;
            job->by = cmd->attempt_by;
        }
        else {
            rc = aero_cmd_time_out(cmd);
        }
    }
    while (rc == AERO_OK && cmd->state != AERO_CMD_DONE) {
        switch (cmd->state) {
        case AERO_CMD_ROUTE:
            rc = route(cmd);
            break;
        case AERO_CMD_CONNECT:
            rc = take_conn(cmd);
            break;
        case AERO_CMD_OPEN:
            rc = open_conn(cmd);
            break;
        case AERO_CMD_EXCHANGE:
            rc = exchange(cmd);
            break;
        case AERO_CMD_PAUSE:
        case AERO_CMD_GATHERED:
            return AERO_MORE;
        case AERO_CMD_DONE:
            break;
        }
    }
    return cmd->state == AERO_CMD_DONE ? cmd->rc : rc;
}

aero_rc
aero_cmd_step_job(aero_job *job)
{
    return aero_cmd_step((aero_cmd *)job);
}

/* Commands.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/cmd.h"
#include "aero/cluster/drain.h"
#include "aero/wire/admin.h"

enum {
    RESULT_AT = 5,     /* in a message */
    FRESH_MS = 1000,   /* a connection idle for longer is looked at */
    DRAIN_LEAST_MS = 1 /* a delay of 0 means: do not drain */
};

static aero_rc step(aero_job *job);

static aero_rc
run_one_job(aero_task *task)
{
    aero_cmd *cmd = (aero_cmd *)((char *)task - offsetof(aero_cmd, task));

    return cmd->state == AERO_CMD_DONE ? cmd->rc : AERO_MORE;
}

void
aero_cmd_init(aero_cmd *cmd)
{
    memset(cmd, 0, sizeof *cmd);
    aero_cmd_reset(cmd);
}

void
aero_cmd_reset(aero_cmd *cmd)
{
    cmd->job.step = step;
    cmd->job.fd = -1;
    cmd->job.conn = NULL;
    cmd->job.io = NULL;
    cmd->job.held = false;
    cmd->task.next = run_one_job;
    cmd->task.jobs = cmd->jobs;
    cmd->task.n_jobs = 1;
    cmd->task.enough = NULL;
    cmd->jobs[0] = &cmd->job;
    aero_buf_reset(&cmd->out, AERO_CMD_KEEP);
    aero_buf_reset(&cmd->in, AERO_CMD_KEEP);
    cmd->head_at = AERO_CMD_NO_BUDGET;
    cmd->ns_len = 0;
    cmd->deadline_at = 0;
    cmd->frame_type = AERO_FRAME_MESSAGE;
    cmd->is_write = false;
    cmd->latency = AERO_LATENCY_READ;
    cmd->linearize = false;
    cmd->session = false;
    cmd->is_batch = false;
    cmd->no_drain = false;
    cmd->no_retry = false;
    cmd->node_is_given = false;
    cmd->compress_above = 0;
    cmd->on_frame = NULL;
    cmd->ctx = NULL;
    cmd->state = AERO_CMD_ROUTE;
    cmd->try_no = 0;
    cmd->replica_no = 0;
    cmd->n_sent = 0;
    cmd->queued = false;
    cmd->waited = false;
    cmd->gathered = NULL;
    cmd->next_row = NULL;
    cmd->rc = AERO_MORE;
    cmd->result = 0;
    aero_status_clear(&cmd->st);
}

static void
release_map(aero_cmd *cmd)
{
    aero_map_release(cmd->map);
    cmd->map = NULL;
}

static void
release_node(aero_cmd *cmd)
{
    if (cmd->node != NULL && !cmd->node_is_given) {
        aero_node_release(cmd->node);
        cmd->node = NULL;
    }
}

void
aero_cmd_fini(aero_cmd *cmd)
{
    cmd->node_is_given = false;
    release_node(cmd);
    release_map(cmd);
    aero_pool_release(cmd->pool);
    aero_buf_fini(&cmd->out);
    aero_buf_fini(&cmd->in);
}

void
aero_cmd_set_policy(aero_cmd *cmd, const aero_policy *policy)
{
    cmd->total_ms = policy->total_timeout;
    cmd->socket_ms = policy->socket_timeout;
    cmd->connect_ms = policy->connect_timeout;
    cmd->max_retries = policy->max_retries;
    cmd->pause_ms = policy->sleep_between_retries;
    cmd->delay_ms = policy->timeout_delay;
    cmd->replica = (aero_replica)policy->replica;
    cmd->linearize = policy->read_mode_sc == AERO_READ_SC_LINEARIZE;
    cmd->session = policy->read_mode_sc == AERO_READ_SC_SESSION;
    if (policy->compress) {
        cmd->compress_above = policy->compression_threshold != 0
                                  ? policy->compression_threshold
                                  : 128;
    }
    if (cmd->socket_ms == 0 ||
        (cmd->total_ms != 0 && cmd->socket_ms > cmd->total_ms)) {
        cmd->socket_ms = cmd->total_ms;
    }
}

void
aero_cmd_begin(aero_cmd *cmd, aero_cluster *cluster, const aero_source *source,
               uint64_t now)
{
    cmd->cluster = cluster;
    cmd->source = source;
    cmd->rack_ids = cluster->config.rack_ids;
    cmd->n_rack_ids = cluster->config.n_rack_ids;
    cmd->began_at = now;
    cmd->total_by = aero_clock_after(now, cmd->total_ms);
    cmd->attempt_by = aero_clock_after(now, cmd->socket_ms);
    if (cmd->attempt_by > cmd->total_by) {
        cmd->attempt_by = cmd->total_by;
    }
    cmd->job.by = cmd->attempt_by;
    if (cmd->compress_above != 0 && cmd->out.len > cmd->compress_above &&
        cmd->frame_type == AERO_FRAME_MESSAGE) {
        /* The head is inside: every attempt carries the first budget. */
        aero_frame_deflate(&cmd->out, 0);
        cmd->head_at = AERO_CMD_NO_BUDGET;
    }
    atomic_fetch_add_explicit(&cluster->n_commands, 1, memory_order_relaxed);
}

aero_span
aero_cmd_body(const aero_cmd *cmd)
{
    return aero_exchange_body(&cmd->x);
}

void
aero_cmd_leave_queue(aero_cmd *cmd)
{
    if (cmd->queued) {
        cmd->source->leave(cmd->source->ctx, cmd);
        cmd->queued = false;
    }
}

void
aero_cmd_extend(aero_cmd *cmd, uint64_t now)
{
    cmd->attempt_by = aero_clock_after(now, cmd->socket_ms);
    if (cmd->attempt_by > cmd->total_by) {
        cmd->attempt_by = cmd->total_by;
    }
    cmd->job.by = cmd->attempt_by;
}

/* ---- giving the connection back ---- */

static void
end_attempt(aero_cmd *cmd)
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
    aero_pool_give(cmd->pool, cmd->conn, aero_clock_now());
    end_attempt(cmd);
}

/* The connection is broken: others of this node may be, too. */
static void
drop_conn(aero_cmd *cmd)
{
    if (cmd->pool != NULL) {
        if (cmd->conn != NULL) {
            atomic_fetch_add(&cmd->node->epoch, 1);
        }
        aero_pool_drop(cmd->pool, cmd->conn);
    }
    end_attempt(cmd);
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
        drop_conn(cmd);
        return;
    }
    end_attempt(cmd);
    if (cmd->source != NULL) {
        cmd->source->drain(cmd->source->ctx, drain);
    }
    else {
        aero_drain_submit(drain);
    }
}

/* ---- metrics ---- */

/* Where this command is counted; NULL: nobody wants to know. */
static aero_ns_metrics *
metrics_of(const aero_cmd *cmd)
{
    if (!atomic_load_explicit(&cmd->cluster->metrics.on,
                              memory_order_relaxed) ||
        cmd->node == NULL) {
        return NULL;
    }
    return aero_metrics_row(&cmd->node->metrics, &cmd->cluster->metrics,
                            aero_span_of(cmd->ns, cmd->ns_len));
}

/* A reply has come, with this result. */
static void
count_reply(const aero_cmd *cmd, uint8_t result)
{
    aero_ns_metrics *row = metrics_of(cmd);

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

static void
count_failure(const aero_cmd *cmd, bool is_timeout)
{
    aero_ns_metrics *row = metrics_of(cmd);

    if (row != NULL) {
        atomic_fetch_add(is_timeout ? &row->timeouts : &row->errors, 1);
    }
}

/* ---- failing ---- */

static bool
is_in_doubt(const aero_cmd *cmd, int32_t code)
{
    return cmd->is_write &&
           (cmd->n_sent > 1 ||
            (cmd->n_sent == 1 && (code == AERO_ERR_TIMEOUT || code <= 0)));
}

static aero_rc
end_with(aero_cmd *cmd, aero_rc rc)
{
    cmd->state = AERO_CMD_DONE;
    cmd->rc = rc;
    cmd->job.fd = -1;
    cmd->job.want = AERO_WANT_NOTHING;
    cmd->st.attempts = cmd->n_sent;
    if (cmd->node != NULL) {
        memcpy(cmd->st.node, cmd->node->name, sizeof cmd->st.node);
    }
    release_node(cmd);
    release_map(cmd);
    return rc;
}

static aero_rc
fail(aero_cmd *cmd)
{
    cmd->st.in_doubt = is_in_doubt(cmd, cmd->st.code);
    return end_with(cmd, AERO_ERROR);
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
static aero_rc
try_again(aero_cmd *cmd, int32_t code)
{
    uint64_t now = aero_clock_now();
    uint64_t from = now;
    bool moved = moves_on(cmd, code);

    if (cmd->no_retry || cmd->try_no >= cmd->max_retries ||
        now >= cmd->total_by) {
        return fail(cmd);
    }
    /* The pause is skipped when the first retry goes to another copy. */
    if (cmd->pause_ms != 0 &&
        !(cmd->try_no == 0 && moved && !cmd->node_is_given)) {
        from = aero_clock_after(now, cmd->pause_ms);
    }
    if (from >= cmd->total_by) {
        return fail(cmd);
    }
    cmd->try_no++;
    cmd->replica_no += moved;
    atomic_fetch_add_explicit(&cmd->cluster->n_retries, 1,
                              memory_order_relaxed);
    cmd->attempt_by = aero_clock_after(from, cmd->socket_ms);
    if (cmd->attempt_by > cmd->total_by) {
        cmd->attempt_by = cmd->total_by;
    }
    cmd->state = from > now ? AERO_CMD_PAUSE : AERO_CMD_ROUTE;
    cmd->job.fd = -1;
    cmd->job.want = AERO_WANT_NOTHING;
    cmd->job.by = from > now ? from : cmd->attempt_by;
    return AERO_OK;
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

static aero_rc
time_out(aero_cmd *cmd)
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
    return try_again(cmd, AERO_ERR_TIMEOUT);
}

/* The connection, or what came over it, is no good. */
static aero_rc
lose_conn(aero_cmd *cmd)
{
    count_failure(cmd, false);
    aero_node_count_error(cmd->node);
    drop_conn(cmd);
    if (is_final(cmd->st.code)) {
        return fail(cmd);
    }
    if (cmd->node != NULL && cmd->st.code < 0) {
        char at[AERO_ADDR_TEXT_MAX];

        aero_addr_text(&cmd->node->addr, at);
        aero_status_prefix(&cmd->st, "node %s at %s", cmd->node->name, at);
    }
    return try_again(cmd, cmd->st.code);
}

/* ---- the states ---- */

static aero_span
ns_of(const aero_cmd *cmd)
{
    return aero_span_of(cmd->ns, cmd->ns_len);
}

/* Take the map as it is now and look for the node in it (borrowed). */
static aero_node *
look_up(aero_cmd *cmd, const aero_table **table)
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
    release_map(cmd);
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
    node = look_up(cmd, &table);
    release_node(cmd);
    if (node != NULL) {
        cmd->node = aero_node_acquire(node);
        cmd->state = AERO_CMD_CONNECT;
        return AERO_OK;
    }
    if (table == NULL && cmd->map != NULL && cmd->map->n_nodes != 0) {
        aero_fail(&cmd->st, AERO_ERR_NAMESPACE_NOT_FOUND,
                  "Invalid namespace: %.*s", (int)ns.len, ns.ptr);
        return fail(cmd);
    }
    aero_fail(&cmd->st, AERO_ERR_INVALID_NODE,
              "no node serves partition %u of namespace '%.*s'",
              cmd->partition, (int)ns.len, ns.ptr);
    return try_again(cmd, AERO_ERR_INVALID_NODE);
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
        end_attempt(cmd);
        aero_fail(&cmd->st, AERO_ERR_MAX_ERROR_RATE,
                  "node %s has had too many errors", cmd->node->name);
        return try_again(cmd, AERO_ERR_MAX_ERROR_RATE);
    }
    cmd->conn = aero_conn_new(&cmd->node->addr,
                              aero_cluster_tls(&cmd->cluster->config),
                              cmd->node->tls_name, &cmd->st);
    if (cmd->conn == NULL) {
        return lose_conn(cmd);
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
        return fail(cmd);
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
    end_attempt(cmd);
    cmd->queued = rc == AERO_MORE;
    if (rc == AERO_MORE) {
        return AERO_MORE;
    }
    aero_fail(&cmd->st, AERO_ERR_NO_MORE_CONNECTIONS,
              "all connections to node %s are in use", cmd->node->name);
    return try_again(cmd, AERO_ERR_NO_MORE_CONNECTIONS);
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
        return lose_conn(cmd);
    }
    row = metrics_of(cmd);
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

static bool
is_retryable(uint8_t result)
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
        return lose_conn(cmd);
    }
    cmd->result = head.result;
    if (cmd->result == AERO_ERR_NOT_AUTHENTICATED) {
        aero_node_wants_login(cmd->node);
        drop_conn(cmd);
    }
    else {
        give_conn(cmd);
    }
    return end_with(cmd, AERO_OK);
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
        return end_with(cmd, AERO_OK);
    }
    body = aero_cmd_body(cmd);
    if (body.len < AERO_MSG_HEAD) {
        aero_fail(&cmd->st, AERO_ERR_CLIENT,
                  "reply of %zu bytes is no message", body.len);
        return lose_conn(cmd);
    }
    cmd->result = body.ptr[RESULT_AT];
    count_reply(cmd, cmd->result);
    if (cmd->result == AERO_ERR_NOT_AUTHENTICATED) {
        aero_node_wants_login(cmd->node);
        drop_conn(cmd);
        return end_with(cmd, AERO_OK);
    }
    give_conn(cmd);
    if (cmd->result == AERO_ERR_RECORD_BUSY) {
        atomic_fetch_add(&cmd->node->n_busy, 1);
    }
    if (!is_retryable(cmd->result)) {
        return end_with(cmd, AERO_OK);
    }
    aero_node_count_error(cmd->node);
    cmd->st.from_server = true;
    aero_fail(&cmd->st, cmd->result, "%s", aero_result_text(cmd->result));
    return try_again(cmd, cmd->result);
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
    return lose_conn(cmd);
}

aero_rc
aero_cmd_step(aero_cmd *cmd)
{
    aero_job *job = &cmd->job;
    aero_rc rc = AERO_OK;

    /* The first step needs no look at the clock. */
    if (cmd->state != AERO_CMD_ROUTE && job->by != AERO_NEVER &&
        aero_clock_now() >= job->by) {
        if (cmd->state == AERO_CMD_PAUSE) {
            cmd->state = AERO_CMD_ROUTE;
            job->by = cmd->attempt_by;
        }
        else {
            rc = time_out(cmd);
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

static aero_rc
step(aero_job *job)
{
    return aero_cmd_step((aero_cmd *)job);
}

void
aero_cmd_cancel(aero_cmd *cmd, int32_t code, const char *why)
{
    if (cmd->state == AERO_CMD_DONE) {
        return;
    }
    aero_fail(&cmd->st, code, "%s", why);
    leave_conn(cmd);
    fail(cmd);
}

void
aero_cmd_refuse(aero_cmd *cmd, const aero_status *st)
{
    cmd->st = *st;
    end_with(cmd, AERO_ERROR);
    memcpy(cmd->st.node, st->node, sizeof cmd->st.node);
}

/* ---- gathered ---- */

aero_node *
aero_cmd_find_node(aero_cmd *cmd)
{
    const aero_table *table;
    aero_node *node = look_up(cmd, &table);

    if (node != NULL) {
        aero_node_acquire(node);
    }
    release_map(cmd);
    return node;
}

void
aero_cmd_gather(aero_cmd *cmd, aero_node *node)
{
    release_node(cmd);
    cmd->node = node;
    cmd->state = AERO_CMD_GATHERED;
    cmd->queued = true;
}

bool
aero_cmd_answer(aero_cmd *cmd, aero_span message)
{
    cmd->queued = false;
    cmd->in.len = 0;
    aero_buf_put_zero(&cmd->in, AERO_FRAME_HEAD);
    aero_buf_put_span(&cmd->in, message);
    cmd->x.in = &cmd->in;
    if (cmd->in.failed) {
        aero_fail(&cmd->st, AERO_ERR_CLIENT, "no memory for a reply");
        fail(cmd);
        return true;
    }
    cmd->result = message.ptr[RESULT_AT];
    if (!is_retryable(cmd->result)) {
        end_with(cmd, AERO_OK);
        return true;
    }
    cmd->st.from_server = true;
    aero_fail(&cmd->st, cmd->result, "%s", aero_result_text(cmd->result));
    return try_again(cmd, cmd->result) != AERO_OK;
}

void
aero_cmd_resume(aero_cmd *cmd)
{
    cmd->queued = false;
    cmd->state = AERO_CMD_ROUTE;
}

void
aero_cmd_fail_attempt(aero_cmd *cmd, const aero_status *st)
{
    cmd->queued = false;
    cmd->st = *st;
    cmd->state = AERO_CMD_ROUTE;
    try_again(cmd, st->code);
}

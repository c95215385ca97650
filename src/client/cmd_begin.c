/* What a command is before its first step.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cmd_parts.h"

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
    cmd->job.step = aero_cmd_step_job;
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

void
aero_cmd_fini(aero_cmd *cmd)
{
    cmd->node_is_given = false;
    aero_cmd_release_node(cmd);
    aero_cmd_release_map(cmd);
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
    cmd->looked_at = now;
    cmd->total_by = aero_clock_after(now, cmd->total_ms);
    aero_cmd_limit_attempt(cmd, now);
    cmd->job.by = cmd->attempt_by;
    if (cmd->compress_above != 0 && cmd->out.len > cmd->compress_above &&
        cmd->frame_type == AERO_FRAME_MESSAGE) {
        /* The head is inside: every attempt carries the first budget. */
        aero_frame_deflate(&cmd->out, 0);
        cmd->head_at = AERO_CMD_NO_BUDGET;
    }
    atomic_fetch_add_explicit(&cluster->n_commands, 1, memory_order_relaxed);
}

void
aero_cmd_extend(aero_cmd *cmd, uint64_t now)
{
    aero_cmd_limit_attempt(cmd, now);
    cmd->job.by = cmd->attempt_by;
}

aero_span
aero_cmd_body(const aero_cmd *cmd)
{
    return aero_exchange_body(&cmd->x);
}

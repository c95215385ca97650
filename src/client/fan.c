/* To every node.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/client/fan.h"

static aero_rc
next(aero_task *task)
{
    aero_fan *fan = (aero_fan *)task;

    if (fan->started) {
        return AERO_OK;
    }
    fan->started = true;
    return AERO_MORE;
}

static bool
open_message(aero_cmd *cmd, aero_node *node, const aero_fan_how *how)
{
    aero_cmd_set_policy(cmd, how->policy);
    cmd->node = aero_node_acquire(node);
    cmd->node_is_given = true;
    cmd->is_write = true;
    cmd->no_retry = true;
    how->put(how->ctx, node, &cmd->out);
    return !cmd->out.failed;
}

static bool
open_info(aero_cmd *cmd, aero_node *node, const aero_fan_how *how)
{
    aero_buf text = AERO_BUF_INIT;
    bool fine;

    how->put(how->ctx, node, &text);
    aero_info_open(cmd, node, aero_buf_span(&text), how->timeout_ms);
    fine = !text.failed && !cmd->out.failed;
    aero_buf_fini(&text);
    return fine;
}

/* Begin with `count` nodes of the map, from `first` on. */
static aero_rc
begin(aero_fan *fan, const aero_map *map, size_t first, size_t count,
      const aero_fan_how *how)
{
    fan->cmds = aero_alloc_array(count, sizeof *fan->cmds);
    fan->jobs = aero_alloc_array(count, sizeof *fan->jobs);
    if (fan->cmds == NULL || fan->jobs == NULL) {
        return AERO_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        aero_node *node = map->nodes[(first + i) % map->n_nodes];
        aero_cmd *cmd = &fan->cmds[i];

        aero_cmd_init(cmd);
        fan->jobs[i] = &cmd->job;
        fan->count++;
        if (!(how->is_message ? open_message : open_info)(cmd, node, how)) {
            return AERO_ERROR;
        }
    }
    return AERO_OK;
}

aero_rc
aero_fan_begin_how(aero_fan *fan, aero_cluster *cluster,
                   const aero_source *source, const aero_fan_how *how,
                   uint64_t now, aero_status *st)
{
    aero_map *map = aero_cluster_map(cluster);
    size_t n_nodes = map == NULL ? 0 : map->n_nodes;
    aero_rc rc;

    memset(fan, 0, sizeof *fan);
    if (n_nodes == 0) {
        aero_map_release(map);
        return aero_fail(st, AERO_ERR_CLUSTER, "the cluster has no node");
    }
    rc = begin(fan, map, how->one_node ? aero_cluster_turn(cluster) : 0,
               how->one_node ? 1 : n_nodes, how);
    aero_map_release(map);
    if (rc != AERO_OK) {
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for %zu requests",
                         n_nodes);
    }
    for (size_t i = 0; i < fan->count; i++) {
        aero_cmd_begin(&fan->cmds[i], cluster, source, now);
    }
    fan->task.next = next;
    fan->task.jobs = fan->jobs;
    fan->task.n_jobs = fan->count;
    return AERO_OK;
}

static void
put_command(void *ctx, const aero_node *node, aero_buf *out)
{
    (void)node;
    aero_buf_put_span(out, *(const aero_span *)ctx);
}

aero_rc
aero_fan_begin(aero_fan *fan, aero_cluster *cluster, const aero_source *source,
               aero_span command, uint32_t timeout_ms, uint64_t now,
               aero_status *st)
{
    aero_fan_how how = {
        .put = put_command, .ctx = &command, .timeout_ms = timeout_ms};

    return aero_fan_begin_how(fan, cluster, source, &how, now, st);
}

void
aero_fan_cancel(aero_fan *fan)
{
    for (size_t i = 0; i < fan->count; i++) {
        aero_cmd_cancel(&fan->cmds[i], AERO_ERR_CLIENT_ABORT, "cancelled");
    }
}

void
aero_fan_fini(aero_fan *fan)
{
    aero_fan_cancel(fan);
    for (size_t i = 0; i < fan->count; i++) {
        fan->cmds[i].node_is_given = false;
        aero_cmd_fini(&fan->cmds[i]);
    }
    aero_free(fan->cmds);
    aero_free(fan->jobs);
    memset(fan, 0, sizeof *fan);
}

aero_rc
aero_fan_value(const aero_cmd *cmd, aero_span *value, aero_status *st)
{
    aero_span body;
    aero_span command;
    aero_span text;
    int code;

    if (cmd->rc != AERO_OK) {
        *st = cmd->st;
        return AERO_ERROR;
    }
    body = aero_cmd_body(cmd);
    aero_status_clear(st);
    memcpy(st->node, cmd->st.node, sizeof st->node);
    if (aero_info_take_line(&body, &command, value, st) != AERO_OK) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "node %s gave no answer to the info command",
                         st->node);
    }
    if (!aero_info_error(*value, &code, &text)) {
        return AERO_OK;
    }
    st->from_server = true;
    return aero_fail(st, code, "%.*s from node %s", (int)text.len, text.ptr,
                     st->node);
}

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

aero_rc
aero_fan_begin(aero_fan *fan, aero_cluster *cluster, const aero_source *source,
               aero_span command, uint32_t timeout_ms, uint64_t now,
               aero_status *st)
{
    aero_map *map = aero_cluster_map(cluster);
    size_t count = map == NULL ? 0 : map->n_nodes;

    memset(fan, 0, sizeof *fan);
    if (count == 0) {
        aero_map_release(map);
        return aero_fail(st, AERO_ERR_CLUSTER, "the cluster has no node");
    }
    fan->cmds = aero_alloc_array(count, sizeof *fan->cmds);
    fan->jobs = aero_alloc_array(count, sizeof *fan->jobs);
    if (fan->cmds == NULL || fan->jobs == NULL) {
        aero_map_release(map);
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for %zu requests",
                         count);
    }
    for (size_t i = 0; i < count; i++) {
        aero_cmd *cmd = &fan->cmds[i];

        aero_cmd_init(cmd);
        aero_info_open(cmd, map->nodes[i], command, timeout_ms);
        aero_cmd_begin(cmd, cluster, source, now);
        fan->jobs[i] = &cmd->job;
        fan->count++;
    }
    aero_map_release(map);
    fan->task.next = next;
    fan->task.jobs = fan->jobs;
    fan->task.n_jobs = count;
    return AERO_OK;
}

void
aero_fan_fini(aero_fan *fan)
{
    for (size_t i = 0; i < fan->count; i++) {
        aero_cmd *cmd = &fan->cmds[i];

        aero_cmd_cancel(cmd, AERO_ERR_CLIENT_ABORT, "given up");
        aero_node_release(cmd->node);
        cmd->node = NULL;
        aero_cmd_fini(cmd);
    }
    aero_free(fan->cmds);
    aero_free(fan->jobs);
    memset(fan, 0, sizeof *fan);
}

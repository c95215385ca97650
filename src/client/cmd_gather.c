/* A command that is answered as a row of somebody else's request.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cmd_parts.h"

aero_node *
aero_cmd_find_node(aero_cmd *cmd)
{
    const aero_table *table;
    aero_node *node = aero_cmd_look_up(cmd, &table);

    if (node != NULL) {
        aero_node_acquire(node);
    }
    aero_cmd_release_map(cmd);
    return node;
}

void
aero_cmd_gather(aero_cmd *cmd, aero_node *node)
{
    aero_cmd_release_node(cmd);
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
        aero_cmd_fail(cmd);
        return true;
    }
    cmd->result = message.ptr[AERO_CMD_RESULT_AT];
    if (!aero_cmd_is_retryable(cmd->result)) {
        aero_cmd_end(cmd, AERO_OK);
        return true;
    }
    cmd->st.from_server = true;
    aero_fail(&cmd->st, cmd->result, "%s", aero_result_text(cmd->result));
    return aero_cmd_try_again(cmd, cmd->result) != AERO_OK;
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
    aero_cmd_try_again(cmd, st->code);
}

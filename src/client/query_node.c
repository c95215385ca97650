/* The request of a query to one node, and its reply.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "query_node.h"

/* ---- the request ---- */

static void
put_request(aero_query_node *node, uint64_t id, uint32_t budget_ms)
{
    aero_query *q = node->query;
    const aero_share *share = &q->shares[node->share];
    aero_buf *out = &node->cmd.out;
    unsigned n_fields = q->n_fields;

    aero_buf_put_span(out, aero_buf_span(&q->head));
    if (!out->failed) {
        aero_set_u64(out->ptr + q->id_at, id);
    }
    if (q->parts != NULL) {
        n_fields += aero_parts_put(q->parts, q->shares, node->share,
                                   q->has_range, out);
    }
    if (share->most != 0) {
        aero_field_put_u64(out, AERO_FIELD_MAX_RECORDS, share->most);
        n_fields++;
    }
    aero_buf_put_span(out, aero_buf_span(&q->tail));
    aero_msg_patch_counts(out, q->msg_at, (uint16_t)n_fields, q->n_ops);
    aero_msg_patch_budget(out, q->msg_at, budget_ms);
    aero_frame_close(out, 0);
}

/* ---- the reply of one node ---- */

static void
end_reply(aero_query_node *node, uint8_t result)
{
    node->answered = true;
    node->result = result;
}

/* After these the server has nothing more to say on the connection that could
 * be relied on. */
static aero_rc
verdict_of(aero_query_node *node)
{
    switch (node->result) {
    case AERO_ERR_NOT_AUTHENTICATED:
        aero_node_wants_login(node->cmd.node);
        return AERO_ERROR;
    case AERO_ERR_SCAN_ABORTED:
    case AERO_ERR_QUERY_ABORTED:
        return AERO_ERROR;
    default:
        return AERO_OK;
    }
}

/* The end of a long reply stands alone in its frame, and is dealt with here;
 * any other frame is held. */
static aero_rc
on_frame(void *ctx, aero_span body, aero_status *st)
{
    aero_query_node *node = ctx;
    aero_span rest = body;
    aero_query_item item;

    if (body.len == AERO_MSG_HEAD &&
        aero_query_take(&rest, &item, st) == AERO_OK &&
        item.kind == AERO_QUERY_END) {
        end_reply(node, item.result);
        return verdict_of(node);
    }
    node->left = body;
    node->state = AERO_QUERY_NODE_HELD;
    node->cmd.x.held = true;
    return AERO_MORE;
}

static aero_rc
step_node(aero_job *job)
{
    aero_query_node *node = (aero_query_node *)job;
    aero_cmd *cmd = &node->cmd;
    uint64_t before = cmd->x.received;
    aero_rc rc;

    job->io = NULL;
    rc = aero_cmd_step(cmd);
    if (rc != AERO_MORE) {
        node->state = AERO_QUERY_NODE_DONE;
        return rc;
    }
    if (cmd->state != AERO_CMD_EXCHANGE) {
        return rc;
    }
    if (cmd->x.held) {
        job->held = true;
        job->want = AERO_WANT_NOTHING;
        return AERO_OK; /* for this round of the task */
    }
    if (cmd->x.received != before) {
        aero_cmd_extend(cmd, aero_clock_now()); /* silence is what counts */
    }
    return rc;
}

bool
aero_query_node_begin(aero_query_node *node, uint64_t id, uint64_t now)
{
    aero_query *q = node->query;
    aero_cmd *cmd = &node->cmd;
    uint32_t left_ms = 0;

    if (q->total_by != AERO_NEVER) {
        left_ms = 1;
    }
    if (left_ms != 0 && now < q->total_by) {
        left_ms += (uint32_t)((q->total_by - now) / AERO_NS_PER_MS);
    }
    aero_cmd_set_policy(cmd, &q->policy);
    cmd->job.step = step_node;
    cmd->node = aero_node_acquire(q->shares[node->share].node);
    cmd->node_is_given = true;
    cmd->is_batch = true;
    cmd->latency = AERO_LATENCY_QUERY;
    cmd->ns_len = q->ns_len;
    memcpy(cmd->ns, q->head.ptr + q->ns_at, q->ns_len);
    cmd->no_drain = true; /* it may be long */
    cmd->no_retry = true;
    cmd->on_frame = on_frame;
    cmd->ctx = node;
    cmd->total_ms = left_ms;
    if (left_ms != 0 && cmd->socket_ms > left_ms) {
        cmd->socket_ms = left_ms;
    }
    put_request(node, id, left_ms);
    if (cmd->out.failed) {
        return false;
    }
    aero_cmd_begin(cmd, q->cluster, q->source, now);
    node->begun = true;
    node->state = AERO_QUERY_NODE_RUNS;
    return true;
}

/* ---- how it went ---- */

bool
aero_query_is_temporary(const aero_query *q, int32_t code)
{
    static const int16_t codes[] = {
        AERO_ERR_CLUSTER,
        AERO_ERR_INVALID_NODE,
        AERO_ERR_CONNECTION,
        AERO_ERR_ASYNC_CONNECTION,
        AERO_ERR_TIMEOUT,
        AERO_ERR_INDEX_NOT_FOUND,
        AERO_ERR_INDEX_NOT_READABLE,
        AERO_ERR_NO_MORE_CONNECTIONS,
        AERO_ERR_MAX_ERROR_RATE,
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i] == code) {
            return q->parts != NULL;
        }
    }
    return false;
}

int32_t
aero_query_node_code(const aero_query_node *node)
{
    if (node->answered) {
        return node->result;
    }
    return node->malformed           ? AERO_ERR_CLIENT
           : node->cmd.rc == AERO_OK ? AERO_ERR_OK
                                     : node->cmd.st.code;
}

/* ---- taking ---- */

static void
release(aero_query_node *node, aero_rc verdict)
{
    node->state = AERO_QUERY_NODE_RUNS;
    node->left = aero_span_of(NULL, 0);
    aero_exchange_release(&node->cmd.x, verdict);
}

/* What came is not what the protocol says. */
static void
refuse_reply(aero_query_node *node, const char *what)
{
    node->malformed = true;
    node->answered = false;
    aero_fail(&node->cmd.st, AERO_ERR_CLIENT,
              "node %s sent a malformed reply to a query: %s",
              node->cmd.node->name, what);
    release(node, AERO_ERROR);
}

/* A record of the node: false when it is one too many. */
static bool
accept_record(aero_query_node *node, const aero_query_item *item)
{
    aero_query *q = node->query;

    if (aero_query_is_full(q)) {
        return false;
    }
    if (q->parts == NULL) {
        q->given++;
        return true;
    }
    if (item->digest == NULL ||
        !aero_parts_accept(q->parts, node->share, item)) {
        refuse_reply(node, "a record of a partition that was not asked for");
        return false;
    }
    q->shares[node->share].got++;
    q->given++;
    return true;
}

static bool
take_from(aero_query_node *node, aero_query_item *item)
{
    aero_query *q = node->query;

    while (node->left.len != 0) {
        aero_status st;

        if (aero_query_take(&node->left, item, &st) != AERO_OK) {
            refuse_reply(node, st.text);
            return false;
        }
        if (item->kind == AERO_QUERY_END) {
            end_reply(node, item->result);
            release(node, verdict_of(node));
            return false;
        }
        if (item->kind == AERO_QUERY_PARTITION) {
            if (q->parts == NULL ||
                !aero_parts_refuse(q->parts, node->share, item->partition,
                                   node->cmd.node)) {
                refuse_reply(node, "a partition that was not asked for");
                return false;
            }
        }
        else if (accept_record(node, item)) {
            return true;
        }
        else if (node->state != AERO_QUERY_NODE_HELD) {
            return false;
        }
    }
    release(node, AERO_MORE);
    return false;
}

aero_query_took
aero_query_take_item(aero_query *q, aero_query_item *item)
{
    for (size_t i = 0; i < q->n_nodes; i++) {
        aero_query_node *node = &q->nodes[i];

        if (node->state == AERO_QUERY_NODE_HELD && take_from(node, item)) {
            return AERO_QUERY_ITEM;
        }
    }
    if (q->state != AERO_QUERY_ENDED) {
        return AERO_QUERY_WAIT;
    }
    return q->rc == AERO_OK ? AERO_QUERY_OVER : AERO_QUERY_FAILED;
}

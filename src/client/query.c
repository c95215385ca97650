/* Queries.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "aero/base/alloc.h"
#include "query_node.h"

enum {
    FIRST_NAP_MS = 250, /* doubled with each round that brought nothing */
    LAST_NAP_MS = 2000
};

static aero_rc next(aero_task *task);
static bool enough(aero_task *task, aero_job *ended);

void
aero_query_init(aero_query *q)
{
    memset(q, 0, sizeof *q);
    q->task.next = next;
    q->task.enough = enough;
    q->nap.fd = -1;
    q->nap_jobs[0] = &q->nap;
    q->rc = AERO_MORE;
}

void
aero_query_move(aero_query *to, aero_query *from)
{
    *to = *from;
    to->nap_jobs[0] = &to->nap;
    aero_query_init(from);
}

/* ---- the request ---- */

void
aero_query_put_field(aero_query *q, aero_field_type type, aero_span data)
{
    aero_field_put(&q->head, type, data);
    q->n_fields++;
}

static void
put_u32(aero_query *q, aero_field_type type, uint32_t data)
{
    aero_field_put_u32(&q->head, type, data);
    q->n_fields++;
}

void
aero_query_open(aero_query *q, aero_span ns, aero_span set,
                const aero_policy *policy, const aero_msg *msg)
{
    q->policy = *policy;
    q->max_records = policy->max_records;
    aero_frame_open(&q->head, AERO_FRAME_MESSAGE);
    q->msg_at = aero_msg_put(&q->head, msg);
    q->ns_at = (uint32_t)q->head.len + 5;
    q->ns_len = (uint8_t)ns.len;
    aero_query_put_field(q, AERO_FIELD_NAMESPACE, ns);
    if (set.len != 0) {
        aero_query_put_field(q, AERO_FIELD_SET, set);
    }
    if (policy->records_per_second != 0) {
        put_u32(q, AERO_FIELD_RECORDS_PER_SECOND, policy->records_per_second);
    }
    put_u32(q, AERO_FIELD_SOCKET_TIMEOUT, policy->socket_timeout);
    q->id_at = q->head.len + 5;
    aero_field_put_u64(&q->head, AERO_FIELD_QUERY_ID, 0);
    q->n_fields++;
}

uint64_t
aero_query_new_id(aero_cluster *cluster)
{
    uint64_t x = aero_clock_unix_ns() ^ (uint64_t)getpid() << 40 ^
                 (uint64_t)aero_cluster_turn(cluster) << 20;

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return x == 0 ? 1 : x;
}

/* ---- nodes ---- */

static void
free_nodes(aero_query *q)
{
    for (size_t i = 0; i < q->n_nodes; i++) {
        aero_cmd *cmd = &q->nodes[i].cmd;

        if (q->nodes[i].begun) {
            aero_cmd_cancel(cmd, AERO_ERR_CLIENT_ABORT, "given up");
        }
        cmd->node_is_given = false;
        aero_cmd_fini(cmd);
    }
    aero_free(q->nodes);
    aero_free(q->jobs);
    aero_shares_free(q->shares, q->n_nodes);
    q->nodes = NULL;
    q->jobs = NULL;
    q->shares = NULL;
    q->n_nodes = 0;
}

static void
give_parts(aero_query *q)
{
    if (q->has_parts) {
        atomic_store(&q->parts->taken, false);
        q->has_parts = false;
    }
}

void
aero_query_fini(aero_query *q)
{
    free_nodes(q);
    give_parts(q);
    aero_parts_release(q->parts);
    q->parts = NULL;
    aero_buf_fini(&q->head);
    aero_buf_fini(&q->tail);
}

static bool
make_nodes(aero_query *q)
{
    q->nodes = aero_zalloc(q->n_nodes * sizeof *q->nodes);
    q->jobs = aero_alloc_array(q->n_nodes, sizeof *q->jobs);
    if (q->nodes == NULL || q->jobs == NULL) {
        aero_free(q->nodes);
        q->nodes = NULL;
        aero_shares_free(q->shares, q->n_nodes);
        q->shares = NULL;
        q->n_nodes = 0;
        return false;
    }
    for (size_t i = 0; i < q->n_nodes; i++) {
        aero_query_node *node = &q->nodes[i];

        aero_cmd_init(&node->cmd);
        node->query = q;
        node->share = (uint16_t)i;
    }
    return true;
}

/* ---- rounds ---- */

static aero_rc
end_with(aero_query *q, aero_rc rc)
{
    free_nodes(q);
    give_parts(q);
    q->state = AERO_QUERY_ENDED;
    q->rc = rc;
    return rc;
}

static aero_rc
no_memory(aero_query *q)
{
    aero_fail(&q->st, AERO_ERR_CLIENT, "no memory for a query");
    return end_with(q, AERO_ERROR);
}

static aero_rc
assign(aero_query *q)
{
    aero_assignment how = {
        .cluster = q->cluster,
        .ns = aero_span_of(q->head.ptr + q->ns_at, q->ns_len),
        .replica = (aero_replica)q->policy.replica,
        .linearize = q->policy.read_mode_sc == AERO_READ_SC_LINEARIZE,
        .only = q->only[0] != '\0' ? q->only : NULL,
        .most = q->max_records == 0 ? 0 : q->max_records - q->given,
    };

    return q->parts == NULL ? aero_shares_of_all(q->cluster, &q->shares,
                                                 &q->n_nodes, &q->st)
                            : aero_parts_assign(q->parts, &how, &q->shares,
                                                &q->n_nodes, &q->st);
}

/* Something failed that may pass: wait a little, unless it is the first time,
 * and begin another round; or end. */
static aero_rc
try_again(aero_query *q)
{
    uint64_t now = aero_clock_now();
    uint64_t nap_ms = q->policy.sleep_between_retries;

    if (q->failures++ >= q->policy.max_retries || now >= q->total_by) {
        return end_with(q, AERO_ERROR);
    }
    if (nap_ms == 0 && q->failures > 1) {
        nap_ms = FIRST_NAP_MS;
        for (uint32_t i = 2; i < q->failures && nap_ms < LAST_NAP_MS; i++) {
            nap_ms *= 2;
        }
    }
    free_nodes(q);
    atomic_fetch_add_explicit(&q->cluster->n_retries, 1, memory_order_relaxed);
    q->state = AERO_QUERY_ROUND;
    q->nap.by = now + nap_ms * AERO_NS_PER_MS;
    if (q->nap.by > q->total_by) {
        return end_with(q, AERO_ERROR);
    }
    return AERO_OK;
}

static aero_rc
step_nap(aero_job *nap)
{
    return aero_clock_now() >= nap->by ? AERO_OK : AERO_MORE;
}

static aero_rc
begin_round(aero_query *q)
{
    free_nodes(q);
    q->given_at = q->given;
    if (aero_clock_now() >= q->total_by) {
        aero_fail(&q->st, AERO_ERR_TIMEOUT,
                  "timeout: total_timeout of %u ms has passed",
                  q->policy.total_timeout);
        return end_with(q, AERO_ERROR);
    }
    if (assign(q) != AERO_OK) {
        aero_shares_free(q->shares, q->n_nodes);
        q->shares = NULL;
        q->n_nodes = 0;
        return aero_query_is_temporary(q, q->st.code)
                   ? try_again(q)
                   : end_with(q, AERO_ERROR);
    }
    if (q->n_nodes == 0) {
        return end_with(q, AERO_OK); /* nothing is open */
    }
    if (!make_nodes(q)) {
        return no_memory(q);
    }
    q->n_waiting = q->n_nodes;
    q->state = AERO_QUERY_RUNNING;
    return AERO_OK;
}

/* The first reason for which a node failed counts, but one that is final
 * before one that may pass. */
static void
keep_status(aero_query *q, const aero_query_node *node)
{
    const aero_cmd *cmd = &node->cmd;
    bool was_temporary = aero_query_is_temporary(q, q->st.code);

    if (q->st.code != 0 &&
        !(was_temporary &&
          !aero_query_is_temporary(q, node->answered ? node->result
                                                     : cmd->st.code))) {
        return;
    }
    q->st = cmd->st;
    if (node->answered) {
        aero_status_clear(&q->st);
        memcpy(q->st.node, cmd->st.node, sizeof q->st.node);
        q->st.from_server = true;
        aero_fail(&q->st, node->result, "%s", aero_result_text(node->result));
    }
}

/* All nodes have ended: what did the round bring? */
static aero_rc
conclude(aero_query *q)
{
    bool progress = q->given != q->given_at;
    bool final = false;
    bool missing = true;

    aero_status_clear(&q->st);
    for (size_t i = 0; i < q->n_nodes; i++) {
        aero_query_node *node = &q->nodes[i];
        int32_t code = aero_query_node_code(node);

        missing = missing && code == AERO_ERR_INDEX_NOT_FOUND;
        if (node->dropped) {
            aero_parts_drop(q->parts, node->share);
        }
        else if (code != AERO_ERR_OK) {
            keep_status(q, node);
            final = final || !aero_query_is_temporary(q, code);
            if (q->parts != NULL) {
                aero_parts_fail(q->parts, q->shares, node->share);
            }
        }
        else if (q->parts != NULL) {
            progress |=
                aero_parts_close(q->parts, q->shares, node->share) != 0;
        }
    }
    if (final || (missing && !progress)) {
        return end_with(q, AERO_ERROR);
    }
    if (q->parts == NULL || aero_parts_are_done(q->parts) ||
        (q->max_records != 0 && q->given >= q->max_records)) {
        return end_with(q, AERO_OK);
    }
    if (progress) {
        q->failures = 0;
    }
    if (q->st.code == 0) {
        if (progress) {
            q->state = AERO_QUERY_ROUND;
            q->nap.by = 0;
            return AERO_OK;
        }
        aero_fail(&q->st, AERO_ERR_CLUSTER,
                  "no node has the partitions that are left");
    }
    return try_again(q);
}

/* ---- the task ---- */

/* Does this node make the whole query fail? */
static bool
is_fatal(const aero_query_node *node)
{
    int32_t code = aero_query_node_code(node);

    return node->state == AERO_QUERY_NODE_DONE && !node->dropped &&
           code != AERO_ERR_OK && !aero_query_is_temporary(node->query, code);
}

static void
drop(aero_query_node *node)
{
    if (node->begun) {
        aero_cmd_cancel(&node->cmd, AERO_ERR_CLIENT_ABORT, "not needed");
    }
    node->state = AERO_QUERY_NODE_DONE;
    node->dropped = true;
}

/* Nodes that cannot add anything are not waited for: all of them when one has
 * failed for good; and when enough was taken, those that look for more. */
static void
drop_needless(aero_query *q)
{
    bool fatal = false;
    bool full = aero_query_is_full(q);

    for (size_t i = 0; i < q->n_nodes; i++) {
        fatal = fatal || is_fatal(&q->nodes[i]);
    }
    if (!fatal && !full) {
        return;
    }
    for (size_t i = 0; i < q->n_nodes; i++) {
        aero_query_node *node = &q->nodes[i];
        const aero_share *share = &q->shares[i];

        if ((node->state == AERO_QUERY_NODE_WAITS ||
             node->state == AERO_QUERY_NODE_RUNS) &&
            (fatal || share->got < share->most)) {
            drop(node);
        }
    }
}

/* Fill the list of jobs; nodes beyond the limit wait for others to end. */
static bool
list_jobs(aero_query *q)
{
    uint32_t limit = q->policy.max_concurrent_nodes;
    uint64_t now = aero_clock_now();
    uint64_t id = aero_query_new_id(q->cluster);

    q->n_running = 0;
    q->n_waiting = 0;
    for (size_t i = 0; i < q->n_nodes; i++) {
        aero_query_node *node = &q->nodes[i];

        if (node->state == AERO_QUERY_NODE_WAITS &&
            (limit == 0 || q->n_running < limit)) {
            if (!aero_query_node_begin(node, id, now)) {
                return false;
            }
        }
        else if (node->state == AERO_QUERY_NODE_RUNS) {
            aero_cmd_extend(&node->cmd, now);
        }
        node->cmd.job.held = false;
        if (node->state == AERO_QUERY_NODE_RUNS) {
            q->jobs[q->n_running++] = &node->cmd.job;
        }
        q->n_waiting += node->state == AERO_QUERY_NODE_WAITS;
    }
    q->task.jobs = q->jobs;
    q->task.n_jobs = q->n_running;
    return true;
}

bool
aero_query_has_frame(const aero_query *q)
{
    for (size_t i = 0; i < q->n_nodes; i++) {
        if (q->nodes[i].state == AERO_QUERY_NODE_HELD) {
            return true;
        }
    }
    return false;
}

void
aero_query_suspend(aero_query *q)
{
    for (size_t i = 0; i < q->n_nodes; i++) {
        aero_cmd_leave_queue(&q->nodes[i].cmd);
    }
}

static bool
enough(aero_task *task, aero_job *ended)
{
    aero_query *q = (aero_query *)task;
    const aero_query_node *node = (const aero_query_node *)ended;

    if (ended == &q->nap) {
        return true;
    }
    if (node->state != AERO_QUERY_NODE_HELD && q->n_waiting == 0 &&
        !is_fatal(node)) {
        return false;
    }
    aero_query_suspend(q);
    return true;
}

/* AERO_MORE: jobs are listed; AERO_OK: look at the state again, or pause. */
static aero_rc
run_round(aero_query *q, bool *paused)
{
    drop_needless(q);
    *paused = aero_query_has_frame(q);
    if (*paused) {
        return AERO_OK;
    }
    if (!list_jobs(q)) {
        return no_memory(q);
    }
    return q->n_running != 0 ? AERO_MORE : conclude(q);
}

static aero_rc
next(aero_task *task)
{
    aero_query *q = (aero_query *)task;
    bool paused = false;
    aero_rc rc = AERO_OK;

    if (q->closing && q->state != AERO_QUERY_ENDED) {
        return end_with(q, AERO_OK);
    }
    while (rc == AERO_OK && !paused && q->state != AERO_QUERY_ENDED) {
        if (q->state == AERO_QUERY_RUNNING) {
            rc = run_round(q, &paused);
        }
        else if (q->nap.by > aero_clock_now()) {
            q->nap.step = step_nap;
            q->task.jobs = q->nap_jobs;
            q->task.n_jobs = 1;
            return AERO_MORE;
        }
        else {
            rc = begin_round(q);
        }
    }
    return q->state == AERO_QUERY_ENDED ? q->rc : rc;
}

aero_rc
aero_query_begin(aero_query *q, aero_cluster *cluster,
                 const aero_source *source, uint64_t now)
{
    q->cluster = cluster;
    q->source = source;
    q->total_by = aero_clock_after(now, q->policy.total_timeout);
    aero_status_clear(&q->st);
    if (q->head.failed || q->tail.failed) {
        return aero_fail(&q->st, AERO_ERR_PARAM,
                         "the request does not fit a message of 128 MiB");
    }
    if (q->parts != NULL) {
        if (atomic_exchange(&q->parts->taken, true)) {
            return aero_fail(&q->st, AERO_ERR_CLIENT,
                             "the query is running already");
        }
        q->has_parts = true;
    }
    return AERO_OK;
}

void
aero_query_close(aero_query *q)
{
    q->closing = true;
}

void
aero_query_cancel(aero_query *q, int32_t code, const char *why)
{
    if (q->state != AERO_QUERY_ENDED) {
        aero_fail(&q->st, code, "%s", why);
        end_with(q, AERO_ERROR);
    }
}

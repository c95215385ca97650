/* Batches.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/client/batch.h"
#include "aero/wire/key.h"
#include "batch_parts.h"
#include "batch_txn.h"

enum {
    STATE_START,
    STATE_ANNOUNCING, /* the writes of a transaction */
    STATE_RUNNING,
    STATE_PAUSED,
    STATE_ENDED
};

enum {
    RETRY_PAUSE_MAX_MS = 500
};

void
aero_batch_init(aero_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    aero_policy_init(&batch->policy, AERO_POLICY_BATCH);
}

uint8_t
aero_batch_flags(const aero_policy *policy)
{
    uint8_t flags = AERO_BATCH_SHOW_FAILED;

    if (policy->allow_inline) {
        flags |= AERO_BATCH_INLINE;
    }
    if (policy->allow_inline_ssd) {
        flags |= AERO_BATCH_INLINE_SSD;
    }
    if (policy->respond_all_keys) {
        flags |= AERO_BATCH_RESPOND_ALL;
    }
    return flags;
}

/* ---- the end ---- */

static void
free_monitor(aero_batch *batch)
{
    if (batch->monitor != NULL) {
        aero_cmd_cancel(batch->monitor, AERO_ERR_CLIENT_ABORT, "given up");
        aero_cmd_fini(batch->monitor);
        aero_free(batch->monitor);
        batch->monitor = NULL;
    }
}

void
aero_batch_fini(aero_batch *batch)
{
    free_monitor(batch);
    aero_batch_free_groups(batch);
    aero_free(batch->order);
    batch->order = NULL;
    aero_buf_fini(&batch->store);
}

void
aero_batch_cancel(aero_batch *batch)
{
    for (uint32_t i = 0; i < batch->n_groups; i++) {
        aero_cmd_cancel(&batch->groups[i].cmd, AERO_ERR_CLIENT_ABORT,
                        "cancelled");
    }
    if (batch->monitor != NULL) {
        aero_cmd_cancel(batch->monitor, AERO_ERR_CLIENT_ABORT, "cancelled");
    }
    batch->state = STATE_ENDED;
}

/* ---- replies ---- */

static aero_rc
keep_row(aero_batch *batch, aero_row *row, aero_span parts, aero_status *st)
{
    if (batch->on_row != NULL) {
        return batch->on_row(batch->ctx, batch, row, parts, st);
    }
    row->reply_at = batch->store.len;
    row->reply_len = (uint32_t)parts.len;
    aero_buf_put_span(&batch->store, parts);
    if (batch->store.failed) {
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for the replies");
    }
    return AERO_OK;
}

/* Step over what follows a message's head; gives it. */
static aero_rc
take_parts(aero_span *in, const aero_msg *msg, aero_span *parts,
           aero_status *st)
{
    const uint8_t *from = in->ptr;
    aero_rc rc = AERO_OK;

    for (unsigned i = 0; rc == AERO_OK && i < msg->n_fields; i++) {
        aero_field field;

        rc = aero_field_take(in, &field, st);
    }
    for (unsigned i = 0; rc == AERO_OK && i < msg->n_ops; i++) {
        aero_op op;

        rc = aero_op_take(in, &op, st);
    }
    *parts = aero_span_of(from, (size_t)(in->ptr - from));
    return rc;
}

static aero_rc
take_row(aero_batch_group *group, const aero_msg *msg, aero_span parts,
         aero_status *st)
{
    aero_batch *batch = group->batch;
    aero_row *row;

    if (msg->budget >= batch->n_rows) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "the server answers row %u of %zu", msg->budget,
                         batch->n_rows);
    }
    row = &batch->rows[msg->budget];
    if (row->done || &batch->groups[row->group] != group) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "the server answers row %u, which it was not asked",
                         msg->budget);
    }
    row->done = true;
    row->answered = true;
    row->in_doubt &= msg->result != AERO_ERR_OK; /* done now, at the latest */
    row->result = msg->result;
    row->generation = msg->generation;
    row->void_time = msg->ttl;
    row->n_fields = msg->n_fields;
    row->n_ops = msg->n_ops;
    if (batch->policy.in_txn != NULL &&
        aero_batch_txn_note(batch->policy.in_txn, row, parts, st) != AERO_OK) {
        return AERO_ERROR;
    }
    return keep_row(batch, row, parts, st);
}

static aero_rc
on_frame(void *ctx, aero_span body, aero_status *st)
{
    aero_batch_group *group = ctx;

    while (body.len != 0) {
        aero_msg msg;
        aero_span parts;
        aero_rc rc = aero_msg_take(&body, &msg, st);

        if (rc == AERO_OK) {
            rc = take_parts(&body, &msg, &parts, st);
        }
        if (rc == AERO_OK && (msg.info3 & AERO_INFO3_LAST) != 0) {
            group->result = msg.result;
            return AERO_OK;
        }
        if (rc == AERO_OK) {
            rc = take_row(group, &msg, parts, st);
        }
        if (rc != AERO_OK) {
            return rc;
        }
    }
    return AERO_MORE;
}

/* ---- requests ---- */

static void
put_request(aero_batch_group *group)
{
    aero_batch *batch = group->batch;
    aero_cmd *cmd = &group->cmd;
    aero_batch_put put;

    aero_batch_open(&put, &cmd->out, batch->info1, batch->filter,
                    batch->flags);
    cmd->head_at = (ptrdiff_t)put.msg_at;
    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t index = batch->order[group->first + i];
        const aero_row *row = &batch->rows[index];

        aero_batch_open_row(&put, index, row->digest);
        if (batch->policy.in_txn != NULL) {
            aero_batch_txn_put(&put, batch->policy.in_txn, row);
        }
        else {
            aero_batch_put_body(&put, row->body, row->has_key);
        }
        cmd->is_write |= row->is_write;
    }
    aero_batch_close(&put);
}

/* A batch is counted where its first row belongs. */
static void
set_ns(aero_cmd *cmd, aero_span ns)
{
    cmd->latency = AERO_LATENCY_BATCH;
    cmd->ns_len = (uint8_t)(ns.len < sizeof cmd->ns ? ns.len : sizeof cmd->ns);
    memcpy(cmd->ns, ns.ptr, cmd->ns_len);
}

static bool
begin_group(aero_batch_group *group, uint64_t now)
{
    aero_batch *batch = group->batch;
    aero_cmd *cmd = &group->cmd;

    aero_cmd_set_policy(cmd, &batch->policy);
    cmd->node = aero_node_acquire(group->node);
    cmd->node_is_given = true;
    cmd->is_batch = true;
    set_ns(cmd, batch->rows[batch->order[group->first]].ns);
    cmd->no_retry = true;
    cmd->on_frame = on_frame;
    cmd->ctx = group;
    if (batch->total_by != AERO_NEVER) {
        cmd->total_ms =
            (uint32_t)((batch->total_by - now) / AERO_NS_PER_MS) + 1;
        if (cmd->socket_ms > cmd->total_ms) {
            cmd->socket_ms = cmd->total_ms;
        }
    }
    put_request(group);
    if (cmd->out.failed) {
        return false;
    }
    aero_cmd_begin(cmd, batch->cluster, batch->source, now);
    return true;
}

/* ---- rounds ---- */

bool
aero_batch_may_retry(int32_t result)
{
    switch (result) {
    case AERO_ERR_SERVER_FULL:
    case AERO_ERR_TIMEOUT:
    case AERO_ERR_CLUSTER:
    case AERO_ERR_RECORD_BUSY:
    case AERO_ERR_DEVICE_OVERLOAD:
    case AERO_ERR_CONNECTION:
    case AERO_ERR_INVALID_NODE:
    case AERO_ERR_NO_RESPONSE:
        return true;
    default:
        return false;
    }
}

static void
show_jobs(aero_batch *batch)
{
    if (batch->one_by_one) {
        batch->task.jobs = &batch->jobs[batch->at];
        batch->task.n_jobs = 1;
    }
    else {
        batch->task.jobs = batch->jobs;
        batch->task.n_jobs = batch->n_groups;
    }
}

static aero_rc
end(aero_batch *batch)
{
    batch->state = STATE_ENDED;
    for (size_t i = 0; i < batch->n_rows && batch->result == 0; i++) {
        int32_t result = batch->rows[i].result;

        if (result != AERO_ERR_OK && result != AERO_ERR_RECORD_NOT_FOUND &&
            result != AERO_ERR_FILTERED_OUT) {
            batch->result = AERO_ERR_BATCH_FAILED;
        }
    }
    return AERO_OK;
}

/* Nothing could be sent: every row that is left fails for that reason. */
static aero_rc
end_with(aero_batch *batch)
{
    batch->result = batch->st.code;
    for (size_t i = 0; i < batch->n_rows; i++) {
        if (!batch->rows[i].done) {
            batch->rows[i].result = batch->st.code;
        }
    }
    return end(batch);
}

static aero_rc
start_round(aero_batch *batch, uint64_t now)
{
    if (aero_batch_route(batch) != AERO_OK) {
        return end_with(batch);
    }
    for (uint32_t i = 0; i < batch->n_groups; i++) {
        if (!begin_group(&batch->groups[i], now)) {
            aero_fail(&batch->st, AERO_ERR_PARAM,
                      "the batch does not fit a message of 128 MiB");
            return end_with(batch);
        }
    }
    if (batch->n_groups == 0) {
        return end(batch);
    }
    batch->at = 0;
    batch->state = STATE_RUNNING;
    show_jobs(batch);
    return AERO_MORE;
}

static bool
may_pass(const aero_cmd *cmd)
{
    return cmd->rc == AERO_ERROR && cmd->st.code != AERO_ERR_CLIENT_ABORT &&
           cmd->st.code != AERO_ERR_PARAM;
}

/* A request has failed: its rows that were not answered carry the reason, and
 * those that write may have been done. */
static bool
conclude_group(aero_batch *batch, aero_batch_group *group)
{
    const aero_cmd *cmd = &group->cmd;
    int32_t code = cmd->rc != AERO_OK             ? cmd->st.code
                   : group->result != AERO_ERR_OK ? group->result
                                                  : AERO_ERR_NO_RESPONSE;
    bool left = false;

    for (uint32_t i = 0; i < group->count; i++) {
        aero_row *row = &batch->rows[batch->order[group->first + i]];

        if (!row->done) {
            left = true;
            row->result = code;
            row->in_doubt |= row->is_write && cmd->st.in_doubt;
            if (row->in_doubt && batch->policy.in_txn != NULL) {
                aero_batch_txn_note(batch->policy.in_txn, row,
                                    aero_span_of(NULL, 0), &batch->st);
            }
        }
    }
    if (left && cmd->rc == AERO_OK && group->result != AERO_ERR_OK) {
        batch->result = group->result;
        batch->st.from_server = true;
        aero_fail(&batch->st, group->result, "%s",
                  aero_result_text(group->result));
    }
    if (left && cmd->rc == AERO_ERROR) {
        batch->st = cmd->st;
    }
    return left && may_pass(cmd);
}

static aero_rc
step_nap(aero_job *nap)
{
    return aero_clock_now() >= nap->by ? AERO_OK : AERO_MORE;
}

static aero_rc
pause(aero_batch *batch, uint64_t until)
{
    batch->nap.step = step_nap;
    batch->nap.fd = -1;
    batch->nap.want = AERO_WANT_NOTHING;
    batch->nap.by = until;
    batch->jobs[0] = &batch->nap;
    batch->task.jobs = batch->jobs;
    batch->task.n_jobs = 1;
    batch->state = STATE_PAUSED;
    return AERO_MORE;
}

/* Rows that failed for the moment are sent again, after a pause of a random
 * length: many clients that failed together shall not return together. */
static aero_rc
retry_rows(aero_batch *batch, uint64_t now)
{
    uint64_t bound_ms = UINT64_C(8)
                        << (batch->retry_no < 6 ? batch->retry_no : 6);
    uint64_t until;
    uint32_t left = 0;

    for (size_t i = 0; i < batch->n_rows; i++) {
        left += aero_batch_may_retry(batch->rows[i].result);
    }
    batch->unresolved = left;
    if (left == 0 || batch->retry_no == batch->retry_max) {
        return end(batch);
    }
    if (bound_ms > RETRY_PAUSE_MAX_MS) {
        bound_ms = RETRY_PAUSE_MAX_MS;
    }
    /* the clock's lowest digits are as random as this needs */
    until =
        now + now * UINT64_C(0x9e3779b97f4a7c15) % (bound_ms * AERO_NS_PER_MS);
    if (until >= batch->total_by) {
        batch->retry_cut = true;
        return end(batch);
    }
    for (size_t i = 0; i < batch->n_rows; i++) {
        batch->rows[i].done = !aero_batch_may_retry(batch->rows[i].result);
    }
    batch->retry_no++;
    batch->try_no = 0;
    batch->result = 0;
    aero_status_clear(&batch->st);
    return pause(batch, until);
}

static aero_rc
end_round(aero_batch *batch)
{
    uint64_t now = aero_clock_now();
    uint32_t pause_ms = batch->policy.sleep_between_retries;
    bool again = false;

    if (batch->one_by_one && batch->at + 1 < batch->n_groups) {
        batch->at++;
        show_jobs(batch);
        return AERO_MORE;
    }
    for (uint32_t i = 0; i < batch->n_groups; i++) {
        again |= conclude_group(batch, &batch->groups[i]);
    }
    if (!again) {
        return retry_rows(batch, now);
    }
    if (batch->try_no >= batch->policy.max_retries ||
        now + pause_ms * AERO_NS_PER_MS >= batch->total_by) {
        batch->result = batch->st.code;
        return retry_rows(batch, now);
    }
    batch->try_no++;
    batch->replica_no++;
    atomic_fetch_add(&batch->cluster->n_retries, 1);
    return pause_ms != 0 ? pause(batch, now + pause_ms * AERO_NS_PER_MS)
                         : start_round(batch, now);
}

/* Writes of a transaction are announced before anything is sent. */
static aero_rc
start(aero_batch *batch)
{
    aero_rc rc = AERO_OK;

    if (batch->policy.in_txn != NULL) {
        rc = aero_batch_txn_begin(batch, batch->policy.in_txn, &batch->monitor,
                                  &batch->st);
    }
    if (rc == AERO_ERROR) {
        return end_with(batch);
    }
    if (rc == AERO_OK) {
        return start_round(batch, aero_clock_now());
    }
    batch->monitor_jobs[0] = &batch->monitor->job;
    batch->task.jobs = batch->monitor_jobs;
    batch->task.n_jobs = 1;
    batch->state = STATE_ANNOUNCING;
    return AERO_MORE;
}

static aero_rc
announced(aero_batch *batch)
{
    aero_rc rc =
        aero_txn_announced(batch->policy.in_txn, batch->monitor, &batch->st);

    free_monitor(batch);
    return rc == AERO_OK ? start_round(batch, aero_clock_now())
                         : end_with(batch);
}

static aero_rc
next(aero_task *task)
{
    aero_batch *batch = (aero_batch *)task;

    switch (batch->state) {
    case STATE_START:
        return start(batch);
    case STATE_ANNOUNCING:
        return announced(batch);
    case STATE_PAUSED:
        return start_round(batch, aero_clock_now());
    case STATE_RUNNING:
        return end_round(batch);
    default:
        return AERO_OK;
    }
}

void
aero_batch_begin(aero_batch *batch, aero_cluster *cluster,
                 const aero_source *source, uint64_t now)
{
    batch->task.next = next;
    batch->cluster = cluster;
    batch->source = source;
    batch->state = STATE_START;
    batch->try_no = 0;
    batch->replica_no = 0;
    batch->retry_no = 0;
    batch->retry_cut = false;
    batch->unresolved = 0;
    batch->result = 0;
    batch->total_by = aero_clock_after(now, batch->policy.total_timeout);
    batch->linearize = batch->policy.read_mode_sc == AERO_READ_SC_LINEARIZE;
    batch->store.len = 0;
    batch->store.max = SIZE_MAX / 2; /* many nodes, a frame each */
    aero_status_clear(&batch->st);
    for (size_t i = 0; i < batch->n_rows; i++) {
        aero_row *row = &batch->rows[i];

        row->done = false;
        row->answered = false;
        row->in_doubt = false;
        row->result = AERO_ERR_NO_RESPONSE;
        row->n_fields = 0;
        row->n_ops = 0;
        row->reply_len = 0;
    }
}

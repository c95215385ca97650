/* The end of a transaction.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/client/txn_end.h"

enum {
    TO_VERIFY,
    VERIFYING,
    MARKING,
    ROLLING,
    CLOSING,
    ENDED
};

static void
set_state(aero_txn *txn, aero_txn_state state)
{
    pthread_mutex_lock(&txn->lock);
    txn->state = state;
    pthread_mutex_unlock(&txn->lock);
}

static aero_txn_state
state_of(aero_txn *txn)
{
    aero_txn_state state;

    pthread_mutex_lock(&txn->lock);
    state = txn->state;
    pthread_mutex_unlock(&txn->lock);
    return state;
}

static aero_rc
end_with(aero_txn_end *end, int outcome)
{
    end->phase = ENDED;
    end->outcome = outcome;
    return end->st.code == 0 ? AERO_OK : AERO_ERROR;
}

/* ---- rows ---- */

static void
put_body(aero_txn_end *end, const aero_txn_entry *entry, bool verify)
{
    aero_buf *out = &end->bodies;
    const aero_txn *txn = end->txn;
    uint8_t bytes[8];
    unsigned n_fields = 2 + !verify + (entry->version != 0);

    aero_buf_put_u8(out, AERO_ROW_INFO | AERO_ROW_INFO4);
    aero_buf_put_u8(out,
                    verify ? AERO_INFO1_READ | AERO_INFO1_GET_NO_BINS : 0);
    aero_buf_put_u8(out,
                    verify ? 0 : AERO_INFO2_WRITE | AERO_INFO2_DURABLE_DELETE);
    aero_buf_put_u8(out, verify ? AERO_INFO3_SC_READ_TYPE : 0);
    aero_buf_put_u8(out, verify         ? AERO_INFO4_TXN_VERIFY_READ
                         : end->forward ? AERO_INFO4_TXN_ROLL_FORWARD
                                        : AERO_INFO4_TXN_ROLL_BACK);
    aero_buf_put_u16(out, (uint16_t)n_fields);
    aero_buf_put_u16(out, 0);
    aero_field_put(out, AERO_FIELD_NAMESPACE,
                   aero_span_of(txn->ns, txn->ns_len));
    aero_field_put(out, AERO_FIELD_SET,
                   aero_span_of(entry->set, entry->set_len));
    if (!verify) {
        aero_set_u64le(bytes, txn->id);
        aero_field_put(out, AERO_FIELD_TXN_ID, aero_span_of(bytes, 8));
    }
    if (entry->version != 0) {
        aero_set_u64le(bytes, entry->version);
        aero_field_put(out, AERO_FIELD_VERSION, aero_span_of(bytes, 7));
    }
}

/* Rows for what was read, or for what was written; the caller holds the
 * lock.  False without memory. */
static bool
make_rows(aero_txn_end *end, bool verify)
{
    const aero_txn *txn = end->txn;
    size_t at = 0;

    aero_free(end->rows);
    end->n_rows = 0;
    end->bodies.len = 0;
    end->rows = aero_zalloc((txn->count + 1) * sizeof *end->rows);
    for (size_t i = 0; end->rows != NULL && i < txn->cap; i++) {
        const aero_txn_entry *entry = &txn->entries[i];
        aero_row *row = &end->rows[end->n_rows];

        if (!entry->used ||
            (verify ? entry->version == 0 : !entry->is_written)) {
            continue;
        }
        memcpy(row->digest, entry->digest, AERO_DIGEST_SIZE);
        row->is_write = !verify;
        at = end->bodies.len;
        put_body(end, entry, verify);
        row->body = aero_span_of(NULL, end->bodies.len - at);
        end->n_rows++;
    }
    at = 0;
    for (size_t i = 0; i < end->n_rows; i++) {
        end->rows[i].body.ptr = end->bodies.ptr + at;
        end->rows[i].ns = aero_span_of(txn->ns, txn->ns_len);
        at += end->rows[i].body.len;
    }
    return end->rows != NULL && !end->bodies.failed;
}

static void
show_batch(aero_txn_end *end)
{
    end->task.jobs = end->batch.task.jobs;
    end->task.n_jobs = end->batch.task.n_jobs;
}

/* Begin a batch over the rows; AERO_OK when there are none. */
static aero_rc
start_batch(aero_txn_end *end, bool verify)
{
    bool fine;

    pthread_mutex_lock(&end->txn->lock);
    fine = make_rows(end, verify);
    pthread_mutex_unlock(&end->txn->lock);
    if (!fine) {
        return aero_fail(&end->st, AERO_ERR_CLIENT,
                         "no memory for the records of a transaction");
    }
    if (end->n_rows == 0) {
        return AERO_OK;
    }
    aero_batch_fini(&end->batch);
    aero_batch_init(&end->batch);
    end->batch.policy = verify ? end->verify : end->roll;
    end->batch.policy.in_txn = NULL;
    end->batch.flags = aero_batch_flags(&end->batch.policy);
    end->batch.rows = end->rows;
    end->batch.n_rows = end->n_rows;
    aero_batch_begin(&end->batch, end->cluster, end->source, aero_clock_now());
    if (end->batch.task.next(&end->batch.task) == AERO_MORE) {
        show_batch(end);
        return AERO_MORE;
    }
    return AERO_OK;
}

/* The first row that did not go well, or NULL. */
static const aero_row *
failed_row(const aero_txn_end *end)
{
    for (size_t i = 0; i < end->n_rows; i++) {
        if (end->rows[i].result != AERO_ERR_OK) {
            return &end->rows[i];
        }
    }
    return NULL;
}

/* ---- phases ---- */

static aero_rc
start_cmd(aero_txn_end *end, int phase,
          void (*put)(aero_txn *, aero_cmd *, const aero_policy *))
{
    aero_cmd_reset(&end->cmd);
    put(end->txn, &end->cmd, &end->roll);
    end->cmd_runs = true;
    end->phase = phase;
    end->jobs[0] = &end->cmd.job;
    end->task.jobs = end->jobs;
    end->task.n_jobs = 1;
    aero_cmd_begin(&end->cmd, end->cluster, end->source, aero_clock_now());
    return AERO_MORE;
}

/* What the server does by itself when the deadline has passed is not worth an
 * error: the outcome says that it was left to it. */
static aero_rc
start_close(aero_txn_end *end, bool rolled)
{
    aero_txn *txn = end->txn;
    bool has_monitor;

    if (!rolled) {
        return end_with(end, end->forward ? AERO_COMMIT_ROLL_FORWARD_ABANDONED
                                          : AERO_ABORT_ROLL_BACK_ABANDONED);
    }
    pthread_mutex_lock(&txn->lock);
    has_monitor = txn->deadline != 0 && !txn->write_in_doubt;
    pthread_mutex_unlock(&txn->lock);
    return has_monitor ? start_cmd(end, CLOSING, aero_txn_close)
                       : end_with(end, AERO_TXN_END_OK);
}

static aero_rc
end_close(aero_txn_end *end)
{
    bool fine = end->cmd.rc == AERO_OK &&
                (end->cmd.result == AERO_ERR_OK ||
                 end->cmd.result == AERO_ERR_RECORD_NOT_FOUND);

    return end_with(end, fine           ? AERO_TXN_END_OK
                         : end->forward ? AERO_COMMIT_CLOSE_ABANDONED
                                        : AERO_ABORT_CLOSE_ABANDONED);
}

static aero_rc
start_roll(aero_txn_end *end)
{
    aero_rc rc;

    set_state(end->txn, end->forward ? AERO_TXN_COMMITTED : AERO_TXN_ABORTED);
    end->phase = ROLLING;
    rc = start_batch(end, false);
    if (rc == AERO_MORE) {
        return rc;
    }
    return start_close(end, rc == AERO_OK && failed_row(end) == NULL);
}

static aero_rc
start_mark(aero_txn_end *end)
{
    end->forward = true;
    return aero_txn_deadline(end->txn) == 0
               ? start_roll(end)
               : start_cmd(end, MARKING, aero_txn_mark);
}

static aero_rc
end_verify(aero_txn_end *end)
{
    const aero_row *row = failed_row(end);

    if (row == NULL) {
        set_state(end->txn, AERO_TXN_VERIFIED);
        return start_mark(end);
    }
    aero_fail(&end->st, AERO_ERR_TXN_FAILED,
              "transaction was rolled back: a record it had read cannot be "
              "verified (%d: %s)",
              row->result, aero_result_text(row->result));
    end->forward = false;
    return start_roll(end);
}

/* Marked, or not, or nobody knows. */
static aero_rc
end_mark(aero_txn_end *end)
{
    const aero_cmd *cmd = &end->cmd;
    aero_txn *txn = end->txn;

    if (cmd->rc == AERO_OK && (cmd->result == AERO_ERR_OK ||
                               cmd->result == AERO_ERR_MRT_COMMITTED)) {
        return start_roll(end);
    }
    if (cmd->rc == AERO_OK) {
        end->st.from_server = true;
        aero_fail(&end->st, cmd->result,
                  "the transaction was not committed: "
                  "%s",
                  aero_result_text(cmd->result));
        if (cmd->result == AERO_ERR_MRT_ABORTED) {
            set_state(txn, AERO_TXN_ABORTED);
        }
        return end_with(end, AERO_TXN_END_OK);
    }
    end->st = cmd->st;
    aero_status_prefix(&end->st, "the transaction was not committed");
    if (cmd->st.in_doubt) {
        pthread_mutex_lock(&txn->lock);
        txn->state = AERO_TXN_COMMIT_FAILED;
        txn->in_doubt = true;
        pthread_mutex_unlock(&txn->lock);
    }
    return end_with(end, AERO_TXN_END_OK);
}

static aero_rc
start_verify(aero_txn_end *end)
{
    aero_rc rc;

    end->phase = VERIFYING;
    rc = start_batch(end, true);
    if (rc == AERO_ERROR) {
        return end_with(end, AERO_TXN_END_OK); /* nothing has happened yet */
    }
    return rc == AERO_MORE ? rc : end_verify(end);
}

static aero_rc
begin_commit(aero_txn_end *end)
{
    switch (state_of(end->txn)) {
    case AERO_TXN_OPEN:
        return start_verify(end);
    case AERO_TXN_VERIFIED:
    case AERO_TXN_COMMIT_FAILED:
        return start_mark(end);
    case AERO_TXN_COMMITTED:
        return end_with(end, AERO_COMMIT_ALREADY_COMMITTED);
    case AERO_TXN_ABORTED:
        aero_fail(&end->st, AERO_ERR_TXN_ALREADY_ABORTED,
                  "the transaction was aborted already");
        break;
    }
    return end_with(end, AERO_TXN_END_OK);
}

static aero_rc
begin_abort(aero_txn_end *end)
{
    end->forward = false;
    switch (state_of(end->txn)) {
    case AERO_TXN_OPEN:
    case AERO_TXN_VERIFIED:
        return start_roll(end);
    case AERO_TXN_ABORTED:
        return end_with(end, AERO_ABORT_ALREADY_ABORTED);
    case AERO_TXN_COMMIT_FAILED:
        return end_with(end, AERO_ABORT_COMMIT_FAILED);
    case AERO_TXN_COMMITTED:
        aero_fail(&end->st, AERO_ERR_TXN_ALREADY_COMMITTED,
                  "the transaction was committed already");
        break;
    }
    return end_with(end, AERO_TXN_END_OK);
}

/* A round of the batch has ended; AERO_MORE: it has another. */
static bool
batch_goes_on(aero_txn_end *end)
{
    if (end->batch.task.next(&end->batch.task) == AERO_MORE) {
        show_batch(end);
        return true;
    }
    return false;
}

static aero_rc
next(aero_task *task)
{
    aero_txn_end *end = (aero_txn_end *)task;

    switch (end->phase) {
    case TO_VERIFY:
        return end->commit ? begin_commit(end) : begin_abort(end);
    case VERIFYING:
        return batch_goes_on(end) ? AERO_MORE : end_verify(end);
    case MARKING:
        return end_mark(end);
    case ROLLING:
        return batch_goes_on(end) ? AERO_MORE
                                  : start_close(end, failed_row(end) == NULL);
    case CLOSING:
        return end_close(end);
    default:
        return end->st.code == 0 ? AERO_OK : AERO_ERROR;
    }
}

void
aero_txn_end_begin(aero_txn_end *end, aero_txn *txn, bool commit,
                   const aero_policy *verify, const aero_policy *roll,
                   aero_cluster *cluster, const aero_source *source)
{
    memset(end, 0, sizeof *end);
    end->task.next = next;
    end->txn = txn;
    end->commit = commit;
    end->forward = commit;
    end->verify = *verify;
    end->roll = *roll;
    end->cluster = cluster;
    end->source = source;
    aero_cmd_init(&end->cmd);
    aero_batch_init(&end->batch);
    aero_status_clear(&end->st);
}

void
aero_txn_end_cancel(aero_txn_end *end)
{
    int phase = end->phase;

    if (phase == VERIFYING || phase == ROLLING) {
        aero_batch_cancel(&end->batch);
    }
    if (end->cmd_runs) {
        aero_cmd_cancel(&end->cmd, AERO_ERR_CLIENT_ABORT, "cancelled");
    }
    if (phase == MARKING) {
        end_mark(end); /* it may have been marked */
    }
    else if (phase != ENDED) {
        aero_fail(&end->st, AERO_ERR_CLIENT_ABORT, "cancelled");
        end->phase = ENDED;
    }
}

void
aero_txn_end_fini(aero_txn_end *end)
{
    if (end->cmd_runs) {
        aero_cmd_cancel(&end->cmd, AERO_ERR_CLIENT_ABORT, "given up");
    }
    aero_batch_fini(&end->batch);
    aero_cmd_fini(&end->cmd);
    aero_buf_fini(&end->bodies);
    aero_free(end->rows);
}

/* What a transaction remembers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include "aero/base/alloc.h"
#include "aero/client/txn.h"

enum {
    VERSION_SIZE = 7,
    CAP_MIN = 16,
    CAP_FIRST_MAX = 8192 /* whatever the user expects */
};

/* ---- life ---- */

aero_txn *
aero_txn_new(size_t capacity)
{
    aero_txn *txn = aero_zalloc(sizeof *txn);
    size_t cap = CAP_MIN;

    if (txn == NULL) {
        return NULL;
    }
    while (cap / 2 < capacity && cap < CAP_FIRST_MAX) {
        cap *= 2;
    }
    txn->entries = aero_zalloc(cap * sizeof *txn->entries);
    if (txn->entries == NULL || getentropy(&txn->id, sizeof txn->id) != 0) {
        aero_free(txn->entries);
        aero_free(txn);
        return NULL;
    }
    txn->cap = cap;
    txn->id &= INT64_MAX;
    txn->id += txn->id == 0;
    atomic_init(&txn->refs, 1);
    pthread_mutex_init(&txn->lock, NULL);
    return txn;
}

aero_txn *
aero_txn_acquire(aero_txn *txn)
{
    atomic_fetch_add_explicit(&txn->refs, 1, memory_order_relaxed);
    return txn;
}

void
aero_txn_release(aero_txn *txn)
{
    if (txn != NULL &&
        atomic_fetch_sub_explicit(&txn->refs, 1, memory_order_acq_rel) == 1) {
        pthread_mutex_destroy(&txn->lock);
        aero_free(txn->entries);
        aero_free(txn);
    }
}

/* ---- entries; the caller holds the lock ---- */

/* The entry of the digest, or the free one where it belongs. */
static aero_txn_entry *
slot_of(const aero_txn *txn, const uint8_t *digest)
{
    size_t at = aero_get_u32(digest) & (txn->cap - 1);

    while (txn->entries[at].used &&
           memcmp(txn->entries[at].digest, digest, AERO_DIGEST_SIZE) != 0) {
        at = (at + 1) & (txn->cap - 1);
    }
    return &txn->entries[at];
}

static bool
grow(aero_txn *txn)
{
    aero_txn_entry *before = txn->entries;
    size_t cap = txn->cap;
    aero_txn_entry *entries;

    if (txn->count < cap / 2) {
        return true;
    }
    entries = aero_zalloc(2 * cap * sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    txn->entries = entries;
    txn->cap = 2 * cap;
    for (size_t i = 0; i < cap; i++) {
        if (before[i].used) {
            *slot_of(txn, before[i].digest) = before[i];
        }
    }
    aero_free(before);
    return true;
}

static aero_txn_entry *
make_entry(aero_txn *txn, const uint8_t *digest, aero_span set)
{
    aero_txn_entry *entry;

    if (!grow(txn)) {
        return NULL;
    }
    entry = slot_of(txn, digest);
    if (!entry->used) {
        memset(entry, 0, sizeof *entry);
        entry->used = true;
        memcpy(entry->digest, digest, AERO_DIGEST_SIZE);
        entry->set_len =
            (uint8_t)(set.len < AERO_SET_MAX ? set.len : AERO_SET_MAX);
        if (entry->set_len != 0) {
            memcpy(entry->set, set.ptr, entry->set_len);
        }
        txn->count++;
    }
    return entry;
}

/* ---- commands ---- */

static aero_rc
refuse(const aero_txn *txn, aero_status *st)
{
    switch (txn->state) {
    case AERO_TXN_COMMITTED:
        return aero_fail(st, AERO_ERR_TXN_ALREADY_COMMITTED,
                         "the transaction was committed already");
    case AERO_TXN_ABORTED:
        return aero_fail(st, AERO_ERR_TXN_ALREADY_ABORTED,
                         "the transaction was aborted already");
    default:
        return aero_fail(st, AERO_ERR_TXN_FAILED,
                         "the transaction is being committed: only commit and "
                         "abort may follow");
    }
}

aero_rc
aero_txn_join(aero_txn *txn, aero_span ns, aero_status *st)
{
    aero_rc rc = AERO_OK;

    pthread_mutex_lock(&txn->lock);
    if (txn->state != AERO_TXN_OPEN) {
        rc = refuse(txn, st);
    }
    else if (txn->ns_len == 0 && ns.len <= AERO_NAMESPACE_MAX) {
        txn->ns_len = (uint8_t)ns.len;
        memcpy(txn->ns, ns.ptr, ns.len);
    }
    else if (!aero_span_equal(aero_span_of(txn->ns, txn->ns_len), ns)) {
        rc = aero_fail(st, AERO_ERR_PARAM,
                       "a transaction has one namespace: it began with '%.*s' "
                       "and this is '%.*s'",
                       txn->ns_len, txn->ns, (int)ns.len, ns.ptr);
    }
    pthread_mutex_unlock(&txn->lock);
    return rc;
}

static void
put_version(aero_buf *out, uint64_t version)
{
    uint8_t bytes[8];

    aero_set_u64le(bytes, version);
    aero_field_put(out, AERO_FIELD_VERSION, aero_span_of(bytes, VERSION_SIZE));
}

uint16_t
aero_txn_put_fields(aero_txn *txn, const uint8_t digest[AERO_DIGEST_SIZE],
                    bool is_write, aero_buf *out, size_t *deadline_at)
{
    uint8_t bytes[8];
    uint16_t n_fields = 1;
    const aero_txn_entry *entry;

    aero_set_u64le(bytes, txn->id);
    aero_field_put(out, AERO_FIELD_TXN_ID, aero_span_of(bytes, 8));
    pthread_mutex_lock(&txn->lock);
    entry = slot_of(txn, digest);
    if (entry->used && entry->version != 0) {
        put_version(out, entry->version);
        n_fields++;
    }
    aero_set_u32le(bytes, txn->deadline);
    pthread_mutex_unlock(&txn->lock);
    if (is_write) {
        aero_field_put(out, AERO_FIELD_TXN_DEADLINE, aero_span_of(bytes, 4));
        *deadline_at = out->len - 4;
        n_fields++;
    }
    return n_fields;
}

uint32_t
aero_txn_deadline(aero_txn *txn)
{
    uint32_t deadline;

    pthread_mutex_lock(&txn->lock);
    deadline = txn->deadline;
    pthread_mutex_unlock(&txn->lock);
    return deadline;
}

uint64_t
aero_txn_version(aero_span fields, unsigned n_fields)
{
    for (unsigned i = 0; i < n_fields; i++) {
        aero_field field;

        if (aero_field_take(&fields, &field, NULL) != AERO_OK) {
            return 0;
        }
        if (field.type == AERO_FIELD_VERSION &&
            field.data.len == VERSION_SIZE) {
            uint8_t bytes[8] = {0};

            memcpy(bytes, field.data.ptr, VERSION_SIZE);
            return aero_get_u64le(bytes);
        }
    }
    return 0;
}

/* A write that returned a version has changed nothing: it counts as read. */
aero_rc
aero_txn_note(aero_txn *txn, const aero_txn_news *news, aero_status *st)
{
    bool wrote =
        news->is_write && news->version == 0 &&
        ((news->answered && news->result == AERO_ERR_OK) || news->in_doubt);
    aero_txn_entry *entry = NULL;

    if (!wrote && news->version == 0) {
        return AERO_OK;
    }
    pthread_mutex_lock(&txn->lock);
    entry = make_entry(txn, news->digest, news->set);
    if (entry == NULL) {
        txn->state = AERO_TXN_COMMIT_FAILED;
    }
    else if (wrote) {
        entry->is_written = true;
        entry->version = news->in_doubt ? entry->version : 0;
        txn->write_in_doubt |= news->in_doubt;
    }
    else {
        entry->version = news->version;
    }
    pthread_mutex_unlock(&txn->lock);
    return entry != NULL
               ? AERO_OK
               : aero_fail(st, AERO_ERR_CLIENT,
                           "no memory for the records of a transaction");
}

bool
aero_txn_has_written(aero_txn *txn, const uint8_t digest[AERO_DIGEST_SIZE])
{
    const aero_txn_entry *entry;
    bool has;

    pthread_mutex_lock(&txn->lock);
    entry = slot_of(txn, digest);
    has = entry->used && entry->is_written;
    pthread_mutex_unlock(&txn->lock);
    return has;
}

/* ---- one command ---- */

static aero_rc
start(aero_txn_run *run, aero_cmd *cmd)
{
    run->jobs[0] = &cmd->job;
    aero_cmd_begin(cmd, run->cluster, run->source, aero_clock_now());
    return AERO_MORE;
}

static aero_rc
start_cmd(aero_txn_run *run)
{
    aero_cmd *cmd = run->cmd;

    if (cmd->deadline_at != 0 && !cmd->out.failed) {
        aero_set_u32le(cmd->out.ptr + cmd->deadline_at,
                       aero_txn_deadline(run->txn));
    }
    return start(run, cmd);
}

/* The command has ended: remember what it read or wrote. */
static aero_rc
take_news(aero_txn_run *run)
{
    aero_cmd *cmd = run->cmd;
    aero_txn_news news = {.digest = run->key.digest,
                          .set = run->key.set,
                          .is_write = cmd->is_write,
                          .answered = cmd->rc == AERO_OK,
                          .in_doubt = cmd->st.in_doubt,
                          .result = cmd->result};

    if (news.answered) {
        aero_span body = aero_cmd_body(cmd);
        aero_msg msg;

        if (aero_msg_take(&body, &msg, NULL) == AERO_OK) {
            news.version = aero_txn_version(body, msg.n_fields);
        }
    }
    if (aero_txn_note(run->txn, &news, &cmd->st) != AERO_OK) {
        cmd->rc = AERO_ERROR;
    }
    return cmd->rc;
}

static aero_rc
next(aero_task *task)
{
    aero_txn_run *run = (aero_txn_run *)task;
    aero_status st;

    switch (run->round++) {
    case 0:
        return start(run, &run->monitor);
    case 1:
        aero_status_clear(&st);
        if (run->monitor.state == AERO_CMD_DONE &&
            aero_txn_announced(run->txn, &run->monitor, &st) != AERO_OK) {
            aero_cmd_refuse(run->cmd, &st);
            return AERO_ERROR;
        }
        return start_cmd(run);
    case 2:
        return take_news(run);
    default:
        return run->cmd->rc;
    }
}

void
aero_txn_run_begin(aero_txn_run *run, aero_txn *txn, aero_cmd *cmd,
                   const aero_key *key, const aero_policy *policy,
                   aero_cluster *cluster, const aero_source *source)
{
    run->task.next = next;
    run->task.jobs = run->jobs;
    run->task.n_jobs = 1;
    run->txn = txn;
    run->cmd = cmd;
    run->cluster = cluster;
    run->source = source;
    run->key = *key;
    cmd->cluster = cluster;
    cmd->source = source;
    aero_cmd_init(&run->monitor);
    if (cmd->is_write && !aero_txn_has_written(txn, key->digest)) {
        aero_txn_announce(txn, &run->monitor,
                          aero_span_of(key->digest, AERO_DIGEST_SIZE), policy);
        run->round = 0;
    }
    else {
        run->round = 1;
    }
}

void
aero_txn_run_cancel(aero_txn_run *run)
{
    bool sent = run->round > 1 && run->cmd->state != AERO_CMD_DONE;

    if (run->round == 1 && run->monitor.cluster != NULL) {
        aero_cmd_cancel(&run->monitor, AERO_ERR_CLIENT_ABORT, "cancelled");
    }
    aero_cmd_cancel(run->cmd, AERO_ERR_CLIENT_ABORT, "cancelled");
    if (sent) {
        take_news(run); /* it may have been done */
    }
    run->round = 3;
}

void
aero_txn_run_fini(aero_txn_run *run)
{
    if (run->round == 1 && run->monitor.cluster != NULL) {
        aero_cmd_cancel(&run->monitor, AERO_ERR_CLIENT_ABORT, "given up");
    }
    aero_cmd_fini(&run->monitor);
}

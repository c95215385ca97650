/* Locks, and how commands see records through them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "aero/base/alloc.h"
#include "txn.h"

/* ---- locks ---- */

static srv_lock **
bucket_of(const srv_txns *txns, const uint8_t *digest)
{
    return (srv_lock **)&txns->locks[digest[AERO_DIGEST_SIZE - 1]];
}

static srv_lock *
find_lock(const srv_txns *txns, const uint8_t *digest)
{
    srv_lock *lock = txns == NULL ? NULL : *bucket_of(txns, digest);

    while (lock != NULL &&
           memcmp(lock->digest, digest, AERO_DIGEST_SIZE) != 0) {
        lock = lock->next;
    }
    return lock;
}

/* Gives (borrowed) a lock on a record that has none; NULL: no memory. */
static srv_lock *
add_lock(srv_cmd *cmd)
{
    srv_txns *txns = cmd->ns->txns;
    srv_lock **bucket = bucket_of(txns, cmd->digest);
    srv_lock *lock = aero_zalloc(sizeof *lock);

    if (lock != NULL) {
        memcpy(lock->digest, cmd->digest, sizeof lock->digest);
        lock->txn = cmd->txn;
        lock->deadline = cmd->txn_deadline;
        lock->next = *bucket;
        *bucket = lock;
        txns->n_locks++;
    }
    return lock;
}

static void
free_lock(srv_lock *lock)
{
    aero_free(lock->now);
    aero_free(lock);
}

/* Takes the lock out of its bucket. */
static void
take_lock(srv_txns *txns, srv_lock *lock)
{
    srv_lock **link = bucket_of(txns, lock->digest);

    while (*link != lock) {
        link = &(*link)->next;
    }
    *link = lock->next;
    txns->n_locks--;
}

srv_txns *
srv_txns_new(void)
{
    return aero_zalloc(sizeof(srv_txns));
}

void
srv_txns_free(srv_txns *txns)
{
    if (txns == NULL) {
        return;
    }
    for (unsigned i = 0; i < SRV_LOCK_BUCKETS; i++) {
        while (txns->locks[i] != NULL) {
            srv_lock *lock = txns->locks[i];

            txns->locks[i] = lock->next;
            free_lock(lock);
        }
    }
    while (txns->monitors != NULL) {
        srv_monitor *monitor = txns->monitors;

        txns->monitors = monitor->next;
        aero_free(monitor);
    }
    aero_free(txns);
}

/* ---- rolling ---- */

/* Takes the lock.  False: no memory, the lock stays. */
static bool
roll_lock(srv_ns *ns, srv_lock *lock, bool forward)
{
    srv_record *rec = lock->now;

    if (forward && rec != NULL) {
        /* The store frees what it cannot take, so it gets a copy. */
        size_t size = offsetof(srv_record, data) + rec->len;
        srv_record *copy = aero_alloc(size);

        if (copy == NULL) {
            return false;
        }
        memcpy(copy, rec, size);
        if (!srv_ns_put(ns, copy)) {
            return false;
        }
    }
    else if (forward) {
        srv_ns_drop(ns, lock->digest);
    }
    take_lock(ns->txns, lock);
    free_lock(lock);
    return true;
}

unsigned
srv_txns_roll(srv_ns *ns, uint64_t txn, bool forward)
{
    unsigned count = 0;

    for (unsigned i = 0; i < SRV_LOCK_BUCKETS; i++) {
        srv_lock *next;

        for (srv_lock *lock = ns->txns->locks[i]; lock != NULL; lock = next) {
            next = lock->next;
            count += lock->txn == txn && roll_lock(ns, lock, forward);
        }
    }
    return count;
}

/* ---- versions ---- */

static void
put_version(const srv_record *rec, uint8_t *out)
{
    for (int i = 0; i < 5; i++) {
        out[i] = (uint8_t)(rec->lut >> 8 * i);
    }
    out[5] = (uint8_t)rec->generation;
    out[6] = (uint8_t)(rec->generation >> 8);
}

/* Whether the record is still what the transaction has seen. */
static int
check_version(const srv_cmd *cmd, const srv_record *rec)
{
    aero_span seen = srv_req_field(cmd->req, AERO_FIELD_VERSION);
    uint8_t version[SRV_VERSION_SIZE];

    if (!srv_req_has(cmd->req, AERO_FIELD_VERSION)) {
        return AERO_ERR_OK;
    }
    if (seen.len != SRV_VERSION_SIZE) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (rec != NULL) {
        put_version(rec, version);
    }
    return rec != NULL && memcmp(version, seen.ptr, sizeof version) == 0
               ? AERO_ERR_OK
               : AERO_ERR_MRT_VERSION_MISMATCH;
}

void
srv_txn_put_version(srv_cmd *cmd, int code, aero_buf *fields)
{
    uint8_t version[SRV_VERSION_SIZE];

    /* What the transaction has written itself needs no verifying. */
    if (cmd->txn == 0 || cmd->lock != NULL || cmd->rec == NULL ||
        (cmd->writes && code == AERO_ERR_OK) ||
        (code >= AERO_ERR_MRT_BLOCKED &&
         code <= AERO_ERR_MRT_MONITOR_EXISTS)) {
        return;
    }
    put_version(cmd->rec, version);
    aero_field_put(fields, AERO_FIELD_VERSION,
                   aero_span_of(version, sizeof version));
    cmd->n_fields++;
}

/* ---- commands ---- */

static int
take_txn(srv_cmd *cmd)
{
    aero_span id = srv_req_field(cmd->req, AERO_FIELD_TXN_ID);
    aero_span deadline = srv_req_field(cmd->req, AERO_FIELD_TXN_DEADLINE);

    cmd->txn = 0;
    cmd->txn_deadline = 0;
    if (!srv_req_has(cmd->req, AERO_FIELD_TXN_ID)) {
        return AERO_ERR_OK;
    }
    if (!cmd->core->enterprise) {
        return AERO_ERR_ENTERPRISE_ONLY;
    }
    if (cmd->ns->txns == NULL) {
        return AERO_ERR_UNSUPPORTED_FEATURE;
    }
    if (id.len != 8 || aero_get_u64le(id.ptr) == 0 ||
        (deadline.len != 0 && deadline.len != 4)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    cmd->txn = aero_get_u64le(id.ptr);
    cmd->txn_deadline = deadline.len != 0 ? aero_get_u32le(deadline.ptr) : 0;
    return AERO_ERR_OK;
}

static int
check_lock(const srv_cmd *cmd, const srv_lock *lock, bool writes)
{
    bool only_first =
        (cmd->req->msg.info4 & AERO_INFO4_TXN_ON_LOCKING_ONLY) != 0;

    if (lock != NULL && lock->txn != cmd->txn) {
        return writes || cmd->txn != 0 ? AERO_ERR_MRT_BLOCKED : AERO_ERR_OK;
    }
    if (writes && cmd->txn_deadline != 0 && cmd->txn_deadline <= cmd->now) {
        return AERO_ERR_MRT_EXPIRED;
    }
    return lock != NULL && writes && only_first ? AERO_ERR_MRT_ALREADY_LOCKED
                                                : AERO_ERR_OK;
}

int
srv_txn_find(srv_cmd *cmd, bool writes)
{
    srv_lock *lock = find_lock(cmd->ns->txns, cmd->digest);
    int code = take_txn(cmd);

    cmd->lock = NULL;
    cmd->rec = srv_ns_get(cmd->ns, cmd->digest);
    if (code == AERO_ERR_OK) {
        code = check_lock(cmd, lock, writes);
    }
    if (code == AERO_ERR_MRT_BLOCKED) {
        cmd->ns->counts[SRV_COUNT_fail_mrt_blocked]++;
    }
    if (code != AERO_ERR_OK) {
        cmd->rec = NULL;
        return code;
    }
    if (lock != NULL && lock->txn == cmd->txn && cmd->txn != 0) {
        cmd->lock = lock;
        cmd->rec = lock->now;
        return AERO_ERR_OK;
    }
    if (cmd->txn != 0) {
        code = check_version(cmd, cmd->rec);
        cmd->ns->counts[SRV_COUNT_fail_mrt_version_mismatch] +=
            code == AERO_ERR_MRT_VERSION_MISMATCH;
    }
    return code;
}

bool
srv_txn_put(srv_cmd *cmd, srv_record *rec)
{
    if (cmd->txn == 0) {
        return srv_ns_put(cmd->ns, rec);
    }
    if (cmd->lock == NULL) {
        cmd->lock = add_lock(cmd);
    }
    if (cmd->lock == NULL) {
        aero_free(rec);
        return false;
    }
    aero_free(cmd->lock->now);
    cmd->lock->now = rec;
    cmd->rec = rec;
    return true;
}

bool
srv_txn_drop(srv_cmd *cmd)
{
    if (cmd->txn == 0) {
        srv_ns_drop(cmd->ns, cmd->digest);
        return true;
    }
    return srv_txn_put(cmd, NULL);
}

int
srv_txn_check_delete(const srv_cmd *cmd)
{
    bool durable = (cmd->req->msg.info2 & AERO_INFO2_DURABLE_DELETE) != 0;
    const int64_t *config = cmd->ns->config;

    if (durable && !cmd->core->enterprise) {
        return AERO_ERR_ENTERPRISE_ONLY;
    }
    return !durable && config[SRV_NS_strong_consistency] != 0 &&
                   config[SRV_NS_strong_consistency_allow_expunge] == 0
               ? AERO_ERR_FAIL_FORBIDDEN
               : AERO_ERR_OK;
}

/* ---- verifying and rolling ---- */

int
srv_txn_verify(srv_cmd *cmd)
{
    const srv_record *rec = srv_ns_get(cmd->ns, cmd->digest);
    int code;

    if (!cmd->core->enterprise) {
        return AERO_ERR_ENTERPRISE_ONLY;
    }
    if (cmd->ns->txns == NULL) {
        return AERO_ERR_UNSUPPORTED_FEATURE;
    }
    if (!srv_req_has(cmd->req, AERO_FIELD_VERSION)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (rec != NULL && srv_record_is_dead(rec, cmd->now)) {
        rec = NULL;
    }
    code = find_lock(cmd->ns->txns, cmd->digest) != NULL
               ? AERO_ERR_MRT_BLOCKED
               : check_version(cmd, rec);
    cmd->ns->counts[code == AERO_ERR_OK ? SRV_COUNT_mrt_verify_read_success
                                        : SRV_COUNT_mrt_verify_read_error]++;
    return code;
}

/* What is not locked was rolled already, or never written. */
int
srv_txn_roll(srv_cmd *cmd)
{
    bool forward = (cmd->req->msg.info4 & AERO_INFO4_TXN_ROLL_FORWARD) != 0;
    int code = take_txn(cmd);
    srv_lock *lock;

    if (!cmd->core->enterprise) {
        return AERO_ERR_ENTERPRISE_ONLY;
    }
    if (code != AERO_ERR_OK || cmd->txn == 0) {
        return code != AERO_ERR_OK ? code : AERO_ERR_REQUEST_INVALID;
    }
    lock = find_lock(cmd->ns->txns, cmd->digest);
    if (lock != NULL && lock->txn != cmd->txn) {
        code = AERO_ERR_MRT_BLOCKED;
    }
    else if (lock != NULL && !roll_lock(cmd->ns, lock, forward)) {
        code = AERO_ERR_SERVER;
    }
    cmd->txn = 0; /* there is nothing to verify */
    if (forward) {
        cmd->ns
            ->counts[code == AERO_ERR_OK ? SRV_COUNT_mrt_roll_forward_success
                                         : SRV_COUNT_mrt_roll_forward_error]++;
    }
    else {
        cmd->ns->counts[code == AERO_ERR_OK ? SRV_COUNT_mrt_roll_back_success
                                            : SRV_COUNT_mrt_roll_back_error]++;
    }
    return code;
}

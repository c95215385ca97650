/* Monitors of transactions: plain records that are watched.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/wire/value.h"
#include "txn.h"

enum {
    DURATION_MAX = 120, /* seconds */
    DURATION_USUAL = 10,
    KEEP_S = 60 /* that an aborted transaction is remembered */
};

#define TTL_NEVER UINT32_MAX

static srv_monitor *
find(const srv_txns *txns, const uint8_t *digest)
{
    srv_monitor *monitor = txns->monitors;

    while (monitor != NULL &&
           memcmp(monitor->digest, digest, AERO_DIGEST_SIZE) != 0) {
        monitor = monitor->next;
    }
    return monitor;
}

/* Takes the monitor. */
static void
forget(srv_txns *txns, srv_monitor *monitor)
{
    srv_monitor **link = &txns->monitors;

    while (*link != monitor) {
        link = &(*link)->next;
    }
    *link = monitor->next;
    txns->n_monitors--;
    aero_free(monitor);
}

/* ---- what a write of a monitor says ---- */

typedef struct said {
    bool has_id; /* the first write */
    uint64_t id;
    bool forward; /* the mark */
} said;

static void
read_ops(const srv_req *req, said *out)
{
    aero_span ops = req->ops;
    aero_op op;

    memset(out, 0, sizeof *out);
    while (srv_op_next(&ops, &op)) {
        if (op.op != AERO_OP_WRITE) {
            continue;
        }
        if (aero_span_is(op.name, "id") &&
            op.particle == AERO_PARTICLE_INTEGER && op.value.len == 8) {
            out->has_id = true;
            out->id = aero_get_u64(op.value.ptr);
        }
        else if (aero_span_is(op.name, "fwd")) {
            out->forward = true;
        }
    }
}

/* Result codes that the monitor's state answers with. */
static int
check_state(const srv_cmd *cmd, const srv_monitor *monitor, const said *s)
{
    if (monitor == NULL) {
        return s->has_id    ? AERO_ERR_OK
               : s->forward ? AERO_ERR_MRT_ABORTED
                            : AERO_ERR_MRT_EXPIRED;
    }
    switch (monitor->state) {
    case SRV_MONITOR_FORWARD:
        return AERO_ERR_MRT_COMMITTED;
    case SRV_MONITOR_ABORTED:
        return s->forward ? AERO_ERR_MRT_ABORTED : AERO_ERR_MRT_EXPIRED;
    default:
        break;
    }
    if (s->has_id) {
        return AERO_ERR_MRT_MONITOR_EXISTS;
    }
    return monitor->deadline <= cmd->now ? AERO_ERR_MRT_EXPIRED : AERO_ERR_OK;
}

/* How many digests the monitor lists. */
static uint32_t
count_digests(const srv_record *rec)
{
    aero_val list = srv_record_bin(rec, aero_span_str("keyds"));
    aero_span in = list.bytes;
    aero_token head;
    uint8_t flags;

    if (list.particle != AERO_PARTICLE_LIST || !aero_token_take(&in, &head) ||
        head.kind != AERO_TOKEN_LIST ||
        !aero_token_take_flags(&in, false, &head.count, &flags)) {
        return 0;
    }
    return head.count;
}

/* ---- commands ---- */

static int
take_duration(const srv_cmd *cmd, uint32_t *seconds)
{
    int64_t usual = cmd->ns->config[SRV_NS_mrt_duration];

    *seconds = cmd->req->msg.ttl;
    if (*seconds == 0) {
        *seconds = usual != 0 ? (uint32_t)usual : DURATION_USUAL;
    }
    return *seconds > DURATION_MAX ? AERO_ERR_REQUEST_INVALID : AERO_ERR_OK;
}

/* Gives (borrowed) a new monitor; NULL: no memory. */
static srv_monitor *
add(srv_cmd *cmd, uint64_t id, uint32_t seconds)
{
    srv_txns *txns = cmd->ns->txns;
    srv_monitor *monitor = aero_zalloc(sizeof *monitor);

    if (monitor != NULL) {
        memcpy(monitor->digest, cmd->digest, sizeof monitor->digest);
        monitor->txn = id;
        monitor->deadline = cmd->now + seconds;
        monitor->next = txns->monitors;
        txns->monitors = monitor;
        txns->n_monitors++;
    }
    return monitor;
}

/* The record itself lives until the transaction has ended. */
static int
write_record(srv_cmd *cmd)
{
    const srv_req *asked = cmd->req;
    srv_req forever = *asked;
    const srv_record *rec;
    int code;

    forever.msg.ttl = TTL_NEVER;
    cmd->req = &forever;
    code = srv_write_run(cmd);
    cmd->req = asked;
    rec = srv_ns_get(cmd->ns, cmd->digest);
    if (code == AERO_ERR_OK && rec != NULL) {
        cmd->ns->monitor_set = rec->set;
    }
    return code == AERO_ERR_OK && rec != NULL &&
                   count_digests(rec) > SRV_TXN_WRITES_MAX
               ? AERO_ERR_MRT_TOO_MANY_WRITES
               : code;
}

static int
write_monitor(srv_cmd *cmd)
{
    srv_txns *txns = cmd->ns->txns;
    srv_monitor *monitor = find(txns, cmd->digest);
    uint32_t seconds;
    said s;
    int code;

    read_ops(cmd->req, &s);
    code = check_state(cmd, monitor, &s);
    if (code == AERO_ERR_OK) {
        code = take_duration(cmd, &seconds);
    }
    if (code == AERO_ERR_OK) {
        code = write_record(cmd);
    }
    if (code == AERO_ERR_OK && monitor == NULL) {
        monitor = add(cmd, s.id, seconds);
        code = monitor != NULL ? AERO_ERR_OK : AERO_ERR_SERVER;
    }
    if (code != AERO_ERR_OK) {
        return code;
    }
    if (s.forward) {
        monitor->state = SRV_MONITOR_FORWARD;
    }
    cmd->answers_deadline = monitor->deadline;
    return AERO_ERR_OK;
}

/* What has not been rolled yet is rolled now. */
static int
remove_monitor(srv_cmd *cmd)
{
    srv_monitor *monitor = find(cmd->ns->txns, cmd->digest);
    int code = srv_delete_run(cmd);

    if (monitor != NULL) {
        srv_txns_roll(cmd->ns, monitor->txn,
                      monitor->state == SRV_MONITOR_FORWARD);
        forget(cmd->ns->txns, monitor);
    }
    return code;
}

int
srv_monitor_run(srv_cmd *cmd)
{
    return (cmd->req->msg.info2 & AERO_INFO2_DELETE) != 0 ? remove_monitor(cmd)
                                                          : write_monitor(cmd);
}

/* ---- what has lasted too long ---- */

static void
end_monitor(srv_ns *ns, srv_monitor *monitor)
{
    bool forward = monitor->state == SRV_MONITOR_FORWARD;
    unsigned count = srv_txns_roll(ns, monitor->txn, forward);

    ns->counts[forward ? SRV_COUNT_mrt_monitor_roll_forward_success
                       : SRV_COUNT_mrt_monitor_roll_back_success] += count;
    srv_ns_drop(ns, monitor->digest);
    if (forward) {
        forget(ns->txns, monitor);
    }
    else {
        monitor->state = SRV_MONITOR_ABORTED;
    }
}

/* Locks whose transaction was never announced. */
static void
free_orphans(srv_ns *ns, uint32_t now)
{
    for (unsigned i = 0; i < SRV_LOCK_BUCKETS; i++) {
        srv_lock *lock = ns->txns->locks[i];

        while (lock != NULL) {
            bool orphan = lock->deadline <= now;

            for (const srv_monitor *m = ns->txns->monitors;
                 orphan && m != NULL; m = m->next) {
                orphan = m->txn != lock->txn;
            }
            if (orphan) {
                srv_txns_roll(ns, lock->txn, false);
                lock = ns->txns->locks[i];
            }
            else {
                lock = lock->next;
            }
        }
    }
}

void
srv_txns_tick(srv_core *core, srv_ns *ns)
{
    uint32_t now = srv_clock_s(&core->clock);
    srv_monitor *next;

    if (ns->txns == NULL) {
        return;
    }
    for (srv_monitor *m = ns->txns->monitors; m != NULL; m = next) {
        next = m->next;
        if (m->state == SRV_MONITOR_ABORTED) {
            if (m->deadline + KEEP_S <= now) {
                forget(ns->txns, m);
            }
        }
        else if (m->deadline <= now) {
            end_monitor(ns, m);
        }
    }
    free_orphans(ns, now);
}

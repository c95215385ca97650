/* Transactions of a namespace with strong consistency.
 *
 * What a transaction writes lies beside the records, as a lock on each: who
 * holds it, and the record as the transaction has it.  The record itself stays
 * what it was until the transaction is committed, so all others see what was
 * committed last.  Rolling forward makes the locked record the record; rolling
 * back forgets it.
 *
 * A monitor is a record of a set of its own, under the transaction's id: it
 * lists the digests that are written.  When its time is over the server ends
 * the transaction: forward if it was marked so, else back.
 *
 *   version: | last update, 40 bits | generation, 16 bits |  little-endian
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_TXN_H
#define SRV_TXN_H

#include "command.h"

enum {
    SRV_VERSION_SIZE = 7,
    SRV_TXN_WRITES_MAX = 4096
};

#define SRV_MONITOR_SET "<ERO~MRT"

typedef struct srv_lock {
    struct srv_lock *next; /* of the same bucket */
    uint8_t digest[AERO_DIGEST_SIZE];
    uint64_t txn;
    uint32_t deadline; /* seconds since 2010 */
    srv_record *now;   /* owned; NULL: the transaction has deleted it */
} srv_lock;

typedef enum srv_monitor_state {
    SRV_MONITOR_OPEN,
    SRV_MONITOR_FORWARD,
    SRV_MONITOR_ABORTED /* kept for a while, for those who ask */
} srv_monitor_state;

typedef struct srv_monitor {
    struct srv_monitor *next;
    uint8_t digest[AERO_DIGEST_SIZE];
    uint64_t txn;
    uint32_t deadline;
    srv_monitor_state state;
} srv_monitor;

enum {
    SRV_LOCK_BUCKETS = 256
};

typedef struct srv_txns {
    srv_lock *locks[SRV_LOCK_BUCKETS]; /* owned */
    uint32_t n_locks;
    srv_monitor *monitors; /* owned */
    uint32_t n_monitors;
} srv_txns;

srv_txns *srv_txns_new(void); /* gives; NULL: no memory */
void srv_txns_free(srv_txns *txns);

/* ---- commands on records ---- */

/* Find the record as the command may see it, into cmd->rec and cmd->lock.  A
 * result code: 120 another transaction has it, 121 it is not what was read,
 * 122 the transaction's time is over, 126 it is locked already; 16 and 25
 * where there are no transactions. */
int srv_txn_find(srv_cmd *cmd, bool writes);
/* Takes `rec`: it becomes the record, or the transaction's. */
bool srv_txn_put(srv_cmd *cmd, srv_record *rec);
/* The record goes, or the transaction deletes it.  False: no memory. */
bool srv_txn_drop(srv_cmd *cmd);
/* Whether it may go as the command wants it: 25 or 22 if not. */
int srv_txn_check_delete(const srv_cmd *cmd);

/* Put the version of what was seen into the answer, if the transaction has to
 * verify it. */
void srv_txn_put_version(srv_cmd *cmd, int code, aero_buf *fields);

/* Commands of the transaction itself. */
int srv_txn_verify(srv_cmd *cmd);
int srv_txn_roll(srv_cmd *cmd);

/* ---- monitors (monitor.c) ---- */

static inline bool
srv_txn_is_monitor(const srv_cmd *cmd)
{
    return cmd->ns->txns != NULL &&
           aero_span_is(srv_req_field(cmd->req, AERO_FIELD_SET),
                        SRV_MONITOR_SET);
}

/* A write or delete of a monitor. */
int srv_monitor_run(srv_cmd *cmd);

/* End what has lasted too long. */
void srv_txns_tick(srv_core *core, srv_ns *ns);

/* ---- between the files ---- */

/* All that a transaction has locked becomes what it made of it, or what it
 * was; how many. */
unsigned srv_txns_roll(srv_ns *ns, uint64_t txn, bool forward);

#endif

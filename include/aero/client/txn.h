/* Transactions: commands on records of one strongly consistent namespace that
 * take effect together.
 *
 * The client remembers which version of each record it has read and which
 * records it has written.  Before a record is first written, the server is
 * told through the transaction's monitor, a record of its own:
 *
 *   set "<ERO~MRT", user key the id | bin "id" | bin "keyds": digests
 *
 * A commit verifies what was read, marks the monitor, rolls the writes
 * forward, and removes the monitor; an abort rolls them back.
 *
 * Counted; the lock guards what changes and is never held while waiting.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_TXN_H
#define AERO_CLIENT_TXN_H

#include "aero/client/single.h"

typedef enum aero_txn_state {
    AERO_TXN_OPEN,
    AERO_TXN_VERIFIED,
    AERO_TXN_COMMITTED,
    AERO_TXN_ABORTED,
    AERO_TXN_COMMIT_FAILED
} aero_txn_state;

typedef struct aero_txn_entry {
    uint8_t digest[AERO_DIGEST_SIZE];
    uint64_t version; /* that was read; 0: none */
    bool used;
    bool is_written;
    uint8_t set_len;
    char set[AERO_SET_MAX];
} aero_txn_entry;

typedef struct aero_txn {
    atomic_uint refs;
    uint64_t id; /* not 0; positive as a signed number */
    pthread_mutex_t lock;
    /* lock, all that follows */
    aero_txn_state state;
    uint32_t timeout;  /* seconds; 0: the server's */
    uint32_t deadline; /* the monitor's; 0: there is no monitor yet */
    bool in_doubt;
    bool write_in_doubt;
    uint8_t ns_len; /* 0: no command yet */
    char ns[AERO_NAMESPACE_MAX];
    aero_txn_entry *entries; /* owned; a hash table, cap a power of two */
    size_t count;
    size_t cap;
} aero_txn;

/* Room for `capacity` records at once; it grows.  NULL: no memory, or no
 * random numbers. */
aero_txn *aero_txn_new(size_t capacity);
aero_txn *aero_txn_acquire(aero_txn *txn);
void aero_txn_release(aero_txn *txn); /* NULL is fine */

/* A command on a record of `ns` is about to be made: refused after the end
 * and on a second namespace. */
aero_rc aero_txn_join(aero_txn *txn, aero_span ns, aero_status *st);

/* The fields of a command on this record; gives how many were put.  Of a
 * write, `deadline_at` is where the deadline stands, which may not be known
 * yet. */
uint16_t aero_txn_put_fields(aero_txn *txn,
                             const uint8_t digest[AERO_DIGEST_SIZE],
                             bool is_write, aero_buf *out,
                             size_t *deadline_at);
uint32_t aero_txn_deadline(aero_txn *txn);

/* How a command on a record ended. */
typedef struct aero_txn_news {
    const uint8_t *digest;
    aero_span set;
    bool is_write;
    bool answered;
    bool in_doubt;
    int32_t result;
    uint64_t version; /* of the reply; 0: none */
} aero_txn_news;

/* AERO_ERROR: no memory, and the transaction can only be aborted. */
aero_rc aero_txn_note(aero_txn *txn, const aero_txn_news *news,
                      aero_status *st);
/* The version among the fields of a reply; 0: none. */
uint64_t aero_txn_version(aero_span fields, unsigned n_fields);

/* ---- the monitor ---- */

bool aero_txn_has_written(aero_txn *txn,
                          const uint8_t digest[AERO_DIGEST_SIZE]);

/* Put the request that announces writes (20 bytes each) into `cmd`; limits
 * are those of `policy`. */
void aero_txn_announce(aero_txn *txn, aero_cmd *cmd, aero_span digests,
                       const aero_policy *policy);
/* It has ended: keep the deadline. */
aero_rc aero_txn_announced(aero_txn *txn, const aero_cmd *cmd,
                           aero_status *st);
/* The requests that mark it for rolling forward, and remove it. */
void aero_txn_mark(aero_txn *txn, aero_cmd *cmd, const aero_policy *policy);
void aero_txn_close(aero_txn *txn, aero_cmd *cmd, const aero_policy *policy);

/* ---- one command ---- */

/* A command about one record, with what has to go before it. */
typedef struct aero_txn_run {
    aero_task task; /* first: a task of this is this */
    aero_job *jobs[1];
    aero_txn *txn;             /* borrowed */
    aero_cmd *cmd;             /* borrowed; its request is made */
    aero_cluster *cluster;     /* borrowed */
    const aero_source *source; /* borrowed */
    aero_key key;              /* namespace, set and digest; borrowed */
    aero_cmd monitor;          /* owned */
    int round;
} aero_txn_run;

void aero_txn_run_begin(aero_txn_run *run, aero_txn *txn, aero_cmd *cmd,
                        const aero_key *key, const aero_policy *policy,
                        aero_cluster *cluster, const aero_source *source);
void aero_txn_run_cancel(aero_txn_run *run);
/* What has not ended is cancelled, but not `cmd`. */
void aero_txn_run_fini(aero_txn_run *run);

#endif

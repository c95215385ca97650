/* Which partitions of a namespace a query still has to read, and from where.
 *
 * A partition is open until a node has said that it has no more of it.  Each
 * record that is accepted is the place where its partition goes on, on
 * whatever node, today or later: that is how a lost node, a page and a cursor
 * neither repeat nor lose a record.
 *
 *   assign -> (accept | refuse)* -> close, fail or drop each share -> assign
 *
 * It asks nobody and knows no clock.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_PARTITIONS_H
#define AERO_CLIENT_PARTITIONS_H

#include "aero/client/policy.h"
#include "aero/cluster/cluster.h"
#include "aero/wire/query.h"

enum {
    AERO_NO_SHARE = 0xffff
};

typedef struct aero_part {
    uint8_t digest[AERO_DIGEST_SIZE]; /* the last record accepted */
    bool open;
    bool started;      /* there is such a record */
    uint8_t failures;  /* goes round the replicas */
    uint16_t share;    /* of this round, or AERO_NO_SHARE */
    uint64_t bval;     /* of that record, in the index */
    const void *avoid; /* the node that failed last; only compared */
} aero_part;

/* Counted: a query object and the iteration it started share it. */
typedef struct aero_parts {
    atomic_uint refs;
    atomic_bool taken; /* a query runs on them */
    uint32_t begin;    /* the first partition */
    uint32_t count;
    aero_part at[]; /* `count` of them */
} aero_parts;

/* What one node is asked in one round. */
typedef struct aero_share {
    aero_node *node; /* counted */
    uint32_t n_new;  /* partitions read from the beginning */
    uint32_t n_resumed;
    uint64_t most; /* records; 0: all */
    uint64_t got;
} aero_share;

/* All open, from the beginning; NULL without memory. */
aero_parts *aero_parts_new(uint32_t begin, uint32_t count);
aero_parts *aero_parts_acquire(aero_parts *parts);
void aero_parts_release(aero_parts *parts); /* NULL is fine */

/* The entry of a partition, or NULL. */
aero_part *aero_parts_find(aero_parts *parts, uint32_t id);
/* Go on behind this record. */
void aero_part_resume(aero_part *part, const uint8_t *digest, uint64_t bval);
/* Nothing is left to be read. */
bool aero_parts_are_done(const aero_parts *parts);

typedef struct aero_assignment {
    aero_cluster *cluster; /* borrowed */
    aero_span ns;
    aero_replica replica;
    bool linearize;
    const char *only; /* a node's name: nothing is read elsewhere; or NULL */
    uint64_t most;    /* records of all nodes together; 0: all */
} aero_assignment;

/* Give each open partition to a node.  Gives an array of shares.  Partitions
 * that no node serves stay open; with none served at all it fails with
 * AERO_ERR_INVALID_NODE. */
aero_rc aero_parts_assign(aero_parts *parts, const aero_assignment *how,
                          aero_share **shares, size_t *count, aero_status *st);
/* Every node of the cluster gets a share of no partitions. */
aero_rc aero_shares_of_all(aero_cluster *cluster, aero_share **shares,
                           size_t *count, aero_status *st);
void aero_shares_free(aero_share *shares, size_t count); /* NULL is fine */

/* The fields of the share's partitions; gives how many were put. */
unsigned aero_parts_put(const aero_parts *parts, const aero_share *shares,
                        uint16_t share, bool with_bvals, aero_buf *out);

/* A record goes to the user: false when the share has no such partition. */
bool aero_parts_accept(aero_parts *parts, uint16_t share,
                       const aero_query_item *item);
/* The node does not have this partition now. */
bool aero_parts_refuse(aero_parts *parts, uint16_t share, uint32_t id,
                       const aero_node *node);

/* How a share ended.  close: the node had no more, or as much as it was asked
 * for; gives how many partitions that has closed. */
uint32_t aero_parts_close(aero_parts *parts, const aero_share *shares,
                          uint16_t share);
/* Others are to be asked for what is left. */
void aero_parts_fail(aero_parts *parts, const aero_share *shares,
                     uint16_t share);
/* It was not needed any more. */
void aero_parts_drop(aero_parts *parts, uint16_t share);

/* All that is open, as bytes that can be kept. */
void aero_parts_put_cursor(const aero_parts *parts, aero_buf *out);
/* Gives it back; NULL with the reason. */
aero_parts *aero_parts_take_cursor(aero_span cursor, aero_status *st);

#endif

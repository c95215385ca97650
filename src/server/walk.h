/* The records a query looks at, one by one: partition by partition, by the
 * primary index from the largest digest down, by the index of a set in the
 * same order, or by a secondary index from the lowest number up.
 *
 * Nothing is kept between two records but the place of the last, so records
 * may come and go meanwhile.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_WALK_H
#define SRV_WALK_H

#include "query.h"
#include "sindex.h"

typedef struct srv_walk {
    srv_core *core;
    srv_ns *ns;
    unsigned node;
    uint16_t set;     /* 0: every set */
    bool no_such_set; /* there is nothing to be found */
    srv_pids pids;
    srv_index *index; /* acquired; NULL: the primary index */
    srv_want want;    /* of a secondary index */
    uint32_t partition;
    bool inside; /* of the partition; `last` was the last looked at */
    srv_entry last;
    bool changes;     /* what it finds is changed, and may be found again */
    srv_ordered seen; /* records of the partition, when an index has more
                         than one entry for each, or they change */
} srv_walk;

/* The rest of a walk that is zero otherwise: its set and its index.  A result
 * code: 4, 201, 203. */
int srv_walk_open(srv_walk *walk, const srv_req *req);
void srv_walk_fini(srv_walk *walk);

/* The next record of the partition that is alive and of the set (borrowed
 * until something changes), and its number in the index; NULL: no more. */
srv_record *srv_walk_next(srv_walk *walk, int64_t *number);
/* On to the next partition. */
void srv_walk_leave(srv_walk *walk);

static inline bool
srv_walk_is_secondary(const srv_walk *walk)
{
    return walk->want.n_ranges != 0;
}

#endif

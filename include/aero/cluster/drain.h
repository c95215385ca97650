/* Late replies: a command that gave up leaves its connection here, and the
 * reply is read and thrown away, so that the connection can be used again.
 * Until the last byte has come it is nobody's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_DRAIN_H
#define AERO_CLUSTER_DRAIN_H

#include "aero/cluster/cluster.h"
#include "aero/net/exchange.h"

typedef struct aero_drain aero_drain;
struct aero_drain {
    aero_job job;
    aero_node *node;       /* counted */
    aero_pool *pool;       /* counted */
    aero_conn *conn;       /* owned */
    aero_cluster *cluster; /* borrowed */
    aero_exchange x;
    aero_buf in; /* owned; takes over what was received */
    bool multi;  /* a batch's reply: ends with a LAST message */
    aero_drain *next;
};

/* Gives a drain for a connection whose request was sent completely.  Takes
 * `conn`, and the contents of x->in with what is known of the reply so far;
 * NULL without memory (then the caller still has them).  By `by` it gives up.
 */
aero_drain *aero_drain_new(aero_cluster *cluster, aero_node *node,
                           aero_pool *pool, aero_conn *conn, aero_exchange *x,
                           bool multi, uint64_t by);

/* Hand it to the tender.  Takes `drain`. */
void aero_drain_submit(aero_drain *drain);

/* Take all that were handed over. */
aero_drain *aero_drain_collect(aero_cluster *cluster);

/* After its job has ended, with `rc`: the connection goes back to its pool or
 * is closed.  Takes `drain`. */
void aero_drain_finish(aero_drain *drain, aero_rc rc);

void aero_drain_free_all(aero_drain *list);

#endif

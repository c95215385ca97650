/* A node: a name, where it is reached, its connections and how it fares.
 *
 * Counted.  Name and address never change: a node that moves is replaced by a
 * new one.  Counters are atomic; everything the tender keeps about a node is
 * its own (tend.h).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_NODE_H
#define AERO_CLUSTER_NODE_H

#include <stdatomic.h>

#include "aero/cluster/login.h"
#include "aero/cluster/metrics.h"
#include "aero/cluster/pool.h"

typedef struct aero_node {
    atomic_uint refs;
    char name[AERO_NODE_NAME_MAX];
    char tls_name[AERO_HOST_MAX];
    aero_addr addr;
    uint32_t build[4]; /* of its server: 8.1.2.0 */
    uint32_t slot;     /* a small number of its own within the cluster */
    aero_pool *pool;   /* counted; of synchronous commands */
    /* Counted; set before anybody else knows the node; NULL: no login. */
    aero_login *login;
    /* Grows with every connection that broke: pooled ones that are older are
     * looked at before they are used again. */
    atomic_uint epoch;
    atomic_bool active;     /* false once it was dropped from the cluster */
    atomic_uint errors;     /* in the present window */
    atomic_uint max_errors; /* of a window; 0: no limit */
    atomic_ullong n_errors; /* since the beginning */
    atomic_ullong n_timeouts;
    atomic_ullong n_busy; /* result 14 */
    aero_metrics metrics;
} aero_node;

aero_node *aero_node_new(aero_span name, const aero_addr *addr,
                         const char *tls_name, uint32_t slot,
                         uint32_t max_conns);
aero_node *aero_node_acquire(aero_node *node);
void aero_node_release(aero_node *node); /* NULL is fine */

/* The breaker: false when the node has had too many errors in this window. */
static inline bool
aero_node_may_try(const aero_node *node)
{
    unsigned max =
        atomic_load_explicit(&node->max_errors, memory_order_relaxed);

    return max == 0 ||
           atomic_load_explicit(&node->errors, memory_order_relaxed) < max;
}

/* An error that the breaker counts. */
void aero_node_count_error(aero_node *node);

/* It has refused a session: the tender shall log in again. */
static inline void
aero_node_wants_login(aero_node *node)
{
    if (node->login != NULL) {
        atomic_store(&node->login->due, true);
    }
}

/* At the end of a window: a limit that was passed is halved, else doubled up
 * to `max`. */
void aero_node_end_window(aero_node *node, uint32_t max);

/* At least this version? */
bool aero_node_is_build(const aero_node *node, uint32_t major, uint32_t minor,
                        uint32_t patch);

#endif

/* Tending: what to ask the nodes, and what to conclude.
 *
 * A task without a thread: each round of jobs is questions that run side by
 * side.  Who runs it (drive/tender) may wait; this only decides.
 *
 *   SEEDS   no node is known: probe the seeds
 *   LOGINS  sessions that end, where logins go over TLS and nothing else does
 *   REFRESH names and generations of all nodes
 *   PEERS   the lists of those whose list has changed
 *   PROBES  nodes that were not known
 *   TABLES  partitions (and racks) of those that have changed
 *   WARM    connections that are to be kept ready
 *
 * At the end nodes are removed, the map is published, windows are closed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_TEND_H
#define AERO_CLUSTER_TEND_H

#include "aero/cluster/probe.h"

typedef struct aero_tend aero_tend;

/* `cluster` and `resolver` are borrowed. */
aero_tend *aero_tend_new(aero_cluster *cluster, const aero_resolver *resolver);
void aero_tend_free(aero_tend *tend); /* NULL is fine */

/* Begin a tend; run the task that it gives (borrowed).  By `by` every
 * question ends. */
aero_task *aero_tend_begin(aero_tend *tend, uint64_t by);

/* After the task: does the cluster have a node?  If not, `st` says what each
 * seed answered. */
aero_rc aero_tend_result(const aero_tend *tend, aero_status *st);

#endif

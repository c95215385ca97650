/* The tender: one thread per cluster that runs the tending (cluster/tend) and
 * reads out late replies (cluster/drain).  It never holds the interpreter's
 * lock and calls nothing that could want it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_DRIVE_TENDER_H
#define AERO_DRIVE_TENDER_H

#include "aero/cluster/tend.h"
#include "aero/drive/sync.h"

/* Start the thread and wait for the first tend, at most the configured
 * connect timeout.  When no node was found and the configuration says that
 * this is a failure, the thread is stopped again.  `wait` as in sync.h. */
aero_rc aero_tender_start(aero_cluster *cluster, const aero_wait *wait,
                          aero_status *st);

/* The same in two parts, for callers that must not wait: begin, then poll
 * until it is not AERO_MORE; `fd` becomes readable when it is worth it. */
aero_rc aero_tender_begin(aero_cluster *cluster, aero_status *st);
aero_rc aero_tender_poll(aero_cluster *cluster, aero_status *st);
int aero_tender_fd(const aero_cluster *cluster);

/* Stop and join the thread, close the pools.  Nothing if there is none. */
void aero_tender_stop(aero_cluster *cluster);

/* After fork, in the child: there is no thread, and the sockets are the
 * parent's. */
void aero_tender_abandon(aero_cluster *cluster);

#endif

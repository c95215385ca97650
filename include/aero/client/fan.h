/* The same info command to every node, side by side.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_FAN_H
#define AERO_CLIENT_FAN_H

#include "aero/client/single.h"

typedef struct aero_fan {
    aero_task task; /* first: a task of this is this */
    aero_cmd *cmds; /* owned; one for each node */
    aero_job **jobs;
    size_t count;
    bool started;
} aero_fan;

/* Prepare and begin.  AERO_ERROR without memory, or when there is no node. */
aero_rc aero_fan_begin(aero_fan *fan, aero_cluster *cluster,
                       const aero_source *source, aero_span command,
                       uint32_t timeout_ms, uint64_t now, aero_status *st);

/* What has not ended is cancelled. */
void aero_fan_fini(aero_fan *fan);

#endif

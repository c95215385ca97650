/* The same request to every node, or to some node, side by side.
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

/* What is asked, and whom. */
typedef struct aero_fan_how {
    /* Put the info command, as text for this node; or the whole frame of a
     * message. */
    void (*put)(void *ctx, const aero_node *node, aero_buf *out);
    void *ctx;
    bool is_message; /* a write that is not tried again */
    bool one_node;   /* whichever */
    uint32_t timeout_ms;
    const aero_policy *policy; /* borrowed; of messages */
} aero_fan_how;

/* Prepare and begin.  AERO_ERROR without memory, or when there is no node. */
aero_rc aero_fan_begin(aero_fan *fan, aero_cluster *cluster,
                       const aero_source *source, aero_span command,
                       uint32_t timeout_ms, uint64_t now, aero_status *st);
aero_rc aero_fan_begin_how(aero_fan *fan, aero_cluster *cluster,
                           const aero_source *source, const aero_fan_how *how,
                           uint64_t now, aero_status *st);

void aero_fan_cancel(aero_fan *fan);

/* What has not ended is cancelled. */
void aero_fan_fini(aero_fan *fan);

/* The value of an info answer; an error that the node gave, or no answer at
 * all, as a status. */
aero_rc aero_fan_value(const aero_cmd *cmd, aero_span *value, aero_status *st);

#endif

/* Something is asked of the cluster, and then every node is looked at until
 * it is so everywhere: indexes are built, modules registered, jobs done.
 *
 *   ask -> (look at all nodes -> nap)* -> done
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_SETTLE_H
#define AERO_CLIENT_SETTLE_H

#include "aero/client/fan.h"

typedef enum aero_look {
    AERO_LOOK_DONE,
    AERO_LOOK_NOT_YET,
    AERO_LOOK_FAILED /* for good: see the status */
} aero_look;

typedef struct aero_settle {
    aero_task task;            /* first: a task of this is this */
    aero_cluster *cluster;     /* borrowed */
    const aero_source *source; /* borrowed */

    /* Set by the builder.  Without `ask.put` there is only looking, without
     * `look.put` only asking. */
    aero_fan_how ask;
    /* Is this answer a success?  NULL: an info command's, without error. */
    aero_rc (*accept)(void *ctx, const aero_cmd *cmd, aero_status *st);
    aero_fan_how look;
    /* What does this node's answer, which has come, say? */
    aero_look (*judge)(void *ctx, const aero_cmd *cmd, aero_status *st);
    void *ctx;

    /* How it goes. */
    aero_fan fan; /* owned */
    aero_job nap;
    aero_job *nap_jobs[1];
    uint32_t nap_ms;
    uint32_t silent; /* rounds on end in which some node gave no answer */
    int state;

    /* How it ended. */
    aero_rc rc;
    aero_status st;
} aero_settle;

void aero_settle_init(aero_settle *settle);
/* What has not ended is cancelled. */
void aero_settle_fini(aero_settle *settle);

/* After this the task may be run. */
void aero_settle_begin(aero_settle *settle, aero_cluster *cluster,
                       const aero_source *source);
void aero_settle_cancel(aero_settle *settle);

/* What was asked is a write, and some node may have heard of it. */
bool aero_settle_may_have_written(const aero_settle *settle);

#endif

/* What the files of the event loop share: loop.c (runs and turns), pools.c
 * (connections and who waits for one) and gather.c (coalesced reads).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_DRIVE_LOOP_PARTS_H
#define AERO_DRIVE_LOOP_PARTS_H

#include "aero/drive/loop.h"
#include "deadlines.h"

typedef struct node_pool node_pool;
typedef struct aero_gather aero_gather;

struct aero_loop {
    uv_loop_t uv;
    /* Of aero_loop_wait: others turn it in time themselves. */
    uv_timer_t timer;
    uv_async_t bell;         /* with a gate: called from another thread */
    aero_gate_port port;     /* where the gate calls */
    aero_cluster *cluster;   /* counted */
    aero_loop_config config; /* its gate is counted */
    aero_source source;
    node_pool **pools; /* owned; by the node's slot */
    size_t n_pools;
    node_pool *ready;
    aero_gather *gather; /* owned; NULL: reads are not coalesced */
    bool gathering;      /* something is to be flushed */
    deadlines late;
    aero_run *done; /* oldest first */
    aero_run *done_last;
    uint64_t trim_at;
    uint64_t look_at; /* at those who wait for a connection; AERO_NEVER */
    size_t n_handles;
    unsigned n_swept; /* sockets that were looked at in this turn */
    bool closing;
    bool turning;
    bool fresh; /* a watcher was made since the last turn */
};

/* ---- loop.c ---- */

/* Step a job whose time has come, and see to what follows. */
void aero_slot_step(aero_slot *slot);
/* Something else has stepped it: `rc` is what came of it. */
void aero_slot_stepped(aero_slot *slot, aero_rc rc);
/* Enter it among the deadlines without stepping it. */
void aero_slot_wait(aero_slot *slot);

/* ---- pools.c ---- */

void aero_pools_init(aero_loop *loop);
void aero_pools_fini(aero_loop *loop);

/* Watch the connection that the slot's job has now, if it has one. */
void aero_slot_watch(aero_slot *slot);
void aero_slot_unwatch(aero_slot *slot);
/* Its job is not stepped for a while but keeps its connection: unread bytes
 * shall not wake anybody. */
void aero_slot_suspend(aero_slot *slot);

/* Those who wait get what became free, in their order. */
void aero_pools_serve(aero_loop *loop);
/* Where many wait for slow connections, allow more of them. */
void aero_pools_look(aero_loop *loop, uint64_t now);
/* Close what was idle for long. */
void aero_pools_trim(aero_loop *loop, uint64_t now);

/* ---- gather.c: the reads of one loop pass, on their way to be rows ---- */

aero_gather *aero_gather_new(aero_loop *loop);
void aero_gather_free(aero_gather *gather);
/* Take a read; it has been begun.  The run's slot waits. */
void aero_gather_add(aero_gather *gather, aero_cmd *cmd);
/* Send what was gathered. */
void aero_gather_flush(aero_gather *gather);
/* It does not wait here any more. */
void aero_gather_leave(aero_gather *gather, aero_cmd *cmd);

#endif

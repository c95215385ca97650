/* A command: one request to the node that holds a partition (or to a named
 * node), with everything that can happen to it.
 *
 *   ROUTE -> OPEN -> EXCHANGE -> done
 *     ^        |        |
 *     +--------+--------+-- PAUSE  (what failed may be tried again, in time)
 *
 * It never waits: a driver steps its job.  The request is encoded once and
 * kept until the reply is there; only the server's time budget is patched for
 * each attempt.  The reply lands in `in` and is decoded by whoever owns the
 * command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_CMD_H
#define AERO_CLIENT_CMD_H

#include "aero/client/policy.h"
#include "aero/cluster/auth.h"

typedef struct aero_cmd aero_cmd;
struct aero_drain;

/* Where connections come from: NULL in a command means the node's own pool
 * and no waiting; an event loop has pools of its own and a queue. */
typedef struct aero_source {
    /* Gives a pool (counted), or NULL without memory. */
    aero_pool *(*pool_of)(void *ctx, aero_node *node);
    /* All of the pool is in use: AERO_MORE when the command was queued and
     * will be stepped, AERO_ERROR when it shall fail. */
    aero_rc (*wait)(void *ctx, aero_cmd *cmd, aero_pool *pool);
    /* It does not wait any more. */
    void (*leave)(void *ctx, aero_cmd *cmd);
    /* A connection of the pool was made: watch it. */
    void (*opened)(void *ctx, aero_conn *conn, aero_pool *pool);
    /* It can be used. */
    void (*is_open)(void *ctx, aero_conn *conn);
    /* Take a late reply that is to be read out. */
    void (*drain)(void *ctx, struct aero_drain *drain);
    void *ctx;
} aero_source;

typedef enum aero_cmd_state {
    AERO_CMD_ROUTE,
    AERO_CMD_CONNECT, /* a connection is to be had */
    AERO_CMD_OPEN,
    AERO_CMD_EXCHANGE,
    AERO_CMD_PAUSE,
    AERO_CMD_GATHERED, /* a row of somebody else's request (drive/gather) */
    AERO_CMD_DONE
} aero_cmd_state;

enum {
    AERO_CMD_NO_BUDGET = -1,
    AERO_CMD_KEEP = 64 << 10 /* bytes of a buffer that are kept for reuse */
};

struct aero_cmd {
    aero_job job;   /* first: a job of this is this */
    aero_task task; /* runs this one job */
    aero_job *jobs[1];
    aero_cluster *cluster;     /* borrowed: its owner holds it */
    const aero_source *source; /* borrowed, or NULL */

    /* What is asked: set by the builder. */
    aero_buf out;                /* owned; the whole request */
    ptrdiff_t head_at;           /* of the message in `out`, for the budget */
    char ns[AERO_NAMESPACE_MAX]; /* where it is routed by */
    uint8_t ns_len;
    size_t deadline_at; /* of a transaction's, in `out`; 0: none */
    uint8_t frame_type; /* of the reply */
    uint8_t latency;    /* aero_latency, where its time is counted */
    bool is_write;      /* may be in doubt */
    bool linearize;
    bool session;  /* as in aero_route */
    bool is_batch; /* the reply ends with a LAST message */
    bool no_drain; /* a late reply cannot be read out: close */
    bool no_retry; /* whoever owns it decides what is tried again */
    aero_replica replica;
    uint32_t partition;
    aero_node *node; /* counted; given for commands to a node */
    bool node_is_given;
    uint32_t total_ms;
    uint32_t socket_ms;
    uint32_t connect_ms;
    uint32_t max_retries;
    uint32_t pause_ms;
    uint32_t delay_ms;       /* timeout_delay */
    uint32_t compress_above; /* bytes; 0: never */
    const int32_t *rack_ids; /* borrowed from the cluster's configuration */
    size_t n_rack_ids;
    /* For replies of several frames; see exchange.h. */
    aero_rc (*on_frame)(void *ctx, aero_span body, aero_status *st);
    void *ctx;

    /* How it goes. */
    aero_cmd_state state;
    uint32_t try_no;     /* attempts that were begun, less one */
    uint32_t replica_no; /* place in the sequence of replicas */
    uint32_t n_sent;     /* requests completely written */
    uint64_t began_at;
    uint64_t looked_at; /* the clock, at the last step */
    uint64_t sent_at;   /* when the present attempt went out */
    uint64_t total_by;
    uint64_t attempt_by;
    aero_map *map;   /* counted; of the present attempt */
    aero_pool *pool; /* counted; where conn belongs */
    aero_conn *conn; /* owned while it is used */
    bool conn_is_new;
    bool greeting_runs;
    bool queued;           /* at its source, for a connection */
    bool waited;           /* for one; its clock is not that of its begin */
    aero_cmd *next_queued; /* the source's */
    void *gathered;        /* drive/gather's; NULL: it goes its own way */
    aero_cmd **next_row;   /* drive/gather's: its row in a request */
    aero_greeting greeting;
    aero_exchange x;
    aero_buf in; /* owned; the reply */

    /* How it ended: AERO_OK with a reply (and the server's result code in
     * it), or the reason in `st`. */
    aero_rc rc;
    uint8_t result;
    aero_status st;
};

void aero_cmd_init(aero_cmd *cmd);
void aero_cmd_fini(aero_cmd *cmd);
/* Empty for the next use; buffers of reasonable size are kept. */
void aero_cmd_reset(aero_cmd *cmd);

/* Take limits and the replica from a policy. */
void aero_cmd_set_policy(aero_cmd *cmd, const aero_policy *policy);

/* The clock starts; after this the job may be stepped.  `cluster` and
 * `source` are borrowed until the end. */
void aero_cmd_begin(aero_cmd *cmd, aero_cluster *cluster,
                    const aero_source *source, uint64_t now);

/* One step, for jobs that are built around a command. */
aero_rc aero_cmd_step(aero_cmd *cmd);

/* It will not be stepped for a while: it does not queue meanwhile. */
void aero_cmd_leave_queue(aero_cmd *cmd);
/* It will be stepped again: the limit of the attempt begins anew. */
void aero_cmd_extend(aero_cmd *cmd, uint64_t now);

/* Nobody waits for it any more: its connection is drained or closed, and st
 * says so with `code`.  Does nothing to one that has ended. */
void aero_cmd_cancel(aero_cmd *cmd, int32_t code, const char *why);

/* ---- for those who answer it without its own request (drive/gather) ---- */

/* The node it would be sent to now (counted), or NULL. */
aero_node *aero_cmd_find_node(aero_cmd *cmd);
/* It waits as a row of a request to the node (takes): until answered, resumed,
 * failed, or late. */
void aero_cmd_gather(aero_cmd *cmd, aero_node *node);
/* This message is its reply.  False: its result asks for another attempt,
 * which its next step makes. */
bool aero_cmd_answer(aero_cmd *cmd, aero_span message);
/* It shall go its own way with its next step. */
void aero_cmd_resume(aero_cmd *cmd);
/* The attempt has failed: its next step tries again, or it has ended. */
void aero_cmd_fail_attempt(aero_cmd *cmd, const aero_status *st);

/* A place may have become free: for the source to call, before it steps a
 * command that it had queued. */
static inline void
aero_cmd_unqueue(aero_cmd *cmd)
{
    cmd->queued = false;
    cmd->waited = true;
}

/* What had to go before it has failed: it ends so, without being begun. */
void aero_cmd_refuse(aero_cmd *cmd, const aero_status *st);

/* The reply's body, after AERO_OK without on_frame. */
aero_span aero_cmd_body(const aero_cmd *cmd);

#endif

/* A query: one request to each node for its partitions, round after round
 * until all of them are read; what comes back is taken a record at a time.
 *
 *   round: assign the open partitions -> a request a node -> frames
 *     a frame is whole: the task pauses (it ends with AERO_OK) and the frame
 *     stays where it is; whoever wants records takes them with
 *     aero_query_take_item, and runs the task again when it says so.
 *
 * Not taking is not reading: that is all the back-pressure there is.  What a
 * node could not give is asked again, of another where there is one, behind
 * the last record that was taken.
 *
 * While the task pauses nothing of the query is touched by whoever drives it,
 * and taking touches neither sockets nor pools: task and taker may be
 * different threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLIENT_QUERY_H
#define AERO_CLIENT_QUERY_H

#include "aero/client/cmd.h"
#include "aero/client/partitions.h"

typedef struct aero_query aero_query;

typedef enum aero_query_node_state {
    AERO_QUERY_NODE_WAITS, /* others are asked first */
    AERO_QUERY_NODE_RUNS,
    AERO_QUERY_NODE_HELD, /* a frame is there to be taken */
    AERO_QUERY_NODE_DONE
} aero_query_node_state;

/* The request to one node in one round. */
typedef struct aero_query_node {
    aero_cmd cmd; /* first: a job of this is this */
    aero_query *query;
    aero_query_node_state state;
    bool begun;
    bool answered;  /* the end of the reply has come, with `result` */
    bool dropped;   /* it is not needed any more */
    bool malformed; /* what came was no reply */
    uint8_t result;
    uint16_t share;
    aero_span left; /* of the frame that is held */
} aero_query_node;

typedef enum aero_query_state {
    AERO_QUERY_ROUND, /* one is to begin */
    AERO_QUERY_RUNNING,
    AERO_QUERY_ENDED
} aero_query_state;

struct aero_query {
    aero_task task;            /* first: a task of this is this */
    aero_cluster *cluster;     /* borrowed */
    const aero_source *source; /* borrowed, or NULL */

    /* What is asked: set by the builder. */
    aero_buf
        head; /* owned; frame, message and all fields but the partitions */
    aero_buf tail; /* owned; operations */
    size_t msg_at; /* of the message in `head` */
    size_t id_at;  /* of the query's id */
    uint32_t ns_at;
    uint8_t ns_len;
    uint16_t n_fields;
    uint16_t n_ops;
    bool has_range;    /* the index's values travel with digests */
    aero_parts *parts; /* counted; NULL: each node is asked once, for values */
    char only[AERO_NODE_NAME_MAX]; /* the one node that is asked; or empty */
    uint64_t max_records;          /* 0: all */
    aero_policy policy;

    /* How it goes. */
    aero_query_state state;
    aero_share *shares;     /* owned; of this round */
    aero_query_node *nodes; /* owned; one for each share */
    aero_job **jobs;        /* owned; those that run */
    size_t n_nodes;
    size_t n_running;
    size_t n_waiting;
    aero_job nap; /* before a further round */
    aero_job *nap_jobs[1];
    uint64_t total_by;
    uint64_t given;    /* records taken */
    uint64_t given_at; /* of them, when this round began */
    uint32_t failures; /* rounds on end that brought nothing */
    bool closing;
    bool has_parts; /* `parts` is taken by this one */

    /* How it ended. */
    aero_rc rc;
    aero_status st;
};

void aero_query_init(aero_query *q);
/* Hand over one that has not begun; `from` is then empty again. */
void aero_query_move(aero_query *to, aero_query *from);
/* What has not ended is cancelled: for the thread that runs the task. */
void aero_query_fini(aero_query *q);

/* Begin a request: the message's bits, namespace, set (may be empty) and the
 * fields that every query has.  Further fields follow in the order of the
 * protocol, then operations are put straight into q->tail. */
void aero_query_open(aero_query *q, aero_span ns, aero_span set,
                     const aero_policy *policy, const aero_msg *msg);
void aero_query_put_field(aero_query *q, aero_field_type type, aero_span data);

/* The clock starts; after this the task may be run.  AERO_ERROR when the
 * request does not fit a message, or the partitions are read by another. */
aero_rc aero_query_begin(aero_query *q, aero_cluster *cluster,
                         const aero_source *source, uint64_t now);

typedef enum aero_query_took {
    AERO_QUERY_ITEM, /* *item is the next; valid until the next call */
    AERO_QUERY_WAIT, /* run the task, then take again */
    AERO_QUERY_OVER, /* there are no more */
    AERO_QUERY_FAILED
} aero_query_took;

/* Not while the task runs.  An item that was given has been accepted: its
 * partition goes on behind it. */
aero_query_took aero_query_take_item(aero_query *q, aero_query_item *item);

/* A frame is held: taking gives an item, most likely. */
bool aero_query_has_frame(const aero_query *q);

/* The task will not be run for a while, without having paused by itself. */
void aero_query_suspend(aero_query *q);
/* Enough: the next run of the task closes what is open, and ends. */
void aero_query_close(aero_query *q);
/* The same at once, for the thread that runs the task. */
void aero_query_cancel(aero_query *q, int32_t code, const char *why);

/* A number for a new query or job. */
uint64_t aero_query_new_id(aero_cluster *cluster);

#endif

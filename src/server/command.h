/* One command on one record, from the request to the message that answers it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_COMMAND_H
#define SRV_COMMAND_H

#include "core.h"
#include "request.h"

struct srv_login;

typedef struct srv_cmd {
    /* What the caller says. */
    srv_core *core;
    srv_node *node;
    const struct srv_login *who; /* NULL: nobody has logged in */
    const srv_req *req;
    const uint8_t *digest; /* of a row; else taken from the request */
    aero_span filter;      /* of the batch, for rows without their own */
    bool in_batch;
    bool is_sub; /* of a background query */
    uint32_t row;
    aero_buf *out;
    /* While it runs. */
    srv_ns *ns;
    srv_record *rec; /* borrowed; as it was before */
    srv_bins bins;
    uint16_t set; /* of the record as it is or will be */
    bool writes;
    bool respond_all;
    uint32_t now;        /* seconds since 2010 */
    uint32_t touch_ttl;  /* of a read that prolongs the record's life */
    bool lost_ttl;       /* "keep the life" had nothing to keep */
    uint32_t generation; /* as the answer says them */
    uint32_t void_time;
    uint64_t lut;
    size_t at; /* where the message begins */
    uint32_t n_answers;
    bool keeps_answer; /* although it fails */
    uint64_t txn;      /* the transaction it belongs to; 0: none */
    uint32_t txn_deadline;
    struct srv_lock *lock;     /* borrowed: the transaction's on the record */
    uint32_t answers_deadline; /* of a monitor; 0: nothing is said of it */
    unsigned n_fields;         /* of the answer */
} srv_cmd;

/* Run it: appends exactly one message to `out` and returns its result code.
 * The arena of the core is used and left to the caller to reset. */
int srv_cmd_run(srv_cmd *cmd);

/* ---- between the files of the command ---- */

int srv_read_run(srv_cmd *cmd);
int srv_write_run(srv_cmd *cmd);
int srv_delete_run(srv_cmd *cmd);
int srv_udf_run(srv_cmd *cmd);

/* Put one answer; NULL or NIL: no value. */
void srv_cmd_answer(srv_cmd *cmd, const aero_op *op, const aero_val *val);
/* All bins, as a read of everything answers them. */
void srv_cmd_answer_bins(srv_cmd *cmd);

/* The record as it is while operations work on it. */
void srv_cmd_expose(const srv_cmd *cmd, aero_exp_record *out);

/* The checks that reads, writes and deletes share.  Result codes. */
/* Of the record as it was before. */
int srv_cmd_check_filter(srv_cmd *cmd);
/* The key that was sent against the one that is kept. */
int srv_cmd_check_key(const srv_cmd *cmd);
/* A set that was sent must be the record's; `must_name`: none sent is none. */
int srv_cmd_check_set(const srv_cmd *cmd, bool must_name);
int srv_cmd_check_generation(const srv_cmd *cmd, uint32_t generation);

/* ---- operations ---- */

typedef struct srv_op_kind {
    bool reads;      /* needs the READ flag in a write */
    bool answers;    /* cannot stand beside a read of all bins */
    bool no_replace; /* cannot stand in a replace */
    bool creates;    /* false: the record must exist */
    int (*run)(srv_cmd *cmd, const aero_op *op);
} srv_op_kind;

/* NULL for an operation that does not exist. */
const srv_op_kind *srv_op_kind_of(uint8_t op);
/* At most 15 bytes and none of them zero; empty is a name. */
bool srv_bin_name_is_valid(aero_span name);

static inline bool
srv_op_is_read_all(const srv_cmd *cmd, const aero_op *op)
{
    return op->op == AERO_OP_READ && op->name.len == 0 &&
           (cmd->req->msg.info1 & AERO_INFO1_GET_ALL) != 0;
}

#endif

/* One record of a query: its head, its fields, the bins that are wanted.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "query_run.h"

static unsigned
put_fields(srv_query *q, const srv_record *rec, int64_t number, aero_buf *out)
{
    aero_span set = srv_set_name(q->walk.ns, rec->set);
    unsigned count = 2;

    aero_field_put(out, AERO_FIELD_NAMESPACE, aero_span_str(q->walk.ns->name));
    aero_field_put(out, AERO_FIELD_DIGEST,
                   aero_span_of(rec->digest, AERO_DIGEST_SIZE));
    if (set.len != 0) {
        aero_field_put(out, AERO_FIELD_SET, set);
        count++;
    }
    if (rec->key_len != 0) {
        aero_field_put(out, AERO_FIELD_KEY, srv_record_key(rec));
        count++;
    }
    if (srv_walk_is_secondary(&q->walk)) {
        uint8_t wire[8];

        aero_set_u64le(wire, (uint64_t)number);
        aero_field_put(out, AERO_FIELD_BVALS, aero_span_of(wire, 8));
        count++;
    }
    return count;
}

/* The bins of the old field 40: at least one must be there. */
static int
run_bin_list(srv_cmd *cmd)
{
    aero_span list = srv_req_field(cmd->req, AERO_FIELD_QUERY_BINS);
    unsigned count = list.ptr[0];

    list = aero_span_skip(list, 1);
    for (unsigned i = 0; i < count && list.len > list.ptr[0]; i++) {
        aero_op op = {.op = AERO_OP_READ};
        const srv_bin *bin;

        op.name = aero_span_of(list.ptr + 1, list.ptr[0]);
        list = aero_span_skip(list, 1 + op.name.len);
        bin = srv_bins_find(&cmd->bins, op.name);
        if (bin != NULL) {
            srv_cmd_answer(cmd, &op, &bin->val);
        }
        if (list.len == 0) {
            break;
        }
    }
    return cmd->n_answers != 0 ? AERO_ERR_OK : AERO_ERR_BIN_NOT_FOUND;
}

static int
run_projection(srv_cmd *cmd)
{
    aero_span ops = cmd->req->ops;
    aero_op op;
    int code = AERO_ERR_OK;

    if (srv_req_field(cmd->req, AERO_FIELD_QUERY_BINS).len != 0) {
        return run_bin_list(cmd);
    }
    if (cmd->req->msg.n_ops == 0) {
        srv_cmd_answer_bins(cmd);
        return AERO_ERR_OK;
    }
    while (code == AERO_ERR_OK && srv_op_next(&ops, &op)) {
        code = srv_op_kind_of(op.op)->run(cmd, &op);
    }
    if (code == AERO_ERR_OK && cmd->n_answers == 0) {
        code = AERO_ERR_BIN_NOT_FOUND;
    }
    return code;
}

/* A record none of whose bins are wanted is not put, and counts all the
 * same. */
static void
put_record(srv_query *q, srv_cmd *cmd, int64_t number)
{
    aero_msg head = {0};
    size_t at;
    unsigned n_fields;
    int code = AERO_ERR_OK;

    head.info1 = q->no_bins ? AERO_INFO1_GET_NO_BINS : 0;
    head.generation = cmd->rec->generation;
    head.ttl = srv_clock_told(&q->core->clock, cmd->rec->void_time);
    at = aero_msg_put(cmd->out, &head);
    n_fields = put_fields(q, cmd->rec, number, cmd->out);
    if (!q->no_bins) {
        code = srv_bins_load(&cmd->bins, cmd->rec, 0, &q->core->arena)
                   ? run_projection(cmd)
                   : AERO_ERR_SERVER;
    }
    if (code != AERO_ERR_OK && !cmd->out->failed) {
        cmd->out->len = at;
    }
    else {
        aero_msg_patch_counts(cmd->out, at, (uint16_t)n_fields,
                              (uint16_t)cmd->n_answers);
    }
    if (code != AERO_ERR_OK && code != AERO_ERR_BIN_NOT_FOUND) {
        q->job->failed++;
    }
    else {
        q->job->succeeded++;
    }
}

void
srv_query_visit(srv_query *q, srv_record *rec, int64_t number, aero_buf *out)
{
    srv_cmd cmd = {0};

    cmd.core = q->core;
    cmd.node = q->node;
    cmd.req = &q->req;
    cmd.ns = q->walk.ns;
    cmd.rec = rec;
    cmd.digest = rec->digest;
    cmd.set = rec->set;
    cmd.out = out;
    cmd.now = srv_clock_s(&q->core->clock);
    cmd.respond_all = (q->req.msg.info2 & AERO_INFO2_RESPOND_ALL_OPS) != 0;
    cmd.generation = rec->generation;
    cmd.void_time = rec->void_time;
    cmd.lut = rec->lut;
    if (srv_cmd_check_filter(&cmd) != AERO_ERR_OK) {
        q->job->filtered++;
    }
    else {
        q->given++;
        put_record(q, &cmd, number);
    }
    aero_arena_reset(&q->core->arena);
}

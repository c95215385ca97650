/* A command's way: who may, which namespace, which record, what is done, what
 * is answered and counted.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "command.h"
#include "security.h"
#include "txn.h"

/* ---- answers ---- */

void
srv_cmd_answer(srv_cmd *cmd, const aero_op *op, const aero_val *val)
{
    bool as_read = cmd->in_batch && !cmd->writes;
    aero_span bytes = val != NULL ? val->bytes : aero_span_of(NULL, 0);
    uint8_t particle = val != NULL ? val->particle : AERO_PARTICLE_NIL;

    if (particle == AERO_PARTICLE_NIL) {
        bytes.len = 0;
    }
    aero_op_put(cmd->out, as_read ? AERO_OP_READ : (aero_op_type)op->op,
                particle, op->name, bytes);
    cmd->n_answers++;
}

void
srv_cmd_answer_bins(srv_cmd *cmd)
{
    for (uint32_t i = 0; i < cmd->bins.count; i++) {
        const srv_bin *bin = &cmd->bins.list[i];

        aero_op_put(cmd->out, AERO_OP_READ, bin->val.particle, bin->name,
                    bin->val.bytes);
    }
    cmd->n_answers += cmd->bins.count;
}

static void
open_answer(srv_cmd *cmd)
{
    aero_msg head = {0};

    cmd->n_answers = 0;
    cmd->at = aero_msg_put(cmd->out, &head);
}

/* Fields stand in front of the operations, which are there already. */
static void
put_fields(srv_cmd *cmd, int code)
{
    aero_buf fields = AERO_BUF_INIT;
    size_t at = cmd->at + AERO_MSG_HEAD;
    uint8_t deadline[4];

    cmd->n_fields = 0;
    if (cmd->ns == NULL || cmd->ns->txns == NULL) {
        return;
    }
    srv_txn_put_version(cmd, code, &fields);
    if (cmd->answers_deadline != 0) {
        aero_set_u32le(deadline, cmd->answers_deadline);
        aero_field_put(&fields, AERO_FIELD_TXN_DEADLINE,
                       aero_span_of(deadline, sizeof deadline));
        cmd->n_fields++;
    }
    if (fields.failed) {
        cmd->out->failed = true;
    }
    else if (fields.len != 0 && aero_buf_reserve(cmd->out, fields.len)) {
        memmove(cmd->out->ptr + at + fields.len, cmd->out->ptr + at,
                cmd->out->len - at);
        memcpy(cmd->out->ptr + at, fields.ptr, fields.len);
        cmd->out->len += fields.len;
    }
    aero_buf_fini(&fields);
}

static void
close_answer(srv_cmd *cmd, int code)
{
    aero_msg head = {0};
    size_t end;

    if (cmd->out->failed) {
        return;
    }
    if (code != AERO_ERR_OK && !cmd->keeps_answer) {
        cmd->out->len = cmd->at + AERO_MSG_HEAD;
        cmd->n_answers = 0;
    }
    head.result = (uint8_t)code;
    head.generation = cmd->generation;
    head.ttl = srv_clock_told(&cmd->core->clock, cmd->void_time);
    head.budget = cmd->in_batch ? cmd->row : 0;
    head.n_ops = (uint16_t)cmd->n_answers;
    put_fields(cmd, code);
    head.n_fields = (uint16_t)cmd->n_fields;
    end = cmd->out->len;
    cmd->out->len = cmd->at;
    aero_msg_put(cmd->out, &head);
    cmd->out->len = end;
}

/* ---- checks ---- */

int
srv_cmd_check_key(const srv_cmd *cmd)
{
    aero_span sent = srv_req_field(cmd->req, AERO_FIELD_KEY);

    if (!srv_req_has(cmd->req, AERO_FIELD_KEY) || cmd->rec->key_len == 0 ||
        aero_span_equal(sent, srv_record_key(cmd->rec))) {
        return AERO_ERR_OK;
    }
    return AERO_ERR_RECORD_KEY_MISMATCH;
}

int
srv_cmd_check_set(const srv_cmd *cmd, bool must_name)
{
    aero_span sent = srv_req_field(cmd->req, AERO_FIELD_SET);

    if (sent.len == 0 && !must_name) {
        return AERO_ERR_OK;
    }
    return aero_span_equal(sent, srv_set_name(cmd->ns, cmd->rec->set))
               ? AERO_ERR_OK
               : AERO_ERR_REQUEST_INVALID;
}

int
srv_cmd_check_generation(const srv_cmd *cmd, uint32_t generation)
{
    const aero_msg *msg = &cmd->req->msg;
    bool right = true;

    if ((msg->info2 & AERO_INFO2_GENERATION) != 0) {
        right = msg->generation == generation;
    }
    else if ((msg->info2 & AERO_INFO2_GENERATION_GT) != 0) {
        right = msg->generation > generation;
    }
    return right ? AERO_ERR_OK : AERO_ERR_RECORD_GENERATION;
}

/* ---- what is counted ---- */

typedef enum kind {
    KIND_READ,
    KIND_WRITE,
    KIND_DELETE,
    KIND_UDF
} kind;

#define COUNTS(from, what)                                                    \
    {                                                                         \
        SRV_COUNT_##from##_##what##_success,                                  \
            SRV_COUNT_##from##_##what##_error,                                \
            SRV_COUNT_##from##_##what##_filtered_out                          \
    }

#define UDF_COUNTS(from)                                                      \
    {                                                                         \
        SRV_COUNT_##from##_udf_complete, SRV_COUNT_##from##_udf_error,        \
            SRV_COUNT_##from##_udf_filtered_out                               \
    }

static const srv_count counts[2][4][3] = {
    {COUNTS(client, read), COUNTS(client, write), COUNTS(client, delete),
     UDF_COUNTS(client)},
    {COUNTS(batch_sub, read), COUNTS(batch_sub, write),
     COUNTS(batch_sub, delete), UDF_COUNTS(batch_sub)},
};

static const srv_count missing_counts[2][4] = {
    {SRV_COUNT_client_read_not_found, SRV_COUNT_client_write_error,
     SRV_COUNT_client_delete_not_found, SRV_COUNT_client_udf_error},
    {SRV_COUNT_batch_sub_read_not_found, SRV_COUNT_batch_sub_write_error,
     SRV_COUNT_batch_sub_delete_not_found, SRV_COUNT_batch_sub_udf_error},
};

static void
count(srv_cmd *cmd, kind what, int code)
{
    uint64_t *counted = cmd->ns->counts;

    switch (code) {
    case AERO_ERR_OK:
        counted[counts[cmd->in_batch][what][0]]++;
        break;
    case AERO_ERR_FILTERED_OUT:
        counted[counts[cmd->in_batch][what][2]]++;
        break;
    case AERO_ERR_RECORD_NOT_FOUND:
        counted[missing_counts[cmd->in_batch][what]]++;
        break;
    default:
        counted[counts[cmd->in_batch][what][1]]++;
        counted[SRV_COUNT_fail_generation] +=
            code == AERO_ERR_RECORD_GENERATION;
        counted[SRV_COUNT_fail_record_too_big] +=
            code == AERO_ERR_RECORD_TOO_BIG;
    }
    if (srv_view_replica(&cmd->core->cluster.view, cmd->node->index,
                         aero_partition_of(cmd->digest)) < 0) {
        counted[cmd->in_batch ? SRV_COUNT_batch_sub_proxy_complete
                              : SRV_COUNT_client_proxy_complete]++;
    }
}

/* ---- the way ---- */

static int
run_by_kind(srv_cmd *cmd)
{
    const aero_msg *msg = &cmd->req->msg;
    kind what = KIND_READ;
    int code;

    if (!cmd->writes) {
        code = srv_read_run(cmd);
    }
    else if (srv_txn_is_monitor(cmd)) {
        what = KIND_WRITE;
        code = srv_monitor_run(cmd);
    }
    else if ((msg->info2 & AERO_INFO2_DELETE) != 0) {
        what = KIND_DELETE;
        code = srv_delete_run(cmd);
    }
    else if (srv_req_has(cmd->req, AERO_FIELD_UDF_PACKAGE)) {
        what = KIND_UDF;
        code = srv_udf_run(cmd);
    }
    else {
        what = KIND_WRITE;
        code = srv_write_run(cmd);
    }
    count(cmd, what, code);
    return code;
}

static int
find_digest(srv_cmd *cmd)
{
    aero_span digest = srv_req_field(cmd->req, AERO_FIELD_DIGEST);

    if (srv_req_has(cmd->req, AERO_FIELD_DIGEST)) {
        if (digest.len != AERO_DIGEST_SIZE) {
            return AERO_ERR_REQUEST_INVALID;
        }
        cmd->digest = digest.ptr;
    }
    return AERO_ERR_OK;
}

static unsigned
write_right(const srv_cmd *cmd)
{
    return srv_req_has(cmd->req, AERO_FIELD_UDF_PACKAGE) ? SRV_MAY_UDF
                                                         : SRV_MAY_WRITE;
}

static int
run(srv_cmd *cmd)
{
    const aero_msg *msg = &cmd->req->msg;
    bool reads = (msg->info1 & AERO_INFO1_READ) != 0;
    int code;

    cmd->writes = (msg->info2 & AERO_INFO2_WRITE) != 0;
    cmd->respond_all = (msg->info2 & AERO_INFO2_RESPOND_ALL_OPS) != 0;
    cmd->now = srv_clock_s(&cmd->core->clock);
    code = find_digest(cmd);
    if (code == AERO_ERR_OK && !cmd->writes && !reads) {
        code = AERO_ERR_REQUEST_INVALID;
    }
    if (code == AERO_ERR_OK) {
        code = srv_security_check_data(cmd->core, cmd->who, cmd->ns,
                                       srv_req_field(cmd->req, AERO_FIELD_SET),
                                       (cmd->writes ? write_right(cmd) : 0) |
                                           (reads ? SRV_MAY_READ : 0));
    }
    if (code != AERO_ERR_OK) {
        cmd->ns->counts[cmd->in_batch ? SRV_COUNT_batch_sub_tsvc_error
                                      : SRV_COUNT_client_tsvc_error]++;
        return code;
    }
    return run_by_kind(cmd);
}

int
srv_cmd_run(srv_cmd *cmd)
{
    int code = AERO_ERR_NAMESPACE_NOT_FOUND;

    cmd->generation = 0;
    cmd->void_time = 0;
    cmd->rec = NULL;
    cmd->txn = 0;
    cmd->lock = NULL;
    cmd->answers_deadline = 0;
    cmd->ns =
        srv_core_ns(cmd->core, srv_req_field(cmd->req, AERO_FIELD_NAMESPACE));
    open_answer(cmd);
    if (cmd->ns != NULL) {
        code = run(cmd);
    }
    else {
        cmd->node->early_errors++;
    }
    close_answer(cmd, code);
    return code;
}

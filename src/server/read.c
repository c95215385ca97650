/* Reads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "txn.h"

enum {
    TOUCH_DEFAULT = 0, /* the share is what the configuration says */
    TOUCH_ALL = 100
};

#define TOUCH_NEVER UINT32_MAX

static uint32_t
default_share(const srv_cmd *cmd)
{
    const srv_set *set = srv_set_of(cmd->ns, cmd->rec->set);
    int64_t of_set =
        set != NULL ? set->config[SRV_SET_default_read_touch_ttl_pct] : 0;

    if (of_set == 0) {
        return (uint32_t)cmd->ns->config[SRV_NS_default_read_touch_ttl_pct];
    }
    return of_set < 0 ? 0 : (uint32_t)of_set;
}

/* A read may prolong the record's life once less than a share of it is left.
 */
static int
check_touch(srv_cmd *cmd)
{
    const srv_record *rec = cmd->rec;
    uint32_t share = cmd->req->msg.ttl;
    uint32_t ttl;

    if (rec->void_time == 0 || share == TOUCH_NEVER) {
        return AERO_ERR_OK;
    }
    if (share == TOUCH_DEFAULT) {
        share = default_share(cmd);
        if (share == 0) {
            return AERO_ERR_OK;
        }
    }
    else if (share > TOUCH_ALL) {
        return AERO_ERR_REQUEST_INVALID;
    }
    ttl = rec->void_time - (uint32_t)(rec->lut / 1000);
    if (cmd->now >= rec->void_time - (uint32_t)((uint64_t)ttl * share / 100)) {
        cmd->touch_ttl = ttl;
    }
    return AERO_ERR_OK;
}

/* The generation stays: this is no write. */
static void
touch(srv_cmd *cmd)
{
    uint64_t now_ms = srv_clock_ms(&cmd->core->clock);
    uint32_t void_time = (uint32_t)(now_ms / 1000) + cmd->touch_ttl;

    if (void_time > cmd->rec->void_time) {
        cmd->rec->void_time = void_time;
        cmd->rec->lut = now_ms;
        srv_ns_note_expiry(cmd->ns, cmd->rec);
        cmd->ns->counts[SRV_COUNT_read_touch_success]++;
    }
}

static int
run_ops(srv_cmd *cmd)
{
    aero_span ops = cmd->req->ops;
    aero_op op;

    if (cmd->req->msg.n_ops == 0 || cmd->req->msg.n_ops > AERO_OPS_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    while (srv_op_next(&ops, &op)) {
        const srv_op_kind *kind = srv_op_kind_of(op.op);
        int code;

        if (!srv_bin_name_is_valid(op.name)) {
            return AERO_ERR_BIN_NAME;
        }
        if (kind == NULL || !kind->reads) {
            return AERO_ERR_REQUEST_INVALID;
        }
        code = kind->run(cmd, &op);
        if (code != AERO_ERR_OK) {
            return code;
        }
    }
    return AERO_ERR_OK;
}

static int
read_bins(srv_cmd *cmd)
{
    const aero_msg *msg = &cmd->req->msg;

    if ((msg->info1 & AERO_INFO1_GET_NO_BINS) != 0) {
        return AERO_ERR_OK;
    }
    cmd->set = cmd->rec->set;
    if (!srv_bins_load(&cmd->bins, cmd->rec, 0, &cmd->core->arena)) {
        return AERO_ERR_SERVER;
    }
    if ((msg->info1 & AERO_INFO1_GET_ALL) == 0) {
        return run_ops(cmd);
    }
    if (msg->n_ops > AERO_OPS_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    srv_cmd_answer_bins(cmd);
    return AERO_ERR_OK;
}

static int
read_record(srv_cmd *cmd)
{
    int code = srv_cmd_check_set(cmd, false);

    if (code == AERO_ERR_OK && srv_record_is_dead(cmd->rec, cmd->now)) {
        code = AERO_ERR_RECORD_NOT_FOUND;
    }
    if (code == AERO_ERR_OK) {
        code = check_touch(cmd);
    }
    if (code == AERO_ERR_OK) {
        code = srv_cmd_check_filter(cmd);
    }
    if (code == AERO_ERR_OK) {
        code = srv_cmd_check_key(cmd);
    }
    return code == AERO_ERR_OK ? read_bins(cmd) : code;
}

/* What the Community edition does not read. */
static bool
is_refused(const srv_cmd *cmd)
{
    const aero_msg *msg = &cmd->req->msg;
    bool linearized =
        (msg->info3 & (AERO_INFO3_SC_READ_RELAX | AERO_INFO3_SC_READ_TYPE)) ==
        AERO_INFO3_SC_READ_TYPE;

    return linearized && !cmd->core->enterprise;
}

int
srv_read_run(srv_cmd *cmd)
{
    int code;

    if ((cmd->req->msg.info4 & AERO_INFO4_TXN_VERIFY_READ) != 0) {
        return srv_txn_verify(cmd);
    }
    if (is_refused(cmd)) {
        return AERO_ERR_ENTERPRISE_ONLY;
    }
    cmd->touch_ttl = 0;
    code = srv_txn_find(cmd, false);
    if (code != AERO_ERR_OK) {
        return code;
    }
    if (cmd->rec == NULL) {
        return AERO_ERR_RECORD_NOT_FOUND;
    }
    cmd->generation = cmd->rec->generation;
    cmd->void_time = cmd->rec->void_time;
    cmd->lut = cmd->rec->lut;
    code = read_record(cmd);
    if (cmd->touch_ttl != 0 && cmd->txn == 0) {
        touch(cmd);
    }
    return code;
}

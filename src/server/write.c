/* Writes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "txn.h"
#include "write.h"

enum {
    TTL_DEFAULT = 0,
    TTL_MAX = 10 * 365 * 24 * 3600,
    KEY_INTEGER_LEN = 1 + 8
};

#define TTL_NEVER UINT32_MAX
#define TTL_KEEP  (UINT32_MAX - 1)

/* ---- what the operations ask for ---- */

static int
check_read_all(const srv_cmd *cmd, bool seen)
{
    return cmd->respond_all || seen ? AERO_ERR_REQUEST_INVALID : AERO_ERR_OK;
}

static int
check_ops(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    bool get_all = (cmd->req->msg.info1 & AERO_INFO1_GET_ALL) != 0;
    bool reads = false;
    bool reads_all = false;
    bool answers = false;
    aero_span ops = cmd->req->ops;
    aero_op op;

    while (srv_op_next(&ops, &op)) {
        const srv_op_kind *kind = srv_op_kind_of(op.op);

        if (op.op != AERO_OP_TOUCH && !srv_bin_name_is_valid(op.name)) {
            return AERO_ERR_BIN_NAME;
        }
        if (kind == NULL) {
            continue; /* refused when its turn comes */
        }
        if (w->replaces &&
            (kind->no_replace ||
             (op.op == AERO_OP_WRITE && op.particle == AERO_PARTICLE_NIL))) {
            return AERO_ERR_REQUEST_INVALID;
        }
        w->must_exist = w->must_exist || !kind->creates;
        reads = reads || kind->reads;
        if (!srv_op_is_read_all(cmd, &op)) {
            answers = answers || kind->answers;
            continue;
        }
        if (check_read_all(cmd, reads_all) != AERO_ERR_OK) {
            return AERO_ERR_REQUEST_INVALID;
        }
        reads_all = true;
    }
    if ((reads && (cmd->req->msg.info1 & AERO_INFO1_READ) == 0) ||
        (reads_all && answers) || (get_all && !reads_all)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return AERO_ERR_OK;
}

static int
check_request(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    const aero_msg *msg = &cmd->req->msg;

    if (cmd->ns->config[SRV_NS_disallow_null_setname] != 0 &&
        srv_req_field(cmd->req, AERO_FIELD_SET).len == 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (msg->n_ops == 0 || msg->n_ops > AERO_OPS_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    w->must_exist =
        (msg->info3 & (AERO_INFO3_UPDATE_ONLY | AERO_INFO3_REPLACE_ONLY)) != 0;
    w->replaces = (msg->info3 & (AERO_INFO3_CREATE_OR_REPLACE |
                                 AERO_INFO3_REPLACE_ONLY)) != 0;
    return check_ops(w);
}

/* ---- the record ---- */

int
srv_write_find_record(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    bool dead = false;

    int code = srv_txn_find(cmd, true);

    if (code != AERO_ERR_OK) {
        return code;
    }
    if (cmd->rec != NULL) {
        cmd->generation = cmd->rec->generation;
        cmd->void_time = cmd->rec->void_time;
        dead = srv_record_is_dead(cmd->rec, cmd->now);
    }
    if (cmd->rec == NULL || dead) {
        if (w->must_exist) {
            return AERO_ERR_RECORD_NOT_FOUND;
        }
        w->creates = true;
        cmd->rec = NULL;
    }
    return AERO_ERR_OK;
}

static int
check_set_limits(const srv_set *set, bool creates)
{
    int64_t most = set->config[SRV_SET_stop_writes_count];
    int64_t size = set->config[SRV_SET_stop_writes_size];

    if ((creates && most != 0 && set->objects >= (uint64_t)most) ||
        (size != 0 && set->used >= (uint64_t)size)) {
        return AERO_ERR_FAIL_FORBIDDEN;
    }
    return AERO_ERR_OK;
}

int
srv_write_find_set(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    aero_span name = srv_req_field(cmd->req, AERO_FIELD_SET);

    if (!w->creates) {
        int code = srv_cmd_check_set(cmd, true);

        if (code != AERO_ERR_OK) {
            return code;
        }
        cmd->set = cmd->rec->set;
    }
    else if (name.len != 0) {
        cmd->set = srv_set_make(cmd->ns, name);
        if (cmd->set == 0) {
            return AERO_ERR_REQUEST_INVALID;
        }
    }
    return cmd->set == 0
               ? AERO_ERR_OK
               : check_set_limits(srv_set_of(cmd->ns, cmd->set), w->creates);
}

int
srv_write_find_key(srv_write *w)
{
    srv_cmd *cmd = w->cmd;

    if (cmd->rec != NULL && cmd->rec->key_len != 0) {
        w->key = srv_record_key(cmd->rec);
        return srv_cmd_check_key(cmd);
    }
    if (!srv_req_has(cmd->req, AERO_FIELD_KEY)) {
        return AERO_ERR_OK;
    }
    w->key = srv_req_field(cmd->req, AERO_FIELD_KEY);
    if (w->key.len == 0 || (w->key.ptr[0] == AERO_PARTICLE_INTEGER &&
                            w->key.len != KEY_INTEGER_LEN)) {
        return AERO_ERR_UNSUPPORTED_FEATURE;
    }
    return AERO_ERR_OK;
}

/* ---- how long it lives ---- */

static uint32_t
default_ttl(const srv_ns *ns, const srv_set *set)
{
    int64_t of_set = set != NULL ? set->config[SRV_SET_default_ttl] : 0;

    if (of_set == 0) {
        return (uint32_t)ns->config[SRV_NS_default_ttl];
    }
    return of_set == TTL_NEVER ? 0 : (uint32_t)of_set;
}

int
srv_write_find_ttl(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    const srv_ns *ns = cmd->ns;
    uint32_t usual = default_ttl(ns, srv_set_of(ns, cmd->set));
    bool dies;

    if (w->ttl == TTL_KEEP && w->creates) {
        w->ttl = TTL_DEFAULT;
        cmd->lost_ttl = true;
    }
    if (w->ttl > TTL_MAX && w->ttl != TTL_NEVER && w->ttl != TTL_KEEP) {
        return AERO_ERR_REQUEST_INVALID;
    }
    dies = w->ttl == TTL_DEFAULT ? usual != 0 : w->ttl <= TTL_MAX;
    if (dies && ns->config[SRV_NS_nsup_period] == 0 &&
        ns->config[SRV_NS_allow_ttl_without_nsup] == 0) {
        return AERO_ERR_FAIL_FORBIDDEN;
    }
    if (w->ttl == TTL_DEFAULT) {
        w->ttl = usual != 0 ? usual : TTL_NEVER;
    }
    return AERO_ERR_OK;
}

static uint32_t
new_void_time(const srv_write *w, uint32_t now)
{
    srv_cmd *cmd = w->cmd;
    uint32_t old = w->creates ? 0 : cmd->rec->void_time;
    uint32_t fresh = now + w->ttl;

    if (w->ttl == TTL_KEEP) {
        return old;
    }
    if (w->ttl == TTL_NEVER) {
        fresh = 0;
    }
    /* To the real server any end is sooner than never, and never than any
     * end, when it looks for lives cut short. */
    if (!w->creates && ((old == 0 && fresh != 0) || fresh < old)) {
        bool may = cmd->ns->config[SRV_NS_apply_ttl_reductions] != 0;

        cmd->ns->counts[may ? SRV_COUNT_ttl_reductions_applied
                            : SRV_COUNT_ttl_reductions_ignored]++;
        return may ? fresh : old;
    }
    return fresh;
}

/* ---- what is done ---- */

static int
run_ops(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    aero_span ops = cmd->req->ops;
    aero_op op;

    while (srv_op_next(&ops, &op)) {
        const srv_op_kind *kind = srv_op_kind_of(op.op);
        int code =
            kind == NULL ? AERO_ERR_REQUEST_INVALID : kind->run(cmd, &op);

        if (code != AERO_ERR_OK) {
            return code;
        }
    }
    return cmd->bins.count > SRV_BINS_MAX ? AERO_ERR_REQUEST_INVALID
                                          : AERO_ERR_OK;
}

int
srv_write_store(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    srv_ns *ns = cmd->ns;
    size_t size =
        srv_bins_flat_size(&cmd->bins, cmd->void_time,
                           srv_set_name(ns, cmd->set).len, w->key.len);
    srv_record *rec;

    if (size > (size_t)ns->config[SRV_NS_max_record_size]) {
        return AERO_ERR_RECORD_TOO_BIG;
    }
    rec = srv_record_new(cmd->digest, w->key, &cmd->bins);
    if (rec == NULL) {
        return AERO_ERR_SERVER;
    }
    rec->generation = (uint16_t)cmd->generation;
    rec->void_time = cmd->void_time;
    rec->lut = cmd->lut;
    rec->set = cmd->set;
    rec->used = (uint32_t)((size + SRV_FLAT_BLOCK - 1) &
                           ~(size_t)(SRV_FLAT_BLOCK - 1));
    return srv_txn_put(cmd, rec) ? AERO_ERR_OK : AERO_ERR_SERVER;
}

/* The last bin has gone, and the record with it. */
static int
vanish(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    bool shipped = (cmd->req->msg.info1 & AERO_INFO1_XDR) != 0;
    int code = srv_txn_check_delete(cmd);

    if (w->old_bins == 0 && !shipped) {
        return AERO_ERR_RECORD_NOT_FOUND;
    }
    if (code != AERO_ERR_OK) {
        return code;
    }
    if (!srv_txn_drop(cmd)) {
        return AERO_ERR_SERVER;
    }
    cmd->ns->counts[SRV_COUNT_deleted_last_bin]++;
    cmd->generation = 0;
    cmd->void_time = 0;
    return AERO_ERR_OK;
}

void
srv_write_advance(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    uint64_t now_ms = srv_clock_ms(&cmd->core->clock);
    uint64_t old_lut = w->creates ? 0 : cmd->rec->lut;

    cmd->void_time = new_void_time(w, (uint32_t)(now_ms / 1000));
    cmd->lut = old_lut > now_ms ? old_lut : now_ms;
    cmd->generation = w->creates ? 1 : (uint16_t)(cmd->rec->generation + 1);
    if (cmd->generation == 0) {
        cmd->generation = 1;
    }
}

static int
apply(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    uint32_t generation = cmd->generation;
    uint32_t void_time = cmd->void_time;
    int code;

    if (!srv_bins_load(&cmd->bins, w->replaces ? NULL : cmd->rec,
                       cmd->req->msg.n_ops, &cmd->core->arena)) {
        return AERO_ERR_SERVER;
    }
    w->old_bins = cmd->bins.count;
    srv_write_advance(w);
    code = run_ops(w);
    if (code == AERO_ERR_OK) {
        code = cmd->bins.count == 0 ? vanish(w) : srv_write_store(w);
    }
    if (code != AERO_ERR_OK) {
        cmd->generation = generation;
        cmd->void_time = void_time;
    }
    return code;
}

static int
check_exists(srv_write *w)
{
    bool create_only = (w->cmd->req->msg.info2 & AERO_INFO2_CREATE_ONLY) != 0;

    return create_only && !w->creates ? AERO_ERR_RECORD_EXISTS : AERO_ERR_OK;
}

static int
check_generation(srv_write *w)
{
    return srv_cmd_check_generation(w->cmd,
                                    w->creates ? 0 : w->cmd->rec->generation);
}

/* A record that is being made cannot be filtered out. */
int
srv_write_check_filter(srv_write *w)
{
    return w->creates ? AERO_ERR_OK : srv_cmd_check_filter(w->cmd);
}

int
srv_write_run(srv_cmd *cmd)
{
    static int (*const steps[])(srv_write * w) = {
        check_request,      srv_write_find_record, check_exists,
        check_generation,   srv_write_find_set,    srv_write_check_filter,
        srv_write_find_key, srv_write_find_ttl,    apply,
    };
    srv_write w = {.cmd = cmd, .ttl = cmd->req->msg.ttl};
    int code = AERO_ERR_OK;

    if ((cmd->req->msg.info4 &
         (AERO_INFO4_TXN_ROLL_FORWARD | AERO_INFO4_TXN_ROLL_BACK)) != 0) {
        return srv_txn_roll(cmd);
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        code = steps[i](&w);
        if (code != AERO_ERR_OK) {
            break;
        }
    }
    return code;
}

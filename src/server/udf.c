/* Functions of modules on one record.
 *
 * The script works on a copy of the record; what it has made of it is stored
 * when it has ended well, by the steps of any write.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "udf.h"
#include "txn.h"
#include "write.h"

enum {
    NAME_MAX_LEN = 127,
    MS_MAX = 5000, /* of a script, whatever the client is ready to wait */
    BIN_FIXED = 1 + 1 + 4
};

typedef enum outcome {
    HAS_READ,
    HAS_WRITTEN,
    HAS_DELETED,
    HAS_FAILED
} outcome;

static void
count(srv_cmd *cmd, outcome what)
{
    static const srv_count counts[2][4] = {
        {SRV_COUNT_client_lang_read_success,
         SRV_COUNT_client_lang_write_success,
         SRV_COUNT_client_lang_delete_success, SRV_COUNT_client_lang_error},
        {SRV_COUNT_udf_sub_lang_read_success,
         SRV_COUNT_udf_sub_lang_write_success,
         SRV_COUNT_udf_sub_lang_delete_success, SRV_COUNT_udf_sub_lang_error}};

    cmd->ns->counts[counts[cmd->is_sub][what]]++;
}

/* ---- asking ---- */

int
srv_udf_take(const srv_req *req, aero_lua_call *call, aero_span *package)
{
    uint32_t budget = req->msg.budget;

    memset(call, 0, sizeof *call);
    *package = srv_req_field(req, AERO_FIELD_UDF_PACKAGE);
    call->function = srv_req_field(req, AERO_FIELD_UDF_FUNCTION);
    call->args = srv_req_field(req, AERO_FIELD_UDF_ARGS);
    call->ms = budget > MS_MAX ? MS_MAX : budget;
    if (!srv_req_has(req, AERO_FIELD_UDF_FUNCTION) ||
        !srv_req_has(req, AERO_FIELD_UDF_ARGS) ||
        package->len > NAME_MAX_LEN || call->function.len > NAME_MAX_LEN) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return AERO_ERR_OK;
}

bool
srv_udf_view(const srv_core *core, const srv_ns *ns, const srv_record *rec,
             aero_arena *arena, aero_lua_record *out)
{
    srv_bins bins;
    aero_lua_bin *list;
    aero_span key;
    uint32_t now = srv_clock_s(&core->clock);

    if (!srv_bins_load(&bins, rec, 0, arena)) {
        return false;
    }
    list = aero_arena_array(arena, bins.count + 1, sizeof *list);
    if (list == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < bins.count; i++) {
        list[i].name = bins.list[i].name;
        list[i].value.particle = bins.list[i].val.particle;
        list[i].value.bytes = bins.list[i].val.bytes;
    }
    out->bins = list;
    out->n_bins = bins.count;
    out->exists = true;
    out->generation = rec->generation;
    out->ttl = rec->void_time > now ? rec->void_time - now : 0;
    out->size = rec->used;
    out->last_update = rec->lut;
    out->set = srv_set_name(ns, rec->set);
    memcpy(out->digest, rec->digest, sizeof out->digest);
    key = srv_record_key(rec);
    if (key.len != 0) {
        out->key.particle = key.ptr[0];
        out->key.bytes = aero_span_skip(key, 1);
    }
    return true;
}

/* ---- answering ---- */

static void
answer(srv_cmd *cmd, const char *name, const aero_val *val)
{
    aero_op op = {.op = AERO_OP_READ};

    op.name = aero_span_str(name);
    srv_cmd_answer(cmd, &op, val);
    cmd->keeps_answer = true;
}

static void
answer_failure(srv_cmd *cmd, const char *text)
{
    aero_val val = aero_val_of(AERO_PARTICLE_STRING, aero_span_str(text));

    answer(cmd, "FAILURE", &val);
}

static void
answer_success(srv_cmd *cmd, const aero_lua_result *result)
{
    aero_span in = aero_buf_span(&result->values);
    aero_val val = aero_val_of(AERO_PARTICLE_NIL, aero_span_of(NULL, 0));

    if (in.len >= 5) {
        val = aero_val_of(in.ptr[0], aero_span_skip(in, 5));
    }
    answer(cmd, "SUCCESS", &val);
}

/* ---- storing ---- */

/* The bins as the script left them, each in the form in which it is kept. */
static int
take_bins(srv_cmd *cmd, const aero_lua_result *result)
{
    aero_span in = aero_buf_span(&result->bins);
    int code = AERO_ERR_OK;

    if (!srv_bins_load(&cmd->bins, NULL, result->n_bins, &cmd->core->arena)) {
        return AERO_ERR_SERVER;
    }
    for (uint32_t i = 0; code == AERO_ERR_OK && i < result->n_bins; i++) {
        aero_span name = aero_span_of(in.ptr + 1, in.ptr[0]);
        uint8_t particle = in.ptr[1 + name.len];
        uint32_t size = aero_get_u32(in.ptr + 2 + name.len);
        srv_bin *bin = srv_bins_add(&cmd->bins, name);

        in = aero_span_skip(in, BIN_FIXED + name.len);
        code = srv_particle_take(particle, aero_span_of(in.ptr, size),
                                 &cmd->core->arena, &bin->val);
        in = aero_span_skip(in, size);
    }
    return code;
}

static int
remove_record(srv_write *w)
{
    srv_cmd *cmd = w->cmd;
    int code = srv_txn_check_delete(cmd);

    if (w->creates || code != AERO_ERR_OK) {
        return w->creates ? AERO_ERR_OK : code;
    }
    srv_write_advance(w);
    if (!srv_txn_drop(cmd)) {
        return AERO_ERR_SERVER;
    }
    cmd->void_time = 0;
    count(cmd, HAS_DELETED);
    return AERO_ERR_OK;
}

static int
store_record(srv_write *w, const aero_lua_result *result)
{
    srv_cmd *cmd = w->cmd;
    int code;

    if (result->has_ttl) {
        w->ttl = result->ttl;
    }
    if (result->drop_key) {
        w->key = aero_span_of(NULL, 0);
    }
    code = srv_write_find_set(w);
    if (code == AERO_ERR_OK) {
        code = srv_write_find_ttl(w);
    }
    if (code == AERO_ERR_OK) {
        code = take_bins(cmd, result);
    }
    if (code == AERO_ERR_OK) {
        srv_write_advance(w);
        code = srv_write_store(w);
    }
    if (code == AERO_ERR_OK) {
        count(cmd, HAS_WRITTEN);
    }
    return code;
}

static int
keep_changes(srv_write *w, const aero_lua_result *result)
{
    switch (result->change) {
    case AERO_LUA_WRITTEN:
        return store_record(w, result);
    case AERO_LUA_REMOVED:
        return remove_record(w);
    default:
        count(w->cmd, HAS_READ);
        return AERO_ERR_OK;
    }
}

/* ---- the way ---- */

static int
run_script(srv_write *w, aero_lua_call *call, aero_span package)
{
    srv_cmd *cmd = w->cmd;
    aero_lua_record view = {0};
    const aero_lua_result *result;
    uint32_t generation = cmd->generation;
    uint32_t void_time = cmd->void_time;
    int code;

    memcpy(view.digest, cmd->digest, sizeof view.digest);
    if (cmd->rec != NULL && !srv_udf_view(cmd->core, cmd->ns, cmd->rec,
                                          &cmd->core->arena, &view)) {
        return AERO_ERR_SERVER;
    }
    if (w->key.len != 0) {
        view.key.particle = w->key.ptr[0];
        view.key.bytes = aero_span_skip(w->key, 1);
    }
    call->records = &view;
    call->n_records = 1;
    result = srv_modules_call(&cmd->core->modules, call, package);
    srv_udf_log(cmd->core, result);
    code =
        result->code == AERO_ERR_OK ? keep_changes(w, result) : result->code;
    if (code != AERO_ERR_OK) {
        cmd->generation = generation;
        cmd->void_time = void_time;
    }
    if (code == AERO_ERR_OK) {
        answer_success(cmd, result);
    }
    else if (code == AERO_ERR_UDF) {
        count(cmd, HAS_FAILED);
        answer_failure(cmd, result->text);
    }
    return code;
}

/* A set that was sent counts for a record that is made; else it is not looked
 * at. */
static int
check_set(srv_write *w)
{
    return w->creates ? AERO_ERR_OK : srv_cmd_check_set(w->cmd, false);
}

int
srv_udf_run(srv_cmd *cmd)
{
    static int (*const steps[])(srv_write * w) = {
        srv_write_find_record, check_set, srv_write_check_filter,
        srv_write_find_key};
    const aero_msg *msg = &cmd->req->msg;
    srv_write w = {.cmd = cmd, .ttl = msg->ttl};
    aero_lua_call call;
    aero_span package;
    int code = srv_udf_take(cmd->req, &call, &package);

    w.must_exist = cmd->is_sub;
    if ((msg->info2 & (AERO_INFO2_GENERATION | AERO_INFO2_GENERATION_GT |
                       AERO_INFO2_CREATE_ONLY)) != 0 ||
        (!cmd->is_sub &&
         (msg->info3 & (AERO_INFO3_UPDATE_ONLY | AERO_INFO3_REPLACE_ONLY |
                        AERO_INFO3_CREATE_OR_REPLACE)) != 0)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    for (size_t i = 0;
         code == AERO_ERR_OK && i < sizeof steps / sizeof steps[0]; i++) {
        code = steps[i](&w);
    }
    return code == AERO_ERR_OK ? run_script(&w, &call, package) : code;
}

void
srv_udf_log(srv_core *core, const aero_lua_result *result)
{
    aero_span in = aero_buf_span(&result->log);

    while (in.len > 1 && core->log != NULL) {
        const char *text = (const char *)in.ptr + 1;

        core->log(core->log_data, in.ptr[0], text);
        in = aero_span_skip(in, 2 + strlen(text));
    }
}

/* Operations, by a row per type.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/server/bits.h"
#include "aero/server/exp.h"
#include "aero/server/hll.h"
#include "command.h"
#include "particle.h"

bool
srv_bin_name_is_valid(aero_span name)
{
    return name.len <= AERO_BIN_NAME_MAX &&
           (name.len == 0 || memchr(name.ptr, 0, name.len) == NULL);
}

static aero_val
value_of(const srv_cmd *cmd, aero_span name)
{
    const srv_bin *bin = srv_bins_find(&cmd->bins, name);

    return bin != NULL ? bin->val
                       : aero_val_of(AERO_PARTICLE_NIL, aero_span_of(NULL, 0));
}

/* What a read has found: nothing at all is left out unless every operation
 * must answer; a value of nothing is answered within writes. */
static void
answer_read(srv_cmd *cmd, const aero_op *op, const aero_val *val, bool found)
{
    bool has_value = val != NULL && val->particle != AERO_PARTICLE_NIL;

    if (has_value || cmd->respond_all ||
        (found && cmd->writes && op->op != AERO_OP_READ)) {
        srv_cmd_answer(cmd, op, val);
    }
}

static void
answer_write(srv_cmd *cmd, const aero_op *op)
{
    if (cmd->respond_all) {
        srv_cmd_answer(cmd, op, NULL);
    }
}

static void
set_bin(srv_cmd *cmd, aero_span name, aero_val val)
{
    srv_bin *bin = srv_bins_find(&cmd->bins, name);

    if (bin == NULL) {
        bin = srv_bins_add(&cmd->bins, name);
    }
    bin->val = val;
}

static void
delete_bin(srv_cmd *cmd, aero_span name)
{
    srv_bin *bin = srv_bins_find(&cmd->bins, name);

    if (bin != NULL) {
        srv_bins_remove(&cmd->bins, bin);
    }
}

/* ---- plain operations ---- */

static int
run_read(srv_cmd *cmd, const aero_op *op)
{
    srv_bin *bin;

    if (cmd->writes && srv_op_is_read_all(cmd, op)) {
        srv_cmd_answer_bins(cmd);
        return AERO_ERR_OK;
    }
    bin = srv_bins_find(&cmd->bins, op->name);
    answer_read(cmd, op, bin != NULL ? &bin->val : NULL, bin != NULL);
    return AERO_ERR_OK;
}

static int
run_write(srv_cmd *cmd, const aero_op *op)
{
    aero_val val;
    int code;

    if (op->particle == AERO_PARTICLE_NIL) {
        delete_bin(cmd, op->name);
    }
    else {
        code = srv_particle_take(op->particle, op->value, &cmd->core->arena,
                                 &val);
        if (code != AERO_ERR_OK) {
            return code;
        }
        set_bin(cmd, op->name, val);
    }
    answer_write(cmd, op);
    return AERO_ERR_OK;
}

typedef int (*modify_fn)(aero_val old, const aero_op *op, aero_arena *arena,
                         aero_val *out);

static int
run_modify(srv_cmd *cmd, const aero_op *op, modify_fn modify)
{
    aero_val val;
    int code = modify(value_of(cmd, op->name), op, &cmd->core->arena, &val);

    if (code == AERO_ERR_OK) {
        set_bin(cmd, op->name, val);
        answer_write(cmd, op);
    }
    return code;
}

static int
run_incr(srv_cmd *cmd, const aero_op *op)
{
    return run_modify(cmd, op, srv_particle_incr);
}

static int
run_append(srv_cmd *cmd, const aero_op *op)
{
    return run_modify(cmd, op, srv_particle_append);
}

static int
run_prepend(srv_cmd *cmd, const aero_op *op)
{
    return run_modify(cmd, op, srv_particle_prepend);
}

static int
run_touch(srv_cmd *cmd, const aero_op *op)
{
    (void)cmd;
    (void)op;
    return AERO_ERR_OK;
}

static int
run_delete_all(srv_cmd *cmd, const aero_op *op)
{
    cmd->bins.count = 0;
    answer_write(cmd, op);
    return AERO_ERR_OK;
}

/* ---- operations on the inside of a value ---- */

typedef int (*apply_fn)(aero_val bin, bool modify, aero_span payload,
                        aero_made *reply, aero_made *after);

/* The bin becomes what an operation left for it. */
static int
keep_made(srv_cmd *cmd, aero_span name, const aero_made *made)
{
    aero_val val;
    int code;

    if (!made->present) {
        return AERO_ERR_OK;
    }
    if (made->particle == AERO_PARTICLE_NIL) {
        delete_bin(cmd, name);
        return AERO_ERR_OK;
    }
    code = srv_particle_keep(made, &cmd->core->arena, &val);
    if (code == AERO_ERR_OK) {
        set_bin(cmd, name, val);
    }
    return code;
}

static int
run_apply(srv_cmd *cmd, const aero_op *op, bool modify, apply_fn apply)
{
    aero_made *answer = &cmd->core->answer;
    aero_made *after = &cmd->core->bin;
    aero_val old = value_of(cmd, op->name);
    aero_val val;
    int code;

    aero_made_clear(answer);
    aero_made_clear(after);
    code = apply(old, modify, op->value, answer, after);
    if (code == AERO_ERR_OK && modify) {
        code = keep_made(cmd, op->name, after);
    }
    if (code != AERO_ERR_OK) {
        return code;
    }
    val = aero_made_val(answer);
    if ((answer->present &&
         (val.particle != AERO_PARTICLE_NIL || (!modify && cmd->writes))) ||
        cmd->respond_all ||
        (!modify && cmd->writes && old.particle != AERO_PARTICLE_NIL)) {
        srv_cmd_answer(cmd, op, answer->present ? &val : NULL);
    }
    return AERO_ERR_OK;
}

static int
apply_cdt(aero_val bin, bool modify, aero_span payload, aero_made *reply,
          aero_made *after)
{
    aero_exp_paths paths;
    int code;

    aero_exp_paths_init(&paths, 0);
    code =
        aero_cdt_apply_path(bin, modify, payload, &paths.eval, reply, after);
    aero_exp_paths_fini(&paths);
    return code;
}

static int
run_cdt_read(srv_cmd *cmd, const aero_op *op)
{
    return run_apply(cmd, op, false, apply_cdt);
}

static int
run_cdt_modify(srv_cmd *cmd, const aero_op *op)
{
    return run_apply(cmd, op, true, apply_cdt);
}

static int
run_bits(srv_cmd *cmd, const aero_op *op, bool modify)
{
    bool missing = value_of(cmd, op->name).particle == AERO_PARTICLE_NIL;

    if (op->particle != AERO_PARTICLE_BLOB && (modify || !missing)) {
        return AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    return run_apply(cmd, op, modify, aero_bits_apply);
}

static int
run_bits_read(srv_cmd *cmd, const aero_op *op)
{
    return run_bits(cmd, op, false);
}

static int
run_bits_modify(srv_cmd *cmd, const aero_op *op)
{
    return run_bits(cmd, op, true);
}

static int
run_hll_read(srv_cmd *cmd, const aero_op *op)
{
    return run_apply(cmd, op, false, aero_hll_apply);
}

static int
run_hll_modify(srv_cmd *cmd, const aero_op *op)
{
    return run_apply(cmd, op, true, aero_hll_apply);
}

/* ---- expressions ---- */

static int
run_exp_read(srv_cmd *cmd, const aero_op *op)
{
    aero_made *answer = &cmd->core->answer;
    aero_exp_record record;
    aero_val val;
    int code;

    aero_made_clear(answer);
    srv_cmd_expose(cmd, &record);
    code = aero_exp_read(op->value, &record, answer);
    val = aero_made_val(answer);
    if (code == AERO_ERR_OK && (val.particle != AERO_PARTICLE_NIL ||
                                cmd->respond_all || cmd->writes)) {
        srv_cmd_answer(cmd, op, &val);
    }
    return code;
}

static int
run_exp_modify(srv_cmd *cmd, const aero_op *op)
{
    aero_made *after = &cmd->core->bin;
    aero_exp_record record;
    int code;

    aero_made_clear(after);
    srv_cmd_expose(cmd, &record);
    code = aero_exp_modify(op->value, &record, value_of(cmd, op->name), after);
    if (code == AERO_ERR_OK) {
        code = keep_made(cmd, op->name, after);
    }
    if (code == AERO_ERR_OK) {
        answer_write(cmd, op);
    }
    return code;
}

/* ---- the table ---- */

#define READS(run)                                                            \
    {                                                                         \
        true, true, false, true, run                                          \
    }
#define CHANGES(run)                                                          \
    {                                                                         \
        false, false, true, true, run                                         \
    }
#define ANSWERS(run)                                                          \
    {                                                                         \
        false, true, true, true, run                                          \
    }

static const srv_op_kind kinds[] = {
    [AERO_OP_READ] = READS(run_read),
    [AERO_OP_WRITE] = {false, false, false, true, run_write},
    [AERO_OP_CDT_READ] = READS(run_cdt_read),
    [AERO_OP_CDT_MODIFY] = ANSWERS(run_cdt_modify),
    [AERO_OP_INCR] = CHANGES(run_incr),
    [AERO_OP_EXP_READ] = READS(run_exp_read),
    [AERO_OP_EXP_MODIFY] = {false, false, false, true, run_exp_modify},
    [AERO_OP_APPEND] = CHANGES(run_append),
    [AERO_OP_PREPEND] = CHANGES(run_prepend),
    [AERO_OP_TOUCH] = {false, false, true, false, run_touch},
    [AERO_OP_BITS_READ] = READS(run_bits_read),
    [AERO_OP_BITS_MODIFY] = CHANGES(run_bits_modify),
    [AERO_OP_DELETE_ALL] = CHANGES(run_delete_all),
    [AERO_OP_HLL_READ] = READS(run_hll_read),
    [AERO_OP_HLL_MODIFY] = ANSWERS(run_hll_modify),
};

const srv_op_kind *
srv_op_kind_of(uint8_t op)
{
    if (op >= sizeof kinds / sizeof kinds[0] || kinds[op].run == NULL) {
        return NULL;
    }
    return &kinds[op];
}

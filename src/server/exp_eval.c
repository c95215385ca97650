/* Evaluating: one function for each code, chosen by a table.
 *
 * A function reads the arguments behind its node and may leave some of them
 * unread: where they end stands in the node.  Unknown spreads unless a
 * function says otherwise.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/clock.h"
#include "exp_internal.h"

/* ---- logic ---- */

/* The first argument that is true (or false) decides, even beside unknown
 * ones. */
static exp_value
decided_by(exp_run *run, uint32_t at, bool truth)
{
    uint32_t end = exp_run_node(run, at)->next;
    exp_value result = exp_of_bool(!truth);

    for (uint32_t arg = at + 1; arg < end;
         arg = exp_run_node(run, arg)->next) {
        exp_value value = exp_eval_at(run, arg);

        if (exp_is_unknown(&value)) {
            result = value;
        }
        else if (value.truth == truth) {
            return value;
        }
    }
    return result;
}

static exp_value
eval_AND(exp_run *run, uint32_t at)
{
    return decided_by(run, at, false);
}

static exp_value
eval_OR(exp_run *run, uint32_t at)
{
    return decided_by(run, at, true);
}

static exp_value
eval_NOT(exp_run *run, uint32_t at)
{
    exp_value value = exp_eval_at(run, at + 1);

    return exp_is_unknown(&value) ? value : exp_of_bool(!value.truth);
}

/* The first unknown one or the second true one ends it. */
static exp_value
eval_EXCLUSIVE(exp_run *run, uint32_t at)
{
    uint32_t end = exp_run_node(run, at)->next;
    bool found = false;

    for (uint32_t arg = at + 1; arg < end;
         arg = exp_run_node(run, arg)->next) {
        exp_value value = exp_eval_at(run, arg);

        if (exp_is_unknown(&value)) {
            return value;
        }
        if (value.truth && found) {
            return exp_of_bool(false);
        }
        found |= value.truth;
    }
    return exp_of_bool(found);
}

static exp_value
eval_UNKNOWN(exp_run *run, uint32_t at)
{
    (void)run;
    (void)at;
    return exp_unknown();
}

/* ---- branches and variables ---- */

static exp_value
eval_COND(exp_run *run, uint32_t at)
{
    uint32_t end = exp_run_node(run, at)->next;
    uint32_t arg = at + 1;

    for (;;) {
        uint32_t then = exp_run_node(run, arg)->next;
        exp_value value = exp_eval_at(run, arg);

        if (then == end || exp_is_unknown(&value)) {
            return value; /* the default */
        }
        if (value.truth) {
            return exp_eval_at(run, then);
        }
        arg = exp_run_node(run, then)->next;
    }
}

static exp_value
eval_LET(exp_run *run, uint32_t at)
{
    const exp_node *node = exp_run_node(run, at);
    exp_value *var = run->vars + node->number;
    uint32_t arg = at + 1;

    while (exp_run_node(run, arg)->next != node->next) {
        *var++ = exp_eval_at(run, arg);
        arg = exp_run_node(run, arg)->next;
    }
    return exp_eval_at(run, arg);
}

static exp_value
eval_VAR(exp_run *run, uint32_t at)
{
    return run->vars[exp_run_node(run, at)->number];
}

static exp_value
if_wanted(exp_value value, const exp_node *node)
{
    return node->wants < AERO_EXP_TYPES &&
                   value.kind == exp_particle(node->wants)
               ? value
               : exp_unknown();
}

static exp_value
eval_LOOPVAR(exp_run *run, uint32_t at)
{
    const exp_node *node = exp_run_node(run, at);
    const aero_path_vars *loop = run->loop;

    if (loop == NULL || (node->number == 0 && !loop->has_key) ||
        (node->number == 2 && !loop->has_index)) {
        return exp_unknown();
    }
    if (node->number == 2) {
        return if_wanted(exp_of_int(loop->index), node);
    }
    return if_wanted(
        exp_of_packed(node->number == 0 ? loop->key : loop->value), node);
}

static exp_value
eval_LITERAL(exp_run *run, uint32_t at)
{
    return *exp_run_node(run, at)->value;
}

static exp_value
eval_REMOVE_RESULT(exp_run *run, uint32_t at)
{
    exp_value value = {.kind = KIND_REMOVE};

    (void)run;
    (void)at;
    return value;
}

/* ---- the record ---- */

static exp_value
eval_BIN(exp_run *run, uint32_t at)
{
    const exp_node *node = exp_run_node(run, at);
    aero_val val;

    if (run->record == NULL) {
        return exp_unknown();
    }
    val = run->record->bin(run->record->ctx, node->name);
    if (val.particle == AERO_PARTICLE_NIL) {
        return exp_unknown(); /* even where nil is wanted */
    }
    return if_wanted(exp_of_val(val), node);
}

static exp_value
eval_BIN_TYPE(exp_run *run, uint32_t at)
{
    const exp_node *node = exp_run_node(run, at);

    if (run->record == NULL) {
        return exp_unknown();
    }
    return exp_of_int(run->record->bin(run->record->ctx, node->name).particle);
}

static exp_value
eval_KEY(exp_run *run, uint32_t at)
{
    return run->record == NULL ? exp_unknown()
                               : if_wanted(exp_of_val(run->record->key),
                                           exp_run_node(run, at));
}

static exp_value
digest_mod(const aero_exp_record *record, const exp_node *node)
{
    return exp_of_int((int64_t)aero_get_u32le(record->digest + 16) %
                      node->number);
}

static exp_value
void_time(const aero_exp_record *record)
{
    if (record->void_time == 0) {
        return exp_of_int(-1);
    }
    return exp_of_int(
        (int64_t)((AERO_EPOCH_2010 + (uint64_t)record->void_time) *
                  AERO_NS_PER_S));
}

static exp_value
ttl(const aero_exp_record *record)
{
    uint32_t now = (uint32_t)(record->now / AERO_NS_PER_S - AERO_EPOCH_2010);

    return exp_of_int((int32_t)aero_clock_ttl(record->void_time, now));
}

static exp_value
since_update(const aero_exp_record *record)
{
    uint64_t now = record->now / AERO_NS_PER_MS;
    uint64_t then = record->last_update / AERO_NS_PER_MS;

    return exp_of_int(now > then ? (int64_t)(now - then) : 0);
}

static exp_value
eval_metadata(exp_run *run, uint32_t at)
{
    const aero_exp_record *record = run->record;
    const exp_node *node = exp_run_node(run, at);

    if (record == NULL) {
        return exp_unknown();
    }
    switch (node->code) {
    case AERO_EXP_DIGEST_MOD:
        return digest_mod(record, node);
    case AERO_EXP_LAST_UPDATE:
        return exp_of_int((int64_t)record->last_update);
    case AERO_EXP_SINCE_UPDATE:
        return since_update(record);
    case AERO_EXP_VOID_TIME:
        return void_time(record);
    case AERO_EXP_TTL:
        return ttl(record);
    case AERO_EXP_SET_NAME:
        return exp_of_bytes(AERO_PARTICLE_STRING, record->set);
    case AERO_EXP_KEY_EXISTS:
        return exp_of_bool(record->key.particle != AERO_PARTICLE_NIL);
    case AERO_EXP_IS_TOMBSTONE:
        return exp_of_bool(record->tombstone);
    case AERO_EXP_DEVICE_SIZE: /* there is none */
        return exp_of_int(0);
    default: /* MEMORY_SIZE, RECORD_SIZE */
        return exp_of_int((int64_t)record->size);
    }
}

/* ---- the table ---- */

static const exp_eval_fn evals[NODE_CODES + 1] = {
    [AERO_EXP_UNKNOWN] = eval_UNKNOWN,
    [AERO_EXP_EQ] = exp_eval_compare,
    [AERO_EXP_NE] = exp_eval_compare,
    [AERO_EXP_GT] = exp_eval_compare,
    [AERO_EXP_GE] = exp_eval_compare,
    [AERO_EXP_LT] = exp_eval_compare,
    [AERO_EXP_LE] = exp_eval_compare,
    [AERO_EXP_REGEX] = exp_eval_regex,
    [AERO_EXP_GEO] = exp_eval_geo,
    [AERO_EXP_IN_LIST] = exp_eval_in_list,
    [AERO_EXP_AND] = eval_AND,
    [AERO_EXP_OR] = eval_OR,
    [AERO_EXP_NOT] = eval_NOT,
    [AERO_EXP_EXCLUSIVE] = eval_EXCLUSIVE,
    [AERO_EXP_ADD] = exp_eval_fold,
    [AERO_EXP_SUB] = exp_eval_fold,
    [AERO_EXP_MUL] = exp_eval_fold,
    [AERO_EXP_DIV] = exp_eval_div,
    [AERO_EXP_POW] = exp_eval_fold,
    [AERO_EXP_LOG] = exp_eval_fold,
    [AERO_EXP_MOD] = exp_eval_mod,
    [AERO_EXP_ABS] = exp_eval_one,
    [AERO_EXP_FLOOR] = exp_eval_one,
    [AERO_EXP_CEIL] = exp_eval_one,
    [AERO_EXP_TO_INT] = exp_eval_one,
    [AERO_EXP_TO_FLOAT] = exp_eval_one,
    [AERO_EXP_INT_AND] = exp_eval_fold,
    [AERO_EXP_INT_OR] = exp_eval_fold,
    [AERO_EXP_INT_XOR] = exp_eval_fold,
    [AERO_EXP_INT_NOT] = exp_eval_one,
    [AERO_EXP_INT_LSHIFT] = exp_eval_fold,
    [AERO_EXP_INT_RSHIFT] = exp_eval_fold,
    [AERO_EXP_INT_ARSHIFT] = exp_eval_fold,
    [AERO_EXP_INT_COUNT] = exp_eval_one,
    [AERO_EXP_INT_LSCAN] = exp_eval_fold,
    [AERO_EXP_INT_RSCAN] = exp_eval_fold,
    [AERO_EXP_MIN] = exp_eval_fold,
    [AERO_EXP_MAX] = exp_eval_fold,
    [AERO_EXP_DIGEST_MOD] = eval_metadata,
    [AERO_EXP_DEVICE_SIZE] = eval_metadata,
    [AERO_EXP_LAST_UPDATE] = eval_metadata,
    [AERO_EXP_SINCE_UPDATE] = eval_metadata,
    [AERO_EXP_VOID_TIME] = eval_metadata,
    [AERO_EXP_TTL] = eval_metadata,
    [AERO_EXP_SET_NAME] = eval_metadata,
    [AERO_EXP_KEY_EXISTS] = eval_metadata,
    [AERO_EXP_IS_TOMBSTONE] = eval_metadata,
    [AERO_EXP_MEMORY_SIZE] = eval_metadata,
    [AERO_EXP_RECORD_SIZE] = eval_metadata,
    [AERO_EXP_KEY] = eval_KEY,
    [AERO_EXP_BIN] = eval_BIN,
    [AERO_EXP_BIN_TYPE] = eval_BIN_TYPE,
    [AERO_EXP_REMOVE_RESULT] = eval_REMOVE_RESULT,
    [AERO_EXP_MAP_KEYS] = exp_eval_map_side,
    [AERO_EXP_MAP_VALUES] = exp_eval_map_side,
    [AERO_EXP_LOOPVAR] = eval_LOOPVAR,
    [AERO_EXP_COND] = eval_COND,
    [AERO_EXP_VAR] = eval_VAR,
    [AERO_EXP_LET] = eval_LET,
    [AERO_EXP_CALL] = exp_eval_call,
    [NODE_LITERAL] = eval_LITERAL,
};

exp_value
exp_eval_at(exp_run *run, uint32_t at)
{
    return evals[exp_run_node(run, at)->code](run, at);
}

/* ---- a run ---- */

void
exp_run_init(exp_run *run, const aero_exp *exp)
{
    memset(run, 0, sizeof *run);
    run->exp = exp;
    aero_arena_init(&run->arena);
}

void
exp_run_fini(exp_run *run)
{
    aero_arena_fini(&run->arena);
}

exp_value
exp_eval(exp_run *run)
{
    if (run->exp->vars != 0) {
        run->vars =
            aero_arena_array(&run->arena, run->exp->vars, sizeof *run->vars);
        if (run->vars == NULL) {
            run->failed = true;
            return exp_unknown();
        }
    }
    return exp_eval_at(run, 0);
}

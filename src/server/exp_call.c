/* Calls: operations on lists, maps, blobs and HyperLogLogs inside
 * expressions, and expressions inside paths.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/server/bits.h"
#include "aero/server/hll.h"
#include "args.h"
#include "exp_internal.h"

/* ---- keys and values of a map ---- */

exp_value
exp_eval_map_side(exp_run *run, uint32_t at)
{
    bool keys = exp_run_node(run, at)->code == AERO_EXP_MAP_KEYS;
    exp_value map = exp_eval_at(run, at + 1);
    aero_buf work = AERO_BUF_INIT;
    aero_span in = map.bytes;
    aero_token token;
    uint8_t flags;

    if (map.kind != AERO_PARTICLE_MAP || !aero_token_take(&in, &token) ||
        !aero_token_take_flags(&in, true, &token.count, &flags)) {
        return exp_unknown();
    }
    aero_pack_list(&work, token.count);
    for (uint32_t i = 0; i < token.count; i++) {
        aero_span key;
        aero_span value;

        if (!aero_token_take_whole(&in, &key) ||
            !aero_token_take_whole(&in, &value)) {
            aero_buf_fini(&work);
            return exp_unknown();
        }
        aero_buf_put_span(&work, keys ? key : value);
    }
    run->failed |= work.failed;
    map =
        exp_of_bytes(AERO_PARTICLE_LIST, exp_keep(run, aero_buf_span(&work)));
    aero_buf_fini(&work);
    return map;
}

/* ---- the operation's arguments ---- */

/* The operation with its computed arguments put in.  *at is moved behind
 * them.  False: one is unknown. */
static bool
fill_in(exp_run *run, const exp_call *call, uint32_t *at, aero_buf *out)
{
    aero_span in = aero_span_skip(call->op, call->head);

    aero_buf_put(out, call->op.ptr, call->head);
    for (uint32_t i = 0; i < call->args; i++) {
        aero_span whole;
        aero_span ahead = in;
        aero_token token;
        exp_value value;

        if (!aero_token_take(&ahead, &token) ||
            !aero_token_take_whole(&in, &whole)) {
            return false;
        }
        if (token.kind != AERO_TOKEN_LIST) {
            aero_buf_put_span(out, whole);
            continue;
        }
        value = exp_eval_at(run, *at);
        *at = exp_run_node(run, *at)->next;
        if (!exp_pack(&value, out)) {
            return false;
        }
    }
    return true;
}

/* ---- what it works on ---- */

static bool
is_bytes(uint8_t kind)
{
    return kind == AERO_PARTICLE_LIST || kind == AERO_PARTICLE_MAP ||
           kind == AERO_PARTICLE_BLOB || kind == AERO_PARTICLE_HLL ||
           kind == AERO_PARTICLE_NIL;
}

/* A literal list or map in the form in which bins hold theirs. */
static aero_val
normal(exp_run *run, const exp_node *node, exp_value value)
{
    aero_val val = aero_val_of(value.kind, value.bytes);
    aero_made made;

    if (node->code != NODE_LITERAL || (value.kind != AERO_PARTICLE_LIST &&
                                       value.kind != AERO_PARTICLE_MAP)) {
        return val;
    }
    aero_made_init(&made);
    if (aero_cdt_normalize(value.kind, value.bytes, &made) == AERO_ERR_OK) {
        val.bytes = exp_keep(run, aero_buf_span(&made.bytes));
    }
    aero_made_fini(&made);
    return val;
}

static int
apply(const exp_call *call, aero_val on, aero_span op, aero_made *reply,
      aero_made *after)
{
    bool modify = (call->system & AERO_EXP_MODIFY) != 0;
    aero_exp_paths paths;
    int rc;

    switch (call->system & ~(uint32_t)AERO_EXP_MODIFY) {
    case AERO_EXP_CDT:
        aero_exp_paths_init(&paths, call->depth);
        rc = aero_cdt_apply_path(on, modify, op, &paths.eval, reply, after);
        aero_exp_paths_fini(&paths);
        return rc;
    case AERO_EXP_BITS:
        return aero_bits_apply(on, modify, op, reply, after);
    case AERO_EXP_HLL:
        return aero_hll_apply(on, modify, op, reply, after);
    default:
        return AERO_ERR_REQUEST_INVALID;
    }
}

/* ---- pairs ---- */

/* What KEY_VALUE answers is a map with a flag of its own, which stays when a
 * call changes the map. */
static bool
has_pairs_flag(aero_val val)
{
    aero_span in = val.bytes;
    aero_token token;
    uint8_t flags;

    return val.particle == AERO_PARTICLE_MAP && aero_token_take(&in, &token) &&
           aero_token_take_flags(&in, true, &token.count, &flags) &&
           (flags & AERO_MAP_PRESERVE_ORDER) != 0;
}

static bool
sets_flags(const exp_call *call)
{
    aero_span in = call->op;
    uint32_t count;
    int64_t code;

    return take_list(&in, &count) && take_int(&in, &code) &&
           code == AERO_MAP_SET_TYPE;
}

static aero_span
with_pairs_flag(exp_run *run, aero_span map)
{
    aero_buf work = AERO_BUF_INIT;
    aero_token token;
    uint8_t flags;

    if (aero_token_take(&map, &token) &&
        aero_token_take_flags(&map, true, &token.count, &flags)) {
        aero_pack_map(&work, token.count + 1);
        aero_pack_map_flags(&work, flags | AERO_MAP_PRESERVE_ORDER);
        aero_buf_put_span(&work, map);
    }
    run->failed |= work.failed;
    map = exp_keep(run, aero_buf_span(&work));
    aero_buf_fini(&work);
    return map;
}

/* ---- the call ---- */

/* What comes of it: the answer, or the whole value as it was left; it must
 * be of the type that was declared. */
static exp_value
outcome(exp_run *run, const exp_node *node, aero_val on,
        const aero_made *reply, const aero_made *after)
{
    bool modify = (node->call->system & AERO_EXP_MODIFY) != 0;
    aero_val val = reply->present ? aero_made_val(reply)
                                  : aero_val_of(0, aero_span_of("", 0));
    exp_value value;

    if (modify) {
        val = after->present ? aero_made_val(after) : on;
    }
    if (val.particle != exp_particle(node->wants)) {
        return exp_unknown();
    }
    value = exp_of_val(val);
    if (value.kind == AERO_PARTICLE_GEOJSON) {
        int rc = aero_geo_check(value.bytes);

        run->failed |= rc == AERO_ERR_SERVER;
        if (rc != AERO_ERR_OK) {
            return exp_unknown();
        }
    }
    switch (value.kind) {
    case AERO_PARTICLE_NIL:
    case AERO_PARTICLE_BOOL:
    case AERO_PARTICLE_INTEGER:
    case AERO_PARTICLE_FLOAT:
        return value;
    default:
        break;
    }
    if (modify && after->present && has_pairs_flag(on) &&
        !sets_flags(node->call)) {
        value.bytes = with_pairs_flag(run, value.bytes);
    }
    else {
        value.bytes = exp_keep(run, value.bytes);
    }
    return value;
}

static exp_value
call_on(exp_run *run, const exp_node *node, aero_val on, aero_span op)
{
    exp_value value = exp_unknown();
    aero_made reply;
    aero_made after;
    int rc;

    aero_made_init(&reply);
    aero_made_init(&after);
    rc = apply(node->call, on, op, &reply, &after);
    if (rc == AERO_ERR_OK) {
        value = outcome(run, node, on, &reply, &after);
    }
    run->failed |= reply.bytes.failed || after.bytes.failed;
    aero_made_fini(&reply);
    aero_made_fini(&after);
    return value;
}

exp_value
exp_eval_call(exp_run *run, uint32_t at)
{
    const exp_node *node = exp_run_node(run, at);
    aero_buf work = AERO_BUF_INIT;
    exp_value value = exp_unknown();
    aero_span op = node->call->op;
    uint32_t arg = at + 1;

    if (node->call->inside != 0) {
        if (!fill_in(run, node->call, &arg, &work)) {
            goto done;
        }
        op = aero_buf_span(&work);
        run->failed |= work.failed;
    }
    value = exp_eval_at(run, arg);
    if (!is_bytes(value.kind) || run->failed) {
        value = exp_unknown();
        goto done;
    }
    value = call_on(run, node, normal(run, exp_run_node(run, arg), value), op);

done:
    aero_buf_fini(&work);
    return value;
}

/* ---- expressions inside paths ---- */

/* One that was built before, found again by where it stands. */
typedef struct aero_exp_path {
    const uint8_t *packed;
    aero_exp *exp;
    struct aero_exp_path *next;
} aero_exp_path;

static int
find_or_build(aero_exp_paths *paths, aero_span packed, const aero_exp **out)
{
    aero_exp_path *path;
    int rc;

    for (path = paths->first; path != NULL; path = path->next) {
        if (path->packed == packed.ptr) {
            *out = path->exp;
            return AERO_ERR_OK;
        }
    }
    path = aero_alloc(sizeof *path);
    if (path == NULL) {
        return AERO_ERR_SERVER;
    }
    rc = exp_build_at(packed, paths->depth, false, &path->exp);
    if (rc != AERO_ERR_OK) {
        aero_free(path);
        return rc;
    }
    path->packed = packed.ptr;
    path->next = paths->first;
    paths->first = path;
    *out = path->exp;
    return AERO_ERR_OK;
}

static int
check_inside(void *ctx, aero_span packed)
{
    const aero_exp *exp;

    return find_or_build(ctx, packed, &exp);
}

/* A shape goes back into its list as text, unchecked. */
static bool
put_inside(exp_run *run, const exp_value *value, aero_made *out)
{
    if (value->kind != AERO_PARTICLE_GEOJSON) {
        return exp_make(run, value, out);
    }
    aero_made_clear(out);
    out->present = true;
    out->particle = AERO_PARTICLE_GEOJSON;
    aero_geojson_put(&out->bytes, value->bytes);
    run->failed |= out->bytes.failed;
    return true;
}

static int
eval_inside(void *ctx, aero_span packed, const aero_path_vars *vars,
            aero_made *result, bool *unknown)
{
    const aero_exp *exp;
    exp_run run;
    exp_value value;
    int rc = find_or_build(ctx, packed, &exp);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    exp_run_init(&run, exp);
    run.loop = vars;
    value = exp_eval(&run);
    aero_made_clear(result);
    *unknown = value.kind != KIND_REMOVE && !put_inside(&run, &value, result);
    rc = run.failed ? AERO_ERR_SERVER : AERO_ERR_OK;
    exp_run_fini(&run);
    return rc;
}

void
aero_exp_paths_init(aero_exp_paths *paths, unsigned depth)
{
    paths->eval = (aero_path_eval){eval_inside, paths, check_inside};
    paths->first = NULL;
    paths->depth = depth;
}

void
aero_exp_paths_fini(aero_exp_paths *paths)
{
    while (paths->first != NULL) {
        aero_exp_path *path = paths->first;

        paths->first = path->next;
        aero_exp_free(path->exp);
        aero_free(path);
    }
}

/* Path operations: select from a whole tree of lists and maps, or modify it.
 *
 * The steps are walked level by level.  Three outputs share the walk: a flat
 * list of what the last level gives, the tree reduced to what was selected,
 * and the tree with what was selected replaced.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_path.h"

/* ---- expressions ---- */

/* What an expression sees of the entry at `at`. */
static int
evaluate(path_walk *w, aero_span expression, const cdt_box *box, uint32_t at,
         bool *unknown)
{
    aero_path_vars vars = {.value = cdt_value(box, at)};
    int rc;

    if (box->is_map) {
        vars.has_key = true;
        vars.key = cdt_key(box, at);
    }
    else {
        vars.has_index = true;
        vars.index = at;
    }
    *unknown = false;
    aero_made_clear(&w->result);
    rc = w->eval->eval(w->eval->ctx, expression, &vars, &w->result, unknown);
    return w->result.bytes.failed ? AERO_ERR_SERVER : rc;
}

static int
filter(path_walk *w, aero_span expression, const cdt_box *box, uint32_t at,
       path_truth *out)
{
    bool unknown;
    int rc;

    *out = PATH_TRUE;
    if (expression.len == 0) {
        return AERO_ERR_OK;
    }
    rc = evaluate(w, expression, box, at, &unknown);
    if (unknown) {
        *out = PATH_UNKNOWN;
    }
    else if (!w->result.present || w->result.particle != AERO_PARTICLE_BOOL ||
             w->result.bytes.len != 1 || w->result.bytes.ptr[0] == 0) {
        *out = PATH_FALSE;
    }
    return rc;
}

/* ---- which entries a step takes ---- */

static bool
is_place(const path_step *s)
{
    return (s->type & AERO_STEP_BASE) == AERO_STEP_INDEX ||
           (s->type & AERO_STEP_BASE) == AERO_STEP_RANK;
}

/* The position of an index or rank; `*at` is the count if there is none. */
static int
find_place(path_walk *w, const path_step *s, const cdt_box *box, uint32_t *at)
{
    int64_t place = s->index < 0 ? s->index + box->count : s->index;
    bool by_rank = (s->type & AERO_STEP_BASE) == AERO_STEP_RANK;

    *at = box->count;
    if (place < 0 || place >= box->count) {
        return AERO_ERR_OK;
    }
    *at = (uint32_t)place;
    if (by_rank && !cdt_is_sorted_list(box)) {
        return cdt_quick_select(box, (uint32_t)place, w->arena, at);
    }
    return AERO_ERR_OK;
}

static int
is_in_keys(path_walk *w, path_step *s, aero_span key, bool *in)
{
    cdt_search search = {&s->keys, false, NULL};

    if (s->key_order == NULL) {
        if (!cdt_open(s->value, &s->keys) || s->keys.is_map) {
            return AERO_ERR_REQUEST_INVALID;
        }
        if (cdt_index(&s->keys, w->arena) != AERO_ERR_OK) {
            return AERO_ERR_SERVER;
        }
        s->key_order = cdt_sorted(&s->keys, cdt_by_value, w->arena);
        if (s->key_order == NULL) {
            return AERO_ERR_SERVER;
        }
    }
    search.order = s->key_order;
    cdt_find(&search, key, CDT_ANY, in);
    return AERO_ERR_OK;
}

/* Whether the step itself takes an entry, without its AND. */
static int
matches(path_walk *w, path_step *s, const cdt_box *box, uint32_t at,
        path_truth *out)
{
    bool same = false;
    int rc = AERO_ERR_OK;

    *out = PATH_UNKNOWN;
    switch (s->type & AERO_STEP_BASE) {
    case AERO_STEP_EXPRESSION:
        return filter(w, s->filter, box, at, out);
    case AERO_STEP_VALUE:
        same = cdt_compare(cdt_value(box, at), s->value) == 0;
        break;
    case AERO_STEP_KEY:
        if (!box->is_map) {
            return AERO_ERR_OK;
        }
        same = cdt_compare(cdt_key(box, at), s->value) == 0;
        break;
    default:
        if (!box->is_map) {
            return AERO_ERR_OK;
        }
        rc = is_in_keys(w, s, cdt_key(box, at), &same);
        break;
    }
    *out = same ? PATH_TRUE : PATH_FALSE;
    return rc;
}

/* `place` is the only entry of steps by index or rank. */
static int
takes(path_walk *w, path_step *s, const cdt_box *box, uint32_t at,
      uint32_t place, bool *take)
{
    path_truth truth = at == place ? PATH_TRUE : PATH_FALSE;
    int rc = AERO_ERR_OK;

    if (!is_place(s)) {
        rc = matches(w, s, box, at, &truth);
    }
    if (rc == AERO_ERR_OK && truth == PATH_TRUE) {
        rc = s->and_filter.len == 0
                 ? AERO_ERR_OK
                 : filter(w, s->and_filter, box, at, &truth);
    }
    *take = truth == PATH_TRUE;
    if (rc == AERO_ERR_OK && truth == PATH_UNKNOWN && !w->no_fail &&
        !is_place(s)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return rc;
}

/* ---- what is done with an entry ---- */

static bool
is_container(aero_span packed)
{
    aero_token token;

    return aero_token_take(&packed, &token) &&
           (token.kind == AERO_TOKEN_LIST || token.kind == AERO_TOKEN_MAP);
}

/* Replace or remove the entry at `at`. */
static int
apply_to(path_walk *w, const cdt_box *box, uint32_t at, uint32_t *count)
{
    bool unknown;
    size_t value_at;
    int rc = evaluate(w, w->apply, box, at, &unknown);

    if (rc != AERO_ERR_OK || (unknown && !w->no_fail)) {
        return rc != AERO_ERR_OK ? rc : AERO_ERR_SERVER;
    }
    if (unknown) {
        aero_buf_put_span(w->out, cdt_entries(box, at, at + 1));
        (*count)++;
        return AERO_ERR_OK;
    }
    w->changed = true;
    if (!w->result.present) {
        return AERO_ERR_OK;
    }
    if (box->is_map) {
        aero_buf_put_span(w->out, cdt_key(box, at));
    }
    (*count)++;
    value_at = w->out->len;
    if (!aero_cdt_pack(aero_made_val(&w->result), w->out)) {
        return AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    return w->out->failed ||
                   cdt_is_storable(aero_span_of(w->out->ptr + value_at,
                                                w->out->len - value_at))
               ? AERO_ERR_OK
               : AERO_ERR_BIN_INCOMPATIBLE_TYPE;
}

/* An entry of the last level. */
static int
put_leaf(path_walk *w, const cdt_box *box, uint32_t at, uint32_t *count)
{
    switch (w->mode) {
    case AERO_PATH_APPLY:
        return apply_to(w, box, at, count);
    case AERO_PATH_TREE:
        aero_buf_put_span(w->out, cdt_entries(box, at, at + 1));
        break;
    case AERO_PATH_VALUES:
        aero_buf_put_span(w->out, cdt_value(box, at));
        w->found++;
        break;
    case AERO_PATH_KEYS:
        aero_buf_put_span(w->out, cdt_key(box, at));
        w->found++;
        break;
    default:
        aero_buf_put_span(w->out, cdt_entries(box, at, at + 1));
        w->found += 2;
        break;
    }
    (*count)++;
    return AERO_ERR_OK;
}

static bool
makes_tree(const path_walk *w)
{
    return w->mode == AERO_PATH_TREE || w->mode == AERO_PATH_APPLY;
}

static int
put_taken(path_walk *w, uint32_t level, const cdt_box *box, uint32_t at,
          uint32_t *count)
{
    aero_span value = cdt_value(box, at);

    if (level + 1 == w->n_steps) {
        return put_leaf(w, box, at, count);
    }
    if (!is_container(value)) {
        if (makes_tree(w)) {
            aero_buf_put_span(w->out, cdt_entries(box, at, at + 1));
            (*count)++;
        }
        return AERO_ERR_OK;
    }
    if (makes_tree(w)) {
        if (box->is_map) {
            aero_buf_put_span(w->out, cdt_key(box, at));
        }
        (*count)++;
    }
    return path_walk_level(w, level + 1, value);
}

/* ---- levels ---- */

/* Put a head in front of what was written from `at` on. */
static void
put_head_at(aero_buf *out, size_t at, bool is_map, uint8_t flags,
            uint32_t count)
{
    size_t end = out->len;
    size_t size;
    uint8_t head[16];

    cdt_put_head(out, is_map, flags, count);
    if (out->failed) {
        return;
    }
    size = out->len - end;
    memcpy(head, out->ptr + end, size);
    memmove(out->ptr + at + size, out->ptr + at, end - at);
    memcpy(out->ptr + at, head, size);
}

/* Sort the items of a list that were written from `at` on. */
static int
sort_items(path_walk *w, size_t at, uint32_t count)
{
    cdt_box box = {.count = count};
    uint32_t *order;

    if (w->out->failed) {
        return AERO_ERR_OK;
    }
    box.body = aero_arena_copy(
        w->arena, aero_span_of(w->out->ptr + at, w->out->len - at));
    if (box.body.ptr == NULL || cdt_index(&box, w->arena) != AERO_ERR_OK) {
        return AERO_ERR_SERVER;
    }
    order = cdt_sorted(&box, cdt_by_value, w->arena);
    if (order == NULL) {
        return AERO_ERR_SERVER;
    }
    w->out->len = at;
    for (uint32_t i = 0; i < count; i++) {
        aero_buf_put_span(w->out, cdt_value(&box, order[i]));
    }
    return AERO_ERR_OK;
}

/* Behind an entry found by rank, or by index in a map, the vendor's server
 * has lost its place: it fails if a level above has entries left. */
static bool
loses_place(const path_step *s, const cdt_box *box)
{
    return (s->type & AERO_STEP_BASE) == AERO_STEP_RANK ||
           (is_place(s) && box->is_map);
}

static int
walk_entries(path_walk *w, uint32_t level, const cdt_box *box, uint32_t *count)
{
    path_step *s = &w->step[level];
    uint32_t place = 0;
    bool found_key = false;
    int rc = is_place(s) ? find_place(w, s, box, &place) : AERO_ERR_OK;

    for (uint32_t i = 0; i < box->count && rc == AERO_ERR_OK; i++) {
        bool take = false;

        if (!found_key) {
            rc = takes(w, s, box, i, place, &take);
        }
        if (rc == AERO_ERR_OK && take) {
            rc = put_taken(w, level, box, i, count);
            found_key = (s->type & AERO_STEP_BASE) == AERO_STEP_KEY;
        }
        else if (rc == AERO_ERR_OK && w->mode == AERO_PATH_APPLY) {
            aero_buf_put_span(w->out, cdt_entries(box, i, i + 1));
            (*count)++;
        }
        if (rc == AERO_ERR_OK && w->lost && i + 1 < box->count &&
            !loses_place(s, box)) {
            return AERO_ERR_SERVER;
        }
    }
    if (is_place(s) && place < box->count && loses_place(s, box)) {
        w->lost = true;
    }
    return rc;
}

/* Whether the step is made for such a container. */
static bool
fits(const path_step *s, const cdt_box *box)
{
    unsigned kind = s->type & (box->is_map ? AERO_STEP_KIND | AERO_STEP_CREATE
                                           : AERO_STEP_KIND);

    return kind == 0 || kind == (box->is_map ? AERO_STEP_MAP : AERO_STEP_LIST);
}

int
path_walk_level(path_walk *w, uint32_t level, aero_span packed)
{
    bool wants_keys =
        w->mode == AERO_PATH_KEYS || w->mode == AERO_PATH_KEYS_VALUES;
    size_t at = w->out->len;
    uint32_t count = 0;
    cdt_box box;
    int rc;

    if (!cdt_open(packed, &box)) {
        return AERO_ERR_SERVER;
    }
    if (wants_keys && !box.is_map && level + 1 == w->n_steps &&
        box.count + box.flags != 0) {
        return w->no_fail ? AERO_ERR_OK : AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    if (box.count == 0) {
        if (makes_tree(w)) {
            cdt_put_head(w->out, box.is_map, box.flags, 0);
        }
        return AERO_ERR_OK;
    }
    if (!fits(&w->step[level], &box)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    rc = cdt_index(&box, w->arena);
    if (rc == AERO_ERR_OK) {
        rc = walk_entries(w, level, &box, &count);
    }
    if (rc == AERO_ERR_OK && w->mode == AERO_PATH_APPLY &&
        cdt_is_sorted_list(&box)) {
        rc = sort_items(w, at, count);
    }
    if (rc == AERO_ERR_OK && makes_tree(w)) {
        put_head_at(w->out, at, box.is_map,
                    w->mode == AERO_PATH_APPLY ? box.flags : 0, count);
    }
    return rc;
}

/* ---- the operation ---- */

static int
walk(path_walk *w, aero_val bin, aero_made *reply, aero_made *after)
{
    aero_made *made = w->mode == AERO_PATH_APPLY ? after : reply;
    int rc;

    w->out = &made->bytes;
    rc = path_walk_level(w, 0, bin.bytes);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    made->present = w->mode != AERO_PATH_APPLY || w->changed;
    made->particle = makes_tree(w) ? bin.particle : AERO_PARTICLE_LIST;
    if (!makes_tree(w)) {
        put_head_at(w->out, 0, false, 0, w->found);
    }
    return AERO_ERR_OK;
}

int
cdt_path_run(aero_val bin, bool modify, aero_span in, uint32_t n_args,
             const aero_path_eval *eval, aero_arena *arena, aero_made *reply,
             aero_made *after)
{
    path_walk w = {.eval = eval, .arena = arena};
    int rc;

    if (bin.particle != AERO_PARTICLE_LIST &&
        bin.particle != AERO_PARTICLE_MAP) {
        return AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    rc = path_take_request(&w, in, n_args, modify);
    if (rc == AERO_ERR_OK) {
        rc = walk(&w, bin, reply, after);
    }
    aero_made_fini(&w.result);
    return rc;
}

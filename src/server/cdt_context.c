/* Contexts: the way from a bin to a container inside it, and back.
 *
 * Down: each step finds one entry of the container before it.  If it is
 * missing and the step may create it, the rest of the way is created.  Up:
 * the changed leaf is wrapped into the created levels, then put into each
 * parent, the innermost first; a sorted list puts it where it belongs now.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "args.h"
#include "cdt_internal.h"

typedef struct step {
    uint64_t type;
    aero_span value;
    int64_t number; /* of the value, when it is an integer */
    bool is_number;
} step;

static bool
take_step(aero_span *in, step *s)
{
    aero_span ahead;
    int64_t type;

    if (!cdt_take_integer(in, &type)) {
        return false;
    }
    s->type = (uint64_t)type;
    if (!aero_token_take_whole(in, &s->value)) {
        s->value = aero_span_of(NULL, 0);
        return true; /* who needs the value finds it missing */
    }
    ahead = s->value;
    s->is_number = cdt_take_integer(&ahead, &s->number);
    return true;
}

static unsigned
base_of(const step *s)
{
    return (unsigned)s->type & AERO_STEP_BASE;
}

static unsigned
create_of(const step *s)
{
    return (unsigned)s->type & AERO_STEP_CREATE;
}

/* Only steps that say what their level is may create it. */
static bool
is_step(const step *s)
{
    return base_of(s) <= AERO_STEP_VALUE &&
           ((s->type & AERO_STEP_KIND) != 0 ||
            (s->type & (AERO_STEP_CREATE | AERO_STEP_CREATE_PERSIST)) == 0);
}

/* ---- down ---- */

static bool
position_of(int64_t index, uint32_t count, uint32_t *at)
{
    if (index < 0) {
        index += count;
    }
    if (index < 0 || index >= count) {
        return false;
    }
    *at = (uint32_t)index;
    return true;
}

static int
find_ranked(cdt_level *level, const step *s, aero_arena *arena, bool *found)
{
    uint32_t *order;
    uint32_t rank;

    *found = s->is_number && position_of(s->number, level->box.count, &rank);
    if (!*found) {
        return AERO_ERR_OK;
    }
    if (cdt_is_sorted_list(&level->box)) {
        level->at = rank;
        return AERO_ERR_OK;
    }
    if (level->box.is_map) {
        order = cdt_sorted(&level->box, cdt_by_value, arena);
        level->at = order == NULL ? 0 : order[rank];
    }
    else {
        order = cdt_ranked(&level->box, rank, 1, arena);
        level->at = order == NULL ? 0 : order[0];
    }
    return order == NULL ? AERO_ERR_SERVER : AERO_ERR_OK;
}

/* The first entry with the step's value. */
static bool
find_value(cdt_level *level, const step *s)
{
    const cdt_search search = {&level->box, false, NULL};
    bool found = false;

    if (s->value.len == 0) {
        return false;
    }
    if (cdt_is_sorted_list(&level->box)) {
        level->at = cdt_find(&search, s->value, CDT_FIRST, &found);
        return found;
    }
    for (uint32_t i = 0; i < level->box.count && !found; i++) {
        found = cdt_compare(cdt_value(&level->box, i), s->value) == 0;
        level->at = i;
    }
    return found;
}

/* The key is looked up as it would be stored. */
static int
find_key(cdt_level *level, const step *s, aero_arena *arena, bool *found)
{
    const cdt_search search = {&level->box, true, NULL};
    aero_span value = s->value;
    aero_buf key = AERO_BUF_INIT;
    int rc = cdt_store(&value, &key, arena);

    *found = false;
    if (rc == AERO_ERR_OK) {
        level->at = cdt_find(&search, aero_buf_span(&key), CDT_FIRST, found);
    }
    aero_buf_fini(&key);
    return rc == AERO_ERR_SERVER ? rc : AERO_ERR_OK;
}

/* Where a new item of a list goes: at the end, behind as many nils as are
 * wanted; into a sorted list anywhere. */
static bool
can_create_item(cdt_level *level, const step *s)
{
    uint32_t count = level->box.count;

    level->at = count;
    if (s->number == count || (s->number == -1 && count == 0)) {
        return true;
    }
    if (s->number < 0) {
        return false; /* the vendor's server does not survive it */
    }
    if (cdt_is_sorted_list(&level->box)) {
        return true;
    }
    if (create_of(s) != AERO_STEP_CREATE_PADDED ||
        (s->type & AERO_STEP_CREATE_PERSIST) != 0 ||
        s->number - count > INT32_MAX) {
        return false;
    }
    level->pad = (uint32_t)(s->number - count);
    return true;
}

static bool
can_create(cdt_level *level, const step *s)
{
    if (create_of(s) == 0) {
        return false;
    }
    if (level->box.is_map) {
        return base_of(s) == AERO_STEP_KEY && cdt_is_storable(s->value);
    }
    if (base_of(s) == AERO_STEP_INDEX ||
        (base_of(s) == AERO_STEP_RANK && cdt_is_sorted_list(&level->box))) {
        return s->is_number && can_create_item(level, s);
    }
    return false;
}

static int
find(cdt_level *level, const step *s, aero_arena *arena, bool *found)
{
    switch (base_of(s)) {
    case AERO_STEP_INDEX:
        *found = s->is_number &&
                 position_of(s->number, level->box.count, &level->at);
        return AERO_ERR_OK;
    case AERO_STEP_RANK:
        return find_ranked(level, s, arena, found);
    case AERO_STEP_KEY:
        return level->box.is_map ? find_key(level, s, arena, found)
                                 : AERO_ERR_OP_NOT_APPLICABLE;
    default:
        *found = find_value(level, s);
        return AERO_ERR_OK;
    }
}

/* A level that is created entirely.  Below the first, steps need no create
 * bits, but must say what they are. */
static bool
can_make(const step *s, bool first)
{
    if (!is_step(s) || s->value.len == 0 ||
        (!first && (s->type & AERO_STEP_CREATE_PERSIST) != 0)) {
        return false;
    }
    switch (s->type & (AERO_STEP_KIND | AERO_STEP_BASE)) {
    case AERO_STEP_MAP | AERO_STEP_KEY:
        return cdt_is_storable(s->value);
    case AERO_STEP_LIST | AERO_STEP_INDEX:
        if (!s->is_number || s->number < -1 || s->number > INT32_MAX) {
            return false;
        }
        return s->number <= 0 || create_of(s) >= AERO_STEP_CREATE_PADDED;
    default:
        return false;
    }
}

/* `first` and the steps behind it are not there: check that they can be
 * made. */
static int
plan_rest(cdt_context *cx, const step *first, uint32_t n, aero_span *in)
{
    cx->create = true;
    cx->n_rest = n;
    if (cx->depth == 0) {
        if (!can_make(first, true)) {
            return AERO_ERR_OP_NOT_APPLICABLE;
        }
        cx->particle = (first->type & AERO_STEP_MAP) != 0 ? AERO_PARTICLE_MAP
                                                          : AERO_PARTICLE_LIST;
    }
    for (uint32_t i = 1; i < n; i++) {
        step s = {0};

        if (!take_step(in, &s) || !can_make(&s, false)) {
            return AERO_ERR_OP_NOT_APPLICABLE;
        }
    }
    return AERO_ERR_OK;
}

/* One step into what `cx->leaf` is. */
static int
descend(cdt_context *cx, const step *s, bool modify, bool *found)
{
    cdt_level *level = &cx->levels[cx->depth];
    int rc;

    memset(level, 0, sizeof *level);
    *found = false;
    if (!cdt_open(cx->leaf, &level->box) ||
        (s->type & (level->box.is_map ? AERO_STEP_LIST : AERO_STEP_MAP)) !=
            0) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    rc = cdt_index(&level->box, cx->arena);
    if (rc == AERO_ERR_OK) {
        rc = find(level, s, cx->arena, found);
    }
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (base_of(s) == AERO_STEP_KEY) {
        cx->special = false;
    }
    else if (base_of(s) == AERO_STEP_VALUE) {
        cx->special |= !cdt_is_storable(s->value);
    }
    if (!*found && (!can_create(level, s) || !modify)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    cx->depth++;
    if (*found) {
        cx->leaf = cdt_value(&level->box, level->at);
    }
    return AERO_ERR_OK;
}

int
cdt_context_resolve(cdt_context *cx, aero_val bin, bool modify, aero_span *in)
{
    uint32_t count;
    uint32_t n;

    if (bin.particle != AERO_PARTICLE_LIST &&
        bin.particle != AERO_PARTICLE_MAP &&
        bin.particle != AERO_PARTICLE_NIL) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (!take_head(in, &count) || count == 0 || count % 2 != 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    n = count / 2;
    /* every step that is taken has a byte at least */
    cx->levels = aero_arena_array(cx->arena, n < in->len ? n : in->len + 1,
                                  sizeof *cx->levels);
    if (cx->levels == NULL) {
        return AERO_ERR_SERVER;
    }
    cx->leaf = bin.bytes;
    cx->particle = bin.particle;
    for (uint32_t i = 0; i < n; i++) {
        step s = {0};
        bool found = false;
        int rc = AERO_ERR_OK;

        cx->rest = *in;
        if (!take_step(in, &s)) {
            return AERO_ERR_REQUEST_INVALID;
        }
        if (!is_step(&s)) {
            return AERO_ERR_OP_NOT_APPLICABLE;
        }
        if (bin.particle != AERO_PARTICLE_NIL) {
            rc = descend(cx, &s, modify, &found);
        }
        else if (create_of(&s) == 0) {
            rc = AERO_ERR_OP_NOT_APPLICABLE;
        }
        if (rc != AERO_ERR_OK) {
            return rc;
        }
        if (!found) {
            return plan_rest(cx, &s, n - i, in);
        }
    }
    return AERO_ERR_OK;
}

/* ---- up ---- */

static uint8_t
flags_of_made(const step *s)
{
    if ((s->type & AERO_STEP_MAP) == 0) {
        return create_of(s) == AERO_STEP_CREATE_ORDERED ? AERO_LIST_ORDERED
                                                        : 0;
    }
    switch (create_of(s)) {
    case AERO_STEP_CREATE_K_ORDERED:
        return AERO_MAP_K_ORDERED;
    case AERO_STEP_CREATE_KV_ORDERED:
        return AERO_MAP_K_ORDERED | AERO_MAP_V_ORDERED;
    default:
        return 0;
    }
}

/* The head of a container with one entry, up to where the inner one goes. */
static int
put_made_head(aero_buf *out, const step *s, aero_arena *arena)
{
    bool is_map = (s->type & AERO_STEP_MAP) != 0;
    bool padded = !is_map && create_of(s) == AERO_STEP_CREATE_PADDED;
    uint32_t pad = padded && s->number > 0 ? (uint32_t)s->number : 0;
    aero_span value = s->value;

    cdt_put_head(out, is_map, flags_of_made(s), pad + 1);
    cdt_put_nils(out, pad);
    return is_map ? cdt_store(&value, out, arena) : AERO_ERR_OK;
}

/* The heads of all created levels, outermost first: what is nested last needs
 * nothing behind it. */
static int
put_made(cdt_context *cx, aero_buf *out)
{
    aero_span in = cx->rest;

    for (uint32_t i = 0; i < cx->n_rest; i++) {
        step s = {0};
        int rc;

        if (!take_step(&in, &s)) {
            return AERO_ERR_REQUEST_INVALID;
        }
        if (i == 0 && cx->depth != 0) {
            continue; /* an entry of a level that is there */
        }
        rc = put_made_head(out, &s, cx->arena);
        if (rc != AERO_ERR_OK) {
            return rc == AERO_ERR_SERVER ? rc : AERO_ERR_OP_NOT_APPLICABLE;
        }
    }
    return AERO_ERR_OK;
}

/* The key of a new entry is that of the first step that was not found. */
static int
put_new_key(cdt_context *cx, aero_buf *out)
{
    aero_span in = cx->rest;
    step s = {0};

    if (!take_step(&in, &s)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return cdt_store(&s.value, out, cx->arena);
}

/* The level with its entry replaced by `child`, or with `child` inserted. */
static int
put_level(cdt_context *cx, const cdt_level *level, bool is_new,
          aero_span child, aero_buf *out)
{
    const cdt_box *box = &level->box;
    uint32_t at = level->at;
    uint32_t behind = is_new ? at : at + 1;
    int rc = AERO_ERR_OK;

    cdt_put_head(out, box->is_map, box->flags,
                 box->count + (is_new ? 1 + level->pad : 0));
    aero_buf_put_span(out, cdt_entries(box, 0, at));
    cdt_put_nils(out, level->pad);
    if (box->is_map && is_new) {
        rc = put_new_key(cx, out);
    }
    else if (box->is_map) {
        aero_buf_put_span(out, cdt_key(box, at));
    }
    aero_buf_put_span(out, child);
    aero_buf_put_span(out, cdt_entries(box, behind, box->count));
    return rc;
}

/* The same for a sorted list, where the child may move. */
static int
put_sorted_level(const cdt_level *level, bool is_new, aero_span child,
                 aero_buf *out)
{
    const cdt_box *box = &level->box;
    const cdt_search search = {box, false, NULL};
    uint32_t old = level->at;
    uint32_t behind = is_new ? old : old + 1;
    bool found;
    uint32_t rank = cdt_find(&search, child, CDT_FIRST, &found);

    cdt_put_head(out, false, box->flags, box->count + is_new);
    if (rank <= old) {
        aero_buf_put_span(out, cdt_entries(box, 0, rank));
        aero_buf_put_span(out, child);
        aero_buf_put_span(out, cdt_entries(box, rank, old));
        aero_buf_put_span(out, cdt_entries(box, behind, box->count));
    }
    else {
        aero_buf_put_span(out, cdt_entries(box, 0, old));
        aero_buf_put_span(out, cdt_entries(box, behind, rank));
        aero_buf_put_span(out, child);
        aero_buf_put_span(out, cdt_entries(box, rank, box->count));
    }
    return AERO_ERR_OK;
}

int
cdt_context_unwind(cdt_context *cx, aero_span leaf, aero_made *after)
{
    aero_buf spare = AERO_BUF_INIT;
    aero_buf now = AERO_BUF_INIT;
    bool is_new = cx->create;
    int rc = put_made(cx, &now);

    aero_buf_put_span(&now, leaf);
    for (uint32_t i = cx->depth; i-- > 0 && rc == AERO_ERR_OK;) {
        const cdt_level *level = &cx->levels[i];
        aero_buf kept = now;

        now = spare;
        spare = kept;
        aero_buf_reset(&now, SIZE_MAX);
        rc = cdt_is_sorted_list(&level->box)
                 ? put_sorted_level(level, is_new, aero_buf_span(&spare), &now)
                 : put_level(cx, level, is_new, aero_buf_span(&spare), &now);
        now.failed |= spare.failed;
        is_new = false;
    }
    if (rc == AERO_ERR_OK && now.failed) {
        rc = AERO_ERR_SERVER;
    }
    if (rc == AERO_ERR_OK) {
        aero_buf_put_span(&after->bytes, aero_buf_span(&now));
        after->present = true;
        after->particle = cx->particle;
    }
    aero_buf_fini(&spare);
    aero_buf_fini(&now);
    return rc;
}

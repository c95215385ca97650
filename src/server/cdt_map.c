/* Map operations that add and change entries.  Every map is kept sorted by
 * key, whatever its flags say.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_internal.h"
#include "cdt_number.h"

static void
put_entries(cdt_op *op, uint32_t from, uint32_t to)
{
    aero_buf_put_span(op->out, cdt_entries(&op->box, from, to));
}

/* Whether the write flags let an entry be written; else the result code. */
static int
refusal(unsigned flags, bool found)
{
    if (found && (flags & AERO_MAP_CREATE_ONLY) != 0) {
        return AERO_ERR_FAIL_ELEMENT_EXISTS;
    }
    if (!found && (flags & AERO_MAP_UPDATE_ONLY) != 0) {
        return AERO_ERR_FAIL_ELEMENT_NOT_FOUND;
    }
    return AERO_ERR_OK;
}

/* ---- one entry ---- */

/* `key` and `value` are as they are stored. */
static int
put_one(cdt_op *op, aero_span key, aero_span value, unsigned flags)
{
    const cdt_search search = {&op->box, true, NULL};
    uint32_t n = op->box.count;
    bool found;
    uint32_t at = cdt_find(&search, key, CDT_FIRST, &found);
    int rc = refusal(flags, found);

    if (rc != AERO_ERR_OK) {
        return (flags & AERO_MAP_NO_FAIL) != 0 ? cdt_answer_int(op, n) : rc;
    }
    n += !found;
    cdt_begin(op, n);
    put_entries(op, 0, at);
    aero_buf_put_span(op->out, key);
    aero_buf_put_span(op->out, value);
    put_entries(op, at + found, op->box.count);
    return cdt_answer_int(op, n);
}

static int
put(cdt_op *op, unsigned flags)
{
    aero_span key;
    aero_span value;
    int rc = cdt_stored(op, op->arg[0].packed, &key);

    if (rc == AERO_ERR_OK) {
        rc = cdt_stored(op, op->arg[1].packed, &value);
    }
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (!cdt_is_map_key(key)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return put_one(op, key, value, flags);
}

int
cdt_map_put(cdt_op *op)
{
    return put(op, cdt_flags_in(op, 3));
}

int
cdt_map_add(cdt_op *op)
{
    return put(op, AERO_MAP_CREATE_ONLY);
}

int
cdt_map_replace(cdt_op *op)
{
    return put(op, AERO_MAP_UPDATE_ONLY);
}

/* ---- several entries ---- */

/* Write the entries of both maps in the order of keys; those of `items` win.
 * `keep` says which of them are written. */
static void
merge_entries(cdt_op *op, const cdt_box *items, const bool *keep,
              const uint32_t *place, const bool *found)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < items->count; i++) {
        if (!keep[i]) {
            continue;
        }
        put_entries(op, next, place[i]);
        next = place[i] + found[i];
        aero_buf_put_span(op->out, cdt_entries(items, i, i + 1));
    }
    put_entries(op, next, op->box.count);
}

static int
put_sorted_items(cdt_op *op, const cdt_box *items, unsigned flags)
{
    const cdt_search search = {&op->box, true, NULL};
    uint32_t *place = aero_arena_array(op->arena, items->count, sizeof *place);
    bool *found = aero_arena_array(op->arena, items->count, sizeof *found);
    bool *keep = aero_arena_array(op->arena, items->count, sizeof *keep);
    uint32_t n = op->box.count;

    if (place == NULL || found == NULL || keep == NULL) {
        return AERO_ERR_SERVER;
    }
    for (uint32_t i = 0; i < items->count; i++) {
        int rc;

        place[i] = cdt_find(&search, cdt_key(items, i), CDT_FIRST, &found[i]);
        rc = refusal(flags, found[i]);
        if (rc != AERO_ERR_OK && (flags & AERO_MAP_NO_FAIL) == 0) {
            return rc;
        }
        if (rc != AERO_ERR_OK && (flags & AERO_MAP_PARTIAL) == 0) {
            return cdt_answer_int(op, op->box.count);
        }
        keep[i] = rc == AERO_ERR_OK;
        n += keep[i] && !found[i];
    }
    cdt_begin(op, n);
    merge_entries(op, items, keep, place, found);
    return cdt_answer_int(op, n);
}

static int
put_items(cdt_op *op, unsigned flags)
{
    aero_span stored;
    cdt_box items;
    int rc = cdt_stored(op, op->arg[0].packed, &stored);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (!cdt_open(stored, &items) || !items.is_map) {
        return AERO_ERR_REQUEST_INVALID;
    }
    rc = cdt_index(&items, op->arena);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (items.count == 0) {
        if (op->is_new) {
            cdt_begin(op, 0);
        }
        return cdt_answer_int(op, op->box.count);
    }
    /* the vendor's server does not apply UPDATE_ONLY to an empty map when it
     * may write a part */
    if (op->box.count == 0 && (flags & AERO_MAP_NO_FAIL) != 0 &&
        (flags & AERO_MAP_PARTIAL) != 0) {
        flags &= ~(unsigned)AERO_MAP_UPDATE_ONLY;
    }
    return put_sorted_items(op, &items, flags);
}

int
cdt_map_put_items(cdt_op *op)
{
    return put_items(op, cdt_flags_in(op, 2));
}

int
cdt_map_add_items(cdt_op *op)
{
    return put_items(op, AERO_MAP_CREATE_ONLY);
}

int
cdt_map_replace_items(cdt_op *op)
{
    return put_items(op, AERO_MAP_UPDATE_ONLY);
}

/* ---- the rest ---- */

static int
add_up(cdt_op *op, bool negative)
{
    const cdt_search search = {&op->box, true, NULL};
    aero_span key = op->arg[0].packed;
    aero_span old = aero_span_of(NULL, 0);
    aero_buf packed = AERO_BUF_INIT;
    cdt_number sum;
    bool found;
    uint32_t at = cdt_find(&search, key, CDT_FIRST, &found);
    int rc;

    if (found) {
        old = cdt_value(&op->box, at);
    }
    if (!cdt_number_delta(op, 1, negative, &sum) ||
        !cdt_number_add(&sum, old) || !cdt_is_map_key(key)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    rc = cdt_stored(op, key, &key);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    cdt_number_pack(&sum, &packed);
    rc = packed.failed ? AERO_ERR_SERVER
                       : put_one(op, key, aero_buf_span(&packed), 0);
    aero_buf_fini(&packed);
    cdt_number_answer(op, &sum);
    return rc;
}

int
cdt_map_increment(cdt_op *op)
{
    return add_up(op, false);
}

int
cdt_map_decrement(cdt_op *op)
{
    return add_up(op, true);
}

int
cdt_map_set_type(cdt_op *op)
{
    uint8_t flags = (uint8_t)op->arg[0].number & ~AERO_CDT_PERSIST_INDEX;

    if (flags != cdt_flags_kept(true, flags)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    op->box.flags = flags;
    cdt_begin(op, op->box.count);
    put_entries(op, 0, op->box.count);
    return AERO_ERR_OK;
}

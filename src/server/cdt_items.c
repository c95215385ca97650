/* List operations that add several items.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_list.h"

/* The list argument `arg` as it is stored. */
static int
open_items(cdt_op *op, uint32_t arg, cdt_box *items)
{
    aero_span stored;
    int rc = cdt_stored(op, op->arg[arg].packed, &stored);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (!cdt_open(stored, items) || items->is_map) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return cdt_index(items, op->arena);
}

/* No items: the list stays as it is, or is created. */
static int
add_nothing(cdt_op *op)
{
    if (op->is_new) {
        cdt_begin(op, 0);
    }
    return cdt_answer_int(op, op->box.count);
}

static bool
equals_earlier(const cdt_box *items, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (cdt_by_value(items, i, at) == 0) {
            return true;
        }
    }
    return false;
}

/* ADD_UNIQUE into an unordered list: which items may be added.  `*done`: the
 * answer is given. */
static int
pick_unique(cdt_op *op, const cdt_box *items, unsigned flags, bool *keep,
            uint32_t *kept, bool *done)
{
    bool partial = cdt_has(flags, AERO_LIST_NO_FAIL | AERO_LIST_PARTIAL);

    *kept = 0;
    *done = true;
    for (uint32_t i = 0; i < items->count; i++) {
        bool there = cdt_list_contains(op, cdt_value(items, i));

        if (!there && !equals_earlier(items, i)) {
            keep[i] = true;
            (*kept)++;
        }
        else if (!partial) {
            return cdt_list_refuse(op, flags,
                                   there ? AERO_ERR_FAIL_ELEMENT_EXISTS
                                         : AERO_ERR_OP_NOT_APPLICABLE);
        }
    }
    *done = *kept == 0;
    return *done ? cdt_answer_int(op, op->box.count) : AERO_ERR_OK;
}

static int
insert_unique(cdt_op *op, uint32_t at, const cdt_box *items, unsigned flags)
{
    bool *keep = aero_arena_array(op->arena, items->count, sizeof *keep);
    aero_buf chosen = AERO_BUF_INIT;
    uint32_t kept;
    bool done;
    int rc;

    if (keep == NULL) {
        return AERO_ERR_SERVER;
    }
    rc = pick_unique(op, items, flags, keep, &kept, &done);
    if (done || rc != AERO_ERR_OK) {
        return rc;
    }
    for (uint32_t i = 0; i < items->count; i++) {
        if (keep[i]) {
            aero_buf_put_span(&chosen, cdt_value(items, i));
        }
    }
    cdt_put_inserted(op, at, aero_buf_span(&chosen), kept);
    rc = chosen.failed ? AERO_ERR_SERVER : AERO_ERR_OK;
    aero_buf_fini(&chosen);
    if (at > op->box.count) {
        kept += at - op->box.count;
    }
    return rc != AERO_ERR_OK ? rc : cdt_answer_int(op, op->box.count + kept);
}

static int
insert_many(cdt_op *op, uint32_t at, const cdt_box *items, unsigned flags)
{
    uint32_t end = at > op->box.count ? at : op->box.count;

    if (cdt_has(flags, AERO_LIST_INSERT_BOUNDED) && at > op->box.count) {
        return cdt_list_refuse(op, flags, AERO_ERR_OP_NOT_APPLICABLE);
    }
    if (cdt_has(flags, AERO_LIST_ADD_UNIQUE)) {
        return insert_unique(op, at, items, flags);
    }
    cdt_put_inserted(op, at, items->body, items->count);
    return cdt_answer_int(op, end + items->count);
}

int
cdt_list_insert_items(cdt_op *op)
{
    cdt_box items;
    uint32_t at;
    int rc = open_items(op, 1, &items);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (cdt_is_sorted_list(&op->box)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (items.count == 0) {
        return add_nothing(op);
    }
    if (!cdt_list_place(op, op->arg[0].number, &at)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    return insert_many(op, at, &items, cdt_flags_in(op, 2));
}

/* ---- into a sorted list ---- */

/* Find the places of `n` sorted items; those that are there already are left
 * out under PARTIAL. */
static int
place_items(cdt_op *op, const cdt_box *items, uint32_t *order, uint32_t *n,
            uint32_t *place, unsigned flags, bool *done)
{
    const cdt_search search = {&op->box, false, NULL};
    uint32_t kept = 0;

    for (uint32_t i = 0; i < *n; i++) {
        bool found;
        uint32_t at =
            cdt_find(&search, cdt_value(items, order[i]), CDT_ANY, &found);

        if (!found || !cdt_has(flags, AERO_LIST_ADD_UNIQUE)) {
            place[kept] = at;
            order[kept++] = order[i];
        }
        else if (!cdt_has(flags, AERO_LIST_NO_FAIL | AERO_LIST_PARTIAL)) {
            *done = true;
            return cdt_list_refuse(op, flags, AERO_ERR_FAIL_ELEMENT_EXISTS);
        }
    }
    *n = kept;
    return AERO_ERR_OK;
}

static void
merge_items(cdt_op *op, const cdt_box *items, const uint32_t *order,
            const uint32_t *place, uint32_t n)
{
    uint32_t next = 0;

    cdt_begin(op, op->box.count + n);
    for (uint32_t i = 0; i < n; i++) {
        if (place[i] > next) {
            cdt_put_items(op, next, place[i]);
            next = place[i];
        }
        aero_buf_put_span(op->out, cdt_value(items, order[i]));
    }
    cdt_put_items(op, next, op->box.count);
}

static int
add_sorted(cdt_op *op, const cdt_box *items, unsigned flags)
{
    uint32_t *order = cdt_sorted(items, cdt_by_value, op->arena);
    uint32_t *place = aero_arena_array(op->arena, items->count, sizeof *place);
    uint32_t n = items->count;
    bool done = false;
    int rc;

    if (order == NULL || place == NULL) {
        return AERO_ERR_SERVER;
    }
    if (cdt_has(flags, AERO_LIST_ADD_UNIQUE)) {
        n = cdt_drop_repeated(items, order);
    }
    if (n != items->count &&
        !cdt_has(flags, AERO_LIST_NO_FAIL | AERO_LIST_PARTIAL)) {
        return cdt_list_refuse(op, flags, AERO_ERR_OP_NOT_APPLICABLE);
    }
    rc = place_items(op, items, order, &n, place, flags, &done);
    if (done || rc != AERO_ERR_OK) {
        return rc;
    }
    merge_items(op, items, order, place, n);
    return cdt_answer_int(op, op->box.count + n);
}

int
cdt_list_append_items(cdt_op *op)
{
    unsigned flags = cdt_flags_in(op, 2);
    cdt_box items;
    int rc = open_items(op, 0, &items);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (items.count == 0) {
        return add_nothing(op);
    }
    if (!cdt_is_sorted_list(&op->box) &&
        !cdt_has(flags, AERO_LIST_ADD_UNIQUE)) {
        return cdt_append_bytes(op, items.body, items.count);
    }
    rc = cdt_index(&op->box, op->arena);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    return cdt_is_sorted_list(&op->box)
               ? add_sorted(op, &items, flags)
               : insert_many(op, op->box.count, &items, flags);
}

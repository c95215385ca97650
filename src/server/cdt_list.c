/* List operations on one item, and on all of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_list.h"
#include "cdt_number.h"

int
cdt_list_refuse(cdt_op *op, unsigned flags, int rc)
{
    if (!cdt_has(flags, AERO_LIST_NO_FAIL)) {
        return rc;
    }
    return cdt_answer_int(op, op->box.count);
}

bool
cdt_list_contains(const cdt_op *op, aero_span value)
{
    for (uint32_t i = 0; i < op->box.count; i++) {
        if (cdt_compare(cdt_value(&op->box, i), value) == 0) {
            return true;
        }
    }
    return false;
}

void
cdt_put_items(cdt_op *op, uint32_t from, uint32_t to)
{
    aero_buf_put_span(op->out, cdt_entries(&op->box, from, to));
}

void
cdt_put_inserted(cdt_op *op, uint32_t at, aero_span bytes, uint32_t count)
{
    uint32_t n = op->box.count;
    uint32_t pad = at > n ? at - n : 0;

    cdt_begin(op, n + pad + count);
    cdt_put_items(op, 0, at - pad);
    cdt_put_nils(op->out, pad);
    aero_buf_put_span(op->out, bytes);
    cdt_put_items(op, at - pad, n);
}

bool
cdt_list_place(const cdt_op *op, int64_t index, uint32_t *at)
{
    if (index < 0) {
        index += op->box.count;
    }
    if (index < 0 || index > INT32_MAX) {
        return false;
    }
    *at = (uint32_t)index;
    return true;
}

/* ---- one item ---- */

static int
insert_one(cdt_op *op, uint32_t at, aero_span value, unsigned flags)
{
    if (cdt_has(flags, AERO_LIST_INSERT_BOUNDED) && at > op->box.count) {
        return cdt_list_refuse(op, flags, AERO_ERR_OP_NOT_APPLICABLE);
    }
    if (cdt_has(flags, AERO_LIST_ADD_UNIQUE) && cdt_list_contains(op, value)) {
        return cdt_list_refuse(op, flags, AERO_ERR_FAIL_ELEMENT_EXISTS);
    }
    cdt_put_inserted(op, at, value, 1);
    return cdt_answer_int(
        op, 1 + (int64_t)(at > op->box.count ? at : op->box.count));
}

int
cdt_append_bytes(cdt_op *op, aero_span bytes, uint32_t count)
{
    cdt_begin(op, op->box.count + count);
    aero_buf_put_span(op->out, op->box.body);
    aero_buf_put_span(op->out, bytes);
    return cdt_answer_int(op, op->box.count + count);
}

int
cdt_list_append(cdt_op *op)
{
    const cdt_search search = {&op->box, false, NULL};
    unsigned flags = cdt_flags_in(op, 2);
    uint32_t at = op->box.count;
    aero_span value;
    bool found;
    int rc = cdt_stored(op, op->arg[0].packed, &value);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (!cdt_is_sorted_list(&op->box) &&
        !cdt_has(flags, AERO_LIST_ADD_UNIQUE)) {
        return cdt_append_bytes(op, value, 1);
    }
    rc = cdt_index(&op->box, op->arena);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (!cdt_is_sorted_list(&op->box)) {
        return insert_one(op, at, value, flags);
    }
    at = cdt_find(&search, value, CDT_ANY, &found);
    if (found && cdt_has(flags, AERO_LIST_ADD_UNIQUE)) {
        return cdt_list_refuse(op, flags, AERO_ERR_FAIL_ELEMENT_EXISTS);
    }
    cdt_put_inserted(op, at, value, 1);
    return cdt_answer_int(op, op->box.count + 1);
}

int
cdt_list_insert(cdt_op *op)
{
    aero_span value;
    uint32_t at;
    int rc = cdt_stored(op, op->arg[1].packed, &value);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (cdt_is_sorted_list(&op->box) ||
        !cdt_list_place(op, op->arg[0].number, &at)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    return insert_one(op, at, value, cdt_flags_in(op, 2));
}

/* Whether an item other than the one at `at` equals `value`. */
static bool
contains_elsewhere(const cdt_op *op, aero_span value, uint32_t at)
{
    for (uint32_t i = 0; i < op->box.count; i++) {
        if (i != at && cdt_compare(cdt_value(&op->box, i), value) == 0) {
            return true;
        }
    }
    return false;
}

/* Replace the item at `at`, or add it behind the end. */
static int
set_one(cdt_op *op, uint32_t at, aero_span value, unsigned flags)
{
    int rc;

    if (at >= op->box.count) {
        rc = insert_one(op, at, value, flags);
        return rc;
    }
    if (cdt_has(flags, AERO_LIST_ADD_UNIQUE) &&
        contains_elsewhere(op, value, at)) {
        return cdt_has(flags, AERO_LIST_NO_FAIL)
                   ? AERO_ERR_OK
                   : AERO_ERR_FAIL_ELEMENT_EXISTS;
    }
    cdt_begin(op, op->box.count);
    cdt_put_items(op, 0, at);
    aero_buf_put_span(op->out, value);
    cdt_put_items(op, at + 1, op->box.count);
    return AERO_ERR_OK;
}

int
cdt_list_set(cdt_op *op)
{
    aero_span value;
    uint32_t at;
    int rc = cdt_stored(op, op->arg[1].packed, &value);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (cdt_is_sorted_list(&op->box) ||
        !cdt_list_place(op, op->arg[0].number, &at)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    rc = set_one(op, at, value, cdt_flags_in(op, 2));
    aero_made_clear(op->reply); /* SET answers nothing */
    return rc;
}

/* ---- the rest ---- */

/* Put `value` where it belongs in a sorted list, instead of the item at
 * `at`. */
static int
replace_sorted(cdt_op *op, uint32_t at, aero_span value, unsigned flags)
{
    const cdt_search search = {&op->box, false, NULL};
    uint32_t n = op->box.count;
    uint32_t behind = at < n ? at + 1 : n;
    bool found;
    uint32_t rank = cdt_find(&search, value, CDT_FIRST, &found);

    if (at > n) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (cdt_has(flags, AERO_LIST_ADD_UNIQUE) && found) {
        return rank == at || cdt_has(flags, AERO_LIST_NO_FAIL)
                   ? AERO_ERR_OK
                   : AERO_ERR_FAIL_ELEMENT_EXISTS;
    }
    cdt_begin(op, n + (at == n));
    if (rank <= at) {
        cdt_put_items(op, 0, rank);
        aero_buf_put_span(op->out, value);
        cdt_put_items(op, rank, at);
        cdt_put_items(op, behind, n);
    }
    else {
        cdt_put_items(op, 0, at);
        cdt_put_items(op, behind, rank);
        aero_buf_put_span(op->out, value);
        cdt_put_items(op, rank, n);
    }
    return AERO_ERR_OK;
}

int
cdt_list_increment(cdt_op *op)
{
    unsigned flags = cdt_flags_in(op, 3);
    cdt_number sum;
    uint32_t at;
    aero_buf packed = AERO_BUF_INIT;
    int rc;

    if (!cdt_list_place(op, op->arg[0].number, &at)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (!cdt_number_delta(op, 1, false, &sum) ||
        !cdt_number_add(&sum, at < op->box.count ? cdt_value(&op->box, at)
                                                 : aero_span_of(NULL, 0))) {
        return AERO_ERR_REQUEST_INVALID;
    }
    cdt_number_pack(&sum, &packed);
    rc = packed.failed ? AERO_ERR_SERVER
         : cdt_is_sorted_list(&op->box)
             ? replace_sorted(op, at, aero_buf_span(&packed), flags)
             : set_one(op, at, aero_buf_span(&packed), flags);
    cdt_number_answer(op, &sum);
    aero_buf_fini(&packed);
    return rc;
}

static void
put_ordered(cdt_op *op, const uint32_t *order, uint32_t n)
{
    cdt_begin(op, n);
    for (uint32_t i = 0; i < n; i++) {
        aero_buf_put_span(op->out, cdt_value(&op->box, order[i]));
    }
}

int
cdt_list_set_type(cdt_op *op)
{
    uint8_t flags = (uint8_t)op->arg[0].number & ~AERO_CDT_PERSIST_INDEX;
    bool sort = flags == AERO_LIST_ORDERED && op->box.flags == 0;
    uint32_t *order;

    if (flags != cdt_flags_kept(false, flags)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    op->box.flags = flags;
    if (!sort) {
        cdt_begin(op, op->box.count);
        cdt_put_items(op, 0, op->box.count);
        return AERO_ERR_OK;
    }
    order = cdt_sorted(&op->box, cdt_by_value, op->arena);
    if (order == NULL) {
        return AERO_ERR_SERVER;
    }
    put_ordered(op, order, op->box.count);
    return AERO_ERR_OK;
}

uint32_t
cdt_drop_repeated(const cdt_box *items, uint32_t *order)
{
    uint32_t kept = items->count != 0;

    for (uint32_t i = 1; i < items->count; i++) {
        if (cdt_by_value(items, order[kept - 1], order[i]) != 0) {
            order[kept++] = order[i];
        }
    }
    return kept;
}

static int
by_value_descending(const cdt_box *box, uint32_t a, uint32_t b)
{
    return cdt_by_value(box, b, a);
}

int
cdt_list_sort(cdt_op *op)
{
    unsigned flags = cdt_flags_in(op, 0);
    bool down = cdt_has(flags, AERO_LIST_DESCENDING) && op->box.flags == 0;
    uint32_t n = op->box.count;
    uint32_t *order;

    if (n <= 1) {
        return AERO_ERR_OK;
    }
    order = cdt_sorted(&op->box, down ? by_value_descending : cdt_by_value,
                       op->arena);
    if (order == NULL) {
        return AERO_ERR_SERVER;
    }
    if (cdt_has(flags, AERO_LIST_DROP_DUPLICATES)) {
        if (down && cdt_by_value(&op->box, order[0], order[n - 1]) != 0) {
            return AERO_ERR_REQUEST_INVALID; /* not together */
        }
        n = cdt_drop_repeated(&op->box, order);
    }
    put_ordered(op, order, n);
    return AERO_ERR_OK;
}

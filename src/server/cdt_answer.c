/* Choices as answers: one table of return types for lists and maps.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_select.h"

enum {
    UNKNOWN_RETURN = 14 /* a row that is not there */
};

static const cdt_shape shapes[] = {
    [AERO_RETURN_NONE] = {CDT_NONE},
    [AERO_RETURN_INDEX] = {CDT_PLACES, CDT_INDEX},
    [AERO_RETURN_REVERSE_INDEX] = {CDT_PLACES, CDT_INDEX, true},
    [AERO_RETURN_RANK] = {CDT_PLACES, CDT_RANK},
    [AERO_RETURN_REVERSE_RANK] = {CDT_PLACES, CDT_RANK, true},
    [AERO_RETURN_COUNT] = {CDT_COUNT},
    [AERO_RETURN_KEY] = {CDT_KEYS},
    [AERO_RETURN_VALUE] = {CDT_VALUES},
    [AERO_RETURN_KEY_VALUE] = {CDT_PAIRS, .flags = AERO_MAP_PRESERVE_ORDER},
    [AERO_RETURN_INDEX_RANGE] = {CDT_RANGE, CDT_INDEX},
    [AERO_RETURN_REVERSE_INDEX_RANGE] = {CDT_RANGE, CDT_INDEX, true},
    [AERO_RETURN_RANK_RANGE] = {CDT_RANGE, CDT_RANK},
    [AERO_RETURN_REVERSE_RANK_RANGE] = {CDT_RANGE, CDT_RANK, true},
    [AERO_RETURN_EXISTS] = {CDT_EXISTS},
    [AERO_RETURN_UNORDERED_MAP] = {CDT_PAIRS},
    [AERO_RETURN_ORDERED_MAP] = {CDT_PAIRS, .flags = AERO_MAP_K_ORDERED},
};

const cdt_shape *
cdt_shape_of(const cdt_op *op)
{
    uint32_t type = op->returns & AERO_RETURN_MASK;

    return &shapes[type < sizeof shapes / sizeof shapes[0] ? type
                                                           : UNKNOWN_RETURN];
}

/* ---- places ---- */

/* The places of a run.  Counted from the end they ascend all the same. */
static void
put_run(aero_buf *out, const cdt_op *op, uint32_t from, uint32_t count,
        bool reverse)
{
    if (reverse) {
        from = op->box.count - from - count;
    }
    for (uint32_t i = 0; i < count && !out->failed; i++) {
        aero_pack_int(out, (int64_t)from + i);
    }
}

static void
put_place(aero_buf *out, const cdt_op *op, uint32_t at, bool reverse)
{
    put_run(out, op, at, 1, reverse);
}

/* The places between the runs, which ascend when a choice is inverted. */
static void
put_gaps(aero_buf *out, const cdt_op *op, const cdt_choice *choice,
         bool reverse)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < choice->n_runs; i++) {
        const cdt_run *run = &choice->run[i];

        if ((choice->scattered && run->count == 0) || run->from < next) {
            continue;
        }
        put_run(out, op, next, run->from - next, reverse);
        next = run->from + run->count;
    }
    put_run(out, op, next, op->box.count - next, reverse);
}

static uint32_t
count_of(const cdt_choice *choice)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < choice->n_runs; i++) {
        n += choice->run[i].count;
    }
    return n;
}

/* Places of the space in which the choice was made. */
static void
answer_runs(cdt_op *op, const cdt_choice *choice, bool reverse)
{
    uint32_t n = count_of(choice);
    aero_buf *out;

    if (choice->inverted) {
        out = cdt_answer_list(op, op->box.count - n);
        put_gaps(out, op, choice, reverse);
        return;
    }
    out = cdt_answer_list(op, n);
    for (uint32_t i = 0; i < choice->n_runs; i++) {
        const cdt_run *run = &choice->run[i];

        if (!choice->scattered || choice->in_item_order) {
            put_run(out, op, run->from, run->count, reverse);
            continue;
        }
        for (uint32_t j = 0; j < run->count && !out->failed; j++) {
            put_place(out, op, run->from + j, reverse);
        }
    }
}

static void
answer_positions(cdt_op *op, const cdt_choice *choice, bool reverse)
{
    bool listed = choice->listed != NULL && op->box.is_map;
    aero_buf *out =
        cdt_answer_list(op, listed ? choice->n_listed : choice->n_taken);

    if (listed) {
        for (uint32_t i = 0; i < choice->n_listed; i++) {
            put_place(out, op, choice->listed[i], reverse);
        }
        return;
    }
    for (uint32_t i = 0; i < op->box.count; i++) {
        if (choice->taken[i]) {
            put_place(out, op, i, reverse);
        }
    }
}

/* How many are smaller than the entry at `at`. */
static uint32_t
rank_of(const cdt_op *op, uint32_t at)
{
    uint32_t rank = 0;

    for (uint32_t i = 0; i < op->box.count; i++) {
        rank += cdt_by_value(&op->box, i, at) < 0;
    }
    return rank;
}

/* The rank of each position; equal items of a list share the lowest. */
static uint32_t *
all_ranks(const cdt_op *op)
{
    uint32_t *order = cdt_sorted(&op->box, cdt_by_value, op->arena);
    uint32_t *rank = aero_arena_array(op->arena, op->box.count, sizeof *rank);

    if (order == NULL || rank == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < op->box.count; i++) {
        bool same =
            i != 0 && cdt_by_value(&op->box, order[i - 1], order[i]) == 0;

        rank[order[i]] = same ? rank[order[i - 1]] : i;
    }
    return rank;
}

static int
answer_ranks(cdt_op *op, const cdt_choice *choice, bool reverse)
{
    const uint32_t *rank = all_ranks(op);
    aero_buf *out;

    if (rank == NULL) {
        return AERO_ERR_SERVER;
    }
    out = cdt_answer_list(op, choice->n_taken);
    for (uint32_t i = 0; i < op->box.count; i++) {
        if (choice->taken[i]) {
            put_place(out, op, rank[i], reverse);
        }
    }
    return AERO_ERR_OK;
}

/* The position of the only entry. */
static uint32_t
single_of(const cdt_op *op, const cdt_choice *choice)
{
    uint32_t at = 0;

    if (choice->listed != NULL) {
        return choice->listed[0];
    }
    while (at < op->box.count && !choice->taken[at]) {
        at++;
    }
    return at;
}

/* Whether the places of the runs are those that are wanted. */
static bool
is_place_of(const cdt_op *op, const cdt_choice *choice, cdt_space want)
{
    return choice->space == want || cdt_is_sorted_list(&op->box);
}

static int
answer_single_place(cdt_op *op, const cdt_choice *choice,
                    const cdt_shape *shape)
{
    uint32_t at;

    if (choice->n_taken == 0) {
        return cdt_answer_int(op, -1);
    }
    if (is_place_of(op, choice, shape->space)) {
        at = choice->run[0].from;
    }
    else {
        at = single_of(op, choice);
        if (shape->space == CDT_RANK) {
            at = rank_of(op, at);
        }
    }
    return cdt_answer_int(op, shape->reverse ? (int64_t)op->box.count - 1 - at
                                             : at);
}

static int
answer_places(cdt_op *op, const cdt_choice *choice, const cdt_shape *shape)
{
    bool same = is_place_of(op, choice, shape->space);
    bool reverse = shape->reverse;

    if (!op->many) {
        return answer_single_place(op, choice, shape);
    }
    if (choice->whole) {
        put_run(cdt_answer_list(op, op->box.count), op, 0, op->box.count,
                reverse);
        return AERO_ERR_OK;
    }
    if (same && !(choice->inverted && choice->in_item_order)) {
        answer_runs(op, choice, reverse);
        return AERO_ERR_OK;
    }
    if (shape->space == CDT_INDEX || same) {
        answer_positions(op, choice, reverse);
        return AERO_ERR_OK;
    }
    return answer_ranks(op, choice, reverse);
}

static int
answer_pair_of_ints(cdt_op *op, int64_t a, int64_t b)
{
    aero_buf *out = cdt_answer_list(op, 2);

    aero_pack_int(out, a);
    aero_pack_int(out, b);
    return AERO_ERR_OK;
}

static int
answer_range(cdt_op *op, const cdt_choice *choice, const cdt_shape *shape)
{
    bool same = is_place_of(op, choice, shape->space) ||
                (choice->whole && op->box.is_map);
    uint32_t from;
    uint32_t count;

    if (!same || choice->inverted || choice->scattered) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    from = choice->run[0].from;
    count = choice->run[0].count;
    return answer_pair_of_ints(
        op, shape->reverse ? op->box.count - from - count : from, count);
}

/* ---- entries ---- */

static aero_span
part_of(const cdt_op *op, uint32_t at, cdt_form form)
{
    switch (form) {
    case CDT_KEYS:
        return cdt_key(&op->box, at);
    case CDT_VALUES:
        return cdt_value(&op->box, at);
    default:
        return cdt_entries(&op->box, at, at + 1);
    }
}

static void
put_parts(cdt_op *op, aero_buf *out, const cdt_choice *choice,
          const cdt_shape *shape)
{
    if (choice->listed != NULL && shape->flags != AERO_MAP_K_ORDERED) {
        for (uint32_t i = 0; i < choice->n_listed; i++) {
            aero_buf_put_span(out,
                              part_of(op, choice->listed[i], shape->form));
        }
        return;
    }
    for (uint32_t i = 0; i < op->box.count; i++) {
        if (choice->taken[i]) {
            aero_buf_put_span(out, part_of(op, i, shape->form));
        }
    }
}

static int
answer_nil(cdt_op *op)
{
    aero_made_clear(op->reply);
    op->reply->present = true;
    return AERO_ERR_OK;
}

static int
answer_parts(cdt_op *op, const cdt_choice *choice, const cdt_shape *shape)
{
    uint32_t n = choice->listed != NULL ? choice->n_listed : choice->n_taken;

    if (op->many) {
        put_parts(op, cdt_answer_list(op, n), choice, shape);
        return AERO_ERR_OK;
    }
    if (choice->n_taken == 0) {
        return answer_nil(op);
    }
    return cdt_answer_value(op,
                            part_of(op, single_of(op, choice), shape->form));
}

static int
answer_exists(cdt_op *op, const cdt_choice *choice)
{
    bool any = choice->n_taken != 0;

    if (choice->inverted && choice->exists_is_none) {
        any = count_of(choice) == 0;
    }
    return cdt_answer_bool(op, any);
}

/* ---- the answers ---- */

/* Lists have no keys. */
static bool
is_refused(const cdt_op *op, const cdt_shape *shape)
{
    return shape->form == CDT_REFUSED ||
           (!op->box.is_map &&
            (shape->form == CDT_KEYS || shape->form == CDT_PAIRS));
}

int
cdt_answer_choice(cdt_op *op, const cdt_choice *choice)
{
    const cdt_shape *shape = cdt_shape_of(op);

    if (is_refused(op, shape)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    switch (shape->form) {
    case CDT_PLACES:
        return answer_places(op, choice, shape);
    case CDT_RANGE:
        return answer_range(op, choice, shape);
    case CDT_COUNT:
        return cdt_answer_int(op, choice->n_taken);
    case CDT_EXISTS:
        return answer_exists(op, choice);
    case CDT_KEYS:
    case CDT_VALUES:
        return answer_parts(op, choice, shape);
    case CDT_PAIRS:
        put_parts(op, cdt_answer_map(op, shape->flags, choice->n_taken),
                  choice, shape);
        return AERO_ERR_OK;
    default:
        return AERO_ERR_OK;
    }
}

int
cdt_answer_nothing(cdt_op *op, int64_t at)
{
    const cdt_shape *shape = cdt_shape_of(op);

    if (is_refused(op, shape)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    switch (shape->form) {
    case CDT_RANGE:
        return answer_pair_of_ints(op, at, 0);
    case CDT_COUNT:
        return cdt_answer_int(op, 0);
    case CDT_EXISTS:
        return cdt_answer_bool(op, false);
    case CDT_PAIRS:
        cdt_answer_map(op, shape->flags, 0);
        return AERO_ERR_OK;
    case CDT_PLACES:
    case CDT_KEYS:
    case CDT_VALUES:
        break;
    default:
        return AERO_ERR_OK;
    }
    if (op->many) {
        cdt_answer_list(op, 0);
        return AERO_ERR_OK;
    }
    return shape->form == CDT_PLACES ? cdt_answer_int(op, -1) : answer_nil(op);
}

/* Choices by place: a run of indexes or of ranks; and what is done with any
 * choice in the end.
 *
 * Lists and maps differ in what they answer in rare corners, and so do those
 * with and without an order.  Clients see it, so it is kept.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_select.h"

/* ---- what every choice needs ---- */

int
cdt_take_runs(cdt_op *op, cdt_choice *c, const uint32_t *order)
{
    if (c->taken == NULL) {
        c->taken = aero_arena_array(op->arena, op->box.count, sizeof(bool));
        if (c->taken == NULL) {
            return AERO_ERR_SERVER;
        }
    }
    for (uint32_t i = 0; i < c->n_runs; i++) {
        for (uint32_t j = 0; j < c->run[i].count; j++) {
            uint32_t at = c->run[i].from + j;

            c->taken[order != NULL ? order[at] : at] = true;
        }
    }
    return AERO_ERR_OK;
}

/* An empty list counts as emptied: a sorted list around it puts it in its
 * place anew. */
static int
remove_taken(cdt_op *op, const cdt_choice *c)
{
    const cdt_box *box = &op->box;
    uint32_t kept = 0; /* entries from here on are not written yet */

    if (!op->modify || (c->n_taken == 0 && (box->is_map || box->count != 0))) {
        return AERO_ERR_OK;
    }
    cdt_begin(op, box->count - c->n_taken);
    for (uint32_t i = 0; i < box->count; i++) {
        if (c->taken[i]) {
            aero_buf_put_span(op->out, cdt_entries(box, kept, i));
            kept = i + 1;
        }
    }
    aero_buf_put_span(op->out, cdt_entries(box, kept, box->count));
    return AERO_ERR_OK;
}

int
cdt_finish(cdt_op *op, cdt_choice *c)
{
    int rc;

    c->n_taken = 0;
    for (uint32_t i = 0; i < op->box.count; i++) {
        c->taken[i] ^= c->inverted;
        c->n_taken += c->taken[i];
    }
    rc = cdt_answer_choice(op, c);
    return rc != AERO_ERR_OK ? rc : remove_taken(op, c);
}

/* A start and a count as clients say them, inside `n` entries. */
static cdt_run
clamp(int64_t from, uint64_t count, uint32_t n)
{
    cdt_run run = {0, 0};
    uint64_t end;

    if (from >= (int64_t)n) {
        run.from = n;
        return run;
    }
    if (from < 0) {
        from += n;
    }
    if (from < 0) {
        uint64_t missing = 0 - (uint64_t)from;

        count = count > missing ? count - missing : 0;
        from = 0;
    }
    run.from = (uint32_t)from;
    end = n - run.from;
    run.count = (uint32_t)(count < end ? count : end);
    return run;
}

/* A single place must exist. */
static bool
is_inside(int64_t at, uint32_t n)
{
    return at < (int64_t)n && at + (int64_t)n >= 0;
}

/* Where it is possible to say INVERTED of one run as another run. */
static void
turn_over(cdt_choice *c, cdt_run *run, uint32_t n)
{
    uint32_t end = run->from + run->count;

    if (!c->inverted) {
        return;
    }
    if (run->count == 0) {
        run->from = 0;
        run->count = n;
    }
    else if (run->from == 0) {
        run->from = end;
        run->count = n - end;
    }
    else if (end == n) {
        run->count = run->from;
        run->from = 0;
    }
    else {
        return;
    }
    c->inverted = false;
}

/* ---- places in the order of indexes ---- */

int
cdt_choose_index(cdt_op *op, int64_t from, uint64_t count, bool inverted)
{
    uint32_t n = op->box.count;
    cdt_choice c = {.space = CDT_INDEX, .n_runs = 1, .inverted = inverted};
    cdt_run run = clamp(from, count, n);
    int rc;

    c.run = &run;
    if ((!op->many && (!is_inside(from, n) || inverted)) ||
        (op->box.is_map && cdt_wants(op, CDT_RANGE, CDT_RANK)) ||
        (!op->box.is_map && inverted &&
         (cdt_wants(op, CDT_RANGE, CDT_INDEX) ||
          cdt_wants(op, CDT_RANGE, CDT_RANK)))) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    turn_over(&c, &run, n);
    if (run.count == 0) {
        return cdt_answer_nothing(op, run.from);
    }
    c.whole = run.count == n;
    c.exists_is_none = op->box.is_map && op->box.flags == 0;
    rc = cdt_take_runs(op, &c, NULL);
    return rc != AERO_ERR_OK ? rc : cdt_finish(op, &c);
}

/* ---- places in the order of ranks ---- */

static int
choose_rank_of_list(cdt_op *op, int64_t from, uint64_t count, bool inverted)
{
    uint32_t n = op->box.count;
    cdt_run run = clamp(from, count, n);
    cdt_choice c = {.space = CDT_RANK,
                    .inverted = inverted,
                    .exists_is_none = true,
                    .n_runs = 1,
                    .run = &run};
    uint32_t *ranked;

    if (!op->many && !is_inside(from, n)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (run.count == (inverted ? n : 0)) {
        return cdt_answer_nothing(op, run.from);
    }
    if (inverted && cdt_wants(op, CDT_RANGE, CDT_RANK)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    ranked = cdt_ranked(&op->box, run.from, run.count, op->arena);
    c.taken = aero_arena_array(op->arena, n, sizeof(bool));
    if (ranked == NULL || c.taken == NULL) {
        return AERO_ERR_SERVER;
    }
    for (uint32_t i = 0; i < run.count; i++) {
        c.taken[ranked[i]] = true;
    }
    if (!inverted) {
        c.listed = ranked;
        c.n_listed = run.count;
    }
    return cdt_finish(op, &c);
}

static int
choose_rank_of_map(cdt_op *op, int64_t from, uint64_t count, bool inverted)
{
    uint32_t n = op->box.count;
    cdt_run run = clamp(from, count, n);
    cdt_choice c = {.space = CDT_RANK,
                    .inverted = inverted,
                    .exists_is_none = true,
                    .n_runs = 1,
                    .run = &run};
    uint32_t *order;
    int rc;

    if ((!op->many && (!is_inside(from, n) || inverted)) ||
        cdt_wants(op, CDT_RANGE, CDT_INDEX)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    turn_over(&c, &run, n);
    if (run.count == 0) {
        return cdt_answer_nothing(op, run.from);
    }
    order = cdt_sorted(&op->box, cdt_by_value, op->arena);
    rc = order == NULL ? AERO_ERR_SERVER : cdt_take_runs(op, &c, order);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (!c.inverted) {
        c.listed = order + run.from;
        c.n_listed = run.count;
    }
    return cdt_finish(op, &c);
}

int
cdt_choose_rank(cdt_op *op, int64_t from, uint64_t count, bool inverted)
{
    if (op->box.is_map) {
        return choose_rank_of_map(op, from, count, inverted);
    }
    if (inverted && !op->many) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (cdt_is_sorted_list(&op->box)) {
        return cdt_choose_index(op, from, count, inverted);
    }
    return choose_rank_of_list(op, from, count, inverted);
}

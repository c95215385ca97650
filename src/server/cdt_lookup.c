/* Choices by value and by key: equal to one, inside an interval, or in a list
 * of them.
 *
 * In what is sorted by what is looked for, the place is found by binary
 * search; else every entry is compared.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_select.h"

/* ---- values and keys ---- */

/* In a sorted list. */
static cdt_run
run_of_values(const cdt_box *list, const cdt_interval *in, bool many)
{
    const cdt_search search = {list, false, NULL};
    cdt_run run = {0, 0};
    bool found;
    uint32_t end = list->count;

    run.from = cdt_find(&search, in->start, CDT_FIRST, &found);
    if (in->exact && found && many) {
        end = cdt_find(&search, in->start, CDT_LAST, &found);
    }
    else if (in->exact) {
        end = run.from + found;
    }
    else if (in->end.len != 0) {
        end = cdt_compare(in->start, in->end) < 0
                  ? cdt_find(&search, in->end, CDT_FIRST, &found)
                  : run.from;
    }
    run.count = end > run.from ? end - run.from : 0;
    return run;
}

/* In the keys of a map: no two are equal, but WILDCARD equals all, and then
 * it matters where the search meets one. */
static cdt_run
run_of_keys(const cdt_box *map, const cdt_interval *in)
{
    const cdt_search search = {map, true, NULL};
    cdt_run run = {0, 0};
    bool found;
    uint32_t end = map->count;

    run.from = cdt_find(&search, in->start,
                        map->flags != 0 ? CDT_ANY : CDT_FIRST, &found);
    if (in->exact) {
        end = run.from + found;
    }
    else if (in->end.len != 0) {
        end = cdt_find(&search, in->end, CDT_ANY, &found);
    }
    run.count = end > run.from ? end - run.from : 0;
    return run;
}

/* Compare all: `run` is in the order of ranks (`keys`: of indexes). */
static int
scan_interval(cdt_op *op, cdt_choice *c, const cdt_interval *in, bool keys,
              cdt_run *run)
{
    const cdt_box *box = &op->box;

    c->taken = aero_arena_array(op->arena, box->count, sizeof(bool));
    if (c->taken == NULL) {
        return AERO_ERR_SERVER;
    }
    for (uint32_t i = 0; i < box->count; i++) {
        aero_span value = keys ? cdt_key(box, i) : cdt_value(box, i);
        int order = cdt_compare(value, in->start);

        if (order < 0) {
            run->from++;
            continue;
        }
        c->taken[i] =
            in->exact ? order == 0 && (op->many || run->count == 0)
                      : in->end.len == 0 || cdt_compare(value, in->end) < 0;
        run->count += c->taken[i];
    }
    return AERO_ERR_OK;
}

static int
choose_values_of_list(cdt_op *op, const cdt_interval *in, bool inverted)
{
    cdt_run run = {0, 0};
    cdt_choice c = {.space = CDT_RANK,
                    .inverted = inverted,
                    .exists_is_none = true,
                    .n_runs = 1,
                    .run = &run};
    int rc;

    if (inverted && !op->many) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (cdt_is_sorted_list(&op->box)) {
        run = run_of_values(&op->box, in, op->many);
        if (run.count == 0 && !op->many) {
            return cdt_answer_nothing(op, 0);
        }
        return cdt_choose_index(op, run.from, run.count, inverted);
    }
    rc = scan_interval(op, &c, in, false, &run);
    return rc != AERO_ERR_OK ? rc : cdt_finish(op, &c);
}

/* All of a map, as a run. */
static int
choose_whole_map(cdt_op *op)
{
    cdt_run run = {0, op->box.count};
    cdt_choice c = {.whole = true, .n_runs = 1, .run = &run};
    int rc = cdt_take_runs(op, &c, NULL);

    return rc != AERO_ERR_OK ? rc : cdt_finish(op, &c);
}

static int
choose_values_of_map(cdt_op *op, const cdt_interval *in, bool inverted)
{
    cdt_run run = {0, 0};
    cdt_choice c = {.space = CDT_RANK,
                    .inverted = inverted,
                    .exists_is_none = true,
                    .n_runs = 1,
                    .run = &run};
    int rc;

    if (cdt_wants(op, CDT_RANGE, CDT_INDEX) || (inverted && !op->many)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (op->box.count == 0) {
        return cdt_answer_nothing(op, -1);
    }
    rc = scan_interval(op, &c, in, false, &run);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    if (run.count == 0) {
        return inverted ? choose_whole_map(op)
                        : cdt_answer_nothing(op, run.from);
    }
    return cdt_finish(op, &c);
}

int
cdt_choose_values(cdt_op *op, const cdt_interval *in, bool inverted)
{
    return op->box.is_map ? choose_values_of_map(op, in, inverted)
                          : choose_values_of_list(op, in, inverted);
}

int
cdt_choose_keys(cdt_op *op, const cdt_interval *in, bool inverted)
{
    cdt_run run = {0, 0};
    cdt_choice c = {.space = CDT_INDEX,
                    .inverted = inverted,
                    .exists_is_none = true,
                    .n_runs = 1,
                    .run = &run};
    int rc;

    if (cdt_wants(op, CDT_RANGE, CDT_RANK)) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (op->box.flags == 0 && inverted && !op->many) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (op->box.flags != 0 || !op->many) {
        run = run_of_keys(&op->box, in);
        if (run.count == 0 && !op->many) {
            return cdt_answer_nothing(op, -1);
        }
        return cdt_choose_index(op, run.from, run.count, inverted);
    }
    rc = scan_interval(op, &c, in, true, &run);
    return rc != AERO_ERR_OK ? rc : cdt_finish(op, &c);
}

/* ---- lists of values and keys ---- */

typedef struct items {
    cdt_box box; /* the argument; flags in front would count as an item */
    bool keys;
    cdt_run *run; /* of each item */
} items;

static int
open_items(cdt_op *op, items *it)
{
    aero_span in = op->arg[0].packed;
    aero_token head;

    if (!aero_token_take(&in, &head) || head.kind != AERO_TOKEN_LIST) {
        return AERO_ERR_REQUEST_INVALID;
    }
    it->box.count = head.count;
    it->box.body = in;
    it->run = aero_arena_array(op->arena, head.count, sizeof *it->run);
    return it->run == NULL ? AERO_ERR_SERVER : cdt_index(&it->box, op->arena);
}

/* Find each item in what is sorted. */
static void
find_items(const cdt_op *op, items *it, const uint32_t *order)
{
    const cdt_search search = {&op->box, it->keys, order};

    for (uint32_t i = 0; i < it->box.count; i++) {
        aero_span value = cdt_value(&it->box, i);
        cdt_run *run = &it->run[i];
        bool found;

        run->from = cdt_find(&search, value, CDT_FIRST, &found);
        if (found) {
            run->count =
                cdt_find(&search, value, CDT_LAST, &found) - run->from;
        }
    }
}

/* Find each entry among the items, sorted by `order`.  An entry counts for
 * the last of several equal items; who does not ask for places is content
 * with any. */
static int
find_in_items(cdt_op *op, items *it, cdt_choice *c, const uint32_t *order)
{
    const cdt_search search = {&it->box, false, order};
    bool places = cdt_wants(op, CDT_PLACES, it->keys ? CDT_INDEX : CDT_RANK);
    cdt_bias bias = places ? CDT_LAST : CDT_ANY;
    uint32_t smaller = 0;

    c->taken = aero_arena_array(op->arena, op->box.count, sizeof(bool));
    if (c->taken == NULL) {
        return AERO_ERR_SERVER;
    }
    for (uint32_t i = 0; i < op->box.count; i++) {
        aero_span value =
            it->keys ? cdt_key(&op->box, i) : cdt_value(&op->box, i);
        uint32_t place = cdt_find(&search, value, bias, &c->taken[i]);

        if (places && c->taken[i]) {
            it->run[order[place - 1]].count++;
        }
        if (places && place != it->box.count) {
            it->run[order[place]].from++;
        }
    }
    for (uint32_t i = 0; i < it->box.count; i++) {
        smaller += it->run[order[i]].from;
        it->run[order[i]].from = smaller;
    }
    return AERO_ERR_OK;
}

/* Runs in the order of the sorted items. */
static int
sort_runs(cdt_op *op, items *it, const uint32_t *order)
{
    cdt_run *run = aero_arena_array(op->arena, it->box.count, sizeof *run);

    if (run == NULL) {
        return AERO_ERR_SERVER;
    }
    for (uint32_t i = 0; i < it->box.count; i++) {
        run[i] = it->run[order[i]];
    }
    it->run = run;
    return AERO_ERR_OK;
}

/* The positions of all runs, one behind the other. */
static int
list_runs(cdt_op *op, const items *it, cdt_choice *c, const uint32_t *order)
{
    uint32_t *listed;
    uint64_t n = 0;

    for (uint32_t i = 0; i < it->box.count; i++) {
        n += it->run[i].count;
    }
    listed =
        n > UINT32_MAX ? NULL : aero_arena_array(op->arena, n, sizeof *listed);
    if (listed == NULL) {
        return AERO_ERR_SERVER;
    }
    c->listed = listed;
    c->n_listed = (uint32_t)n;
    for (uint32_t i = 0; i < it->box.count; i++) {
        for (uint32_t j = 0; j < it->run[i].count; j++) {
            uint32_t at = it->run[i].from + j;

            *listed++ = order != NULL ? order[at] : at;
        }
    }
    return AERO_ERR_OK;
}

/* Items are looked up in what is sorted by them. */
static int
choose_found_items(cdt_op *op, items *it, cdt_choice *c)
{
    bool by_rank = op->box.is_map && !it->keys;
    uint32_t *order = NULL;
    int rc;

    if (by_rank) {
        order = cdt_sorted(&op->box, cdt_by_value, op->arena);
        if (order == NULL) {
            return AERO_ERR_SERVER;
        }
    }
    find_items(op, it, order);
    c->in_item_order = true;
    c->run = it->run;
    rc = cdt_take_runs(op, c, order);
    if (rc == AERO_ERR_OK && !c->inverted &&
        (by_rank ? cdt_wants(op, CDT_PLACES, CDT_INDEX) : !op->box.is_map)) {
        rc = list_runs(op, it, c, order);
    }
    return rc != AERO_ERR_OK ? rc : cdt_finish(op, c);
}

static int
choose_compared_items(cdt_op *op, items *it, cdt_choice *c)
{
    uint32_t *order = cdt_sorted(&it->box, cdt_by_value, op->arena);
    int rc = order == NULL ? AERO_ERR_SERVER : find_in_items(op, it, c, order);

    if (rc == AERO_ERR_OK && c->inverted) {
        rc = sort_runs(op, it, order);
    }
    c->run = it->run;
    return rc != AERO_ERR_OK ? rc : cdt_finish(op, c);
}

/* A map of one entry is sorted by values; for larger ones nobody knows. */
static int
choose_items(cdt_op *op, items *it, bool inverted)
{
    uint8_t flags = op->box.flags;
    bool in_order =
        op->box.is_map && !it->keys ? op->box.count <= 1 : flags != 0;
    cdt_choice c = {.space = it->keys ? CDT_INDEX : CDT_RANK,
                    .inverted = inverted,
                    .scattered = true,
                    .n_runs = it->box.count};

    return in_order ? choose_found_items(op, it, &c)
                    : choose_compared_items(op, it, &c);
}

int
cdt_choose_listed(cdt_op *op, bool keys)
{
    items it = {.keys = keys};
    bool refused = cdt_wants(op, CDT_RANGE, CDT_INDEX) ||
                   cdt_wants(op, CDT_RANGE, CDT_RANK) ||
                   (keys && cdt_wants(op, CDT_PLACES, CDT_RANK));
    int rc;

    if (refused && !op->box.is_map) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    rc = open_items(op, &it);
    if (rc != AERO_ERR_OK || refused) {
        return rc != AERO_ERR_OK ? rc : AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (it.box.count != 0) {
        return choose_items(op, &it, cdt_is_inverted(op));
    }
    if (!cdt_is_inverted(op)) {
        rc = cdt_answer_nothing(op, 0);
        return op->box.is_map ? AERO_ERR_OK : rc;
    }
    return op->box.is_map ? choose_whole_map(op)
                          : cdt_choose_index(op, 0, op->box.count, false);
}

/* Operations that select entries, to get or to remove them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_select.h"

/* The count in argument `i`, which may be left out. */
static uint64_t
count_in(const cdt_op *op, uint32_t i)
{
    if (!op->many) {
        return 1;
    }
    return op->given > i ? (uint64_t)op->arg[i].number : UINT32_MAX;
}

int
cdt_select_index(cdt_op *op)
{
    return cdt_choose_index(op, op->arg[0].number, count_in(op, 1),
                            cdt_is_inverted(op));
}

int
cdt_select_rank(cdt_op *op)
{
    return cdt_choose_rank(op, op->arg[0].number, count_in(op, 1),
                           cdt_is_inverted(op));
}

static cdt_interval
exactly(const cdt_op *op)
{
    cdt_interval in = {.start = op->arg[0].packed, .exact = true};

    return in;
}

static cdt_interval
interval_in(const cdt_op *op)
{
    cdt_interval in = {.start = op->arg[0].packed};

    if (op->given > 1) {
        in.end = op->arg[1].packed;
    }
    return in;
}

int
cdt_select_value(cdt_op *op)
{
    const cdt_interval in = exactly(op);

    return cdt_choose_values(op, &in, cdt_is_inverted(op));
}

int
cdt_select_value_interval(cdt_op *op)
{
    const cdt_interval in = interval_in(op);

    return cdt_choose_values(op, &in, cdt_is_inverted(op));
}

int
cdt_select_key(cdt_op *op)
{
    const cdt_interval in = exactly(op);

    return cdt_choose_keys(op, &in, cdt_is_inverted(op));
}

int
cdt_select_key_interval(cdt_op *op)
{
    const cdt_interval in = interval_in(op);

    return cdt_choose_keys(op, &in, cdt_is_inverted(op));
}

int
cdt_select_value_list(cdt_op *op)
{
    return cdt_choose_listed(op, false);
}

int
cdt_select_key_list(cdt_op *op)
{
    return cdt_choose_listed(op, true);
}

/* How many entries are smaller than the first argument. */
static uint32_t
smaller_than_arg(const cdt_op *op, bool keys)
{
    const cdt_search search = {&op->box, keys, NULL};
    aero_span arg = op->arg[0].packed;
    uint32_t n = 0;
    bool found;

    if (keys && op->box.flags != 0) {
        return cdt_find(&search, arg, CDT_ANY, &found);
    }
    for (uint32_t i = 0; i < op->box.count; i++) {
        aero_span value = keys ? cdt_key(&op->box, i) : cdt_value(&op->box, i);

        n += cdt_compare(value, arg) < 0;
    }
    return n;
}

/* Places counted from the first argument: a start in front of the first entry
 * shortens the count. */
static int
select_relative(cdt_op *op, bool keys,
                int (*choose)(cdt_op *, int64_t, uint64_t, bool))
{
    uint64_t count = count_in(op, 2);
    int64_t from =
        (int64_t)((uint64_t)op->arg[1].number + smaller_than_arg(op, keys));

    if (from < 0) {
        uint64_t missing = 0 - (uint64_t)from;

        count = count > missing ? count - missing : 0;
        from = 0;
    }
    return choose(op, from, count, cdt_is_inverted(op));
}

int
cdt_select_value_relative(cdt_op *op)
{
    return select_relative(op, false, cdt_choose_rank);
}

int
cdt_select_key_relative(cdt_op *op)
{
    return select_relative(op, true, cdt_choose_index);
}

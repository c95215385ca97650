/* Selections: what an operation chose, and how it is answered.
 *
 * A choice is made in one of two spaces: indexes (positions; keys of a map)
 * or ranks (values).  In that space it is one run of places, or, for lists of
 * values and keys, one run per item.  `taken` says the same as positions.
 * INVERTED turns `taken` over; the runs stay what was asked for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CDT_SELECT_H
#define SERVER_CDT_SELECT_H

#include "cdt_internal.h"

typedef enum cdt_space {
    CDT_INDEX,
    CDT_RANK
} cdt_space;

typedef struct cdt_run {
    uint32_t from;
    uint32_t count;
} cdt_run;

typedef struct cdt_choice {
    cdt_space space;
    bool inverted;
    bool scattered;      /* several runs, one for each item asked for */
    bool in_item_order;  /* scattered: runs are shown as they are */
    bool exists_is_none; /* INVERTED EXISTS says whether nothing was chosen */
    bool whole;          /* all entries: numbers are 0, 1, 2 ... */
    uint32_t n_runs;
    const cdt_run *run; /* ascending when inverted */
    bool *taken;        /* by position, INVERTED done */
    uint32_t n_taken;
    const uint32_t *listed; /* positions in the order of the answer; NULL:
                               as they stand */
    uint32_t n_listed;
} cdt_choice;

/* From `start` to below `end`; without `end` to the top; `exact`: only what
 * equals `start`. */
typedef struct cdt_interval {
    aero_span start;
    aero_span end; /* len 0: none */
    bool exact;
} cdt_interval;

/* Choose, answer, and remove what was chosen if the operation modifies. */
int cdt_choose_index(cdt_op *op, int64_t from, uint64_t count, bool inverted);
int cdt_choose_rank(cdt_op *op, int64_t from, uint64_t count, bool inverted);
int cdt_choose_values(cdt_op *op, const cdt_interval *in, bool inverted);
int cdt_choose_keys(cdt_op *op, const cdt_interval *in, bool inverted);
/* By the list in the first argument. */
int cdt_choose_listed(cdt_op *op, bool keys);

/* Set `taken` from the runs; `order` (NULL: none) gives positions of ranks. */
int cdt_take_runs(cdt_op *op, cdt_choice *c, const uint32_t *order);
/* `taken` is set as asked for: turn it over if need be, answer, remove. */
int cdt_finish(cdt_op *op, cdt_choice *c);

/* Answer the choice by the operation's return type. */
int cdt_answer_choice(cdt_op *op, const cdt_choice *choice);

/* Answer that nothing was found at `at`.  Some return types are no answer
 * even then. */
int cdt_answer_nothing(cdt_op *op, int64_t at);

/* What a return type asks for. */
typedef enum cdt_form {
    CDT_REFUSED, /* no such return type */
    CDT_NONE,
    CDT_PLACES, /* indexes or ranks */
    CDT_RANGE,  /* [first place, count] */
    CDT_COUNT,
    CDT_EXISTS,
    CDT_KEYS,
    CDT_VALUES,
    CDT_PAIRS
} cdt_form;

typedef struct cdt_shape {
    cdt_form form;
    cdt_space space; /* of places and ranges */
    bool reverse;    /* places are counted from the end */
    uint8_t flags;   /* of pairs */
} cdt_shape;

const cdt_shape *cdt_shape_of(const cdt_op *op);

/* Whether places or a range in `space` are asked for. */
static inline bool
cdt_wants(const cdt_op *op, cdt_form form, cdt_space space)
{
    const cdt_shape *shape = cdt_shape_of(op);

    return shape->form == form && shape->space == space;
}

static inline bool
cdt_is_inverted(const cdt_op *op)
{
    return (op->returns & AERO_CDT_INVERTED) != 0;
}

#endif

/* What the files of the list and map engine share.
 *
 * A container stays packed; `cdt_box` is a look at one, with the offsets of
 * its entries once somebody needs them.  An operation (`cdt_op`) reads its box
 * and, if it changes anything, writes the new container into `out`; the
 * context puts that into its parents.  All scratch memory is one arena.
 *
 * Functions that return `int` return a result code.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CDT_INTERNAL_H
#define SERVER_CDT_INTERNAL_H

#include "aero/base/arena.h"
#include "aero/server/cdt.h"
#include "aero/wire/value.h"

/* ---- containers (cdt_box.c) ---- */

typedef struct cdt_box {
    bool is_map;
    uint8_t flags;
    uint32_t count;  /* entries: items, or pairs */
    aero_span body;  /* the entries, one behind the other */
    uint32_t *parts; /* offsets in the body: items, or keys and values in
                        turn, and the end; NULL before cdt_index */
} cdt_box;

/* The flags that are kept and shown. */
static inline uint8_t
cdt_flags_kept(bool is_map, uint8_t flags)
{
    return flags & (is_map ? AERO_MAP_K_ORDERED | AERO_MAP_V_ORDERED
                           : AERO_LIST_ORDERED);
}

/* A list whose index is its rank. */
static inline bool
cdt_is_sorted_list(const cdt_box *box)
{
    return !box->is_map && (box->flags & AERO_LIST_ORDERED) != 0;
}

/* Behind the head of a container: step over the flags, if it has any, and
 * lower the count.  False when the bytes are cut. */
bool cdt_take_flags(aero_span *in, bool is_map, uint32_t *count,
                    uint8_t *flags);
/* False when `packed` is no container, or cut. */
bool cdt_open(aero_span packed, cdt_box *box);
/* Find the parts; may be called again. */
int cdt_index(cdt_box *box, aero_arena *arena);

void cdt_put_head(aero_buf *out, bool is_map, uint8_t flags, uint32_t count);
void cdt_put_nils(aero_buf *out, uint32_t count);

/* The bytes from part `from` to part `to`. */
static inline aero_span
cdt_parts(const cdt_box *box, uint32_t from, uint32_t to)
{
    return aero_span_of(box->body.ptr + box->parts[from],
                        box->parts[to] - box->parts[from]);
}

/* Entries `from` to below `to`, and what is in one; indexed boxes only. */
static inline aero_span
cdt_entries(const cdt_box *box, uint32_t from, uint32_t to)
{
    unsigned step = box->is_map ? 2 : 1;

    return cdt_parts(box, from * step, to * step);
}

static inline aero_span
cdt_key(const cdt_box *box, uint32_t i)
{
    return cdt_parts(box, 2 * i, 2 * i + 1);
}

static inline aero_span
cdt_value(const cdt_box *box, uint32_t i)
{
    return box->is_map ? cdt_parts(box, 2 * i + 1, 2 * i + 2)
                       : cdt_parts(box, i, i + 1);
}

/* An integer of any size as its 64 bits. */
static inline bool
cdt_take_integer(aero_span *in, int64_t *number)
{
    aero_token token;

    if (!aero_token_take(in, &token)) {
        return false;
    }
    if (token.kind == AERO_TOKEN_UINT) {
        *number = (int64_t)token.big;
        return true;
    }
    *number = token.number;
    return token.kind == AERO_TOKEN_INT;
}

/* ---- order (cdt_order.c) ---- */

static inline int
cdt_compare(aero_span a, aero_span b)
{
    return aero_cdt_compare(&a, &b);
}

typedef int (*cdt_by)(const cdt_box *box, uint32_t a, uint32_t b);

int cdt_by_key(const cdt_box *box, uint32_t a, uint32_t b);
/* Maps: equal values by key. */
int cdt_by_value(const cdt_box *box, uint32_t a, uint32_t b);

/* All positions in order, equal ones as they stand; NULL: no memory. */
uint32_t *cdt_sorted(const cdt_box *box, cdt_by by, aero_arena *arena);
/* The positions of ranks `from` to below `from + count` of an unordered list,
 * in the order in which the server lists them.  NULL: no memory. */
uint32_t *cdt_ranked(const cdt_box *list, uint32_t from, uint32_t count,
                     aero_arena *arena);

/* The position of one rank (values only) of a list or map that is not
 * empty. */
int cdt_quick_select(const cdt_box *box, uint32_t rank, aero_arena *arena,
                     uint32_t *found);

/* Which of several equal entries a search ends at. */
typedef enum cdt_bias {
    CDT_FIRST, /* in front of them */
    CDT_LAST,  /* behind them */
    CDT_ANY    /* in front of the one it meets */
} cdt_bias;

typedef struct cdt_search {
    const cdt_box *box;
    bool keys;             /* of a map; else values */
    const uint32_t *order; /* NULL: as they stand */
} cdt_search;

/* Binary search; the place from 0 to count, and whether an equal is there. */
uint32_t cdt_find(const cdt_search *in, aero_span value, cdt_bias bias,
                  bool *found);

/* ---- one operation (cdt_op.c) ---- */

typedef struct cdt_arg {
    aero_span packed;
    int64_t number; /* of the integer letters */
} cdt_arg;

typedef struct cdt_op {
    aero_arena *arena;
    const aero_path_eval *eval;
    bool modify;
    bool bin_missing;
    bool special; /* the context forbids to store anything */
    bool is_new;  /* there is no container yet; the box is empty */
    bool changed;
    cdt_box box;
    uint32_t returns; /* aero_cdt_return and flags */
    bool many;        /* the selection answers a list */
    uint32_t given;   /* arguments, without the return type */
    cdt_arg arg[AERO_CDT_ARGS_MAX];
    size_t payload_len;
    aero_buf stored; /* arguments as they are stored; never moves */
    aero_made *reply;
    aero_buf *out;
} cdt_op;

/* The flags in an argument, which may be left out. */
unsigned cdt_flags_in(const cdt_op *op, uint32_t arg);

/* Open the new container; its entries are then put into `out`. */
void cdt_begin(cdt_op *op, uint32_t count);

int cdt_answer_int(cdt_op *op, int64_t value);
int cdt_answer_bool(cdt_op *op, bool value);
int cdt_answer_value(cdt_op *op, aero_span packed);
/* A list or map that is written to the buffer then. */
aero_buf *cdt_answer_list(cdt_op *op, uint32_t count);
aero_buf *cdt_answer_map(cdt_op *op, uint8_t flags, uint32_t count);

/* ---- stored values (cdt_value.c) ---- */

/* Take one value and add it to `out` as it is stored.  AERO_ERR_SERVER: no
 * memory; AERO_ERR_REQUEST_INVALID: may not be stored. */
int cdt_store(aero_span *in, aero_buf *out, aero_arena *arena);
/* The argument as it is stored; valid as long as the operation. */
int cdt_stored(cdt_op *op, aero_span packed, aero_span *out);
bool cdt_is_map_key(aero_span packed);
/* Whether INFINITE, WILDCARD or their like are in it. */
bool cdt_is_storable(aero_span packed);

/* ---- contexts (cdt_context.c) ---- */

typedef struct cdt_level {
    cdt_box box;
    uint32_t at;  /* the entry that is the next level */
    uint32_t pad; /* nils in front of an entry to be created */
} cdt_level;

typedef struct cdt_context {
    aero_arena *arena;
    cdt_level *levels; /* outermost first */
    uint32_t depth;
    aero_span leaf;   /* what the context leads to, unless created */
    bool special;     /* INFINITE or WILDCARD helped to find it */
    bool create;      /* the leaf is missing and may be created */
    uint8_t particle; /* of the whole bin */
    aero_span rest;   /* steps not found; with levels, the first of them is
                         the missing entry of the last level */
    uint32_t n_rest;
} cdt_context;

/* Follow the steps at the front of `in` and leave `in` behind them. */
int cdt_context_resolve(cdt_context *cx, aero_val bin, bool modify,
                        aero_span *in);
/* Put the changed leaf into its parents: the whole bin into `after`. */
int cdt_context_unwind(cdt_context *cx, aero_span leaf, aero_made *after);

/* ---- operations, in tables by code ---- */

/* What an operation does where there is no container yet. */
typedef enum cdt_if_missing {
    CDT_RUN,       /* it runs on an empty one, which is created */
    CDT_SKIP,      /* nothing, whatever the arguments */
    CDT_NOT_FOUND, /* it fails */
    CDT_NEEDS_BIN  /* it fails if the whole bin is missing */
} cdt_if_missing;

typedef struct cdt_handler {
    int (*run)(cdt_op *op);
    cdt_if_missing missing;
    bool indexed;     /* wants the box indexed */
    bool many;        /* answers a list */
    uint32_t returns; /* of operations without a return type argument */
} cdt_handler;

extern const cdt_handler cdt_handlers[AERO_CDT_CODES]; /* cdt_table.c */

/* cdt_list.c, cdt_append.c */
int cdt_list_set_type(cdt_op *op);
int cdt_list_append(cdt_op *op);
int cdt_list_append_items(cdt_op *op);
int cdt_list_insert(cdt_op *op);
int cdt_list_insert_items(cdt_op *op);
int cdt_list_set(cdt_op *op);
int cdt_list_increment(cdt_op *op);
int cdt_list_sort(cdt_op *op);
/* cdt_map.c */
int cdt_map_set_type(cdt_op *op);
int cdt_map_add(cdt_op *op);
int cdt_map_add_items(cdt_op *op);
int cdt_map_put(cdt_op *op);
int cdt_map_put_items(cdt_op *op);
int cdt_map_replace(cdt_op *op);
int cdt_map_replace_items(cdt_op *op);
int cdt_map_increment(cdt_op *op);
int cdt_map_decrement(cdt_op *op);
/* cdt_select.c, of both */
int cdt_select_index(cdt_op *op);
int cdt_select_rank(cdt_op *op);
int cdt_select_value(cdt_op *op);
int cdt_select_value_interval(cdt_op *op);
int cdt_select_value_list(cdt_op *op);
int cdt_select_value_relative(cdt_op *op);
int cdt_select_key(cdt_op *op);
int cdt_select_key_interval(cdt_op *op);
int cdt_select_key_list(cdt_op *op);
int cdt_select_key_relative(cdt_op *op);

/* ---- paths (cdt_path.c) ---- */

int cdt_path_run(aero_val bin, bool modify, aero_span in, uint32_t n_args,
                 const aero_path_eval *eval, aero_arena *arena,
                 aero_made *reply, aero_made *after);

#endif

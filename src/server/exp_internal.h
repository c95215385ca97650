/* What the files of the expression engine share.
 *
 * An expression is an array of nodes in prefix order: a node's arguments
 * stand behind it, and `next` is the first node behind all of them.
 *
 *   [AND, [GE, [BIN INT "i"], 18], true]
 *
 *   0 AND next 5 | 1 GE next 4 | 2 BIN next 3 | 3 LITERAL next 4 | 4 LITERAL
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_EXP_INTERNAL_H
#define SERVER_EXP_INTERNAL_H

#include <regex.h>

#include "aero/base/arena.h"
#include "aero/server/exp.h"
#include "aero/server/geo.h"
#include "aero/wire/value.h"

/* ---- types ---- */

/* Types of nodes besides those of the wire (aero_exp_type). */
enum {
    TYPE_REMOVE = 11,
    TYPE_OTHER = 12, /* ext items: only good for comparing */
    TYPE_SAME = 13   /* in a row: that of its arguments */
};

/* Codes of nodes besides those of the wire (aero_exp_code). */
enum {
    NODE_LITERAL = AERO_EXP_CODES,
    NODE_CODES
};

/* Kinds of values: particle types, GEOJSON as its text, and these. */
enum {
    KIND_OTHER = 253,
    KIND_REMOVE = 254,
    KIND_UNKNOWN = 255
};

typedef struct exp_value {
    uint8_t kind;
    union {
        bool truth;
        int64_t number;
        double real;
        aero_span bytes; /* lists, maps and OTHER are packed */
    };
    const aero_geo *geo; /* of a literal */
} exp_value;

/* ---- nodes ---- */

typedef struct exp_call {
    aero_span op;    /* the packed operation */
    size_t head;     /* bytes in front of its arguments */
    uint32_t args;   /* how many it has */
    uint32_t inside; /* how many of them are expressions */
    uint32_t system;
    unsigned depth; /* of the expressions around it */
} exp_call;

typedef struct exp_node {
    uint8_t code;
    uint8_t type;
    uint8_t wants; /* type that is asked for: BIN, KEY, LOOPVAR, CALL */
    uint32_t next;
    union {
        int64_t number; /* a modulus, or which variable */
        aero_span name;
        regex_t *regex;
        exp_call *call;
        exp_value *value;
    };
} exp_node;

typedef struct exp_regex {
    regex_t regex;
    struct exp_regex *next;
} exp_regex;

struct aero_exp {
    aero_arena arena; /* owned */
    aero_buf nodes;   /* owned: exp_node */
    exp_regex *regexes;
    uint32_t vars; /* how many variables are alive at most */
};

static inline const exp_node *
exp_node_at(const aero_exp *exp, uint32_t at)
{
    return (const exp_node *)(const void *)exp->nodes.ptr + at;
}

/* ---- building (exp_build.c, exp_literal.c) ---- */

/* What was built: its type, and whether it is the code UNKNOWN itself. */
typedef struct exp_built {
    uint8_t type;
    bool unknown;
} exp_built;

typedef struct exp_builder {
    aero_exp *exp;
    aero_span in;   /* what is still to be read */
    unsigned depth; /* arrays around it */
    aero_buf vars;  /* owned: exp_var, those in scope */
} exp_builder;

/* Build with `depth` expressions around it; without `copy` the bytes must
 * outlive the expression. */
int exp_build_at(aero_span packed, unsigned depth, bool copy, aero_exp **out);

/* One value of any kind. */
int exp_build_value(exp_builder *b, exp_built *built);
/* One that is no expression array. */
int exp_build_literal(exp_builder *b, exp_built *built);
/* The letters that are no expressions. */
int exp_build_static(exp_builder *b, char letter, uint32_t at);

/* Add a node; *at is its place.  A result code. */
int exp_add(exp_builder *b, uint8_t code, uint8_t type, uint32_t *at);

static inline exp_node *
exp_built_node(exp_builder *b, uint32_t at)
{
    return (exp_node *)(void *)b->exp->nodes.ptr + at;
}

/* ---- evaluating ---- */

typedef struct exp_run {
    const aero_exp *exp;
    const aero_exp_record *record; /* NULL inside a path */
    const aero_path_vars *loop;    /* inside a path */
    exp_value *vars;
    aero_arena arena; /* what values point to */
    bool failed;      /* no memory */
} exp_run;

typedef exp_value (*exp_eval_fn)(exp_run *run, uint32_t at);

exp_value exp_eval_at(exp_run *run, uint32_t at);
/* Evaluate the whole: the value lives as long as the run. */
exp_value exp_eval(exp_run *run);
void exp_run_init(exp_run *run, const aero_exp *exp);
void exp_run_fini(exp_run *run);

static inline const exp_node *
exp_run_node(const exp_run *run, uint32_t at)
{
    return exp_node_at(run->exp, at);
}

/* What a particle holds, and what a packed item holds. */
exp_value exp_of_val(aero_val val);
exp_value exp_of_packed(aero_span packed);
/* Add a value to `out` as a packed item.  False for "unknown" and such. */
bool exp_pack(const exp_value *value, aero_buf *out);
/* A value as a bin or an answer would hold it.  False: it cannot. */
bool exp_make(exp_run *run, const exp_value *value, aero_made *out);
/* Keep bytes as long as the run. */
aero_span exp_keep(exp_run *run, aero_span bytes);

static inline exp_value
exp_unknown(void)
{
    exp_value value = {.kind = KIND_UNKNOWN};

    return value;
}

static inline exp_value
exp_of_bool(bool truth)
{
    exp_value value = {.kind = AERO_PARTICLE_BOOL, .truth = truth};

    return value;
}

static inline exp_value
exp_of_int(int64_t number)
{
    exp_value value = {.kind = AERO_PARTICLE_INTEGER, .number = number};

    return value;
}

static inline exp_value
exp_of_real(double real)
{
    exp_value value = {.kind = AERO_PARTICLE_FLOAT, .real = real};

    return value;
}

static inline exp_value
exp_of_bytes(uint8_t kind, aero_span bytes)
{
    exp_value value = {.kind = kind, .bytes = bytes};

    return value;
}

static inline bool
exp_is_unknown(const exp_value *value)
{
    return value->kind == KIND_UNKNOWN;
}

static inline bool
exp_is_true(const exp_value *value)
{
    return value->kind == AERO_PARTICLE_BOOL && value->truth;
}

/* The particle type of a type of the wire. */
uint8_t exp_particle(uint8_t type);

/* exp_compare.c, exp_math.c, exp_call.c: those of the table in exp_eval.c
 * that do not stand there. */
exp_value exp_eval_compare(exp_run *run, uint32_t at);
exp_value exp_eval_geo(exp_run *run, uint32_t at);
exp_value exp_eval_regex(exp_run *run, uint32_t at);
exp_value exp_eval_in_list(exp_run *run, uint32_t at);
exp_value exp_eval_fold(exp_run *run, uint32_t at);
exp_value exp_eval_div(exp_run *run, uint32_t at);
exp_value exp_eval_mod(exp_run *run, uint32_t at);
exp_value exp_eval_one(exp_run *run, uint32_t at);
exp_value exp_eval_map_side(exp_run *run, uint32_t at);
exp_value exp_eval_call(exp_run *run, uint32_t at);

#endif

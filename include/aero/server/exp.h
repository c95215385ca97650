/* Expressions: built once from their packed form, evaluated on records.
 *
 * Building checks everything that can be checked without a record: codes,
 * numbers and types of arguments, names, patterns, shapes; an expression
 * nested deeper than AERO_EXP_DEPTH_MAX is refused.  Evaluating gives a value
 * or "unknown", which spreads as the protocol says; scalars take no memory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_EXP_H
#define AERO_SERVER_EXP_H

#include "aero/server/cdt.h"
#include "aero/server/value.h"
#include "aero/wire/exp.h"

/* A record as expressions see it; all borrowed. */
typedef struct aero_exp_record {
    /* A bin's value, or particle NIL. */
    aero_val (*bin)(void *ctx, aero_span name);
    void *ctx;
    const uint8_t *digest; /* 20 bytes */
    aero_span set;         /* empty: no set */
    aero_val key;          /* particle NIL: not stored */
    uint64_t last_update;  /* Unix nanoseconds */
    uint64_t now;          /* the same */
    uint32_t void_time;    /* seconds since 2010; 0: never */
    uint64_t size;         /* bytes it takes in memory */
    bool tombstone;
} aero_exp_record;

typedef struct aero_exp aero_exp;

/* Gives the expression; it keeps a copy of the bytes.  Result codes: 4 when
 * they are no expression, 1 without memory. */
int aero_exp_build(aero_span packed, aero_exp **out);

/* The same for a filter, which must be boolean. */
int aero_exp_build_filter(aero_span packed, aero_exp **out);

void aero_exp_free(aero_exp *exp); /* NULL is fine */

/* The particle type of what it gives; NIL for nil and for "remove". */
uint8_t aero_exp_particle(const aero_exp *exp);

/* Whether it looks at the record, and at nothing of it but its bins and its
 * digest: what an index may be about. */
bool aero_exp_is_of_bins(const aero_exp *exp);

/* Evaluate.  `*unknown` or the value in `out`, nil with particle NIL.  0, or
 * 1 without memory.  May be called from several threads at once. */
int aero_exp_eval(const aero_exp *exp, const aero_exp_record *record,
                  aero_made *out, bool *unknown);

/* Whether a filter lets the record pass: not when unknown. */
bool aero_exp_matches(const aero_exp *exp, const aero_exp_record *record);

/* The operations EXP_READ and EXP_MODIFY: [expression, flags].  The second
 * changes a bin that has the value `bin`. */
int aero_exp_read(aero_span payload, const aero_exp_record *record,
                  aero_made *reply);
int aero_exp_modify(aero_span payload, const aero_exp_record *record,
                    aero_val bin, aero_made *after);

/* Who evaluates the expressions inside the paths of list and map operations:
 * they see what the path looks at, but no record.  `aero_exp_paths_init` sets
 * `eval` for aero_cdt_apply_path. */
typedef struct aero_exp_paths {
    aero_path_eval eval;
    struct aero_exp_path *first; /* owned: what was built so far */
    unsigned depth;              /* of expressions around the operation */
} aero_exp_paths;

void aero_exp_paths_init(aero_exp_paths *paths, unsigned depth);
void aero_exp_paths_fini(aero_exp_paths *paths);

#endif

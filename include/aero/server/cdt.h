/* Lists and maps of the server: operations on packed bytes.
 *
 * Pure functions: no store, no lock, no clock.  They return a result code of
 * the protocol (AERO_ERR_OK is 0) and survive any payload; on an error what
 * is in their outputs does not count.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_CDT_H
#define AERO_SERVER_CDT_H

#include "aero/server/value.h"
#include "aero/wire/cdt.h"

/* What an expression inside a path sees of the child it is asked about. */
typedef struct aero_path_vars {
    bool has_key;    /* the child of a map */
    bool has_index;  /* the child of a list */
    aero_span key;   /* packed */
    aero_span value; /* packed */
    int64_t index;
} aero_path_vars;

/* Who evaluates the expressions inside a path.
 *
 * `eval` answers a result code (4 when `packed_exp` is no expression) and
 * sets `*unknown`, or writes the value into `*result`: not present means
 * "remove this child".  A filter that answers anything but true lets nothing
 * pass; "unknown" is an error unless the path's flags forgive it.
 *
 * `check`, which may be NULL, only builds: a result code.  It is asked before
 * any data is looked at. */
typedef struct aero_path_eval {
    int (*eval)(void *ctx, aero_span packed_exp, const aero_path_vars *vars,
                aero_made *result, bool *unknown);
    void *ctx; /* borrowed */
    int (*check)(void *ctx, aero_span packed_exp);
} aero_path_eval;

/* Run the operation of a CDT_READ or CDT_MODIFY message on a bin's value
 * (particle NIL: the bin is missing).
 *
 * `reply->present` says whether the operation answers; an answer of nil is
 * present with particle NIL.  `after->present` says whether the bin changes:
 * then `after` is its whole new value.  If it is not present, the bin stays
 * as it is.  Neither output may hold the bytes of `bin` or `payload`. */
int aero_cdt_apply(aero_val bin, bool modify, aero_span payload,
                   aero_made *reply, aero_made *after);

/* The same with an evaluator for the expressions of paths; without one (NULL)
 * they answer 4. */
int aero_cdt_apply_path(aero_val bin, bool modify, aero_span payload,
                        const aero_path_eval *eval, aero_made *reply,
                        aero_made *after);

/* The list or map `bytes`, as a client writes a whole bin, in the form in
 * which it is kept: minimal integers, maps sorted by key, only those flags
 * that are shown.  Result code 1 for what may not be stored: unsorted
 * although flagged as sorted, equal keys, keys of a wrong type, INFINITE or
 * WILDCARD, deeper than AERO_NEST_MAX, cut or followed by more bytes. */
int aero_cdt_normalize(uint8_t particle, aero_span bytes, aero_made *out);

/* The order of values: negative, 0, positive.  Both spans begin with one
 * whole packed value; they are left behind it only if the answer is 0 and no
 * WILDCARD was met.  Never recurses.
 *
 * nil < false < true < integers < strings < lists < maps < blobs < doubles
 * < geo < other ext items < INFINITE; WILDCARD equals whatever it meets and
 * ends the comparison.  A NaN equals every double. */
int aero_cdt_compare(aero_span *a, aero_span *b);

/* A packed value as a particle (a string without its inner type byte), and a
 * particle as a packed value, added to `out`.  False for what has no such
 * form (ext items); no memory shows in the buffer's `failed`. */
bool aero_cdt_unpack(aero_span packed, aero_made *out);
bool aero_cdt_pack(aero_val val, aero_buf *out);

#endif

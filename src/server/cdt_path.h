/* What the files of path operations share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CDT_PATH_H
#define SERVER_CDT_PATH_H

#include "cdt_internal.h"

typedef enum path_truth {
    PATH_FALSE,
    PATH_TRUE,
    PATH_UNKNOWN
} path_truth;

typedef struct path_step {
    unsigned type; /* aero_cdt_step */
    int64_t index;
    aero_span value;
    aero_span filter; /* len 0: true */
    bool has_and;
    aero_span and_filter;
    cdt_box keys; /* of KEY_LIST, opened at the first map */
    uint32_t *key_order;
} path_step;

typedef struct path_walk {
    const aero_path_eval *eval; /* may be NULL */
    aero_arena *arena;
    path_step *step;
    uint32_t n_steps;
    unsigned mode; /* aero_path_flags */
    bool no_fail;
    aero_span apply; /* the expression of APPLY */
    aero_made result;
    aero_buf *out;
    uint32_t found; /* items of a flat answer */
    bool changed;
    bool lost; /* see loses_place */
} path_walk;

/* Read [steps, flags] or [steps, flags, expression]. */
int path_take_request(path_walk *w, aero_span in, uint32_t n_args,
                      bool modify);
int path_walk_level(path_walk *w, uint32_t level, aero_span packed);

#endif

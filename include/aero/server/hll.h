/* HyperLogLog operations (tables/hll.def).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_HLL_H
#define AERO_SERVER_HLL_H

#include "aero/server/value.h"

/* Apply the operation in `payload` to `bin`.  Reads answer in `reply`, and
 * nothing at all when there is no bin; modifies leave the new value in
 * `after`, and ADD and REFRESH_COUNT answer a number.  Returns a result
 * code. */
int aero_hll_apply(aero_val bin, bool modify, aero_span payload,
                   aero_made *reply, aero_made *after);

/* A value written as a whole must be well formed: 0, or 4. */
int aero_hll_check(aero_span bytes);

#endif

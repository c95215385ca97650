/* Bit operations on blobs (tables/bit.def).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_BITS_H
#define AERO_SERVER_BITS_H

#include "aero/server/value.h"

/* Apply the operation in `payload` to `bin`.  Reads answer in `reply`, and
 * nothing at all when there is no bin; modifies leave the new blob in `after`
 * and answer nothing.  Returns a result code.  The caller has checked that
 * the operation came with the particle type of a blob (else 12). */
int aero_bits_apply(aero_val bin, bool modify, aero_span payload,
                    aero_made *reply, aero_made *after);

#endif

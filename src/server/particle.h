/* Values of whole bins as they come from the wire, and the three operations
 * that change a value in place: increment, append, prepend.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_PARTICLE_H
#define SRV_PARTICLE_H

#include "aero/base/arena.h"
#include "aero/server/value.h"
#include "aero/wire/msg.h"

/* Check `wire` and bring it into the form in which it is kept; `out` borrows
 * from `wire` or `arena`.  Returns a result code. */
int srv_particle_take(uint8_t particle, aero_span wire, aero_arena *arena,
                      aero_val *out);

/* What an operation has made, moved to the arena; no memory: code 1. */
int srv_particle_keep(const aero_made *made, aero_arena *arena, aero_val *out);

/* Change `old` by an operation; a bin that does not exist is made. */
int srv_particle_incr(aero_val old, const aero_op *op, aero_arena *arena,
                      aero_val *out);
int srv_particle_append(aero_val old, const aero_op *op, aero_arena *arena,
                        aero_val *out);
int srv_particle_prepend(aero_val old, const aero_op *op, aero_arena *arena,
                         aero_val *out);

#endif

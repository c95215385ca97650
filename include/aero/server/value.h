/* What the server's operations work on: one value of one bin, as its particle
 * type and bytes, and what an operation answers or leaves behind.
 *
 * Lists and maps are kept as normalised msgpack: minimal integers, maps sorted
 * by key, the flags header in front where there are flags; that is what a
 * client reads back.  GeoJSON is kept as its particle: flags, no cells, text.
 *
 * The functions declared in cdt.h, bits.h, hll.h and exp.h are pure: bytes in,
 * bytes out, no store, no lock, no clock.  They return a result code of the
 * protocol (AERO_ERR_OK is 0), never crash on any payload, and on an error
 * leave nothing that counts in their outputs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_VALUE_H
#define AERO_SERVER_VALUE_H

#include "aero/base/buf.h"
#include "aero/wire/codes.h"

/* A borrowed value; particle NIL: the bin does not exist. */
typedef struct aero_val {
    uint8_t particle;
    aero_span bytes;
} aero_val;

/* A value made by an operation. */
typedef struct aero_made {
    bool present; /* false: no answer, or the bin stays as it is */
    uint8_t
        particle;   /* NIL with present: an answer of nil, or delete the bin */
    aero_buf bytes; /* owned; reused from operation to operation */
} aero_made;

static inline aero_val
aero_val_of(uint8_t particle, aero_span bytes)
{
    aero_val val = {particle, bytes};

    return val;
}

static inline void
aero_made_init(aero_made *made)
{
    memset(made, 0, sizeof *made);
}

static inline void
aero_made_fini(aero_made *made)
{
    aero_buf_fini(&made->bytes);
    made->present = false;
}

/* Ready for the next operation. */
static inline void
aero_made_clear(aero_made *made)
{
    made->present = false;
    made->particle = AERO_PARTICLE_NIL;
    made->bytes.len = 0;
    made->bytes.failed = false;
}

static inline aero_val
aero_made_val(const aero_made *made)
{
    return aero_val_of(made->particle, aero_buf_span(&made->bytes));
}

#endif

/* How an operation puts its answer.  Private to the server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_MADE_H
#define AERO_SERVER_MADE_H

#include "aero/server/value.h"

/* Nothing was decided yet: the caller goes on.  No result code is negative
 * on the server. */
enum {
    GO_ON = -1
};

/* What was made has this particle; its bytes are put afterwards. */
static inline aero_buf *
made_as(aero_made *made, uint8_t particle)
{
    aero_made_clear(made);
    made->present = true;
    made->particle = particle;
    return &made->bytes;
}

/* The result code for what was made: memory may have run out. */
static inline int
made_rc(aero_made *made)
{
    if (made->bytes.failed) {
        made->present = false;
        return AERO_ERR_SERVER;
    }
    return AERO_ERR_OK;
}

static inline int
made_int(aero_made *made, int64_t value)
{
    aero_buf_put_u64(made_as(made, AERO_PARTICLE_INTEGER), (uint64_t)value);
    return made_rc(made);
}

static inline int
made_real(aero_made *made, double value)
{
    aero_buf_put_f64(made_as(made, AERO_PARTICLE_FLOAT), value);
    return made_rc(made);
}

static inline int
made_bool(aero_made *made, bool value)
{
    aero_buf_put_u8(made_as(made, AERO_PARTICLE_BOOL), value);
    return made_rc(made);
}

static inline int
made_bytes(aero_made *made, uint8_t particle, aero_span bytes)
{
    aero_buf_put_span(made_as(made, particle), bytes);
    return made_rc(made);
}

#endif

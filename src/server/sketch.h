/* The sketch behind a HyperLogLog value.
 *
 *   0       flags, 0
 *   1       p: index bits, 4 to 16
 *   2       q: minhash bits, 0 or 4 to 51
 *   3..10   count that is remembered, little-endian; 0: none
 *   11..    2^p registers of 6+q bits, most significant bit first
 *
 * A register holds rho << q | minhash: the rarest hash seen there.
 * Knows nothing of operations.  Private to the server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_SKETCH_H
#define AERO_SERVER_SKETCH_H

#include "aero/base/buf.h"

enum {
    SKETCH_HEAD = 11,
    SKETCH_P_MIN = 4,
    SKETCH_P_MAX = 16,
    SKETCH_Q_MIN = 4,
    SKETCH_Q_MAX = 51
};

typedef struct sketch {
    uint8_t p;
    uint8_t q;
    const uint8_t *bytes; /* borrowed: the whole value */
    size_t len;
} sketch;

bool sketch_p_ok(int64_t p);
bool sketch_q_ok(int64_t q);

/* View the bytes of a value; false when they are none. */
bool sketch_take(aero_span bytes, sketch *out);

/* Put an empty one at the start of `buf` and view it: the view stays valid
 * as long as the buffer does not move.  False when there is no memory. */
bool sketch_put(aero_buf *buf, uint8_t p, uint8_t q, sketch *out);

/* Add what an element's bytes hash to; true if that changed a register.
 * `s` views memory of ours, as do those changed below. */
bool sketch_add(sketch *s, aero_span element);
bool sketch_may_contain(const sketch *s, aero_span element);

/* Raise the registers of `into` to those of `from`, which has no fewer. */
void sketch_join(sketch *into, const sketch *from);

/* The remembered count, or the estimate. */
uint64_t sketch_count(const sketch *s);
void sketch_remember(sketch *s, uint64_t count);

/* p and q of what several can be joined to. */
void sketch_common(const sketch *sets, size_t count, uint8_t *p, uint8_t *q);

/* Count all of several, or what is in all of them.  `work` is scratch.
 * False when there is no memory. */
bool sketch_union_count(const sketch *sets, size_t count, aero_buf *work,
                        uint64_t *out);
bool sketch_intersect_count(const sketch *sets, size_t count, aero_buf *work,
                            uint64_t *out);
bool sketch_similarity(const sketch *sets, size_t count, aero_buf *work,
                       double *out);

#endif

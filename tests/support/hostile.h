/* Bytes as no honest peer sends them: cut anywhere, and changed.  Each form
 * lies in a block of exactly its size, so that the address sanitizer notices
 * a read behind its end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include <stdlib.h>

#include "test.h"

typedef void (*hostile_read)(void *ctx, aero_span bytes);

static inline void
hostile_exact(aero_span bytes, hostile_read read, void *ctx)
{
    uint8_t *copy = malloc(bytes.len != 0 ? bytes.len : 1);

    if (copy == NULL) {
        abort();
    }
    if (bytes.len != 0) {
        memcpy(copy, bytes.ptr, bytes.len);
    }
    read(ctx, aero_span_of(copy, bytes.len));
    free(copy);
}

/* Every beginning of it, all of it included. */
static inline void
hostile_cut(aero_span bytes, hostile_read read, void *ctx)
{
    for (size_t len = 0; len <= bytes.len; len++) {
        hostile_exact(aero_span_of(bytes.ptr, len), read, ctx);
    }
}

/* One to four changes; gives the new length, which is not above the old. */
static inline size_t
hostile_change(uint8_t *bytes, size_t len, uint64_t *seed)
{
    unsigned changes = 1 + test_random(seed) % 4;

    while (changes-- != 0 && len != 0) {
        size_t at = test_random(seed) % len;

        switch (test_random(seed) % 5) {
        case 0:
            bytes[at] = (uint8_t)test_random(seed);
            break;
        case 1:
            bytes[at] ^= (uint8_t)(1U << test_random(seed) % 8);
            break;
        case 2:
            bytes[at] = test_random(seed) % 2 == 0 ? 0xff : 0x7f;
            break;
        case 3:
            len = at + 1;
            break;
        default: /* a run of bytes from elsewhere */
            memmove(bytes + at, bytes + test_random(seed) % (at + 1),
                    len - at);
        }
    }
    return len;
}

/* `times` changed forms of it. */
static inline void
hostile_mutate(aero_span bytes, unsigned times, hostile_read read, void *ctx)
{
    uint64_t seed = bytes.len;
    uint8_t *copy = malloc(bytes.len != 0 ? bytes.len : 1);

    if (copy == NULL) {
        abort();
    }
    while (times-- != 0 && bytes.len != 0) {
        size_t len;

        memcpy(copy, bytes.ptr, bytes.len);
        len = hostile_change(copy, bytes.len, &seed);
        hostile_exact(aero_span_of(copy, len), read, ctx);
    }
    free(copy);
}

#endif

/* Rows for operations on a bin, and what every operation must survive.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_TESTS_OP_CHECK_H
#define AERO_TESTS_OP_CHECK_H

#include <stdlib.h>

#include "aero/server/value.h"
#include "test.h"

typedef int (*op_apply)(aero_val bin, bool modify, aero_span payload,
                        aero_made *reply, aero_made *after);

/* One operation; the hex texts may be NULL: no bin, no answer, no change. */
typedef struct op_row {
    const char *payload;
    const char *before;
    int rc;
    const char *reply; /* "particle:bytes", as "1:0000000000000005" */
    const char *after; /* bytes alone; the particle stays */
} op_row;

static inline aero_val
op_value(uint8_t particle, const char *hex)
{
    if (hex == NULL) {
        return aero_val_of(AERO_PARTICLE_NIL, aero_span_of("", 0));
    }
    return aero_val_of(particle, test_hex(hex));
}

static inline void
op_check_made(int row, const char *what, const aero_made *made,
              const char *want)
{
    char name[64];
    long particle = 0;
    char *bytes = NULL;

    snprintf(name, sizeof name, "row %d, %s", row, what);
    if (want == NULL) {
        if (made->present) {
            test_failed(__FILE__, __LINE__, "%s: unexpected", name);
        }
        return;
    }
    particle = strtol(want, &bytes, 10);
    if (!made->present || made->particle != particle) {
        test_failed(__FILE__, __LINE__, "%s: particle %d", name,
                    made->present ? made->particle : -1);
        return;
    }
    test_check_hex(__FILE__, __LINE__, name, aero_buf_span(&made->bytes),
                   bytes + 1);
}

static inline void
op_check_rows(op_apply apply, uint8_t particle, bool modify,
              const op_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        aero_made reply = {0};
        aero_made after = {0};
        char want[4096];
        int rc = apply(op_value(particle, rows[i].before), modify,
                       test_hex(rows[i].payload), &reply, &after);

        if (rc != rows[i].rc) {
            test_failed(__FILE__, __LINE__, "row %d: rc %d, not %d", (int)i,
                        rc, rows[i].rc);
        }
        else if (rc == 0) {
            op_check_made((int)i, "reply", &reply, rows[i].reply);
            if (rows[i].after != NULL) {
                snprintf(want, sizeof want, "%d:%s", particle, rows[i].after);
            }
            op_check_made((int)i, "after", &after,
                          rows[i].after == NULL ? NULL : want);
        }
        aero_made_fini(&reply);
        aero_made_fini(&after);
    }
}

#define OP_ROWS(apply, particle, modify, ...)                                 \
    do {                                                                      \
        const op_row rows_[] = {__VA_ARGS__};                                 \
        op_check_rows(apply, particle, modify, rows_,                         \
                      sizeof rows_ / sizeof rows_[0]);                        \
    } while (0)

/* Apply to bytes that end where they end, for the sanitizers' sake. */
static inline void
op_survive(op_apply apply, aero_val bin, bool modify, const uint8_t *bytes,
           size_t len)
{
    aero_made reply = {0};
    aero_made after = {0};
    uint8_t *copy = malloc(len + (len == 0));

    memcpy(copy, bytes, len);
    apply(bin, modify, aero_span_of(copy, len), &reply, &after);
    free(copy);
    aero_made_fini(&reply);
    aero_made_fini(&after);
}

/* Change up to four bytes, or the length. */
static inline size_t
op_mutate(uint8_t *bytes, size_t len, uint64_t *seed)
{
    for (uint64_t n = test_random(seed) % 4 + 1; len != 0 && n != 0; n--) {
        uint64_t r = test_random(seed);

        bytes[r % len] = r >> 32 & 1 ? (uint8_t)(r >> 40)
                                     : bytes[r % len] ^ 1u << (r >> 40) % 8;
    }
    return len != 0 && test_random(seed) % 16 == 0 ? test_random(seed) % len
                                                   : len;
}

/* Every payload cut at every byte, then `times` random changes of them. */
static inline void
op_survive_all(op_apply apply, aero_val bin, const char *const *payloads,
               size_t count, long times)
{
    uint8_t work[4096];
    uint64_t seed = 1;

    for (size_t i = 0; i < count; i++) {
        aero_span payload = test_hex(payloads[i]);

        for (size_t len = 0; len <= payload.len; len++) {
            op_survive(apply, bin, true, payload.ptr, len);
            op_survive(apply, bin, false, payload.ptr, len);
        }
        for (long n = 0; n < times / (long)count; n++) {
            size_t len = payload.len;

            memcpy(work, payload.ptr, len);
            len = op_mutate(work, len, &seed);
            op_survive(apply, bin, n % 2 != 0, work, len);
        }
    }
}

/* With the n-th request for memory failing, the answer is 1 or as ever. */
static inline void
op_check_memory(op_apply apply, aero_val bin, bool modify, const char *payload,
                int rc)
{
    aero_span bytes = test_hex(payload);

    WITH_EACH_ALLOC_FAILING({
        aero_made reply = {0};
        aero_made after = {0};
        int got = apply(bin, modify, bytes, &reply, &after);

        CHECK(got == rc || (test_alloc_failed() && got == AERO_ERR_SERVER));
        aero_made_fini(&reply);
        aero_made_fini(&after);
    });
}

#endif

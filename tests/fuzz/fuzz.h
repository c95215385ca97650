/* A fuzz target is a function of bytes: whatever they are, it must return.
 * MUST says what has to hold then.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_TESTS_FUZZ_H
#define AERO_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "aero/base/alloc.h"
#include "aero/base/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                            \
    do {                                                                      \
        if (!(cond)) {                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);        \
            abort();                                                          \
        }                                                                     \
    } while (0)

/* A head may claim 128 MiB, and to get them is slow here. */
#define FUZZ_WITH_LITTLE_MEMORY                                               \
    static void *resize_a_little(void *ptr, size_t size)                      \
    {                                                                         \
        return size > (size_t)1 << 20 ? NULL : realloc(ptr, size);            \
    }                                                                         \
    static const aero_allocator little = {resize_a_little, free};             \
    __attribute__((constructor)) static void use_little_memory(void)          \
    {                                                                         \
        aero_alloc_use(&little);                                              \
    }                                                                         \
    struct fuzz_with_little_memory

/* The first bytes steer the target; 0 when there are none left. */
static inline uint8_t
fuzz_byte(aero_span *in)
{
    uint8_t byte = 0;

    if (in->len != 0) {
        byte = in->ptr[0];
        *in = aero_span_skip(*in, 1);
    }
    return byte;
}

/* A length byte, then so many bytes. */
static inline aero_span
fuzz_span(aero_span *in)
{
    size_t len = fuzz_byte(in);
    aero_span out;

    if (len > in->len) {
        len = in->len;
    }
    out = aero_span_of(in->ptr, len);
    *in = aero_span_skip(*in, len);
    return out;
}

/* Touch each byte, so that a span that leaves its buffer is noticed. */
static inline void
fuzz_touch(aero_span span)
{
    static volatile uint8_t sum;

    for (size_t i = 0; i < span.len; i++) {
        sum = (uint8_t)(sum + span.ptr[i]);
    }
}

#endif

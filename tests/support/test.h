/* A C test is a function with a sentence for a name:
 *
 *     TEST(reply_decodes_the_same_wherever_it_is_cut)
 *     {
 *         CHECK(1 + 1 == 2);
 *     }
 *
 * Tests register themselves; the program's main (test.c) runs all of them, or
 * those whose name contains its argument, each with the allocator counted: a
 * test that leaks fails.  CHECK goes on, REQUIRE leaves the test.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_TESTS_TEST_H
#define AERO_TESTS_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "aero/base/span.h"

typedef struct test_case {
    const char *file;
    const char *name;
    void (*run)(void);
    struct test_case *next;
} test_case;

void test_register(test_case *test);
void test_failed(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define TEST(name)                                                            \
    static void name(void);                                                   \
    static test_case name##_case = {__FILE__, #name, name, NULL};             \
    __attribute__((constructor)) static void name##_register(void)            \
    {                                                                         \
        test_register(&name##_case);                                          \
    }                                                                         \
    static void name(void)

#define CHECK(cond)                                                           \
    do {                                                                      \
        if (!(cond)) {                                                        \
            test_failed(__FILE__, __LINE__, "%s", #cond);                     \
        }                                                                     \
    } while (0)

#define REQUIRE(cond)                                                         \
    do {                                                                      \
        if (!(cond)) {                                                        \
            test_failed(__FILE__, __LINE__, "%s", #cond);                     \
            return;                                                           \
        }                                                                     \
    } while (0)

#define CHECK_INT(got, want)                                                  \
    do {                                                                      \
        int64_t got_ = (int64_t)(got);                                        \
        int64_t want_ = (int64_t)(want);                                      \
        if (got_ != want_) {                                                  \
            test_failed(__FILE__, __LINE__,                                   \
                        "%s is %" PRId64 ", not %" PRId64, #got, got_,        \
                        want_);                                               \
        }                                                                     \
    } while (0)

#define CHECK_BYTES(got, want)                                                \
    test_check_bytes(__FILE__, __LINE__, #got, got, want)

#define CHECK_HEX(got, want)                                                  \
    test_check_hex(__FILE__, __LINE__, #got, got, want)

void test_check_bytes(const char *file, int line, const char *what,
                      aero_span got, aero_span want);
void test_check_hex(const char *file, int line, const char *what,
                    aero_span got, const char *want);

/* Bytes of a hex text, spaces allowed; valid until the test ends. */
aero_span test_hex(const char *text);

/* A whole file below the folder of the tests; valid until the test ends. */
aero_span test_file(const char *path);

/* A small reproducible generator. */
uint64_t test_random(uint64_t *state);

/* ---- failing allocations ---- */

/* From now on the n-th allocation (from 0) and all later ones fail; -1 never.
 */
void test_fail_alloc(long n);
/* The same, but only allocations of the thread that calls this count and
 * fail. */
void test_fail_alloc_here(long n);
/* Whether one has failed since. */
bool test_alloc_failed(void);

/* How many blocks were asked for, made larger ones included, since the
 * program began. */
long test_alloc_count(void);

/* Run `body` with the first allocation failing, then the second ..., until it
 * needs no more; it must survive each. */
#define WITH_EACH_ALLOC_FAILING(...)                                          \
    WITH_EACH_ALLOC_FAILING_BY(test_fail_alloc, __VA_ARGS__)
/* The same for allocations of this thread alone. */
#define WITH_EACH_ALLOC_FAILING_HERE(...)                                     \
    WITH_EACH_ALLOC_FAILING_BY(test_fail_alloc_here, __VA_ARGS__)
#define WITH_EACH_ALLOC_FAILING_BY(fail_from, ...)                            \
    do {                                                                      \
        for (long n_ = 0; n_ < 100000; n_++) {                                \
            fail_from(n_);                                                    \
            __VA_ARGS__;                                                      \
            if (!test_alloc_failed()) {                                       \
                break;                                                        \
            }                                                                 \
        }                                                                     \
        test_fail_alloc(-1);                                                  \
    } while (0)

#endif

/* Runs the registered tests of one program.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "aero/base/alloc.h"
#include "test.h"

enum {
    SCRATCH_MAX = 4096
};

static test_case *first_test;
static int failures_here;
static atomic_long blocks_alive;
static atomic_long allocs_made;
static atomic_long allocs_left = -1;
static atomic_bool alloc_has_failed;
static atomic_bool one_thread_only;
static _Thread_local bool is_that_thread;
static void *scratch[SCRATCH_MAX];
static int scratch_used;

void
test_register(test_case *test)
{
    test->next = first_test;
    first_test = test;
}

void
test_failed(const char *file, int line, const char *fmt, ...)
{
    va_list args;

    failures_here++;
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

static void *
keep(size_t size)
{
    void *ptr = malloc(size != 0 ? size : 1);

    if (ptr == NULL || scratch_used == SCRATCH_MAX) {
        abort();
    }
    scratch[scratch_used++] = ptr;
    return ptr;
}

static void *
counted_resize(void *ptr, size_t size)
{
    void *out;
    long left = atomic_load(&one_thread_only) && !is_that_thread
                    ? -1
                    : atomic_load(&allocs_left);

    if (left == 0) {
        atomic_store(&alloc_has_failed, true);
        return NULL;
    }
    if (left > 0) {
        atomic_fetch_sub(&allocs_left, 1);
    }
    atomic_fetch_add(&allocs_made, 1);
    out = realloc(ptr, size);
    if (ptr == NULL && out != NULL) {
        atomic_fetch_add(&blocks_alive, 1);
    }
    return out;
}

static void
counted_release(void *ptr)
{
    if (ptr != NULL) {
        atomic_fetch_sub(&blocks_alive, 1);
    }
    free(ptr);
}

static const aero_allocator counted = {counted_resize, counted_release};

void
test_fail_alloc_here(long n)
{
    is_that_thread = true;
    test_fail_alloc(-1);
    atomic_store(&one_thread_only, true);
    atomic_store(&allocs_left, n);
}

void
test_fail_alloc(long n)
{
    atomic_store(&alloc_has_failed, false);
    atomic_store(&one_thread_only, false);
    atomic_store(&allocs_left, n);
}

bool
test_alloc_failed(void)
{
    return atomic_load(&alloc_has_failed);
}

long
test_alloc_count(void)
{
    return atomic_load(&allocs_made);
}

static void
put_hex(FILE *to, aero_span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        fprintf(to, "%02x", bytes.ptr[i]);
    }
}

void
test_check_bytes(const char *file, int line, const char *what, aero_span got,
                 aero_span want)
{
    if (aero_span_equal(got, want)) {
        return;
    }
    test_failed(file, line, "%s differs", what);
    fputs("    got  ", stderr);
    put_hex(stderr, got);
    fputs("\n    want ", stderr);
    put_hex(stderr, want);
    fputc('\n', stderr);
}

void
test_check_hex(const char *file, int line, const char *what, aero_span got,
               const char *want)
{
    test_check_bytes(file, line, what, got, test_hex(want));
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

aero_span
test_hex(const char *text)
{
    uint8_t *out = keep(strlen(text) / 2 + 1);
    size_t len = 0;
    int high = -1;

    for (; *text != '\0'; text++) {
        int digit = hex_digit(*text);

        if (digit < 0) {
            continue;
        }
        if (high < 0) {
            high = digit;
        }
        else {
            out[len++] = (uint8_t)(high << 4 | digit);
            high = -1;
        }
    }
    return aero_span_of(out, len);
}

aero_span
test_file(const char *path)
{
    char full[1024];
    FILE *f;
    long size;
    uint8_t *bytes;

    snprintf(full, sizeof full, "%s/%s", TESTS_DIR, path);
    f = fopen(full, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0) {
        fprintf(stderr, "cannot read %s\n", full);
        exit(2);
    }
    rewind(f);
    bytes = keep((size_t)size);
    if (fread(bytes, 1, (size_t)size, f) != (size_t)size) {
        fprintf(stderr, "cannot read %s\n", full);
        exit(2);
    }
    fclose(f);
    return aero_span_of(bytes, (size_t)size);
}

uint64_t
test_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* A thread that resolves a name may still be at it. */
static long
blocks_left(long before)
{
    for (int i = 0; i < 500 && atomic_load(&blocks_alive) != before; i++) {
        usleep(10000);
    }
    return atomic_load(&blocks_alive) - before;
}

static bool
run_one(const test_case *test)
{
    long before = atomic_load(&blocks_alive);

    failures_here = 0;
    test_fail_alloc(-1);
    test->run();
    test_fail_alloc(-1);
    if (blocks_left(before) != 0) {
        test_failed(test->file, 0, "%s leaks %ld blocks", test->name,
                    atomic_load(&blocks_alive) - before);
    }
    while (scratch_used != 0) {
        free(scratch[--scratch_used]);
    }
    if (failures_here != 0) {
        fprintf(stderr, "FAILED %s\n", test->name);
    }
    return failures_here == 0;
}

/* Constructors ran in an order that is nobody's; say them as written. */
static test_case *
reversed(test_case *test)
{
    test_case *out = NULL;

    while (test != NULL) {
        test_case *next = test->next;

        test->next = out;
        out = test;
        test = next;
    }
    return out;
}

int
main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    int run = 0;
    int failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    aero_alloc_use(&counted);
    for (test_case *t = reversed(first_test); t != NULL; t = t->next) {
        if (strstr(t->name, only) == NULL) {
            continue;
        }
        run++;
        failed += !run_one(t);
    }
    printf("%s: %d tests, %d failed\n", argv[0], run, failed);
    if (run == 0) {
        fprintf(stderr, "no test matches '%s'\n", only);
        return 2;
    }
    return failed != 0;
}

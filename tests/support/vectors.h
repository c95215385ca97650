/* Golden vectors, as tools/vectors.py writes them: what a real server
 * answered to an operation, and what it left behind.
 *
 *     id kind op particle payload where before rc reply after marks
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "aero/base/arena.h"

/* `there` is false for "-": no value, no bin. */
typedef struct vector_value {
    bool there;
    uint8_t particle;
    aero_span bytes;
} vector_value;

typedef struct vector {
    const char *id; /* NUL-terminated, like all texts here */
    const char *kind;
    int op; /* 0: none */
    int particle;
    aero_span payload;
    const char *where;
    vector_value before;
    int rc; /* -1: none */
    vector_value reply;
    bool unchanged; /* after is before */
    vector_value after;
    bool is_volatile;
    bool is_later;
    bool is_long; /* after is not known */
} vector;

typedef struct vectors {
    aero_arena arena;
    vector *at; /* in the arena */
    size_t count;
} vectors;

/* Read a file below the folder of the tests; `fini` gives it back. */
void vectors_init(vectors *v, const char *path);
/* A group of the golden vectors. */
void vectors_init_group(vectors *v, const char *group);
void vectors_fini(vectors *v);

#endif

/* All memory of the core comes through one table, so that a test can make
 * the n-th request fail and count what was not given back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_BASE_ALLOC_H
#define AERO_BASE_ALLOC_H

#include <stddef.h>

typedef struct aero_allocator {
    void *(*resize)(void *ptr, size_t size); /* like realloc; size is not 0 */
    void (*release)(void *ptr);              /* NULL is fine */
} aero_allocator;

/* Replace the table; NULL means the C library's.  Only tests call this, with
 * no memory of the core alive and no other thread running. */
void aero_alloc_use(const aero_allocator *table);

void *
aero_alloc(size_t size); /* gives; not cleared; NULL when there is none */
void *aero_zalloc(size_t size); /* gives; cleared */
/* Takes `ptr` on success only, as realloc does. */
void *aero_resize(void *ptr, size_t size);
/* `count * size` with the overflow checked; not cleared. */
void *aero_alloc_array(size_t count, size_t size);
/* Gives a NUL-terminated copy. */
char *aero_strndup(const void *text, size_t len);
void aero_free(void *ptr); /* NULL is fine */

#endif

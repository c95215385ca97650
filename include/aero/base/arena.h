/* Memory that is given back all at once: what one command needs besides its
 * buffers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_BASE_ARENA_H
#define AERO_BASE_ARENA_H

#include "aero/base/span.h"

/* The largest single request; anything above is a mistake. */
#define AERO_ARENA_MAX ((size_t)1 << 30)

typedef struct aero_arena {
    struct aero_arena_block *first; /* owned */
} aero_arena;

static inline void
aero_arena_init(aero_arena *arena)
{
    arena->first = NULL;
}

/* Gives memory aligned for any type, valid until reset or fini; not cleared.
 * NULL when there is none. */
void *aero_arena_alloc(aero_arena *arena, size_t size);
/* `count * size`, checked, cleared. */
void *aero_arena_array(aero_arena *arena, size_t count, size_t size);
/* A copy of the bytes; ptr is NULL when there is no memory. */
aero_span aero_arena_copy(aero_arena *arena, aero_span span);

/* Forget all; one small block is kept for the next command. */
void aero_arena_reset(aero_arena *arena);
void aero_arena_fini(aero_arena *arena);

#endif

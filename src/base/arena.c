/* The arena: a chain of blocks, newest first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>

#include "aero/base/alloc.h"
#include "aero/base/arena.h"

enum {
    BLOCK_SIZE = 4096
};

struct aero_arena_block {
    struct aero_arena_block *next; /* owned */
    size_t used;
    size_t cap;
    alignas(max_align_t) uint8_t bytes[];
};

static void *
take_from(struct aero_arena_block *block, size_t size)
{
    void *ptr;

    if (block == NULL || block->cap - block->used < size) {
        return NULL;
    }
    ptr = block->bytes + block->used;
    block->used += size;
    return ptr;
}

void *
aero_arena_alloc(aero_arena *arena, size_t size)
{
    const size_t step = alignof(max_align_t);
    struct aero_arena_block *block;
    size_t cap;
    void *ptr;

    if (size > AERO_ARENA_MAX) {
        return NULL;
    }
    size = size == 0 ? step : (size + step - 1) / step * step;
    ptr = take_from(arena->first, size);
    if (ptr != NULL) {
        return ptr;
    }
    cap = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    block = aero_alloc(sizeof *block + cap);
    if (block == NULL) {
        return NULL;
    }
    block->next = arena->first;
    block->used = 0;
    block->cap = cap;
    arena->first = block;
    return take_from(block, size);
}

void *
aero_arena_array(aero_arena *arena, size_t count, size_t size)
{
    void *ptr;

    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    ptr = aero_arena_alloc(arena, count * size);
    if (ptr != NULL) {
        memset(ptr, 0, count * size);
    }
    return ptr;
}

aero_span
aero_arena_copy(aero_arena *arena, aero_span span)
{
    uint8_t *ptr = aero_arena_alloc(arena, span.len);

    if (ptr == NULL) {
        return aero_span_of(NULL, 0);
    }
    if (span.len != 0) {
        memcpy(ptr, span.ptr, span.len);
    }
    return aero_span_of(ptr, span.len);
}

void
aero_arena_reset(aero_arena *arena)
{
    struct aero_arena_block *keep = NULL;

    while (arena->first != NULL) {
        struct aero_arena_block *block = arena->first;

        arena->first = block->next;
        if (keep == NULL && block->cap == BLOCK_SIZE) {
            keep = block;
        }
        else {
            aero_free(block);
        }
    }
    if (keep != NULL) {
        keep->next = NULL;
        keep->used = 0;
        arena->first = keep;
    }
}

void
aero_arena_fini(aero_arena *arena)
{
    aero_arena_reset(arena);
    aero_free(arena->first);
    arena->first = NULL;
}

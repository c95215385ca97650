/* The allocator's table.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aero/base/alloc.h"

static const aero_allocator c_library = {realloc, free};

/* The only variable of the core outside a struct: tests set it before any
 * thread exists. */
static const aero_allocator *current = &c_library;

void
aero_alloc_use(const aero_allocator *table)
{
    current = table != NULL ? table : &c_library;
}

void *
aero_alloc(size_t size)
{
    return current->resize(NULL, size != 0 ? size : 1);
}

void *
aero_zalloc(size_t size)
{
    void *ptr = aero_alloc(size);

    if (ptr != NULL) {
        memset(ptr, 0, size);
    }
    return ptr;
}

void *
aero_resize(void *ptr, size_t size)
{
    return current->resize(ptr, size != 0 ? size : 1);
}

void *
aero_alloc_array(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return aero_alloc(count * size);
}

char *
aero_strndup(const void *text, size_t len)
{
    char *copy = aero_alloc(len + 1);

    if (copy != NULL) {
        if (len != 0) {
            memcpy(copy, text, len);
        }
        copy[len] = '\0';
    }
    return copy;
}

void
aero_free(void *ptr)
{
    if (ptr != NULL) {
        current->release(ptr);
    }
}

/* The heap of deadlines.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "deadlines.h"

static void
put(deadlines *d, size_t at, deadline entry)
{
    d->heap[at] = entry;
    entry.slot->heap_at = at;
}

static void
sift_up(deadlines *d, size_t at, deadline entry)
{
    while (at > 1 && d->heap[at / 2].by > entry.by) {
        put(d, at, d->heap[at / 2]);
        at /= 2;
    }
    put(d, at, entry);
}

static void
sift_down(deadlines *d, size_t at, deadline entry)
{
    for (;;) {
        size_t child = 2 * at;

        if (child > d->count) {
            break;
        }
        if (child < d->count && d->heap[child + 1].by < d->heap[child].by) {
            child++;
        }
        if (entry.by <= d->heap[child].by) {
            break;
        }
        put(d, at, d->heap[child]);
        at = child;
    }
    put(d, at, entry);
}

static bool
make_room(deadlines *d)
{
    size_t cap = d->cap == 0 ? 64 : d->cap * 2;
    deadline *more;

    if (d->count + 1 < d->cap) {
        return true;
    }
    more = aero_resize(d->heap, cap * sizeof *more);
    if (more == NULL) {
        return false;
    }
    d->heap = more;
    d->cap = cap;
    return true;
}

bool
deadlines_set(deadlines *d, aero_slot *slot)
{
    deadline entry = {slot->job->by, slot};

    if (slot->heap_at == 0) {
        if (!make_room(d)) {
            return false;
        }
        d->count++;
        sift_up(d, d->count, entry);
        return true;
    }
    if (d->heap[slot->heap_at].by == entry.by) {
        return true;
    }
    if (d->heap[slot->heap_at].by > entry.by) {
        sift_up(d, slot->heap_at, entry);
    }
    else {
        sift_down(d, slot->heap_at, entry);
    }
    return true;
}

void
deadlines_drop(deadlines *d, aero_slot *slot)
{
    size_t at = slot->heap_at;
    deadline last;

    if (at == 0) {
        return;
    }
    slot->heap_at = 0;
    last = d->heap[d->count--];
    if (at > d->count) {
        return;
    }
    if (at > 1 && d->heap[at / 2].by > last.by) {
        sift_up(d, at, last);
    }
    else {
        sift_down(d, at, last);
    }
}

aero_slot *
deadlines_first(const deadlines *d)
{
    return d->count == 0 ? NULL : d->heap[1].slot;
}

void
deadlines_fini(deadlines *d)
{
    aero_free(d->heap);
    d->heap = NULL;
    d->count = 0;
    d->cap = 0;
}

/* Sorting and searching positions of entries.
 *
 * Clients see which of several equal entries is chosen: equal doubles of
 * different size, or lists with different flags, are equal without being the
 * same bytes, and the index of one of two equal items is visible anyway.
 * Hence no library sort here: the steps of each algorithm are part of the
 * answer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_internal.h"

int
cdt_by_key(const cdt_box *box, uint32_t a, uint32_t b)
{
    return cdt_compare(cdt_key(box, a), cdt_key(box, b));
}

int
cdt_by_value(const cdt_box *box, uint32_t a, uint32_t b)
{
    int order = cdt_compare(cdt_value(box, a), cdt_value(box, b));

    return order == 0 && box->is_map ? cdt_by_key(box, a, b) : order;
}

/* ---- all positions: merge sort ---- */

typedef struct merge {
    const cdt_box *box;
    cdt_by by;
    uint32_t *spare;
} merge;

/* Halves of n / 2 and the rest; equal entries stay as they stand. */
static void
merge_sort(const merge *m, uint32_t *at, uint32_t n)
{
    uint32_t half = n / 2;
    uint32_t i = 0;
    uint32_t j = half;
    uint32_t done = 0;

    if (n <= 1) {
        return;
    }
    merge_sort(m, at, half);
    merge_sort(m, at + half, n - half);
    while (i < half && j < n) {
        m->spare[done++] =
            m->by(m->box, at[i], at[j]) <= 0 ? at[i++] : at[j++];
    }
    /* what is left of the right half stands where it belongs */
    memmove(at + done, at + i, (half - i) * sizeof *at);
    memcpy(at, m->spare, done * sizeof *at);
}

static uint32_t *
positions(const cdt_box *box, aero_arena *arena)
{
    uint32_t *at =
        aero_arena_alloc(arena, ((size_t)box->count + 1) * sizeof *at);

    if (at != NULL) {
        for (uint32_t i = 0; i < box->count; i++) {
            at[i] = i;
        }
    }
    return at;
}

uint32_t *
cdt_sorted(const cdt_box *box, cdt_by by, aero_arena *arena)
{
    uint32_t *at = positions(box, arena);
    merge m = {box, by, positions(box, arena)};

    if (at == NULL || m.spare == NULL) {
        return NULL;
    }
    merge_sort(&m, at, box->count);
    return at;
}

/* ---- some ranks: a heap ---- */

typedef struct heap {
    const cdt_box *box;
    uint32_t *at;
    uint32_t filled;
    int top; /* the sign of the comparison that puts an entry to the top */
} heap;

static bool
is_above(const heap *h, uint32_t a, uint32_t b)
{
    int order = cdt_by_value(h->box, h->at[a], h->at[b]);

    return h->top < 0 ? order < 0 : order > 0;
}

static void
swap(uint32_t *a, uint32_t *b)
{
    uint32_t kept = *a;

    *a = *b;
    *b = kept;
}

static void
sink(heap *h, uint32_t i)
{
    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child >= h->filled) {
            return;
        }
        if (child + 1 < h->filled && is_above(h, child + 1, child)) {
            child++;
        }
        if (!is_above(h, child, i)) {
            return;
        }
        swap(&h->at[i], &h->at[child]);
        i = child;
    }
}

uint32_t *
cdt_ranked(const cdt_box *list, uint32_t from, uint32_t count,
           aero_arena *arena)
{
    uint32_t above = list->count - from - count;
    bool from_below = from <= above; /* the nearer end */
    heap h = {list, positions(list, arena), list->count, from_below ? -1 : 1};
    uint32_t needed = count + (from_below ? from : above);

    if (h.at == NULL) {
        return NULL;
    }
    for (uint32_t i = h.filled / 2; i-- > 0;) {
        sink(&h, i);
    }
    for (uint32_t i = 0; i < needed; i++) {
        uint32_t top = h.at[0];

        h.filled--;
        h.at[0] = h.at[h.filled];
        sink(&h, 0);
        h.at[h.filled] = top;
    }
    return h.at + h.filled;
}

/* ---- one rank: quick select ---- */

static int
compare_values(const cdt_box *box, uint32_t a, uint32_t b)
{
    return cdt_compare(cdt_value(box, a), cdt_value(box, b));
}

/* Part at[low .. high] by the entry in the middle, and say where it is. */
static uint32_t
part(const cdt_box *box, uint32_t *at, uint32_t low, uint32_t high)
{
    uint32_t middle = at[low + (high - low) / 2];
    uint32_t i = low + 1;
    uint32_t j = high;

    swap(&at[low], &at[low + (high - low) / 2]);
    for (;;) {
        while (i < j && compare_values(box, at[i], middle) < 0) {
            i++;
        }
        while (i <= j && j != low && compare_values(box, middle, at[j]) < 0) {
            j--;
        }
        if (i >= j) {
            break;
        }
        swap(&at[i++], &at[j--]);
    }
    swap(&at[low], &at[j]);
    return j;
}

int
cdt_quick_select(const cdt_box *box, uint32_t rank, aero_arena *arena,
                 uint32_t *found)
{
    uint32_t *at = positions(box, arena);
    uint32_t low = 0;
    uint32_t high = box->count - 1;

    if (at == NULL) {
        return AERO_ERR_SERVER;
    }
    while (low < high) {
        uint32_t middle = part(box, at, low, high);

        if (middle == rank) {
            low = high = middle;
        }
        else if (middle < rank) {
            low = middle + 1;
        }
        else {
            high = middle - 1;
        }
    }
    *found = at[low];
    return AERO_ERR_OK;
}

/* ---- a place in what is sorted: binary search ---- */

static int
compare_at(const cdt_search *in, aero_span value, uint32_t i)
{
    uint32_t at = in->order != NULL ? in->order[i] : i;

    return cdt_compare(value, in->keys ? cdt_key(in->box, at)
                                       : cdt_value(in->box, at));
}

uint32_t
cdt_find(const cdt_search *in, aero_span value, cdt_bias bias, bool *found)
{
    uint32_t low = 0;
    uint32_t high = in->box->count;
    uint32_t at = high / 2;

    *found = false;
    while (low < high) {
        int order = compare_at(in, value, at);

        if (order == 0) {
            *found = true;
            if (bias == CDT_ANY) {
                return at;
            }
            order = bias == CDT_FIRST ? -1 : 1;
        }
        if (order < 0) {
            high = at;
            at = (at + low) / 2;
        }
        else {
            low = at + 1;
            at = (at + high) / 2;
        }
    }
    return low;
}

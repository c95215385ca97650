/* The ordered set.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "ordered.h"

enum {
    LEAF_MAX = 64,
    LEAF_FIRST = 4 /* entries a leaf has room for in the beginning */
};

int
srv_entry_compare(const srv_entry *a, const srv_entry *b)
{
    if (a->bval != b->bval) {
        return a->bval < b->bval ? -1 : 1;
    }
    return memcmp(a->digest, b->digest, AERO_DIGEST_SIZE);
}

void
srv_ordered_fini(srv_ordered *set)
{
    for (uint32_t i = 0; i < set->n_leaves; i++) {
        aero_free(set->leaves[i].at);
    }
    aero_free(set->leaves);
    memset(set, 0, sizeof *set);
}

/* ---- finding ---- */

/* The first leaf whose last entry is not below `entry`; or the number of
 * leaves. */
static uint32_t
find_leaf(const srv_ordered *set, const srv_entry *entry)
{
    uint32_t low = 0;
    uint32_t high = set->n_leaves;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const srv_leaf *leaf = &set->leaves[middle];

        if (srv_entry_compare(&leaf->at[leaf->count - 1], entry) < 0) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low;
}

static uint32_t
find_entry(const srv_leaf *leaf, const srv_entry *entry)
{
    uint32_t low = 0;
    uint32_t high = leaf->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (srv_entry_compare(&leaf->at[middle], entry) < 0) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low;
}

srv_place
srv_ordered_seek(const srv_ordered *set, const srv_entry *entry)
{
    srv_place place = {find_leaf(set, entry), 0};

    if (place.leaf < set->n_leaves) {
        place.at = find_entry(&set->leaves[place.leaf], entry);
    }
    return place;
}

srv_place
srv_ordered_end(const srv_ordered *set)
{
    srv_place place = {set->n_leaves, 0};

    return place;
}

const srv_entry *
srv_ordered_next(const srv_ordered *set, srv_place *place)
{
    const srv_leaf *leaf;

    if (place->leaf >= set->n_leaves) {
        return NULL;
    }
    leaf = &set->leaves[place->leaf];
    if (place->at == leaf->count) {
        place->at = 0;
        if (++place->leaf == set->n_leaves) {
            return NULL;
        }
        leaf++;
    }
    return &leaf->at[place->at++];
}

const srv_entry *
srv_ordered_prev(const srv_ordered *set, srv_place *place)
{
    if (place->at == 0) {
        if (place->leaf == 0) {
            return NULL;
        }
        place->leaf--;
        place->at = set->leaves[place->leaf].count;
    }
    return &set->leaves[place->leaf].at[--place->at];
}

bool
srv_ordered_has(const srv_ordered *set, const srv_entry *entry)
{
    srv_place place = srv_ordered_seek(set, entry);
    const srv_entry *found = srv_ordered_next(set, &place);

    return found != NULL && srv_entry_compare(found, entry) == 0;
}

/* ---- changing ---- */

static bool
grow_leaf(srv_leaf *leaf)
{
    uint32_t cap = leaf->cap == 0 ? LEAF_FIRST : leaf->cap * 2;
    srv_entry *at = aero_resize(leaf->at, cap * sizeof *at);

    if (at == NULL) {
        return false;
    }
    leaf->at = at;
    leaf->cap = cap;
    return true;
}

/* An empty leaf at place `i`; it has room. */
static bool
open_leaf(srv_ordered *set, uint32_t i)
{
    srv_leaf fresh = {NULL, 0, 0};

    if (set->n_leaves == set->cap) {
        uint32_t cap = set->cap == 0 ? 1 : set->cap * 2;
        srv_leaf *leaves = aero_resize(set->leaves, cap * sizeof *leaves);

        if (leaves == NULL) {
            return false;
        }
        set->leaves = leaves;
        set->cap = cap;
    }
    if (!grow_leaf(&fresh)) {
        return false;
    }
    memmove(set->leaves + i + 1, set->leaves + i,
            (set->n_leaves - i) * sizeof *set->leaves);
    set->leaves[i] = fresh;
    set->n_leaves++;
    return true;
}

static void
close_leaf(srv_ordered *set, uint32_t i)
{
    aero_free(set->leaves[i].at);
    set->n_leaves--;
    memmove(set->leaves + i, set->leaves + i + 1,
            (set->n_leaves - i) * sizeof *set->leaves);
    if (set->n_leaves == 0) {
        srv_ordered_fini(set);
    }
}

/* Half of a full leaf moves into a new one behind it. */
static bool
split_leaf(srv_ordered *set, uint32_t i)
{
    const uint32_t half = LEAF_MAX / 2;
    srv_leaf *leaf;
    srv_leaf *right;

    if (!open_leaf(set, i + 1)) {
        return false;
    }
    leaf = &set->leaves[i];
    right = leaf + 1;
    while (right->cap < half) {
        if (!grow_leaf(right)) {
            close_leaf(set, i + 1);
            return false;
        }
    }
    memcpy(right->at, leaf->at + half, half * sizeof *leaf->at);
    right->count = half;
    leaf->count = half;
    return true;
}

/* The leaf that has room for an entry to be put at `place`. */
static bool
make_room(srv_ordered *set, srv_place *place)
{
    srv_leaf *leaf;

    if (place->leaf == set->n_leaves) {
        if (set->n_leaves == 0) {
            return open_leaf(set, 0);
        }
        place->leaf--;
        place->at = set->leaves[place->leaf].count;
    }
    leaf = &set->leaves[place->leaf];
    if (leaf->count == LEAF_MAX) {
        if (!split_leaf(set, place->leaf)) {
            return false;
        }
        leaf = &set->leaves[place->leaf];
        if (place->at > leaf->count) {
            place->at -= leaf->count;
            place->leaf++;
            leaf++;
        }
    }
    return leaf->count < leaf->cap || grow_leaf(leaf);
}

bool
srv_ordered_add(srv_ordered *set, const srv_entry *entry, bool *added)
{
    srv_place place = srv_ordered_seek(set, entry);
    srv_place look = place;
    const srv_entry *found = srv_ordered_next(set, &look);
    srv_leaf *leaf;

    *added = found == NULL || srv_entry_compare(found, entry) != 0;
    if (!*added) {
        return true;
    }
    if (!make_room(set, &place)) {
        *added = false;
        return false;
    }
    leaf = &set->leaves[place.leaf];
    memmove(leaf->at + place.at + 1, leaf->at + place.at,
            (leaf->count - place.at) * sizeof *leaf->at);
    leaf->at[place.at] = *entry;
    leaf->count++;
    set->count++;
    return true;
}

/* A leaf and the one behind it, when together they are less than half. */
static void
join_leaves(srv_ordered *set, uint32_t i)
{
    srv_leaf *leaf = &set->leaves[i];

    if (i + 1 >= set->n_leaves || leaf->count + leaf[1].count > LEAF_MAX / 2 ||
        leaf->count + leaf[1].count > leaf->cap) {
        return;
    }
    memcpy(leaf->at + leaf->count, leaf[1].at,
           leaf[1].count * sizeof *leaf->at);
    leaf->count += leaf[1].count;
    close_leaf(set, i + 1);
}

bool
srv_ordered_remove(srv_ordered *set, const srv_entry *entry)
{
    srv_place place = srv_ordered_seek(set, entry);
    srv_leaf *leaf;

    if (place.leaf == set->n_leaves) {
        return false;
    }
    leaf = &set->leaves[place.leaf];
    if (srv_entry_compare(&leaf->at[place.at], entry) != 0) {
        return false;
    }
    leaf->count--;
    memmove(leaf->at + place.at, leaf->at + place.at + 1,
            (leaf->count - place.at) * sizeof *leaf->at);
    set->count--;
    if (leaf->count == 0) {
        close_leaf(set, place.leaf);
    }
    else {
        join_leaves(set, place.leaf);
    }
    return true;
}

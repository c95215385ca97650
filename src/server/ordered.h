/* An ordered set of (value, digest): what an index is made of.
 *
 *   leaves: | .. 64 entries .. | .. | .. |     entries in rising order, and
 *                                              so are the leaves
 *
 * An entry is found by two binary searches; adding or removing one moves the
 * rest of its leaf, and rarely the list of leaves.
 *
 * It knows neither records nor namespaces.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_ORDERED_H
#define SRV_ORDERED_H

#include "aero/base/span.h"
#include "aero/wire/key.h"

typedef struct srv_entry {
    int64_t bval;
    uint8_t digest[AERO_DIGEST_SIZE];
} srv_entry;

typedef struct srv_leaf {
    srv_entry *at; /* owned; never empty */
    uint32_t count;
    uint32_t cap;
} srv_leaf;

/* All zero: empty. */
typedef struct srv_ordered {
    srv_leaf *leaves; /* owned */
    uint32_t n_leaves;
    uint32_t cap;
    uint64_t count;
} srv_ordered;

/* Between two entries; valid until the set changes. */
typedef struct srv_place {
    uint32_t leaf;
    uint32_t at;
} srv_place;

static inline srv_entry
srv_entry_of(int64_t bval, const uint8_t *digest)
{
    srv_entry entry;

    entry.bval = bval;
    memcpy(entry.digest, digest, AERO_DIGEST_SIZE);
    return entry;
}

int srv_entry_compare(const srv_entry *a, const srv_entry *b);

void srv_ordered_fini(srv_ordered *set);
/* False: no memory, nothing has changed.  `*added` says whether it was not
 * there before. */
bool srv_ordered_add(srv_ordered *set, const srv_entry *entry, bool *added);
/* Whether it was there.  Takes no memory. */
bool srv_ordered_remove(srv_ordered *set, const srv_entry *entry);
bool srv_ordered_has(const srv_ordered *set, const srv_entry *entry);

/* In front of the first entry that is not below `entry`. */
srv_place srv_ordered_seek(const srv_ordered *set, const srv_entry *entry);
/* Behind the last. */
srv_place srv_ordered_end(const srv_ordered *set);
/* The entry behind the place (in front of it), which moves over it; borrowed;
 * NULL: there is none. */
const srv_entry *srv_ordered_next(const srv_ordered *set, srv_place *place);
const srv_entry *srv_ordered_prev(const srv_ordered *set, srv_place *place);

#endif

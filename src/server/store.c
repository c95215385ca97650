/* Namespaces, sets and partitions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "store.h"

/* ---- the order of a partition ---- */

/* Records of one partition agree in the first twelve bits of the digest. */
static uint64_t
prefix_of(const uint8_t *digest)
{
    return aero_get_u64(digest + 1);
}

/* Whether the slot stands before the digest: larger digests come first. */
static bool
stands_before(const srv_slot *slot, uint64_t prefix, const uint8_t *digest)
{
    if (slot->prefix != prefix) {
        return slot->prefix > prefix;
    }
    return memcmp(slot->rec->digest, digest, AERO_DIGEST_SIZE) > 0;
}

/* The first slot that does not stand before the digest. */
static uint32_t
find_slot(const srv_partition *part, const uint8_t *digest)
{
    uint64_t prefix = prefix_of(digest);
    uint32_t low = 0;
    uint32_t high = part->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (stands_before(&part->slots[middle], prefix, digest)) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low;
}

static bool
slot_is(const srv_partition *part, uint32_t at, const uint8_t *digest)
{
    return at < part->count &&
           memcmp(part->slots[at].rec->digest, digest, AERO_DIGEST_SIZE) == 0;
}

uint32_t
srv_partition_after(const srv_partition *part, const uint8_t *digest)
{
    uint32_t at;

    if (digest == NULL) {
        return 0;
    }
    at = find_slot(part, digest);
    return slot_is(part, at, digest) ? at + 1 : at;
}

static bool
open_slot(srv_partition *part, uint32_t at)
{
    if (part->count == part->cap) {
        uint32_t cap = part->cap < 4 ? 4 : part->cap + part->cap / 4;
        srv_slot *slots = aero_resize(part->slots, cap * sizeof *slots);

        if (slots == NULL) {
            return false;
        }
        part->slots = slots;
        part->cap = cap;
    }
    memmove(part->slots + at + 1, part->slots + at,
            (part->count - at) * sizeof *part->slots);
    part->count++;
    return true;
}

static void
close_slot(srv_partition *part, uint32_t at)
{
    part->count--;
    memmove(part->slots + at, part->slots + at + 1,
            (part->count - at) * sizeof *part->slots);
    if (part->count == 0) {
        aero_free(part->slots);
        part->slots = NULL;
        part->cap = 0;
        part->expires = 0;
    }
}

/* ---- what is counted ---- */

static void
count(srv_ns *ns, const srv_record *rec, int sign)
{
    srv_set *set = srv_set_of(ns, rec->set);
    uint64_t used = sign > 0 ? rec->used : -(uint64_t)rec->used;

    ns->objects += (uint64_t)(int64_t)sign;
    ns->used += used;
    if (set != NULL) {
        set->objects += (uint64_t)(int64_t)sign;
        set->used += used;
    }
}

static bool
tell(srv_ns *ns, const srv_record *before, const srv_record *after)
{
    return ns->on_change == NULL ||
           ns->on_change(ns->on_change_ctx, ns, before, after);
}

/* ---- records ---- */

static srv_partition *
partition_of(const srv_ns *ns, const uint8_t *digest)
{
    return (srv_partition *)&ns->parts[aero_partition_of(digest)];
}

srv_record *
srv_ns_get(const srv_ns *ns, const uint8_t *digest)
{
    const srv_partition *part = partition_of(ns, digest);
    uint32_t at = find_slot(part, digest);

    return slot_is(part, at, digest) ? part->slots[at].rec : NULL;
}

void
srv_ns_note_expiry(srv_ns *ns, const srv_record *rec)
{
    srv_partition *part = partition_of(ns, rec->digest);

    if (rec->void_time != 0 &&
        (part->expires == 0 || rec->void_time < part->expires)) {
        part->expires = rec->void_time;
    }
}

bool
srv_ns_put(srv_ns *ns, srv_record *rec)
{
    srv_partition *part = partition_of(ns, rec->digest);
    uint32_t at = find_slot(part, rec->digest);

    bool is_new = !slot_is(part, at, rec->digest);
    srv_record *old = is_new ? NULL : part->slots[at].rec;

    if (is_new && !open_slot(part, at)) {
        aero_free(rec);
        return false;
    }
    if (is_new) {
        part->slots[at].prefix = prefix_of(rec->digest);
        part->slots[at].rec = rec;
    }
    if (!tell(ns, old, rec)) {
        if (is_new) {
            close_slot(part, at);
        }
        aero_free(rec);
        return false;
    }
    if (old != NULL) {
        count(ns, old, -1);
        aero_free(old);
    }
    part->slots[at].rec = rec;
    count(ns, rec, 1);
    srv_ns_note_expiry(ns, rec);
    return true;
}

static void
drop_slot(srv_ns *ns, srv_partition *part, uint32_t at)
{
    srv_record *rec = part->slots[at].rec;

    tell(ns, rec, NULL);
    count(ns, rec, -1);
    close_slot(part, at);
    aero_free(rec);
}

void
srv_ns_drop(srv_ns *ns, const uint8_t *digest)
{
    srv_partition *part = partition_of(ns, digest);
    uint32_t at = find_slot(part, digest);

    if (slot_is(part, at, digest)) {
        drop_slot(ns, part, at);
    }
}

static void
expire_partition(srv_ns *ns, srv_partition *part, uint32_t now)
{
    uint32_t next = 0;

    for (uint32_t at = part->count; at-- > 0;) {
        const srv_record *rec = part->slots[at].rec;

        if (srv_record_is_dead(rec, now)) {
            ns->expired++;
            drop_slot(ns, part, at);
        }
        else if (rec->void_time != 0 && (next == 0 || rec->void_time < next)) {
            next = rec->void_time;
        }
    }
    part->expires = next;
}

void
srv_ns_expire(srv_ns *ns, uint32_t now)
{
    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        srv_partition *part = &ns->parts[p];

        if (part->expires != 0 && part->expires < now) {
            expire_partition(ns, part, now);
        }
    }
}

void
srv_ns_truncate(srv_ns *ns, uint16_t set, uint64_t lut)
{
    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        srv_partition *part = &ns->parts[p];

        for (uint32_t at = part->count; at-- > 0;) {
            const srv_record *rec = part->slots[at].rec;

            if (rec->lut <= lut && (set == 0 || rec->set == set)) {
                drop_slot(ns, part, at);
            }
        }
    }
}

/* ---- sets ---- */

uint16_t
srv_set_find(const srv_ns *ns, aero_span name)
{
    for (uint32_t i = 0; i < ns->n_sets; i++) {
        if (aero_span_is(name, ns->sets[i].name)) {
            return (uint16_t)(i + 1);
        }
    }
    return 0;
}

uint16_t
srv_set_make(srv_ns *ns, aero_span name)
{
    uint16_t id = srv_set_find(ns, name);
    srv_set *sets;

    if (id != 0 || name.len > AERO_SET_MAX || ns->n_sets == SRV_SETS_MAX) {
        return id;
    }
    sets = aero_resize(ns->sets, (ns->n_sets + 1) * sizeof *sets);
    if (sets == NULL) {
        return 0;
    }
    ns->sets = sets;
    memset(&sets[ns->n_sets], 0, sizeof *sets);
    memcpy(sets[ns->n_sets].name, name.ptr, name.len);
    return (uint16_t)++ns->n_sets;
}

/* ---- namespaces ---- */

srv_ns *
srv_ns_new(const char *name)
{
    srv_ns *ns = aero_zalloc(sizeof *ns);
    size_t len = strlen(name);

    if (ns != NULL) {
        memcpy(ns->name, name, len < sizeof ns->name ? len : 0);
    }
    return ns;
}

void
srv_ns_free(srv_ns *ns)
{
    if (ns == NULL) {
        return;
    }
    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        for (uint32_t at = 0; at < ns->parts[p].count; at++) {
            aero_free(ns->parts[p].slots[at].rec);
        }
        aero_free(ns->parts[p].slots);
    }
    aero_free(ns->sets);
    aero_free(ns);
}

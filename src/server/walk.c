/* Walking through partitions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "index_text.h"
#include "walk.h"

/* ---- opening ---- */

static int
find_set(srv_walk *walk, const srv_req *req)
{
    aero_span name = srv_req_field(req, AERO_FIELD_SET);

    if (name.len > AERO_SET_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    walk->set = srv_set_find(walk->ns, name);
    walk->no_such_set = name.len != 0 && walk->set == 0;
    return AERO_ERR_OK;
}

static srv_index *
find_index(const srv_walk *walk, const srv_req *req, const srv_range *range)
{
    const srv_indexes *indexes = walk->ns->indexes;
    aero_span kind = srv_req_field(req, AERO_FIELD_INDEX_TYPE);
    srv_index_def def = {0};

    if (srv_req_has(req, AERO_FIELD_INDEX_NAME)) {
        return srv_index_named(indexes,
                               srv_req_field(req, AERO_FIELD_INDEX_NAME));
    }
    def.set = walk->set;
    def.kind = kind.len != 0 ? kind.ptr[0] : SRV_INDEX_VALUE;
    def.particle = range->particle;
    def.bin = range->bin;
    def.context = srv_req_field(req, AERO_FIELD_INDEX_CONTEXT);
    def.expression = srv_req_field(req, AERO_FIELD_INDEX_EXPRESSION);
    return def.kind == SRV_INDEX_SET ? NULL : srv_index_like(indexes, &def);
}

static int
take_want(srv_walk *walk, const srv_range *range)
{
    if (range->particle == AERO_PARTICLE_INTEGER) {
        srv_want_integers(&walk->want, (int64_t)aero_get_u64(range->begin.ptr),
                          (int64_t)aero_get_u64(range->end.ptr));
        return AERO_ERR_OK;
    }
    return srv_want_value(&walk->want, range->particle, range->begin);
}

static int
open_index(srv_walk *walk, const srv_req *req)
{
    aero_span context = srv_req_field(req, AERO_FIELD_INDEX_CONTEXT);
    srv_range range;
    srv_index *index;
    int code = srv_query_take_range(req, &range);

    if (code != AERO_ERR_OK) {
        return code;
    }
    if (srv_req_has(req, AERO_FIELD_INDEX_CONTEXT) &&
        srv_context_check(context) != SRV_CONTEXT_GOOD) {
        return AERO_ERR_REQUEST_INVALID;
    }
    index = find_index(walk, req, &range);
    if (index == NULL) {
        return AERO_ERR_INDEX_NOT_FOUND;
    }
    if (!srv_index_is_built(index)) {
        return AERO_ERR_INDEX_NOT_READABLE;
    }
    code = take_want(walk, &range);
    if (code != AERO_ERR_OK) {
        return code;
    }
    walk->index = srv_index_acquire(index);
    walk->no_such_set =
        walk->no_such_set || index->def.kind == SRV_INDEX_SET ||
        index->def.particle != range.particle ||
        (index->def.set != 0 && walk->set != 0 && index->def.set != walk->set);
    return AERO_ERR_OK;
}

/* The index of a set is used once it is there; until then the records of
 * other sets are passed over. */
static void
open_set_index(srv_walk *walk)
{
    srv_index *index = srv_index_of_set(walk->ns->indexes, walk->set);

    if (index != NULL && srv_index_is_built(index)) {
        walk->index = srv_index_acquire(index);
    }
}

int
srv_walk_open(srv_walk *walk, const srv_req *req)
{
    int code = find_set(walk, req);

    if (code != AERO_ERR_OK) {
        return code;
    }
    if (srv_req_has(req, AERO_FIELD_INDEX_RANGE)) {
        return open_index(walk, req);
    }
    open_set_index(walk);
    return AERO_ERR_OK;
}

void
srv_walk_fini(srv_walk *walk)
{
    srv_index_release(walk->index);
    walk->index = NULL;
    srv_want_fini(&walk->want);
    srv_ordered_fini(&walk->seen);
}

/* ---- places ---- */

/* False: begin at the beginning. */
static bool
resume_point(const srv_walk *walk, srv_entry *from)
{
    const srv_pids *pids = &walk->pids;
    uint16_t place = pids->resume[walk->partition];
    int64_t number = 0;

    if (walk->inside) {
        *from = walk->last;
        return true;
    }
    if (place == 0) {
        return false;
    }
    place--;
    if (srv_walk_is_secondary(walk)) {
        number = (int64_t)aero_get_u64le(pids->numbers.ptr + place * 8);
    }
    *from = srv_entry_of(number,
                         pids->digests.ptr + (size_t)place * AERO_DIGEST_SIZE);
    return true;
}

static void
note_place(srv_walk *walk, int64_t number, const uint8_t *digest)
{
    walk->last = srv_entry_of(number, digest);
    walk->inside = true;
}

/* ---- the three ways ---- */

static srv_record *
next_primary(srv_walk *walk)
{
    srv_partition *part = &walk->ns->parts[walk->partition];
    srv_entry from;
    uint32_t at = srv_partition_after(
        part, resume_point(walk, &from) ? from.digest : NULL);

    if (at >= part->count) {
        return NULL;
    }
    note_place(walk, 0, part->slots[at].rec->digest);
    return part->slots[at].rec;
}

/* Entries without a record are passed over; there should be none. */
static srv_record *
next_of_set(srv_walk *walk)
{
    const srv_ordered *part = &walk->index->parts[walk->partition];
    srv_entry from;
    srv_place place = resume_point(walk, &from) ? srv_ordered_seek(part, &from)
                                                : srv_ordered_end(part);
    const srv_entry *entry;
    srv_record *rec;

    do {
        entry = srv_ordered_prev(part, &place);
        if (entry == NULL) {
            return NULL;
        }
        rec = srv_ns_get(walk->ns, entry->digest);
    } while (rec == NULL);
    note_place(walk, 0, entry->digest);
    return rec;
}

/* The entry of the ranges that follows the last one. */
static const srv_entry *
next_entry(const srv_walk *walk)
{
    static const uint8_t lowest[AERO_DIGEST_SIZE];
    const srv_ordered *part = &walk->index->parts[walk->partition];
    srv_entry from;
    bool resumes = resume_point(walk, &from);

    for (unsigned i = 0; i < walk->want.n_ranges; i++) {
        const geo_range *range = &walk->want.ranges[i];
        srv_entry low = srv_entry_of(range->low, lowest);
        const srv_entry *entry;
        srv_place place;

        if (resumes && range->high < from.bval) {
            continue;
        }
        if (resumes && srv_entry_compare(&from, &low) >= 0) {
            low = from;
        }
        place = srv_ordered_seek(part, &low);
        entry = srv_ordered_next(part, &place);
        if (resumes && entry != NULL && srv_entry_compare(entry, &from) == 0) {
            entry = srv_ordered_next(part, &place);
        }
        if (entry != NULL && entry->bval <= range->high) {
            return entry;
        }
    }
    return NULL;
}

/* A record with several numbers counts under the lowest that is wanted, so
 * that it is found once, wherever the query begins. */
static bool
counts_here(srv_walk *walk, const srv_record *rec, const srv_entry *entry)
{
    bool single = srv_index_is_single(walk->index) && !walk->changes;
    srv_entry mark = srv_entry_of(0, entry->digest);
    int64_t number;
    bool is_new = true;

    if (!single && srv_ordered_has(&walk->seen, &mark)) {
        return false;
    }
    if (!single) {
        srv_ordered_add(&walk->seen, &mark, &is_new); /* only saves work */
    }
    return srv_index_match(walk->ns->indexes, walk->index, rec, &walk->want,
                           &number) &&
           number == entry->bval;
}

static srv_record *
next_secondary(srv_walk *walk, int64_t *number)
{
    for (;;) {
        const srv_entry *entry = next_entry(walk);
        srv_record *rec;

        if (entry == NULL) {
            return NULL;
        }
        note_place(walk, entry->bval, entry->digest);
        rec = srv_ns_get(walk->ns, entry->digest);
        if (rec != NULL && counts_here(walk, rec, entry)) {
            *number = entry->bval;
            return rec;
        }
    }
}

static srv_record *
next_any(srv_walk *walk, int64_t *number)
{
    if (walk->index == NULL) {
        return next_primary(walk);
    }
    return srv_walk_is_secondary(walk) ? next_secondary(walk, number)
                                       : next_of_set(walk);
}

/* Monitors of transactions show only to who asks for their set. */
static bool
is_hidden(const srv_walk *walk, const srv_record *rec)
{
    return walk->set == 0 && rec->set != 0 &&
           rec->set == walk->ns->monitor_set;
}

srv_record *
srv_walk_next(srv_walk *walk, int64_t *number)
{
    uint32_t now = srv_clock_s(&walk->core->clock);
    srv_record *rec;

    if (walk->no_such_set) {
        return NULL;
    }
    do {
        rec = next_any(walk, number);
    } while (rec != NULL &&
             ((walk->set != 0 && rec->set != walk->set) ||
              is_hidden(walk, rec) || srv_record_is_dead(rec, now)));
    return rec;
}

void
srv_walk_leave(srv_walk *walk)
{
    walk->partition++;
    walk->inside = false;
    srv_ordered_fini(&walk->seen);
}

/* Indexes come, are kept, and go.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/base/clock.h"
#include "sindex.h"

enum {
    ENTRY_BYTES = 28,
    CHUNK_BYTES = 16 << 20 /* what the real server takes at a time */
};

/* ---- changes ---- */

static bool
note(srv_changes *changes, srv_index *index, int64_t number,
     const uint8_t *digest)
{
    srv_index_change *change;

    if (changes->count == changes->cap) {
        uint32_t cap = changes->cap == 0 ? 16 : changes->cap * 2;
        srv_index_change *list =
            aero_resize(changes->list, cap * sizeof *list);

        if (list == NULL) {
            return false;
        }
        changes->list = list;
        changes->cap = cap;
    }
    change = &changes->list[changes->count++];
    change->index = index;
    change->entry = srv_entry_of(number, digest);
    return true;
}

/* What stands in one of the two sorted lists only. */
static bool
note_difference(srv_indexes *x, srv_index *index, const uint8_t *digest)
{
    const srv_numbers *old = &x->before;
    const srv_numbers *new = &x->after;
    uint32_t i = 0;
    uint32_t k = 0;
    bool good = true;

    while (good && (i < old->count || k < new->count)) {
        if (k == new->count ||
            (i < old->count && old->list[i] < new->list[k])) {
            good = note(&x->removes, index, old->list[i++], digest);
        }
        else if (i == old->count || new->list[k] < old->list[i]) {
            good = note(&x->adds, index, new->list[k++], digest);
        }
        else {
            i++;
            k++;
        }
    }
    return good;
}

static srv_ordered *
part_of(const srv_index_change *change)
{
    return &change->index->parts[aero_partition_of(change->entry.digest)];
}

static void
take_out(const srv_index_change *change)
{
    if (srv_ordered_remove(part_of(change), &change->entry)) {
        change->index->entries--;
    }
}

/* All of the additions or none of them. */
static bool
put_in(srv_changes *adds)
{
    for (uint32_t i = 0; i < adds->count; i++) {
        const srv_index_change *change = &adds->list[i];
        bool added;

        if (!srv_ordered_add(part_of(change), &change->entry, &added)) {
            while (i-- > 0) {
                take_out(&adds->list[i]);
            }
            return false;
        }
        change->index->entries += added;
    }
    return true;
}

/* False: no memory, and nothing has changed.  When a record goes this cannot
 * be refused: an entry that stays leads to no record, and a query passes over
 * it. */
static bool
on_change(void *ctx, srv_ns *ns, const srv_record *before,
          const srv_record *after)
{
    srv_indexes *x = ctx;
    const uint8_t *digest = before != NULL ? before->digest : after->digest;
    uint32_t partition = aero_partition_of(digest);

    (void)ns;
    x->adds.count = 0;
    x->removes.count = 0;
    for (srv_index *index = x->first; index != NULL; index = index->next) {
        if (partition < index->built &&
            (!srv_index_numbers(x, index, before, &x->before) ||
             !srv_index_numbers(x, index, after, &x->after) ||
             !note_difference(x, index, digest))) {
            return false;
        }
    }
    if (!put_in(&x->adds)) {
        return false;
    }
    for (uint32_t i = 0; i < x->removes.count; i++) {
        take_out(&x->removes.list[i]);
    }
    return true;
}

/* ---- building ---- */

static bool
add_partition(srv_indexes *x, srv_index *index)
{
    const srv_partition *part = &x->ns->parts[index->built];

    for (uint32_t at = 0; at < part->count; at++) {
        const srv_record *rec = part->slots[at].rec;

        x->adds.count = 0;
        x->before.count = 0;
        if (!srv_index_numbers(x, index, rec, &x->after) ||
            !note_difference(x, index, rec->digest) || !put_in(&x->adds)) {
            return false;
        }
    }
    return true;
}

static void
empty(srv_index *index)
{
    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        srv_ordered_fini(&index->parts[p]);
    }
    index->entries = 0;
}

/* Without memory it stays unbuilt, and the next slice tries again. */
bool
srv_indexes_build(srv_indexes *x)
{
    uint32_t records = 0;

    for (srv_index *index = x->first; index != NULL; index = index->next) {
        while (!srv_index_is_built(index)) {
            if (records > SRV_BUILD_SLICE || !add_partition(x, index)) {
                return true;
            }
            records += x->ns->parts[index->built].count;
            index->built++;
            if (srv_index_is_built(index)) {
                x->unbuilt--;
                index->load_ms =
                    (aero_clock_now() - index->began_ns) / AERO_NS_PER_MS;
            }
        }
    }
    return false;
}

/* ---- which there are ---- */

srv_index *
srv_index_named(const srv_indexes *x, aero_span name)
{
    for (srv_index *index = x->first; index != NULL; index = index->next) {
        if (name.len != 0 && aero_span_is(name, index->name)) {
            return index;
        }
    }
    return NULL;
}

static bool
is_about(const srv_index_def *a, const srv_index_def *b)
{
    return a->kind == b->kind && a->particle == b->particle &&
           aero_span_equal(a->bin, b->bin) &&
           aero_span_equal(a->context, b->context) &&
           aero_span_equal(a->expression, b->expression);
}

static srv_index *
find_exact(const srv_indexes *x, const srv_index_def *def)
{
    for (srv_index *index = x->first; index != NULL; index = index->next) {
        if (index->def.set == def->set && is_about(&index->def, def)) {
            return index;
        }
    }
    return NULL;
}

srv_index *
srv_index_like(const srv_indexes *x, const srv_index_def *def)
{
    srv_index *index = find_exact(x, def);

    if (index == NULL && def->set != 0) {
        srv_index_def all = *def;

        all.set = 0;
        index = find_exact(x, &all);
    }
    return index;
}

srv_index *
srv_index_of_set(const srv_indexes *x, uint16_t set)
{
    const srv_index_def def = {.set = set, .kind = SRV_INDEX_SET};

    return set == 0 ? NULL : find_exact(x, &def);
}

unsigned
srv_indexes_count(const srv_indexes *x, uint16_t set)
{
    unsigned count = 0;

    for (srv_index *index = x->first; index != NULL; index = index->next) {
        count += index->def.set == set && index->def.kind != SRV_INDEX_SET;
    }
    return count;
}

uint64_t
srv_index_used(const srv_index *index, uint64_t entries)
{
    uint64_t bytes = entries * ENTRY_BYTES;

    return index->def.kind == SRV_INDEX_SET
               ? bytes
               : (bytes / CHUNK_BYTES + 1) * CHUNK_BYTES;
}

static void
set_name(srv_index *index, aero_span name)
{
    memset(index->name, 0, sizeof index->name);
    if (name.len != 0) {
        memcpy(index->name, name.ptr, name.len);
    }
}

static void
free_index(srv_index *index)
{
    empty(index);
    aero_exp_free(index->exp);
    aero_free(index->bytes);
    aero_free(index);
}

static aero_span
copy_to(uint8_t **to, aero_span from)
{
    aero_span copy = aero_span_of(*to, from.len);

    if (from.len != 0) {
        memcpy(*to, from.ptr, from.len);
        *to += from.len;
    }
    return copy;
}

/* Gives; NULL: no memory. */
static srv_index *
new_index(aero_span name, const srv_index_def *def)
{
    size_t size = def->bin.len + def->context.len + def->expression.len;
    srv_index *index = aero_zalloc(sizeof *index);
    uint8_t *to;

    if (index == NULL) {
        return NULL;
    }
    index->bytes = aero_alloc(size + 1);
    to = index->bytes;
    if (to == NULL ||
        (def->expression.len != 0 &&
         aero_exp_build(def->expression, &index->exp) != AERO_ERR_OK)) {
        free_index(index);
        return NULL;
    }
    index->def = *def;
    index->def.bin = copy_to(&to, def->bin);
    index->def.context = copy_to(&to, def->context);
    index->def.expression = copy_to(&to, def->expression);
    index->began_ns = aero_clock_now();
    set_name(index, name);
    return index;
}

int
srv_index_create(srv_indexes *x, aero_span name, const srv_index_def *def)
{
    srv_index *found = srv_index_named(x, name);
    srv_index **end = &x->first;

    if (found != NULL) {
        return found->def.set == def->set && is_about(&found->def, def)
                   ? AERO_ERR_OK
                   : AERO_ERR_INDEX_FOUND;
    }
    found = find_exact(x, def);
    if (found != NULL) {
        set_name(found, name);
        return AERO_ERR_OK;
    }
    if (x->count == SRV_INDEXES_MAX && def->kind != SRV_INDEX_SET) {
        return AERO_ERR_INDEX_MAXCOUNT;
    }
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = new_index(name, def);
    if (*end == NULL) {
        return AERO_ERR_SERVER;
    }
    x->count += def->kind != SRV_INDEX_SET;
    x->unbuilt++;
    srv_indexes_build(x);
    return AERO_ERR_OK;
}

void
srv_index_remove(srv_indexes *x, srv_index *index)
{
    srv_index **link = &x->first;

    while (*link != index) {
        link = &(*link)->next;
    }
    *link = index->next;
    x->count -= index->def.kind != SRV_INDEX_SET;
    x->unbuilt -= !srv_index_is_built(index);
    index->removed = true;
    if (index->users == 0) {
        free_index(index);
    }
}

bool
srv_index_keep_set(srv_indexes *x, uint16_t set, bool wanted)
{
    const srv_index_def def = {.set = set, .kind = SRV_INDEX_SET};
    srv_index *index = srv_index_of_set(x, set);

    if (index != NULL && !wanted) {
        srv_index_remove(x, index);
    }
    return index != NULL || !wanted ||
           srv_index_create(x, aero_span_of(NULL, 0), &def) == AERO_ERR_OK;
}

srv_index *
srv_index_acquire(srv_index *index)
{
    index->users++;
    return index;
}

void
srv_index_release(srv_index *index)
{
    if (index != NULL && --index->users == 0 && index->removed) {
        free_index(index);
    }
}

/* ---- all of a namespace ---- */

srv_indexes *
srv_indexes_new(srv_ns *ns)
{
    srv_indexes *x = aero_zalloc(sizeof *x);

    if (x != NULL) {
        x->ns = ns;
        aero_arena_init(&x->arena);
        ns->on_change = on_change;
        ns->on_change_ctx = x;
    }
    return x;
}

void
srv_indexes_free(srv_indexes *x)
{
    if (x == NULL) {
        return;
    }
    while (x->first != NULL) {
        srv_index *index = x->first;

        x->first = index->next;
        free_index(index);
    }
    aero_arena_fini(&x->arena);
    aero_made_fini(&x->value);
    aero_free(x->before.list);
    aero_free(x->after.list);
    aero_free(x->adds.list);
    aero_free(x->removes.list);
    aero_free(x);
}

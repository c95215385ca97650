/* From a record to the values that an index is about, and to their numbers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "aero/base/alloc.h"
#include "aero/base/clock.h"
#include "cdt_internal.h"
#include "sindex.h"

/* Called with one value after the other; false: no memory. */
typedef bool (*see_fn)(void *ctx, const srv_item *item);

typedef struct look {
    srv_indexes *indexes;
    const srv_index *index;
    see_fn see;
    void *ctx;
} look;

/* ---- values ---- */

static bool
see_packed(const look *l, aero_span packed)
{
    srv_item item = {0};
    aero_token token;

    if (!aero_token_take(&packed, &token)) {
        return true;
    }
    if (l->index->def.particle == AERO_PARTICLE_INTEGER) {
        if (token.kind != AERO_TOKEN_INT && token.kind != AERO_TOKEN_UINT) {
            return true;
        }
        item.number =
            token.kind == AERO_TOKEN_UINT ? (int64_t)token.big : token.number;
        return l->see(l->ctx, &item);
    }
    if (token.kind != AERO_TOKEN_RAW || token.bytes.len == 0 ||
        token.bytes.ptr[0] != l->index->def.particle) {
        return true;
    }
    item.bytes = aero_span_skip(token.bytes, 1);
    return l->see(l->ctx, &item);
}

static bool
see_inside(const look *l, aero_span packed)
{
    bool wants_map = l->index->def.kind != SRV_INDEX_LIST;
    bool keys = l->index->def.kind == SRV_INDEX_MAP_KEYS;
    aero_span in;
    cdt_box box;

    if (!cdt_open(packed, &box) || box.is_map != wants_map) {
        return true;
    }
    in = box.body;
    for (uint32_t i = 0; i < box.count; i++) {
        aero_span item;
        aero_span value;

        if (!aero_token_take_whole(&in, &item)) {
            return true;
        }
        if (wants_map) {
            if (!aero_token_take_whole(&in, &value)) {
                return true;
            }
            item = keys ? item : value;
        }
        if (!see_packed(l, item)) {
            return false;
        }
    }
    return true;
}

static bool
see_value(const look *l, aero_val val)
{
    srv_item item = {0};

    if (l->index->def.kind != SRV_INDEX_VALUE) {
        return val.particle != AERO_PARTICLE_LIST &&
                       val.particle != AERO_PARTICLE_MAP
                   ? true
                   : see_inside(l, val.bytes);
    }
    if (val.particle != l->index->def.particle) {
        return true;
    }
    if (val.particle == AERO_PARTICLE_INTEGER) {
        item.number = (int64_t)aero_get_u64(val.bytes.ptr);
    }
    else if (val.particle != AERO_PARTICLE_GEOJSON) {
        item.bytes = val.bytes;
    }
    else if (!aero_geojson_take(val.bytes, &item.bytes)) {
        return true;
    }
    return l->see(l->ctx, &item);
}

/* ---- where they are ---- */

static bool
see_at_context(const look *l, aero_val bin)
{
    cdt_context cx = {.arena = &l->indexes->arena};
    aero_span steps = l->index->def.context;
    int code = cdt_context_resolve(&cx, bin, false, &steps);

    if (code != AERO_ERR_OK || cx.create) {
        return code != AERO_ERR_SERVER;
    }
    return l->index->def.kind == SRV_INDEX_VALUE ? see_packed(l, cx.leaf)
                                                 : see_inside(l, cx.leaf);
}

static aero_val
bin_of(void *ctx, aero_span name)
{
    return srv_record_bin(ctx, name);
}

/* Such an expression sees bins and the digest, nothing else. */
static bool
see_result(const look *l, const srv_record *rec)
{
    aero_made *value = &l->indexes->value;
    aero_exp_record record = {.bin = bin_of, .ctx = (void *)rec};
    bool unknown = false;

    record.digest = rec->digest;
    aero_made_clear(value);
    if (aero_exp_eval(l->index->exp, &record, value, &unknown) !=
        AERO_ERR_OK) {
        return false;
    }
    return unknown || !value->present || see_value(l, aero_made_val(value));
}

static bool
see_record(const look *l, const srv_record *rec)
{
    const srv_index_def *def = &l->index->def;
    aero_val bin;
    bool good;

    if (def->set != 0 && rec->set != def->set) {
        return true;
    }
    if (l->index->exp != NULL) {
        good = see_result(l, rec);
    }
    else {
        bin = srv_record_bin(rec, def->bin);
        good = bin.particle == AERO_PARTICLE_NIL ? true
               : def->context.len != 0           ? see_at_context(l, bin)
                                                 : see_value(l, bin);
    }
    aero_arena_reset(&l->indexes->arena);
    return good;
}

/* ---- numbers ---- */

/* Eight bytes at a time, each multiplied in and folded over. */
static int64_t
hash(aero_span bytes)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = bytes.len * odd;

    while (bytes.len != 0) {
        uint8_t word[8] = {0};
        size_t n = bytes.len < sizeof word ? bytes.len : sizeof word;

        memcpy(word, bytes.ptr, n);
        h = (h ^ aero_get_u64(word)) * odd;
        h ^= h >> 29;
        bytes = aero_span_skip(bytes, n);
    }
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return (int64_t)(h ^ h >> 32);
}

/* The numbers of one value, at most GEO_COVER_MAX; `geo` is filled for a
 * shape.  False: no memory. */
static bool
numbers_of(uint8_t particle, const srv_item *item, aero_arena *arena,
           aero_geo *geo, int64_t *numbers, unsigned *count)
{
    int code;

    *count = 1;
    if (particle == AERO_PARTICLE_INTEGER) {
        numbers[0] = item->number;
        return true;
    }
    if (particle != AERO_PARTICLE_GEOJSON) {
        numbers[0] = hash(item->bytes);
        return true;
    }
    code = aero_geo_parse(item->bytes, arena, geo);
    if (code != AERO_ERR_OK) {
        *count = 0;
    }
    else if (aero_geo_is_region(geo)) {
        *count = geo_cells_of(geo, numbers);
    }
    else {
        numbers[0] = geo_cell_of(geo);
    }
    return code != AERO_ERR_SERVER;
}

static bool
add_number(srv_numbers *out, int64_t number)
{
    if (out->count == out->cap) {
        uint32_t cap = out->cap == 0 ? 16 : out->cap * 2;
        int64_t *list = aero_resize(out->list, cap * sizeof *list);

        if (list == NULL) {
            return false;
        }
        out->list = list;
        out->cap = cap;
    }
    out->list[out->count++] = number;
    return true;
}

typedef struct collect {
    srv_indexes *indexes;
    uint8_t particle;
    srv_numbers *out;
} collect;

static bool
see_to_collect(void *ctx, const srv_item *item)
{
    collect *c = ctx;
    int64_t numbers[GEO_COVER_MAX];
    unsigned count;
    aero_geo geo;

    if (!numbers_of(c->particle, item, &c->indexes->arena, &geo, numbers,
                    &count)) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!add_number(c->out, numbers[i])) {
            return false;
        }
    }
    return true;
}

static int
compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static void
sort_and_unite(srv_numbers *n)
{
    uint32_t kept = 0;

    qsort(n->list, n->count, sizeof *n->list, compare);
    for (uint32_t i = 0; i < n->count; i++) {
        if (kept == 0 || n->list[kept - 1] != n->list[i]) {
            n->list[kept++] = n->list[i];
        }
    }
    n->count = kept;
}

bool
srv_index_numbers(srv_indexes *indexes, const srv_index *index,
                  const srv_record *rec, srv_numbers *out)
{
    collect c = {indexes, index->def.particle, out};
    look l = {indexes, index, see_to_collect, &c};

    out->count = 0;
    if (rec == NULL) {
        return true;
    }
    if (index->def.kind == SRV_INDEX_SET) {
        return rec->set != index->def.set || add_number(out, 0);
    }
    if (!see_record(&l, rec)) {
        return false;
    }
    if (out->count > 1) {
        sort_and_unite(out);
    }
    return true;
}

/* ---- what is wanted ---- */

void
srv_want_integers(srv_want *want, int64_t low, int64_t high)
{
    memset(want, 0, sizeof *want);
    aero_arena_init(&want->arena);
    want->particle = AERO_PARTICLE_INTEGER;
    want->ranges[0].low = low;
    want->ranges[0].high = high;
    want->n_ranges = 1;
}

int
srv_want_value(srv_want *want, uint8_t particle, aero_span value)
{
    int code = AERO_ERR_OK;

    memset(want, 0, sizeof *want);
    aero_arena_init(&want->arena);
    want->particle = particle;
    want->item.bytes = value;
    if (particle == AERO_PARTICLE_GEOJSON) {
        code = aero_geo_parse(value, &want->arena, &want->geo);
        if (code == AERO_ERR_OK) {
            want->n_ranges = geo_ranges_of(&want->geo, want->ranges);
        }
    }
    else {
        want->ranges[0].low = hash(value);
        want->ranges[0].high = want->ranges[0].low;
        want->n_ranges = 1;
    }
    return code == AERO_ERR_GEO_INVALID_GEOJSON ? AERO_ERR_REQUEST_INVALID
                                                : code;
}

void
srv_want_fini(srv_want *want)
{
    aero_arena_fini(&want->arena);
}

static bool
is_in_range(const srv_want *want, int64_t number)
{
    for (unsigned i = 0; i < want->n_ranges; i++) {
        if (number >= want->ranges[i].low && number <= want->ranges[i].high) {
            return true;
        }
    }
    return false;
}

typedef struct match {
    srv_indexes *indexes;
    const srv_want *want;
    bool found;
    int64_t number;
} match;

static bool
see_to_match(void *ctx, const srv_item *item)
{
    match *m = ctx;
    const srv_want *want = m->want;
    int64_t numbers[GEO_COVER_MAX];
    unsigned count;
    aero_geo geo;

    if (!numbers_of(want->particle, item, &m->indexes->arena, &geo, numbers,
                    &count)) {
        return false;
    }
    if (want->particle == AERO_PARTICLE_GEOJSON) {
        if (count == 0 || !aero_geo_within(&want->geo, &geo)) {
            return true;
        }
    }
    else if (want->particle != AERO_PARTICLE_INTEGER &&
             !aero_span_equal(want->item.bytes, item->bytes)) {
        return true;
    }
    for (unsigned i = 0; i < count; i++) {
        if (is_in_range(want, numbers[i]) &&
            (!m->found || numbers[i] < m->number)) {
            m->found = true;
            m->number = numbers[i];
        }
    }
    return true;
}

bool
srv_index_match(srv_indexes *indexes, const srv_index *index,
                const srv_record *rec, const srv_want *want, int64_t *number)
{
    match m = {indexes, want, false, 0};
    look l = {indexes, index, see_to_match, &m};

    if (index->def.particle != want->particle || !see_record(&l, rec)) {
        return false;
    }
    *number = m.number;
    return m.found;
}

/* Partitions of a query.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "aero/client/partitions.h"
#include "aero/wire/key.h"

aero_parts *
aero_parts_new(uint32_t begin, uint32_t count)
{
    aero_parts *parts =
        aero_zalloc(sizeof *parts + count * sizeof parts->at[0]);

    if (parts == NULL) {
        return NULL;
    }
    atomic_init(&parts->refs, 1);
    parts->begin = begin;
    parts->count = count;
    for (uint32_t i = 0; i < count; i++) {
        parts->at[i].open = true;
        parts->at[i].share = AERO_NO_SHARE;
    }
    return parts;
}

aero_parts *
aero_parts_acquire(aero_parts *parts)
{
    atomic_fetch_add_explicit(&parts->refs, 1, memory_order_relaxed);
    return parts;
}

void
aero_parts_release(aero_parts *parts)
{
    if (parts != NULL && atomic_fetch_sub_explicit(
                             &parts->refs, 1, memory_order_acq_rel) == 1) {
        aero_free(parts);
    }
}

aero_part *
aero_parts_find(aero_parts *parts, uint32_t id)
{
    return id - parts->begin < parts->count ? &parts->at[id - parts->begin]
                                            : NULL;
}

void
aero_part_resume(aero_part *part, const uint8_t *digest, uint64_t bval)
{
    memcpy(part->digest, digest, AERO_DIGEST_SIZE);
    part->bval = bval;
    part->started = true;
}

bool
aero_parts_are_done(const aero_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->at[i].open) {
            return false;
        }
    }
    return true;
}

/* ---- assigning ---- */

void
aero_shares_free(aero_share *shares, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        aero_node_release(shares[i].node);
    }
    aero_free(shares);
}

static aero_rc
no_nodes(aero_status *st)
{
    return aero_fail(st, AERO_ERR_CLUSTER, "the cluster has no node");
}

static aero_share *
shares_new(const aero_map *map, aero_status *st)
{
    aero_share *shares = aero_zalloc(map->n_nodes * sizeof *shares);

    if (shares == NULL) {
        aero_fail(st, AERO_ERR_CLIENT, "no memory for a query");
    }
    return shares;
}

aero_rc
aero_shares_of_all(aero_cluster *cluster, aero_share **shares, size_t *count,
                   aero_status *st)
{
    aero_map *map = aero_cluster_map(cluster);
    aero_rc rc = AERO_ERROR;

    *count = 0;
    if (map == NULL || map->n_nodes == 0) {
        no_nodes(st);
    }
    else if ((*shares = shares_new(map, st)) != NULL) {
        for (size_t i = 0; i < map->n_nodes; i++) {
            (*shares)[i].node = aero_node_acquire(map->nodes[i]);
        }
        *count = map->n_nodes;
        rc = AERO_OK;
    }
    aero_map_release(map);
    return rc;
}

static uint16_t
share_of(aero_share *shares, size_t *count, aero_node *node)
{
    for (size_t i = 0; i < *count; i++) {
        if (shares[i].node == node) {
            return (uint16_t)i;
        }
    }
    shares[*count].node = aero_node_acquire(node);
    return (uint16_t)(*count)++;
}

static void
assign_part(aero_part *part, aero_node *node, const char *only,
            aero_share *shares, size_t *count)
{
    if (node == NULL) {
        part->failures++;
        return;
    }
    if (only != NULL && strcmp(node->name, only) != 0) {
        part->open = false;
        return;
    }
    part->share = share_of(shares, count, node);
    if (part->started) {
        shares[part->share].n_resumed++;
    }
    else {
        shares[part->share].n_new++;
    }
}

static void
assign_all(aero_parts *parts, const aero_assignment *how, const aero_map *map,
           const aero_table *table, aero_share *shares, size_t *count)
{
    aero_route route = {
        .policy = how->replica,
        .linearize = how->linearize,
        .turn = aero_cluster_turn(how->cluster),
        .rack_ids = how->cluster->config.rack_ids,
        .n_rack_ids = how->cluster->config.n_rack_ids,
    };

    for (uint32_t i = 0; i < parts->count; i++) {
        aero_part *part = &parts->at[i];

        part->share = AERO_NO_SHARE;
        if (part->open) {
            route.try_no = part->failures;
            route.previous = part->avoid;
            assign_part(part,
                        aero_map_route(map, table, parts->begin + i, &route),
                        how->only, shares, count);
        }
    }
}

/* Each may give its part of the records, at least one. */
static void
split(aero_share *shares, size_t count, uint64_t most)
{
    for (size_t i = 0; i < count; i++) {
        shares[i].most = most / count + (i < most % count);
        if (most != 0 && shares[i].most == 0) {
            shares[i].most = 1;
        }
    }
}

aero_rc
aero_parts_assign(aero_parts *parts, const aero_assignment *how,
                  aero_share **shares, size_t *count, aero_status *st)
{
    aero_map *map = aero_cluster_map(how->cluster);
    const aero_table *table;
    aero_rc rc = AERO_ERROR;

    *shares = NULL;
    *count = 0;
    if (map == NULL || map->n_nodes == 0) {
        no_nodes(st);
        goto done;
    }
    table = aero_map_table(map, how->ns);
    if (table == NULL) {
        aero_fail(st, AERO_ERR_NAMESPACE_NOT_FOUND, "Invalid namespace: %.*s",
                  (int)how->ns.len, how->ns.ptr);
        goto done;
    }
    *shares = shares_new(map, st);
    if (*shares == NULL) {
        goto done;
    }
    assign_all(parts, how, map, table, *shares, count);
    split(*shares, *count, how->most);
    rc = AERO_OK;
    if (*count == 0 && !aero_parts_are_done(parts)) {
        rc = aero_fail(st, AERO_ERR_INVALID_NODE,
                       "no node serves the partitions of namespace '%.*s'",
                       (int)how->ns.len, how->ns.ptr);
    }

done:
    aero_map_release(map);
    return rc;
}

/* ---- asking ---- */

static void
put_entries(const aero_parts *parts, uint16_t share, aero_field_type type,
            aero_buf *out)
{
    size_t mark = aero_field_open(out, type);

    for (uint32_t i = 0; i < parts->count; i++) {
        const aero_part *part = &parts->at[i];

        if (part->share != share ||
            part->started != (type != AERO_FIELD_PARTITIONS)) {
            continue;
        }
        if (type == AERO_FIELD_PARTITIONS) {
            aero_query_put_partition(out, parts->begin + i);
        }
        else if (type == AERO_FIELD_DIGESTS) {
            aero_buf_put(out, part->digest, AERO_DIGEST_SIZE);
        }
        else {
            aero_query_put_bval(out, part->bval);
        }
    }
    aero_field_close(out, mark);
}

unsigned
aero_parts_put(const aero_parts *parts, const aero_share *shares,
               uint16_t share, bool with_bvals, aero_buf *out)
{
    unsigned count = 0;

    if (shares[share].n_new != 0) {
        put_entries(parts, share, AERO_FIELD_PARTITIONS, out);
        count++;
    }
    if (shares[share].n_resumed != 0) {
        put_entries(parts, share, AERO_FIELD_DIGESTS, out);
        count++;
        if (with_bvals) {
            put_entries(parts, share, AERO_FIELD_BVALS, out);
            count++;
        }
    }
    return count;
}

/* ---- what came ---- */

bool
aero_parts_accept(aero_parts *parts, uint16_t share,
                  const aero_query_item *item)
{
    aero_part *part = aero_parts_find(parts, aero_partition_of(item->digest));

    if (part == NULL || part->share != share) {
        return false;
    }
    aero_part_resume(part, item->digest, item->bval);
    return true;
}

static void
give_up(aero_part *part, const aero_node *node)
{
    part->share = AERO_NO_SHARE;
    part->failures++;
    part->avoid = node;
}

bool
aero_parts_refuse(aero_parts *parts, uint16_t share, uint32_t id,
                  const aero_node *node)
{
    aero_part *part = aero_parts_find(parts, id);

    if (part == NULL || part->share != share) {
        return false;
    }
    give_up(part, node);
    return true;
}

uint32_t
aero_parts_close(aero_parts *parts, const aero_share *shares, uint16_t share)
{
    bool full =
        shares[share].most != 0 && shares[share].got >= shares[share].most;
    uint32_t closed = 0;

    for (uint32_t i = 0; i < parts->count; i++) {
        aero_part *part = &parts->at[i];

        if (part->share == share) {
            part->share = AERO_NO_SHARE;
            part->open = full;
            closed += !full;
        }
    }
    return closed;
}

void
aero_parts_fail(aero_parts *parts, const aero_share *shares, uint16_t share)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->at[i].share == share) {
            give_up(&parts->at[i], shares[share].node);
        }
    }
}

void
aero_parts_drop(aero_parts *parts, uint16_t share)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->at[i].share == share) {
            parts->at[i].share = AERO_NO_SHARE;
        }
    }
}

/* ---- cursors ----
 *
 *   "AQ" | version u8 | begin u16 | count u16 | entry ...
 *   entry   id u16 | how u8: 0 from the beginning, 1 behind the digest, 2 and
 *           with the index's value | digest 20 | value u64 |
 *
 * All little-endian; partitions that are not there are done. */

enum {
    CURSOR_VERSION = 1,
    CURSOR_HEAD = 7,
    ENTRY_HEAD = 3
};

static void
put_u16le(aero_buf *out, uint32_t value)
{
    aero_buf_put_u8(out, (uint8_t)value);
    aero_buf_put_u8(out, (uint8_t)(value >> 8));
}

void
aero_parts_put_cursor(const aero_parts *parts, aero_buf *out)
{
    aero_buf_put_str(out, "AQ");
    aero_buf_put_u8(out, CURSOR_VERSION);
    put_u16le(out, parts->begin);
    put_u16le(out, parts->count);
    for (uint32_t i = 0; i < parts->count; i++) {
        const aero_part *part = &parts->at[i];
        uint8_t how = (uint8_t)(part->started + (part->bval != 0));

        if (!part->open) {
            continue;
        }
        put_u16le(out, parts->begin + i);
        aero_buf_put_u8(out, part->started ? how : 0);
        if (part->started) {
            aero_buf_put(out, part->digest, AERO_DIGEST_SIZE);
        }
        if (part->started && how == 2) {
            aero_query_put_bval(out, part->bval);
        }
    }
}

static bool
take_entry(aero_parts *parts, aero_span *in)
{
    aero_part *part;
    uint8_t how;
    size_t size;

    if (in->len < ENTRY_HEAD || in->ptr[2] > 2) {
        return false;
    }
    part = aero_parts_find(parts, aero_get_u16le(in->ptr));
    how = in->ptr[2];
    size = ENTRY_HEAD + (how > 0 ? AERO_DIGEST_SIZE : 0) + (how > 1 ? 8 : 0);
    if (part == NULL || part->open || in->len < size) {
        return false;
    }
    part->open = true;
    if (how > 0) {
        const uint8_t *digest = in->ptr + ENTRY_HEAD;

        if (aero_partition_of(digest) != aero_get_u16le(in->ptr)) {
            return false;
        }
        aero_part_resume(part, digest,
                         how > 1 ? aero_get_u64le(digest + AERO_DIGEST_SIZE)
                                 : 0);
    }
    *in = aero_span_skip(*in, size);
    return true;
}

aero_parts *
aero_parts_take_cursor(aero_span cursor, aero_status *st)
{
    aero_parts *parts = NULL;
    uint32_t begin = 0;
    uint32_t count = 0;

    if (cursor.len >= CURSOR_HEAD && memcmp(cursor.ptr, "AQ", 2) == 0 &&
        cursor.ptr[2] == CURSOR_VERSION) {
        begin = aero_get_u16le(cursor.ptr + 3);
        count = aero_get_u16le(cursor.ptr + 5);
    }
    if (count == 0 || begin + count > AERO_PARTITIONS) {
        aero_fail(st, AERO_ERR_PARAM, "this is no cursor of a query");
        return NULL;
    }
    parts = aero_parts_new(begin, count);
    if (parts == NULL) {
        aero_fail(st, AERO_ERR_CLIENT, "no memory for a cursor");
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        parts->at[i].open = false;
    }
    cursor = aero_span_skip(cursor, CURSOR_HEAD);
    while (cursor.len != 0) {
        if (!take_entry(parts, &cursor)) {
            aero_parts_release(parts);
            aero_fail(st, AERO_ERR_PARAM, "the cursor is damaged");
            return NULL;
        }
    }
    return parts;
}

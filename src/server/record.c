/* Bins and the block a record is kept in.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "aero/base/alloc.h"
#include "store.h"

enum {
    BIN_FIXED = 1 + 1 + 4, /* name length, particle, size */
    FLAT_HEAD = 35,        /* the real server's storage: head of a record, */
    FLAT_MARK = 4,         /* what ends it, */
};

/* ---- a record's bins ---- */

static const uint8_t *
read_bin(const uint8_t *p, srv_bin *bin)
{
    size_t name_len = p[0];
    uint32_t size = aero_get_u32(p + 2 + name_len);

    bin->name = aero_span_of(p + 1, name_len);
    bin->val.particle = p[1 + name_len];
    bin->val.bytes = aero_span_of(p + BIN_FIXED + name_len, size);
    return p + BIN_FIXED + name_len + size;
}

aero_val
srv_record_bin(const srv_record *rec, aero_span name)
{
    const uint8_t *p = rec->data + rec->key_len;
    srv_bin bin;

    for (uint32_t i = 0; i < rec->n_bins; i++) {
        p = read_bin(p, &bin);
        if (aero_span_equal(bin.name, name)) {
            return bin.val;
        }
    }
    return aero_val_of(AERO_PARTICLE_NIL, aero_span_of(NULL, 0));
}

static uint8_t *
write_bin(uint8_t *p, const srv_bin *bin)
{
    size_t name_len = bin->name.len;

    p[0] = (uint8_t)name_len;
    if (name_len != 0) {
        memcpy(p + 1, bin->name.ptr, name_len);
    }
    p[1 + name_len] = bin->val.particle;
    aero_set_u32(p + 2 + name_len, (uint32_t)bin->val.bytes.len);
    p += BIN_FIXED + name_len;
    if (bin->val.bytes.len != 0) {
        memcpy(p, bin->val.bytes.ptr, bin->val.bytes.len);
    }
    return p + bin->val.bytes.len;
}

bool
srv_bins_load(srv_bins *bins, const srv_record *rec, uint32_t more,
              aero_arena *arena)
{
    uint32_t count = rec == NULL ? 0 : rec->n_bins;
    const uint8_t *p = rec == NULL ? NULL : rec->data + rec->key_len;

    bins->count = count;
    bins->cap = count + more;
    bins->list = aero_arena_alloc(arena, (bins->cap + 1) * sizeof *bins->list);
    if (bins->list == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        p = read_bin(p, &bins->list[i]);
    }
    return true;
}

srv_bin *
srv_bins_find(const srv_bins *bins, aero_span name)
{
    for (uint32_t i = 0; i < bins->count; i++) {
        if (aero_span_equal(bins->list[i].name, name)) {
            return &bins->list[i];
        }
    }
    return NULL;
}

srv_bin *
srv_bins_add(srv_bins *bins, aero_span name)
{
    srv_bin *bin = &bins->list[bins->count++];

    bin->name = name;
    bin->val = aero_val_of(AERO_PARTICLE_NIL, aero_span_of(NULL, 0));
    return bin;
}

void
srv_bins_remove(srv_bins *bins, srv_bin *bin)
{
    *bin = bins->list[--bins->count];
}

/* ---- the block ---- */

srv_record *
srv_record_new(const uint8_t *digest, aero_span key, const srv_bins *bins)
{
    size_t len = key.len;
    srv_record *rec;
    uint8_t *p;

    for (uint32_t i = 0; i < bins->count; i++) {
        len +=
            BIN_FIXED + bins->list[i].name.len + bins->list[i].val.bytes.len;
    }
    rec = aero_alloc(offsetof(srv_record, data) + len);
    if (rec == NULL) {
        return NULL;
    }
    memset(rec, 0, offsetof(srv_record, data));
    memcpy(rec->digest, digest, AERO_DIGEST_SIZE);
    rec->n_bins = (uint16_t)bins->count;
    rec->key_len = (uint32_t)key.len;
    rec->len = (uint32_t)len;
    p = rec->data;
    if (key.len != 0) {
        memcpy(p, key.ptr, key.len);
        p += key.len;
    }
    for (uint32_t i = 0; i < bins->count; i++) {
        p = write_bin(p, &bins->list[i]);
    }
    return rec;
}

/* ---- its size on the real server's storage ---- */

static size_t
flat_integer(const aero_val *val)
{
    uint64_t n = aero_get_u64(val->bytes.ptr);

    return 2 + (n >> 32 != 0 ? 8 : n >> 16 != 0 ? 4 : n >> 8 != 0 ? 2 : 1);
}

static size_t
flat_value(const aero_val *val)
{
    switch (val->particle) {
    case AERO_PARTICLE_INTEGER:
        return flat_integer(val);
    case AERO_PARTICLE_FLOAT:
        return 1 + 8;
    case AERO_PARTICLE_BOOL:
        return 1 + 1;
    default:
        return 1 + 4 + val->bytes.len;
    }
}

/* A number in groups of seven bits. */
static size_t
flat_number(size_t n)
{
    size_t size = 1;

    while (n >= 0x80) {
        n >>= 7;
        size++;
    }
    return size;
}

size_t
srv_bins_flat_size(const srv_bins *bins, uint32_t void_time, size_t set_len,
                   size_t key_len)
{
    size_t size = FLAT_HEAD + FLAT_MARK;

    size += void_time != 0 ? 4 : 0;
    size += set_len != 0 ? 1 + set_len : 0;
    size += key_len != 0 ? flat_number(key_len) + key_len : 0;
    size += bins->count != 0 ? flat_number(bins->count) : 0;
    for (uint32_t i = 0; i < bins->count; i++) {
        size += 1 + bins->list[i].name.len + flat_value(&bins->list[i].val);
    }
    return size;
}

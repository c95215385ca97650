/* Records, and where they are: a namespace has 4,096 partitions, a partition
 * its records in falling order of digests, which is the order in which a
 * query returns them and resumes.
 *
 * A record is one block: head, user key, bins.
 *
 *   bin: | name length u8 | name | particle u8 | size u32 | value |
 *
 * It knows neither messages nor policies nor sockets.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_STORE_H
#define SRV_STORE_H

#include "aero/base/arena.h"
#include "aero/server/value.h"
#include "aero/wire/key.h"
#include "stat.h"

enum {
    SRV_SETS_MAX = 4095,
    SRV_BINS_MAX = 32767,
    SRV_FLAT_BLOCK = 16 /* the unit in which the statistics count bytes */
};

typedef struct srv_record {
    uint8_t digest[AERO_DIGEST_SIZE];
    uint32_t void_time; /* seconds since 2010; 0: never */
    uint64_t lut;       /* last update, milliseconds since 2010 */
    uint16_t generation;
    uint16_t set; /* 0: none */
    uint16_t n_bins;
    uint32_t key_len; /* 0: no key is kept */
    uint32_t len;     /* of key and bins */
    uint32_t used;    /* what the statistics count it for */
    uint8_t data[];
} srv_record;

typedef struct srv_bin {
    aero_span name;
    aero_val val;
} srv_bin;

/* Bins while a command works on them: names and values are borrowed from the
 * record, the request or the arena. */
typedef struct srv_bins {
    srv_bin *list; /* the arena's */
    uint32_t count;
    uint32_t cap;
} srv_bins;

typedef struct srv_slot {
    uint64_t prefix; /* of the digest, behind the bits of the partition */
    srv_record *rec; /* owned */
} srv_slot;

typedef struct srv_partition {
    srv_slot *slots; /* owned */
    uint32_t count;
    uint32_t cap;
    uint32_t expires; /* no record does before this; 0: none ever */
} srv_partition;

typedef struct srv_set {
    char name[AERO_SET_MAX + 1];
    uint64_t objects;
    uint64_t used;
    uint64_t truncate_lut;
    int64_t config[SRV_SET_CONFIGS];
} srv_set;

typedef struct srv_ns {
    char name[AERO_NAMESPACE_MAX + 1];
    srv_partition parts[AERO_PARTITIONS];
    srv_set *sets; /* owned; number 1 is sets[0] */
    uint32_t n_sets;
    uint64_t objects;
    uint64_t used;
    uint64_t truncate_lut;
    uint64_t expired;
    int64_t config[SRV_NS_CONFIGS];
    uint64_t counts[SRV_COUNTS];
    struct srv_indexes *indexes; /* owned by the core; sindex.h */
    struct srv_txns *txns;       /* the same; NULL: no strong consistency */
    uint16_t monitor_set;        /* that of transactions; 0: not yet there */
    /* Told of every change, before it counts.  Either record may be NULL.
     * False: no memory; then a record that comes does not come, and one that
     * goes, goes all the same. */
    bool (*on_change)(void *ctx, struct srv_ns *ns, const srv_record *before,
                      const srv_record *after);
    void *on_change_ctx;
} srv_ns;

srv_ns *srv_ns_new(const char *name); /* gives; NULL: no memory */
void srv_ns_free(srv_ns *ns);         /* NULL is fine */

/* ---- sets ---- */

/* The number of a set, 0 if it does not exist. */
uint16_t srv_set_find(const srv_ns *ns, aero_span name);
/* The same, made if need be; 0: too long, too many, or no memory. */
uint16_t srv_set_make(srv_ns *ns, aero_span name);
static inline srv_set *
srv_set_of(const srv_ns *ns, uint16_t id)
{
    return id == 0 ? NULL : &ns->sets[id - 1];
}
static inline aero_span
srv_set_name(const srv_ns *ns, uint16_t id)
{
    return id == 0 ? aero_span_of("", 0)
                   : aero_span_str(ns->sets[id - 1].name);
}

/* ---- records ---- */

srv_record *srv_ns_get(const srv_ns *ns, const uint8_t *digest);
/* Takes `rec`, which replaces one of the same digest.  False: no memory,
 * nothing has changed and `rec` is freed. */
bool srv_ns_put(srv_ns *ns, srv_record *rec);
void srv_ns_drop(srv_ns *ns, const uint8_t *digest);

/* The slot behind `digest` in the order of the partition; 0 for NULL. */
uint32_t srv_partition_after(const srv_partition *part, const uint8_t *digest);

/* A record dies when its void time lies behind us. */
static inline bool
srv_record_is_dead(const srv_record *rec, uint32_t now)
{
    return rec->void_time != 0 && rec->void_time < now;
}

void srv_ns_expire(srv_ns *ns, uint32_t now);
/* Drop what was last updated at or before `lut`; set 0: of every set. */
void srv_ns_truncate(srv_ns *ns, uint16_t set, uint64_t lut);
/* A record's void time was changed in place. */
void srv_ns_note_expiry(srv_ns *ns, const srv_record *rec);

static inline aero_span
srv_record_key(const srv_record *rec)
{
    return aero_span_of(rec->data, rec->key_len);
}

/* ---- bins ---- */

/* The value of a bin; particle NIL: there is none. */
aero_val srv_record_bin(const srv_record *rec, aero_span name);

/* Room for `more` bins beyond those of `rec`, which may be NULL.  False: no
 * memory. */
bool srv_bins_load(srv_bins *bins, const srv_record *rec, uint32_t more,
                   aero_arena *arena);
srv_bin *srv_bins_find(const srv_bins *bins, aero_span name);
/* A new bin at the end, without a value; there is room. */
srv_bin *srv_bins_add(srv_bins *bins, aero_span name);
/* The last bin takes its place. */
void srv_bins_remove(srv_bins *bins, srv_bin *bin);

/* Bytes that the real server would need for the record on its storage. */
size_t srv_bins_flat_size(const srv_bins *bins, uint32_t void_time,
                          size_t set_len, size_t key_len);

/* Gives a record with these bins and key and nothing else set; NULL: no
 * memory. */
srv_record *srv_record_new(const uint8_t *digest, aero_span key,
                           const srv_bins *bins);

#endif

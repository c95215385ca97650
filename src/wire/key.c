/* Digests.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "aero/base/bytes.h"
#include "aero/wire/key.h"
#include "ripemd_steps.h"

enum {
    BLOCK = 64,
    LANES = 8,
    ONE_BLOCK_MAX = 55 /* bytes that fit one block with the padding */
};

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

#define WORD     uint32_t
#define COMPRESS compress_one
#include "ripemd_lanes.h"

/* Inlined, because each processor's digest_lanes compiles it anew. */
#define WORD     lanes
#define COMPRESS compress_lanes
#define INLINED  inline __attribute__((always_inline))
#include "ripemd_lanes.h"

static const uint32_t first_state[5] = {0x67452301U, 0xefcdab89U, 0x98badcfeU,
                                        0x10325476U, 0xc3d2e1f0U};

static void
load_block(uint32_t words[16], const uint8_t bytes[BLOCK])
{
    for (int i = 0; i < 16; i++) {
        words[i] = aero_get_u32le(bytes + (ptrdiff_t)4 * i);
    }
}

static void
store_state(uint8_t digest[AERO_DIGEST_SIZE], const uint32_t state[5])
{
    for (int i = 0; i < 5; i++) {
        aero_set_u32le(digest + (ptrdiff_t)4 * i, state[i]);
    }
}

/* The parts of a message of any length, one behind the other. */
typedef struct hasher {
    uint32_t state[5];
    uint8_t block[BLOCK];
    size_t used; /* bytes in block */
    uint64_t total;
} hasher;

static void
hasher_block(hasher *h, const uint8_t bytes[BLOCK])
{
    uint32_t words[16];

    load_block(words, bytes);
    compress_one(h->state, words);
}

static void
hasher_add(hasher *h, aero_span bytes)
{
    h->total += bytes.len;
    while (bytes.len != 0) {
        size_t room = BLOCK - h->used;
        size_t take = bytes.len < room ? bytes.len : room;

        memcpy(h->block + h->used, bytes.ptr, take);
        h->used += take;
        bytes = aero_span_skip(bytes, take);
        if (h->used == BLOCK) {
            hasher_block(h, h->block);
            h->used = 0;
        }
    }
}

static void
hasher_end(hasher *h, uint8_t digest[AERO_DIGEST_SIZE])
{
    h->block[h->used++] = 0x80;
    if (h->used > BLOCK - 8) {
        memset(h->block + h->used, 0, BLOCK - h->used);
        hasher_block(h, h->block);
        h->used = 0;
    }
    memset(h->block + h->used, 0, BLOCK - 8 - h->used);
    aero_set_u64le(h->block + BLOCK - 8, h->total * 8);
    hasher_block(h, h->block);
    store_state(digest, h->state);
}

/* A message that fits one block, padding and length included. */
static void
fill_block(uint8_t block[BLOCK], aero_span set, uint8_t particle,
           aero_span value)
{
    size_t len = set.len + 1 + value.len;

    memset(block, 0, BLOCK);
    if (set.len != 0) {
        memcpy(block, set.ptr, set.len);
    }
    block[set.len] = particle;
    if (value.len != 0) {
        memcpy(block + set.len + 1, value.ptr, value.len);
    }
    block[len] = 0x80;
    aero_set_u64le(block + BLOCK - 8, (uint64_t)len * 8);
}

static bool
fits_one_block(aero_span set, aero_span value)
{
    return set.len < ONE_BLOCK_MAX && value.len < ONE_BLOCK_MAX &&
           set.len + 1 + value.len <= ONE_BLOCK_MAX;
}

void
aero_ripemd160(aero_span bytes, uint8_t digest[AERO_DIGEST_SIZE])
{
    hasher h = {.used = 0, .total = 0};

    memcpy(h.state, first_state, sizeof h.state);
    hasher_add(&h, bytes);
    hasher_end(&h, digest);
}

void
aero_digest(aero_span set, uint8_t particle, aero_span value,
            uint8_t digest[AERO_DIGEST_SIZE])
{
    if (fits_one_block(set, value)) {
        uint8_t block[BLOCK];
        uint32_t words[16];
        uint32_t state[5];

        fill_block(block, set, particle, value);
        load_block(words, block);
        memcpy(state, first_state, sizeof state);
        compress_one(state, words);
        store_state(digest, state);
    }
    else {
        hasher h = {.used = 0, .total = 0};

        memcpy(h.state, first_state, sizeof h.state);
        hasher_add(&h, set);
        hasher_add(&h, aero_span_of(&particle, 1));
        hasher_add(&h, value);
        hasher_end(&h, digest);
    }
}

static inline __attribute__((always_inline)) void
digest_by_lanes(aero_key *const keys[LANES])
{
    uint8_t block[BLOCK];
    uint32_t words[16];
    lanes in[16];
    lanes state[5];

    for (int lane = 0; lane < LANES; lane++) {
        const aero_key *key = keys[lane];

        fill_block(block, key->set, key->particle, key->value);
        load_block(words, block);
        for (int i = 0; i < 16; i++) {
            in[i][lane] = words[i];
        }
        for (int i = 0; i < 5; i++) {
            state[i][lane] = first_state[i];
        }
    }
    compress_lanes(state, in);
    for (int lane = 0; lane < LANES; lane++) {
        uint32_t one[5];

        for (int i = 0; i < 5; i++) {
            one[i] = state[i][lane];
        }
        store_state(keys[lane]->digest, one);
    }
}

static void
digest_lanes(aero_key *const keys[LANES])
{
    digest_by_lanes(keys);
}

#if defined(__x86_64__)
/* The same text: with wider registers, and with rotations of its own. */
__attribute__((target("avx2"))) static void
digest_lanes_avx2(aero_key *const keys[LANES])
{
    digest_by_lanes(keys);
}

__attribute__((target("avx512f,avx512vl"))) static void
digest_lanes_avx512(aero_key *const keys[LANES])
{
    digest_by_lanes(keys);
}
#endif

typedef void (*digest_fn)(aero_key *const keys[LANES]);

static digest_fn
digest_of_processor(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vl")) {
        return digest_lanes_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return digest_lanes_avx2;
    }
#endif
    return digest_lanes;
}

void
aero_digest_many(aero_key *const *keys, size_t count)
{
    digest_fn digest = digest_of_processor();
    aero_key *wait[LANES]; /* keys of one block, not yet hashed */
    int waiting = 0;

    for (size_t i = 0; i < count; i++) {
        aero_key *key = keys[i];

        if (key->particle == AERO_PARTICLE_NIL) {
            continue;
        }
        if (!fits_one_block(key->set, key->value)) {
            aero_digest(key->set, key->particle, key->value, key->digest);
            continue;
        }
        wait[waiting++] = key;
        if (waiting == LANES) {
            digest(wait);
            waiting = 0;
        }
    }
    for (int i = 0; i < waiting; i++) {
        aero_digest(wait[i]->set, wait[i]->particle, wait[i]->value,
                    wait[i]->digest);
    }
}

void
aero_key_set_int(aero_key *key, int64_t value)
{
    aero_set_u64(key->number, (uint64_t)value);
    key->particle = AERO_PARTICLE_INTEGER;
    key->value = aero_span_of(key->number, sizeof key->number);
}

void
aero_key_set_float(aero_key *key, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    aero_set_u64(key->number, bits);
    key->particle = AERO_PARTICLE_FLOAT;
    key->value = aero_span_of(key->number, sizeof key->number);
}

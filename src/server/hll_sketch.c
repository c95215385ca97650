/* Registers, hashes and estimates of a sketch.
 *
 * The count is Ertl's improved estimator (arXiv 1702.01284, algorithm 6) with
 * rho up to 64; similarity is HyperMinHash (arXiv 1710.08436).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "sketch.h"

enum {
    RHO_BITS = 6,
    RHO_MAX = 64
};

bool
sketch_p_ok(int64_t p)
{
    return p >= SKETCH_P_MIN && p <= SKETCH_P_MAX;
}

bool
sketch_q_ok(int64_t q)
{
    return q == 0 || (q >= SKETCH_Q_MIN && q <= SKETCH_Q_MAX);
}

static size_t
size_of(unsigned p, unsigned q)
{
    return SKETCH_HEAD + (((size_t)(RHO_BITS + q) << p) + 7) / 8;
}

bool
sketch_take(aero_span bytes, sketch *out)
{
    if (bytes.len < SKETCH_HEAD || bytes.ptr[0] != 0 ||
        !sketch_p_ok(bytes.ptr[1]) || !sketch_q_ok(bytes.ptr[2]) ||
        bytes.len != size_of(bytes.ptr[1], bytes.ptr[2])) {
        return false;
    }
    out->p = bytes.ptr[1];
    out->q = bytes.ptr[2];
    out->bytes = bytes.ptr;
    out->len = bytes.len;
    return true;
}

bool
sketch_put(aero_buf *buf, uint8_t p, uint8_t q, sketch *out)
{
    buf->len = 0;
    aero_buf_put_zero(buf, size_of(p, q));
    if (buf->failed) {
        return false;
    }
    buf->ptr[1] = p;
    buf->ptr[2] = q;
    return sketch_take(aero_buf_span(buf), out);
}

/* ---- registers ---- */

static uint32_t
registers(const sketch *s)
{
    return 1u << s->p;
}

/* Eight bytes that hold register `r`, and how far its last bit is from their
 * end.  A value has at least eight bytes of registers. */
static size_t
window_of(const sketch *s, uint32_t r, unsigned *up)
{
    unsigned bits = RHO_BITS + s->q;
    size_t at = (size_t)r * bits;
    size_t byte = SKETCH_HEAD + at / 8;

    if (byte > s->len - 8) {
        byte = s->len - 8;
    }
    *up = 64 - bits - (unsigned)(at - (byte - SKETCH_HEAD) * 8);
    return byte;
}

static uint64_t
mask_of(const sketch *s)
{
    return (UINT64_C(1) << (RHO_BITS + s->q)) - 1;
}

static uint64_t
get(const sketch *s, uint32_t r)
{
    unsigned up;
    size_t byte = window_of(s, r, &up);

    return aero_get_u64(s->bytes + byte) >> up & mask_of(s);
}

static void
set(sketch *s, uint32_t r, uint64_t value)
{
    unsigned up;
    uint8_t *p = (uint8_t *)s->bytes + window_of(s, r, &up);
    uint64_t mask = mask_of(s);

    aero_set_u64(p, (aero_get_u64(p) & ~(mask << up)) | (value & mask) << up);
}

void
sketch_remember(sketch *s, uint64_t count)
{
    aero_set_u64le((uint8_t *)s->bytes + 3, count);
}

/* ---- hashing: MurmurHash3 x64 128, seed 0 ---- */

static uint64_t
rotl(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static uint64_t
finish(uint64_t h)
{
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

static const uint64_t murmur1 = UINT64_C(0x87c37b91114253d5);
static const uint64_t murmur2 = UINT64_C(0x4cf5ad432745937f);

static uint64_t
scramble1(uint64_t k)
{
    return rotl(k * murmur1, 31) * murmur2;
}

static uint64_t
scramble2(uint64_t k)
{
    return rotl(k * murmur2, 33) * murmur1;
}

static void
murmur3(aero_span bytes, uint64_t out[2])
{
    uint64_t h1 = 0;
    uint64_t h2 = 0;
    uint64_t size = bytes.len;
    uint8_t tail[16] = {0};

    for (; bytes.len >= 16; bytes = aero_span_skip(bytes, 16)) {
        h1 ^= scramble1(aero_get_u64le(bytes.ptr));
        h1 = (rotl(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= scramble2(aero_get_u64le(bytes.ptr + 8));
        h2 = (rotl(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    if (bytes.len != 0) {
        memcpy(tail, bytes.ptr, bytes.len);
    }
    h1 ^= scramble1(aero_get_u64le(tail)) ^ size;
    h2 ^= scramble2(aero_get_u64le(tail + 8)) ^ size;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    out[0] = h1 + h2;
    out[1] = h2 + out[0];
}

/* Which register, and what it would hold. */
static uint64_t
hash_of(const sketch *s, aero_span element, uint32_t *r)
{
    uint64_t h[2];
    uint64_t rho;

    murmur3(element, h);
    rho = h[1] == 0 ? RHO_MAX : (uint64_t)__builtin_ctzll(h[1]) + 1;
    *r = (uint32_t)h[0] & (registers(s) - 1);
    return rho << s->q | (h[0] >> s->p & ((UINT64_C(1) << s->q) - 1));
}

bool
sketch_add(sketch *s, aero_span element)
{
    uint32_t r;
    uint64_t value = hash_of(s, element, &r);

    if (get(s, r) >= value) {
        return false;
    }
    set(s, r, value);
    sketch_remember(s, 0);
    return true;
}

bool
sketch_may_contain(const sketch *s, aero_span element)
{
    uint32_t r;
    uint64_t value = hash_of(s, element, &r);

    return get(s, r) >= value;
}

/* ---- several ---- */

void
sketch_join(sketch *into, const sketch *from)
{
    uint32_t mask = registers(into) - 1;
    unsigned drop = into->q == 0 ? from->q : 0;

    for (uint32_t r = 0; r < registers(from); r++) {
        uint64_t value = get(from, r) >> drop;

        if (get(into, r & mask) < value) {
            set(into, r & mask, value);
        }
    }
    sketch_remember(into, 0);
}

void
sketch_common(const sketch *sets, size_t count, uint8_t *p, uint8_t *q)
{
    *p = sets[0].p;
    *q = sets[0].q;
    for (size_t i = 1; i < count; i++) {
        if (sets[i].p < *p) {
            *p = sets[i].p;
        }
        if (sets[i].q != *q) {
            *q = 0;
        }
    }
}

/* Keep in `into` only what all registers of `from` that fold to it agree
 * on: the server compares them one by one rather than folding first. */
static void
keep_equal(sketch *into, const sketch *from)
{
    uint32_t mask = registers(into) - 1;

    for (uint32_t r = 0; r < registers(from); r++) {
        if (get(into, r & mask) != get(from, r)) {
            set(into, r & mask, 0);
        }
    }
}

static uint32_t
used(const sketch *s)
{
    uint32_t count = 0;

    for (uint32_t r = 0; r < registers(s); r++) {
        count += get(s, r) != 0;
    }
    return count;
}

/* As the server looks: at the first 2^p bytes only, though registers with
 * minhash bits are longer than a byte. */
static bool
has_data(const sketch *s)
{
    for (uint32_t i = 0; i < registers(s); i++) {
        if (s->bytes[SKETCH_HEAD + i] != 0) {
            return true;
        }
    }
    return false;
}

/* ---- estimates ---- */

static double
tau(double x)
{
    double y = 1;
    double z = 1 - x;
    double before;

    if (x == 0 || x == 1) {
        return 0;
    }
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (before != z);
    return z / 3;
}

static double
sigma(double x)
{
    double y = 1;
    double z = x;
    double before;

    if (x == 1) {
        return INFINITY;
    }
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (before != z);
    return z;
}

static double
alpha(unsigned p)
{
    static const double small[] = {0.673, 0.697, 0.709};

    return p < 7 ? small[p - 4] : 0.7213 / (1 + 1.079 / (1u << p));
}

uint64_t
sketch_count(const sketch *s)
{
    uint64_t remembered = aero_get_u64le(s->bytes + 3);
    uint32_t with[RHO_MAX + 1] = {0}; /* registers by rho */
    double n = registers(s);
    double z;

    if (remembered != 0) {
        return remembered;
    }
    for (uint32_t r = 0; r < registers(s); r++) {
        with[get(s, r) >> s->q]++;
    }
    z = n * tau(with[RHO_MAX] / n);
    for (int k = RHO_MAX; k > 0; k--) {
        z = 0.5 * (z + with[k]);
    }
    z += n * sigma(with[0] / n);
    return (uint64_t)llround(alpha(s->p) * n * n / z);
}

static bool
join_all(const sketch *sets, size_t count, aero_buf *work, sketch *out)
{
    uint8_t p;
    uint8_t q;

    sketch_common(sets, count, &p, &q);
    if (!sketch_put(work, p, q, out)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sketch_join(out, &sets[i]);
    }
    return true;
}

bool
sketch_union_count(const sketch *sets, size_t count, aero_buf *work,
                   uint64_t *out)
{
    sketch all;

    if (!join_all(sets, count, work, &all)) {
        return false;
    }
    *out = sketch_count(&all);
    return true;
}

/* How many registers of two sets are expected to be equal by chance. */
static double
collisions(unsigned p, unsigned q, double a, double b)
{
    double n = 1u << p;
    double sum = 0;

    for (int k = 1; k <= RHO_MAX; k++) {
        double b1 = k == RHO_MAX ? 0 : ldexp(1, -k) / n;
        double b2 = ldexp(1, 1 - k) / n;

        sum += (pow(1 - b1, a) - pow(1 - b2, a)) *
               (pow(1 - b1, b) - pow(1 - b2, b));
    }
    return sum * n / ldexp(1, (int)q);
}

/* By inclusion and exclusion, of two or three sets. */
static bool
intersect_by_counts(const sketch *sets, size_t count, aero_buf *work,
                    uint64_t *out)
{
    const sketch ends[2] = {sets[0], sets[count - 1]};
    uint64_t all;
    uint64_t pairs[3];
    uint64_t sum = 0;
    int64_t left;

    if (!sketch_union_count(sets, count, work, &all)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t one = sketch_count(&sets[i]);

        if (sum + one < sum) {
            sum = UINT64_MAX;
            break;
        }
        sum += one;
    }
    if (count == 2) {
        *out = sum > all ? sum - all : 0;
        return true;
    }
    if (!sketch_intersect_count(sets, 2, work, &pairs[0]) ||
        !sketch_intersect_count(sets + 1, 2, work, &pairs[1]) ||
        !sketch_intersect_count(ends, 2, work, &pairs[2])) {
        return false;
    }
    left = (int64_t)(all - (sum - (pairs[0] + pairs[1] + pairs[2])));
    *out = left < 0 ? 0 : (uint64_t)left;
    return true;
}

/* By the registers that are equal in all sets. */
static bool
similar_by_registers(const sketch *sets, size_t count, aero_buf *work,
                     double *out)
{
    size_t empty = 0;
    sketch all;
    double joined;
    double chance = 0;
    double equal;

    for (size_t i = 0; i < count; i++) {
        empty += !has_data(&sets[i]);
    }
    if (empty != 0) {
        *out = empty == count ? NAN : 0;
        return true;
    }
    if (!join_all(sets, count, work, &all)) {
        return false;
    }
    joined = used(&all);
    if (!sketch_put(work, all.p, all.q, &all)) {
        return false;
    }
    sketch_join(&all, &sets[0]);
    for (size_t i = 1; i < count; i++) {
        keep_equal(&all, &sets[i]);
    }
    equal = used(&all);
    if (count == 2) {
        chance = collisions(all.p, all.q, (double)sketch_count(&sets[0]),
                            (double)sketch_count(&sets[1]));
    }
    *out = (equal - chance) / joined;
    if (*out < 0) {
        *out = 0;
    }
    return true;
}

bool
sketch_similarity(const sketch *sets, size_t count, aero_buf *work,
                  double *out)
{
    uint8_t p;
    uint8_t q;
    uint64_t both;
    uint64_t all;

    sketch_common(sets, count, &p, &q);
    if (q != 0) {
        return similar_by_registers(sets, count, work, out);
    }
    if (!intersect_by_counts(sets, count, work, &both) ||
        !sketch_union_count(sets, count, work, &all)) {
        return false;
    }
    *out = (double)both / (double)all;
    return true;
}

bool
sketch_intersect_count(const sketch *sets, size_t count, aero_buf *work,
                       uint64_t *out)
{
    uint8_t p;
    uint8_t q;
    double similar;
    uint64_t all;

    sketch_common(sets, count, &p, &q);
    if (q == 0) {
        return intersect_by_counts(sets, count, work, out);
    }
    if (!sketch_similarity(sets, count, work, &similar)) {
        return false;
    }
    if (isnan(similar)) {
        *out = 0;
        return true;
    }
    if (!sketch_union_count(sets, count, work, &all)) {
        return false;
    }
    *out = (uint64_t)llround((double)all * similar);
    return true;
}

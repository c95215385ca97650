/* Bit operations: arguments by the table's letters, then one small function
 * for each operation.
 *
 * Ranges are worked on in chunks of up to eight bits at any offset; what a
 * chunk reads outside its window is zero, which makes shifts the same loop as
 * and, or and not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/server/bits.h"
#include "aero/wire/bits.h"

#include "args.h"
#include "made.h"

enum {
    BYTES_MAX = 128 << 20
};

typedef struct bits_call {
    aero_span old;  /* the blob as it is */
    bool missing;   /* there is no bin */
    int64_t offset; /* in bits, from the start once placed */
    int64_t size;   /* in bits */
    int64_t value;
    aero_span bytes;
    int64_t flags;
    int64_t sub; /* resize, arithmetic or sign flags */
    aero_made *reply;
    aero_made *after;
} bits_call;

typedef struct bits_op {
    const char *args; /* NULL: no such code */
    bool modify;
    uint8_t flags;
    int (*run)(bits_call *c);
} bits_op;

/* ---- bits at any offset ---- */

/* The `n` (1 to 8) bits at `at`; those outside [from, to) are zero. */
static unsigned
window(const uint8_t *p, int64_t at, unsigned n, int64_t from, int64_t to)
{
    unsigned got = 0;

    if (at >= from && at + (int64_t)n <= to) {
        unsigned two = (unsigned)p[at / 8] << 8;

        if (at % 8 + n > 8) {
            two |= p[at / 8 + 1];
        }
        return two >> (16 - at % 8 - n) & (0xffu >> (8 - n));
    }
    for (int64_t i = at; i < at + (int64_t)n; i++) {
        unsigned bit = i >= from && i < to ? p[i / 8] >> (7 - i % 8) & 1u : 0u;

        got = got << 1 | bit;
    }
    return got;
}

static void
put_bits(uint8_t *p, int64_t at, unsigned n, unsigned value)
{
    unsigned room = 16 - (unsigned)(at % 8) - n;
    unsigned mask = (0xffu >> (8 - n)) << room;
    unsigned bits = value << room;

    p += at / 8;
    p[0] = (uint8_t)((p[0] & ~(mask >> 8)) | bits >> 8);
    if ((mask & 0xff) != 0) {
        p[1] = (uint8_t)((p[1] & ~mask) | bits);
    }
}

static unsigned
chunk_len(const bits_call *c, int64_t i)
{
    return c->size - i < 8 ? (unsigned)(c->size - i) : 8;
}

/* The chunk `i` bits into the range, of the blob as it was. */
static unsigned
old_chunk(const bits_call *c, int64_t i, unsigned n)
{
    return window(c->old.ptr, c->offset + i, n, c->offset,
                  c->offset + c->size);
}

static unsigned
arg_chunk(const bits_call *c, int64_t i, unsigned n)
{
    return window(c->bytes.ptr, i, n, 0, (int64_t)c->bytes.len * 8);
}

static uint64_t
load_int(const bits_call *c)
{
    uint64_t value = 0;

    for (int64_t i = 0; i < c->size; i += 8) {
        unsigned n = chunk_len(c, i);

        value = value << n | old_chunk(c, i, n);
    }
    return value;
}

/* ---- where ---- */

/* Make the offset count from the start. */
static int
place(bits_call *c)
{
    if (c->offset < 0) {
        c->offset += (int64_t)c->old.len * 8;
        if (c->missing || c->offset < 0) {
            return AERO_ERR_REQUEST_INVALID;
        }
    }
    return GO_ON;
}

/* `code`, unless failing is not wanted. */
static int
refuse(const bits_call *c, int code)
{
    return (c->flags & AERO_BIT_NO_FAIL) != 0 ? AERO_ERR_OK : code;
}

/* The range must lie in the blob; PARTIAL cuts it at the end. */
static int
fit(bits_call *c, int code)
{
    int64_t end = (int64_t)c->old.len * 8;

    if (c->offset >= end) {
        return refuse(c, code);
    }
    if (c->offset + c->size > end) {
        if ((c->flags & AERO_BIT_PARTIAL) == 0) {
            return refuse(c, code);
        }
        c->size = end - c->offset;
    }
    return GO_ON;
}

/* ---- operations that change the length ---- */

/* The new blob: `head` bytes of the old, zeros up to `at`, the bytes of
 * `middle` or as many zeros, then the old from `tail` on. */
static int
splice(bits_call *c, size_t head, size_t at, aero_span middle, size_t tail)
{
    size_t len = at + middle.len + (c->old.len - tail);
    aero_buf *out;

    if (len >= BYTES_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    out = made_as(c->after, AERO_PARTICLE_BLOB);
    aero_buf_reserve(out, len);
    aero_buf_put(out, c->old.ptr, head);
    aero_buf_put_zero(out, at - head);
    if (middle.ptr != NULL) {
        aero_buf_put_span(out, middle);
    }
    else {
        aero_buf_put_zero(out, middle.len);
    }
    aero_buf_put(out, c->old.ptr + tail, c->old.len - tail);
    return made_rc(c->after);
}

static int
run_RESIZE(bits_call *c)
{
    size_t size = (size_t)c->size / 8;
    size_t old = c->old.len;
    bool front = (c->sub & AERO_BIT_FROM_FRONT) != 0;

    if (size == old) {
        return AERO_ERR_OK;
    }
    if (size < old) {
        size_t less = old - size;

        if ((c->sub & AERO_BIT_GROW_ONLY) != 0) {
            return refuse(c, AERO_ERR_REQUEST_INVALID);
        }
        return front ? splice(c, 0, 0, aero_span_of(NULL, 0), less)
                     : splice(c, size, size, aero_span_of(NULL, 0), old);
    }
    if ((c->sub & AERO_BIT_SHRINK_ONLY) != 0) {
        return refuse(c, AERO_ERR_REQUEST_INVALID);
    }
    return front ? splice(c, 0, 0, aero_span_of(NULL, size - old), 0)
                 : splice(c, old, size, aero_span_of(NULL, 0), old);
}

static int
run_INSERT(bits_call *c)
{
    size_t at = (size_t)c->offset / 8;
    size_t head = at < c->old.len ? at : c->old.len;

    return splice(c, head, at, c->bytes, head);
}

static int
run_REMOVE(bits_call *c)
{
    size_t at = (size_t)c->offset / 8;
    int rc = fit(c, AERO_ERR_REQUEST_INVALID);

    if (rc != GO_ON) {
        return rc;
    }
    return splice(c, at, at, aero_span_of(NULL, 0), at + (size_t)c->size / 8);
}

/* ---- operations that overwrite ---- */

typedef unsigned (*chunk_fn)(const bits_call *c, int64_t i, unsigned n);

static int
overwrite(bits_call *c, chunk_fn chunk)
{
    int rc = fit(c, AERO_ERR_OP_NOT_APPLICABLE);
    aero_buf *out;

    if (rc != GO_ON) {
        return rc;
    }
    out = made_as(c->after, AERO_PARTICLE_BLOB);
    aero_buf_put_span(out, c->old);
    if (out->failed) {
        return made_rc(c->after);
    }
    for (int64_t i = 0; i < c->size; i += 8) {
        unsigned n = chunk_len(c, i);

        put_bits(out->ptr, c->offset + i, n, chunk(c, i, n));
    }
    return AERO_ERR_OK;
}

/* The functions of a chunk, and the operations made of them. */
#define OVERWRITE(name, value)                                                \
    static unsigned chunk_##name(const bits_call *c, int64_t i, unsigned n)   \
    {                                                                         \
        return value;                                                         \
    }                                                                         \
    static int run_##name(bits_call *c)                                       \
    {                                                                         \
        return overwrite(c, chunk_##name);                                    \
    }

OVERWRITE(SET, arg_chunk(c, i, n))
OVERWRITE(OR, old_chunk(c, i, n) | arg_chunk(c, i, n))
OVERWRITE(XOR, old_chunk(c, i, n) ^ arg_chunk(c, i, n))
OVERWRITE(AND, old_chunk(c, i, n) & arg_chunk(c, i, n))
OVERWRITE(NOT, old_chunk(c, i, n) ^ 0xffu >> (8 - n))
OVERWRITE(LSHIFT, old_chunk(c, i + c->value, n))
OVERWRITE(RSHIFT, old_chunk(c, i - c->value, n))
/* The value stands in the low bits of `value`. */
OVERWRITE(SET_INT, (unsigned)((uint64_t)c->value >> (c->size - i - n)) &
                       0xffu >> (8 - n))

/* Whether a sum of two integers of `size` bits left their range, judged by
 * signs as the server does: a result of zero is never noticed, and the
 * addend of a subtraction is its negative, even where that has no room. */
static int
signed_overflow(const bits_call *c, uint64_t load, uint64_t add, uint64_t sum)
{
    unsigned up = 64 - (unsigned)c->size;
    int64_t a = (int64_t)(load << up);
    int64_t b = (int64_t)(add << up);
    int64_t s = (int64_t)(sum << up);

    if (a < 0 && b < 0 && s > 0) {
        return -1;
    }
    return a > 0 && b > 0 && s < 0;
}

/* Add or, with `minus`, subtract; `over` is the unsigned overflow's side. */
static int
arithmetic(bits_call *c, bool minus)
{
    uint64_t mask = UINT64_MAX >> (64 - c->size);
    uint64_t load, value, sum;
    int over;
    int rc = fit(c, AERO_ERR_OP_NOT_APPLICABLE);

    if (rc != GO_ON) {
        return rc;
    }
    load = load_int(c);
    value = (uint64_t)c->value & mask;
    sum = (minus ? load - value : load + value) & mask;
    if ((c->sub & AERO_BIT_SIGNED) != 0) {
        over = signed_overflow(c, load, minus ? 0 - value : value, sum);
    }
    else {
        over = minus ? -(sum > load) : sum < load;
    }
    if (over != 0 && (c->sub & AERO_BIT_WRAP) == 0) {
        uint64_t top = (c->sub & AERO_BIT_SIGNED) != 0 ? mask >> 1 : mask;

        if ((c->sub & AERO_BIT_SATURATE) == 0) {
            return refuse(c, AERO_ERR_OP_NOT_APPLICABLE);
        }
        sum = over > 0 ? top : mask ^ top;
    }
    c->value = (int64_t)sum;
    return overwrite(c, chunk_SET_INT);
}

static int
run_ADD(bits_call *c)
{
    return arithmetic(c, false);
}

static int
run_SUBTRACT(bits_call *c)
{
    return arithmetic(c, true);
}

/* ---- reads ---- */

static int
run_GET(bits_call *c)
{
    aero_buf *out = made_as(c->reply, AERO_PARTICLE_BLOB);

    for (int64_t i = 0; i < c->size; i += 8) {
        unsigned n = chunk_len(c, i);

        aero_buf_put_u8(out, (uint8_t)(old_chunk(c, i, n) << (8 - n)));
    }
    return made_rc(c->reply);
}

static int
run_COUNT(bits_call *c)
{
    int64_t count = 0;

    for (int64_t i = 0; i < c->size; i += 8) {
        count += __builtin_popcount(old_chunk(c, i, chunk_len(c, i)));
    }
    return made_int(c->reply, count);
}

static unsigned
bit_at(const bits_call *c, int64_t at)
{
    return c->old.ptr[at / 8] >> (7 - at % 8) & 1u;
}

/* The first bit from `at` on, `step` by `step`, that is as wanted; a byte
 * that holds none is stepped over.  -1 beyond `stop`. */
static int64_t
scan(const bits_call *c, int64_t at, int64_t stop, int step)
{
    uint8_t none = c->value != 0 ? 0x00 : 0xff;

    while (at != stop) {
        bool fresh = at % 8 == (step > 0 ? 0 : 7);

        if (fresh && c->old.ptr[at / 8] == none && (stop - at) / step >= 8) {
            at += 8 * step;
        }
        else if (bit_at(c, at) == (unsigned)c->value) {
            return at;
        }
        else {
            at += step;
        }
    }
    return -1;
}

static int
run_LSCAN(bits_call *c)
{
    int64_t at = scan(c, c->offset, c->offset + c->size, 1);

    return made_int(c->reply, at < 0 ? -1 : at - c->offset);
}

/* The server also finds bits of the first byte in front of the range, and
 * answers with their negative distance. */
static int
run_RSCAN(bits_call *c)
{
    int64_t first = c->offset - c->offset % 8;
    int64_t at = scan(c, c->offset + c->size - 1, first - 1, -1);

    return made_int(c->reply, at < 0 ? -1 : at - c->offset);
}

static int
run_GET_INT(bits_call *c)
{
    uint64_t value = load_int(c);
    unsigned up = 64 - (unsigned)c->size;

    if ((c->sub & AERO_BIT_SIGNED) != 0) {
        value = (uint64_t)((int64_t)(value << up) >> up);
    }
    return made_int(c->reply, (int64_t)value);
}

/* ---- arguments ---- */

static bool
take_within(aero_span *in, int64_t least, int64_t most, int64_t scale,
            int64_t *out)
{
    int64_t value;

    if (!take_int(in, &value)) {
        return false;
    }
    if (value == INT64_MIN && least < 0) {
        value = 0; /* the server's check of offsets lets it pass as this */
    }
    *out = value * scale;
    return value >= least && value <= most;
}

static bool
take_blob(bits_call *c, aero_span *in)
{
    /* the particle byte is no part of it */
    if (!take_raw_bytes(in, &c->bytes) || c->bytes.len < 2) {
        return false;
    }
    c->bytes = aero_span_skip(c->bytes, 1);
    return (int64_t)c->bytes.len * 8 >= c->size;
}

static bool
take_arg(bits_call *c, char letter, uint8_t flags, aero_span *in)
{
    const int64_t bits = (int64_t)BYTES_MAX * 8;

    switch (letter) {
    case 'o':
        return take_within(in, -bits, bits, 1, &c->offset);
    case 'O':
        return take_within(in, -BYTES_MAX, BYTES_MAX, 8, &c->offset);
    case 's':
        return take_within(in, 1, bits, 1, &c->size);
    case 'S':
        return take_within(in, 1, BYTES_MAX, 8, &c->size);
    case 'z':
        return take_within(in, 0, BYTES_MAX, 8, &c->size);
    case 'i':
        return take_within(in, 1, 64, 1, &c->size);
    case 'v':
        return take_int(in, &c->value);
    case 'n':
        return take_within(in, 0, bits, 1, &c->value);
    case 'b':
        return take_blob(c, in);
    case 't':
        return take_bool(in, &c->value);
    case 'f':
        return take_flags(
            in, flags, AERO_BIT_CREATE_ONLY | AERO_BIT_UPDATE_ONLY, &c->flags);
    case 'r':
        return take_flags(in, 7, AERO_BIT_GROW_ONLY | AERO_BIT_SHRINK_ONLY,
                          &c->sub);
    case 'a':
        return take_flags(in, 7, AERO_BIT_SATURATE | AERO_BIT_WRAP, &c->sub);
    default: /* 'g' */
        return take_flags(in, AERO_BIT_SIGNED, -1, &c->sub);
    }
}

static bool
take_args(bits_call *c, const bits_op *op, uint32_t count, aero_span *in)
{
    const char *letters = op->args;

    if (!args_fit(letters, count)) {
        return false;
    }
    while (count-- != 0) {
        if (!take_arg(c, next_letter(&letters), op->flags, in)) {
            return false;
        }
    }
    return true;
}

/* ---- the operation ---- */

#define READ   false
#define MODIFY true

static const bits_op ops[] = {
#define BIT_OP(name, code, mode, args, flags, text)                           \
    [code] = {args, mode, flags, run_##name},
#define BIT_OP_82(name, code, mode, args, flags, text)
#include "aero/wire/tables/bit.def"
#undef BIT_OP
#undef BIT_OP_82
};

static const bits_op *
find_op(aero_span *in, bool modify, uint32_t *args)
{
    const bits_op *op;
    uint32_t code;

    if (!take_opcode(in, &code, args) || code >= sizeof ops / sizeof ops[0]) {
        return NULL;
    }
    op = &ops[code];
    return op->args != NULL && op->modify == modify ? op : NULL;
}

/* What a modify needs of its bin's existence. */
static int
check_presence(const bits_call *c, const bits_op *op)
{
    bool creates = op->run == run_RESIZE || op->run == run_INSERT;

    if (!c->missing) {
        return (c->flags & AERO_BIT_CREATE_ONLY) != 0
                   ? refuse(c, AERO_ERR_BIN_EXISTS)
                   : GO_ON;
    }
    if (!creates || (c->flags & AERO_BIT_UPDATE_ONLY) != 0) {
        return refuse(c, AERO_ERR_BIN_NOT_FOUND);
    }
    return GO_ON;
}

int
aero_bits_apply(aero_val bin, bool modify, aero_span payload, aero_made *reply,
                aero_made *after)
{
    bits_call c = {.old = bin.bytes,
                   .missing = bin.particle == AERO_PARTICLE_NIL,
                   .reply = reply,
                   .after = after};
    const bits_op *op;
    uint32_t args;
    int rc;

    aero_made_clear(reply);
    aero_made_clear(after);
    if (c.missing) {
        c.old = aero_span_of("", 0);
        if (!modify) {
            return AERO_ERR_OK;
        }
    }
    op = find_op(&payload, modify, &args);
    if (op == NULL || !take_args(&c, op, args, &payload)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (modify && (rc = check_presence(&c, op)) != GO_ON) {
        return rc;
    }
    if (!c.missing && bin.particle != AERO_PARTICLE_BLOB) {
        return AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    if ((rc = place(&c)) != GO_ON) {
        return rc;
    }
    if (!modify && (rc = fit(&c, AERO_ERR_OP_NOT_APPLICABLE)) != GO_ON) {
        return rc;
    }
    return op->run(&c);
}

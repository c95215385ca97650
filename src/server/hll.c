/* HyperLogLog operations: arguments by the table's letters, then one small
 * function for each operation; the numbers are the sketch's (sketch.h).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/arena.h"
#include "aero/server/hll.h"
#include "aero/wire/hll.h"
#include "args.h"
#include "made.h"
#include "sketch.h"

typedef struct hll_call {
    bool missing; /* there is no bin */
    sketch old;   /* views the bin */
    int64_t p;
    int64_t q;
    int64_t flags;
    aero_span elements; /* of a list: what stands behind its header */
    uint32_t count;     /* of elements */
    sketch *sets;       /* the arguments, and behind them the bin */
    size_t args;        /* how many sets are arguments */
    size_t all;         /* those and the bin */
    aero_buf work;      /* owned */
    aero_arena arena;   /* owned */
    aero_made *reply;
    aero_made *after;
} hll_call;

typedef struct hll_op {
    const char *args; /* NULL: no such code */
    bool modify;
    uint8_t flags;
    int (*run)(hll_call *c);
} hll_op;

/* ---- elements ---- */

/* Ext items with a long header become as short as they can be. */
static void
put_short_ext(aero_buf *out, const aero_token *token)
{
    size_t len = token->bytes.len;

    if (len != 0 && len <= 16 && (len & (len - 1)) == 0) {
        aero_buf_put_u8(out, (uint8_t)(0xd4 + __builtin_ctzl(len)));
    }
    else if (len <= 0xff) {
        aero_buf_put_u16(out, (uint16_t)(0xc700 | len));
    }
    else if (len <= 0xffff) {
        aero_buf_put_u8(out, 0xc8);
        aero_buf_put_u16(out, (uint16_t)len);
    }
    else {
        aero_buf_put_u8(out, 0xc9);
        aero_buf_put_u32(out, (uint32_t)len);
    }
    aero_buf_put_u8(out, (uint8_t)token->ext_type);
    aero_buf_put_span(out, token->bytes);
}

/* The element's bytes as they would be stored: what is hashed.  A bin item
 * whose length needs its header stays one, as the server leaves it. */
static bool
take_element(aero_span *in, aero_buf *work, aero_span *out)
{
    const uint8_t *from = in->ptr;
    aero_token token;

    if (!aero_token_take(in, &token)) {
        return false;
    }
    work->len = 0;
    switch (token.kind) {
    case AERO_TOKEN_INT:
        aero_pack_int(work, token.number);
        break;
    case AERO_TOKEN_RAW:
        if ((*from == 0xc4 && token.bytes.len > 0x1f) ||
            (*from == 0xc5 && token.bytes.len > 0xff) ||
            (*from == 0xc6 && token.bytes.len > 0xffff)) {
            aero_buf_put(work, from, (size_t)(in->ptr - from));
        }
        else {
            aero_pack_name(work, token.bytes);
        }
        break;
    case AERO_TOKEN_EXT:
        put_short_ext(work, &token);
        break;
    case AERO_TOKEN_LIST:
    case AERO_TOKEN_MAP:
        return false;
    default:
        aero_buf_put(work, from, (size_t)(in->ptr - from));
        break;
    }
    *out = aero_buf_span(work);
    return true;
}

/* ---- arguments ---- */

/* One or several sets, and the bin's behind them. */
static int
take_sets(hll_call *c, aero_span *in)
{
    uint32_t count = 1;
    uint8_t lead = in->len == 0 ? 0 : in->ptr[0];

    if ((lead & 0xf0) == 0x90 || lead == 0xdc || lead == 0xdd) {
        if (!take_list(in, &count) || count == 0) {
            return AERO_ERR_REQUEST_INVALID;
        }
    }
    c->sets = aero_arena_array(&c->arena, (size_t)count + 1, sizeof *c->sets);
    if (c->sets == NULL) {
        return AERO_ERR_SERVER;
    }
    for (c->args = 0; c->args < count; c->args++) {
        aero_span raw;

        if (!take_raw_bytes(in, &raw) || raw.len == 0 ||
            !sketch_take(aero_span_skip(raw, 1), &c->sets[c->args])) {
            return AERO_ERR_REQUEST_INVALID;
        }
    }
    c->all = c->args;
    if (!c->missing) {
        c->sets[c->all++] = c->old;
    }
    return GO_ON;
}

/* More than two sets can only be intersected by their minhash bits. */
static int
take_few_sets(hll_call *c, aero_span *in)
{
    uint8_t p;
    uint8_t q;
    int rc = take_sets(c, in);

    if (rc != GO_ON || c->args <= 2) {
        return rc;
    }
    sketch_common(c->sets, c->args, &p, &q);
    if (q == 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return q == c->old.q ? GO_ON : AERO_ERR_OP_NOT_APPLICABLE;
}

static bool
take_elements(hll_call *c, aero_span *in)
{
    aero_span element;

    if (!take_list(in, &c->count) || c->count == 0) {
        return false;
    }
    c->elements = *in;
    for (uint32_t i = 0; i < c->count; i++) {
        if (!take_element(in, &c->work, &element)) {
            return false;
        }
    }
    return true;
}

static bool
take_q(hll_call *c, aero_span *in)
{
    if (!take_int(in, &c->q)) {
        return false;
    }
    return c->q == AERO_HLL_NOT_GIVEN ||
           (sketch_q_ok(c->q) &&
            (c->p == AERO_HLL_NOT_GIVEN || c->p + c->q <= 64));
}

static int
take_arg(hll_call *c, char letter, uint8_t flags, aero_span *in)
{
    bool good;

    switch (letter) {
    case 'h':
        return take_sets(c, in);
    case 'k':
        return take_few_sets(c, in);
    case 'e':
        good = take_elements(c, in);
        break;
    case 'p':
        good = take_int(in, &c->p) &&
               (c->p == AERO_HLL_NOT_GIVEN || sketch_p_ok(c->p));
        break;
    case 'q':
        good = take_q(c, in);
        break;
    default: /* 'f' */
        good = take_flags(
            in, flags, AERO_HLL_CREATE_ONLY | AERO_HLL_UPDATE_ONLY, &c->flags);
        break;
    }
    return good ? GO_ON : AERO_ERR_REQUEST_INVALID;
}

static int
take_args(hll_call *c, const hll_op *op, uint32_t count, aero_span *in)
{
    const char *letters = op->args;
    int rc = args_fit(letters, count) ? GO_ON : AERO_ERR_REQUEST_INVALID;

    while (rc == GO_ON && count-- != 0) {
        rc = take_arg(c, next_letter(&letters), op->flags, in);
    }
    return rc;
}

/* ---- modifies ---- */

/* The new value, empty, of these bits. */
static int
start_empty(hll_call *c, int64_t p, int64_t q, sketch *out)
{
    aero_buf *buf = made_as(c->after, AERO_PARTICLE_HLL);

    if (!sketch_put(buf, (uint8_t)p, (uint8_t)q, out)) {
        return made_rc(c->after);
    }
    return GO_ON;
}

/* The new value, a copy of the old. */
static int
start_copy(hll_call *c, sketch *out)
{
    aero_span old = aero_span_of(c->old.bytes, c->old.len);
    int rc = made_bytes(c->after, AERO_PARTICLE_HLL, old);

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    *out = c->old;
    out->bytes = c->after->bytes.ptr;
    return GO_ON;
}

/* Bits for a bin that is to be created. */
static int
start_new(hll_call *c, sketch *out)
{
    if (c->p == AERO_HLL_NOT_GIVEN) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    return start_empty(c, c->p, c->q == AERO_HLL_NOT_GIVEN ? 0 : c->q, out);
}

static int
run_INIT(hll_call *c)
{
    sketch made;
    int rc;

    if (c->missing) {
        rc = start_new(c, &made);
        return rc == GO_ON ? AERO_ERR_OK : rc;
    }
    c->p = c->p == AERO_HLL_NOT_GIVEN ? c->old.p : c->p;
    c->q = c->q == AERO_HLL_NOT_GIVEN ? c->old.q : c->q;
    if (c->p + c->q > 64) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    rc = start_empty(c, c->p, c->q, &made);
    return rc == GO_ON ? AERO_ERR_OK : rc;
}

static int
run_ADD(hll_call *c)
{
    int64_t changed = 0;
    sketch made;
    int rc = c->missing ? start_new(c, &made) : start_copy(c, &made);

    if (rc != GO_ON) {
        return rc;
    }
    for (uint32_t i = 0; i < c->count; i++) {
        aero_span element;

        if (take_element(&c->elements, &c->work, &element)) {
            changed += sketch_add(&made, element);
        }
    }
    return made_int(c->reply, changed);
}

static int
run_SET_UNION(hll_call *c)
{
    uint8_t p;
    uint8_t q;
    sketch made;
    int rc;

    sketch_common(c->sets, c->args, &p, &q);
    if (!c->missing && (c->flags & AERO_HLL_ALLOW_FOLD) == 0 &&
        (c->old.p > p || (c->old.q != 0 && c->old.q != q))) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    sketch_common(c->sets, c->all, &p, &q);
    rc = start_empty(c, p, q, &made);
    if (rc != GO_ON) {
        return rc;
    }
    for (size_t i = 0; i < c->all; i++) {
        sketch_join(&made, &c->sets[i]);
    }
    return AERO_ERR_OK;
}

static int
run_REFRESH_COUNT(hll_call *c)
{
    uint64_t count;
    sketch made;
    int rc;

    if (c->missing) {
        return AERO_ERR_BIN_NOT_FOUND;
    }
    rc = start_copy(c, &made);
    if (rc != GO_ON) {
        return rc;
    }
    count = sketch_count(&made);
    sketch_remember(&made, count);
    return made_int(c->reply, (int64_t)count);
}

static int
run_FOLD(hll_call *c)
{
    sketch made;
    int rc;

    if (c->missing) {
        return AERO_ERR_BIN_NOT_FOUND;
    }
    if (c->old.q != 0 || c->p == AERO_HLL_NOT_GIVEN || c->p > c->old.p) {
        return AERO_ERR_OP_NOT_APPLICABLE;
    }
    if (c->p == c->old.p) { /* the remembered count stays */
        rc = start_copy(c, &made);
        return rc == GO_ON ? AERO_ERR_OK : rc;
    }
    rc = start_empty(c, c->p, 0, &made);
    if (rc != GO_ON) {
        return rc;
    }
    sketch_join(&made, &c->old);
    return AERO_ERR_OK;
}

/* ---- reads ---- */

static int
run_COUNT(hll_call *c)
{
    return made_int(c->reply, (int64_t)sketch_count(&c->old));
}

static int
run_GET_UNION(hll_call *c)
{
    aero_buf *out = made_as(c->reply, AERO_PARTICLE_HLL);
    uint8_t p;
    uint8_t q;
    sketch made;

    sketch_common(c->sets, c->all, &p, &q);
    if (!sketch_put(out, p, q, &made)) {
        return made_rc(c->reply);
    }
    for (size_t i = 0; i < c->all; i++) {
        sketch_join(&made, &c->sets[i]);
    }
    return AERO_ERR_OK;
}

static int
run_UNION_COUNT(hll_call *c)
{
    uint64_t count;

    if (!sketch_union_count(c->sets, c->all, &c->work, &count)) {
        return AERO_ERR_SERVER;
    }
    return made_int(c->reply, (int64_t)count);
}

static int
run_INTERSECT_COUNT(hll_call *c)
{
    uint64_t count;

    if (!sketch_intersect_count(c->sets, c->all, &c->work, &count)) {
        return AERO_ERR_SERVER;
    }
    return made_int(c->reply, (int64_t)count);
}

static int
run_SIMILARITY(hll_call *c)
{
    double share;

    if (!sketch_similarity(c->sets, c->all, &c->work, &share)) {
        return AERO_ERR_SERVER;
    }
    return made_real(c->reply, share);
}

static int
run_DESCRIBE(hll_call *c)
{
    aero_buf *out = made_as(c->reply, AERO_PARTICLE_LIST);

    aero_pack_list(out, 2);
    aero_pack_int(out, c->old.p);
    aero_pack_int(out, c->old.q);
    return made_rc(c->reply);
}

static int
run_MAY_CONTAIN(hll_call *c)
{
    bool all = true;

    for (uint32_t i = 0; all && i < c->count; i++) {
        aero_span element;

        all = take_element(&c->elements, &c->work, &element) &&
              sketch_may_contain(&c->old, element);
    }
    return made_int(c->reply, all);
}

/* ---- the operation ---- */

#define READ   false
#define MODIFY true

static const hll_op ops[] = {
#define HLL_OP(name, code, mode, args, flags, text)                           \
    [code] = {args, mode, flags, run_##name},
#include "aero/wire/tables/hll.def"
#undef HLL_OP
};

static const hll_op *
find_op(aero_span *in, bool modify, uint32_t *args)
{
    const hll_op *op;
    uint32_t code;

    if (!take_opcode(in, &code, args) || code >= sizeof ops / sizeof ops[0]) {
        return NULL;
    }
    op = &ops[code];
    return op->args != NULL && op->modify == modify ? op : NULL;
}

static int
refuse(const hll_call *c, int code)
{
    return (c->flags & AERO_HLL_NO_FAIL) != 0 ? AERO_ERR_OK : code;
}

static int
apply(hll_call *c, aero_val bin, bool modify, aero_span payload)
{
    uint32_t args;
    const hll_op *op = find_op(&payload, modify, &args);
    int rc;

    if (op == NULL) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (!c->missing && bin.particle != AERO_PARTICLE_HLL) {
        return AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    if (!c->missing && (aero_hll_check(bin.bytes) != AERO_ERR_OK ||
                        !sketch_take(bin.bytes, &c->old))) {
        return AERO_ERR_SERVER;
    }
    rc = take_args(c, op, args, &payload);
    if (rc == GO_ON && c->work.failed) {
        rc = AERO_ERR_SERVER;
    }
    if (rc != GO_ON) {
        return rc;
    }
    if (!c->missing && (c->flags & AERO_HLL_CREATE_ONLY) != 0) {
        return refuse(c, AERO_ERR_BIN_EXISTS);
    }
    if (c->missing && (c->flags & AERO_HLL_UPDATE_ONLY) != 0) {
        return refuse(c, AERO_ERR_BIN_NOT_FOUND);
    }
    rc = op->run(c);
    return c->work.failed ? AERO_ERR_SERVER : rc;
}

int
aero_hll_apply(aero_val bin, bool modify, aero_span payload, aero_made *reply,
               aero_made *after)
{
    hll_call c = {.missing = bin.particle == AERO_PARTICLE_NIL,
                  .p = AERO_HLL_NOT_GIVEN,
                  .q = AERO_HLL_NOT_GIVEN,
                  .reply = reply,
                  .after = after};
    int rc;

    aero_made_clear(reply);
    aero_made_clear(after);
    if (c.missing && !modify) {
        return AERO_ERR_OK;
    }
    aero_arena_init(&c.arena);
    rc = apply(&c, bin, modify, payload);
    aero_buf_fini(&c.work);
    aero_arena_fini(&c.arena);
    if (rc != AERO_ERR_OK) {
        reply->present = false;
        after->present = false;
    }
    return rc;
}

int
aero_hll_check(aero_span bytes)
{
    sketch s;

    return sketch_take(bytes, &s) && s.p + s.q <= 64
               ? AERO_ERR_OK
               : AERO_ERR_REQUEST_INVALID;
}

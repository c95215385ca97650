/* Values from the wire, by a row per particle type.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/server/cdt.h"
#include "aero/server/geo.h"
#include "aero/server/hll.h"
#include "aero/wire/value.h"
#include "particle.h"

enum {
    GEO_HEAD = 1 + 2,    /* flags, number of cells */
    INCR_FLOOR_SIZE = 16 /* an increment of this size stops at zero */
};

typedef int (*take_fn)(aero_span wire, aero_arena *arena, aero_val *out);

static int
give_u64(uint64_t value, uint8_t particle, aero_arena *arena, aero_val *out)
{
    uint8_t *p = aero_arena_alloc(arena, 8);

    if (p == NULL) {
        return AERO_ERR_SERVER;
    }
    aero_set_u64(p, value);
    *out = aero_val_of(particle, aero_span_of(p, 8));
    return AERO_ERR_OK;
}

/* ---- whole values ---- */

static int
take_integer(aero_span wire, aero_arena *arena, aero_val *out)
{
    int64_t value;

    if (!aero_integer_take(wire, &value)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    return give_u64((uint64_t)value, AERO_PARTICLE_INTEGER, arena, out);
}

static int
take_float(aero_span wire, aero_arena *arena, aero_val *out)
{
    (void)arena;
    (void)out;
    return wire.len == 8 ? AERO_ERR_OK : AERO_ERR_REQUEST_INVALID;
}

static int
take_bool(aero_span wire, aero_arena *arena, aero_val *out)
{
    (void)arena;
    (void)out;
    return wire.len == 1 && wire.ptr[0] <= 1 ? AERO_ERR_OK
                                             : AERO_ERR_REQUEST_INVALID;
}

static int
take_bytes(aero_span wire, aero_arena *arena, aero_val *out)
{
    (void)wire;
    (void)arena;
    (void)out;
    return AERO_ERR_OK;
}

static int
take_hll(aero_span wire, aero_arena *arena, aero_val *out)
{
    (void)arena;
    (void)out;
    return aero_hll_check(wire);
}

int
srv_particle_keep(const aero_made *made, aero_arena *arena, aero_val *out)
{
    out->particle = made->particle;
    out->bytes = aero_arena_copy(arena, aero_buf_span(&made->bytes));
    return made->bytes.failed || out->bytes.ptr == NULL ? AERO_ERR_SERVER
                                                        : AERO_ERR_OK;
}

static int
take_container(aero_span wire, aero_arena *arena, aero_val *out)
{
    aero_made made;
    int code;

    aero_made_init(&made);
    code = aero_cdt_normalize(out->particle, wire, &made);
    if (code == AERO_ERR_OK) {
        code = srv_particle_keep(&made, arena, out);
    }
    aero_made_fini(&made);
    return code;
}

/* The header that is sent counts for nothing but its length. */
static int
take_geo(aero_span wire, aero_arena *arena, aero_val *out)
{
    aero_made made;
    size_t head = GEO_HEAD;
    int code;

    if (wire.len >= head) {
        head += (size_t)aero_get_u16(wire.ptr + 1) * 8;
    }
    if (wire.len < head) {
        return AERO_ERR_GEO_INVALID_GEOJSON;
    }
    aero_made_init(&made);
    code = aero_geo_make(aero_span_skip(wire, head), &made);
    if (code == AERO_ERR_OK) {
        code = srv_particle_keep(&made, arena, out);
    }
    aero_made_fini(&made);
    return code;
}

static const struct {
    take_fn take;    /* NULL: not a type of a bin */
    int incr_code;   /* what an increment that fits no number answers */
    int concat_code; /* of append and prepend; OK: it can be done */
} rows[] = {
    [AERO_PARTICLE_INTEGER] = {take_integer, AERO_ERR_OK,
                               AERO_ERR_BIN_INCOMPATIBLE_TYPE},
#define ROW(name, take, code)                                                 \
    [AERO_PARTICLE_##name] = {take, AERO_ERR_BIN_INCOMPATIBLE_TYPE, code}
    ROW(FLOAT, take_float, AERO_ERR_BIN_INCOMPATIBLE_TYPE),
    ROW(STRING, take_bytes, AERO_ERR_OK),
    ROW(BLOB, take_bytes, AERO_ERR_OK),
    ROW(JAVA_BLOB, take_bytes, AERO_ERR_OK),
    ROW(CSHARP_BLOB, take_bytes, AERO_ERR_OK),
    ROW(PYTHON_BLOB, take_bytes, AERO_ERR_OK),
    ROW(RUBY_BLOB, take_bytes, AERO_ERR_OK),
    ROW(PHP_BLOB, take_bytes, AERO_ERR_OK),
    ROW(ERLANG_BLOB, take_bytes, AERO_ERR_OK),
    ROW(VECTOR, take_bytes, AERO_ERR_OK),
    ROW(BOOL, take_bool, AERO_ERR_BIN_INCOMPATIBLE_TYPE),
    ROW(HLL, take_hll, AERO_ERR_BIN_INCOMPATIBLE_TYPE),
    ROW(MAP, take_container, AERO_ERR_BIN_INCOMPATIBLE_TYPE),
    ROW(LIST, take_container, AERO_ERR_BIN_INCOMPATIBLE_TYPE),
#undef ROW
    [AERO_PARTICLE_GEOJSON] = {take_geo, AERO_ERR_SERVER, AERO_ERR_SERVER},
};

static bool
is_known(uint8_t particle)
{
    return particle < sizeof rows / sizeof rows[0] &&
           rows[particle].take != NULL;
}

int
srv_particle_take(uint8_t particle, aero_span wire, aero_arena *arena,
                  aero_val *out)
{
    if (!is_known(particle)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    *out = aero_val_of(particle, wire);
    return rows[particle].take(wire, arena, out);
}

/* ---- changes ---- */

static int
incr_integer(aero_val old, const aero_op *op, aero_arena *arena, aero_val *out)
{
    uint64_t was = aero_get_u64(old.bytes.ptr);
    uint64_t by;
    int64_t taken;

    if (op->particle != AERO_PARTICLE_INTEGER) {
        return AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    if (op->value.len == INCR_FLOOR_SIZE) {
        by = aero_get_u64(op->value.ptr);
        if ((int64_t)by < 0 && was + by > was) {
            return give_u64(0, AERO_PARTICLE_INTEGER, arena, out);
        }
    }
    else if (aero_integer_take(op->value, &taken)) {
        by = (uint64_t)taken;
    }
    else {
        return AERO_ERR_REQUEST_INVALID;
    }
    return give_u64(was + by, AERO_PARTICLE_INTEGER, arena, out);
}

static int
incr_float(aero_val old, const aero_op *op, aero_arena *arena, aero_val *out)
{
    double sum;
    uint64_t bits;

    if (op->particle != AERO_PARTICLE_FLOAT) {
        return AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    if (op->value.len != 8) {
        return AERO_ERR_REQUEST_INVALID;
    }
    sum = aero_get_f64(old.bytes.ptr) + aero_get_f64(op->value.ptr);
    memcpy(&bits, &sum, sizeof bits);
    return give_u64(bits, AERO_PARTICLE_FLOAT, arena, out);
}

/* Whether the operation makes the bin, or names no type at all. */
static bool
is_settled(aero_val old, const aero_op *op, aero_arena *arena, aero_val *out,
           int *code)
{
    if (!is_known(op->particle)) {
        *code = AERO_ERR_REQUEST_INVALID;
        return true;
    }
    if (old.particle == AERO_PARTICLE_NIL) {
        *code = srv_particle_take(op->particle, op->value, arena, out);
        return true;
    }
    return false;
}

int
srv_particle_incr(aero_val old, const aero_op *op, aero_arena *arena,
                  aero_val *out)
{
    int code;

    if (is_settled(old, op, arena, out, &code)) {
        return code;
    }
    switch (old.particle) {
    case AERO_PARTICLE_INTEGER:
        return incr_integer(old, op, arena, out);
    case AERO_PARTICLE_FLOAT:
        return incr_float(old, op, arena, out);
    default:
        return rows[old.particle].incr_code;
    }
}

static int
join(aero_span first, aero_span second, uint8_t particle, aero_arena *arena,
     aero_val *out)
{
    uint8_t *p = aero_arena_alloc(arena, first.len + second.len + 1);

    if (p == NULL) {
        return AERO_ERR_SERVER;
    }
    if (first.len != 0) {
        memcpy(p, first.ptr, first.len);
    }
    if (second.len != 0) {
        memcpy(p + first.len, second.ptr, second.len);
    }
    *out = aero_val_of(particle, aero_span_of(p, first.len + second.len));
    return AERO_ERR_OK;
}

static int
concat_code(aero_val old, const aero_op *op)
{
    int code = rows[old.particle].concat_code;

    if (code == AERO_ERR_OK && op->particle != old.particle) {
        code = AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    return code;
}

int
srv_particle_append(aero_val old, const aero_op *op, aero_arena *arena,
                    aero_val *out)
{
    int code;

    if (is_settled(old, op, arena, out, &code)) {
        return code;
    }
    code = concat_code(old, op);
    return code != AERO_ERR_OK
               ? code
               : join(old.bytes, op->value, old.particle, arena, out);
}

int
srv_particle_prepend(aero_val old, const aero_op *op, aero_arena *arena,
                     aero_val *out)
{
    int code;

    if (is_settled(old, op, arena, out, &code)) {
        return code;
    }
    code = concat_code(old, op);
    return code != AERO_ERR_OK
               ? code
               : join(op->value, old.bytes, old.particle, arena, out);
}

/* Just enough of expressions for the paths of the vectors: literals, loop
 * variables, comparisons, sums, one CALL, the removal.  The real evaluator
 * takes its place where the parts are joined.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATH_EVAL_H
#define TESTS_PATH_EVAL_H

#include "aero/server/cdt.h"
#include "aero/wire/value.h"
#include "test.h"

enum {
    EVAL_EQ = 1,
    EVAL_LE = 6,
    EVAL_AND = 16,
    EVAL_ADD = 20,
    EVAL_MUL = 22,
    EVAL_REMOVE = 100,
    EVAL_VARIABLE = 122,
    EVAL_CALL = 127
};

static void eval_any(aero_span *in, const aero_path_vars *vars, aero_made *out,
                     bool *unknown);

/* Particles of the types 0, 1, 2 ... of expressions. */
static uint8_t
eval_particle(int64_t type)
{
    static const uint8_t particles[] = {
        AERO_PARTICLE_NIL,    AERO_PARTICLE_BOOL,  AERO_PARTICLE_INTEGER,
        AERO_PARTICLE_STRING, AERO_PARTICLE_LIST,  AERO_PARTICLE_MAP,
        AERO_PARTICLE_BLOB,   AERO_PARTICLE_FLOAT, AERO_PARTICLE_GEOJSON,
        AERO_PARTICLE_HLL};

    return type >= 0 && type < 10 ? particles[type] : AERO_PARTICLE_NIL;
}

static int64_t
eval_int(aero_span *in)
{
    aero_token token;

    return aero_token_take(in, &token) && token.kind == AERO_TOKEN_INT
               ? token.number
               : -1;
}

static void
eval_put_int(aero_made *out, int64_t value)
{
    aero_made_clear(out);
    out->present = true;
    out->particle = AERO_PARTICLE_INTEGER;
    aero_buf_put_u64(&out->bytes, (uint64_t)value);
}

static void
eval_variable(aero_span *in, const aero_path_vars *vars, aero_made *out,
              bool *unknown)
{
    uint8_t particle = eval_particle(eval_int(in));

    switch (eval_int(in)) {
    case 0:
        *unknown |= !vars->has_key || !aero_cdt_unpack(vars->key, out);
        break;
    case 1:
        *unknown |= !aero_cdt_unpack(vars->value, out);
        break;
    default:
        *unknown |= !vars->has_index;
        eval_put_int(out, vars->index);
        break;
    }
    *unknown |= out->particle != particle;
}

static double
eval_number(const aero_made *made)
{
    return made->particle == AERO_PARTICLE_FLOAT
               ? aero_get_f64(made->bytes.ptr)
               : (double)(int64_t)aero_get_u64(made->bytes.ptr);
}

static bool
eval_is_number(const aero_made *made)
{
    return made->present && made->bytes.len == 8 &&
           (made->particle == AERO_PARTICLE_FLOAT ||
            made->particle == AERO_PARTICLE_INTEGER);
}

static void
eval_sum(int64_t code, const aero_made *a, const aero_made *b, aero_made *out)
{
    double x = eval_number(a);
    double y = eval_number(b);

    if (a->particle == AERO_PARTICLE_INTEGER) {
        uint64_t m = aero_get_u64(a->bytes.ptr);
        uint64_t n = aero_get_u64(b->bytes.ptr);

        eval_put_int(out, (int64_t)(code == EVAL_ADD   ? m + n
                                    : code == EVAL_MUL ? m * n
                                                       : m - n));
        return;
    }
    aero_made_clear(out);
    out->present = true;
    out->particle = AERO_PARTICLE_FLOAT;
    aero_buf_put_f64(&out->bytes, code == EVAL_ADD   ? x + y
                                  : code == EVAL_MUL ? x * y
                                                     : x - y);
}

static void
eval_put_bool(aero_made *out, bool value)
{
    aero_made_clear(out);
    out->present = true;
    out->particle = AERO_PARTICLE_BOOL;
    aero_buf_put_u8(&out->bytes, value);
}

static bool
eval_compare(int64_t code, double x, double y)
{
    switch (code) {
    case 1:
        return x == y;
    case 2:
        return x != y;
    case 3:
        return x > y;
    case 4:
        return x >= y;
    case 5:
        return x < y;
    default:
        return x <= y;
    }
}

/* Two operands, numbers of one type; a single one is taken from 0. */
static void
eval_two(int64_t code, aero_span *in, uint32_t operands,
         const aero_path_vars *vars, aero_made *out, bool *unknown)
{
    aero_made a = {0};
    aero_made b = {0};

    if (operands == 1) {
        eval_put_int(&a, 0);
    }
    else {
        eval_any(in, vars, &a, unknown);
    }
    eval_any(in, vars, &b, unknown);
    *unknown |=
        !eval_is_number(&a) || !eval_is_number(&b) || a.particle != b.particle;
    if (*unknown) {
        eval_put_int(out, 0);
    }
    else if (code <= EVAL_LE) {
        eval_put_bool(out,
                      eval_compare(code, eval_number(&a), eval_number(&b)));
    }
    else {
        eval_sum(code, &a, &b, out);
    }
    out->bytes.failed |= a.bytes.failed || b.bytes.failed;
    aero_made_fini(&a);
    aero_made_fini(&b);
}

/* [type, 0, operation, value] */
static void
eval_call(aero_span *in, const aero_path_vars *vars, aero_made *out,
          bool *unknown)
{
    uint8_t particle = eval_particle(eval_int(in));
    aero_span operation = {0};
    aero_made bin = {0};
    aero_made after = {0};

    eval_int(in);
    *unknown |= !aero_token_take_whole(in, &operation);
    eval_any(in, vars, &bin, unknown);
    if (aero_cdt_apply(aero_made_val(&bin), false, operation, out, &after) !=
            AERO_ERR_OK ||
        out->particle != particle) {
        *unknown = true;
        out->bytes.failed |= bin.bytes.failed || test_alloc_failed();
    }
    aero_made_fini(&bin);
    aero_made_fini(&after);
}

static void
eval_any(aero_span *in, const aero_path_vars *vars, aero_made *out,
         bool *unknown)
{
    aero_span whole = *in;
    aero_span packed = {0};
    aero_token token;
    int64_t code;

    if (!aero_token_take_whole(in, &packed)) {
        *unknown = true;
        return;
    }
    if (!aero_token_take(&whole, &token) || token.kind != AERO_TOKEN_LIST) {
        *unknown |= !aero_cdt_unpack(packed, out);
        return;
    }
    code = eval_int(&whole);
    if (code == EVAL_VARIABLE) {
        eval_variable(&whole, vars, out, unknown);
    }
    else if (code == EVAL_CALL) {
        eval_call(&whole, vars, out, unknown);
    }
    else if (code == EVAL_REMOVE) {
        aero_made_clear(out);
    }
    else {
        eval_two(code, &whole, token.count - 1, vars, out, unknown);
    }
}

static int
path_eval(void *ctx, aero_span exp, const aero_path_vars *vars,
          aero_made *result, bool *unknown)
{
    (void)ctx;
    eval_any(&exp, vars, result, unknown);
    return AERO_ERR_OK;
}

/* Only lists of a known code with the right number of operands. */
static int
path_check(void *ctx, aero_span exp)
{
    aero_token token;
    int64_t code;

    (void)ctx;
    if (!aero_token_take(&exp, &token)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (token.kind != AERO_TOKEN_LIST) {
        return AERO_ERR_OK;
    }
    code = eval_int(&exp);
    if (code == EVAL_REMOVE) {
        return AERO_ERR_OK;
    }
    return code < EVAL_EQ || token.count < 2 ? AERO_ERR_REQUEST_INVALID
                                             : AERO_ERR_OK;
}

#endif

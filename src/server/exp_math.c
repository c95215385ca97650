/* Arithmetic and bits of integers.  Building has made sure that arguments
 * are numbers of one type.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "exp_internal.h"

/* ---- two numbers ---- */

static int64_t
add_int(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static double
add_real(double a, double b)
{
    return a + b;
}

static int64_t
sub_int(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static double
sub_real(double a, double b)
{
    return a - b;
}

static int64_t
mul_int(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

static double
mul_real(double a, double b)
{
    return a * b;
}

static int64_t
min_int(int64_t a, int64_t b)
{
    return a > b ? b : a;
}

static double
min_real(double a, double b)
{
    return a > b ? b : a;
}

static int64_t
max_int(int64_t a, int64_t b)
{
    return a < b ? b : a;
}

static double
max_real(double a, double b)
{
    return a < b ? b : a;
}

static double
log_real(double a, double b)
{
    return log(a) / log(b);
}

static int64_t
and_int(int64_t a, int64_t b)
{
    return a & b;
}

static int64_t
or_int(int64_t a, int64_t b)
{
    return a | b;
}

static int64_t
xor_int(int64_t a, int64_t b)
{
    return a ^ b;
}

static int64_t
lshift_int(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a << (b & 63));
}

static int64_t
rshift_int(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a >> (b & 63));
}

static int64_t
arshift_int(int64_t a, int64_t b)
{
    return a >> (b & 63);
}

/* Where the first bit equal to `b` is, from the most significant. */
static int64_t
lscan_int(int64_t a, int64_t b)
{
    uint64_t bits = b != 0 ? (uint64_t)a : ~(uint64_t)a;

    return bits == 0 ? -1 : __builtin_clzll(bits);
}

static int64_t
rscan_int(int64_t a, int64_t b)
{
    uint64_t bits = b != 0 ? (uint64_t)a : ~(uint64_t)a;

    return bits == 0 ? -1 : 63 - __builtin_ctzll(bits);
}

static const struct {
    int64_t (*ints)(int64_t a, int64_t b);
    double (*reals)(double a, double b);
} pairs[AERO_EXP_CODES] = {
    [AERO_EXP_ADD] = {add_int, add_real},
    [AERO_EXP_SUB] = {sub_int, sub_real},
    [AERO_EXP_MUL] = {mul_int, mul_real},
    [AERO_EXP_POW] = {NULL, pow},
    [AERO_EXP_LOG] = {NULL, log_real},
    [AERO_EXP_INT_AND] = {and_int, NULL},
    [AERO_EXP_INT_OR] = {or_int, NULL},
    [AERO_EXP_INT_XOR] = {xor_int, NULL},
    [AERO_EXP_INT_LSHIFT] = {lshift_int, NULL},
    [AERO_EXP_INT_RSHIFT] = {rshift_int, NULL},
    [AERO_EXP_INT_ARSHIFT] = {arshift_int, NULL},
    [AERO_EXP_INT_LSCAN] = {lscan_int, NULL},
    [AERO_EXP_INT_RSCAN] = {rscan_int, NULL},
    [AERO_EXP_MIN] = {min_int, min_real},
    [AERO_EXP_MAX] = {max_int, max_real},
};

static int64_t
int_of(const exp_value *value)
{
    return value->kind == AERO_PARTICLE_BOOL ? value->truth : value->number;
}

static exp_value
pair(uint8_t code, exp_value a, exp_value b)
{
    if (a.kind == AERO_PARTICLE_FLOAT) {
        return exp_of_real(pairs[code].reals(a.real, b.real));
    }
    return exp_of_int(pairs[code].ints(a.number, int_of(&b)));
}

static exp_value
zero_like(exp_value value)
{
    return value.kind == AERO_PARTICLE_FLOAT ? exp_of_real(0) : exp_of_int(0);
}

/* ---- the codes ---- */

/* The arguments from left to right, two and two. */
exp_value
exp_eval_fold(exp_run *run, uint32_t at)
{
    const exp_node *node = exp_run_node(run, at);
    uint32_t arg = at + 1;
    exp_value sum = exp_eval_at(run, arg);

    if (exp_is_unknown(&sum)) {
        return sum;
    }
    arg = exp_run_node(run, arg)->next;
    if (arg == node->next && node->code == AERO_EXP_SUB) {
        return pair(node->code, zero_like(sum), sum);
    }
    for (; arg < node->next; arg = exp_run_node(run, arg)->next) {
        exp_value value = exp_eval_at(run, arg);

        if (exp_is_unknown(&value)) {
            return value;
        }
        sum = pair(node->code, sum, value);
    }
    return sum;
}

static exp_value
quotient(exp_value a, exp_value b)
{
    if (a.kind == AERO_PARTICLE_FLOAT) {
        return exp_of_real(a.real / b.real);
    }
    if (b.number == 0) {
        return exp_unknown();
    }
    if (b.number == -1) { /* the least integer has no negative: it stays */
        return exp_of_int(sub_int(0, a.number));
    }
    return exp_of_int(a.number / b.number);
}

/* The first by the product of the others; one alone: 1 by it. */
exp_value
exp_eval_div(exp_run *run, uint32_t at)
{
    uint32_t end = exp_run_node(run, at)->next;
    uint32_t arg = exp_run_node(run, at + 1)->next;
    exp_value first = exp_eval_at(run, at + 1);
    exp_value one;
    exp_value product;

    if (exp_is_unknown(&first)) {
        return first;
    }
    one = first.kind == AERO_PARTICLE_FLOAT ? exp_of_real(1) : exp_of_int(1);
    if (arg == end) {
        return quotient(one, first);
    }
    product = one;
    for (; arg < end; arg = exp_run_node(run, arg)->next) {
        exp_value value = exp_eval_at(run, arg);

        if (exp_is_unknown(&value)) {
            return value;
        }
        product = pair(AERO_EXP_MUL, product, value);
    }
    return quotient(first, product);
}

exp_value
exp_eval_mod(exp_run *run, uint32_t at)
{
    exp_value a = exp_eval_at(run, at + 1);
    exp_value b;

    if (exp_is_unknown(&a)) {
        return a;
    }
    b = exp_eval_at(run, exp_run_node(run, at + 1)->next);
    if (exp_is_unknown(&b) || b.number == 0) {
        return exp_unknown();
    }
    return exp_of_int(b.number == -1 ? 0 : a.number % b.number);
}

/* What has no integer is the least one, as on the server's processor. */
static int64_t
truncated(double real)
{
    return real >= -0x1p63 && real < 0x1p63 ? (int64_t)real : INT64_MIN;
}

exp_value
exp_eval_one(exp_run *run, uint32_t at)
{
    exp_value a = exp_eval_at(run, at + 1);

    if (exp_is_unknown(&a)) {
        return a;
    }
    switch (exp_run_node(run, at)->code) {
    case AERO_EXP_ABS:
        if (a.kind == AERO_PARTICLE_FLOAT) {
            return exp_of_real(fabs(a.real));
        }
        return a.number < 0 ? exp_of_int(sub_int(0, a.number)) : a;
    case AERO_EXP_FLOOR:
        return exp_of_real(floor(a.real));
    case AERO_EXP_CEIL:
        return exp_of_real(ceil(a.real));
    case AERO_EXP_TO_INT:
        return exp_of_int(truncated(a.real));
    case AERO_EXP_TO_FLOAT:
        return exp_of_real((double)a.number);
    case AERO_EXP_INT_NOT:
        return exp_of_int(~a.number);
    default: /* INT_COUNT */
        return exp_of_int(__builtin_popcountll((uint64_t)a.number));
    }
}

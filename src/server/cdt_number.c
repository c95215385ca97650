/* Numbers that INCREMENT adds up: integers wrap around.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_number.h"

/* Truncated; what no int64 can hold is its least value, as x86-64 has it. */
static int64_t
whole_of(double real)
{
    if (!(real >= -0x1p63 && real < 0x1p63)) {
        return INT64_MIN;
    }
    return (int64_t)real;
}

static bool
take_number(aero_span packed, cdt_number *out)
{
    aero_token token;

    if (!aero_token_take(&packed, &token)) {
        return false;
    }
    switch (token.kind) {
    case AERO_TOKEN_INT:
        out->whole = token.number;
        return true;
    case AERO_TOKEN_UINT:
        out->whole = (int64_t)token.big;
        return true;
    case AERO_TOKEN_DOUBLE:
        out->is_real = true;
        out->real = token.real;
        return true;
    default:
        return false;
    }
}

bool
cdt_number_delta(const cdt_op *op, uint32_t arg, bool negative,
                 cdt_number *out)
{
    memset(out, 0, sizeof *out);
    out->whole = 1;
    if (op->given > arg && op->arg[arg].packed.ptr[0] != 0xc0 &&
        !take_number(op->arg[arg].packed, out)) {
        return false;
    }
    if (negative) {
        out->whole = (int64_t)(0 - (uint64_t)out->whole);
        out->real = -out->real;
    }
    return true;
}

bool
cdt_number_add(cdt_number *sum, aero_span stored)
{
    cdt_number old = {0};

    if (stored.len == 0) {
        sum->real += 0.0; /* -0.0 is added to 0.0 as well */
        return true;
    }
    if (!take_number(stored, &old)) {
        return false;
    }
    if (old.is_real) {
        sum->real = old.real + (sum->is_real ? sum->real : (double)sum->whole);
    }
    else {
        int64_t delta = sum->is_real ? whole_of(sum->real) : sum->whole;

        sum->whole = (int64_t)((uint64_t)old.whole + (uint64_t)delta);
    }
    sum->is_real = old.is_real;
    return true;
}

void
cdt_number_pack(const cdt_number *sum, aero_buf *out)
{
    if (sum->is_real) {
        aero_pack_double(out, sum->real);
    }
    else {
        aero_pack_int(out, sum->whole);
    }
}

void
cdt_number_answer(cdt_op *op, const cdt_number *sum)
{
    if (!sum->is_real) {
        cdt_answer_int(op, sum->whole);
        return;
    }
    aero_made_clear(op->reply);
    op->reply->present = true;
    op->reply->particle = AERO_PARTICLE_FLOAT;
    aero_buf_put_f64(&op->reply->bytes, sum->real);
}

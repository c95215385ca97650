/* Cells of arrays.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cells.h"

#include "aero/base/clock.h"
#include "aero/wire/value.h"

/* ---- numbers ---- */

/* Round to the nearest half, ties to even, as the hardware does. */
uint16_t
half_from_double(double value)
{
    uint64_t bits;
    uint16_t sign;
    int exp;
    uint64_t frac;
    unsigned drop;
    uint64_t kept;
    uint64_t rest;

    memcpy(&bits, &value, sizeof bits);
    sign = (uint16_t)(bits >> 48 & 0x8000);
    exp = (int)(bits >> 52 & 0x7ff) - 1023;
    frac = bits & UINT64_C(0xfffffffffffff);
    if (exp == 1024) { /* infinite, or no number */
        return (uint16_t)(sign | 0x7c00 | (frac != 0 ? 0x200 : 0));
    }
    if (exp < -25) {
        return sign;
    }
    frac |= UINT64_C(1) << 52;
    drop = exp < -14 ? 42 + (unsigned)(-14 - exp) : 42;
    kept = frac >> drop;
    rest = frac & ((UINT64_C(1) << drop) - 1);
    if (rest > UINT64_C(1) << (drop - 1) ||
        (rest == UINT64_C(1) << (drop - 1) && (kept & 1) != 0)) {
        kept++;
    }
    if (exp >= -14) { /* the leading bit counts into the exponent */
        kept += (uint64_t)(exp + 14) << 10;
    }
    return (uint16_t)(sign | (kept > 0x7c00 ? 0x7c00 : kept));
}

double
half_to_double(uint16_t half)
{
    uint64_t sign = (uint64_t)(half & 0x8000) << 48;
    uint64_t exp = half >> 10 & 0x1f;
    uint64_t frac = half & 0x3ff;
    uint64_t bits;
    double value;

    if (exp == 0) { /* zero, or below the normal ones: frac * 2^-24 */
        value = (double)frac / 16777216.0;
        return sign != 0 ? -value : value;
    }
    exp = exp == 0x1f ? 0x7ff : exp + 1023 - 15;
    bits = sign | exp << 52 | frac << 42;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static CellFault
put_integer(const Cell *cell, uint8_t *to, int64_t value)
{
    unsigned bits = cell->size * 8;

    if (cell->kind == 'u'
            ? value < 0 || (bits < 64 && value >> bits != 0)
            : bits < 64 && (value < -(INT64_C(1) << (bits - 1)) ||
                            value >= INT64_C(1) << (bits - 1))) {
        return CELL_RANGE;
    }
    switch (cell->size) {
    case 1:
        *to = (uint8_t)value;
        break;
    case 2: {
        uint16_t v = (uint16_t)value;

        memcpy(to, &v, sizeof v);
        break;
    }
    case 4: {
        uint32_t v = (uint32_t)value;

        memcpy(to, &v, sizeof v);
        break;
    }
    default:
        memcpy(to, &value, sizeof value);
        break;
    }
    return CELL_FINE;
}

static CellFault
put_real(const Cell *cell, uint8_t *to, double value)
{
    if (cell->size == 8) {
        memcpy(to, &value, sizeof value);
    }
    else if (cell->size == 4) {
        float single = (float)value;

        memcpy(to, &single, sizeof single);
    }
    else {
        uint16_t half = half_from_double(value);

        memcpy(to, &half, sizeof half);
    }
    return CELL_FINE;
}

static CellFault
put_number(const Cell *cell, uint8_t *to, int64_t value)
{
    switch (cell->kind) {
    case 'i':
    case 'u':
        return put_integer(cell, to, value);
    case 'f':
        return put_real(cell, to, (double)value);
    case 'b':
        *to = (uint8_t)value;
        return value == 0 || value == 1 ? CELL_FINE : CELL_RANGE;
    default:
        return CELL_TYPE;
    }
}

/* Longer bytes are cut, behind shorter ones are zeros. */
static CellFault
put_bytes(uint8_t *to, aero_span bytes, size_t room)
{
    memcpy(to, bytes.ptr, bytes.len < room ? bytes.len : room);
    return CELL_FINE;
}

/* ---- lists ---- */

static CellFault
put_token(const Cell *cell, uint8_t *to, const aero_token *token)
{
    bool is_bytes = cell->kind == 'S' || cell->kind == 'V';

    switch (token->kind) {
    case AERO_TOKEN_INT:
        return is_bytes ? CELL_TYPE : put_number(cell, to, token->number);
    case AERO_TOKEN_UINT:
        return cell->kind == 'f' ? put_real(cell, to, (double)token->big)
               : is_bytes        ? CELL_TYPE
                                 : CELL_RANGE;
    case AERO_TOKEN_BOOL:
        return is_bytes ? CELL_TYPE : put_number(cell, to, token->truth);
    case AERO_TOKEN_DOUBLE:
        return cell->kind == 'f' ? put_real(cell, to, token->real) : CELL_TYPE;
    case AERO_TOKEN_RAW:
        return is_bytes && token->bytes.len != 0
                   ? put_bytes(to, aero_span_skip(token->bytes, 1), cell->size)
                   : CELL_TYPE;
    default:
        return CELL_TYPE;
    }
}

static CellFault
put_list(const Cell *cell, uint8_t *to, aero_span packed)
{
    aero_token token;
    uint32_t count;
    uint8_t flags;

    if (!aero_token_take(&packed, &token) || token.kind != AERO_TOKEN_LIST) {
        return CELL_BYTES;
    }
    count = token.count;
    if (!aero_token_take_flags(&packed, false, &count, &flags)) {
        return CELL_BYTES;
    }
    if (count != cell->count) {
        return CELL_LENGTH;
    }
    for (uint32_t i = 0; i < count; i++) {
        CellFault fault;

        if (!aero_token_take(&packed, &token)) {
            return CELL_BYTES;
        }
        fault = put_token(cell, to + (size_t)i * cell->size, &token);
        if (fault != CELL_FINE) {
            return fault;
        }
    }
    return CELL_FINE;
}

/* ---- bins ---- */

static CellFault
put_array(const Cell *cell, uint8_t *to, const aero_op *op)
{
    switch (op->particle) {
    case AERO_PARTICLE_LIST:
        return put_list(cell, to, op->value);
    case AERO_PARTICLE_BLOB:
        return put_bytes(to, op->value, (size_t)cell->size * cell->count);
    default:
        return CELL_TYPE;
    }
}

static CellFault
put_one(const Cell *cell, uint8_t *to, const aero_op *op)
{
    int64_t number;

    if (cell->kind == 'S' || cell->kind == 'V') {
        return op->particle == AERO_PARTICLE_STRING ||
                       op->particle == AERO_PARTICLE_BLOB ||
                       op->particle == AERO_PARTICLE_HLL
                   ? put_bytes(to, op->value, cell->size)
                   : CELL_TYPE;
    }
    switch (op->particle) {
    case AERO_PARTICLE_INTEGER:
        if (!aero_integer_take(op->value, &number)) {
            return CELL_BYTES;
        }
        return put_number(cell, to, number);
    case AERO_PARTICLE_FLOAT:
        if (op->value.len != 8) {
            return CELL_BYTES;
        }
        return cell->kind == 'f'
                   ? put_real(cell, to, aero_get_f64(op->value.ptr))
                   : CELL_TYPE;
    case AERO_PARTICLE_BOOL:
        return op->value.len == 1 ? put_number(cell, to, *op->value.ptr != 0)
                                  : CELL_BYTES;
    default:
        return CELL_TYPE;
    }
}

/* The cell of a bin.  Bins come in the order they were asked for, mostly, so
 * the search begins behind the last one found. */
static size_t
find_cell(const Cells *cells, size_t from, aero_span name)
{
    for (size_t k = 0; k < cells->n_cells; k++) {
        size_t at = from + k;
        const Cell *cell;

        if (at >= cells->n_cells) {
            at -= cells->n_cells;
        }
        cell = &cells->cells[at];
        if (cell->name_len == name.len &&
            memcmp(cell->name, name.ptr, name.len) == 0) {
            return at;
        }
    }
    return cells->n_cells;
}

static CellFault
put_bin(Cells *cells, size_t i, size_t at, const aero_op *op)
{
    const Cell *cell = &cells->cells[at];
    uint8_t *to = cells->data + (ptrdiff_t)i * cells->stride + cell->offset;
    CellFault fault;

    if (op->particle == AERO_PARTICLE_NIL) {
        return CELL_FINE;
    }
    fault = cell->is_array ? put_array(cell, to, op) : put_one(cell, to, op);
    if (fault == CELL_FINE) {
        cells->missing[i * cells->n_cells + at] = 0;
        return fault;
    }
    memset(to, 0, (size_t)cell->size * cell->count);
    if (cells->code_on_error) {
        cells->codes[i] = AERO_ERR_BIN_INCOMPATIBLE_TYPE;
    }
    else if (cells->fault == CELL_FINE) {
        cells->fault = fault;
        cells->fault_row = i;
        cells->fault_cell = cell;
        cells->fault_particle = op->particle;
        if (op->particle == AERO_PARTICLE_INTEGER) {
            (void)aero_integer_take(op->value, &cells->fault_number);
        }
    }
    return fault;
}

void
cells_write(Cells *cells, size_t i, const aero_row *row, aero_span ops)
{
    size_t next = 0;

    cells->codes[i] = row->result;
    if (row->result != AERO_ERR_OK) {
        return;
    }
    cells->meta[2 * i] = row->generation;
    cells->meta[2 * i + 1] =
        row->void_time == 0 ? UINT32_MAX
                            : aero_clock_ttl(row->void_time, cells->void_now);
    for (unsigned k = 0; k < row->n_ops; k++) {
        aero_status st;
        aero_op op;
        size_t at;

        if (aero_op_take(&ops, &op, &st) != AERO_OK) {
            return; /* it was checked when it came */
        }
        at = find_cell(cells, next, op.name);
        if (at == cells->n_cells) {
            continue;
        }
        if (put_bin(cells, i, at, &op) != CELL_FINE && !cells->code_on_error) {
            return;
        }
        next = at + 1 == cells->n_cells ? 0 : at + 1;
    }
}

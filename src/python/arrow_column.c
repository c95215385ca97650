/* Values in columns.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/alloc.h"
#include "aero/wire/value.h"
#include "arrow.h"

enum {
    DEPTH_MAX = 32
};

static const char *
kind_text(ColumnKind kind)
{
    static const char *const texts[] = {"null", "bool",  "int",  "int",
                                        "int",  "float", "text", "bytes",
                                        "list", "map",   "map"};

    return texts[kind];
}

/* ---- life ---- */

void
column_init(Column *column, aero_span name)
{
    memset(column, 0, sizeof *column);
    memcpy(column->name, name.ptr,
           name.len < sizeof column->name ? name.len
                                          : sizeof column->name - 1);
    column->valid.max = SIZE_MAX / 2;
    column->data.max = SIZE_MAX / 2;
    column->offsets.max = SIZE_MAX / 2;
}

void
column_fini(Column *column)
{
    aero_buf_fini(&column->valid);
    aero_buf_fini(&column->data);
    aero_buf_fini(&column->offsets);
    for (size_t i = 0; i < column->n_children; i++) {
        column_fini(&column->children[i]);
    }
    aero_free(column->children);
}

Column *
column_add(Column *parent, aero_span name)
{
    Column *children = aero_resize(parent->children, (parent->n_children + 1) *
                                                         sizeof *children);

    if (children == NULL) {
        return NULL;
    }
    parent->children = children;
    column_init(&children[parent->n_children], name);
    return &children[parent->n_children++];
}

/* ---- values ---- */

static size_t
width_of(ColumnKind kind)
{
    switch (kind) {
    case COLUMN_INT:
    case COLUMN_FLOAT:
        return 8;
    case COLUMN_INT32:
    case COLUMN_UINT32:
        return 4;
    default:
        return 0;
    }
}

static bool
has_offsets(ColumnKind kind)
{
    return kind == COLUMN_TEXT || kind == COLUMN_BYTES ||
           kind == COLUMN_LIST || kind == COLUMN_MAP;
}

static void
put_bit(aero_buf *bits, int64_t at, bool value)
{
    if ((at & 7) == 0) {
        aero_buf_put_u8(bits, 0);
    }
    if (value && !bits->failed) {
        bits->ptr[at >> 3] |= (uint8_t)(1u << (at & 7));
    }
}

/* The end of the newest value, in the host's order. */
static void
put_offset(Column *column, size_t end)
{
    int32_t offset = (int32_t)end;

    aero_buf_put(&column->offsets, &offset, sizeof offset);
}

static size_t
offset_end(const Column *column)
{
    return column->kind == COLUMN_LIST || column->kind == COLUMN_MAP
               ? (size_t)column->children[0].length
               : column->data.len;
}

void
column_put_null(Column *column)
{
    put_bit(&column->valid, column->length, false);
    aero_buf_put_zero(&column->data, width_of(column->kind));
    if (column->kind == COLUMN_BOOL) {
        put_bit(&column->data, column->length, false);
    }
    if (has_offsets(column->kind)) {
        put_offset(column, offset_end(column));
    }
    if (column->kind == COLUMN_STRUCT) {
        for (size_t i = 0; i < column->n_children; i++) {
            column_put_null(&column->children[i]);
        }
    }
    column->length++;
    column->n_null++;
}

static bool
conflict(Table *table, const Column *column, ColumnKind kind)
{
    if (column->kind == COLUMN_NULL) {
        (void)snprintf(table->error, sizeof table->error,
                       "'%s' has its first value, %s, behind the first batch "
                       "of the stream: ask for its type in a schema",
                       column->name, kind_text(kind));
        return false;
    }
    (void)snprintf(table->error, sizeof table->error,
                   "'%s' holds both %s and %s: an Arrow column has one "
                   "type",
                   column->name, kind_text(column->kind), kind_text(kind));
    return false;
}

static void
widen_to_float(Column *column)
{
    for (size_t at = 0; at < column->data.len; at += 8) {
        int64_t number;
        double real;

        memcpy(&number, column->data.ptr + at, sizeof number);
        real = (double)number;
        memcpy(column->data.ptr + at, &real, sizeof real);
    }
    column->kind = COLUMN_FLOAT;
}

bool
column_adopt(Table *table, Column *column, ColumnKind kind)
{
    column->kind = kind;
    aero_buf_put_zero(&column->data, (size_t)column->length * width_of(kind));
    if (kind == COLUMN_BOOL) {
        aero_buf_put_zero(&column->data, ((size_t)column->length + 7) / 8);
    }
    if (has_offsets(kind)) {
        aero_buf_put_zero(&column->offsets,
                          ((size_t)column->length + 1) * sizeof(int32_t));
    }
    if (kind == COLUMN_LIST || kind == COLUMN_MAP) {
        aero_span name = aero_span_of(column->name, strlen(column->name));
        Column *child = column_add(column, name);

        if (child != NULL && kind == COLUMN_MAP) {
            child->kind = COLUMN_STRUCT;
            if (column_add(child, name) == NULL ||
                column_add(child, name) == NULL) {
                child = NULL;
            }
        }
        if (child == NULL) {
            (void)snprintf(table->error, sizeof table->error, "no memory");
            return false;
        }
    }
    return true;
}

/* Let the column take a value of this kind; *kind may be what it takes it
 * for. */
static bool
fit(Table *table, Column *column, ColumnKind *kind)
{
    if (column->kind == *kind) {
        return true;
    }
    if (column->kind == COLUMN_FLOAT && *kind == COLUMN_INT) {
        *kind = COLUMN_FLOAT;
        return true;
    }
    if (table->frozen || column->is_fixed) {
        return conflict(table, column, *kind);
    }
    if (column->kind == COLUMN_NULL) {
        return column_adopt(table, column, *kind);
    }
    if (column->kind == COLUMN_INT && *kind == COLUMN_FLOAT) {
        widen_to_float(column);
        return true;
    }
    return conflict(table, column, *kind);
}

static bool
put_number(Table *table, Column *column, int64_t number)
{
    ColumnKind kind = COLUMN_INT;
    double real = (double)number;

    if (!fit(table, column, &kind)) {
        return false;
    }
    put_bit(&column->valid, column->length++, true);
    if (kind == COLUMN_FLOAT) {
        aero_buf_put(&column->data, &real, sizeof real);
    }
    else {
        aero_buf_put(&column->data, &number, sizeof number);
    }
    return true;
}

static bool
put_real(Table *table, Column *column, double real)
{
    ColumnKind kind = COLUMN_FLOAT;

    if (!fit(table, column, &kind)) {
        return false;
    }
    put_bit(&column->valid, column->length++, true);
    aero_buf_put(&column->data, &real, sizeof real);
    return true;
}

static bool
put_truth(Table *table, Column *column, bool truth)
{
    ColumnKind kind = COLUMN_BOOL;

    if (!fit(table, column, &kind)) {
        return false;
    }
    put_bit(&column->data, column->length, truth);
    put_bit(&column->valid, column->length++, true);
    return true;
}

/* An offset has 32 bits. */
static bool
too_long(Table *table, const Column *column, size_t end)
{
    if (end > INT32_MAX) {
        (void)snprintf(table->error, sizeof table->error,
                       "'%s' has more than 2 GiB in one piece", column->name);
        return true;
    }
    return false;
}

bool
column_put_bytes(Table *table, Column *column, ColumnKind kind,
                 aero_span bytes)
{
    if (!fit(table, column, &kind) ||
        too_long(table, column, column->data.len + bytes.len)) {
        return false;
    }
    aero_buf_put_span(&column->data, bytes);
    put_offset(column, column->data.len);
    put_bit(&column->valid, column->length++, true);
    return true;
}

void
column_put_small(Column *column, bool present, uint32_t value)
{
    put_bit(&column->valid, column->length++, present);
    column->n_null += !present;
    aero_buf_put(&column->data, &value, sizeof value);
}

void
column_put_row(Column *column)
{
    put_bit(&column->valid, column->length++, true);
}

/* ---- packed values ---- */

static bool put_packed(Table *table, Column *column, aero_span *in, int depth);

static bool
malformed(Table *table, const Column *column)
{
    (void)snprintf(table->error, sizeof table->error,
                   "'%s': the server sent a malformed value", column->name);
    return false;
}

static bool
put_list(Table *table, Column *column, aero_span *in, uint32_t count,
         int depth)
{
    ColumnKind kind = COLUMN_LIST;
    uint8_t flags;

    if (!aero_token_take_flags(in, false, &count, &flags)) {
        return malformed(table, column);
    }
    if (!fit(table, column, &kind)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!put_packed(table, &column->children[0], in, depth + 1)) {
            return false;
        }
    }
    if (too_long(table, column, offset_end(column))) {
        return false;
    }
    put_offset(column, offset_end(column));
    put_bit(&column->valid, column->length++, true);
    return true;
}

static bool
put_map(Table *table, Column *column, aero_span *in, uint32_t count, int depth)
{
    ColumnKind kind = COLUMN_MAP;
    Column *pairs;
    uint8_t flags;

    if (!aero_token_take_flags(in, true, &count, &flags)) {
        return malformed(table, column);
    }
    if (!fit(table, column, &kind)) {
        return false;
    }
    pairs = &column->children[0];
    for (uint32_t i = 0; i < count; i++) {
        if (!put_packed(table, &pairs->children[0], in, depth + 1) ||
            !put_packed(table, &pairs->children[1], in, depth + 1)) {
            return false;
        }
        column_put_row(pairs);
    }
    if (too_long(table, column, offset_end(column))) {
        return false;
    }
    put_offset(column, offset_end(column));
    put_bit(&column->valid, column->length++, true);
    return true;
}

static bool
put_raw(Table *table, Column *column, aero_span raw)
{
    uint8_t particle = raw.len == 0 ? AERO_PARTICLE_BLOB : raw.ptr[0];
    aero_span bytes = raw.len == 0 ? raw : aero_span_skip(raw, 1);

    return column_put_bytes(table, column,
                            particle == AERO_PARTICLE_STRING ||
                                    particle == AERO_PARTICLE_GEOJSON
                                ? COLUMN_TEXT
                                : COLUMN_BYTES,
                            bytes);
}

static bool
put_packed(Table *table, Column *column, aero_span *in, int depth)
{
    aero_token token;

    if (depth > DEPTH_MAX || !aero_token_take(in, &token)) {
        return malformed(table, column);
    }
    switch (token.kind) {
    case AERO_TOKEN_NIL:
        column_put_null(column);
        return true;
    case AERO_TOKEN_BOOL:
        return put_truth(table, column, token.truth);
    case AERO_TOKEN_INT:
        return put_number(table, column, token.number);
    case AERO_TOKEN_UINT:
        return put_real(table, column, (double)token.big);
    case AERO_TOKEN_DOUBLE:
        return put_real(table, column, token.real);
    case AERO_TOKEN_RAW:
        return put_raw(table, column, token.bytes);
    case AERO_TOKEN_LIST:
        return put_list(table, column, in, token.count, depth);
    case AERO_TOKEN_MAP:
        return put_map(table, column, in, token.count, depth);
    case AERO_TOKEN_EXT:
        break;
    }
    return malformed(table, column);
}

bool
column_put_particle(Table *table, Column *column, uint8_t particle,
                    aero_span bytes)
{
    int64_t number;

    switch (particle) {
    case AERO_PARTICLE_NIL:
        column_put_null(column);
        return true;
    case AERO_PARTICLE_INTEGER:
        return aero_integer_take(bytes, &number)
                   ? put_number(table, column, number)
                   : malformed(table, column);
    case AERO_PARTICLE_FLOAT:
        return bytes.len == 8
                   ? put_real(table, column, aero_get_f64(bytes.ptr))
                   : malformed(table, column);
    case AERO_PARTICLE_BOOL:
        return bytes.len == 1 ? put_truth(table, column, *bytes.ptr != 0)
                              : malformed(table, column);
    case AERO_PARTICLE_STRING:
        return column_put_bytes(table, column, COLUMN_TEXT, bytes);
    case AERO_PARTICLE_GEOJSON:
        return aero_geojson_take(bytes, &bytes)
                   ? column_put_bytes(table, column, COLUMN_TEXT, bytes)
                   : malformed(table, column);
    case AERO_PARTICLE_LIST:
    case AERO_PARTICLE_MAP:
        return put_packed(table, column, &bytes, 0) &&
               (bytes.len == 0 || malformed(table, column));
    default:
        return column_put_bytes(table, column, COLUMN_BYTES, bytes);
    }
}

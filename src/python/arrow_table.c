/* Tables: the columns of records, which grow row by row.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "arrow.h"

enum {
    META_KEY,
    META_DIGEST,
    META_RESULT,
    META_GENERATION,
    META_TTL
};

static const struct {
    const char *name;
    ColumnKind kind;
} meta_columns[META_COLUMNS] = {
    {"_key", COLUMN_NULL},     {"_digest", COLUMN_BYTES},
    {"_result", COLUMN_INT32}, {"_generation", COLUMN_UINT32},
    {"_ttl", COLUMN_UINT32},
};

void
table_init(Table *table)
{
    memset(table, 0, sizeof *table);
    column_init(&table->root, aero_span_of("", 0));
    table->root.kind = COLUMN_STRUCT;
}

void
table_fini(Table *table)
{
    column_fini(&table->root);
}

/* ---- rows ---- */

/* The column of a bin; bins come in the same order, mostly. */
static Column *
column_of(Table *table, aero_span name)
{
    Column *root = &table->root;
    size_t n = root->n_children;
    Column *made;

    for (size_t k = 0; k < n; k++) {
        size_t at = (table->next + k) % n;
        Column *column = &root->children[at];

        if (!column->is_meta && strlen(column->name) == name.len &&
            memcmp(column->name, name.ptr, name.len) == 0) {
            table->next = at + 1;
            return column;
        }
    }
    if (table->chosen) {
        return NULL;
    }
    if (table->frozen) {
        (void)snprintf(table->error, sizeof table->error,
                       "bin '%.*s' is new behind the first batch of the "
                       "stream: ask for it in a schema, or select others",
                       (int)name.len, (const char *)name.ptr);
        return NULL;
    }
    made = column_add(root, name);
    for (int64_t i = 0; made != NULL && i < root->length; i++) {
        column_put_null(made);
    }
    if (made == NULL) {
        (void)snprintf(table->error, sizeof table->error, "no memory");
    }
    return made;
}

static bool
make_meta_columns(Table *table)
{
    for (size_t i = 0; i < META_COLUMNS; i++) {
        const char *name = meta_columns[i].name;
        Column *made =
            column_add(&table->root, aero_span_of(name, strlen(name)));

        if (made == NULL ||
            (meta_columns[i].kind != COLUMN_NULL &&
             !column_adopt(table, made, meta_columns[i].kind))) {
            return false;
        }
        made->is_meta = true;
        table->meta[i] = (int)i;
    }
    table->begun = true;
    return true;
}

int
table_meta_of(const char *name)
{
    for (int i = 0; i < META_COLUMNS; i++) {
        if (strcmp(meta_columns[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

ColumnKind
table_meta_kind(int meta)
{
    return meta_columns[meta].kind;
}

static Column *
meta_column(Table *table, int meta)
{
    int at = table->meta[meta];

    return at < 0 ? NULL : &table->root.children[at];
}

static bool
put_meta(Table *table, const TableRow *row)
{
    const struct {
        int meta;
        bool present;
        uint32_t value;
    } numbers[] = {
        {META_RESULT, true, (uint32_t)row->result},
        {META_GENERATION, row->found, row->generation},
        {META_TTL, row->found && row->ttl != UINT32_MAX, row->ttl},
    };
    Column *column;

    for (int i = 0; i < 3; i++) {
        column = meta_column(table, numbers[i].meta);
        if (column != NULL) {
            column_put_small(column, numbers[i].present, numbers[i].value);
        }
    }
    column = meta_column(table, META_KEY);
    if (column != NULL &&
        !column_put_particle(table, column, row->key_particle, row->key)) {
        return false;
    }
    column = meta_column(table, META_DIGEST);
    return column == NULL || column_put_bytes(table, column, COLUMN_BYTES,
                                              aero_span_of(row->digest, 20));
}

bool
table_begin(Table *table)
{
    return table->begun || make_meta_columns(table);
}

bool
table_add(Table *table, const TableRow *row)
{
    Column *root = &table->root;
    aero_span ops = row->ops;

    if (!table_begin(table) || !put_meta(table, row)) {
        return false;
    }
    table->next = 0;
    for (unsigned i = 0; i < row->n_ops; i++) {
        aero_status st;
        aero_op op;
        Column *column;

        if (aero_op_take(&ops, &op, &st) != AERO_OK) {
            (void)snprintf(table->error, sizeof table->error, "%.100s",
                           st.text);
            return false;
        }
        column = column_of(table, op.name);
        if (column == NULL && table->chosen) {
            continue;
        }
        if (column == NULL) {
            return false;
        }
        /* of two answers for one bin the first stays */
        if (column->length == root->length &&
            !column_put_particle(table, column, op.particle, op.value)) {
            return false;
        }
    }
    column_put_row(root);
    for (size_t i = 0; i < root->n_children; i++) {
        if (root->children[i].length < root->length) {
            column_put_null(&root->children[i]);
        }
    }
    return true;
}

/* A table that has the columns of a schema which its reader asks for.
 *
 * Only as far as bins go: integers of any width are 64 bits, floats doubles,
 * and so on; whoever asked converts the rest.  No Python here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "arrow.h"

enum {
    DEPTH_MAX = 32
};

/* COLUMN_NULL: no bin has this type. */
static ColumnKind
kind_of(const char *format)
{
    switch (format[0]) {
    case 'b':
        return COLUMN_BOOL;
    case 'c':
    case 'C':
    case 's':
    case 'S':
    case 'i':
    case 'I':
    case 'l':
    case 'L':
        return COLUMN_INT;
    case 'e':
    case 'f':
    case 'g':
        return COLUMN_FLOAT;
    case 'u':
    case 'U':
        return COLUMN_TEXT;
    case 'z':
    case 'Z':
    case 'w':
        return COLUMN_BYTES;
    case 'v':
        return format[1] == 'u' ? COLUMN_TEXT : COLUMN_BYTES;
    case '+':
        return format[1] == 'm'                       ? COLUMN_MAP
               : format[1] == 'l' || format[1] == 'L' ? COLUMN_LIST
                                                      : COLUMN_NULL;
    default:
        return COLUMN_NULL;
    }
}

static bool
fix_column(Table *table, Column *column, const struct ArrowSchema *schema,
           int depth)
{
    ColumnKind kind = kind_of(schema->format);
    Column *to = column;

    if (kind == COLUMN_NULL || depth > DEPTH_MAX) {
        return true;
    }
    if (!column_adopt(table, column, kind)) {
        return false;
    }
    column->is_fixed = true;
    if (kind != COLUMN_LIST && kind != COLUMN_MAP) {
        return true;
    }
    if (kind == COLUMN_MAP && schema->n_children == 1) {
        schema = schema->children[0]; /* the pairs */
        to = &column->children[0];
    }
    for (size_t i = 0; i < to->n_children; i++) {
        if (schema->n_children == (int64_t)to->n_children &&
            !fix_column(table, &to->children[i], schema->children[i],
                        depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool
wish_column(Table *table, const struct ArrowSchema *schema)
{
    const char *name = schema->name == NULL ? "" : schema->name;
    size_t len = strlen(name);
    int meta = table_meta_of(name);
    Column *made;

    if (len >= sizeof made->name) {
        (void)snprintf(table->error, sizeof table->error,
                       "'%.40s' is too long for the name of a bin", name);
        return false;
    }
    made = column_add(&table->root, aero_span_of(name, len));
    if (made == NULL) {
        (void)snprintf(table->error, sizeof table->error, "no memory");
        return false;
    }
    if (meta >= 0 && table->meta[meta] < 0) {
        table->meta[meta] = (int)table->root.n_children - 1;
        made->is_meta = true;
        if (table_meta_kind(meta) != COLUMN_NULL) {
            return column_adopt(table, made, table_meta_kind(meta));
        }
    }
    return fix_column(table, made, schema, 0);
}

bool
table_wish(Table *table, const struct ArrowSchema *schema)
{
    if (strcmp(schema->format, "+s") != 0) {
        (void)snprintf(table->error, sizeof table->error,
                       "the schema of records is a struct");
        return false;
    }
    for (int i = 0; i < META_COLUMNS; i++) {
        table->meta[i] = -1;
    }
    table->begun = true;
    table->chosen = true;
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (!wish_column(table, schema->children[i])) {
            return false;
        }
    }
    return true;
}

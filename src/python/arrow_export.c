/* Columns by the Arrow C data interface: whoever imports them calls release.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/alloc.h"
#include "arrow.h"

static const char *
format_of(const Column *column)
{
    switch (column->kind) {
    case COLUMN_NULL:
        return "n";
    case COLUMN_BOOL:
        return "b";
    case COLUMN_INT:
        return "l";
    case COLUMN_UINT32:
        return "I";
    case COLUMN_INT32:
        return "i";
    case COLUMN_FLOAT:
        return "g";
    case COLUMN_TEXT:
        return "u";
    case COLUMN_BYTES:
        return "z";
    case COLUMN_LIST:
        return "+l";
    case COLUMN_MAP:
        return "+m";
    case COLUMN_STRUCT:
        break;
    }
    return "+s";
}

/* ---- schema ---- */

/* What one schema and its children own. */
typedef struct SchemaHold {
    char name[16];
    struct ArrowSchema *children;
    struct ArrowSchema **pointers;
} SchemaHold;

static void
release_schema(struct ArrowSchema *schema)
{
    SchemaHold *hold = schema->private_data;

    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL) {
            schema->children[i]->release(schema->children[i]);
        }
    }
    aero_free(hold->children);
    aero_free(hold->pointers);
    aero_free(hold);
    schema->release = NULL;
}

static bool
export_schema(const Column *column, const char *name, bool nullable,
              struct ArrowSchema *out)
{
    SchemaHold *hold = aero_zalloc(sizeof *hold);
    size_t n = column->n_children;

    memset(out, 0, sizeof *out);
    if (hold == NULL) {
        return false;
    }
    (void)snprintf(hold->name, sizeof hold->name, "%s", name);
    hold->children = aero_zalloc((n + 1) * sizeof *hold->children);
    hold->pointers = aero_zalloc((n + 1) * sizeof *hold->pointers);
    out->format = format_of(column);
    out->name = hold->name;
    out->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
    out->children = hold->pointers;
    out->private_data = hold;
    out->release = release_schema;
    for (size_t i = 0;
         i < n && hold->children != NULL && hold->pointers != NULL; i++) {
        bool in_map = column->kind == COLUMN_MAP;
        bool in_pair = column->kind == COLUMN_STRUCT && nullable == false &&
                       n == 2 && column->name[0] != '\0';
        const char *child = column->kind == COLUMN_LIST ? "item"
                            : in_map                    ? "entries"
                            : in_pair ? (i == 0 ? "key" : "value")
                                      : column->children[i].name;

        hold->pointers[i] = &hold->children[i];
        if (!export_schema(&column->children[i], child,
                           !in_map && !(in_pair && i == 0),
                           &hold->children[i])) {
            break;
        }
        out->n_children++;
    }
    if (out->n_children != (int64_t)n) {
        release_schema(out);
        return false;
    }
    return true;
}

bool
table_schema(const Table *table, struct ArrowSchema *out)
{
    return export_schema(&table->root, "", false, out);
}

/* ---- arrays ---- */

typedef struct ArrayHold {
    aero_buf valid;
    aero_buf data;
    aero_buf offsets;
    const void *buffers[3];
    struct ArrowArray *children;
    struct ArrowArray **pointers;
} ArrayHold;

static void
release_array(struct ArrowArray *array)
{
    ArrayHold *hold = array->private_data;

    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL) {
            array->children[i]->release(array->children[i]);
        }
    }
    aero_buf_fini(&hold->valid);
    aero_buf_fini(&hold->data);
    aero_buf_fini(&hold->offsets);
    aero_free(hold->children);
    aero_free(hold->pointers);
    aero_free(hold);
    array->release = NULL;
}

/* The buffer's bytes, which the column has no more.  An empty one still has
 * an address. */
static const void *
move_buffer(aero_buf *from, aero_buf *to)
{
    aero_buf_reserve(from, 8);
    *to = *from;
    from->ptr = NULL;
    from->len = 0;
    from->cap = 0;
    return to->ptr;
}

static void
export_buffers(Column *column, ArrayHold *hold, struct ArrowArray *out)
{
    hold->buffers[0] =
        column->n_null == 0 ? NULL : move_buffer(&column->valid, &hold->valid);
    out->buffers = hold->buffers;
    switch (column->kind) {
    case COLUMN_NULL:
        out->n_buffers = 0;
        break;
    case COLUMN_STRUCT:
        out->n_buffers = 1;
        break;
    case COLUMN_LIST:
    case COLUMN_MAP:
        out->n_buffers = 2;
        hold->buffers[1] = move_buffer(&column->offsets, &hold->offsets);
        break;
    case COLUMN_TEXT:
    case COLUMN_BYTES:
        out->n_buffers = 3;
        hold->buffers[1] = move_buffer(&column->offsets, &hold->offsets);
        hold->buffers[2] = move_buffer(&column->data, &hold->data);
        break;
    default:
        out->n_buffers = 2;
        hold->buffers[1] = move_buffer(&column->data, &hold->data);
        break;
    }
    aero_buf_reset(&column->valid, 0);
}

static bool
column_failed(const Column *column)
{
    bool failed =
        column->valid.failed || column->data.failed || column->offsets.failed;

    for (size_t i = 0; i < column->n_children; i++) {
        failed |= column_failed(&column->children[i]);
    }
    return failed;
}

static bool
export_array(Column *column, struct ArrowArray *out)
{
    ArrayHold *hold = aero_zalloc(sizeof *hold);
    size_t n = column->n_children;
    int32_t zero = 0;

    memset(out, 0, sizeof *out);
    if (hold == NULL) {
        return false;
    }
    hold->children = aero_zalloc((n + 1) * sizeof *hold->children);
    hold->pointers = aero_zalloc((n + 1) * sizeof *hold->pointers);
    out->length = column->length;
    out->null_count = column->n_null;
    out->children = hold->pointers;
    out->private_data = hold;
    out->release = release_array;
    export_buffers(column, hold, out);
    column->length = 0;
    column->n_null = 0;
    if (column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES ||
        column->kind == COLUMN_LIST || column->kind == COLUMN_MAP) {
        aero_buf_put(&column->offsets, &zero, sizeof zero); /* for the next */
    }
    for (size_t i = 0;
         i < n && hold->children != NULL && hold->pointers != NULL; i++) {
        hold->pointers[i] = &hold->children[i];
        if (!export_array(&column->children[i], &hold->children[i])) {
            break;
        }
        out->n_children++;
    }
    if (out->n_children != (int64_t)n) {
        release_array(out);
        return false;
    }
    return true;
}

bool
table_take(Table *table, struct ArrowArray *out)
{
    return !column_failed(&table->root) && export_array(&table->root, out);
}

/* Records as columns, and columns by the Arrow C data interface.
 *
 * A table grows row by row; a column takes its type from the first value it
 * gets, and widens from integers to floats.  No Python here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_PYTHON_ARROW_H
#define AERO_PYTHON_ARROW_H

#include <stdint.h>

#include "aero/base/buf.h"
#include "aero/wire/msg.h"

/* ---- the interface, as its specification gives it ---- */

enum {
    ARROW_FLAG_NULLABLE = 2
};

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

/* ---- columns ---- */

typedef enum ColumnKind {
    COLUMN_NULL, /* no value yet */
    COLUMN_BOOL,
    COLUMN_INT,
    COLUMN_UINT32, /* of the meta columns */
    COLUMN_INT32,
    COLUMN_FLOAT,
    COLUMN_TEXT,
    COLUMN_BYTES,
    COLUMN_LIST, /* one child */
    COLUMN_MAP,  /* one child: a STRUCT of key and value */
    COLUMN_STRUCT
} ColumnKind;

typedef struct Column {
    char name[16]; /* of a bin: at most 15 bytes */
    ColumnKind kind;
    bool is_fixed; /* its kind was asked for */
    bool is_meta;  /* of no bin */
    int64_t length;
    int64_t n_null;
    aero_buf valid;          /* owned; a bit a value */
    aero_buf data;           /* owned */
    aero_buf offsets;        /* owned; int32, one more than values */
    struct Column *children; /* owned */
    size_t n_children;
} Column;

enum {
    META_COLUMNS = 5
};

typedef struct Table {
    Column root; /* a struct: the meta columns, then one for each bin */
    int meta[META_COLUMNS]; /* where each of them is; -1: not wanted */
    bool begun;             /* it has its first columns */
    bool chosen;            /* it has all columns: other bins are left out */
    bool frozen;            /* no new column, no wider type */
    size_t next;            /* where the next bin's column most likely is */
    char error[160];
} Table;

/* A row to be added: nothing is kept. */
typedef struct TableRow {
    uint8_t key_particle; /* AERO_PARTICLE_NIL: unknown */
    aero_span key;
    const uint8_t *digest;
    int32_t result;
    uint32_t generation;
    uint32_t ttl;
    bool found;
    aero_span ops;
    unsigned n_ops;
} TableRow;

void table_init(Table *table);
void table_fini(Table *table);
/* Make the columns that every table has, also one without rows. */
bool table_begin(Table *table);
/* Instead: the columns of a schema, and no others.  Types that no bin has are
 * left to the values.  False, with table->error. */
bool table_wish(Table *table, const struct ArrowSchema *schema);
/* False, with table->error, when a value does not fit its column. */
bool table_add(Table *table, const TableRow *row);

/* Which of the meta columns has that name (or -1), and its kind. */
int table_meta_of(const char *name);
ColumnKind table_meta_kind(int meta);

/* ---- values ---- */

void column_init(Column *column, aero_span name);
void column_fini(Column *column);
/* A further child, all null so far (but for the newest row). */
Column *column_add(Column *parent, aero_span name);
/* Nulls so far: now they have a type.  False, with table->error. */
bool column_adopt(Table *table, Column *column, ColumnKind kind);
void column_put_null(Column *column);
/* A struct whose children have a value more. */
void column_put_row(Column *column);
void column_put_small(Column *column, bool present, uint32_t value);
/* False, with table->error, when the value does not fit. */
bool column_put_bytes(Table *table, Column *column, ColumnKind kind,
                      aero_span bytes);
bool column_put_particle(Table *table, Column *column, uint8_t particle,
                         aero_span bytes);

/* ---- export ---- */

/* What the columns are; false: no memory. */
bool table_schema(const Table *table, struct ArrowSchema *out);
/* The values so far; the table goes on with none.  False: no memory. */
bool table_take(Table *table, struct ArrowArray *out);

#endif

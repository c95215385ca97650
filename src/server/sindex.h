/* Secondary indexes of a namespace.
 *
 * An index is an ordered set per partition.  Its entries are pairs of a number
 * and a digest: the number is the integer itself, a hash of a string or blob,
 * or a cell of the grid for a shape.  A query looks at the entries of a few
 * ranges of numbers, finds the record of each, and looks whether its value is
 * really what was asked for.
 *
 * It is told of every change of a record before it counts.  Records that were
 * there before the index are added a few partitions at a time: `built` says
 * how far that is, and what lies behind is no concern of it yet.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_SINDEX_H
#define SRV_SINDEX_H

#include "aero/server/exp.h"
#include "geo_cell.h"
#include "ordered.h"
#include "store.h"

enum {
    SRV_INDEX_NAME_MAX = 63,
    SRV_INDEXES_MAX = 256,  /* in a namespace, those of sets aside */
    SRV_BUILD_SLICE = 20000 /* records, before others have their turn */
};

typedef enum srv_index_kind { /* as the wire has them */
    SRV_INDEX_VALUE = 0,
    SRV_INDEX_LIST = 1,
    SRV_INDEX_MAP_KEYS = 2,
    SRV_INDEX_MAP_VALUES = 3,
    SRV_INDEX_SET = 4 /* all records of a set; no values */
} srv_index_kind;

/* What an index is about; spans borrowed by those who only ask. */
typedef struct srv_index_def {
    uint16_t set; /* 0: all records */
    uint8_t kind;
    uint8_t particle;
    aero_span bin;     /* empty: an expression */
    aero_span context; /* empty: the bin itself */
    aero_span expression;
} srv_index_def;

typedef struct srv_index {
    struct srv_index *next;
    char name[SRV_INDEX_NAME_MAX + 1]; /* of a set's: may be empty */
    srv_index_def def;                 /* spans owned, in `bytes` */
    uint8_t *bytes;                    /* owned */
    aero_exp *exp;                     /* owned; NULL: about a bin */
    unsigned users; /* queries that walk it; it outlives its removal */
    bool removed;
    uint32_t built; /* partitions; all: may be asked */
    uint64_t entries;
    uint64_t began_ns;
    uint64_t load_ms;
    srv_ordered parts[AERO_PARTITIONS];
} srv_index;

/* One number that is to be added or removed. */
typedef struct srv_index_change {
    srv_index *index;
    srv_entry entry;
} srv_index_change;

/* A list that grows; no memory is said by who adds. */
typedef struct srv_changes {
    srv_index_change *list; /* owned */
    uint32_t count;
    uint32_t cap;
} srv_changes;

typedef struct srv_numbers {
    int64_t *list; /* owned */
    uint32_t count;
    uint32_t cap;
} srv_numbers;

typedef struct srv_indexes {
    srv_ns *ns;       /* borrowed */
    srv_index *first; /* owned, in the order of their creation */
    unsigned count;   /* those of sets aside */
    unsigned unbuilt; /* of all */
    aero_arena arena; /* while values are looked for */
    aero_made value;  /* of an expression */
    srv_numbers before;
    srv_numbers after;
    srv_changes adds;
    srv_changes removes;
} srv_indexes;

/* Gives those of `ns`, empty; NULL: no memory. */
srv_indexes *srv_indexes_new(srv_ns *ns);
void srv_indexes_free(srv_indexes *indexes); /* NULL is fine */

/* ---- which there are ---- */

/* OK also when it is there already: then it has this name from now on.  A
 * result code: 200 the name is another's, 206 there are too many, 1. */
int srv_index_create(srv_indexes *indexes, aero_span name,
                     const srv_index_def *def);
void srv_index_remove(srv_indexes *indexes, srv_index *index);
srv_index *srv_index_named(const srv_indexes *indexes, aero_span name);
/* The one that a query means: of its set, else of all sets. */
srv_index *srv_index_like(const srv_indexes *indexes,
                          const srv_index_def *def);
/* The one over all records of a set; NULL: none. */
srv_index *srv_index_of_set(const srv_indexes *indexes, uint16_t set);

/* Have one or none over a set, whatever its name.  False: no memory. */
bool srv_index_keep_set(srv_indexes *indexes, uint16_t set, bool wanted);

/* How many are about a set and its values. */
unsigned srv_indexes_count(const srv_indexes *indexes, uint16_t set);
/* The memory that the real server would need for them. */
uint64_t srv_index_used(const srv_index *index, uint64_t entries);

static inline bool
srv_index_is_built(const srv_index *index)
{
    return index->built == AERO_PARTITIONS;
}

/* A query keeps what it walks. */
srv_index *srv_index_acquire(srv_index *index);
void srv_index_release(srv_index *index); /* NULL is fine */

/* Build for a while; false: nothing is left to be built. */
bool srv_indexes_build(srv_indexes *indexes);

/* ---- what a query wants ---- */

/* One value that an index is about. */
typedef struct srv_item {
    int64_t number;  /* of an integer */
    aero_span bytes; /* of a string or blob; the text of a shape */
} srv_item;

typedef struct srv_want {
    srv_item item;    /* of a string or blob */
    aero_arena arena; /* of the shape */
    aero_geo geo;
    uint8_t particle;
    unsigned n_ranges;
    geo_range ranges[GEO_RANGES_MAX];
} srv_want;

/* Look for integers from `low` to `high`, or for a string, blob or shape.  A
 * result code: 4 for a text that is no shape. */
void srv_want_integers(srv_want *want, int64_t low, int64_t high);
int srv_want_value(srv_want *want, uint8_t particle, aero_span value);
void srv_want_fini(srv_want *want);

/* The lowest number under which the record has a value that is wanted. */
bool srv_index_match(srv_indexes *indexes, const srv_index *index,
                     const srv_record *rec, const srv_want *want,
                     int64_t *number);

/* Whether a record has at most one entry. */
static inline bool
srv_index_is_single(const srv_index *index)
{
    return index->def.kind == SRV_INDEX_VALUE &&
           index->def.particle != AERO_PARTICLE_GEOJSON;
}

/* ---- between the files ---- */

/* The numbers of a record, in rising order, each once.  False: no memory. */
bool srv_index_numbers(srv_indexes *indexes, const srv_index *index,
                       const srv_record *rec, srv_numbers *out);

#endif

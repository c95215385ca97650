/* Queries: what a request carries besides a message's usual fields, and the
 * messages of the reply.  A scan is a query without a range.
 *
 *   field 22   | 1 u8 | name length u8 | bin name | particle u8 |
 *              | length u32 | begin | length u32 | end |
 *   field 11   partitions to be read from the beginning, u16 little-endian
 *   field 12   digests, 20 bytes each: partitions go on behind them
 *   field 15   values of the index beside those digests, u64 little-endian
 *
 *   reply      a message a record, with namespace, digest, set, user key if
 *              it is stored, the index's value, and the bins; a message with
 *              PARTITION_DONE for a partition that is not there; at the end
 *              one with LAST, or with a result
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_QUERY_H
#define AERO_WIRE_QUERY_H

#include "aero/wire/msg.h"

/* What a UDF of a request is for: the byte of field 33. */
typedef enum aero_query_udf {
    AERO_QUERY_UDF_STREAM = 1,
    AERO_QUERY_UDF_BACKGROUND = 2
} aero_query_udf;

/* Which values of a list or map are in the index: the byte of field 26. */
typedef enum aero_index_type {
    AERO_INDEX_DEFAULT = 0,
    AERO_INDEX_LIST = 1,
    AERO_INDEX_MAP_KEYS = 2,
    AERO_INDEX_MAP_VALUES = 3
} aero_index_type;

/* The range of an index; spans are borrowed. */
typedef struct aero_query_range {
    aero_span bin; /* empty: the index is named in another field */
    uint8_t particle;
    aero_span begin; /* integers: eight bytes in wire order */
    aero_span end;
} aero_query_range;

/* The data of field 22. */
void aero_query_put_range(aero_buf *out, const aero_query_range *range);
aero_rc aero_query_take_range(aero_span data, aero_query_range *range,
                              aero_status *st);

/* One entry of field 11. */
void aero_query_put_partition(aero_buf *out, uint32_t id);
/* AERO_MORE behind the last one. */
aero_rc aero_query_take_partition(aero_span *data, uint32_t *id,
                                  aero_status *st);

/* One entry of field 15. */
void aero_query_put_bval(aero_buf *out, uint64_t bval);
aero_rc aero_query_take_bval(aero_span *data, uint64_t *bval, aero_status *st);

typedef enum aero_query_kind {
    AERO_QUERY_RECORD,
    AERO_QUERY_PARTITION, /* this one has to be asked for elsewhere */
    AERO_QUERY_END
} aero_query_kind;

/* One message of a reply; spans are borrowed from it. */
typedef struct aero_query_item {
    aero_query_kind kind;
    uint8_t result;     /* END and PARTITION */
    uint32_t partition; /* PARTITION */
    /* RECORD */
    uint32_t generation;
    uint32_t void_time;
    const uint8_t *digest; /* NULL: a value of a stream UDF has none */
    aero_span ns;
    aero_span set;        /* empty: none */
    uint8_t key_particle; /* NIL: the user key is not stored */
    aero_span key;
    bool has_bval;
    uint64_t bval;
    uint16_t n_ops;
    aero_span ops; /* of the bins, each checked to be whole */
} aero_query_item;

/* Put a record's message up to its operations, which the caller puts before
 * it closes the record.  Gives the mark for that. */
size_t aero_query_open_record(aero_buf *out, const aero_query_item *item);
void aero_query_close_record(aero_buf *out, size_t mark, uint16_t n_ops);
/* PARTITION and END. */
void aero_query_put_mark(aero_buf *out, const aero_query_item *item);

/* Take the next message of a reply. */
aero_rc aero_query_take(aero_span *in, aero_query_item *item, aero_status *st);

#endif

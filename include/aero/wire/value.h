/* Values: particles of bins and keys, and the msgpack dialect inside lists,
 * maps, contexts and expressions.
 *
 * Writing goes through msgpack-c's packer, value by value, into a buffer.
 * Reading is a token at a time straight from the bytes: no tree is built, and
 * every length is checked against what is left.
 *
 * The dialect: strings, blobs and geo texts are msgpack raw items whose first
 * byte is the particle type; a list's first element or a map's first key may
 * be an ext item that carries the container's flags.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_VALUE_H
#define AERO_WIRE_VALUE_H

#include "aero/base/buf.h"
#include "aero/base/status.h"
#include "aero/wire/codes.h"

/* ---- packing ---- */

void aero_pack_nil(aero_buf *out);
void aero_pack_bool(aero_buf *out, bool value);
void aero_pack_int(aero_buf *out, int64_t value);
void aero_pack_uint(aero_buf *out, uint64_t value);
void aero_pack_double(aero_buf *out, double value);
/* A raw item with its particle byte: string, blob, HLL, GeoJSON ... */
void aero_pack_raw(aero_buf *out, uint8_t particle, aero_span bytes);
/* A raw item without one: names inside expressions. */
void aero_pack_name(aero_buf *out, aero_span bytes);
void aero_pack_list(aero_buf *out, uint32_t count);
/* The real count, at most 15, of a list that was begun at `at` with none. */
void aero_list_patch(aero_buf *out, size_t at, uint8_t count);
void aero_pack_map(aero_buf *out, uint32_t count);
/* The container's flags, as the first element of a list (the caller has
 * counted it), or as the first pair of a map. */
void aero_pack_list_flags(aero_buf *out, uint8_t flags);
void aero_pack_map_flags(aero_buf *out, uint8_t flags);
/* The two items that stand for "above everything" and "anything". */
void aero_pack_infinite(aero_buf *out);
void aero_pack_wildcard(aero_buf *out);

/* ---- tokens ---- */

typedef enum aero_token_kind {
    AERO_TOKEN_NIL,
    AERO_TOKEN_BOOL,
    AERO_TOKEN_INT,    /* fits int64 */
    AERO_TOKEN_UINT,   /* from 2^63 */
    AERO_TOKEN_DOUBLE, /* also float32 */
    AERO_TOKEN_RAW,    /* str and bin */
    AERO_TOKEN_LIST,   /* `count` elements follow */
    AERO_TOKEN_MAP,    /* `count` pairs follow */
    AERO_TOKEN_EXT
} aero_token_kind;

typedef struct aero_token {
    aero_token_kind kind;
    int8_t ext_type;
    union {
        bool truth;
        int64_t number;
        uint64_t big;
        double real;
        uint32_t count;
        aero_span bytes; /* RAW with its particle byte, EXT */
    };
} aero_token;

/* Ext types and bodies of the dialect. */
enum {
    AERO_EXT_SPECIAL = -1, /* with a body of one byte: */
    AERO_EXT_WILDCARD = 0,
    AERO_EXT_INFINITE = 1,
    /* flags of a list */
    AERO_LIST_ORDERED = 0x01,
    /* flags of a map */
    AERO_MAP_K_ORDERED = 0x01,
    AERO_MAP_V_ORDERED = 0x02,
    AERO_MAP_PRESERVE_ORDER = 0x08,
    /* of both */
    AERO_CDT_PERSIST_INDEX = 0x10
};

/* The slow half of aero_token_take: everything that is not one byte. */
bool aero_token_take_long(aero_span *in, aero_token *out);

/* Take one token.  False when the bytes are cut or no msgpack.  A container's
 * count may be larger than what follows can hold only by lying: it is checked
 * against the bytes left (an element has at least one byte). */
static inline bool
aero_token_take(aero_span *in, aero_token *out)
{
    uint8_t lead;

    if (in->len == 0) {
        return false;
    }
    lead = in->ptr[0];
    if (lead < 0x80 || lead >= 0xe0) {
        out->kind = AERO_TOKEN_INT;
        out->number = (int8_t)lead;
        *in = aero_span_skip(*in, 1);
        return true;
    }
    return aero_token_take_long(in, out);
}

/* Step over one whole value, however deep.  False as above; never recurses. */
bool aero_token_skip(aero_span *in);

/* Take one whole value as its bytes. */
static inline bool
aero_token_take_whole(aero_span *in, aero_span *value)
{
    const uint8_t *from = in->ptr;

    if (!aero_token_skip(in)) {
        return false;
    }
    *value = aero_span_of(from, (size_t)(in->ptr - from));
    return true;
}

/* Check that `in` is exactly one value, nested no deeper than AERO_NEST_MAX:
 * done once before anything recurses over bytes from the network. */
bool aero_token_check(aero_span in);

/* If the next element (list) or pair (map) is the flag header of a container
 * with `*count` entries, take it, lower the count and give the flags; else
 * the flags are 0.  False when the bytes are cut. */
bool aero_token_take_flags(aero_span *in, bool is_map, uint32_t *count,
                           uint8_t *flags);

/* ---- particles ---- */

/* GeoJSON: u8 flags, u16 number of cells, the cells, the text.  Clients send
 * no cells; the server's are skipped. */
void aero_geojson_put(aero_buf *out, aero_span text);
bool aero_geojson_take(aero_span particle, aero_span *text);

/* An integer particle of 1, 2, 4 or 8 bytes; shorter ones are zero-extended
 * as the server does. */
bool aero_integer_take(aero_span particle, int64_t *value);

#endif

/* Values as they are stored: integers and headers of minimal size, maps
 * sorted by key, only the flags that are shown; and values that leave a list
 * or map, or enter one, as particles.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <msgpack/pack.h>

#include "cdt_internal.h"

typedef struct writer {
    aero_buf *out;
    aero_arena *arena;
    unsigned depth;
} writer;

static int store(writer *w, aero_span *in);

static int
write_to_buf(void *data, const char *bytes, size_t len)
{
    aero_buf_put(data, bytes, len);
    return 0; /* a failed buffer stays failed */
}

/* INFINITE, WILDCARD and their like: only for looking up. */
static bool
is_special(const aero_token *token)
{
    return token->kind == AERO_TOKEN_EXT &&
           token->ext_type == AERO_EXT_SPECIAL && token->bytes.len != 0 &&
           token->bytes.len < 4;
}

/* Whether a raw item of `len` bytes has the shortest head there is. */
static bool
is_shortest(aero_span item, size_t len)
{
    size_t head = len < 32            ? 1
                  : len <= UINT8_MAX  ? 2
                  : len <= UINT16_MAX ? 3
                                      : 5;

    return item.len == head + len;
}

static void
store_ext(aero_buf *out, const aero_token *token)
{
    msgpack_packer pk;

    msgpack_packer_init(&pk, out, write_to_buf);
    msgpack_pack_ext(&pk, token->bytes.len, token->ext_type);
    aero_buf_put_span(out, token->bytes);
}

/* `item` is the token's bytes. */
static int
store_scalar(writer *w, const aero_token *token, aero_span item)
{
    if (is_special(token)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (token->kind == AERO_TOKEN_INT) {
        aero_pack_int(w->out, token->number);
    }
    else if (token->kind == AERO_TOKEN_EXT) {
        store_ext(w->out, token);
    }
    else if (token->kind == AERO_TOKEN_RAW &&
             !is_shortest(item, token->bytes.len)) {
        aero_pack_name(w->out, token->bytes);
    }
    else {
        aero_buf_put_span(w->out, item);
    }
    return AERO_ERR_OK;
}

bool
cdt_is_map_key(aero_span packed)
{
    aero_token token;

    if (!aero_token_take(&packed, &token)) {
        return false;
    }
    switch (token.kind) {
    case AERO_TOKEN_INT:
    case AERO_TOKEN_UINT:
        return true;
    case AERO_TOKEN_RAW:
        return token.bytes.len != 0 &&
               (token.bytes.ptr[0] == AERO_PARTICLE_STRING ||
                token.bytes.ptr[0] == AERO_PARTICLE_BLOB);
    default:
        return false;
    }
}

/* What was written from `at` on. */
static aero_span
written(const writer *w, size_t at)
{
    return aero_span_of(w->out->ptr + at, w->out->len - at);
}

static int
store_list(writer *w, uint32_t count, aero_span *in)
{
    uint8_t flags;
    size_t previous = 0;

    if (!cdt_take_flags(in, false, &count, &flags)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    flags = cdt_flags_kept(false, flags);
    cdt_put_head(w->out, false, flags, count);
    for (uint32_t i = 0; i < count; i++) {
        size_t at = w->out->len;
        int rc = store(w, in);

        if (rc != AERO_ERR_OK) {
            return rc;
        }
        if (flags != 0 && i != 0 && !w->out->failed &&
            cdt_compare(written(w, previous), written(w, at)) > 0) {
            return AERO_ERR_REQUEST_INVALID;
        }
        previous = at;
    }
    return AERO_ERR_OK;
}

/* Bring the `count` pairs written from `at` on into the order of their
 * keys. */
static int
sort_pairs(writer *w, size_t at, uint32_t count)
{
    cdt_box box = {.is_map = true, .count = count, .body = written(w, at)};
    int rc = cdt_index(&box, w->arena);
    aero_span copy;
    uint32_t *order;

    if (rc != AERO_ERR_OK) {
        return rc;
    }
    copy = aero_arena_copy(w->arena, box.body);
    order = cdt_sorted(&box, cdt_by_key, w->arena);
    if (copy.ptr == NULL || order == NULL) {
        return AERO_ERR_SERVER;
    }
    box.body = copy;
    w->out->len = at;
    for (uint32_t i = 0; i < count; i++) {
        if (i != 0 && cdt_by_key(&box, order[i - 1], order[i]) == 0) {
            return AERO_ERR_REQUEST_INVALID;
        }
        aero_buf_put_span(w->out, cdt_entries(&box, order[i], order[i] + 1));
    }
    return AERO_ERR_OK;
}

static int
store_pair(writer *w, aero_span *in)
{
    int rc;

    if (!cdt_is_map_key(*in)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    rc = store(w, in);
    return rc != AERO_ERR_OK ? rc : store(w, in);
}

static int
store_map(writer *w, uint32_t count, aero_span *in)
{
    uint8_t flags;
    size_t body;
    size_t previous = 0;
    bool sorted = true;

    if (!cdt_take_flags(in, true, &count, &flags)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    flags = cdt_flags_kept(true, flags);
    cdt_put_head(w->out, true, flags, count);
    body = w->out->len;
    for (uint32_t i = 0; i < count; i++) {
        size_t at = w->out->len;
        int rc = store_pair(w, in);

        if (rc != AERO_ERR_OK) {
            return rc;
        }
        if (sorted && i != 0 && !w->out->failed) {
            sorted = cdt_compare(written(w, previous), written(w, at)) < 0;
        }
        previous = at;
    }
    if (sorted || w->out->failed) {
        return AERO_ERR_OK;
    }
    return flags != 0 ? AERO_ERR_REQUEST_INVALID : sort_pairs(w, body, count);
}

static int
store(writer *w, aero_span *in)
{
    const uint8_t *from = in->ptr;
    aero_token token = {AERO_TOKEN_NIL};
    int rc;

    if (!aero_token_take(in, &token)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    if (token.kind != AERO_TOKEN_LIST && token.kind != AERO_TOKEN_MAP) {
        return store_scalar(w, &token,
                            aero_span_of(from, (size_t)(in->ptr - from)));
    }
    if (w->depth == AERO_NEST_MAX) {
        return AERO_ERR_REQUEST_INVALID;
    }
    w->depth++;
    rc = token.kind == AERO_TOKEN_LIST ? store_list(w, token.count, in)
                                       : store_map(w, token.count, in);
    w->depth--;
    return rc;
}

int
cdt_store(aero_span *in, aero_buf *out, aero_arena *arena)
{
    writer w = {out, arena, 0};
    int rc = store(&w, in);

    return out->failed ? AERO_ERR_SERVER : rc;
}

int
cdt_stored(cdt_op *op, aero_span packed, aero_span *out)
{
    size_t at;
    int rc;

    /* Stored forms are never longer: one reservation serves all arguments,
     * and spans into it stay valid. */
    if (!aero_buf_reserve(&op->stored, op->payload_len - op->stored.len)) {
        return AERO_ERR_SERVER;
    }
    at = op->stored.len;
    rc = cdt_store(&packed, &op->stored, op->arena);
    *out = aero_span_of(op->stored.ptr + at, op->stored.len - at);
    return op->stored.len > op->payload_len ? AERO_ERR_SERVER : rc;
}

bool
cdt_is_storable(aero_span packed)
{
    for (uint64_t left = 1; left != 0; left--) {
        aero_token token = {AERO_TOKEN_NIL};

        if (!aero_token_take(&packed, &token) || is_special(&token)) {
            return false;
        }
        if (token.kind == AERO_TOKEN_LIST) {
            left += token.count;
        }
        else if (token.kind == AERO_TOKEN_MAP) {
            left += 2 * (uint64_t)token.count;
        }
    }
    return true;
}

int
aero_cdt_normalize(uint8_t particle, aero_span bytes, aero_made *out)
{
    aero_arena arena;
    cdt_box box;
    int rc = AERO_ERR_SERVER;

    aero_made_clear(out);
    if (!cdt_open(bytes, &box) ||
        box.is_map != (particle == AERO_PARTICLE_MAP)) {
        return AERO_ERR_SERVER;
    }
    aero_arena_init(&arena);
    out->present = true;
    out->particle = particle;
    if (cdt_store(&bytes, &out->bytes, &arena) == AERO_ERR_OK &&
        bytes.len == 0) {
        rc = AERO_ERR_OK;
    }
    aero_arena_fini(&arena);
    return rc;
}

/* ---- particles ---- */

/* Particles that a raw item can be; any other type byte makes a blob. */
static uint8_t
particle_of_raw(aero_span bytes)
{
    static const uint32_t known =
        1U << AERO_PARTICLE_STRING | 1U << AERO_PARTICLE_JAVA_BLOB |
        1U << AERO_PARTICLE_CSHARP_BLOB | 1U << AERO_PARTICLE_PYTHON_BLOB |
        1U << AERO_PARTICLE_RUBY_BLOB | 1U << AERO_PARTICLE_PHP_BLOB |
        1U << AERO_PARTICLE_ERLANG_BLOB | 1U << AERO_PARTICLE_VECTOR |
        1U << AERO_PARTICLE_HLL | 1U << AERO_PARTICLE_GEOJSON;

    if (bytes.len == 0 || bytes.ptr[0] > 31 ||
        (known >> bytes.ptr[0] & 1) == 0) {
        return AERO_PARTICLE_BLOB;
    }
    return bytes.ptr[0];
}

static void
unpack_raw(aero_span bytes, aero_made *out)
{
    out->particle = particle_of_raw(bytes);
    if (bytes.len != 0) {
        bytes = aero_span_skip(bytes, 1);
    }
    if (out->particle == AERO_PARTICLE_GEOJSON) {
        aero_geojson_put(&out->bytes, bytes);
    }
    else {
        aero_buf_put_span(&out->bytes, bytes);
    }
}

bool
aero_cdt_unpack(aero_span packed, aero_made *out)
{
    aero_span left = packed;
    aero_token token;

    aero_made_clear(out);
    if (!aero_token_take(&left, &token)) {
        return false;
    }
    out->present = true;
    switch (token.kind) {
    case AERO_TOKEN_NIL:
        out->particle = AERO_PARTICLE_NIL;
        return true;
    case AERO_TOKEN_BOOL:
        out->particle = AERO_PARTICLE_BOOL;
        aero_buf_put_u8(&out->bytes, token.truth);
        return true;
    case AERO_TOKEN_INT:
    case AERO_TOKEN_UINT:
        out->particle = AERO_PARTICLE_INTEGER;
        aero_buf_put_u64(&out->bytes, token.kind == AERO_TOKEN_INT
                                          ? (uint64_t)token.number
                                          : token.big);
        return true;
    case AERO_TOKEN_DOUBLE:
        out->particle = AERO_PARTICLE_FLOAT;
        aero_buf_put_f64(&out->bytes, token.real);
        return true;
    case AERO_TOKEN_RAW:
        unpack_raw(token.bytes, out);
        return true;
    case AERO_TOKEN_LIST:
    case AERO_TOKEN_MAP:
        out->particle = token.kind == AERO_TOKEN_LIST ? AERO_PARTICLE_LIST
                                                      : AERO_PARTICLE_MAP;
        aero_buf_put_span(&out->bytes, packed);
        return true;
    default:
        return false;
    }
}

bool
aero_cdt_pack(aero_val val, aero_buf *out)
{
    aero_span text;
    int64_t number;

    switch (val.particle) {
    case AERO_PARTICLE_NIL:
        aero_pack_nil(out);
        return true;
    case AERO_PARTICLE_BOOL:
        aero_pack_bool(out, val.bytes.len != 0 && val.bytes.ptr[0] != 0);
        return true;
    case AERO_PARTICLE_INTEGER:
        if (!aero_integer_take(val.bytes, &number)) {
            return false;
        }
        aero_pack_int(out, number);
        return true;
    case AERO_PARTICLE_FLOAT:
        if (val.bytes.len != 8) {
            return false;
        }
        aero_pack_double(out, aero_get_f64(val.bytes.ptr));
        return true;
    case AERO_PARTICLE_LIST:
    case AERO_PARTICLE_MAP:
        aero_buf_put_span(out, val.bytes);
        return true;
    case AERO_PARTICLE_GEOJSON:
        if (!aero_geojson_take(val.bytes, &text)) {
            return false;
        }
        aero_pack_raw(out, AERO_PARTICLE_GEOJSON, text);
        return true;
    default:
        aero_pack_raw(out, val.particle, val.bytes);
        return true;
    }
}

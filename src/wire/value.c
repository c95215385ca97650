/* Packing through msgpack-c, reading by our own tokens.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <msgpack/pack.h>

#include "aero/wire/value.h"

static int
write_to_buf(void *data, const char *bytes, size_t len)
{
    aero_buf_put(data, bytes, len);
    return 0; /* a failed buffer stays failed */
}

static inline msgpack_packer
packer_of(aero_buf *out)
{
    msgpack_packer pk;

    msgpack_packer_init(&pk, out, write_to_buf);
    return pk;
}

void
aero_pack_nil(aero_buf *out)
{
    msgpack_packer pk = packer_of(out);

    msgpack_pack_nil(&pk);
}

void
aero_pack_bool(aero_buf *out, bool value)
{
    msgpack_packer pk = packer_of(out);

    if (value) {
        msgpack_pack_true(&pk);
    }
    else {
        msgpack_pack_false(&pk);
    }
}

void
aero_pack_int(aero_buf *out, int64_t value)
{
    msgpack_packer pk = packer_of(out);

    msgpack_pack_int64(&pk, value);
}

void
aero_pack_uint(aero_buf *out, uint64_t value)
{
    msgpack_packer pk = packer_of(out);

    msgpack_pack_uint64(&pk, value);
}

void
aero_pack_double(aero_buf *out, double value)
{
    msgpack_packer pk = packer_of(out);

    msgpack_pack_double(&pk, value);
}

void
aero_pack_raw(aero_buf *out, uint8_t particle, aero_span bytes)
{
    msgpack_packer pk = packer_of(out);

    msgpack_pack_str(&pk, bytes.len + 1);
    aero_buf_put_u8(out, particle);
    aero_buf_put_span(out, bytes);
}

void
aero_pack_name(aero_buf *out, aero_span bytes)
{
    msgpack_packer pk = packer_of(out);

    msgpack_pack_str(&pk, bytes.len);
    aero_buf_put_span(out, bytes);
}

void
aero_pack_list(aero_buf *out, uint32_t count)
{
    msgpack_packer pk = packer_of(out);

    msgpack_pack_array(&pk, count);
}

void
aero_list_patch(aero_buf *out, size_t at, uint8_t count)
{
    if (!out->failed) {
        out->ptr[at] = (uint8_t)(0x90 | count);
    }
}

void
aero_pack_map(aero_buf *out, uint32_t count)
{
    msgpack_packer pk = packer_of(out);

    msgpack_pack_map(&pk, count);
}

void
aero_pack_list_flags(aero_buf *out, uint8_t flags)
{
    msgpack_packer pk = packer_of(out);

    msgpack_pack_ext(&pk, 0, (int8_t)flags);
}

void
aero_pack_map_flags(aero_buf *out, uint8_t flags)
{
    aero_pack_list_flags(out, flags);
    aero_pack_nil(out);
}

static void
pack_special(aero_buf *out, uint8_t which)
{
    msgpack_packer pk = packer_of(out);

    msgpack_pack_ext(&pk, 1, AERO_EXT_SPECIAL);
    aero_buf_put_u8(out, which);
}

void
aero_pack_infinite(aero_buf *out)
{
    pack_special(out, AERO_EXT_INFINITE);
}

void
aero_pack_wildcard(aero_buf *out)
{
    pack_special(out, AERO_EXT_WILDCARD);
}

/* Behind the lead byte: the number of bytes of the length or number. */
static bool
take_number(aero_span *in, unsigned size, uint64_t *out)
{
    const uint8_t *p = in->ptr + 1;

    if (in->len - 1 < size) {
        return false;
    }
    switch (size) {
    case 1:
        *out = p[0];
        break;
    case 2:
        *out = aero_get_u16(p);
        break;
    case 4:
        *out = aero_get_u32(p);
        break;
    default:
        *out = aero_get_u64(p);
        break;
    }
    *in = aero_span_skip(*in, 1 + (size_t)size);
    return true;
}

static bool
take_bytes(aero_span *in, uint64_t len, aero_token *out)
{
    if (len > in->len) {
        return false;
    }
    out->bytes = aero_span_of(in->ptr, (size_t)len);
    *in = aero_span_skip(*in, (size_t)len);
    return true;
}

static bool
take_container(aero_span *in, uint64_t count, aero_token_kind kind,
               aero_token *out)
{
    uint64_t least = kind == AERO_TOKEN_MAP ? count * 2 : count;

    if (least > in->len) {
        return false;
    }
    out->kind = kind;
    out->count = (uint32_t)count;
    return true;
}

static bool
take_unsigned(aero_span *in, unsigned size, aero_token *out)
{
    uint64_t big;

    if (!take_number(in, size, &big)) {
        return false;
    }
    if (big > INT64_MAX) {
        out->kind = AERO_TOKEN_UINT;
        out->big = big;
    }
    else {
        out->kind = AERO_TOKEN_INT;
        out->number = (int64_t)big;
    }
    return true;
}

static bool
take_signed(aero_span *in, unsigned size, aero_token *out)
{
    uint64_t bits;
    unsigned unused = 64 - 8 * size;

    if (!take_number(in, size, &bits)) {
        return false;
    }
    out->kind = AERO_TOKEN_INT;
    out->number = (int64_t)(bits << unused) >> unused;
    return true;
}

static bool
take_real(aero_span *in, unsigned size, aero_token *out)
{
    uint64_t bits;

    if (!take_number(in, size, &bits)) {
        return false;
    }
    out->kind = AERO_TOKEN_DOUBLE;
    if (size == 4) {
        uint32_t half = (uint32_t)bits;
        float value;

        memcpy(&value, &half, sizeof value);
        out->real = value;
    }
    else {
        memcpy(&out->real, &bits, sizeof out->real);
    }
    return true;
}

static bool
take_raw(aero_span *in, unsigned size, aero_token *out)
{
    uint64_t len;

    out->kind = AERO_TOKEN_RAW;
    return take_number(in, size, &len) && take_bytes(in, len, out);
}

static bool
take_ext(aero_span *in, uint64_t len, aero_token *out)
{
    if (in->len == 0) {
        return false;
    }
    out->kind = AERO_TOKEN_EXT;
    out->ext_type = (int8_t)in->ptr[0];
    *in = aero_span_skip(*in, 1);
    return take_bytes(in, len, out);
}

static bool
take_ext_sized(aero_span *in, unsigned size, aero_token *out)
{
    uint64_t len;

    return take_number(in, size, &len) && take_ext(in, len, out);
}

static bool
take_container_sized(aero_span *in, unsigned size, aero_token_kind kind,
                     aero_token *out)
{
    uint64_t count;

    return take_number(in, size, &count) &&
           take_container(in, count, kind, out);
}

static bool
take_constant(aero_span *in, aero_token_kind kind, bool truth, aero_token *out)
{
    out->kind = kind;
    out->truth = truth;
    *in = aero_span_skip(*in, 1);
    return true;
}

static bool
take_fixed(aero_span *in, aero_token *out)
{
    uint8_t lead = in->ptr[0];

    *in = aero_span_skip(*in, 1);
    if (lead < 0x90) {
        return take_container(in, lead & 0x0f, AERO_TOKEN_MAP, out);
    }
    if (lead < 0xa0) {
        return take_container(in, lead & 0x0f, AERO_TOKEN_LIST, out);
    }
    out->kind = AERO_TOKEN_RAW;
    return take_bytes(in, lead & 0x1f, out);
}

bool
aero_token_take_long(aero_span *in, aero_token *out)
{
    uint8_t lead = in->ptr[0];

    if (lead < 0xc0) {
        return take_fixed(in, out);
    }
    switch (lead) {
    case 0xc0:
        return take_constant(in, AERO_TOKEN_NIL, false, out);
    case 0xc2:
    case 0xc3:
        return take_constant(in, AERO_TOKEN_BOOL, lead == 0xc3, out);
    case 0xc4:
    case 0xd9:
        return take_raw(in, 1, out);
    case 0xc5:
    case 0xda:
        return take_raw(in, 2, out);
    case 0xc6:
    case 0xdb:
        return take_raw(in, 4, out);
    case 0xc7:
    case 0xc8:
    case 0xc9:
        return take_ext_sized(in, 1U << (lead - 0xc7), out);
    case 0xca:
        return take_real(in, 4, out);
    case 0xcb:
        return take_real(in, 8, out);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return take_unsigned(in, 1U << (lead - 0xcc), out);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return take_signed(in, 1U << (lead - 0xd0), out);
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        *in = aero_span_skip(*in, 1);
        return take_ext(in, UINT64_C(1) << (lead - 0xd4), out);
    case 0xdc:
        return take_container_sized(in, 2, AERO_TOKEN_LIST, out);
    case 0xdd:
        return take_container_sized(in, 4, AERO_TOKEN_LIST, out);
    case 0xde:
        return take_container_sized(in, 2, AERO_TOKEN_MAP, out);
    case 0xdf:
        return take_container_sized(in, 4, AERO_TOKEN_MAP, out);
    default: /* 0xc1 */
        return false;
    }
}

bool
aero_token_skip(aero_span *in)
{
    uint64_t left = 1;

    while (left != 0) {
        aero_token token;

        if (!aero_token_take(in, &token)) {
            return false;
        }
        left--;
        if (token.kind == AERO_TOKEN_LIST) {
            left += token.count;
        }
        else if (token.kind == AERO_TOKEN_MAP) {
            left += 2 * (uint64_t)token.count;
        }
        if (left > in->len) {
            return false;
        }
    }
    return true;
}

bool
aero_token_check(aero_span in)
{
    uint64_t left[AERO_NEST_MAX + 1]; /* values to come on each level */
    int depth = 0;

    left[0] = 1;
    while (depth >= 0) {
        aero_token token;

        if (left[depth] == 0) {
            depth--;
            continue;
        }
        left[depth]--;
        if (!aero_token_take(&in, &token)) {
            return false;
        }
        if (token.kind == AERO_TOKEN_LIST || token.kind == AERO_TOKEN_MAP) {
            if (depth == AERO_NEST_MAX) {
                return false;
            }
            depth++;
            left[depth] = token.kind == AERO_TOKEN_MAP
                              ? 2 * (uint64_t)token.count
                              : token.count;
        }
    }
    return in.len == 0;
}

bool
aero_token_take_flags(aero_span *in, bool is_map, uint32_t *count,
                      uint8_t *flags)
{
    aero_span ahead = *in;
    aero_token token;

    *flags = 0;
    if (*count == 0) {
        return true;
    }
    if (in->len == 0) {
        return false;
    }
    /* ext items: c7..c9, d4..d8 */
    if (!(in->ptr[0] >= 0xc7 && in->ptr[0] <= 0xc9) &&
        !(in->ptr[0] >= 0xd4 && in->ptr[0] <= 0xd8)) {
        return true;
    }
    if (!aero_token_take(&ahead, &token)) {
        return false;
    }
    if (token.ext_type == AERO_EXT_SPECIAL) {
        return true; /* an element: infinite or wildcard */
    }
    if (is_map && !aero_token_skip(&ahead)) {
        return false;
    }
    *flags = (uint8_t)token.ext_type;
    *in = ahead;
    (*count)--;
    return true;
}

void
aero_geojson_put(aero_buf *out, aero_span text)
{
    aero_buf_put_zero(out, 3);
    aero_buf_put_span(out, text);
}

bool
aero_geojson_take(aero_span particle, aero_span *text)
{
    size_t head;

    if (particle.len < 3) {
        return false;
    }
    head = 3 + 8 * (size_t)aero_get_u16(particle.ptr + 1);
    if (head > particle.len) {
        return false;
    }
    *text = aero_span_skip(particle, head);
    return true;
}

bool
aero_integer_take(aero_span particle, int64_t *value)
{
    switch (particle.len) {
    case 1:
        *value = particle.ptr[0];
        return true;
    case 2:
        *value = aero_get_u16(particle.ptr);
        return true;
    case 4:
        *value = aero_get_u32(particle.ptr);
        return true;
    case 8:
        *value = (int64_t)aero_get_u64(particle.ptr);
        return true;
    default:
        return false;
    }
}

/* Values: msgpack tokens, flags of containers, particles.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/value.h"
#include "fuzz.h"

/* All tokens, one after the other, until one is refused. */
static void
walk(aero_span in)
{
    aero_token token;

    while (aero_token_take(&in, &token)) {
        uint32_t count = token.count;
        uint8_t flags;

        switch (token.kind) {
        case AERO_TOKEN_RAW:
        case AERO_TOKEN_EXT:
            fuzz_touch(token.bytes);
            break;
        case AERO_TOKEN_LIST:
        case AERO_TOKEN_MAP:
            MUST(count <= in.len);
            aero_token_take_flags(&in, token.kind == AERO_TOKEN_MAP, &count,
                                  &flags);
            break;
        default:
            break;
        }
    }
}

/* The canonical form of one value: packed again, it reads the same. */
static void
copy_token(aero_buf *out, const aero_token *token)
{
    switch (token->kind) {
    case AERO_TOKEN_NIL:
        aero_pack_nil(out);
        break;
    case AERO_TOKEN_BOOL:
        aero_pack_bool(out, token->truth);
        break;
    case AERO_TOKEN_INT:
        aero_pack_int(out, token->number);
        break;
    case AERO_TOKEN_UINT:
        aero_pack_uint(out, token->big);
        break;
    case AERO_TOKEN_DOUBLE:
        aero_pack_double(out, token->real);
        break;
    case AERO_TOKEN_RAW:
        aero_pack_name(out, token->bytes);
        break;
    case AERO_TOKEN_LIST:
        aero_pack_list(out, token->count);
        break;
    case AERO_TOKEN_MAP:
        aero_pack_map(out, token->count);
        break;
    case AERO_TOKEN_EXT:
        aero_pack_list_flags(out, (uint8_t)token->ext_type);
        break;
    }
}

static void
copy_whole(aero_span in, aero_buf *out)
{
    aero_token token;

    while (in.len != 0) {
        MUST(aero_token_take(&in, &token));
        copy_token(out, &token);
    }
}

static void
check_whole(aero_span in)
{
    aero_buf once = AERO_BUF_INIT;
    aero_buf twice = AERO_BUF_INIT;
    aero_span rest = in;

    MUST(aero_token_skip(&rest) && rest.len == 0);
    copy_whole(in, &once);
    MUST(aero_token_check(aero_buf_span(&once)));
    copy_whole(aero_buf_span(&once), &twice);
    MUST(aero_span_equal(aero_buf_span(&once), aero_buf_span(&twice)));
    aero_buf_fini(&once);
    aero_buf_fini(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    aero_span in = aero_span_of(data, size);
    aero_span rest = in;
    aero_span value;
    int64_t number;

    walk(in);
    while (aero_token_take_whole(&rest, &value)) {
        MUST(value.len != 0);
        fuzz_touch(value);
    }
    if (aero_token_check(in)) {
        check_whole(in);
    }
    if (aero_geojson_take(in, &value)) {
        fuzz_touch(value);
    }
    aero_integer_take(in, &number);
    return 0;
}

/* Packed expressions as text that people read.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr.h"

#include "aero/wire/bits.h"
#include "aero/wire/cdt.h"
#include "aero/wire/hll.h"
#include "aero/wire/text.h"

enum {
    SHOWN_BYTES = 32 /* of a blob */
};

static bool show(aero_span *in, aero_buf *out, int depth);

/* ---- names ---- */

static const char *const exp_names[AERO_EXP_CODES] = {
#define EXP_OP(name, code, args, type, text)    [code] = #name,
#define EXP_OP_82(name, code, args, type, text) [code] = #name,
#include "aero/wire/tables/exp.def"
#undef EXP_OP
#undef EXP_OP_82
};

static const char *const type_names[AERO_EXP_TYPES] = {
#define EXP_TYPE(name, code, particle) [code] = #name,
#include "aero/wire/tables/exp.def"
#undef EXP_TYPE
};

static const char *const bit_names[AERO_BIT_CODES] = {
#define BIT_OP(name, code, mode, args, flags, text)    [code] = "BIT_" #name,
#define BIT_OP_82(name, code, mode, args, flags, text) [code] = "BIT_" #name,
#include "aero/wire/tables/bit.def"
#undef BIT_OP
#undef BIT_OP_82
};

static const char *const hll_names[AERO_HLL_CODES] = {
#define HLL_OP(name, code, mode, args, flags, text) [code] = "HLL_" #name,
#include "aero/wire/tables/hll.def"
#undef HLL_OP
};

static const char *const string_names[AERO_STRING_CODES] = {
#define STRING_OP(name, code, mode, args, type, text) [code] = #name,
#include "aero/wire/tables/string.def"
#undef STRING_OP
};

static const char *
call_name(int64_t system, int64_t code)
{
    const aero_cdt_row *row;

    if (code < 0) {
        return NULL;
    }
    switch (system & ~(int64_t)AERO_EXP_MODIFY) {
    case AERO_EXP_CDT:
        row = aero_cdt_row_of((uint64_t)code);
        return row == NULL ? NULL : row->name;
    case AERO_EXP_BITS:
        return code < AERO_BIT_CODES ? bit_names[code] : NULL;
    case AERO_EXP_HLL:
        return code < AERO_HLL_CODES ? hll_names[code] : NULL;
    case AERO_EXP_STRING:
        return code < AERO_STRING_CODES ? string_names[code] : NULL;
    default:
        return NULL;
    }
}

static void
put_lower(aero_buf *out, const char *name)
{
    for (; *name != '\0'; name++) {
        aero_buf_put_u8(out, (uint8_t)(*name >= 'A' && *name <= 'Z'
                                           ? *name - 'A' + 'a'
                                           : *name));
    }
}

static void
put_quoted(aero_buf *out, aero_span text)
{
    aero_buf_put_u8(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c == '\'' || c == '\\') {
            aero_buf_printf(out, "\\%c", c);
        }
        else if (c < 0x20 || c == 0x7f) {
            aero_buf_printf(out, "\\x%02x", c);
        }
        else {
            aero_buf_put_u8(out, c);
        }
    }
    aero_buf_put_u8(out, '\'');
}

/* ---- values ---- */

static void
put_raw(aero_buf *out, aero_span bytes)
{
    size_t shown;

    if (bytes.len == 0) {
        aero_buf_printf(out, "''");
        return;
    }
    if (bytes.ptr[0] == AERO_PARTICLE_STRING) {
        put_quoted(out, aero_span_skip(bytes, 1));
        return;
    }
    if (bytes.ptr[0] == AERO_PARTICLE_GEOJSON) {
        aero_buf_printf(out, "geo(");
        put_quoted(out, aero_span_skip(bytes, 1));
        aero_buf_put_u8(out, ')');
        return;
    }
    if (bytes.ptr[0] >= 0x20) { /* a name */
        put_quoted(out, bytes);
        return;
    }
    aero_buf_printf(out, bytes.ptr[0] == AERO_PARTICLE_HLL ? "hll(" : "blob(");
    shown = bytes.len - 1 < SHOWN_BYTES ? bytes.len - 1 : SHOWN_BYTES;
    for (size_t i = 0; i < shown; i++) {
        aero_buf_printf(out, "%02x", bytes.ptr[i + 1]);
    }
    aero_buf_printf(out, shown < bytes.len - 1 ? "...)" : ")");
}

/* Values with commas between them; `pairs`: a colon after every other. */
static bool show_list(aero_span *in, uint32_t count, bool pairs, bool literal,
                      aero_buf *out, int depth);

static bool
show_literal(aero_span *in, aero_buf *out, int depth)
{
    aero_token token;
    uint32_t count;
    uint8_t flags;
    bool map;

    if (depth > AERO_NEST_MAX || !aero_token_take(in, &token)) {
        return false;
    }
    switch (token.kind) {
    case AERO_TOKEN_NIL:
        aero_buf_printf(out, "nil");
        return true;
    case AERO_TOKEN_BOOL:
        aero_buf_printf(out, token.truth ? "true" : "false");
        return true;
    case AERO_TOKEN_INT:
        aero_buf_printf(out, "%lld", (long long)token.number);
        return true;
    case AERO_TOKEN_UINT:
        aero_buf_printf(out, "%llu", (unsigned long long)token.big);
        return true;
    case AERO_TOKEN_DOUBLE:
        aero_buf_printf(out, "%.17g", token.real);
        return true;
    case AERO_TOKEN_RAW:
        put_raw(out, token.bytes);
        return true;
    case AERO_TOKEN_EXT:
        aero_buf_printf(out, token.bytes.len == 1 &&
                                     token.bytes.ptr[0] == AERO_EXT_INFINITE
                                 ? "infinity"
                                 : "wildcard");
        return true;
    case AERO_TOKEN_LIST:
    case AERO_TOKEN_MAP:
        break;
    }
    map = token.kind == AERO_TOKEN_MAP;
    count = token.count;
    if (!aero_token_take_flags(in, map, &count, &flags)) {
        return false;
    }
    aero_buf_put_u8(out, map ? '{' : '[');
    if (!show_list(in, map ? count * 2 : count, map, true, out, depth + 1)) {
        return false;
    }
    aero_buf_put_u8(out, map ? '}' : ']');
    return true;
}

static bool
show_list(aero_span *in, uint32_t count, bool pairs, bool literal,
          aero_buf *out, int depth)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            aero_buf_printf(out, pairs && i % 2 == 1 ? ": " : ", ");
        }
        if (!(literal ? show_literal(in, out, depth) : show(in, out, depth))) {
            return false;
        }
    }
    return true;
}

/* ---- expressions ---- */

static bool
take_int(aero_span *in, int64_t *out)
{
    aero_token token;

    if (!aero_token_take(in, &token) || token.kind != AERO_TOKEN_INT) {
        return false;
    }
    *out = token.number;
    return true;
}

/* [type, system, [code, argument, ...], value], without the first. */
static bool
show_call(aero_span *in, aero_buf *out, int depth)
{
    aero_token array;
    aero_span ctx = {NULL, 0};
    const char *name;
    int64_t type;
    int64_t system;
    int64_t code;

    if (!take_int(in, &type) || !take_int(in, &system) ||
        !aero_token_take(in, &array) || array.kind != AERO_TOKEN_LIST ||
        array.count == 0 || !take_int(in, &code)) {
        return false;
    }
    if ((system & ~(int64_t)AERO_EXP_MODIFY) != AERO_EXP_STRING &&
        code == AERO_CDT_CONTEXT) {
        if (!aero_token_take_whole(in, &ctx) || !aero_token_take(in, &array) ||
            array.kind != AERO_TOKEN_LIST || array.count == 0 ||
            !take_int(in, &code)) {
            return false;
        }
    }
    name =
        code == AERO_CDT_PATH
            ? (system & AERO_EXP_MODIFY ? "MODIFY_BY_PATH" : "SELECT_BY_PATH")
            : call_name(system, code);
    if (name == NULL) {
        return false;
    }
    put_lower(out, name);
    aero_buf_put_u8(out, '(');
    if (!show_list(in, array.count - 1, false, code == AERO_CDT_PATH, out,
                   depth)) {
        return false;
    }
    if (array.count > 1) {
        aero_buf_printf(out, ", ");
    }
    if (!show(in, out, depth)) {
        return false;
    }
    if (ctx.len > 0) {
        aero_buf_printf(out, ", ctx=");
        if (!show_literal(&ctx, out, depth)) {
            return false;
        }
    }
    aero_buf_put_u8(out, ')');
    return true;
}

static bool
show_code(aero_span *in, int64_t code, uint32_t count, aero_buf *out,
          int depth)
{
    int64_t type;

    if (code == AERO_EXP_QUOTE && count == 2) {
        return show_literal(in, out, depth);
    }
    if (code == AERO_EXP_CALL && count == 5) {
        return show_call(in, out, depth);
    }
    if (code < 0 || code >= AERO_EXP_CODES || exp_names[code] == NULL) {
        return false;
    }
    if ((code == AERO_EXP_BIN || code == AERO_EXP_KEY ||
         code == AERO_EXP_LOOPVAR) &&
        count > 1) {
        if (!take_int(in, &type) || type < 0 || type >= AERO_EXP_TYPES ||
            type_names[type] == NULL) {
            return false;
        }
        put_lower(out, type_names[type]);
        aero_buf_put_u8(out, '_');
        count--;
    }
    put_lower(out, exp_names[code]);
    aero_buf_put_u8(out, '(');
    if (!show_list(in, count - 1, false, false, out, depth)) {
        return false;
    }
    aero_buf_put_u8(out, ')');
    return true;
}

static bool
show(aero_span *in, aero_buf *out, int depth)
{
    aero_span before = *in;
    aero_token token;
    int64_t code;

    if (depth > AERO_NEST_MAX || !aero_token_take(in, &token)) {
        return false;
    }
    if (token.kind != AERO_TOKEN_LIST || token.count == 0) {
        *in = before;
        return show_literal(in, out, depth);
    }
    return take_int(in, &code) &&
           show_code(in, code, token.count, out, depth + 1);
}

bool
expr_show_value(aero_span packed, aero_buf *out)
{
    return show_literal(&packed, out, 0) && packed.len == 0;
}

void
expr_show_blob(aero_span bytes, aero_buf *out)
{
    size_t shown = bytes.len < SHOWN_BYTES ? bytes.len : SHOWN_BYTES;

    for (size_t i = 0; i < shown; i++) {
        aero_buf_printf(out, "%02x", bytes.ptr[i]);
    }
    if (shown < bytes.len) {
        aero_buf_printf(out, "... of %zu bytes", bytes.len);
    }
}

void
expr_show_text(aero_span text, aero_buf *out)
{
    put_quoted(out, text);
}

bool
expr_show(aero_span packed, aero_buf *out)
{
    return show(&packed, out, 0) && packed.len == 0;
}

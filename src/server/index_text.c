/* Contexts and expressions as texts.
 *
 * Expressions have been built once before they are shown, so they are well
 * formed and not deeper than that allows; what is not, is shown as far as it
 * goes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "aero/wire/bits.h"
#include "aero/wire/cdt.h"
#include "aero/wire/exp.h"
#include "aero/wire/hll.h"
#include "args.h"
#include "index_text.h"

enum {
    SYSTEM_BITS = 1,
    SYSTEM_HLL = 2,
    SYSTEM_KIND = 0x0f,
    CONTEXT_CODE = 0xff
};

/* ---- values ---- */

static void
put_raw(aero_buf *out, aero_span bytes)
{
    uint8_t particle = bytes.len != 0 ? bytes.ptr[0] : 0;
    const char *kind = particle == AERO_PARTICLE_STRING    ? "string"
                       : particle == AERO_PARTICLE_GEOJSON ? "geojson"
                                                           : "blob";

    aero_buf_printf(out, "<%s#%zu>", kind, bytes.len - (bytes.len != 0));
}

static void
put_special(aero_buf *out, const aero_token *token)
{
    bool infinite =
        token->bytes.len == 1 && token->bytes.ptr[0] == AERO_EXT_INFINITE;

    aero_buf_put_str(out, infinite ? "inf" : "*");
}

/* A value, which is stepped over. */
static void
put_value(aero_buf *out, aero_span *in)
{
    aero_span whole = *in;
    aero_token token;

    if (!aero_token_take_whole(in, &whole) ||
        !aero_token_take(&whole, &token)) {
        *in = aero_span_skip(*in, in->len);
        return;
    }
    switch (token.kind) {
    case AERO_TOKEN_NIL:
        aero_buf_put_str(out, "nil");
        break;
    case AERO_TOKEN_BOOL:
        aero_buf_put_str(out, token.truth ? "true" : "false");
        break;
    case AERO_TOKEN_INT:
        aero_buf_printf(out, "%lld", (long long)token.number);
        break;
    case AERO_TOKEN_UINT:
        aero_buf_printf(out, "%llu", (unsigned long long)token.big);
        break;
    case AERO_TOKEN_DOUBLE:
        aero_buf_printf(out, "%f", token.real);
        break;
    case AERO_TOKEN_RAW:
        put_raw(out, token.bytes);
        break;
    case AERO_TOKEN_LIST:
        aero_buf_printf(out, "<list#%u>", token.count);
        break;
    case AERO_TOKEN_MAP:
        aero_buf_printf(out, "<map#%u>", token.count);
        break;
    case AERO_TOKEN_EXT:
        put_special(out, &token);
        break;
    }
}

/* ---- contexts ---- */

static bool
is_step(int64_t type)
{
    return type >= 0 && (type & ~AERO_STEP_KIND) <= AERO_STEP_VALUE &&
           (type & AERO_STEP_KIND) != AERO_STEP_KIND;
}

/* Whether the item at the front is as short as it can be: packed again it
 * takes as many bytes. */
static bool
is_short(aero_span *in)
{
    aero_span before = *in;
    aero_buf again = AERO_BUF_INIT;
    aero_token token;
    bool same;

    if (!aero_token_take(in, &token)) {
        return false;
    }
    switch (token.kind) {
    case AERO_TOKEN_INT:
        aero_pack_int(&again, token.number);
        break;
    case AERO_TOKEN_RAW:
        aero_pack_raw(&again, token.bytes.len != 0 ? token.bytes.ptr[0] : 0,
                      aero_span_skip(token.bytes, token.bytes.len != 0));
        break;
    case AERO_TOKEN_LIST:
        aero_pack_list(&again, token.count);
        break;
    case AERO_TOKEN_MAP:
        aero_pack_map(&again, token.count);
        break;
    default:
        return true;
    }
    before.len = (size_t)(in->ptr - before.ptr);
    same = aero_span_equal(before, aero_buf_span(&again));
    aero_buf_fini(&again);
    return same;
}

srv_context_fault
srv_context_check(aero_span packed)
{
    srv_context_fault fault = SRV_CONTEXT_GOOD;
    aero_span in = packed;
    uint32_t count;

    if (!take_list(&in, &count) || count == 0 || count % 2 != 0) {
        return SRV_CONTEXT_BAD;
    }
    for (uint32_t i = 0; i < count; i += 2) {
        int64_t type;

        if (!take_int(&in, &type) || !is_step(type) || !aero_token_skip(&in)) {
            return SRV_CONTEXT_BAD;
        }
    }
    packed.len -= in.len;
    while (packed.len != 0 && fault == SRV_CONTEXT_GOOD) {
        fault = is_short(&packed) ? SRV_CONTEXT_GOOD : SRV_CONTEXT_LONG;
    }
    return fault;
}

void
srv_put_context_text(aero_buf *out, aero_span packed)
{
    static const char *const kinds[] = {"", "list_", "map_"};
    static const char *const bases[] = {"index", "rank", "key", "value"};
    uint32_t count = 0;

    take_list(&packed, &count);
    aero_buf_put_str(out, "[");
    for (uint32_t i = 0; i < count; i += 2) {
        int64_t type;

        if (!take_int(&packed, &type) || !is_step(type)) {
            break;
        }
        aero_buf_printf(out, "%s%s%s(", i == 0 ? "" : ", ", kinds[type >> 4],
                        bases[type & AERO_STEP_BASE]);
        put_value(out, &packed);
        aero_buf_put_str(out, ")");
    }
    aero_buf_put_str(out, "]");
}

/* ---- expressions ---- */

static const char *const exp_names[AERO_EXP_CODES] = {
#define EXP_OP(name, code, args, type, text)    [code] = #name,
#define EXP_OP_82(name, code, args, type, text) [code] = #name,
#include "aero/wire/tables/exp.def"
#undef EXP_OP
#undef EXP_OP_82
};

static const char *const type_names[AERO_EXP_TYPES] = {
    "nil", "bool", "int",   "str",     "list",
    "map", "blob", "float", "geojson", "hll"};

typedef struct code_name {
    uint32_t code;
    const char *name;
} code_name;

static const code_name bit_names[] = {
#define BIT_OP(name, code, mode, args, flags, text)    {code, #name},
#define BIT_OP_82(name, code, mode, args, flags, text) {code, #name},
#include "aero/wire/tables/bit.def"
#undef BIT_OP
#undef BIT_OP_82
};

static const code_name hll_names[] = {
#define HLL_OP(name, code, mode, args, flags, text) {code, #name},
#include "aero/wire/tables/hll.def"
#undef HLL_OP
};

static void
put_lower(aero_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        aero_buf_put_u8(out, (uint8_t)tolower((unsigned char)*text));
    }
}

/* A name, which has no particle byte. */
static void
put_name(aero_buf *out, aero_span *in)
{
    aero_span name = {NULL, 0};

    take_raw_bytes(in, &name);
    aero_buf_put_str(out, "\"");
    aero_buf_put_span(out, name);
    aero_buf_put_str(out, "\"");
}

/* Where people are shown another name than the table's. */
static const char *
name_of(uint32_t code)
{
    switch (code) {
    case AERO_EXP_GEO:
        return "CMP_GEO";
    case AERO_EXP_DIGEST_MOD:
        return "DIGEST_MODULO";
    default:
        return exp_names[code];
    }
}

static const char *
type_name(int64_t type)
{
    return type >= 0 && type < AERO_EXP_TYPES ? type_names[type] : "unknown";
}

static void put_node(aero_buf *out, aero_span *in, unsigned depth);

static void
put_nodes(aero_buf *out, aero_span *in, uint32_t count, unsigned depth)
{
    for (uint32_t i = 0; i < count; i++) {
        aero_buf_put_str(out, i == 0 ? "" : ", ");
        put_node(out, in, depth);
    }
}

static const char *
call_name(int64_t system, uint32_t code, const char **prefix)
{
    unsigned kind = (unsigned)system & SYSTEM_KIND;

    *prefix = "";
    if (kind == SYSTEM_BITS || kind == SYSTEM_HLL) {
        bool bits = kind == SYSTEM_BITS;
        size_t n = bits ? sizeof bit_names / sizeof bit_names[0]
                        : sizeof hll_names / sizeof hll_names[0];

        *prefix = bits ? "bit_" : "hll_";
        for (size_t i = 0; i < n; i++) {
            if ((bits ? bit_names : hll_names)[i].code == code) {
                return (bits ? bit_names : hll_names)[i].name;
            }
        }
        return "unknown";
    }
    return aero_cdt_row_of(code) != NULL ? aero_cdt_row_of(code)->name
                                         : "INVALID_CDT_OP";
}

/* [type, system, [op, ...], value] or [.., [255, context, [op, ...]], ..] */
static void
put_call(aero_buf *out, aero_span *in, unsigned depth)
{
    int64_t type;
    int64_t system = 0;
    uint32_t code = 0;
    uint32_t args = 0;
    aero_span op = {NULL, 0};
    aero_span context = {NULL, 0};
    const char *prefix;
    bool of_cdt;

    if (!take_int(in, &type) || !take_int(in, &system) ||
        !aero_token_take_whole(in, &op) || !take_opcode(&op, &code, &args)) {
        return;
    }
    if (code == CONTEXT_CODE) {
        aero_token_take_whole(&op, &context);
        take_opcode(&op, &code, &args);
    }
    of_cdt = ((unsigned)system & SYSTEM_KIND) == 0;
    put_lower(out, call_name(system, code, &prefix));
    aero_buf_put_str(out, "(");
    if (of_cdt && context.len != 0) {
        srv_put_context_text(out, context);
    }
    else if (of_cdt) {
        aero_buf_put_str(out, "NULL");
    }
    for (uint32_t i = 0; i < args; i++) {
        aero_buf_put_str(out, of_cdt || i != 0 ? ", " : "");
        put_node(out, &op, depth);
    }
    aero_buf_put_str(out, of_cdt || args != 0 ? ", " : "");
    put_node(out, in, depth);
    aero_buf_put_str(out, ")");
}

static void
put_let(aero_buf *out, aero_span *in, uint32_t args, unsigned depth)
{
    aero_buf_put_str(out, "let(");
    for (uint32_t i = 0; i + 1 < args; i += 2) {
        aero_span name = {NULL, 0};

        take_raw_bytes(in, &name);
        aero_buf_put_str(out, "def(");
        aero_buf_put_span(out, name);
        aero_buf_put_str(out, ", ");
        put_node(out, in, depth);
        aero_buf_put_str(out, "), ");
    }
    put_node(out, in, depth);
    aero_buf_put_str(out, ")");
}

/* Codes whose arguments are not all expressions.  False: it is none. */
static bool
put_special_node(aero_buf *out, uint32_t code, aero_span *in, uint32_t args,
                 unsigned depth)
{
    int64_t type = 0;

    switch (code) {
    case AERO_EXP_BIN:
    case AERO_EXP_KEY:
        take_int(in, &type);
        aero_buf_printf(out, "%s_%s(", code == AERO_EXP_BIN ? "bin" : "key",
                        type_name(type));
        if (code == AERO_EXP_BIN) {
            put_name(out, in);
        }
        aero_buf_put_str(out, ")");
        return true;
    case AERO_EXP_BIN_TYPE:
    case AERO_EXP_VAR:
        put_lower(out, exp_names[code]);
        aero_buf_put_str(out, "(");
        put_name(out, in);
        aero_buf_put_str(out, ")");
        return true;
    case AERO_EXP_LET:
        put_let(out, in, args, depth);
        return true;
    case AERO_EXP_QUOTE:
        put_value(out, in);
        return true;
    case AERO_EXP_CALL:
        put_call(out, in, depth);
        return true;
    case AERO_EXP_REGEX: {
        aero_span pattern = {NULL, 0};

        take_int(in, &type);
        take_raw_bytes(in, &pattern);
        aero_buf_printf(out, "cmp_regex(<string#%zu>, %lld, ", pattern.len,
                        (long long)type);
        put_node(out, in, depth);
        aero_buf_put_str(out, ")");
        return true;
    }
    default:
        return false;
    }
}

static void
put_node(aero_buf *out, aero_span *in, unsigned depth)
{
    aero_span literal = *in;
    aero_span whole;
    uint32_t code;
    uint32_t args;

    if (!aero_token_take_whole(in, &whole)) {
        *in = aero_span_skip(*in, in->len);
    }
    else if (depth > AERO_EXP_DEPTH_MAX ||
             !take_opcode(&whole, &code, &args) || code >= AERO_EXP_CODES ||
             exp_names[code] == NULL) {
        put_value(out, &literal);
    }
    else if (!put_special_node(out, code, &whole, args, depth + 1)) {
        put_lower(out, name_of(code));
        aero_buf_put_str(out, "(");
        put_nodes(out, &whole, args, depth + 1);
        aero_buf_put_str(out, ")");
    }
}

void
srv_put_expression_text(aero_buf *out, aero_span packed)
{
    put_node(out, &packed, 0);
}

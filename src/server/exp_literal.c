/* The leaves of expressions: literals, and arguments that are no expressions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "args.h"
#include "exp_internal.h"

/* ---- literals ---- */

/* A raw item with its particle byte. */
static int
raw_literal(exp_builder *b, aero_span raw, exp_value *value)
{
    aero_geo *geo;
    int rc;

    if (raw.len == 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    *value = exp_of_bytes(raw.ptr[0], aero_span_skip(raw, 1));
    switch (value->kind) {
    case AERO_PARTICLE_STRING:
    case AERO_PARTICLE_BLOB:
    case AERO_PARTICLE_HLL:
        return AERO_ERR_OK;
    case AERO_PARTICLE_GEOJSON:
        geo = aero_arena_alloc(&b->exp->arena, sizeof *geo);
        if (geo == NULL) {
            return AERO_ERR_SERVER;
        }
        value->geo = geo;
        rc = aero_geo_parse(value->bytes, &b->exp->arena, geo);
        return rc == AERO_ERR_GEO_INVALID_GEOJSON ? AERO_ERR_REQUEST_INVALID
                                                  : rc;
    default:
        return AERO_ERR_REQUEST_INVALID;
    }
}

/* Ext items, of which the short ones must be INFINITE or WILDCARD. */
static int
ext_literal(aero_span packed, const aero_token *token, exp_value *value)
{
    if (packed.ptr[0] == 0xd4 &&
        (token->ext_type != AERO_EXT_SPECIAL || token->bytes.ptr[0] > 1)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    *value = exp_of_bytes(KIND_OTHER, packed);
    return AERO_ERR_OK;
}

static int
literal_of(exp_builder *b, aero_span packed, exp_value *value)
{
    aero_span in = packed;
    aero_token token;

    aero_token_take(&in, &token);
    switch (token.kind) {
    case AERO_TOKEN_RAW:
        return raw_literal(b, token.bytes, value);
    case AERO_TOKEN_EXT:
        return ext_literal(packed, &token, value);
    case AERO_TOKEN_MAP:
        *value = exp_of_bytes(AERO_PARTICLE_MAP, packed);
        return AERO_ERR_OK;
    case AERO_TOKEN_UINT: /* wraps */
        *value = exp_of_int((int64_t)token.big);
        return AERO_ERR_OK;
    default:
        *value = exp_of_packed(packed);
        return AERO_ERR_OK;
    }
}

static uint8_t
type_of_kind(uint8_t kind)
{
    for (uint8_t type = 0; type < AERO_EXP_TYPES; type++) {
        if (exp_particle(type) == kind) {
            return type;
        }
    }
    return TYPE_OTHER;
}

/* Put a literal into a node. */
static int
set_literal(exp_builder *b, uint32_t at, exp_value value)
{
    exp_node *node = exp_built_node(b, at);
    exp_value *kept = aero_arena_alloc(&b->exp->arena, sizeof *kept);

    if (kept == NULL) {
        return AERO_ERR_SERVER;
    }
    *kept = value;
    node->value = kept;
    return AERO_ERR_OK;
}

int
exp_build_literal(exp_builder *b, exp_built *built)
{
    exp_value value;
    aero_span packed;
    uint32_t at;
    int rc;

    if (!aero_token_take_whole(&b->in, &packed)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    rc = literal_of(b, packed, &value);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    built->type = type_of_kind(value.kind);
    rc = exp_add(b, NODE_LITERAL, built->type, &at);
    if (rc != AERO_ERR_OK) {
        return rc;
    }
    exp_built_node(b, at)->next = at + 1;
    return set_literal(b, at, value);
}

/* ---- patterns ---- */

enum {
    GROUPS_MAX = 256,     /* of a pattern, one inside the other */
    STATES_MAX = 1 << 18, /* about, once its repetitions are unfolded */
};

/* The largest number inside {}; `*at` is left at its end. */
static uint64_t
repetitions(const char *pattern, size_t *at)
{
    uint64_t most = 1;

    for (; pattern[*at] != '\0' && pattern[*at] != '}'; (*at)++) {
        uint64_t n = strtoul(pattern + *at, NULL, 10);

        most = n > most ? n : most;
    }
    return most < STATES_MAX ? most : STATES_MAX;
}

/* Whether the C library can compile it without taking the machine's memory
 * or stack: its compiler recurses over groups and unfolds repetitions. */
static bool
is_modest(const char *pattern)
{
    uint64_t size[GROUPS_MAX] = {0}; /* of the groups we are in */
    uint64_t last = 1;               /* size of what stands in front */
    int depth = 0;

    for (size_t i = 0; pattern[i] != '\0'; i++) {
        if (pattern[i] == '(') {
            if (++depth == GROUPS_MAX) {
                return false;
            }
            size[depth] = 0;
        }
        else if (pattern[i] == ')' && depth != 0) {
            last = size[depth--] + 1;
            size[depth] += last;
        }
        else if (pattern[i] == '{') {
            uint64_t n = repetitions(pattern, &i);

            size[depth] += last * (n - 1);
            last *= n;
            i -= pattern[i] == '\0';
        }
        else {
            last = 1;
            size[depth]++;
        }
        if (size[depth] > STATES_MAX) {
            return false;
        }
    }
    return true;
}

/* The flags stand in the node. */
static int
build_pattern(exp_builder *b, exp_node *node)
{
    static const struct {
        int64_t wire;
        int here;
    } flags[] = {
        {1, REG_EXTENDED}, {2, REG_ICASE}, {4, REG_NEWLINE}, {8, REG_NOSUB}};
    int cflags = 0;
    aero_span bytes;
    exp_regex *r;
    char *text;

    if (!take_raw_bytes(&b->in, &bytes)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    r = aero_arena_alloc(&b->exp->arena, sizeof *r);
    text = aero_arena_alloc(&b->exp->arena, bytes.len + 1);
    if (r == NULL || text == NULL) {
        return AERO_ERR_SERVER;
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if ((node->number & flags[i].wire) != 0) {
            cflags |= flags[i].here;
        }
    }
    if (bytes.len != 0) {
        memcpy(text, bytes.ptr, bytes.len);
    }
    text[bytes.len] = '\0';
    if (!is_modest(text) || regcomp(&r->regex, text, cflags) != 0) {
        return AERO_ERR_REQUEST_INVALID;
    }
    r->next = b->exp->regexes;
    b->exp->regexes = r;
    node->regex = &r->regex;
    return AERO_ERR_OK;
}

/* ---- operations of calls ---- */

/* Behind the code of a path: context, flags, perhaps an expression, which is
 * not built before the path is walked. */
static bool
take_path(aero_span *in, uint32_t count)
{
    aero_span ahead = *in;
    aero_span whole;
    uint32_t steps;
    int64_t flags;

    return (count == 3 || count == 4) && take_list(&ahead, &steps) &&
           aero_token_take_whole(in, &whole) && take_int(in, &flags) &&
           (count == 3 || aero_token_take_whole(in, &whole));
}

/* Take the head of an operation, up to its arguments. */
static bool
take_op_head(aero_span *in, exp_call *call)
{
    aero_span context;
    uint32_t count;
    int64_t code;

    if (!take_list(in, &count) || count == 0 || !take_int(in, &code)) {
        return false;
    }
    if (code == AERO_CDT_PATH) {
        return take_path(in, count);
    }
    if (code == AERO_CDT_CONTEXT && /* then the operation inside counts */
        (count != 3 || !aero_token_take_whole(in, &context) ||
         !take_list(in, &count) || count == 0 || !take_int(in, &code))) {
        return false;
    }
    call->args = count - 1;
    return true;
}

/* Its arguments: arrays are expressions and become nodes. */
static int
build_operation(exp_builder *b, uint32_t at)
{
    exp_call *call = exp_built_node(b, at)->call;
    const uint8_t *from = b->in.ptr;

    if (!take_op_head(&b->in, call)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    call->head = (size_t)(b->in.ptr - from);
    call->depth = b->depth;
    for (uint32_t i = 0; i < call->args; i++) {
        aero_span ahead = b->in;
        aero_token token;
        exp_built built;
        int rc;

        if (!aero_token_take(&ahead, &token)) {
            return AERO_ERR_REQUEST_INVALID;
        }
        if (token.kind == AERO_TOKEN_LIST) {
            rc = exp_build_value(b, &built);
            call->inside++;
        }
        else {
            rc = aero_token_skip(&b->in) ? AERO_ERR_OK
                                         : AERO_ERR_REQUEST_INVALID;
        }
        if (rc != AERO_ERR_OK) {
            return rc;
        }
    }
    call->op = aero_span_of(from, (size_t)(b->in.ptr - from));
    return AERO_ERR_OK;
}

static int
build_system(exp_builder *b, uint32_t at)
{
    exp_call *call = aero_arena_array(&b->exp->arena, 1, sizeof *call);
    int64_t system;

    if (call == NULL) {
        return AERO_ERR_SERVER;
    }
    if (!take_int(&b->in, &system)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    call->system = (uint32_t)system;
    exp_built_node(b, at)->call = call;
    return AERO_ERR_OK;
}

/* ---- the letters ---- */

static bool
take_type(exp_builder *b, uint32_t limit, exp_node *node)
{
    int64_t type;

    if (!take_int(&b->in, &type)) {
        return false;
    }
    if (limit == 0) { /* of a loop variable: only 32 bits count */
        type = (int64_t)(uint32_t)type;
        limit = AERO_EXP_TYPES + 2;
    }
    if (type < 0 || type >= limit) {
        return false;
    }
    node->wants = (uint8_t)type;
    node->type = type < AERO_EXP_TYPES    ? (uint8_t)type
                 : type == AERO_EXP_TYPES ? AERO_EXP_TYPE_BOOL
                                          : TYPE_REMOVE;
    return true;
}

static bool
take_key_type(exp_builder *b, exp_node *node)
{
    int64_t type;

    if (!take_int(&b->in, &type)) {
        return false;
    }
    node->wants = node->type = (uint8_t)type;
    type = (int64_t)(uint32_t)type;
    return type == AERO_EXP_TYPE_INT || type == AERO_EXP_TYPE_STR ||
           type == AERO_EXP_TYPE_BLOB;
}

static bool
take_loop_variable(exp_builder *b, exp_node *node)
{
    return take_int(&b->in, &node->number) && node->number >= 0 &&
           node->number < 3 &&
           (node->number != 2 || node->wants == AERO_EXP_TYPE_INT);
}

static bool
take_bin_name(exp_builder *b, exp_node *node)
{
    aero_span name;

    if (!take_raw_bytes(&b->in, &name) || name.len > AERO_BIN_NAME_MAX ||
        (name.len != 0 && memchr(name.ptr, '\0', name.len) != NULL)) {
        return false;
    }
    node->name = name;
    return true;
}

/* Only 32 bits count. */
static bool
take_divisor(exp_builder *b, exp_node *node)
{
    int64_t divisor;

    if (!take_int(&b->in, &divisor)) {
        return false;
    }
    node->number = (int32_t)(uint32_t)divisor;
    return node->number != 0;
}

static int
build_quote(exp_builder *b, uint32_t at)
{
    aero_span ahead = b->in;
    aero_span packed;
    uint32_t count;

    if (!take_list(&ahead, &count) ||
        !aero_token_take_whole(&b->in, &packed)) {
        return AERO_ERR_REQUEST_INVALID;
    }
    exp_built_node(b, at)->code = NODE_LITERAL;
    return set_literal(b, at, exp_of_bytes(AERO_PARTICLE_LIST, packed));
}

int
exp_build_static(exp_builder *b, char letter, uint32_t at)
{
    exp_node *node = exp_built_node(b, at);
    bool good;

    switch (letter) {
    case 'O':
        return build_operation(b, at);
    case 'P':
        return build_pattern(b, node);
    case 'Q':
        return build_quote(b, at);
    case 'S':
        return build_system(b, at);
    case 'F':
        good = take_int(&b->in, &node->number);
        break;
    case 'I':
        good = take_loop_variable(b, node);
        break;
    case 'K':
        good = take_key_type(b, node);
        break;
    case 'M':
        good = take_divisor(b, node);
        break;
    case 'N':
        good = take_bin_name(b, node);
        break;
    case 'T':
        good = take_type(b, AERO_EXP_TYPES, node);
        break;
    default: /* 'U' */
        good = take_type(b, 0, node);
        break;
    }
    return good ? AERO_ERR_OK : AERO_ERR_REQUEST_INVALID;
}

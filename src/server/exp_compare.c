/* Comparisons, patterns and geometry.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "exp_internal.h"

/* How two values stand, as a bit; what a code accepts is a set of them. */
enum {
    LESS = 1,
    EQUAL = 2,
    GREATER = 4,
    APART = 8, /* a NaN: not even itself */
    UNCLEAR = 0
};

static const uint8_t accepts[] = {
    [AERO_EXP_EQ] = EQUAL,   [AERO_EXP_NE] = LESS | GREATER | APART,
    [AERO_EXP_GT] = GREATER, [AERO_EXP_GE] = GREATER | EQUAL,
    [AERO_EXP_LT] = LESS,    [AERO_EXP_LE] = LESS | EQUAL,
};

static uint8_t
by_sign(int sign)
{
    return sign < 0 ? LESS : sign > 0 ? GREATER : EQUAL;
}

/* ---- lists and maps ---- */

static bool
is_container(const aero_token *token)
{
    return token->kind == AERO_TOKEN_LIST || token->kind == AERO_TOKEN_MAP;
}

static bool
is_wildcard(const aero_token *token)
{
    return token->kind == AERO_TOKEN_EXT &&
           token->ext_type == AERO_EXT_SPECIAL && token->bytes.len == 1 &&
           token->bytes.ptr[0] == AERO_EXT_WILDCARD;
}

/* Step over a container's head and flags; whether it is a map with entries
 * that is not flagged as sorted. */
static bool
enter_plain_map(aero_span *in, aero_token *token)
{
    bool map = token->kind == AERO_TOKEN_MAP;
    bool empty = token->count == 0;
    uint8_t flags;

    if (!aero_token_take_flags(in, map, &token->count, &flags)) {
        return false;
    }
    return map && !empty && (flags & AERO_MAP_K_ORDERED) == 0;
}

/* Walk two values together, as comparing does, until they differ; whether a
 * map without order is met on the way.  Such maps cannot be compared. */
static bool
meets_plain_map(aero_span a, aero_span b)
{
    uint64_t left = 1;

    while (left != 0) {
        aero_span whole_a = a;
        aero_span whole_b = b;
        aero_token ta;
        aero_token tb;
        bool plain = false;

        left--;
        if (!aero_token_take(&a, &ta) || !aero_token_take(&b, &tb)) {
            return false;
        }
        if (is_container(&ta)) {
            plain |= enter_plain_map(&a, &ta);
        }
        if (is_container(&tb)) {
            plain |= enter_plain_map(&b, &tb);
        }
        if (plain) {
            return true;
        }
        if (!is_container(&ta) && !is_container(&tb)) {
            if (is_wildcard(&ta) || is_wildcard(&tb) ||
                aero_cdt_compare(&whole_a, &whole_b) != 0) {
                return false;
            }
        }
        else if (ta.kind != tb.kind) {
            return false;
        }
        else if (ta.kind == AERO_TOKEN_MAP) {
            if (ta.count != tb.count) {
                return false;
            }
            left += 2 * (uint64_t)ta.count;
        }
        else if (ta.count == tb.count) {
            left += ta.count;
        }
        else { /* the shorter one's end decides */
            left = ta.count < tb.count ? ta.count : tb.count;
        }
    }
    return false;
}

static uint8_t
compare_packed(aero_span a, aero_span b)
{
    if (meets_plain_map(a, b)) {
        return UNCLEAR;
    }
    return by_sign(aero_cdt_compare(&a, &b));
}

/* ---- values of one type ---- */

static uint8_t
compare_reals(double a, double b)
{
    return a < b ? LESS : a > b ? GREATER : a == b ? EQUAL : APART;
}

static uint8_t
compare(const exp_value *a, const exp_value *b)
{
    if (a->kind != b->kind) {
        return UNCLEAR;
    }
    switch (a->kind) {
    case AERO_PARTICLE_NIL:
        return EQUAL;
    case AERO_PARTICLE_BOOL:
        return by_sign(a->truth - b->truth);
    case AERO_PARTICLE_INTEGER:
        return by_sign((a->number > b->number) - (a->number < b->number));
    case AERO_PARTICLE_FLOAT:
        return compare_reals(a->real, b->real);
    case AERO_PARTICLE_STRING:
    case AERO_PARTICLE_BLOB:
        return by_sign(aero_span_compare(a->bytes, b->bytes));
    case AERO_PARTICLE_LIST:
    case AERO_PARTICLE_MAP:
    case KIND_OTHER:
        return compare_packed(a->bytes, b->bytes);
    default:
        return UNCLEAR;
    }
}

/* Evaluate both arguments; false when one is unknown. */
static bool
two(exp_run *run, uint32_t at, exp_value *a, exp_value *b)
{
    *a = exp_eval_at(run, at + 1);
    if (exp_is_unknown(a)) {
        return false;
    }
    *b = exp_eval_at(run, exp_run_node(run, at + 1)->next);
    return !exp_is_unknown(b);
}

exp_value
exp_eval_compare(exp_run *run, uint32_t at)
{
    exp_value a;
    exp_value b;
    uint8_t how;

    if (!two(run, at, &a, &b)) {
        return exp_unknown();
    }
    how = compare(&a, &b);
    if (how == UNCLEAR) {
        return exp_unknown();
    }
    return exp_of_bool((accepts[exp_run_node(run, at)->code] & how) != 0);
}

/* ---- lists ---- */

exp_value
exp_eval_in_list(exp_run *run, uint32_t at)
{
    aero_buf work = AERO_BUF_INIT;
    exp_value result = exp_unknown();
    exp_value value;
    exp_value list;
    aero_token token;

    if (!two(run, at, &value, &list) || list.kind != AERO_PARTICLE_LIST ||
        !exp_pack(&value, &work) || !aero_token_take(&list.bytes, &token)) {
        goto done;
    }
    if (work.failed) {
        run->failed = true;
        goto done;
    }
    result = exp_of_bool(false);
    for (uint32_t i = 0; i < token.count; i++) {
        aero_span wanted = aero_buf_span(&work);
        aero_span item;

        if (!aero_token_take_whole(&list.bytes, &item)) {
            break;
        }
        if (aero_cdt_compare(&wanted, &item) == 0) {
            result = exp_of_bool(true);
            break;
        }
    }

done:
    aero_buf_fini(&work);
    return result;
}

/* ---- patterns ---- */

/* A string ends at its first NUL, as C has it. */
exp_value
exp_eval_regex(exp_run *run, uint32_t at)
{
    exp_value value = exp_eval_at(run, at + 1);
    char small[256];
    char *text = small;

    if (value.kind != AERO_PARTICLE_STRING) {
        return exp_unknown();
    }
    if (value.bytes.len >= sizeof small) {
        text = aero_arena_alloc(&run->arena, value.bytes.len + 1);
        if (text == NULL) {
            run->failed = true;
            return exp_unknown();
        }
    }
    if (value.bytes.len != 0) {
        memcpy(text, value.bytes.ptr, value.bytes.len);
    }
    text[value.bytes.len] = '\0';
    return exp_of_bool(
        regexec(exp_run_node(run, at)->regex, text, 0, NULL, 0) == 0);
}

/* ---- geometry ---- */

/* The shape of a value; literals have theirs. */
static bool
shape_of(exp_run *run, const exp_value *value, aero_geo *parsed,
         const aero_geo **out)
{
    int rc;

    *out = value->geo;
    if (value->geo != NULL) {
        return true;
    }
    *out = parsed;
    rc = aero_geo_parse(value->bytes, &run->arena, parsed);
    run->failed |= rc == AERO_ERR_SERVER;
    return rc == AERO_ERR_OK;
}

exp_value
exp_eval_geo(exp_run *run, uint32_t at)
{
    const aero_geo *shapes[2];
    aero_geo parsed[2];
    exp_value a;
    exp_value b;

    if (!two(run, at, &a, &b) || a.kind != AERO_PARTICLE_GEOJSON ||
        b.kind != AERO_PARTICLE_GEOJSON ||
        !shape_of(run, &a, &parsed[0], &shapes[0]) ||
        !shape_of(run, &b, &parsed[1], &shapes[1])) {
        return exp_unknown();
    }
    return exp_of_bool(aero_geo_within(shapes[0], shapes[1]));
}

/* The order of values.
 *
 * Two values are compared token by token, nested ones in line: how many more
 * tokens there are to compare is a count, not a stack.  Where two lists
 * differ in length, whatever stands behind their common part no longer
 * counts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_internal.h"

/* Places in the order across types. */
typedef enum place {
    PLACE_NIL,
    PLACE_FALSE,
    PLACE_TRUE,
    PLACE_INTEGER,
    PLACE_STRING,
    PLACE_LIST,
    PLACE_MAP,
    PLACE_BLOB,
    PLACE_DOUBLE,
    PLACE_GEO,
    PLACE_EXT,
    PLACE_WILDCARD,
    PLACE_INFINITE
} place;

static place
place_of_raw(aero_span bytes)
{
    if (bytes.len == 0) {
        return PLACE_BLOB;
    }
    switch (bytes.ptr[0]) {
    case AERO_PARTICLE_STRING:
        return PLACE_STRING;
    case AERO_PARTICLE_GEOJSON:
        return PLACE_GEO;
    default:
        return PLACE_BLOB;
    }
}

static place
place_of_ext(const aero_token *token)
{
    if (token->ext_type != AERO_EXT_SPECIAL || token->bytes.len != 1) {
        return PLACE_EXT;
    }
    switch (token->bytes.ptr[0]) {
    case AERO_EXT_WILDCARD:
        return PLACE_WILDCARD;
    case AERO_EXT_INFINITE:
        return PLACE_INFINITE;
    default:
        return PLACE_EXT;
    }
}

static place
place_of(const aero_token *token)
{
    static const place fixed[] = {
        [AERO_TOKEN_NIL] = PLACE_NIL,      [AERO_TOKEN_INT] = PLACE_INTEGER,
        [AERO_TOKEN_UINT] = PLACE_INTEGER, [AERO_TOKEN_DOUBLE] = PLACE_DOUBLE,
        [AERO_TOKEN_LIST] = PLACE_LIST,    [AERO_TOKEN_MAP] = PLACE_MAP,
    };

    switch (token->kind) {
    case AERO_TOKEN_BOOL:
        return token->truth ? PLACE_TRUE : PLACE_FALSE;
    case AERO_TOKEN_RAW:
        return place_of_raw(token->bytes);
    case AERO_TOKEN_EXT:
        return place_of_ext(token);
    default:
        return fixed[token->kind];
    }
}

/* Two that are no containers and have the same place. */
static int
compare_scalars(const aero_token *a, const aero_token *b)
{
    if (a->kind != b->kind) { /* integers below and from 2^63 */
        return a->kind == AERO_TOKEN_UINT ? 1 : -1;
    }
    switch (a->kind) {
    case AERO_TOKEN_INT:
        return (a->number > b->number) - (a->number < b->number);
    case AERO_TOKEN_UINT:
        return (a->big > b->big) - (a->big < b->big);
    case AERO_TOKEN_DOUBLE:
        return (a->real > b->real) - (a->real < b->real);
    case AERO_TOKEN_RAW:
    case AERO_TOKEN_EXT:
        return aero_span_compare(a->bytes, b->bytes);
    default:
        return 0;
    }
}

static bool
take(aero_span *in, aero_token *token)
{
    uint8_t flags;

    if (!aero_token_take(in, token)) {
        return false;
    }
    if (token->kind != AERO_TOKEN_LIST && token->kind != AERO_TOKEN_MAP) {
        return true;
    }
    return cdt_take_flags(in, token->kind == AERO_TOKEN_MAP, &token->count,
                          &flags);
}

int
aero_cdt_compare(aero_span *a, aero_span *b)
{
    uint64_t left = 1; /* tokens still to compare */
    int tail = 0;      /* the answer if all of them are equal */

    while (left != 0) {
        aero_token x;
        aero_token y;
        int order;

        if (!take(a, &x) || !take(b, &y)) {
            return tail; /* cannot be: both were checked */
        }
        left--;
        if (place_of(&x) == PLACE_WILDCARD || place_of(&y) == PLACE_WILDCARD) {
            return 0;
        }
        order = (int)place_of(&x) - (int)place_of(&y);
        if (order == 0 && x.kind == AERO_TOKEN_LIST) {
            if (x.count == y.count) {
                left += x.count;
            }
            else {
                left = x.count < y.count ? x.count : y.count;
                tail = x.count < y.count ? -1 : 1;
            }
        }
        else if (order == 0 && x.kind == AERO_TOKEN_MAP) {
            order = (x.count > y.count) - (x.count < y.count);
            left += 2 * (uint64_t)x.count;
        }
        else if (order == 0) {
            order = compare_scalars(&x, &y);
        }
        if (order != 0) {
            return order;
        }
    }
    return tail;
}

/* How operations read their payload: an array of a code and arguments, whose
 * letters stand in the tables.  Private to the server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_ARGS_H
#define AERO_SERVER_ARGS_H

#include "aero/base/bytes.h"
#include "aero/wire/value.h"

/* Any integer of eight bytes or less; from 2^63 on as its bits. */
static inline bool
take_int(aero_span *in, int64_t *out)
{
    aero_token token;

    if (!aero_token_take(in, &token)) {
        return false;
    }
    if (token.kind == AERO_TOKEN_UINT) {
        *out = (int64_t)token.big;
        return true;
    }
    *out = token.number;
    return token.kind == AERO_TOKEN_INT;
}

static inline bool
take_bool(aero_span *in, int64_t *out)
{
    aero_token token;

    if (!aero_token_take(in, &token) || token.kind != AERO_TOKEN_BOOL) {
        return false;
    }
    *out = token.truth;
    return true;
}

static inline bool
take_list(aero_span *in, uint32_t *count)
{
    aero_token token;

    if (!aero_token_take(in, &token) || token.kind != AERO_TOKEN_LIST) {
        return false;
    }
    *count = token.count;
    return true;
}

static inline bool
take_raw_bytes(aero_span *in, aero_span *out)
{
    aero_token token;

    if (!aero_token_take(in, &token) || token.kind != AERO_TOKEN_RAW) {
        return false;
    }
    *out = token.bytes;
    return true;
}

/* The head of a list of a request.  What it counts may be missing: whoever
 * needs it finds that out. */
static inline bool
take_head(aero_span *in, uint32_t *count)
{
    uint8_t head = in->len == 0 ? 0 : in->ptr[0];
    size_t size = head == 0xdc ? 3 : head == 0xdd ? 5 : 1;

    if (in->len < size || (size == 1 && (head & 0xf0) != 0x90)) {
        return false;
    }
    *count = size == 1   ? head & 0x0f
             : size == 3 ? aero_get_u16(in->ptr + 1)
                         : aero_get_u32(in->ptr + 1);
    *in = aero_span_skip(*in, size);
    return true;
}

/* The head of an operation: its code, of which only 32 bits count, and how
 * many arguments follow. */
static inline bool
take_opcode(aero_span *in, uint32_t *code, uint32_t *args)
{
    int64_t number;

    if (!take_head(in, args) || *args == 0 || !take_int(in, &number)) {
        return false;
    }
    (*args)--;
    *code = (uint32_t)number;
    return true;
}

/* Flags of which some are allowed, and not all of `both` together. */
static inline bool
take_flags(aero_span *in, int64_t allowed, int64_t both, int64_t *out)
{
    return take_int(in, out) && (*out & ~allowed) == 0 &&
           (*out & both) != both;
}

/* Whether this many arguments suit a row's letters: those inside [] may be
 * missing, from the end. */
static inline bool
args_fit(const char *letters, uint32_t count)
{
    bool optional = false;
    uint32_t least = 0;
    uint32_t most = 0;

    for (; *letters != '\0'; letters++) {
        if (*letters == '[') {
            optional = true;
        }
        else if (*letters != ']') {
            least += !optional;
            most++;
        }
    }
    return count >= least && count <= most;
}

/* The letter of the next argument of a row that fits. */
static inline char
next_letter(const char **letters)
{
    if (**letters == '[') {
        (*letters)++;
    }
    return *(*letters)++;
}

#endif

/* A look at a packed list or map:
 *
 *   head   90..9f dc dd (lists)   80..8f de df (maps)
 *   flags  c7 00 FF (lists)       c7 00 FF c0 (maps), only if there are any
 *   body   the items              key, value, key, value ...
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cdt_internal.h"

bool
cdt_take_flags(aero_span *in, bool is_map, uint32_t *count, uint8_t *flags)
{
    aero_token token;

    *flags = 0;
    if (*count == 0 || in->len == 0 || in->ptr[0] < 0xc7 ||
        in->ptr[0] > 0xc9) {
        return true;
    }
    if (!aero_token_take(in, &token)) {
        return false;
    }
    *flags = (uint8_t)token.ext_type;
    (*count)--;
    if (!is_map) {
        return true;
    }
    return aero_token_take(in, &token); /* nil; nobody looks */
}

bool
cdt_open(aero_span packed, cdt_box *box)
{
    aero_token head;

    memset(box, 0, sizeof *box);
    if (!aero_token_take(&packed, &head) ||
        (head.kind != AERO_TOKEN_LIST && head.kind != AERO_TOKEN_MAP)) {
        return false;
    }
    box->is_map = head.kind == AERO_TOKEN_MAP;
    box->count = head.count;
    if (!cdt_take_flags(&packed, box->is_map, &box->count, &box->flags)) {
        return false;
    }
    box->flags = cdt_flags_kept(box->is_map, box->flags);
    box->body = packed;
    return true;
}

int
cdt_index(cdt_box *box, aero_arena *arena)
{
    size_t n = (size_t)box->count * (box->is_map ? 2 : 1);
    aero_span left = box->body;
    uint32_t *parts;

    if (box->parts != NULL) {
        return AERO_ERR_OK;
    }
    parts = aero_arena_alloc(arena, (n + 1) * sizeof *parts);
    if (parts == NULL) {
        return AERO_ERR_SERVER;
    }
    parts[0] = 0;
    for (size_t i = 0; i < n; i++) {
        if (!aero_token_skip(&left)) {
            return AERO_ERR_SERVER;
        }
        parts[i + 1] = (uint32_t)(left.ptr - box->body.ptr);
    }
    box->body.len = parts[n];
    box->parts = parts;
    return AERO_ERR_OK;
}

void
cdt_put_head(aero_buf *out, bool is_map, uint8_t flags, uint32_t count)
{
    uint32_t shown = count + (flags != 0);

    if (is_map) {
        aero_pack_map(out, shown);
    }
    else {
        aero_pack_list(out, shown);
    }
    if (flags == 0) {
        return;
    }
    if (is_map) {
        aero_pack_map_flags(out, flags);
    }
    else {
        aero_pack_list_flags(out, flags);
    }
}

void
cdt_put_nils(aero_buf *out, uint32_t count)
{
    if (count != 0 && aero_buf_reserve(out, count)) {
        memset(out->ptr + out->len, 0xc0, count);
        out->len += count;
    }
}

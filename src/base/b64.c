/* Base64.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/b64.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
aero_b64_put(aero_buf *out, aero_span bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t here = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = (uint32_t)bytes.ptr[i] << 16;

        if (here > 1) {
            group |= (uint32_t)bytes.ptr[i + 1] << 8;
        }
        if (here > 2) {
            group |= bytes.ptr[i + 2];
        }
        aero_buf_put_u8(out, (uint8_t)digits[group >> 18]);
        aero_buf_put_u8(out, (uint8_t)digits[group >> 12 & 63]);
        aero_buf_put_u8(out,
                        here > 1 ? (uint8_t)digits[group >> 6 & 63] : '=');
        aero_buf_put_u8(out, here > 2 ? (uint8_t)digits[group & 63] : '=');
    }
}

static int
digit_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
aero_b64_take(aero_span text, aero_buf *out)
{
    if (text.len % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i += 4) {
        const uint8_t *p = text.ptr + i;
        bool last = i + 4 == text.len;
        int pad = last && p[3] == '=' ? (p[2] == '=' ? 2 : 1) : 0;
        uint32_t group = 0;

        for (int j = 0; j < 4; j++) {
            int v = j >= 4 - pad ? 0 : digit_value(p[j]);

            if (v < 0) {
                return false;
            }
            group = group << 6 | (uint32_t)v;
        }
        for (int j = 0; j < 3 - pad; j++) {
            aero_buf_put_u8(out, (uint8_t)(group >> (16 - 8 * j)));
        }
    }
    return !out->failed;
}

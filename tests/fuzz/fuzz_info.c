/* Info bodies: commands, lines, errors, pairs, numbers, addresses, base64.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/b64.h"
#include "aero/net/addr.h"
#include "aero/wire/info.h"
#include "fuzz.h"

static void
look_at_value(aero_span value)
{
    aero_span part;
    aero_addr addr;
    int64_t number;
    uint16_t port = 3000;
    int code;

    if (aero_info_error(value, &code, &part)) {
        MUST(code > 0);
        fuzz_touch(part);
    }
    if (aero_info_number(value, &number)) {
        char text[32];
        int len = snprintf(text, sizeof text, "%lld", (long long)number);

        MUST(len > 0 && (size_t)len <= value.len);
    }
    if (aero_info_pair(value, ';', "ns", &part)) {
        fuzz_touch(part);
    }
    if (aero_info_address(value, &part, &port)) {
        MUST(port != 0 && part.len != 0);
        if (aero_addr_parse(part, port, &addr)) {
            char at[AERO_ADDR_TEXT_MAX];

            aero_addr_text(&addr, at);
        }
    }
}

static void
decode(aero_span text)
{
    aero_buf bytes = AERO_BUF_INIT;
    aero_buf again = AERO_BUF_INIT;
    aero_buf third = AERO_BUF_INIT;

    if (aero_b64_take(text, &bytes)) {
        aero_b64_put(&again, aero_buf_span(&bytes));
        MUST(aero_b64_take(aero_buf_span(&again), &third));
        MUST(aero_span_equal(aero_buf_span(&bytes), aero_buf_span(&third)));
    }
    aero_buf_fini(&bytes);
    aero_buf_fini(&again);
    aero_buf_fini(&third);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    aero_span body = aero_span_of(data, size);
    aero_span rest = body;
    aero_span command;
    aero_span value;
    aero_status st;

    while (aero_info_take_command(&rest, &command)) {
        fuzz_touch(command);
    }
    rest = body;
    while (aero_info_take_line(&rest, &command, &value, &st) == AERO_OK) {
        look_at_value(command);
        look_at_value(value);
    }
    aero_info_find(body, "node", &value);
    look_at_value(body);
    decode(body);
    return 0;
}

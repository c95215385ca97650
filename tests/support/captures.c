/* A parser of "label way hex".
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "captures.h"
#include "test.h"

enum {
    LINE_MAX_ = 8192,
    FRAME_HEAD = 8
};

static captures all;

static void
read_line(aero_span line, capture *out)
{
    aero_span label = aero_span_cut(&line, ' ');
    aero_span way = aero_span_cut(&line, ' ');
    char hex[LINE_MAX_];

    if (label.len >= sizeof out->label || line.len >= sizeof hex) {
        fprintf(stderr, "a line of the captures is too long\n");
        exit(2);
    }
    memset(out, 0, sizeof *out);
    memcpy(out->label, label.ptr, label.len);
    memcpy(hex, line.ptr, line.len);
    hex[line.len] = '\0';
    out->is_reply = aero_span_is(way, "<");
    out->frame = test_hex(hex);
    out->body = aero_span_skip(out->frame, FRAME_HEAD);
}

const captures *
captures_read(void)
{
    aero_span text = test_file("wire/golden/captures.txt");

    all.count = 0;
    while (text.len != 0) {
        aero_span line = aero_span_cut(&text, '\n');

        if (line.len != 0 && line.ptr[0] != '#') {
            read_line(line, &all.at[all.count++]);
        }
    }
    return &all;
}

const capture *
captures_find(const char *label, bool is_reply)
{
    captures_read();
    for (size_t i = 0; i < all.count; i++) {
        if (all.at[i].is_reply == is_reply &&
            strcmp(all.at[i].label, label) == 0) {
            return &all.at[i];
        }
    }
    fprintf(stderr, "there is no capture '%s'\n", label);
    exit(2);
}

/* Requests that a server 8.1.2.0 has answered are answered here with the same
 * bytes.  Only the times at which records end and the cells that a real
 * server adds to shapes are left out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

/* Void times become ffffffff, as they are in the files. */
static void
mask(aero_buf *body)
{
    aero_span in = aero_buf_span(body);

    while (in.len != 0) {
        size_t at = body->len - in.len;
        aero_msg msg;
        aero_field field;
        aero_op op;

        if (aero_msg_take(&in, &msg, NULL) != AERO_OK) {
            return;
        }
        if (msg.ttl != 0) {
            aero_set_u32(body->ptr + at + 10, UINT32_MAX);
        }
        for (unsigned i = 0; i < msg.n_fields; i++) {
            aero_field_take(&in, &field, NULL);
        }
        for (unsigned i = 0; i < msg.n_ops; i++) {
            aero_op_take(&in, &op, NULL);
        }
    }
}

/* The bodies of all frames of the answer, one after the other. */
static void
join_bodies(const kit *k, aero_buf *body)
{
    aero_span in = aero_buf_span(&k->out);
    aero_frame frame;
    aero_span part;

    aero_buf_reset(body, SIZE_MAX);
    while (in.len != 0 &&
           aero_frame_take(&in, &frame, &part, NULL) == AERO_OK) {
        aero_buf_put_span(body, part);
    }
    mask(body);
}

static unsigned
digit(uint8_t c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The bytes of the hex text up to a blank or the end. */
static void
take_hex(aero_span *line, aero_buf *out)
{
    aero_buf_reset(out, SIZE_MAX);
    while (line->len >= 2 && line->ptr[0] != ' ') {
        aero_buf_put_u8(
            out, (uint8_t)(digit(line->ptr[0]) << 4 | digit(line->ptr[1])));
        *line = aero_span_skip(*line, 2);
    }
    if (line->len != 0) {
        *line = aero_span_skip(*line, 1);
    }
}

static void
forget_all(kit *k)
{
    for (unsigned i = 0; i < k->core.n_ns; i++) {
        srv_ns_truncate(k->core.ns[i], 0, UINT64_MAX);
    }
}

static bool
take_line(aero_span *text, aero_span *line)
{
    const uint8_t *end;

    if (text->len == 0) {
        return false;
    }
    end = memchr(text->ptr, '\n', text->len);
    *line = aero_span_of(text->ptr,
                         end == NULL ? text->len : (size_t)(end - text->ptr));
    *text = aero_span_skip(*text, line->len + (end != NULL));
    return true;
}

static void
replay(const char *path)
{
    kit k;
    aero_buf ask = {0};
    aero_buf want = {0};
    aero_buf got = {0};
    aero_span text = test_file(path);
    aero_span line;
    unsigned asked = 0;

    REQUIRE(kit_open(&k));
    /* As the server from which the files are. */
    for (unsigned i = 0; i < k.core.n_ns; i++) {
        k.core.ns[i]->config[SRV_NS_nsup_period] = 1;
    }
    while (take_line(&text, &line)) {
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        if (aero_span_is(line, "empty")) {
            forget_all(&k);
            continue;
        }
        take_hex(&line, &ask);
        take_hex(&line, &want);
        kit_serve(&k, aero_buf_span(&ask));
        join_bodies(&k, &got);
        asked++;
        if (!aero_span_equal(aero_buf_span(&got), aero_buf_span(&want))) {
            test_failed(__FILE__, __LINE__, "%s: request %u", path, asked);
            CHECK_BYTES(aero_buf_span(&got), aero_buf_span(&want));
            break;
        }
    }
    CHECK(asked > 100);
    aero_buf_fini(&ask);
    aero_buf_fini(&want);
    aero_buf_fini(&got);
    kit_close(&k);
}

TEST(single_commands_answer_as_a_real_server)
{
    replay("server/golden/commands.txt");
}

TEST(batches_answer_as_a_real_server)
{
    replay("server/golden/batches.txt");
}

TEST(operations_answer_as_a_real_server)
{
    replay("server/golden/operations.txt");
}

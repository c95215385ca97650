/* Frames, compressed ones too, and the messages in them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/reader.h"
#include "fuzz.h"

FUZZ_WITH_LITTLE_MEMORY;

typedef struct again {
    aero_buf out;
    size_t at;
} again;

static aero_rc
put_message(void *ctx, const aero_msg *msg, aero_status *st)
{
    again *a = ctx;

    (void)st;
    a->at = aero_msg_put(&a->out, msg);
    return AERO_OK;
}

static aero_rc
put_field(void *ctx, const aero_field *field, aero_status *st)
{
    again *a = ctx;

    (void)st;
    aero_field_put(&a->out, (aero_field_type)field->type, field->data);
    return AERO_OK;
}

static aero_rc
put_op(void *ctx, const aero_op *op, aero_status *st)
{
    again *a = ctx;

    (void)st;
    aero_op_put(&a->out, (aero_op_type)op->op, op->particle, op->name,
                op->value);
    return AERO_OK;
}

static const aero_sink copier = {put_message, put_field, put_op, NULL};
static const aero_sink nobody = {NULL, NULL, NULL, NULL};

/* What was read and put again reads the same. */
static void
read_body(aero_span body)
{
    again first = {{0}, 0};
    again second = {{0}, 0};
    aero_status st;
    aero_rc rc = aero_reader_body(body, &copier, &first, &st);

    MUST(rc == aero_reader_body(body, &nobody, NULL, &st));
    if (rc == AERO_OK) {
        aero_span out = aero_buf_span(&first.out);

        MUST(aero_reader_body(out, &copier, &second, &st) == AERO_OK);
        MUST(aero_span_equal(out, aero_buf_span(&second.out)));
    }
    aero_buf_fini(&first.out);
    aero_buf_fini(&second.out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    aero_span in = aero_span_of(data, size);
    aero_frame frame;
    aero_span body;
    aero_status st;

    while (aero_frame_take(&in, &frame, &body, &st) == AERO_OK) {
        aero_buf plain = AERO_BUF_INIT;

        MUST(body.len == frame.size);
        if (frame.type == AERO_FRAME_COMPRESSED &&
            aero_frame_inflate(body, &plain, &st) == AERO_OK) {
            body = aero_span_skip(aero_buf_span(&plain), AERO_FRAME_HEAD);
        }
        read_body(body);
        aero_buf_fini(&plain);
    }
    return 0;
}

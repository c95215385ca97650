/* The reader.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/reader.h"

static aero_rc
read_fields(aero_span *in, unsigned count, const aero_sink *sink, void *ctx,
            aero_status *st)
{
    for (unsigned i = 0; i < count; i++) {
        aero_field field;
        aero_rc rc = aero_field_take(in, &field, st);

        if (rc == AERO_OK && sink->on_field != NULL) {
            rc = sink->on_field(ctx, &field, st);
        }
        if (rc != AERO_OK) {
            return rc;
        }
    }
    return AERO_OK;
}

static aero_rc
read_ops(aero_span *in, unsigned count, const aero_sink *sink, void *ctx,
         aero_status *st)
{
    for (unsigned i = 0; i < count; i++) {
        aero_op op;
        aero_rc rc = aero_op_take(in, &op, st);

        if (rc == AERO_OK && sink->on_op != NULL) {
            rc = sink->on_op(ctx, &op, st);
        }
        if (rc != AERO_OK) {
            return rc;
        }
    }
    return AERO_OK;
}

aero_rc
aero_reader_message(aero_span *in, const aero_sink *sink, void *ctx,
                    aero_status *st)
{
    aero_msg msg;
    aero_rc rc = aero_msg_take(in, &msg, st);

    if (rc == AERO_OK && sink->on_message != NULL) {
        rc = sink->on_message(ctx, &msg, st);
    }
    if (rc == AERO_OK) {
        rc = read_fields(in, msg.n_fields, sink, ctx, st);
    }
    if (rc == AERO_OK) {
        rc = read_ops(in, msg.n_ops, sink, ctx, st);
    }
    if (rc == AERO_OK && sink->on_end != NULL) {
        rc = sink->on_end(ctx, st);
    }
    return rc;
}

aero_rc
aero_reader_body(aero_span body, const aero_sink *sink, void *ctx,
                 aero_status *st)
{
    while (body.len != 0) {
        aero_rc rc = aero_reader_message(&body, sink, ctx, st);

        if (rc != AERO_OK) {
            return rc;
        }
    }
    return AERO_OK;
}

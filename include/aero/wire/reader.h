/* Takes whole messages apart and hands the parts to a sink.  It keeps nothing
 * and reads no socket; the sink decides what is built: Python objects, cells
 * of an array, a record of the server, lines of a dump.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_READER_H
#define AERO_WIRE_READER_H

#include "aero/wire/frame.h"
#include "aero/wire/msg.h"

/* Every function may be NULL: that part is skipped.  Spans are borrowed from
 * the bytes read.  A function that does not return AERO_OK ends the reading
 * with what it returned. */
typedef struct aero_sink {
    aero_rc (*on_message)(void *ctx, const aero_msg *msg, aero_status *st);
    aero_rc (*on_field)(void *ctx, const aero_field *field, aero_status *st);
    aero_rc (*on_op)(void *ctx, const aero_op *op, aero_status *st);
    aero_rc (*on_end)(void *ctx, aero_status *st); /* of one message */
} aero_sink;

/* Read one message from the front of `in`. */
aero_rc aero_reader_message(aero_span *in, const aero_sink *sink, void *ctx,
                            aero_status *st);

/* Read all messages of a frame's body; bytes left over are an error. */
aero_rc aero_reader_body(aero_span body, const aero_sink *sink, void *ctx,
                         aero_status *st);

#endif

/* The frame around everything that travels, in both directions:
 *
 *    0        1      2 ........ 7   8 ...
 *   +--------+------+-------------+----------------+
 *   | ver 2  | type | size, u48   | body, `size` B |
 *   +--------+------+-------------+----------------+
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_FRAME_H
#define AERO_WIRE_FRAME_H

#include "aero/base/buf.h"
#include "aero/base/status.h"
#include "aero/wire/codes.h"

typedef enum aero_frame_type {
    AERO_FRAME_INFO = 1,
    AERO_FRAME_ADMIN = 2,
    AERO_FRAME_MESSAGE = 3,
    AERO_FRAME_COMPRESSED = 4
} aero_frame_type;

enum {
    AERO_FRAME_VERSION = 2,
    AERO_FRAME_HEAD = 8,
    AERO_FRAME_MAX = 128 << 20 /* bytes of one body */
};

typedef struct aero_frame {
    uint8_t type;
    uint32_t size; /* of the body */
} aero_frame;

/* Begin a frame; gives the mark for aero_frame_close, which writes the size
 * of what was put in between.  A body over the limit fails the buffer. */
size_t aero_frame_open(aero_buf *out, aero_frame_type type);
void aero_frame_close(aero_buf *out, size_t mark);

/* Read the head at the beginning of `in`, consuming nothing.  AERO_MORE when
 * fewer than eight bytes are there; an error for a wrong version or type or a
 * body over the limit. */
aero_rc aero_frame_peek(aero_span in, aero_frame *out, aero_status *st);

/* Take one whole frame: AERO_MORE when it is not complete. */
aero_rc aero_frame_take(aero_span *in, aero_frame *out, aero_span *body,
                        aero_status *st);

/* Compressed frames, type 4: u64 size of the inner frame, then a zlib stream
 * of the inner frame, head included. */

/* Replace the frame that begins at `mark` by its compressed form if that is
 * smaller; else leave it.  The size given to the caller's threshold is the
 * caller's business. */
void aero_frame_deflate(aero_buf *out, size_t mark);

/* Unpack the body of a compressed frame; `out` is emptied first and then
 * holds one whole inner frame, whose head has been checked. */
aero_rc aero_frame_inflate(aero_span body, aero_buf *out, aero_status *st);

#endif

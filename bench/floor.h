/* The floor: what a C program needs for the same work on raw sockets, with
 * nothing decoded and no error handled but by leaving.  It says what the
 * machine, its network stack and the server cost before any client does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_BENCH_FLOOR_H
#define AERO_BENCH_FLOOR_H

#include "aero/base/buf.h"
#include "aero/wire/key.h"

/* What is asked about. */
typedef struct floor_data {
    aero_span ns;
    aero_span set;
    size_t count;                         /* records, with the keys 0 to n-1 */
    uint8_t (*digests)[AERO_DIGEST_SIZE]; /* owned */
} floor_data;

void floor_data_init(floor_data *data, const char *ns, const char *set,
                     size_t count);
void floor_data_fini(floor_data *data);

/* One frame each; the record is chosen by its key. */
void floor_put_get(aero_buf *out, const floor_data *data, size_t key);
void floor_put_write(aero_buf *out, const floor_data *data, size_t key);
void floor_put_batch_read(aero_buf *out, const floor_data *data, size_t first,
                          size_t rows);
void floor_put_batch_write(aero_buf *out, const floor_data *data, size_t first,
                           size_t rows);
void floor_put_query(aero_buf *out, const floor_data *data);

/* A whole frame of records: count them.  True: it was the last. */
bool floor_count(aero_span body, size_t *records);

/* Bytes of the frame that begins here; 0: not known yet. */
size_t floor_frame_size(aero_span in);

/* Ends the program. */
void floor_die(const char *what);

#endif

/* What a node answers to a batch, through the exchange and the command up to
 * the rows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/batch.h"
#include "fakenet.h"
#include "fuzz.h"

FUZZ_WITH_LITTLE_MEMORY;

enum {
    ROWS = 4
};

static void
prepare(aero_batch *batch, aero_row *rows, aero_span body)
{
    aero_batch_init(batch);
    batch->rows = rows;
    batch->n_rows = ROWS;
    batch->policy.max_retries = 0;
    batch->flags = aero_batch_flags(&batch->policy);
    for (unsigned i = 0; i < ROWS; i++) {
        memset(&rows[i], 0, sizeof rows[i]);
        rows[i].digest[0] = (uint8_t)i;
        rows[i].ns = aero_span_str("test");
        rows[i].body = body;
        rows[i].is_write = i == 3;
    }
}

static void
check(const aero_batch *batch)
{
    for (unsigned i = 0; i < ROWS; i++) {
        const aero_row *row = &batch->rows[i];
        aero_span parts = aero_row_parts(batch, row);

        MUST(!row->done || row->result >= 0);
        MUST(row->reply_at + row->reply_len <= batch->store.len);
        for (unsigned f = 0; row->done && f < row->n_fields; f++) {
            aero_field field;

            MUST(aero_field_take(&parts, &field, NULL) == AERO_OK);
        }
        for (unsigned o = 0; row->done && o < row->n_ops; o++) {
            aero_op op;

            MUST(aero_op_take(&parts, &op, NULL) == AERO_OK);
        }
        MUST(!row->done || parts.len == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fakenet net;
    static aero_row rows[ROWS];
    static const uint8_t body[] = {0x0a, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    aero_batch batch;
    aero_span in = aero_span_of(data, size);

    if (net.cluster == NULL) {
        MUST(fake_init(&net, 1));
    }
    fake_drop_conns(&net);
    MUST(fake_add_conn(&net, 0));
    net.piece = fuzz_byte(&in);
    net.reply = in;
    net.sent.len = 0;
    prepare(&batch, rows, aero_span_of(body, sizeof body));
    aero_batch_begin(&batch, net.cluster, NULL, aero_clock_now());
    MUST(fake_run(&batch.task) == AERO_OK);
    check(&batch);
    aero_batch_fini(&batch);
    return 0;
}

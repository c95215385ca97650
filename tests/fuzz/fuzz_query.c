/* What a node answers to a query, through the exchange up to the records; and
 * cursors, which a user may bring from anywhere.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/client/query.h"
#include "fakenet.h"
#include "fuzz.h"

FUZZ_WITH_LITTLE_MEMORY;

enum {
    PARTITIONS = 8
};

static void
take_cursor(aero_span in)
{
    aero_status st;
    aero_parts *parts = aero_parts_take_cursor(in, &st);
    aero_buf out = AERO_BUF_INIT;
    aero_parts *again;

    if (parts == NULL) {
        return;
    }
    aero_parts_put_cursor(parts, &out);
    again = aero_parts_take_cursor(aero_buf_span(&out), &st);
    MUST(again != NULL);
    aero_parts_release(again);
    aero_parts_release(parts);
    aero_buf_fini(&out);
}

static void
take_records(aero_query *q)
{
    unsigned taken = 0;

    for (;;) {
        aero_query_item item;
        aero_query_took took = aero_query_take_item(q, &item);

        if (took == AERO_QUERY_ITEM) {
            MUST(item.kind == AERO_QUERY_RECORD);
            fuzz_touch(item.ops);
            fuzz_touch(item.key);
            fuzz_touch(item.set);
            taken++;
        }
        else if (took != AERO_QUERY_WAIT) {
            break;
        }
        else if (fake_run(&q->task) == AERO_MORE) {
            aero_query_close(q);
        }
    }
    MUST(taken == q->given);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fakenet net;
    static const aero_msg msg = {.info1 = AERO_INFO1_READ,
                                 .info3 = AERO_INFO3_PARTITION_DONE};
    aero_span in = aero_span_of(data, size);
    uint8_t how = fuzz_byte(&in);
    aero_policy policy;
    aero_query q;

    if ((how & 0x80) != 0) {
        take_cursor(in);
        return 0;
    }
    if (net.cluster == NULL) {
        MUST(fake_init(&net, 1));
    }
    fake_drop_conns(&net);
    MUST(fake_add_conn(&net, 0));
    net.piece = how & 0x3f;
    net.reply = in;
    net.sent.len = 0;
    aero_policy_init(&policy, AERO_POLICY_QUERY);
    policy.max_retries = 0;
    aero_query_init(&q);
    aero_query_open(&q, aero_span_str("test"), aero_span_str("s"), &policy,
                    &msg);
    if ((how & 0x40) == 0) {
        q.parts = aero_parts_new(0, PARTITIONS);
    }
    MUST(aero_query_begin(&q, net.cluster, NULL, aero_clock_now()) == AERO_OK);
    take_records(&q);
    aero_query_fini(&q);
    return 0;
}

/* Pieces of the core by themselves, in nanoseconds, as one line of JSON:
 * digests, requests and replies of the 5-bin record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aero/base/clock.h"
#include "aero/wire/frame.h"
#include "aero/wire/msg.h"
#include "floor.h"

enum {
    TIMES = 200 * 1024,
    BEST_OF = 7,
    LANES = 1024
};

typedef struct pieces {
    floor_data data;
    aero_buf buf;
    aero_key keys[LANES];
    aero_key *many[LANES];
    volatile size_t sink; /* so that nothing is left out */
} pieces;

static void
digest_one(pieces *p, size_t i)
{
    aero_key *key = &p->keys[i % LANES];

    aero_digest(p->data.set, key->particle, key->value, key->digest);
    p->sink += key->digest[0];
}

static void
digest_lanes(pieces *p, size_t i)
{
    if (i % LANES == 0) {
        aero_digest_many(p->many, LANES);
        p->sink += p->keys[0].digest[0];
    }
}

static void
encode_get(pieces *p, size_t i)
{
    p->buf.len = 0;
    floor_put_get(&p->buf, &p->data, i % p->data.count);
}

static void
encode_put(pieces *p, size_t i)
{
    p->buf.len = 0;
    floor_put_write(&p->buf, &p->data, i % p->data.count);
}

/* A put request has the fields and operations of a reply, and more. */
static void
walk(pieces *p, size_t i)
{
    aero_span in = aero_buf_span(&p->buf);
    aero_span body;
    aero_frame frame;
    aero_msg msg;
    aero_field field;
    aero_op op;

    (void)i;
    if (aero_frame_take(&in, &frame, &body, NULL) != AERO_OK ||
        aero_msg_take(&body, &msg, NULL) != AERO_OK) {
        floor_die("bad message");
    }
    for (unsigned n = 0; n < msg.n_fields; n++) {
        aero_field_take(&body, &field, NULL);
    }
    for (unsigned n = 0; n < msg.n_ops; n++) {
        aero_op_take(&body, &op, NULL);
        p->sink += op.value.len;
    }
}

static double
best(pieces *p, void (*piece)(pieces *, size_t))
{
    double found = 0;

    for (int round = 0; round < BEST_OF; round++) {
        uint64_t began = aero_clock_now();
        double ns;

        for (size_t i = 0; i < TIMES; i++) {
            piece(p, i);
        }
        ns = (double)(aero_clock_now() - began) / TIMES;
        if (round == 0 || ns < found) {
            found = ns;
        }
    }
    return found;
}

void
floor_die(const char *what)
{
    fprintf(stderr, "micro: %s\n", what);
}

int
main(void)
{
    static pieces p;

    floor_data_init(&p.data, "test", "bench", 1024);
    for (int i = 0; i < LANES; i++) {
        p.keys[i].set = p.data.set;
        aero_key_set_int(&p.keys[i], i);
        p.many[i] = &p.keys[i];
    }
    printf("{\"digest\": %.1f, \"digest_many\": %.1f, \"encode_get\": %.1f, ",
           best(&p, digest_one), best(&p, digest_lanes), best(&p, encode_get));
    printf("\"encode_put\": %.1f, ", best(&p, encode_put));
    printf("\"walk\": %.1f}\n", best(&p, walk));
    floor_data_fini(&p.data);
    aero_buf_fini(&p.buf);
    return 0;
}

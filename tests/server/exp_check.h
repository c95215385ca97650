/* Expressions read on a record of the test's own.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_TESTS_EXP_CHECK_H
#define AERO_TESTS_EXP_CHECK_H

#include "aero/server/exp.h"
#include "op_check.h"

enum {
    EXP_BINS_MAX = 32
};

typedef struct exp_bin {
    const char *name;
    aero_val value;
} exp_bin;

/* A record and what stands behind its callback. */
typedef struct exp_fixture {
    exp_bin bins[EXP_BINS_MAX];
    size_t count;
    uint8_t digest[20];
    aero_exp_record record;
} exp_fixture;

static inline aero_val
exp_find_bin(void *ctx, aero_span name)
{
    const exp_fixture *f = ctx;

    for (size_t i = 0; i < f->count; i++) {
        if (aero_span_is(name, f->bins[i].name)) {
            return f->bins[i].value;
        }
    }
    return op_value(AERO_PARTICLE_NIL, NULL);
}

static inline void
exp_add_bin(exp_fixture *f, const char *name, uint8_t particle,
            aero_span bytes)
{
    f->bins[f->count++] = (exp_bin){name, aero_val_of(particle, bytes)};
}

static inline void
exp_fixture_init(exp_fixture *f, const char *set, const char *key)
{
    memset(f, 0, sizeof *f);
    f->record = (aero_exp_record){.bin = exp_find_bin,
                                  .ctx = f,
                                  .digest = f->digest,
                                  .set = aero_span_str(set),
                                  .last_update = 1700000000000000000,
                                  .now = 1700000000250000000,
                                  .size = 112};
    if (key != NULL) {
        f->record.key = aero_val_of(AERO_PARTICLE_STRING, aero_span_str(key));
    }
}

#define GEO_POINT "{\"type\":\"Point\",\"coordinates\":[-122.0,37.5]}"
#define GEO_SQUARE                                                            \
    "{\"type\":\"Polygon\",\"coordinates\":[[[-123,37],[-121,37],"            \
    "[-121,38],[-123,38],[-123,37]]]}"

/* i 42, n -7, f 2.5, s "hello", b 0102f0, t true, l [5,1,4,2,3], m {a:1,
 * b:2, c:3} with order, p {a:1} without, nl {a: [1,2,3], k: {x: 9}}, a point
 * g, a region r, a HyperLogLog h of 0 to 4. */
static inline void
exp_fixture_usual(exp_fixture *f)
{
    static const struct {
        const char *name;
        uint8_t particle;
        const char *hex;
    } bins[] = {{"i", 1, "000000000000002a"},
                {"n", 1, "fffffffffffffff9"},
                {"f", 2, "4004000000000000"},
                {"s", 3, "68656c6c6f"},
                {"b", 4, "0102f0"},
                {"t", 17, "01"},
                {"l", 20, "950501040203"},
                {"m", 19, "84c70001c0a2036101a2036202a2036303"},
                {"p", 19, "81a2036101"},
                {"nl", 19, "82a2036193010203a2036b81a2037809"},
                {"h", 18, "0004000000000000000000000040001040003000001000"},
                {"j", 9, "80"}};

    exp_fixture_init(f, "s", NULL);
    for (size_t i = 0; i < sizeof bins / sizeof bins[0]; i++) {
        exp_add_bin(f, bins[i].name, bins[i].particle, test_hex(bins[i].hex));
    }
    exp_add_bin(f, "g", AERO_PARTICLE_GEOJSON,
                aero_span_of("\0\0\0" GEO_POINT, 2 + sizeof GEO_POINT));
    exp_add_bin(f, "r", AERO_PARTICLE_GEOJSON,
                aero_span_of("\1\0\0" GEO_SQUARE, 2 + sizeof GEO_SQUARE));
}

typedef struct exp_row {
    const char *exp; /* hex */
    int rc;
    const char *reply; /* "particle:hex" */
} exp_row;

/* [exp, flags] as the payload of an operation. */
static inline aero_span
exp_payload(aero_buf *out, aero_span exp, int flags)
{
    out->len = 0;
    aero_buf_put_u8(out, 0x92);
    aero_buf_put_span(out, exp);
    aero_buf_put_u8(out, (uint8_t)flags);
    return aero_buf_span(out);
}

static inline void
exp_check_rows(const exp_row *rows, size_t count)
{
    aero_buf payload = AERO_BUF_INIT;
    aero_made reply = {0};
    exp_fixture f;

    exp_fixture_usual(&f);
    for (size_t i = 0; i < count; i++) {
        int rc = aero_exp_read(exp_payload(&payload, test_hex(rows[i].exp), 0),
                               &f.record, &reply);

        if (rc != rows[i].rc) {
            test_failed(__FILE__, __LINE__, "row %d: rc %d, not %d", (int)i,
                        rc, rows[i].rc);
        }
        else if (rc == 0) {
            op_check_made((int)i, "reply", &reply, rows[i].reply);
        }
    }
    aero_made_fini(&reply);
    aero_buf_fini(&payload);
}

#define READS(...)                                                            \
    do {                                                                      \
        const exp_row rows_[] = {__VA_ARGS__};                                \
        exp_check_rows(rows_, sizeof rows_ / sizeof rows_[0]);                \
    } while (0)

#define TRUE_  "17:01"
#define FALSE_ "17:00"
#define INT(x) "1:00000000000000" x
#define ALLF   "1:ffffffffffffffff"

#endif

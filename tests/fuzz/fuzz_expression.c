/* Expressions of the server: built, and evaluated on a record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "../server/exp_check.h"
#include "fuzz.h"

void
test_failed(const char *file, int line, const char *fmt, ...)
{
    (void)file;
    (void)line;
    (void)fmt;
    abort();
}

/* The bins of exp_fixture_usual that most expressions name, without the
 * test's own memory. */
static void
fill(exp_fixture *f)
{
    static const uint8_t list[] = {0x95, 5, 1, 4, 2, 3};
    static const uint8_t map[] = {0x82, 0xa2, 3, 'a', 1, 0xa2, 3, 'b', 2};
    static const uint8_t answer[] = {0, 0, 0, 0, 0, 0, 0, 42};
    static const uint8_t half[] = {0x40, 4, 0, 0, 0, 0, 0, 0};

    exp_fixture_init(f, "s", "key");
    exp_add_bin(f, "i", AERO_PARTICLE_INTEGER, aero_span_of(answer, 8));
    exp_add_bin(f, "f", AERO_PARTICLE_FLOAT, aero_span_of(half, 8));
    exp_add_bin(f, "s", AERO_PARTICLE_STRING, aero_span_str("hello"));
    exp_add_bin(f, "b", AERO_PARTICLE_BLOB, aero_span_of(answer, 8));
    exp_add_bin(f, "l", AERO_PARTICLE_LIST, aero_span_of(list, sizeof list));
    exp_add_bin(f, "m", AERO_PARTICLE_MAP, aero_span_of(map, sizeof map));
    exp_add_bin(f, "g", AERO_PARTICLE_GEOJSON,
                aero_span_of("\0\0\0" GEO_POINT, 2 + sizeof GEO_POINT));
    exp_add_bin(f, "r", AERO_PARTICLE_GEOJSON,
                aero_span_of("\1\0\0" GEO_SQUARE, 2 + sizeof GEO_SQUARE));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static exp_fixture f;
    static aero_made out;
    aero_span in = aero_span_of(data, size);
    aero_exp *exp = NULL;
    bool unknown = false;

    if (f.count == 0) {
        fill(&f);
    }
    if (aero_exp_build(in, &exp) == 0) {
        aero_made_clear(&out);
        if (aero_exp_eval(exp, &f.record, &out, &unknown) == 0 && !unknown) {
            fuzz_touch(aero_buf_span(&out.bytes));
        }
        aero_exp_free(exp);
    }
    if (aero_exp_build_filter(in, &exp) == 0) {
        aero_exp_matches(exp, &f.record);
        aero_exp_free(exp);
    }
    aero_made_clear(&out);
    aero_exp_read(in, &f.record, &out);
    aero_made_clear(&out);
    aero_exp_modify(in, &f.record, exp_find_bin(&f, aero_span_str("i")), &out);
    return 0;
}

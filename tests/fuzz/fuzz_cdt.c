/* Operations of the server on lists, maps, blobs and sketches.
 *
 *   input:  | kind, bit 7: modify | length u8 | bin | payload |
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/server/bits.h"
#include "aero/server/cdt.h"
#include "aero/server/exp.h"
#include "aero/server/hll.h"
#include "aero/wire/value.h"
#include "fuzz.h"

/* What an operation leaves behind is a whole value again. */
static void
check_made(const aero_made *made)
{
    aero_span bytes = aero_buf_span(&made->bytes);

    if (!made->present) {
        return;
    }
    fuzz_touch(bytes);
    if (made->particle == AERO_PARTICLE_LIST ||
        made->particle == AERO_PARTICLE_MAP) {
        MUST(aero_token_skip(&bytes) && bytes.len == 0);
    }
}

static void
apply_cdt(uint8_t particle, bool modify, aero_span bin, aero_span payload,
          aero_made *reply, aero_made *after)
{
    static aero_made clean;
    aero_exp_paths paths;
    aero_val val = aero_val_of(AERO_PARTICLE_NIL, aero_span_of(NULL, 0));

    aero_made_clear(&clean);
    if (bin.len != 0 && aero_cdt_normalize(particle, bin, &clean) == 0) {
        val = aero_made_val(&clean);
    }
    aero_exp_paths_init(&paths, 0);
    if (aero_cdt_apply_path(val, modify, payload, &paths.eval, reply, after) ==
        0) {
        check_made(reply);
        check_made(after);
    }
    aero_exp_paths_fini(&paths);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static aero_made reply;
    static aero_made after;
    aero_span in = aero_span_of(data, size);
    uint8_t how = fuzz_byte(&in);
    bool modify = (how & 0x80) != 0;
    aero_span bin = fuzz_span(&in);
    aero_val blob = aero_val_of(
        bin.len == 0 ? AERO_PARTICLE_NIL : AERO_PARTICLE_BLOB, bin);

    aero_made_clear(&reply);
    aero_made_clear(&after);
    switch (how & 3) {
    case 0:
        apply_cdt(AERO_PARTICLE_LIST, modify, bin, in, &reply, &after);
        break;
    case 1:
        apply_cdt(AERO_PARTICLE_MAP, modify, bin, in, &reply, &after);
        break;
    case 2:
        aero_bits_apply(blob, modify, in, &reply, &after);
        break;
    default:
        if (bin.len != 0 && aero_hll_check(bin) != 0) {
            return 0;
        }
        blob.particle = bin.len == 0 ? AERO_PARTICLE_NIL : AERO_PARTICLE_HLL;
        aero_hll_apply(blob, modify, in, &reply, &after);
        break;
    }
    return 0;
}

/* Messages, info questions and security messages as the server reads them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "../server/kit.h"
#include "../../src/server/admin.h"
#include "fuzz.h"

void
test_failed(const char *file, int line, const char *fmt, ...)
{
    (void)file;
    (void)line;
    (void)fmt;
    abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static kit k;
    static kit_counts counts;
    static unsigned served;

    if (served++ % 4096 == 0) {
        if (served != 1) {
            kit_close(&k);
        }
        MUST(kit_open(&k));
    }
    kit_serve(&k, aero_span_of(data, size));
    MUST(k.out.failed || kit_count(&k, &counts));
    return 0;
}

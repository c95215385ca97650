/* Security messages: heads, fields, lists of names and privileges.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/admin.h"
#include "fuzz.h"

static void
take_names(aero_span in)
{
    unsigned count = fuzz_byte(&in);
    aero_span name;

    while (count-- != 0 && aero_admin_take_name(&in, &name, NULL) == AERO_OK) {
        fuzz_touch(name);
    }
}

static void
take_privileges(aero_span in)
{
    unsigned count = fuzz_byte(&in);
    aero_privilege privilege;

    while (count-- != 0 &&
           aero_admin_take_privilege(&in, &privilege, NULL) == AERO_OK) {
        aero_buf out = AERO_BUF_INIT;
        aero_span again;
        aero_privilege same;

        aero_admin_put_privilege(&out, &privilege);
        again = aero_buf_span(&out);
        MUST(aero_admin_take_privilege(&again, &same, NULL) == AERO_OK);
        MUST(again.len == 0 && same.code == privilege.code &&
             aero_span_equal(same.ns, privilege.ns) &&
             aero_span_equal(same.set, privilege.set));
        aero_buf_fini(&out);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    aero_span in = aero_span_of(data, size);
    aero_admin head;
    aero_status st;

    while (aero_admin_take(&in, &head, &st) == AERO_OK) {
        for (unsigned i = 0; i < head.n_fields; i++) {
            aero_field field;

            if (aero_admin_take_field(&in, &field, &st) != AERO_OK) {
                return 0;
            }
            fuzz_touch(field.data);
            take_names(field.data);
            take_privileges(field.data);
        }
    }
    return 0;
}

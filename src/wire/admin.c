/* Security messages.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/admin.h"

enum {
    COUNT_AT = 3
};

size_t
aero_admin_put(aero_buf *out, const aero_admin *admin)
{
    size_t at = out->len;

    aero_buf_put_u8(out, 0);
    aero_buf_put_u8(out, admin->result);
    aero_buf_put_u8(out, admin->command);
    aero_buf_put_u8(out, admin->n_fields);
    aero_buf_put_zero(out, AERO_ADMIN_HEAD - 4);
    return at;
}

void
aero_admin_patch_count(aero_buf *out, size_t at, uint8_t n_fields)
{
    if (!out->failed) {
        out->ptr[at + COUNT_AT] = n_fields;
    }
}

aero_rc
aero_admin_take(aero_span *in, aero_admin *admin, aero_status *st)
{
    if (in->len < AERO_ADMIN_HEAD) {
        return aero_fail(st, AERO_ERR_CLIENT, "security message is cut");
    }
    admin->result = in->ptr[1];
    admin->command = in->ptr[2];
    admin->n_fields = in->ptr[COUNT_AT];
    *in = aero_span_skip(*in, AERO_ADMIN_HEAD);
    return AERO_OK;
}

void
aero_admin_put_field(aero_buf *out, aero_admin_code id, aero_span data)
{
    aero_field_put(out, (aero_field_type)id, data);
}

aero_rc
aero_admin_take_field(aero_span *in, aero_field *field, aero_status *st)
{
    return aero_field_take(in, field, st);
}

aero_rc
aero_admin_take_name(aero_span *in, aero_span *name, aero_status *st)
{
    size_t len;

    if (in->len == 0 || in->ptr[0] > in->len - 1) {
        return aero_fail(st, AERO_ERR_CLIENT, "name in a list is cut");
    }
    len = in->ptr[0];
    *name = aero_span_of(in->ptr + 1, len);
    *in = aero_span_skip(*in, 1 + len);
    return AERO_OK;
}

void
aero_admin_put_name(aero_buf *out, aero_span name)
{
    if (name.len > UINT8_MAX) {
        out->failed = true;
        return;
    }
    aero_buf_put_u8(out, (uint8_t)name.len);
    aero_buf_put_span(out, name);
}

void
aero_admin_put_privilege(aero_buf *out, const aero_privilege *privilege)
{
    aero_buf_put_u8(out, privilege->code);
    if (privilege->code >= AERO_PRIVILEGE_SCOPED) {
        aero_admin_put_name(out, privilege->ns);
        aero_admin_put_name(out, privilege->set);
    }
}

aero_rc
aero_admin_take_privilege(aero_span *in, aero_privilege *privilege,
                          aero_status *st)
{
    aero_rc rc;

    if (in->len == 0) {
        return aero_fail(st, AERO_ERR_CLIENT, "privilege is cut");
    }
    memset(privilege, 0, sizeof *privilege);
    privilege->code = in->ptr[0];
    *in = aero_span_skip(*in, 1);
    if (privilege->code < AERO_PRIVILEGE_SCOPED) {
        return AERO_OK;
    }
    rc = aero_admin_take_name(in, &privilege->ns, st);
    return rc == AERO_OK ? aero_admin_take_name(in, &privilege->set, st) : rc;
}

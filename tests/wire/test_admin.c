/* Security messages, against a recorded login.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/admin.h"
#include "aero/wire/frame.h"
#include "captures.h"
#include "hostile.h"

TEST(login_is_put_as_the_official_client_puts_it)
{
    static const char hash[] =
        "$2a$10$7EqJtq98hPqEX7fNZaFWoO1mVO/4MLpGzsqojz6E9Gef6iXDjXdDa";
    aero_admin head = {.command = AERO_ADMIN_LOGIN};
    aero_buf out = AERO_BUF_INIT;
    size_t mark = aero_frame_open(&out, AERO_FRAME_ADMIN);
    size_t at = aero_admin_put(&out, &head);

    aero_admin_put_field(&out, AERO_ADMIN_FIELD_USER, aero_span_str("admin"));
    aero_admin_put_field(&out, AERO_ADMIN_FIELD_CREDENTIAL,
                         aero_span_str(hash));
    aero_admin_patch_count(&out, at, 2);
    aero_frame_close(&out, mark);
    CHECK_BYTES(aero_buf_span(&out), captures_find("login", false)->frame);
    aero_buf_fini(&out);
}

/* The data of a field of a message. */
static aero_span
field_of(aero_span body, uint8_t id)
{
    aero_admin head;
    aero_field field;

    if (aero_admin_take(&body, &head, NULL) == AERO_OK) {
        for (unsigned i = 0; i < head.n_fields; i++) {
            if (aero_admin_take_field(&body, &field, NULL) == AERO_OK &&
                field.type == id) {
                return field.data;
            }
        }
    }
    return aero_span_of(NULL, 0);
}

TEST(answer_to_a_login_gives_the_token_that_is_used_afterwards)
{
    aero_span reply = captures_find("login", true)->body;
    aero_span token = field_of(reply, AERO_ADMIN_FIELD_SESSION_TOKEN);
    aero_span used = field_of(captures_find("authenticate", false)->body,
                              AERO_ADMIN_FIELD_SESSION_TOKEN);
    aero_admin head;

    CHECK(token.len != 0);
    CHECK_BYTES(used, token);
    CHECK_HEX(field_of(reply, AERO_ADMIN_FIELD_SESSION_TTL), "00015180");
    reply = captures_find("authenticate", true)->body;
    CHECK(aero_admin_take(&reply, &head, NULL) == AERO_OK);
    CHECK_INT(head.result, AERO_ERR_OK);
    CHECK_INT(reply.len, 0);
}

TEST(privileges_have_a_scope_from_ten_on)
{
    aero_privilege global = {.code = 2};
    aero_privilege scoped = {.code = AERO_PRIVILEGE_SCOPED,
                             .ns = aero_span_str("test"),
                             .set = aero_span_str("s")};
    aero_buf out = AERO_BUF_INIT;
    aero_privilege got;
    aero_span in;

    aero_admin_put_privilege(&out, &global);
    aero_admin_put_privilege(&out, &scoped);
    CHECK_HEX(aero_buf_span(&out), "02 0a 04 74657374 01 73");
    in = aero_buf_span(&out);
    CHECK(aero_admin_take_privilege(&in, &got, NULL) == AERO_OK);
    CHECK(got.code == 2 && got.ns.len == 0 && got.set.len == 0);
    CHECK(aero_admin_take_privilege(&in, &got, NULL) == AERO_OK);
    CHECK(aero_span_is(got.ns, "test") && aero_span_is(got.set, "s"));
    CHECK_INT(in.len, 0);
    CHECK(aero_admin_take_privilege(&in, &got, NULL) == AERO_ERROR);
    for (size_t cut = 2; cut < 8; cut++) {
        in = aero_span_of(out.ptr + 1, cut - 1);
        CHECK(aero_admin_take_privilege(&in, &got, NULL) == AERO_ERROR);
    }
    aero_buf_fini(&out);
}

TEST(scope_that_has_no_length_byte_fails_the_buffer)
{
    static const uint8_t name[256];
    aero_privilege scoped = {.code = AERO_PRIVILEGE_SCOPED,
                             .ns = aero_span_of(name, sizeof name)};
    aero_buf out = AERO_BUF_INIT;

    aero_admin_put_privilege(&out, &scoped);
    CHECK(out.failed);
    aero_buf_fini(&out);
}

TEST(names_in_a_list_are_taken_one_by_one)
{
    aero_span in = test_hex("01 61 00 03 626364 05 6566");
    aero_span name;

    CHECK(aero_admin_take_name(&in, &name, NULL) == AERO_OK);
    CHECK_HEX(name, "61");
    CHECK(aero_admin_take_name(&in, &name, NULL) == AERO_OK);
    CHECK_INT(name.len, 0);
    CHECK(aero_admin_take_name(&in, &name, NULL) == AERO_OK);
    CHECK_HEX(name, "626364");
    CHECK(aero_admin_take_name(&in, &name, NULL) == AERO_ERROR);
}

static void
read_any(void *ctx, aero_span in)
{
    aero_admin head;
    aero_field field;
    aero_span name;
    aero_privilege privilege;

    (void)ctx;
    while (aero_admin_take(&in, &head, NULL) == AERO_OK) {
        for (unsigned i = 0; i < head.n_fields; i++) {
            if (aero_admin_take_field(&in, &field, NULL) != AERO_OK) {
                return;
            }
            while (aero_admin_take_name(&field.data, &name, NULL) == AERO_OK) {
            }
            while (aero_admin_take_privilege(&field.data, &privilege, NULL) ==
                   AERO_OK) {
            }
        }
    }
}

TEST(security_messages_cut_and_changed_are_read_or_refused)
{
    static const char *const labels[] = {"login", "authenticate"};

    for (int i = 0; i < 4; i++) {
        aero_span body = captures_find(labels[i / 2], i % 2 != 0)->body;
        aero_admin head;

        hostile_cut(body, read_any, NULL);
        hostile_mutate(body, 5000, read_any, NULL);
        for (size_t cut = 0; cut < AERO_ADMIN_HEAD; cut++) {
            aero_span in = aero_span_of(body.ptr, cut);

            CHECK(aero_admin_take(&in, &head, NULL) == AERO_ERROR);
        }
    }
}

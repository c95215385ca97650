/* Users, roles and rights.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "../../src/server/admin.h"
#include "kit.h"

#define HASH_ADMIN                                                            \
    "$2a$10$7EqJtq98hPqEX7fNZaFWoO1mVO/4MLpGzsqojz6E9Gef6iXDjXdDa"
#define HASH_ONE "$2a$10$oneoneoneoneoneoneoneoneoneoneoneoneoneoneoneoneonexx"
#define HASH_TWO "$2a$10$twotwotwotwotwotwotwotwotwotwotwotwotwotwotwotwotwoxx"

static bool
open_secure(kit *k, bool with_users)
{
    static const char *const names[] = {"test", "bar"};
    static const char *const admin[] = {"user-admin", "sys-admin",
                                        "data-admin"};
    static const char *const reads[] = {"read"};
    static const aero_server_user users[] = {
        {"root", HASH_ADMIN, admin, 3},
        {"reader", HASH_ONE, reads, 1},
    };
    aero_server_config config = {0};

    config.namespaces = names;
    config.n_namespaces = 2;
    config.enterprise = true;
    config.security = true;
    if (with_users) {
        config.users = users;
        config.n_users = 2;
    }
    if (!kit_open_with(k, &config)) {
        return false;
    }
    strcpy(k->who.host, "127.0.0.1");
    return true;
}

/* ---- asking ---- */

static void
begin(kit *k, aero_admin_code command)
{
    aero_admin head = {.command = (uint8_t)command};

    aero_buf_reset(&k->ask, SIZE_MAX);
    k->n_fields = 0;
    k->at = aero_admin_put(&k->ask, &head);
}

static void
field(kit *k, aero_admin_code id, const char *text)
{
    aero_admin_put_field(&k->ask, id, aero_span_str(text));
    k->n_fields++;
}

static void
names(kit *k, const char *name)
{
    uint8_t list[80] = {1};

    list[1] = (uint8_t)strlen(name);
    memcpy(list + 2, name, list[1]);
    aero_admin_put_field(&k->ask, AERO_ADMIN_FIELD_ROLES,
                         aero_span_of(list, list[1] + 2U));
    k->n_fields++;
}

static void
privilege(kit *k, uint8_t code, const char *ns, const char *set)
{
    aero_buf list = {0};
    aero_privilege p = {code, aero_span_str(ns), aero_span_str(set)};

    aero_buf_put_u8(&list, 1);
    aero_admin_put_privilege(&list, &p);
    aero_admin_put_field(&k->ask, AERO_ADMIN_FIELD_PRIVILEGES,
                         aero_buf_span(&list));
    aero_buf_fini(&list);
    k->n_fields++;
}

static int
ask(kit *k)
{
    aero_admin_patch_count(&k->ask, k->at, (uint8_t)k->n_fields);
    aero_buf_reset(&k->out, SIZE_MAX);
    srv_admin_answer(&k->core, &k->who, aero_buf_span(&k->ask), &k->out);
    return k->out.len < AERO_FRAME_HEAD + AERO_ADMIN_HEAD
               ? -1
               : k->out.ptr[AERO_FRAME_HEAD + 1];
}

static int
log_in(kit *k, const char *user, const char *hash)
{
    k->who.authenticated = false;
    begin(k, AERO_ADMIN_LOGIN);
    field(k, AERO_ADMIN_FIELD_USER, user);
    field(k, AERO_ADMIN_FIELD_CREDENTIAL, hash);
    return ask(k);
}

static int
create_user(kit *k, const char *name, const char *role)
{
    begin(k, AERO_ADMIN_CREATE_USER);
    field(k, AERO_ADMIN_FIELD_USER, name);
    field(k, AERO_ADMIN_FIELD_PASSWORD, HASH_TWO);
    names(k, role);
    return ask(k);
}

static int
create_role(kit *k, const char *name, uint8_t code, const char *ns,
            const char *set)
{
    begin(k, AERO_ADMIN_CREATE_ROLE);
    field(k, AERO_ADMIN_FIELD_ROLE, name);
    privilege(k, code, ns, set);
    return ask(k);
}

/* Whether the last answer's bytes hold the text. */
static bool
holds(const kit *k, const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i + len <= k->out.len; i++) {
        if (memcmp(k->out.ptr + i, text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the tests ---- */

TEST(the_community_edition_knows_no_users)
{
    kit k;

    REQUIRE(kit_open(&k));
    begin(&k, AERO_ADMIN_LOGIN);
    CHECK_INT(ask(&k), AERO_ERR_SECURITY_NOT_SUPPORTED);
    CHECK_HEX(aero_buf_span(&k.out),
              "0202000000000010 00330000000000000000000000000000");
    k.core.enterprise = true;
    CHECK_INT(ask(&k), AERO_ERR_SECURITY_NOT_ENABLED);
    kit_close(&k);
}

TEST(there_is_an_admin_when_no_users_are_named)
{
    kit k;

    REQUIRE(open_secure(&k, false));
    CHECK_INT(k.core.security->users->n_roles, 1);
    CHECK(strcmp(k.core.security->users->name, "admin") == 0);
    CHECK_INT(strlen(k.core.security->users->hash), 60);
    kit_close(&k);
}

TEST(a_user_logs_in_with_the_hash_of_his_password)
{
    kit k;

    REQUIRE(open_secure(&k, true));
    CHECK_INT(log_in(&k, "nobody", HASH_ADMIN), AERO_ERR_INVALID_USER);
    CHECK_INT(log_in(&k, "root", HASH_ONE), AERO_ERR_INVALID_CREDENTIAL);
    CHECK(!k.who.authenticated);
    CHECK_INT(log_in(&k, "root", HASH_ADMIN), AERO_ERR_OK);
    CHECK(k.who.authenticated);
    CHECK_INT(k.out.ptr[AERO_FRAME_HEAD + 3], 2); /* token and its life */
    kit_close(&k);
}

TEST(a_token_opens_other_connections_until_it_ends)
{
    kit k;
    uint8_t token[SRV_TOKEN_LEN];

    REQUIRE(open_secure(&k, true));
    REQUIRE(log_in(&k, "reader", HASH_ONE) == AERO_ERR_OK);
    memcpy(token, k.out.ptr + AERO_FRAME_HEAD + AERO_ADMIN_HEAD + 5,
           sizeof token);
    for (unsigned late = 0; late < 2; late++) {
        k.who.authenticated = false;
        begin(&k, AERO_ADMIN_AUTHENTICATE);
        field(&k, AERO_ADMIN_FIELD_USER, "reader");
        aero_admin_put_field(&k.ask, AERO_ADMIN_FIELD_SESSION_TOKEN,
                             aero_span_of(token, sizeof token));
        k.n_fields++;
        CHECK_INT(ask(&k), late ? AERO_ERR_EXPIRED_SESSION : AERO_ERR_OK);
        CHECK(k.who.authenticated == !late);
        k.core.clock.ahead_ms += UINT64_C(86401000);
    }
    kit_close(&k);
}

TEST(commands_need_a_login_and_the_right_role)
{
    kit k;

    REQUIRE(open_secure(&k, true));
    CHECK_INT(kit_put(&k, "s", 1, 1, 0), AERO_ERR_NOT_AUTHENTICATED);
    REQUIRE(log_in(&k, "reader", HASH_ONE) == AERO_ERR_OK);
    CHECK_INT(kit_put(&k, "s", 1, 1, 0), AERO_ERR_ROLE_VIOLATION);
    CHECK_INT(kit_get(&k, "s", 1), AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(create_user(&k, "x", "read"), AERO_ERR_ROLE_VIOLATION);
    CHECK(strncmp(kit_info(&k, "truncate:namespace=test;set=s"), "ERROR:81",
                  8) == 0);
    CHECK_TEXT(kit_info(&k, "build"), "8.1.2.0");
    kit_close(&k);
}

TEST(a_role_may_reach_no_further_than_a_set)
{
    kit k;

    REQUIRE(open_secure(&k, true));
    REQUIRE(log_in(&k, "root", HASH_ADMIN) == AERO_ERR_OK);
    CHECK_INT(
        create_role(&k, "narrow", AERO_PRIVILEGE_READ_WRITE, "test", "mine"),
        AERO_ERR_OK);
    CHECK_INT(create_role(&k, "narrow", AERO_PRIVILEGE_READ, "", ""),
              AERO_ERR_ROLE_ALREADY_EXISTS);
    CHECK_INT(create_role(&k, "bad", 77, "", ""), AERO_ERR_INVALID_PRIVILEGE);
    CHECK_INT(create_user(&k, "two", "narrow"), AERO_ERR_OK);
    CHECK_INT(create_user(&k, "two", "narrow"), AERO_ERR_USER_ALREADY_EXISTS);
    CHECK_INT(create_user(&k, "three", "nope"), AERO_ERR_INVALID_ROLE);
    REQUIRE(log_in(&k, "two", HASH_TWO) == AERO_ERR_OK);
    CHECK_INT(kit_put(&k, "mine", 1, 1, 0), AERO_ERR_OK);
    CHECK_INT(kit_put(&k, "other", 1, 1, 0), AERO_ERR_ROLE_VIOLATION);
    kit_close(&k);
}

TEST(rights_move_with_roles_at_once)
{
    kit k;
    static const aero_admin_code commands[] = {AERO_ADMIN_GRANT_ROLES,
                                               AERO_ADMIN_REVOKE_ROLES};
    srv_login reader;

    REQUIRE(open_secure(&k, true));
    REQUIRE(log_in(&k, "reader", HASH_ONE) == AERO_ERR_OK);
    reader = k.who;
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE(log_in(&k, "root", HASH_ADMIN) == AERO_ERR_OK);
        begin(&k, commands[i]);
        field(&k, AERO_ADMIN_FIELD_USER, "reader");
        names(&k, "write");
        CHECK_INT(ask(&k), AERO_ERR_OK);
        k.who = reader;
        CHECK_INT(kit_put(&k, "s", 1, 1, 0),
                  i == 0 ? AERO_ERR_OK : AERO_ERR_ROLE_VIOLATION);
    }
    REQUIRE(log_in(&k, "root", HASH_ADMIN) == AERO_ERR_OK);
    begin(&k, AERO_ADMIN_DROP_USER);
    field(&k, AERO_ADMIN_FIELD_USER, "reader");
    CHECK_INT(ask(&k), AERO_ERR_OK);
    k.who = reader;
    CHECK_INT(kit_get(&k, "s", 1), AERO_ERR_NOT_AUTHENTICATED);
    kit_close(&k);
}

TEST(passwords_are_changed)
{
    kit k;

    REQUIRE(open_secure(&k, true));
    REQUIRE(log_in(&k, "reader", HASH_ONE) == AERO_ERR_OK);
    begin(&k, AERO_ADMIN_CHANGE_PASSWORD);
    field(&k, AERO_ADMIN_FIELD_USER, "reader");
    field(&k, AERO_ADMIN_FIELD_OLD_PASSWORD, HASH_TWO);
    field(&k, AERO_ADMIN_FIELD_PASSWORD, HASH_TWO);
    CHECK_INT(ask(&k), AERO_ERR_INVALID_PASSWORD);
    begin(&k, AERO_ADMIN_CHANGE_PASSWORD);
    field(&k, AERO_ADMIN_FIELD_USER, "reader");
    field(&k, AERO_ADMIN_FIELD_OLD_PASSWORD, HASH_ONE);
    field(&k, AERO_ADMIN_FIELD_PASSWORD, HASH_TWO);
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(log_in(&k, "reader", HASH_ONE), AERO_ERR_INVALID_CREDENTIAL);
    CHECK_INT(log_in(&k, "reader", HASH_TWO), AERO_ERR_OK);
    kit_close(&k);
}

static int
set_whitelist(kit *k, const char *list)
{
    begin(k, AERO_ADMIN_SET_WHITELIST);
    field(k, AERO_ADMIN_FIELD_ROLE, "home");
    field(k, AERO_ADMIN_FIELD_WHITELIST, list);
    return ask(k);
}

TEST(a_role_may_name_the_addresses_its_users_come_from)
{
    static const struct {
        const char *list;
        int code;
    } rows[] = {
        {"10.0.0.0/8", AERO_ERR_NOT_WHITELISTED},
        {"10.0.0.0/8,127.0.0.0/8", AERO_ERR_OK},
        {"127.0.0.2", AERO_ERR_NOT_WHITELISTED},
        {"127.0.0.0/31", AERO_ERR_OK},
        {"::1", AERO_ERR_NOT_WHITELISTED},
        {"", AERO_ERR_OK},
    };
    kit k;

    REQUIRE(open_secure(&k, true));
    REQUIRE(log_in(&k, "root", HASH_ADMIN) == AERO_ERR_OK);
    REQUIRE(create_role(&k, "home", AERO_PRIVILEGE_READ, "", "") ==
            AERO_ERR_OK);
    REQUIRE(create_user(&k, "two", "home") == AERO_ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        REQUIRE(log_in(&k, "root", HASH_ADMIN) == AERO_ERR_OK);
        CHECK_INT(set_whitelist(&k, rows[i].list), AERO_ERR_OK);
        CHECK_INT(log_in(&k, "two", HASH_TWO), rows[i].code);
    }
    REQUIRE(log_in(&k, "root", HASH_ADMIN) == AERO_ERR_OK);
    CHECK_INT(set_whitelist(&k, "here"), AERO_ERR_INVALID_WHITELIST);
    CHECK_INT(set_whitelist(&k, "1.2.3.4/33"), AERO_ERR_INVALID_WHITELIST);
    kit_close(&k);
}

TEST(users_and_roles_are_told)
{
    kit k;

    REQUIRE(open_secure(&k, true));
    REQUIRE(log_in(&k, "reader", HASH_ONE) == AERO_ERR_OK);
    begin(&k, AERO_ADMIN_QUERY_USERS);
    CHECK_INT(ask(&k), AERO_ERR_ROLE_VIOLATION);
    begin(&k, AERO_ADMIN_QUERY_USERS);
    field(&k, AERO_ADMIN_FIELD_USER, "reader"); /* himself */
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(k.out.ptr[k.out.len - AERO_ADMIN_HEAD + 1], AERO_ERR_QUERY_END);
    CHECK(holds(&k, "reader"));
    CHECK_INT(k.core.security->users->connections, 1);
    REQUIRE(log_in(&k, "root", HASH_ADMIN) == AERO_ERR_OK);
    begin(&k, AERO_ADMIN_QUERY_USERS);
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK(holds(&k, "reader"));
    CHECK(holds(&k, "root"));
    begin(&k, AERO_ADMIN_QUERY_ROLES);
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK(holds(&k, "read-write-udf"));
    begin(&k, AERO_ADMIN_QUERY_ROLES);
    field(&k, AERO_ADMIN_FIELD_ROLE, "nope");
    CHECK_INT(ask(&k), AERO_ERR_INVALID_ROLE);
    kit_close(&k);
}

TEST(quotas_and_privileges_of_a_role_are_kept)
{
    kit k;
    static const uint8_t quota[] = {0, 0, 0, 77};

    REQUIRE(open_secure(&k, true));
    REQUIRE(log_in(&k, "root", HASH_ADMIN) == AERO_ERR_OK);
    REQUIRE(create_role(&k, "r", AERO_PRIVILEGE_READ, "", "") == AERO_ERR_OK);
    begin(&k, AERO_ADMIN_SET_QUOTAS);
    field(&k, AERO_ADMIN_FIELD_ROLE, "r");
    aero_admin_put_field(&k.ask, AERO_ADMIN_FIELD_READ_QUOTA,
                         aero_span_of(quota, 4));
    k.n_fields++;
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(srv_role_find(k.core.security, aero_span_str("r"))->read_quota,
              77);
    begin(&k, AERO_ADMIN_GRANT_PRIVILEGES);
    field(&k, AERO_ADMIN_FIELD_ROLE, "r");
    privilege(&k, AERO_PRIVILEGE_WRITE, "bar", "");
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(srv_role_find(k.core.security, aero_span_str("r"))->n_scopes, 2);
    begin(&k, AERO_ADMIN_REVOKE_PRIVILEGES);
    field(&k, AERO_ADMIN_FIELD_ROLE, "r");
    privilege(&k, AERO_PRIVILEGE_READ, "", "");
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK_INT(srv_role_find(k.core.security, aero_span_str("r"))->n_scopes, 1);
    begin(&k, AERO_ADMIN_DROP_ROLE);
    field(&k, AERO_ADMIN_FIELD_ROLE, "r");
    CHECK_INT(ask(&k), AERO_ERR_OK);
    CHECK(srv_role_find(k.core.security, aero_span_str("r")) == NULL);
    begin(&k, AERO_ADMIN_DROP_ROLE);
    field(&k, AERO_ADMIN_FIELD_ROLE, "read");
    CHECK(ask(&k) != AERO_ERR_OK);
    kit_close(&k);
}

TEST(security_survives_any_bytes)
{
    kit k;
    uint64_t seed = 7;
    uint8_t bytes[120];

    REQUIRE(open_secure(&k, true));
    for (unsigned i = 0; i < 20000; i++) {
        size_t len = test_random(&seed) % sizeof bytes;

        for (size_t b = 0; b < len; b++) {
            bytes[b] = b < AERO_ADMIN_HEAD || test_random(&seed) % 3 == 0
                           ? (uint8_t)test_random(&seed)
                           : (uint8_t)(test_random(&seed) % 4);
        }
        if (len > 3) {
            bytes[2] %= 22;
            bytes[3] %= 6;
        }
        strcpy(k.who.user, "root");
        k.who.authenticated = true;
        aero_buf_reset(&k.out, SIZE_MAX);
        srv_admin_answer(&k.core, &k.who, aero_span_of(bytes, len), &k.out);
        CHECK(k.out.len >= AERO_FRAME_HEAD + AERO_ADMIN_HEAD);
    }
    kit_close(&k);
}

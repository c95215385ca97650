/* Security commands that change users and roles.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "admin.h"

/* ---- lists in fields ---- */

typedef int (*each_role)(srv_admin *c, srv_user *user, aero_span role);

/* Names of roles: all must exist before anything is done. */
static int
for_roles(srv_admin *c, srv_user *user, each_role what)
{
    aero_span in = c->field[AERO_ADMIN_FIELD_ROLES];
    unsigned count;

    if (!srv_admin_has(c, AERO_ADMIN_FIELD_ROLES) || in.len == 0) {
        return what == NULL ? AERO_ERR_OK : AERO_ERR_INVALID_ROLE;
    }
    count = in.ptr[0];
    in = aero_span_skip(in, 1);
    for (unsigned i = 0; i < count; i++) {
        aero_span role;
        int code = AERO_ERR_OK;

        if (aero_admin_take_name(&in, &role, NULL) != AERO_OK ||
            srv_role_find(c->security, role) == NULL) {
            return AERO_ERR_INVALID_ROLE;
        }
        if (what != NULL) {
            code = what(c, user, role);
        }
        if (code != AERO_ERR_OK) {
            return code;
        }
    }
    return AERO_ERR_OK;
}

static int
grant_one(srv_admin *c, srv_user *user, aero_span role)
{
    (void)c;
    return srv_user_grant(user, role) ? AERO_ERR_OK : AERO_ERR_SERVER;
}

static int
revoke_one(srv_admin *c, srv_user *user, aero_span role)
{
    (void)c;
    srv_user_revoke(user, role);
    return AERO_ERR_OK;
}

static bool
is_privilege(const aero_privilege *privilege)
{
    static const uint8_t codes[] = {
#define ADMIN_COMMAND(name, code)
#define ADMIN_FIELD(name, code)
#define PRIVILEGE(name, code, text, scoped) code,
#include "aero/wire/tables/admin.def"
#undef ADMIN_COMMAND
#undef ADMIN_FIELD
#undef PRIVILEGE
    };

    return memchr(codes, privilege->code, sizeof codes) != NULL &&
           privilege->ns.len <= AERO_NAMESPACE_MAX &&
           privilege->set.len <= AERO_SET_MAX &&
           (privilege->set.len == 0 || privilege->ns.len != 0);
}

/* Privileges for a role; NULL: only look at them. */
static int
for_privileges(const srv_admin *c, srv_role *role, bool grant)
{
    aero_span in = c->field[AERO_ADMIN_FIELD_PRIVILEGES];
    unsigned count;

    if (!srv_admin_has(c, AERO_ADMIN_FIELD_PRIVILEGES) || in.len == 0) {
        return AERO_ERR_INVALID_PRIVILEGE;
    }
    count = in.ptr[0];
    if (count == 0) {
        return AERO_ERR_INVALID_PRIVILEGE;
    }
    in = aero_span_skip(in, 1);
    for (unsigned i = 0; i < count; i++) {
        aero_privilege privilege;

        if (aero_admin_take_privilege(&in, &privilege, NULL) != AERO_OK ||
            !is_privilege(&privilege)) {
            return AERO_ERR_INVALID_PRIVILEGE;
        }
        if (role != NULL && !grant) {
            srv_role_revoke(role, &privilege);
        }
        else if (role != NULL && !srv_role_grant(role, &privilege)) {
            return AERO_ERR_SERVER;
        }
    }
    return AERO_ERR_OK;
}

static bool
is_name(aero_span name, size_t most)
{
    return name.len != 0 && name.len <= most &&
           memchr(name.ptr, 0, name.len) == NULL;
}

/* ---- users ---- */

int
srv_admin_create_user(srv_admin *c)
{
    aero_span name = c->field[AERO_ADMIN_FIELD_USER];
    aero_span hash = c->field[AERO_ADMIN_FIELD_PASSWORD];
    srv_user *user;
    int code;

    if (!is_name(name, SRV_USER_MAX)) {
        return AERO_ERR_INVALID_USER;
    }
    if (srv_admin_user(c) != NULL) {
        return AERO_ERR_USER_ALREADY_EXISTS;
    }
    if (hash.len != SRV_HASH_LEN) {
        return AERO_ERR_INVALID_PASSWORD;
    }
    code = for_roles(c, NULL, NULL);
    if (code != AERO_ERR_OK) {
        return code;
    }
    user = srv_user_add(c->security, name, hash);
    if (user == NULL) {
        return AERO_ERR_SERVER;
    }
    return srv_admin_has(c, AERO_ADMIN_FIELD_ROLES)
               ? for_roles(c, user, grant_one)
               : AERO_ERR_OK;
}

int
srv_admin_drop_user(srv_admin *c)
{
    srv_user *user = srv_admin_user(c);

    if (user == NULL) {
        return AERO_ERR_INVALID_USER;
    }
    srv_user_drop(c->security, user);
    return AERO_ERR_OK;
}

int
srv_admin_set_password(srv_admin *c)
{
    aero_span hash = c->field[AERO_ADMIN_FIELD_PASSWORD];
    srv_user *user = srv_admin_user(c);

    if (user == NULL) {
        return AERO_ERR_INVALID_USER;
    }
    if (hash.len != SRV_HASH_LEN) {
        return AERO_ERR_INVALID_PASSWORD;
    }
    memcpy(user->hash, hash.ptr, SRV_HASH_LEN);
    return AERO_ERR_OK;
}

int
srv_admin_change_password(srv_admin *c)
{
    const srv_user *user = srv_admin_user(c);

    if (user == NULL || strcmp(user->name, c->who->user) != 0) {
        return AERO_ERR_INVALID_USER;
    }
    if (!aero_span_is(c->field[AERO_ADMIN_FIELD_OLD_PASSWORD], user->hash)) {
        return AERO_ERR_INVALID_PASSWORD;
    }
    return srv_admin_set_password(c);
}

static int
change_roles(srv_admin *c, each_role what)
{
    srv_user *user = srv_admin_user(c);
    int code;

    if (user == NULL) {
        return AERO_ERR_INVALID_USER;
    }
    code = for_roles(c, NULL, NULL);
    return code == AERO_ERR_OK ? for_roles(c, user, what) : code;
}

int
srv_admin_grant_roles(srv_admin *c)
{
    return change_roles(c, grant_one);
}

int
srv_admin_revoke_roles(srv_admin *c)
{
    return change_roles(c, revoke_one);
}

/* ---- roles ---- */

static int
set_whitelist(const srv_admin *c, srv_role *role)
{
    aero_span list = c->field[AERO_ADMIN_FIELD_WHITELIST];
    char *copy = NULL;

    if (!srv_whitelist_is_valid(list)) {
        return AERO_ERR_INVALID_WHITELIST;
    }
    if (list.len != 0) {
        copy = aero_strndup(list.ptr, list.len);
        if (copy == NULL) {
            return AERO_ERR_SERVER;
        }
    }
    aero_free(role->whitelist);
    role->whitelist = copy;
    return AERO_ERR_OK;
}

static int
set_quotas(const srv_admin *c, srv_role *role)
{
    static const aero_admin_code fields[] = {AERO_ADMIN_FIELD_READ_QUOTA,
                                             AERO_ADMIN_FIELD_WRITE_QUOTA};
    uint32_t *const quotas[] = {&role->read_quota, &role->write_quota};

    for (size_t i = 0; i < 2; i++) {
        if (!srv_admin_has(c, fields[i])) {
            continue;
        }
        if (c->field[fields[i]].len != 4) {
            return AERO_ERR_INVALID_QUOTA;
        }
        *quotas[i] = aero_get_u32(c->field[fields[i]].ptr);
    }
    return AERO_ERR_OK;
}

static int
fill_role(const srv_admin *c, srv_role *role)
{
    int code = set_whitelist(c, role);

    if (code == AERO_ERR_OK) {
        code = set_quotas(c, role);
    }
    if (code == AERO_ERR_OK && srv_admin_has(c, AERO_ADMIN_FIELD_PRIVILEGES)) {
        code = for_privileges(c, role, true);
    }
    return code;
}

int
srv_admin_create_role(srv_admin *c)
{
    aero_span name = c->field[AERO_ADMIN_FIELD_ROLE];
    srv_role *role;
    int code;

    if (!is_name(name, SRV_ROLE_MAX)) {
        return AERO_ERR_INVALID_ROLE;
    }
    if (srv_admin_role(c) != NULL) {
        return AERO_ERR_ROLE_ALREADY_EXISTS;
    }
    role = srv_role_add(c->security, name);
    if (role == NULL) {
        return AERO_ERR_SERVER;
    }
    code = fill_role(c, role);
    if (code != AERO_ERR_OK) {
        srv_role_drop(c->security, role);
    }
    return code;
}

/* The role that may be changed. */
static srv_role *
own_role_of(const srv_admin *c)
{
    srv_role *role = srv_admin_role(c);

    return role != NULL && !role->fixed ? role : NULL;
}

int
srv_admin_drop_role(srv_admin *c)
{
    srv_role *role = own_role_of(c);

    if (role == NULL) {
        return AERO_ERR_INVALID_ROLE;
    }
    srv_role_drop(c->security, role);
    return AERO_ERR_OK;
}

static int
change_privileges(const srv_admin *c, bool grant)
{
    srv_role *role = own_role_of(c);
    int code = for_privileges(c, NULL, grant);

    if (role == NULL) {
        return AERO_ERR_INVALID_ROLE;
    }
    return code == AERO_ERR_OK ? for_privileges(c, role, grant) : code;
}

int
srv_admin_grant_privileges(srv_admin *c)
{
    return change_privileges(c, true);
}

int
srv_admin_revoke_privileges(srv_admin *c)
{
    return change_privileges(c, false);
}

int
srv_admin_set_whitelist(srv_admin *c)
{
    srv_role *role = own_role_of(c);

    return role == NULL ? AERO_ERR_INVALID_ROLE : set_whitelist(c, role);
}

int
srv_admin_set_quotas(srv_admin *c)
{
    srv_role *role = own_role_of(c);

    return role == NULL ? AERO_ERR_INVALID_ROLE : set_quotas(c, role);
}

/* Users, roles and rights.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <strings.h>
#if defined(__has_include)
#if __has_include(<crypt.h>)
#include <crypt.h>
#define HAVE_CRYPT 1
#endif
#endif

#include "aero/base/alloc.h"
#include "security.h"

enum {
    DAY = 86400
};

static const char salt[] = "$2a$10$7EqJtq98hPqEX7fNZaFWoO";

/* What each privilege allows. */
static const unsigned allows[] = {
    [AERO_PRIVILEGE_USER_ADMIN] = SRV_MAY_USERS,
    [AERO_PRIVILEGE_SYS_ADMIN] = SRV_MAY_SYS,
    [AERO_PRIVILEGE_DATA_ADMIN] =
        SRV_MAY_DATA | SRV_MAY_UDF_ADMIN | SRV_MAY_SINDEX | SRV_MAY_TRUNCATE,
    [AERO_PRIVILEGE_UDF_ADMIN] = SRV_MAY_UDF_ADMIN,
    [AERO_PRIVILEGE_SINDEX_ADMIN] = SRV_MAY_SINDEX,
    [AERO_PRIVILEGE_READ] = SRV_MAY_READ,
    [AERO_PRIVILEGE_READ_WRITE] = SRV_MAY_READ | SRV_MAY_WRITE,
    [AERO_PRIVILEGE_READ_WRITE_UDF] =
        SRV_MAY_READ | SRV_MAY_WRITE | SRV_MAY_UDF,
    [AERO_PRIVILEGE_WRITE] = SRV_MAY_WRITE,
    [AERO_PRIVILEGE_TRUNCATE] = SRV_MAY_TRUNCATE,
};

/* ---- lists ---- */

static void
copy_name(char *to, size_t size, aero_span name)
{
    size_t len = name.len < size ? name.len : size - 1;

    memset(to, 0, size);
    if (len != 0) {
        memcpy(to, name.ptr, len);
    }
}

srv_user *
srv_user_find(const srv_security *security, aero_span name)
{
    srv_user *user = security->users;

    while (user != NULL && !aero_span_is(name, user->name)) {
        user = user->next;
    }
    return user;
}

srv_role *
srv_role_find(const srv_security *security, aero_span name)
{
    srv_role *role = security->roles;

    while (role != NULL && !aero_span_is(name, role->name)) {
        role = role->next;
    }
    return role;
}

srv_user *
srv_user_add(srv_security *security, aero_span name, aero_span hash)
{
    srv_user *user = aero_zalloc(sizeof *user);

    if (user != NULL) {
        copy_name(user->name, sizeof user->name, name);
        copy_name(user->hash, sizeof user->hash, hash);
        user->next = security->users;
        security->users = user;
    }
    return user;
}

void
srv_user_drop(srv_security *security, srv_user *user)
{
    srv_user **link = &security->users;

    while (*link != user) {
        link = &(*link)->next;
    }
    *link = user->next;
    aero_free(user->roles);
    aero_free(user);
}

srv_role *
srv_role_add(srv_security *security, aero_span name)
{
    srv_role *role = aero_zalloc(sizeof *role);

    if (role != NULL) {
        copy_name(role->name, sizeof role->name, name);
        role->next = security->roles;
        security->roles = role;
    }
    return role;
}

void
srv_role_drop(srv_security *security, srv_role *role)
{
    srv_role **link = &security->roles;

    for (srv_user *user = security->users; user != NULL; user = user->next) {
        srv_user_revoke(user, aero_span_str(role->name));
    }
    while (*link != role) {
        link = &(*link)->next;
    }
    *link = role->next;
    aero_free(role->scopes);
    aero_free(role->whitelist);
    aero_free(role);
}

/* ---- roles of a user ---- */

bool
srv_user_has_role(const srv_user *user, aero_span role)
{
    for (size_t i = 0; i < user->n_roles; i++) {
        if (aero_span_is(role, user->roles[i])) {
            return true;
        }
    }
    return false;
}

bool
srv_user_grant(srv_user *user, aero_span role)
{
    void *roles;

    if (srv_user_has_role(user, role) || user->n_roles == SRV_SCOPES_MAX) {
        return true;
    }
    roles =
        aero_resize(user->roles, (user->n_roles + 1) * sizeof *user->roles);
    if (roles == NULL) {
        return false;
    }
    user->roles = roles;
    copy_name(user->roles[user->n_roles++], sizeof *user->roles, role);
    return true;
}

void
srv_user_revoke(srv_user *user, aero_span role)
{
    for (size_t i = 0; i < user->n_roles; i++) {
        if (aero_span_is(role, user->roles[i])) {
            user->n_roles--;
            memmove(user->roles[i], user->roles[i + 1],
                    (user->n_roles - i) * sizeof *user->roles);
            return;
        }
    }
}

/* ---- privileges of a role ---- */

static srv_scope *
find_scope(const srv_role *role, const aero_privilege *privilege)
{
    for (size_t i = 0; i < role->n_scopes; i++) {
        srv_scope *scope = &role->scopes[i];

        if (scope->code == privilege->code &&
            aero_span_is(privilege->ns, scope->ns) &&
            aero_span_is(privilege->set, scope->set)) {
            return scope;
        }
    }
    return NULL;
}

bool
srv_role_grant(srv_role *role, const aero_privilege *privilege)
{
    srv_scope *scopes;
    srv_scope *scope;

    if (find_scope(role, privilege) != NULL ||
        role->n_scopes == SRV_SCOPES_MAX) {
        return true;
    }
    scopes = aero_resize(role->scopes, (role->n_scopes + 1) * sizeof *scopes);
    if (scopes == NULL) {
        return false;
    }
    role->scopes = scopes;
    scope = &scopes[role->n_scopes++];
    scope->code = privilege->code;
    copy_name(scope->ns, sizeof scope->ns, privilege->ns);
    copy_name(scope->set, sizeof scope->set, privilege->set);
    return true;
}

void
srv_role_revoke(srv_role *role, const aero_privilege *privilege)
{
    srv_scope *scope = find_scope(role, privilege);

    if (scope != NULL) {
        *scope = role->scopes[--role->n_scopes];
    }
}

/* ---- addresses ---- */

/* "10.0.0.0/8": the bytes of the address and the number of bits that count.
 */
static bool
read_network(aero_span text, uint8_t bytes[16], unsigned *size, unsigned *bits)
{
    char address[64];
    aero_span host = aero_span_cut(&text, '/');
    int64_t count;

    if (host.len == 0 || host.len >= sizeof address) {
        return false;
    }
    copy_name(address, sizeof address, host);
    *size = inet_pton(AF_INET, address, bytes) == 1    ? 4
            : inet_pton(AF_INET6, address, bytes) == 1 ? 16
                                                       : 0;
    *bits = *size * 8;
    if (text.len != 0) {
        if (!aero_info_number(text, &count) || count < 0 ||
            count > (int64_t)*bits) {
            return false;
        }
        *bits = (unsigned)count;
    }
    return *size != 0;
}

static bool
is_inside(aero_span network, aero_span host)
{
    uint8_t a[16] = {0};
    uint8_t b[16] = {0};
    unsigned a_size;
    unsigned b_size;
    unsigned bits;
    unsigned host_bits;

    if (!read_network(network, a, &a_size, &bits) ||
        !read_network(host, b, &b_size, &host_bits) || a_size != b_size ||
        memcmp(a, b, bits / 8) != 0) {
        return false;
    }
    return bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0;
}

bool
srv_whitelist_is_valid(aero_span text)
{
    while (text.len != 0) {
        uint8_t bytes[16];
        unsigned size;
        unsigned bits;

        if (!read_network(aero_span_cut(&text, ','), bytes, &size, &bits)) {
            return false;
        }
    }
    return true;
}

bool
srv_user_may_come_from(const srv_security *security, const srv_user *user,
                       const char *host)
{
    bool limited = false;

    for (size_t i = 0; i < user->n_roles; i++) {
        const srv_role *role =
            srv_role_find(security, aero_span_str(user->roles[i]));
        aero_span list;

        if (role == NULL || role->whitelist == NULL) {
            continue;
        }
        limited = true;
        list = aero_span_str(role->whitelist);
        while (list.len != 0) {
            if (is_inside(aero_span_cut(&list, ','), aero_span_str(host))) {
                return true;
            }
        }
    }
    return !limited;
}

/* ---- rights ---- */

static const srv_user *
who_is(const srv_core *core, const srv_login *who)
{
    if (who == NULL || !who->authenticated) {
        return NULL;
    }
    return srv_user_find(core->security, aero_span_str(who->user));
}

int
srv_security_check_login(const srv_core *core, const srv_login *who)
{
    if (core->security == NULL || who_is(core, who) != NULL) {
        return AERO_ERR_OK;
    }
    return AERO_ERR_NOT_AUTHENTICATED;
}

void
srv_security_leave(const srv_core *core, srv_login *who)
{
    srv_user *user =
        core->security == NULL || !who->authenticated
            ? NULL
            : srv_user_find(core->security, aero_span_str(who->user));

    /* It may be another user of that name who has come since. */
    if (user != NULL && user->connections != 0) {
        user->connections--;
    }
    who->authenticated = false;
}

static bool
covers(const srv_scope *scope, const char *ns, aero_span set)
{
    if (scope->ns[0] == '\0') {
        return true;
    }
    return ns != NULL && strcmp(scope->ns, ns) == 0 &&
           (scope->set[0] == '\0' || aero_span_is(set, scope->set));
}

static unsigned
rights_of(const srv_security *security, const srv_user *user, const char *ns,
          aero_span set)
{
    unsigned rights = 0;

    for (size_t i = 0; i < user->n_roles; i++) {
        const srv_role *role =
            srv_role_find(security, aero_span_str(user->roles[i]));

        for (size_t s = 0; role != NULL && s < role->n_scopes; s++) {
            if (covers(&role->scopes[s], ns, set)) {
                rights |= allows[role->scopes[s].code];
            }
        }
    }
    return rights;
}

static int
check(const srv_core *core, const srv_login *who, const char *ns,
      aero_span set, unsigned may)
{
    const srv_user *user;

    if (core->security == NULL) {
        return AERO_ERR_OK;
    }
    user = who_is(core, who);
    if (user == NULL) {
        return AERO_ERR_NOT_AUTHENTICATED;
    }
    return (rights_of(core->security, user, ns, set) & may) == may
               ? AERO_ERR_OK
               : AERO_ERR_ROLE_VIOLATION;
}

int
srv_security_check_data(const srv_core *core, const srv_login *who,
                        const srv_ns *ns, aero_span set, unsigned may)
{
    return check(core, who, ns->name, set, may);
}

int
srv_security_check_admin(const srv_core *core, const srv_login *who,
                         unsigned may)
{
    return check(core, who, NULL, aero_span_of(NULL, 0), may);
}

/* ---- the beginning ---- */

static bool
hash_password(const char *password, char hash[SRV_HASH_LEN + 1])
{
    size_t len = strlen(password);

    if (len == SRV_HASH_LEN && strncmp(password, "$2", 2) == 0) {
        memcpy(hash, password, SRV_HASH_LEN + 1);
        return true;
    }
#ifdef HAVE_CRYPT
    {
        struct crypt_data *data = aero_zalloc(sizeof *data);
        const char *out = data == NULL ? NULL : crypt_r(password, salt, data);
        bool good = out != NULL && strlen(out) == SRV_HASH_LEN;

        if (good) {
            memcpy(hash, out, SRV_HASH_LEN + 1);
        }
        aero_free(data);
        return good;
    }
#else
    (void)salt;
    return false;
#endif
}

/* A role of the name of each privilege. */
static bool
add_fixed_roles(srv_security *security)
{
    static const struct {
        const char *name;
        uint8_t code;
    } fixed[] = {
#define ADMIN_COMMAND(name, code)
#define ADMIN_FIELD(name, code)
#define PRIVILEGE(name, code, text, scoped) {text, code},
#include "aero/wire/tables/admin.def"
#undef ADMIN_COMMAND
#undef ADMIN_FIELD
#undef PRIVILEGE
    };

    for (size_t i = sizeof fixed / sizeof fixed[0]; i-- > 0;) {
        aero_privilege privilege = {.code = fixed[i].code};
        srv_role *role = srv_role_add(security, aero_span_str(fixed[i].name));

        if (role == NULL || !srv_role_grant(role, &privilege)) {
            return false;
        }
        role->fixed = true;
    }
    return true;
}

static aero_rc
add_user(srv_security *security, const aero_server_user *config,
         aero_status *st)
{
    char hash[SRV_HASH_LEN + 1];
    srv_user *user;

    if (strlen(config->name) > SRV_USER_MAX) {
        return aero_fail(st, AERO_ERR_PARAM, "user name '%s' is too long",
                         config->name);
    }
    if (!hash_password(config->password, hash)) {
        return aero_fail(st, AERO_ERR_PARAM,
                         "cannot hash the password of '%s'", config->name);
    }
    user = srv_user_add(security, aero_span_str(config->name),
                        aero_span_str(hash));
    for (size_t i = 0; user != NULL && i < config->n_roles; i++) {
        aero_span role = aero_span_str(config->roles[i]);

        if (srv_role_find(security, role) == NULL) {
            return aero_fail(st, AERO_ERR_PARAM,
                             "there is no role '%s' for user '%s'",
                             config->roles[i], config->name);
        }
        if (!srv_user_grant(user, role)) {
            user = NULL;
        }
    }
    return user != NULL ? AERO_OK
                        : aero_fail(st, AERO_ERR_CLIENT, "no memory");
}

srv_security *
srv_security_new(const aero_server_config *config, aero_status *st)
{
    static const char *const admin_roles[] = {"user-admin"};
    static const aero_server_user admin = {"admin", "admin", admin_roles, 1};
    const aero_server_user *users = config->users;
    size_t n_users = config->n_users;
    srv_security *security = aero_zalloc(sizeof *security);
    aero_rc rc = AERO_OK;

    if (security == NULL || !add_fixed_roles(security)) {
        aero_fail(st, AERO_ERR_CLIENT, "no memory for users");
        srv_security_free(security);
        return NULL;
    }
    if (n_users == 0) {
        users = &admin;
        n_users = 1;
    }
    security->session_ttl =
        config->session_ttl != 0 ? config->session_ttl : DAY;
    for (size_t i = 0; rc == AERO_OK && i < n_users; i++) {
        rc = add_user(security, &users[i], st);
    }
    if (rc != AERO_OK) {
        srv_security_free(security);
        security = NULL;
    }
    return security;
}

void
srv_security_free(srv_security *security)
{
    if (security == NULL) {
        return;
    }
    while (security->users != NULL) {
        srv_user_drop(security, security->users);
    }
    while (security->roles != NULL) {
        srv_role_drop(security, security->roles);
    }
    while (security->tokens != NULL) {
        srv_token *token = security->tokens;

        security->tokens = token->next;
        aero_free(token);
    }
    aero_free(security);
}

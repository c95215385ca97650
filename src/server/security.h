/* Users, roles, and who may do what.  Serves the commands, the info protocol
 * and the security protocol; knows no socket.
 *
 * Passwords are kept as the text that clients send: bcrypt with one fixed
 * salt, so comparing texts is comparing passwords.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_SECURITY_H
#define SRV_SECURITY_H

#include "core.h"
#include "aero/wire/admin.h"

enum {
    SRV_USER_MAX = 63,
    SRV_ROLE_MAX = 63,
    SRV_HASH_LEN = 60,
    SRV_TOKEN_LEN = 32,
    SRV_SCOPES_MAX = 255 /* privileges of a role, roles of a user */
};

/* What a command asks for. */
enum {
    SRV_MAY_READ = 1,
    SRV_MAY_WRITE = 2,
    SRV_MAY_TRUNCATE = 4,
    SRV_MAY_UDF = 8,
    SRV_MAY_USERS = 16,
    SRV_MAY_SYS = 32,
    SRV_MAY_DATA = 64,
    SRV_MAY_UDF_ADMIN = 128,
    SRV_MAY_SINDEX = 256
};

typedef struct srv_scope {
    uint8_t code; /* a privilege */
    char ns[AERO_NAMESPACE_MAX + 1];
    char set[AERO_SET_MAX + 1];
} srv_scope;

typedef struct srv_role {
    struct srv_role *next;
    char name[SRV_ROLE_MAX + 1];
    bool fixed;        /* predefined: cannot be changed */
    srv_scope *scopes; /* owned */
    size_t n_scopes;
    char *whitelist; /* owned; NULL: from everywhere */
    uint32_t read_quota;
    uint32_t write_quota;
} srv_role;

typedef struct srv_user {
    struct srv_user *next;
    char name[SRV_USER_MAX + 1];
    char hash[SRV_HASH_LEN + 1];
    char (*roles)[SRV_ROLE_MAX + 1]; /* owned */
    size_t n_roles;
    uint32_t connections;
} srv_user;

typedef struct srv_token {
    struct srv_token *next;
    char user[SRV_USER_MAX + 1];
    uint8_t bytes[SRV_TOKEN_LEN];
    uint64_t ends_ms; /* of the server's clock */
} srv_token;

typedef struct srv_security {
    srv_user *users;   /* owned */
    srv_role *roles;   /* owned */
    srv_token *tokens; /* owned */
    uint32_t session_ttl;
} srv_security;

/* Who a connection is. */
typedef struct srv_login {
    bool authenticated;
    char user[SRV_USER_MAX + 1];
    char host[64];                    /* its address, without the port */
    char certified[SRV_USER_MAX + 1]; /* by the client's certificate */
} srv_login;

/* Gives; NULL with the reason. */
srv_security *srv_security_new(const aero_server_config *config,
                               aero_status *st);
void srv_security_free(srv_security *security); /* NULL is fine */

/* Result codes; OK whenever security is off. */
int srv_security_check_login(const srv_core *core, const srv_login *who);
int srv_security_check_data(const srv_core *core, const srv_login *who,
                            const srv_ns *ns, aero_span set, unsigned may);
int srv_security_check_admin(const srv_core *core, const srv_login *who,
                             unsigned may);

/* The connection is nobody's any more. */
void srv_security_leave(const srv_core *core, srv_login *who);

/* Answer the body of a security frame: whole frames are put. */
void srv_admin_answer(srv_core *core, srv_login *who, aero_span body,
                      aero_buf *out);

/* ---- between the files ---- */

srv_user *srv_user_find(const srv_security *security, aero_span name);
srv_role *srv_role_find(const srv_security *security, aero_span name);
srv_role *srv_role_add(srv_security *security, aero_span name);
void srv_role_drop(srv_security *security, srv_role *role);
srv_user *srv_user_add(srv_security *security, aero_span name, aero_span hash);
void srv_user_drop(srv_security *security, srv_user *user);
bool srv_user_has_role(const srv_user *user, aero_span role);
/* False: no memory. */
bool srv_user_grant(srv_user *user, aero_span role);
void srv_user_revoke(srv_user *user, aero_span role);
bool srv_role_grant(srv_role *role, const aero_privilege *privilege);
void srv_role_revoke(srv_role *role, const aero_privilege *privilege);
/* Whether the addresses that the user's roles name include `host`. */
bool srv_user_may_come_from(const srv_security *security, const srv_user *user,
                            const char *host);
/* "10.0.0.0/8,192.168.1.7" */
bool srv_whitelist_is_valid(aero_span text);

#endif

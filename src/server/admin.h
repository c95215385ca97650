/* One security message while it is answered.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SRV_ADMIN_H
#define SRV_ADMIN_H

#include "security.h"

enum {
    SRV_ADMIN_FIELDS = 19
};

typedef struct srv_admin {
    srv_core *core;
    srv_security *security;
    srv_login *who;
    aero_admin head; /* of the request, then of the answer */
    uint32_t has;
    aero_span field[SRV_ADMIN_FIELDS];
    aero_buf *out; /* inside the frame of the answer */
} srv_admin;

static inline bool
srv_admin_has(const srv_admin *c, aero_admin_code field)
{
    return (c->has & 1U << field) != 0;
}

/* The user or role that a field names. */
static inline srv_user *
srv_admin_user(const srv_admin *c)
{
    return srv_user_find(c->security, c->field[AERO_ADMIN_FIELD_USER]);
}

static inline srv_role *
srv_admin_role(const srv_admin *c)
{
    return srv_role_find(c->security, c->field[AERO_ADMIN_FIELD_ROLE]);
}

/* Each does one command and returns a result code. */
int srv_admin_set_password(srv_admin *c);
int srv_admin_create_user(srv_admin *c);
int srv_admin_drop_user(srv_admin *c);
int srv_admin_change_password(srv_admin *c);
int srv_admin_grant_roles(srv_admin *c);
int srv_admin_revoke_roles(srv_admin *c);
int srv_admin_create_role(srv_admin *c);
int srv_admin_drop_role(srv_admin *c);
int srv_admin_grant_privileges(srv_admin *c);
int srv_admin_revoke_privileges(srv_admin *c);
int srv_admin_set_whitelist(srv_admin *c);
int srv_admin_set_quotas(srv_admin *c);

#endif

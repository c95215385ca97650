/* The security protocol: frames of type 2.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include "aero/base/alloc.h"
#include "aero/wire/frame.h"
#include "admin.h"

static bool
take_fields(srv_admin *c, aero_span in)
{
    for (unsigned i = 0; i < c->head.n_fields; i++) {
        aero_field field;

        if (aero_admin_take_field(&in, &field, NULL) != AERO_OK) {
            return false;
        }
        if (field.type < SRV_ADMIN_FIELDS) {
            c->has |= 1U << field.type;
            c->field[field.type] = field.data;
        }
    }
    return true;
}

/* ---- logging in ---- */

static int
give_token(srv_admin *c, const srv_user *user)
{
    srv_token *token = aero_zalloc(sizeof *token);
    size_t at;

    if (token == NULL) {
        return AERO_ERR_SERVER;
    }
    memcpy(token->user, user->name, sizeof token->user);
    token->ends_ms = srv_clock_ms(&c->core->clock) +
                     (uint64_t)c->security->session_ttl * 1000;
    token->next = c->security->tokens;
    c->security->tokens = token;
    if (getentropy(token->bytes, sizeof token->bytes) != 0) {
        return AERO_ERR_SERVER;
    }
    aero_admin_put_field(c->out, AERO_ADMIN_FIELD_SESSION_TOKEN,
                         aero_span_of(token->bytes, sizeof token->bytes));
    at =
        aero_field_open(c->out, (aero_field_type)AERO_ADMIN_FIELD_SESSION_TTL);
    aero_buf_put_u32(c->out, c->security->session_ttl);
    aero_field_close(c->out, at);
    c->head.n_fields = 2;
    return AERO_ERR_OK;
}

static int
enter(srv_admin *c, srv_user *user)
{
    if (!srv_user_may_come_from(c->security, user, c->who->host)) {
        return AERO_ERR_NOT_WHITELISTED;
    }
    srv_security_leave(c->core, c->who);
    c->who->authenticated = true;
    memcpy(c->who->user, user->name, sizeof c->who->user);
    user->connections++;
    return AERO_ERR_OK;
}

/* Without a name it is the one that the client's certificate says. */
static srv_user *
who_comes(const srv_admin *c)
{
    return srv_admin_has(c, AERO_ADMIN_FIELD_USER)
               ? srv_admin_user(c)
               : srv_user_find(c->security, aero_span_str(c->who->certified));
}

static int
run_login(srv_admin *c)
{
    srv_user *user = who_comes(c);
    int code;

    if (user == NULL) {
        return AERO_ERR_INVALID_USER;
    }
    if (srv_admin_has(c, AERO_ADMIN_FIELD_USER) &&
        !aero_span_is(c->field[AERO_ADMIN_FIELD_CREDENTIAL], user->hash)) {
        return AERO_ERR_INVALID_CREDENTIAL;
    }
    code = enter(c, user);
    return code == AERO_ERR_OK ? give_token(c, user) : code;
}

static void
forget_old_tokens(srv_security *security, uint64_t now)
{
    srv_token **link = &security->tokens;

    while (*link != NULL) {
        srv_token *token = *link;

        if (token->ends_ms <= now) {
            *link = token->next;
            aero_free(token);
        }
        else {
            link = &token->next;
        }
    }
}

static int
run_authenticate(srv_admin *c)
{
    srv_user *user = who_comes(c);
    aero_span sent = c->field[AERO_ADMIN_FIELD_SESSION_TOKEN];

    if (user == NULL) {
        return AERO_ERR_INVALID_USER;
    }
    forget_old_tokens(c->security, srv_clock_ms(&c->core->clock));
    for (srv_token *t = c->security->tokens; t != NULL; t = t->next) {
        if (strcmp(t->user, user->name) == 0 &&
            aero_span_equal(sent, aero_span_of(t->bytes, sizeof t->bytes))) {
            return enter(c, user);
        }
    }
    return AERO_ERR_EXPIRED_SESSION;
}

/* ---- asking ---- */

static void
put_names(aero_buf *out, aero_admin_code id, const srv_user *user)
{
    size_t mark = aero_field_open(out, (aero_field_type)id);

    aero_buf_put_u8(out, (uint8_t)user->n_roles);
    for (size_t i = 0; i < user->n_roles; i++) {
        size_t len = strlen(user->roles[i]);

        aero_buf_put_u8(out, (uint8_t)len);
        aero_buf_put(out, user->roles[i], len);
    }
    aero_field_close(out, mark);
}

static void
put_u32(aero_buf *out, aero_admin_code id, uint32_t value)
{
    aero_field_put_u32(out, (aero_field_type)id, value);
}

/* Counts of reads or writes: quota, single records, queries and their rest.
 */
static void
put_usage(aero_buf *out, aero_admin_code id)
{
    size_t mark = aero_field_open(out, (aero_field_type)id);

    aero_buf_put_u8(out, 4);
    aero_buf_put_zero(out, 4 * sizeof(uint32_t));
    aero_field_close(out, mark);
}

static size_t
open_record(srv_admin *c)
{
    aero_admin head = {0};

    head.command = c->head.command;
    return aero_admin_put(c->out, &head);
}

static void
put_user(srv_admin *c, const srv_user *user)
{
    size_t at = open_record(c);

    aero_admin_put_field(c->out, AERO_ADMIN_FIELD_USER,
                         aero_span_str(user->name));
    put_names(c->out, AERO_ADMIN_FIELD_ROLES, user);
    put_usage(c->out, AERO_ADMIN_FIELD_READ_INFO);
    put_usage(c->out, AERO_ADMIN_FIELD_WRITE_INFO);
    put_u32(c->out, AERO_ADMIN_FIELD_CONNECTIONS, user->connections);
    aero_admin_patch_count(c->out, at, 5);
}

static void
put_privileges(aero_buf *out, const srv_role *role)
{
    size_t mark =
        aero_field_open(out, (aero_field_type)AERO_ADMIN_FIELD_PRIVILEGES);

    aero_buf_put_u8(out, (uint8_t)role->n_scopes);
    for (size_t i = 0; i < role->n_scopes; i++) {
        aero_privilege privilege = {.code = role->scopes[i].code};

        privilege.ns = aero_span_str(role->scopes[i].ns);
        privilege.set = aero_span_str(role->scopes[i].set);
        aero_admin_put_privilege(out, &privilege);
    }
    aero_field_close(out, mark);
}

static void
put_role(srv_admin *c, const srv_role *role)
{
    size_t at = open_record(c);
    uint8_t n_fields = 4;

    aero_admin_put_field(c->out, AERO_ADMIN_FIELD_ROLE,
                         aero_span_str(role->name));
    put_privileges(c->out, role);
    if (role->whitelist != NULL) {
        aero_admin_put_field(c->out, AERO_ADMIN_FIELD_WHITELIST,
                             aero_span_str(role->whitelist));
        n_fields++;
    }
    put_u32(c->out, AERO_ADMIN_FIELD_READ_QUOTA, role->read_quota);
    put_u32(c->out, AERO_ADMIN_FIELD_WRITE_QUOTA, role->write_quota);
    aero_admin_patch_count(c->out, at, n_fields);
}

/* Anybody may ask about himself. */
static int
run_query_users(srv_admin *c)
{
    const srv_user *user = srv_admin_user(c);
    bool own = srv_admin_has(c, AERO_ADMIN_FIELD_USER) && user != NULL &&
               strcmp(user->name, c->who->user) == 0;
    int code = own ? AERO_ERR_OK
                   : srv_security_check_admin(c->core, c->who, SRV_MAY_USERS);

    if (code != AERO_ERR_OK) {
        return code;
    }
    if (srv_admin_has(c, AERO_ADMIN_FIELD_USER)) {
        if (user == NULL) {
            return AERO_ERR_INVALID_USER;
        }
        put_user(c, user);
        return AERO_ERR_QUERY_END;
    }
    for (user = c->security->users; user != NULL; user = user->next) {
        put_user(c, user);
    }
    return AERO_ERR_QUERY_END;
}

static int
run_query_roles(srv_admin *c)
{
    const srv_role *role = srv_admin_role(c);

    if (srv_admin_has(c, AERO_ADMIN_FIELD_ROLE)) {
        if (role == NULL) {
            return AERO_ERR_INVALID_ROLE;
        }
        put_role(c, role);
        return AERO_ERR_QUERY_END;
    }
    for (role = c->security->roles; role != NULL; role = role->next) {
        put_role(c, role);
    }
    return AERO_ERR_QUERY_END;
}

/* ---- the table ---- */

typedef enum need {
    NEED_NOTHING, /* these make the connection somebody's */
    NEED_LOGIN,
    NEED_USERS /* the right to manage users */
} need;

static const struct {
    int (*run)(srv_admin *c);
    need need;
} commands[] = {
    [AERO_ADMIN_AUTHENTICATE] = {run_authenticate, NEED_NOTHING},
    [AERO_ADMIN_CREATE_USER] = {srv_admin_create_user, NEED_USERS},
    [AERO_ADMIN_DROP_USER] = {srv_admin_drop_user, NEED_USERS},
    [AERO_ADMIN_SET_PASSWORD] = {srv_admin_set_password, NEED_USERS},
    [AERO_ADMIN_CHANGE_PASSWORD] = {srv_admin_change_password, NEED_LOGIN},
    [AERO_ADMIN_GRANT_ROLES] = {srv_admin_grant_roles, NEED_USERS},
    [AERO_ADMIN_REVOKE_ROLES] = {srv_admin_revoke_roles, NEED_USERS},
    [AERO_ADMIN_QUERY_USERS] = {run_query_users, NEED_LOGIN},
    [AERO_ADMIN_CREATE_ROLE] = {srv_admin_create_role, NEED_USERS},
    [AERO_ADMIN_DROP_ROLE] = {srv_admin_drop_role, NEED_USERS},
    [AERO_ADMIN_GRANT_PRIVILEGES] = {srv_admin_grant_privileges, NEED_USERS},
    [AERO_ADMIN_REVOKE_PRIVILEGES] = {srv_admin_revoke_privileges, NEED_USERS},
    [AERO_ADMIN_SET_WHITELIST] = {srv_admin_set_whitelist, NEED_USERS},
    [AERO_ADMIN_SET_QUOTAS] = {srv_admin_set_quotas, NEED_USERS},
    [AERO_ADMIN_QUERY_ROLES] = {run_query_roles, NEED_LOGIN},
    [AERO_ADMIN_LOGIN] = {run_login, NEED_NOTHING},
};

static int
run(srv_admin *c)
{
    uint8_t command = c->head.command;
    int code = AERO_ERR_OK;

    if (command >= sizeof commands / sizeof commands[0] ||
        commands[command].run == NULL) {
        return AERO_ERR_INVALID_COMMAND;
    }
    if (commands[command].need != NEED_NOTHING) {
        code = srv_security_check_login(c->core, c->who);
    }
    if (code == AERO_ERR_OK && commands[command].need == NEED_USERS) {
        code = srv_security_check_admin(c->core, c->who, SRV_MAY_USERS);
    }
    return code == AERO_ERR_OK ? commands[command].run(c) : code;
}

/* The answer's head stands first, or last behind the records of a query. */
static void
answer(srv_admin *c, aero_span body)
{
    aero_admin head = c->head;
    size_t at = c->out->len;
    size_t end;
    int code = AERO_ERR_INVALID_FIELD;

    head.n_fields = 0;
    aero_admin_put(c->out, &head);
    if (take_fields(c, body)) {
        c->head.n_fields = 0;
        if (c->head.command == AERO_ADMIN_QUERY_USERS ||
            c->head.command == AERO_ADMIN_QUERY_ROLES) {
            c->out->len = at;
        }
        code = run(c);
    }
    if (c->out->failed) {
        return;
    }
    head.result = (uint8_t)code;
    if (code == AERO_ERR_QUERY_END) {
        aero_admin_put(c->out, &head);
        return;
    }
    end = code == AERO_ERR_OK ? c->out->len : at + AERO_ADMIN_HEAD;
    head.n_fields = code == AERO_ERR_OK ? c->head.n_fields : 0;
    c->out->len = at;
    aero_admin_put(c->out, &head);
    c->out->len = end;
}

void
srv_admin_answer(srv_core *core, srv_login *who, aero_span body, aero_buf *out)
{
    srv_admin c = {.core = core, .security = core->security, .who = who};
    size_t mark = aero_frame_open(out, AERO_FRAME_ADMIN);

    c.out = out;
    if (aero_admin_take(&body, &c.head, NULL) != AERO_OK) {
        memset(&c.head, 0, sizeof c.head);
        body.len = 0;
    }
    if (core->security != NULL) {
        answer(&c, body);
    }
    else {
        /* The Community server does not even look at the command. */
        aero_admin head = {0};

        head.result = AERO_ERR_SECURITY_NOT_SUPPORTED;
        if (core->enterprise) {
            head.result = AERO_ERR_SECURITY_NOT_ENABLED;
            head.command = c.head.command;
        }
        aero_admin_put(out, &head);
    }
    aero_frame_close(out, mark);
}

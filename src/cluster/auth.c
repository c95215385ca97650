/* Login and authentication.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#if defined(__linux__)
#include <crypt.h>
#endif
#include <openssl/crypto.h>

#include "aero/base/alloc.h"
#include "aero/cluster/auth.h"
#include "aero/wire/admin.h"

enum {
    RENEW_BEFORE_S = 60 /* of the end of a session */
};

#if defined(__linux__)
aero_rc
aero_auth_hash(const char *password, char out[AERO_HASH_SIZE + 1],
               aero_status *st)
{
    static const char salt[] = "$2a$10$7EqJtq98hPqEX7fNZaFWoO";
    struct crypt_data *data;
    const char *hash;
    aero_rc rc = AERO_OK;

    if (strlen(password) >= AERO_PASSWORD_MAX) {
        return aero_fail(st, AERO_ERR_CLIENT,
                         "password is longer than 63 bytes");
    }
    data = aero_zalloc(sizeof *data);
    if (data == NULL) {
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for the login");
    }
    hash = crypt_r(password, salt, data);
    if (hash == NULL || strlen(hash) != AERO_HASH_SIZE) {
        rc = aero_fail(st, AERO_ERR_CLIENT,
                       "the C library cannot hash passwords with bcrypt");
    }
    else {
        memcpy(out, hash, AERO_HASH_SIZE + 1);
    }
    OPENSSL_cleanse(data, sizeof *data);
    aero_free(data);
    return rc;
}
#else
aero_rc
aero_auth_hash(const char *password, char out[AERO_HASH_SIZE + 1],
               aero_status *st)
{
    (void)password;
    (void)out;
    return aero_fail(st, AERO_ERR_CLIENT,
                     "the C library cannot hash passwords with bcrypt");
}
#endif

bool
aero_auth_needed(const aero_cluster *cluster)
{
    return cluster->config.user != NULL ||
           cluster->config.auth_mode == AERO_AUTH_PKI;
}

void
aero_greeting_init(aero_greeting *g, aero_cluster *cluster, bool login)
{
    memset(g, 0, sizeof *g);
    g->cluster = cluster;
    g->login = login;
}

void
aero_greeting_fini(aero_greeting *g)
{
    aero_session_release(g->session);
    if (g->out.ptr != NULL) {
        OPENSSL_cleanse(g->out.ptr, g->out.cap);
    }
    aero_buf_fini(&g->out);
    aero_buf_fini(&g->in);
    aero_exchange_fini(&g->x);
    g->session = NULL;
    g->running = false;
}

static void
put_credentials(aero_buf *out, const aero_cluster_config *config,
                uint8_t *n_fields)
{
    if (config->auth_mode == AERO_AUTH_PKI) {
        return; /* the certificate says who it is */
    }
    aero_admin_put_field(out, AERO_ADMIN_FIELD_USER,
                         aero_span_str(config->user));
    aero_admin_put_field(out, AERO_ADMIN_FIELD_CREDENTIAL,
                         aero_span_str(config->credential));
    *n_fields = 2;
    if (config->auth_mode == AERO_AUTH_EXTERNAL ||
        config->auth_mode == AERO_AUTH_EXTERNAL_INSECURE) {
        aero_admin_put_field(out, AERO_ADMIN_FIELD_CLEAR_PASSWORD,
                             aero_span_str(config->password));
        *n_fields = 3;
    }
}

static void
put_token(aero_buf *out, const aero_cluster_config *config,
          const aero_session *session, uint8_t *n_fields)
{
    *n_fields = 1;
    if (config->auth_mode != AERO_AUTH_PKI) {
        aero_admin_put_field(out, AERO_ADMIN_FIELD_USER,
                             aero_span_str(config->user));
        *n_fields = 2;
    }
    aero_admin_put_field(out, AERO_ADMIN_FIELD_SESSION_TOKEN,
                         aero_span_of(session->token, session->len));
}

static void
put_request(aero_greeting *g)
{
    aero_admin head = {.command = g->session != NULL ? AERO_ADMIN_AUTHENTICATE
                                                     : AERO_ADMIN_LOGIN};
    size_t mark;
    size_t at;

    aero_buf_reset(&g->out, 4096);
    mark = aero_frame_open(&g->out, AERO_FRAME_ADMIN);
    at = aero_admin_put(&g->out, &head);
    if (g->session != NULL) {
        put_token(&g->out, &g->cluster->config, g->session, &head.n_fields);
    }
    else {
        put_credentials(&g->out, &g->cluster->config, &head.n_fields);
    }
    aero_admin_patch_count(&g->out, at, head.n_fields);
    aero_frame_close(&g->out, mark);
}

/* Gives a session for the token, or an empty one for a server without
 * security. */
static aero_session *
new_session(aero_span token, uint32_t ttl_s)
{
    aero_session *session = aero_zalloc(sizeof *session + token.len);

    if (session == NULL) {
        return NULL;
    }
    atomic_init(&session->refs, 1);
    session->renew_at = AERO_NEVER;
    session->len = token.len;
    if (token.len != 0) {
        memcpy(session->token, token.ptr, token.len);
    }
    if (ttl_s > RENEW_BEFORE_S) {
        session->renew_at =
            aero_clock_now() + (ttl_s - RENEW_BEFORE_S) * AERO_NS_PER_S;
    }
    return session;
}

static void
keep_session(aero_greeting *g, aero_session *session)
{
    aero_cluster *cluster = g->cluster;
    aero_session *before;

    g->session = session;
    atomic_fetch_add(&session->refs, 1);
    pthread_mutex_lock(&cluster->lock);
    before = cluster->session;
    cluster->session = session;
    pthread_mutex_unlock(&cluster->lock);
    atomic_store(&cluster->relogin, false);
    aero_session_release(before);
}

static aero_rc
read_login(aero_greeting *g, aero_span body, uint8_t n_fields, aero_status *st)
{
    aero_span token = {NULL, 0};
    uint32_t ttl = 0;
    aero_session *session;

    for (unsigned i = 0; i < n_fields; i++) {
        aero_field field;

        if (aero_admin_take_field(&body, &field, st) != AERO_OK) {
            return AERO_ERROR;
        }
        if (field.type == AERO_ADMIN_FIELD_SESSION_TOKEN) {
            token = field.data;
        }
        else if (field.type == AERO_ADMIN_FIELD_SESSION_TTL &&
                 field.data.len == 4) {
            ttl = aero_get_u32(field.data.ptr);
        }
    }
    session = new_session(token, ttl);
    if (session == NULL) {
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for the session");
    }
    keep_session(g, session);
    return AERO_OK;
}

static aero_rc
read_reply(aero_greeting *g, aero_status *st)
{
    aero_span body = aero_exchange_body(&g->x);
    aero_admin head;

    if (aero_admin_take(&body, &head, st) != AERO_OK) {
        return AERO_ERROR;
    }
    if (head.result == AERO_ERR_OK && g->session != NULL) {
        return AERO_OK;
    }
    if (head.result == AERO_ERR_OK ||
        head.result == AERO_ERR_SECURITY_NOT_ENABLED) {
        return read_login(g, body,
                          head.result == AERO_ERR_OK ? head.n_fields : 0, st);
    }
    if (g->session != NULL) {
        atomic_store(&g->cluster->relogin, true);
    }
    if (st != NULL) {
        st->from_server = true;
    }
    return aero_fail(st, head.result, "login was refused: %s",
                     aero_result_text(head.result));
}

static aero_rc
start(aero_greeting *g, aero_conn *conn, aero_status *st)
{
    aero_session_release(g->session);
    g->session = NULL;
    if (!g->login || !atomic_load(&g->cluster->relogin)) {
        g->session = aero_cluster_session(g->cluster);
    }
    if (g->session != NULL && g->session->len == 0) {
        return AERO_OK; /* a server without security */
    }
    if (g->session == NULL && !g->login) {
        return aero_fail(st, AERO_ERR_NOT_AUTHENTICATED, "not logged in");
    }
    put_request(g);
    if (g->out.failed) {
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for the login");
    }
    aero_exchange_init(&g->x, conn, aero_buf_span(&g->out), &g->in,
                       AERO_FRAME_ADMIN);
    g->running = true;
    return AERO_MORE;
}

aero_rc
aero_greeting_step(aero_greeting *g, aero_conn *conn, aero_status *st)
{
    aero_rc rc;

    if (conn->ready) {
        return AERO_OK;
    }
    if (!g->running) {
        rc = aero_conn_step_open(conn, st);
        if (rc == AERO_OK && aero_auth_needed(g->cluster)) {
            rc = start(g, conn, st);
        }
        if (rc != AERO_MORE || !g->running) {
            conn->ready = rc == AERO_OK;
            return rc;
        }
    }
    rc = aero_exchange_step(&g->x, st);
    if (rc == AERO_OK) {
        g->running = false;
        rc = read_reply(g, st);
        aero_exchange_fini(&g->x);
    }
    conn->ready = rc == AERO_OK;
    return rc;
}

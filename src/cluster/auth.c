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

#if defined(__linux__)
bool
aero_auth_can_hash(void)
{
    return true;
}

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
bool
aero_auth_can_hash(void)
{
    return false;
}

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
aero_greeting_init(aero_greeting *g, aero_cluster *cluster, aero_login *login,
                   bool may_login)
{
    memset(g, 0, sizeof *g);
    g->cluster = cluster;
    g->login = login;
    g->may_login = may_login;
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

/* The hash is made at the first login. */
static aero_rc
make_credential(aero_cluster *cluster, aero_status *st)
{
    char hash[AERO_HASH_SIZE + 1];
    char *made;

    if (cluster->config.credential != NULL || cluster->config.user == NULL) {
        return AERO_OK;
    }
    if (aero_auth_hash(cluster->config.password, hash, st) != AERO_OK) {
        return AERO_ERROR;
    }
    made = aero_strndup(hash, AERO_HASH_SIZE);
    OPENSSL_cleanse(hash, sizeof hash);
    if (made == NULL) {
        return aero_fail(st, AERO_ERR_CLIENT, "no memory for the login");
    }
    pthread_mutex_lock(&cluster->lock);
    if (cluster->config.credential == NULL) {
        cluster->config.credential = made;
        made = NULL;
    }
    pthread_mutex_unlock(&cluster->lock);
    aero_free(made); /* somebody has set another password meanwhile */
    return AERO_OK;
}

static void
put_credentials(aero_buf *out, aero_cluster *cluster, uint8_t *n_fields)
{
    const aero_cluster_config *config = &cluster->config;

    if (config->auth_mode == AERO_AUTH_PKI) {
        return; /* the certificate says who it is */
    }
    pthread_mutex_lock(&cluster->lock);
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
    pthread_mutex_unlock(&cluster->lock);
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
        put_credentials(&g->out, g->cluster, &head.n_fields);
    }
    aero_admin_patch_count(&g->out, at, head.n_fields);
    aero_frame_close(&g->out, mark);
}

static aero_rc
read_login(aero_greeting *g, aero_span body, uint8_t n_fields, aero_status *st)
{
    aero_span token = {NULL, 0};
    uint32_t ttl = 0;

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
    g->session = aero_login_begin(g->login, token, ttl);
    return g->session != NULL
               ? AERO_OK
               : aero_fail(st, AERO_ERR_CLIENT, "no memory for the session");
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
        atomic_store(&g->login->due, true);
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
    if (g->login == NULL) {
        return aero_fail(st, AERO_ERR_CLIENT, "the node has no login");
    }
    if (!g->may_login || !atomic_load(&g->login->due)) {
        g->session = aero_login_session(g->login);
    }
    if (g->session != NULL && g->session->len == 0) {
        return AERO_OK; /* a server without security */
    }
    if (g->session == NULL && !g->may_login) {
        return aero_fail(st, AERO_ERR_NOT_AUTHENTICATED, "not logged in");
    }
    if (g->session == NULL && make_credential(g->cluster, st) != AERO_OK) {
        return AERO_ERROR;
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

static void
log_session(const aero_cluster *cluster, const aero_tls *tls)
{
    char text[128];

    aero_tls_describe(tls, text, sizeof text);
    AERO_LOG(cluster->logger, AERO_LOG_INFO, "connected over %s", text);
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
        if (rc == AERO_OK && conn->tls != NULL &&
            g->cluster->config.log_session_info) {
            log_session(g->cluster, conn->tls);
        }
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

/* Sessions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>

#include "aero/base/alloc.h"
#include "aero/base/clock.h"
#include "aero/cluster/login.h"

enum {
    RENEW_BEFORE_S = 60 /* of the end of a session */
};

aero_login *
aero_login_new(void)
{
    aero_login *login = aero_zalloc(sizeof *login);

    if (login != NULL) {
        atomic_init(&login->refs, 1);
        pthread_mutex_init(&login->lock, NULL);
    }
    return login;
}

aero_login *
aero_login_acquire(aero_login *login)
{
    atomic_fetch_add_explicit(&login->refs, 1, memory_order_relaxed);
    return login;
}

void
aero_login_release(aero_login *login)
{
    if (login != NULL && atomic_fetch_sub_explicit(
                             &login->refs, 1, memory_order_acq_rel) == 1) {
        aero_session_release(login->session);
        pthread_mutex_destroy(&login->lock);
        aero_free(login);
    }
}

aero_session *
aero_login_session(aero_login *login)
{
    aero_session *session;

    pthread_mutex_lock(&login->lock);
    session = login->session;
    if (session != NULL) {
        atomic_fetch_add_explicit(&session->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&login->lock);
    return session;
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
    atomic_init(&session->refs, 2); /* the login's, and the caller's */
    session->renew_at = AERO_NEVER;
    session->len = token.len;
    if (token.len != 0) {
        memcpy(session->token, token.ptr, token.len);
    }
    if (ttl_s != 0) {
        uint32_t left =
            ttl_s > 2 * RENEW_BEFORE_S ? ttl_s - RENEW_BEFORE_S : ttl_s / 2;

        session->renew_at = aero_clock_now() + left * AERO_NS_PER_S;
    }
    return session;
}

aero_session *
aero_login_begin(aero_login *login, aero_span token, uint32_t ttl_s)
{
    aero_session *session = new_session(token, ttl_s);
    aero_session *before;

    if (session == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&login->lock);
    before = login->session;
    login->session = session;
    pthread_mutex_unlock(&login->lock);
    atomic_store(&login->due, false);
    aero_session_release(before);
    return session;
}

void
aero_session_release(aero_session *session)
{
    if (session != NULL && atomic_fetch_sub_explicit(
                               &session->refs, 1, memory_order_acq_rel) == 1) {
        OPENSSL_cleanse(session->token, session->len);
        aero_free(session);
    }
}

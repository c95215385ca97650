/* What a node gave when we logged in: the session that its connections are
 * authenticated with.
 *
 * Counted: the node holds it, and whoever opens connections to the node.  The
 * tender logs in; everybody else only reads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_LOGIN_H
#define AERO_CLUSTER_LOGIN_H

#include <pthread.h>
#include <stdatomic.h>

#include "aero/base/span.h"
#include "aero/net/addr.h"

typedef struct aero_session {
    atomic_uint refs;
    uint64_t renew_at; /* monotonic; AERO_NEVER: no token */
    size_t len;        /* 0: the server has no security */
    uint8_t token[];
} aero_session;

typedef struct aero_login {
    atomic_uint refs;
    atomic_bool due; /* the node refused the session, or it ends soon */
    pthread_mutex_t lock;
    aero_session *session; /* lock; counted; NULL: not logged in yet */
    /* Where to log in when only that goes over TLS; the tender's. */
    bool has_tls_addr;
    aero_addr tls_addr;
} aero_login;

/* NULL without memory. */
aero_login *aero_login_new(void);
aero_login *aero_login_acquire(aero_login *login);
void aero_login_release(aero_login *login); /* NULL is fine */

/* Gives the session (counted), or NULL. */
aero_session *aero_login_session(aero_login *login);

/* A session of `ttl_s` seconds (0: without an end) takes the place of the one
 * before.  Gives it (counted); NULL without memory. */
aero_session *aero_login_begin(aero_login *login, aero_span token,
                               uint32_t ttl_s);

void aero_session_release(aero_session *session); /* NULL is fine */

#endif

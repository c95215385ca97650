/* Login and authentication of connections.
 *
 * The tender logs in to each node; every new connection is then authenticated
 * with the session's token before it is used.  The password is sent as the
 * hash that the protocol fixes, in clear only where the mode says so.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_AUTH_H
#define AERO_CLUSTER_AUTH_H

#include "aero/cluster/cluster.h"
#include "aero/net/exchange.h"

enum {
    AERO_PASSWORD_MAX = 64, /* bytes, NUL included */
    AERO_HASH_SIZE = 60     /* of the hashed password */
};

/* The hash that travels: bcrypt with the protocol's fixed salt.  Takes a good
 * part of a tenth of a second.  Fails where the C library has no bcrypt; then
 * the caller brings the hash. */
bool aero_auth_can_hash(void);
aero_rc aero_auth_hash(const char *password, char out[AERO_HASH_SIZE + 1],
                       aero_status *st);

/* Does this cluster want a login at all? */
bool aero_auth_needed(const aero_cluster *cluster);

/* The greeting of one connection: nothing, authenticate, or log in. */
typedef struct aero_greeting {
    aero_cluster *cluster; /* borrowed */
    aero_login *login;     /* borrowed; NULL: nobody has to log in */
    aero_session *session; /* counted; the one that is tried */
    bool may_login;        /* log in when there is no session */
    bool running;
    aero_buf out; /* owned */
    aero_buf in;  /* owned */
    aero_exchange x;
} aero_greeting;

void aero_greeting_init(aero_greeting *g, aero_cluster *cluster,
                        aero_login *login, bool may_login);
void aero_greeting_fini(aero_greeting *g);

/* Complete opening (connect, TLS) and greeting of `conn`, which is then ready.
 * AERO_MORE: see conn. */
aero_rc aero_greeting_step(aero_greeting *g, aero_conn *conn, aero_status *st);

#endif

/* Info questions of the tender to one address: opens and greets a connection,
 * keeps it, and asks again on it as often as it likes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_ASK_H
#define AERO_CLUSTER_ASK_H

#include "aero/cluster/auth.h"

enum {
    AERO_ASK_LIMIT = 512 << 10, /* bytes of a reply that are accepted */
    AERO_ASK_COMMANDS = 8
};

typedef struct aero_ask {
    aero_job job;          /* first: a job of this is this */
    aero_cluster *cluster; /* borrowed */
    aero_addr addr;
    const char *tls_name;  /* borrowed */
    aero_tls_context *tls; /* borrowed; NULL: clear */
    aero_conn *conn;       /* owned; NULL: to be opened */
    bool opened_now;       /* by the question that runs */
    bool asking;
    /* Who we are, once on a connection, for nodes that want to know; borrowed,
     * or NULL.  Other connections would pay a round trip for it. */
    const char *agent;
    bool agent_due;
    aero_greeting greeting;
    aero_exchange x;
    aero_buf out; /* owned */
    aero_buf in;  /* owned */
    aero_rc rc;   /* of the question that ended */
    aero_status st;
} aero_ask;

/* `login` is the node's (borrowed), or NULL when nobody has to log in. */
void aero_ask_init(aero_ask *ask, aero_cluster *cluster, const aero_addr *addr,
                   const char *tls_name, aero_login *login);
/* Only to log in, over TLS, where all else goes in clear. */
void aero_ask_use_tls(aero_ask *ask);
void aero_ask_fini(aero_ask *ask);

/* Prepare a question; with no commands only the connection is opened.  It is
 * run as `ask->job`; `rc` and `st` say how it ended. */
void aero_ask_set(aero_ask *ask, const char *const *commands, size_t count,
                  uint64_t by);

/* The answer to a question that went well. */
aero_span aero_ask_body(const aero_ask *ask);

/* Give up the connection: the next question opens one. */
void aero_ask_close(aero_ask *ask);

#endif

/* The local server: one to eight nodes of one cluster on a thread of their
 * own, in memory, answering as an Aerospike server 8.1.2 does.
 *
 * All functions may be called from any thread but that of the server itself;
 * each waits until the server's thread has done what is asked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_SERVER_SERVER_H
#define AERO_SERVER_SERVER_H

#include "aero/base/buf.h"
#include "aero/base/status.h"

typedef struct aero_server aero_server;
struct aero_lua_api;

enum {
    AERO_SERVER_NODES_MAX = 8,
    AERO_SERVER_NAMESPACES_MAX = 32
};

typedef struct aero_server_user {
    const char *name;
    /* In clear, or the 60 characters "$2a$..." that clients send. */
    const char *password;
    const char *const *roles;
    size_t n_roles;
} aero_server_user;

/* All texts are borrowed during aero_server_start only.  Zero is the default
 * of every member that has one. */
typedef struct aero_server_config {
    const char *host; /* a literal address; NULL: 127.0.0.1 */
    /* What clients are told instead of `host`; NULL: the host itself. */
    const char *access_host;
    uint16_t port;     /* of the first node, the others follow; 0: any free */
    uint16_t tls_port; /* the same for TLS */
    unsigned nodes;    /* 0: one */
    const char *const *namespaces; /* none: "test" */
    size_t n_namespaces;
    /* Those of them that are strongly consistent, with transactions; need
     * `enterprise`. */
    const char *const *consistent;
    size_t n_consistent;
    unsigned replication_factor; /* 0: two, or one with one node */
    uint32_t default_ttl;        /* seconds; 0: records live for ever */
    const char *cluster_name;    /* NULL: "local" */
    bool enterprise; /* also what only the Enterprise edition serves */
    bool security;   /* users must log in; needs `enterprise` */
    bool control;    /* info commands "local:..." are served */
    const aero_server_user *users; /* none: admin/admin, a user-admin */
    size_t n_users;
    uint32_t session_ttl; /* seconds; 0: one day */
    /* TLS: each node has a second listener when there is a certificate. */
    const char *tls_certfile;
    const char *tls_keyfile; /* NULL: in certfile */
    const char *tls_cafile;  /* clients must show a certificate of it */
    const char *tls_name;    /* of every node; NULL: "localhost" */
    const int *racks;        /* one of each node, or NULL */
    /* Where the machinery for Lua is (aero/lua/lua.h), which is loaded when
     * it is needed first: a shared object, or a function; neither: there are
     * no scripts. */
    const char *lua_library;
    const struct aero_lua_api *(*lua)(void);
    /* Called on the server's thread with one line per connection and first
     * command of a class; NULL: silent. */
    void (*log)(void *data, const char *line);
    void *log_data;
} aero_server_config;

/* Gives a server that listens; NULL with the reason. */
aero_server *aero_server_start(const aero_server_config *config,
                               aero_status *st);
/* Takes `server`: closes every connection, joins the thread, frees all. */
void aero_server_stop(aero_server *server); /* NULL is fine */

unsigned aero_server_nodes(const aero_server *server);
/* 0 for a node that does not exist or has no such listener. */
uint16_t aero_server_port(const aero_server *server, unsigned node);
uint16_t aero_server_tls_port(const aero_server *server, unsigned node);
const char *aero_server_host(const aero_server *server);

/* Run one line of the control language (docs/local-server.md), for example
 * "fault kind=delay ms=100 times=1" or "down node=1".  The answer replaces
 * what `reply` held; a line that cannot be done is an error that says why. */
aero_rc aero_server_control(aero_server *server, const char *line,
                            aero_buf *reply, aero_status *st);

#endif

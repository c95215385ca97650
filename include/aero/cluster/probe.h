/* A probe finds out whether a host is a node of this cluster: resolve, try
 * its addresses one after the other, greet, ask for its name and state, and
 * if the address turns out to be a balancer's, look behind it.
 *
 * Seeds are probed side by side; so are peers that are not known yet.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_PROBE_H
#define AERO_CLUSTER_PROBE_H

#include "aero/cluster/ask.h"

enum {
    AERO_PROBE_ADDRS = 16,
    AERO_PROBE_HOSTS = 8
};

/* Names become addresses by somebody who may wait (drive/resolve). */
typedef struct aero_resolver {
    /* Gives a handle and the descriptor that becomes readable at the end. */
    void *(*start)(const char *host, uint16_t port, int *fd);
    /* AERO_MORE: not yet.  Fills `out`, at most `max`. */
    aero_rc (*poll)(void *handle, aero_addr *out, size_t max, size_t *count,
                    aero_status *st);
    void (*drop)(void *handle); /* at any time */
} aero_resolver;

typedef struct aero_probe {
    aero_job job;          /* first: a job of this is this */
    aero_cluster *cluster; /* borrowed */
    const aero_resolver *resolver;
    aero_seed hosts[AERO_PROBE_HOSTS]; /* tried in order */
    size_t n_hosts;
    size_t host;                       /* the one being tried */
    char expected[AERO_NODE_NAME_MAX]; /* a peer's name; empty for a seed */
    void *resolving;                   /* owned handle */
    uint64_t resolve_by;               /* of that name */
    aero_addr addrs[AERO_PROBE_ADDRS];
    size_t n_addrs;
    size_t next_addr;
    bool behind;       /* addrs are those the node itself named */
    aero_login *login; /* counted; of the node that answers; or NULL */
    aero_ask ask;      /* of the address being tried */
    bool has_ask;
    aero_ask front; /* the balancer's, kept in case none behind it answers */
    bool has_front;
    uint64_t ends_at; /* of the whole probe */
    /* How it ended. */
    aero_rc rc;
    aero_status st; /* all that went wrong */
    char name[AERO_NODE_NAME_MAX];
    char tls_name[AERO_HOST_MAX];
    uint32_t build[4];
    bool has_peers;
} aero_probe;

/* Gives a probe of no host yet. */
aero_probe *aero_probe_new(aero_cluster *cluster,
                           const aero_resolver *resolver, uint64_t ends_at);
void aero_probe_add_host(aero_probe *probe, aero_span host, uint16_t port,
                         aero_span tls_name);
void aero_probe_free(aero_probe *probe); /* NULL is fine */

#endif

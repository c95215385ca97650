/* A cluster: what the user configured, the map as it is now, the session of
 * its login, and the numbers it keeps.
 *
 * Counted: the client object, the tender's thread and every event loop hold
 * it.  The lock guards the few fields that say so and is never held while
 * waiting, nor while calling out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_CLUSTER_CLUSTER_H
#define AERO_CLUSTER_CLUSTER_H

#include "aero/base/log.h"
#include "aero/cluster/partition.h"

typedef struct aero_seed {
    char host[AERO_HOST_MAX];
    char tls_name[AERO_HOST_MAX]; /* empty: the host's name */
    uint16_t port;
} aero_seed;

typedef enum aero_auth_mode {
    AERO_AUTH_INTERNAL,
    AERO_AUTH_EXTERNAL,
    AERO_AUTH_EXTERNAL_INSECURE,
    AERO_AUTH_PKI
} aero_auth_mode;

/* Address as advertised and as reached. */
typedef struct aero_ip_pair {
    char from[AERO_HOST_MAX];
    char to[AERO_HOST_MAX];
} aero_ip_pair;

/* What a client's settings are initially: AERO_CONFIG_connect_timeout ... */
enum {
#define CONFIG_NUMBER(page, key, initial, text) AERO_CONFIG_##key = initial,
#define CONFIG_FLAG(page, key, initial, text)   AERO_CONFIG_##key = initial,
#define CONFIG_OTHER(page, key, initial, text)
#include "aero/wire/tables/config.def"
#undef CONFIG_NUMBER
#undef CONFIG_FLAG
#undef CONFIG_OTHER
};

typedef struct aero_cluster_config {
    aero_seed *seeds; /* owned */
    size_t n_seeds;
    aero_ip_pair *ip_map; /* owned */
    size_t n_ip_map;
    int32_t *rack_ids; /* owned; preferred first */
    size_t n_rack_ids;
    char *cluster_name;    /* owned; NULL: any */
    char *user;            /* owned; NULL: no login */
    char *password;        /* owned; wiped when freed */
    char *credential;      /* owned; the hash that is sent; NULL: not made */
    char *app_id;          /* owned; NULL: none */
    char *agent;           /* owned; who we are, in base64; NULL: not said */
    aero_tls_context *tls; /* owned; NULL: clear */
    aero_auth_mode auth_mode;
    bool tls_login_only;
    bool log_session_info; /* a line for each connection over TLS */
    bool use_alternate;
    bool rack_aware;
    bool fail_if_not_connected;
    bool force_single_node;
    uint32_t connect_timeout_ms; /* of all seeds together */
    uint32_t login_timeout_ms;
    uint32_t tend_interval_ms;
    uint32_t max_conns; /* of a node */
    uint32_t min_conns;
    uint32_t max_idle_ms;       /* 0: 55 s, looked at by the tender only */
    uint32_t max_error_rate;    /* of a window; 0: no limit */
    uint32_t error_rate_window; /* in tends */
} aero_cluster_config;

/* The built-in values; everything else empty. */
void aero_cluster_config_init(aero_cluster_config *config);
void aero_cluster_config_fini(aero_cluster_config *config);

typedef struct aero_cluster {
    atomic_uint refs;
    /* Owned; not changed once connected, but for password and credential,
     * which the lock guards. */
    aero_cluster_config config;
    aero_logger *logger; /* borrowed; may be NULL */
    pthread_mutex_t lock;
    aero_map *map;         /* lock; counted; never NULL once connected */
    atomic_uint turn;      /* goes round, for replica policies */
    atomic_uint next_slot; /* of nodes */
    atomic_ullong n_commands;
    atomic_ullong n_retries;
    atomic_ullong n_recovered; /* connections saved by timeout_delay */
    atomic_ullong n_aborted;   /* connections given up by it */
    atomic_uint n_recovering;
    atomic_uint n_invalid; /* nodes that could not be met, in the last tend */
    aero_metrics_wish metrics;
    /* Connections whose reply nobody waits for any more; the tender reads
     * them out.  lock; owned. */
    struct aero_drain *drains;
    /* The tender, in the room that may wait.  lock where it changes. */
    struct aero_tender *tender;
    /* lock; wake the tender: set by drive/tender, called with the lock. */
    void (*wake)(struct aero_cluster *cluster);
} aero_cluster;

/* Takes the config's contents (which is left empty).  Gives a cluster that
 * knows no node yet; NULL without memory. */
aero_cluster *aero_cluster_new(aero_cluster_config *config,
                               aero_logger *logger);
aero_cluster *aero_cluster_acquire(aero_cluster *cluster);
void aero_cluster_release(aero_cluster *cluster); /* NULL is fine */

/* The map as it is now: gives a reference.  NULL before the first. */
aero_map *aero_cluster_map(aero_cluster *cluster);
/* Takes `map`. */
void aero_cluster_publish(aero_cluster *cluster, aero_map *map);

/* Some node, another each time: gives a reference, or NULL. */
aero_node *aero_cluster_some_node(aero_cluster *cluster);

/* Log in with another password from now on.  AERO_ERROR without memory. */
aero_rc aero_cluster_set_password(aero_cluster *cluster, const char *password,
                                  const char *credential, aero_status *st);

/* What connections of commands use: NULL when only logins go over TLS. */
static inline aero_tls_context *
aero_cluster_tls(const aero_cluster_config *config)
{
    return config->tls_login_only ? NULL : config->tls;
}

static inline uint32_t
aero_cluster_turn(aero_cluster *cluster)
{
    return atomic_fetch_add_explicit(&cluster->turn, 1, memory_order_relaxed);
}

#endif

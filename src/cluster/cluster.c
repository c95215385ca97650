/* The cluster object.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>

#include "aero/base/alloc.h"
#include "aero/cluster/cluster.h"
#include "internal.h"

void
aero_cluster_config_init(aero_cluster_config *config)
{
    memset(config, 0, sizeof *config);
    config->fail_if_not_connected = AERO_CONFIG_fail_if_not_connected;
    config->connect_timeout_ms = AERO_CONFIG_connect_timeout;
    config->login_timeout_ms = AERO_CONFIG_login_timeout_ms;
    config->tend_interval_ms = AERO_CONFIG_tend_interval;
    config->max_conns = AERO_CONFIG_max_conns_per_node;
    config->max_error_rate = AERO_CONFIG_max_error_rate;
    config->error_rate_window = AERO_CONFIG_error_rate_window;
}

static void
free_secret(char *secret)
{
    if (secret != NULL) {
        OPENSSL_cleanse(secret, strlen(secret));
        aero_free(secret);
    }
}

void
aero_cluster_config_fini(aero_cluster_config *config)
{
    aero_free(config->seeds);
    aero_free(config->ip_map);
    aero_free(config->rack_ids);
    aero_free(config->cluster_name);
    aero_free(config->user);
    aero_free(config->app_id);
    aero_free(config->agent);
    free_secret(config->password);
    free_secret(config->credential);
    aero_tls_context_free(config->tls);
    memset(config, 0, sizeof *config);
}

aero_cluster *
aero_cluster_new(aero_cluster_config *config, aero_logger *logger)
{
    aero_cluster *cluster = aero_zalloc(sizeof *cluster);

    if (cluster == NULL) {
        return NULL;
    }
    atomic_init(&cluster->refs, 1);
    cluster->config = *config;
    memset(config, 0, sizeof *config);
    cluster->logger = logger;
    pthread_mutex_init(&cluster->lock, NULL);
    return cluster;
}

aero_cluster *
aero_cluster_acquire(aero_cluster *cluster)
{
    atomic_fetch_add_explicit(&cluster->refs, 1, memory_order_relaxed);
    return cluster;
}

void
aero_cluster_release(aero_cluster *cluster)
{
    if (cluster == NULL || atomic_fetch_sub_explicit(
                               &cluster->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    aero_drain_free_all(cluster->drains);
    aero_map_release(cluster->map);
    aero_cluster_config_fini(&cluster->config);
    pthread_mutex_destroy(&cluster->lock);
    aero_free(cluster);
}

aero_map *
aero_cluster_map(aero_cluster *cluster)
{
    aero_map *map;

    pthread_mutex_lock(&cluster->lock);
    map = cluster->map;
    if (map != NULL) {
        aero_map_acquire(map);
    }
    pthread_mutex_unlock(&cluster->lock);
    return map;
}

void
aero_cluster_publish(aero_cluster *cluster, aero_map *map)
{
    aero_map *before;

    pthread_mutex_lock(&cluster->lock);
    before = cluster->map;
    cluster->map = map;
    pthread_mutex_unlock(&cluster->lock);
    aero_map_release(before);
}

aero_node *
aero_cluster_some_node(aero_cluster *cluster)
{
    aero_map *map = aero_cluster_map(cluster);
    aero_node *node = NULL;

    if (map != NULL && map->n_nodes != 0) {
        node = aero_node_acquire(
            map->nodes[aero_cluster_turn(cluster) % map->n_nodes]);
    }
    aero_map_release(map);
    return node;
}

aero_rc
aero_cluster_set_password(aero_cluster *cluster, const char *password,
                          const char *credential, aero_status *st)
{
    char *new_password = aero_strndup(password, strlen(password));
    char *new_credential = aero_strndup(credential, strlen(credential));
    bool fine = new_password != NULL && new_credential != NULL;

    if (fine) {
        char *kept;

        pthread_mutex_lock(&cluster->lock);
        kept = cluster->config.password;
        cluster->config.password = new_password;
        new_password = kept;
        kept = cluster->config.credential;
        cluster->config.credential = new_credential;
        new_credential = kept;
        pthread_mutex_unlock(&cluster->lock);
    }
    free_secret(new_password);
    free_secret(new_credential);
    return fine ? AERO_OK
                : aero_fail(st, AERO_ERR_CLIENT, "no memory for a password");
}

const aero_names *
aero_cluster_names(const aero_cluster_config *config)
{
    static const aero_names names[3][2] = {
        {{"service-clear-std", "peers-clear-std"},
         {"service-clear-alt", "peers-clear-alt"}},
        {{"service-tls-std", "peers-tls-std"},
         {"service-tls-alt", "peers-tls-alt"}},
        {{"service-clear-std", "peers-tls-std"},
         {"service-clear-alt", "peers-tls-alt"}},
    };
    int kind = config->tls == NULL ? 0 : config->tls_login_only ? 2 : 1;

    return &names[kind][config->use_alternate];
}

aero_span
aero_cluster_map_host(const aero_cluster_config *config, const char *host)
{
    for (size_t i = 0; i < config->n_ip_map; i++) {
        if (strcmp(config->ip_map[i].from, host) == 0) {
            return aero_span_str(config->ip_map[i].to);
        }
    }
    return aero_span_str(host);
}

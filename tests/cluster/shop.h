/* A cluster that the test tends itself, and what it knows then.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CLUSTER_SHOP_H
#define TESTS_CLUSTER_SHOP_H

#include <unistd.h>

#include "../../src/drive/internal.h"
#include "infod.h"
#include "rig.h"
#include "text.h"

/* A cluster without a server of its own; tended by the test. */
typedef struct shop {
    aero_cluster *cluster;
    aero_tend *tend;
    aero_status st;
} shop;

/* Takes the contents of `config`. */
static inline bool
shop_open(shop *s, aero_cluster_config *config)
{
    memset(s, 0, sizeof *s);
    s->cluster = aero_cluster_new(config, NULL);
    if (s->cluster == NULL) {
        aero_cluster_config_fini(config);
        return false;
    }
    s->tend = aero_tend_new(s->cluster, &aero_thread_resolver);
    return s->tend != NULL;
}

static inline void
shop_close(shop *s)
{
    aero_tend_free(s->tend);
    aero_cluster_release(s->cluster);
}

static inline aero_rc
shop_tend(shop *s, uint32_t ms)
{
    uint64_t by = aero_clock_after(aero_clock_now(), ms);

    aero_status_clear(&s->st);
    aero_sync_task(aero_tend_begin(s->tend, by), NULL);
    return aero_tend_result(s->tend, &s->st);
}

/* The names of the nodes, sorted, and of whoever has partition 0. */
static inline const char *
told(aero_cluster *cluster)
{
    static char text[256];
    aero_map *map = aero_cluster_map(cluster);
    const aero_table *table;
    size_t n = 0;

    text[0] = '\0';
    if (map == NULL) {
        return "(no map)";
    }
    for (char c = ' '; c < '~'; c++) {
        for (size_t i = 0; i < map->n_nodes; i++) {
            if (map->nodes[i]->name[0] == c) {
                n += (size_t)snprintf(text + n, sizeof text - n, "%s ",
                                      map->nodes[i]->name);
            }
        }
    }
    table = aero_map_table(map, aero_span_str("test"));
    snprintf(text + n, sizeof text - n, "0:%s",
             table != NULL && table->owner[0][0] != NULL
                 ? table->owner[0][0]->name
                 : "-");
    aero_map_release(map);
    return text;
}

static inline void
check_told(shop *s, const char *want)
{
    const char *got = told(s->cluster);

    if (strcmp(got, want) != 0) {
        test_failed(__FILE__, __LINE__, "told \"%s\", not \"%s\"", got, want);
    }
}

static inline void
check_text(const shop *s, const char *part)
{
    if (strstr(s->st.text, part) == NULL) {
        test_failed(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", s->st.text,
                    part);
    }
}

/* A socket that listens and never accepts; its port. */
static inline int
listen_silently(uint16_t *port)
{
    aero_addr addr;
    socklen_t len = sizeof addr.sa;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    aero_addr_parse(aero_span_str("127.0.0.1"), 0, &addr);
    if (bind(fd, (struct sockaddr *)&addr.sa, addr.len) != 0 ||
        listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr.sa, &len) != 0) {
        close(fd);
        return -1;
    }
    *port = aero_addr_port(&addr);
    return fd;
}

/* A port that nobody listens on. */
static inline uint16_t
dead_port(void)
{
    uint16_t port = 1;
    int fd = listen_silently(&port);

    close(fd);
    return port;
}

#endif

/* The tender's thread: it starts, keeps the map fresh, and stops at any time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "aero/drive/tender.h"
#include "infod.h"
#include "rig.h"

static size_t
nodes_of(aero_cluster *cluster)
{
    aero_map *map = aero_cluster_map(cluster);
    size_t n = map == NULL ? 0 : map->n_nodes;

    aero_map_release(map);
    return n;
}

static bool
comes_to(aero_cluster *cluster, size_t nodes)
{
    uint64_t from = aero_clock_now();

    while (nodes_of(cluster) != nodes && rig_ms_since(from) < 5000) {
        usleep(2000);
    }
    return nodes_of(cluster) == nodes;
}

TEST(map_follows_the_cluster_by_itself)
{
    rig r;

    REQUIRE(rig_open(
        &r, &(rig_options){.nodes = 4, .tender = true, .tend_ms = 20}));
    CHECK_INT(nodes_of(r.cluster), 4);
    for (int i = 0; i < 3; i++) {
        rig_control(&r, "down node=%d", i);
    }
    CHECK(comes_to(r.cluster, 1));
    for (int i = 0; i < 3; i++) {
        rig_control(&r, "up node=%d", i);
    }
    CHECK(comes_to(r.cluster, 4));
    rig_close(&r);
}

TEST(failing_start_leaves_nothing_behind)
{
    aero_cluster_config config;
    aero_cluster *cluster;
    aero_status st;
    infod *closed = infod_start("127.0.0.1", 0, "A");
    uint16_t port = infod_port(closed);
    uint64_t from;

    infod_stop(closed);
    rig_config(&config, port);
    cluster = aero_cluster_new(&config, NULL);
    REQUIRE(cluster != NULL);
    from = aero_clock_now();
    CHECK(aero_tender_start(cluster, NULL, &st) == AERO_ERROR);
    CHECK(strstr(st.text, "refused") != NULL);
    CHECK(rig_ms_since(from) < 10000);
    CHECK(cluster->tender == NULL);
    aero_tender_stop(cluster); /* there is none */
    aero_cluster_release(cluster);
}

TEST(silent_seed_fails_within_the_connect_timeout)
{
    infod *node = infod_start("127.0.0.1", 0, "A");
    aero_cluster_config config;
    aero_cluster *cluster;
    aero_status st;
    uint64_t from;

    REQUIRE(node != NULL);
    infod_be_silent(node, true);
    rig_config(&config, infod_port(node));
    config.connect_timeout_ms = 150;
    cluster = aero_cluster_new(&config, NULL);
    REQUIRE(cluster != NULL);
    from = aero_clock_now();
    CHECK(aero_tender_start(cluster, NULL, &st) == AERO_ERROR);
    CHECK(rig_ms_since(from) >= 140 && rig_ms_since(from) < 10000);
    CHECK(strstr(st.text, "no answer in time") != NULL);
    aero_cluster_release(cluster);
    infod_stop(node);
}

TEST(cluster_that_need_not_be_there_is_found_later)
{
    infod *node = infod_start("127.0.0.1", 0, "A");
    aero_cluster_config config;
    aero_cluster *cluster;
    uint16_t port = infod_port(node);
    aero_status st;

    infod_stop(node);
    rig_config(&config, port);
    config.fail_if_not_connected = false;
    config.tend_interval_ms = 20;
    cluster = aero_cluster_new(&config, NULL);
    REQUIRE(cluster != NULL);
    CHECK(aero_tender_start(cluster, NULL, &st) == AERO_OK);
    CHECK_INT(nodes_of(cluster), 0);
    node = infod_start("127.0.0.1", port, "A");
    REQUIRE(node != NULL);
    CHECK(comes_to(cluster, 1));
    aero_tender_stop(cluster);
    aero_cluster_release(cluster);
    infod_stop(node);
}

TEST(tender_is_stopped_in_the_middle_of_a_question)
{
    infod *node = infod_start("127.0.0.1", 0, "A");
    aero_cluster_config config;
    aero_cluster *cluster;
    aero_status st;
    uint64_t from;

    REQUIRE(node != NULL);
    rig_config(&config, infod_port(node));
    config.tend_interval_ms = 10;
    config.connect_timeout_ms = 20000;
    cluster = aero_cluster_new(&config, NULL);
    REQUIRE(cluster != NULL);
    CHECK(aero_tender_start(cluster, NULL, &st) == AERO_OK);
    infod_be_silent(node, true);
    usleep(50000);
    from = aero_clock_now();
    aero_tender_stop(cluster);
    CHECK(rig_ms_since(from) < 10000);
    aero_cluster_release(cluster);
    infod_stop(node);
}

TEST(start_without_waiting_is_polled)
{
    aero_cluster_config config;
    aero_cluster *cluster;
    aero_status st;
    uint64_t from = aero_clock_now();
    aero_rc rc;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2}));
    rig_config(&config, aero_server_port(r.server, 0));
    cluster = aero_cluster_new(&config, NULL);
    REQUIRE(cluster != NULL);
    REQUIRE(aero_tender_begin(cluster, &st) == AERO_OK);
    while ((rc = aero_tender_poll(cluster, &st)) == AERO_MORE &&
           rig_ms_since(from) < 3000) {
        usleep(500);
    }
    CHECK(rc == AERO_OK);
    CHECK_INT(nodes_of(cluster), 2);
    aero_tender_stop(cluster);
    aero_cluster_release(cluster);
    rig_close(&r);
}

/* ---- threads ---- */

enum {
    THREADS = 6,
    COMMANDS = 300
};

typedef struct worker {
    rig *r;
    int number;
    unsigned wrong;
    unsigned lost;
} worker;

static void *
work(void *arg)
{
    worker *w = arg;
    rig mine = {.server = w->r->server, .cluster = w->r->cluster};
    aero_policy put;
    aero_policy get;

    aero_policy_init(&put, AERO_POLICY_WRITE);
    aero_policy_init(&get, AERO_POLICY_READ);
    put.max_retries = get.max_retries = 20;
    put.sleep_between_retries = get.sleep_between_retries = 5;
    put.total_timeout = get.total_timeout = 5000;
    for (int i = 0; i < COMMANDS; i++) {
        int64_t key = w->number * COMMANDS + i;

        if (rig_write(&mine, key, key, &put) != 0 ||
            rig_get(&mine, key, &get) != 0) {
            w->lost++;
        }
    }
    return NULL;
}

TEST(threads_share_a_cluster_whose_nodes_come_and_go)
{
    pthread_t threads[THREADS];
    worker workers[THREADS];
    rig r;

    REQUIRE(rig_open(
        &r, &(rig_options){
                .nodes = 4, .tender = true, .tend_ms = 10, .min_conns = 2}));
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.r = &r, .number = i};
        pthread_create(&threads[i], NULL, work, &workers[i]);
    }
    for (int i = 0; i < 6; i++) {
        usleep(20000);
        rig_control(&r, "down node=%d", 1 + i % 3);
        usleep(20000);
        rig_control(&r, "up node=%d", 1 + i % 3);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(workers[i].lost, 0);
    }
    rig_close(&r);
}

TEST(threads_time_out_and_the_tender_reads_out_what_they_left)
{
    pthread_t threads[THREADS];
    worker workers[THREADS];
    uint64_t from = aero_clock_now();
    rig r;

    REQUIRE(rig_open(
        &r, &(rig_options){.nodes = 2, .tender = true, .tend_ms = 10}));
    rig_control(&r, "fault kind=delay ms=15 class=read times=100");
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.r = &r, .number = i};
        pthread_create(&threads[i], NULL, work, &workers[i]);
    }
    for (int i = 0; i < 50; i++) {
        aero_policy policy;

        aero_policy_init(&policy, AERO_POLICY_READ);
        policy.socket_timeout = 5;
        policy.max_retries = 0;
        rig_get(&r, i, &policy);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(workers[i].lost, 0);
    }
    while (atomic_load(&r.cluster->n_recovering) != 0 &&
           rig_ms_since(from) < 5000) {
        usleep(1000);
    }
    CHECK_INT(atomic_load(&r.cluster->n_recovering), 0);
    CHECK_INT(atomic_load(&r.cluster->n_aborted), 0);
    rig_close(&r);
}

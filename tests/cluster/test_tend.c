/* Tending, against local servers and against nodes that say what the test
 * wants them to: whole clusters, seeds, nodes that are refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "shop.h"

/* ---- real clusters ---- */

TEST(one_seed_leads_to_all_nodes_and_all_partitions)
{
    for (unsigned nodes = 1; nodes <= 8; nodes += 2) {
        rig r;
        aero_map *map;
        const aero_table *table;

        REQUIRE(rig_open(&r, &(rig_options){.nodes = nodes}));
        map = aero_cluster_map(r.cluster);
        CHECK_INT(map->n_nodes, nodes);
        CHECK_INT(map->n_tables, 1);
        table = aero_map_table(map, aero_span_str("test"));
        REQUIRE(table != NULL);
        CHECK_INT(table->n_replicas, nodes > 1 ? 2 : 1);
        for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
            CHECK(table->owner[0][p] != NULL);
            CHECK(nodes == 1 || (table->owner[1][p] != NULL &&
                                 table->owner[1][p] != table->owner[0][p]));
        }
        aero_map_release(map);
        rig_close(&r);
    }
}

TEST(node_that_leaves_is_removed_and_comes_back)
{
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
    for (int round = 0; round < 3; round++) {
        aero_map *map;
        const aero_table *table;

        rig_control(&r, "down node=%d", round);
        CHECK(rig_tend_until(&r, 2));
        map = aero_cluster_map(r.cluster);
        table = map->tables[0];
        for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
            CHECK(table->owner[0][p] != NULL && table->owner[1][p] != NULL);
        }
        aero_map_release(map);
        rig_control(&r, "up node=%d", round);
        CHECK(rig_tend_until(&r, 3));
    }
    rig_close(&r);
}

TEST(quiet_tends_publish_no_new_map)
{
    rig r;
    aero_map *before;
    aero_map *after;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2}));
    rig_tend(&r);
    before = aero_cluster_map(r.cluster);
    for (int i = 0; i < 5; i++) {
        rig_tend(&r);
    }
    after = aero_cluster_map(r.cluster);
    CHECK(before == after);
    aero_map_release(before);
    aero_map_release(after);
    rig_close(&r);
}

TEST(node_that_claims_nothing_leaves_the_map_as_it_was)
{
    rig r;
    aero_map *map;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2}));
    rig_control(&r, "fault kind=map-empty");
    rig_control(&r, "restart node=1");
    rig_tend(&r);
    CHECK(rig_tend_until(&r, 2));
    map = aero_cluster_map(r.cluster);
    for (unsigned p = 0; p < AERO_PARTITIONS; p++) {
        CHECK(map->tables[0]->owner[0][p] != NULL);
    }
    aero_map_release(map);
    rig_close(&r);
}

TEST(racks_of_the_nodes_are_in_the_map)
{
    static const int racks[] = {11, 12, 13};
    rig r;
    aero_map *map;
    int sum = 0;

    REQUIRE(rig_open(
        &r, &(rig_options){.nodes = 3, .racks = racks, .rack_aware = true}));
    map = aero_cluster_map(r.cluster);
    REQUIRE(map->racks != NULL);
    for (size_t i = 0; i < map->n_nodes; i++) {
        sum += map->racks[i];
    }
    CHECK_INT(sum, 36);
    aero_map_release(map);
    rig_close(&r);
}

TEST(least_connections_are_kept_warm)
{
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2, .min_conns = 3}));
    for (int round = 0; round < 2; round++) {
        aero_map *map = aero_cluster_map(r.cluster);

        for (size_t i = 0; i < map->n_nodes; i++) {
            aero_pool_stats stats;

            aero_pool_get_stats(map->nodes[i]->pool, &stats);
            CHECK_INT(stats.idle, 3);
            CHECK_INT(stats.opened, 3);
        }
        aero_map_release(map);
        rig_tend(&r);
    }
    rig_close(&r);
}

TEST(idle_connections_are_closed_in_time)
{
    rig r;
    aero_map *map;
    aero_pool_stats stats;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 1}));
    CHECK_INT(rig_get(&r, 1, NULL), AERO_ERR_RECORD_NOT_FOUND);
    r.cluster->config.max_idle_ms = 20;
    map = aero_cluster_map(r.cluster);
    rig_tend(&r);
    aero_pool_get_stats(map->nodes[0]->pool, &stats);
    CHECK_INT(stats.idle, 1); /* not yet */
    usleep(30000);
    rig_tend(&r);
    aero_pool_get_stats(map->nodes[0]->pool, &stats);
    CHECK_INT(stats.idle, 0);
    CHECK_INT(stats.closed, 1);
    aero_map_release(map);
    rig_close(&r);
}

TEST(login_is_made_once_and_again_when_it_is_refused)
{
    rig r;
    aero_login *login;
    aero_session *before;
    aero_session *after;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2, .user = "writer"}));
    CHECK_INT(rig_write(&r, 1, 1, NULL), 0);
    login = r.cluster->map->nodes[0]->login;
    REQUIRE(login != NULL && login != r.cluster->map->nodes[1]->login);
    before = aero_login_session(login);
    REQUIRE(before != NULL && before->len != 0);
    rig_tend(&r);
    after = aero_login_session(login);
    CHECK(before == after);
    aero_session_release(after);
    aero_node_wants_login(r.cluster->map->nodes[0]);
    rig_tend(&r);
    after = aero_login_session(login);
    CHECK(before != after && !atomic_load(&login->due));
    CHECK_INT(rig_write(&r, 1, 1, NULL), 0);
    aero_session_release(before);
    aero_session_release(after);
    rig_close(&r);
}

TEST(tending_survives_each_failing_allocation)
{
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 2, .min_conns = 1}));
    WITH_EACH_ALLOC_FAILING_HERE({
        aero_cluster_config config;
        shop s = {0};

        aero_cluster_config_init(&config);
        config.seeds = aero_zalloc(sizeof *config.seeds);
        if (config.seeds != NULL) {
            strcpy(config.seeds->host, "127.0.0.1");
            config.seeds->port = aero_server_port(r.server, 0);
            config.n_seeds = 1;
        }
        if (shop_open(&s, &config)) {
            shop_tend(&s, 2000);
            shop_tend(&s, 2000);
        }
        shop_close(&s);
    });
    rig_close(&r);
}

/* ---- seeds ---- */

TEST(first_seed_that_answers_is_enough)
{
    aero_cluster_config config;
    uint16_t silent;
    int fd = listen_silently(&silent);
    uint64_t from;
    shop s;
    rig r;

    REQUIRE(fd >= 0 && rig_open(&r, &(rig_options){.nodes = 2}));
    rig_config(&config, dead_port());
    rig_add_seed(&config, "127.0.0.1", silent);
    rig_add_seed(&config, "no-such-host.invalid", 3000);
    rig_add_seed(&config, "127.0.0.1", aero_server_port(r.server, 1));
    REQUIRE(shop_open(&s, &config));
    from = aero_clock_now();
    CHECK(shop_tend(&s, 5000) == AERO_OK);
    CHECK(rig_ms_since(from) < 10000);
    CHECK_INT(s.cluster->map->n_nodes, 2);
    shop_close(&s);
    rig_close(&r);
    close(fd);
}

TEST(seeds_that_fail_are_all_named_in_time)
{
    aero_cluster_config config;
    uint16_t silent;
    uint16_t dead = dead_port();
    int fd = listen_silently(&silent);
    char text[64];
    uint64_t from;
    shop s;

    REQUIRE(fd >= 0);
    rig_config(&config, dead);
    rig_add_seed(&config, "127.0.0.1", silent);
    rig_add_seed(&config, "no-such-host.invalid", 3123);
    REQUIRE(shop_open(&s, &config));
    from = aero_clock_now();
    CHECK(shop_tend(&s, 300) == AERO_ERROR);
    CHECK(rig_ms_since(from) >= 290 && rig_ms_since(from) < 10000);
    snprintf(text, sizeof text, "127.0.0.1:%u: connect: Connection refused",
             dead);
    check_text(&s, text);
    snprintf(text, sizeof text, "127.0.0.1:%u: no answer in time", silent);
    check_text(&s, text);
    check_text(&s, "no-such-host.invalid:3123");
    shop_close(&s);
    close(fd);
}

TEST(no_seed_at_all_is_said)
{
    aero_cluster_config config;
    shop s;

    aero_cluster_config_init(&config);
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 100) == AERO_ERROR);
    check_text(&s, "no seed is configured");
    shop_close(&s);
}

/* A cluster of one node that says what `command` is answered with: the error
 * of connecting to it. */
static void
check_refusal(const char *command, const char *value, const char *name,
              const char *part)
{
    infod *node = infod_start("127.0.0.1", 0, "A");
    aero_cluster_config config;
    shop s;

    REQUIRE(node != NULL);
    infod_say(node, command, "%s", value);
    rig_config(&config, infod_port(node));
    if (name != NULL) {
        config.cluster_name = aero_strndup(name, strlen(name));
    }
    REQUIRE(shop_open(&s, &config));
    if (part == NULL) {
        CHECK(shop_tend(&s, 2000) == AERO_OK);
        check_told(&s, "A 0:A");
    }
    else {
        CHECK(shop_tend(&s, 2000) == AERO_ERROR);
        check_text(&s, part);
    }
    shop_close(&s);
    infod_stop(node);
}

TEST(nodes_are_validated)
{
    check_refusal("build", "8.1.2.0", NULL, NULL);
    check_refusal("build", "4.9.0.3", NULL, NULL);
    check_refusal("build", "8.1.2.0-rc1", NULL, NULL);
    check_refusal("build", "4.8.0.1", NULL, "at least 4.9");
    check_refusal("build", "3.16.0.6", NULL, "at least 4.9");
    check_refusal("build", "eight", NULL, "does not say its build");
    check_refusal("build", "8", NULL, "does not say its build");
    check_refusal("build", "", NULL, "does not say its build");
    check_refusal("node", "", NULL, "does not say its name");
    check_refusal("node", "A-name-longer-than-any-node-has", NULL,
                  "does not say its name");
    check_refusal("partition-generation", "-1", NULL, "not ready");
    check_refusal("partition-generation", "x", NULL, "not ready");
    check_refusal("partition-generation", "ERROR:1:x", NULL, "not ready");
    check_refusal("cluster-name", "blue", "blue", NULL);
    check_refusal("cluster-name", "red", "blue", "'red', not 'blue'");
    check_refusal("cluster-name", "ERROR:4:x", "blue", "not 'blue'");
}

static void
check_raw(const char *bytes, size_t len)
{
    infod *node = infod_start("127.0.0.1", 0, "A");
    aero_cluster_config config;
    uint64_t from = aero_clock_now();
    shop s;

    REQUIRE(node != NULL);
    infod_say_raw(node, bytes, len);
    rig_config(&config, infod_port(node));
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 200) == AERO_ERROR);
    CHECK(s.st.text[0] != '\0');
    CHECK(rig_ms_since(from) < 10000);
    shop_close(&s);
    infod_stop(node);
}

TEST(garbage_half_messages_and_silence_end_in_time)
{
    static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

    check_raw(http, sizeof http - 1);
    check_raw("\2\1\0\0\0\0\0\100half", 12); /* 64 bytes are announced */
    check_raw("\2\1", 2);
    check_raw("\2\3\0\0\0\0\0\0", 8);        /* another kind of frame */
    check_raw("\2\1\0\0\0\20\0\0", 8);       /* 1 MiB: over the limit */
    check_raw("\2\1\0\0\0\0\0\3abc", 11);    /* no info text */
    check_raw("\2\1\0\0\0\0\0\1\nmore", 13); /* bytes behind it */
    check_raw("\2\1\0\0\0\0\0\37ERROR:80:not authenticated....\n", 39);
}

/* Tending, against local servers and against nodes that say what the test
 * wants them to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "../../src/drive/internal.h"
#include "aero/base/alloc.h"
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
static bool
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

static void
shop_close(shop *s)
{
    aero_tend_free(s->tend);
    aero_cluster_release(s->cluster);
}

static aero_rc
shop_tend(shop *s, uint32_t ms)
{
    uint64_t by = aero_clock_after(aero_clock_now(), ms);

    aero_status_clear(&s->st);
    aero_sync_task(aero_tend_begin(s->tend, by), NULL);
    return aero_tend_result(s->tend, &s->st);
}

/* The names of the nodes, sorted, and of whoever has partition 0. */
static const char *
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

static void
check_told(shop *s, const char *want)
{
    const char *got = told(s->cluster);

    if (strcmp(got, want) != 0) {
        test_failed(__FILE__, __LINE__, "told \"%s\", not \"%s\"", got, want);
    }
}

static void
check_text(const shop *s, const char *part)
{
    if (strstr(s->st.text, part) == NULL) {
        test_failed(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", s->st.text,
                    part);
    }
}

/* A socket that listens and never accepts; its port. */
static int
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
static uint16_t
dead_port(void)
{
    uint16_t port = 1;
    int fd = listen_silently(&port);

    close(fd);
    return port;
}

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
    CHECK(rig_ms_since(from) < 2000);
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
    CHECK(rig_ms_since(from) >= 290 && rig_ms_since(from) < 2000);
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
    CHECK(rig_ms_since(from) < 2000);
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

/* ---- peers ---- */

/* `b` is a friend of `a` and has all partitions. */
static void
befriend(infod *b, const infod *a)
{
    char list[128];

    snprintf(list, sizeof list, "1,3000,[[A,,[127.0.0.1:%u]]]", infod_port(a));
    infod_say(b, "peers-clear-std", "%s", list);
    infod_say(b, "peers-clear-alt", "%s", list);
    infod_say(b, "replicas:max=3", "%s", infod_all_partitions(1));
}

static const char *
peers_of(unsigned generation, const char *list)
{
    static char text[512];

    snprintf(text, sizeof text, "%u,3000,[%s]", generation, list);
    return text;
}

TEST(peers_are_reached_under_every_form_of_address)
{
    static const struct {
        const char *host; /* it listens on */
        const char *form; /* how it is written, with its port */
    } rows[] = {
        {"127.0.0.1", "127.0.0.1:%u"},
        {"127.0.0.1", "localhost:%u"},
        {"::1", "[::1]:%u"},
        {"127.0.0.1", "no-such-host.invalid:1,127.0.0.1:%u"},
        {"127.0.0.1", "[2001:db8::1]:1,127.0.0.1:%u"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        infod *a = infod_start("127.0.0.1", 0, "A");
        infod *b = infod_start(rows[i].host, 0, "B");
        aero_cluster_config config;
        char form[128];
        char list[200];
        shop s;

        REQUIRE(a != NULL);
        if (b == NULL) { /* a machine without IPv6 */
            infod_stop(a);
            continue;
        }
        befriend(b, a);
        snprintf(form, sizeof form, rows[i].form, infod_port(b));
        snprintf(list, sizeof list, "[B,,[%s]]", form);
        infod_say(a, "peers-clear-std", "%s", peers_of(1, list));
        rig_config(&config, infod_port(a));
        REQUIRE(shop_open(&s, &config));
        CHECK(shop_tend(&s, 3000) == AERO_OK);
        check_told(&s, "A B 0:B");
        shop_close(&s);
        infod_stop(a);
        infod_stop(b);
    }
}

TEST(port_that_a_peer_does_not_name_is_that_of_the_list)
{
    infod *a = infod_start("127.0.0.1", 0, "A");
    infod *b = infod_start("127.0.0.1", 0, "B");
    aero_cluster_config config;
    shop s;

    REQUIRE(a != NULL && b != NULL);
    befriend(b, a);
    infod_say(a, "peers-clear-std", "1,%u,[[B,,[127.0.0.1]]]", infod_port(b));
    rig_config(&config, infod_port(a));
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    check_told(&s, "A B 0:B");
    shop_close(&s);
    infod_stop(a);
    infod_stop(b);
}

TEST(alternate_addresses_are_asked_for_and_used)
{
    infod *a = infod_start("127.0.0.1", 0, "A");
    infod *b = infod_start("127.0.0.1", 0, "B");
    aero_cluster_config config;
    shop s;

    REQUIRE(a != NULL && b != NULL);
    befriend(b, a);
    infod_say(a, "peers-clear-std", "1,3000,[[B,,[127.0.0.1:1]]]");
    infod_say(a, "peers-clear-alt", "1,3000,[[B,,[127.0.0.1:%u]]]",
              infod_port(b));
    rig_config(&config, infod_port(a));
    config.use_alternate = true;
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    check_told(&s, "A B 0:B");
    CHECK_INT(infod_asked(a, "peers-clear-std"), 0);
    shop_close(&s);
    infod_stop(a);
    infod_stop(b);
}

TEST(advertised_addresses_are_mapped)
{
    infod *a = infod_start("127.0.0.1", 0, "A");
    infod *b = infod_start("127.0.0.1", 0, "B");
    aero_cluster_config config;
    char list[100];
    shop s;

    REQUIRE(a != NULL && b != NULL);
    befriend(b, a);
    snprintf(list, sizeof list, "[B,,[10.99.99.99:%u]]", infod_port(b));
    infod_say(a, "peers-clear-std", "%s", peers_of(1, list));
    rig_config(&config, infod_port(a));
    config.ip_map = aero_zalloc(sizeof *config.ip_map);
    REQUIRE(config.ip_map != NULL);
    config.n_ip_map = 1;
    strcpy(config.ip_map->from, "10.99.99.99");
    strcpy(config.ip_map->to, "127.0.0.1");
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    check_told(&s, "A B 0:B");
    shop_close(&s);
    infod_stop(a);
    infod_stop(b);
}

TEST(peer_that_answers_with_another_name_is_not_taken)
{
    infod *a = infod_start("127.0.0.1", 0, "A");
    infod *b = infod_start("127.0.0.1", 0, "B");
    aero_cluster_config config;
    char list[100];
    shop s;

    REQUIRE(a != NULL && b != NULL);
    befriend(b, a);
    snprintf(list, sizeof list, "[C,,[127.0.0.1:%u]]", infod_port(b));
    infod_say(a, "peers-clear-std", "%s", peers_of(1, list));
    rig_config(&config, infod_port(a));
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    check_told(&s, "A 0:A");
    /* The list was not met in full: it is read again until it is. */
    infod_say(b, "node", "C");
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    check_told(&s, "A C 0:C");
    shop_close(&s);
    infod_stop(a);
    infod_stop(b);
}

TEST(newcomer_without_partitions_is_kept)
{
    infod *a = infod_start("127.0.0.1", 0, "A");
    infod *b = infod_start("127.0.0.1", 0, "B");
    aero_cluster_config config;
    char list[100];
    shop s;

    REQUIRE(a != NULL && b != NULL);
    befriend(b, a);
    infod_say(b, "replicas:max=3", "test:0,1,");
    rig_config(&config, infod_port(a));
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    check_told(&s, "A 0:A");
    snprintf(list, sizeof list, "[B,,[127.0.0.1:%u]]", infod_port(b));
    infod_say(a, "peers-generation", "2");
    infod_say(a, "peers-clear-std", "%s", peers_of(2, list));
    for (int i = 0; i < 3; i++) {
        CHECK(shop_tend(&s, 3000) == AERO_OK);
        check_told(&s, "A B 0:A");
    }
    shop_close(&s);
    infod_stop(a);
    infod_stop(b);
}

TEST(single_node_is_kept_to_when_that_is_asked)
{
    aero_cluster_config config;
    shop s;
    rig r;

    REQUIRE(rig_open(&r, &(rig_options){.nodes = 3}));
    rig_config(&config, aero_server_port(r.server, 0));
    config.force_single_node = true;
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    CHECK_INT(s.cluster->map->n_nodes, 1);
    shop_close(&s);
    rig_close(&r);
}

TEST(generations_decide_what_is_asked_again)
{
    infod *a = infod_start("127.0.0.1", 0, "A");
    aero_cluster_config config;
    unsigned peers;
    unsigned maps;
    shop s;

    REQUIRE(a != NULL);
    rig_config(&config, infod_port(a));
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    peers = infod_asked(a, "peers-clear-std");
    maps = infod_asked(a, "replicas:max=3");
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    CHECK_INT(infod_asked(a, "peers-clear-std"), peers);
    CHECK_INT(infod_asked(a, "replicas:max=3"), maps);
    infod_say(a, "partition-generation", "2");
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    CHECK_INT(infod_asked(a, "replicas:max=3"), maps + 1);
    CHECK_INT(infod_asked(a, "peers-clear-std"), peers);
    infod_say(a, "peers-generation", "2");
    infod_say(a, "peers-clear-std", "2,3000,[]");
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    CHECK_INT(infod_asked(a, "peers-clear-std"), peers + 1);
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    CHECK_INT(infod_asked(a, "peers-clear-std"), peers + 1);
    CHECK_INT(infod_connections(a), 1); /* kept between the tends */
    shop_close(&s);
    infod_stop(a);
}

/* ---- nodes that go ---- */

/* A and B list each other; B has partition 0. */
typedef struct pair {
    infod *a;
    infod *b;
    shop s;
} pair;

static void
pair_say(pair *p, unsigned generation, bool a_lists_b)
{
    char list[64];

    snprintf(list, sizeof list, "[B,,[127.0.0.1:%u]]", infod_port(p->b));
    infod_say(p->a, "peers-generation", "%u", generation);
    infod_say(p->a, "peers-clear-std", "%s",
              peers_of(generation, a_lists_b ? list : ""));
}

static bool
pair_open(pair *p)
{
    aero_cluster_config config;

    p->a = infod_start("127.0.0.1", 0, "A");
    p->b = infod_start("127.0.0.1", 0, "B");
    if (p->a == NULL || p->b == NULL) {
        return false;
    }
    pair_say(p, 1, true);
    befriend(p->b, p->a);
    rig_config(&config, infod_port(p->a));
    if (!shop_open(&p->s, &config) || shop_tend(&p->s, 3000) != AERO_OK) {
        return false;
    }
    check_told(&p->s, "A B 0:B");
    return true;
}

static void
pair_close(pair *p)
{
    shop_close(&p->s);
    infod_stop(p->a);
    infod_stop(p->b);
}

TEST(node_that_fails_and_that_no_peer_lists_is_removed)
{
    pair p;

    REQUIRE(pair_open(&p));
    infod_stop(p.b);
    p.b = NULL;
    CHECK(shop_tend(&p.s, 3000) == AERO_OK);
    check_told(&p.s, "A B 0:B"); /* A still lists it */
    infod_say(p.a, "peers-generation", "2");
    infod_say(p.a, "peers-clear-std", "2,3000,[]");
    CHECK(shop_tend(&p.s, 3000) == AERO_OK);
    check_told(&p.s, "A 0:-");
    pair_close(&p);
}

/* The list shrinks while the node still answers; it goes later. */
TEST(node_that_fails_after_the_peers_have_dropped_it_is_removed)
{
    pair p;

    REQUIRE(pair_open(&p));
    pair_say(&p, 2, false);
    CHECK(shop_tend(&p.s, 3000) == AERO_OK);
    check_told(&p.s, "A B 0:B"); /* it answers and has partitions */
    infod_stop(p.b);
    p.b = NULL;
    CHECK(shop_tend(&p.s, 3000) == AERO_OK);
    check_told(&p.s, "A 0:-");
    pair_close(&p);
}

TEST(node_that_loses_its_partitions_after_the_peers_dropped_it_is_removed)
{
    pair p;

    REQUIRE(pair_open(&p));
    pair_say(&p, 2, false);
    CHECK(shop_tend(&p.s, 3000) == AERO_OK);
    /* A node without peers is not believed: it may be the one that is cut
     * off. */
    infod_say(p.a, "peers-clear-std", "2,3000,[[C,,[127.0.0.1:1]]]");
    infod_say(p.a, "partition-generation", "2");
    infod_say(p.a, "replicas:max=3", "%s", infod_all_partitions(7));
    CHECK(shop_tend(&p.s, 3000) == AERO_OK);
    CHECK(shop_tend(&p.s, 3000) == AERO_OK);
    check_told(&p.s, "A 0:A");
    pair_close(&p);
}

TEST(node_that_everybody_lists_stays_through_failures)
{
    pair p;

    REQUIRE(pair_open(&p));
    infod_be_silent(p.b, true);
    for (int i = 0; i < 7; i++) {
        CHECK(shop_tend(&p.s, 50) == AERO_OK);
    }
    check_told(&p.s, "A B 0:B");
    infod_be_silent(p.b, false);
    CHECK(shop_tend(&p.s, 3000) == AERO_OK);
    check_told(&p.s, "A B 0:B");
    pair_close(&p);
}

TEST(address_that_belongs_to_another_node_now_drops_the_old_one)
{
    pair p;

    REQUIRE(pair_open(&p));
    infod_say(p.b, "node", "C");
    infod_say(p.a, "peers-generation", "2");
    infod_say(p.a, "peers-clear-std", "2,3000,[[C,,[127.0.0.1:%u]]]",
              infod_port(p.b));
    CHECK(shop_tend(&p.s, 3000) == AERO_OK);
    check_told(&p.s, "A C 0:C");
    pair_close(&p);
}

TEST(peer_that_has_moved_is_followed)
{
    pair p;
    infod *moved = infod_start("127.0.0.1", 0, "B");

    REQUIRE(moved != NULL && pair_open(&p));
    befriend(moved, p.a); /* and says the same as before */
    infod_stop(p.b);
    p.b = moved;
    pair_say(&p, 2, true);
    CHECK(shop_tend(&p.s, 3000) == AERO_OK);
    check_told(&p.s, "A B 0:B");
    CHECK(infod_connections(moved) != 0);
    pair_close(&p);
}

/* All are lost: after five failures the seeds are asked again. */
TEST(seeds_are_asked_again_when_all_nodes_are_lost)
{
    infod *a = infod_start("127.0.0.1", 0, "A");
    aero_cluster_config config;
    uint16_t port;
    shop s;

    REQUIRE(a != NULL);
    port = infod_port(a);
    rig_config(&config, port);
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    infod_stop(a);
    for (int i = 0; i < 4; i++) {
        CHECK(shop_tend(&s, 3000) == AERO_OK);
        check_told(&s, "A 0:A");
    }
    CHECK(shop_tend(&s, 3000) == AERO_ERROR);
    check_told(&s, "0:-");
    CHECK(shop_tend(&s, 3000) == AERO_ERROR);
    check_text(&s, "refused");
    a = infod_start("127.0.0.1", port, "Z"); /* another node, there */
    REQUIRE(a != NULL);
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    check_told(&s, "Z 0:Z");
    shop_close(&s);
    infod_stop(a);
}

TEST(restart_of_a_node_is_noticed_by_its_lower_generation)
{
    infod *a = infod_start("127.0.0.1", 0, "A");
    aero_cluster_config config;
    aero_node *node;
    unsigned epoch;
    shop s;

    REQUIRE(a != NULL);
    infod_say(a, "peers-generation", "9");
    infod_say(a, "peers-clear-std", "9,3000,[]");
    rig_config(&config, infod_port(a));
    REQUIRE(shop_open(&s, &config));
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    node = s.cluster->map->nodes[0];
    aero_node_count_error(node);
    epoch = atomic_load(&node->epoch);
    infod_say(a, "peers-generation", "1");
    infod_say(a, "peers-clear-std", "1,3000,[]");
    CHECK(shop_tend(&s, 3000) == AERO_OK);
    CHECK(atomic_load(&node->epoch) != epoch);
    CHECK_INT(atomic_load(&node->errors), 0);
    shop_close(&s);
    infod_stop(a);
}

/* ---- what is said of it ---- */

static void
keep_last(void *data, aero_log_level level, const char *func, const char *file,
          int line, const char *text)
{
    (void)func, (void)file, (void)line;
    if (level == AERO_LOG_WARN) {
        snprintf(data, AERO_STATUS_TEXT, "%s", text);
    }
}

TEST(answers_that_are_nonsense_do_not_stop_the_tending)
{
    static const struct {
        const char *command;
        const char *value;
        const char *said;
    } rows[] = {
        {"peers-generation", "x", "peers-generation is no number"},
        {"partition-generation", "", "partition-generation is no number"},
        {"partition-generation", "ERROR:4:not now",
         "partition-generation is refused: not now (4)"},
        {"replicas:max=3", "test:0,1,***", "partition map has a bad bitmap"},
        {"replicas:max=3", "nonsense", "partition map has a bad regime"},
        {"replicas:max=3", "ERROR:81:role violation",
         "replicas:max=3 is refused: role violation (81)"},
        {"replicas:max=3", "ERROR", "replicas:max=3 is refused:  (1)"},
        {"peers-clear-std", "2,3000,[[[[", "list of peers is malformed"},
        {"peers-clear-std", "ERROR:4:no",
         "peers-clear-std is refused: no (4)"},
        {"node", "", NULL},
        {"node", "ERROR::none", "node is refused: none (1)"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char said[AERO_STATUS_TEXT] = "";
        char expected[AERO_STATUS_TEXT];
        aero_logger logger = {AERO_LOG_WARN, keep_last, said};
        pair p;

        REQUIRE(pair_open(&p));
        p.s.cluster->logger = &logger;
        infod_say(p.b, "partition-generation", "2");
        infod_say(p.b, "peers-generation", "2");
        infod_say(p.b, rows[i].command, "%s", rows[i].value);
        for (int n = 0; n < 3; n++) {
            CHECK(shop_tend(&p.s, 3000) == AERO_OK);
        }
        if (strstr(told(p.s.cluster), "A ") == NULL) {
            test_failed(__FILE__, __LINE__, "%s=%s leaves \"%s\"",
                        rows[i].command, rows[i].value, told(p.s.cluster));
        }
        if (rows[i].said != NULL) {
            snprintf(expected, sizeof expected, "tending node B failed: %s",
                     rows[i].said);
            CHECK_TEXT(said, expected);
        }
        pair_close(&p);
    }
}

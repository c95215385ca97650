/* Tending, against nodes that say what the test wants them to: peers, nodes
 * that go, and what is said of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/alloc.h"
#include "shop.h"

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

/* What nodes tell about each other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/b64.h"
#include "kit.h"

enum {
    MAP_TEXT = (AERO_PARTITIONS / 8 + 2) / 3 * 4 /* base64 */
};

static bool
open_nodes(kit *k, unsigned nodes, unsigned replication)
{
    static const char *const names[] = {"test"};
    aero_server_config config = {0};

    config.nodes = nodes;
    config.replication_factor = replication;
    config.namespaces = names;
    config.n_namespaces = 1;
    if (!kit_open_with(k, &config)) {
        return false;
    }
    for (unsigned i = 0; i < nodes; i++) {
        snprintf(k->core.cluster.nodes[i].address,
                 sizeof k->core.cluster.nodes[i].address, "127.0.0.1:%u",
                 4000 + i);
    }
    return true;
}

static const char *
ask(kit *k, unsigned node, const char *command)
{
    k->node = node;
    return kit_info(k, command);
}

TEST(nodes_name_their_peers)
{
    kit k;

    REQUIRE(open_nodes(&k, 3, 2));
    CHECK_TEXT(ask(&k, 0, "peers-clear-std"),
               "4,3000,[[BB9000000000002,,[127.0.0.1:4001]],"
               "[BB9000000000003,,[127.0.0.1:4002]]]");
    CHECK_TEXT(ask(&k, 1, "node"), "BB9000000000002");
    CHECK_TEXT(ask(&k, 1, "service-clear-std"), "127.0.0.1:4001");
    CHECK_TEXT(ask(&k, 0, "services"), "127.0.0.1:4001;127.0.0.1:4002");
    kit_close(&k);
}

TEST(peers_are_told_as_changes_since_a_generation)
{
    kit k;

    REQUIRE(open_nodes(&k, 3, 2));
    CHECK_TEXT(ask(&k, 0, "peers-generation"), "4");
    CHECK(srv_cluster_down(&k.core.cluster, 1));
    CHECK(!srv_cluster_down(&k.core.cluster, 1));
    CHECK_TEXT(ask(&k, 0, "peers-generation"), "5");
    CHECK_TEXT(ask(&k, 0, "peers-clear-std"),
               "5,3000,[[BB9000000000003,,[127.0.0.1:4002]]]");
    CHECK_TEXT(ask(&k, 0, "peers-clear-std:generation=4"),
               "5,3000,[[BB9000000000002,,]]");
    CHECK_TEXT(ask(&k, 0, "peers-clear-std:generation=5"), "5,3000,[]");
    CHECK(srv_cluster_up(&k.core.cluster, 1));
    CHECK_TEXT(ask(&k, 0, "peers-clear-std:generation=5"),
               "7,3000,[[BB9000000000002,,[127.0.0.1:4001]]]");
    CHECK_TEXT(ask(&k, 1, "peers-generation"), "4");
    kit_close(&k);
}

/* How many partitions of the replica a node says it has. */
static unsigned
owned(kit *k, unsigned node, unsigned replica, unsigned partition, bool *has)
{
    const char *text = ask(k, node, "replicas:max=2");
    aero_buf bits = {0};
    unsigned count = 0;

    /* test:0,2,<map>,<map> */
    text = strchr(text, ',') + 1;
    for (unsigned i = 0; i <= replica; i++) {
        text = strchr(text, ',') + 1;
    }
    if (!aero_b64_take(aero_span_of(text, MAP_TEXT), &bits) ||
        bits.len != AERO_PARTITIONS / 8) {
        test_failed(__FILE__, __LINE__, "no map");
    }
    for (unsigned p = 0; p < bits.len * 8; p++) {
        count += (bits.ptr[p / 8] & 0x80 >> p % 8) != 0;
    }
    *has = bits.len != 0 &&
           (bits.ptr[partition / 8] & 0x80 >> partition % 8) != 0;
    aero_buf_fini(&bits);
    return count;
}

TEST(every_partition_has_one_master_and_one_replica)
{
    kit k;

    REQUIRE(open_nodes(&k, 3, 2));
    for (unsigned down = 0; down < 2; down++) {
        unsigned masters = 0;
        unsigned replicas = 0;
        unsigned of_seven = 0;

        if (down) {
            srv_cluster_down(&k.core.cluster, 2);
        }
        for (unsigned i = 0; i < 3 - down; i++) {
            bool has = false;

            masters += owned(&k, i, 0, 7, &has);
            of_seven += has;
            replicas += owned(&k, i, 1, 7, &has);
            of_seven += has;
        }
        CHECK_INT(masters, AERO_PARTITIONS);
        CHECK_INT(replicas, AERO_PARTITIONS);
        CHECK_INT(of_seven, 2);
    }
    kit_close(&k);
}

TEST(generations_move_when_nodes_do_and_restart_with_a_node)
{
    kit k;

    REQUIRE(open_nodes(&k, 2, 2));
    CHECK_TEXT(ask(&k, 0, "partition-generation"), "0");
    CHECK_TEXT(ask(&k, 0, "rebalance-generation"), "1");
    srv_cluster_down(&k.core.cluster, 1);
    srv_cluster_up(&k.core.cluster, 1);
    CHECK_TEXT(ask(&k, 0, "partition-generation"), "2");
    CHECK_TEXT(ask(&k, 0, "rebalance-generation"), "3");
    CHECK_TEXT(ask(&k, 1, "partition-generation"), "0");
    srv_cluster_restart_last(&k.core.cluster, 0);
    CHECK_TEXT(ask(&k, 0, "partition-generation"), "0");
    kit_close(&k);
}

TEST(a_node_serves_what_is_not_its_own)
{
    kit k;

    REQUIRE(open_nodes(&k, 3, 1));
    for (k.node = 0; k.node < 3; k.node++) {
        CHECK_INT(kit_put(&k, "s", 1, 1, 0), AERO_ERR_OK);
    }
    CHECK_INT(k.core.ns[0]->counts[SRV_COUNT_client_proxy_complete], 2);
    k.node = 0;
    kit_close(&k);
}

TEST(the_cluster_says_whether_it_is_stable)
{
    kit k;
    char key[64];

    REQUIRE(open_nodes(&k, 3, 2));
    snprintf(key, sizeof key, "%s", ask(&k, 0, "cluster-stable:"));
    CHECK_TEXT(ask(&k, 1, "cluster-stable:"), key);
    CHECK_TEXT(ask(&k, 1, "cluster-stable:size=3"), key);
    CHECK(strncmp(ask(&k, 1, "cluster-stable:size=2"), "ERROR:", 6) == 0);
    srv_cluster_down(&k.core.cluster, 2);
    CHECK(strcmp(ask(&k, 0, "cluster-stable:"), key) != 0);
    kit_close(&k);
}

/* Faults: which strikes whom, and how often.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "../../src/server/fault.h"
#include "kit.h"

enum {
    ANY = ~0U
};

static unsigned
add(srv_faults *faults, const kit *k, const char *text)
{
    aero_status st;

    aero_status_clear(&st);
    return srv_faults_add(faults, &k->core.cluster, aero_span_str(text), &st);
}

static const srv_fault *
strike(srv_faults *faults, unsigned node, srv_class which, const char *ns)
{
    return srv_faults_strike(faults, ANY, node, which, aero_span_str(ns));
}

TEST(a_fault_strikes_only_whom_it_names)
{
    kit k;
    srv_faults faults = {0};

    REQUIRE(kit_open(&k));
    k.core.cluster.count = 3;
    CHECK(add(&faults, &k,
              "kind=code code=9 node=1 class=read,batch ns=test") != 0);
    CHECK(strike(&faults, 0, SRV_CLASS_READ, "test") == NULL);
    CHECK(strike(&faults, 1, SRV_CLASS_WRITE, "test") == NULL);
    CHECK(strike(&faults, 1, SRV_CLASS_READ, "bar") == NULL);
    CHECK(strike(&faults, 1, SRV_CLASS_READ, "test") != NULL);
    CHECK(strike(&faults, 1, SRV_CLASS_BATCH, "test") != NULL);
    CHECK(srv_faults_strike(&faults, 1U << SRV_FAULT_DROP, 1, SRV_CLASS_READ,
                            aero_span_str("test")) == NULL);
    srv_faults_fini(&faults);
    kit_close(&k);
}

TEST(a_fault_is_used_up)
{
    kit k;
    srv_faults faults = {0};
    aero_buf out = {0};

    REQUIRE(kit_open(&k));
    CHECK_INT(add(&faults, &k, "kind=drop times=2"), 1);
    CHECK(strike(&faults, 0, SRV_CLASS_READ, "") != NULL);
    CHECK(strike(&faults, 0, SRV_CLASS_INFO, "") == NULL); /* data only */
    CHECK(strike(&faults, 0, SRV_CLASS_QUERY, "") != NULL);
    CHECK(strike(&faults, 0, SRV_CLASS_READ, "") == NULL);
    srv_faults_put(&faults, &out);
    CHECK(aero_span_is(aero_buf_span(&out), "id=1 kind=drop hits=2 left=0"));
    CHECK_INT(srv_faults_clear(&faults, 1, -1), 1);
    CHECK_INT(srv_faults_clear(&faults, 1, -1), 0);
    aero_buf_fini(&out);
    srv_faults_fini(&faults);
    kit_close(&k);
}

TEST(a_fault_that_means_nothing_is_refused)
{
    static const char *const texts[] = {
        "",
        "kind=none",
        "kind=code",
        "kind=code code=256",
        "kind=drop node=9",
        "kind=drop class=none",
        "kind=drop class=",
        "kind=drop times=x",
        "kind=drop what=1",
        "kind=drop ns=12345678901234567890123456789012",
        "drop",
    };
    kit k;
    srv_faults faults = {0};

    REQUIRE(kit_open(&k));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (add(&faults, &k, texts[i]) != 0) {
            test_failed(__FILE__, __LINE__, "%s", texts[i]);
        }
    }
    CHECK(faults.first == NULL);
    kit_close(&k);
}

TEST(a_partition_map_may_be_stale_wrong_or_empty)
{
    kit k;
    srv_faults faults = {0};
    srv_view view;
    unsigned who = 0;
    const srv_node *node;
    static const char *const names[] = {"test"};
    aero_server_config config = {0};

    config.nodes = 2;
    config.namespaces = names;
    config.n_namespaces = 1;
    REQUIRE(kit_open_with(&k, &config));
    node = &k.core.cluster.nodes[0];
    view = k.core.cluster.view;
    CHECK(!srv_faults_view(&faults, &k.core.cluster, node, &view, &who));
    add(&faults, &k, "kind=map-stale node=0");
    srv_cluster_down(&k.core.cluster, 1);
    view = k.core.cluster.view;
    CHECK_INT(view.n_alive, 1);
    CHECK(srv_faults_view(&faults, &k.core.cluster, node, &view, &who));
    CHECK_INT(view.n_alive, 2);
    srv_faults_clear(&faults, 0, -1);
    add(&faults, &k, "kind=map-wrong");
    CHECK(srv_faults_view(&faults, &k.core.cluster, node, &view, &who));
    CHECK_INT(who, 1);
    srv_faults_clear(&faults, 0, -1);
    add(&faults, &k, "kind=map-empty");
    CHECK(srv_faults_view(&faults, &k.core.cluster, node, &view, &who));
    CHECK_INT(view.replicas, 0);
    srv_faults_fini(&faults);
    kit_close(&k);
}

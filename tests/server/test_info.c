/* Info commands.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "kit.h"

static const char *const names[] = {
#define INFO(name, fn, kind, need) name,
#include "../../src/server/tables/info.def"
#undef INFO
};

TEST(commands_stand_in_the_order_of_their_names)
{
    for (size_t i = 1; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i - 1], names[i]) >= 0) {
            test_failed(__FILE__, __LINE__, "%s", names[i]);
        }
    }
}

TEST(info_answers_as_a_real_server)
{
    kit k;
    char line[1024];
    aero_span text = test_file("server/golden/info.txt");
    unsigned asked = 0;

    REQUIRE(kit_open(&k));
    while (text.len != 0) {
        aero_span rest = aero_span_cut(&text, '\n');
        aero_span command = aero_span_cut(&rest, '\t');
        const char *got;

        if (command.len == 0 || command.ptr[0] == '#') {
            continue;
        }
        memcpy(line, command.ptr, command.len);
        line[command.len] = '\0';
        got = kit_info(&k, line);
        asked++;
        if (!aero_span_is(rest, got)) {
            test_failed(__FILE__, __LINE__, "%s answers %s", line, got);
        }
    }
    CHECK(asked > 90);
    kit_close(&k);
}

TEST(several_commands_are_answered_in_one_frame)
{
    kit k;

    REQUIRE(kit_open(&k));
    kit_info(&k, "build\nnope\nedition");
    CHECK(strcmp((char *)k.out.ptr + AERO_FRAME_HEAD,
                 "build\t8.1.2.0\nnope\tERROR:4:unrecognized command\n"
                 "edition\tAerospike Community Edition") == 0);
    kit_close(&k);
}

/* The number behind "name=" in an answer; -1 if it is not there. */
static long
number_in(const char *answer, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = answer; p != NULL; p = strpbrk(p, ";:")) {
        p += *p == ';' || *p == ':';
        if (strncmp(p, name, len) == 0 && p[len] == '=') {
            return strtol(p + len + 1, NULL, 10);
        }
    }
    return -1;
}

TEST(statistics_follow_the_records)
{
    kit k;

    REQUIRE(kit_open(&k));
    kit_put(&k, "s", 1, 1, 0);
    kit_put(&k, "s", 2, 1, 0);
    kit_put(&k, "t", 2, 1, 0);
    CHECK_INT(number_in(kit_info(&k, "namespace/test"), "objects"), 3);
    CHECK_INT(number_in(kit_info(&k, "namespace/test"), "master_objects"), 3);
    CHECK_INT(
        number_in(kit_info(&k, "namespace/test"), "client_write_success"), 3);
    CHECK_INT(number_in(kit_info(&k, "namespace/bar"), "objects"), 0);
    CHECK_INT(number_in(kit_info(&k, "sets/test/s"), "objects"), 2);
    CHECK_INT(number_in(kit_info(&k, "statistics"), "objects"), 3);
    CHECK_INT(number_in(kit_info(&k, "statistics"), "cluster_size"), 1);
    kit_close(&k);
}

TEST(configurations_are_changed_and_told)
{
    kit k;

    REQUIRE(kit_open(&k));
    CHECK_TEXT(kit_info(&k, "set-config:context=namespace;id=test;"
                            "default-ttl=2h"),
               "ok");
    CHECK_INT(number_in(kit_info(&k, "get-config:context=namespace;id=test"),
                        "default-ttl"),
              7200);
    CHECK_INT(number_in(kit_info(&k, "get-config:context=namespace;id=bar"),
                        "default-ttl"),
              0);
    CHECK_TEXT(kit_info(&k, "set-config:context=service;"
                            "batch-max-requests=7"),
               "ok");
    CHECK_INT(number_in(kit_info(&k, "get-config:context=service"),
                        "batch-max-requests"),
              7);
    CHECK_TEXT(kit_info(&k, "set-config:context=service;"
                            "batch-max-requests=-1"),
               "ok");
    CHECK_INT(number_in(kit_info(&k, "get-config:context=service"),
                        "batch-max-requests"),
              UINT32_MAX);
    kit_close(&k);
}

TEST(truncating_drops_what_is_old_enough)
{
    kit k;
    char line[128];

    REQUIRE(kit_open(&k));
    kit_put(&k, "s", 1, 1, 0);
    kit_put(&k, "t", 1, 1, 0);
    snprintf(line, sizeof line, "truncate:namespace=test;set=s;lut=%llu",
             (unsigned long long)(srv_clock_ns(&k.core.clock) -
                                  UINT64_C(60000000000)));
    CHECK_TEXT(kit_info(&k, line), "ok");
    CHECK_INT(k.core.ns[0]->objects, 2);
    k.core.clock.ahead_ms += 10;
    CHECK_TEXT(kit_info(&k, "truncate:namespace=test;set=s"), "ok");
    CHECK_INT(k.core.ns[0]->objects, 1);
    CHECK_TEXT(kit_info(&k, "truncate-namespace:namespace=test"), "ok");
    CHECK_INT(k.core.ns[0]->objects, 0);
    kit_close(&k);
}

TEST(the_edition_decides_what_is_refused)
{
    static const char *const namespaces[] = {"test"};
    static const int racks[] = {3, 4};
    aero_server_config config = {0};
    kit k;

    config.namespaces = namespaces;
    config.n_namespaces = 1;
    config.enterprise = true;
    config.nodes = 2;
    config.racks = racks;
    REQUIRE(kit_open_with(&k, &config));
    CHECK_TEXT(kit_info(&k, "edition"), "Aerospike Enterprise Edition");
    CHECK_TEXT(kit_info(&k, "rack-ids"), "test:3");
    CHECK_TEXT(kit_info(&k, "racks:"),
               "ns=test:rack_3=BB9000000000001:rack_4=BB9000000000002");
    kit_close(&k);
}

TEST(a_client_may_name_itself)
{
    kit k;
    char line[256];

    REQUIRE(kit_open(&k));
    CHECK_TEXT(kit_info(&k, "user-agent-set:value=MSxhLGI="), "ok");
    CHECK_TEXT(k.agent, "MSxhLGI=");
    CHECK_TEXT(kit_info(&k, "user-agent-set:value=MSxhLGI="),
               "ERROR:4:already set");
    k.agent[0] = '\0';
    memset(line, 'x', sizeof line);
    memcpy(line, "user-agent-set:value=", 21);
    line[21 + 84] = '\0';
    CHECK_TEXT(kit_info(&k, line), "ok");
    k.agent[0] = '\0';
    line[21 + 84] = 'x';
    line[21 + 88] = '\0';
    CHECK(strncmp(kit_info(&k, line), "ERROR:4:", 8) == 0);
    kit_close(&k);
}

TEST(info_survives_any_bytes)
{
    kit k;
    uint64_t seed = 42;
    char line[128];

    REQUIRE(kit_open(&k));
    for (unsigned i = 0; i < 20000; i++) {
        const char *name =
            names[test_random(&seed) % (sizeof names / sizeof names[0])];
        size_t len = strlen(name);
        size_t more = test_random(&seed) % 60;

        memcpy(line, name, len);
        for (size_t c = len; c < len + more; c++) {
            line[c] = ":/;=,.testidsn\n\tx0"[test_random(&seed) % 18];
        }
        line[len + more] = '\0';
        if (test_random(&seed) % 4 == 0) {
            line[test_random(&seed) % (len + more)] ^= 1;
        }
        if (strstr(line, "local") == NULL) {
            kit_info(&k, line);
        }
    }
    kit_close(&k);
}

/* The server as a whole: starting, stopping, nodes, control from anywhere.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "dial.h"

static aero_server *
start(const aero_server_config *config)
{
    aero_status st;
    aero_server *server;

    aero_status_clear(&st);
    server = aero_server_start(config, &st);
    if (server == NULL) {
        test_failed(__FILE__, __LINE__, "%s", st.text);
    }
    return server;
}

static aero_server *
start_nodes(unsigned nodes)
{
    aero_server_config config = {.nodes = nodes, .control = true};

    return start(&config);
}

/* What a line of control answers; an error begins with "!". */
static const char *
control(aero_server *server, const char *line)
{
    static char text[2048];
    aero_buf reply = {0};
    aero_status st;

    aero_status_clear(&st);
    if (aero_server_control(server, line, &reply, &st) == AERO_OK) {
        snprintf(text, sizeof text, "%.*s", (int)reply.len,
                 reply.len != 0 ? (char *)reply.ptr : "");
    }
    else {
        snprintf(text, sizeof text, "!%s", st.text);
    }
    aero_buf_fini(&reply);
    return text;
}

TEST(a_server_starts_and_stops)
{
    for (unsigned nodes = 0; nodes <= AERO_SERVER_NODES_MAX; nodes++) {
        aero_server *server = start_nodes(nodes);
        unsigned count = nodes == 0 ? 1 : nodes;

        REQUIRE(server != NULL);
        CHECK_INT(aero_server_nodes(server), count);
        for (unsigned i = 0; i < count; i++) {
            CHECK(aero_server_port(server, i) != 0);
            CHECK_INT(aero_server_tls_port(server, i), 0);
        }
        CHECK_INT(aero_server_port(server, count), 0);
        aero_server_stop(server);
    }
    aero_server_stop(NULL);
}

TEST(what_cannot_be_is_said_at_the_start)
{
    static const char *const twice[] = {"test", "test"};
    static const char *const empty[] = {""};
    static const struct {
        aero_server_config config;
        const char *text;
    } rows[] = {
        {{.nodes = 9}, "more than 8 nodes"},
        {{.namespaces = twice, .n_namespaces = 2}, "named twice"},
        {{.namespaces = empty, .n_namespaces = 1}, "not 1 to 31 bytes"},
        {{.security = true}, "enterprise"},
        {{.host = "no.such.host"}, "no.such.host"},
        {{.enterprise = true, .tls_certfile = "/no/such/file"}, "/no/such"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_status st;
        aero_server *server;

        aero_status_clear(&st);
        server = aero_server_start(&rows[i].config, &st);
        CHECK(server == NULL);
        if (strstr(st.text, rows[i].text) == NULL) {
            test_failed(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", st.text,
                        rows[i].text);
        }
        aero_server_stop(server);
    }
}

TEST(a_port_that_is_taken_is_named)
{
    aero_server *first = start_nodes(1);
    aero_server_config config = {0};
    aero_status st;
    char port[16];

    REQUIRE(first != NULL);
    config.port = aero_server_port(first, 0);
    snprintf(port, sizeof port, "%u", config.port);
    aero_status_clear(&st);
    CHECK(aero_server_start(&config, &st) == NULL);
    CHECK(strstr(st.text, port) != NULL);
    aero_server_stop(first);
}

TEST(a_server_is_not_started_without_memory)
{
    aero_server_config config = {.nodes = 2};

    WITH_EACH_ALLOC_FAILING({
        aero_status st;

        aero_status_clear(&st);
        aero_server_stop(aero_server_start(&config, &st));
    });
}

/* ---- nodes ---- */

TEST(a_node_that_is_down_refuses_and_comes_back_on_its_port)
{
    aero_server *server = start_nodes(2);
    uint16_t port;
    int fd;

    REQUIRE(server != NULL);
    port = aero_server_port(server, 1);
    fd = dial(port);
    CHECK_INT(dial_command(fd, 1, true), AERO_ERR_OK);
    CHECK_TEXT(control(server, "down node=1"), "");
    CHECK(dial_is_closed(fd));
    close(fd);
    CHECK_INT(dial(port), -1);
    CHECK_TEXT(control(server, "down node=1"), "!node 1 is down already");
    CHECK_TEXT(control(server, "down node=0"),
               "!node 0 is the last that is up");
    CHECK_TEXT(control(server, "up node=1"), "");
    CHECK_TEXT(control(server, "up node=1"), "!node 1 is up already");
    fd = dial(port);
    CHECK_INT(dial_command(fd, 1, false), AERO_ERR_OK);
    CHECK_TEXT(control(server, "restart node=1"), "");
    CHECK(dial_is_closed(fd));
    close(fd);
    aero_server_stop(server);
}

TEST(refused_connections_are_closed_at_once)
{
    aero_server *server = start_nodes(1);
    int fd;

    REQUIRE(server != NULL);
    control(server, "fault kind=refuse times=1");
    fd = dial(aero_server_port(server, 0));
    CHECK(dial_is_closed(fd));
    close(fd);
    fd = dial(aero_server_port(server, 0));
    CHECK_INT(dial_command(fd, 1, true), AERO_ERR_OK);
    close(fd);
    aero_server_stop(server);
}

/* ---- control ---- */

TEST(control_says_what_it_does_not_understand)
{
    static const char *const rows[][2] = {
        {"", "!there is no verb"},
        {"dance", "!unknown verb 'dance'"},
        {"down", "!node= is missing"},
        {"down node=7", "!bad node=7"},
        {"advance", "!seconds= is missing"},
        {"advance seconds=-1", "!bad seconds=-1"},
        {"flush ns=nope", "!there is no namespace nope"},
        {"fault", "!a fault needs kind="},
        {"clear id=77", "cleared=0"},
        {"faults", ""},
    };
    aero_server *server = start_nodes(1);

    REQUIRE(server != NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_TEXT(control(server, rows[i][0]), rows[i][1]);
    }
    aero_server_stop(server);
}

TEST(time_passes_and_data_goes_on_request)
{
    aero_server_config config = {.default_ttl = 100, .control = true};
    aero_server *server = start(&config);
    int fd;

    REQUIRE(server != NULL);
    fd = dial(aero_server_port(server, 0));
    CHECK_INT(dial_command(fd, 1, true), AERO_ERR_OK);
    CHECK_INT(dial_command(fd, 1, false), AERO_ERR_OK);
    CHECK_TEXT(control(server, "advance seconds=102"), "");
    CHECK_INT(dial_command(fd, 1, false), AERO_ERR_RECORD_NOT_FOUND);
    CHECK_INT(dial_command(fd, 1, true), AERO_ERR_OK);
    CHECK_TEXT(control(server, "flush ns=test set=other"), "");
    CHECK_INT(dial_command(fd, 1, false), AERO_ERR_OK);
    CHECK_TEXT(control(server, "flush"), "");
    CHECK_INT(dial_command(fd, 1, false), AERO_ERR_RECORD_NOT_FOUND);
    CHECK_TEXT(control(server, "counts"),
               "read=4 write=2 batch=0 query=0 info=0 admin=0 connections=1");
    close(fd);
    aero_server_stop(server);
}

TEST(control_is_reached_from_the_wire_only_when_it_is_on)
{
    for (unsigned on = 0; on < 2; on++) {
        aero_server_config config = {.control = on != 0};
        aero_server *server = start(&config);
        aero_buf buf = {0};
        int fd;

        REQUIRE(server != NULL);
        fd = dial(aero_server_port(server, 0));
        CHECK(dial_info(fd, "local:fault;kind=delay;ms=1", &buf));
        CHECK_TEXT((char *)buf.ptr, on ? "local:fault;kind=delay;ms=1\tid=1\n"
                                       : "local:fault;kind=delay;ms=1\t"
                                         "ERROR:4:unrecognized command\n");
        CHECK(dial_info(fd, "local:dance", &buf));
        CHECK_TEXT((char *)buf.ptr,
                   on ? "local:dance\tERROR:4:unknown verb 'dance'\n"
                      : "local:dance\tERROR:4:unrecognized command\n");
        CHECK_TEXT(control(server, "counts node=0"),
                   "read=0 write=0 batch=0 query=0 info=2 admin=0 "
                   "connections=1");
        close(fd);
        aero_buf_fini(&buf);
        aero_server_stop(server);
    }
}

/* ---- many threads ---- */

typedef struct worker {
    aero_server *server;
    unsigned index;
    unsigned failures;
} worker;

static void *
control_often(void *arg)
{
    worker *w = arg;

    for (unsigned i = 0; i < 200; i++) {
        aero_buf reply = {0};
        aero_status st;
        const char *line = i % 3 == 0   ? "fault kind=delay class=admin"
                           : i % 3 == 1 ? "faults"
                                        : "counts";

        aero_status_clear(&st);
        w->failures +=
            aero_server_control(w->server, line, &reply, &st) != AERO_OK ||
            reply.len == 0;
        aero_buf_fini(&reply);
    }
    return NULL;
}

static void *
command_often(void *arg)
{
    worker *w = arg;
    int fd = dial(aero_server_port(w->server, w->index % 2));

    for (int i = 0; i < 200; i++) {
        w->failures += dial_command(fd, i, true) != AERO_ERR_OK;
        w->failures += dial_command(fd, i, false) != AERO_ERR_OK;
    }
    close(fd);
    return NULL;
}

TEST(threads_control_and_command_at_the_same_time)
{
    enum {
        WORKERS = 6
    };
    aero_server *server = start_nodes(2);
    pthread_t threads[WORKERS];
    worker workers[WORKERS];

    REQUIRE(server != NULL);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (worker){server, i, 0};
        CHECK_INT(pthread_create(&threads[i], NULL,
                                 i % 2 == 0 ? control_often : command_often,
                                 &workers[i]),
                  0);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(workers[i].failures, 0);
    }
    aero_server_stop(server);
}

TEST(a_server_stops_among_open_connections)
{
    enum {
        COUNT = 20
    };
    aero_server *server = start_nodes(3);
    aero_buf buf = {0};
    int fds[COUNT];

    REQUIRE(server != NULL);
    control(server, "fault kind=delay ms=10000 class=read");
    dial_put_command(&buf, 1, false);
    for (unsigned i = 0; i < COUNT; i++) {
        fds[i] = dial(aero_server_port(server, i % 3));
        CHECK(dial_send(fds[i], aero_span_of(buf.ptr, buf.len - i % 2)));
    }
    aero_server_stop(server);
    for (unsigned i = 0; i < COUNT; i++) {
        CHECK(dial_is_closed(fds[i]));
        close(fds[i]);
    }
    aero_buf_fini(&buf);
}

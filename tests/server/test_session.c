/* Connections of a running server: order, cuts, refusals, back-pressure.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "dial.h"

static aero_server *
start(bool enterprise)
{
    aero_server_config config = {0};
    aero_status st;

    config.enterprise = enterprise;
    config.control = true;
    aero_status_clear(&st);
    return aero_server_start(&config, &st);
}

static void
control(aero_server *server, const char *line)
{
    aero_buf reply = {0};
    aero_status st;

    aero_status_clear(&st);
    if (aero_server_control(server, line, &reply, &st) != AERO_OK) {
        test_failed(__FILE__, __LINE__, "%s: %s", line, st.text);
    }
    aero_buf_fini(&reply);
}

/* Wait until all connections but `most` are gone. */
static bool
connections_fall_to(aero_server *server, const char *most)
{
    const struct timespec moment = {.tv_nsec = 2000000};
    aero_buf reply = {0};
    bool done = false;

    for (unsigned i = 0; i < 1000 && !done; i++) {
        const char *at;

        aero_server_control(server, "counts", &reply, NULL);
        aero_buf_put_u8(&reply, 0);
        at = strstr((char *)reply.ptr, "connections=");
        done = at != NULL && strcmp(at + 12, most) == 0;
        if (!done) {
            nanosleep(&moment, NULL);
        }
    }
    aero_buf_fini(&reply);
    return done;
}

TEST(a_thousand_requests_at_once_are_answered_in_order)
{
    enum {
        COUNT = 1000
    };
    aero_server *server = start(false);
    aero_buf buf = {0};
    int fd;

    REQUIRE(server != NULL);
    fd = dial(aero_server_port(server, 0));
    for (int i = 0; i < COUNT; i++) {
        dial_put_command(&buf, i, true);
        dial_put_command(&buf, i, false);
        dial_put_info(&buf, "build");
    }
    CHECK(dial_send(fd, aero_buf_span(&buf)));
    for (int i = 0; i < COUNT; i++) {
        REQUIRE(dial_frame(fd, &buf));
        CHECK_INT(buf.len, AERO_MSG_HEAD);
        REQUIRE(dial_frame(fd, &buf));
        CHECK_INT(aero_get_u64(buf.ptr + buf.len - 8), i);
        REQUIRE(dial_frame(fd, &buf));
        CHECK(memcmp(buf.ptr, "build", 5) == 0);
    }
    close(fd);
    aero_buf_fini(&buf);
    aero_server_stop(server);
}

TEST(a_request_may_come_byte_by_byte)
{
    aero_server *server = start(false);
    aero_buf buf = {0};
    int fd;

    REQUIRE(server != NULL);
    fd = dial(aero_server_port(server, 0));
    dial_put_command(&buf, 1, true);
    dial_put_info(&buf, "node");
    for (size_t i = 0; i < buf.len; i++) {
        CHECK(dial_send(fd, aero_span_of(buf.ptr + i, 1)));
    }
    CHECK(dial_frame(fd, &buf));
    CHECK(dial_frame(fd, &buf));
    close(fd);
    aero_buf_fini(&buf);
    aero_server_stop(server);
}

TEST(a_request_cut_at_any_byte_does_nothing)
{
    aero_server *server = start(false);
    aero_buf buf = {0};
    int other;

    REQUIRE(server != NULL);
    dial_put_command(&buf, 1, true);
    for (size_t len = 0; len < buf.len; len++) {
        int fd = dial(aero_server_port(server, 0));

        CHECK(dial_send(fd, aero_span_of(buf.ptr, len)));
        close(fd);
    }
    CHECK(connections_fall_to(server, "0"));
    other = dial(aero_server_port(server, 0));
    CHECK_INT(dial_command(other, 1, false), AERO_ERR_RECORD_NOT_FOUND);
    close(other);
    aero_buf_fini(&buf);
    aero_server_stop(server);
}

TEST(what_is_no_frame_closes_the_connection)
{
    static const char *const heads[] = {
        "01 03 000000000016",                       /* version */
        "02 05 000000000016",                       /* type */
        "02 00 000000000016", "02 03 000008000001", /* too large */
        "02 01 ffffffffffff", "00 03 000000000016", "47 45 54202f20485454",
    };
    aero_server *server = start(false);

    REQUIRE(server != NULL);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        int fd = dial(aero_server_port(server, 0));

        CHECK(dial_send(fd, test_hex(heads[i])));
        CHECK(dial_is_closed(fd));
        close(fd);
    }
    aero_server_stop(server);
}

/* A record of a mebibyte, asked for a thousand times by somebody who does not
 * read: the answers wait in the client's stead, not in the server's memory. */
TEST(who_does_not_read_is_not_read_from)
{
    enum {
        SIZE = 1000 * 1000,
        COUNT = 200
    };
    aero_server *server = start(false);
    aero_buf buf = {0};
    static uint8_t bytes[SIZE];
    unsigned frames = 0;
    int fd;

    REQUIRE(server != NULL);
    fd = dial(aero_server_port(server, 0));
    dial_put(&buf, 0, 0, AERO_PARTICLE_BLOB, aero_span_of(bytes, SIZE));
    CHECK(dial_send(fd, aero_buf_span(&buf)));
    REQUIRE(dial_frame(fd, &buf));
    CHECK_INT(buf.ptr[5], AERO_ERR_OK);
    aero_buf_reset(&buf, SIZE_MAX);
    for (int i = 0; i < COUNT; i++) {
        dial_put_command(&buf, 0, false);
    }
    CHECK(dial_send(fd, aero_buf_span(&buf)));
    { /* others are served meanwhile */
        int other = dial(aero_server_port(server, 0));

        CHECK_INT(dial_command(other, 5, true), AERO_ERR_OK);
        close(other);
    }
    while (frames < COUNT && dial_frame(fd, &buf)) {
        CHECK(buf.len > SIZE);
        frames++;
    }
    CHECK_INT(frames, COUNT);
    close(fd);
    aero_buf_fini(&buf);
    aero_server_stop(server);
}

TEST(a_connection_may_be_abandoned_in_the_middle_of_an_answer)
{
    aero_server *server = start(false);
    aero_buf buf = {0};

    REQUIRE(server != NULL);
    for (int i = 0; i < 20; i++) {
        int fd = dial(aero_server_port(server, 0));
        uint8_t some[10];

        aero_buf_reset(&buf, SIZE_MAX);
        for (int n = 0; n < 2000; n++) {
            dial_put_info(&buf, "statistics");
        }
        CHECK(dial_send(fd, aero_span_of(buf.ptr, 9000)));
        CHECK_INT(dial_recv(fd, some, sizeof some), sizeof some);
        close(fd);
    }
    CHECK(connections_fall_to(server, "0"));
    aero_buf_fini(&buf);
    aero_server_stop(server);
}

/* ---- faults ---- */

TEST(connections_are_dropped_before_and_after_the_work)
{
    static const struct {
        const char *line;
        int after; /* what a get answers then */
    } rows[] = {
        {"fault kind=drop class=write times=1", AERO_ERR_RECORD_NOT_FOUND},
        {"fault kind=drop-after class=write times=1", AERO_ERR_OK},
    };
    aero_server *server = start(false);

    REQUIRE(server != NULL);
    for (int i = 0; i < 2; i++) {
        int fd = dial(aero_server_port(server, 0));

        control(server, rows[i].line);
        CHECK_INT(dial_command(fd, i, true), -1);
        close(fd);
        fd = dial(aero_server_port(server, 0));
        CHECK_INT(dial_command(fd, i, false), rows[i].after);
        CHECK_INT(dial_command(fd, i, true), AERO_ERR_OK);
        close(fd);
    }
    aero_server_stop(server);
}

TEST(answers_are_cut_or_stall_after_so_many_bytes)
{
    aero_server *server = start(false);
    aero_buf buf = {0};
    uint8_t bytes[64];
    struct timeval blink = {.tv_usec = 50000};
    int fd;

    REQUIRE(server != NULL);
    dial_put_command(&buf, 1, true);
    fd = dial(aero_server_port(server, 0));
    control(server, "fault kind=cut bytes=11 times=1");
    CHECK(dial_send(fd, aero_buf_span(&buf)));
    CHECK_INT(dial_recv(fd, bytes, sizeof bytes), 11);
    close(fd);
    fd = dial(aero_server_port(server, 0));
    control(server, "fault kind=stall bytes=5 times=1");
    CHECK(dial_send(fd, aero_buf_span(&buf)));
    CHECK_INT(dial_recv(fd, bytes, 5), 5);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &blink, sizeof blink);
    CHECK(recv(fd, bytes, 1, 0) == -1); /* silent, not closed */
    CHECK(dial_send(fd, aero_buf_span(&buf)));
    CHECK(recv(fd, bytes, 1, 0) == -1);
    close(fd);
    CHECK(connections_fall_to(server, "0"));
    aero_buf_fini(&buf);
    aero_server_stop(server);
}

TEST(answers_are_delayed_replaced_or_spoiled)
{
    aero_server *server = start(false);
    aero_buf buf = {0};
    struct timespec before;
    struct timespec after;
    int fd;

    REQUIRE(server != NULL);
    fd = dial(aero_server_port(server, 0));
    control(server, "fault kind=delay ms=60 times=1");
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK_INT(dial_command(fd, 1, true), AERO_ERR_OK);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK((after.tv_sec - before.tv_sec) * 1000 +
              (after.tv_nsec - before.tv_nsec) / 1000000 >=
          59);
    control(server, "fault kind=code code=18 ns=test times=1");
    CHECK_INT(dial_command(fd, 2, true), AERO_ERR_DEVICE_OVERLOAD);
    CHECK_INT(dial_command(fd, 2, false), AERO_ERR_RECORD_NOT_FOUND);
    control(server, "fault kind=code code=4 class=info times=1");
    CHECK(dial_info(fd, "node", &buf));
    CHECK(strcmp((char *)buf.ptr, "ERROR:4:fault\n") == 0);
    control(server, "fault kind=garbage bytes=30 times=1");
    aero_buf_reset(&buf, SIZE_MAX);
    dial_put_command(&buf, 1, false);
    CHECK(dial_send(fd, aero_buf_span(&buf)));
    CHECK(!dial_frame(fd, &buf));
    close(fd);
    aero_buf_fini(&buf);
    aero_server_stop(server);
}

TEST(a_query_is_cut_within_its_pieces)
{
    aero_server *server = start(false);
    aero_buf buf = {0};
    uint8_t pids[2 * AERO_PARTITIONS];
    static uint8_t bytes[1 << 20];
    int fd;

    REQUIRE(server != NULL);
    fd = dial(aero_server_port(server, 0));
    for (int i = 0; i < 5000; i++) {
        dial_command(fd, i, true);
    }
    for (unsigned i = 0; i < AERO_PARTITIONS; i++) {
        pids[2 * i] = (uint8_t)i;
        pids[2 * i + 1] = (uint8_t)(i >> 8);
    }
    control(server, "fault kind=cut bytes=200000 class=query times=1");
    {
        aero_msg msg = {.info1 = AERO_INFO1_READ,
                        .info3 = AERO_INFO3_PARTITION_DONE};
        size_t mark = aero_frame_open(&buf, AERO_FRAME_MESSAGE);
        size_t at = aero_msg_put(&buf, &msg);

        aero_field_put(&buf, AERO_FIELD_NAMESPACE, aero_span_str("test"));
        aero_field_put(&buf, AERO_FIELD_PARTITIONS,
                       aero_span_of(pids, sizeof pids));
        aero_msg_patch_counts(&buf, at, 2, 0);
        aero_frame_close(&buf, mark);
    }
    CHECK(dial_send(fd, aero_buf_span(&buf)));
    CHECK_INT(dial_recv(fd, bytes, sizeof bytes), 200000);
    close(fd);
    aero_buf_fini(&buf);
    aero_server_stop(server);
}

/* ---- compressed frames ---- */

TEST(the_enterprise_edition_compresses)
{
    static const uint8_t zeros[5000];
    aero_server *server = start(true);
    aero_buf buf = {0};
    aero_buf inner = {0};
    uint8_t head[AERO_FRAME_HEAD];
    aero_frame frame;
    int fd;

    REQUIRE(server != NULL);
    fd = dial(aero_server_port(server, 0));
    dial_put(&buf, 0, 0, AERO_PARTICLE_BLOB,
             aero_span_of(zeros, sizeof zeros));
    aero_frame_deflate(&buf, 0);
    CHECK_INT(buf.ptr[1], AERO_FRAME_COMPRESSED);
    CHECK(dial_send(fd, aero_buf_span(&buf)));
    CHECK(dial_frame(fd, &buf));
    CHECK_INT(buf.ptr[5], AERO_ERR_OK);
    aero_buf_reset(&buf, SIZE_MAX);
    dial_put(&buf, 0,
             AERO_INFO1_READ | AERO_INFO1_GET_ALL |
                 AERO_INFO1_COMPRESS_RESPONSE,
             0, aero_span_of(NULL, 0));
    CHECK(dial_send(fd, aero_buf_span(&buf)));
    CHECK_INT(dial_recv(fd, head, sizeof head), sizeof head);
    REQUIRE(aero_frame_peek(aero_span_of(head, sizeof head), &frame, NULL) ==
            AERO_OK);
    CHECK_INT(frame.type, AERO_FRAME_COMPRESSED);
    aero_buf_reset(&buf, SIZE_MAX);
    REQUIRE(aero_buf_reserve(&buf, frame.size));
    buf.len = dial_recv(fd, buf.ptr, frame.size);
    CHECK(aero_frame_inflate(aero_buf_span(&buf), &inner, NULL) == AERO_OK);
    CHECK(inner.len > sizeof zeros);
    close(fd);
    aero_buf_fini(&inner);
    aero_buf_fini(&buf);
    aero_server_stop(server);
}

TEST(the_community_edition_refuses_compressed_requests)
{
    aero_server *server = start(false);
    aero_buf buf = {0};
    int fd;

    REQUIRE(server != NULL);
    fd = dial(aero_server_port(server, 0));
    CHECK(dial_send(fd, test_hex("0204000000000010 0000000000000020"
                                 "789c030000000001")));
    CHECK(dial_frame(fd, &buf));
    CHECK_INT(buf.ptr[5], AERO_ERR_ENTERPRISE_ONLY);
    CHECK_INT(dial_command(fd, 1, true), AERO_ERR_OK);
    close(fd);
    aero_buf_fini(&buf);
    aero_server_stop(server);
}

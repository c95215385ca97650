/* Info texts: lines, errors, addresses in every form, lists of peers, maps.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/base/b64.h"
#include "aero/wire/frame.h"
#include "aero/wire/info.h"
#include "captures.h"
#include "hostile.h"

#define CHECK_SPAN(got, want) CHECK_BYTES(got, aero_span_str(want))

TEST(request_is_put_as_the_official_client_puts_it)
{
    aero_span commands[] = {aero_span_str("node"),
                            aero_span_str("partition-generation"),
                            aero_span_str("build")};
    aero_buf out = AERO_BUF_INIT;
    aero_span body;
    aero_span command;

    aero_info_put_request(&out, commands, 3);
    CHECK_BYTES(aero_buf_span(&out), captures_find("tend", false)->frame);
    body = captures_find("tend", false)->body;
    for (int i = 0; i < 3; i++) {
        CHECK(aero_info_take_command(&body, &command));
        CHECK_BYTES(command, commands[i]);
    }
    CHECK(!aero_info_take_command(&body, &command));
    aero_buf_fini(&out);
}

TEST(reply_of_a_real_server_is_found_by_command)
{
    aero_span body = captures_find("tend", true)->body;
    aero_buf again = AERO_BUF_INIT;
    aero_span command;
    aero_span value;

    CHECK(aero_info_find(body, "build", &value));
    CHECK_SPAN(value, "8.1.2.0");
    CHECK(aero_info_find(body, "node", &value) && value.len != 0);
    CHECK(!aero_info_find(body, "nod", &value));
    CHECK(!aero_info_find(body, "peers-generation", &value));
    while (aero_info_take_line(&body, &command, &value, NULL) == AERO_OK) {
        aero_info_put_line(&again, command, value);
    }
    CHECK_BYTES(aero_buf_span(&again), captures_find("tend", true)->body);
    aero_buf_fini(&again);
}

TEST(command_without_its_newline_is_none)
{
    aero_span body = aero_span_str("a\n\nb");
    aero_span command;

    CHECK(aero_info_take_command(&body, &command));
    CHECK_SPAN(command, "a");
    CHECK(aero_info_take_command(&body, &command));
    CHECK_INT(command.len, 0);
    CHECK(!aero_info_take_command(&body, &command));
}

TEST(body_that_is_one_error_has_no_command)
{
    aero_span body = aero_span_str("ERROR:80:not authenticated\n");
    aero_span command;
    aero_span value;
    aero_span text;
    int code = 0;

    CHECK(aero_info_take_line(&body, &command, &value, NULL) == AERO_OK);
    CHECK_INT(command.len, 0);
    CHECK(aero_info_error(value, &code, &text));
    CHECK_INT(code, 80);
    CHECK_SPAN(text, "not authenticated");
    CHECK(aero_info_take_line(&body, &command, &value, NULL) == AERO_MORE);
    body = aero_span_str("hello\n");
    CHECK(aero_info_take_line(&body, &command, &value, NULL) == AERO_ERROR);
}

TEST(errors_are_known_in_every_form)
{
    static const struct {
        const char *value;
        int code; /* 0: no error */
        const char *text;
    } rows[] = {
        {"ERROR:4:unrecognized command", 4, "unrecognized command"},
        {"error:201:no index", 201, "no index"},
        {"ERROR::something", 1, "something"},
        {"FAIL:200:exists", 200, "exists"},
        {"FAIL:it failed", 1, "it failed"},
        {"fail", 1, ""},
        {"ERROR", 1, ""},
        {"ERROR:", 1, ""},
        {"ERROR:0:zero", 1, "0:zero"},
        {"ERROR:-3:minus", 1, "-3:minus"},
        {"ERROR:4", 4, ""},
        {"ERRORS=0", 0, ""},
        {"failures=2", 0, ""},
        {"ok", 0, ""},
        {"", 0, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_span text = aero_span_str("");
        int code = 0;

        CHECK(aero_info_error(aero_span_str(rows[i].value), &code, &text) ==
              (rows[i].code != 0));
        if (code != rows[i].code || !aero_span_is(text, rows[i].text)) {
            test_failed(__FILE__, __LINE__, "'%s' is %d '%.*s'", rows[i].value,
                        code, (int)text.len, text.ptr);
        }
    }
}

TEST(numbers_fill_their_span_and_fit)
{
    static const char *const bad[] = {
        "", "-", "+1", " 1", "1 ", "1x", "--1", "1234567890123456789"};
    int64_t n = 0;

    CHECK(aero_info_number(aero_span_str("0"), &n) && n == 0);
    CHECK(aero_info_number(aero_span_str("-1"), &n) && n == -1);
    CHECK(aero_info_number(aero_span_str("123456789012345678"), &n));
    CHECK_INT(n, 123456789012345678);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!aero_info_number(aero_span_str(bad[i]), &n));
    }
}

TEST(pairs_are_found_by_their_whole_key)
{
    aero_span text = aero_span_str("xns=no;ns=test;set=;ns=second;last");
    aero_span value;

    CHECK(aero_info_pair(text, ';', "ns", &value));
    CHECK_SPAN(value, "test");
    CHECK(aero_info_pair(text, ';', "set", &value) && value.len == 0);
    CHECK(aero_info_pair(text, ';', "last", &value) && value.len == 0);
    CHECK(!aero_info_pair(text, ';', "s", &value));
}

TEST(addresses_are_read_in_every_form)
{
    static const struct {
        const char *text;
        const char *host; /* NULL: nonsense */
        int port;
    } rows[] = {
        {"10.0.0.1:3100", "10.0.0.1", 3100},
        {"10.0.0.1", "10.0.0.1", 3000},
        {"db.example:4333", "db.example", 4333},
        {"[::1]:3100", "::1", 3100},
        {"[2001:db8::7]", "2001:db8::7", 3000},
        {"10.0.0.1:", "10.0.0.1", 3000},
        {"h:65535", "h", 65535},
        {"", NULL, 0},
        {":3000", NULL, 0},
        {"h:0", NULL, 0},
        {"h:65536", NULL, 0},
        {"h:-1", NULL, 0},
        {"h:3000x", NULL, 0},
        {"[::1", NULL, 0},
        {"[::1]3000", NULL, 0},
        {"[]:3000", NULL, 0},
        {"[", NULL, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_span host;
        uint16_t port = 3000;
        bool fine =
            aero_info_address(aero_span_str(rows[i].text), &host, &port);

        if (fine != (rows[i].host != NULL) ||
            (fine &&
             (!aero_span_is(host, rows[i].host) || port != rows[i].port))) {
            test_failed(__FILE__, __LINE__, "'%s' is misread", rows[i].text);
        }
    }
}

/* ---- peers ---- */

/* The whole list as one text. */
static aero_rc
tell_peers(const char *value, char *out, size_t cap)
{
    aero_peers peers;
    aero_peer peer;
    aero_rc rc = aero_peers_open(aero_span_str(value), &peers, NULL);
    size_t n = 0;

    out[0] = '\0';
    if (rc != AERO_OK) {
        return rc;
    }
    n += (size_t)snprintf(out, cap, "%d", (int)peers.generation);
    while ((rc = aero_peers_take(&peers, &peer, NULL)) == AERO_OK) {
        aero_span host;
        uint16_t port;

        n += (size_t)snprintf(out + n, cap - n, " %.*s(%.*s)",
                              (int)peer.node.len, peer.node.ptr,
                              (int)peer.tls_name.len, peer.tls_name.ptr);
        while (aero_peer_take_host(&peer, peers.port, &host, &port)) {
            n += (size_t)snprintf(out + n, cap - n, " %.*s/%u", (int)host.len,
                                  host.ptr, port);
        }
    }
    return rc;
}

TEST(peers_are_read_with_every_form_of_address)
{
    static const struct {
        const char *value;
        const char *want;
    } rows[] = {
        {"0,3000,[]", "0"},
        {"7,3000,[[BB9,,[10.0.0.1]]]", "7 BB9() 10.0.0.1/3000"},
        {"7,3000,[[BB9,,[10.0.0.1:3100,[::1]:3200,[2001:db8::1]]]]",
         "7 BB9() 10.0.0.1/3100 ::1/3200 2001:db8::1/3000"},
        {"7,,[[A,tls.example,[h:1]],[B,,[h:2]]]", "7 A(tls.example) h/1 B() "
                                                  "h/2"},
        {"7,4333,[[A,,[]],[B,,[h]]]", "7 A() B() h/4333"},
        {"-1,3000,[]", "-1"},
    };
    char got[512];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(tell_peers(rows[i].value, got, sizeof got) == AERO_MORE);
        if (strcmp(got, rows[i].want) != 0) {
            test_failed(__FILE__, __LINE__, "%s is told as %s", rows[i].value,
                        got);
        }
    }
}

TEST(malformed_peers_are_refused)
{
    static const char *const bad[] = {
        "",
        "0",
        "0,3000",
        "0,3000,",
        "0,3000,[",
        "0,3000,]",
        "x,3000,[]",
        "0,70000,[]",
        "0,3000,[A]",
        "0,3000,[[,,[h]]]",
        "0,3000,[[A,,h]]",
        "0,3000,[[A,,[h]",
        "0,3000,[[ABCDEFGHIJKLMNOPQRSTU,,[h]]]",
        "0,3000,[[A,,[h]]x]",
    };
    char got[512];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (tell_peers(bad[i], got, sizeof got) != AERO_ERROR) {
            test_failed(__FILE__, __LINE__, "'%s' is taken", bad[i]);
        }
    }
}

/* ---- partition maps ---- */

TEST(map_of_a_real_server_gives_it_every_partition)
{
    const captures *all = captures_read();
    static aero_replicas claim;
    aero_span value;
    unsigned namespaces = 0;

    for (size_t i = 0; i < all->count; i++) {
        aero_span body = all->at[i].body;

        if (!all->at[i].is_reply || all->at[i].frame.ptr[1] != 1 ||
            !aero_info_find(body, "replicas", &value)) {
            continue;
        }
        while (aero_replicas_take(&value, &claim, NULL) == AERO_OK) {
            namespaces++;
            CHECK_INT(claim.regime, 0);
            CHECK_INT(claim.count, 1);
            for (uint32_t p = 0; p < AERO_PARTITIONS; p++) {
                CHECK(aero_bitmap_has(claim.bits[0], p));
            }
        }
    }
    CHECK(namespaces >= 2);
}

/* "ns:regime,count,bitmaps" with partition `p` alone in each bitmap. */
static void
put_map(aero_buf *out, const char *head, int bitmaps, uint32_t p)
{
    uint8_t bits[AERO_BITMAP_SIZE] = {0};

    aero_bitmap_add(bits, p);
    aero_buf_put_str(out, head);
    for (int i = 0; i < bitmaps; i++) {
        aero_buf_put_u8(out, ',');
        aero_b64_put(out, aero_span_of(bits, sizeof bits));
    }
    aero_buf_put_u8(out, ';');
}

TEST(map_is_read_namespace_by_namespace)
{
    aero_buf out = AERO_BUF_INIT;
    static aero_replicas claim;
    aero_span value;

    put_map(&out, "test:7,2", 2, 4095);
    put_map(&out, "bar:0,5", 5, 9);
    put_map(&out, "new:0,2", 0, 0);
    out.len--; /* the last ';' */
    value = aero_buf_span(&out);
    REQUIRE(aero_replicas_take(&value, &claim, NULL) == AERO_OK);
    CHECK_SPAN(claim.ns, "test");
    CHECK_INT(claim.regime, 7);
    CHECK_INT(claim.count, 2);
    CHECK(aero_bitmap_has(claim.bits[1], 4095));
    CHECK(!aero_bitmap_has(claim.bits[1], 4094));
    REQUIRE(aero_replicas_take(&value, &claim, NULL) == AERO_OK);
    CHECK_INT(claim.count, AERO_REPLICAS_MAX); /* further ones are not read */
    REQUIRE(aero_replicas_take(&value, &claim, NULL) == AERO_OK);
    CHECK_INT(claim.count, 0);
    CHECK(aero_replicas_take(&value, &claim, NULL) == AERO_MORE);
    aero_buf_fini(&out);
}

TEST(malformed_maps_are_refused)
{
    static const char *const bad[] = {
        ":0,1,AAAA",
        "test:x,1,AAAA",
        "test:0,x,AAAA",
        "test:0,1,AAAA",
        "test:0,1,*",
        "test:-1,1,A",
        "test:0,-1,AAAA",
        "test:0,256,AAAA",
        "test:",
        "test:0",
        "test:99999999999,1",
        "namespace-of-thirty-two-letters.:0,1,AAAA"};
    static aero_replicas claim;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        aero_span value = aero_span_str(bad[i]);

        if (aero_replicas_take(&value, &claim, NULL) != AERO_ERROR) {
            test_failed(__FILE__, __LINE__, "'%s' is taken", bad[i]);
        }
    }
}

static void
read_any(void *ctx, aero_span text)
{
    static aero_replicas claim;
    aero_span rest = text;
    aero_span command;
    aero_span value;
    aero_span host;
    aero_peers peers;
    aero_peer peer;
    uint16_t port = 1;

    (void)ctx;
    while (aero_info_take_line(&rest, &command, &value, NULL) == AERO_OK) {
        while (aero_replicas_take(&value, &claim, NULL) == AERO_OK) {
        }
    }
    if (aero_peers_open(text, &peers, NULL) == AERO_OK) {
        while (aero_peers_take(&peers, &peer, NULL) == AERO_OK) {
            while (aero_peer_take_host(&peer, 1, &host, &port)) {
            }
        }
    }
}

TEST(info_cut_and_changed_is_read_or_refused)
{
    static const char peers[] =
        "12,3000,[[BB9,,[10.0.0.1:3000,[2001:db8::1]:3100]],[BB8,t,[h]]]";
    const captures *all = captures_read();

    hostile_cut(aero_span_str(peers), read_any, NULL);
    hostile_mutate(aero_span_str(peers), 20000, read_any, NULL);
    for (size_t i = 0; i < all->count; i++) {
        if (all->at[i].frame.ptr[1] == AERO_FRAME_INFO) {
            hostile_cut(all->at[i].body, read_any, NULL);
            hostile_mutate(all->at[i].body, 300, read_any, NULL);
        }
    }
}

TEST(map_survives_each_failing_allocation)
{
    aero_buf out = AERO_BUF_INIT;
    static aero_replicas claim;

    put_map(&out, "test:7,2", 2, 4095);
    WITH_EACH_ALLOC_FAILING({
        aero_span value = aero_buf_span(&out);

        CHECK(aero_replicas_take(&value, &claim, NULL) == AERO_OK ||
              test_alloc_failed());
    });
    aero_buf_fini(&out);
}

/* Addresses, as they are parsed, compared and written.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>

#include "aero/net/addr.h"
#include "test.h"

TEST(literal_addresses_are_parsed_and_written)
{
    static const char *const rows[][3] = {
        {"10.0.0.1", "10.0.0.1:3000", "10.0.0.1"},
        {"::1", "[::1]:3000", "::1"},
        {"2001:DB8::7", "[2001:db8::7]:3000", "2001:db8::7"},
        {"::ffff:1.2.3.4", "[::ffff:1.2.3.4]:3000", "::ffff:1.2.3.4"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[AERO_ADDR_TEXT_MAX];
        aero_addr addr;

        REQUIRE(aero_addr_parse(aero_span_str(rows[i][0]), 3000, &addr));
        aero_addr_text(&addr, text);
        CHECK_BYTES(aero_span_str(text), aero_span_str(rows[i][1]));
        aero_addr_host(&addr, text);
        CHECK_BYTES(aero_span_str(text), aero_span_str(rows[i][2]));
        CHECK_INT(aero_addr_port(&addr), 3000);
    }
}

TEST(names_are_no_literal_addresses)
{
    static const char *const names[] = {
        "",
        "localhost",
        "10.0.0",
        "10.0.0.256",
        "1.2.3.4.5",
        "[::1]",
        "::g",
        "10.0.0.1:30",
        "::1%",
        " 1.2.3.4",
        "1111111111111111111111111111111111111111111111111111111111111111"};
    aero_addr addr;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK(!aero_addr_parse(aero_span_str(names[i]), 1, &addr));
    }
}

TEST(addresses_are_equal_with_the_same_port_and_host)
{
    aero_addr a;
    aero_addr b;

    aero_addr_parse(aero_span_str("10.0.0.1"), 1, &a);
    aero_addr_parse(aero_span_str("10.0.0.1"), 1, &b);
    CHECK(aero_addr_equal(&a, &b));
    aero_addr_set_port(&b, 2);
    CHECK(!aero_addr_equal(&a, &b));
    aero_addr_parse(aero_span_str("10.0.0.2"), 1, &b);
    CHECK(!aero_addr_equal(&a, &b));
    aero_addr_parse(aero_span_str("::1"), 1, &b);
    CHECK(!aero_addr_equal(&a, &b));
    aero_addr_parse(aero_span_str("::1"), 1, &a);
    CHECK(aero_addr_equal(&a, &b));
    aero_addr_parse(aero_span_str("::2"), 1, &a);
    CHECK(!aero_addr_equal(&a, &b));
    aero_addr_set(&b, (const struct sockaddr *)&a.sa, a.len);
    CHECK(aero_addr_equal(&a, &b));
}

TEST(loopback_is_known_in_both_families)
{
    static const struct {
        const char *host;
        bool loopback;
    } rows[] = {{"127.0.0.1", true}, {"127.9.9.9", true},
                {"::1", true},       {"10.0.0.1", false},
                {"::2", false},      {"::ffff:127.0.0.1", true}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aero_addr addr;

        REQUIRE(aero_addr_parse(aero_span_str(rows[i].host), 1, &addr));
        if (aero_addr_is_loopback(&addr) != rows[i].loopback) {
            test_failed(__FILE__, __LINE__, "%s", rows[i].host);
        }
    }
}

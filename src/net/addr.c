/* Addresses.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "aero/net/addr.h"

static struct sockaddr_in *
v4(const aero_addr *addr)
{
    return (struct sockaddr_in *)&addr->sa;
}

static struct sockaddr_in6 *
v6(const aero_addr *addr)
{
    return (struct sockaddr_in6 *)&addr->sa;
}

bool
aero_addr_parse(aero_span host, uint16_t port, aero_addr *out)
{
    char text[AERO_ADDR_TEXT_MAX];

    memset(out, 0, sizeof *out);
    if (host.len == 0 || host.len >= sizeof text) {
        return false;
    }
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &v4(out)->sin_addr) == 1) {
        out->sa.ss_family = AF_INET;
        out->len = sizeof(struct sockaddr_in);
    }
    else if (inet_pton(AF_INET6, text, &v6(out)->sin6_addr) == 1) {
        out->sa.ss_family = AF_INET6;
        out->len = sizeof(struct sockaddr_in6);
    }
    else {
        return false;
    }
    aero_addr_set_port(out, port);
    return true;
}

void
aero_addr_set(aero_addr *out, const struct sockaddr *sa, socklen_t len)
{
    memset(out, 0, sizeof *out);
    out->len = len < sizeof out->sa ? len : sizeof out->sa;
    memcpy(&out->sa, sa, out->len);
}

uint16_t
aero_addr_port(const aero_addr *addr)
{
    return ntohs(addr->sa.ss_family == AF_INET6 ? v6(addr)->sin6_port
                                                : v4(addr)->sin_port);
}

void
aero_addr_set_port(aero_addr *addr, uint16_t port)
{
    if (addr->sa.ss_family == AF_INET6) {
        v6(addr)->sin6_port = htons(port);
    }
    else {
        v4(addr)->sin_port = htons(port);
    }
}

bool
aero_addr_equal(const aero_addr *a, const aero_addr *b)
{
    if (a->sa.ss_family != b->sa.ss_family ||
        aero_addr_port(a) != aero_addr_port(b)) {
        return false;
    }
    if (a->sa.ss_family == AF_INET6) {
        return memcmp(&v6(a)->sin6_addr, &v6(b)->sin6_addr,
                      sizeof(struct in6_addr)) == 0;
    }
    return v4(a)->sin_addr.s_addr == v4(b)->sin_addr.s_addr;
}

bool
aero_addr_is_loopback(const aero_addr *addr)
{
    if (addr->sa.ss_family == AF_INET6) {
        const struct in6_addr *bytes = &v6(addr)->sin6_addr;

        return IN6_IS_ADDR_LOOPBACK(bytes) ||
               (IN6_IS_ADDR_V4MAPPED(bytes) && bytes->s6_addr[12] == 127);
    }
    return ntohl(v4(addr)->sin_addr.s_addr) >> 24 == 127;
}

void
aero_addr_host(const aero_addr *addr, char out[AERO_ADDR_TEXT_MAX])
{
    const void *bytes = addr->sa.ss_family == AF_INET6
                            ? (const void *)&v6(addr)->sin6_addr
                            : (const void *)&v4(addr)->sin_addr;

    if (inet_ntop(addr->sa.ss_family, bytes, out, AERO_ADDR_TEXT_MAX) ==
        NULL) {
        strcpy(out, "?");
    }
}

void
aero_addr_text(const aero_addr *addr, char out[AERO_ADDR_TEXT_MAX])
{
    char host[AERO_ADDR_TEXT_MAX];

    aero_addr_host(addr, host);
    snprintf(out, AERO_ADDR_TEXT_MAX,
             addr->sa.ss_family == AF_INET6 ? "[%.50s]:%u" : "%.50s:%u", host,
             aero_addr_port(addr));
}

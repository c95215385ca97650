/* Addresses: what a socket connects to, and how it is written.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_NET_ADDR_H
#define AERO_NET_ADDR_H

#include <sys/socket.h>

#include "aero/base/span.h"

enum {
    AERO_HOST_MAX = 256,    /* bytes of a host name, NUL included */
    AERO_ADDR_TEXT_MAX = 64 /* "[v6%scope]:port" and its NUL */
};

typedef struct aero_addr {
    struct sockaddr_storage sa;
    socklen_t len;
} aero_addr;

/* A literal address, v4 or v6 without brackets.  False for names: those are
 * resolved by the tender, which may wait. */
bool aero_addr_parse(aero_span host, uint16_t port, aero_addr *out);

void aero_addr_set(aero_addr *out, const struct sockaddr *sa, socklen_t len);
uint16_t aero_addr_port(const aero_addr *addr);
void aero_addr_set_port(aero_addr *addr, uint16_t port);
bool aero_addr_equal(const aero_addr *a, const aero_addr *b);
bool aero_addr_is_loopback(const aero_addr *addr);

/* "10.0.0.1:3000", "[::1]:3000". */
void aero_addr_text(const aero_addr *addr, char out[AERO_ADDR_TEXT_MAX]);
/* Without the port and the brackets. */
void aero_addr_host(const aero_addr *addr, char out[AERO_ADDR_TEXT_MAX]);

#endif

/* Lists of peers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "aero/wire/info.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    aero_peers peers;
    aero_peer peer;
    aero_status st;

    if (aero_peers_open(aero_span_of(data, size), &peers, &st) != AERO_OK) {
        return 0;
    }
    while (aero_peers_take(&peers, &peer, &st) == AERO_OK) {
        aero_span host;
        uint16_t port;

        MUST(peer.node.len > 0 && peer.node.len < AERO_NODE_NAME_MAX);
        fuzz_touch(peer.node);
        fuzz_touch(peer.tls_name);
        while (aero_peer_take_host(&peer, peers.port, &host, &port)) {
            MUST(host.len != 0);
            fuzz_touch(host);
        }
    }
    return 0;
}

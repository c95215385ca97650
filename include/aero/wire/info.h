/* The info protocol: lines of text in a frame of type 1.
 *
 *   request   command\n command\n ...
 *   reply     command\t value\n command\t value\n ...
 *
 * and the values that the cluster's map is made of.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_WIRE_INFO_H
#define AERO_WIRE_INFO_H

#include "aero/base/buf.h"
#include "aero/base/status.h"
#include "aero/wire/codes.h"

/* One frame with all the commands. */
void aero_info_put_request(aero_buf *out, const aero_span *commands,
                           size_t count);

/* One reply line; the server puts as many as it was asked. */
void aero_info_put_line(aero_buf *out, aero_span command, aero_span value);

/* Take the next command of a request body.  False at the end; a last command
 * without its newline is none. */
bool aero_info_take_command(aero_span *body, aero_span *command);

/* Take the next line of a reply body.  AERO_MORE at the end.  A body that is
 * one error without a command (not authenticated, queued too long) gives an
 * empty command and the whole text. */
aero_rc aero_info_take_line(aero_span *body, aero_span *command,
                            aero_span *value, aero_status *st);

/* The value of `command` in a reply body; false if it is not there. */
bool aero_info_find(aero_span body, const char *command, aero_span *value);

/* Is this value an error?  "ERROR:<code>:<text>", "ERROR::<text>",
 * "FAIL:<code>:<text>", "FAIL:<text>", in any case of letters.  A missing
 * code is 1. */
bool aero_info_error(aero_span value, int *code, aero_span *text);

/* A decimal number that fills the span. */
bool aero_info_number(aero_span value, int64_t *number);

/* "key=value" pairs separated by `mark`: gives the value of `key`. */
bool aero_info_pair(aero_span text, char mark, const char *key,
                    aero_span *value);

/* An address as the server writes it: host:port, [v6]:port, host.  The port
 * stays as it is if none is written. */
bool aero_info_address(aero_span text, aero_span *host, uint16_t *port);

/* peers-...: generation,port,[[name,tls-name,[host:port,...]],...] */
typedef struct aero_peers {
    int64_t generation;
    uint16_t port; /* of the hosts that name none */
    aero_span rest;
    bool first;
} aero_peers;

typedef struct aero_peer {
    aero_span node;
    aero_span tls_name;
    aero_span hosts; /* for aero_peer_take_host; empty: the node has left */
} aero_peer;

aero_rc aero_peers_open(aero_span value, aero_peers *peers, aero_status *st);
/* AERO_MORE behind the last one. */
aero_rc aero_peers_take(aero_peers *peers, aero_peer *peer, aero_status *st);
/* False behind the last one or at nonsense. */
bool aero_peer_take_host(aero_peer *peer, uint16_t default_port,
                         aero_span *host, uint16_t *port);

/* replicas: ns:regime,count,bitmap,bitmap;ns:...  Each bitmap is base64 of
 * 512 bytes; bit set: the node is that replica of the partition. */
enum {
    AERO_BITMAP_SIZE = AERO_PARTITIONS / 8,
    AERO_REPLICAS_MAX = 3 /* bitmaps that are looked at */
};

typedef struct aero_replicas {
    aero_span ns;
    uint32_t regime;
    uint32_t count; /* bitmaps read, at most AERO_REPLICAS_MAX */
    uint8_t bits[AERO_REPLICAS_MAX][AERO_BITMAP_SIZE];
} aero_replicas;

/* Take the next namespace.  AERO_MORE behind the last one. */
aero_rc aero_replicas_take(aero_span *value, aero_replicas *out,
                           aero_status *st);

static inline bool
aero_bitmap_has(const uint8_t *bits, uint32_t partition)
{
    return (bits[partition >> 3] & (0x80U >> (partition & 7))) != 0;
}

static inline void
aero_bitmap_add(uint8_t *bits, uint32_t partition)
{
    bits[partition >> 3] |= (uint8_t)(0x80U >> (partition & 7));
}

#endif

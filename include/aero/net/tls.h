/* TLS over a socket that never waits, through OpenSSL.
 *
 * A context is made once per cluster or server and is counted by OpenSSL; a
 * session belongs to one connection.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AERO_NET_TLS_H
#define AERO_NET_TLS_H

#include "aero/base/span.h"
#include "aero/base/status.h"

typedef struct aero_tls_context aero_tls_context;
typedef struct aero_tls aero_tls;

/* All texts are borrowed and may be NULL. */
typedef struct aero_tls_config {
    const char *cafile;
    const char *capath;
    const char *certfile; /* chain; also needed by servers */
    const char *keyfile;  /* NULL: in certfile */
    const char *keyfile_pw;
    const char *cipher_suite;   /* TLS 1.2 list, OpenSSL syntax */
    const char *protocols;      /* "TLSv1.2 TLSv1.3", "all", "-TLSv1.2" ... */
    const char *cert_blacklist; /* file of "<serial hex> [issuer]" lines */
    bool crl_check;
    bool crl_check_all;
    bool is_server;
} aero_tls_config;

/* Gives a context; NULL with the reason (a file that cannot be read is
 * named).  A client verifies its peers, always; a server asks for a client
 * certificate when it has a cafile or capath. */
aero_tls_context *aero_tls_context_new(const aero_tls_config *config,
                                       aero_status *st);
void aero_tls_context_free(aero_tls_context *context);

/* Gives a session over `fd` (borrowed, non-blocking).  `name` is what a
 * client's peer must be called by its certificate; NULL on a server. */
aero_tls *aero_tls_new(aero_tls_context *context, int fd, const char *name,
                       aero_status *st);
/* Says goodbye without waiting for the answer. */
void aero_tls_free(aero_tls *tls);

/* Each does what it can.  AERO_MORE: *want says for what (aero_want). */
aero_rc aero_tls_handshake(aero_tls *tls, uint8_t *want, aero_status *st);
aero_rc aero_tls_recv(aero_tls *tls, void *buf, size_t cap, size_t *got,
                      uint8_t *want, aero_status *st);
aero_rc aero_tls_send(aero_tls *tls, const void *buf, size_t len, size_t *sent,
                      uint8_t *want, aero_status *st);
/* The common name of the peer's certificate, as text; empty if it showed none
 * or has no name that fits. */
void aero_tls_peer_name(const aero_tls *tls, char *out, size_t cap);
/* What was agreed on, for the log: "TLSv1.3 with TLS_AES_256_GCM_SHA384". */
void aero_tls_describe(const aero_tls *tls, char *out, size_t cap);
/* Decrypted bytes that wait inside the session: poll() does not see them. */
bool aero_tls_has_bytes(aero_tls *tls);

#endif

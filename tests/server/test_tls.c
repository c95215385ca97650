/* The second listener, over TLS.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include "aero/net/conn.h"
#include "dial.h"

/* ---- a certificate for one test ---- */

typedef struct identity {
    char folder[64];
    char cert[96];
    char key[96];
} identity;

static X509 *
make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_EXTENSION *alt;

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    alt =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(cert, alt, -1);
    X509_EXTENSION_free(alt);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    return cert;
}

static bool
identity_make(identity *id)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_certificate(key);
    FILE *file;
    bool good;

    strcpy(id->folder, "/tmp/aero-tls-XXXXXX");
    good = mkdtemp(id->folder) != NULL;
    snprintf(id->cert, sizeof id->cert, "%s/cert", id->folder);
    snprintf(id->key, sizeof id->key, "%s/key", id->folder);
    file = good ? fopen(id->cert, "w") : NULL;
    good =
        file != NULL && PEM_write_X509(file, cert) == 1 && fclose(file) == 0;
    file = good ? fopen(id->key, "w") : NULL;
    good = file != NULL &&
           PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 &&
           fclose(file) == 0;
    X509_free(cert);
    EVP_PKEY_free(key);
    return good;
}

static void
identity_drop(const identity *id)
{
    unlink(id->cert);
    unlink(id->key);
    rmdir(id->folder);
}

/* ---- a client that waits ---- */

static bool
wait_for(const aero_conn *conn)
{
    struct pollfd p = {.fd = conn->fd};

    p.events = conn->want == AERO_WANT_WRITE ? POLLOUT : POLLIN;
    return poll(&p, 1, DIAL_PATIENCE_S * 1000) == 1;
}

static aero_conn *
open_tls(uint16_t port, aero_tls_context *tls)
{
    aero_addr addr;
    aero_conn *conn;
    aero_rc rc = AERO_MORE;

    aero_addr_parse(aero_span_str("127.0.0.1"), port, &addr);
    conn = aero_conn_new(&addr, tls, "localhost", NULL);
    while (conn != NULL && rc == AERO_MORE) {
        rc = aero_conn_step_open(conn, NULL);
        if (rc == AERO_MORE && !wait_for(conn)) {
            rc = AERO_ERROR;
        }
    }
    if (rc != AERO_OK) {
        aero_conn_free(conn);
        conn = NULL;
    }
    return conn;
}

static bool
talk(aero_conn *conn, aero_buf *buf)
{
    aero_span left = aero_buf_span(buf);
    aero_rc rc;
    aero_frame frame = {0};

    while ((rc = aero_conn_send(conn, &left, NULL)) == AERO_MORE) {
        if (!wait_for(conn)) {
            return false;
        }
    }
    buf->len = 0;
    while (rc == AERO_OK &&
           (aero_frame_peek(aero_buf_span(buf), &frame, NULL) == AERO_MORE ||
            buf->len < AERO_FRAME_HEAD + frame.size)) {
        size_t got = 0;

        aero_buf_reserve(buf, 4096);
        rc = aero_conn_recv(conn, buf->ptr + buf->len, buf->cap - buf->len,
                            &got, NULL);
        buf->len += got;
        if (rc == AERO_MORE && wait_for(conn)) {
            rc = AERO_OK;
        }
    }
    aero_buf_put_u8(buf, 0);
    return rc == AERO_OK;
}

/* ---- the tests ---- */

TEST(the_same_is_served_over_tls)
{
    identity id;
    aero_server_config config = {.nodes = 2, .enterprise = true};
    aero_tls_config client = {0};
    aero_tls_context *context;
    aero_server *server;
    aero_status st;
    aero_buf buf = {0};
    char peer[64];

    REQUIRE(identity_make(&id));
    config.tls_certfile = id.cert;
    config.tls_keyfile = id.key;
    client.cafile = id.cert;
    aero_status_clear(&st);
    server = aero_server_start(&config, &st);
    context = aero_tls_context_new(&client, &st);
    if (server == NULL || context == NULL) {
        test_failed(__FILE__, __LINE__, "%s", st.text);
    }
    else {
        aero_conn *conn = open_tls(aero_server_tls_port(server, 0), context);

        CHECK(conn != NULL);
        dial_put_info(&buf, "peers-tls-std");
        CHECK(conn != NULL && talk(conn, &buf));
        snprintf(peer, sizeof peer,
                 "2,3000,[[BB9000000000002,localhost,[127.0.0.1:%u]]]\n",
                 aero_server_tls_port(server, 1));
        CHECK(buf.len > AERO_FRAME_HEAD + 14 &&
              strcmp((char *)buf.ptr + AERO_FRAME_HEAD + 14, peer) == 0);
        for (int i = 0; i < 300; i++) {
            aero_buf_reset(&buf, SIZE_MAX);
            dial_put_command(&buf, i, true);
            CHECK(conn != NULL && talk(conn, &buf));
            CHECK_INT(buf.ptr[AERO_FRAME_HEAD + 5], AERO_ERR_OK);
        }
        aero_conn_free(conn);
    }
    aero_server_stop(server);
    aero_tls_context_free(context);
    aero_buf_fini(&buf);
    identity_drop(&id);
}

TEST(clear_bytes_on_the_tls_port_end_the_connection)
{
    identity id;
    aero_server_config config = {.enterprise = true};
    aero_server *server;
    aero_status st;

    REQUIRE(identity_make(&id));
    config.tls_certfile = id.cert;
    config.tls_keyfile = id.key;
    aero_status_clear(&st);
    server = aero_server_start(&config, &st);
    if (server != NULL) {
        int fd = dial(aero_server_tls_port(server, 0));

        CHECK_INT(dial_command(fd, 1, true), -1);
        close(fd);
        fd = dial(aero_server_port(server, 0));
        CHECK_INT(dial_command(fd, 1, true), AERO_ERR_OK);
        close(fd);
    }
    CHECK(server != NULL);
    aero_server_stop(server);
    identity_drop(&id);
}

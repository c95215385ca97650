/* TLS through OpenSSL.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "aero/base/alloc.h"
#include "aero/net/job.h"
#include "aero/net/tls.h"
#include "aero/wire/codes.h"

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#define SSL_get1_peer_certificate SSL_get_peer_certificate
#endif

struct aero_tls_context {
    SSL_CTX *ctx;    /* owned */
    char *blacklist; /* owned; the file's lines, or NULL */
    char *password;  /* owned; of the key file */
};

struct aero_tls {
    SSL *ssl; /* owned */
};

static aero_rc
fail_ssl(aero_status *st, const char *what)
{
    char reason[200];
    unsigned long code = ERR_get_error();

    if (code == 0) {
        return aero_fail(st, AERO_ERR_TLS, "%s", what);
    }
    ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return aero_fail(st, AERO_ERR_TLS, "%s: %s", what, reason);
}

/* ---- the context ---- */

static int
give_password(char *buf, int size, int rwflag, void *data)
{
    const char *password = data != NULL ? data : "";
    size_t len = strlen(password);

    (void)rwflag;
    if (len > (size_t)size) {
        return 0;
    }
    memcpy(buf, password, len);
    return (int)len;
}

static int
version_bit(aero_span word)
{
    static const char *const names[] = {"TLSv1", "TLSv1.1", "TLSv1.2",
                                        "TLSv1.3"};

    for (int i = 0; i < 4; i++) {
        if (word.len == strlen(names[i]) &&
            strncasecmp((const char *)word.ptr, names[i], word.len) == 0) {
            return 1 << i;
        }
    }
    return word.len == 3 && strncasecmp((const char *)word.ptr, "all", 3) == 0
               ? 0xc
               : 0;
}

/* "TLSv1.2 +TLSv1.3", "all", "-TLSv1.2": below 1.2 nothing is allowed unless
 * it is named. */
static aero_rc
read_protocols(const char *text, int *bits, aero_status *st)
{
    *bits = 0;
    while (text != NULL && *text != '\0') {
        char sign = '+';
        aero_span word;
        int bit;

        if (*text == ' ' || *text == ',') {
            text++;
            continue;
        }
        if (*text == '+' || *text == '-') {
            sign = *text++;
            if (sign == '-' && *bits == 0) {
                *bits = 0xc;
            }
        }
        word = aero_span_of(text, strcspn(text, " ,+-"));
        bit = version_bit(word);
        if (bit == 0) {
            return aero_fail(st, AERO_ERR_TLS, "unknown TLS protocol '%.*s'",
                             (int)word.len, text);
        }
        *bits = sign == '-' ? *bits & ~bit : *bits | bit;
        text += word.len;
    }
    if (*bits == 0) {
        *bits = 0xc;
    }
    return AERO_OK;
}

static aero_rc
use_protocols(SSL_CTX *ctx, const char *text, aero_status *st)
{
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION,
                                   TLS1_2_VERSION, TLS1_3_VERSION};
    static const uint64_t off[] = {SSL_OP_NO_TLSv1, SSL_OP_NO_TLSv1_1,
                                   SSL_OP_NO_TLSv1_2, SSL_OP_NO_TLSv1_3};
    int bits;
    int lowest = -1;

    if (read_protocols(text, &bits, st) != AERO_OK) {
        return AERO_ERROR;
    }
    for (int i = 0; i < 4; i++) {
        if ((bits & 1 << i) == 0) {
            SSL_CTX_set_options(ctx, off[i]);
        }
        else if (lowest < 0) {
            lowest = i;
        }
    }
    SSL_CTX_set_min_proto_version(ctx, versions[lowest]);
    return AERO_OK;
}

static aero_rc
use_files(aero_tls_context *context, const aero_tls_config *config,
          aero_status *st)
{
    SSL_CTX *ctx = context->ctx;
    const char *key =
        config->keyfile != NULL ? config->keyfile : config->certfile;

    if ((config->cafile != NULL || config->capath != NULL) &&
        SSL_CTX_load_verify_locations(ctx, config->cafile, config->capath) !=
            1) {
        return aero_fail(st, AERO_ERR_TLS, "cannot read CA certificates of %s",
                         config->cafile != NULL ? config->cafile
                                                : config->capath);
    }
    if (config->certfile != NULL &&
        SSL_CTX_use_certificate_chain_file(ctx, config->certfile) != 1) {
        return aero_fail(st, AERO_ERR_TLS, "cannot read certificate %s",
                         config->certfile);
    }
    SSL_CTX_set_default_passwd_cb(ctx, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, context->password);
    if (key != NULL &&
        (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
         SSL_CTX_check_private_key(ctx) != 1)) {
        return aero_fail(st, AERO_ERR_TLS, "cannot use private key %s", key);
    }
    return AERO_OK;
}

static char *
read_text_file(const char *path)
{
    char *text = NULL;
    FILE *f = fopen(path, "r");
    size_t got = 0;

    if (f == NULL) {
        return NULL;
    }
    text = aero_alloc(1 << 20);
    if (text != NULL) {
        got = fread(text, 1, (1 << 20) - 1, f);
        text[got] = '\0';
    }
    fclose(f);
    return text;
}

/* A line is "<serial hex>" or "<serial hex> <issuer>". */
static bool
line_matches(aero_span line, const char *serial, const char *issuer)
{
    aero_span rest = line;
    aero_span number = aero_span_cut(&rest, ' ');

    while (number.len > 1 && number.ptr[0] == '0') {
        number = aero_span_skip(number, 1);
    }
    if (number.len == 0 || number.len != strlen(serial) ||
        strncasecmp((const char *)number.ptr, serial, number.len) != 0) {
        return false;
    }
    return rest.len == 0 || aero_span_is(rest, issuer);
}

static bool
is_blacklisted(const char *lines, X509 *cert)
{
    aero_span rest = aero_span_str(lines);
    char issuer[512] = "";
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = number == NULL ? NULL : BN_bn2hex(number);
    const char *serial = hex;
    bool found = false;

    X509_NAME_oneline(X509_get_issuer_name(cert), issuer, sizeof issuer);
    while (serial != NULL && serial[0] == '0' && serial[1] != '\0') {
        serial++;
    }
    while (serial != NULL && rest.len != 0 && !found) {
        found = line_matches(aero_span_cut(&rest, '\n'), serial, issuer);
    }
    OPENSSL_free(hex);
    BN_free(number);
    return found;
}

static int
verify_peer(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(
        store, SSL_get_ex_data_X509_STORE_CTX_idx());
    aero_tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    X509 *cert = X509_STORE_CTX_get_current_cert(store);

    if (ok && cert != NULL && is_blacklisted(context->blacklist, cert)) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
        return 0;
    }
    return ok;
}

static void
use_verification(aero_tls_context *context, const aero_tls_config *config)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context->ctx);
    int mode = SSL_VERIFY_PEER;

    if (config->is_server) {
        mode = config->cafile != NULL || config->capath != NULL
                   ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                   : SSL_VERIFY_NONE;
    }
    if (config->crl_check || config->crl_check_all) {
        X509_VERIFY_PARAM_set_flags(
            param,
            X509_V_FLAG_CRL_CHECK |
                (config->crl_check_all ? X509_V_FLAG_CRL_CHECK_ALL : 0));
    }
    SSL_CTX_set_verify(context->ctx, mode,
                       context->blacklist != NULL ? verify_peer : NULL);
}

static aero_rc
configure(aero_tls_context *context, const aero_tls_config *config,
          aero_status *st)
{
    SSL_CTX *ctx = context->ctx;

    SSL_CTX_set_app_data(ctx, context);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (use_protocols(ctx, config->protocols, st) != AERO_OK ||
        use_files(context, config, st) != AERO_OK) {
        return AERO_ERROR;
    }
    if (config->cipher_suite != NULL &&
        SSL_CTX_set_cipher_list(ctx, config->cipher_suite) != 1) {
        return aero_fail(st, AERO_ERR_TLS, "no usable cipher in '%s'",
                         config->cipher_suite);
    }
    if (config->cert_blacklist != NULL) {
        context->blacklist = read_text_file(config->cert_blacklist);
        if (context->blacklist == NULL) {
            return aero_fail(st, AERO_ERR_TLS, "cannot read %s",
                             config->cert_blacklist);
        }
    }
    use_verification(context, config);
    return AERO_OK;
}

aero_tls_context *
aero_tls_context_new(const aero_tls_config *config, aero_status *st)
{
    aero_tls_context *context = aero_zalloc(sizeof *context);

    ERR_clear_error();
    if (context == NULL) {
        aero_fail(st, AERO_ERR_TLS, "no memory for TLS");
        return NULL;
    }
    if (config->keyfile_pw != NULL) {
        context->password =
            aero_strndup(config->keyfile_pw, strlen(config->keyfile_pw));
    }
    context->ctx = SSL_CTX_new(config->is_server ? TLS_server_method()
                                                 : TLS_client_method());
    if (context->ctx == NULL) {
        fail_ssl(st, "cannot set up TLS");
    }
    else if (configure(context, config, st) == AERO_OK) {
        return context;
    }
    ERR_clear_error();
    aero_tls_context_free(context);
    return NULL;
}

void
aero_tls_context_free(aero_tls_context *context)
{
    if (context == NULL) {
        return;
    }
    SSL_CTX_free(context->ctx);
    aero_free(context->blacklist);
    if (context->password != NULL) {
        OPENSSL_cleanse(context->password, strlen(context->password));
        aero_free(context->password);
    }
    aero_free(context);
}

/* ---- sessions ---- */

static bool
expect_name(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

    X509_VERIFY_PARAM_set_hostflags(param,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1) {
        return true; /* an address; others go by name */
    }
    ERR_clear_error();
    return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

aero_tls *
aero_tls_new(aero_tls_context *context, int fd, const char *name,
             aero_status *st)
{
    aero_tls *tls = aero_zalloc(sizeof *tls);

    ERR_clear_error();
    if (tls != NULL) {
        tls->ssl = SSL_new(context->ctx);
    }
    if (tls == NULL || tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1 ||
        (name != NULL && !expect_name(tls->ssl, name))) {
        fail_ssl(st, "cannot set up a TLS session");
        if (tls != NULL) {
            SSL_free(tls->ssl);
            aero_free(tls);
        }
        return NULL;
    }
    if (SSL_CTX_get_ssl_method(context->ctx) == TLS_server_method()) {
        SSL_set_accept_state(tls->ssl);
    }
    else {
        SSL_set_connect_state(tls->ssl);
    }
    return tls;
}

void
aero_tls_free(aero_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    if (SSL_is_init_finished(tls->ssl)) {
        SSL_shutdown(tls->ssl);
    }
    ERR_clear_error();
    SSL_free(tls->ssl);
    aero_free(tls);
}

/* What a call on the session that did not succeed means. */
static aero_rc
explain(aero_tls *tls, int ret, const char *what, uint8_t *want,
        aero_status *st)
{
    switch (SSL_get_error(tls->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
        *want = AERO_WANT_READ;
        return AERO_MORE;
    case SSL_ERROR_WANT_WRITE:
        *want = AERO_WANT_WRITE;
        return AERO_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return aero_fail(st, AERO_ERR_CONNECTION,
                         "the peer closed the connection");
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return aero_fail(st, AERO_ERR_CONNECTION, "%s: connection lost", what);
    default:
        return fail_ssl(st, what);
    }
}

aero_rc
aero_tls_handshake(aero_tls *tls, uint8_t *want, aero_status *st)
{
    long verdict;
    aero_rc rc;
    int ret;

    ERR_clear_error();
    ret = SSL_do_handshake(tls->ssl);
    if (ret == 1) {
        return AERO_OK;
    }
    rc = explain(tls, ret, "TLS handshake", want, st);
    verdict = SSL_get_verify_result(tls->ssl);
    if (rc == AERO_ERROR && verdict != X509_V_OK) {
        return aero_fail(st, AERO_ERR_TLS, "TLS handshake: %s",
                         X509_verify_cert_error_string(verdict));
    }
    return rc;
}

aero_rc
aero_tls_recv(aero_tls *tls, void *buf, size_t cap, size_t *got, uint8_t *want,
              aero_status *st)
{
    int ret;

    ERR_clear_error();
    ret = SSL_read(tls->ssl, buf, cap > INT_MAX ? INT_MAX : (int)cap);
    if (ret > 0) {
        *got = (size_t)ret;
        return AERO_OK;
    }
    return explain(tls, ret, "TLS read", want, st);
}

aero_rc
aero_tls_send(aero_tls *tls, const void *buf, size_t len, size_t *sent,
              uint8_t *want, aero_status *st)
{
    int ret;

    ERR_clear_error();
    ret = SSL_write(tls->ssl, buf, len > INT_MAX ? INT_MAX : (int)len);
    if (ret > 0) {
        *sent = (size_t)ret;
        return AERO_OK;
    }
    return explain(tls, ret, "TLS write", want, st);
}

void
aero_tls_peer_name(const aero_tls *tls, char *out, size_t cap)
{
    X509 *cert = SSL_get1_peer_certificate(tls->ssl);
    X509_NAME *subject = cert == NULL ? NULL : X509_get_subject_name(cert);
    int len = -1;

    memset(out, 0, cap);
    if (subject != NULL) {
        len =
            X509_NAME_get_text_by_NID(subject, NID_commonName, out, (int)cap);
    }
    if (len < 0 || (size_t)len >= cap || strlen(out) != (size_t)len) {
        memset(out, 0, cap); /* a NUL inside is nobody's name */
    }
    X509_free(cert);
}

void
aero_tls_describe(const aero_tls *tls, char *out, size_t cap)
{
    snprintf(out, cap, "%s with %s", SSL_get_version(tls->ssl),
             SSL_get_cipher_name(tls->ssl));
}

bool
aero_tls_has_bytes(aero_tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}

// SPDX-License-Identifier: Apache-2.0
/* io/tls.c - TLS contexts: what a listener shows, what a client trusts. Handshakes and records are
 * stream_tls.c's. */
#include "io/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/tls_real.h"

enum { CLIENT_CHAIN_BYTES_MAX = 32 * 1024 };

bool err_tls(struct err *err, const char *fmt, ...)
{
    unsigned long code = ERR_get_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    char what[sizeof err->text];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    ERR_clear_error();
    if (reason == NULL)
        return err_set(err, ERR_TLS, "%s", what);
    return err_set(err, ERR_TLS, "%s: %s", what, reason);
}

/* Both sides: RFC 8996, and an idle connection keeps no record buffers. */
static SSL_CTX *ctx_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (ctx == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* One recv() for the header and the body of a record, and for small records together. */
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets remain */
    return ctx;
}

/* Keys come without a passphrase: nobody is there to type one. */
static int no_passphrase(char *to, int size, int writing, void *arg)
{
    (void)to, (void)size, (void)writing, (void)arg;
    return -1;
}

static BIO *bio_of(struct str pem)
{
    return pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
}

static bool use_chain(SSL_CTX *ctx, struct str chain_pem, struct err *err)
{
    BIO *bio = bio_of(chain_pem);
    X509 *first = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL), *next;
    bool ok = first != NULL && SSL_CTX_use_certificate(ctx, first) == 1;

    while (ok && (next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL)
        if (SSL_CTX_add0_chain_cert(ctx, next) != 1) {
            X509_free(next);
            ok = false;
        }
    /* The end of the text is told as an error of the reader. */
    if (ok && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        ok = false;
    X509_free(first);
    BIO_free(bio);
    if (!ok)
        return err_tls(err, "certificate chain");
    ERR_clear_error();
    return true;
}

static bool use_key(SSL_CTX *ctx, struct str key_pem, struct err *err)
{
    BIO *bio = bio_of(key_pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    bool ok =
        key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;

    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok || err_tls(err, "private key");
}

/* A ticket is good only where it was made: each context has keys of its own (OpenSSL draws them),
 * and a session from another context is refused by this id as well. */
static void bind_tickets(SSL_CTX *ctx)
{
    unsigned char id[16];

    random_bytes(id, sizeof id);
    SSL_CTX_set_session_id_context(ctx, id, sizeof id);
    SSL_CTX_set_num_tickets(ctx, 1);
}

bool tls_server_new(struct str chain_pem, struct str key_pem, struct tls_server **ret,
                    struct err *err)
{
    SSL_CTX *ctx;

    ERR_clear_error();
    ctx = ctx_new(TLS_server_method());
    if (ctx == NULL)
        return err_tls(err, "TLS");
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    bind_tickets(ctx);
    if (!use_chain(ctx, chain_pem, err) || !use_key(ctx, key_pem, err)) {
        SSL_CTX_free(ctx);
        return false;
    }
    *ret = NEW(struct tls_server);
    (*ret)->ctx = ctx;
    return true;
}

void tls_server_free(struct tls_server *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->ctx); /* streams that use it hold it as well */
    free(t);
}

/* Instead of building a chain: OpenSSL itself has seen that the client holds the key. */
static int take_any(X509_STORE_CTX *chain, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
}

void tls_server_ask_certificate(struct tls_server *t)
{
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(t->ctx, take_any, NULL);
    SSL_CTX_set_max_cert_list(t->ctx, CLIENT_CHAIN_BYTES_MAX);
}

static bool trust(SSL_CTX *ctx, enum tls_verify verify, const char *ca_file, struct err *err)
{
    if (verify == TLS_VERIFY_NONE) {
        /* Even a weak key is better than the clear text that would follow a refusal (RFC 7435). */
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return true;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (ca_file != NULL && SSL_CTX_load_verify_file(ctx, ca_file) != 1)
        return err_tls(err, "%s", ca_file);
    if (ca_file == NULL && SSL_CTX_set_default_verify_paths(ctx) != 1)
        return err_tls(err, "the system's certificates");
    return true;
}

bool tls_client_new(enum tls_verify verify, const char *ca_file, struct tls_client **ret,
                    struct err *err)
{
    SSL_CTX *ctx;

    ERR_clear_error();
    ctx = ctx_new(TLS_client_method());
    if (ctx == NULL)
        return err_tls(err, "TLS");
    if (!trust(ctx, verify, ca_file, err)) {
        SSL_CTX_free(ctx);
        return false;
    }
    *ret = NEW(struct tls_client);
    **ret = (struct tls_client){ .ctx = ctx, .verify = verify };
    return true;
}

void tls_client_free(struct tls_client *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->ctx);
    free(t);
}

static void fingerprint_format(const unsigned char *digest, unsigned len, char ret[96])
{
    static const char hex[] = "0123456789ABCDEF";
    size_t at = 0;

    for (unsigned i = 0; i < len; i++) {
        if (i > 0)
            ret[at++] = ':';
        ret[at++] = hex[digest[i] >> 4];
        ret[at++] = hex[digest[i] & 15];
    }
    ret[at] = '\0';
}

bool tls_fingerprint(struct str chain_pem, char ret[96], struct err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    BIO *bio;
    X509 *first;
    bool ok;

    ERR_clear_error();
    bio = bio_of(chain_pem);
    first = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    ok = first != NULL && X509_digest(first, EVP_sha256(), digest, &len) == 1 && len == 32;
    X509_free(first);
    BIO_free(bio);
    if (!ok)
        return err_tls(err, "certificate");
    fingerprint_format(digest, len, ret);
    return true;
}

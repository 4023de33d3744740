// SPDX-License-Identifier: Apache-2.0
/* io/stream_tls.c - TLS on a stream: OpenSSL between the window and the socket.
 *
 * OpenSSL reads and writes through a BIO of ours over socket_recv() and socket_send(), so that what
 * the socket last said is known in one place; where it would block, the call comes back here and
 * the fiber waits. Its queue of errors belongs to the thread, so it is emptied before each call and
 * read right after, never across a wait. */
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "io/stream_real.h"
#include "io/tls_real.h"

#define NAME_MAX_BYTES 255

/* The BIO -------------------------------------------------------------------------------------- */

static int bio_read(BIO *bio, char *to, int room)
{
    struct stream *s = BIO_get_data(bio);
    ssize_t got;

    BIO_clear_retry_flags(bio);
    if (!s->can_read) {
        BIO_set_retry_read(bio);
        return -1;
    }
    got = socket_recv(s, to, (size_t)room);
    if (got < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    return (int)got;
}

static int bio_write(BIO *bio, const char *from, int len)
{
    struct stream *s = BIO_get_data(bio);
    ssize_t sent;

    BIO_clear_retry_flags(bio);
    if (!s->can_write) {
        BIO_set_retry_write(bio);
        return -1;
    }
    sent = socket_send(s, from, (size_t)len);
    if (sent < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return (int)sent;
}

static long bio_control(BIO *bio, int what, long number, void *ptr)
{
    const struct stream *s = BIO_get_data(bio);

    (void)number, (void)ptr;
    switch (what) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return s->at_end;
    default:
        return 0;
    }
}

static BIO *bio_new(struct stream *s)
{
    static BIO_METHOD *method;
    BIO *bio;

    if (method == NULL) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
        if (method == NULL)
            return NULL;
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_control);
    }
    bio = BIO_new(method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    return bio;
}

/* Records -------------------------------------------------------------------------------------- */

static bool is_truncation(void)
{
    return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

/* What OpenSSL's refusal means; `sys` is errno as the call left it. */
static enum flow flow_of(struct stream *s, int result, int sys, const char *what, struct err *err)
{
    switch (SSL_get_error(s->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return FLOW_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return FLOW_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN: /* close_notify */
        err_set(err, ERR_CLOSED, "closed by the peer");
        return FLOW_OVER;
    case SSL_ERROR_SYSCALL:
        s->broken = true;
        errno = sys;
        if (s->at_end || sys == 0)
            err_set(err, ERR_TLS, "%s: the TLS stream was cut", what);
        else
            err_sys(err, "%s", what);
        return FLOW_OVER;
    default:
        s->broken = true;
        if (is_truncation()) /* no close_notify: somebody may have cut it (fault N07) */
            err_set(err, ERR_TLS, "%s: the TLS stream was cut", what);
        else
            err_tls(err, "%s", what);
        return FLOW_OVER;
    }
}

enum flow tls_pull(struct stream *s, char *to, size_t room, size_t *ret_got, struct err *err)
{
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_read_ex(s->ssl, to, room, ret_got);
    return result == 1 ? FLOW_MOVED : flow_of(s, result, errno, "TLS read", err);
}

enum flow tls_push(struct stream *s, struct str bytes, size_t *ret_sent, struct err *err)
{
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_write_ex(s->ssl, bytes.ptr, bytes.len, ret_sent);
    return result == 1 ? FLOW_MOVED : flow_of(s, result, errno, "TLS write", err);
}

void tls_end(struct stream *s)
{
    if (s->ssl == NULL)
        return;
    ERR_clear_error();
    if (SSL_is_init_finished(s->ssl) && !s->broken)
        (void)SSL_shutdown(s->ssl);
    SSL_free(s->ssl);
    s->ssl = NULL;
    ERR_clear_error();
}

/* Handshake ------------------------------------------------------------------------------------ */

/* A client's certificate, when one was asked for; it survives in the ticket of a session. */
static void learn_certificate(struct stream *s)
{
    X509 *shown = SSL_get0_peer_certificate(s->ssl);
    unsigned len = 0;

    s->facts.shown = shown != NULL &&
                     X509_digest(shown, EVP_sha256(), s->facts.sha256, &len) == 1 &&
                     len == sizeof s->facts.sha256;
}

static void learn_facts(struct stream *s, bool verified)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(s->ssl);

    (void)snprintf(s->facts.protocol, sizeof s->facts.protocol, "%s", SSL_get_version(s->ssl));
    (void)snprintf(s->facts.cipher, sizeof s->facts.cipher, "%s", SSL_CIPHER_get_name(cipher));
    s->facts.bits = (unsigned)SSL_CIPHER_get_bits(cipher, NULL);
    s->facts.verified = verified;
}

static bool handshake_error(struct stream *s, struct err *err)
{
    long verify = SSL_get_verify_result(s->ssl);

    if (verify != X509_V_OK && SSL_get_verify_mode(s->ssl) != SSL_VERIFY_NONE)
        return err_set(err, ERR_TLS, "handshake: certificate: %s",
                       X509_verify_cert_error_string(verify));
    return false;
}

static bool handshake(struct stream *s, int64_t deadline_ms, struct err *err)
{
    for (;;) {
        int result;
        enum flow flow;

        ERR_clear_error();
        errno = 0;
        result = SSL_do_handshake(s->ssl);
        if (result == 1)
            return true;
        flow = flow_of(s, result, errno, "handshake", err);
        if (flow == FLOW_OVER)
            return handshake_error(s, err);
        if (!socket_await(s, flow, deadline_ms, err))
            return err_at(err, "handshake");
    }
}

/* What was said in the clear must not be taken for something said under TLS: by a client behind
 * STARTTLS (RFC 3207 §6, fault B03), by a server behind its reply to it (fault B04). */
static bool discard_clear_text(struct stream *s)
{
    bool any = s->in.len > 0;

    window_done(&s->in);
    return any;
}

static bool tls_begin(struct stream *s, SSL_CTX *ctx, struct err *err)
{
    BIO *bio;

    assert(s->ssl == NULL);
    ERR_clear_error();
    s->ssl = SSL_new(ctx);
    bio = s->ssl != NULL ? bio_new(s) : NULL;
    if (bio == NULL)
        return err_tls(err, "TLS");
    SSL_set_bio(s->ssl, bio, bio);
    return true;
}

/* A stream whose handshake failed is neither clear nor protected: nothing more is read from it. */
static bool tls_failed(struct stream *s)
{
    s->broken = true;
    s->end_kind = ERR_TLS;
    return false;
}

bool stream_start_tls_server(struct stream *s, struct tls_server *tls, int64_t deadline_ms,
                             bool *ret_discarded, struct err *err)
{
    bool discarded;

    if (!stream_flush(s, err))
        return false;
    discarded = discard_clear_text(s);
    if (!tls_begin(s, tls->ctx, err))
        return tls_failed(s);
    SSL_set_accept_state(s->ssl);
    if (!handshake(s, deadline_ms, err))
        return tls_failed(s);
    learn_facts(s, false);
    learn_certificate(s);
    if (ret_discarded != NULL)
        *ret_discarded = discarded;
    return true;
}

/* SNI carries names only (RFC 6066 §3); a certificate names a host or an address. */
static bool expect_name(struct stream *s, const struct tls_client *tls, struct str name,
                        struct err *err)
{
    char text[NAME_MAX_BYTES + 1];
    struct ip ip;
    bool is_ip = ip_parse(name, &ip, NULL);

    if (name.len == 0 || name.len > NAME_MAX_BYTES || memchr(name.ptr, '\0', name.len) != NULL)
        return tls->verify == TLS_VERIFY_NONE || err_set(err, ERR_TLS, "no name to compare");
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    if (!is_ip && SSL_set_tlsext_host_name(s->ssl, text) != 1)
        return err_tls(err, "name");
    if (tls->verify == TLS_VERIFY_NONE)
        return true;
    SSL_set_hostflags(s->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (is_ip ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), text) != 1
              : SSL_set1_host(s->ssl, text) != 1)
        return err_tls(err, "name");
    return true;
}

bool stream_start_tls_client(struct stream *s, struct tls_client *tls, struct str name,
                             int64_t deadline_ms, bool *ret_discarded, struct err *err)
{
    bool discarded;

    if (!stream_flush(s, err))
        return false;
    discarded = discard_clear_text(s);
    if (!tls_begin(s, tls->ctx, err) || !expect_name(s, tls, name, err))
        return tls_failed(s);
    SSL_set_connect_state(s->ssl);
    if (!handshake(s, deadline_ms, err))
        return tls_failed(s);
    learn_facts(s, tls->verify == TLS_VERIFY_NAME);
    if (ret_discarded != NULL)
        *ret_discarded = discarded;
    return true;
}

// SPDX-License-Identifier: Apache-2.0
/* deliver/tls_test.c - TLS offered, required, broken and tampered with, and AUTH over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "deliver/rehearsal.h"

static void add_pem(struct buf *to, BIO *bio)
{
    char *ptr;
    long len = BIO_get_mem_data(bio, &ptr);

    buf_init(to, 64 * 1024);
    buf_add(to, str_make(ptr, (size_t)len));
    BIO_free(bio);
}

/* A certificate that signs itself: nobody's authority knows it. */
static struct tls_server *make_tls_server(void)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    struct tls_server *server;
    struct buf cert, key;
    struct err err;

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, pair);
    assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
    PEM_write_bio_X509(bio, x);
    add_pem(&cert, bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL);
    add_pem(&key, bio);
    if (!tls_server_new(buf_str(&cert), buf_str(&key), &server, &err))
        fail_msg("%s", err.text);
    buf_done(&cert);
    buf_done(&key);
    X509_free(x);
    EVP_PKEY_free(pair);
    return server;
}

#define HELLO_TLS "C:EHLO client.test", "S:250-mx.test\r\n250 STARTTLS"
#define HELLO_AUTH(mechanisms) "C:EHLO client.test", "S:250-mx.test\r\n250 AUTH " mechanisms
#define START_TLS GREET, HELLO_TLS, "C:STARTTLS", "S:220 go", "T"

static const struct tls_case {
    const char *name;
    const char *script[40];
    const char *want;
    enum tls_mode tls;
    const char *user;
    bool verify;
} tls_cases[] = {
    { "R12 STARTTLS, and what was offered before is forgotten",
      { START_TLS, HELLO, TAKE },
      .want = "relayed message 250",
      .tls = TLS_MAY },
    { "R12 implicit TLS",
      { "T", GREET, HELLO, TAKE },
      .want = "relayed message 250",
      .tls = TLS_IMPLICIT },
    { "B04 plaintext behind the STARTTLS reply",
      { GREET, HELLO_TLS, "C:STARTTLS", "R:220 go\r\n250 injected\r\n", "T" },
      .want = "deferred session 0 4.5.0",
      .tls = TLS_MAY },
    { "R12 the certificate is nobody's, once more without TLS is not allowed",
      { START_TLS },
      .want = "deferred session 0 4.7.5",
      .tls = TLS_MUST,
      .verify = true },
    { "R34 AUTH PLAIN",
      { START_TLS, HELLO_AUTH("LOGIN PLAIN"), "C:AUTH PLAIN AHVzZXIAcGFzcw==", "S:235 ok", TAKE },
      .want = "relayed message 250",
      .tls = TLS_MUST,
      .user = "user" },
    { "R34 AUTH LOGIN",
      { START_TLS, HELLO_AUTH("LOGIN"), "C:AUTH LOGIN",
        "S:334 VXNlcg==", "C:dXNlcg==", "S:334 UGFzcw==", "C:cGFzcw==", "S:235 ok", TAKE },
      .want = "relayed message 250",
      .tls = TLS_MAY,
      .user = "user" },
    { "R34 AUTH refused",
      { START_TLS, HELLO_AUTH("PLAIN"), "C:AUTH PLAIN", "S:535 5.7.8 no" },
      .want = "deferred session 535",
      .tls = TLS_MUST,
      .user = "user" },
    { "R34 AUTH not offered",
      { START_TLS, HELLO },
      .want = "deferred session 0 4.7.0",
      .tls = TLS_MUST,
      .user = "user" },
    { "T09 no TLS, no credentials",
      { GREET, HELLO_AUTH("PLAIN"), "C:QUIT" },
      .want = "deferred session 0 4.7.4",
      .tls = TLS_MAY,
      .user = "user" },
    { "N07 truncated after the final dot",
      { START_TLS, HELLO, FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "R:250 o",
        "D" },
      .want = "unknown session 0 4.4.2",
      .tls = TLS_MUST },
};

static void r12_r34_b04_tls_ends_as_it_must(void **state)
{
    size_t failed = 0;

    (void)state;
    peer.tls = make_tls_server();
    for (size_t i = 0; i < ARRAY_LEN(tls_cases); i++) {
        const struct tls_case *c = &tls_cases[i];

        set_up(c->script);
        fixture.routes[0].tls = c->tls;
        fixture.routes[0].tls_verify = c->verify;
        fixture.routes[0].user = str_of(c->user);
        fixture.routes[0].password = str_of(c->user ? "pass" : NULL);
        fixture_reload(&fixture);
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_await(&fixture, 1);
        failed += !ended_well(c->name, c->want, NULL);
        tear_down();
    }
    tls_server_free(peer.tls);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r12_r34_b04_tls_ends_as_it_must),
    };

    return cmocka_run_group_tests(tests, rehearsal_group_setup, rehearsal_group_teardown);
}

// SPDX-License-Identifier: Apache-2.0
/* accept/auth_test.c - SCRAM as a pipe, and client certificates. PLAIN and LOGIN are talk_test.c's.
 */
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "accept/expect_test.h"
#include "io/tls_real.h"

#define FIRST "AUTH SCRAM-SHA-256 Zmlyc3Q=\r\n"
#define FINAL "ZmluYWw=\r\n"
#define X64 "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
#define X1024 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64

enum { STEPS_MAX = 8 };

static const struct scram_case {
    const char *name;
    const char *steps; /* what vault has heard */
    struct {
        struct str say;
        const char *hear;
    } talk[STEPS_MAX];
} scram_cases[] = {
#define SAY(text, replies)                  \
    {                                       \
        { text, sizeof(text) - 1 }, replies \
    }
    { "R10 with the first message at once",
      "0:first 1:final 2: ",
      { SAY(FIRST, "334 c2VydmVyLWZpcnN0"), SAY(FINAL, "334 dj1vaw=="), SAY("\r\n", "235 2.7.0"),
        SAY(AUTH_ANN, "503"), SAY(FROM, "250") } },
    { "R10 asked for the first message",
      "0:first 1:final 2: ",
      { SAY("AUTH scram-sha-256\r\n", "334"), SAY("Zmlyc3Q=\r\n", "334"), SAY(FINAL, "334"),
        SAY("\r\n", "235") } },
    { "B07 cancelled at the first step",
      "",
      { SAY("AUTH SCRAM-SHA-256\r\n*\r\n", "334, 501 5.7.0"), SAY(AUTH_ANN, "235") } },
    { "B07 cancelled at the second step",
      "0:first ",
      { SAY(FIRST "*\r\n", "334, 501 5.7.0"), SAY(AUTH_ANN, "235") } },
    { "B07 cancelled at the last step",
      "0:first 1:final ",
      { SAY(FIRST FINAL "*\r\n", "334, 334, 501 5.7.0"), SAY(FROM, "530") } },
    { "B07 no base64",
      "0:first 0:first 1:final ",
      { SAY("AUTH SCRAM-SHA-256 !\r\n", "501 5.5.2"), SAY(FIRST "Zmlu YWw\r\n", "334, 501 5.5.2"),
        SAY(FIRST FINAL "=\r\n", "334, 334, 501 5.5.2") } },
    { "B07 NULs are passed on for vault to judge",
      "0: ",
      { SAY("AUTH SCRAM-SHA-256 AAAA\r\n", "501 5.5.2"), SAY(FROM, "530") } },
    { "B07 nothing at all", "0: ", { SAY("AUTH SCRAM-SHA-256 =\r\n", "501"), SAY(FROM, "530") } },
    { "B07 the form is wrong at the second step",
      "0:first 1:first ",
      { SAY(FIRST "Zmlyc3Q=\r\n", "334, 501"), SAY(FROM, "530") } },
    { "B07 words where none are wanted",
      "0:first 1:final 2:final ",
      { SAY(FIRST FINAL FINAL, "334, 334, 501"), SAY(FROM, "530") } },
    { "B07 begun anew",
      "0:first 0:first 1:final 2: ",
      { SAY(FIRST "*\r\n", "334, 501"), SAY(FIRST FINAL "\r\n", "334, 334, 235") } },
    { "B07 over the limit",
      "0:first ",
      { SAY(FIRST, "334"),
        SAY(X1024 X1024 X1024 X1024 X1024 X1024 X1024 X1024 X1024 X1024 X1024 X1024 X64 "\r\n",
            "500 5.5.6"),
        SAY("NOOP\r\n", "250") } },
    { "B07 a command in its place",
      "0:first ",
      { SAY(FIRST "QUIT\r\n", "334, 501"), SAY("NOOP\r\n", "250") } },
    { "A04 a wrong proof",
      "0:first 1:wrong ",
      { SAY(FIRST "d3Jvbmc=\r\n", "334, 535 5.7.8"), SAY(FROM, "530") } },
    { "A07 suspended, and the proof right",
      "0:first 1:suspended ",
      { SAY(FIRST "c3VzcGVuZGVk\r\n", "334, 525 5.7.13"), SAY(FROM, "530") } },
    { "A03 vault is busy", "0:busy ", { SAY("AUTH SCRAM-SHA-256 YnVzeQ==\r\n", "454 4.7.0") } },
    { "R10 with channel binding", "", { SAY("AUTH SCRAM-SHA-256-PLUS Zmlyc3Q=\r\n", "504") } },
    { "R10 EXTERNAL without a certificate", "", { SAY("AUTH EXTERNAL =\r\n", "504") } },
#undef SAY
};

static void greet(struct client *c)
{
    check_replies(c, STR("220"));
    client_say(c, STR(HELO));
    check_replies(c, STR("250"));
}

static void scram_goes_to_vault_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scram_cases); i++) {
        const struct scram_case *t = &scram_cases[i];
        struct world w;
        struct client c;

        print_message("%s\n", t->name);
        world_start(&w, "");
        client_connect(&c, &w, DOOR_SUBMISSIONS);
        greet(&c);
        for (size_t n = 0; n < STEPS_MAX && t->talk[n].hear != NULL; n++) {
            client_say(&c, t->talk[n].say);
            check_replies(&c, str_of(t->talk[n].hear));
        }
        assert_true(str_starts(str_of(w.steps), str_of(t->steps)));
        client_close(&c);
        world_end(&w);
    }
}

static void A02_scram_before_tls_is_refused(void **state)
{
    struct world w;
    struct client c;

    (void)state;
    world_start(&w, "");
    client_connect(&c, &w, DOOR_SUBMISSION);
    greet(&c);
    client_say(&c, STR(FIRST));
    check_replies(&c, STR("538 5.7.11"));
    assert_string_equal(w.steps, "");
    client_close(&c);
    world_end(&w);
}

/* Certificates ------------------------------------------------------------------------------ */

/* A handshake in which the client shows a certificate of its own. */
static void start_tls_with_certificate(struct client *c, uint8_t ret_sha256[32])
{
    struct tls_client *tls;
    struct buf chain, key;
    struct err err;
    unsigned len;

    world_make_certificate(&chain, &key);
    BIO *chain_bio = BIO_new_mem_buf(chain.ptr, (int)chain.len);
    BIO *key_bio = BIO_new_mem_buf(key.ptr, (int)key.len);
    X509 *x = PEM_read_bio_X509(chain_bio, NULL, NULL, NULL);
    EVP_PKEY *pair = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);

    if (!tls_client_new(TLS_VERIFY_NONE, NULL, &tls, &err))
        fail_msg("%s", err.text);
    assert_int_equal(SSL_CTX_use_certificate(tls->ctx, x), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(tls->ctx, pair), 1);
    assert_int_equal(X509_digest(x, EVP_sha256(), ret_sha256, &len), 1);
    if (!stream_start_tls_client(c->stream, tls, STR("relay.example.net"), loop_now_ms() + 20000,
                                 NULL, &err))
        fail_msg("%s", err.text);
    tls_client_free(tls);
    EVP_PKEY_free(pair);
    X509_free(x);
    BIO_free(chain_bio);
    BIO_free(key_bio);
    buf_done(&chain);
    buf_done(&key);
}

#define ASKED "tls: { client_certificates: true }\n"
#define THERE "RCPT TO:<a@other.example>\r\n"

static const struct certificate_case {
    const char *name, *yaml;
    enum door_kind door;
    unsigned flags; /* that vault gives */
    uint16_t code;
    unsigned told; /* to vault */
    const char *greeted;
    struct str say;
    const char *hear;
} certificate_cases[] = {
#define SAY(text)              \
    {                          \
        text, sizeof(text) - 1 \
    }
    { "R09 submission", ASKED, DOOR_SUBMISSION, BIND_CERTIFICATE | BIND_AUTHENTICATED, 0, 1, "250",
      SAY(FROM THERE), "250, 250" },
    { "R09 relay", ASKED, DOOR_RELAY, BIND_CERTIFICATE | BIND_AUTHENTICATED, 0, 1, "250",
      SAY(FROM THERE), "250, 250" },
    { "R09 nobody's on submission", ASKED, DOOR_SUBMISSION, 0, 0, 1, "250", SAY(FROM), "530" },
    { "R09 nobody's on relay", ASKED, DOOR_RELAY, 0, 0, 1, "250", SAY(FROM THERE TO),
      "250, 550, 250" },
    { "R09 not asked for", "", DOOR_SUBMISSION, BIND_CERTIFICATE | BIND_AUTHENTICATED, 0, 0, "250",
      SAY(FROM), "530" },
    { "R25 too many sessions of its account", ASKED, DOOR_SUBMISSION, 0, 421, 1, "421", SAY(""),
      "end" },
    { "R10 EXTERNAL", ASKED, DOOR_SUBMISSION, BIND_CERTIFICATE | BIND_AUTHENTICATED, 0, 1, "250",
      SAY("AUTH EXTERNAL =\r\n" AUTH_ANN), "235, 503" },
    { "R10 EXTERNAL, asked", ASKED, DOOR_SUBMISSION, BIND_CERTIFICATE | BIND_AUTHENTICATED, 0, 1,
      "250", SAY("AUTH EXTERNAL\r\n\r\n"), "334, 235" },
    { "R10 EXTERNAL as itself", ASKED, DOOR_SUBMISSION, BIND_CERTIFICATE | BIND_AUTHENTICATED, 0, 1,
      "250", SAY("AUTH EXTERNAL Y2VydC5leGFtcGxl\r\n"), "235" },
    { "B07 EXTERNAL as another", ASKED, DOOR_SUBMISSION, BIND_CERTIFICATE | BIND_AUTHENTICATED, 0,
      1, "250", SAY("AUTH EXTERNAL cm9vdA==\r\n"), "535" },
    { "R10 signing in besides", ASKED, DOOR_SUBMISSION, BIND_CERTIFICATE | BIND_AUTHENTICATED, 0, 1,
      "250", SAY(AUTH_ANN FROM), "235, 250" },
#undef SAY
};

static void certificates_are_told_to_vault(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(certificate_cases); i++) {
        const struct certificate_case *t = &certificate_cases[i];
        uint8_t sha256[32];
        struct world w;
        struct client c;

        print_message("%s\n", t->name);
        world_start(&w, t->yaml);
        w.certificate_flags = t->flags;
        w.certificate_code = t->code;
        client_connect(&c, &w, t->door);
        greet(&c);
        client_say(&c, STR("STARTTLS\r\n"));
        check_replies(&c, STR("220"));
        start_tls_with_certificate(&c, sha256);
        client_say(&c, STR(HELO));
        check_replies(&c, str_of(t->greeted));
        assert_int_equal(str_find(str_of(c.text), STR("EXTERNAL")) < strlen(c.text),
                         t->door == DOOR_SUBMISSION && t->told && t->flags);
        client_say(&c, t->say);
        check_replies(&c, str_of(t->hear));
        assert_int_equal(w.certificates, t->told);
        if (t->told)
            assert_memory_equal(w.sha256, sha256, sizeof(sha256));
        client_close(&c);
        assert_int_equal(w.accept->sessions.count, 0);
        world_end(&w);
    }
}

static void R09_a_certificate_over_implicit_tls(void **state)
{
    uint8_t sha256[32];
    struct world w;
    struct client c;

    (void)state;
    world_start(&w, ASKED);
    w.certificate_flags = BIND_CERTIFICATE | BIND_AUTHENTICATED;
    client_connect(&c, &w, DOOR_PROXIED_TLS);
    if (!stream_put(c.stream, STR("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n"), NULL))
        fail();
    start_tls_with_certificate(&c, sha256);
    greet(&c);
    client_say(&c, STR(FROM THERE));
    check_replies(&c, STR("250, 250"));
    assert_int_equal(w.certificates, 1);
    assert_memory_equal(w.sha256, sha256, sizeof(sha256));
    client_close(&c);
    world_end(&w);
}

static void R09_who_has_none_signs_in_as_before(void **state)
{
    struct world w;
    struct client c;

    (void)state;
    world_start(&w, ASKED);
    client_connect(&c, &w, DOOR_SUBMISSIONS);
    greet(&c);
    client_say(&c, STR(FROM AUTH_ANN FROM));
    check_replies(&c, STR("530, 235, 250"));
    assert_int_equal(w.certificates, 0);
    client_close(&c);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scram_goes_to_vault_and_back),
        cmocka_unit_test(A02_scram_before_tls_is_refused),
        cmocka_unit_test(certificates_are_told_to_vault),
        cmocka_unit_test(R09_a_certificate_over_implicit_tls),
        cmocka_unit_test(R09_who_has_none_signs_in_as_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* deliver/sign_test.c - messages that leave signed, or not at all (R43; faults Y02, Y04). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "deliver/rehearsal.h"
#include "mail/dkim.h"
#include "mail/header.h"

#define RSA 1

static EVP_PKEY *rsa, *ed25519;

static size_t sign_rsa(struct str hash, unsigned char to[512])
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(rsa, NULL);
    size_t len = 512;

    assert_int_equal(EVP_PKEY_sign_init(c), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()), 1);
    assert_int_equal(EVP_PKEY_sign(c, to, &len, (const void *)hash.ptr, hash.len), 1);
    EVP_PKEY_CTX_free(c);
    return len;
}

static size_t sign_ed25519(struct str hash, unsigned char to[512])
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    size_t len = 512;

    assert_int_equal(EVP_DigestSignInit(c, NULL, NULL, NULL, ed25519), 1);
    assert_int_equal(EVP_DigestSign(c, to, &len, (const void *)hash.ptr, hash.len), 1);
    EVP_MD_CTX_free(c);
    return len;
}

static size_t sign_either(uint64_t key, struct str hash, unsigned char to[512], uint16_t *ret_code)
{
    (void)ret_code;
    return key == RSA ? sign_rsa(hash, to) : sign_ed25519(hash, to);
}

static size_t sign_rsa_only(uint64_t key, struct str hash, unsigned char to[512],
                            uint16_t *ret_code)
{
    *ret_code = key == RSA ? 0 : 451;
    return key == RSA ? sign_rsa(hash, to) : 0;
}

static size_t sign_nothing(uint64_t key, struct str hash, unsigned char to[512], uint16_t *ret_code)
{
    (void)key;
    (void)hash;
    (void)to;
    (void)ret_code;
    return 0;
}

static unsigned refusals;

/* Vault comes back after so many. */
static size_t sign_later(uint64_t key, struct str hash, unsigned char to[512], uint16_t *ret_code)
{
    if (refusals == 0)
        return sign_either(key, hash, to, ret_code);
    refusals--;
    *ret_code = 451;
    return 0;
}

static int make_keys(void **state)
{
    rsa = EVP_RSA_gen(2048);
    ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return rehearsal_group_setup(state);
}

static int free_keys(void **state)
{
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed25519);
    return rehearsal_group_teardown(state);
}

/* --- what the peer got --- */

static void read_key(enum dkim_algorithm algorithm, struct arena *a, struct dkim_key *ret)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(algorithm == DKIM_RSA_SHA256 ? rsa : ed25519, &der);
    struct buf record;
    struct err err;

    buf_init(&record, 4096);
    assert_true(dkim_key_write(&record, algorithm, str_make(der, (size_t)len)));
    assert_true(dkim_key_read(arena_str(a, buf_str(&record)), a, ret, &err));
    OPENSSL_free(der);
    buf_done(&record);
}

static void hash_body(struct str body, uint8_t ret[DKIM_HASH_BYTES])
{
    struct dkim_body b = { 0 };

    dkim_body_begin(&b, DKIM_RELAXED, UINT64_MAX);
    dkim_body_add(&b, body);
    dkim_body_end(&b, ret);
    dkim_body_done(&b);
}

/* As the peer sees it: without the dots of DATA and its end. */
static struct buf unstuffed(struct str content)
{
    struct buf plain;
    bool line_start = true;

    buf_init(&plain, SIZE_MAX);
    if (str_eq(str_skip(content, content.len - 5), STR("\r\n.\r\n")))
        content.len -= 3;
    for (size_t i = 0; i < content.len; i++) {
        if (!line_start || content.ptr[i] != '.')
            buf_add_char(&plain, content.ptr[i]);
        line_start = content.ptr[i] == '\n';
    }
    return plain;
}

static struct buf copied(struct str content)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    buf_add(&b, content);
    return b;
}

/* Every signature holds; their number is returned. */
static unsigned count_valid(struct str message)
{
    uint8_t body_hash[DKIM_HASH_BYTES], hash[DKIM_HASH_BYTES];
    struct str section = str_sub(message, 0, header_end(message));
    struct dkim_signature s;
    struct dkim_key key;
    struct arena a;
    struct err err = { 0 };
    unsigned count = 0;

    arena_init(&a, 4096);
    hash_body(str_skip(message, section.len), body_hash);
    for (size_t at = 0; dkim_signature_next(section, &at, &a, &s, &err); count++) {
        assert_int_not_equal(s.algorithm, 0);
        read_key(s.algorithm, &a, &key);
        assert_true(dkim_header_hash(section, &s, hash, &err));
        if (!dkim_verify(&s, &key, hash, body_hash, 1700000000, &err))
            fail_msg("signature %u: %s", count, err.text);
    }
    arena_done(&a);
    return count;
}

/* The last message that came. */
static void check_signed(unsigned signatures, bool by_data)
{
    struct str content = buf_str(&peer.content);
    struct buf plain = by_data ? unstuffed(content) : copied(content);

    assert_true(str_starts(buf_str(&plain), STR("DKIM-Signature: ")));
    assert_int_equal(count_valid(buf_str(&plain)), signatures);
    buf_done(&plain);
}

static void begin(const char *const *script)
{
    set_up(script);
    fixture.sign = sign_either;
}

/* --- messages --- */

static const struct sign_case {
    const char *name;
    struct errand errand;
    const char *hello;
    const char *mail;
    bool body_hash; /* core tells it */
} sign_cases[] = {
    { "RSA", { .signs = 1 }, "S:250 mx", "C:MAIL FROM:<ann@client.test>", false },
    { "RSA and Ed25519", { .signs = 2 }, "S:250 mx", "C:MAIL FROM:<ann@client.test>", false },
    { "the body's hash is known",
      { .signs = 2 },
      "S:250 mx",
      "C:MAIL FROM:<ann@client.test>",
      true },
    { "Y02 no body",
      { .signs = 1, .content = STR("From: a\r\n\r\n") },
      "S:250 mx",
      "C:MAIL",
      false },
    { "Y02 no final CRLF",
      { .signs = 1, .content = STR("From: a\r\n\r\nhello \t") },
      "S:250 mx",
      "C:MAIL",
      false },
    { "Y02 8 bits",
      { .signs = 2,
        .eight_bit = true,
        .content = STR("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n") },
      "S:250-mx\r\n250 8BITMIME",
      "C:MAIL FROM:<ann@client.test> BODY=8BITMIME",
      true },
    /* The hash of what was received must not be used for what is sent. */
    { "Y02 8 bits to a 7-bit peer",
      { .signs = 2,
        .eight_bit = true,
        .content = STR("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n") },
      "S:250 mx",
      "C:MAIL FROM:<ann@client.test>",
      true },
};

static void r43_y02_signed_as_it_is_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sign_cases); i++) {
        const struct sign_case *c = &sign_cases[i];
        const char *const script[] = {
            GREET,      "C:EHLO", c->hello,   c->mail, "S:250 ok", TO,
            "S:250 ok", "C:DATA", "S:354 go", "B",     "S:250 ok", NULL
        };
        struct errand e = c->errand;
        uint8_t hash[DKIM_HASH_BYTES];
        struct str whole =
            e.content.len > 0 ? e.content : STR("Subject: hello\r\n\r\n.dot\r\n..two\r\nend\r\n");

        print_message("%s\n", c->name);
        hash_body(str_skip(whole, header_end(whole)), hash);
        e.body_hash = c->body_hash ? hash : NULL;
        begin(script);
        fixture_send(&fixture, &e);
        fixture_await(&fixture, 1);
        check("relayed message 250");
        check_signed(e.signs, true);
        assert_int_equal(fixture.sign_asks, e.signs);
        tear_down();
    }
}

/* R36: SIZE= counts the signature's octets. */
static void r36_size_is_that_of_the_signed_message(void **state)
{
    static const char *const script[] = { GREET,
                                          "C:EHLO",
                                          "S:250-mx\r\n250-CHUNKING\r\n250 SIZE 100000",
                                          "C:MAIL FROM:<ann@client.test> SIZE=",
                                          "S:250 ok",
                                          TO,
                                          "S:250 ok",
                                          "N",
                                          "S:250 ok",
                                          NULL };
    struct str said;
    uint64_t size = 0;

    (void)state;
    begin(script);
    fixture_send(&fixture, &(struct errand){ .signs = 2 });
    fixture_await(&fixture, 1);
    check("relayed message 250");
    check_signed(2, false);
    said = str_skip(buf_str(&peer.commands), str_find(buf_str(&peer.commands), STR("SIZE=")) + 5);
    assert_true(str_eat_u64(&said, &size));
    assert_int_equal(size, peer.content.len);
    tear_down();
}

/* Y04: whatever keeps one signature from being made, nothing is sent. */
static void y04_never_unsigned(void **state)
{
    static const char *const script[] = { GREET, HELLO, "C:QUIT", "S:221 bye", NULL };
    size_t (*const answers[])(uint64_t, struct str, unsigned char[512],
                              uint16_t *) = { sign_rsa_only, sign_nothing };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        begin(script);
        fixture.sign = answers[i];
        fixture_send(&fixture, &(struct errand){ .signs = 2 });
        fixture_await(&fixture, 1);
        check("deferred message 0 4.7.5");
        assert_int_equal(peer.content.len, 0);
        tear_down();
    }
}

/* Another message on the same connection goes on. */
static void y04_others_are_not_held_up(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, NULL };

    (void)state;
    begin(script);
    fixture.sign = sign_rsa_only;
    fixture_send(&fixture, &(struct errand){ .signs = 2, .connections = 1 });
    fixture_send(&fixture, &(struct errand){ .signs = 1, .connections = 1 });
    fixture_await(&fixture, 2);
    check("deferred message 0 4.7.5; relayed message 250");
    check_signed(1, true);
    tear_down();
}

static void core_dies_while_a_hash_is_asked(void **state)
{
    static const char *const script[] = { GREET, HELLO, NULL };

    (void)state;
    begin(script);
    fixture.sign = NULL;
    fixture_send(&fixture, &(struct errand){ .signs = 1 });
    while (fixture.sign_asks == 0)
        loop_turn(100);
    fixture_cut(&fixture);
    tear_down();
    assert_int_equal(peer.content.len, 0);
    assert_string_equal(peer.failure, "");
}

static void a_cancelled_job_is_not_waited_for(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, NULL };

    (void)state;
    begin(script);
    fixture.sign = NULL;
    fixture_send(&fixture, &(struct errand){ .signs = 1, .connections = 1 });
    while (fixture.sign_asks == 0)
        loop_turn(100);
    fixture_cancel(&fixture, 1);
    fixture_sign(&fixture, 1); /* comes too late, and does no harm */
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_await(&fixture, 1);
    check("relayed message 250");
    tear_down();
}

static void an_answer_that_nobody_asked_for_ends_the_link(void **state)
{
    static const char *const script[] = { GREET, NULL };

    (void)state;
    begin(script);
    fixture_send(&fixture, &(struct errand){ .signs = 1 });
    fixture_sign(&fixture, 1); /* the greeting has not even come */
    while (fixture.failure[0] == '\0')
        loop_turn(100);
    assert_non_null(strstr(fixture.failure, "link closed"));
    tear_down();
}

/* --- once more --- */

static void a_following_transaction_asks_no_more(void **state)
{
    static const char *const script[] = { GREET,
                                          "C:EHLO",
                                          "S:250-mx\r\n250 LIMITS RCPTMAX=1",
                                          FROM,
                                          "S:250 ok",
                                          "C:RCPT TO:<a@",
                                          "S:250 ok",
                                          "C:DATA",
                                          "S:354 go",
                                          "B",
                                          "S:250 one",
                                          FROM,
                                          "S:250 ok",
                                          "C:RCPT TO:<b@",
                                          "S:250 ok",
                                          "C:DATA",
                                          "S:354 go",
                                          "B",
                                          "S:250 two",
                                          NULL };
    struct str first;

    (void)state;
    begin(script);
    fixture_send(&fixture, &(struct errand){ .signs = 1, .rcpts = { "a@b.test", "b@b.test" } });
    fixture_await(&fixture, 1);
    check("relayed message 250; relayed message 250");
    assert_int_equal(fixture.sign_asks, 1);
    first = str_sub(buf_str(&peer.content), 0, peer.content.len / 2);
    assert_true(str_eq(first, str_skip(buf_str(&peer.content), first.len)));
    assert_true(str_starts(first, STR("DKIM-Signature: ")));
    tear_down();
}

/* The connection that was kept says 421; the next server takes 7 bits only: another form, asked for
 * once more. */
static void another_host_gets_the_form_that_it_takes(void **state)
{
    static const char *const script[] = { GREET,
                                          "C:EHLO",
                                          "S:250-mx\r\n250 8BITMIME",
                                          "C:MAIL",
                                          "S:250 ok",
                                          TO,
                                          "S:250 ok",
                                          "C:DATA",
                                          "S:354 go",
                                          "B",
                                          "S:250 ok",
                                          "C:MAIL",
                                          "S:421 4.3.2 bye",
                                          "D",
                                          "|",
                                          GREET,
                                          HELLO,
                                          TAKE,
                                          NULL };
    struct errand e = { .signs = 1,
                        .eight_bit = true,
                        .connections = 1,
                        .content = STR("MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
                                       "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n") };

    (void)state;
    begin(script);
    fixture_send(&fixture, &e);
    fixture_await(&fixture, 1);
    buf_clear(&peer.content);
    fixture_send(&fixture, &e);
    fixture_await(&fixture, 2);
    check("relayed message 250; relayed message 250");
    assert_int_equal(fixture.sign_asks, 3);
    assert_true(str_is_ascii(buf_str(&peer.content)));
    check_signed(1, true);
    tear_down();
}

/* --- ahead --- */

/* Waits for hashes, while no connection can have come to the last job. */
static void await_asks(unsigned asks)
{
    int64_t end_ms = loop_now_ms() + 20000;

    while (fixture.sign_asks < asks && loop_now_ms() < end_ms)
        loop_turn(100);
    assert_int_equal(fixture.sign_asks, asks);
}

/* A connection is there, one job waits on it for its signature: the one behind it is asked for too.
 */
static void what_waits_in_the_queue_is_asked_for(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, TAKE, TAKE, NULL };
    static const struct errand signed_errand = { .signs = 1, .connections = 1 };

    (void)state;
    begin(script);
    fixture.sign = NULL;
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_await(&fixture, 1);
    fixture_send(&fixture, &signed_errand);
    fixture_send(&fixture, &signed_errand);
    await_asks(2);
    fixture_sign(&fixture, 3);
    fixture_sign(&fixture, 2);
    fixture_await(&fixture, 3);
    check("relayed message 250; relayed message 250; relayed message 250");
    assert_int_equal(fixture.sign_asks, 2);
    assert_int_equal(peer.connections, 1);
    tear_down();
}

static void what_was_refused_ahead_is_asked_for_again(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, TAKE, NULL };

    (void)state;
    begin(script);
    fixture.sign = sign_later;
    refusals = 2;
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_await(&fixture, 1);
    buf_clear(&peer.content);
    fixture_send(&fixture, &(struct errand){ .signs = 2, .connections = 1 });
    fixture_await(&fixture, 2);
    check("relayed message 250; relayed message 250");
    check_signed(2, true);
    assert_int_equal(fixture.sign_asks, 4);
    tear_down();
}

/* --- large ones --- */

/* 1 MB streams when core tells the hash, is gathered when not; it is the same message. */
static void large_messages(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, NULL };
    uint8_t hash[DKIM_HASH_BYTES];
    struct buf large;

    (void)state;
    buf_init(&large, 4 << 20);
    buf_add(&large, STR("Subject: large\r\nFrom: a\r\n\r\n"));
    for (size_t i = 0; large.len < 1024 * 1024; i++)
        buf_addf(&large, "%.*s%zu \t x  \r\n", (int)(i % 5), ".....", i);
    hash_body(str_skip(buf_str(&large), header_end(buf_str(&large))), hash);
    for (size_t i = 0; i < 2; i++) {
        begin(script);
        fixture_send(&fixture, &(struct errand){ .signs = 2,
                                                 .content = buf_str(&large),
                                                 .body_hash = i == 0 ? hash : NULL });
        fixture_await(&fixture, 1);
        check("relayed message 250");
        check_signed(2, true);
        tear_down();
    }
    buf_done(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r43_y02_signed_as_it_is_sent),
        cmocka_unit_test(r36_size_is_that_of_the_signed_message),
        cmocka_unit_test(y04_never_unsigned),
        cmocka_unit_test(y04_others_are_not_held_up),
        cmocka_unit_test(core_dies_while_a_hash_is_asked),
        cmocka_unit_test(a_cancelled_job_is_not_waited_for),
        cmocka_unit_test(an_answer_that_nobody_asked_for_ends_the_link),
        cmocka_unit_test(a_following_transaction_asks_no_more),
        cmocka_unit_test(another_host_gets_the_form_that_it_takes),
        cmocka_unit_test(what_waits_in_the_queue_is_asked_for),
        cmocka_unit_test(what_was_refused_ahead_is_asked_for_again),
        cmocka_unit_test(large_messages),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}

// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_sign_test.c - what we sign is what the verifier sees: round trips with both algorithms,
 * what is named in h=, and what an attacker may add (faults Y01, Y03). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "mail/dkim.h"
#include "mail/header.h"

static struct key {
    enum dkim_algorithm algorithm;
    EVP_PKEY *secret;
    struct buf record;
} keys[2];

static int make_keys(void **state)
{
    (void)state;
    keys[0] = (struct key){ .algorithm = DKIM_RSA_SHA256, .secret = EVP_RSA_gen(2048) };
    keys[1] = (struct key){ .algorithm = DKIM_ED25519_SHA256,
                            .secret = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        unsigned char *der = NULL;
        int len = i2d_PUBKEY(keys[i].secret, &der);

        buf_init(&keys[i].record, 4096);
        assert_true(dkim_key_write(&keys[i].record, keys[i].algorithm, str_make(der, (size_t)len)));
        OPENSSL_free(der);
    }
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        EVP_PKEY_free(keys[i].secret);
        buf_done(&keys[i].record);
    }
    return 0;
}

static size_t sign_hash(const struct key *k, const uint8_t hash[DKIM_HASH_BYTES],
                        unsigned char to[512])
{
    size_t len = 512;

    if (k->algorithm == DKIM_RSA_SHA256) {
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(k->secret, NULL);

        assert_int_equal(EVP_PKEY_sign_init(c), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()), 1);
        assert_int_equal(EVP_PKEY_sign(c, to, &len, hash, DKIM_HASH_BYTES), 1);
        EVP_PKEY_CTX_free(c);
    } else {
        EVP_MD_CTX *c = EVP_MD_CTX_new();

        assert_int_equal(EVP_DigestSignInit(c, NULL, NULL, NULL, k->secret), 1);
        assert_int_equal(EVP_DigestSign(c, to, &len, hash, DKIM_HASH_BYTES), 1);
        EVP_MD_CTX_free(c);
    }
    return len;
}

static void hash_body(struct str body, uint8_t ret[DKIM_HASH_BYTES])
{
    struct dkim_body b = { 0 };

    dkim_body_begin(&b, DKIM_RELAXED, UINT64_MAX);
    dkim_body_add(&b, body);
    dkim_body_end(&b, ret);
    dkim_body_done(&b);
}

/* Appends the signature's field. */
static void sign(struct buf *to, const struct key *k, struct str section, struct str body)
{
    struct dkim_sign with = { .algorithm = k->algorithm,
                              .domain = STR("example.org"),
                              .selector = STR("s1"),
                              .signed_s = 1700000000,
                              .expires_s = 1701000000 };
    uint8_t body_hash[DKIM_HASH_BYTES], hash[DKIM_HASH_BYTES];
    unsigned char signature[512];
    struct buf field;
    struct err err;

    buf_init(&field, 1 << 20);
    hash_body(body, body_hash);
    assert_true(dkim_sign_begin(&field, section, &with, body_hash, hash, &err));
    assert_true(
        dkim_sign_end(to, buf_str(&field), str_make(signature, sign_hash(k, hash, signature))));
    buf_done(&field);
}

/* The first signature of the section; true when it holds. */
static bool holds(const struct key *k, struct str section, struct str body)
{
    uint8_t body_hash[DKIM_HASH_BYTES], hash[DKIM_HASH_BYTES];
    struct dkim_signature s;
    struct dkim_key public;
    struct arena a;
    struct err err;
    size_t at = 0;
    bool ok;

    arena_init(&a, 4096);
    hash_body(body, body_hash);
    assert_true(dkim_key_read(buf_str(&k->record), &a, &public, &err));
    assert_true(dkim_signature_next(section, &at, &a, &s, &err));
    assert_int_equal(s.algorithm, k->algorithm);
    assert_int_equal(s.expires_s, 1701000000);
    assert_true(s.body_length == UINT64_MAX);
    assert_true(dkim_header_hash(section, &s, hash, &err));
    ok = dkim_verify(&s, &public, hash, body_hash, 1700000000, &err);
    arena_done(&a);
    return ok;
}

static const struct round_case {
    const char *name;
    struct str section, body;
} round_cases[] = {
    { "plain", STR("From: a@example.org\r\nTo: b@example.net\r\nSubject: x\r\n\r\n"),
      STR("hello\r\n") },
    { "nothing", STR(""), STR("") },
    { "only an empty line", STR("\r\n"), STR("") },
    { "only From", STR("From: a@example.org\r\n"), STR("\r\n\r\n") },
    { "no value", STR("From:\r\nSubject: \r\n \t\r\n\r\n"), STR("x") },
    { "odd white space",
      STR("FROM  :\ta@example.org \t \r\nsubject:a\r\n \r\n\t b  \t c\r\nTo:x\r\n\r\n"),
      STR("a  b \r\n\t\r\n") },
    { "eight bits, long lines",
      STR("From: J\xc3\xb6rg <j\xc3\xb6rg@\xc3\xa4.example>\r\nSubject: \xe4\xff\r\n\r\n"),
      STR("\xc3\xa4\0\xff\r\n") },
    { "several of each",
      STR("Received: a\r\nReceived: b\r\nTo: 1\r\nFrom: a\r\nTo: 2\r\nList-Id: <l>\r\nSender: x\r\n"
          "DKIM-Signature: v=1; none\r\nList-Unsubscribe: <u>\r\nResent-From: r\r\nTo: 3\r\n\r\n"),
      STR("x\r\n") },
    { "line ends of BINARYMIME", STR("From: a\nTo: b\n c\r\n\r\n"), STR("a\nb\rc") },
};

static void r43_y02_what_we_sign_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(round_cases) * 2; i++) {
        const struct round_case *c = &round_cases[i / 2];
        struct buf sent;

        print_message("%s\n", c->name);
        buf_init(&sent, 1 << 20);
        sign(&sent, &keys[i % 2], c->section, c->body);
        buf_add(&sent, c->section);
        assert_true(holds(&keys[i % 2], buf_str(&sent), c->body));
        buf_add(&sent, STR("From: late"));
        assert_int_equal(holds(&keys[i % 2], buf_str(&sent), c->body),
                         header_end(c->section) > 0); /* behind the empty line it is no field */
        buf_done(&sent);
    }
}

/* Two keys, each over the header without the other's field, which is how both hold. */
static void r43_two_signatures(void **state)
{
    struct str section = STR("From: a@example.org\r\nSubject: x\r\n\r\n"), body = STR("hello\r\n");
    struct buf one, both;

    (void)state;
    buf_init(&one, 1 << 16);
    buf_init(&both, 1 << 16);
    sign(&one, &keys[1], section, body);
    buf_add(&both, buf_str(&one));
    sign(&both, &keys[0], section, body);
    buf_add(&both, section);
    assert_true(holds(&keys[1], buf_str(&both), body));
    assert_true(holds(&keys[0], str_skip(buf_str(&both), one.len), body));
    buf_done(&one);
    buf_done(&both);
}

static const struct added_case {
    const char *field;
    bool holds;
} added_cases[] = {
    { "From: evil@example.com\r\n", false },
    { "Subject: evil\r\n", false },
    { "To: x\r\n", false },
    { "Cc: x\r\n", false },
    { "Reply-To: x\r\n", false },
    { "Date: x\r\n", false },
    { "Message-ID: <x>\r\n", false },
    { "MIME-Version: 1.0\r\n", false },
    { "Content-Type: text/html\r\n", false },
    { "Content-Transfer-Encoding: base64\r\n", false },
    { "List-Unsubscribe: <x>\r\n", false }, /* there is one */
    /* What others add on the way. */
    { "Received: from x\r\n", true },
    { "Return-Path: <x>\r\n", true },
    { "Authentication-Results: x\r\n", true },
    { "DKIM-Signature: v=1\r\n", true },
    { "ARC-Seal: i=1\r\n", true },
    { "List-Id: <x>\r\n", true },
    { "Sender: <x>\r\n", true },
    { "Resent-From: x\r\n", true },
    { "X-Spam: no\r\n", true },
};

static void y01_y03_what_may_be_added(void **state)
{
    struct str section = STR("From: a@example.org\r\nSubject: x\r\nList-Unsubscribe: <u>\r\n"
                             "Resent-From: r\r\n"),
               body = STR("hello\r\n");
    struct buf field, sent;

    (void)state;
    buf_init(&field, 1 << 16);
    buf_init(&sent, 1 << 16);
    sign(&field, &keys[1], section, body);
    for (size_t i = 0; i < ARRAY_LEN(added_cases) * 2; i++) {
        const struct added_case *c = &added_cases[i / 2];
        bool in_front = i % 2 == 0;

        /* Behind, it would be the first one to be taken: what was there already is moved. */
        if (!in_front && str_starts(str_of(c->field), STR("Resent-From")))
            continue;
        print_message("%s", c->field);
        buf_clear(&sent);
        buf_add(&sent, buf_str(&field));
        if (in_front)
            buf_add(&sent, str_of(c->field));
        buf_add(&sent, section);
        if (!in_front)
            buf_add(&sent, str_of(c->field));
        assert_int_equal(holds(&keys[1], buf_str(&sent), body), c->holds);
    }
    buf_done(&field);
    buf_done(&sent);
}

static void the_field_as_it_is_written(void **state)
{
    struct dkim_sign with = { .algorithm = DKIM_ED25519_SHA256,
                              .domain = STR("example.org"),
                              .selector = STR("s1"),
                              .signed_s = 1,
                              .expires_s = 2 };
    uint8_t body_hash[DKIM_HASH_BYTES] = { 0 }, hash[DKIM_HASH_BYTES];
    struct buf field, whole;
    char signature[64] = { 0 };
    struct err err;

    (void)state;
    buf_init(&field, 1 << 16);
    buf_init(&whole, 1 << 16);
    assert_true(
        dkim_sign_begin(&field, STR("To: x\r\nFrom: a\r\n\r\n"), &with, body_hash, hash, &err));
    assert_true(dkim_sign_end(&whole, buf_str(&field), str_make(signature, 64)));
    assert_string_equal(
        buf_cstr(&whole),
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
        " d=example.org;\r\n"
        " s=s1;\r\n"
        " t=1; x=2;\r\n"
        " h=From:From:Reply-To:To:To:Cc:Subject:Date:Message-ID:In-Reply-To:\r\n"
        " References:MIME-Version:Content-Type:Content-Transfer-Encoding;\r\n"
        " bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;\r\n"
        " b=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"
        " AAAAAAAAAAAAAA==\r\n");
    buf_done(&field);
    buf_done(&whole);
}

static void no_line_is_long(void **state)
{
    struct buf section, whole;
    struct str rest;
    size_t end;

    (void)state;
    buf_init(&section, 1 << 16);
    buf_init(&whole, 1 << 20);
    for (size_t i = 0; i < 500; i++)
        buf_add(&section, i % 2 ? STR("Resent-Message-ID: <x>\r\n") : STR("To: y\r\n"));
    sign(&whole, &keys[0], buf_str(&section), STR(""));
    for (rest = buf_str(&whole); rest.len > 0; rest = str_skip(rest, end + 2)) {
        end = str_find(rest, STR("\r\n"));
        assert_true(end < rest.len && end <= 78);
    }
    buf_done(&section);
    buf_done(&whole);
}

static void what_is_refused(void **state)
{
    static const struct {
        struct str domain, selector;
    } wrong[] = {
        { STR("example.org;"), STR("s1") },
        { STR("a\r\nFrom: x"), STR("s1") },
        { STR(""), STR("s1") },
        { STR("example.org"), STR("") },
        { STR("example.org"), STR("s1; d=") },
        { STR("\xc3\xa4.example"), STR("s1") },
    };
    uint8_t body_hash[DKIM_HASH_BYTES] = { 0 }, hash[DKIM_HASH_BYTES];
    struct buf field, many;
    struct err err;

    (void)state;
    buf_init(&field, 1 << 16);
    buf_init(&many, 1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct dkim_sign with = { .algorithm = DKIM_RSA_SHA256,
                                  .domain = wrong[i].domain,
                                  .selector = wrong[i].selector };

        assert_false(dkim_sign_begin(&field, STR("From: a\r\n"), &with, body_hash, hash, &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
    for (size_t i = 0; i <= HEADER_FIELDS_MAX + EDITS_MAX; i++)
        buf_add(&many, STR("X: y\r\n"));
    assert_false(dkim_sign_begin(&field, buf_str(&many),
                                 &(struct dkim_sign){ .algorithm = DKIM_RSA_SHA256,
                                                      .domain = STR("e.org"),
                                                      .selector = STR("s") },
                                 body_hash, hash, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_done(&field);
    buf_done(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r43_y02_what_we_sign_holds),
        cmocka_unit_test(r43_two_signatures),
        cmocka_unit_test(y01_y03_what_may_be_added),
        cmocka_unit_test(the_field_as_it_is_written),
        cmocka_unit_test(no_line_is_long),
        cmocka_unit_test(what_is_refused),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}

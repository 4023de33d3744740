// SPDX-License-Identifier: Apache-2.0
/* test/signing/sign_corpus.c - signs messages from standard input as deliver does, with keys that
 * are made for this run and forgotten with it.
 *
 *     out   rsa RECORD
 *           ed25519 RECORD
 *     in    HOW BYTES        how: one or more of r (RSA-2048) and e (Ed25519); then so many octets
 *     out   BYTES            then so many octets: the same with its signatures in front
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "mail/dkim.h"
#include "mail/header.h"

#define DOMAIN STR("example.org")
#define DAY_S 86400
#define MESSAGE_MAX (16u << 20)

static _Noreturn void fail(const char *why)
{
    fprintf(stderr, "sign-corpus: %s\n", why);
    exit(1);
}

static void must(int ok, const char *what)
{
    if (ok != 1)
        fail(what);
}

struct key {
    enum dkim_algorithm algorithm;
    struct str selector;
    EVP_PKEY *secret;
};

static void print_record(const struct key *k)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(k->secret, &der);
    struct buf record;

    buf_init(&record, 4096);
    if (len <= 0 || !dkim_key_write(&record, k->algorithm, str_make(der, (size_t)len)))
        fail("no record");
    printf("%.*s %s\n", STR_FMT(k->selector), buf_cstr(&record));
    OPENSSL_free(der);
    buf_done(&record);
}

static size_t sign_rsa(EVP_PKEY *secret, const uint8_t hash[DKIM_HASH_BYTES], unsigned char to[512])
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(secret, NULL);
    size_t len = 512;

    must(EVP_PKEY_sign_init(c), "RSA");
    must(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING), "RSA padding");
    must(EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()), "RSA hash");
    must(EVP_PKEY_sign(c, to, &len, hash, DKIM_HASH_BYTES), "RSA signature");
    EVP_PKEY_CTX_free(c);
    return len;
}

static size_t sign_ed25519(EVP_PKEY *secret, const uint8_t hash[DKIM_HASH_BYTES],
                           unsigned char to[512])
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    size_t len = 512;

    must(EVP_DigestSignInit(c, NULL, NULL, NULL, secret), "Ed25519");
    must(EVP_DigestSign(c, to, &len, hash, DKIM_HASH_BYTES), "Ed25519 signature");
    EVP_MD_CTX_free(c);
    return len;
}

/* As render_section() of deliver: what has no empty line behind its fields is all header. */
static size_t section_bytes(struct str message)
{
    struct header_field field;
    size_t at = 0;

    while (header_next(message, &at, &field))
        ;
    return at + header_end(str_sub(message, at, 2));
}

static void add_signature(struct buf *to, const struct key *k, struct str message)
{
    struct str section = str_sub(message, 0, section_bytes(message));
    int64_t now_s = time(NULL);
    struct dkim_sign with = { .algorithm = k->algorithm,
                              .domain = DOMAIN,
                              .selector = k->selector,
                              .signed_s = now_s,
                              .expires_s = now_s + DAY_S };
    uint8_t body_hash[DKIM_HASH_BYTES], hash[DKIM_HASH_BYTES];
    unsigned char signature[512];
    struct dkim_body body = { 0 };
    struct buf field;
    struct err err;
    size_t len;

    dkim_body_begin(&body, DKIM_RELAXED, UINT64_MAX);
    dkim_body_add(&body, str_skip(message, section.len));
    dkim_body_end(&body, body_hash);
    dkim_body_done(&body);
    buf_init(&field, MESSAGE_MAX);
    if (!dkim_sign_begin(&field, section, &with, body_hash, hash, &err))
        fail(err.text);
    len = k->algorithm == DKIM_RSA_SHA256 ? sign_rsa(k->secret, hash, signature)
                                          : sign_ed25519(k->secret, hash, signature);
    if (!dkim_sign_end(to, buf_str(&field), str_make(signature, len)))
        fail("a signature is too long");
    buf_done(&field);
}

static void sign(const struct key keys[2], const char *how, struct str message)
{
    struct buf whole;

    buf_init(&whole, 2 * MESSAGE_MAX);
    for (; *how; how++)
        add_signature(&whole, &keys[*how == 'e'], message);
    buf_add(&whole, message);
    printf("%zu\n", whole.len);
    if (fwrite(whole.ptr, 1, whole.len, stdout) != whole.len || fflush(stdout) != 0)
        fail("standard output");
    buf_done(&whole);
}

int main(void)
{
    const struct key keys[2] = {
        { DKIM_RSA_SHA256, STR("rsa"), EVP_RSA_gen(2048) },
        { DKIM_ED25519_SHA256, STR("ed25519"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") },
    };
    char how[8];
    size_t bytes;

    for (size_t i = 0; i < 2; i++)
        print_record(&keys[i]);
    fflush(stdout);
    while (scanf("%7s %zu", how, &bytes) == 2 && getchar() == '\n') {
        char *message = mem_new(bytes + 1);

        if (bytes > MESSAGE_MAX || fread(message, 1, bytes, stdin) != bytes)
            fail("standard input");
        sign(keys, how, str_make(message, bytes));
        free(message);
    }
    for (size_t i = 0; i < 2; i++)
        EVP_PKEY_free(keys[i].secret);
    return 0;
}

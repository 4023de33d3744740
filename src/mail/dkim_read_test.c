// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_read_test.c - signature fields and key records: what is taken, what is refused and
 * why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/code.h"
#include "base/mem.h"
#include "mail/dkim.h"

#define BH "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define B \
    "b=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define PLAIN "v=1; a=rsa-sha256; d=example.org; s=s1; h=From:To; " BH "; "

static const struct signature_case {
    const char *name, *value;
    const char *why; /* NULL: it is taken */
} signature_cases[] = {
    { "plain", PLAIN B, NULL },
    { "final semicolon", PLAIN B " ;", NULL },
    { "folded everywhere",
      " v = 1 ;\r\n a =\r\n\trsa-sha256; d=exa\r\n mple.org; s=s1;h=From :\r\n To;" BH ";" B,
      NULL },
    { "Ed25519", "v=1; a=ed25519-sha256; d=example.org; s=s1; h=from; " BH ";" B, NULL },
    { "unknown tags", PLAIN "z=From:x|To:y; r=y; _x=1;" B, "a tag whose name is none" },
    { "unknown tags are left alone", PLAIN "z=From:x|To:y; r_1=y;" B, NULL },
    { "both forms", PLAIN "c=relaxed/relaxed;" B, NULL },
    { "one form", PLAIN "c=relaxed;" B, NULL },
    { "an underscore in the selector", "v=1; a=rsa-sha256; d=e.org; s=a_b.c; h=from; " BH ";" B,
      NULL },
    { "identity below", PLAIN "i=a@b.Example.org;" B, NULL },
    { "times", PLAIN "t=5; x=6;" B, NULL },
    { "length", PLAIN "l=0;" B, NULL },
    { "a way to the key that is known", PLAIN "q=x/y:dns/txt;" B, NULL },
    { "nothing", "", "no tags" },
    { "an empty tag", PLAIN ";" B, "a tag without" },
    { "a word", "hello", "a tag without" },
    { "twice", PLAIN "d=example.com;" B, "d= is there twice" },
    { "v missing", "a=rsa-sha256; d=e.org; s=s; h=from; " BH ";" B, "v= is missing" },
    { "a missing", "v=1; d=e.org; s=s; h=from; " BH ";" B, "a= is missing" },
    { "b missing", "v=1; a=rsa-sha256; d=e.org; s=s; h=from; " BH, "b= is missing" },
    { "bh missing", "v=1; a=rsa-sha256; d=e.org; s=s; h=from;" B, "bh= is missing" },
    { "d missing", "v=1; a=rsa-sha256; s=s; h=from; " BH ";" B, "d= is missing" },
    { "h missing", "v=1; a=rsa-sha256; d=e.org; s=s; " BH ";" B, "h= is missing" },
    { "s missing", "v=1; a=rsa-sha256; d=e.org; h=from; " BH ";" B, "s= is missing" },
    { "version 2", "v=2; a=rsa-sha256; d=e.org; s=s; h=from; " BH ";" B, "v= is not 1" },
    { "Y01 rsa-sha1", "v=1; a=rsa-sha1; d=e.org; s=s; h=from; " BH ";" B, "too weak" },
    { "unknown algorithm", "v=1; a=rsa-md5; d=e.org; s=s; h=from; " BH ";" B, "no algorithm" },
    { "unknown form", PLAIN "c=nofws;" B, "no canonical form" },
    { "half a form", PLAIN "c=relaxed/;" B, "no canonical form" },
    { "Y03 From is not signed", "v=1; a=rsa-sha256; d=e.org; s=s; h=to; " BH ";" B,
      "does not name From" },
    { "an empty name", "v=1; a=rsa-sha256; d=e.org; s=s; h=from::to; " BH ";" B, "a field that" },
    { "a colon too many", "v=1; a=rsa-sha256; d=e.org; s=s; h=from:; " BH ";" B, "a field that" },
    { "identity elsewhere", PLAIN "i=a@example.com;" B, "i= is not of" },
    { "identity only looks like it", PLAIN "i=a@badexample.org;" B, "i= is not of" },
    { "identity without @", PLAIN "i=example.org;" B, "i= is not of" },
    { "expired before it was signed", PLAIN "t=6; x=5;" B, "x= is before t=" },
    { "a negative time", PLAIN "t=-1;" B, "t= is no number" },
    { "an endless length", PLAIN "l=99999999999999999999;" B, "l= is no number" },
    { "no way to the key", PLAIN "q=http;" B, "q= names no way" },
    { "no domain", "v=1; a=rsa-sha256; d=a!b; s=s; h=from; " BH ";" B, "d= is no domain" },
    { "a domain in UTF-8", "v=1; a=rsa-sha256; d=\xc3\xa4.org; s=s; h=from; " BH ";" B,
      "d= is no domain" },
    { "a domain with an empty label", "v=1; a=rsa-sha256; d=e.org.; s=s; h=from; " BH ";" B,
      "d= is no domain" },
    { "a label of 64 letters",
      "v=1; a=rsa-sha256; d=e.org; h=from; "
      "s=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; " BH ";" B,
      "s= is no" },
    { "no selector", "v=1; a=rsa-sha256; d=e.org; s=a..b; h=from; " BH ";" B, "s= is no" },
    { "no base64", PLAIN "b=AAAA*", "b=: " },
    { "short signature", PLAIN "b=AAAA", "b= is too short" },
    { "short body hash", "v=1; a=rsa-sha256; d=e.org; s=s; h=from; bh=AAAA; " B, "no SHA-256" },
    { "a control character", PLAIN "z=\x01;" B, "may not" },
};

static void r43_y01_signatures_taken_and_refused(void **state)
{
    size_t failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(signature_cases); i++) {
        const struct signature_case *c = &signature_cases[i];
        struct dkim_signature s = { 0 };
        struct err err = { 0 };
        struct arena a;
        bool ok;

        arena_init(&a, 4096);
        ok = dkim_signature_read(str_of(c->value), &a, &s, &err);
        if (ok != (c->why == NULL) || (!ok && err.kind != ERR_SYNTAX) ||
            (!ok && !strstr(err.text, c->why))) {
            print_error("%s: %s\n", c->name, ok ? "taken" : err.text);
            failed++;
        }
        arena_done(&a);
    }
    assert_int_equal(failed, 0);
}

static void what_a_signature_says(void **state)
{
    struct dkim_signature s = { 0 };
    struct err err;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    assert_true(dkim_signature_read(STR(PLAIN "c=relaxed; l=7; t=8; x=9; " B), &a, &s, &err));
    assert_int_equal(s.algorithm, DKIM_RSA_SHA256);
    assert_int_equal(s.header_form, DKIM_RELAXED);
    assert_int_equal(s.body_form, DKIM_SIMPLE);
    assert_true(str_eq(s.domain, STR("example.org")));
    assert_true(str_eq(s.selector, STR("s1")));
    assert_true(str_eq(s.identity, STR("@example.org")));
    assert_true(str_eq(s.headers, STR("From:To")));
    assert_int_equal(s.body_length, 7);
    assert_int_equal(s.signed_s, 8);
    assert_int_equal(s.expires_s, 9);
    assert_int_equal(s.body_hash[0], 0xe3);
    assert_int_equal(s.signature.len, 64);
    assert_true(dkim_signature_read(STR(PLAIN B), &a, &s, &err));
    assert_int_equal(s.header_form, DKIM_SIMPLE);
    assert_true(s.body_length == UINT64_MAX && s.signed_s == 0 && s.expires_s == 0);
    arena_done(&a);
}

static void too_many_fields_or_tags(void **state)
{
    struct dkim_signature s = { 0 };
    struct err err;
    struct arena a;
    struct buf many;

    (void)state;
    arena_init(&a, 4096);
    buf_init(&many, 1 << 20);
    buf_add(&many, STR("v=1; a=rsa-sha256; d=e.org; s=s; " BH "; " B "; h=from"));
    for (size_t i = 0; i < 200; i++)
        buf_add(&many, STR(":to"));
    assert_false(dkim_signature_read(buf_str(&many), &a, &s, &err));
    assert_non_null(strstr(err.text, "over 200 fields"));
    buf_clear(&many);
    buf_add(&many, STR(PLAIN B));
    for (size_t i = 0; i < 40; i++)
        buf_addf(&many, ";t%zu=x", i);
    assert_false(dkim_signature_read(buf_str(&many), &a, &s, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
    buf_clear(&many);
    buf_add(&many, STR(PLAIN B "; z="));
    while (many.len <= 64 * 1024)
        buf_add(&many, STR("xxxxxxxxxxxxxxxx"));
    assert_false(dkim_signature_read(buf_str(&many), &a, &s, &err));
    buf_done(&many);
    arena_done(&a);
}

/* One that is not valid is told, and the next one is found. */
static void signatures_one_after_the_other(void **state)
{
    static const char section[] = "Subject: x\r\nDKIM-Signature: v=1\r\n\tdkim-signature: none\r\n"
                                  "dkim-signature : " PLAIN B "\r\nFrom: a\r\n\r\n";
    struct dkim_signature s;
    struct err err;
    struct arena a;
    size_t at = 0;

    (void)state;
    arena_init(&a, 4096);
    assert_true(dkim_signature_next(str_of(section), &at, &a, &s, &err));
    assert_int_equal(s.algorithm, 0);
    assert_int_equal(s.offset, 12);
    assert_true(dkim_signature_next(str_of(section), &at, &a, &s, &err));
    assert_int_equal(s.algorithm, DKIM_RSA_SHA256);
    assert_true(str_starts(str_skip(str_of(section), s.offset), STR("dkim-signature : ")));
    assert_true(str_starts(str_skip(str_of(section), s.offset + s.len), STR("From: a")));
    assert_false(dkim_signature_next(str_of(section), &at, &a, &s, &err));
    arena_done(&a);
}

/* --- keys --- */

#define RSA_512                                                                                    \
    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKwaAAvtn2T5sSjOiH1C2YZcD6QBDwL+rlUWVBpBrKFmYF9xZGWj3MUDoHTt" \
    "oURivyVOVYiARzs0dRCC01Ror6sCAwEAAQ=="
#define RSA_1024                                                                                   \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDhV3FXgPZk4I826P9YNMyvhAKrLRGjUMHFkXWLt1owuWdffF42rN8r" \
    "bUthK9zOP6HtMCGNgB2JiC4JAWro+jykgo9GlHPW6lGFriy1V1zUoyTgvibPVZw/pFeSEYR/B2LcLLUIRal4Rc/jeHR+" \
    "boBY3NMZs3aX+Fi6t0xSBWeQCwIDAQAB"
/* The same without its algorithm (RFC 8017). */
#define RSA_1024_BARE                                                                              \
    "MIGJAoGBAOFXcVeA9mTgjzbo/1g0zK+EAqstEaNQwcWRdYu3WjC5Z198Xjas3yttS2Er3M4/oe0wIY2AHYmILgkBauj6" \
    "PKSCj0aUc9bqUYWuLLVXXNSjJOC+Js9VnD+kV5IRhH8HYtwstQhFqXhFz+N4dH5ugFjc0xmzdpf4WLq3TFIFZ5ALAgMB" \
    "AAE="
#define ED25519 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define ED25519_WHOLE "MCowBQYDK2VwAyEAbQ3+Vj4ImpgsosrrBeGa7XJt9QkJ2eGZivf7qYBwBc0="
#define P256                                                                                       \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZgR5MkoZTm/64O/NTBfsOoCCw+YHpfaBww0Xt5pA014bZvlX66BAYpnF" \
    "swdv4q+r0QHLkp1E9/ADC/KMiPj/xw=="

static const struct key_case {
    const char *name, *record;
    const char *why; /* NULL: it is taken */
} key_cases[] = {
    { "RSA", "v=DKIM1; k=rsa; p=" RSA_1024, NULL },
    { "RSA by its letter", "v=DKIM1; p=" RSA_1024_BARE, NULL },
    { "without anything else", "p=" RSA_1024, NULL },
    { "Ed25519", "v=DKIM1; k=ed25519; p=" ED25519, NULL },
    { "revoked", "v=DKIM1; p=", NULL },
    { "limits that fit", "v=DKIM1; h=sha1:sha256; s=email; t=y:s; n=note; p=" RSA_1024, NULL },
    { "all services", "v=DKIM1; s=*; p=" RSA_1024, NULL },
    { "nothing", "", "no tags" },
    { "another TXT record", "v=spf1 -all", "v= is not DKIM1" },
    { "v not first", "k=rsa; v=DKIM1; p=" RSA_1024, "not first" },
    { "v of another case", "v=dkim1; p=" RSA_1024, "v= is not DKIM1" },
    { "p missing", "v=DKIM1; k=rsa", "p= is missing" },
    { "p twice", "v=DKIM1; p=; p=" RSA_1024, "twice" },
    { "unknown algorithm", "v=DKIM1; k=dsa; p=" RSA_1024, "no algorithm" },
    { "Y01 RSA-512", "v=DKIM1; p=" RSA_512, "512 bits is too weak" },
    { "no base64", "v=DKIM1; p=!!!!", "p=: " },
    { "no key", "v=DKIM1; p=AAAA", "no RSA key" },
    { "more behind the key", "v=DKIM1; p=" ED25519_WHOLE, "no RSA key" },
    { "a key of another algorithm", "v=DKIM1; p=" P256, "no RSA key" },
    { "Ed25519 with its algorithm", "v=DKIM1; k=ed25519; p=" ED25519_WHOLE, "no Ed25519 key" },
    { "only sha1", "v=DKIM1; h=sha1; p=" RSA_1024, "sha256" },
    { "not for mail", "v=DKIM1; s=tlsrpt; p=" RSA_1024, "s= does not allow email" },
};

static void r43_y01_keys_taken_and_refused(void **state)
{
    size_t failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(key_cases); i++) {
        const struct key_case *c = &key_cases[i];
        struct err err = { 0 };
        struct dkim_key k;
        struct arena a;
        bool ok;

        arena_init(&a, 4096);
        ok = dkim_key_read(str_of(c->record), &a, &k, &err);
        if (ok != (c->why == NULL) || (!ok && err.kind != ERR_SYNTAX) ||
            (!ok && !strstr(err.text, c->why))) {
            print_error("%s: %s\n", c->name, ok ? "taken" : err.text);
            failed++;
        }
        arena_done(&a);
    }
    assert_int_equal(failed, 0);
}

/* A modulus of 8,200 bits, made by hand: SEQUENCE { INTEGER n, INTEGER 65537 }. */
static void s07_an_endless_key_is_refused(void **state)
{
    struct buf der, record;
    struct dkim_key k;
    struct err err;
    struct arena a;

    (void)state;
    buf_init(&der, 4096);
    buf_init(&record, 4096);
    buf_add(&der, STR("\x30\x82\x04\x0a\x02\x82\x04\x01"));
    for (size_t i = 0; i < 1025; i++)
        buf_add_char(&der, '\x7f');
    buf_add(&der, STR("\x02\x03\x01\x00\x01"));
    dkim_key_write(&record, DKIM_RSA_SHA256, buf_str(&der));
    arena_init(&a, 4096);
    assert_false(dkim_key_read(buf_str(&record), &a, &k, &err));
    assert_non_null(strstr(err.text, "too long"));
    arena_done(&a);
    buf_done(&der);
    buf_done(&record);
}

static void what_a_key_says(void **state)
{
    struct dkim_key k;
    struct err err;
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    assert_true(dkim_key_read(STR("v=DKIM1; t=y; p=" RSA_1024), &a, &k, &err));
    assert_int_equal(k.algorithm, DKIM_RSA_SHA256);
    assert_int_equal(k.bits, 1024);
    assert_true(k.testing && !k.strict_identity && !k.revoked);
    assert_true(dkim_key_read(STR("v=DKIM1; t=s; k=ed25519; p=" ED25519), &a, &k, &err));
    assert_int_equal(k.algorithm, DKIM_ED25519_SHA256);
    assert_int_equal(k.bytes.len, 32);
    assert_true(!k.testing && k.strict_identity);
    assert_true(dkim_key_read(STR("v=DKIM1; p= \t"), &a, &k, &err));
    assert_true(k.revoked);
    arena_done(&a);
}

static void written_records_read_back(void **state)
{
    struct buf der, record;
    struct err err;

    (void)state;
    buf_init(&der, 4096);
    buf_init(&record, 4096);
    assert_true(base64_read(&der, STR(RSA_1024), &err));
    assert_true(dkim_key_write(&record, DKIM_RSA_SHA256, buf_str(&der)));
    assert_string_equal(buf_cstr(&record), "v=DKIM1; k=rsa; p=" RSA_1024);

    /* As libcrypto writes it, and bare. */
    for (size_t skipped = 0; skipped <= 12; skipped += 12) {
        buf_clear(&der);
        buf_clear(&record);
        assert_true(base64_read(&der, STR(ED25519_WHOLE), &err));
        assert_true(dkim_key_write(&record, DKIM_ED25519_SHA256, str_skip(buf_str(&der), skipped)));
        assert_string_equal(buf_cstr(&record),
                            "v=DKIM1; k=ed25519; p=bQ3+Vj4ImpgsosrrBeGa7XJt9QkJ2eGZivf7qYBwBc0=");
    }
    buf_done(&der);
    buf_done(&record);
}

static void f27_records_that_say_the_same_key(void **state)
{
    static const struct {
        const char *one, *two;
        bool same;
    } cases[] = {
        { "v=DKIM1; k=rsa; p=" RSA_1024, "v=DKIM1; k=rsa; p=" RSA_1024, true },
        { "v=DKIM1;p=" RSA_1024 ";k=rsa;", "v=DKIM1; k=rsa; p=" RSA_1024, true },
        { "v=DKIM1; n=a note; p=MIGf MA0G"
          "CSqGSIb3DQEBAQUAA4GNADCBiQKBgQDhV3FXgPZk4I826P9YNMyv"
          "hAKrLRGjUMHFkXWLt1owuWdffF42rN8r bUthK9zOP6HtMCGNgB2JiC4JAWro+jykgo9GlHPW6lGFriy1V1zU"
          "oyTgvibPVZw/pFeSEYR/B2LcLLUIRal4Rc/jeHR+boBY3NMZs3aX+Fi6t0xSBWeQCwIDAQAB",
          "v=DKIM1; k=rsa; p=" RSA_1024, true },
        { "v=DKIM1; p=" RSA_1024_BARE, "v=DKIM1; k=rsa; p=" RSA_1024, true },
        { "v=DKIM1; k=ed25519; p=" ED25519, "k=ed25519; p=" ED25519, true },
        { "v=DKIM1; k=ed25519; p=" ED25519, "v=DKIM1; k=rsa; p=" RSA_1024, false },
        { "v=DKIM1; k=ed25519; p=" ED25519,
          "v=DKIM1; k=ed25519; p=bQ3+Vj4ImpgsosrrBeGa7XJt9QkJ2eGZivf7qYBwBc0=", false },
        { "v=DKIM1; t=y; p=" RSA_1024, "v=DKIM1; p=" RSA_1024, false },
        { "v=DKIM1; p=", "v=DKIM1; p=" RSA_1024, false },
        { "v=DKIM1; s=tlsrpt; p=" RSA_1024, "v=DKIM1; p=" RSA_1024, false },
        { "", "", false },
        { "v=spf1 -all", "v=spf1 -all", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("%s\n", cases[i].one);
        assert_int_equal(dkim_key_same(str_of(cases[i].one), str_of(cases[i].two)), cases[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r43_y01_signatures_taken_and_refused),
        cmocka_unit_test(what_a_signature_says),
        cmocka_unit_test(too_many_fields_or_tags),
        cmocka_unit_test(signatures_one_after_the_other),
        cmocka_unit_test(r43_y01_keys_taken_and_refused),
        cmocka_unit_test(s07_an_endless_key_is_refused),
        cmocka_unit_test(what_a_key_says),
        cmocka_unit_test(written_records_read_back),
        cmocka_unit_test(f27_records_that_say_the_same_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

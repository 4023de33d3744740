// SPDX-License-Identifier: Apache-2.0
/* vault/scram_test.c - the example of RFC 7677, and messages that are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/code.h"
#include "base/mem.h"
#include "vault/scram.h"

#define CLIENT_NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define BOTH_NONCES CLIENT_NONCE SERVER_NONCE

static struct scram_verifier pencil(void)
{
    struct scram_verifier v = { .iterations = 4096 };
    struct buf salt;

    buf_init(&salt, SCRAM_SALT_BYTES);
    assert_true(base64_read(&salt, STR("W22ZaJ0SNY7soEsUEjb6gQ=="), NULL));
    memcpy(v.salt, salt.ptr, sizeof v.salt);
    buf_done(&salt);
    scram_derive(&v, STR("pencil"));
    return v;
}

static void R10_the_example_of_rfc_7677(void **state)
{
    struct scram_verifier v = pencil();
    struct scram x;
    struct buf to;
    bool right = false;

    (void)state;
    scram_init(&x);
    buf_init(&to, 1024);
    assert_true(scram_first(&x, STR("n,,n=user,r=" CLIENT_NONCE), NULL));
    assert_true(str_eq(x.user, STR("user")));
    scram_challenge(&x, &v, STR(SERVER_NONCE), &to);
    assert_true(str_eq(buf_str(&to), STR("r=" BOTH_NONCES ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")));
    buf_clear(&to);
    assert_true(scram_final(
        &x, STR("c=biws,r=" BOTH_NONCES ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), &to,
        &right, NULL));
    assert_true(right);
    assert_true(str_eq(buf_str(&to), STR("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
    buf_done(&to);
    scram_done(&x);
}

#define NONCE_257                                                      \
    "0123456789012345678901234567890123456789012345678901234567890123" \
    "0123456789012345678901234567890123456789012345678901234567890123" \
    "0123456789012345678901234567890123456789012345678901234567890123" \
    "01234567890123456789012345678901234567890123456789012345678901234"

static const struct first_case {
    const char *name;
    struct str message;
    const char *user; /* NULL: refused */
    const char *why;
} first_cases[] = {
#define TEXT(lit)            \
    {                        \
        lit, sizeof(lit) - 1 \
    }
    { "plain", TEXT("n,,n=user,r=abcdefgh"), "user", NULL },
    { "would bind", TEXT("y,,n=user,r=abcdefgh"), "user", NULL },
    { "as itself", TEXT("n,a=user,n=user,r=abcdefgh"), "user", NULL },
    { "escaped", TEXT("n,,n=a=2Cb=3Dc,r=abcdefgh"), "a,b=c", NULL },
    { "escaped as itself", TEXT("n,a=a=2Cb,n=a=2Cb,r=abcdefgh"), "a,b", NULL },
    { "an extension behind", TEXT("n,,n=user,r=abcdefgh,x=later"), "user", NULL },
    { "UTF-8", TEXT("n,,n=\xc3\xa4nn,r=abcdefgh"), "\xc3\xa4nn", NULL },
    { "empty", TEXT(""), NULL, "header" },
    { "no header", TEXT("n=user,r=abcdefgh"), NULL, "header" },
    { "a message in its place", TEXT("n=user,,r=abcdefgh"), NULL, "wanted first" },
    { "binding", TEXT("p=tls-exporter,,n=user,r=abcdefgh"), NULL, "channel binding" },
    { "another flag", TEXT("x,,n=user,r=abcdefgh"), NULL, "n or y" },
    { "as another", TEXT("n,a=root,n=user,r=abcdefgh"), NULL, "to act as" },
    { "a header of another kind", TEXT("n,b=user,n=user,r=abcdefgh"), NULL, "a= or nothing" },
    { "an empty identity", TEXT("n,a=,n=user,r=abcdefgh"), NULL, "a= or nothing" },
    { "mandatory extension", TEXT("n,,m=new,n=user,r=abcdefgh"), NULL, "extension" },
    { "no user", TEXT("n,,r=abcdefgh"), NULL, "n= and a user" },
    { "an empty user", TEXT("n,,n=,r=abcdefgh"), NULL, "n= and a user" },
    { "bad escape", TEXT("n,,n=a=2cb,r=abcdefgh"), NULL, "n= and a user" },
    { "escape cut short", TEXT("n,,n=a=,r=abcdefgh"), NULL, "n= and a user" },
    { "NUL in the user", TEXT("n,,n=a\0b,r=abcdefgh"), NULL, "n= and a user" },
    { "no nonce", TEXT("n,,n=user"), NULL, "nonce" },
    { "an empty nonce", TEXT("n,,n=user,r="), NULL, "nonce" },
    { "a nonce of 7", TEXT("n,,n=user,r=abcdefg"), NULL, "nonce" },
    { "a nonce of 257", TEXT("n,,n=user,r=" NONCE_257), NULL, "nonce" },
    { "NUL in the nonce", TEXT("n,,n=user,r=abcd\0efgh"), NULL, "nonce" },
    { "a line break in the nonce", TEXT("n,,n=user,r=abcd\r\nefgh"), NULL, "nonce" },
    { "the other order", TEXT("n,,r=abcdefgh,n=user"), NULL, "n= and a user" },
    { "two commas", TEXT("n,,n=user,,r=abcdefgh"), NULL, "nonce" },
};

static void B07_first_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(first_cases); i++) {
        const struct first_case *c = &first_cases[i];
        struct err err = { 0 };
        struct scram x;

        scram_init(&x);
        bool ok = scram_first(&x, c->message, &err);
        if (ok != (c->user != NULL) || (ok && !str_eq(x.user, str_of(c->user))) ||
            (!ok && (err.kind != ERR_SYNTAX ||
                     str_find(str_of(err.text), str_of(c->why)) == strlen(err.text))))
            fail_msg("%s: %d %s", c->name, ok, err.text);
        scram_done(&x);
    }
}

static const struct final_case {
    const char *name;
    struct str message;
    bool ok, right;
} final_cases[] = {
#define PROOF ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    { "right", TEXT("c=biws,r=" BOTH_NONCES PROOF), true, true },
    { "another proof",
      TEXT("c=biws,r=" BOTH_NONCES ",p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), true,
      false },
    { "signed for other words", TEXT("c=biws,r=" BOTH_NONCES ",x=1" PROOF), true, false },
    { "another header", TEXT("c=eSws,r=" BOTH_NONCES PROOF), false, false },
    { "binding data", TEXT("c=biwsAAAA,r=" BOTH_NONCES PROOF), false, false },
    { "no header", TEXT("r=" BOTH_NONCES PROOF), false, false },
    { "the client's nonce alone", TEXT("c=biws,r=" CLIENT_NONCE PROOF), false, false },
    { "a longer nonce", TEXT("c=biws,r=" BOTH_NONCES "x" PROOF), false, false },
    { "another nonce", TEXT("c=biws,r=another" PROOF), false, false },
    { "no nonce", TEXT("c=biws" PROOF), false, false },
    { "no proof", TEXT("c=biws,r=" BOTH_NONCES), false, false },
    { "an empty proof", TEXT("c=biws,r=" BOTH_NONCES ",p="), false, false },
    { "a proof of 31 octets",
      TEXT("c=biws,r=" BOTH_NONCES ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndQ=="), false,
      false },
    { "a proof of 33 octets",
      TEXT("c=biws,r=" BOTH_NONCES ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQA"), false,
      false },
    { "a proof without padding",
      TEXT("c=biws,r=" BOTH_NONCES ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ"), false,
      false },
    { "something behind the proof", TEXT("c=biws,r=" BOTH_NONCES PROOF ",x=1"), false, false },
    { "the first again", TEXT("n,,n=user,r=" CLIENT_NONCE), false, false },
    { "NUL", TEXT("c=biws\0,r=" BOTH_NONCES PROOF), false, false },
    { "empty", TEXT(""), false, false },
};

static void B07_last_messages(void **state)
{
    struct scram_verifier v = pencil();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(final_cases); i++) {
        const struct final_case *c = &final_cases[i];
        struct scram x;
        struct buf to;
        bool right = false;

        scram_init(&x);
        buf_init(&to, 1024);
        assert_true(scram_first(&x, STR("n,,n=user,r=" CLIENT_NONCE), NULL));
        scram_challenge(&x, &v, STR(SERVER_NONCE), &to);
        buf_clear(&to);
        bool ok = scram_final(&x, c->message, &to, &right, NULL);
        if (ok != c->ok || right != c->right || (to.len > 0) != c->right)
            fail_msg("%s: %d %d", c->name, ok, right);
        buf_done(&to);
        scram_done(&x);
    }
}

static void A05_what_is_kept_depends_on_the_salt(void **state)
{
    struct scram_verifier v = pencil(), other = pencil();

    (void)state;
    other.salt[0] ^= 1;
    scram_derive(&other, STR("pencil"));
    assert_memory_not_equal(v.stored_key, other.stored_key, sizeof v.stored_key);
    assert_memory_not_equal(v.stored_key, v.server_key, sizeof v.stored_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(R10_the_example_of_rfc_7677),
        cmocka_unit_test(B07_first_messages),
        cmocka_unit_test(B07_last_messages),
        cmocka_unit_test(A05_what_is_kept_depends_on_the_salt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

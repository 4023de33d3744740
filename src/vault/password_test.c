// SPDX-License-Identifier: Apache-2.0
/* vault/password_test.c - what a password may be, and how it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "vault/password.h"
#include "vault/secret.h"

#define OCTETS_64 "0123456789012345678901234567890123456789012345678901234567890123"

static const struct password_case {
    const char *name;
    struct str password;
    const char *why; /* NULL: fine */
} password_cases[] = {
#define TEXT(lit)            \
    {                        \
        lit, sizeof(lit) - 1 \
    }
    { "12 octets", TEXT("twelve-chars"), NULL },
    { "256 octets", TEXT(OCTETS_64 OCTETS_64 OCTETS_64 OCTETS_64), NULL },
    { "blanks", TEXT("correct horse battery staple"), NULL },
    { "UTF-8", TEXT("gr\xc3\xbc\xc3\x9f gott herr"), NULL },
    { "11 octets", TEXT("eleven-char"), "12 to 256" },
    { "empty", TEXT(""), "12 to 256" },
    { "257 octets", TEXT(OCTETS_64 OCTETS_64 OCTETS_64 OCTETS_64 "x"), "12 to 256" },
    { "NUL", TEXT("twelve\0chars and more"), "control" },
    { "line break", TEXT("twelve\nchars and more"), "control" },
    { "DEL",
      TEXT("twelve\x7f"
           "chars and more"),
      "control" },
    { "not UTF-8", TEXT("twelve\xff chars and more"), "UTF-8" },
};

static void R69_passwords_that_may_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(password_cases); i++) {
        const struct password_case *c = &password_cases[i];
        struct err err = { 0 };
        bool ok = password_ok(c->password, &err);

        if (ok != !c->why ||
            (!ok && str_find(str_of(err.text), str_of(c->why)) == strlen(err.text)))
            fail_msg("%s: %d %s", c->name, ok, err.text);
    }
}

static void A05_passwords_are_kept_by_argon2id(void **state)
{
    char one[PASSWORD_HASH_BYTES], two[PASSWORD_HASH_BYTES];
    struct err err = { 0 };

    (void)state;
    assert_true(password_hash(STR("correct horse"), one, &err));
    assert_true(password_hash(STR("correct horse"), two, &err));
    assert_true(str_starts(str_of(one), STR("$argon2id$v=19$m=65536,t=2,p=1$")));
    assert_string_not_equal(one, two);
    assert_true(password_check(str_of(one), STR("correct horse"), &err));
    assert_true(password_check(str_of(two), STR("correct horse"), &err));
    assert_false(password_check(str_of(one), STR("correct horsf"), &err));
    assert_int_equal(err.kind, ERR_DENIED);
    assert_false(password_check(STR(""), STR("correct horse"), &err));
    assert_int_equal(err.kind, ERR_IO);
}

static void A04_nobody_costs_what_somebody_does(void **state)
{
    char nobody[PASSWORD_HASH_BYTES], somebody[PASSWORD_HASH_BYTES];
    struct err err = { 0 };

    (void)state;
    password_nobody(nobody);
    assert_true(password_hash(STR("correct horse"), somebody, &err));
    /* The same form and parameters, so that the same work is done. */
    assert_int_equal(strlen(nobody), strlen(somebody));
    size_t params = (size_t)(strstr(somebody, ",p=1$") + 5 - somebody);
    assert_memory_equal(nobody, somebody, params);
    assert_false(password_check(str_of(nobody), STR("correct horse"), &err));
    assert_int_equal(err.kind, ERR_DENIED); /* it was computed, and did not fit */
}

static void R69_made_ones_are_good_and_differ(void **state)
{
    char one[PASSWORD_MADE_LEN + 1], two[PASSWORD_MADE_LEN + 1];

    (void)state;
    password_make(one);
    password_make(two);
    assert_string_not_equal(one, two);
    assert_true(password_ok(str_of(one), NULL));
    assert_int_equal(strlen(one), PASSWORD_MADE_LEN);
}

static int set_up(void **state)
{
    (void)state;
    return secret_init(NULL) ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(R69_passwords_that_may_be),
        cmocka_unit_test(A05_passwords_are_kept_by_argon2id),
        cmocka_unit_test(A04_nobody_costs_what_somebody_does),
        cmocka_unit_test(R69_made_ones_are_good_and_differ),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}

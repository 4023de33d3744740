// SPDX-License-Identifier: Apache-2.0
/* accept/auth_plain_test.c - the message of SASL PLAIN (fault B07). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "accept/auth_plain.h"
#include "base/mem.h"

static const struct plain_case {
    const char *name;
    struct str message;
    const char *user, *secret; /* NULL: refused */
} cases[] = {
    { "user and password", STR("\0ann\0secret"), "ann", "secret" },
    { "acting as oneself", STR("ann\0ann\0secret"), "ann", "secret" },
    { "blanks in a password", STR("\0ann\0a b "), "ann", "a b " },
    { "B07 acting as another", STR("bob\0ann\0secret"), NULL, NULL },
    { "B07 empty", STR(""), NULL, NULL },
    { "B07 one NUL", STR("ann\0secret"), NULL, NULL },
    { "B07 three NULs", STR("\0ann\0sec\0ret"), NULL, NULL },
    { "B07 no user", STR("\0\0secret"), NULL, NULL },
    { "B07 no password", STR("\0ann\0"), NULL, NULL },
};

static void test_auth_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct auth_plain p;

        print_message("%s\n", cases[i].name);
        assert_int_equal(auth_plain_parse(cases[i].message, &p), cases[i].user != NULL);
        if (cases[i].user == NULL)
            continue;
        assert_true(str_eq(p.user, str_of(cases[i].user)));
        assert_true(str_eq(p.secret, str_of(cases[i].secret)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_auth_plain) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* guard/codes_test.c - every code has its row, and replies made from rows are fit to be sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "guard/codes.h"

static void test_every_code_has_a_row(void **state)
{
    (void)state;
    for (enum policy_code code = CODE_NONE + 1; code < CODES; code++) {
        const struct policy_code_row *row = &policy_codes[code];

        if (!row->word || !row->text || !row->more || row->word[0] == '\0' ||
            row->text[0] == '\0' || row->more[0] == '\0')
            fail_msg("code %d has no whole row", (int)code);
        assert_true(row->code == 250 || row->code == 451 || row->code == 550);
        assert_int_equal(code_of_word(str_of(row->word)), code);
        for (const char *c = row->word; *c; c++)
            assert_true((*c >= 'A' && *c <= 'Z') || *c == '-');
    }
    assert_int_equal(code_of_word(STR("NO-SUCH")), CODE_NONE);
    assert_int_equal(code_of_word(STR("")), CODE_NONE);
    assert_int_equal(code_of_word(STR("from")), CODE_NONE);
}

static const struct reply_case {
    const char *name;
    enum policy_code code;
    struct str args[3];
    size_t count;
    struct str link;
    const char *want;
} reply_cases[] = {
    { "no argument",
      CODE_FROM_MISSING,
      { { NULL, 0 } },
      0,
      STR(""),
      "[FROM-MISSING] the message has no From address; add a From field with one" },
    { "an argument that is said twice",
      CODE_FROM,
      { STR("example.com") },
      1,
      STR(""),
      "[FROM] From: example.com is not a domain that your account has proved; add it with `baton "
      "domain add example.com`, or use one of yours" },
    { "two arguments",
      CODE_ACCOUNT_SANDBOX,
      { STR("shop"), STR("sandbox.example") },
      2,
      STR(""),
      "[ACCOUNT-SANDBOX] account shop is not approved yet and may write to sandbox.example alone; "
      "ask this server's operator" },
    { "a place without its argument stays empty",
      CODE_ROUTE,
      { { NULL, 0 } },
      0,
      STR(""),
      "[ROUTE] this server has a rule not to send to " },
    { "more arguments than places",
      CODE_ROUTE,
      { STR("a.example"), STR("b.example") },
      2,
      STR(""),
      "[ROUTE] this server has a rule not to send to a.example" },
    { "with its page",
      CODE_ROUTE,
      { STR("a.example") },
      1,
      STR("https://relay.example/why/"),
      "[ROUTE] this server has a rule not to send to a.example (https://relay.example/why/ROUTE)" },
    { "control characters and what is not UTF-8",
      CODE_ROUTE,
      { STR("a\r\nb\x1b\xff\xc2\x85") },
      1,
      STR(""),
      "[ROUTE] this server has a rule not to send to a??b???" },
    { "UTF-8 stays",
      CODE_ROUTE,
      { STR("b\xc3\xbc"
            "cher.example") },
      1,
      STR(""),
      "[ROUTE] this server has a rule not to send to b\xc3\xbc"
      "cher.example" },
};

static void test_replies(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 1024);
    for (size_t i = 0; i < ARRAY_LEN(reply_cases); i++) {
        const struct reply_case *c = &reply_cases[i];
        struct reply r = code_reply(&a, c->code, c->args, c->count, c->link);

        if (!str_eq(r.text, str_of(c->want)))
            fail_msg("%s: %.*s", c->name, STR_FMT(r.text));
        assert_int_equal(r.code, policy_codes[c->code].code);
        assert_int_equal(r.status.klass, r.code / 100);
    }
    arena_done(&a);
}

static void test_a_long_argument_is_shortened(void **state)
{
    struct arena a;
    char text[5000];
    struct str arg = { text, sizeof text };

    (void)state;
    memset(text, 'x', sizeof text);
    arena_init(&a, 1024);
    struct reply r = code_reply(&a, CODE_FROM, &arg, 1, STR(""));
    assert_true(r.text.len > 200 && r.text.len < REPLY_TEXT_MAX);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_a_row),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_a_long_argument_is_shortened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

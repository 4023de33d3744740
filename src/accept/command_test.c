// SPDX-License-Identifier: Apache-2.0
/* accept/command_test.c - lines and commands (R05, faults B01, B17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "accept/command.h"
#include "base/mem.h"

static const struct find_case {
    const char *name;
    struct str bytes;
    size_t max;
    enum line_found want;
    size_t want_len;
} find_cases[] = {
    { "a line", STR("NOOP\r\nQUIT\r\n"), 512, LINE_FOUND, 6 },
    { "a bare LF ends it too, to be refused later", STR("NOOP\nQUIT"), 512, LINE_FOUND, 5 },
    { "exactly at the limit", STR("NOOP\r\n"), 6, LINE_FOUND, 6 },
    { "nothing yet", STR(""), 512, LINE_NOT_YET, 0 },
    { "half a line", STR("NOOP\r"), 512, LINE_NOT_YET, 0 },
    { "B17 one over the limit", STR("NOOP\r\n"), 5, LINE_TOO_LONG, 0 },
    { "B17 over the limit without an end", STR("NOOPNOOP"), 5, LINE_TOO_LONG, 0 },
};

static void test_line_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(find_cases); i++) {
        const struct find_case *c = &find_cases[i];
        size_t len = 0;

        print_message("%s\n", c->name);
        assert_int_equal(line_find(c->bytes, c->max, &len), c->want);
        assert_int_equal(len, c->want_len);
    }
}

static const struct strip_case {
    const char *name;
    struct str line;
    bool normalize;
    enum line_fault want;
} strip_cases[] = {
    { "CRLF", STR("NOOP\r\n"), false, LINE_OK },
    { "an empty line", STR("\r\n"), false, LINE_OK },
    { "a tab", STR("NOOP\tx\r\n"), false, LINE_OK },
    { "UTF-8", STR("RCPT TO:<\xc3\xbc@x>\r\n"), false, LINE_OK },
    { "LF, normalised", STR("NOOP\n"), true, LINE_OK },
    { "B01 LF", STR("NOOP\n"), false, LINE_BARE_LF },
    { "B01 LF alone", STR("\n"), false, LINE_BARE_LF },
    { "B01 CR in the line", STR("NO\rOP\r\n"), false, LINE_BARE_CR },
    { "B01 CR CR LF", STR("NOOP\r\r\n"), false, LINE_BARE_CR },
    { "B01 CR, normalised: still refused", STR("NO\rOP\n"), true, LINE_BARE_CR },
    { "B01 NUL", STR("NO\0OP\r\n"), false, LINE_CONTROL },
    { "escape", STR("NOOP \x1b[2J\r\n"), false, LINE_CONTROL },
    { "DEL", STR("NOOP \x7f\r\n"), false, LINE_CONTROL },
};

static void test_line_strip(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(strip_cases); i++) {
        const struct strip_case *c = &strip_cases[i];
        struct str text;

        print_message("%s\n", c->name);
        assert_int_equal(line_strip(c->line, c->normalize, &text), c->want);
    }
}

static const struct cut_case {
    struct str text, verb, args;
} cut_cases[] = {
    { STR("NOOP"), STR("NOOP"), STR("") },
    { STR("MAIL FROM:<a@b> SIZE=1"), STR("MAIL"), STR("FROM:<a@b> SIZE=1") },
    { STR("  quit  "), STR("quit"), STR("") },
    { STR("HELP\tMAIL"), STR("HELP"), STR("MAIL") },
    { STR(""), STR(""), STR("") },
};

static void test_command_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cut_cases); i++) {
        struct command c = command_cut(cut_cases[i].text);

        assert_true(str_eq(c.verb, cut_cases[i].verb));
        assert_true(str_eq(c.args, cut_cases[i].args));
    }
}

static void test_command_eat_word(void **state)
{
    struct str args = STR("from: <a@b>");

    (void)state;
    assert_false(command_eat_word(&args, STR("TO:")));
    assert_true(command_eat_word(&args, STR("FROM:")));
    assert_true(str_eq(args, STR("<a@b>")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_find),
        cmocka_unit_test(test_line_strip),
        cmocka_unit_test(test_command_cut),
        cmocka_unit_test(test_command_eat_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

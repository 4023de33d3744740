// SPDX-License-Identifier: Apache-2.0
/* base/code_test.c - base64, hexadecimal, ids and UTF-8, each with what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/code.h"
#include "base/mem.h"

static const struct base64_case {
    struct str text, bytes;
    enum err_kind want;
} base64_cases[] = {
    /* RFC 4648 §10 */
    { STR(""), STR(""), ERR_NONE },
    { STR("Zg=="), STR("f"), ERR_NONE },
    { STR("Zm8="), STR("fo"), ERR_NONE },
    { STR("Zm9v"), STR("foo"), ERR_NONE },
    { STR("Zm9vYg=="), STR("foob"), ERR_NONE },
    { STR("Zm9vYmFy"), STR("foobar"), ERR_NONE },
    { STR("AGFubgBwdw=="), STR("\0ann\0pw"), ERR_NONE },
    { STR("+/+/"), STR("\xfb\xff\xbf"), ERR_NONE },
    { STR("Zg"), STR(""), ERR_SYNTAX },
    { STR("Zg="), STR(""), ERR_SYNTAX },
    { STR("Zh=="), STR(""), ERR_SYNTAX },
    { STR("Zm9="), STR(""), ERR_SYNTAX },
    { STR("===="), STR(""), ERR_SYNTAX },
    { STR("Z==="), STR(""), ERR_SYNTAX },
    { STR("Zg==Zg=="), STR(""), ERR_SYNTAX },
    { STR("Z=g="), STR(""), ERR_SYNTAX },
    { STR("Zm 9v"), STR(""), ERR_SYNTAX },
    { STR("Zm9v\r\n"), STR(""), ERR_SYNTAX },
    { STR("Zm9\0"), STR(""), ERR_SYNTAX },
    { STR("Zm9-"), STR(""), ERR_SYNTAX },
    { STR("Zm9\xc3"), STR(""), ERR_SYNTAX },
    { STR("Zm9vYmFyZm9v"), STR(""), ERR_LIMIT },
};

static void base64(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(base64_cases); i++) {
        const struct base64_case *c = &base64_cases[i];
        struct err err = { 0 };
        struct buf b;

        print_message("  %.*s\n", STR_FMT(c->text));
        buf_init(&b, 8);
        assert_int_equal(base64_read(&b, c->text, &err), c->want == ERR_NONE);
        assert_int_equal(err.kind, c->want);
        assert_true(str_eq(buf_str(&b), c->bytes));
        if (c->want == ERR_NONE) {
            buf_clear(&b);
            b.max = 100;
            assert_true(base64_add(&b, c->bytes));
            assert_true(str_eq(buf_str(&b), c->text));
        }
        buf_done(&b);
    }
}

static void limits(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 7);
    assert_false(base64_add(&b, STR("foob")));
    buf_clear(&b);
    assert_false(hex_add(&b, STR("foob")));
    buf_clear(&b);
    assert_true(hex_add(&b, STR("\0\xfa\x19")));
    assert_true(str_eq(buf_str(&b), STR("00fa19")));
    buf_done(&b);
}

static const struct id_case {
    struct str text;
    bool ok;
    uint64_t want;
} id_cases[] = {
    { STR("0000000000000"), true, 0 },          { STR("000000000000Z"), true, 31 },
    { STR("0000000000010"), true, 32 },         { STR("FZZZZZZZZZZZZ"), true, UINT64_MAX },
    { STR("fzzzzzzzzzzzz"), true, UINT64_MAX }, { STR("G000000000000"), false, 0 },
    { STR("ZZZZZZZZZZZZZ"), false, 0 },         { STR("000000000000I"), false, 0 },
    { STR("000000000000l"), false, 0 },         { STR("000000000000O"), false, 0 },
    { STR("000000000000u"), false, 0 },         { STR("000000000000\0"), false, 0 },
    { STR("000000000000"), false, 0 },          { STR("00000000000000"), false, 0 },
    { STR("000000 000000"), false, 0 },         { STR(""), false, 0 },
};

static void ids(void **state)
{
    char text[ID_TEXT_LEN + 1], after[ID_TEXT_LEN + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(id_cases); i++) {
        const struct id_case *c = &id_cases[i];
        struct err err = { 0 };
        uint64_t id = 77;

        print_message("  %.*s\n", STR_FMT(c->text));
        assert_int_equal(id_parse(c->text, &id, &err), c->ok);
        assert_int_equal(err.kind, c->ok ? ERR_NONE : ERR_SYNTAX);
        assert_true(id == (c->ok ? c->want : 77));
        if (c->ok)
            assert_true(str_eq_nocase(str_of(id_format(id, text)), c->text));
    }
    for (uint64_t id = 1; id < UINT64_MAX / 3; id *= 3) /* sorts as the number does */
        assert_true(strcmp(id_format(id, text), id_format(id * 3 - 1, after)) < 0);
}

static const struct utf8_case {
    const char *name;
    struct str text;
    bool ok;
} utf8_cases[] = {
    { "empty", STR(""), true },
    { "ascii with NUL", STR("a\0b"), true },
    { "two, three, four bytes", STR("\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80"), true },
    { "before the surrogates", STR("\xed\x9f\xbf"), true },
    { "last of all", STR("\xf4\x8f\xbf\xbf"), true },
    { "lone continuation", STR("\x80"), false },
    { "overlong slash", STR("\xc0\xaf"), false },
    { "overlong, two", STR("\xc1\xbf"), false },
    { "overlong, three", STR("\xe0\x9f\xbf"), false },
    { "overlong, four", STR("\xf0\x8f\xbf\xbf"), false },
    { "surrogate", STR("\xed\xa0\x80"), false },
    { "past U+10FFFF", STR("\xf4\x90\x80\x80"), false },
    { "five bytes", STR("\xf8\x88\x80\x80\x80"), false },
    { "0xff", STR("\xff"), false },
    { "cut, two", STR("a\xc3"), false },
    { "cut, three", STR("\xe2\x82"), false },
    { "cut, four", STR("\xf0\x9f\x98"), false },
    { "broken in the middle",
      STR("\xf0\x9f"
          "a\x80"),
      false },
    { "broken at the end",
      STR("\xe2\x82"
          "a"),
      false },
};

static void utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(utf8_cases); i++) {
        print_message("  %s\n", utf8_cases[i].name);
        assert_int_equal(utf8_ok(utf8_cases[i].text), utf8_cases[i].ok);
    }
    assert_int_equal(utf8_len(STR("")), 0);
    assert_int_equal(utf8_len(STR("\xe2\x82\xac"
                                  "x")),
                     3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64),
        cmocka_unit_test(limits),
        cmocka_unit_test(ids),
        cmocka_unit_test(utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

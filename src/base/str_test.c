// SPDX-License-Identifier: Apache-2.0
/* base/str_test.c - comparing, splitting and reading numbers, at the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"

static void assert_str(struct str got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    if (got.len > 0)
        assert_memory_equal(got.ptr, want, got.len);
}

static void comparisons(void **state)
{
    (void)state;
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_eq(STR("a\0b"), STR("a\0b")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_true(str_eq_nocase(STR("Example.ORG"), STR("eXAMPLE.org")));
    assert_false(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4"))); /* not ASCII: as it is */
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("b"), STR("ab")) > 0);
    assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
    assert_true(str_starts(STR("MAIL FROM"), STR("MAIL")));
    assert_false(str_starts(STR("MA"), STR("MAIL")));
    assert_false(str_starts(STR("mail"), STR("MAIL")));
    assert_true(str_starts_nocase(STR("mail from"), STR("MAIL")));
    assert_true(str_ends_nocase(STR("mx.Example.org"), STR(".example.ORG")));
    assert_false(str_ends_nocase(STR("org"), STR(".org")));
    assert_true(str_is_ascii(STR("\x7f\0")));
    assert_false(str_is_ascii(STR("a\x80")));
}

static void pieces(void **state)
{
    (void)state;
    assert_str(str_sub(STR("hello"), 1, 3), "ell");
    assert_str(str_sub(STR("hello"), 4, SIZE_MAX), "o");
    assert_str(str_sub(STR("hello"), SIZE_MAX, SIZE_MAX), "");
    assert_str(str_sub(STR_NONE, 3, 3), "");
    assert_str(str_skip(STR("hello"), 5), "");
    assert_str(str_trim(STR(" \t a b\t ")), "a b");
    assert_str(str_trim(STR(" \t ")), "");
    assert_str(str_trim(STR("\r\n")), "\r\n"); /* only blanks and tabs */
}

static const struct find_case {
    const char *name;
    struct str text, part;
    size_t want, want_nocase;
} find_cases[] = {
    { "front", STR("abcabc"), STR("abc"), 0, 0 },
    { "end", STR("xyabc"), STR("abc"), 2, 2 },
    { "case", STR("xyABC"), STR("abc"), 5, 2 },
    { "absent", STR("xyz"), STR("abc"), 3, 3 },
    { "longer than the text", STR("ab"), STR("abc"), 2, 2 },
    { "empty part", STR("ab"), STR(""), 0, 0 },
    { "empty text", STR(""), STR("a"), 0, 0 },
};

static void searches(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(find_cases); i++) {
        const struct find_case *c = &find_cases[i];

        print_message("  %s\n", c->name);
        assert_int_equal(str_find(c->text, c->part), c->want);
        assert_int_equal(str_find_nocase(c->text, c->part), c->want_nocase);
    }
    assert_int_equal(str_index(STR("a@b@c"), '@'), 1);
    assert_int_equal(str_index_last(STR("a@b@c"), '@'), 3);
    assert_int_equal(str_index(STR("abc"), '@'), 3);
    assert_int_equal(str_index_last(STR_NONE, '@'), 0);
}

static void cuts(void **state)
{
    struct str before = STR("kept"), after = STR("kept");

    (void)state;
    assert_false(str_cut(STR("abc"), '@', &before, &after));
    assert_false(str_cut_last(STR_NONE, '@', &before, &after));
    assert_str(before, "kept");
    assert_str(after, "kept");
    assert_true(str_cut(STR("a@b@c"), '@', &before, &after));
    assert_str(before, "a");
    assert_str(after, "b@c");
    assert_true(str_cut_last(STR("a@b@c"), '@', &before, &after));
    assert_str(before, "a@b");
    assert_str(after, "c");
    assert_true(str_cut(STR("@"), '@', &before, &after));
    assert_str(before, "");
    assert_str(after, "");
}

static void words(void **state)
{
    struct str rest = STR("  one two   three "), word;

    (void)state;
    assert_true(str_next(&rest, ' ', &word));
    assert_str(word, "one");
    assert_true(str_next(&rest, ' ', &word));
    assert_str(word, "two");
    assert_true(str_next(&rest, ' ', &word));
    assert_str(word, "three");
    assert_false(str_next(&rest, ' ', &word));
    assert_str(rest, "");
    assert_false(str_next(&rest, ' ', &word));
}

static const struct number_case {
    struct str text;
    uint64_t max;
    bool ok;
    uint64_t want;
} number_cases[] = {
    { STR("0"), 0, true, 0 },
    { STR("007"), 10, true, 7 },
    { STR("18446744073709551615"), UINT64_MAX, true, UINT64_MAX },
    { STR("18446744073709551616"), UINT64_MAX, false, 0 },
    { STR("99999999999999999999999"), UINT64_MAX, false, 0 },
    { STR("11"), 10, false, 0 },
    { STR(""), 10, false, 0 },
    { STR("-1"), 10, false, 0 },
    { STR("+1"), 10, false, 0 },
    { STR(" 1"), 10, false, 0 },
    { STR("1 "), 10, false, 0 },
    { STR("1\0"), 10, false, 0 },
    { STR("0x1"), 10, false, 0 },
};

static void numbers(void **state)
{
    struct str text = STR("25 rest");
    uint64_t value = 77;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(number_cases); i++) {
        const struct number_case *c = &number_cases[i];

        value = 77;
        assert_int_equal(str_to_u64(c->text, c->max, &value), c->ok);
        assert_int_equal(value, c->ok ? c->want : 77);
    }
    assert_true(str_eat_u64(&text, &value));
    assert_int_equal(value, 25);
    assert_str(text, " rest");
    assert_false(str_eat_u64(&text, &value));
    assert_str(text, " rest");
}

static void sizes(void **state)
{
    size_t size = 5;

    (void)state;
    assert_true(size_add(SIZE_MAX - 1, 1, &size));
    assert_false(size_add(SIZE_MAX, 1, &size));
    assert_true(size_mul(SIZE_MAX / 2, 2, &size));
    assert_false(size_mul(SIZE_MAX / 2 + 1, 2, &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons), cmocka_unit_test(pieces), cmocka_unit_test(searches),
        cmocka_unit_test(cuts),        cmocka_unit_test(words),  cmocka_unit_test(numbers),
        cmocka_unit_test(sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

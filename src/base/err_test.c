// SPDX-License-Identifier: Apache-2.0
/* base/err_test.c - kinds, words and context, within the room there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/code.h"
#include "base/err.h"

static void sets_and_adds_context(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_false(err_set(&err, ERR_TIMEOUT, "no reply in %d s", 300));
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_int_equal(err.sys, 0);
    assert_false(err_at(&err, "greeting from %s", "mx1.example.org"));
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_string_equal(err.text, "greeting from mx1.example.org: no reply in 300 s");
}

static void takes_kind_from_errno(void **state)
{
    static const int full[] = { ENOSPC, EDQUOT, EFBIG };
    struct err err;

    (void)state;
    errno = ENOENT;
    assert_false(err_sys(&err, "open %s", "/x"));
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(err.sys, ENOENT);
    assert_string_equal(err.text, "open /x: No such file or directory");
    assert_int_equal(errno, ENOENT);
    for (size_t i = 0; i < 3; i++) {
        errno = full[i];
        assert_false(err_sys(&err, "write"));
        assert_int_equal(err.kind, ERR_FULL);
        assert_int_equal(err.sys, full[i]);
    }
    assert_false(err_set(&err, ERR_SYNTAX, "other"));
    assert_int_equal(err.sys, 0);
}

static void nobody_asks(void **state)
{
    (void)state;
    assert_false(err_set(NULL, ERR_IO, "x"));
    assert_false(err_sys(NULL, "x"));
    assert_false(err_at(NULL, "x"));
}

static void own_text_as_argument(void **state)
{
    struct err err;

    (void)state;
    (void)err_set(&err, ERR_IO, "inner");
    (void)err_set(&err, ERR_CONFIG, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner)");
}

static void long_words_end_whole(void **state)
{
    char words[400];
    struct err err;

    (void)state;
    /* Two-byte letters at both parities: the cut never leaves half of one. */
    for (size_t shift = 0; shift < 2; shift++) {
        memset(words, 'x', sizeof(words));
        for (size_t i = shift; i + 2 < sizeof(words); i += 2)
            memcpy(words + i, "\xc3\xa9", 2);
        words[sizeof(words) - 1] = '\0';
        (void)err_set(&err, ERR_DNS, "%s", words);
        assert_true(strlen(err.text) >= sizeof(err.text) - 2);
        assert_true(utf8_ok(str_of(err.text)));
        (void)err_at(&err, "a");
        assert_true(utf8_ok(str_of(err.text)));
        (void)err_at(&err, "%s", words);
        assert_true(utf8_ok(str_of(err.text)));
    }
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    for (int kind = ERR_NONE; kind <= ERR_DENIED; kind++)
        assert_string_not_equal(err_kind_name((enum err_kind)kind), "unknown");
    assert_string_equal(err_kind_name(ERR_NOT_FOUND), "not-found");
    assert_string_equal(err_kind_name((enum err_kind)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_and_adds_context), cmocka_unit_test(takes_kind_from_errno),
        cmocka_unit_test(nobody_asks),           cmocka_unit_test(own_text_as_argument),
        cmocka_unit_test(long_words_end_whole),  cmocka_unit_test(every_kind_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

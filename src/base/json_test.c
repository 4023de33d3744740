// SPDX-License-Identifier: Apache-2.0
/* base/json_test.c - commas, escapes, and bytes that are no text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

static void nests(void **state)
{
    struct json j;
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    json_begin(&j, &b);
    json_object(&j);
    json_key(&j, "a");
    json_array(&j);
    json_int(&j, INT64_MIN);
    json_int(&j, INT64_MAX);
    json_array(&j);
    json_array_end(&j);
    json_object(&j);
    json_object_end(&j);
    json_array_end(&j);
    json_key(&j, "b\"");
    json_bool(&j, true);
    json_key(&j, "c");
    json_bool(&j, false);
    json_key(&j, "d");
    json_null(&j);
    json_key(&j, "e");
    json_raw(&j, STR("[1]"));
    json_object_end(&j);
    assert_string_equal(buf_cstr(&b),
                        "{\"a\":[-9223372036854775808,9223372036854775807,[],{}],\"b\\\"\":true,"
                        "\"c\":false,\"d\":null,\"e\":[1]}");
    buf_done(&b);
}

static const struct text_case {
    struct str text;
    const char *want;
} text_cases[] = {
    { STR(""), "\"\"" },
    { STR("a\"b\\c/"), "\"a\\\"b\\\\c/\"" },
    { STR("\r\n\t\0\x1b\x7f"), "\"\\u000d\\n\\u0009\\u0000\\u001b\\u007f\"" },
    { STR("\xc3\xa9\xf0\x9f\x98\x80"), "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
    { STR("x\xff\xc3"), "\"x\xef\xbf\xbd\xef\xbf\xbd\"" },
    { STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
};

static void strings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
        struct json j;
        struct buf b;

        buf_init(&b, 100);
        json_begin(&j, &b);
        json_str(&j, text_cases[i].text);
        assert_string_equal(buf_cstr(&b), text_cases[i].want);
        buf_done(&b);
    }
}

static void the_limit_shows_at_the_end(void **state)
{
    struct json j;
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    json_begin(&j, &b);
    json_array(&j);
    json_str(&j, STR("0123456789"));
    json_array_end(&j);
    assert_false(buf_ok(&b));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nests),
        cmocka_unit_test(strings),
        cmocka_unit_test(the_limit_shows_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* mail/encode_test.c - transfer encodings, fed in one piece and octet by octet (R20, B17). */
#include "mail/encode.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/code.h"
#include "base/mem.h"

#define X75 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct qp_case {
    struct str in;
    const char *want;
} qp_cases[] = {
    { STR(""), "" },
    { STR("a b\tc\r\n"), "a b\tc\r\n" },
    { STR("a=b"), "a=3Db" },
    { STR("a \r\n"), "a=20\r\n" },
    { STR("a\t"), "a=09" },
    { STR("a \rb"), "a=20=0Db" },
    { STR("\r"), "=0D" },
    { STR("\n"), "=0A" },
    { STR("\r\r\n"), "=0D\r\n" },
    { STR("\0\x7f\xff"), "=00=7F=FF" },
    { STR(X75 "\r\n"), X75 "\r\n" },
    { STR(X75 "y\r\n"), X75 "=\r\ny\r\n" },
    { STR("y" X75 "=\r\n"),
      "y"
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      "=\r\nx=3D\r\n" },
};

static void r20_quoted_printable(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(qp_cases); i++)
        for (size_t at = 0; at <= qp_cases[i].in.len; at++) {
            struct qp_encoder q;
            struct buf got;

            buf_init(&got, 1000);
            qp_init(&q);
            assert_true(qp_feed(&q, str_sub(qp_cases[i].in, 0, at), &got));
            assert_true(qp_feed(&q, str_skip(qp_cases[i].in, at), &got));
            assert_true(qp_end(&q, &got));
            assert_string_equal(buf_cstr(&got), qp_cases[i].want);
            buf_done(&got);
        }
}

static void r20_base64_reads_back(void **state)
{
    char bytes[200];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        struct base64_encoder b;
        struct buf text, joined, got;
        struct str rest, line;

        buf_init(&text, 1000);
        buf_init(&joined, 1000);
        buf_init(&got, 1000);
        base64_init(&b);
        for (size_t at = 0; at < len; at += 11)
            assert_true(base64_feed(&b, str_sub(str_make(bytes, len), at, 11), &text));
        assert_true(base64_end(&b, &text));
        rest = buf_str(&text);
        while (str_cut(rest, '\n', &line, &rest)) {
            assert_int_equal(line.len, 77);
            buf_add(&joined, str_sub(line, 0, 76));
        }
        assert_true(rest.len <= 76);
        buf_add(&joined, rest);
        assert_true(base64_read(&got, buf_str(&joined), NULL));
        assert_int_equal(got.len, len);
        if (len > 0)
            assert_memory_equal(got.ptr, bytes, len);
        buf_done(&text);
        buf_done(&joined);
        buf_done(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r20_quoted_printable),
        cmocka_unit_test(r20_base64_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

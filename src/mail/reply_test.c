// SPDX-License-Identifier: Apache-2.0
/* mail/reply_test.c - replies read and written, and what is no reply. */
#include "mail/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/code.h"
#include "base/mem.h"

static const struct read_case {
    const char *name;
    struct str lines; /* split at '|' */
    uint16_t code;    /* 0: the last line is refused */
    const char *status;
    const char *text;
} read_cases[] = {
    { "one line", STR("250 ok"), 250, "0.0.0", "ok" },
    { "enhanced", STR("550 5.1.1 no such user"), 550, "5.1.1", "no such user" },
    { "enhanced alone", STR("250 2.0.0"), 250, "2.0.0", "" },
    { "code alone", STR("354"), 354, "0.0.0", "" },
    { "code and blank", STR("354 "), 354, "0.0.0", "" },
    { "several lines", STR("550-5.7.1 go|550-5.7.1 away|550 5.7.1 now"), 550, "5.7.1",
      "go away now" },
    { "status on the second", STR("451-well|451 4.7.1 later"), 451, "4.7.1", "well later" },
    { "greeting with a version", STR("220 8.17.1 ready"), 220, "0.0.0", "8.17.1 ready" },
    { "class against the code", STR("550 4.7.1 no"), 550, "0.0.0", "4.7.1 no" },
    { "long numbers are text", STR("550 5.1000.1 no"), 550, "0.0.0", "5.1000.1 no" },
    { "controls", STR("550 a\0b\x1b[31m\x7f"), 550, "0.0.0", "a?b?[31m?" },
    { "tab", STR("550 a\tb"), 550, "0.0.0", "a b" },
    { "bare CR", STR("550 a\rb"), 550, "0.0.0", "a?b" },
    { "UTF-8", STR("550 f\xc3\xbcr"), 550, "0.0.0", "f\xc3\xbcr" },
    { "Latin-1", STR("550 f\xfcr"), 550, "0.0.0", "f?r" },
    { "cut UTF-8", STR("550 f\xc3"), 550, "0.0.0", "f?" },
    { "C1 control", STR("550 \xc2\x9b"), 550, "0.0.0", "??" },
    { "empty", STR(""), 0, NULL, NULL },
    { "no code", STR("hello"), 0, NULL, NULL },
    { "two digits", STR("25 ok"), 0, NULL, NULL },
    { "four digits", STR("2500 ok"), 0, NULL, NULL },
    { "below 200", STR("199 ok"), 0, NULL, NULL },
    { "above 599", STR("600 ok"), 0, NULL, NULL },
    { "changes its code", STR("250-a|550 b"), 0, NULL, NULL },
    { "no code on the second", STR("250-a|b"), 0, NULL, NULL },
    { "HTTP", STR("HTTP/1.1 400 Bad Request"), 0, NULL, NULL },
    { "tab behind the code", STR("250\tok"), 0, NULL, NULL },
};

static bool read_all(struct reply_reader *r, struct str lines, struct err *err)
{
    struct str line;
    bool last = false;

    while (str_cut(lines, '|', &line, &lines)) {
        if (!reply_line(r, line, &last, err))
            return false;
        assert_false(last);
    }
    if (!reply_line(r, lines, &last, err))
        return false;
    assert_true(last);
    return true;
}

static void replies_are_read(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < ARRAY_LEN(read_cases); i++) {
        const struct read_case *c = &read_cases[i];
        struct reply_reader reader;
        struct err err = { .kind = ERR_NONE };
        struct reply r;
        char status[40];

        reply_reader_init(&reader);
        if (read_all(&reader, c->lines, &err) != (c->code != 0))
            fail_msg("%s: %s", c->name, err.text);
        if (c->code == 0) {
            assert_int_equal(err.kind, ERR_SYNTAX);
        } else {
            r = reply_take(&reader, &arena);
            (void)snprintf(status, sizeof(status), "%u.%u.%u", r.status.klass, r.status.subject,
                           r.status.detail);
            assert_int_equal(r.code, c->code);
            assert_string_equal(status, c->status);
            assert_true(str_eq(r.text, str_of(c->text)));
        }
        reply_reader_done(&reader);
    }
    arena_done(&arena);
}

static void a_reader_is_used_again(void **state)
{
    struct reply_reader reader;
    struct arena arena;
    struct reply r;
    bool last;

    (void)state;
    arena_init(&arena, 1024);
    reply_reader_init(&reader);
    assert_true(reply_line(&reader, STR("550 5.1.1 no"), &last, NULL));
    (void)reply_take(&reader, &arena);
    assert_true(reply_line(&reader, STR("250 yes"), &last, NULL));
    r = reply_take(&reader, &arena);
    assert_int_equal(r.code, 250);
    assert_int_equal(r.status.klass, 0);
    assert_true(str_eq(r.text, STR("yes")));
    reply_reader_done(&reader);
    arena_done(&arena);
}

static void text_and_lines_are_bounded(void **state)
{
    static char line[REPLY_LINE_MAX];
    struct reply_reader reader;
    struct arena arena;
    struct err err;
    struct reply r;
    bool last;

    (void)state;
    arena_init(&arena, 4096);
    memset(line, '\xbc', sizeof(line));
    memcpy(line, "250-x", 5);
    for (size_t i = 5; i < sizeof(line); i += 2)
        line[i] = '\xc3';
    reply_reader_init(&reader);
    for (int i = 0; i < REPLY_LINES_MAX; i++)
        assert_true(reply_line(&reader, str_make(line, sizeof(line)), &last, NULL));
    assert_false(reply_line(&reader, STR("250 end"), &last, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    r = reply_take(&reader, &arena);
    assert_int_equal(r.text.len, REPLY_TEXT_MAX);
    assert_true(utf8_ok(r.text));
    reply_reader_done(&reader);
    arena_done(&arena);
}

static const struct format_case {
    struct reply reply;
    const char *want;
} format_cases[] = {
    { { 250, { 2, 0, 0 }, STR("ok") }, "250 2.0.0 ok\r\n" },
    { { 354, { 0, 0, 0 }, STR("go on") }, "354 go on\r\n" },
    { { 250, { 0, 0, 0 }, STR("host\nSIZE 1\nHELP") }, "250-host\r\n250-SIZE 1\r\n250 HELP\r\n" },
    { { 550, { 5, 7, 123 }, STR("a\nb") }, "550-5.7.123 a\r\n550 5.7.123 b\r\n" },
    { { 250, { 2, 1, 5 }, STR("") }, "250 2.1.5 \r\n" },
    { { 550, { 5, 1, 1 }, STR("a\rb\0c") }, "550 5.1.1 a?b?c\r\n" },
};

static void replies_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(format_cases); i++) {
        struct buf got;

        buf_init(&got, 1000);
        assert_true(reply_format(&got, &format_cases[i].reply));
        assert_string_equal(buf_cstr(&got), format_cases[i].want);
        buf_done(&got);
    }
}

static void b17_long_text_is_wrapped_within_512(void **state)
{
    static char text[5000];
    struct reply r = { .code = 550, .status = { 5, 999, 999 }, .text = { text, sizeof(text) } };
    struct str rest, line;
    struct buf got;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xbc", 2);
    buf_init(&got, 100000);
    assert_true(reply_format(&got, &r));
    rest = buf_str(&got);
    while (str_cut(rest, '\n', &line, &rest)) {
        assert_true(line.len + 1 <= 512);
        assert_true(utf8_ok(line));
        assert_int_equal(line.ptr[3], rest.len > 0 ? '-' : ' ');
    }
    buf_done(&got);
}

static void what_is_written_reads_back(void **state)
{
    struct reply r = { .code = 451, .status = { 4, 7, 1 }, .text = STR("try later please") }, again;
    struct reply_reader reader;
    struct arena arena;
    struct buf text;
    bool last;

    (void)state;
    arena_init(&arena, 1024);
    buf_init(&text, 1000);
    reply_reader_init(&reader);
    assert_true(reply_format(&text, &r));
    assert_true(reply_line(&reader, str_sub(buf_str(&text), 0, text.len - 2), &last, NULL) && last);
    again = reply_take(&reader, &arena);
    assert_int_equal(again.code, r.code);
    assert_int_equal(again.status.klass, 4);
    assert_int_equal(again.status.subject, 7);
    assert_int_equal(again.status.detail, 1);
    assert_true(str_eq(again.text, r.text));
    reply_reader_done(&reader);
    buf_done(&text);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(a_reader_is_used_again),
        cmocka_unit_test(text_and_lines_are_bounded),
        cmocka_unit_test(replies_are_written),
        cmocka_unit_test(b17_long_text_is_wrapped_within_512),
        cmocka_unit_test(what_is_written_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

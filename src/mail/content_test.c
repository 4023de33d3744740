// SPDX-License-Identifier: Apache-2.0
/* mail/content_test.c - every smuggling form, split everywhere (B01, R04, B17, B18). */
#include "mail/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

#define EOD "\r\n.\r\n"
#define NEXT "MAIL FROM:<evil@x.org>\r\n"

/* What DATA says: strict, or when it is a fault there, normalized. */
static const struct data_case {
    const char *name;
    struct str in; /* ends with the true end, and NEXT behind it */
    enum data_fault fault;
    struct str content; /* strict when there is no fault, else normalized */
} data_cases[] = {
    { "empty", STR(".\r\n" NEXT), DATA_OK, STR("") },
    { "plain", STR("a\r\nb" EOD NEXT), DATA_OK, STR("a\r\nb\r\n") },
    { "empty lines", STR("\r\n\r\n" EOD NEXT), DATA_OK, STR("\r\n\r\n\r\n") },
    { "stuffed dot", STR("..\r\n..a\r\nb.\r\n.c" EOD NEXT), DATA_OK,
      STR(".\r\n.a\r\nb.\r\nc\r\n") },
    { "dots in text", STR("a.b...\r\n...." EOD NEXT), DATA_OK, STR("a.b...\r\n...\r\n") },
    { "8-bit", STR("\xc3\xbc\r\n\xff" EOD NEXT), DATA_OK, STR("\xc3\xbc\r\n\xff\r\n") },
    { "LF.LF", STR("a\n.\n" NEXT "b" EOD NEXT), DATA_BARE_LF, STR("a\r\n.\r\n" NEXT "b\r\n") },
    { "LF.CRLF", STR("a\n.\r\n" NEXT "b" EOD NEXT), DATA_BARE_LF, STR("a\r\n.\r\n" NEXT "b\r\n") },
    { "CRLF.LF", STR("a\r\n.\n" NEXT "b" EOD NEXT), DATA_BARE_LF, STR("a\r\n\r\n" NEXT "b\r\n") },
    { "CR.CR", STR("a\r.\r" NEXT "b" EOD NEXT), DATA_BARE_CR, STR("a\r\n.\r\n" NEXT "b\r\n") },
    { "CR.LF", STR("a\r.\n" NEXT "b" EOD NEXT), DATA_BARE_CR, STR("a\r\n.\r\n" NEXT "b\r\n") },
    { "CR.CRLF", STR("a\r.\r\n" NEXT "b" EOD NEXT), DATA_BARE_CR, STR("a\r\n.\r\n" NEXT "b\r\n") },
    { "LF.CR", STR("a\n.\r" NEXT "b" EOD NEXT), DATA_BARE_LF, STR("a\r\n.\r\n" NEXT "b\r\n") },
    { "CRLF.CR", STR("a\r\n.\r" NEXT "b" EOD NEXT), DATA_BARE_CR, STR("a\r\n\r\n" NEXT "b\r\n") },
    { "CRLF.CRCRLF", STR("a\r\n.\r\r\n" NEXT "b" EOD NEXT), DATA_BARE_CR,
      STR("a\r\n\r\n\r\n" NEXT "b\r\n") },
    { "CRCRLF.CRCRLF", STR("a\r\r\n.\r\r\n" NEXT "b" EOD NEXT), DATA_BARE_CR,
      STR("a\r\n\r\n\r\n\r\n" NEXT "b\r\n") },
    { "CRCRLF before the end", STR("a\r" EOD NEXT), DATA_BARE_CR, STR("a\r\n\r\n") },
    { "CRCR.CRLF", STR("a\r\r.\r\n" NEXT "b" EOD NEXT), DATA_BARE_CR,
      STR("a\r\n\r\n.\r\n" NEXT "b\r\n") },
    { "LFCR.LFCR", STR("a\n\r.\n\r" NEXT "b" EOD NEXT), DATA_BARE_LF,
      STR("a\r\n\r\n.\r\n\r\n" NEXT "b\r\n") },
    { "LF first", STR("\n.\r\n" NEXT "b" EOD NEXT), DATA_BARE_LF, STR("\r\n.\r\n" NEXT "b\r\n") },
    { "dot LF first", STR(".\n" NEXT "b" EOD NEXT), DATA_BARE_LF, STR("\r\n" NEXT "b\r\n") },
    { "NUL", STR("a\0b" EOD NEXT), DATA_NUL, STR("ab\r\n") },
    { "NUL before the dot", STR("a\r\n\0.\r\n" NEXT "b" EOD NEXT), DATA_NUL,
      STR("a\r\n.\r\n" NEXT "b\r\n") },
    { "NUL behind the dot", STR("a\r\n.\0\r\n" NEXT "b" EOD NEXT), DATA_NUL,
      STR("a\r\n\r\n" NEXT "b\r\n") },
    { "NUL in the line end", STR("a\r\0\n.\r\n" NEXT "b" EOD NEXT), DATA_BARE_CR,
      STR("a\r\n\r\n.\r\n" NEXT "b\r\n") },
    { "NUL in the last line end", STR("a\r\n.\r\0\n" NEXT "b" EOD NEXT), DATA_BARE_CR,
      STR("a\r\n\r\n\r\n" NEXT "b\r\n") },
    { "two dots then LF", STR("a\r\n..\n.\r\nb" EOD NEXT), DATA_BARE_LF,
      STR("a\r\n.\r\n.\r\nb\r\n") },
};

/* Reads `in` in the pieces [0, a), [a, b), [b, end). */
static size_t read_split(struct data_reader *r, struct str in, size_t a, size_t b, struct buf *to)
{
    const size_t cuts[] = { 0, a, b, in.len };
    size_t eaten = 0;

    for (size_t i = 0; i < 3 && !r->ended; i++)
        eaten += data_read(r, str_sub(in, cuts[i], cuts[i + 1] - cuts[i]), to);
    return eaten;
}

static void check_split(const struct data_case *c, enum data_strictness strictness, size_t a,
                        size_t b)
{
    bool strict = strictness == DATA_STRICT;
    struct data_reader r;
    struct buf got;
    size_t eaten;

    buf_init(&got, 4096);
    data_reader_init(&r, strictness);
    eaten = read_split(&r, c->in, a, b, &got);
    /* One end, and it is the last one: NEXT behind it is the next command, and nothing before it
     * is. */
    if (!r.ended || !str_eq(str_skip(c->in, eaten), STR(NEXT)))
        fail_msg("%s, split at %zu and %zu: %zu eaten", c->name, a, b, eaten);
    if (r.fault != (strict ? c->fault : DATA_OK))
        fail_msg("%s, split at %zu and %zu: fault %d", c->name, a, b, r.fault);
    if ((!strict || c->fault == DATA_OK) && !str_eq(buf_str(&got), c->content))
        fail_msg("%s, split at %zu and %zu: %s", c->name, a, b, buf_cstr(&got));
    assert_true(r.facts.ends_crlf);
    buf_done(&got);
}

static void b01_no_form_ends_data_early_however_it_is_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(data_cases); i++)
        for (size_t a = 0; a <= data_cases[i].in.len; a++)
            for (size_t b = a; b <= data_cases[i].in.len; b++) {
                check_split(&data_cases[i], DATA_STRICT, a, b);
                check_split(&data_cases[i], DATA_NORMALIZE, a, b);
            }
}

static void b01_without_true_end_there_is_none(void **state)
{
    static const struct str forms[] = {
        STR("a\n.\n"),      STR("a\n.\r\n"),     STR("a\r\n.\n"),     STR("a\r.\r"),
        STR("a\r\n.\r"),    STR("a\r\n.\r\r\n"), STR("a\r\n\0.\r\n"), STR("a\r\n.\0\r\n"),
        STR("a\r\n..\r\n"), STR("a\r\n. \r\n"),  STR("a\r\0\n.\r\n"), STR("a.\r\n"),
        STR("a\r.\r\n"),    STR("a\r\n.\r\0\n"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        for (size_t at = 0; at <= forms[i].len; at++)
            for (int strictness = DATA_STRICT; strictness <= DATA_NORMALIZE; strictness++) {
                struct data_reader r;
                struct buf got;

                buf_init(&got, 100);
                data_reader_init(&r, (enum data_strictness)strictness);
                assert_int_equal(read_split(&r, forms[i], at, at, &got), forms[i].len);
                assert_false(r.ended);
                buf_done(&got);
            }
}

static void r04_a_full_buffer_stops_the_reader(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(data_cases); i++)
        for (size_t max = 2; max < 9; max++) {
            const struct data_case *c = &data_cases[i];
            struct data_reader r;
            struct buf piece, whole;
            size_t eaten = 0;

            buf_init(&piece, max);
            buf_init(&whole, 4096);
            data_reader_init(&r, DATA_NORMALIZE);
            while (!r.ended) {
                size_t took = data_read(&r, str_skip(c->in, eaten), &piece);

                assert_true(took > 0 || piece.len > 0);
                assert_true(buf_ok(&piece));
                buf_add(&whole, buf_str(&piece));
                buf_clear(&piece);
                eaten += took;
            }
            assert_true(str_eq(str_skip(c->in, eaten), STR(NEXT)));
            assert_true(str_eq(buf_str(&whole), c->content));
            buf_done(&piece);
            buf_done(&whole);
        }
}

/* Content of `lines` lines of `len` octets. */
static void fill(struct buf *to, size_t lines, size_t len, const char *end)
{
    for (size_t i = 0; i < lines; i++) {
        for (size_t j = 0; j < len; j++)
            buf_add_char(to, (char)('a' + j % 26));
        buf_add(to, str_of(end));
    }
}

static const struct fact_case {
    const char *name;
    struct str content;
    struct content_facts want;
    enum data_fault fault;
} fact_cases[] = {
    { "empty", STR(""), { false, false, true }, DATA_OK },
    { "plain", STR("a\r\nb\r\n"), { false, false, true }, DATA_OK },
    { "no last line end", STR("a\r\nb"), { false, false, false }, DATA_OK },
    { "8-bit at the end", STR("abcdefgh\xff\r\n"), { true, false, true }, DATA_OK },
    { "8-bit in a word",
      STR("abc\x80"
          "efgh\r\n"),
      { true, false, true },
      DATA_OK },
    { "bare LF", STR("a\nb\r\n"), { false, true, true }, DATA_BARE_LF },
    { "bare CR", STR("a\rb\r\n"), { false, true, true }, DATA_BARE_CR },
    { "NUL", STR("a\0b\r\n"), { false, true, true }, DATA_NUL },
    { "LF at the end", STR("a\n"), { false, true, false }, DATA_BARE_LF },
    { "CR at the end", STR("a\r"), { false, true, false }, DATA_BARE_CR },
    { "CRCRLF", STR("a\r\r\n"), { false, true, true }, DATA_BARE_CR },
    { "first LF", STR("\na\r\n"), { false, true, true }, DATA_BARE_LF },
    { "the first fault counts", STR("a\r\0\n"), { false, true, false }, DATA_BARE_CR },
    { "NUL, then CR", STR("a\0\rb"), { false, true, false }, DATA_NUL },
};

static void b01_bdat_content_is_told_however_it_is_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fact_cases); i++)
        for (size_t at = 0; at <= fact_cases[i].content.len; at++) {
            const struct fact_case *c = &fact_cases[i];
            struct content_scan s;

            content_scan_init(&s);
            content_scan(&s, str_sub(c->content, 0, at));
            content_scan(&s, str_skip(c->content, at));
            content_scan_end(&s);
            if (s.fault != c->fault || s.facts.eight_bit != c->want.eight_bit ||
                s.facts.binary != c->want.binary || s.facts.ends_crlf != c->want.ends_crlf)
                fail_msg("%s, split at %zu: fault %d", c->name, at, s.fault);
        }
}

static void b17_lines_over_998_are_told_however_they_are_split(void **state)
{
    (void)state;
    for (size_t len = 997; len <= 1000; len++)
        for (size_t at = 0; at <= 2004; at += 1) {
            struct data_reader r;
            struct content_scan s;
            struct buf text, got;

            buf_init(&text, 4096);
            buf_init(&got, 4096);
            fill(&text, 2, len, "\r\n");
            content_scan_init(&s);
            content_scan(&s, str_sub(buf_str(&text), 0, at));
            content_scan(&s, str_skip(buf_str(&text), at));
            assert_int_equal(s.facts.binary, len > 998);
            assert_int_equal(s.fault, DATA_OK);

            buf_add(&text, STR(".\r\n"));
            data_reader_init(&r, DATA_STRICT);
            (void)read_split(&r, buf_str(&text), at < text.len ? at : text.len, text.len, &got);
            assert_true(r.ended);
            assert_int_equal(r.facts.binary, len > 998);
            buf_done(&text);
            buf_done(&got);
        }
}

static const struct write_case {
    struct str content, want;
} write_cases[] = {
    { STR(""), STR(".\r\n") },
    { STR("a\r\n"), STR("a" EOD) },
    { STR("a"), STR("a" EOD) },
    { STR(".\r\n"), STR(".." EOD) },
    { STR(".a\r\n..b\r\nc.\r\n"), STR("..a\r\n...b\r\nc." EOD) },
    { STR("\r\n.\r\n"), STR("\r\n.." EOD) },
    { STR("a\r\n.\r\n" NEXT), STR("a\r\n..\r\n" NEXT ".\r\n") },
    { STR("a\n.\n"), STR("a\n..\n" EOD) },
    { STR("a\r"), STR("a\r" EOD) },
};

static void b01_dots_are_doubled_however_content_is_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(write_cases); i++)
        for (size_t at = 0; at <= write_cases[i].content.len; at++) {
            const struct write_case *c = &write_cases[i];
            struct data_writer w;
            struct buf got;

            buf_init(&got, 1000);
            data_writer_init(&w);
            assert_true(data_write(&w, str_sub(c->content, 0, at), &got));
            assert_true(data_write(&w, str_skip(c->content, at), &got));
            assert_true(data_write_end(&w, &got));
            if (!str_eq(buf_str(&got), c->want))
                fail_msg("%s, split at %zu: %s", c->content.ptr, at, buf_cstr(&got));
            buf_done(&got);
        }
}

static void r04_what_is_written_reads_back(void **state)
{
    struct data_writer w;
    struct data_reader r;
    struct buf content, wire, got;

    (void)state;
    buf_init(&content, 100000);
    buf_init(&wire, 100000);
    buf_init(&got, 100000);
    fill(&content, 300, 66, "\r\n.\r\n..\r\n");
    data_writer_init(&w);
    assert_true(data_write(&w, buf_str(&content), &wire));
    assert_true(data_write_end(&w, &wire));
    data_reader_init(&r, DATA_STRICT);
    assert_int_equal(data_read(&r, buf_str(&wire), &got), wire.len);
    assert_true(r.ended && r.fault == DATA_OK);
    assert_true(str_eq(buf_str(&got), buf_str(&content)));
    buf_done(&content);
    buf_done(&wire);
    buf_done(&got);
}

static void b01_only_marks_cost_no_more_than_their_octets(void **state)
{
    static const char *const ends[] = { "\r", "\n", ".", "\r\n..", "\n\r" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct data_reader r;
        struct content_scan s;
        struct buf in, got;

        buf_init(&in, 1 << 23);
        buf_init(&got, 1 << 23);
        fill(&in, 1 << 20, 0, ends[i]);
        data_reader_init(&r, DATA_NORMALIZE);
        assert_int_equal(data_read(&r, buf_str(&in), &got), in.len);
        content_scan_init(&s);
        content_scan(&s, buf_str(&in));
        buf_done(&in);
        buf_done(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b01_no_form_ends_data_early_however_it_is_split),
        cmocka_unit_test(b01_without_true_end_there_is_none),
        cmocka_unit_test(r04_a_full_buffer_stops_the_reader),
        cmocka_unit_test(b01_bdat_content_is_told_however_it_is_split),
        cmocka_unit_test(b17_lines_over_998_are_told_however_they_are_split),
        cmocka_unit_test(b01_dots_are_doubled_however_content_is_split),
        cmocka_unit_test(r04_what_is_written_reads_back),
        cmocka_unit_test(b01_only_marks_cost_no_more_than_their_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

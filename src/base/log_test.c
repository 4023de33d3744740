// SPDX-License-Identifier: Apache-2.0
/* base/log_test.c - one event is one line, whatever the values hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/code.h"
#include "base/log.h"
#include "base/mem.h"

static char last[4096];
static size_t lines;
static enum log_level last_level;

static void keep(void *arg, enum log_level level, struct str line)
{
    assert_ptr_equal(arg, last);
    assert_true(line.len < sizeof(last));
    memcpy(last, line.ptr, line.len);
    last[line.len] = '\0';
    last_level = level;
    lines++;
}

static int setup(void **state)
{
    (void)state;
    log_set_sink(keep, last);
    log_set_level(LOG_INFO);
    log_set_role(NULL);
    lines = 0;
    return 0;
}

static void pairs_in_order(void **state)
{
    struct log_line l;

    (void)state;
    log_set_role("accept");
    log_begin(&l, LOG_WARN, "session-refused");
    log_cstr(&l, "client", "192.0.2.1");
    log_num(&l, "waited_ms", INT64_MIN);
    log_id(&l, "id", 32);
    log_end(&l);
    assert_string_equal(last, "role=accept event=session-refused client=192.0.2.1 "
                              "waited_ms=-9223372036854775808 id=0000000000010");
    assert_int_equal(last_level, LOG_WARN);
    assert_int_equal(lines, 1);
}

static const struct value_case {
    struct str value;
    const char *want;
} value_cases[] = {
    { STR("plain<>@[]:;,'"), "event=e v=plain<>@[]:;,'" },
    { STR(""), "event=e v=\"\"" },
    { STR("two words"), "event=e v=\"two words\"" },
    { STR("a=b"), "event=e v=\"a=b\"" },
    { STR("say \"hi\" \\"), "event=e v=\"say \\\"hi\\\" \\\\\"" },
    { STR("x\r\nevent=forged\t"), "event=e v=\"x\\r\\nevent=forged\\t\"" },
    { STR("\x1b[2J\0\x7f"), "event=e v=\"\\x1b[2J\\x00\\x7f\"" },
    { STR("\xc3\xa9\xf0\x9f\x98\x80"), "event=e v=\"\xc3\xa9\xf0\x9f\x98\x80\"" },
    { STR("\xff\xc3"), "event=e v=\"\\xff\\xc3\"" },
    { STR("\xc2\x9b"
          "2J"),
      "event=e v=\"\\xc2\\x9b2J\"" }, /* C1: CSI */
    { STR("\xe2\x80\xae"
          "cod"),
      "event=e v=\"\\xe2\\x80\\xaecod\"" },                   /* turns the text round */
    { STR("\xe2\x80\xa8"), "event=e v=\"\\xe2\\x80\\xa8\"" }, /* line separator */
    { STR("\xe2\x81\xa7"), "event=e v=\"\\xe2\\x81\\xa7\"" },
    { STR("\xe2\x82\xac"), "event=e v=\"\xe2\x82\xac\"" },
};

static void values_W07(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(value_cases); i++) {
        struct log_line l;

        log_begin(&l, LOG_INFO, "e");
        log_str(&l, "v", value_cases[i].value);
        log_end(&l);
        assert_string_equal(last, value_cases[i].want);
    }
}

static void a_long_line_says_so(void **state)
{
    char text[3000];

    (void)state;
    for (size_t len = 1900; len < 2100; len++) {
        struct log_line l;
        struct str line;

        memset(text, len % 2 ? 'x' : ' ', sizeof(text));
        log_begin(&l, LOG_INFO, "e");
        log_str(&l, "a", str_make(text, len));
        log_cstr(&l, "after", "\xc3\xa9\xc3\xa9\xc3\xa9");
        log_cstr(&l, "last", "value");
        log_end(&l);
        line = str_of(last);
        assert_true(line.len <= sizeof(l.text));
        assert_true(utf8_ok(line));
        if (!str_ends_nocase(line, STR(" last=value")))
            assert_true(str_ends_nocase(line, STR(" \xe2\x80\xa6")));
    }
    log_text(LOG_INFO, "e", "%03000d", 7);
    assert_true(str_ends_nocase(str_of(last), STR("\" \xe2\x80\xa6")));
}

static void levels_and_no_sink(void **state)
{
    struct log_line l;

    (void)state;
    log_text(LOG_DEBUG, "e", "not wanted");
    assert_int_equal(lines, 0);
    log_set_level(LOG_DEBUG);
    log_text(LOG_DEBUG, "e", "wanted %d", 1);
    assert_int_equal(lines, 1);
    assert_string_equal(last, "event=e text=\"wanted 1\"");
    log_set_sink(NULL, NULL);
    log_begin(&l, LOG_ALERT, "e");
    log_end(&l);
    assert_int_equal(lines, 1);
}

static void errors(void **state)
{
    struct err err;

    (void)state;
    (void)err_set(&err, ERR_TIMEOUT, "no reply in %d s", 300);
    log_err(LOG_WARN, "dialogue-lost", &err);
    assert_string_equal(last, "event=dialogue-lost kind=timeout text=\"no reply in 300 s\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pairs_in_order, setup),
        cmocka_unit_test_setup(values_W07, setup),
        cmocka_unit_test_setup(a_long_line_says_so, setup),
        cmocka_unit_test_setup(levels_and_no_sink, setup),
        cmocka_unit_test_setup(errors, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

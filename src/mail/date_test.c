// SPDX-License-Identifier: Apache-2.0
/* mail/date_test.c - dates against known ones, and every day against the calendar's own rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mail/header.h"

static const struct date_case {
    int64_t wall_ms;
    const char *text, *iso;
} date_cases[] = {
    { 0, "Thu, 1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00.000Z" },
    { 951782400000, "Tue, 29 Feb 2000 00:00:00 +0000", "2000-02-29T00:00:00.000Z" },
    { 1795310923123, "Sun, 22 Nov 2026 01:28:43 +0000", "2026-11-22T01:28:43.123Z" },
    { 4107542399999, "Sun, 28 Feb 2100 23:59:59 +0000", "2100-02-28T23:59:59.999Z" },
    { 4107542400000, "Mon, 1 Mar 2100 00:00:00 +0000", "2100-03-01T00:00:00.000Z" },
    { 253402300799999, "Fri, 31 Dec 9999 23:59:59 +0000", "9999-12-31T23:59:59.999Z" },
    { -1, "Thu, 1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00.000Z" },
};

static void r17_dates_are_written(void **state)
{
    char text[DATE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(date_cases); i++) {
        assert_string_equal(date_format(date_cases[i].wall_ms, text), date_cases[i].text);
        assert_string_equal(date_format_iso(date_cases[i].wall_ms, text), date_cases[i].iso);
    }
    (void)date_format(INT64_MAX, text);
    assert_non_null(strstr(text, "31 Dec 9999"));
    (void)date_format(INT64_MIN, text);
    assert_non_null(strstr(text, "1 Jan 1970"));
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static void each_day_follows_the_one_before(void **state)
{
    unsigned year = 1970, month = 1, day = 1;
    char text[DATE_TEXT_MAX], want[80];

    (void)state;
    for (int64_t days = 0; year < 2500; days++) {
        (void)snprintf(want, sizeof(want), "%04u-%02u-%02uT12:00:00.000Z", year, month, day);
        assert_string_equal(date_format_iso(days * 86400000 + 43200000, text), want);
        if (++day > month_days(year, month)) {
            day = 1;
            month++;
        }
        if (month > 12) {
            month = 1;
            year++;
        }
    }
}

static const struct read_case {
    const char *name, *text;
    bool ok;
    int64_t wall_ms;
} read_cases[] = {
    { "the beginning", "1970-01-01T00:00:00Z", true, 0 },
    { "with milliseconds", "2026-11-22T01:28:43.123Z", true, 1795310923123 },
    { "with microseconds", "2026-11-22T01:28:43.123999Z", true, 1795310923123 },
    { "one digit of a fraction", "1970-01-01T00:00:00.5Z", true, 500 },
    { "small letters", "1970-01-01t00:00:00z", true, 0 },
    { "blank for T", "1970-01-01 00:00:01Z", true, 1000 },
    { "east of Greenwich", "1970-01-01T02:00:00+02:00", true, 0 },
    { "west of Greenwich", "1969-12-31T19:30:00-04:30", true, 0 },
    { "the date alone", "2000-02-29", true, 951782400000 },
    { "the last", "9999-12-31T23:59:59.999Z", true, DATE_WALL_MS_MAX },
    { "before 1970", "1969-12-31T23:59:59Z", true, -1000 },
    { "the first", "0000-01-01", true, -62167219200000 },
    { "leap second", "2016-12-31T23:59:60Z", true, 1483228799000 },
    { "nothing", "", false, 0 },
    { "no offset", "2026-11-22T01:28:43", false, 0 },
    { "no such day", "2026-02-29", false, 0 },
    { "no leap year", "2100-02-29", false, 0 },
    { "day 0", "2026-01-00", false, 0 },
    { "month 13", "2026-13-01", false, 0 },
    { "hour 24", "2026-01-01T24:00:00Z", false, 0 },
    { "minute 60", "2026-01-01T23:60:00Z", false, 0 },
    { "second 61", "2026-01-01T23:59:61Z", false, 0 },
    { "bare point", "2026-01-01T23:59:59.Z", false, 0 },
    { "short year", "26-01-01", false, 0 },
    { "something behind", "2026-01-01T00:00:00Z ", false, 0 },
    { "something behind the date", "2026-01-01x", false, 0 },
    { "offset without colon", "2026-01-01T00:00:00+0200", false, 0 },
    { "offset of a day", "2026-01-01T00:00:00+24:00", false, 0 },
    { "sign", "-026-01-01", false, 0 },
    { "letters", "2026-0a-01", false, 0 },
};

static void dates_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(read_cases); i++) {
        const struct read_case *c = &read_cases[i];
        struct err err = { 0 };
        int64_t wall_ms = 0;
        bool ok = date_parse_iso(str_of(c->text), &wall_ms, &err);
        if (ok != c->ok || wall_ms != c->wall_ms || (!ok && err.kind != ERR_SYNTAX))
            fail_msg("%s: %d %lld", c->name, ok, (long long)wall_ms);
    }
}

static void what_was_written_is_read(void **state)
{
    char text[DATE_TEXT_MAX];

    (void)state;
    for (int64_t days = 0; days < 60000; days++) {
        int64_t wall_ms = days * 86400000 + 43210987, back = 0;
        assert_true(date_parse_iso(str_of(date_format_iso(wall_ms, text)), &back, NULL));
        assert_int_equal(back, wall_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r17_dates_are_written),
        cmocka_unit_test(each_day_follows_the_one_before),
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(what_was_written_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

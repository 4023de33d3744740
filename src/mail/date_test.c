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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r17_dates_are_written),
        cmocka_unit_test(each_day_follows_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

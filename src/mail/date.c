// SPDX-License-Identifier: Apache-2.0
/* mail/date.c - dates as text, always in UTC.
 *
 * Reckoned here: gmtime_r() reads the zone file at its first call, and this folder makes no system
 * calls. */
#include <stdio.h>

#include "mail/header.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, YEAR_9999_DAYS = 2932896 };

struct civil {
    unsigned year, month, day; /* month and day from 1 */
    unsigned weekday;          /* 0: Sunday */
    unsigned hour, minute, second, ms;
};

/* Days since 1970-01-01 to a date of the Gregorian calendar: years begin in March, so that the leap
 * day is the last of its year, and 400 of them have 146,097 days. */
static void civil_date(struct civil *c, unsigned days)
{
    unsigned shifted = days + 719468, era = shifted / 146097, of_era = shifted % 146097;
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153; /* 0: March */

    c->day = of_year - (153 * month + 2) / 5 + 1;
    c->month = month < 10 ? month + 3 : month - 9;
    c->year = era * 400 + year + (c->month <= 2);
    c->weekday = (days + 4) % 7;
}

/* Times outside 1970 … 9999 become the nearest day inside. */
static struct civil civil_of(int64_t wall_ms)
{
    int64_t days = wall_ms > 0 ? wall_ms / DAY_MS : 0;
    unsigned of_day = wall_ms > 0 ? (unsigned)(wall_ms % DAY_MS) : 0;
    struct civil c;

    civil_date(&c, days < YEAR_9999_DAYS ? (unsigned)days : YEAR_9999_DAYS);
    c.ms = of_day % 1000;
    c.second = of_day / 1000 % 60;
    c.minute = of_day / 60000 % 60;
    c.hour = of_day / 3600000;
    return c;
}

const char *date_format(int64_t wall_ms, char text[DATE_TEXT_MAX])
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct civil c = civil_of(wall_ms);

    (void)snprintf(text, DATE_TEXT_MAX, "%s, %u %s %04u %02u:%02u:%02u +0000", days[c.weekday],
                   c.day, months[c.month - 1], c.year, c.hour, c.minute, c.second);
    return text;
}

const char *date_format_iso(int64_t wall_ms, char text[DATE_TEXT_MAX])
{
    struct civil c = civil_of(wall_ms);

    (void)snprintf(text, DATE_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", c.year, c.month,
                   c.day, c.hour, c.minute, c.second, c.ms);
    return text;
}

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

/* Reading -------------------------------------------------------------------------------------- */

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01; the reverse of civil_date(). */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Exactly `count` digits and then `end`, unless that is NUL. */
static bool eat_number(struct str *text, size_t count, char end, unsigned *ret)
{
    unsigned value = 0;

    if (text->len < count + (end != '\0'))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!ascii_is_digit(text->ptr[i]))
            return false;
        value = value * 10 + (unsigned)(text->ptr[i] - '0');
    }
    if (end != '\0' && ascii_lower(text->ptr[count]) != end)
        return false;
    *text = str_skip(*text, count + (end != '\0'));
    *ret = value;
    return true;
}

static bool eat_day(struct str *text, int64_t *ret_days)
{
    static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned year, month, day;

    if (!eat_number(text, 4, '-', &year) || !eat_number(text, 2, '-', &month) ||
        !eat_number(text, 2, '\0', &day) || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (month == 2 && is_leap(year)))
        return false;
    *ret_days = days_of(year, month, day);
    return true;
}

/* Digits beyond the third are read and dropped. */
static bool eat_fraction(struct str *text, unsigned *ret_ms)
{
    unsigned weight = 100;

    *ret_ms = 0;
    if (text->len == 0 || text->ptr[0] != '.')
        return true;
    *text = str_skip(*text, 1);
    if (text->len == 0 || !ascii_is_digit(text->ptr[0]))
        return false;
    while (text->len > 0 && ascii_is_digit(text->ptr[0])) {
        *ret_ms += weight * (unsigned)(text->ptr[0] - '0');
        weight /= 10;
        *text = str_skip(*text, 1);
    }
    return true;
}

/* "Z", or "+02:00" to the end. */
static bool eat_offset(struct str text, int64_t *ret_ms)
{
    unsigned hours, minutes;
    bool west;

    *ret_ms = 0;
    if (text.len == 1 && ascii_lower(text.ptr[0]) == 'z')
        return true;
    if (text.len != 6 || (text.ptr[0] != '+' && text.ptr[0] != '-'))
        return false;
    west = text.ptr[0] == '-';
    text = str_skip(text, 1);
    if (!eat_number(&text, 2, ':', &hours) || !eat_number(&text, 2, '\0', &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *ret_ms = ((int64_t)hours * 60 + minutes) * (west ? -60000 : 60000);
    return true;
}

static bool eat_time(struct str *text, int64_t *ret_ms)
{
    unsigned hour, minute, second, ms;
    int64_t offset_ms;

    if (!eat_number(text, 2, ':', &hour) || !eat_number(text, 2, ':', &minute) ||
        !eat_number(text, 2, '\0', &second) || !eat_fraction(text, &ms) ||
        !eat_offset(*text, &offset_ms) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (second == 60)
        second = 59;
    *ret_ms = (((int64_t)hour * 60 + minute) * 60 + second) * 1000 + ms - offset_ms;
    return true;
}

bool date_parse_iso(struct str text, int64_t *ret_wall_ms, struct err *err)
{
    int64_t days = 0, of_day_ms = 0;
    bool ok = eat_day(&text, &days);

    if (ok && text.len > 0) {
        char sign = ascii_lower(text.ptr[0]); /* §5.6 lets a blank stand for the T */
        text = str_skip(text, 1);
        ok = (sign == 't' || sign == ' ') && eat_time(&text, &of_day_ms);
    }
    if (!ok)
        return err_set(err, ERR_SYNTAX, "not a date such as 2027-01-31T12:00:00Z");
    *ret_wall_ms = days * DAY_MS + of_day_ms;
    return true;
}

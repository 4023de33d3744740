// SPDX-License-Identifier: Apache-2.0
/* guard/quota_window.c - the minute, hour, day and month that a moment lies in, by the Gregorian
 * calendar and in UTC. Reckoned here: the C library's calendar reads the zone file. */
#include "guard/quota_table.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

/* The day of its month, from 0, of the day that is so many after 1970-01-01. Years begin in March,
 * so that the leap day is the last of its year; 400 of them have 146,097 days, and the months from
 * March on follow one another as 153 days in five. */
static int64_t day_of_month(int64_t days)
{
    int64_t of_era = (days + 719468) % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    return of_year - (153 * month + 2) / 5;
}

static int64_t month_begin(int64_t days)
{
    return days - day_of_month(days);
}

struct quota_bounds quota_bounds_of(int64_t wall_ms)
{
    static const int64_t lengths[] = { MINUTE_MS, HOUR_MS, DAY_MS };
    int64_t wall = wall_ms > 0 ? wall_ms : 0, month = month_begin(wall / DAY_MS);
    struct quota_bounds b;

    for (size_t w = QUOTA_MINUTE; w <= QUOTA_DAY; w++) {
        b.begins[w] = wall - wall % lengths[w];
        b.ends[w] = b.begins[w] + lengths[w];
    }
    b.begins[QUOTA_MONTH] = month * DAY_MS;
    b.ends[QUOTA_MONTH] =
        month_begin(month + 31) * DAY_MS; /* the 31st day from a first is in the
                                             month behind it, whatever its length */
    return b;
}

int64_t quota_ends_ms(enum quota_window w, int64_t wall_ms)
{
    return quota_bounds_of(wall_ms).ends[w];
}

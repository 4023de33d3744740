// SPDX-License-Identifier: Apache-2.0
/* guard/quota_test.c - windows by the calendar, limits of each kind, holding against overshoot, the
 * bytes and back (R96, A10). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "guard/quota.h"
#include "mail/header.h"

enum { LIMITS = QUOTA_WINDOWS * QUOTA_MEASURES };

#define AT(w, m) ((w)*QUOTA_MEASURES + (m))
/* 2024-02-29 12:34:56.789 UTC */
#define LEAP_DAY INT64_C(1709210096789)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

static struct quota_use use_at(int64_t wall_ms)
{
    return (struct quota_use){ .bytes = 1000, .recipients = 1, .wall_ms = wall_ms };
}

static void send_one(struct quota *q, uint64_t who, int64_t wall_ms)
{
    struct quota_use use = use_at(wall_ms);

    quota_count(q, who, &use, 0);
}

static struct quota_verdict judge_one(struct quota *q, uint64_t who, const uint64_t *limits,
                                      const struct quota_use *use)
{
    const struct quota_holder h = { .who = who, .limits = limits };
    struct quota_verdict v;

    quota_judge(q, &h, 1, use, &v);
    return v;
}

/* Windows ---------------------------------------------------------------------------------------
 */

static const struct window_case {
    const char *name;
    enum quota_window window;
    int64_t wall_ms;
    const char *ends;
} window_cases[] = {
    { "minute", QUOTA_MINUTE, LEAP_DAY, "2024-02-29T12:35:00.000Z" },
    { "hour", QUOTA_HOUR, LEAP_DAY, "2024-02-29T13:00:00.000Z" },
    { "day", QUOTA_DAY, LEAP_DAY, "2024-03-01T00:00:00.000Z" },
    { "month of 29", QUOTA_MONTH, LEAP_DAY, "2024-03-01T00:00:00.000Z" },
    { "month of 28", QUOTA_MONTH, LEAP_DAY - 366 * DAY_MS, "2023-03-01T00:00:00.000Z" },
    { "month of 31", QUOTA_MONTH, LEAP_DAY + DAY_MS, "2024-04-01T00:00:00.000Z" },
    { "month of 30", QUOTA_MONTH, LEAP_DAY + 40 * DAY_MS, "2024-05-01T00:00:00.000Z" },
    { "December", QUOTA_MONTH, LEAP_DAY + 300 * DAY_MS, "2025-01-01T00:00:00.000Z" },
    { "the first of a month", QUOTA_MONTH, INT64_C(1709251200000), "2024-04-01T00:00:00.000Z" },
    { "the ms before it", QUOTA_MONTH, INT64_C(1709251199999), "2024-03-01T00:00:00.000Z" },
    { "2000 had a leap day", QUOTA_DAY, INT64_C(951782400000), "2000-03-01T00:00:00.000Z" },
    { "2100 will not", QUOTA_MONTH, INT64_C(4107456000000), "2100-03-01T00:00:00.000Z" },
    { "the beginning", QUOTA_MONTH, 0, "1970-02-01T00:00:00.000Z" },
    { "before it", QUOTA_MINUTE, -5, "1970-01-01T00:01:00.000Z" },
};

static void windows_end_by_the_calendar_R96(void **state)
{
    char text[DATE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(window_cases); i++) {
        const struct window_case *c = &window_cases[i];
        const char *ends = date_format_iso(quota_ends_ms(c->window, c->wall_ms), text);

        if (strcmp(ends, c->ends) != 0)
            fail_msg("%s: ends %s", c->name, ends);
    }
}

/* Each day of 400 years and more: the month ends on a first, one to 31 days later. */
static void months_follow_one_another_R96(void **state)
{
    int64_t ends = quota_ends_ms(QUOTA_MONTH, 0);
    char text[DATE_TEXT_MAX];

    (void)state;
    for (int64_t day = 0; day < 150000; day++) {
        if (day * DAY_MS >= ends) {
            assert_true(day * DAY_MS == ends);
            (void)date_format_iso(ends, text);
            assert_memory_equal(text + 8, "01T00:00:00.000Z", 17);
            ends = quota_ends_ms(QUOTA_MONTH, day * DAY_MS);
        }
        assert_true(quota_ends_ms(QUOTA_MONTH, day * DAY_MS + 1) == ends);
    }
}

static const struct edge_case {
    enum quota_window window;
    int64_t last, first; /* of the window, and of the next one */
} edge_cases[] = {
    { QUOTA_MINUTE, INT64_C(1709210099999), INT64_C(1709210100000) },
    { QUOTA_HOUR, INT64_C(1709211599999), INT64_C(1709211600000) },
    { QUOTA_DAY, INT64_C(1709251199999), INT64_C(1709251200000) },
    { QUOTA_MONTH, INT64_C(1709251199999), INT64_C(1709251200000) },
};

static void a_limit_begins_anew_at_the_edge_R96(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(edge_cases); i++) {
        const struct edge_case *c = &edge_cases[i];
        uint64_t limits[LIMITS] = { 0 };
        struct quota_use last = use_at(c->last), first = use_at(c->first);
        struct quota *q = quota_new();
        struct quota_verdict v;

        limits[AT(c->window, QUOTA_MESSAGES)] = 2;
        send_one(q, 7, c->last);
        assert_int_equal(judge_one(q, 7, limits, &last).code, CODE_NONE);
        send_one(q, 7, c->last);
        v = judge_one(q, 7, limits, &last);
        assert_int_equal(v.code, CODE_QUOTA_MINUTE + c->window);
        assert_true(v.ends_wall_ms == c->first && v.used == 2 && v.limit == 2 && !v.alone);
        assert_int_equal(judge_one(q, 8, limits, &last).code, CODE_NONE);
        assert_int_equal(judge_one(q, 7, limits, &first).code, CODE_NONE);
        assert_int_equal(quota_used(q, 7, c->window, QUOTA_MESSAGES, c->last), 2);
        assert_int_equal(quota_used(q, 7, c->window, QUOTA_MESSAGES, c->first), 0);
        quota_free(q);
    }
}

/* A commit that takes its time belongs to the window that is over, not to the one that runs. */
static void what_comes_late_does_not_count_R96(void **state)
{
    struct quota *q = quota_new();

    (void)state;
    send_one(q, 7, LEAP_DAY + 60000);
    send_one(q, 7, LEAP_DAY);
    assert_int_equal(quota_used(q, 7, QUOTA_MINUTE, QUOTA_MESSAGES, LEAP_DAY + 60000), 1);
    assert_int_equal(quota_used(q, 7, QUOTA_HOUR, QUOTA_MESSAGES, LEAP_DAY + 60000), 2);
    quota_free(q);
}

/* Measures --------------------------------------------------------------------------------------
 */

#define DISTINCT(...)                              \
    .distinct = (const uint64_t[]){ __VA_ARGS__ }, \
    .distinct_count = ARRAY_LEN(((const uint64_t[]){ __VA_ARGS__ }))

static const struct measure_case {
    const char *name;
    enum quota_measure measure;
    uint64_t limit;
    struct quota_use more; /* after one of 10 recipients, 1000 bytes, distinct ones 11 to 14 */
    enum policy_code want;
    bool alone;
} measure_cases[] = {
    { "messages", QUOTA_MESSAGES, 2, { 0 }, CODE_NONE, false },
    { "a message too many", QUOTA_MESSAGES, 1, { 0 }, CODE_QUOTA_DAY, false },
    { "recipients", QUOTA_RECIPIENTS, 15, { .recipients = 5 }, CODE_NONE, false },
    { "a recipient too many", QUOTA_RECIPIENTS, 15, { .recipients = 6 }, CODE_QUOTA_DAY, false },
    { "never so many", QUOTA_RECIPIENTS, 15, { .recipients = 16 }, CODE_QUOTA_DAY, true },
    { "bytes", QUOTA_BYTES, 1500, { .bytes = 500 }, CODE_NONE, false },
    { "a byte too many", QUOTA_BYTES, 1500, { .bytes = 501 }, CODE_QUOTA_DAY, false },
    { "all bytes there are", QUOTA_BYTES, 1500, { .bytes = UINT64_MAX }, CODE_QUOTA_DAY, true },
    { "no limit", QUOTA_BYTES, 0, { .bytes = UINT64_MAX }, CODE_NONE, false },
    { "the same again", QUOTA_DISTINCT, 4, { DISTINCT(14, 11, 13) }, CODE_NONE, false },
    { "a new one", QUOTA_DISTINCT, 5, { DISTINCT(14, 15) }, CODE_NONE, false },
    { "two new ones", QUOTA_DISTINCT, 5, { DISTINCT(16, 14, 15) }, CODE_QUOTA_DAY, false },
    { "five", QUOTA_DISTINCT, 4, { DISTINCT(11, 12, 13, 14, 15) }, CODE_QUOTA_DAY, true },
};

static void each_measure_has_its_limit_R96(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(measure_cases); i++) {
        const struct measure_case *c = &measure_cases[i];
        uint64_t limits[LIMITS] = { 0 };
        struct quota_use use = {
            .bytes = 1000, .recipients = 10, .wall_ms = LEAP_DAY, DISTINCT(11, 12, 13, 14)
        };
        struct quota_use more = c->more;
        struct quota *q = quota_new();
        struct quota_verdict v;

        limits[AT(QUOTA_DAY, c->measure)] = c->limit;
        quota_count(q, 7, &use, quota_remembers(limits));
        more.wall_ms = LEAP_DAY;
        v = judge_one(q, 7, limits, &more);
        if (v.code != c->want || v.alone != c->alone)
            fail_msg("%s: code %d, alone %d", c->name, (int)v.code, (int)v.alone);
        quota_free(q);
    }
}

/* Distinct recipients against a plain list, in windows that are remembered and others. */
static void distinct_recipients_are_exact_R96(void **state)
{
    uint64_t limits[LIMITS] = { [AT(QUOTA_HOUR, QUOTA_DISTINCT)] = 1000000 }, seed = 1, hash;
    struct quota_use use = {
        .recipients = 1, .distinct = &hash, .distinct_count = 1, .wall_ms = LEAP_DAY
    };
    struct quota *q = quota_new();
    bool seen[5000] = { 0 };
    uint64_t count = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        count += !seen[seed >> 40 & 4095];
        seen[seed >> 40 & 4095] = true;
        hash = (seed >> 40 & 4095) * UINT64_C(0x9e3779b97f4a7c15) + 2;
        quota_count(q, 7, &use, quota_remembers(limits));
        assert_int_equal(quota_used(q, 7, QUOTA_HOUR, QUOTA_DISTINCT, LEAP_DAY), count);
    }
    assert_int_equal(quota_used(q, 7, QUOTA_DAY, QUOTA_DISTINCT, LEAP_DAY), 0);
    assert_int_equal(quota_used(q, 7, QUOTA_DAY, QUOTA_RECIPIENTS, LEAP_DAY), 20000);
    quota_free(q);
}

/* Which reason ----------------------------------------------------------------------------------
 */

static void the_reason_that_holds_longest_is_told_R96(void **state)
{
    const uint64_t of_both[LIMITS] = { [AT(QUOTA_MINUTE, QUOTA_MESSAGES)] = 1,
                                       [AT(QUOTA_DAY, QUOTA_MESSAGES)] = 1 };
    const uint64_t of_minute[LIMITS] = { [AT(QUOTA_MINUTE, QUOTA_BYTES)] = 999,
                                         [AT(QUOTA_MONTH, QUOTA_MESSAGES)] = 1 };
    struct quota_use use = use_at(LEAP_DAY);
    struct quota *q = quota_new();

    (void)state;
    send_one(q, 7, LEAP_DAY);
    assert_int_equal(judge_one(q, 7, of_both, &use).code, CODE_QUOTA_DAY);
    assert_int_equal(judge_one(q, 7, of_minute, &use).code, CODE_QUOTA_MINUTE);
    assert_true(judge_one(q, 7, of_minute, &use).alone);
    quota_free(q);
}

static void any_holder_may_refuse_R96(void **state)
{
    const uint64_t wide[LIMITS] = { [AT(QUOTA_DAY, QUOTA_MESSAGES)] = 100 };
    const uint64_t narrow[LIMITS] = { [AT(QUOTA_HOUR, QUOTA_MESSAGES)] = 3 };
    const struct quota_holder holders[] = { { .who = 7, .limits = wide },
                                            { .who = 1, .limits = narrow },
                                            { .who = 7 | QUOTA_STREAM, .limits = wide } };
    struct quota_use use = use_at(LEAP_DAY);
    struct quota *q = quota_new();
    struct quota_verdict v;

    (void)state;
    send_one(q, 7, LEAP_DAY);
    send_one(q, 1, LEAP_DAY);
    for (int i = 0; i < 2; i++) { /* of another account below 1 */
        quota_judge(q, holders, 3, &use, &v);
        assert_int_equal(v.code, CODE_NONE);
        send_one(q, 1, LEAP_DAY);
    }
    quota_judge(q, holders, 3, &use, &v);
    assert_int_equal(v.code, CODE_QUOTA_HOUR);
    assert_int_equal(v.holder, 1);
    assert_int_equal(quota_used(q, 7 | QUOTA_STREAM, QUOTA_DAY, QUOTA_MESSAGES, LEAP_DAY), 0);
    quota_free(q);
}

static const struct soft_case {
    uint32_t percent;
    uint64_t limit;
    int warns_at; /* which message; 0: none */
} soft_cases[] = {
    { 80, 10, 8 }, { 0, 10, 0 }, { 100, 10, 10 }, { 1, 10, 1 }, { 50, 3, 2 }, { 200, 4, 4 },
};

static void soft_limits_warn_once_a_window_R96(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(soft_cases); i++) {
        const struct soft_case *c = &soft_cases[i];
        uint64_t limits[LIMITS] = { [AT(QUOTA_DAY, QUOTA_MESSAGES)] = c->limit };
        const struct quota_holder h = { 7, limits, c->percent };
        struct quota_verdict v;
        struct quota *q = quota_new();

        for (int n = 1; n <= 2 * (int)c->limit; n++) {
            int of_day = (n - 1) % (int)c->limit + 1;
            struct quota_use use = use_at(LEAP_DAY + (n > (int)c->limit ? DAY_MS : 0));

            quota_judge(q, &h, 1, &use, &v);
            if (v.code != (of_day == c->warns_at ? CODE_QUOTA_SOFT : CODE_NONE))
                fail_msg("%u %% of %d: code %d at message %d", c->percent, (int)c->limit,
                         (int)v.code, n);
            quota_count(q, 7, &use, 0);
        }
        quota_free(q);
    }
}

/* Holding ---------------------------------------------------------------------------------------
 */

/* All are judged before any is durable; some of them never will be. */
static void many_at_once_do_not_overshoot_A10(void **state)
{
    const uint64_t limits[LIMITS] = { [AT(QUOTA_DAY, QUOTA_MESSAGES)] = 50 };
    struct quota_use use = use_at(LEAP_DAY);
    struct quota *q = quota_new();
    int held = 0, counted = 0;

    (void)state;
    for (int i = 0; i < 200; i++)
        if (judge_one(q, 7, limits, &use).code == CODE_NONE) {
            quota_hold(q, 7, &use, 0);
            held++;
        }
    assert_int_equal(held, 50);
    for (; held > 0; held--) {
        quota_unhold(q, 7, &use, 0);
        if (held % 5 != 0)
            quota_count(q, 7, &use, 0), counted++;
        assert_int_equal(quota_used(q, 7, QUOTA_DAY, QUOTA_MESSAGES, LEAP_DAY), held - 1 + counted);
    }
    assert_int_equal(counted, 40);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(judge_one(q, 7, limits, &use).code, CODE_NONE);
        quota_hold(q, 7, &use, 0);
    }
    assert_int_equal(judge_one(q, 7, limits, &use).code, CODE_QUOTA_DAY);
    quota_free(q);
}

/* Several on their way to one recipient take one place, until the last of them is given up. */
static void held_recipients_are_distinct_A10(void **state)
{
    const uint64_t limits[LIMITS] = { [AT(QUOTA_DAY, QUOTA_DISTINCT)] = 2 };
    const unsigned day = 1 << QUOTA_DAY;
    struct quota_use ann = { .wall_ms = LEAP_DAY, DISTINCT(11) };
    struct quota_use bob = { .wall_ms = LEAP_DAY, DISTINCT(12) };
    struct quota_use both = { .wall_ms = LEAP_DAY, DISTINCT(11, 12) };
    struct quota_use eve = { .wall_ms = LEAP_DAY, DISTINCT(13) };
    struct quota *q = quota_new();

    (void)state;
    assert_int_equal(quota_remembers(limits), day);
    quota_hold(q, 7, &ann, day);
    quota_hold(q, 7, &ann, day);
    quota_hold(q, 7, &bob, day);
    assert_int_equal(judge_one(q, 7, limits, &both).code, CODE_NONE);
    assert_int_equal(judge_one(q, 7, limits, &eve).code, CODE_QUOTA_DAY);
    quota_unhold(q, 7, &ann, day);
    assert_int_equal(judge_one(q, 7, limits, &eve).code, CODE_QUOTA_DAY);
    quota_unhold(q, 7, &ann, day);
    assert_int_equal(judge_one(q, 7, limits, &eve).code, CODE_NONE);
    quota_hold(q, 7, &both, day);
    quota_unhold(q, 7, &both, day);
    quota_count(q, 7, &both, day);
    quota_unhold(q, 7, &bob, day); /* given up, but another one counted it */
    assert_int_equal(quota_used(q, 7, QUOTA_DAY, QUOTA_DISTINCT, LEAP_DAY), 2);
    assert_int_equal(judge_one(q, 7, limits, &eve).code, CODE_QUOTA_DAY);
    quota_free(q);
}

/* Held in one minute, ended in the next: neither takes room there. */
static void holds_end_with_their_window_A10(void **state)
{
    struct quota_use old = use_at(LEAP_DAY), late = use_at(LEAP_DAY + 60000);
    struct quota *q = quota_new();

    (void)state;
    quota_hold(q, 7, &old, 0);
    quota_hold(q, 7, &late, 0);
    assert_int_equal(quota_used(q, 7, QUOTA_MINUTE, QUOTA_MESSAGES, late.wall_ms), 1);
    quota_unhold(q, 7, &old, 0);
    assert_int_equal(quota_used(q, 7, QUOTA_MINUTE, QUOTA_MESSAGES, late.wall_ms), 1);
    assert_int_equal(quota_used(q, 7, QUOTA_DAY, QUOTA_MESSAGES, late.wall_ms), 1);
    quota_tidy(q, LEAP_DAY + 40 * DAY_MS);
    quota_unhold(q, 7, &late, 0);
    quota_count(q, 7, &late, 0);
    quota_unhold(q, 7, &late, 0);
    assert_int_equal(quota_used(q, 7, QUOTA_MINUTE, QUOTA_MESSAGES, late.wall_ms), 1);
    quota_free(q);
}

/* Bytes -----------------------------------------------------------------------------------------
 */

static struct quota *filled(void)
{
    const uint64_t limits[LIMITS] = { [AT(QUOTA_MONTH, QUOTA_DISTINCT)] = 1000 };
    struct quota *q = quota_new();

    for (uint64_t i = 0; i < 300; i++) {
        uint64_t hashes[] = { 1000 + i % 70, 2000 + i };
        struct quota_use use = { .bytes = i,
                                 .recipients = 3,
                                 .distinct = hashes,
                                 .distinct_count = 2,
                                 .wall_ms = LEAP_DAY - 3600000 + (int64_t)i * 12000 };

        quota_count(q, 1 + i % 3, &use, i % 3 == 0 ? quota_remembers(limits) : 0);
        quota_count(q, (1 + i % 3) | QUOTA_STREAM, &use, 0);
    }
    return q;
}

static void same(const struct quota *a, const struct quota *b, int64_t wall_ms)
{
    for (uint64_t n = 0; n < 10; n++) {
        uint64_t who = n / 2 | (n % 2 == 0 ? 0 : QUOTA_STREAM);

        for (unsigned i = 0; i < LIMITS; i++)
            assert_int_equal(quota_used(a, who, i / QUOTA_MEASURES, i % QUOTA_MEASURES, wall_ms),
                             quota_used(b, who, i / QUOTA_MEASURES, i % QUOTA_MEASURES, wall_ms));
    }
}

static void bytes_and_back_A10(void **state)
{
    struct quota *q = filled(), *again = quota_new();
    struct quota_use use = { .recipients = 2, .wall_ms = LEAP_DAY, DISTINCT(1005, 5000) };
    struct buf bytes;
    struct err err;

    (void)state;
    quota_hold(q, 1, &use, 1 << QUOTA_MONTH); /* what is only held is not written */
    buf_init(&bytes, 1 << 20);
    assert_true(quota_write(q, &bytes));
    quota_unhold(q, 1, &use, 1 << QUOTA_MONTH);
    assert_true(quota_read(again, buf_str(&bytes), &err));
    same(q, again, LEAP_DAY);
    assert_int_equal(quota_used(again, 1, QUOTA_MONTH, QUOTA_DISTINCT, LEAP_DAY), 170);
    quota_count(again, 1, &use, 1 << QUOTA_MONTH); /* and it goes on where it was */
    assert_int_equal(quota_used(again, 1, QUOTA_MONTH, QUOTA_DISTINCT, LEAP_DAY), 171);
    quota_free(again);
    quota_free(q);
    buf_done(&bytes);
}

static void other_bytes_are_refused_A10(void **state)
{
    struct quota *q = filled(), *again = quota_new();
    struct buf bytes;
    struct err err;

    (void)state;
    buf_init(&bytes, 1 << 20);
    assert_true(quota_write(q, &bytes));
    for (size_t len = 0; len < bytes.len; len += 1 + len / 50) {
        assert_false(quota_read(again, str_make(bytes.ptr, len), &err));
        assert_int_equal(err.kind, ERR_DAMAGED);
        assert_int_equal(quota_used(again, 1, QUOTA_MONTH, QUOTA_MESSAGES, LEAP_DAY), 0);
    }
    buf_add_char(&bytes, 0);
    assert_false(quota_read(again, buf_str(&bytes), &err));
    bytes.ptr[0] = 9; /* another version */
    assert_false(quota_read(again, str_make(bytes.ptr, bytes.len - 1), &err));
    quota_free(again);
    quota_free(q);
    buf_done(&bytes);
}

static void tidying_keeps_what_runs_R96(void **state)
{
    struct quota *q = filled(), *before = filled(), *none = quota_new();

    (void)state;
    quota_tidy(q, LEAP_DAY);
    same(q, before, LEAP_DAY);
    quota_tidy(q, LEAP_DAY + DAY_MS); /* another month */
    same(q, none, LEAP_DAY);
    quota_free(q);
    quota_free(before);
    quota_free(none);
}

/* The clock was set back over a restart: what would begin only later does not stand in the way. */
static void windows_ahead_of_the_clock_are_forgotten_K01(void **state)
{
    struct quota *q = quota_new();

    (void)state;
    send_one(q, 7, LEAP_DAY + 3 * 60000);
    quota_tidy(q, LEAP_DAY);
    send_one(q, 7, LEAP_DAY);
    assert_int_equal(quota_used(q, 7, QUOTA_MINUTE, QUOTA_MESSAGES, LEAP_DAY), 1);
    assert_int_equal(quota_used(q, 7, QUOTA_DAY, QUOTA_MESSAGES, LEAP_DAY), 2);
    quota_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_end_by_the_calendar_R96),
        cmocka_unit_test(months_follow_one_another_R96),
        cmocka_unit_test(a_limit_begins_anew_at_the_edge_R96),
        cmocka_unit_test(what_comes_late_does_not_count_R96),
        cmocka_unit_test(each_measure_has_its_limit_R96),
        cmocka_unit_test(distinct_recipients_are_exact_R96),
        cmocka_unit_test(the_reason_that_holds_longest_is_told_R96),
        cmocka_unit_test(any_holder_may_refuse_R96),
        cmocka_unit_test(soft_limits_warn_once_a_window_R96),
        cmocka_unit_test(many_at_once_do_not_overshoot_A10),
        cmocka_unit_test(held_recipients_are_distinct_A10),
        cmocka_unit_test(holds_end_with_their_window_A10),
        cmocka_unit_test(bytes_and_back_A10),
        cmocka_unit_test(other_bytes_are_refused_A10),
        cmocka_unit_test(tidying_keeps_what_runs_R96),
        cmocka_unit_test(windows_ahead_of_the_clock_are_forgotten_K01),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

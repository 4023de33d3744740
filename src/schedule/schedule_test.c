// SPDX-License-Identifier: Apache-2.0
/* schedule/schedule_test.c - weeks of retries on a clock that the test turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "schedule/schedule.h"

#define START 1700000000000ll
#define MINUTE 60000ll
#define HOUR (60 * MINUTE)

static int64_t steps[] = { 5 * MINUTE, 15 * MINUTE, HOUR };
static struct config config = {
    .retry = { .steps_ms = steps,
               .step_count = 3,
               .expire_ms = 5 * 24 * HOUR,
               .delay_warn_ms = 4 * HOUR },
    .delivery = { .connections_per_site = 20,
                  .connections_per_site_first = 2,
                  .recipients_per_transaction = 50 },
};

static struct entry *enter_one(struct schedule *s, const char *site, uint64_t account, int64_t now)
{
    struct entry *e = schedule_enter(s, NULL, account, now, 1);
    schedule_place(s, e, 0, site_get(s, str_of(site)), now, 0, false);
    return e;
}

static void recipients_of_one_site_go_together(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(&config, START);
    struct entry *e = schedule_enter(s, NULL, 1, START, 120);
    struct batch b;

    for (uint32_t r = 0; r < 120; r++)
        schedule_place(s, e, r, site_get(s, r % 2 ? STR("odd") : STR("even")), START, 0, false);
    size_t seen = 0, most = 0;
    while (schedule_next(s, START, &b)) {
        for (size_t i = 1; i < b.count; i++)
            assert_true(schedule_item_site(e, b.rcpts[i]) == b.site);
        seen += b.count;
        most = b.count > most ? b.count : most;
    }
    assert_int_equal(seen, 120);
    assert_int_equal(most, 50);
    schedule_free(s);
}

static void accounts_take_turns_in_a_site(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(&config, START);
    struct batch b;
    unsigned small = 0;

    for (int i = 0; i < 100; i++)
        enter_one(s, "a", 1, START);
    for (int i = 0; i < 3; i++)
        enter_one(s, "a", 2, START);
    for (int i = 0; i < 6; i++) {
        assert_true(schedule_next(s, START, &b));
        small += entry_account(b.entry) == 2;
    }
    assert_int_equal(small, 3);
    schedule_free(s);
}

/* O04, N10: the dead site holds what is its own; the other is served as if it were alone. */
static void a_dead_site_delays_no_other(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(&config, START);
    struct batch b;
    size_t served = 0, attempts_dead = 0;

    for (int i = 0; i < 5000; i++)
        enter_one(s, "dead", 1, START);
    for (int i = 0; i < 500; i++)
        enter_one(s, "alive", 1, START);
    for (int64_t now = START; now < START + MINUTE; now += 100)
        while (schedule_next(s, now, &b)) {
            bool dead = str_eq(site_name(b.site), STR("dead"));
            attempts_dead += dead;
            served += !dead;
            if (dead)
                schedule_retry(
                    s, b.entry, b.rcpts[0],
                    retry_at(&config.retry, schedule_tries(b.entry, b.rcpts[0]), now, START, 0),
                    false);
            else
                schedule_done(s, b.entry, b.rcpts[0]);
            site_report(s, b.site, now, dead ? SITE_FAILED : SITE_SERVED,
                        STR("connection refused"));
        }
    assert_int_equal(served, 500);
    assert_in_range(attempts_dead, 3, 12);
    schedule_free(s);
}

/* R23: whatever happens to its site, a recipient ends; and it is warned about once. */
static void every_recipient_of_a_dead_site_expires(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(&config, START);
    struct batch b;
    size_t expired = 0, late = 0;
    struct schedule_figures f;

    for (int i = 0; i < 300; i++)
        enter_one(s, "dead", 1, START);
    for (int64_t now = START; now < START + 6 * 24 * HOUR; now += 30000)
        while (schedule_next(s, now, &b))
            switch (b.kind) {
            case BATCH_ATTEMPT: {
                uint16_t tries = schedule_tries(b.entry, b.rcpts[0]);
                schedule_retry(s, b.entry, b.rcpts[0],
                               retry_at(&config.retry, tries, now, START, 7), true);
                site_report(s, b.site, now, SITE_FAILED, STR("timeout"));
                break;
            }
            case BATCH_LATE:
                assert_true(now - START >= 4 * HOUR);
                late++;
                schedule_place(s, b.entry, b.rcpts[0], b.site, now + MINUTE,
                               schedule_tries(b.entry, 0), true);
                break;
            case BATCH_EXPIRED:
                assert_true(now - START >= 5 * 24 * HOUR);
                expired++;
                schedule_done(s, b.entry, b.rcpts[0]);
                break;
            }
    schedule_look(s, &f);
    assert_int_equal(expired, 300);
    assert_in_range(late, 200, 300);
    assert_int_equal(f.waiting + f.ready, 0);
    schedule_free(s);
}

static void a_closed_site_is_tried_with_one_batch(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(&config, START);
    struct batch b, c;
    struct site_facts facts;
    int64_t now = START;

    for (int i = 0; i < 50; i++)
        enter_one(s, "a", 1, START);
    for (int i = 0; i < 3; i++) {
        assert_true(schedule_next(s, now, &b));
        schedule_retry(s, b.entry, 0, now + HOUR, false);
        site_report(s, b.site, now, SITE_FAILED, STR("no route to host"));
    }
    site_look(b.site, &facts);
    assert_true(facts.closed_until_ms > now);
    assert_true(str_eq(facts.why, STR("no route to host")));
    assert_false(schedule_next(s, now + 1000, &b));
    now = facts.closed_until_ms + 20000;
    assert_true(schedule_next(s, now, &b));
    assert_false(schedule_next(s, now, &c)); /* only the canary */
    schedule_done(s, b.entry, 0);
    site_report(s, b.site, now, SITE_SERVED, STR(""));
    assert_true(schedule_next(s, now, &c)); /* it is back */
    schedule_free(s);
}

static void connections_follow_success(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(&config, START);
    struct batch b;
    struct site_facts facts;

    for (int i = 0; i < 2000; i++)
        enter_one(s, "a", 1, START);
    for (int i = 0; i < 2000; i++) {
        assert_true(schedule_next(s, START, &b));
        schedule_done(s, b.entry, 0);
        site_report(s, b.site, START, SITE_SERVED, STR(""));
    }
    site_look(b.site, &facts);
    assert_int_equal(facts.connections, 20);
    schedule_free(s);
}

/* Memory follows the queue, not the number of domains ever seen. */
static void sites_without_mail_are_forgotten(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(&config, START);
    struct schedule_figures f;
    struct batch b;
    char name[32];

    for (int i = 0; i < 50000; i++) {
        snprintf(name, sizeof name, "site-%d", i);
        enter_one(s, name, 1, START);
        assert_true(schedule_next(s, START, &b));
        schedule_done(s, b.entry, 0);
        schedule_leave(s, b.entry);
        site_report(s, b.site, START, SITE_SERVED, STR(""));
    }
    schedule_look(s, &f);
    assert_in_range(f.sites, 1, 10000);
    schedule_free(s);
}

static void held_and_released(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(&config, START);
    struct batch b;
    struct entry *e = enter_one(s, "a", 1, START);

    schedule_hold(s, e, 0, true);
    assert_false(schedule_next(s, START + HOUR, &b));
    schedule_place(s, e, 0, schedule_item_site(e, 0), START + HOUR, 3, false);
    assert_true(schedule_next(s, START + HOUR, &b));
    assert_int_equal(schedule_tries(e, 0), 4);
    schedule_done(s, e, 0);
    assert_true(entry_is_over(e));
    schedule_leave(s, e);
    schedule_free(s);
}

static void the_timetable(void **state)
{
    (void)state;
    static const struct {
        uint16_t tries;
        int64_t age, want_wait;
    } rows[] = {
        { 1, 0, 5 * MINUTE },
        { 2, HOUR, 15 * MINUTE },
        { 3, HOUR, HOUR },
        { 9, HOUR, HOUR },
        { 9, 5 * 24 * HOUR - 60000, 60000 }, /* no later than its end */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(retry_at(&config.retry, rows[i].tries, START + rows[i].age, START, 12345) -
                             START,
                         rows[i].age + rows[i].want_wait);
    struct config_retry jittery = config.retry;
    jittery.jitter_percent = 20;
    for (uint64_t r = 0; r < 1000; r++) {
        int64_t wait = retry_at(&jittery, 3, START, START, r * 7919777) - START;
        assert_in_range(wait, HOUR * 8 / 10, HOUR * 12 / 10);
    }
}

/* What nobody has room for is not taken out and put back: it stays ready, and goes when there is
 * room. */
static void sites_without_room_at_their_taker_stay_ready(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(&config, START);
    struct schedule_figures f;
    struct batch b;

    site_set_taker(site_get(s, STR("inbox")), TAKER_REPORT);
    enter_one(s, "remote", 1, START);
    enter_one(s, "inbox", 1, START);
    assert_false(schedule_next_for(s, 0, START, &b));
    assert_true(schedule_next_for(s, 1u << TAKER_REPORT, START, &b));
    assert_true(str_eq(site_name(b.site), STR("inbox")));
    assert_false(schedule_next_for(s, 1u << TAKER_REPORT, START, &b));
    schedule_look(s, &f);
    assert_int_equal(f.ready, 1);
    assert_int_equal(f.waiting, 0);
    assert_true(schedule_next_for(s, 1u << TAKER_DELIVER, START, &b));
    assert_true(str_eq(site_name(b.site), STR("remote")));
    schedule_free(s);
}

/* R23: what is held has a maximum age; what cannot be read has none. */
static void r23_held_mail_expires(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(&config, START);
    struct entry *aging = enter_one(s, "a", 1, START), *damaged = enter_one(s, "a", 1, START);
    struct batch b;

    schedule_hold(s, aging, 0, true);
    schedule_hold(s, damaged, 0, false);
    assert_false(schedule_next(s, START + 4 * 24 * HOUR, &b));
    assert_true(schedule_next(s, START + 5 * 24 * HOUR + MINUTE, &b));
    assert_int_equal(b.kind, BATCH_EXPIRED);
    assert_ptr_equal(b.entry, aging);
    assert_false(schedule_next(s, START + 50 * 24 * HOUR, &b));
    /* Let go in time, it is as any other. */
    struct entry *freed = enter_one(s, "a", 1, START + 50 * 24 * HOUR);
    schedule_hold(s, freed, 0, true);
    schedule_place(s, freed, 0, site_get(s, STR("a")), 0, 0, false);
    assert_true(schedule_next(s, START + 50 * 24 * HOUR, &b));
    assert_int_equal(b.kind, BATCH_ATTEMPT);
    schedule_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r23_held_mail_expires),
        cmocka_unit_test(sites_without_room_at_their_taker_stay_ready),
        cmocka_unit_test(recipients_of_one_site_go_together),
        cmocka_unit_test(accounts_take_turns_in_a_site),
        cmocka_unit_test(a_dead_site_delays_no_other),
        cmocka_unit_test(every_recipient_of_a_dead_site_expires),
        cmocka_unit_test(a_closed_site_is_tried_with_one_batch),
        cmocka_unit_test(connections_follow_success),
        cmocka_unit_test(sites_without_mail_are_forgotten),
        cmocka_unit_test(held_and_released),
        cmocka_unit_test(the_timetable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* spool/power_sim_test.c - the power goes at any event of the disk, and every promise is kept (C03
 * to C05) and every message counted once (A10), again and again on the same spool, while it
 * recovers, too (C07), and while it compacts, parks and reuses. The disk keeps nothing of what was
 * not synced, or some sectors, or the first ones. */
#include "sim/sim.h"
#include "spool/life_sim.h"

static void assert_kept(const struct ledger *l, uint64_t seed, const char *where, uint64_t n)
{
    if (l->violation[0] != '\0')
        fail_msg("seed %llu, %s %llu: %s", (unsigned long long)seed, where, (unsigned long long)n,
                 l->violation);
}

/* Dies at this event of a life that begins with an empty folder; false: it came to its end. */
static bool cut_at(uint64_t at, enum cut first, enum cut second)
{
    struct life_plan p = { .rounds = 6, .die_at = at };
    struct ledger *l = ledger_new();
    bool died;

    sim_new(&(struct sim_options){ .seed = 7 });
    died = life_work(l, &p) == LIFE_CUT;
    life_cut(l, first);
    (void)life_judge(l, false);
    life_cut(l, second);
    (void)life_judge(l, true);
    assert_kept(l, 7, "event", at);
    ledger_free(l);
    return died;
}

static void test_c04_c05_cut_at_each_event(void **state)
{
    uint64_t at = 1;

    (void)state;
    while (cut_at(at, (enum cut)(at % CUT_KINDS), (enum cut)(at / CUT_KINDS % CUT_KINDS)))
        at++;
    assert_true(at > 100);
}

/* What was only in memory when the process died must be on the disk before the next one acts on it:
 * groups, and names. */
static void test_c02_c04_killed_then_cut(void **state)
{
    uint64_t at = 1;

    (void)state;
    while (cut_at(at, CUT_NONE, CUT_ALL))
        at++;
}

enum { WORLDS = 24 };

static void add(struct coverage *sum, const struct coverage *c)
{
    sum->lives += c->lives;
    sum->cuts += c->cuts;
    sum->moved += c->moved;
    sum->parked += c->parked;
    sum->notified += c->notified;
    sum->full += c->full;
    sum->torn += c->torn;
    sum->generation += c->generation;
    sum->counted += c->counted;
    sum->fuzzy += c->fuzzy;
}

static void test_c03_c05_c07_cut_again_and_again(void **state)
{
    const struct mutant sound = { .name = "none" };
    struct coverage sum = { 0 };

    (void)state;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct ledger *l = ledger_new();

        life_story(l, seed, &sound);
        assert_kept(l, seed, "life", l->coverage.lives);
        add(&sum, &l->coverage);
        ledger_free(l);
    }
    print_message("%u lives: %u moved, %u parked, %u notified, %u refused for room, %u torn, %u "
                  "snapshots while others committed, %u segments used\n",
                  sum.lives, sum.moved, sum.parked, sum.notified, sum.full, sum.torn, sum.fuzzy,
                  sum.generation);
    assert_true(sum.moved > 0 && sum.parked > 0 && sum.notified > 0 && sum.full > 0 &&
                sum.torn > 0 && sum.counted > 0 && sum.fuzzy > 0 &&
                sum.generation > WORLDS * 12 /* there are so many: reused */);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c04_c05_cut_at_each_event),
        cmocka_unit_test(test_c02_c04_killed_then_cut),
        cmocka_unit_test(test_c03_c05_c07_cut_again_and_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* spool/fault_sim_test.c - the disk fails while the spool lives: the Nth sync (D04), the Nth write
 * or the whole room (D01, D02), reads (D05), everything for a while (D07). What was refused then
 * never comes back, what was promised is kept, and work goes on by itself. */
#include "sim/sim.h"
#include "spool/internal.h"
#include "spool/life_sim.h"

static void assert_kept(const struct ledger *l, const char *what, uint64_t n)
{
    if (l->violation[0] != '\0')
        fail_msg("%s %llu: %s", what, (unsigned long long)n, l->violation);
}

static unsigned *sync_fault(void)
{
    return &sim_faults()->sync_fails_in;
}

static unsigned *write_fault(void)
{
    return &sim_faults()->write_full_in;
}

static unsigned *read_fault(void)
{
    return &sim_faults()->read_fails_in;
}

static const struct nth_case {
    const char *name;
    unsigned *(*fault)(void);
} nth_cases[] = {
    { "D04 sync", sync_fault },
    { "D01 write", write_fault },
    { "D05 read", read_fault },
};

/* The Nth of its kind fails, for every N, until a life has less than so many. */
static void fail_each(const struct nth_case *c, unsigned *ret_refused, unsigned *ret_tried)
{
    const struct life_plan p = { .rounds = 8, .closes = true };
    bool struck = true;

    *ret_refused = *ret_tried = 0;
    for (unsigned n = 1; struck; n++) {
        struct ledger *l = ledger_new();

        sim_new(&(struct sim_options){ .seed = 11 });
        *c->fault() = n;
        (void)life_work(l, &p);
        struck = *c->fault() == 0;
        *sim_faults() = (struct sim_faults){ 0 };
        life_cut(l, (enum cut)(n % CUT_KINDS));
        (void)life_judge(l, true);
        assert_kept(l, c->name, n);
        *ret_refused += l->coverage.refused > 0;
        ++*ret_tried;
        ledger_free(l);
    }
}

static void test_d01_d04_d05_each_in_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nth_cases); i++) {
        unsigned refused, tried;

        fail_each(&nth_cases[i], &refused, &tried);
        print_message("%s: %u in turn, %u refused something\n", nth_cases[i].name, tried, refused);
        assert_true(tried > 3);
    }
}

/* Now and then, of any kind, life after life. */
static void storm(void)
{
    struct sim_faults *f = sim_faults();

    if (sim_draw(25) == 0)
        f->sync_fails_in = 1 + (unsigned)sim_draw(5);
    if (sim_draw(25) == 0)
        f->write_full_in = 1 + (unsigned)sim_draw(20);
    if (sim_draw(25) == 0)
        f->read_fails_in = 1 + (unsigned)sim_draw(5);
}

static void test_d01_d04_d05_storms(void **state)
{
    const struct mutant stormy = { .name = "storm", .weather = storm };

    (void)state;
    for (uint64_t seed = 100; seed < 120; seed++) {
        struct ledger *l = ledger_new();

        life_story(l, seed, &stormy);
        assert_kept(l, "storm of seed", seed);
        ledger_free(l);
    }
}

/* D07 ----------------------------------------------------------------------------------------- */

static void disk_fails(bool all)
{
    sim_faults()->sync_fails = all ? 1000000 : 0;
    sim_faults()->write_full = all ? 1000000 : 0;
}

static struct fixture *open_sim(uint64_t disk_max_bytes)
{
    struct fixture *f = NEW(struct fixture);

    loop_init();
    life_fixture(f, 1000);
    f->options.disk_max_bytes = disk_max_bytes;
    fixture_open(f);
    return f;
}

/* Much longer than it takes to try each segment there is. */
enum { FAILED_MS = 60000 };

static void test_d07_fails_for_long_then_works(void **state)
{
    struct spool_figures now;
    struct fixture *f;
    struct err err;
    uint64_t id;
    bool did;

    (void)state;
    sim_new(&(struct sim_options){ .seed = 21 });
    f = open_sim(5 * 256 * 1024);
    for (uint64_t n = 1; n <= 20; n++)
        (void)fixture_message(f, n, 5000, 1);
    disk_fails(true);
    assert_false(fixture_commit(f, 21, 300, 1, &id, NULL, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_true(fixture_alarms(f, "read-only") == 1);
    for (int64_t from = sim_now_ms(); sim_now_ms() < from + FAILED_MS;) {
        never_mind(spool_tend(f->spool, &did, &err));
        assert_true(fiber_sleep(500, &err));
    }
    assert_false(fixture_commit(f, 22, 300, 1, &id, NULL, &err));
    assert_int_equal(err.kind, ERR_IO);
    spool_figures(f->spool, &now);
    assert_true(now.read_only);
    disk_fails(false);
    for (int i = 0; i < 10; i++) {
        never_mind(spool_tend(f->spool, &did, &err));
        assert_true(fiber_sleep(500, &err));
    }
    spool_figures(f->spool, &now);
    assert_false(now.read_only);
    assert_int_equal(fixture_alarms(f, "disk-works-again"), 1);
    (void)fixture_message(f, 23, 300, 1);
    fixture_reopen(f);
    assert_int_equal(f->found.messages, 21);
    assert_int_equal(fixture_alarms(f, "segment-missing"), 0);
    spool_close(f->spool);
    idmap_done(&f->counted);
    free(f);
}

/* D02 ----------------------------------------------------------------------------------------- */

static void test_d02_full_then_room(void **state)
{
    struct spool_message *list[200] = { 0 };
    struct fixture *f;
    size_t count = 0;
    struct err err;

    (void)state;
    sim_new(&(struct sim_options){ .seed = 31 });
    sim_disk_capacity(10 * 256 * 1024);
    f = open_sim(/* disk_max_bytes= */ 0);
    while (count < ARRAY_LEN(list) &&
           fixture_commit(f, count + 1, 30000, 1, NULL, &list[count], &err))
        count++;
    assert_true(count > 10 && count < ARRAY_LEN(list));
    assert_int_equal(err.kind, ERR_FULL);
    fixture_tend(f);
    for (size_t i = 0; i < count; i++) /* from the reserve */
        fixture_done(f, list[i]);
    spool_events_ack(f->spool, UINT64_MAX);
    fixture_tend(f);
    assert_true(spool_accepts(f->spool));
    (void)fixture_message(f, 1000, 30000, 1);
    fixture_reopen(f);
    assert_int_equal(f->found.messages, 1);
    spool_close(f->spool);
    idmap_done(&f->counted);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_d01_d04_d05_each_in_turn),
        cmocka_unit_test(test_d01_d04_d05_storms),
        cmocka_unit_test(test_d07_fails_for_long_then_works),
        cmocka_unit_test(test_d02_full_then_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

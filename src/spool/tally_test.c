// SPDX-License-Identifier: Apache-2.0
/* spool/tally_test.c - each marked message is counted once: parked or settled, with a snapshot or
 * without (A10); a spool from before there were tallies still opens. What the power and kills do to
 * it is in power_sim_test.c and kill_test.c, damage in damage_test.c. */
#include "spool/fixture.h"

enum { COUNT = 30 };

/* Each message of 1 … COUNT counted so often, and nothing else. */
static void assert_counted(const struct fixture *f, size_t times)
{
    for (uint64_t seed = 1; seed <= COUNT; seed++)
        assert_int_equal(fixture_counted(f, seed), times);
    assert_int_equal(f->counted.count, times > 0 ? COUNT : 0);
}

static void commit_all(struct fixture *f)
{
    struct spool_message *m;
    struct err err;

    for (uint64_t seed = 1; seed <= COUNT; seed++)
        if (!fixture_commit(f, seed, seed % 5 == 0 ? 100000 : 500, 1 + seed % 3, NULL, &m, &err))
            fail_msg("%s", err.text);
}

static void forget_snapshots(const struct fixture *f)
{
    char path[128];

    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(path, sizeof(path), "%.63s/snapshot-%08u", f->folder, i);
        (void)unlink(path);
    }
}

static void reopened_or_killed_A10(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    fixture_open(f);
    commit_all(f);
    assert_counted(f, 1);
    fixture_reopen(f); /* by the snapshot alone */
    assert_counted(f, 1);
    assert_int_equal(f->found.groups_replayed, 0);
    spool_close(f->spool);
    forget_snapshots(f); /* by the log alone */
    fixture_open(f);
    assert_counted(f, 1);
    assert_int_equal(fixture_alarms(f, "tally-damaged"), 0);
    spool_close(f->spool);
    fixture_free(f);
}

static void parked_messages_count_A10(void **state)
{
    struct fixture *f = fixture_new();
    struct err err;
    size_t at = 0;

    (void)state;
    f->options.index_rcpts_max = 3;
    fixture_open(f);
    commit_all(f);
    assert_counted(f, 1);
    for (int turn = 0; turn < 3; turn++) {
        struct spool_message *m;

        assert_true(spool_refill(f->spool, NULL, NULL, &err));
        at = 0;
        while ((m = spool_each(f->spool, &at)) != NULL)
            fixture_done(f, m);
        fixture_reopen(f);
        assert_counted(f, 1);
    }
    assert_true(f->found.parked > 0);
    spool_close(f->spool);
    fixture_free(f);
}

static void notifications_and_unmarked_ones_do_not_A10(void **state)
{
    struct envelope_rcpt back = { .address = STR("a@example.org") };
    struct settle_dsn dsn = { .envelope = { .account = 5, .rcpts = &back, .rcpt_count = 1 },
                              .head = STR("H: h\r\n\r\n") };
    struct envelope plain = { .account = 6, .rcpts = &back, .rcpt_count = 1 };
    struct settle_rcpt r = { .now = { .state = RCPT_DONE }, .event = { .kind = EVENT_BOUNCED } };
    struct fixture *f = fixture_new();
    struct spool_message *m;
    struct err err;
    uint64_t id;

    (void)state;
    fixture_open(f);
    m = fixture_message(f, 4, 100, 1);
    assert_true(spool_settle(f->spool, m, &r, 1, &dsn, &id, &m, &err));
    assert_true(spool_commit(spool_begin(f->spool), &plain, &id, &m, &err));
    for (int turn = 0; turn < 2; turn++) {
        assert_int_equal(f->counted.count, 1);
        assert_int_equal(fixture_counted(f, 4), 1);
        spool_close(f->spool);
        forget_snapshots(f);
        fixture_open(f);
    }
    spool_close(f->spool);
    fixture_free(f);
}

/* Snapshots without a tally, and messages without a mark, are what they were before. */
static void a_spool_without_tally_opens_A10(void **state)
{
    struct fixture *f = fixture_new();
    const struct spool_tally tally = f->options.tally;

    (void)state;
    f->options.tally = (struct spool_tally){ 0 };
    fixture_open(f);
    commit_all(f);
    spool_close(f->spool);
    f->options.tally = tally;
    fixture_open(f);
    assert_counted(f, 0);
    assert_int_equal(f->alarm_count, 0);
    assert_int_equal(f->found.messages, COUNT);
    assert_non_null(fixture_message(f, 1, 100, 1));
    fixture_reopen(f);
    assert_int_equal(fixture_counted(f, 1), 1);
    spool_close(f->spool);
    fixture_free(f);
}

static bool write_strange(void *arg, struct buf *to)
{
    (void)arg;
    return buf_add(to, STR("strange"));
}

static void a_tally_that_is_not_ours_is_told_A10(void **state)
{
    struct fixture *f = fixture_new();

    (void)state;
    f->options.tally.write = write_strange;
    fixture_open(f);
    commit_all(f);
    spool_close(f->spool);
    fixture_counts(f);
    fixture_open(f);
    assert_int_equal(fixture_alarms(f, "tally-damaged"), 1);
    assert_counted(f, 0);
    assert_int_equal(f->found.messages, COUNT);
    spool_close(f->spool);
    fixture_free(f);
}

/* Copied from segment to segment, over snapshots, until the last ones are done. */
static void compaction_does_not_count_again_A10(void **state)
{
    struct fixture *f = fixture_new();
    struct spool_message *m;
    struct err err;
    uint64_t seed;
    void *count;

    (void)state;
    f->options.disk_max_bytes = 10 * SEGMENT;
    fixture_open(f);
    for (seed = 1; seed <= 600; seed++) {
        if (!fixture_commit(f, seed, 30000, 1, NULL, &m, &err)) {
            assert_int_equal(err.kind, ERR_FULL);
            fixture_tend(f);
            assert_int_equal(fixture_counted(f, seed), 0);
            continue;
        }
        if (seed % 16 != 0)
            fixture_done(f, m);
        spool_events_ack(f->spool, UINT64_MAX);
        if (seed % 10 == 0)
            fixture_tend(f);
        if (seed % 150 == 0)
            fixture_reopen(f);
        assert_int_equal(fixture_counted(f, seed), 1);
    }
    fixture_reopen(f);
    for (size_t at = 0; idmap_each(&f->counted, &at, &seed, &count);)
        assert_int_equal((uintptr_t)count, 1);
    spool_close(f->spool);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reopened_or_killed_A10),
        cmocka_unit_test(parked_messages_count_A10),
        cmocka_unit_test(notifications_and_unmarked_ones_do_not_A10),
        cmocka_unit_test(a_spool_without_tally_opens_A10),
        cmocka_unit_test(a_tally_that_is_not_ours_is_told_A10),
        cmocka_unit_test(compaction_does_not_count_again_A10),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* spool/spool_test.c - the spool's promises while nothing goes wrong but a restart: every size,
 * settling, events, notifications, parking, reuse, compaction, a full disk (D01), a second instance
 * (C17). */
#include "spool/fixture.h"

static int setup(void **state)
{
    struct fixture *f = fixture_new();

    fixture_open(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    spool_close(f->spool);
    fixture_free(f);
    return 0;
}

static void test_every_size_comes_back(void **state)
{
    static const size_t sizes[] = { 0,     1,     7,     8,      511,    4096,
                                    65535, 65536, 65537, 131072, 200001, 400000 };
    struct fixture *f = *state;
    uint64_t ids[ARRAY_LEN(sizes)];

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct spool_message *m = fixture_message(f, i + 1, sizes[i], 1 + i % 3);

        assert_non_null(m);
        assert_true(spool_content_at_hand(m));
        ids[i] = spool_message_id(m);
        assert_true(i == 0 || ids[i] > ids[i - 1]);
        fixture_assert(f, ids[i]);
        spool_content_drop(f->spool, m);
        fixture_assert(f, ids[i]);
    }
    for (int turn = 0; turn < 2; turn++) {
        fixture_reopen(f);
        assert_int_equal(f->found.messages, ARRAY_LEN(sizes));
        assert_int_equal(f->alarm_count, 0);
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
            fixture_assert(f, ids[i]);
    }
}

static void test_parts_of_content(void **state)
{
    struct fixture *f = *state;
    struct spool_message *m = fixture_message(f, 3, 150000, 1);
    char part[70000], *want = fixture_content(3, 150000);
    struct err err;

    spool_content_drop(f->spool, m);
    for (size_t at = 0; at < 80000; at += 7919) {
        assert_true(spool_content(f->spool, m, at, sizeof(part), part, &err));
        assert_memory_equal(part, want + at, sizeof(part));
    }
    assert_false(spool_content(f->spool, m, 100000, sizeof(part), part, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    free(want);
}

static void test_r20_settled_states_stay(void **state)
{
    struct fixture *f = *state;
    struct spool_message *m = fixture_message(f, 1, 100, 3);
    uint64_t id = spool_message_id(m);
    struct err err;

    assert_int_equal(spool_message_rcpt(m, 0)->due_wall_ms, 1000);
    assert_true(fixture_settle(f, m, 0, RCPT_DONE, &err));
    assert_true(fixture_settle(f, m, 1, RCPT_QUEUED, &err));
    assert_true(fixture_settle(f, m, 2, RCPT_HELD, &err));
    fixture_reopen(f);
    m = spool_find(f->spool, id);
    assert_non_null(m);
    assert_int_equal(spool_message_rcpt(m, 0)->state, RCPT_DONE);
    assert_int_equal(spool_message_rcpt(m, 1)->state, RCPT_QUEUED);
    assert_int_equal(spool_message_rcpt(m, 1)->due_wall_ms, 77);
    assert_int_equal(spool_message_rcpt(m, 1)->tries, 1);
    assert_int_equal(spool_message_rcpt(m, 2)->state, RCPT_HELD);
    assert_true(fixture_settle(f, m, 1, RCPT_DONE, &err) &&
                fixture_settle(f, m, 2, RCPT_DONE, &err));
    assert_null(spool_find(f->spool, id));
    fixture_reopen(f);
    assert_int_equal(f->found.messages, 0);
}

static size_t count_events(struct fixture *f, uint64_t *cursor, size_t max, enum event_kind *last)
{
    struct buf bytes;
    struct str rest;
    struct event e;
    struct err err;
    size_t n = 0;

    buf_init(&bytes, 1024 * 1024);
    if (!spool_events(f->spool, cursor, max, &bytes, &err))
        fail_msg("%s", err.text);
    for (rest = buf_str(&bytes); rest.len > 0; n++) {
        assert_true(event_read(&rest, &e, &err));
        assert_true(e.position <= *cursor && e.message != 0);
        *last = e.kind;
    }
    buf_done(&bytes);
    return n;
}

static void test_events_in_order_from_memory_and_log(void **state)
{
    struct fixture *f = *state;
    enum event_kind kind = 0;

    for (uint64_t i = 0; i < 10; i++)
        fixture_done(f, fixture_message(f, i + 1, 100, 2));
    for (int turn = 0; turn < 2; turn++) {
        uint64_t cursor = 0;

        assert_int_equal(count_events(f, &cursor, 1, &kind), 1);
        assert_int_equal(kind, EVENT_ACCEPTED);
        assert_int_equal(count_events(f, &cursor, 1, &kind), 1);
        assert_int_equal(kind, EVENT_DELIVERED);
        for (size_t n = 2, got; n < 30; n += got) {
            got = count_events(f, &cursor, 7, &kind);
            assert_true(got > 0);
        }
        assert_int_equal(count_events(f, &cursor, 7, &kind), 0);
        fixture_reopen(f);
    }
    spool_events_ack(f->spool, 12345);
    fixture_reopen(f);
    assert_int_equal(spool_events_acked(f->spool), 12345);
}

static const struct dsn_case {
    const char *name;
    size_t size;
    bool full;
} dsn_cases[] = {
    { "header of a small one", 500, false },
    { "all of a small one", 500, true },
    { "header of a large one", 200000, false },
    { "all of a large one", 200000, true },
    { "of an empty one", 0, true },
};

static void check_dsn(struct fixture *f, uint64_t id, const struct dsn_case *row)
{
    struct spool_message *m = spool_find(f->spool, id);
    size_t part = row->full || row->size < 100 ? row->size : 100, size = 8 + part + 4;
    char *got = mem_new(size + 1), *want = fixture_content(9, row->size);
    struct envelope e;
    struct arena a;
    struct err err;

    assert_non_null(m);
    assert_int_equal(spool_message_size(m), size);
    if (!spool_content(f->spool, m, 0, size, got, &err))
        fail_msg("%s: %s", row->name, err.text);
    assert_memory_equal(got, "H: h\r\n\r\n", 8);
    assert_memory_equal(got + 8, want, part);
    assert_memory_equal(got + 8 + part, "tail", 4);
    arena_init(&a, 1024);
    assert_true(spool_envelope(f->spool, m, &a, &e, &err));
    assert_true(e.flags & ENVELOPE_DSN);
    assert_int_equal(e.header_bytes, 8);
    arena_done(&a);
    free(got);
    free(want);
}

static void test_c09_notification_goes_with_the_settle(void **state)
{
    struct fixture *f = *state;
    struct envelope_rcpt back = { .address = STR("a@example.org") };
    struct settle_dsn dsn = {
        .envelope = { .rcpts = &back, .rcpt_count = 1, .accepted_wall_ms = 9 },
        .head = STR("H: h\r\n\r\n"),
        .tail = STR("tail")
    };
    struct settle_rcpt r = { .now = { .state = RCPT_DONE }, .event = { .kind = EVENT_BOUNCED } };
    uint64_t ids[ARRAY_LEN(dsn_cases)];
    struct spool_message *made;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(dsn_cases); i++) {
        struct spool_message *m = fixture_message(f, 9, dsn_cases[i].size, 1);
        uint64_t original = spool_message_id(m);

        if (i % 2 == 1)
            spool_content_drop(f->spool, m);
        dsn.original_full = dsn_cases[i].full;
        assert_true(spool_settle(f->spool, m, &r, 1, &dsn, &ids[i], &made, &err));
        assert_null(spool_find(f->spool, original));
        assert_ptr_equal(made, spool_find(f->spool, ids[i]));
        check_dsn(f, ids[i], &dsn_cases[i]);
    }
    fixture_reopen(f);
    assert_int_equal(f->found.messages, ARRAY_LEN(dsn_cases));
    for (size_t i = 0; i < ARRAY_LEN(dsn_cases); i++)
        check_dsn(f, ids[i], &dsn_cases[i]);
}

static void count_one(void *arg, struct spool_message *m)
{
    (void)m;
    ++*(size_t *)arg;
}

static void test_parked_beyond_the_index(void **state)
{
    struct fixture *f = *state;
    struct spool_message *m;
    size_t got = 0, at;
    struct err err;

    spool_close(f->spool);
    f->options.index_rcpts_max = 5;
    fixture_open(f);
    for (uint64_t i = 1; i <= 20; i++)
        assert_true((fixture_message(f, i, i % 4 == 0 ? 100000 : 50, 1) != NULL) == (i <= 5));
    for (size_t done = 0; done < 20;) {
        if (done == 7 || done == 13)
            fixture_reopen(f); /* brought in, settled and not yet in a snapshot, or in one */
        assert_true(spool_refill(f->spool, count_one, &got, &err));
        at = 0;
        m = spool_each(f->spool, &at);
        assert_non_null(m);
        assert_true(fixture_check(f, m, &err));
        fixture_done(f, m);
        done++;
    }
    assert_true(spool_refill(f->spool, count_one, &got, &err));
    at = 0;
    assert_null(spool_each(f->spool, &at));
    assert_true(got >= 15);
    assert_non_null(fixture_message(f, 99, 10, 1));
}

static void test_segments_are_used_again(void **state)
{
    struct fixture *f = *state;
    struct spool_figures figures;
    uint64_t stays = spool_message_id(fixture_message(f, 77, 5000, 1));

    for (uint64_t i = 0; i < 400; i++) {
        fixture_done(f, fixture_message(f, i, 60000, 1));
        spool_events_ack(f->spool, UINT64_MAX);
        if (i % 20 == 0)
            fixture_tend(f);
    }
    spool_figures(f->spool, &figures);
    assert_true(figures.disk_bytes <= 16 * SEGMENT);
    fixture_assert(f, stays);
    fixture_reopen(f);
    assert_int_equal(f->found.messages, 1);
    assert_int_equal(f->alarm_count, 0);
    fixture_assert(f, stays);
}

static void test_d01_full_disk_refuses_messages_and_settles(void **state)
{
    struct fixture *f = *state;
    struct spool_message *all[2000];
    struct err err;
    size_t n = 0;

    spool_close(f->spool);
    f->options.disk_max_bytes = 8 * SEGMENT;
    fixture_open(f);
    while (n < ARRAY_LEN(all) && fixture_commit(f, n, 50000, 1, NULL, &all[n], &err))
        n++;
    assert_true(n > 20 && n < ARRAY_LEN(all));
    assert_int_equal(err.kind, ERR_FULL);
    assert_false(spool_accepts(f->spool));
    for (size_t i = 0; i < n; i++)
        if (!fixture_settle(f, all[i], 0, RCPT_DONE, &err))
            fail_msg("settle %zu of %zu: %s", i, n, err.text);
    spool_events_ack(f->spool, UINT64_MAX);
    fixture_tend(f);
    assert_true(spool_accepts(f->spool));
    fixture_message(f, 1, 50000, 1);
    assert_true(fixture_alarms(f, "disk-room-again") <= 1);
}

static void test_compaction_moves_what_lives(void **state)
{
    struct fixture *f = *state;
    uint64_t kept[64];
    struct spool_message *m;
    struct err err;
    size_t n = 0;

    spool_close(f->spool);
    f->options.disk_max_bytes = 10 * SEGMENT;
    fixture_open(f);
    for (uint64_t i = 0; i < 3000 && n < ARRAY_LEN(kept);
         i++) { /* one in 16 stays, among them large ones */
        if (!fixture_commit(f, i, i % 32 == 0 ? 90000 : 30000, 2, NULL, &m, &err)) {
            assert_int_equal(err.kind, ERR_FULL);
            fixture_tend(f);
            continue;
        }
        if (i % 16 == 0 && n < 12) {
            kept[n++] = spool_message_id(m);
            assert_true(fixture_settle(f, m, 0, RCPT_DONE, &err));
        } else {
            fixture_done(f, m);
        }
        spool_events_ack(f->spool, UINT64_MAX);
        if (i % 10 == 0)
            fixture_tend(f);
    }
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < n; i++) {
            fixture_assert(f, kept[i]);
            assert_int_equal(spool_message_rcpt(spool_find(f->spool, kept[i]), 0)->state,
                             RCPT_DONE);
        }
        fixture_reopen(f);
        assert_int_equal(f->alarm_count, 0);
        assert_int_equal(f->found.messages, n);
    }
}

static void test_events_that_nobody_fetches_are_capped(void **state)
{
    struct fixture *f = *state;
    struct spool_figures figures;

    spool_close(f->spool);
    f->options.events_disk_max_bytes = 4 * SEGMENT;
    fixture_open(f);
    for (uint64_t i = 0; i < 200; i++) {
        fixture_done(f, fixture_message(f, i, 60000, 1));
        fixture_tend(f);
    }
    spool_figures(f->spool, &figures);
    assert_true(figures.events_dropped > 0);
    assert_true(fixture_alarms(f, "events-dropped") > 0);
    assert_true(figures.disk_bytes <= 16 * SEGMENT);
}

static void test_c17_second_instance_is_refused(void **state)
{
    struct fixture *f = *state;
    struct spool_recovery found;
    struct spool *second;
    struct err err;

    assert_false(spool_open(&f->options, &second, &found, &err));
    assert_int_equal(err.kind, ERR_EXISTS);
}

static void test_refusals(void **state)
{
    struct fixture *f = *state;
    struct spool_options bad = f->options;
    struct spool_recovery found;
    struct spool_message *m;
    struct spool *other;
    struct err err;
    uint64_t id;

    assert_false(fixture_commit(f, 1, 10, 0, &id, &m, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
    bad.segment_bytes = 5000;
    assert_false(spool_open(&bad, &other, &found, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    spool_abort(spool_begin(f->spool));
}

static void test_pinned_stays_readable(void **state)
{
    struct fixture *f = *state;
    struct spool_message *m = fixture_message(f, 4, 100000, 1);
    struct err err;

    spool_pin(m);
    fixture_done(f, m);
    spool_content_drop(f->spool, m);
    assert_null(spool_find(f->spool, spool_message_id(m)));
    assert_true(fixture_check(f, m, &err));
    spool_unpin(f->spool, m);
}

/* Only what waits for the disk counts: else transactions that all wait for more content, and so for
 * credit, would wait for each other. */
static void test_gathered_content_is_not_behind(void **state)
{
    enum { MANY = 200, PIECE = 64 * 1024 };
    struct fixture *f = *state;
    struct spool_tx *txs[MANY];
    char *bytes = fixture_content(1, PIECE);

    for (size_t i = 0; i < MANY; i++) {
        txs[i] = spool_begin(f->spool);
        spool_add(txs[i], str_make(bytes, PIECE));
    }
    assert_false(spool_is_behind(f->spool));
    for (size_t i = 0; i < MANY; i++)
        spool_add(txs[i], STR("more")); /* now each piece is on its way */
    assert_true(spool_is_behind(f->spool));
    for (size_t i = 0; i < MANY; i++)
        spool_abort(txs[i]);
    while (spool_is_behind(f->spool))
        loop_turn(1000);
    free(bytes);
}

/* Its memory goes with the spool: the leak checker judges. */
static void test_pinned_at_close(void **state)
{
    struct fixture *f = *state;
    struct spool_message *m = fixture_message(f, 5, 300, 1);

    spool_pin(m);
    fixture_done(f, m);
    assert_null(spool_find(f->spool, spool_message_id(m)));
    fixture_reopen(f);
    assert_int_equal(f->found.messages, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_size_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parts_of_content, setup, teardown),
        cmocka_unit_test_setup_teardown(test_r20_settled_states_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events_in_order_from_memory_and_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_c09_notification_goes_with_the_settle, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_parked_beyond_the_index, setup, teardown),
        cmocka_unit_test_setup_teardown(test_segments_are_used_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_d01_full_disk_refuses_messages_and_settles, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_compaction_moves_what_lives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events_that_nobody_fetches_are_capped, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_c17_second_instance_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gathered_content_is_not_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pinned_stays_readable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pinned_at_close, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

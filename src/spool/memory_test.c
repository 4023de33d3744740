// SPDX-License-Identifier: Apache-2.0
/* spool/memory_test.c - bounded memory (D08, O05): what a message costs in memory does not follow
 * from its size, neither while it comes in nor when it is read back, and it is not refused for it.
 */
#include "spool/fixture.h"

enum { MIB = 1024 * 1024, ADD_BYTES = 64 * 1024, BOUND = 8 * MIB };

static int setup(void **state)
{
    struct fixture *f = fixture_new();

    f->options.segment_bytes = 8 * MIB;
    f->options.reserve_bytes = 16 * MIB;
    f->options.disk_max_bytes = 144 * MIB;
    f->options.content_memory_max_bytes = BOUND;
    f->options.group_bytes_max = MIB;
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

static uint64_t memory_now(struct fixture *f)
{
    struct spool_figures figures;

    spool_figures(f->spool, &figures);
    return figures.content_memory_bytes;
}

/* What waits for the disk, as core sees to it: none is given while the spool is behind. */
static size_t in_flight_max(const struct fixture *f)
{
    return 2 * f->options.group_bytes_max + ADD_BYTES;
}

/* One message on its way in. */
struct incoming {
    struct spool_tx *tx;
    uint64_t seed;
    size_t sent, size;
};

/* One chunk as core takes it from a ring: when there is room. True while there is more to come. */
static bool send_some(struct fixture *f, struct incoming *in, uint64_t *most)
{
    size_t len = in->size - in->sent < ADD_BYTES ? in->size - in->sent : ADD_BYTES;
    char bytes[ADD_BYTES];

    for (size_t i = 0; i < len; i++)
        bytes[i] = fixture_byte(in->seed, in->sent + i);
    while (spool_is_behind(f->spool))
        loop_turn(1000);
    spool_add(in->tx, str_make(bytes, len));
    in->sent += len;
    if (memory_now(f) > *most)
        *most = memory_now(f);
    return in->sent < in->size;
}

static struct incoming incoming_begin(struct fixture *f, uint64_t seed, size_t size)
{
    return (struct incoming){ .tx = spool_begin(f->spool), .seed = seed, .size = size };
}

static struct spool_message *incoming_commit(const struct incoming *in)
{
    struct envelope_rcpt rcpt = { .address = STR("r@example.net") };
    struct envelope e = { .account = in->seed,
                          .size_bytes = in->size,
                          .header_bytes = 100,
                          .accepted_wall_ms = 1000,
                          .reverse_path = STR("a@example.org"),
                          .rcpts = &rcpt,
                          .rcpt_count = 1,
                          .client = { .family = 4, .bytes = { 192, 0, 2, 1 } } };
    struct spool_message *m = NULL;
    struct err err;
    uint64_t id;

    if (!spool_commit(in->tx, &e, &id, &m, &err))
        fail_msg("%s", err.text);
    return m;
}

/* Byte for byte, in parts that do not fall on chunks. */
static void assert_reads_back(struct fixture *f, struct spool_message *m, uint64_t *most)
{
    uint64_t size = spool_message_size(m), seed = spool_message_account(m);
    char part[50000];
    struct err err;

    for (uint64_t at = 0; at < size;) {
        size_t len = size - at < sizeof(part) ? (size_t)(size - at) : sizeof(part);
        bool same = true;

        if (!spool_content(f->spool, m, at, len, part, &err))
            fail_msg("%s", err.text);
        for (size_t i = 0; i < len; i++)
            same = same && part[i] == fixture_byte(seed, at + i);
        assert_true(same);
        at += len;
        if (memory_now(f) > *most)
            *most = memory_now(f);
    }
}

static const struct size_case {
    const char *name;
    size_t size;
    bool at_hand;      /* kept for the first attempt */
    uint64_t kept_max; /* after the commit, and while it is read back */
} size_cases[] = {
    { "one record", 50 * 1000, true, 2 * ADD_BYTES },
    { "a few chunks", 500 * 1000, true, MIB },
    { "the largest that stays", MIB, true, MIB + ADD_BYTES },
    { "the smallest that goes", MIB + 1, false, 4 * ADD_BYTES },
    { "eight times the bound", 64 * MIB, false, 4 * ADD_BYTES },
    { "its last piece is not whole", 5 * MIB + 12345, false, 4 * ADD_BYTES },
};

static void test_d08_o05_memory_does_not_follow_the_size(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(size_cases); i++) {
        const struct size_case *row = &size_cases[i];
        struct incoming in = incoming_begin(f, i + 1, row->size);
        uint64_t most = 0;
        struct spool_message *m;

        while (send_some(f, &in, &most))
            ;
        m = incoming_commit(&in);
        if (most > 2 * MIB + in_flight_max(f))
            fail_msg("%s: %llu bytes coming in", row->name, (unsigned long long)most);
        assert_true(spool_content_at_hand(m) == row->at_hand);
        most = memory_now(f);
        assert_reads_back(f, m, &most);
        if (most > row->kept_max)
            fail_msg("%s: %llu bytes kept", row->name, (unsigned long long)most);
        fixture_done(f, m);
        spool_events_ack(f->spool, UINT64_MAX);
        fixture_tend(f);
        assert_int_equal(memory_now(f), 0);
    }
}

static void test_d08_large_content_outlives_a_restart(void **state)
{
    struct fixture *f = *state;
    struct incoming in = incoming_begin(f, 7, 20 * MIB + 1);
    uint64_t id, most = 0;

    while (send_some(f, &in, &most))
        ;
    id = spool_message_id(incoming_commit(&in));
    fixture_reopen(f);
    assert_int_equal(f->alarm_count, 0);
    assert_reads_back(f, spool_find(f->spool, id), &most);
    assert_true(most < BOUND);
}

/* None of them is large, all of them together are four times the bound. */
static void test_o05_many_at_once_are_not_refused(void **state)
{
    enum { MANY = 32 };
    struct fixture *f = *state;
    struct incoming in[MANY];
    struct spool_message *all[MANY];
    uint64_t most = 0;

    for (size_t i = 0; i < MANY; i++)
        in[i] = incoming_begin(f, i + 1, MIB);
    for (bool more = true; more;)
        for (size_t i = 0; i < MANY; i++)
            more = send_some(f, &in[i], &most);
    assert_true(most <= BOUND + in_flight_max(f));
    for (size_t i = 0; i < MANY; i++)
        all[i] = incoming_commit(&in[i]);
    for (size_t i = 0; i < MANY; i++)
        assert_reads_back(f, all[i], &most);
    assert_true(most <= BOUND + in_flight_max(f));
}

/* Large ones given up half way leave nothing behind, neither in memory nor on the disk. */
static void test_o05_given_up_half_way(void **state)
{
    struct fixture *f = *state;
    struct spool_figures figures;
    uint64_t most = 0;

    for (uint64_t i = 0; i < 16; i++) {
        struct incoming in = incoming_begin(f, i + 1, 32 * MIB);

        while (in.sent < 12 * MIB)
            assert_true(send_some(f, &in, &most));
        spool_abort(in.tx);
        fixture_tend(f);
    }
    while (memory_now(f) > 0)
        loop_turn(1000);
    fixture_tend(f);
    spool_figures(f->spool, &figures);
    assert_true(figures.segments_used <= 4);
    assert_true(most <= BOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_d08_o05_memory_does_not_follow_the_size, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_d08_large_content_outlives_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_o05_many_at_once_are_not_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_o05_given_up_half_way, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

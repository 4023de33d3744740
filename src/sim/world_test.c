// SPDX-License-Identifier: Apache-2.0
/* sim/world_test.c - time that jumps, chance that repeats itself, helpers, links and connections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "io/channel.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/stream.h"
#include "io/worker.h"
#include "sim/sim.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

static void fresh(uint64_t seed)
{
    sim_new(&(struct sim_options){ .seed = seed });
    loop_init();
}

static void test_clock_jumps(void **state)
{
    int64_t mono, wall;

    (void)state;
    mono = clock_mono_ms();
    wall = clock_wall_ms();
    assert_true(fiber_sleep(365 * DAY_MS, NULL));
    assert_int_equal(clock_mono_ms() - mono, 365 * DAY_MS);
    assert_int_equal(clock_wall_ms() - wall, 365 * DAY_MS);
}

static void test_clock_stands(void **state)
{
    int64_t mono = clock_mono_ms();

    (void)state;
    for (int i = 0; i < 1000; i++)
        loop_turn(0);
    assert_int_equal(clock_mono_ms(), mono);
}

static void test_same_seed_same_chance(void **state)
{
    uint64_t first[50], again[50];

    (void)state;
    sim_new(&(struct sim_options){ .seed = 42 });
    random_bytes(first, sizeof first);
    sim_new(&(struct sim_options){ .seed = 42 });
    random_bytes(again, sizeof again);
    assert_memory_equal(first, again, sizeof first);
    sim_new(&(struct sim_options){ .seed = 43 });
    random_bytes(again, sizeof again);
    assert_memory_not_equal(first, again, sizeof first);
}

static void test_trace_tells(void **state)
{
    uint64_t before;

    (void)state;
    fresh(1);
    before = sim_trace_hash();
    sim_trace("something");
    assert_true(sim_trace_hash() != before);
}

/* Helpers -------------------------------------------------------------------------------------- */

static void count_up(void *arg)
{
    ++*(unsigned *)arg;
}

static void test_worker(void **state)
{
    struct worker_pool *p;
    unsigned times = 0;

    (void)state;
    assert_true(worker_pool_new("test", 1, 2, &p, NULL));
    assert_true(worker_run(p, count_up, &times, NULL));
    assert_int_equal(times, 1);
    assert_true(worker_submit(p, count_up, count_up, &times, NULL));
    assert_int_equal(times, 1); /* not inside the call */
    assert_true(fiber_sleep(1000, NULL));
    assert_int_equal(times, 3);
    worker_pool_free(p);
}

static void test_worker_full(void **state)
{
    struct worker_pool *p;
    unsigned times = 0;
    struct err err;

    (void)state;
    assert_true(worker_pool_new("test", 1, 1, &p, NULL));
    assert_true(worker_submit(p, count_up, count_up, &times, NULL)); /* under way */
    assert_true(worker_submit(p, count_up, count_up, &times, NULL)); /* waits */
    assert_false(worker_submit(p, count_up, count_up, &times, &err));
    assert_int_equal(err.kind, ERR_FULL);
    worker_pool_free(p); /* ends after what is queued */
    loop_turn(0);
    assert_int_equal(times, 4);
}

/* Links ---------------------------------------------------------------------------------------- */

struct end {
    unsigned frames, closed;
};

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    (void)c, (void)f, (void)err;
    ((struct end *)owner)->frames++;
    return true;
}

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    (void)why;
    ((struct end *)owner)->closed++;
    channel_free(c);
}

static const struct channel_events events = { .frame = on_frame, .closed = on_closed };

static void test_channel(void **state)
{
    struct end ends[2] = { { .frames = 0 }, { .frames = 0 } };
    struct channel *a, *b;

    (void)state;
    channel_pair(1, &a, 2, &b);
    channel_set_owner(a, &events, &ends[0]);
    channel_set_owner(b, &events, &ends[1]);
    for (int i = 0; i < 100; i++)
        (void)channel_add(a, 7, 1000);
    channel_flush(a);
    assert_int_equal(ends[1].frames, 0);
    assert_true(fiber_sleep(1000, NULL));
    assert_int_equal(ends[1].frames, 100);
    sim_channel_cut(b);
    assert_true(fiber_sleep(1000, NULL));
    assert_int_equal(ends[0].closed, 1);
    assert_int_equal(ends[1].closed, 1);
}

/* Connections ---------------------------------------------------------------------------------- */

static void take_stream(void *arg, struct stream *s)
{
    *(struct stream **)arg = s;
}

static const struct endpoint there = { .ip = { 4, { 10, 1, 1, 1 } }, .port = 25 };

static void join(struct stream *ends[2], struct listener **ret)
{
    assert_true(listener_new(&there, ret, NULL));
    listener_start(*ret, take_stream, &ends[1]);
    assert_true(stream_connect(&there, NULL, NO_DEADLINE, &ends[0], NULL));
    assert_true(fiber_sleep(100, NULL));
    assert_non_null(ends[1]);
}

static void test_stream(void **state)
{
    struct listener *l;
    struct stream *ends[2] = { NULL };
    struct err err;

    (void)state;
    join(ends, &l);
    assert_true(stream_put(ends[0], STR("one two three"), NULL) && stream_flush(ends[0], NULL));
    while (stream_window(ends[1]).len < 13)
        assert_true(stream_fill_some(ends[1], 5, NO_DEADLINE, NULL));
    assert_true(str_eq(stream_window(ends[1]), STR("one two three")));
    assert_false(stream_fill(ends[1], loop_now_ms() + 10, &err));
    assert_int_equal(err.kind, ERR_TIMEOUT);
    stream_free(ends[0]);
    assert_false(stream_fill(ends[1], NO_DEADLINE, &err));
    assert_int_equal(err.kind, ERR_CLOSED);
    stream_free(ends[1]);
    listener_free(l);
    assert_false(stream_connect(&there, NULL, NO_DEADLINE, &ends[0], &err));
    assert_int_equal(err.kind, ERR_IO);
}

static void test_stream_reset(void **state)
{
    struct listener *l;
    struct stream *ends[2] = { NULL };
    struct str line = STR("0123456789012345678901234567890123456789\r\n");
    bool went = true;

    (void)state;
    sim_faults()->reset = 1000000;
    join(ends, &l);
    for (int i = 0; went && i < 1000; i++)
        went = stream_put(ends[0], line, NULL) && stream_flush(ends[0], NULL);
    assert_false(went);
    while (stream_fill(ends[1], NO_DEADLINE, NULL))
        stream_take(ends[1], stream_window(ends[1]).len);
    sim_faults()->reset = 0;
    stream_free(ends[0]);
    stream_free(ends[1]);
    listener_free(l);
}

static void test_silence(void **state)
{
    struct endpoint silent = { .ip = { 4, { 10, 1, 1, 2 } }, .port = 25 };
    int64_t before = loop_now_ms();
    struct stream *s;
    struct err err;

    (void)state;
    sim_net_silence(&silent.ip);
    assert_false(stream_connect(&silent, NULL, before + 30000, &s, &err));
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_int_equal(loop_now_ms(), before + 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_jumps),  cmocka_unit_test(test_clock_stands),
        cmocka_unit_test(test_worker),       cmocka_unit_test(test_worker_full),
        cmocka_unit_test(test_channel),      cmocka_unit_test(test_stream),
        cmocka_unit_test(test_stream_reset), cmocka_unit_test(test_silence),
        cmocka_unit_test(test_trace_tells),  cmocka_unit_test(test_same_seed_same_chance),
    };

    fresh(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

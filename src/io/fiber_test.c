// SPDX-License-Identifier: Apache-2.0
/* io/fiber_test.c - fibers, gates, timers, posts and workers over the real loop. No test looks at
 * how long a thing took, only at what ended it. */
#include "io/fiber.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "io/clock.h"
#include "io/fiber_sanitize.h"
#include "io/loop.h"
#include "io/worker.h"

#ifdef FIBER_TSAN
#define MANY 300 /* TSan keeps most of a megabyte a fiber */
#else
#define MANY 10000
#endif

/* What happened, in order. */
static struct buf story;

static void tell(const char *word)
{
    assert_true(buf_addf(&story, "%s ", word));
}

static void story_is(const char *want)
{
    assert_string_equal(buf_cstr(&story), want);
    buf_clear(&story);
}

static void run_until_none_live(void)
{
    while (fiber_count() > 0)
        loop_turn(NO_DEADLINE);
}

static void teller(void *arg)
{
    tell(arg);
    fiber_yield();
    tell(arg);
}

static void test_spawned_fibers_take_turns(void **state)
{
    (void)state;
    fiber_spawn("a", teller, "a");
    fiber_spawn("b", teller, "b");
    story_is(""); /* never inside fiber_spawn() */
    assert_int_equal(fiber_count(), 2);
    run_until_none_live();
    story_is("a b a b ");
}

static void nested(void *arg)
{
    (void)arg;
    tell(fiber_name(fiber_self()));
    fiber_spawn("inner", teller, "inner");
    tell("outer");
}

static void test_fiber_spawns_fiber(void **state)
{
    (void)state;
    assert_null(fiber_self());
    fiber_spawn("outer", nested, NULL);
    run_until_none_live();
    story_is("outer outer inner inner ");
}

/* Gates ---------------------------------------------------------------------------------------- */

static struct gate gate;

struct wait_case {
    int64_t deadline_in_ms; /* NO_DEADLINE: none */
    enum err_kind end;
    bool over;
};

static void wait_once(void *arg)
{
    struct wait_case *c = arg;
    struct err err = { .kind = ERR_NONE };
    int64_t deadline =
        c->deadline_in_ms == NO_DEADLINE ? NO_DEADLINE : loop_now_ms() + c->deadline_in_ms;

    if (!gate_wait(&gate, deadline, &err))
        assert_int_not_equal(err.kind, ERR_NONE);
    c->end = err.kind;
    c->over = true;
}

static void test_gate_wakes_one_then_all(void **state)
{
    struct wait_case c[3] = { { .deadline_in_ms = NO_DEADLINE },
                              { .deadline_in_ms = 3600000 },
                              { .deadline_in_ms = NO_DEADLINE } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        fiber_spawn("waiter", wait_once, &c[i]);
    loop_turn(0);
    gate_wake_one(&gate);
    loop_turn(0);
    assert_true(c[0].over && !c[1].over && !c[2].over);
    gate_wake_all(&gate);
    loop_turn(0);
    assert_true(c[1].over && c[2].over);
    assert_int_equal(c[1].end, ERR_NONE);
    gate_wake_all(&gate); /* nobody: nothing is remembered */
    gate_wake_one(&gate);
    assert_int_equal(fiber_count(), 0);
}

static void test_gate_times_out(void **state)
{
    struct wait_case c[3] = { { .deadline_in_ms = 2 },
                              { .deadline_in_ms = 1 },
                              { .deadline_in_ms = -5 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        fiber_spawn("waiter", wait_once, &c[i]);
    run_until_none_live();
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        assert_int_equal(c[i].end, ERR_TIMEOUT);
}

static void test_cancel_ends_present_and_later_waits(void **state)
{
    struct wait_case c = { .deadline_in_ms = NO_DEADLINE };
    struct fiber *f = fiber_spawn("waiter", wait_once, &c);

    (void)state;
    loop_turn(0);
    fiber_cancel(f);
    fiber_cancel(f); /* twice is once */
    run_until_none_live();
    assert_int_equal(c.end, ERR_CANCELLED);

    c = (struct wait_case){ .deadline_in_ms = NO_DEADLINE };
    fiber_cancel(fiber_spawn("not yet begun", wait_once, &c));
    run_until_none_live();
    assert_int_equal(c.end, ERR_CANCELLED);
}

static void sleeper(void *arg)
{
    struct err err;

    *(enum err_kind *)arg = fiber_sleep(3600000, &err) ? ERR_NONE : err.kind;
}

static void test_sleep_is_cancelled(void **state)
{
    enum err_kind end = ERR_NONE;
    struct fiber *f = fiber_spawn("sleeper", sleeper, &end);

    (void)state;
    loop_turn(0);
    fiber_cancel(f);
    run_until_none_live();
    assert_int_equal(end, ERR_CANCELLED);
}

static void wake_gate(void *arg)
{
    (void)arg;
    tell("wake");
    gate_wake_all(&gate);
}

static void test_off_a_fiber_waits_turn_the_loop(void **state)
{
    struct err err;

    (void)state;
    fiber_spawn("waker", wake_gate, NULL);
    assert_true(gate_wait(&gate, NO_DEADLINE, &err));
    story_is("wake ");
    assert_false(gate_wait(&gate, loop_now_ms() + 1, &err));
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_true(fiber_sleep(1, &err));
    fiber_spawn("a", teller, "a");
    fiber_yield();
    fiber_yield();
    story_is("a a ");
}

/* Two fibers that wake each other for ever must not keep the loop from looking outside. */
static bool ping_pong_ends;

static void ping_pong(void *arg)
{
    struct gate *gates = arg;
    struct err err;

    while (!ping_pong_ends) {
        gate_wake_all(&gates[1]);
        if (!gate_wait(&gates[0], NO_DEADLINE, &err))
            break;
    }
    gate_wake_all(&gates[1]);
}

static void pong_ping(void *arg)
{
    struct gate *gates = arg;
    struct err err;

    while (!ping_pong_ends) {
        gate_wake_all(&gates[0]);
        if (!gate_wait(&gates[1], NO_DEADLINE, &err))
            break;
    }
    gate_wake_all(&gates[0]);
}

static void test_fibers_do_not_starve_the_loop(void **state)
{
    struct gate gates[2];

    (void)state;
    ping_pong_ends = false;
    gate_init(&gates[0]);
    gate_init(&gates[1]);
    fiber_spawn("ping", ping_pong, gates);
    fiber_spawn("pong", pong_ping, gates);
    for (int i = 0; i < 10; i++)
        loop_turn(NO_DEADLINE); /* comes back */
    ping_pong_ends = true;
    run_until_none_live();
}

/* Many ----------------------------------------------------------------------------------------- */

static size_t many_done;

static void one_of_many(void *arg)
{
    struct err err;
    char depth[512]; /* something of one's own on the stack */

    memset(depth, (int)(uintptr_t)arg & 0x7f, sizeof depth);
    if (!gate_wait(&gate, NO_DEADLINE, &err))
        fail();
    for (size_t i = 0; i < sizeof depth; i++)
        assert_int_equal(depth[i], (int)(uintptr_t)arg & 0x7f);
    many_done++;
}

static void test_ten_thousand_fibers(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) { /* the second on recycled stacks */
        many_done = 0;
        for (size_t i = 0; i < MANY; i++)
            fiber_spawn("many", one_of_many, (void *)i);
        assert_true(fiber_count() <= fiber_count_max());
        loop_turn(0);
        assert_int_equal(fiber_count(), MANY);
        gate_wake_all(&gate);
        run_until_none_live();
        assert_int_equal(many_done, MANY);
    }
}

__attribute__((noinline)) static int dig(int depth)
{
    volatile char here[1024];

    here[0] = (char)depth;
    return depth == 0 ? 0 : dig(depth - 1) + here[0];
}

static void digger(void *arg)
{
    (void)arg;
    _exit(dig(4096) & 1);
}

/* A stack that is too small ends the process instead of writing over its neighbour. */
static void test_stack_overflow_hits_the_guard_page(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    pid = fork();
    if (pid == 0) {
        struct rlimit no_core = { 0, 0 };

        setrlimit(RLIMIT_CORE, &no_core);
        close(2); /* the sanitizer's report */
        fiber_spawn("digger", digger, NULL);
        loop_turn(0);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) > 1));
}

/* Timers, turn ends, posts --------------------------------------------------------------------- */

static void timer_tells(void *arg)
{
    tell(arg);
}

static struct timer again;

static void timer_sets_itself(void *arg)
{
    tell(arg);
    timer_set(&again, loop_now_ms());
}

static void test_timers_run_in_order(void **state)
{
    static char *const names[] = { "0", "1", "2", "3", "4" };
    static const int64_t offsets[] = { -1, -3, -1, -2, -3 };
    struct timer t[ARRAY_LEN(names)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        timer_init(&t[i], timer_tells, names[i]);
        timer_set(&t[i], loop_now_ms() + offsets[i]);
    }
    loop_turn(0);
    story_is("1 4 3 0 2 ");

    timer_set(&t[0], loop_now_ms() - 5);
    timer_set(&t[1], loop_now_ms() - 4);
    timer_set(&t[0], loop_now_ms() - 3); /* moved */
    timer_set(&t[2], loop_now_ms() + 3600000);
    timer_clear(&t[2]);
    timer_clear(&t[2]);
    loop_turn(0);
    story_is("1 0 ");
}

static void test_timer_set_while_due_waits_for_next_turn(void **state)
{
    (void)state;
    timer_init(&again, timer_sets_itself, "again");
    timer_set(&again, loop_now_ms());
    loop_turn(NO_DEADLINE);
    story_is("again ");
    timer_clear(&again);
}

/* Against a plain sort: set, move and clear at random, then run all. */
static int64_t last_at;
static size_t fired;

static void timer_checks(void *arg)
{
    struct timer *t = arg;

    assert_true(t->at_ms >= last_at);
    assert_int_equal(t->place, 0);
    last_at = t->at_ms;
    fired++;
}

static void test_timer_heap_holds_under_change(void **state)
{
    enum { COUNT = 500 };
    static struct timer t[COUNT];
    size_t set = 0;

    (void)state;
    srand(7);
    for (size_t i = 0; i < COUNT; i++)
        timer_init(&t[i], timer_checks, &t[i]);
    for (size_t i = 0; i < 20 * COUNT; i++) {
        struct timer *one = &t[(size_t)rand() % COUNT];

        if (rand() % 3 == 0)
            timer_clear(one);
        else
            timer_set(one, loop_now_ms() - rand() % 1000);
    }
    for (size_t i = 0; i < COUNT; i++)
        set += t[i].place != 0;
    last_at = INT64_MIN;
    fired = 0;
    loop_turn(0);
    assert_int_equal(fired, set);
}

static struct turn_end ends[3];

static void end_tells(void *arg)
{
    tell(arg);
}

static void end_removes_next(void *arg)
{
    tell(arg);
    turn_end_remove(&ends[2]);
    turn_end_remove(&ends[0]);
}

static void test_turn_ends_run_by_order(void **state)
{
    (void)state;
    turn_end_add(&ends[2], 30, end_tells, "c");
    turn_end_add(&ends[0], 10, end_removes_next, "a");
    turn_end_add(&ends[1], 20, end_tells, "b");
    fiber_spawn("f", teller, "f");
    loop_turn(0);
    story_is("f a b ");
    turn_end_remove(&ends[1]);
    loop_turn(0);
    story_is("f ");
}

static void post_again(void *arg)
{
    tell(arg);
    loop_post(timer_tells, "later");
}

static void test_posts_run_once_each(void **state)
{
    (void)state;
    loop_post(post_again, "first");
    loop_post(timer_tells, "second");
    loop_turn(NO_DEADLINE);
    story_is("first second ");
    loop_turn(NO_DEADLINE);
    story_is("later ");
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop();
}

static void test_loop_run_until_stop(void **state)
{
    struct timer t;

    (void)state;
    timer_init(&t, stop, NULL);
    timer_set(&t, loop_now_ms() + 1);
    loop_run();
    assert_int_equal(t.place, 0);
}

/* Workers -------------------------------------------------------------------------------------- */

static struct worker_pool *pool;

static void add_one(void *arg)
{
    ++*(int *)arg;
}

static void work_a_lot(void *arg)
{
    struct err err;

    for (int i = 0; i < 50; i++)
        if (!worker_run(pool, add_one, arg, &err))
            fail_msg("%s", err.text);
}

static void test_worker_runs_for_fibers_and_off_them(void **state)
{
    int counts[20] = { 0 }, off = 0;
    struct err err;

    (void)state;
    assert_true(worker_pool_new("test", 2, 100, &pool, &err));
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        fiber_spawn("work", work_a_lot, &counts[i]);
    assert_true(worker_run(pool, add_one, &off, &err));
    run_until_none_live();
    assert_int_equal(off, 1);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        assert_int_equal(counts[i], 50);
    worker_pool_free(pool);
    worker_pool_free(NULL);
}

/* Blocks a helper until the test lets it go. */
static int hold[2];

static void hold_on(void *arg)
{
    char byte;

    (void)arg;
    assert_int_equal(read(hold[0], &byte, 1), 1);
}

static void held_worker(void *arg)
{
    struct err err;

    *(bool *)arg = worker_run(pool, hold_on, NULL, &err);
}

static void test_worker_finishes_though_cancelled(void **state)
{
    bool ran = false;
    struct fiber *f;
    struct err err;

    (void)state;
    assert_int_equal(pipe(hold), 0);
    assert_true(worker_pool_new("test", 1, 10, &pool, &err));
    f = fiber_spawn("held", held_worker, &ran);
    loop_turn(0);
    fiber_cancel(f);
    loop_turn(0);
    assert_int_equal(fiber_count(), 1);
    assert_int_equal(write(hold[1], "x", 1), 1);
    run_until_none_live();
    assert_true(ran);
    worker_pool_free(pool);
    close(hold[0]);
    close(hold[1]);
}

static void test_worker_queue_is_bounded(void **state)
{
    struct err err;
    int added = 0;
    size_t took = 0;

    (void)state;
    assert_int_equal(pipe(hold), 0);
    assert_true(worker_pool_new("test", 1, 2, &pool, &err));
    assert_true(worker_submit(pool, hold_on, timer_tells, "held", &err));
    while (took < 4 && worker_submit(pool, add_one, add_one, &added, &err))
        took++;
    assert_in_range(took, 1, 2); /* by whether the helper has taken the first already */
    assert_int_equal(err.kind, ERR_FULL);
    assert_int_equal(write(hold[1], "x", 1), 1);
    worker_pool_free(pool); /* after what is queued */
    loop_turn(0);
    story_is("held ");
    assert_int_equal(added, 2 * (int)took);
    close(hold[0]);
    close(hold[1]);
}

/* Clock and randomness ------------------------------------------------------------------------- */

static void test_Y10_random_is_even_and_bounded(void **state)
{
    unsigned seen[5] = { 0 };

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t n = random_below(5);

        assert_true(n < 5);
        seen[n]++;
    }
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        assert_true(seen[i] > 0);
    assert_int_equal(random_below(1), 0);
    assert_true(random_u64() != random_u64());
    assert_true(clock_mono_us() / 1000 <= clock_mono_ms());
    assert_true(clock_wall_ms() > 1700000000000);
}

static int setup(void **state)
{
    (void)state;
    loop_init();
    loop_init();
    gate_init(&gate);
    buf_init(&story, 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_done(&story);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spawned_fibers_take_turns),
        cmocka_unit_test(test_fiber_spawns_fiber),
        cmocka_unit_test(test_gate_wakes_one_then_all),
        cmocka_unit_test(test_gate_times_out),
        cmocka_unit_test(test_cancel_ends_present_and_later_waits),
        cmocka_unit_test(test_sleep_is_cancelled),
        cmocka_unit_test(test_off_a_fiber_waits_turn_the_loop),
        cmocka_unit_test(test_fibers_do_not_starve_the_loop),
        cmocka_unit_test(test_ten_thousand_fibers),
        cmocka_unit_test(test_stack_overflow_hits_the_guard_page),
        cmocka_unit_test(test_timers_run_in_order),
        cmocka_unit_test(test_timer_set_while_due_waits_for_next_turn),
        cmocka_unit_test(test_timer_heap_holds_under_change),
        cmocka_unit_test(test_turn_ends_run_by_order),
        cmocka_unit_test(test_posts_run_once_each),
        cmocka_unit_test(test_loop_run_until_stop),
        cmocka_unit_test(test_worker_runs_for_fibers_and_off_them),
        cmocka_unit_test(test_worker_finishes_though_cancelled),
        cmocka_unit_test(test_worker_queue_is_bounded),
        cmocka_unit_test(test_Y10_random_is_even_and_bounded),
    };

    return cmocka_run_group_tests_name("io/fiber", tests, setup, teardown);
}

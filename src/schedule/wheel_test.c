// SPDX-License-Identifier: Apache-2.0
/* schedule/wheel_test.c - timers come when they are due, never early, and none is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/mem.h"
#include "schedule/wheel.h"

#define START 1000000000000ll

static void each_comes_in_its_tick(void **state)
{
    (void)state;
    static const int64_t waits[] = { 0,       1,         99,         100,           101,
                                     25599,   25600,     25601,      60000,         6553600,
                                     6553601, 432000000, 2000000000, 50000000000ll };
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        struct wheel w;
        struct wheel_timer t;
        int64_t due = START + waits[i];

        wheel_init(&w, START);
        wheel_set(&w, &t, due);
        int64_t now = START;
        while (wheel_pop(&w, now) == NULL) {
            int64_t next = wheel_next_ms(&w);
            assert_true(next > now);
            assert_true(next <= due + WHEEL_TICK_MS);
            now = next;
        }
        assert_in_range(now, due, due + WHEEL_TICK_MS);
        assert_int_equal(w.count, 0);
        assert_true(wheel_next_ms(&w) == INT64_MAX);
    }
}

static void none_is_forgotten_among_many(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct wheel w;
    struct wheel_timer *timers = NEW_ARRAY(struct wheel_timer, N);
    uint64_t x = 42;
    size_t popped = 0;

    wheel_init(&w, START);
    for (size_t i = 0; i < N; i++) {
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        wheel_set(&w, &timers[i], START + (int64_t)((x >> 33) % 10000000));
    }
    for (size_t i = 0; i < N; i += 7)
        wheel_clear(&w, &timers[i]);
    int64_t last = 0;
    for (int64_t now = START; w.count > 0; now += 5000) {
        struct wheel_timer *t;
        while ((t = wheel_pop(&w, now)) != NULL) {
            assert_true(t->at_ms <= now);
            assert_true(t->at_ms + WHEEL_TICK_MS >= last - WHEEL_TICK_MS);
            last = t->at_ms;
            popped++;
        }
    }
    assert_int_equal(popped, N - (N + 6) / 7);
    free(timers);
}

static void a_long_sleep_catches_up(void **state)
{
    (void)state;
    struct wheel w;
    struct wheel_timer a, b;

    wheel_init(&w, START);
    wheel_set(&w, &a, START + 3600 * 1000);
    wheel_set(&w, &b, START + 30 * 3600 * 1000);
    assert_ptr_equal(wheel_pop(&w, START + 48 * 3600 * 1000), &a);
    assert_ptr_equal(wheel_pop(&w, START + 48 * 3600 * 1000), &b);
    assert_null(wheel_pop(&w, START + 48 * 3600 * 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_comes_in_its_tick),
        cmocka_unit_test(none_is_forgotten_among_many),
        cmocka_unit_test(a_long_sleep_catches_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* deliver/sign_sim_test.c - a hash that is never answered, on a clock that waits for nobody (Y04).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "deliver/rehearsal.h"
#include "sim/sim.h"

static int group_setup(void **state)
{
    sim_new(&(struct sim_options){ .seed = 1 });
    return rehearsal_group_setup(state);
}

static int group_teardown(void **state)
{
    rehearsal_group_teardown(state);
    sim_free();
    return 0;
}

/* The server has lost its patience meanwhile; the next message goes out on a connection of its own.
 */
static void y04_a_hash_that_is_never_answered(void **state)
{
    static const char *const script[] = { GREET, HELLO, "|", GREET, HELLO, TAKE, NULL };
    int64_t begun_ms;

    (void)state;
    set_up(script);
    begun_ms = loop_now_ms();
    fixture_send(&fixture, &(struct errand){ .signs = 1, .connections = 1 });
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    while (fixture.results < 2)
        loop_turn(1000);
    check("deferred message 0 4.7.5; relayed message 250");
    assert_int_equal(fixture.sign_asks, 1);
    assert_int_equal(peer.connections, 2);
    assert_in_range(loop_now_ms() - begun_ms, 60000, 70000);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(y04_a_hash_that_is_never_answered) };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

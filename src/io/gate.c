// SPDX-License-Identifier: Apache-2.0
/* io/gate.c - waiting: on a gate, for a while, until cancelled.
 *
 * A wait costs no memory: the waiter and its timer lie on the stack of whoever waits. Off a fiber
 * the waiter turns the loop itself until the same things have happened. */
#include <assert.h>

#include "io/fiber.h"
#include "io/fiber_run.h"
#include "io/loop.h"
#include "io/loop_backend.h"

enum wait_end { WAITING, WOKEN, TIMED_OUT, CANCELLED };

struct waiter {
    struct list link; /* in the gate */
    struct fiber *fiber;
    struct timer timer;
    enum wait_end end;
};

void gate_init(struct gate *g)
{
    list_init(&g->waiters);
}

static void waiter_end(struct waiter *w, enum wait_end end)
{
    assert(w->end == WAITING);
    w->end = end;
    list_remove(&w->link);
    timer_clear(&w->timer);
    if (w->fiber == NULL)
        return;
    fiber_set_waiter(w->fiber, NULL);
    fiber_make_ready(w->fiber);
}

static void waiter_time_out(void *arg)
{
    waiter_end(arg, TIMED_OUT);
}

void waiter_cancel(struct waiter *w)
{
    waiter_end(w, CANCELLED);
}

static enum wait_end wait_in(struct gate *g, int64_t deadline_ms, bool may_cancel)
{
    struct waiter w = { .fiber = fiber_self(), .end = WAITING };

    list_append(&g->waiters, &w.link);
    timer_init(&w.timer, waiter_time_out, &w);
    if (deadline_ms != NO_DEADLINE)
        timer_set(&w.timer, deadline_ms);
    if (w.fiber == NULL) {
        while (w.end == WAITING)
            loop_turn(NO_DEADLINE);
        return w.end;
    }
    if (may_cancel)
        fiber_set_waiter(w.fiber, &w);
    fiber_park();
    assert(w.end != WAITING);
    return w.end;
}

bool gate_wait(struct gate *g, int64_t deadline_ms, struct err *err)
{
    struct fiber *self = fiber_self();
    enum wait_end end =
        self != NULL && fiber_is_cancelled(self) ? CANCELLED : wait_in(g, deadline_ms, true);

    if (end == CANCELLED)
        return err_set(err, ERR_CANCELLED, "cancelled");
    if (end == TIMED_OUT)
        return err_set(err, ERR_TIMEOUT, "timed out");
    return true;
}

void gate_wait_always(struct gate *g)
{
    (void)wait_in(g, NO_DEADLINE, false);
}

void gate_wake_one(struct gate *g)
{
    struct waiter *w = LIST_FIRST(&g->waiters, struct waiter, link);

    if (w != NULL)
        waiter_end(w, WOKEN);
}

void gate_wake_all(struct gate *g)
{
    while (!list_empty(&g->waiters))
        gate_wake_one(g);
}

bool fiber_sleep(int64_t ms, struct err *err)
{
    struct gate nobody_wakes;
    struct err why;

    gate_init(&nobody_wakes);
    if (gate_wait(&nobody_wakes, loop_now_ms() + ms, &why) || why.kind == ERR_TIMEOUT)
        return true;
    if (err != NULL)
        *err = why;
    return false;
}

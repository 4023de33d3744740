// SPDX-License-Identifier: Apache-2.0
/* sim/backend.c - waiting in a world where nothing happens but timers: time jumps to the next one.
 *
 * A loop that would wait for ever, or that turns and turns while time stands still, is a bug that
 * in the real world is a hang or a spin: it ends the process. */
#include <stdio.h>
#include <stdlib.h>

#include "io/loop_backend.h"
#include "sim/world.h"

#define TURNS_AT_ONE_TIME_MAX 200000

static bool awake;
static unsigned turns_at_this_time;

void backend_init(void)
{
    (void)world_get();
}

void backend_wake(void)
{
    awake = true;
}

static _Noreturn void stuck(const char *how)
{
    sim_trace("stuck: %s", how);
    fprintf(stderr, "sim: the loop %s\n", how);
    abort();
}

void backend_wait(int64_t deadline_ms)
{
    struct world *w = world_get();
    bool woken = awake;

    awake = false;
    if (deadline_ms <= w->now_ms || woken) {
        if (++turns_at_this_time > TURNS_AT_ONE_TIME_MAX)
            stuck("spins while time stands still");
        return;
    }
    if (deadline_ms == NO_DEADLINE)
        stuck("waits for what can never happen");
    turns_at_this_time = 0;
    w->now_ms = deadline_ms;
}

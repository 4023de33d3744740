// SPDX-License-Identifier: Apache-2.0
/* io/loop.h - the turning of a process: wait, read every ready source, run what became ready, then
 * the ends of the turn (each channel sends once with all that the turn produced). One loop a
 * process. */
#pragma once

#include "io/fiber.h"

/* Before everything else in io/; a second call does nothing. */
void loop_init(void);
/* Turns until loop_stop(). */
void loop_run(void);
void loop_stop(void);
/* Waits at most until something happened or max_wait_ms passed. For tests and for blocking off a
 * fiber. */
void loop_turn(int64_t max_wait_ms);

/* Monotonic, as of the start of this turn. */
int64_t loop_now_ms(void);

/* A timer in the caller's storage. The callback runs on the loop, not on a fiber: it must not wait.
 */
struct timer {
    int64_t at_ms;
    size_t place; /* in the loop's heap; 0 when not set */
    void (*fn)(void *arg);
    void *arg;
};
void timer_init(struct timer *t, void (*fn)(void *arg), void *arg);
/* Sets or moves it. */
void timer_set(struct timer *t, int64_t at_ms);
void timer_clear(struct timer *t);

/* Runs fn at the end of every turn; lower order first. It must not wait. */
struct turn_end {
    struct list link;
    int order;
    void (*fn)(void *arg);
    void *arg;
};
void turn_end_add(struct turn_end *t, int order, void (*fn)(void *arg), void *arg);
void turn_end_remove(struct turn_end *t);

/* Runs fn(arg) on the loop soon. Callable from any thread (a library's helper thread hands its
 * answer over so). */
void loop_post(void (*fn)(void *arg), void *arg);

// SPDX-License-Identifier: Apache-2.0
/* io/fiber.h - stories that look blocking: a session, a dialogue, a look-up each run on a small
 * stack of their own and give way where they wait. One thread runs all fibers of a process; a fiber
 * never changes thread.
 *
 * Rules (style.md §10): what waits says "Waits." in its contract; what was seen before a wait is
 * looked at again after it; errno and thread-locals do not survive a wait; a timeout or a shutdown
 * is the waiting call returning an error, so that clean-ups run. Off a fiber the same calls block,
 * by turning the loop themselves, so tests need no fibers.
 *
 * Shared by the real seam and the simulated one: switching stacks is the same, only the loop below
 * differs. */
#pragma once

#include "base/err.h"
#include "base/list.h"

#define FIBER_STACK_BYTES (64 * 1024)
#define NO_DEADLINE INT64_MAX

typedef void fiber_fn(void *arg);
struct fiber;

/* Starts a story at the next turn of the loop (never inside this call). Its struct is gone when
 * `fn` returns: keep the pointer only while you know that it runs. The name is kept by the caller.
 */
struct fiber *fiber_spawn(const char *name, fiber_fn *fn, void *arg);
/* NULL off a fiber. */
struct fiber *fiber_self(void);
const char *fiber_name(const struct fiber *f);
/* Its present and every later wait return ERR_CANCELLED. */
void fiber_cancel(struct fiber *f);
/* Lets the others run; comes back in the same turn of the loop or the next. Waits. */
void fiber_yield(void);
/* ERR_CANCELLED only. Waits. */
MUST_USE bool fiber_sleep(int64_t ms, struct err *err);
/* How many live, and how many may (guard pages: vm.max_map_count; see doc). Spawning past it
 * aborts: callers that serve outsiders look here first. */
size_t fiber_count(void);
size_t fiber_count_max(void);

/* What fibers wait on. In the caller's storage; zero-initialise with gate_init. Waking is
 * remembered by nobody: look at your own condition in a loop around gate_wait. */
struct gate {
    struct list waiters;
};
void gate_init(struct gate *g);
/* Until woken, or until deadline_ms (loop_now_ms() clock): ERR_TIMEOUT, ERR_CANCELLED. Waits. */
MUST_USE bool gate_wait(struct gate *g, int64_t deadline_ms, struct err *err);
/* Only a wake ends it: for what must finish before the waiter's stack may go. Waits. */
void gate_wait_always(struct gate *g);
void gate_wake_one(struct gate *g);
void gate_wake_all(struct gate *g);

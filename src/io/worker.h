// SPDX-License-Identifier: Apache-2.0
/* io/worker.h - helper threads for what must not run on the loop: disk syncs, reads, SQLite,
 * password hashes. The simulator turns each piece of work into a step of its seeded scheduler. */
#pragma once

#include "io/fiber.h"

struct worker_pool;

/* `threads` helpers, at most `queue_max` pieces waiting. The threads start here, before the role
 * confines itself. */
MUST_USE bool worker_pool_new(const char *name, unsigned threads, size_t queue_max,
                              struct worker_pool **ret, struct err *err);
/* How many threads can compute at once here. */
unsigned worker_cores(void);
/* Ends after what is queued. */
void worker_pool_free(struct worker_pool *p);
/* Runs fn(arg) on a helper and comes back when it is done. ERR_FULL when queue_max pieces wait
 * already. The work is always finished before this returns, even when the fiber is cancelled, since
 * arg usually lies on its stack. Waits. */
MUST_USE bool worker_run(struct worker_pool *p, void (*fn)(void *arg), void *arg, struct err *err);
/* The same without waiting: done(arg) runs on the loop afterwards. */
MUST_USE bool worker_submit(struct worker_pool *p, void (*fn)(void *arg), void (*done)(void *arg),
                            void *arg, struct err *err);

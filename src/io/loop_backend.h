// SPDX-License-Identifier: Apache-2.0
/* io/loop_backend.h - the line between what the real seam and the simulated one share and what each
 * brings itself.
 *
 * Shared (io_common): fibers, gates, timers, posts, turn ends, the pile and framing of channels,
 * windows of streams, rings. A seam brings: the functions below; the clock (clock.h), which for the
 * simulator stands still except inside backend_wait(); and worker.h, stream.h, disk.h, tls.h,
 * dns.h, and what carries a channel's packets (channel_carrier.h). */
#pragma once

#include "io/fiber.h"

/* Brought by the seam -------------------------------------------------------------------------- */

/* Once, from loop_init(). */
void backend_init(void);
/* Waits until something happened, or clock_mono_ms() has reached deadline_ms (NO_DEADLINE: nothing
 * else ends it), then handles all that happened: notes what became readable, wakes gates, calls the
 * callbacks that run on the loop. A deadline in the past only looks. */
void backend_wait(int64_t deadline_ms);
/* Lets a running or the next backend_wait() return at once. From any thread. */
void backend_wake(void);

/* Brought by io_common, for seams only --------------------------------------------------------- */

/* A call handed to the loop, in storage of whoever posts it; alive until it runs. From any thread.
 */
struct post {
    struct list link;
    void (*fn)(void *arg);
    void *arg;
};
void loop_post_in(struct post *p, void (*fn)(void *arg), void *arg);

// SPDX-License-Identifier: Apache-2.0
/* io/fiber_run.h - what the loop asks of the fibers: io_common's own matter. */
#pragma once

#include "base/list.h"

struct fiber;

/* `to` becomes the list that `from` was; `from` is empty. */
static inline void list_move(struct list *to, struct list *from)
{
    list_init(to);
    if (list_empty(from))
        return;
    *to = *from;
    to->next->prev = to->prev->next = to;
    list_init(from);
}

void fiber_init(void);
bool fiber_any_ready(void);
/* Runs those that are ready, and those that these make ready, within bounds. On the loop's stack.
 */
void fiber_run_ready(void);
/* It runs in this turn or the next. */
void fiber_make_ready(struct fiber *f);

/* Leaves the running fiber until fiber_make_ready(). */
void fiber_park(void);

/* The waiter through which it can be cancelled while it is parked; NULL: it cannot. */
struct waiter;
void fiber_set_waiter(struct fiber *f, struct waiter *w);
bool fiber_is_cancelled(const struct fiber *f);
/* In gate.c. */
void waiter_cancel(struct waiter *w);

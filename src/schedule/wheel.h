// SPDX-License-Identifier: Apache-2.0
/* schedule/wheel.h - a timer wheel: many members that each want to be woken at a time, at a cost
 * that follows how many are woken, never how many wait. Ticks of 100 ms; members due within a tick
 * come in the order they were set. */
#pragma once

#include "base/list.h"
#include "base/str.h"

#define WHEEL_TICK_MS 100
#define WHEEL_LEVELS 4
#define WHEEL_SLOTS 256 /* 25.6 s, 1.8 h, 19 days, 13 years */

struct wheel {
    uint64_t tick; /* everything due at or before it has been handed out */
    size_t count;
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
    struct list due; /* taken from their slots, not yet handed out */
};

/* The member's link and time; in the caller's storage. */
struct wheel_timer {
    struct list link;
    int64_t at_ms;
};

void wheel_init(struct wheel *w, int64_t now_ms);
/* The timer must not be set. A time in the past is due at once. */
void wheel_set(struct wheel *w, struct wheel_timer *t, int64_t at_ms);
void wheel_clear(struct wheel *w, struct wheel_timer *t);
/* The next timer that is due at now_ms, removed; NULL when there is none. */
struct wheel_timer *wheel_pop(struct wheel *w, int64_t now_ms);
/* A time at or before which nothing becomes due: when to call wheel_pop() again. INT64_MAX when
 * empty. */
int64_t wheel_next_ms(const struct wheel *w);

// SPDX-License-Identifier: Apache-2.0
/* io/timer.c - the loop's timers: a heap whose entries know their timer and whose timers know their
 * place, so that moving and clearing one costs what setting it did. */
#include "io/timer.h"

#include <assert.h>

#include "base/mem.h"
#include "io/loop.h"

struct entry {
    int64_t at_ms;
    uint64_t seq; /* equals run in the order in which they were set */
    struct timer *timer;
};

/* heap[1…count]; the earliest is first; [0] stays empty, so that place 0 can mean "not set". */
static struct {
    struct entry *heap;
    size_t count, cap;
    uint64_t seq;
} timers;

static bool earlier(const struct entry *a, const struct entry *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

static void put_at(size_t place, struct entry e)
{
    timers.heap[place] = e;
    e.timer->place = place;
}

static void sift_up(size_t place, struct entry e)
{
    for (; place > 1 && earlier(&e, &timers.heap[place / 2]); place /= 2)
        put_at(place, timers.heap[place / 2]);
    put_at(place, e);
}

static void sift_down(size_t place, struct entry e)
{
    for (;;) {
        size_t child = 2 * place;

        if (child < timers.count && earlier(&timers.heap[child + 1], &timers.heap[child]))
            child++;
        if (child > timers.count || !earlier(&timers.heap[child], &e))
            break;
        put_at(place, timers.heap[child]);
        place = child;
    }
    put_at(place, e);
}

static void sift(size_t place, struct entry e)
{
    if (place > 1 && earlier(&e, &timers.heap[place / 2]))
        sift_up(place, e);
    else
        sift_down(place, e);
}

static size_t room_for_one(void)
{
    if (timers.count + 1 >= timers.cap) {
        timers.cap = timers.cap ? timers.cap * 2 : 64;
        timers.heap = mem_grow(timers.heap, timers.cap, sizeof *timers.heap);
    }
    return ++timers.count;
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct timer){ .fn = fn, .arg = arg };
}

void timer_set(struct timer *t, int64_t at_ms)
{
    struct entry e = { .at_ms = at_ms, .seq = ++timers.seq, .timer = t };

    t->at_ms = at_ms;
    if (t->place == 0)
        sift_up(room_for_one(), e);
    else
        sift(t->place, e);
}

void timer_clear(struct timer *t)
{
    size_t place = t->place;

    if (place == 0)
        return;
    assert(timers.heap[place].timer == t);
    t->place = 0;
    if (place != timers.count--)
        sift(place, timers.heap[timers.count + 1]);
}

int64_t timer_next_ms(void)
{
    return timers.count > 0 ? timers.heap[1].at_ms : NO_DEADLINE;
}

void timer_run_due(int64_t now_ms)
{
    uint64_t last = timers.seq;

    while (timers.count > 0 && timers.heap[1].at_ms <= now_ms && timers.heap[1].seq <= last) {
        struct timer *t = timers.heap[1].timer;

        timer_clear(t);
        t->fn(t->arg);
    }
}

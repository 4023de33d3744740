// SPDX-License-Identifier: Apache-2.0
/* schedule/wheel.c - slots of growing width; a slot of a wider level is dealt out to the narrower
 * ones when its time begins. */
#include "schedule/wheel.h"

#define SLOT_BITS 8
#define SLOT_MASK (WHEEL_SLOTS - 1)

/* How many low bits of a tick one slot of the level spans. */
static unsigned level_shift(unsigned level)
{
    return level * SLOT_BITS;
}

static uint64_t tick_of(int64_t at_ms)
{
    /* Upwards: never early. */
    return at_ms <= 0 ? 0 : ((uint64_t)at_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
}

void wheel_init(struct wheel *w, int64_t now_ms)
{
    w->tick = (uint64_t)(now_ms < 0 ? 0 : now_ms) / WHEEL_TICK_MS;
    w->count = 0;
    list_init(&w->due);
    for (unsigned l = 0; l < WHEEL_LEVELS; l++)
        for (unsigned s = 0; s < WHEEL_SLOTS; s++)
            list_init(&w->slots[l][s]);
}

static void put(struct wheel *w, struct wheel_timer *t)
{
    uint64_t at = tick_of(t->at_ms);

    if (at <= w->tick) {
        list_append(&w->due, &t->link);
        return;
    }
    /* The narrowest level on which the tick lies within one turn; further off than all levels: the
     * last slot. */
    unsigned level = 0;
    while (level < WHEEL_LEVELS - 1 &&
           (at >> level_shift(level)) - (w->tick >> level_shift(level)) >= WHEEL_SLOTS)
        level++;
    uint64_t slot = at >> level_shift(level);
    uint64_t last = (w->tick >> level_shift(level)) + WHEEL_SLOTS - 1;
    if (slot > last)
        slot = last;
    list_append(&w->slots[level][slot & SLOT_MASK], &t->link);
}

void wheel_set(struct wheel *w, struct wheel_timer *t, int64_t at_ms)
{
    t->at_ms = at_ms;
    w->count++;
    put(w, t);
}

void wheel_clear(struct wheel *w, struct wheel_timer *t)
{
    list_remove(&t->link);
    w->count--;
}

/* Moves a slot's members to where they belong now. */
static void deal_out(struct wheel *w, struct list *slot)
{
    struct list taken;

    if (list_empty(slot))
        return;
    taken = *slot;
    taken.next->prev = &taken;
    taken.prev->next = &taken;
    list_init(slot);
    LIST_EACH (&taken, struct wheel_timer, t, link) {
        list_remove(&t->link);
        put(w, t);
    }
}

static void advance(struct wheel *w)
{
    w->tick++;
    for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--)
        if ((w->tick & ((1ull << level_shift(level)) - 1)) == 0)
            deal_out(w, &w->slots[level][(w->tick >> level_shift(level)) & SLOT_MASK]);
    deal_out(w, &w->slots[0][w->tick & SLOT_MASK]);
}

struct wheel_timer *wheel_pop(struct wheel *w, int64_t now_ms)
{
    uint64_t now = (uint64_t)(now_ms < 0 ? 0 : now_ms) / WHEEL_TICK_MS;

    while (list_empty(&w->due) && w->tick < now) {
        if (w->count == 0)
            w->tick = now;
        else
            advance(w);
    }
    struct wheel_timer *t = LIST_FIRST(&w->due, struct wheel_timer, link);
    if (t)
        wheel_clear(w, t);
    return t;
}

int64_t wheel_next_ms(const struct wheel *w)
{
    if (!list_empty(&w->due))
        return (int64_t)(w->tick * WHEEL_TICK_MS);
    if (w->count == 0)
        return INT64_MAX;
    /* The first filled slot of the narrowest level, but no later than where the next level deals
     * out. */
    uint64_t tick = w->tick + 1;
    while ((tick & SLOT_MASK) != 0 && list_empty(&w->slots[0][tick & SLOT_MASK]))
        tick++;
    return (int64_t)(tick * WHEEL_TICK_MS);
}

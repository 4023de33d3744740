// SPDX-License-Identifier: Apache-2.0
/* accept/session_table.c - slots with generations, free ones in a list. */
#include "accept/session_table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

enum { CAP_MIN = 64 };

void session_table_init(struct session_table *t)
{
    *t = (struct session_table){ 0 };
}

void session_table_done(struct session_table *t)
{
    assert(t->count == 0);
    free(t->slots);
    session_table_init(t);
}

static void table_grow(struct session_table *t)
{
    uint32_t cap = t->cap > 0 ? t->cap * 2 : CAP_MIN;

    t->slots = mem_grow(t->slots, cap, sizeof(*t->slots));
    for (uint32_t i = cap; i-- > t->cap;) {
        t->slots[i] = (struct session_slot){ .next_free = t->free_first };
        t->free_first = i + 1;
    }
    t->cap = cap;
}

uint64_t session_table_add(struct session_table *t, struct session *s)
{
    uint32_t at;
    struct session_slot *slot;

    if (t->free_first == 0)
        table_grow(t);
    at = t->free_first - 1;
    slot = &t->slots[at];
    t->free_first = slot->next_free;
    slot->session = s;
    if (++slot->generation == 0)
        slot->generation = 1;
    t->count++;
    return (uint64_t)at << 32 | slot->generation;
}

static struct session_slot *slot_find(const struct session_table *t, uint64_t id)
{
    uint64_t at = id >> 32;
    struct session_slot *slot;

    if (at >= t->cap)
        return NULL;
    slot = &t->slots[at];
    return slot->session != NULL && slot->generation == (uint32_t)id ? slot : NULL;
}

void session_table_remove(struct session_table *t, uint64_t id)
{
    struct session_slot *slot = slot_find(t, id);

    assert(slot != NULL);
    slot->session = NULL;
    slot->next_free = t->free_first;
    t->free_first = (uint32_t)(id >> 32) + 1;
    t->count--;
}

struct session *session_table_find(const struct session_table *t, uint64_t id)
{
    struct session_slot *slot = slot_find(t, id);

    return slot != NULL ? slot->session : NULL;
}

struct session *session_table_each(const struct session_table *t, uint32_t *at)
{
    while (*at < t->cap) {
        struct session *s = t->slots[(*at)++].session;

        if (s != NULL)
            return s;
    }
    return NULL;
}

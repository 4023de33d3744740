// SPDX-License-Identifier: Apache-2.0
/* base/map.c - text to pointer: linear probing, with marks where an entry was taken out of a run.
 *
 * Invariants: cap is 0 or a power of two; count <= used < cap, so that every probe meets an empty
 * slot. A slot is empty (value NULL), gone (value GONE) or live. */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

enum { CAP_MIN = 16 };

struct map_slot {
    uint64_t hash;
    struct str key;
    void *value;
};

static char gone_mark;
#define GONE ((void *)&gone_mark)

void map_init(struct map *m)
{
    *m = (struct map){ 0 };
}

void map_init_nocase(struct map *m)
{
    *m = (struct map){ .nocase = true };
}

void map_done(struct map *m)
{
    free(m->slots);
    *m = (struct map){ .nocase = m->nocase };
}

static uint64_t hash_of(const struct map *m, struct str key)
{
    return m->nocase ? hash_str_nocase(key) : hash_str(key);
}

static bool key_is(const struct map *m, const struct map_slot *slot, uint64_t hash, struct str key)
{
    if (slot->value == GONE || slot->hash != hash)
        return false;
    return m->nocase ? str_eq_nocase(slot->key, key) : str_eq(slot->key, key);
}

static struct map_slot *slot_find(const struct map *m, uint64_t hash, struct str key)
{
    size_t mask = m->cap - 1;

    if (m->cap == 0)
        return NULL;
    for (size_t i = hash & mask; m->slots[i].value; i = (i + 1) & mask)
        if (key_is(m, &m->slots[i], hash, key))
            return &m->slots[i];
    return NULL;
}

/* The first slot that is free for an entry of this hash, which is not in the table. */
static struct map_slot *slot_free(const struct map *m, uint64_t hash)
{
    size_t mask = m->cap - 1, i = hash & mask;

    while (m->slots[i].value && m->slots[i].value != GONE)
        i = (i + 1) & mask;
    return &m->slots[i];
}

/* Into a table fit for one entry more than it has; marks of what is gone stay behind. */
static void rebuild(struct map *m)
{
    struct map old = *m;

    m->cap = CAP_MIN;
    while (m->cap / 2 < old.count + 1)
        m->cap *= 2;
    m->used = old.count;
    m->slots = mem_new_array(m->cap, sizeof(*m->slots));
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value && old.slots[i].value != GONE)
            *slot_free(m, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

void *map_find(const struct map *m, struct str key)
{
    struct map_slot *slot = slot_find(m, hash_of(m, key), key);

    return slot ? slot->value : NULL;
}

void *map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_of(m, key);
    struct map_slot *slot = slot_find(m, hash, key);
    void *old = slot ? slot->value : NULL;

    assert(value); /* NULL means absent */
    if (!slot) {
        if (m->used + 1 > m->cap / 4 * 3)
            rebuild(m);
        slot = slot_free(m, hash);
        m->used += !slot->value;
        m->count++;
    }
    *slot = (struct map_slot){ .hash = hash, .key = key, .value = value };
    return old;
}

/* A mark is needed only inside a run: before an empty slot it would stand for nothing. */
static void slot_clear(struct map *m, struct map_slot *slot)
{
    size_t mask = m->cap - 1, i = (size_t)(slot - m->slots);

    *slot = (struct map_slot){ .value = GONE };
    if (m->slots[(i + 1) & mask].value)
        return;
    for (; m->slots[i].value == GONE; i = (i - 1) & mask) {
        m->slots[i].value = NULL;
        m->used--;
    }
}

void *map_take(struct map *m, struct str key)
{
    struct map_slot *slot = slot_find(m, hash_of(m, key), key);
    void *value;

    if (!slot)
        return NULL;
    value = slot->value;
    slot_clear(m, slot);
    m->count--;
    return value;
}

bool map_each(const struct map *m, size_t *at, struct str *ret_key, void **ret_value)
{
    for (; *at < m->cap; ++*at) {
        const struct map_slot *slot = &m->slots[*at];

        if (!slot->value || slot->value == GONE)
            continue;
        *ret_key = slot->key;
        *ret_value = slot->value;
        ++*at;
        return true;
    }
    return false;
}

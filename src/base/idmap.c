// SPDX-License-Identifier: Apache-2.0
/* base/idmap.c - 64-bit id to pointer: built like map.c, whose invariants hold here too. */
#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

enum { CAP_MIN = 16 };

struct idmap_slot {
    uint64_t key;
    void *value;
};

static char gone_mark;
#define GONE ((void *)&gone_mark)

void idmap_init(struct idmap *m)
{
    *m = (struct idmap){ 0 };
}

void idmap_done(struct idmap *m)
{
    free(m->slots);
    idmap_init(m);
}

/* Ids are ours and mostly count upwards: mixing spreads them (finalizer of MurmurHash3). */
static uint64_t hash_of(uint64_t key)
{
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccdU;
    key ^= key >> 33;
    key *= 0xc4ceb9fe1a85ec53U;
    return key ^ key >> 33;
}

static struct idmap_slot *slot_find(const struct idmap *m, uint64_t key)
{
    size_t mask = m->cap - 1;

    if (m->cap == 0)
        return NULL;
    for (size_t i = hash_of(key) & mask; m->slots[i].value; i = (i + 1) & mask)
        if (m->slots[i].value != GONE && m->slots[i].key == key)
            return &m->slots[i];
    return NULL;
}

/* The first slot that is free for an entry of this key, which is not in the table. */
static struct idmap_slot *slot_free(const struct idmap *m, uint64_t key)
{
    size_t mask = m->cap - 1, i = hash_of(key) & mask;

    while (m->slots[i].value && m->slots[i].value != GONE)
        i = (i + 1) & mask;
    return &m->slots[i];
}

/* Into a table fit for one entry more than it has; marks of what is gone stay behind. */
static void rebuild(struct idmap *m)
{
    struct idmap old = *m;

    m->cap = CAP_MIN;
    while (m->cap / 2 < old.count + 1)
        m->cap *= 2;
    m->used = old.count;
    m->slots = mem_new_array(m->cap, sizeof(*m->slots));
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value && old.slots[i].value != GONE)
            *slot_free(m, old.slots[i].key) = old.slots[i];
    free(old.slots);
}

void *idmap_find(const struct idmap *m, uint64_t key)
{
    struct idmap_slot *slot = slot_find(m, key);

    return slot ? slot->value : NULL;
}

void *idmap_put(struct idmap *m, uint64_t key, void *value)
{
    struct idmap_slot *slot = slot_find(m, key);
    void *old = slot ? slot->value : NULL;

    assert(value); /* NULL means absent */
    if (!slot) {
        if (m->used + 1 > m->cap / 4 * 3)
            rebuild(m);
        slot = slot_free(m, key);
        m->used += !slot->value;
        m->count++;
    }
    *slot = (struct idmap_slot){ .key = key, .value = value };
    return old;
}

/* A mark is needed only inside a run: before an empty slot it would stand for nothing. */
static void slot_clear(struct idmap *m, struct idmap_slot *slot)
{
    size_t mask = m->cap - 1, i = (size_t)(slot - m->slots);

    *slot = (struct idmap_slot){ .value = GONE };
    if (m->slots[(i + 1) & mask].value)
        return;
    for (; m->slots[i].value == GONE; i = (i - 1) & mask) {
        m->slots[i].value = NULL;
        m->used--;
    }
}

void *idmap_take(struct idmap *m, uint64_t key)
{
    struct idmap_slot *slot = slot_find(m, key);
    void *value;

    if (!slot)
        return NULL;
    value = slot->value;
    slot_clear(m, slot);
    m->count--;
    return value;
}

bool idmap_each(const struct idmap *m, size_t *at, uint64_t *ret_key, void **ret_value)
{
    for (; *at < m->cap; ++*at) {
        const struct idmap_slot *slot = &m->slots[*at];

        if (!slot->value || slot->value == GONE)
            continue;
        *ret_key = slot->key;
        *ret_value = slot->value;
        ++*at;
        return true;
    }
    return false;
}

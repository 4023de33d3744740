// SPDX-License-Identifier: Apache-2.0
/* guard/quota_set.c - a set of hashes that only grows, and beside it those that may yet go. */
#include "guard/quota_set.h"

#include <stdlib.h>

#include "base/mem.h"

enum { CAP_MIN = 16 };

struct quota_set *quota_set_new(void)
{
    struct quota_set *s = NEW(struct quota_set);

    idmap_init(&s->held);
    return s;
}

void quota_set_free(struct quota_set *s)
{
    if (!s)
        return;
    idmap_done(&s->held);
    free(s->slots);
    free(s);
}

/* 0 marks what is empty. */
static uint64_t key_of(uint64_t hash)
{
    return hash == 0 ? 1 : hash;
}

/* Where it is, or would be: the hash is keyed, so its low bits spread. */
static size_t place_of(const struct quota_set *s, uint64_t key)
{
    size_t mask = s->cap - 1, i = key & mask;

    while (s->slots[i] != 0 && s->slots[i] != key)
        i = (i + 1) & mask;
    return i;
}

static void grow(struct quota_set *s)
{
    struct quota_set old = *s;

    s->cap = old.cap > 0 ? old.cap * 2 : CAP_MIN;
    s->slots = NEW_ARRAY(uint64_t, s->cap);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i] != 0)
            s->slots[place_of(s, old.slots[i])] = old.slots[i];
    free(old.slots);
}

bool quota_set_has(const struct quota_set *s, uint64_t hash)
{
    return s->cap > 0 && s->slots[place_of(s, key_of(hash))] != 0;
}

bool quota_set_count(struct quota_set *s, uint64_t hash)
{
    uint64_t key = key_of(hash);

    if (quota_set_has(s, key))
        return false;
    if (s->count + 1 > s->cap / 4 * 3)
        grow(s);
    s->slots[place_of(s, key)] = key;
    s->count++;
    (void)idmap_take(&s->held, key); /* counted, it is there whoever holds it */
    return true;
}

static uintptr_t holders_of(const struct quota_set *s, uint64_t key)
{
    return (uintptr_t)idmap_find(&s->held, key);
}

void quota_set_hold(struct quota_set *s, uint64_t hash)
{
    uint64_t key = key_of(hash);

    if (!quota_set_has(s, key))
        (void)idmap_put(&s->held, key, (void *)(holders_of(s, key) + 1));
}

void quota_set_unhold(struct quota_set *s, uint64_t hash)
{
    uint64_t key = key_of(hash);
    uintptr_t holders = holders_of(s, key);

    if (holders > 1)
        (void)idmap_put(&s->held, key, (void *)(holders - 1));
    else if (holders == 1)
        (void)idmap_take(&s->held, key);
}

size_t quota_set_missing(const struct quota_set *s, const uint64_t *hashes, size_t count)
{
    size_t missing = 0;

    for (size_t i = 0; i < count; i++)
        missing += !quota_set_has(s, hashes[i]) && holders_of(s, key_of(hashes[i])) == 0;
    return missing;
}

// SPDX-License-Identifier: Apache-2.0
/* resolve/cache.c - answers by type and name, each in an arena of its own, thrown out by age and by
 * lack of use. */
#include "resolve/cache.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#define TTL_MIN_S 1
#define TTL_MAX_S 86400
#define TTL_NEGATIVE_MAX_S 300
#define TTL_TEMP_S 5
#define KEY_MAX 300

struct entry {
    struct list link; /* least recently used first */
    struct arena arena;
    struct str key;
    int64_t until_ms;
    struct dns_answer answer;
};

struct cache {
    struct map entries;
    struct list by_use;
    size_t max;
};

static uint32_t clamp(uint32_t ttl_s, uint32_t max_s)
{
    if (ttl_s > INT32_MAX)
        ttl_s = 0;
    return ttl_s < TTL_MIN_S ? TTL_MIN_S : ttl_s > max_s ? max_s : ttl_s;
}

uint32_t cache_ttl_s(const struct dns_answer *answer)
{
    if (answer->status == DNS_TEMP)
        return TTL_TEMP_S;
    bool negative = answer->status == DNS_NO_NAME || answer->count == 0;
    return clamp(answer->ttl_s, negative ? TTL_NEGATIVE_MAX_S : TTL_MAX_S);
}

struct dns_answer answer_copy(struct arena *a, const struct dns_answer *from)
{
    struct dns_answer to = *from;

    to.why = arena_str(a, from->why);
    to.records = from->count > 0 ? ARENA_ARRAY(a, struct dns_record, from->count) : NULL;
    for (size_t i = 0; i < from->count; i++) {
        to.records[i] = from->records[i];
        to.records[i].name = arena_str(a, from->records[i].name);
        to.records[i].bytes = arena_str(a, from->records[i].bytes);
    }
    return to;
}

/* Longer names than DNS has would share a key, and the same answer: they do not exist. */
static struct str key_make(char text[KEY_MAX], enum dns_type type, struct str name)
{
    int len = snprintf(text, KEY_MAX, "%d %.*s", (int)type, STR_FMT(name));

    return str_make(text, len < KEY_MAX ? (size_t)len : KEY_MAX - 1);
}

struct cache *cache_new(size_t entries_max)
{
    struct cache *c = NEW(struct cache);

    map_init_nocase(&c->entries);
    list_init(&c->by_use);
    c->max = entries_max;
    return c;
}

static void entry_drop(struct cache *c, struct entry *e)
{
    (void)map_take(&c->entries, e->key);
    list_remove(&e->link);
    arena_done(&e->arena);
    free(e);
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    LIST_EACH (&c->by_use, struct entry, e, link)
        entry_drop(c, e);
    map_done(&c->entries);
    free(c);
}

size_t cache_count(const struct cache *c)
{
    return c->entries.count;
}

bool cache_find(struct cache *c, enum dns_type type, struct str name, int64_t now_ms,
                struct arena *a, struct dns_answer *ret)
{
    char text[KEY_MAX];

    struct entry *e = map_find(&c->entries, key_make(text, type, name));
    if (!e)
        return false;
    if (e->until_ms <= now_ms) {
        entry_drop(c, e);
        return false;
    }
    list_remove(&e->link);
    list_append(&c->by_use, &e->link);
    *ret = answer_copy(a, &e->answer);
    ret->ttl_s = (uint32_t)((e->until_ms - now_ms + 999) / 1000);
    return true;
}

void cache_put(struct cache *c, enum dns_type type, struct str name, int64_t now_ms,
               const struct dns_answer *answer)
{
    char text[KEY_MAX];
    struct str key = key_make(text, type, name);

    struct entry *old = map_find(&c->entries, key);
    if (!old && c->entries.count >= c->max)
        old = LIST_FIRST(&c->by_use, struct entry, link);
    if (old)
        entry_drop(c, old);

    struct entry *e = NEW(struct entry);
    arena_init(&e->arena, 512);
    e->key = arena_str(&e->arena, key);
    e->answer = answer_copy(&e->arena, answer);
    e->until_ms = now_ms + (int64_t)cache_ttl_s(answer) * 1000;
    (void)map_put(&c->entries, e->key, e);
    list_append(&c->by_use, &e->link);
}

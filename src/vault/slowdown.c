// SPDX-License-Identifier: Apache-2.0
/* vault/slowdown.c - tallies of failed attempts, and the waits that come of them. */
#include "vault/slowdown.h"

#include <stdlib.h>

/* One address or one user name. */
struct tally {
    struct list link;
    unsigned failures;
    int64_t last_ms;
    struct str key;
    char key_bytes[80];
};

void slowdown_init(struct slowdown *s)
{
    list_init(&s->tallies);
    map_init(&s->by_key);
}

void slowdown_done(struct slowdown *s)
{
    LIST_EACH (&s->tallies, struct tally, t, link)
        free(t);
    map_done(&s->by_key);
    slowdown_init(s);
}

static void forget(struct slowdown *s, struct tally *t)
{
    (void)map_take(&s->by_key, t->key);
    list_remove(&t->link);
    free(t);
}

/* 'a' and the address, cut to what one customer of a provider holds. */
static struct str address_key(const struct ip *ip, char text[1 + 16])
{
    size_t len = ip->family == 6 ? 8 : 4;

    text[0] = ip->family == 6 ? '6' : '4';
    memcpy(text + 1, ip->bytes, len);
    return str_make(text, 1 + len);
}

/* 'u' and the name; no name that exists is longer than what is kept. */
static struct str user_key(struct str user, char text[80])
{
    struct str kept = str_sub(user, 0, 79);

    text[0] = 'u';
    if (kept.len > 0)
        memcpy(text + 1, kept.ptr, kept.len);
    return str_make(text, 1 + kept.len);
}

/* NULL when there was no failure within the time that is remembered. */
static struct tally *tally_find(struct slowdown *s, struct str key, int64_t now_ms)
{
    struct tally *t = map_find(&s->by_key, key);

    if (t && now_ms - t->last_ms >= SLOWDOWN_FORGET_MS) {
        forget(s, t);
        return NULL;
    }
    return t;
}

static int64_t wait_for(const struct tally *t)
{
    if (!t)
        return 0;
    /* Shifts stop before they could overflow. */
    int64_t wait_ms = (int64_t)SLOWDOWN_FIRST_MS << (t->failures < 10 ? t->failures - 1 : 9);
    return wait_ms < SLOWDOWN_MOST_MS ? wait_ms : SLOWDOWN_MOST_MS;
}

static void count_failure(struct slowdown *s, struct tally *t, struct str key, int64_t now_ms)
{
    if (!t) {
        if (s->by_key.count >= SLOWDOWN_TALLIES_MAX)
            forget(s, LIST_FIRST(&s->tallies, struct tally, link));
        t = NEW(struct tally);
        memcpy(t->key_bytes, key.ptr, key.len);
        t->key = str_make(t->key_bytes, key.len);
        list_init(&t->link);
        (void)map_put(&s->by_key, t->key, t);
    }
    t->failures += t->failures < UINT32_MAX;
    t->last_ms = now_ms;
    list_remove(&t->link);
    list_append(&s->tallies, &t->link);
}

int64_t slowdown_before(struct slowdown *s, const struct ip *client, int64_t now_ms)
{
    char text[1 + 16];

    return wait_for(tally_find(s, address_key(client, text), now_ms));
}

bool slowdown_same(const struct ip *a, const struct ip *b)
{
    char of_a[1 + 16], of_b[1 + 16];

    return str_eq(address_key(a, of_a), address_key(b, of_b));
}

int64_t slowdown_judged(struct slowdown *s, const struct ip *client, struct str user, bool right,
                        int64_t now_ms)
{
    char address_text[1 + 16], user_text[80];
    struct str by_address = address_key(client, address_text), by_user = user_key(user, user_text);
    struct tally *address = tally_find(s, by_address, now_ms);
    struct tally *name = tally_find(s, by_user, now_ms);
    int64_t wait_ms = wait_for(address);

    if (right) {
        if (address)
            forget(s, address);
        return wait_ms;
    }
    if (wait_for(name) > wait_ms)
        wait_ms = wait_for(name);
    count_failure(s, address, by_address, now_ms);
    /* Making room for the first may have forgotten the second. */
    count_failure(s, tally_find(s, by_user, now_ms), by_user, now_ms);
    return wait_ms;
}

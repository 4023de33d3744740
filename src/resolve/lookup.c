// SPDX-License-Identifier: Apache-2.0
/* resolve/lookup.c - a flight is one question under way, on a fiber of its own, so that whoever
 * asked it may give up without spoiling it for the others, and twenty hosts are asked for at once.
 */
#include "resolve/lookup.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "io/loop.h"

#define FLIGHTS_MAX 4000
#define FIBERS_SPARE 100
#define CACHE_ENTRIES_MAX 20000
#define DEADLINE_MS 20000

struct lookups {
    struct dns *dns;
    struct cache *cache;
    struct map flights; /* by type and name */
    struct list flying;
    size_t count;
    bool closing;
};

struct flight {
    struct list link;
    struct lookups *of;
    struct fiber *fiber; /* NULL when landed */
    struct arena arena;
    struct str key;
    enum dns_type type;
    struct str name;
    struct gate landed;
    struct dns_answer answer;
    unsigned waiting; /* who still wants the answer */
};

struct lookups *lookups_new(struct dns *dns)
{
    struct lookups *l = NEW(struct lookups);

    l->dns = dns;
    l->cache = cache_new(CACHE_ENTRIES_MAX);
    map_init_nocase(&l->flights);
    list_init(&l->flying);
    return l;
}

static void lookups_end(struct lookups *l)
{
    cache_free(l->cache);
    map_done(&l->flights);
    dns_free(l->dns);
    free(l);
}

void lookups_free(struct lookups *l)
{
    if (!l)
        return;
    l->closing = true;
    LIST_EACH (&l->flying, struct flight, f, link)
        fiber_cancel(f->fiber);
    if (l->count == 0)
        lookups_end(l);
}

size_t lookups_flying(const struct lookups *l)
{
    return l->count;
}

size_t lookups_cached(const struct lookups *l)
{
    return cache_count(l->cache);
}

/* Flights
 * --------------------------------------------------------------------------------------------------------
 */

static void flight_free_unwanted(struct flight *f)
{
    if (f->fiber || f->waiting > 0)
        return;
    arena_done(&f->arena);
    free(f);
}

static void flight_land(struct flight *f)
{
    struct lookups *l = f->of;

    f->fiber = NULL;
    (void)map_take(&l->flights, f->key);
    list_remove(&f->link);
    l->count--;
    gate_wake_all(&f->landed);
    flight_free_unwanted(f);
    if (l->closing && l->count == 0)
        lookups_end(l);
}

static void flight_run(void *arg)
{
    struct flight *f = arg;
    struct err err = { 0 };

    if (dns_lookup(f->of->dns, f->name, f->type, loop_now_ms() + DEADLINE_MS, &f->arena, &f->answer,
                   &err))
        cache_put(f->of->cache, f->type, f->name, loop_now_ms(), &f->answer);
    else
        f->answer =
            (struct dns_answer){ .status = DNS_TEMP, .why = arena_strf(&f->arena, "%s", err.text) };
    flight_land(f);
}

static struct flight *flight_new(struct lookups *l, enum dns_type type, struct str name)
{
    struct flight *f = NEW(struct flight);

    f->of = l;
    f->type = type;
    arena_init(&f->arena, 1024);
    f->key = arena_strf(&f->arena, "%d %.*s", (int)type, STR_FMT(name));
    f->name = arena_str(&f->arena, name);
    gate_init(&f->landed);
    (void)map_put(&l->flights, f->key, f);
    list_append(&l->flying, &f->link);
    l->count++;
    f->fiber = fiber_spawn("lookup", flight_run, f);
    return f;
}

static struct flight *flight_find(const struct lookups *l, enum dns_type type, struct str name,
                                  struct arena *a)
{
    return map_find(&l->flights, arena_strf(a, "%d %.*s", (int)type, STR_FMT(name)));
}

/* Look-ups
 * -------------------------------------------------------------------------------------------------------
 */

void lookup_begin(struct lookups *l, enum dns_type type, struct str name, struct arena *a,
                  struct lookup *ret)
{
    *ret = (struct lookup){ .of = l };
    if (cache_find(l->cache, type, name, loop_now_ms(), a, &ret->answer))
        return;
    struct flight *f = flight_find(l, type, name, a);
    if (!f && (l->closing || l->count >= FLIGHTS_MAX ||
               fiber_count() + FIBERS_SPARE >= fiber_count_max())) {
        ret->answer =
            (struct dns_answer){ .status = DNS_TEMP, .why = STR("too many questions at once") };
        return;
    }
    ret->flight = f ? f : flight_new(l, type, name);
    ret->flight->waiting++;
}

void lookup_drop(struct lookup *l)
{
    struct flight *f = l->flight;

    if (!f)
        return;
    assert(f->waiting > 0);
    f->waiting--;
    l->flight = NULL;
    flight_free_unwanted(f);
}

bool lookup_await(struct lookup *l, struct arena *a, struct dns_answer *ret, struct err *err)
{
    while (l->flight && l->flight->fiber) {
        if (!gate_wait(&l->flight->landed, NO_DEADLINE, err)) {
            lookup_drop(l);
            return false;
        }
    }
    *ret = l->flight ? answer_copy(a, &l->flight->answer) : l->answer;
    ret->ttl_s = l->flight ? cache_ttl_s(ret) : ret->ttl_s;
    lookup_drop(l);
    return true;
}

bool lookup_one(struct lookups *l, enum dns_type type, struct str name, struct arena *a,
                struct dns_answer *ret, struct err *err)
{
    struct lookup one;

    lookup_begin(l, type, name, a, &one);
    return lookup_await(&one, a, ret, err);
}

// SPDX-License-Identifier: Apache-2.0
/* schedule/site.c - one destination site: its queue with accounts taking turns, and how many
 * batches it may be sent at a time, which follows what it answers. */
#include <assert.h>
#include <stdlib.h>

#include "schedule/tables.h"

/* Batches handed out per connection, so that a connection never waits for core. */
#define BATCHES_PER_CONNECTION 3
/* Failures in a row, without any success between, after which a site is left alone. */
#define FAILURES_TO_CLOSE 3
#define CLOSED_FIRST_MS (30 * 1000)
#define CLOSED_MOST_MS (20 * 60 * 1000)
#define SITES_TRIM_FIRST 10000

/* When there are many, those with nobody queued make room. */
static void sites_trim(struct schedule *s)
{
    size_t at = 0;
    struct site *site;

    if (s->figures.sites < s->sites_trim_at)
        return;
    while (site_each(s, &at, &site))
        if (site->queued == 0 && site->in_flight == 0) {
            map_take(&s->sites, site->name);
            site_free(site);
            s->figures.sites--;
        }
    s->sites_trim_at =
        2 * s->figures.sites > SITES_TRIM_FIRST ? 2 * s->figures.sites : SITES_TRIM_FIRST;
}

struct site *site_get(struct schedule *s, struct str name)
{
    struct site *site = map_find(&s->sites, name);

    if (site)
        return site;
    sites_trim(s);
    site = mem_new(sizeof *site + name.len + 1);
    memcpy(site->name_text, name.ptr, name.len);
    site->name = str_make(site->name_text, name.len);
    site->connections = s->config->delivery.connections_per_site_first;
    site->taker = TAKER_DELIVER;
    list_init(&site->link);
    list_init(&site->turns);
    idmap_init(&site->by_account);
    map_put(&s->sites, site->name, site);
    s->figures.sites++;
    return site;
}

void site_free(struct site *site)
{
    size_t at = 0;
    uint64_t account;
    void *turn;

    while (idmap_each(&site->by_account, &at, &account, &turn))
        free(turn);
    idmap_done(&site->by_account);
    free(site);
}

struct str site_name(const struct site *site)
{
    return site->name;
}

void site_set_taker(struct site *site, enum site_taker taker)
{
    assert(site->taker == taker || site->queued == 0);
    site->taker = taker;
}

unsigned site_connections(const struct site *site)
{
    return site->connections < 1 ? 1 : (unsigned)site->connections;
}

/* --- the queue --- */

void site_enqueue(struct schedule *s, struct site *site, struct item *i, uint64_t account)
{
    struct turn *turn = idmap_find(&site->by_account, account);

    if (!turn) {
        turn = NEW(struct turn);
        turn->account = account;
        list_init(&turn->link);
        list_init(&turn->ready);
        idmap_put(&site->by_account, account, turn);
    }
    if (list_empty(&turn->ready))
        list_append(&site->turns, &turn->link);
    list_append(&turn->ready, &i->timer.link);
    site->ready++;
    s->figures.ready++;
}

void site_dequeue(struct schedule *s, struct site *site, struct item *i, uint64_t account)
{
    struct turn *turn = idmap_find(&site->by_account, account);

    assert(turn && site->ready > 0);
    list_remove(&i->timer.link);
    site->ready--;
    s->figures.ready--;
    if (!list_empty(&turn->ready))
        return;
    list_remove(&turn->link);
    idmap_take(&site->by_account, account);
    free(turn);
}

/* The oldest recipient of the account whose turn it is; the account goes to the end of the ring. */
struct item *site_first(struct site *site)
{
    struct turn *turn = LIST_FIRST(&site->turns, struct turn, link);

    if (!turn)
        return NULL;
    list_remove(&turn->link);
    list_append(&site->turns, &turn->link);
    return item_of(LIST_FIRST(&turn->ready, struct wheel_timer, link));
}

/* --- how much at a time --- */

static enum site_place place_now(const struct site *site, int64_t now_ms)
{
    if (site->ready == 0)
        return SITE_ASIDE;
    if (now_ms < site->closed_until_ms)
        return SITE_DRAINING;
    if (site->closed_until_ms != 0) /* time for the canary */
        return site->in_flight == 0 ? SITE_OPEN : SITE_ASIDE;
    return site->in_flight < site_connections(site) * BATCHES_PER_CONNECTION ? SITE_OPEN
                                                                             : SITE_ASIDE;
}

void site_settle_place(struct schedule *s, struct site *site, int64_t now_ms)
{
    enum site_place place = place_now(site, now_ms);

    if (place == site->place)
        return;
    list_remove(&site->link);
    site->place = place;
    if (place == SITE_OPEN)
        list_append(&s->open[site->taker], &site->link);
    else if (place == SITE_DRAINING)
        list_append(&s->draining, &site->link);
}

static void remember_why(struct site *site, struct str why)
{
    size_t len = why.len < sizeof site->why_text ? why.len : sizeof site->why_text;

    if (len > 0)
        memcpy(site->why_text, why.ptr, len);
    site->why = str_make(site->why_text, len);
}

/* Grows with success by one connection a full round, as Postfix does. */
static void served(const struct config_delivery *d, struct site *site)
{
    site->failures = 0;
    site->times_closed = 0;
    site->closed_until_ms = 0;
    site->canary = false;
    site->connections += 1.0 / (site->connections < 1 ? 1 : site->connections);
    if (site->connections > d->connections_per_site)
        site->connections = d->connections_per_site;
}

/* No longer than the timetable has a recipient wait: a site is not worse than its mail. */
static int64_t closed_for(const struct config_retry *r, unsigned times)
{
    int64_t first = r->steps_ms[0] < CLOSED_FIRST_MS ? r->steps_ms[0] : CLOSED_FIRST_MS;
    int64_t last = r->steps_ms[r->step_count - 1];
    int64_t most = last < CLOSED_MOST_MS ? last : CLOSED_MOST_MS;
    int64_t wait = first;

    while (--times > 0 && wait < most)
        wait *= 2;
    return wait < most ? wait : most;
}

static void failed(const struct config *c, struct site *site, int64_t now_ms)
{
    if (now_ms < site->closed_until_ms)
        return; /* batches of before it was closed say nothing new */
    site->failures++;
    site->connections = site->connections / 2 < 1 ? 1 : site->connections / 2;
    if (site->failures < FAILURES_TO_CLOSE && !site->canary)
        return;
    /* Twice as long each time it is found closed. */
    site->times_closed++;
    site->closed_until_ms = now_ms + closed_for(&c->retry, site->times_closed);
    site->canary = false;
}

void site_report(struct schedule *s, struct site *site, int64_t now_ms, enum site_result result,
                 struct str why)
{
    assert(site->in_flight > 0);
    site->in_flight--;
    s->figures.in_flight--;
    if (why.len > 0)
        remember_why(site, why);
    switch (result) {
    case SITE_SERVED:
        served(&s->config->delivery, site);
        break;
    case SITE_SLOW_DOWN:
        site->connections = site->connections - 1 < 1 ? 1 : site->connections - 1;
        if (site->canary)
            failed(s->config, site, now_ms);
        break;
    case SITE_FAILED:
        failed(s->config, site, now_ms);
        break;
    case SITE_NOTHING:
        site->canary = false;
        break;
    }
    site_settle_place(s, site, now_ms);
}

void site_look(const struct site *site, struct site_facts *ret)
{
    *ret = (struct site_facts){
        .name = site->name,
        .why = site->why,
        .connections = site_connections(site),
        .in_flight = site->in_flight,
        .queued = site->queued,
        .ready = site->ready,
        .closed_until_ms = site->closed_until_ms,
        .failures = site->failures,
    };
}

bool site_each(const struct schedule *s, size_t *at, struct site **ret)
{
    struct str name;
    void *site;

    if (!map_each(&s->sites, at, &name, &site))
        return false;
    *ret = site;
    return true;
}

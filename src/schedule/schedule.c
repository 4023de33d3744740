// SPDX-License-Identifier: Apache-2.0
/* schedule/schedule.c - entries and their items from placed to done, and the choice of the next
 * batch. */
#include <assert.h>
#include <stdlib.h>

#include "schedule/tables.h"

struct schedule *schedule_new(const struct config *c, int64_t now_ms)
{
    struct schedule *s = NEW(struct schedule);

    s->config = c;
    wheel_init(&s->wheel, now_ms);
    list_init(&s->entries);
    for (size_t i = 0; i < SITE_TAKERS; i++)
        list_init(&s->open[i]);
    list_init(&s->draining);
    map_init(&s->sites);
    s->sites_trim_at = 10000;
    return s;
}

void schedule_free(struct schedule *s)
{
    size_t at = 0;
    struct site *site;

    if (!s)
        return;
    LIST_EACH (&s->entries, struct entry, e, link)
        free(e);
    while (site_each(s, &at, &site))
        site_free(site);
    map_done(&s->sites);
    free(s);
}

void schedule_reload(struct schedule *s, const struct config *c)
{
    s->config = c;
}

/* How many recipients of closed sites go back on the wheel at a call: bounds the turn, not the
 * backlog. */
#define DRAIN_AT_ONCE 256

/* --- entries --- */

struct entry *schedule_enter(struct schedule *s, void *message, uint64_t account,
                             int64_t accepted_ms, uint32_t rcpts)
{
    struct entry *e = mem_new(sizeof *e + rcpts * sizeof e->items[0]);

    e->message = message;
    e->account = account;
    e->accepted_ms = accepted_ms;
    e->count = rcpts;
    for (uint32_t i = 0; i < rcpts; i++) {
        e->items[i].rcpt = i;
        list_init(&e->items[i].timer.link);
    }
    list_append(&s->entries, &e->link);
    s->figures.entries++;
    s->figures.items += rcpts;
    s->figures.unplaced += rcpts;
    return e;
}

static void item_set_site(struct item *i, struct site *site)
{
    if (i->site)
        i->site->queued--;
    i->site = site;
    if (site)
        site->queued++;
}

/* Takes an item out of wherever it is; what it becomes is the caller's next line. */
static void item_leave(struct schedule *s, struct entry *e, struct item *i)
{
    switch ((enum item_state)i->state) {
    case ITEM_UNPLACED:
        s->figures.unplaced--;
        break;
    case ITEM_WAITING:
        wheel_clear(&s->wheel, &i->timer);
        s->figures.waiting--;
        break;
    case ITEM_READY:
        site_dequeue(s, i->site, i, e->account);
        break;
    case ITEM_HELD:
        if (!list_empty(&i->timer.link))
            wheel_clear(&s->wheel, &i->timer);
        s->figures.held--;
        break;
    case ITEM_IN_FLIGHT:
    case ITEM_DONE:
        break;
    }
}

void schedule_leave(struct schedule *s, struct entry *e)
{
    for (uint32_t i = 0; i < e->count; i++) {
        assert(e->items[i].state != ITEM_IN_FLIGHT);
        item_leave(s, e, &e->items[i]);
        item_set_site(&e->items[i], NULL);
    }
    list_remove(&e->link);
    s->figures.entries--;
    s->figures.items -= e->count;
    free(e);
}

void *entry_message(const struct entry *e)
{
    return e->message;
}
uint64_t entry_account(const struct entry *e)
{
    return e->account;
}
int64_t entry_accepted_ms(const struct entry *e)
{
    return e->accepted_ms;
}
uint32_t entry_rcpts(const struct entry *e)
{
    return e->count;
}
bool entry_is_over(const struct entry *e)
{
    return e->over == e->count;
}

/* --- items --- */

static struct item *item_at(struct entry *e, uint32_t rcpt)
{
    assert(rcpt < e->count);
    return &e->items[rcpt];
}

enum item_state schedule_state(const struct entry *e, uint32_t rcpt)
{
    assert(rcpt < e->count);
    return e->items[rcpt].state;
}
struct site *schedule_item_site(const struct entry *e, uint32_t rcpt)
{
    assert(rcpt < e->count);
    return e->items[rcpt].site;
}
uint16_t schedule_tries(const struct entry *e, uint32_t rcpt)
{
    assert(rcpt < e->count);
    return e->items[rcpt].tries;
}
int64_t schedule_due(const struct entry *e, uint32_t rcpt)
{
    assert(rcpt < e->count);
    return e->items[rcpt].timer.at_ms;
}

static void item_wait(struct schedule *s, struct item *i, int64_t due_ms)
{
    i->state = ITEM_WAITING;
    s->figures.waiting++;
    wheel_set(&s->wheel, &i->timer, due_ms);
}

void schedule_place(struct schedule *s, struct entry *e, uint32_t rcpt, struct site *site,
                    int64_t due_ms, uint16_t tries, bool warned)
{
    struct item *i = item_at(e, rcpt);

    assert(i->state != ITEM_DONE);
    item_leave(s, e, i);
    item_set_site(i, site);
    i->tries = tries;
    i->warned = warned;
    item_wait(s, i, due_ms);
}

void schedule_retry(struct schedule *s, struct entry *e, uint32_t rcpt, int64_t due_ms, bool warned)
{
    struct item *i = item_at(e, rcpt);

    assert(i->state == ITEM_IN_FLIGHT);
    i->warned = warned;
    item_wait(s, i, due_ms);
}

void schedule_unplace(struct schedule *s, struct entry *e, uint32_t rcpt)
{
    struct item *i = item_at(e, rcpt);

    assert(i->state != ITEM_DONE);
    item_leave(s, e, i);
    item_set_site(i, NULL);
    i->state = ITEM_UNPLACED;
    s->figures.unplaced++;
}

void schedule_take(struct schedule *s, struct entry *e, uint32_t rcpt)
{
    struct item *i = item_at(e, rcpt);

    assert(i->state != ITEM_DONE && i->state != ITEM_IN_FLIGHT);
    item_leave(s, e, i);
    i->state = ITEM_IN_FLIGHT;
}

void schedule_hold(struct schedule *s, struct entry *e, uint32_t rcpt, bool ages)
{
    struct item *i = item_at(e, rcpt);

    assert(i->state != ITEM_DONE);
    item_leave(s, e, i);
    i->state = ITEM_HELD;
    s->figures.held++;
    if (ages)
        wheel_set(&s->wheel, &i->timer, retry_expires_at(&s->config->retry, e->accepted_ms));
}

void schedule_done(struct schedule *s, struct entry *e, uint32_t rcpt)
{
    struct item *i = item_at(e, rcpt);

    if (i->state == ITEM_DONE)
        return;
    item_leave(s, e, i);
    item_set_site(i, NULL);
    i->state = ITEM_DONE;
    e->over++;
}

/* --- the next batch --- */

/* An item that ends or is warned about without an attempt leaves the tables until the caller
 * answers. */
static void pick_alone(struct item *i, enum batch_kind kind, struct batch *ret)
{
    i->state = ITEM_IN_FLIGHT;
    *ret = (struct batch){
        .kind = kind, .entry = item_entry(i), .site = i->site, .rcpts = { i->rcpt }, .count = 1
    };
}

/* A little before the end of its closed time nothing would be gained; spread over a quarter of it,
 * so that a site that comes back is not met by all at once. */
static int64_t after_closed(const struct schedule *s, struct item *i, int64_t now_ms)
{
    int64_t wait = i->site->closed_until_ms - now_ms;
    int64_t at = now_ms + wait + (int64_t)(s->figures.wakeups % 64) * (wait / 256 + 1);
    int64_t expires = retry_expires_at(&s->config->retry, item_entry(i)->accepted_ms);

    return at < expires ? at : expires;
}

/* The item is due while its site is closed: true with *ret when that ends it or makes it late. */
static bool wake_closed(struct schedule *s, struct item *i, int64_t now_ms, struct batch *ret)
{
    const struct config_retry *retry = &s->config->retry;
    int64_t accepted_ms = item_entry(i)->accepted_ms;

    if (now_ms >= retry_expires_at(retry, accepted_ms)) {
        pick_alone(i, BATCH_EXPIRED, ret);
        return true;
    }
    if (!i->warned && retry_is_late(retry, now_ms, accepted_ms)) {
        pick_alone(i, BATCH_LATE, ret);
        return true;
    }
    item_wait(s, i, after_closed(s, i, now_ms));
    return false;
}

/* An item came from the wheel: into its site's queue, back on the wheel while the site is closed,
 * or into *ret when it ends or is warned about without an attempt. True in the last case. */
static bool wake(struct schedule *s, struct item *i, int64_t now_ms, struct batch *ret)
{
    struct entry *e = item_entry(i);

    s->figures.wakeups++;
    if (i->state == ITEM_HELD) {
        s->figures.held--;
        pick_alone(i, BATCH_EXPIRED, ret);
        return true;
    }
    s->figures.waiting--;
    if (now_ms < i->site->closed_until_ms)
        return wake_closed(s, i, now_ms, ret);
    /* What was never tried is tried once, however old it is. */
    if (i->tries > 0 && now_ms >= retry_expires_at(&s->config->retry, e->accepted_ms)) {
        pick_alone(i, BATCH_EXPIRED, ret);
        return true;
    }
    i->state = ITEM_READY;
    site_enqueue(s, i->site, i, e->account);
    site_settle_place(s, i->site, now_ms);
    return false;
}

/* A closed site's ready recipients go back on the wheel, some at each call. */
static void drain_closed(struct schedule *s, int64_t now_ms)
{
    struct site *site = LIST_FIRST(&s->draining, struct site, link);

    for (unsigned n = 0; site && n < DRAIN_AT_ONCE; n++) {
        struct item *i = site_first(site);
        site_dequeue(s, site, i, item_entry(i)->account);
        item_wait(s, i, after_closed(s, i, now_ms));
        site_settle_place(s, site, now_ms);
        site = LIST_FIRST(&s->draining, struct site, link);
    }
}

static bool wake_due(struct schedule *s, int64_t now_ms, struct batch *ret)
{
    struct wheel_timer *t;

    drain_closed(s, now_ms);
    while ((t = wheel_pop(&s->wheel, now_ms)) != NULL)
        if (wake(s, item_of(t), now_ms, ret))
            return true;
    return false;
}

/* All recipients of the message that are ready for the same site go together, up to the
 * transaction's limit. */
static void gather(struct schedule *s, struct site *site, struct item *first, struct batch *ret)
{
    struct entry *e = item_entry(first);
    size_t max = s->config->delivery.recipients_per_transaction;

    if (max > BATCH_RCPTS_MAX)
        max = BATCH_RCPTS_MAX;
    *ret = (struct batch){ .kind = BATCH_ATTEMPT, .entry = e, .site = site };
    for (uint32_t r = first->rcpt; r < e->count && ret->count < max; r++) {
        struct item *i = &e->items[r];
        if (i->state != ITEM_READY || i->site != site)
            continue;
        site_dequeue(s, site, i, e->account);
        i->state = ITEM_IN_FLIGHT;
        i->tries++;
        ret->rcpts[ret->count++] = r;
    }
}

static struct site *first_open(struct schedule *s, unsigned takers)
{
    for (unsigned t = 0; t < SITE_TAKERS; t++)
        if ((takers & 1u << t) && !list_empty(&s->open[t]))
            return LIST_FIRST(&s->open[t], struct site, link);
    return NULL;
}

bool schedule_next(struct schedule *s, int64_t now_ms, struct batch *ret)
{
    return schedule_next_for(s, TAKERS_ALL, now_ms, ret);
}

bool schedule_next_for(struct schedule *s, unsigned takers, int64_t now_ms, struct batch *ret)
{
    if (wake_due(s, now_ms, ret))
        return true;
    struct site *site = first_open(s, takers);
    if (!site)
        return false;
    struct item *first = site_first(site);
    assert(first);
    gather(s, site, first, ret);
    site->canary = site->closed_until_ms != 0;
    site->in_flight++;
    s->figures.in_flight++;
    /* Sites take turns. */
    list_remove(&site->link);
    site->place = SITE_ASIDE;
    site_settle_place(s, site, now_ms);
    return true;
}

int64_t schedule_wake_ms(const struct schedule *s)
{
    return list_empty(&s->draining) ? wheel_next_ms(&s->wheel) : 0;
}

void schedule_look(const struct schedule *s, struct schedule_figures *ret)
{
    *ret = s->figures;
}

// SPDX-License-Identifier: Apache-2.0
/* schedule/tables.h - what the files of schedule/ share: items, entries, sites, and the queues
 * inside them. */
#pragma once

#include "base/map.h"
#include "schedule/schedule.h"

/* One queued recipient. Kept small: there may be millions. */
struct item {
    struct wheel_timer timer; /* WAITING: on the wheel; READY: its link is in a turn's queue */
    struct site *site;
    uint32_t rcpt;
    uint16_t tries;
    uint8_t state; /* enum item_state */
    bool warned;
};

struct entry {
    struct list link;
    void *message;
    uint64_t account;
    int64_t accepted_ms;
    uint32_t count, over;
    struct item items[];
};

/* One account's ready recipients at one site. Accounts with something ready stand in the site's
 * ring and take turns. */
struct turn {
    struct list link; /* in site->turns */
    uint64_t account;
    struct list ready;
};

/* Which of the schedule's lists a site stands in. */
enum site_place { SITE_ASIDE, SITE_OPEN, SITE_DRAINING };

struct site {
    struct list link;
    enum site_place place;
    enum site_taker taker;
    struct list turns;
    struct idmap by_account;
    size_t queued, ready;
    unsigned in_flight;
    double connections;      /* grows by parts of one */
    unsigned failures;       /* in a row, since it last served */
    unsigned times_closed;   /* likewise */
    int64_t closed_until_ms; /* 0: open */
    bool canary;             /* one batch is out to see whether it is back */
    struct str why;
    char why_text[256];
    struct str name;
    char name_text[];
};

struct schedule {
    const struct config *config;
    struct wheel wheel;
    struct list entries;
    struct map sites;
    size_t sites_trim_at;
    struct list open[SITE_TAKERS]; /* sites that may hand out now, in turn */
    struct list draining; /* closed sites whose ready recipients go back on the wheel, so that each
                             still expires */
    struct schedule_figures figures;
};

static inline struct item *item_of(struct wheel_timer *t)
{
    return CONTAINER_OF(t, struct item, timer);
}
static inline struct entry *item_entry(struct item *i)
{
    return CONTAINER_OF(i - i->rcpt, struct entry, items);
}

/* site.c: the queue of a site. */
void site_enqueue(struct schedule *s, struct site *site, struct item *i, uint64_t account);
void site_dequeue(struct schedule *s, struct site *site, struct item *i, uint64_t account);
struct item *site_first(struct site *site);
/* Puts the site into the list where it belongs after something changed. */
void site_settle_place(struct schedule *s, struct site *site, int64_t now_ms);
void site_free(struct site *site);

// SPDX-License-Identifier: Apache-2.0
/* schedule/schedule.h - which recipients may be tried now, in which batch, and when the others may.
 *
 * Plain tables that take `now` and never wait; they know nothing of SMTP or of the disk. Times are
 * wall-clock milliseconds as handed in by core, which moves them by the monotonic clock so that a
 * jump of the wall clock expires nothing (fault K01).
 *
 * A message is entered once with all its recipients (an entry). Each recipient (an item) is
 *
 *   UNPLACED   its site is not known yet               -> schedule_place()
 *   WAITING    on the wheel until it is due            -> READY or picked as EXPIRED, by
 * schedule_next() READY      in its site's queue, by account         -> IN_FLIGHT by
 * schedule_next() IN_FLIGHT  handed out                              -> schedule_retry(),
 * schedule_done(), schedule_hold() HELD       by an operator                          ->
 * schedule_place(), or EXPIRED by schedule_next() DONE
 *
 * A site is where mail goes to together: domains with the same MX set, or a fixed route. Inside it
 * accounts take turns. How many batches may be in flight follows what the site does (site.c); a
 * site that fails again and again is left alone for a while and tried with one batch (a canary)
 * afterwards; its recipients wait on the wheel meanwhile, so each still expires in time, and no
 * other site is touched. Shaping, pools and weights come here later: lanes are sites until then. */
#pragma once

#include "config/config.h"
#include "schedule/wheel.h"

struct schedule;
struct site;
struct entry;

enum item_state { ITEM_UNPLACED, ITEM_WAITING, ITEM_READY, ITEM_IN_FLIGHT, ITEM_HELD, ITEM_DONE };

#define BATCH_RCPTS_MAX 100

enum batch_kind {
    BATCH_ATTEMPT, /* hand out; answered by schedule_retry, _done or _hold per recipient and
                      site_report for the site */
    BATCH_EXPIRED, /* too old: settle as expired, then schedule_done */
    BATCH_LATE,    /* the delay warning is due: warn, then schedule_place again */
};

struct batch {
    enum batch_kind kind;
    struct entry *entry;
    struct site *site;
    uint32_t rcpts[BATCH_RCPTS_MAX];
    size_t count;
};

/* The configuration is kept by the caller until schedule_reload(). */
struct schedule *schedule_new(const struct config *c, int64_t now_ms);
void schedule_free(struct schedule *s);
void schedule_reload(struct schedule *s, const struct config *c);

/* `message` is the caller's; accepted_ms starts the clock of expiry. */
struct entry *schedule_enter(struct schedule *s, void *message, uint64_t account,
                             int64_t accepted_ms, uint32_t rcpts);
/* Drops an entry of which no item is in flight. */
void schedule_leave(struct schedule *s, struct entry *e);
void *entry_message(const struct entry *e);
uint64_t entry_account(const struct entry *e);
int64_t entry_accepted_ms(const struct entry *e);
uint32_t entry_rcpts(const struct entry *e);
bool entry_is_over(const struct entry *e); /* every item DONE */

/* A recipient's site and time (0: now, in this very turn) are known (again): from UNPLACED, HELD,
 * WAITING, READY or after a BATCH_LATE. `warned`: its delay warning has gone out. */
void schedule_place(struct schedule *s, struct entry *e, uint32_t rcpt, struct site *site,
                    int64_t due_ms, uint16_t tries, bool warned);
/* Back to UNPLACED, from any state but DONE: its site is asked for again. */
void schedule_unplace(struct schedule *s, struct entry *e, uint32_t rcpt);
/* To IN_FLIGHT outside any batch: the caller acts on it, and nobody else does meanwhile. */
void schedule_take(struct schedule *s, struct entry *e, uint32_t rcpt);
/* `ages`: it expires in its time like any other; else only an operator can end it. */
void schedule_hold(struct schedule *s, struct entry *e, uint32_t rcpt, bool ages);
void schedule_done(struct schedule *s, struct entry *e, uint32_t rcpt);
/* Back on the wheel after an attempt that did not end it. */
void schedule_retry(struct schedule *s, struct entry *e, uint32_t rcpt, int64_t due_ms,
                    bool warned);

enum item_state schedule_state(const struct entry *e, uint32_t rcpt);
struct site *schedule_item_site(const struct entry *e, uint32_t rcpt);
uint16_t schedule_tries(const struct entry *e, uint32_t rcpt);
int64_t schedule_due(const struct entry *e, uint32_t rcpt);

/* Who takes a site's batches: one may have room while the others have none. */
enum site_taker { TAKER_CORE, TAKER_DELIVER, TAKER_REPORT, SITE_TAKERS };
#define TAKERS_ALL ((1u << SITE_TAKERS) - 1)

/* The next batch to act on, or false: then nothing can be done before schedule_wake_ms() or the
 * next report. */
MUST_USE bool schedule_next(struct schedule *s, int64_t now_ms, struct batch *ret);
/* The same for the sites of these takers only (bits 1 << enum site_taker): the others' recipients
 * stay where they are, at no cost. What ends without an attempt comes for any, so 0 asks for that
 * alone. */
MUST_USE bool schedule_next_for(struct schedule *s, unsigned takers, int64_t now_ms,
                                struct batch *ret);
int64_t schedule_wake_ms(const struct schedule *s);

/* --- retry timetable (retry.c) --- */

/* When to try again after attempt number `tries` (1: the first) failed at now_ms: the timetable's
 * step with jitter by `random`, at most at the time of expiry. */
int64_t retry_at(const struct config_retry *r, uint16_t tries, int64_t now_ms, int64_t accepted_ms,
                 uint64_t random);
int64_t retry_expires_at(const struct config_retry *r, int64_t accepted_ms);
bool retry_is_late(const struct config_retry *r, int64_t now_ms, int64_t accepted_ms);

/* --- sites (site.c) --- */

/* Found or made; the name is copied. A site lives while somebody is queued for it: without that,
 * the pointer is good only until the next site_get(). */
struct site *site_get(struct schedule *s, struct str name);
struct str site_name(const struct site *site);
/* TAKER_DELIVER unless set, which is done before anybody is queued for it. */
void site_set_taker(struct site *site, enum site_taker taker);
/* How many connections it may have now; what a job tells deliver. */
unsigned site_connections(const struct site *site);

enum site_result {
    SITE_SERVED,    /* a dialogue took place: the site is well */
    SITE_SLOW_DOWN, /* 421, too many connections, a session-wide 4yz */
    SITE_FAILED,    /* no connection */
    SITE_NOTHING,   /* says nothing about the site */
};
/* One attempt's batch is over. `why`: what kept a recipient from its end, for people; copied;
 * empty: nothing did. */
void site_report(struct schedule *s, struct site *site, int64_t now_ms, enum site_result result,
                 struct str why);

struct site_facts {
    struct str name, why;
    unsigned connections, in_flight;
    size_t queued; /* placed here and not done: waiting, ready, in flight, held */
    size_t ready;
    int64_t closed_until_ms; /* 0: open */
    unsigned failures;       /* in a row */
};
void site_look(const struct site *site, struct site_facts *ret);
bool site_each(const struct schedule *s, size_t *at, struct site **ret);

struct schedule_figures {
    size_t entries, items, waiting, ready, in_flight, held, unplaced, sites;
    uint64_t wakeups; /* items taken from the wheel: what a backlog costs (F03) */
};
void schedule_look(const struct schedule *s, struct schedule_figures *ret);

// SPDX-License-Identifier: Apache-2.0
/* spool/ledger_sim.h - what a spool has promised, written down outside of it, and the judgement of
 * a spool by that. It lies in memory that forked processes share and knows nothing of how the spool
 * works: messages are known by their account, which is their number here, and events by a number
 * in their time. Each message counts once, whatever happens (A10). Tests only. */
#pragma once

#include "spool/fixture.h"

#define PROMISES_MAX 6000
#define PROMISE_RCPTS 3
#define NEWS_MAX 20000

/* Begun: asked for, not answered. Where the power goes then, both are right: it is there whole, or
 * not at all; the first judgement after that makes it one of the other two. */
enum promise_state { PROMISE_BEGUN = 1, PROMISE_KEPT, PROMISE_REFUSED };

struct promise_rcpt {
    struct spool_rcpt told, begun;
    bool open;    /* begun may hold as well */
    uint32_t dsn; /* the notification that goes with begun; 0: none */
};

struct promise {
    enum promise_state state;
    uint32_t size, rcpt_count;
    uint32_t original; /* of a notification; 0: an ordinary message */
    bool full;         /* it brings the whole original, else its header */
    bool busy;         /* somebody of this life settles it */
    uint64_t position; /* where it was seen last */
    struct promise_rcpt rcpts[PROMISE_RCPTS];
};

struct news {
    enum promise_state state;
    bool read, acked, seen;
};

/* What the lives came to: a test that never met a thing has not tested it. */
struct coverage {
    unsigned lives, cuts, moved, parked, notified, refused, full, torn, groups_refused, read_only,
        counted, fuzzy;
    uint32_t generation;
};

struct ledger {
    struct promise promises[PROMISES_MAX]; /* 0 is none */
    size_t promise_count;
    struct news news[NEWS_MAX]; /* the same */
    size_t news_count;
    struct coverage coverage;
    char violation[300]; /* the first; empty: none */
};

struct ledger *ledger_new(void);
void ledger_free(struct ledger *l);
__attribute__((format(printf, 2, 3))) void ledger_violated(struct ledger *l, const char *fmt, ...);

uint32_t promise_begin(struct ledger *l, uint32_t size, uint32_t rcpt_count);
/* For a recipient of `original`. */
uint32_t promise_begin_dsn(struct ledger *l, uint32_t original, bool full);
uint32_t news_begin(struct ledger *l);
/* Before and behind the original in a notification. */
struct str promise_dsn_head(uint32_t number, char text[64]);
struct str promise_dsn_tail(uint32_t number, char text[64]);
/* The content that was promised; the caller's. */
char *promise_content(const struct ledger *l, uint32_t number);

/* Content and envelope of a live message are what was promised. False when it could not be read, or
 * is over: what is wrong is a violation. Waits. */
bool ledger_check(struct ledger *l, struct fixture *f, struct spool_message *m);
/* Everything in the spool was promised, everything promised is there, once, and what was open is
 * settled from now on. The spool was just opened, with room for all. */
void ledger_judge(struct ledger *l, struct fixture *f);
/* Another process begins: what the one before had in hand is gone. */
void ledger_next_life(struct ledger *l);

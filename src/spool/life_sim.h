// SPDX-License-Identifier: Apache-2.0
/* spool/life_sim.h - one life of a spool over the simulated disk: a forked process that works on it
 * from several fibers at once, as the seed says, until it is done or dies at some event of the
 * disk; then what the disk makes of it. Tests only. */
#pragma once

#include "spool/ledger_sim.h"

enum life_end {
    LIFE_DONE = 0, /* all was done and closed */
    LIFE_CUT,      /* at the event asked for */
    LIFE_LEFT,     /* all was done; it ended without a close */
    LIFE_NOT_OPENED,
    LIFE_VIOLATED, /* the ledger says what */
    LIFE_CRASHED,
};

struct life_plan {
    unsigned rounds;       /* of each fiber */
    uint64_t die_at;       /* event of the disk; 0: none */
    bool closes;           /* at its end */
    void (*weather)(void); /* called between rounds: changes sim_faults(); NULL: none */
};
/* Small segments, little room, an index of so many. */
void life_fixture(struct fixture *f, size_t rcpts_max);
/* Works. */
enum life_end life_work(struct ledger *l, const struct life_plan *p);
/* Opens and leaves, perhaps dying in it. */
enum life_end life_open(struct ledger *l, uint64_t die_at);
/* Opens, judges; closes or just leaves. */
enum life_end life_judge(struct ledger *l, bool closes);

enum cut {
    CUT_NONE,    /* only the process is gone */
    CUT_ALL,     /* nothing stays that was not synced */
    CUT_SECTORS, /* some sectors stay, and some changes of names */
    CUT_TORN,    /* the first so many sectors of each file stay, and all names */
    CUT_KINDS,
};
void life_cut(struct ledger *l, enum cut how);

/* What may be wrong with the disk or, as far as a disk can make believe so, with the spool. */
struct mutant {
    const char *name;
    const char *sync_lies_of; /* sim_faults() */
    void (*forge)(void);      /* after each cut */
    void (*weather)(void);
};
enum { STORY_LIVES = 8 };
/* Life after life on one spool of a new world, cut, opened, cut in opening, and judged each time.
 * Ends at the first violation. */
void life_story(struct ledger *l, uint64_t seed, const struct mutant *m);

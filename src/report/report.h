// SPDX-License-Identifier: Apache-2.0
/* report/report.h - what the files of report share.
 *
 *   events.c      what core sends: lines, counts, live readers; then the database; then the ack
 *   lines.c       an event as log lines (postfix.c: as Postfix writes them; event_json.c: as JSON)
 *   tail.c        those who watch events as they happen
 *   sandbox.c     jobs for the sandbox inbox
 *   inbox.c       operators look into the inbox
 *   history.c     the database
 *   role.c        links, start and end */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "io/loop.h"
#include "io/worker.h"
#include "report/history.h"
#include "report/lines.h"
#include "wire/wire.h"

struct report;

/* One role at the other end of a link. The struct stays; the channel changes when that role is
 * restarted. */
struct report_peer {
    struct report *report;
    enum role_kind kind;
    unsigned instance;
    uint32_t generation;
    struct channel *channel; /* NULL while it is away */
    struct ring *ring_in;    /* core: content of sandbox messages */
    uint64_t credited;
};

/* Events that were told and are not in the database yet. */
struct batch {
    uint64_t position; /* of the last one */
    size_t events;
    struct tally *tallies;
    size_t tally_count, tally_cap;
};

struct report {
    const struct config *config;
    struct history *history; /* touched by `worker` alone once the role has started */
    struct worker_pool *worker;
    struct disk *folder;   /* NULL in memory */
    unsigned work_pending; /* pieces given to the worker whose end has not come */
    struct report_peer core, web[ROLE_INSTANCES_MAX];

    struct lines lines;
    struct batch batch; /* gathers */
    struct batch going; /* is being committed; events 0: none */
    uint64_t seen;      /* position of the last event that was told */
    uint64_t safe;      /* … that the database holds */
    struct timer commit_timer;
    bool commit_failing;
    uint64_t commits_failed;

    struct list tails; /* tail.c: struct tail */
    struct timer tail_timer;

    struct idmap sandbox_jobs; /* sandbox.c: job -> struct sandbox_job */
    uint64_t sandbox_stored, sandbox_failed;

    bool draining;
    void (*drained)(void *arg);
    void *drained_arg;
};

/* events.c */
MUST_USE bool events_on_event(struct report *r, const struct wire_event *m, struct err *err);
/* Core is there: it is told from where. */
void events_on_core(struct report *r);
/* Commits what was gathered, if nothing is being committed. */
void events_commit(struct report *r);
void events_commit_is_due(void *report);
bool events_are_safe(const struct report *r);
void events_free(struct report *r);

/* tail.c */
void tail_on_admin(struct report_peer *web, const struct wire_admin *m);
void tail_tell(struct report *r, const struct event *e);
void tail_send_late(void *report);
/* Nobody reads at that end any more. */
void tail_drop_peer(struct report_peer *web);
/* Ends them with words. */
void tail_end_all(struct report *r, struct str why);

/* sandbox.c: every frame of a job. False: core contradicts itself. */
MUST_USE bool sandbox_on_frame(struct report *r, const struct frame *f, struct err *err);
void sandbox_drop_all(struct report *r);

/* inbox.c */
void inbox_on_admin(struct report_peer *web, const struct wire_admin *m);
/* The front of `text`, at most `max` octets, that ends with a whole character. */
struct str inbox_cut(struct str text, size_t max);

/* role.c */
void report_end_admin(struct report_peer *web, uint64_t request, uint16_t status, struct str text,
                      uint64_t next);
void report_row(struct report_peer *web, uint64_t request, struct str json);
/* Work for the database; done(arg) runs on the loop afterwards. ERR_FULL. */
MUST_USE bool report_work(struct report *r, void (*fn)(void *arg), void (*done)(void *arg),
                          void *arg, struct err *err);
/* Every such `done` begins with this. */
void report_work_done(struct report *r);

// SPDX-License-Identifier: Apache-2.0
/* core/core.h - what the files of core share. core owns spool and schedule and believes nothing that a role facing the
 * network says: whose session it is comes from vault, addresses are parsed again, sizes are counted.
 *
 *   session.c   who is connected, on whose account, within which limits
 *   intake.c    a transaction's frames become a message in the spool; then, and only then, 250
 *   place.c     each recipient's site: a fixed route, or what resolve says of its domain
 *   handout.c   batches become jobs of deliver (or of report: the sandbox), content streams after them
 *   settle.c    outcomes become durable states and events
 *   notify.c    … and the notification that goes with them
 *   feed.c      durable events go to report
 *   queue.c   what operators ask for
 *   role.c      links, start and end */
#pragma once

#include "base/map.h"
#include "io/loop.h"
#include "mail/dsn.h"
#include "schedule/schedule.h"
#include "spool/spool.h"
#include "wire/wire.h"

struct core;

/* One role at the other end of a link. The struct stays; channel and generation change when the role is restarted. */
struct peer {
    struct core *core;
    enum role_kind kind;
    unsigned instance;
    uint32_t generation;
    struct channel *channel;   /* NULL while it is away */
    struct ring *ring_in, *ring_out;
    struct gate ring_room;     /* credit came for ring_out */
    uint64_t credit_sent;
    struct idmap sessions;     /* accept: session -> struct core_session */
    struct idmap closed_early; /* accept: sessions that ended before vault had answered */
    struct idmap intakes;      /* accept: transaction -> struct intake */
    unsigned jobs;             /* deliver, report: handed out */
};

struct core_session {
    uint64_t id, account, credential;
    struct ip client;
    struct client *counted;    /* while it counts against its address */
    uint32_t listener;
    uint32_t flags; /* enum bind_flag */
    struct str login;
    char login_text[64];
};

struct core {
    const struct config *config;
    struct spool *spool;
    struct schedule *schedule;
    struct peer accept[ROLE_INSTANCES_MAX], deliver[ROLE_INSTANCES_MAX], web[ROLE_INSTANCES_MAX];
    struct peer vault, resolve, report;
    bool gate_open;
    bool draining;
    int64_t wall_at_start, mono_at_start;

    struct map clients;         /* session.c: by address */
    int64_t clients_minute;     /* session.c: when those gone were last forgotten */
    struct idmap accounts;      /* session.c: account -> open sessions */
    struct list idle_intakes;   /* intake.c */
    size_t idle_intake_count;
    struct map domains;         /* place.c */
    struct idmap questions;     /* place.c */
    struct idmap jobs;          /* handout.c */
    uint64_t last_question, last_job;
    unsigned settling;          /* stories that drain waits for */

    struct timer wake;
    struct turn_end turn_end;
    bool pump_due;
    bool sync_late;             /* the spool is behind: no credit */
    struct fiber *feeder, *tender, *creditor;
    struct gate feed_gate, jobs_gate;
    uint64_t feed_cursor, events_acked; /* feed.c: positions in the log */
    bool feed_ready;            /* report has said from where */
    uint64_t accepted, refused, delivered, deferred, bounced; /* since the start: for status */
};

/* Wall-clock milliseconds that never jump: the clock at start, moved by the monotonic one (fault K01). */
int64_t core_now(const struct core *c);
/* The schedule has something new to look at: it is asked at the end of the turn. */
void core_pump_later(struct core *c);

/* session.c */
bool session_on_bind(struct core *c, const struct wire_session_bind *m, struct err *err);
void session_on_close(struct core *c, struct peer *accept, uint64_t session);
void session_drop_all(struct core *c, struct peer *accept);
struct core_session *session_find(struct peer *accept, uint64_t session);
void sessions_done(struct core *c);

/* intake.c: every frame of a transaction. False: the frame can't be, the peer is broken. */
bool intake_on_frame(struct core *c, struct peer *accept, const struct frame *f, struct err *err);
void intake_drop_all(struct core *c, struct peer *accept);
void intake_send_credit(struct core *c);
void intakes_done(struct core *c);

/* place.c */
/* Enters a new message into the schedule and finds each recipient's site; the envelope may go away afterwards. */
void place_message(struct core *c, struct spool_message *m, const struct envelope *e);
/* Enters one found at start or brought in later: its envelope is read when it is due. */
void place_recovered(void *core, struct spool_message *m);
/* One recipient of an entered message, due then; `tries` so far. */
void place_rcpt(struct core *c, struct entry *e, uint32_t rcpt, struct str address, int64_t due_ms, uint16_t tries,
                bool warned);
void place_on_answer(struct core *c, const struct wire_site_answer *m);
/* resolve is back: what was asked and not answered is asked again. */
void place_ask_again(struct core *c);
void place_done(struct core *c);
/* Where mail of this site goes: index in config->routes, UINT32_MAX for MX. */
#define ROUTE_INDEX_MX UINT32_MAX
#define ROUTE_INDEX_SANDBOX (UINT32_MAX - 1)
#define SITE_RECOVERED STR("(recovered)")
#define SITE_SANDBOX STR("sandbox")

/* handout.c */
void handout_pump(struct core *c);
bool handout_on_frame(struct core *c, struct peer *from, const struct frame *f, struct err *err);
void handout_drop_all(struct core *c, struct peer *from);
void handout_done(struct core *c);

/* settle.c */
struct settled {           /* one recipient's outcome on its way to the disk */
    uint32_t rcpt;
    struct outcome outcome;
    struct str source;     /* local address used, as text */
    struct str address, orcpt;
    unsigned notify;
    bool notify_passed_on; /* the next host speaks DSN and has taken over */
};
/* Makes the outcomes durable, with events and notifications, then moves the schedule. The message is pinned and its
 * recipients are in flight. `site` NULL: their site could not be found out. Tries again while the disk refuses. Waits. */
void settle_outcomes(struct core *c, struct spool_message *m, const struct envelope *e, struct site *site,
                     const struct settled *s, size_t count);
/* For recipients that end, or are warned about, without an attempt. Starts a story. */
void settle_without_attempt(struct core *c, const struct batch *b);
/* For a recipient whose site cannot be had: an attempt that failed. Starts a story. */
void settle_unplaced(struct core *c, struct entry *e, uint32_t rcpt, enum outcome_kind kind,
                     const struct reply *reply);

/* What an operator does to a recipient. */
struct operation {
    enum event_kind kind; /* EVENT_CANCELLED, _HELD, _RELEASED, _RETRIED */
    struct str actor, reason;
    bool silent;          /* no notification */
};
/* False with err: not in a state for it (in flight), or the disk refused. Waits. */
MUST_USE bool settle_operation(struct core *c, struct spool_message *m, const struct envelope *e, uint32_t rcpt,
                               const struct operation *op, struct err *err);

/* notify.c: the DSN of that kind for these recipients, texts in the arena. False: none is due. Waits: it reads the
 * original's header. */
struct notify_rcpt {
    const struct settled *settled;
    int64_t retry_until_ms;
};
MUST_USE bool notify_make(struct core *c, struct spool_message *m, const struct envelope *e, enum dsn_kind kind,
                          const struct notify_rcpt *rcpts, size_t count, struct arena *a, struct settle_dsn *ret);
bool notify_may(const struct envelope *e);

/* feed.c */
void feed_start(struct core *c);
void feed_on_from(struct core *c, uint64_t position);
void feed_on_ack(struct core *c, uint64_t position);

/* queue.c */
void queue_on_admin(struct core *c, struct peer *web, const struct wire_admin *m);

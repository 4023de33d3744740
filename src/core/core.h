// SPDX-License-Identifier: Apache-2.0
/* core/core.h - what the files of core share. core owns spool and schedule and believes nothing
 * that a role facing the network says: whose session it is comes from vault, addresses are parsed
 * again, sizes are counted.
 *
 *   session.c   who is connected, on whose account, within which limits
 *   intake.c    a transaction's frames become a message in the spool; then, and only then, 250
 *   naming.c    whose a message is, and whether it may go in that name
 *   forwards.c  at which domains senders are rewritten
 *   observed.c  what would have been refused
 *   place.c     each recipient's site: a fixed route, or what resolve says of its domain
 *   signing.c   which keys sign a job, and their signatures
 *   handout.c   batches become jobs of deliver (or of report: the sandbox), content streams after
 *   result.c    what the peers make of them comes back
 *   settle.c    outcomes become durable states and events
 *   notify.c    and the notification that goes with them
 *   feed.c      durable events go to report
 *   quota.c     how much accounts and streams have sent
 *   queue.c     what operators ask for
 *   role.c      links, start and end */
#pragma once

#include "base/map.h"
#include "guard/codes.h"
#include "guard/directory.h"
#include "io/loop.h"
#include "mail/dsn.h"
#include "schedule/schedule.h"
#include "spool/spool.h"
#include "wire/wire.h"

struct core;

/* One role at the other end of a link. The struct stays; channel and generation change when the
 * role is restarted. */
struct peer {
    struct core *core;
    enum role_kind kind;
    unsigned instance;
    uint32_t generation;
    struct channel *channel; /* NULL while it is away */
    struct ring *ring_in, *ring_out;
    struct gate ring_room; /* credit came for ring_out */
    uint64_t credit_sent;
    uint64_t forwards_told;    /* accept: hash of the list that it has */
    struct idmap sessions;     /* accept: session -> struct core_session */
    struct idmap closed_early; /* accept: sessions that ended before vault had answered */
    struct idmap intakes;      /* accept: transaction -> struct intake */
    unsigned jobs;             /* deliver, report: handed out */
};

#define LOGIN_MAX 64
struct core_session {
    uint64_t id, account, credential;
    struct ip client;
    struct client *counted;      /* while it counts against its address */
    enum listener_kind listener; /* as it was when it came: a reload may change the list */
    uint32_t flags;              /* enum bind_flag */
    uint64_t tx;                 /* the last one begun */
    bool refused;                /* by a limit: nothing but its end may come */
    struct str login;
    char login_text[LOGIN_MAX];
    uint64_t stream; /* the credential's own, 0: the account's */
    /* With BIND_TENANTS: who speaks, and the header by which each message names its account. */
    struct str upstream, tenant_header;
    char *tenant_texts; /* owns both */
};

struct core {
    const struct config *config;
    struct spool *spool;
    struct schedule *schedule;
    struct peer accept[ROLE_INSTANCES_MAX], deliver[ROLE_INSTANCES_MAX], web[ROLE_INSTANCES_MAX];
    struct peer vault, resolve, report;
    bool gate_open;
    bool gate_known; /* vault has said, or configuration: before that nobody is refused for it */
    bool draining;
    int64_t wall_at_start, mono_at_start;

    struct map clients;       /* session.c: by address */
    int64_t clients_minute;   /* session.c: when those gone were last forgotten */
    struct idmap accounts;    /* session.c: account -> open sessions */
    struct list idle_intakes; /* intake.c */
    size_t idle_intake_count;
    struct map domains; /* place.c */
    size_t domains_trim_at;
    struct idmap questions;     /* place.c */
    struct idmap jobs;          /* handout.c */
    struct directory directory; /* who there is, as vault tells it */
    struct core_quota *quota;   /* quota.c */
    bool forwards_due;          /* forwards.c: the list may have changed */
    struct buf header;          /* naming.c: a header section as it will be sent */
    struct idmap observed;      /* observed.c */
    struct idmap signings;      /* signing.c: questions that vault has not answered */
    uint64_t last_question, last_job, last_signing;
    struct list endings; /* settle.c: wait for a story to take them up */
    size_t ending_count;
    unsigned ending_stories;
    unsigned stories; /* that end by themselves: drain waits for them */

    struct timer wake;
    struct turn_end turn_end;
    bool pump_due;
    struct fiber *feeder, *tender;
    struct gate idle_gate; /* a story has ended */
    uint64_t feed_cursor, feed_last,
        feed_mark;                    /* feed.c: positions: read up to, sent last, counted up to */
    size_t feed_unacked, feed_marked; /* feed.c: events with report; of them up to the mark */
    bool feed_ready;                  /* report has said from where */
    uint64_t accepted, refused, delivered, deferred, bounced; /* since the start: for status */
};

/* Wall-clock milliseconds that never jump: the clock at start, moved by the monotonic one (fault
 * K01). */
int64_t core_now(const struct core *c);
/* The operator's own mailbox, as an address. */
struct str core_postmaster(const struct core *c, struct arena *a);
/* The schedule has something new to look at: it is asked at the end of the turn. */
void core_pump_later(struct core *c);
/* A story that drain waits for begins and ends: around everything that may hold a message or a job.
 */
void core_story_begin(struct core *c);
void core_story_end(struct core *c);
/* Room for one more story of those that outsiders can start: fibers are limited, and running out
 * ends the role. Half are kept back for what follows from what is queued. */
bool core_may_start_story(void);

/* session.c */
bool session_on_bind(struct core *c, const struct wire_session_bind *m, struct err *err);
void session_on_close(struct core *c, struct peer *accept, uint64_t session);
void session_drop_all(struct core *c, struct peer *accept);
struct core_session *session_find(struct peer *accept, uint64_t session);
/* It is an account's, or its upstream names one in each message: it may send to anybody. */
bool session_may_send(const struct core_session *s);
void sessions_done(struct core *c);

/* intake.c: every frame of a transaction. False: the frame can't be, the peer is broken. */
bool intake_on_frame(struct core *c, struct peer *accept, const struct frame *f, struct err *err);
void intake_drop_all(struct core *c, struct peer *accept);
void intake_send_credit(struct core *c);
void intakes_done(struct core *c);

/* forwards.c: accept is told at which domains senders are rewritten, whenever that changed. */
void forwards_changed(struct core *c);
void forwards_tell(struct core *c);
/* Of the account's rewritten senders; empty: it has none. */
struct str forwards_domain_of(const struct dir_account *a);

/* observed.c: policy let a message pass that it would refuse, or warned about it. */
void observed_add(struct core *c, const struct dir_account *a, enum policy_code code, uint64_t id,
                  struct str arg);
void observed_done(struct core *c);

/* signing.c */
MUST_USE bool signing_on_ask(struct core *c, struct peer *from, const struct wire_sign_ask *m,
                             struct err *err);
void signing_on_signed(struct core *c, const struct wire_signed *m);
/* vault is gone: what it was asked is answered with "later". */
void signing_vault_gone(struct core *c);
void signing_done(struct core *c);

/* place.c */
/* Enters a new message into the schedule and finds each recipient's site; the envelope may go away
 * afterwards. */
void place_message(struct core *c, struct spool_message *m, const struct envelope *e);
/* Enters one found at start or brought in later: its envelope is read when it is due. */
void place_recovered(void *core, struct spool_message *m);
/* One recipient of an entered message, due then; `tries` so far. */
void place_rcpt(struct core *c, struct entry *e, uint32_t rcpt, struct str address, int64_t due_ms,
                uint16_t tries, bool warned);
MUST_USE bool place_on_answer(struct core *c, const struct wire_site_answer *m, struct err *err);
/* The domain of an address as tables and look-ups have it: lower-case A-labels, or a literal.
 * ERR_SYNTAX. */
MUST_USE bool place_domain(struct str address, struct buf *to, struct err *err);
/* True when a reload has given the recipient's domain another route than the one that its site
 * stands for. */
bool place_is_stale(struct core *c, const struct site *site, struct str address);
/* resolve is back: what was asked and not answered is asked again. */
void place_ask_again(struct core *c);
void place_done(struct core *c);
/* Where mail of this site goes: index in config->routes, UINT32_MAX for MX. */
#define ROUTE_INDEX_MX UINT32_MAX
#define ROUTE_INDEX_SANDBOX (UINT32_MAX - 1)
/* Sites of our own: no host is called so. */
#define SITE_RECOVERED STR("(recovered)")
#define SITE_SANDBOX STR("(sandbox)")
struct site *place_recovered_site(struct core *c);

/* handout.c */
void handout_pump(struct core *c);
bool handout_on_frame(struct core *c, struct peer *from, const struct frame *f, struct err *err);
void handout_drop_all(struct core *c, struct peer *from);
void handout_done(struct core *c);

/* settle.c */
struct settled { /* one recipient's outcome on its way to the disk */
    uint32_t rcpt;
    struct outcome outcome;
    struct str source; /* local address used, as text */
    struct str address, orcpt;
    unsigned notify;
    bool notify_passed_on; /* the next host speaks DSN and has taken over */
};
/* Makes the outcomes durable, with events and notifications, then moves the schedule. The message
 * is pinned and its recipients are in flight. `site` NULL: their site could not be found out. Tries
 * again while the disk refuses. Waits. */
void settle_outcomes(struct core *c, struct spool_message *m, const struct envelope *e,
                     struct site *site, const struct settled *s, size_t count);
/* So many end without an attempt that no more are to be begun now. */
bool settle_is_behind(const struct core *c);
void settle_log_unreadable(const struct spool_message *m, const struct err *why);
/* For recipients that end, or are warned about, without an attempt. A story takes it up. */
void settle_without_attempt(struct core *c, const struct batch *b);
/* For a recipient whose site cannot be had: an attempt that failed. A story takes it up. */
void settle_unplaced(struct core *c, struct entry *e, uint32_t rcpt, enum outcome_kind kind,
                     const struct reply *reply);

/* What an operator does to a recipient. */
struct operation {
    enum event_kind kind; /* EVENT_CANCELLED, _HELD, _RELEASED, _RETRIED */
    struct str actor, reason;
    bool silent; /* no notification */
};
/* False with err: not in a state for it (in flight), or the disk refused. Waits. */
MUST_USE bool settle_operation(struct core *c, struct spool_message *m, const struct envelope *e,
                               uint32_t rcpt, const struct operation *op, struct err *err);

/* notify.c: the DSN of that kind for these recipients, texts in the arena. False: none is due.
 * Waits: it reads the original's header. */
struct notify_rcpt {
    const struct settled *settled;
    int64_t retry_until_ms;
};
MUST_USE bool notify_make(struct core *c, struct spool_message *m, const struct envelope *e,
                          enum dsn_kind kind, const struct notify_rcpt *rcpts, size_t count,
                          struct arena *a, struct settle_dsn *ret);
bool notify_may(const struct envelope *e);

/* feed.c */
void feed_start(struct core *c);
void feed_on_from(struct core *c, uint64_t position);
void feed_on_ack(struct core *c, uint64_t position);

/* queue.c */
void queue_on_admin(struct core *c, struct peer *web, const struct wire_admin *m);

// SPDX-License-Identifier: Apache-2.0
/* core/settle.c - outcomes become durable states and events; only then does the schedule move.
 *
 * One settle record takes one notification, so a batch is settled in rounds, one for each kind of
 * notification that its recipients need and one for those that need none. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/core.h"
#include "io/clock.h"

#define DISK_REFUSED_WAIT_MS 1000
/* Stories that end recipients without an attempt, and how many such may wait for one before the
 * schedule is asked for no more: after a long time off, or when a big domain is gone, there may be
 * a hundred thousand at once. */
#define ENDING_STORIES_MAX 256
#define ENDINGS_MAX 4096
#define NO_DSN 100

/* What is decided of one recipient before anything is written. */
struct decision {
    const struct settled *settled;
    struct settle_rcpt record;
    unsigned dsn; /* enum dsn_kind, or NO_DSN */
};

struct round {
    struct core *core;
    struct spool_message *message;
    const struct envelope *envelope;
    struct site *site;
    struct arena arena;
    struct decision *decisions;
    size_t count;
    struct str actor, reason;
};

/* --- deciding --- */

static enum event_kind event_of(enum outcome_kind kind)
{
    switch (kind) {
    case OUTCOME_DELIVERED:
        return EVENT_DELIVERED;
    case OUTCOME_RELAYED:
        return EVENT_RELAYED;
    case OUTCOME_BOUNCED:
        return EVENT_BOUNCED;
    case OUTCOME_EXPIRED:
        return EVENT_EXPIRED;
    case OUTCOME_CANCELLED:
        return EVENT_CANCELLED;
    case OUTCOME_DEFERRED:
    case OUTCOME_UNKNOWN:
        break;
    }
    return EVENT_DEFERRED;
}

static void decide_dsn(struct decision *d, const struct envelope *e, enum dsn_kind kind)
{
    if (notify_may(e) && dsn_wanted(d->settled->notify, kind))
        d->dsn = kind;
}

/* Not ended: when again, whether its time is over, whether its sender is to be warned. */
static void decide_retry(struct round *r, struct decision *d, struct entry *entry)
{
    const struct config_retry *retry = &r->core->config->retry;
    int64_t now = core_now(r->core), accepted = entry_accepted_ms(entry);
    struct spool_rcpt *state = &d->record.now;

    state->tries = (uint16_t)(schedule_tries(entry, d->settled->rcpt) + (r->site ? 0 : 1));
    if (now >= retry_expires_at(retry, accepted)) {
        state->state = RCPT_DONE;
        d->record.event.kind = EVENT_EXPIRED;
        decide_dsn(d, r->envelope, DSN_FAILED);
        return;
    }
    state->state = RCPT_QUEUED;
    state->due_wall_ms = retry_at(retry, state->tries, now, accepted, random_u64());
    if (!(state->flags & RCPT_DELAY_WARNED) && retry_is_late(retry, now, accepted)) {
        state->flags |= RCPT_DELAY_WARNED;
        decide_dsn(d, r->envelope, DSN_DELAYED);
    }
}

static void decide(struct round *r, struct decision *d, struct entry *entry)
{
    const struct settled *s = d->settled;
    struct spool_rcpt *state = &d->record.now;

    *state = *spool_message_rcpt(r->message, s->rcpt);
    state->tries = schedule_tries(entry, s->rcpt);
    d->record.rcpt = s->rcpt;
    d->record.event.kind = event_of(s->outcome.kind);
    d->dsn = NO_DSN;
    switch (s->outcome.kind) {
    case OUTCOME_DEFERRED:
    case OUTCOME_UNKNOWN:
        decide_retry(r, d, entry);
        return;
    case OUTCOME_BOUNCED:
    case OUTCOME_EXPIRED:
        decide_dsn(d, r->envelope, DSN_FAILED);
        break;
    case OUTCOME_DELIVERED:
    case OUTCOME_RELAYED:
        if (!s->notify_passed_on)
            decide_dsn(d, r->envelope,
                       s->outcome.kind == OUTCOME_DELIVERED ? DSN_DELIVERED : DSN_RELAYED);
        break;
    case OUTCOME_CANCELLED:
        break;
    }
    state->state = RCPT_DONE;
}

static void fill_event(struct round *r, struct decision *d)
{
    const struct envelope *e = r->envelope;
    struct event *event = &d->record.event;

    event->message = spool_message_id(r->message);
    event->account = e->account;
    event->wall_ms = core_now(r->core);
    event->accepted_wall_ms = e->accepted_wall_ms;
    event->due_wall_ms = d->record.now.state == RCPT_QUEUED ? d->record.now.due_wall_ms : 0;
    event->size_bytes = e->size_bytes;
    event->rcpt = d->settled->rcpt;
    event->tries = d->record.now.tries;
    event->reverse_path = e->reverse_path;
    event->address = d->settled->address;
    event->destination = r->site ? site_name(r->site) : STR("");
    event->source = d->settled->source;
    event->actor = r->actor;
    event->reason = r->reason;
    event->outcome = d->settled->outcome;
}

/* --- writing --- */

static bool make_dsn(struct round *r, const struct decision *list, size_t count,
                     struct settle_dsn *ret)
{
    struct notify_rcpt *rcpts = ARENA_ARRAY(&r->arena, struct notify_rcpt, count);
    int64_t until = retry_expires_at(&r->core->config->retry, r->envelope->accepted_wall_ms);

    if (list[0].dsn == NO_DSN)
        return false;
    for (size_t i = 0; i < count; i++)
        rcpts[i] = (struct notify_rcpt){ .settled = list[i].settled, .retry_until_ms = until };
    return notify_make(r->core, r->message, r->envelope, list[0].dsn, rcpts, count, &r->arena, ret);
}

/* Durable, however long the disk refuses; a role that is told to end gives up, and the log still
 * says "queued". */
static bool write_record(struct round *r, const struct settle_rcpt *records, size_t count,
                         const struct settle_dsn *dsn)
{
    struct core *c = r->core;
    struct spool_message *notification = NULL;
    uint64_t id;
    struct err err;

    while (!spool_settle(c->spool, r->message, records, count, dsn, &id, &notification, &err)) {
        log_err(LOG_ALERT, "settle-failed", &err);
        if (c->draining || !fiber_sleep(DISK_REFUSED_WAIT_MS, &err))
            return false;
    }
    if (notification)
        place_message(c, notification, &dsn->envelope);
    return true;
}

static void count_outcome(struct core *c, const struct settle_rcpt *record)
{
    c->delivered += record->event.kind == EVENT_DELIVERED || record->event.kind == EVENT_RELAYED;
    c->deferred += record->event.kind == EVENT_DEFERRED;
    c->bounced += record->event.kind == EVENT_BOUNCED || record->event.kind == EVENT_EXPIRED;
}

/* The schedule follows what is on disk now. */
static void move_schedule(struct round *r, const struct settle_rcpt *record)
{
    struct schedule *s = r->core->schedule;
    struct entry *entry = *spool_message_slot(r->message);
    const struct spool_rcpt *now = &record->now;
    bool warned = (now->flags & RCPT_DELAY_WARNED) != 0;
    struct site *site = r->site ? r->site : place_recovered_site(r->core);

    count_outcome(r->core, record);
    if (now->state == RCPT_DONE)
        schedule_done(s, entry, record->rcpt);
    else if (now->state == RCPT_HELD)
        schedule_hold(s, entry, record->rcpt, true);
    else
        schedule_place(s, entry, record->rcpt, site, now->due_wall_ms, now->tries, warned);
}

/* All recipients that need the same kind of notification, in one record. */
static bool write_kind(struct round *r, unsigned kind)
{
    struct decision *list = ARENA_ARRAY(&r->arena, struct decision, r->count);
    struct settle_rcpt *records = ARENA_ARRAY(&r->arena, struct settle_rcpt, r->count);
    struct settle_dsn dsn;
    size_t count = 0;

    for (size_t i = 0; i < r->count; i++)
        if (r->decisions[i].dsn == kind)
            list[count++] = r->decisions[i];
    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        records[i] = list[i].record;
    if (!write_record(r, records, count, make_dsn(r, list, count, &dsn) ? &dsn : NULL))
        return false;
    for (size_t i = 0; i < count; i++)
        move_schedule(r, &records[i]);
    return true;
}

static void leave_if_over(struct core *c, struct spool_message *m)
{
    void **slot = spool_message_slot(m);
    struct entry *entry = *slot;

    if (entry && entry_is_over(entry)) {
        schedule_leave(c->schedule, entry);
        *slot = NULL;
    }
}

static bool round_write(struct round *r)
{
    static const unsigned kinds[] = { NO_DSN, DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED };
    bool ok = true;

    for (size_t k = 0; ok && k < ARRAY_LEN(kinds); k++)
        ok = write_kind(r, kinds[k]);
    leave_if_over(r->core, r->message);
    arena_done(&r->arena);
    core_pump_later(r->core);
    return ok;
}

static void round_init(struct round *r, struct core *c, struct spool_message *m,
                       const struct envelope *e, struct site *site, size_t count)
{
    *r = (struct round){ .core = c, .message = m, .envelope = e, .site = site, .count = count };
    arena_init(&r->arena, 2048);
    r->decisions = ARENA_ARRAY(&r->arena, struct decision, count);
}

void settle_outcomes(struct core *c, struct spool_message *m, const struct envelope *e,
                     struct site *site, const struct settled *s, size_t count)
{
    struct entry *entry = *spool_message_slot(m);
    struct round r;

    round_init(&r, c, m, e, site, count);
    for (size_t i = 0; i < count; i++) {
        r.decisions[i].settled = &s[i];
        decide(&r, &r.decisions[i], entry);
        fill_event(&r, &r.decisions[i]);
    }
    (void)round_write(&r);
}

/* --- without an attempt --- */

/* A story's own copy of what it is about. */
struct ending {
    struct list link;
    struct core *core;
    struct spool_message *message;
    struct site *site;
    enum outcome_kind kind;
    bool late;
    uint32_t rcpt;
    struct reply reply;
    char text[400];
};

static struct settled settled_of(const struct envelope *e, uint32_t rcpt)
{
    return (struct settled){
        .rcpt = rcpt,
        .address = e->rcpts[rcpt].address,
        .orcpt = e->rcpts[rcpt].orcpt,
        .notify = e->rcpts[rcpt].notify,
    };
}

/* The sender is told that it takes longer; the recipient stays queued. */
static void warn_late(struct ending *end, const struct envelope *e, const struct settled *s)
{
    struct core *c = end->core;
    struct round r;

    round_init(&r, c, end->message, e, end->site, 1);
    struct decision *d = &r.decisions[0];
    d->settled = s;
    d->dsn = NO_DSN;
    d->record.rcpt = s->rcpt;
    d->record.now = *spool_message_rcpt(end->message, s->rcpt);
    d->record.now.flags |= RCPT_DELAY_WARNED;
    d->record.now.tries = schedule_tries(*spool_message_slot(end->message), s->rcpt);
    d->record.now.due_wall_ms = core_now(c) + DISK_REFUSED_WAIT_MS;
    d->record.event.kind = EVENT_DELAY_WARNED;
    decide_dsn(d, e, DSN_DELAYED);
    fill_event(&r, d);
    (void)round_write(&r);
}

void settle_log_unreadable(const struct spool_message *m, const struct err *why)
{
    struct log_line l;

    log_begin(&l, LOG_ALERT, "envelope-unreadable");
    log_id(&l, "id", spool_message_id(m));
    log_cstr(&l, "why", why->text);
    log_end(&l);
}

/* Its envelope cannot be read: the operator is told, and it is not tried again by itself. */
static void hold_unreadable(struct ending *end, const struct err *why)
{
    settle_log_unreadable(end->message, why);
    schedule_hold(end->core->schedule, *spool_message_slot(end->message), end->rcpt, false);
}

static void ending_settle(struct ending *end)
{
    struct core *c = end->core;
    struct envelope e;
    struct arena arena;
    struct err err;

    arena_init(&arena, 2048);
    if (spool_envelope(c->spool, end->message, &arena, &e, &err)) {
        struct settled s = settled_of(&e, end->rcpt);
        s.outcome =
            (struct outcome){ .kind = end->kind, .scope = SCOPE_DESTINATION, .reply = end->reply };
        if (end->late)
            warn_late(end, &e, &s);
        else
            settle_outcomes(c, end->message, &e, end->site, &s, 1);
    } else {
        hold_unreadable(end, &err);
    }
    arena_done(&arena);
    spool_unpin(c->spool, end->message);
    free(end);
    c->ending_count--;
    core_pump_later(c);
}

static void endings_story(void *arg)
{
    struct core *c = arg;
    struct ending *end;

    while ((end = LIST_FIRST(&c->endings, struct ending, link)) != NULL) {
        list_remove(&end->link);
        ending_settle(end);
    }
    c->ending_stories--;
    core_story_end(c);
}

bool settle_is_behind(const struct core *c)
{
    return c->ending_count >= ENDINGS_MAX;
}

static void start_ending(struct core *c, struct ending *end, struct str text)
{
    text = str_sub(text, 0, sizeof end->text);
    if (text.len > 0)
        memcpy(end->text, text.ptr, text.len);
    end->reply.text = str_make(end->text, text.len);
    end->core = c;
    spool_pin(end->message);
    list_append(&c->endings, &end->link);
    c->ending_count++;
    if (c->ending_stories >= ENDING_STORIES_MAX)
        return;
    c->ending_stories++;
    core_story_begin(c);
    fiber_spawn("endings", endings_story, c);
}

void settle_without_attempt(struct core *c, const struct batch *b)
{
    struct ending *end = NEW(struct ending);
    struct site_facts facts = { 0 };
    char text[400];

    if (b->site) /* it may have been held before its site was known */
        site_look(b->site, &facts);
    /* Why the site is closed; a site that is open has no words of its own. */
    snprintf(text, sizeof text, "not delivered in time%s%.*s",
             facts.why.len > 0 ? "; what was seen last: " : "", STR_FMT(facts.why));
    end->message = entry_message(b->entry);
    end->site = b->site;
    end->rcpt = b->rcpts[0];
    end->late = b->kind == BATCH_LATE;
    end->kind = end->late ? OUTCOME_DEFERRED : OUTCOME_EXPIRED;
    end->reply.status = (struct status){ end->late ? 4 : 5, 4, 7 };
    start_ending(c, end, end->late ? facts.why : str_of(text));
}

void settle_unplaced(struct core *c, struct entry *e, uint32_t rcpt, enum outcome_kind kind,
                     const struct reply *reply)
{
    struct ending *end = NEW(struct ending);

    schedule_take(c->schedule, e, rcpt);
    end->message = entry_message(e);
    end->rcpt = rcpt;
    end->kind = kind;
    end->reply = *reply;
    start_ending(c, end, reply->text);
}

/* --- operators --- */

static void decide_operation(struct round *r, struct decision *d, const struct operation *op,
                             struct entry *entry)
{
    struct spool_rcpt *state = &d->record.now;

    *state = *spool_message_rcpt(r->message, d->settled->rcpt);
    state->tries = schedule_tries(entry, d->settled->rcpt);
    d->record.rcpt = d->settled->rcpt;
    d->record.event.kind = op->kind;
    d->dsn = NO_DSN;
    switch (op->kind) {
    case EVENT_HELD:
        state->state = RCPT_HELD;
        break;
    case EVENT_CANCELLED:
        state->state = RCPT_DONE;
        if (!op->silent)
            decide_dsn(d, r->envelope, DSN_FAILED);
        break;
    default: /* released, retried: due now */
        state->state = RCPT_QUEUED;
        state->due_wall_ms = core_now(r->core);
        break;
    }
}

bool settle_operation(struct core *c, struct spool_message *m, const struct envelope *e,
                      uint32_t rcpt, const struct operation *op, struct err *err)
{
    struct entry *entry = *spool_message_slot(m);
    struct settled s = settled_of(e, rcpt);
    struct site *site = schedule_item_site(entry, rcpt);
    struct round r;

    if (schedule_state(entry, rcpt) == ITEM_IN_FLIGHT)
        return err_set(err, ERR_EXISTS,
                       "it is being delivered at this moment; try again in a little while");
    if (schedule_state(entry, rcpt) == ITEM_DONE)
        return err_set(err, ERR_NOT_FOUND, "this recipient has its outcome already");
    schedule_take(c->schedule, entry, rcpt);
    if (op->kind == EVENT_CANCELLED) {
        struct str why = op->reason.len ? op->reason : STR("withdrawn by the relay's operator");
        s.outcome = (struct outcome){ OUTCOME_CANCELLED, SCOPE_RECIPIENT,
                                      .reply = { 554, { 5, 7, 0 }, why } };
    }
    round_init(&r, c, m, e, site, 1);
    r.actor = op->actor;
    r.reason = op->reason;
    r.decisions[0].settled = &s;
    decide_operation(&r, &r.decisions[0], op, entry);
    fill_event(&r, &r.decisions[0]);
    if (!round_write(&r))
        return err_set(err, ERR_IO, "core ends, and the disk refuses");
    return true;
}

// SPDX-License-Identifier: Apache-2.0
/* report/events.c - events on their way from core: told once, then taken into the database, then
 * acknowledged. Core keeps them until then.
 *
 * A database that cannot be written (fault D11) holds up nothing: lines and live readers go on, the
 * batch stays and is tried again, and core bounds what it keeps. */
#include <stdlib.h>

#include "base/log.h"
#include "report/report.h"

enum { COMMIT_EVENTS = 512, COMMIT_AFTER_MS = 100, RETRY_MS = 1000, DAY_MS = 24 * 60 * 60 * 1000 };

/* One commit on the worker. */
struct commit {
    struct report *report;
    bool ok;
    struct err err;
};

static void run_commit(void *arg)
{
    struct commit *c = arg;
    const struct batch *b = &c->report->going; /* nobody changes it meanwhile */

    c->ok = history_take_in(c->report->history, b->position, b->tallies, b->tally_count, &c->err);
}

static struct tally *tally_find(struct batch *b, int64_t day, int kind)
{
    for (size_t i = 0; i < b->tally_count; i++)
        if (b->tallies[i].day == day && b->tallies[i].kind == kind)
            return &b->tallies[i];
    return NULL;
}

static void tally_add(struct batch *b, int64_t day, int kind, uint64_t count)
{
    struct tally *t = tally_find(b, day, kind);

    if (t) {
        t->count += count;
        return;
    }
    if (b->tally_count == b->tally_cap) {
        b->tally_cap = b->tally_cap ? b->tally_cap * 2 : 16;
        b->tallies = mem_grow(b->tallies, b->tally_cap, sizeof *b->tallies);
    }
    b->tallies[b->tally_count++] = (struct tally){ day, kind, count };
}

/* Empty again; keeps its memory. */
static void batch_clear(struct batch *b)
{
    b->events = b->tally_count = 0;
}

/* What could not be committed goes to the front of what has been gathered since. */
static void batch_put_back(struct report *r)
{
    struct batch *from = &r->going, *to = &r->batch;

    for (size_t i = 0; i < from->tally_count; i++)
        tally_add(to, from->tallies[i].day, from->tallies[i].kind, from->tallies[i].count);
    if (to->events == 0)
        to->position = from->position;
    to->events += from->events;
    batch_clear(from);
}

static void acknowledge(struct report *r)
{
    if (!r->core.channel)
        return;
    struct wire_events_ack *f = wire_add(r->core.channel, WIRE_EVENTS_ACK, 0);
    f->position = r->safe;
}

static void commit_failed(struct report *r, const struct err *why)
{
    batch_put_back(r);
    r->commits_failed++;
    if (!r->commit_failing)
        log_err(LOG_ALERT, "history-unwritable", why); /* once, not every second */
    r->commit_failing = true;
    timer_set(&r->commit_timer, loop_now_ms() + RETRY_MS);
}

static void commit_succeeded(struct report *r)
{
    if (r->commit_failing)
        log_text(LOG_WARN, "history-writable", "again, after %llu failures",
                 (unsigned long long)r->commits_failed);
    r->commit_failing = false;
    r->safe = r->going.position;
    batch_clear(&r->going);
    acknowledge(r);
    if (r->batch.events >= COMMIT_EVENTS || r->draining)
        events_commit(r);
    else if (r->batch.events > 0)
        timer_set(&r->commit_timer, loop_now_ms() + COMMIT_AFTER_MS);
}

static void commit_done(void *arg)
{
    struct commit *c = arg;
    struct report *r = c->report;

    if (c->ok)
        commit_succeeded(r);
    else
        commit_failed(r, &c->err);
    free(c);
    report_work_done(r);
}

void events_commit(struct report *r)
{
    struct batch empty = r->going;
    struct err err;

    if (r->batch.events == 0 || r->going.events > 0)
        return;
    timer_clear(&r->commit_timer);
    r->going = r->batch;
    r->batch = empty;
    struct commit *c = NEW(struct commit);
    c->report = r;
    if (!report_work(r, run_commit, commit_done, c, &err)) {
        free(c);
        commit_failed(r, &err);
    }
}

void events_commit_is_due(void *report)
{
    events_commit(report);
}

bool events_are_safe(const struct report *r)
{
    return r->batch.events == 0 && r->going.events == 0;
}

static void take(struct report *r, const struct event *e, uint64_t position)
{
    lines_write(&r->lines, e);
    tail_tell(r, e);
    tally_add(&r->batch, e->wall_ms / DAY_MS, (int)e->kind, 1);
    r->batch.position = r->seen = position;
    r->batch.events++;
    if (r->batch.events == 1)
        timer_set(&r->commit_timer, loop_now_ms() + COMMIT_AFTER_MS);
    if (r->batch.events >= COMMIT_EVENTS && !r->commit_failing)
        events_commit(r);
}

bool events_on_event(struct report *r, const struct wire_event *m, struct err *err)
{
    struct str bytes = wire_get(m, m->bytes);
    struct event e;

    if (!event_read(&bytes, &e, err))
        return err_at(err, "event at %llu", (unsigned long long)m->position);
    if (bytes.len > 0)
        return err_set(err, ERR_SYNTAX, "an event with %zu octets behind it", bytes.len);
    if (m->position > r->seen) /* else it was told before core was restarted */
        take(r, &e, m->position);
    return true;
}

void events_on_core(struct report *r)
{
    struct wire_events_from *f = wire_add(r->core.channel, WIRE_EVENTS_FROM, 0);

    f->position = r->seen;
}

void events_free(struct report *r)
{
    free(r->batch.tallies);
    free(r->going.tallies);
}

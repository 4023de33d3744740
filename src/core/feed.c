// SPDX-License-Identifier: Apache-2.0
/* core/feed.c - durable events go to report, in the order of the log, from the position that report
 * has in safety.
 *
 * Report may lag as far as it likes: it is read for from the log, and holds up nobody. */
#include "base/log.h"
#include "core/core.h"

#define FEED_PAUSE_MS 5
#define FEED_FULL_MS 50
#define FEED_AT_ONCE 512
/* How many events may be with report that it has not acknowledged. Positions are no measure: they
 * leap from one segment to the next. */
#define FEED_AHEAD_MAX 32768
#define FEED_BYTES_MAX (4 * 1024 * 1024)

static bool may_feed(const struct core *c)
{
    return c->feed_ready && c->report.channel && !channel_full(c->report.channel) &&
           c->feed_unacked < FEED_AHEAD_MAX;
}

static void send_event(struct core *c, uint64_t position, struct str bytes)
{
    size_t room = FRAME_BYTES_MAX - sizeof(struct wire_event);
    struct wire_event *m;

    if (bytes.len > room) { /* cannot be: every text in an event is bounded where it comes in */
        log_text(LOG_ALERT, "event-too-large", "an event of %zu bytes is not reported", bytes.len);
        return;
    }
    m = wire_add(c->report.channel, WIRE_EVENT, bytes.len);
    m->position = position;
    wire_put(m, &m->bytes, bytes);
    c->feed_last = position;
    c->feed_unacked++;
}

/* Sends what is durable and new, in one go of at most FEED_AT_ONCE. Waits when it must be read from
 * the log. */
static bool feed_some(struct core *c, struct buf *bytes, struct err *err)
{
    uint32_t generation = c->report.generation;
    uint64_t cursor = c->feed_cursor;
    struct event event;

    buf_clear(bytes);
    if (!spool_events(c->spool, &cursor, FEED_AT_ONCE, bytes, err))
        return false;
    if (generation != c->report.generation || !may_feed(c))
        return true; /* it was restarted while we read, and says anew from where */
    struct str rest = buf_str(bytes);
    while (rest.len > 0) {
        struct str before = rest;
        if (!event_read(&rest, &event, err))
            return false;
        send_event(c, event.position, str_make(before.ptr, before.len - rest.len));
    }
    c->feed_cursor = cursor;
    return true;
}

static void feed_story(void *arg)
{
    struct core *c = arg;
    struct buf bytes;
    struct err err = { 0 };

    buf_init(&bytes, FEED_BYTES_MAX);
    for (;;) {
        uint64_t before = c->feed_cursor;
        if (may_feed(c) && !feed_some(c, &bytes, &err)) {
            if (err.kind == ERR_CANCELLED)
                break;
            log_err(LOG_ALERT, "events-unreadable", &err);
        }
        /* One gate for all that lets it go on: new events, and what report says (it may be another
         * report, which wants those again that were sent to the last). A channel that was full is
         * looked at again by the clock. */
        bool idle = c->feed_cursor == before;
        bool full = c->report.channel && channel_full(c->report.channel);
        if (idle && !full ? !gate_wait(spool_events_gate(c->spool), NO_DEADLINE, &err)
                          : !fiber_sleep(full ? FEED_FULL_MS : FEED_PAUSE_MS, &err))
            break;
    }
    buf_done(&bytes);
    c->feeder = NULL;
    gate_wake_all(&c->idle_gate);
}

void feed_start(struct core *c)
{
    c->feeder = fiber_spawn("feed", feed_story, c);
}

/* What is unacknowledged from here on is counted anew. */
static void set_mark(struct core *c)
{
    c->feed_mark = c->feed_last;
    c->feed_marked = c->feed_unacked;
}

void feed_on_from(struct core *c, uint64_t position)
{
    uint64_t acked = spool_events_acked(c->spool);

    c->feed_cursor = position > acked ? position : acked;
    c->feed_last = c->feed_cursor;
    c->feed_unacked = 0;
    set_mark(c);
    c->feed_ready = true;
    gate_wake_all(spool_events_gate(c->spool));
}

void feed_on_ack(struct core *c, uint64_t position)
{
    if (!c->feed_ready || position > c->feed_cursor)
        return;
    spool_events_ack(c->spool, position);
    if (position < c->feed_mark)
        return;
    c->feed_unacked -= c->feed_marked;
    if (position >= c->feed_last)
        c->feed_unacked = 0;
    set_mark(c);
    gate_wake_all(spool_events_gate(c->spool));
}

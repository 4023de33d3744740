// SPDX-License-Identifier: Apache-2.0
/* spool/tend.c - keeping house: when a snapshot is due, when to compact, which events are given up.
 */
#include <inttypes.h>

#include "spool/internal.h"

enum { SNAPSHOT_SEGMENTS = 4 };

/* Events that nobody fetches hold at most so much; past it the oldest go, counted and told (fault
 * O11). */
static void events_cap(struct spool *s)
{
    const struct segment *oldest = NULL;
    uint64_t bytes = 0;

    for (size_t i = 0; i < s->segments.count; i++) {
        const struct segment *g = s->segments.all[i];

        if (g->state != SEGMENT_USED || g->live_bytes > 0 || g->last_event <= s->events.acked)
            continue;
        bytes += g->size;
        if (!oldest || g->generation < oldest->generation)
            oldest = g;
    }
    if (!oldest || s->options.events_disk_max_bytes == 0 ||
        bytes <= s->options.events_disk_max_bytes)
        return;
    s->events.dropped += oldest->events;
    spool_events_ack(s, oldest->last_event);
    alarm_tell(s, "events-dropped", 0,
               "%" PRIu64 " events, the oldest, were given up: nobody fetched them",
               oldest->events);
}

static void tell_room(struct spool *s)
{
    bool full = !spool_accepts(s) && !s->read_only;

    if (full && !s->full_told)
        alarm_tell(s, "disk-full", 0, "new messages are refused; settling goes on");
    if (!full && s->full_told)
        alarm_tell(s, "disk-room-again", 0, "new messages are accepted");
    s->full_told = full;
}

static bool snapshot_when_due(struct spool *s, bool *ret_did, struct err *err)
{
    size_t waiting;
    uint64_t bytes;

    *ret_did = segments_reclaim(s, &waiting, &bytes) > 0;
    if (s->snapshots.busy || waiting == 0)
        return true;
    if (s->segments.free_count > 0 && (waiting < SNAPSHOT_SEGMENTS || bytes < 2 * s->index.bytes))
        return true;
    if (!snapshot_write(s, err))
        return false;
    (void)segments_reclaim(s, &waiting, &bytes);
    *ret_did = true;
    return true;
}

static bool compact_when_due(struct spool *s, bool *ret_did, struct err *err)
{
    size_t moved;

    if (spool_accepts(s) && segments_available(s) > 2)
        return true;
    if (s->read_only || s->segments.free_count == 0)
        return true; /* nowhere to move anything */
    if (!compact(s, &moved, err))
        return false;
    *ret_did |= moved > 0;
    return true;
}

bool spool_tend(struct spool *s, bool *ret_did, struct err *err)
{
    bool ok;

    *ret_did = false;
    events_cap(s);
    ok = snapshot_when_due(s, ret_did, err) && compact_when_due(s, ret_did, err);
    segments_prepare(s);
    tell_room(s);
    bodies_trim(s);
    return ok;
}

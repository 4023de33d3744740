// SPDX-License-Identifier: Apache-2.0
/* spool/recover.c - opening: what lies in the folder, the newest snapshot that holds, the log
 * replayed over it.
 *
 * Nothing is changed here, only written again as it was read, so dying in the middle and doing it
 * again gives the same (invariant 3, fault C07). What counts in a segment ends at the number that
 * the next segment says it follows (invariant 4). At the end of the last one, what does not hold is
 * what a crash tore: it was never acknowledged, and the next segment will say so. */
#include "spool/recover.h"

#include <inttypes.h>
#include <stdlib.h>

static int by_generation(const void *a, const void *b)
{
    const struct segment *x = *(struct segment *const *)a, *y = *(struct segment *const *)b;

    return (x->generation > y->generation) - (x->generation < y->generation);
}

/* Segments in use, in log order; each learns the last number that counts in it. */
static struct segment **segments_sorted(struct spool *s, size_t *ret_count)
{
    struct segments *t = &s->segments;
    struct segment **sorted = NEW_ARRAY(struct segment *, t->count + 1);
    uint64_t limit = UINT64_MAX;
    size_t n = 0;

    for (size_t i = 0; i < t->count; i++)
        if (t->all[i]->state == SEGMENT_USED)
            sorted[n++] = t->all[i];
    qsort(sorted, n, sizeof(struct segment *), by_generation);
    for (size_t i = n; i-- > 0;) {
        sorted[i]->last_number = limit;
        if (sorted[i]->follows < limit)
            limit = sorted[i]->follows;
    }
    *ret_count = n;
    return sorted;
}

/* Replay -------------------------------------------------------------------------------------- */

struct replaying {
    struct spool *spool;
    struct segment *segment;
    struct scan scan;
    struct replay counts;
    struct spool_recovery *found;
    uint64_t last;           /* number of the last group that counted */
    uint64_t met;            /* of those, the last one that was there */
    struct segment *tail_in; /* where it lies; NULL: none was met */
    uint64_t tail_at;
    uint64_t highest;   /* ever met */
    uint64_t torn_from; /* damaged bytes of which it is not yet known whether they were synced; 0:
                           none */
    uint64_t torn_count;
};

static void replay_bytes(struct replaying *r, struct str bytes, uint64_t offset)
{
    struct record_view v;
    bool damaged = false;
    size_t at = 0;

    r->spool->applying = position_make(r->segment->generation, offset);
    /* The group's own head is no record: stepping over it is no damage. */
    while (record_next(bytes, r->segment->generation, &at, &v, &damaged))
        apply_record(r->spool, &v, position_make(r->segment->generation, offset + v.offset),
                     &r->counts);
}

/* Bytes that were synced and no longer hold: record by record, what can be had. */
static bool salvage(struct replaying *r, uint64_t from, uint64_t end, struct err *err)
{
    struct scan region;
    struct str bytes;
    bool ok;

    alarm_tell(r->spool, "record-damaged", 0,
               "segment %" PRIu32 ", bytes %" PRIu64 " to %" PRIu64
               ": what still has its sum is kept",
               r->segment->slot, from, end);
    r->counts.damaged++;
    scan_init(&region, r->segment->file, r->segment->generation, from, end);
    ok = scan_bytes(&region, from, end - from, &bytes, err);
    if (ok)
        replay_bytes(r, bytes, from);
    scan_done(&region);
    return ok;
}

static bool replay_group(struct replaying *r, const struct scan_found *f, struct err *err)
{
    struct spool *s = r->spool;

    if (f->number > r->highest)
        r->highest = f->number;
    if (f->number > r->segment->last_number) {
        r->found->groups_refused++;
        return true;
    }
    if (r->torn_from > 0) { /* something valid comes after it: it was synced once */
        uint64_t from = r->torn_from;

        r->torn_from = 0;
        if (!salvage(r, from, f->offset, err))
            return false;
    }
    replay_bytes(r, f->bytes, f->offset);
    r->found->groups_replayed++;
    r->last = r->met = f->number;
    r->tail_in = r->segment;
    r->tail_at = f->offset;
    if (f->events_acked > s->events.acked)
        s->events.acked = f->events_acked;
    r->segment->used = f->offset + f->bytes.len;
    s->applied = position_make(r->segment->generation, r->segment->used);
    return true;
}

/* The end of a segment: is something missing that the next one counts on? */
static bool replay_end(struct replaying *r, const struct scan_found *f, struct err *err)
{
    uint64_t from = r->torn_from > 0 ? r->torn_from : f->offset;

    if (r->segment->last_number != UINT64_MAX && r->last < r->segment->last_number) {
        r->last = r->segment->last_number;
        r->torn_from = 0;
        return salvage(r, from, r->segment->size, err);
    }
    if (r->torn_from > 0 || f->torn)
        r->found->groups_torn += r->torn_count > 0 ? r->torn_count : 1;
    r->torn_from = 0;
    return true;
}

static bool replay_segment(struct replaying *r, uint64_t from, struct err *err)
{
    struct scan_found f = { 0 };
    bool ok = true;

    r->torn_from = r->torn_count = 0;
    scan_init(&r->scan, r->segment->file, r->segment->generation, from, r->segment->size);
    do {
        ok = scan_next(&r->scan, &f, err);
        if (!ok)
            break;
        if (f.kind == SCAN_END)
            ok = replay_end(r, &f, err);
        else if (f.kind == SCAN_GROUP)
            ok = replay_group(r, &f, err);
        else {
            if (f.number > r->highest)
                r->highest = f.number;
            if (f.number <= r->segment->last_number && r->torn_from == 0)
                r->torn_from = f.offset;
            r->torn_count++;
        }
    } while (ok && f.kind != SCAN_END);
    scan_done(&r->scan);
    return ok;
}

static void tell_gap(struct spool *s, uint32_t after, uint32_t generation)
{
    alarm_tell(s, "segment-missing", 0,
               "generations %" PRIu32 " to %" PRIu32 " of the log are not there", after + 1,
               generation - 1);
}

/* A segment whose first write failed has left a generation of which nothing was ever written: then
 * the next one follows what was met last. */
static void check_gap(const struct replaying *r, uint32_t after)
{
    const struct segment *g = r->segment;

    if (g->generation > after + 1 && (g->follows == UINT64_MAX || g->follows > r->met))
        tell_gap(r->spool, after, g->generation);
}

static bool write_again(struct segment *g, uint64_t at, uint64_t len, struct err *err)
{
    char *bytes = mem_new(len);
    struct iovec iov = { bytes, len };
    bool ok =
        disk_file_read(g->file, at, bytes, len, err) && disk_file_write(g->file, at, &iov, 1, err);

    free(bytes);
    return ok;
}

/* A process that was killed may have left a group that the system holds in memory alone: nothing is
 * built on what was read before it is durable. The last group is written again, since where its
 * sync had failed, the system takes its bytes for written, and a sync alone would say so, too
 * (fault D04). */
static bool make_durable(const struct replaying *r, struct segment **sorted, size_t count,
                         uint32_t first, struct err *err)
{
    struct segment *tail = r->tail_in;

    if (tail && (!write_again(tail, 0, BLOCK_BYTES, err) ||
                 !write_again(tail, r->tail_at, tail->used - r->tail_at, err)))
        return err_at(err, "segment %" PRIu32, tail->slot);
    for (size_t i = 0; i < count; i++)
        if (sorted[i]->generation >= first && !disk_file_sync(sorted[i]->file, err))
            return err_at(err, "segment %" PRIu32, sorted[i]->slot);
    return true;
}

bool recover_replay(struct spool *s, const struct snapshot_facts *facts,
                    struct spool_recovery *found, struct err *err)
{
    struct replaying r = { .spool = s,
                           .found = found,
                           .last = facts->number,
                           .met = facts->number,
                           .highest = facts->number };
    uint32_t first = position_generation(facts->replay_from), before = first > 0 ? first - 1 : 0;
    struct segment **sorted;
    size_t count;
    bool ok = true;

    sorted = segments_sorted(s, &count);
    if (first == 0 && count > 0)
        before = sorted[0]->generation - 1;
    for (size_t i = 0; ok && i < count; i++) {
        uint64_t from = BLOCK_BYTES;

        r.segment = sorted[i];
        if (sorted[i]->generation < first)
            continue;
        if (sorted[i]->generation == first)
            from = position_offset(facts->replay_from);
        check_gap(&r, before);
        before = sorted[i]->generation;
        sorted[i]->used = from;
        if (sorted[i]->follows != UINT64_MAX && sorted[i]->follows > r.highest)
            r.highest = sorted[i]->follows;
        ok = replay_segment(&r, from, err);
        if (sorted[i]->last_number == UINT64_MAX)
            sorted[i]->last_number = r.last; /* what was torn stays so in this life, too */
    }
    if (first > 0 && before < first)
        tell_gap(s, before, first + 1);
    ok = ok && make_durable(&r, sorted, count, first, err);
    free(sorted);
    s->group_durable = r.last;
    s->group_number = r.highest > r.last ? r.highest : r.last;
    found->records_damaged = r.counts.damaged;
    found->messages_damaged += r.counts.messages_damaged;
    return ok;
}

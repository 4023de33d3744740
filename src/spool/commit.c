// SPDX-License-Identifier: Apache-2.0
/* spool/commit.c - group commit: while one group is written and synced on the commit thread, the
 * next one gathers.
 *
 * One group is in flight at a time, so what is acknowledged is always a prefix of the log. A group
 * whose write or sync failed is refused whole; those who wait for it are told only after the next
 * segment says so in its header, if that can be had (invariant 4). */
#include <assert.h>
#include <stdlib.h>

#include "spool/internal.h"

enum {
    SETTLE_WAIT_MS = 2, /* a settle alone waits this long for a message to share its sync */
    REPAIR_EVERY_MS = 1000,
    TURN_END_ORDER = 100, /* after the channels have handed in what came */
};

struct group {
    struct list link;
    struct spool *spool;
    struct record *records;
    size_t count, cap;
    size_t bytes; /* with the head, without padding */
    bool urgent;
    struct segment *segment;
    uint64_t offset;
    struct group_head head;
    char *header; /* the segment's first block, when this is its first group */
    struct iovec *iov;
    size_t iov_count;
    struct err failed; /* ERR_NONE: durable */
};

static const char zeros[BLOCK_BYTES];

/* Waiters ------------------------------------------------------------------------------------- */

void durable_tell(struct durable *d, const struct err *failed)
{
    d->done = true;
    if (failed)
        d->failed = *failed;
    gate_wake_all(&d->gate);
}

void durable_pause(struct durable *d)
{
    gate_wait_always(&d->gate);
}

bool durable_wait(struct durable *d, struct err *err)
{
    while (!d->done)
        durable_pause(d);
    if (d->failed.kind != ERR_NONE && err)
        *err = d->failed;
    return d->failed.kind == ERR_NONE;
}

/* Gathering ----------------------------------------------------------------------------------- */

size_t record_bytes_max(const struct spool *s)
{
    return s->options.segment_bytes - 2 * BLOCK_BYTES;
}

struct block *front_new(struct spool *s, enum record_kind kind, uint64_t id, struct str envelope,
                        const struct piece *piece)
{
    struct record_head head = { .kind = (uint8_t)kind,
                                .id = id,
                                .envelope_len = (uint32_t)envelope.len };
    struct block *b = block_take(&s->blocks, sizeof(head) + align_up(envelope.len, 8));
    char *to = b->bytes + sizeof(head);

    head.sum_envelope = sum_of(envelope.ptr, envelope.len);
    if (piece) {
        head.content_len = piece->len;
        head.sum_content = sum_of(piece->block->bytes, piece->len);
    }
    memcpy(b->bytes, &head, sizeof(head));
    if (envelope.len > 0)
        memcpy(to, envelope.ptr, envelope.len);
    memset(to + envelope.len, 0, align_up(envelope.len, 8) - envelope.len);
    return b;
}

static struct group *group_new(struct spool *s)
{
    struct group *g = NEW(struct group);

    g->spool = s;
    g->bytes = sizeof(struct group_head);
    list_append(&s->groups, &g->link);
    return g;
}

static size_t size_of(const struct record *r)
{
    return record_size(front_envelope(r->front).len, r->piece ? r->piece->len : 0);
}

/* The last of those that wait, if the record still fits. */
static struct group *group_for(struct spool *s, size_t size)
{
    struct group *last =
        list_empty(&s->groups) ? NULL : CONTAINER_OF(s->groups.prev, struct group, link);

    return last && last->bytes + size <= s->options.group_bytes_max ? last : group_new(s);
}

static void settle_late(void *arg)
{
    struct spool *s = arg;
    struct group *g = LIST_FIRST(&s->groups, struct group, link);

    if (g)
        g->urgent = true;
    commit_pump(s);
}

void commit_add(struct spool *s, const struct record *r, bool urgent)
{
    size_t size = size_of(r);
    struct group *g = group_for(s, size);

    assert(size <= record_bytes_max(s));
    if (g->count == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 16;
        g->records = mem_grow(g->records, g->cap, sizeof(*g->records));
    }
    g->records[g->count] = *r;
    g->records[g->count++].offset = (uint32_t)g->bytes;
    g->bytes += size;
    g->urgent |= urgent;
    if (r->piece)
        s->pending_bytes += r->piece->len;
    /* The end of this turn sends it off; the timer is for settles, and for who calls from outside a
     * turn. */
    if (!s->writing && (urgent || s->settle_timer.place == 0))
        timer_set(&s->settle_timer, loop_now_ms() + (urgent ? 0 : SETTLE_WAIT_MS));
}

/* Writing ------------------------------------------------------------------------------------- */

static void iov_add(struct group *g, const void *ptr, size_t len)
{
    if (len > 0)
        g->iov[g->iov_count++] = (struct iovec){ (void *)(uintptr_t)ptr, len };
}

static char *header_make(struct spool *s, const struct segment *to)
{
    struct segment_header h = { .slot = to->slot,
                                .generation = to->generation,
                                .follows = s->group_durable };
    char *block = mem_new(BLOCK_BYTES);

    header_seal(&h);
    memcpy(block, &h, sizeof(h));
    return block;
}

/* Generation, sums and the list of what is to be written. */
static void group_seal_all(struct group *g)
{
    uint64_t *sums = NEW_ARRAY(uint64_t, g->count);

    g->iov = NEW_ARRAY(struct iovec, g->count * 3 + 3);
    if (g->header)
        iov_add(g, g->header, BLOCK_BYTES);
    iov_add(g, &g->head, sizeof(g->head));
    for (size_t i = 0; i < g->count; i++) {
        struct record *r = &g->records[i];
        struct record_head *head = (struct record_head *)(void *)r->front->bytes;

        head->generation = g->segment->generation;
        record_seal(head);
        sums[i] = head->sum_head;
        iov_add(g, r->front->bytes, sizeof(*head) + align_up(head->envelope_len, 8));
        if (r->piece) {
            iov_add(g, r->piece->block->bytes, r->piece->len);
            iov_add(g, zeros, align_up(r->piece->len, 8) - r->piece->len);
        }
    }
    iov_add(g, zeros, g->head.length - g->bytes);
    group_seal(&g->head, sums);
    free(sums);
}

/* On a worker. */
static void group_write(void *arg)
{
    struct group *g = arg;
    bool ok = disk_file_write(g->segment->file, g->header ? 0 : g->offset, g->iov, g->iov_count,
                              &g->failed) &&
              disk_file_sync(g->segment->file, &g->failed);

    assert(ok == (g->failed.kind == ERR_NONE));
}

static void group_free(struct group *g)
{
    free(g->records);
    free(g->iov);
    free(g->header);
    free(g);
}

/* Tells everybody, in log order, and frees the group. */
static void group_end(struct group *g)
{
    struct spool *s = g->spool;
    const struct err *failed = g->failed.kind == ERR_NONE ? NULL : &g->failed;

    for (size_t i = 0; i < g->count; i++) {
        struct record *r = &g->records[i];
        uint64_t position =
            failed ? 0 : position_make(g->segment->generation, g->offset + r->offset);

        if (r->piece)
            s->pending_bytes -= r->piece->len;
        r->done(s, r, position, failed);
        block_give(&s->blocks, r->front);
        piece_drop(&s->blocks, r->piece);
    }
    group_free(g);
    gate_wake_all(&s->room);
}

static void group_done(void *arg)
{
    struct group *g = arg;
    struct spool *s = g->spool;
    struct segment *to = g->segment;

    s->writing = NULL;
    s->figures.syncs++;
    if (g->failed.kind != ERR_NONE) {
        alarm_tell(s, "sync-failed", 0, "%s", g->failed.text);
        g->failed.kind = ERR_IO;
        to->state = SEGMENT_USED;
        to->last_number = s->group_durable;
        s->current = NULL;
        s->refused = g;
        commit_repair(s);
        return;
    }
    s->group_durable = g->head.number;
    to->header_done = true;
    to->used = g->offset + g->head.length;
    s->applying = position_make(to->generation, g->offset);
    s->applied = position_make(to->generation, to->used);
    if (g->count > s->figures.group_messages_max)
        s->figures.group_messages_max = g->count;
    group_end(g);
    bodies_trim(s);
    commit_pump(s);
}

/* A place for the group; false when no segment is to be had now. */
static bool group_place(struct spool *s, struct group *g)
{
    uint64_t length = align_up(g->bytes, BLOCK_BYTES);
    size_t waiting;
    uint64_t waiting_bytes;

    if (s->current && s->current->used + length > s->current->size) {
        s->current->state = SEGMENT_USED;
        s->current = NULL;
    }
    if (!s->current) {
        (void)segments_reclaim(s, &waiting, &waiting_bytes);
        s->current = segment_take(s);
        segments_prepare(s);
    }
    if (!s->current)
        return false;
    g->segment = s->current;
    g->offset = s->current->used;
    g->head = (struct group_head){ .generation = s->current->generation,
                                   .number = ++s->group_number,
                                   .length = (uint32_t)length,
                                   .record_count = (uint32_t)g->count,
                                   .events_acked = s->events.acked };
    if (!s->current->header_done)
        g->header = header_make(s, s->current);
    return true;
}

static void fail_waiting(struct spool *s, enum err_kind kind, const char *why)
{
    struct list all;
    struct group *g;

    if (list_empty(&s->groups))
        return;
    list_init(&all);
    list_add_before(s->groups.next, &all); /* takes the head's place in the ring */
    list_remove(&s->groups);
    while ((g = LIST_FIRST(&all, struct group, link)) != NULL) {
        list_remove(&g->link);
        (void)err_set(&g->failed, kind, "%s", why);
        group_end(g);
    }
}

void commit_pump(struct spool *s)
{
    struct group *g = LIST_FIRST(&s->groups, struct group, link);

    if (!g || s->writing || s->repairing)
        return;
    if (s->read_only) {
        fail_waiting(s, ERR_IO, "the disk failed: nothing is written until it works again");
        return;
    }
    if (!g->urgent && g->link.next == &s->groups && s->settle_timer.place != 0 && !s->closing)
        return;
    if (!group_place(s, g)) {
        if (!s->segments.preparing)
            fail_waiting(s, ERR_FULL, "no segment is free");
        return;
    }
    timer_clear(&s->settle_timer);
    list_remove(&g->link);
    group_seal_all(g);
    s->writing = g;
    if (!worker_submit(s->commit_pool, group_write, group_done, g, &g->failed))
        group_done(g);
}

/* After a failure ----------------------------------------------------------------------------- */

struct repair {
    struct spool *spool;
    struct segment *to;
    char *header;
    struct err failed;
};

/* On a worker. */
static void repair_run(void *arg)
{
    struct repair *r = arg;
    struct iovec iov = { r->header, BLOCK_BYTES };
    bool ok = disk_file_write(r->to->file, 0, &iov, 1, &r->failed) &&
              disk_file_sync(r->to->file, &r->failed);

    assert(ok == (r->failed.kind == ERR_NONE));
}

static void repair_end(struct spool *s, bool works)
{
    struct group *refused = s->refused;

    if (s->read_only && works)
        alarm_tell(s, "disk-works-again", 0, "writing goes on in a new segment");
    if (!s->read_only && !works)
        alarm_tell(s, "read-only", 0, "no segment can be written; tried again every second");
    s->read_only = !works;
    s->refused = NULL;
    if (!works)
        timer_set(&s->repair_timer, loop_now_ms() + REPAIR_EVERY_MS);
    if (refused)
        group_end(refused);
    commit_pump(s);
}

static void repair_done(void *arg)
{
    struct repair *r = arg;
    struct spool *s = r->spool;
    bool works = r->failed.kind == ERR_NONE;

    s->repairing = false;
    if (works) {
        r->to->header_done = true;
        s->current = r->to;
    } else {
        r->to->state = SEGMENT_USED;
        r->to->last_number = s->group_durable;
    }
    free(r->header);
    free(r);
    repair_end(s, works);
}

void commit_repair(struct spool *s)
{
    struct segment *to;
    struct repair *r;
    size_t waiting;
    uint64_t waiting_bytes;

    if (s->repairing || s->current)
        return;
    (void)segments_reclaim(s, &waiting, &waiting_bytes);
    to = segment_take(s);
    segments_prepare(s);
    if (!to) {
        repair_end(s, false);
        return;
    }
    r = NEW(struct repair);
    *r = (struct repair){ .spool = s, .to = to, .header = header_make(s, to) };
    s->repairing = true;
    if (!worker_submit(s->commit_pool, repair_run, repair_done, r, &r->failed))
        repair_done(r);
}

static void repair_again(void *arg)
{
    commit_repair(arg);
}

static void turn_ended(void *arg)
{
    commit_pump(arg);
}

void commit_init(struct spool *s)
{
    list_init(&s->groups);
    gate_init(&s->room);
    timer_init(&s->settle_timer, settle_late, s);
    timer_init(&s->repair_timer, repair_again, s);
    turn_end_add(&s->turn_end, TURN_END_ORDER, turn_ended, s);
}

void commit_done(struct spool *s)
{
    timer_clear(&s->settle_timer);
    timer_clear(&s->repair_timer);
    turn_end_remove(&s->turn_end);
}

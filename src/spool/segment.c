// SPDX-License-Identifier: Apache-2.0
/* spool/segment.c - the table of segments: which are free, what keeps the others, and making new
 * ones ahead of need. */
#include "spool/internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FREE_WANTED = 2, ZERO_BYTES = 1024 * 1024 };

const char *segment_name(uint32_t slot, char name[32])
{
    (void)snprintf(name, 32, "seg-%08" PRIu32, slot);
    return name;
}

struct segment *segment_add(struct spool *s, const struct segment *of)
{
    struct segments *t = &s->segments;
    struct segment *g = NEW(struct segment);

    *g = *of;
    list_init(&g->link);
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 16;
        t->all = mem_grow(t->all, t->cap, sizeof(struct segment *));
    }
    t->all[t->count++] = g;
    t->bytes += g->size;
    if (g->slot >= t->slot_next)
        t->slot_next = g->slot + 1;
    if (g->generation > t->generation)
        t->generation = g->generation;
    if (g->state != SEGMENT_FREE) {
        idmap_put(&t->by_generation, g->generation, g);
        return g;
    }
    list_append(&t->free, &g->link);
    t->free_count++;
    return g;
}

struct segment *segment_at(const struct spool *s, uint64_t position)
{
    return idmap_find(&s->segments.by_generation, position_generation(position));
}

struct segment *segment_take(struct spool *s)
{
    struct segments *t = &s->segments;
    struct segment *g = LIST_FIRST(&t->free, struct segment, link);

    if (!g)
        return NULL;
    list_remove(&g->link);
    t->free_count--;
    assert(g->live_bytes == 0 && g->readers == 0);
    *g = (struct segment){ .slot = g->slot,
                           .size = g->size,
                           .file = g->file,
                           .state = SEGMENT_CURRENT,
                           .generation = ++t->generation,
                           .used = BLOCK_BYTES,
                           .last_number = UINT64_MAX };
    list_init(&g->link);
    idmap_put(&t->by_generation, g->generation, g);
    return g;
}

void segment_live(struct spool *s, uint64_t position, int64_t bytes)
{
    struct segment *g = segment_at(s, position);

    if (!g)
        return; /* lost, and told while opening */
    assert(bytes >= 0 || g->live_bytes >= (uint64_t)-bytes);
    g->live_bytes += (uint64_t)bytes;
}

/* Room for the next snapshot is not ours to take: without one no segment would ever be free again
 * on a disk that is full (fault D02). */
static uint64_t may_make(const struct spool *s)
{
    const struct segments *t = &s->segments;
    uint64_t kept = s->index.bytes + SNAPSHOT_BLOCK_MAX;
    uint64_t room = t->room_bytes > kept ? t->room_bytes - kept : 0;
    uint64_t max = s->options.disk_max_bytes;

    if (max > 0)
        room = max > t->bytes && max - t->bytes < room ? max - t->bytes : max > t->bytes ? room : 0;
    return room / s->options.segment_bytes;
}

size_t segments_available(const struct spool *s)
{
    return s->segments.free_count + (size_t)may_make(s);
}

/* Reuse --------------------------------------------------------------------------------------- */

static bool has_unread_events(const struct spool *s, const struct segment *g)
{
    return g->last_event > s->events.acked && s->events.acked < s->events.last;
}

/* Kept by something that a snapshot doesn't end (invariant 5). */
static bool is_needed(const struct spool *s, const struct segment *g)
{
    const struct parked *p = &s->parked;

    if (g->state != SEGMENT_USED || g->live_bytes > 0 || g->readers > 0)
        return true;
    if (p->from && (g->generation >= position_generation(p->from) ||
                    (p->chunked > 0 && g->generation >= p->floor)))
        return true;
    return has_unread_events(s, g);
}

static void segment_drop(struct spool *s, struct segment *g)
{
    struct segments *t = &s->segments;
    char name[32];

    never_mind(disk_remove(s->disk, segment_name(g->slot, name),
                           NULL)); /* seen again and dropped again if it fails */
    t->bytes -= g->size;
    for (size_t i = 0; i < t->count; i++)
        if (t->all[i] == g) {
            t->all[i] = t->all[--t->count];
            break;
        }
    disk_file_free(g->file);
    free(g);
}

static void segment_release(struct spool *s, struct segment *g)
{
    (void)idmap_take(&s->segments.by_generation, g->generation);
    if (g->size != s->options.segment_bytes) { /* cut short, or made under another configuration */
        segment_drop(s, g);
        return;
    }
    g->state = SEGMENT_FREE;
    list_append(&s->segments.free, &g->link);
    s->segments.free_count++;
}

/* Behind the last record that counts: what was written there was refused, or torn. The next segment
 * says so again, so no snapshot is waited for: one could not move on while every write fails. */
static bool is_void(const struct spool *s, const struct segment *g)
{
    return g->generation > position_generation(s->applied) && g->events == 0;
}

size_t segments_reclaim(struct spool *s, size_t *ret_waiting, uint64_t *ret_waiting_bytes)
{
    struct segments *t = &s->segments;
    size_t freed = 0;

    *ret_waiting = 0;
    *ret_waiting_bytes = 0;
    for (size_t i = t->count; i-- > 0;) {
        struct segment *g = t->all[i];

        if (is_needed(s, g))
            continue;
        if (g->generation < position_generation(s->snapshots.replay_from) || is_void(s, g)) {
            segment_release(s, g);
            freed++;
        } else {
            ++*ret_waiting;
            *ret_waiting_bytes += g->size;
        }
    }
    return freed;
}

/* Making new ones ----------------------------------------------------------------------------- */

struct prepare {
    struct spool *spool;
    struct disk *disk;
    struct segment made;
    uint64_t room_bytes;
    bool ok;
    struct err err;
};

/* Written once in full: a sync of blocks that were written before is twice as fast as of merely
 * allocated ones, and needs no journal. */
static bool zero_fill(struct disk_file *f, uint64_t size, struct err *err)
{
    void *zeros = mem_new(ZERO_BYTES);
    bool ok = true;

    for (uint64_t at = 0; ok && at < size; at += ZERO_BYTES) {
        struct iovec iov = { zeros, size - at < ZERO_BYTES ? size - at : ZERO_BYTES };

        ok = disk_file_write(f, at, &iov, 1, err);
    }
    free(zeros);
    return ok;
}

static bool make_file(struct prepare *p, const char *from, const char *to, struct err *err)
{
    return disk_file_open(p->disk, from, DISK_CREATE, &p->made.file, err) &&
           disk_file_allocate(p->made.file, p->made.size, err) &&
           zero_fill(p->made.file, p->made.size, err) && disk_file_sync(p->made.file, err) &&
           disk_rename(p->disk, from, to, err) && disk_sync_folder(p->disk, err);
}

/* On a worker. Under another name until it is whole, so that what is named seg- always is. */
static void prepare_run(void *arg)
{
    struct prepare *p = arg;
    char from[32], to[32];

    (void)snprintf(from, sizeof(from), "prepare-%08" PRIu32, p->made.slot);
    p->ok = make_file(p, from, segment_name(p->made.slot, to), &p->err);
    if (!p->ok) {
        disk_file_free(p->made.file);
        p->made.file = NULL;
        never_mind(disk_remove(p->disk, from, NULL));
        never_mind(disk_remove(p->disk, to, NULL));
    }
    if (!disk_free_bytes(p->disk, &p->room_bytes, NULL))
        p->room_bytes = 0;
}

static struct prepare prepare_make(struct spool *s)
{
    return (struct prepare){
        .spool = s,
        .disk = s->disk,
        .made = { .slot = s->segments.slot_next++,
                  .size = s->options.segment_bytes,
                  .state = SEGMENT_FREE,
                  .last_number = UINT64_MAX },
    };
}

static void prepare_end(struct prepare *p)
{
    struct spool *s = p->spool;

    s->segments.room_bytes = p->room_bytes;
    s->segments.prepare_failed = !p->ok;
    if (p->ok)
        (void)segment_add(s, &p->made);
}

static void prepare_done(void *arg)
{
    struct prepare *p = arg;
    struct spool *s = p->spool;
    bool told = s->segments.prepare_failed;

    s->segments.preparing = false;
    prepare_end(p);
    if (!p->ok && !told)
        alarm_tell(s, p->err.kind == ERR_FULL ? "disk-full" : "segment-failed", 0, "%s",
                   p->err.text);
    free(p);
    if (s->read_only)
        commit_repair(s);
    commit_pump(s);
    if (!s->segments.prepare_failed)
        segments_prepare(s);
}

void segments_prepare(struct spool *s)
{
    struct segments *t = &s->segments;
    struct prepare *p;

    if (t->preparing || s->closing || t->free_count >= FREE_WANTED || may_make(s) == 0)
        return;
    p = NEW(struct prepare);
    *p = prepare_make(s);
    t->preparing = worker_submit(s->prepare_pool, prepare_run, prepare_done, p, NULL);
    if (!t->preparing)
        free(p);
}

bool segment_prepare_now(struct spool *s, struct err *err)
{
    struct prepare p = prepare_make(s);

    prepare_run(&p);
    prepare_end(&p);
    if (!p.ok && err)
        *err = p.err;
    return p.ok;
}

void segments_done(struct spool *s)
{
    struct segments *t = &s->segments;

    for (size_t i = 0; i < t->count; i++) {
        disk_file_free(t->all[i]->file);
        free(t->all[i]);
    }
    free(t->all);
    idmap_done(&t->by_generation);
}

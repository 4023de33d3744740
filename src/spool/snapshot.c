// SPDX-License-Identifier: Apache-2.0
/* spool/snapshot.c - writes the index to disk while work goes on, and reads it back.
 *
 * Fuzzy: the log is replayed over it from the place where writing began, so an entry may be newer
 * than that place, and what was settled for good meanwhile may be in it or not. */
#include "spool/internal.h"

#include <inttypes.h>
#include <stdlib.h>

static const char name_new[] = "snapshot-new";

#define TALLY_BYTES_MAX (UINT32_MAX / 2)

struct writer {
    struct spool *spool;
    struct disk *disk;
    struct disk_file *file;
    struct buf payload;
    struct snapshot_block block;
    uint64_t at;     /* in the file */
    uint64_t number; /* of the snapshot */
    bool last;
    struct err err;
};

/* On a worker. */
static void block_write(void *arg)
{
    struct writer *w = arg;
    struct iovec iov[] = { { &w->block, sizeof(w->block) }, { w->payload.ptr, w->payload.len } };

    if (!w->file) {
        never_mind(disk_remove(w->disk, name_new, NULL)); /* of one that died; absent as a rule */
        if (!disk_file_open(w->disk, name_new, DISK_CREATE, &w->file, &w->err))
            return;
    }
    if (!disk_file_write(w->file, w->at, iov, w->payload.len > 0 ? 2 : 1, &w->err))
        return;
    w->at += sizeof(w->block) + w->block.len;
}

/* On a worker: named only when whole, and the older one dropped only when the name is durable. */
static void finish(void *arg)
{
    struct writer *w = arg;
    char name[32];

    if (!disk_file_sync(w->file, &w->err) ||
        !disk_rename(w->disk, name_new, snapshot_name(w->number, name), &w->err) ||
        !disk_sync_folder(w->disk, &w->err))
        return;
    if (w->number > 2)
        never_mind(disk_remove(w->disk, snapshot_name(w->number - 2, name), NULL));
}

static bool flush(struct writer *w, struct err *err)
{
    snapshot_block_seal(&w->block, buf_str(&w->payload));
    if (!worker_run(w->spool->read_pool, block_write, w, err))
        return false;
    if (w->err.kind != ERR_NONE) {
        if (err)
            *err = w->err;
        return false;
    }
    w->block.number++;
    buf_clear(&w->payload);
    return true;
}

static bool write_all(struct writer *w, struct err *err)
{
    struct spool *s = w->spool;
    const struct spool_message *m;
    size_t at = 0;

    while ((m = index_each(&s->index, &at)) != NULL) {
        snapshot_entry_write(&w->payload, m);
        w->block.count++;
        if (w->payload.len >= SNAPSHOT_BLOCK_MAX && !flush(w, err))
            return false;
    }
    if (w->payload.len > 0 && !flush(w, err))
        return false;
    if (!flush(w, err) || !worker_run(s->read_pool, finish, w, err)) /* the empty one ends it */
        return false;
    if (w->err.kind != ERR_NONE && err)
        *err = w->err;
    return w->err.kind == ERR_NONE;
}

/* The whole of it, or no snapshot: one that forgets counts would let them be made again. */
static bool tally_write(struct spool *s, struct buf *to, struct err *err)
{
    const struct spool_tally *t = &s->options.tally;

    if (!t->write)
        return true;
    return t->write(t->arg, to) ? true : err_set(err, ERR_LIMIT, "the tally is too large");
}

bool snapshot_write(struct spool *s, struct err *err)
{
    struct snapshot_facts facts = { .replay_from = s->applied,
                                    .number = s->group_durable,
                                    .id_last = s->id_last,
                                    .events_acked = s->events.acked,
                                    .events_last = s->events.last,
                                    .generation = s->segments.generation,
                                    .parked = s->parked };
    struct writer w = { .spool = s, .disk = s->disk, .number = s->snapshots.number + 1 };
    struct buf tally;
    bool ok;

    s->snapshots.busy = true;
    buf_init(&w.payload, SIZE_MAX / 2);
    buf_init(&tally, TALLY_BYTES_MAX);
    ok = tally_write(s, &tally, err); /* nothing waits since `applied` was looked at */
    facts.tally = buf_str(&tally);
    ok = ok && (snapshot_facts_write(&w.payload, &facts) ||
                err_set(err, ERR_LIMIT, "a snapshot's facts are too large"));
    buf_done(&tally);
    ok = ok && flush(&w, err) && write_all(&w, err);
    disk_file_free(w.file);
    buf_done(&w.payload);
    s->snapshots.busy = false;
    if (!ok)
        return false;
    s->snapshots.number = w.number;
    s->snapshots.replay_from = facts.replay_from;
    return true;
}

/* Reading ------------------------------------------------------------------------------------- */

struct reading {
    struct disk_file *file;
    uint64_t at, size;
    struct buf payload;
    struct snapshot_block block;
};

static bool block_read(struct reading *r, struct err *err)
{
    uint64_t number = r->block.number;
    char *to;

    if (!disk_file_read(r->file, r->at, &r->block, sizeof(r->block), err))
        return false;
    r->at += sizeof(r->block);
    buf_clear(&r->payload);
    if (r->block.magic != SNAPSHOT_MAGIC || r->block.len > r->size - r->at)
        return err_set(err, ERR_DAMAGED, "no block at %" PRIu64, r->at);
    to = buf_room(&r->payload, r->block.len);
    if (!disk_file_read(r->file, r->at, to, r->block.len, err))
        return false;
    r->payload.len = r->block.len;
    if (!snapshot_block_ok(&r->block, buf_str(&r->payload)) ||
        (r->at > sizeof(r->block) && r->block.number != number + 1))
        return err_set(err, ERR_DAMAGED, "block at %" PRIu64 " does not match its sum", r->at);
    r->at += r->block.len;
    return true;
}

static bool entries_read(struct spool *s, struct reading *r, struct err *err)
{
    struct spool_message *m;
    uint64_t count = 0;

    for (;;) {
        struct str rest;

        if (!block_read(r, err))
            return false;
        rest = buf_str(&r->payload);
        if (rest.len == 0)
            break;
        while (rest.len > 0) {
            if (!snapshot_entry_read(&rest, &m))
                return err_set(err, ERR_DAMAGED, "entry is not one that we wrote");
            index_put(&s->index, m);
            count++;
        }
    }
    return count == r->block.count ? true : err_set(err, ERR_DAMAGED, "entries are missing");
}

static void forget_all(struct spool *s)
{
    struct spool_message *m;

    for (size_t at = 0; (m = index_each(&s->index, &at)) != NULL;)
        message_free_unaccounted(m);
    index_done(&s->index);
    index_init(&s->index);
}

static bool facts_read(struct reading *r, struct arena *a, struct snapshot_facts *ret,
                       struct err *err)
{
    if (!block_read(r, err))
        return false;
    if (!snapshot_facts_read(buf_str(&r->payload), ret))
        return err_set(err, ERR_DAMAGED, "facts are not ones that we wrote");
    ret->tally = arena_str(a, ret->tally);
    return true;
}

bool snapshot_read(struct spool *s, uint64_t number, struct arena *a, struct snapshot_facts *ret,
                   struct err *err)
{
    struct reading r = { 0 };
    char name[32];
    bool ok;

    buf_init(&r.payload, SIZE_MAX / 2);
    ok = disk_file_open(s->disk, snapshot_name(number, name), DISK_READ, &r.file, err) &&
         disk_file_size(r.file, &r.size, err) && facts_read(&r, a, ret, err) &&
         entries_read(s, &r, err);
    disk_file_free(r.file);
    buf_done(&r.payload);
    if (ok)
        return true;
    forget_all(s);
    return err_at(err, "%s", name);
}

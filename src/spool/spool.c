// SPDX-License-Identifier: Apache-2.0
/* spool/spool.c - opening and closing, alarms, figures. */
#include "spool/spool.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/clock.h"
#include "spool/recover.h"

enum { ALARMS_KEPT = 100, BLOCKS_KEPT = 16 * 1024 * 1024, READ_THREADS = 2, READS_MAX = 4096 };

void spool_options_default(struct spool_options *o)
{
    *o = (struct spool_options){
        .segment_bytes = 64 * 1024 * 1024,
        .reserve_bytes = 128 * 1024 * 1024,
        .events_disk_max_bytes = UINT64_C(8) << 30,
        .content_memory_max_bytes = 256 * 1024 * 1024,
        .index_rcpts_max = 2000000,
        .group_bytes_max = 4 * 1024 * 1024,
    };
}

/* Alarms -------------------------------------------------------------------------------------- */

void alarm_tell(struct spool *s, const char *kind, uint64_t message, const char *fmt, ...)
{
    struct alarm *a = NEW(struct alarm);
    va_list args;

    a->kind = kind;
    a->message = message;
    va_start(args, fmt);
    (void)vsnprintf(a->text, sizeof(a->text), fmt, args);
    va_end(args);
    if (s->alarm_fn) {
        s->alarm_fn(s->alarm_arg, kind, message, a->text);
        free(a);
    } else if (s->alarm_count < ALARMS_KEPT) {
        s->alarm_count++;
        list_append(&s->alarms, &a->link);
    } else {
        free(a);
    }
}

static void alarms_tell_kept(struct spool *s, bool tell)
{
    LIST_EACH (&s->alarms, struct alarm, a, link) {
        if (tell)
            s->alarm_fn(s->alarm_arg, a->kind, a->message, a->text);
        list_remove(&a->link);
        free(a);
    }
    s->alarm_count = 0;
}

void spool_on_alarm(struct spool *s,
                    void (*fn)(void *arg, const char *kind, uint64_t message, const char *text),
                    void *arg)
{
    s->alarm_fn = fn;
    s->alarm_arg = arg;
    if (fn)
        alarms_tell_kept(s, true);
}

/* Opening ------------------------------------------------------------------------------------- */

static bool options_ok(const struct spool_options *o, struct err *err)
{
    if (o->segment_bytes % BLOCK_BYTES != 0 || o->segment_bytes < 64 * BLOCK_BYTES)
        return err_set(err, ERR_CONFIG, "segments are whole blocks of %d, at least 64 of them",
                       BLOCK_BYTES);
    if (o->disk_max_bytes > 0 && o->disk_max_bytes / o->segment_bytes < 4)
        return err_set(err, ERR_CONFIG, "the spool needs room for at least four segments");
    return true;
}

static bool threads_start(struct spool *s, struct err *err)
{
    return worker_pool_new("spool-commit", 1, 4, &s->commit_pool, err) &&
           worker_pool_new("spool-read", READ_THREADS, READS_MAX, &s->read_pool, err) &&
           worker_pool_new("spool-prepare", 1, 2, &s->prepare_pool, err);
}

/* The newest snapshot that holds; facts of none mean: everything that is there. False: one cannot
 * be read now. An older one would not do: segments were reused since on the word of this one. */
static bool snapshot_load(struct spool *s, const struct folder *f, struct arena *a,
                          struct snapshot_facts *facts, struct err *err)
{
    struct err why;

    *facts = (struct snapshot_facts){ 0 };
    for (size_t i = f->snapshot_count; i-- > 0;) {
        if (f->snapshots[i] > s->snapshots.number)
            s->snapshots.number = f->snapshots[i];
        if (facts->id_last != 0 || facts->replay_from != 0 ||
            snapshot_read(s, f->snapshots[i], a, facts, &why))
            continue;
        *facts = (struct snapshot_facts){ 0 };
        if (why.kind != ERR_DAMAGED)
            return err_set(err, why.kind, "%s", why.text);
        alarm_tell(s, "snapshot-damaged", 0, "%s", why.text);
    }
    return true;
}

static void snapshot_account(struct spool *s)
{
    const struct spool_message *m;

    for (size_t at = 0; (m = index_each(&s->index, &at)) != NULL;)
        message_account(s, m, 1);
}

/* Messages whose segment is not there are named to the operator; asked after the replay, which may
 * have told of a move out of it. */
static void lost_tell(struct spool *s, struct spool_recovery *found)
{
    struct spool_message *m;

    for (size_t at = 0; (m = index_each(&s->index, &at)) != NULL;) {
        if (segment_at(s, m->position))
            continue;
        found->messages_damaged++;
        alarm_tell(s, "message-lost", m->id, "its segment, generation %" PRIu32 ", is not there",
                   position_generation(m->position));
        message_end(s, m);
    }
}

static void facts_take(struct spool *s, const struct snapshot_facts *f)
{
    s->snapshots.replay_from = f->replay_from;
    s->applied = f->replay_from;
    s->id_last = f->id_last;
    s->events.acked = f->events_acked;
    s->events.last = f->events_last;
    s->parked = f->parked;
    if (f->generation > s->segments.generation)
        s->segments.generation = (uint32_t)f->generation;
    /* Which events lie in segments that are not replayed is not known: all up to their end, unless
     * acknowledged. */
    for (size_t i = 0; i < s->segments.count; i++) {
        struct segment *g = s->segments.all[i];

        if (g->state == SEGMENT_USED && g->generation >= position_generation(f->events_acked))
            g->last_event = position_make(g->generation, g->size - 1);
    }
}

/* What a tally does not know how to read it does not have. */
static void tally_read(struct spool *s, struct str bytes)
{
    const struct spool_tally *t = &s->options.tally;
    struct err why;

    if (t->read && bytes.len > 0 && !t->read(t->arg, bytes, &why))
        alarm_tell(s, "tally-damaged", 0, "%s", why.text);
}

static bool recover_log(struct spool *s, struct spool_recovery *found, struct arena *a,
                        struct err *err)
{
    struct folder folder = { 0 };
    struct snapshot_facts facts;

    /* Names too may have been given by a process that was killed before it had synced them. */
    if (!folder_read(s, &folder, found, err) || !disk_sync_folder(s->disk, err) ||
        !snapshot_load(s, &folder, a, &facts, err))
        return false;
    facts_take(s, &facts);
    tally_read(s, facts.tally);
    snapshot_account(s);
    return recover_replay(s, &facts, found, err);
}

static bool recover(struct spool *s, struct spool_recovery *found, struct err *err)
{
    struct arena a;
    size_t waiting;
    uint64_t bytes;
    bool ok;

    arena_init(&a, 4096);
    ok = recover_log(s, found, &a, err);
    arena_done(&a);
    if (!ok)
        return false;
    lost_tell(s, found);
    s->events.memory_from = s->applied;
    found->segments = s->segments.count;
    found->messages = s->index.count;
    found->rcpts = s->index.rcpts;
    found->parked = s->parked.count;
    (void)segments_reclaim(s, &waiting, &bytes);
    if (!disk_free_bytes(s->disk, &s->segments.room_bytes, err))
        return false;
    return s->segments.free_count > 0 || segments_available(s) == 0 || segment_prepare_now(s, err);
}

/* What is pinned to the end goes, too: nobody may use it after the close. */
static void messages_free(struct spool *s)
{
    struct spool_message *m;

    for (size_t at = 0; (m = index_each(&s->index, &at)) != NULL;) {
        body_drop(s, m);
        message_free_unaccounted(m);
    }
    while ((m = s->gone) != NULL) {
        s->gone = m->next;
        body_drop(s, m);
        message_free_unaccounted(m);
    }
}

static void spool_free(struct spool *s)
{
    worker_pool_free(s->commit_pool);
    worker_pool_free(s->read_pool);
    worker_pool_free(s->prepare_pool);
    commit_done(s);
    messages_free(s);
    index_done(&s->index);
    events_done(s);
    segments_done(s);
    alarms_tell_kept(s, false);
    block_pool_done(&s->blocks);
    buf_done(&s->scratch);
    buf_done(&s->scratch2);
    disk_free(s->disk);
    free(s);
}

static struct spool *spool_new(const struct spool_options *o)
{
    struct spool *s = NEW(struct spool);

    s->options = *o;
    if (s->options.group_bytes_max > o->segment_bytes / 4)
        s->options.group_bytes_max = o->segment_bytes / 4;
    s->opening = true;
    s->blocks.unused_max = BLOCKS_KEPT;
    list_init(&s->segments.free);
    idmap_init(&s->segments.by_generation);
    index_init(&s->index);
    list_init(&s->bodies);
    list_init(&s->alarms);
    gate_init(&s->moved);
    buf_init(&s->scratch, o->segment_bytes);
    buf_init(&s->scratch2, o->segment_bytes);
    events_init(s);
    commit_init(s);
    return s;
}

bool spool_open(const struct spool_options *o, struct spool **ret, struct spool_recovery *ret_found,
                struct err *err)
{
    int64_t began = clock_mono_ms();
    struct spool *s;

    *ret_found = (struct spool_recovery){ 0 };
    if (!options_ok(o, err))
        return false;
    s = spool_new(o);
    if (!disk_open(o->folder, &s->disk, err) || !recover(s, ret_found, err) ||
        !threads_start(s, err)) {
        spool_free(s);
        return err_at(err, "spool %s", o->folder);
    }
    s->opening = false;
    segments_prepare(s);
    ret_found->took_ms = clock_mono_ms() - began;
    *ret = s;
    return true;
}

/* Nothing is in flight and nothing waits. */
static bool is_quiet(const struct spool *s)
{
    return list_empty(&s->groups) && !s->writing && !s->repairing && !s->segments.preparing &&
           !s->snapshots.busy;
}

void spool_close(struct spool *s)
{
    if (!s)
        return;
    s->closing = true;
    while (!is_quiet(s))
        never_mind(fiber_sleep(1, NULL));
    if (!s->read_only)
        never_mind(snapshot_write(s, NULL)); /* without it the next start only replays more */
    spool_free(s);
}

/* Figures ------------------------------------------------------------------------------------- */

static uint64_t events_behind(const struct spool *s)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < s->segments.count; i++)
        if (s->segments.all[i]->last_event > s->events.acked && s->events.acked < s->events.last)
            bytes += s->segments.all[i]->size;
    return bytes;
}

void spool_figures(const struct spool *s, struct spool_figures *ret)
{
    *ret = s->figures;
    ret->messages = s->index.count;
    ret->rcpts = s->index.rcpts;
    ret->parked_messages = s->parked.count;
    ret->segments_free = s->segments.free_count;
    ret->segments_used = s->segments.count - s->segments.free_count;
    ret->disk_bytes = s->segments.bytes;
    ret->content_memory_bytes = s->blocks.used_bytes;
    ret->index_memory_bytes = s->index.bytes;
    ret->events_behind_bytes = events_behind(s);
    ret->events_dropped = s->events.dropped;
    ret->read_only = s->read_only;
}

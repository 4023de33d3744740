// SPDX-License-Identifier: Apache-2.0
/* spool/apply.c - what a durable record does to the index: the same for one just written and for
 * one replayed. Doing it twice is doing it once, so that a snapshot may be older than some of what
 * it holds. */
#include "spool/internal.h"

#include <inttypes.h>

void seen_id(struct spool *s, uint64_t id)
{
    if (id > s->id_last)
        s->id_last = id;
}

void tally_count(struct spool *s, const struct envelope *e, struct str mark)
{
    const struct spool_tally *t = &s->options.tally;

    if (t->count && mark.len > 0)
        t->count(t->arg, e, mark);
}

/* By the record alone: the index may hold the message already, or have seen its end (fuzzy
 * snapshots), or not take it in (parked). */
static void replay_tally(struct spool *s, const struct message_part *p)
{
    struct envelope e;
    struct arena a;

    if (p->mark.len == 0)
        return;
    arena_init(&a, 4096);
    if (envelope_read(p->envelope, &a, &e, NULL))
        tally_count(s, &e, p->mark);
    arena_done(&a);
}

struct spool_message *apply_message(struct spool *s, uint64_t id, uint64_t position,
                                    uint32_t content_len, const struct message_part *p)
{
    struct spool_message *m = index_find(&s->index, id);

    seen_id(s, id);
    if (m)
        return m;
    if (park_is_due(s)) {
        park(s, id, position, p);
        return NULL;
    }
    m = message_new(id, position, content_len, p);
    index_put(&s->index, m);
    message_account(s, m, 1);
    return m;
}

/* A settle or move of a message that was parked when the snapshot was made, and brought in later:
 * bring it in. */
static struct spool_message *find_or_unpark(struct spool *s, uint64_t id)
{
    struct spool_message *m = index_find(&s->index, id);

    if (m || !s->opening || s->parked.from == 0 || id < s->parked.from_id)
        return m;
    park_replay(s, id);
    return index_find(&s->index, id);
}

void apply_settle(struct spool *s, uint64_t id, const struct settle_part *p)
{
    struct spool_message *m = find_or_unpark(s, id);

    if (!m)
        return; /* its last recipient was settled later than this, before the snapshot came to it */
    for (uint32_t i = 0; i < p->count; i++) {
        struct settle_state to;

        memcpy(&to, p->states + i, sizeof(to));
        if (to.rcpt >= m->rcpt_count || m->rcpts[to.rcpt].state == RCPT_DONE)
            continue;
        m->rcpts[to.rcpt] = to.now;
        if (to.now.state == RCPT_DONE) {
            m->live_count--;
            s->index.rcpts--;
        }
    }
    if (m->live_count == 0)
        message_end(s, m);
}

void apply_move(struct spool *s, uint64_t id, uint64_t position, uint32_t content_len,
                uint8_t flags, const struct message_part *p)
{
    struct spool_message *m = find_or_unpark(s, id), *moved;

    seen_id(s, id);
    moved = message_new(id, position, content_len, p);
    if (moved->live_count == 0 || (!m && !s->opening)) {
        message_free_unaccounted(moved);
        return;
    }
    if (flags & RECORD_CONTENT_LOST)
        moved->flags |= MESSAGE_CONTENT_LOST;
    if (!m) {
        index_put(&s->index, moved);
        message_account(s, moved, 1);
        return;
    }
    message_account(s, m, -1);
    body_drop(s, m); /* its pieces went by the old extents */
    s->index.bytes -= message_bytes(m);
    message_relocate(m, moved);
    s->index.bytes += message_bytes(m);
    message_account(s, m, 1);
    message_free_unaccounted(moved);
}

static void replay_content_bad(struct spool *s, const struct record_view *v, struct replay *r)
{
    r->damaged++;
    if (v->head.kind != RECORD_CHUNK)
        r->messages_damaged++;
    alarm_tell(s, "record-damaged", v->head.id,
               "content of %" PRIu32 " bytes does not match its sum", v->head.content_len);
}

static void replay_settle(struct spool *s, const struct record_view *v, uint64_t position)
{
    struct settle_part p;
    struct message_part dsn;

    if (!settle_part_read(v->envelope, &p))
        return;
    apply_settle(s, v->head.id, &p);
    events_note(s, position, p.event_count);
    if (p.dsn == 0 || !message_part_read(p.message, &dsn))
        return;
    (void)apply_message(s, p.dsn, position, v->head.content_len, &dsn);
    events_note(s, position + p.event_count, 1);
}

void apply_record(struct spool *s, const struct record_view *v, uint64_t position, struct replay *r)
{
    struct message_part p;

    if (!v->envelope_ok) {
        r->damaged++;
        r->messages_damaged += v->head.kind != RECORD_CHUNK;
        alarm_tell(s, "record-damaged", v->head.id,
                   "envelope part of a record of kind %u at %" PRIx64 " does not match its sum",
                   v->head.kind, position);
        return;
    }
    if (!v->content_ok)
        replay_content_bad(
            s, v,
            r); /* the message lives on: reading its content says so, and its sender is told */
    switch (v->head.kind) {
    case RECORD_MESSAGE:
        if (!message_part_read(v->envelope, &p))
            return;
        (void)apply_message(s, v->head.id, position, v->head.content_len, &p);
        replay_tally(s, &p);
        events_note(s, position, 1);
        return;
    case RECORD_SETTLE:
        replay_settle(s, v, position);
        return;
    case RECORD_MOVE:
        if (message_part_read(v->envelope, &p))
            apply_move(s, v->head.id, position, v->head.content_len, v->head.flags, &p);
        return;
    default:
        return; /* a chunk is nothing without its message */
    }
}

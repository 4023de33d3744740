// SPDX-License-Identifier: Apache-2.0
/* spool/settle.c - recipients' new states, their events and the notification, in one record: never
 * two of them apart (invariant 2, fault C09). */
#include "spool/internal.h"

#include <assert.h>
#include <stdlib.h>

struct settle {
    struct durable durable;
    struct spool_message *message;
    const struct settle_dsn *dsn;
    struct envelope envelope; /* of the notification, sizes filled in */
    uint64_t dsn_id;
    struct spool_message *dsn_message;
    struct extent *extents;
    size_t extent_count;
    uint64_t original_bytes;
};

/* How much of the original can be given back. What is damaged can't: then the notification goes
 * without it. */
static bool original_measure(struct spool *s, struct settle *t, struct err *err)
{
    struct spool_message *m = t->message;
    struct envelope e;
    struct arena a;
    struct err why = { 0 };
    uint64_t start = 0;
    bool ok = true;

    t->original_bytes = m->size_bytes;
    if (!t->dsn->original_full) {
        arena_init(&a, 4096);
        ok = spool_envelope(s, m, &a, &e, &why);
        t->original_bytes = ok && e.header_bytes < m->size_bytes ? e.header_bytes
                            : ok                                 ? m->size_bytes
                                                                 : 0;
        arena_done(&a);
    }
    for (size_t i = 0; ok && start < t->original_bytes && i < message_extent_count(m); i++) {
        struct piece *piece;

        ok = extent_read(s, m, i, &piece, &why);
        if (ok)
            piece_drop(&s->blocks, piece);
        start += message_extent(m, i).len;
    }
    if (ok)
        return true;
    t->original_bytes = 0;
    if (why.kind == ERR_DAMAGED)
        return true;
    if (err)
        *err = why;
    return false;
}

/* Head, the original's extents, tail. */
static void extents_make(struct settle *t)
{
    struct spool_message *m = t->message;
    uint64_t left = t->original_bytes;
    size_t n = 0;

    t->extents = NEW_ARRAY(struct extent, message_extent_count(m) + 2);
    t->extents[n++] = (struct extent){ .len = (uint32_t)t->dsn->head.len };
    for (size_t i = 0; left > 0 && i < message_extent_count(m); i++) {
        struct extent x = message_extent(m, i);

        if (x.len > left)
            x.len = (uint32_t)left;
        left -= x.len;
        t->extents[n++] = x;
    }
    t->extents[n++] =
        (struct extent){ .offset = (uint32_t)t->dsn->head.len, .len = (uint32_t)t->dsn->tail.len };
    t->extent_count = n;
}

static bool dsn_part_write(struct settle *t, struct buf *to)
{
    const struct settle_dsn *dsn = t->dsn;
    size_t header_end = str_find(dsn->head, STR("\r\n\r\n"));
    struct message_part p;
    struct buf envelope;
    bool ok;

    extents_make(t);
    t->envelope = dsn->envelope;
    t->envelope.flags |= ENVELOPE_DSN;
    t->envelope.size_bytes = dsn->head.len + t->original_bytes + dsn->tail.len;
    t->envelope.header_bytes =
        (uint32_t)(header_end < dsn->head.len ? header_end + 4 : dsn->head.len);
    buf_init(&envelope, ENVELOPE_BYTES_MAX);
    ok = envelope_write(&envelope, &t->envelope);
    p = (struct message_part){ .account = t->envelope.account,
                               .size_bytes = t->envelope.size_bytes,
                               .accepted_wall_ms = t->envelope.accepted_wall_ms,
                               .rcpt_count = (uint32_t)t->envelope.rcpt_count,
                               .extents = t->extents,
                               .extent_count = (uint32_t)t->extent_count,
                               .envelope = buf_str(&envelope) };
    ok = ok && message_part_write(to, &p);
    buf_done(&envelope);
    return ok;
}

static void events_write(struct buf *to, const struct settle *t, const struct settle_rcpt *rcpts,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct event e = rcpts[i].event;

        e.position = 0;
        e.message = t->message->id;
        e.rcpt = rcpts[i].rcpt;
        if (t->dsn)
            e.dsn = t->dsn_id;
        event_write(to, &e);
    }
}

static struct piece *dsn_content(struct spool *s, const struct settle_dsn *dsn)
{
    size_t len = dsn->head.len + dsn->tail.len;
    struct piece *piece = piece_new(&s->blocks, len);

    if (dsn->head.len > 0)
        memcpy(piece->block->bytes, dsn->head.ptr, dsn->head.len);
    if (dsn->tail.len > 0)
        memcpy(piece->block->bytes + dsn->head.len, dsn->tail.ptr, dsn->tail.len);
    piece->len = (uint32_t)len;
    return piece;
}

static void dsn_keep(struct spool *s, struct settle *t, struct record *r, struct str envelope)
{
    struct piece **pieces = NEW_ARRAY(struct piece *, t->extent_count);
    const struct body *from = t->message->body;

    for (size_t i = 0; i < t->extent_count; i++)
        pieces[i] = t->extents[i].position == 0 ? r->piece : from ? from->pieces[i - 1] : NULL;
    body_put(s, t->dsn_message, r->front, envelope, pieces, t->extent_count, NULL);
    r->front = NULL;
    free(pieces);
}

static void settle_done(struct spool *s, struct record *r, uint64_t position,
                        const struct err *failed)
{
    struct settle *t = r->arg;
    struct settle_part p;
    struct message_part dsn;

    if (!failed && settle_part_read(front_envelope(r->front), &p)) {
        apply_settle(s, t->message->id, &p);
        events_push(s, p.events, p.event_count, position, 0);
        s->figures.settles++;
        if (t->dsn && message_part_read(p.message, &dsn)) {
            t->dsn_message = apply_message(s, t->dsn_id, position, r->piece->len, &dsn);
            events_accepted(s, &t->envelope, t->dsn_id, position, p.event_count);
            if (t->dsn_message)
                dsn_keep(s, t, r, dsn.envelope);
        }
    }
    durable_tell(&t->durable, failed);
}

static struct settle_state *states_make(const struct spool_message *m,
                                        const struct settle_rcpt *rcpts, size_t count)
{
    struct settle_state *states = NEW_ARRAY(struct settle_state, count + 1);

    for (size_t i = 0; i < count; i++) {
        assert(rcpts[i].rcpt < m->rcpt_count);
        states[i].rcpt = rcpts[i].rcpt;
        states[i].now.due_wall_ms =
            rcpts[i].now.due_wall_ms; /* by member: no stray bytes on disk */
        states[i].now.tries = rcpts[i].now.tries;
        states[i].now.state = rcpts[i].now.state;
        states[i].now.flags = rcpts[i].now.flags;
    }
    return states;
}

/* Makes the record; nothing waits from here to commit_add, so ids stand in the log in their order.
 */
static bool record_make(struct spool *s, struct settle *t, const struct settle_rcpt *rcpts,
                        size_t count, struct record *ret, struct err *err)
{
    struct settle_part p = { .count = (uint32_t)count, .event_count = (uint32_t)count };
    struct settle_state *states = states_make(t->message, rcpts, count);
    size_t content_len = t->dsn ? t->dsn->head.len + t->dsn->tail.len : 0;
    struct buf message, whole;
    bool ok;

    buf_init(&message, 2 * ENVELOPE_BYTES_MAX);
    buf_init(&whole, record_bytes_max(s));
    buf_clear(&s->scratch);
    t->dsn_id = t->dsn ? id_next(s) : 0;
    events_write(&s->scratch, t, rcpts, count);
    ok = buf_ok(&s->scratch) && (!t->dsn || dsn_part_write(t, &message));
    p.dsn = t->dsn_id;
    p.states = states;
    p.events = buf_str(&s->scratch);
    p.message = buf_str(&message);
    ok = ok && settle_part_write(&whole, &p) &&
         record_size(whole.len, content_len) <= record_bytes_max(s);
    if (ok) {
        ret->piece = t->dsn ? dsn_content(s, t->dsn) : NULL;
        ret->front = front_new(s, RECORD_SETTLE, t->message->id, buf_str(&whole), ret->piece);
    }
    buf_done(&message);
    buf_done(&whole);
    free(states);
    return ok ? true : err_set(err, ERR_LIMIT, "settle record too large for a segment");
}

bool spool_settle(struct spool *s, struct spool_message *m, const struct settle_rcpt *rcpts,
                  size_t count, const struct settle_dsn *dsn, uint64_t *ret_dsn_id,
                  struct spool_message **ret_dsn, struct err *err)
{
    struct settle t = { .message = m, .dsn = dsn };
    struct record r = { .done = settle_done, .arg = &t };
    bool ok;

    durable_init(&t.durable);
    spool_pin(m);
    m->settling++;
    while (dsn &&
           (m->flags & MESSAGE_MOVING)) /* the extents to refer to are those of its new place */
        gate_wait_always(&s->moved);
    ok = (!dsn || original_measure(s, &t, err)) && record_make(s, &t, rcpts, count, &r, err);
    if (ok) {
        commit_add(s, &r, dsn != NULL);
        ok = durable_wait(&t.durable, err);
    }
    m->settling--;
    spool_unpin(s, m);
    free(t.extents);
    if (!ok)
        return false;
    if (ret_dsn_id)
        *ret_dsn_id = t.dsn_id;
    if (ret_dsn)
        *ret_dsn = t.dsn_message;
    return true;
}

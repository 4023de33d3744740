// SPDX-License-Identifier: Apache-2.0
/* spool/receive.c - a message on its way in: content gathered up to 64 KiB, more goes ahead as
 * chunk records; the message record, last, is the commit. A large message's chunks leave memory as
 * soon as they are durable, so that 50 MB take no more of it than 50 KB. */
#include "spool/internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "io/clock.h"

enum {
    EXTENTS_MAX = 65536,
    LARGE_BYTES = 1024 * 1024, /* messages over this do not wait in memory for the first attempt */
};

struct spool_tx {
    struct spool *spool;
    struct piece *open;    /* gathers; NULL: nothing yet */
    struct piece **chunks; /* given to commit already */
    size_t count, cap;
    size_t forgotten; /* so many of them, the first, have left memory */
    uint64_t bytes;
    struct str mark; /* the caller's */
    bool moves;      /* compaction's: may use the reserve */
    bool full;       /* no room: the rest is not taken, commit tells */
    struct durable chunk_done;
};

uint64_t id_next(struct spool *s)
{
    uint64_t now = (uint64_t)clock_wall_ms() << 20;

    s->id_last = now > s->id_last ? now : s->id_last + 1;
    return s->id_last;
}

bool may_accept(const struct spool *s, struct err *err)
{
    size_t reserve = (size_t)(s->options.reserve_bytes / s->options.segment_bytes);

    if (s->read_only)
        return err_set(err, ERR_IO, "the disk failed: nothing is written until it works again");
    if (segments_available(s) < (reserve > 2 ? reserve : 2))
        return err_set(err, ERR_FULL, "the disk is full but for what settling needs");
    return true;
}

bool spool_accepts(const struct spool *s)
{
    return may_accept(s, NULL);
}

bool spool_is_behind(const struct spool *s)
{
    return s->pending_bytes > s->options.group_bytes_max * 2;
}

struct gate *spool_room(struct spool *s)
{
    return &s->room;
}

struct spool_tx *spool_begin(struct spool *s)
{
    struct spool_tx *tx = NEW(struct spool_tx);

    tx->spool = s;
    durable_init(&tx->chunk_done);
    return tx;
}

void spool_mark(struct spool_tx *tx, struct str mark)
{
    tx->mark = mark;
}

/* What transactions hold beside the content that is on its way to the disk; ring credit bounds
 * that. */
static bool is_held_over(const struct spool *s, uint64_t max)
{
    return s->blocks.used_bytes > max + s->body_bytes + s->pending_bytes;
}

/* Chunks are done with in their order. One that failed dooms the message, whose bytes still come.
 */
static void chunks_forget(struct spool_tx *tx)
{
    struct spool *s = tx->spool;

    if (tx->bytes <= LARGE_BYTES && !tx->moves &&
        !is_held_over(s, s->options.content_memory_max_bytes / 2))
        return;
    for (; tx->forgotten < tx->count; tx->forgotten++) {
        struct piece *piece = tx->chunks[tx->forgotten];

        if (!piece->durable && !piece->failed)
            return;
        piece_forget(&s->blocks, piece);
    }
}

static void chunk_done(struct spool *s, struct record *r, uint64_t position,
                       const struct err *failed)
{
    struct piece *piece = r->piece;

    piece->durable = !failed;
    piece->failed = failed != NULL;
    piece->position = position;
    if (!piece->tx)
        return;
    if (!failed)
        segment_live(s, position, piece->len);
    chunks_forget(piece->tx);
    gate_wake_all(&piece->tx->chunk_done.gate);
}

/* What is gathered goes into the log as a chunk; the transaction keeps a reference. */
static void chunk_send(struct spool_tx *tx)
{
    struct spool *s = tx->spool;
    struct record r = { .done = chunk_done, .piece = piece_share(tx->open) };

    if (tx->count == tx->cap) {
        tx->cap = tx->cap ? tx->cap * 2 : 16;
        tx->chunks = mem_grow(tx->chunks, tx->cap, sizeof(struct piece *));
    }
    tx->chunks[tx->count++] = tx->open;
    tx->open->tx = tx;
    r.front = front_new(s, RECORD_CHUNK, 0, STR_NONE, tx->open);
    commit_add(s, &r, true);
    tx->open = NULL;
}

void spool_add(struct spool_tx *tx, struct str content)
{
    struct spool *s = tx->spool;

    tx->full = tx->full || tx->count >= EXTENTS_MAX ||
               is_held_over(s, s->options.content_memory_max_bytes);
    tx->bytes += content.len;
    while (content.len > 0 && !tx->full) {
        size_t len;

        if (tx->open && tx->open->len == CONTENT_MAX) {
            tx->full = !tx->moves && !may_accept(s, NULL);
            if (tx->full)
                return;
            chunk_send(tx);
        }
        if (!tx->open)
            tx->open = piece_new(&s->blocks, content.len < CONTENT_MAX ? content.len : CONTENT_MAX);
        len = piece_add(&s->blocks, tx->open, content);
        content = str_skip(content, len);
    }
}

static void tx_free(struct spool_tx *tx)
{
    struct spool *s = tx->spool;

    for (size_t i = 0; i < tx->count; i++) {
        struct piece *piece = tx->chunks[i];

        piece->tx = NULL;
        if (piece->durable)
            segment_live(s, piece->position, -(int64_t)piece->len);
        piece_drop(&s->blocks, piece);
    }
    piece_drop(&s->blocks, tx->open);
    free(tx->chunks);
    free(tx);
    gate_wake_all(&s->room);
}

void spool_abort(struct spool_tx *tx)
{
    tx_free(tx);
}

/* The commit ---------------------------------------------------------------------------------- */

struct commit {
    struct durable durable;
    struct spool_tx *tx;
    const struct envelope *envelope;
    uint64_t id;
    struct spool_message *message;
};

static bool chunks_wait(struct spool_tx *tx, struct err *err)
{
    for (size_t i = 0; i < tx->count; i++) {
        while (!tx->chunks[i]->durable && !tx->chunks[i]->failed)
            durable_pause(&tx->chunk_done);
        if (tx->chunks[i]->failed)
            return err_set(err, ERR_IO, "a part of the content could not be written");
    }
    return true;
}

static void message_done(struct spool *s, struct record *r, uint64_t position,
                         const struct err *failed)
{
    struct commit *c = r->arg;
    struct spool_tx *tx = c->tx;
    struct message_part p;

    if (!failed && message_part_read(front_envelope(r->front), &p)) {
        c->message = apply_message(s, c->id, position, r->piece ? r->piece->len : 0, &p);
        tally_count(s, c->envelope, p.mark);
        events_accepted(s, c->envelope, c->id, position, 0);
        s->figures.commits++;
        if (c->message) {
            body_put(s, c->message, r->front, p.envelope, tx->chunks, tx->count, r->piece);
            r->front = NULL;
        }
    }
    durable_tell(&c->durable, failed);
}

static struct extent *extents_make(const struct spool_tx *tx, size_t *ret_count)
{
    size_t count = tx->count == 0 ? 0 : tx->count + (tx->open != NULL);
    struct extent *x = NEW_ARRAY(struct extent, count + 1);

    for (size_t i = 0; i < tx->count; i++)
        x[i] = (struct extent){ .position = tx->chunks[i]->position, .len = tx->chunks[i]->len };
    if (count > tx->count)
        x[tx->count] = (struct extent){ .len = tx->open->len };
    *ret_count = count;
    return x;
}

/* What `kind` of record the gathered content makes. Nothing waits from here to commit_add, so ids
 * stand in the log in their order. */
static bool record_make(struct spool_tx *tx, enum record_kind kind, uint64_t id,
                        struct message_part *p, struct record *ret, struct err *err)
{
    struct spool *s = tx->spool;
    size_t count;
    struct extent *extents = extents_make(tx, &count);

    p->extents = extents;
    p->extent_count = (uint32_t)count;
    buf_clear(&s->scratch2);
    (void)message_part_write(&s->scratch2, p);
    free(extents);
    if (!buf_ok(&s->scratch2) || record_size(s->scratch2.len, CONTENT_MAX) > record_bytes_max(s))
        return err_set(err, ERR_LIMIT, "envelope too large for a segment");
    ret->front = front_new(s, kind, id, buf_str(&s->scratch2), tx->open);
    ret->piece = tx->open;
    tx->open = NULL;
    return true;
}

static bool message_make(struct commit *c, struct record *ret, struct err *err)
{
    struct spool_tx *tx = c->tx;
    struct spool *s = tx->spool;
    const struct envelope *e = c->envelope;
    struct message_part p = { .account = e->account,
                              .accepted_wall_ms = e->accepted_wall_ms,
                              .size_bytes = tx->bytes,
                              .rcpt_count = (uint32_t)e->rcpt_count,
                              .mark = tx->mark };

    if (e->rcpt_count == 0 || e->size_bytes != tx->bytes)
        return err_set(err, ERR_SYNTAX, "envelope without recipients, or of another size");
    buf_clear(&s->scratch);
    if (!envelope_write(&s->scratch, e) || s->scratch.len > ENVELOPE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "envelope over %d bytes", ENVELOPE_BYTES_MAX);
    p.envelope = buf_str(&s->scratch);
    c->id = id_next(s);
    return record_make(tx, RECORD_MESSAGE, c->id, &p, ret, err);
}

bool spool_commit(struct spool_tx *tx, const struct envelope *e, uint64_t *ret_id,
                  struct spool_message **ret, struct err *err)
{
    struct spool *s = tx->spool;
    struct commit c = { .tx = tx, .envelope = e };
    struct record r = { .done = message_done, .arg = &c };
    bool ok = may_accept(s, err);

    if (ok && tx->full)
        ok = err_set(err, ERR_FULL, "no room for the content of %" PRIu64 " bytes", tx->bytes);
    if (ok)
        ok = chunks_wait(tx, err) && message_make(&c, &r, err);
    if (ok) {
        durable_init(&c.durable);
        commit_add(s, &r, true);
        ok = durable_wait(&c.durable, err);
    }
    tx_free(tx);
    if (ok) {
        *ret_id = c.id;
        *ret = c.message;
    }
    return ok;
}

/* Compaction ---------------------------------------------------------------------------------- */

struct move {
    struct durable durable;
    struct spool_message *message;
};

struct spool_tx *tx_begin_move(struct spool *s)
{
    struct spool_tx *tx = spool_begin(s);

    tx->moves = true;
    return tx;
}

static void move_done(struct spool *s, struct record *r, uint64_t position,
                      const struct err *failed)
{
    struct move *v = r->arg;
    struct record_head head;
    struct message_part p;

    memcpy(&head, r->front->bytes, sizeof(head));
    if (!failed && message_part_read(front_envelope(r->front), &p))
        apply_move(s, v->message->id, position, r->piece ? r->piece->len : 0, head.flags, &p);
    durable_tell(&v->durable, failed);
}

bool tx_move(struct spool_tx *tx, struct spool_message *m, struct str envelope, bool content_lost,
             struct err *err)
{
    struct spool *s = tx->spool;
    struct move v = { .message = m };
    struct record r = { .done = move_done, .arg = &v };
    struct message_part p = { .account = m->account,
                              .accepted_wall_ms = m->accepted_wall_ms,
                              .size_bytes = m->size_bytes,
                              .rcpt_count = m->rcpt_count,
                              .states = m->rcpts,
                              .envelope = envelope };
    bool ok = !tx->full || err_set(err, ERR_FULL, "no room to move content to");

    ok = ok && chunks_wait(tx, err);
    /* A settle on its way stands before the move in the log, but its states are not yet here:
     * another time. */
    if (ok && ((m->flags & MESSAGE_GONE) || m->settling > 0))
        ok = err_set(err, ERR_EXISTS, "settled meanwhile");
    ok = ok && record_make(tx, RECORD_MOVE, m->id, &p, &r, err);
    if (ok) {
        if (content_lost)
            ((struct record_head *)(void *)r.front->bytes)->flags |= RECORD_CONTENT_LOST;
        durable_init(&v.durable);
        commit_add(s, &r, true);
        ok = durable_wait(&v.durable, err);
    }
    tx_free(tx);
    return ok;
}

// SPDX-License-Identifier: Apache-2.0
/* spool/compact.c - copies what is alive forward out of a segment that is nearly dead, checking
 * every byte on the way, when no other room is left. */
#include "spool/internal.h"

static bool lies_in(const struct spool_message *m, uint32_t generation)
{
    if (position_generation(m->position) == generation)
        return true;
    for (uint32_t i = 0; i < m->extent_count; i++)
        if (m->extents[i].position != 0 &&
            position_generation(m->extents[i].position) == generation)
            return true;
    return false;
}

/* Gathers the content in a new transaction. ERR_DAMAGED, or whatever kept it from being read. */
static bool gather(struct spool *s, struct spool_message *m, struct spool_tx *tx, struct err *err)
{
    for (size_t i = 0; m->size_bytes > 0 && i < message_extent_count(m); i++) {
        struct extent x = message_extent(m, i);
        struct piece *piece;

        if (!extent_read(s, m, i, &piece, err))
            return false;
        spool_add(tx, str_make(piece->block->bytes + x.offset, x.len));
        piece_drop(&s->blocks, piece);
        while (spool_is_behind(s))
            if (!gate_wait(spool_room(s), NO_DEADLINE, err))
                return false;
    }
    return true;
}

/* The message is pinned. */
static bool move_one(struct spool *s, struct spool_message *m, struct err *err)
{
    struct spool_tx *tx = tx_begin_move(s);
    struct str envelope;
    struct arena a;
    struct err why = { 0 };
    bool lost = false, ok;

    arena_init(&a, 4096);
    ok = envelope_bytes(s, m, &a, &envelope, err);
    if (ok && !gather(s, m, tx, &why)) {
        spool_abort(tx);
        tx = tx_begin_move(s);
        lost = ok = why.kind == ERR_DAMAGED;
        if (!ok && err)
            *err = why;
    }
    if (ok)
        ok = tx_move(tx, m, envelope, lost, err);
    else
        spool_abort(tx);
    arena_done(&a);
    return ok;
}

/* The one with the least alive, if it is worth the copying. */
static struct segment *victim(struct spool *s)
{
    struct segment *best = NULL;
    uint64_t most = s->options.segment_bytes / 4 * (spool_accepts(s) ? 1 : 3);

    for (size_t i = 0; i < s->segments.count; i++) {
        struct segment *g = s->segments.all[i];

        if (g->state != SEGMENT_USED || g->live_bytes == 0 || g->live_bytes > most ||
            g->generation >= position_generation(s->applied))
            continue;
        if (!best || g->live_bytes < best->live_bytes)
            best = g;
    }
    return best;
}

bool compact(struct spool *s, size_t *ret_moved, struct err *err)
{
    struct segment *g = victim(s);
    uint32_t generation = g ? g->generation : 0;
    struct spool_message *m;
    struct err why = { 0 };
    bool ok = true;

    *ret_moved = 0;
    for (size_t at = 0; ok && g && (m = index_each(&s->index, &at)) != NULL;) {
        if (!lies_in(m, generation) || m->settling > 0 || (m->flags & MESSAGE_MOVING))
            continue;
        spool_pin(m);
        m->flags |= MESSAGE_MOVING;
        ok = move_one(s, m, &why);
        m->flags &= (uint8_t)~MESSAGE_MOVING;
        gate_wake_all(&s->moved);
        spool_unpin(s, m);
        *ret_moved += ok;
        ok = ok || why.kind == ERR_DAMAGED ||
             why.kind == ERR_EXISTS; /* that one stays where it is */
    }
    if (!ok && err)
        *err = why;
    return ok;
}

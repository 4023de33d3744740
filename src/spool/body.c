// SPDX-License-Identifier: Apache-2.0
/* spool/body.c - messages' bytes in memory, from the commit until the first attempt, or while they
 * are read; the least recently used go first when the bound is passed. Only durable bytes are
 * dropped. */
#include "spool/internal.h"

#include <stdlib.h>

size_t message_extent_count(const struct spool_message *m)
{
    return m->extent_count > 0 ? m->extent_count : 1;
}

struct extent message_extent(const struct spool_message *m, size_t i)
{
    struct extent x;

    if (m->extent_count == 0)
        return (struct extent){ .position = m->position, .len = (uint32_t)m->size_bytes };
    x = m->extents[i];
    if (x.position == 0)
        x.position = m->position;
    return x;
}

static size_t body_cost(const struct body *b)
{
    size_t cost = sizeof(*b) + (b->front ? b->front->cap : 0);

    for (size_t i = 0; i < b->count; i++)
        if (b->pieces[i])
            cost += b->pieces[i]->block->cap;
    return cost;
}

static struct body *body_new(struct spool *s, struct spool_message *m)
{
    size_t count = message_extent_count(m);
    struct body *b = mem_new(sizeof(*b) + count * sizeof(b->pieces[0]));

    b->message = m;
    b->count = b->again = count;
    m->body = b;
    list_append(&s->bodies, &b->lru);
    return b;
}

void body_put(struct spool *s, struct spool_message *m, struct block *front, struct str envelope,
              struct piece **pieces, size_t count, struct piece *last)
{
    struct body *b;

    body_drop(s, m);
    b = body_new(s, m);
    b->front = front;
    b->envelope = envelope;
    for (size_t i = 0; i < count; i++)
        b->pieces[i] = pieces[i] && pieces[i]->block ? piece_share(pieces[i]) : NULL;
    if (last && count < b->count)
        b->pieces[count] = piece_share(last);
    s->body_bytes += body_cost(b);
}

void body_keep(struct spool *s, struct spool_message *m, size_t i, struct piece *piece)
{
    struct body *b = m->body;

    if (b && b->pieces[i])
        return;
    if (b)
        s->body_bytes -= body_cost(b);
    else
        b = body_new(s, m);
    if (b->again < b->count) {
        piece_drop(&s->blocks, b->pieces[b->again]);
        b->pieces[b->again] = NULL;
    }
    b->pieces[i] = piece_share(piece);
    b->again = i;
    s->body_bytes += body_cost(b);
    list_remove(&b->lru);
    list_append(&s->bodies, &b->lru);
}

void body_drop(struct spool *s, struct spool_message *m)
{
    struct body *b = m->body;

    if (!b)
        return;
    m->body = NULL;
    s->body_bytes -= body_cost(b);
    list_remove(&b->lru);
    block_give(&s->blocks, b->front);
    for (size_t i = 0; i < b->count; i++)
        piece_drop(&s->blocks, b->pieces[i]);
    free(b);
}

void bodies_trim(struct spool *s)
{
    struct body *oldest;

    while (s->body_bytes > s->options.content_memory_max_bytes &&
           (oldest = LIST_FIRST(&s->bodies, struct body, lru)) != NULL)
        body_drop(s, oldest->message);
}

bool spool_content_at_hand(const struct spool_message *m)
{
    if (m->size_bytes == 0)
        return true;
    if (!m->body)
        return false;
    for (size_t i = 0; i < m->body->count; i++)
        if (!m->body->pieces[i])
            return false;
    return true;
}

void spool_content_drop(struct spool *s, struct spool_message *m)
{
    body_drop(s, m);
}

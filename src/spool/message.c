// SPDX-License-Identifier: Apache-2.0
/* spool/message.c - a live message: made from its record, what it keeps alive on disk, its end. */
#include "spool/internal.h"

#include <assert.h>
#include <stdlib.h>

struct spool_message *message_new(uint64_t id, uint64_t position, uint32_t content_len,
                                  const struct message_part *p)
{
    struct spool_message *m = mem_new(sizeof(*m) + p->rcpt_count * sizeof(m->rcpts[0]));

    m->id = id;
    m->account = p->account;
    m->accepted_wall_ms = p->accepted_wall_ms;
    m->size_bytes = p->size_bytes;
    m->position = position;
    m->own_bytes = (uint32_t)record_size(p->envelope.len, content_len);
    m->rcpt_count = p->rcpt_count;
    m->extent_count = p->extent_count;
    if (p->extent_count > 0) {
        m->extents = NEW_ARRAY(struct extent, p->extent_count);
        memcpy(m->extents, p->extents, p->extent_count * sizeof(*p->extents));
    }
    for (uint32_t i = 0; i < p->rcpt_count; i++) {
        if (p->states)
            memcpy(&m->rcpts[i], p->states + i, sizeof(m->rcpts[i]));
        else
            m->rcpts[i] =
                (struct spool_rcpt){ .due_wall_ms = p->accepted_wall_ms, .state = RCPT_QUEUED };
        m->live_count += m->rcpts[i].state != RCPT_DONE;
    }
    return m;
}

size_t message_bytes(const struct spool_message *m)
{
    return sizeof(*m) + m->rcpt_count * sizeof(m->rcpts[0]) +
           m->extent_count * sizeof(*m->extents) +
           3 * sizeof(void *); /* its bucket, its place, the heap's own word */
}

void message_account(struct spool *s, const struct spool_message *m, int sign)
{
    segment_live(s, m->position, sign * (int64_t)m->own_bytes);
    for (uint32_t i = 0; i < m->extent_count; i++)
        if (m->extents[i].position != 0)
            segment_live(s, m->extents[i].position, sign * (int64_t)m->extents[i].len);
}

void message_free_unaccounted(struct spool_message *m)
{
    free(m->extents);
    free(m);
}

void message_free(struct spool *s, struct spool_message *m)
{
    message_account(s, m, -1);
    body_drop(s, m);
    message_free_unaccounted(m);
}

void message_relocate(struct spool_message *m, struct spool_message *from)
{
    free(m->extents);
    m->position = from->position;
    m->own_bytes = from->own_bytes;
    m->flags |= from->flags;
    m->extents = from->extents;
    m->extent_count = from->extent_count;
    from->extents = NULL;
}

void message_end(struct spool *s, struct spool_message *m)
{
    index_remove(&s->index, m);
    m->flags |= MESSAGE_GONE;
    if (m->pins == 0) {
        message_free(s, m);
        return;
    }
    m->next = s->gone;
    s->gone = m;
}

uint64_t spool_message_id(const struct spool_message *m)
{
    return m->id;
}

uint64_t spool_message_account(const struct spool_message *m)
{
    return m->account;
}

int64_t spool_message_accepted(const struct spool_message *m)
{
    return m->accepted_wall_ms;
}

uint64_t spool_message_size(const struct spool_message *m)
{
    return m->size_bytes;
}

uint32_t spool_message_rcpts(const struct spool_message *m)
{
    return m->rcpt_count;
}

const struct spool_rcpt *spool_message_rcpt(const struct spool_message *m, uint32_t rcpt)
{
    assert(rcpt < m->rcpt_count);
    return &m->rcpts[rcpt];
}

void **spool_message_slot(struct spool_message *m)
{
    return &m->slot;
}

void spool_pin(struct spool_message *m)
{
    assert(m->pins < UINT16_MAX);
    m->pins++;
}

static void gone_remove(struct spool *s, const struct spool_message *m)
{
    struct spool_message **at = &s->gone;

    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
}

void spool_unpin(struct spool *s, struct spool_message *m)
{
    assert(m->pins > 0);
    if (--m->pins == 0 && (m->flags & MESSAGE_GONE)) {
        gone_remove(s, m);
        message_free(s, m);
    }
}

struct spool_message *spool_find(struct spool *s, uint64_t id)
{
    return index_find(&s->index, id);
}

struct spool_message *spool_each(struct spool *s, size_t *at)
{
    return index_each(&s->index, at);
}

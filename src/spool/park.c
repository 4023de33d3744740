// SPDX-License-Identifier: Apache-2.0
/* spool/park.c - messages beyond the index: durable, answered 250, known only as "in the log from
 * here on". Ids rise in log order, so one id tells on which side of the line a message is. */
#include "spool/internal.h"

bool park_is_due(const struct spool *s)
{
    return s->parked.from != 0 || s->index.rcpts >= s->options.index_rcpts_max;
}

static uint32_t floor_of(uint64_t position, const struct message_part *p)
{
    uint32_t lowest = position_generation(position);

    for (uint32_t i = 0; i < p->extent_count; i++) {
        struct extent x;

        memcpy(&x, p->extents + i, sizeof(x));
        if (x.position != 0 && position_generation(x.position) < lowest)
            lowest = position_generation(x.position);
    }
    return lowest;
}

void park(struct spool *s, uint64_t id, uint64_t position, const struct message_part *p)
{
    struct parked *k = &s->parked;

    if (k->from == 0)
        *k = (struct parked){ .from = s->applying, .from_id = id, .floor = UINT32_MAX };
    k->count++;
    if (p->extent_count > 0) {
        uint32_t floor = floor_of(position, p);

        k->chunked++;
        k->floor = floor < k->floor ? floor : k->floor;
    }
}

/* Who is told of messages brought in. */
struct refill {
    void (*fn)(void *arg, struct spool_message *m);
    void *arg;
};

static void bring_in(struct spool *s, uint64_t id, uint64_t position, uint32_t content_len,
                     const struct message_part *p, const struct refill *to)
{
    struct parked *k = &s->parked;
    struct spool_message *m;

    if (id < k->from_id)
        return;
    k->from_id = id + 1;
    if (index_find(&s->index, id))
        return;
    k->count -= k->count > 0;
    k->chunked -= p->extent_count > 0 && k->chunked > 0;
    m = message_new(id, position, content_len, p);
    index_put(&s->index, m);
    message_account(s, m, 1);
    if (to->fn)
        to->fn(to->arg, m);
}

static void bring_in_record(struct spool *s, const struct record_view *v, uint64_t position,
                            const struct refill *to)
{
    struct settle_part settle;
    struct message_part p;

    if (!v->envelope_ok)
        return;
    if (v->head.kind == RECORD_MESSAGE && message_part_read(v->envelope, &p))
        bring_in(s, v->head.id, position, v->head.content_len, &p, to);
    if (v->head.kind == RECORD_SETTLE && settle_part_read(v->envelope, &settle) &&
        settle.dsn != 0 && message_part_read(settle.message, &p))
        bring_in(s, settle.dsn, position, v->head.content_len, &p, to);
}

/* One group; false at the end of the log or when it can't be read. */
static bool bring_in_group(struct spool *s, struct log_group *g, bool wait, const struct refill *to,
                           struct err *err)
{
    uint64_t next = s->parked.from;
    struct record_view v;
    bool damaged = false;
    size_t at = 0;

    if (!log_read(s, &next, g, wait, err))
        return false;
    while (record_next(buf_str(&g->bytes), g->generation, &at, &v, &damaged))
        bring_in_record(s, &v, g->position + v.offset, to);
    s->parked.from = next;
    return true;
}

void park_replay(struct spool *s, uint64_t id)
{
    const struct refill nobody = { 0 };
    struct log_group g = { 0 };

    buf_init(&g.bytes, s->options.segment_bytes);
    while (s->parked.from_id <= id && bring_in_group(s, &g, false, &nobody, NULL))
        ;
    buf_done(&g.bytes);
}

bool spool_refill(struct spool *s, void (*fn)(void *arg, struct spool_message *m), void *arg,
                  struct err *err)
{
    const struct refill to = { fn, arg };
    struct log_group g = { 0 };
    struct err why = { 0 };

    buf_init(&g.bytes, s->options.segment_bytes);
    /* Not under a snapshot: it holds the line as it was when it began. */
    while (s->parked.from != 0 && !s->snapshots.busy &&
           s->index.rcpts < s->options.index_rcpts_max && why.kind == ERR_NONE) {
        s->snapshots.busy = true;
        if (!bring_in_group(s, &g, true, &to, &why) && why.kind == ERR_NONE)
            s->parked = (struct parked){ 0 };
        s->snapshots.busy = false;
    }
    buf_done(&g.bytes);
    if (why.kind != ERR_NONE && err)
        *err = why;
    return why.kind == ERR_NONE;
}

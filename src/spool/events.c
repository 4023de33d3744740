// SPDX-License-Identifier: Apache-2.0
/* spool/events.c - durable events in log order: the recent ones from memory, older ones from the
 * log. The position of the k-th event of a record is the record's plus k; a record is longer than
 * it has events, so that is unique. */
#include <stdlib.h>

#include "spool/event_bytes.h"
#include "spool/internal.h"

enum { PAGE_BYTES = 64 * 1024, MEMORY_BYTES = 8 * 1024 * 1024 };

void events_init(struct spool *s)
{
    list_init(&s->events.pages);
    gate_init(&s->events.gate);
    buf_init(&s->events.scratch, ENVELOPE_BYTES_MAX);
}

static void page_drop(struct events *v, struct event_page *p)
{
    list_remove(&p->link);
    v->bytes -= p->bytes.cap;
    buf_done(&p->bytes);
    free(p);
}

void events_done(struct spool *s)
{
    struct event_page *p;

    while ((p = LIST_FIRST(&s->events.pages, struct event_page, link)) != NULL)
        page_drop(&s->events, p);
    buf_done(&s->events.scratch);
}

void events_note(struct spool *s, uint64_t position, uint64_t count)
{
    struct segment *g = segment_at(s, position);

    if (count == 0)
        return;
    if (g) {
        g->last_event = position + count - 1;
        g->events += count;
    }
    if (position + count - 1 > s->events.last)
        s->events.last = position + count - 1;
}

static struct event_page *page_for(struct events *v, size_t len, uint64_t position)
{
    struct event_page *p =
        list_empty(&v->pages) ? NULL : CONTAINER_OF(v->pages.prev, struct event_page, link);

    if (p && p->bytes.len + len <= p->bytes.cap)
        return p;
    p = NEW(struct event_page);
    p->first = position;
    buf_init(&p->bytes, len > PAGE_BYTES ? len : PAGE_BYTES);
    (void)buf_room(&p->bytes, len > PAGE_BYTES ? len : PAGE_BYTES);
    v->bytes += p->bytes.cap;
    list_append(&v->pages, &p->link);
    return p;
}

/* What memory no longer holds is found in the log from the cursor on. */
static void pages_trim(struct events *v)
{
    while (v->bytes > MEMORY_BYTES && v->pages.next != v->pages.prev) {
        struct event_page *oldest = LIST_FIRST(&v->pages, struct event_page, link);

        page_drop(v, oldest);
        v->memory_from = LIST_FIRST(&v->pages, struct event_page, link)->first - 1;
    }
}

void events_push(struct spool *s, struct str bytes, size_t count, uint64_t position, uint64_t k)
{
    struct events *v = &s->events;

    for (size_t i = 0; i < count; i++) {
        size_t len = event_bytes_len(bytes);
        struct event_page *p;

        if (len == 0)
            break;
        p = page_for(v, len, position + k + i);
        buf_add(&p->bytes, str_make(bytes.ptr, len));
        event_bytes_place(p->bytes.ptr + p->bytes.len - len, position + k + i);
        bytes = str_skip(bytes, len);
    }
    events_note(s, position + k, count);
    pages_trim(v);
    gate_wake_all(&v->gate);
}

static bool accepted_write(struct buf *to, const struct envelope *e, uint64_t id, uint64_t position)
{
    char client[IP_TEXT_MAX];
    struct event v = { .position = position,
                       .kind = EVENT_ACCEPTED,
                       .message = id,
                       .account = e->account,
                       .wall_ms = e->accepted_wall_ms,
                       .accepted_wall_ms = e->accepted_wall_ms,
                       .size_bytes = e->size_bytes,
                       .rcpt_count = (uint32_t)e->rcpt_count,
                       .reverse_path = e->reverse_path,
                       .helo = e->helo,
                       .login = e->login };

    if (e->client.family != 0)
        v.client = str_of(ip_format(&e->client, client));
    return event_write(to, &v);
}

void events_accepted(struct spool *s, const struct envelope *e, uint64_t id, uint64_t position,
                     uint64_t k)
{
    buf_clear(&s->events.scratch);
    if (accepted_write(&s->events.scratch, e, id, position + k))
        events_push(s, buf_str(&s->events.scratch), 1, position, k);
}

/* Reading ------------------------------------------------------------------------------------- */

/* Where events go that somebody asked for. */
struct reader {
    uint64_t *cursor;
    size_t left;
    struct buf *to;
};

static void reader_take(struct reader *r, struct str bytes, uint64_t position)
{
    if (r->left == 0 || position <= *r->cursor || !buf_add(r->to, bytes))
        return;
    event_bytes_place(r->to->ptr + r->to->len - bytes.len, position);
    *r->cursor = position;
    r->left--;
}

static uint64_t position_of(const char *event)
{
    uint64_t position;

    memcpy(&position, event + EVENT_POSITION_AT, sizeof(position));
    return position;
}

static void read_memory(struct events *v, struct reader *r)
{
    LIST_EACH (&v->pages, struct event_page, p, link) {
        struct str rest = buf_str(&p->bytes);
        size_t len;

        if (p->link.next != &v->pages &&
            CONTAINER_OF(p->link.next, struct event_page, link)->first <= *r->cursor)
            continue;
        for (; r->left > 0 && buf_ok(r->to) && (len = event_bytes_len(rest)) > 0;
             rest = str_skip(rest, len))
            reader_take(r, str_make(rest.ptr, len), position_of(rest.ptr));
    }
}

static void read_accepted(struct reader *r, struct str envelope, uint64_t id, uint64_t position)
{
    struct envelope e;
    struct arena a;
    struct buf bytes;

    arena_init(&a, 4096);
    buf_init(&bytes, ENVELOPE_BYTES_MAX);
    if (envelope_read(envelope, &a, &e, NULL) && accepted_write(&bytes, &e, id, position))
        reader_take(r, buf_str(&bytes), position);
    buf_done(&bytes);
    arena_done(&a);
}

static void read_settle(struct reader *r, const struct record_view *v, uint64_t position)
{
    struct settle_part p;
    struct message_part dsn;

    if (!settle_part_read(v->envelope, &p))
        return;
    for (uint32_t k = 0; k < p.event_count; k++) {
        size_t len = event_bytes_len(p.events);

        if (len == 0)
            return;
        reader_take(r, str_make(p.events.ptr, len), position + k);
        p.events = str_skip(p.events, len);
    }
    if (p.dsn != 0 && message_part_read(p.message, &dsn))
        read_accepted(r, dsn.envelope, p.dsn, position + p.event_count);
}

static void read_record(struct reader *r, const struct record_view *v, uint64_t position)
{
    struct message_part p;

    if (!v->envelope_ok)
        return;
    if (v->head.kind == RECORD_SETTLE)
        read_settle(r, v, position);
    if (v->head.kind == RECORD_MESSAGE && position > *r->cursor &&
        message_part_read(v->envelope, &p))
        read_accepted(r, p.envelope, v->head.id, position);
}

/* From the log, group by group, until something is there or memory holds the rest. */
static bool read_log(struct spool *s, struct reader *r, struct err *err)
{
    struct events *v = &s->events;
    struct log_group g = { 0 };
    uint64_t at = v->read_cursor == *r->cursor && *r->cursor != 0
                      ? v->read_position
                      : position_make(position_generation(*r->cursor), 0);
    size_t before = r->left;
    struct err why = { 0 };

    buf_init(&g.bytes, s->options.segment_bytes);
    while (r->left == before && *r->cursor < v->memory_from) {
        uint64_t group_at = at;
        struct record_view view;
        bool damaged = false;
        size_t next = 0;

        if (!log_read(s, &at, &g, true, &why)) {
            if (why.kind == ERR_NONE)
                *r->cursor = v->memory_from;
            break;
        }
        while (r->left > 0 && buf_ok(r->to) &&
               record_next(buf_str(&g.bytes), g.generation, &next, &view, &damaged))
            read_record(r, &view, g.position + view.offset);
        if (r->left == 0 || !buf_ok(r->to))
            at = group_at; /* the rest of this group comes next */
        if (!buf_ok(r->to))
            break;
    }
    v->read_cursor = *r->cursor;
    v->read_position = at;
    buf_done(&g.bytes);
    if (why.kind != ERR_NONE && err)
        *err = why;
    return why.kind == ERR_NONE;
}

bool spool_events(struct spool *s, uint64_t *cursor, size_t max, struct buf *to, struct err *err)
{
    struct reader r = { .cursor = cursor, .left = max, .to = to };

    if (*cursor < s->events.memory_from && !read_log(s, &r, err))
        return false;
    if (*cursor >= s->events.memory_from)
        read_memory(&s->events, &r);
    to->over = false; /* what did not fit comes with the next call */
    return true;
}

struct gate *spool_events_gate(struct spool *s)
{
    return &s->events.gate;
}

void spool_events_ack(struct spool *s, uint64_t position)
{
    if (position > s->events.acked)
        s->events.acked = position;
}

uint64_t spool_events_acked(const struct spool *s)
{
    return s->events.acked;
}

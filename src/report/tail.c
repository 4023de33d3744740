// SPDX-License-Identifier: Apache-2.0
/* report/tail.c - live readers of events. Each sees what its filters let through; one who reads
 * slower than events come loses the oldest of those that wait, and is told how many. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "report/report.h"

enum { TAILS_MAX = 64, ROWS_MAX = 2000, LOOK_AGAIN_MS = 50 };

struct tail_row {
    struct list link;
    struct str json; /* behind the struct */
};

struct tail {
    struct list link;
    struct report_peer *web;
    uint64_t request;
    bool has_account;
    uint64_t account;
    struct str from, to, site;
    struct arena arena; /* owns the filters */
    struct list rows;   /* wait until the channel has room */
    size_t row_count;
    uint64_t lost;
};

/* Filters -------------------------------------------------------------------------------------- */

/* A filter is empty, a whole address, or "@domain". */
static bool address_fits(struct str filter, struct str address)
{
    if (filter.len > 0 && filter.ptr[0] == '@')
        return str_ends_nocase(address, filter);
    return filter.len == 0 || str_eq_nocase(filter, address);
}

static bool fits(const struct tail *t, const struct event *e)
{
    return (!t->has_account || t->account == e->account) &&
           address_fits(t->from, e->reverse_path) && address_fits(t->to, e->address) &&
           (t->site.len == 0 || str_eq_nocase(t->site, e->destination));
}

/* Rows ----------------------------------------------------------------------------------------- */

static void drop_oldest(struct tail *t)
{
    struct tail_row *row = LIST_FIRST(&t->rows, struct tail_row, link);

    list_remove(&row->link);
    free(row);
    t->row_count--;
    t->lost++;
}

static void keep(struct tail *t, struct str json)
{
    struct tail_row *row = mem_new(sizeof *row + json.len);

    memcpy(row + 1, json.ptr, json.len);
    row->json = str_make(row + 1, json.len);
    list_append(&t->rows, &row->link);
    if (++t->row_count > ROWS_MAX)
        drop_oldest(t);
    if (t->web->report->tail_timer.place == 0)
        timer_set(&t->web->report->tail_timer, loop_now_ms() + LOOK_AGAIN_MS);
}

static void send_lost(struct tail *t)
{
    struct buf b;
    struct json j;

    buf_init(&b, 128);
    json_begin(&j, &b);
    json_object(&j);
    json_key(&j, "type");
    json_str(&j, STR("tail.lost"));
    json_key(&j, "count");
    json_int(&j, (int64_t)t->lost);
    json_object_end(&j);
    report_row(t->web, t->request, buf_str(&b));
    buf_done(&b);
    t->lost = 0;
}

static bool has_room(const struct tail *t)
{
    return t->web->channel && !channel_full(t->web->channel);
}

static void send_kept(struct tail *t)
{
    struct tail_row *row;

    if (has_room(t) && t->lost > 0)
        send_lost(t);
    while (has_room(t) && (row = LIST_FIRST(&t->rows, struct tail_row, link)) != NULL) {
        report_row(t->web, t->request, row->json);
        list_remove(&row->link);
        free(row);
        t->row_count--;
    }
}

void tail_send_late(void *report)
{
    struct report *r = report;
    bool more = false;

    LIST_EACH (&r->tails, struct tail, t, link) {
        send_kept(t);
        more = more || t->row_count > 0;
    }
    if (more)
        timer_set(&r->tail_timer, loop_now_ms() + LOOK_AGAIN_MS);
}

void tail_tell(struct report *r, const struct event *e)
{
    struct buf json;

    if (list_empty(&r->tails))
        return;
    buf_init(&json, EVENT_JSON_MAX);
    event_json(e, &json);
    LIST_EACH (&r->tails, struct tail, t, link) {
        if (!fits(t, e))
            continue;
        if (t->row_count == 0 && has_room(t))
            report_row(t->web, t->request, buf_str(&json));
        else
            keep(t, buf_str(&json));
    }
    buf_done(&json);
}

/* Readers come and go -------------------------------------------------------------------------- */

static void tail_free(struct tail *t)
{
    LIST_EACH (&t->rows, struct tail_row, row, link)
        free(row);
    list_remove(&t->link);
    arena_done(&t->arena);
    free(t);
}

static void stop(struct report_peer *web, uint64_t request)
{
    LIST_EACH (&web->report->tails, struct tail, t, link)
        if (t->web == web && t->request == request)
            tail_free(t);
}

static size_t tail_count(const struct report *r)
{
    size_t count = 0;

    for (const struct list *l = r->tails.next; l != &r->tails; l = l->next)
        count++;
    return count;
}

static struct tail *tail_new(struct report_peer *web, const struct wire_admin *m)
{
    struct tail *t = NEW(struct tail);

    t->web = web;
    t->request = m->request;
    list_init(&t->rows);
    arena_init(&t->arena, 256);
    t->from = arena_str(&t->arena, wire_get(m, m->from));
    t->to = arena_str(&t->arena, wire_get(m, m->to));
    t->site = arena_str(&t->arena, wire_get(m, m->site));
    list_append(&web->report->tails, &t->link);
    return t;
}

void tail_on_admin(struct report_peer *web, const struct wire_admin *m)
{
    struct str account = wire_get(m, m->account);
    uint64_t number = 0;

    if (m->flags & ADMIN_STOP) {
        stop(web, m->request);
    } else if (web->report->draining || tail_count(web->report) >= TAILS_MAX) {
        report_end_admin(web, m->request, 503, STR("too many watch events already"), 0);
    } else if (account.len > 0 && !str_to_u64(account, UINT64_MAX, &number)) {
        report_end_admin(web, m->request, 422, STR("account: its number is wanted"), 0);
    } else {
        struct tail *t = tail_new(web, m);
        t->has_account = account.len > 0;
        t->account = number;
    }
}

void tail_drop_peer(struct report_peer *web)
{
    LIST_EACH (&web->report->tails, struct tail, t, link)
        if (t->web == web)
            tail_free(t);
}

void tail_end_all(struct report *r, struct str why)
{
    LIST_EACH (&r->tails, struct tail, t, link) {
        report_end_admin(t->web, t->request, 503, why, 0);
        tail_free(t);
    }
}

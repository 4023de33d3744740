// SPDX-License-Identifier: Apache-2.0
/* report/inbox.c - operators look into the sandbox inbox: the list, and one message in pieces. */
#include <stdlib.h>

#include "base/code.h"
#include "base/json.h"
#include "mail/header.h"
#include "report/report.h"

enum { LIST_MAX = 1000, ROW_BYTES_MAX = 4000, PIECE_JSON_MAX = 2900, TEXT_SHOWN_MAX = 200 };

/* One look, on its way through the worker. */
struct look {
    struct report *report;
    struct report_peer *web;
    uint32_t generation; /* of the link it came by */
    uint64_t request, id;
    size_t max;
    struct arena arena;
    struct sandbox_entry *entries;
    size_t count;
    struct sandbox_entry entry;
    struct str content;
    bool ok;
    struct err err;
};

static void run_list(void *arg)
{
    struct look *l = arg;

    /* One more than is shown tells whether the list goes on. */
    l->ok = history_list_messages(l->report->history, l->id, l->max + 1, &l->arena, &l->entries,
                                  &l->count, &l->err);
}

static void run_show(void *arg)
{
    struct look *l = arg;

    l->ok =
        history_read_message(l->report->history, l->id, &l->arena, &l->entry, &l->content, &l->err);
}

struct str inbox_cut(struct str text, size_t max)
{
    size_t len = text.len < max ? text.len : max;

    while (len > 0 && len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return str_sub(text, 0, len);
}

/* Cut, so that a row of nothing but escapes fits a frame. */
static void json_text(struct json *j, const char *key, struct str text)
{
    json_key(j, key);
    json_str(j, inbox_cut(text, TEXT_SHOWN_MAX));
}

static void json_entry(struct json *j, const struct sandbox_entry *e)
{
    char id[ID_TEXT_LEN + 1], date[DATE_TEXT_MAX];

    json_key(j, "n");
    json_int(j, (int64_t)e->n);
    json_key(j, "id");
    json_str(j, str_of(id_format(e->id, id)));
    json_text(j, "from", e->from);
    json_text(j, "to", e->to);
    json_text(j, "subject", e->subject);
    json_key(j, "size");
    json_int(j, (int64_t)e->size_bytes);
    json_key(j, "received");
    json_str(j, str_of(date_format_iso(e->received_wall_ms, date)));
    json_key(j, "whole");
    json_bool(j, e->whole);
}

static void send_entry(const struct look *l, const struct sandbox_entry *e, bool shown)
{
    struct buf b;
    struct json j;

    buf_init(&b, ROW_BYTES_MAX);
    json_begin(&j, &b);
    json_object(&j);
    json_entry(&j, e);
    if (shown) {
        json_key(&j, "part");
        json_int(&j, 0);
        json_key(&j, "text");
        json_str(&j, STR(""));
    }
    json_object_end(&j);
    if (buf_ok(&b))
        report_row(l->web, l->request, buf_str(&b));
    buf_done(&b);
}

static size_t escaped_len(struct str text, size_t n)
{
    unsigned char c = (unsigned char)text.ptr[0];

    if (n > 1)
        return n;
    if (c >= 0x80)
        return 3; /* U+FFFD */
    return c < 0x20 || c == 0x7f ? 6 : 2;
}

/* The front of `text` whose JSON stays within PIECE_JSON_MAX; whole characters. */
static struct str piece_of(struct str text)
{
    size_t len = 0, json = 0;

    while (len < text.len) {
        struct str rest = str_skip(text, len);
        size_t n = utf8_len(rest);
        n = n > 0 ? n : 1;
        json += escaped_len(rest, n);
        if (json > PIECE_JSON_MAX)
            break;
        len += n;
    }
    return str_sub(text, 0, len);
}

static void send_piece(const struct look *l, int64_t part, struct str text)
{
    struct buf b;
    struct json j;

    buf_init(&b, ROW_BYTES_MAX);
    json_begin(&j, &b);
    json_object(&j);
    json_key(&j, "n");
    json_int(&j, (int64_t)l->entry.n);
    json_key(&j, "part");
    json_int(&j, part);
    json_key(&j, "text");
    json_str(&j, text);
    json_object_end(&j);
    report_row(l->web, l->request, buf_str(&b));
    buf_done(&b);
}

static void look_end(struct look *l)
{
    struct report *r = l->report;

    arena_done(&l->arena);
    free(l);
    report_work_done(r);
}

/* False: the link it came by is gone, or the database failed, which was answered. */
static bool look_ok(const struct look *l)
{
    if (l->web->generation != l->generation || !l->web->channel)
        return false;
    if (!l->ok)
        report_end_admin(l->web, l->request, l->err.kind == ERR_NOT_FOUND ? 404 : 503,
                         str_of(l->err.text), 0);
    return l->ok;
}

static void list_done(void *arg)
{
    struct look *l = arg;
    size_t shown = l->count < l->max ? l->count : l->max;

    if (look_ok(l)) {
        for (size_t i = 0; i < shown; i++)
            send_entry(l, &l->entries[i], false);
        report_end_admin(l->web, l->request, 200, STR(""),
                         shown < l->count ? l->entries[shown - 1].n : 0);
    }
    look_end(l);
}

static void show_done(void *arg)
{
    struct look *l = arg;

    if (look_ok(l)) {
        struct str rest = l->content;
        send_entry(l, &l->entry, true);
        for (int64_t part = 1; rest.len > 0; part++) {
            struct str piece = piece_of(rest);
            send_piece(l, part, piece);
            rest = str_skip(rest, piece.len);
        }
        report_end_admin(l->web, l->request, 200, STR(""), 0);
    }
    look_end(l);
}

void inbox_on_admin(struct report_peer *web, const struct wire_admin *m)
{
    bool show = m->verb == ADMIN_SANDBOX_SHOW;
    struct look *l = NEW(struct look);
    struct err err;

    l->report = web->report;
    l->web = web;
    l->generation = web->generation;
    l->request = m->request;
    l->id = m->id;
    l->max = m->limit > 0 && m->limit < LIST_MAX ? m->limit : LIST_MAX;
    arena_init(&l->arena, 4096);
    if (!report_work(web->report, show ? run_show : run_list, show ? show_done : list_done, l,
                     &err)) {
        report_end_admin(web, m->request, 503, str_of(err.text), 0);
        arena_done(&l->arena);
        free(l);
    }
}

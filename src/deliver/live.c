// SPDX-License-Identifier: Apache-2.0
/* deliver/live.c - tries one connection for `baton live`: what a blocked port 25 looks like shows
 * only from here. */
#include "deliver/live.h"

#include <stdlib.h>

#include "base/json.h"
#include "deliver/dialogue.h"
#include "deliver/host.h"
#include "deliver/race.h"
#include "io/loop.h"

#define TRIAL_WAIT_MS 15000

struct trial {
    struct list link; /* in deliver's trials */
    struct deliver *role;
    struct fiber *fiber;
    struct deliver_link *from; /* NULL: gone */
    uint64_t request;
    struct arena arena;
    struct str name;
    uint16_t port;
    struct hosts hosts;
    struct ip ip;
    struct reply greeting;
    struct config_timeouts timeouts;
};

static void answer(const struct trial *t, bool ok, const struct err *err)
{
    struct wire_admin_row *row;
    struct wire_admin_end *end;
    struct buf text;
    struct json j;
    char ip[IP_TEXT_MAX];

    if (!t->from)
        return;
    buf_init(&text, FRAME_BYTES_MAX / 2);
    json_begin(&j, &text);
    json_object(&j);
    json_key(&j, "host");
    json_str(&j, t->name);
    json_key(&j, "port");
    json_int(&j, t->port);
    json_key(&j, "address");
    json_str(&j, str_of(ip_format(&t->ip, ip)));
    json_key(&j, "reached");
    json_bool(&j, ok);
    json_key(&j, ok ? "greeting" : "error");
    json_str(&j, ok ? t->greeting.text : str_of(err->text));
    json_object_end(&j);
    row = wire_add(t->from->channel, WIRE_ADMIN_ROW, text.len);
    row->request = t->request;
    wire_put(row, &row->json, buf_str(&text));
    end = wire_add(t->from->channel, WIRE_ADMIN_END, 0);
    end->request = t->request;
    end->status = 200;
    buf_done(&text);
}

static bool read_greeting(struct trial *t, struct stream *s, struct err *err)
{
    struct dialogue d;
    bool ok;

    dialogue_init(
        &d, s,
        &(struct dialogue_options){ .helo = t->role->config->hostname, .timeouts = &t->timeouts },
        &t->arena);
    ok = dialogue_greeting(&d, &t->greeting, err);
    if (ok)
        dialogue_quit(&d, false);
    dialogue_done(&d);
    return ok;
}

static bool reach(struct trial *t, struct err *err)
{
    struct stream *s;
    size_t index;

    if (!hosts_find_plain(t->role, t->name, &t->arena, &t->hosts, err))
        return false;
    if (t->hosts.count == 0)
        return err_set(err, ERR_DNS, "%.*s", STR_FMT(t->hosts.refusal.text));
    if (!race_connect(t->role, &t->hosts, t->port, &index, &s, err))
        return false;
    t->ip = t->hosts.list[index].ip;
    if (!read_greeting(t, s, err))
        return false;
    if (t->greeting.code != 220) /* somebody is there, but not for us (RFC 7504) */
        return err_set(err, ERR_DENIED, "it greets with %u %.*s", t->greeting.code,
                       STR_FMT(str_sub(t->greeting.text, 0, 150)));
    return true;
}

static void run(void *arg)
{
    struct trial *t = arg;
    struct deliver *d = t->role;
    struct err err = { 0 };
    bool ok = reach(t, &err);

    answer(t, ok, &err);
    list_remove(&t->link);
    arena_done(&t->arena);
    free(t);
    d->stories--;
    deliver_story_ended(d);
}

/* "host:port", "192.0.2.1:25", "[2001:db8::1]:25", or a host alone. */
static void read_target(struct trial *t, struct str text)
{
    struct endpoint at;
    struct str host, port;
    uint64_t number;

    t->port = 25;
    t->name = text;
    if (endpoint_parse(text, &at, NULL)) {
        char ip[IP_TEXT_MAX];

        t->name = arena_str(&t->arena, str_of(ip_format(&at.ip, ip)));
        t->port = at.port;
    } else if (str_cut_last(text, ':', &host, &port) && str_to_u64(port, UINT16_MAX, &number) &&
               number > 0) {
        t->name = host;
        t->port = (uint16_t)number;
    }
}

static void refuse(struct deliver_link *from, const struct wire_admin *f)
{
    struct str text = STR("deliver knows no such question");
    struct wire_admin_end *end = wire_add(from->channel, WIRE_ADMIN_END, text.len);

    end->request = f->request;
    end->status = 422;
    wire_put(end, &end->text, text);
}

void live_ask(struct deliver *d, struct deliver_link *from, const struct wire_admin *f)
{
    struct trial *t;

    if (f->verb != ADMIN_LIVE_PORT || f->name.len == 0) {
        refuse(from, f);
        return;
    }
    t = NEW(struct trial);
    t->role = d;
    t->from = from;
    t->request = f->request;
    t->timeouts = d->config->timeouts;
    t->timeouts.greeting_ms = t->timeouts.quit_ms = TRIAL_WAIT_MS;
    arena_init(&t->arena, 1024);
    read_target(t, arena_str(&t->arena, wire_get(f, f->name)));
    list_append(&d->trials, &t->link);
    d->stories++;
    t->fiber = fiber_spawn("live", run, t);
}

void live_forget(struct deliver *d, struct deliver_link *from)
{
    LIST_EACH (&d->trials, struct trial, t, link)
        if (t->from == from)
            t->from = NULL;
}

void live_cancel_all(struct deliver *d)
{
    LIST_EACH (&d->trials, struct trial, t, link)
        fiber_cancel(t->fiber);
}

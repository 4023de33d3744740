// SPDX-License-Identifier: Apache-2.0
/* report/event_json.c - an event as one JSON object, for those who watch live. */
#include "base/code.h"
#include "base/json.h"
#include "mail/header.h"
#include "report/lines.h"

static void add_str(struct json *j, const char *key, struct str value)
{
    if (value.len == 0)
        return;
    json_key(j, key);
    json_str(j, value);
}

static void add_int(struct json *j, const char *key, int64_t value)
{
    json_key(j, key);
    json_int(j, value);
}

static void add_date(struct json *j, const char *key, int64_t wall_ms)
{
    char text[DATE_TEXT_MAX];

    if (wall_ms != 0)
        add_str(j, key, str_of(date_format_iso(wall_ms, text)));
}

static void add_id(struct json *j, const char *key, uint64_t id)
{
    char text[ID_TEXT_LEN + 1];

    if (id != 0)
        add_str(j, key, str_of(id_format(id, text)));
}

static void add_status(struct json *j, struct status s)
{
    struct buf b;

    buf_init(&b, 16);
    if (s.klass != 0 && status_format(&b, s))
        add_str(j, "status", buf_str(&b));
    buf_done(&b);
}

static void add_outcome(struct json *j, const struct outcome *o)
{
    char ip[IP_TEXT_MAX];

    add_str(j, "host", o->host);
    if (o->ip.family != 0)
        add_str(j, "ip", str_of(ip_format(&o->ip, ip)));
    add_int(j, "code", o->reply.code);
    add_status(j, o->reply.status);
    add_str(j, "text", o->reply.text);
    if (o->scope != 0)
        add_str(j, "scope", str_of(outcome_scope_name(o->scope)));
    json_key(j, "tls");
    json_bool(j, o->tls);
    add_int(j, "waited_ms", o->waited_ms);
    add_int(j, "dialogue_ms", o->dialogue_ms);
}

static void add_head(struct json *j, const struct event *e)
{
    add_str(j, "type", str_of(event_kind_name(e->kind)));
    add_date(j, "timestamp", e->wall_ms);
    add_id(j, "id", e->message);
    add_int(j, "account", (int64_t)e->account);
}

static void add_accepted(struct json *j, const struct event *e)
{
    add_str(j, "client", e->client);
    add_str(j, "helo", e->helo);
    add_str(j, "login", e->login);
    add_int(j, "recipients", e->rcpt_count);
}

static void add_recipient(struct json *j, const struct event *e)
{
    add_str(j, "to", e->address);
    add_str(j, "destination", e->destination);
    add_str(j, "source", e->source);
    add_int(j, "try", e->tries);
    if (e->outcome.kind != 0)
        add_outcome(j, &e->outcome);
    add_date(j, "next", e->due_wall_ms);
    add_id(j, "dsn", e->dsn);
    add_str(j, "actor", e->actor);
    add_str(j, "reason", e->reason);
}

static void write_whole(const struct event *e, struct buf *to)
{
    struct json j;

    json_begin(&j, to);
    json_object(&j);
    add_head(&j, e);
    json_key(&j, "from");
    json_str(&j, e->reverse_path);
    add_int(&j, "size", (int64_t)e->size_bytes);
    if (e->kind == EVENT_ACCEPTED)
        add_accepted(&j, e);
    else
        add_recipient(&j, e);
    json_object_end(&j);
}

static void write_cut(const struct event *e, struct buf *to)
{
    struct json j;

    json_begin(&j, to);
    json_object(&j);
    add_head(&j, e);
    add_int(&j, "rcpt", e->rcpt);
    json_key(&j, "cut");
    json_bool(&j, true);
    json_object_end(&j);
}

void event_json(const struct event *e, struct buf *to)
{
    struct buf b;

    buf_init(&b, EVENT_JSON_MAX);
    write_whole(e, &b);
    if (!buf_ok(&b)) {
        buf_clear(&b);
        write_cut(e, &b);
    }
    buf_add(to, buf_str(&b));
    buf_done(&b);
}

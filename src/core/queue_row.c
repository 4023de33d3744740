// SPDX-License-Identifier: Apache-2.0
/* core/queue_row.c - the rows of an answer to an operator: states, reasons, JSON text, which web
 * hands through. */
#include <stdarg.h>
#include <stdio.h>

#include "base/code.h"
#include "base/json.h"
#include "core/queue.h"

static bool asker_is_there(const struct request *q)
{
    return q->web->channel && q->web->generation == q->generation;
}

static void send_row(struct request *q)
{
    if (!asker_is_there(q) || !buf_ok(&q->row))
        return;
    struct wire_admin_row *m = wire_add(q->web->channel, WIRE_ADMIN_ROW, q->row.len);
    m->request = q->number;
    wire_put(m, &m->json, buf_str(&q->row));
}

void queue_end(struct request *q, uint16_t status, uint64_t next, const char *fmt, ...)
{
    char text[300];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!asker_is_there(q))
        return;
    struct wire_admin_end *m = wire_add(q->web->channel, WIRE_ADMIN_END, strlen(text));
    m->request = q->number;
    m->status = status;
    m->next = next;
    wire_put(m, &m->text, str_of(text));
}

static struct json row_begin(struct request *q)
{
    struct json j;

    buf_clear(&q->row);
    json_begin(&j, &q->row);
    json_object(&j);
    return j;
}

static void put_str(struct json *j, const char *key, struct str value)
{
    json_key(j, key);
    json_str(j, value);
}

static void put_int(struct json *j, const char *key, int64_t value)
{
    json_key(j, key);
    json_int(j, value);
}

static void put_id(struct json *j, const char *key, uint64_t id)
{
    char text[ID_TEXT_LEN + 1];

    put_str(j, key, str_of(id_format(id, text)));
}

static void put_time(struct json *j, const char *key, int64_t wall_ms)
{
    char text[DATE_TEXT_MAX];

    json_key(j, key);
    if (wall_ms == 0)
        json_null(j);
    else
        json_str(j, str_of(date_format_iso(wall_ms, text)));
}

/* --- states and reasons --- */

const char *queue_state_name(enum item_state state)
{
    switch (state) {
    case ITEM_UNPLACED:
        return "resolving";
    case ITEM_WAITING:
        return "deferred";
    case ITEM_READY:
        return "ready";
    case ITEM_IN_FLIGHT:
        return "delivering";
    case ITEM_HELD:
        return "held";
    case ITEM_DONE:
        break;
    }
    return "done";
}

/* One sentence: why this recipient waits, for what, until when. */
static void why(const struct core *c, const struct entry *e, uint32_t rcpt, char *text, size_t size)
{
    struct site *site = schedule_item_site(e, rcpt);
    struct site_facts f = { 0 };
    int64_t now = core_now(c);

    if (site)
        site_look(site, &f);
    switch (schedule_state(e, rcpt)) {
    case ITEM_UNPLACED:
        snprintf(text, size, "waiting for DNS to say where its domain's mail goes");
        return;
    case ITEM_WAITING:
        if (f.closed_until_ms > now)
            snprintf(text, size,
                     "its destination fails (%.*s); tried again with one message in %lld s",
                     STR_FMT(f.why), (long long)((f.closed_until_ms - now + 999) / 1000));
        else
            snprintf(text, size, "attempt %u did not succeed%s%.*s; the next one is in %lld s",
                     schedule_tries(e, rcpt), f.why.len ? ", last reply: " : "", STR_FMT(f.why),
                     (long long)((schedule_due(e, rcpt) - now + 999) / 1000));
        return;
    case ITEM_READY:
        snprintf(text, size,
                 "%zu recipients are ready for this destination, which takes %u connections now",
                 f.ready, f.connections);
        return;
    case ITEM_IN_FLIGHT:
        snprintf(text, size, "being delivered at this moment");
        return;
    case ITEM_HELD:
        snprintf(text, size, "held until it expires; `baton queue release` lets it go");
        return;
    case ITEM_DONE:
        break;
    }
    snprintf(text, size, "it has its outcome already");
}

/* --- rows --- */

void queue_row_rcpt(struct request *q, struct spool_message *m, const struct envelope *e,
                    uint32_t r)
{
    struct entry *entry = *spool_message_slot(m);
    struct site *site = schedule_item_site(entry, r);
    struct json j = row_begin(q);

    put_id(&j, "id", spool_message_id(m));
    put_str(&j, "from", e->reverse_path);
    put_str(&j, "to", e->rcpts[r].address);
    put_str(&j, "state", str_of(queue_state_name(schedule_state(entry, r))));
    put_str(&j, "site", site ? site_name(site) : STR(""));
    put_int(&j, "tries", schedule_tries(entry, r));
    put_int(&j, "size", (int64_t)e->size_bytes);
    put_time(&j, "accepted", e->accepted_wall_ms);
    put_time(&j, "next", schedule_state(entry, r) == ITEM_WAITING ? schedule_due(entry, r) : 0);
    json_object_end(&j);
    send_row(q);
}

void queue_row_why(struct request *q, struct spool_message *m, const struct envelope *e, uint32_t r)
{
    struct entry *entry = *spool_message_slot(m);
    char text[600];
    struct json j = row_begin(q);

    why(q->core, entry, r, text, sizeof text);
    put_id(&j, "id", spool_message_id(m));
    put_str(&j, "to", e->rcpts[r].address);
    put_str(&j, "state", str_of(queue_state_name(schedule_state(entry, r))));
    put_str(&j, "why", str_of(text));
    put_time(&j, "next", schedule_state(entry, r) == ITEM_WAITING ? schedule_due(entry, r) : 0);
    json_object_end(&j);
    send_row(q);
}

void queue_row_envelope(struct request *q, struct spool_message *m, const struct envelope *e)
{
    char client[IP_TEXT_MAX];
    struct json j = row_begin(q);

    put_id(&j, "id", spool_message_id(m));
    put_str(&j, "from", e->reverse_path);
    put_int(&j, "recipients", (int64_t)e->rcpt_count);
    put_int(&j, "size", (int64_t)e->size_bytes);
    put_time(&j, "accepted", e->accepted_wall_ms);
    put_int(&j, "account", (int64_t)e->account);
    put_str(&j, "login", e->login);
    put_str(&j, "client", e->client.family ? str_of(ip_format(&e->client, client)) : STR(""));
    put_str(&j, "helo", e->helo);
    json_key(&j, "notification");
    json_bool(&j, (e->flags & ENVELOPE_DSN) != 0);
    json_object_end(&j);
    send_row(q);
}

void queue_row_done(struct request *q, struct spool_message *m, const struct envelope *e,
                    uint32_t r)
{
    struct json j = row_begin(q);

    put_id(&j, "id", spool_message_id(m));
    put_str(&j, "to", e->rcpts[r].address);
    json_object_end(&j);
    send_row(q);
}

void queue_row_site(struct request *q, const struct site_facts *f)
{
    struct json j = row_begin(q);

    put_str(&j, "site", f->name);
    put_int(&j, "queued", (int64_t)f->queued);
    put_int(&j, "ready", (int64_t)f->ready);
    put_int(&j, "delivering", f->in_flight);
    put_int(&j, "connections", f->connections);
    put_time(&j, "closed_until", f->closed_until_ms);
    put_str(&j, "why", f->closed_until_ms ? f->why : STR(""));
    json_object_end(&j);
    send_row(q);
}

void queue_row_usage(struct request *q, const struct usage_row *u)
{
    struct json j = row_begin(q);

    put_str(&j, "account", u->account);
    put_str(&j, "stream", u->stream);
    put_str(&j, "window", str_of(u->window));
    put_str(&j, "measure", str_of(u->measure));
    put_int(&j, "used", (int64_t)u->used);
    json_key(&j, "limit");
    if (u->limit == 0)
        json_null(&j);
    else
        json_int(&j, (int64_t)u->limit);
    put_time(&j, "ends", u->ends_ms);
    json_object_end(&j);
    send_row(q);
}

void queue_row_observed(struct request *q, const struct observed_row *o)
{
    struct json j = row_begin(q);

    put_str(&j, "account", o->account);
    put_str(&j, "code", o->code);
    put_int(&j, "count", (int64_t)o->count);
    put_time(&j, "since", o->since_ms);
    put_time(&j, "last", o->last_ms);
    put_id(&j, "id", o->last_id);
    put_str(&j, "name", o->name);
    put_str(&j, "text", o->text);
    json_object_end(&j);
    send_row(q);
}

// SPDX-License-Identifier: Apache-2.0
/* core/queue.c - what operators ask for: lists, reasons, and actions on one message or on all that a filter finds.
 *
 * Requests are stories, since addresses lie in the log. Rows are JSON text, made here and handed through by web. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/code.h"
#include "base/json.h"
#include "base/log.h"
#include "core/core.h"

#define LIST_LIMIT_MAX 1000
#define ROW_MAX 3500
/* Of what a request says: it must fit into an event beside two addresses. */
#define TEXT_MAX 500

struct request {
    struct core *core;
    struct peer *web;
    uint32_t generation;
    struct arena arena;
    uint64_t number, id;
    uint32_t verb, flags, limit;
    char *texts; /* holds these: */
    struct str actor, from, to, site, state, reason;
    struct buf row;
};

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

__attribute__((format(printf, 4, 5))) static void send_end(struct request *q, uint16_t status, uint64_t next,
                                                           const char *fmt, ...)
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

/* --- states and reasons ---------------------------------------------------------------------------------------- */

static const char *state_name(enum item_state state)
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
            snprintf(text, size, "its destination fails (%.*s); tried again with one message in %lld s",
                     STR_FMT(f.why), (long long)((f.closed_until_ms - now + 999) / 1000));
        else
            snprintf(text, size, "attempt %u did not succeed%s%.*s; the next one is in %lld s",
                     schedule_tries(e, rcpt), f.why.len ? ", last reply: " : "", STR_FMT(f.why),
                     (long long)((schedule_due(e, rcpt) - now + 999) / 1000));
        return;
    case ITEM_READY:
        snprintf(text, size, "%zu recipients are ready for this destination, which takes %u connections now",
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

/* --- matching -------------------------------------------------------------------------------------------------- */

static bool part_of(struct str text, struct str part)
{
    return part.len == 0 || str_find_nocase(text, part) < text.len;
}

static bool rcpt_matches(const struct request *q, const struct entry *entry, const struct envelope *e, uint32_t r)
{
    struct site *site = schedule_item_site(entry, r);

    if (schedule_state(entry, r) == ITEM_DONE)
        return false;
    if (q->state.len > 0 && !str_eq(q->state, str_of(state_name(schedule_state(entry, r)))))
        return false;
    if (q->site.len > 0 && (!site || !part_of(site_name(site), q->site)))
        return false;
    return part_of(e->rcpts[r].address, q->to);
}

/* Ids of live messages behind `after`, the `limit` smallest in rising order. Walking all of them costs a look at
 * memory each; nothing is read. */
static size_t ids_after(struct core *c, uint64_t after, uint64_t *ids, size_t limit)
{
    size_t at = 0, count = 0;
    struct spool_message *m;

    while ((m = spool_each(c->spool, &at)) != NULL) {
        uint64_t id = spool_message_id(m);
        size_t place = count;
        if (id <= after || (count == limit && id > ids[count - 1]))
            continue;
        while (place > 0 && ids[place - 1] > id)
            place--;
        size_t moved = (count < limit ? count : limit - 1) - place;
        memmove(&ids[place + 1], &ids[place], moved * sizeof *ids);
        ids[place] = id;
        count += count < limit;
    }
    return count;
}

/* --- rows ------------------------------------------------------------------------------------------------------ */

static void row_message(struct request *q, struct spool_message *m, const struct envelope *e, uint32_t r)
{
    struct entry *entry = *spool_message_slot(m);
    struct site *site = schedule_item_site(entry, r);
    struct json j = row_begin(q);

    put_id(&j, "id", spool_message_id(m));
    put_str(&j, "from", e->reverse_path);
    put_str(&j, "to", e->rcpts[r].address);
    put_str(&j, "state", str_of(state_name(schedule_state(entry, r))));
    put_str(&j, "site", site ? site_name(site) : STR(""));
    put_int(&j, "tries", schedule_tries(entry, r));
    put_int(&j, "size", (int64_t)e->size_bytes);
    put_time(&j, "accepted", e->accepted_wall_ms);
    put_time(&j, "next", schedule_state(entry, r) == ITEM_WAITING ? schedule_due(entry, r) : 0);
    json_object_end(&j);
    send_row(q);
}

static void row_why(struct request *q, struct spool_message *m, const struct envelope *e, uint32_t r)
{
    struct entry *entry = *spool_message_slot(m);
    char text[600];
    struct json j = row_begin(q);

    why(q->core, entry, r, text, sizeof text);
    put_id(&j, "id", spool_message_id(m));
    put_str(&j, "to", e->rcpts[r].address);
    put_str(&j, "state", str_of(state_name(schedule_state(entry, r))));
    put_str(&j, "why", str_of(text));
    put_time(&j, "next", schedule_state(entry, r) == ITEM_WAITING ? schedule_due(entry, r) : 0);
    json_object_end(&j);
    send_row(q);
}

static void row_envelope(struct request *q, struct spool_message *m, const struct envelope *e)
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

/* --- requests -------------------------------------------------------------------------------------------------- */

typedef bool each_rcpt_fn(struct request *q, struct spool_message *m, const struct envelope *e, uint32_t r,
                          struct err *err);

/* Calls fn for every recipient of the message that the filter finds; counts those for which it was true. Waits. */
static size_t each_rcpt_of(struct request *q, struct spool_message *m, each_rcpt_fn *fn, struct err *err)
{
    struct core *c = q->core;
    struct envelope e;
    size_t done = 0;

    arena_reset(&q->arena);
    spool_pin(m);
    if (spool_envelope(c->spool, m, &q->arena, &e, err) && part_of(e.reverse_path, q->from))
        for (uint32_t r = 0; r < e.rcpt_count; r++) {
            struct entry *entry = *spool_message_slot(m);
            if (!entry)
                break; /* its last recipient ended while we waited */
            if (rcpt_matches(q, entry, &e, r))
                done += fn(q, m, &e, r, err);
        }
    spool_unpin(c->spool, m);
    return done;
}

static bool list_rcpt(struct request *q, struct spool_message *m, const struct envelope *e, uint32_t r,
                      struct err *err)
{
    (void)err;
    row_message(q, m, e, r);
    return true;
}

static bool why_rcpt(struct request *q, struct spool_message *m, const struct envelope *e, uint32_t r,
                     struct err *err)
{
    (void)err;
    row_why(q, m, e, r);
    return true;
}

static enum event_kind operation_kind(uint32_t verb)
{
    switch (verb) {
    case ADMIN_QUEUE_HOLD:
        return EVENT_HELD;
    case ADMIN_QUEUE_RELEASE:
        return EVENT_RELEASED;
    case ADMIN_QUEUE_DROP:
        return EVENT_CANCELLED;
    default:
        return EVENT_RETRIED;
    }
}

static bool act_on_rcpt(struct request *q, struct spool_message *m, const struct envelope *e, uint32_t r,
                        struct err *err)
{
    struct entry *entry = *spool_message_slot(m);
    struct operation op = {
        .kind = operation_kind(q->verb),
        .actor = q->actor,
        .reason = q->reason,
        .silent = (q->flags & ADMIN_SILENT) != 0,
    };

    if (q->verb == ADMIN_QUEUE_RELEASE && schedule_state(entry, r) != ITEM_HELD)
        return false;
    if (q->verb == ADMIN_QUEUE_HOLD && schedule_state(entry, r) == ITEM_HELD)
        return false;
    if (q->verb == ADMIN_QUEUE_RETRY && schedule_state(entry, r) == ITEM_HELD)
        return false;
    if (!(q->flags & ADMIN_DRY_RUN) && !settle_operation(q->core, m, e, r, &op, err))
        return false;
    struct json j = row_begin(q);
    put_id(&j, "id", spool_message_id(m));
    put_str(&j, "to", e->rcpts[r].address);
    json_object_end(&j);
    send_row(q);
    return true;
}

static void log_operation(struct request *q, size_t done)
{
    struct log_line l;

    if (q->flags & ADMIN_DRY_RUN)
        return;
    log_begin(&l, LOG_INFO, event_kind_name(operation_kind(q->verb)));
    log_str(&l, "actor", q->actor);
    log_num(&l, "recipients", (int64_t)done);
    log_str(&l, "reason", q->reason);
    log_num(&l, "silent", (q->flags & ADMIN_SILENT) != 0);
    log_end(&l);
}

/* All that a filter finds, page by page; fn's own waits may end messages meanwhile. */
static size_t each_found(struct request *q, each_rcpt_fn *fn, size_t rows_max, uint64_t *ret_next, struct err *err)
{
    uint64_t ids[LIST_LIMIT_MAX], after = q->id;
    size_t done = 0, count;

    *ret_next = 0;
    while ((count = ids_after(q->core, after, ids, LIST_LIMIT_MAX)) > 0)
        for (size_t i = 0; i < count; i++) {
            struct spool_message *m = spool_find(q->core->spool, ids[i]);
            after = ids[i];
            if (m && *spool_message_slot(m))
                done += each_rcpt_of(q, m, fn, err);
            if (done >= rows_max) {
                *ret_next = after;
                return done;
            }
        }
    return done;
}

static void answer_list(struct request *q)
{
    struct err err = { 0 };
    uint64_t next;
    size_t limit = q->limit == 0 || q->limit > LIST_LIMIT_MAX ? LIST_LIMIT_MAX : q->limit;

    each_found(q, list_rcpt, limit, &next, &err);
    send_end(q, 200, next, "%s", "");
}

static void answer_summary(struct request *q)
{
    struct core *c = q->core;
    struct site *site;
    size_t at = 0;

    while (site_each(c->schedule, &at, &site)) {
        struct site_facts f;
        site_look(site, &f);
        struct json j = row_begin(q);
        put_str(&j, "site", f.name);
        put_int(&j, "queued", (int64_t)f.queued);
        put_int(&j, "ready", (int64_t)f.ready);
        put_int(&j, "delivering", f.in_flight);
        put_int(&j, "connections", f.connections);
        put_time(&j, "closed_until", f.closed_until_ms);
        put_str(&j, "why", f.closed_until_ms ? f.why : STR(""));
        json_object_end(&j);
        if (f.queued > 0)
            send_row(q);
    }
    send_end(q, 200, 0, "%s", "");
}

static struct spool_message *find_asked(struct request *q)
{
    struct spool_message *m = spool_find(q->core->spool, q->id);

    if (m && *spool_message_slot(m))
        return m;
    send_end(q, 404, 0, "no message with this id is queued");
    return NULL;
}

static void answer_show(struct request *q, each_rcpt_fn *fn, bool envelope_first)
{
    struct spool_message *m = find_asked(q);
    struct envelope e;
    struct err err = { 0 };

    if (!m)
        return;
    spool_pin(m);
    if (envelope_first && spool_envelope(q->core->spool, m, &q->arena, &e, &err))
        row_envelope(q, m, &e);
    each_rcpt_of(q, m, fn, &err);
    spool_unpin(q->core->spool, m);
    if (err.kind != ERR_NONE)
        send_end(q, 500, 0, "%s", err.text);
    else
        send_end(q, 200, 0, "%s", "");
}

static void answer_act(struct request *q)
{
    struct err err = { 0 };
    uint64_t next;
    size_t done;

    if (q->flags & ADMIN_ALL) {
        q->id = 0;
        done = each_found(q, act_on_rcpt, SIZE_MAX, &next, &err);
    } else {
        struct spool_message *m = find_asked(q);
        if (!m)
            return;
        done = each_rcpt_of(q, m, act_on_rcpt, &err);
    }
    log_operation(q, done);
    if (done == 0 && err.kind != ERR_NONE)
        send_end(q, err.kind == ERR_EXISTS ? 409 : 500, 0, "%s", err.text);
    else if (done == 0)
        send_end(q, 409, 0, "no recipient is in a state for this");
    else
        send_end(q, 200, 0, "%s", "");
}

static void request_free(struct request *q)
{
    buf_done(&q->row);
    arena_done(&q->arena);
    free(q->texts);
    core_story_end(q->core);
    free(q);
}

static void request_story(void *arg)
{
    struct request *q = arg;

    switch (q->verb) {
    case ADMIN_QUEUE_LIST:
        answer_list(q);
        break;
    case ADMIN_QUEUE_SUMMARY:
        answer_summary(q);
        break;
    case ADMIN_QUEUE_SHOW:
        answer_show(q, list_rcpt, true);
        break;
    case ADMIN_QUEUE_WHY:
        answer_show(q, why_rcpt, false);
        break;
    case ADMIN_QUEUE_RETRY:
    case ADMIN_QUEUE_HOLD:
    case ADMIN_QUEUE_RELEASE:
    case ADMIN_QUEUE_DROP:
        answer_act(q);
        break;
    default:
        send_end(q, 404, 0, "core does not know this request");
        break;
    }
    request_free(q);
}

/* The texts outlive the arena's resets between messages. */
static struct str keep(struct request *q, const struct wire_admin *m, struct wire_str field, size_t *at)
{
    struct str text = str_sub(wire_get(m, field), 0, TEXT_MAX);

    if (text.len == 0)
        return STR("");
    memcpy(q->texts + *at, text.ptr, text.len);
    text.ptr = q->texts + *at;
    *at += text.len;
    return text;
}

void queue_on_admin(struct core *c, struct peer *web, const struct wire_admin *m)
{
    struct request *q = NEW(struct request);
    size_t at = 0;

    q->core = c;
    q->web = web;
    q->generation = web->generation;
    q->number = m->request;
    q->id = m->id;
    q->verb = m->verb;
    q->flags = m->flags;
    q->limit = m->limit;
    q->texts = mem_new(6 * (size_t)m->head.len);
    q->actor = keep(q, m, m->actor, &at);
    q->from = keep(q, m, m->from, &at);
    q->to = keep(q, m, m->to, &at);
    q->site = keep(q, m, m->site, &at);
    q->state = keep(q, m, m->state, &at);
    q->reason = keep(q, m, m->reason, &at);
    arena_init(&q->arena, 4096);
    buf_init(&q->row, ROW_MAX);
    core_story_begin(c);
    if (core_may_start_story()) {
        fiber_spawn("request", request_story, q);
    } else {
        send_end(q, 503, 0, "too much is going on; try again in a little while");
        request_free(q);
    }
}

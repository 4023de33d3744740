// SPDX-License-Identifier: Apache-2.0
/* core/queue.c - what operators ask for: lists, reasons, and actions on one message or on all that
 * a filter finds.
 *
 * Requests are stories, since addresses lie in the log. */
#include <stdlib.h>

#include "base/log.h"
#include "core/queue.h"

#define LIST_LIMIT_MAX 1000
#define ROW_MAX 3500
/* Of what a request says: it must fit into an event beside two addresses. */
#define TEXT_MAX 500

/* --- matching --- */

static bool part_of(struct str text, struct str part)
{
    return part.len == 0 || str_find_nocase(text, part) < text.len;
}

static bool rcpt_matches(const struct request *q, const struct entry *entry,
                         const struct envelope *e, uint32_t r)
{
    struct site *site = schedule_item_site(entry, r);

    if (schedule_state(entry, r) == ITEM_DONE)
        return false;
    if (q->state.len > 0 && !str_eq(q->state, str_of(queue_state_name(schedule_state(entry, r)))))
        return false;
    if (q->site.len > 0 && (!site || !part_of(site_name(site), q->site)))
        return false;
    return part_of(e->rcpts[r].address, q->to);
}

/* Ids of live messages behind `after`, the `limit` smallest in rising order. Walking all of them
 * costs a look at memory each; nothing is read. */
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

/* --- requests --- */

typedef bool each_rcpt_fn(struct request *q, struct spool_message *m, const struct envelope *e,
                          uint32_t r, struct err *err);

/* Calls fn for every recipient of the message that the filter finds; counts those for which it was
 * true. Waits. */
static size_t each_rcpt_of(struct request *q, struct spool_message *m, each_rcpt_fn *fn,
                           struct err *err)
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

static bool list_rcpt(struct request *q, struct spool_message *m, const struct envelope *e,
                      uint32_t r, struct err *err)
{
    (void)err;
    queue_row_rcpt(q, m, e, r);
    return true;
}

static bool why_rcpt(struct request *q, struct spool_message *m, const struct envelope *e,
                     uint32_t r, struct err *err)
{
    (void)err;
    queue_row_why(q, m, e, r);
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

static bool act_on_rcpt(struct request *q, struct spool_message *m, const struct envelope *e,
                        uint32_t r, struct err *err)
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
    queue_row_done(q, m, e, r);
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

/* What came later is not meant: least of all the notifications that the walk itself makes. */
static uint64_t newest_id(struct core *c)
{
    struct spool_message *m;
    uint64_t newest = 0;
    size_t at = 0;

    while ((m = spool_each(c->spool, &at)) != NULL)
        if (spool_message_id(m) > newest)
            newest = spool_message_id(m);
    return newest;
}

/* All that a filter finds, page by page; fn's own waits may end messages meanwhile. */
static size_t each_found(struct request *q, each_rcpt_fn *fn, size_t rows_max, uint64_t *ret_next,
                         struct err *err)
{
    uint64_t ids[LIST_LIMIT_MAX], after = q->id, last = newest_id(q->core);
    size_t done = 0, count;

    *ret_next = 0;
    while (after < last && (count = ids_after(q->core, after, ids, LIST_LIMIT_MAX)) > 0)
        for (size_t i = 0; i < count; i++) {
            struct spool_message *m = spool_find(q->core->spool, ids[i]);
            after = ids[i];
            if (after > last)
                return done;
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
    queue_end(q, 200, next, "%s", "");
}

static void answer_summary(struct request *q)
{
    struct core *c = q->core;
    struct site *site;
    size_t at = 0;

    while (site_each(c->schedule, &at, &site)) {
        struct site_facts f;
        site_look(site, &f);
        if (f.queued > 0)
            queue_row_site(q, &f);
    }
    queue_end(q, 200, 0, "%s", "");
}

static struct spool_message *find_asked(struct request *q)
{
    struct spool_message *m = spool_find(q->core->spool, q->id);

    if (m && *spool_message_slot(m))
        return m;
    queue_end(q, 404, 0, "no message with this id is queued");
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
        queue_row_envelope(q, m, &e);
    each_rcpt_of(q, m, fn, &err);
    spool_unpin(q->core->spool, m);
    if (err.kind != ERR_NONE)
        queue_end(q, 500, 0, "%s", err.text);
    else
        queue_end(q, 200, 0, "%s", "");
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
        queue_end(q, err.kind == ERR_EXISTS ? 409 : 500, 0, "%s", err.text);
    else if (done == 0)
        queue_end(q, 409, 0, "no recipient is in a state for this");
    else
        queue_end(q, 200, 0, "%s", "");
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
    case ADMIN_USAGE_LIST:
        usage_list(q);
        break;
    case ADMIN_OBSERVED_LIST:
        observed_list(q);
        break;
    default:
        queue_end(q, 404, 0, "core does not know this request");
        break;
    }
    request_free(q);
}

/* The texts outlive the arena's resets between messages. */
static struct str keep(struct request *q, const struct wire_admin *m, struct wire_str field,
                       size_t *at)
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
    q->texts = mem_new(7 * (size_t)m->head.len);
    q->actor = keep(q, m, m->actor, &at);
    q->account = keep(q, m, m->account, &at);
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
        queue_end(q, 503, 0, "too much is going on; try again in a little while");
        request_free(q);
    }
}

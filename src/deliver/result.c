// SPDX-License-Identifier: Apache-2.0
/* deliver/result.c - from replies and failures to outcomes, and from outcomes to frames.
 *
 * Scopes: a refused RCPT concerns the recipient, a refused MAIL or content the message, 421 and a
 * lost connection the session. Retry and bounce are core's to decide. */
#include "deliver/result.h"

#include <assert.h>

#include "io/loop.h"

static const struct status status_lost = { 4, 4, 2 }; /* bad connection */
static const struct status status_protocol = { 4, 5, 0 };
static const struct status status_tls = { 4, 7, 5 };
static const struct status status_unanswered = { 4, 4, 1 };
static const struct status status_system = { 4, 3, 0 };

struct outcome result_ours(uint16_t code, struct status status, enum outcome_scope scope,
                           struct str text)
{
    return (struct outcome){
        .kind = status.klass == 5 ? OUTCOME_BOUNCED : OUTCOME_DEFERRED,
        .scope = scope,
        .reply = { .code = code, .status = status, .text = text },
    };
}

static struct status status_of_err(const struct err *err, enum outcome_scope scope)
{
    switch (err->kind) {
    case ERR_TLS:
        return status_tls;
    case ERR_SYNTAX:
    case ERR_LIMIT:
        return status_protocol;
    case ERR_CANCELLED:
        return status_system;
    default:
        return scope == SCOPE_DESTINATION ? status_unanswered : status_lost;
    }
}

struct outcome result_of_err(const struct err *err, enum outcome_scope scope, struct arena *a)
{
    return result_ours(0, status_of_err(err, scope), scope, arena_str(a, str_of(err->text)));
}

static struct outcome from_reply(const struct reply *r, enum outcome_scope scope,
                                 enum outcome_kind taken)
{
    struct outcome o = { .kind = outcome_of_reply(r), .scope = scope, .reply = *r };

    if (r->code == 421) /* it is leaving: RFC 5321 §3.8 */
        o.scope = SCOPE_SESSION;
    if (o.kind == OUTCOME_DELIVERED)
        o.kind = taken;
    return o;
}

/* 552 to RCPT once meant "too many recipients" and is to be read as 452 (RFC 5321 §4.5.3.1.10),
 * unless the enhanced code says that it is the mailbox which is full. */
static struct outcome from_rcpt(const struct reply *r, enum outcome_kind taken)
{
    struct outcome o = from_reply(r, SCOPE_RECIPIENT, taken);

    if (r->code == 552 && (r->status.klass == 0 || r->status.subject == 5))
        o.kind = OUTCOME_DEFERRED;
    return o;
}

static struct outcome from_loss(const struct batch *b, const struct err *lost)
{
    struct outcome o =
        result_ours(0, status_of_err(lost, SCOPE_SESSION), SCOPE_SESSION, str_of(lost->text));

    if (b->all_sent)
        o.kind = OUTCOME_UNKNOWN;
    return o;
}

struct outcome result_of_batch(const struct batch *b, size_t rcpt, const struct err *lost,
                               enum outcome_kind taken)
{
    const struct batch_rcpt *r = &b->rcpts[rcpt];

    if (b->mail_heard && b->reply.code != 0 && b->stage == STAGE_MAIL)
        return from_reply(&b->reply, SCOPE_MESSAGE, taken);
    if (r->heard && (r->ended || !reply_ok(&r->reply)))
        return from_rcpt(&r->reply, taken);
    if (b->reply.code != 0)
        return from_reply(&b->reply, SCOPE_MESSAGE, taken);
    if (lost)
        return from_loss(b, lost);
    return result_ours(0, status_lost, SCOPE_SESSION,
                       STR("the server left before the content was sent"));
}

void result_settle_rest(struct job *j, const struct outcome *o)
{
    for (size_t i = 0; i < j->rcpt_count; i++) {
        if (j->rcpts[i].settled)
            continue;
        j->rcpts[i].settled = true;
        j->rcpts[i].outcome = *o;
    }
}

void result_defer_all(struct job *j, struct status status, struct str text)
{
    struct outcome o = result_ours(0, status, SCOPE_DESTINATION, text);

    result_settle_rest(j, &o);
}

/* Frames -------------------------------------------------------------------------------------- */

static uint32_t ms_between(int64_t from_ms, int64_t to_ms)
{
    return to_ms > from_ms ? (uint32_t)(to_ms - from_ms) : 0;
}

static void send_rcpt(struct channel *to, const struct job *j, const struct job_rcpt *r)
{
    const struct outcome *o = &r->outcome;
    struct wire_result_rcpt *f = wire_add(to, WIRE_RESULT_RCPT, o->host.len + o->reply.text.len);
    int64_t begun_ms = j->begun_ms ? j->begun_ms : loop_now_ms();

    assert(r->settled);
    f->job = j->number;
    f->rcpt = r->number;
    f->code = o->reply.code;
    f->status_class = o->reply.status.klass;
    f->status_subject = o->reply.status.subject;
    f->status_detail = o->reply.status.detail;
    f->kind = (uint8_t)o->kind;
    f->scope = (uint8_t)o->scope;
    f->tls = o->tls;
    f->flags = r->dsn_passed_on ? RESULT_DSN_PASSED_ON : 0;
    f->waited_ms = ms_between(j->came_ms, begun_ms);
    f->dialogue_ms = ms_between(begun_ms, loop_now_ms());
    f->ip = wire_ip_of(&o->ip, j->port);
    f->source = wire_ip_of(&j->source, 0);
    wire_put(f, &f->host, o->host);
    wire_put(f, &f->text, o->reply.text);
}

void result_send(struct job *j, unsigned open)
{
    struct deliver *d = j->role;

    if (!j->abandoned)
        idmap_take(&d->jobs, j->number);
    if (!j->abandoned && d->core) {
        struct wire_result *f;

        for (size_t i = 0; i < j->rcpt_count; i++)
            send_rcpt(d->core->channel, j, &j->rcpts[i]);
        f = wire_add(d->core->channel, WIRE_RESULT, 0);
        f->job = j->number;
        f->connections_open = open;
        f->session_code = j->session_code;
        f->connection_failed = j->connection_failed;
    }
    job_free(j);
}

// SPDX-License-Identifier: Apache-2.0
/* accept/session_reply.c - what a session says: replies pile up until the client is waited for,
 * refusals are logged and counted; and what it asks other roles. */
#include "accept/accept.h"
#include "base/log.h"

#define PILE_BYTES_MAX (32 * 1024)

/* Replies ----------------------------------------------------------------------------------- */

void session_lost(struct session *s, const struct err *why)
{
    struct log_line l;
    char ip[IP_TEXT_MAX];

    if (s->over)
        return;
    s->over = true;
    /* Gone without QUIT between messages is common and harmless. */
    log_begin(&l, s->tx.state == TX_NONE ? LOG_DEBUG : LOG_INFO, "session-lost");
    log_cstr(&l, "client", ip_format(&s->client.ip, ip));
    log_str(&l, "helo", buf_str(&s->helo));
    log_cstr(&l, "in", s->tx.state == TX_NONE ? "commands" : "transaction");
    log_cstr(&l, "why", err_kind_name(why->kind));
    log_cstr(&l, "text", why->text);
    log_end(&l);
}

bool session_flush(struct session *s)
{
    struct err err;

    if (s->piled == 0)
        return true;
    s->piled = 0;
    if (stream_flush(s->stream, &err))
        return true;
    session_lost(s, &err);
    return false;
}

void session_reply_raw(struct session *s, const struct reply *r)
{
    struct buf *to = &s->role->reply;
    struct err err;

    buf_clear(to);
    (void)reply_format(to, r);
    if (!stream_put(s->stream, buf_str(to), &err))
        session_lost(s, &err);
    s->piled += to->len;
    /* Here, not before the next one: what is made in the role's scratch must be piled without a
     * wait. */
    if (s->piled > PILE_BYTES_MAX && !session_flush(s))
        return; /* lost: the story ends */
}

static void reply_with(struct session *s, enum reply_id id, const struct str *args, size_t count)
{
    struct reply r = replies_make(id, args, count, &s->role->words);

    session_reply_raw(s, &r);
}

void session_reply(struct session *s, enum reply_id id)
{
    reply_with(s, id, NULL, 0);
}

void session_reply1(struct session *s, enum reply_id id, struct str arg)
{
    reply_with(s, id, &arg, 1);
}

void session_reply_num(struct session *s, enum reply_id id, uint64_t arg)
{
    struct number n = number_text(arg);

    session_reply1(s, id, str_of(n.text));
}

void session_end(struct session *s, enum reply_id id)
{
    session_end_num(s, id, UINT64_MAX);
}

void session_end_num(struct session *s, enum reply_id id, uint64_t arg)
{
    if (s->over)
        return;
    if (arg == UINT64_MAX)
        session_reply(s, id);
    else
        session_reply_num(s, id, arg);
    s->over = true;
}

static void log_refused(const struct session *s, const struct reply *r)
{
    char ip[IP_TEXT_MAX];
    struct log_line l;

    log_begin(&l, LOG_INFO, "refused");
    log_cstr(&l, "client", ip_format(&s->client.ip, ip));
    log_str(&l, "helo", buf_str(&s->helo));
    if (s->login.len > 0)
        log_str(&l, "login", buf_str(&s->login));
    if (s->tx.state != TX_NONE)
        log_str(&l, "from", s->tx.reverse_path);
    log_num(&l, "code", r->code);
    log_str(&l, "text", r->text);
    log_end(&l);
}

static void refuse(struct session *s, const struct reply *r, bool counts)
{
    unsigned limit = s->role->config->limits.bad_commands;

    s->role->refusals++;
    log_refused(s, r);
    session_reply_raw(s, r);
    if (counts && reply_is_permanent(r) && ++s->bad_commands >= limit)
        session_end_num(s, REPLY_BAD_COMMANDS, limit);
}

void session_refuse_raw(struct session *s, const struct reply *r)
{
    refuse(s, r, !session_is_authorised(s));
}

void session_refuse_args(struct session *s, enum reply_id id, struct str arg1, struct str arg2)
{
    struct str args[] = { arg1, arg2 };
    size_t count = (size_t)(arg1.ptr != NULL) + (size_t)(arg2.ptr != NULL);
    struct reply r = replies_make(id, args, count, &s->role->words);

    refuse(s, &r, true);
}

void session_refuse(struct session *s, enum reply_id id)
{
    session_refuse_args(s, id, STR_NONE, STR_NONE);
}

void session_refuse_num(struct session *s, enum reply_id id, uint64_t arg)
{
    struct number n = number_text(arg);

    session_refuse_args(s, id, str_of(n.text), STR_NONE);
}

/* Questions to other roles ------------------------------------------------------------------ */

void session_ask(struct session *s, bool of_vault)
{
    s->answer.of_vault = of_vault;
    s->answer.waiting = true;
    s->answer.here = false;
    s->answer.code = 0;
    s->answer.text = STR_NONE;
}

void session_answered(struct session *s, uint16_t code, struct str text)
{
    s->answer.waiting = false;
    s->answer.here = true;
    s->answer.code = code;
    s->answer.text = arena_str(s->tx.number != 0 ? &s->work->tx : &s->work->scratch, text);
    gate_wake_all(&s->answer.gate);
}

/* Those that it comes from, or by, are still the ones that were asked. */
static bool may_be_answered(const struct session *s)
{
    return core_knows(s) && (!s->answer.of_vault || vault_knows(s));
}

bool session_await(struct session *s, int64_t deadline_ms)
{
    struct err err = { .kind = ERR_NONE };
    bool here;

    while (!s->answer.here && may_be_answered(s))
        if (!gate_wait(&s->answer.gate, deadline_ms, &err))
            break;
    here = s->answer.here;
    s->answer.waiting = s->answer.here = false;
    if (err.kind == ERR_CANCELLED)
        session_lost(s, &err);
    return here;
}

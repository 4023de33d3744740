// SPDX-License-Identifier: Apache-2.0
/* accept/session.c - the story of one connection: PROXY, TLS, who is it, greeting, commands, end.
 *
 * What a command does stands in cmd_*.c; which is allowed when, in verbs.c. Replies pile up while
 * commands lie ready in the window and leave together (RFC 2920 §3.2). */
#include <assert.h>
#include <stdlib.h>

#include "accept/accept.h"
#include "accept/command.h"
#include "accept/opening.h"
#include "accept/verbs.h"
#include "base/log.h"

#define HELO_BYTES_MAX 255
#define LOGIN_BYTES_MAX 255
#define PILE_BYTES_MAX (32 * 1024)
#define STREAK_MAX 64 /* commands at hand before others have a turn */

/* Replies ---------------------------------------------------------------------------------------
 */

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

/* Questions to other roles ----------------------------------------------------------------------
 */

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

bool session_is_authorised(const struct session *s)
{
    /* On a submission port the network alone vouches for nobody (R10). */
    unsigned by =
        s->kind == LISTENER_RELAY ? BIND_AUTHENTICATED | BIND_TRUSTED : BIND_AUTHENTICATED;

    return (s->flags & by) != 0;
}

void session_forget(struct session *s)
{
    transaction_reset(s);
    buf_clear(&s->helo);
    s->esmtp = false;
}

/* Lines -----------------------------------------------------------------------------------------
 */

struct workspace *session_work(struct session *s)
{
    if (s->work == NULL)
        s->work = workspace_take(&s->role->workspaces, s->role->config->limits.header_bytes);
    return s->work;
}

static void release_work(struct session *s)
{
    if (s->work == NULL || s->tx.state != TX_NONE)
        return;
    workspace_give(&s->role->workspaces, s->work);
    s->work = NULL;
}

static int64_t session_end_ms(const struct session *s)
{
    int64_t most_ms = s->role->config->timeouts.session_unauthenticated_ms;

    if (most_ms <= 0 || (s->flags & (BIND_AUTHENTICATED | BIND_TRUSTED)) != 0)
        return NO_DEADLINE;
    return s->started_ms + most_ms;
}

/* Why the client is sent away that kept us waiting. */
static void send_away(struct session *s, const struct err *why)
{
    const struct config_timeouts *t = &s->role->config->timeouts;

    if (why->kind == ERR_CANCELLED && s->role->drain.on)
        session_end(s, REPLY_SHUTDOWN);
    else if (why->kind == ERR_TIMEOUT && loop_now_ms() >= session_end_ms(s))
        session_end_num(s, REPLY_SESSION_TOO_LONG, (uint64_t)t->session_unauthenticated_ms / 1000);
    else if (why->kind == ERR_TIMEOUT)
        session_end_num(s, REPLY_IDLE, (uint64_t)t->command_ms / 1000);
    else
        session_lost(s, why);
}

static bool fill(struct session *s)
{
    int64_t command_ms = loop_now_ms() + s->role->config->timeouts.command_ms;
    int64_t end_ms = session_end_ms(s);
    struct err err;

    if (!session_flush(s))
        return false;
    if (stream_fill(s->stream, command_ms < end_ms ? command_ms : end_ms, &err))
        return true;
    send_away(s, &err);
    return false;
}

/* Throws away the rest of a line that is too long. */
static bool swallow_line(struct session *s)
{
    for (;;) {
        struct str window = stream_window(s->stream);
        size_t at = str_index(window, '\n');

        stream_take(s->stream, at < window.len ? at + 1 : at);
        if (at < window.len)
            return true;
        if (!fill(s))
            return false;
    }
}

static enum line_read take_line(struct session *s, size_t len, struct str *ret)
{
    static const enum reply_id replies[] = { [LINE_BARE_LF] = REPLY_BARE_LF,
                                             [LINE_BARE_CR] = REPLY_BARE_CR,
                                             [LINE_CONTROL] = REPLY_CONTROL };
    struct buf *line = &session_work(s)->line;
    enum line_fault fault;

    buf_clear(line);
    (void)buf_add(line, str_sub(stream_window(s->stream), 0, len));
    stream_take(s->stream, len);
    fault = line_strip(buf_str(line), s->flags & BIND_NORMALIZE, ret);
    if (fault == LINE_OK)
        return LINE_READ;
    session_refuse(s, replies[fault]);
    return LINE_REFUSED;
}

/* How long a line at hand may be: only AUTH's are longer than others. */
static size_t line_max(const struct session *s, size_t max)
{
    bool auth = str_starts_nocase(stream_window(s->stream), STR("AUTH "));

    return auth && max < AUTH_LINE_MAX ? AUTH_LINE_MAX : max;
}

enum line_read session_line(struct session *s, size_t max, enum reply_id too_long, struct str *ret)
{
    for (;;) {
        size_t most = line_max(s, max), len;

        switch (line_find(stream_window(s->stream), most, &len)) {
        case LINE_FOUND:
            return take_line(s, len, ret);
        case LINE_TOO_LONG:
            if (!swallow_line(s))
                return LINE_LOST;
            session_refuse_num(s, too_long, most);
            return LINE_REFUSED;
        case LINE_NOT_YET:
            if (!fill(s))
                return LINE_LOST;
        }
    }
}

/* Commands --------------------------------------------------------------------------------------
 */

/* The next command; memory is given back while there is none. */
static enum line_read await_command(struct session *s, struct str *ret)
{
    enum line_read read;

    if (stream_window(s->stream).len == 0)
        release_work(s);
    s->idle = s->tx.state == TX_NONE;
    read = session_line(s, s->role->config->limits.command_line, REPLY_LINE_TOO_LONG, ret);
    s->idle = false;
    return read;
}

static void serve(struct session *s)
{
    while (!s->over) {
        struct str line;

        if (s->role->drain.on && s->tx.state == TX_NONE) {
            session_end(s, REPLY_SHUTDOWN);
            return;
        }
        if (await_command(s, &line) == LINE_READ)
            verbs_run(s, command_cut(line));
        if (++s->streak < STREAK_MAX)
            continue;
        s->streak = 0;
        fiber_yield();
    }
}

static void session_free(struct session *s)
{
    struct accept *a = s->role;

    transaction_reset(s);
    if (s->opened) {
        vault_session_close(s);
        core_session_close(s);
    }
    session_table_remove(&a->sessions, s->id);
    release_work(s);
    buf_done(&s->helo);
    buf_done(&s->login);
    stream_free(s->stream);
    free(s);
    accept_session_ended(a);
}

static void story(void *arg)
{
    struct session *s = arg;

    if (opening(s))
        serve(s);
    if (!session_flush(s))
        s->over = true;
    session_free(s);
}

void session_start(struct accept *role, struct stream *stream, uint32_t listener)
{
    struct session *s = NEW(struct session);

    s->role = role;
    s->stream = stream;
    s->listener = listener;
    s->kind = role->config->listeners[listener].kind;
    s->client = stream_peer(stream);
    s->started_ms = loop_now_ms();
    buf_init(&s->helo, HELO_BYTES_MAX);
    buf_init(&s->login, LOGIN_BYTES_MAX);
    gate_init(&s->answer.gate);
    s->id = session_table_add(&role->sessions, s);
    s->fiber = fiber_spawn("session", story, s);
}

// SPDX-License-Identifier: Apache-2.0
/* accept/session.c - the story of one connection: PROXY, TLS, who is it, greeting, commands, end.
 *
 * What a command does stands in cmd_*.c; which is allowed when, in verbs.c. Replies pile up while
 * commands lie ready in the window and leave together (RFC 2920 §3.2). */
#include <stdlib.h>

#include "accept/accept.h"
#include "accept/command.h"
#include "accept/opening.h"
#include "accept/verbs.h"

#define HELO_BYTES_MAX 255
#define LOGIN_BYTES_MAX 255
#define STREAK_MAX 64 /* commands at hand before others have a turn */

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

/* Lines ------------------------------------------------------------------------------------- */

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

/* Commands ---------------------------------------------------------------------------------- */

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
    if (s->opened)
        vault_session_close(s);
    if (s->held_by_core)
        core_session_close(s);
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

// SPDX-License-Identifier: Apache-2.0
/* accept/opening.c - a session from connect to greeting: whose connection is it, is it encrypted
 * from the first octet, may it come in, did it wait to be greeted. */
#include "accept/opening.h"

#include "accept/accept.h"
#include "accept/proxy.h"
#include "base/log.h"

#define PROXY_MS_MAX 10000
#define READY_MS_MAX 30000

static void log_dropped(const struct session *s, const char *event, const struct err *why)
{
    char ip[IP_TEXT_MAX];
    struct log_line l;

    log_begin(&l, LOG_WARN, event);
    log_cstr(&l, "client", ip_format(&s->client.ip, ip));
    log_cstr(&l, "why", err_kind_name(why->kind));
    log_cstr(&l, "text", why->text);
    log_end(&l);
}

/* PROXY ------------------------------------------------------------------------------------- */

static bool is_proxy(const struct config_listener *l, const struct ip *ip)
{
    for (size_t i = 0; i < l->proxy_from_count; i++)
        if (ip_net_has(&l->proxy_from[i], ip))
            return true;
    return false;
}

static bool read_proxy_header(struct session *s, struct proxy_header *ret, struct err *err)
{
    int64_t deadline_ms = loop_now_ms() + PROXY_MS_MAX;

    for (;;) {
        switch (proxy_parse(stream_window(s->stream), ret, err)) {
        case PROXY_DONE:
            stream_take(s->stream, ret->len);
            return true;
        case PROXY_BAD:
            return false;
        case PROXY_MORE:
            if (!stream_fill_some(s->stream, proxy_wants(stream_window(s->stream)), deadline_ms,
                                  err))
                return err_at(err, "PROXY header");
        }
    }
}

/* On such a listener everybody is a known proxy that says for whom it speaks; anything else is
 * closed without a word (R34, fault B14). */
static bool learn_client(struct session *s)
{
    const struct config_listener *l = &s->role->config->listeners[s->listener];
    struct proxy_header header;
    struct err err;

    if (s->listener >= s->role->config->listener_count)
        return false; /* reloaded away since the connection was taken */
    if (s->client.ip.family == 0)
        return false; /* gone before its address could be asked for */
    if (l->proxy == PROXY_OFF)
        return true;
    if (!is_proxy(l, &s->client.ip))
        err_set(&err, ERR_DENIED, "not among proxy_from");
    else if (read_proxy_header(s, &header, &err)) {
        if (header.client.ip.family != 0)
            s->client = header.client;
        return true;
    }
    log_dropped(s, "proxy-refused", &err);
    return false;
}

/* TLS --------------------------------------------------------------------------------------- */

static bool start_implicit_tls(struct session *s)
{
    struct err err;

    if (s->kind != LISTENER_SUBMISSIONS)
        return true;
    if (s->role->tls == NULL)
        err_set(&err, ERR_TLS, "no certificate is configured");
    else if (stream_start_tls_server(s->stream, s->role->tls,
                                     loop_now_ms() + s->role->config->timeouts.tls_ms, NULL, &err))
        return true;
    log_dropped(s, "tls-failed", &err);
    return false;
}

/* Coming in --------------------------------------------------------------------------------- */

static bool is_full(struct session *s)
{
    unsigned limit = s->role->config->limits.sessions;

    if (s->role->sessions.count <= limit)
        return false;
    session_end_num(s, REPLY_SESSIONS_FULL, limit);
    return true;
}

static void refuse_coming(struct session *s)
{
    bool temporary = s->answer.code < 500;
    struct reply r = { .code = temporary ? 421 : 554,
                       .status = { temporary ? 4 : 5, 7, 0 },
                       .text = s->answer.text };

    session_refuse_raw(s, &r);
    s->over = true;
}

/* Vault finds whose network it is, core whether there are too many of them. */
static bool come_in(struct session *s)
{
    bool answered;

    s->core_generation = s->role->core.generation;
    (void)session_work(s);
    if (s->role->core.channel == NULL || !vault_session_open(s)) {
        session_end(s, REPLY_STARTING);
        return false;
    }
    session_ask(s, /* of_vault= */ true);
    answered = session_await(s, loop_now_ms() + READY_MS_MAX);
    if (!answered)
        session_end(s, REPLY_STARTING);
    else if (s->answer.code != 0) {
        refuse_coming(s);
        s->held_by_core = false;
    }
    return !s->over;
}

bool opening_certificate(struct session *s)
{
    const struct tls_facts *tls = stream_tls(s->stream);

    if (tls == NULL || !tls->shown)
        return true;
    (void)session_work(s);
    if (!vault_certificate(s, tls->sha256)) {
        session_end(s, REPLY_RESTARTED);
        return false;
    }
    session_ask(s, /* of_vault= */ true);
    if (!session_await(s, loop_now_ms() + READY_MS_MAX))
        session_end(s, REPLY_RESTARTED);
    else if (s->answer.code != 0)
        refuse_coming(s);
    return !s->over;
}

/* Who speaks before the greeting does not listen (spam programs, or another protocol). */
static bool spoke_early(struct session *s)
{
    struct err err;

    if (stream_window(s->stream).len == 0) {
        if (!stream_readable(s->stream))
            return false;
        if (stream_window(s->stream).len == 0 &&
            !stream_fill(s->stream, loop_now_ms() + 1000, &err)) {
            session_lost(s, &err);
            return true;
        }
    }
    session_refuse(s, REPLY_EARLY_TALKER);
    s->over = true;
    return true;
}

bool opening(struct session *s)
{
    stream_set_write_timeout(s->stream, s->role->config->timeouts.command_ms);
    if (!learn_client(s) || !start_implicit_tls(s) || is_full(s) || !come_in(s) ||
        !opening_certificate(s) || spoke_early(s))
        return false;
    session_reply1(s, REPLY_GREETING, s->role->config->hostname);
    return session_flush(s);
}

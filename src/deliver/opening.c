// SPDX-License-Identifier: Apache-2.0
/* deliver/opening.c - from a destination to a dialogue that is ready for MAIL: hosts in order,
 * connect, greeting, EHLO, TLS as the route wants it, AUTH.
 *
 * A host that can't be reached, or that says no before MAIL, is passed over for the next one; what
 * the last one said is the answer when none is left (RFC 5321 §5.1). A 5yz there is held against
 * the host, not against the mail, so it defers: only 521 and 556 say that there is no mail service
 * at all (RFC 7504), and when every host says so the mail bounces. */
#include <stdlib.h>

#include "base/log.h"
#include "deliver/connection.h"
#include "deliver/host.h"
#include "deliver/race.h"
#include "deliver/result.h"
#include "io/loop.h"

enum opened {
    OPENED,       /* ready for MAIL */
    OPENED_NOT,   /* c->failure says why; the next host may do better */
    OPENED_FINAL, /* c->failure holds for all hosts */
    OPENED_AGAIN, /* the same host, without TLS */
};

/* What is known while the hosts are gone through. */
struct opening {
    struct connection *c;
    const struct route *route;
    struct hosts *hosts;
    size_t no_service; /* hosts that said 521 or 556 */
};

static enum opened fail(struct connection *c, struct outcome o)
{
    o.host = c->host_name;
    o.ip = c->ip;
    o.tls = c->tls;
    c->failure = o;
    return OPENED_NOT;
}

static enum opened fail_err(struct connection *c, const struct err *err)
{
    return fail(c, result_of_err(err, SCOPE_SESSION, &c->attempt));
}

static enum opened fail_ours(struct connection *c, uint16_t subject, uint16_t detail,
                             struct str text)
{
    return fail(c, result_ours(0, (struct status){ 4, subject, detail }, SCOPE_SESSION, text));
}

/* The peer said no; whatever its class, it is the host that says it. */
static enum opened fail_reply(struct opening *o, const struct reply *r)
{
    o->no_service += r->code == 521 || r->code == 556;
    return fail(o->c,
                (struct outcome){ .kind = OUTCOME_DEFERRED, .scope = SCOPE_SESSION, .reply = *r });
}

/* Mail to ourselves would come back for ever (fault S02, R31). A route that leads here is the
 * operator's wish. */
static bool is_ourselves(const struct opening *o)
{
    return o->route->kind == ROUTE_MX && o->c->dialogue.peer_name.len > 0 &&
           domain_eq(o->c->dialogue.peer_name, o->c->site->helo);
}

static enum opened loops_back(struct opening *o)
{
    fail(o->c, result_ours(554, (struct status){ 5, 4, 6 }, SCOPE_DESTINATION,
                           STR("mail for this domain loops back to myself")));
    return OPENED_FINAL;
}

static enum opened hello(struct opening *o)
{
    struct reply reply;
    struct err err = { 0 };

    if (!dialogue_hello(&o->c->dialogue, &reply, &err))
        return fail_err(o->c, &err);
    if (!reply_ok(&reply))
        return fail_reply(o, &reply);
    return is_ourselves(o) ? loops_back(o) : OPENED;
}

static struct tls_client *tls_context(const struct opening *o)
{
    return o->route->verify ? o->c->site->role->tls_named : o->c->site->role->tls_any;
}

static void log_tls_failure(const struct connection *c, const struct err *err)
{
    struct log_line l;
    char text[IP_TEXT_MAX];

    log_begin(&l, LOG_WARN, "tls-failed");
    log_str(&l, "host", c->host_name);
    log_cstr(&l, "ip", ip_format(&c->ip, text));
    log_cstr(&l, "error", err->text);
    log_end(&l);
}

/* A handshake that breaks: without TLS then, where that is allowed. One that was tampered with
 * (B04) ends the host. */
static enum opened tls_failed(struct opening *o, const struct err *err)
{
    struct connection *c = o->c;

    log_tls_failure(c, err);
    fail_err(c, err);
    if (o->route->tls != TLS_MAY || err->kind == ERR_SYNTAX || err->kind == ERR_CANCELLED)
        return OPENED_NOT;
    plain_host_remember(c->site->role, &c->ip);
    return OPENED_AGAIN;
}

static bool wants_tls(const struct opening *o)
{
    return o->route->tls == TLS_MUST ||
           (o->route->tls == TLS_MAY && !plain_host_is_known(o->c->site->role, &o->c->ip));
}

static enum opened start_tls(struct opening *o)
{
    struct connection *c = o->c;
    struct reply reply;
    struct err err = { 0 };

    if (!wants_tls(o))
        return OPENED;
    if (!extensions_have(&c->dialogue.ext, EXT_STARTTLS))
        return o->route->tls == TLS_MAY
                   ? OPENED
                   : fail_ours(c, 7, 4, STR("TLS is required, and the server does not offer it"));
    if (!tls_context(o))
        return fail_ours(c, 7, 5, STR("no TLS: the certificates to trust could not be loaded"));
    if (!dialogue_starttls(&c->dialogue, tls_context(o), c->host_name, &reply, &err))
        return tls_failed(o, &err);
    if (reply.code != 220)
        return o->route->tls == TLS_MAY && reply.code != 421 ? OPENED : fail_reply(o, &reply);
    c->tls = true;
    return hello(o);
}

static enum opened authenticate(struct opening *o)
{
    struct connection *c = o->c;
    struct dialogue *d = &c->dialogue;
    struct reply reply;
    struct err err = { 0 };

    if (o->route->user.len == 0)
        return OPENED;
    if (!c->tls)
        return fail_ours(c, 7, 4, STR("no TLS, so the credentials are not sent"));
    if (!(d->ext.offered & (EXT_AUTH_PLAIN | EXT_AUTH_LOGIN)))
        return fail_ours(c, 7, 0, STR("the server offers neither AUTH PLAIN nor AUTH LOGIN"));
    if (!dialogue_auth(d, o->route->user, o->route->password, &reply, &err))
        return fail_err(c, &err);
    if (reply_ok(&reply))
        return OPENED;
    log_text(LOG_ALERT, "smarthost-auth-refused", "%.*s: %u %.*s", STR_FMT(c->host_name),
             reply.code, STR_FMT(reply.text));
    return fail_reply(o, &reply);
}

/* From the first octet (RFC 8314). */
static enum opened implicit_tls(struct opening *o, struct stream *s)
{
    struct connection *c = o->c;
    struct err err = { 0 };

    if (o->route->tls != TLS_IMPLICIT)
        return OPENED;
    if (!tls_context(o))
        return fail_ours(c, 7, 5, STR("no TLS: the certificates to trust could not be loaded"));
    if (!stream_start_tls_client(s, tls_context(o), c->host_name,
                                 loop_now_ms() + o->c->site->timeouts.tls_ms, NULL, &err))
        return tls_failed(o, &err);
    c->tls = true;
    return OPENED;
}

static enum opened greeting(struct opening *o)
{
    struct reply reply;
    struct err err = { 0 };

    if (!dialogue_greeting(&o->c->dialogue, &reply, &err))
        return fail_err(o->c, &err);
    if (!reply_ok(&reply))
        return fail_reply(o, &reply);
    return is_ourselves(o) ? loops_back(o) : OPENED;
}

static enum opened open_dialogue(struct opening *o, struct stream *s)
{
    struct connection *c = o->c;
    enum opened opened;

    dialogue_init(&c->dialogue, s,
                  &(struct dialogue_options){
                      .helo = c->site->helo,
                      .lmtp = o->route->kind == ROUTE_LMTP,
                      .timeouts = &c->site->timeouts,
                  },
                  &c->attempt);
    c->open = true;
    c->transactions = 0;
    opened = implicit_tls(o, s);
    if (opened == OPENED)
        opened = greeting(o);
    if (opened == OPENED)
        opened = hello(o);
    if (opened == OPENED)
        opened = start_tls(o);
    if (opened == OPENED)
        opened = authenticate(o);
    return opened;
}

static void note_host(struct connection *c, const struct host *h)
{
    c->host_name = arena_str(&c->attempt, h->name);
    c->ip = h->ip;
    c->port = c->site->route.port;
    c->source = (struct ip){ 0 };
    c->tls = false;
}

/* Connects to the next host and opens a dialogue with it. */
static enum opened open_next(struct opening *o)
{
    struct connection *c = o->c;
    struct stream *s;
    struct err err = { 0 };
    enum opened opened;
    size_t index;

    if (!race_connect(c->site->role, o->hosts, o->route->port, &index, &s, &err)) {
        note_host(c, &o->hosts->list[index]);
        fail(c, result_of_err(&err, SCOPE_DESTINATION, &c->attempt));
        return OPENED_FINAL;
    }
    note_host(c, &o->hosts->list[index]);
    c->source = stream_local(s).ip;
    opened = open_dialogue(o, s);
    if (opened == OPENED)
        return OPENED;
    connection_close(c, opened == OPENED_AGAIN ? FAREWELL_NONE : FAREWELL_SAID);
    if (opened == OPENED_NOT)
        o->hosts->list[index].state = HOST_FAILED;
    return opened;
}

static bool all_failed(const struct hosts *h)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->list[i].state != HOST_FAILED)
            return false;
    return true;
}

/* The names must outlast the attempt arena, which is reset with each job. */
static void keep_names(struct connection *c)
{
    c->host_name = arena_str(&c->names, c->host_name);
}

static bool try_hosts(struct opening *o)
{
    enum opened opened = OPENED_NOT;

    while (opened != OPENED_FINAL && !all_failed(o->hosts)) {
        opened = open_next(o);
        if (opened == OPENED) {
            keep_names(o->c);
            return true;
        }
    }
    if (o->no_service == o->hosts->count)
        o->c->failure.kind = OUTCOME_BOUNCED;
    return false;
}

static bool no_hosts(struct connection *c, struct outcome o)
{
    c->host_name = STR_NONE;
    c->ip = (struct ip){ 0 };
    c->tls = false;
    fail(c, o);
    return false;
}

bool connection_open(struct connection *c, struct str domain)
{
    struct deliver *d = c->site->role;
    struct hosts *hosts = ARENA_NEW(&c->attempt, struct hosts);
    struct opening o = { .c = c, .route = &c->site->route, .hosts = hosts };
    struct err err = { 0 };

    if (!hosts_find(d, o.route, domain, &c->attempt, hosts, &err))
        return no_hosts(c, result_ours(0, (struct status){ 4, 4, 3 }, SCOPE_DESTINATION,
                                       arena_str(&c->attempt, str_of(err.text))));
    if (hosts->refusal.code != 0 || hosts->count == 0)
        return no_hosts(c, (struct outcome){ .kind = outcome_of_reply(&hosts->refusal),
                                             .scope = SCOPE_DESTINATION,
                                             .reply = hosts->refusal });
    return try_hosts(&o);
}

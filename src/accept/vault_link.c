// SPDX-License-Identifier: Apache-2.0
/* accept/vault_link.c - frames to and from vault. */
#include "accept/vault_link.h"

#include "accept/accept.h"
#include "base/log.h"
#include "wire/wire.h"

static void on_auth_failed(struct accept *a, const struct wire_auth_failed *f)
{
    struct session *s = session_table_find(&a->sessions, f->session);

    if (s != NULL && s->answer.waiting)
        session_answered(s, f->code, wire_get(f, f->text));
}

static void on_challenge(struct accept *a, const struct wire_auth_challenge *f)
{
    struct session *s = session_table_find(&a->sessions, f->session);

    if (s != NULL && s->answer.waiting)
        session_answered(s, ANSWER_CHALLENGE, wire_get(f, f->message));
}

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct accept *a = owner;

    (void)c;
    if (!wire_check(f, ROLE_VAULT, ROLE_ACCEPT, err))
        return false;
    switch (f->type) {
    case WIRE_AUTH_FAILED:
        on_auth_failed(a, (const struct wire_auth_failed *)f);
        return true;
    case WIRE_AUTH_CHALLENGE:
        on_challenge(a, (const struct wire_auth_challenge *)f);
        return true;
    case WIRE_GATE:
        a->gate_open = ((const struct wire_gate *)f)->open != 0;
        return true;
    default:
        return err_set(err, ERR_SYNTAX, "vault sent %s", wire_type_name(f->type));
    }
}

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct accept *a = owner;

    log_err(LOG_WARN, "vault-gone", why);
    if (c == a->vault.channel)
        a->vault.channel = NULL;
    channel_free(c);
    accept_wake_all(a);
}

static const struct channel_events events = { .frame = on_frame, .closed = on_closed };

void vault_link_set(struct accept *a, const struct role_link *link)
{
    if (a->vault.channel != NULL)
        channel_free(a->vault.channel);
    a->vault.channel = link->channel;
    a->vault.generation = link->generation;
    channel_set_owner(link->channel, &events, a);
    accept_links_changed(a);
}

void vault_link_done(struct vault_link *l)
{
    if (l->channel != NULL)
        channel_free(l->channel);
    l->channel = NULL;
}

static struct channel *channel_of(const struct session *s)
{
    const struct vault_link *l = &s->role->vault;

    return l->generation == s->vault_generation ? l->channel : NULL;
}

bool vault_knows(const struct session *s)
{
    return channel_of(s) != NULL;
}

bool vault_session_open(struct session *s)
{
    struct wire_session_open *f;

    s->vault_generation = s->role->vault.generation;
    if (channel_of(s) == NULL)
        return false;
    f = wire_add(channel_of(s), WIRE_SESSION_OPEN, 0);
    f->session = s->id;
    f->client = wire_ip_of(&s->client.ip, s->client.port);
    f->listener = s->listener;
    s->opened = s->held_by_core = true;
    return true;
}

bool vault_auth(struct session *s, struct str user, struct str secret)
{
    struct wire_auth *f;

    if (channel_of(s) == NULL)
        return false;
    f = wire_add(channel_of(s), WIRE_AUTH, user.len + secret.len);
    f->session = s->id;
    wire_put(f, &f->user, user);
    wire_put(f, &f->secret, secret);
    return true;
}

bool vault_auth_step(struct session *s, uint32_t step, struct str message)
{
    struct wire_auth_step *f;

    if (channel_of(s) == NULL)
        return false;
    f = wire_add(channel_of(s), WIRE_AUTH_STEP, message.len);
    f->session = s->id;
    f->step = step;
    wire_put(f, &f->message, message);
    return true;
}

bool vault_certificate(struct session *s, const uint8_t sha256[32])
{
    struct wire_session_cert *f;

    if (channel_of(s) == NULL)
        return false;
    f = wire_add(channel_of(s), WIRE_SESSION_CERT, 32);
    f->session = s->id;
    wire_put(f, &f->fingerprint, str_make(sha256, 32));
    return true;
}

void vault_session_close(struct session *s)
{
    struct wire_session_close *f;

    if (channel_of(s) == NULL)
        return;
    f = wire_add(channel_of(s), WIRE_SESSION_CLOSE, 0);
    f->session = s->id;
}

// SPDX-License-Identifier: Apache-2.0
/* accept/cmd_ehlo.c - EHLO and HELO: the client names itself, the server says what it can do
 * (RFC 5321 §4.1.1.1; R02). */
#include "accept/accept.h"
#include "accept/verbs.h"
#include "mail/address.h"

/* The name as given, kept; the transaction is over (§4.1.4). */
static bool take_name(struct session *s, struct str name)
{
    if (!helo_ok(name) || name.len > s->helo.max) {
        session_refuse(s, REPLY_HELO_SYNTAX);
        return false;
    }
    session_forget(s);
    return buf_add(&s->helo, name);
}

static bool offers_auth(const struct session *s)
{
    return s->kind != LISTENER_RELAY && stream_tls(s->stream) != NULL && !s->signed_in;
}

/* RFC 9422 §4: how many messages a session, how many recipients a message may have. */
static void add_limits(const struct config_limits *l, struct buf *to)
{
    buf_addf(to, "\nLIMITS RCPTMAX=%u", l->recipients);
    if (l->messages_per_session > 0)
        buf_addf(to, " MAILMAX=%u", l->messages_per_session);
}

void cmd_ehlo(struct session *s, struct str args)
{
    const struct config *c = s->role->config;
    struct buf *text = &s->role->words;
    struct reply reply = { .code = 250 };

    if (!take_name(s, args))
        return;
    s->esmtp = true;
    buf_clear(text);
    buf_addf(text,
             "%.*s\nPIPELINING\nSIZE %llu\n8BITMIME\nSMTPUTF8\nCHUNKING\nBINARYMIME\nDSN"
             "\nENHANCEDSTATUSCODES",
             STR_FMT(c->hostname), (unsigned long long)c->limits.message_bytes);
    if (s->role->tls != NULL && stream_tls(s->stream) == NULL)
        buf_add(text, STR("\nSTARTTLS"));
    if (offers_auth(s))
        buf_addf(text, "\nAUTH PLAIN LOGIN SCRAM-SHA-256%s",
                 s->flags & BIND_CERTIFICATE ? " EXTERNAL" : "");
    add_limits(&c->limits, text);
    buf_add(text, STR("\nHELP"));
    reply.text = buf_str(text);
    session_reply_raw(s, &reply);
}

void cmd_helo(struct session *s, struct str args)
{
    struct reply reply = { .code = 250, .text = s->role->config->hostname };

    if (take_name(s, args))
        session_reply_raw(s, &reply);
}

// SPDX-License-Identifier: Apache-2.0
/* accept/cmd_starttls.c - STARTTLS (RFC 3207): everything said in the clear is forgotten, whatever
 * was pipelined behind the command is thrown away (fault B03). */
#include "accept/accept.h"
#include "accept/opening.h"
#include "accept/verbs.h"
#include "base/log.h"

static void log_discarded(const struct session *s)
{
    char ip[IP_TEXT_MAX];
    struct log_line l;

    log_begin(&l, LOG_WARN, "starttls-discarded");
    log_cstr(&l, "client", ip_format(&s->client.ip, ip));
    log_str(&l, "helo", buf_str(&s->helo));
    log_cstr(&l, "text", "commands were sent behind STARTTLS, in the clear: thrown away");
    log_end(&l);
}

void cmd_starttls(struct session *s, struct str args)
{
    int64_t deadline_ms = loop_now_ms() + s->role->config->timeouts.tls_ms;
    bool discarded = false;
    struct err err;

    (void)args;
    if (stream_tls(s->stream) != NULL) {
        session_refuse(s, REPLY_TLS_ALREADY);
        return;
    }
    if (s->role->tls == NULL) {
        session_refuse(s, REPLY_TLS_NONE);
        return;
    }
    session_reply(s, REPLY_START_TLS);
    if (!session_flush(s))
        return;
    if (!stream_start_tls_server(s->stream, s->role->tls, deadline_ms, &discarded, &err)) {
        err_at(&err, "STARTTLS");
        session_lost(s, &err);
        return;
    }
    if (discarded)
        log_discarded(s);
    session_forget(s);
    (void)opening_certificate(s); /* else the session is over */
}

// SPDX-License-Identifier: Apache-2.0
/* accept/cmd_small.c - the commands that need a line or two: RSET NOOP VRFY HELP QUIT, and what is
 * no SMTP at all. */
#include "accept/accept.h"
#include "accept/verbs.h"

void cmd_rset(struct session *s, struct str args)
{
    (void)args;
    transaction_reset(s);
    session_reply(s, REPLY_RESET);
}

void cmd_noop(struct session *s, struct str args)
{
    (void)args;
    session_reply(s, REPLY_OK);
}

/* RFC 5321 §3.5.3: an answer that helps no harvester. */
void cmd_vrfy(struct session *s, struct str args)
{
    (void)args;
    session_reply(s, REPLY_VRFY);
}

void cmd_help(struct session *s, struct str args)
{
    struct buf *text = &s->role->words;
    struct reply r = { .code = 214, .status = { 2, 0, 0 } };

    if (!verbs_help(args, text)) {
        session_refuse(s, REPLY_UNKNOWN_VERB);
        return;
    }
    r.text = buf_str(text);
    session_reply_raw(s, &r);
}

void cmd_quit(struct session *s, struct str args)
{
    (void)args;
    session_reply1(s, REPLY_BYE, s->role->config->hostname);
    s->over = true;
}

void cmd_http(struct session *s, struct str args)
{
    (void)args;
    session_refuse(s, REPLY_NOT_SMTP);
    s->over = true;
}

// SPDX-License-Identifier: Apache-2.0
/* accept/cmd_data.c - DATA: content up to CRLF.CRLF, and only that (RFC 5321 §4.1.1.4; R04, fault
 * B01). */
#include "accept/accept.h"
#include "accept/content.h"
#include "accept/verbs.h"

static bool may_send(struct session *s)
{
    if (s->tx.state == TX_NONE)
        session_refuse(s, REPLY_MAIL_FIRST);
    else if (s->tx.state == TX_CHUNKING)
        session_refuse(s, REPLY_CHUNKING_HAS_BEGUN);
    else if (s->tx.rcpt_count == 0)
        session_refuse(s, REPLY_NO_RECIPIENTS);
    else if (s->tx.params.body == BODY_BINARYMIME)
        session_refuse(s, REPLY_BINARY_NEEDS_BDAT);
    else
        return true;
    return false;
}

void cmd_data(struct session *s, struct str args)
{
    struct content *c = &s->tx.content;

    (void)args;
    if (!may_send(s))
        return;
    session_reply(s, REPLY_SEND_CONTENT);
    content_begin(s);
    content_pace(s);
    while (!c->reader.ended) {
        size_t eaten;

        if (stream_window(s->stream).len == 0 && !content_fill(s))
            return;
        eaten = data_read(&c->reader, stream_window(s->stream), &s->work->gather);
        stream_take(s->stream, eaten);
        c->pace.bytes += eaten;
        content_move(s);
    }
    /* A server before us may see no end in CR CRLF.CRLF and pass on as content what follows: it is
     * not done as commands (fault B01). */
    bool ambiguous = c->reader.fault == DATA_BARE_CR;
    content_finish(s);
    s->over |= ambiguous;
}

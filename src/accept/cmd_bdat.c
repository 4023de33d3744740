// SPDX-License-Identifier: Apache-2.0
/* accept/cmd_bdat.c - BDAT: content in chunks of known size (RFC 3030; R04, fault B05). A chunk
 * that is refused is read to its end, so that the conversation stays in step. */
#include "accept/accept.h"
#include "accept/content.h"
#include "accept/verbs.h"

/* A chunk that is refused is swallowed up to this many times limits.message_bytes. */
#define SWALLOW_TIMES 4

struct chunk {
    uint64_t size;
    bool last;
};

static bool chunk_parse(struct str args, struct chunk *ret)
{
    struct chunk c = { 0 };

    if (!str_eat_u64(&args, &c.size) || c.size > INT64_MAX)
        return false;
    if (args.len > 0 && args.ptr[0] != ' ')
        return false;
    args = str_trim(args);
    c.last = str_eq_nocase(args, STR("LAST"));
    if (args.len > 0 && !c.last)
        return false;
    *ret = c;
    return true;
}

static bool swallow(struct session *s, uint64_t size)
{
    while (size > 0) {
        size_t n;

        if (stream_window(s->stream).len == 0 && !content_fill(s))
            return false;
        n = stream_window(s->stream).len;
        n = n < size ? n : (size_t)size;
        stream_take(s->stream, n);
        s->tx.content.pace.bytes += n;
        size -= n;
    }
    return true;
}

/* Reads the chunk away and says why; then there is no transaction (RFC 3030 §2: the client starts
 * again with RSET). */
static void refuse_chunk(struct session *s, const struct chunk *c, enum reply_id id)
{
    content_pace(s);
    if (!swallow(s, c->size))
        return;
    s->tx.content.pace = (struct pace){ 0 };
    session_refuse(s, id);
    transaction_reset(s);
}

static bool may_send(struct session *s, const struct chunk *c)
{
    enum reply_id id;

    if (s->helo.len == 0)
        id = REPLY_HELO_FIRST;
    else if (s->kind != LISTENER_RELAY && !session_is_authorised(s))
        id = REPLY_AUTH_FIRST;
    else if (s->tx.state == TX_NONE)
        id = REPLY_MAIL_FIRST;
    else if (s->tx.rcpt_count == 0)
        id = REPLY_NO_RECIPIENTS;
    else
        return true;
    refuse_chunk(s, c, id);
    return false;
}

static bool read_chunk(struct session *s, uint64_t size)
{
    struct content *c = &s->tx.content;

    content_pace(s);
    while (size > 0) {
        struct str bytes;

        if (stream_window(s->stream).len == 0 && !content_fill(s))
            return false;
        bytes = str_sub(stream_window(s->stream), 0, size < SIZE_MAX ? (size_t)size : SIZE_MAX);
        content_scan(&c->scan, bytes);
        if (!c->refused)
            (void)buf_add(&s->work->gather, bytes);
        stream_take(s->stream, bytes.len);
        c->pace.bytes += bytes.len;
        size -= bytes.len;
        content_move(s);
    }
    return true;
}

void cmd_bdat(struct session *s, struct str args)
{
    uint64_t limit = s->role->config->limits.message_bytes;
    struct chunk c;

    if (!chunk_parse(args, &c)) {
        /* How much follows is unknown: whatever comes could pass for commands. */
        session_refuse(s, REPLY_BDAT_FORM);
        s->over = true;
        return;
    }
    if (c.size / SWALLOW_TIMES > limit) {
        session_refuse_num(s, REPLY_CONTENT_SIZE, limit);
        s->over = true;
        return;
    }
    if (!may_send(s, &c))
        return;
    if (s->tx.state == TX_MAIL) {
        s->tx.state = TX_CHUNKING;
        content_begin(s);
    }
    if (!read_chunk(s, c.size))
        return;
    if (c.last || s->tx.content.refused)
        content_finish(s);
    else
        session_reply_num(s, REPLY_CHUNK_TAKEN, c.size);
}

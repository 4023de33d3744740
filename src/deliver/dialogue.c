// SPDX-License-Identifier: Apache-2.0
/* deliver/dialogue.c - how a conversation begins and ends: greeting, EHLO, STARTTLS, QUIT.
 *
 * A dialogue speaks over one stream and offers it one batch at a time (offer.c). It records what
 * the peer said and decides nothing: what a refusal means for a host is connection.c's, for a
 * recipient result.c's. */
#include "deliver/dialogue.h"

#include "io/loop.h"

#define STUFFED_BYTES_MAX (256 * 1024)

void dialogue_init(struct dialogue *d, struct stream *s, const struct dialogue_options *o,
                   struct arena *a)
{
    *d = (struct dialogue){
        .arena = a,
        .timeouts = o->timeouts,
        .helo = o->helo,
        .lmtp = o->lmtp,
    };
    talk_init(&d->talk, s);
    arena_init(&d->names, 512);
    buf_init(&d->stuffed, STUFFED_BYTES_MAX);
    stream_set_write_timeout(s, o->timeouts->data_block_ms);
}

void dialogue_done(struct dialogue *d)
{
    stream_free(d->talk.stream);
    talk_done(&d->talk);
    arena_done(&d->names);
    buf_done(&d->stuffed);
}

/* The first word of a greeting or an EHLO answer is the server's name (RFC 5321 §4.2, §4.1.1.1). */
static void note_peer_name(struct dialogue *d, struct str text)
{
    struct str name = str_sub(text, 0, str_index(text, ' '));

    if (name.len > 0 && name.len <= ADDRESS_DOMAIN_MAX && domain_ok(name, false))
        d->peer_name = arena_str(&d->names, name);
}

static bool hear(struct dialogue *d, struct reply *ret, struct err *err)
{
    if (!talk_hear(&d->talk, d->arena, ret, err))
        return false;
    d->closing |= ret->code == 421;
    return true;
}

bool dialogue_greeting(struct dialogue *d, struct reply *ret, struct err *err)
{
    talk_expect(&d->talk, "greeting", d->timeouts->greeting_ms);
    if (!hear(d, ret, err))
        return false;
    if (reply_ok(ret) && ret->code != 220)
        return err_set(err, ERR_SYNTAX, "greeting with code %u", ret->code);
    if (reply_ok(ret))
        note_peer_name(d, ret->text);
    /* Who talks before it is spoken to is not in step with us. */
    if (reply_ok(ret) && !talk_is_quiet(&d->talk))
        return err_set(err, ERR_SYNTAX, "the greeting came with more behind it");
    return true;
}

static void hello_line(void *arg, struct str text, unsigned number)
{
    struct dialogue *d = arg;

    if (number == 0)
        note_peer_name(d, text);
    else
        extensions_line(&d->ext, text);
}

static bool say_hello(struct dialogue *d, struct str verb, struct reply *ret, struct err *err)
{
    struct buf *to = talk_begin(&d->talk);
    bool extended = verb.ptr[0] != 'H', ok;

    d->ext = (struct extensions){ 0 };
    d->talk.pipelining = false;
    buf_add(to, verb);
    buf_add_char(to, ' ');
    buf_add(to, d->helo);
    talk_say(&d->talk, verb.ptr, d->timeouts->helo_ms);

    d->talk.on_line = extended ? hello_line : NULL;
    d->talk.on_line_arg = d;
    ok = hear(d, ret, err);
    d->talk.on_line = NULL;
    if (!ok)
        return false;
    if (!talk_is_quiet(&d->talk) && !d->closing)
        return err_set(err, ERR_SYNTAX, "%s: more than one reply", verb.ptr);
    if (!reply_ok(ret))
        d->ext = (struct extensions){ 0 }; /* a refusal's lines offer nothing */
    d->talk.pipelining = extensions_have(&d->ext, EXT_PIPELINING);
    return true;
}

bool dialogue_hello(struct dialogue *d, struct reply *ret, struct err *err)
{
    if (d->lmtp)
        return say_hello(d, STR("LHLO"), ret, err);
    if (!say_hello(d, STR("EHLO"), ret, err))
        return false;
    if (reply_is_permanent(ret)) /* §3.2: a server without extensions */
        return say_hello(d, STR("HELO"), ret, err);
    return true;
}

bool dialogue_starttls(struct dialogue *d, struct tls_client *tls, struct str name,
                       struct reply *ret, struct err *err)
{
    bool injected = false;

    buf_add(talk_begin(&d->talk), STR("STARTTLS"));
    talk_say(&d->talk, "STARTTLS", d->timeouts->tls_ms);
    if (!hear(d, ret, err))
        return false;
    if (ret->code != 220)
        return true;
    if (!stream_start_tls_client(d->talk.stream, tls, name, loop_now_ms() + d->timeouts->tls_ms,
                                 &injected, err))
        return err_at(err, "TLS handshake");
    d->ext = (struct extensions){ 0 };
    d->talk.pipelining = false;
    if (injected)
        return err_set(err, ERR_SYNTAX, "plaintext behind the reply to STARTTLS");
    return true;
}

bool dialogue_is_alive(struct dialogue *d)
{
    return !d->closing && talk_is_idle(&d->talk);
}

/* Whatever the reply says, it changes nothing for anybody. */
void dialogue_quit(struct dialogue *d, bool wait)
{
    struct reply reply;
    struct err err;

    if (d->closing || d->talk.broken || talk_awaited(&d->talk) > 0)
        return;
    buf_add(talk_begin(&d->talk), STR("QUIT"));
    talk_say(&d->talk, "QUIT", wait ? d->timeouts->quit_ms : 0);
    d->closing = true;
    if (!talk_hear(&d->talk, d->arena, &reply, &err))
        return;
}

// SPDX-License-Identifier: Apache-2.0
/* deliver/offer.c - one mail transaction: MAIL, RCPT, then the content by DATA or BDAT.
 *
 * MAIL, the RCPTs and DATA leave in one group where the peer pipelines; the content never does.
 * BDAT could (RFC 3030 §4.2), but with nothing like the 354 of DATA as an anchor a peer that is one
 * reply ahead would be read as having taken what it has refused (fault N11): so the replies to RCPT
 * are heard and nothing more may be there before content is sent. */
#include "deliver/dialogue.h"

#include "io/loop.h"
#include "mail/content.h"

/* What one BDAT carries at most; the peer may have to hold it in memory. */
#define CHUNK_BYTES_MAX (64u * 1024)
/* Dot-stuffing doubles at worst. */
#define PIECE_BYTES_MAX (64u * 1024)

static const char *const body_names[] = {
    [BODY_7BIT] = NULL,
    [BODY_8BITMIME] = "8BITMIME",
    [BODY_BINARYMIME] = "BINARYMIME",
};

static void add_path(struct buf *to, const char *verb, const struct address *a)
{
    buf_add(to, str_of(verb));
    buf_add_char(to, '<');
    if (a->domain.len == 0)
        buf_add(to, a->local); /* the null reverse-path and <postmaster> */
    else
        address_format(to, a);
    buf_add_char(to, '>');
}

static void say_mail(struct dialogue *d, const struct batch *b)
{
    struct buf *to = talk_begin(&d->talk);
    const struct mail_params *p = &b->params;

    add_path(to, "MAIL FROM:", &b->reverse_path);
    if (extensions_have(&d->ext, EXT_SIZE) && p->size_bytes > 0)
        buf_addf(to, " SIZE=%llu", (unsigned long long)p->size_bytes);
    if (body_names[p->body])
        buf_addf(to, " BODY=%s", body_names[p->body]);
    if (p->smtputf8)
        buf_add(to, STR(" SMTPUTF8"));
    if (extensions_have(&d->ext, EXT_DSN)) {
        if (p->ret != RET_NONE)
            buf_add(to, p->ret == RET_FULL ? STR(" RET=FULL") : STR(" RET=HDRS"));
        if (p->envid.len > 0) {
            buf_add(to, STR(" ENVID="));
            xtext_add(to, p->envid);
        }
    }
    talk_say(&d->talk, "MAIL", d->timeouts->mail_ms);
}

static void add_notify(struct buf *to, unsigned notify)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = { { NOTIFY_NEVER, "NEVER" },
                  { NOTIFY_SUCCESS, "SUCCESS" },
                  { NOTIFY_FAILURE, "FAILURE" },
                  { NOTIFY_DELAY, "DELAY" } };
    const char *between = " NOTIFY=";

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!(notify & words[i].bit))
            continue;
        buf_addf(to, "%s%s", between, words[i].word);
        between = ",";
    }
}

static void say_rcpt(struct dialogue *d, const struct batch *b, const struct batch_rcpt *r)
{
    struct buf *to = talk_begin(&d->talk);

    add_path(to, "RCPT TO:", &r->address);
    if (extensions_have(&d->ext, EXT_DSN)) {
        add_notify(to, r->params.notify);
        /* An original recipient in raw UTF-8 may be told only where SMTPUTF8 is spoken (RFC 6533
         * §3). */
        if (r->params.orcpt.len > 0 && (b->params.smtputf8 || str_is_ascii(r->params.orcpt))) {
            buf_add(to, STR(" ORCPT="));
            buf_add(to, r->params.orcpt);
        }
    }
    talk_say(&d->talk, "RCPT", d->timeouts->rcpt_ms);
}

static void say_transaction(struct dialogue *d, const struct batch *b, bool by_data)
{
    if (d->needs_reset) {
        buf_add(talk_begin(&d->talk), STR("RSET"));
        talk_say(&d->talk, "RSET", d->timeouts->mail_ms);
    }
    say_mail(d, b);
    for (size_t i = 0; i < b->rcpt_count; i++)
        say_rcpt(d, b, &b->rcpts[i]);
    if (by_data) {
        buf_add(talk_begin(&d->talk), STR("DATA"));
        talk_say(&d->talk, "DATA", d->timeouts->data_ms);
    }
}

/* Hears a reply that must be 2yz, 4yz or 5yz: anything else answers another question than ours. */
static bool hear(struct dialogue *d, struct reply *ret, struct err *err)
{
    struct reply reply;

    if (!talk_hear(&d->talk, d->arena, &reply, err))
        return false;
    if (reply.code >= 300 && reply.code < 400)
        return err_set(err, ERR_SYNTAX, "out of step: unexpected reply %u", reply.code);
    d->closing |= reply.code == 421;
    *ret = reply;
    return true;
}

static bool out_of_step(struct err *err)
{
    return err_set(err, ERR_SYNTAX, "out of step: the peer said more than it was asked");
}

static bool hear_mail(struct dialogue *d, struct batch *b, struct err *err)
{
    struct reply reply = { 0 };

    b->stage = STAGE_MAIL;
    if (d->needs_reset && !hear(d, &reply, err))
        return false;
    if (!d->closing && !hear(d, &reply, err))
        return false;
    b->mail_heard = true;
    if (reply_ok(&reply))
        d->needs_reset = true;
    else
        b->reply = reply;
    return true;
}

static bool hear_rcpts(struct dialogue *d, struct batch *b, struct err *err)
{
    b->stage = STAGE_RCPT;
    for (size_t i = 0; i < b->rcpt_count && !d->closing; i++) {
        struct batch_rcpt *r = &b->rcpts[i];

        if (!hear(d, &r->reply, err))
            return err_at(err, "recipient %zu", i);
        r->heard = true;
        b->accepted += reply_ok(&r->reply);
        if (d->closing)
            b->reply = r->reply;
    }
    return true;
}

/* Nothing is to be sent: hears out what was said behind the refusal. No content follows, so never
 * an empty message (RFC 2920 §3.1): a peer that says 354 all the same waits for one, and is left.
 */
static bool hear_out(struct dialogue *d, struct err *err)
{
    talk_drop_unsent(&d->talk);
    while (!d->closing && talk_awaited(&d->talk) > 0) {
        struct reply reply;

        if (!talk_hear(&d->talk, d->arena, &reply, err))
            return false;
        d->closing |= reply.code == 421 || reply.code == 354;
    }
    return d->closing || talk_is_quiet(&d->talk) || out_of_step(err);
}

/* Between pieces: a peer that answers before the end refuses; a success now would be one for
 * nothing. False in *ret_go_on when it did. */
static bool hear_early(struct dialogue *d, struct batch *b, bool *ret_go_on, struct err *err)
{
    struct reply reply;

    *ret_go_on = talk_is_idle(&d->talk);
    if (*ret_go_on)
        return true;
    talk_expect(&d->talk, "early reply", d->timeouts->data_end_ms);
    if (!hear(d, &reply, err))
        return false;
    if (reply_ok(&reply))
        return out_of_step(err);
    b->reply = reply;
    d->closing = true; /* it stands in the middle of our content */
    return true;
}

/* The next piece of the content, cut so that it fits our buffers. `rest` keeps what is left of the
 * last one. */
struct pieces {
    struct content_source source;
    struct str rest;
    bool rest_is_last;
};

static bool pieces_next(struct pieces *p, size_t bytes_max, struct str *ret, bool *ret_last,
                        struct err *err)
{
    if (p->rest.len == 0 && !p->rest_is_last &&
        !p->source.next(p->source.arg, &p->rest, &p->rest_is_last, err))
        return err_at(err, "content");
    *ret = str_sub(p->rest, 0, bytes_max);
    p->rest = str_skip(p->rest, ret->len);
    *ret_last = p->rest.len == 0 && p->rest_is_last;
    return true;
}

/* Sends what is piled up; with it the last octet leaves, and from here on nobody knows (RFC 1047).
 */
static bool send_end(struct dialogue *d, struct batch *b, struct err *err)
{
    b->stage = STAGE_END;
    b->all_sent = true;
    return stream_flush(d->talk.stream, err);
}

static bool send_stuffed(struct dialogue *d, struct batch *b, struct err *err)
{
    struct pieces pieces = { .source = b->content };
    struct data_writer writer;
    bool last = false, go_on = true;

    data_writer_init(&writer);
    for (bool first = true; !last; first = false) {
        struct str piece;

        if (!first && !hear_early(d, b, &go_on, err))
            return false;
        if (!go_on)
            return true;
        if (!pieces_next(&pieces, PIECE_BYTES_MAX, &piece, &last, err))
            return false;
        buf_clear(&d->stuffed);
        data_write(&writer, piece, &d->stuffed);
        if (last)
            data_write_end(&writer, &d->stuffed);
        if (!stream_put(d->talk.stream, buf_str(&d->stuffed), err))
            return err_at(err, "content");
    }
    return send_end(d, b, err);
}

/* RFC 5321 §4.1.1.4. */
static bool send_data(struct dialogue *d, struct batch *b, struct err *err)
{
    struct reply reply;

    b->stage = STAGE_DATA;
    if (!talk_hear(&d->talk, d->arena, &reply, err))
        return false;
    if (reply.code < 400 && reply.code != 354)
        return err_set(err, ERR_SYNTAX, "out of step: DATA was answered with %u", reply.code);
    d->closing |= reply.code == 421;
    if (reply.code != 354) {
        b->reply = reply;
        return d->closing || talk_is_quiet(&d->talk) || out_of_step(err);
    }
    if (!talk_is_quiet(&d->talk))
        return out_of_step(err);
    b->stage = STAGE_CONTENT;
    return send_stuffed(d, b, err);
}

/* Hears replies to chunks until at most `left` are awaited. A refused chunk ends the transaction
 * (RFC 3030 §2). */
static bool hear_chunks(struct dialogue *d, struct batch *b, size_t left, struct err *err)
{
    while (talk_awaited(&d->talk) > left) {
        struct reply reply;

        if (!hear(d, &reply, err))
            return false;
        if (!reply_ok(&reply) && b->reply.code == 0) {
            b->reply = reply;
            left = 0;
        }
    }
    return true;
}

static bool send_chunk(struct dialogue *d, struct str piece, bool last, struct err *err)
{
    buf_clear(&d->stuffed);
    buf_addf(&d->stuffed, "BDAT %zu%s\r\n", piece.len, last ? " LAST" : "");
    buf_add(&d->stuffed, piece);
    if (!stream_put(d->talk.stream, buf_str(&d->stuffed), err) ||
        (!last && !stream_flush(d->talk.stream, err)))
        return err_at(err, "content");
    if (!last)
        talk_expect(&d->talk, "BDAT", d->timeouts->data_block_ms);
    return true;
}

/* A pipelining peer answers one chunk while the next is on its way. RFC 3030 §2. */
static bool send_chunks(struct dialogue *d, struct batch *b, struct err *err)
{
    struct pieces pieces = { .source = b->content };
    bool last = false;

    if (!talk_is_idle(&d->talk))
        return out_of_step(err);
    b->stage = STAGE_CONTENT;
    while (!last) {
        struct str piece;

        if (!pieces_next(&pieces, CHUNK_BYTES_MAX, &piece, &last, err) ||
            !send_chunk(d, piece, last, err) || !hear_chunks(d, b, d->talk.pipelining ? 1 : 0, err))
            return false;
        if (b->reply.code != 0)
            return d->closing || talk_is_quiet(&d->talk) || out_of_step(err);
    }
    if (!send_end(d, b, err))
        return false;
    return hear_chunks(d, b, 0, err);
}

/* LMTP answers for each recipient that it had taken, in their order (RFC 2033 §4.2). */
static bool hear_each(struct dialogue *d, struct batch *b, struct err *err)
{
    for (size_t i = 0; i < b->rcpt_count; i++)
        if (reply_ok(&b->rcpts[i].reply))
            talk_expect(&d->talk, "end of data", d->timeouts->data_end_ms);
    for (size_t i = 0; i < b->rcpt_count && !d->closing; i++) {
        struct batch_rcpt *r = &b->rcpts[i];

        if (!reply_ok(&r->reply))
            continue;
        if (!hear(d, &r->reply, err))
            return err_at(err, "recipient %zu", i);
        r->ended = true;
    }
    return true;
}

static bool hear_end(struct dialogue *d, struct batch *b, bool by_data, struct err *err)
{
    if (d->lmtp) {
        if (!hear_each(d, b, err))
            return false;
    } else {
        struct reply reply;

        talk_expect(&d->talk, "end of data", d->timeouts->data_end_ms);
        if (!hear(d, &reply, err))
            return false;
        b->reply = reply;
    }
    d->needs_reset = false;
    if (talk_is_quiet(&d->talk) || d->closing)
        return true;
    /* Behind the 354 of DATA the end can't have been taken for another reply; behind BDAT it can,
     * unless the peer only says that it closes. */
    if (!by_data && !str_starts(stream_window(d->talk.stream), STR("421"))) {
        b->reply = (struct reply){ 0 };
        return out_of_step(err);
    }
    d->closing = true;
    return true;
}

static void forget_answers(struct batch *b)
{
    b->stage = STAGE_MAIL;
    b->mail_heard = b->all_sent = false;
    b->accepted = 0;
    b->reply = (struct reply){ 0 };
    for (size_t i = 0; i < b->rcpt_count; i++) {
        b->rcpts[i].heard = b->rcpts[i].ended = false;
        b->rcpts[i].reply = (struct reply){ 0 };
    }
}

bool dialogue_offer(struct dialogue *d, struct batch *b, struct err *err)
{
    bool by_data = !extensions_have(&d->ext, EXT_CHUNKING);

    forget_answers(b);
    if (!talk_is_quiet(&d->talk))
        return out_of_step(err);
    say_transaction(d, b, by_data);
    if (!hear_mail(d, b, err))
        return false;
    if (b->reply.code == 0 && !hear_rcpts(d, b, err))
        return false;
    if (d->closing)
        return true;
    if (b->reply.code != 0 || b->accepted == 0)
        return hear_out(d, err);
    if (by_data ? !send_data(d, b, err) : !send_chunks(d, b, err))
        return false;
    if (!b->all_sent)
        return true; /* refused on the way */
    return hear_end(d, b, by_data, err);
}

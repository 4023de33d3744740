// SPDX-License-Identifier: Apache-2.0
/* accept/content.c - the octets of a message on their way from the client to core.
 *
 * Content is gathered until its header section is whole, then goes to core in chunks. What is wrong
 * with it is told only when the client has sent all of it: until then the rest is swallowed, so
 * that the conversation stays in step (fault B01). */
#include "accept/content.h"

#include "accept/accept.h"
#include "accept/edits.h"
#include "base/code.h"
#include "base/log.h"

/* Core syncs within milliseconds; a client gives up after 10 minutes (RFC 5321 §4.5.3.2.6). */
#define ANSWER_MS_MAX (9 * 60 * 1000)
/* A list that answers through us, a forwarder: a message may come by a few times, not without end.
 */
#define PASSES_MAX 5

void content_begin(struct session *s)
{
    struct content *c = &s->tx.content;

    data_reader_init(&c->reader, s->flags & BIND_NORMALIZE ? DATA_NORMALIZE : DATA_STRICT);
    content_scan_init(&c->scan);
    c->hashes_body = (s->flags & BIND_SIGNS) != 0;
    if (c->hashes_body)
        dkim_body_begin(&s->work->body, DKIM_RELAXED, UINT64_MAX);
}

void content_pace(struct session *s)
{
    s->tx.content.pace = (struct pace){ .from_ms = loop_now_ms() };
}

/* The next octets must come by then: none may be late, and all together not too slow. */
static int64_t pace_deadline_ms(const struct pace *p, const struct config_timeouts *t)
{
    int64_t next_ms = loop_now_ms() + t->data_in_ms, whole_ms;

    if (t->data_min_rate <= 0)
        return next_ms;
    whole_ms = p->from_ms + t->data_in_ms + (int64_t)(p->bytes / (uint64_t)t->data_min_rate) * 1000;
    return whole_ms < next_ms ? whole_ms : next_ms;
}

bool content_fill(struct session *s)
{
    struct pace *pace = &s->tx.content.pace;
    struct err err;

    if (!session_flush(s))
        return false;
    if (!stream_fill(s->stream, pace_deadline_ms(pace, &s->role->config->timeouts), &err)) {
        if (err.kind == ERR_TIMEOUT)
            session_end(s, REPLY_TOO_SLOW);
        else if (err.kind == ERR_CANCELLED && s->role->drain.on)
            session_end(s, REPLY_SHUTDOWN); /* its patience is over (fault U07) */
        else
            session_lost(s, &err);
        return false;
    }
    return true;
}

/* Refusing ---------------------------------------------------------------------------------- */

static void refuse_with(struct session *s, enum reply_id id, struct str arg1, struct str arg2)
{
    struct content *c = &s->tx.content;

    if (c->refused)
        return;
    c->refused = true;
    c->refusal = id;
    c->refusal_args[0] = arg1;
    c->refusal_args[1] = arg2;
    if (s->tx.number != 0)
        core_tx_abort(s);
    s->tx.number = 0;
}

void content_refuse(struct session *s, enum reply_id id)
{
    refuse_with(s, id, STR_NONE, STR_NONE);
}

static struct str number(struct session *s, uint64_t n)
{
    return arena_str(&s->work->tx, str_of(number_text(n).text));
}

/* Core has answered before the end: the disk is full, or it found what we did not. */
static bool answered_early(struct session *s)
{
    if (s->tx.number == 0 || !s->answer.here)
        return false;
    s->tx.number = 0;
    content_refuse(s, REPLY_CONTENT_REFUSED);
    return true;
}

/* The header section ------------------------------------------------------------------------ */

bool content_header_end(struct str bytes, bool whole, size_t *ret_len, bool *ret_bare)
{
    struct header_field field;
    size_t at = 0;

    while (header_next(bytes, &at, &field))
        ;
    *ret_bare = false;
    *ret_len = at + header_end(str_sub(bytes, at, 2));
    if (*ret_len > at)
        return true;
    /* A line that is no field is the body's first, once the line is whole. */
    if (!whole && str_find(str_skip(bytes, at), STR("\r\n")) == bytes.len - at)
        return false;
    *ret_bare = at < bytes.len;
    return true;
}

/* False: no header section can have ended among these bytes; spares looking again and again. */
static bool header_may_end(struct content *c, struct str gathered, bool whole, size_t limit)
{
    size_t from = c->looked_bytes > 3 ? c->looked_bytes - 3 : 0;

    c->looked_bytes = gathered.len;
    return whole || gathered.len > limit || str_starts(gathered, STR("\r\n")) ||
           str_find(str_skip(gathered, from), STR("\r\n\r\n")) < gathered.len - from;
}

static void judge_header(struct session *s, struct str section, bool bare)
{
    const struct config *config = s->role->config;
    struct header_facts facts;
    struct err err;

    if (!header_look(section, config->hostname, &facts, &err))
        refuse_with(s, REPLY_HEADER_FIELDS, arena_str(&s->work->tx, str_of(err.text)), STR_NONE);
    else if (facts.received > config->limits.received_max)
        refuse_with(s, REPLY_LOOP_RECEIVED, number(s, facts.received),
                    number(s, config->limits.received_max));
    else if (facts.received_by_us > PASSES_MAX)
        refuse_with(s, REPLY_LOOP_NAME, config->hostname, number(s, facts.received_by_us));
    else if (!edits_make(s, section, bare, &facts, &err))
        refuse_with(s, REPLY_HEADER_FIELDS, arena_str(&s->work->tx, str_of(err.text)), STR_NONE);
}

/* Sets header_known when the section is whole; refuses what is wrong with it. */
static void look_for_header(struct session *s, bool whole)
{
    struct content *c = &s->tx.content;
    struct str gathered = buf_str(&s->work->gather);
    /* As it was when the gathering began: a reload may have moved it. */
    size_t limit = workspace_header_max(s->work), len;
    bool bare;

    if (c->header_known || !header_may_end(c, gathered, whole, limit))
        return;
    if (content_header_end(gathered, whole, &len, &bare) && len <= limit) {
        c->header_known = true;
        c->header_bytes = (uint32_t)len;
        judge_header(s, str_sub(gathered, 0, len), bare);
    } else if (whole || gathered.len > limit) {
        refuse_with(s, REPLY_HEADER_SIZE, number(s, limit), STR_NONE);
    }
}

/* Handing on -------------------------------------------------------------------------------- */

/* Of the next piece that goes to core, what is body. */
static void hash_body(struct session *s, struct str piece)
{
    const struct content *c = &s->tx.content;
    size_t header = 0;

    if (c->sent_bytes < c->header_bytes)
        header = c->header_bytes - (size_t)c->sent_bytes;
    dkim_body_add(&s->work->body, str_skip(piece, header));
}

static bool send_chunks(struct session *s, bool whole)
{
    struct content *c = &s->tx.content;
    struct str rest = buf_str(&s->work->gather);

    if (!whole && rest.len < CHUNK_BYTES)
        return true;
    if (s->tx.number == 0 && !core_tx_begin(s))
        return false;
    while (rest.len >= (whole ? 1 : CHUNK_BYTES)) {
        struct str piece = str_sub(rest, 0, CHUNK_BYTES);

        if (!core_tx_chunk(s, piece))
            return false;
        if (c->hashes_body)
            hash_body(s, piece);
        c->sent_bytes += piece.len;
        rest = str_skip(rest, piece.len);
    }
    buf_drop(&s->work->gather, s->work->gather.len - rest.len);
    return true;
}

static const enum reply_id fault_replies[] = {
    [DATA_BARE_LF] = REPLY_CONTENT_BARE_LF,
    [DATA_BARE_CR] = REPLY_CONTENT_BARE_CR,
    [DATA_NUL] = REPLY_CONTENT_NUL,
};

static enum data_fault line_fault(const struct transaction *tx)
{
    if (tx->content.reader.fault != DATA_OK)
        return tx->content.reader.fault;
    return tx->params.body == BODY_BINARYMIME ? DATA_OK : tx->content.scan.fault;
}

static void look(struct session *s, bool whole)
{
    struct content *c = &s->tx.content;
    uint64_t limit = s->role->config->limits.message_bytes;

    if (c->refused || answered_early(s))
        return;
    if (line_fault(&s->tx) != DATA_OK) {
        content_refuse(s, fault_replies[line_fault(&s->tx)]);
    } else if (c->sent_bytes + s->work->gather.len > limit) {
        refuse_with(s, REPLY_CONTENT_SIZE, number(s, limit), STR_NONE);
    } else {
        look_for_header(s, whole);
    }
}

/* Core could not be told the rest: it has answered while we waited, or is gone. */
static void refuse_unsent(struct session *s)
{
    if (!answered_early(s))
        content_refuse(s, REPLY_CORE_GONE);
}

static void move_on(struct session *s, bool whole)
{
    look(s, whole);
    if (!s->tx.content.refused && s->tx.content.header_known && !send_chunks(s, whole))
        refuse_unsent(s);
    if (s->tx.content.refused)
        buf_clear(&s->work->gather);
}

void content_move(struct session *s)
{
    uint64_t sent = s->tx.content.sent_bytes;

    move_on(s, false);
    /* A client that never lets us wait must not keep others waiting, nor the frames of this turn.
     */
    if (s->tx.content.sent_bytes > sent)
        fiber_yield();
}

/* The end ----------------------------------------------------------------------------------- */

static void reply_answer(struct session *s)
{
    char id[ID_TEXT_LEN + 1];
    struct reply refusal = { .code = s->answer.code,
                             .status = s->answer.status,
                             .text = s->answer.text };

    if (s->answer.code != 250) {
        session_refuse_raw(s, &refusal);
        return;
    }
    s->role->messages++;
    s->messages++;
    s->bad_commands = 0;
    (void)id_format(s->answer.id, id);
    session_reply1(s, REPLY_QUEUED,
                   s->answer.text.len == 0 /* else core has a warning to add */
                       ? str_of(id)
                       : arena_strf(&s->work->tx, "%s; %.*s", id, STR_FMT(s->answer.text)));
}

static void reply_refusal(struct session *s)
{
    struct content *c = &s->tx.content;

    if (c->refusal == REPLY_CONTENT_REFUSED)
        reply_answer(s);
    else
        session_refuse_args(s, c->refusal, c->refusal_args[0], c->refusal_args[1]);
}

void content_finish(struct session *s)
{
    struct content *c = &s->tx.content;
    bool binary, eight_bit;

    content_scan_end(&c->scan);
    move_on(s, true);
    binary = c->reader.facts.binary || c->scan.facts.binary;
    eight_bit = c->reader.facts.eight_bit || c->scan.facts.eight_bit;
    if (!c->refused &&
        ((s->tx.number == 0 && !core_tx_begin(s)) || !core_tx_end(s, binary, eight_bit)))
        refuse_unsent(s);
    if (c->refused)
        reply_refusal(s);
    else if (session_await(s, loop_now_ms() + ANSWER_MS_MAX))
        reply_answer(s);
    else
        session_reply(s, REPLY_CORE_GONE);
    s->tx.number = 0; /* core has the whole of it, or was told: there is nothing to abort */
    transaction_reset(s);
}

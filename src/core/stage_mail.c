// SPDX-License-Identifier: Apache-2.0
/* core/stage_mail.c - mail on the stage: what accept hands in, what deliver and report are handed,
 * what becomes of it. */
#include <stdlib.h>

#include "core/stage.h"
#include "io/loop.h"
#include "io/ring.h"
#include "mail/header.h"

static const char plain[] = "Subject: a plain one\r\nFrom: shop@sender.example\r\n\r\nHello.\r\n";

/* --- in --- */

static struct str or_else(const char *text, const char *otherwise)
{
    return str_of(text ? text : otherwise);
}

static void send_envelope(struct stage *s, const struct letter *l, uint64_t session)
{
    struct str from = or_else(l->from, "shop@sender.example"), envid = or_else(l->envid, "");
    struct wire_tx_begin *b = wire_add(s->accept.channel, WIRE_TX_BEGIN, from.len + envid.len + 11);

    b->session = session;
    b->tx = s->last_tx;
    b->body = l->body;
    b->ret = l->ret;
    wire_put(b, &b->reverse_path, from);
    wire_put(b, &b->envid, envid);
    wire_put(b, &b->helo, STR("client.test"));
    for (size_t i = 0; i == 0 || (i < ARRAY_LEN(l->to) && l->to[i]); i++) {
        struct str to = or_else(l->to[i], "ann@remote.example"), orcpt = or_else(l->orcpt, "");
        struct wire_tx_rcpt *r = wire_add(s->accept.channel, WIRE_TX_RCPT, to.len + orcpt.len);
        r->session = session;
        r->tx = s->last_tx;
        r->notify = l->notify;
        wire_put(r, &r->address, to);
        wire_put(r, &r->orcpt, orcpt);
    }
}

static void send_content(struct stage *s, uint64_t session, struct str rest)
{
    while (rest.len > 0) {
        struct str piece = str_sub(rest, 0, 64 * 1024);
        struct wire_tx_chunk *m = wire_add(s->accept.channel, WIRE_TX_CHUNK, 0);
        m->session = session;
        m->tx = s->last_tx;
        m->len = (uint32_t)piece.len;
        assert_true(ring_put(s->accept.ring_mine, piece, &m->position));
        rest = str_skip(rest, piece.len);
    }
}

static void send_edits(struct stage *s, uint64_t session, const struct letter *l)
{
    for (size_t i = 0; i < l->edit_count; i++) {
        struct wire_tx_edit *m = wire_add(s->accept.channel, WIRE_TX_EDIT, l->edits[i].text.len);
        m->session = session;
        m->tx = s->last_tx;
        m->kind = l->edits[i].kind;
        m->offset = l->edits[i].offset;
        m->len = l->edits[i].len;
        wire_put(m, &m->text, l->edits[i].text);
    }
}

uint64_t stage_send(struct stage *s, const struct letter *l)
{
    uint64_t session = l->session ? l->session : STAGE_SESSION;
    struct str content = or_else(l->content, plain);
    size_t header = str_find(content, STR("\r\n\r\n"));

    s->last_tx++;
    send_envelope(s, l, session);
    send_content(s, session, content);
    send_edits(s, session, l);
    struct str hash = or_else(l->body_hash, "");
    struct wire_tx_end *m = wire_add(s->accept.channel, WIRE_TX_END, hash.len);
    m->session = session;
    m->tx = s->last_tx;
    wire_put(m, &m->body_hash, hash);
    m->size_bytes = (uint64_t)((int64_t)content.len + l->size_lie);
    m->header_bytes =
        (uint32_t)((int32_t)(header < content.len ? header + 4 : content.len) + l->header_lie);
    return s->last_tx;
}

unsigned stage_answer(struct stage *s, uint64_t tx, struct str *ret_text, uint64_t *ret_id)
{
    const struct wire_tx_answer *a = player_next(&s->accept, WIRE_TX_ANSWER);

    assert_int_equal(a->tx, tx);
    if (ret_text)
        *ret_text = wire_get(a, a->text);
    if (ret_id)
        *ret_id = a->id;
    return a->code;
}

uint64_t stage_accept(struct stage *s, const struct letter *l)
{
    uint64_t id;
    struct str text;
    unsigned code = stage_answer(s, stage_send(s, l), &text, &id);

    if (code != 250)
        fail_msg("%u %.*s", code, STR_FMT(text));
    return id;
}

/* --- out --- */

void stage_read_content(struct player *taker, struct job_seen *j)
{
    const struct wire_job_content *m = player_next(taker, WIRE_JOB_CONTENT);
    char *piece = mem_new(m->len + 1);
    struct err err;

    assert_int_equal(m->job, j->job);
    assert_int_equal(m->offset, j->content.len);
    if (!ring_read(taker->ring_mine, m->position, m->len, piece, &err))
        fail_msg("%s", err.text);
    buf_add(&j->content, str_make(piece, m->len));
    free(piece);
    struct wire_credit *credit = wire_add(taker->channel, WIRE_CREDIT, 0);
    credit->position = ring_taken(taker->ring_mine);
}

static void see_edits_and_signs(struct player *taker, struct job_seen *j)
{
    for (size_t i = 0; i < taker->count; i++) {
        const struct wire_job_edit *e = (const void *)taker->frames[i];
        const struct wire_job_sign *s = (const void *)taker->frames[i];
        if (taker->frames[i]->type == WIRE_JOB_EDIT && e->job == j->job) {
            assert_true(j->edit_count < ARRAY_LEN(j->edits));
            j->edits[j->edit_count++] =
                (struct header_edit){ e->kind, e->offset, e->len, wire_get(e, e->text) };
        } else if (taker->frames[i]->type == WIRE_JOB_SIGN && s->job == j->job) {
            assert_true(j->sign_count < JOB_SIGNS_MAX);
            j->signs[j->sign_count++] = s;
        }
    }
}

struct job_seen stage_job(struct stage *s, struct player *taker)
{
    const struct wire_job *m = player_next(taker, WIRE_JOB);
    const struct wire_job_go *go = player_next(taker, WIRE_JOB_GO);
    struct job_seen j = {
        .job = m->job,
        .id = m->id,
        .site = wire_get(m, m->site),
        .domain = wire_get(m, m->domain),
        .reverse_path = wire_get(m, m->reverse_path),
        .route = m->route,
        .body_hash = wire_get(m, m->body_hash),
    };
    uint64_t first = m->size_bytes < JOB_CONTENT_FIRST ? m->size_bytes : JOB_CONTENT_FIRST;

    (void)s;
    assert_int_equal(go->job, m->job);
    for (size_t i = 0; i < taker->count; i++) {
        const struct wire_job_rcpt *r = (const void *)taker->frames[i];
        if (taker->frames[i]->type != WIRE_JOB_RCPT || r->job != m->job)
            continue;
        assert_true(j.rcpt_count < ARRAY_LEN(j.rcpts));
        j.numbers[j.rcpt_count] = r->rcpt;
        j.rcpts[j.rcpt_count++] = wire_get(r, r->address);
    }
    see_edits_and_signs(taker, &j);
    buf_init(&j.content, 1 << 20);
    while (j.content.len < first)
        stage_read_content(taker, &j);
    return j;
}

void job_seen_done(struct job_seen *j)
{
    buf_done(&j->content);
}

void stage_result_rcpt(struct player *taker, uint64_t job, uint32_t rcpt, const struct verdict *v)
{
    struct str text = or_else(v->text, ""), host = STR("mx.remote.example");
    struct wire_result_rcpt *m = wire_add(taker->channel, WIRE_RESULT_RCPT, text.len + host.len);

    m->job = job;
    m->rcpt = rcpt;
    m->kind = (uint8_t)v->kind;
    m->scope = SCOPE_RECIPIENT;
    m->code = v->code;
    m->status_class = v->code / 100;
    m->status_subject = v->subject;
    m->status_detail = v->detail;
    m->flags = v->passed_on ? RESULT_DSN_PASSED_ON : 0;
    wire_put(m, &m->host, host);
    wire_put(m, &m->text, text);
}

void stage_result_end(struct player *taker, uint64_t job, uint16_t session_code,
                      bool connection_failed)
{
    struct wire_result *m = wire_add(taker->channel, WIRE_RESULT, 0);

    m->job = job;
    m->session_code = session_code;
    m->connection_failed = connection_failed;
}

void stage_result(struct stage *s, struct player *taker, struct job_seen *j,
                  const struct verdict *v)
{
    (void)s;
    for (size_t i = 0; i < j->rcpt_count; i++)
        stage_result_rcpt(taker, j->job, j->numbers[i], v);
    stage_result_end(taker, j->job, 0, false);
    job_seen_done(j);
}

struct event stage_event(struct stage *s, enum event_kind kind)
{
    struct event e;
    struct err err;

    do {
        const struct wire_event *m = player_next(&s->report, WIRE_EVENT);
        struct str bytes = wire_get(m, m->bytes);
        if (!event_read(&bytes, &e, &err))
            fail_msg("%s", err.text);
    } while (kind != 0 && e.kind != kind);
    return e;
}

struct job_seen stage_one_job(struct stage *s, const struct letter *l)
{
    stage_accept(s, l);
    stage_site(s, "remote.example", "mx.remote.example");
    return stage_job(s, &s->deliver);
}

void stage_await_empty(struct stage *s)
{
    for (int i = 0; i < 1000 && stage_figure(s, "messages") > 0; i++)
        stage_settle(s);
    assert_int_equal(stage_figure(s, "messages"), 0);
    assert_int_equal(stage_figure(s, "delivering"), 0);
}

// SPDX-License-Identifier: Apache-2.0
/* accept/core_link.c - frames to and from core. */
#include "accept/core_link.h"

#include "accept/accept.h"
#include "base/log.h"
#include "wire/wire.h"

/* From core --------------------------------------------------------------------------------- */

static void on_ready(struct accept *a, const struct wire_session_ready *f)
{
    struct session *s = session_table_find(&a->sessions, f->session);

    if (s == NULL || !s->answer.waiting)
        return;
    if (f->code == 0) {
        struct str login = wire_get(f, f->login);

        s->flags = f->flags;
        buf_clear(&s->login);
        if (login.len > 0)
            (void)buf_add(&s->login, login);
    }
    session_answered(s, f->code, wire_get(f, f->text));
}

static void on_answer(struct accept *a, const struct wire_tx_answer *f)
{
    struct session *s = session_table_find(&a->sessions, f->session);

    if (s == NULL || !s->answer.waiting || s->tx.number != f->tx)
        return;
    s->answer.id = f->id;
    s->answer.status = (struct status){ .klass = (uint8_t)(f->code / 100),
                                        .subject = f->status_subject,
                                        .detail = f->status_detail };
    session_answered(s, f->code, wire_get(f, f->text));
}

static bool on_credit(struct accept *a, const struct wire_credit *f, struct err *err)
{
    if (!ring_credit(a->core.ring, f->position, err))
        return false;
    gate_wake_all(&a->core.credit);
    return true;
}

static void on_forwards(struct accept *a, const struct wire_forwards *f)
{
    if (f->begins) {
        buf_clear(&a->forwards);
        buf_add_char(&a->forwards, '\n');
    }
    buf_add(&a->forwards, wire_get(f, f->names));
}

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct accept *a = owner;

    (void)c;
    if (!wire_check(f, ROLE_CORE, ROLE_ACCEPT, err))
        return false;
    switch (f->type) {
    case WIRE_SESSION_READY:
        on_ready(a, (const struct wire_session_ready *)f);
        return true;
    case WIRE_TX_ANSWER:
        on_answer(a, (const struct wire_tx_answer *)f);
        return true;
    case WIRE_FORWARDS:
        on_forwards(a, (const struct wire_forwards *)f);
        return true;
    case WIRE_CREDIT:
        return on_credit(a, (const struct wire_credit *)f, err);
    default:
        return err_set(err, ERR_SYNTAX, "core sent %s", wire_type_name(f->type));
    }
}

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct accept *a = owner;

    log_err(LOG_WARN, "core-gone", why);
    if (c == a->core.channel)
        a->core.channel = NULL;
    gate_wake_all(channel_room(c));
    channel_free(c);
    gate_wake_all(&a->core.credit);
    accept_wake_all(a);
}

static const struct channel_events events = { .frame = on_frame, .closed = on_closed };

void core_link_init(struct core_link *l)
{
    *l = (struct core_link){ 0 };
    gate_init(&l->credit);
}

void core_link_set(struct accept *a, const struct role_link *link)
{
    if (a->core.channel != NULL)
        channel_free(a->core.channel);
    a->core.channel = link->channel;
    a->core.ring = link->ring_out;
    a->core.generation = link->generation;
    channel_set_owner(link->channel, &events, a);
    accept_links_changed(a);
}

void core_link_done(struct core_link *l)
{
    if (l->channel != NULL)
        channel_free(l->channel);
    l->channel = NULL;
}

/* To core ----------------------------------------------------------------------------------- */

bool core_knows(const struct session *s)
{
    const struct core_link *l = &s->role->core;

    return l->channel != NULL && l->generation == s->core_generation;
}

/* Whether core wants more of the message: it is there, and has not refused. */
static bool wants(const struct session *s)
{
    return core_knows(s) && !s->answer.here;
}

/* Our own slowness is not the client's. */
static void pace_forgive(struct session *s, int64_t since_ms)
{
    s->tx.content.pace.from_ms += loop_now_ms() - since_ms;
}

static bool await_channel(struct session *s)
{
    int64_t since_ms = loop_now_ms();

    while (wants(s) && channel_full(s->role->core.channel))
        if (!gate_wait(channel_room(s->role->core.channel), NO_DEADLINE, NULL))
            return false;
    pace_forgive(s, since_ms);
    return wants(s);
}

static bool send_rcpt(struct session *s, const struct tx_rcpt *r)
{
    struct wire_tx_rcpt *f;

    if (!await_channel(s))
        return false;
    f = wire_add(s->role->core.channel, WIRE_TX_RCPT, r->address.len + r->orcpt.len);
    f->session = s->id;
    f->tx = s->tx.number;
    f->notify = r->notify;
    wire_put(f, &f->address, r->address);
    wire_put(f, &f->orcpt, r->orcpt);
    return true;
}

bool core_tx_begin(struct session *s)
{
    struct transaction *tx = &s->tx;
    struct str helo = buf_str(&s->helo);
    struct wire_tx_begin *f;

    if (!await_channel(s))
        return false;
    tx->number = ++s->role->tx_last;
    session_ask(s, /* of_vault= */ false); /* core may refuse before it has seen the end */
    f = wire_add(s->role->core.channel, WIRE_TX_BEGIN,
                 tx->reverse_path.len + tx->params.envid.len + helo.len);
    f->session = s->id;
    f->tx = tx->number;
    f->body = (uint8_t)tx->params.body;
    f->ret = (uint8_t)tx->params.ret;
    f->smtputf8 = tx->params.smtputf8;
    wire_put(f, &f->reverse_path, tx->reverse_path);
    wire_put(f, &f->envid, tx->params.envid);
    wire_put(f, &f->helo, helo);
    for (const struct tx_rcpt *r = tx->first; r != NULL; r = r->next)
        if (!send_rcpt(s, r))
            return false;
    return true;
}

bool core_tx_chunk(struct session *s, struct str bytes)
{
    int64_t since_ms = loop_now_ms();
    struct wire_tx_chunk *f;
    uint64_t position;

    if (!await_channel(s))
        return false;
    while (!ring_put(s->role->core.ring, bytes, &position)) {
        if (!gate_wait(&s->role->core.credit, NO_DEADLINE, NULL) || !wants(s))
            return false;
        pace_forgive(s, since_ms);
        since_ms = loop_now_ms();
    }
    f = wire_add(s->role->core.channel, WIRE_TX_CHUNK, 0);
    f->session = s->id;
    f->tx = s->tx.number;
    f->position = position;
    f->len = (uint32_t)bytes.len;
    return true;
}

static void send_edit(struct session *s, const struct header_edit *e)
{
    struct wire_tx_edit *f = wire_add(s->role->core.channel, WIRE_TX_EDIT, e->text.len);

    f->session = s->id;
    f->tx = s->tx.number;
    f->kind = e->kind;
    f->offset = e->offset;
    f->len = e->len;
    wire_put(f, &f->text, e->text);
}

bool core_tx_end(struct session *s, bool binary, bool eight_bit)
{
    const struct content *c = &s->tx.content;
    struct wire_tx_end *f;

    if (!await_channel(s))
        return false;
    for (size_t i = 0; i < c->edit_count; i++)
        send_edit(s, &c->edits[i]);
    f = wire_add(s->role->core.channel, WIRE_TX_END, DKIM_HASH_BYTES);
    f->session = s->id;
    f->tx = s->tx.number;
    f->size_bytes = c->sent_bytes;
    f->header_bytes = c->header_bytes;
    f->content = (binary ? TX_BINARY : 0u) | (eight_bit ? TX_8BIT : 0u);
    if (c->hashes_body) {
        uint8_t hash[DKIM_HASH_BYTES];

        dkim_body_end(&s->work->body, hash);
        wire_put(f, &f->body_hash, str_make(hash, sizeof(hash)));
    }
    return true;
}

void core_tx_abort(struct session *s)
{
    struct wire_tx_abort *f;

    if (!core_knows(s))
        return;
    f = wire_add(s->role->core.channel, WIRE_TX_ABORT, 0);
    f->session = s->id;
    f->tx = s->tx.number;
}

void core_session_close(struct session *s)
{
    struct wire_session_close *f;

    if (!core_knows(s))
        return;
    f = wire_add(s->role->core.channel, WIRE_SESSION_CLOSE, 0);
    f->session = s->id;
}

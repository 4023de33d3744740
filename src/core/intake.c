// SPDX-License-Identifier: Apache-2.0
/* core/intake.c - a transaction's frames become a message in the spool; then, and only then, 250.
 *
 * Nothing that accept says is believed: the session must be bound by vault, addresses are parsed
 * again, recipients are admitted again (intake_rcpt.c), names are judged (naming.c), the size is
 * what was counted, edits must lie inside the header. What breaks these rules is refused with 5yz;
 * what no correct accept would send (an unknown transaction, a wrong extent) ends the link. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/intake.h"
#include "io/clock.h"

#define INTAKE_ARENA_BYTES 4096
#define IDLE_INTAKES_MAX 256
#define ENVID_MAX 100
#define HEADER_STEP_BYTES 2048
#define BODY_HASH_BYTES 32
/* An idle one gives a larger header's memory back. */
#define HEADER_KEPT_BYTES (16 * 1024)

/* --- life --- */

static struct intake *intake_new(struct core *c)
{
    struct intake *t = LIST_FIRST(&c->idle_intakes, struct intake, idle);

    if (t) {
        list_remove(&t->idle);
        c->idle_intake_count--;
        return t;
    }
    t = NEW(struct intake);
    list_init(&t->idle);
    arena_init(&t->arena, INTAKE_ARENA_BYTES);
    buf_init(&t->header, HEADER_SECTION_MAX);
    return t;
}

/* Ready for another transaction, with its arena's first block kept. */
static void intake_free(struct core *c, struct intake *t)
{
    arena_reset(&t->arena);
    if (c->idle_intake_count >= IDLE_INTAKES_MAX) {
        arena_done(&t->arena);
        buf_done(&t->header);
        free(t);
        return;
    }
    if (t->header.cap > HEADER_KEPT_BYTES)
        buf_done(&t->header);
    else
        buf_clear(&t->header);
    struct arena arena = t->arena;
    struct buf header = t->header;
    *t = (struct intake){ .arena = arena, .header = header };
    t->header.max = HEADER_SECTION_MAX;
    list_append(&c->idle_intakes, &t->idle);
    c->idle_intake_count++;
}

void intakes_done(struct core *c)
{
    LIST_EACH (&c->idle_intakes, struct intake, t, idle) {
        arena_done(&t->arena);
        buf_done(&t->header);
        free(t);
    }
    list_init(&c->idle_intakes);
    c->idle_intake_count = 0;
}

void intake_drop_all(struct core *c, struct peer *accept)
{
    size_t at = 0;
    uint64_t tx;
    void *value;

    while (idmap_each(&accept->intakes, &at, &tx, &value)) {
        struct intake *t = value;
        spool_abort(t->spool_tx);
        intake_free(c, t);
    }
    idmap_done(&accept->intakes);
    idmap_init(&accept->intakes);
}

/* --- what accept says --- */

void intake_refuse(struct intake *t, uint16_t code, uint16_t subject, uint16_t detail,
                   const char *fmt, ...)
{
    char text[300];
    va_list args;

    if (t->refusal.code != 0)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    t->refusal = (struct reply){
        .code = code,
        .status = { (uint8_t)(code / 100), subject, detail },
        .text = arena_str(&t->arena, str_of(text)),
    };
}

/* Printable ASCII, as ENVID is when decoded (RFC 3461 §4.4). */
static bool envid_ok(struct str envid)
{
    for (size_t i = 0; i < envid.len; i++)
        if (envid.ptr[i] < ' ' || envid.ptr[i] > '~')
            return false;
    return envid.len <= ENVID_MAX;
}

/* What an accept in its right mind has checked before: else the envelope could not be read back, an
 * event of it not be sent, or a header line be broken out of. */
static bool begin_ok(const struct wire_tx_begin *m, struct err *err)
{
    struct str helo = wire_get(m, m->helo);

    if (m->body > BODY_BINARYMIME || m->ret > RET_HDRS || m->smtputf8 > 1)
        return err_set(err, ERR_SYNTAX, "a transaction with BODY %u, RET %u", m->body, m->ret);
    if (!envid_ok(wire_get(m, m->envid)))
        return err_set(err, ERR_SYNTAX, "a transaction with an impossible ENVID");
    if (helo.len > 0 && !helo_ok(helo))
        return err_set(err, ERR_SYNTAX, "a transaction with an impossible HELO name");
    return true;
}

static bool on_begin(struct core *c, struct peer *accept, const struct wire_tx_begin *m,
                     struct err *err)
{
    struct core_session *s = session_find(accept, m->session);

    if (!s || s->refused)
        return err_set(err, ERR_SYNTAX, "a transaction of a session that may not have one");
    if (idmap_find(&accept->intakes, m->tx))
        return err_set(err, ERR_SYNTAX, "a transaction begun twice");
    if (idmap_find(&accept->intakes, s->tx))
        return err_set(err, ERR_SYNTAX, "two transactions of a session at once");
    if (!begin_ok(m, err))
        return false;
    s->tx = m->tx;

    struct intake *t = intake_new(c);
    struct envelope *e = &t->envelope;
    t->core = c;
    t->accept = accept;
    t->generation = accept->generation;
    t->session = m->session;
    t->tx = m->tx;
    t->admission = (struct admission_facts){
        .listener = s->listener,
        .authorised = session_may_send(s),
        .null_sender = m->reverse_path.len == 0,
        .is_forward = true, /* add_return() knows better than any list */
        .gate_open = c->gate_open,
    };
    e->account = s->account;
    e->credential = s->credential;
    e->client = s->client;
    e->login = arena_str(&t->arena, s->login);
    e->flags = m->smtputf8 ? ENVELOPE_SMTPUTF8 : 0;
    e->body = m->body;
    e->ret = m->ret;
    e->reverse_path = arena_str(&t->arena, wire_get(m, m->reverse_path));
    e->envid = arena_str(&t->arena, wire_get(m, m->envid));
    e->helo = arena_str(&t->arena, wire_get(m, m->helo));
    t->spool_tx = spool_begin(c->spool);
    idmap_put(&accept->intakes, t->tx, t);

    struct address from;
    struct err bad;
    if (e->reverse_path.len > 0 && !address_parse(e->reverse_path, &from, &bad))
        intake_refuse(t, 501, 1, 7, "the sender's address cannot be used: %s", bad.text);
    return true;
}

static bool on_edit(struct intake *t, const struct wire_tx_edit *m, struct err *err)
{
    struct envelope *e = &t->envelope;

    if (e->edit_count >= EDITS_MAX || m->kind < EDIT_DELETE || m->kind > EDIT_INSERT_ID)
        return err_set(err, ERR_SYNTAX, "header edit %zu of kind %u", e->edit_count, m->kind);
    if (!e->edits)
        e->edits = ARENA_ARRAY(&t->arena, struct header_edit, EDITS_MAX);
    e->edits[e->edit_count++] = (struct header_edit){
        .kind = m->kind,
        .offset = m->offset,
        .len = m->len,
        .text = arena_str(&t->arena, wire_get(m, m->text)),
    };
    return true;
}

/* What will be judged at the end: as much as the section can be. Mail that is nobody's is not. It
 * is taken in steps, so that little of the body is copied behind a short header. */
static void keep_header(struct intake *t, struct str chunk)
{
    if (!t->admission.authorised)
        return;
    while (!t->header_whole && chunk.len > 0) {
        size_t before = t->header.len, room = t->header.max - before;
        struct str step = str_sub(chunk, 0, room < HEADER_STEP_BYTES ? room : HEADER_STEP_BYTES);
        /* The empty line may lie across two steps. */
        size_t from = before > 3 ? before - 3 : 0;

        buf_add(&t->header, step);
        chunk = str_skip(chunk, step.len);
        t->header_whole =
            t->header.len == t->header.max ||
            str_find(str_skip(buf_str(&t->header), from), STR("\r\n\r\n")) < t->header.len - from;
    }
}

static bool on_chunk(struct core *c, struct intake *t, const struct wire_tx_chunk *m,
                     struct err *err)
{
    /* The ring is read whatever becomes of the transaction: its extents come in order. */
    static char chunk[64 * 1024];

    if (m->len > sizeof chunk)
        return err_set(err, ERR_SYNTAX, "a chunk of %u bytes", m->len);
    if (!t->accept->ring_in || !ring_read(t->accept->ring_in, m->position, m->len, chunk, err))
        return false;
    t->envelope.size_bytes += m->len;
    if (t->envelope.size_bytes > c->config->limits.message_bytes)
        intake_refuse(t, 552, 3, 4, "the message is larger than %llu bytes (limits.message_bytes)",
                      (unsigned long long)c->config->limits.message_bytes);
    if (t->refusal.code == 0) {
        keep_header(t, str_make(chunk, m->len));
        spool_add(t->spool_tx, str_make(chunk, m->len));
    }
    return true;
}

/* --- the commit --- */

static void answer(struct intake *t, uint64_t id, const struct reply *r)
{
    struct peer *accept = t->accept;

    if (!accept->channel || accept->generation != t->generation)
        return; /* accept died: its client has heard nothing, and repeats or not (RFC 1047) */
    struct wire_tx_answer *a = wire_add(accept->channel, WIRE_TX_ANSWER, r->text.len);
    a->session = t->session;
    a->tx = t->tx;
    a->id = id;
    a->code = r->code;
    a->status_subject = r->status.subject;
    a->status_detail = r->status.detail;
    wire_put(a, &a->text, r->text);
}

static struct reply commit_refusal(const struct err *err)
{
    if (err->kind == ERR_FULL)
        return (
            struct reply){ 452, { 4, 3, 1 }, STR("no room for the message now, try again later") };
    if (err->kind == ERR_LIMIT)
        return (struct reply){ 552,
                               { 5, 3, 4 },
                               STR("too many recipients and header fields in one message") };
    return (
        struct reply){ 451, { 4, 3, 0 }, STR("the message could not be stored, try again later") };
}

static void refused(struct core *c, struct intake *t)
{
    spool_abort(t->spool_tx);
    answer(t, 0, &t->refusal);
    c->refused++;
    intake_free(c, t);
}

static void commit_story(void *arg)
{
    struct intake *t = arg;
    struct core *c = t->core;
    struct spool_message *m;
    uint64_t id;
    struct err err;

    spool_mark(t->spool_tx, t->held.mark);
    if (!spool_commit(t->spool_tx, &t->envelope, &id, &m, &err)) {
        struct reply r = commit_refusal(&err);

        quota_release(c, &t->envelope, &t->held);
        answer(t, 0, &r);
        c->refused++;
    } else {
        answer(t, id,
               &(struct reply){ .code = 250, .status = { 2, 0, 0 }, .text = t->naming.warning });
        naming_taken(&t->naming, id);
        c->accepted++;
        if (m)
            place_message(c, m, &t->envelope);
    }
    intake_free(c, t);
    core_story_end(c);
}

/* In order, inside the header section, each behind what the one before took out: as header_render()
 * wants them. */
static bool edits_fit(const struct envelope *e, uint32_t header_bytes)
{
    uint64_t at = 0;

    for (size_t i = 0; i < e->edit_count; i++) {
        const struct header_edit *edit = &e->edits[i];
        uint64_t end = (uint64_t)edit->offset + (edit->kind == EDIT_DELETE ? edit->len : 0);
        if (edit->offset < at || end > header_bytes)
            return false;
        at = end;
    }
    return true;
}

static void check_whole(struct intake *t, const struct wire_tx_end *m)
{
    const struct envelope *e = &t->envelope;
    const struct core_session *s = session_find(t->accept, t->session);

    if (e->rcpt_count == 0)
        intake_refuse(t, 503, 5, 1, "no recipients");
    if (m->size_bytes != e->size_bytes || m->header_bytes > e->size_bytes)
        intake_refuse(t, 554, 6, 0, "the message arrived incomplete");
    if (m->header_bytes > t->core->config->limits.header_bytes)
        intake_refuse(t, 552, 3, 4, "the header is larger than %u bytes (limits.header_bytes)",
                      t->core->config->limits.header_bytes);
    if (!edits_fit(e, m->header_bytes))
        intake_refuse(t, 554, 6, 0, "the header's edits do not fit it");
    /* Its credential was revoked while the content came (fault A07). */
    if (!s || s->account != e->account || session_may_send(s) != t->admission.authorised)
        intake_refuse(t, 550, 7, 1, "this session may no longer send; sign in again");
    if (!core_may_start_story())
        intake_refuse(t, 452, 3, 1, "too much is going on, try again later");
}

static struct str body_hash_of(struct intake *t, const struct wire_tx_end *m)
{
    struct str hash = wire_get(m, m->body_hash);

    return hash.len == BODY_HASH_BYTES ? arena_str(&t->arena, hash) : STR("");
}

/* Whose it is and in whose name (guard/identity.h). */
static void check_names(struct intake *t, const struct wire_tx_end *m)
{
    struct str header = buf_str(&t->header);

    if (t->admission.authorised && header.len < m->header_bytes) {
        intake_refuse(t, 554, 6, 0, "the header section is not where it was said to be");
        return;
    }
    t->naming = (struct naming){
        .core = t->core,
        .arena = &t->arena,
        .session = session_find(t->accept, t->session),
        .envelope = &t->envelope,
        .section = str_sub(header, 0, m->header_bytes),
        .is_all = m->header_bytes == m->size_bytes,
    };
    if (!naming_judge(&t->naming, &t->refusal))
        assert(t->refusal.code != 0);
}

/* Last of all: what it takes is held from now on, until its commit has ended. */
static void check_quotas(struct intake *t)
{
    const struct quota_facts facts = { t->naming.account, t->naming.stream, &t->envelope };
    struct str *warning = &t->naming.warning;

    if (!quota_reserve(t->core, &facts, &t->arena, &t->held, &t->refusal))
        return;
    if (warning->len == 0)
        *warning = t->held.warning;
    else if (t->held.warning.len > 0)
        *warning = arena_strf(&t->arena, "%.*s; %.*s", STR_FMT(*warning), STR_FMT(t->held.warning));
}

static void on_end(struct core *c, struct intake *t, const struct wire_tx_end *m)
{
    struct envelope *e = &t->envelope;

    check_whole(t, m);
    e->header_bytes = m->header_bytes;
    e->accepted_wall_ms = core_now(c);
    e->body_hash = body_hash_of(t, m);
    if (m->content & TX_8BIT)
        e->flags |= ENVELOPE_8BIT;
    if (m->content & TX_BINARY)
        e->flags |= ENVELOPE_BINARY;
    if (t->refusal.code == 0)
        check_names(t, m);
    if (t->refusal.code == 0)
        check_quotas(t);
    idmap_take(&t->accept->intakes, t->tx);
    if (t->refusal.code != 0) {
        refused(c, t);
        return;
    }
    core_story_begin(c);
    fiber_spawn("commit", commit_story, t);
}

bool intake_on_frame(struct core *c, struct peer *accept, const struct frame *f, struct err *err)
{
    if (f->type == WIRE_TX_BEGIN)
        return on_begin(c, accept, (const void *)f, err);
    /* All others name session and transaction in the same place. */
    const struct wire_tx_abort *head = (const void *)f;
    struct intake *t = idmap_find(&accept->intakes, head->tx);
    if (!t || t->session != head->session)
        return err_set(err, ERR_SYNTAX, "%s of a transaction that was not begun",
                       wire_type_name(f->type));
    switch (f->type) {
    case WIRE_TX_RCPT:
        return intake_on_rcpt(t, (const void *)f, err);
    case WIRE_TX_EDIT:
        return on_edit(t, (const void *)f, err);
    case WIRE_TX_CHUNK:
        return on_chunk(c, t, (const void *)f, err);
    case WIRE_TX_END:
        on_end(c, t, (const void *)f);
        return true;
    default: /* WIRE_TX_ABORT */
        idmap_take(&accept->intakes, t->tx);
        spool_abort(t->spool_tx);
        intake_free(c, t);
        return true;
    }
}

/* Room in the accept roles' rings, unless the disk is behind: then they stop reading their clients.
 */
void intake_send_credit(struct core *c)
{
    if (spool_is_behind(c->spool))
        return;
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++) {
        struct peer *accept = &c->accept[i];
        if (!accept->channel || !accept->ring_in)
            continue;
        uint64_t taken = ring_taken(accept->ring_in);
        if (taken == accept->credit_sent)
            continue;
        struct wire_credit *credit = wire_add(accept->channel, WIRE_CREDIT, 0);
        credit->position = taken;
        accept->credit_sent = taken;
    }
}

// SPDX-License-Identifier: Apache-2.0
/* core/handout.c - batches become jobs of deliver (or of report: the sandbox), and content streams
 * after them.
 *
 * A job pins its message. It ends in one of three ways: RESULT, the peer's death (both result.c),
 * or content that cannot be read (a damaged body ends as a bounce: R21). */
#include <stdlib.h>

#include "core/job.h"

#define CONTENT_PIECE (32 * 1024)
/* Jobs of one deliver role, per connection it may have: the next ones lie ready while the first are
 * under way. */
#define JOBS_PER_CONNECTION 3
/* What the sandbox is handed at a time. */
#define SANDBOX_JOBS 64
#define PEER_AWAY_WAIT_MS 1000
#define UNREADABLE_WAIT_MS (60 * 1000)

static void job_free(struct job *j)
{
    spool_unpin(j->core->spool, j->message);
    arena_done(&j->arena);
    free(j);
}

void job_leave(struct job *j)
{
    if (--j->stories == 0 && j->over)
        job_free(j);
}

/* --- which peer --- */

static unsigned jobs_max(const struct core *c, const struct peer *p)
{
    return p->kind == ROLE_REPORT ? SANDBOX_JOBS
                                  : c->config->delivery.connections * JOBS_PER_CONNECTION;
}

static bool has_room(const struct core *c, const struct peer *p)
{
    return p->channel && p->jobs < jobs_max(c, p) && !channel_full(p->channel);
}

/* A site stays with one deliver role, so that its connections are reused; NULL when none is there
 * or has room. */
static struct peer *peer_for(struct core *c, const struct site *site)
{
    unsigned n = c->config->deliver_roles;
    unsigned first;

    if (str_eq(site_name(site), SITE_SANDBOX))
        return has_room(c, &c->report) ? &c->report : NULL;
    if (n == 0 || n > ROLE_INSTANCES_MAX)
        n = 1;
    first = (unsigned)(hash_str(site_name(site)) % n);
    for (unsigned i = 0; i < n; i++) {
        struct peer *p = &c->deliver[(first + i) % n];
        if (has_room(c, p))
            return p;
    }
    return NULL;
}

/* --- the job's frames --- */

static struct str domain_of(struct job *j, struct str address)
{
    struct str found = STR("");
    struct buf domain;

    buf_init(&domain, ADDRESS_DOMAIN_MAX);
    if (place_domain(address, &domain, NULL))
        found = arena_str(&j->arena, buf_str(&domain));
    buf_done(&domain);
    return found;
}

static uint32_t route_index(const struct core *c, struct site *site, struct str domain)
{
    const struct config_route *route = config_route_find(c->config, domain);

    if (str_eq(site_name(site), SITE_SANDBOX))
        return ROUTE_INDEX_SANDBOX;
    if (route->kind == ROUTE_MX)
        return ROUTE_INDEX_MX;
    return (uint32_t)(route - c->config->routes);
}

static void send_head(struct job *j)
{
    const struct envelope *e = &j->envelope;
    struct str domain = domain_of(j, e->rcpts[j->batch.rcpts[0]].address);
    struct str site = site_name(j->batch.site);
    struct wire_job *m =
        wire_add(j->peer->channel, WIRE_JOB,
                 site.len + domain.len + e->reverse_path.len + e->envid.len + e->body_hash.len);

    m->job = j->id;
    m->id = spool_message_id(j->message);
    m->size_bytes = e->size_bytes;
    m->header_bytes = e->header_bytes;
    m->route = route_index(j->core, j->batch.site, domain);
    m->body = e->body;
    m->ret = e->ret;
    m->smtputf8 = (e->flags & ENVELOPE_SMTPUTF8) != 0;
    m->content = (uint8_t)(((e->flags & ENVELOPE_8BIT) ? TX_8BIT : 0) |
                           ((e->flags & ENVELOPE_BINARY) ? TX_BINARY : 0));
    m->connections = site_connections(j->batch.site);
    m->accepted_wall_ms = e->accepted_wall_ms;
    wire_put(m, &m->site, site);
    wire_put(m, &m->domain, domain);
    wire_put(m, &m->reverse_path, e->reverse_path);
    wire_put(m, &m->envid, e->envid);
    wire_put(m, &m->body_hash, e->body_hash);
}

static void send_rcpts_and_edits(struct job *j)
{
    const struct envelope *e = &j->envelope;

    for (size_t i = 0; i < j->batch.count; i++) {
        const struct envelope_rcpt *r = &e->rcpts[j->batch.rcpts[i]];
        struct wire_job_rcpt *m =
            wire_add(j->peer->channel, WIRE_JOB_RCPT, r->address.len + r->orcpt.len);
        m->job = j->id;
        m->rcpt = j->batch.rcpts[i];
        m->notify = r->notify;
        wire_put(m, &m->address, r->address);
        wire_put(m, &m->orcpt, r->orcpt);
    }
    for (size_t i = 0; i < e->edit_count; i++) {
        const struct header_edit *edit = &e->edits[i];
        struct wire_job_edit *m = wire_add(j->peer->channel, WIRE_JOB_EDIT, edit->text.len);
        m->job = j->id;
        m->kind = edit->kind;
        m->offset = edit->offset;
        m->len = edit->len;
        wire_put(m, &m->text, edit->text);
    }
}

static void send_go(struct job *j)
{
    struct wire_job_go *go = wire_add(j->peer->channel, WIRE_JOB_GO, 0);

    go->job = j->id;
}

/* --- content --- */

static void send_piece(struct job *j, uint64_t position, size_t len)
{
    struct wire_job_content *m = wire_add(j->peer->channel, WIRE_JOB_CONTENT, 0);

    m->job = j->id;
    m->offset = j->sent;
    m->position = position;
    m->len = (uint32_t)len;
    j->sent += len;
}

/* Puts content into the peer's ring as far as it asked. False: it cannot be read. Waits for the
 * disk, for room. */
static bool stream_content(struct job *j, struct err *err)
{
    char *piece = mem_new(CONTENT_PIECE);
    bool ok = true;

    while (ok && !j->over && j->sent < j->upto) {
        uint64_t left = j->upto - j->sent, position;
        size_t len = left < CONTENT_PIECE ? (size_t)left : CONTENT_PIECE;
        ok = spool_content(j->core->spool, j->message, j->sent, len, piece, err);
        while (ok && !j->over && !ring_put(j->peer->ring_out, str_make(piece, len), &position))
            ok = gate_wait(&j->peer->ring_room, NO_DEADLINE, err);
        if (ok && !j->over)
            send_piece(j, position, len);
    }
    free(piece);
    return ok;
}

/* The content is lost: the job is called back, and its recipients get a bounce that says so (R21,
 * D05). */
static void give_up_content(struct job *j, const struct err *why)
{
    struct core *c = j->core;
    struct wire_job_cancel *m = wire_add(j->peer->channel, WIRE_JOB_CANCEL, 0);
    struct reply damaged = { 554,
                             { 5, 3, 0 },
                             STR("the stored message was damaged on disk and cannot be sent") };

    m->job = j->id;
    j->over = true;
    idmap_take(&c->jobs, j->id);
    j->peer->jobs--;
    site_report(c->schedule, j->batch.site, core_now(c), SITE_NOTHING, STR(""));
    for (size_t i = 0; i < j->batch.count; i++) {
        j->outcomes[i].outcome.kind = why->kind == ERR_DAMAGED ? OUTCOME_BOUNCED : OUTCOME_DEFERRED;
        j->outcomes[i].outcome.scope = SCOPE_MESSAGE;
        j->outcomes[i].outcome.reply =
            why->kind == ERR_DAMAGED
                ? damaged
                : (struct reply){ 451, { 4, 3, 0 }, arena_str(&j->arena, str_of(why->text)) };
    }
    settle_outcomes(c, j->message, &j->envelope, j->batch.site, j->outcomes, j->batch.count);
}

static void content_story(void *arg)
{
    struct job *j = arg;
    struct core *c = j->core;
    struct err err = { 0 };

    bool ok = stream_content(j, &err);
    j->streaming = false;
    if (!ok && !j->over)
        give_up_content(j, &err);
    job_leave(j);
    core_pump_later(c);
    core_story_end(c);
}

static void start_streaming(struct job *j)
{
    j->streaming = true;
    j->stories++;
}

static void on_more(struct core *c, struct peer *from, const struct wire_job_more *m)
{
    struct job *j = idmap_find(&c->jobs, m->job);

    if (!j || j->peer != from)
        return; /* it has just been called back */
    uint64_t upto = m->upto < j->envelope.size_bytes ? m->upto : j->envelope.size_bytes;
    if (upto <= j->upto)
        return;
    j->upto = upto;
    if (!j->streaming) {
        start_streaming(j);
        core_story_begin(c);
        fiber_spawn("content", content_story, j);
    }
}

/* --- handing out --- */

static void prepare_outcomes(struct job *j)
{
    j->outcomes = ARENA_ARRAY(&j->arena, struct settled, j->batch.count);
    for (size_t i = 0; i < j->batch.count; i++) {
        const struct envelope_rcpt *r = &j->envelope.rcpts[j->batch.rcpts[i]];
        j->outcomes[i] = (struct settled){
            .rcpt = j->batch.rcpts[i],
            .address = r->address,
            .orcpt = r->orcpt,
            .notify = r->notify,
            .outcome = { .kind = OUTCOME_UNKNOWN, .scope = SCOPE_SESSION },
        };
    }
}

/* Nobody can take it now, or its envelope cannot be read now: back, as if not tried. */
static void put_back(struct core *c, const struct batch *b, int64_t wait_ms)
{
    for (size_t i = 0; i < b->count; i++) {
        uint32_t r = b->rcpts[i];
        bool warned =
            (spool_message_rcpt(entry_message(b->entry), r)->flags & RCPT_DELAY_WARNED) != 0;
        schedule_place(c->schedule, b->entry, r, b->site, core_now(c) + wait_ms,
                       (uint16_t)(schedule_tries(b->entry, r) - 1), warned);
    }
    site_report(c->schedule, b->site, core_now(c), SITE_NOTHING, STR(""));
}

/* Its envelope is damaged: the operator is told, and it is not tried again by itself. */
static void hold_back(struct core *c, const struct batch *b, const struct err *why)
{
    settle_log_unreadable(entry_message(b->entry), why);
    for (size_t i = 0; i < b->count; i++)
        schedule_hold(c->schedule, b->entry, b->rcpts[i], false);
    site_report(c->schedule, b->site, core_now(c), SITE_NOTHING, STR(""));
}

/* A recovered message's recipients are due, or the routes have changed: now their domains are
 * needed. */
static void place_due(struct core *c, const struct batch *b, const struct envelope *e)
{
    for (size_t i = 0; i < b->count; i++) {
        uint32_t r = b->rcpts[i];
        bool warned =
            (spool_message_rcpt(entry_message(b->entry), r)->flags & RCPT_DELAY_WARNED) != 0;
        place_rcpt(c, b->entry, r, e->rcpts[r].address, 0,
                   (uint16_t)(schedule_tries(b->entry, r) - 1), warned);
    }
    site_report(c->schedule, b->site, core_now(c), SITE_SERVED, STR(""));
}

static void start_job(struct job *j)
{
    struct core *c = j->core;

    prepare_outcomes(j);
    j->id = ++c->last_job;
    idmap_put(&c->jobs, j->id, j);
    send_head(j);
    send_rcpts_and_edits(j);
    signing_choose(j);
    send_go(j);
    j->upto =
        j->envelope.size_bytes < JOB_CONTENT_FIRST ? j->envelope.size_bytes : JOB_CONTENT_FIRST;
    start_streaming(j);
    content_story(j);
}

/* Recovered, or queued for a site that its domain's mail no longer goes to. */
static bool is_to_place(const struct job *j)
{
    if (!j->peer)
        return true;
    for (size_t i = 0; i < j->batch.count; i++)
        if (place_is_stale(j->core, j->batch.site, j->envelope.rcpts[j->batch.rcpts[i]].address))
            return true;
    return false;
}

static void handout_story(void *arg)
{
    struct job *j = arg;
    struct core *c = j->core;
    struct err err = { 0 };

    bool ok = spool_envelope(c->spool, j->message, &j->arena, &j->envelope, &err);
    bool to_place = ok && is_to_place(j);
    if (ok && !to_place && j->peer->channel) {
        start_job(j);
        return;
    }
    if (j->peer)
        j->peer->jobs--;
    if (to_place)
        place_due(c, &j->batch, &j->envelope);
    else if (err.kind == ERR_DAMAGED)
        hold_back(c, &j->batch, &err);
    else
        put_back(c, &j->batch, ok ? PEER_AWAY_WAIT_MS : UNREADABLE_WAIT_MS);
    job_free(j);
    core_pump_later(c);
    core_story_end(c);
}

static void hand_out(struct core *c, const struct batch *b, struct peer *peer)
{
    struct job *j = NEW(struct job);

    j->core = c;
    j->batch = *b;
    j->message = entry_message(b->entry);
    j->peer = peer;
    arena_init(&j->arena, 2048);
    spool_pin(j->message);
    if (peer)
        peer->jobs++;
    core_story_begin(c);
    fiber_spawn("handout", handout_story, j);
}

/* Who may be handed something now. What was recovered waits for vault's word whether mail may leave
 * at all, and mail for elsewhere until it is known by which keys it is signed (fault Y04). */
static unsigned takers_with_room(const struct core *c)
{
    unsigned takers = has_room(c, &c->report) ? 1u << TAKER_REPORT : 0;

    if (c->gate_known)
        takers |= 1u << TAKER_CORE;
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++)
        if (c->directory.known && has_room(c, &c->deliver[i]))
            takers |= 1u << TAKER_DELIVER;
    return takers;
}

/* Everything that may go now goes; while we end, nothing. */
void handout_pump(struct core *c)
{
    struct batch b;
    int64_t now = core_now(c);

    while (!c->draining && !settle_is_behind(c) &&
           schedule_next_for(c->schedule, takers_with_room(c), now, &b)) {
        if (b.kind != BATCH_ATTEMPT) {
            settle_without_attempt(c, &b);
        } else if (str_eq(site_name(b.site), SITE_RECOVERED)) {
            hand_out(c, &b, NULL);
        } else {
            struct peer *peer = peer_for(c, b.site);
            if (peer)
                hand_out(c, &b, peer);
            else
                put_back(c, &b, PEER_AWAY_WAIT_MS);
        }
    }
}

/* --- what comes back --- */

bool handout_on_frame(struct core *c, struct peer *from, const struct frame *f, struct err *err)
{
    switch (f->type) {
    case WIRE_JOB_MORE:
        on_more(c, from, (const void *)f);
        return true;
    case WIRE_SIGN_ASK:
        return signing_on_ask(c, from, (const void *)f, err);
    case WIRE_RESULT_RCPT:
        return result_on_rcpt(c, from, (const void *)f, err);
    case WIRE_RESULT:
        result_on_end(c, from, (const void *)f);
        return true;
    default: { /* WIRE_CREDIT */
        const struct wire_credit *m = (const void *)f;
        if (!from->ring_out || !ring_credit(from->ring_out, m->position, err))
            return false;
        gate_wake_all(&from->ring_room);
        return true;
    }
    }
}

void handout_done(struct core *c)
{
    idmap_done(&c->jobs);
}

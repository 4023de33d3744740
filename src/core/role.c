// SPDX-License-Identifier: Apache-2.0
/* core/role.c - the role's links, its turn, its start and its end. */
#include "core/role.h"

#include <stdlib.h>

#include "base/code.h"
#include "base/json.h"
#include "base/log.h"
#include "core/core.h"
#include "core/quota.h"
#include "io/clock.h"
#include "io/sandbox.h"

/* Before the channels' own turn ends: what the pump hands out leaves in the same turn. */
#define PUMP_ORDER 10
#define TEND_IDLE_MS 1000
#define TEND_BUSY_MS 20

int64_t core_now(const struct core *c)
{
    return c->wall_at_start + (loop_now_ms() - c->mono_at_start);
}

void core_pump_later(struct core *c)
{
    c->pump_due = true;
}

struct str core_postmaster(const struct core *c, struct arena *a)
{
    struct str given = c->config->postmaster;

    if (str_index(given, '@') < given.len)
        return arena_str(a, given);
    return arena_strf(a, "%.*s@%.*s", STR_FMT(given), STR_FMT(c->config->hostname));
}

void core_story_begin(struct core *c)
{
    c->stories++;
}

void core_story_end(struct core *c)
{
    c->stories--;
    gate_wake_all(&c->idle_gate);
}

bool core_may_start_story(void)
{
    return fiber_count() < fiber_count_max() / 2;
}

static void wake(void *arg)
{
    core_pump_later(arg);
}

static void set_wake(struct core *c)
{
    int64_t at = schedule_wake_ms(c->schedule);

    if (at == INT64_MAX)
        timer_clear(&c->wake);
    else
        timer_set(&c->wake, loop_now_ms() + (at > core_now(c) ? at - core_now(c) : 0) + 1);
}

static void at_turn_end(void *arg)
{
    struct core *c = arg;

    intake_send_credit(c);
    forwards_tell(c);
    if (!c->pump_due)
        return;
    c->pump_due = false;
    handout_pump(c);
    set_wake(c);
}

/* --- links --- */

static bool accept_frame(struct core *c, struct peer *p, const struct frame *f, struct err *err)
{
    if (f->type == WIRE_SESSION_CLOSE) {
        session_on_close(c, p, ((const struct wire_session_close *)(const void *)f)->session);
        return true;
    }
    return intake_on_frame(c, p, f, err);
}

static bool vault_frame(struct core *c, struct peer *p, const struct frame *f, struct err *err)
{
    (void)p;
    if (f->type == WIRE_SESSION_BIND)
        return session_on_bind(c, (const void *)f, err);
    if (f->type == WIRE_SIGNED) {
        signing_on_signed(c, (const void *)f);
        return true;
    }
    if (f->type != WIRE_GATE) {
        forwards_changed(c);
        if (f->type == WIRE_DIRECTORY_END)
            core_pump_later(c);
        return directory_on_frame(&c->directory, f, err);
    }
    c->gate_open = ((const struct wire_gate *)(const void *)f)->open != 0;
    c->gate_known = true;
    core_pump_later(c);
    return true;
}

static bool resolve_frame(struct core *c, struct peer *p, const struct frame *f, struct err *err)
{
    (void)p;
    return place_on_answer(c, (const void *)f, err);
}

static bool report_frame(struct core *c, struct peer *p, const struct frame *f, struct err *err)
{
    switch (f->type) {
    case WIRE_EVENTS_FROM:
        feed_on_from(c, ((const struct wire_events_from *)(const void *)f)->position);
        return true;
    case WIRE_EVENTS_ACK:
        feed_on_ack(c, ((const struct wire_events_ack *)(const void *)f)->position);
        return true;
    default:
        return handout_on_frame(c, p, f, err);
    }
}

static bool web_frame(struct core *c, struct peer *p, const struct frame *f, struct err *err)
{
    (void)err;
    queue_on_admin(c, p, (const void *)f);
    return true;
}

static bool on_frame(void *owner, struct channel *channel, const struct frame *f, struct err *err)
{
    struct peer *p = owner;
    (void)channel;

    if (!wire_check(f, p->kind, ROLE_CORE, err))
        return false;
    switch (p->kind) {
    case ROLE_ACCEPT:
        return accept_frame(p->core, p, f, err);
    case ROLE_VAULT:
        return vault_frame(p->core, p, f, err);
    case ROLE_RESOLVE:
        return resolve_frame(p->core, p, f, err);
    case ROLE_DELIVER:
        return handout_on_frame(p->core, p, f, err);
    case ROLE_REPORT:
        return report_frame(p->core, p, f, err);
    case ROLE_WEB:
        return web_frame(p->core, p, f, err);
    default:
        return err_set(err, ERR_SYNTAX, "core has no link with %s", role_name(p->kind));
    }
}

static void drop_what_was_theirs(struct core *c, struct peer *p)
{
    switch (p->kind) {
    case ROLE_ACCEPT:
        intake_drop_all(c, p);
        session_drop_all(c, p);
        break;
    case ROLE_DELIVER:
        handout_drop_all(c, p);
        break;
    case ROLE_REPORT:
        handout_drop_all(c, p);
        c->feed_ready = false;
        break;
    case ROLE_VAULT:
        signing_vault_gone(c);
        for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++) {
            idmap_done(&c->accept[i].closed_early);
            idmap_init(&c->accept[i].closed_early);
        }
        break;
    default:
        break;
    }
}

static void on_closed(void *owner, struct channel *channel, const struct err *why)
{
    struct peer *p = owner;
    struct core *c = p->core;

    if (!c->draining)
        log_text(LOG_WARN, "link-closed", "%s %u: %s", role_name(p->kind), p->instance, why->text);
    channel_free(channel);
    p->channel = NULL;
    p->ring_in = p->ring_out = NULL; /* owned by whoever made the link */
    p->generation++;
    drop_what_was_theirs(c, p);
    gate_wake_all(&p->ring_room);
}

static const struct channel_events link_events = { .frame = on_frame, .closed = on_closed };

static struct peer *peer_of(struct core *c, enum role_kind kind, unsigned instance)
{
    if (instance >= ROLE_INSTANCES_MAX)
        return NULL;
    switch (kind) {
    case ROLE_ACCEPT:
        return &c->accept[instance];
    case ROLE_DELIVER:
        return &c->deliver[instance];
    case ROLE_WEB:
        return &c->web[instance];
    case ROLE_VAULT:
        return &c->vault;
    case ROLE_RESOLVE:
        return &c->resolve;
    case ROLE_REPORT:
        return &c->report;
    default:
        return NULL;
    }
}

static void core_link(void *role, const struct role_link *l)
{
    struct core *c = role;
    struct peer *p = peer_of(c, l->peer, l->instance);

    if (!p)
        return;
    p->channel = l->channel;
    p->ring_in = l->ring_in;
    p->ring_out = l->ring_out;
    p->generation++;
    p->credit_sent = p->forwards_told = 0;
    forwards_changed(c);
    channel_set_owner(p->channel, &link_events, p);
    if (p->kind == ROLE_RESOLVE)
        place_ask_again(c);
    core_pump_later(c);
}

/* --- keeping house --- */

static void on_alarm(void *arg, const char *kind, uint64_t message, const char *text)
{
    struct log_line l;

    (void)arg;
    log_begin(&l, LOG_ALERT, kind);
    if (message != 0)
        log_id(&l, "id", message);
    log_cstr(&l, "text", text);
    log_end(&l);
}

/* Snapshots, compaction, parked messages: a little at a time, for ever. */
static void tend_story(void *arg)
{
    struct core *c = arg;
    struct err err = { 0 };
    bool did;

    for (;;) {
        did = false;
        if (!spool_tend(c->spool, &did, &err) && err.kind != ERR_CANCELLED)
            log_err(LOG_ALERT, "spool-tend", &err);
        if (!spool_refill(c->spool, place_recovered, c, &err) && err.kind != ERR_CANCELLED)
            log_err(LOG_ALERT, "spool-refill", &err);
        core_pump_later(c);
        if (!fiber_sleep(did ? TEND_BUSY_MS : TEND_IDLE_MS, &err))
            break;
    }
    c->tender = NULL;
    gate_wake_all(&c->idle_gate);
}

/* --- start and end --- */

static void log_recovery(const struct spool_recovery *r)
{
    struct log_line l;

    log_begin(&l, r->records_damaged || r->messages_damaged ? LOG_ALERT : LOG_INFO, "spool-opened");
    log_num(&l, "messages", (int64_t)r->messages);
    log_num(&l, "recipients", (int64_t)r->rcpts);
    log_num(&l, "parked", (int64_t)r->parked);
    log_num(&l, "segments", (int64_t)r->segments);
    log_num(&l, "torn_groups", (int64_t)r->groups_torn);
    log_num(&l, "refused_groups", (int64_t)r->groups_refused);
    log_num(&l, "damaged_records", (int64_t)r->records_damaged);
    log_num(&l, "damaged_messages", (int64_t)r->messages_damaged);
    log_num(&l, "quarantined", (int64_t)r->files_quarantined);
    log_num(&l, "took_ms", r->took_ms);
    log_end(&l);
}

static bool open_spool(struct core *c, struct err *err)
{
    const struct config_spool *s = &c->config->spool;
    struct spool_options o;
    struct spool_recovery found;
    struct buf folder;

    spool_options_default(&o);
    buf_init(&folder, 4096);
    buf_addf(&folder, "%.*s/spool", STR_FMT(c->config->state_folder));
    o.folder = buf_cstr(&folder);
    o.segment_bytes = (uint32_t)s->segment_bytes;
    o.disk_max_bytes = s->disk_max_bytes;
    o.reserve_bytes = s->reserve_bytes;
    o.events_disk_max_bytes = s->events_disk_max_bytes;
    o.content_memory_max_bytes = s->content_memory_bytes;
    o.index_rcpts_max = s->index_rcpts;
    quota_start(c, &o.tally);
    bool ok = spool_open(&o, &c->spool, &found, err);
    buf_done(&folder);
    if (ok) {
        log_recovery(&found);
        spool_on_alarm(c->spool, on_alarm, c);
    }
    return ok;
}

static void peers_init(struct core *c)
{
    for (unsigned kind = 0; kind < ROLE_KINDS; kind++)
        for (unsigned i = 0; i < ROLE_INSTANCES_MAX; i++) {
            struct peer *p = peer_of(c, kind, i);
            if (!p || p->core)
                continue;
            p->core = c;
            p->kind = kind;
            p->instance = i;
            gate_init(&p->ring_room);
            idmap_init(&p->sessions);
            idmap_init(&p->closed_early);
            idmap_init(&p->intakes);
        }
}

static void schedule_recovered(struct core *c)
{
    size_t at = 0;
    struct spool_message *m;

    while ((m = spool_each(c->spool, &at)) != NULL)
        place_recovered(c, m);
}

static bool core_start(const struct role_start *s, void **ret_role, struct err *err)
{
    struct core *c = NEW(struct core);

    c->config = s->config;
    c->gate_open = c->gate_known = s->config->gate == GATE_OPEN;
    c->wall_at_start = clock_wall_ms();
    c->mono_at_start =
        clock_mono_ms(); /* not the turn's time, which is behind while a role starts */
    peers_init(c);
    map_init(&c->clients);
    map_init_nocase(&c->domains);
    idmap_init(&c->accounts);
    idmap_init(&c->questions);
    idmap_init(&c->jobs);
    idmap_init(&c->observed);
    idmap_init(&c->signings);
    directory_init(&c->directory);
    buf_init(&c->header, HEADER_SECTION_MAX + EDITS_MAX * (EDIT_TEXT_MAX + ID_TEXT_LEN));
    list_init(&c->idle_intakes);
    list_init(&c->endings);
    gate_init(&c->idle_gate);
    if (!open_spool(c, err)) {
        quota_end(c);
        free(c);
        return false;
    }
    c->schedule = schedule_new(c->config, core_now(c));
    schedule_recovered(c);
    timer_init(&c->wake, wake, c);
    turn_end_add(&c->turn_end, PUMP_ORDER, at_turn_end, c);
    feed_start(c);
    c->tender = fiber_spawn("tend", tend_story, c);
    core_pump_later(c);
    *ret_role = c;
    return true;
}

static void core_reload(void *role, const struct config *config, const struct role_start *s)
{
    struct core *c = role;

    (void)s;
    c->config = config;
    schedule_reload(c->schedule, config);
    core_pump_later(c);
}

struct drain {
    struct core *core;
    void (*done)(void *arg);
    void *arg;
};

/* What is out comes back or is given up with its peer; then the spool is closed with a snapshot. */
static void drain_story(void *arg)
{
    struct drain *d = arg;
    struct core *c = d->core;
    struct err err;

    while (c->stories > 0 || c->jobs.count > 0)
        if (!gate_wait(&c->idle_gate, NO_DEADLINE, &err))
            break;
    d->done(d->arg);
    free(d);
}

static void core_drain(void *role, void (*done)(void *arg), void *arg)
{
    struct core *c = role;
    struct drain *d = NEW(struct drain);

    *d = (struct drain){ .core = c, .done = done, .arg = arg };
    c->draining = true;
    fiber_spawn("drain", drain_story, d);
}

static void core_status(void *role, struct buf *to)
{
    struct core *c = role;
    struct spool_figures f;
    struct schedule_figures s;
    struct json j;

    spool_figures(c->spool, &f);
    schedule_look(c->schedule, &s);
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = {
        { "messages", f.messages },
        { "recipients", f.rcpts },
        { "parked_messages", f.parked_messages },
        { "waiting", s.waiting },
        { "ready", s.ready },
        { "held", s.held },
        { "delivering", s.in_flight },
        { "sites", s.sites },
        { "wakeups", s.wakeups },
        { "accepted", c->accepted },
        { "refused", c->refused },
        { "delivered", c->delivered },
        { "deferred", c->deferred },
        { "bounced", c->bounced },
        { "segments_used", f.segments_used },
        { "segments_free", f.segments_free },
        { "disk_bytes", f.disk_bytes },
        { "syncs", f.syncs },
        { "content_memory_bytes", f.content_memory_bytes },
        { "index_memory_bytes", f.index_memory_bytes },
        { "events_behind_bytes", f.events_behind_bytes },
        { "events_dropped", f.events_dropped },
    };

    json_begin(&j, to);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_key(&j, rows[i].key);
        json_int(&j, (int64_t)rows[i].value);
    }
    json_key(&j, "read_only");
    json_bool(&j, f.read_only);
    json_key(&j, "gate_open");
    json_bool(&j, c->gate_open);
}

static void drop_links(struct core *c)
{
    for (unsigned kind = 0; kind < ROLE_KINDS; kind++)
        for (unsigned i = 0; i < ROLE_INSTANCES_MAX; i++) {
            struct peer *p = peer_of(c, kind, i);
            if (!p || !p->channel)
                continue;
            channel_free(p->channel);
            p->channel = NULL;
            p->generation++;
            drop_what_was_theirs(c, p);
        }
}

/* Every story looks at the core until its last line. */
static void stop_stories(struct core *c)
{
    struct err err;

    if (c->feeder)
        fiber_cancel(c->feeder);
    if (c->tender)
        fiber_cancel(c->tender);
    while (c->feeder || c->tender || c->stories > 0)
        if (!gate_wait(&c->idle_gate, NO_DEADLINE, &err))
            break;
}

static void core_free(void *role)
{
    struct core *c = role;

    c->draining = true;
    drop_links(c);
    stop_stories(c);
    turn_end_remove(&c->turn_end);
    timer_clear(&c->wake);
    sessions_done(c);
    intakes_done(c);
    place_done(c);
    handout_done(c);
    signing_done(c);
    observed_done(c);
    directory_done(&c->directory);
    buf_done(&c->header);
    spool_close(c->spool);
    quota_end(c);
    schedule_free(c->schedule);
    free(c);
}

const struct role_ops core_role = {
    .kind = ROLE_CORE,
    .name = "core",
    .sandbox_needs = SANDBOX_FILES,
    .start = core_start,
    .link = core_link,
    .reload = core_reload,
    .drain = core_drain,
    .status = core_status,
    .free = core_free,
};

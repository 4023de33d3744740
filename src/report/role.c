// SPDX-License-Identifier: Apache-2.0
/* report/role.c - the role report: its links, its start and its end. */
#include "report/role.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "io/disk.h"
#include "io/sandbox.h"
#include "report/report.h"

enum { WORK_MAX = 512 };

/* Work for the database ------------------------------------------------------------------------ */

bool report_work(struct report *r, void (*fn)(void *arg), void (*done)(void *arg), void *arg,
                 struct err *err)
{
    if (!worker_submit(r->worker, fn, done, arg, err))
        return false;
    r->work_pending++;
    return true;
}

static void drain_look(struct report *r)
{
    if (!r->drained || r->work_pending > 0)
        return;
    /* A database that cannot be written must not keep the role from ending: core still has what was
     * not acknowledged. */
    if (!events_are_safe(r) && !r->commit_failing)
        return;
    void (*done)(void *arg) = r->drained;
    r->drained = NULL;
    done(r->drained_arg);
}

void report_work_done(struct report *r)
{
    r->work_pending--;
    drain_look(r);
}

/* Answers to operators ------------------------------------------------------------------------- */

void report_row(struct report_peer *web, uint64_t request, struct str json)
{
    if (!web->channel)
        return;
    struct wire_admin_row *f = wire_add(web->channel, WIRE_ADMIN_ROW, json.len);
    f->request = request;
    wire_put(f, &f->json, json);
}

void report_end_admin(struct report_peer *web, uint64_t request, uint16_t status, struct str text,
                      uint64_t next)
{
    if (!web->channel)
        return;
    struct wire_admin_end *f = wire_add(web->channel, WIRE_ADMIN_END, text.len);
    f->request = request;
    f->status = status;
    f->next = next;
    wire_put(f, &f->text, text);
}

static void on_admin(struct report_peer *web, const struct wire_admin *m)
{
    switch (m->verb) {
    case ADMIN_TAIL:
        tail_on_admin(web, m);
        break;
    case ADMIN_SANDBOX_LIST:
    case ADMIN_SANDBOX_SHOW:
        inbox_on_admin(web, m);
        break;
    default:
        report_end_admin(web, m->request, 422, STR("report does not answer this"), 0);
    }
}

/* Links ---------------------------------------------------------------------------------------- */

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct report_peer *p = owner;

    (void)c;
    if (!wire_check(f, p->kind, ROLE_REPORT, err))
        return false;
    if (p->kind == ROLE_CORE)
        return f->type == WIRE_EVENT ? events_on_event(p->report, (const struct wire_event *)f, err)
                                     : sandbox_on_frame(p->report, f, err);
    if (f->type != WIRE_ADMIN)
        return err_set(err, ERR_SYNTAX, "web sent %s", wire_type_name(f->type));
    on_admin(p, (const struct wire_admin *)f);
    return true;
}

/* Drops what was tied to the link that is over. */
static void peer_drop(struct report_peer *p)
{
    if (p->kind == ROLE_CORE)
        sandbox_drop_all(p->report);
    else
        tail_drop_peer(p);
    p->ring_in = NULL; /* owned by whoever made the link */
    p->channel = NULL;
}

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct report_peer *p = owner;
    struct log_line l;

    log_begin(&l, LOG_WARN, "peer-gone");
    log_cstr(&l, "peer", role_name(p->kind));
    log_num(&l, "instance", p->instance);
    log_cstr(&l, "text", why ? why->text : "");
    log_end(&l);
    if (p->channel == c)
        peer_drop(p);
    channel_free(c);
}

static const struct channel_events events = { .frame = on_frame, .closed = on_closed };

static struct report_peer *peer_find(struct report *r, enum role_kind kind, unsigned instance)
{
    if (kind == ROLE_CORE)
        return &r->core;
    return kind == ROLE_WEB && instance < ROLE_INSTANCES_MAX ? &r->web[instance] : NULL;
}

static void report_link(void *role, const struct role_link *l)
{
    struct report_peer *p = peer_find(role, l->peer, l->instance);

    if (!p) {
        log_text(LOG_WARN, "link-unwanted", "from %s %u", role_name(l->peer), l->instance);
        channel_free(l->channel);
        return;
    }
    struct channel *old = p->channel;
    if (old)
        peer_drop(p);
    channel_free(old);
    p->generation = l->generation;
    p->channel = l->channel;
    p->ring_in = l->ring_in;
    p->credited = l->ring_in ? ring_taken(l->ring_in) : 0;
    channel_set_owner(l->channel, &events, p);
    if (p->kind == ROLE_CORE)
        events_on_core(p->report);
}

/* Start and end -------------------------------------------------------------------------------- */

static void peer_init(struct report *r, struct report_peer *p, enum role_kind kind, size_t instance)
{
    p->report = r;
    p->kind = kind;
    p->instance = (unsigned)instance;
}

static struct report *report_new(const struct config *config)
{
    struct report *r = NEW(struct report);

    r->config = config;
    lines_init(&r->lines, config);
    list_init(&r->tails);
    idmap_init(&r->sandbox_jobs);
    timer_init(&r->commit_timer, events_commit_is_due, r);
    timer_init(&r->tail_timer, tail_send_late, r);
    peer_init(r, &r->core, ROLE_CORE, 0);
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++)
        peer_init(r, &r->web[i], ROLE_WEB, i);
    return r;
}

/* The folder is made and held against a second report; without a state folder all is in memory. */
static bool open_folder(struct report *r, struct buf *path, struct err *err)
{
    struct str state = r->config->state_folder;

    if (state.len == 0)
        return true;
    buf_add(path, state);
    buf_add(path, STR("/report"));
    if (buf_ok(path) && !disk_open(buf_cstr(path), &r->folder, err))
        return false;
    buf_add(path, STR("/report.db"));
    return buf_ok(path) || err_set(err, ERR_LIMIT, "the path of the state folder is too long");
}

static bool fill(struct report *r, struct err *err)
{
    struct buf path;

    buf_init(&path, 4096);
    bool ok = open_folder(r, &path, err) &&
              history_open(buf_str(&path), &r->history, &r->safe, err) &&
              worker_pool_new("report-db", 1, WORK_MAX, &r->worker, err);
    buf_done(&path);
    r->seen = r->safe;
    return ok;
}

static void report_free(void *role)
{
    struct report *r = role;

    if (!r)
        return;
    sandbox_drop_all(r);
    events_commit(r);
    while (r->work_pending > 0)
        loop_turn(100);
    worker_pool_free(r->worker);
    timer_clear(&r->commit_timer);
    timer_clear(&r->tail_timer);
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++) {
        tail_drop_peer(&r->web[i]);
        channel_free(r->web[i].channel);
    }
    sandbox_drop_all(r);
    channel_free(r->core.channel);
    idmap_done(&r->sandbox_jobs);
    history_free(r->history);
    disk_free(r->folder);
    events_free(r);
    lines_done(&r->lines);
    free(r);
}

static bool report_start(const struct role_start *s, void **ret_role, struct err *err)
{
    struct report *r = report_new(s->config);

    if (!fill(r, err)) {
        report_free(r);
        return err_at(err, "report");
    }
    *ret_role = r;
    return true;
}

static void report_reload(void *role, const struct config *config, const struct role_start *s)
{
    struct report *r = role;

    (void)s;
    r->config = config;
    r->lines.config = config;
}

static void report_drain(void *role, void (*done)(void *arg), void *arg)
{
    struct report *r = role;

    r->draining = true;
    r->drained = done;
    r->drained_arg = arg;
    tail_end_all(r, STR("baton is ending"));
    events_commit(r);
    drain_look(r);
}

static void report_status(void *role, struct buf *to)
{
    struct report *r = role;
    const struct {
        const char *name;
        uint64_t value;
    } facts[] = {
        { "events_told", r->lines.written },
        { "events_waiting", r->batch.events + r->going.events },
        { "events_position", r->safe },
        { "commits_failed", r->commits_failed },
        { "sandbox_stored", r->sandbox_stored },
        { "sandbox_failed", r->sandbox_failed },
    };
    struct json j;

    json_begin(&j, to);
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        json_key(&j, facts[i].name);
        json_int(&j, (int64_t)facts[i].value);
    }
}

const struct role_ops report_role = {
    .kind = ROLE_REPORT,
    .name = "report",
    .sandbox_needs = SANDBOX_FILES,
    .start = report_start,
    .link = report_link,
    .reload = report_reload,
    .drain = report_drain,
    .status = report_status,
    .free = report_free,
};

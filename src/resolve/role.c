// SPDX-License-Identifier: Apache-2.0
/* resolve/role.c - questions in, answers out: SITE_ASK from core, HOSTS_ASK from deliver, `baton
 * live` from web. A question has a fiber, since it is a story of look-ups; equal ones meet in
 * lookup.c. */
#include "resolve/role.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/process.h"
#include "io/sandbox.h"
#include "resolve/hosts.h"
#include "resolve/live.h"
#include "wire/wire.h"

#define QUESTIONS_MAX 4000
#define FIBERS_SPARE 300
#define BUSY_TTL_S 5

struct resolve {
    const struct config *config;
    struct machine machine;
    struct lookups *lookups;
    struct list askers; /* with an open channel */
    struct list questions;
    size_t count;
    void (*drained)(void *arg);
    void *drained_arg;
    bool closing;
};

/* Someone who asks. Outlives its channel while its questions are under way. */
struct asker {
    struct list link;
    struct resolve *role;
    enum role_kind peer;
    struct channel *channel; /* NULL when closed */
    size_t questions;
};

struct question {
    struct list link;
    struct asker *asker;
    struct fiber *fiber;
    struct arena arena;
    bool (*ask)(struct question *q, const struct target_policy *policy, struct err *err);
    uint64_t id;
    struct str name;
};

/* Answers
 * --------------------------------------------------------------------------------------------------------
 */

/* The verdict's words, with what DNS said where it said something. */
static struct reply reply_of(enum verdict verdict, struct str why, struct arena *a)
{
    struct reply reply = verdict_reply(verdict);

    if (verdict == VERDICT_TEMP && why.len > 0)
        reply.text =
            arena_strf(a, "%.*s (%.*s)", STR_FMT(reply.text), STR_FMT(str_sub(why, 0, 400)));
    return reply;
}

static void answer_site(struct channel *c, uint64_t id, const struct site *site, struct arena *a)
{
    const struct reply reply = reply_of(site->verdict, site->why, a);
    const struct str name = site->verdict == VERDICT_OK ? site->name : STR_NONE;

    struct wire_site_answer *w = wire_add(c, WIRE_SITE_ANSWER, name.len + reply.text.len);
    w->question = id;
    w->ttl_s = site->ttl_s;
    w->code = reply.code;
    w->status_subject = reply.status.subject;
    w->status_detail = reply.status.detail;
    wire_put(w, &w->site, name);
    wire_put(w, &w->text, reply.text);
}

static void answer_host(struct channel *c, uint64_t id, const struct target *target)
{
    struct wire_host *w = wire_add(c, WIRE_HOST, target->name.len);

    w->question = id;
    w->ip = wire_ip_of(&target->ip, 0);
    w->preference = target->preference;
    wire_put(w, &w->name, target->name);
}

static void answer_hosts(struct channel *c, uint64_t id, const struct hosts *hosts, struct arena *a)
{
    const struct reply reply = reply_of(hosts->list.verdict, hosts->why, a);

    for (size_t i = 0; i < hosts->list.count; i++)
        answer_host(c, id, &hosts->list.targets[i]);
    struct wire_hosts_answer *w = wire_add(c, WIRE_HOSTS_ANSWER, reply.text.len);
    w->question = id;
    w->count = (uint32_t)hosts->list.count;
    w->ttl_s = hosts->list.ttl_s;
    w->code = reply.code;
    w->status_subject = reply.status.subject;
    w->status_detail = reply.status.detail;
    wire_put(w, &w->text, reply.text);
}

static void answer_end(struct channel *c, uint64_t request, uint16_t status, struct str text)
{
    struct wire_admin_end *w = wire_add(c, WIRE_ADMIN_END, text.len);

    w->request = request;
    w->status = status;
    wire_put(w, &w->text, text);
}

static void answer_check(struct channel *c, uint64_t request, const struct live_check *check)
{
    struct buf text;
    struct json j;

    buf_init(&text, FRAME_BYTES_MAX / 2);
    json_begin(&j, &text);
    json_object(&j);
    json_key(&j, "check");
    json_str(&j, str_of(check->name));
    json_key(&j, "ok");
    json_bool(&j, check->ok);
    json_key(&j, "text");
    json_str(&j, check->text);
    json_object_end(&j);
    struct wire_admin_row *w = wire_add(c, WIRE_ADMIN_ROW, text.len);
    w->request = request;
    wire_put(w, &w->json, buf_str(&text));
    buf_done(&text);
}

static void answer_busy(const struct asker *asker, uint64_t id)
{
    const struct site site = { .verdict = VERDICT_BUSY, .ttl_s = BUSY_TTL_S };
    const struct hosts hosts = { .list = { .verdict = VERDICT_BUSY, .ttl_s = BUSY_TTL_S } };

    if (asker->peer == ROLE_CORE)
        answer_site(asker->channel, id, &site, NULL);
    else if (asker->peer == ROLE_DELIVER)
        answer_hosts(asker->channel, id, &hosts, NULL);
    else
        answer_end(asker->channel, id, 503, verdict_reply(VERDICT_BUSY).text);
}

/* Questions
 * ------------------------------------------------------------------------------------------------------
 */

static void role_end(struct resolve *r)
{
    lookups_free(r->lookups);
    free(r);
}

static void asker_free_unused(struct asker *asker)
{
    if (!asker->channel && asker->questions == 0)
        free(asker);
}

static void question_end(struct question *q)
{
    struct asker *asker = q->asker;
    struct resolve *r = asker->role;

    list_remove(&q->link);
    arena_done(&q->arena);
    free(q);
    r->count--;
    asker->questions--;
    asker_free_unused(asker);
    if (r->count > 0)
        return;
    if (r->closing)
        role_end(r);
    else if (r->drained)
        r->drained(r->drained_arg); /* may free the role */
}

/* Waits. */
static bool question_ask_site(struct question *q, const struct target_policy *policy,
                              struct err *err)
{
    struct site site;

    if (!site_find(q->asker->role->lookups, policy, q->name, random_u64(), &q->arena, &site, err))
        return false;
    if (q->asker->channel)
        answer_site(q->asker->channel, q->id, &site, &q->arena);
    return true;
}

static bool answer_found(struct question *q, const struct hosts *hosts)
{
    if (q->asker->channel)
        answer_hosts(q->asker->channel, q->id, hosts, &q->arena);
    return true;
}

/* Waits. */
static bool question_ask_hosts(struct question *q, const struct target_policy *policy,
                               struct err *err)
{
    struct hosts hosts;

    return hosts_resolve(q->asker->role->lookups, policy, q->name, random_u64(), &q->arena, &hosts,
                         err) &&
           answer_found(q, &hosts);
}

/* Waits. */
static bool question_ask_plain(struct question *q, const struct target_policy *policy,
                               struct err *err)
{
    struct hosts hosts;

    return hosts_resolve_plain(q->asker->role->lookups, policy, q->name, random_u64(), &q->arena,
                               &hosts, err) &&
           answer_found(q, &hosts);
}

/* Waits. */
static bool question_ask_live(struct question *q, const struct target_policy *policy,
                              struct err *err)
{
    struct live_report report;

    (void)policy;
    if (!live_find(q->asker->role->lookups, q->name, &q->arena, &report, err))
        return false;
    for (size_t i = 0; i < report.count && q->asker->channel; i++)
        answer_check(q->asker->channel, q->id, &report.checks[i]);
    if (q->asker->channel)
        answer_end(q->asker->channel, q->id, 200, STR_NONE);
    return true;
}

static void question_run(void *arg)
{
    struct question *q = arg;
    const struct resolve *r = q->asker->role;
    struct err err = { 0 };

    /* Cancelled: the role is going, and the asker will hear of that. */
    (void)q->ask(q, policy_copy(r->config, &r->machine, &q->arena), &err);
    question_end(q);
}

static void question_new(struct asker *asker, uint64_t id, struct str name,
                         bool (*ask)(struct question *q, const struct target_policy *policy,
                                     struct err *err))
{
    struct resolve *r = asker->role;

    if (r->count >= QUESTIONS_MAX || fiber_count() + FIBERS_SPARE >= fiber_count_max()) {
        answer_busy(asker, id);
        return;
    }
    struct question *q = NEW(struct question);
    q->asker = asker;
    q->id = id;
    q->ask = ask;
    arena_init(&q->arena, 2048);
    q->name = arena_str(&q->arena, name);
    list_append(&r->questions, &q->link);
    r->count++;
    asker->questions++;
    q->fiber = fiber_spawn("question", question_run, q);
}

static bool asker_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct asker *asker = owner;

    if (!wire_check(f, asker->peer, ROLE_RESOLVE, err))
        return false;
    if (f->type == WIRE_SITE_ASK) {
        const struct wire_site_ask *ask = (const struct wire_site_ask *)f;
        question_new(asker, ask->question, wire_get(f, ask->domain), question_ask_site);
    } else if (f->type == WIRE_HOSTS_ASK) {
        const struct wire_hosts_ask *ask = (const struct wire_hosts_ask *)f;
        question_new(asker, ask->question, wire_get(f, ask->name),
                     ask->plain ? question_ask_plain : question_ask_hosts);
    } else if (f->type == WIRE_ADMIN) {
        const struct wire_admin *ask = (const struct wire_admin *)f;
        if (ask->verb == ADMIN_LIVE_DNS)
            question_new(asker, ask->request, asker->role->config->hostname, question_ask_live);
        else
            answer_end(c, ask->request, 404, STR("resolve has nothing of that kind"));
    } else {
        return err_set(err, ERR_SYNTAX, "%s is nothing to resolve",
                       wire_type_name((enum wire_type)f->type));
    }
    return true;
}

/* Its questions go on: what they learn is cached. */
static void asker_close(struct asker *asker)
{
    channel_free(asker->channel);
    asker->channel = NULL;
    list_remove(&asker->link);
    asker_free_unused(asker);
}

static void asker_closed(void *owner, struct channel *c, const struct err *why)
{
    (void)c;
    log_err(LOG_DEBUG, "link-closed", why);
    asker_close(owner);
}

/* The role
 * -------------------------------------------------------------------------------------------------------
 */

static bool resolve_start(const struct role_start *s, void **ret_role, struct err *err)
{
    const struct config *c = s->config;
    struct dns_options options = { .servers = c->dns_servers,
                                   .server_count = c->dns_server_count,
                                   .recursive = c->dns_recursive };
    struct dns *dns;
    struct buf anchor;

    buf_init(&anchor, 4096);
    if (c->dns_trust_anchor_file.len > 0 && buf_add(&anchor, c->dns_trust_anchor_file))
        options.trust_anchor_file = buf_cstr(&anchor);
    bool ok = dns_new(&options, &dns, err);
    buf_done(&anchor);
    if (!ok)
        return err_at(err, "resolve");

    struct resolve *r = NEW(struct resolve);
    r->config = c;
    r->machine.count = process_addresses(r->machine.ips, MACHINE_IPS_MAX);
    r->lookups = lookups_new(dns);
    list_init(&r->askers);
    list_init(&r->questions);
    *ret_role = r;
    return true;
}

static void resolve_link(void *role, const struct role_link *l)
{
    static const struct channel_events events = { .frame = asker_frame, .closed = asker_closed };
    struct asker *asker = NEW(struct asker);

    asker->role = role;
    asker->peer = l->peer;
    asker->channel = l->channel;
    list_append(&asker->role->askers, &asker->link);
    channel_set_owner(l->channel, &events, asker);
}

/* Other name servers take effect with the next start: the library's context cannot be changed under
 * way. */
static void resolve_reload(void *role, const struct config *config, const struct role_start *s)
{
    struct resolve *r = role;

    (void)s;
    r->config = config;
}

static void resolve_drain(void *role, void (*done)(void *arg), void *arg)
{
    struct resolve *r = role;

    if (r->count == 0) {
        done(arg);
        return;
    }
    r->drained = done;
    r->drained_arg = arg;
}

static void resolve_status(void *role, struct buf *to)
{
    const struct resolve *r = role;

    buf_addf(to, "\"questions\":%zu,\"lookups\":%zu,\"answers_cached\":%zu", r->count,
             lookups_flying(r->lookups), lookups_cached(r->lookups));
}

static void resolve_free(void *role)
{
    struct resolve *r = role;

    r->closing = true;
    LIST_EACH (&r->askers, struct asker, asker, link)
        asker_close(asker);
    LIST_EACH (&r->questions, struct question, q, link)
        fiber_cancel(q->fiber);
    if (r->count == 0)
        role_end(r);
}

const struct role_ops resolve_role = {
    .kind = ROLE_RESOLVE,
    .name = "resolve",
    .sandbox_needs = SANDBOX_CONNECT,
    .start = resolve_start,
    .link = resolve_link,
    .reload = resolve_reload,
    .drain = resolve_drain,
    .status = resolve_status,
    .free = resolve_free,
};

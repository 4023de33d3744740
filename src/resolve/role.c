// SPDX-License-Identifier: Apache-2.0
/* resolve/role.c - questions in, answers out: SITE_ASK from core, HOSTS_ASK from deliver, DNS_ASK
 * and SPF_ASK from vault, `baton live` from web. A question has a fiber, since it is a story of
 * look-ups (question.c); equal look-ups meet in lookup.c. */
#include "resolve/role.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/process.h"
#include "io/sandbox.h"
#include "resolve/answer.h"
#include "resolve/question.h"

#define QUESTIONS_MAX 4000
#define FIBERS_SPARE 300
/* vault may ask about all its domains at once: so many of its questions run, the others wait. */
#define MANY_AT_ONCE 64
#define MANY_WAITING_MAX 65536

struct resolve {
    const struct config *config;
    struct machine machine;
    struct lookups *lookups;
    struct silence silence;
    struct list askers; /* with an open channel */
    struct list questions, waiting;
    size_t count, waiting_count; /* of either */
    size_t many;                 /* of those that run */
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

struct channel *question_channel(const struct question *q)
{
    return q->asker->channel;
}

static struct question *question_new(struct asker *asker, const struct question_kind *kind,
                                     const struct asked *asked)
{
    struct question *q = mem_new(sizeof *q + asked->name.len);

    q->asker = asker;
    q->kind = kind;
    q->asked = *asked;
    if (asked->name.len > 0)
        memcpy(q->name, asked->name.ptr, asked->name.len);
    q->asked.name = str_make(q->name, asked->name.len);
    arena_init(&q->arena, 2048);
    asker->questions++;
    return q;
}

static void question_free(struct question *q)
{
    struct asker *asker = q->asker;

    list_remove(&q->link);
    arena_done(&q->arena);
    free(q);
    asker->questions--;
    asker_free_unused(asker);
}

static void question_run(void *arg);

static bool is_full(const struct resolve *r)
{
    return r->count >= QUESTIONS_MAX || fiber_count() + FIBERS_SPARE >= fiber_count_max();
}

static void question_start(struct resolve *r, struct question *q)
{
    list_append(&r->questions, &q->link);
    r->count++;
    r->many += q->kind->many;
    q->fiber = fiber_spawn("question", question_run, q);
}

/* Those whose turn has come. */
static void waiting_start(struct resolve *r)
{
    struct question *q;

    while (r->many < MANY_AT_ONCE && (r->many == 0 || !is_full(r)) &&
           (q = LIST_FIRST(&r->waiting, struct question, link)) != NULL) {
        list_remove(&q->link);
        r->waiting_count--;
        question_start(r, q);
    }
}

/* Those of one asker, or of all (NULL). */
static void waiting_drop(struct resolve *r, const struct asker *asker)
{
    LIST_EACH (&r->waiting, struct question, q, link)
        if (!asker || q->asker == asker) {
            r->waiting_count--;
            question_free(q);
        }
}

static void question_end(struct resolve *r, struct question *q)
{
    r->many -= q->kind->many;
    question_free(q);
    r->count--;
    if (!r->closing)
        waiting_start(r);
    if (r->count > 0)
        return;
    if (r->closing)
        role_end(r);
    else if (r->drained)
        r->drained(r->drained_arg); /* may free the role */
}

static void question_run(void *arg)
{
    struct question *q = arg;
    struct resolve *r = q->asker->role;
    const struct config *c = r->config;
    const struct setting s = { .lookups = r->lookups,
                               .policy = policy_copy(c, &r->machine, &q->arena),
                               .hostname = arena_str(&q->arena, c->hostname),
                               .sources = { c->delivery.source4, c->delivery.source6 },
                               .authority_port = c->dns_authority_port,
                               .silence = &r->silence };
    struct err err = { 0 };

    /* Cancelled: the role is going, and the asker will hear of that. */
    (void)q->kind->ask(q, &s, &err);
    question_end(r, q);
}

static void asker_ask(struct asker *asker, const struct question_kind *kind,
                      const struct asked *asked)
{
    struct resolve *r = asker->role;

    if (kind->many && r->waiting_count < MANY_WAITING_MAX && !r->drained) {
        list_append(&r->waiting, &question_new(asker, kind, asked)->link);
        r->waiting_count++;
        waiting_start(r);
    } else if (kind->many || is_full(r)) {
        kind->busy(asker->channel, asked->id);
    } else {
        question_start(r, question_new(asker, kind, asked));
    }
}

/* Types that are never asked for are not answered either: the peer is broken. */
static bool dns_ask_ok(const struct wire_dns_ask *ask)
{
    static const enum dns_type types[] = { DNS_A,  DNS_NS,  DNS_CNAME, DNS_PTR,
                                           DNS_MX, DNS_TXT, DNS_AAAA };

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (ask->rrtype == types[i])
            return ask->how == DNS_HOW_RECURSIVE || ask->how == DNS_HOW_EACH_AUTHORITY;
    return false;
}

static bool vault_frame(struct asker *asker, const struct frame *f, struct err *err)
{
    if (f->type == WIRE_SPF_ASK) {
        const struct wire_spf_ask *ask = (const struct wire_spf_ask *)f;
        asker_ask(asker, &question_spf,
                  &(struct asked){ .id = ask->question,
                                   .name = wire_get(f, ask->domain),
                                   .ip = wire_ip_get(&ask->ip) });
        return true;
    }
    const struct wire_dns_ask *ask = (const struct wire_dns_ask *)f;
    if (!dns_ask_ok(ask))
        return err_set(err, ERR_SYNTAX, "DNS_ASK of type %u, how %u", ask->rrtype, ask->how);
    asker_ask(asker, &question_dns,
              &(struct asked){ .id = ask->question,
                               .name = wire_get(f, ask->name),
                               .type = (enum dns_type)ask->rrtype,
                               .how = (enum dns_how)ask->how });
    return true;
}

static void admin_frame(struct asker *asker, const struct wire_admin *ask)
{
    const struct asked asked = { .id = ask->request };

    if (ask->verb == ADMIN_LIVE_DNS)
        asker_ask(asker, &question_live, &asked);
    else
        answer_end(asker->channel, ask->request, 404, STR("resolve has nothing of that kind"));
}

static bool asker_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct asker *asker = owner;

    (void)c;
    if (!wire_check(f, asker->peer, ROLE_RESOLVE, err))
        return false;
    if (f->type == WIRE_SITE_ASK) {
        const struct wire_site_ask *ask = (const struct wire_site_ask *)f;
        asker_ask(asker, &question_site,
                  &(struct asked){ .id = ask->question, .name = wire_get(f, ask->domain) });
    } else if (f->type == WIRE_HOSTS_ASK) {
        const struct wire_hosts_ask *ask = (const struct wire_hosts_ask *)f;
        asker_ask(asker, ask->plain ? &question_plain : &question_hosts,
                  &(struct asked){ .id = ask->question, .name = wire_get(f, ask->name) });
    } else if (f->type == WIRE_ADMIN) {
        admin_frame(asker, (const struct wire_admin *)f);
    } else if (f->type == WIRE_DNS_ASK || f->type == WIRE_SPF_ASK) {
        return vault_frame(asker, f, err);
    } else {
        return err_set(err, ERR_SYNTAX, "%s is nothing to resolve",
                       wire_type_name((enum wire_type)f->type));
    }
    return true;
}

/* Its questions that run go on: what they learn is cached. */
static void asker_close(struct asker *asker)
{
    channel_free(asker->channel);
    asker->channel = NULL;
    list_remove(&asker->link);
    asker->questions++; /* it stays until we are through with it */
    waiting_drop(asker->role, asker);
    asker->questions--;
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
    list_init(&r->waiting);
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

    waiting_drop(r, NULL);
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

    buf_addf(to, "\"questions\":%zu,\"waiting\":%zu,\"lookups\":%zu,\"answers_cached\":%zu",
             r->count, r->waiting_count, lookups_flying(r->lookups), lookups_cached(r->lookups));
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

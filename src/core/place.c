// SPDX-License-Identifier: Apache-2.0
/* core/place.c - each recipient's site: a fixed route, or what resolve says of its domain.
 *
 * What resolve said is remembered for its time to live. While a domain is being asked about, its recipients wait in the
 * domain's list; each such wait names the message by id, since the message may end meanwhile. */
#include <stdio.h>
#include <stdlib.h>

#include "core/core.h"
#include "io/clock.h"

#define DOMAINS_MAX 100000

/* A recipient that waits for its domain's site. */
struct asker {
    struct list link;
    uint64_t message;
    uint32_t rcpt;
    uint16_t tries;
    bool warned;
    int64_t due_ms;
};

struct domain {
    struct str site;       /* its name, on the heap; ptr NULL: not known */
    struct reply refusal;  /* code 0: none; 5yz: mail for it cannot be delivered */
    int64_t good_until_ms;
    uint64_t question;     /* 0: nobody asked */
    struct list askers;
    char refusal_text[200];
    struct str name;
    char name_text[];
};

static struct domain *domain_get(struct core *c, struct str name)
{
    struct domain *d = map_find(&c->domains, name);

    if (d)
        return d;
    d = mem_new(sizeof *d + name.len + 1);
    memcpy(d->name_text, name.ptr, name.len);
    d->name = str_make(d->name_text, name.len);
    list_init(&d->askers);
    map_put(&c->domains, d->name, d);
    return d;
}

static void domain_free(struct domain *d)
{
    free((char *)d->site.ptr);
    free(d);
}

static void domain_forget(struct core *c, struct domain *d)
{
    map_take(&c->domains, d->name);
    domain_free(d);
}

/* When many have been seen, those whose answer is stale and for which nobody waits make room. */
static void domains_trim(struct core *c)
{
    size_t at = 0;
    struct str name;
    void *value;
    int64_t now = core_now(c);

    if (c->domains.count < DOMAINS_MAX)
        return;
    while (map_each(&c->domains, &at, &name, &value)) {
        struct domain *d = value;
        if (d->question == 0 && d->good_until_ms < now)
            domain_forget(c, d);
    }
}

/* --- fixed routes ---------------------------------------------------------------------------------------------- */

/* The site of a fixed route, or NULL for MX. */
static struct site *site_of_route(struct core *c, struct str domain)
{
    const struct config_route *route = config_route_find(c->config, domain);
    char name[300];
    int len;

    if (domain_eq(domain, c->config->sandbox_domain) || route->kind == ROUTE_SANDBOX)
        return site_get(c->schedule, SITE_SANDBOX);
    if (route->kind != ROUTE_SMARTHOST && route->kind != ROUTE_LMTP)
        return NULL;
    len = snprintf(name, sizeof name, "%s:%.*s:%u", route->kind == ROUTE_LMTP ? "lmtp" : "smtp",
                   STR_FMT(route->host), route->port);
    return site_get(c->schedule, str_make(name, (size_t)len < sizeof name ? (size_t)len : sizeof name - 1));
}

/* A domain that must not be sent to now: refused by a route, or the gate is closed. */
static bool is_refused(struct core *c, struct str domain, struct reply *ret)
{
    const struct config_route *route = config_route_find(c->config, domain);

    if (route->kind == ROUTE_REFUSE) {
        *ret = (struct reply){ 550, { 5, 7, 1 }, STR("[ROUTE] mail to this domain is refused by configuration") };
        return true;
    }
    if (route->kind == ROUTE_MX && !c->gate_open && !domain_eq(domain, c->config->sandbox_domain)) {
        *ret = (struct reply){ 550, { 5, 7, 1 },
                               STR("[SANDBOX] nothing leaves this relay until `baton live` has opened it") };
        return true;
    }
    return false;
}

/* --- domains by resolve ---------------------------------------------------------------------------------------- */

static void ask(struct core *c, struct domain *d)
{
    if (d->question == 0) {
        d->question = ++c->last_question;
        idmap_put(&c->questions, d->question, d);
    }
    if (!c->resolve.channel)
        return; /* asked when it is back: place_ask_again() */
    struct wire_site_ask *m = wire_add(c->resolve.channel, WIRE_SITE_ASK, d->name.len);
    m->question = d->question;
    wire_put(m, &m->domain, d->name);
}

void place_ask_again(struct core *c)
{
    size_t at = 0;
    uint64_t question;
    void *d;

    while (idmap_each(&c->questions, &at, &question, &d))
        ask(c, d);
}

static void wait_for_answer(struct core *c, struct domain *d, struct entry *e, uint32_t rcpt, int64_t due_ms,
                            uint16_t tries, bool warned)
{
    struct asker *a = NEW(struct asker);

    a->message = spool_message_id(entry_message(e));
    a->rcpt = rcpt;
    a->due_ms = due_ms;
    a->tries = tries;
    a->warned = warned;
    list_append(&d->askers, &a->link);
    if (d->question == 0)
        ask(c, d);
}

void place_rcpt(struct core *c, struct entry *e, uint32_t rcpt, struct str address, int64_t due_ms, uint16_t tries,
                bool warned)
{
    struct str local, domain_text;
    struct buf domain;
    struct reply refusal;
    struct err err;
    struct site *site;

    schedule_unplace(c->schedule, e, rcpt);
    buf_init(&domain, ADDRESS_DOMAIN_MAX);
    if (!str_cut_last(address, '@', &local, &domain_text) || !domain_ascii(&domain, domain_text, &err)) {
        refusal = (struct reply){ 550, { 5, 1, 2 }, STR("the recipient's domain cannot be used") };
        settle_unplaced(c, e, rcpt, OUTCOME_BOUNCED, &refusal);
    } else if (is_refused(c, buf_str(&domain), &refusal)) {
        settle_unplaced(c, e, rcpt, OUTCOME_BOUNCED, &refusal);
    } else if ((site = site_of_route(c, buf_str(&domain))) != NULL) {
        schedule_place(c->schedule, e, rcpt, site, due_ms, tries, warned);
    } else {
        struct domain *d = domain_get(c, buf_str(&domain));
        if (d->question == 0 && d->good_until_ms > core_now(c) && d->site.ptr)
            schedule_place(c->schedule, e, rcpt, site_get(c->schedule, d->site), due_ms, tries, warned);
        else if (d->question == 0 && d->good_until_ms > core_now(c) && d->refusal.code != 0)
            settle_unplaced(c, e, rcpt, outcome_of_reply(&d->refusal), &d->refusal);
        else
            wait_for_answer(c, d, e, rcpt, due_ms, tries, warned);
    }
    buf_done(&domain);
    core_pump_later(c);
}

static struct str text_keep(struct str text)
{
    char *copy = mem_new(text.len + 1);

    memcpy(copy, text.ptr, text.len);
    return str_make(copy, text.len);
}

static void take_answer(struct core *c, struct domain *d, const struct wire_site_answer *m)
{
    struct str text = wire_get(m, m->text);

    d->question = 0;
    d->good_until_ms = core_now(c) + (int64_t)m->ttl_s * 1000;
    free((char *)d->site.ptr);
    d->site = m->code == 0 ? text_keep(wire_get(m, m->site)) : STR_NONE;
    if (text.len > sizeof d->refusal_text)
        text.len = sizeof d->refusal_text;
    memcpy(d->refusal_text, text.ptr, text.len);
    d->refusal = (struct reply){
        .code = m->code,
        .status = { (uint8_t)(m->code / 100), m->status_subject, m->status_detail },
        .text = str_make(d->refusal_text, text.len),
    };
}

/* The message may have ended, or the recipient been held, while the question was out. */
static struct entry *entry_of(struct core *c, const struct asker *a)
{
    struct spool_message *m = spool_find(c->spool, a->message);
    struct entry *e = m ? *spool_message_slot(m) : NULL;

    return e && schedule_state(e, a->rcpt) == ITEM_UNPLACED ? e : NULL;
}

void place_on_answer(struct core *c, const struct wire_site_answer *m)
{
    struct domain *d = idmap_take(&c->questions, m->question);

    if (!d)
        return; /* an answer to a question of before resolve was restarted, given twice */
    take_answer(c, d, m);
    LIST_EACH(&d->askers, struct asker, a, link) {
        struct entry *e = entry_of(c, a);
        if (e && d->site.ptr)
            schedule_place(c->schedule, e, a->rcpt, site_get(c->schedule, d->site), a->due_ms, a->tries, a->warned);
        else if (e)
            settle_unplaced(c, e, a->rcpt, outcome_of_reply(&d->refusal), &d->refusal);
        list_remove(&a->link);
        free(a);
    }
    domains_trim(c);
    core_pump_later(c);
}

/* --- messages -------------------------------------------------------------------------------------------------- */

void place_message(struct core *c, struct spool_message *m, const struct envelope *e)
{
    struct entry *entry = schedule_enter(c->schedule, m, spool_message_account(m), spool_message_accepted(m),
                                         spool_message_rcpts(m));

    *spool_message_slot(m) = entry;
    for (uint32_t r = 0; r < e->rcpt_count; r++)
        place_rcpt(c, entry, r, e->rcpts[r].address, 0, 0, false);
}

/* Its recipients stand at a site of their own until they are due; then handout reads the envelope and places them. So
 * starting with a long queue reads no envelope before it is needed. */
void place_recovered(void *core, struct spool_message *m)
{
    struct core *c = core;
    uint32_t count = spool_message_rcpts(m);
    struct entry *e = schedule_enter(c->schedule, m, spool_message_account(m), spool_message_accepted(m), count);
    struct site *site = site_get(c->schedule, SITE_RECOVERED);

    *spool_message_slot(m) = e;
    for (uint32_t r = 0; r < count; r++) {
        const struct spool_rcpt *now = spool_message_rcpt(m, r);
        bool warned = (now->flags & RCPT_DELAY_WARNED) != 0;
        if (now->state == RCPT_DONE) {
            schedule_done(c->schedule, e, r);
            continue;
        }
        schedule_place(c->schedule, e, r, site, now->due_wall_ms, now->tries, warned);
        if (now->state == RCPT_HELD)
            schedule_hold(c->schedule, e, r);
    }
}

void place_done(struct core *c)
{
    size_t at = 0;
    struct str name;
    void *value;

    while (map_each(&c->domains, &at, &name, &value)) {
        struct domain *d = value;
        LIST_EACH(&d->askers, struct asker, a, link)
            free(a);
        domain_free(d);
    }
    map_done(&c->domains);
    idmap_done(&c->questions);
}

// SPDX-License-Identifier: Apache-2.0
/* core/place.c - each recipient's site: a fixed route, or what resolve says of its domain.
 *
 * What resolve said is remembered for its time to live. While a domain is being asked about, its
 * recipients wait in the domain's list; each such wait names the message by id, since the message
 * may end meanwhile. */
#include <stdio.h>
#include <stdlib.h>

#include "core/core.h"
#include "io/clock.h"

#define DOMAINS_MAX 100000
#define SITE_NAME_MAX 255
#define TTL_S_MAX (24 * 3600)

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
    struct str site;      /* its name, on the heap; ptr NULL: not known */
    struct reply refusal; /* code 0: none; 5yz: mail for it cannot be delivered */
    int64_t good_until_ms;
    uint64_t question; /* 0: nobody asked */
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

/* When many have been seen, all for which nobody waits make room: resolve has a cache of its own,
 * and a look at each of them is paid for by as many that came since. */
static void domains_trim(struct core *c)
{
    size_t at = 0;
    struct str name;
    void *value;

    if (c->domains.count < DOMAINS_MAX || c->domains.count < c->domains_trim_at)
        return;
    while (map_each(&c->domains, &at, &name, &value)) {
        struct domain *d = value;
        if (d->question == 0)
            domain_forget(c, d);
    }
    c->domains_trim_at = 2 * c->domains.count;
}

/* --- fixed routes --- */

/* The site of a fixed route, or NULL for MX. */
static struct site *site_of_route(struct core *c, struct str domain)
{
    const struct config_route *route = config_route_find(c->config, domain);
    char name[300];
    int len;

    if (domain_eq(domain, c->config->sandbox_domain) || route->kind == ROUTE_SANDBOX) {
        struct site *sandbox = site_get(c->schedule, SITE_SANDBOX);
        site_set_taker(sandbox, TAKER_REPORT);
        return sandbox;
    }
    if (route->kind != ROUTE_SMARTHOST && route->kind != ROUTE_LMTP)
        return NULL;
    len = snprintf(name, sizeof name, "%s:%.*s:%u", route->kind == ROUTE_LMTP ? "lmtp" : "smtp",
                   STR_FMT(route->host), route->port);
    return site_get(c->schedule,
                    str_make(name, (size_t)len < sizeof name ? (size_t)len : sizeof name - 1));
}

static bool needs_gate(const struct core *c, struct str domain)
{
    return config_route_find(c->config, domain)->kind == ROUTE_MX &&
           !domain_eq(domain, c->config->sandbox_domain);
}

/* A domain that must not be sent to now: refused by a route, or the gate is closed. */
static bool is_refused(struct core *c, struct str domain, struct reply *ret)
{
    const struct config_route *route = config_route_find(c->config, domain);

    if (route->kind == ROUTE_REFUSE) {
        *ret = (struct reply){ 550,
                               { 5, 7, 1 },
                               STR("[ROUTE] mail to this domain is refused by configuration") };
        return true;
    }
    if (needs_gate(c, domain) && c->gate_known && !c->gate_open) {
        *ret = (struct reply){
            550,
            { 5, 7, 1 },
            STR("[SANDBOX] nothing leaves this relay until `baton live` has opened it")
        };
        return true;
    }
    return false;
}

bool place_domain(struct str address, struct buf *to, struct err *err)
{
    struct str local, domain;

    if (!str_cut_last(address, '@', &local, &domain))
        return err_set(err, ERR_SYNTAX, "address has no domain");
    if (!str_starts(domain, STR("[")))
        return domain_ascii(to, domain, err);
    for (size_t i = 0; i < domain.len; i++)
        buf_add_char(to, ascii_lower(domain.ptr[i]));
    return buf_ok(to) || err_set(err, ERR_LIMIT, "address literal is too long");
}

static bool is_fixed(struct str site)
{
    return str_starts(site, STR("smtp:")) || str_starts(site, STR("lmtp:")) ||
           str_starts(site, STR("("));
}

bool place_is_stale(struct core *c, const struct site *site, struct str address)
{
    struct site *fixed = NULL;
    struct buf domain;
    bool refused = false;

    buf_init(&domain, ADDRESS_DOMAIN_MAX);
    if (place_domain(address, &domain, NULL)) {
        refused = config_route_find(c->config, buf_str(&domain))->kind == ROUTE_REFUSE;
        fixed = site_of_route(c, buf_str(&domain));
    }
    buf_done(&domain);
    return refused || (fixed ? fixed != site : is_fixed(site_name(site)));
}

struct site *place_recovered_site(struct core *c)
{
    struct site *site = site_get(c->schedule, SITE_RECOVERED);

    site_set_taker(site, TAKER_CORE);
    return site;
}

/* --- domains by resolve --- */

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

static void wait_for_answer(struct core *c, struct domain *d, struct entry *e, uint32_t rcpt,
                            int64_t due_ms, uint16_t tries, bool warned)
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

void place_rcpt(struct core *c, struct entry *e, uint32_t rcpt, struct str address, int64_t due_ms,
                uint16_t tries, bool warned)
{
    struct buf domain;
    struct reply refusal;
    struct err err;
    struct site *site;

    schedule_unplace(c->schedule, e, rcpt);
    buf_init(&domain, ADDRESS_DOMAIN_MAX);
    if (!place_domain(address, &domain, &err)) {
        refusal = (struct reply){ 550, { 5, 1, 2 }, STR("the recipient's domain cannot be used") };
        settle_unplaced(c, e, rcpt, OUTCOME_BOUNCED, &refusal);
    } else if (is_refused(c, buf_str(&domain), &refusal)) {
        settle_unplaced(c, e, rcpt, OUTCOME_BOUNCED, &refusal);
    } else if (!c->gate_known && needs_gate(c, buf_str(&domain))) {
        schedule_place(c->schedule, e, rcpt, place_recovered_site(c), due_ms, tries, warned);
    } else if ((site = site_of_route(c, buf_str(&domain))) != NULL) {
        schedule_place(c->schedule, e, rcpt, site, due_ms, tries, warned);
    } else {
        struct domain *d = domain_get(c, buf_str(&domain));
        if (d->question == 0 && d->good_until_ms > core_now(c) && d->site.ptr)
            schedule_place(c->schedule, e, rcpt, site_get(c->schedule, d->site), due_ms, tries,
                           warned);
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
    struct str text = str_sub(wire_get(m, m->text), 0, sizeof d->refusal_text);
    uint32_t ttl_s = m->ttl_s < TTL_S_MAX ? m->ttl_s : TTL_S_MAX;

    d->question = 0;
    d->good_until_ms = core_now(c) + (int64_t)ttl_s * 1000;
    free((char *)d->site.ptr);
    d->site = m->code == 0 ? text_keep(wire_get(m, m->site)) : STR_NONE;
    if (text.len > 0)
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

/* A site of its own, or a refusal: no answer of resolve delivers anything. */
static bool answer_ok(const struct wire_site_answer *m, struct err *err)
{
    struct str site = wire_get(m, m->site);

    if (m->code != 0 && (m->code < 400 || m->code > 599))
        return err_set(err, ERR_SYNTAX, "a site's answer with code %u", m->code);
    if (m->code == 0 && (site.len == 0 || site.len > SITE_NAME_MAX || is_fixed(site)))
        return err_set(err, ERR_SYNTAX, "a site with an impossible name");
    return true;
}

bool place_on_answer(struct core *c, const struct wire_site_answer *m, struct err *err)
{
    struct domain *d;

    if (!answer_ok(m, err))
        return false;
    d = idmap_take(&c->questions, m->question);
    if (!d)
        return true; /* an answer to a question of before resolve was restarted, given twice */
    take_answer(c, d, m);
    LIST_EACH (&d->askers, struct asker, a, link) {
        struct entry *e = entry_of(c, a);
        if (e && d->site.ptr)
            schedule_place(c->schedule, e, a->rcpt, site_get(c->schedule, d->site), a->due_ms,
                           a->tries, a->warned);
        else if (e)
            settle_unplaced(c, e, a->rcpt, outcome_of_reply(&d->refusal), &d->refusal);
        list_remove(&a->link);
        free(a);
    }
    domains_trim(c);
    core_pump_later(c);
    return true;
}

/* --- messages --- */

void place_message(struct core *c, struct spool_message *m, const struct envelope *e)
{
    struct entry *entry = schedule_enter(c->schedule, m, spool_message_account(m),
                                         spool_message_accepted(m), spool_message_rcpts(m));

    *spool_message_slot(m) = entry;
    for (uint32_t r = 0; r < e->rcpt_count; r++)
        place_rcpt(c, entry, r, e->rcpts[r].address, 0, 0, false);
}

/* Its recipients stand at a site of their own until they are due; then handout reads the envelope
 * and places them. So starting with a long queue reads no envelope before it is needed. */
void place_recovered(void *core, struct spool_message *m)
{
    struct core *c = core;
    uint32_t count = spool_message_rcpts(m);
    struct entry *e =
        schedule_enter(c->schedule, m, spool_message_account(m), spool_message_accepted(m), count);
    struct site *site = place_recovered_site(c);

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
            schedule_hold(c->schedule, e, r, true);
    }
}

void place_done(struct core *c)
{
    size_t at = 0;
    struct str name;
    void *value;

    while (map_each(&c->domains, &at, &name, &value)) {
        struct domain *d = value;
        LIST_EACH (&d->askers, struct asker, a, link)
            free(a);
        domain_free(d);
    }
    map_done(&c->domains);
    idmap_done(&c->questions);
}

// SPDX-License-Identifier: Apache-2.0
/* vault/look.c - one look at a domain: all questions at once, and the answers as they come. */
#include "io/clock.h"
#include "io/dns.h"
#include "vault/domains_own.h"
#include "vault/published.h"
#include "vault/suffix.h"

enum { ANSWER_MS = 60 * 1000 };

struct looking {
    struct domains *d;
    struct arena *arena;
    struct inquiry *asked[LOOK_KEYS_MAX + 16];
    size_t count;
};

static struct inquiry *ask(struct looking *l, struct str name, enum dns_type type, enum dns_how how)
{
    struct inquiry *q = ARENA_NEW(l->arena, struct inquiry);

    inquiry_ask_dns(&l->d->inquiries, q, name, (uint16_t)type, how, l->arena);
    l->asked[l->count++] = q;
    return q;
}

static struct inquiry *ask_below(struct looking *l, const char *label, struct str domain,
                                 enum dns_how how)
{
    return ask(l, arena_strf(l->arena, "%s.%.*s", label, STR_FMT(domain)), DNS_TXT, how);
}

/* Each server is asked where the record is what proves; where it is only the owner's veto, DNS is
 * asked as anybody would: 50,000 domains of a host are a question each. Unless somebody waits for
 * it, who shall not be told what a cache remembers. */
static void ask_proof(struct looking *l, struct look *ret, struct str domain, struct str registered,
                      enum dns_how veto)
{
    const enum grant_method method = ret->grant->method;
    if (method == METHOD_DNS)
        ret->proof = ask_below(l, "_baton", domain, DNS_HOW_EACH_AUTHORITY);
    if (method != METHOD_HOST && method != METHOD_ATTESTED)
        return;
    ret->proof = ask_below(l, "_baton", domain, veto);
    if (!str_eq(registered, domain))
        ret->lock_above = ask_below(l, "_baton", registered, veto);
}

static void ask_keys(struct looking *l, struct look *ret, struct str domain)
{
    LIST_EACH (&ret->grant->keys, struct key, k, link) {
        if (ret->key_count == LOOK_KEYS_MAX)
            return;
        struct look_key *to = &ret->keys[ret->key_count++];
        *to = (struct look_key){ .key_id = k->id, .selector = arena_str(l->arena, k->selector) };
        to->inquiry = ask(
            l, arena_strf(l->arena, "%.*s._domainkey.%.*s", STR_FMT(k->selector), STR_FMT(domain)),
            DNS_TXT, DNS_HOW_EACH_AUTHORITY);
    }
}

/* What preflight wants to know; `own`: whom the domain's own records are asked of. */
static void ask_facts(struct looking *l, struct look *ret, struct str domain, enum dns_how own)
{
    ret->spf = ARENA_NEW(l->arena, struct inquiry);
    inquiry_ask_spf(&l->d->inquiries, ret->spf, domain, l->arena);
    l->asked[l->count++] = ret->spf;
    dmarc_walk_begin(&ret->walk, domain);
    for (size_t i = 0; i < ret->walk.count; i++)
        ret->dmarc[i] =
            ask_below(l, "_dmarc", ret->walk.steps[i].domain,
                      str_eq(ret->walk.steps[i].domain, domain) ? own : DNS_HOW_RECURSIVE);
    ret->mx = ask(l, domain, DNS_MX, own);
    ret->a = ask(l, domain, DNS_A, DNS_HOW_RECURSIVE);
    ret->aaaa = ask(l, domain, DNS_AAAA, DNS_HOW_RECURSIVE);
}

/* All that come within the time. */
static bool await_all(struct looking *l, int64_t deadline_ms, struct err *err)
{
    size_t came = 0;

    for (size_t i = 0; i < l->count; i++) {
        if (inquiry_await(l->asked[i], deadline_ms, err))
            came++;
        else if (err->kind != ERR_TIMEOUT)
            return false;
    }
    return came > 0 || err_set(err, ERR_TIMEOUT, "DNS: the role resolve does not answer");
}

bool look_at(struct domains *d, struct grant *g, struct arena *a, struct look *ret, struct err *err)
{
    const int64_t deadline_ms = loop_now_ms() + ANSWER_MS;
    const struct str domain = arena_str(a, g->domain);
    const struct str registered = suffix_registered(domain);
    const enum dns_how own = g->at_servers ? DNS_HOW_EACH_AUTHORITY : DNS_HOW_RECURSIVE;
    struct looking *l = ARENA_NEW(a, struct looking);
    char id[ACCOUNT_ID_TEXT_MAX];

    g->at_servers = false;
    *l = (struct looking){ .d = d, .arena = a };
    *ret = (struct look){ .grant = g, .hosted = { .finding = PROOF_UNKNOWN } };
    ret->want.relay = arena_str(a, domains_relay(d));
    ret->want.account = arena_str(a, str_of(account_id_text(g->account, id)));
    ask_proof(l, ret, domain, registered, own);
    ask_keys(l, ret, domain);
    ask_facts(l, ret, domain, own);
    bool ok = await_all(l, deadline_ms, err);
    if (ok && g->method == METHOD_HOST)
        ok = hosted_look(d, domain, deadline_ms, a, &ret->hosted, err);
    for (size_t i = 0; i < l->count; i++)
        inquiry_drop(l->asked[i]);
    ret->wall_ms = clock_wall_ms();
    return ok;
}

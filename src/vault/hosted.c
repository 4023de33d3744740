// SPDX-License-Identifier: Apache-2.0
/* vault/hosted.c - does a domain lie with the host (R102)? Its NS or MX bear one of the host's
 * names, or NS, MX or the domain itself have an address in the host's networks. Two rounds of
 * questions, the second only where the first has not told. */
#include "vault/hosted.h"
#include "base/mem.h"
#include "io/dns.h"
#include "mail/address.h"
#include "vault/domains_own.h"

enum { NAMES_MAX = 8 }; /* of NS and MX whose addresses are looked up */

struct hosted_round {
    struct inquiry *inquiries[2 * NAMES_MAX];
    size_t count;
    bool silent; /* something was not answered: nothing is known to be absent */
};

static struct inquiry *ask(struct domains *d, struct hosted_round *r, struct str name,
                           enum dns_type type, struct arena *a)
{
    struct inquiry *q = ARENA_NEW(a, struct inquiry);

    inquiry_ask_dns(&d->inquiries, q, name, (uint16_t)type, DNS_HOW_RECURSIVE, a);
    r->inquiries[r->count++] = q;
    return q;
}

static bool await_round(struct hosted_round *r, int64_t deadline_ms, struct err *err)
{
    for (size_t i = 0; i < r->count; i++) {
        struct inquiry *q = r->inquiries[i];
        if (!inquiry_await(q, deadline_ms, err)) {
            if (err->kind != ERR_TIMEOUT)
                return false;
            r->silent = true;
        } else if (q->look.count == 0 || q->servers[0].said == DNS_SAID_TIMEOUT ||
                   q->servers[0].said == DNS_SAID_FAILED) {
            r->silent = r->silent || q->code < 500;
        }
    }
    return true;
}

static void drop_round(struct hosted_round *r)
{
    for (size_t i = 0; i < r->count; i++)
        inquiry_drop(r->inquiries[i]);
}

static bool address_is_hosts(const struct config *c, struct str text)
{
    struct ip ip;

    if (!ip_parse(text, &ip, NULL))
        return false;
    for (size_t i = 0; i < c->proof.host_network_count; i++)
        if (ip_net_has(&c->proof.host_networks[i], &ip))
            return true;
    return false;
}

static bool name_is_hosts(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->proof.host_name_count; i++)
        if (domain_eq(c->proof.host_names[i], name))
            return true;
    return false;
}

/* A value among the answers that is the host's, or none. */
static struct str find(const struct config *c, const struct hosted_round *r,
                       bool (*is_hosts)(const struct config *c, struct str value))
{
    for (size_t i = 0; i < r->count; i++) {
        const struct inquiry *q = r->inquiries[i];
        for (size_t v = 0; q->done && q->look.count > 0 && v < q->servers[0].count; v++)
            if (is_hosts(c, q->servers[0].values[v]))
                return q->servers[0].values[v];
    }
    return STR_NONE;
}

static void ask_names(struct domains *d, const struct hosted_round *first, struct hosted_round *r,
                      struct arena *a)
{
    for (size_t i = 0; i < first->count; i++) {
        const struct inquiry *q = first->inquiries[i];
        if (!q->done || q->look.count == 0 || (q->rrtype != DNS_NS && q->rrtype != DNS_MX))
            continue;
        for (size_t v = 0; v < q->servers[0].count && r->count < 2 * NAMES_MAX; v++) {
            ask(d, r, q->servers[0].values[v], DNS_A, a);
            ask(d, r, q->servers[0].values[v], DNS_AAAA, a);
        }
    }
}

static void conclude(struct hosted *ret, struct str value, bool silent)
{
    ret->finding = value.len > 0 ? PROOF_SHOWN : silent ? PROOF_UNKNOWN : PROOF_ABSENT;
    ret->value = value;
}

bool hosted_look(struct domains *d, struct str domain, int64_t deadline_ms, struct arena *a,
                 struct hosted *ret, struct err *err)
{
    const struct config *c = d->vault->config;
    struct hosted_round first = { .count = 0 }, second = { .count = 0 };

    ask(d, &first, domain, DNS_NS, a);
    ask(d, &first, domain, DNS_MX, a);
    ask(d, &first, domain, DNS_A, a);
    ask(d, &first, domain, DNS_AAAA, a);
    bool ok = await_round(&first, deadline_ms, err);
    struct str value = ok ? find(c, &first, name_is_hosts) : STR_NONE;
    if (ok && value.len == 0)
        value = find(c, &first, address_is_hosts);
    if (ok && value.len == 0 && c->proof.host_network_count > 0) {
        ask_names(d, &first, &second, a);
        ok = await_round(&second, deadline_ms, err);
        value = ok ? find(c, &second, address_is_hosts) : STR_NONE;
    }
    drop_round(&first);
    drop_round(&second);
    if (ok)
        conclude(ret, value, first.silent || second.silent);
    return ok;
}

// SPDX-License-Identifier: Apache-2.0
/* resolve/hosts.c - asks DNS what mx.c and target.c need to know, and puts their results together.
 */
#include "resolve/hosts.h"

#include "base/mem.h"
#include "mail/address.h"

#define ALIASES_MAX 8
#define TEMP_TTL_S 5
#define STABLE_TTL_S 3600 /* what no DNS answer can change */

/* Names
 * --------------------------------------------------------------------------------------------------------
 */

static bool to_ascii(struct str domain, struct arena *a, struct str *ret)
{
    struct buf text;

    buf_init(&text, ADDRESS_DOMAIN_MAX);
    bool ok = domain_ascii(&text, domain, NULL);
    if (ok)
        *ret = arena_str(a, buf_str(&text));
    buf_done(&text);
    return ok;
}

static bool is_literal(struct str domain)
{
    return domain.len > 0 && domain.ptr[0] == '[';
}

/* Policy
 * ---------------------------------------------------------------------------------------------------------
 */

/* Our own listeners, as far as mail could come back through them: those at the port that mail goes
 * to. One at the unspecified address is everywhere: at each address of the machine, loopback, and
 * the ones that we send from. */
static size_t self_ips(const struct config *c, const struct machine *m, struct ip *ips)
{
    static const struct ip none4 = { .family = 4 }, none6 = { .family = 6 };
    size_t count = 0;
    bool everywhere = false;

    for (size_t i = 0; i < c->listener_count; i++) {
        const struct endpoint *at = &c->listeners[i].at;
        if (at->port != c->delivery.port)
            continue;
        if (ip_eq(&at->ip, &none4) || ip_eq(&at->ip, &none6))
            everywhere = true;
        else
            ips[count++] = at->ip;
    }
    if (!everywhere)
        return count;
    for (size_t i = 0; i < m->count; i++)
        ips[count++] = m->ips[i];
    ips[count++] = ip_make4((const uint8_t[4]){ 127, 0, 0, 1 });
    ips[count++] = ip_make6((const uint8_t[16]){ [15] = 1 });
    if (c->delivery.source4.family != 0)
        ips[count++] = c->delivery.source4;
    if (c->delivery.source6.family != 0)
        ips[count++] = c->delivery.source6;
    return count;
}

static struct mx_self self_copy(const struct config *c, const struct machine *m, struct arena *a)
{
    struct str *name = ARENA_NEW(a, struct str);
    struct ip *ips = ARENA_ARRAY(a, struct ip, c->listener_count + m->count + 4);

    *name = arena_str(a, c->hostname);
    return (struct mx_self){
        .names = name,
        .name_count = name->len > 0,
        .ips = ips,
        .ip_count = self_ips(c, m, ips),
    };
}

struct target_policy *policy_copy(const struct config *config, const struct machine *m,
                                  struct arena *a)
{
    const struct config_delivery *d = &config->delivery;
    struct target_policy *p = ARENA_NEW(a, struct target_policy);
    struct ip_net *nets = ARENA_ARRAY(a, struct ip_net, d->allow_network_count);

    if (d->allow_network_count > 0)
        memcpy(nets, d->allow_networks, sizeof *nets * d->allow_network_count);
    *p = (struct target_policy){ .self = self_copy(config, m, a),
                                 .allow_networks = nets,
                                 .allow_network_count = d->allow_network_count,
                                 .ip4 = d->ipv4,
                                 .ip6 = d->ipv6,
                                 .literals = d->allow_literals };
    return p;
}

/* The MX view
 * ----------------------------------------------------------------------------------------------------
 */

/* Waits. */
static bool view_find(struct lookups *l, const struct mx_self *self, struct str domain,
                      uint64_t seed, struct arena *a, struct mx_view *ret, struct str *ret_why,
                      struct err *err)
{
    struct dns_answer mx;

    if (!lookup_one(l, DNS_MX, domain, a, &mx, err))
        return false;
    *ret_why = mx.why;
    mx_view_make(domain, &mx, self, seed, a, ret);
    return true;
}

static struct site site_literal(const struct target_policy *policy, struct str domain)
{
    struct site site = { .name = domain, .ttl_s = STABLE_TTL_S };
    struct ip ip;

    if (!policy->literals)
        site.verdict = VERDICT_LITERAL;
    else if (!target_parse_literal(domain, &ip, NULL))
        site.verdict = VERDICT_BAD_NAME;
    else if (mx_is_self_ip(&policy->self, &ip))
        site.verdict = VERDICT_LOOP;
    else if (!target_may_reach(policy, &ip))
        site.verdict = VERDICT_NOT_PUBLIC;
    return site;
}

bool site_find(struct lookups *l, const struct target_policy *policy, struct str domain,
               uint64_t seed, struct arena *a, struct site *ret, struct err *err)
{
    struct mx_view view;
    struct str name, why;

    if (is_literal(domain)) {
        *ret = site_literal(policy, domain);
        return true;
    }
    if (!to_ascii(domain, a, &name)) {
        *ret = (struct site){ .verdict = VERDICT_BAD_NAME, .ttl_s = STABLE_TTL_S };
        return true;
    }
    if (!view_find(l, &policy->self, name, seed, a, &view, &why, err))
        return false;
    *ret = (struct site){ .verdict = view.verdict,
                          .name = mx_view_site(&view, name, a),
                          .why = why,
                          .ttl_s = view.ttl_s };
    return true;
}

/* Addresses
 * ------------------------------------------------------------------------------------------------------
 */

/* The resolver follows aliases and says only SERVFAIL of a circle, which would be asked again for
 * days. So look at the chain itself: true when it is a circle or longer than ALIASES_MAX (fault
 * S02). Waits. */
static bool alias_is_broken(struct lookups *l, struct str name, struct arena *a, bool *ret,
                            struct err *err)
{
    for (unsigned depth = 0; depth <= ALIASES_MAX; depth++) {
        struct dns_answer alias;
        if (!lookup_one(l, DNS_CNAME, name, a, &alias, err))
            return false;
        if (alias.status != DNS_OK || alias.count == 0) {
            *ret = false;
            return true;
        }
        name = alias.records[0].name;
    }
    *ret = true;
    return true;
}

struct host_lookups {
    struct lookup ip4, ip6;
};

static void begin_host(struct lookups *l, const struct target_policy *policy, struct str name,
                       struct arena *a, struct host_lookups *ret)
{
    const struct dns_answer not_asked = { .status = DNS_OK };

    *ret = (struct host_lookups){ { .answer = not_asked }, { .answer = not_asked } };
    if (policy->ip4)
        lookup_begin(l, DNS_A, name, a, &ret->ip4);
    if (policy->ip6)
        lookup_begin(l, DNS_AAAA, name, a, &ret->ip6);
}

/* Waits. */
static bool await_host(struct lookups *l, struct host_lookups *asked, struct str name,
                       struct arena *a, struct host_answers *ret, struct str *why, struct err *err)
{
    if (!lookup_await(&asked->ip4, a, &ret->ip4, err) ||
        !lookup_await(&asked->ip6, a, &ret->ip6, err))
        return false;
    const struct dns_answer *failed = ret->ip4.status == DNS_TEMP ? &ret->ip4 : &ret->ip6;
    if (failed->status != DNS_TEMP)
        return true;
    if (failed->why.len > 0)
        *why = arena_strf(a, "%.*s: %.*s", STR_FMT(name), STR_FMT(failed->why));
    return alias_is_broken(l, name, a, &ret->alias_broken, err);
}

/* All hosts at once. On failure nothing is left under way. Waits. */
static bool addresses_find(struct lookups *l, const struct target_policy *policy,
                           const struct mx_view *view, struct arena *a, struct host_answers *ret,
                           struct str *why, struct err *err)
{
    struct host_lookups *asked = ARENA_ARRAY(a, struct host_lookups, view->count);
    bool ok = true;

    for (size_t i = 0; i < view->count; i++)
        begin_host(l, policy, view->hosts[i].name, a, &asked[i]);
    for (size_t i = 0; i < view->count && ok; i++)
        ok = await_host(l, &asked[i], view->hosts[i].name, a, &ret[i], why, err);
    for (size_t i = 0; i < view->count && !ok; i++) {
        lookup_drop(&asked[i].ip4);
        lookup_drop(&asked[i].ip6);
    }
    return ok;
}

/* Waits. */
static bool targets_find(struct lookups *l, const struct target_policy *policy,
                         const struct mx_view *view, uint64_t seed, struct arena *a,
                         struct hosts *ret, struct err *err)
{
    struct host_answers *answers = ARENA_ARRAY(a, struct host_answers, view->count);

    if (!addresses_find(l, policy, view, a, answers, &ret->why, err))
        return false;
    target_list_make(view, answers, policy, seed, a, &ret->list);
    if (ret->list.verdict == VERDICT_TEMP)
        ret->list.ttl_s = TEMP_TTL_S;
    return true;
}

static struct hosts hosts_refused(enum verdict verdict, uint32_t ttl_s, struct str why)
{
    return (struct hosts){ .list = { .verdict = verdict, .ttl_s = ttl_s }, .why = why };
}

static struct hosts hosts_of_ip(struct ip ip, struct str name, struct arena *a)
{
    struct hosts hosts = {
        .list = { .targets = ARENA_NEW(a, struct target), .count = 1, .ttl_s = STABLE_TTL_S }
    };

    hosts.list.targets[0] = (struct target){ .ip = ip, .name = name };
    return hosts;
}

static struct hosts hosts_literal(const struct target_policy *policy, struct str domain,
                                  struct arena *a)
{
    const struct site site = site_literal(policy, domain);
    struct ip ip;

    if (site.verdict != VERDICT_OK)
        return hosts_refused(site.verdict, site.ttl_s, STR_NONE);
    return target_parse_literal(domain, &ip, NULL)
               ? hosts_of_ip(ip, domain, a)
               : hosts_refused(VERDICT_BAD_NAME, STABLE_TTL_S, STR_NONE);
}

bool hosts_resolve(struct lookups *l, const struct target_policy *policy, struct str domain,
                   uint64_t seed, struct arena *a, struct hosts *ret, struct err *err)
{
    struct hosts hosts = { 0 };
    struct mx_view view;
    struct str name;

    if (is_literal(domain)) {
        *ret = hosts_literal(policy, domain, a);
        return true;
    }
    if (!to_ascii(domain, a, &name)) {
        *ret = hosts_refused(VERDICT_BAD_NAME, STABLE_TTL_S, STR_NONE);
        return true;
    }
    if (!view_find(l, &policy->self, name, seed, a, &view, &hosts.why, err))
        return false;
    if (view.verdict != VERDICT_OK)
        hosts = hosts_refused(view.verdict, view.ttl_s, hosts.why);
    else if (!targets_find(l, policy, &view, seed, a, &hosts, err))
        return false;
    *ret = hosts;
    return true;
}

/* Neither filtered nor compared with us: the operator may have a second instance on another port.
 */
static struct target_policy policy_plain(const struct target_policy *policy)
{
    struct target_policy plain = *policy;

    plain.any_network = true;
    plain.self = (struct mx_self){ 0 };
    return plain;
}

bool hosts_resolve_plain(struct lookups *l, const struct target_policy *policy, struct str host,
                         uint64_t seed, struct arena *a, struct hosts *ret, struct err *err)
{
    const struct target_policy plain = policy_plain(policy);
    struct mx_host one = { 0 };
    struct mx_view view = { .implicit = true, .hosts = &one, .count = 1, .ttl_s = STABLE_TTL_S };
    struct hosts hosts = { 0 };
    struct ip ip;

    if (ip_parse(host, &ip, NULL) || target_parse_literal(host, &ip, NULL)) {
        *ret = hosts_of_ip(ip, host, a);
        return true;
    }
    if (!to_ascii(host, a, &one.name)) {
        *ret = hosts_refused(VERDICT_BAD_NAME, STABLE_TTL_S, STR_NONE);
        return true;
    }
    if (!targets_find(l, &plain, &view, seed, a, &hosts, err))
        return false;
    *ret = hosts;
    return true;
}

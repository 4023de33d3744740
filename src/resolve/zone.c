// SPDX-License-Identifier: Apache-2.0
/* resolve/zone.c - walks up from a name to the delegation that holds it.
 *
 * The resolver follows aliases, so NS records may come back for a name that is not delegated but is
 * an alias of one that is. At an apex no alias can stand (RFC 1912 §2.4), which tells them apart.
 */
#include "resolve/zone.h"

#include <stdlib.h>

#include "base/mem.h"
#include "io/dns_record.h"
#include "io/loop.h"

static struct str parent_of(struct str name)
{
    return str_skip(name, str_index(name, '.') + 1);
}

enum cut { CUT_NO, CUT_YES, CUT_TEMP };

/* Whether `name` itself is delegated: it has NS records and is no alias. What an alias leads to may
 * not answer at all, which says nothing of the name. Waits. */
static bool cut_find(struct lookups *l, struct str name, struct arena *a, struct dns_answer *ret_ns,
                     enum cut *ret, struct err *err)
{
    struct dns_answer alias;

    *ret = CUT_NO;
    if (!lookup_one(l, DNS_NS, name, a, ret_ns, err))
        return false;
    if (ret_ns->status == DNS_NO_NAME || (ret_ns->status == DNS_OK && ret_ns->count == 0))
        return true;
    if (!lookup_one(l, DNS_CNAME, name, a, &alias, err))
        return false;
    if (alias.count > 0)
        return true;
    if (ret_ns->status == DNS_OK)
        *ret_ns = alias.status == DNS_TEMP ? alias : *ret_ns;
    *ret = ret_ns->status == DNS_TEMP ? CUT_TEMP : CUT_YES;
    return true;
}

static void zone_end(struct zone *ret, enum zone_found found, struct str why)
{
    *ret = (struct zone){ .found = found, .why = why };
}

/* Sets found, name and *ret_ns. Waits. */
static bool walk_up(struct lookups *l, struct str name, int64_t deadline_ms, struct arena *a,
                    struct zone *ret, struct dns_answer *ret_ns, struct err *err)
{
    enum cut cut;

    for (; name.len > 0; name = parent_of(name)) {
        if (loop_now_ms() >= deadline_ms) {
            zone_end(ret, ZONE_TEMP, STR("timeout"));
            return true;
        }
        if (!cut_find(l, name, a, ret_ns, &cut, err))
            return false;
        if (cut == CUT_YES) {
            *ret = (struct zone){ .found = ZONE_FOUND, .name = arena_str(a, name) };
            return true;
        }
        if (cut == CUT_TEMP) {
            zone_end(ret, ZONE_TEMP,
                     arena_strf(a, "%.*s: %.*s", STR_FMT(name), STR_FMT(ret_ns->why)));
            return true;
        }
    }
    zone_end(ret, ZONE_NONE, STR("no such domain"));
    return true;
}

/* Servers
 * ------------------------------------------------------------------------------------------------
 */

static int compare_names(const void *a, const void *b)
{
    const struct dns_record *x = a, *y = b;

    return str_cmp(x->name, y->name);
}

static bool has_ip(const struct zone *zone, const struct ip *ip)
{
    for (size_t i = 0; i < zone->count; i++)
        if (ip_eq(&zone->servers[i].ip, ip))
            return true;
    return false;
}

static void add_server(struct zone *zone, struct zone_server server)
{
    if (zone->count < ZONE_SERVERS_MAX)
        zone->servers[zone->count++] = server;
}

static void add_addresses(struct zone *zone, const struct target_policy *policy, struct str name,
                          const struct dns_answer *ips)
{
    for (size_t i = 0; i < ips->count && i < ZONE_HOST_IPS_MAX; i++) {
        const struct ip *ip = &ips->records[i].ip;
        if (!has_ip(zone, ip))
            add_server(zone, (struct zone_server){ name, *ip, !target_may_reach(policy, ip) });
    }
}

struct server_lookups {
    struct lookup ip4, ip6;
};

/* Waits. */
static bool await_server(struct server_lookups *asked, const struct target_policy *policy,
                         struct str name, struct arena *a, struct zone *zone, struct err *err)
{
    struct dns_answer ip4, ip6;

    if (!lookup_await(&asked->ip4, a, &ip4, err) || !lookup_await(&asked->ip6, a, &ip6, err))
        return false;
    if (ip4.count + ip6.count == 0)
        add_server(zone, (struct zone_server){ .name = name });
    add_addresses(zone, policy, name, &ip4);
    add_addresses(zone, policy, name, &ip6);
    return true;
}

/* All at once. Waits. */
static bool servers_find(struct lookups *l, const struct target_policy *policy,
                         const struct dns_answer *ns, struct arena *a, struct zone *zone,
                         struct err *err)
{
    struct server_lookups asked[ZONE_NAMES_MAX];
    size_t count = ns->count < ZONE_NAMES_MAX ? ns->count : ZONE_NAMES_MAX;
    bool ok = true;

    for (size_t i = 0; i < count; i++) {
        const struct lookup none = { .answer = { .status = DNS_OK } };
        asked[i] = (struct server_lookups){ none, none };
        if (policy->ip4)
            lookup_begin(l, DNS_A, ns->records[i].name, a, &asked[i].ip4);
        if (policy->ip6)
            lookup_begin(l, DNS_AAAA, ns->records[i].name, a, &asked[i].ip6);
    }
    for (size_t i = 0; i < count && ok; i++)
        ok = await_server(&asked[i], policy, ns->records[i].name, a, zone, err);
    for (size_t i = 0; i < count && !ok; i++) {
        lookup_drop(&asked[i].ip4);
        lookup_drop(&asked[i].ip6);
    }
    return ok;
}

bool zone_find(struct lookups *l, const struct target_policy *policy, struct str name,
               int64_t deadline_ms, struct arena *a, struct zone *ret, struct err *err)
{
    struct dns_answer ns = { 0 };

    if (!dns_name_ok(name)) {
        zone_end(ret, ZONE_NONE, STR("not a domain name"));
        return true;
    }
    if (!walk_up(l, name, deadline_ms, a, ret, &ns, err))
        return false;
    if (ret->found != ZONE_FOUND)
        return true;
    qsort(ns.records, ns.count, sizeof *ns.records, compare_names);
    return servers_find(l, policy, &ns, a, ret, err);
}

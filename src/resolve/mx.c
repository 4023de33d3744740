// SPDX-License-Identifier: Apache-2.0
/* resolve/mx.c - the MX answer as an ordered list of hosts (RFC 5321 §5.1, RFC 7505), and the name
 * of the site. */
#include "resolve/mx.h"

#include <stdlib.h>
#include <xxhash.h>

#include "mail/address.h"

uint64_t mx_random(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

bool mx_is_self_name(const struct mx_self *self, struct str name)
{
    for (size_t i = 0; i < self->name_count; i++)
        if (domain_eq(self->names[i], name))
            return true;
    return false;
}

bool mx_is_self_ip(const struct mx_self *self, const struct ip *ip)
{
    for (size_t i = 0; i < self->ip_count; i++)
        if (ip_eq(&self->ips[i], ip))
            return true;
    return false;
}

/* An address where a name belongs is against RFC 1035 §3.3.9 and leads past every check by name
 * (fault S02). The underscore is in no host name, but in some that work. */
static bool is_host(struct str name)
{
    struct ip ip;

    if (name.len == 0 || ip_parse(name, &ip, NULL))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

static int by_preference(const void *a, const void *b)
{
    const struct mx_host *x = a, *y = b;

    return (x->preference > y->preference) - (x->preference < y->preference);
}

static bool has_host(const struct mx_view *view, struct str name)
{
    for (size_t i = 0; i < view->count; i++)
        if (domain_eq(view->hosts[i].name, name))
            return true;
    return false;
}

static void add_host(struct mx_view *view, struct str name, uint16_t preference)
{
    view->hosts[view->count++] = (struct mx_host){ .name = name, .preference = preference };
}

/* Fisher and Yates, before the sort: qsort() of equals would otherwise favour whoever the server
 * names first. A host named twice is asked twice in vain, so the sort is followed by dropping its
 * worse place. */
static struct mx_host *hosts_shuffled(const struct dns_answer *mx, uint64_t seed, struct arena *a,
                                      size_t *ret_count)
{
    struct mx_host *hosts = ARENA_ARRAY(a, struct mx_host, mx->count);
    size_t count = 0;

    for (size_t i = 0; i < mx->count; i++)
        if (is_host(mx->records[i].name))
            hosts[count++] = (struct mx_host){ mx->records[i].name, mx->records[i].preference };
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)(mx_random(&seed) % i);
        struct mx_host moved = hosts[i - 1];
        hosts[i - 1] = hosts[j];
        hosts[j] = moved;
    }
    *ret_count = count;
    return hosts;
}

/* The best preference at which we stand ourselves; hosts from there on would send the mail back
 * (RFC 5321 §5.1). */
static unsigned self_preference(const struct mx_host *hosts, size_t count,
                                const struct mx_self *self)
{
    unsigned best = UINT16_MAX + 1u;

    for (size_t i = 0; i < count; i++)
        if (hosts[i].preference < best && mx_is_self_name(self, hosts[i].name))
            best = hosts[i].preference;
    return best;
}

static void view_explicit(const struct dns_answer *mx, const struct mx_self *self, uint64_t seed,
                          struct arena *a, struct mx_view *view)
{
    size_t count;
    struct mx_host *hosts = hosts_shuffled(mx, seed, a, &count);
    unsigned end = self_preference(hosts, count, self);

    if (count > 1)
        qsort(hosts, count, sizeof *hosts, by_preference);
    for (size_t i = 0; i < count && hosts[i].preference < end && view->count < MX_HOSTS_MAX; i++)
        if (!has_host(view, hosts[i].name))
            add_host(view, hosts[i].name, hosts[i].preference);
    if (view->count == 0)
        view->verdict = count > 0 ? VERDICT_LOOP : VERDICT_BAD_MX;
}

static void view_implicit(struct str domain, const struct mx_self *self, struct mx_view *view)
{
    view->implicit = true;
    if (mx_is_self_name(self, domain))
        view->verdict = VERDICT_LOOP;
    else if (!is_host(domain))
        view->verdict = VERDICT_BAD_NAME;
    else
        add_host(view, domain, 0);
}

void mx_view_make(struct str domain, const struct dns_answer *mx, const struct mx_self *self,
                  uint64_t seed, struct arena *a, struct mx_view *ret)
{
    struct mx_view view = { .ttl_s = mx->ttl_s };

    view.hosts = ARENA_ARRAY(a, struct mx_host, MX_HOSTS_MAX);
    if (mx->status == DNS_TEMP)
        view.verdict = VERDICT_TEMP;
    else if (mx->status == DNS_NO_NAME)
        view.verdict = VERDICT_NO_DOMAIN;
    else if (mx->count == 0)
        view_implicit(domain, self, &view);
    else if (mx->count == 1 && mx->records[0].name.len == 0)
        view.verdict = VERDICT_NULL_MX;
    else
        view_explicit(mx, self, seed, a, &view);
    *ret = view;
}

/* Sites
 * ----------------------------------------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct mx_host *)a)->name, ((const struct mx_host *)b)->name);
}

static struct str site_joined(const struct mx_host *sorted, size_t count, struct arena *a)
{
    struct str site = STR_NONE;

    for (size_t i = 0; i < count; i++)
        site =
            arena_strf(a, "%.*s%s%.*s", STR_FMT(site), i > 0 ? "," : "", STR_FMT(sorted[i].name));
    return site;
}

struct str mx_view_site(const struct mx_view *view, struct str domain, struct arena *a)
{
    if (view->implicit || view->count == 0)
        return domain;

    struct mx_host *sorted = ARENA_ARRAY(a, struct mx_host, view->count);
    memcpy(sorted, view->hosts, sizeof *sorted * view->count);
    qsort(sorted, view->count, sizeof *sorted, by_name);
    struct str site = site_joined(sorted, view->count, a);
    if (site.len <= SITE_TEXT_MAX)
        return site;
    /* Names in logs and on disk: the same after a restart, so not base/map.h's keyed hash. Who
     * forges a collision shares a lane with the other domain, no more. */
    return arena_strf(
        a, "%.*s+%zu#%016llx", (int)(sorted[0].name.len < 200 ? sorted[0].name.len : 200),
        sorted[0].name.ptr, view->count - 1, (unsigned long long)XXH3_64bits(site.ptr, site.len));
}

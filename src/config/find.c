// SPDX-License-Identifier: Apache-2.0
/* config/find.c - look-ups in a configuration: the route of a domain, our own domains, the network
 * of a client. The most exact row wins, whatever its place. */
#include "config/config.h"

static const struct config_route route_mx = { .domain = { "*", 1 },
                                              .kind = ROUTE_MX,
                                              .tls = TLS_MAY };

/* How exactly a pattern matches: 0 not at all; the whole name over the longest ".suffix" over "*".
 */
static size_t pattern_match(struct str pattern, struct str domain)
{
    if (str_eq_nocase(pattern, domain))
        return SIZE_MAX;
    if (str_eq(pattern, STR("*")))
        return 1;
    if (str_starts(pattern, STR(".")) && domain.len > pattern.len &&
        str_ends_nocase(domain, pattern))
        return 1 + pattern.len;
    return 0;
}

const struct config_route *config_route_find(const struct config *c, struct str domain)
{
    const struct config_route *best = &route_mx;
    size_t best_match = 0;

    for (size_t i = 0; i < c->route_count; i++) {
        size_t match = pattern_match(c->routes[i].domain, domain);
        if (match > best_match) {
            best = &c->routes[i];
            best_match = match;
        }
    }
    return best;
}

bool config_is_local_domain(const struct config *c, struct str domain)
{
    for (size_t i = 0; i < c->local_domain_count; i++)
        if (str_eq_nocase(c->local_domains[i], domain))
            return true;
    return false;
}

const struct config_network *config_network_find(const struct config *c, const struct ip *client)
{
    const struct config_network *best = NULL;

    for (size_t i = 0; i < c->network_count; i++) {
        const struct config_network *n = &c->networks[i];
        if (ip_net_has(&n->net, client) && (!best || n->net.bits > best->net.bits))
            best = n;
    }
    return best;
}

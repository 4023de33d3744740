// SPDX-License-Identifier: Apache-2.0
/* deliver/route.c - reads a route out of the configuration. */
#include "deliver/route.h"

static void route_by_mx(const struct config *c, struct route *ret)
{
    *ret = (struct route){ .kind = ROUTE_MX, .port = c->delivery.port, .tls = c->delivery.tls };
}

/* Credentials never travel in the clear, so with them TLS is no longer a matter of what is offered.
 */
static enum tls_mode tls_needed(const struct config_route *r)
{
    if (r->user.len > 0 && r->tls != TLS_IMPLICIT)
        return TLS_MUST;
    return r->tls;
}

bool route_find(const struct config *c, uint32_t index, struct str site, struct arena *a,
                struct route *ret, struct err *err)
{
    const struct config_route *r;

    if (index == ROUTE_BY_MX) {
        route_by_mx(c, ret);
        return true;
    }
    if (index >= c->route_count)
        return err_set(err, ERR_CONFIG, "no such route; the configuration is changing");
    r = &c->routes[index];
    if (r->kind == ROUTE_MX) {
        route_by_mx(c, ret);
        return true;
    }
    if (r->kind != ROUTE_SMARTHOST && r->kind != ROUTE_LMTP)
        return err_set(err, ERR_CONFIG, "the route leads to no server");
    if (str_find_nocase(site, r->host) == site.len)
        return err_set(err, ERR_CONFIG, "another route; the configuration is changing");
    *ret = (struct route){
        .kind = r->kind,
        .host = arena_str(a, r->host),
        .port = r->port,
        .tls = tls_needed(r),
        .verify = r->tls_verify,
        .user = arena_str(a, r->user),
        .password = arena_str(a, r->password),
    };
    return true;
}

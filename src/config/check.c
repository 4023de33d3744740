// SPDX-License-Identifier: Apache-2.0
/* config/check.c - what only a look at the whole can tell. Each check names file, line and option
 * of the first mistake; what concerns one value alone was refused by config_parse(). What lies on
 * disk is looked at through the caller. */
#include "config/option.h"

#include <stdarg.h>
#include <stdio.h>

struct check {
    const struct config *c;
    const struct ip *gateways;
    size_t gateway_count;
};

__attribute__((format(printf, 5, 6))) static bool refuse(const struct check *k, const void *value,
                                                         const char *option, struct err *err,
                                                         const char *fmt, ...)
{
    char text[160];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    err_set(err, ERR_CONFIG, "%s", text);
    return config_mistake(k->c->file, config_line(k->c, value), option, err);
}

/* Paths ---------------------------------------------------------------------------------------- */

static bool paths_ok(const struct check *k, struct err *err)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct option *o = &config_options[i];
        if (o->type != OPTION_PATH)
            continue;
        const struct str *path = (const void *)((const char *)k->c + o->at);
        bool may_be_empty = path != &k->c->state_folder;
        if (!str_starts(*path, STR("/")) && !(path->len == 0 && may_be_empty))
            return refuse(k, path, o->path, err, "\"%.*s\": expected an absolute path",
                          path->len > 80 ? 80 : (int)path->len, path->ptr);
    }
    return true;
}

/* Listeners ------------------------------------------------------------------------------------ */

static bool ip_is_any(const struct ip *ip)
{
    static const uint8_t zero[16];

    return memcmp(ip->bytes, zero, sizeof zero) == 0;
}

/* The kernel would refuse the second. Port 0 is another port each time. */
static bool endpoints_clash(const struct endpoint *a, const struct endpoint *b)
{
    if (a->port != b->port || a->port == 0 || a->ip.family != b->ip.family)
        return false;
    return ip_eq(&a->ip, &b->ip) || ip_is_any(&a->ip) || ip_is_any(&b->ip);
}

static bool listener_tls_ok(const struct check *k, const struct config_listener *l, struct err *err)
{
    if (l->kind == LISTENER_RELAY || k->c->tls_cert_file.len > 0)
        return true;
    return refuse(k, l, "listeners", err,
                  "%.*s: expected tls.cert_file and tls.key_file: AUTH is offered over TLS only",
                  STR_FMT(l->name));
}

static bool listeners_ok(const struct check *k, struct err *err)
{
    const struct config *c = k->c;

    for (size_t i = 0; i < c->listener_count; i++) {
        const struct config_listener *l = &c->listeners[i];
        for (size_t j = 0; j < i; j++) {
            if (endpoints_clash(&l->at, &c->listeners[j].at))
                return refuse(k, l, "listeners", err, "%.*s: the address of %.*s: expected another",
                              STR_FMT(l->name), STR_FMT(c->listeners[j].name));
            if (str_eq(l->name, c->listeners[j].name))
                return refuse(k, l, "listeners", err, "two named %.*s: expected different names",
                              STR_FMT(l->name));
        }
        if (!listener_tls_ok(k, l, err))
            return false;
    }
    return true;
}

static bool tls_ok(const struct check *k, struct err *err)
{
    const struct config *c = k->c;

    if ((c->tls_cert_file.len > 0) != (c->tls_key_file.len > 0))
        return refuse(k, &c->tls_cert_file, "tls", err,
                      "expected both cert_file and key_file, or neither");
    return true;
}

/* Trust (R11) ---------------------------------------------------------------------------------- */

#define NETWORK_BITS4_MIN 8
#define NETWORK_BITS6_MIN 16

/* True when every connection that reaches a relay listener tells the client's own address. */
static bool relay_needs_proxy(const struct config *c)
{
    for (size_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].kind == LISTENER_RELAY && c->listeners[i].proxy != PROXY_REQUIRED)
            return false;
    return true;
}

static bool network_holds_no_gateway(const struct check *k, const struct config_network *n,
                                     struct err *err)
{
    char net[IP_TEXT_MAX + 4], ip[IP_TEXT_MAX];

    for (size_t i = 0; i < k->gateway_count; i++)
        if (ip_net_has(&n->net, &k->gateways[i]))
            return refuse(k, n, "trusted_networks", err,
                          "%s holds the gateway %s, which strangers' connections may seem to come "
                          "from: expected proxy_from on every relay listener",
                          ip_net_format(&n->net, net), ip_format(&k->gateways[i], ip));
    return true;
}

static bool nets_overlap(const struct ip_net *a, const struct ip_net *b)
{
    return ip_net_has(a, &b->ip) || ip_net_has(b, &a->ip);
}

static bool network_holds_no_proxy(const struct check *k, const struct config_network *n,
                                   struct err *err)
{
    char net[IP_TEXT_MAX + 4], proxy[IP_TEXT_MAX + 4];

    for (size_t i = 0; i < k->c->listener_count; i++) {
        const struct config_listener *l = &k->c->listeners[i];
        for (size_t j = 0; j < l->proxy_from_count; j++)
            if (nets_overlap(&n->net, &l->proxy_from[j]))
                return refuse(k, n, "trusted_networks", err,
                              "%s holds the proxy %s: expected proxy_from on every relay listener",
                              ip_net_format(&n->net, net), ip_net_format(&l->proxy_from[j], proxy));
    }
    return true;
}

static bool network_is_narrow(const struct check *k, const struct config_network *n,
                              struct err *err)
{
    char net[IP_TEXT_MAX + 4];
    uint8_t bits_min = n->net.ip.family == 4 ? NETWORK_BITS4_MIN : NETWORK_BITS6_MIN;

    if (n->net.bits >= bits_min)
        return true;
    return refuse(k, n, "trusted_networks", err,
                  "%s would be an open relay: expected /%u or longer", ip_net_format(&n->net, net),
                  bits_min);
}

static bool networks_ok(const struct check *k, struct err *err)
{
    const struct config *c = k->c;
    bool is_told = relay_needs_proxy(c);
    char net[IP_TEXT_MAX + 4];

    for (size_t i = 0; i < c->network_count; i++) {
        const struct config_network *n = &c->networks[i];
        if (!network_is_narrow(k, n, err))
            return false;
        if (!is_told &&
            (!network_holds_no_gateway(k, n, err) || !network_holds_no_proxy(k, n, err)))
            return false;
        for (size_t j = 0; j < i; j++)
            if (n->net.bits == c->networks[j].net.bits && ip_eq(&n->net.ip, &c->networks[j].net.ip))
                return refuse(k, n, "trusted_networks", err, "%s given twice: expected once",
                              ip_net_format(&n->net, net));
    }
    return true;
}

/* Domains and routes --------------------------------------------------------------------------- */

static bool local_domains_ok(const struct check *k, struct err *err)
{
    const struct config *c = k->c;

    for (size_t i = 0; i < c->local_domain_count; i++) {
        const struct str *d = &c->local_domains[i];
        if (str_eq(*d, c->sandbox_domain))
            return refuse(k, d, "local_domains", err,
                          "%.*s is sandbox.domain: expected another domain", STR_FMT(*d));
        for (size_t j = 0; j < i; j++)
            if (str_eq(*d, c->local_domains[j]))
                return refuse(k, d, "local_domains", err, "%.*s given twice: expected once",
                              STR_FMT(*d));
        if (config_route_find(c, *d)->kind == ROUTE_MX)
            return refuse(k, d, "local_domains", err,
                          "%.*s goes by mx, back to this machine: expected a route via lmtp, "
                          "smarthost, sandbox or refuse",
                          STR_FMT(*d));
    }
    return true;
}

/* A next hop that is one of our own listeners: the message would come straight back. */
static bool route_is_not_us(const struct check *k, const struct config_route *r, struct err *err)
{
    struct ip ip;

    if (!ip_parse(r->host, &ip, NULL))
        return true;
    for (size_t i = 0; i < k->c->listener_count; i++) {
        struct endpoint hop = { ip, r->port };
        if (endpoints_clash(&hop, &k->c->listeners[i].at))
            return refuse(k, r, "routes", err,
                          "%.*s leads to our own listener %.*s: expected "
                          "another host",
                          STR_FMT(r->domain), STR_FMT(k->c->listeners[i].name));
    }
    return true;
}

static bool routes_ok(const struct check *k, struct err *err)
{
    const struct config *c = k->c;

    for (size_t i = 0; i < c->route_count; i++) {
        const struct config_route *r = &c->routes[i];
        for (size_t j = 0; j < i; j++)
            if (str_eq(r->domain, c->routes[j].domain))
                return refuse(k, r, "routes", err, "%.*s given twice: expected once",
                              STR_FMT(r->domain));
        if (str_eq(r->domain, c->sandbox_domain) && r->kind != ROUTE_SANDBOX)
            return refuse(k, r, "routes", err, "%.*s is sandbox.domain: expected via: sandbox",
                          STR_FMT(r->domain));
        if (r->password_file.len > 0 && !str_starts(r->password_file, STR("/")))
            return refuse(k, &r->password_file, "routes.password_file", err,
                          "expected an absolute path");
        if (!route_is_not_us(k, r, err))
            return false;
    }
    return true;
}

/* Numbers that depend on one another ----------------------------------------------------------- */

static bool retry_ok(const struct check *k, struct err *err)
{
    const struct config_retry *r = &k->c->retry;

    if (r->expire_ms < r->steps_ms[0])
        return refuse(k, &r->expire_ms, "retry.expire", err,
                      "mail would expire before its second attempt: expected more than the first "
                      "of retry.steps");
    if (r->delay_warn_ms >= r->expire_ms)
        return refuse(k, &r->delay_warn_ms, "retry.delay_warning", err,
                      "expected less than retry.expire, or 0");
    return true;
}

static bool delivery_ok(const struct check *k, struct err *err)
{
    const struct config_delivery *d = &k->c->delivery;

    if (d->connections_per_site_first > d->connections_per_site)
        return refuse(k, &d->connections_per_site_first, "delivery.connections_per_site_first", err,
                      "%u: expected at most delivery.connections_per_site, %u",
                      d->connections_per_site_first, d->connections_per_site);
    if (!d->ipv4 && !d->ipv6)
        return refuse(k, &d->ipv4, "delivery.ipv4", err, "expected delivery.ipv4 or delivery.ipv6");
    if (d->source4.family == 6)
        return refuse(k, &d->source4, "delivery.source4", err, "expected an IPv4 address");
    if (d->source6.family == 4)
        return refuse(k, &d->source6, "delivery.source6", err, "expected an IPv6 address");
    return true;
}

static bool spool_ok(const struct check *k, struct err *err)
{
    const struct config_spool *s = &k->c->spool;

    if (s->disk_max_bytes > 0 && s->disk_max_bytes < s->reserve_bytes + 2 * s->segment_bytes)
        return refuse(k, &s->disk_max_bytes, "spool.disk_max_bytes", err,
                      "expected room for spool.reserve_bytes and two spool.segment_bytes, or 0");
    if (k->c->limits.header_bytes > k->c->limits.message_bytes)
        return refuse(k, &k->c->limits.header_bytes, "limits.header_bytes", err,
                      "expected at most limits.message_bytes");
    return true;
}

bool config_check(const struct config *c, const struct ip *gateways, size_t gateway_count,
                  struct err *err)
{
    const struct check k = { c, gateways, gateway_count };

    return paths_ok(&k, err) && tls_ok(&k, err) && listeners_ok(&k, err) && networks_ok(&k, err) &&
           local_domains_ok(&k, err) && routes_ok(&k, err) && retry_ok(&k, err) &&
           delivery_ok(&k, err) && spool_ok(&k, err);
}

/* Files ---------------------------------------------------------------------------------------- */

struct file_check {
    const struct check *k;
    config_look_fn *look;
    void *arg;
};

static bool file_ok(const struct file_check *f, const struct str *path, const char *option,
                    bool is_secret, struct err *err)
{
    struct config_file_facts facts = { 0 };
    struct err why;

    if (path->len == 0)
        return true;
    if (!f->look(f->arg, path->ptr, &facts, &why))
        return refuse(f->k, path, option, err, "%.100s: expected a file that can be read",
                      why.text);
    if (!facts.is_file)
        return refuse(f->k, path, option, err, "%.80s: expected a regular file", path->ptr);
    if (is_secret && facts.is_open_to_others)
        return refuse(f->k, path, option, err,
                      "%.80s can be read or written by others: expected mode 0600 or 0640",
                      path->ptr);
    return true;
}

bool config_check_files(const struct config *c, config_look_fn *look, void *arg, struct err *err)
{
    const struct check k = { .c = c };
    const struct file_check f = { &k, look, arg };

    if (!file_ok(&f, &c->tls_cert_file, "tls.cert_file", false, err) ||
        !file_ok(&f, &c->tls_key_file, "tls.key_file", true, err) ||
        !file_ok(&f, &c->dns_trust_anchor_file, "dns.trust_anchor_file", false, err) ||
        !file_ok(&f, &c->delivery.tls_ca_file, "delivery.tls_ca_file", false, err))
        return false;
    for (size_t i = 0; i < c->route_count; i++)
        if (!file_ok(&f, &c->routes[i].password_file, "routes.password_file", true, err))
            return false;
    return true;
}

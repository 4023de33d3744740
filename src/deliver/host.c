// SPDX-License-Identifier: Apache-2.0
/* deliver/host.c - asks resolve for hosts and waits for the answer.
 *
 * Which hosts a domain has, and in which order, is resolve's; that none of them is an address of
 * the inside is looked at here once more, since it is here that one would connect to it (fault
 * S02). */
#include "deliver/host.h"

#include <stdlib.h>

#include "io/loop.h"
#include "mail/address.h"

#define ANSWER_WAIT_MS 60000

/* One question on its way, on the stack of who asks. */
struct question {
    struct hosts *hosts;
    struct arena *arena;
    struct gate answered;
    bool done, lost;
};

static bool address_is_allowed(const struct config *c, const struct ip *ip)
{
    if ((ip->family == 4 && !c->delivery.ipv4) || (ip->family == 6 && !c->delivery.ipv6))
        return false;
    if (ip_is_public(ip))
        return true;
    for (size_t i = 0; i < c->delivery.allow_network_count; i++)
        if (ip_net_has(&c->delivery.allow_networks[i], ip))
            return true;
    return false;
}

static bool await_answer(struct deliver *d, struct question *q, uint64_t number, struct err *err)
{
    int64_t deadline_ms = loop_now_ms() + ANSWER_WAIT_MS;
    bool ok = true;

    while (ok && !q->done && !q->lost)
        ok = gate_wait(&q->answered, deadline_ms, err);
    idmap_take(&d->questions, number);
    if (q->lost)
        return err_set(err, ERR_CLOSED, "no answer from the resolver role");
    return ok || err_at(err, "hosts");
}

static bool ask(struct deliver *d, struct str name, bool plain, struct arena *a, struct hosts *ret,
                struct err *err)
{
    struct question q = { .hosts = ret, .arena = a };
    uint64_t number = ++d->question_last;
    struct wire_hosts_ask *f;

    ret->count = 0;
    ret->refusal = (struct reply){ 0 };
    if (!d->resolve)
        return err_set(err, ERR_CLOSED, "the resolver role is away");
    gate_init(&q.answered);
    idmap_put(&d->questions, number, &q);
    f = wire_add(d->resolve->channel, WIRE_HOSTS_ASK, name.len);
    f->question = number;
    f->plain = plain;
    wire_put(f, &f->name, name);
    return await_answer(d, &q, number, err);
}

bool hosts_frame(struct deliver *d, const struct wire_host *f, struct err *err)
{
    struct question *q = idmap_find(&d->questions, f->question);

    if (!q || q->hosts->count == HOSTS_MAX)
        return true; /* nobody waits any more; or more than anybody will ever try */
    if (f->ip.family != 4 && f->ip.family != 6)
        return err_set(err, ERR_SYNTAX, "a host without address");
    q->hosts->list[q->hosts->count++] = (struct host){
        .name = arena_str(q->arena, wire_get(f, f->name)),
        .ip = wire_ip_get(&f->ip),
    };
    return true;
}

void hosts_answer(struct deliver *d, const struct wire_hosts_answer *f)
{
    struct question *q = idmap_find(&d->questions, f->question);

    if (!q)
        return;
    q->done = true;
    q->hosts->refusal = (struct reply){
        .code = f->code,
        .status = { (uint8_t)(f->code / 100), f->status_subject, f->status_detail },
        .text = arena_str(q->arena, wire_get(f, f->text)),
    };
    gate_wake_all(&q->answered);
}

void hosts_resolve_gone(struct deliver *d)
{
    uint64_t number;
    void *value;

    for (size_t at = 0; idmap_each(&d->questions, &at, &number, &value);) {
        struct question *q = value;

        q->lost = true;
        gate_wake_all(&q->answered);
    }
}

/* What leads to hosts ------------------------------------------------------------------------- */

static void only(struct hosts *h, struct str name, const struct ip *ip)
{
    h->refusal = (struct reply){ 0 };
    h->count = 1;
    h->list[0] = (struct host){ .name = name, .ip = *ip };
}

/* "[192.0.2.1]" and "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3). */
static bool literal_parse(struct str domain, struct ip *ret)
{
    struct str inside;

    if (domain.len < 2 || domain.ptr[0] != '[' || domain.ptr[domain.len - 1] != ']')
        return false;
    inside = str_sub(domain, 1, domain.len - 2);
    if (str_starts_nocase(inside, STR("IPv6:")))
        inside = str_skip(inside, 5);
    return ip_parse(inside, ret, NULL);
}

static void refuse(struct hosts *h, uint16_t code, uint16_t subject, uint16_t detail,
                   struct str text)
{
    h->count = 0;
    h->refusal = (struct reply){ code, { (uint8_t)(code / 100), subject, detail }, text };
}

/* Keeps those that may be connected to. */
static void keep_allowed(const struct config *c, struct hosts *h)
{
    size_t kept = 0;

    if (h->refusal.code != 0)
        return;
    for (size_t i = 0; i < h->count; i++)
        if (address_is_allowed(c, &h->list[i].ip))
            h->list[kept++] = h->list[i];
    h->count = kept;
    if (kept == 0)
        refuse(h, 451, 4, 4, STR("the mail servers have no address that may be connected to"));
}

bool hosts_find_plain(struct deliver *d, struct str name, struct arena *a, struct hosts *ret,
                      struct err *err)
{
    struct ip ip;

    if (ip_parse(name, &ip, NULL)) {
        only(ret, name, &ip);
        return true;
    }
    if (!ask(d, name, true, a, ret, err))
        return false;
    if (ret->count == 0 && ret->refusal.code == 0)
        refuse(ret, 451, 4, 4, STR("the host has no address"));
    return true;
}

/* The operator named the host of a route: that it lies inside is the point of it. */
bool hosts_find(struct deliver *d, const struct route *route, struct str domain, struct arena *a,
                struct hosts *ret, struct err *err)
{
    struct ip ip;

    if (route->kind != ROUTE_MX) {
        if (str_starts(route->host, STR("/"))) {
            only(ret, route->host, &(struct ip){ 0 });
            return true;
        }
        return hosts_find_plain(d, route->host, a, ret, err);
    }
    if (literal_parse(domain, &ip)) {
        only(ret, domain, &ip);
        if (!d->config->delivery.allow_literals)
            refuse(ret, 550, 1, 2, STR("mail to address literals is not sent"));
    } else if (!ask(d, domain, false, a, ret, err)) {
        return false;
    }
    keep_allowed(d->config, ret);
    return true;
}

// SPDX-License-Identifier: Apache-2.0
/* io/dns.c - look-ups through libunbound: one context, its one thread, and its pipe in our loop.
 *
 * The library's thread resolves, validates and caches; when answers wait its pipe becomes readable,
 * ub_process() runs our callback on the loop, and the callback wakes the fiber that asked. The
 * context is set up once, before its thread starts, and never touched again: its configuration is
 * not re-entrant. */
#include "io/dns.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unbound.h>

#include "base/mem.h"
#include "io/dns_record.h"
#include "io/loop.h"
#include "io/watch.h"

#define CLASS_IN 1
#define RCODE_OK 0
#define RCODE_NO_NAME 3

struct dns {
    struct ub_ctx *ctx;
    struct watch watch;
    size_t lookups; /* under way */
};

/* One question under way, on the stack of the fiber that waits for it. */
struct lookup {
    struct gate gate;
    bool done;
    int error;                /* the library's own, 0 when there is a result */
    struct ub_result *result; /* ours to free */
};

static bool failed(struct err *err, const char *what, int code)
{
    return err_set(err, ERR_DNS, "%s: %s", what, ub_strerror(code));
}

static void answers_ready(void *arg, uint32_t events)
{
    struct dns *d = arg;

    (void)events;
    (void)ub_process(d->ctx);
}

static void lookup_done(void *arg, int error, struct ub_result *result)
{
    struct lookup *l = arg;

    l->error = error;
    l->result = result;
    l->done = true;
    gate_wake_all(&l->gate);
}

/* Setting up
 * -----------------------------------------------------------------------------------------------------
 */

static bool set_fixed_options(struct ub_ctx *ctx, const struct dns_options *o, struct err *err)
{
    const struct {
        const char *name, *value;
    } options[] = {
        { "module-config:", o->trust_anchor_file ? "validator iterator" : "iterator" },
        /* A forwarder on loopback is the usual case on a mail server. */
        { "do-not-query-localhost:", "no" },
        /* The defaults (1024 and a few sockets) stall when thousands of domains are due at once. */
        { "outgoing-range:", "4096" },
        { "num-queries-per-thread:", "2048" },
        { "msg-cache-size:", "32m" },
        { "rrset-cache-size:", "64m" },
        /* Clamps as in resolve/ (fault S06). */
        { "cache-max-ttl:", "86400" },
        { "cache-max-negative-ttl:", "60" }, /* what is missing gets published */
        /* Private networks have names and reverse zones of their own; only asking the roots for
           them is wrong. */
        { "unblock-lan-zones:", o->recursive ? "no" : "yes" },
        { "insecure-lan-zones:", o->recursive ? "no" : "yes" },
    };

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        int code = ub_ctx_set_option(ctx, options[i].name, options[i].value);
        if (code != 0)
            return failed(err, options[i].name, code);
    }
    return true;
}

static bool add_server(struct ub_ctx *ctx, const struct endpoint *server, struct err *err)
{
    char ip[IP_TEXT_MAX], text[IP_TEXT_MAX + 8];

    snprintf(text, sizeof text, "%s@%u", ip_format(&server->ip, ip),
             server->port ? server->port : 53u);
    int code = ub_ctx_set_fwd(ctx, text);
    return code == 0 || failed(err, text, code);
}

static bool set_servers(struct ub_ctx *ctx, const struct dns_options *o, struct err *err)
{
    if (o->recursive)
        return true;
    for (size_t i = 0; i < o->server_count; i++)
        if (!add_server(ctx, &o->servers[i], err))
            return false;
    if (o->server_count > 0)
        return true;
    int code = ub_ctx_resolvconf(ctx, NULL);
    return code == 0 || failed(err, "/etc/resolv.conf", code);
}

static bool set_up(struct ub_ctx *ctx, const struct dns_options *o, struct err *err)
{
    if (!set_fixed_options(ctx, o, err) || !set_servers(ctx, o, err))
        return false;
    int code = o->trust_anchor_file ? ub_ctx_add_ta_file(ctx, o->trust_anchor_file) : 0;
    if (code != 0)
        return failed(err, o->trust_anchor_file, code);
    code = ub_ctx_async(ctx, /* a thread, not a process: */ 1);
    if (code != 0)
        return failed(err, "thread mode", code);
    /* The library answers "test." itself, unlike a network that has it. Freezes the configuration,
     * so it is last. */
    code = o->recursive ? 0 : ub_ctx_zone_remove(ctx, "test.");
    return code == 0 || failed(err, "zone test.", code);
}

/* A question that the library answers itself starts its thread: afterwards a confined role could
 * not. */
static bool start_thread(struct ub_ctx *ctx, struct err *err)
{
    char localhost[] = "localhost";
    struct lookup l = { 0 };

    gate_init(&l.gate);
    int code = ub_resolve_async(ctx, localhost, DNS_A, CLASS_IN, &l, lookup_done, NULL);
    if (code == 0)
        code = ub_wait(ctx);
    ub_resolve_free(l.result);
    return code == 0 || failed(err, "starting the resolver", code);
}

/* The library wants more than a fiber's stack here (a record of 64 KiB lies on it), and roles start
 * on fibers. */
struct setting_up {
    struct ub_ctx *ctx;
    const struct dns_options *options;
    struct err *err;
    bool ok;
};

static void *set_up_elsewhere(void *arg)
{
    struct setting_up *s = arg;

    s->ok = set_up(s->ctx, s->options, s->err) && start_thread(s->ctx, s->err);
    return NULL;
}

static bool set_up_on_thread(struct ub_ctx *ctx, const struct dns_options *o, struct err *err)
{
    struct setting_up s = { .ctx = ctx, .options = o, .err = err };
    pthread_t thread;

    errno = pthread_create(&thread, NULL, set_up_elsewhere, &s);
    if (errno != 0)
        return err_sys(err, "thread for the resolver");
    pthread_join(thread, NULL);
    return s.ok;
}

bool dns_new(const struct dns_options *o, struct dns **ret, struct err *err)
{
    struct dns *d = NEW(struct dns);

    d->ctx = ub_ctx_create();
    if (!d->ctx) {
        free(d);
        return err_set(err, ERR_DNS, "libunbound has no context for us");
    }
    if (!set_up_on_thread(d->ctx, o, err) ||
        !watch_add(&d->watch, ub_fd(d->ctx), EPOLLIN, answers_ready, d, err)) {
        ub_ctx_delete(d->ctx);
        free(d);
        return false;
    }
    *ret = d;
    return true;
}

void dns_free(struct dns *d)
{
    if (!d)
        return;
    assert(d->lookups == 0);
    watch_remove(&d->watch);
    ub_ctx_delete(d->ctx);
    free(d);
}

/* Answers
 * --------------------------------------------------------------------------------------------------------
 */

static const char *rcode_name(int rcode)
{
    static const char *const names[] = { "NOERROR",  "FORMERR", "SERVFAIL",
                                         "NXDOMAIN", "NOTIMP",  "REFUSED" };

    return rcode >= 0 && (size_t)rcode < ARRAY_LEN(names) ? names[rcode] : "an unknown answer code";
}

static void answer_temp(struct dns_answer *answer, struct str why)
{
    *answer = (struct dns_answer){ .status = DNS_TEMP, .why = why };
}

static bool read_records(const struct ub_result *r, enum dns_type type, struct arena *a,
                         struct dns_answer *answer, struct err *err)
{
    size_t count = 0;

    while (r->data && r->data[count] && count < DNS_RECORDS_MAX)
        count++;
    answer->records = count > 0 ? ARENA_ARRAY(a, struct dns_record, count) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (r->len[i] < 0)
            return err_set(err, ERR_SYNTAX, "record of negative length");
        struct str data = str_make(r->data[i], (size_t)r->len[i]);
        if (!dns_record_read(type, data, a, &answer->records[i], err))
            return false;
    }
    answer->count = count;
    return true;
}

static void read_result(const struct ub_result *r, enum dns_type type, struct arena *a,
                        struct dns_answer *answer)
{
    struct err err = { 0 };

    *answer =
        (struct dns_answer){ .secure = r->secure, .ttl_s = r->ttl > 0 ? (uint32_t)r->ttl : 0 };
    if (r->bogus) {
        answer_temp(answer, arena_strf(a, "bogus: %s",
                                       r->why_bogus ? r->why_bogus : "DNSSEC validation failed"));
    } else if (r->rcode == RCODE_NO_NAME) {
        answer->status = DNS_NO_NAME;
    } else if (r->rcode != RCODE_OK) {
        answer_temp(answer, str_of(rcode_name(r->rcode)));
    } else if (!read_records(r, type, a, answer, &err)) {
        answer_temp(answer, arena_strf(a, "malformed answer: %s", err.text));
    }
}

/* Waits. */
static bool await_result(struct dns *d, struct lookup *l, int id, int64_t deadline_ms,
                         struct err *err)
{
    while (!l->done) {
        if (!gate_wait(&l->gate, deadline_ms, err)) {
            /* The library forgets the question, and `l` with it. Unless the answer came in the same
             * turn. */
            if (!l->done)
                (void)ub_cancel(d->ctx, id);
            return l->done;
        }
    }
    return true;
}

bool dns_lookup(struct dns *d, struct str name, enum dns_type type, int64_t deadline_ms,
                struct arena *a, struct dns_answer *ret, struct err *err)
{
    struct lookup l = { 0 };
    int id = 0;

    /* What no name server could hold needs no asking. */
    if (!dns_name_ok(name)) {
        *ret = (struct dns_answer){ .status = DNS_NO_NAME };
        return true;
    }
    gate_init(&l.gate);
    int code =
        ub_resolve_async(d->ctx, arena_str(a, name).ptr, (int)type, CLASS_IN, &l, lookup_done, &id);
    if (code != 0) {
        answer_temp(ret, str_of(ub_strerror(code)));
        return true;
    }
    d->lookups++;
    bool came = await_result(d, &l, id, deadline_ms, err);
    d->lookups--;
    if (!came)
        return err_at(err, "DNS");
    if (l.error != 0)
        answer_temp(ret, str_of(ub_strerror(l.error)));
    else
        read_result(l.result, type, a, ret);
    ub_resolve_free(l.result);
    return true;
}

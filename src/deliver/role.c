// SPDX-License-Identifier: Apache-2.0
/* deliver/role.c - the role: its links, what arrives on them, and its beginning and end. */
#include "deliver/role.h"

#include <stdlib.h>

#include "base/log.h"
#include "deliver/connection.h"
#include "deliver/host.h"
#include "deliver/live.h"
#include "deliver/sign.h"
#include "deliver/site.h"
#include "io/loop.h"
#include "io/ring.h"
#include "io/sandbox.h"

/* Frames -------------------------------------------------------------------------------------- */

static bool from_core(struct deliver *d, const struct frame *f, struct err *err)
{
    switch (f->type) {
    case WIRE_JOB:
        return job_begin(d, (const void *)f, err);
    case WIRE_JOB_RCPT:
        return job_add_rcpt(d, (const void *)f, err);
    case WIRE_JOB_EDIT:
        return job_add_edit(d, (const void *)f, err);
    case WIRE_JOB_SIGN:
        return sign_add(d, (const void *)f, err);
    case WIRE_JOB_SIGNED:
        return sign_answer(d, (const void *)f, err);
    case WIRE_JOB_GO:
        return job_go(d, (const void *)f, err);
    case WIRE_JOB_CONTENT:
        return job_content(d, (const void *)f, err);
    case WIRE_JOB_CANCEL:
        job_cancel(d, (const void *)f);
        return true;
    case WIRE_SITE_LIMIT:
        site_limit(d, (const void *)f);
        return true;
    default:
        return err_set(err, ERR_SYNTAX, "frame %u means nothing to deliver", f->type);
    }
}

static bool from_others(struct deliver_link *l, const struct frame *f, struct err *err)
{
    switch (f->type) {
    case WIRE_HOST:
        return hosts_frame(l->role, (const void *)f, err);
    case WIRE_HOSTS_ANSWER:
        hosts_answer(l->role, (const void *)f);
        return true;
    case WIRE_ADMIN:
        live_ask(l->role, l, (const void *)f);
        return true;
    default:
        return err_set(err, ERR_SYNTAX, "frame %u means nothing to deliver", f->type);
    }
}

static bool frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct deliver_link *l = owner;

    (void)c;
    if (!wire_check(f, l->peer, ROLE_DELIVER, err))
        return false;
    if (l->peer == ROLE_CORE && l != l->role->core)
        return true; /* of a core that has been replaced */
    return l->peer == ROLE_CORE ? from_core(l->role, f, err) : from_others(l, f, err);
}

/* Links --------------------------------------------------------------------------------------- */

static void leave_peer(struct deliver_link *l)
{
    struct deliver *d = l->role;

    if (l == d->core) {
        d->core = NULL;
        job_abandon_all(d);
    } else if (l == d->resolve) {
        d->resolve = NULL;
        hosts_resolve_gone(d);
    }
    live_forget(d, l);
}

static void link_free(struct deliver_link *l)
{
    leave_peer(l);
    list_remove(&l->link);
    channel_free(l->channel);
    free(l);
}

static void closed(void *owner, struct channel *c, const struct err *why)
{
    struct deliver_link *l = owner;

    (void)c;
    if (!l->role->draining)
        log_text(LOG_WARN, "link-closed", "%s: %s", role_name(l->peer), why->text);
    link_free(l);
}

static const struct channel_events link_events = { .frame = frame, .closed = closed };

static void role_link(void *role, const struct role_link *from)
{
    struct deliver *d = role;
    struct deliver_link *l = NEW(struct deliver_link);

    l->role = d;
    l->peer = from->peer;
    l->channel = from->channel;
    l->ring_in = from->ring_in;
    list_append(&d->links, &l->link);
    if (l->peer == ROLE_CORE) {
        if (d->core)
            leave_peer(d->core);
        d->core = l;
    } else if (l->peer == ROLE_RESOLVE) {
        if (d->resolve)
            leave_peer(d->resolve);
        d->resolve = l;
    }
    channel_set_owner(l->channel, &link_events, l);
}

/* Beginning and end --------------------------------------------------------------------------- */

static bool any_route_verifies(const struct config *c)
{
    for (size_t i = 0; i < c->route_count; i++)
        if (c->routes[i].tls_verify)
            return true;
    return false;
}

static bool make_tls(const struct config *c, struct tls_client **ret_any,
                     struct tls_client **ret_named, struct err *err)
{
    struct str ca = c->delivery.tls_ca_file;
    struct tls_client *any, *named = NULL;
    struct buf path;
    bool ok = true;

    if (!tls_client_new(TLS_VERIFY_NONE, NULL, &any, err))
        return false;
    buf_init(&path, 4096);
    buf_add(&path, ca);
    if (any_route_verifies(c))
        ok = tls_client_new(TLS_VERIFY_NAME, ca.len > 0 ? buf_cstr(&path) : NULL, &named, err);
    buf_done(&path);
    if (!ok) {
        tls_client_free(any);
        return false;
    }
    *ret_any = any;
    *ret_named = named;
    return true;
}

static bool role_start(const struct role_start *s, void **ret_role, struct err *err)
{
    struct tls_client *any, *named;
    struct deliver *d;

    if (!make_tls(s->config, &any, &named, err))
        return err_at(err, "deliver");
    d = NEW(struct deliver);
    d->config = s->config;
    d->tls_any = any;
    d->tls_named = named;
    list_init(&d->links);
    list_init(&d->spare_jobs);
    list_init(&d->old_sites);
    list_init(&d->hungry);
    list_init(&d->idle);
    list_init(&d->trials);
    idmap_init(&d->jobs);
    idmap_init(&d->questions);
    map_init(&d->sites);
    map_init(&d->plain_hosts);
    buf_init(&d->skipped, JOB_WINDOW_BYTES);
    gate_init(&d->all_closed);
    gate_init(&d->converting);
    *ret_role = d;
    return true;
}

/* Certificates that can't be read now stay as they were: mail goes on. Handshakes in hand still use
 * the old ones, which therefore stay until the next reload, as the old configuration does. */
static void role_reload(void *role, const struct config *config, const struct role_start *s)
{
    struct deliver *d = role;
    struct tls_client *any, *named;
    struct err err = { 0 };

    (void)s;
    d->config = config;
    site_retire_all(d);
    if (!make_tls(config, &any, &named, &err)) {
        log_err(LOG_ALERT, "tls-reload-failed", &err);
        return;
    }
    tls_client_free(d->tls_before[0]);
    tls_client_free(d->tls_before[1]);
    d->tls_before[0] = d->tls_any;
    d->tls_before[1] = d->tls_named;
    d->tls_any = any;
    d->tls_named = named;
}

void deliver_story_ended(struct deliver *d)
{
    void (*drained)(void *arg) = d->drained;

    if (d->open > 0 || d->stories > 0)
        return;
    gate_wake_all(&d->all_closed);
    d->drained = NULL;
    if (drained)
        drained(d->drained_arg);
}

/* What waits in a queue has not been begun: core hands it out again. */
static void role_drain(void *role, void (*done)(void *arg), void *arg)
{
    struct deliver *d = role;

    d->draining = true;
    d->drained = done;
    d->drained_arg = arg;
    site_clear_all(d);
    deliver_story_ended(d);
}

static void role_status(void *role, struct buf *to)
{
    const struct deliver *d = role;

    buf_addf(to, "\"connections\":%u,\"jobs\":%zu,\"sites\":%zu", d->open, d->jobs.count,
             d->sites.count);
}

static void await_stories(struct deliver *d)
{
    struct err err;

    site_cancel_all(d);
    live_cancel_all(d);
    while (d->open > 0 || d->stories > 0)
        if (!gate_wait(&d->all_closed, NO_DEADLINE, &err) && err.kind == ERR_CANCELLED)
            fiber_yield();
}

static void role_free(void *role)
{
    struct deliver *d = role;

    d->ending = d->draining = true;
    d->drained = NULL;
    LIST_EACH (&d->links, struct deliver_link, l, link)
        link_free(l);
    await_stories(d);
    site_clear_all(d);
    LIST_EACH (&d->spare_jobs, struct job, j, link) {
        list_remove(&j->link);
        job_free(j);
    }
    plain_hosts_free(d);
    idmap_done(&d->jobs);
    idmap_done(&d->questions);
    map_done(&d->sites);
    buf_done(&d->skipped);
    dkim_body_done(&d->body);
    tls_client_free(d->tls_any);
    tls_client_free(d->tls_named);
    tls_client_free(d->tls_before[0]);
    tls_client_free(d->tls_before[1]);
    free(d);
}

const struct role_ops deliver_role = {
    .kind = ROLE_DELIVER,
    .name = "deliver",
    .sandbox_needs = SANDBOX_CONNECT,
    .start = role_start,
    .link = role_link,
    .reload = role_reload,
    .drain = role_drain,
    .status = role_status,
    .free = role_free,
};

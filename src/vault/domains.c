// SPDX-License-Identifier: Apache-2.0
/* vault/domains.c - domains and keys as a whole: from the database at start, to the end. */
#include <stdlib.h>

#include "base/log.h"
#include "io/clock.h"
#include "vault/domains_own.h"

enum { SMITHS = 1, SMITH_QUEUE_MAX = 64 };

struct str domains_relay(const struct domains *d)
{
    const struct config *c = d->vault->config;

    return c->proof.relay.len > 0 ? c->proof.relay : c->hostname;
}

/* Start ---------------------------------------------------------------------------------------- */

static void take_grant(void *arg, const struct grant_row *row)
{
    struct domains *d = arg;
    const struct roster *r = &d->vault->roster;

    grant_add(&d->grants, row, roster_account_of_id(r, row->account),
              roster_account_of_id(r, row->lessor));
}

static void take_key(void *arg, const struct key_row *row)
{
    struct domains *d = arg;

    key_add(&d->grants, grant_of_id(&d->grants, row->grant), row);
}

static bool load(struct control *c, void *arg, struct err *err)
{
    const struct control_domains_reader reader = { take_grant, take_key, arg };

    return control_load_domains(c, &reader, err);
}

static struct domains *domains_new(struct vault *v)
{
    struct domains *d = NEW(struct domains);

    d->vault = v;
    grants_init(&d->grants);
    inquiries_init(&d->inquiries);
    list_init(&d->due);
    list_init(&d->keyless);
    gate_init(&d->changed);
    return d;
}

bool domains_open(struct vault *v, struct keybox *box, struct domains **ret, struct err *err)
{
    struct domains *d = domains_new(v);

    d->box = box;
    if (!operate_run(v, load, d, err) ||
        !worker_pool_new("vault-keys", SMITHS, SMITH_QUEUE_MAX, &d->smithy, err) ||
        !signer_new(d, &d->signer, err)) {
        domains_free(d);
        return err_at(err, "domains");
    }
    *ret = d;
    return true;
}

void domains_start(struct domains *d)
{
    d->started = true;
    checker_start(d);
    LIST_EACH (&d->grants.all, struct grant, g, link)
        keysmith_wake(d, g, /* soon= */ false);
}

void domains_reload(struct domains *d)
{
    /* What is proved for this relay, for how long, on whose networks: the next looks tell. */
    checker_start(d);
    domain_tell_relay(d);
}

void domains_close(struct domains *d)
{
    d->closing = true;
    inquiries_close(&d->inquiries);
    gate_wake_all(&d->changed);
}

void domains_free(struct domains *d)
{
    if (!d)
        return;
    domains_close(d);
    while (d->stories > 0)
        loop_turn(100);
    LIST_EACH (&d->grants.all, struct grant, g, link) {
        checker_forget(g);
        keysmith_forget(g);
    }
    signer_free(d->signer);
    worker_pool_free(d->smithy);
    grants_done(&d->grants);
    inquiries_done(&d->inquiries);
    keybox_free(d->box);
    free(d);
}

/* resolve -------------------------------------------------------------------------------------- */

void domains_resolve_linked(struct domains *d, struct channel *channel)
{
    inquiries_link(&d->inquiries, channel);
}

void domains_resolve_gone(struct domains *d)
{
    inquiries_link(&d->inquiries, NULL);
}

bool domains_on_resolve(struct domains *d, const struct frame *f, struct err *err)
{
    return inquiries_on_frame(&d->inquiries, f, err);
}

/* Ends of grants ------------------------------------------------------------------------------- */

void domain_forget_key(struct domains *d, struct key *k)
{
    domain_tell_key_gone(d, k);
    signer_forget(d->signer, k->id);
    key_remove(&d->grants, k);
}

void domain_forget(struct domains *d, struct grant *g)
{
    LIST_EACH (&g->keys, struct key, k, link)
        domain_forget_key(d, k);
    domain_tell_gone(d, g);
    checker_forget(g);
    keysmith_forget(g);
    grant_remove(&d->grants, g);
    gate_wake_all(&d->changed);
}

size_t domains_count(const struct domains *d)
{
    return d->grants.by_id.count;
}

void domains_account_gone(struct domains *d, const struct account *a)
{
    LIST_EACH (&d->grants.all, struct grant, g, link)
        if (g->account == a || g->lessor == a)
            domain_forget(d, g);
}

bool domains_account_signs(const struct domains *d, const struct account *a)
{
    const struct grant *relay = grants_named(&d->grants, d->vault->config->dkim.also_sign);

    for (const struct account *at = a; at && !relay; at = at->parent)
        if (at->grants > 0 && (at == a || (at->flags & ACCOUNT_SHARES_DOMAINS)))
            return true;
    return relay != NULL;
}

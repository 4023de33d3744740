// SPDX-License-Identifier: Apache-2.0
/* vault/domain_tell.c - the image that core has of grants and keys: those that hold, and those that
 * sign. Each frame is sent once, for what has changed. */
#include "vault/domains_own.h"

uint32_t domain_dkim_facts(const struct grant *g)
{
    bool absent = false;

    LIST_EACH (&g->keys, struct key, k, link) {
        if (k->state == KEY_ACTIVE)
            return 0;
        absent = absent || k->absent;
    }
    if (list_empty(&g->keys))
        return 0;
    return absent ? FACT_DKIM_PENDING : FACT_DKIM_UNKNOWN;
}

static void send_grant(struct channel *core, struct grant *g)
{
    const struct str local = fields_get(NOUN_DOMAIN, g->settings, "local");
    struct wire_directory_domain *f =
        wire_add(core, WIRE_DIRECTORY_DOMAIN, g->domain.len + local.len);

    f->id = g->id;
    f->account = g->account->id;
    f->flags =
        (g->subdomains ? DOMAIN_SUBDOMAINS : 0u) | (g->method == METHOD_LEASE ? DOMAIN_LEASED : 0u);
    f->facts = g->facts | domain_dkim_facts(g);
    wire_put(f, &f->name, g->domain);
    wire_put(f, &f->local, local);
    g->told = true;
}

/* Its keys sign everybody's mail. */
static bool is_relay(const struct domains *d, const struct grant *g)
{
    return str_eq(g->domain, d->vault->config->dkim.also_sign);
}

static void send_key(const struct domains *d, struct channel *core, struct key *k)
{
    struct wire_directory_key *f =
        wire_add(core, WIRE_DIRECTORY_KEY, k->grant->domain.len + k->selector.len);

    f->id = k->id;
    f->grant = k->grant->id;
    f->stream = k->stream;
    f->algorithm = k->algorithm;
    f->flags = is_relay(d, k->grant) ? KEY_RELAY : 0;
    wire_put(f, &f->domain, k->grant->domain);
    wire_put(f, &f->selector, k->selector);
    k->told = true;
    k->told_relay = is_relay(d, k->grant);
}

void domain_tell_key_gone(struct domains *d, struct key *k)
{
    if (k->told)
        tell_gone(d->vault, DIRECTORY_KEY, k->id);
    k->told = false;
}

void domain_tell_gone(struct domains *d, struct grant *g)
{
    LIST_EACH (&g->keys, struct key, k, link)
        domain_tell_key_gone(d, k);
    if (g->told)
        tell_gone(d->vault, DIRECTORY_DOMAIN, g->id);
    g->told = false;
}

void domain_tell(struct domains *d, struct grant *g)
{
    struct channel *core = d->vault->core.channel;

    if (!core)
        return;
    if (!grant_holds(g)) {
        domain_tell_gone(d, g);
        return;
    }
    send_grant(core, g);
    /* New keys first, so that there is always one to sign with. */
    LIST_EACH (&g->keys, struct key, k, link)
        if (k->state == KEY_ACTIVE && (!k->told || k->told_relay != is_relay(d, g)))
            send_key(d, core, k);
    LIST_EACH (&g->keys, struct key, k, link)
        if (k->state != KEY_ACTIVE)
            domain_tell_key_gone(d, k);
}

void domain_tell_relay(struct domains *d)
{
    LIST_EACH (&d->grants.all, struct grant, g, link) {
        bool was = false;
        LIST_EACH (&g->keys, struct key, k, link)
            was = was || (k->told && k->told_relay);
        if (was != is_relay(d, g))
            domain_tell(d, g);
    }
}

void domains_tell(struct domains *d)
{
    LIST_EACH (&d->grants.all, struct grant, g, link) {
        g->told = false;
        LIST_EACH (&g->keys, struct key, k, link)
            k->told = false;
        domain_tell(d, g);
    }
}

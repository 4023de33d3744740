// SPDX-License-Identifier: Apache-2.0
/* vault/tell.c - what core is told: all accounts, streams and tenants between BEGIN and END when it
 * is linked, single frames afterwards. Each account with its own state: what cascades, core finds
 * by the parents. */
#include <assert.h>
#include <sodium.h>

#include "vault/domains.h"
#include "vault/vault.h"

enum { SRS_SECRET_BYTES = 32, SRS_SUBKEY = 1 };
static const char srs_context[crypto_kdf_CONTEXTBYTES + 1] = "batonSRS";
static_assert(SECRET_KEY_BYTES == crypto_kdf_KEYBYTES, "keys are derived from the start secret");

/* A key of its own kind is derived from the start secret, which itself stays here. */
static void send_begin(struct channel *core, const uint8_t key[SECRET_KEY_BYTES])
{
    uint8_t secret[SRS_SECRET_BYTES];
    struct wire_directory_begin *f = wire_add(core, WIRE_DIRECTORY_BEGIN, sizeof secret);
    int failed = crypto_kdf_derive_from_key(secret, sizeof secret, SRS_SUBKEY, srs_context, key);

    assert(!failed); /* only sizes out of bounds fail */
    wire_put(f, &f->secret, str_make(secret, sizeof secret));
    mem_wipe(secret, sizeof secret);
}

void tell_account(struct vault *v, const struct account *a)
{
    struct channel *core = v->core.channel;

    if (!core)
        return;
    struct wire_directory_account *f = wire_add(
        core, WIRE_DIRECTORY_ACCOUNT, a->name.len + a->rewrite_from.len + a->forward_domain.len);
    f->id = a->id;
    f->parent = a->parent ? a->parent->id : 0;
    f->default_stream = a->default_stream ? a->default_stream->id : 0;
    f->state = account_own_state(a);
    f->mode = a->identity;
    f->flags = a->flags;
    f->soft_percent = a->soft_percent;
    memcpy(f->limits, a->limits, sizeof f->limits);
    wire_put(f, &f->name, a->name);
    wire_put(f, &f->rewrite_from, a->rewrite_from);
    wire_put(f, &f->forward_domain, a->forward_domain);
}

void tell_stream(struct vault *v, const struct stream *s)
{
    struct channel *core = v->core.channel;

    if (!core)
        return;
    struct wire_directory_stream *f =
        wire_add(core, WIRE_DIRECTORY_STREAM, s->name.len + s->domain.len + s->return_domain.len);
    f->id = s->id;
    f->account = s->account->id;
    f->kind = s->kind;
    f->preflight = s->preflight;
    memcpy(f->limits, s->limits, sizeof f->limits);
    wire_put(f, &f->name, s->name);
    wire_put(f, &f->domain, s->domain);
    wire_put(f, &f->return_domain, s->return_domain);
}

void tell_tenant(struct vault *v, const struct credential *c)
{
    struct channel *core = v->core.channel;

    assert(c->kind == CREDENTIAL_TENANT);
    if (!core)
        return;
    struct wire_directory_tenant *f =
        wire_add(core, WIRE_DIRECTORY_TENANT, c->upstream.len + c->value.len);
    f->id = c->id;
    f->account = c->account->id;
    f->stream = c->stream ? c->stream->id : 0;
    wire_put(f, &f->upstream, c->upstream);
    wire_put(f, &f->value, c->value);
}

void tell_gone(struct vault *v, enum directory_noun noun, uint64_t id)
{
    if (!v->core.channel)
        return;
    struct wire_directory_gone *f = wire_add(v->core.channel, WIRE_DIRECTORY_GONE, 0);
    f->noun = noun;
    f->id = id;
}

void tell_all(struct vault *v)
{
    if (!v->core.channel)
        return;
    send_begin(v->core.channel, v->key);
    /* An account is older than those below it, so it is told before them. */
    LIST_EACH (&v->roster.accounts, struct account, a, link) {
        tell_account(v, a);
        LIST_EACH (&a->streams, struct stream, s, link)
            tell_stream(v, s);
    }
    LIST_EACH (&v->roster.credentials, struct credential, c, link)
        if (c->kind == CREDENTIAL_TENANT)
            tell_tenant(v, c);
    domains_tell(v->domains);
    (void)wire_add(v->core.channel, WIRE_DIRECTORY_END, 0);
}

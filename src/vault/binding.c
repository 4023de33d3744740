// SPDX-License-Identifier: Apache-2.0
/* vault/binding.c - whose a session is: its network's, a credential's, or a person's. core is told,
 * when that begins and when it ends. */
#include "base/log.h"
#include "io/clock.h"
#include "vault/auth.h"
#include "vault/domains.h"

/* An expiry that is further away is looked at again: the wall clock may be set. */
enum { REVIEW_EVERY_MS = 10 * 60 * 1000 };

/* The header of an upstream that is known by its certificate alone. */
#define TENANT_HEADER STR("X-Baton-Tenant")

/* What core is told ---------------------------------------------------------------------------- */

struct words {
    struct str login, upstream, tenant_header;
};

static void send_bind(struct vault_session *s, const struct bound *b, const struct words *w,
                      uint16_t opening)
{
    struct vault *v = s->accept->vault;

    s->told = *b;
    if (!v->core.channel)
        return; /* accept knows, and has refused */
    struct wire_session_bind *f = wire_add(v->core.channel, WIRE_SESSION_BIND,
                                           w->login.len + w->upstream.len + w->tenant_header.len);
    f->session = s->id;
    f->account = b->account;
    f->credential = b->credential;
    f->stream = b->stream;
    f->flags = b->flags;
    f->opening = opening;
    f->client = wire_ip_of(&s->client, s->port);
    f->accept_instance = s->accept->instance;
    f->listener = s->listener;
    wire_put(f, &f->login, w->login);
    wire_put(f, &f->upstream, w->upstream);
    wire_put(f, &f->tenant_header, w->tenant_header);
}

/* Nobody's, when the network is not trusted. */
static void of_network(const struct vault_session *s, struct bound *b, struct words *w)
{
    struct vault *v = s->accept->vault;
    const struct config_network *n = config_network_find(v->config, &s->client);
    struct account *a = n ? roster_account(&v->roster, n->account) : NULL;

    *b = (struct bound){ 0 };
    *w = (struct words){ 0 };
    if (n && n->upstream.len > 0) {
        b->flags = BIND_TRUSTED | BIND_TENANTS | BIND_SIGNS;
        w->upstream = n->upstream;
        w->tenant_header = n->tenant_header;
    } else if (a) {
        b->account = a->id;
        b->flags = BIND_TRUSTED | (domains_account_signs(v->domains, a) ? BIND_SIGNS : 0u);
    }
    if (b->flags && n->normalize)
        b->flags |= BIND_NORMALIZE;
}

/* As the networks of the same upstream have it. */
static struct str tenant_header(const struct config *c, struct str upstream)
{
    for (size_t i = 0; i < c->network_count; i++)
        if (str_eq(c->networks[i].upstream, upstream))
            return c->networks[i].tenant_header;
    return TENANT_HEADER;
}

static void of_credential(const struct vault_session *s, const struct credential *c,
                          struct bound *b, struct words *w)
{
    struct vault *v = s->accept->vault;

    *b = (struct bound){ .credential = c->id, .flags = s->by_flags };
    *w = (struct words){ .login = c->user };
    if (c->normalize)
        b->flags |= BIND_NORMALIZE;
    if (c->kind == CREDENTIAL_CERT && c->upstream.len > 0) {
        b->flags |= BIND_TENANTS | BIND_SIGNS;
        w->upstream = c->upstream;
        w->tenant_header = tenant_header(v->config, c->upstream);
        return;
    }
    b->account = c->account->id;
    b->stream = c->stream ? c->stream->id : 0;
    if (domains_account_signs(v->domains, c->account))
        b->flags |= BIND_SIGNS;
}

static void of_user(const struct vault_session *s, const struct user *u, struct bound *b,
                    struct words *w)
{
    *b = (struct bound){ .account = u->account->id, .flags = s->by_flags };
    *w = (struct words){ .login = u->name };
    if (domains_account_signs(s->accept->vault->domains, u->account))
        b->flags |= BIND_SIGNS;
}

/* Beginning ------------------------------------------------------------------------------------ */

void binding_by_network(struct vault_session *s, uint16_t opening)
{
    struct bound b;
    struct words w;

    s->by = BY_NETWORK;
    s->by_id = 0;
    s->by_flags = 0;
    timer_clear(&s->expiry);
    of_network(s, &b, &w);
    send_bind(s, &b, &w, opening);
}

static void watch_expiry(struct vault_session *s, const struct credential *c)
{
    int64_t wait_ms = c->expires_wall_ms - clock_wall_ms();

    timer_clear(&s->expiry);
    if (c->expires_wall_ms > 0)
        timer_set(&s->expiry, loop_now_ms() + (wait_ms < 0                 ? 0
                                               : wait_ms > REVIEW_EVERY_MS ? REVIEW_EVERY_MS
                                                                           : wait_ms));
}

void binding_by_credential(struct vault_session *s, struct credential *c, uint32_t how,
                           uint16_t opening)
{
    struct bound b;
    struct words w;

    s->by = BY_CREDENTIAL;
    s->by_id = c->id;
    s->by_flags = how;
    watch_expiry(s, c);
    c->last_used_wall_ms = clock_wall_ms();
    c->use_unsaved = true;
    of_credential(s, c, &b, &w);
    send_bind(s, &b, &w, opening);
}

void binding_by_user(struct vault_session *s, struct user *u)
{
    struct bound b;
    struct words w;

    s->by = BY_USER;
    s->by_id = u->id;
    s->by_flags = BIND_AUTHENTICATED;
    timer_clear(&s->expiry);
    u->last_used_wall_ms = clock_wall_ms();
    u->use_unsaved = true;
    of_user(s, u, &b, &w);
    send_bind(s, &b, &w, 0);
}

/* Ending --------------------------------------------------------------------------------------- */

static void log_unbound(const struct vault_session *s)
{
    char ip[IP_TEXT_MAX];
    struct log_line l;

    log_begin(&l, LOG_INFO, "session-unbound");
    log_cstr(&l, "client", ip_format(&s->client, ip));
    log_cstr(&l, "text", "what it had signed in with does not hold any more");
    log_end(&l);
}

/* What it would be bound to now; false: by its network alone. */
static bool holds(const struct vault_session *s, struct bound *b, struct words *w)
{
    const struct roster *r = &s->accept->vault->roster;

    if (s->by == BY_CREDENTIAL) {
        const struct credential *c = roster_credential_of_id(r, s->by_id);
        if (!c || verdict_of_credential(c, s) != VERDICT_RIGHT)
            return false;
        of_credential(s, c, b, w);
    } else if (s->by == BY_USER) {
        const struct user *u = idmap_find(&r->users_by_id, s->by_id);
        if (!u || verdict_of_user(u) != VERDICT_RIGHT)
            return false;
        of_user(s, u, b, w);
    } else if (s->by == BY_NETWORK) {
        of_network(s, b, w);
    } else {
        *b = (struct bound){ 0 };
        *w = (struct words){ 0 };
    }
    return true;
}

/* Not its network's either: who signed in as one account never becomes another's unasked. */
static void bind_to_nobody(struct vault_session *s)
{
    s->by = BY_NOBODY;
    s->by_id = 0;
    s->by_flags = 0;
    timer_clear(&s->expiry);
    send_bind(s, &(struct bound){ 0 }, &(struct words){ 0 }, BIND_UNASKED);
}

void binding_review(struct vault_session *s)
{
    const struct credential *c;
    struct bound b;
    struct words w;

    if (!holds(s, &b, &w)) {
        log_unbound(s);
        bind_to_nobody(s);
        return;
    }
    if (b.account != s->told.account || b.credential != s->told.credential ||
        b.stream != s->told.stream || b.flags != s->told.flags)
        send_bind(s, &b, &w, BIND_UNASKED);
    c = s->by == BY_CREDENTIAL ? roster_credential_of_id(&s->accept->vault->roster, s->by_id)
                               : NULL;
    if (c)
        watch_expiry(s, c);
}

/* All sessions --------------------------------------------------------------------------------- */

/* Those bound by that one, or all when `id` is 0. */
static void review_at(struct vault_peer *accept, enum bound_by by, uint64_t id)
{
    size_t at = 0;
    uint64_t session;
    void *value;

    while (idmap_each(&accept->sessions, &at, &session, &value)) {
        struct vault_session *s = value;
        if (id == 0)
            binding_review(s);
        else if (s->by == by && s->by_id == id)
            bind_to_nobody(s);
    }
}

void auth_unbind(struct vault *v, uint64_t credential)
{
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++)
        review_at(&v->accept[i], BY_CREDENTIAL, credential);
}

void auth_unbind_user(struct vault *v, uint64_t user)
{
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++)
        review_at(&v->accept[i], BY_USER, user);
}

void auth_review(struct vault *v)
{
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++)
        review_at(&v->accept[i], BY_NETWORK, 0);
}

void auth_account_changed(struct vault *v, const struct account *a)
{
    (void)a;
    auth_review(v);
}

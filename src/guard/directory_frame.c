// SPDX-License-Identifier: Apache-2.0
/* guard/directory_frame.c - vault's frames become the directory. Each tells one thing whole, anew
 * or as it is now. */
#include <stdlib.h>

#include "guard/directory.h"

void directory_init(struct directory *d)
{
    *d = (struct directory){ .known = false };
    list_init(&d->accounts);
    list_init(&d->relay_keys);
    idmap_init(&d->accounts_by_id);
    idmap_init(&d->streams_by_id);
    idmap_init(&d->grants_by_id);
    idmap_init(&d->keys_by_id);
    idmap_init(&d->tenants_by_id);
    map_init(&d->accounts_by_name);
    map_init(&d->domains);
    map_init(&d->tenants);
}

/* --- texts, one piece of heap each --- */

static void text_free(struct str *text)
{
    free((void *)(uintptr_t)text->ptr);
    *text = STR_NONE;
}

static void text_set(struct str *to, struct str text)
{
    char *copy = mem_new(text.len + 1);

    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    text_free(to);
    *to = str_make(copy, text.len);
}

/* --- what goes --- */

static void key_gone(struct directory *d, struct dir_key *k)
{
    idmap_take(&d->keys_by_id, k->id);
    list_remove(&k->link);
    list_remove(&k->relay_link);
    text_free(&k->domain);
    text_free(&k->selector);
    free(k);
}

/* Out of the others of its name. */
static void unlink_name(struct directory *d, struct dir_domain *g)
{
    struct dir_domain *first = map_take(&d->domains, g->name), **at = &first;

    while (*at && *at != g)
        at = &(*at)->next;
    if (*at)
        *at = g->next;
    g->next = NULL;
    if (first)
        map_put(&d->domains, first->name, first);
}

static void domain_gone(struct directory *d, struct dir_domain *g)
{
    LIST_EACH (&g->keys, struct dir_key, k, link)
        key_gone(d, k);
    idmap_take(&d->grants_by_id, g->id);
    unlink_name(d, g);
    list_remove(&g->account_link);
    text_free(&g->name);
    text_free(&g->local);
    free(g);
}

static void stream_gone(struct directory *d, struct dir_stream *s)
{
    idmap_take(&d->streams_by_id, s->id);
    list_remove(&s->link);
    text_free(&s->name);
    text_free(&s->domain);
    text_free(&s->return_domain);
    free(s);
}

static void tenant_gone(struct directory *d, struct dir_tenant *t)
{
    idmap_take(&d->tenants_by_id, t->id);
    if (map_find(&d->tenants, t->key) == t)
        map_take(&d->tenants, t->key);
    text_free(&t->key);
    free(t);
}

/* With all that is its own. */
static void account_gone(struct directory *d, struct dir_account *a)
{
    LIST_EACH (&a->grants, struct dir_domain, g, account_link)
        domain_gone(d, g);
    LIST_EACH (&a->streams, struct dir_stream, s, link)
        stream_gone(d, s);
    idmap_take(&d->accounts_by_id, a->id);
    if (map_find(&d->accounts_by_name, a->name) == a)
        map_take(&d->accounts_by_name, a->name);
    list_remove(&a->link);
    text_free(&a->name);
    text_free(&a->rewrite_from);
    text_free(&a->forward_domain);
    free(a);
}

static void on_gone(struct directory *d, const struct wire_directory_gone *m)
{
    struct dir_account *a;
    struct dir_stream *s;
    struct dir_domain *g;
    struct dir_key *k;
    struct dir_tenant *t;

    if (m->noun == DIRECTORY_ACCOUNT && (a = idmap_find(&d->accounts_by_id, m->id)) != NULL)
        account_gone(d, a);
    else if (m->noun == DIRECTORY_STREAM && (s = idmap_find(&d->streams_by_id, m->id)) != NULL)
        stream_gone(d, s);
    else if (m->noun == DIRECTORY_DOMAIN && (g = idmap_find(&d->grants_by_id, m->id)) != NULL)
        domain_gone(d, g);
    else if (m->noun == DIRECTORY_KEY && (k = idmap_find(&d->keys_by_id, m->id)) != NULL)
        key_gone(d, k);
    else if (m->noun == DIRECTORY_TENANT && (t = idmap_find(&d->tenants_by_id, m->id)) != NULL)
        tenant_gone(d, t);
}

/* --- what is there --- */

static void on_account(struct directory *d, const struct wire_directory_account *m)
{
    struct dir_account *a = idmap_find(&d->accounts_by_id, m->id);

    if (!a) {
        a = NEW(struct dir_account);
        a->id = m->id;
        list_init(&a->link);
        list_init(&a->grants);
        list_init(&a->streams);
        list_append(&d->accounts, &a->link);
        idmap_put(&d->accounts_by_id, a->id, a);
    } else if (map_find(&d->accounts_by_name, a->name) == a) {
        map_take(&d->accounts_by_name, a->name);
    }
    a->parent = m->parent;
    a->default_stream = m->default_stream;
    a->state = m->state;
    a->mode = m->mode;
    a->flags = m->flags;
    a->soft_percent = m->soft_percent;
    memcpy(a->limits, m->limits, sizeof a->limits);
    text_set(&a->name, wire_get(m, m->name));
    text_set(&a->rewrite_from, wire_get(m, m->rewrite_from));
    text_set(&a->forward_domain, wire_get(m, m->forward_domain));
    map_put(&d->accounts_by_name, a->name, a);
    a->stale = false;
}

static bool on_stream(struct directory *d, const struct wire_directory_stream *m, struct err *err)
{
    struct dir_stream *s = idmap_find(&d->streams_by_id, m->id);
    struct dir_account *a = directory_account(d, m->account);

    if (!a)
        return err_set(err, ERR_SYNTAX, "a stream of account %llu, which is not there",
                       (unsigned long long)m->account);
    if (!s) {
        s = NEW(struct dir_stream);
        s->id = m->id;
        list_init(&s->link);
        idmap_put(&d->streams_by_id, s->id, s);
    }
    list_remove(&s->link);
    list_append(&a->streams, &s->link);
    s->account = a;
    s->kind = m->kind;
    s->preflight = m->preflight;
    memcpy(s->limits, m->limits, sizeof s->limits);
    text_set(&s->name, wire_get(m, m->name));
    text_set(&s->domain, wire_get(m, m->domain));
    text_set(&s->return_domain, wire_get(m, m->return_domain));
    s->stale = false;
    return true;
}

static bool on_domain(struct directory *d, const struct wire_directory_domain *m, struct err *err)
{
    struct dir_domain *g = idmap_find(&d->grants_by_id, m->id);
    struct dir_account *a = directory_account(d, m->account);

    if (!a)
        return err_set(err, ERR_SYNTAX, "a domain of account %llu, which is not there",
                       (unsigned long long)m->account);
    if (!g) {
        g = NEW(struct dir_domain);
        g->id = m->id;
        list_init(&g->account_link);
        list_init(&g->keys);
        idmap_put(&d->grants_by_id, g->id, g);
    } else {
        unlink_name(d, g);
    }
    list_remove(&g->account_link);
    list_append(&a->grants, &g->account_link);
    g->account = a;
    g->flags = m->flags;
    g->facts = m->facts;
    text_set(&g->name, wire_get(m, m->name));
    text_set(&g->local, wire_get(m, m->local));
    g->next = map_take(&d->domains, g->name);
    map_put(&d->domains, g->name, g);
    g->stale = false;
    return true;
}

static bool on_key(struct directory *d, const struct wire_directory_key *m, struct err *err)
{
    struct dir_key *k = idmap_find(&d->keys_by_id, m->id);
    struct dir_domain *g = idmap_find(&d->grants_by_id, m->grant);

    if (!g)
        return err_set(err, ERR_SYNTAX, "a key of grant %llu, which is not there",
                       (unsigned long long)m->grant);
    if (!k) {
        k = NEW(struct dir_key);
        k->id = m->id;
        list_init(&k->link);
        list_init(&k->relay_link);
        idmap_put(&d->keys_by_id, k->id, k);
    }
    list_remove(&k->link);
    list_remove(&k->relay_link);
    list_append(&g->keys, &k->link);
    if (m->flags & KEY_RELAY)
        list_append(&d->relay_keys, &k->relay_link);
    k->grant = g;
    k->stream = m->stream;
    k->algorithm = m->algorithm;
    k->flags = m->flags;
    text_set(&k->domain, wire_get(m, m->domain));
    text_set(&k->selector, wire_get(m, m->selector));
    k->stale = false;
    return true;
}

static void on_tenant(struct directory *d, const struct wire_directory_tenant *m)
{
    struct dir_tenant *t = idmap_find(&d->tenants_by_id, m->id);
    struct str upstream = wire_get(m, m->upstream), value = wire_get(m, m->value);
    char *key = mem_new(upstream.len + value.len + 2);

    if (!t) {
        t = NEW(struct dir_tenant);
        t->id = m->id;
        idmap_put(&d->tenants_by_id, t->id, t);
    } else if (map_find(&d->tenants, t->key) == t) {
        map_take(&d->tenants, t->key);
    }
    if (upstream.len > 0)
        memcpy(key, upstream.ptr, upstream.len);
    key[upstream.len] = '\n';
    if (value.len > 0)
        memcpy(key + upstream.len + 1, value.ptr, value.len);
    text_free(&t->key);
    t->key = str_make(key, upstream.len + 1 + value.len);
    t->upstream = str_sub(t->key, 0, upstream.len);
    t->value = str_skip(t->key, upstream.len + 1);
    t->account = m->account;
    t->stream = m->stream;
    map_put(&d->tenants, t->key, t);
    t->stale = false;
}

/* --- the whole anew --- */

static void mark_stale(struct directory *d)
{
    size_t at = 0;
    uint64_t id;
    void *value;

    LIST_EACH (&d->accounts, struct dir_account, a, link)
        a->stale = true;
    while (idmap_each(&d->streams_by_id, &at, &id, &value))
        ((struct dir_stream *)value)->stale = true;
    at = 0;
    while (idmap_each(&d->grants_by_id, &at, &id, &value))
        ((struct dir_domain *)value)->stale = true;
    at = 0;
    while (idmap_each(&d->keys_by_id, &at, &id, &value))
        ((struct dir_key *)value)->stale = true;
    at = 0;
    while (idmap_each(&d->tenants_by_id, &at, &id, &value))
        ((struct dir_tenant *)value)->stale = true;
}

static void drop_stale_of(struct directory *d, struct dir_account *a)
{
    LIST_EACH (&a->streams, struct dir_stream, s, link)
        if (s->stale)
            stream_gone(d, s);
    LIST_EACH (&a->grants, struct dir_domain, g, account_link) {
        LIST_EACH (&g->keys, struct dir_key, k, link)
            if (k->stale)
                key_gone(d, k);
        if (g->stale)
            domain_gone(d, g);
    }
}

static void drop_tenants(struct directory *d, bool all)
{
    size_t at = 0;
    uint64_t id;
    void *value;

    while (idmap_each(&d->tenants_by_id, &at, &id, &value)) {
        struct dir_tenant *t = value;
        if (all || t->stale)
            tenant_gone(d, t);
    }
}

static void drop_stale(struct directory *d)
{
    LIST_EACH (&d->accounts, struct dir_account, a, link) {
        drop_stale_of(d, a);
        if (a->stale)
            account_gone(d, a);
    }
    drop_tenants(d, false);
}

static bool on_begin(struct directory *d, const struct wire_directory_begin *m, struct err *err)
{
    struct str secret = wire_get(m, m->secret);

    if (secret.len != sizeof d->secret)
        return err_set(err, ERR_SYNTAX, "a directory with a secret of %zu octets", secret.len);
    memcpy(d->secret, secret.ptr, secret.len);
    mark_stale(d);
    return true;
}

bool directory_on_frame(struct directory *d, const struct frame *f, struct err *err)
{
    switch (f->type) {
    case WIRE_DIRECTORY_BEGIN:
        return on_begin(d, (const void *)f, err);
    case WIRE_DIRECTORY_ACCOUNT:
        on_account(d, (const void *)f);
        return true;
    case WIRE_DIRECTORY_STREAM:
        return on_stream(d, (const void *)f, err);
    case WIRE_DIRECTORY_DOMAIN:
        return on_domain(d, (const void *)f, err);
    case WIRE_DIRECTORY_KEY:
        return on_key(d, (const void *)f, err);
    case WIRE_DIRECTORY_TENANT:
        on_tenant(d, (const void *)f);
        return true;
    case WIRE_DIRECTORY_GONE:
        on_gone(d, (const void *)f);
        return true;
    case WIRE_DIRECTORY_END:
        drop_stale(d);
        d->known = true;
        return true;
    default:
        return err_set(err, ERR_SYNTAX, "%s is none of the directory's", wire_type_name(f->type));
    }
}

void directory_done(struct directory *d)
{
    LIST_EACH (&d->accounts, struct dir_account, a, link)
        account_gone(d, a);
    drop_tenants(d, true);
    idmap_done(&d->accounts_by_id);
    idmap_done(&d->streams_by_id);
    idmap_done(&d->grants_by_id);
    idmap_done(&d->keys_by_id);
    idmap_done(&d->tenants_by_id);
    map_done(&d->accounts_by_name);
    map_done(&d->domains);
    map_done(&d->tenants);
    mem_wipe(d->secret, sizeof d->secret);
}

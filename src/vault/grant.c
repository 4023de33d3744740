// SPDX-License-Identifier: Apache-2.0
/* vault/grant.c - the tables of grants and keys in memory. */
#include "vault/grant.h"

#include <assert.h>
#include <stdlib.h>

#include "vault/fields.h"
#include "vault/suffix.h"

void grants_init(struct grants *all)
{
    list_init(&all->all);
    list_init(&all->leases);
    idmap_init(&all->by_id);
    idmap_init(&all->keys_by_id);
    map_init(&all->by_domain);
}

void grants_done(struct grants *all)
{
    LIST_EACH (&all->all, struct grant, g, link)
        grant_remove(all, g);
    idmap_done(&all->by_id);
    idmap_done(&all->keys_by_id);
    map_done(&all->by_domain);
}

/* Texts ---------------------------------------------------------------------------------------- */

static struct str text_copy(struct str text)
{
    char *to;

    if (text.len == 0)
        return STR_NONE;
    to = mem_new(text.len);
    memcpy(to, text.ptr, text.len);
    return str_make(to, text.len);
}

static void text_free(struct str *text)
{
    free((void *)(uintptr_t)text->ptr);
    *text = STR_NONE;
}

static void text_set(struct str *at, struct str text)
{
    const struct str copy = text_copy(text); /* first: it may be a piece of the old one */

    text_free(at);
    *at = copy;
}

/* The text copied behind the struct that it belongs to. */
static struct str text_behind(char **at, struct str text)
{
    const struct str copy = str_make(*at, text.len);

    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

/* Grants --------------------------------------------------------------------------------------- */

static void chain(struct grants *all, struct grant *g)
{
    struct grant *first = map_find(&all->by_domain, g->domain);

    if (!first) {
        (void)map_put(&all->by_domain, g->domain, g);
        return;
    }
    g->next = first->next;
    first->next = g;
}

static void unchain(struct grants *all, struct grant *g)
{
    struct grant *first = map_take(&all->by_domain, g->domain);

    if (first == g) {
        first = g->next;
    } else {
        struct grant *at = first;
        while (at->next != g)
            at = at->next;
        at->next = g->next;
    }
    /* The key lies in a grant: it has to be one that stays. */
    if (first)
        (void)map_put(&all->by_domain, first->domain, first);
    g->next = NULL;
}

struct grant *grant_add(struct grants *all, const struct grant_row *row, struct account *account,
                        struct account *lessor)
{
    struct grant *g = mem_new(sizeof *g + row->domain.len);
    char *behind = (char *)(g + 1);

    g->id = row->id;
    g->account = account;
    g->lessor = lessor;
    g->method = row->method;
    g->standing = row->standing;
    g->facts = row->facts;
    g->created_wall_ms = row->created_wall_ms;
    g->domain = text_behind(&behind, row->domain);
    list_init(&g->keys);
    list_init(&g->lease);
    list_init(&g->due);
    list_init(&g->keyless);
    grant_set_settings(g, row->settings);
    grant_set_why(g, row->why);
    list_append(&all->all, &g->link);
    void *by_id = idmap_put(&all->by_id, g->id, g);
    assert(!by_id);
    chain(all, g);
    if (lessor)
        list_append(&all->leases, &g->lease);
    account->grants++;
    return g;
}

static void grant_free(struct grant *g)
{
    text_free(&g->settings);
    text_free(&g->why);
    free(g);
}

void grant_hold(struct grant *g)
{
    g->held++;
}

void grant_drop(struct grant *g)
{
    g->held--;
    if (g->gone && g->held == 0)
        grant_free(g);
}

void grant_remove(struct grants *all, struct grant *g)
{
    LIST_EACH (&g->keys, struct key, k, link)
        key_remove(all, k);
    assert(list_empty(&g->due) && list_empty(&g->keyless) && g->timer.place == 0);
    (void)idmap_take(&all->by_id, g->id);
    unchain(all, g);
    list_remove(&g->link);
    list_remove(&g->lease);
    g->account->grants--;
    g->account = NULL;
    g->gone = true;
    if (g->held == 0)
        grant_free(g);
}

void grant_set_settings(struct grant *g, struct str settings)
{
    text_set(&g->settings, settings);
    g->subdomains =
        fields_true(NOUN_DOMAIN, g->settings, "subdomains") && !suffix_has_tenants(g->domain);
}

void grant_set_why(struct grant *g, struct str why)
{
    text_set(&g->why, why);
}

void grant_move(struct grant *g, struct account *to)
{
    g->account->grants--;
    g->account = to;
    to->grants++;
}

/* Keys ----------------------------------------------------------------------------------------- */

struct key *key_add(struct grants *all, struct grant *g, const struct key_row *row)
{
    struct key *k = mem_new(sizeof *k + row->selector.len + row->record.len);
    char *behind = (char *)(k + 1);

    k->grant = g;
    k->id = row->id;
    k->stream = row->stream;
    k->algorithm = (enum dkim_algorithm)row->algorithm;
    k->state = row->state;
    k->created_wall_ms = row->created_wall_ms;
    k->published_wall_ms = row->published_wall_ms;
    k->retired_wall_ms = row->retired_wall_ms;
    k->missing_wall_ms = row->missing_wall_ms;
    k->selector = text_behind(&behind, row->selector);
    k->record = text_behind(&behind, row->record);
    key_set_why(k, row->why);
    list_append(&g->keys, &k->link);
    void *by_id = idmap_put(&all->keys_by_id, k->id, k);
    assert(!by_id);
    return k;
}

void key_remove(struct grants *all, struct key *k)
{
    (void)idmap_take(&all->keys_by_id, k->id);
    list_remove(&k->link);
    text_free(&k->why);
    free(k);
}

void key_set_why(struct key *k, struct str why)
{
    text_set(&k->why, why);
}

/* Finding -------------------------------------------------------------------------------------- */

struct grant *grants_named(const struct grants *all, struct str domain)
{
    return map_find(&all->by_domain, domain);
}

struct grant *grant_find(const struct grants *all, const struct account *a, struct str domain)
{
    for (struct grant *g = grants_named(all, domain); g; g = g->next)
        if (g->account == a)
            return g;
    return NULL;
}

struct grant *grant_of_id(const struct grants *all, uint64_t id)
{
    return idmap_find(&all->by_id, id);
}

struct key *key_of_id(const struct grants *all, uint64_t id)
{
    return idmap_find(&all->keys_by_id, id);
}

/* The name above, empty behind the last. */
static struct str above(struct str domain)
{
    return str_skip(domain, str_index(domain, '.') + 1);
}

struct grant *grant_covering(const struct grants *all, const struct account *a, struct str domain)
{
    for (struct str at = domain; at.len > 0; at = above(at)) {
        struct grant *g = grant_find(all, a, at);
        if (g && (at.len == domain.len || g->subdomains))
            return g;
    }
    return NULL;
}

static bool related(const struct account *a, const struct account *b)
{
    return account_is_below(a, b) || account_is_below(b, a);
}

struct grant *grant_of_others(const struct grants *all, const struct account *a, struct str domain)
{
    for (struct str at = domain; at.len > 0; at = above(at))
        for (struct grant *g = grants_named(all, at); g; g = g->next)
            if (grant_holds(g) && (at.len == domain.len || g->subdomains) &&
                !related(g->account, a))
                return g;
    return NULL;
}

bool grant_serves(const struct grant *g, const struct account *a)
{
    return g->account == a ||
           ((g->account->flags & ACCOUNT_SHARES_DOMAINS) != 0 && account_is_below(a, g->account));
}

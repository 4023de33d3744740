// SPDX-License-Identifier: Apache-2.0
/* guard/directory.c - core's image of who there is: the answers to what is asked of it. What fills
 * it is directory_frame.c. */
#include "guard/directory.h"

/* Accounts lie below accounts, as vault keeps them without a ring and not this deep; a lie about it
 * ends here. */
#define DEPTH_MAX 32

struct dir_account *directory_account(const struct directory *d, uint64_t id)
{
    return idmap_find(&d->accounts_by_id, id);
}

struct dir_stream *directory_stream(const struct directory *d, uint64_t id)
{
    return idmap_find(&d->streams_by_id, id);
}

struct dir_stream *directory_stream_named(const struct dir_account *a, struct str name)
{
    LIST_EACH (&a->streams, struct dir_stream, s, link)
        if (str_eq_nocase(s->name, name))
            return s;
    return NULL;
}

struct dir_tenant *directory_tenant(const struct directory *d, struct str upstream,
                                    struct str value)
{
    char key[512];

    if (upstream.len + 1 + value.len > sizeof key)
        return NULL;
    if (upstream.len > 0)
        memcpy(key, upstream.ptr, upstream.len);
    key[upstream.len] = '\n';
    if (value.len > 0)
        memcpy(key + upstream.len + 1, value.ptr, value.len);
    return map_find(&d->tenants, str_make(key, upstream.len + 1 + value.len));
}

enum account_state directory_state(const struct directory *d, const struct dir_account *a)
{
    enum account_state state = ACCOUNT_ACTIVE;

    for (unsigned depth = 0;; depth++) {
        if (!a || depth == DEPTH_MAX || a->state == ACCOUNT_SUSPENDED)
            return ACCOUNT_SUSPENDED;
        if (a->state != ACCOUNT_ACTIVE)
            state = ACCOUNT_SANDBOX;
        if (a->parent == 0)
            return state;
        a = directory_account(d, a->parent);
    }
}

/* Whether the account may use what is granted to `holder`: its own, or shared from above. The
 * number of steps up is in *ret_steps. */
static bool is_usable(const struct directory *d, const struct dir_account *a,
                      const struct dir_account *holder, unsigned *ret_steps)
{
    if (a != holder && !(holder->flags & ACCOUNT_SHARES_DOMAINS))
        return false;
    for (*ret_steps = 0; a && *ret_steps < DEPTH_MAX; ++*ret_steps) {
        if (a == holder)
            return true;
        a = a->parent ? directory_account(d, a->parent) : NULL;
    }
    return false;
}

/* The best of those of one name: the account's own, else of the nearest above. *ret_is_ours tells
 * that there is one at all, be it for this name alone. */
static struct dir_domain *best_of(const struct directory *d, const struct dir_account *a,
                                  struct dir_domain *first, bool exact, bool *ret_is_ours)
{
    struct dir_domain *best = NULL;
    unsigned steps, best_steps = DEPTH_MAX;

    *ret_is_ours = false;
    for (struct dir_domain *g = first; g; g = g->next) {
        if (!is_usable(d, a, g->account, &steps))
            continue;
        *ret_is_ours = true;
        if ((exact || (g->flags & DOMAIN_SUBDOMAINS)) && steps < best_steps) {
            best = g;
            best_steps = steps;
        }
    }
    return best;
}

/* Without its first label; false when there is no more than one. */
static bool go_up(struct str *domain)
{
    struct str label;

    return str_cut(*domain, '.', &label, domain);
}

struct dir_domain *directory_grant(const struct directory *d, const struct dir_account *a,
                                   struct str domain)
{
    bool exact = true, is_ours;

    do {
        struct dir_domain *first = map_find(&d->domains, domain);
        if (first) {
            struct dir_domain *best = best_of(d, a, first, exact, &is_ours);
            if (best || !is_ours)
                return best;
        }
        exact = false;
    } while (go_up(&domain));
    return NULL;
}

bool directory_domain_is_taken(const struct directory *d, struct str domain)
{
    bool exact = true;

    do {
        for (struct dir_domain *g = map_find(&d->domains, domain); g; g = g->next)
            if (exact || (g->flags & DOMAIN_SUBDOMAINS))
                return true;
        exact = false;
    } while (go_up(&domain));
    return false;
}

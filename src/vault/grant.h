// SPDX-License-Identifier: Apache-2.0
/* vault/grant.h - grants and their keys in memory: what the files behind domains.h share. The
 * database is the truth (control_domains.h); a change goes there first. No I/O.
 *
 * A grant is one account's right to one domain; several accounts may have the same domain. What
 * waits while it holds a grant says grant_hold(), and looks at `gone` afterwards. */
#pragma once

#include "io/loop.h"
#include "mail/dkim.h"
#include "vault/control_domains.h"
#include "vault/roster.h"

struct key {
    struct list link; /* in its grant's, oldest first */
    struct grant *grant;
    uint64_t id, stream; /* stream 0: any */
    enum dkim_algorithm algorithm;
    enum key_state state;
    bool told, told_relay; /* core knows it; and as one of the relay's */
    bool absent;           /* at the last look some server answered without it */
    int64_t created_wall_ms, published_wall_ms, retired_wall_ms, missing_wall_ms;
    struct str why;              /* owned */
    struct str selector, record; /* behind the struct */
};

struct grant {
    struct list link;   /* in grants.all, oldest first */
    struct grant *next; /* another account's of the same domain */
    uint64_t id;
    struct account *account;
    struct account *lessor; /* METHOD_LEASE */
    struct list lease;      /* in grants.leases */
    enum grant_method method;
    struct proof_standing standing;
    uint32_t facts; /* enum domain_fact, without those of DKIM */
    bool subdomains;
    int64_t created_wall_ms;
    struct list keys;
    struct str settings, why; /* owned */
    struct str domain;        /* lower-case A-labels; behind the struct */

    bool told;     /* core knows it */
    bool gone;     /* removed: only who holds it still sees it */
    unsigned held; /* stories that have it in hand */

    /* checker.c */
    struct domains *domains;
    struct timer timer;
    struct list due; /* in checker.due */
    int64_t wait_ms; /* between looks while something is pending; 0: as at first */
    bool looking;
    bool at_servers; /* the next look asks them one by one, for the owner's veto too */
    /* keysmith.c */
    struct list keyless; /* in keysmith.due */
    bool making;
};

struct grants {
    struct list all, leases;
    struct idmap by_id, keys_by_id;
    struct map by_domain; /* the first of the name */
};

void grants_init(struct grants *all);
void grants_done(struct grants *all);

struct grant *grant_add(struct grants *all, const struct grant_row *row, struct account *account,
                        struct account *lessor);
/* With its keys. Its timer and lists are clear already. */
void grant_remove(struct grants *all, struct grant *g);
void grant_set_settings(struct grant *g, struct str settings);
void grant_set_why(struct grant *g, struct str why);
void grant_move(struct grant *g, struct account *to);
void grant_hold(struct grant *g);
void grant_drop(struct grant *g);

struct key *key_add(struct grants *all, struct grant *g, const struct key_row *row);
void key_remove(struct grants *all, struct key *k);
void key_set_why(struct key *k, struct str why);

/* NULL when absent. */
struct grant *grant_find(const struct grants *all, const struct account *a, struct str domain);
struct grant *grants_named(const struct grants *all, struct str domain);
struct grant *grant_of_id(const struct grants *all, uint64_t id);
struct key *key_of_id(const struct grants *all, uint64_t id);
/* The grant by which `a` itself may use the domain: of this name, or of the nearest above that
 * holds for what is below. Proved or not. */
struct grant *grant_covering(const struct grants *all, const struct account *a, struct str domain);
/* A proved grant of the domain, or one above that covers it, which belongs to nobody above or below
 * `a`: NULL when the name is free for it (fault T04). */
struct grant *grant_of_others(const struct grants *all, const struct account *a, struct str domain);
/* Whether mail of that account may be signed by this grant's keys. */
bool grant_serves(const struct grant *g, const struct account *a);

static inline bool grant_holds(const struct grant *g)
{
    return g->standing.state == GRANT_PROVED;
}

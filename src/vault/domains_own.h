// SPDX-License-Identifier: Apache-2.0
/* vault/domains_own.h - what the files behind domains.h share: the struct itself, and what each
 * does for the others. Nobody else includes it.
 *
 *   domains.c         start, end, frames
 *   domain_tell.c     what core is told of grants and keys
 *   domain_verbs.c    what operators ask (domain_show.c: what they are shown)
 *   checker.c         when which domain is looked at; look.c: one look; verdict.c: what follows
 *   keysmith.c        new keys
 *   sign.c            signatures */
#pragma once

#include "io/worker.h"
#include "mail/dmarc_walk.h"
#include "vault/domains.h"
#include "vault/grant.h"
#include "vault/hosted.h"
#include "vault/inquiry.h"
#include "vault/keybox.h"

struct signer;

struct domains {
    struct vault *vault;
    struct grants grants;
    struct inquiries inquiries;
    struct keybox *box;
    struct signer *signer;

    struct list due; /* checker.c: grants whose time has come, in order */
    unsigned looking;
    struct list keyless; /* keysmith.c: grants that want keys, in order */
    struct worker_pool *smithy;
    bool smith_works;    /* its story runs */
    bool forging;        /* keys are being made: one set after the other */
    struct gate changed; /* a look or a making has ended */

    unsigned stories; /* that run, and hold what is here */
    bool started, closing;
};

/* Relay's name in proof records. */
struct str domains_relay(const struct domains *d);

/* domain_tell.c: what preflight is to know of the grant's keys. */
uint32_t domain_dkim_facts(const struct grant *g);
/* Exact and once. Nothing while core is away. */
void domain_tell(struct domains *d, struct grant *g);
void domain_tell_gone(struct domains *d, struct grant *g);
/* dkim.also_sign may be another domain now. */
void domain_tell_relay(struct domains *d);
void domain_tell_key_gone(struct domains *d, struct key *k);

/* Whoever removes a grant from memory does it by this. */
void domain_forget(struct domains *d, struct grant *g);
void domain_forget_key(struct domains *d, struct key *k);

/* domain_show.c: the grant as a row of an answer. */
void domain_row(const struct domains *d, const struct request *r, const struct grant *g);
/* The rows of domain_records(), of pending keys alone when `news`. */
MUST_USE bool domain_record_rows(const struct domains *d, const struct request *r,
                                 const struct grant *g, bool news, struct err *err);
/* The one that the request names. ERR_NOT_FOUND; ERR_SYNTAX: several accounts have it. */
MUST_USE bool domain_find(const struct domains *d, const struct request *r, struct grant **ret,
                          struct err *err);

/* --- looks --- */

#define LOOK_KEYS_MAX 64

struct look_key {
    uint64_t key_id; /* the key may be gone by now */
    struct str selector;
    struct inquiry *inquiry;
};
/* What was found of a grant; texts in an arena. An inquiry that is not `done` had no answer. */
struct look {
    struct grant *grant; /* held by who looks */
    struct proof_record want;
    struct inquiry *proof, *lock_above; /* TXT at _baton; lock_above: of the registered name */
    struct inquiry *spf, *mx, *a, *aaaa;
    struct dmarc_walk walk;
    struct inquiry *dmarc[DMARC_WALK_MAX]; /* one a step */
    struct look_key keys[LOOK_KEYS_MAX];
    size_t key_count;
    struct hosted hosted;
    int64_t wall_ms;
};
/* Everything about the grant, asked at once. ERR_TIMEOUT when resolve is away, ERR_CANCELLED.
 * Waits.
 */
MUST_USE bool look_at(struct domains *d, struct grant *g, struct arena *a, struct look *ret,
                      struct err *err);

/* What follows: database, memory, core, log. Waits. */
MUST_USE bool verdict_pass(struct domains *d, const struct look *l, struct arena *a,
                           struct err *err);
/* Facts for guard/preflight of what the look found, over the old ones. */
uint32_t verdict_facts(const struct look *l, uint32_t before);

/* --- checker.c --- */

void checker_start(struct domains *d);
/* The grant is looked at after so long, if it is not due before. */
void checker_watch(struct domains *d, struct grant *g, int64_t in_ms);
void checker_forget(struct grant *g);
/* One look at once, after one that is under way. Waits. False also when the grant is gone. */
MUST_USE bool checker_look(struct domains *d, struct grant *g, struct arena *a, struct look *ret,
                           struct err *err);
/* Leases end and begin with what their lessor has: looks at those of this one. */
void leases_follow(struct domains *d, const struct account *lessor);

/* --- keysmith.c --- */

/* Keys that are wanted are made in the background; `soon` before those of others. */
void keysmith_wake(struct domains *d, struct grant *g, bool soon);
void keysmith_forget(struct grant *g);
/* Whether a key is missing, or old enough for a successor. */
bool keysmith_wanted(const struct domains *d, const struct grant *g);
/* Keys that nobody wants any more with these settings: of an algorithm or a stream that is no
 * longer named. */
size_t keysmith_unwanted(const struct grant *g, struct str settings, uint64_t ids[LOOK_KEYS_MAX]);
/* Successors now, for every slot that has no key waiting already: ERR_EXISTS when all have. Waits.
 */
MUST_USE bool keysmith_rotate(struct domains *d, struct grant *g, const struct request *r,
                              struct err *err);
/* Until the grant has its keys. Waits. */
MUST_USE bool keysmith_await(struct domains *d, struct grant *g, int64_t deadline_ms,
                             struct err *err);

/* --- sign.c --- */

MUST_USE bool signer_new(struct domains *d, struct signer **ret, struct err *err);
void signer_free(struct signer *s);
/* The key is gone: what was opened of it is closed. */
void signer_forget(struct signer *s, uint64_t key);

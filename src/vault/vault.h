// SPDX-License-Identifier: Apache-2.0
/* vault/vault.h - what the files of vault share.
 *
 *   auth.c      whose a session is: by trusted network when it opens, by credential at AUTH
 *               (attempt.c, binding.c)
 *   roster.c    accounts, streams, people and credentials in memory
 *   control.c   the same on disk, through the seam of database.c
 *   operate.c   what operators ask, one after the other (accounts.c, streams.c, credentials.c …)
 *   audit.c     how a change gets into the database, and who made it
 *   fields.c    what can be set on each of them
 *   tell.c      what core is told of them
 *   domains.c   domains and their keys
 *   role.c      links, gate, start and end */
#pragma once

#include "io/loop.h"
#include "io/worker.h"
#include "vault/password.h"
#include "vault/roster.h"
#include "vault/secret.h"
#include "vault/slowdown.h"
#include "wire/wire.h"

struct vault;

/* One role at the other end of a link. The struct stays; the channel changes when that role is
 * restarted. */
struct vault_peer {
    struct vault *vault;
    enum role_kind kind;
    unsigned instance;
    uint32_t generation;
    struct channel *channel; /* NULL while it is away */
    struct idmap sessions;   /* accept: session -> struct vault_session */
};

struct vault {
    const struct config *config;
    uint8_t key[SECRET_KEY_BYTES];
    uint8_t nobody[SECRET_HASH_BYTES]; /* compared with when the user is unknown */
    struct roster roster;
    struct control *control; /* touched by `worker` alone once the role has started */
    struct worker_pool *worker;
    struct disk *folder; /* NULL in memory */
    bool live;           /* setting of the same name: an operator opened the gate */

    struct vault_peer accept[ROLE_INSTANCES_MAX], web[ROLE_INSTANCES_MAX], core, resolve;
    struct slowdown slowdown;
    unsigned answers_waiting; /* attempts to sign in that are not answered yet */
    struct list checks;       /* attempt.c: those that wait for an argon2id, or are at it */
    char nobody_password[PASSWORD_HASH_BYTES]; /* compared with when the person is unknown */
    struct worker_pool *password_workers;
    unsigned passwords_at_work;
    struct domains *domains;

    struct list requests; /* operate.c: struct request, in order of arrival */
    unsigned request_count;
    bool started;   /* work for the database goes to `worker` */
    bool operating; /* the story that works through them runs */
    unsigned apart; /* requests whose verb has a story of its own */
    bool networks_due, uses_due;
    bool draining;
    struct timer save_timer;
    struct timer ends_timer; /* accounts.c: the next account whose end comes */
    void (*drained)(void *arg);
    void *drained_arg;

    uint64_t auth_right, auth_wrong, auth_refused; /* since the start */
    uint64_t hashes, compares, passwords;          /* work done for AUTH: A04 is shown with them */
};

/* auth.c */
/* Its workers start, before the role confines itself. */
MUST_USE bool auth_start(struct vault *v, struct err *err);
void auth_end(struct vault *v);
MUST_USE bool auth_on_frame(struct vault_peer *accept, const struct frame *f, struct err *err);
void auth_drop_sessions(struct vault_peer *accept);

/* binding.c: open sessions follow what changes, within the turn (fault A07). One that falls is its
 * network's from now on, or nobody's. */
/* The credential's secret, or the person's password, is gone: what was opened with it falls. */
void auth_unbind(struct vault *v, uint64_t credential);
void auth_unbind_user(struct vault *v, uint64_t user);
/* Settings have changed that a binding rests on; what does not hold any more falls. */
void auth_review(struct vault *v);
/* An account's state has changed, and with it that of all below: those that may not send any more
 * fall. */
void auth_account_changed(struct vault *v, const struct account *a);

/* operate.c */
void operate_on_admin(struct vault_peer *web, const struct wire_admin *m);
/* Works through what is due: requests, accounts that the configuration names, last uses. */
void operate_wake(struct vault *v);
void operate_drop_requests(struct vault *v);

/* accounts.c */
/* Accounts that the configuration's networks name and that are missing are made. Before the role
 * has started it blocks; then it waits, on a fiber. */
MUST_USE bool accounts_declare(struct vault *v, struct err *err);

/* account_ends.c: each account whose end has come counts as suspended from now on; the next one is
 * waited for. */
void accounts_watch_ends(struct vault *v);
bool account_is_over(const struct account *a, int64_t now_wall_ms);

/* tell.c: what core must know (WIRE_DIRECTORY_…). All of it, when core is linked; then what has
 * changed. Nothing while core is away. */
void tell_all(struct vault *v);
void tell_account(struct vault *v, const struct account *a);
void tell_stream(struct vault *v, const struct stream *s);
/* A credential of kind tenant. */
void tell_tenant(struct vault *v, const struct credential *c);
void tell_gone(struct vault *v, enum directory_noun noun, uint64_t id);

/* role.c */
bool vault_gate_is_open(const struct vault *v);
/* To core and every accept. */
void vault_send_gate(struct vault *v);

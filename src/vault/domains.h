// SPDX-License-Identifier: Apache-2.0
/* vault/domains.h - domains that accounts may use, how each is proved, and the keys that sign in
 * their names. Owned by vault; all calls on the loop. What the rest of vault calls:
 *
 *   proof.c         is it proved? published.c: is its key's record there? Pure: what the servers
 *                   said in, verdict out
 *   grant.c         who holds what, in memory (control_domains.c: on disk)
 *   checker.c       when which domain is looked at, by the questions of look.c and hosted.c through
 *                   inquiry.c to resolve; verdict.c and facts.c say what follows
 *   keysmith.c      makes and rotates signing keys; keybox.c keeps them encrypted
 *   records.c       what the domain's owner is to publish, in the forms that providers take
 *   sign.c          signatures, by the workers */
#pragma once

#include "vault/keybox.h"
#include "vault/operate.h"

struct domains;

/* Grants and keys from the database; owns the box, which opens them. Workers start here, before the
 * role confines itself. */
MUST_USE bool domains_open(struct vault *v, struct keybox *box, struct domains **ret,
                           struct err *err);
/* No more looks and no new keys: whoever waits for one is told so. Signing goes on. */
void domains_close(struct domains *d);
void domains_free(struct domains *d);
/* The checks begin; nothing is asked before resolve is linked. */
void domains_start(struct domains *d);
void domains_reload(struct domains *d);

/* Between DIRECTORY_BEGIN and DIRECTORY_END: grants that hold, and keys that sign. */
void domains_tell(struct domains *d);
/* An account's or stream's setting has changed that grants depend on, or an account goes (all its
 * grants end, in the same change of the database). */
void domains_account_gone(struct domains *d, const struct account *a);

MUST_USE bool domains_on_resolve(struct domains *d, const struct frame *f, struct err *err);
/* Questions that wait for it are asked (again). */
void domains_resolve_linked(struct domains *d, struct channel *channel);
void domains_resolve_gone(struct domains *d);
/* core asks for a signature (wire_sign); the answer goes back by itself. */
MUST_USE bool domains_on_sign(struct domains *d, const struct wire_sign *f, struct err *err);
/* Whether mail of this account can be signed at all: BIND_SIGNS. */
bool domains_account_signs(const struct domains *d, const struct account *a);

/* Grants, of whichever state. */
size_t domains_count(const struct domains *d);

/* The verbs (operate.h). */
verb_fn domain_add, domain_list, domain_show, domain_set, domain_remove, domain_check,
    domain_records, domain_rotate, domain_transfer;

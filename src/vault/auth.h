// SPDX-License-Identifier: Apache-2.0
/* vault/auth.h - what auth.c, attempt.c and binding.c share: a session as accept has opened it, and
 * one attempt to sign in.
 *
 *   auth.c      frames of accept; sessions come and go
 *   attempt.c   signing in, from the first message to the answer
 *   binding.c   whose a session is, what core is told of it, and when that ends */
#pragma once

#include "vault/vault.h"

struct attempt;

enum bound_by { BY_NETWORK, BY_CREDENTIAL, BY_USER, BY_NOBODY };

/* What core was told last. */
struct bound {
    uint64_t account, credential, stream;
    uint32_t flags; /* enum bind_flag */
};

struct vault_session {
    struct vault_peer *accept;
    uint64_t id;
    struct ip client;
    uint16_t port;
    uint32_t listener;
    enum bound_by by;
    uint64_t by_id;    /* of the credential or the person */
    uint32_t by_flags; /* BIND_AUTHENTICATED, and how */
    struct bound told;
    struct timer expiry;     /* of the credential that it is bound by */
    struct attempt *attempt; /* NULL: none */
};

/* Why a credential or a person may not be used now, or that it may. Only the log says which. */
enum verdict {
    VERDICT_RIGHT,
    VERDICT_WRONG,   /* user or secret */
    VERDICT_KIND,    /* it is not one to sign in with */
    VERDICT_SCOPE,   /* an API key that may not send */
    VERDICT_SUBMITS, /* a person who may not hand over mail */
    VERDICT_NETWORK, /* from elsewhere than its networks */
    VERDICT_EXPIRED,
    VERDICT_SUSPENDED, /* the person, or the account or one above it */
    VERDICT_VERIFIER,  /* SCRAM with one that has no verifier */
    VERDICTS
};
const char *verdict_text(enum verdict v);
/* Were its secret right: how it would stand with this session. */
enum verdict verdict_of_credential(const struct credential *c, const struct vault_session *s);
enum verdict verdict_of_user(const struct user *u);

/* binding.c; opening as in wire_session_bind. */
void binding_by_network(struct vault_session *s, uint16_t opening);
void binding_by_credential(struct vault_session *s, struct credential *c, uint32_t how,
                           uint16_t opening);
void binding_by_user(struct vault_session *s, struct user *u);
/* Does what it is bound by still hold? Else it is its network's, or nobody's (fault A07). */
void binding_review(struct vault_session *s);

/* attempt.c. False: no accept of ours sends this. */
MUST_USE bool attempt_secret(struct vault_session *s, struct str user, struct str secret,
                             struct err *err);
MUST_USE bool attempt_step(struct vault_session *s, uint32_t step, struct str message,
                           struct err *err);
/* The session ends. */
void attempt_drop(struct vault_session *s);

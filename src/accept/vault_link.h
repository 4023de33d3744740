// SPDX-License-Identifier: Apache-2.0
/* accept/vault_link.h - frames to and from vault: who is this client, is this password right. */
#pragma once

#include "io/channel.h"
#include "wire/role.h"

struct accept;
struct session;

struct vault_link {
    struct channel *channel; /* NULL: vault is away */
    uint32_t generation;
};

#define VAULT_USER_MAX 255
#define VAULT_SECRET_MAX 1024

void vault_link_set(struct accept *a, const struct role_link *link);
void vault_link_done(struct vault_link *l);

/* Vault is there, and the same as when the session began. */
bool vault_knows(const struct session *s);

/* A client has come: vault tells core whose it is, core answers us. False: vault is away. */
MUST_USE bool vault_session_open(struct session *s);
/* False: vault is away. */
MUST_USE bool vault_auth(struct session *s, struct str user, struct str secret);
/* One message of the client's in SCRAM (wire_auth_step). A challenge comes as an answer with code
 * ANSWER_CHALLENGE, everything else as after vault_auth(). False: vault is away. */
#define ANSWER_CHALLENGE 334
MUST_USE bool vault_auth_step(struct session *s, uint32_t step, struct str message);
/* The certificate that the client has shown. The answer comes by core. False: vault is away. */
MUST_USE bool vault_certificate(struct session *s, const uint8_t sha256[32]);
void vault_session_close(struct session *s);

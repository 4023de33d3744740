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
void vault_session_close(struct session *s);

// SPDX-License-Identifier: Apache-2.0
/* vault/role.h - the role that knows who may send: accounts, credentials, trusted networks, and
 * whether the gate to the outside is open. Secrets are checked here and nowhere else.
 *
 * What it reads of wire_admin: ACCOUNT_ADD name · ACCOUNT_LIST id, limit · CRED_ADD account, name
 * (the user), state ("normalize", or empty) · CRED_LIST account (empty: all), id, limit ·
 * CRED_REMOVE name · LIVE_OPEN · LIVE_CLOSE. */
#pragma once

#include "wire/role.h"

extern const struct role_ops vault_role;

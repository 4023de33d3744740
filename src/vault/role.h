// SPDX-License-Identifier: Apache-2.0
/* vault/role.h - the role that knows who may send, and in whose name: accounts, people,
 * credentials, trusted networks, domains and their keys, and whether the gate to the outside is
 * open. Secrets are checked here and nowhere else.
 *
 * What it reads of wire_admin: the name of an object in `name`, whose it is in `account`, what is
 * set in `settings` (fields.h), and the flag ADMIN_DRY_RUN of whatever changes something. Lists
 * read id and limit, and by which account or state they are narrowed.
 *
 *   ACCOUNT_ADD     account: the one above it, or empty
 *   ACCOUNT_LIST    account: that one and what is below; state: as it is with all above it
 *   STREAM_…        account: of every verb but LIST, where it may be empty
 *   AUDIT_LIST      account, name; newest first, id: those before this one
 *   DOMAIN_TRANSFER to: the account that gets it */
#pragma once

#include "wire/role.h"

extern const struct role_ops vault_role;

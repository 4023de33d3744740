// SPDX-License-Identifier: Apache-2.0
/* vault/roster.h - all accounts and credentials in force, in memory: what AUTH is checked against
 * in microseconds. The control database is the truth; this is its image. No I/O, no clock. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "vault/control.h"

/* Letters, digits and . _ - @, at most this many: users and accounts alike. */
#define NAME_MAX_BYTES 64
bool roster_name_ok(struct str name);

struct account {
    struct list link; /* in roster.accounts, oldest first */
    uint64_t id;
    int64_t created_wall_ms;
    size_t credentials;
    struct str name; /* behind the struct */
};

struct credential {
    struct list link; /* in roster.credentials, oldest first */
    uint64_t id;
    struct account *account;
    uint8_t hash[SECRET_HASH_BYTES];
    bool normalize;
    bool use_unsaved; /* last_used is newer than the database's */
    int64_t created_wall_ms, last_used_wall_ms;
    struct str user; /* behind the struct */
};

struct roster {
    struct list accounts, credentials;
    struct map accounts_by_name, credentials_by_user;
    struct idmap accounts_by_id, credentials_by_id;
};

void roster_init(struct roster *r);
void roster_done(struct roster *r);

/* The row's id and name are new. */
void roster_add_account(struct roster *r, const struct account_row *row);
/* So are this one's; its account is known. */
void roster_add_credential(struct roster *r, const struct credential_row *row);
void roster_remove_credential(struct roster *r, struct credential *c);

/* NULL when absent. */
struct account *roster_account(const struct roster *r, struct str name);
struct credential *roster_credential(const struct roster *r, struct str user);
struct credential *roster_credential_of_id(const struct roster *r, uint64_t id);

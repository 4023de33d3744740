// SPDX-License-Identifier: Apache-2.0
/* vault/roster.h - accounts, streams, people and credentials in force, in memory: what AUTH is
 * checked against in microseconds, and what core's directory is told from. The control database is
 * the truth; this is its image. Domains and keys are domains.h's. No I/O, no clock. */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "base/list.h"
#include "base/map.h"
#include "guard/directory.h"
#include "vault/control.h"

/* Letters, digits and . _ - @, at most this many: users, accounts, streams alike. */
#define NAME_MAX_BYTES 64
bool roster_name_ok(struct str name);
/* Accounts in accounts: core walks up for every message. */
#define ACCOUNT_DEPTH_MAX 8

struct account {
    struct list link; /* in roster.accounts, oldest first */
    uint64_t id;
    struct account *parent; /* NULL: none */
    int64_t created_wall_ms;
    size_t credentials, users, children;
    size_t grants;  /* domains.c counts them */
    unsigned depth; /* how many are above it */
    struct list streams;
    enum account_state state; /* its own; account_state_of() asks those above too */
    enum policy_mode identity;
    uint32_t flags; /* enum account_flag */
    uint32_t soft_percent;
    uint64_t limits[DIRECTORY_LIMITS];
    int64_t until_wall_ms; /* 0: no end */
    bool ended;            /* until has passed: it counts as suspended; accounts.c keeps it */
    struct stream *default_stream;                 /* NULL: none, or one that is not there yet */
    struct str rewrite_from, forward_domain, note; /* in `texts`, as `settings` is */
    struct str settings;                           /* as fields.h writes them */
    struct arena texts;
    struct str name; /* behind the struct */
};

struct stream {
    struct list link; /* in its account's */
    uint64_t id;
    struct account *account;
    int64_t created_wall_ms;
    enum stream_kind kind;
    enum policy_mode preflight;
    uint64_t limits[DIRECTORY_LIMITS];
    struct str domain, return_domain, settings; /* in `texts` */
    struct arena texts;
    struct str name;
};

/* People (R69): they sign in with a password of their own choice, so it is kept by argon2id. */
enum user_role {
    USER_OPERATOR_ADMIN = 1,
    USER_OPERATOR_SUPPORT,
    USER_ABUSE_DESK,
    USER_ACCOUNT_OWNER,
    USER_DEVELOPER,
    USER_MARKETER,
    USER_REVIEWER,
    USER_ANALYST,
    USER_AUDITOR,
};
struct user {
    struct list link;
    uint64_t id;
    struct account *account; /* NULL: an operator, of none */
    enum user_role role;
    bool suspended;
    bool submits; /* may hand over mail with the password (mail programs, R07) */
    bool use_unsaved;
    int64_t created_wall_ms, last_used_wall_ms;
    struct str password; /* argon2id, as libsodium writes it; empty: none yet. In `texts` */
    struct str settings;
    struct arena texts;
    struct str name;
};

/* cert: `hash` is the certificate's SHA-256. tenant: `upstream` and `value` name it. */
enum credential_kind { CREDENTIAL_SMTP = 1, CREDENTIAL_API, CREDENTIAL_CERT, CREDENTIAL_TENANT };
struct credential {
    struct list link; /* in roster.credentials, oldest first */
    uint64_t id;
    struct account *account;
    struct stream *stream; /* NULL: the account's */
    enum credential_kind kind;
    uint8_t hash[SECRET_HASH_BYTES];
    struct scram_verifier scram; /* iterations 0: made before there were any */
    bool normalize;
    bool use_unsaved; /* last_used is newer than the database's */
    int64_t created_wall_ms, last_used_wall_ms;
    int64_t expires_wall_ms; /* 0: never */
    struct ip_net *networks; /* from which alone it may be used; none: from anywhere (A08) */
    size_t network_count;
    struct str scopes, upstream, value, settings; /* in `texts` */
    struct str tenant_key;                        /* "upstream\nvalue" */
    struct arena texts;
    struct str user; /* behind the struct */
};

struct roster {
    struct list accounts, users, credentials;
    struct map accounts_by_name, users_by_name, credentials_by_user, tenants, certificates;
    struct idmap accounts_by_id, streams_by_id, users_by_id, credentials_by_id;
};

void roster_init(struct roster *r);
void roster_done(struct roster *r);

/* The row's id and name are new, what it refers to is there; its settings are good (fields.h). */
struct account *roster_add_account(struct roster *r, const struct account_row *row);
struct stream *roster_add_stream(struct roster *r, const struct stream_row *row);
struct user *roster_add_user(struct roster *r, const struct user_row *row);
struct credential *roster_add_credential(struct roster *r, const struct credential_row *row);
/* Its settings are others now, and good. */
void roster_set_account(struct roster *r, struct account *a, struct str settings);
void roster_set_stream(struct roster *r, struct stream *s, struct str settings);
void roster_set_user(struct roster *r, struct user *u, struct str settings);
void roster_set_credential(struct roster *r, struct credential *c, struct str settings);
/* Another password, as argon2id writes it; another secret: hash and verifier of the row. */
void roster_set_password(struct roster *r, struct user *u, struct str password);
void roster_set_secret(struct roster *r, struct credential *c, const struct credential_row *row);
/* Nothing may refer to it any more; an account's streams go with it. */
void roster_remove_account(struct roster *r, struct account *a);
void roster_remove_stream(struct roster *r, struct stream *s);
void roster_remove_user(struct roster *r, struct user *u);
void roster_remove_credential(struct roster *r, struct credential *c);

/* NULL when absent. */
struct account *roster_account(const struct roster *r, struct str name);
struct account *roster_account_of_id(const struct roster *r, uint64_t id);
struct stream *roster_stream(const struct account *a, struct str name);
struct user *roster_user(const struct roster *r, struct str name);
struct credential *roster_credential(const struct roster *r, struct str user);
struct credential *roster_credential_of_id(const struct roster *r, uint64_t id);
struct credential *roster_certificate(const struct roster *r,
                                      const uint8_t fingerprint[SECRET_HASH_BYTES]);
struct credential *roster_tenant(const struct roster *r, struct str upstream, struct str value);

/* Its own state, or a worse one of those above it: suspended, then sandbox. */
enum account_state account_state_of(const struct account *a);
/* The same without those above: suspended past its end. */
enum account_state account_own_state(const struct account *a);
/* True when `a` is `above` or below it. */
bool account_is_below(const struct account *a, const struct account *above);
/* "a12": the account as the DNS records of its domains name it, which is never another's. */
#define ACCOUNT_ID_TEXT_MAX 24
const char *account_id_text(const struct account *a, char text[ACCOUNT_ID_TEXT_MAX]);

/* roster_settings.c, for roster.c alone. */
void roster_find_default(struct account *a);
void roster_read_credential(struct credential *c, struct str settings);

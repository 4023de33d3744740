// SPDX-License-Identifier: Apache-2.0
/* vault/control.h - the control database: accounts, streams, people, credentials and who changed
 * what, as rows. Grants and keys are control_domains.h's.
 *
 * Every call blocks and runs on vault's one worker. Nothing is looked up here while mail flows: the
 * rows are loaded once into the roster, and changed here first, there second. `settings` are text
 * as fields.h has it, which this file does not read. */
#pragma once

#include "base/err.h"
#include "vault/scram.h"

#define SECRET_HASH_BYTES 32

struct control;

struct account_row {
    uint64_t id, parent; /* parent 0: none */
    struct str name, settings;
    int64_t created_wall_ms;
};

struct stream_row {
    uint64_t id, account;
    struct str name, settings;
    int64_t created_wall_ms;
};

struct user_row {
    uint64_t id, account; /* account 0: an operator, of none */
    struct str name, settings;
    struct str password;                        /* argon2id as text; empty: none yet */
    int64_t created_wall_ms, last_used_wall_ms; /* last used 0: never */
};

struct credential_row {
    uint64_t id, account;
    struct str user, settings;
    struct str kind;             /* smtp, api, cert, tenant: as in the settings */
    const uint8_t *hash;         /* SECRET_HASH_BYTES */
    struct scram_verifier scram; /* iterations 0: none */
    int64_t created_wall_ms, last_used_wall_ms;
};

/* Opens or makes the database at `path`; empty: in memory. ERR_CONFIG: made by a newer program. */
MUST_USE bool control_open(struct str path, struct control **ret, struct err *err);
void control_free(struct control *c);

/* Gets every row, each kind oldest first, those referred to before those that refer; revoked
 * credentials are left out. Strings live until the function returns. NULL: not wanted. */
struct control_reader {
    void (*account)(void *arg, const struct account_row *row);
    void (*stream)(void *arg, const struct stream_row *row);
    void (*user)(void *arg, const struct user_row *row);
    void (*credential)(void *arg, const struct credential_row *row);
    void *arg;
};
MUST_USE bool control_load(struct control *c, const struct control_reader *to, struct err *err);

/* Several changes as one: all of them are durable when commit returns true, or none is. Within, the
 * calls below are durable with the whole; without, each by itself. */
MUST_USE bool control_begin(struct control *c, struct err *err);
MUST_USE bool control_commit(struct control *c, struct err *err);
void control_abort(struct control *c);

/* ERR_EXISTS: the name is taken, or something refers to what was to go. row->id is not read. */
MUST_USE bool control_add_account(struct control *c, const struct account_row *row,
                                  uint64_t *ret_id, struct err *err);
MUST_USE bool control_set_account(struct control *c, uint64_t id, struct str settings,
                                  struct err *err);
/* With its streams, its grants with their keys, leases of them, and what is left of its revoked
 * credentials. */
MUST_USE bool control_remove_account(struct control *c, uint64_t id, struct err *err);
MUST_USE bool control_add_stream(struct control *c, const struct stream_row *row, uint64_t *ret_id,
                                 struct err *err);
MUST_USE bool control_set_stream(struct control *c, uint64_t id, struct str settings,
                                 struct err *err);
/* ERR_EXISTS also when signing keys are the stream's own. */
MUST_USE bool control_remove_stream(struct control *c, uint64_t id, struct err *err);

MUST_USE bool control_add_user(struct control *c, const struct user_row *row, uint64_t *ret_id,
                               struct err *err);
MUST_USE bool control_set_user(struct control *c, uint64_t id, struct str settings,
                               struct err *err);
MUST_USE bool control_set_password(struct control *c, uint64_t user, struct str password,
                                   struct err *err);
MUST_USE bool control_remove_user(struct control *c, uint64_t id, struct err *err);

MUST_USE bool control_add_credential(struct control *c, const struct credential_row *row,
                                     uint64_t *ret_id, struct err *err);
MUST_USE bool control_set_credential(struct control *c, uint64_t id, struct str settings,
                                     struct err *err);
/* Another secret, or another certificate: hash and verifier of the row; the rest is not read. */
MUST_USE bool control_set_secret(struct control *c, uint64_t id, const struct credential_row *row,
                                 struct err *err);
/* The row stays, for those who ask later whose it was; its user name is free again. */
MUST_USE bool control_revoke(struct control *c, uint64_t credential, int64_t wall_ms,
                             struct err *err);

/* When a credential, or with `is_user` a person, was last used. */
struct last_use {
    uint64_t id;
    bool is_user;
    int64_t wall_ms;
};
MUST_USE bool control_note_uses(struct control *c, const struct last_use *uses, size_t count,
                                struct err *err);

/* *ret is false when it was never set. */
MUST_USE bool control_read_flag(struct control *c, const char *key, bool *ret, struct err *err);
MUST_USE bool control_write_flag(struct control *c, const char *key, bool value, struct err *err);

/* Who changed what; the database itself refuses to change or remove such a row. */
struct audit_row {
    uint64_t id;
    int64_t wall_ms;
    struct str actor;
    struct str verb;    /* "account-added", "domain-proved" … */
    struct str account; /* whom it concerns, or empty */
    struct str name;    /* of the credential, domain … */
    struct str detail;  /* what changed; never a secret */
};
MUST_USE bool control_add_audit(struct control *c, const struct audit_row *row, struct err *err);
/* A row for each stream of an account, and for each domain and lease that ends with it, before it
 * is removed: wall_ms, actor and detail are of `row`, the rest is not read. */
MUST_USE bool control_add_audit_of_parts(struct control *c, uint64_t account,
                                         const struct audit_row *row, struct err *err);
/* Newest first; empty texts match all. */
struct audit_ask {
    uint64_t before; /* an id; 0: from the newest */
    size_t limit;
    struct str account, name;
};
MUST_USE bool control_read_audit(struct control *c, const struct audit_ask *ask,
                                 void (*row)(void *arg, const struct audit_row *row), void *arg,
                                 struct err *err);

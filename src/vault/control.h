// SPDX-License-Identifier: Apache-2.0
/* vault/control.h - the control database: accounts, credentials and settings as rows.
 *
 * Every call blocks and runs on vault's one worker. Nothing is looked up here while mail flows: the
 * rows are loaded once into the roster, and changed here first, there second. */
#pragma once

#include "base/err.h"

#define SECRET_HASH_BYTES 32

struct control;

struct account_row {
    uint64_t id;
    struct str name;
    int64_t created_wall_ms;
};

struct credential_row {
    uint64_t id, account;
    struct str user;
    const uint8_t *hash; /* SECRET_HASH_BYTES */
    bool normalize;
    int64_t created_wall_ms, last_used_wall_ms; /* last used 0: never */
};

/* Opens or makes the database at `path`; empty: in memory. ERR_CONFIG: made by a newer program. */
MUST_USE bool control_open(struct str path, struct control **ret, struct err *err);
void control_free(struct control *c);

/* Gets every row, oldest first, accounts before credentials; revoked ones are left out. Strings
 * live until the function returns. */
struct control_reader {
    void (*account)(void *arg, const struct account_row *row);
    void (*credential)(void *arg, const struct credential_row *row);
    void *arg;
};
MUST_USE bool control_load(struct control *c, const struct control_reader *to, struct err *err);

/* Each is durable when it returns true. ERR_EXISTS: the name is taken. row->id is not read. */
MUST_USE bool control_add_account(struct control *c, const struct account_row *row,
                                  uint64_t *ret_id, struct err *err);
MUST_USE bool control_add_credential(struct control *c, const struct credential_row *row,
                                     uint64_t *ret_id, struct err *err);
/* The row stays, for those who ask later whose it was; its user name is free again. */
MUST_USE bool control_revoke(struct control *c, uint64_t credential, int64_t wall_ms,
                             struct err *err);

struct credential_use {
    uint64_t credential;
    int64_t wall_ms;
};
MUST_USE bool control_note_uses(struct control *c, const struct credential_use *uses, size_t count,
                                struct err *err);

/* *ret is false when it was never set. */
MUST_USE bool control_read_flag(struct control *c, const char *key, bool *ret, struct err *err);
MUST_USE bool control_write_flag(struct control *c, const char *key, bool value, struct err *err);

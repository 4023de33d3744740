// SPDX-License-Identifier: Apache-2.0
/* vault/control_domains.h - grants of domains and signing keys as rows of the control database.
 * Every call blocks and runs on vault's worker, inside the caller's transaction. */
#pragma once

#include "base/buf.h"
#include "vault/control.h"
#include "vault/proof.h"

enum key_state { KEY_PENDING = 1, KEY_ACTIVE, KEY_RETIRING };

struct grant_row {
    uint64_t id, account, lessor; /* lessor 0: none */
    struct str domain, settings, why;
    enum grant_method method;
    uint32_t facts; /* enum domain_fact */
    struct proof_standing standing;
    int64_t created_wall_ms;
};

struct key_row {
    uint64_t id, grant, stream; /* stream 0: any */
    struct str selector, record, why;
    struct str sealed;  /* written once, read by control_read_sealed() alone */
    uint32_t algorithm; /* enum dkim_algorithm */
    enum key_state state;
    int64_t created_wall_ms, published_wall_ms, retired_wall_ms, missing_wall_ms;
};

/* Oldest first, grants before keys. Strings live until the function returns. ERR_DAMAGED: a word
 * that no program of ours has written. */
struct control_domains_reader {
    void (*grant)(void *arg, const struct grant_row *row);
    void (*key)(void *arg, const struct key_row *row);
    void *arg;
};
MUST_USE bool control_load_domains(struct control *c, const struct control_domains_reader *to,
                                   struct err *err);

/* ERR_EXISTS: the account has this domain already. row->id is not read. */
MUST_USE bool control_add_grant(struct control *c, const struct grant_row *row, uint64_t *ret_id,
                                struct err *err);
/* standing, facts and why; the rest is not read. */
MUST_USE bool control_set_standing(struct control *c, const struct grant_row *row, struct err *err);
MUST_USE bool control_set_grant(struct control *c, uint64_t id, struct str settings,
                                struct err *err);
MUST_USE bool control_move_grant(struct control *c, uint64_t id, uint64_t account, struct err *err);
/* With its keys. */
MUST_USE bool control_remove_grant(struct control *c, uint64_t id, struct err *err);

MUST_USE bool control_add_key(struct control *c, const struct key_row *row, uint64_t *ret_id,
                              struct err *err);
/* state, why and dates; the rest is not read. */
MUST_USE bool control_set_key(struct control *c, const struct key_row *row, struct err *err);
MUST_USE bool control_remove_key(struct control *c, uint64_t id, struct err *err);
/* ERR_NOT_FOUND. */
MUST_USE bool control_read_sealed(struct control *c, uint64_t key, struct buf *to, struct err *err);

/* Keys that are not any domain's, encrypted (sealing.h). False in *ret_found: there has never been
 * one. */
enum sealed_key { SEALED_SEALING_KEY = 1, SEALED_HASH_KEY = 2 };
MUST_USE bool control_read_sealed_key(struct control *c, enum sealed_key which, struct buf *to,
                                      bool *ret_found, struct err *err);
/* In the place of the one before, if there was one. */
MUST_USE bool control_write_sealed_key(struct control *c, enum sealed_key which, struct str sealed,
                                       int64_t wall_ms, struct err *err);

// SPDX-License-Identifier: Apache-2.0
/* vault/operate.h - what operate.c, accounts.c and credentials.c share: a request on its way, how
 * it is answered, and how its change gets into the database. */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "vault/vault.h"

#define ROW_BYTES_MAX 1024

struct request {
    struct list link;
    struct vault_peer *from;
    uint32_t generation; /* of the link it came by */
    uint64_t number;
    uint32_t verb, limit;
    uint64_t after;
    struct str actor, name, account, state;
    struct arena arena; /* owns the strings */
};

/* A piece of work for the database. */
struct piece {
    struct control *control;
    const struct account_row *account;
    const struct credential_row *credential;
    const struct credential_use *uses;
    size_t use_count;
    uint64_t id; /* made, or to be revoked */
    int64_t wall_ms;
    bool flag;
    bool ok;
    struct err err;
};

/* On the worker; before the role has started, right here. False with the piece's own err. Waits. */
MUST_USE bool operate_run(struct vault *v, void (*fn)(void *piece), struct piece *p,
                          struct err *err);

void operate_row(const struct request *r, const struct buf *json);
/* How many rows a list may answer with. */
size_t operate_row_limit(const struct request *r);
void operate_json_str(struct json *j, const char *key, struct str value);
/* 0: null. */
void operate_json_date(struct json *j, const char *key, int64_t wall_ms);
/* Who changed what; empty texts are left out. */
void operate_log(const char *event, const struct request *r, struct str account, struct str user);
/* ERR_SYNTAX, saying what is wanted of `what`. */
MUST_USE bool operate_name_ok(struct str name, const char *what, struct err *err);

/* The verbs. False: err says why, its kind becomes the status. *ret_next: where a list goes on,
 * untouched when it is whole. Waits. */
typedef bool verb_fn(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err);
verb_fn account_add, account_list;
verb_fn credential_add, credential_list, credential_remove;

// SPDX-License-Identifier: Apache-2.0
/* vault/operate.h - what operate.c and the files of verbs share: a request on its way, how it is
 * answered, and how its change gets into the database and the audit log. */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "vault/fields.h"
#include "vault/vault.h"

#define ROW_BYTES_MAX 3584 /* fits a frame */
#define SETTINGS_BYTES_MAX 4096

struct request {
    struct list link;
    struct vault_peer *from;
    uint32_t generation; /* of the link it came by */
    uint64_t number;
    uint32_t verb, limit;
    uint64_t after;
    bool dry_run; /* everything is checked, nothing changes, the answer is what would be */
    struct str actor, name, account, state, to_text, settings;
    struct arena arena; /* owns the strings */
};

/* The database --------------------------------------------------------------------------------- */

/* A piece of work for the database. Blocks, on the worker; before the role has started, right here.
 */
typedef bool piece_fn(struct control *c, void *arg, struct err *err);
/* What only reads, or is nobody's doing. False with the piece's own err. Waits. */
MUST_USE bool operate_run(struct vault *v, piece_fn *fn, void *arg, struct err *err);

/* Who changes what. */
struct change {
    const char *verb; /* "account-added": in the audit log, and the event of the line */
    struct str actor; /* "baton" for what it does by itself */
    struct str account, name;
    struct str detail; /* what is other now; never a secret; shortened */
    bool dry_run;
};
/* A request's, by its actor and its dry_run. */
struct change change_by(const struct request *r, const char *verb, struct str account,
                        struct str name);
/* The work and its row in the audit log as one transaction: both are durable when this returns
 * true, or neither happened. Then it is logged. With dry_run it is tried, taken back, and not
 * logged. One that concerns several objects adds rows of its own (control_add_audit()). Waits. */
MUST_USE bool operate_change(struct vault *v, const struct change *what, piece_fn *fn, void *arg,
                             struct err *err);

/* Answers -------------------------------------------------------------------------------------- */

void operate_row(const struct request *r, const struct buf *json);
/* How many rows a list may answer with. */
size_t operate_row_limit(const struct request *r);
/* A list that answers with one row after the other, by rising ids. False: the page is full, and
 * *ret_next is the last id that stands on it, behind which the next one goes on. */
struct page {
    size_t left;
    uint64_t last;
};
bool operate_page_takes(struct page *p, uint64_t id, uint64_t *ret_next);
void operate_json_str(struct json *j, const char *key, struct str value);
/* 0: null. */
void operate_json_date(struct json *j, const char *key, int64_t wall_ms);
/* ERR_SYNTAX, saying what is wanted of `what`. */
MUST_USE bool operate_name_ok(struct str name, const char *what, struct err *err);
/* The request's settings over the old ones, into `to` of SETTINGS_BYTES_MAX. `secret` as in
 * fields_change. */
MUST_USE bool operate_settings(const struct request *r, enum field_noun noun, struct str old,
                               bool is_new, struct str *secret, struct buf *to, struct err *err);
/* ERR_NOT_FOUND. */
MUST_USE bool operate_account(struct vault *v, struct str name, struct account **ret,
                              struct err *err);

/* account_show.c: an account as it is; as it would be with other settings. */
void account_row(const struct request *r, const struct account *a);
void account_row_tried(const struct request *r, const struct account *like, struct str settings);
/* uses.c: what is not saved yet. Waits. */
void uses_save(struct vault *v);

/* The verbs. False: err says why, its kind becomes the status. *ret_next: where a list goes on,
 * untouched when it is whole. Wait. They run one after the other, so that what one found stays as
 * it is while it waits; operate.c's table says which run apart from the others instead. */
typedef bool verb_fn(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err);
verb_fn account_add, account_list, account_show, account_set, account_remove;
verb_fn stream_add, stream_list, stream_set, stream_remove;
verb_fn user_add, user_list, user_set, user_remove;
verb_fn credential_add, credential_list, credential_set, credential_rotate, credential_remove;
verb_fn audit_list;
verb_fn live_open, live_close;

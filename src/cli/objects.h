// SPDX-License-Identifier: Apache-2.0
/* cli/objects.h - the objects that the relay keeps: where each kind lies in the API, how one of
 * them is named, which fields it has. */
#pragma once

#include <json-c/json.h>

#include "cli/show.h"
#include "vault/fields.h"

struct object_kind {
    const char *noun;    /* of the commands */
    const char *section; /* of an exported file, and the path behind /v1/ */
    const char *name;    /* the member of a row that names it: "name", "user" */
    enum field_noun fields;
    bool below_account;    /* its path begins with its account's */
    const char *only_kind; /* of those in the section, the ones whose kind this is; NULL: all */
    const struct show_column *columns;
    size_t column_count;
};

enum object_kind_index { KIND_ACCOUNT, KIND_STREAM, KIND_USER, KIND_CRED, KIND_KEY, KIND_DOMAIN };
extern const struct object_kind object_kinds[];
extern const size_t object_kind_count;
/* NULL: no noun of objects. */
const struct object_kind *object_kind_of(const char *noun);

/* "/v1/credentials", "/v1/accounts/ACCOUNT/streams". */
void object_target(struct buf *to, const struct object_kind *kind, const char *account);
/* The same with the object's name behind it. */
void object_target_one(struct buf *to, const struct object_kind *kind, const char *account,
                       const char *name);
/* All rows of a kind, of one account or (NULL) of all. */
MUST_USE enum cli_exit object_fetch(const struct cli_args *a, const struct object_kind *kind,
                                    const char *account, struct json_object **ret);

/* "key=value" arguments from `first` on into a new object "settings". NULL: one has no "="; told.
 */
struct json_object *object_settings(const struct cli_args *a, size_t first);

/* client_call() of a change, with what --dry-run adds. */
MUST_USE enum cli_exit object_call(const struct cli_args *a, const char *method, const char *target,
                                   struct json_object *body, struct json_object **ret);

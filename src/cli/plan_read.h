// SPDX-License-Identifier: Apache-2.0
/* cli/plan_read.h - what plan.c reads of one object in a document. */
#pragma once

#include "cli/plan.h"

/* A text member; empty when it is none. Borrows. */
struct str plan_text(struct json_object *object, const char *name);
/* Its account, or of an account its parent. */
struct str plan_account(const struct object_kind *of, struct json_object *object);
/* What tells one object of a kind from another; in the arena. */
struct str plan_key(struct plan *p, const struct object_kind *of, struct json_object *object);
/* Its settings merged as `like` says, in the arena. `secret` NULL: a password is refused.
 * ERR_SYNTAX, ERR_LIMIT. */
MUST_USE bool plan_settings(struct plan *p, const struct fields_change *like,
                            struct json_object *object, struct str *ret, struct str *secret,
                            struct err *err);

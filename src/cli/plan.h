// SPDX-License-Identifier: Apache-2.0
/* cli/plan.h - what has to be done so that the relay's objects are as a file says: compared object
 * by object, setting by setting, as vault/fields.h reads them. Pure but for the clock of its
 * arguments. */
#pragma once

#include <json-c/json.h>

#include "cli/objects.h"

/* In the order in which they can be done: what is referred to stands before what refers to it, and
 * goes after it. */
enum plan_step_kind {
    PLAN_ADD_ACCOUNT,
    PLAN_ADD_STREAM,
    PLAN_SET_STREAM,
    PLAN_ADD_DOMAIN,
    PLAN_ADD_LEASE,
    PLAN_SET_DOMAIN,
    PLAN_ADD_USER,
    PLAN_SET_USER,
    PLAN_ADD_CRED,
    PLAN_SET_CRED,
    PLAN_SET_ACCOUNT, /* also what a new account says of its streams and domains */
    PLAN_REMOVE_CRED,
    PLAN_REMOVE_USER,
    PLAN_REMOVE_DOMAIN,
    PLAN_REMOVE_STREAM,
    PLAN_REMOVE_ACCOUNT,
};

struct plan_step {
    enum plan_step_kind kind;
    const struct object_kind *of;
    struct str name, account; /* account empty: none; of an account its parent */
    size_t depth;             /* of an account below others that the file names */
    struct str settings;      /* "key=value" lines to be sent; empty value: the default again */
    struct str secret;        /* the password of a new user that the file gives; or empty */
    struct str difference;    /* for people; empty: it is part of another step */
    bool with_account;        /* it goes with its account: nothing to be asked for */
};

struct plan {
    struct arena arena; /* owns all texts */
    struct plan_step *steps;
    size_t count, cap;
    size_t unnamed;               /* objects that the file does not name */
    struct json_object *accounts; /* that the file names; NULL: it does not speak of accounts */
};

enum plan_mark { PLAN_MARK_ADD = '+', PLAN_MARK_SET = '~', PLAN_MARK_REMOVE = '-' };
enum plan_mark plan_mark(enum plan_step_kind kind);

/* Both documents are objects with a list per section ("accounts": [{"name", "settings"}, …]);
 * `now` is the whole of what there is. `prune`: what the wanted one does not name goes, in the
 * sections that it has. ERR_SYNTAX
 * names the object and what is wrong with it. */
struct plan_about {
    struct json_object *wanted, *now;
    bool prune;
    int64_t now_wall_ms;
};
MUST_USE bool plan_make(struct plan *p, const struct plan_about *about, struct err *err);
void plan_done(struct plan *p);

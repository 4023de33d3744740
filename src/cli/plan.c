// SPDX-License-Identifier: Apache-2.0
/* cli/plan.c - compares two documents of objects.
 *
 * Settings are compared as vault would keep them: both sides go through fields_merge(), so that
 * "64M" and 67108864 are the same, and a mistake in the file is told before anything is done. */
#include "cli/plan_read.h"

#include <stdlib.h>

#include "base/mem.h"
#include "vault/roster.h"

#define SETTINGS_MAX 4096

enum plan_mark plan_mark(enum plan_step_kind kind)
{
    switch (kind) {
    case PLAN_ADD_ACCOUNT:
    case PLAN_ADD_STREAM:
    case PLAN_ADD_DOMAIN:
    case PLAN_ADD_LEASE:
    case PLAN_ADD_USER:
    case PLAN_ADD_CRED:
        return PLAN_MARK_ADD;
    case PLAN_SET_STREAM:
    case PLAN_SET_DOMAIN:
    case PLAN_SET_USER:
    case PLAN_SET_CRED:
    case PLAN_SET_ACCOUNT:
        return PLAN_MARK_SET;
    default:
        return PLAN_MARK_REMOVE;
    }
}

/* Which steps a kind takes. */
static const struct {
    enum plan_step_kind add, set, remove;
} kind_steps[] = {
    [KIND_ACCOUNT] = { PLAN_ADD_ACCOUNT, PLAN_SET_ACCOUNT, PLAN_REMOVE_ACCOUNT },
    [KIND_STREAM] = { PLAN_ADD_STREAM, PLAN_SET_STREAM, PLAN_REMOVE_STREAM },
    [KIND_USER] = { PLAN_ADD_USER, PLAN_SET_USER, PLAN_REMOVE_USER },
    [KIND_CRED] = { PLAN_ADD_CRED, PLAN_SET_CRED, PLAN_REMOVE_CRED },
    [KIND_DOMAIN] = { PLAN_ADD_DOMAIN, PLAN_SET_DOMAIN, PLAN_REMOVE_DOMAIN },
};
/* Once each: keys are credentials. */
static const enum object_kind_index kinds[] = { KIND_ACCOUNT, KIND_STREAM, KIND_USER, KIND_DOMAIN,
                                                KIND_CRED };

static struct plan_step *step_add(struct plan *p)
{
    if (p->count == p->cap) {
        p->cap = p->cap > 0 ? p->cap * 2 : 64;
        p->steps = mem_grow(p->steps, p->cap, sizeof *p->steps);
    }
    p->steps[p->count] = (struct plan_step){ 0 };
    return &p->steps[p->count++];
}

/* Comparing ------------------------------------------------------------------------------------ */

/* Keys whose value is another one afterwards; with an empty value where the default comes back. */
static struct str changed_lines(struct plan *p, enum field_noun noun, struct str before,
                                struct str after)
{
    size_t count;
    const struct field_rule *rules = fields_of(noun, &count);
    struct buf lines;

    buf_init(&lines, 2 * SETTINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct str now = fields_get(noun, after, rules[i].key);
        if (str_eq(fields_get(noun, before, rules[i].key), now))
            continue;
        bool is_default = !rules[i].always && str_eq(now, str_of(rules[i].fallback));
        (void)buf_addf(&lines, "%s=%.*s\n", rules[i].key, is_default ? 0 : (int)now.len,
                       is_default ? "" : now.ptr);
    }
    struct str text = arena_str(&p->arena, buf_str(&lines));
    buf_done(&lines);
    return text;
}

static struct str difference(struct plan *p, enum field_noun noun, struct str before,
                             struct str after)
{
    struct buf text;

    buf_init(&text, 4 * SETTINGS_MAX);
    (void)fields_difference(noun, before, after, &text);
    struct str copy = arena_str(&p->arena, buf_str(&text));
    buf_done(&text);
    return copy;
}

/* A setting that may name what does not exist before the account does. */
static bool refers(const struct field_rule *rule)
{
    return !rule->first_only &&
           (rule->type == FIELD_NAME || rule->type == FIELD_DOMAIN || rule->type == FIELD_ADDRESS);
}

static struct str lines_that(struct plan *p, enum field_noun noun, struct str settings, bool refer)
{
    size_t count;
    const struct field_rule *rules = fields_of(noun, &count);
    struct buf lines;

    buf_init(&lines, 2 * SETTINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct str value = fields_get(noun, settings, rules[i].key);
        bool is_told = rules[i].always || !str_eq(value, str_of(rules[i].fallback));
        if (is_told && refers(&rules[i]) == refer)
            (void)buf_addf(&lines, "%s=%.*s\n", rules[i].key, STR_FMT(value));
    }
    struct str text = arena_str(&p->arena, buf_str(&lines));
    buf_done(&lines);
    return text;
}

static void name_step(struct plan *p, struct plan_step *s, const struct object_kind *of,
                      struct json_object *object)
{
    s->of = of;
    s->name = arena_str(&p->arena, plan_text(object, of->name));
    s->account = arena_str(&p->arena, plan_account(of, object));
}

/* How many of those above it stand in the file as well; what goes round in a circle ends. */
static size_t depth_of(struct plan *p, struct json_object *wanted, struct json_object *object)
{
    size_t depth = 0;

    while (depth < ACCOUNT_DEPTH_MAX && plan_text(object, "parent").len > 0) {
        struct str key = arena_strf(&p->arena, "/%.*s", STR_FMT(plan_text(object, "parent")));
        if (!json_object_object_get_ex(wanted, key.ptr, &object))
            break;
        depth++;
    }
    return depth;
}

/* In two steps for an account: what refers to its streams and domains comes when they are there. */
static void add_account(struct plan *p, struct json_object *wanted, struct json_object *object,
                        struct str settings)
{
    const struct object_kind *of = &object_kinds[KIND_ACCOUNT];
    struct str later = lines_that(p, NOUN_ACCOUNT, settings, true);
    struct plan_step *s = step_add(p);

    s->kind = PLAN_ADD_ACCOUNT;
    s->depth = depth_of(p, wanted, object);
    name_step(p, s, of, object);
    s->settings = lines_that(p, NOUN_ACCOUNT, settings, false);
    s->difference = difference(p, NOUN_ACCOUNT, STR(""), settings);
    if (later.len == 0)
        return;
    s = step_add(p);
    s->kind = PLAN_SET_ACCOUNT;
    name_step(p, s, of, object);
    s->settings = later;
}

static bool plan_add(struct plan *p, enum object_kind_index kind, struct json_object *wanted,
                     struct json_object *object, const struct fields_change *like, struct err *err)
{
    const struct object_kind *of = &object_kinds[kind];
    struct fields_change change = *like;
    struct str settings, secret = STR_NONE;
    struct plan_step *s;

    change.is_new = true;
    if (!plan_settings(p, &change, object, &settings, kind == KIND_USER ? &secret : NULL, err))
        return false;
    if (kind == KIND_ACCOUNT) {
        add_account(p, wanted, object, settings);
        return true;
    }
    s = step_add(p);
    s->kind = kind_steps[kind].add;
    if (kind == KIND_DOMAIN && str_eq(fields_get(NOUN_DOMAIN, settings, "method"), STR("lease")))
        s->kind = PLAN_ADD_LEASE;
    name_step(p, s, of, object);
    s->settings = settings;
    s->secret = secret;
    s->difference = difference(p, of->fields, STR(""), settings);
    return true;
}

/* What may not change any more is told here, not by the relay half way. */
static bool stays_ok(const struct object_kind *of, struct str before, struct str after,
                     struct err *err)
{
    size_t count;
    const struct field_rule *rules = fields_of(of->fields, &count);

    for (size_t i = 0; i < count; i++) {
        struct str old = fields_get(of->fields, before, rules[i].key);
        if (rules[i].first_only && !str_eq(old, fields_get(of->fields, after, rules[i].key)))
            return err_set(err, ERR_SYNTAX, "%s is set when it is made, and stays \"%.*s\"",
                           rules[i].key, STR_FMT(str_sub(old, 0, 60)));
    }
    return true;
}

static bool plan_set(struct plan *p, enum object_kind_index kind, struct json_object *wanted,
                     struct json_object *now, const struct fields_change *like, struct err *err)
{
    const struct object_kind *of = &object_kinds[kind];
    struct fields_change change = *like;
    struct str before, after, account = plan_account(of, wanted);
    struct plan_step *s;

    change.is_new = true;
    if (!plan_settings(p, &change, wanted, &after, NULL, err) ||
        !plan_settings(p, &change, now, &before, NULL, err) || !stays_ok(of, before, after, err))
        return false;
    if (account.len > 0 && !str_eq(account, plan_account(of, now)))
        return err_set(err, ERR_SYNTAX, "it belongs to another account");
    struct str lines = changed_lines(p, of->fields, before, after);
    if (lines.len == 0)
        return true;
    s = step_add(p);
    s->kind = kind_steps[kind].set;
    name_step(p, s, of, now);
    s->settings = lines;
    s->difference = difference(p, of->fields, before, after);
    return true;
}

/* One kind ------------------------------------------------------------------------------------- */

static struct json_object *section_of(struct json_object *document, const char *name)
{
    struct json_object *list = NULL;

    return json_object_object_get_ex(document, name, &list) ? list : NULL;
}

/* The objects of a section by their keys, to be given back. */
static bool index_make(struct plan *p, const struct object_kind *of, struct json_object *document,
                       struct json_object *ret, struct err *err)
{
    struct json_object *list = section_of(document, of->section);

    if (list && !json_object_is_type(list, json_type_array))
        return err_set(err, ERR_SYNTAX, "%s: expected a list", of->section);
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *object = json_object_array_get_idx(list, i);
        struct str key;
        if (!json_object_is_type(object, json_type_object) || plan_text(object, of->name).len == 0)
            return err_set(err, ERR_SYNTAX, "%s[%zu]: expected an object with \"%s\"", of->section,
                           i, of->name);
        key = plan_key(p, of, object);
        if (json_object_object_get_ex(ret, key.ptr, NULL))
            return err_set(err, ERR_SYNTAX, "%s[%zu]: \"%.*s\" stands there twice", of->section, i,
                           STR_FMT(plan_text(object, of->name)));
        json_object_object_add(ret, key.ptr, json_object_get(object));
    }
    return true;
}

/* A mistyped member would be a setting that is not there. */
static bool members_ok(const struct object_kind *of, struct json_object *object, struct err *err)
{
    const char *account = of->fields == NOUN_ACCOUNT ? "parent" : "account";

    json_object_object_foreach(object, name, value)
    {
        (void)value;
        if (strcmp(name, of->name) != 0 && strcmp(name, account) != 0 &&
            strcmp(name, "settings") != 0)
            return err_set(err, ERR_SYNTAX, "\"%.40s\": expected %s, %s and settings", name,
                           of->name, account);
    }
    return true;
}

/* vault takes streams and domains away together with their account. */
static bool goes_with_account(struct plan *p, enum object_kind_index kind,
                              struct json_object *object)
{
    struct str account = plan_text(object, "account");

    return (kind == KIND_STREAM || kind == KIND_DOMAIN) && p->accounts &&
           !json_object_object_get_ex(p->accounts,
                                      arena_strf(&p->arena, "/%.*s", STR_FMT(account)).ptr, NULL);
}

/* The last made goes first: a sub-account before its parent. */
static void plan_removals(struct plan *p, enum object_kind_index kind, struct json_object *list,
                          struct json_object *wanted, bool prune)
{
    const struct object_kind *of = &object_kinds[kind];

    for (size_t i = list ? json_object_array_length(list) : 0; i > 0; i--) {
        struct json_object *object = json_object_array_get_idx(list, i - 1);
        if (json_object_object_get_ex(wanted, plan_key(p, of, object).ptr, NULL))
            continue;
        p->unnamed++;
        if (!prune)
            continue;
        struct plan_step *s = step_add(p);
        s->kind = kind_steps[kind].remove;
        name_step(p, s, of, object);
        s->with_account = goes_with_account(p, kind, object);
    }
}

static bool plan_kind(struct plan *p, enum object_kind_index kind, const struct plan_about *about,
                      struct json_object *wanted, struct json_object *now, struct err *err)
{
    const struct object_kind *of = &object_kinds[kind];
    const struct fields_change like = { .noun = of->fields, .now_wall_ms = about->now_wall_ms };
    struct json_object *there;

    if (!index_make(p, of, about->wanted, wanted, err) || !index_make(p, of, about->now, now, err))
        return false;
    json_object_object_foreach(wanted, key, object)
    {
        bool ok = members_ok(of, object, err);
        if (ok)
            ok = json_object_object_get_ex(now, key, &there)
                     ? plan_set(p, kind, object, there, &like, err)
                     : plan_add(p, kind, wanted, object, &like, err);
        if (!ok)
            return err_at(err, "%s %.*s", of->noun, STR_FMT(plan_text(object, of->name)));
    }
    if (kind == KIND_ACCOUNT && section_of(about->wanted, of->section))
        p->accounts = json_object_get(wanted);
    if (section_of(about->wanted, of->section))
        plan_removals(p, kind, section_of(about->now, of->section), wanted, about->prune);
    return true;
}

/* The whole ------------------------------------------------------------------------------------ */

static bool sections_ok(struct json_object *document, struct err *err)
{
    if (!json_object_is_type(document, json_type_object))
        return err_set(err, ERR_SYNTAX, "expected an object with lists of objects");
    json_object_object_foreach(document, name, list)
    {
        bool is_known = false;
        (void)list;
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
            is_known = is_known || strcmp(object_kinds[kinds[i]].section, name) == 0;
        if (!is_known)
            return err_set(err, ERR_SYNTAX, "\"%.40s\" is no kind of object", name);
    }
    return true;
}

/* Places before that of step `s`: by kind, and a parent before what is below it. */
static size_t rank_of(const struct plan_step *s)
{
    return (size_t)s->kind * (ACCOUNT_DEPTH_MAX + 1) + s->depth;
}

/* What has the same rank keeps its order. */
static void steps_sort(struct plan *p)
{
    struct plan_step *sorted = NEW_ARRAY(struct plan_step, p->cap + 1);
    size_t count = 0;

    for (size_t rank = 0; count < p->count; rank++)
        for (size_t i = 0; i < p->count; i++)
            if (rank_of(&p->steps[i]) == rank)
                sorted[count++] = p->steps[i];
    free(p->steps);
    p->steps = sorted;
}

bool plan_make(struct plan *p, const struct plan_about *about, struct err *err)
{
    *p = (struct plan){ 0 };
    arena_init(&p->arena, 64 * 1024);
    if (!sections_ok(about->wanted, err))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct json_object *wanted = json_object_new_object(), *now = json_object_new_object();
        bool ok = plan_kind(p, kinds[i], about, wanted, now, err);
        json_object_put(wanted);
        json_object_put(now);
        if (!ok)
            return false;
    }
    steps_sort(p);
    return true;
}

void plan_done(struct plan *p)
{
    json_object_put(p->accounts);
    free(p->steps);
    arena_done(&p->arena);
}

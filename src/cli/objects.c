// SPDX-License-Identifier: Apache-2.0
/* cli/objects.c - the kinds of objects, and how they are reached. */
#include "cli/objects.h"

#include "base/mem.h"
#include "cli/client.h"

#define TARGET_MAX (64 * 1024)
#define KEY_MAX 100

static const struct show_column account_columns[] = {
    { "name", "NAME" },       { "state", "STATE" },     { "settings.identity", "IDENTITY" },
    { "parent", "BELOW" },    { "held_by", "HELD BY" }, { "credentials", "CREDENTIALS" },
    { "domains", "DOMAINS" }, { "created", "CREATED" },
};
static const struct show_column stream_columns[] = {
    { "account", "ACCOUNT" },
    { "name", "NAME" },
    { "kind", "KIND" },
    { "settings.domain", "DOMAIN" },
    { "settings.return_domain", "RETURN DOMAIN" },
    { "settings.preflight", "PREFLIGHT" },
};
static const struct show_column user_columns[] = {
    { "name", "NAME" },           { "account", "ACCOUNT" },          { "role", "ROLE" },
    { "state", "STATE" },         { "settings.submits", "SUBMITS" }, { "created", "CREATED" },
    { "last_used", "LAST USED" },
};
static const struct show_column cred_columns[] = {
    { "user", "USER" },
    { "account", "ACCOUNT" },
    { "kind", "KIND" },
    { "settings.stream", "STREAM" },
    { "normalize", "NORMALIZE" },
    { "settings.networks", "NETWORKS" },
    { "settings.expires", "EXPIRES" },
    { "created", "CREATED" },
    { "last_used", "LAST USED" },
};
static const struct show_column key_columns[] = {
    { "user", "NAME" },
    { "account", "ACCOUNT" },
    { "settings.scopes", "SCOPES" },
    { "settings.networks", "NETWORKS" },
    { "settings.expires", "EXPIRES" },
    { "created", "CREATED" },
    { "last_used", "LAST USED" },
};
static const struct show_column domain_columns[] = {
    { "domain", "DOMAIN" }, { "account", "ACCOUNT" }, { "method", "METHOD" },
    { "state", "STATE" },   { "why", "WHY" },
};

#define COLUMNS(list) .columns = list, .column_count = ARRAY_LEN(list)

const struct object_kind object_kinds[] = {
    [KIND_ACCOUNT] = { "account", "accounts", "name", NOUN_ACCOUNT, COLUMNS(account_columns) },
    [KIND_STREAM] = { "stream", "streams", "name", NOUN_STREAM, .below_account = true,
                      COLUMNS(stream_columns) },
    [KIND_USER] = { "user", "users", "name", NOUN_USER, COLUMNS(user_columns) },
    [KIND_CRED] = { "cred", "credentials", "user", NOUN_CREDENTIAL, COLUMNS(cred_columns) },
    [KIND_KEY] = { "key", "credentials", "user", NOUN_CREDENTIAL, .only_kind = "api",
                   COLUMNS(key_columns) },
    [KIND_DOMAIN] = { "domain", "domains", "domain", NOUN_DOMAIN, COLUMNS(domain_columns) },
};
const size_t object_kind_count = ARRAY_LEN(object_kinds);

const struct object_kind *object_kind_of(const char *noun)
{
    for (size_t i = 0; i < object_kind_count; i++)
        if (strcmp(object_kinds[i].noun, noun) == 0)
            return &object_kinds[i];
    return NULL;
}

void object_target(struct buf *to, const struct object_kind *kind, const char *account)
{
    (void)buf_add(to, STR("/v1/"));
    if (kind->below_account && account) {
        (void)buf_add(to, STR("accounts/"));
        target_add_word(to, account);
        (void)buf_add_char(to, '/');
    }
    (void)buf_addf(to, "%s", kind->section);
}

void object_target_one(struct buf *to, const struct object_kind *kind, const char *account,
                       const char *name)
{
    object_target(to, kind, account);
    (void)buf_add_char(to, '/');
    target_add_word(to, name);
}

enum cli_exit object_fetch(const struct cli_args *a, const struct object_kind *kind,
                           const char *account, struct json_object **ret)
{
    struct buf target;

    buf_init(&target, TARGET_MAX);
    object_target(&target, kind, account);
    if (!kind->below_account)
        target_add(&target, "account", account);
    target_add(&target, "limit", "1000");
    enum cli_exit result = client_list(a, buf_cstr(&target), SIZE_MAX, ret);
    buf_done(&target);
    return result;
}

enum cli_exit object_call(const struct cli_args *a, const char *method, const char *target,
                          struct json_object *body, struct json_object **ret)
{
    if (args_has(a, FLAG_DRY_RUN) && !body)
        body = json_object_new_object();
    if (args_has(a, FLAG_DRY_RUN))
        json_object_object_add(body, "dry_run", json_object_new_boolean(1));
    return client_call(a, method, target, body, ret);
}

struct json_object *object_settings(const struct cli_args *a, size_t first)
{
    struct json_object *settings = json_object_new_object();

    for (size_t i = first; i < a->arg_count; i++) {
        const char *equals = strchr(a->args[i], '=');
        char key[KEY_MAX];
        if (!equals || equals == a->args[i] || (size_t)(equals - a->args[i]) >= sizeof key) {
            (void)cli_fail(CLI_USAGE, "\"%.40s\": expected KEY=VALUE (baton help %s %s lists them)",
                           a->args[i], a->command->noun, a->command->verb);
            json_object_put(settings);
            return NULL;
        }
        memcpy(key, a->args[i], (size_t)(equals - a->args[i]));
        key[equals - a->args[i]] = '\0';
        body_add(settings, key, equals + 1);
    }
    return settings;
}

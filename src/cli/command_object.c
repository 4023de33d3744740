// SPDX-License-Identifier: Apache-2.0
/* cli/command_object.c - baton account, stream, user, cred, key: made, listed, changed, taken away.
 * Domains have verbs of their own besides (command_domain.c). */
#include "base/mem.h"
#include "cli/client.h"
#include "cli/objects.h"
#include "io/disk.h"

#define TARGET_MAX (64 * 1024)
#define PASSWORD_BYTES_MAX 4096
#define TEXT_MAX (1024 * 1024)

static const struct object_kind *kind_of(const struct cli_args *a)
{
    return object_kind_of(a->command->noun);
}

/* Calls and shows the one object that comes back. */
static enum cli_exit call_and_show(const struct cli_args *a, const char *method, const char *target,
                                   struct json_object *body)
{
    struct json_object *answer = NULL;
    enum cli_exit result = object_call(a, method, target, body, &answer);

    if (result == CLI_OK)
        result = show_object(a, answer);
    json_object_put(answer);
    return result;
}

/* Settings from flags, where there is one for what is common. */
static enum cli_exit flags_into(struct json_object *settings, const struct cli_args *a)
{
    struct arena arena;
    struct str text;
    struct err err;

    body_add(settings, "kind", kind_of(a)->only_kind);
    body_add(settings, "normalize", args_has(a, FLAG_NORMALIZE) ? "true" : NULL);
    if (!args_has(a, FLAG_PASSWORD_FILE))
        return CLI_OK;
    arena_init(&arena, 4096);
    bool ok = disk_read_file(a->flags[FLAG_PASSWORD_FILE], PASSWORD_BYTES_MAX, &arena, &text, &err);
    if (ok) {
        struct str line = str_sub(text, 0, str_index(text, '\n'));
        json_object_object_add(settings, "password",
                               json_object_new_string_len(line.ptr, (int)line.len));
        mem_wipe((char *)(uintptr_t)text.ptr, text.len);
    }
    arena_done(&arena);
    return ok ? CLI_OK : cli_fail(CLI_USAGE, "%s", err.text);
}

/* An account is made below another by --account; operators belong to none. */
static bool needs_account(const struct object_kind *kind)
{
    return kind->fields != NOUN_ACCOUNT && kind->fields != NOUN_USER;
}

enum cli_exit object_add_run(const struct cli_args *a)
{
    const struct object_kind *kind = kind_of(a);
    const char *account = a->flags[FLAG_ACCOUNT];
    struct json_object *body, *settings;
    struct buf target;

    if (!account && needs_account(kind))
        return cli_fail(CLI_USAGE, "expected --account NAME");
    settings = object_settings(a, 1);
    if (!settings)
        return CLI_USAGE;
    enum cli_exit result = flags_into(settings, a);
    if (result != CLI_OK) {
        json_object_put(settings);
        return result;
    }
    body = json_object_new_object();
    body_add(body, "name", a->args[0]);
    body_add(body, "account", kind->below_account ? NULL : account);
    json_object_object_add(body, "settings", settings);
    buf_init(&target, TARGET_MAX);
    object_target(&target, kind, account);
    result = call_and_show(a, "POST", buf_cstr(&target), body);
    buf_done(&target);
    return result;
}

/* The items that the noun means: keys are the credentials of kind api. */
static void keep_kind(struct json_object *items, const char *only_kind)
{
    for (size_t i = json_object_array_length(items); only_kind && i > 0; i--) {
        struct json_object *kind = NULL;
        (void)json_object_object_get_ex(json_object_array_get_idx(items, i - 1), "kind", &kind);
        if (!kind || strcmp(json_object_get_string(kind), only_kind) != 0)
            (void)json_object_array_del_idx(items, i - 1, 1);
    }
}

enum cli_exit object_list_run(const struct cli_args *a)
{
    const struct object_kind *kind = kind_of(a);
    const char *account = a->flags[FLAG_ACCOUNT];
    struct json_object *items = NULL;
    enum cli_exit result;

    if (kind->only_kind) {
        result = object_fetch(a, kind, account, &items);
        if (result == CLI_OK) {
            keep_kind(items, kind->only_kind);
            result = show_items(a, items, kind->columns, kind->column_count);
        }
        json_object_put(items);
        return result;
    }
    struct buf target;
    buf_init(&target, TARGET_MAX);
    object_target(&target, kind, account);
    if (!kind->below_account)
        target_add(&target, "account", account);
    result = show_list(a, &target, kind->columns, kind->column_count);
    buf_done(&target);
    return result;
}

static enum cli_exit target_of_one(const struct cli_args *a, struct buf *target)
{
    const struct object_kind *kind = kind_of(a);

    buf_init(target, TARGET_MAX);
    if (kind->below_account && !args_has(a, FLAG_ACCOUNT))
        return cli_fail(CLI_USAGE, "expected --account NAME");
    object_target_one(target, kind, a->flags[FLAG_ACCOUNT], a->args[0]);
    return CLI_OK;
}

enum cli_exit object_show_run(const struct cli_args *a)
{
    struct buf target;
    enum cli_exit result = target_of_one(a, &target);

    if (result == CLI_OK)
        result = call_and_show(a, "GET", buf_cstr(&target), NULL);
    buf_done(&target);
    return result;
}

static enum cli_exit set_one(const struct cli_args *a, const char *target)
{
    struct json_object *settings = object_settings(a, 1), *body;

    if (!settings)
        return CLI_USAGE;
    enum cli_exit result = flags_into(settings, a);
    json_object_object_del(settings, "kind");
    if (result == CLI_OK && json_object_object_length(settings) == 0)
        result = cli_fail(CLI_USAGE, "expected KEY=VALUE");
    if (result != CLI_OK) {
        json_object_put(settings);
        return result;
    }
    body = json_object_new_object();
    json_object_object_add(body, "settings", settings);
    return call_and_show(a, "PATCH", target, body);
}

enum cli_exit object_set_run(const struct cli_args *a)
{
    struct buf target;
    enum cli_exit result = target_of_one(a, &target);

    if (result == CLI_OK)
        result = set_one(a, buf_cstr(&target));
    buf_done(&target);
    return result;
}

enum cli_exit object_rotate_run(const struct cli_args *a)
{
    struct buf target;
    enum cli_exit result = target_of_one(a, &target);

    (void)buf_add(&target, STR("/rotate"));
    if (result == CLI_OK)
        result = call_and_show(a, "POST", buf_cstr(&target), NULL);
    buf_done(&target);
    return result;
}

enum cli_exit object_remove_run(const struct cli_args *a)
{
    struct json_object *answer = NULL;
    struct buf target;
    enum cli_exit result = target_of_one(a, &target);

    if (result == CLI_OK)
        result = object_call(a, "DELETE", buf_cstr(&target), NULL, &answer);
    json_object_put(answer);
    buf_done(&target);
    return result;
}

/* Lists about accounts ------------------------------------------------------------------------- */

static const struct show_column observed_columns[] = {
    { "account", "ACCOUNT" }, { "code", "CODE" },  { "count", "COUNT" }, { "since", "SINCE" },
    { "last", "LAST" },       { "id", "MESSAGE" }, { "name", "NAME" },   { "text", "WHAT" },
};
static const struct show_column usage_columns[] = {
    { "account", "ACCOUNT" }, { "stream", "STREAM" }, { "window", "WINDOW" },
    { "measure", "MEASURE" }, { "used", "USED" },     { "limit", "LIMIT" },
    { "ends", "ENDS" },
};
static const struct show_column audit_columns[] = {
    { "time", "TIME" },       { "actor", "WHO" }, { "verb", "WHAT" },
    { "account", "ACCOUNT" }, { "name", "NAME" }, { "detail", "DETAIL" },
};

static enum cli_exit list_of_account(const struct cli_args *a, const char *path,
                                     const char *account, const struct show_column *columns,
                                     size_t count)
{
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "%s", path);
    target_add(&target, "account", account);
    enum cli_exit result = show_list(a, &target, columns, count);
    buf_done(&target);
    return result;
}

enum cli_exit account_observed_run(const struct cli_args *a)
{
    return list_of_account(a, "/v1/observed", a->args[0], observed_columns,
                           ARRAY_LEN(observed_columns));
}

enum cli_exit account_usage_run(const struct cli_args *a)
{
    return list_of_account(a, "/v1/usage", a->args[0], usage_columns, ARRAY_LEN(usage_columns));
}

enum cli_exit audit_run(const struct cli_args *a)
{
    return list_of_account(a, "/v1/audit", a->flags[FLAG_ACCOUNT], audit_columns,
                           ARRAY_LEN(audit_columns));
}

/* Client settings ------------------------------------------------------------------------------ */

/* Each text behind its name, as a comment of a zone file would say it. */
static enum cli_exit print_clients(struct json_object *items)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *item = json_object_array_get_idx(items, i), *name = NULL, *body = NULL;
        (void)json_object_object_get_ex(item, "name", &name);
        (void)json_object_object_get_ex(item, "text", &body);
        (void)buf_addf(&text, "%s; %s\n", i > 0 ? "\n" : "", json_object_get_string(name));
        show_clean(&text, str_of(json_object_get_string(body)), true);
    }
    enum cli_exit result = cli_print(&text);
    buf_done(&text);
    return result;
}

enum cli_exit account_clients_run(const struct cli_args *a)
{
    struct json_object *items = NULL;
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_add(&target, STR("/v1/clients/"));
    target_add_word(&target, a->args[0]);
    enum cli_exit result = client_list(a, buf_cstr(&target), SIZE_MAX, &items);
    buf_done(&target);
    if (result == CLI_OK)
        result = show_as_json(a) ? show_items(a, items, NULL, 0) : print_clients(items);
    json_object_put(items);
    return result;
}

// SPDX-License-Identifier: Apache-2.0
/* cli/command_queue.c - baton queue: what waits, why, and what to do with it. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/client.h"
#include "cli/show.h"

#define TARGET_MAX (64 * 1024)

static const struct show_column list_columns[] = {
    { "id", "ID" },     { "state", "STATE" },       { "from", "FROM" },
    { "to", "TO" },     { "site", "SITE" },         { "tries", "TRIES" },
    { "size", "SIZE" }, { "accepted", "ACCEPTED" }, { "next", "NEXT" },
};
static const struct show_column summary_columns[] = {
    { "site", "SITE" },
    { "queued", "QUEUED" },
    { "ready", "READY" },
    { "delivering", "DELIVERING" },
    { "connections", "CONNECTIONS" },
    { "closed_until", "CLOSED UNTIL" },
    { "why", "WHY" },
};
static const struct show_column why_columns[] = {
    { "to", "TO" },
    { "state", "STATE" },
    { "next", "NEXT" },
    { "why", "WHY" },
};
static const struct show_column act_columns[] = { { "id", "ID" }, { "to", "TO" } };

/* Filters, which bodies and queries name alike. */
static const struct filter {
    enum cli_flag flag;
    const char *name;
} filters[] = {
    { FLAG_FROM, "from" },
    { FLAG_TO, "to" },
    { FLAG_SITE, "site" },
    { FLAG_STATE, "state" },
};

static bool has_filter(const struct cli_args *a)
{
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        if (args_has(a, filters[i].flag))
            return true;
    return false;
}

enum cli_exit queue_list_run(const struct cli_args *a)
{
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "/v1/queue");
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        target_add(&target, filters[i].name, a->flags[filters[i].flag]);
    enum cli_exit result = show_list(a, &target, list_columns, ARRAY_LEN(list_columns));
    buf_done(&target);
    return result;
}

enum cli_exit queue_summary_run(const struct cli_args *a)
{
    struct json_object *items = NULL;
    enum cli_exit result = client_list(a, "/v1/queue/summary", SIZE_MAX, &items);

    if (result != CLI_OK)
        return result;
    result = show_items(a, items, summary_columns, ARRAY_LEN(summary_columns));
    json_object_put(items);
    return result;
}

static enum cli_exit fetch_one(const struct cli_args *a, const char *behind,
                               struct json_object **ret)
{
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "/v1/queue/");
    target_add_word(&target, a->args[0]);
    (void)buf_addf(&target, "%s", behind);
    enum cli_exit result = client_list(a, buf_cstr(&target), SIZE_MAX, ret);
    buf_done(&target);
    return result;
}

/* The first item is the message, the others its recipients. */
static enum cli_exit show_message(const struct cli_args *a, struct json_object *items)
{
    struct json_object *message = json_object_array_get_idx(items, 0);
    enum cli_exit result;

    if (show_as_json(a) || !message)
        return show_items(a, items, NULL, 0);
    result = show_object(a, message);
    (void)json_object_array_del_idx(items, 0, 1);
    if (result != CLI_OK || json_object_array_length(items) == 0)
        return result;
    return show_items(a, items, list_columns + 1, ARRAY_LEN(list_columns) - 1);
}

enum cli_exit queue_show_run(const struct cli_args *a)
{
    struct json_object *items = NULL;
    enum cli_exit result = fetch_one(a, "", &items);

    if (result != CLI_OK)
        return result;
    result = show_message(a, items);
    json_object_put(items);
    return result;
}

enum cli_exit queue_why_run(const struct cli_args *a)
{
    struct json_object *items = NULL;
    enum cli_exit result = fetch_one(a, "/why", &items);

    if (result != CLI_OK)
        return result;
    result = show_items(a, items, why_columns, ARRAY_LEN(why_columns));
    json_object_put(items);
    return result;
}

/* Actions -------------------------------------------------------------------------------------- */

static void flag_add(struct json_object *body, const char *name, bool is_set)
{
    if (is_set)
        json_object_object_add(body, name, json_object_new_boolean(1));
}

/* `id` NULL: all that the filters find. */
static enum cli_exit act(const struct cli_args *a, const char *id, bool dry_run,
                         struct json_object **ret)
{
    struct json_object *body = json_object_new_object();
    struct buf target;

    body_add(body, "id", id);
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        body_add(body, filters[i].name, a->flags[filters[i].flag]);
    body_add(body, "reason", a->flags[FLAG_REASON]);
    flag_add(body, "all", id == NULL);
    flag_add(body, "silent", args_has(a, FLAG_SILENT));
    flag_add(body, "dry_run", dry_run);
    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "/v1/queue/%s", a->command->verb);
    enum cli_exit result = client_call(a, "POST", buf_cstr(&target), body, ret);
    buf_done(&target);
    return result;
}

/* Items of one answer behind those there are. */
static void gather(struct json_object *all, struct json_object *answer)
{
    struct json_object *items = NULL;

    if (json_object_object_get_ex(answer, "items", &items) &&
        json_object_is_type(items, json_type_array))
        for (size_t i = 0; i < json_object_array_length(items); i++)
            json_object_array_add(all, json_object_get(json_object_array_get_idx(items, i)));
}

static enum cli_exit act_on_ids(const struct cli_args *a, const char *const *ids, size_t count,
                                struct json_object *all)
{
    enum cli_exit worst = CLI_OK;
    size_t failed = 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *answer = NULL;
        enum cli_exit result = act(a, ids[i], args_has(a, FLAG_DRY_RUN), &answer);
        if (result != CLI_OK) {
            (void)cli_fail(result, "%s was left as it is", ids[i]);
            worst = result;
            failed++;
            continue;
        }
        gather(all, answer);
        json_object_put(answer);
    }
    return failed > 0 && failed < count ? CLI_PARTIAL : worst;
}

static enum cli_exit act_on_found(const struct cli_args *a, bool dry_run, struct json_object *all)
{
    struct json_object *answer = NULL;
    enum cli_exit result = act(a, NULL, dry_run, &answer);

    if (result == CLI_OK)
        gather(all, answer);
    json_object_put(answer);
    return result;
}

/* What is dropped does not come back: more than one message only on purpose. */
static enum cli_exit drop_is_meant(const struct cli_args *a, size_t count)
{
    if (count > 1 && !args_has(a, FLAG_YES) && !args_has(a, FLAG_DRY_RUN))
        return cli_fail(CLI_USAGE,
                        "%zu messages would be dropped: repeat with --yes if that is meant", count);
    return CLI_OK;
}

/* The messages of rows, which come message by message; the texts stay theirs. */
static size_t ids_of(struct json_object *rows, const char **ids)
{
    size_t count = 0;

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *id = NULL;
        (void)json_object_object_get_ex(json_object_array_get_idx(rows, i), "id", &id);
        const char *text = id ? json_object_get_string(id) : "";
        if (count == 0 || strcmp(ids[count - 1], text) != 0)
            ids[count++] = text;
    }
    return count;
}

/* Drops what was found and counted, and nothing that came since: the notifications that a drop
 * makes would match a filter too. */
static enum cli_exit drop_found(const struct cli_args *a, struct json_object *all)
{
    struct json_object *found = json_object_new_array();
    enum cli_exit result = act_on_found(a, true, found);
    const char **ids = NEW_ARRAY(const char *, json_object_array_length(found) + 1);
    size_t count = ids_of(found, ids);

    if (result == CLI_OK)
        result = drop_is_meant(a, count);
    if (result == CLI_OK)
        result = act_on_ids(a, ids, count, all);
    free((void *)ids);
    json_object_put(found);
    return result;
}

static enum cli_exit drop(const struct cli_args *a, struct json_object *all)
{
    if (args_has(a, FLAG_SILENT) && !args_has(a, FLAG_REASON))
        return cli_fail(CLI_USAGE, "--silent needs --reason TEXT");
    if (a->arg_count == 0 && args_has(a, FLAG_DRY_RUN))
        return act_on_found(a, true, all);
    if (a->arg_count == 0)
        return drop_found(a, all);
    enum cli_exit result = drop_is_meant(a, a->arg_count);
    return result == CLI_OK ? act_on_ids(a, a->args, a->arg_count, all) : result;
}

static enum cli_exit act_on_all(const struct cli_args *a, struct json_object *all)
{
    if (strcmp(a->command->verb, "drop") == 0)
        return drop(a, all);
    if (a->arg_count > 0)
        return act_on_ids(a, a->args, a->arg_count, all);
    return act_on_found(a, args_has(a, FLAG_DRY_RUN), all);
}

enum cli_exit queue_act_run(const struct cli_args *a)
{
    struct json_object *all;
    enum cli_exit result;

    if ((a->arg_count > 0) == (has_filter(a) || args_has(a, FLAG_ALL)))
        return cli_fail(CLI_USAGE, "expected either ids or filters (--all for the whole queue)");
    all = json_object_new_array();
    result = act_on_all(a, all);
    if (result == CLI_OK || result == CLI_PARTIAL) {
        enum cli_exit shown = show_items(a, all, act_columns, ARRAY_LEN(act_columns));
        if (shown != CLI_OK)
            result = shown;
    }
    json_object_put(all);
    return result;
}

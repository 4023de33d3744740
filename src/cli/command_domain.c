// SPDX-License-Identifier: Apache-2.0
/* cli/command_domain.c - baton domain: names to send as, what proves them, what is to be published
 * for them. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/client.h"
#include "cli/objects.h"
#include "io/disk.h"

#define TARGET_MAX (64 * 1024)
#define TEXT_MAX (64 * 1024 * 1024)
#define LIST_BYTES_MAX (64 * 1024 * 1024)
#define BATCH_BYTES ((size_t)2000) /* of names in one request */
#define LINE_MAX_BYTES ((size_t)300)

static const struct show_column added_columns[] = {
    { "domain", "DOMAIN" }, { "account", "ACCOUNT" }, { "method", "METHOD" },
    { "state", "STATE" },   { "why", "WHY" },
};
static const struct show_column check_columns[] = {
    { "name", "NAME" },   { "type", "TYPE" },   { "server", "SERVER" }, { "found", "FOUND" },
    { "value", "VALUE" }, { "state", "STATE" }, { "why", "WHY" },
};
static const struct show_column record_columns[] = {
    { "need", "NEED" },   { "name", "NAME" }, { "type", "TYPE" },
    { "value", "VALUE" }, { "why", "WHY" },   { "state", "STATE" },
};

/* The path of one domain, with `behind` and the account when it is said. */
static void domain_target(struct buf *to, const struct cli_args *a, const char *behind)
{
    buf_init(to, TARGET_MAX);
    object_target_one(to, &object_kinds[KIND_DOMAIN], NULL, a->args[0]);
    (void)buf_addf(to, "%s", behind);
}

static struct json_object *items_of(struct json_object *answer)
{
    struct json_object *items = NULL;

    return json_object_object_get_ex(answer, "items", &items) &&
                   json_object_is_type(items, json_type_array)
               ? items
               : NULL;
}

/* Asks for a change, and shows the rows that come back. */
static enum cli_exit domain_call(const struct cli_args *a, const char *method, const char *behind,
                                 struct json_object *body, const struct show_column *columns,
                                 size_t count)
{
    struct json_object *answer = NULL;
    struct buf target;

    domain_target(&target, a, behind);
    body_add(body, "account", a->flags[FLAG_ACCOUNT]);
    enum cli_exit result = object_call(a, method, buf_cstr(&target), body, &answer);
    buf_done(&target);
    struct json_object *items = result == CLI_OK ? items_of(answer) : NULL;
    if (items && json_object_array_length(items) > 0)
        result = show_items(a, items, columns, count);
    json_object_put(answer);
    return result;
}

/* Adding --------------------------------------------------------------------------------------- */

struct adding {
    const struct cli_args *args;
    struct json_object *settings, *shown;
    struct buf batch; /* names that wait, joined by commas */
    size_t added, failed;
    enum cli_exit worst;
};

static struct json_object *add_body(const struct adding *d, struct str name)
{
    struct json_object *body = json_object_new_object();

    json_object_object_add(body, "name", json_object_new_string_len(name.ptr, (int)name.len));
    body_add(body, "account", d->args->flags[FLAG_ACCOUNT]);
    if (args_has(d->args, FLAG_DRY_RUN))
        json_object_object_add(body, "dry_run", json_object_new_boolean(1));
    return body;
}

static void take_rows(struct adding *d, struct json_object *answer)
{
    struct json_object *items = items_of(answer);

    for (size_t i = 0; items && i < json_object_array_length(items); i++)
        json_object_array_add(d->shown, json_object_get(json_object_array_get_idx(items, i)));
}

static void add_one(struct adding *d, struct str name)
{
    struct json_object *body = add_body(d, name), *answer = NULL;

    json_object_object_add(body, "settings", json_object_get(d->settings));
    enum cli_exit result = client_call(d->args, "POST", "/v1/domains", body, &answer);
    if (result == CLI_OK) {
        d->added++;
        take_rows(d, answer);
    } else {
        d->failed++;
        d->worst = result;
    }
    json_object_put(answer);
}

static size_t count_names(struct str names)
{
    struct str name;
    size_t count = 0;

    while (str_next(&names, ',', &name))
        count++;
    return count;
}

/* Many names in one request are one change of the database: all of them, or none. */
static bool add_together(struct adding *d, struct str names)
{
    struct json_object *body, *settings = NULL, *answer = NULL;
    struct str first, rest;

    if (!str_cut(names, ',', &first, &rest))
        return false;
    if (json_object_deep_copy(d->settings, &settings, NULL) < 0)
        return false;
    body = add_body(d, first);
    json_object_object_add(settings, "names", json_object_new_string_len(rest.ptr, (int)rest.len));
    json_object_object_add(body, "settings", settings);
    bool ok = client_try(d->args, "POST", "/v1/domains", body, &answer) == CLI_OK;
    if (ok) {
        d->added += count_names(names);
        take_rows(d, answer);
    }
    json_object_put(answer);
    return ok;
}

/* When something is wrong with one of them, each is asked for by itself, so that it can be named.
 */
static void batch_end(struct adding *d)
{
    struct str names = buf_str(&d->batch), name;

    if (names.len > 0 && !add_together(d, names))
        while (str_next(&names, ',', &name))
            add_one(d, name);
    buf_clear(&d->batch);
}

static void batch_add(struct adding *d, struct str name)
{
    if (str_index(name, ',') < name.len) { /* would be two */
        add_one(d, name);
        return;
    }
    if (d->batch.len + name.len + 1 > BATCH_BYTES)
        batch_end(d);
    (void)buf_addf(&d->batch, "%s%.*s", d->batch.len > 0 ? "," : "", STR_FMT(name));
}

/* A name a line; empty lines and those that begin with # are passed over. */
static enum cli_exit add_file(struct adding *d, const char *file)
{
    struct arena arena;
    struct str text, line;
    struct err err;

    arena_init(&arena, 4096);
    buf_init(&d->batch, BATCH_BYTES + LINE_MAX_BYTES);
    bool ok = disk_read_file(file, LIST_BYTES_MAX, &arena, &text, &err);
    while (ok && str_next(&text, '\n', &line)) {
        line = str_trim(str_sub(line, 0, str_index(line, '\r')));
        if (line.len > LINE_MAX_BYTES)
            add_one(d, line);
        else if (line.len > 0 && line.ptr[0] != '#')
            batch_add(d, line);
    }
    batch_end(d);
    buf_done(&d->batch);
    arena_done(&arena);
    return ok ? CLI_OK : cli_fail(CLI_USAGE, "%s", err.text);
}

static bool is_setting(const char *word)
{
    return strchr(word, '=') != NULL;
}

static size_t first_setting(const struct cli_args *a)
{
    size_t at = 0;

    while (at < a->arg_count && !is_setting(a->args[at]))
        at++;
    return at;
}

static enum cli_exit add_all(struct adding *d, size_t names)
{
    const struct cli_args *a = d->args;
    enum cli_exit result = CLI_OK;

    for (size_t i = 0; i < names; i++)
        add_one(d, str_of(a->args[i]));
    if (args_has(a, FLAG_FILE))
        result = add_file(d, a->flags[FLAG_FILE]);
    if (json_object_array_length(d->shown) > 0 && result == CLI_OK)
        result = show_items(a, d->shown, added_columns, ARRAY_LEN(added_columns));
    if (result != CLI_OK || d->failed == 0)
        return result;
    if (d->added == 0)
        return d->worst;
    return cli_fail(CLI_PARTIAL, "%zu domains were added, %zu were not", d->added, d->failed);
}

enum cli_exit domain_add_run(const struct cli_args *a)
{
    struct adding d = { .args = a };
    size_t names = first_setting(a);

    if (!args_has(a, FLAG_ACCOUNT))
        return cli_fail(CLI_USAGE, "expected --account NAME");
    if (names == 0 && !args_has(a, FLAG_FILE))
        return cli_fail(CLI_USAGE, "expected DOMAIN or --file LIST");
    d.settings = object_settings(a, names);
    if (!d.settings)
        return CLI_USAGE;
    body_add(d.settings, "method", a->flags[FLAG_METHOD]);
    d.shown = json_object_new_array();
    enum cli_exit result = add_all(&d, names);
    json_object_put(d.shown);
    json_object_put(d.settings);
    return result;
}

/* One domain ----------------------------------------------------------------------------------- */

enum cli_exit domain_show_run(const struct cli_args *a)
{
    struct json_object *items = NULL;
    struct buf target, text;

    domain_target(&target, a, "");
    target_add(&target, "account", a->flags[FLAG_ACCOUNT]);
    enum cli_exit result = client_list(a, buf_cstr(&target), SIZE_MAX, &items);
    buf_done(&target);
    if (result != CLI_OK || show_as_json(a)) {
        result = result == CLI_OK ? show_items(a, items, NULL, 0) : result;
        json_object_put(items);
        return result;
    }
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        (void)buf_addf(&text, "%s", i > 0 ? "\n" : "");
        show_members(&text, json_object_array_get_idx(items, i));
    }
    result = cli_print(&text);
    buf_done(&text);
    json_object_put(items);
    return result;
}

enum cli_exit domain_set_run(const struct cli_args *a)
{
    struct json_object *settings = object_settings(a, 1), *body;

    if (!settings)
        return CLI_USAGE;
    body = json_object_new_object();
    json_object_object_add(body, "settings", settings);
    return domain_call(a, "PATCH", "", body, added_columns, ARRAY_LEN(added_columns));
}

enum cli_exit domain_remove_run(const struct cli_args *a)
{
    return domain_call(a, "DELETE", "", json_object_new_object(), added_columns,
                       ARRAY_LEN(added_columns));
}

/* A record whose state is not the last one that it can have. */
static bool is_missing(struct json_object *row)
{
    struct json_object *state = NULL;
    const char *word = json_object_object_get_ex(row, "state", &state) && state
                           ? json_object_get_string(state)
                           : "";

    return *word && strcmp(word, "proved") != 0 && strcmp(word, "active") != 0 &&
           strcmp(word, "retiring") != 0;
}

enum cli_exit domain_check_run(const struct cli_args *a)
{
    struct json_object *answer = NULL, *body = json_object_new_object();
    struct buf target;

    domain_target(&target, a, "/check");
    body_add(body, "account", a->flags[FLAG_ACCOUNT]);
    enum cli_exit result = client_call(a, "POST", buf_cstr(&target), body, &answer);
    buf_done(&target);
    struct json_object *items = result == CLI_OK ? items_of(answer) : NULL;
    if (items)
        result = show_items(a, items, check_columns, ARRAY_LEN(check_columns));
    for (size_t i = 0; items && result == CLI_OK && i < json_object_array_length(items); i++)
        if (is_missing(json_object_array_get_idx(items, i)))
            result = CLI_UNHEALTHY;
    json_object_put(answer);
    return result;
}

enum cli_exit domain_rotate_run(const struct cli_args *a)
{
    return domain_call(a, "POST", "/rotate", json_object_new_object(), record_columns,
                       ARRAY_LEN(record_columns));
}

enum cli_exit domain_transfer_run(const struct cli_args *a)
{
    struct json_object *body;

    if (a->to_count != 1)
        return cli_fail(CLI_USAGE, "expected --to ACCOUNT");
    body = json_object_new_object();
    body_add(body, "to", a->to[0]);
    return domain_call(a, "POST", "/transfer", body, added_columns, ARRAY_LEN(added_columns));
}

/* Records -------------------------------------------------------------------------------------- */

static enum cli_exit fetch_records(const struct cli_args *a, const char *format,
                                   struct json_object **ret)
{
    struct buf target;

    domain_target(&target, a, "/records");
    target_add(&target, "account", a->flags[FLAG_ACCOUNT]);
    target_add(&target, "format", format);
    enum cli_exit result = client_list(a, buf_cstr(&target), SIZE_MAX, ret);
    buf_done(&target);
    return result;
}

/* A file in somebody else's form comes in pieces, each a row's text. It is written as it is: what
 * is in it are names and keys, which the relay has checked. */
static enum cli_exit print_texts(struct json_object *items)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *piece = NULL;
        if (json_object_object_get_ex(json_object_array_get_idx(items, i), "text", &piece))
            show_clean(&text, str_of(json_object_get_string(piece)), true);
    }
    enum cli_exit result = cli_print(&text);
    buf_done(&text);
    return result;
}

enum cli_exit domain_records_run(const struct cli_args *a)
{
    const char *format = args_has(a, FLAG_FORMAT) ? a->flags[FLAG_FORMAT] : NULL;
    bool as_rows = !format || strcmp(format, "json") == 0;
    struct json_object *items = NULL;
    enum cli_exit result = fetch_records(a, as_rows ? "json" : format, &items);

    if (result != CLI_OK)
        return result;
    if (format && as_rows)
        result = show_json(items);
    else if (as_rows)
        result = show_items(a, items, record_columns, ARRAY_LEN(record_columns));
    else
        result = print_texts(items);
    json_object_put(items);
    return result;
}

/* The record that keeps every other account away from the name is the one that proves it. */
enum cli_exit domain_lock_run(const struct cli_args *a)
{
    struct json_object *items = NULL;
    enum cli_exit result = fetch_records(a, "json", &items);

    if (result != CLI_OK)
        return result;
    for (size_t i = json_object_array_length(items); i > 0; i--) {
        struct json_object *name = NULL;
        (void)json_object_object_get_ex(json_object_array_get_idx(items, i - 1), "name", &name);
        if (!name || !str_starts_nocase(str_of(json_object_get_string(name)), STR("_baton.")))
            (void)json_object_array_del_idx(items, i - 1, 1);
    }
    result = show_items(a, items, record_columns, ARRAY_LEN(record_columns));
    if (result == CLI_OK && !show_as_json(a))
        (void)cli_fail(CLI_OK, "published, it keeps accounts that no such record names from using "
                               "the domain");
    json_object_put(items);
    return result;
}

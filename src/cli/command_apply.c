// SPDX-License-Identifier: Apache-2.0
/* cli/command_apply.c - baton export, baton apply: the relay's objects as one file, and back. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/client.h"
#include "cli/plan.h"
#include "io/clock.h"
#include "io/disk.h"

#define TARGET_MAX (64 * 1024)
#define FILE_BYTES_MAX (256 * 1024 * 1024)
#define TEXT_MAX (256 * 1024 * 1024)

static const enum object_kind_index exported[] = { KIND_ACCOUNT, KIND_STREAM, KIND_USER,
                                                   KIND_DOMAIN, KIND_CRED };

/* Export --------------------------------------------------------------------------------------- */

static void copy_member(struct json_object *to, struct json_object *from, const char *name)
{
    struct json_object *value = NULL;

    if (json_object_object_get_ex(from, name, &value) && value)
        json_object_object_add(to, name, json_object_get(value));
}

/* Of a row what is a decision; what merely happened is left out. */
static struct json_object *object_of(const struct object_kind *kind, struct json_object *row)
{
    struct json_object *object = json_object_new_object();

    copy_member(object, row, kind->name);
    copy_member(object, row, kind->fields == NOUN_ACCOUNT ? "parent" : "account");
    copy_member(object, row, "settings");
    return object;
}

static enum cli_exit fetch_all(const struct cli_args *a, struct json_object *document)
{
    enum cli_exit result = CLI_OK;

    for (size_t i = 0; result == CLI_OK && i < ARRAY_LEN(exported); i++) {
        const struct object_kind *kind = &object_kinds[exported[i]];
        struct json_object *rows = NULL, *list = json_object_new_array();
        result = object_fetch(a, kind, NULL, &rows);
        for (size_t r = 0; result == CLI_OK && r < json_object_array_length(rows); r++)
            json_object_array_add(list, object_of(kind, json_object_array_get_idx(rows, r)));
        json_object_object_add(document, kind->section, list);
        json_object_put(rows);
    }
    return result;
}

enum cli_exit export_run(const struct cli_args *a)
{
    struct json_object *document = json_object_new_object();
    enum cli_exit result = fetch_all(a, document);
    struct buf text;

    if (result == CLI_OK && args_has(a, FLAG_FORMAT) && strcmp(a->flags[FLAG_FORMAT], "json") != 0)
        result = cli_fail(CLI_USAGE, "--format: expected json");
    if (result == CLI_OK) {
        buf_init(&text, TEXT_MAX);
        (void)buf_addf(&text, "%s\n",
                       json_object_to_json_string_ext(
                           document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                         JSON_C_TO_STRING_NOSLASHESCAPE));
        result = cli_print(&text);
        buf_done(&text);
    }
    json_object_put(document);
    return result;
}

/* Reading the file ----------------------------------------------------------------------------- */

static bool parse_file(struct str text, struct json_object **ret, struct err *err)
{
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *json = NULL;

    if (tokener && text.len <= INT32_MAX) {
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        json = json_tokener_parse_ex(tokener, text.ptr ? text.ptr : "", (int)text.len);
    }
    enum json_tokener_error why =
        tokener ? json_tokener_get_error(tokener) : json_tokener_error_size;
    size_t end = tokener ? json_tokener_get_parse_end(tokener) : 0;
    json_tokener_free(tokener);
    *ret = json;
    if (why == json_tokener_success && end == text.len)
        return true;
    return err_set(err, ERR_SYNTAX, "octet %zu: %s", end,
                   why == json_tokener_success    ? "something behind the JSON"
                   : why == json_tokener_continue ? "JSON without an end"
                                                  : json_tokener_error_desc(why));
}

static enum cli_exit read_document(const char *file, struct json_object **ret)
{
    struct arena arena;
    struct buf input;
    struct str text;
    struct err err = { 0 };

    arena_init(&arena, 4096);
    buf_init(&input, FILE_BYTES_MAX);
    bool ok = strcmp(file, "-") == 0 ? cli_read_stdin(&input, &err)
                                     : disk_read_file(file, FILE_BYTES_MAX, &arena, &text, &err);
    if (ok && !parse_file(strcmp(file, "-") == 0 ? buf_str(&input) : text, ret, &err))
        ok = err_at(&err, "%s", file);
    buf_done(&input);
    arena_done(&arena);
    return ok ? CLI_OK : cli_fail(CLI_USAGE, "%s", err.text);
}

/* Doing ---------------------------------------------------------------------------------------- */

static struct json_object *settings_json(const struct plan_step *s)
{
    struct json_object *settings = json_object_new_object();
    struct str rest = s->settings, line, key, value;
    char name[100];

    while (str_next(&rest, '\n', &line)) {
        if (!str_cut(line, '=', &key, &value) || key.len >= sizeof name)
            continue;
        (void)snprintf(name, sizeof name, "%.*s", STR_FMT(key));
        json_object_object_add(
            settings, name, json_object_new_string_len(value.ptr ? value.ptr : "", (int)value.len));
    }
    if (s->secret.len > 0)
        json_object_object_add(settings, "password",
                               json_object_new_string_len(s->secret.ptr, (int)s->secret.len));
    return settings;
}

static void step_target(struct buf *to, const struct plan_step *s)
{
    const char *account = s->account.len > 0 ? s->account.ptr : NULL;

    if (plan_mark(s->kind) == PLAN_MARK_ADD)
        object_target(to, s->of, account);
    else
        object_target_one(to, s->of, account, s->name.ptr);
}

/* The account stands in the path, or belongs to the name of a domain, or is whose it becomes. */
static bool takes_account(const struct plan_step *s)
{
    return !s->of->below_account && s->account.len > 0 &&
           (plan_mark(s->kind) == PLAN_MARK_ADD || s->of->fields == NOUN_DOMAIN);
}

static enum cli_exit step_call(const struct cli_args *a, const struct plan_step *s,
                               struct json_object **ret)
{
    enum plan_mark mark = plan_mark(s->kind);
    struct json_object *body = json_object_new_object();
    struct buf target;

    if (mark == PLAN_MARK_ADD)
        body_add(body, "name", s->name.ptr);
    body_add(body, "account", takes_account(s) ? s->account.ptr : NULL);
    if (mark != PLAN_MARK_REMOVE)
        json_object_object_add(body, "settings", settings_json(s));
    buf_init(&target, TARGET_MAX);
    step_target(&target, s);
    enum cli_exit result = client_call(a,
                                       mark == PLAN_MARK_ADD   ? "POST"
                                       : mark == PLAN_MARK_SET ? "PATCH"
                                                               : "DELETE",
                                       buf_cstr(&target), body, ret);
    buf_done(&target);
    return result;
}

static void step_line(struct buf *to, const struct plan_step *s)
{
    (void)buf_addf(to, "%c %s ", (char)plan_mark(s->kind), s->of->noun);
    show_clean(to, s->name, false);
    if (s->account.len > 0) {
        (void)buf_addf(to, s->of->fields == NOUN_ACCOUNT ? " below " : " of ");
        show_clean(to, s->account, false);
    }
    if (s->difference.len > 0) {
        (void)buf_add(to, STR(": "));
        show_clean(to, s->difference, false);
    }
    (void)buf_add_char(to, '\n');
}

/* What a new object is told only once. */
static void secret_line(struct buf *to, const struct plan_step *s, struct json_object *answer)
{
    static const char *const names[] = { "secret", "password" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct json_object *secret = NULL;
        if (!json_object_object_get_ex(answer, names[i], &secret) || !secret)
            continue;
        (void)buf_addf(to, "  %s of %s ", names[i], s->of->noun);
        show_clean(to, s->name, false);
        (void)buf_addf(to, ": %s\n", json_object_get_string(secret));
    }
}

/* The second half of a new account has no line of its own. */
static bool is_told(const struct plan_step *s)
{
    return plan_mark(s->kind) != PLAN_MARK_SET || s->difference.len > 0;
}

static enum cli_exit step_do(const struct cli_args *a, const struct plan_step *s)
{
    struct json_object *answer = NULL;
    enum cli_exit result = CLI_OK;
    struct buf text;

    buf_init(&text, TEXT_MAX);
    if (is_told(s))
        step_line(&text, s);
    if (!args_has(a, FLAG_DRY_RUN) && !s->with_account)
        result = step_call(a, s, &answer);
    if (result == CLI_OK) {
        secret_line(&text, s, answer);
        result = cli_print(&text);
    } else {
        (void)cli_fail(result, "%s %s: it stays as it is", s->of->noun, s->name.ptr);
    }
    json_object_put(answer);
    buf_done(&text);
    return result;
}

static size_t count_removals(const struct plan *p)
{
    size_t count = 0;

    for (size_t i = 0; i < p->count; i++)
        count += plan_mark(p->steps[i].kind) == PLAN_MARK_REMOVE;
    return count;
}

static enum cli_exit carry_out(const struct cli_args *a, const struct plan *p)
{
    size_t removals = count_removals(p);

    if (removals > 0 && !args_has(a, FLAG_YES) && !args_has(a, FLAG_DRY_RUN))
        return cli_fail(CLI_USAGE,
                        "%zu objects would be taken away: look with --dry-run, repeat with --yes",
                        removals);
    for (size_t i = 0; i < p->count; i++) {
        enum cli_exit result = step_do(a, &p->steps[i]);
        if (result != CLI_OK)
            return i == 0 ? result
                          : cli_fail(CLI_PARTIAL,
                                     "%zu of %zu steps were done; repeat it when the "
                                     "reason is gone",
                                     i, p->count);
    }
    if (p->count == 0)
        (void)cli_fail(CLI_OK, "nothing to do");
    if (p->unnamed > removals)
        (void)cli_fail(CLI_OK, "%zu objects that the file does not name stay (--prune)",
                       p->unnamed - removals);
    return CLI_OK;
}

static enum cli_exit apply(const struct cli_args *a, struct json_object *wanted,
                           struct json_object *now)
{
    const struct plan_about about = {
        .wanted = wanted,
        .now = now,
        .prune = args_has(a, FLAG_PRUNE),
        .now_wall_ms = clock_wall_ms(),
    };
    struct plan plan;
    struct err err = { 0 };
    enum cli_exit result = plan_make(&plan, &about, &err)
                               ? carry_out(a, &plan)
                               : cli_fail(CLI_USAGE, "%s: %s", a->flags[FLAG_FILE], err.text);
    plan_done(&plan);
    return result;
}

enum cli_exit apply_run(const struct cli_args *a)
{
    struct json_object *wanted = NULL, *now = json_object_new_object();
    enum cli_exit result;

    result = args_has(a, FLAG_FILE) ? read_document(a->flags[FLAG_FILE], &wanted)
                                    : cli_fail(CLI_USAGE, "expected --file FILE");
    if (result == CLI_OK)
        result = fetch_all(a, now);
    if (result == CLI_OK)
        result = apply(a, wanted, now);
    json_object_put(wanted);
    json_object_put(now);
    return result;
}

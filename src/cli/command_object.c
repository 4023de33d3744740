// SPDX-License-Identifier: Apache-2.0
/* cli/command_object.c - baton account, cred, sandbox: what the relay keeps, listed, made, taken
 * away. */
#include "base/mem.h"
#include "cli/client.h"
#include "cli/show.h"

#define TARGET_MAX (64 * 1024)
#define CONTENT_MAX (256 * 1024 * 1024)
#define PAGE_MAX 1000

static const struct show_column account_columns[] = {
    { "name", "NAME" },
    { "state", "STATE" },
    { "credentials", "CREDENTIALS" },
    { "created", "CREATED" },
};
static const struct show_column cred_columns[] = {
    { "user", "USER" },       { "account", "ACCOUNT" },     { "normalize", "NORMALIZE" },
    { "created", "CREATED" }, { "last_used", "LAST USED" },
};
static const struct show_column sandbox_columns[] = {
    { "n", "NUMBER" }, { "received", "RECEIVED" }, { "from", "FROM" },
    { "to", "TO" },    { "size", "SIZE" },         { "subject", "SUBJECT" },
};

enum cli_exit show_list(const struct cli_args *a, struct buf *target,
                        const struct show_column *columns, size_t count)
{
    struct json_object *items = NULL;
    char page_text[24];
    struct buf page = { .ptr = page_text, .cap = sizeof page_text, .max = sizeof page_text - 1 };
    uint64_t limit = 100;

    if (args_has(a, FLAG_LIMIT) &&
        (!str_to_u64(str_of(a->flags[FLAG_LIMIT]), UINT32_MAX, &limit) || limit == 0))
        return cli_fail(CLI_USAGE, "--limit: expected a number over 0");
    (void)buf_addf(&page, "%llu", (unsigned long long)(limit < PAGE_MAX ? limit : PAGE_MAX));
    page_text[page.len] = '\0';
    target_add(target, "limit", page_text);
    enum cli_exit result = client_list(a, buf_cstr(target), limit, &items);
    if (result != CLI_OK)
        return result;
    result = show_items(a, items, columns, count);
    json_object_put(items);
    return result;
}

/* Calls and shows the one object that comes back. */
static enum cli_exit call_and_show(const struct cli_args *a, const char *method, const char *target,
                                   struct json_object *body)
{
    struct json_object *answer = NULL;
    enum cli_exit result = client_call(a, method, target, body, &answer);

    if (result != CLI_OK)
        return result;
    result = show_object(a, answer);
    json_object_put(answer);
    return result;
}

/* Accounts ------------------------------------------------------------------------------------- */

enum cli_exit account_add_run(const struct cli_args *a)
{
    struct json_object *body = json_object_new_object();

    body_add(body, "name", a->args[0]);
    return call_and_show(a, "POST", "/v1/accounts", body);
}

enum cli_exit account_list_run(const struct cli_args *a)
{
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "/v1/accounts");
    enum cli_exit result = show_list(a, &target, account_columns, ARRAY_LEN(account_columns));
    buf_done(&target);
    return result;
}

/* Credentials ---------------------------------------------------------------------------------- */

enum cli_exit cred_add_run(const struct cli_args *a)
{
    struct json_object *body;

    if (!args_has(a, FLAG_ACCOUNT))
        return cli_fail(CLI_USAGE, "expected --account NAME");
    body = json_object_new_object();
    body_add(body, "name", a->args[0]);
    body_add(body, "account", a->flags[FLAG_ACCOUNT]);
    body_add(body, "state", args_has(a, FLAG_NORMALIZE) ? "normalize" : NULL);
    return call_and_show(a, "POST", "/v1/credentials", body);
}

enum cli_exit cred_list_run(const struct cli_args *a)
{
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "/v1/credentials");
    target_add(&target, "account", a->flags[FLAG_ACCOUNT]);
    enum cli_exit result = show_list(a, &target, cred_columns, ARRAY_LEN(cred_columns));
    buf_done(&target);
    return result;
}

enum cli_exit cred_remove_run(const struct cli_args *a)
{
    struct json_object *answer = NULL;
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "/v1/credentials/");
    target_add_word(&target, a->args[0]);
    enum cli_exit result = client_call(a, "DELETE", buf_cstr(&target), NULL, &answer);
    json_object_put(answer);
    buf_done(&target);
    return result;
}

/* Sandbox -------------------------------------------------------------------------------------- */

enum cli_exit sandbox_list_run(const struct cli_args *a)
{
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "/v1/sandbox");
    enum cli_exit result = show_list(a, &target, sandbox_columns, ARRAY_LEN(sandbox_columns));
    buf_done(&target);
    return result;
}

/* Part 0 has the facts, the parts behind it the message's text. */
static enum cli_exit show_message(struct json_object *items)
{
    struct buf text;

    buf_init(&text, CONTENT_MAX);
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *item = json_object_array_get_idx(items, i), *piece = NULL, *part = NULL;
        if (json_object_object_get_ex(item, "part", &part) && json_object_get_int64(part) > 0) {
            if (json_object_object_get_ex(item, "text", &piece))
                show_clean(&text,
                           str_make(json_object_get_string(piece),
                                    (size_t)json_object_get_string_len(piece)),
                           true);
            continue;
        }
        json_object_object_del(item, "part");
        json_object_object_del(item, "text");
        show_members(&text, item);
        (void)buf_add_char(&text, '\n');
    }
    enum cli_exit result = cli_print(&text);
    buf_done(&text);
    return result;
}

enum cli_exit sandbox_show_run(const struct cli_args *a)
{
    struct json_object *items = NULL;
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "/v1/sandbox/");
    target_add_word(&target, a->args[0]);
    enum cli_exit result = client_list(a, buf_cstr(&target), SIZE_MAX, &items);
    buf_done(&target);
    if (result != CLI_OK)
        return result;
    result = show_as_json(a) ? show_items(a, items, NULL, 0) : show_message(items);
    json_object_put(items);
    return result;
}

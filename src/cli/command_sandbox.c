// SPDX-License-Identifier: Apache-2.0
/* cli/command_sandbox.c - baton sandbox: the built-in inbox. */
#include "base/mem.h"
#include "cli/client.h"
#include "cli/show.h"

#define TARGET_MAX (64 * 1024)
#define CONTENT_MAX (256 * 1024 * 1024)

static const struct show_column sandbox_columns[] = {
    { "n", "NUMBER" }, { "received", "RECEIVED" }, { "from", "FROM" },
    { "to", "TO" },    { "size", "SIZE" },         { "subject", "SUBJECT" },
};

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

// SPDX-License-Identifier: Apache-2.0
/* cli/show.h - answers for people: tables, members one below the other; or JSON as it came. Bytes
 * from mail never reach the terminal as anything but printable text (fault W07). */
#pragma once

#include <json-c/json.h>

#include "cli/command.h"

/* `member` may be "settings.KEY". */
struct show_column {
    const char *member, *heading;
};

/* Printable text: control characters, bidirectional overrides and what is no UTF-8 as escapes. With
 * `lines`, newlines and tabs stay. */
void show_clean(struct buf *to, struct str text, bool lines);
/* Items as a table of these columns; without one that no item has. */
void show_table(struct buf *to, struct json_object *items, const struct show_column *columns,
                size_t count);
/* "name: value" lines; members of members behind two blanks. */
void show_members(struct buf *to, struct json_object *object);
/* "name=value name=value" */
void show_line(struct buf *to, struct json_object *object);

/* To standard output, as --output wants it; `columns` for the table. */
enum cli_exit show_items(const struct cli_args *a, struct json_object *items,
                         const struct show_column *columns, size_t count);
/* A whole list, as far as --limit goes: fetched page by page, then shown. */
enum cli_exit show_list(const struct cli_args *a, struct buf *target,
                        const struct show_column *columns, size_t count);
enum cli_exit show_object(const struct cli_args *a, struct json_object *object);
/* Whatever --output says. */
enum cli_exit show_json(struct json_object *json);
bool show_as_json(const struct cli_args *a);

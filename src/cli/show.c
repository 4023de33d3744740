// SPDX-License-Identifier: Apache-2.0
/* cli/show.c - how answers look. */
#include "cli/show.h"

#include "base/code.h"
#include "base/mem.h"
#include "cli/client.h"

/* A longer value, as a key, is cut in a table; --output json has all of it. */
#define CELL_BYTES_MAX 100
#define OUTPUT_BYTES_MAX (256 * 1024 * 1024)
#define COLUMNS_MAX 16
#define PAGE_MAX 1000

/* U+0080 … U+009F, and the marks that turn the direction of text. */
static bool is_tricky(const char *ptr, size_t len)
{
    const unsigned char *b = (const unsigned char *)ptr;

    if (len == 2)
        return b[0] == 0xc2 && b[1] < 0xa0;
    if (len != 3 || b[0] != 0xe2)
        return false;
    return (b[1] == 0x80 && ((b[2] >= 0x8b && b[2] <= 0x8f) || (b[2] >= 0xa8 && b[2] <= 0xae))) ||
           (b[1] == 0x81 && b[2] >= 0xa6 && b[2] <= 0xa9);
}

static bool is_control(char c, bool lines)
{
    return ((unsigned char)c < 0x20 && !(lines && (c == '\n' || c == '\t'))) || c == 0x7f;
}

void show_clean(struct buf *to, struct str text, bool lines)
{
    while (text.len > 0) {
        size_t len = utf8_len(text);
        if (lines && str_starts(text, STR("\r\n"))) {
            text = str_skip(text, 1);
            continue;
        }
        if (len == 0 || is_control(text.ptr[0], lines) || is_tricky(text.ptr, len)) {
            (void)buf_addf(to, "\\x%02x", (unsigned)(unsigned char)text.ptr[0]);
            len = 1;
        } else {
            (void)buf_add(to, str_sub(text, 0, len));
        }
        text = str_skip(text, len);
    }
}

/* A list as "a, b"; what is not there, or empty, as "-". */
static void value_add(struct buf *to, struct json_object *value)
{
    size_t before = to->len;

    if (json_object_is_type(value, json_type_array))
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            (void)buf_add(to, i > 0 ? STR(", ") : STR(""));
            show_clean(to, str_of(json_object_get_string(json_object_array_get_idx(value, i))),
                       false);
        }
    else if (value)
        show_clean(to, str_of(json_object_get_string(value)), false);
    if (to->len == before)
        (void)buf_add_char(to, '-');
}

/* "name", or "settings.name" for what lies in there. */
static bool member_find(struct json_object *item, const char *member, struct json_object **ret)
{
    struct json_object *settings = NULL;
    const size_t inside = sizeof "settings." - 1;

    if (strncmp(member, "settings.", inside) != 0)
        return json_object_object_get_ex(item, member, ret);
    return json_object_object_get_ex(item, "settings", &settings) &&
           json_object_object_get_ex(settings, member + inside, ret);
}

/* Characters, near enough for a column. */
static size_t width_of(struct str text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.len; i++)
        width += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return width;
}

static void cell(struct buf *to, struct json_object *item, const char *member)
{
    struct json_object *value = NULL;
    size_t len = CELL_BYTES_MAX;

    buf_clear(to);
    (void)member_find(item, member, &value);
    value_add(to, value);
    if (to->len <= len)
        return;
    while (len > 0 && ((unsigned char)to->ptr[len] & 0xc0) == 0x80)
        len--; /* not inside a character */
    to->len = len;
    (void)buf_add(to, STR("…"));
}

/* 0: no item has it. */
static size_t column_width(struct json_object *items, const struct show_column *column,
                           struct buf *text)
{
    size_t width = 0;

    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *item = json_object_array_get_idx(items, i);
        struct json_object *value = NULL;
        if (!member_find(item, column->member, &value))
            continue;
        cell(text, item, column->member);
        size_t cell_width = width_of(buf_str(text));
        if (cell_width > width)
            width = cell_width;
    }
    size_t heading = strlen(column->heading);
    return width == 0 ? 0 : width > heading ? width : heading;
}

static void padded(struct buf *to, struct str text, size_t width, bool last)
{
    (void)buf_add(to, text);
    if (!last)
        (void)buf_addf(to, "%*s", (int)(width - width_of(text) + 2), "");
}

void show_table(struct buf *to, struct json_object *items, const struct show_column *columns,
                size_t count)
{
    size_t widths[COLUMNS_MAX], last = 0;
    struct buf text;

    buf_init(&text, OUTPUT_BYTES_MAX);
    for (size_t c = 0; c < count && c < COLUMNS_MAX; c++) {
        widths[c] = column_width(items, &columns[c], &text);
        if (widths[c] > 0)
            last = c;
    }
    for (size_t row = 0; row <= json_object_array_length(items); row++) {
        for (size_t c = 0; c <= last && c < COLUMNS_MAX; c++) {
            if (widths[c] == 0)
                continue;
            if (row == 0) {
                padded(to, str_of(columns[c].heading), widths[c], c == last);
                continue;
            }
            cell(&text, json_object_array_get_idx(items, row - 1), columns[c].member);
            padded(to, buf_str(&text), widths[c], c == last);
        }
        (void)buf_add_char(to, '\n');
    }
    buf_done(&text);
}

static void members(struct buf *to, struct json_object *object, int indent)
{
    json_object_object_foreach(object, name, value)
    {
        (void)buf_addf(to, "%*s", indent, "");
        show_clean(to, str_of(name), false);
        (void)buf_add_char(to, ':');
        if (json_object_is_type(value, json_type_object)) {
            (void)buf_add_char(to, '\n');
            members(to, value, indent + 2);
            continue;
        }
        (void)buf_add_char(to, ' ');
        value_add(to, value);
        (void)buf_add_char(to, '\n');
    }
}

void show_members(struct buf *to, struct json_object *object)
{
    if (json_object_is_type(object, json_type_object))
        members(to, object, 0);
}

void show_line(struct buf *to, struct json_object *object)
{
    const char *between = "";

    json_object_object_foreach(object, name, value)
    {
        (void)buf_addf(to, "%s", between);
        show_clean(to, str_of(name), false);
        (void)buf_add_char(to, '=');
        value_add(to, value);
        between = " ";
    }
    (void)buf_add_char(to, '\n');
}

/* Output --------------------------------------------------------------------------------------- */

bool show_as_json(const struct cli_args *a)
{
    return args_has(a, FLAG_OUTPUT) && strcmp(a->flags[FLAG_OUTPUT], "json") == 0;
}

enum cli_exit show_json(struct json_object *json)
{
    struct buf text;

    buf_init(&text, OUTPUT_BYTES_MAX);
    (void)buf_addf(&text, "%s\n",
                   json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
                                                            JSON_C_TO_STRING_NOSLASHESCAPE));
    enum cli_exit result = cli_print(&text);
    buf_done(&text);
    return result;
}

enum cli_exit show_items(const struct cli_args *a, struct json_object *items,
                         const struct show_column *columns, size_t count)
{
    struct buf text;

    if (show_as_json(a))
        return show_json(items);
    if (json_object_array_length(items) == 0)
        return cli_fail(CLI_OK, "nothing");
    buf_init(&text, OUTPUT_BYTES_MAX);
    show_table(&text, items, columns, count);
    enum cli_exit result = cli_print(&text);
    buf_done(&text);
    return result;
}

enum cli_exit show_object(const struct cli_args *a, struct json_object *object)
{
    struct buf text;

    if (show_as_json(a))
        return show_json(object);
    buf_init(&text, OUTPUT_BYTES_MAX);
    show_members(&text, object);
    enum cli_exit result = cli_print(&text);
    buf_done(&text);
    return result;
}

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

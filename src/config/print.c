// SPDX-License-Identifier: Apache-2.0
/* config/print.c - the table as documentation and a configuration as text, both YAML that
 * config_parse() reads. */
#include "config/option.h"

#define COMMENT_COLUMNS 96

/* The words, wrapped; each line begins with `prefix`, "#" with what stands around it. */
static void comment(struct buf *to, const char *prefix, struct str text)
{
    size_t column = 0;
    struct str word;

    while (str_next(&text, ' ', &word)) {
        if (column > 0 && column + 1 + word.len > COMMENT_COLUMNS) {
            buf_add_char(to, '\n');
            column = 0;
        }
        if (column == 0) {
            buf_addf(to, "%s", prefix);
            column = strlen(prefix);
        }
        buf_addf(to, " %.*s", STR_FMT(word));
        column += 1 + word.len;
    }
    buf_add_char(to, '\n');
}

static void comment_option(struct buf *to, const char *prefix, const struct option *o,
                           const char *before)
{
    struct buf text;

    buf_init(&text, 2000);
    buf_addf(&text, "%s%s (", before, o->about);
    if (o->list)
        buf_addf(&text, "a list; each ");
    (void)option_expected(o, &text);
    buf_addf(&text, ")");
    comment(to, prefix, buf_str(&text));
    buf_done(&text);
}

static void comment_row(struct buf *to, const struct option_row *row)
{
    char before[80];

    comment(to, "#", STR("Each entry has:"));
    for (size_t i = 0; i < row->option_count; i++) {
        const struct option *o = &row->options[i];
        struct buf text;

        buf_init(&text, sizeof before - 1);
        buf_addf(&text, "%s", o->path);
        if (!o->fallback)
            buf_addf(&text, " (needed): ");
        else
            buf_addf(&text, " (default %s): ", *o->fallback ? o->fallback : "\"\"");
        memcpy(before, buf_cstr(&text), text.len + 1);
        buf_done(&text);
        comment_option(to, "#  ", o, before);
    }
}

/* The name behind the section; opens the section when it changes. */
static const char *option_name(const struct option *o, struct str *section, struct buf *to)
{
    struct str path = str_of(o->path), first, rest;

    if (!str_cut(path, '.', &first, &rest)) {
        *section = STR_NONE;
        return o->path;
    }
    if (!str_eq(first, *section))
        buf_addf(to, "%.*s:\n", STR_FMT(first));
    *section = first;
    return rest.ptr;
}

bool config_print_defaults(struct buf *to)
{
    struct str section = STR_NONE;

    comment(to, "#",
            STR("Every option of baton with its default. A file needs only what differs."));
    for (size_t i = 0; i < config_option_count; i++) {
        const struct option *o = &config_options[i];

        buf_add_char(to, '\n');
        const char *name = option_name(o, &section, to);
        const char *indent = section.len ? "  " : "";
        comment_option(to, section.len ? "  #" : "#", o, "");
        if (o->type == OPTION_ROWS)
            comment_row(to, o->row);
        buf_addf(to, "%s%s: %s\n", indent, name, o->fallback);
    }
    return buf_ok(to);
}

/* In force ------------------------------------------------------------------------------------- */

static void print_value(const struct option *o, const char *base, const char *indent,
                        struct buf *to);

static void print_row(const struct option_row *row, const char *base, const char *indent,
                      struct buf *to)
{
    char deeper[16];
    size_t len = strlen(indent);

    memset(deeper, ' ', sizeof deeper);
    deeper[len + 4] = '\0';
    for (size_t i = 0; i < row->option_count; i++) {
        buf_addf(to, "%s%s%s:", indent, i == 0 ? "  - " : "    ", row->options[i].path);
        print_value(&row->options[i], base, deeper, to);
    }
}

/* Behind "name:", up to the end of the line or lines. */
static void print_value(const struct option *o, const char *base, const char *indent,
                        struct buf *to)
{
    if (!o->list && o->type != OPTION_ROWS) {
        buf_add_char(to, ' ');
        (void)option_write(o, base + o->at, to);
        buf_add_char(to, '\n');
        return;
    }

    const char *items = *(const char *const *)(const void *)(base + o->at);
    size_t count = *(const size_t *)(const void *)(base + o->count_at);
    buf_addf(to, "%s\n", count ? "" : " []");
    for (size_t i = 0; i < count; i++) {
        const char *item = items + i * option_size(o);
        if (o->type == OPTION_ROWS) {
            print_row(o->row, item, indent, to);
            continue;
        }
        buf_addf(to, "%s  - ", indent);
        (void)option_write(o, item, to);
        buf_add_char(to, '\n');
    }
}

bool config_print(const struct config *c, struct buf *to)
{
    struct str section = STR_NONE;

    for (size_t i = 0; i < config_option_count; i++) {
        const struct option *o = &config_options[i];
        const char *name = option_name(o, &section, to);
        const char *indent = section.len ? "  " : "";

        buf_addf(to, "%s%s:", indent, name);
        print_value(o, (const char *)c, indent, to);
    }
    return buf_ok(to);
}

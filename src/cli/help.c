// SPDX-License-Identifier: Apache-2.0
/* cli/help.c - help texts from the table. */
#include "cli/objects.h"

#define COLUMNS 80
#define INDENT ((size_t)26)

/* Wrapped, each line behind `indent` blanks; the first continues a line that has `column` already.
 */
static void wrapped(struct buf *to, size_t indent, size_t column, const char *words)
{
    struct str text = str_of(words), word;
    bool first = true;

    while (str_next(&text, ' ', &word)) {
        if (!first && column + 1 + word.len > COLUMNS) {
            (void)buf_addf(to, "\n%*s", (int)indent, "");
            column = indent;
            first = true;
        }
        (void)buf_addf(to, "%s%.*s", first ? "" : " ", STR_FMT(word));
        column += word.len + !first;
        first = false;
    }
    (void)buf_add_char(to, '\n');
}

static void name_and_about(struct buf *to, const char *name, const char *about)
{
    int width = (int)INDENT - 4;

    if (strlen(name) <= (size_t)width)
        (void)buf_addf(to, "  %-*s  ", width, name);
    else
        (void)buf_addf(to, "  %s\n%*s", name, (int)INDENT, "");
    wrapped(to, INDENT, INDENT, about);
}

static void command_line(struct buf *to, const struct cli_command *c)
{
    struct buf name;

    buf_init(&name, 200);
    (void)command_name(c, &name);
    if (*c->args)
        (void)buf_addf(&name, " %s", c->args);
    name_and_about(to, buf_cstr(&name), c->about);
    buf_done(&name);
}

bool help_overview(struct buf *to)
{
    (void)buf_addf(to,
                   "baton - an SMTP relay service\n\nUsage: baton COMMAND [ARGUMENTS] [FLAGS]\n\n");
    for (size_t i = 0; i < cli_command_count; i++)
        if (!cli_commands[i].hidden)
            command_line(to, &cli_commands[i]);
    return buf_addf(
        to, "\nbaton help COMMAND says more. Exit status: 0 ok, 1 failed, 2 usage, 3 not found,\n"
            "4 denied, 5 conflict, 6 unhealthy, 7 partial, 8 timeout.\n");
}

bool help_noun(const char *noun, struct buf *to)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i].noun, noun) == 0)
            command_line(to, &cli_commands[i]);
    return buf_ok(to);
}

static void flag_line(struct buf *to, const struct cli_flag_row *row)
{
    struct buf name;

    buf_init(&name, 80);
    if (row->letter)
        (void)buf_addf(&name, "-%c, ", row->letter);
    (void)buf_addf(&name, "--%s%s%s", row->name, row->value ? " " : "",
                   row->value ? row->value : "");
    name_and_about(to, buf_cstr(&name), row->about);
    buf_done(&name);
}

/* "Settings:" of the noun's objects, with what each takes and its default. */
static void setting_lines(struct buf *to, enum field_noun noun)
{
    size_t count;
    const struct field_rule *rules = fields_of(noun, &count);
    struct buf about;

    (void)buf_addf(to, "\nSettings, as KEY=VALUE:\n\n");
    buf_init(&about, 4096);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&about);
        (void)buf_addf(&about, "%s Expected: ", rules[i].about);
        fields_expected(&rules[i], &about);
        if (*rules[i].fallback)
            (void)buf_addf(&about, "; default %s", rules[i].fallback);
        (void)buf_add_char(&about, '.');
        name_and_about(to, rules[i].key, buf_cstr(&about));
    }
    buf_done(&about);
}

bool help_command(const struct cli_command *c, struct buf *to)
{
    (void)buf_addf(to, "Usage: baton ");
    (void)command_name(c, to);
    (void)buf_addf(to, "%s%s [FLAGS]\n\n", *c->args ? " " : "", c->args);
    wrapped(to, 0, 0, c->about);
    if (*c->text)
        wrapped(to, 0, 0, c->text);
    (void)buf_add_char(to, '\n');
    for (int i = 0; i < FLAGS; i++)
        if (command_flags(c) & UINT64_C(1) << i)
            flag_line(to, &cli_flags[i]);
    if (c->takes_settings)
        setting_lines(to, object_kind_of(c->noun)->fields);
    return buf_ok(to);
}

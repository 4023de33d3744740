// SPDX-License-Identifier: Apache-2.0
/* cli/manual.c - manual pages from the tables: baton(1), baton-NOUN(1), baton.conf(5),
 * baton-codes(7). */
#include "base/code.h"
#include "cli/objects.h"
#include "config/config.h"
#include "guard/codes.h"

/* A character over 127 (a valid one: the text is ours), as groff names it. */
static const char *roff_named(struct buf *to, const char *text)
{
    size_t len = utf8_len(str_of(text));
    uint32_t point = (uint32_t)(unsigned char)*text & (0x7fu >> len);

    for (size_t i = 1; i < len; i++)
        point = point << 6 | ((unsigned char)text[i] & 0x3f);
    (void)buf_addf(to, "\\[u%04X]", point);
    return text + (len > 0 ? len - 1 : 0);
}

/* Text so that roff takes it as text. */
static void roff(struct buf *to, const char *text)
{
    if (*text == '.' || *text == '\'')
        (void)buf_add(to, STR("\\&"));
    for (; *text; text++) {
        if ((unsigned char)*text > 127)
            text = roff_named(to, text);
        else if (*text == '\\')
            (void)buf_add(to, STR("\\e"));
        else if (*text == '-')
            (void)buf_add(to, STR("\\-"));
        else
            (void)buf_add_char(to, *text);
    }
}

static void page_begin(struct buf *to, const char *name, int section, const char *about)
{
    (void)buf_addf(to, ".TH %s %d \"\" \"baton\" \"baton\"\n.SH NAME\n", name, section);
    roff(to, name);
    (void)buf_add(to, STR(" \\- "));
    roff(to, about);
    (void)buf_add_char(to, '\n');
}

static void flags(struct buf *to, const struct cli_command *c)
{
    (void)buf_add(to, STR(".RS\n"));
    for (int i = 0; i < FLAGS; i++) {
        const struct cli_flag_row *row = &cli_flags[i];
        if (!(command_flags(c) & UINT64_C(1) << i))
            continue;
        (void)buf_add(to, STR(".TP\n\\fB"));
        if (row->letter)
            (void)buf_addf(to, "\\-%c\\fR, \\fB", row->letter);
        (void)buf_add(to, STR("\\-\\-"));
        roff(to, row->name);
        (void)buf_addf(to, "\\fR%s\\fI%s\\fR\n", row->value ? " " : "",
                       row->value ? row->value : "");
        roff(to, row->about);
        (void)buf_add_char(to, '\n');
    }
    (void)buf_add(to, STR(".RE\n"));
}

static void command(struct buf *to, const struct cli_command *c)
{
    (void)buf_addf(to, ".TP\n\\fBbaton %s%s%s\\fR \\fI", c->noun, c->verb ? " " : "",
                   c->verb ? c->verb : "");
    roff(to, c->args);
    (void)buf_add(to, STR("\\fR\n"));
    roff(to, c->about);
    (void)buf_add_char(to, '\n');
    if (*c->text) {
        roff(to, c->text);
        (void)buf_add_char(to, '\n');
    }
    flags(to, c);
}

/* The fields of a noun's objects. */
static void settings(struct buf *to, const char *noun)
{
    const struct object_kind *kind = object_kind_of(noun);
    size_t count;

    if (!kind)
        return;
    const struct field_rule *rules = fields_of(kind->fields, &count);
    struct buf expected;
    (void)buf_add(to, STR(".SH SETTINGS\nGiven as KEY=VALUE; an empty value goes back to the "
                          "default.\n"));
    buf_init(&expected, 4096);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&expected);
        fields_expected(&rules[i], &expected);
        (void)buf_addf(to, ".TP\n\\fB%s\\fR\n", rules[i].key);
        roff(to, rules[i].about);
        (void)buf_add(to, STR("\n.br\nExpected: "));
        roff(to, buf_cstr(&expected));
        (void)buf_addf(to, "; default: %s.\n", *rules[i].fallback ? rules[i].fallback : "none");
    }
    buf_done(&expected);
}

static void exit_status(struct buf *to)
{
    (void)buf_add(to, STR(".SH EXIT STATUS\n"));
    for (int i = 0; i < CLI_EXITS; i++)
        (void)buf_addf(to, ".TP\n%d\n%s\n", i, cli_exit_words[i]);
}

bool manual_main(struct buf *to)
{
    page_begin(to, "baton", 1, "an SMTP relay service");
    (void)buf_add(
        to, STR(".SH SYNOPSIS\n\\fBbaton\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR] [\\fIFLAGS\\fR]\n"
                ".SH COMMANDS\n"));
    for (size_t i = 0; i < cli_command_count; i++)
        if (!cli_commands[i].hidden)
            command(to, &cli_commands[i]);
    exit_status(to);
    return buf_add(to, STR(".SH ENVIRONMENT\n.TP\nBATON_SOCKET\nThe API socket.\n"
                           ".SH SEE ALSO\n.BR baton.conf (5),\n.BR baton-codes (7)\n"));
}

bool manual_noun(const char *noun, struct buf *to)
{
    char name[40];
    struct buf text = { .ptr = name, .cap = sizeof name, .max = sizeof name - 1 };

    (void)buf_addf(&text, "baton-%s", noun);
    name[text.len] = '\0';
    page_begin(to, name, 1, "one of the commands of baton");
    (void)buf_add(to, STR(".SH COMMANDS\n"));
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i].noun, noun) == 0)
            command(to, &cli_commands[i]);
    settings(to, noun);
    exit_status(to);
    return buf_add(to, STR(".SH SEE ALSO\n.BR baton (1),\n.BR baton-codes (7)\n"));
}

bool manual_config(struct buf *to)
{
    page_begin(to, "baton.conf", 5, "the configuration of baton");
    (void)buf_add(
        to,
        STR(".SH DESCRIPTION\nOne YAML file, by default /etc/baton/baton.yaml. A dot in a name below "
            "stands for nesting: tls.cert_file is cert_file inside tls. Anchors, aliases, tags, "
            "repeated keys and unknown keys are errors. \\fBbaton check\\-config\\fR names file, "
            "line, option and what was expected.\n.SH OPTIONS\n"));
    (void)config_print_manual(to);
    return buf_add(to, STR(".SH SEE ALSO\n.BR baton (1)\n"));
}

/* What a code says, with dots where a name stands. */
static void code_text(struct buf *to, const char *text)
{
    struct str rest = str_of(text);
    struct buf words;

    buf_init(&words, 4096);
    for (size_t at = str_find(rest, STR("{}")); rest.len > 0; at = str_find(rest, STR("{}"))) {
        (void)buf_add(&words, str_sub(rest, 0, at));
        (void)buf_add(&words, at < rest.len ? STR("...") : STR(""));
        rest = str_skip(rest, at + 2);
    }
    roff(to, buf_cstr(&words));
    buf_done(&words);
}

bool manual_codes(struct buf *to)
{
    page_begin(to, "baton-codes", 7, "why baton refuses a message, or warns");
    (void)buf_add(
        to,
        STR(".SH DESCRIPTION\nEvery refusal and every warning by policy has a word in brackets, which "
            "never changes: 550 5.7.1 [RELAY] \\&... Those of a quota may be 451 or 550; a warning "
            "stands behind the 250. In observe they are only counted "
            "(\\fBbaton account observed\\fR).\n.SH CODES\n"));
    for (int i = CODE_NONE + 1; i < CODES; i++) {
        const struct policy_code_row *row = &policy_codes[i];
        (void)buf_addf(to, ".TP\n\\fB[%s]\\fR  %u", row->word, row->code);
        (void)buf_addf(to, row->code >= 400 ? " %u.%u.%u\n" : "\n", row->code / 100, row->subject,
                       row->detail);
        code_text(to, row->text);
        (void)buf_add(to, STR("\n.br\n"));
        roff(to, row->more);
        (void)buf_add_char(to, '\n');
    }
    return buf_add(to, STR(".SH SEE ALSO\n.BR baton (1),\n.BR baton-account (1)\n"));
}

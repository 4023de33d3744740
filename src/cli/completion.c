// SPDX-License-Identifier: Apache-2.0
/* cli/completion.c - completions for shells from the table: the nouns, the verbs of a noun, the
 * flags of a command, the words of a flag. */
#include "cli/command.h"

static bool is_first_of_noun(size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(cli_commands[i].noun, cli_commands[at].noun) == 0)
            return false;
    return !cli_commands[at].hidden;
}

static void nouns(struct buf *to)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (is_first_of_noun(i))
            (void)buf_addf(to, "%s ", cli_commands[i].noun);
}

static void verbs(struct buf *to, const char *noun)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i].noun, noun) == 0 && cli_commands[i].verb)
            (void)buf_addf(to, "%s ", cli_commands[i].verb);
}

static void flag_names(struct buf *to, const struct cli_command *c)
{
    for (int i = 0; i < FLAGS; i++)
        if (command_flags(c) & UINT64_C(1) << i)
            (void)buf_addf(to, "--%s ", cli_flags[i].name);
}

static bool bash(struct buf *to)
{
    (void)buf_addf(
        to,
        "_baton() {\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n"
        "    case $prev in\n");
    for (int i = 0; i < FLAGS; i++)
        if (cli_flags[i].words)
            (void)buf_addf(to,
                           "    --%s) COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;\n",
                           cli_flags[i].name, cli_flags[i].words);
    (void)buf_addf(
        to,
        "    --config|--ca|--password-file|--socket) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
        "    esac\n    case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *c = &cli_commands[i];
        if (c->hidden)
            continue;
        (void)buf_addf(to, "    \"%s %s\"*) words=\"", c->noun, c->verb ? c->verb : "");
        flag_names(to, c);
        (void)buf_addf(to, "\" ;;\n");
    }
    (void)buf_addf(to, "    esac\n    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        if (!is_first_of_noun(i) || !cli_commands[i].verb)
            continue;
        (void)buf_addf(to, "    %s) [ $COMP_CWORD -eq 2 ] && words=\"", cli_commands[i].noun);
        verbs(to, cli_commands[i].noun);
        (void)buf_addf(to, "\" ;;\n");
    }
    (void)buf_addf(to, "    completion) words=\"bash zsh fish\" ;;\n    esac\n"
                       "    [ $COMP_CWORD -eq 1 ] && words=\"");
    nouns(to);
    return buf_addf(to,
                    "\"\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                    "    [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n}\n"
                    "complete -F _baton baton\n");
}

/* zsh runs bash's. */
static bool zsh(struct buf *to)
{
    (void)buf_addf(to, "#compdef baton\nautoload -U +X bashcompinit && bashcompinit\n");
    return bash(to);
}

/* In single quotes. */
static void fish_quoted(struct buf *to, const char *text)
{
    (void)buf_add_char(to, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            (void)buf_add_char(to, '\\');
        (void)buf_add_char(to, *text);
    }
    (void)buf_add_char(to, '\'');
}

static void fish_flags(struct buf *to, const struct cli_command *c)
{
    for (int i = 0; i < FLAGS; i++) {
        const struct cli_flag_row *row = &cli_flags[i];
        if (!(command_flags(c) & UINT64_C(1) << i))
            continue;
        (void)buf_addf(to, "complete -c baton -n '__fish_seen_subcommand_from %s", c->noun);
        if (c->verb)
            (void)buf_addf(to, "; and __fish_seen_subcommand_from %s", c->verb);
        (void)buf_addf(to, "' -l %s", row->name);
        if (row->letter)
            (void)buf_addf(to, " -s %c", row->letter);
        if (row->words)
            (void)buf_addf(to, " -xa '%s'", row->words);
        else if (row->value)
            (void)buf_addf(to, " -r");
        (void)buf_addf(to, " -d ");
        fish_quoted(to, row->about);
        (void)buf_add_char(to, '\n');
    }
}

static bool fish(struct buf *to)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *c = &cli_commands[i];
        if (c->hidden)
            continue;
        if (is_first_of_noun(i)) {
            (void)buf_addf(to, "complete -c baton -n __fish_use_subcommand -fa %s -d ", c->noun);
            fish_quoted(to, c->verb ? "" : c->about);
            (void)buf_add_char(to, '\n');
        }
        if (c->verb) {
            (void)buf_addf(to, "complete -c baton -n '__fish_seen_subcommand_from %s' -fa %s -d ",
                           c->noun, c->verb);
            fish_quoted(to, c->about);
            (void)buf_add_char(to, '\n');
        }
        fish_flags(to, c);
    }
    return buf_ok(to);
}

bool completion_write(const char *shell, struct buf *to)
{
    if (strcmp(shell, "bash") == 0)
        return bash(to);
    if (strcmp(shell, "zsh") == 0)
        return zsh(to);
    if (strcmp(shell, "fish") == 0)
        return fish(to);
    return false;
}

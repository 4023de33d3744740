// SPDX-License-Identifier: Apache-2.0
/* cli/args.c - a command line against the table. Flags may stand anywhere behind the command; "--"
 * ends them. */
#include "cli/command.h"

static bool noun_exists(const char *noun)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i].noun, noun) == 0)
            return true;
    return false;
}

/* The command of the first one or two words; *ret_words says how many it took. */
static bool find_command(int argc, const char *const *argv, const struct cli_command **ret,
                         int *ret_words, struct err *err)
{
    const char *verb = argc > 1 ? argv[1] : "";

    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *c = &cli_commands[i];
        if (strcmp(c->noun, argv[0]) != 0 || (c->verb && strcmp(c->verb, verb) != 0))
            continue;
        *ret = c;
        *ret_words = c->verb ? 2 : 1;
        return true;
    }
    if (!noun_exists(argv[0]))
        return err_set(err, ERR_SYNTAX, "no command \"%.40s\" (baton help shows all)", argv[0]);
    return err_set(err, ERR_SYNTAX, "%s: no verb \"%.40s\" (baton help %s shows all)", argv[0],
                   verb, argv[0]);
}

static bool word_is_one_of(const char *words, const char *word)
{
    struct str rest = str_of(words), one;

    while (str_next(&rest, ' ', &one))
        if (str_eq(one, str_of(word)))
            return true;
    return false;
}

static bool set_flag(struct cli_args *a, enum cli_flag flag, const char *value, struct err *err)
{
    const struct cli_flag_row *row = &cli_flags[flag];

    if (!(command_flags(a->command) & UINT64_C(1) << flag))
        return err_set(err, ERR_SYNTAX, "--%s is not for this command", row->name);
    if (row->words && !word_is_one_of(row->words, value))
        return err_set(err, ERR_SYNTAX, "--%s \"%.40s\": expected one of %s", row->name, value,
                       row->words);
    if (flag == FLAG_TO && a->to_count < ARGS_MAX)
        a->to[a->to_count++] = value;
    else if (a->flags[flag])
        return err_set(err, ERR_SYNTAX, "--%s: given twice", row->name);
    a->flags[flag] = value;
    return true;
}

/* "--name", "--name=value", "-n": a letter may stand for another flag with another command. */
static bool find_flag(const struct cli_command *c, struct str word, enum cli_flag *ret,
                      const char **ret_value)
{
    struct str name = str_skip(word, 2);
    size_t equals = str_index(name, '=');

    for (int i = 0; i < FLAGS; i++) {
        const struct cli_flag_row *row = &cli_flags[i];
        bool is_taken = command_flags(c) & UINT64_C(1) << i;
        if (word.len == 2 && is_taken && row->letter && word.ptr[1] == row->letter) {
            *ret = (enum cli_flag)i;
            *ret_value = NULL;
            return true;
        }
        if (str_starts(word, STR("--")) && str_eq(str_sub(name, 0, equals), str_of(row->name))) {
            *ret = (enum cli_flag)i;
            *ret_value = equals < name.len ? name.ptr + equals + 1 : NULL;
            return true;
        }
    }
    return false;
}

/* Reads the flag at argv[*at], and its value behind it. */
static bool take_flag(struct cli_args *a, int argc, const char *const *argv, int *at,
                      struct err *err)
{
    enum cli_flag flag;
    const char *value;

    if (!find_flag(a->command, str_of(argv[*at]), &flag, &value))
        return err_set(err, ERR_SYNTAX, "no flag %.40s", argv[*at]);
    if (!cli_flags[flag].value) {
        if (value)
            return err_set(err, ERR_SYNTAX, "--%s takes no value", cli_flags[flag].name);
        return set_flag(a, flag, "", err);
    }
    if (!value && *at + 1 < argc)
        value = argv[++*at];
    if (!value)
        return err_set(err, ERR_SYNTAX, "--%s: expected %s", cli_flags[flag].name,
                       cli_flags[flag].value);
    return set_flag(a, flag, value, err);
}

static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

static bool count_ok(const struct cli_args *a, struct err *err)
{
    const struct cli_command *c = a->command;

    if (args_has(a, FLAG_HELP))
        return true;
    if (a->arg_count < c->args_min)
        return err_set(err, ERR_SYNTAX, "expected %s", c->args);
    if (a->arg_count > c->args_max)
        return err_set(err, ERR_SYNTAX, "\"%.40s\" is too much", a->args[c->args_max]);
    return true;
}

bool args_parse(int argc, const char *const *argv, struct cli_args *ret, struct err *err)
{
    bool flags_end = false;
    int at = 0;

    memset(ret, 0, sizeof *ret);
    if (argc < 1)
        return err_set(err, ERR_SYNTAX, "expected a command (baton help shows all)");
    if (!find_command(argc, argv, &ret->command, &at, err))
        return false;
    for (; at < argc; at++) {
        if (!flags_end && strcmp(argv[at], "--") == 0)
            flags_end = true;
        else if (!flags_end && is_flag(argv[at])) {
            if (!take_flag(ret, argc, argv, &at, err))
                return false;
        } else if (ret->arg_count == ARGS_MAX)
            return err_set(err, ERR_SYNTAX, "more than %d arguments", ARGS_MAX);
        else
            ret->args[ret->arg_count++] = argv[at];
    }
    return count_ok(ret, err);
}

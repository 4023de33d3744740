// SPDX-License-Identifier: Apache-2.0
/* cli/cli.c - from arguments to a command, and its results to the terminal. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/command.h"

enum cli_exit cli_fail(enum cli_exit code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fputs("baton: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

enum cli_exit cli_print(const struct buf *text)
{
    if (!buf_ok(text))
        return cli_fail(CLI_FAILED, "too much to print: give a filter or --limit");
    if (fwrite(text->ptr ? text->ptr : "", 1, text->len, stdout) != text->len ||
        fflush(stdout) != 0)
        return cli_fail(CLI_FAILED, "standard output is not writable");
    return CLI_OK;
}

bool cli_read_stdin(struct buf *to, struct err *err)
{
    size_t n;

    do {
        char *room = buf_room(to, 64 * 1024);
        n = room ? fread(room, 1, 64 * 1024, stdin) : 0;
        to->len += n;
    } while (n > 0);
    return buf_ok(to) || err_set(err, ERR_LIMIT, "standard input: too large");
}

void cli_add_lines(struct buf *to, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n' && (i == 0 || text.ptr[i - 1] != '\r'))
            (void)buf_add_char(to, '\r');
        (void)buf_add_char(to, text.ptr[i]);
    }
}

static enum cli_exit command_help(const struct cli_args *a)
{
    struct buf text;

    buf_init(&text, 64 * 1024);
    (void)help_command(a->command, &text);
    enum cli_exit result = cli_print(&text);
    buf_done(&text);
    return result;
}

static const char *usual_spelling(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return "help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return "version";
    return word;
}

static enum cli_exit run(int argc, char **argv)
{
    static struct cli_args args; /* large, and there is one command line */
    static const char *words[ARGS_MAX * 2];
    struct err err = { 0 };

    if (argc - 1 > ARGS_MAX * 2)
        return cli_fail(CLI_USAGE, "too many arguments");
    for (int i = 1; i < argc; i++)
        words[i - 1] = i == 1 ? usual_spelling(argv[i]) : argv[i];
    if (!args_parse(argc - 1, words, &args, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (args_has(&args, FLAG_HELP))
        return command_help(&args);
    return args.command->run(&args);
}

int cli_main(int argc, char **argv)
{
    return (int)run(argc, argv);
}

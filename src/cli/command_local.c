// SPDX-License-Identifier: Apache-2.0
/* cli/command_local.c - what needs no relay: config print, version, completion, help, man. */
#include "cli/command.h"
#include "config/config.h"
#include "io/disk.h"

#define CONFIG_BYTES_MAX (1024 * 1024)
#define TEXT_MAX (16 * 1024 * 1024)
#define VERSION "0.1.0"

static enum cli_exit print_and_done(struct buf *text)
{
    enum cli_exit result = cli_print(text);

    buf_done(text);
    return result;
}

/* Configuration -------------------------------------------------------------------------------- */

static enum cli_exit print_file(const char *file, struct arena *a)
{
    struct config *c;
    struct str yaml;
    struct buf text;
    struct err err;

    if (!disk_read_file(file, CONFIG_BYTES_MAX, a, &yaml, &err) ||
        !config_parse(str_of(file), yaml, &c, &err))
        return cli_fail(CLI_FAILED, "%s", err.text);
    buf_init(&text, TEXT_MAX);
    (void)config_print(c, &text);
    config_free(c);
    return print_and_done(&text);
}

enum cli_exit config_print_run(const struct cli_args *a)
{
    struct arena arena;
    struct buf text;

    if (args_has(a, FLAG_DEFAULTS)) {
        buf_init(&text, TEXT_MAX);
        (void)config_print_defaults(&text);
        return print_and_done(&text);
    }
    arena_init(&arena, 4096);
    enum cli_exit result = print_file(
        args_has(a, FLAG_CONFIG) ? a->flags[FLAG_CONFIG] : "/etc/baton/baton.yaml", &arena);
    arena_done(&arena);
    return result;
}

/* Texts ---------------------------------------------------------------------------------------- */

enum cli_exit version_run(const struct cli_args *a)
{
    struct buf text;

    (void)a;
    buf_init(&text, 100);
    (void)buf_addf(&text, "baton %s\n", VERSION);
    return print_and_done(&text);
}

enum cli_exit completion_run(const struct cli_args *a)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    if (!completion_write(a->args[0], &text)) {
        buf_done(&text);
        return cli_fail(CLI_USAGE, "%s: expected bash, zsh or fish", a->args[0]);
    }
    return print_and_done(&text);
}

enum cli_exit help_run(const struct cli_args *a)
{
    struct cli_args about;
    struct buf text;
    struct err err;
    const char *words[] = { a->args[0], a->arg_count > 1 ? a->args[1] : "--help", "--help" };

    buf_init(&text, TEXT_MAX);
    if (a->arg_count == 0)
        (void)help_overview(&text);
    else if (args_parse((int)a->arg_count + 1, words, &about, &err))
        (void)help_command(about.command, &text);
    else if (a->arg_count == 1)
        (void)help_noun(a->args[0], &text);
    if (text.len > 0)
        return print_and_done(&text);
    buf_done(&text);
    return cli_fail(CLI_USAGE, "%s", err.text);
}

/* Manual pages --------------------------------------------------------------------------------- */

static bool write_page(struct disk *folder, const char *name, struct buf *text, struct err *err)
{
    struct iovec iov = { .iov_base = text->ptr, .iov_len = text->len };
    struct disk_file *f = NULL;

    /* The page of the time before goes first. */
    bool ok = (disk_remove(folder, name, err) || err->kind == ERR_NOT_FOUND) &&
              disk_file_open(folder, name, DISK_CREATE, &f, err) &&
              disk_file_write(f, 0, &iov, 1, err);
    disk_file_free(f);
    return ok;
}

static bool write_noun(struct disk *folder, const char *noun, struct err *err)
{
    struct buf name, text;

    buf_init(&name, 100);
    buf_init(&text, TEXT_MAX);
    (void)buf_addf(&name, "baton-%s.1", noun);
    (void)manual_noun(noun, &text);
    bool ok = write_page(folder, buf_cstr(&name), &text, err);
    buf_done(&name);
    buf_done(&text);
    return ok;
}

static bool write_fixed(struct disk *folder, const char *name, bool (*make)(struct buf *to),
                        struct err *err)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    (void)make(&text);
    bool ok = write_page(folder, name, &text, err);
    buf_done(&text);
    return ok;
}

static bool write_pages(struct disk *folder, struct err *err)
{
    const char *before = "";

    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *c = &cli_commands[i];
        if (c->hidden || strcmp(c->noun, before) == 0)
            continue; /* the verbs of a noun stand together */
        before = c->noun;
        if (!write_noun(folder, c->noun, err))
            return false;
    }
    return write_fixed(folder, "baton.1", manual_main, err) &&
           write_fixed(folder, "baton.conf.5", manual_config, err) &&
           write_fixed(folder, "baton-codes.7", manual_codes, err);
}

enum cli_exit man_run(const struct cli_args *a)
{
    struct disk *folder;
    struct err err;

    if (!disk_open(a->args[0], &folder, &err))
        return cli_fail(CLI_FAILED, "%s", err.text);
    bool ok = write_pages(folder, &err);
    disk_free(folder);
    return ok ? CLI_OK : cli_fail(CLI_FAILED, "%s", err.text);
}

// SPDX-License-Identifier: Apache-2.0
/* cli/command.h - the one table of commands: parser, help, manual pages and completion are made
 * from it. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Stable: scripts look at them. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NOT_FOUND = 3,
    CLI_DENIED = 4,
    CLI_CONFLICT = 5,
    CLI_UNHEALTHY = 6,
    CLI_PARTIAL = 7,
    CLI_TIMEOUT = 8,
    CLI_EXITS
};
extern const char *const cli_exit_words[CLI_EXITS];

/* A flag means the same wherever it stands; a command says which it takes. */
enum cli_flag {
    FLAG_HELP,
    FLAG_CONFIG,
    FLAG_SOCKET,
    FLAG_OUTPUT,
    FLAG_SINGLE,
    FLAG_DEFAULTS,
    FLAG_LIMIT,
    FLAG_ACCOUNT,
    FLAG_FROM,
    FLAG_TO,
    FLAG_SITE,
    FLAG_STATE,
    FLAG_ALL,
    FLAG_DRY_RUN,
    FLAG_YES,
    FLAG_SILENT,
    FLAG_REASON,
    FLAG_NORMALIZE,
    FLAG_SERVER,
    FLAG_TLS,
    FLAG_CA,
    FLAG_USER,
    FLAG_PASSWORD_FILE,
    FLAG_SUBJECT,
    FLAG_TRACE,
    FLAG_TRY,
    FLAG_FORCE,
    FLAG_CLOSE,
    FLAG_METHOD,
    FLAG_FILE,
    FLAG_FORMAT,
    FLAG_PRUNE,
    FLAG_REPORT,
    FLAG_NIGHTLY,
    FLAG_RESOLVER,
    FLAG_IP,
    FLAG_HELO,
    FLAGS
};
struct cli_flag_row {
    const char *name;  /* without its hyphens */
    char letter;       /* or 0; no command takes two of the same */
    const char *value; /* what stands behind it in help; NULL: nothing does */
    const char *words; /* the only values, separated by spaces; NULL: any */
    const char *about;
};
extern const struct cli_flag_row cli_flags[FLAGS];

#define ARGS_MAX 1000

/* A command line that was understood. */
struct cli_args {
    const struct cli_command *command;
    const char *args[ARGS_MAX];
    size_t arg_count;
    const char
        *flags[FLAGS]; /* the value, "" for one without, NULL when not given; of --to the last */
    const char *to[ARGS_MAX];
    size_t to_count;
};

struct cli_command {
    const char *noun, *verb; /* verb NULL: the noun alone */
    const char *args;        /* for help: "ID...", or "" */
    size_t args_min, args_max;
    uint64_t flags;         /* 1 << enum cli_flag; --help, and what COMMON says, always */
    bool hidden, is_client; /* a client takes --socket, --config, --output */
    bool takes_settings;    /* KEY=VALUE arguments: the fields of the noun's objects */
    enum cli_exit (*run)(const struct cli_args *a);
    const char *about; /* one line */
    const char *text;  /* more, for help and manual; or "" */
};
extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

uint64_t command_flags(const struct cli_command *c);
/* "queue drop", "serve". */
bool command_name(const struct cli_command *c, struct buf *to);

/* ERR_SYNTAX with words for people. A command line that asks for help is understood without its
 * arguments. */
MUST_USE bool args_parse(int argc, const char *const *argv, struct cli_args *ret, struct err *err);
static inline bool args_has(const struct cli_args *a, enum cli_flag flag)
{
    return a->flags[flag] != NULL;
}

/* All of a kind into text: help.c, manual.c, completion.c. */
bool help_overview(struct buf *to);
bool help_noun(const char *noun, struct buf *to);
bool help_command(const struct cli_command *c, struct buf *to);
bool manual_main(struct buf *to);
bool manual_noun(const char *noun, struct buf *to);
bool manual_config(struct buf *to);
bool manual_codes(struct buf *to);
/* False for a shell that we do not know. */
bool completion_write(const char *shell, struct buf *to);

/* Notes go to standard error, results to standard output. */
__attribute__((format(printf, 2, 3))) enum cli_exit cli_fail(enum cli_exit code, const char *fmt,
                                                             ...);
/* The bytes as they are. */
enum cli_exit cli_print(const struct buf *text);
/* All of standard input. ERR_LIMIT: more than the buffer may hold. */
MUST_USE bool cli_read_stdin(struct buf *to, struct err *err);
/* Lines ended by LF or CRLF become lines ended by CRLF; bare CR stays. */
void cli_add_lines(struct buf *to, struct str text);

/* The commands themselves, by file. */
enum cli_exit serve_run(const struct cli_args *a);
enum cli_exit role_run(const struct cli_args *a);
enum cli_exit check_config_run(const struct cli_args *a);
enum cli_exit check_address_run(const struct cli_args *a);
enum cli_exit check_dkim_run(const struct cli_args *a);
enum cli_exit check_spf_run(const struct cli_args *a);
enum cli_exit doctor_run(const struct cli_args *a);
enum cli_exit config_print_run(const struct cli_args *a);
enum cli_exit live_run(const struct cli_args *a);
enum cli_exit status_run(const struct cli_args *a);
enum cli_exit reload_run(const struct cli_args *a);
enum cli_exit secret_exchange_run(const struct cli_args *a);
enum cli_exit drain_run(const struct cli_args *a);
enum cli_exit send_run(const struct cli_args *a);
enum cli_exit tail_run(const struct cli_args *a);
enum cli_exit queue_list_run(const struct cli_args *a);
enum cli_exit queue_summary_run(const struct cli_args *a);
enum cli_exit queue_show_run(const struct cli_args *a);
enum cli_exit queue_why_run(const struct cli_args *a);
enum cli_exit queue_act_run(const struct cli_args *a);
enum cli_exit object_add_run(const struct cli_args *a);
enum cli_exit object_list_run(const struct cli_args *a);
enum cli_exit object_show_run(const struct cli_args *a);
enum cli_exit object_set_run(const struct cli_args *a);
enum cli_exit object_rotate_run(const struct cli_args *a);
enum cli_exit object_remove_run(const struct cli_args *a);
enum cli_exit account_observed_run(const struct cli_args *a);
enum cli_exit account_usage_run(const struct cli_args *a);
enum cli_exit account_clients_run(const struct cli_args *a);
enum cli_exit domain_add_run(const struct cli_args *a);
enum cli_exit domain_show_run(const struct cli_args *a);
enum cli_exit domain_set_run(const struct cli_args *a);
enum cli_exit domain_remove_run(const struct cli_args *a);
enum cli_exit domain_check_run(const struct cli_args *a);
enum cli_exit domain_records_run(const struct cli_args *a);
enum cli_exit domain_rotate_run(const struct cli_args *a);
enum cli_exit domain_lock_run(const struct cli_args *a);
enum cli_exit domain_transfer_run(const struct cli_args *a);
enum cli_exit audit_run(const struct cli_args *a);
enum cli_exit export_run(const struct cli_args *a);
enum cli_exit apply_run(const struct cli_args *a);
enum cli_exit sandbox_list_run(const struct cli_args *a);
enum cli_exit sandbox_show_run(const struct cli_args *a);
enum cli_exit version_run(const struct cli_args *a);
enum cli_exit completion_run(const struct cli_args *a);
enum cli_exit help_run(const struct cli_args *a);
enum cli_exit man_run(const struct cli_args *a);

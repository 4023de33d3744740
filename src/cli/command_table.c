// SPDX-License-Identifier: Apache-2.0
/* cli/command_table.c - every command and flag there is. */
#include "cli/command.h"

#include "base/mem.h"

const char *const cli_exit_words[CLI_EXITS] = {
    [CLI_OK] = "all went well",
    [CLI_FAILED] = "it failed",
    [CLI_USAGE] = "the command line, or what it asks for, is wrong",
    [CLI_NOT_FOUND] = "what was named is not there",
    [CLI_DENIED] = "not allowed",
    [CLI_CONFLICT] = "it is there already, or in a state that forbids this",
    [CLI_UNHEALTHY] = "a check found something wrong",
    [CLI_PARTIAL] = "some of it failed; standard error says what",
    [CLI_TIMEOUT] = "no answer in time",
};

const struct cli_flag_row cli_flags[FLAGS] = {
    [FLAG_HELP] = { "help", 'h', NULL, NULL, "Says what the command does." },
    [FLAG_CONFIG] = { "config", 'c', "FILE", NULL, "The configuration; default /etc/baton/baton.yaml." },
    [FLAG_SOCKET] = { "socket", 's', "PATH", NULL,
                      "The API socket; default $BATON_SOCKET, else api.sock in the state_folder of "
                      "--config, in ./run, in /var/lib/baton." },
    [FLAG_OUTPUT] = { "output", 'o', "FORM", "table json", "table or json; json is stable." },
    [FLAG_SINGLE] = { "single", 0, NULL, NULL, "All roles in this one process: for debuggers." },
    [FLAG_DEFAULTS] = { "defaults", 0, NULL, NULL, "Every option with its default and its meaning." },
    [FLAG_LIMIT] = { "limit", 'n', "NUMBER", NULL, "At most so many rows; default 100." },
    [FLAG_ACCOUNT] = { "account", 0, "NAME", NULL, "Of this account." },
    [FLAG_FROM] = { "from", 'f', "ADDRESS", NULL, "Sender: the address, or for a filter a part of it." },
    [FLAG_TO] = { "to", 't', "ADDRESS", NULL,
                  "Recipient: the address, or for a filter a part of it. send takes several." },
    [FLAG_SITE] = { "site", 0, "SITE", NULL, "On the way to this site, or a part of its name." },
    [FLAG_STATE] = { "state", 0, "STATE", "resolving ready deferred delivering held",
                     "In this state: resolving, ready, deferred, delivering or held." },
    [FLAG_ALL] = { "all", 0, NULL, NULL, "Every message in the queue." },
    [FLAG_DRY_RUN] = { "dry-run", 0, NULL, NULL, "Shows what would be done." },
    [FLAG_YES] = { "yes", 'y', NULL, NULL, "Yes, more than one message." },
    [FLAG_SILENT] = { "silent", 0, NULL, NULL, "The sender is not told; needs --reason." },
    [FLAG_REASON] = { "reason", 0, "TEXT", NULL, "Why; stands in the log with your name." },
    [FLAG_NORMALIZE] = { "normalize", 0, NULL, NULL, "Bare LF and CR of this client become CRLF." },
    [FLAG_SERVER] = { "server", 0, "HOST[:PORT]", NULL,
                      "Where to send; default 127.0.0.1:2525, with --user port 2587, with --tls "
                      "implicit 2465." },
    [FLAG_TLS] = { "tls", 0, "MODE", "starttls implicit none",
                   "starttls, implicit or none; default starttls with --user or --ca, else none." },
    [FLAG_CA] = { "ca", 0, "FILE", NULL, "Trusts this certificate instead of the system's authorities." },
    [FLAG_USER] = { "user", 'u', "NAME", NULL, "Authenticates; needs --password-file." },
    [FLAG_PASSWORD_FILE] = { "password-file", 0, "FILE", NULL, "Its first line is the password." },
    [FLAG_SUBJECT] = { "subject", 0, "TEXT", NULL, "Of the message that is made when no FILE is given." },
    [FLAG_TRACE] = { "trace", 0, NULL, NULL, "Prints the dialogue." },
    [FLAG_TRY] = { "try", 0, "HOST[:PORT]", NULL,
                   "A mail server outside that must answer; default gmail-smtp-in.l.google.com." },
    [FLAG_FORCE] = { "force", 0, NULL, NULL, "Opens the gate whatever the checks found; needs --reason." },
    [FLAG_CLOSE] = { "close", 0, NULL, NULL, "Closes the gate again." },
};

#define F(flag) (UINT64_C(1) << FLAG_##flag)
#define FILTER (F(FROM) | F(TO) | F(SITE) | F(STATE))
#define ACT (FILTER | F(ALL) | F(DRY_RUN))
#define ACT_TEXT \
    "Give the ids of messages, or filters; several filters must all match; --all takes the whole queue. "

const struct cli_command cli_commands[] = {
    { .noun = "serve", .args = "", .flags = F(CONFIG) | F(SINGLE), .run = serve_run,
      .about = "Runs the relay until it is told to end.",
      .text = "SIGTERM finishes what is in hand and ends, SIGHUP reads the configuration again." },
    { .noun = "role", .args = "KIND INSTANCE", .args_min = 2, .args_max = 2, .run = role_run, .hidden = true,
      .about = "What serve starts: never by hand.", .text = "" },
    { .noun = "live", .args = "", .flags = F(TRY) | F(FORCE) | F(REASON) | F(CLOSE), .is_client = true,
      .run = live_run, .about = "Checks whether this machine is fit to send, and opens the gate.",
      .text = "Until then mail to any domain but the sandbox is refused. The checks are address, PTR, HELO "
              "name, SPF, and whether a mail server outside can be reached on its port 25." },
    { .noun = "check-config", .args = "", .flags = F(CONFIG), .run = check_config_run,
      .about = "Reads the configuration as serve would, and says what is wrong.", .text = "" },
    { .noun = "config", .verb = "print", .args = "", .flags = F(CONFIG) | F(DEFAULTS), .run = config_print_run,
      .about = "Prints the configuration in force, defaults included.", .text = "" },
    { .noun = "status", .args = "", .is_client = true, .run = status_run,
      .about = "What the relay does and whether it is well.",
      .text = "Ends with 6 when something is not." },
    { .noun = "reload", .args = "", .is_client = true, .run = reload_run,
      .about = "Reads the configuration again; no session is dropped.", .text = "" },
    { .noun = "drain", .args = "", .is_client = true, .run = drain_run,
      .about = "Finishes what is in hand, takes nothing new, ends.", .text = "" },
    { .noun = "send", .args = "[FILE]", .args_max = 1,
      .flags = F(SERVER) | F(TLS) | F(CA) | F(USER) | F(PASSWORD_FILE) | F(FROM) | F(TO) | F(SUBJECT) | F(TRACE),
      .run = send_run, .about = "Hands a message over by SMTP, as a client would.",
      .text = "FILE is a message with its header, - is standard input; without one a short message is made. "
              "A certificate is always verified: by --ca, else by the system's authorities. Ends with 7 when "
              "only some recipients were taken." },
    { .noun = "tail", .args = "", .flags = F(FROM) | F(TO) | F(SITE), .is_client = true, .run = tail_run,
      .about = "Shows events as they happen, until it is interrupted.", .text = "" },
    { .noun = "queue", .verb = "ls", .args = "", .flags = FILTER | F(LIMIT), .is_client = true,
      .run = queue_list_run, .about = "Lists what is queued, a line per recipient.", .text = "" },
    { .noun = "queue", .verb = "summary", .args = "", .is_client = true, .run = queue_summary_run,
      .about = "Sites with how much waits for each.", .text = "" },
    { .noun = "queue", .verb = "show", .args = "ID", .args_min = 1, .args_max = 1, .is_client = true,
      .run = queue_show_run, .about = "One message and its recipients.", .text = "" },
    { .noun = "queue", .verb = "why", .args = "ID", .args_min = 1, .args_max = 1, .is_client = true,
      .run = queue_why_run, .about = "Why each recipient waits, for what, and until when.", .text = "" },
    { .noun = "queue", .verb = "retry", .args = "[ID...]", .args_max = ARGS_MAX, .flags = ACT, .is_client = true,
      .run = queue_act_run, .about = "Tries again now.", .text = ACT_TEXT },
    { .noun = "queue", .verb = "hold", .args = "[ID...]", .args_max = ARGS_MAX, .flags = ACT | F(REASON),
      .is_client = true, .run = queue_act_run, .about = "Keeps back until released.", .text = ACT_TEXT },
    { .noun = "queue", .verb = "release", .args = "[ID...]", .args_max = ARGS_MAX, .flags = ACT, .is_client = true,
      .run = queue_act_run, .about = "Ends a hold.", .text = ACT_TEXT },
    { .noun = "queue", .verb = "drop", .args = "[ID...]", .args_max = ARGS_MAX,
      .flags = ACT | F(REASON) | F(SILENT) | F(YES), .is_client = true, .run = queue_act_run,
      .about = "Gives up, and tells the sender.",
      .text = ACT_TEXT "The sender gets a notification unless --silent --reason TEXT. More than one message "
                       "needs --yes." },
    { .noun = "account", .verb = "add", .args = "NAME", .args_min = 1, .args_max = 1, .is_client = true,
      .run = account_add_run, .about = "Makes an account.", .text = "" },
    { .noun = "account", .verb = "ls", .args = "", .flags = F(LIMIT), .is_client = true, .run = account_list_run,
      .about = "Lists accounts.", .text = "" },
    { .noun = "cred", .verb = "add", .args = "USER", .args_min = 1, .args_max = 1,
      .flags = F(ACCOUNT) | F(NORMALIZE), .is_client = true, .run = cred_add_run,
      .about = "Makes a credential of an account, and shows its password this once.",
      .text = "Needs --account." },
    { .noun = "cred", .verb = "ls", .args = "", .flags = F(ACCOUNT) | F(LIMIT), .is_client = true,
      .run = cred_list_run, .about = "Lists credentials.", .text = "" },
    { .noun = "cred", .verb = "rm", .args = "USER", .args_min = 1, .args_max = 1, .is_client = true,
      .run = cred_remove_run, .about = "Takes a credential away.", .text = "" },
    { .noun = "sandbox", .verb = "ls", .args = "", .flags = F(LIMIT), .is_client = true,
      .run = sandbox_list_run, .about = "Lists the messages in the built-in inbox.", .text = "" },
    { .noun = "sandbox", .verb = "show", .args = "NUMBER", .args_min = 1, .args_max = 1, .is_client = true,
      .run = sandbox_show_run, .about = "Shows one of them.", .text = "" },
    { .noun = "version", .args = "", .run = version_run, .about = "Prints the version.", .text = "" },
    { .noun = "completion", .args = "bash|zsh|fish", .args_min = 1, .args_max = 1, .run = completion_run,
      .about = "Prints completions for a shell.", .text = "" },
    { .noun = "help", .args = "[COMMAND...]", .args_max = 2, .run = help_run,
      .about = "Says what there is, or what a command does.", .text = "" },
    { .noun = "man", .args = "FOLDER", .args_min = 1, .args_max = 1, .run = man_run, .hidden = true,
      .about = "Writes the manual pages into a folder.", .text = "" },
};
const size_t cli_command_count = ARRAY_LEN(cli_commands);

uint64_t command_flags(const struct cli_command *c)
{
    return c->flags | F(HELP) | (c->is_client ? F(SOCKET) | F(CONFIG) | F(OUTPUT) : 0);
}

bool command_name(const struct cli_command *c, struct buf *to)
{
    return buf_addf(to, "%s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
}

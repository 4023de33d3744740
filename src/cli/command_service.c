// SPDX-License-Identifier: Apache-2.0
/* cli/command_service.c - the relay as a whole: serve, status, reload, drain, tail, live. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/client.h"
#include "cli/show.h"
#include "super/super.h"

#define CONFIG_DEFAULT "/etc/baton/baton.yaml"
#define TRY_DEFAULT "gmail-smtp-in.l.google.com"
#define TARGET_MAX (64 * 1024)

static const char *config_file(const struct cli_args *a)
{
    return args_has(a, FLAG_CONFIG) ? a->flags[FLAG_CONFIG] : CONFIG_DEFAULT;
}

enum cli_exit serve_run(const struct cli_args *a)
{
    return (enum cli_exit)super_serve(config_file(a), args_has(a, FLAG_SINGLE));
}

enum cli_exit role_run(const struct cli_args *a)
{
    return (enum cli_exit)super_role_main(a->args[0], a->args[1]);
}

enum cli_exit check_config_run(const struct cli_args *a)
{
    return (enum cli_exit)super_check_config(config_file(a));
}

/* Status --------------------------------------------------------------------------------------- */

/* A role is well when it told its facts. */
static bool is_well(struct json_object *role)
{
    struct json_object *facts = NULL;

    return json_object_object_get_ex(role, "facts", &facts) &&
           json_object_is_type(facts, json_type_object) && json_object_object_length(facts) > 0;
}

static enum cli_exit show_roles(struct json_object *roles)
{
    struct buf text;

    buf_init(&text, 16 * 1024 * 1024);
    for (size_t i = 0; i < json_object_array_length(roles); i++) {
        if (i > 0)
            (void)buf_add_char(&text, '\n');
        show_members(&text, json_object_array_get_idx(roles, i));
    }
    enum cli_exit result = cli_print(&text);
    buf_done(&text);
    return result;
}

enum cli_exit status_run(const struct cli_args *a)
{
    struct json_object *roles = NULL;
    enum cli_exit result = client_list(a, "/v1/status", SIZE_MAX, &roles);

    if (result != CLI_OK)
        return result;
    result = show_as_json(a) ? show_items(a, roles, NULL, 0) : show_roles(roles);
    for (size_t i = 0; result == CLI_OK && i < json_object_array_length(roles); i++)
        if (!is_well(json_object_array_get_idx(roles, i)))
            result = cli_fail(CLI_UNHEALTHY, "a role does not answer");
    json_object_put(roles);
    return result;
}

static enum cli_exit order(const struct cli_args *a, const char *method, const char *target,
                           struct json_object *body)
{
    struct json_object *answer = NULL;
    enum cli_exit result = client_call(a, method, target, body, &answer);

    json_object_put(answer);
    return result;
}

enum cli_exit reload_run(const struct cli_args *a)
{
    return order(a, "POST", "/v1/reload", NULL);
}

enum cli_exit secret_exchange_run(const struct cli_args *a)
{
    return order(a, "POST", "/v1/secret", NULL);
}

enum cli_exit drain_run(const struct cli_args *a)
{
    return order(a, "POST", "/v1/drain", NULL);
}

/* Tail ----------------------------------------------------------------------------------------- */

struct tail {
    const struct cli_args *args;
    enum cli_exit result;
};

/* The relay's own word that no more comes; the reader did not want that. */
static bool is_end(struct json_object *event, const char **ret_why)
{
    struct json_object *type = NULL, *detail = NULL;

    if (!json_object_object_get_ex(event, "type", &type) ||
        strcmp(json_object_get_string(type), "tail.ended") != 0)
        return false;
    *ret_why = json_object_object_get_ex(event, "detail", &detail) ? json_object_get_string(detail)
                                                                   : "the relay ended it";
    return true;
}

static void print_event(struct tail *t, struct json_object *event, struct str line)
{
    struct buf text;

    buf_init(&text, 1024 * 1024);
    if (event && !show_as_json(t->args))
        show_line(&text, event);
    else
        (void)buf_addf(&text, "%.*s\n", STR_FMT(line));
    if (cli_print(&text) != CLI_OK)
        exit(CLI_FAILED); /* nobody reads any more */
    buf_done(&text);
}

static void take_event(void *arg, struct str line)
{
    struct tail *t = arg;
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *json =
        tokener ? json_tokener_parse_ex(tokener, line.ptr, (int)line.len) : NULL;
    struct json_object *event = json_object_is_type(json, json_type_object) ? json : NULL;
    const char *why;

    if (event && is_end(event, &why))
        t->result = cli_fail(CLI_FAILED, "%s", why);
    else
        print_event(t, event, line);
    json_object_put(json);
    json_tokener_free(tokener);
}

enum cli_exit tail_run(const struct cli_args *a)
{
    struct tail tail = { .args = a };
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "/v1/events");
    target_add(&target, "from", a->flags[FLAG_FROM]);
    target_add(&target, "to", a->flags[FLAG_TO]);
    target_add(&target, "site", a->flags[FLAG_SITE]);
    enum cli_exit result = client_stream(a, buf_cstr(&target), take_event, &tail);
    buf_done(&target);
    return result == CLI_OK ? tail.result : result;
}

/* Live ----------------------------------------------------------------------------------------- */

static const struct show_column live_columns[] = {
    { "check", "CHECK" },
    { "ok", "OK" },
    { "text", "WHAT WAS FOUND" },
};

/* deliver tells what it reached; here it becomes a check as resolve's are. */
static struct json_object *port_check(struct json_object *trial)
{
    struct json_object *check = json_object_new_object(), *value = NULL;
    bool reached =
        json_object_object_get_ex(trial, "reached", &value) && json_object_get_boolean(value);
    struct buf text;

    buf_init(&text, 4096);
    if (json_object_object_get_ex(trial, "host", &value))
        (void)buf_addf(&text, "%s ", json_object_get_string(value));
    if (json_object_object_get_ex(trial, "port", &value))
        (void)buf_addf(&text, "port %s ", json_object_get_string(value));
    if (json_object_object_get_ex(trial, reached ? "greeting" : "error", &value))
        (void)buf_addf(&text, "%s%s", reached ? "answered: " : "could not be reached: ",
                       json_object_get_string(value));
    json_object_object_add(check, "check", json_object_new_string("port"));
    json_object_object_add(check, "ok", json_object_new_boolean(reached));
    json_object_object_add(check, "text", json_object_new_string(buf_cstr(&text)));
    buf_done(&text);
    return check;
}

static enum cli_exit add_port_checks(const struct cli_args *a, struct json_object *checks)
{
    struct json_object *trials = NULL;
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_addf(&target, "/v1/live/port");
    target_add(&target, "name", args_has(a, FLAG_TRY) ? a->flags[FLAG_TRY] : TRY_DEFAULT);
    enum cli_exit result = client_list(a, buf_cstr(&target), SIZE_MAX, &trials);
    buf_done(&target);
    for (size_t i = 0; result == CLI_OK && i < json_object_array_length(trials); i++)
        json_object_array_add(checks, port_check(json_object_array_get_idx(trials, i)));
    json_object_put(trials);
    return result;
}

static size_t count_failed(struct json_object *checks)
{
    size_t failed = 0;

    for (size_t i = 0; i < json_object_array_length(checks); i++) {
        struct json_object *ok = NULL;
        failed += !json_object_object_get_ex(json_object_array_get_idx(checks, i), "ok", &ok) ||
                  !json_object_get_boolean(ok);
    }
    return failed;
}

static enum cli_exit set_gate(const struct cli_args *a, const char *method)
{
    struct json_object *body = json_object_new_object();

    body_add(body, "reason", a->flags[FLAG_REASON]);
    return order(a, method, "/v1/live", body);
}

/* Opens it if the checks allow, or whoever answers for it does. */
static enum cli_exit open_gate(const struct cli_args *a, size_t failed)
{
    if (failed > 0 && !args_has(a, FLAG_FORCE))
        return cli_fail(CLI_UNHEALTHY, "%zu of the checks failed: the gate stays as it is", failed);
    enum cli_exit result = set_gate(a, "POST");
    if (result == CLI_OK)
        (void)cli_fail(CLI_OK, "the gate is open: mail goes out");
    return result;
}

enum cli_exit live_run(const struct cli_args *a)
{
    struct json_object *checks = NULL;
    enum cli_exit result;

    if (args_has(a, FLAG_FORCE) && !args_has(a, FLAG_REASON))
        return cli_fail(CLI_USAGE, "--force needs --reason TEXT");
    if (args_has(a, FLAG_CLOSE))
        return set_gate(a, "DELETE");
    result = client_list(a, "/v1/live/dns", SIZE_MAX, &checks);
    if (result != CLI_OK)
        return result;
    result = add_port_checks(a, checks);
    if (result == CLI_OK)
        result = show_items(a, checks, live_columns, ARRAY_LEN(live_columns));
    if (result == CLI_OK)
        result = open_gate(a, count_failed(checks));
    json_object_put(checks);
    return result;
}

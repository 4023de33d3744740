// SPDX-License-Identifier: Apache-2.0
/* cli/client.c - HTTP to the API socket. Several places are tried for the socket, the first that
 * answers is taken. */
#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "config/config.h"
#include "io/disk.h"

#define ANSWER_BYTES_MAX (64 * 1024 * 1024)
#define CONFIG_BYTES_MAX (1024 * 1024)
#define PATHS_MAX 4

/* Targets -------------------------------------------------------------------------------------- */

static bool is_unreserved(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("-._~", c));
}

void target_add_word(struct buf *target, const char *word)
{
    for (; *word; word++)
        if (is_unreserved(*word))
            (void)buf_add_char(target, *word);
        else
            (void)buf_addf(target, "%%%02X", (unsigned)(unsigned char)*word);
}

void target_add(struct buf *target, const char *name, const char *value)
{
    if (!value)
        return;
    (void)buf_addf(target, "%c%s=", str_index(buf_str(target), '?') < target->len ? '&' : '?',
                   name);
    target_add_word(target, value);
}

void body_add(struct json_object *body, const char *name, const char *value)
{
    if (value)
        json_object_object_add(body, name, json_object_new_string(value));
}

/* Where the socket may be ---------------------------------------------------------------------- */

struct paths {
    struct arena arena;
    const char *list[PATHS_MAX];
    size_t count;
};

static bool path_of_config(struct paths *p, const char *file, struct err *err)
{
    struct config *c;
    struct str text;

    if (!disk_read_file(file, CONFIG_BYTES_MAX, &p->arena, &text, err) ||
        !config_parse(str_of(file), text, &c, err))
        return false;
    p->list[p->count++] = arena_strf(&p->arena, "%.*s/api.sock", STR_FMT(c->state_folder)).ptr;
    config_free(c);
    return true;
}

static bool paths_find(struct paths *p, const struct cli_args *a, struct err *err)
{
    const char *of_environment = getenv("BATON_SOCKET");

    arena_init(&p->arena, 4096);
    p->count = 0;
    if (args_has(a, FLAG_SOCKET)) {
        p->list[p->count++] = a->flags[FLAG_SOCKET];
    } else if (args_has(a, FLAG_CONFIG)) {
        return path_of_config(p, a->flags[FLAG_CONFIG], err);
    } else if (of_environment && *of_environment) {
        p->list[p->count++] = of_environment;
    } else {
        p->list[p->count++] = "./run/api.sock";
        p->list[p->count++] = "/var/lib/baton/api.sock";
    }
    return true;
}

/* One request ---------------------------------------------------------------------------------- */

struct call {
    CURL *curl;
    const char *method, *target;
    struct str body;
    struct buf answer;
    long status;
    bool quiet;                               /* a refusal is not told */
    void (*line)(void *arg, struct str line); /* for streams */
    void *arg;
};

static void give_lines(struct call *call)
{
    for (;;) {
        size_t end = str_index(buf_str(&call->answer), '\n');
        if (end == call->answer.len)
            return;
        if (end > 0)
            call->line(call->arg, str_sub(buf_str(&call->answer), 0, end));
        buf_drop(&call->answer, end + 1);
    }
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct call *call = arg;

    (void)size; /* 1 */
    if (!buf_add(&call->answer, str_make(bytes, count)))
        return 0;
    curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &call->status);
    if (call->line && call->status == 200)
        give_lines(call);
    return count;
}

static struct curl_slist *call_options(CURL *curl, struct call *call, const char *path)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct buf url;

    buf_init(&url, 64 * 1024);
    (void)buf_addf(&url, "http://localhost%s", call->target);
    curl_easy_setopt(curl, CURLOPT_URL, buf_cstr(&url)); /* copied */
    buf_done(&url);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, path);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    if (!call->line)
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 150L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    if (call->body.len > 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)call->body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.ptr);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    return headers;
}

static CURLcode call_path(struct call *call, const char *path, long *ret_errno)
{
    CURL *curl = curl_easy_init();

    if (!curl)
        return CURLE_FAILED_INIT;
    call->curl = curl;
    struct curl_slist *headers = call_options(curl, call, path);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &call->status);
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, ret_errno);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return code;
}

static enum cli_exit no_answer(const struct paths *p, CURLcode code, long os_error)
{
    const char *path = p->list[p->count - 1];

    if (code == CURLE_OPERATION_TIMEDOUT)
        return cli_fail(CLI_TIMEOUT, "%s: no answer in time", path);
    if (code != CURLE_COULDNT_CONNECT)
        return cli_fail(CLI_FAILED, "%s: %s", path, curl_easy_strerror(code));
    if (os_error == EACCES)
        return cli_fail(CLI_DENIED, "%s: only root and the group of the configuration may use it",
                        path);
    return cli_fail(CLI_FAILED,
                    "no relay answers at %s%s%s: is it running? (--socket names another place)",
                    p->count > 1 ? p->list[0] : "", p->count > 1 ? " or " : "", path);
}

static enum cli_exit perform(const struct cli_args *a, struct call *call)
{
    CURLcode code = CURLE_COULDNT_CONNECT;
    struct paths paths;
    struct err err;
    long os_error = 0;
    enum cli_exit result = CLI_OK;

    if (!paths_find(&paths, a, &err)) {
        arena_done(&paths.arena);
        return cli_fail(CLI_USAGE, "%s", err.text);
    }
    for (size_t i = 0; i < paths.count && code == CURLE_COULDNT_CONNECT; i++)
        code = call_path(call, paths.list[i], &os_error);
    if (code != CURLE_OK)
        result = no_answer(&paths, code, os_error);
    arena_done(&paths.arena);
    return result;
}

/* Answers -------------------------------------------------------------------------------------- */

static enum cli_exit exit_of_status(long status)
{
    switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
        return CLI_USAGE;
    case 403:
        return CLI_DENIED;
    case 404:
        return CLI_NOT_FOUND;
    case 409:
        return CLI_CONFLICT;
    case 504:
        return CLI_TIMEOUT;
    default:
        return CLI_FAILED;
    }
}

static enum cli_exit problem(const struct call *call, struct json_object *json)
{
    struct json_object *detail = NULL;
    const char *text = "the relay answered something that is no JSON";

    if (call->quiet)
        return exit_of_status(call->status);
    if (json && json_object_object_get_ex(json, "detail", &detail))
        text = json_object_get_string(detail);
    return cli_fail(exit_of_status(call->status), "%s", text);
}

static struct json_object *parse(const struct buf *answer)
{
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *json = NULL;

    if (tokener && answer->len > 0)
        json = json_tokener_parse_ex(tokener, answer->ptr, (int)answer->len);
    json_tokener_free(tokener);
    return json;
}

static enum cli_exit whole_call(const struct cli_args *a, struct call call,
                                struct json_object *body, struct json_object **ret)
{
    call.body = body ? str_of(json_object_to_json_string(body)) : STR_NONE;
    buf_init(&call.answer, ANSWER_BYTES_MAX);
    enum cli_exit result = perform(a, &call);
    if (result == CLI_OK) {
        struct json_object *json = parse(&call.answer);
        if (call.status == 200 && json) {
            *ret = json;
        } else {
            result = problem(&call, json);
            json_object_put(json);
        }
    }
    buf_done(&call.answer);
    json_object_put(body);
    return result;
}

enum cli_exit client_call(const struct cli_args *a, const char *method, const char *target,
                          struct json_object *body, struct json_object **ret)
{
    return whole_call(a, (struct call){ .method = method, .target = target }, body, ret);
}

enum cli_exit client_try(const struct cli_args *a, const char *method, const char *target,
                         struct json_object *body, struct json_object **ret)
{
    return whole_call(a, (struct call){ .method = method, .target = target, .quiet = true }, body,
                      ret);
}

/* Moves the items of one page; *ret_next is its "next", to be freed, or NULL. */
static size_t take_items(struct json_object *to, struct json_object *page, struct buf *next)
{
    struct json_object *items = NULL, *value = NULL;
    size_t count = 0;

    buf_clear(next);
    if (json_object_object_get_ex(page, "items", &items) &&
        json_object_is_type(items, json_type_array))
        for (count = 0; count < json_object_array_length(items); count++)
            json_object_array_add(to, json_object_get(json_object_array_get_idx(items, count)));
    if (json_object_object_get_ex(page, "next", &value) && value)
        (void)buf_addf(next, "%s", json_object_get_string(value));
    return count;
}

enum cli_exit client_list(const struct cli_args *a, const char *target, size_t limit,
                          struct json_object **ret)
{
    struct json_object *all = json_object_new_array();
    enum cli_exit result = CLI_OK;
    struct buf next, page_target;
    bool more = true;

    buf_init(&next, 64);
    buf_init(&page_target, 64 * 1024);
    while (more && result == CLI_OK && json_object_array_length(all) < limit) {
        struct json_object *page = NULL;
        buf_clear(&page_target);
        (void)buf_addf(&page_target, "%s", target);
        target_add(&page_target, "after", next.len > 0 ? buf_cstr(&next) : NULL);
        result = client_call(a, "GET", buf_cstr(&page_target), NULL, &page);
        more = result == CLI_OK && take_items(all, page, &next) > 0 && next.len > 0;
        json_object_put(page);
    }
    buf_done(&next);
    buf_done(&page_target);
    /* A page may hold more than was asked for: a message comes with all its recipients. */
    if (json_object_array_length(all) > limit)
        (void)json_object_array_del_idx(all, limit, json_object_array_length(all) - limit);
    if (result == CLI_OK)
        *ret = all;
    else
        json_object_put(all);
    return result;
}

enum cli_exit client_stream(const struct cli_args *a, const char *target,
                            void (*fn)(void *arg, struct str line), void *arg)
{
    struct call call = { .method = "GET", .target = target, .line = fn, .arg = arg };

    buf_init(&call.answer, ANSWER_BYTES_MAX);
    enum cli_exit result = perform(a, &call);
    if (result == CLI_OK && call.status != 200) {
        struct json_object *json = parse(&call.answer);
        result = problem(&call, json);
        json_object_put(json);
    }
    buf_done(&call.answer);
    return result;
}

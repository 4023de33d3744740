// SPDX-License-Identifier: Apache-2.0
/* web/api.c - how a request becomes what is asked of a role. The routes stand in routes.c; HTTP
 * itself is server.c's and strict.c's matter, JSON bodies are body.c's. */
#include "web/api.h"

#include "base/code.h"
#include "base/json.h"
#include "base/mem.h"

/* Fields --------------------------------------------------------------------------------------- */

static const struct field_row {
    const char *name;
    unsigned field;
    size_t text_at; /* a struct str of api_ask, when not 0 */
    uint32_t flag;  /* enum admin_flag, when not 0 */
} field_rows[] = {
    { "id", FIELD_ID, 0, 0 },
    { "number", FIELD_NUMBER, 0, 0 },
    { "after", FIELD_AFTER, 0, 0 },
    { "limit", FIELD_LIMIT, 0, 0 },
    { "name", FIELD_NAME, offsetof(struct api_ask, name), 0 },
    { "account", FIELD_ACCOUNT, offsetof(struct api_ask, account), 0 },
    { "from", FIELD_FROM, offsetof(struct api_ask, from), 0 },
    { "to", FIELD_TO, offsetof(struct api_ask, to), 0 },
    { "site", FIELD_SITE, offsetof(struct api_ask, site), 0 },
    { "state", FIELD_STATE, offsetof(struct api_ask, state), 0 },
    { "reason", FIELD_REASON, offsetof(struct api_ask, reason), 0 },
    { "silent", FIELD_SILENT, 0, ADMIN_SILENT },
    { "all", FIELD_ALL, 0, ADMIN_ALL },
    { "dry_run", FIELD_DRY_RUN, 0, ADMIN_DRY_RUN },
    { "format", FIELD_FORMAT, offsetof(struct api_ask, state), 0 },
};

static const struct field_row *field_row(unsigned field)
{
    for (size_t i = 0; i < ARRAY_LEN(field_rows); i++)
        if (field_rows[i].field == field)
            return &field_rows[i];
    return NULL;
}

unsigned api_field_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(field_rows); i++)
        if (str_eq(name, str_of(field_rows[i].name)))
            return field_rows[i].field;
    return 0;
}

/* What a terminal, a log or a header takes for the end of a line, or for a command (fault B10):
 * U+0000 … U+001F, U+007F … U+009F, U+2028 and U+2029. */
static bool is_control(const char *ptr, size_t len)
{
    const unsigned char *b = (const unsigned char *)ptr;

    if (len == 1)
        return b[0] < 0x20 || b[0] == 0x7f;
    if (len == 2)
        return b[0] == 0xc2 && b[1] < 0xa0;
    return len == 3 && b[0] == 0xe2 && b[1] == 0x80 && (b[2] == 0xa8 || b[2] == 0xa9);
}

bool api_text_ok(struct str text)
{
    while (text.len > 0) {
        size_t len = utf8_len(text);
        if (len == 0 || is_control(text.ptr, len))
            return false;
        text = str_skip(text, len);
    }
    return true;
}

static bool text_set(struct api_ask *ask, const struct field_row *row, struct str text,
                     struct arena *a, struct err *err)
{
    if (text.len > API_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "%s: at most %d octets", row->name, API_TEXT_MAX);
    if (!api_text_ok(text))
        return err_set(err, ERR_LIMIT, "%s: expected UTF-8 without control characters", row->name);
    *(struct str *)(void *)((char *)ask + row->text_at) = arena_str(a, text);
    return true;
}

static bool flag_set(struct api_ask *ask, const struct field_row *row, struct str text,
                     struct err *err)
{
    bool is_true = str_eq(text, STR("true"));

    if (!is_true && !str_eq(text, STR("false")))
        return err_set(err, ERR_SYNTAX, "%s: expected true or false", row->name);
    if (is_true)
        ask->flags |= row->flag;
    return true;
}

static bool number_set(struct api_ask *ask, const struct field_row *row, struct str text,
                       struct err *err)
{
    uint64_t n;

    if (row->field == FIELD_ID)
        return id_parse(text, &ask->id, NULL) ||
               err_set(err, ERR_NOT_FOUND, "id: expected the 13 letters of a queue id");
    if (row->field != FIELD_LIMIT)
        return str_to_u64(text, UINT64_MAX, &ask->id) ||
               err_set(err, ERR_SYNTAX, "%s: expected a number", row->name);
    if (!str_to_u64(text, API_LIMIT_MAX, &n) || n == 0)
        return err_set(err, ERR_SYNTAX, "limit: expected 1 … %d", API_LIMIT_MAX);
    ask->limit = (uint32_t)n;
    return true;
}

bool api_field_set(struct api_ask *ask, unsigned field, struct str text, struct arena *a,
                   struct err *err)
{
    const struct field_row *row = field_row(field);

    if (!row || !(ask->route->fields & field))
        return err_set(err, ERR_SYNTAX, "%s is not for this request", row ? row->name : "that");
    if (ask->given & field)
        return err_set(err, ERR_SYNTAX, "%s: given twice", row->name);
    ask->given |= field;
    if (row->text_at)
        return text_set(ask, row, text, a, err);
    if (row->flag)
        return flag_set(ask, row, text, err);
    return number_set(ask, row, text, err);
}

/* Path and query ------------------------------------------------------------------------------- */

static bool hex_digit(char c, unsigned *ret)
{
    c = ascii_lower(c);
    if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f'))
        return false;
    *ret = (unsigned)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
    return true;
}

bool api_percent_decode(struct str text, struct arena *a, struct str *ret, struct err *err)
{
    char *out = arena_alloc(a, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned high, low;
        if (text.ptr[i] != '%') {
            out[len++] = text.ptr[i];
            continue;
        }
        if (i + 2 >= text.len || !hex_digit(text.ptr[i + 1], &high) ||
            !hex_digit(text.ptr[i + 2], &low))
            return err_set(err, ERR_SYNTAX, "a %% without two hexadecimal digits");
        out[len++] = (char)(high << 4 | low);
        i += 2;
    }
    *ret = str_make(out, len);
    return true;
}

static bool is_parameter(struct str word)
{
    return word.len > 2 && word.ptr[0] == '{';
}

/* True when the path has the route's shape; parameters match any one word. */
static bool path_matches(struct str pattern, struct str path)
{
    struct str want, word;

    for (;;) {
        bool more_want = str_next(&pattern, '/', &want), more = str_next(&path, '/', &word);
        if (!more_want || !more)
            return more_want == more;
        if (is_parameter(want) ? word.len == 0 : !str_eq(want, word))
            return false;
    }
}

/* "/v1/queue/summary" stands before "/v1/queue/{id}" in the table. */
static const struct api_route *route_find(struct str method, struct str path, int *ret_status)
{
    *ret_status = 404;
    for (size_t i = 0; i < api_route_count; i++) {
        if (!path_matches(str_of(api_routes[i].path), path))
            continue;
        if (str_eq(method, str_of(api_routes[i].method)))
            return &api_routes[i];
        *ret_status = 405;
    }
    return NULL;
}

/* One spelling a path: no empty word, which str_next() would pass over (fault B13). */
static bool path_ok(struct str path)
{
    return str_starts(path, STR("/")) && str_find(path, STR("//")) == path.len &&
           path.ptr[path.len - 1] != '/';
}

static bool path_read(struct api_ask *ask, struct str path, struct arena *a, struct err *err)
{
    struct str pattern = str_of(ask->route->path), want, word, text;

    while (str_next(&pattern, '/', &want) && str_next(&path, '/', &word)) {
        if (!is_parameter(want))
            continue;
        unsigned field = api_field_find(str_sub(want, 1, want.len - 2));
        if (!api_percent_decode(word, a, &text, err) || !api_field_set(ask, field, text, a, err))
            return false;
    }
    return true;
}

static bool query_read(struct api_ask *ask, struct str query, struct arena *a, struct err *err)
{
    struct str pair, name, value;

    while (str_next(&query, '&', &pair)) {
        if (!str_cut(pair, '=', &name, &value))
            return err_set(err, ERR_SYNTAX, "the query: expected name=value");
        unsigned field = api_field_find(name);
        if (!field)
            return err_set(err, ERR_SYNTAX, "the query: no field \"%.*s\"",
                           name.len > 40 ? 40 : (int)name.len, name.ptr);
        if (!api_percent_decode(value, a, &value, err) || !api_field_set(ask, field, value, a, err))
            return false;
    }
    return true;
}

static const char *field_name(unsigned field)
{
    return field == FIELD_SETTINGS ? "settings" : field_row(field)->name;
}

size_t api_ask_bytes(const struct api_ask *ask)
{
    return ask->name.len + ask->account.len + ask->from.len + ask->to.len + ask->site.len +
           ask->state.len + ask->reason.len + ask->settings.len;
}

/* What holds between fields. */
static bool ask_is_whole(const struct api_ask *ask, struct err *err)
{
    unsigned missing = ask->route->needed & ~ask->given;

    if (missing)
        return err_set(err, ERR_SYNTAX, "%s is missing", field_name(missing & -missing));
    if (api_ask_bytes(ask) > API_ASK_MAX)
        return err_set(err, ERR_LIMIT, "too much at once: at most %d octets of texts", API_ASK_MAX);
    if ((ask->route->fields & FIELD_ALL) && !(ask->given & FIELD_ID) == !(ask->flags & ADMIN_ALL))
        return err_set(err, ERR_SYNTAX, "expected id, or all with filters");
    if ((ask->flags & ADMIN_SILENT) && ask->reason.len == 0)
        return err_set(err, ERR_SYNTAX, "silent needs a reason");
    return true;
}

static bool fields_read(struct api_ask *ask, struct str query, struct str body, struct arena *a,
                        struct err *err)
{
    if (!query_read(ask, query, a, err))
        return false;
    if (body.len > 0 && str_eq(str_of(ask->route->method), STR("GET")))
        return err_set(err, ERR_SYNTAX, "GET has no body");
    return body.len == 0 || api_body_read(body, ask, a, err);
}

bool api_read(struct str method, struct str target, struct str body, struct arena *a,
              struct api_ask *ret, int *ret_status, struct err *err)
{
    struct str path, query = STR_NONE;
    struct api_ask ask = { .limit = API_LIMIT_DEFAULT };
    struct err why = { 0 };

    if (!str_cut(target, '?', &path, &query))
        path = target;
    *ret_status = 404;
    ask.route = path_ok(path) ? route_find(method, path, ret_status) : NULL;
    if (!ask.route)
        return err_set(err, ERR_NOT_FOUND,
                       *ret_status == 405 ? "not by this method" : "no such path");
    *ret_status = 404;
    if (!path_read(&ask, path, a, err))
        return false;
    if (!fields_read(&ask, query, body, a, &why)) {
        *ret_status = why.kind == ERR_LIMIT ? 422 : 400;
        return err_set(err, why.kind, "%s", why.text);
    }
    *ret_status = 422;
    if (!ask_is_whole(&ask, err))
        return false;
    *ret = ask;
    return true;
}

/* Problems ------------------------------------------------------------------------------------- */

const char *api_status_phrase(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 422:
        return "Unprocessable Content";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    default:
        return "Error";
    }
}

void api_problem(struct buf *to, int status, struct str detail)
{
    struct json j;

    json_begin(&j, to);
    json_object(&j);
    json_key(&j, "type");
    json_str(&j, STR("about:blank"));
    json_key(&j, "title");
    json_str(&j, str_of(api_status_phrase(status)));
    json_key(&j, "status");
    json_int(&j, status);
    json_key(&j, "detail");
    json_str(&j, detail);
    json_object_end(&j);
}
